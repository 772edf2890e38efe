/* SPDX-License-Identifier: Apache-2.0 */
/* Upper and lower case of UTF-8 text. */
#include "base/letter_case.h"

#include "tests/support/test.h"

TEST(each_character_becomes_its_simple_mapping)
{
    static const struct {
        const char *text, *lower, *upper;
    } rows[] = {
        {"", "", ""},
        {"Hello, World 1", "hello, world 1", "HELLO, WORLD 1"},
        {"Straße", "straße", "STRAßE"},           /* ß has no single upper-case character */
        {"ÀÉÎõü", "àéîõü", "ÀÉÎÕÜ"},              /* Latin */
        {"Ÿ ÿ", "ÿ ÿ", "Ÿ Ÿ"},                    /* pairs that lie far apart */
        {"Ārēč", "ārēč", "ĀRĒČ"},                 /* runs of two */
        {"Ωμέγα", "ωμέγα", "ΩΜΈΓΑ"},              /* Greek, with accents */
        {"Жизнь ѐЀ", "жизнь ѐѐ", "ЖИЗНЬ ЀЀ"},     /* Cyrillic */
        {"\xe2\x84\xaa", "k", "\xe2\x84\xaa"},    /* the sign for kelvin becomes shorter */
        {"\xc8\xba", "\xe2\xb1\xa5", "\xc8\xba"}, /* and this one longer */
        {"𐐀", "𐐨", "𐐀"},                          /* past 16 bits */
        {"İ", "i", "İ"},       /* where all of Unicode's mapping is two characters: */
        {"ᾳ ᾀ", "ᾳ ᾀ", "ᾼ ᾈ"}, /* the simple one */
        {"漢字 🙂", "漢字 🙂", "漢字 🙂"}, /* no case */
        {"A\xff\xc3", "a\xff\xc3", "A\xff\xc3"},       /* no UTF-8: as it is */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char to[64];
        size_t size = qn_letter_case(to, rows[i].text, strlen(rows[i].text), false);
        EXPECT(t, size == strlen(rows[i].lower) && !memcmp(to, rows[i].lower, size),
               "'%s' gave '%.*s'", rows[i].text, (int)size, to);
        size = qn_letter_case(to, rows[i].text, strlen(rows[i].text), true);
        EXPECT(t, size == strlen(rows[i].upper) && !memcmp(to, rows[i].upper, size),
               "'%s' gave '%.*s'", rows[i].text, (int)size, to);
    }
}

/* The promise that to[2 * size] is enough. */
TEST(no_mapping_doubles_the_size)
{
    for (uint32_t code_point = 0x80; code_point < 0x110000; code_point++) {
        const uint32_t lower = qn_letter_lower(code_point), upper = qn_letter_upper(code_point);
        const int size = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
        EXPECT(t, lower < 0x110000 && upper < 0x110000, "U+%x gave no character", code_point);
        EXPECT(t, size > 2 || (lower < 0x10000 && upper < 0x10000), "U+%x grows", code_point);
    }
}

TEST_MAIN(CASE(each_character_becomes_its_simple_mapping), CASE(no_mapping_doubles_the_size))
