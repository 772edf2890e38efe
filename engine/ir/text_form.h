/* SPDX-License-Identifier: Apache-2.0 */
/* What printing and parsing of modules share:
 * words, the forms of elements, the cursor of the parser. */
#ifndef QN_ENGINE_IR_TEXT_FORM_H
#define QN_ENGINE_IR_TEXT_FORM_H

#include "engine/ir/graph.h"
#include "engine/ir/scope.h"

/* How the numbers of an element type are written. */
typedef enum QnFormKind {
    QN_FORM_NONE,
    QN_FORM_FLOAT,
    QN_FORM_DOUBLE,
    QN_FORM_SIGNED,
    QN_FORM_UNSIGNED,
    QN_FORM_BITS,
    QN_FORM_STRING
} QnFormKind;

typedef struct QnElementForm {
    QnFormKind kind;
    size_t size; /* bytes of one number */
    int lanes;   /* numbers of one element: 2 for complex ones */
} QnElementForm;

extern const QnElementForm qn_element_forms[QN_TYPE_COUNT];

/* What an empty list of an attribute kind is called, "floats"; "" for integers. */
extern const char *const qn_list_words[QN_ATTRIBUTE_TYPE + 1];

/* Short names of domains; ends with {NULL}. */
extern const struct QnDomainWord {
    const char *word, *domain;
} qn_domain_words[];

/* The number in the low `size` bytes. */
int64_t qn_sign_extend(uint64_t bits, size_t size);

/* Need these not be quoted?  A word: a letter, then letters, digits, and "_./-"; behind a "%" also
 * digits in front, but not only digits. */
bool qn_text_is_word(const char *text, size_t size);
bool qn_text_is_value_word(const char *text, size_t size);
bool qn_text_is_word_part(char c);

/* Where the parser is. */
typedef struct QnTextCursor {
    const char *start, *at, *end;
    QnModule *module;
    QnArena *scratch; /* lists and names on the way */
    QnScope scope;    /* the values that are visible */
    int depth;        /* of nested graphs and types */
    QnError *err;
} QnTextCursor;

/* Fails with "line 3: expected <expected>, found '...'". */
QnStatus qn_text_fail(const QnTextCursor *in, const char *expected);

/* Fails with "line 3: <format>". */
QnStatus qn_text_fail_with(const QnTextCursor *in, const char *format, ...) QN_PRINTF(2, 3);

void qn_text_skip(QnTextCursor *in);       /* white space and comments */
char qn_text_peek(const QnTextCursor *in); /* the next character behind them; 0 at the end */
bool qn_text_accept(QnTextCursor *in, char c);
QnStatus qn_text_expect(QnTextCursor *in, char c);

/* Takes the word `word` if it comes next. */
bool qn_text_accept_word(QnTextCursor *in, const char *word);

/* A word, or a quoted string; terminated copies in scratch memory.  `what` is for messages. */
QnStatus qn_text_word(QnTextCursor *in, const char **out, const char *what);
QnStatus qn_text_quoted(QnTextCursor *in, QnString *out);

/* parse_data.c */
QnStatus qn_parse_type(QnTextCursor *in, QnIrType *out);
QnStatus qn_parse_elements(QnTextCursor *in, QnTensor *out, const QnIrType *type);
QnStatus qn_parse_attribute(QnTextCursor *in, QnAttribute *out);

/* parse.c: behind the word "graph" */
QnStatus qn_parse_graph(QnTextCursor *in, QnGraph *graph);

#endif
