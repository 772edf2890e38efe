/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reading the text of a derivative is made of; the language is in derive.h.
 *
 * The texts are constants of the program, so what is wrong in one is a bug.  After a failure they
 * are read on, with NULL for values.
 */
#ifndef QN_ENGINE_PASSES_DERIVE_TEXT_H
#define QN_ENGINE_PASSES_DERIVE_TEXT_H

#include "engine/passes/derive.h"

/* Letters, digits and '_' in the text. */
typedef struct QnDeriveToken {
    const char *text;
    int size;
} QnDeriveToken;

/* A token as a text of its own: a name of an operator, an attribute, or a value of one. */
typedef struct QnDeriveSpelled {
    char text[32];
} QnDeriveSpelled;

/* A value, or a number whose type depends on what it meets. */
typedef struct QnDeriveTerm {
    QnIrValue *value; /* NULL: absent, or there was a failure */
    double number;
    bool is_number;
} QnDeriveTerm;

/* ---- characters and words ---- */

/* Goes past blanks, and c if it is next; was it? */
bool qn_derive_take(QnDerive *d, char c);

/* Is there another item of a list before its closing character?  Goes past that, or past the comma
 * in front of the item; *count is the number of items so far. */
bool qn_derive_more(QnDerive *d, char closer, int *count);

QnDeriveToken qn_derive_read_word(QnDerive *d);
bool qn_derive_is(QnDeriveToken word, const char *text);
QnDeriveSpelled qn_derive_spell(QnDeriveToken word);
QnDeriveSpelled qn_derive_read_spelled(QnDerive *d);

/* ---- names ---- */

/* A name that was given in this frame, or NULL; gives one, also again. */
QnDeriveName *qn_derive_find_name(QnDerive *d, QnDeriveToken word);
void qn_derive_give_name(QnDerive *d, QnDeriveToken word, QnIrValue *value);

/* The number in "Y1", 0 in "Y"; -1 where the word is another. */
int qn_derive_index_behind(QnDeriveToken word, char letter);

/* The input that a capital letter stands for; -1: it is none. */
int qn_derive_input_of(const QnDerive *d, QnDeriveToken word);

/* What flows into output i, zeros where nothing does. */
QnIrValue *qn_derive_gradient(QnDerive *d, int i);

/* What a name stands for; NULL: an absent input. */
QnIrValue *qn_derive_look_up(QnDerive *d, QnDeriveToken word);

/* ---- numbers and attributes ---- */

/* A term as a value, next to one that says the type; NULL: what flows does. */
QnIrValue *qn_derive_value_of(QnDerive *d, QnDeriveTerm term, const QnIrValue *next);

const QnOpAttribute *qn_derive_find_row(const QnOp *op, const char *name);

/* From behind '@' on: a number, or a vector. */
QnDeriveTerm qn_derive_read_attribute(QnDerive *d);
double qn_derive_read_number(QnDerive *d);

/* "1, @axis]" from behind the bracket on; the count, at most QN_DERIVE_ARGUMENTS. */
int qn_derive_read_list(QnDerive *d, int64_t *list);

#endif
