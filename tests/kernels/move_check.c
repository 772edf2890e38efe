/* SPDX-License-Identifier: Apache-2.0 */
/* Copies between strides: every tile of every variant,
 * and random shapes and orders between guard pages. */
#include "base/checked.h"
#include "engine/devices/cpu/kernels/move.h"
#include "tests/support/guard.h"
#include "tests/support/samples.h"
#include "tests/support/test.h"
#include "tests/support/this_cpu.h"

TEST(tiles_are_transposed)
{
    for (int k = 0; k < qn_transpose_count; k++) {
        const QnTranspose *variant = &qn_transposes[k];
        if (!runs_here(variant->needs))
            continue;
        const int64_t size = variant->element_size, tile = variant->tile,
                      stride = size * (tile + 3);
        const size_t bytes = (size_t)(stride * (tile - 1) + size * tile);
        Guard from_guard, to_guard;
        char *from = guard_end(&from_guard, bytes), *to = guard_end(&to_guard, bytes);
        Samples s = {4};
        for (size_t i = 0; i < bytes; i++)
            from[i] = (char)sample_bits(&s);
        variant->run(to, stride, from, stride);
        for (int64_t a = 0; a < tile; a++)
            for (int64_t b = 0; b < tile; b++)
                EXPECT(
                    t,
                    !memcmp(to + b * stride + a * size, from + a * stride + b * size, (size_t)size),
                    "%s %d %d", variant->name, (int)a, (int)b);
        for (int64_t b = 0; b < tile - 1; b++)
            EXPECT(t, to[b * stride + tile * size] == 0x7b, "%s wrote behind row %d", variant->name,
                   (int)b);
        guard_free(&from_guard);
        guard_free(&to_guard);
    }
}

/* Contiguous strides of the dimensions in the given order, with a gap after each row where there is
 * room for one. */
static int64_t strides_in_order(int64_t *strides, const int64_t *dims, const int *order, int rank,
                                int64_t size, int64_t gap)
{
    int64_t extent = size;
    for (int k = rank - 1; k >= 0; k--) {
        strides[order[k]] = extent;
        extent *= dims[order[k]];
        extent += k > 0 ? gap * size : 0;
    }
    return extent;
}

static void shuffle(Samples *s, int *order, int rank)
{
    for (int d = 0; d < rank; d++)
        order[d] = d;
    for (int d = rank - 1; d > 0; d--) {
        const int other = (int)sample_below(s, d + 1), kept = order[d];
        order[d] = order[other];
        order[other] = kept;
    }
}

static int64_t offset_at(const int64_t *strides, const int64_t *dims, int rank, int64_t i)
{
    int64_t offset = 0;
    for (int d = rank - 1; d >= 0; d--) {
        offset += i % dims[d] * strides[d];
        i /= dims[d];
    }
    return offset;
}

static void check_copy(Test *t, Samples *s, QnIsa isa)
{
    static const int64_t element_sizes[] = {1, 2, 4, 8, 16, 4, 1, 3};
    static const int64_t sizes[] = {1, 2, 3, 4, 7, 8, 9, 16, 17, 31, 33, 65, 130};
    const int rank = (int)sample_below(s, 5);
    const int64_t size = element_sizes[sample_below(s, 8)], gap = sample_below(s, 3);
    int64_t dims[QN_MAX_RANK], to_strides[QN_MAX_RANK], from_strides[QN_MAX_RANK], count = 1;
    int order[QN_MAX_RANK];
    for (int d = 0; d < rank; d++) {
        dims[d] = sample_below(s, 50) == 0 ? 0
                  : count > 5000           ? sample_below(s, 3) + 1
                                           : sizes[sample_below(s, 13)];
        count *= dims[d];
    }
    shuffle(s, order, rank);
    const int64_t from_bytes = strides_in_order(from_strides, dims, order, rank, size, gap);
    if (sample_below(s, 2))
        shuffle(s, order, rank);
    const int64_t to_bytes =
        strides_in_order(to_strides, dims, order, rank, size, sample_below(s, 2));
    if (rank > 1 && sample_below(s, 4) == 0)
        from_strides[sample_below(s, rank)] = 0;
    Guard from_guard, to_guard;
    char *from = guard_end(&from_guard, (size_t)from_bytes),
         *to = guard_end(&to_guard, (size_t)to_bytes);
    for (int64_t i = 0; i < from_bytes; i++)
        from[i] = (char)sample_below(s, 100);
    QnMove move;
    qn_move_bind(&move, rank, dims, to_strides, from_strides, size, isa);
    const int64_t middle = move.unit_count / 2;
    qn_move_run(&move, to, from, middle, move.unit_count);
    qn_move_run(&move, to, from, 0, middle);
    int64_t written = 0;
    for (int64_t i = 0; i < count; i++)
        EXPECT(t,
               !memcmp(to + offset_at(to_strides, dims, rank, i),
                       from + offset_at(from_strides, dims, rank, i), (size_t)size),
               "element %lld of %lld, size %lld, kind %d", (long long)i, (long long)count,
               (long long)size, (int)move.kind);
    for (int64_t i = 0; i < to_bytes; i++)
        written += to[i] != 0x7b;
    EXPECT(t, written == count * size, "%lld bytes changed, not %lld", (long long)written,
           (long long)(count * size));
    guard_free(&from_guard);
    guard_free(&to_guard);
}

TEST(any_strides_are_copied_and_gaps_kept)
{
    static const QnIsa masks[] = {QN_ISA_NONE, QN_ISA_AVX2, QN_ISA_AVX2 | QN_ISA_AVX512};
    Samples s = {5};
    for (int k = 0; k < 3; k++)
        for (int round = 0; round < 400 && runs_here(masks[k]); round++)
            check_copy(t, &s, masks[k]);
}

/* What shows which way a shape takes. */
TEST(shapes_are_recognized)
{
    static const struct {
        const char *what;
        int rank;
        int64_t dims[4], to[4], from[4], size;
        QnMoveKind kind;
        int outer;
    } rows[] = {
        {"a contiguous copy is one row",
         3,
         {2, 3, 5},
         {60, 20, 4},
         {60, 20, 4},
         4,
         QN_MOVE_ROWS,
         0},
        {"a slice keeps its rows", 2, {3, 5}, {20, 4}, {40, 4}, 4, QN_MOVE_ROWS, 1},
        {"a transpose has tiles", 2, {30, 50}, {4, 120}, {200, 4}, 4, QN_MOVE_TRANSPOSE, 0},
        {"NCHW to NHWC merges height and width",
         4,
         {2, 3, 8, 9},
         {864, 4, 108, 12},
         {864, 288, 36, 4},
         4,
         QN_MOVE_TRANSPOSE,
         1},
        {"pairs of floats move as eight bytes",
         3,
         {30, 50, 2},
         {8, 240, 4},
         {400, 8, 4},
         4,
         QN_MOVE_TRANSPOSE,
         0},
        {"every second element", 1, {30}, {4}, {8}, 4, QN_MOVE_STRIDED, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        QnMove move;
        qn_move_bind(&move, rows[i].rank, rows[i].dims, rows[i].to, rows[i].from, rows[i].size,
                     QN_ISA_NONE);
        EXPECT(t, move.kind == rows[i].kind && move.rank == rows[i].outer,
               "%s: kind %d, %d outer dimensions", rows[i].what, (int)move.kind, move.rank);
    }
}

TEST_MAIN(CASE(tiles_are_transposed), CASE(any_strides_are_copied_and_gaps_kept),
          CASE(shapes_are_recognized))
