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
static QnStatus check_dims(const QnPlanValue *value, const QnTensor *tensor, QnError *err)
{
    const QnShape *shape = &value->type.shape;
    size_t bytes = qn_type_size(tensor->type);
    for (int d = 0; d < tensor->rank; d++) {
        const QnDim wanted = shape->rank >= 0 ? shape->dims[d] : -1;
        if (tensor->dims[d] < 0 || !qn_mul_size(&bytes, bytes, (size_t)tensor->dims[d]))
            return qn_fail(err, QN_BAD_TENSOR, "input '%s': dimension %d is %lld, expected a size",
                           value->name, d, (long long)tensor->dims[d]);
        if (wanted >= 0 && tensor->dims[d] != wanted)
            return qn_fail(err, QN_BAD_TENSOR, "input '%s': dimension %d is %lld, expected %lld",
                           value->name, d, (long long)tensor->dims[d], (long long)wanted);
    }
    if (bytes && !tensor->data)
        return qn_fail(err, QN_BAD_TENSOR, "input '%s' has no data, expected %zu bytes",
                       value->name, bytes);
    return QN_OK;
}

/* An input against its declared type; `given` may be QN_NONE where a default or a state stands in.
 */
static QnStatus check_input(const QnPlan *plan, int i, const QnValue *given, QnError *err)
{
    const QnPlanValue *value = &plan->values[plan->inputs[i]];
    const QnIrType *type = &value->type;
    if (type->kind != given->kind && type->kind != QN_NONE)
        return qn_fail(err, QN_BAD_TENSOR, "input '%s' is %s, expected %s", value->name,
                       kind_name(given->kind), kind_name(type->kind));
    if (given->kind != QN_TENSOR)
        return QN_OK;
    const QnTensor *tensor = &given->tensor;
    if (type->element && tensor->type != type->element)
        return qn_fail(err, QN_BAD_TENSOR, "input '%s' has type %s, expected %s", value->name,
                       qn_type_name(tensor->type), qn_type_name(type->element));
    if (type->shape.rank >= 0 && tensor->rank != type->shape.rank)
        return qn_fail(err, QN_BAD_TENSOR, "input '%s' has rank %d, expected %d", value->name,
                       tensor->rank, type->shape.rank);
    if (tensor->rank < 0 || tensor->rank > QN_MAX_RANK)
        return qn_fail(err, QN_BAD_TENSOR, "input '%s' has rank %d, expected 0 to %d", value->name,
                       tensor->rank, QN_MAX_RANK);
    return check_dims(value, tensor, err);
}

QnStatus qn_inputs_check(const QnPlan *plan, const QnValue *inputs, QnError *err)
{
    for (int i = 0; i < plan->input_count; i++)
        QN_TRY(check_input(plan, i, &inputs[i], err));
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
