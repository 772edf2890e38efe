/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include "tests/support/test.h"

/* The test vectors of RFC 4648, section 10, and bytes that use the last letters. */
TEST(bytes_are_printed_and_parsed)
{
    static const struct {
        const char *bytes, *text;
    } rows[] = {{"", ""},
                {"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"foobar", "Zm9vYmFy"},
                {"\xfb\xff\xbf", "+/+/"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        QnArena arena = {0};
        QnText text = qn_text(NULL);
        QnBytes back;
        bool no_memory;
        qn_base64_print(&text, qn_bytes_of_text(rows[i].bytes));
        EXPECT(t, !strcmp(qn_text_string(&text), rows[i].text), "%s", qn_text_string(&text));
        EXPECT(t,
               qn_base64_parse(&back, qn_bytes_of_text(rows[i].text), &arena, &no_memory) &&
                   qn_bytes_is(back, rows[i].bytes),
               "row %zu", i);
        qn_text_finish(&text);
        qn_arena_finish(&arena);
    }
}

TEST(what_is_no_base64_is_refused)
{
    static const char *const rows[] = {
        "Z", "Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9 ", "Zm9v\n", "Zh==", "Zm9=", "-_-_"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        QnArena arena = {0};
        QnBytes back;
        bool no_memory;
        EXPECT(t,
               !qn_base64_parse(&back, qn_bytes_of_text(rows[i]), &arena, &no_memory) && !no_memory,
               "%s", rows[i]);
        qn_arena_finish(&arena);
    }
}

TEST_MAIN(CASE(bytes_are_printed_and_parsed), CASE(what_is_no_base64_is_refused))
