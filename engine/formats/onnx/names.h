/* SPDX-License-Identifier: Apache-2.0 */
/* Names that no value of the model has yet, for what inlining and upgrading add. */
#ifndef QN_ENGINE_FORMATS_ONNX_NAMES_H
#define QN_ENGINE_FORMATS_ONNX_NAMES_H

#include "engine/formats/onnx/model.h"
#include "engine/formats/onnx/scope.h"

/* Notes every name of the model's graphs and functions, sub-graphs included. */
QnStatus onnx_collect_names(OnnxScope *used, OnnxModel *model);

/* A new name, "<base>.<suffix>" or that with a number behind, and notes it. */
QnStatus onnx_new_name(OnnxScope *used, const char *base, const char *suffix, const char **out);

#endif
