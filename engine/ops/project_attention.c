/* SPDX-License-Identifier: Apache-2.0 */
/*
 * com.microsoft's Attention and QAttention: attention on what one product makes of the input.
 *
 *     [queries, keys, values] = input weights + bias      by columns; each is heads * size
 *
 * The cache of keys and values is one tensor [2, batch, heads, rows, size].  With
 * `past_present_share_buffer` it is a buffer that has room for more, and the new rows are written
 * into it from row `past_sequence_length` on.  QAttention's input and weights are integers with
 * scales and zero points.
 */
#include <math.h>

#include "base/checked.h"
#include "engine/ops/heads.h"
#include "engine/ops/key_mask.h"

/* Which input is what, -1: the operator has none. */
typedef struct Form {
    int bias, mask, past, score_bias, length, x_scale, w_scale, x_zero, w_zero;
} Form;

static const Form plain = {2, 3, 4, 5, 6, -1, -1, -1, -1};
static const Form quantized = {2, 5, 8, -1, -1, 3, 4, 6, 7};

enum { X, WEIGHTS };
enum { Y, PRESENT };

/* How many columns of the product are queries, keys and values. */
typedef struct Widths {
    int64_t all, q, k, v;
} Widths;

static const QnAttribute *given_widths(const QnNode *node)
{
    const QnAttribute *widths = qn_node_attribute(node, "qkv_hidden_sizes");
    return widths && widths->kind == QN_ATTRIBUTE_INTS && widths->count > 0 ? widths : NULL;
}

static Widths read_widths(const QnNode *node, int64_t all)
{
    const QnAttribute *given = given_widths(node);
    return given ? (Widths){all, given->ints[0], given->ints[1], given->ints[2]}
                 : (Widths){all, all / 3, all / 3, all / 3};
}

/* ---- inference ---- */

static QnStatus check_attributes(const QnInfer *in)
{
    const QnAttribute *given = given_widths(in->node);
    const int64_t heads = qn_op_int(in->node, "num_heads");
    if (heads < 1)
        return qn_infer_fail(in, "num_heads is %lld, expected 1 at least", (long long)heads);
    if (qn_op_int(in->node, "do_rotary") != 0)
        return qn_infer_fail(in, "do_rotary is 1, which needs RotaryEmbedding in front instead");
    if (given && given->count != 3)
        return qn_infer_fail(in, "qkv_hidden_sizes has %d numbers, expected 3", given->count);
    return QN_OK;
}

static QnStatus check_widths(const QnInfer *in, const Widths *w)
{
    const int64_t heads = qn_op_int(in->node, "num_heads");
    const int64_t parts[3] = {w->q, w->k, w->v};
    for (int i = 0; i < 3; i++)
        if (parts[i] < 0 || parts[i] > INT32_MAX || parts[i] % heads)
            return qn_infer_fail(in, "%lld columns of weights are not %lld heads",
                                 (long long)parts[i], (long long)heads);
    if (w->q != w->k)
        return qn_infer_fail(in, "queries have %lld columns of weights, keys %lld", (long long)w->q,
                             (long long)w->k);
    if (w->q + w->k + w->v != w->all)
        return qn_infer_fail(in, "the weights have %lld columns, expected %lld", (long long)w->all,
                             (long long)(w->q + w->k + w->v));
    return QN_OK;
}

static bool has(const QnInfer *in, int i)
{
    return i >= 0 && qn_infer_has(in, i);
}

/* Is the cache a buffer with room? */
static bool is_buffer(const QnNode *node)
{
    return qn_op_int(node, "past_present_share_buffer") != 0;
}

static QnStatus check_cache(const QnInfer *in, const Form *form, const QnShape *x, const Widths *w)
{
    const QnShape *past = qn_infer_shape(in, form->past);
    const int64_t heads = qn_op_int(in->node, "num_heads");
    if (has(in, form->past) && w->k != w->v)
        return qn_infer_fail(in,
                             "keys have %lld columns and values %lld, expected as many with a "
                             "cache",
                             (long long)w->k, (long long)w->v);
    if (has(in, form->past) && is_buffer(in->node) && !has(in, form->length))
        return qn_infer_fail(in, "past_present_share_buffer = 1 needs past_sequence_length");
    return past ? qn_infer_want_shape(in, form->past, 5,
                                      (const QnDim[]){2, x->dims[0], heads,
                                                      past->rank == 5 ? past->dims[3] : 0,
                                                      w->k / heads})
                : QN_OK;
}

/* How many keys there are in all. */
static QnDim total_keys(QnInfer *in, const Form *form, QnDim fresh)
{
    const QnShape *past = qn_infer_shape(in, form->past);
    QnDim length;
    if (!has(in, form->past))
        return fresh;
    if (is_buffer(in->node))
        return qn_infer_ints(in, form->length, &length, 1) == 1
                   ? qn_dim_add(in->dims, length, fresh)
                   : qn_infer_fresh(in);
    return past ? qn_dim_add(in->dims, past->dims[3], fresh) : qn_infer_fresh(in);
}

static QnStatus infer_sizes(QnInfer *in, const Form *form, const QnShape *x, const Widths *w)
{
    const int64_t heads = qn_op_int(in->node, "num_heads");
    const QnDim rows = x->dims[1], total = total_keys(in, form, rows);
    const QnDim scores[4] = {x->dims[0], heads, rows, total};
    const QnType type =
        qn_infer_element(in, form->bias < 0 || !has(in, form->bias) ? X : form->bias);
    QN_TRY(qn_infer_want_shape(in, form->bias, 1, &(QnDim){w->all}));
    QN_TRY(qn_key_mask_infer(in, form->mask, scores, true));
    if (form->score_bias >= 0)
        QN_TRY(qn_key_mask_infer_bias(in, form->score_bias, scores));
    QN_TRY(qn_infer_tensor(in, Y, type, &(QnShape){3, {x->dims[0], rows, w->v}}));
    if (has(in, form->past) && is_buffer(in->node))
        return qn_infer_output(in, PRESENT, qn_infer_type(in, form->past));
    return qn_infer_tensor(in, PRESENT, type,
                           &(QnShape){5, {2, x->dims[0], heads, total, w->k / heads}});
}

static QnStatus infer_projected(QnInfer *in, const Form *form)
{
    const QnShape *x = qn_infer_shape(in, X), *weights = qn_infer_shape(in, WEIGHTS);
    const QnType type = qn_infer_element(in, has(in, form->bias) ? form->bias : X);
    QN_TRY(check_attributes(in));
    QN_TRY(qn_infer_want_rank(in, X, 3));
    QN_TRY(qn_infer_want_rank(in, WEIGHTS, 2));
    if (!x || !weights || !qn_dim_is_known(weights->dims[1])) {
        QN_TRY(qn_infer_unknown(in, Y, type, 3));
        return qn_infer_unknown(in, PRESENT, type, 5);
    }
    const Widths w = read_widths(in->node, weights->dims[1]);
    QN_TRY(check_widths(in, &w));
    QN_TRY(qn_infer_want_dim(in, WEIGHTS, 0, x->dims[2]));
    QN_TRY(check_cache(in, form, x, &w));
    return infer_sizes(in, form, x, &w);
}

/* ---- computing ---- */

typedef struct Run {
    const QnCall *call;
    const Form *form;
    Widths w;
    int64_t batch, rows, heads, past;
    double *projected; /* [batch * rows, all] */
} Run;

static const QnTensor *input(const Run *run, int i)
{
    return i >= 0 ? qn_call_input(run->call, i) : NULL;
}

/* A scale or zero point: one for all columns, or one each; `otherwise` where it is absent. */
static double per_column(const QnTensor *x, int64_t column, double otherwise)
{
    return x ? qn_tensor_get(x, qn_tensor_count(x) > 1 ? column : 0) : otherwise;
}

/* Row r of the product, from a row of the input that is ready. */
static void project_row(const Run *run, const double *x, int64_t inner, const double *weights,
                        double *to)
{
    const QnTensor *bias = input(run, run->form->bias);
    for (int64_t c = 0; c < run->w.all; c++) {
        to[c] = bias ? qn_tensor_get(bias, c) : 0;
        for (int64_t i = 0; i < inner; i++)
            to[c] += x[i] * weights[i * run->w.all + c];
    }
}

static void read_weights(const Run *run, int64_t inner, double *weights)
{
    const QnTensor *scale = input(run, run->form->w_scale), *zero = input(run, run->form->w_zero);
    qn_tensor_read_row(qn_call_input(run->call, WEIGHTS), 0, 1, inner * run->w.all, weights);
    for (int64_t i = 0; i < inner * run->w.all; i++)
        weights[i] = (weights[i] - per_column(zero, i % run->w.all, 0)) *
                     per_column(scale, i % run->w.all, 1);
}

static QnStatus project(Run *run)
{
    const QnTensor *x = qn_call_input(run->call, X);
    const double scale = per_column(input(run, run->form->x_scale), 0, 1);
    const double zero = per_column(input(run, run->form->x_zero), 0, 0);
    const int64_t inner = x->dims[2];
    double *weights, *row;
    QN_ALLOC(weights, run->call->scratch, inner * run->w.all);
    QN_ALLOC(row, run->call->scratch, inner);
    QN_ALLOC(run->projected, run->call->scratch, run->batch * run->rows * run->w.all);
    read_weights(run, inner, weights);
    for (int64_t r = 0; r < run->batch * run->rows; r++) {
        QN_TRY(qn_call_poll(run->call));
        qn_tensor_read_row(x, r * inner, 1, inner, row);
        for (int64_t i = 0; i < inner; i++)
            row[i] = (row[i] - zero) * scale;
        project_row(run, row, inner, weights, run->projected + r * run->w.all);
    }
    return QN_OK;
}

/* Columns [first, ...) of the product as heads, in rows [past, ...) of an array of `total`. */
static void take_heads(const Run *run, int64_t first, QnAttendSide side, double *to, int64_t total,
                       int64_t past)
{
    for (int64_t b = 0; b < run->batch; b++)
        for (int64_t i = 0; i < side.rows; i++)
            for (int64_t h = 0; h < side.heads; h++)
                memcpy(to + ((b * side.heads + h) * total + past + i) * side.size,
                       run->projected + (b * run->rows + i) * run->w.all + first + h * side.size,
                       (size_t)side.size * sizeof *to);
}

/* Keys (half 0) or values (half 1):
 * those of the cache, then the new ones, which are written to the new cache. */
static QnStatus read_side(const Run *run, int half, QnAttendSide *side, double **out)
{
    const QnTensor *past = input(run, run->form->past);
    const int64_t total = run->past + side->rows, planes = run->batch * run->heads;
    const int64_t held = past ? past->dims[3] : 0;
    QnTensor *present =
        qn_call_wants(run->call, PRESENT) ? qn_call_result(run->call, PRESENT) : NULL;
    QN_ALLOC(*out, run->call->scratch, planes * total * side->size);
    for (int64_t p = 0; p < planes && run->past > 0; p++)
        qn_tensor_read_row(past, (half * planes + p) * held * side->size, 1, run->past * side->size,
                           *out + p * total * side->size);
    take_heads(run, half ? run->w.q + run->w.k : run->w.q, *side, *out, total, run->past);
    for (int64_t p = 0; present && p < planes && total > 0; p++)
        qn_tensor_write_row(present, (half * planes + p) * present->dims[3] * side->size, 1,
                            total * side->size, *out + p * total * side->size);
    side->rows = total;
    return QN_OK;
}

static QnStatus read_past(Run *run)
{
    const QnTensor *past = input(run, run->form->past);
    const QnTensor *length = input(run, run->form->length);
    run->past = past ? past->dims[3] : 0;
    if (!past || !is_buffer(run->call->node))
        return QN_OK;
    const int64_t most = run->past - run->rows;
    if (qn_tensor_count(length) != 1)
        return qn_call_fail(run->call, "past_sequence_length has %lld elements, expected 1",
                            (long long)qn_tensor_count(length));
    run->past = qn_tensor_get_int(length, 0);
    if (run->past < 0 || run->past > most)
        return qn_call_fail(run->call, "past_sequence_length is %lld, expected 0 to %lld",
                            (long long)run->past, (long long)most);
    if (qn_call_wants(run->call, PRESENT))
        memcpy(qn_call_result(run->call, PRESENT)->data, past->data,
               (size_t)qn_tensor_count(past) * qn_type_size(past->type));
    return QN_OK;
}

static QnStatus run_projected(const QnCall *call, const Form *form)
{
    const QnTensor *x = qn_call_input(call, X);
    const int64_t heads = qn_op_int(call->node, "num_heads");
    Run run = {.call = call,
               .form = form,
               .w = read_widths(call->node, qn_call_input(call, WEIGHTS)->dims[1]),
               .batch = x->dims[0],
               .rows = x->dims[1],
               .heads = heads};
    QN_TRY(read_past(&run));
    const QnTensor *mask = input(&run, form->mask);
    const QnKeyMask bias = {mask, input(&run, form->score_bias),
                            qn_op_float(call->node, "mask_filter_value"), run.past,
                            qn_op_int(call->node, "unidirectional") != 0};
    QnAttend a = {.call = call,
                  .batch = run.batch,
                  .q = {heads, run.rows, run.w.q / heads},
                  .k = {heads, run.rows, run.w.k / heads},
                  .v = {heads, run.rows, run.w.v / heads},
                  .scale = qn_op_float(call->node, "scale"),
                  .bias = qn_key_mask_add,
                  .user = &bias,
                  .y = qn_call_result(call, Y)};
    if (a.scale == 0)
        a.scale = 1 / sqrt((double)a.q.size);
    QN_TRY(qn_key_mask_check(call, mask, run.batch, run.past + run.rows));
    QN_TRY(project(&run));
    QN_ALLOC(a.queries, call->scratch, run.batch * run.rows * run.w.q);
    take_heads(&run, 0, a.q, a.queries, a.q.rows, 0);
    QN_TRY(read_side(&run, 0, &a.k, &a.keys));
    QN_TRY(read_side(&run, 1, &a.v, &a.values));
    return qn_attend(&a);
}

/* ---- the operators ---- */

static QnStatus infer_plain(QnInfer *in)
{
    return infer_projected(in, &plain);
}

static QnStatus run_plain(const QnCall *call)
{
    return run_projected(call, &plain);
}

static QnStatus infer_quantized(QnInfer *in)
{
    const QnShape *weights = qn_infer_shape(in, WEIGHTS);
    for (int i = 3; i < 8; i++) {
        const QnShape *x = qn_infer_shape(in, i);
        const bool is_weight = i == quantized.w_scale || i == quantized.w_zero;
        if (!x || i == quantized.mask)
            continue;
        if (x->rank > 1)
            return qn_infer_fail(in, "input %d has rank %d, expected 1 at most", i, x->rank);
        if (x->rank == 1 && x->dims[0] != 1 && !(is_weight && !weights))
            QN_TRY(qn_infer_want_dim(in, i, 0, is_weight ? weights->dims[1] : 1));
    }
    return infer_projected(in, &quantized);
}

static QnStatus run_quantized(const QnCall *call)
{
    return run_projected(call, &quantized);
}

#define COMMON                                                                               \
    {"do_rotary", QN_ATTRIBUTE_INT}, {"mask_filter_value", QN_ATTRIBUTE_FLOAT, .f = -10000}, \
        {"num_heads", QN_ATTRIBUTE_INT, .is_required = true},                                \
        {"past_present_share_buffer", QN_ATTRIBUTE_INT},                                     \
        {"scale", QN_ATTRIBUTE_FLOAT}, /* 0 or absent: 1 / sqrt(size of a head) */           \
    {                                                                                        \
        "unidirectional", QN_ATTRIBUTE_INT                                                   \
    }

static const QnOpAttribute attributes[] = {COMMON,
                                           {"qkv_hidden_sizes", QN_ATTRIBUTE_INTS},
                                           {"rotary_embedding_dim", QN_ATTRIBUTE_INT},
                                           {0}};
static const QnOpAttribute quantized_attributes[] = {COMMON, {0}};

const QnOp qn_ops_project_attention[] = {
    {.name = "Attention",
     .domain = "com.microsoft",
     .since = 1,
     .inputs = "input: float, weights: T, bias?: T, mask_index?: int32, past?: T, "
               "attention_bias?: T, past_sequence_length?: int32",
     .outputs = "output: T, present?: T",
     .attributes = attributes,
     .infer = infer_plain,
     .reference = run_plain},
    {.name = "QAttention",
     .domain = "com.microsoft",
     .since = 1,
     .inputs = "input: integer, weight: integer, bias: float, input_scale: float, "
               "weight_scale: float, mask_index?: int32, input_zero_point?: integer, "
               "weight_zero_point?: integer, past?: float",
     .outputs = "output: float, present?: float",
     .attributes = quantized_attributes,
     .infer = infer_quantized,
     .reference = run_quantized},
    {0},
};
