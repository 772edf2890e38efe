/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The element types that portable kernels compute in: one C type each, one body for all of them.
 *
 * Types that are not here are storage: a kernel meets them in rows that convert.h turns into floats
 * and back.
 */
#ifndef QN_KERNELS_FAMILIES_H
#define QN_KERNELS_FAMILIES_H

#include <math.h>
#include <stdint.h>

#include "quern/value.h"

/* X(suffix, NAME, C type, QnType) with what else is passed through. */
#define QN_FLOAT_FAMILY_MAP(X, ...)           \
    X(f32, F32, float, QN_FLOAT, __VA_ARGS__) \
    X(f64, F64, double, QN_DOUBLE, __VA_ARGS__)

#define QN_INT_FAMILY_MAP(X, ...)                 \
    X(i8, I8, int8_t, QN_INT8, __VA_ARGS__)       \
    X(u8, U8, uint8_t, QN_UINT8, __VA_ARGS__)     \
    X(i16, I16, int16_t, QN_INT16, __VA_ARGS__)   \
    X(u16, U16, uint16_t, QN_UINT16, __VA_ARGS__) \
    X(i32, I32, int32_t, QN_INT32, __VA_ARGS__)   \
    X(u32, U32, uint32_t, QN_UINT32, __VA_ARGS__) \
    X(i64, I64, int64_t, QN_INT64, __VA_ARGS__)   \
    X(u64, U64, uint64_t, QN_UINT64, __VA_ARGS__)

#define QN_FAMILY_MAP(X, ...)           \
    QN_FLOAT_FAMILY_MAP(X, __VA_ARGS__) \
    QN_INT_FAMILY_MAP(X, __VA_ARGS__)

typedef enum QnFamily {
#define QN_FAMILY_ENUM(suffix, NAME, T, type, ...) QN_FAMILY_##NAME,
    QN_FAMILY_MAP(QN_FAMILY_ENUM, )
#undef QN_FAMILY_ENUM
        QN_FAMILY_COUNT,
    QN_FAMILY_NONE = QN_FAMILY_COUNT
} QnFamily;

/* What a type is computed in: itself, uint8 for bool and small unsigned ones, float for small
 * floats; or NONE. */
static inline QnFamily qn_family_of(QnType type)
{
    switch (type) {
#define QN_FAMILY_CASE(suffix, NAME, T, of, ...) \
case of:                                         \
    return QN_FAMILY_##NAME;
        QN_FAMILY_MAP(QN_FAMILY_CASE, )
#undef QN_FAMILY_CASE
    case QN_BOOL:
    case QN_UINT4:
    case QN_UINT2:
        return QN_FAMILY_U8;
    case QN_INT4:
    case QN_INT2:
        return QN_FAMILY_I8;
    case QN_FLOAT16:
    case QN_BFLOAT16:
    case QN_FLOAT8E4M3FN:
    case QN_FLOAT8E4M3FNUZ:
    case QN_FLOAT8E5M2:
    case QN_FLOAT8E5M2FNUZ:
    case QN_FLOAT8E8M0:
    case QN_FLOAT6E2M3:
    case QN_FLOAT6E3M2:
    case QN_FLOAT4E2M1:
        return QN_FAMILY_F32;
    default:
        return QN_FAMILY_NONE;
    }
}

/* The type whose elements are a family's C type. */
static inline QnType qn_family_type(QnFamily family)
{
    static const uint8_t types[QN_FAMILY_COUNT + 1] = {
#define QN_FAMILY_TYPE(suffix, NAME, T, type, ...) type,
        QN_FAMILY_MAP(QN_FAMILY_TYPE, )
#undef QN_FAMILY_TYPE
            QN_UNDEFINED};
    return (QnType)types[family];
}

static inline int qn_family_size(QnFamily family)
{
    static const uint8_t sizes[QN_FAMILY_COUNT + 1] = {
#define QN_FAMILY_SIZE(suffix, NAME, T, type, ...) sizeof(T),
        QN_FAMILY_MAP(QN_FAMILY_SIZE, )
#undef QN_FAMILY_SIZE
            0};
    return sizes[family];
}

#endif
