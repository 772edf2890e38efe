/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Computes once what several nodes of a graph compute: the same operator with the same attributes
 * of the same values.  Small constants with equal data become one before that.
 */
#include "engine/passes/rewrite.h"

/* Larger constants are told apart by where their data lies: to hash them would read the file. */
static const size_t compared_bytes = (size_t)64 << 10;

typedef struct Slot {
    uint64_t hash;
    QnNode *node;     /* NULL in the table of constants, and where the slot is free */
    QnIrValue *value; /* of the table of constants */
} Slot;

/* An open hash table, at most half full. */
typedef struct Table {
    QnArena *arena;
    Slot *slots; /* [slot_count], a power of two */
    int count, slot_count;
} Table;

typedef bool IsSameFn(const Slot *a, const Slot *b);

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 29;
}

static uint64_t hash_text(uint64_t hash, const char *text, size_t size)
{
    hash = mix(hash, size);
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT64_C(0x100000001b3);
    return hash;
}

/* ---- the table ---- */

static Slot *find(const Table *table, const Slot *wanted, IsSameFn *is_same)
{
    const uint64_t mask = (uint64_t)table->slot_count - 1;
    uint64_t at = wanted->hash & mask;
    for (;; at = (at + 1) & mask) {
        Slot *slot = &table->slots[at];
        if ((!slot->node && !slot->value) ||
            (slot->hash == wanted->hash && is_same && is_same(slot, wanted)))
            return slot;
    }
}

/* Gives what is in the table already and equal to `wanted`, or else enters that. */
static QnStatus find_or_add(Table *table, const Slot *wanted, IsSameFn *is_same, Slot *out)
{
    if (2 * (table->count + 1) > table->slot_count) {
        Table larger = *table;
        larger.slot_count = table->slot_count ? 2 * table->slot_count : 64;
        QN_ALLOC(larger.slots, table->arena, larger.slot_count);
        for (int i = 0; i < table->slot_count; i++)
            if (table->slots[i].node || table->slots[i].value)
                *find(&larger, &table->slots[i], NULL) = table->slots[i];
        *table = larger;
    }
    Slot *slot = find(table, wanted, is_same);
    if (!slot->node && !slot->value) {
        *slot = *wanted;
        table->count++;
    }
    *out = *slot;
    return QN_OK;
}

/* ---- constants ---- */

static bool is_same_constant(const Slot *a, const Slot *b)
{
    const QnTensor *x = a->value->constant, *y = b->value->constant;
    if (a->value->graph != b->value->graph)
        return false;
    if (x->data == y->data && x->type == y->type && x->rank == y->rank &&
        !memcmp(x->dims, y->dims, (size_t)x->rank * sizeof *x->dims))
        return true;
    return qn_pass_bytes(x) <= compared_bytes && qn_tensor_is_same(x, y);
}

static uint64_t hash_constant(const QnTensor *tensor)
{
    return qn_pass_bytes(tensor) <= compared_bytes ? qn_tensor_hash(tensor)
                                                   : mix(1, (uintptr_t)tensor->data);
}

/* Lets all readers of a constant read the first equal one.  The mark says that it has been here. */
static QnStatus share_constant(QnPassCall *call, Table *constants, QnIrValue *value)
{
    const QnTensor *tensor = qn_pass_constant(value);
    Slot first;
    if (!tensor || value->mark)
        return QN_OK;
    const Slot own = {.hash = hash_constant(tensor), .value = value};
    QN_TRY(find_or_add(constants, &own, is_same_constant, &first));
    if (first.value == value) {
        value->mark = value;
        return QN_OK;
    }
    qn_value_replace(value, first.value);
    call->changes++;
    return QN_OK;
}

/* ---- attributes ---- */

static bool is_same_string(const QnString *a, const QnString *b)
{
    return a->size == b->size && (a->size == 0 || !memcmp(a->data, b->data, a->size));
}

static bool is_same_list(const QnAttribute *a, const QnAttribute *b)
{
    const size_t count = (size_t)a->count;
    bool is_same = a->count == b->count;
    if (a->kind == QN_ATTRIBUTE_FLOATS)
        return is_same && (!count || !memcmp(a->floats, b->floats, count * sizeof *a->floats));
    if (a->kind == QN_ATTRIBUTE_INTS)
        return is_same && (!count || !memcmp(a->ints, b->ints, count * sizeof *a->ints));
    if (a->kind != QN_ATTRIBUTE_STRINGS)
        return false; /* lists of tensors and graphs are too rare to compare */
    for (size_t i = 0; is_same && i < count; i++)
        is_same = is_same_string(&a->strings[i], &b->strings[i]);
    return is_same;
}

static bool is_same_attribute(const QnAttribute *a, const QnAttribute *b)
{
    if (a->kind != b->kind)
        return false;
    switch (a->kind) {
    case QN_ATTRIBUTE_FLOAT:
        return !memcmp(&a->f, &b->f, sizeof a->f);
    case QN_ATTRIBUTE_INT:
        return a->i == b->i;
    case QN_ATTRIBUTE_STRING:
        return is_same_string(&a->s, &b->s);
    case QN_ATTRIBUTE_TENSOR:
        return qn_tensor_is_same(a->tensor, b->tensor);
    default:
        return is_same_list(a, b);
    }
}

/* Few attributes, in any order. */
static bool has_same_attributes(const QnNode *a, const QnNode *b)
{
    if (a->attribute_count != b->attribute_count)
        return false;
    for (int i = 0; i < a->attribute_count; i++) {
        const QnAttribute *other = qn_node_attribute(b, a->attributes[i].name);
        if (!other || !is_same_attribute(&a->attributes[i], other))
            return false;
    }
    return true;
}

/* ---- nodes ---- */

static bool is_swappable(const QnNode *node)
{
    return (node->def->traits & QN_OP_COMMUTATIVE) && node->input_count == 2;
}

static bool has_same_inputs(const QnNode *a, const QnNode *b)
{
    if (a->input_count != b->input_count)
        return false;
    if (is_swappable(a) && a->inputs[0].value == b->inputs[1].value &&
        a->inputs[1].value == b->inputs[0].value)
        return true;
    for (int i = 0; i < a->input_count; i++)
        if (a->inputs[i].value != b->inputs[i].value)
            return false;
    return true;
}

static bool is_same_node(const Slot *a, const Slot *b)
{
    const QnNode *x = a->node, *y = b->node;
    if (x->def != y->def || x->output_count != y->output_count || !has_same_inputs(x, y) ||
        !has_same_attributes(x, y))
        return false;
    for (int i = 0; i < x->output_count; i++)
        if (!x->outputs[i] && y->outputs[i])
            return false;
    return true;
}

/* Says the same of attributes in any order. */
static uint64_t hash_attribute(const QnAttribute *a)
{
    uint64_t hash = hash_text((uint64_t)a->kind, a->name, strlen(a->name));
    if (a->kind == QN_ATTRIBUTE_INT || a->kind == QN_ATTRIBUTE_FLOAT)
        return mix(hash, (uint64_t)a->i); /* the bits of either */
    if (a->kind == QN_ATTRIBUTE_STRING)
        return hash_text(hash, a->s.data, a->s.size);
    for (int i = 0; a->kind == QN_ATTRIBUTE_INTS && i < a->count; i++)
        hash = mix(hash, (uint64_t)a->ints[i]);
    return mix(hash, (uint64_t)a->count);
}

static uint64_t hash_node(const QnNode *node)
{
    uint64_t hash = hash_text(1, node->op, strlen(node->op)), attributes = 0;
    for (int i = 0; i < node->attribute_count; i++)
        attributes += hash_attribute(&node->attributes[i]);
    hash = mix(hash, attributes);
    uint64_t pair[2] = {0};
    for (int i = 0; i < node->input_count; i++) {
        const uint64_t id = node->inputs[i].value ? (uint64_t)node->inputs[i].value->id + 1 : 0;
        if (is_swappable(node))
            pair[i] = mix(1, id);
        else
            hash = mix(hash, id);
    }
    return mix(hash, pair[0] + pair[1]);
}

static bool may_share(const QnNode *node)
{
    return node->def && !(node->def->traits & (QN_OP_RANDOM | QN_OP_CONTROL)) &&
           !qn_node_graph(node, 0) && node->input_count > 0;
}

static QnStatus share_node(QnPassCall *call, Table *nodes, QnNode *node)
{
    Slot first;
    const Slot own = {.hash = hash_node(node), .node = node};
    QN_TRY(find_or_add(nodes, &own, is_same_node, &first));
    if (first.node == node)
        return QN_OK;
    for (int i = 0; i < node->output_count; i++)
        if (node->outputs[i])
            qn_value_replace(node->outputs[i], first.node->outputs[i]);
    qn_node_remove(node);
    call->changes++;
    return QN_OK;
}

/* Nodes are shared within their own graph, so that none is asked for where it is not visible. */
static QnStatus share_in_graph(QnPassCall *call, QnGraph *graph, Table *constants, QnArena *arena)
{
    Table nodes = {.arena = arena};
    for (QnNode *node = graph->first, *next; node; node = next) {
        QnGraph *inner;
        next = node->next;
        for (int i = 0; i < node->input_count; i++)
            QN_TRY(share_constant(call, constants, node->inputs[i].value));
        for (int i = 0; (inner = qn_node_graph(node, i)); i++)
            QN_TRY(share_in_graph(call, inner, constants, arena));
        if (may_share(node))
            QN_TRY(share_node(call, &nodes, node));
    }
    return QN_OK;
}

static QnStatus run(QnPassCall *call)
{
    QnArena arena;
    qn_arena_init(&arena, call->module->arena.allocator);
    Table constants = {.arena = &arena};
    const QnStatus status = share_in_graph(call, call->module->main, &constants, &arena);
    for (int i = 0; i < constants.slot_count; i++)
        if (constants.slots[i].value)
            constants.slots[i].value->mark = NULL;
    qn_arena_finish(&arena);
    return status;
}

const QnPass qn_pass_cse = {
    .name = "cse",
    .what = "computes common subexpressions once; results stay bit-equal",
    .keeps_onnx = true,
    .is_exact = true,
    .run = run,
};
