/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scaled dot-product attention in fp32, a block of queries at a time:
 *
 *     score = softcap(scale * q k') + bias;  p = exp(score - max) / (sum + sink);  y = p v
 *
 * Keys take part or not: by a mask, by a window around the position of the query, and by the number
 * of valid ones.  Those that do not count nothing, whatever they and their values hold; a query
 * without any key gives zeros.  Products and softmax are those of product.h and softmax.h; a block
 * of scores stays in the cache.  No sum is split between units, so the bits do not depend on the
 * number of threads.
 */
#ifndef QN_ENGINE_DEVICES_CPU_KERNELS_ATTEND_H
#define QN_ENGINE_DEVICES_CPU_KERNELS_ATTEND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"

/* What the scores may be written out as. */
typedef enum QnScoreStage {
    QN_SCORE_NONE,
    QN_SCORE_RAW,     /* scaled */
    QN_SCORE_CAPPED,  /* behind the soft cap */
    QN_SCORE_BIASED,  /* with the bias; -infinity where a key takes no part */
    QN_SCORE_SOFTMAX, /* behind softmax */
} QnScoreStage;

/* From one item, head, row and element to the next, in elements; 0 repeats. */
typedef struct QnAttendSteps {
    int64_t item, head, row, element;
} QnAttendSteps;

typedef struct QnAttendF32 {
    QnIsa isa;
    int64_t batch, heads, group; /* heads: of queries; group: so many share one of keys */
    int64_t rows, keys;          /* of each head */
    int64_t size, value_size;
    QnAttendSteps q, k, v, y, mask; /* mask.element is 1, of y too */
    int64_t mask_keys;              /* the keys behind them are not allowed */
    int64_t left, right;  /* how far keys may stand before and behind a query; negative: any */
    float scale, softcap; /* softcap 0: none */
    QnScoreStage stage;
    bool has_sinks;
} QnAttendF32;

/* Aligned to their elements.  y and scores overlap nothing. */
typedef struct QnAttendArrays {
    const float *q, *k, *v;
    const float *bias;      /* the mask as what is added, or NULL */
    const uint8_t *allowed; /* the mask as truths, or NULL */
    const float *sinks;     /* [heads] or NULL */
    const int64_t *offsets; /* [batch] the position of query 0 among the keys */
    const int64_t *valid;   /* [batch] how many keys are valid, 0 to keys */
    float *y;
    float *scores; /* [batch][heads][rows][keys], where the stage is not NONE */
} QnAttendArrays;

/* What may be computed apart from each other: blocks of queries of one head. */
int64_t qn_attend_f32_units(const QnAttendF32 *attend);

/* About how many multiplications a unit has. */
double qn_attend_f32_unit_cost(const QnAttendF32 *attend);

/* The room of one thread, aligned to 64 bytes; SIZE_MAX where the number does not fit. */
size_t qn_attend_f32_scratch(const QnAttendF32 *attend);

/* Computes a unit. */
void qn_attend_f32_run(const QnAttendF32 *attend, const QnAttendArrays *arrays, int64_t unit,
                       void *scratch);

#endif
