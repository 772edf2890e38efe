/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Generation loops of ONNX Runtime: a decoder as a sub-graph, called until all sequences have
 * ended.
 *
 *     <start>; SearchStart          states of the search, inputs of the first call
 *     <encoder or init_decoder>; step       where there is one, it makes the first logits
 *     Loop { <decoder>; step; past := present, rows as the step has picked them }
 *     BeamEnd
 *
 * A step is BeamStep or TokenStep (engine/ops).  The glue is text, in the language of body.h, that
 * stands partly in front of the loop and partly inside: a word that the loop carries stands for its
 * old value at the beginning of the body and for its new one at the end.
 */
#include "engine/formats/onnx/upgrade_search.h"

#include <assert.h>
#include <string.h>

#include "engine/formats/onnx/body.h"
#include "engine/formats/onnx/names.h"
#include "engine/formats/onnx/splice.h"
#include "engine/formats/onnx/validate.h"

/* What a loop carries, where it is there: every one, one with beams, one of a decoder alone. */
static const char *const all_words[] = {"input_ids", "sequences", "progress",
                                        "length",    "generator", NULL};
static const char *const beam_words[] = {"beam_scores", "found", "found_scores", NULL};
static const char *const gpt_words[] = {"position_ids", "next_position", "attention_mask", NULL};

/* --- one rewrite at work --- */

typedef struct Search {
    OnnxBody b; /* b.up: the graph around, or `inner` */
    OnnxUpgrade *up, inner;
    OnnxNode *node;
    SearchParts parts;
    const char *step_text;
    bool has_beams, wants_scores;
    ONNX_LIST(const char *) carried;
    OnnxGraph *body;
} Search;

static const struct {
    const char *op, *step_text;
    bool has_beams;
    unsigned models; /* bits 1 << SearchModel */
} searches[] = {
    {"BeamSearch", onnx_search_beam, true,
     1u << SEARCH_GPT | 1u << SEARCH_T5 | 1u << SEARCH_WHISPER},
    {"GreedySearch", onnx_search_greedy, false, 1u << SEARCH_GPT},
    {"Sampling", onnx_search_sampling, false, 1u << SEARCH_GPT},
    {"WhisperBeamSearch", onnx_search_beam, true, 1u << SEARCH_WHISPER},
};

static QnArena *arena_of(const Search *s)
{
    return s->up->in->scratch;
}

/* "past_3" as a word. */
static const char *state_word(const Search *s, const char *kind, int i)
{
    return qn_arena_printf(arena_of(s), "%s_%d", kind, i);
}

static QnStatus name_state(Search *s, const char *kind, int i, const char *value)
{
    const char *word = state_word(s, kind, i);
    return word ? onnx_body_name(&s->b, word, value) : QN_NO_MEMORY;
}

static const char *named_state(const Search *s, const char *kind, int i)
{
    const char *word = state_word(s, kind, i);
    return word ? onnx_body_named(&s->b, word) : NULL;
}

static QnStatus fresh_name(Search *s, const char *word, const char **out)
{
    const OnnxNode *origin = s->up->origin;
    return onnx_new_name(s->up->used, origin->name[0] ? origin->name : origin->op, word, out);
}

/* --- calling a sub-graph --- */

/* Puts the sub-graph's nodes here: its inputs are the words that they are called, its outputs
 * become such words, states by number. */
static QnStatus call_part(Search *s, const SearchPart *part)
{
    OnnxScope names = onnx_scope(arena_of(s), NULL);
    OnnxGraph *graph = part->graph;
    for (int i = 0; i < graph->inputs.count; i++) {
        const char *formal = graph->inputs.items[i].name;
        const char *value = i < part->first_past ? onnx_body_named(&s->b, formal)
                                                 : named_state(s, "past", i - part->first_past);
        if (!value)
            return QN_NO_MEMORY;
        QN_TRY(onnx_scope_put(&names, formal, (void *)(uintptr_t)value));
    }
    QN_TRY(onnx_splice(s->b.up, graph, &names));
    for (int i = 0; i < graph->outputs.count; i++) {
        const char *value = onnx_spliced_output(graph, i, &names);
        if (i < part->first_present)
            QN_TRY(onnx_body_name(&s->b, graph->outputs.items[i].name, value));
        else
            QN_TRY(name_state(s, "present", i - part->first_present, value));
    }
    return QN_OK;
}

/* Past state i becomes present state k with the rows that `rows` names; "": as they are. */
static QnStatus keep_state(Search *s, int i, int k, const char *rows, int axis)
{
    const char *present = named_state(s, "present", k), *kept = present;
    OnnxNode *node;
    if (!present)
        return QN_NO_MEMORY;
    if (rows[0]) {
        QN_TRY(onnx_make_node(s->b.up, "Gather", ONNX_INPUTS(present, rows), &kept, &node));
        QN_TRY(onnx_set_int(s->b.up, node, "axis", axis));
        QN_TRY(onnx_emit(s->b.up, node));
    }
    return name_state(s, "past", i, kept);
}

/* The decoder's present states, in the order that the step has picked. */
static QnStatus keep_states(Search *s, int count)
{
    const char *picks = s->has_beams ? onnx_body_named(&s->b, "picks") : "";
    for (int i = 0; i < count; i++)
        QN_TRY(keep_state(s, i, i, picks, s->parts.model == SEARCH_GPT ? 1 : 0));
    return QN_OK;
}

/* The choice of the next tokens; scores of all are an output only where they are wanted. */
static QnStatus emit_step(Search *s)
{
    QN_TRY(onnx_body_run(&s->b, s->step_text));
    OnnxNode *step = s->b.up->made->nodes.items[s->b.up->made->nodes.count - 1];
    if (s->has_beams && !s->wants_scores)
        step->outputs.count--;
    return QN_OK;
}

/* --- in front of the loop --- */

/* Numbers and a zero that the texts make empty states from. */
static QnStatus name_sizes(Search *s)
{
    static const float zero = 0;
    const SearchPart *decoder = &s->parts.decoder;
    const char *name;
    OnnxNode *cast;
    QN_TRY(onnx_make_ints(s->up, "heads", &decoder->heads, 1, 1, &name));
    QN_TRY(onnx_body_name(&s->b, "heads", name));
    QN_TRY(onnx_make_ints(s->up, "head_size", &decoder->head_size, 1, 1, &name));
    QN_TRY(onnx_body_name(&s->b, "head_size", name));
    QN_TRY(onnx_make_floats(s->up, "zero", &zero, 1, 0, &name));
    if (decoder->past_type && decoder->past_type != QN_FLOAT) {
        QN_TRY(onnx_make_node(s->up, "Cast", ONNX_INPUTS(name), &name, &cast));
        QN_TRY(onnx_set_int(s->up, cast, "to", decoder->past_type));
        QN_TRY(onnx_emit(s->up, cast));
    }
    return onnx_body_name(&s->b, "zero", name);
}

/* The first step, in front of the loop, where the logits are there before the decoder is called. */
static QnStatus take_first_step(Search *s)
{
    QN_TRY(emit_step(s));
    if (s->wants_scores)
        QN_TRY(onnx_body_name(&s->b, "first_scores", onnx_body_named(&s->b, "all_scores")));
    return onnx_body_run(&s->b, "steps = Sub(steps, 1)");
}

/* States of the encoder, a row for each beam; where it takes no step, those that grow are empty. */
static QnStatus start_with_encoder(Search *s)
{
    const SearchPart *encoder = &s->parts.encoder;
    const int states = s->parts.decoder.past_count, given = encoder->present_count;
    QN_TRY(call_part(s, encoder));
    QN_TRY(onnx_body_run(&s->b, onnx_search_expand));
    for (int i = 0; i < states - given; i++)
        QN_TRY(name_state(s, "past", i, onnx_body_named(&s->b, "past")));
    for (int i = 0; i < given; i++)
        QN_TRY(keep_state(s, states - given + i, i, onnx_body_named(&s->b, "rows"), 0));
    if (encoder->first_present == 0)
        return QN_OK;
    QN_TRY(take_first_step(s));
    return onnx_body_run(&s->b, onnx_search_next[s->parts.model]);
}

static QnStatus start_with_decoder(Search *s)
{
    for (int i = 0; i < s->parts.decoder.past_count; i++)
        QN_TRY(name_state(s, "past", i, onnx_body_named(&s->b, "past")));
    if (!s->parts.init_decoder.graph)
        return QN_OK;
    QN_TRY(call_part(s, &s->parts.init_decoder));
    QN_TRY(take_first_step(s));
    QN_TRY(keep_states(s, s->parts.decoder.past_count));
    return onnx_body_run(&s->b, onnx_search_next[s->parts.model]);
}

static QnStatus emit_start(Search *s)
{
    for (int i = 0; i < onnx_search_parameter_count; i++)
        QN_TRY(onnx_body_name(&s->b, onnx_search_parameters[i], ""));
    QN_TRY(onnx_body_name_inputs(&s->b));
    QN_TRY(name_sizes(s));
    QN_TRY(onnx_body_run(&s->b, onnx_search_start[s->parts.model]));
    return s->parts.encoder.graph ? start_with_encoder(s) : start_with_decoder(s);
}

/* --- the loop --- */

static QnStatus carry(Search *s, const char *const *words)
{
    for (; *words; words++) {
        const char *value = onnx_body_named(&s->b, *words);
        if (value && value[0])
            ONNX_ADD(&s->carried, arena_of(s), *words);
    }
    return QN_OK;
}

/* All that changes from call to call. */
static QnStatus find_carried(Search *s)
{
    QN_TRY(carry(s, all_words));
    if (s->has_beams)
        QN_TRY(carry(s, beam_words));
    if (s->parts.model == SEARCH_GPT)
        QN_TRY(carry(s, gpt_words));
    for (int i = 0; i < s->parts.decoder.present_count; i++) {
        const char *word = state_word(s, "past", i);
        if (!word)
            return QN_NO_MEMORY;
        ONNX_ADD(&s->carried, arena_of(s), word);
    }
    return QN_OK;
}

/* An input of the body; nothing is said of its type, which that of the first value gives. */
static QnStatus add_input(Search *s, const char *word, OnnxType type, const char **out)
{
    QN_TRY(fresh_name(s, word, out));
    ONNX_ADD(&s->body->inputs, arena_of(s), (OnnxValueInfo){.name = *out, .type = type});
    return QN_OK;
}

static QnStatus add_output(Search *s, const char *word)
{
    const char *value = onnx_body_named(&s->b, word);
    assert(value);
    ONNX_ADD(&s->body->outputs, arena_of(s), (OnnxValueInfo){.name = value});
    return QN_OK;
}

static QnStatus add_inputs(Search *s)
{
    const OnnxType number = {.kind = ONNX_TYPE_TENSOR, .element = QN_INT64, .has_shape = true},
                   truth = {.kind = ONNX_TYPE_TENSOR, .element = QN_BOOL, .has_shape = true};
    const char *name;
    QN_TRY(add_input(s, "iteration", number, &name));
    QN_TRY(add_input(s, "condition", truth, &name));
    for (int i = 0; i < s->carried.count; i++) {
        QN_TRY(add_input(s, s->carried.items[i], (OnnxType){0}, &name));
        QN_TRY(onnx_body_name(&s->b, s->carried.items[i], name));
    }
    return QN_OK;
}

static QnStatus emit_body(Search *s)
{
    QN_TRY(add_inputs(s));
    if (s->parts.model != SEARCH_GPT && s->parts.decoder.takes_sequences)
        QN_TRY(onnx_body_run(&s->b, onnx_search_sequence));
    QN_TRY(call_part(s, &s->parts.decoder));
    QN_TRY(emit_step(s));
    QN_TRY(keep_states(s, s->parts.decoder.present_count));
    QN_TRY(onnx_body_run(&s->b, onnx_search_next[s->parts.model]));
    QN_TRY(add_output(s, "goes_on"));
    for (int i = 0; i < s->carried.count; i++)
        QN_TRY(add_output(s, s->carried.items[i]));
    return s->wants_scores ? add_output(s, "all_scores") : QN_OK;
}

/* Words stand for what they did before the body was made, then for what the loop gives. */
static QnStatus emit_loop(Search *s)
{
    OnnxScope hints = onnx_scope(arena_of(s), s->up->hints);
    const char *goes_on = onnx_body_named(&s->b, "goes_on"), *unused;
    OnnxNode *loop;
    QN_ALLOC(s->body, arena_of(s), 1);
    s->body->name = s->parts.decoder.graph->name;
    QN_TRY(find_carried(s));
    QN_TRY(onnx_make_node(s->up, "Loop",
                          ONNX_INPUTS(onnx_body_named(&s->b, "steps"), goes_on ? goes_on : ""),
                          &unused, &loop));
    for (int i = 0; i < s->carried.count; i++)
        ONNX_ADD(&loop->inputs, arena_of(s), onnx_body_named(&s->b, s->carried.items[i]));
    s->inner = *s->up;
    s->inner.hints = &hints;
    s->inner.graph = s->inner.made = s->body;
    s->b.up = &s->inner;
    QN_TRY(emit_body(s));
    s->b.up = s->up;
    ONNX_ADD(&loop->attributes, arena_of(s),
             (OnnxAttribute){.name = "body",
                             .ref = "",
                             .kind = ONNX_GRAPH,
                             .filled = 1u << ONNX_GRAPH,
                             .graph = s->body});
    if (s->wants_scores)
        ONNX_ADD(&s->carried, arena_of(s), "all_scores");
    loop->outputs.count = 0;
    for (int i = 0; i < s->carried.count; i++) {
        const char *name;
        QN_TRY(fresh_name(s, s->carried.items[i], &name));
        ONNX_ADD(&loop->outputs, arena_of(s), name);
        QN_TRY(onnx_body_name(&s->b, s->carried.items[i], name));
    }
    return onnx_emit(s->up, loop);
}

/* --- the node --- */

/* Each wanted output as a copy of what its name stands for; the caller appends the last one. */
static QnStatus emit_outputs(Search *s, OnnxNode **last)
{
    static const char *const given[] = {"sequences", "sequences_scores", "scores"};
    const char *unused;
    for (int i = 0; i < s->node->outputs.count; i++) {
        if (!onnx_has_output(s->node, i))
            continue;
        if (i >= (int)QN_COUNT_OF(given) || (i > 0 && !s->has_beams)) {
            const char *formal = onnx_schema_text(onnx_schema_output(s->node->schema, i)->name);
            onnx_refuse(s->up, s->node, "onnx-output",
                        onnx_say(s->up->in, "output '%s' is asked for", formal),
                        "an output that inference gives");
            continue;
        }
        if (*last)
            QN_TRY(onnx_emit(s->up, *last));
        QN_TRY(onnx_make_node(s->up, "Identity", ONNX_INPUTS(onnx_body_named(&s->b, given[i])),
                              &unused, last));
        (*last)->outputs.items[0] = s->node->outputs.items[i];
    }
    return QN_OK;
}

/* Which operator and kind of model it is; false, and a finding, where that is none. */
static bool identify(Search *s)
{
    const int64_t model =
        onnx_get_int(s->node, "model_type",
                     strcmp(s->node->op, "WhisperBeamSearch") ? SEARCH_GPT : SEARCH_WHISPER);
    for (size_t i = 0; i < QN_COUNT_OF(searches); i++) {
        if (strcmp(searches[i].op, s->node->op) != 0)
            continue;
        s->step_text = searches[i].step_text;
        s->has_beams = searches[i].has_beams;
        s->parts.model = (SearchModel)model;
        if (model >= 0 && model < SEARCH_MODEL_COUNT && searches[i].models & 1u << model)
            return true;
    }
    onnx_refuse(s->up, s->node, "onnx-attribute-value",
                onnx_say(s->up->in, "model_type is %lld", (long long)model),
                s->has_beams ? "0: a decoder, 1: T5, or 2: Whisper" : "0: a decoder alone");
    return false;
}

/* An encoder's model begins with a token of its own. */
static bool has_start(Search *s)
{
    const bool is_given = s->parts.model == SEARCH_WHISPER && onnx_has_input(s->node, 10);
    if (s->parts.model == SEARCH_GPT || is_given ||
        onnx_get_int(s->node, "decoder_start_token_id", -1) >= 0)
        return true;
    onnx_refuse(s->up, s->node, "onnx-attribute-value", "decoder_start_token_id is -1",
                "the token that decoding starts with");
    return false;
}

QnStatus onnx_rewrite_search(OnnxUpgrade *up, OnnxNode **node)
{
    Search s = {.up = up, .node = *node, .b = {.up = up, .call = *node}};
    OnnxNode *last = NULL;
    bool is_good;
    s.b.names = onnx_scope(up->in->scratch, NULL);
    if (!identify(&s))
        return QN_OK;
    QN_TRY(onnx_search_find_parts(up, *node, &s.parts, &is_good));
    if (!has_start(&s) || !is_good)
        return QN_OK;
    s.wants_scores = s.has_beams && onnx_has_output(*node, 2);
    if (s.parts.model == SEARCH_WHISPER)
        QN_TRY(onnx_set_int(up, *node, "has_times", 1));
    QN_TRY(emit_start(&s));
    QN_TRY(emit_loop(&s));
    if (s.has_beams)
        QN_TRY(onnx_body_run(&s.b, onnx_search_beam_end));
    if (s.wants_scores)
        QN_TRY(onnx_body_run(&s.b, onnx_search_all_scores));
    QN_TRY(emit_outputs(&s, &last));
    if (last)
        *node = last;
    return QN_OK;
}
