/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON on any bytes: as plain values, which must be skipped and read alike, and as a message, which
 * must not change when it is printed and parsed again.
 */
#include <stdlib.h>

#include "tests/support/sample_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Reads every value with the accessor of its kind.  Depth is bounded by the cursor. */
static void read_value(QnJson *in, QnArena *arena)
{
    const QnJsonKind kind = qn_json_kind(in);
    if (kind == QN_JSON_OBJECT) {
        for (qn_json_begin_object(in); qn_json_next_member(in);) {
            qn_json_key_is(in, "name");
            read_value(in, arena);
        }
    } else if (kind == QN_JSON_ARRAY) {
        for (qn_json_begin_array(in); qn_json_next_element(in);)
            read_value(in, arena);
    } else if (kind == QN_JSON_STRING) {
        qn_json_text(in, arena);
    } else if (kind == QN_JSON_NUMBER) {
        qn_json_number(in);
    } else if (!qn_json_null(in)) {
        qn_json_bool(in);
    }
}

static void check_values(QnBytes bytes)
{
    QnArena arena = {0};
    QnError err;
    QnJson reading = qn_json(bytes), skipping = qn_json(bytes), numbers = qn_json(bytes);
    float values[16];
    read_value(&reading, &arena);
    qn_json_read_f32(&numbers, values, 16);
    const QnStatus status = qn_json_finish(&skipping, "fuzz", &err);
    if (qn_json_finish(&reading, "fuzz", &err) != status ||
        (qn_json_finish(&numbers, "fuzz", &err) == QN_OK && status != QN_OK))
        abort();
    qn_arena_finish(&arena);
}

/* Parses a message and prints it again; false where it is refused. */
static bool reprint(QnText *out, QnBytes bytes)
{
    QnArena arena = {.limit_bytes = 64 << 20};
    QnError err;
    Sample sample;
    qn_message_init(&sample, &sample_message);
    QnJson in = qn_json(bytes);
    QnJsonWriter to = qn_json_writer(out);
    to.nan = QN_JSON_NAN_TEXT;
    const bool is_read =
        qn_message_parse_json(&sample, &sample_message, &in, "fuzz", &arena, &err) == QN_OK &&
        qn_json_finish(&in, "fuzz", &err) == QN_OK;
    if (is_read)
        qn_message_print_json(&to, &sample_message, &sample, &(QnMessageJson){0});
    qn_arena_finish(&arena);
    return is_read;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    QnText once = qn_text(NULL), twice = qn_text(NULL);
    if (size > 1 << 16)
        return 0;
    check_values(qn_bytes(data, size));
    if (reprint(&once, qn_bytes(data, size))) {
        const QnBytes first = qn_bytes(once.data, once.size);
        if (!reprint(&twice, first) || !qn_bytes_equal(qn_bytes(twice.data, twice.size), first))
            abort();
    }
    qn_text_finish(&once);
    qn_text_finish(&twice);
    return 0;
}
