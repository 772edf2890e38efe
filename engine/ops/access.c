/* SPDX-License-Identifier: Apache-2.0 */
/* Elements of contiguous tensors of any numeric type as double and int64_t, a row at a time. */
#include "base/to_integer.h"
#include "engine/ops/op.h"
#include "engine/ops/small_float.h"

bool qn_type_is_float(QnType type)
{
    return type == QN_FLOAT || type == QN_DOUBLE || qn_small_float_is(type);
}

bool qn_type_is_integer(QnType type)
{
    switch (type) {
    case QN_UINT8:
    case QN_UINT16:
    case QN_UINT32:
    case QN_UINT64:
    case QN_UINT4:
    case QN_UINT2:
        return true;
    default:
        return qn_type_is_signed(type) && !qn_type_is_float(type);
    }
}

bool qn_type_is_signed(QnType type)
{
    return type == QN_INT8 || type == QN_INT16 || type == QN_INT32 || type == QN_INT64 ||
           type == QN_INT4 || type == QN_INT2 || qn_type_is_float(type);
}

/* Complex numbers count as their real part. */
typedef struct Complex64 {
    float real, imaginary;
} Complex64;
typedef struct Complex128 {
    double real, imaginary;
} Complex128;

/* The loops over one element type; `expression` uses v and gives what is stored or read. */
#define READ_ROW(type, expression)                                                     \
    {                                                                                  \
        const char *from = (const char *)tensor->data + first * (int64_t)sizeof(type); \
        for (int64_t i = 0; i < count; i++) {                                          \
            type v; /* constants lie in the model's file, at any alignment */          \
            memcpy(&v, from + i * step * (int64_t)sizeof(type), sizeof v);             \
            to[i] = (expression);                                                      \
        }                                                                              \
        return;                                                                        \
    }
#define WRITE_ROW(type, expression)                \
    {                                              \
        type *to = (type *)tensor->data + first;   \
        for (int64_t i = 0; i < count; i++) {      \
            const __typeof__(from[0]) v = from[i]; \
            to[i * step] = (type)(expression);     \
        }                                          \
        return;                                    \
    }

#define WRITE_COMPLEX(type, expression)             \
    {                                               \
        type *to = (type *)tensor->data + first;    \
        for (int64_t i = 0; i < count; i++) {       \
            const __typeof__(from[0]) v = from[i];  \
            to[i * step] = (type){(expression), 0}; \
        }                                           \
        return;                                     \
    }

void qn_tensor_read_row(const QnTensor *tensor, int64_t first, int64_t step, int64_t count,
                        double *to)
{
    const QnType type = tensor->type;
    switch (type) {
    case QN_FLOAT:
        if (step == 1) { /* which compilers make vectors of */
            const char *from = (const char *)tensor->data + first * (int64_t)sizeof(float);
            for (int64_t i = 0; i < count; i++) {
                float v;
                memcpy(&v, from + i * (int64_t)sizeof v, sizeof v);
                to[i] = (double)v;
            }
            return;
        }
        READ_ROW(float, (double)v)
    case QN_DOUBLE:
        if (step == 1 && count > 0) {
            memcpy(to, (const char *)tensor->data + first * (int64_t)sizeof *to,
                   (size_t)count * sizeof *to);
            return;
        }
        READ_ROW(double, v)
    case QN_INT64:
        READ_ROW(int64_t, (double)v)
    case QN_UINT64:
        READ_ROW(uint64_t, (double)v)
    case QN_INT32:
        READ_ROW(int32_t, (double)v)
    case QN_UINT32:
        READ_ROW(uint32_t, (double)v)
    case QN_INT16:
        READ_ROW(int16_t, (double)v)
    case QN_UINT16:
        READ_ROW(uint16_t, (double)v)
    case QN_INT8:
    case QN_INT4:
    case QN_INT2:
        READ_ROW(int8_t, (double)v)
    case QN_UINT8:
    case QN_UINT4:
    case QN_UINT2:
        READ_ROW(uint8_t, (double)v)
    case QN_BOOL:
        READ_ROW(uint8_t, v ? 1.0 : 0.0)
    case QN_FLOAT16:
    case QN_BFLOAT16:
        READ_ROW(uint16_t, qn_small_float_decode(type, v))
    case QN_COMPLEX64:
        READ_ROW(Complex64, (double)v.real)
    case QN_COMPLEX128:
        READ_ROW(Complex128, v.real)
    case QN_UNDEFINED:
    case QN_STRING:
        memset(to, 0, (size_t)count * sizeof *to);
        return;
    default:
        READ_ROW(uint8_t, qn_small_float_decode(type, v))
    }
}

void qn_tensor_write_row(QnTensor *tensor, int64_t first, int64_t step, int64_t count,
                         const double *from)
{
    const QnType type = tensor->type;
    switch (type) {
    case QN_FLOAT:
        if (step == 1) {
            float *to = (float *)tensor->data + first;
            for (int64_t i = 0; i < count; i++)
                to[i] = (float)from[i];
            return;
        }
        WRITE_ROW(float, v)
    case QN_DOUBLE:
        if (step == 1 && count > 0) {
            memcpy((double *)tensor->data + first, from, (size_t)count * sizeof *from);
            return;
        }
        WRITE_ROW(double, v)
    case QN_INT64:
        WRITE_ROW(int64_t, qn_f64_to_i64(v))
    case QN_UINT64:
        WRITE_ROW(uint64_t, qn_f64_to_u64(v))
    case QN_INT32:
        WRITE_ROW(int32_t, qn_f64_to_i32(v))
    case QN_UINT32:
        WRITE_ROW(uint32_t, qn_f64_to_i64(v))
    case QN_INT16:
        WRITE_ROW(int16_t, qn_f64_to_i32(v))
    case QN_UINT16:
        WRITE_ROW(uint16_t, qn_f64_to_i32(v))
    case QN_INT8:
        WRITE_ROW(int8_t, qn_f64_to_i32(v))
    case QN_UINT8:
        WRITE_ROW(uint8_t, qn_f64_to_i32(v))
    case QN_INT4:
        WRITE_ROW(int8_t, (int8_t)((uint32_t)qn_f64_to_i32(v) << 4) >> 4)
    case QN_UINT4:
        WRITE_ROW(uint8_t, qn_f64_to_i32(v) & 15)
    case QN_INT2:
        WRITE_ROW(int8_t, (int8_t)((uint32_t)qn_f64_to_i32(v) << 6) >> 6)
    case QN_UINT2:
        WRITE_ROW(uint8_t, qn_f64_to_i32(v) & 3)
    case QN_BOOL:
        WRITE_ROW(uint8_t, v != 0)
    case QN_FLOAT16:
    case QN_BFLOAT16:
        WRITE_ROW(uint16_t, qn_small_float_encode(type, v, false))
    case QN_COMPLEX64:
        WRITE_COMPLEX(Complex64, (float)v)
    case QN_COMPLEX128:
        WRITE_COMPLEX(Complex128, v)
    case QN_UNDEFINED:
    case QN_STRING:
        return;
    default:
        WRITE_ROW(uint8_t, qn_small_float_encode(type, v, true))
    }
}

void qn_tensor_read_row_int(const QnTensor *tensor, int64_t first, int64_t step, int64_t count,
                            int64_t *to)
{
    const QnType type = tensor->type;
    switch (type) {
    case QN_INT64:
        READ_ROW(int64_t, v)
    case QN_UINT64:
        READ_ROW(uint64_t, (int64_t)v)
    case QN_INT32:
        READ_ROW(int32_t, v)
    case QN_UINT32:
        READ_ROW(uint32_t, v)
    case QN_INT16:
        READ_ROW(int16_t, v)
    case QN_UINT16:
        READ_ROW(uint16_t, v)
    case QN_INT8:
    case QN_INT4:
    case QN_INT2:
        READ_ROW(int8_t, v)
    case QN_UINT8:
    case QN_UINT4:
    case QN_UINT2:
        READ_ROW(uint8_t, v)
    case QN_BOOL:
        READ_ROW(uint8_t, v != 0)
    case QN_FLOAT:
        READ_ROW(float, qn_f64_to_i64((double)v))
    case QN_DOUBLE:
        READ_ROW(double, qn_f64_to_i64(v))
    case QN_FLOAT16:
    case QN_BFLOAT16:
        READ_ROW(uint16_t, qn_f64_to_i64(qn_small_float_decode(type, v)))
    case QN_COMPLEX64:
        READ_ROW(Complex64, qn_f64_to_i64((double)v.real))
    case QN_COMPLEX128:
        READ_ROW(Complex128, qn_f64_to_i64(v.real))
    case QN_UNDEFINED:
    case QN_STRING:
        memset(to, 0, (size_t)count * sizeof *to);
        return;
    default:
        READ_ROW(uint8_t, qn_f64_to_i64(qn_small_float_decode(type, v)))
    }
}

void qn_tensor_write_row_int(QnTensor *tensor, int64_t first, int64_t step, int64_t count,
                             const int64_t *from)
{
    const QnType type = tensor->type;
    switch (type) {
    case QN_INT64:
        WRITE_ROW(int64_t, v)
    case QN_UINT64:
        WRITE_ROW(uint64_t, v)
    case QN_INT32:
        WRITE_ROW(int32_t, v)
    case QN_UINT32:
        WRITE_ROW(uint32_t, v)
    case QN_INT16:
        WRITE_ROW(int16_t, v)
    case QN_UINT16:
        WRITE_ROW(uint16_t, v)
    case QN_INT8:
        WRITE_ROW(int8_t, v)
    case QN_UINT8:
        WRITE_ROW(uint8_t, v)
    case QN_INT4:
        WRITE_ROW(int8_t, (int8_t)((uint64_t)v << 4) >> 4)
    case QN_UINT4:
        WRITE_ROW(uint8_t, v & 15)
    case QN_INT2:
        WRITE_ROW(int8_t, (int8_t)((uint64_t)v << 6) >> 6)
    case QN_UINT2:
        WRITE_ROW(uint8_t, v & 3)
    case QN_BOOL:
        WRITE_ROW(uint8_t, v != 0)
    case QN_FLOAT:
        WRITE_ROW(float, v)
    case QN_DOUBLE:
        WRITE_ROW(double, v)
    case QN_FLOAT16:
    case QN_BFLOAT16:
        WRITE_ROW(uint16_t, qn_small_float_encode(type, (double)v, false))
    case QN_COMPLEX64:
        WRITE_COMPLEX(Complex64, (float)v)
    case QN_COMPLEX128:
        WRITE_COMPLEX(Complex128, (double)v)
    case QN_UNDEFINED:
    case QN_STRING:
        return;
    default:
        WRITE_ROW(uint8_t, qn_small_float_encode(type, (double)v, true))
    }
}

void qn_tensor_fill(QnTensor *tensor, const void *element)
{
    const size_t size = qn_type_size(tensor->type), all = (size_t)qn_tensor_count(tensor) * size;
    uint8_t *to = tensor->data;
    if (all == 0)
        return;
    memcpy(to, element, size);
    for (size_t done = size; done < all; done *= 2) /* what is there is doubled */
        memcpy(to + done, to, done < all - done ? done : all - done);
}

double qn_tensor_get(const QnTensor *tensor, int64_t i)
{
    double value;
    qn_tensor_read_row(tensor, i, 1, 1, &value);
    return value;
}

void qn_tensor_set(QnTensor *tensor, int64_t i, double value)
{
    qn_tensor_write_row(tensor, i, 1, 1, &value);
}

int64_t qn_tensor_get_int(const QnTensor *tensor, int64_t i)
{
    int64_t value;
    qn_tensor_read_row_int(tensor, i, 1, 1, &value);
    return value;
}

void qn_tensor_set_int(QnTensor *tensor, int64_t i, int64_t value)
{
    qn_tensor_write_row_int(tensor, i, 1, 1, &value);
}

bool qn_tensor_pairs(QnTensor *tensor)
{
    if (tensor->type != QN_COMPLEX64 && tensor->type != QN_COMPLEX128)
        return true;
    if (tensor->rank == QN_MAX_RANK)
        return false;
    const QnType real = tensor->type == QN_COMPLEX64 ? QN_FLOAT : QN_DOUBLE;
    int64_t dims[QN_MAX_RANK];
    memcpy(dims, tensor->dims, (size_t)tensor->rank * sizeof *dims);
    dims[tensor->rank] = 2;
    *tensor = qn_tensor(real, tensor->rank + 1, dims, tensor->data);
    return true;
}
