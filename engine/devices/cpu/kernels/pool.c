/* SPDX-License-Identifier: Apache-2.0 */
/* Pooling: the portable functions, the list of variants, and the walk over windows. */
#include "engine/devices/cpu/kernels/pool.h"

#include <math.h>
#include <string.h>

#include "base/checked.h"
#include "base/fault.h"
#if QN_ARCH_X86
#    include "engine/devices/cpu/kernels/x86/pool_x86.h"
#endif

/* Integers are never NaN; one body serves them and floats. */
#pragma GCC diagnostic ignored "-Wtautological-compare"

enum { POOL_BLOCK = 16 }; /* channels */

#define T       float
#define LOWEST  -INFINITY
#define NAME(x) f32_##x
#include "engine/devices/cpu/kernels/pool_typed.inc"

#define T       double
#define LOWEST  -INFINITY
#define NAME(x) f64_##x
#include "engine/devices/cpu/kernels/pool_typed.inc"

#define T       int8_t
#define LOWEST  INT8_MIN
#define NAME(x) i8_##x
#include "engine/devices/cpu/kernels/pool_typed.inc"

#define T       uint8_t
#define LOWEST  0
#define NAME(x) u8_##x
#include "engine/devices/cpu/kernels/pool_typed.inc"

#define T       float
#define NAME(x) f32_##x
#include "engine/devices/cpu/kernels/pool_sums.inc"

#define T       double
#define NAME(x) f64_##x
#include "engine/devices/cpu/kernels/pool_sums.inc"

static QnPoolFn *const f32_table[QN_POOL_KIND_COUNT] = {f32_max, f32_average, f32_norm};
static QnPoolFn *const f64_table[QN_POOL_KIND_COUNT] = {f64_max, f64_average, f64_norm};
static QnPoolFn *const i8_table[QN_POOL_KIND_COUNT] = {i8_max};
static QnPoolFn *const u8_table[QN_POOL_KIND_COUNT] = {u8_max};

const QnPoolVariant qn_pool_variants[] = {
#if QN_ARCH_X86
    {"pool_f32_avx512", QN_ISA_AVX2 | QN_ISA_AVX512, QN_FAMILY_F32, qn_pool_f32_avx512},
    {"pool_f32_avx2", QN_ISA_AVX2, QN_FAMILY_F32, qn_pool_f32_avx2},
#endif
    {"pool_f32_c", QN_ISA_NONE, QN_FAMILY_F32, f32_table},
    {"pool_f64_c", QN_ISA_NONE, QN_FAMILY_F64, f64_table},
    {"pool_i8_c", QN_ISA_NONE, QN_FAMILY_I8, i8_table},
    {"pool_u8_c", QN_ISA_NONE, QN_FAMILY_U8, u8_table},
};
const int qn_pool_variant_count = (int)QN_COUNT_OF(qn_pool_variants);

QnPoolFn *qn_pool_pick(const QnPool *pool, QnIsa have)
{
    const bool is_row = pool->x_channel_stride == 1 && pool->y_channel_stride == 1;
    for (int i = 0; i < qn_pool_variant_count; i++) {
        const QnPoolVariant *v = &qn_pool_variants[i];
        if (v->family == pool->family && (v->needs & have) == v->needs &&
            (is_row || v->needs == QN_ISA_NONE) && v->run[pool->kind])
            return v->run[pool->kind];
    }
    return NULL;
}

int64_t qn_pool_unit_count(const QnPool *pool)
{
    int64_t count = pool->batch;
    for (int d = 0; d < pool->rank - 1; d++)
        count *= pool->y_dims[d];
    return count;
}

/* Where a window lies along each axis: taps first <= k < last are inside x. */
typedef struct Window {
    int64_t first[QN_MAX_RANK], last[QN_MAX_RANK];
    int64_t start[QN_MAX_RANK]; /* the coordinate of tap 0 */
} Window;

static void place(const QnPool *pool, Window *window, int d, int64_t output)
{
    const int64_t start = output * pool->strides[d] - pool->pads_begin[d],
                  step = pool->dilations[d];
    const int64_t first = start < 0 ? qn_ceil_div(-start, step) : 0;
    const int64_t last = start < pool->x_dims[d] ? qn_ceil_div(pool->x_dims[d] - start, step) : 0;
    window->start[d] = start;
    window->first[d] = qn_min_i64(first, pool->kernel[d]);
    window->last[d] = qn_max_i64(window->first[d], qn_min_i64(last, pool->kernel[d]));
}

/* What AVERAGE divides by. */
static int64_t divisor(const QnPool *pool, const Window *window)
{
    int64_t count = 1;
    for (int d = 0; d < pool->rank; d++) {
        const int64_t end = pool->x_dims[d] + pool->pads_end[d] - window->start[d];
        const int64_t inside =
            qn_min_i64(pool->kernel[d], end <= 0 ? 0 : qn_ceil_div(end, pool->dilations[d]));
        count *= pool->counts_pad ? inside : window->last[d] - window->first[d];
    }
    return count;
}

typedef struct Index {
    int64_t *data; /* of the window's first channel; NULL: none wanted */
    int64_t first;
} Index;

/* The table row that a function is from. */
static const char *variant_of(const QnPool *pool, QnPoolFn *run)
{
    for (int i = 0; i < qn_pool_variant_count; i++)
        if (qn_pool_variants[i].run[pool->kind] == run)
            return qn_pool_variants[i].name;
    return NULL;
}

static void call(const QnPool *pool, QnPoolFn *run, const QnPoolTaps *taps, const char *x, char *y,
                 Index index)
{
    if (!index.data)
        run(taps, pool->channels, pool->x_channel_stride, pool->y_channel_stride, x, y);
    else
        (pool->family == QN_FAMILY_F32   ? f32_max_indices
         : pool->family == QN_FAMILY_F64 ? f64_max_indices
         : pool->family == QN_FAMILY_I8
             ? i8_max_indices
             : u8_max_indices)(taps, pool->channels, pool->x_channel_stride, pool->y_channel_stride,
                               x, y, index.data, index.first, pool->index_channel_stride);
    if (qn_fault("kernel", index.data ? "pool_max_indices" : variant_of(pool, run)))
        qn_fault_spoil(y, pool->channels > 0 ? (size_t)qn_family_size(pool->family) : 0);
}

/* The next taps of a window, from k on, which moves behind them. */
static void next_taps(const QnPool *pool, const Window *window, int64_t *k, QnPoolTaps *taps)
{
    const int rank = pool->rank;
    for (int t = 0; t < taps->count; t++) {
        taps->offsets[t] = taps->positions[t] = 0;
        for (int d = 0; d < rank; d++) {
            const int64_t at = window->start[d] + k[d] * pool->dilations[d];
            taps->offsets[t] += at * pool->x_strides[d];
            taps->positions[t] += at * pool->index_strides[d];
        }
        for (int d = rank - 1; d >= 0 && ++k[d] == window->last[d]; d--)
            k[d] = window->first[d];
    }
}

/* Sets k to a window's first tap, and what its average divides by; gives the number of taps. */
static int64_t begin_taps(const QnPool *pool, const Window *window, int64_t *k, QnPoolTaps *taps)
{
    int64_t count = 1;
    for (int d = 0; d < pool->rank; d++) {
        k[d] = window->first[d];
        count *= window->last[d] - window->first[d];
    }
    const int64_t by = pool->kind == QN_POOL_AVERAGE ? divisor(pool, window) : 1;
    *taps = (QnPoolTaps){.is_first = true, .p = pool->p, .scale = by > 0 ? 1.0 / (double)by : 0};
    return count;
}

/* One output position: its taps in order, in calls of at most QN_POOL_TAPS. */
static void pool_window(const QnPool *pool, QnPoolFn *run, const Window *window, const char *x,
                        char *y, Index index)
{
    QnPoolTaps taps;
    int64_t k[QN_MAX_RANK], left = begin_taps(pool, window, k, &taps);
    do {
        taps.count = (int)qn_min_i64(left, QN_POOL_TAPS);
        taps.is_last = left <= QN_POOL_TAPS;
        next_taps(pool, window, k, &taps);
        call(pool, run, &taps, x, y, index);
        taps.is_first = false;
        left -= taps.count;
    } while (left > 0);
}

/* A line of output: what all its windows share, and where it is. */
typedef struct Line {
    Window window; /* set for all axes but the last */
    const char *x; /* of the batch entry */
    char *y;
    Index index;
} Line;

/* Windows `first` to before `end` of a line, which have all their taps inside x:
 * one table of taps moves along. */
static void pool_inside(const QnPool *pool, QnPoolFn *run, Line *line, int64_t first, int64_t end)
{
    const int last = pool->rank - 1;
    const int64_t size = qn_family_size(pool->family);
    const int64_t step = pool->strides[last] * pool->x_strides[last] * size;
    QnPoolTaps taps;
    int64_t k[QN_MAX_RANK];
    place(pool, &line->window, last, first);
    taps.count = (int)begin_taps(pool, &line->window, k, &taps);
    taps.is_last = true;
    next_taps(pool, &line->window, k, &taps);
    char *y = line->y + first * pool->y_strides[last] * size;
    for (int64_t o = first; o < end; o++, y += pool->y_strides[last] * size)
        call(pool, run, &taps, line->x + (o - first) * step, y, (Index){NULL, 0});
}

/* Windows `first` to before `end` of a line, one by one. */
static void pool_each(const QnPool *pool, QnPoolFn *run, Line *line, int64_t first, int64_t end)
{
    const int last = pool->rank - 1;
    const int64_t size = qn_family_size(pool->family);
    for (int64_t o = first; o < end; o++) {
        const int64_t element = o * pool->y_strides[last];
        const Index index = {line->index.data ? line->index.data + element : NULL,
                             line->index.first};
        place(pool, &line->window, last, o);
        pool_window(pool, run, &line->window, line->x, line->y + element * size, index);
    }
}

static void pool_line(const QnPool *pool, QnPoolFn *run, Line *line)
{
    const int last = pool->rank - 1;
    const int64_t count = pool->y_dims[last], stride = pool->strides[last];
    int64_t taps = pool->kernel[last];
    for (int d = 0; d < last; d++)
        taps *= line->window.last[d] - line->window.first[d];
    const int64_t room = pool->x_dims[last] + pool->pads_begin[last] -
                         (pool->kernel[last] - 1) * pool->dilations[last];
    const int64_t first = qn_min_i64(count, qn_ceil_div(pool->pads_begin[last], stride));
    const int64_t end = qn_min_i64(count, room > 0 ? (room - 1) / stride + 1 : 0);
    if (line->index.data || taps > QN_POOL_TAPS || taps < 1 || end <= first) {
        pool_each(pool, run, line, 0, count);
        return;
    }
    pool_each(pool, run, line, 0, first);
    pool_inside(pool, run, line, first, end);
    pool_each(pool, run, line, end, count);
}

void qn_pool_run(const QnPool *pool, QnPoolFn *run, const void *x, void *y, int64_t *indices,
                 int64_t begin, int64_t end)
{
    const int64_t size = qn_family_size(pool->family);
    for (int64_t unit = begin; unit < end; unit++) {
        Line line = {.index = {NULL, 0}};
        int64_t rest = unit, at = 0;
        for (int d = pool->rank - 2; d >= 0; d--) {
            const int64_t output = rest % pool->y_dims[d];
            place(pool, &line.window, d, output);
            at += output * pool->y_strides[d];
            rest /= pool->y_dims[d];
        }
        at += rest * pool->y_batch_stride;
        line.x = (const char *)x + rest * pool->x_batch_stride * size;
        line.y = (char *)y + at * size;
        line.index = (Index){indices ? indices + at : NULL, rest * pool->index_batch_stride};
        pool_line(pool, run, &line);
    }
}
