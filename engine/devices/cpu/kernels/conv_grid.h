/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The geometry under conv.h: which input pixels an output pixel needs, as arithmetic progressions
 * per axis, and the tables of pointers that products read.
 */
#ifndef QN_ENGINE_DEVICES_CPU_KERNELS_CONV_GRID_H
#define QN_ENGINE_DEVICES_CPU_KERNELS_CONV_GRID_H

#include "engine/devices/cpu/kernels/conv.h"
#include "engine/devices/cpu/kernels/gemm.h"

/*
 * One axis of a phase.  Grid position g is the output position out_first + g * out_step and takes,
 * for tap j, kernel position kernel_first + j * kernel_step at input position g * in_step +
 * in_first + j * tap_step.
 */
typedef struct QnConvAxis {
    int64_t count; /* of grid positions */
    int64_t out_first, out_step;
    int64_t taps; /* of the kernel that belong to this phase; 0 where none does */
    int64_t kernel_first, kernel_step;
    int64_t in_first, in_step, tap_step;
} QnConvAxis;

typedef struct QnConvPhase {
    QnConvAxis axis[QN_CONV_MAX_AXES];
    int64_t pixels; /* of the grid */
    int64_t taps;   /* product over the axes */
    int64_t k;      /* length of its sums: taps * channels of a group */
} QnConvPhase;

/* 1, or the product of the strides of a transposed convolution; -1 where it does not fit. */
int64_t qn_conv_phase_count(const QnConv *conv);

/* Phase number `index`.  Without sizes (NULL) only what concerns the kernel is set. */
void qn_conv_phase(QnConvPhase *out, const QnConv *conv, int64_t index, const QnConvF32 *sizes);

/*
 * How many floats of A one innermost tap gives where the innermost taps of a pixel are one run,
 * else 0: from planes 1; channels last the channels, where pixels of few channels follow each other
 * without a gap.  Short runs cost as much as long ones.
 */
int64_t qn_conv_run_width(const QnConvF32 *conv);

/*
 * A small image whose innermost taps are runs is copied with its padding first, so that no run
 * leaves it: writing out every run that does costs more.  The size of the copy, 0 where none is
 * made.
 */
int64_t qn_conv_padded_floats(const QnConvF32 *conv);

/* Makes that copy of one image, and the same convolution of it without padding. */
void qn_conv_pad(QnConvF32 *out, const QnConvF32 *conv, int64_t image, float *copy);

/* A table of QN_GEMM_BLOCK_ROWS pointers per tap,
 * and what pointers may need that is not in the image. */
typedef struct QnConvTable {
    const float **pointers; /* [tap][QN_GEMM_BLOCK_ROWS] */
    const float *zeros;     /* as long as the channels of a pixel, or as a run */
    float *patches;         /* [row][tap][floats of a run], for runs that leave the image */
} QnConvTable;

/* Fills the table for grid pixels first .. first + count of one image,
 * count <= QN_GEMM_BLOCK_ROWS. */
void qn_conv_fill_table(const QnConvTable *table, const QnConvF32 *conv, const QnConvPhase *phase,
                        int64_t image, int64_t first, int64_t count);

#endif
