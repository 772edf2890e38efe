/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 3x3 convolution of stride 1 with fewer multiplications: Winograd's minimal filtering F(m x m,
 * 3 x 3) for output tiles of m = 2 or 4 (Lavin and Gray, arXiv:1509.09308).  Of each tile of input,
 * t = m + 2 pixels wide and high,
 *
 *     Y = A' [ (G g G') * (B' d B) ] A
 *
 * where * multiplies element by element and sums over the channels: t * t matrix products over all
 * tiles.  F(2) takes 16 multiplications for 4 results and F(4) takes 36 for 16, where the direct
 * sum takes 36 and 144.
 *
 * The work has two kinds of rounds, which follow each other: the odd ones need all of the even one
 * before.  A pair of rounds does as many tiles as fit the caches: the first transforms their input
 * into `shared`, the second multiplies and transforms back.
 *
 * Rounding: F(2) is no worse than the direct sum; F(4) has about four times its error, 1e-5 of the
 * root mean square of the output at worst for 256 channels.
 */
#ifndef QN_ENGINE_DEVICES_CPU_KERNELS_WINOGRAD_H
#define QN_ENGINE_DEVICES_CPU_KERNELS_WINOGRAD_H

#include "engine/devices/cpu/kernels/conv.h"

enum {
    QN_WINOGRAD_MAX_SIDE = 6, /* t */
    QN_WINOGRAD_MAX_TAPS = QN_WINOGRAD_MAX_SIDE * QN_WINOGRAD_MAX_SIDE,
    QN_WINOGRAD_GROUP = 4 /* panels of output channels that are computed together */
};

/* Can these weights be used, on this processor?  conv->tile is the m in question. */
bool qn_winograd_f32_fits(const QnConv *conv, QnIsa isa);

/* As in conv.h, for conv->tile 2 or 4.  Weights take t * t / 9 as much as direct ones. */
QN_WARN_UNUSED bool qn_winograd_f32_packed_size(size_t *bytes, const QnConv *conv);
void qn_winograd_f32_pack(float *packed, const QnConv *conv, const void *w);

/*
 * Rounds are done one after the other with conv->round set; conv->shared, aligned to 64 bytes,
 * carries data between them.  The chunks of a round are done in any order by any threads.
 */
int64_t qn_winograd_f32_rounds(const QnConvF32 *conv);
size_t qn_winograd_f32_shared(const QnConvF32 *conv);
int64_t qn_winograd_f32_chunks(const QnConvF32 *conv);
size_t qn_winograd_f32_scratch(const QnConvF32 *conv);
void qn_winograd_f32_run(const QnConvF32 *conv, int64_t chunk, void *scratch);

/* About how many multiply-adds of a product take the time of the whole, for choosing; with
 * conv->tile 0 of the direct sum. */
double qn_winograd_f32_work(const QnConv *conv, double images, double height, double width);

/* ---- the transforms of one tile ---- */

/* V[p][c] = (B' d B)[p] for all channels c. */
typedef struct QnWinogradInput {
    const float *pixels[QN_WINOGRAD_MAX_TAPS]; /* [t * t], `channels` floats each */
    int64_t channels;
    float *v;
    int64_t v_step; /* floats between p and p + 1 */
} QnWinogradInput;

/* y = clamp((A' M A) + bias + beta * residual) for the pixels of a tile that are in the image. */
typedef struct QnWinogradOutput {
    const float *m; /* M[p][column] */
    int64_t m_step;
    int columns, rows, pixels; /* rows and pixels a row: 1 .. m */
    float *y;
    int64_t y_row_step, y_pixel_step;
    const float *bias; /* [columns] or NULL */
    float alpha;
    const float *residual; /* or NULL */
    int64_t residual_row_step, residual_pixel_step;
    float beta;
    bool clamp;
    float low, high;
} QnWinogradOutput;

typedef void QnWinogradInputFn(const QnWinogradInput *in);
typedef void QnWinogradOutputFn(const QnWinogradOutput *out);

typedef struct QnWinogradF32 {
    const char *name;
    QnIsa needs;
    int tile; /* m */
    QnWinogradInputFn *input;
    QnWinogradOutputFn *output;
} QnWinogradF32;

extern const QnWinogradF32 qn_winograd_f32[];
extern const int qn_winograd_f32_count;

/* The first variant that `have` can run, or NULL: there is no portable one. */
const QnWinogradF32 *qn_winograd_f32_pick(QnIsa have, int tile);

QnWinogradInputFn qn_winograd_input_2_avx512, qn_winograd_input_4_avx512, qn_winograd_input_2_avx2,
    qn_winograd_input_4_avx2;
QnWinogradOutputFn qn_winograd_output_2_avx512, qn_winograd_output_4_avx512,
    qn_winograd_output_2_avx2, qn_winograd_output_4_avx2;

#endif
