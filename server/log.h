/* SPDX-License-Identifier: Apache-2.0 */
/* The server's log: one line per event, key=value, on stderr. */
#ifndef QS_LOG_H
#define QS_LOG_H

#include <stdbool.h>

#include "base/compiler.h"

/* Which levels are written.  Constant while it is used; any thread may write. */
typedef struct QsLog {
    bool info, warning, error;
    int verbose;
} QsLog;

/*
 * Writes "time=... level=info msg=\"...\"".  `level` is 'E', 'W', 'I' or 'V'; `user` is a QsLog.
 * Quotes and control characters in the message are escaped, so that no text from outside can make a
 * line of its own.
 */
void qs_log_write(void *user, char level, const char *message);

/* The same with a format. */
void qs_log(QsLog *log, char level, const char *format, ...) QN_PRINTF(3, 4);

#endif
