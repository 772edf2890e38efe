/* SPDX-License-Identifier: Apache-2.0 */
/* What a caller gives, against what the model declares: the sentences are for people. */
#include "base/checked.h"
#include "engine/run/session.h"

static const char *kind_name(QnKind kind)
{
    static const char *const names[] = {"nothing", "a tensor", "a sequence", "an optional",
                                        "a map"};
    return (unsigned)kind < QN_COUNT_OF(names) ? names[kind] : "something else";
}

/* The sizes of a given tensor against those declared. */
static QnStatus check_dims(const char *name, const QnShape *shape, const QnTensor *tensor,
                           QnError *err)
{
    size_t bytes = qn_type_size(tensor->type);
    for (int d = 0; d < tensor->rank; d++) {
        const QnDim wanted = shape->rank > d ? shape->dims[d] : -1;
        if (tensor->dims[d] < 0 || !qn_mul_size(&bytes, bytes, (size_t)tensor->dims[d]))
            return qn_fail(err, QN_BAD_TENSOR, "input '%s': dimension %d is %lld, expected a size",
                           name, d, (long long)tensor->dims[d]);
        if (wanted >= 0 && tensor->dims[d] != wanted)
            return qn_fail(err, QN_BAD_TENSOR, "input '%s': dimension %d is %lld, expected %lld",
                           name, d, (long long)tensor->dims[d], (long long)wanted);
    }
    if (bytes && !tensor->data)
        return qn_fail(err, QN_BAD_TENSOR, "input '%s' has no data, expected %zu bytes", name,
                       bytes);
    return QN_OK;
}

static QnStatus check_tensor(const char *name, const QnIrType *type, const QnTensor *tensor,
                             QnError *err)
{
    if (type->element ? tensor->type != type->element : !qn_type_size(tensor->type))
        return qn_fail(err, QN_BAD_TENSOR, "input '%s' has type %s, expected %s", name,
                       qn_type_name(tensor->type),
                       type->element ? qn_type_name(type->element) : "a known one");
    if (type->kind == QN_TENSOR && type->shape.rank >= 0 && tensor->rank != type->shape.rank)
        return qn_fail(err, QN_BAD_TENSOR, "input '%s' has rank %d, expected %d", name,
                       tensor->rank, type->shape.rank);
    if (tensor->rank < 0 || tensor->rank > QN_MAX_RANK)
        return qn_fail(err, QN_BAD_TENSOR, "input '%s' has rank %d, expected 0 to %d", name,
                       tensor->rank, QN_MAX_RANK);
    if (tensor->place.device || tensor->place.memory)
        return qn_fail(err, QN_BAD_TENSOR,
                       "input '%s' lies in memory %d of device %d, expected the host's", name,
                       tensor->place.memory, tensor->place.device);
    return check_dims(name, &type->shape, tensor, err);
}

/* How many items a collection has, against what its kind may have. */
static QnStatus check_count(const char *name, const QnValue *given, QnError *err)
{
    const int64_t least = given->kind == QN_MAP ? 2 : 0;
    const int64_t most = given->kind == QN_SEQUENCE ? INT64_MAX : given->kind == QN_MAP ? 2 : 1;
    if (given->count < least || given->count > most || (given->count > 0 && !given->items))
        return qn_fail(err, QN_BAD_TENSOR, "input '%s' holds %s with %lld items%s", name,
                       kind_name(given->kind), (long long)given->count,
                       given->count > 0 && !given->items ? ", but no memory of them" : "");
    return QN_OK;
}

static QnStatus check_value(const char *name, const QnIrType *type, const QnValue *given,
                            QnError *err);

/* Keys are a tensor of one dimension; values a tensor, or a sequence, of as many. */
static QnStatus check_map(const char *name, const QnIrType *type, const QnValue *given,
                          QnError *err)
{
    QnIrType list = {
        .kind = QN_TENSOR, .element = type->element, .shape = {.rank = 1, .dims = {-1}}};
    const QnIrType sequence = {.kind = QN_SEQUENCE, .item = type->item};
    const QnValue *keys = &given->items[0], *values = &given->items[1];
    QN_TRY(check_value(name, &list, keys, err));
    list.element = type->item && type->item->kind == QN_TENSOR ? type->item->element : QN_UNDEFINED;
    QN_TRY(check_value(name, values->kind == QN_TENSOR ? &list : &sequence, values, err));
    const int64_t count = values->kind == QN_TENSOR ? values->tensor.dims[0] : values->count;
    if (count != keys->tensor.dims[0])
        return qn_fail(err, QN_BAD_TENSOR, "input '%s': a map has %lld keys, but %lld values", name,
                       (long long)keys->tensor.dims[0], (long long)count);
    return QN_OK;
}

/* A value, and all in it, against a declared type; what is not declared passes. */
static QnStatus check_value(const char *name, const QnIrType *type, const QnValue *given,
                            QnError *err)
{
    static const QnIrType anything = {.kind = QN_NONE, .shape = {.rank = -1}};
    if (type->kind != given->kind && type->kind != QN_NONE)
        return qn_fail(err, QN_BAD_TENSOR, "input '%s' is %s, expected %s", name,
                       kind_name(given->kind), kind_name(type->kind));
    if (given->kind == QN_NONE)
        return QN_OK;
    if (given->kind == QN_TENSOR)
        return check_tensor(name, type, &given->tensor, err);
    QN_TRY(check_count(name, given, err));
    if (given->kind == QN_MAP)
        return check_map(name, type, given, err);
    for (int64_t i = 0; i < given->count; i++)
        QN_TRY(check_value(name, type->item ? type->item : &anything, &given->items[i], err));
    return QN_OK;
}

QnStatus qn_inputs_check(const QnPlan *plan, const QnValue *inputs, QnError *err)
{
    for (int i = 0; i < plan->input_count; i++)
        QN_TRY(check_value(plan->values[plan->inputs[i]].name, &plan->values[plan->inputs[i]].type,
                           &inputs[i], err));
    return QN_OK;
}

QnStatus qn_inputs_read_symbols(const QnPlan *plan, const QnValue *inputs, int64_t *rows,
                                QnError *err)
{
    for (int s = 0; s < plan->symbol_count; s++)
        rows[plan->symbols[s].row] = QN_DIM_UNKNOWN;
    for (int s = 0; s < plan->symbol_count; s++) {
        const QnInputSymbol *symbol = &plan->symbols[s];
        const int64_t size = inputs[symbol->input].tensor.dims[symbol->axis];
        if (rows[symbol->row] >= 0 && rows[symbol->row] != size)
            return qn_fail(
                err, QN_BAD_TENSOR, "input '%s': dimension %d is %lld, but '%s' is %lld elsewhere",
                plan->values[plan->inputs[symbol->input]].name, symbol->axis, (long long)size,
                plan->module->dims.rows[symbol->row].name, (long long)rows[symbol->row]);
        rows[symbol->row] = size;
    }
    return QN_OK;
}

QnStatus qn_inputs_check_expressions(const QnPlan *plan, const QnValue *inputs, const int64_t *rows,
                                     QnError *err)
{
    const QnDims *dims = &plan->module->dims;
    for (int s = 0; s < plan->symbol_count; s++) {
        const QnInputSymbol *symbol = &plan->symbols[s];
        const int64_t size = inputs[symbol->input].tensor.dims[symbol->axis];
        char text[128];
        if (dims->rows[symbol->row].op == QN_DIM_SYMBOL || rows[symbol->row] == size)
            continue;
        qn_dim_print(dims, -1 - (QnDim)symbol->row, text, sizeof text);
        return qn_fail(err, QN_BAD_TENSOR, "input '%s': dimension %d is %lld, expected %s",
                       plan->values[plan->inputs[symbol->input]].name, symbol->axis,
                       (long long)size, text);
    }
    return QN_OK;
}
