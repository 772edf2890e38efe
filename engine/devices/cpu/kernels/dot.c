/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/kernels/dot.h"

#include "base/compiler.h"

enum {
    LANES = 8
}; /* sums side by side: a compiler makes vectors of them, since their order is given */

static float dot(const float *a, const float *b, int64_t k)
{
    float lanes[LANES] = {0};
    int64_t i = 0;
    for (; i + LANES <= k; i += LANES)
        for (int j = 0; j < LANES; j++)
            lanes[j] += a[i + j] * b[i + j];
    for (int j = 0; i < k; i++, j++)
        lanes[j] += a[i] * b[i];
    for (int width = LANES / 2; width; width /= 2)
        for (int j = 0; j < width; j++)
            lanes[j] += lanes[j + width];
    return lanes[0];
}

void qn_dot_f32_c(const QnDot *d)
{
    for (int64_t n = 0; n < d->n; n++)
        for (int64_t m = 0; m < d->m; m++)
            d->c[m * d->c_step + n] = dot(d->a + m * d->a_step, d->b + n * d->b_step, d->k);
}

const QnDotF32 qn_dot_f32[] = {
#if QN_ARCH_X86
    {"dot_f32_avx512", QN_ISA_AVX512, qn_dot_f32_avx512},
    {"dot_f32_avx2", QN_ISA_AVX2, qn_dot_f32_avx2},
#endif
    {"dot_f32_c", QN_ISA_NONE, qn_dot_f32_c},
};

const int qn_dot_f32_count = QN_COUNT_OF(qn_dot_f32);

const QnDotF32 *qn_dot_f32_pick(QnIsa have)
{
    const QnDotF32 *variant = qn_dot_f32;
    while ((variant->needs & have) != variant->needs)
        variant++;
    return variant;
}
