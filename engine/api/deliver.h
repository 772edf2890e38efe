/* SPDX-License-Identifier: Apache-2.0 */
/* From what a run has made to what the caller gets. */
#ifndef QN_ENGINE_API_DELIVER_H
#define QN_ENGINE_API_DELIVER_H

#include "engine/run/session.h"

/*
 * A copy that shares nothing with `from`: items, contiguous elements and the bytes of strings are
 * memory of the session's run arena, valid until the next run.  QN_NO_MEMORY.
 */
QnStatus qn_value_copy(QnSession *session, QnValue *out, const QnValue *from);

/*
 * Output i of the run just done, into the caller's memory, the output allocator's, or the
 * session's; never a view of the caller's inputs or of the plan.  QN_BAD_TENSOR where the caller's
 * memory is too small or of the wrong kind, QN_NO_MEMORY; *output is then as it was.
 */
QnStatus qn_output_deliver(QnSession *session, int i, QnValue *output, QnError *err);

#endif
