/* SPDX-License-Identifier: Apache-2.0 */
/* One import at work: what import.c and import_attribute.c share. */
#ifndef QN_ENGINE_FORMATS_ONNX_IMPORTER_H
#define QN_ENGINE_FORMATS_ONNX_IMPORTER_H

#include "engine/formats/onnx/external.h"
#include "engine/formats/onnx/import.h"
#include "engine/formats/onnx/scope.h"
#include "engine/formats/onnx/tensor.h"

typedef struct OnnxImporter {
    QnReader *in;
    QnModule *module;
    QnArena *arena; /* the module's */
    OnnxExternal *external;
    bool keeps_defaults; /* inputs with a default stay inputs */
} OnnxImporter;

/* A stored tensor, in memory of the module or of the file. */
static inline QnStatus onnx_import_tensor(OnnxImporter *im, QnTensor *out, const OnnxTensor *tensor)
{
    return onnx_decode_tensor(out, tensor, im->arena, im->external, im->in->err);
}

/* import.c: fills an empty graph.  `outer`: values of the graphs around, by name; NULL: none. */
QnStatus onnx_import_graph(OnnxImporter *im, OnnxGraph *from, QnGraph *graph,
                           const OnnxScope *outer);

/* import_attribute.c: sets one on a node, with the graphs in it. */
QnStatus onnx_import_attribute(OnnxImporter *im, const OnnxAttribute *from, QnNode *node,
                               const OnnxScope *scope);

/* import_attribute.c: the value of a Constant node. */
QnStatus onnx_import_constant(OnnxImporter *im, QnTensor *out, const OnnxNode *node);

#endif
