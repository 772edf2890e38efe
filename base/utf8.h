/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 as RFC 3629 has it: no overlong forms, no surrogates, nothing past U+10FFFF. */
#ifndef QN_BASE_UTF8_H
#define QN_BASE_UTF8_H

#include "base/bytes.h"

/* The size of the valid character that `bytes` begins with, 1 to 4; 0 where there is none. */
int qn_utf8_size(QnBytes bytes);

/* Are all of the bytes valid characters?  Zero bytes are. */
bool qn_utf8_is_valid(QnBytes bytes);

/* Writes a code point (at most 0x10ffff, no surrogate) and returns its size, 1 to 4. */
int qn_utf8_put(char to[4], uint32_t code_point);

#endif
