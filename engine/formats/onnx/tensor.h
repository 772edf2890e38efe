/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Stored tensors: how each element type lies in a TensorProto, and decoding it to its form in
 * memory.
 *
 * Raw data of whole bytes stays where it is, in the file; all else is decoded into an arena: typed
 * fields, values of less than a byte (one per byte in memory), strings, sparse tensors.
 */
#ifndef QN_ENGINE_FORMATS_ONNX_TENSOR_H
#define QN_ENGINE_FORMATS_ONNX_TENSOR_H

#include "engine/formats/onnx/model.h"

/* The typed field that a tensor's element type belongs to. */
typedef struct OnnxStorage {
    const char *field;
    size_t count;                         /* the entries that are there */
    uint64_t (*wanted)(int64_t elements); /* how many there must be */
} OnnxStorage;

OnnxStorage onnx_tensor_storage(const OnnxTensor *tensor);

/* Bytes of `count` elements in raw data; those of less than a byte are packed.
 * Counts that do not fit: UINT64_MAX. */
uint64_t onnx_storage_size(QnType type, int64_t count);

/* The sparse tensor's i-th index as a position in the dense one;
 * -1 where a coordinate is outside its dim. */
int64_t onnx_sparse_position(const OnnxSparse *sparse, int64_t i);

/* Where bytes of external data come from; external.c is the real one. */
typedef struct OnnxExternal OnnxExternal;

/*
 * Decodes a tensor that has passed its checks.  `arena` owns what must be decoded; `external`: NULL
 * where there is no external data to be had.
 */
QnStatus onnx_decode_tensor(QnTensor *out, const OnnxTensor *tensor, QnArena *arena,
                            OnnxExternal *external, QnError *err);

/* Decodes a sparse tensor to a dense one, of at most ONNX_DENSE_LIMIT bytes. */
QnStatus onnx_decode_sparse(QnTensor *out, const OnnxSparse *sparse, QnArena *arena,
                            OnnxExternal *external, QnError *err);

enum { ONNX_DENSE_LIMIT = 1 << 30 };

#endif
