/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Help for decoding text, of com.microsoft: NGramRepeatBlock forbids tokens that would repeat an
 * n-gram, BifurcationDetector takes over predicted tokens as far as the source agrees, and
 * DynamicTimeWarping finds the cheapest way through a matrix of costs.
 */
#include <math.h>

#include "engine/ops/op.h"

/* All elements, in scratch memory. */
static QnStatus read_ints(const QnCall *call, const QnTensor *tensor, int64_t **out)
{
    const int64_t count = qn_tensor_count(tensor);
    QN_ALLOC(*out, call->scratch, count);
    qn_tensor_read_row_int(tensor, 0, 1, count, *out);
    return QN_OK;
}

/* ---- NGramRepeatBlock ---- */

static QnStatus infer_block(QnInfer *in)
{
    const QnShape *ids = qn_infer_shape(in, 0), *scores = qn_infer_shape(in, 1);
    const int64_t size = qn_op_int(in->node, "ngram_size");
    if (size < 1)
        return qn_infer_fail(in, "ngram_size is %lld, expected 1 at least", (long long)size);
    QN_TRY(qn_infer_want_rank(in, 0, 2));
    QN_TRY(qn_infer_want_rank(in, 1, 2));
    if (ids && scores && qn_dim_is_known(ids->dims[0]) && qn_dim_is_known(scores->dims[0]) &&
        ids->dims[0] != scores->dims[0])
        return qn_infer_fail(in, "there are %lld rows of tokens and %lld of scores",
                             (long long)ids->dims[0], (long long)scores->dims[0]);
    return scores ? qn_infer_tensor(in, 0, qn_infer_element(in, 1), scores)
                  : qn_infer_unknown(in, 0, qn_infer_element(in, 1), 2);
}

/* Does the n-gram at `at` begin with the last n - 1 tokens?  tokens: [length] */
static bool is_repeated(const int64_t *tokens, int64_t length, int64_t at, int64_t n)
{
    for (int64_t i = 0; i < n - 1; i++)
        if (tokens[at + i] != tokens[length + 1 - n + i])
            return false;
    return true;
}

static QnStatus block(const QnCall *call)
{
    const QnTensor *ids = qn_call_input(call, 0), *scores = qn_call_input(call, 1);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t n = qn_op_int(call->node, "ngram_size"), length = ids->dims[1];
    const int64_t vocabulary = scores->dims[1];
    int64_t *all;
    QN_TRY(read_ints(call, ids, &all));
    QN_TRY(qn_call_copy(call, scores, y));
    for (int64_t b = 0; b < ids->dims[0]; b++) {
        const int64_t *tokens = all + b * length;
        QN_TRY(qn_call_poll(call));
        for (int64_t at = 0; at <= length - n; at++) {
            const int64_t token = tokens[at + n - 1];
            if (!is_repeated(tokens, length, at, n))
                continue;
            if (token < 0 || token >= vocabulary)
                return qn_call_fail(call, "token %lld is %lld, expected 0 to %lld",
                                    (long long)(at + n - 1), (long long)token,
                                    (long long)vocabulary - 1);
            qn_tensor_set(y, b * vocabulary + token, -INFINITY);
        }
    }
    return QN_OK;
}

static const QnOpAttribute block_attributes[] = {
    {"ngram_size", QN_ATTRIBUTE_INT, .is_required = true}, {0}};

/* ---- BifurcationDetector ---- */

static QnStatus infer_bifurcation(QnInfer *in)
{
    const int64_t least = qn_op_int(in->node, "min_ngram_size");
    const int64_t most = qn_op_int(in->node, "max_ngram_size");
    if (least < 1 || most < least)
        return qn_infer_fail(in, "n-grams have %lld to %lld tokens, expected 1 at least",
                             (long long)least, (long long)most);
    for (int i = 0; i < 4; i++)
        if (i != 2 && qn_infer_has(in, i))
            QN_TRY(qn_infer_want_rank(in, i, 1));
    const QnShape *index = qn_infer_shape(in, 2), *current = qn_infer_shape(in, 1);
    QnShape tokens = {.rank = 1, .dims = {qn_infer_fresh(in)}};
    if (current && !qn_infer_has(in, 3))
        tokens.dims[0] = current->dims[0];
    QN_TRY(qn_infer_tensor(in, 0, QN_INT64, &tokens));
    return index ? qn_infer_tensor(in, 1, QN_INT64, index) : qn_infer_unknown(in, 1, QN_INT64, -1);
}

/* Where `wanted` [n] stands in source [from, length), or -1. */
static int64_t search(const int64_t *source, int64_t from, int64_t length, const int64_t *wanted,
                      int64_t n)
{
    for (int64_t at = from; at + n <= length; at++)
        if (!memcmp(source + at, wanted, (size_t)n * sizeof *wanted))
            return at;
    return -1;
}

/* Behind the one n-gram of the source that the tokens end with: the longest that is there; -1:
 * none, or it is there more than once. */
static int64_t match_suffix(const QnCall *call, const int64_t *source, int64_t length,
                            const int64_t *tokens, int64_t count)
{
    const int64_t most = qn_op_int(call->node, "max_ngram_size");
    int64_t index = -1;
    for (int64_t n = qn_op_int(call->node, "min_ngram_size"); n <= most && n <= count; n++) {
        const int64_t at = search(source, 0, length, tokens + count - n, n);
        if (at < 0)
            break;
        index = at + n;
        if (index >= length)
            break;
        if (search(source, at + 1, length, tokens + count - n, n) >= 0)
            index = -1;
    }
    return index;
}

/* How many predicted tokens to take over: as many as agree with source [length], and one more. */
static QnStatus count_predicted(const QnCall *call, const int64_t *source, int64_t length,
                                int64_t *count)
{
    const QnTensor *index = qn_call_input(call, 2), *predicted = qn_call_input(call, 3);
    const int64_t from = qn_tensor_count(index) > 0 ? qn_tensor_get_int(index, 0) : -1;
    if (from < 0 || from > length)
        return qn_call_fail(call, "prev_suffix_match_idx is %lld, expected 0 to %lld",
                            (long long)from, (long long)length);
    if (predicted->dims[0] != length + 1 - from)
        return qn_call_fail(call, "there are %lld predicted tokens, expected %lld",
                            (long long)predicted->dims[0], (long long)(length + 1 - from));
    *count = 0;
    while (*count < length - from && qn_tensor_get_int(predicted, *count) == source[from + *count])
        ++*count;
    ++*count;
    return QN_OK;
}

static QnStatus detect_bifurcation(const QnCall *call)
{
    const QnTensor *current = qn_call_input(call, 1), *index = qn_call_input(call, 2);
    const QnTensor *predicted = qn_call_input(call, 3);
    const int64_t length = qn_call_input(call, 0)->dims[0];
    int64_t count = 0, *source, *to;
    QnTensor *tokens, *suffix;
    QN_TRY(read_ints(call, qn_call_input(call, 0), &source));
    if (predicted)
        QN_TRY(count_predicted(call, source, length, &count));
    const int64_t total = current->dims[0] + count;
    QN_ALLOC(to, call->scratch, total);
    qn_tensor_read_row_int(current, 0, 1, current->dims[0], to);
    if (count > 0)
        qn_tensor_read_row_int(predicted, 0, 1, count, to + current->dims[0]);
    if (qn_call_wants(call, 0)) {
        QN_TRY(qn_call_output(call, 0, QN_INT64, 1, &total, &tokens));
        qn_tensor_write_row_int(tokens, 0, 1, total, to);
    }
    if (qn_call_wants(call, 1)) {
        QN_TRY(qn_call_output(call, 1, QN_INT64, index->rank, index->dims, &suffix));
        const int64_t found = match_suffix(call, source, length, to, total);
        for (int64_t i = 0; i < qn_tensor_count(suffix); i++)
            qn_tensor_set_int(suffix, i, found);
    }
    return QN_OK;
}

static const QnOpAttribute bifurcation_attributes[] = {
    {"max_ngram_size", QN_ATTRIBUTE_INT, .i = 3},
    {"min_ngram_size", QN_ATTRIBUTE_INT, .i = 1},
    {0},
};

/* ---- DynamicTimeWarping ---- */

static QnStatus infer_warping(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    if (x && x->rank != 2 && x->rank != 3)
        return qn_infer_fail(in, "input 0 has rank %d, expected 2 or 3", x->rank);
    if (x && x->rank == 3 && qn_dim_is_known(x->dims[0]) && x->dims[0] != 1)
        return qn_infer_fail(in, "there are %lld matrices, expected 1", (long long)x->dims[0]);
    const QnShape y = {.rank = 2, .dims = {2, qn_infer_fresh(in)}};
    return qn_infer_tensor(in, 0, QN_INT32, &y);
}

typedef enum Move { DIAGONAL, UP, LEFT } Move;

/* Of the ways to come from, with these costs so far, the one that alone is cheapest; else LEFT. */
static Move choose(double diagonal, double up, double left)
{
    if (diagonal < up && diagonal < left)
        return DIAGONAL;
    return up < diagonal && up < left ? UP : LEFT;
}

/* The moves [rows, columns] that lead to each cell; costs: [2 * (columns + 1)]. */
static QnStatus walk(const QnCall *call, const QnTensor *x, int64_t rows, int64_t columns,
                     double *costs, uint8_t *moves)
{
    double *before = costs, *row = costs + columns + 1;
    for (int64_t j = 0; j <= columns; j++)
        before[j] = j == 0 ? 0 : INFINITY;
    for (int64_t i = 0; i < rows; i++) {
        QN_TRY(qn_call_poll(call));
        row[0] = INFINITY;
        for (int64_t j = 0; j < columns; j++) {
            const Move move = choose(before[j], before[j + 1], row[j]);
            const double best = move == DIAGONAL ? before[j] : move == UP ? before[j + 1] : row[j];
            row[j + 1] = best + qn_tensor_get(x, i * columns + j);
            moves[i * columns + j] = (uint8_t)move;
        }
        double *t = before;
        before = row;
        row = t;
    }
    return QN_OK;
}

static QnStatus warp(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    const int64_t rows = x->dims[x->rank - 2], columns = x->dims[x->rank - 1];
    int64_t count = 0, dims[2] = {2, 0};
    double *costs;
    uint8_t *moves;
    int32_t *path;
    QnTensor *y;
    QN_ALLOC(costs, call->scratch, 2 * (columns + 1));
    QN_ALLOC(moves, call->scratch, rows * columns);
    QN_ALLOC(path, call->scratch, 2 * (rows + columns));
    QN_TRY(walk(call, x, rows, columns, costs, moves));
    for (int64_t i = rows - 1, j = columns - 1; i >= 0 && j >= 0; count++) {
        const Move move = moves[i * columns + j];
        path[2 * count] = (int32_t)i;
        path[2 * count + 1] = (int32_t)j;
        i -= move != LEFT;
        j -= move != UP;
    }
    dims[1] = count;
    QN_TRY(qn_call_output(call, 0, QN_INT32, 2, dims, &y));
    for (int64_t n = 0; n < count; n++)
        for (int d = 0; d < 2; d++)
            ((int32_t *)y->data)[d * count + n] = path[2 * (count - 1 - n) + d];
    return QN_OK;
}

#define MS(op) .name = (op), .domain = "com.microsoft", .since = 1

const QnOp qn_ops_decode[] = {
    {MS("BifurcationDetector"),
     .inputs = "src_tokens: int64, cur_tokens: int64, "
               "prev_suffix_match_idx: int64, pred_tokens?: int64",
     .outputs = "tokens: int64, suffix_match_idx: int64", .attributes = bifurcation_attributes,
     .traits = QN_OP_DYNAMIC, .infer = infer_bifurcation, .reference = detect_bifurcation},
    {MS("DynamicTimeWarping"), .inputs = "input: float", .outputs = "output: int32",
     .traits = QN_OP_DYNAMIC, .infer = infer_warping, .reference = warp},
    {MS("NGramRepeatBlock"), .inputs = "input_ids: int64, scores: float",
     .outputs = "scores_out: float", .attributes = block_attributes, .infer = infer_block,
     .reference = block},
    {0},
};
#undef MS
