/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The HTTP parser on any bytes.  Cutting the bytes differently must not change what they mean, and
 * a body must never be longer than declared or than its room.
 */
#include <assert.h>
#include <stdlib.h>

#include "server/http/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What was seen, folded into a number. */
typedef struct Digest {
    uint64_t hash;
    uint8_t room[7];
} Digest;

static void fold(Digest *digest, uint64_t value)
{
    digest->hash = (digest->hash ^ value) * 0x100000001b3;
}

static void fold_head(Digest *digest, const QsHttpHead *head)
{
    fold(digest, head->header_count);
    fold(digest, head->content_length);
    for (size_t i = 0; i < head->path.size; i++)
        fold(digest, head->path.data[i]);
    for (size_t i = 0; i < head->header_count; i++)
        fold(digest, head->headers[i].name.size + 31 * head->headers[i].value.size);
}

static uint64_t digest_of(const uint8_t *data, size_t size, size_t step)
{
    static const QsHttpLimits limits = {
        .head_bytes = 512, .header_count = 8, .body_bytes = 64, .chunk_count = 9};
    Digest digest = {.hash = 0xcbf29ce484222325};
    QsHttp http;
    qs_http_init(&http, &limits);
    QsHttpEvent event = QS_HTTP_MORE;
    for (size_t at = 0; at <= size && event != QS_HTTP_BAD; at += step) {
        QnBytes input = qn_bytes(data + at, size - at < step ? size - at : step);
        while ((event = qs_http_feed(&http, &input)) != QS_HTTP_MORE && event != QS_HTTP_BAD) {
            if (event == QS_HTTP_HEAD)
                fold_head(&digest, &http.head);
            if (event == QS_HTTP_ROOM)
                qs_http_give_room(&http, digest.room, sizeof digest.room);
            if (event != QS_HTTP_END)
                continue;
            assert(http.body_size <= limits.body_bytes);
            fold(&digest, http.body_size);
            qs_http_next(&http);
        }
    }
    fold(&digest, (uint64_t)http.bad_status);
    qs_http_finish(&http);
    return digest.hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 4096)
        return 0;
    const uint64_t whole = digest_of(data, size, 4096);
    if (digest_of(data, size, 1) != whole || digest_of(data, size, 13) != whole)
        abort();
    return 0;
}
