/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protobuf's text format on any bytes.  What was parsed and printed once must not change when it is
 * parsed and printed again, and a text that is refused must have a finding.
 */
#include <stdlib.h>

#include "base/prototext.h"
#include "tests/support/sample_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Parses a text and prints it again; false where it is refused. */
static bool reprint(QnText *out, QnBytes text)
{
    QnArena arena = {.limit_bytes = 64 << 20};
    QnReport report = qn_report(&arena);
    QnError err;
    Sample sample;
    qn_message_init(&sample, &sample_message);
    const QnStatus status =
        qn_prototext_parse(&sample, &sample_message, text, "fuzz", &arena, &report, &err);
    if (status == QN_OK)
        qn_prototext_print(out, &sample_message, &sample);
    else if (status == QN_BAD_MODEL && !report.first)
        abort();
    qn_arena_finish(&arena);
    return status == QN_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    QnText once = qn_text(NULL), twice = qn_text(NULL);
    if (size <= 1 << 16 && reprint(&once, qn_bytes(data, size))) {
        const QnBytes first = qn_bytes(once.data, once.size);
        if (!reprint(&twice, first) || !qn_bytes_equal(qn_bytes(twice.data, twice.size), first))
            abort();
    }
    qn_text_finish(&once);
    qn_text_finish(&twice);
    return 0;
}
