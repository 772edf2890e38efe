/* SPDX-License-Identifier: Apache-2.0 */
/* Running sums and products: every line of one outer index side by side. */
#include "engine/devices/cpu/kernels/cumsum.h"

#include "base/fault.h"

/* U: a type in which the family's arithmetic wraps. */
#define CUMSUM(suffix, NAME, T, type, U)                                               \
    static void suffix##_line(const QnCumSum *c, const void *in, void *out, int64_t j) \
    {                                                                                  \
        const T *x = (const T *)in + j;                                                \
        T *y = (T *)out + j;                                                           \
        U sum = c->is_product ? 1 : 0;                                                 \
        for (int64_t i = 0; i < c->length; i++) {                                      \
            const int64_t at = (c->is_reversed ? c->length - 1 - i : i) * c->inner;    \
            const U next = c->is_product ? (U)(sum * (U)x[at]) : (U)(sum + (U)x[at]);  \
            y[at] = (T)(c->is_exclusive ? sum : next);                                 \
            sum = next;                                                                \
        }                                                                              \
    }
QN_INT_FAMILY_MAP(CUMSUM, uint64_t)
CUMSUM(f32, F32, float, QN_FLOAT, float)
CUMSUM(f64, F64, double, QN_DOUBLE, double)

void qn_cumsum_run(const QnCumSum *cumsum, const void *x, void *y, int64_t begin, int64_t end)
{
    static void (*const lines[QN_FAMILY_COUNT])(const QnCumSum *, const void *, void *, int64_t) = {
#define CUMSUM_ENTRY(suffix, ...) suffix##_line,
        QN_FAMILY_MAP(CUMSUM_ENTRY, )
#undef CUMSUM_ENTRY
    };
    static const char *const names[QN_FAMILY_COUNT] = {
#define CUMSUM_NAME(suffix, ...) "cumsum_" #suffix,
        QN_FAMILY_MAP(CUMSUM_NAME, )
#undef CUMSUM_NAME
    };
    const int64_t size = qn_family_size(cumsum->family);
    const int64_t bytes = cumsum->length * cumsum->inner * size;
    for (int64_t outer = begin; outer < end; outer++)
        for (int64_t j = 0; j < cumsum->inner; j++)
            lines[cumsum->family](cumsum, (const char *)x + outer * bytes,
                                  (char *)y + outer * bytes, j);
    if (begin < end && bytes > 0 && qn_fault("kernel", names[cumsum->family]))
        qn_fault_spoil((char *)y + begin * bytes, (size_t)size);
}
