/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/passes/rewrite.h"

#include <math.h>

#include "base/checked.h"

/* A rule set that goes in circles is a bug; this many rounds per node bound its cost. */
enum { ROUNDS = 16 };

/* Applies the first rule that fits. */
static QnStatus apply_one(QnPassCall *call, const QnRule *rules, int count, QnNode *node)
{
    const int before = call->changes;
    for (int r = 0; r < count && call->changes == before; r++)
        if (!rules[r].op || qn_pass_is(node, rules[r].op))
            QN_TRY(rules[r].apply(call, node));
    return QN_OK;
}

QnStatus qn_rules_run(QnPassCall *call, const QnRule *rules, int count)
{
    QnNode *next;
    for (QnNode *node = qn_module_walk(call->module, NULL); node; node = next) {
        next = qn_module_walk(call->module, node);
        if (qn_node_graph(node, 0))
            continue; /* its successor stands inside it */
        for (int round = 0, before = -1; round < ROUNDS && node->graph && before != call->changes;
             round++) {
            before = call->changes;
            QN_TRY(apply_one(call, rules, count, node));
        }
    }
    return QN_OK;
}

/* ---- looking ---- */

const QnTensor *qn_pass_constant(const QnIrValue *value)
{
    return value && !value->is_default ? value->constant : NULL;
}

bool qn_pass_scalar(const QnIrValue *value, double *out)
{
    const QnTensor *tensor = qn_pass_constant(value);
    if (!tensor || tensor->type == QN_STRING || qn_tensor_count(tensor) != 1)
        return false;
    *out = qn_tensor_get(tensor, 0);
    return true;
}

bool qn_pass_is_scalar(const QnIrValue *value, double wanted)
{
    double found;
    if (!qn_pass_scalar(value, &found))
        return false;
    const bool is_wide = value->constant->type == QN_FLOAT || value->constant->type == QN_DOUBLE;
    return fabs(found - wanted) <= (is_wide ? 1e-5 : 4e-3) * fabs(wanted);
}

int qn_pass_ints(const QnIrValue *value, int64_t *out, int capacity)
{
    const QnTensor *tensor = qn_pass_constant(value);
    if (!tensor || !qn_type_is_integer(tensor->type) || qn_tensor_count(tensor) > capacity)
        return -1;
    const int count = (int)qn_tensor_count(tensor);
    for (int i = 0; i < count; i++)
        out[i] = qn_tensor_get_int(tensor, i);
    return count;
}

bool qn_pass_is(const QnNode *node, const char *op)
{
    return node && !*node->domain && !strcmp(node->op, op);
}

QnNode *qn_pass_maker(const QnIrValue *value, const char *op)
{
    return value && qn_pass_is(value->node, op) ? value->node : NULL;
}

bool qn_pass_is_private(const QnIrValue *value)
{
    const QnUse *use = value->uses;
    return use && !use->next && use->node && use->node->graph == value->graph;
}

bool qn_pass_is_alike(const QnIrValue *a, const QnIrValue *b)
{
    const QnIrType *x = &a->type, *y = &b->type;
    if (x->kind != QN_TENSOR || y->kind != QN_TENSOR || x->element != y->element ||
        x->shape.rank < 0 || x->shape.rank != y->shape.rank)
        return false;
    for (int d = 0; d < x->shape.rank; d++)
        if (!qn_dim_is_equal(x->shape.dims[d], y->shape.dims[d]))
            return false;
    return true;
}

bool qn_pass_is_static(const QnIrType *type)
{
    if (type->kind != QN_TENSOR || type->shape.rank < 0 || type->element == QN_UNDEFINED)
        return false;
    for (int d = 0; d < type->shape.rank; d++)
        if (!qn_dim_is_known(type->shape.dims[d]))
            return false;
    return true;
}

size_t qn_pass_bytes(const QnTensor *tensor)
{
    return (size_t)qn_tensor_count(tensor) * qn_type_size(tensor->type);
}

/* ---- changing ---- */

static bool is_unread(const QnNode *node)
{
    for (int i = 0; i < node->output_count; i++)
        if (node->outputs[i] && node->outputs[i]->uses)
            return false;
    return true;
}

/* The nodes to remove hang together by their marks; each comes there when its last reader goes. */
void qn_pass_prune(QnNode *node)
{
    QnNode *pending = is_unread(node) ? node : NULL;
    node->mark = NULL;
    while (pending) {
        QnNode *dead = pending;
        pending = dead->mark;
        for (int i = 0; i < dead->input_count; i++) {
            QnIrValue *read = dead->inputs[i].value;
            qn_use_set(&dead->inputs[i], NULL);
            QnNode *maker = read && !read->uses ? read->node : NULL;
            if (!maker || maker == dead || !is_unread(maker))
                continue;
            maker->mark = pending;
            pending = maker;
        }
        qn_node_remove(dead);
    }
}

void qn_pass_replace(QnPassCall *call, QnNode *node, QnIrValue *value)
{
    qn_value_replace(node->outputs[0], value);
    qn_pass_prune(node);
    call->changes++;
}

/* Sets the inputs one by one; makers that lose their last reader are pruned after all are set,
 * since a new input may come from behind an old one. */
static QnStatus set_inputs(QnPassCall *call, QnNode *node, QnIrValue *const *inputs, int count)
{
    QnIrValue *before[8], *after[8];
    const int old = node->input_count;
    assert(count <= 8);
    if (old > 8)
        return qn_fail(call->err, QN_UNSUPPORTED, "%s with %d inputs", node->op, old);
    for (int i = 0; i < count; i++)
        after[i] = inputs[i];
    for (int i = 0; i < old; i++)
        before[i] = node->inputs[i].value;
    QN_TRY(qn_node_resize_inputs(node, count));
    for (int i = 0; i < count; i++)
        qn_use_set(&node->inputs[i], after[i]);
    for (int i = 0; i < old; i++)
        if (before[i] && !before[i]->uses && before[i]->node && before[i]->node->graph)
            qn_pass_prune(before[i]->node);
    return QN_OK;
}

QnStatus qn_pass_become(QnPassCall *call, QnNode *node, const char *op, QnIrValue *const *inputs,
                        int input_count)
{
    QnArena *arena = &call->module->arena;
    const char *name = qn_arena_copy_text(arena, op, strlen(op));
    if (!name)
        return QN_NO_MEMORY;
    QN_TRY(set_inputs(call, node, inputs, input_count));
    while (node->attribute_count)
        qn_node_unset(node, node->attributes[0].name);
    node->op = name;
    node->domain = "";
    node->def = qn_op_find("", op);
    node->origin.op = name;
    node->origin.domain = "";
    node->origin.since = 0;
    call->changes++;
    return QN_OK;
}

void qn_pass_absorb(QnPassCall *call, QnNode *maker, QnNode *node)
{
    QnIrValue *own = maker->outputs[0], *taken = node->outputs[0];
    maker->outputs[0] = taken;
    taken->node = maker;
    node->outputs[0] = NULL;
    own->node = NULL;
    taken->output = 0;
    /* Nothing of the maker may be pruned with the node: it is no longer what makes `own`. */
    qn_pass_prune(node);
    call->changes++;
}

QnStatus qn_pass_new_tensor(QnPassCall *call, QnTensor *out, QnType type, int rank,
                            const int64_t *dims)
{
    size_t size = qn_type_size(type);
    for (int d = 0; d < rank; d++)
        if (dims[d] < 0 || !qn_mul_size(&size, size, (size_t)dims[d]))
            return QN_NO_MEMORY;
    void *data = qn_arena_alloc_raw(&call->module->arena, size ? size : 1, 64);
    if (!data)
        return QN_NO_MEMORY;
    *out = qn_tensor(type, rank, dims, data);
    return QN_OK;
}
