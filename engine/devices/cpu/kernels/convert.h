/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of elements from one type to another: casts, and the borders of kernels whose data is stored
 * in small floats.
 *
 * Integers to integers wrap.  Floats to integers go towards zero, and where the integer cannot hold
 * them as base/to_integer.h says.  To a float: rounded to the nearest,
 * halves to even; those of 8 bits and fewer saturate.  To bool: whether it is not 0, NaN
 * included; from bool: 0 or 1.
 */
#ifndef QN_KERNELS_CONVERT_H
#define QN_KERNELS_CONVERT_H

#include <stdint.h>

#include "base/cpu.h"
#include "engine/devices/cpu/kernels/families.h"

/* to[i] = from[i] for i < count; both contiguous and aligned to their elements, not overlapping. */
typedef void QnConvertFn(int64_t count, void *to, const void *from);

/*
 * The function for two types of which each is a family's own type, or bool, or where one is and the
 * other is a storage type of float; NULL for other pairs.
 */
QnConvertFn *qn_convert_find(QnType to, QnType from);

/* Functions that do the same faster on some CPUs:
 * between float and the types of quantized values. */
typedef struct QnConvertVariant {
    const char *name; /* convert_<from>_to_<to>_<isa> */
    QnIsa needs;
    uint8_t to, from; /* QnTypes */
    QnConvertFn *run;
} QnConvertVariant;

/* Fastest first. */
extern const QnConvertVariant qn_convert_variants[];
extern const int qn_convert_variant_count;

/* The fastest function that `have` can run, or NULL as of qn_convert_find. */
QnConvertFn *qn_convert_pick(QnType to, QnType from, QnIsa have);

/* Any pair of numeric types, also two storage types;
 * does nothing for strings and complex numbers. */
void qn_convert_row(QnType to, void *out, QnType from, const void *in, int64_t count);

/* One element of a storage type as a float, and back. */
float qn_float_from_f16(uint16_t bits);
uint16_t qn_f16_from_float(float x);
float qn_float_from_bf16(uint16_t bits);
uint16_t qn_bf16_from_float(float x);

QnConvertFn qn_convert_f32_to_byte_avx512, qn_convert_u8_to_f32_avx512, qn_convert_i8_to_f32_avx512,
    qn_convert_i32_to_f32_avx512;
QnConvertFn qn_convert_f32_to_byte_avx2, qn_convert_u8_to_f32_avx2, qn_convert_i8_to_f32_avx2,
    qn_convert_i32_to_f32_avx2;

#endif
