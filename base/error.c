/* SPDX-License-Identifier: Apache-2.0 */
/* Filling errors with sentences, and the names and texts of the statuses. */
#include "base/error.h"

#include <stdio.h>
#include <string.h>

static const char *const names[] = {
#define NAME(name, text) #name,
    QN_STATUS_MAP(NAME)
#undef NAME
};

static const char *const texts[] = {
#define TEXT(name, text) text,
    QN_STATUS_MAP(TEXT)
#undef TEXT
};

const char *qn_status_name(QnStatus status)
{
    return (unsigned)status < QN_COUNT_OF(names) ? names[status] : "UNKNOWN";
}

const char *qn_status_text(QnStatus status)
{
    return (unsigned)status < QN_COUNT_OF(texts) ? texts[status] : "unknown status";
}

/* Copies `text` into a message; what does not fit is cut out of its middle,
 * since both ends say the most. */
static void set_message(QnError *err, const char *text, size_t length)
{
    const size_t room = sizeof err->message - 1;
    static const char gap[] = " ... ";
    if (length <= room) {
        memcpy(err->message, text, length);
        err->message[length] = 0;
        return;
    }
    const size_t head = (room - (sizeof gap - 1)) / 2;
    const size_t tail = room - (sizeof gap - 1) - head;
    memcpy(err->message, text, head);
    memcpy(err->message + head, gap, sizeof gap - 1);
    memcpy(err->message + room - tail, text + length - tail, tail);
    err->message[room] = 0;
}

QnStatus qn_fail_v(QnError *err, QnStatus status, const char *format, va_list args)
{
    if (!err)
        return status;
    char text[4 * sizeof err->message];
    const int length = vsnprintf(text, sizeof text, format, args);
    err->status = status;
    const size_t kept = length < 0 ? 0 : (size_t)length;
    set_message(err, text, kept < sizeof text ? kept : sizeof text - 1);
    return status;
}

QnStatus(qn_fail)(QnError *err, QnStatus status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    qn_fail_v(err, status, format, args);
    va_end(args);
    return status;
}

QnStatus qn_wrap(QnError *err, const char *format, ...)
{
    if (!err)
        return QN_OK;
    char text[4 * sizeof err->message];
    va_list args;
    va_start(args, format);
    const int prefix = vsnprintf(text, sizeof text / 2, format, args);
    va_end(args);
    size_t length = prefix < 0 ? 0 : (size_t)prefix;
    if (length >= sizeof text / 2)
        length = sizeof text / 2 - 1;
    length += (size_t)snprintf(text + length, sizeof text - length, ": %s", err->message);
    set_message(err, text, length);
    return err->status;
}

QnStatus(qn_no_memory)(QnError *err)
{
    return qn_fail(err, QN_NO_MEMORY, "out of memory");
}
