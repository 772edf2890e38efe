/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/formats/onnx/external.h"

struct OnnxExternal {
    const QnReader *in;
};

QnStatus onnx_external_create(OnnxExternal **out, const QnReader *in, QnArena *arena)
{
    (void)arena;
    QN_ALLOC(*out, in->scratch, 1);
    (*out)->in = in;
    return QN_OK;
}

void onnx_external_finish(OnnxExternal *external)
{
    (void)external;
}

QnStatus onnx_external_read(QnBytes *out, OnnxExternal *external, const OnnxTensor *tensor,
                            uint64_t size, QnError *err)
{
    (void)out;
    (void)external;
    (void)size;
    return qn_fail(err, QN_UNSUPPORTED, "tensor '%s' lies in another file", tensor->name);
}
