/* SPDX-License-Identifier: Apache-2.0 */
/* What counts as a character, at the corners of RFC 3629. */
#include "base/utf8.h"

#include "tests/support/test.h"

/* The corners of RFC 3629, section 4. */
TEST(the_first_character_is_measured)
{
    static const struct {
        const char *text;
        int size;
    } rows[] = {
        {"", 0},
        {"a", 1},
        {"\x7f", 1},
        {"\xc2\x80", 2},
        {"\xdf\xbf", 2},
        {"\xe0\xa0\x80", 3},
        {"\xed\x9f\xbf", 3},
        {"\xee\x80\x80", 3},
        {"\xef\xbf\xbf", 3},
        {"\xf0\x90\x80\x80", 4},
        {"\xf4\x8f\xbf\xbf", 4},
        {"\x80", 0},             /* a continuation alone */
        {"\xc0\x80", 0},         /* overlong */
        {"\xc1\xbf", 0},         /* overlong */
        {"\xe0\x9f\xbf", 0},     /* overlong */
        {"\xf0\x8f\xbf\xbf", 0}, /* overlong */
        {"\xed\xa0\x80", 0},     /* a surrogate */
        {"\xf4\x90\x80\x80", 0}, /* past U+10FFFF */
        {"\xf5\x80\x80\x80", 0}, /* past U+10FFFF */
        {"\xc2", 0},
        {"\xe1\x80", 0},
        {"\xf1\x80\x80", 0}, /* cut off */
        {"\xe1\x80z", 0},
        {"\xf1\x80z\x80", 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int size = qn_utf8_size(qn_bytes_of_text(rows[i].text));
        EXPECT(t, size == rows[i].size, "row %zu gave %d, not %d", i, size, rows[i].size);
    }
}

TEST(every_code_point_is_written_and_read)
{
    for (uint32_t point = 0; point <= 0x10ffff; point++) {
        char bytes[4];
        const int size = qn_utf8_put(bytes, point);
        const bool is_surrogate = point >= 0xd800 && point <= 0xdfff;
        const int want = is_surrogate ? 0 : size;
        const int got = qn_utf8_size(qn_bytes(bytes, (size_t)size));
        EXPECT(t, got == want, "U+%X: %d, not %d", point, got, want);
    }
}

TEST(a_wrong_byte_is_found_anywhere)
{
    char text[41];
    memset(text, 'a', sizeof text);
    EXPECT(t, qn_utf8_is_valid(qn_bytes(text, sizeof text)), "plain ASCII");
    EXPECT(t, qn_utf8_is_valid(qn_bytes(NULL, 0)), "nothing");
    for (size_t i = 0; i < sizeof text; i++) {
        text[i] = (char)0xff;
        EXPECT(t, !qn_utf8_is_valid(qn_bytes(text, sizeof text)), "0xff at %zu", i);
        text[i] = 'a';
    }
}

TEST_MAIN(CASE(the_first_character_is_measured), CASE(every_code_point_is_written_and_read),
          CASE(a_wrong_byte_is_found_anywhere))
