/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sliding windows over spatial dimensions: what convolution and pooling share.
 *
 * A window of `kernel` taps, `dilation` apart, moves by `stride` over an input extended by pads at
 * both ends.
 */
#ifndef QN_ENGINE_OPS_WINDOW_H
#define QN_ENGINE_OPS_WINDOW_H

#include "engine/ops/op.h"

enum { QN_WINDOW_DIMS = QN_MAX_RANK - 2 };

typedef enum QnAutoPad {
    QN_PAD_NOTSET,
    QN_PAD_VALID,
    QN_PAD_SAME_UPPER,
    QN_PAD_SAME_LOWER
} QnAutoPad;

/* The attributes of a window, complete: all lists have `count` entries. */
typedef struct QnWindow {
    int count; /* spatial dims */
    int64_t kernel[QN_WINDOW_DIMS], stride[QN_WINDOW_DIMS], dilation[QN_WINDOW_DIMS];
    int64_t pad_begin[QN_WINDOW_DIMS],
        pad_end[QN_WINDOW_DIMS]; /* as given; 0 for auto_pad other than NOTSET */
    QnAutoPad auto_pad;
    bool ceil_mode;
} QnWindow;

/*
 * Reads kernel_shape (or `kernel`, the weight's spatial dims; NULL where the operator has none),
 * strides, dilations, pads, auto_pad and ceil_mode of a node with `count` spatial dims.
 * QN_BAD_MODEL names the attribute that is out of range.
 */
QnStatus qn_window_read(QnWindow *window, const QnNode *node, int count, const int64_t *kernel,
                        QnError *err);

/* The output's size along spatial dim d. */
QnDim qn_window_output(QnDims *dims, const QnWindow *window, int d, QnDim input);

/* Pads along dim d for actual sizes; SAME computes them. */
void qn_window_pads(const QnWindow *window, int d, int64_t input, int64_t output, int64_t *begin,
                    int64_t *end);

/* The output's size for an actual input size; negative where the window does not fit. */
int64_t qn_window_size(const QnWindow *window, int d, int64_t input);

#endif
