/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Graphs as text, for tests, --print-after and inspect.
 *
 *     graph main(%x: float[N,3], %y: int64[]) {
 *       const %w: float[2] = {1, 2.5}
 *       %a: float[N,3] = Relu(%x)
 *       %b, %c = ms.Foo(%a, _, %w) {axis = 1, mode = "x", pads = [1, 2], body = graph (%i) {
 *         return %i
 *       }}
 *       return %b, %c
 *     }
 *
 * Names may be quoted: %"a b", with \", \\, \n, \t and \x7f inside.  %12 is a made-up name, %"12" a
 * model's.  `_` is an absent input or output.  A domain stands before a point, shortened as `ml`
 * (ai.onnx.ml) and `ms` (com.microsoft).  `#` starts a comment.
 *
 * Types may be left out, and are then not known: float[N,3], float[] (a scalar), float[?] (any
 * rank), tensor[N] (any elements), sequence(float[N]), optional(...), map(string, float[]), ?.
 * Numbers are printed such that they read back to the same bits, those of narrow floats in
 * hexadecimal.  A constant of over 16 elements prints as
 * {first 16, ...#hash} and reads as an error.  An input's "= {1, 2}" is its default.
 *
 * Attributes: an integer 1, a float 1.0 (a double that is no float: 0.1d), "text", tensor float[2]
 * {1, 2}, type float[N], graph name(...) {...}, and lists [1, 2] of one kind; empty ones are [],
 * floats[], strings[], tensors[], graphs[].  `return y = %c` gives the output a name that the value
 * has not.  Behind the main graph there may stand `variable name = 1 -> 2`: what output 1 gives is
 * input 2 of the next run.
 *
 * Properties, origins, and contents are not part of the text.
 */
#ifndef QN_ENGINE_IR_TEXT_H
#define QN_ENGINE_IR_TEXT_H

#include "base/text.h"
#include "engine/ir/graph.h"

/* Appends the module's text. */
void qn_module_print(const QnModule *module, QnText *text);

/* Reads a module; operators are not resolved.
 * QN_BAD_MODEL names the line.  The caller frees it. */
QnStatus qn_module_parse(QnModule **out, const char *text, const QnAllocator *allocator,
                         QnError *err);

/* Appends an attribute's value, without its name; a sub-graph only by its name. */
void qn_attribute_print(const QnModule *module, const QnAttribute *attribute, QnText *text);

/* A type as text, "float[N,3]".  Returns the length, as snprintf does. */
int qn_ir_type_print(const QnDims *dims, const QnIrType *type, char *text, size_t size);

#endif
