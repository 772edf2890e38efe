/* SPDX-License-Identifier: Apache-2.0 */
/* Conversion of rows: one loop per pair of types, made from one list. */
#include "engine/devices/cpu/kernels/convert.h"

#include <string.h>

#include "base/checked.h"
#include "base/compiler.h"
#include "base/fault.h"
#include "base/to_integer.h"
#include "engine/devices/cpu/kernels/tiny_float.h"

/* Where a loop has done its work, for scripts/mutants: makes its first element wrong. */
#define SPOIL(row)                            \
    if (count > 0 && qn_fault("kernel", row)) \
    qn_fault_spoil(out, sizeof *out)

float qn_float_from_f16(uint16_t bits)
{
    /* The exponent moves up by 112; infinities and NaN by 112 more;
     * denormals are made normal by a subtraction. */
    const uint32_t sign = (uint32_t)(bits & 0x8000) << 16;
    uint32_t size = (uint32_t)(bits & 0x7fff) << 13;
    const uint32_t exponent = size & 0x0f800000;
    size += 112u << 23;
    if (exponent == 0x0f800000)
        size += 112u << 23;
    float x;
    if (exponent == 0) {
        const float least = 6.103515625e-5f; /* 2^-14 */
        size += 1u << 23;
        memcpy(&x, &size, sizeof x);
        x -= least;
        memcpy(&size, &x, sizeof x);
    }
    size |= sign;
    memcpy(&x, &size, sizeof x);
    return x;
}

uint16_t qn_f16_from_float(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    const uint16_t sign = (uint16_t)(bits >> 16 & 0x8000);
    uint32_t size = bits & 0x7fffffff;
    if (size > 0x7f800000)
        return (uint16_t)(sign | 0x7e00);
    if (size >= 0x477ff000) /* what would round to 2^16 */
        return (uint16_t)(sign | 0x7c00);
    if (size < 0x38800000) { /* below 2^-14: adding 1/2 aligns the unit of 2^-24 with the last bit,
                                and rounds */
        float y;
        memcpy(&y, &size, sizeof y);
        y += 0.5f;
        memcpy(&size, &y, sizeof y);
        return (uint16_t)(sign | (size - 0x3f000000));
    }
    size += 0xfff + (size >> 13 & 1);
    return (uint16_t)(sign | ((size - (112u << 23)) >> 13));
}

float qn_float_from_bf16(uint16_t bits)
{
    const uint32_t wide = (uint32_t)bits << 16;
    float x;
    memcpy(&x, &wide, sizeof x);
    return x;
}

uint16_t qn_bf16_from_float(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    if ((bits & 0x7fffffff) > 0x7f800000)
        return (uint16_t)(bits >> 16 | 0x40);
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/* To each type, given how the source becomes an int32, an int64 and a uint64. */
#define TO_f32(x, cut32, cut64, cut_u64) (float)(x)
#define TO_f64(x, cut32, cut64, cut_u64) (double)(x)
#define TO_i8(x, cut32, cut64, cut_u64)  (int8_t) cut32(x)
#define TO_u8(x, cut32, cut64, cut_u64)  (uint8_t) cut32(x)
#define TO_i16(x, cut32, cut64, cut_u64) (int16_t) cut32(x)
#define TO_u16(x, cut32, cut64, cut_u64) (uint16_t) cut32(x)
#define TO_i32(x, cut32, cut64, cut_u64) (int32_t) cut32(x)
#define TO_u32(x, cut32, cut64, cut_u64) (uint32_t) cut64(x)
#define TO_i64(x, cut32, cut64, cut_u64) (int64_t) cut64(x)
#define TO_u64(x, cut32, cut64, cut_u64) (uint64_t) cut_u64(x)

#define F32_TO_I64(x) qn_f64_to_i64((double)(x))
#define F32_TO_U64(x) qn_f64_to_u64((double)(x))
#define KEEP(x)       (x) /* integers wrap by themselves */

#define CONVERT(suffix, NAME, T, type, from, FROM, ...)                         \
    static void from##_to_##suffix(int64_t count, void *to, const void *source) \
    {                                                                           \
        T *out = to;                                                            \
        const FROM *in = source;                                                \
        for (int64_t i = 0; i < count; i++)                                     \
            out[i] = TO_##suffix(in[i], __VA_ARGS__);                           \
        SPOIL("convert_" #from "_to_" #suffix);                                 \
    }
#define CONVERT_ALL(from, FROM, ...)                                           \
    QN_FAMILY_MAP(CONVERT, from, FROM, __VA_ARGS__)                            \
    static void from##_to_logical(int64_t count, void *to, const void *source) \
    {                                                                          \
        uint8_t *out = to;                                                     \
        const FROM *in = source;                                               \
        for (int64_t i = 0; i < count; i++)                                    \
            out[i] = in[i] != 0;                                               \
        SPOIL("convert_" #from "_to_bool");                                    \
    }
#define CONVERT_BOOL(suffix, NAME, T, type, ...)                              \
    static void bool_to_##suffix(int64_t count, void *to, const void *source) \
    {                                                                         \
        T *out = to;                                                          \
        const uint8_t *in = source;                                           \
        for (int64_t i = 0; i < count; i++)                                   \
            out[i] = (T)(in[i] != 0);                                         \
        SPOIL("convert_bool_to_" #suffix);                                    \
    }

CONVERT_ALL(f32, float, qn_f32_to_i32, F32_TO_I64, F32_TO_U64)
CONVERT_ALL(f64, double, qn_f64_to_i32, qn_f64_to_i64, qn_f64_to_u64)
CONVERT_ALL(i8, int8_t, KEEP, KEEP, KEEP)
CONVERT_ALL(u8, uint8_t, KEEP, KEEP, KEEP)
CONVERT_ALL(i16, int16_t, KEEP, KEEP, KEEP)
CONVERT_ALL(u16, uint16_t, KEEP, KEEP, KEEP)
CONVERT_ALL(i32, int32_t, KEEP, KEEP, KEEP)
CONVERT_ALL(u32, uint32_t, KEEP, KEEP, KEEP)
CONVERT_ALL(i64, int64_t, KEEP, KEEP, KEEP)
CONVERT_ALL(u64, uint64_t, KEEP, KEEP, KEEP)
QN_FAMILY_MAP(CONVERT_BOOL, )

/* Between the families and bool: [to][from], bool last. */
#define ROW_ENTRY(suffix, NAME, T, type, to) suffix##_to_##to,
#define ROW(to)                                   \
    {                                             \
        QN_FAMILY_MAP(ROW_ENTRY, to) bool_to_##to \
    }
static QnConvertFn *const pairs[QN_FAMILY_COUNT + 1][QN_FAMILY_COUNT + 1] = {
    ROW(f32),
    ROW(f64),
    ROW(i8),
    ROW(u8),
    ROW(i16),
    ROW(u16),
    ROW(i32),
    ROW(u32),
    ROW(i64),
    ROW(u64),
    {QN_FAMILY_MAP(ROW_ENTRY, logical) u8_to_logical}};

#define WIDE(name, T, decode, encode)                                        \
    static void name##_to_float(int64_t count, void *to, const void *source) \
    {                                                                        \
        float *out = to;                                                     \
        const T *in = source;                                                \
        for (int64_t i = 0; i < count; i++)                                  \
            out[i] = decode(in[i]);                                          \
        SPOIL("convert_" #name "_to_f32");                                   \
    }                                                                        \
    static void float_to_##name(int64_t count, void *to, const void *source) \
    {                                                                        \
        T *out = to;                                                         \
        const float *in = source;                                            \
        for (int64_t i = 0; i < count; i++)                                  \
            out[i] = encode(in[i]);                                          \
        SPOIL("convert_f32_to_" #name);                                      \
    }
WIDE(f16, uint16_t, qn_float_from_f16, qn_f16_from_float)
WIDE(bf16, uint16_t, qn_float_from_bf16, qn_bf16_from_float)

#define SMALL(name, ...)                                  \
    static const QnTinyFloat name##_kind = {__VA_ARGS__}; \
    static float name##_decode(uint8_t code)              \
    {                                                     \
        return qn_tiny_float_decode(&name##_kind, code);  \
    }                                                     \
    static uint8_t name##_encode(float x)                 \
    {                                                     \
        return qn_tiny_float_encode(&name##_kind, x);     \
    }                                                     \
    WIDE(name, uint8_t, name##_decode, name##_encode)
/* bits, mantissa bits, bias, max, infinity (0: none), NaN, sign, minus zero */
SMALL(e4m3fn, 8, 3, 7, 0x7e, 0, 0x7f, true, true)
SMALL(e4m3fnuz, 8, 3, 8, 0x7f, 0, 0x80, true, false)
SMALL(e5m2, 8, 2, 15, 0x7b, 0x7c, 0x7f, true, true)
SMALL(e5m2fnuz, 8, 2, 16, 0x7f, 0, 0x80, true, false)
SMALL(e8m0, 8, 0, 127, 0xfe, 0, 0xff, false, true)
SMALL(e2m3, 6, 3, 1, 0x1f, 0, 0, true, true)
SMALL(e3m2, 6, 2, 3, 0x1f, 0, 0, true, true)
SMALL(e2m1, 4, 1, 1, 0x7, 0, 0, true, true)

/* Integers of a few bits, one per byte: the low bits of an int32. */
#define TINY(name, T, bits, spread)                                                     \
    static T name##_encode(float x)                                                     \
    {                                                                                   \
        return (T)(spread((uint32_t)qn_f32_to_i32(x) << (8 - (bits))) >> (8 - (bits))); \
    }                                                                                   \
    WIDE(name, T, (float), name##_encode)
TINY(i4, int8_t, 4, (int8_t))
TINY(u4, uint8_t, 4, (uint8_t))
TINY(i2, int8_t, 2, (int8_t))
TINY(u2, uint8_t, 2, (uint8_t))

static const struct {
    uint8_t type;
    QnConvertFn *to_float, *from_float;
} stored[] = {
    {QN_FLOAT16, f16_to_float, float_to_f16},
    {QN_BFLOAT16, bf16_to_float, float_to_bf16},
    {QN_FLOAT8E4M3FN, e4m3fn_to_float, float_to_e4m3fn},
    {QN_FLOAT8E4M3FNUZ, e4m3fnuz_to_float, float_to_e4m3fnuz},
    {QN_FLOAT8E5M2, e5m2_to_float, float_to_e5m2},
    {QN_FLOAT8E5M2FNUZ, e5m2fnuz_to_float, float_to_e5m2fnuz},
    {QN_FLOAT8E8M0, e8m0_to_float, float_to_e8m0},
    {QN_FLOAT6E2M3, e2m3_to_float, float_to_e2m3},
    {QN_FLOAT6E3M2, e3m2_to_float, float_to_e3m2},
    {QN_FLOAT4E2M1, e2m1_to_float, float_to_e2m1},
    {QN_INT4, i4_to_float, float_to_i4},
    {QN_UINT4, u4_to_float, float_to_u4},
    {QN_INT2, i2_to_float, float_to_i2},
    {QN_UINT2, u2_to_float, float_to_u2},
};

/* A type's row in `pairs`, or -1. */
static int pair_index(QnType type)
{
    if (type == QN_BOOL)
        return QN_FAMILY_COUNT;
    const QnFamily family = qn_family_of(type);
    return family != QN_FAMILY_NONE && qn_family_type(family) == type ? (int)family : -1;
}

QnConvertFn *qn_convert_find(QnType to, QnType from)
{
    const int row = pair_index(to), column = pair_index(from);
    if (row >= 0 && column >= 0)
        return pairs[row][column];
    for (size_t i = 0; i < QN_COUNT_OF(stored); i++) {
        if (to == QN_FLOAT && stored[i].type == from)
            return stored[i].to_float;
        if (from == QN_FLOAT && stored[i].type == to)
            return stored[i].from_float;
    }
    return NULL;
}

/* clang-format off */
#define VARIANTS(isa, needs) \
    {"convert_f32_to_u8_" #isa, needs, QN_UINT8, QN_FLOAT, qn_convert_f32_to_byte_##isa}, \
    {"convert_f32_to_i8_" #isa, needs, QN_INT8, QN_FLOAT, qn_convert_f32_to_byte_##isa}, \
    {"convert_u8_to_f32_" #isa, needs, QN_FLOAT, QN_UINT8, qn_convert_u8_to_f32_##isa}, \
    {"convert_i8_to_f32_" #isa, needs, QN_FLOAT, QN_INT8, qn_convert_i8_to_f32_##isa}, \
    {"convert_i32_to_f32_" #isa, needs, QN_FLOAT, QN_INT32, qn_convert_i32_to_f32_##isa}
/* clang-format on */
const QnConvertVariant qn_convert_variants[] = {
#if QN_ARCH_X86
    VARIANTS(avx512, QN_ISA_AVX512),
    VARIANTS(avx2, QN_ISA_AVX2),
#endif
    {0},
};
#undef VARIANTS
const int qn_convert_variant_count = QN_COUNT_OF(qn_convert_variants) - 1;

QnConvertFn *qn_convert_pick(QnType to, QnType from, QnIsa have)
{
    for (const QnConvertVariant *v = qn_convert_variants; v->run; v++)
        if (v->to == to && v->from == from && (v->needs & have) == v->needs)
            return v->run;
    return qn_convert_find(to, from);
}

void qn_convert_row(QnType to, void *out, QnType from, const void *in, int64_t count)
{
    enum { CHUNK = 256 };
    QnConvertFn *const direct = qn_convert_find(to, from);
    if (direct) {
        direct(count, out, in);
        return;
    }
    /* Storage types on either side: through float, which holds every one of them exactly. */
    QnConvertFn *const first = qn_convert_find(QN_FLOAT, from), *const second =
                                                                    qn_convert_find(to, QN_FLOAT);
    if (!first || !second)
        return;
    const size_t in_size = qn_type_size(from), out_size = qn_type_size(to);
    for (int64_t done = 0; done < count; done += CHUNK) {
        float middle[CHUNK];
        const int64_t n = qn_min_i64(CHUNK, count - done);
        first(n, middle, (const char *)in + (size_t)done * in_size);
        second(n, (char *)out + (size_t)done * out_size, middle);
    }
}
