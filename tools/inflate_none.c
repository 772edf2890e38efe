/* SPDX-License-Identifier: Apache-2.0 */
/* A build without zlib: stored members of archives only. */
#include "base/error.h"
#include "tools/inflate.h"

QnStatus inflate_bytes(void *to, size_t size, QnBytes packed, const char *name, QnError *err)
{
    (void)to;
    (void)size;
    (void)packed;
    return qn_fail(err, QN_UNSUPPORTED,
                   "%s: it is deflated, and this build has no zlib; write it with numpy.savez",
                   name);
}

const char *inflate_version(void)
{
    return NULL;
}
