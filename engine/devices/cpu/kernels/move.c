/* SPDX-License-Identifier: Apache-2.0 */
/* Copies between strides: normalized to rows,
 * transposed tiles or single elements, then run by units. */
#include "engine/devices/cpu/kernels/move.h"

#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/fault.h"
#include "engine/devices/cpu/kernels/rows.h"
#if QN_ARCH_X86
#    include "engine/devices/cpu/kernels/x86/move_x86.h"
#endif

/* The portable tiles: a block of both sides stays in the first cache. */
#define TRANSPOSE_C(name, T)                                                             \
    static void name(char *to, int64_t to_stride, const char *from, int64_t from_stride) \
    {                                                                                    \
        for (int b = 0; b < 8; b++)                                                      \
            for (int a = 0; a < 8; a++)                                                  \
                memcpy(to + b * to_stride + a * (int)sizeof(T),                          \
                       from + a * from_stride + b * (int)sizeof(T), sizeof(T));          \
    }
typedef struct Sixteen {
    uint64_t low, high;
} Sixteen;
TRANSPOSE_C(transpose_1_8_c, uint8_t)
TRANSPOSE_C(transpose_2_8_c, uint16_t)
TRANSPOSE_C(transpose_4_8_c, uint32_t)
TRANSPOSE_C(transpose_8_8_c, uint64_t)
TRANSPOSE_C(transpose_16_8_c, Sixteen)

const QnTranspose qn_transposes[] = {
#if QN_ARCH_X86
    {"transpose_4_16_avx512", QN_ISA_AVX2 | QN_ISA_AVX512, 4, 16, qn_transpose_4_16_avx512},
    {"transpose_4_8_avx2", QN_ISA_AVX2, 4, 8, qn_transpose_4_8_avx2},
    {"transpose_1_16_avx2", QN_ISA_AVX2, 1, 16, qn_transpose_1_16_avx2},
    {"transpose_2_8_avx2", QN_ISA_AVX2, 2, 8, qn_transpose_2_8_avx2},
    {"transpose_8_4_avx2", QN_ISA_AVX2, 8, 4, qn_transpose_8_4_avx2},
#endif
    {"transpose_1_8_c", QN_ISA_NONE, 1, 8, transpose_1_8_c},
    {"transpose_2_8_c", QN_ISA_NONE, 2, 8, transpose_2_8_c},
    {"transpose_4_8_c", QN_ISA_NONE, 4, 8, transpose_4_8_c},
    {"transpose_8_8_c", QN_ISA_NONE, 8, 8, transpose_8_8_c},
    {"transpose_16_8_c", QN_ISA_NONE, 16, 8, transpose_16_8_c},
};
const int qn_transpose_count = (int)QN_COUNT_OF(qn_transposes);

static const QnTranspose *pick_transpose(int64_t size, QnIsa have)
{
    for (int i = 0; i < qn_transpose_count; i++)
        if (qn_transposes[i].element_size == size &&
            (qn_transposes[i].needs & have) == qn_transposes[i].needs)
            return &qn_transposes[i];
    return NULL;
}

typedef struct Dim {
    int64_t size, to, from;
} Dim;

/* Dimensions that count, the one with the largest stride in `to` first; neighbours that both sides
 * walk alike are one. */
static int normalize(Dim *out, int rank, const int64_t *dims, const int64_t *to,
                     const int64_t *from)
{
    int kept = 0;
    for (int d = 0; d < rank; d++) {
        if (dims[d] == 1)
            continue;
        const Dim dim = {dims[d], to[d], from[d]};
        int at = kept++;
        for (; at > 0 && llabs(out[at - 1].to) < llabs(dim.to); at--)
            out[at] = out[at - 1];
        out[at] = dim;
    }
    int merged = 0;
    for (int d = 0; d < kept; d++) {
        Dim *last = merged ? &out[merged - 1] : NULL;
        if (last && last->to == out[d].to * out[d].size && last->from == out[d].from * out[d].size)
            *last = (Dim){last->size * out[d].size, out[d].to, out[d].from};
        else
            out[merged++] = out[d];
    }
    return merged;
}

/* A short innermost row whose bytes make a wider element is moved as that. */
static int widen(Dim *dims, int rank, int64_t *size)
{
    while (rank > 1 && dims[rank - 1].to == *size && dims[rank - 1].from == *size) {
        const int64_t bytes = *size * dims[rank - 1].size;
        if (bytes != 2 && bytes != 4 && bytes != 8 && bytes != 16)
            break;
        *size = bytes;
        rank--;
    }
    return rank;
}

/* The dimension that is contiguous in `from`, other than the last; -1: none. */
static int find_across(const Dim *dims, int rank, int64_t size)
{
    for (int d = rank - 2; d >= 0; d--)
        if (dims[d].from == size && dims[d].size > 1)
            return d;
    return -1;
}

static void cut(QnMove *move, int64_t piece)
{
    move->piece = qn_max_i64(1, qn_min_i64(piece, move->count));
    move->pieces = qn_ceil_div(move->count, move->piece);
    move->unit_count = move->pieces;
    for (int d = 0; d < move->rank; d++)
        move->unit_count *= move->dims[d];
}

void qn_move_bind(QnMove *out, int rank, const int64_t *dims, const int64_t *to_strides,
                  const int64_t *from_strides, int64_t element_size, QnIsa have)
{
    enum { ROW_PIECE_BYTES = 32 << 10, TRANSPOSE_PIECE = 64, STRIDED_PIECE = 4096 };
    Dim sorted[QN_MAX_RANK + 1];
    *out = (QnMove){.size = element_size};
    rank = normalize(sorted, rank, dims, to_strides, from_strides);
    if (rank == 0)
        sorted[rank++] = (Dim){1, element_size, element_size};
    rank = widen(sorted, rank, &out->size);
    const Dim inner = sorted[rank - 1];
    out->count = inner.size;
    out->to_stride = inner.to;
    out->from_stride = inner.from;
    int across = -1;
    if (inner.to == out->size && inner.from == out->size) {
        out->kind = QN_MOVE_ROWS;
    } else {
        across = inner.to == out->size ? find_across(sorted, rank, out->size) : -1;
        out->transpose = pick_transpose(out->size, have);
        if (!out->transpose)
            across = -1;
        out->kind = across >= 0 ? QN_MOVE_TRANSPOSE : QN_MOVE_STRIDED;
    }
    for (int d = 0; d < rank - 1; d++) {
        if (d == across) {
            out->across = sorted[d].size;
            out->across_stride = sorted[d].to;
            continue;
        }
        out->dims[out->rank] = sorted[d].size;
        out->to_strides[out->rank] = sorted[d].to;
        out->from_strides[out->rank++] = sorted[d].from;
    }
    cut(out, out->kind == QN_MOVE_ROWS        ? qn_max_i64(1, ROW_PIECE_BYTES / out->size)
             : out->kind == QN_MOVE_TRANSPOSE ? TRANSPOSE_PIECE
                                              : STRIDED_PIECE);
    if (across >= 0 && out->across == 0)
        out->unit_count = 0;
}

/* What tiles do not cover: a and b from their starts to their ends, element by element. */
static void transpose_rest(const QnMove *move, char *to, const char *from, int64_t a, int64_t a_end,
                           int64_t b, int64_t b_end)
{
    for (int64_t i = b; i < b_end; i++)
        qn_copy_row(to + i * move->across_stride + a * move->size, move->size,
                    from + a * move->from_stride + i * move->size, move->from_stride, a_end - a,
                    move->size);
}

/* A piece of the innermost dimension, `count` long, by all of the dimension across. */
static void transpose_piece(const QnMove *move, char *to, const char *from, int64_t count)
{
    const int64_t tile = move->transpose->tile, size = move->size;
    const int64_t a_tiles = count / tile * tile, b_tiles = move->across / tile * tile;
    for (int64_t b = 0; b < b_tiles; b += tile)
        for (int64_t a = 0; a < a_tiles; a += tile)
            move->transpose->run(to + b * move->across_stride + a * size, move->across_stride,
                                 from + a * move->from_stride + b * size, move->from_stride);
    if (a_tiles && b_tiles && qn_fault("kernel", move->transpose->name))
        qn_fault_spoil(to, (size_t)size);
    transpose_rest(move, to, from, a_tiles, count, 0, b_tiles);
    transpose_rest(move, to, from, 0, count, b_tiles, move->across);
}

static const char *const kinds[] = {[QN_MOVE_ROWS] = "move_rows",
                                    [QN_MOVE_TRANSPOSE] = "move_transpose",
                                    [QN_MOVE_STRIDED] = "move_strided"};

void qn_move_run(const QnMove *move, void *to, const void *from, int64_t begin, int64_t end)
{
    for (int64_t unit = begin; unit < end; unit++) {
        const int64_t first = unit % move->pieces * move->piece;
        const int64_t count = qn_min_i64(move->piece, move->count - first);
        char *target = (char *)to + first * move->to_stride;
        const char *source = (const char *)from + first * move->from_stride;
        int64_t outer = unit / move->pieces;
        for (int d = move->rank - 1; d >= 0; d--) {
            target += outer % move->dims[d] * move->to_strides[d];
            source += outer % move->dims[d] * move->from_strides[d];
            outer /= move->dims[d];
        }
        if (move->kind == QN_MOVE_TRANSPOSE)
            transpose_piece(move, target, source, count);
        else
            qn_copy_row(target, move->to_stride, source, move->from_stride, count, move->size);
        if (qn_fault("kernel", kinds[move->kind]))
            qn_fault_spoil(target, count > 0 ? (size_t)move->size : 0);
    }
}
