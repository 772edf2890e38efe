/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions in the syntax of RE2, matched against whole texts or at a place in them.
 *
 * PCRE2 does the work, where the build found it.  What it understands otherwise than RE2 is
 * translated or refused (regex_syntax.c): look-around, back-references, possessive repetition,
 * conditions, recursion.  It walks all alternatives at once and never goes back in the text, so
 * that no pattern takes exponential time.  Different from RE2: \C is refused, repetitions of one
 * character class may be as large as PCRE2 allows (65,535, not 1,000), and patterns that compile to
 * more than 64 KiB are refused.
 */
#ifndef QN_BASE_REGEX_H
#define QN_BASE_REGEX_H

#include "base/arena.h"

typedef struct QnRegex QnRegex;

/*
 * Compiles a pattern; the result lives as long as the arena and serves any number of threads.
 * QN_BAD_ARGUMENT where the pattern is wrong, with the place; QN_UNSUPPORTED where this build or
 * machine has no PCRE2.
 */
QnStatus qn_regex_compile(QnRegex **out, QnBytes pattern, QnArena *arena, QnError *err);

/*
 * Does the pattern match the whole text?  Text that is no UTF-8 never matches.  `scratch` holds
 * what the search needs.  QN_UNSUPPORTED where it would take more states than are allowed.
 */
QnStatus qn_regex_match(const QnRegex *regex, QnBytes text, QnArena *scratch, bool *out,
                        QnError *err);

/*
 * How long is the longest match that begins at byte `at`?  0: none, or only an empty one.  The text
 * must be UTF-8, and a character begin there.  Else as above.
 */
QnStatus qn_regex_match_at(const QnRegex *regex, QnBytes text, size_t at, QnArena *scratch,
                           size_t *size, QnError *err);

/* "PCRE2 10.42", and the file it is in; NULL: this build has none. */
const char *qn_regex_version(const char **file);

/* A pattern of RE2 as one of PCRE2, in the arena.  QN_BAD_ARGUMENT as above.  In regex_syntax.c. */
QnStatus qn_regex_translate(QnBytes *out, QnBytes pattern, QnArena *arena, QnError *err);

#endif
