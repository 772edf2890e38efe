/* SPDX-License-Identifier: Apache-2.0 */
/* The machinery of shape inference: what the infer functions of the operator tables are written
 * with. */
#include "engine/ops/op.h"

#include <stdio.h>

/* ---- reading the inputs ---- */

bool qn_infer_has(const QnInfer *in, int i)
{
    return i < in->input_count && in->inputs[i].is_present;
}

const QnIrType *qn_infer_type(const QnInfer *in, int i)
{
    static const QnIrType none = {.kind = QN_NONE};
    return qn_infer_has(in, i) ? &in->inputs[i].type : &none;
}

QnType qn_infer_element(const QnInfer *in, int i)
{
    const QnIrType *type = qn_infer_type(in, i);
    return type->kind == QN_TENSOR ? type->element : QN_UNDEFINED;
}

const QnShape *qn_infer_shape(const QnInfer *in, int i)
{
    const QnIrType *type = qn_infer_type(in, i);
    return type->kind == QN_TENSOR && type->shape.rank >= 0 ? &type->shape : NULL;
}

int qn_infer_ints(const QnInfer *in, int i, QnDim *out, int capacity)
{
    if (!qn_infer_has(in, i))
        return -1;
    const QnInferValue *value = &in->inputs[i];
    if (value->content) {
        if (value->content_count > capacity)
            return -1;
        memcpy(out, value->content, (size_t)value->content_count * sizeof *out);
        return value->content_count;
    }
    const QnTensor *tensor = value->constant;
    if (!tensor || tensor->rank > 1 || !qn_type_is_integer(tensor->type))
        return -1;
    const int64_t count = qn_tensor_count(tensor);
    if (count > capacity)
        return -1;
    for (int64_t k = 0; k < count; k++)
        out[k] = qn_dim_number(in->dims, qn_tensor_get_int(tensor, k));
    return (int)count;
}

int qn_infer_constants(const QnInfer *in, int i, int64_t *out, int capacity)
{
    const int count = qn_infer_ints(in, i, out, capacity);
    for (int k = 0; k < count; k++)
        if (!qn_dim_constant(in->dims, out[k], &out[k]))
            return -1;
    return count;
}

/* ---- saying the outputs ---- */

QnStatus qn_infer_output(QnInfer *in, int i, const QnIrType *type)
{
    if (i < in->output_count)
        in->outputs[i].type = *type;
    return in->dims->failed ? qn_no_memory(in->err) : QN_OK;
}

QnStatus qn_infer_tensor(QnInfer *in, int i, QnType element, const QnShape *shape)
{
    const QnIrType type = {.kind = QN_TENSOR, .element = element, .shape = *shape};
    return qn_infer_output(in, i, &type);
}

QnDim qn_infer_fresh(QnInfer *in)
{
    return qn_dim_fresh(in->dims, true);
}

QnStatus qn_infer_unknown(QnInfer *in, int i, QnType element, int rank)
{
    QnShape shape = {.rank = rank};
    for (int d = 0; d < rank; d++)
        shape.dims[d] = qn_infer_fresh(in);
    return qn_infer_tensor(in, i, element, &shape);
}

QnStatus qn_infer_content(QnInfer *in, int i, const QnDim *content, int count)
{
    if (i >= in->output_count || count > QN_CONTENT_LIMIT)
        return QN_OK;
    QnDim *copy;
    QN_ALLOC(copy, in->arena, count);
    if (count)
        memcpy(copy, content, (size_t)count * sizeof *copy);
    in->outputs[i].content = copy;
    in->outputs[i].content_count = count;
    return QN_OK;
}

/* ---- checks ---- */

QnStatus qn_infer_fail(const QnInfer *in, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    qn_fail_v(in->err, QN_BAD_MODEL, format, args);
    va_end(args);
    return QN_BAD_MODEL;
}

QnStatus qn_infer_axis_of(const QnInfer *in, const char *name, int64_t value, int rank, int *axis)
{
    if (value < -rank || value >= rank)
        return qn_infer_fail(in, "%s is %lld, expected %d to %d", name, (long long)value, -rank,
                             rank - 1);
    *axis = (int)(value < 0 ? value + rank : value);
    return QN_OK;
}

QnStatus qn_infer_axis(const QnInfer *in, int rank, int *axis)
{
    return qn_infer_axis_of(in, "axis", qn_op_int(in->node, "axis"), rank, axis);
}

QnStatus qn_infer_want_rank(const QnInfer *in, int i, int rank)
{
    const QnShape *shape = qn_infer_shape(in, i);
    if (shape && shape->rank != rank)
        return qn_infer_fail(in, "input %d has rank %d, expected %d", i, shape->rank, rank);
    return QN_OK;
}

QnStatus qn_infer_want_dim(const QnInfer *in, int i, int d, QnDim want)
{
    const QnDim have = qn_infer_shape(in, i)->dims[d];
    if (qn_dim_is_known(have) && qn_dim_is_known(want) && have != want)
        return qn_infer_fail(in, "input %d has size %lld along dimension %d, expected %lld", i,
                             (long long)have, d, (long long)want);
    return QN_OK;
}

QnStatus qn_infer_want_shape(const QnInfer *in, int i, int rank, const QnDim *want)
{
    if (!qn_infer_shape(in, i))
        return QN_OK;
    QN_TRY(qn_infer_want_rank(in, i, rank));
    for (int d = 0; d < rank; d++)
        QN_TRY(qn_infer_want_dim(in, i, d, want[d]));
    return QN_OK;
}

/* ---- ready ones ---- */

QnStatus qn_infer_unary(QnInfer *in)
{
    return qn_infer_output(in, 0, qn_infer_type(in, 0));
}

QnStatus qn_infer_same(QnInfer *in)
{
    QN_TRY(qn_infer_output(in, 0, qn_infer_type(in, 0)));
    if (in->inputs[0].content)
        return qn_infer_content(in, 0, in->inputs[0].content, in->inputs[0].content_count);
    return QN_OK;
}

/* The shape that all present inputs broadcast to; false where one's rank is not known. */
static QnStatus broadcast_inputs(QnInfer *in, QnShape *shape, bool *is_known)
{
    *is_known = true;
    *shape = (QnShape){.rank = 0};
    for (int i = 0; i < in->input_count; i++) {
        const QnShape *next = qn_infer_shape(in, i);
        if (!qn_infer_has(in, i))
            continue;
        if (!next) {
            *is_known = false;
            continue;
        }
        const QnShape before = *shape;
        QN_TRY(qn_shape_broadcast(in->dims, shape, &before, next, in->err));
    }
    return QN_OK;
}

static QnStatus infer_broadcast(QnInfer *in, QnType element)
{
    QnShape shape;
    bool is_known;
    QN_TRY(broadcast_inputs(in, &shape, &is_known));
    return is_known ? qn_infer_tensor(in, 0, element, &shape)
                    : qn_infer_unknown(in, 0, element, -1);
}

/* The arithmetic that is done on known contents, by operator. */
static const struct {
    const char *op;
    QnDim (*apply)(QnDims *dims, QnDim a, QnDim b);
} content_rules[] = {
    {"Add", qn_dim_add}, {"Sub", qn_dim_sub}, {"Mul", qn_dim_mul}, {"Div", qn_dim_floor_div},
    {"Max", qn_dim_max}, {"Min", qn_dim_min}, {"Mod", qn_dim_mod},
};

/* Quotients and remainders are dims only where the divisor is surely positive and the dividend no
 * negative number. */
static bool may_divide(const QnInfer *in, const char *op, QnDim a, QnDim b)
{
    if (strcmp(op, "Div") != 0 && strcmp(op, "Mod") != 0)
        return true;
    return b > 0 && qn_dim_is_at_least(in->dims, a, 0);
}

/* Elementwise arithmetic on two contents of equal length, or one of length 1. */
static QnStatus infer_binary_content(QnInfer *in)
{
    QnDim a[QN_CONTENT_LIMIT], b[QN_CONTENT_LIMIT], result[QN_CONTENT_LIMIT];
    if (in->input_count != 2)
        return QN_OK;
    for (size_t r = 0; r < QN_COUNT_OF(content_rules); r++) {
        if (strcmp(content_rules[r].op, in->node->op) != 0)
            continue;
        const int count_a = qn_infer_ints(in, 0, a, QN_CONTENT_LIMIT);
        const int count_b = qn_infer_ints(in, 1, b, QN_CONTENT_LIMIT);
        if (count_a < 0 || count_b < 0 || (count_a != count_b && count_a != 1 && count_b != 1))
            return QN_OK;
        const int count = count_a == 1 ? count_b : count_a;
        for (int i = 0; i < count; i++) {
            const QnDim x = a[count_a == 1 ? 0 : i], y = b[count_b == 1 ? 0 : i];
            if (!may_divide(in, in->node->op, x, y))
                return QN_OK;
            result[i] = content_rules[r].apply(in->dims, x, y);
        }
        return qn_infer_content(in, 0, result, count);
    }
    return QN_OK;
}

QnStatus qn_infer_elementwise(QnInfer *in)
{
    QN_TRY(infer_broadcast(in, qn_infer_element(in, 0)));
    return qn_type_is_integer(qn_infer_element(in, 0)) ? infer_binary_content(in) : QN_OK;
}

QnStatus qn_infer_compare(QnInfer *in)
{
    return infer_broadcast(in, QN_BOOL);
}

/* ---- driving it over graphs ---- */

static QnInferValue known_of(const QnIrValue *value)
{
    if (!value)
        return (QnInferValue){.is_present = false};
    return (QnInferValue){
        .type = value->type,
        .constant = value->is_default ? NULL : value->constant,
        .content = value->content,
        .content_count = value->content_count,
        .is_present = true,
    };
}

/* Checks the counts against the row's signature, so that infer functions may rely on obligatory
 * inputs. */
static QnStatus check_inputs(const QnNode *node, QnError *err)
{
    int i = 0;
    for (const char *at = node->def->inputs; at && *at; i++) {
        const char *end = at + strcspn(at, ",");
        const bool is_optional = memchr(at, '?', (size_t)(end - at)) != NULL;
        const bool is_variadic = memchr(at, '*', (size_t)(end - at)) != NULL;
        if (is_variadic)
            return QN_OK;
        if (!is_optional && !qn_node_input(node, i))
            return qn_fail(err, QN_BAD_MODEL, "input %d is missing, expected inputs \"%s\"", i,
                           node->def->inputs);
        at = *end ? end + 1 : end;
    }
    if (node->input_count > i)
        return qn_fail(err, QN_BAD_MODEL, "has %d inputs, expected \"%s\"", node->input_count,
                       node->def->inputs ? node->def->inputs : "");
    return QN_OK;
}

/* Operators on tensors are given no collections. */
static QnStatus check_kinds(const QnNode *node, QnError *err)
{
    if (node->def->traits & (QN_OP_COLLECTIONS | QN_OP_CONTROL))
        return QN_OK;
    for (int i = 0; i < node->input_count; i++) {
        const QnIrValue *value = node->inputs[i].value;
        if (value && value->type.kind != QN_TENSOR && value->type.kind != QN_NONE)
            return qn_fail(err, QN_BAD_MODEL, "input %d is a collection, expected a tensor", i);
    }
    return QN_OK;
}

static QnStatus wrap_node(const QnNode *node, QnStatus status, QnError *err)
{
    char label[256];
    if (status != QN_OK && status != QN_NO_MEMORY)
        qn_wrap(err, "%s (%s)", qn_node_label(node, label, sizeof label), node->op);
    return status;
}

/* What the operator's function says of a node's outputs becomes theirs. */
static QnStatus call_infer(QnNode *node, QnInferValue *inputs, QnInferValue *outputs, QnError *err)
{
    QnModule *module = node->graph->module;
    for (int i = 0; i < node->input_count; i++)
        inputs[i] = known_of(node->inputs[i].value);
    for (int i = 0; i < node->output_count; i++)
        outputs[i].is_present = node->outputs[i] != NULL;
    QnInfer in = {
        .node = node,
        .dims = &module->dims,
        .arena = &module->arena,
        .inputs = inputs,
        .input_count = node->input_count,
        .outputs = outputs,
        .output_count = node->output_count,
        .err = err,
    };
    QN_TRY(node->def->infer(&in));
    for (int i = 0; i < node->output_count; i++) {
        if (!node->outputs[i] || outputs[i].type.kind == QN_NONE)
            continue;
        node->outputs[i]->type = outputs[i].type;
        node->outputs[i]->content = outputs[i].content;
        node->outputs[i]->content_count = outputs[i].content_count;
    }
    return QN_OK;
}

/* Infers a node; the message of a failure does not name it. */
static QnStatus infer_node(QnNode *node, QnError *err)
{
    if (!node->def)
        return qn_fail(err, QN_UNSUPPORTED, "the operator is not known");
    QN_TRY(check_inputs(node, err));
    QN_TRY(check_kinds(node, err));
    QnArena scratch;
    qn_arena_init(&scratch, node->graph->module->arena.allocator);
    QnInferValue *inputs = qn_arena_array(&scratch, (size_t)node->input_count, sizeof *inputs);
    QnInferValue *outputs = qn_arena_array(&scratch, (size_t)node->output_count, sizeof *outputs);
    const QnStatus status =
        inputs && outputs ? call_infer(node, inputs, outputs, err) : QN_NO_MEMORY;
    qn_arena_finish(&scratch);
    return status;
}

/* Where the module has a report, a node without an operator has its finding already. */
static bool is_broken(const QnNode *node)
{
    return !node->def && node->graph->module->report;
}

QnStatus qn_infer_node(QnNode *node, QnError *err)
{
    return is_broken(node) ? QN_OK : wrap_node(node, infer_node(node, err), err);
}

/* A body is inferred more than once: a finding that is there already is not told again. */
static bool is_reported(const QnReport *report, const QnFinding *finding)
{
    for (const QnFinding *at = report->first; at; at = at->next)
        if (at->severity >= finding->severity && !strcmp(at->rule, finding->rule) && at->node &&
            !strcmp(at->node, finding->node) && !strcmp(at->found, finding->found))
            return true;
    return false;
}

/* The types of the node's outputs stay what they were. */
static void report_node(const QnNode *node, QnSeverity severity, const QnError *err)
{
    QnReport *report = node->graph->module->report;
    char label[256];
    const QnFinding finding = {.severity = severity,
                               .rule = "inference",
                               .file = node->graph->module->path,
                               .node = qn_node_label(node, label, sizeof label),
                               .found = err->message};
    if (!qn_report_has_room(report, severity) || !is_reported(report, &finding))
        qn_report_add(report, &finding);
}

QnStatus qn_infer_reported(QnNode *node, QnSeverity severity, bool *fits)
{
    QnError err = {0};
    *fits = true;
    if (is_broken(node))
        return QN_OK;
    const QnStatus status = infer_node(node, &err);
    if (status == QN_NO_MEMORY)
        return status;
    *fits = status == QN_OK;
    if (!*fits)
        report_node(node, severity, &err);
    return QN_OK;
}

QnStatus qn_infer_graph(QnGraph *graph, QnError *err)
{
    for (QnNode *node = graph->first; node; node = node->next) {
        bool fits;
        if (graph->module->report)
            QN_TRY(qn_infer_reported(node, QN_SEVERE, &fits));
        else
            QN_TRY(qn_infer_node(node, err));
    }
    return QN_OK;
}

QnStatus qn_infer_module(QnModule *module, QnError *err)
{
    return qn_infer_graph(module->main, err);
}

QnStatus qn_infer_subgraph(QnInfer *in, QnGraph *graph, const QnInferValue *inputs, int input_count)
{
    if (input_count != graph->input_count)
        return qn_infer_fail(in, "graph '%s' has %d inputs, expected %d", graph->name,
                             graph->input_count, input_count);
    for (int i = 0; i < input_count; i++) {
        if (inputs[i].type.kind == QN_NONE)
            continue;
        graph->inputs[i]->type = inputs[i].type;
        graph->inputs[i]->content = inputs[i].content;
        graph->inputs[i]->content_count = inputs[i].content_count;
    }
    return qn_infer_graph(graph, in->err);
}

/* ---- from values ---- */

static QnStatus type_of_value(QnIrType *out, const QnValue *value, QnArena *scratch)
{
    *out = (QnIrType){.kind = value->kind, .element = value->type};
    if (value->kind == QN_TENSOR) {
        out->element = value->tensor.type;
        out->shape.rank = value->tensor.rank;
        memcpy(out->shape.dims, value->tensor.dims,
               (size_t)value->tensor.rank * sizeof *value->tensor.dims);
        return QN_OK;
    }
    if (value->kind == QN_MAP && value->count == 2) {
        QnIrType *item;
        QN_ALLOC(item, scratch, 1);
        *item = (QnIrType){.kind = QN_TENSOR, .element = value->type};
        out->element = value->items[0].tensor.type;
        out->item = item;
    }
    if (value->kind == QN_SEQUENCE || value->kind == QN_OPTIONAL) {
        QnIrType *item;
        QN_ALLOC(item, scratch, 1);
        *item = (QnIrType){.kind = QN_TENSOR, .element = value->type, .shape = qn_shape_unknown()};
        if (value->count > 0)
            QN_TRY(type_of_value(item, &value->items[0], scratch));
        item->shape = qn_shape_unknown();
        out->item = item;
    }
    return QN_OK;
}

QnStatus qn_infer_values(const QnNode *node, const QnValue *inputs, int input_count, QnDims *dims,
                         QnArena *scratch, QnInferValue *outputs, QnError *err)
{
    qn_dims_init(dims, scratch);
    QnInferValue *known;
    QN_ALLOC(known, scratch, input_count);
    for (int i = 0; i < input_count; i++) {
        if (inputs[i].kind == QN_NONE && qn_node_input(node, i) &&
            !(node->def->traits & QN_OP_COLLECTIONS))
            return wrap_node(
                node, qn_fail(err, QN_BAD_TENSOR, "input %d is absent, expected a tensor", i), err);
        if (inputs[i].kind == QN_NONE)
            continue;
        known[i].is_present = true;
        QN_TRY(type_of_value(&known[i].type, &inputs[i], scratch));
        if (inputs[i].kind == QN_TENSOR)
            known[i].constant = &inputs[i].tensor;
    }
    for (int i = 0; i < node->output_count; i++)
        outputs[i] = (QnInferValue){.is_present = node->outputs[i] != NULL};
    QnInfer in = {
        .node = node,
        .dims = dims,
        .arena = scratch,
        .inputs = known,
        .input_count = input_count,
        .outputs = outputs,
        .output_count = node->output_count,
        .is_running = true,
        .err = err,
    };
    QN_TRY(wrap_node(node, node->def->infer(&in), err));
    for (int i = 0; i < node->output_count; i++) {
        QnShape *shape = &outputs[i].type.shape;
        for (int d = 0; outputs[i].type.kind == QN_TENSOR && d < shape->rank; d++) {
            if (!qn_dim_is_known(shape->dims[d])) {
                shape->rank = -1;
                break;
            }
        }
    }
    return QN_OK;
}
