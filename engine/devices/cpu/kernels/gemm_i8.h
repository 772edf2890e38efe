/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The product of bytes, under quantized matrix products and convolutions:
 *
 *     C[m][n] = sum over k of A[m][k] * B[k][n]        in 32 bits, which wrap
 *
 * A is unsigned and B is signed.  Operands that are otherwise are moved by 128 where they are
 * copied or packed, and the move is taken back with the zero points (scale_i32.h).
 *
 * B is packed in panels of 16 columns, [panel][k / 4][16][4] bytes, with zeros for columns and k
 * that are not there.  A row of A is one or several runs of bytes, which may lie anywhere and are
 * read in groups of four: each holds 4 * groups bytes, and those of the last past k, that meet
 * zeros, may be anything.  Sums are exact on every CPU level.
 */
#ifndef QN_ENGINE_DEVICES_CPU_KERNELS_GEMM_I8_H
#define QN_ENGINE_DEVICES_CPU_KERNELS_GEMM_I8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/cpu.h"

enum {
    QN_PANEL_I8 = 16,         /* columns of a panel */
    QN_GEMM_I8_MAX_ROWS = 12, /* of any variant's tile */
    QN_GEMM_I8_MAX_COLUMNS = 64
};

/* One tile.  Any alignment; b is aligned to 64 bytes.
 * C overlaps nothing and is written in whole panels. */
typedef struct QnGemmI8Tile {
    const uint8_t *const *a; /* run r of row i is a[r * a_step + i] */
    int64_t a_step;
    int64_t runs, groups; /* groups: of four k in each run; may be 0 */
    const int8_t *b;
    int64_t b_stride; /* bytes between panels */
    int32_t *c;       /* [rows][c_step] */
    int64_t c_step;
    int rows; /* 1 .. the variant's rows */
} QnGemmI8Tile;

typedef void QnGemmI8Fn(const QnGemmI8Tile *tile);

typedef struct QnGemmI8 {
    const char *name; /* gemm_i8_<rows>x<columns>_<isa> */
    QnIsa needs;
    int rows, panels; /* most rows; the exact number of panels */
    QnGemmI8Fn *run;
} QnGemmI8;

/* Wider panels first in each level, the portable one last. */
extern const QnGemmI8 qn_gemm_i8[];
extern const int qn_gemm_i8_count;

/* The first variant that `have` can run with `panels` >= 1 panels still to do. */
const QnGemmI8 *qn_gemm_i8_pick(QnIsa have, int64_t panels);

/* Where a packed B lies. */
typedef struct QnPanelsI8 {
    int64_t stride;     /* bytes between panels */
    size_t sums_offset; /* of the sums of the columns, int32_t [columns in whole panels] */
    size_t size_bytes;  /* of both */
} QnPanelsI8;

/* The stride and size of B[k][n] in panels; false where a number does not fit.  k is rounded up to
 * 64, so that 16 groups of a panel are one tile of AMX. */
bool qn_pack_i8_size(QnPanelsI8 *out, int64_t k, int64_t n);

/*
 * Packs B and sums its columns.  Element (i, j) is the byte at source + i * k_step + j * n_step,
 * signed or, where `is_unsigned`, unsigned and moved by -128.  `to` has size_bytes, aligned to 64.
 */
void qn_pack_i8(void *to, const QnPanelsI8 *panels, const void *source, int64_t k_step,
                int64_t n_step, bool is_unsigned, int64_t k, int64_t n);

/* Adds rows [k_first, k_first + k) to panels that qn_pack_i8 has made of no rows at all (k = 0). */
void qn_pack_i8_rows(void *to, const QnPanelsI8 *panels, int64_t k_first, const void *source,
                     int64_t k_step, int64_t n_step, bool is_unsigned, int64_t k, int64_t n);

QnGemmI8Fn qn_gemm_i8_6x64_avx512vnni, qn_gemm_i8_12x16_avx512vnni;
QnGemmI8Fn qn_gemm_i8_4x16_avx2;
QnGemmI8Fn qn_gemm_i8_2x16_c;

#endif
