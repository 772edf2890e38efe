/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Derivatives of operators: what flows back through a node, as text.
 *
 * A rule is a list of statements, one a line or with ';' between them, in the words of arithmetic:
 *
 *     dA = G * B                            what flows into input A
 *     dA = Where(A > 0, G, 0)               calls of ONNX's operators
 *     dA = Transpose(G) {perm = [1, 0]}     with attributes; {*} copies all that the new one knows
 *     _, i = MaxPool(A) {*}                 one with several outputs
 *     h = A * G                             a name for a value, may be given again
 *
 * A, B, C, … are the inputs, Y, Y1, … the outputs, and G, G1, … what flows into these; `gradients`
 * in a list of arguments is all of the latter.  An output that nobody wanted is made when it is
 * asked for, and a G into which nothing flows is zeros.  In a rule for each input A is the one at
 * work, N their number, and names keep their values from one to the next.
 *
 * A number has the element type of the other operand, and in a call that of G; @alpha is the node's
 * attribute or its default, a number or a vector of integers; [1, @axis] is an int64 vector, _ an
 * absent argument.  dA = 0: nothing flows.
 *
 * In front of a statement conditions in brackets, joined by commas, say when it counts: [B] an
 * input that is there, [Y1] an output, [G1] something flows into it, [dB] its gradient is wanted,
 * any other name: it has been given; [A:1] an input of that rank; [@axes] an attribute that is
 * neither zero nor empty; [@mode=edge] one with that text; [@seed?] one that is there.  A ! in
 * front means the opposite.  A statement for a gradient that nobody wants does not count.
 *
 * Words in small letters are those of derive_words.c: made of text as well, or of C where the
 * number of dims says what is to be made.
 */
#ifndef QN_ENGINE_PASSES_DERIVE_H
#define QN_ENGINE_PASSES_DERIVE_H

#include "engine/passes/build.h"

/* How gradients flow back through one operator of ai.onnx. */
typedef struct QnDerivative {
    const char *op;
    const char *text;
    bool broadcasts; /* gradients are summed over what the input was repeated along */
    bool is_each;    /* the text is for each of any number of inputs */
} QnDerivative;

/* The families, derive_<family>.c: arrays that end with a NULL op. */
extern const QnDerivative qn_derivatives_elementwise[], qn_derivatives_move[],
    qn_derivatives_network[], qn_derivatives_reduce[], qn_derivatives_unary[];

extern const QnDerivative *const qn_derivative_families[];
extern const int qn_derivative_family_count;

/* The rule of a node's operator; NULL: it has none. */
const QnDerivative *qn_derivative_find(const QnNode *node);

/* A name of a text and what it stands for. */
typedef struct QnDeriveName {
    const char *text;
    int size;
    QnIrValue *value;
} QnDeriveName;

enum { QN_DERIVE_NAMES = 48, QN_DERIVE_ARGUMENTS = 8 };

/* One node at work.  The caller fills in what stands above the line. */
typedef struct QnDerive {
    QnBuild build; /* in front of what new nodes go; the first failure sticks */
    QnNode *node;  /* the one that is differentiated */
    const QnDerivative *rule;
    QnIrValue **gradients; /* [gradient_count] what flows into the outputs; NULL: nothing */
    int gradient_count;    /* outputs that the node had before */
    const bool *wanted;    /* [input_count] */
    QnIrValue **results;   /* [input_count] out: what flows into the inputs; NULL: nothing */
    bool *is_read;         /* [gradient_count] out: gradients that the rule asked for */
    bool *is_said;         /* [input_count] out: inputs that it spoke of */
    /* ---- */
    int input;      /* in a rule for each input: the one at work */
    const char *at; /* the text from here on */
    QnDeriveName names[QN_DERIVE_NAMES];
    int name_count, frame; /* names before the frame are those of callers */
} QnDerive;

/* Runs the rule.  The status is also that of d->build. */
QnStatus qn_derive(QnDerive *d);

/* ---- what words are made of ---- */

/* A word in small letters; arguments are never numbers, NULL: absent. */
typedef struct QnDeriveWord {
    const char *name;
    QnIrValue *(*make)(QnDerive *d, QnIrValue *const *arguments);
    const char *parameters; /* of a text: "i g a" */
    const char *text;       /* whose last statement is for `result` */
} QnDeriveWord;

/* All of them; ends with a NULL name. */
extern const QnDeriveWord qn_derive_words[];

/* The ones of derive_window.c: gradients of convolution and pooling. */
QnIrValue *qn_derive_unconvolved(QnDerive *d, QnIrValue *const *arguments);
QnIrValue *qn_derive_kernel(QnDerive *d, QnIrValue *const *arguments);
QnIrValue *qn_derive_spread(QnDerive *d, QnIrValue *const *arguments);

/* That of derive_einsum.c. */
QnIrValue *qn_derive_contracted(QnDerive *d, QnIrValue *const *arguments);

/* g summed over what a value of a's shape was repeated along to become it: derive_sum.c. */
QnIrValue *qn_derive_sum_to(QnDerive *d, QnIrValue *g, QnIrValue *a);

/* Resolves and infers what was made; returns its first output. */
QnIrValue *qn_derive_settle(QnDerive *d, QnIrValue *made);

/* A node without attributes, settled; from listed values. */
QnIrValue *qn_derive_call(QnDerive *d, const char *op, QnIrValue *const *inputs, int count);
#define QN_DERIVE(d, op, ...)                               \
    qn_derive_call((d), (op), (QnIrValue *[]){__VA_ARGS__}, \
                   (int)QN_COUNT_OF(((QnIrValue *[]){__VA_ARGS__})))

/* A vector of int64. */
QnIrValue *qn_derive_vector(QnDerive *d, const int64_t *values, int count);

/* The rank of a value; where it is not known, or anything failed before, that fails and is -1. */
int qn_derive_rank(QnDerive *d, const QnIrValue *value);

/* Fails with a sentence behind the name of the node; returns NULL. */
void *qn_derive_fail(QnDerive *d, const char *format, ...) QN_PRINTF(2, 3);

/* A tensor of floating-point numbers, through which gradients flow? */
bool qn_derive_is_smooth(const QnIrValue *value);

#endif
