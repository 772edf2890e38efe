/* SPDX-License-Identifier: Apache-2.0 */
/* From an ONNX file's bytes to structs.  Knows the wire, not the meaning. */
#ifndef QN_ENGINE_FORMATS_ONNX_PARSE_H
#define QN_ENGINE_FORMATS_ONNX_PARSE_H

#include "engine/formats/onnx/model.h"

/* Parses a ModelProto.  QN_BAD_MODEL says where the bytes stop making sense
 * and what was being read there. */
QnStatus onnx_parse(OnnxModel **out, QnReader *in);

/* Parses a TensorProto alone, as test data holds them; `from` is a cursor over its bytes. */
QnStatus onnx_parse_tensor(QnProto from, OnnxTensor *tensor, QnArena *arena, QnError *err);

#endif
