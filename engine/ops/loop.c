/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Loop and Scan: what their results can be, from what their bodies give.
 *
 * The planner flattens them into steps (engine/plan/control.c), so they have no reference.  Values
 * that go from iteration to iteration have the type that covers all of them, found by inferring the
 * body until nothing changes.
 */
#include "engine/ops/control_types.h"

/* ---- what goes from iteration to iteration ---- */

enum { EXACT_PASSES = 3, EXACT_DEPTH = 4 };

typedef struct Carried {
    QnIrType type;             /* covers all iterations looked at so far */
    bool is_open[QN_MAX_RANK]; /* dims that were given a symbol of their own */
} Carried;

typedef struct Loop {
    QnGraph *body;
    Carried *carried;     /* [carried_count] */
    QnInferValue *inputs; /* [body->input_count] what the body is inferred with */
    int carried_count, first_carried, first_out;
} Loop;

/* Makes a carried type cover what an iteration gives for it. */
static QnStatus widen(QnInfer *in, Carried *carried, int i, const QnIrType *next, bool *is_changed)
{
    QnIrType *type = &carried->type;
    QN_TRY(qn_control_check(in, "carried value", i, type, next));
    if (type->kind != next->kind && type->kind != QN_NONE && next->kind != QN_NONE) {
        *type = (QnIrType){.kind = QN_NONE};
        *is_changed = true;
        return QN_OK;
    }
    if (type->kind != QN_TENSOR || next->kind != QN_TENSOR || type->shape.rank < 0)
        return QN_OK;
    if (type->shape.rank != next->shape.rank) {
        type->shape = qn_shape_unknown();
        *is_changed = true;
    }
    for (int d = 0; d < type->shape.rank; d++) {
        if (carried->is_open[d] || type->shape.dims[d] == next->shape.dims[d])
            continue;
        type->shape.dims[d] = qn_infer_fresh(in);
        carried->is_open[d] = *is_changed = true;
    }
    return QN_OK;
}

/* Items of collections change from iteration to iteration as a rule, so their shapes stay open. */
static QnStatus init_carried(QnInfer *in, Loop *loop, int first_input)
{
    for (int i = 0; i < loop->carried_count; i++) {
        const QnIrType *initial = qn_infer_type(in, first_input + i);
        Carried *carried = &loop->carried[i];
        carried->type =
            initial->kind == QN_NONE ? loop->body->inputs[loop->first_carried + i]->type : *initial;
        if (carried->type.kind != QN_TENSOR)
            QN_TRY(qn_control_open(in, &carried->type, &carried->type));
    }
    return QN_OK;
}

/*
 * Infers the body until its carried types cover what it makes of them.  After a few passes, and at
 * once in deep nests, where passes multiply, their shapes are given up, after which nothing can
 * change any more.
 */
static QnStatus find_fixpoint(QnInfer *in, Loop *loop)
{
    const int most = qn_graph_depth(loop->body) > EXACT_DEPTH ? 0 : EXACT_PASSES;
    for (int pass = 0;; pass++) {
        bool is_changed = false;
        for (int i = 0; i < loop->carried_count; i++) {
            if (pass == most && loop->carried[i].type.kind == QN_TENSOR)
                loop->carried[i].type.shape = qn_shape_unknown();
            loop->body->inputs[loop->first_carried + i]->type = loop->carried[i].type;
            loop->inputs[loop->first_carried + i].type = loop->carried[i].type;
        }
        QN_TRY(qn_infer_subgraph(in, loop->body, loop->inputs, loop->body->input_count));
        for (int i = 0; i < loop->carried_count; i++)
            QN_TRY(widen(in, &loop->carried[i], i,
                         &loop->body->outputs[loop->first_out + i].value->type, &is_changed));
        if (!is_changed)
            return QN_OK;
    }
}

/* The results: what is carried, with new symbols where iterations differ. */
static QnStatus set_carried_outputs(QnInfer *in, const Loop *loop)
{
    for (int i = 0; i < loop->carried_count; i++) {
        QnIrType type = loop->carried[i].type;
        for (int d = 0; type.kind == QN_TENSOR && d < type.shape.rank; d++)
            if (loop->carried[i].is_open[d])
                type.shape.dims[d] = qn_infer_fresh(in);
        QN_TRY(qn_infer_output(in, i, &type));
    }
    return QN_OK;
}

/* Result i stacks body output `from`: one more dimension, of `count`. */
static QnStatus set_stacked_output(QnInfer *in, const Loop *loop, int i, int from, QnDim count,
                                   int64_t given_axis)
{
    const QnIrType *type = &loop->body->outputs[from].value->type;
    int axis;
    if (type->kind == QN_NONE || (type->kind == QN_TENSOR && type->shape.rank < 0)) {
        if (given_axis < 0)
            return qn_infer_fail(in,
                                 "output %d has an unknown rank, and its axis %lld counts "
                                 "from the end",
                                 i, (long long)given_axis);
        return type->kind == QN_NONE ? QN_OK : qn_infer_unknown(in, i, type->element, -1);
    }
    if (type->kind != QN_TENSOR)
        return qn_infer_fail(in, "output %d stacks %s, expected a tensor", i,
                             qn_control_kind(type->kind));
    if (type->shape.rank == QN_MAX_RANK)
        return qn_infer_fail(in, "output %d would have over %d dimensions", i, QN_MAX_RANK);
    QnIrType stacked = *type;
    stacked.shape.rank++;
    QN_TRY(qn_infer_axis_of(in, "an output's axis", given_axis, stacked.shape.rank, &axis));
    for (int d = stacked.shape.rank - 1; d > axis; d--)
        stacked.shape.dims[d] = type->shape.dims[d - 1];
    stacked.shape.dims[axis] = 0;
    qn_control_renew(in, &stacked);
    stacked.shape.dims[axis] = count;
    return qn_infer_output(in, i, &stacked);
}

static QnStatus init_loop(QnInfer *in, Loop *loop)
{
    loop->body = qn_control_graph(in, "body");
    if (!loop->body)
        return qn_infer_fail(in, "has no graph body");
    QN_TRY(qn_control_check_outputs(in, loop->body));
    QN_ALLOC(loop->carried, in->arena, loop->carried_count);
    QN_ALLOC(loop->inputs, in->arena, loop->body->input_count);
    for (int i = 0; i < loop->body->input_count; i++)
        loop->inputs[i].is_present = true;
    return QN_OK;
}

/* Fails unless the body has the inputs and at least the outputs that the node stands for. */
static QnStatus check_arity(const QnInfer *in, const Loop *loop, int inputs)
{
    const int results = in->node->output_count;
    const int outputs =
        loop->first_out + (results > loop->carried_count ? results : loop->carried_count);
    if (loop->body->input_count != inputs || loop->body->output_count < outputs)
        return qn_infer_fail(in, "body has %d inputs and %d outputs, expected %d and %d",
                             loop->body->input_count, loop->body->output_count, inputs, outputs);
    return QN_OK;
}

/* ---- Loop ---- */

/* Is the body's condition always true once it was: a true constant, or what came in? */
static bool always_goes_on(const QnGraph *body)
{
    const QnIrValue *value = body->outputs[0].value;
    while (value->node && !strcmp(value->node->op, "Identity") && qn_node_input(value->node, 0))
        value = value->node->inputs[0].value;
    return value == body->inputs[1] ||
           (value->constant && !value->is_default && qn_tensor_count(value->constant) == 1 &&
            qn_tensor_get_int(value->constant, 0) != 0);
}

/* How often the loop runs, where that is sure before. */
static QnDim trip_count(QnInfer *in, const QnGraph *body)
{
    const QnTensor *condition = qn_infer_has(in, 1) ? in->inputs[1].constant : NULL;
    const bool is_true = !qn_infer_has(in, 1) || (condition && qn_tensor_count(condition) == 1 &&
                                                  qn_tensor_get_int(condition, 0) != 0);
    QnDim count;
    if (!is_true || !always_goes_on(body) || qn_infer_ints(in, 0, &count, 1) != 1)
        return qn_infer_fresh(in);
    return qn_dim_max(in->dims, count, 0);
}

static QnStatus infer_loop(QnInfer *in)
{
    static const QnIrType number = {.kind = QN_TENSOR, .element = QN_INT64};
    static const QnIrType truth = {.kind = QN_TENSOR, .element = QN_BOOL};
    Loop loop = {.carried_count = in->input_count > 2 ? in->input_count - 2 : 0,
                 .first_carried = 2,
                 .first_out = 1};
    QN_TRY(init_loop(in, &loop));
    QN_TRY(check_arity(in, &loop, 2 + loop.carried_count));
    loop.inputs[0].type = number;
    loop.inputs[1].type = truth;
    QN_TRY(init_carried(in, &loop, 2));
    QN_TRY(find_fixpoint(in, &loop));
    QN_TRY(set_carried_outputs(in, &loop));
    const QnDim count = trip_count(in, loop.body);
    for (int i = loop.carried_count; i < in->output_count; i++)
        QN_TRY(set_stacked_output(in, &loop, i, 1 + i, count, 0));
    return QN_OK;
}

/* ---- Scan ---- */

/* Entry i of an INTS attribute, 0 where it is absent; fails where the list has another length. */
static QnStatus scan_entry(const QnInfer *in, const char *name, int i, int count, int64_t *out)
{
    const QnAttribute *list = qn_node_attribute(in->node, name);
    if (list && list->count != count)
        return qn_infer_fail(in, "%s has %d entries, expected %d", name, list->count, count);
    *out = list ? list->ints[i] : 0;
    return QN_OK;
}

/* The type of one slice of scanned input i, and how many there are. */
static QnStatus slice_type(QnInfer *in, const Loop *loop, int i, int scanned, QnIrType *slice,
                           QnDim *count)
{
    const QnIrType *type = qn_infer_type(in, loop->carried_count + i);
    int64_t given = 0;
    int axis;
    QN_TRY(scan_entry(in, "scan_input_axes", i, scanned, &given));
    *slice = *type;
    if (type->kind != QN_TENSOR || type->shape.rank < 0)
        return given < 0 || given >= QN_MAX_RANK
                   ? qn_infer_fail(in, "scanned input %d has an unknown rank, and the axis %lld", i,
                                   (long long)given)
                   : QN_OK;
    QN_TRY(qn_infer_axis_of(in, "scan_input_axes", given, type->shape.rank, &axis));
    const QnDim size = type->shape.dims[axis];
    if (qn_dim_is_known(size) && qn_dim_is_known(*count) && i > 0 && size != *count)
        return qn_infer_fail(in, "scanned input %d has %lld elements, expected %lld", i,
                             (long long)size, (long long)*count);
    if (i == 0 || qn_dim_is_known(size))
        *count = size;
    slice->shape.rank--;
    for (int d = axis; d < slice->shape.rank; d++)
        slice->shape.dims[d] = type->shape.dims[d + 1];
    return QN_OK;
}

static QnStatus infer_scan(QnInfer *in)
{
    const int64_t scanned = qn_op_int(in->node, "num_scan_inputs");
    if (scanned < 1 || scanned > in->input_count)
        return qn_infer_fail(in, "num_scan_inputs is %lld, expected 1 to %d", (long long)scanned,
                             in->input_count);
    Loop loop = {.carried_count = in->input_count - (int)scanned};
    QnDim count = qn_infer_fresh(in);
    int64_t ignored = 0;
    QN_TRY(init_loop(in, &loop));
    QN_TRY(check_arity(in, &loop, in->input_count));
    for (int i = 0; i < (int)scanned; i++) {
        QN_TRY(scan_entry(in, "scan_input_directions", i, (int)scanned, &ignored));
        QN_TRY(slice_type(in, &loop, i, (int)scanned, &loop.inputs[loop.carried_count + i].type,
                          &count));
    }
    QN_TRY(init_carried(in, &loop, 0));
    QN_TRY(find_fixpoint(in, &loop));
    QN_TRY(set_carried_outputs(in, &loop));
    const int stacked = loop.body->output_count - loop.carried_count;
    for (int i = loop.carried_count; i < in->output_count; i++) {
        int64_t axis = 0;
        QN_TRY(scan_entry(in, "scan_output_directions", i - loop.carried_count, stacked, &ignored));
        QN_TRY(scan_entry(in, "scan_output_axes", i - loop.carried_count, stacked, &axis));
        QN_TRY(set_stacked_output(in, &loop, i, i, count, axis));
    }
    return QN_OK;
}

static const QnOpAttribute loop_attributes[] = {{"body", QN_ATTRIBUTE_GRAPH, .is_required = true},
                                                {0}};
static const QnOpAttribute scan_attributes[] = {
    {"body", QN_ATTRIBUTE_GRAPH, .is_required = true},
    {"num_scan_inputs", QN_ATTRIBUTE_INT, .is_required = true},
    {"scan_input_axes", QN_ATTRIBUTE_INTS},
    {"scan_input_directions", QN_ATTRIBUTE_INTS},
    {"scan_output_axes", QN_ATTRIBUTE_INTS},
    {"scan_output_directions", QN_ATTRIBUTE_INTS},
    {0}};

const QnOp qn_ops_loop[] = {
    {.name = "Loop",
     .since = 25,
     .inputs = "M?: int64, cond?: bool, v_initial*: any",
     .outputs = "v_final_and_scan_outputs*: any",
     .attributes = loop_attributes,
     .traits = QN_OP_CONTROL,
     .infer = infer_loop},
    {.name = "Scan",
     .since = 25,
     .inputs = "initial_state_and_scan_inputs*: any",
     .outputs = "final_state_and_scan_outputs*: any",
     .attributes = scan_attributes,
     .traits = QN_OP_CONTROL,
     .infer = infer_scan},
    {0},
};
