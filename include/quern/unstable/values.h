/* SPDX-License-Identifier: Apache-2.0 */
/* UNSTABLE, no ABI promise.  Values in files of their own. */
#ifndef QUERN_UNSTABLE_VALUES_H
#define QUERN_UNSTABLE_VALUES_H

#include "quern/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Memory for values that are read or written; one thread at a time. */
typedef struct QnValueStore QnValueStore;

/** Makes an empty store.  The caller frees it, and with it all values that were read into it.
 * @return QN_NO_MEMORY; *out is then unchanged. */
QN_API QnStatus qn_value_store_create(QnValueStore **out);

/** Frees a store.  NULL is fine. */
QN_API void qn_value_store_free(QnValueStore *store);

/** Forgets the values, which are no longer valid, but keeps the memory for the next ones. */
QN_API void qn_value_store_reset(QnValueStore *store);

/** `size` bytes (0 will do) aligned to 64 that live until the store is reset or freed;
 * NULL: no memory. */
QN_API void *qn_value_store_alloc(QnValueStore *store, size_t size);

/**
 * Reads an ONNX message (TensorProto, SequenceProto, OptionalProto, MapProto) as the value of a
 * model's input or output, whose declared type says which message it is.
 *
 * @param out    memory of the store.
 * @param model  whose input or output i it is; NULL: it is a TensorProto, and `is_output` and `i`
 *               are not looked at.
 * @param data   [size] copied.
 * @return QN_BAD_TENSOR where the bytes contradict themselves, QN_BAD_ARGUMENT where the model has
 *         no such value, QN_UNSUPPORTED, QN_NO_MEMORY; *out is then unchanged.
 */
QN_API QnStatus qn_value_read_onnx(QnValue *out, QnValueStore *store, const QnModel *model,
                                   bool is_output, int i, const void *data, size_t size,
                                   QnError *err);

/**
 * Writes a value as the message that qn_value_read_onnx() reads.
 *
 * @param out   [*size] the message, memory of the store.
 * @param name  written into the message, terminated.
 * @param value tensors of any strides and alignment; of kind QN_NONE the message is empty.
 * @return QN_NO_MEMORY; *out and *size are then unchanged.
 */
QN_API QnStatus qn_value_write_onnx(const void **out, size_t *size, QnValueStore *store,
                                    const char *name, const QnValue *value, QnError *err);

/** Element i, in row-major order, of a tensor of any strides, alignment and numeric type, as a
 * double; of complex numbers the real part, of others 0.  0 <= i < qn_tensor_count(). */
QN_API double qn_tensor_element(const QnTensor *tensor, int64_t i);

/** Sets it, also where it is a string or of no type: then nothing is done.  Floats are rounded to
 * nearest, integers cut towards zero to their low bits.  Its address is aligned to the element. */
QN_API void qn_tensor_set_element(const QnTensor *tensor, int64_t i, double value);

/** Where element i, in row-major order, of a tensor of any strides and type lies.
 * 0 <= i < qn_tensor_count(). */
QN_API void *qn_tensor_address(const QnTensor *tensor, int64_t i);

#ifdef __cplusplus
}
#endif
#endif
