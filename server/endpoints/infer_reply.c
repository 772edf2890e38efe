/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An answer as JSON, with binary data behind it:
 *
 *     {"id", "model_name", "model_version", "parameters", "outputs": [{"name", "datatype", "shape",
 *      "data": [...] or "parameters": {"binary_data_size": n}}]}
 *
 * Binary outputs are not copied: the reply's tail points to where the model wrote them.
 */
#include <math.h>
#include <stdio.h>

#include "base/json.h"
#include "server/endpoints/infer.h"

/* Floats keep a point, so that a client's parser reads a float back: 1.0, not 1. */
static void put_real(QnJsonWriter *to, double value)
{
    char text[40];
    if (!isfinite(value)) {
        qn_json_put_f64(to, value);
        return;
    }
    int size = qn_print_f64(text, value);
    if (!strpbrk(text, ".eE")) {
        text[size++] = '.';
        text[size++] = '0';
    }
    qn_json_put_raw(to, qn_bytes(text, (size_t)size));
}

/* The i-th element; inputs of any alignment. */
#define LOAD(type, at, i) \
    type value;           \
    memcpy(&value, (at) + (i) * sizeof value, sizeof value)

static void put_element(QnJsonWriter *to, QsDataType type, const uint8_t *at, size_t i)
{
    switch (type) {
    case QS_BOOL:
        qn_json_put_bool(to, at[i] != 0);
        break;
    case QS_UINT8:
        qn_json_put_u64(to, at[i]);
        break;
    case QS_INT8:
        qn_json_put_i64(to, (int8_t)at[i]);
        break;
    case QS_UINT16: {
        LOAD(uint16_t, at, i);
        qn_json_put_u64(to, value);
        break;
    }
    case QS_UINT32: {
        LOAD(uint32_t, at, i);
        qn_json_put_u64(to, value);
        break;
    }
    case QS_UINT64: {
        LOAD(uint64_t, at, i);
        qn_json_put_u64(to, value);
        break;
    }
    case QS_INT16: {
        LOAD(int16_t, at, i);
        qn_json_put_i64(to, value);
        break;
    }
    case QS_INT32: {
        LOAD(int32_t, at, i);
        qn_json_put_i64(to, value);
        break;
    }
    case QS_INT64: {
        LOAD(int64_t, at, i);
        qn_json_put_i64(to, value);
        break;
    }
    case QS_FP32: {
        LOAD(float, at, i);
        put_real(to, (double)value);
        break;
    }
    case QS_FP64: {
        LOAD(double, at, i);
        put_real(to, value);
        break;
    }
    default:
        qn_json_put_null(to);
        break;
    }
}
#undef LOAD

/* The strings of a tensor that a backend made, and so may be at fault,
 * without believing its lengths. */
static QnStatus put_strings(QnJsonWriter *to, const QsTensor *output, QnError *err)
{
    for (size_t at = 0; at < output->size_bytes;) {
        const size_t left = output->size_bytes - at;
        const size_t size = left >= 4 ? qn_load_u32(output->data + at) : SIZE_MAX;
        if (left < 4 || size > left - 4)
            return qn_fail(err, QN_INTERNAL, "output '%s' of the model holds an incomplete string",
                           output->name);
        qn_json_put_text(to, qn_bytes(output->data + at + 4, size));
        at += 4 + size;
    }
    return QN_OK;
}

static QnStatus put_data(QnJsonWriter *to, const QsTensor *output, QnError *err)
{
    const size_t size = qs_data_type_size(output->type);
    if (output->type == QS_FP16 || output->type == QS_BF16)
        return qn_fail(
            err, QN_BAD_ARGUMENT,
            "sending %s data via JSON is not supported. Please use the binary data format for output",
            qs_data_type_name(output->type));
    qn_json_put_key(to, "data");
    qn_json_put_begin(to, '[');
    if (output->type == QS_BYTES)
        QN_TRY(put_strings(to, output, err));
    for (size_t i = 0; size && i < output->size_bytes / size; i++)
        put_element(to, output->type, output->data, i);
    qn_json_put_end(to, ']');
    return QN_OK;
}

static void put_shape(QnJsonWriter *to, const QsTensor *output)
{
    qn_json_put_key(to, "shape");
    qn_json_put_begin(to, '[');
    for (int i = 0; i < output->rank; i++)
        qn_json_put_i64(to, output->dims[i]);
    qn_json_put_end(to, ']');
}

static void put_text_member(QnJsonWriter *to, const char *key, const char *value)
{
    qn_json_put_key(to, key);
    qn_json_put_string(to, value);
}

/* One output; a binary one is added to the tail. */
static QnStatus put_output(QnJsonWriter *to, QsInfer *infer, const QsTensor *given, QnBytes *tail)
{
    QsReply *reply = &infer->call->reply;
    QsTensor output = *given;
    QN_TRY(qs_infer_unshape(infer, &output));
    qn_json_put_begin(to, '{');
    put_text_member(to, "name", output.name);
    put_text_member(to, "datatype", qs_data_type_name(output.type));
    put_shape(to, &output);
    if (qs_infer_wanted(infer, output.name).is_binary) {
        qn_json_put_key(to, "parameters");
        qn_json_put_begin(to, '{');
        qn_json_put_key(to, "binary_data_size");
        qn_json_put_u64(to, output.size_bytes);
        qn_json_put_end(to, '}');
        if (output.size_bytes)
            tail[reply->tail_count++] = qn_bytes(output.data, output.size_bytes);
    } else {
        QN_TRY(put_data(to, &output, &infer->call->err));
    }
    qn_json_put_end(to, '}');
    return QN_OK;
}

static void put_parameter(QnJsonWriter *to, const QsParameter *parameter)
{
    qn_json_put_key(to, parameter->name);
    switch (parameter->kind) {
    case QS_TEXT:
        qn_json_put_string(to, parameter->text);
        break;
    case QS_INTEGER:
        qn_json_put_i64(to, parameter->integer);
        break;
    case QS_BOOLEAN:
        qn_json_put_bool(to, parameter->integer != 0);
        break;
    case QS_REAL:
        put_real(to, parameter->real);
        break;
    }
}

static void put_parameters(QnJsonWriter *to, const QsResponse *response)
{
    if (response->parameter_count == 0)
        return;
    qn_json_put_key(to, "parameters");
    qn_json_put_begin(to, '{');
    for (size_t i = 0; i < response->parameter_count; i++)
        put_parameter(to, &response->parameters[i]);
    qn_json_put_end(to, '}');
}

static QnStatus put_answer(QsInfer *infer, const QsResponse *response, QnBytes *tail)
{
    QnJsonWriter to = qn_json_writer(&infer->call->reply.text);
    char version[24];
    to.nan = QN_JSON_NAN_BARE;
    snprintf(version, sizeof version, "%lld", (long long)infer->model->version);
    qn_json_put_begin(&to, '{');
    if (*infer->request.id)
        put_text_member(&to, "id", infer->request.id);
    put_text_member(&to, "model_name", infer->model->name);
    put_text_member(&to, "model_version", version);
    put_parameters(&to, response);
    qn_json_put_key(&to, "outputs");
    qn_json_put_begin(&to, '[');
    for (size_t i = 0; i < response->output_count; i++)
        QN_TRY(put_output(&to, infer, &response->outputs[i], tail));
    qn_json_put_end(&to, ']');
    qn_json_put_end(&to, '}');
    return infer->call->reply.text.failed ? qn_no_memory(&infer->call->err) : QN_OK;
}

QnStatus qs_infer_put_json(QsInfer *infer, const QsResponse *response)
{
    QsExchange *call = infer->call;
    QsReply *reply = &call->reply;
    QnBytes *tail = qn_arena_array(&call->arena, response->output_count, sizeof *tail);
    if (!tail)
        return qn_no_memory(&call->err);
    reply->tail = tail;
    const QnStatus status = put_answer(infer, response, tail);
    if (status != QN_OK) {
        reply->content_type = "text/plain";
        return status;
    }
    reply->status = 200;
    if (reply->tail_count == 0)
        return QN_OK;
    const char *size = qn_arena_printf(&call->arena, "%zu", reply->text.size);
    if (!size)
        return qn_no_memory(&call->err);
    reply->content_type = "application/octet-stream";
    qs_reply_header(reply, "Inference-Header-Content-Length", size);
    return QN_OK;
}
