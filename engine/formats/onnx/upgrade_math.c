/* SPDX-License-Identifier: Apache-2.0 */
/* Rewrites of operators whose meaning was said otherwise:
 * broadcasting, softmax over a matrix, normalizations. */
#include <ctype.h>
#include <string.h>

#include "engine/formats/onnx/upgrade.h"
#include "engine/formats/onnx/validate.h"

/* --- broadcasting by attributes --- */

/* b's shape with ones behind it, as a value: their number is rank(a) - axis - rank(b). */
static QnStatus aligned_shape(OnnxUpgrade *up, const char *a, const char *b, int64_t axis,
                              const char **out)
{
    const int64_t offset = axis < 0 ? -axis : axis;
    const char *shape_b, *rank_b, *start, *count, *ones;
    OnnxNode *concat;
    QN_TRY(onnx_emit_new(up, "Shape", ONNX_INPUTS(b), &shape_b));
    QN_TRY(onnx_emit_new(up, "Shape", ONNX_INPUTS(shape_b), &rank_b));
    QN_TRY(onnx_make_ints(up, "axis", &offset, 1, 1, &start));
    if (axis >= 0) { /* the dims of a from `axis` on; for a negative one there are -axis of them */
        const char *shape_a, *rank_a, *rest = start;
        QN_TRY(onnx_emit_new(up, "Shape", ONNX_INPUTS(a), &shape_a));
        QN_TRY(onnx_emit_new(up, "Shape", ONNX_INPUTS(shape_a), &rank_a));
        QN_TRY(onnx_emit_new(up, "Sub", ONNX_INPUTS(rank_a, rest), &start));
    }
    QN_TRY(onnx_emit_new(up, "Sub", ONNX_INPUTS(start, rank_b), &count));
    QN_TRY(onnx_emit_ones(up, count, &ones));
    QN_TRY(onnx_make_node(up, "Concat", ONNX_INPUTS(shape_b, ones), out, &concat));
    QN_TRY(onnx_set_int(up, concat, "axis", 0));
    return onnx_emit(up, concat);
}

/* Both ranks are known: ones behind b by Unsqueeze, or nothing to do. */
static QnStatus align_known(OnnxUpgrade *up, int rank_a, const char *b, int rank_b, int64_t axis,
                            const char **out)
{
    const int64_t count = rank_a - (axis < 0 ? axis + rank_a : axis) - rank_b;
    int64_t axes[QN_MAX_RANK];
    const char *constant;
    *out = b;
    if (count <= 0 || count > QN_MAX_RANK)
        return QN_OK;
    for (int i = 0; i < count; i++)
        axes[i] = rank_b + i;
    QN_TRY(onnx_make_ints(up, "axes", axes, (int)count, 1, &constant));
    return onnx_emit_new(up, "Unsqueeze", ONNX_INPUTS(b, constant), out);
}

/* b with its first dim put under dim `axis` of a, so that NumPy's rule aligns them. */
static QnStatus align(OnnxUpgrade *up, const char *a, const char *b, int64_t axis, const char **out)
{
    const int rank_a = onnx_hint(up->hints, a).rank, rank_b = onnx_hint(up->hints, b).rank;
    const char *shape;
    OnnxNode *reshape;
    if (rank_a >= 0 && rank_b >= 0)
        return align_known(up, rank_a, b, rank_b, axis, out);
    QN_TRY(aligned_shape(up, a, b, axis, &shape));
    QN_TRY(onnx_make_node(up, "Reshape", ONNX_INPUTS(b, shape), out, &reshape));
    QN_TRY(onnx_set_int(up, reshape, "allowzero", 1));
    return onnx_emit(up, reshape);
}

/* Only the second operand was ever spread. */
static bool is_spread(OnnxUpgrade *up, OnnxNode *node)
{
    const int rank_a = onnx_hint(up->hints, node->inputs.items[0]).rank;
    const int rank_b = onnx_hint(up->hints, node->inputs.items[1]).rank;
    if (onnx_get_int(node, "broadcast", 0) == 0)
        return false;
    if (rank_a < 0 || rank_b <= rank_a)
        return true;
    onnx_refuse(up, node, "onnx-broadcast",
                onnx_say(up->in, "its second input has rank %d", rank_b),
                onnx_say(up->in, "at most %d, the rank of the first", rank_a));
    return false;
}

/* Without an axis the second operand was aligned at the right, which is NumPy's rule already. */
QnStatus onnx_rewrite_broadcast(OnnxUpgrade *up, OnnxNode **node)
{
    const OnnxAttribute *axis = onnx_attribute(*node, "axis");
    if (is_spread(up, *node) && axis && axis->kind == ONNX_INT) {
        const char *aligned;
        QN_TRY(align(up, (*node)->inputs.items[0], (*node)->inputs.items[1], axis->i, &aligned));
        QN_TRY(onnx_set_input(up, *node, 1, aligned));
    }
    onnx_unset(*node, "axis");
    onnx_unset(*node, "broadcast");
    return QN_OK;
}

QnStatus onnx_rewrite_gemm(OnnxUpgrade *up, OnnxNode **node)
{
    (void)up;
    onnx_unset(*node, "broadcast");
    return QN_OK;
}

/* A slope of one dim belonged to the channels, dim 1, unless it has one element. */
QnStatus onnx_rewrite_prelu(OnnxUpgrade *up, OnnxNode **node)
{
    const OnnxHint slope = onnx_hint(up->hints, (*node)->inputs.items[1]);
    const char *aligned;
    if ((slope.rank >= 0 && slope.rank != 1) || (slope.tensor && slope.tensor->dims.i64[0] == 1))
        return QN_OK;
    QN_TRY(align(up, (*node)->inputs.items[0], (*node)->inputs.items[1], 1, &aligned));
    return onnx_set_input(up, *node, 1, aligned);
}

/* --- softmax --- */

/*
 * Before version 13 all dims from `axis` on were one row.  That is today's operator where `axis` is
 * the last dim; else it works on the flattened value, and a reshape brings the dims back.
 */
QnStatus onnx_rewrite_softmax(OnnxUpgrade *up, OnnxNode **node)
{
    const char *x = (*node)->inputs.items[0], *shape, *flat, *inner;
    const int64_t axis = onnx_get_int(*node, "axis", 1);
    const int rank = onnx_hint(up->hints, x).rank;
    OnnxNode *flatten, *reshape;
    QN_TRY(onnx_set_int(up, *node, "axis", -1));
    if (axis == -1 || (rank >= 0 && axis == rank - 1))
        return QN_OK;
    QN_TRY(onnx_emit_new(up, "Shape", ONNX_INPUTS(x), &shape));
    QN_TRY(onnx_make_node(up, "Flatten", ONNX_INPUTS(x), &flat, &flatten));
    QN_TRY(onnx_set_int(up, flatten, "axis", axis));
    QN_TRY(onnx_emit(up, flatten));
    QN_TRY(onnx_set_input(up, *node, 0, flat));
    QN_TRY(onnx_make_node(up, "Reshape", ONNX_INPUTS("", shape), &inner, &reshape));
    QN_TRY(onnx_set_int(up, reshape, "allowzero", 1));
    QN_TRY(onnx_take_output(up, *node, reshape, &inner));
    QN_TRY(onnx_set_input(up, reshape, 0, inner));
    QN_TRY(onnx_emit(up, *node));
    *node = reshape;
    return QN_OK;
}

/* --- normalizations --- */

/* spatial = 0: statistics for each element of a sample;
 * plain arithmetic with broadcasting over the batch. */
static QnStatus normalize_elements(OnnxUpgrade *up, OnnxNode *node)
{
    const char *const *in = node->inputs.items;
    const char *centered, *epsilon, *variance, *deviation, *unit, *scaled;
    QN_TRY(onnx_emit_new(up, "Sub", ONNX_INPUTS(in[0], in[3]), &centered));
    QN_TRY(
        onnx_make_scalar(up, "epsilon", onnx_get_float(node, "epsilon", 1e-5f), in[4], &epsilon));
    QN_TRY(onnx_emit_new(up, "Add", ONNX_INPUTS(in[4], epsilon), &variance));
    QN_TRY(onnx_emit_new(up, "Sqrt", ONNX_INPUTS(variance), &deviation));
    QN_TRY(onnx_emit_new(up, "Div", ONNX_INPUTS(centered, deviation), &unit));
    QN_TRY(onnx_emit_new(up, "Mul", ONNX_INPUTS(unit, in[1]), &scaled));
    node->op = "Add";
    node->attributes.count = 0;
    QN_TRY(onnx_set_input(up, node, 1, in[2]));
    QN_TRY(onnx_set_input(up, node, 0, scaled));
    node->inputs.count = 2;
    node->outputs.count = 1;
    return QN_OK;
}

static bool wants_statistics(const OnnxNode *node)
{
    for (int i = 1; i < node->outputs.count; i++)
        if (onnx_has_output(node, i))
            return true;
    return false;
}

/* Asking for statistics was what training is today;
 * the last two outputs are extensions of the newest form. */
QnStatus onnx_rewrite_batch_norm(OnnxUpgrade *up, OnnxNode **node)
{
    const bool is_test = onnx_get_int(*node, "is_test", 0) != 0;
    if (onnx_get_int(*node, "spatial", 1) == 0) {
        if (wants_statistics(*node) && !is_test)
            onnx_refuse(up, *node, "onnx-batch-norm", "statistics per element are asked for",
                        "spatial = 1");
        return normalize_elements(up, *node);
    }
    onnx_unset(*node, "is_test");
    onnx_unset(*node, "spatial");
    if (is_test || !wants_statistics(*node)) {
        (*node)->outputs.count = (*node)->outputs.count > 0;
        return QN_OK;
    }
    return onnx_set_int(up, *node, "training_mode", 1);
}

/* A vector with one element per group to one with an element per channel; `per_group`: channels of
 * a group, 1-D. */
static QnStatus spread(OnnxUpgrade *up, const char *vector, const char *groups,
                       const char *per_group, const char **out)
{
    static const int64_t column[] = {-1, 1}, flat[] = {-1};
    const char *as_column, *rows, *shape, *grid, *all;
    OnnxNode *concat;
    QN_TRY(onnx_make_ints(up, "column", column, 2, 1, &as_column));
    QN_TRY(onnx_emit_new(up, "Reshape", ONNX_INPUTS(vector, as_column), &rows));
    QN_TRY(onnx_make_node(up, "Concat", ONNX_INPUTS(groups, per_group), &shape, &concat));
    QN_TRY(onnx_set_int(up, concat, "axis", 0));
    QN_TRY(onnx_emit(up, concat));
    QN_TRY(onnx_emit_new(up, "Expand", ONNX_INPUTS(rows, shape), &grid));
    QN_TRY(onnx_make_ints(up, "flat", flat, 1, 1, &all));
    return onnx_emit_new(up, "Reshape", ONNX_INPUTS(grid, all), out);
}

QnStatus onnx_rewrite_group_norm(OnnxUpgrade *up, OnnxNode **node)
{
    const int64_t group_count = onnx_get_int(*node, "num_groups", 1);
    const char *groups, *channels, *per_group;
    OnnxNode *shape;
    QN_TRY(onnx_make_ints(up, "groups", &group_count, 1, 1, &groups));
    QN_TRY(onnx_make_node(up, "Shape", ONNX_INPUTS((*node)->inputs.items[0]), &channels, &shape));
    QN_TRY(onnx_set_int(up, shape, "start", 1));
    QN_TRY(onnx_set_int(up, shape, "end", 2));
    QN_TRY(onnx_emit(up, shape));
    QN_TRY(onnx_emit_new(up, "Div", ONNX_INPUTS(channels, groups), &per_group));
    for (int i = 1; i <= 2; i++) {
        const char *spread_out;
        QN_TRY(spread(up, (*node)->inputs.items[i], groups, per_group, &spread_out));
        QN_TRY(onnx_set_input(up, *node, i, spread_out));
    }
    return QN_OK;
}

/* x - mean(x), where the variance is left alone. */
static QnStatus only_center(OnnxUpgrade *up, OnnxNode *node, const int64_t *axes, int count)
{
    const char *x = node->inputs.items[0], *over, *mean;
    QN_TRY(onnx_make_ints(up, "axes", axes, count, 1, &over));
    QN_TRY(onnx_emit_new(up, "ReduceMean", ONNX_INPUTS(x, over), &mean));
    node->op = "Sub";
    node->attributes.count = 0;
    return onnx_set_input(up, node, 1, mean);
}

/* MeanVarianceNormalization before 9 had switches instead of axes. */
QnStatus onnx_rewrite_mvn(OnnxUpgrade *up, OnnxNode **node)
{
    static const int64_t all[] = {0, 1, 2, 3}, channels[] = {0, 2, 3};
    if ((*node)->schema->since >= 9 && !onnx_attribute(*node, "across_channels") &&
        !onnx_attribute(*node, "normalize_variance"))
        return QN_OK;
    const bool is_across = onnx_get_int(*node, "across_channels", 0) != 0;
    if (onnx_get_int(*node, "normalize_variance", 1) == 0)
        return only_center(up, *node, is_across ? all : channels, is_across ? 4 : 3);
    onnx_unset(*node, "across_channels");
    onnx_unset(*node, "normalize_variance");
    return is_across ? onnx_set_ints(up, *node, "axes", all, 4) : QN_OK;
}

/* --- the rest --- */

/* A mask of ones of the shape of x: of x's type before version 10, bool since. */
static QnStatus emit_mask(OnnxUpgrade *up, const OnnxNode *node, const char *x, const char *name)
{
    const bool is_bool = node->schema->since >= 10;
    const float unit = 1;
    const char *shape, *ones, *one, *made;
    OnnxNode *last;
    QN_TRY(onnx_emit_new(up, "Shape", ONNX_INPUTS(x), &shape));
    if (is_bool)
        QN_TRY(onnx_make_floats(up, "one", &unit, 1, 0, &one));
    else
        QN_TRY(onnx_make_scalar(up, "one", 1, x, &one));
    QN_TRY(onnx_emit_new(up, "Expand", ONNX_INPUTS(one, shape), &ones));
    QN_TRY(onnx_make_node(up, is_bool ? "Cast" : "Identity", ONNX_INPUTS(ones), &made, &last));
    if (is_bool)
        QN_TRY(onnx_set_int(up, last, "to", QN_BOOL));
    last->outputs.items[0] = name;
    return onnx_emit(up, last);
}

QnStatus onnx_rewrite_dropout(OnnxUpgrade *up, OnnxNode **node)
{
    if (onnx_has_output(*node, 1))
        QN_TRY(emit_mask(up, *node, (*node)->inputs.items[0], (*node)->outputs.items[1]));
    (*node)->op = "Identity";
    (*node)->attributes.count = 0;
    (*node)->inputs.count = 1;
    (*node)->outputs.count = (*node)->outputs.count > 0;
    return QN_OK;
}

/* `to` was the name of a TensorProto.DataType, "FLOAT". */
QnStatus onnx_rewrite_cast(OnnxUpgrade *up, OnnxNode **node)
{
    const OnnxAttribute *to = onnx_attribute(*node, "to");
    char name[32] = "";
    if (!to || to->kind != ONNX_STRING)
        return QN_OK;
    for (size_t i = 0; i < to->s.size && i + 1 < sizeof name; i++)
        name[i] = (char)tolower(to->s.data[i]);
    const QnType type = qn_type_find(name);
    if (type == QN_UNDEFINED)
        onnx_refuse(up, *node, "onnx-cast-type",
                    qn_arena_copy_text(up->in->scratch, to->s.data, to->s.size),
                    "the name of an element type, \"FLOAT\"");
    return onnx_set_int(up, *node, "to", type);
}

QnStatus onnx_rewrite_lp_pool(OnnxUpgrade *up, OnnxNode **node)
{
    const float p = onnx_get_float(*node, "p", 2);
    if (p < 1 || p > 1000 || p != (float)(int)p)
        onnx_refuse(up, *node, "onnx-lp-pool", "p is no whole number of 1 or more", "1, 2, ...");
    else
        QN_TRY(onnx_set_int(up, *node, "p", (int)p));
    return QN_OK;
}

/* Where there was one direction,
 * the first exporter of PyTorch left its dimension out of W, R, B and Y. */
static QnStatus add_directions(OnnxUpgrade *up, OnnxNode **node)
{
    static const int64_t of_weights = 0, of_y = 1;
    const char *axis, *wide, *y, *inner;
    OnnxNode *squeeze;
    QN_TRY(onnx_make_ints(up, "direction", &of_weights, 1, 1, &axis));
    for (int i = 1; i <= 3; i++) {
        if (!onnx_has_input(*node, i))
            continue;
        QN_TRY(onnx_emit_new(up, "Unsqueeze", ONNX_INPUTS((*node)->inputs.items[i], axis), &wide));
        QN_TRY(onnx_set_input(up, *node, i, wide));
    }
    if (!onnx_has_output(*node, 0))
        return QN_OK;
    QN_TRY(onnx_make_ints(up, "directions", &of_y, 1, 1, &axis));
    QN_TRY(onnx_make_node(up, "Squeeze", ONNX_INPUTS("", axis), &y, &squeeze));
    QN_TRY(onnx_take_output(up, *node, squeeze, &inner));
    QN_TRY(onnx_set_input(up, squeeze, 0, inner));
    QN_TRY(onnx_emit(up, *node));
    *node = squeeze;
    return QN_OK;
}

/* What is asked for as an output is made, whatever the switch says.
 * The default direction was misspelt. */
QnStatus onnx_rewrite_rnn(OnnxUpgrade *up, OnnxNode **node)
{
    onnx_unset(*node, "output_sequence");
    if (onnx_text_is(*node, "direction", "", "foward"))
        onnx_unset(*node, "direction");
    return onnx_hint(up->hints, (*node)->inputs.items[1]).rank == 2 ? add_directions(up, node)
                                                                    : QN_OK;
}

/* Strings to their places in `classes_strings`, or places to strings, by the type of the input. */
QnStatus onnx_rewrite_label_encoder(OnnxUpgrade *up, OnnxNode **node)
{
    const OnnxAttribute *classes = onnx_attribute(*node, "classes_strings");
    if (!classes || classes->kind != ONNX_STRINGS)
        return QN_OK;
    OnnxAttribute strings = *classes;
    const int count = strings.strings.count;
    const bool from_ints = onnx_hint(up->hints, (*node)->inputs.items[0]).element == QN_INT64;
    int64_t *places;
    QN_ALLOC(places, up->in->scratch, count);
    for (int i = 0; i < count; i++)
        places[i] = i;
    onnx_unset(*node, "classes_strings");
    strings.name = from_ints ? "values_strings" : "keys_strings";
    ONNX_ADD(&(*node)->attributes, up->in->scratch, strings);
    return onnx_set_ints(up, *node, from_ints ? "keys_int64s" : "values_int64s", places, count);
}
