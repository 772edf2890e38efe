/* SPDX-License-Identifier: Apache-2.0 */
/*
 * config.pbtxt of any bytes: parsed, completed, checked and printed.  Completing twice changes
 * nothing more, and the printed form is JSON.
 */
#include <stdlib.h>

#include "server/config/model_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void complete_and_print(QnText *to, QsModelConfig *config, QnArena *arena)
{
    const QsCompletion known = {.name = "model.x"};
    QnError err;
    to->size = 0;
    if (qs_config_complete(config, &known, arena, &err) == QN_OK) {
        qs_config_check(config, true, &err);
        qs_config_print_json(to, config);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    QnArena arena = {.limit_bytes = 64 << 20};
    QsModelConfig config;
    QnError err;
    if (qs_config_parse(&config, qn_bytes(data, size), "fuzz", &arena, &err) == QN_OK) {
        QnText first = qn_text(NULL), second = qn_text(NULL);
        complete_and_print(&first, &config, &arena);
        complete_and_print(&second, &config, &arena);
        if (first.size != second.size ||
            (first.size && memcmp(first.data, second.data, first.size) != 0))
            abort();
        QnJson json = qn_json(qn_bytes(first.data, first.size));
        json.allow_nan = true;
        if (first.size && qn_json_finish(&json, "config", &err) != QN_OK)
            abort();
        qn_text_finish(&first);
        qn_text_finish(&second);
    }
    qn_arena_finish(&arena);
    return 0;
}
