/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Netpbm's raw maps:  "P5" (grey) or "P6" (RGB), width, height, largest value (up to 65535, then
 * two bytes each, high one first), one white space, pixels.  Comments run from # to the end of a
 * line.
 */
#include <ctype.h>

#include "base/checked.h"
#include "base/error.h"
#include "tools/image_formats.h"

static bool probe(QnBytes bytes)
{
    return bytes.size > 3 && bytes.data[0] == 'P' &&
           (bytes.data[1] == '5' || bytes.data[1] == '6') && isspace(bytes.data[2]);
}

/* The next number of the header; -1 where there is none. */
static int64_t take_number(QnBytes bytes, size_t *at)
{
    while (*at < bytes.size && (isspace(bytes.data[*at]) || bytes.data[*at] == '#')) {
        if (bytes.data[*at] == '#')
            while (*at < bytes.size && bytes.data[*at] != '\n')
                ++*at;
        else
            ++*at;
    }
    int64_t value = -1;
    for (; *at < bytes.size && isdigit(bytes.data[*at]) && value < 1 << 24; ++*at)
        value = (value < 0 ? 0 : value) * 10 + bytes.data[*at] - '0';
    return value;
}

static QnStatus read_pixels(Image *out, QnBytes bytes, const char *name, QnValueStore *store,
                            QnError *err)
{
    size_t at = 2;
    const int64_t width = take_number(bytes, &at), height = take_number(bytes, &at);
    const int64_t most = take_number(bytes, &at);
    at++; /* the one white space */
    if (most < 1 || most > 65535)
        return qn_fail(err, QN_BAD_TENSOR, "%s: the largest value is %lld, expected 1 to 65535",
                       name, (long long)most);
    QN_TRY(image_create(out, width, height, bytes.data[1] == '6' ? 3 : 1, bytes.size, name, store,
                        err));
    const size_t count = (size_t)width * (size_t)height * (size_t)out->channels;
    const size_t unit = most > 255 ? 2 : 1;
    if (!qn_is_range(at, count * unit, bytes.size))
        return qn_fail(err, QN_BAD_TENSOR, "%s: the file ends before the last of %zu pixels", name,
                       (size_t)width * (size_t)height);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *from = bytes.data + at + i * unit;
        const int64_t value = unit == 2 ? from[0] << 8 | from[1] : from[0];
        out->pixels[i] = (uint8_t)((qn_min_i64(value, most) * 255 + most / 2) / most);
    }
    return QN_OK;
}

const ImageFormat image_format_pnm = {.name = "pnm", .probe = probe, .read = read_pixels};
