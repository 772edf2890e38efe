/* SPDX-License-Identifier: Apache-2.0 */
/* Deflated bytes (RFC 1951), by zlib where it was found. */
#ifndef QN_TOOLS_INFLATE_H
#define QN_TOOLS_INFLATE_H

#include "base/bytes.h"
#include "quern/status.h"

/* Unpacks into exactly `size` bytes.  QN_BAD_TENSOR, or QN_UNSUPPORTED where this build lacks
 * zlib; `name` stands for the file. */
QnStatus inflate_bytes(void *to, size_t size, QnBytes packed, const char *name, QnError *err);

/* For --version: "zlib 1.2.13"; NULL: this build has none. */
const char *inflate_version(void);

#endif
