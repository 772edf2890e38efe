/* SPDX-License-Identifier: Apache-2.0 */
/* Deflated members of archives, by zlib. */
#include <limits.h>
#include <zlib.h>

#include "base/error.h"
#include "tools/inflate.h"

QnStatus inflate_bytes(void *to, size_t size, QnBytes packed, const char *name, QnError *err)
{
    z_stream stream = {.next_in = (Bytef *)(uintptr_t)packed.data, .next_out = to};
    if (packed.size > UINT_MAX || size > UINT_MAX)
        return qn_fail(err, QN_UNSUPPORTED, "%s: members of 4 GiB and more must be stored", name);
    if (inflateInit2(&stream, -MAX_WBITS) != Z_OK) /* negative: no header around it */
        return qn_no_memory(err);
    stream.avail_in = (uInt)packed.size;
    stream.avail_out = (uInt)size;
    const int result = inflate(&stream, Z_FINISH);
    const size_t left = stream.avail_out;
    inflateEnd(&stream);
    if (result == Z_STREAM_END && left == 0)
        return QN_OK;
    return qn_fail(err, QN_BAD_TENSOR, "%s: a member does not unpack to its %zu bytes", name, size);
}

const char *inflate_version(void)
{
    return "zlib " ZLIB_VERSION;
}
