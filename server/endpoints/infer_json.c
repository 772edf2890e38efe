/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request in JSON, with binary data behind it:
 *
 *     {"id", "parameters", "inputs": [{"name", "datatype", "shape", "parameters", "data"}],
 *      "outputs": [{"name", "parameters"}]}
 *
 * and then, in the order of the inputs, the data of those that have a "binary_data_size" instead of
 * "data".
 *
 * One pass over the text, without a tree.  Where the text is at fault, it is either no JSON or a
 * value of the wrong kind; which of them, and the message, is found out afterwards, so that the way
 * of right requests is short.
 */
#include "base/checked.h"
#include "base/json.h"
#include "server/endpoints/infer.h"

/* Where the reader is, for messages. */
typedef struct Reader {
    QsInfer *infer;
    QnArena *arena;
    QnBytes text;
    QnJson in;
    const char *member; /* that is being read */
    const char *wanted; /* the kind it should have: "string" */
} Reader;

/* One input on its way. */
typedef struct Draft {
    QsTensor tensor;
    bool has_name, has_type, has_shape, has_data, has_binary, has_region;
    QnBytes data; /* the JSON of "data" */
    uint64_t binary_size;
} Draft;

enum { INPUT_LIMIT = 4096, OUTPUT_LIMIT = 4096, PARAMETER_LIMIT = 4096 };

static QnError *error_of(const Reader *reader)
{
    return &reader->infer->call->err;
}

/* ---- What went wrong ---- */

/* The text is no JSON, or the last value that was asked for is of another kind. */
static QnStatus fail_text(Reader *reader)
{
    QnJson whole = qn_json(reader->text);
    whole.allow_nan = true;
    if (qn_json_finish(&whole, "", NULL) != QN_OK)
        return qn_fail(error_of(reader), QN_INTERNAL,
                       "failed to parse the request JSON buffer: %s at %zu", whole.reason,
                       (size_t)(whole.failed_at - whole.origin));
    if (strcmp(reader->member, "bytes") == 0)
        return qn_fail(
            error_of(reader), QN_INTERNAL,
            "Unable to parse JSON bytes array: attempt to access JSON non-string as string");
    if (strcmp(reader->wanted, "object") == 0)
        return qn_fail(error_of(reader), QN_INTERNAL,
                       "failed to get request params.: attempt to get members for non-object");
    return qn_fail(error_of(reader), QN_INTERNAL,
                   "Unable to parse '%s': attempt to access JSON non-%s as %s", reader->member,
                   reader->wanted, reader->wanted);
}

static QnStatus fail_missing(Reader *reader, const char *member)
{
    if (qn_json_failed(&reader->in))
        return fail_text(reader);
    return qn_fail(error_of(reader), QN_INTERNAL,
                   "Unable to parse '%s': attempt to access non-existing object member '%s'",
                   member, member);
}

static void expect(Reader *reader, const char *member, const char *wanted)
{
    reader->member = member;
    reader->wanted = wanted;
}

/* ---- Members ---- */

static const char *read_string(Reader *reader, const char *member)
{
    expect(reader, member, "string");
    return qn_json_string(&reader->in, reader->arena);
}

static uint64_t read_unsigned(Reader *reader, const char *member)
{
    expect(reader, member, "unsigned-integer");
    return qn_json_u64(&reader->in);
}

static bool read_bool(Reader *reader, const char *member)
{
    expect(reader, member, "boolean");
    return qn_json_bool(&reader->in);
}

static bool is_number_whole(QnBytes digits)
{
    for (size_t i = 0; i < digits.size; i++)
        if (digits.data[i] == '.' || digits.data[i] == 'e' || digits.data[i] == 'E')
            return false;
    return true;
}

static void read_number(Reader *reader, QsParameter *parameter)
{
    const QnBytes digits = qn_json_number(&reader->in);
    if (qn_json_failed(&reader->in))
        return;
    parameter->kind = QS_INTEGER;
    if (is_number_whole(digits) &&
        qn_parse_i64(&parameter->integer, (const char *)digits.data, digits.size))
        return;
    parameter->kind = QS_REAL;
    if (!qn_parse_f64(&parameter->real, (const char *)digits.data, digits.size))
        parameter->real = 0;
}

/* A parameter of the client's own, for the model. */
static QnStatus read_custom(Reader *reader, const char *name)
{
    QsInfer *infer = reader->infer;
    QsParameter parameter = {.name = name};
    const QnJsonKind kind = qn_json_kind(&reader->in);
    if (strncmp(name, "triton_", 7) == 0)
        return qn_fail(
            error_of(reader), QN_BAD_ARGUMENT,
            "parameter keys starting with 'triton_' are reserved for Triton usage and should not be specified.");
    if (kind == QN_JSON_STRING) {
        parameter.text = read_string(reader, name);
    } else if (kind == QN_JSON_BOOL) {
        parameter.kind = QS_BOOLEAN;
        parameter.integer = read_bool(reader, name);
    } else if (kind == QN_JSON_NUMBER) {
        read_number(reader, &parameter);
    } else {
        return qn_fail(
            error_of(reader), QN_BAD_ARGUMENT,
            "parameter '%s' has invalid type. It should be either 'int', 'bool', or 'string'.",
            name);
    }
    if (infer->parameter_count == PARAMETER_LIMIT)
        return qn_fail(error_of(reader), QN_BAD_ARGUMENT, "the request has more than %d parameters",
                       PARAMETER_LIMIT);
    QN_GROW(infer->parameters, infer->parameter_count, infer->parameter_capacity, reader->arena);
    infer->parameters[infer->parameter_count++] = parameter;
    return QN_OK;
}

static QnStatus read_correlation(Reader *reader)
{
    QsSequence *sequence = &reader->infer->request.sequence;
    if (qn_json_kind(&reader->in) != QN_JSON_STRING) {
        sequence->number = read_unsigned(reader, "sequence_id");
        return QN_OK;
    }
    const char *text = read_string(reader, "sequence_id");
    sequence->text = *text ? text : NULL;
    return QN_OK;
}

/* One parameter of the request: one that the server knows, or a custom one. */
static QnStatus read_parameter(Reader *reader, const char *name)
{
    QsRequest *request = &reader->infer->request;
    if (strcmp(name, "sequence_id") == 0)
        return read_correlation(reader);
    if (strcmp(name, "sequence_start") == 0)
        request->sequence.starts = read_bool(reader, "sequence_start");
    else if (strcmp(name, "sequence_end") == 0)
        request->sequence.ends = read_bool(reader, "sequence_end");
    else if (strcmp(name, "priority") == 0)
        request->priority = read_unsigned(reader, "priority");
    else if (strcmp(name, "timeout") == 0)
        request->timeout_us = read_unsigned(reader, "timeout");
    else if (strcmp(name, "binary_data_output") == 0)
        reader->infer->binary_by_default = read_bool(reader, "binary_data_output");
    else
        return read_custom(reader, name);
    return QN_OK;
}

static QnStatus read_parameters(Reader *reader)
{
    expect(reader, "parameters", "object");
    for (qn_json_begin_object(&reader->in); qn_json_next_member(&reader->in);) {
        const char *name = qn_json_key(&reader->in, reader->arena);
        if (!name)
            return qn_no_memory(error_of(reader));
        QN_TRY(read_parameter(reader, name));
    }
    return QN_OK;
}

/* ---- Inputs ---- */

static QnStatus read_shape(Reader *reader, QsTensor *tensor)
{
    expect(reader, "shape", "array");
    qn_json_begin_array(&reader->in);
    tensor->rank = 0;
    while (qn_json_next_element(&reader->in)) {
        const uint64_t size = read_unsigned(reader, "shape");
        if (tensor->rank == QN_MAX_RANK)
            return qn_fail(error_of(reader), QN_BAD_ARGUMENT,
                           "an input has more than %d dimensions", QN_MAX_RANK);
        if (size > INT64_MAX)
            return qn_fail(
                error_of(reader), QN_INTERNAL,
                "Unable to parse 'data': Shape does not match true shape of 'data' field");
        tensor->dims[tensor->rank++] = (int64_t)size;
    }
    return QN_OK;
}

/* What an input says about where its data are.  Others than objects say nothing. */
static void read_input_parameters(Reader *reader, Draft *draft)
{
    if (qn_json_kind(&reader->in) != QN_JSON_OBJECT)
        return;
    for (qn_json_begin_object(&reader->in); qn_json_next_member(&reader->in);) {
        if (qn_json_key_is(&reader->in, "binary_data_size")) {
            draft->binary_size = read_unsigned(reader, "binary_data_size");
            draft->has_binary = true;
        } else if (qn_json_key_is(&reader->in, "shared_memory_region")) {
            draft->has_region = true;
        }
    }
}

static QnStatus read_input_member(Reader *reader, Draft *draft)
{
    QnJson *in = &reader->in;
    if (qn_json_key_is(in, "name") && !draft->has_name) {
        draft->tensor.name = read_string(reader, "name");
        draft->has_name = true;
    } else if (qn_json_key_is(in, "datatype") && !draft->has_type) {
        draft->tensor.type = qs_data_type_find(qn_bytes_of_text(read_string(reader, "datatype")));
        draft->has_type = true;
    } else if (qn_json_key_is(in, "shape") && !draft->has_shape) {
        draft->has_shape = true;
        return read_shape(reader, &draft->tensor);
    } else if (qn_json_key_is(in, "parameters")) {
        read_input_parameters(reader, draft);
    } else if (qn_json_key_is(in, "data") && !draft->has_data) {
        draft->data =
            qn_json_skip(in); /* read when the type and the shape are known, whatever the order */
        draft->has_data = true;
    }
    return QN_OK;
}

static QnStatus check_draft(Reader *reader, const Draft *draft)
{
    if (!draft->has_name)
        return fail_missing(reader, "name");
    if (!draft->has_type)
        return fail_missing(reader, "datatype");
    if (draft->tensor.type == QS_INVALID)
        return qn_fail(error_of(reader), QN_BAD_ARGUMENT, "invalid datatype for input %s",
                       draft->tensor.name);
    if (!draft->has_shape)
        return fail_missing(reader, "shape");
    const int sources = draft->has_data + draft->has_binary + draft->has_region;
    if (sources != 1)
        return qn_fail(
            error_of(reader), QN_BAD_ARGUMENT,
            "Input must set only one of the following fields: 'data', 'binary_data_size' in 'parameters', "
            "'shared_memory_region' in 'parameters'. But%s%s%s%s",
            sources ? " set" : " no field is set", draft->has_data ? " 'data'" : "",
            draft->has_binary ? " 'binary_data_size'" : "",
            draft->has_region ? " 'shared_memory_region'" : "");
    if (draft->has_region)
        return qn_fail(error_of(reader), QN_NOT_FOUND,
                       "the shared memory region of input '%s' is not registered",
                       draft->tensor.name);
    return QN_OK;
}

/* Takes the input's part off the front of the binary data. */
static QnStatus take_binary(Reader *reader, Draft *draft, QnBytes *binary)
{
    if (draft->binary_size > binary->size)
        return qn_fail(
            error_of(reader), QN_BAD_ARGUMENT,
            "unexpected size for input '%s', expecting %llu additional bytes for model '%s'",
            draft->tensor.name, (unsigned long long)(draft->binary_size - binary->size),
            reader->infer->model->name);
    const size_t size = (size_t)draft->binary_size;
    draft->tensor.data = (uint8_t *)(uintptr_t)binary->data;
    draft->tensor.size_bytes = size;
    *binary = qn_bytes(binary->data + size, binary->size - size);
    return QN_OK;
}

static QnStatus read_input(Reader *reader, QnBytes *binary)
{
    QsInfer *infer = reader->infer;
    Draft draft = {0};
    expect(reader, "inputs", "object");
    for (qn_json_begin_object(&reader->in); qn_json_next_member(&reader->in);)
        QN_TRY(read_input_member(reader, &draft));
    if (qn_json_failed(&reader->in))
        return fail_text(reader);
    QN_TRY(check_draft(reader, &draft));
    if (draft.has_binary)
        QN_TRY(take_binary(reader, &draft, binary));
    else
        QN_TRY(qs_infer_read_data(infer, &draft.tensor, draft.data));
    if (infer->input_count == INPUT_LIMIT)
        return qn_fail(error_of(reader), QN_BAD_ARGUMENT, "the request has more than %d inputs",
                       INPUT_LIMIT);
    QN_GROW(infer->inputs, infer->input_count, infer->input_capacity, reader->arena);
    infer->inputs[infer->input_count++] = draft.tensor;
    return QN_OK;
}

static QnStatus read_inputs(Reader *reader, QnBytes *binary)
{
    expect(reader, "inputs", "array");
    for (qn_json_begin_array(&reader->in); qn_json_next_element(&reader->in);)
        QN_TRY(read_input(reader, binary));
    return QN_OK;
}

/* ---- Outputs ---- */

static void read_output_parameters(Reader *reader, QsWanted *wanted, bool *has_region)
{
    if (qn_json_kind(&reader->in) != QN_JSON_OBJECT)
        return;
    for (qn_json_begin_object(&reader->in); qn_json_next_member(&reader->in);) {
        if (qn_json_key_is(&reader->in, "binary_data"))
            wanted->is_binary = read_bool(reader, "binary_data");
        else if (qn_json_key_is(&reader->in, "classification"))
            wanted->class_count = read_unsigned(reader, "classification");
        else if (qn_json_key_is(&reader->in, "shared_memory_region"))
            *has_region = true;
    }
}

static QnStatus read_output(Reader *reader)
{
    QsInfer *infer = reader->infer;
    QsWanted wanted = {0};
    bool has_region = false;
    expect(reader, "outputs", "object");
    for (qn_json_begin_object(&reader->in); qn_json_next_member(&reader->in);) {
        if (qn_json_key_is(&reader->in, "name") && !wanted.name)
            wanted.name = read_string(reader, "name");
        else if (qn_json_key_is(&reader->in, "parameters"))
            read_output_parameters(reader, &wanted, &has_region);
    }
    if (qn_json_failed(&reader->in))
        return fail_text(reader);
    if (!wanted.name)
        return fail_missing(reader, "name");
    if (has_region)
        return qn_fail(error_of(reader), QN_NOT_FOUND,
                       "the shared memory region of output '%s' is not registered", wanted.name);
    if (wanted.class_count)
        return qn_fail(error_of(reader), QN_UNSUPPORTED,
                       "classification of output '%s' is asked for, which this server does not do",
                       wanted.name);
    if (infer->wanted_count == OUTPUT_LIMIT)
        return qn_fail(error_of(reader), QN_BAD_ARGUMENT,
                       "the request asks for more than %d outputs", OUTPUT_LIMIT);
    QN_GROW(infer->wanted, infer->wanted_count, infer->wanted_capacity, reader->arena);
    infer->wanted[infer->wanted_count++] = wanted;
    return QN_OK;
}

static QnStatus read_outputs(Reader *reader)
{
    expect(reader, "outputs", "array");
    for (qn_json_begin_array(&reader->in); qn_json_next_element(&reader->in);)
        QN_TRY(read_output(reader));
    return QN_OK;
}

/* ---- The whole ---- */

/* Reads what of the members there is, the first of each name. */
static QnStatus read_members(Reader *reader, QnBytes *binary, bool *has_inputs)
{
    bool has_id = false, has_parameters = false, has_outputs = false;
    QnJson *in = &reader->in;
    for (qn_json_begin_object(in); qn_json_next_member(in);) {
        if (qn_json_key_is(in, "id") && !has_id) {
            reader->infer->request.id = read_string(reader, "id");
            has_id = true;
        } else if (qn_json_key_is(in, "parameters") && !has_parameters) {
            has_parameters = true;
            QN_TRY(read_parameters(reader));
        } else if (qn_json_key_is(in, "inputs") && !*has_inputs) {
            *has_inputs = true;
            QN_TRY(read_inputs(reader, binary));
        } else if (qn_json_key_is(in, "outputs") && !has_outputs) {
            has_outputs = true;
            QN_TRY(read_outputs(reader));
        }
    }
    return QN_OK;
}

QnStatus qs_infer_parse_json(QsInfer *infer, QnBytes header, QnBytes binary)
{
    /* A byte order mark says nothing about UTF-8, and some clients send one. */
    if (header.size >= 3 && memcmp(header.data, "\xef\xbb\xbf", 3) == 0)
        header = qn_bytes(header.data + 3, header.size - 3);
    Reader reader = {
        .infer = infer, .arena = &infer->call->arena, .text = header, .in = qn_json(header)};
    bool has_inputs = false;
    reader.in.allow_nan = true;
    expect(&reader, "inputs", "array");
    const QnJsonKind kind = qn_json_kind(&reader.in);
    if (kind == QN_JSON_OBJECT) {
        const QnStatus status = read_members(&reader, &binary, &has_inputs);
        if (status == QN_NO_MEMORY)
            return qn_no_memory(&infer->call->err);
        QN_TRY(status);
    }
    if (qn_json_finish(&reader.in, "", NULL) != QN_OK)
        return fail_text(&reader);
    if (!has_inputs)
        return fail_missing(&reader, "inputs");
    if (binary.size)
        return qn_fail(&infer->call->err, QN_BAD_ARGUMENT,
                       "unexpected additional input data for model '%s'", infer->model->name);
    return QN_OK;
}
