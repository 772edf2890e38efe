/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding of stored tensors to their form in memory. */
#include "engine/formats/onnx/tensor.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "engine/formats/onnx/external.h"

/* --- storage --- */

/* Bits of an element in raw data. */
static unsigned type_bits(QnType type)
{
    static const uint8_t bits[QN_TYPE_COUNT] = {
#define ROW(name, number, text, file_bits, bytes) [number] = file_bits,
        QN_TYPE_MAP(ROW)
#undef ROW
    };
    return (unsigned)type < QN_TYPE_COUNT ? bits[type] : 0;
}

uint64_t onnx_storage_size(QnType type, int64_t count)
{
    uint64_t bits;
    if (count < 0 || __builtin_mul_overflow((uint64_t)count, type_bits(type), &bits))
        return UINT64_MAX;
    return bits / 8 + (bits % 8 != 0);
}

static uint64_t one_each(int64_t n)
{
    return (uint64_t)n;
}

static uint64_t two_each(int64_t n)
{
    return n > INT64_MAX / 2 ? UINT64_MAX : 2 * (uint64_t)n;
}

static uint64_t halves(int64_t n)
{
    return (uint64_t)n / 2 + (uint64_t)n % 2;
}

static uint64_t quarters(int64_t n)
{
    return (uint64_t)n / 4 + ((uint64_t)n % 4 != 0);
}

OnnxStorage onnx_tensor_storage(const OnnxTensor *tensor)
{
    switch (tensor->type) {
    case QN_FLOAT:
        return (OnnxStorage){"float_data", tensor->floats.count, one_each};
    case QN_COMPLEX64:
        return (OnnxStorage){"float_data", tensor->floats.count, two_each};
    case QN_DOUBLE:
        return (OnnxStorage){"double_data", tensor->doubles.count, one_each};
    case QN_COMPLEX128:
        return (OnnxStorage){"double_data", tensor->doubles.count, two_each};
    case QN_INT64:
        return (OnnxStorage){"int64_data", tensor->ints64.count, one_each};
    case QN_UINT32:
    case QN_UINT64:
        return (OnnxStorage){"uint64_data", tensor->uints64.count, one_each};
    case QN_STRING:
        return (OnnxStorage){"string_data", (size_t)tensor->strings.count, one_each};
    case QN_UINT4:
    case QN_INT4:
    case QN_FLOAT4E2M1:
        return (OnnxStorage){"int32_data", tensor->ints32.count, halves};
    case QN_UINT2:
    case QN_INT2:
        return (OnnxStorage){"int32_data", tensor->ints32.count, quarters};
    default:
        return (OnnxStorage){"int32_data", tensor->ints32.count, one_each};
    }
}

/* --- decoding --- */

/* Value i of a little-endian stream of values of `bits` bits each,
 * sign-extended for the signed integers. */
static uint8_t unpack(QnBytes stream, unsigned bits, int64_t i, bool is_signed)
{
    const uint64_t at = (uint64_t)i * bits;
    const size_t byte = (size_t)(at / 8);
    unsigned word = stream.data[byte];
    if (byte + 1 < stream.size)
        word |= (unsigned)stream.data[byte + 1] << 8;
    unsigned value = word >> at % 8 & ((1u << bits) - 1);
    if (is_signed && value >> (bits - 1))
        value |= ~0u << bits;
    return (uint8_t)value;
}

static void unpack_all(uint8_t *to, QnType type, QnBytes stream, int64_t count)
{
    const bool is_signed = type == QN_INT4 || type == QN_INT2;
    for (int64_t i = 0; i < count; i++)
        to[i] = unpack(stream, type_bits(type), i, is_signed);
}

/* Bytes of values as they lie in a file, to memory: a view where that is the same. */
static QnStatus decode_raw(QnTensor *out, QnBytes raw, QnArena *arena)
{
    const int64_t count = qn_tensor_count(out);
    const size_t size = (size_t)count * qn_type_size(out->type);
    if (type_bits(out->type) % 8 == 0 && out->type != QN_BOOL) {
        out->data = (void *)(uintptr_t)raw.data; /* never written: constants are const */
        return QN_OK;
    }
    uint8_t *to = qn_arena_alloc_raw(arena, size, 64);
    if (!to)
        return QN_NO_MEMORY;
    if (out->type == QN_BOOL)
        for (int64_t i = 0; i < count; i++)
            to[i] = raw.data[i] != 0;
    else
        unpack_all(to, out->type, raw, count);
    out->data = to;
    return QN_OK;
}

static QnStatus decode_strings(QnTensor *out, const OnnxTensor *tensor, QnArena *arena)
{
    QnString *strings;
    QN_ALLOC(strings, arena, tensor->strings.count);
    for (int i = 0; i < tensor->strings.count; i++)
        strings[i] =
            (QnString){(const char *)tensor->strings.items[i].data, tensor->strings.items[i].size};
    out->data = strings;
    return QN_OK;
}

/* int32_data holds 2- and 4-bit values a byte per entry, packed in it as they are in raw data. */
static void decode_packed(uint8_t *to, QnType type, const int32_t *from, int64_t count)
{
    const unsigned bits = type_bits(type);
    assert(bits == 2 || bits == 4);
    const int64_t per_entry = 8 / bits;
    for (int64_t i = 0; i < count; i += per_entry) {
        const uint8_t byte = (uint8_t)from[i / per_entry];
        unpack_all(to + i, type, qn_bytes(&byte, 1), qn_min_i64(per_entry, count - i));
    }
}

/* ... and narrower integers and bit patterns in the low bits, which come first in memory. */
static void decode_ints(uint8_t *to, QnType type, const int32_t *from, int64_t count)
{
    const size_t size = qn_type_size(type);
    if (type_bits(type) < 6) {
        decode_packed(to, type, from, count);
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        const int32_t entry = type == QN_BOOL ? from[i] != 0 : from[i];
        memcpy(to + (size_t)i * size, &entry, size);
    }
}

static void decode_typed(void *to, QnType type, const OnnxTensor *tensor, int64_t count)
{
    const size_t size = (size_t)count * qn_type_size(type);
    switch (type) {
    case QN_FLOAT:
    case QN_COMPLEX64:
        memcpy(to, tensor->floats.data, size);
        break;
    case QN_DOUBLE:
    case QN_COMPLEX128:
        memcpy(to, tensor->doubles.data, size);
        break;
    case QN_INT64:
        memcpy(to, tensor->ints64.data, size);
        break;
    case QN_UINT64:
        memcpy(to, tensor->uints64.data, size);
        break;
    case QN_UINT32:
        for (int64_t i = 0; i < count; i++)
            ((uint32_t *)to)[i] = (uint32_t)tensor->uints64.u64[i];
        break;
    default:
        decode_ints(to, type, tensor->ints32.i32, count);
    }
}

static QnStatus decode_fields(QnTensor *out, const OnnxTensor *tensor, QnArena *arena)
{
    const int64_t count = qn_tensor_count(out);
    size_t size;
    if (out->type == QN_STRING)
        return decode_strings(out, tensor, arena);
    if (!qn_mul_size(&size, (size_t)count, qn_type_size(out->type)))
        return QN_NO_MEMORY;
    out->data = qn_arena_alloc_raw(arena, size, 64);
    if (!out->data)
        return QN_NO_MEMORY;
    if (count > 0)
        decode_typed(out->data, out->type, tensor, count);
    return QN_OK;
}

QnStatus onnx_decode_tensor(QnTensor *out, const OnnxTensor *tensor, QnArena *arena,
                            OnnxExternal *external, QnError *err)
{
    *out = qn_tensor((QnType)tensor->type, (int)tensor->dims.count, tensor->dims.i64, NULL);
    const int64_t count = qn_tensor_count(out);
    QnBytes raw = tensor->raw;
    if (tensor->is_external && count > 0) {
        const uint64_t size = onnx_storage_size(out->type, count);
        QN_TRY(onnx_external_read(&raw, external, tensor, size, err));
        return decode_raw(out, raw, arena);
    }
    if (tensor->has_raw && count > 0)
        return decode_raw(out, raw, arena);
    return decode_fields(out, tensor, arena);
}

/* --- sparse tensors --- */

/* Entry k of the indices, wherever they are stored. */
static int64_t index_at(const OnnxTensor *indices, int64_t k)
{
    if (indices->has_raw)
        return (int64_t)qn_load_u64(indices->raw.data + 8 * (size_t)k);
    return indices->ints64.i64[k];
}

int64_t onnx_sparse_position(const OnnxSparse *sparse, int64_t i)
{
    if (sparse->indices.dims.count == 1)
        return index_at(&sparse->indices, i);
    const int64_t rank = (int64_t)sparse->dims.count;
    int64_t at = 0;
    for (int64_t k = 0; k < rank; k++) {
        const int64_t index = index_at(&sparse->indices, i * rank + k);
        if (index < 0 || index >= sparse->dims.i64[k])
            return -1;
        at = at * sparse->dims.i64[k] + index; /* fits: smaller than the checked product */
    }
    return at;
}

QnStatus onnx_decode_sparse(QnTensor *out, const OnnxSparse *sparse, QnArena *arena,
                            OnnxExternal *external, QnError *err)
{
    QnTensor values;
    QN_TRY(onnx_decode_tensor(&values, &sparse->values, arena, external, err));
    *out = qn_tensor(values.type, (int)sparse->dims.count, sparse->dims.i64, NULL);
    size_t size;
    const size_t element = qn_type_size(values.type);
    if (!qn_mul_size(&size, (size_t)qn_tensor_count(out), element) || size > ONNX_DENSE_LIMIT)
        return qn_fail(err, QN_UNSUPPORTED,
                       "sparse tensor '%s': its dense form takes over %d bytes",
                       sparse->values.name, ONNX_DENSE_LIMIT);
    uint8_t *to = qn_arena_alloc(arena, size);
    if (!to)
        return QN_NO_MEMORY;
    for (int64_t i = 0; i < qn_tensor_count(&values); i++)
        memcpy(to + (size_t)onnx_sparse_position(sparse, i) * element,
               (const uint8_t *)values.data + (size_t)i * element, element);
    out->data = to;
    return QN_OK;
}
