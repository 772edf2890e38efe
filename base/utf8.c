/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 by the table of RFC 3629: what is well-formed, and where characters end. */
#include "base/utf8.h"

/*
 * Lead bytes that begin characters of 2 to 4 bytes, with the range that the second byte must lie
 * in: it is where overlong forms (e0, f0), surrogates (ed) and numbers past U+10FFFF (f4) are told
 * apart.  Bytes further on are 80 to bf.
 */
static const struct {
    uint8_t first, last, size, second_min, second_max;
} leads[] = {
    {0xc2, 0xdf, 2, 0x80, 0xbf}, {0xe0, 0xe0, 3, 0xa0, 0xbf}, {0xe1, 0xec, 3, 0x80, 0xbf},
    {0xed, 0xed, 3, 0x80, 0x9f}, {0xee, 0xef, 3, 0x80, 0xbf}, {0xf0, 0xf0, 4, 0x90, 0xbf},
    {0xf1, 0xf3, 4, 0x80, 0xbf}, {0xf4, 0xf4, 4, 0x80, 0x8f},
};

int qn_utf8_size(QnBytes bytes)
{
    if (bytes.size == 0)
        return 0;
    const uint8_t first = bytes.data[0];
    if (first < 0x80)
        return 1;
    for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++) {
        if (first < leads[i].first || first > leads[i].last)
            continue;
        if (bytes.size < leads[i].size || bytes.data[1] < leads[i].second_min ||
            bytes.data[1] > leads[i].second_max)
            return 0;
        for (int k = 2; k < leads[i].size; k++)
            if ((bytes.data[k] & 0xc0) != 0x80)
                return 0;
        return leads[i].size;
    }
    return 0;
}

bool qn_utf8_is_valid(QnBytes bytes)
{
    size_t at = 0;
    while (at < bytes.size) {
        /* Most text is ASCII: eight bytes at once. */
        while (bytes.size - at >= 8 &&
               (qn_load_u64(bytes.data + at) & UINT64_C(0x8080808080808080)) == 0)
            at += 8;
        if (at == bytes.size)
            break;
        const int size = qn_utf8_size(qn_bytes(bytes.data + at, bytes.size - at));
        if (size == 0)
            return false;
        at += (size_t)size;
    }
    return true;
}

int qn_utf8_put(char to[4], uint32_t code_point)
{
    if (code_point < 0x80) {
        to[0] = (char)code_point;
        return 1;
    }
    const int size = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    static const uint8_t marks[] = {0, 0, 0xc0, 0xe0, 0xf0};
    for (int i = size - 1; i > 0; i--) {
        to[i] = (char)(0x80 | (code_point & 0x3f));
        code_point >>= 6;
    }
    to[0] = (char)(marks[size] | code_point);
    return size;
}
