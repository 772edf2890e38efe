/* SPDX-License-Identifier: Apache-2.0 */
/* Filling a QnError, and passing a failure on. */
#ifndef QN_BASE_ERROR_H
#define QN_BASE_ERROR_H

#include <assert.h>
#include <stdarg.h>

#include "base/compiler.h"
#include "quern/status.h"

/* Returns from the calling function with the status of `call` unless it is QN_OK. */
#define QN_TRY(call)                            \
    do {                                        \
        const QnStatus qn_try_status_ = (call); \
        if (qn_try_status_ != QN_OK)            \
            return qn_try_status_;              \
    } while (0)

/*
 * Fills `err` (NULL is fine) with a status and a sentence, and returns the status.  The sentence
 * says what is and what was expected, with names and numbers: lower case, no full stop.  One that
 * is too long is cut in its middle.  `status` must not be QN_OK.
 */
QnStatus qn_fail(QnError *err, QnStatus status, const char *format, ...) QN_PRINTF(3, 4);
QnStatus qn_fail_v(QnError *err, QnStatus status, const char *format, va_list args) QN_PRINTF(3, 0);

/* Puts "<format>: " in front of the message of `err`, so that it reads from the outside in.
 * Returns its status. */
QnStatus qn_wrap(QnError *err, const char *format, ...) QN_PRINTF(2, 3);

/* Out of memory, with the sentence for it. */
QnStatus qn_no_memory(QnError *err);

/*
 * A failure is never QN_OK.  Said here, so that compilers and analyzers see that what a call
 * wrapped in QN_TRY was to set has been set where the code goes on.
 */
static inline QnStatus qn_is_failure(QnStatus status)
{
    assert(status != QN_OK);
    QN_ASSUME(status != QN_OK);
    return status;
}
#define qn_fail(...)      qn_is_failure((qn_fail)(__VA_ARGS__))
#define qn_no_memory(err) qn_is_failure((qn_no_memory)(err))

#endif
