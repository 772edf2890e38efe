/* SPDX-License-Identifier: Apache-2.0 */
/* Reductions: the portable steps of every family, the list of variants, and the walk over axes. */
#include "engine/devices/cpu/kernels/reduce.h"

#include <math.h>

#include "base/checked.h"
#include "base/compiler.h"
#include "base/fault.h"
#if QN_ARCH_X86
#    include "engine/devices/cpu/kernels/x86/reduce_x86.h"
#endif

/* One body serves types that have no negative values or no NaN, where such tests are constant. */
#pragma GCC diagnostic ignored "-Wtype-limits"
#pragma GCC diagnostic ignored "-Wtautological-compare"

typedef enum Finish { FINISH_AS_IS, FINISH_DIVIDE, FINISH_ROOT, FINISH_LOGARITHM } Finish;

static const struct {
    const char *name;
    uint8_t step, finish;
} ops[QN_REDUCE_OP_COUNT] = {
#define REDUCE_INFO(name, text, step, finish) {text, QN_STEP_##step, FINISH_##finish},
    QN_REDUCE_MAP(REDUCE_INFO)
#undef REDUCE_INFO
};

static Finish finish_of(QnReduceOp op)
{
    return (Finish)ops[op].finish;
}

#define EXP(x) exp(x)

#define T          float
#define A          double
#define U          double
#define M          f
#define ABS(x)     fabs(x)
#define LOWEST     -(double)INFINITY
#define HIGHEST    (double)INFINITY
#define IS_INTEGER 0
#define NAME(x)    f32_##x
#include "engine/devices/cpu/kernels/reduce_typed.inc"

#define T          double
#define A          double
#define U          double
#define M          f
#define ABS(x)     fabs(x)
#define LOWEST     -(double)INFINITY
#define HIGHEST    (double)INFINITY
#define IS_INTEGER 0
#define NAME(x)    f64_##x
#include "engine/devices/cpu/kernels/reduce_typed.inc"

#define T          int8_t
#define A          int64_t
#define U          uint64_t
#define M          i
#define ABS(x)     (x < 0 ? (int64_t)(0 - (uint64_t)x) : x)
#define LOWEST     INT8_MIN
#define HIGHEST    INT8_MAX
#define IS_INTEGER 1
#define NAME(x)    i8_##x
#include "engine/devices/cpu/kernels/reduce_typed.inc"

#define T          int16_t
#define A          int64_t
#define U          uint64_t
#define M          i
#define ABS(x)     (x < 0 ? (int64_t)(0 - (uint64_t)x) : x)
#define LOWEST     INT16_MIN
#define HIGHEST    INT16_MAX
#define IS_INTEGER 1
#define NAME(x)    i16_##x
#include "engine/devices/cpu/kernels/reduce_typed.inc"

#define T          int32_t
#define A          int64_t
#define U          uint64_t
#define M          i
#define ABS(x)     (x < 0 ? (int64_t)(0 - (uint64_t)x) : x)
#define LOWEST     INT32_MIN
#define HIGHEST    INT32_MAX
#define IS_INTEGER 1
#define NAME(x)    i32_##x
#include "engine/devices/cpu/kernels/reduce_typed.inc"

#define T          int64_t
#define A          int64_t
#define U          uint64_t
#define M          i
#define ABS(x)     (x < 0 ? (int64_t)(0 - (uint64_t)x) : x)
#define LOWEST     INT64_MIN
#define HIGHEST    INT64_MAX
#define IS_INTEGER 1
#define NAME(x)    i64_##x
#include "engine/devices/cpu/kernels/reduce_typed.inc"

#define T          uint8_t
#define A          uint64_t
#define U          uint64_t
#define M          u
#define ABS(x)     x
#define LOWEST     0
#define HIGHEST    UINT8_MAX
#define IS_INTEGER 1
#define NAME(x)    u8_##x
#include "engine/devices/cpu/kernels/reduce_typed.inc"

#define T          uint16_t
#define A          uint64_t
#define U          uint64_t
#define M          u
#define ABS(x)     x
#define LOWEST     0
#define HIGHEST    UINT16_MAX
#define IS_INTEGER 1
#define NAME(x)    u16_##x
#include "engine/devices/cpu/kernels/reduce_typed.inc"

#define T          uint32_t
#define A          uint64_t
#define U          uint64_t
#define M          u
#define ABS(x)     x
#define LOWEST     0
#define HIGHEST    UINT32_MAX
#define IS_INTEGER 1
#define NAME(x)    u32_##x
#include "engine/devices/cpu/kernels/reduce_typed.inc"

#define T          uint64_t
#define A          uint64_t
#define U          uint64_t
#define M          u
#define ABS(x)     x
#define LOWEST     0
#define HIGHEST    UINT64_MAX
#define IS_INTEGER 1
#define NAME(x)    u64_##x
#include "engine/devices/cpu/kernels/reduce_typed.inc"

/* The functions of each family. */
static const struct Family {
    QnReduceFn *const (*steps)[QN_STEP_COUNT]; /* runs, then columns */
    void (*start)(QnReduceStep step, QnReduceSum *sums, int64_t columns);
    void (*store)(const QnReduce *reduce, const QnReduceSum *sums, const double *shifts,
                  int64_t columns, void *out);
    double (*as_double)(QnReduceSum sum);
    int64_t (*arg)(int64_t length, int64_t stride, const void *in, bool is_min, bool takes_last);
} families[QN_FAMILY_COUNT] = {
#define REDUCE_FAMILY(suffix, ...) \
    {suffix##_steps, suffix##_start, suffix##_store, suffix##_as_double, suffix##_arg},
    QN_FAMILY_MAP(REDUCE_FAMILY, )
#undef REDUCE_FAMILY
};

const QnReduceVariant qn_reduce_variants[] = {
#if QN_ARCH_X86
    {"reduce_f32_avx512", QN_ISA_AVX2 | QN_ISA_AVX512, QN_FAMILY_F32, qn_reduce_run_f32_avx512,
     qn_reduce_across_f32_avx512},
    {"reduce_f32_avx2", QN_ISA_AVX2, QN_FAMILY_F32, qn_reduce_run_f32_avx2,
     qn_reduce_across_f32_avx2},
#endif
#define REDUCE_VARIANT(suffix, NAME, ...) \
    {"reduce_" #suffix "_c", QN_ISA_NONE, QN_FAMILY_##NAME, suffix##_steps[0], suffix##_steps[1]},
    QN_FAMILY_MAP(REDUCE_VARIANT, )
#undef REDUCE_VARIANT
};
const int qn_reduce_variant_count = (int)QN_COUNT_OF(qn_reduce_variants);

/* The function of the first row that has one; *name is that row's, where it is not NULL. */
static QnReduceFn *pick(QnReduceStep step, QnFamily family, bool is_run, QnIsa have,
                        const char **name)
{
    for (int i = 0; i < qn_reduce_variant_count; i++) {
        const QnReduceVariant *v = &qn_reduce_variants[i];
        QnReduceFn *fn = is_run ? v->run[step] : v->across[step];
        if (v->family != family || (v->needs & have) != v->needs || !fn)
            continue;
        if (name)
            *name = v->name;
        return fn;
    }
    return NULL;
}

/* Appends an axis to a list, joined with the last where the two are walked as one. */
static void append(int64_t *dims, int64_t *strides, int *rank, int64_t size, int64_t stride)
{
    if (size == 1)
        return;
    if (*rank > 0 && strides[*rank - 1] == stride * size) {
        dims[*rank - 1] *= size;
        strides[*rank - 1] = stride;
    } else {
        dims[*rank] = size;
        strides[(*rank)++] = stride;
    }
}

void qn_reduce_bind(QnReduce *out, QnReduceOp op, QnFamily family, int rank, const int64_t *dims,
                    uint32_t axes, QnIsa have)
{
    *out = (QnReduce){
        .op = op, .family = family, .reduced_count = 1, .columns = 1, .rows = 1, .row_stride = 1};
    int64_t strides[QN_MAX_RANK], stride = 1, kept_count = 1;
    for (int d = rank - 1; d >= 0; d--) {
        strides[d] = stride;
        stride *= dims[d];
    }
    for (int d = 0; d < rank; d++) {
        if (axes >> d & 1) {
            append(out->reduced_dims, out->reduced_strides, &out->reduced_rank, dims[d],
                   strides[d]);
            out->reduced_count *= dims[d];
        } else {
            append(out->kept_dims, out->kept_strides, &out->kept_rank, dims[d], strides[d]);
            kept_count *= dims[d];
        }
    }
    const bool has_kept = out->kept_rank > 0 && out->kept_strides[out->kept_rank - 1] == 1;
    out->is_run = !has_kept;
    if (has_kept)
        out->columns = out->kept_dims[--out->kept_rank];
    if (out->reduced_rank > 0) {
        out->rows = out->reduced_dims[--out->reduced_rank];
        out->row_stride = out->reduced_strides[out->reduced_rank];
    }
    out->calls = 1;
    for (int d = 0; d < out->reduced_rank; d++)
        out->calls *= out->reduced_dims[d];
    out->step = pick((QnReduceStep)ops[op].step, family, out->is_run, have, &out->variant);
    out->find_max = pick(QN_STEP_MAX, family, out->is_run, have, NULL);
    out->unit_count =
        kept_count == 0 ? 0
                        : kept_count / out->columns * qn_ceil_div(out->columns, QN_REDUCE_COLUMNS);
}

static int64_t offset_of(int rank, const int64_t *dims, const int64_t *strides, int64_t i)
{
    int64_t offset = 0;
    for (int d = rank - 1; d >= 0; d--) {
        offset += i % dims[d] * strides[d];
        i /= dims[d];
    }
    return offset;
}

/* Blocks bound what one accumulator of the element's own type sums up. */
static void take_all(const QnReduce *reduce, QnReduceFn *step, const char *x, int64_t columns,
                     QnReduceSum *sums, const double *shifts)
{
    enum { RUN_BLOCK = 4096, ACROSS_BLOCK = 256 };
    const int64_t size = qn_family_size(reduce->family),
                  most = reduce->is_run ? RUN_BLOCK : ACROSS_BLOCK;
    for (int64_t call = 0; call < reduce->calls; call++) {
        const int64_t first =
            offset_of(reduce->reduced_rank, reduce->reduced_dims, reduce->reduced_strides, call);
        for (int64_t row = 0; row < reduce->rows; row += most)
            step(qn_min_i64(most, reduce->rows - row), reduce->row_stride, columns,
                 x + (first + row * reduce->row_stride) * size, sums, shifts);
    }
}

void qn_reduce_run(const QnReduce *reduce, const void *x, void *y, int64_t begin, int64_t end)
{
    const struct Family *family = &families[reduce->family];
    const int64_t size = qn_family_size(reduce->family);
    const int64_t groups = qn_ceil_div(reduce->columns, QN_REDUCE_COLUMNS);
    for (int64_t unit = begin; unit < end; unit++) {
        const int64_t first = unit % groups * QN_REDUCE_COLUMNS, kept = unit / groups;
        const int64_t columns = qn_min_i64(QN_REDUCE_COLUMNS, reduce->columns - first);
        const char *from =
            (const char *)x +
            (offset_of(reduce->kept_rank, reduce->kept_dims, reduce->kept_strides, kept) + first) *
                size;
        QnReduceSum sums[QN_REDUCE_COLUMNS];
        double shifts[QN_REDUCE_COLUMNS] = {0};
        if (reduce->op == QN_REDUCE_LOG_SUM_EXP) {
            family->start(QN_STEP_MAX, sums, columns);
            take_all(reduce, reduce->find_max, from, columns, sums, NULL);
            for (int64_t j = 0; j < columns;
                 j++) { /* an infinite maximum is no shift: inf - inf is NaN */
                const double max = reduce->family <= QN_FAMILY_F64          ? sums[j].f
                                   : reduce->family % 2 == QN_FAMILY_I8 % 2 ? (double)sums[j].i
                                                                            : (double)sums[j].u;
                shifts[j] = isinf(max) ? 0 : max;
            }
        }
        family->start((QnReduceStep)ops[reduce->op].step, sums, columns);
        take_all(reduce, reduce->step, from, columns, sums, shifts);
        char *to = (char *)y + (kept * reduce->columns + first) * size;
        family->store(reduce, sums, shifts, columns, to);
        if (qn_fault("kernel", reduce->variant) || qn_fault("reduce", ops[reduce->op].name))
            qn_fault_spoil(to, (size_t)size);
    }
}

void qn_arg_run(const QnArg *arg, const void *x, int64_t *y, int64_t begin, int64_t end)
{
    const struct Family *family = &families[arg->family];
    const int64_t size = qn_family_size(arg->family);
    for (int64_t outer = begin; outer < end; outer++)
        for (int64_t j = 0; j < arg->inner; j++)
            y[outer * arg->inner + j] =
                family->arg(arg->length, arg->inner,
                            (const char *)x + (outer * arg->length * arg->inner + j) * size,
                            arg->is_min, arg->takes_last);
}
