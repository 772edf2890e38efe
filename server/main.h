/* SPDX-License-Identifier: Apache-2.0 */
/* `quern serve`: a server of models, from its command line to its exit status. */
#ifndef QS_MAIN_H
#define QS_MAIN_H

#include "server/backends/backend.h"

/*
 * Serves until a signal ends it.  argv[0] is the command's name.  Returns 0 after a shutdown in
 * time, 1 where it failed or could not begin, 2 for wrong usage.  Once per process: it takes
 * SIGTERM and SIGINT.
 */
int qs_main(int argc, char **argv);

/* The same with backends of the caller's choice. */
int qs_main_with(int argc, char **argv, const QsBackend *(*find_backend)(const char *name));

#endif
