/* SPDX-License-Identifier: Apache-2.0 */
/* Types and ranks of values, as far as the schema table tells. */
#include "engine/formats/onnx/hints.h"

#include <string.h>

OnnxHint onnx_hint_unknown(void)
{
    return (OnnxHint){.rank = -1};
}

OnnxHint onnx_hint_of_type(const OnnxType *type)
{
    OnnxHint hint = {.kind = type->kind, .rank = -1};
    const OnnxType *leaf = type;
    if (type->kind == ONNX_TYPE_TENSOR && type->has_shape)
        hint.rank = type->dims.count;
    while (leaf && (leaf->kind == ONNX_TYPE_SEQUENCE || leaf->kind == ONNX_TYPE_OPTIONAL)) {
        hint.is_nested = leaf != type;
        leaf = leaf->item;
    }
    if (leaf && leaf->kind == ONNX_TYPE_TENSOR)
        hint.element = leaf->element;
    return hint;
}

OnnxHint onnx_hint_of_tensor(const OnnxTensor *tensor)
{
    return (OnnxHint){.kind = ONNX_TYPE_TENSOR,
                      .element = tensor->type < QN_TYPE_COUNT ? tensor->type : 0,
                      .rank = (int)tensor->dims.count,
                      .tensor = tensor};
}

OnnxHint onnx_hint(const OnnxScope *scope, const char *name)
{
    const OnnxHint *hint = name[0] ? onnx_scope_find(scope, name) : NULL;
    return hint ? *hint : onnx_hint_unknown();
}

QnStatus onnx_hint_put(OnnxScope *scope, const char *name, OnnxHint hint)
{
    OnnxHint *there = onnx_scope_find_here(scope, name);
    if (!there) {
        QN_ALLOC(there, scope->arena, 1);
        *there = hint;
        return onnx_scope_put(scope, name, there);
    }
    if (there->kind == ONNX_TYPE_NONE)
        there->kind = hint.kind;
    if (there->element == 0)
        there->element = hint.element;
    if (there->rank < 0)
        there->rank = hint.rank;
    if (!there->tensor)
        there->tensor = hint.tensor;
    return QN_OK;
}

QnStatus onnx_hints_of_graph(OnnxScope *scope, const OnnxGraph *graph)
{
    for (int i = 0; i < graph->initializers.count; i++)
        QN_TRY(onnx_hint_put(scope, graph->initializers.items[i]->name,
                             onnx_hint_of_tensor(graph->initializers.items[i])));
    for (int i = 0; i < graph->sparse_initializers.count; i++) {
        const OnnxSparse *sparse = graph->sparse_initializers.items[i];
        OnnxHint hint = onnx_hint_of_tensor(&sparse->values);
        hint.rank = (int)sparse->dims.count;
        hint.tensor = NULL;
        QN_TRY(onnx_hint_put(scope, sparse->values.name, hint));
    }
    for (int i = 0; i < graph->inputs.count; i++)
        QN_TRY(onnx_hint_put(scope, graph->inputs.items[i].name,
                             onnx_hint_of_type(&graph->inputs.items[i].type)));
    return QN_OK;
}

/* --- from node to node --- */

/* Operators whose first output has the rank of their first input. */
static const char *const keeping_rank[] = {"Abs",
                                           "AveragePool",
                                           "BatchNormalization",
                                           "Cast",
                                           "Ceil",
                                           "Clip",
                                           "Concat",
                                           "Conv",
                                           "ConvInteger",
                                           "ConvTranspose",
                                           "CumSum",
                                           "DepthToSpace",
                                           "DequantizeLinear",
                                           "Dropout",
                                           "Elu",
                                           "Erf",
                                           "Exp",
                                           "Floor",
                                           "Gelu",
                                           "GlobalAveragePool",
                                           "GlobalMaxPool",
                                           "HardSigmoid",
                                           "HardSwish",
                                           "Hardmax",
                                           "Identity",
                                           "InstanceNormalization",
                                           "LRN",
                                           "LayerNormalization",
                                           "LeakyRelu",
                                           "Log",
                                           "LogSoftmax",
                                           "LpPool",
                                           "MaxPool",
                                           "Neg",
                                           "Not",
                                           "PRelu",
                                           "Pad",
                                           "QLinearConv",
                                           "QuantizeLinear",
                                           "Reciprocal",
                                           "Relu",
                                           "Resize",
                                           "Selu",
                                           "Sigmoid",
                                           "Sign",
                                           "Slice",
                                           "Softmax",
                                           "Softplus",
                                           "Softsign",
                                           "SpaceToDepth",
                                           "Split",
                                           "Sqrt",
                                           "Tanh",
                                           "ThresholdedRelu",
                                           "Tile",
                                           "Transpose",
                                           "Upsample"};

/* Broadcasting operators: the greater rank, known where all are. */
static const char *const broadcasting[] = {"Add",  "Sub", "Mul", "Div",   "Pow",
                                           "And",  "Or",  "Xor", "Equal", "Greater",
                                           "Less", "Max", "Min", "Sum",   "Mean"};

static bool is_among(const char *op, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!strcmp(names[i], op))
            return true;
    return false;
}

static bool has_rank_2(const char *op)
{
    return !strcmp(op, "Flatten") || !strcmp(op, "Gemm");
}

/* The length of a constant 1-D shape tells the rank
 * of what Reshape and Expand-like operators make. */
static int rank_from_shape(const OnnxScope *scope, const OnnxNode *node)
{
    const OnnxHint shape =
        node->inputs.count > 1 ? onnx_hint(scope, node->inputs.items[1]) : onnx_hint_unknown();
    if (!shape.tensor || shape.tensor->dims.count != 1 || shape.tensor->dims.i64[0] > QN_MAX_RANK ||
        shape.tensor->dims.i64[0] < 0)
        return -1;
    return (int)shape.tensor->dims.i64[0];
}

static int find_rank(const OnnxScope *scope, const OnnxNode *node)
{
    if (node->domain[0] || node->inputs.count == 0)
        return -1;
    if (is_among(node->op, keeping_rank, QN_COUNT_OF(keeping_rank)))
        return onnx_hint(scope, node->inputs.items[0]).rank;
    if (has_rank_2(node->op))
        return 2;
    if (!strcmp(node->op, "Reshape"))
        return rank_from_shape(scope, node);
    if (!is_among(node->op, broadcasting, QN_COUNT_OF(broadcasting)))
        return -1;
    int rank = 0;
    for (int i = 0; i < node->inputs.count; i++) {
        const int other = onnx_hint(scope, node->inputs.items[i]).rank;
        if (other < 0)
            return -1;
        rank = other > rank ? other : rank;
    }
    return rank;
}

/* The one element type that a set of plain tensors allows, or 0. */
static int only_type(const OnnxTypeSet *types)
{
    if (types->sequences | types->optionals | types->optional_sequences | types->maps)
        return 0;
    for (int type = 1; type < QN_TYPE_COUNT; type++)
        if (types->tensors == 1u << type)
            return type;
    return 0;
}

/* The hint of the first input whose formal has the type variable of `formal`. */
static OnnxHint find_variable(const OnnxScope *scope, const OnnxNode *node,
                              const OnnxFormal *formal)
{
    for (int i = 0; formal->variable != ONNX_NO_VARIABLE && i < node->inputs.count; i++) {
        const OnnxFormal *input = onnx_schema_input(node->schema, i);
        if (!input || input->variable != formal->variable || input->option & ONNX_HETEROGENEOUS)
            continue;
        OnnxHint hint = onnx_hint(scope, node->inputs.items[i]);
        hint.rank = -1;
        hint.tensor = NULL;
        if (hint.kind != ONNX_TYPE_NONE)
            return hint;
    }
    return onnx_hint_unknown();
}

/* ConstantOfShape makes elements of the type of its value, floats without one. */
static int type_of_filling(OnnxNode *node)
{
    const OnnxAttribute *value = onnx_attribute(node, "value");
    return value && value->tensor ? value->tensor->type : QN_FLOAT;
}

/* The attribute that says the output's element type, by the operators that have one. */
static int type_from_attribute(OnnxNode *node)
{
    if (!strcmp(node->op, "ConstantOfShape") && !node->domain[0])
        return type_of_filling(node);
    const OnnxAttribute *to = onnx_attribute(node, !strcmp(node->op, "Cast") ? "to" : "dtype");
    if (to && to->kind == ONNX_INT && to->i > 0 && to->i < QN_TYPE_COUNT)
        return (int)to->i;
    return 0;
}

/* The tensor that a Constant gives; NULL: it is no such node, or gives something else. */
static const OnnxTensor *constant_of(OnnxNode *node)
{
    if (node->domain[0] || strcmp(node->op, "Constant") != 0)
        return NULL;
    const OnnxAttribute *value = onnx_attribute(node, "value");
    return value ? value->tensor : NULL;
}

OnnxHint onnx_hint_of_output(const OnnxScope *scope, OnnxNode *node, int i)
{
    if (constant_of(node))
        return onnx_hint_of_tensor(constant_of(node));

    OnnxHint hint = onnx_hint_unknown();
    const OnnxFormal *formal = node->schema ? onnx_schema_output(node->schema, i) : NULL;
    if (!formal)
        return hint;
    const int only = only_type(onnx_formal_types(formal));
    if (only)
        hint = (OnnxHint){.kind = ONNX_TYPE_TENSOR, .element = only, .rank = -1};
    else if (!(formal->option & ONNX_HETEROGENEOUS))
        hint = find_variable(scope, node, formal);
    if (hint.kind == ONNX_TYPE_NONE && type_from_attribute(node))
        hint = (OnnxHint){.kind = onnx_formal_types(formal)->tensors ? ONNX_TYPE_TENSOR
                                                                     : ONNX_TYPE_SEQUENCE,
                          .element = type_from_attribute(node),
                          .rank = -1};
    if (i == 0 || !strcmp(node->op, "Split"))
        hint.rank = find_rank(scope, node);
    return hint;
}

QnStatus onnx_hints_of_node(OnnxScope *scope, OnnxNode *node)
{
    for (int i = 0; i < node->outputs.count; i++)
        if (node->outputs.items[i][0])
            QN_TRY(
                onnx_hint_put(scope, node->outputs.items[i], onnx_hint_of_output(scope, node, i)));
    return QN_OK;
}

/* --- for messages --- */

bool onnx_hint_fits(const OnnxHint *hint, const OnnxTypeSet *types)
{
    if (hint->element <= 0 || hint->element >= QN_TYPE_COUNT)
        return true;
    const uint32_t bit = 1u << hint->element;
    switch (hint->kind) {
    case ONNX_TYPE_TENSOR:
        return types->tensors & bit;
    case ONNX_TYPE_SEQUENCE:
        return types->sequences & bit || types->maps;
    case ONNX_TYPE_OPTIONAL:
        return (hint->is_nested ? types->optional_sequences : types->optionals) & bit;
    default:
        return true;
    }
}

const char *onnx_hint_text(QnArena *arena, const OnnxHint *hint)
{
    const char *name = qn_type_name((QnType)hint->element);
    const char *text = name;
    if (hint->kind == ONNX_TYPE_SEQUENCE)
        text = qn_arena_printf(arena, "sequence of %s", name);
    else if (hint->kind == ONNX_TYPE_OPTIONAL)
        text = qn_arena_printf(arena, "optional %s%s", hint->is_nested ? "sequence of " : "", name);
    return text ? text : name;
}
