/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/fuse.h"

#include <math.h>

bool qn_cpu_is_per_channel(const QnIrValue *value, int rank, int axis, int64_t count)
{
    if (!qn_cpu_is_constant(value) || value->constant->type != QN_FLOAT ||
        value->constant->rank > rank)
        return false;
    const QnTensor *tensor = value->constant;
    for (int d = 0; d < tensor->rank; d++) {
        const bool is_axis = d + rank - tensor->rank == axis;
        if (tensor->dims[d] != (is_axis ? count : 1))
            return false;
    }
    /* The axis must be there, unless there is one channel only. */
    return rank - tensor->rank <= axis || count == 1;
}

/* ---- activations: one row each ---- */

typedef bool ReadFn(const QnNode *node, QnEpilogue *epilogue);

static bool read_plain(const QnNode *node, QnEpilogue *epilogue)
{
    (void)node;
    (void)epilogue;
    return true;
}

static bool read_alpha(const QnNode *node, QnEpilogue *epilogue)
{
    epilogue->p = (float)qn_op_float(node, "alpha");
    return true;
}

static bool read_alpha_beta(const QnNode *node, QnEpilogue *epilogue)
{
    epilogue->p = (float)qn_op_float(node, "alpha");
    epilogue->q = (float)qn_op_float(node, "beta");
    return true;
}

static bool read_exact_gelu(const QnNode *node, QnEpilogue *epilogue)
{
    (void)epilogue;
    return qn_op_string_is(node, "approximate", "none");
}

/* Bounds that are constants, or absent. */
static bool read_bounds(const QnNode *node, QnEpilogue *epilogue)
{
    double low = -INFINITY, high = INFINITY;
    const QnIrValue *least = qn_node_input(node, 1), *most = qn_node_input(node, 2);
    if ((least && !qn_cpu_scalar(least, &low)) || (most && !qn_cpu_scalar(most, &high)))
        return false;
    epilogue->p = (float)low;
    epilogue->q = (float)high;
    return true;
}

static const struct Row {
    const char *op;
    QnActivation activation;
    ReadFn *read;
} rows[] = {
    {"Relu", QN_ACTIVATION_RELU, read_plain},
    {"Clip", QN_ACTIVATION_CLIP, read_bounds},
    {"LeakyRelu", QN_ACTIVATION_LEAKY, read_alpha},
    {"HardSigmoid", QN_ACTIVATION_HARD_SIGMOID, read_alpha_beta},
    {"HardSwish", QN_ACTIVATION_HARD_SWISH, read_plain},
    {"Sigmoid", QN_ACTIVATION_SIGMOID, read_plain},
    {"Tanh", QN_ACTIVATION_TANH, read_plain},
    {"Gelu", QN_ACTIVATION_GELU, read_exact_gelu},
};

static bool take_activation(const QnNode *node, QnCpuFused *fused)
{
    if (fused->epilogue.activation != QN_ACTIVATION_NONE)
        return false;
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++)
        if (!strcmp(rows[i].op, node->op) && !*node->domain &&
            rows[i].read(node, &fused->epilogue)) {
            fused->epilogue.activation = rows[i].activation;
            return true;
        }
    return false;
}

/* x * sigmoid(x), where nobody else reads x or its sigmoid.  Gives the two nodes. */
static bool find_silu(const QnOfferCall *call, const QnIrValue *x, const QnNode **sigmoid,
                      const QnNode **product)
{
    const QnUse *first = x->uses, *second = first ? first->next : NULL;
    if (call->keep_all || !second || second->next || !first->node || !second->node)
        return false;
    *sigmoid = !strcmp(first->node->op, "Sigmoid") ? first->node : second->node;
    *product = *sigmoid == first->node ? second->node : first->node;
    if (strcmp((*sigmoid)->op, "Sigmoid") != 0 || strcmp((*product)->op, "Mul") != 0 ||
        (*sigmoid)->graph != x->graph || (*product)->graph != x->graph ||
        call->is_taken(call, *sigmoid) || call->is_taken(call, *product))
        return false;
    const QnIrValue *gate = (*sigmoid)->outputs[0];
    return gate && qn_value_count_uses(gate) == 1 &&
           (qn_node_input(*product, 0) == gate || qn_node_input(*product, 1) == gate);
}

/* ---- additions ---- */

static bool has_type_of(const QnIrValue *a, const QnIrValue *b)
{
    if (a->type.kind != QN_TENSOR || a->type.element != b->type.element ||
        a->type.shape.rank != b->type.shape.rank)
        return false;
    for (int d = 0; d < a->type.shape.rank; d++)
        if (a->type.shape.dims[d] != b->type.shape.dims[d])
            return false;
    return true;
}

/* Sum takes any number; of two it is Add. */
static bool is_addition(const QnNode *node)
{
    return !strcmp(node->op, "Add") || (!strcmp(node->op, "Sum") && node->input_count == 2);
}

static bool take_addition(const QnNode *node, QnCpuFused *fused, int channel_axis)
{
    if (!is_addition(node) || fused->residual)
        return false;
    const QnIrValue *other =
        qn_node_input(node, 0) == fused->result ? qn_node_input(node, 1) : qn_node_input(node, 0);
    const QnShape *shape = &fused->result->type.shape;
    if (other == fused->result || !has_type_of(node->outputs[0], fused->result))
        return false;
    const bool is_first = fused->epilogue.activation == QN_ACTIVATION_NONE;
    if (is_first && !fused->bias && qn_dim_is_known(shape->dims[channel_axis]) &&
        qn_cpu_is_per_channel(other, shape->rank, channel_axis, shape->dims[channel_axis])) {
        fused->bias = other;
        return true;
    }
    if (!has_type_of(other, fused->result) || qn_cpu_is_constant(other))
        return false;
    fused->residual = other;
    fused->epilogue.beta = 1;
    fused->epilogue.residual_last = !is_first;
    return true;
}

static bool add_node(QnOffer *offer, const QnNode *node)
{
    if (offer->node_count == QN_OFFER_NODES)
        return false;
    offer->nodes[offer->node_count++] = node;
    return true;
}

void qn_cpu_fuse(const QnOfferCall *call, QnOffer *offer, QnCpuFused *fused, int channel_axis)
{
    for (;;) {
        const QnNode *next, *product;
        if (fused->epilogue.activation == QN_ACTIVATION_NONE &&
            find_silu(call, fused->result, &next, &product)) {
            if (!add_node(offer, next) || !add_node(offer, product))
                return;
            fused->epilogue.activation = QN_ACTIVATION_SILU;
            fused->result = product->outputs[0];
            continue;
        }
        next = qn_cpu_next(call, fused->result, NULL);
        if (!next || !next->outputs[0] || fused->epilogue.residual_last)
            return;
        if (qn_node_input(next, 0) != fused->result && !is_addition(next))
            return;
        if (!take_activation(next, fused) && !take_addition(next, fused, channel_axis))
            return;
        if (!add_node(offer, next))
            return;
        fused->result = next->outputs[0];
    }
}
