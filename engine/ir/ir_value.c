/* SPDX-License-Identifier: Apache-2.0 */
/* What flows between nodes: values, their names, constants, and contents known as dimensions. */
#include <stdio.h>
#include <string.h>

#include "engine/ir/graph.h"

typedef struct QnNameSlot NameSlot;

/* --- names --- */

static uint64_t hash_name(const char *name)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
    for (; *name; name++)
        hash = (hash ^ (unsigned char)*name) * UINT64_C(0x100000001b3);
    return hash ^ hash >> 32;
}

/* The slot of a name, or the free one where it belongs. */
static NameSlot *find_slot(const QnNames *names, const char *name)
{
    const uint64_t mask = (uint64_t)names->slot_count - 1;
    uint64_t at = hash_name(name) & mask;
    while (names->slots[at].name && strcmp(names->slots[at].name, name) != 0)
        at = (at + 1) & mask;
    return &names->slots[at];
}

static QnStatus grow_names(QnNames *names, QnArena *arena)
{
    if (2 * (names->count + 1) <= names->slot_count)
        return QN_OK;
    QnNames larger = {.count = names->count,
                      .slot_count = names->slot_count ? 2 * names->slot_count : 64};
    QN_ALLOC(larger.slots, arena, larger.slot_count);
    for (int i = 0; i < names->slot_count; i++)
        if (names->slots[i].name)
            *find_slot(&larger, names->slots[i].name) = names->slots[i];
    *names = larger;
    return QN_OK;
}

/* Calls a value "%<id>", or where the model has that name,
 * "%<number>" with a number that only grows. */
static QnStatus make_up_name(QnIrValue *value)
{
    QnModule *module = value->graph->module;
    char name[16];
    int number = value->id;
    NameSlot *slot;
    QN_TRY(grow_names(&module->names, &module->arena));
    for (;;) {
        (void)snprintf(name, sizeof name, "%%%d", number);
        slot = find_slot(&module->names, name);
        if (!slot->name)
            break;
        number = module->names.next++;
    }
    const char *copy = qn_arena_copy_text(&module->arena, name, strlen(name));
    if (!copy)
        return QN_NO_MEMORY;
    *slot = (NameSlot){copy, value};
    module->names.count++;
    value->name = copy;
    return QN_OK;
}

QnStatus qn_value_set_name(QnIrValue *value, const char *name)
{
    if (!name)
        return make_up_name(value);
    QnModule *module = value->graph->module;
    QN_TRY(grow_names(&module->names, &module->arena));
    NameSlot *slot = find_slot(&module->names, name);
    QnIrValue *rival = slot->made_up;
    if (!slot->name) {
        slot->name = qn_arena_copy_text(&module->arena, name, strlen(name));
        if (!slot->name)
            return QN_NO_MEMORY;
        module->names.count++;
    }
    name = slot->name;
    /* The model's name goes before one that was made up earlier. */
    slot->made_up = NULL;
    if (rival && rival != value && rival->name == name)
        QN_TRY(make_up_name(rival));
    value->name = name;
    return QN_OK;
}

bool qn_value_is_made_up(const QnIrValue *value)
{
    const char *digits = value->name + 1;
    return value->name[0] == '%' && *digits && digits[strspn(digits, "0123456789")] == 0;
}

/* --- values --- */

QnIrValue *qn_value_create(QnGraph *graph, const char *name, const QnIrType *type)
{
    QnModule *module = graph->module;
    QnIrValue *value = qn_arena_alloc(&module->arena, sizeof *value);
    if (!value)
        return NULL;
    value->id = module->value_count++;
    value->graph = graph;
    value->type = type ? *type : (QnIrType){.shape = qn_shape_unknown()};
    return qn_value_set_name(value, name) == QN_OK ? value : NULL;
}

QnStatus qn_value_set_content(QnIrValue *value, const QnDim *entries, int count)
{
    if (count > QN_CONTENT_LIMIT)
        return QN_OK;
    QnDim *content;
    QN_ALLOC(content, &value->graph->module->arena, count);
    if (count)
        memcpy(content, entries, (size_t)count * sizeof *content);
    value->content = content;
    value->content_count = count;
    return QN_OK;
}

/* The elements of a small integer tensor as dims.  Data from a file is of any alignment. */
static QnStatus set_content_of(QnIrValue *value, const QnTensor *tensor)
{
    QnDims *dims = &value->graph->module->dims;
    QnDim entries[QN_CONTENT_LIMIT];
    const int64_t count = tensor->rank <= 1 ? qn_tensor_count(tensor) : QN_CONTENT_LIMIT + 1;
    if ((tensor->type != QN_INT64 && tensor->type != QN_INT32) || count > QN_CONTENT_LIMIT ||
        (count > 0 && !tensor->data))
        return QN_OK;
    for (int i = 0; i < (int)count; i++) {
        const uint8_t *at = (const uint8_t *)tensor->data + (size_t)i * qn_type_size(tensor->type);
        const int64_t element =
            tensor->type == QN_INT64 ? (int64_t)qn_load_u64(at) : (int64_t)(int32_t)qn_load_u32(at);
        entries[i] = qn_dim_number(dims, element);
    }
    return dims->failed ? QN_NO_MEMORY : qn_value_set_content(value, entries, (int)count);
}

QnStatus qn_value_set_constant(QnIrValue *value, const QnTensor *tensor)
{
    QnTensor *copy;
    QN_ALLOC(copy, &value->graph->module->arena, 1);
    *copy = *tensor;
    value->content = NULL;
    value->content_count = 0;
    QN_TRY(set_content_of(value, copy));
    value->type =
        (QnIrType){.kind = QN_TENSOR, .element = copy->type, .shape = {.rank = copy->rank}};
    for (int i = 0; i < copy->rank; i++)
        value->type.shape.dims[i] = copy->dims[i];
    value->constant = copy;
    return QN_OK;
}

QnIrValue *qn_value_create_constant(QnGraph *graph, const char *name, const QnTensor *tensor)
{
    QnIrValue *value = qn_value_create(graph, name, NULL);
    return value && qn_value_set_constant(value, tensor) == QN_OK ? value : NULL;
}

QnIrValue *qn_value_create_ints(QnGraph *graph, const int64_t *values, int count, int rank)
{
    int64_t *data = qn_arena_array(&graph->module->arena, (size_t)count, sizeof *data);
    if (!data)
        return NULL;
    if (count)
        memcpy(data, values, (size_t)count * sizeof *data);
    const QnTensor tensor = qn_tensor(QN_INT64, rank, &(int64_t){count}, data);
    return qn_value_create_constant(graph, NULL, &tensor);
}
