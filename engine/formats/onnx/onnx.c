/* SPDX-License-Identifier: Apache-2.0 */
/* The ONNX format: parse, validate, inline functions, upgrade, import. */
#include "engine/formats/format.h"
#include "engine/formats/onnx/import.h"
#include "engine/formats/onnx/parse.h"
#include "engine/formats/onnx/upgrade.h"
#include "engine/formats/onnx/validate.h"

/*
 * There is no magic number: look for a sane ir_version (1) or producer name (2) up front; a file
 * that begins with another field of a ModelProto may be one too.
 */
static int probe(QnBytes head)
{
    QnProto in = qn_proto(head);
    if (!qn_proto_next(&in))
        return 0;
    if (in.field == 1 && in.wire == QN_PROTO_VARINT)
        return in.number >= 1 && in.number <= 100 ? 60 : 0;
    if (in.field == 2 && in.wire == QN_PROTO_BYTES)
        return in.bytes.size < 64 ? 20 : 0;
    return (in.field == 7 || in.field == 8) && in.wire == QN_PROTO_BYTES ? 10 : 0;
}

/* Severe findings end the read after a step, not in it: the step reports all it can first.  A read
 * for checking goes on without what is broken. */
static QnStatus stop_if_bad(const QnReader *in)
{
    if (in->options->is_checking)
        return QN_OK;
    return qn_report_fail(in->report, QN_BAD_MODEL, in->err);
}

static QnStatus read_model(QnReader *in, QnModule *module)
{
    OnnxModel *model;
    QN_TRY(onnx_parse(&model, in));
    QN_TRY(onnx_validate(model, in));
    QN_TRY(stop_if_bad(in));
    QN_TRY(onnx_inline_functions(model, in));
    QN_TRY(onnx_upgrade(model, in));
    QN_TRY(stop_if_bad(in));
    return onnx_import(model, in, module);
}

const QnFormat qn_format_onnx = {
    .name = "onnx", .suffixes = ".onnx .pb", .probe = probe, .read = read_model};
