/* SPDX-License-Identifier: Apache-2.0 */
/* The scheduler with a backend that works only when it is let, and a clock that stands still. */
#include "server/schedule/scheduler.h"

#include <pthread.h>
#include <unistd.h>

#include "tests/support/test.h"

/* The backend's model: a gate, and what went through it. */
typedef struct Gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int open_count; /* executions that may go through */
    int entered, left;
    char order[32]; /* the ids of the requests, as executed */
    pthread_t last_thread;
    bool drops; /* releases without answering */
} Gate;

static _Atomic int64_t time_ns;

static int64_t read_time(void *user)
{
    (void)user;
    return time_ns;
}

static const QnClock test_clock = {.now_ns = read_time};

static void gate_init(Gate *gate, int open_count)
{
    *gate = (Gate){.open_count = open_count};
    pthread_mutex_init(&gate->lock, NULL);
    pthread_cond_init(&gate->changed, NULL);
}

static void gate_open(Gate *gate, int count)
{
    pthread_mutex_lock(&gate->lock);
    gate->open_count += count;
    pthread_cond_broadcast(&gate->changed);
    pthread_mutex_unlock(&gate->lock);
}

static void gate_wait_entered(Gate *gate, int count)
{
    pthread_mutex_lock(&gate->lock);
    while (gate->entered < count)
        pthread_cond_wait(&gate->changed, &gate->lock);
    pthread_mutex_unlock(&gate->lock);
}

static QnStatus gate_instance(void **instance, void *model, int index, QnError *err)
{
    (void)index;
    (void)err;
    *instance = model;
    return QN_OK;
}

static void gate_close(void *instance)
{
    (void)instance;
}

static void gate_execute(void *instance, QsRequest *const *requests, size_t count,
                         QsExecution *execution)
{
    (void)count;
    Gate *gate = instance;
    QsRequest *request = requests[0];
    pthread_mutex_lock(&gate->lock);
    gate->last_thread = pthread_self();
    gate->order[gate->entered++] = request->id[0];
    pthread_cond_broadcast(&gate->changed);
    while (gate->open_count == 0)
        pthread_cond_wait(&gate->changed, &gate->lock);
    gate->open_count--;
    gate->left++;
    const bool drops = gate->drops;
    pthread_mutex_unlock(&gate->lock);
    execution->inputs_ready = execution->computed = time_ns;
    if (!drops)
        qs_sender_send(request->sender, &(QsResponse){0}, true);
    qs_request_release(request);
}

static const QsBackend gate_backend = {
    .name = "gate", .open = gate_instance, .close = gate_close, .execute = gate_execute};

/* One request and what became of it. */
typedef struct Client {
    QsSender sender;
    QsRequest request;
    QnCancel cancel;
    char id[2];
    QnError error;
    atomic_bool is_done;
} Client;

static void client_send(QsSender *sender, const QsResponse *response, bool is_final)
{
    Client *client = (Client *)(void *)sender;
    if (response && response->error)
        client->error = *response->error;
    (void)is_final;
}

static void client_free(QsSender *sender)
{
    atomic_store(&((Client *)(void *)sender)->is_done, true);
}

static void client_release(QsRequest *request)
{
    (void)request;
}

static const QsSenderOps client_ops = {.send = client_send, .free = client_free};

static void submit(Client *client, QsScheduler *scheduler, char id)
{
    *client = (Client){.id = {id, 0}};
    qs_sender_init(&client->sender, &client_ops);
    client->request = (QsRequest){.id = client->id,
                                  .batch_size = 1,
                                  .sender = &client->sender,
                                  .cancel = &client->cancel,
                                  .release = client_release};
    qs_scheduler_submit(scheduler, &client->request);
}

/* What became of it, in the end. */
static const char *await(Client *client)
{
    for (int i = 0; i < 5000 && !client->is_done; i++)
        usleep(1000);
    return !client->is_done ? "nothing" : client->error.status ? client->error.message : "ok";
}

/* A scheduler over a gate. */
typedef struct World {
    Gate gate;
    QsModelStats stats;
    QsScheduler *scheduler;
} World;

static bool world_init(World *world, int open_count, QsSchedulerOptions options)
{
    *world = (World){0};
    time_ns = QN_NS_PER_S;
    gate_init(&world->gate, open_count);
    options.model_name = "m";
    options.backend = &gate_backend;
    options.model = &world->gate;
    options.clock = &test_clock;
    options.stats = &world->stats;
    options.instance_count = options.instance_count ? options.instance_count : 1;
    return qs_scheduler_create(&world->scheduler, &options, NULL) == QN_OK;
}

TEST(one_instance_serves_in_order_of_arrival)
{
    World world;
    REQUIRE(t, world_init(&world, 0, (QsSchedulerOptions){0}), "no scheduler");
    Client clients[4];
    for (int i = 0; i < 4; i++)
        submit(&clients[i], world.scheduler, (char)('a' + i));
    gate_open(&world.gate, 4);
    for (int i = 0; i < 4; i++)
        EXPECT(t, !strcmp(await(&clients[i]), "ok"), "%d: %s", i, await(&clients[i]));
    EXPECT(t, !strcmp(world.gate.order, "abcd"), "served as %s", world.gate.order);
    qs_scheduler_free(world.scheduler);
    EXPECT(t, world.stats.success.count == 4 && world.stats.executions == 4, "%d counted",
           (int)world.stats.success.count);
}

TEST(instances_work_at_the_same_time)
{
    World world;
    REQUIRE(t, world_init(&world, 0, (QsSchedulerOptions){.instance_count = 3}), "no scheduler");
    Client clients[3];
    for (int i = 0; i < 3; i++)
        submit(&clients[i], world.scheduler, (char)('a' + i));
    gate_wait_entered(&world.gate, 3); /* hangs, and times out, if they do not */
    EXPECT(t, qs_scheduler_busy_count(world.scheduler) == 3, "%d busy",
           qs_scheduler_busy_count(world.scheduler));
    gate_open(&world.gate, 3);
    for (int i = 0; i < 3; i++)
        await(&clients[i]);
    qs_scheduler_free(world.scheduler);
}

TEST(a_model_known_to_be_fast_runs_on_the_caller)
{
    World world;
    REQUIRE(t, world_init(&world, 9, (QsSchedulerOptions){.direct_limit_ns = 100000}),
            "no scheduler");
    Client client;
    submit(&client, world.scheduler, 'a'); /* not known yet */
    await(&client);
    EXPECT(t, !pthread_equal(world.gate.last_thread, pthread_self()), "the first ran here");
    for (int i = 0; i < 1000 && qs_scheduler_busy_count(world.scheduler); i++)
        usleep(1000);
    submit(&client, world.scheduler, 'b');
    EXPECT(t, client.is_done, "the second did not run at once");
    EXPECT(t, pthread_equal(world.gate.last_thread, pthread_self()), "the second ran elsewhere");
    qs_scheduler_free(world.scheduler);
}

TEST(full_queues_refuse_and_waiting_ends)
{
    World world;
    const QsQueuePolicy policy = {
        .size_limit = 2, .timeout_us = 1000, .timeout_can_be_shortened = true};
    REQUIRE(t, world_init(&world, 0, (QsSchedulerOptions){.queue = policy}), "no scheduler");
    Client running, late, cancelled, refused;
    submit(&running, world.scheduler, 'a');
    gate_wait_entered(&world.gate, 1);
    submit(&late, world.scheduler, 'b');
    submit(&cancelled, world.scheduler, 'c');
    submit(&refused, world.scheduler, 'd');
    EXPECT(t, !strcmp(await(&refused), "[request id: d] Exceeds maximum queue size"), "%s",
           await(&refused));
    qn_cancel(&cancelled.cancel);
    qs_scheduler_expire(world.scheduler);
    EXPECT(t, !strcmp(await(&cancelled), "[request id: c] the request was cancelled"), "%s",
           await(&cancelled));
    EXPECT(t, !late.is_done, "refused before its time");
    time_ns += 1000 * QN_NS_PER_US;
    qs_scheduler_expire(world.scheduler);
    EXPECT(t, !strcmp(await(&late), "[request id: b] Request timeout expired"), "%s", await(&late));
    EXPECT(t, late.error.status == QN_UNAVAILABLE, "status %d", late.error.status);
    gate_open(&world.gate, 1);
    EXPECT(t, !strcmp(await(&running), "ok"), "%s", await(&running));
    qs_scheduler_free(world.scheduler);
    EXPECT(t, world.stats.rejected.count == 2 && world.stats.cancelled.count == 1, "%d rejected",
           (int)world.stats.rejected.count);
}

TEST(stopped_schedulers_finish_what_they_have)
{
    World world;
    REQUIRE(t, world_init(&world, 0, (QsSchedulerOptions){0}), "no scheduler");
    Client running, queued, new;
    submit(&running, world.scheduler, 'a');
    gate_wait_entered(&world.gate, 1);
    submit(&queued, world.scheduler, 'b');
    qs_scheduler_stop(world.scheduler);
    submit(&new, world.scheduler, 'c');
    EXPECT(t, strstr(await(&new), "stopped accepting"), "%s", await(&new));
    gate_open(&world.gate, 2);
    EXPECT(t, !strcmp(await(&running), "ok") && !strcmp(await(&queued), "ok"), "%s",
           await(&queued));
    qs_scheduler_free(world.scheduler);
}

TEST(a_lost_request_is_answered_all_the_same)
{
    World world;
    REQUIRE(t, world_init(&world, 1, (QsSchedulerOptions){0}), "no scheduler");
    world.gate.drops = true;
    Client client;
    submit(&client, world.scheduler, 'a');
    EXPECT(t, !strcmp(await(&client), "the model dropped the request without an answer"), "%s",
           await(&client));
    qs_scheduler_free(world.scheduler);
}

TEST_MAIN(CASE(one_instance_serves_in_order_of_arrival), CASE(instances_work_at_the_same_time),
          CASE(a_model_known_to_be_fast_runs_on_the_caller),
          CASE(full_queues_refuse_and_waiting_ends), CASE(stopped_schedulers_finish_what_they_have),
          CASE(a_lost_request_is_answered_all_the_same))
