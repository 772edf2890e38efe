/* SPDX-License-Identifier: Apache-2.0 */
/* Reading, compiling and freeing, in the order that the handles depend on one another. */
#include "tools/loaded.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"

static QnStatus check_precision(const char *precision, QnError *err)
{
    if (!precision || !strcmp(precision, "fp32"))
        return QN_OK;
    return qn_fail(err, QN_BAD_ARGUMENT, "--precision is '%s', expected fp32", precision);
}

/* "IN=OUT" rows as the pairs that a plan takes; `names` owns a copy of each row. */
static QnStatus split_states(const char **pairs, char **names, const TextList *states, QnError *err)
{
    for (int i = 0; i < states->count; i++) {
        names[i] = strdup(states->items[i]);
        if (!names[i])
            return qn_no_memory(err);
        char *equals = strchr(names[i], '=');
        if (!equals)
            return qn_fail(err, QN_BAD_ARGUMENT, "--state is '%s', expected IN=OUT", names[i]);
        *equals = '\0';
        pairs[2 * i] = names[i];
        pairs[2 * i + 1] = equals + 1;
    }
    return QN_OK;
}

/* A plan file is loaded with the options that it was made with: the library says what differs. */
static QnStatus make_plan(Loaded *out, const char *path, const LoadOptions *options, QnError *err)
{
    const char *pairs[2 * LIST_MOST + 1] = {NULL};
    char *names[LIST_MOST] = {NULL};
    QnStatus status = split_states(pairs, names, &options->states, err);
    const QnPlanOptions planning = {
        .size = sizeof planning,
        .device = options->device,
        .math = options->strict ? QN_MATH_STRICT : QN_MATH_NORMAL,
        .without = options->without,
        .no_reference = options->no_reference,
        .states = options->states.count ? pairs : NULL,
        .keep_all = options->keep_all,
    };
    if (status == QN_OK)
        status = out->model ? qn_plan_build(&out->plan, out->model, &planning, NULL, err)
                            : qn_plan_load(&out->plan, path, &planning, err);
    for (int i = 0; i < options->states.count; i++)
        free(names[i]);
    return status;
}

bool loaded_is_plan(const char *path)
{
    static const char magic[] = "QNPLAN\r\n"; /* the first bytes of a plan file */
    char head[sizeof magic - 1];
    FILE *file = fopen(path, "re");
    const bool is =
        file && fread(head, sizeof head, 1, file) == 1 && memcmp(head, magic, sizeof head) == 0;
    if (file)
        fclose(file);
    return is;
}

QnStatus loaded_open(Loaded *out, const char *path, const LoadOptions *options, QnError *err)
{
    const int64_t begin = qn_clock_now(NULL);
    QN_TRY(check_precision(options->precision, err));
    if (qn_value_store_create(&out->store) != QN_OK)
        return qn_no_memory(err);
    QN_TRY(qn_thread_pool_create(&out->pool, (int)options->threads, err));
    const QnModelOptions reading = {.size = sizeof reading};
    if (!loaded_is_plan(path))
        QN_TRY(qn_model_load(&out->model, path, &reading, NULL, err));
    QN_TRY(make_plan(out, path, options, err));
    const QnSessionOptions running = {.size = sizeof running, .pool = out->pool};
    QN_TRY(qn_session_create(&out->session, out->plan, &running, err));
    out->load_ns = qn_clock_now(NULL) - begin;
    return QN_OK;
}

void loaded_close(Loaded *loaded)
{
    qn_session_free(loaded->session);
    qn_plan_free(loaded->plan);
    qn_model_free(loaded->model);
    qn_thread_pool_free(loaded->pool);
    qn_value_store_free(loaded->store);
}
