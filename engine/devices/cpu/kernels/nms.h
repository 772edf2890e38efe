/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Non-maximum suppression of boxes, as ONNX has it: for every batch and class the boxes over the
 * score threshold, best first (among equals the lower index), each kept unless it overlaps one that
 * was kept by more than the IoU threshold.
 */
#ifndef QN_KERNELS_NMS_H
#define QN_KERNELS_NMS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct QnNms {
    int64_t batches, classes, boxes;
    int64_t most;     /* kept of each class */
    bool has_centers; /* boxes are (x center, y center, width, height), not two corners (y, x, y, x)
                         in any order */
    float iou_threshold, score_threshold;
    bool has_score_threshold;
} QnNms;

/* Bytes of scratch memory, aligned to 16; SIZE_MAX where the number does not fit. */
size_t qn_nms_scratch(const QnNms *nms);

/* How many boxes may be kept of each class of each batch. */
int64_t qn_nms_limit(const QnNms *nms);

/*
 * One class of one batch, `unit` = batch * classes + class.  boxes: [batches, boxes, 4]; scores:
 * [batches, classes, boxes]; selected: room for qn_nms_limit rows of (batch, class, box).  Gives
 * how many rows there are.
 */
int64_t qn_nms_run(const QnNms *nms, int64_t unit, const float *boxes, const float *scores,
                   int64_t (*selected)[3], void *scratch);

#endif
