/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of RE2's syntax: what they match, what is refused, and that none takes for ever. */
#include "base/regex.h"

#include "tests/support/test.h"

/* "yes", "no", or the failure's message. */
static const char *match(const char *pattern, const char *text)
{
    static char said[1100];
    QnArena arena = {0};
    QnRegex *regex;
    bool is_match = false;
    QnError err;
    QnStatus status = qn_regex_compile(&regex, qn_bytes_of_text(pattern), &arena, &err);
    if (status == QN_OK)
        status = qn_regex_match(regex, qn_bytes_of_text(text), &arena, &is_match, &err);
    snprintf(said, sizeof said, "%s", status != QN_OK ? err.message : is_match ? "yes" : "no");
    qn_arena_finish(&arena);
    return said;
}

static bool is_here(void)
{
    return strcmp(match("a", "a"), "yes") == 0;
}

TEST(the_longest_match_at_a_place_counts)
{
    static const struct {
        const char *pattern, *text;
        size_t at, want;
    } rows[] = {
        {"a|ab", "xab", 1, 2}, {"b", "ab", 0, 0},    {"b*", "abb", 0, 0},     {"b*", "abb", 1, 2},
        {"^b", "ab", 1, 0},    {"\\bb", "ab", 1, 0}, {".", "\xc3\xb1", 0, 2},
    };
    for (size_t i = 0; is_here() && i < QN_COUNT_OF(rows); i++) {
        QnArena arena = {0};
        QnRegex *regex;
        QnError err;
        size_t size = 99;
        QnStatus status = qn_regex_compile(&regex, qn_bytes_of_text(rows[i].pattern), &arena, &err);
        if (status == QN_OK)
            status = qn_regex_match_at(regex, qn_bytes_of_text(rows[i].text), rows[i].at, &arena,
                                       &size, &err);
        EXPECT(t, status == QN_OK && size == rows[i].want, "%s at %zu of %s: %zu", rows[i].pattern,
               rows[i].at, rows[i].text, size);
        qn_arena_finish(&arena);
    }
}

TEST(whole_texts_are_matched_as_re2_would)
{
    static const struct {
        const char *pattern, *text, *want;
    } rows[] = {
        {"", "", "yes"},
        {"", "a", "no"},
        {"a|ab", "ab", "yes"}, /* the longest alternative that fits, not the first */
        {"a*?", "aaa", "yes"},
        {"b", "abc", "no"},
        {"a$", "a\n", "no"}, /* the end is the end, not before a last new line */
        {"(?m)a$\nb", "a\nb", "yes"},
        {".", "\n", "no"},
        {"(?s).", "\n", "yes"},
        {"(?i)straße", "STRASSE", "no"},
        {"(?i)É", "é", "yes"},
        {".", "\xc3\xa9", "yes"},
        {"\\w", "\xc3\xa9", "no"}, /* classes of letters are ASCII's */
        {"\\pL", "\xc3\xa9", "yes"},
        {"\\p{Greek}+", "\xce\xb1\xce\xb2", "yes"},
        {"\\s", "\v", "no"},
        {"[\\s]", "\v", "no"},
        {"\\S", "\v", "yes"},
        {"[\\S]", "\v", "yes"},
        {"\\v", "\v", "yes"},
        {"\\v", "\n", "no"},
        {"[]a]+", "]a", "yes"},
        {"[^]a]", "]", "no"},
        {"[[:alpha:]-]+", "a-b", "yes"},
        {"[[.a.]]", "a", "no"}, /* a class of [ . and a, and a ] */
        {"\\Qa.b\\E+", "a.bb", "yes"},
        {"a{,2}", "a{,2}", "yes"},
        {"a{2}", "aa", "yes"},
        {"^*a", "a", "yes"},
        {"(?P<x>a)(?<y>b)(?i:C)", "abc", "yes"},
        {".*", "\xff", "no"}, /* what is no UTF-8 matches nothing */
        {"\\101\\x42\\x{43}", "ABC", "yes"},
    };
    if (!is_here())
        SKIP(t, "this build has no PCRE2");
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        const char *got = match(rows[i].pattern, rows[i].text);
        EXPECT(t, !strcmp(got, rows[i].want), "'%s' on '%s': %s", rows[i].pattern, rows[i].text,
               got);
    }
}

TEST(what_re2_lacks_is_refused)
{
    static const struct {
        const char *pattern, *want;
    } rows[] = {
        {"(?=a)", "the pattern has a group near its byte 0, which RE2's syntax has not"},
        {"a(?<!b)", "the pattern has a group near its byte 1, which RE2's syntax has not"},
        {"(?>a)", "the pattern has a group near its byte 0, which RE2's syntax has not"},
        {"(?R)", "the pattern has a group near its byte 0, which RE2's syntax has not"},
        {"(a)\\1", "the pattern has an escape near its byte 3, which RE2's syntax has not"},
        {"\\K", "the pattern has an escape near its byte 0, which RE2's syntax has not"},
        {"\\C", "the pattern has an escape near its byte 0, which RE2's syntax has not"},
        {"[\\b]", "the pattern has an escape near its byte 1, which RE2's syntax has not"},
        {"(*ACCEPT)",
         "the pattern has a repetition of nothing near its byte 0, which RE2's syntax has not"},
        {"a*+",
         "the pattern has a repetition of a repetition near its byte 2, which RE2's syntax has "
         "not"},
        {"a**",
         "the pattern has a repetition of a repetition near its byte 2, which RE2's syntax has "
         "not"},
        {"(a", "the pattern is wrong near its byte 2: missing closing parenthesis"},
        {"*", "the pattern is wrong near its byte 0: quantifier does not follow a repeatable item"},
        {"[a", "the pattern is wrong near its byte 2: missing terminating ] for character class"},
        {"\\", "the pattern is wrong near its byte 1: \\ at end of pattern"},
    };
    if (!is_here())
        SKIP(t, "this build has no PCRE2");
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        const char *got = match(rows[i].pattern, "a");
        EXPECT(t, !strcmp(got, rows[i].want), "'%s': %s", rows[i].pattern, got);
    }
}

/* Engines that try one alternative after the other need 2^40 steps for these. */
TEST(no_pattern_takes_exponential_time)
{
    static const char *const patterns[] = {"(a+)+b", "(a|aa)+b", "(a*)*b", "(.*)(.*)(.*)(.*)(.*)b",
                                           "(?:a?){30}a{30}b"};
    if (!is_here())
        SKIP(t, "this build has no PCRE2");
    for (size_t i = 0; i < QN_COUNT_OF(patterns); i++) {
        const char *got = match(patterns[i], "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
        EXPECT(t, !strcmp(got, "no"), "%s: %s", patterns[i], got);
    }
}

TEST_MAIN(CASE(the_longest_match_at_a_place_counts), CASE(whole_texts_are_matched_as_re2_would),
          CASE(what_re2_lacks_is_refused), CASE(no_pattern_takes_exponential_time))
