/* SPDX-License-Identifier: Apache-2.0 */
/* Moving a sub-graph's nodes into another graph. */
#ifndef QN_ENGINE_FORMATS_ONNX_SPLICE_H
#define QN_ENGINE_FORMATS_ONNX_SPLICE_H

#include "engine/formats/onnx/upgrade.h"

/*
 * Appends the nodes and constants of a sub-graph to the graph at work, all that it defines under
 * new names.  `names` says what its inputs are called there, and afterwards what each of its names
 * has become.  The sub-graph is used up.
 */
QnStatus onnx_splice(OnnxUpgrade *up, OnnxGraph *graph, OnnxScope *names);

/* What output i of a spliced graph is called now. */
const char *onnx_spliced_output(const OnnxGraph *graph, int i, const OnnxScope *names);

#endif
