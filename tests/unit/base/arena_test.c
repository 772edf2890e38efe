/* SPDX-License-Identifier: Apache-2.0 */
/* What an arena promises: zeroed and aligned pieces,
 * a limit that holds, blocks that a reset keeps. */
#include "base/arena.h"

#include <stdint.h>

#include "tests/support/test.h"

TEST(pieces_are_zeroed_and_aligned)
{
    QnArena arena = {0};
    for (size_t size = 0; size < 300; size++) {
        unsigned char *data = qn_arena_alloc(&arena, size);
        REQUIRE(t, data, "size %zu", size);
        EXPECT(t, (uintptr_t)data % 16 == 0, "size %zu at %p", size, (void *)data);
        for (size_t i = 0; i < size; i++)
            EXPECT(t, data[i] == 0, "byte %zu of %zu", i, size);
        memset(data, 0xff, size);
    }
    void *wide = qn_arena_alloc_raw(&arena, 10, 4096);
    EXPECT(t, wide && (uintptr_t)wide % 4096 == 0, "at %p", wide);
    qn_arena_finish(&arena);
}

TEST(large_pieces_get_a_block_of_their_own)
{
    QnArena arena = {0};
    char *data = qn_arena_alloc(&arena, 5 << 20);
    REQUIRE(t, data, "no memory");
    data[(5 << 20) - 1] = 1;
    EXPECT(t, arena.block_bytes >= 5 << 20, "%zu bytes", arena.block_bytes);
    qn_arena_finish(&arena);
    EXPECT(t, arena.block_bytes == 0, "%zu bytes", arena.block_bytes);
}

TEST(sizes_that_wrap_are_refused)
{
    QnArena arena = {0};
    EXPECT(t, !qn_arena_alloc_raw(&arena, SIZE_MAX, 16), "a size of SIZE_MAX was given");
    EXPECT(t, !qn_arena_array(&arena, SIZE_MAX / 2, 3), "a product past SIZE_MAX was given");
    qn_arena_finish(&arena);
}

TEST(the_limit_bounds_what_is_given)
{
    QnArena arena = {.limit_bytes = 1000};
    EXPECT(t, qn_arena_alloc(&arena, 900), "900 of 1000");
    EXPECT(t, !qn_arena_alloc(&arena, 101), "1001 of 1000");
    EXPECT(t, qn_arena_alloc(&arena, 100), "1000 of 1000");
    qn_arena_finish(&arena);
}

TEST(reset_keeps_the_blocks)
{
    QnArena arena = {0};
    for (int i = 0; i < 1000; i++)
        qn_arena_alloc(&arena, 100);
    const size_t held = arena.block_bytes;
    qn_arena_reset(&arena);
    for (int i = 0; i < 1000; i++)
        qn_arena_alloc(&arena, 100);
    EXPECT(t, arena.block_bytes == held, "%zu bytes, then %zu", held, arena.block_bytes);
    qn_arena_finish(&arena);
}

TEST(text_is_copied_and_formatted)
{
    QnArena arena = {0};
    EXPECT(t, !strcmp(qn_arena_copy_text(&arena, "abcdef", 3), "abc"), "not abc");
    EXPECT(t, !strcmp(qn_arena_printf(&arena, "%d-%s", 12, "x"), "12-x"), "not 12-x");
    qn_arena_finish(&arena);
}

TEST_MAIN(CASE(pieces_are_zeroed_and_aligned), CASE(large_pieces_get_a_block_of_their_own),
          CASE(sizes_that_wrap_are_refused), CASE(the_limit_bounds_what_is_given),
          CASE(reset_keeps_the_blocks), CASE(text_is_copied_and_formatted))
