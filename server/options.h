/* SPDX-License-Identifier: Apache-2.0 */
/* The options of `quern serve`. */
#ifndef QS_OPTIONS_H
#define QS_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { QS_REPOSITORY_LIMIT = 64 };

typedef struct QsOptions {
    const char *id;
    const char *model_repositories[QS_REPOSITORY_LIMIT];
    size_t model_repository_count;
    bool exit_on_error;
    bool disable_auto_complete_config;
    bool strict_readiness;
    int64_t model_load_thread_count, model_load_retry_count;
    const char *http_address;
    int64_t http_port, http_thread_count, http_max_input_size;
    int64_t http_header_bytes, http_header_count, http_idle_timeout_secs, http_head_timeout_secs,
        http_body_timeout_secs, connection_limit;
    int64_t request_memory_bytes; /* bodies of all requests together */
    int64_t direct_limit_us;      /* models faster than this run on the connection's thread */
    int64_t threads;              /* for computing; 0: as many as there are processors */
    int64_t exit_timeout_secs;
    int64_t log_verbose;
    bool log_info, log_warning, log_error;
} QsOptions;

typedef enum QsOptionsResult { QS_OPTIONS_GOOD, QS_OPTIONS_HELP, QS_OPTIONS_BAD } QsOptionsResult;

/* Reads the command line after its first word.  Prints help to stdout, what is wrong to stderr. */
QsOptionsResult qs_options_parse(QsOptions *out, int argc, char **argv);

#endif
