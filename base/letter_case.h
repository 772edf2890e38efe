/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Upper and lower case of UTF-8 text, by Unicode's simple mappings: each character becomes one
 * character, without regard to language or neighbours ("ß" has no upper case of its own).
 */
#ifndef QN_BASE_LETTER_CASE_H
#define QN_BASE_LETTER_CASE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* One character, upper or lower. */
uint32_t qn_letter_lower(uint32_t code_point);
uint32_t qn_letter_upper(uint32_t code_point);

/* Writes [text, text + size) to to[2 * size] in upper or lower case and returns the new size.
 * Bytes that are no UTF-8 stay as they are. */
size_t qn_letter_case(char *to, const char *text, size_t size, bool upper);

#endif
