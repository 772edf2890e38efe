/* SPDX-License-Identifier: Apache-2.0 */
/* What lowerings need of Slice. */
#ifndef QN_ENGINE_OPS_SLICE_H
#define QN_ENGINE_OPS_SLICE_H

#include "engine/ir/graph.h"

/* The view of x that Slice's inputs describe (axes and steps may be NULL).  QN_BAD_TENSOR where an
 * axis or a step is wrong. */
QnStatus qn_slice_view(const QnTensor *x, const QnTensor *starts, const QnTensor *ends,
                       const QnTensor *axes, const QnTensor *steps, QnTensor *view, QnError *err);

#endif
