/* SPDX-License-Identifier: Apache-2.0 */
/* base64 with padding (RFC 4648, section 4): how JSON carries bytes. */
#ifndef QN_BASE_BASE64_H
#define QN_BASE_BASE64_H

#include "base/text.h"

void qn_base64_print(QnText *out, QnBytes bytes);

/* The decoded bytes, in an arena; false where the text is no base64.
 * No memory is a false with `*no_memory` set. */
bool qn_base64_parse(QnBytes *out, QnBytes text, QnArena *arena, bool *no_memory);

#endif
