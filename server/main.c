/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `quern serve`: makes the parts and wires them, waits for a signal, and takes them apart in order.
 *
 * Ports are open at once, models load beside them.  The first SIGTERM or SIGINT lets running
 * requests finish within the exit timeout; the second one does not.
 */
#include "server/main.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include "quern/quern.h"
#include "server/front_http.h"
#include "server/log.h"
#include "server/options.h"

enum { TICK_MS = 50 };

/* Everything that is there while the server runs. */
typedef struct App {
    QsOptions options;
    const QsBackend *(*find_backend)(const char *name);
    QsLog log;
    QsServer server;
    QsBudget budget;
    QsHttpFront front;
    QnThreadPool *pool;
    QsNet *net;
    sigset_t signals; /* those that end it */
    bool is_checked;  /* all models were loaded or have failed */
} App;

/* Waits for a signal at most `ms`; 0: none came. */
static int wait_signal(const App *app, long ms)
{
    const struct timespec delay = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    const int number = sigtimedwait(&app->signals, NULL, &delay);
    return number > 0 ? number : 0;
}

/* ---- Beginning ---- */

/* Signals are taken by the main thread only, so they are blocked before there are others. */
static void block_signals(App *app)
{
    sigemptyset(&app->signals);
    sigaddset(&app->signals, SIGTERM);
    sigaddset(&app->signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &app->signals, NULL);
    signal(SIGPIPE, SIG_IGN);
}

static QnStatus create_repository(App *app, QnError *err)
{
    const QsOptions *options = &app->options;
    const QsRepositoryOptions wanted = {.folders = options->model_repositories,
                                        .folder_count = options->model_repository_count,
                                        .load_threads = (int)options->model_load_thread_count,
                                        .load_retries = (int)options->model_load_retry_count,
                                        .may_complete = !options->disable_auto_complete_config,
                                        .default_max_batch_size = 4,
                                        .direct_limit_ns = options->direct_limit_us * QN_NS_PER_US,
                                        .find_backend = app->find_backend,
                                        .pool = app->pool,
                                        .log = qs_log_write,
                                        .user = &app->log};
    return qs_repository_create(&app->server.repository, &wanted, err);
}

static void wire(App *app)
{
    const QsOptions *options = &app->options;
    app->server.id = options->id;
    app->server.version = qn_version_text();
    app->server.max_input_bytes = (size_t)options->http_max_input_size;
    app->server.strict_readiness = options->strict_readiness;
    app->budget.limit_bytes = (size_t)options->request_memory_bytes;
    app->front = (QsHttpFront){.server = &app->server,
                               .limits = qs_http_default_limits,
                               .budget = &app->budget,
                               .idle_timeout_ms = (uint64_t)options->http_idle_timeout_secs * 1000,
                               .head_timeout_ms = (uint64_t)options->http_head_timeout_secs * 1000,
                               .body_timeout_ms = (uint64_t)options->http_body_timeout_secs * 1000};
    app->front.limits.head_bytes = (size_t)options->http_header_bytes;
    app->front.limits.header_count = (size_t)options->http_header_count;
}

static QnStatus begin(App *app, QnError *err)
{
    const QsOptions *options = &app->options;
    const QsNetOptions net = {.loop_count = (int)options->http_thread_count,
                              .connection_limit = (int)options->connection_limit};
    int port;
    wire(app);
    QN_TRY(qn_thread_pool_create(&app->pool, (int)options->threads, err));
    QN_TRY(create_repository(app, err));
    QN_TRY(qs_net_create(&app->net, &net, err));
    QN_TRY(qs_net_listen(app->net, options->http_address, (int)options->http_port,
                         &qs_http_protocol, &app->front, &port, err));
    qs_log(&app->log, 'I', "Started HTTPService at %s:%d", options->http_address, port);
    return qs_repository_start(app->server.repository, err);
}

/* ---- Running ---- */

/* Once all models were tried: may the server go on? */
static bool check_models(App *app)
{
    if (app->is_checked || !qs_repository_is_ready(app->server.repository, true))
        return true;
    app->is_checked = true;
    const bool is_good = qs_repository_wait(app->server.repository);
    if (is_good)
        qs_log(&app->log, 'I', "all models are loaded");
    else if (app->options.exit_on_error)
        qs_log(&app->log, 'E', "creating server: Internal - failed to load all models");
    return is_good || !app->options.exit_on_error;
}

/* Returns the signal that ended it; 0: a model failed to load. */
static int run(App *app)
{
    for (;;) {
        const int number = wait_signal(app, TICK_MS);
        if (number)
            return number;
        if (!check_models(app))
            return 0;
        qs_repository_tick(app->server.repository);
    }
}

/* ---- Ending ---- */

/* Lets what runs finish.  False: it did not within the time, or a second signal came. */
static bool drain(App *app)
{
    const uint64_t deadline = qs_net_now() + (uint64_t)app->options.exit_timeout_secs * 1000;
    atomic_store(&app->server.is_exiting, true);
    qs_net_stop(app->net);
    for (;;) {
        const bool is_quiet = qs_net_wait(app->net, qs_net_now());
        if (is_quiet)
            qs_repository_stop(app->server.repository);
        if (is_quiet && qs_repository_busy_count(app->server.repository) == 0)
            return true;
        if (qs_net_now() >= deadline)
            return false;
        qs_repository_tick(app->server.repository);
        if (wait_signal(app, TICK_MS))
            return false;
    }
}

/* The parts in the order in which nothing points to what is gone. */
static void end(App *app)
{
    qs_repository_free(app->server.repository);
    qs_net_free(app->net);
    qn_thread_pool_free(app->pool);
}

static int serve(App *app)
{
    QnError err = {0};
    if (begin(app, &err) != QN_OK) {
        qs_log(&app->log, 'E', "%s", err.message);
        fprintf(stderr, "error: creating server: %s\n", err.message);
        end(app);
        return 1;
    }
    const int number = run(app);
    if (number)
        qs_log(&app->log, 'I', "Signal (%d) received.", number);
    if (!drain(app)) {
        qs_log(&app->log, 'E', "Exit timeout expired. Exiting immediately.");
        _exit(1); /* threads are still in the middle of something */
    }
    end(app);
    return number ? 0 : 1;
}

int qs_main_with(int argc, char **argv, const QsBackend *(*find_backend)(const char *name))
{
    App app = {.find_backend = find_backend};
    switch (qs_options_parse(&app.options, argc, argv)) {
    case QS_OPTIONS_HELP:
        return 0;
    case QS_OPTIONS_BAD:
        return 2;
    case QS_OPTIONS_GOOD:
        break;
    }
    app.log = (QsLog){.info = app.options.log_info,
                      .warning = app.options.log_warning,
                      .error = app.options.log_error,
                      .verbose = (int)app.options.log_verbose};
    block_signals(&app);
    return serve(&app);
}

int qs_main(int argc, char **argv)
{
    return qs_main_with(argc, argv, qs_backend_find);
}
