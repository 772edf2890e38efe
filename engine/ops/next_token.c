/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TokenStep: one step of greedy search, or of sampling, as ONNX Runtime does them.  The rules lower
 * the logits; then the likeliest token follows each sequence, or one that is drawn from the likely
 * ones.  A sequence that has come to its end goes on as padding.
 *
 * Drawing keeps the tokens whose probabilities together make top_p: all others get filter_value.
 * The numbers are those of the minimal standard generator, x' = 16807 x mod 2^31 - 1, two for one
 * of 53 bits, so that a seed gives the tokens that it gives there.
 */
#include <math.h>

#include "base/random.h"
#include "base/sort.h"
#include "engine/ops/score_rules.h"

enum { PRESENCE_MASK = QN_STEP_COUNT, GENERATOR };
enum { NEXT_IDS, NEXT_SEQUENCES, NEXT_PROGRESS, GOES_ON, NEXT_GENERATOR };

static QnStatus infer_step(QnInfer *in)
{
    const QnShape *sequences = qn_infer_shape(in, QN_STEP_SEQUENCES);
    QN_TRY(qn_infer_want_rank(in, QN_STEP_SEQUENCES, 2));
    const QnDim batch = sequences ? sequences->dims[0] : qn_infer_fresh(in);
    const QnDim most = sequences ? sequences->dims[1] : qn_infer_fresh(in);
    const QnDim vocab = qn_score_rules_vocab(in);
    QN_TRY(qn_score_rules_infer(in, batch, batch));
    QN_TRY(qn_infer_want_shape(in, PRESENCE_MASK, 2, (QnDim[]){batch, vocab}));
    QN_TRY(qn_infer_tensor(in, NEXT_IDS, QN_INT32, &(QnShape){.rank = 2, .dims = {batch, 1}}));
    QN_TRY(qn_infer_tensor(in, NEXT_SEQUENCES, QN_INT32,
                           &(QnShape){.rank = 2, .dims = {batch, most}}));
    QN_TRY(qn_infer_tensor(in, NEXT_PROGRESS, QN_INT32, &(QnShape){.rank = 2, .dims = {batch, 2}}));
    QN_TRY(qn_infer_tensor(in, GOES_ON, QN_BOOL, &(QnShape){.rank = 0}));
    return qn_infer_tensor(in, NEXT_GENERATOR, QN_INT64, &(QnShape){.rank = 1, .dims = {1}});
}

/* ---- the generator ---- */

enum { MODULUS = 2147483647 };

/* A seed as a state: states stay as they are. */
static int64_t first_state(int64_t seed)
{
    const int64_t state = (int64_t)((uint32_t)seed % MODULUS);
    return state ? state : 1;
}

static int64_t next_state(int64_t state)
{
    return state * 16807 % MODULUS;
}

/* In [0, 1); moves the state on by two. */
static double draw(int64_t *state)
{
    const double range = MODULUS - 1;
    const int64_t low = *state = next_state(*state), high = *state = next_state(*state);
    const double drawn = ((double)(low - 1) + (double)(high - 1) * range) / (range * range);
    return drawn < 1 ? drawn : nextafter(1, 0);
}

/* ---- sampling ---- */

typedef struct Item {
    float score;
    int32_t token;
} Item;

static int rising(const void *a, const void *b)
{
    const Item *x = a, *y = b;
    if (x->score != y->score)
        return x->score < y->score ? -1 : 1;
    return x->token < y->token ? -1 : x->token > y->token;
}

static int falling(const void *a, const void *b)
{
    const Item *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->token < y->token ? -1 : x->token > y->token;
}

typedef struct Step {
    const QnCall *call;
    QnScoreRules rules;
    bool is_sampled, is_custom;
    float top_p, filter_value;
    int64_t least_kept;
    int64_t state; /* of the generator */
    float *scores; /* [vocab] of the row at work */
    Item *items;   /* [vocab] the same, sorted */
    float *sums;   /* [vocab] of the sorted probabilities up to each */
} Step;

/* The probabilities of the sorted scores, summed up. */
static void sum_probabilities(Step *s)
{
    const int64_t vocab = s->rules.vocab;
    double max = -INFINITY, sum = 0;
    float running = 0;
    for (int64_t i = 0; i < vocab; i++)
        max = fmax(max, (double)s->items[i].score);
    for (int64_t i = 0; i < vocab; i++)
        sum += exp((double)s->items[i].score - max);
    for (int64_t i = 0; i < vocab; i++)
        s->sums[i] = running += (float)(exp((double)s->items[i].score - max) / sum);
}

/* From the likeliest on: what comes after top_p is reached goes. */
static void filter_custom(Step *s)
{
    for (int64_t i = 0; i + 1 < s->rules.vocab; i++)
        if (s->sums[i] > s->top_p)
            s->scores[s->items[i + 1].token] = s->filter_value;
}

/* From the unlikeliest on: what together makes no more than 1 - top_p goes. */
static void filter_usual(Step *s)
{
    for (int64_t i = 0; i < s->rules.vocab && (i == 0 || i < s->rules.vocab - s->least_kept); i++)
        if (s->sums[i] <= 1 - s->top_p)
            s->scores[s->items[i].token] = s->filter_value;
}

/* One token, drawn from the probabilities that the scores stand for. */
static int64_t draw_token(Step *s, double at)
{
    const int64_t vocab = s->rules.vocab;
    double max = -INFINITY, sum = 0, running = 0;
    int64_t last = 0;
    for (int64_t i = 0; i < vocab; i++)
        if (isfinite(s->scores[i]))
            max = fmax(max, (double)s->scores[i]);
    for (int64_t i = 0; i < vocab; i++)
        sum += isfinite(s->scores[i]) ? exp((double)s->scores[i] - max) : 0;
    for (int64_t i = 0; i < vocab; i++) {
        if (!isfinite(s->scores[i]))
            continue;
        last = i;
        running += exp((double)s->scores[i] - max);
        if (running > at * sum)
            break;
    }
    return last;
}

static int64_t sample(Step *s)
{
    for (int64_t i = 0; i < s->rules.vocab; i++)
        s->items[i] = (Item){s->scores[i], (int32_t)i};
    qn_sort(s->items, (size_t)s->rules.vocab, sizeof *s->items, s->is_custom ? falling : rising);
    sum_probabilities(s);
    if (s->is_custom)
        filter_custom(s);
    else
        filter_usual(s);
    return draw_token(s, draw(&s->state));
}

static int64_t likeliest(const Step *s)
{
    int64_t best = 0;
    for (int64_t i = 1; i < s->rules.vocab; i++)
        if (s->scores[i] > s->scores[best] || isnan(s->scores[best]))
            best = i;
    return best;
}

/* ---- a step ---- */

static QnStatus step_row(Step *s, int64_t row, bool *is_done)
{
    const QnCall *call = s->call;
    const QnTensor *sequences = qn_call_input(call, QN_STEP_SEQUENCES);
    const int64_t at = row * s->rules.most + s->rules.length;
    QN_TRY(qn_call_poll(call));
    qn_score_rules_logits(&s->rules, qn_call_input(call, QN_STEP_LOGITS), row, false, s->scores);
    qn_score_rules_apply(&s->rules, sequences, row, row, s->scores);
    int64_t token = s->is_sampled ? sample(s) : likeliest(s);
    *is_done = qn_tensor_get_int(qn_call_input(call, QN_STEP_PROGRESS), 2 * row + 1) != 0 ||
               token == s->rules.eos;
    if (*is_done)
        token = s->rules.pad;
    qn_score_rules_put(call, NEXT_SEQUENCES, at, token);
    qn_score_rules_put(call, NEXT_IDS, row, token);
    qn_score_rules_put(call, NEXT_PROGRESS, 2 * row + 1, *is_done);
    return QN_OK;
}

/* Without a seed the numbers go on from the generator of the run. */
static int64_t read_state(const QnCall *call)
{
    const QnTensor *state = qn_call_input(call, GENERATOR);
    if (state && qn_tensor_count(state) > 0)
        return first_state(qn_tensor_get_int(state, 0));
    QnRandom random = {.seed = 0};
    memcpy(random.state, call->random, sizeof random.state);
    const int64_t seed = (int64_t)qn_random_u64(&random);
    memcpy(call->random, random.state, sizeof random.state);
    return first_state(seed);
}

static QnStatus init_step(Step *s, const QnCall *call)
{
    *s = (Step){.call = call,
                .is_sampled = qn_op_int(call->node, "is_sampled") != 0,
                .is_custom = qn_op_int(call->node, "custom") != 0,
                .top_p = (float)qn_op_float(call->node, "top_p"),
                .filter_value = (float)qn_op_float(call->node, "filter_value"),
                .least_kept = qn_op_int(call->node, "min_tokens_to_keep")};
    QN_TRY(qn_score_rules_read(call, &s->rules));
    s->rules.temperature = (float)qn_op_float(call->node, "temperature");
    s->rules.presence_penalty = (float)qn_op_float(call->node, "presence_penalty");
    s->rules.presence_mask = qn_call_input(call, PRESENCE_MASK);
    if (s->is_sampled)
        s->state = read_state(call);
    QN_ALLOC(s->scores, call->scratch, s->rules.vocab);
    QN_ALLOC(s->items, call->scratch, s->rules.vocab);
    QN_ALLOC(s->sums, call->scratch, s->rules.vocab);
    QnTensor unused;
    QN_TRY(qn_score_rules_state(call, QN_STEP_SEQUENCES, NEXT_SEQUENCES, &unused));
    return qn_score_rules_state(call, QN_STEP_PROGRESS, NEXT_PROGRESS, &unused);
}

static QnStatus step(const QnCall *call)
{
    Step s;
    bool goes_on = false;
    QN_TRY(init_step(&s, call));
    const int64_t rows = qn_call_input(call, QN_STEP_SEQUENCES)->dims[0];
    for (int64_t row = 0; row < rows; row++) {
        bool is_done;
        QN_TRY(step_row(&s, row, &is_done));
        goes_on = goes_on || !is_done;
    }
    qn_score_rules_put(call, GOES_ON, 0, goes_on);
    qn_score_rules_put(call, NEXT_GENERATOR, 0, s.state);
    return QN_OK;
}

static const QnOpAttribute attributes[] = {QN_STEP_ATTRIBUTES,
                                           {"is_sampled", QN_ATTRIBUTE_INT},
                                           {"custom", QN_ATTRIBUTE_INT},
                                           {"temperature", QN_ATTRIBUTE_FLOAT, .f = 1},
                                           {"top_p", QN_ATTRIBUTE_FLOAT, .f = 0},
                                           {"filter_value", QN_ATTRIBUTE_FLOAT, .f = -1e20},
                                           {"min_tokens_to_keep", QN_ATTRIBUTE_INT, .i = 0},
                                           {"presence_penalty", QN_ATTRIBUTE_FLOAT, .f = 0},
                                           {0}};

const QnOp qn_ops_next_token[] = {
    {.name = "TokenStep",
     .domain = "quern",
     .since = 1,
     .inputs = QN_STEP_INPUTS ", presence_mask?: integer, generator?: int64",
     .outputs = "ids: int32, sequences: int32, progress: int32, goes_on: bool, generator?: int64",
     .attributes = attributes,
     .traits = QN_OP_RANDOM,
     .infer = infer_step,
     .reference = step},
    {0},
};
