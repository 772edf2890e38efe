/* SPDX-License-Identifier: Apache-2.0 */
/* The server with one more backend, `identity`: what the tests of this folder run. */
#include "server/main.h"
#include "tests/server/identity_backend.h"

static const QsBackend *find(const char *name)
{
    return strcmp(name, qs_backend_identity.name) == 0 ? &qs_backend_identity
                                                       : qs_backend_find(name);
}

int main(int argc, char **argv)
{
    return qs_main_with(argc, argv, find);
}
