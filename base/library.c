/* SPDX-License-Identifier: Apache-2.0 */
#include "base/library.h"

#include <dlfcn.h>
#include <string.h>

#include "base/error.h"

/* Stays in memory when its handle is closed: opening anew would read and bind it again. */
static void *open_library(const char *file)
{
    return dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
}

QnStatus qn_library_open(const char *file, const char *const *names, size_t count, void *functions,
                         QnError *err)
{
    QnStatus status = QN_OK;
    void *handle = open_library(file);
    if (!handle)
        return qn_fail(err, QN_UNSUPPORTED, "a library is missing: %s", dlerror());
    for (size_t i = 0; i < count && status == QN_OK; i++) {
        /* A pointer to data and one to a function are alike wherever dlsym exists. */
        void *const found = dlsym(handle, names[i]);
        memcpy((char *)functions + i * sizeof found, &found, sizeof found);
        if (!found)
            status =
                qn_fail(err, QN_UNSUPPORTED, "%s has no %s, expected a newer one", file, names[i]);
    }
    dlclose(handle);
    return status;
}

bool qn_library_is_there(const char *file)
{
    void *handle = open_library(file);
    if (handle)
        dlclose(handle);
    return handle != NULL;
}
