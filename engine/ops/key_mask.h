/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What com.microsoft's attention operators add to scores: a mask in one of many forms, a bias, and
 * the causal frontier.  A masked key's score gets a number added (`mask_filter_value`), not
 * -infinity, so that a query whose keys are all masked weighs them as if none was.
 */
#ifndef QN_ENGINE_OPS_KEY_MASK_H
#define QN_ENGINE_OPS_KEY_MASK_H

#include "engine/ops/attend.h"

/*
 * The mask, integers, with keys counted from the first of the cache on:
 *
 *     [batch]                how many keys are valid
 *     [2 * batch]            behind the last valid key of each item, then the first ones
 *     [3 * batch + 2]        how many keys are valid; the rest is not looked at
 *     [batch, keys]          over 0: valid
 *     [batch, rows, keys]    over 0: valid for that query
 *     [batch, 1, most, most] the same by positions of queries and keys
 */
typedef struct QnKeyMask {
    const QnTensor *mask; /* or NULL */
    const QnTensor *bias; /* [batch or 1, heads or 1, rows, keys], or NULL */
    double filter;        /* what is added to scores of masked keys */
    int64_t past;         /* the position of query 0 */
    bool is_causal;
} QnKeyMask;

/* Fails where input i surely has none of these forms; a mask by positions only where it may be. */
QnStatus qn_key_mask_infer(const QnInfer *in, int i, const QnDim *scores, bool has_positions);

/* Fails where input i is surely no bias of scores[4]. */
QnStatus qn_key_mask_infer_bias(const QnInfer *in, int i, const QnDim *scores);

/* Fails where a mask of lengths has one outside of [0, keys]. */
QnStatus qn_key_mask_check(const QnCall *call, const QnTensor *mask, int64_t batch, int64_t keys);

/* For QnAttend.bias, where attend->user is a QnKeyMask. */
void qn_key_mask_add(const QnAttend *attend, int64_t b, int64_t h, int64_t i, double *row);

#endif
