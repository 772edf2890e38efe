/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values in files of their own, as the test cases of ONNX have them: a bare TensorProto,
 * SequenceProto, OptionalProto or MapProto.  Which one it is only the declared type of the graph's
 * input or output tells.
 */
#ifndef QN_ENGINE_FORMATS_ONNX_TESTDATA_H
#define QN_ENGINE_FORMATS_ONNX_TESTDATA_H

#include "base/bytes.h"
#include "base/text.h"
#include "engine/ir/graph.h"

/*
 * Reads a value.
 *
 * type: the declared one; of kind QN_NONE means a tensor.  The value lies in `arena` and in
 * `bytes`, which it borrows; data of any alignment.  A uint16 tensor where bfloat16 is declared is
 * taken as its bits: old test cases store them so. QN_BAD_TENSOR where the bytes contradict
 * themselves.
 */
QnStatus onnx_read_value(QnValue *out, QnBytes bytes, const QnIrType *type, QnArena *arena,
                         QnError *err);

/* Appends the message that onnx_read_value reads.  Tensors must be contiguous.  QN_NO_MEMORY where
 * the text failed. */
QnStatus onnx_write_value(QnText *out, const char *name, const QnValue *value, QnError *err);

#endif
