/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Times the kernels that are bound by memory or by elementary functions, on one thread:
 *
 *     bench-memory [FILTER]
 *
 * Each row: nanoseconds for an element, GB/s of what is read and written, and percent of what
 * memcpy reaches on as many bytes in the same second.  QN_CPU takes instruction sets away.
 */
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "benchmarks/bench.h"
#include "engine/devices/cpu/kernels/move.h"
#include "engine/devices/cpu/kernels/normalize.h"
#include "engine/devices/cpu/kernels/pointwise.h"
#include "engine/devices/cpu/kernels/pool.h"
#include "engine/devices/cpu/kernels/reduce.h"
#include "engine/devices/cpu/kernels/resize.h"
#include "engine/devices/cpu/kernels/softmax.h"

enum { ELEMENTS = 1 << 20, SMALL = 1 << 12, ROUNDS = 15 };

typedef struct Work {
    QnIsa isa;
    const char *filter;
    float *x, *y, *z; /* [ELEMENTS] */
} Work;

typedef void RunFn(const Work *work, const void *user);

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return x < y ? -1 : x > y;
}

/* The median over rounds, each of enough calls to last 0.2 ms. */
static double median_ns(const Work *work, RunFn *run, const void *user)
{
    double times[ROUNDS];
    int calls = 1;
    for (int i = 0; i < ROUNDS; i++) {
        const int64_t start = qn_clock_now(NULL);
        for (int k = 0; k < calls; k++)
            run(work, user);
        const double taken = (double)(qn_clock_now(NULL) - start);
        times[i] = taken / calls;
        if (taken < 2e5 && calls < 1 << 20) {
            calls *= 2;
            i = -1;
        }
    }
    qsort(times, ROUNDS, sizeof *times, by_value);
    return times[ROUNDS / 2];
}

static void copy(const Work *work, const void *user)
{
    memcpy(work->y, work->x, *(const size_t *)user);
}

static void row(const Work *work, const char *name, int64_t elements, int64_t bytes, RunFn *run,
                const void *user)
{
    if (work->filter && !strstr(name, work->filter))
        return;
    const size_t half =
        (size_t)bytes / 2 < ELEMENTS * sizeof(float) ? (size_t)bytes / 2 : ELEMENTS * sizeof(float);
    const double ns = median_ns(work, run, user), copied = median_ns(work, copy, &half);
    const double rate = (double)bytes / ns, limit = 2.0 * (double)half / copied;
    printf("%-34s %8.3f ns/element %8.1f GB/s %5.0f %% of copy\n", name, ns / (double)elements,
           rate, 100 * rate / limit);
}

/* Functions: one instruction, on a strip's worth in the first cache and on a whole mebi-element. */
static const struct {
    const char *name;
    QnCode code;
    int operands;
} codes[] = {
    {"relu", QN_CODE_RELU, 1},         {"add", QN_CODE_ADD, 2},         {"exp", QN_CODE_EXP, 1},
    {"log", QN_CODE_LOG, 1},           {"tanh", QN_CODE_TANH, 1},       {"erf", QN_CODE_ERF, 1},
    {"gelu", QN_CODE_GELU, 1},         {"sigmoid", QN_CODE_SIGMOID, 1}, {"silu", QN_CODE_SILU, 1},
    {"softplus", QN_CODE_SOFTPLUS, 1}, {"sin", QN_CODE_SIN, 1},         {"pow", QN_CODE_POW, 2},
};

typedef struct Program {
    QnPointwise program;
    QnPointwiseShape shape;
} Program;

static void run_program(const Work *work, const void *user)
{
    const Program *p = user;
    const void *inputs[] = {work->x, work->z};
    void *outputs[] = {work->y};
    qn_pointwise_run(&p->program, &p->shape, inputs, outputs, 0, p->shape.count);
}

static void bench_pointwise(const Work *work)
{
    static const int64_t sizes[] = {SMALL, ELEMENTS};
    for (size_t i = 0; i < QN_COUNT_OF(codes) * 2; i++) {
        const int operands = codes[i / 2].operands;
        const QnInstruction code = {
            .code = (uint8_t)codes[i / 2].code, .out = (uint8_t)operands, .a = 0, .b = 1};
        const QnPointwiseSpec spec = {.input_count = operands,
                                      .input_types = {QN_FLOAT, QN_FLOAT},
                                      .code_count = 1,
                                      .code = &code,
                                      .output_count = 1,
                                      .output_types = {QN_FLOAT},
                                      .outputs = {(uint8_t)operands}};
        Program p;
        if (qn_pointwise_init(&p.program, &spec, work->isa, NULL) != QN_OK)
            continue;
        const int64_t stride = 4;
        const int64_t *const strides[] = {&stride, &stride, &stride};
        qn_pointwise_bind(&p.shape, &p.program, 1, &sizes[i % 2], strides);
        char name[64];
        snprintf(name, sizeof name, "pointwise %s %s", codes[i / 2].name, i % 2 ? "1 Mi" : "4 Ki");
        row(work, name, sizes[i % 2], sizes[i % 2] * 4 * (operands + 1), run_program, &p);
    }
}

static void run_move(const Work *work, const void *user)
{
    const QnMove *move = user;
    qn_move_run(move, work->y, work->x, 0, move->unit_count);
}

static void bench_moves(const Work *work)
{
    static const struct {
        const char *name;
        int rank;
        int64_t dims[4], to[4], from[4];
    } moves[] = {
        {"move transpose 1024x1024", 2, {1024, 1024}, {4, 4096}, {4096, 4}},
        {"move NCHW to NHWC 64x112x112", 2, {64, 12544}, {4, 256}, {50176, 4}},
        {"move NHWC to NCHW 64x112x112", 2, {12544, 64}, {4, 50176}, {256, 4}},
        {"move slice 1024x768 of 1024x1024", 2, {1024, 768}, {3072, 4}, {4096, 4}},
        {"move heads 128x12x64", 3, {128, 12, 64}, {256, 32768, 4}, {3072, 256, 4}},
    };
    for (size_t i = 0; i < QN_COUNT_OF(moves); i++) {
        QnMove move;
        int64_t count = 1;
        for (int d = 0; d < moves[i].rank; d++)
            count *= moves[i].dims[d];
        qn_move_bind(&move, moves[i].rank, moves[i].dims, moves[i].to, moves[i].from, 4, work->isa);
        row(work, moves[i].name, count, count * 8, run_move, &move);
    }
}

static void run_softmax(const Work *work, const void *user)
{
    const QnSoftmax *softmax = user;
    qn_softmax_run(softmax, work->x, work->y, 0, qn_softmax_unit_count(softmax));
}

static void run_reduce(const Work *work, const void *user)
{
    const QnReduce *reduce = user;
    qn_reduce_run(reduce, work->x, work->y, 0, reduce->unit_count);
}

static void run_normalize(const Work *work, const void *user)
{
    const QnNormalize *n = user;
    const QnNormalizeData data = {.x = work->x, .scale = work->z, .bias = work->z, .y = work->y};
    qn_normalize_run(qn_normalize_pick(QN_FLOAT, work->isa), n, &data, 0, n->rows);
}

static void bench_rows(const Work *work)
{
    const QnSoftmaxVariant *softmax = qn_softmax_pick(QN_FLOAT, work->isa);
    row(work, "softmax 384x1024", 384 * 1024, 384 * 1024 * 8, run_softmax,
        &(QnSoftmax){softmax, 384, 1024, 1, false});
    row(work, "softmax 21 across 64x64", 21 * 4096, 21 * 4096 * 8, run_softmax,
        &(QnSoftmax){softmax, 1, 21, 4096, false});
    row(work, "layer norm 128x768", 128 * 768, 128 * 768 * 8, run_normalize,
        &(QnNormalize){QN_NORMALIZE_LAYER, 128, 768, 1e-5, 1, 0, 1});
    QnReduce reduce;
    const int64_t dims[] = {512, 784};
    qn_reduce_bind(&reduce, QN_REDUCE_SUM, QN_FAMILY_F32, 2, dims, 2, work->isa);
    row(work, "reduce 512x784 along rows", 512 * 784, 512 * 784 * 4, run_reduce, &reduce);
    qn_reduce_bind(&reduce, QN_REDUCE_SUM, QN_FAMILY_F32, 2, dims, 1, work->isa);
    row(work, "reduce 512x784 across", 512 * 784, 512 * 784 * 4, run_reduce, &reduce);
}

static void run_pool(const Work *work, const void *user)
{
    const QnPool *pool = user;
    qn_pool_run(pool, qn_pool_pick(pool, work->isa), work->x, work->y, NULL, 0,
                qn_pool_unit_count(pool));
}

/* Channels last, 5x5 as in detectors and 3x3 of stride 2 as in residual networks. */
static void bench_pools(const Work *work)
{
    static const int64_t rows[][4] = {{256, 20, 5, 1}, {64, 112, 3, 2}};
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        const int64_t c = rows[i][0], in = rows[i][1], k = rows[i][2], step = rows[i][3],
                      out = (in - 1) / step + 1;
        const QnPool pool = {.kind = QN_POOL_MAX,
                             .family = QN_FAMILY_F32,
                             .rank = 2,
                             .batch = 1,
                             .channels = c,
                             .x_dims = {in, in},
                             .y_dims = {out, out},
                             .kernel = {k, k},
                             .strides = {step, step},
                             .dilations = {1, 1},
                             .pads_begin = {k / 2, k / 2},
                             .pads_end = {k / 2, k / 2},
                             .x_channel_stride = 1,
                             .x_strides = {in * c, c},
                             .y_channel_stride = 1,
                             .y_strides = {out * c, c}};
        char name[64];
        snprintf(name, sizeof name, "pool max %dx%ds%d %d at %d", (int)k, (int)k, (int)step, (int)c,
                 (int)in);
        row(work, name, out * out * c, (in * in + out * out) * c * 4, run_pool, &pool);
    }
}

static void run_resize(const Work *work, const void *user)
{
    const QnResizeAxis *axis = user;
    qn_resize_run(qn_resize_pick(QN_FLOAT, work->isa), axis, work->x, work->y, 0,
                  axis->outer * axis->out);
}

static void bench_resizes(const Work *work)
{
    const QnResizeSpec spec = {.mode = QN_RESIZE_LINEAR, .in = 40, .out = 80, .scale = 2};
    int64_t indices[160];
    double weights[160];
    qn_resize_table(&spec, indices, weights);
    row(work, "resize linear rows 40 to 80, 5120", 80 * 5120, 120 * 5120 * 4, run_resize,
        &(QnResizeAxis){1, 40, 80, 5120, 2, indices, weights, 0});
    row(work, "resize linear pixels 40 to 80, 128", 80 * 80 * 128, 120 * 80 * 128 * 4, run_resize,
        &(QnResizeAxis){80, 40, 80, 128, 2, indices, weights, 0});
}

int main(int argc, char **argv)
{
    QnCpu cpu;
    QnError err;
    if (qn_cpu_detect(&cpu, NULL, getenv("QN_CPU"), &err) != QN_OK) {
        fprintf(stderr, "bench-memory: %s\n", err.message);
        return 2;
    }
    const Work work = {cpu.isa, argc > 1 ? argv[1] : NULL, bench_floats(ELEMENTS),
                       bench_floats(ELEMENTS), bench_floats(ELEMENTS)};
    for (int64_t i = 0; i < ELEMENTS; i++)
        work.x[i] = (float)(i % 997) /
                    100; /* positive, so that logarithms and powers take their usual way */
    printf("%s, %s, 1 thread, fp32\n", cpu.model, qn_isa_level_name(cpu.isa));
    bench_pointwise(&work);
    bench_moves(&work);
    bench_rows(&work);
    bench_pools(&work);
    bench_resizes(&work);
    free(work.x);
    free(work.y);
    free(work.z);
    return 0;
}
