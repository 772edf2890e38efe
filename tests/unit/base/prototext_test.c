/* SPDX-License-Identifier: Apache-2.0 */
#include "base/prototext.h"

#include "tests/support/sample_message.h"
#include "tests/support/test.h"

/* A text parsed and printed, or all findings, one a line. */
static const char *reprint(QnBytes text)
{
    static char result[4000];
    QnArena arena = {0};
    QnReport report = qn_report(&arena);
    QnText out = qn_text(NULL);
    QnError err;
    Sample sample;
    qn_message_init(&sample, &sample_message);
    if (qn_prototext_parse(&sample, &sample_message, text, "f", &arena, &report, &err) == QN_OK) {
        qn_prototext_print(&out, &sample_message, &sample);
    } else {
        for (const QnFinding *finding = report.first; finding; finding = finding->next) {
            char line[600];
            qn_finding_print(finding, line, sizeof line);
            qn_text_printf(&out, "%s\n", line);
        }
    }
    snprintf(result, sizeof result, "%s", qn_text_string(&out));
    qn_text_finish(&out);
    qn_arena_finish(&arena);
    return result;
}

TEST(the_whole_sample_is_kept)
{
    const char *got = reprint(qn_bytes_of_text(sample_text));
    EXPECT(t, !strcmp(got, sample_text), "%s", got);
}

/* copies: 1 is always there and left out here. */
TEST(all_ways_to_write_a_value_are_read)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", ""},
        {"# only a comment", ""},
        {"count:3", "count: 3\n"},
        {"count : 3;", "count: 3\n"},
        {"count: 3, total: - 4", "count: 3\ntotal: -4\n"},
        {"count: 0x1F", "count: 31\n"},
        {"count: 017", "count: 15\n"},
        {"total: -0x8000000000000000", "total: -9223372036854775808\n"},
        {"is_on: t", "is_on: true\n"},
        {"is_on: True", "is_on: true\n"},
        {"is_on: 1", "is_on: true\n"},
        {"share: 1.5f", "share: 1.5\n"},
        {"share: .5", "share: 0.5\n"},
        {"share: -1e-3F", "share: -0.001\n"},
        {"share: inf", "share: inf\n"},
        {"exact: -Infinity", "exact: -inf\n"},
        {"exact: nan", "exact: nan\n"},
        {"exact: 16777217", "exact: 16777217\n"},
        {"share: 16777217", "share: 16777216\n"},
        {"color: GREEN", "color: GREEN\n"},
        {"color: -2", "color: BLUE\n"},
        {"name: 'single' \"double\"\n 'three'", "name: \"singledoublethree\"\n"},
        {"name: '\\n\\t\\r\\\\\\'\\\"'", "name: \"\\n\\t\\r\\\\'\\\"\"\n"},
        {"name: '\\x41\\102\\u00e9\\U0001d11e'", "name: \"AB\xc3\xa9\xf0\x9d\x84\x9e\"\n"},
        {"data: '\\xff\\0\\a'", "data: \"\\377\\000\\007\"\n"},
        {"name: \"# no comment\"", "name: \"# no comment\"\n"},
        {"dims: 1 dims: 2 dims: [3, 4] dims: []", "dims: [ 1, 2, 3, 4 ]\n"},
        {"child { count: 1 copies: 0 }", "child {\n  count: 1\n  copies: 0\n}\n"},
        {"child: { count: 1 copies: 0 }", "child {\n  count: 1\n  copies: 0\n}\n"},
        {"child < count: 1 copies: 0 >", "child {\n  count: 1\n  copies: 0\n}\n"},
        {"parts [ { copies: 0 }, < copies: 2 > ]",
         "parts {\n  copies: 0\n}\nparts {\n  copies: 2\n}\n"},
        {"tags { key: 'a' value: '1' } tags { key: 'a' value: '2' }",
         "tags {\n  key: \"a\"\n  value: \"2\"\n}\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char want[400];
        snprintf(want, sizeof want, "%scopies: 1\n", rows[i].want);
        const char *got = reprint(qn_bytes_of_text(rows[i].text));
        EXPECT(t, !strcmp(got, want), "%s gave %s", rows[i].text, got);
    }
}

TEST(faults_are_found_with_their_line)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"cuont: 1", "f: line 1: Sample has no field 'cuont'; did you mean 'count'?\n"},
        {"\n\nzzz { a: [ 1, { } ] }\ncuont: 'x' 'y'\n size: 1",
         "f: line 3: Sample has no field 'zzz'\n"
         "f: line 4: Sample has no field 'cuont'; did you mean 'count'?\n"},
        {"zzz: -5 count: 1 zz: -inf",
         "f: line 1: Sample has no field 'zzz'\nf: line 1: Sample has no field 'zz'\n"},
        {"count: 2147483648",
         "f: line 1: count: '2147483648', expected an integer, -2147483648 to 2147483647\n"},
        {"size: -1", "f: line 1: size: minus '1', expected an integer, 0 to 4294967295\n"},
        {"count: 1.5", "f: line 1: count: '1.5', expected an integer, -2147483648 to 2147483647\n"},
        {"count: 089", "f: line 1: count: '089', expected an integer, -2147483648 to 2147483647\n"},
        {"count: three\nis_on: yes",
         "f: line 1: count: 'three', expected an integer, -2147483648 to 2147483647\n"
         "f: line 2: is_on: 'yes', expected true or false\n"},
        {"share: x", "f: line 1: share: 'x', expected a number\n"},
        {"color: BLEU",
         "f: line 1: color: 'BLEU', expected a value of Color; did you mean 'BLUE'?\n"},
        {"color: 7", "f: line 1: color: '7', expected a value of Color\n"},
        {"count: 1 count: 2", "f: line 1: count: the field stands here again, expected it once\n"},
        {"number_choice: 1\ntext_choice: ''",
         "f: line 2: text_choice: another member of 'choice' is set already\n"},
        {"name: '\\xff'", "f: line 1: name: a text that is not UTF-8 or holds a zero character\n"},
        {"name: '\\400' count: x",
         "f: line 1: name: an escape that is not valid\n"
         "f: line 1: count: 'x', expected an integer, -2147483648 to 2147483647\n"},
        /* what is not well-formed ends the reading */
        {"name: 'open\ncount: x", "f: line 1: name: ''open', expected a string in quotes\n"},
        {"name: 5", "f: line 1: name: '5', expected a string in quotes\n"},
        {"count 5", "f: line 1: count: '5', expected ':'\n"},
        {"count:", "f: line 1: count: the end, expected an integer, -2147483648 to 2147483647\n"},
        {"child { count: 1", "f: line 1: the end, expected a field or '}'\n"},
        {"child { >", "f: line 1: '>', expected a field or '}'\n"},
        {"child < }", "f: line 1: '}', expected a field or '>'\n"},
        {"child: 5", "f: line 1: child: '5', expected '{'\n"},
        {"dims: [1 2]", "f: line 1: dims: '2', expected ',' or ']'\n"},
        {"dims: [1,]",
         "f: line 1: dims: ']', expected an integer, -9223372036854775808 to 9223372036854775807\n"},
        {"}", "f: line 1: '}', expected a field\n"},
        {"[ext.name]: 1", "f: line 1: '[', expected a field\n"},
        {"zzz: {", "f: line 1: Sample has no field 'zzz'\nf: line 1: the end, expected a value\n"},
        {"\x1b", "f: line 1: '?', expected a field\n"},
        {"child [[ ]]", "f: line 1: child: '[', expected '{'\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = reprint(qn_bytes_of_text(rows[i].text));
        EXPECT(t, !strcmp(got, rows[i].want), "%s gave %s", rows[i].text, got);
    }
}

TEST(the_error_tells_the_first_and_counts_the_rest)
{
    QnArena arena = {0};
    QnError err;
    Sample sample;
    qn_message_init(&sample, &sample_message);
    const QnBytes text = qn_bytes_of_text("cuont: 1 siez: 2 count: x");
    EXPECT(t,
           qn_prototext_parse(&sample, &sample_message, text, "f", &arena, NULL, &err) ==
               QN_BAD_MODEL,
           "status");
    EXPECT(t,
           !strcmp(err.message,
                   "f: line 1: Sample has no field 'cuont'; did you mean 'count'? (and 2 more)"),
           "%s", err.message);
    qn_arena_finish(&arena);
}

TEST(nesting_is_limited)
{
    enum { DEEP = 100000 };
    char *text = malloc(7 * DEEP);
    REQUIRE(t, text, "no memory");
    for (int i = 0; i < DEEP; i++)
        memcpy(text + 7 * i, "child {", 7);
    const char *got = reprint(qn_bytes(text, 7 * DEEP));
    EXPECT(t, strstr(got, "expected messages nested at most 100 deep"), "%s", got);
    for (int i = 0; i < DEEP; i++)
        memcpy(text + 7 * i, "zhild {", 7);
    got = reprint(qn_bytes(text, 7 * DEEP));
    EXPECT(t,
           strstr(got, "Sample has no field 'zhild'") && strstr(got, "the end, expected a value"),
           "%s", got);
    free(text);
}

TEST(truncations_and_flipped_bits_do_no_harm)
{
    const size_t size = sizeof sample_text - 1;
    for (size_t bit = 0; bit < 9 * size; bit++) { /* each bit flipped, then each byte the last */
        const size_t kept = bit < 8 * size ? size : bit - 8 * size;
        char *copy = malloc(kept + !kept);
        memcpy(copy, sample_text, kept);
        if (bit < 8 * size)
            copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
        EXPECT(t, *reprint(qn_bytes(copy, kept)), "bit %zu gave nothing", bit);
        free(copy);
    }
}

TEST_MAIN(CASE(the_whole_sample_is_kept), CASE(all_ways_to_write_a_value_are_read),
          CASE(faults_are_found_with_their_line),
          CASE(the_error_tells_the_first_and_counts_the_rest), CASE(nesting_is_limited),
          CASE(truncations_and_flipped_bits_do_no_harm))
