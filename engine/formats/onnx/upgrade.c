/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The upgrade table of versions, and the walk that applies it and the tables of bodies.
 *
 * Most versions of an operator only add element types, and need no row.  What every operator needs
 * is done for all: `consumed_inputs` of version 1 is dropped, and a default that differs from the
 * newest one is written out.
 */
#include "engine/formats/onnx/upgrade.h"

#include <string.h>

#include "base/fault.h"
#include "engine/formats/onnx/body.h"
#include "engine/formats/onnx/names.h"

/* clang-format off */
const OnnxUpgradeRow onnx_upgrade_rows[] = {
    {"Add", "", 1, 6, onnx_rewrite_broadcast, "broadcast, axis to NumPy's rule"},
    {"And", "", 1, 1, onnx_rewrite_broadcast, "broadcast, axis to NumPy's rule"},
    {"BatchNormalization", "", 1, 9, onnx_rewrite_batch_norm, "is_test, spatial to training_mode"},
    {"Cast", "", 1, 1, onnx_rewrite_cast, "type name to number"},
    {"Clip", "", 1, 6, onnx_rewrite_clip, "min, max to inputs"},
    {"Concat", "", 1, 1, onnx_rewrite_concat, "axis was optional"},
    {"DFT", "", 17, 17, onnx_rewrite_dft, "axis to an input"},
    {"Div", "", 1, 6, onnx_rewrite_broadcast, "broadcast, axis to NumPy's rule"},
    {"Dropout", "", 1, 10, onnx_rewrite_dropout, "inference only: Identity, and a mask of ones"},
    {"Equal", "", 1, 1, onnx_rewrite_broadcast, "broadcast, axis to NumPy's rule"},
    {"GRU", "", 1, 3, onnx_rewrite_rnn, "output_sequence"},
    {"Gemm", "", 1, 6, onnx_rewrite_gemm, "broadcast to NumPy's rule"},
    {"GlobalLpPool", "", 1, 1, onnx_rewrite_lp_pool, "p to an integer"},
    {"Greater", "", 1, 1, onnx_rewrite_broadcast, "broadcast, axis to NumPy's rule"},
    {"GridSample", "", 16, 16, onnx_rewrite_grid_sample, "names of modes"},
    {"GroupNormalization", "", 18, 18, onnx_rewrite_group_norm, "scale and bias per group to per channel"},
    {"Hardmax", "", 1, 11, onnx_rewrite_softmax, "the rest of the dims as one row"},
    {"LSTM", "", 1, 1, onnx_rewrite_rnn, "output_sequence"},
    {"Less", "", 1, 1, onnx_rewrite_broadcast, "broadcast, axis to NumPy's rule"},
    {"LogSoftmax", "", 1, 11, onnx_rewrite_softmax, "the rest of the dims as one row"},
    {"LpPool", "", 1, 1, onnx_rewrite_lp_pool, "p to an integer"},
    {"MeanVarianceNormalization", "", 1, 13, onnx_rewrite_mvn, "across_channels to axes"},
    {"Mul", "", 1, 6, onnx_rewrite_broadcast, "broadcast, axis to NumPy's rule"},
    {"Or", "", 1, 1, onnx_rewrite_broadcast, "broadcast, axis to NumPy's rule"},
    {"PRelu", "", 1, 6, onnx_rewrite_prelu, "slope per channel to NumPy's rule"},
    {"Pad", "", 1, 2, onnx_rewrite_pad, "pads, value to inputs"},
    {"Pow", "", 1, 1, onnx_rewrite_broadcast, "broadcast, axis to NumPy's rule"},
    {"RNN", "", 1, 1, onnx_rewrite_rnn, "output_sequence"},
    {"ReduceL1", "", 1, 13, onnx_rewrite_reduce_axes, "axes to an input"},
    {"ReduceL2", "", 1, 13, onnx_rewrite_reduce_axes, "axes to an input"},
    {"ReduceLogSum", "", 1, 13, onnx_rewrite_reduce_axes, "axes to an input"},
    {"ReduceLogSumExp", "", 1, 13, onnx_rewrite_reduce_axes, "axes to an input"},
    {"ReduceMax", "", 1, 13, onnx_rewrite_reduce_axes, "axes to an input"},
    {"ReduceMean", "", 1, 13, onnx_rewrite_reduce_axes, "axes to an input"},
    {"ReduceMin", "", 1, 13, onnx_rewrite_reduce_axes, "axes to an input"},
    {"ReduceProd", "", 1, 13, onnx_rewrite_reduce_axes, "axes to an input"},
    {"ReduceSum", "", 1, 11, onnx_rewrite_reduce_axes, "axes to an input"},
    {"ReduceSumSquare", "", 1, 13, onnx_rewrite_reduce_axes, "axes to an input"},
    {"Reshape", "", 1, 1, onnx_rewrite_reshape, "shape to an input"},
    {"Resize", "", 10, 10, onnx_rewrite_resize_10, "scales, asymmetric coordinates"},
    {"Resize", "", 11, 13, onnx_rewrite_resize_11, "empty inputs to absent ones"},
    {"RoiAlign", "", 10, 10, onnx_rewrite_roi_align, "output_half_pixel coordinates"},
    {"Scan", "", 8, 8, onnx_rewrite_scan_8, "a loop over the batch"},
    {"Scatter", "", 9, 11, onnx_rewrite_scatter, "ScatterElements"},
    {"Slice", "", 1, 1, onnx_rewrite_slice, "starts, ends, axes to inputs"},
    {"Softmax", "", 1, 11, onnx_rewrite_softmax, "the rest of the dims as one row"},
    {"Split", "", 1, 13, onnx_rewrite_split, "sizes to an input, else their number"},
    {"Squeeze", "", 1, 11, onnx_rewrite_axes, "axes to an input"},
    {"Sub", "", 1, 6, onnx_rewrite_broadcast, "broadcast, axis to NumPy's rule"},
    {"Tile", "", 1, 1, onnx_rewrite_tile, "tiles and axis to repeats"},
    {"TopK", "", 1, 1, onnx_rewrite_topk, "k to an input"},
    {"Unsqueeze", "", 1, 11, onnx_rewrite_axes, "axes to an input"},
    {"Upsample", "", 1, 10, onnx_rewrite_upsample, "Resize"},
    {"Xor", "", 1, 1, onnx_rewrite_broadcast, "broadcast, axis to NumPy's rule"},
    {"LabelEncoder", "ai.onnx.ml", 1, 1, onnx_rewrite_label_encoder, "classes to keys and values"},
    /* Operators of early files: experimental once, and never part of a release. */
    {"Affine", "", 1, 1, onnx_rewrite_affine, "Mul and Add"},
    {"ATen", "", 0, 0, NULL, "refused", "refuse \"a call into PyTorch's own library\" \"an operator of ONNX: export it anew\""},
    {"ConstantFill", "", 0, 0, onnx_rewrite_constant_fill, "ConstantOfShape"},
    {"Crop", "", 1, 1, onnx_rewrite_crop, "Slice"},
    {"DynamicSlice", "", 1, 1, onnx_rewrite_dynamic_slice, "Slice"},
    {"GivenTensorFill", "", 1, 1, onnx_rewrite_given_fill, "a constant"},
    {"GRUUnit", "", 1, 1, NULL, "the gates of a step, and which samples are over",
        "_, update, to = Split(gates) {axis = -1, num_outputs = 3}\n"
        "u = Sigmoid(update); keep = Mul(hidden_prev, u)\n"
        "rest = Sub(1.0, u); to = Tanh(to); new = Mul(to, rest); new = Add(keep, new)\n"
        "goes = Less(t, seq_lengths); goes = Unsqueeze(goes, [-1])\n"
        "old = hidden_prev\n"
        "[@drop_states] old = Mul(hidden_prev, 0.0)\n"
        "hidden = Where(goes, new, old)"},
    {"ImageScaler", "", 1, 1, onnx_rewrite_image_scaler, "Mul and Add"},
    {"ParametricSoftplus", "", 1, 1, onnx_rewrite_soft_plus, "Mul and Softplus"},
    {"Scale", "", 1, 1, onnx_rewrite_scale, "Mul"},
    {"ScaledTanh", "", 1, 1, onnx_rewrite_scaled_tanh, "Mul and Tanh"},
    /* Of ONNX Runtime. */
    {"BeamSearch", "com.microsoft", 1, 1, onnx_rewrite_search, "a Loop around the decoder"},
    {"GreedySearch", "com.microsoft", 1, 1, onnx_rewrite_search, "a Loop around the decoder"},
    {"QLinearConcat", "com.microsoft", 1, 1, onnx_rewrite_qlinear_concat, "Concat of parts quantized alike"},
    {"Sampling", "com.microsoft", 1, 1, onnx_rewrite_search, "a Loop around the decoder"},
    {"WhisperBeamSearch", "com.microsoft", 1, 1, onnx_rewrite_search, "a Loop around the decoder"},
    {0},
};
/* clang-format on */
const int onnx_upgrade_row_count = (int)QN_COUNT_OF(onnx_upgrade_rows) - 1;

const OnnxUpgradeRow *const onnx_upgrade_tables[] = {
    onnx_upgrade_rows, onnx_bodies_namesake, onnx_bodies_norm,   onnx_bodies_product,
    onnx_bodies_quant, onnx_bodies_stream,   onnx_bodies_tokens, onnx_bodies_unit};
const int onnx_upgrade_table_count = (int)QN_COUNT_OF(onnx_upgrade_tables);

static const OnnxUpgradeRow *find_row(const OnnxNode *node)
{
    const int since = node->schema ? node->schema->since : 0;
    for (int i = 0; i < onnx_upgrade_table_count; i++)
        for (const OnnxUpgradeRow *row = onnx_upgrade_tables[i]; row->op; row++)
            if (row->first <= since && since <= row->last && !strcmp(row->op, node->op) &&
                !strcmp(row->domain, node->domain))
                return row;
    return NULL;
}

bool onnx_upgrade_is_experimental(const OnnxNode *node)
{
    return !node->schema && find_row(node) != NULL;
}

/* --- what all operators need --- */

static QnStatus write_default(OnnxUpgrade *up, OnnxNode *node, const OnnxAttributeSchema *row)
{
    const char *name = onnx_schema_text(row->name);
    switch (row->kind) {
    case ONNX_FLOAT:
        return onnx_set_float(up, node, name, row->value.f);
    case ONNX_INT:
        return onnx_set_int(up, node, name, row->value.i);
    case ONNX_STRING:
        return onnx_set_text(up, node, name, onnx_schema_text(row->value.s));
    default:
        return QN_OK;
    }
}

/* An absent attribute means the default of its version, which the newest one need not share. */
static QnStatus write_old_defaults(OnnxUpgrade *up, OnnxNode *node, const OnnxSchema *newest)
{
    const OnnxAttributeSchema *old;
    for (int i = 0; (old = onnx_schema_attribute_at(node->schema, i)); i++) {
        const char *name = onnx_schema_text(old->name);
        const OnnxAttributeSchema *now = onnx_schema_attribute(newest, name);
        if (old->flags & ONNX_ATTRIBUTE_HAS_DEFAULT && now && !onnx_schema_same_default(old, now) &&
            !onnx_attribute(node, name))
            QN_TRY(write_default(up, node, old));
    }
    return QN_OK;
}

/* Inputs that the newest form wants and that no attribute of an old one gave. */
static void check_inputs(OnnxUpgrade *up, OnnxNode *node)
{
    for (int i = 0; node->schema && i < node->schema->min_inputs; i++) {
        const OnnxFormal *formal = onnx_schema_input(node->schema, i);
        if (formal && (formal->option & ONNX_OPTION_MASK) == ONNX_SINGLE &&
            !onnx_has_input(node, i))
            onnx_refuse(up, node, "onnx-missing-attribute", "nothing says its input",
                        onnx_schema_text(formal->name));
    }
}

static int count_severe(const OnnxUpgrade *up)
{
    return up->in->report ? up->in->report->counts[QN_SEVERE] : 0;
}

/* What is broken, and only checking goes past, stays as it is; so does what makes nothing. */
static QnStatus upgrade_node(OnnxUpgrade *up, OnnxNode **node)
{
    const int severe = count_severe(up);
    if ((*node)->is_broken || (*node)->outputs.count == 0)
        return onnx_emit(up, *node);
    const OnnxUpgradeRow *row = find_row(*node);
    const OnnxSchema *newest = onnx_schema_find((*node)->domain, (*node)->op, INT64_MAX);
    OnnxNode *before;
    QN_ALLOC(before, up->in->scratch, 1);
    *before = **node;
    up->origin = before;
    onnx_unset(*node, "consumed_inputs");
    if ((*node)->schema && newest && newest != (*node)->schema)
        QN_TRY(write_old_defaults(up, *node, newest));
    if (row && !qn_fault("upgrade", row->op))
        QN_TRY(row->body ? onnx_expand_body(up, node, row->body) : row->rewrite(up, node));
    newest = onnx_schema_find((*node)->domain, (*node)->op, INT64_MAX);
    if (newest && !newest->is_deprecated)
        (*node)->schema = newest;
    check_inputs(up, *node);
    (*node)->is_broken |= count_severe(up) > severe;
    return onnx_emit(up, *node);
}

/* --- graphs --- */

static QnStatus upgrade_graph(OnnxUpgrade *outer, OnnxGraph *graph);

static QnStatus upgrade_subgraphs(OnnxUpgrade *up, OnnxNode *node)
{
    for (int i = 0; i < node->attributes.count; i++) {
        OnnxAttribute *attribute = &node->attributes.items[i];
        if (attribute->graph)
            QN_TRY(upgrade_graph(up, attribute->graph));
        for (int k = 0; k < attribute->graphs.count; k++)
            QN_TRY(upgrade_graph(up, attribute->graphs.items[k]));
    }
    return QN_OK;
}

/* Sub-graphs first: a rewrite of their node may move them into another graph. */
static QnStatus upgrade_graph(OnnxUpgrade *outer, OnnxGraph *graph)
{
    OnnxScope hints = onnx_scope(outer->in->scratch, outer->hints);
    OnnxGraph made = {0};
    OnnxUpgrade up = {
        .in = outer->in, .used = outer->used, .hints = &hints, .graph = graph, .made = &made};
    QN_TRY(onnx_hints_of_graph(&hints, graph));
    for (int i = 0; i < graph->nodes.count; i++) {
        OnnxNode *node = graph->nodes.items[i];
        QN_TRY(upgrade_subgraphs(&up, node));
        QN_TRY(upgrade_node(&up, &node));
    }
    graph->nodes.items = made.nodes.items;
    graph->nodes.count = made.nodes.count;
    graph->nodes.capacity = made.nodes.capacity;
    return QN_OK;
}

QnStatus onnx_upgrade(OnnxModel *model, QnReader *in)
{
    OnnxScope used = onnx_scope(in->scratch, NULL);
    OnnxUpgrade up = {.in = in, .used = &used};
    QN_TRY(onnx_collect_names(&used, model));
    return upgrade_graph(&up, &model->graph);
}
