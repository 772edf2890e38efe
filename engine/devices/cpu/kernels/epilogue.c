/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/kernels/epilogue.h"

#include <math.h>
#include <string.h>

#include "base/compiler.h"
#include "base/fault.h"

bool qn_epilogue_clamp(const QnEpilogue *epilogue, float *low, float *high)
{
    switch (epilogue->activation) {
    case QN_ACTIVATION_NONE:
        *low = -INFINITY;
        *high = INFINITY;
        return true;
    case QN_ACTIVATION_RELU:
        *low = 0;
        *high = INFINITY;
        return true;
    case QN_ACTIVATION_CLIP:
        *low = epilogue->p;
        *high = epilogue->q;
        return true;
    default:
        return false;
    }
}

const QnActivateF32 qn_activate_f32[] = {
#if QN_ARCH_X86
    {"activate_f32_avx512", QN_ISA_AVX512, qn_activate_f32_avx512},
    {"activate_f32_avx2", QN_ISA_AVX2, qn_activate_f32_avx2},
#endif
    {"activate_f32_c", QN_ISA_NONE, qn_activate_f32_c},
};

const int qn_activate_f32_count = QN_COUNT_OF(qn_activate_f32);

/* For scripts/mutants: the first element is wrong. */
static void activate_wrong(float *y, const float *x, int64_t count, QnActivation activation,
                           float p, float q)
{
    qn_activate_f32_c(y, x, count, activation, p, q);
    if (count > 0)
        qn_fault_spoil(y, sizeof *y);
}

QnActivateF32Fn *qn_activate_f32_pick(QnIsa have)
{
    const QnActivateF32 *variant = qn_activate_f32;
    while ((variant->needs & have) != variant->needs)
        variant++;
    return qn_fault("kernel", variant->name) ? activate_wrong : variant->run;
}

static void add_residual(const QnEpilogueRows *b)
{
    const QnEpilogue *e = b->epilogue;
    for (int64_t i = 0; i < b->rows; i++) {
        float *sums = b->sums + i * b->pitch;
        const float *residual = b->residual + i * e->residual_step;
        if (e->residual_column_step == 1)
            for (int64_t j = 0; j < b->columns; j++)
                sums[j] += e->beta * residual[j];
        else
            for (int64_t j = 0; j < b->columns; j++)
                sums[j] += e->beta * residual[j * e->residual_column_step];
    }
}

static void store(const QnEpilogueRows *b)
{
    for (int64_t i = 0; i < b->rows; i++) {
        const float *sums = b->sums + i * b->pitch;
        float *c = b->c + i * b->c_step;
        if (b->c_column_step == 1)
            memcpy(c, sums, (size_t)b->columns * sizeof *c);
        else
            for (int64_t j = 0; j < b->columns; j++)
                c[j * b->c_column_step] = sums[j];
    }
}

/* One call for all rows where what lies between them may change. */
static void activate(const QnEpilogueRows *b)
{
    const QnEpilogue *e = b->epilogue;
    const bool is_staged = b->c != b->sums || b->pitch == b->columns;
    const int64_t calls = is_staged ? 1 : b->rows;
    const int64_t count = is_staged ? (b->rows - 1) * b->pitch + b->columns : b->columns;
    for (int64_t i = 0; i < calls; i++)
        b->activate(b->sums + i * b->pitch, b->sums + i * b->pitch, count, e->activation, e->p,
                    e->q);
}

void qn_epilogue_finish_rows(const QnEpilogueRows *b)
{
    const QnEpilogue *e = b->epilogue;
    if (b->residual && !e->residual_last)
        add_residual(b);
    if (e->activation != QN_ACTIVATION_NONE)
        activate(b);
    if (b->residual && e->residual_last)
        add_residual(b);
    if (b->c != b->sums)
        store(b);
}

void qn_epilogue_finish(const QnEpilogueLine *line)
{
    const float alpha = line->epilogue->alpha;
    for (int64_t j = 0; j < line->count; j++)
        line->sums[j] = alpha * line->sums[j] + (line->bias ? line->bias[j] : 0);
    qn_epilogue_finish_rows(&(QnEpilogueRows){.epilogue = line->epilogue,
                                              .activate = line->activate,
                                              .sums = line->sums,
                                              .rows = 1,
                                              .columns = line->count,
                                              .pitch = line->count,
                                              .residual = line->residual,
                                              .c = line->c,
                                              .c_step = line->count,
                                              .c_column_step = line->c_step});
}
