/* SPDX-License-Identifier: Apache-2.0 */
/* The attributes of a transposed convolution: a window, and what says the output's size. */
#ifndef QN_ENGINE_OPS_TRANSPOSED_H
#define QN_ENGINE_OPS_TRANSPOSED_H

#include "engine/ops/window.h"

typedef struct QnTransposed {
    QnWindow window;
    int64_t output_padding[QN_WINDOW_DIMS];
    int64_t output_shape[QN_WINDOW_DIMS]; /* -1: not given */
} QnTransposed;

/* As qn_window_read, with output_padding and output_shape. */
QnStatus qn_transposed_read(QnTransposed *t, const QnNode *node, int count, const int64_t *kernel,
                            QnError *err);

/* What is cut off in front along dim d: a given output size splits the rest, the odd one in front
 * but for SAME_UPPER. */
int64_t qn_transposed_pad(const QnTransposed *t, int d, int64_t input, int64_t output);

#endif
