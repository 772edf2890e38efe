/* SPDX-License-Identifier: Apache-2.0 */
/* The product of bytes in portable C:
 * the definition that the other variants are checked against. */
#include <string.h>

#include "engine/devices/cpu/kernels/gemm_i8.h"

enum { ROWS = 2 };

void qn_gemm_i8_2x16_c(const QnGemmI8Tile *t)
{
    int32_t acc[ROWS][QN_PANEL_I8] = {{0}};
    const int8_t *b = t->b;
    for (int64_t g = 0; g < t->runs * t->groups; g++, b += 4 * QN_PANEL_I8) {
        const uint8_t *const *run = t->a + g / t->groups * t->a_step;
        for (int i = 0; i < t->rows; i++) {
            const uint8_t *a = run[i] + 4 * (g % t->groups);
            for (int j = 0; j < QN_PANEL_I8; j++)
                acc[i][j] = (int32_t)((uint32_t)acc[i][j] +
                                      (uint32_t)(a[0] * b[4 * j] + a[1] * b[4 * j + 1] +
                                                 a[2] * b[4 * j + 2] + a[3] * b[4 * j + 3]));
        }
    }
    for (int i = 0; i < t->rows; i++)
        memcpy(t->c + i * t->c_step, acc[i], sizeof acc[i]);
}
