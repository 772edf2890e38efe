/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Nodes to steps: asks the device for offers, takes the cheapest, brings inputs into the layouts it
 * wants.
 *
 * An offer may cover nodes that follow.  Its step stands where the last of them stood, when
 * everything that any of them reads is there.
 */
#include "engine/plan/planner.h"

#include <math.h>

#include "base/checked.h"

/* Predicted costs in nanoseconds, of what is no kernel. */
static const double step_cost = 300, byte_cost = 0.12, reference_element_cost = 12,
                    portable_element_cost = 3;

typedef struct Choice {
    QnPlanner *p;
    QnOffer best;
    double score;
    bool is_found;
    int count, taken;  /* offers so far; which of them is the best */
    int wanted;        /* the one that a plan file says; -1: by cost */
    bool gives_shapes; /* only such offers will do, or only others */
} Choice;

static double value_bytes(const QnPlanner *p, const QnIrType *type)
{
    if (type->kind != QN_TENSOR || type->shape.rank < 0)
        return 1024;
    double bytes = (double)qn_type_size(type->element);
    for (int d = 0; d < type->shape.rank; d++) {
        const int64_t size = qn_dim_value(type->shape.dims[d], p->sizes);
        bytes *= (double)(size < 0 ? qn_planner_free_dim(p) : size);
    }
    return bytes;
}

/* ---- layouts ---- */

static QnLayoutKind layout_of(const QnPlanner *p, const QnIrValue *value)
{
    const int id = value ? p->of_value[value->id] : -1;
    if (id >= 0)
        return p->plan->values[id].layout.kind;
    /* Not made yet: what the step that will make it was chosen to write. */
    const QnOffer *maker = value && value->node ? p->chosen[value->node->id] : NULL;
    for (int i = 0; maker && i < QN_OFFER_OUTPUTS; i++)
        if (maker->outputs[i] == value)
            return maker->layouts[i];
    return QN_LAYOUT_PLAIN;
}

static QnLayoutKind offer_layout(const QnOfferCall *call, const QnIrValue *value)
{
    return layout_of(call->user ? ((Choice *)call->user)->p : NULL, value);
}

static bool offer_is_taken(const QnOfferCall *call, const QnNode *node)
{
    return ((Choice *)call->user)->p->chosen[node->id] != NULL;
}

/*
 * Is it an input of the output's full size?  Dims that are not known to be equal may be so still: a
 * tensor that turns out to be broadcast is then converted in vain, but one that is not would be
 * gathered element by element.
 */
static bool has_shape_of(const QnIrValue *a, const QnIrValue *output)
{
    if (a->type.kind != QN_TENSOR || output->type.kind != QN_TENSOR ||
        a->type.shape.rank != output->type.shape.rank)
        return false;
    for (int d = 0; d < a->type.shape.rank; d++) {
        const QnDim dim = a->type.shape.dims[d], wanted = output->type.shape.dims[d];
        if (dim != wanted && (dim == 1 || (qn_dim_is_known(dim) && qn_dim_is_known(wanted))))
            return false;
    }
    return true;
}

/* The layout that an offer of `same_layout` takes: NHWC if one of its full-sized inputs has it. */
static QnLayoutKind common_layout(const QnPlanner *p, const QnOffer *offer)
{
    for (int i = 0; i < offer->input_count; i++)
        if (offer->inputs[i] && has_shape_of(offer->inputs[i], offer->outputs[0]) &&
            layout_of(p, offer->inputs[i]) == QN_LAYOUT_NHWC)
            return QN_LAYOUT_NHWC;
    return QN_LAYOUT_PLAIN;
}

/* Settles an offer of `same_layout`: what it then accepts and writes. */
static void settle_layout(const QnPlanner *p, QnOffer *offer)
{
    const QnLayoutKind kind = common_layout(p, offer);
    for (int i = 0; i < offer->input_count; i++)
        if (offer->inputs[i] && has_shape_of(offer->inputs[i], offer->outputs[0]))
            offer->accepts[i] = 1u << kind;
    for (int i = 0; i < QN_OFFER_OUTPUTS; i++)
        offer->layouts[i] = kind;
}

static double conversion_cost(const QnPlanner *p, const QnOffer *offer)
{
    double cost = 0;
    for (int i = 0; i < offer->input_count; i++) {
        const QnIrValue *value = offer->inputs[i];
        if (value && !(offer->accepts[i] >> layout_of(p, value) & 1))
            cost += step_cost + byte_cost * value_bytes(p, &value->type);
    }
    return cost;
}

/* What the nodes behind the first would cost as steps of their own, at least:
 * reading and writing their results. */
static double fusion_gain(const QnPlanner *p, const QnOffer *offer)
{
    double gain = 0;
    for (int n = 1; n < offer->node_count; n++)
        for (int i = 0; i < offer->nodes[n]->output_count; i++)
            if (offer->nodes[n]->outputs[i])
                gain +=
                    step_cost + 2 * byte_cost * value_bytes(p, &offer->nodes[n]->outputs[i]->type);
    return gain;
}

static void consider(QnOfferCall *call, const QnOffer *offer)
{
    Choice *choice = call->user;
    QnOffer settled = *offer;
    if (offer->gives_shapes != choice->gives_shapes)
        return;
    if (settled.same_layout)
        settle_layout(choice->p, &settled);
    const double score =
        settled.cost + conversion_cost(choice->p, &settled) - fusion_gain(choice->p, &settled);
    const int ordinal = choice->count++;
    if (choice->is_found &&
        (choice->wanted == choice->taken || (ordinal != choice->wanted && score >= choice->score)))
        return;
    choice->taken = ordinal;
    choice->best = settled;
    choice->score = score;
    choice->is_found = true;
}

static int pitch_of(const QnIrType *type)
{
    const QnDim channels = type->shape.rank > 1 ? type->shape.dims[1] : 0;
    const bool is_small = qn_dim_is_known(channels) && channels < 64;
    return qn_nhwc_pitch(is_small ? channels * (int64_t)qn_type_size(type->element) : 0);
}

QnStatus qn_planner_in_layout(QnPlanner *p, int value, unsigned accepts, int *out)
{
    *out = value;
    if (value < 0 || p->plan->values[value].type.kind != QN_TENSOR)
        return QN_OK;
    if (accepts >> p->plan->values[value].layout.kind & 1)
        return QN_OK;
    const QnLayoutKind wanted = accepts & QN_ACCEPT_PLAIN ? QN_LAYOUT_PLAIN : QN_LAYOUT_NHWC;
    const int cached = p->converted[2 * value + (int)wanted];
    if (cached >= 0 && p->plan->values[cached].segment >= p->segment) {
        *out = cached;
        return QN_OK;
    }
    const QnIrType type = p->plan->values[value].type;
    const int made = qn_planner_add_value(p, NULL, &type, QN_STORE_SLAB);
    if (made < 0)
        return qn_no_memory(p->err);
    p->plan->values[made].name = p->plan->values[value].name;
    p->plan->values[made].layout = (QnLayout){wanted, pitch_of(&type)};
    QnStep *step = qn_planner_add_step(p, QN_STEP_COMPUTE, NULL, &value, 1, &made, 1);
    if (!step)
        return qn_no_memory(p->err);
    step->code = p->plan->device->convert;
    step->data = p->plan->device->convert_data;
    step->kernel = p->plan->device->convert->name;
    step->tier = QN_TIER_TUNED;
    step->cost = step_cost + byte_cost * value_bytes(p, &type);
    p->converted[2 * value + (int)wanted] = made;
    *out = made;
    return QN_OK;
}

/* ---- emitting ---- */

/* Packs a constant, or finds it packed: by an earlier step, or in the plan file. */
static const void *pack(void *user, const QnTensor *constant, const char *kind, size_t size,
                        void (*fill)(void *to, void *context), void *context)
{
    QnPlanner *p = user;
    QnPlan *plan = p->plan;
    const QnPlanMemory *memory = p->request->memory;
    bool is_lost = false;
    for (int i = 0; i < plan->packed_count; i++)
        if (plan->packed[i].constant == constant && plan->packed[i].size == size &&
            !strcmp(plan->packed[i].kind, kind))
            return plan->packed[i].data;
    const void *data = memory ? memory->packed(memory->user, constant, kind, size, &is_lost) : NULL;
    if (is_lost) {
        p->lost_kind = kind;
        return NULL;
    }
    if (!data) {
        void *made = qn_arena_alloc_raw(p->arena, size, 64);
        if (!made)
            return NULL;
        memset(made, 0, size); /* gaps that packings leave go into plan files too */
        fill(made, context);
        data = made;
    }
    if (qn_planner_keep_packed(p, constant, kind, size, data) != QN_OK)
        return NULL;
    plan->weight_bytes += size;
    return data;
}

static QnStatus add_outputs(QnPlanner *p, const QnOffer *offer, int *outputs, int *count, int base)
{
    *count = 0;
    for (int i = 0; i < QN_OFFER_OUTPUTS; i++) {
        outputs[i] = -1;
        if (!offer->outputs[i])
            continue;
        const int id = qn_planner_add_value(p, offer->outputs[i], &offer->outputs[i]->type,
                                            offer->is_view ? QN_STORE_VIEW : QN_STORE_SLAB);
        if (id < 0)
            return qn_no_memory(p->err);
        p->plan->values[id].layout =
            (QnLayout){offer->layouts[i], pitch_of(&offer->outputs[i]->type)};
        p->plan->values[id].base = offer->is_view ? base : -1;
        p->of_value[offer->outputs[i]->id] = id;
        outputs[i] = id;
        *count = i + 1;
    }
    return QN_OK;
}

static QnStatus emit(QnPlanner *p, const QnOffer *offer)
{
    int inputs[QN_OFFER_INPUTS] = {-1}, outputs[QN_OFFER_OUTPUTS], output_count;
    for (int i = 0; i < offer->input_count; i++) {
        inputs[i] = -1;
        if (!offer->inputs[i])
            continue;
        const int value = qn_planner_value(p, offer->inputs[i]);
        if (value < 0)
            return qn_planner_fail_value(p, offer->inputs[i]);
        QN_TRY(qn_planner_in_layout(p, value, offer->accepts[i], &inputs[i]));
    }
    QN_TRY(add_outputs(p, offer, outputs, &output_count, offer->input_count ? inputs[0] : -1));
    QnMake make = {.arena = p->arena, .pack = pack, .user = p, .err = p->err};
    const void *data = offer->context;
    if (offer->make) {
        const QnStatus status = offer->make(offer, &make, &data);
        if (p->lost_kind)
            return qn_fail(
                p->err, QN_UNSUPPORTED,
                "the plan file has no weights packed as %s; build it again from the model",
                p->lost_kind);
        QN_TRY(status);
    }
    QnStep *step =
        qn_planner_add_step(p, offer->is_view ? QN_STEP_VIEW : QN_STEP_COMPUTE, offer->nodes[0],
                            inputs, offer->input_count, outputs, output_count);
    if (!step)
        return qn_no_memory(p->err);
    step->code = offer->code;
    step->kernel = offer->kernel;
    step->tier = offer->tier;
    step->node_count = offer->node_count;
    step->data = data;
    step->cost = offer->cost;
    step->in_place = offer->in_place;
    step->gives_shapes = offer->gives_shapes;
    return offer->gives_shapes ? qn_planner_late_bind(p, NULL, 0) : QN_OK;
}

/* The operator's reference, which may be the portable kernel too: inputs plain, outputs made by the
 * call where their shapes are not known before. */
static QnStatus emit_call(QnPlanner *p, const QnNode *node)
{
    int *inputs, *outputs;
    QN_ALLOC(inputs, &p->scratch, node->input_count);
    QN_ALLOC(outputs, &p->scratch, node->output_count);
    double elements = 0;
    for (int i = 0; i < node->input_count; i++) {
        inputs[i] = -1;
        if (!node->inputs[i].value)
            continue;
        const int value = qn_planner_value(p, node->inputs[i].value);
        if (value < 0)
            return qn_planner_fail_value(p, node->inputs[i].value);
        QN_TRY(qn_planner_in_layout(p, value, QN_ACCEPT_PLAIN, &inputs[i]));
    }
    bool is_late = false;
    for (int i = 0; i < node->output_count; i++) {
        outputs[i] = -1;
        if (!node->outputs[i])
            continue;
        const bool is_tensor = node->outputs[i]->type.kind == QN_TENSOR;
        outputs[i] = qn_planner_add_value(p, node->outputs[i], &node->outputs[i]->type,
                                          is_tensor ? QN_STORE_SLAB : QN_STORE_ASSIGNED);
        if (outputs[i] < 0)
            return qn_no_memory(p->err);
        p->of_value[node->outputs[i]->id] = outputs[i];
        elements += value_bytes(p, &node->outputs[i]->type) / 4;
        is_late = is_late || !qn_planner_is_defined(p, &node->outputs[i]->type);
    }
    QnStep *step = qn_planner_add_step(p, QN_STEP_CALL, node, inputs, node->input_count, outputs,
                                       node->output_count);
    if (!step)
        return qn_no_memory(p->err);
    const bool is_portable = (node->def->traits & QN_OP_PORTABLE) != 0;
    step->kernel = is_portable ? "portable" : "reference";
    step->tier = is_portable ? QN_TIER_PORTABLE : QN_TIER_REFERENCE;
    step->cost =
        step_cost + (is_portable ? portable_element_cost : reference_element_cost) * elements;
    if (node->def->prepare)
        QN_TRY(node->def->prepare(&step->data, node, p->arena, p->err));
    return is_late ? qn_planner_late_bind(p, NULL, 0) : QN_OK;
}

/* ---- choosing ---- */

/* Can steps be planned for the node: are all its values tensors of known rank? */
static bool has_ranks(const QnNode *node)
{
    for (int i = 0; i < node->input_count; i++) {
        const QnIrValue *value = node->inputs[i].value;
        if (value && (value->type.kind != QN_TENSOR || value->type.shape.rank < 0))
            return false;
    }
    for (int i = 0; i < node->output_count; i++)
        if (node->outputs[i] &&
            (node->outputs[i]->type.kind != QN_TENSOR || node->outputs[i]->type.shape.rank < 0))
            return false;
    return true;
}

static bool is_defined(QnPlanner *p, const QnNode *node)
{
    for (int i = 0; i < node->output_count; i++)
        if (node->outputs[i] && !qn_planner_is_defined(p, &node->outputs[i]->type))
            return false;
    return true;
}

/* Outputs whose elements binding knows need no step. */
static bool is_known(QnPlanner *p, const QnNode *node)
{
    for (int i = 0; i < node->output_count; i++)
        if (node->outputs[i] && qn_planner_value(p, node->outputs[i]) < 0)
            return false;
    return true;
}

/* Infers shapes from data at run time, so that a kernel can be bound to them after. */
static QnStatus emit_resolve(QnPlanner *p, const QnNode *node)
{
    int *inputs, *shapes;
    QN_ALLOC(inputs, &p->scratch, node->input_count);
    QN_ALLOC(shapes, &p->scratch, node->output_count);
    for (int i = 0; i < node->input_count; i++) {
        inputs[i] = node->inputs[i].value ? qn_planner_value(p, node->inputs[i].value) : -1;
        if (node->inputs[i].value)
            QN_TRY(qn_planner_in_layout(p, inputs[i], QN_ACCEPT_PLAIN, &inputs[i]));
    }
    for (int i = 0; i < node->output_count; i++) {
        shapes[i] = -1;
        if (!node->outputs[i])
            continue;
        /* A value without data that carries the shape until the kernel's output exists. */
        shapes[i] = qn_planner_add_value(p, NULL, &node->outputs[i]->type, QN_STORE_ASSIGNED);
        if (shapes[i] < 0)
            return qn_no_memory(p->err);
    }
    if (!qn_planner_add_step(p, QN_STEP_RESOLVE, node, inputs, node->input_count, shapes,
                             node->output_count))
        return qn_no_memory(p->err);
    return qn_planner_late_bind(p, NULL, 0);
}

static QnStatus choose(QnPlanner *p, const QnNode *node, bool gives_shapes, Choice *choice)
{
    QnOfferCall call = {
        .device = p->plan->device,
        .node = node,
        .arena = p->arena,
        .sizes = p->sizes,
        .is_taken = offer_is_taken,
        .layout = offer_layout,
        .is_strict = p->request->is_strict,
        .keep_all = p->request->keep_all,
        .user = choice,
        .offer = consider,
        .err = p->err,
    };
    const int *known = p->request->memory ? p->request->memory->decisions : NULL;
    *choice = (Choice){
        .p = p, .taken = -1, .wanted = known ? known[node->id] : -1, .gives_shapes = gives_shapes};
    return p->plan->device->offers(&call);
}

static const QnNode *last_node(const QnOffer *offer)
{
    return offer->nodes[offer->node_count - 1];
}

/* Keeps a choice for all its nodes; it is emitted when the last of them is reached. */
static QnStatus take(QnPlanner *p, const QnOffer *offer)
{
    QnOffer *kept;
    QN_ALLOC(kept, p->arena, 1);
    *kept = *offer;
    for (int i = 0; i < offer->node_count; i++)
        p->chosen[offer->nodes[i]->id] = kept;
    return QN_OK;
}

static QnStatus lower_node(QnPlanner *p, const QnNode *node)
{
    if (!p->chosen[node->id]) {
        if (is_known(p, node))
            return QN_OK;
        if (node->def->traits & QN_OP_CONTROL)
            return qn_planner_lower_control(p, node);
        const int state = qn_planner_growing_state(p, node);
        if (state >= 0)
            return qn_planner_lower_extend(p, node, state);
        if (!has_ranks(node))
            return emit_call(p, node);
        const bool is_dynamic = !is_defined(p, node) && (node->def->traits & QN_OP_DYNAMIC);
        if (!is_dynamic && !is_defined(p, node))
            QN_TRY(emit_resolve(p, node));
        /* e.g. a sum of two symbols, which no single dimension tells */
        if (!is_dynamic && !is_defined(p, node))
            return emit_call(p, node);
        Choice choice;
        QN_TRY(choose(p, node, is_dynamic, &choice));
        if (!choice.is_found)
            return emit_call(p, node);
        QN_TRY(take(p, &choice.best));
        p->plan->decisions[node->id] = choice.taken;
    }
    const QnOffer *offer = p->chosen[node->id];
    return last_node(offer) == node ? emit(p, offer) : QN_OK;
}

QnStatus qn_planner_lower_graph(QnPlanner *p, QnGraph *graph)
{
    for (const QnNode *node = graph->first; node; node = node->next)
        QN_TRY(lower_node(p, node));
    return QN_OK;
}
