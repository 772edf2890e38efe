/* SPDX-License-Identifier: Apache-2.0 */
/* Choosing by truth: NonZero lists the positions of elements that are not zero, Compress keeps the
 * slices whose condition is true. */
#include "engine/ops/op.h"

/* ---- NonZero ---- */

static QnStatus infer_nonzero(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const QnShape y = {.rank = 2, .dims = {x ? x->rank : qn_infer_fresh(in), qn_infer_fresh(in)}};
    return qn_infer_tensor(in, 0, QN_INT64, &y);
}

enum { BLOCK = 1024 }; /* elements that are looked at together */

/* Strings count as zero where they are empty; numbers where they equal 0, of either sign.  Writes
 * where among the block's elements the others stand, and gives how many there are. */
static int64_t find_others(const QnTensor *x, int64_t first, int64_t count, int16_t *places)
{
    union {
        double reals[BLOCK];
        int64_t ints[BLOCK];
    } row;
    const bool is_float = qn_type_is_float(x->type);
    int64_t found = 0;
    if (is_float)
        qn_tensor_read_row(x, first, 1, count, row.reals);
    else if (x->type != QN_STRING)
        qn_tensor_read_row_int(x, first, 1, count, row.ints);
    for (int64_t i = 0; i < count; i++) {
        const bool is_zero = is_float ? row.reals[i] == 0
                             : x->type == QN_STRING
                                 ? ((const QnString *)x->data)[first + i].size == 0
                                 : row.ints[i] == 0;
        places[found] = (int16_t)i;
        found += !is_zero;
    }
    return found;
}

/* How many there are in each block, then where those of each begin. */
typedef struct Others {
    int64_t *counts; /* [blocks] */
    bool is_counted; /* counts[] are beginnings */
    int64_t all;
} Others;

static QnStatus walk_blocks(const QnCall *call, const void *work, void *room, int64_t begin,
                            int64_t end)
{
    const Others *others = work;
    const QnTensor *x = qn_call_input(call, 0);
    const int64_t total = qn_tensor_count(x);
    int16_t *places = room;
    for (int64_t block = begin; block < end; block++) {
        const int64_t first = block * BLOCK;
        const int64_t found =
            find_others(x, first, total - first < BLOCK ? total - first : BLOCK, places);
        if (!others->is_counted) {
            others->counts[block] = found;
            continue;
        }
        int64_t *to = (int64_t *)qn_call_result(call, 0)->data + others->counts[block];
        for (int64_t k = 0; k < found; k++) {
            int64_t rest = first + places[k];
            for (int d = x->rank - 1; d >= 0; d--) {
                to[d * others->all + k] = rest % x->dims[d];
                rest /= x->dims[d];
            }
        }
    }
    return QN_OK;
}

static QnStatus nonzero(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    const int64_t blocks = qn_tensor_count(x) / BLOCK + (qn_tensor_count(x) % BLOCK != 0);
    const size_t room = BLOCK * sizeof(int16_t);
    Others others = {0};
    QN_ALLOC(others.counts, call->scratch, blocks);
    QN_TRY(qn_call_for(call, blocks, 2 * BLOCK, room, walk_blocks, &others));
    for (int64_t block = 0; block < blocks; block++) {
        const int64_t found = others.counts[block];
        others.counts[block] = others.all;
        others.all += found;
    }
    others.is_counted = true;
    QN_TRY(qn_call_output(call, 0, QN_INT64, 2, (const int64_t[]){x->rank, others.all}, NULL));
    return qn_call_for(call, blocks, 8 * BLOCK, room, walk_blocks, &others);
}

/* ---- Compress ---- */

/* The true ones among the first `size` of the condition's elements. */
static int64_t count_true(const QnTensor *condition, int64_t size)
{
    int64_t count = 0;
    for (int64_t i = 0; i < size; i++)
        count += qn_tensor_get_int(condition, i) != 0;
    return count;
}

static QnStatus infer_compress(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const QnTensor *condition = in->inputs[1].constant;
    const bool has_axis = qn_node_attribute(in->node, "axis") != NULL;
    QnShape y = {.rank = 1};
    int axis = 0;
    QN_TRY(qn_infer_want_rank(in, 1, 1));
    if (!x)
        return qn_infer_unknown(in, 0, qn_infer_element(in, 0), has_axis ? -1 : 1);
    QnDim length = qn_shape_product(in->dims, x, 0, x->rank);
    if (has_axis) {
        QN_TRY(qn_infer_axis(in, x->rank, &axis));
        y = *x;
        length = x->dims[axis];
    }
    if (condition && qn_dim_is_known(length) && qn_tensor_count(condition) > length)
        return qn_infer_fail(in, "the condition has %lld elements, expected %lld at most",
                             (long long)qn_tensor_count(condition), (long long)length);
    y.dims[axis] =
        condition ? count_true(condition, qn_tensor_count(condition)) : qn_infer_fresh(in);
    return qn_infer_tensor(in, 0, qn_infer_element(in, 0), &y);
}

static QnStatus compress(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0), *condition = qn_call_input(call, 1);
    const QnTensor *y = qn_call_result(call, 0);
    const int64_t given = qn_op_int(call->node, "axis");
    QnBox box = {1, qn_tensor_count(x), 1};
    if (qn_node_attribute(call->node, "axis"))
        box = qn_box(x, (int)(given < 0 ? given + x->rank : given));
    const size_t block = (size_t)box.inner * qn_type_size(x->type);
    const int64_t length = qn_tensor_count(condition);
    uint8_t *to = y->data;
    for (int64_t outer = 0; outer < box.outer; outer++) {
        QN_TRY(qn_call_poll(call));
        for (int64_t i = 0; i < length; i++) {
            if (!qn_tensor_get_int(condition, i) || !block)
                continue;
            memcpy(to, (const uint8_t *)x->data + (size_t)(outer * box.length + i) * block, block);
            to += block;
        }
    }
    return QN_OK;
}

static const QnOpAttribute compress_attributes[] = {{"axis", QN_ATTRIBUTE_INT}, {0}};

const QnOp qn_ops_nonzero[] = {
    {.name = "Compress",
     .since = 28,
     .inputs = "input: any, condition: bool",
     .outputs = "output: T",
     .attributes = compress_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_compress,
     .reference = compress},
    {.name = "NonZero",
     .since = 13,
     .inputs = "x: any",
     .outputs = "y: int64",
     .traits = QN_OP_DYNAMIC | QN_OP_PORTABLE,
     .infer = infer_nonzero,
     .reference = nonzero},
    {0},
};
