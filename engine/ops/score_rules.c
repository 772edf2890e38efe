/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rules that lower scores, one function each, and the table of their order.
 *
 * Scores are float as in ONNX Runtime: adding a beam's score to the lowest float leaves it the
 * lowest, and which of the forbidden tokens fills a beam depends on that.
 */
#include "engine/ops/score_rules.h"

#include <float.h>
#include <math.h>

/* ---- the rules ---- */

static bool is_token(const QnScoreRules *rules, int64_t token)
{
    return token >= 0 && token < rules->vocab;
}

/* Tokens that the sequence has: each once, however often it stands there. */
static void punish_repetition(const QnScoreRules *rules, int64_t item, float *scores)
{
    const float penalty = rules->repetition_penalty;
    (void)item;
    if (penalty == 1.0f)
        return;
    memset(rules->is_seen, 0, (size_t)rules->vocab * sizeof *rules->is_seen);
    for (int64_t i = 0; i < rules->length; i++) {
        const int64_t token = rules->sequence[i];
        if (!is_token(rules, token) || rules->is_seen[token])
            continue;
        rules->is_seen[token] = true;
        scores[token] = scores[token] < 0 ? scores[token] * penalty : scores[token] / penalty;
    }
}

/* Tokens that would end a run of ngram tokens which the sequence has already. */
static void forbid_ngrams(const QnScoreRules *rules, int64_t item, float *scores)
{
    const int64_t n = rules->ngram, length = rules->length;
    (void)item;
    if (n <= 0 || n > length)
        return;
    const int64_t *last = rules->sequence + length - (n - 1);
    for (int64_t i = 0; i + n <= length; i++) {
        const int64_t *here = rules->sequence + i, token = here[n - 1];
        if (is_token(rules, token) && !memcmp(here, last, (size_t)(n - 1) * sizeof *here))
            scores[token] = -FLT_MAX;
    }
}

/* Tokens where the mask's row has a zero. */
static void forbid_masked(const QnScoreRules *rules, const QnTensor *mask, int64_t row,
                          float *scores)
{
    for (int64_t i = 0; i < rules->vocab; i++)
        if (qn_tensor_get_int(mask, row * rules->vocab + i) == 0)
            scores[i] = -FLT_MAX;
}

static void apply_vocab_mask(const QnScoreRules *rules, int64_t item, float *scores)
{
    (void)item;
    if (rules->vocab_mask)
        forbid_masked(rules, rules->vocab_mask, 0, scores);
}

/* Of the first step only. */
static void apply_prefix_mask(const QnScoreRules *rules, int64_t item, float *scores)
{
    if (rules->prefix_mask && rules->length == rules->prompt)
        forbid_masked(rules, rules->prefix_mask, item, scores);
}

static void forbid_early_end(const QnScoreRules *rules, int64_t item, float *scores)
{
    (void)item;
    if (rules->length < rules->min_length && is_token(rules, rules->eos))
        scores[rules->eos] = -FLT_MAX;
}

static void divide_by_temperature(const QnScoreRules *rules, int64_t item, float *scores)
{
    (void)item;
    if (rules->temperature > 0 && rules->temperature != 1.0f)
        for (int64_t i = 0; i < rules->vocab; i++)
            scores[i] /= rules->temperature;
}

static void punish_presence(const QnScoreRules *rules, int64_t item, float *scores)
{
    if (!rules->presence_mask || rules->presence_penalty == 0)
        return;
    for (int64_t i = 0; i < rules->vocab; i++)
        scores[i] -= (float)qn_tensor_get_int(rules->presence_mask, item * rules->vocab + i) *
                     rules->presence_penalty;
}

/* ---- Whisper's times: pairs, each not before the one in front of it ---- */

enum { LAST_FIRST_TIME = 50 }; /* the first one is within the first second, in steps of 1/50 s */

static void forbid(const QnScoreRules *rules, int64_t first, int64_t end, float *scores)
{
    for (int64_t i = first < 0 ? 0 : first; i < end && i < rules->vocab; i++)
        scores[i] = -FLT_MAX;
}

static void forbid_one(const QnScoreRules *rules, int64_t token, float *scores)
{
    if (is_token(rules, token))
        scores[token] = -FLT_MAX;
}

/* Is the likelihood of all times together above that of each other token?  Then it is a time. */
static void prefer_times(const QnScoreRules *rules, float *scores)
{
    const int64_t first = rules->times->first_time;
    float most_time = -FLT_MAX, most_text = -FLT_MAX, sum = 0;
    if (first <= 0 || first >= rules->vocab)
        return;
    for (int64_t i = 0; i < first; i++)
        most_text = fmaxf(most_text, scores[i]);
    for (int64_t i = first; i < rules->vocab; i++)
        most_time = fmaxf(most_time, scores[i]);
    for (int64_t i = first; i < rules->vocab; i++)
        if (scores[i] > -FLT_MAX)
            sum += expf(scores[i] - most_time);
    if (sum > 0 && logf(sum) + most_time > most_text)
        forbid(rules, 0, first, scores);
}

static void order_times(const QnScoreRules *rules, int64_t item, float *scores)
{
    const QnTimes *times = rules->times;
    const int64_t length = rules->length, *sequence = rules->sequence;
    int64_t begin = 0, last_time = -1;
    (void)item;
    if (!times)
        return;
    while (begin < length && sequence[begin++] < times->first_time)
        continue;
    for (int64_t i = 0; i < length; i++)
        if (sequence[i] >= times->first_time)
            last_time = sequence[i];
    const bool was_time = length > 0 && sequence[length - 1] >= times->first_time;
    const bool was_pair = length <= begin || sequence[length - 2] >= times->first_time;
    forbid_one(rules, times->no_times, scores);
    forbid_one(rules, times->start_of_lm, scores);
    if (length > begin) {
        forbid_one(rules, times->start, scores);
        forbid_one(rules, times->translate, scores);
        forbid_one(rules, times->transcribe, scores);
    }
    if (was_time && was_pair)
        forbid(rules, times->first_time, rules->vocab, scores);
    else if (was_time)
        forbid(rules, 0, rules->eos, scores);
    if (last_time >= 0)
        forbid(rules, times->first_time, last_time + !(was_time && !was_pair), scores);
    if (length == begin)
        forbid(rules, times->first_time + LAST_FIRST_TIME + 1, rules->vocab, scores);
    prefer_times(rules, scores);
}

/* ---- all of them ---- */

static void (*const order[])(const QnScoreRules *rules, int64_t item, float *scores) = {
    punish_repetition, forbid_ngrams,         apply_vocab_mask, apply_prefix_mask,
    forbid_early_end,  divide_by_temperature, punish_presence,  order_times};

void qn_score_rules_apply(const QnScoreRules *rules, const QnTensor *sequences, int64_t row,
                          int64_t item, float *scores)
{
    qn_tensor_read_row_int(sequences, row * rules->most, 1, rules->length, rules->sequence);
    for (size_t i = 0; i < QN_COUNT_OF(order); i++)
        order[i](rules, item, scores);
}

void qn_score_rules_logits(const QnScoreRules *rules, const QnTensor *logits, int64_t row,
                           bool as_log, float *scores)
{
    const int64_t width = logits->dims[2], first = ((row + 1) * logits->dims[1] - 1) * width;
    float max = -INFINITY;
    double sum = 0;
    qn_tensor_read_row(logits, first, 1, rules->vocab, rules->row);
    for (int64_t i = 0; i < rules->vocab; i++)
        scores[i] = (float)rules->row[i];
    if (!as_log)
        return;
    for (int64_t i = 0; i < rules->vocab; i++)
        max = scores[i] > max ? scores[i] : max;
    for (int64_t i = 0; i < rules->vocab; i++)
        sum += (double)expf(scores[i] - max);
    const double shift = (double)max + log(sum);
    for (int64_t i = 0; i < rules->vocab; i++)
        scores[i] = (float)((double)scores[i] - shift);
}

/* ---- inference ---- */

QnStatus qn_score_rules_want_type(const QnInfer *in, int i, QnType type)
{
    const QnType own = qn_infer_element(in, i);
    if (own != QN_UNDEFINED && own != type)
        return qn_infer_fail(in, "input %d is of %s, expected %s", i, qn_type_name(own),
                             qn_type_name(type));
    return QN_OK;
}

QnDim qn_score_rules_vocab(QnInfer *in)
{
    const QnShape *logits = qn_infer_shape(in, QN_STEP_LOGITS);
    const int64_t given = qn_op_int(in->node, "vocab_size");
    if (given > 0)
        return given;
    return logits && logits->rank == 3 ? logits->dims[2] : qn_infer_fresh(in);
}

static QnStatus check_logits(const QnInfer *in, QnDim rows, QnDim batch)
{
    const QnShape *logits = qn_infer_shape(in, QN_STEP_LOGITS);
    const int64_t given = qn_op_int(in->node, "vocab_size");
    QN_TRY(qn_infer_want_rank(in, QN_STEP_LOGITS, 3));
    if (!logits)
        return QN_OK;
    const QnDim own = logits->dims[0], width = logits->dims[2];
    if (qn_dim_is_known(own) && qn_dim_is_known(rows) && qn_dim_is_known(batch) && own != rows &&
        own != batch)
        return qn_infer_fail(in, "the logits have %lld rows, expected %lld or %lld", (long long)own,
                             (long long)rows, (long long)batch);
    if (qn_dim_is_known(width) && (width < 2 || given > width))
        return qn_infer_fail(in, "the logits are of %lld tokens, expected %lld at least",
                             (long long)width, (long long)(given > 2 ? given : 2));
    if (logits->dims[1] == 0)
        return qn_infer_fail(in, "the logits are of no position, expected 1 at least");
    return QN_OK;
}

QnStatus qn_score_rules_infer(QnInfer *in, QnDim rows, QnDim batch)
{
    const QnDim vocab = qn_score_rules_vocab(in);
    const QnShape *sequences = qn_infer_shape(in, QN_STEP_SEQUENCES);
    QN_TRY(qn_infer_want_rank(in, QN_STEP_SEQUENCES, 2));
    if (sequences)
        QN_TRY(qn_infer_want_dim(in, QN_STEP_SEQUENCES, 0, rows));
    QN_TRY(check_logits(in, rows, batch));
    QN_TRY(qn_score_rules_want_type(in, QN_STEP_SEQUENCES, QN_INT32));
    QN_TRY(qn_score_rules_want_type(in, QN_STEP_PROGRESS, QN_INT32));
    QN_TRY(qn_infer_want_shape(in, QN_STEP_PROGRESS, 2, (QnDim[]){batch, 2}));
    QN_TRY(qn_infer_want_shape(in, QN_STEP_VOCAB_MASK, 1, &vocab));
    return qn_infer_want_shape(in, QN_STEP_PREFIX_VOCAB_MASK, 2, (QnDim[]){batch, vocab});
}

/* ---- reading a call ---- */

static const QnTensor *find_number(const QnCall *call, int i)
{
    const QnTensor *tensor = qn_call_input(call, i);
    return tensor && qn_tensor_count(tensor) > 0 ? tensor : NULL;
}

QnStatus qn_score_rules_read(const QnCall *call, QnScoreRules *rules)
{
    const QnTensor *logits = qn_call_input(call, QN_STEP_LOGITS),
                   *length = find_number(call, QN_STEP_LENGTH),
                   *prompt = find_number(call, QN_STEP_PROMPT),
                   *least = find_number(call, QN_STEP_MIN_LENGTH),
                   *penalty = find_number(call, QN_STEP_REPETITION_PENALTY);
    const int64_t vocab = qn_op_int(call->node, "vocab_size");
    *rules = (QnScoreRules){.vocab = vocab > 0 ? vocab : logits->dims[2],
                            .length = length ? qn_tensor_get_int(length, 0) : 0,
                            .prompt = prompt ? qn_tensor_get_int(prompt, 0) : 0,
                            .most = qn_call_input(call, QN_STEP_SEQUENCES)->dims[1],
                            .eos = qn_op_int(call->node, "eos_token_id"),
                            .pad = qn_op_int(call->node, "pad_token_id"),
                            .ngram = qn_op_int(call->node, "no_repeat_ngram_size"),
                            .min_length = least ? qn_tensor_get_int(least, 0) : 0,
                            .repetition_penalty = penalty ? (float)qn_tensor_get(penalty, 0) : 1,
                            .temperature = 1,
                            .vocab_mask = qn_call_input(call, QN_STEP_VOCAB_MASK),
                            .prefix_mask = qn_call_input(call, QN_STEP_PREFIX_VOCAB_MASK)};
    if (rules->length < 0 || rules->length >= rules->most)
        return qn_call_fail(call, "the sequences hold %lld tokens, expected 0 to %lld",
                            (long long)rules->length, (long long)rules->most - 1);
    if (!(rules->repetition_penalty > 0))
        return qn_call_fail(call, "repetition_penalty is %g, expected above 0",
                            (double)rules->repetition_penalty);
    QN_ALLOC(rules->is_seen, call->scratch, rules->vocab);
    QN_ALLOC(rules->row, call->scratch, rules->vocab);
    QN_ALLOC(rules->sequence, call->scratch, rules->most);
    return QN_OK;
}

/* ---- states and results ---- */

QnStatus qn_score_rules_state(const QnCall *call, int from, int to, QnTensor *out)
{
    const QnTensor *state = qn_call_input(call, from);
    if (qn_call_wants(call, to)) {
        *out = *qn_call_result(call, to);
    } else {
        char *data;
        QN_ALLOC(data, call->scratch, (size_t)qn_tensor_count(state) * qn_type_size(state->type));
        *out = qn_tensor(state->type, state->rank, state->dims, data);
    }
    return qn_call_copy(call, state, out);
}

void qn_score_rules_put(const QnCall *call, int i, int64_t at, int64_t value)
{
    if (qn_call_wants(call, i))
        qn_tensor_set_int(qn_call_result(call, i), at, value);
}

void qn_score_rules_put_float(const QnCall *call, int i, int64_t at, float value)
{
    if (qn_call_wants(call, i))
        qn_tensor_set(qn_call_result(call, i), at, (double)value);
}
