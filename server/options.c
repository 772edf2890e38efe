/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The options of `quern serve`: one table that parses, defaults, bounds and documents them.
 *
 *     --name=value, --name value, --flag; a prefix will do where only one option has it
 */
#include "server/options.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/text.h"

typedef enum Kind { TEXT, NUMBER, BOOLEAN, FLAG, REPOSITORY } Kind;

typedef struct Option {
    const char *name;
    Kind kind;
    size_t offset;       /* of the member */
    const char *initial; /* the default, as on a command line; NULL: none */
    int64_t min, max;    /* of numbers */
    const char *what;
} Option;

#define AT(member) offsetof(QsOptions, member)

/* clang-format off */
static const Option table[] = {
    {"model-repository", REPOSITORY, 0, NULL, 0, 0, "DIR: folder of models; may be given several times"},
    {"model-store", REPOSITORY, 0, NULL, 0, 0, "DIR: the same"},
    {"id", TEXT, AT(id), "triton", 0, 0, "NAME: the server's name in its metadata"},
    {"http-address", TEXT, AT(http_address), "0.0.0.0", 0, 0, "ADDRESS: where to listen"},
    {"http-port", NUMBER, AT(http_port), "8000", 0, 65535, "N: 0 picks a free one and logs it"},
    {"http-thread-count", NUMBER, AT(http_thread_count), "2", 1, 1024, "N: event loops"},
    {"http-max-input-size", NUMBER, AT(http_max_input_size), "67108864", 1, INT64_MAX, "BYTES: largest JSON or raw body"},
    {"http-header-bytes", NUMBER, AT(http_header_bytes), "16384", 256, 1 << 24, "BYTES: largest request head"},
    {"http-header-count", NUMBER, AT(http_header_count), "100", 1, 100000, "N: most header fields of a request"},
    {"http-idle-timeout-secs", NUMBER, AT(http_idle_timeout_secs), "75", 1, 1 << 30, "S: between requests"},
    {"http-head-timeout-secs", NUMBER, AT(http_head_timeout_secs), "15", 1, 1 << 30, "S: for a request's whole head"},
    {"http-body-timeout-secs", NUMBER, AT(http_body_timeout_secs), "30", 1, 1 << 30, "S: between pieces of a body"},
    {"connection-limit", NUMBER, AT(connection_limit), "4096", 1, 1 << 20, "N: open connections"},
    {"request-memory-bytes", NUMBER, AT(request_memory_bytes), "2147483648", 4096, INT64_MAX, "BYTES: for all bodies together"},
    {"direct-limit-us", NUMBER, AT(direct_limit_us), "100", 0, 1 << 30, "US: faster models run on the connection's thread"},
    {"threads", NUMBER, AT(threads), "0", 0, 4096, "N: for computing; 0: one per processor"},
    {"exit-on-error", BOOLEAN, AT(exit_on_error), "true", 0, 0, "BOOL: end if a model fails to load"},
    {"strict-readiness", BOOLEAN, AT(strict_readiness), "true", 0, 0, "BOOL: ready only if every model is"},
    {"disable-auto-complete-config", FLAG, AT(disable_auto_complete_config), "false", 0, 0, "configurations must be complete"},
    {"model-load-thread-count", NUMBER, AT(model_load_thread_count), "4", 1, 256, "N: models that load at once"},
    {"model-load-retry-count", NUMBER, AT(model_load_retry_count), "0", 0, 1000, "N: further attempts of a load"},
    {"exit-timeout-secs", NUMBER, AT(exit_timeout_secs), "30", 0, 1 << 30, "S: for running requests at the end"},
    {"log-verbose", NUMBER, AT(log_verbose), "0", 0, 100, "N: 1 logs more"},
    {"log-info", BOOLEAN, AT(log_info), "true", 0, 0, "BOOL"},
    {"log-warning", BOOLEAN, AT(log_warning), "true", 0, 0, "BOOL"},
    {"log-error", BOOLEAN, AT(log_error), "true", 0, 0, "BOOL"},
};
/* clang-format on */

enum { OPTION_COUNT = sizeof table / sizeof table[0] };

static void print_help(void)
{
    printf("quern serve --model-repository=DIR [options]: serve models over HTTP\n\n");
    for (size_t i = 0; i < OPTION_COUNT; i++)
        printf("  --%-29s %s%s%s%s\n", table[i].name, table[i].what, table[i].initial ? " (" : "",
               table[i].initial ? table[i].initial : "", table[i].initial ? ")" : "");
    printf("\nexamples:\n  quern serve --model-repository=models\n"
           "  quern serve --model-repository=models --http-address=127.0.0.1 --http-port=9000\n");
}

/* The option of that name or of the only one that begins with it;
 * NULL, and said why, where there is none. */
static const Option *find(const char *name, size_t size)
{
    const Option *found = NULL;
    const char *names[OPTION_COUNT];
    char wanted[64];
    int count = 0;
    for (size_t i = 0; i < OPTION_COUNT; i++) {
        names[i] = table[i].name;
        if (strncmp(table[i].name, name, size) != 0)
            continue;
        if (strlen(table[i].name) == size)
            return &table[i];
        found = &table[i];
        count++;
    }
    if (count == 1)
        return found;
    snprintf(wanted, sizeof wanted, "%.*s", (int)size, name);
    const char *near = qn_did_you_mean(wanted, names, OPTION_COUNT);
    fprintf(stderr, "quern serve: unknown option --%s%s%s%s\n", wanted,
            near ? "; did you mean --" : "", near ? near : "", near ? "?" : "; see --help");
    return NULL;
}

static bool parse_bool(bool *out, const char *text)
{
    static const char *const words[2][3] = {{"false", "off", "0"}, {"true", "on", "1"}};
    for (int value = 0; value < 2; value++)
        for (int i = 0; i < 3; i++)
            if (strcasecmp(text, words[value][i]) == 0) {
                *out = value;
                return true;
            }
    return false;
}

static bool add_repository(QsOptions *out, const char *folder)
{
    if (out->model_repository_count == QS_REPOSITORY_LIMIT)
        return false;
    out->model_repositories[out->model_repository_count++] = folder;
    return true;
}

/* Puts a value where it belongs; false where it is none. */
static bool set(QsOptions *out, const Option *option, const char *text)
{
    char *member = (char *)out + option->offset;
    int64_t number;
    switch (option->kind) {
    case TEXT:
        *(const char **)(void *)member = text;
        return *text != 0;
    case REPOSITORY:
        return add_repository(out, text);
    case NUMBER:
        if (!qn_parse_i64(&number, text, strlen(text)) || number < option->min ||
            number > option->max)
            return false;
        *(int64_t *)(void *)member = number;
        return true;
    default:
        return parse_bool((bool *)member, text);
    }
}

static void print_bad(const Option *option, const char *text)
{
    fprintf(stderr, "quern serve: Bad option: \"--%s\": got '%s', expected ", option->name, text);
    if (option->kind == NUMBER)
        fprintf(stderr, "a number from %lld to %lld\n", (long long)option->min,
                (long long)option->max);
    else if (option->kind == BOOLEAN || option->kind == FLAG)
        fprintf(stderr, "true or false\n");
    else if (option->kind == REPOSITORY)
        fprintf(stderr, "at most %d folders\n", QS_REPOSITORY_LIMIT);
    else
        fprintf(stderr, "some text\n");
}

/* Takes one option off the front; false: it is wrong. */
static bool take(QsOptions *out, int *at, int argc, char **argv)
{
    const char *word = argv[*at];
    if (strncmp(word, "--", 2) != 0) {
        fprintf(stderr, "quern serve: Unexpected argument: %s\n", word);
        return false;
    }
    const char *name = word + 2, *equals = strchr(name, '=');
    const Option *option = find(name, equals ? (size_t)(equals - name) : strlen(name));
    if (!option)
        return false;
    const char *value = equals ? equals + 1 : NULL;
    if (!value && option->kind == FLAG)
        value = "true";
    else if (!value && *at + 1 < argc)
        value = argv[++*at];
    if (!value) {
        fprintf(stderr, "quern serve: option --%s needs a value\n", option->name);
        return false;
    }
    if (!set(out, option, value)) {
        print_bad(option, value);
        return false;
    }
    return true;
}

QsOptionsResult qs_options_parse(QsOptions *out, int argc, char **argv)
{
    *out = (QsOptions){0};
    for (size_t i = 0; i < OPTION_COUNT; i++)
        if (table[i].initial)
            set(out, &table[i], table[i].initial);
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            print_help();
            return QS_OPTIONS_HELP;
        }
        if (!take(out, &i, argc, argv))
            return QS_OPTIONS_BAD;
    }
    if (out->model_repository_count)
        return QS_OPTIONS_GOOD;
    fprintf(stderr, "quern serve: --model-repository must be given; see --help\n");
    return QS_OPTIONS_BAD;
}
