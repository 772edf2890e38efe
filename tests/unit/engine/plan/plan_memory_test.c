/* SPDX-License-Identifier: Apache-2.0 */
/* Offsets in the slab: nothing that is alive at one time overlaps, and little is wasted. */
#include "engine/plan/memory.h"

#include "base/compiler.h"
#include "tests/support/samples.h"
#include "tests/support/test.h"

enum { MOST = 400 };

/* Plans the blocks; checks what must hold for any.  The slab's size in parts of the lower bound. */
static double plan(Test *t, QnBlock *blocks, int count, const char *what)
{
    int64_t total = -1, bound = -1;
    QnArena scratch = {0};
    EXPECT(t, qn_memory_plan(blocks, count, &total, &bound, &scratch) == QN_OK, "%s", what);
    qn_arena_finish(&scratch);
    EXPECT(t, total >= bound, "%s: %lld bytes under the bound of %lld", what, (long long)total,
           (long long)bound);
    for (int i = 0; i < count; i++) {
        const QnBlock *a = &blocks[i];
        EXPECT(t, a->offset >= 0 && a->offset % 64 == 0 && a->offset + a->size <= total,
               "%s: block %d lies outside", what, i);
        for (int k = 0; k < i; k++) {
            const QnBlock *b = &blocks[k];
            const bool together = a->first <= b->last && b->first <= a->last;
            const bool apart = a->offset + a->size <= b->offset || b->offset + b->size <= a->offset;
            EXPECT(t, !together || apart || !a->size || !b->size, "%s: blocks %d and %d overlap",
                   what, k, i);
        }
    }
    return bound > 0 ? (double)total / (double)bound : 1;
}

TEST(small_cases_are_exact)
{
    static const struct {
        const char *what;
        QnBlock blocks[5];
        int count;
        int64_t total;
    } rows[] = {
        {"none", {{0}}, 0, 0},
        {"one", {{64, 0, 1, 0}}, 1, 64},
        {"empty ones", {{0, 0, 1, 0}, {0, 1, 2, 0}}, 2, 0},
        {"a chain takes two", {{64, 0, 1, 0}, {64, 1, 2, 0}, {64, 2, 3, 0}}, 3, 128},
        {"a residual", {{128, 0, 3, 0}, {64, 0, 1, 0}, {64, 1, 2, 0}, {64, 2, 3, 0}}, 4, 256},
        {"one step's values stand side by side", {{64, 2, 2, 0}, {128, 2, 2, 0}}, 2, 192},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        QnBlock blocks[5];
        int64_t total, bound;
        QnArena scratch = {0};
        memcpy(blocks, rows[i].blocks, sizeof blocks);
        qn_memory_plan(blocks, rows[i].count, &total, &bound, &scratch);
        EXPECT(t, total == rows[i].total && bound == rows[i].total, "%s: %lld, bound %lld",
               rows[i].what, (long long)total, (long long)bound);
        qn_arena_finish(&scratch);
        plan(t, blocks, rows[i].count, rows[i].what);
    }
}

TEST(random_lifetimes_never_overlap)
{
    for (uint64_t seed = 1; seed <= 200; seed++) {
        Samples s = {seed};
        QnBlock blocks[MOST];
        const int count = (int)sample_below(&s, 120);
        char what[32];
        for (int i = 0; i < count; i++) {
            const int first = (int)sample_below(&s, 60);
            blocks[i] = (QnBlock){.size = 64 * sample_below(&s, 50),
                                  .first = first,
                                  .last = first + (int)sample_below(&s, 1 + sample_below(&s, 30))};
        }
        snprintf(what, sizeof what, "seed %llu", (unsigned long long)seed);
        plan(t, blocks, count, what);
    }
}

/* The lifetimes of networks: chains whose sizes shrink, with residuals, and branches that are
 * joined (inception), and encoders whose levels are read again by a decoder (U-Net). */
static int make_network(Samples *s, int kind, QnBlock *blocks)
{
    int count = 0, step = 0;
    int64_t size = 64 * 400;
    while (step < 100) {
        const int branches = kind == 1 ? 1 + (int)sample_below(s, 4) : 1;
        const int last = step + branches + 1;
        for (int b = 0; b < branches; b++)
            blocks[count++] = (QnBlock){size / branches / 64 * 64, step + b, last, 0};
        blocks[count++] = (QnBlock){size, last, last + 1, 0};
        if (kind == 0 && sample_below(s, 2))
            blocks[count++] = (QnBlock){size, step, last + 1, 0};
        if (kind == 2)
            blocks[count++] = (QnBlock){size, step, 220 - step, 0};
        step = last + 1;
        if (sample_below(s, 4) == 0 && size > 64 * 16)
            size = size / 2 / 64 * 64;
    }
    return count;
}

TEST(networks_need_at_most_a_tenth_more_than_the_bound)
{
    static const char *const kinds[] = {"residual", "inception", "unet"};
    for (int kind = 0; kind < 3; kind++)
        for (uint64_t seed = 1; seed <= 40; seed++) {
            Samples s = {seed};
            QnBlock blocks[MOST];
            const int count = make_network(&s, kind, blocks);
            const double ratio = plan(t, blocks, count, kinds[kind]);
            EXPECT(t, ratio <= 1.1, "%s, seed %llu: %.3f", kinds[kind], (unsigned long long)seed,
                   ratio);
        }
}

TEST(equal_blocks_give_equal_offsets)
{
    Samples s = {3};
    QnBlock a[MOST], b[MOST];
    const int count = make_network(&s, 0, a);
    memcpy(b, a, sizeof a);
    plan(t, a, count, "a");
    plan(t, b, count, "b");
    EXPECT(t, !memcmp(a, b, (size_t)count * sizeof *a), "other offsets");
}

TEST_MAIN(CASE(small_cases_are_exact), CASE(random_lifetimes_never_overlap),
          CASE(networks_need_at_most_a_tenth_more_than_the_bound),
          CASE(equal_blocks_give_equal_offsets))
