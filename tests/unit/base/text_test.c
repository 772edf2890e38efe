/* SPDX-License-Identifier: Apache-2.0 */
/* What growing texts promise: always terminated, and a failure that sticks. */
#include "base/text.h"

#include "tests/support/test.h"

TEST(text_grows_and_is_terminated)
{
    QnText text = qn_text(NULL);
    EXPECT(t, !strcmp(qn_text_string(&text), ""), "not empty");
    qn_text_puts(&text, "one ");
    qn_text_printf(&text, "%d", 2);
    qn_text_putc(&text, ' ');
    qn_text_put(&text, "three and more", 5);
    EXPECT(t, !strcmp(qn_text_string(&text), "one 2 three"), "%s", qn_text_string(&text));
    for (int i = 0; i < 10000; i++)
        qn_text_printf(&text, "%d,", i);
    EXPECT(t, !text.failed && text.size == strlen(text.data), "%zu", text.size);
    char *room = qn_text_reserve(&text, 3);
    REQUIRE(t, room, "no memory");
    memcpy(room, "end", 3);
    text.size += 3;
    EXPECT(t, !strcmp(text.data + text.size - 8, "9999,end"), "%s", text.data + text.size - 8);
    qn_text_finish(&text);
    EXPECT(t, !text.data && text.size == 0, "not empty after finish");
}

/* An allocator that gives only so many bytes. */
static void *give(void *user, size_t size, size_t alignment)
{
    size_t *left = user;
    if (size > *left)
        return NULL;
    *left -= size;
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void take(void *user, void *data, size_t size)
{
    *(size_t *)user += size;
    free(data);
}

TEST(a_failed_allocation_sticks)
{
    size_t left = 1000;
    const QnAllocator allocator = {&left, give, take};
    QnText text = qn_text(&allocator);
    for (int i = 0; i < 1000; i++)
        qn_text_puts(&text, "abc");
    EXPECT(t, text.failed, "%zu bytes", text.size);
    const size_t size = text.size;
    qn_text_putc(&text, 'x');
    EXPECT(t, text.size == size && strlen(text.data) == size, "written after a failure");
    qn_text_finish(&text);
    EXPECT(t, left == 1000, "%zu of 1000 bytes came back", left);
    EXPECT(t, !qn_text_reserve(&text, SIZE_MAX) && text.failed, "a size that wraps was given");
}

TEST(integers_are_read_to_the_limits_of_their_type)
{
    static const struct {
        const char *text;
        bool is_i64, is_u64;
        int64_t i64;
        uint64_t u64;
    } rows[] = {
        {"0", true, true, 0, 0},
        {"-0", true, false, 0, 0},
        {"+7", true, true, 7, 7},
        {"007", true, true, 7, 7},
        {"9223372036854775807", true, true, INT64_MAX, INT64_MAX},
        {"-9223372036854775808", true, false, INT64_MIN, 0},
        {"9223372036854775808", false, true, 0, UINT64_C(9223372036854775808)},
        {"-9223372036854775809", false, false, 0, 0},
        {"18446744073709551615", false, true, 0, UINT64_MAX},
        {"18446744073709551616", false, false, 0, 0},
        {"99999999999999999999999", false, false, 0, 0},
        {"", false, false, 0, 0},
        {"-", false, false, 0, 0},
        {"+", false, false, 0, 0},
        {"-+1", false, false, 0, 0},
        {"1 ", false, false, 0, 0},
        {" 1", false, false, 0, 0},
        {"1.0", false, false, 0, 0},
        {"0x1", false, false, 0, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t i64 = 0;
        uint64_t u64 = 0;
        const size_t size = strlen(rows[i].text);
        EXPECT(t, qn_parse_i64(&i64, rows[i].text, size) == rows[i].is_i64, "%s as int64",
               rows[i].text);
        EXPECT(t, qn_parse_u64(&u64, rows[i].text, size) == rows[i].is_u64, "%s as uint64",
               rows[i].text);
        EXPECT(t, i64 == rows[i].i64 && u64 == rows[i].u64, "%s gave %lld, %llu", rows[i].text,
               (long long)i64, (unsigned long long)u64);
    }
}

TEST(edits_are_counted)
{
    static const struct {
        const char *a, *b;
        int limit, want;
    } rows[] = {
        {"", "", 3, 0},
        {"a", "", 3, 1},
        {"", "abc", 3, 3},
        {"kitten", "sitting", 9, 3},
        {"kitten", "sitting", 2, 3},
        {"abc", "abc", 0, 0},
        {"abc", "abd", 0, 1},
        {"ab", "ba", 5, 2},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int got = qn_edit_distance(rows[i].a, rows[i].b, rows[i].limit);
        EXPECT(t, got == rows[i].want, "%s to %s: %d", rows[i].a, rows[i].b, got);
    }
    char endless[1000];
    memset(endless, 'a', sizeof endless - 1);
    endless[sizeof endless - 1] = 0;
    EXPECT(t, qn_edit_distance(endless, endless, 4) == 5, "a very long name was compared");
}

TEST(the_nearest_name_is_meant)
{
    static const char *const names[] = {"max_batch_size", "instance_group", "input", "output",
                                        "name"};
    static const struct {
        const char *wanted, *want;
    } rows[] = {
        {"max_batchsize", "max_batch_size"},
        {"imput", "input"},
        {"nam", "name"},
        {"Name", "name"},
        {"xyz", NULL},
        {"", NULL},
        {"q", NULL},
        {"instance_grp", "instance_group"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = qn_did_you_mean(rows[i].wanted, names, 5);
        EXPECT(t, got == rows[i].want || (got && rows[i].want && !strcmp(got, rows[i].want)),
               "%s gave %s", rows[i].wanted, got ? got : "nothing");
    }
}

TEST_MAIN(CASE(text_grows_and_is_terminated), CASE(a_failed_allocation_sticks),
          CASE(integers_are_read_to_the_limits_of_their_type), CASE(edits_are_counted),
          CASE(the_nearest_name_is_meant))
