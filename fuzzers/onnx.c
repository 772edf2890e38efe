/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ONNX reader on any bytes: a status, or a well-formed module.  Reading for checking goes on
 * past what is broken, and so does inference then.  The same bytes are read as a value of a test
 * case too.
 */
#include <stdlib.h>

#include "engine/formats/format.h"
#include "engine/formats/onnx/testdata.h"
#include "engine/ops/op.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_model(const uint8_t *data, size_t size)
{
    const QnReadOptions options = {.format = "onnx", .is_sealed = true, .keeps_unknown = size % 2};
    QnModule *module;
    QnError err;
    if (qn_format_read(&module, NULL, qn_bytes(data, size), &options, NULL, &err) != QN_OK)
        return;
    if (qn_module_verify(module, &err) != QN_OK)
        abort();
    qn_module_free(module);
}

/* Whatever is wrong, the rest is looked at: only memory may end it. */
static void check_model(const uint8_t *data, size_t size)
{
    const QnReadOptions options = {.format = "onnx", .is_sealed = true, .is_checking = true};
    QnArena arena = {.limit_bytes = 64 << 20};
    QnReport report = qn_report(&arena);
    QnModule *module;
    QnError err;
    if (qn_format_read(&module, NULL, qn_bytes(data, size), &options, &report, &err) == QN_OK) {
        module->report = &report;
        (void)qn_ops_resolve(module, &report, &err);
        const QnStatus status = qn_infer_module(module, &err);
        if (status != QN_OK && status != QN_NO_MEMORY)
            abort();
        qn_module_free(module);
    }
    qn_arena_finish(&arena);
}

/* What was read must be writable, and read back. */
static void read_value(const uint8_t *data, size_t size, const QnIrType *type)
{
    QnArena arena = {.limit_bytes = 64 << 20};
    QnText text = qn_text(NULL);
    QnValue value;
    if (onnx_read_value(&value, qn_bytes(data, size), type, &arena, NULL) == QN_OK &&
        onnx_write_value(&text, "v", &value, NULL) == QN_OK &&
        onnx_read_value(&value, qn_bytes(text.data, text.size), type, &arena, NULL) ==
            QN_BAD_TENSOR)
        abort();
    qn_text_finish(&text);
    qn_arena_finish(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const QnIrType tensor = {.kind = QN_TENSOR, .shape = {.rank = -1}};
    static const QnIrType sequence = {.kind = QN_SEQUENCE, .item = &tensor};
    static const QnIrType optional = {.kind = QN_OPTIONAL, .item = &sequence};
    static const QnIrType map = {.kind = QN_MAP, .element = QN_STRING, .item = &tensor};
    if (size > 65536)
        return 0;
    read_model(data, size);
    check_model(data, size);
    read_value(data, size, &tensor);
    read_value(data, size, &sequence);
    read_value(data, size, &optional);
    read_value(data, size, &map);
    return 0;
}
