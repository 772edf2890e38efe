/* SPDX-License-Identifier: Apache-2.0 */
/*
 * External data: values of tensors that lie in other files beside the model.
 *
 * This is the one way in which a model reaches other files: below its own folder, through
 * base/opener.h, and read into the module's memory, never mapped, since somebody may cut a file
 * short that is in use.
 */
#ifndef QN_ENGINE_FORMATS_ONNX_EXTERNAL_H
#define QN_ENGINE_FORMATS_ONNX_EXTERNAL_H

#include "engine/formats/onnx/tensor.h"

/* Makes the way to the files of one model.
 * `arena` owns the bytes; lives in the reader's scratch memory. */
QnStatus onnx_external_create(OnnxExternal **out, const QnReader *in, QnArena *arena);

/* Closes what is open. */
void onnx_external_finish(OnnxExternal *external);

/*
 * The `size` bytes of a tensor's values.  QN_BAD_MODEL where the entry is wrong or leaves the
 * folder, QN_IO where the file cannot be read, QN_UNSUPPORTED where external data is not allowed.
 */
QnStatus onnx_external_read(QnBytes *out, OnnxExternal *external, const OnnxTensor *tensor,
                            uint64_t size, QnError *err);

#endif
