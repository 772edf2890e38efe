/* SPDX-License-Identifier: Apache-2.0 */
/* RegexFullMatch: which strings a pattern of RE2's syntax matches from end to end; base/regex.h
 * says where that differs from RE2 itself. */
#include "base/regex.h"

#include "engine/ops/op.h"

static QnStatus compile(QnRegex **out, const QnNode *node, QnArena *arena, QnError *err)
{
    const QnString pattern = qn_op_string(node, "pattern");
    return qn_regex_compile(out, qn_bytes(pattern.data, pattern.size), arena, err);
}

/* Compiles the pattern to say early whether it is right; what is made is thrown away. */
static QnStatus infer_match(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    QnArena scratch;
    QnRegex *regex;
    qn_arena_init(&scratch, in->arena->allocator);
    QnError why;
    const QnStatus status = compile(&regex, in->node, &scratch, &why);
    qn_arena_finish(&scratch);
    if (status == QN_BAD_ARGUMENT)
        return qn_infer_fail(in, "%s", why.message);
    if (status != QN_OK)
        return qn_fail(in->err, status, "%s", why.message);
    return x ? qn_infer_tensor(in, 0, QN_BOOL, x) : qn_infer_unknown(in, 0, QN_BOOL, -1);
}

static QnStatus match(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    const QnString *texts = x->data;
    bool *found = qn_call_result(call, 0)->data;
    const int64_t count = qn_tensor_count(x);
    QnArena room;
    QnRegex *regex;
    QnStatus status = compile(&regex, call->node, call->scratch, call->err);
    qn_arena_init(&room, call->scratch->allocator);
    for (int64_t i = 0; i < count && status == QN_OK; i++) {
        status = qn_regex_match(regex, qn_bytes(texts[i].data, texts[i].size), &room, &found[i],
                                call->err);
        qn_arena_reset(&room);
        if (status == QN_OK && i % 256 == 0)
            status = qn_call_poll(call);
    }
    qn_arena_finish(&room);
    return qn_call_name(call, status);
}

static const QnOpAttribute attributes[] = {{"pattern", QN_ATTRIBUTE_STRING}, {0}};

const QnOp qn_ops_regex[] = {
    {.name = "RegexFullMatch",
     .since = 20,
     .inputs = "X: string",
     .outputs = "Y: bool",
     .attributes = attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_match,
     .reference = match},
    {0},
};
