/* SPDX-License-Identifier: Apache-2.0 */
/* What lowerings need of Pad. */
#ifndef QN_ENGINE_OPS_PAD_H
#define QN_ENGINE_OPS_PAD_H

#include "engine/ops/op.h"

typedef enum QnPadMode {
    QN_PAD_CONSTANT,
    QN_PAD_EDGE,
    QN_PAD_REFLECT,
    QN_PAD_WRAP,
    QN_PAD_MODE_COUNT /* none of them */
} QnPadMode;

/* A Pad node's mode. */
QnPadMode qn_pad_mode(const QnNode *node);

/*
 * The element of [0, size) that position i of its continuation shows; -1: the constant.  size > 0
 * unless that is the mode.
 */
int64_t qn_pad_source(QnPadMode mode, int64_t i, int64_t size);

#endif
