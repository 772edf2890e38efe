/* SPDX-License-Identifier: Apache-2.0 */
/*
 * com.microsoft's MultiHeadAttention and DecoderMaskedMultiHeadAttention: attention on queries,
 * keys and values that were projected before, to which a bias is added here.
 *
 *     queries [batch, rows, heads * size], or with keys and values in them
 *             [batch, rows, heads, 3, size] or [batch, rows, 3 * heads * size]
 *     keys    [batch, keys, heads * size], with values in them [batch, keys, heads, 2, size], or
 *             those of an encoder, [batch, heads, keys, size], to which nothing is added
 *
 * A cache is put in front of the keys.  Where its length is told (`past_sequence_length`) it is a
 * buffer that they are written into, and `cache_indirection` may tell, by item, beam and position,
 * which beam's row stands there.
 */
#include <math.h>

#include "base/checked.h"
#include "engine/ops/heads.h"
#include "engine/ops/key_mask.h"

/* Which input is what, -1: the operator has none. */
typedef struct Form {
    int key, value, bias, mask, score_bias, past_key, past_value, length, beams, indirection;
} Form;

static const Form multi = {1, 2, 3, 4, 5, 6, 7, 8, -1, 9};
static const Form masked = {1, 2, 10, 3, 4, 5, 6, 7, 8, 9};

enum { Y, PRESENT_KEY, PRESENT_VALUE, SCORES };

/* What the inputs say of sizes; `rows` of queries, `fresh` of new keys. */
typedef struct Sizes {
    int64_t heads;
    QnDim batch, rows, size, v_size, fresh;
} Sizes;

/* key and value: NULL where queries hold them. */
static Sizes read_sizes(const QnNode *node, QnDims *dims, const QnShape *q, const QnShape *key,
                        const QnShape *value)
{
    Sizes s = {.heads = qn_op_int(node, "num_heads"), .batch = q->dims[0], .rows = q->dims[1]};
    const int64_t parts = key ? s.heads : 3 * s.heads;
    s.size = q->rank == 5 ? q->dims[4] : qn_dim_floor_div(dims, q->dims[2], parts);
    s.fresh = !key ? s.rows : key->rank == 4 ? key->dims[2] : key->dims[1];
    s.v_size = !value             ? s.size
               : value->rank == 4 ? value->dims[3]
                                  : qn_dim_floor_div(dims, value->dims[2], s.heads);
    return s;
}

/* ---- inference ---- */

static bool has(const QnInfer *in, int i)
{
    return i >= 0 && qn_infer_has(in, i);
}

static QnStatus check_inputs(const QnInfer *in, const Form *form)
{
    const QnShape *q = qn_infer_shape(in, 0), *key = qn_infer_shape(in, form->key);
    const bool is_paired = key && key->rank == 5;
    if (qn_op_int(in->node, "num_heads") < 1)
        return qn_infer_fail(in, "num_heads is %lld, expected 1 at least",
                             (long long)qn_op_int(in->node, "num_heads"));
    if (q && q->rank != 3 && q->rank != 5)
        return qn_infer_fail(in, "input 0 has rank %d, expected 3 or 5", q->rank);
    if (q && q->rank == 5 && has(in, form->key))
        return qn_infer_fail(in, "input 0 holds keys and values, and input %d is there too",
                             form->key);
    if (key && (key->rank < 3 || key->rank > 5))
        return qn_infer_fail(in, "input %d has rank %d, expected 3 to 5", form->key, key->rank);
    if (key && has(in, form->value) == is_paired)
        return qn_infer_fail(in, "input %d %s", form->value,
                             is_paired ? "is there, but the keys hold values" : "is missing");
    if (has(in, form->past_key) != has(in, form->past_value))
        return qn_infer_fail(in, "has one of past_key and past_value, expected both or none");
    if (key && key->rank == 4 && has(in, form->past_key))
        return qn_infer_fail(in, "has a cache and an encoder's keys, expected one of them");
    if (has(in, form->indirection) && !has(in, form->length))
        return qn_infer_fail(in, "cache_indirection needs past_sequence_length");
    return QN_OK;
}

static QnStatus check_rows(const QnInfer *in, const Form *form, const Sizes *s)
{
    const QnShape *q = qn_infer_shape(in, 0), *key = qn_infer_shape(in, form->key);
    const QnShape *value = qn_infer_shape(in, form->value);
    const QnDim width = qn_dim_mul(in->dims, s->size, s->heads);
    const QnDim v_width = qn_dim_mul(in->dims, s->v_size, s->heads);
    const QnDim all = qn_dim_mul(in->dims, width, key ? 1 : 3);
    const QnDim bias = qn_dim_add(in->dims, qn_dim_mul(in->dims, width, 2), v_width);
    const QnDim last[3] = {s->heads, 2, s->size};
    if (q->rank == 3)
        QN_TRY(qn_infer_want_dim(in, 0, 2, all));
    else
        QN_TRY(qn_infer_want_shape(in, 0, 5,
                                   (const QnDim[]){s->batch, s->rows, s->heads, 3, s->size}));
    for (int i = 0; i < 2; i++) {
        const QnShape *side = i ? value : key;
        const int at = i ? form->value : form->key;
        const QnDim size = i ? s->v_size : s->size, rows = i ? v_width : width;
        if (side && side->rank == 3)
            QN_TRY(qn_infer_want_shape(in, at, 3, (const QnDim[]){s->batch, s->fresh, rows}));
        else if (side && side->rank == 4)
            QN_TRY(qn_infer_want_shape(in, at, 4,
                                       (const QnDim[]){s->batch, s->heads, s->fresh, size}));
        else if (side)
            QN_TRY(qn_infer_want_shape(
                in, at, 5, (const QnDim[]){s->batch, s->fresh, last[0], last[1], last[2]}));
    }
    return qn_infer_want_shape(in, form->bias, 1, &bias);
}

/* The cache, and who stands where in it. */
static QnStatus check_cache(const QnInfer *in, const Form *form, const Sizes *s)
{
    const QnShape *past = qn_infer_shape(in, form->past_key);
    const QnShape *beams =
        has(in, form->indirection) ? qn_infer_shape(in, form->indirection) : NULL;
    for (int i = 0; i < 2 && past; i++)
        QN_TRY(qn_infer_want_shape(in, form->past_key + i, 4,
                                   (const QnDim[]){s->batch, s->heads,
                                                   past->rank == 4 ? past->dims[2] : 0,
                                                   i ? s->v_size : s->size}));
    if (!beams || !past)
        return QN_OK;
    QN_TRY(qn_infer_want_rank(in, form->indirection, 3));
    return qn_dim_is_known(beams->dims[0]) && qn_dim_is_known(beams->dims[1])
               ? qn_infer_want_shape(in, form->past_key, 4,
                                     (const QnDim[]){beams->dims[0] * beams->dims[1], s->heads,
                                                     beams->dims[2], s->size})
               : QN_OK;
}

/* How many keys there are in all: what data tells is a new symbol. */
static QnDim total_keys(QnInfer *in, const Form *form, const Sizes *s)
{
    const QnShape *past = qn_infer_shape(in, form->past_key);
    QnDim length;
    if (!has(in, form->past_key))
        return s->fresh;
    if (has(in, form->length))
        return qn_infer_ints(in, form->length, &length, 1) == 1
                   ? qn_dim_add(in->dims, length, s->fresh)
                   : qn_infer_fresh(in);
    return past ? qn_dim_add(in->dims, past->dims[2], s->fresh) : qn_infer_fresh(in);
}

static QnStatus infer_outputs(QnInfer *in, const Form *form, const Sizes *s)
{
    const QnType type = qn_infer_element(in, 0);
    const QnDim total = total_keys(in, form, s);
    const QnShape scores = {4, {s->batch, s->heads, s->rows, total}};
    const bool is_buffer = has(in, form->length) && has(in, form->past_key);
    QN_TRY(qn_key_mask_infer(in, form->mask, scores.dims, false));
    QN_TRY(qn_key_mask_infer_bias(in, form->score_bias, scores.dims));
    QN_TRY(qn_infer_tensor(
        in, Y, type,
        &(QnShape){3, {s->batch, s->rows, qn_dim_mul(in->dims, s->v_size, s->heads)}}));
    for (int i = 0; i < 2; i++) {
        const QnShape present = {4, {s->batch, s->heads, total, i ? s->v_size : s->size}};
        if (is_buffer)
            QN_TRY(qn_infer_output(in, PRESENT_KEY + i, qn_infer_type(in, form->past_key + i)));
        else
            QN_TRY(qn_infer_tensor(in, PRESENT_KEY + i, type, &present));
    }
    return qn_infer_tensor(in, SCORES, type, &scores);
}

static QnStatus infer_heads(QnInfer *in, const Form *form)
{
    const QnShape *q = qn_infer_shape(in, 0), *key = qn_infer_shape(in, form->key);
    const QnShape *value = qn_infer_shape(in, form->value);
    QN_TRY(check_inputs(in, form));
    if (!q || (has(in, form->key) && !key) || (has(in, form->value) && !value)) {
        QN_TRY(qn_infer_unknown(in, Y, qn_infer_element(in, 0), 3));
        for (int i = PRESENT_KEY; i <= SCORES; i++)
            QN_TRY(qn_infer_unknown(in, i, qn_infer_element(in, 0), 4));
        return QN_OK;
    }
    if (value && value->rank != 3 && value->rank != 4)
        return qn_infer_fail(in, "input %d has rank %d, expected 3 or 4", form->value, value->rank);
    const Sizes s = read_sizes(in->node, in->dims, q, key, value);
    QN_TRY(check_rows(in, form, &s));
    QN_TRY(check_cache(in, form, &s));
    return infer_outputs(in, form, &s);
}

/* ---- computing ---- */

/* One call at work. */
typedef struct Run {
    const QnCall *call;
    const Form *form;
    Sizes s;
    int64_t past, capacity; /* rows of the cache that are valid; that there are */
} Run;

static const QnTensor *input(const Run *run, int i)
{
    return i >= 0 ? qn_call_input(run->call, i) : NULL;
}

static QnShape shape_of(const QnTensor *x)
{
    QnShape shape = {.rank = x->rank};
    memcpy(shape.dims, x->dims, (size_t)x->rank * sizeof *shape.dims);
    return shape;
}

/* Where part 0, 1 or 2 of a tensor lies that holds `parts` of them. */
static QnAttendFrom part_of(const QnTensor *x, QnAttendSide side, int part, int64_t parts)
{
    const int64_t width = side.heads * side.size, rows = side.rows * parts * width;
    if (x->rank == 5)
        return (QnAttendFrom){x, part * side.size, rows, parts * side.size, parts * width};
    return (QnAttendFrom){x, part * width, rows, side.size, parts * width};
}

/* Where the new keys (part 1) or values (2) lie. */
static QnAttendFrom fresh_rows(const Run *run, int part, QnAttendSide side)
{
    const QnTensor *key = input(run, run->form->key), *value = input(run, run->form->value);
    if (!key)
        return part_of(qn_call_input(run->call, 0), side, part, 3);
    if (!value)
        return part_of(key, side, part - 1, 2);
    return qn_attend_from(part == 1 ? key : value, side);
}

/* Row t of the cache of item b, where beams took over each other's rows. */
static QnStatus source_item(const Run *run, int64_t b, int64_t t, int64_t *item)
{
    const QnTensor *beams = input(run, run->form->indirection);
    *item = b;
    if (!beams)
        return QN_OK;
    const int64_t width = beams->dims[1];
    const int64_t from = qn_tensor_get_int(beams, b * beams->dims[2] + t);
    if (from < 0 || from >= width)
        return qn_call_fail(run->call, "cache_indirection[%lld] is %lld, expected 0 to %lld",
                            (long long)(b * beams->dims[2] + t), (long long)from,
                            (long long)(width - 1));
    *item = b / width * width + from;
    return QN_OK;
}

static QnStatus read_past(const Run *run, const QnTensor *past, double *to, int64_t total,
                          QnAttendSide side)
{
    for (int64_t b = 0; b < run->s.batch && qn_tensor_count(past) > 0; b++)
        for (int64_t t = 0; t < run->past; t++) {
            int64_t item;
            QN_TRY(source_item(run, b, t, &item));
            for (int64_t h = 0; h < side.heads; h++)
                qn_tensor_read_row(past, ((item * side.heads + h) * run->capacity + t) * side.size,
                                   1, side.size,
                                   to + ((b * side.heads + h) * total + t) * side.size);
        }
    return QN_OK;
}

/* Keys (part 1) or values (2), and what becomes of their cache. */
static QnStatus read_side(const Run *run, int part, QnAttendSide *side, double **out)
{
    const QnTensor *past = input(run, run->form->past_key + part - 1);
    const QnTensor *key = input(run, run->form->key);
    const int64_t total = run->past + side->rows, width = run->s.heads * run->s.size;
    const QnAttendFrom from = fresh_rows(run, part, *side);
    QN_ALLOC(*out, run->call->scratch, run->s.batch * side->heads * total * side->size);
    if (past)
        QN_TRY(read_past(run, past, *out, total, *side));
    qn_attend_read(*out, total, run->past, &from, run->s.batch, *side);
    if (!key || key->rank != 4)
        qn_attend_add(*out, total, run->past, input(run, run->form->bias), part * width,
                      run->s.batch, *side);
    if (qn_call_wants(run->call, PRESENT_KEY + part - 1)) {
        QnTensor *present = qn_call_result(run->call, PRESENT_KEY + part - 1);
        if (past && input(run, run->form->length))
            memcpy(present->data, past->data,
                   (size_t)qn_tensor_count(past) * qn_type_size(past->type));
        else if (past) /* other beams' rows are seen where they are, not written */
            qn_attend_write(present, 0, *out, total, 0, run->s.batch,
                            (QnAttendSide){side->heads, run->past, side->size});
        qn_attend_write(present, run->past, *out, total, run->past, run->s.batch, *side);
    }
    side->rows = total;
    return QN_OK;
}

static QnStatus read_lengths(Run *run)
{
    const QnTensor *past = input(run, run->form->past_key);
    const QnTensor *length = input(run, run->form->length);
    const QnTensor *beams = input(run, run->form->beams);
    const QnTensor *indirection = input(run, run->form->indirection);
    run->capacity = past ? past->dims[2] : 0;
    run->past = run->capacity;
    if (past && length) {
        const int64_t most = run->capacity - run->s.fresh;
        if (qn_tensor_count(length) != 1)
            return qn_call_fail(run->call, "past_sequence_length has %lld elements, expected 1",
                                (long long)qn_tensor_count(length));
        run->past = qn_tensor_get_int(length, 0);
        if (run->past < 0 || run->past > most)
            return qn_call_fail(run->call, "past_sequence_length is %lld, expected 0 to %lld",
                                (long long)run->past, (long long)most);
    }
    if (beams && indirection &&
        (qn_tensor_count(beams) != 1 || qn_tensor_get_int(beams, 0) != indirection->dims[1]))
        return qn_call_fail(run->call, "beam_width is not that of cache_indirection, %lld",
                            (long long)indirection->dims[1]);
    return QN_OK;
}

static QnStatus attend(const Run *run)
{
    const QnCall *call = run->call;
    const Sizes *s = &run->s;
    const QnTensor *q = qn_call_input(call, 0), *mask = input(run, run->form->mask);
    const QnKeyMask bias = {mask, input(run, run->form->score_bias),
                            qn_op_float(call->node, "mask_filter_value"), run->past,
                            qn_op_int(call->node, "unidirectional") != 0};
    QnAttend a = {.call = call,
                  .batch = s->batch,
                  .q = {s->heads, s->rows, s->size},
                  .k = {s->heads, s->fresh, s->size},
                  .v = {s->heads, s->fresh, s->v_size},
                  .scale = qn_op_float(call->node, "scale"),
                  .bias = qn_key_mask_add,
                  .user = &bias,
                  .y = qn_call_result(call, Y),
                  .scores = qn_call_wants(call, SCORES) ? qn_call_result(call, SCORES) : NULL,
                  .stage = QN_ATTEND_BIASED};
    const QnAttendFrom from = part_of(q, a.q, 0, input(run, run->form->key) ? 1 : 3);
    if (a.scale == 0)
        a.scale = 1 / sqrt((double)s->size);
    QN_TRY(qn_key_mask_check(call, mask, s->batch, run->past + s->fresh));
    QN_ALLOC(a.queries, call->scratch, s->batch * s->heads * s->rows * s->size);
    qn_attend_read(a.queries, a.q.rows, 0, &from, s->batch, a.q);
    qn_attend_add(a.queries, a.q.rows, 0, input(run, run->form->bias), 0, s->batch, a.q);
    QN_TRY(read_side(run, 1, &a.k, &a.keys));
    QN_TRY(read_side(run, 2, &a.v, &a.values));
    return qn_attend(&a);
}

static QnStatus run_heads(const QnCall *call, const Form *form)
{
    const QnTensor *tensors[3] = {qn_call_input(call, 0), qn_call_input(call, form->key),
                                  qn_call_input(call, form->value)};
    QnShape shapes[3];
    QnDims dims;
    Run run = {.call = call, .form = form};
    qn_dims_init(&dims, call->scratch);
    for (int i = 0; i < 3; i++)
        if (tensors[i])
            shapes[i] = shape_of(tensors[i]);
    run.s = read_sizes(call->node, &dims, &shapes[0], tensors[1] ? &shapes[1] : NULL,
                       tensors[2] ? &shapes[2] : NULL);
    QN_TRY(read_lengths(&run));
    return attend(&run);
}

/* ---- the operators ---- */

static QnStatus infer_multi(QnInfer *in)
{
    return infer_heads(in, &multi);
}

static QnStatus run_multi(const QnCall *call)
{
    return run_heads(call, &multi);
}

/* Without `past_present_share_buffer` a told length says nothing that the cache does not. */
static QnStatus infer_masked(QnInfer *in)
{
    if (qn_infer_has(in, masked.past_key) &&
        qn_infer_has(in, masked.length) != (qn_op_int(in->node, "past_present_share_buffer") != 0))
        return qn_infer_fail(in, "past_sequence_length goes with past_present_share_buffer = 1");
    return infer_heads(in, &masked);
}

static QnStatus run_masked(const QnCall *call)
{
    return run_heads(call, &masked);
}

#define COMMON                                                                  \
    {"mask_filter_value", QN_ATTRIBUTE_FLOAT, .f = -10000},                     \
        {"num_heads", QN_ATTRIBUTE_INT, .is_required = true},                   \
    {                                                                           \
        "scale", QN_ATTRIBUTE_FLOAT /* 0 or absent: 1 / sqrt(size of a head) */ \
    }

static const QnOpAttribute attributes[] = {COMMON, {"unidirectional", QN_ATTRIBUTE_INT}, {0}};
static const QnOpAttribute masked_attributes[] = {
    COMMON,
    {"output_qk", QN_ATTRIBUTE_INT}, /* that output 3 is there says the same */
    {"past_present_share_buffer", QN_ATTRIBUTE_INT},
    {0}};

const QnOp qn_ops_multi_head[] = {
    {.name = "DecoderMaskedMultiHeadAttention",
     .domain = "com.microsoft",
     .since = 1,
     .inputs = "query: float, key?: T, value?: T, mask_index?: int32, attention_bias?: T, "
               "past_key?: T, past_value?: T, past_sequence_length?: int32, beam_width?: int32, "
               "cache_indirection?: int32, bias?: T",
     .outputs = "output: T, present_key?: T, present_value?: T, qk?: float",
     .attributes = masked_attributes,
     .infer = infer_masked,
     .reference = run_masked},
    {.name = "MultiHeadAttention",
     .domain = "com.microsoft",
     .since = 1,
     .inputs = "query: float, key?: T, value?: T, bias?: T, key_padding_mask?: int32, "
               "attention_bias?: T, past_key?: T, past_value?: T, past_sequence_length?: int32, "
               "cache_indirection?: int32",
     .outputs = "output: T, present_key?: T, present_value?: T, qk?: float",
     .attributes = attributes,
     .infer = infer_multi,
     .reference = run_multi},
    {0},
};
