/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body of an inference request, of any bytes: JSON with binary data behind it, or raw.  The
 * first two bytes say how long the JSON is.  What passes the checks has tensors of exactly the
 * bytes that their shapes need.
 */
#include <stdlib.h>

#include "server/endpoints/infer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char config_text[] =
    "backend: \"x\" max_batch_size: 4 "
    "input { name: \"A\" data_type: TYPE_FP32 dims: [ -1 ] } "
    "input { name: \"B\" data_type: TYPE_INT8 dims: [ 2, 2 ] reshape { shape: [ 4 ] } optional: true } "
    "input { name: \"S\" data_type: TYPE_STRING dims: [ -1 ] optional: true } "
    "output { name: \"Y\" data_type: TYPE_FP32 dims: [ -1 ] }";

static void check_tensors(const QsInfer *infer)
{
    for (size_t i = 0; i < infer->input_count; i++) {
        const QsTensor *input = &infer->inputs[i];
        int64_t count;
        if (!qs_count_elements(&count, input->dims, input->rank))
            abort();
        if (input->type != QS_BYTES &&
            (uint64_t)count * qs_data_type_size(input->type) != input->size_bytes)
            abort();
        for (size_t k = 0; k < input->size_bytes; k++)
            if (input->data[k] == 1) /* every byte can be read */
                count++;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    QsExchange call = {0};
    QsModelConfig config;
    QsModelVersion model = {.name = "m", .version = 1, .config = &config};
    QsInfer infer = {.call = &call, .model = &model, .request.id = ""};
    if (size < 2)
        return 0;
    call.arena.limit_bytes = 64 << 20;
    if (qs_config_parse(&config, qn_bytes_of_text(config_text), "", &call.arena, &call.err) !=
        QN_OK)
        abort();
    size_t json_size = qn_load_u16(data);
    const QnBytes body = qn_bytes(data + 2, size - 2);
    json_size = json_size < body.size ? json_size : body.size;
    const QnBytes binary = qn_bytes(body.data + json_size, body.size - json_size);
    if (qs_infer_parse_json(&infer, qn_bytes(body.data, json_size), binary) == QN_OK &&
        qs_infer_check(&infer) == QN_OK)
        check_tensors(&infer);
    qn_arena_finish(&call.arena);
    return 0;
}
