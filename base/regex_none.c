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

const char *qn_regex_version(const char **file)
{
    *file = NULL;
    return NULL;
}
