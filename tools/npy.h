/* SPDX-License-Identifier: Apache-2.0 */
/* NumPy's .npy files: tensors to and from bytes. */
#ifndef QN_TOOLS_NPY_H
#define QN_TOOLS_NPY_H

#include "base/bytes.h"
#include "base/text.h"
#include "quern/unstable/values.h"

/*
 * Reads an array of numbers, booleans or text (`U` becomes UTF-8, `S` stays bytes), of either byte
 * order and either order of dimensions.  The tensor is contiguous memory of the store.
 * QN_BAD_TENSOR says what is wrong; `name` stands for the file.
 */
QnStatus npy_read(QnTensor *out, QnBytes bytes, const char *name, QnValueStore *store,
                  QnError *err);

/*
 * Appends a tensor of any strides as an array.  Element types that NumPy lacks are written as the
 * narrowest one that holds them exactly: small and bfloat16 floats as float32, 2- and 4-bit
 * integers as 8-bit ones; strings as `U`, fixed-width.
 */
QnStatus npy_write(QnText *out, const QnTensor *tensor, QnError *err);

/* What npy_write makes of an element type: itself where NumPy has it. */
QnType npy_type(QnType type);

#endif
