/* SPDX-License-Identifier: Apache-2.0 */
/* UNSTABLE, no ABI promise: values in files of their own. */
#ifndef QUERN_UNSTABLE_VALUES_H
#define QUERN_UNSTABLE_VALUES_H

#include "quern/model.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Memory for values that are read; one thread at a time. */
typedef struct QnValueStore QnValueStore;

/** Makes an empty store.  The caller frees it, and with it all values that were read into it.
 * @return QN_OK or QN_NO_MEMORY. */
QN_API QnStatus qn_value_store_create(QnValueStore **out);
QN_API void qn_value_store_free(QnValueStore *store);
/** Forgets the values but keeps the memory. */
QN_API void qn_value_store_reset(QnValueStore *store);
/** `size` bytes aligned to 64 that live as long as the store's values; NULL where there are none.
 */
QN_API void *qn_value_store_alloc(QnValueStore *store, size_t size);

/**
 * Reads an ONNX message (TensorProto, SequenceProto, OptionalProto, MapProto) as the value of a
 * model's input or output, whose declared type says which message it is.
 *
 * @param model  NULL: a tensor.
 * @param data   [size] copied.
 * @return QN_BAD_TENSOR where the bytes contradict themselves, QN_BAD_ARGUMENT where the model has
 * no such value, QN_NO_MEMORY.
 */
QN_API QnStatus qn_value_read_onnx(QnValue *out, QnValueStore *store, const QnModel *model,
                                   bool is_output, int i, const void *data, size_t size,
                                   QnError *err);

/** Writes a value as an ONNX message.  *out, [*size], is memory of the store.
 * @return QN_BAD_TENSOR, QN_NO_MEMORY. */
QN_API QnStatus qn_value_write_onnx(const void **out, size_t *size, QnValueStore *store,
                                    const char *name, const QnValue *value, QnError *err);

/** Element i, in row-major order, of a tensor of any strides and numeric type, as a double. */
QN_API double qn_tensor_element(const QnTensor *tensor, int64_t i);

/** Sets it: floats are rounded to nearest, integers cut towards zero to their low bits. */
QN_API void qn_tensor_set_element(const QnTensor *tensor, int64_t i, double value);

/** Where element i, in row-major order, of a tensor of any strides and type lies. */
QN_API void *qn_tensor_address(const QnTensor *tensor, int64_t i);

#ifdef __cplusplus
}
#endif
#endif
