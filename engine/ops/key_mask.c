/* SPDX-License-Identifier: Apache-2.0 */
/* Masks and biases of com.microsoft's attention operators; key_mask.h. */
#include "engine/ops/key_mask.h"

#include <math.h>

/* ---- inference ---- */

static QnStatus check_lengths(const QnInfer *in, int i, QnDim batch)
{
    const QnDim count = qn_infer_shape(in, i)->dims[0];
    if (qn_dim_is_known(count) && qn_dim_is_known(batch) && count != batch && count != 2 * batch &&
        count != 3 * batch + 2)
        return qn_infer_fail(in, "the mask has %lld numbers for %lld items", (long long)count,
                             (long long)batch);
    return QN_OK;
}

QnStatus qn_key_mask_infer(const QnInfer *in, int i, const QnDim *scores, bool has_positions)
{
    const QnShape *mask = qn_infer_shape(in, i);
    if (!mask)
        return QN_OK;
    if (mask->rank == 1)
        return check_lengths(in, i, scores[0]);
    if (mask->rank == 2)
        return qn_infer_want_shape(in, i, 2, (const QnDim[]){scores[0], scores[3]});
    if (mask->rank == 3)
        return qn_infer_want_shape(in, i, 3, (const QnDim[]){scores[0], scores[2], scores[3]});
    if (mask->rank != 4 || !has_positions)
        return qn_infer_fail(in, "the mask has rank %d, expected 1 to %d", mask->rank,
                             has_positions ? 4 : 3);
    for (int d = 2; d < 4; d++)
        if (qn_dim_is_known(mask->dims[d]) && qn_dim_is_known(scores[3]) &&
            mask->dims[d] < scores[3])
            return qn_infer_fail(in, "the mask has %lld positions, expected %lld at least",
                                 (long long)mask->dims[d], (long long)scores[3]);
    return qn_infer_want_shape(in, i, 4,
                               (const QnDim[]){scores[0], 1, mask->dims[2], mask->dims[3]});
}

QnStatus qn_key_mask_infer_bias(const QnInfer *in, int i, const QnDim *scores)
{
    const QnShape *bias = qn_infer_shape(in, i);
    if (!bias)
        return QN_OK;
    QN_TRY(qn_infer_want_rank(in, i, 4));
    for (int d = 0; d < 4; d++)
        if (d >= 2 || bias->dims[d] != 1)
            QN_TRY(qn_infer_want_dim(in, i, d, scores[d]));
    return QN_OK;
}

/* ---- computing ---- */

QnStatus qn_key_mask_check(const QnCall *call, const QnTensor *mask, int64_t batch, int64_t keys)
{
    const int64_t count = !mask || mask->rank != 1     ? 0
                          : mask->dims[0] == 2 * batch ? 2 * batch
                                                       : batch;
    for (int64_t b = 0; b < count; b++) {
        const int64_t length = qn_tensor_get_int(mask, b);
        if (length < 0 || length > keys)
            return qn_call_fail(call, "the mask's number %lld is %lld, expected 0 to %lld",
                                (long long)b, (long long)length, (long long)keys);
    }
    return QN_OK;
}

/* Keys outside of [first, end) are masked. */
static void add_range(const QnKeyMask *m, int64_t b, int64_t batch, double *row, int64_t keys)
{
    const bool has_first = m->mask->dims[0] == 2 * batch;
    const int64_t end = qn_tensor_get_int(m->mask, b);
    const int64_t first = has_first ? qn_tensor_get_int(m->mask, batch + b) : 0;
    for (int64_t j = 0; j < keys; j++)
        if (j < first || j >= end)
            row[j] += m->filter;
}

static void add_flags(const QnKeyMask *m, int64_t at, double *row, int64_t keys)
{
    for (int64_t j = 0; j < keys; j++)
        if (qn_tensor_get_int(m->mask, at + j) <= 0)
            row[j] += m->filter;
}

static void add_mask(const QnAttend *attend, int64_t b, int64_t i, double *row)
{
    const QnKeyMask *m = attend->user;
    const int64_t *dims = m->mask->dims, keys = attend->k.rows;
    if (m->mask->rank == 1)
        add_range(m, b, attend->batch, row, keys);
    else if (m->mask->rank == 2)
        add_flags(m, b * keys, row, keys);
    else if (m->mask->rank == 3)
        add_flags(m, (b * attend->q.rows + i) * keys, row, keys);
    else
        add_flags(m, (b * dims[2] + m->past + i) * dims[3], row, keys);
}

void qn_key_mask_add(const QnAttend *attend, int64_t b, int64_t h, int64_t i, double *row)
{
    const QnKeyMask *m = attend->user;
    const int64_t keys = attend->k.rows;
    if (m->bias) {
        const int64_t *dims = m->bias->dims;
        const int64_t plane = (dims[0] == 1 ? 0 : b) * dims[1] + (dims[1] == 1 ? 0 : h);
        qn_tensor_read_row(m->bias, (plane * dims[2] + i) * keys, 1, keys, row);
    }
    if (m->mask)
        add_mask(attend, b, i, row);
    if (m->is_causal)
        qn_attend_window((QnAttendWindow){-1, 0}, m->past, i, row, keys);
}
