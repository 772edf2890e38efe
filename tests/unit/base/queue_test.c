/* SPDX-License-Identifier: Apache-2.0 */
#include "base/queue.h"

#include "base/clock.h"
#include "tests/support/test.h"

typedef struct Item {
    int from, number; /* before the link, so that the two have different addresses */
    QnQueueLink link;
} Item;

static Item *item_of(QnQueueLink *link)
{
    return QN_QUEUE_OBJECT(link, Item, link);
}

TEST(objects_come_out_in_the_order_they_went_in)
{
    QnQueue queue;
    Item items[3] = {{.number = 1}, {.number = 2}, {.number = 3}};
    REQUIRE(t, qn_queue_init(&queue, 0), "no queue");
    EXPECT(t, qn_queue_push(&queue, &items[0].link) == QN_PUSHED_FIRST, "the first one wakes");
    EXPECT(t, qn_queue_push(&queue, &items[1].link) == QN_PUSHED, "the second one does not");
    qn_queue_push(&queue, &items[2].link);
    EXPECT(t, qn_queue_count(&queue) == 3, "%lld", (long long)qn_queue_count(&queue));
    for (int i = 1; i <= 3; i++) {
        const Item *item = item_of(qn_queue_try_pop(&queue));
        EXPECT(t, item && item->number == i, "object %d", i);
    }
    EXPECT(t, !item_of(qn_queue_try_pop(&queue)), "there was a fourth");
    EXPECT(t, qn_queue_push(&queue, &items[0].link) == QN_PUSHED_FIRST, "empty again");
    EXPECT(t, qn_queue_take_all(&queue) == &items[0].link, "not the one");
    qn_queue_finish(&queue);
}

TEST(a_full_queue_refuses_at_once)
{
    QnQueue queue;
    Item items[3];
    REQUIRE(t, qn_queue_init(&queue, 2), "no queue");
    qn_queue_push(&queue, &items[0].link);
    qn_queue_push(&queue, &items[1].link);
    EXPECT(t, qn_queue_push(&queue, &items[2].link) == QN_QUEUE_FULL, "it took a third of two");
    qn_queue_try_pop(&queue);
    EXPECT(t, qn_queue_push(&queue, &items[2].link) == QN_PUSHED, "there is room again");
    QnQueueLink *all = qn_queue_take_all(&queue);
    EXPECT(t, all == &items[1].link && all->next == &items[2].link && !all->next->next,
           "the wrong list");
    EXPECT(t, qn_queue_count(&queue) == 0, "not empty");
    qn_queue_finish(&queue);
}

TEST(a_closed_queue_gives_what_it_has_and_takes_no_more)
{
    QnQueue queue;
    Item items[2];
    REQUIRE(t, qn_queue_init(&queue, 0), "no queue");
    qn_queue_push(&queue, &items[0].link);
    qn_queue_close(&queue);
    EXPECT(t, qn_queue_push(&queue, &items[1].link) == QN_QUEUE_CLOSED, "it took one");
    EXPECT(t, qn_queue_pop(&queue, QN_NEVER) == &items[0].link, "the one is lost");
    EXPECT(t, !qn_queue_pop(&queue, QN_NEVER), "it is empty");
    qn_queue_finish(&queue);
}

TEST(waiting_ends_at_the_deadline)
{
    QnQueue queue;
    REQUIRE(t, qn_queue_init(&queue, 0), "no queue");
    const int64_t deadline = qn_clock_now(NULL) + 5 * QN_NS_PER_MS;
    EXPECT(t, !qn_queue_pop(&queue, deadline), "out of nothing");
    EXPECT(t, qn_clock_now(NULL) >= deadline, "too early");
    EXPECT(t, !qn_queue_pop(&queue, -5) && !qn_queue_pop(&queue, 0), "deadlines long past");
    qn_queue_finish(&queue);
}

enum { PRODUCERS = 3, CONSUMERS = 2, ITEMS = 2000 };

typedef struct Worker {
    QnQueue *queue;
    Item *items;           /* a producer's [ITEMS] */
    int popped[PRODUCERS]; /* a consumer's: how many of whom */
    int last[PRODUCERS];
    bool is_disordered;
} Worker;

static void *produce(void *user)
{
    Worker *worker = user;
    for (int i = 0; i < ITEMS; i++) {
        worker->items[i].number = i; /* written without a lock: the queue hands it over */
        while (qn_queue_push(worker->queue, &worker->items[i].link) == QN_QUEUE_FULL)
            sched_yield();
    }
    return NULL;
}

static void *consume(void *user)
{
    Worker *worker = user;
    for (Item *item; (item = item_of(qn_queue_pop(worker->queue, QN_NEVER)));) {
        worker->is_disordered |= item->number < worker->last[item->from];
        worker->last[item->from] = item->number;
        worker->popped[item->from]++;
        item->number = -1; /* it is ours */
    }
    return NULL;
}

TEST(many_threads_pass_each_object_once_and_in_order)
{
    static Item items[PRODUCERS][ITEMS];
    QnQueue queue;
    Worker producers[PRODUCERS], consumers[CONSUMERS];
    pthread_t threads[PRODUCERS + CONSUMERS];
    REQUIRE(t, qn_queue_init(&queue, 16), "no queue");
    for (int c = 0; c < CONSUMERS; c++) {
        consumers[c] = (Worker){.queue = &queue};
        REQUIRE(t, !pthread_create(&threads[PRODUCERS + c], NULL, consume, &consumers[c]),
                "no thread");
    }
    for (int p = 0; p < PRODUCERS; p++) {
        for (int i = 0; i < ITEMS; i++)
            items[p][i].from = p;
        producers[p] = (Worker){.queue = &queue, .items = items[p]};
        REQUIRE(t, !pthread_create(&threads[p], NULL, produce, &producers[p]), "no thread");
    }
    for (int p = 0; p < PRODUCERS; p++)
        pthread_join(threads[p], NULL);
    qn_queue_close(&queue);
    for (int c = 0; c < CONSUMERS; c++)
        pthread_join(threads[PRODUCERS + c], NULL);
    for (int p = 0; p < PRODUCERS; p++) {
        const int popped = consumers[0].popped[p] + consumers[1].popped[p];
        EXPECT(t, popped == ITEMS, "%d of producer %d", popped, p);
    }
    EXPECT(t, !consumers[0].is_disordered && !consumers[1].is_disordered,
           "one producer's objects changed places");
    qn_queue_finish(&queue);
}

TEST_MAIN(CASE(objects_come_out_in_the_order_they_went_in), CASE(a_full_queue_refuses_at_once),
          CASE(a_closed_queue_gives_what_it_has_and_takes_no_more),
          CASE(waiting_ends_at_the_deadline), CASE(many_threads_pass_each_object_once_and_in_order))
