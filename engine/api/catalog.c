/* SPDX-License-Identifier: Apache-2.0 */
/* The tables of operators and passes: include/quern/unstable/catalog.h. */
#include "quern/unstable/catalog.h"

#include "engine/ops/op.h"
#include "engine/passes/pass.h"

/* The i-th row over all families. */
static const QnOp *find_row(int i)
{
    for (int f = 0; i >= 0 && f < qn_op_family_count; f++)
        for (const QnOp *op = qn_op_families[f]; op->name; op++)
            if (i-- == 0)
                return op;
    return NULL;
}

bool qn_operator_info(QnOperatorInfo *out, int i)
{
    const QnOp *op = find_row(i);
    if (!op)
        return false;
    *out = (QnOperatorInfo){
        .name = op->name,
        .domain = op->domain ? op->domain : "ai.onnx",
        .since = op->since,
        .inputs = op->inputs ? op->inputs : "",
        .outputs = op->outputs ? op->outputs : "",
        .is_in_place = op->traits & QN_OP_IN_PLACE,
        .is_view = op->traits & QN_OP_VIEW,
        .is_random = op->traits & QN_OP_RANDOM,
        .is_control = op->traits & QN_OP_CONTROL,
        .is_dynamic = op->traits & QN_OP_DYNAMIC,
        .is_elementwise = op->program || op->pick_program,
    };
    return true;
}

bool qn_pass_info(QnPassInfo *out, int i)
{
    if (i < 0 || i >= qn_pass_count)
        return false;
    const QnPass *pass = qn_passes[i];
    *out = (QnPassInfo){.name = pass->name,
                        .what = pass->what,
                        .keeps_onnx = pass->keeps_onnx,
                        .is_exact = pass->is_exact,
                        .is_required = pass->is_required};
    return true;
}
