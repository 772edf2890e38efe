/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Does a request fit its model?  In the order and the words that clients know; and from the shapes
 * that clients see to those that the model sees, and back.
 */
#include <stdlib.h>

#include "base/checked.h"
#include "server/endpoints/infer.h"

/* ---- Messages ---- */

/* Fails with the request's id in front, as every message about an accepted request has it. */
static QnStatus fail(QsInfer *infer, const char *format, ...) QN_PRINTF(2, 3);

static QnStatus fail(QsInfer *infer, const char *format, ...)
{
    const char *id = infer->request.id;
    va_list args;
    va_start(args, format);
    qn_fail_v(&infer->call->err, QN_BAD_ARGUMENT, format, args);
    va_end(args);
    QnError plain = infer->call->err;
    return qn_fail(&infer->call->err, QN_BAD_ARGUMENT, "[request id: %s] %s",
                   *id ? id : "<id_unknown>", plain.message);
}

static void put_shape(QnText *to, const int64_t *dims, int rank)
{
    qn_text_putc(to, '[');
    for (int i = 0; i < rank; i++)
        qn_text_printf(to, "%s%lld", i ? "," : "", (long long)dims[i]);
    qn_text_putc(to, ']');
}

/* ---- Names ---- */

static QnStatus check_outputs(QsInfer *infer)
{
    for (size_t i = 0; i < infer->wanted_count; i++)
        if (!qs_config_find_output(infer->model->config, infer->wanted[i].name))
            return qn_fail(&infer->call->err, QN_BAD_ARGUMENT,
                           "unexpected inference output '%s' for model '%s'", infer->wanted[i].name,
                           infer->model->name);
    return QN_OK;
}

static int find_tensor(const QsInfer *infer, const char *name, size_t before)
{
    for (size_t i = 0; i < before; i++)
        if (strcmp(infer->inputs[i].name, name) == 0)
            return (int)i;
    return -1;
}

static QnStatus check_unique(QsInfer *infer)
{
    for (size_t i = 0; i < infer->input_count; i++)
        if (find_tensor(infer, infer->inputs[i].name, i) >= 0)
            return fail(infer, "input '%s' already exists in request", infer->inputs[i].name);
    return QN_OK;
}

/* Names in quotes with commas between them. */
static void put_name(QnText *to, const char *name, bool *is_first)
{
    qn_text_printf(to, "%s'%s'", *is_first ? "" : ",", name);
    *is_first = false;
}

static QnStatus fail_count(QsInfer *infer, size_t required)
{
    const QsModelConfig *config = infer->model->config;
    QnText text = qn_text(NULL);
    bool is_first = true;
    if (required == config->input.count)
        qn_text_printf(&text, "expected %zu inputs", required);
    else
        qn_text_printf(&text, "expected number of inputs between %zu and %zu", required,
                       config->input.count);
    qn_text_printf(&text, " but got %zu inputs for model '%s'. Got input(s) [", infer->input_count,
                   infer->model->name);
    for (size_t i = 0; i < infer->input_count; i++)
        put_name(&text, infer->inputs[i].name, &is_first);
    qn_text_puts(&text, "], but missing required input(s) [");
    is_first = true;
    for (size_t i = 0; i < config->input.count; i++)
        if (!config->input.items[i].optional &&
            find_tensor(infer, config->input.items[i].name, infer->input_count) < 0)
            put_name(&text, config->input.items[i].name, &is_first);
    qn_text_puts(&text, "]. Please provide all required input(s).");
    const QnStatus status = fail(infer, "%s", qn_text_string(&text));
    qn_text_finish(&text);
    return status;
}

static QnStatus check_inputs(QsInfer *infer)
{
    const QsModelConfig *config = infer->model->config;
    size_t required = 0;
    for (size_t i = 0; i < config->input.count; i++)
        required += !config->input.items[i].optional;
    if (infer->input_count < required || infer->input_count > config->input.count)
        return fail_count(infer, required);
    for (size_t i = 0; i < infer->input_count; i++)
        if (!qs_config_find_input(config, infer->inputs[i].name))
            return qn_fail(&infer->call->err, QN_BAD_ARGUMENT,
                           "unexpected inference input '%s' for model '%s'", infer->inputs[i].name,
                           infer->model->name);
    for (size_t i = 0; i < config->input.count; i++)
        if (!config->input.items[i].optional &&
            find_tensor(infer, config->input.items[i].name, infer->input_count) < 0)
            return fail_count(infer, required);
    return QN_OK;
}

/* ---- Shapes ---- */

/* The batch size is the first dimension, the same for all. */
static QnStatus find_batch_size(QsInfer *infer)
{
    const int32_t max_batch_size = infer->model->config->max_batch_size;
    infer->request.batch_size = 1;
    if (max_batch_size == 0)
        return QN_OK;
    for (size_t i = 0; i < infer->input_count; i++) {
        const QsTensor *input = &infer->inputs[i];
        if (input->rank == 0)
            return fail(infer,
                        "input '%s' has no shape but model requires batch dimension for '%s'",
                        input->name, infer->model->name);
        if (i == 0)
            infer->request.batch_size = input->dims[0];
        else if (input->dims[0] != infer->request.batch_size)
            return fail(infer, "input '%s' batch size does not match other inputs for '%s'",
                        input->name, infer->model->name);
    }
    if (infer->request.batch_size > max_batch_size)
        return fail(infer, "inference request batch-size must be <= %d for '%s'", max_batch_size,
                    infer->model->name);
    return QN_OK;
}

static QnStatus fail_shape(QsInfer *infer, const QsTensor *input, const QsModelInput *declared)
{
    const QsModelConfig *config = infer->model->config;
    int64_t dims[QN_MAX_RANK];
    const int rank = qs_config_shape(dims, config, &declared->dims);
    QnText text = qn_text(NULL);
    qn_text_printf(&text, "unexpected shape for input '%s' for model '%s'. Expected ", input->name,
                   infer->model->name);
    put_shape(&text, dims, rank);
    qn_text_puts(&text, ", got ");
    put_shape(&text, input->dims, input->rank);
    qn_text_puts(&text, ". ");
    if (config->max_batch_size > 0)
        qn_text_puts(
            &text,
            "NOTE: Setting a non-zero max_batch_size in the model config requires a batch dimension "
            "to be prepended to each input shape. If you want to specify the full shape including "
            "the batch dim in your input dims config, try setting max_batch_size to zero. See the "
            "model configuration docs for more info on max_batch_size.");
    const QnStatus status = fail(infer, "%s", qn_text_string(&text));
    qn_text_finish(&text);
    return status;
}

static QnStatus check_shape(QsInfer *infer, const QsTensor *input, const QsModelInput *declared)
{
    int64_t dims[QN_MAX_RANK];
    const int rank = qs_config_shape(dims, infer->model->config, &declared->dims);
    const int first = infer->model->config->max_batch_size > 0;
    if (input->rank != rank)
        return fail_shape(infer, input, declared);
    for (int i = first; i < rank; i++)
        if (dims[i] >= 0 && dims[i] != input->dims[i])
            return fail_shape(infer, input, declared);
    return QN_OK;
}

/*
 * The tensor's dimensions (behind those of `skip`) become those of `to`; sizes that are open there
 * are taken in order from those that are open in `from`.
 */
static void reshape(QsTensor *tensor, int skip, const QsInt64List *from, const QsInt64List *to)
{
    int64_t open[QN_MAX_RANK];
    int open_count = 0, taken = 0;
    for (size_t i = 0; i < from->count && skip + (int)i < tensor->rank; i++)
        if (from->items[i] < 0)
            open[open_count++] = tensor->dims[skip + (int)i];
    tensor->rank = skip;
    for (size_t i = 0; i < to->count && tensor->rank < QN_MAX_RANK; i++)
        tensor->dims[tensor->rank++] = to->items[i] >= 0    ? to->items[i]
                                       : taken < open_count ? open[taken++]
                                                            : 1;
}

QnStatus qs_infer_unshape(const QsInfer *infer, QsTensor *output)
{
    const QsModelOutput *declared = qs_config_find_output(infer->model->config, output->name);
    const int skip = infer->model->config->max_batch_size > 0;
    if (!declared || !declared->reshape ||
        output->rank != skip + (int)declared->reshape->shape.count)
        return QN_OK;
    reshape(output, skip, &declared->reshape->shape, &declared->dims);
    return QN_OK;
}

/* ---- Bytes ---- */

bool qs_count_elements(int64_t *out, const int64_t *dims, int rank)
{
    int64_t count = 1;
    bool has_zero = false;
    for (int i = 0; i < rank; i++)
        has_zero = has_zero || dims[i] == 0;
    for (int i = 0; i < rank; i++)
        if (dims[i] < 0 || (!has_zero && !qn_mul_i64(&count, count, dims[i])))
            return false;
    *out = has_zero ? 0 : count;
    return true;
}

/* Counts the strings in wire form; what does not add up is refused. */
static QnStatus check_strings(QsInfer *infer, const QsTensor *input, int64_t expected)
{
    const char *model = infer->model->name;
    int64_t count = 0;
    for (size_t at = 0; at < input->size_bytes; count++) {
        const size_t left = input->size_bytes - at;
        if (count == expected)
            return fail(
                infer,
                "unexpected number of string elements %lld for inference input '%s' for model '%s', expecting %lld",
                (long long)count + 1, input->name, model, (long long)expected);
        if (left < 4)
            return fail(
                infer,
                "incomplete string length indicator for inference input '%s' for model '%s', expecting 4 "
                "bytes but only %zu bytes available. Please make sure the string length indicator is in one "
                "buffer.",
                input->name, model, left);
        const uint32_t size = qn_load_u32(input->data + at);
        if (size > left - 4)
            return qn_fail(
                &infer->call->err, QN_BAD_ARGUMENT,
                "incomplete string data for inference input '%s', expecting string of length %u but only "
                "%zu bytes available",
                input->name, size, left - 4);
        at += 4 + (size_t)size;
    }
    if (count != expected)
        return fail(
            infer,
            "expected %lld string elements for inference input '%s' for model '%s', got %lld",
            (long long)expected, input->name, model, (long long)count);
    return QN_OK;
}

static QnStatus check_bytes(QsInfer *infer, const QsTensor *input)
{
    int64_t count, size;
    if (!qs_count_elements(&count, input->dims, input->rank) ||
        !qn_mul_i64(&size, count, (int64_t)qs_data_type_size(input->type)))
        return fail(infer,
                    "the shape of input '%s' for model '%s' has more elements than memory can hold",
                    input->name, infer->model->name);
    if (input->type == QS_BYTES)
        return check_strings(infer, input, count);
    if ((uint64_t)size != input->size_bytes)
        return fail(
            infer, "input byte size mismatch for input '%s' for model '%s'. Expected %lld, got %zu",
            input->name, infer->model->name, (long long)size, input->size_bytes);
    return QN_OK;
}

/* ---- Raw requests ---- */

/* A single string has no length in a raw body; the model wants one in front. */
static QnStatus wrap_string(QsInfer *infer, const QsModelInput *declared)
{
    QsTensor *input = &infer->inputs[0];
    int64_t count;
    if (!qs_count_elements(&count, declared->dims.items, (int)declared->dims.count) || count != 1)
        return fail(infer, "For BYTE datatype raw input '%s', the model must have input shape [1]",
                    declared->name);
    const size_t size = input->size_bytes;
    uint8_t *wrapped =
        size <= UINT32_MAX - 4 ? qn_arena_alloc_raw(&infer->call->arena, size + 4, 64) : NULL;
    if (!wrapped)
        return qn_no_memory(&infer->call->err);
    memcpy(wrapped, &(uint32_t){(uint32_t)size}, 4);
    if (size)
        memcpy(wrapped + 4, input->data, size);
    input->data = wrapped;
    input->size_bytes = size + 4;
    return QN_OK;
}

/* The one open dimension follows from the size of the body. */
static QnStatus deduce_dims(QsInfer *infer, const QsModelInput *declared)
{
    QsTensor *input = &infer->inputs[0];
    int64_t known = (int64_t)qs_data_type_size(input->type);
    int open = -1;
    for (int i = 0; i < input->rank; i++) {
        if (input->dims[i] >= 0) {
            if (!qn_mul_i64(&known, known, input->dims[i]))
                return fail(infer, "the shape of input '%s' has more elements than memory can hold",
                            declared->name);
            continue;
        }
        if (open >= 0)
            return fail(
                infer,
                "The shape of the raw input '%s' can not be deduced because there are more than one "
                "variable-sized dimension",
                declared->name);
        open = i;
    }
    if (open < 0)
        return QN_OK;
    if (known == 0 || input->size_bytes % (size_t)known)
        return fail(
            infer,
            "The shape of the raw input '%s' can not be deduced because its size %zu is no multiple of %lld bytes",
            declared->name, input->size_bytes, (long long)known);
    input->dims[open] = (int64_t)(input->size_bytes / (size_t)known);
    return QN_OK;
}

static QnStatus complete_raw(QsInfer *infer)
{
    const QsModelConfig *config = infer->model->config;
    QsTensor *input = &infer->inputs[0];
    if (config->input.count != 1)
        return fail(
            infer,
            "Raw request must only have 1 input (found 1) to be deduced but got %zu inputs in '%s' model configuration",
            config->input.count, infer->model->name);
    const QsModelInput *declared = &config->input.items[0];
    input->name = declared->name;
    input->type = (QsDataType)declared->data_type;
    input->rank = qs_config_shape(input->dims, config, &declared->dims);
    if (config->max_batch_size > 0)
        input->dims[0] = 1;
    return input->type == QS_BYTES ? wrap_string(infer, declared) : deduce_dims(infer, declared);
}

/* ---- All of it ---- */

static QnStatus check_input(QsInfer *infer, QsTensor *input)
{
    const QsModelConfig *config = infer->model->config;
    const QsModelInput *declared = qs_config_find_input(config, input->name);
    const QsDataType wanted = (QsDataType)declared->data_type;
    if (input->type != wanted)
        return fail(infer, "inference input '%s' data-type is '%s', but model '%s' expects '%s'",
                    input->name, qs_data_type_name(input->type), infer->model->name,
                    qs_data_type_name(wanted));
    QN_TRY(check_shape(infer, input, declared));
    QN_TRY(check_bytes(infer, input));
    if (declared->reshape)
        reshape(input, config->max_batch_size > 0, &declared->dims, &declared->reshape->shape);
    return QN_OK;
}

QnStatus qs_infer_check(QsInfer *infer)
{
    if (infer->is_raw)
        QN_TRY(complete_raw(infer));
    QN_TRY(check_outputs(infer));
    QN_TRY(check_unique(infer));
    QN_TRY(check_inputs(infer));
    QN_TRY(find_batch_size(infer));
    for (size_t i = 0; i < infer->input_count; i++)
        QN_TRY(check_input(infer, &infer->inputs[i]));
    return QN_OK;
}
