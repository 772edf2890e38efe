/* SPDX-License-Identifier: Apache-2.0 */
/* The server's log: one line per event, key=value, on stderr. */
#include "server/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

enum { LINE_BYTES = 4096 };

static bool is_wanted(const QsLog *log, char level)
{
    switch (level) {
    case 'E':
        return log->error;
    case 'W':
        return log->warning;
    case 'I':
        return log->info;
    default:
        return log->verbose > 0;
    }
}

static const char *level_name(char level)
{
    return level == 'E' ? "error" : level == 'W' ? "warning" : level == 'I' ? "info" : "verbose";
}

/* Adds the message in quotes, cut where it does not fit; returns the new size. */
static size_t put_quoted(char *line, size_t size, const char *message)
{
    line[size++] = '"';
    for (const unsigned char *at = (const unsigned char *)message; *at && size < LINE_BYTES - 8;
         at++) {
        if (*at == '"' || *at == '\\') {
            line[size++] = '\\';
            line[size++] = (char)*at;
        } else if (*at < 0x20 || *at == 0x7f) {
            size += (size_t)snprintf(line + size, 5, "\\x%02x", *at);
        } else {
            line[size++] = (char)*at;
        }
    }
    line[size++] = '"';
    line[size++] = '\n';
    return size;
}

/* One write per line, so that lines of different threads do not mix. */
void qs_log_write(void *user, char level, const char *message)
{
    char line[LINE_BYTES];
    struct timespec now;
    struct tm parts;
    if (!is_wanted(user, level))
        return;
    clock_gettime(CLOCK_REALTIME, &now);
    gmtime_r(&now.tv_sec, &parts);
    size_t size = strftime(line, sizeof line, "time=%Y-%m-%dT%H:%M:%S", &parts);
    size += (size_t)snprintf(line + size, sizeof line - size,
                             ".%03ldZ level=%s msg=", now.tv_nsec / 1000000, level_name(level));
    size = put_quoted(line, size, message);
    if (write(STDERR_FILENO, line, size) < 0)
        return; /* nobody is left to be told */
}

void qs_log(QsLog *log, char level, const char *format, ...)
{
    char message[LINE_BYTES];
    va_list args;
    va_start(args, format);
    vsnprintf(message, sizeof message, format, args);
    va_end(args);
    qs_log_write(log, level, message);
}
