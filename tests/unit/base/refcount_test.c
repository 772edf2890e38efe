/* SPDX-License-Identifier: Apache-2.0 */
#include "base/refcount.h"

#include <pthread.h>

#include "tests/support/test.h"

TEST(the_last_release_says_so)
{
    QnRefcount refs;
    qn_refcount_init(&refs);
    qn_refcount_acquire(&refs);
    EXPECT(t, !qn_refcount_release(&refs), "one is left");
    EXPECT(t, qn_refcount_release(&refs), "none is left");
}

TEST(what_is_on_its_way_out_cannot_be_acquired)
{
    QnRefcount refs;
    qn_refcount_init(&refs);
    EXPECT(t, qn_refcount_try_acquire(&refs), "it is alive");
    EXPECT(t, !qn_refcount_release(&refs) && qn_refcount_release(&refs), "both are dropped");
    EXPECT(t, !qn_refcount_try_acquire(&refs), "it is gone");
}

typedef struct Shared {
    QnRefcount refs;
    int written;     /* by one holder, without further synchronization */
    int seen, frees; /* by the one who frees */
} Shared;

static void drop(Shared *shared)
{
    if (!qn_refcount_release(&shared->refs))
        return;
    shared->seen = shared->written;
    shared->frees++;
}

static void *hold_and_drop(void *user)
{
    Shared *shared = user;
    for (int i = 0; i < 1000; i++) {
        qn_refcount_acquire(&shared->refs);
        (void)!qn_refcount_release(&shared->refs);
    }
    drop(shared);
    return NULL;
}

TEST(the_last_one_sees_what_the_others_wrote)
{
    Shared shared = {0};
    pthread_t threads[3];
    qn_refcount_init(&shared.refs);
    for (int i = 0; i < 3; i++) {
        qn_refcount_acquire(&shared.refs);
        REQUIRE(t, !pthread_create(&threads[i], NULL, hold_and_drop, &shared), "no thread");
    }
    shared.written = 42;
    drop(&shared);
    for (int i = 0; i < 3; i++)
        pthread_join(threads[i], NULL);
    EXPECT(t, shared.frees == 1 && shared.seen == 42, "%d frees, saw %d", shared.frees,
           shared.seen);
}

TEST_MAIN(CASE(the_last_release_says_so), CASE(what_is_on_its_way_out_cannot_be_acquired),
          CASE(the_last_one_sees_what_the_others_wrote))
