/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SearchStart: what a search for the most likely continuations begins with.
 *
 * Each of `batch` prompts becomes `beams` sequences, rows that lie next to each other.  The first
 * one of each prompt starts with the score 0, the others so low that the first step takes all from
 * the first.  A hypothesis is a sequence that has ended: its length, then its tokens.
 *
 *     prompt [batch, length], max_length, num_beams; a mask of the prompt's shape, which is checked
 *         rows          [batch * beams]            the prompt of each sequence
 *         sequences     [batch * beams, most]      the prompts, then padding
 *         scores        [batch * beams]
 *         found         [batch, beams, 1 + most]   hypotheses: none
 *         found_scores  [batch, beams]
 *         progress      [batch, 2]                 hypotheses found, whether the search is over
 *         length, steps                            scalars: of the prompts, and what is left
 */
#include "engine/ops/score_rules.h"

enum { PROMPT, MAX_LENGTH, NUM_BEAMS, MASK };
enum { ROWS, SEQUENCES, SCORES, FOUND, FOUND_SCORES, PROGRESS, LENGTH, STEPS };

/* As in ONNX Runtime: they bound what a request can ask for. */
enum { MOST_TOKENS = 4096, MOST_BEAMS = 128 };

static const float unlikely = -1e9f;

/* ---- inference ---- */

/* Input i as a number in [low, high]:
 * `absent` where it is not there, a symbol where it is not known. */
static QnStatus read_count(QnInfer *in, int i, const char *name, int64_t low, int64_t high,
                           int64_t absent, QnDim *out)
{
    int64_t number;
    if (!qn_infer_has(in, i)) {
        *out = absent;
        return QN_OK;
    }
    const int count = qn_infer_ints(in, i, out, 1);
    if (count != 1)
        *out = qn_infer_fresh(in);
    if (count == 1 && qn_dim_constant(in->dims, *out, &number) && (number < low || number > high))
        return qn_infer_fail(in, "%s is %lld, expected %lld to %lld", name, (long long)number,
                             (long long)low, (long long)high);
    return QN_OK;
}

static QnStatus infer_start(QnInfer *in)
{
    const QnShape *prompt = qn_infer_shape(in, PROMPT);
    QnDim beams, most;
    QN_TRY(qn_infer_want_rank(in, PROMPT, 2));
    const QnDim batch = prompt ? prompt->dims[0] : qn_infer_fresh(in);
    const QnDim length = prompt ? prompt->dims[1] : qn_infer_fresh(in);
    if (prompt)
        QN_TRY(qn_infer_want_shape(in, MASK, 2, prompt->dims));
    const int64_t least = qn_dim_is_known(length) ? length + 1 : 1;
    QN_TRY(read_count(in, MAX_LENGTH, "max_length", least, MOST_TOKENS, MOST_TOKENS, &most));
    QN_TRY(read_count(in, NUM_BEAMS, "num_beams", 1, MOST_BEAMS, 1, &beams));
    const QnDim rows = qn_dim_mul(in->dims, batch, beams);
    const QnDim room = qn_dim_add(in->dims, most, 1), steps = qn_dim_sub(in->dims, most, length);
    const QnShape shapes[] = {
        [ROWS] = {.rank = 1, .dims = {rows}},
        [SEQUENCES] = {.rank = 2, .dims = {rows, most}},
        [SCORES] = {.rank = 1, .dims = {rows}},
        [FOUND] = {.rank = 3, .dims = {batch, beams, room}},
        [FOUND_SCORES] = {.rank = 2, .dims = {batch, beams}},
        [PROGRESS] = {.rank = 2, .dims = {batch, 2}},
        [LENGTH] = {.rank = 0},
        [STEPS] = {.rank = 0},
    };
    static const QnType types[] = {
        [ROWS] = QN_INT64,         [SEQUENCES] = QN_INT32, [SCORES] = QN_FLOAT, [FOUND] = QN_INT32,
        [FOUND_SCORES] = QN_FLOAT, [PROGRESS] = QN_INT32,  [LENGTH] = QN_INT64, [STEPS] = QN_INT64};
    for (int i = 0; i < (int)QN_COUNT_OF(shapes); i++)
        QN_TRY(qn_infer_tensor(in, i, types[i], &shapes[i]));
    QN_TRY(qn_infer_content(in, LENGTH, &length, 1));
    return qn_infer_content(in, STEPS, &steps, 1);
}

/* ---- computing ---- */

static void fill(const QnCall *call, int i, int64_t value)
{
    const int64_t count = qn_call_wants(call, i) ? qn_tensor_count(qn_call_result(call, i)) : 0;
    for (int64_t k = 0; k < count; k++)
        qn_score_rules_put(call, i, k, value);
}

static int64_t number_of(const QnCall *call, int i, int64_t absent)
{
    const QnTensor *number = qn_call_input(call, i);
    return number && qn_tensor_count(number) > 0 ? qn_tensor_get_int(number, 0) : absent;
}

static QnStatus start(const QnCall *call)
{
    const QnTensor *prompt = qn_call_input(call, PROMPT);
    const int64_t batch = prompt->dims[0], length = prompt->dims[1];
    const int64_t beams = number_of(call, NUM_BEAMS, 1);
    const int64_t most = number_of(call, MAX_LENGTH, MOST_TOKENS);
    fill(call, SEQUENCES, qn_op_int(call->node, "pad_token_id"));
    fill(call, FOUND, 0);
    fill(call, FOUND_SCORES, 0);
    fill(call, PROGRESS, 0);
    for (int64_t row = 0; row < batch * beams; row++) {
        const int64_t item = row / beams;
        QN_TRY(qn_call_poll(call));
        for (int64_t i = 0; i < length; i++)
            qn_score_rules_put(call, SEQUENCES, row * most + i,
                               qn_tensor_get_int(prompt, item * length + i));
        qn_score_rules_put(call, ROWS, row, item);
        qn_score_rules_put_float(call, SCORES, row, row % beams ? unlikely : 0);
    }
    qn_score_rules_put(call, LENGTH, 0, length);
    qn_score_rules_put(call, STEPS, 0, most - length);
    return QN_OK;
}

static const QnOpAttribute attributes[] = {{"pad_token_id", QN_ATTRIBUTE_INT}, {0}};

const QnOp qn_ops_search[] = {
    {.name = "SearchStart",
     .domain = "quern",
     .since = 1,
     .inputs = "prompt: int32, max_length?: integer, num_beams?: integer, mask?: integer",
     .outputs = "rows: int64, sequences: int32, scores?: float, found?: int32, "
                "found_scores: float, progress: int32, length: int64, steps: int64",
     .attributes = attributes,
     .infer = infer_start,
     .reference = start},
    {0},
};
