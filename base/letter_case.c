/* SPDX-License-Identifier: Apache-2.0 */
#include "base/letter_case.h"

#include "base/compiler.h"
#include "base/letter_case_table.h"
#include "base/utf8.h"

/* Bisects the ranges, which are in order and do not overlap. */
static uint32_t change(const CaseRange *ranges, size_t count, uint32_t code_point)
{
    size_t low = 0, high = count;
    while (low < high) {
        const size_t middle = (low + high) / 2;
        const CaseRange *range = &ranges[middle];
        if (code_point > range->last) {
            low = middle + 1;
        } else if (code_point < range->first) {
            high = middle;
        } else {
            return (code_point - range->first) % range->step
                       ? code_point
                       : (uint32_t)((int32_t)code_point + range->distance);
        }
    }
    return code_point;
}

uint32_t qn_letter_lower(uint32_t code_point)
{
    if (code_point < 0x80)
        return code_point >= 'A' && code_point <= 'Z' ? code_point + ('a' - 'A') : code_point;
    return change(to_lower, QN_COUNT_OF(to_lower), code_point);
}

uint32_t qn_letter_upper(uint32_t code_point)
{
    if (code_point < 0x80)
        return code_point >= 'a' && code_point <= 'z' ? code_point - ('a' - 'A') : code_point;
    return change(to_upper, QN_COUNT_OF(to_upper), code_point);
}

/* The code point of a valid character of `size` bytes. */
static uint32_t decode(const uint8_t *at, int size)
{
    static const uint8_t first_bits[] = {0, 0x7f, 0x1f, 0x0f, 0x07};
    uint32_t code_point = at[0] & first_bits[size];
    for (int i = 1; i < size; i++)
        code_point = code_point << 6 | (at[i] & 0x3f);
    return code_point;
}

size_t qn_letter_case(char *to, const char *text, size_t size, bool upper)
{
    size_t made = 0;
    for (size_t at = 0; at < size;) {
        const int length = qn_utf8_size(qn_bytes(text + at, size - at));
        if (length == 0) {
            to[made++] = text[at++];
            continue;
        }
        const uint32_t code_point = decode((const uint8_t *)text + at, length);
        char changed[4];
        const int wide =
            qn_utf8_put(changed, upper ? qn_letter_upper(code_point) : qn_letter_lower(code_point));
        for (int i = 0; i < wide; i++)
            to[made++] = changed[i];
        at += (size_t)length;
    }
    return made;
}
