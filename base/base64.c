/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void qn_base64_print(QnText *out, QnBytes bytes)
{
    for (size_t at = 0; at < bytes.size; at += 3) {
        const size_t left = bytes.size - at;
        const uint32_t b = left > 1 ? bytes.data[at + 1] : 0, c = left > 2 ? bytes.data[at + 2] : 0;
        const uint32_t group = (uint32_t)bytes.data[at] << 16 | b << 8 | c;
        const char text[4] = {letters[group >> 18], letters[group >> 12 & 63],
                              left > 1 ? letters[group >> 6 & 63] : '=',
                              left > 2 ? letters[group & 63] : '='};
        qn_text_put(out, text, sizeof text);
    }
}

static int value_of(uint8_t c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool qn_base64_parse(QnBytes *out, QnBytes text, QnArena *arena, bool *no_memory)
{
    *no_memory = false;
    if (text.size % 4 != 0)
        return false;
    size_t padding = 0;
    while (padding < 2 && padding < text.size && text.data[text.size - 1 - padding] == '=')
        padding++;
    uint8_t *data = qn_arena_alloc_raw(arena, text.size / 4 * 3, 1);
    *no_memory = !data;
    if (!data)
        return false;
    size_t size = 0;
    uint32_t group = 0;
    for (size_t i = 0; i < text.size; i++) {
        const int value = i < text.size - padding ? value_of(text.data[i]) : 0;
        if (value < 0)
            return false;
        group = group << 6 | (uint32_t)value;
        if (i % 4 != 3)
            continue;
        data[size++] = (uint8_t)(group >> 16);
        data[size++] = (uint8_t)(group >> 8);
        data[size++] = (uint8_t)group;
    }
    /* The bits that padding cuts off must be 0, so that every content has one form. */
    if ((padding == 1 && data[size - 1]) || (padding == 2 && (data[size - 1] || data[size - 2])))
        return false;
    *out = qn_bytes(data, size - padding);
    return true;
}
