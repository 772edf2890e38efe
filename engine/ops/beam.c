/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Beam search as ONNX Runtime does it, one step at a time.
 *
 *     BeamStep: log softmax of the last logits, the rules that lower scores, plus what the sequence
 *               has so far; the best 2 * beams of all sequences of a prompt go on, or, where they
 *               end, become hypotheses.
 *     BeamEnd:  what has not ended becomes a hypothesis too; the best ones are the result.
 *
 * Prompts whose search is over go on as padding, so that the others keep their rows.  No prompt
 * depends on the others of its batch; in ONNX Runtime, when the search for one is over depends on
 * the scores of the one before it.  See search.c for what the states hold.
 */
#include <math.h>

#include "engine/ops/score_rules.h"

/* ---- hypotheses ---- */

/* Those of one prompt, the best first. */
typedef struct Found {
    int32_t *tokens; /* [beams, 1 + most] */
    float *scores;   /* [beams] */
    int64_t beams, most, count;
    float length_penalty;
} Found;

static float final_score(const Found *found, float sum, int64_t length)
{
    return sum / powf((float)length, found->length_penalty);
}

/* Puts a sequence where its score belongs; behind those of equal score, or nowhere. */
static void add_hypothesis(Found *found, const int32_t *sequence, int64_t length, float sum)
{
    const float score = final_score(found, sum, length);
    const size_t room = (size_t)found->most + 1;
    int64_t at = found->count;
    if (at == found->beams && !(score > found->scores[--at]))
        return;
    if (found->count < found->beams)
        found->count++;
    for (; at > 0 && score > found->scores[at - 1]; at--) {
        found->scores[at] = found->scores[at - 1];
        memcpy(found->tokens + (size_t)at * room, found->tokens + (size_t)(at - 1) * room,
               room * sizeof *found->tokens);
    }
    int32_t *to = found->tokens + (size_t)at * room;
    found->scores[at] = score;
    to[0] = (int32_t)length;
    memcpy(to + 1, sequence, (size_t)length * sizeof *to);
}

/* A count that a state holds, which may come from anywhere. */
static int64_t bounded(int64_t count, int64_t most)
{
    return count < 0 ? 0 : count < most ? count : most;
}

static float read_penalty(const QnCall *call, int i)
{
    const QnTensor *penalty = qn_call_input(call, i);
    return penalty && qn_tensor_count(penalty) > 0 ? (float)qn_tensor_get(penalty, 0) : 1;
}

/* ---- BeamStep ---- */

enum { SCORES = QN_STEP_COUNT, FOUND, FOUND_SCORES, LENGTH_PENALTY, TEMPERATURE, LOGITS_PROCESSOR };
enum {
    NEXT_IDS,
    PICKS,
    NEXT_SEQUENCES,
    NEXT_SCORES,
    NEXT_FOUND,
    NEXT_FOUND_SCORES,
    NEXT_PROGRESS,
    GOES_ON,
    ALL_SCORES
};

static QnStatus infer_step(QnInfer *in)
{
    const QnShape *found = qn_infer_shape(in, FOUND),
                  *sequences = qn_infer_shape(in, QN_STEP_SEQUENCES);
    QN_TRY(qn_infer_want_rank(in, FOUND, 3));
    const QnDim batch = found ? found->dims[0] : qn_infer_fresh(in);
    const QnDim beams = found ? found->dims[1] : qn_infer_fresh(in);
    const QnDim rows = qn_dim_mul(in->dims, batch, beams);
    QN_TRY(qn_score_rules_infer(in, rows, batch));
    const QnDim most = sequences ? sequences->dims[1] : qn_infer_fresh(in);
    const QnDim room = qn_dim_add(in->dims, most, 1), vocab = qn_score_rules_vocab(in);
    QN_TRY(qn_infer_want_shape(in, SCORES, 1, &rows));
    if (found)
        QN_TRY(qn_infer_want_dim(in, FOUND, 2, room));
    if (beams == 0)
        return qn_infer_fail(in, "there are no beams, expected 1 at least");
    QN_TRY(qn_score_rules_want_type(in, FOUND, QN_INT32));
    QN_TRY(qn_score_rules_want_type(in, FOUND_SCORES, QN_FLOAT));
    QN_TRY(qn_infer_want_shape(in, FOUND_SCORES, 2, (QnDim[]){batch, beams}));
    const QnShape shapes[] = {
        [NEXT_IDS] = {.rank = 2, .dims = {rows, 1}},
        [PICKS] = {.rank = 1, .dims = {rows}},
        [NEXT_SEQUENCES] = {.rank = 2, .dims = {rows, most}},
        [NEXT_SCORES] = {.rank = 1, .dims = {rows}},
        [NEXT_FOUND] = {.rank = 3, .dims = {batch, beams, room}},
        [NEXT_FOUND_SCORES] = {.rank = 2, .dims = {batch, beams}},
        [NEXT_PROGRESS] = {.rank = 2, .dims = {batch, 2}},
        [GOES_ON] = {.rank = 0},
        [ALL_SCORES] = {.rank = 3, .dims = {batch, beams, vocab}},
    };
    static const QnType types[] = {
        [NEXT_IDS] = QN_INT32,      [PICKS] = QN_INT64,      [NEXT_SEQUENCES] = QN_INT32,
        [NEXT_SCORES] = QN_FLOAT,   [NEXT_FOUND] = QN_INT32, [NEXT_FOUND_SCORES] = QN_FLOAT,
        [NEXT_PROGRESS] = QN_INT32, [GOES_ON] = QN_BOOL,     [ALL_SCORES] = QN_FLOAT};
    for (int i = 0; i < (int)QN_COUNT_OF(shapes); i++)
        QN_TRY(qn_infer_tensor(in, i, types[i], &shapes[i]));
    return QN_OK;
}

typedef struct Candidate {
    float score;
    int64_t beam, token;
} Candidate;

typedef struct Step {
    const QnCall *call;
    QnScoreRules rules;
    QnTimes times;
    int64_t batch, beams;
    bool stops_early;
    float *scores;   /* [vocab] of the row at work */
    Candidate *best; /* [2 * beams], falling */
    int64_t best_count;
    QnTensor sequences, found, found_scores, progress; /* the new ones */
    const int32_t *old_sequences;
    float length_penalty;
} Step;

/* Keeps the score if it is among the best 2 * beams; of equal ones those that came first. */
static void consider(Step *s, float score, int64_t beam, int64_t token)
{
    int64_t at = s->best_count;
    if (at == 2 * s->beams && !(score > s->best[--at].score))
        return;
    if (isnan(score))
        return;
    if (s->best_count < 2 * s->beams)
        s->best_count++;
    for (; at > 0 && score > s->best[at - 1].score; at--)
        s->best[at] = s->best[at - 1];
    s->best[at] = (Candidate){score, beam, token};
}

/* Row `row` of the output with all scores, where it is wanted. */
static void write_scores(const Step *s, int64_t row)
{
    if (!qn_call_wants(s->call, ALL_SCORES))
        return;
    float *to = (float *)qn_call_result(s->call, ALL_SCORES)->data + row * s->rules.vocab;
    memcpy(to, s->scores, (size_t)s->rules.vocab * sizeof *to);
}

/* Scores all tokens behind each sequence of a prompt. */
static QnStatus score_item(Step *s, int64_t item)
{
    const QnCall *call = s->call;
    const QnTensor *logits = qn_call_input(call, QN_STEP_LOGITS);
    s->best_count = 0;
    for (int64_t beam = 0; beam < s->beams; beam++) {
        const int64_t row = item * s->beams + beam;
        const float so_far = (float)qn_tensor_get(qn_call_input(call, SCORES), row);
        const bool is_own = logits->dims[0] == s->batch * s->beams;
        QN_TRY(qn_call_poll(call));
        qn_score_rules_logits(&s->rules, logits, is_own ? row : item, true, s->scores);
        qn_score_rules_apply(&s->rules, qn_call_input(call, QN_STEP_SEQUENCES), row, item,
                             s->scores);
        for (int64_t i = 0; i < s->rules.vocab; i++) {
            s->scores[i] += so_far;
            consider(s, s->scores[i], beam, i);
        }
        write_scores(s, row);
    }
    const int64_t all = s->beams * s->rules.vocab;
    if (s->best_count < 2 * s->beams)
        return qn_call_fail(call, "only %lld of %lld scores are numbers", (long long)s->best_count,
                            (long long)all);
    return QN_OK;
}

/* Row `row` goes on as the old row `from` with a token behind it. */
static void extend(Step *s, int64_t row, int64_t from, float score, int64_t token)
{
    const size_t most = (size_t)s->rules.most;
    int32_t *to = (int32_t *)s->sequences.data + (size_t)row * most;
    memcpy(to, s->old_sequences + (size_t)from * most, most * sizeof *to);
    to[s->rules.length] = (int32_t)token;
    qn_score_rules_put(s->call, NEXT_IDS, row, token);
    qn_score_rules_put(s->call, PICKS, row, from);
    qn_score_rules_put_float(s->call, NEXT_SCORES, row, score);
}

/* A prompt that is done goes on as padding. */
static void pad_item(Step *s, int64_t item)
{
    memset(s->scores, 0, (size_t)s->rules.vocab * sizeof *s->scores);
    for (int64_t row = item * s->beams; row < (item + 1) * s->beams; row++) {
        extend(s, row, row, 0, s->rules.pad);
        write_scores(s, row);
    }
}

/* The best ones go on or are hypotheses; true where the search for this prompt is over. */
static bool advance_item(Step *s, int64_t item, Found *found)
{
    int64_t beam = 0;
    for (int64_t i = 0; i < s->best_count && beam < s->beams; i++) {
        const Candidate *c = &s->best[i];
        const int64_t from = item * s->beams + c->beam;
        if (c->token != s->rules.eos)
            extend(s, item * s->beams + beam++, from, c->score, c->token);
        else if (i < s->beams)
            add_hypothesis(found, s->old_sequences + from * s->rules.most, s->rules.length,
                           c->score);
    }
    if (found->count < s->beams)
        return false;
    return s->stops_early ||
           found->scores[s->beams - 1] >= final_score(found, s->best[0].score, s->rules.length);
}

static QnStatus step_item(Step *s, int64_t item, bool *is_done)
{
    const int64_t beams = s->beams, most = s->rules.most;
    int32_t *progress = (int32_t *)s->progress.data + 2 * item;
    Found found = {.tokens = (int32_t *)s->found.data + item * beams * (most + 1),
                   .scores = (float *)s->found_scores.data + item * beams,
                   .beams = beams,
                   .most = most,
                   .count = bounded(progress[0], beams),
                   .length_penalty = s->length_penalty};
    *is_done = progress[1] != 0;
    if (*is_done) {
        pad_item(s, item);
        return QN_OK;
    }
    QN_TRY(score_item(s, item));
    *is_done = advance_item(s, item, &found);
    progress[0] = (int32_t)found.count;
    progress[1] = *is_done;
    return QN_OK;
}

/* Whisper's own rule comes with its number among the processors. */
static void read_times(Step *s)
{
    const QnNode *node = s->call->node;
    const QnTensor *processor = qn_call_input(s->call, LOGITS_PROCESSOR);
    if (qn_op_int(node, "has_times") && processor && qn_tensor_count(processor) > 0 &&
        qn_tensor_get_int(processor, 0) == 1) {
        s->times = (QnTimes){.start = qn_op_int(node, "decoder_start_token_id"),
                             .translate = qn_op_int(node, "translate_token_id"),
                             .transcribe = qn_op_int(node, "transcribe_token_id"),
                             .start_of_lm = qn_op_int(node, "start_of_lm_token_id"),
                             .no_times = qn_op_int(node, "no_timestamps_token_id"),
                             .first_time = qn_op_int(node, "beginning_timestamp_token_id")};
        s->rules.times = &s->times;
    }
}

static QnStatus init_step(Step *s, const QnCall *call)
{
    const QnTensor *found = qn_call_input(call, FOUND);
    *s = (Step){.call = call,
                .batch = found->dims[0],
                .beams = found->dims[1],
                .stops_early = qn_op_int(call->node, "early_stopping") == 1,
                .old_sequences = qn_call_input(call, QN_STEP_SEQUENCES)->data,
                .length_penalty = read_penalty(call, LENGTH_PENALTY)};
    QN_TRY(qn_score_rules_state(call, FOUND, NEXT_FOUND, &s->found));
    QN_TRY(qn_score_rules_state(call, FOUND_SCORES, NEXT_FOUND_SCORES, &s->found_scores));
    QN_TRY(qn_score_rules_state(call, QN_STEP_PROGRESS, NEXT_PROGRESS, &s->progress));
    QN_TRY(qn_score_rules_state(call, QN_STEP_SEQUENCES, NEXT_SEQUENCES, &s->sequences));
    QN_TRY(qn_score_rules_read(call, &s->rules));
    s->rules.temperature = read_penalty(call, TEMPERATURE);
    read_times(s);
    QN_ALLOC(s->scores, call->scratch, s->rules.vocab);
    QN_ALLOC(s->best, call->scratch, 2 * s->beams);
    return QN_OK;
}

static QnStatus step(const QnCall *call)
{
    Step s;
    bool goes_on = false;
    QN_TRY(init_step(&s, call));
    for (int64_t item = 0; item < s.batch; item++) {
        bool is_done;
        QN_TRY(step_item(&s, item, &is_done));
        goes_on = goes_on || !is_done;
    }
    qn_score_rules_put(call, GOES_ON, 0, goes_on);
    return QN_OK;
}

/* ---- BeamEnd ---- */

enum {
    END_SEQUENCES,
    END_SCORES,
    END_FOUND,
    END_FOUND_SCORES,
    END_PROGRESS,
    END_RETURNED,
    END_LENGTH_PENALTY
};

static QnStatus infer_end(QnInfer *in)
{
    const QnShape *sequences = qn_infer_shape(in, END_SEQUENCES),
                  *found = qn_infer_shape(in, END_FOUND);
    QnDim returned = 1;
    int64_t number;
    QN_TRY(qn_infer_want_rank(in, END_SEQUENCES, 2));
    QN_TRY(qn_infer_want_rank(in, END_FOUND, 3));
    if (qn_infer_has(in, END_RETURNED) && qn_infer_ints(in, END_RETURNED, &returned, 1) != 1)
        returned = qn_infer_fresh(in);
    const QnDim batch = found ? found->dims[0] : qn_infer_fresh(in);
    const QnDim beams = found ? found->dims[1] : qn_infer_fresh(in);
    const QnDim rows = qn_dim_mul(in->dims, batch, beams);
    const QnDim most = sequences ? sequences->dims[1] : qn_infer_fresh(in);
    if (qn_dim_constant(in->dims, returned, &number) &&
        (number < 1 || (qn_dim_is_known(beams) && number > beams)))
        return qn_infer_fail(in, "num_return_sequences is %lld, expected 1 to the number of beams",
                             (long long)number);
    QN_TRY(qn_score_rules_want_type(in, END_SEQUENCES, QN_INT32));
    QN_TRY(qn_score_rules_want_type(in, END_FOUND, QN_INT32));
    QN_TRY(qn_score_rules_want_type(in, END_FOUND_SCORES, QN_FLOAT));
    QN_TRY(qn_infer_want_shape(in, END_SEQUENCES, 2, (QnDim[]){rows, most}));
    QN_TRY(qn_infer_want_shape(in, END_SCORES, 1, &rows));
    QN_TRY(qn_infer_want_shape(in, END_FOUND, 3,
                               (QnDim[]){batch, beams, qn_dim_add(in->dims, most, 1)}));
    QN_TRY(qn_infer_want_shape(in, END_FOUND_SCORES, 2, (QnDim[]){batch, beams}));
    QN_TRY(qn_infer_want_shape(in, END_PROGRESS, 2, (QnDim[]){batch, 2}));
    QN_TRY(qn_infer_tensor(in, 1, QN_FLOAT, &(QnShape){.rank = 2, .dims = {batch, returned}}));
    return qn_infer_tensor(in, 0, QN_INT32, &(QnShape){.rank = 3, .dims = {batch, returned, most}});
}

static int64_t read_count(const QnCall *call, int i)
{
    const QnTensor *count = qn_call_input(call, i);
    return count && qn_tensor_count(count) > 0 ? qn_tensor_get_int(count, 0) : 1;
}

/* A copy of one prompt's hypotheses with those of the sequences that have not ended. */
static void close_item(const QnCall *call, int64_t item, Found *found)
{
    const size_t room = (size_t)found->most + 1, beams = (size_t)found->beams;
    const int32_t *tokens = qn_call_input(call, END_FOUND)->data;
    const float *scores = qn_call_input(call, END_FOUND_SCORES)->data;
    const int32_t *sequences = qn_call_input(call, END_SEQUENCES)->data;
    const QnTensor *progress = qn_call_input(call, END_PROGRESS);
    const int64_t count = qn_tensor_get_int(progress, 2 * item);
    const bool is_done = qn_tensor_get_int(progress, 2 * item + 1) != 0;
    memcpy(found->tokens, tokens + (size_t)item * beams * room,
           beams * room * sizeof *found->tokens);
    memcpy(found->scores, scores + (size_t)item * beams, beams * sizeof *found->scores);
    found->count = bounded(count, found->beams);
    for (int64_t beam = 0; beam < found->beams && !is_done; beam++) {
        const int64_t row = item * found->beams + beam;
        add_hypothesis(found, sequences + row * found->most, found->most,
                       (float)qn_tensor_get(qn_call_input(call, END_SCORES), row));
    }
}

static void write_item(const QnCall *call, int64_t item, const Found *found)
{
    const int64_t returned = read_count(call, END_RETURNED);
    const int64_t pad = qn_op_int(call->node, "pad_token_id");
    for (int64_t i = 0; i < returned; i++) {
        const int32_t *from = found->tokens + i * (found->most + 1);
        const int64_t row = item * returned + i;
        const int64_t length = i < found->count ? from[0] : 0;
        for (int64_t k = 0; k < found->most; k++)
            qn_score_rules_put(call, 0, row * found->most + k, k < length ? from[1 + k] : pad);
        qn_score_rules_put_float(call, 1, row, found->scores[i]);
    }
}

static QnStatus end(const QnCall *call)
{
    const QnTensor *states = qn_call_input(call, END_FOUND);
    Found found = {.beams = states->dims[1],
                   .most = states->dims[2] - 1,
                   .length_penalty = read_penalty(call, END_LENGTH_PENALTY)};
    QN_ALLOC(found.tokens, call->scratch, found.beams * (found.most + 1));
    QN_ALLOC(found.scores, call->scratch, found.beams);
    for (int64_t item = 0; item < states->dims[0]; item++) {
        QN_TRY(qn_call_poll(call));
        close_item(call, item, &found);
        write_item(call, item, &found);
    }
    return QN_OK;
}

/* ---- the table ---- */

static const QnOpAttribute step_attributes[] = {
    QN_STEP_ATTRIBUTES,
    {"early_stopping", QN_ATTRIBUTE_INT},
    {"has_times", QN_ATTRIBUTE_INT},
    {"decoder_start_token_id", QN_ATTRIBUTE_INT, .i = -1},
    {"translate_token_id", QN_ATTRIBUTE_INT, .i = -1},
    {"transcribe_token_id", QN_ATTRIBUTE_INT, .i = -1},
    {"start_of_lm_token_id", QN_ATTRIBUTE_INT, .i = -1},
    {"no_timestamps_token_id", QN_ATTRIBUTE_INT, .i = -1},
    {"beginning_timestamp_token_id", QN_ATTRIBUTE_INT, .i = -1},
    {0}};
static const QnOpAttribute end_attributes[] = {{"pad_token_id", QN_ATTRIBUTE_INT}, {0}};

const QnOp qn_ops_beam[] = {
    {.name = "BeamEnd",
     .domain = "quern",
     .since = 1,
     .inputs = "sequences: int32, scores: float, found: int32, found_scores: float, "
               "progress: int32, num_return_sequences?: integer, length_penalty?: float",
     .outputs = "sequences: int32, sequences_scores?: float",
     .attributes = end_attributes,
     .infer = infer_end,
     .reference = end},
    {.name = "BeamStep",
     .domain = "quern",
     .since = 1,
     .inputs = QN_STEP_INPUTS ", scores: float, found: int32, found_scores: float, "
                              "length_penalty?: float, temperature?: float, "
                              "logits_processor?: integer",
     .outputs = "ids: int32, picks: int64, sequences: int32, scores: float, found: int32, "
                "found_scores: float, progress: int32, goes_on: bool, all_scores?: float",
     .attributes = step_attributes,
     .infer = infer_step,
     .reference = step},
    {0},
};
