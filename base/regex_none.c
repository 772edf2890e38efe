/* SPDX-License-Identifier: Apache-2.0 */
/* A build without PCRE2: no regular expressions. */
#include "base/regex.h"

QnStatus qn_regex_compile(QnRegex **out, QnBytes pattern, QnArena *arena, QnError *err)
{
    (void)out;
    (void)pattern;
    (void)arena;
    return qn_fail(err, QN_UNSUPPORTED, "this build has no regular expressions: it lacks PCRE2");
}

QnStatus qn_regex_match(const QnRegex *regex, QnBytes text, QnArena *scratch, bool *out,
                        QnError *err)
{
    (void)regex;
    (void)text;
    (void)scratch;
    (void)out;
    return qn_fail(err, QN_UNSUPPORTED, "this build has no regular expressions: it lacks PCRE2");
}

QnStatus qn_regex_match_at(const QnRegex *regex, QnBytes text, size_t at, QnArena *scratch,
                           size_t *size, QnError *err)
{
    bool unused;
    (void)at;
    (void)size;
    return qn_regex_match(regex, text, scratch, &unused, err);
}

const char *qn_regex_version(const char **file)
{
    *file = NULL;
    return NULL;
}
