/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gradient names values of the graph in attributes.  What it names becomes inputs behind its own,
 * in front of all that renames and moves values: xs, zs, y.
 */
#include <string.h>

#include "engine/formats/onnx/validate.h"

static void refuse(OnnxChecker *c, OnnxNode *node, const char *attribute, const char *found,
                   const char *expected)
{
    onnx_complain(c, node,
                  (QnFinding){.severity = QN_SEVERE,
                              .rule = "onnx-gradient",
                              .field = onnx_say(c->in, "attribute '%s'", attribute),
                              .found = found,
                              .expected = expected});
}

static QnStatus add_name(OnnxChecker *c, OnnxNode *node, const char *attribute, QnBytes text,
                         const OnnxScope *scope)
{
    const char *name = qn_arena_copy_text(c->in->scratch, (const char *)text.data, text.size);
    if (!name)
        return QN_NO_MEMORY;
    if (!onnx_scope_find(scope, name))
        refuse(c, node, attribute, onnx_say(c->in, "'%s' is made nowhere", name),
               "an input, an initializer or a node's output");
    ONNX_ADD(&node->inputs, c->in->scratch, name);
    return QN_OK;
}

static QnStatus add_names(OnnxChecker *c, OnnxNode *node, const char *attribute,
                          const OnnxScope *scope)
{
    const OnnxAttribute *list = onnx_attribute(node, attribute);
    for (int i = 0; list && i < list->strings.count; i++)
        QN_TRY(add_name(c, node, attribute, list->strings.items[i], scope));
    return QN_OK;
}

static int count_names(OnnxNode *node, const char *attribute)
{
    const OnnxAttribute *list = onnx_attribute(node, attribute);
    return list ? list->strings.count : 0;
}

static bool has_references(const OnnxNode *node)
{
    for (int i = 0; i < node->attributes.count; i++)
        if (node->attributes.items[i].ref[0])
            return true;
    return false;
}

QnStatus onnx_name_gradient(OnnxChecker *c, OnnxNode *node, const OnnxScope *scope)
{
    if (!node->schema || strcmp(node->op, "Gradient") != 0 ||
        strcmp(node->domain, "ai.onnx.preview.training") != 0)
        return QN_OK;
    const int xs = count_names(node, "xs"), count = xs + count_names(node, "zs");
    const OnnxAttribute *y = onnx_attribute(node, "y");
    if (has_references(node))
        refuse(c, node, "xs", "it is an attribute of the function", "names in the function itself");
    else if (node->inputs.count != count)
        refuse(c, node, "xs",
               onnx_say(c->in, "%d names in it and zs, for %d inputs", count, node->inputs.count),
               "one for each input");
    else if (node->outputs.count > xs)
        refuse(c, node, "xs", onnx_say(c->in, "%d names, for %d outputs", xs, node->outputs.count),
               "one for each output");
    QN_TRY(add_names(c, node, "xs", scope));
    QN_TRY(add_names(c, node, "zs", scope));
    return y ? add_name(c, node, "y", y->s, scope) : QN_OK;
}
