/* SPDX-License-Identifier: Apache-2.0 */
/* Content codings: gzip and deflate, as zlib has them. */
#include "server/http/encoding.h"

#include <limits.h>
#include <zlib.h>

enum {
    STEP_BYTES = 65536,
    ANY_FORMAT =
        15 + 32, /* zlib: the largest window, and gzip or zlib by what the data begin with */
    GZIP_FORMAT = 15 + 16,
    ZLIB_FORMAT = 15
};

static const char *const names[] = {"identity", "gzip", "deflate", "unknown"};

const char *qs_encoding_name(QsEncoding encoding)
{
    return names[encoding];
}

static QsEncoding find(QnBytes name)
{
    for (int i = 0; i < QS_UNKNOWN_ENCODING; i++)
        if (qn_bytes_is(name, names[i]))
            return (QsEncoding)i;
    return QS_UNKNOWN_ENCODING;
}

QsEncoding qs_encoding_find(QnBytes name)
{
    return name.size ? find(name) : QS_IDENTITY;
}

static QnBytes trim(QnBytes text)
{
    while (text.size && (text.data[0] == ' ' || text.data[0] == '\t'))
        text = qn_bytes(text.data + 1, text.size - 1);
    while (text.size && (text.data[text.size - 1] == ' ' || text.data[text.size - 1] == '\t'))
        text.size--;
    return text;
}

static QnBytes cut(QnBytes *text, char mark)
{
    const uint8_t *at = text->size ? memchr(text->data, mark, text->size) : NULL;
    const size_t size = at ? (size_t)(at - text->data) : text->size;
    const QnBytes before = qn_bytes(text->data, size);
    *text = at ? qn_bytes(at + 1, text->size - size - 1) : qn_bytes(text->data + size, 0);
    return trim(before);
}

/* The q of "gzip;q=0.5": 1 where there is none, negative where it is malformed. */
static double quality(QnBytes parameters)
{
    const QnBytes text = trim(parameters);
    double q;
    if (text.size == 0)
        return 1;
    if (text.size < 3 || memcmp(text.data, "q=", 2) != 0 ||
        !qn_parse_f64(&q, (const char *)text.data + 2, text.size - 2) || !(q >= 0 && q <= 1))
        return -1;
    return q;
}

QsEncoding qs_encoding_choose(QnBytes accepted)
{
    QsEncoding best = QS_IDENTITY;
    double best_q = 0;
    while (accepted.size) {
        QnBytes item = cut(&accepted, ',');
        const QsEncoding encoding = find(cut(&item, ';'));
        const double q = quality(item);
        if (encoding == QS_UNKNOWN_ENCODING || q <= best_q)
            continue;
        best = encoding;
        best_q = q;
    }
    return best;
}

/* As many bytes as zlib can be told of at once. */
static uInt step_of(size_t size)
{
    return size < INT_MAX ? (uInt)size : INT_MAX;
}

/* Runs the stream until it ends, wants more than there is, or has given too much. */
static QnStatus inflate_all(z_stream *stream, QnText *out, QnBytes packed, size_t limit,
                            QnError *err)
{
    int status = Z_OK;
    while (status == Z_OK) {
        if (stream->avail_in == 0) {
            stream->avail_in = step_of(packed.size);
            stream->next_in = (Bytef *)(uintptr_t)packed.data;
            packed = qn_bytes(packed.data + stream->avail_in, packed.size - stream->avail_in);
        }
        char *room = qn_text_reserve(out, STEP_BYTES);
        if (!room)
            return qn_no_memory(err);
        stream->next_out = (Bytef *)room;
        stream->avail_out = STEP_BYTES;
        status = inflate(stream, Z_NO_FLUSH);
        out->size += STEP_BYTES - stream->avail_out;
        if (out->size > limit)
            return qn_fail(
                err, QN_BAD_ARGUMENT,
                "Decompressed data size exceeds the maximum allowed value of %zu bytes. Use "
                "--http-max-input-size to increase the limit.",
                limit);
    }
    if (status == Z_MEM_ERROR)
        return qn_no_memory(err);
    if (status == Z_STREAM_END && stream->avail_in == 0 && packed.size == 0)
        return QN_OK;
    return qn_fail(err, QN_BAD_ARGUMENT, "the compressed body is %s",
                   status == Z_STREAM_END  ? "followed by something else"
                   : status == Z_BUF_ERROR ? "cut off"
                                           : "damaged");
}

QnStatus qs_decode(QnText *out, QnBytes packed, size_t limit, QnError *err)
{
    z_stream stream = {0};
    if (packed.size == 0)
        return qn_fail(err, QN_BAD_ARGUMENT, "nothing to be decompressed");
    if (inflateInit2(&stream, ANY_FORMAT) != Z_OK)
        return qn_no_memory(err);
    const QnStatus status = inflate_all(&stream, out, packed, limit, err);
    inflateEnd(&stream);
    return status;
}

/* Feeds some bytes to the stream, and at the end finishes it. */
static bool deflate_some(z_stream *stream, QnText *out, QnBytes bytes, bool is_last)
{
    int status = Z_OK;
    do {
        if (stream->avail_in == 0 && bytes.size) {
            stream->avail_in = step_of(bytes.size);
            stream->next_in = (Bytef *)(uintptr_t)bytes.data;
            bytes = qn_bytes(bytes.data + stream->avail_in, bytes.size - stream->avail_in);
        }
        char *room = qn_text_reserve(out, STEP_BYTES);
        if (!room)
            return false;
        stream->next_out = (Bytef *)room;
        stream->avail_out = STEP_BYTES;
        status = deflate(stream, is_last && bytes.size == 0 ? Z_FINISH : Z_NO_FLUSH);
        out->size += STEP_BYTES - stream->avail_out;
    } while (is_last ? status == Z_OK : stream->avail_in || bytes.size);
    return is_last ? status == Z_STREAM_END : true;
}

bool qs_encode(QnText *out, QsEncoding encoding, const QnBytes *spans, size_t count)
{
    z_stream stream = {0};
    const int format = encoding == QS_GZIP ? GZIP_FORMAT : ZLIB_FORMAT;
    if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, format, 8, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return false;
    bool is_good = true;
    for (size_t i = 0; i < count && is_good; i++)
        is_good = spans[i].size == 0 || deflate_some(&stream, out, spans[i], false);
    is_good = is_good && deflate_some(&stream, out, (QnBytes){0}, true);
    deflateEnd(&stream);
    return is_good;
}
