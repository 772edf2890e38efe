/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the types of a node's inputs and outputs, as far as they are known before inference. */
#include <string.h>

#include "engine/formats/onnx/validate.h"

/* No operator has as many type variables. */
enum { VARIABLE_LIMIT = 32 };

/* "float16, float or double": what a set allows of the kind that was found. */
static const char *types_text(const OnnxChecker *c, const OnnxTypeSet *types, OnnxTypeKind kind)
{
    const uint32_t tensors = kind == ONNX_TYPE_SEQUENCE   ? types->sequences
                             : kind == ONNX_TYPE_OPTIONAL ? types->optionals
                                                          : types->tensors;
    const char *text = "";
    if (!tensors)
        return "another kind of value";
    for (int type = 1; tensors >> type; type++) {
        const uint32_t rest = tensors >> (type + 1);
        const char *glue = !rest ? "" : rest & (rest - 1) ? ", " : " or ";
        if (tensors & 1u << type)
            text = onnx_say(c->in, "%s%s%s", text, qn_type_name((QnType)type), glue);
    }
    return text;
}

static void breach_type(OnnxChecker *c, OnnxNode *node, const char *rule, const char *field,
                        const OnnxHint *hint, const char *expected)
{
    onnx_complain(c, node,
                  (QnFinding){.severity = QN_BREACH,
                              .rule = rule,
                              .field = field,
                              .found = onnx_say(c->in, "its type is %s",
                                                onnx_hint_text(c->in->scratch, hint)),
                              .expected = expected});
}

/* What is known of the type variables of a node (T, T1, …): the first input of each. */
typedef struct Variables {
    OnnxHint hints[VARIABLE_LIMIT];
    int inputs[VARIABLE_LIMIT]; /* 1 + its place; 0: not seen */
} Variables;

static bool is_same_type(const OnnxHint *a, const OnnxHint *b)
{
    return a->kind == b->kind && a->element == b->element && a->is_nested == b->is_nested;
}

/* Inputs of one type variable have one type. */
static void check_variable(OnnxChecker *c, OnnxNode *node, int i, const OnnxFormal *formal,
                           const OnnxHint *hint, Variables *variables)
{
    const int variable = formal->variable;
    if (variable >= VARIABLE_LIMIT || formal->option & ONNX_HETEROGENEOUS || !hint->element ||
        hint->kind == ONNX_TYPE_NONE)
        return;
    if (!variables->inputs[variable]) {
        variables->inputs[variable] = i + 1;
        variables->hints[variable] = *hint;
    } else if (!is_same_type(&variables->hints[variable], hint)) {
        breach_type(c, node, "onnx-type-mismatch",
                    onnx_say(c->in, "input %d '%s'", i, onnx_schema_text(formal->name)), hint,
                    onnx_say(c->in, "%s, the type of input %d",
                             onnx_hint_text(c->in->scratch, &variables->hints[variable]),
                             variables->inputs[variable] - 1));
    }
}

static void check_input(OnnxChecker *c, OnnxNode *node, int i, const OnnxScope *scope,
                        Variables *variables)
{
    const OnnxFormal *formal = onnx_schema_input(node->schema, i);
    if (!formal)
        return;
    const char *field = onnx_say(c->in, "input %d '%s'", i, onnx_schema_text(formal->name));
    if (!onnx_has_input(node, i)) {
        if ((formal->option & ONNX_OPTION_MASK) == ONNX_SINGLE)
            onnx_complain(c, node,
                          (QnFinding){.severity = QN_SEVERE,
                                      .rule = "onnx-missing-input",
                                      .field = field,
                                      .found = "it is absent, and not optional"});
        return;
    }
    const OnnxHint hint = onnx_hint(scope, node->inputs.items[i]);
    if (!onnx_hint_fits(&hint, onnx_formal_types(formal)))
        breach_type(c, node, "onnx-input-type", field, &hint,
                    onnx_say(c->in, "what %s-%d takes: %s", node->op, node->since,
                             types_text(c, onnx_formal_types(formal), hint.kind)));
    else if (c->is_checking)
        check_variable(c, node, i, formal, &hint, variables);
}

/* What a node makes must be a type that its version of the operator makes, too. */
static void check_output(OnnxChecker *c, OnnxNode *node, int i, const OnnxScope *scope)
{
    const OnnxFormal *formal = onnx_schema_output(node->schema, i);
    if (!formal || !onnx_has_output(node, i))
        return;
    const OnnxHint hint = onnx_hint_of_output(scope, node, i);
    if (!onnx_hint_fits(&hint, onnx_formal_types(formal)))
        breach_type(c, node, "onnx-output-type",
                    onnx_say(c->in, "output %d '%s'", i, onnx_schema_text(formal->name)), &hint,
                    onnx_say(c->in, "what %s-%d makes: %s", node->op, node->since,
                             types_text(c, onnx_formal_types(formal), hint.kind)));
}

static int count_breaches(const OnnxChecker *c)
{
    return c->in->report ? c->in->report->counts[QN_BREACH] : 0;
}

void onnx_check_types(OnnxChecker *c, OnnxNode *node, const OnnxScope *scope)
{
    Variables variables;
    memset(variables.inputs, 0, sizeof variables.inputs);
    const int breaches = count_breaches(c);
    for (int i = 0; i < node->inputs.count; i++)
        check_input(c, node, i, scope, &variables);
    /* What is wrong with an input is not told again of what is made of it. */
    for (int i = 0; c->is_checking && breaches == count_breaches(c) && i < node->outputs.count; i++)
        check_output(c, node, i, scope);
}
