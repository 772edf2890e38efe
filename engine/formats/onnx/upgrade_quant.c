/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rewrites of com.microsoft's quantized operators that are compositions: elementwise ones, poolings
 * and what moves data become the operator on real numbers between DequantizeLinear and
 * QuantizeLinear; channels-last forms get transposes around.
 */
#include <string.h>

#include "engine/formats/onnx/names.h"
#include "engine/formats/onnx/upgrade.h"

static const char *input(const OnnxNode *node, int i)
{
    return i < node->inputs.count ? node->inputs.items[i] : "";
}

/* The node becomes another one of ai.onnx, without attributes, of these inputs. */
static QnStatus become(OnnxUpgrade *up, OnnxNode *node, const char *op, const char *const *inputs,
                       int count)
{
    const char *names[4] = {"", "", "", ""};
    memcpy(names, inputs, (size_t)count * sizeof *names); /* they may be the node's own */
    node->op = op;
    node->domain = "";
    node->schema = onnx_schema_find("", op, INT64_MAX);
    node->attributes.count = 0;
    node->inputs.count = 0;
    for (int i = 0; i < count; i++)
        QN_TRY(onnx_set_input(up, node, i, names[i]));
    return QN_OK;
}

static QnStatus emit_cast(OnnxUpgrade *up, const char *x, QnType to, const char **out)
{
    OnnxNode *cast;
    QN_TRY(onnx_make_node(up, "Cast", ONNX_INPUTS(x), out, &cast));
    QN_TRY(onnx_set_int(up, cast, "to", to));
    return onnx_emit(up, cast);
}

/* A new node of the operator, with all attributes of *node, which loses them. */
static QnStatus make_inner(OnnxUpgrade *up, OnnxNode *node, const char *op,
                           const char *const *inputs, int count, const char **out, OnnxNode **inner)
{
    QN_TRY(onnx_make_node(up, op, inputs, count, out, inner));
    (*inner)->attributes = node->attributes;
    memset(&node->attributes, 0, sizeof node->attributes);
    return QN_OK;
}

/* --- channels last --- */

static QnStatus emit_transpose(OnnxUpgrade *up, const char *x, int rank, bool is_back,
                               OnnxNode **node, const char **out)
{
    int64_t order[QN_MAX_RANK];
    for (int d = 0; d < rank; d++)
        order[d] = d == 0 ? 0 : is_back ? d % (rank - 1) + 1 : d == 1 ? rank - 1 : d - 1;
    QN_TRY(onnx_make_node(up, "Transpose", ONNX_INPUTS(x), out, node));
    return onnx_set_ints(up, *node, "perm", order, rank);
}

/* Puts a node whose first input and output are channels last between transposes; the one behind is
 * left in *node. */
static QnStatus put_channels_first(OnnxUpgrade *up, OnnxNode **node, int rank)
{
    OnnxNode *front, *behind;
    const char *x, *y;
    if (rank < 3 || rank > QN_MAX_RANK) {
        onnx_refuse(up, *node, "onnx-channels-last", "the rank of a channels-last input",
                    "a number from 3 on that kernel_shape or a declared type says");
        return QN_OK;
    }
    QN_TRY(emit_transpose(up, input(*node, 0), rank, false, &front, &x));
    QN_TRY(onnx_emit(up, front));
    QN_TRY(onnx_set_input(up, *node, 0, x));
    QN_TRY(emit_transpose(up, "", rank, true, &behind, &y));
    QN_TRY(onnx_take_output(up, *node, behind, &y));
    QN_TRY(onnx_set_input(up, behind, 0, y));
    QN_TRY(onnx_emit(up, *node));
    *node = behind;
    return QN_OK;
}

static int rank_of_window(const OnnxUpgrade *up, OnnxNode *node, int weight)
{
    const OnnxAttribute *kernel = onnx_get_ints(node, "kernel_shape");
    if (kernel && kernel->ints.count < QN_MAX_RANK)
        return (int)kernel->ints.count + 2;
    const int rank = weight ? onnx_hint(up->hints, input(node, weight)).rank : -1;
    return rank >= 0 ? rank : onnx_hint(up->hints, input(node, 0)).rank;
}

QnStatus onnx_rewrite_nhwc_max_pool(OnnxUpgrade *up, OnnxNode **node)
{
    (*node)->op = "MaxPool";
    (*node)->domain = "";
    return put_channels_first(up, node, rank_of_window(up, *node, 0));
}

QnStatus onnx_rewrite_qlinear_conv(OnnxUpgrade *up, OnnxNode **node)
{
    const bool is_last = onnx_get_int(*node, "channels_last", 0) != 0;
    onnx_unset(*node, "channels_last");
    (*node)->domain = "";
    return is_last ? put_channels_first(up, node, rank_of_window(up, *node, 3)) : QN_OK;
}

static QnStatus finish_pool(OnnxUpgrade *up, OnnxNode **node)
{
    const bool is_last = onnx_get_int(*node, "channels_last", 0) != 0;
    onnx_unset(*node, "channels_last");
    return is_last ? put_channels_first(up, node, rank_of_window(up, *node, 0)) : QN_OK;
}

/* Channels last it is a mean over the axes [1, rank - 1), whatever the rank is. */
static QnStatus finish_global_pool(OnnxUpgrade *up, OnnxNode **node)
{
    static const int64_t one = 1;
    const char *first, *step, *shape, *rank, *last, *axes;
    const bool is_last = onnx_get_int(*node, "channels_last", 0) != 0;
    onnx_unset(*node, "channels_last");
    if (!is_last)
        return QN_OK;
    QN_TRY(onnx_make_ints(up, "first", &one, 1, 0, &first));
    QN_TRY(onnx_make_ints(up, "step", &one, 1, 0, &step));
    QN_TRY(onnx_emit_new(up, "Shape", ONNX_INPUTS(input(*node, 0)), &shape));
    QN_TRY(onnx_emit_new(up, "Size", ONNX_INPUTS(shape), &rank));
    QN_TRY(onnx_emit_new(up, "Sub", ONNX_INPUTS(rank, step), &last));
    QN_TRY(onnx_emit_new(up, "Range", ONNX_INPUTS(first, last, step), &axes));
    return become(up, *node, "ReduceMean", ONNX_INPUTS(input(*node, 0), axes));
}

/* Before version 13 of the operator that it stands for, dims from `axis` on were one row. */
static QnStatus finish_softmax(OnnxUpgrade *up, OnnxNode **node)
{
    const int64_t opset = onnx_get_int(*node, "opset", 13);
    onnx_unset(*node, "opset");
    if (opset >= 13)
        return QN_OK;
    if (!onnx_attribute(*node, "axis"))
        QN_TRY(onnx_set_int(up, *node, "axis", -1));
    return onnx_rewrite_softmax(up, node);
}

/* --- real operators between DequantizeLinear and QuantizeLinear --- */

/* Inputs in their order: plain ones, then (values, scale, zero point) of each operand, then scale
 * and zero point of the result. */
static const struct {
    const char *op, *inner;
    int plain, operands;
    OnnxRewrite *finish; /* what the inner operator needs; NULL: nothing */
} forms[] = {
    {"QLinearAdd", "Add", 0, 2, NULL},
    {"QLinearAveragePool", "AveragePool", 0, 1, finish_pool},
    {"QLinearGlobalAveragePool", "GlobalAveragePool", 0, 1, finish_global_pool},
    {"QLinearLeakyRelu", "LeakyRelu", 0, 1, NULL},
    {"QLinearMul", "Mul", 0, 2, NULL},
    {"QLinearReduceMean", "ReduceMean", 0, 1, onnx_rewrite_reduce_axes},
    {"QLinearSigmoid", "Sigmoid", 0, 1, NULL},
    {"QLinearSoftmax", "Softmax", 0, 1, finish_softmax},
    {"QLinearWhere", "Where", 1, 2, NULL},
};

/* Real numbers for the values at input i, the scale and zero point behind them. */
static QnStatus emit_real(OnnxUpgrade *up, const OnnxNode *node, int i, const char **out)
{
    return onnx_emit_new(up, "DequantizeLinear",
                         ONNX_INPUTS(input(node, i), input(node, i + 1), input(node, i + 2)), out);
}

/* The node becomes QuantizeLinear; without a zero point it makes the type of the value `like`. */
static QnStatus become_quantize(OnnxUpgrade *up, OnnxNode *node, const char *real,
                                const char *scale, const char *zero, const char *like)
{
    const int type = onnx_hint(up->hints, like).element;
    QN_TRY(become(up, node, "QuantizeLinear", ONNX_INPUTS(real, scale, zero)));
    if (*zero)
        return QN_OK;
    if (type)
        return onnx_set_int(up, node, "output_dtype", type);
    QN_TRY(onnx_make_scalar(up, "zero", 0, like, &zero));
    return onnx_set_input(up, node, 2, zero);
}

QnStatus onnx_rewrite_qlinear(OnnxUpgrade *up, OnnxNode **node)
{
    size_t row = 0;
    while (row + 1 < QN_COUNT_OF(forms) && strcmp(forms[row].op, (*node)->op) != 0)
        row++;
    const int first = forms[row].plain, result = first + 3 * forms[row].operands;
    const char *inputs[3] = {input(*node, 0)}, *real;
    OnnxNode *inner;
    for (int i = 0; i < forms[row].operands; i++)
        QN_TRY(emit_real(up, *node, first + 3 * i, &inputs[first + i]));
    QN_TRY(make_inner(up, *node, forms[row].inner, inputs, first + forms[row].operands, &real,
                      &inner));
    if (forms[row].finish)
        QN_TRY(forms[row].finish(up, &inner));
    real = inner->outputs.items[0];
    QN_TRY(onnx_emit(up, inner));
    return become_quantize(up, *node, real, input(*node, result), input(*node, result + 1),
                           input(*node, first));
}

/* Each part is quantized anew, unless its scale and zero point are those of the result. */
QnStatus onnx_rewrite_qlinear_concat(OnnxUpgrade *up, OnnxNode **node)
{
    const char *scale = input(*node, 0), *zero = input(*node, 1);
    const int parts = ((*node)->inputs.count - 2) / 3;
    const int64_t axis = onnx_get_int(*node, "axis", 0);
    if (parts < 1 || (*node)->inputs.count != 2 + 3 * parts) {
        onnx_refuse(up, *node, "onnx-input-count", "its parts are not whole",
                    "values, scale and zero point of each");
        return QN_OK;
    }
    for (int i = 0; i < parts; i++) {
        const int at = 2 + 3 * i;
        const char *part = input(*node, at), *real;
        if (strcmp(input(*node, at + 1), scale) != 0 || strcmp(input(*node, at + 2), zero) != 0) {
            QN_TRY(emit_real(up, *node, at, &real));
            QN_TRY(onnx_emit_new(up, "QuantizeLinear", ONNX_INPUTS(real, scale, zero), &part));
        }
        QN_TRY(onnx_set_input(up, *node, i, part));
    }
    (*node)->op = "Concat";
    (*node)->domain = "";
    (*node)->attributes.count = 0;
    (*node)->inputs.count = parts;
    return onnx_set_int(up, *node, "axis", axis);
}

/* What ai.onnx took over as it was: 16 and 4 bits came to the vendor's form first. */
QnStatus onnx_rewrite_rename(OnnxUpgrade *up, OnnxNode **node)
{
    (void)up;
    (*node)->domain = "";
    return QN_OK;
}

/* --- integers --- */

/* x - zero as int32. */
static QnStatus emit_shifted(OnnxUpgrade *up, const char *x, const char *zero, const char **out)
{
    const char *wide_zero;
    QN_TRY(emit_cast(up, x, QN_INT32, out));
    if (!*zero)
        return QN_OK;
    QN_TRY(emit_cast(up, zero, QN_INT32, &wide_zero));
    return onnx_emit_new(up, "Sub", ONNX_INPUTS(*out, wide_zero), out);
}

QnStatus onnx_rewrite_mul_integer(OnnxUpgrade *up, OnnxNode **node)
{
    const char *a, *b;
    QN_TRY(emit_shifted(up, input(*node, 0), input(*node, 1), &a));
    QN_TRY(emit_shifted(up, input(*node, 2), input(*node, 3), &b));
    return become(up, *node, "Mul", ONNX_INPUTS(a, b));
}

QnStatus onnx_rewrite_reduce_sum_integer(OnnxUpgrade *up, OnnxNode **node)
{
    const char *wide;
    QN_TRY(emit_cast(up, input(*node, 0), QN_INT32, &wide));
    QN_TRY(onnx_set_input(up, *node, 0, wide));
    (*node)->op = "ReduceSum";
    (*node)->domain = "";
    return onnx_rewrite_reduce_axes(up, node);
}

QnStatus onnx_rewrite_matmul_integer_16(OnnxUpgrade *up, OnnxNode **node)
{
    const char *a, *b;
    QN_TRY(emit_cast(up, input(*node, 0), QN_INT32, &a));
    QN_TRY(emit_cast(up, input(*node, 1), QN_INT32, &b));
    return become(up, *node, "MatMul", ONNX_INPUTS(a, b));
}

/* The operands of a product of integers whose result is real. */
typedef struct Product {
    const char *a, *a_scale, *a_zero, *b, *b_scale, *b_zero, *bias;
} Product;

/* The node becomes  (a - a_zero) (b - b_zero) * (a_scale * b_scale) + bias. */
static QnStatus become_product(OnnxUpgrade *up, OnnxNode *node, const Product *p)
{
    const char *sum, *real, *scale, *scaled;
    QN_TRY(onnx_emit_new(up, "MatMulInteger", ONNX_INPUTS(p->a, p->b, p->a_zero, p->b_zero), &sum));
    QN_TRY(emit_cast(up, sum, QN_FLOAT, &real));
    QN_TRY(onnx_emit_new(up, "Mul", ONNX_INPUTS(p->a_scale, p->b_scale), &scale));
    if (!*p->bias)
        return become(up, node, "Mul", ONNX_INPUTS(real, scale));
    QN_TRY(onnx_emit_new(up, "Mul", ONNX_INPUTS(real, scale), &scaled));
    return become(up, node, "Add", ONNX_INPUTS(scaled, p->bias));
}

QnStatus onnx_rewrite_matmul_integer_to_float(OnnxUpgrade *up, OnnxNode **node)
{
    const OnnxNode *n = *node;
    return become_product(up, *node,
                          &(Product){.a = input(n, 0),
                                     .a_scale = input(n, 2),
                                     .a_zero = input(n, 4),
                                     .b = input(n, 1),
                                     .b_scale = input(n, 3),
                                     .b_zero = input(n, 5),
                                     .bias = input(n, 6)});
}

QnStatus onnx_rewrite_dynamic_matmul(OnnxUpgrade *up, OnnxNode **node)
{
    const OnnxNode *n = *node;
    OnnxNode *quantize;
    Product p = {
        .b = input(n, 1), .b_scale = input(n, 2), .b_zero = input(n, 3), .bias = input(n, 4)};
    QN_TRY(onnx_make_node(up, "DynamicQuantizeLinear", ONNX_INPUTS(input(n, 0)), &p.a, &quantize));
    QN_TRY(onnx_new_name(up->used, p.a, "scale", &p.a_scale));
    QN_TRY(onnx_new_name(up->used, p.a, "zero", &p.a_zero));
    ONNX_ADD(&quantize->outputs, up->in->scratch, p.a_scale);
    ONNX_ADD(&quantize->outputs, up->in->scratch, p.a_zero);
    QN_TRY(onnx_emit(up, quantize));
    return become_product(up, *node, &p);
}

/* --- QEmbedLayerNormalization --- */

enum {
    EMBED_IDS,
    EMBED_SEGMENTS,
    EMBED_TABLES, /* word, position, segment, gamma, beta; their scales and zero points alike */
    EMBED_MASK = 7,
    EMBED_SCALES,
    EMBED_ZEROS = 13
};

/* The rows of table `i`, or its all where `rows` is NULL, as real numbers. */
static QnStatus emit_embedding(OnnxUpgrade *up, const OnnxNode *node, int i, const char *rows,
                               const char **out)
{
    const char *values = input(node, EMBED_TABLES + i);
    if (rows)
        QN_TRY(onnx_emit_new(up, "Gather", ONNX_INPUTS(values, rows), &values));
    return onnx_emit_new(
        up, "DequantizeLinear",
        ONNX_INPUTS(values, input(node, EMBED_SCALES + i), input(node, EMBED_ZEROS + i)), out);
}

/* [0, length) for ids of [batch, length]. */
static QnStatus emit_positions(OnnxUpgrade *up, const char *ids, const char **out)
{
    static const int64_t zero = 0, one = 1;
    const char *first, *step, *shape, *length;
    QN_TRY(onnx_make_ints(up, "first", &zero, 1, 0, &first));
    QN_TRY(onnx_make_ints(up, "step", &one, 1, 0, &step));
    QN_TRY(onnx_emit_new(up, "Shape", ONNX_INPUTS(ids), &shape));
    QN_TRY(onnx_emit_new(up, "Gather", ONNX_INPUTS(shape, step), &length));
    return onnx_emit_new(up, "Range", ONNX_INPUTS(first, length, step), out);
}

/* The number of ones in each row of the mask, 0 where there is none, under the name `out`. */
static QnStatus emit_mask_index(OnnxUpgrade *up, const OnnxNode *node, const char *out)
{
    static const int64_t axis = 1, one = 1;
    const char *axes, *unit, *is_one, *flags, *made;
    OnnxNode *sum;
    QN_TRY(onnx_make_ints(up, "axes", &axis, 1, 1, &axes));
    QN_TRY(onnx_make_ints(up, "one", &one, 1, 0, &unit));
    if (*input(node, EMBED_MASK)) {
        QN_TRY(emit_cast(up, input(node, EMBED_MASK), QN_INT64, &flags));
        QN_TRY(onnx_emit_new(up, "Equal", ONNX_INPUTS(flags, unit), &is_one));
    } else {
        QN_TRY(onnx_emit_new(up, "Less",
                             ONNX_INPUTS(input(node, EMBED_IDS), input(node, EMBED_IDS)),
                             &is_one)); /* nowhere */
    }
    QN_TRY(emit_cast(up, is_one, QN_INT32, &flags));
    QN_TRY(onnx_make_node(up, "ReduceSum", ONNX_INPUTS(flags, axes), &made, &sum));
    QN_TRY(onnx_set_int(up, sum, "keepdims", 0));
    sum->outputs.items[0] = out;
    return onnx_emit(up, sum);
}

QnStatus onnx_rewrite_qembed_norm(OnnxUpgrade *up, OnnxNode **node)
{
    const float epsilon = onnx_get_float(*node, "epsilon", 1e-12f);
    const char *positions, *word, *position, *segment, *gamma, *beta, *sum;
    const bool has_segments = *input(*node, EMBED_SEGMENTS);
    /* What says the segments is there together. */
    if (has_segments && !(*input(*node, EMBED_TABLES + 2) && *input(*node, EMBED_SCALES + 2) &&
                          *input(*node, EMBED_ZEROS + 2))) {
        onnx_refuse(up, *node, "onnx-missing-input", "segment_ids without all that belongs to them",
                    "an embedding, its scale and its zero point");
        return QN_OK;
    }
    QN_TRY(emit_positions(up, input(*node, EMBED_IDS), &positions));
    QN_TRY(emit_embedding(up, *node, 0, input(*node, EMBED_IDS), &word));
    QN_TRY(emit_embedding(up, *node, 1, positions, &position));
    QN_TRY(onnx_emit_new(up, "Add", ONNX_INPUTS(word, position), &sum));
    if (has_segments) {
        QN_TRY(emit_embedding(up, *node, 2, input(*node, EMBED_SEGMENTS), &segment));
        QN_TRY(onnx_emit_new(up, "Add", ONNX_INPUTS(sum, segment), &sum));
    }
    QN_TRY(emit_embedding(up, *node, 3, NULL, &gamma));
    QN_TRY(emit_embedding(up, *node, 4, NULL, &beta));
    if (onnx_has_output(*node, 1))
        QN_TRY(emit_mask_index(up, *node, (*node)->outputs.items[1]));
    (*node)->outputs.count = 1;
    QN_TRY(become(up, *node, "LayerNormalization", ONNX_INPUTS(sum, gamma, beta)));
    return onnx_set_float(up, *node, "epsilon", epsilon);
}
