/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the operators that exporters took to pieces.  The rule of each pattern starts at its last
 * node, which becomes the operator; the pieces go when nobody else reads them.
 */
#include "engine/passes/pattern.h"

static const QnRule rules[] = {
    {"Mul", qn_fuse_gelu},         {"Div", qn_fuse_gelu},      {"Mul", qn_fuse_hard_sigmoid},
    {"Div", qn_fuse_hard_sigmoid}, {"Mul", qn_fuse_gate},      {"Div", qn_fuse_gate},
    {"Mul", qn_fuse_norm},         {"Add", qn_fuse_norm_bias}, {"Div", qn_fuse_softmax},
};

static QnStatus run(QnPassCall *call)
{
    return qn_rules_run(call, rules, QN_COUNT_OF(rules));
}

const QnPass qn_pass_fuse_patterns = {
    .name = "fuse-patterns",
    .what =
        "finds Gelu, HardSwish, Mish, LayerNormalization, RMSNormalization and Softmax in their "
        "exported pieces; results stay within the bound of the operator",
    .keeps_onnx = true,
    .run = run,
};
