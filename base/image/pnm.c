/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Netpbm's maps: "P1" to "P6", width, height, and, but for bits, the largest value (up to 65535);
 * then the samples.  P1 (bits, 1 is black), P2 (grey) and P3 (RGB) write them as decimal numbers,
 * P4 packs eight bits in a byte, each row anew; P5 and P6 are P2 and P3 in one byte a sample, or in
 * two, high one first.  Comments run from # to the end of a line.
 */
#include <ctype.h>

#include "base/checked.h"
#include "base/image/formats.h"

typedef struct Map {
    QnBytes bytes;
    size_t at; /* the first byte not read yet */
    bool is_bits, is_text;
    int64_t most; /* the largest value */
} Map;

static void skip_spaces(Map *map)
{
    while (map->at < map->bytes.size &&
           (isspace(map->bytes.data[map->at]) || map->bytes.data[map->at] == '#')) {
        if (map->bytes.data[map->at] == '#')
            while (map->at < map->bytes.size && map->bytes.data[map->at] != '\n')
                map->at++;
        else
            map->at++;
    }
}

/* The next decimal number; -1 where there is none. */
static int64_t take_number(Map *map)
{
    int64_t value = -1;
    skip_spaces(map);
    for (; map->at < map->bytes.size && isdigit(map->bytes.data[map->at]) && value < 1 << 24;
         map->at++)
        value = (value < 0 ? 0 : value) * 10 + map->bytes.data[map->at] - '0';
    return value;
}

/* Bits as text need no white space between them. */
static int64_t take_digit(Map *map)
{
    skip_spaces(map);
    if (map->at >= map->bytes.size || (map->bytes.data[map->at] | 1) != '1')
        return -1;
    return map->bytes.data[map->at++] - '0';
}

static uint8_t to_byte(const Map *map, int64_t value)
{
    if (map->is_bits)
        return value ? 0 : 255;
    return (uint8_t)((qn_min_i64(value, map->most) * 255 + map->most / 2) / map->most);
}

static QnStatus fail_short(const QnImage *image, QnError *err)
{
    return qn_fail(err, QN_BAD_TENSOR, "the file ends before the last of %zu pixels",
                   (size_t)image->width * (size_t)image->height);
}

static QnStatus read_text(Map *map, QnImage *out, QnError *err)
{
    const size_t count = (size_t)out->width * (size_t)out->height * (size_t)out->channels;
    for (size_t i = 0; i < count; i++) {
        const int64_t value = map->is_bits ? take_digit(map) : take_number(map);
        if (value < 0)
            return fail_short(out, err);
        out->pixels[i] = to_byte(map, value);
    }
    return QN_OK;
}

static QnStatus read_bits(const Map *map, QnImage *out, QnError *err)
{
    const size_t row_bytes = ((size_t)out->width + 7) / 8;
    if (!qn_is_range(map->at, row_bytes * (size_t)out->height, map->bytes.size))
        return fail_short(out, err);
    uint8_t *to = out->pixels;
    for (int y = 0; y < out->height; y++) {
        const uint8_t *row = map->bytes.data + map->at + (size_t)y * row_bytes;
        for (int x = 0; x < out->width; x++)
            *to++ = to_byte(map, row[x / 8] >> (7 - x % 8) & 1);
    }
    return QN_OK;
}

static QnStatus read_bytes(const Map *map, QnImage *out, QnError *err)
{
    const size_t count = (size_t)out->width * (size_t)out->height * (size_t)out->channels;
    const size_t unit = map->most > 255 ? 2 : 1;
    if (!qn_is_range(map->at, count * unit, map->bytes.size))
        return fail_short(out, err);
    for (size_t i = 0; i < count; i++) {
        const uint8_t *from = map->bytes.data + map->at + i * unit;
        out->pixels[i] = to_byte(map, unit == 2 ? from[0] << 8 | from[1] : from[0]);
    }
    return QN_OK;
}

QnStatus qn_image_read_pnm(QnImage *out, QnBytes bytes, QnArena *arena, QnError *err)
{
    const int kind = bytes.data[1] - '0';
    Map map = {.bytes = bytes, .at = 2, .is_bits = kind % 3 == 1, .is_text = kind < 4, .most = 1};
    const int64_t width = take_number(&map), height = take_number(&map);
    if (!map.is_bits)
        map.most = take_number(&map);
    map.at++; /* the one white space before samples that are no text */
    if (map.most < 1 || map.most > 65535)
        return qn_fail(err, QN_BAD_TENSOR, "the largest value is %lld, expected 1 to 65535",
                       (long long)map.most);
    QN_TRY(qn_image_create(out, width, height, kind % 3 ? 1 : 3, bytes.size, QN_IMAGE_DENSE, arena,
                           err));
    if (map.is_text)
        return read_text(&map, out, err);
    return map.is_bits ? read_bits(&map, out, err) : read_bytes(&map, out, err);
}
