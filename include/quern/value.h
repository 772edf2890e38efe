/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes into a model and comes out of it: tensors, sequences, optionals and maps.
 *
 * These are plain data.  A value owns nothing; whoever made it says how long its memory stays
 * valid.
 */
#ifndef QUERN_VALUE_H
#define QUERN_VALUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "quern/status.h"

#ifdef __cplusplus
extern "C" {
#endif

/*
 * The element types, numbered as in ONNX: X(NAME, number, ONNX's short name, bits in a file, bytes
 * in memory). In memory values of less than a byte take a byte each.
 */
#define QN_TYPE_MAP(X)                            \
    X(FLOAT, 1, "float", 32, 4)                   \
    X(UINT8, 2, "uint8", 8, 1)                    \
    X(INT8, 3, "int8", 8, 1)                      \
    X(UINT16, 4, "uint16", 16, 2)                 \
    X(INT16, 5, "int16", 16, 2)                   \
    X(INT32, 6, "int32", 32, 4)                   \
    X(INT64, 7, "int64", 64, 8)                   \
    X(STRING, 8, "string", 0, 16)                 \
    X(BOOL, 9, "bool", 8, 1)                      \
    X(FLOAT16, 10, "float16", 16, 2)              \
    X(DOUBLE, 11, "double", 64, 8)                \
    X(UINT32, 12, "uint32", 32, 4)                \
    X(UINT64, 13, "uint64", 64, 8)                \
    X(COMPLEX64, 14, "complex64", 64, 8)          \
    X(COMPLEX128, 15, "complex128", 128, 16)      \
    X(BFLOAT16, 16, "bfloat16", 16, 2)            \
    X(FLOAT8E4M3FN, 17, "float8e4m3fn", 8, 1)     \
    X(FLOAT8E4M3FNUZ, 18, "float8e4m3fnuz", 8, 1) \
    X(FLOAT8E5M2, 19, "float8e5m2", 8, 1)         \
    X(FLOAT8E5M2FNUZ, 20, "float8e5m2fnuz", 8, 1) \
    X(UINT4, 21, "uint4", 4, 1)                   \
    X(INT4, 22, "int4", 4, 1)                     \
    X(FLOAT4E2M1, 23, "float4e2m1", 4, 1)         \
    X(FLOAT8E8M0, 24, "float8e8m0", 8, 1)         \
    X(UINT2, 25, "uint2", 2, 1)                   \
    X(INT2, 26, "int2", 2, 1)                     \
    X(FLOAT6E2M3, 27, "float6e2m3", 6, 1)         \
    X(FLOAT6E3M2, 28, "float6e3m2", 6, 1)

/** The type of a tensor's elements. */
typedef enum QnType {
    QN_UNDEFINED = 0,
#define QN_TYPE_ENUM(name, number, text, bits, bytes) QN_##name = number,
    QN_TYPE_MAP(QN_TYPE_ENUM)
#undef QN_TYPE_ENUM
        QN_TYPE_COUNT
} QnType;

/** ONNX's short name of an element type, "float16"; "undefined" for what is none.
 * Never NULL; any thread. */
QN_API const char *qn_type_name(QnType type);

/** The element type of that name (terminated, as qn_type_name() spells it),
 * or QN_UNDEFINED.  Any thread. */
QN_API QnType qn_type_find(const char *name);

/** Bytes that one element takes in memory; 0 for what is no type.  Any thread. */
QN_API size_t qn_type_size(QnType type);

/** How many dimensions a tensor may have at most. */
enum { QN_MAX_RANK = 16 };

/** An element of a QN_STRING tensor: bytes, UTF-8 by convention, not terminated. */
typedef struct QnString {
    const char *data; /**< [size]; may be NULL where size is 0 */
    size_t size;
} QnString;

/** Where a tensor's data lies. */
typedef struct QnPlace {
    int16_t device; /**< 0: the host's memory */
    int16_t memory; /**< the kind of memory on that device; 0: ordinary */
} QnPlace;

/** A value with data.  Rank 0 is a scalar; a dimension of 0 means no elements and is valid
 * everywhere.  qn_tensor() makes one. */
typedef struct QnTensor {
    QnType type;
    int rank;                     /**< 0 to QN_MAX_RANK */
    int64_t dims[QN_MAX_RANK];    /**< [rank] in elements, each >= 0 */
    int64_t strides[QN_MAX_RANK]; /**< [rank] in bytes from one element to the next; may be 0 or
                                     negative */
    void *data;                   /**< the first element; may be NULL where there are none */
    size_t size_bytes; /**< of the memory at `data` that may be written; of an input nobody asks */
    QnPlace place; /**< of an input or output of a run: {0}, the host's memory; there is no other
                      device yet */
    uint64_t reserved[4]; /**< 0; for later versions */
} QnTensor;

/** The kinds of values. */
typedef enum QnKind {
    QN_NONE, /**< an absent value */
    QN_TENSOR,
    QN_SEQUENCE, /**< items[count], all of one kind */
    QN_OPTIONAL, /**< items[count], count 0 (empty) or 1 */
    QN_MAP       /**< items[0]: keys, a 1-D tensor of integers or strings; items[1]: values, a 1-D
                    tensor or a sequence of as many; count 2 */
} QnKind;

/** A tensor, or a collection of values. */
typedef struct QnValue {
    QnKind kind;
    QnType type;           /**< the element type of (the tensors in) it, also while it is empty */
    QnTensor tensor;       /**< of kind QN_TENSOR */
    int64_t count;         /**< of the other kinds */
    struct QnValue *items; /**< [count] */
} QnValue;

/** The number of elements, the product of the dimensions, which must fit;
 * 1 for a scalar.  Any thread. */
QN_API int64_t qn_tensor_count(const QnTensor *tensor);

/** Whether the elements follow one another without gaps, last dimension fastest; true where there
 * are none.  Any thread. */
QN_API bool qn_tensor_is_contiguous(const QnTensor *tensor);

/**
 * A contiguous tensor over memory of the caller's, in the host's memory.  Any thread.
 *
 * @param rank 0 to QN_MAX_RANK.
 * @param dims [rank] in elements, each >= 0; copied.  NULL is fine for a scalar.
 * @param data borrowed as long as the tensor is used; at least as many bytes as the elements take,
 *             which become its `size_bytes`.  NULL as an output: the run says where.
 */
QN_API QnTensor qn_tensor(QnType type, int rank, const int64_t *dims, void *data);

/** A value that is that tensor, whose data it borrows as the tensor does.  Any thread. */
QN_API QnValue qn_value_tensor(QnTensor tensor);

#ifdef __cplusplus
}
#endif
#endif
