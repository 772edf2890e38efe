/* SPDX-License-Identifier: Apache-2.0 */
/* Every backend, one line each. */
#include "server/backends/backend.h"

extern const QsBackend qs_backend_quern;

static const QsBackend *const backends[] = {
    &qs_backend_quern,
};

const QsBackend *qs_backend_find(const char *name)
{
    for (size_t i = 0; i < QN_COUNT_OF(backends); i++)
        if (strcmp(backends[i]->name, name) == 0)
            return backends[i];
    return NULL;
}
