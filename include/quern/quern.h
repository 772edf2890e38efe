/* SPDX-License-Identifier: Apache-2.0 */
/* All of quern's stable API, and its version. */
#ifndef QUERN_H
#define QUERN_H

#include "quern/model.h"
#include "quern/plan.h"
#include "quern/session.h"

#ifdef __cplusplus
extern "C" {
#endif

/** Major * 1000000 + minor * 1000 + patch of the headers. */
#define QN_VERSION_NUMBER 1000

/** The library's version, as QN_VERSION_NUMBER.  Any thread. */
QN_API int qn_version(void);

/** The same as text, "0.1.0", terminated.  Any thread. */
QN_API const char *qn_version_text(void);

#ifdef __cplusplus
}
#endif
#endif
