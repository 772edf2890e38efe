/* SPDX-License-Identifier: Apache-2.0 */
/* The loops with a protocol that echoes what it gets,
 * and peers that are ordinary blocking sockets. */
#include <arpa/inet.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/net/budget.h"
#include "server/net/net.h"
#include "tests/support/test.h"

/* Sends back what comes; "post" is answered by way of a posted task. */
typedef struct Echo {
    QsConnection *connection;
    char data[64];
    QsTask task;
    size_t size;
} Echo;

static atomic_int opened, closed, expired;

static void *echo_open(void *user, QsConnection *connection)
{
    Echo *echo = calloc(1, sizeof *echo);
    echo->connection = connection;
    qs_connection_set_deadline(connection, *(int *)user ? (uint64_t) * (int *)user : 60000);
    atomic_fetch_add(&opened, 1);
    return echo;
}

static QsSpan echo_room(void *stream)
{
    Echo *echo = stream;
    return (QsSpan){(uint8_t *)echo->data, sizeof echo->data};
}

static void echo_send(QsTask *task)
{
    Echo *echo = (Echo *)(void *)((char *)task - offsetof(Echo, task));
    const QnBytes spans[] = {qn_bytes(echo->data, 1), qn_bytes(echo->data + 1, echo->size - 1)};
    qs_connection_send(echo->connection, spans, 2);
}

/* Work that takes a while; one at a time. */
static atomic_int worked, finished;
static pthread_t worker;

static void work_slowly(QsWork *work)
{
    (void)work;
    worker = pthread_self();
    usleep(100000);
    atomic_fetch_add(&worked, 1);
}

/* On the loop's thread, after the work. */
static void finish_work(QsWork *work)
{
    (void)work;
    atomic_fetch_add(&finished, worked == 1 && !pthread_equal(worker, pthread_self()));
}

static void echo_received(void *stream, size_t size)
{
    Echo *echo = stream;
    echo->size = size;
    echo->task.run = echo_send;
    static QsWork slow = {work_slowly, finish_work};
    if (size >= 4 && !memcmp(echo->data, "work", 4))
        qs_loop_work(qs_connection_loop(echo->connection), &slow);
    if (size >= 4 && !memcmp(echo->data, "post", 4))
        qs_loop_post(qs_connection_loop(echo->connection), &echo->task);
    else
        echo_send(&echo->task);
}

static void echo_close(void *stream)
{
    qs_connection_close(((Echo *)stream)->connection);
}

static void echo_expired(void *stream)
{
    atomic_fetch_add(&expired, 1);
    echo_close(stream);
}

static void echo_sent(void *stream)
{
    (void)stream;
}

static void echo_closed(void *stream)
{
    atomic_fetch_add(&closed, 1);
    free(stream);
}

static const QsProtocol echo_protocol = {.open = echo_open,
                                         .room = echo_room,
                                         .received = echo_received,
                                         .ended = echo_close,
                                         .sent = echo_sent,
                                         .expired = echo_expired,
                                         .stopping = echo_close,
                                         .closed = echo_closed};

static int dial(int port)
{
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    const struct sockaddr_in to = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    return connect(fd, (const struct sockaddr *)&to, sizeof to) == 0 ? fd : -1;
}

/* The answer to `text`; "" where the connection ended. */
static const char *ask(int fd, const char *text)
{
    static char answer[64];
    const ssize_t sent = send(fd, text, strlen(text), MSG_NOSIGNAL);
    ssize_t size = sent > 0 ? recv(fd, answer, sizeof answer - 1, 0) : 0;
    answer[size > 0 ? size : 0] = 0;
    return answer;
}

TEST(connections_echo_and_end_on_every_loop)
{
    static int deadline_ms = 0;
    QnError err = {0};
    QsNet *net;
    const QsNetOptions options = {.loop_count = 2, .connection_limit = 100};
    REQUIRE(t, qs_net_create(&net, &options, &err) == QN_OK, "%s", err.message);
    int port = 0;
    REQUIRE(t,
            qs_net_listen(net, "127.0.0.1", 0, &echo_protocol, &deadline_ms, &port, &err) == QN_OK,
            "%s", err.message);
    int peers[8];
    for (int i = 0; i < 8; i++) {
        peers[i] = dial(port);
        const char *text = i % 2 ? "post" : "hello";
        const char *answer = ask(peers[i], text);
        EXPECT(t, !strcmp(answer, text), "peer %d got %s", i, answer);
    }
    close(peers[0]);
    qs_net_stop(net);
    EXPECT(t, qs_net_wait(net, qs_net_now() + 5000), "%d of %d closed", closed, opened);
    for (int i = 1; i < 8; i++)
        close(peers[i]);
    EXPECT(t, dial(port) < 0, "a stopped net accepts");
    qs_net_free(net);
    EXPECT(t, opened == 8 && closed == 8, "%d opened, %d closed", opened, closed);
}

TEST(a_net_is_not_empty_before_its_work_is_done)
{
    static int deadline_ms = 0;
    QnError err = {0};
    QsNet *net;
    const QsNetOptions options = {.loop_count = 1, .connection_limit = 10};
    REQUIRE(t, qs_net_create(&net, &options, &err) == QN_OK, "%s", err.message);
    int port = 0;
    REQUIRE(t,
            qs_net_listen(net, "127.0.0.1", 0, &echo_protocol, &deadline_ms, &port, &err) == QN_OK,
            "%s", err.message);
    const int peer = dial(port), other = dial(port);
    EXPECT(t, !strcmp(ask(peer, "work"), "work"), "no answer while there is work");
    EXPECT(t, !strcmp(ask(other, "hello"), "hello") && worked == 0, "the loop waits for work");
    close(peer);
    close(other);
    qs_net_stop(net);
    EXPECT(t, qs_net_wait(net, qs_net_now() + 5000), "the work never ends");
    EXPECT(t, finished == 1, "empty before the work was done, or done on the wrong thread");
    qs_net_free(net);
}

TEST(silent_peers_meet_their_deadline_and_full_loops_wait)
{
    static int deadline_ms = 300;
    QnError err = {0};
    QsNet *net;
    const QsNetOptions options = {.loop_count = 1, .connection_limit = 1};
    REQUIRE(t, qs_net_create(&net, &options, &err) == QN_OK, "%s", err.message);
    int port = 0;
    REQUIRE(t,
            qs_net_listen(net, "127.0.0.1", 0, &echo_protocol, &deadline_ms, &port, &err) == QN_OK,
            "%s", err.message);
    const int before = expired;
    const int first = dial(port), second = dial(port);
    char c;
    EXPECT(t, recv(first, &c, 1, 0) == 0, "the first peer was not sent away");
    EXPECT(t, expired == before + 1, "%d expired", expired - before);
    EXPECT(t, !strcmp(ask(second, "next"), "next"), "the second peer was not let in after it");
    close(first);
    close(second);
    qs_net_free(net);
}

TEST(taken_and_impossible_addresses_are_errors)
{
    static int deadline_ms = 0;
    QnError err = {0};
    QsNet *net;
    const QsNetOptions options = {.loop_count = 1, .connection_limit = 1};
    REQUIRE(t, qs_net_create(&net, &options, &err) == QN_OK, "%s", err.message);
    int port = 0, other = 0;
    REQUIRE(t,
            qs_net_listen(net, "127.0.0.1", 0, &echo_protocol, &deadline_ms, &port, &err) == QN_OK,
            "%s", err.message);
    EXPECT(t,
           qs_net_listen(net, "127.0.0.1", port, &echo_protocol, &deadline_ms, &other, &err) ==
               QN_IO,
           "one port twice");
    EXPECT(t, strstr(err.message, "already in use"), "%s", err.message);
    EXPECT(t,
           qs_net_listen(net, "999.1.1.1", 0, &echo_protocol, &deadline_ms, &other, &err) == QN_IO,
           "a bad address");
    EXPECT(t,
           qs_net_listen(net, "127.0.0.1", 99999, &echo_protocol, &deadline_ms, &other, &err) ==
               QN_IO,
           "a bad port");
    qs_net_free(net);
}

TEST(budgets_refuse_what_would_pass_their_limit)
{
    QsBudget budget = {.limit_bytes = 100};
    EXPECT(t, qs_budget_take(&budget, 60), "60 of 100");
    EXPECT(t, !qs_budget_take(&budget, 41), "101 of 100");
    EXPECT(t, !qs_budget_take(&budget, SIZE_MAX), "a size that wraps");
    EXPECT(t, qs_budget_take(&budget, 40), "100 of 100");
    qs_budget_give(&budget, 100);
    EXPECT(t, budget.used_bytes == 0, "%zu used", (size_t)budget.used_bytes);
}

TEST_MAIN(CASE(connections_echo_and_end_on_every_loop),
          CASE(a_net_is_not_empty_before_its_work_is_done),
          CASE(silent_peers_meet_their_deadline_and_full_loops_wait),
          CASE(taken_and_impossible_addresses_are_errors),
          CASE(budgets_refuse_what_would_pass_their_limit))
