/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of single operators that their schemas cannot say. */
#include <string.h>

#include "engine/formats/onnx/validate.h"

/* Version 14 of BatchNormalization and 18 of Split brought the attributes that tell the count. */
enum { TRAINING_MODE_SINCE = 14, NUM_OUTPUTS_SINCE = 18 };

/* The statistics of a BatchNormalization are made in training, all of them. */
static void check_statistics(OnnxChecker *c, OnnxNode *node)
{
    const bool has_mode = node->since >= TRAINING_MODE_SINCE;
    const OnnxAttribute *mode = has_mode ? onnx_attribute(node, "training_mode") : NULL;
    const bool trains =
        has_mode ? mode && mode->kind == ONNX_INT && mode->i : node->outputs.count > 1;
    const int wanted = !trains ? 1 : has_mode ? 3 : 5;
    if (node->outputs.count == wanted)
        return;
    onnx_complain(c, node,
                  (QnFinding){.severity = QN_BREACH,
                              .rule = "onnx-output-count",
                              .found = onnx_say(c->in, "%d outputs", node->outputs.count),
                              .expected = onnx_say(c->in, "%d %s training", wanted,
                                                   trains ? "in" : "without")});
}

/* The branches of an If take nothing and give what the node gives. */
static void check_branches(OnnxChecker *c, OnnxNode *node)
{
    for (int i = 0; i < node->attributes.count; i++) {
        const OnnxAttribute *attribute = &node->attributes.items[i];
        const OnnxGraph *graph = attribute->graph;
        if (!graph || (graph->inputs.count == 0 && graph->outputs.count == node->outputs.count))
            continue;
        onnx_complain(c, node,
                      (QnFinding){.severity = QN_SEVERE,
                                  .rule = "onnx-branch-arity",
                                  .field = onnx_say(c->in, "attribute '%s'", attribute->name),
                                  .found = onnx_say(c->in, "%d inputs and %d outputs",
                                                    graph->inputs.count, graph->outputs.count),
                                  .expected = onnx_say(c->in, "0 and %d, as the node has",
                                                       node->outputs.count)});
    }
}

/* Without sizes a Split says into how many parts, which is the number of its outputs. */
static void check_parts(OnnxChecker *c, OnnxNode *node)
{
    const OnnxAttribute *parts = onnx_attribute(node, "num_outputs");
    if (node->since < NUM_OUTPUTS_SINCE || onnx_has_input(node, 1))
        return;
    if (!parts)
        onnx_complain(c, node,
                      (QnFinding){.severity = QN_BREACH,
                                  .rule = "onnx-missing-attribute",
                                  .field = "attribute 'num_outputs'",
                                  .found = "neither it nor an input says into what to split",
                                  .remedy = "the parts are taken to be equal"});
    else if (parts->kind == ONNX_INT && parts->i != node->outputs.count)
        onnx_complain(c, node,
                      (QnFinding){.severity = QN_BREACH,
                                  .rule = "onnx-output-count",
                                  .found = onnx_say(c->in, "%d outputs", node->outputs.count),
                                  .expected = onnx_say(c->in, "%lld, as num_outputs says",
                                                       (long long)parts->i)});
}

void onnx_check_rules(OnnxChecker *c, OnnxNode *node)
{
    static const struct {
        const char *op;
        void (*check)(OnnxChecker *c, OnnxNode *node);
    } rules[] = {
        {"BatchNormalization", check_statistics},
        {"If", check_branches},
        {"Split", check_parts},
    };
    for (size_t i = 0; c->is_checking && !node->domain[0] && i < QN_COUNT_OF(rules); i++)
        if (!strcmp(rules[i].op, node->op))
            rules[i].check(c, node);
}
