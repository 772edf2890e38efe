/* SPDX-License-Identifier: Apache-2.0 */
/* The portable strip functions: every instruction for every family that has it, in plain C. */
#include <math.h>

#include "engine/devices/cpu/kernels/pointwise_loops.h"

#define C(function)    function##f
#define T              float
#define NAME(function) f32_##function
#include "engine/devices/cpu/kernels/pointwise_float.inc"

#define C(function)    function
#define T              double
#define NAME(function) f64_##function
#include "engine/devices/cpu/kernels/pointwise_float.inc"

#define T              int8_t
#define U              uint32_t
#define NAME(function) i8_##function
#define INT_ROWS
#include "engine/devices/cpu/kernels/pointwise_int.inc"

/* Truth values. */
STRIP_UNARY(u8_not, uint8_t, uint8_t, !x)
STRIP_BINARY(u8_and, uint8_t, uint8_t, x &&y)
STRIP_BINARY(u8_or, uint8_t, uint8_t, x || y)
STRIP_BINARY(u8_xor, uint8_t, uint8_t, !x != !y)

#define T              uint8_t
#define U              uint32_t
#define NAME(function) u8_##function
#define INT_ROWS \
    [QN_CODE_NOT] = u8_not, [QN_CODE_AND] = u8_and, [QN_CODE_OR] = u8_or, [QN_CODE_XOR] = u8_xor
#include "engine/devices/cpu/kernels/pointwise_int.inc"

#define T              int16_t
#define U              uint32_t
#define NAME(function) i16_##function
#define INT_ROWS
#include "engine/devices/cpu/kernels/pointwise_int.inc"

#define T              uint16_t
#define U              uint32_t
#define NAME(function) u16_##function
#define INT_ROWS
#include "engine/devices/cpu/kernels/pointwise_int.inc"

#define T              int32_t
#define U              uint32_t
#define NAME(function) i32_##function
#define INT_ROWS
#include "engine/devices/cpu/kernels/pointwise_int.inc"

#define T              uint32_t
#define U              uint32_t
#define NAME(function) u32_##function
#define INT_ROWS
#include "engine/devices/cpu/kernels/pointwise_int.inc"

#define T              int64_t
#define U              uint64_t
#define NAME(function) i64_##function
#define INT_ROWS
#include "engine/devices/cpu/kernels/pointwise_int.inc"

#define T              uint64_t
#define U              uint64_t
#define NAME(function) u64_##function
#define INT_ROWS
#include "engine/devices/cpu/kernels/pointwise_int.inc"

QnStripFn *qn_pointwise_portable(QnCode code, QnFamily family)
{
    static QnStripFn *const *const tables[QN_FAMILY_COUNT] = {
#define TABLE(suffix, ...) suffix##_table,
        QN_FAMILY_MAP(TABLE, )
#undef TABLE
    };
    return tables[family][code];
}
