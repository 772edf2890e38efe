/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Telling the program around us what happens, through one callback.  The library never prints.
 *
 * A message is one line.  Where it is made of parts, they are `key=value` pairs, whose values are
 * quoted and escaped so that a name from outside can add neither a line nor a pair.
 */
#ifndef QN_BASE_LOG_H
#define QN_BASE_LOG_H

#include <stdint.h>

#include "base/bytes.h"
#include "base/compiler.h"

/* Most important first. */
typedef enum QnLogLevel { QN_LOG_ERROR, QN_LOG_WARNING, QN_LOG_INFO, QN_LOG_DEBUG } QnLogLevel;

/* Where messages go.  A NULL QnLog, or one without `write`, is silence. */
typedef struct QnLog {
    void *user;
    QnLogLevel level; /* messages of this level and of more important ones are written */
    /* Called from any thread, also from several at once.  `message` has neither control characters
     * nor an end of line. */
    void (*write)(void *user, QnLogLevel level, const char *area, const char *message);
} QnLog;

/* "error", "warning", "info", "debug"; never NULL. */
const char *qn_log_level_name(QnLogLevel level);

/* Is a message of that level wanted?  To be asked before much work is done for it. */
static inline bool qn_log_wants(const QnLog *log, QnLogLevel level)
{
    return log && log->write && level <= log->level;
}

/* Writes a formatted message; control characters in it are escaped, and what is too long is cut. */
void qn_log(const QnLog *log, QnLogLevel level, const char *area, const char *format, ...)
    QN_PRINTF(4, 5);

enum { QN_LOG_LINE_BYTES = 2048 };

/* A message of pairs, in the making.  {0} is an empty one.  What does not fit is cut, and the line
 * then ends in "...". */
typedef struct QnLogLine {
    size_t length;
    bool is_full;
    char text[QN_LOG_LINE_BYTES]; /* terminated */
} QnLogLine;

/* " key=value": bare where it is a plain word, else quoted and escaped.
 * `key` is a plain word of ours. */
void qn_log_put_bytes(QnLogLine *line, const char *key, QnBytes value);
void qn_log_put_text(QnLogLine *line, const char *key, const char *value);
void qn_log_put_int(QnLogLine *line, const char *key, int64_t value);

/* Writes the line. */
void qn_log_line(const QnLog *log, QnLogLevel level, const char *area, const QnLogLine *line);

/*
 * `bytes` in a form that is safe inside a line, a quoted string or an error message: control
 * characters (C0, C1, line and paragraph separators, direction marks) and invalid UTF-8 become \n,
 * \t, \r or \xNN; quotes and backslashes get a backslash in front.  Terminated, without quotes
 * around it; cut at a character's end where `size` is too small, and then ending in "...".  Returns
 * the length.  `size` must be at least 4.
 */
size_t qn_escape(char *text, size_t size, QnBytes bytes);

#endif
