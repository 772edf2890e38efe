/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules for the sub-graphs of a generation loop, as ONNX Runtime has them: names and element
 * types of the first inputs and outputs, and how many states follow them.
 */
#include <string.h>

#include "engine/formats/onnx/upgrade_search.h"
#include "engine/formats/onnx/validate.h"

/* One of the named inputs or outputs. */
typedef struct Formal {
    const char *name;
    int element; /* 0: a float of any size */
    bool may_miss;
} Formal;

enum { MOST_FORMALS = 4 };

/* States come in groups of one layer: so many inputs and outputs each, which an encoder has not. */
typedef struct Rules {
    const char *attribute;
    Formal inputs[MOST_FORMALS], outputs[MOST_FORMALS];
    int past_group, present_group;
    bool is_optional;
    int past_rank, heads_dim; /* of a past state; the last dim is the size of a head */
} Rules;

static const Rules gpt_decoder = {
    .attribute = "decoder",
    .inputs = {{"input_ids", QN_INT32}, {"position_ids", QN_INT32}, {"attention_mask", QN_INT32}},
    .outputs = {{"logits"}},
    .past_group = 1,
    .present_group = 1,
    .past_rank = 5,
    .heads_dim = 2};

static const Rules gpt_init_decoder = {
    .attribute = "init_decoder",
    .inputs = {{"input_ids", QN_INT32}, {"position_ids", QN_INT32}, {"attention_mask", QN_INT32}},
    .outputs = {{"logits"}},
    .past_group = 1,
    .present_group = 1,
    .is_optional = true,
    .past_rank = 5,
    .heads_dim = 2};

static const Rules t5_encoder = {
    .attribute = "encoder",
    .inputs = {{"encoder_input_ids", QN_INT32},
               {"encoder_attention_mask", QN_INT32},
               {"decoder_input_ids", QN_INT32, true}},
    .outputs = {{"logits", 0, true}, {"encoder_hidden_states", 0, true}},
    .present_group = 2};

static const Rules t5_decoder = {.attribute = "decoder",
                                 .inputs = {{"input_ids", QN_INT32},
                                            {"encoder_attention_mask", QN_INT32},
                                            {"encoder_hidden_states", 0, true}},
                                 .outputs = {{"logits"}},
                                 .past_group = 4,
                                 .present_group = 2,
                                 .past_rank = 4,
                                 .heads_dim = 1};

static const Rules whisper_encoder = {
    .attribute = "encoder",
    .inputs = {{"encoder_input_ids"}, {"decoder_input_ids", QN_INT32}},
    .outputs = {{"logits"}, {"encoder_hidden_states"}},
    .present_group = 4};

static const Rules whisper_decoder = {
    .attribute = "decoder",
    .inputs = {{"input_ids", QN_INT32}, {"encoder_hidden_states", 0, true}},
    .outputs = {{"logits"}},
    .past_group = 4,
    .present_group = 2,
    .past_rank = 4,
    .heads_dim = 1};

/* --- one sub-graph against its rules --- */

typedef struct Check {
    OnnxUpgrade *up;
    OnnxNode *node;
    const Rules *rules;
    bool is_good;
} Check;

static void refuse(Check *c, const char *found, const char *expected)
{
    c->is_good = false;
    onnx_refuse(c->up, c->node, "onnx-search-graph", found, expected);
}

static bool has_element(const OnnxValueInfo *info, int element)
{
    const int own = info->type.kind == ONNX_TYPE_TENSOR ? info->type.element : 0;
    if (own == 0)
        return true; /* not said */
    return element ? own == element : own == QN_FLOAT || own == QN_FLOAT16;
}

/* How many of the named ones there are; the others are states. */
static int match(Check *c, const char *what, const Formal *formals, const OnnxValueInfo *infos,
                 int count)
{
    QnReader *in = c->up->in;
    int at = 0;
    for (int i = 0; i < MOST_FORMALS && formals[i].name; i++) {
        const bool is_there = at < count && !strcmp(infos[at].name, formals[i].name);
        if (is_there && !has_element(&infos[at], formals[i].element))
            refuse(c,
                   onnx_say(in, "%s's %s '%s' is of %s", c->rules->attribute, what, formals[i].name,
                            qn_type_name((QnType)infos[at].type.element)),
                   formals[i].element ? qn_type_name((QnType)formals[i].element)
                                      : "float or float16");
        if (!is_there && !formals[i].may_miss)
            refuse(c,
                   at < count ? onnx_say(in, "%s's %s %d is '%s'", c->rules->attribute, what, at,
                                         infos[at].name)
                              : onnx_say(in, "%s has no %s %d", c->rules->attribute, what, at),
                   formals[i].name);
        at += is_there || !formals[i].may_miss;
    }
    return at < count ? at : count;
}

static void check_states(Check *c, const char *what, int count, int group)
{
    if (group == 0 ? count == 0 : count > 0 && count % group == 0)
        return;
    refuse(c, onnx_say(c->up->in, "%s has %d %s states", c->rules->attribute, count, what),
           group == 0 ? "none" : onnx_say(c->up->in, "%d for each layer", group));
}

/* A state that is empty at first is made from what its type says. */
static void check_past(Check *c, SearchPart *part)
{
    const OnnxType *type = &part->graph->inputs.items[part->first_past].type;
    const char *name = part->graph->inputs.items[part->first_past].name;
    if (!type->has_shape || type->dims.count != c->rules->past_rank) {
        const char *rank =
            type->has_shape ? onnx_say(c->up->in, "rank %d", type->dims.count) : "no shape";
        refuse(c, onnx_say(c->up->in, "%s's input '%s' has %s", c->rules->attribute, name, rank),
               onnx_say(c->up->in, "rank %d", c->rules->past_rank));
        return;
    }
    part->heads = type->dims.items[c->rules->heads_dim].value;
    part->head_size = type->dims.items[c->rules->past_rank - 1].value;
    part->past_type = type->element;
    if (part->heads <= 0 || part->head_size <= 0)
        refuse(c,
               onnx_say(c->up->in,
                        "%s's input '%s' does not say how many heads it has, of what "
                        "size",
                        c->rules->attribute, name),
               onnx_say(c->up->in, "numbers as dims %d and %d", c->rules->heads_dim,
                        c->rules->past_rank - 1));
}

/* Is its second dim open? */
static bool takes_sequences(const OnnxType *type)
{
    return !type->has_shape || type->dims.count != 2 || type->dims.items[1].value != 1;
}

/* States in one buffer of full size, to which the decoder writes: a form for GPUs. */
static void check_buffer(Check *c, const OnnxGraph *graph)
{
    for (int i = 0; i < graph->inputs.count; i++)
        if (!strcmp(graph->inputs.items[i].name, "past_sequence_length"))
            refuse(c,
                   onnx_say(c->up->in, "%s's past and present states share a buffer",
                            c->rules->attribute),
                   "states of their own: export it for a CPU");
}

static void check_graph(Check *c, SearchPart *part)
{
    OnnxGraph *graph = part->graph;
    check_buffer(c, graph);
    part->first_past =
        match(c, "input", c->rules->inputs, graph->inputs.items, graph->inputs.count);
    part->first_present =
        match(c, "output", c->rules->outputs, graph->outputs.items, graph->outputs.count);
    part->past_count = graph->inputs.count - part->first_past;
    part->present_count = graph->outputs.count - part->first_present;
    if (!c->is_good)
        return;
    check_states(c, "past", part->past_count, c->rules->past_group);
    check_states(c, "present", part->present_count, c->rules->present_group);
    if (c->is_good && c->rules->past_group)
        check_past(c, part);
    part->takes_sequences = takes_sequences(&graph->inputs.items[0].type);
    part->takes_hidden =
        !strcmp(graph->inputs.items[part->first_past - 1].name, "encoder_hidden_states");
}

static void find_part(OnnxUpgrade *up, OnnxNode *node, const Rules *rules, SearchPart *part,
                      bool *is_good)
{
    Check c = {up, node, rules, true};
    const OnnxAttribute *attribute = onnx_attribute(node, rules->attribute);
    part->graph = attribute ? attribute->graph : NULL;
    if (part->graph)
        check_graph(&c, part);
    else if (!rules->is_optional)
        refuse(&c, onnx_say(up->in, "it has no graph '%s'", rules->attribute), "one");
    *is_good = *is_good && c.is_good;
}

/* --- the sub-graphs of a node --- */

static const struct {
    const Rules *encoder, *init_decoder, *decoder;
} models[SEARCH_MODEL_COUNT] = {[SEARCH_GPT] = {NULL, &gpt_init_decoder, &gpt_decoder},
                                [SEARCH_T5] = {&t5_encoder, NULL, &t5_decoder},
                                [SEARCH_WHISPER] = {&whisper_encoder, NULL, &whisper_decoder}};

/* What the first one gives must be what the decoder takes. */
static void check_together(OnnxUpgrade *up, OnnxNode *node, const SearchParts *parts, bool *is_good)
{
    Check c = {up, node, models[parts->model].decoder, true};
    const SearchPart *first = parts->encoder.graph ? &parts->encoder : &parts->init_decoder;
    const int states = parts->decoder.past_count, cross = states / 2;
    if (parts->decoder.present_count * (parts->encoder.graph ? 2 : 1) != states)
        refuse(&c,
               onnx_say(up->in, "decoder has %d past and %d present states", states,
                        parts->decoder.present_count),
               "a present one for each past one that grows");
    if (!first->graph)
        return;
    if (first == &parts->encoder && first->first_present == 1)
        refuse(&c, "encoder gives one of logits and encoder_hidden_states", "both, or none");
    if (parts->decoder.takes_hidden && first->first_present == 0)
        refuse(&c, "decoder takes encoder_hidden_states, which encoder does not give", "an output");
    const bool is_first_step = first == &parts->init_decoder || first->first_present == 2;
    if (first->present_count != (is_first_step ? states : cross))
        refuse(&c,
               onnx_say(up->in, "%s has %d present states, decoder %d past ones",
                        parts->encoder.graph ? "encoder" : "init_decoder", first->present_count,
                        states),
               onnx_say(up->in, "%d", is_first_step ? states : cross));
    *is_good = *is_good && c.is_good;
}

QnStatus onnx_search_find_parts(OnnxUpgrade *up, OnnxNode *node, SearchParts *parts, bool *is_good)
{
    *is_good = true;
    if (models[parts->model].encoder)
        find_part(up, node, models[parts->model].encoder, &parts->encoder, is_good);
    if (models[parts->model].init_decoder)
        find_part(up, node, models[parts->model].init_decoder, &parts->init_decoder, is_good);
    find_part(up, node, models[parts->model].decoder, &parts->decoder, is_good);
    if (*is_good)
        check_together(up, node, parts, is_good);
    return QN_OK;
}
