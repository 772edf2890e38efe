/* SPDX-License-Identifier: Apache-2.0 */
/* The product of bytes by vpdpbusd: four products and three additions in each of 16 lanes. */
#include <immintrin.h>
#include <string.h>

#include "base/compiler.h"
#include "engine/devices/cpu/kernels/gemm_i8.h"

enum { MAX_PANELS = QN_GEMM_I8_MAX_COLUMNS / QN_PANEL_I8 };

/* As an instruction of its own: from 17 accumulators on GCC 12 keeps those of the intrinsic in
 * memory. */
#define ADD_PRODUCTS(acc, a, b) __asm__("vpdpbusd %2, %1, %0" : "+v"(acc) : "v"(a), "v"(b))

static QN_ALWAYS_INLINE void compute(const QnGemmI8Tile *t, const int rows, const int panels)
{
    __m512i acc[QN_GEMM_I8_MAX_ROWS][MAX_PANELS];
    QN_UNROLL
    for (int i = 0; i < rows; i++) {
        QN_UNROLL
        for (int j = 0; j < panels; j++)
            acc[i][j] = _mm512_setzero_si512();
    }
    const int8_t *b = t->b;
    int32_t *const c = t->c;
    const int64_t c_step = t->c_step, groups = t->groups;
    for (int64_t r = 0; r < t->runs; r++) {
        const uint8_t *a[QN_GEMM_I8_MAX_ROWS];
        QN_UNROLL
        for (int i = 0; i < rows; i++)
            a[i] = t->a[r * t->a_step + i];
        for (int64_t g = 0; g < groups; g++, b += 64) {
            __m512i bv[MAX_PANELS];
            QN_UNROLL
            for (int j = 0; j < panels; j++)
                bv[j] = _mm512_load_si512(b + j * t->b_stride);
            QN_UNROLL
            for (int i = 0; i < rows; i++) {
                int32_t four;
                memcpy(&four, a[i] + 4 * g, sizeof four);
                const __m512i av = _mm512_set1_epi32(four);
                QN_UNROLL
                for (int j = 0; j < panels; j++)
                    ADD_PRODUCTS(acc[i][j], av, bv[j]);
            }
        }
    }
    QN_UNROLL
    for (int i = 0; i < rows; i++) {
        QN_UNROLL
        for (int j = 0; j < panels; j++)
            _mm512_storeu_si512(c + i * c_step + j * QN_PANEL_I8, acc[i][j]);
    }
}

#define EACH_6(DO, panels) \
    DO(1, panels) DO(2, panels) DO(3, panels) DO(4, panels) DO(5, panels) DO(6, panels)
#define EACH_12(DO, panels) \
    EACH_6(DO, panels)      \
    DO(7, panels) DO(8, panels) DO(9, panels) DO(10, panels) DO(11, panels) DO(12, panels)
#define DEFINE_ROWS(n, panels)                                         \
    static QN_NOINLINE void rows_##n##x##panels(const QnGemmI8Tile *t) \
    {                                                                  \
        compute(t, n, panels);                                         \
    }
#define CASE_ROWS(n, panels)    \
    case n:                     \
        rows_##n##x##panels(t); \
        break;
#define DEFINE_VARIANT(name, most, panels)                            \
    EACH_##most(DEFINE_ROWS, panels) void name(const QnGemmI8Tile *t) \
    {                                                                 \
        switch (t->rows) {                                            \
            EACH_##most(CASE_ROWS, panels)                            \
        }                                                             \
    }

DEFINE_VARIANT(qn_gemm_i8_6x64_avx512vnni, 6, 4)
DEFINE_VARIANT(qn_gemm_i8_12x16_avx512vnni, 12, 1)
