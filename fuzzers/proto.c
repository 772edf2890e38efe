/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The wire form of messages on any bytes.  What was read and written once must not change when it
 * is read and written again.
 */
#include <stdlib.h>

#include "tests/support/sample_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads bytes and writes them again; false where they are refused. */
static bool rewrite(QnText *out, QnBytes bytes)
{
    QnArena arena = {.limit_bytes = 64 << 20};
    QnReport report = qn_report(&arena);
    QnError err;
    Sample sample;
    qn_message_init(&sample, &sample_message);
    const QnStatus status = qn_message_read(&sample, &sample_message, bytes, &arena, &err);
    if (status == QN_OK) {
        qn_message_write(out, &sample_message, &sample);
        qn_message_check(&sample, &sample_message, "fuzz", &report);
    }
    qn_arena_finish(&arena);
    return status == QN_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    QnText once = qn_text(NULL), twice = qn_text(NULL);
    if (size <= 1 << 16 && rewrite(&once, qn_bytes(data, size))) {
        const QnBytes first = qn_bytes(once.data, once.size);
        if (!rewrite(&twice, first) || !qn_bytes_equal(qn_bytes(twice.data, twice.size), first))
            abort();
    }
    qn_text_finish(&once);
    qn_text_finish(&twice);
    return 0;
}
