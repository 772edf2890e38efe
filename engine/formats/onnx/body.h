/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operators that are compositions of others: what stands in the place of a node, as text.
 *
 * A body is a list of statements, one a line or with ';' between them:
 *
 *     check @activation in Relu | Tanh     the attribute must be one of these words
 *     refuse "found" "expected"            a severe finding
 *     y = Conv(X, W, B) {*, group = 2}     a node
 *     a, b = Split(x) {num_outputs = 2}    one with several outputs; _ is one that nobody wants
 *     Y = y                                another name for a value
 *
 * In front of a statement conditions in brackets, joined by commas, say when it counts:
 * [bias] an input that is there, an output that is wanted, or a name that has been given; [@transA]
 * an attribute that is neither zero nor empty; [@mode=linear] one with that value, where
 * `none` is that of an absent or empty text; [@opset<13], [@limit>0] one that is less or greater;
 * each with a ! in front means the opposite.
 *
 * Names are those of the schema's inputs, absent where these are, and those that statements give,
 * also again.  What the names of the schema's outputs stand for at the end are the node's outputs.
 * Arguments are names, _ for none, and constants: 0.5 is a scalar of the element type of the call's
 * first named argument, 3 an int64 scalar, [1, -1] an int64 vector, @alpha the attribute, as its
 * kind says.  Attributes are numbers, "texts", [1, 2], @alpha, or @params[0]; one that the node
 * lacks, and that has no default, is left out.  {*} copies all that the new operator knows.
 *
 * Operators are those of the newest ai.onnx, else of the node's domain, else of the engine's own,
 * and transposed(x), batch_first(x), channels_first(x) and channels_last(x) of body.c, which depend
 * on a rank.
 */
#ifndef QN_ENGINE_FORMATS_ONNX_BODY_H
#define QN_ENGINE_FORMATS_ONNX_BODY_H

#include "engine/formats/onnx/upgrade.h"

/* Puts the nodes of the body in the place of *node, as an OnnxRewrite does. */
QnStatus onnx_expand_body(OnnxUpgrade *up, OnnxNode **node, const char *text);

/* One expansion at work; shared by the body*.c. */
typedef struct OnnxBody {
    OnnxUpgrade *up;
    OnnxNode *call;  /* the node that is replaced */
    const char *at;  /* the text from here on */
    OnnxScope names; /* what the body's names stand for; absent inputs are "" */
    OnnxGraph made;  /* the nodes so far */
    bool is_refused; /* outputs are not asked for then */
} OnnxBody;

/* Gives b the schema's inputs under their names. */
QnStatus onnx_body_name_inputs(OnnxBody *b);

/* Lets a name stand for a value; what it stands for, NULL: nothing yet. */
QnStatus onnx_body_name(OnnxBody *b, const char *name, const char *value);
const char *onnx_body_named(const OnnxBody *b, const char *name);

/* Expands a text among b's names. */
QnStatus onnx_body_run(OnnxBody *b, const char *text);

/* --- permutations of dims: body_permute.c --- */

bool onnx_body_is_permutation(const char *word);

/* Emits the one that the word stands for. */
QnStatus onnx_body_permute(OnnxBody *b, const char *word, const char *x, const char **out);

/* --- the text: body_text.c --- */

/* Goes past blanks, and c if it is next; was it? */
bool onnx_body_take(OnnxBody *b, char c);

/* Is there another item of a list before its closing character?  Goes past that, or past the comma
 * in front of the item; *count is the number of items so far. */
bool onnx_body_more(OnnxBody *b, char closer, int *count);

/* The next word of letters, digits, '_' and '-', "" where there is none; NULL: no memory. */
const char *onnx_body_word(OnnxBody *b);

/* Goes to the next statement; false at the end. */
bool onnx_body_next(OnnxBody *b);

/* Past the rest of this one. */
void onnx_body_skip(OnnxBody *b);

/*
 * A constant or an attribute of the call: a number, "text", [1, 2], @name or @name[i].  Kind
 * UNDEFINED where the attribute is not there.  A list that is too short is a finding.
 */
QnStatus onnx_body_value(OnnxBody *b, OnnxAttribute *out);

/* Does the call's attribute or its default differ from zero and from nothing?  Is it that word?  Is
 * it a number below, or above that one? */
bool onnx_body_holds(const OnnxBody *b, const char *attribute);
bool onnx_body_equals(const OnnxBody *b, const char *attribute, const char *word);
bool onnx_body_is_below(const OnnxBody *b, const char *attribute, const char *number);
bool onnx_body_is_above(const OnnxBody *b, const char *attribute, const char *number);

/* "mode is 'cubic'", for a sentence. */
const char *onnx_body_show(const OnnxBody *b, const char *attribute);

/* --- after the last statement: body_end.c --- */

/* Gives the call's outputs to what the body calls so, and drops the nodes that nobody reads. */
QnStatus onnx_body_finish(OnnxBody *b);

#endif
