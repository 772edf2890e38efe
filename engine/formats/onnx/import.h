/* SPDX-License-Identifier: Apache-2.0 */
/* From a checked, upgraded and inlined ONNX model to the module.  Knows the IR. */
#ifndef QN_ENGINE_FORMATS_ONNX_IMPORT_H
#define QN_ENGINE_FORMATS_ONNX_IMPORT_H

#include "engine/formats/onnx/model.h"

QnStatus onnx_import(OnnxModel *model, QnReader *in, QnModule *module);

/* functions.c: replaces every call of a model-local function by its body, in all graphs. */
QnStatus onnx_inline_functions(OnnxModel *model, QnReader *in);

/* A type as the graph has it; new symbols for unknown dims.
 * What makes no sense in it is taken as not known. */
QnStatus onnx_import_type(QnIrType *out, const OnnxType *type, QnModule *module);

#endif
