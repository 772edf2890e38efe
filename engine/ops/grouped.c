/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of grouped heads; grouped.h. */
#include "engine/ops/grouped.h"

#include "engine/ops/heads.h"

/* ---- inference ---- */

static QnStatus check_heads(const QnInfer *in, const QnGroupedSizes *s)
{
    if (s->heads < 1 || s->kv_heads < 1 || s->heads > INT32_MAX)
        return qn_infer_fail(in, "num_heads is %lld and kv_num_heads %lld, expected 1 at least",
                             (long long)s->heads, (long long)s->kv_heads);
    if (qn_infer_has(in, 1) != qn_infer_has(in, 2))
        return qn_infer_fail(in, "has one of key and value, expected both or none");
    for (int i = 0; i < 3; i++)
        QN_TRY(qn_infer_want_rank(in, i, 3));
    return qn_heads_want_groups(in, s->heads, s->kv_heads);
}

QnStatus qn_grouped_infer(QnInfer *in, QnGroupedSizes *s)
{
    const QnShape *query = qn_infer_shape(in, 0);
    *s = (QnGroupedSizes){.heads = qn_op_int(in->node, "num_heads"),
                          .kv_heads = qn_op_int(in->node, "kv_num_heads")};
    QN_TRY(check_heads(in, s));
    const int64_t parts = s->heads + (qn_infer_has(in, 1) ? 0 : 2 * s->kv_heads);
    if (!query)
        return QN_OK;
    s->is_known = true;
    s->batch = query->dims[0];
    s->rows = query->dims[1];
    s->size = qn_dim_floor_div(in->dims, query->dims[2], parts);
    if (qn_dim_is_known(query->dims[2]) && query->dims[2] % parts)
        return qn_infer_fail(in, "input 0 has rows of %lld elements, which are not %lld heads",
                             (long long)query->dims[2], (long long)parts);
    for (int i = 1; i < 3; i++)
        QN_TRY(qn_infer_want_shape(
            in, i, 3,
            (const QnDim[]){s->batch, s->rows, qn_dim_mul(in->dims, s->size, s->kv_heads)}));
    return QN_OK;
}

QnStatus qn_grouped_infer_tables(const QnInfer *in, int cos, int sin, const QnGroupedSizes *s)
{
    const QnShape *table = qn_infer_shape(in, cos);
    if (qn_op_int(in->node, "do_rotary") == 0)
        return QN_OK;
    if (!qn_infer_has(in, cos) || !qn_infer_has(in, sin))
        return qn_infer_fail(in, "do_rotary is 1, which needs cos_cache and sin_cache");
    QN_TRY(qn_infer_want_rank(in, cos, 2));
    if (!table)
        return QN_OK;
    QN_TRY(qn_infer_want_shape(in, sin, 2, table->dims));
    if (s->is_known && qn_dim_is_known(s->size) && qn_dim_is_known(table->dims[1]) &&
        table->dims[1] > s->size / 2)
        return qn_infer_fail(in, "the tables turn %lld pairs of %lld elements",
                             (long long)table->dims[1], (long long)s->size);
    return QN_OK;
}

/* ---- computing ---- */

QnGrouped qn_grouped(const QnCall *call, int cos, int sin)
{
    const QnTensor *query = qn_call_input(call, 0);
    const bool does_rotate = qn_op_int(call->node, "do_rotary") != 0;
    QnGrouped g = {.call = call,
                   .batch = query->dims[0],
                   .rows = query->dims[1],
                   .heads = qn_op_int(call->node, "num_heads"),
                   .kv_heads = qn_op_int(call->node, "kv_num_heads"),
                   .cos = does_rotate ? qn_call_input(call, cos) : NULL,
                   .sin = does_rotate ? qn_call_input(call, sin) : NULL,
                   .is_interleaved = qn_op_int(call->node, "rotary_interleaved") != 0};
    g.size = query->dims[2] / (g.heads + (qn_call_input(call, 1) ? 0 : 2 * g.kv_heads));
    return g;
}

void qn_grouped_read(const QnGrouped *g, QnGroupedPart part, int64_t b, int64_t i, int64_t h,
                     double *to)
{
    const QnTensor *x = qn_call_input(g->call, (int)part);
    int64_t head = h;
    if (!x) {
        x = qn_call_input(g->call, 0);
        head += g->heads + (part == QN_GROUPED_VALUE ? g->kv_heads : 0);
    }
    qn_tensor_read_row(x, (b * g->rows + i) * x->dims[2] + head * g->size, 1, g->size, to);
}

QnStatus qn_grouped_check(const QnGrouped *g, int64_t position)
{
    if (g->cos && (position < 0 || position >= g->cos->dims[0]))
        return qn_call_fail(g->call, "a row's position is %lld, expected 0 to %lld",
                            (long long)position, (long long)(g->cos->dims[0] - 1));
    return QN_OK;
}

void qn_grouped_rotate(const QnGrouped *g, double *row, int64_t position)
{
    const int64_t half = g->cos ? g->cos->dims[1] : 0;
    for (int64_t p = 0; p < half; p++) {
        double *a = row + (g->is_interleaved ? 2 * p : p);
        double *b = g->is_interleaved ? a + 1 : a + half;
        const double cos = qn_tensor_get(g->cos, position * half + p);
        const double sin = qn_tensor_get(g->sin, position * half + p);
        const double x = *a, y = *b;
        *a = x * cos - y * sin;
        *b = x * sin + y * cos;
    }
}
