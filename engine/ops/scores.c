/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ops/scores.h"

#include <math.h>

bool qn_post_find(const QnNode *node, QnPost *out)
{
    static const char *const names[] = {"NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"};
    for (int i = 0; i < (int)QN_COUNT_OF(names); i++)
        if (qn_op_string_is(node, "post_transform", names[i])) {
            *out = (QnPost)i;
            return true;
        }
    return false;
}

static double logistic(double x)
{
    return x >= 0 ? 1 / (1 + exp(-x)) : exp(x) / (1 + exp(x));
}

/* sqrt(2) * the inverse of erf at 2x - 1, by S. Winitzki's formula.  It is ill-conditioned near 0,
 * 1/2 and 1: single precision and these digits of pi give what ONNX Runtime gives there. */
static double probit(double x)
{
    const float y = 2 * (float)x - 1;
    const float log_part = logf((1 - y) * (1 + y));
    const float v = 2 / (3.14159f * 0.147f) + 0.5f * log_part;
    const float size = sqrtf(-v + sqrtf(v * v - 1 / 0.147f * log_part));
    return (double)(1.41421356f * (y < 0 ? -size : size));
}

static void softmax(double *scores, int64_t count, bool keeps_zeros)
{
    double max = -INFINITY, sum = 0;
    for (int64_t i = 0; i < count; i++)
        max = scores[i] > max ? scores[i] : max;
    for (int64_t i = 0; i < count; i++) {
        const bool is_zero = keeps_zeros && fabs(scores[i]) < 1e-7;
        scores[i] = is_zero ? 0 : exp(scores[i] - max);
        sum += scores[i];
    }
    for (int64_t i = 0; i < count && sum != 0; i++)
        scores[i] /= sum;
}

void qn_post_apply(QnPost post, double *scores, int64_t count)
{
    if (post == QN_POST_SOFTMAX || post == QN_POST_SOFTMAX_ZERO) {
        softmax(scores, count, post == QN_POST_SOFTMAX_ZERO);
        return;
    }
    for (int64_t i = 0; i < count; i++)
        scores[i] = post == QN_POST_LOGISTIC ? logistic(scores[i])
                    : post == QN_POST_PROBIT ? probit(scores[i])
                                             : scores[i];
}

void qn_post_widen(QnPost post, QnBinary kind, double *scores)
{
    const double score = scores[0];
    if (post == QN_POST_LOGISTIC) {
        scores[0] = logistic(-score);
        scores[1] = logistic(score);
    } else if (kind == QN_BINARY_PARTS) {
        scores[0] = 1 - score;
        scores[1] = score;
    } else {
        scores[0] = -score;
        scores[1] = score;
    }
}

QnStatus qn_features_infer(const QnInfer *in, QnDim *rows, QnDim *columns)
{
    const QnShape *x = qn_infer_shape(in, 0);
    if (x->rank != 1 && x->rank != 2)
        return qn_infer_fail(in, "input 0 has rank %d, expected 1 or 2", x->rank);
    *rows = x->rank == 2 ? x->dims[0] : 1;
    *columns = x->dims[x->rank - 1];
    return QN_OK;
}

void qn_features_count(const QnTensor *x, int64_t *rows, int64_t *columns)
{
    *rows = x->rank == 2 ? x->dims[0] : 1;
    *columns = x->dims[x->rank - 1];
}

const float *qn_floats_find(const QnNode *node, const char *name, int *count)
{
    const QnAttribute *list = qn_node_attribute(node, name);
    *count = list && list->kind == QN_ATTRIBUTE_FLOATS ? list->count : 0;
    return *count ? list->floats : NULL;
}

const int64_t *qn_ints_find(const QnNode *node, const char *name, int *count)
{
    const QnAttribute *list = qn_node_attribute(node, name);
    *count = list && list->kind == QN_ATTRIBUTE_INTS ? list->count : 0;
    return *count ? list->ints : NULL;
}

QnLabels qn_labels_find(const QnNode *node, const char *ints, const char *strings)
{
    QnLabels labels = {0};
    const QnAttribute *list = qn_node_attribute(node, strings);
    if (list && list->kind == QN_ATTRIBUTE_STRINGS && list->count > 0)
        return (QnLabels){.strings = list->strings, .count = list->count};
    labels.ints = qn_ints_find(node, ints, &labels.count);
    return labels;
}

void qn_labels_write(const QnLabels *labels, int i, QnTensor *y, int64_t n)
{
    const bool is_there = i < labels->count;
    if (y->type == QN_STRING)
        ((QnString *)y->data)[n] = is_there ? labels->strings[i] : (QnString){"", 0};
    else
        qn_tensor_set_int(y, n, is_there && labels->ints ? labels->ints[i] : i);
}
