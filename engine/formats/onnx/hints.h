/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be said of values before there is a graph: kind, element type, rank.
 *
 * Hints come from declared types, from initializers, and from the schema table (outputs of type T
 * have the type of the inputs of type T).  They choose between rewrites that mean the same; nothing
 * depends on a hint being there.
 */
#ifndef QN_ENGINE_FORMATS_ONNX_HINTS_H
#define QN_ENGINE_FORMATS_ONNX_HINTS_H

#include "engine/formats/onnx/model.h"
#include "engine/formats/onnx/scope.h"

typedef struct OnnxHint {
    OnnxTypeKind kind; /* NONE: not known */
    int element;       /* of a tensor, of the tensors in a collection; 0: not known */
    int rank;          /* of a tensor; -1: not known */
    bool is_nested;    /* an optional that holds a sequence */
    const OnnxTensor
        *tensor; /* its value, where it is an initializer or a Constant's; NULL: not known */
} OnnxHint;

OnnxHint onnx_hint_unknown(void);
OnnxHint onnx_hint_of_type(const OnnxType *type);
OnnxHint onnx_hint_of_tensor(const OnnxTensor *tensor);

/* What is known of a value; the unknown hint where that is nothing. */
OnnxHint onnx_hint(const OnnxScope *scope, const char *name);

/* Notes a hint in the scope, or fills the gaps of the one that is there. */
QnStatus onnx_hint_put(OnnxScope *scope, const char *name, OnnxHint hint);

/* Notes those of a graph's inputs, initializers and value_info. */
QnStatus onnx_hints_of_graph(OnnxScope *scope, const OnnxGraph *graph);

/* Notes those of a node's outputs, from those of its inputs. */
QnStatus onnx_hints_of_node(OnnxScope *scope, OnnxNode *node);

/* What is known of output i of a node, from its inputs and its schema row. */
OnnxHint onnx_hint_of_output(const OnnxScope *scope, OnnxNode *node, int i);

/* Is the hint's type in the set?  True also where it is not known. */
bool onnx_hint_fits(const OnnxHint *hint, const OnnxTypeSet *types);

/* "int64", "sequence of float", for messages. */
const char *onnx_hint_text(QnArena *arena, const OnnxHint *hint);

#endif
