/* SPDX-License-Identifier: Apache-2.0 */
/* Options structs of the public API, which grow:
 * the caller's may be older and shorter, or newer and longer. */
#ifndef QN_ENGINE_API_OPTIONS_H
#define QN_ENGINE_API_OPTIONS_H

#include <string.h>

#include "base/error.h"

/*
 * Copies what the caller knows of into `to`, which is zeroed; NULL: all defaults.  QN_BAD_ARGUMENT
 * where the size is less than the size field itself, or a newer caller set something that this
 * library does not know.
 */
static inline QnStatus qn_options_fill(void *to, size_t to_size, const void *from, size_t from_size,
                                       const char *name, QnError *err)
{
    memset(to, 0, to_size);
    if (!from)
        return QN_OK;
    if (from_size < sizeof(size_t))
        return qn_fail(err, QN_BAD_ARGUMENT, "%s.size is %zu, expected sizeof(%s)", name, from_size,
                       name);
    for (size_t i = to_size; i < from_size; i++)
        if (((const unsigned char *)from)[i])
            return qn_fail(err, QN_BAD_ARGUMENT, "%s has options that this version does not know",
                           name);
    memcpy(to, from, from_size < to_size ? from_size : to_size);
    return QN_OK;
}

#endif
