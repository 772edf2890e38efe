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

static void add_residual(const QnEpilogueLine *line)
{
    const int64_t step = line->epilogue->residual_column_step;
    const float beta = line->epilogue->beta;
    for (int64_t j = 0; j < line->count; j++)
        line->sums[j] += beta * line->residual[j * step];
}

void qn_epilogue_finish_biased(const QnEpilogueLine *line)
{
    const QnEpilogue *e = line->epilogue;
    if (line->residual && !e->residual_last)
        add_residual(line);
    if (e->activation != QN_ACTIVATION_NONE)
        line->activate(line->sums, line->sums, line->count, e->activation, e->p, e->q);
    if (line->residual && e->residual_last)
        add_residual(line);
    if (line->c == line->sums)
        return;
    if (line->c_step == 1) {
        memcpy(line->c, line->sums, (size_t)line->count * sizeof *line->c);
        return;
    }
    for (int64_t j = 0; j < line->count; j++)
        line->c[j * line->c_step] = line->sums[j];
}

void qn_epilogue_finish(const QnEpilogueLine *line)
{
    const float alpha = line->epilogue->alpha;
    for (int64_t j = 0; j < line->count; j++)
        line->sums[j] = alpha * line->sums[j] + (line->bias ? line->bias[j] : 0);
    qn_epilogue_finish_biased(line);
}
