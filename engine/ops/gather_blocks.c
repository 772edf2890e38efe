/* SPDX-License-Identifier: Apache-2.0 */
/*
 * GatherBlockQuantized: rows of a table that is quantized in blocks along an axis, looked up and
 * made real:
 *
 *     Y[.., i, ..] = (data[.., indices[i], ..] - zero of the block) * scale of the block
 *
 * Bytes hold `bits` of an element each, low bits first, along the last dimension.  Unlike Gather's,
 * an index outside of the table gives zeros.
 */
#include "base/checked.h"
#include "engine/ops/small_float.h"
#include "engine/ops/walk.h"

/* What the attributes and the types say. */
typedef struct Form {
    int gather, quantize; /* axes */
    int64_t block;        /* 0: the whole axis */
    int bits;             /* of an element in a byte; 8 where elements are not packed */
    bool is_bytes;        /* uint8 */
} Form;

static bool is_power_of_two(int64_t x)
{
    return x > 0 && (x & (x - 1)) == 0;
}

static QnStatus read_axes(const QnInfer *in, int rank, Form *form)
{
    QN_TRY(qn_infer_axis_of(in, "gather_axis", qn_op_int(in->node, "gather_axis"), rank,
                            &form->gather));
    return qn_infer_axis_of(in, "quantize_axis", qn_op_int(in->node, "quantize_axis"), rank,
                            &form->quantize);
}

static QnStatus read_form(const QnInfer *in, int rank, Form *form)
{
    const QnType type = qn_infer_element(in, 0);
    const int64_t block = qn_op_int(in->node, "block_size"), bits = qn_op_int(in->node, "bits");
    *form = (Form){.block = block, .bits = 8, .is_bytes = type == QN_UINT8};
    QN_TRY(read_axes(in, rank, form));
    const bool may_be_whole = qn_small_float_is(type);
    if (!(block >= 16 && is_power_of_two(block)) && !(block == 0 && may_be_whole))
        return qn_infer_fail(in, "block_size is %lld, expected a power of two from 16 on",
                             (long long)block);
    if (!form->is_bytes)
        return QN_OK;
    if (bits != 2 && bits != 4 && bits != 8)
        return qn_infer_fail(in, "bits is %lld, expected 2, 4 or 8", (long long)bits);
    form->bits = (int)bits;
    if (bits < 8 && form->gather == rank - 1)
        return qn_infer_fail(in, "gather_axis is the axis along which elements are packed");
    return QN_OK;
}

/* The table's dimensions in elements. */
static QnShape table_shape(QnInfer *in, const QnShape *data, const Form *form)
{
    QnShape table = *data;
    table.dims[table.rank - 1] =
        qn_dim_mul(in->dims, table.dims[table.rank - 1], form->bits < 8 ? 8 / form->bits : 1);
    return table;
}

/* Fails where the scales surely do not fit the table. */
static QnStatus check_scales(QnInfer *in, const QnShape *table, const Form *form)
{
    const QnShape *scales = qn_infer_shape(in, 2);
    QN_TRY(qn_infer_want_rank(in, 2, table->rank));
    for (int d = 0; scales && d < table->rank; d++) {
        QnDim want = table->dims[d];
        if (d == form->quantize)
            want = form->block ? qn_dim_ceil_div(in->dims, want, form->block) : 1;
        const QnDim have = scales->dims[d];
        const bool may_be_one = !form->is_bytes && have == 1;
        if (qn_dim_is_known(have) && qn_dim_is_known(want) && have != want && !may_be_one)
            return qn_infer_fail(in, "scales have size %lld along dimension %d, expected %lld",
                                 (long long)have, d, (long long)want);
    }
    return QN_OK;
}

/* Zero points lie as the scales do, those of packed elements packed like them. */
static QnStatus check_zeros(QnInfer *in, const Form *form)
{
    const QnShape *scales = qn_infer_shape(in, 2), *zeros = qn_infer_shape(in, 3);
    if (!scales || !zeros)
        return QN_OK;
    QN_TRY(qn_infer_want_rank(in, 3, scales->rank));
    for (int d = 0; d < scales->rank; d++) {
        const bool is_packed = d == scales->rank - 1 && form->bits < 8;
        const QnDim have = zeros->dims[d];
        const QnDim want = is_packed ? qn_dim_ceil_div(in->dims, scales->dims[d], 8 / form->bits)
                                     : scales->dims[d];
        if (qn_dim_is_known(have) && qn_dim_is_known(want) && have != want)
            return qn_infer_fail(in, "zero_points have size %lld along dimension %d, expected %lld",
                                 (long long)have, d, (long long)want);
    }
    return QN_OK;
}

static QnStatus infer(QnInfer *in)
{
    const QnShape *data = qn_infer_shape(in, 0), *indices = qn_infer_shape(in, 1);
    const QnType element = qn_infer_element(in, 2);
    Form form;
    if (!data || !indices)
        return qn_infer_unknown(in, 0, element, -1);
    if (data->rank < 1 || data->rank + indices->rank - 1 > QN_MAX_RANK)
        return qn_infer_fail(in, "the ranks %d and %d make none from 0 to %d", data->rank,
                             indices->rank, QN_MAX_RANK);
    QN_TRY(read_form(in, data->rank, &form));
    const QnShape table = table_shape(in, data, &form);
    QN_TRY(check_scales(in, &table, &form));
    QN_TRY(check_zeros(in, &form));
    QnShape y = {.rank = 0};
    for (int d = 0; d < table.rank; d++) {
        if (d != form.gather)
            y.dims[y.rank++] = table.dims[d];
        for (int i = 0; d == form.gather && i < indices->rank; i++)
            y.dims[y.rank++] = indices->dims[i];
    }
    return qn_infer_tensor(in, 0, element, &y);
}

/* ---- computing ---- */

/* The offset of a position in a tensor, whose dims of 1 repeat. */
static int64_t offset_of(const QnTensor *x, const int64_t *position)
{
    int64_t offset = 0;
    for (int d = 0; d < x->rank; d++)
        offset = offset * x->dims[d] + (x->dims[d] == 1 ? 0 : position[d]);
    return offset;
}

/* An element at a position of a tensor whose last dimension is packed into bytes. */
static double packed_at(const QnTensor *x, const int64_t *position, int bits)
{
    int64_t place[QN_MAX_RANK];
    const int per_byte = 8 / bits, last = x->rank - 1;
    memcpy(place, position, (size_t)x->rank * sizeof *place);
    place[last] = position[last] / per_byte;
    const int byte = (int)qn_tensor_get_int(x, offset_of(x, place));
    return byte >> (position[last] % per_byte * bits) & ((1 << bits) - 1);
}

static double element_at(const QnTensor *x, const int64_t *position, const Form *form)
{
    return form->bits < 8 ? packed_at(x, position, form->bits)
                          : qn_tensor_get(x, offset_of(x, position));
}

/* The real number at a position of the table. */
static double real_at(const QnCall *call, const Form *form, const int64_t *position)
{
    const QnTensor *scales = qn_call_input(call, 2), *zeros = qn_call_input(call, 3);
    double zero = form->is_bytes ? (double)(1 << (form->bits - 1)) : 0;
    int64_t place[QN_MAX_RANK];
    memcpy(place, position, (size_t)scales->rank * sizeof *place);
    place[form->quantize] = form->block ? position[form->quantize] / form->block : 0;
    if (zeros)
        zero = element_at(zeros, place, form);
    return (element_at(qn_call_input(call, 0), position, form) - zero) *
           qn_tensor_get(scales, offset_of(scales, place));
}

/* The table's position of an element of the result; false where the index is outside. */
static bool find_position(const QnTensor *data, const QnTensor *indices, const Form *form,
                          const int64_t *at, int64_t *position)
{
    const int64_t index = qn_tensor_get_int(indices, offset_of(indices, at + form->gather));
    const int64_t size = data->dims[form->gather];
    memcpy(position, at, (size_t)form->gather * sizeof *position);
    position[form->gather] = index < 0 ? index + size : index;
    for (int d = form->gather + 1; d < data->rank; d++)
        position[d] = at[d + indices->rank - 1];
    return index >= -size && index < size;
}

static QnStatus gather(const QnCall *call)
{
    const QnTensor *data = qn_call_input(call, 0), *indices = qn_call_input(call, 1);
    QnTensor *y = qn_call_result(call, 0);
    const int64_t gather_axis = qn_op_int(call->node, "gather_axis"),
                  quantize_axis = qn_op_int(call->node, "quantize_axis"),
                  count = qn_tensor_count(y);
    const Form form = {.gather = (int)(gather_axis < 0 ? gather_axis + data->rank : gather_axis),
                       .quantize =
                           (int)(quantize_axis < 0 ? quantize_axis + data->rank : quantize_axis),
                       .block = qn_op_int(call->node, "block_size"),
                       .bits = data->type == QN_UINT8 ? (int)qn_op_int(call->node, "bits") : 8,
                       .is_bytes = data->type == QN_UINT8};
    int64_t at[QN_MAX_RANK] = {0}, position[QN_MAX_RANK];
    for (int64_t i = 0; i < count; i++) {
        const bool is_inside = find_position(data, indices, &form, at, position);
        qn_tensor_set(y, i, is_inside ? real_at(call, &form, position) : 0);
        qn_walk_next(at, y->dims, y->rank);
        if (i % 4096 == 0)
            QN_TRY(qn_call_poll(call));
    }
    return QN_OK;
}

static const QnOpAttribute attributes[] = {
    {"bits", QN_ATTRIBUTE_INT, .i = 4},
    {"block_size", QN_ATTRIBUTE_INT, .i = 128},
    {"gather_axis", QN_ATTRIBUTE_INT},
    {"quantize_axis", QN_ATTRIBUTE_INT, .i = 1},
    {0},
};

const QnOp qn_ops_gather_blocks[] = {
    {.name = "GatherBlockQuantized",
     .domain = "com.microsoft",
     .since = 1,
     .inputs = "data: any, indices: integer, scales: float, zero_points?: any",
     .outputs = "output: float",
     .attributes = attributes,
     .infer = infer,
     .reference = gather},
    {0},
};
