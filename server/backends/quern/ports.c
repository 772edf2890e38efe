/* SPDX-License-Identifier: Apache-2.0 */
/* A model file's inputs and outputs beside those of its configuration: completed where missing,
 * checked where not. */
#include "server/backends/quern/ports.h"

#include "base/text.h"

typedef QnValueInfo InfoFn(const QnModel *model, int i);

/* ---- Completion ---- */

static bool can_batch_all(const QnModel *model, int count, InfoFn *info)
{
    for (int i = 0; i < count; i++) {
        const QnValueInfo value = info(model, i);
        if (value.kind != QN_TENSOR || value.rank < 1 || value.dims[0] != -1)
            return false;
    }
    return true;
}

/* Every input and output begins with a dimension of any size. */
static bool can_batch(const QnModel *model)
{
    return can_batch_all(model, qn_model_input_count(model), qn_model_input) &&
           can_batch_all(model, qn_model_output_count(model), qn_model_output);
}

static QnStatus complete_batching(QsModelConfig *config, const QsModelSource *source,
                                  QnArena *arena)
{
    if (config->max_batch_size == 0)
        config->max_batch_size = source->default_max_batch_size;
    if (config->max_batch_size <= 1 || config->scheduling_choice)
        return QN_OK;
    QN_ALLOC(config->dynamic_batching, arena, 1);
    config->scheduling_choice = QS_CHOOSE_DYNAMIC;
    return QN_OK;
}

/* The dimensions of a value without that of the batch.  A scalar is configured as one element. */
static QnStatus complete_dims(QsInt64List *dims, QsShape **shape, const QnValueInfo *value,
                              int skip, QnArena *arena)
{
    const size_t count = value->rank > skip ? (size_t)(value->rank - skip) : 1;
    QN_ALLOC(dims->items, arena, count);
    dims->count = dims->capacity = count;
    dims->items[0] = 1;
    for (int i = skip; i < value->rank; i++)
        dims->items[i - skip] = value->dims[i];
    if (value->rank > skip || skip == 0)
        return QN_OK;
    QN_ALLOC(*shape, arena, 1);
    return QN_OK;
}

static QnStatus complete_inputs(QsModelConfig *config, const QnModel *model, int skip,
                                QnArena *arena)
{
    const int count = qn_model_input_count(model);
    if (config->input.count)
        return QN_OK;
    QN_ALLOC(config->input.items, arena, count ? count : 1);
    for (int i = 0; i < count; i++) {
        const QnValueInfo value = qn_model_input(model, i);
        QsModelInput *input = &config->input.items[i];
        input->name = qn_arena_copy_text(arena, value.name, strlen(value.name));
        if (!input->name)
            return QN_NO_MEMORY;
        input->data_type =
            (int32_t)qs_data_type_of_engine(value.kind == QN_TENSOR ? value.type : QN_UNDEFINED);
        input->optional = value.is_optional;
        QN_TRY(complete_dims(&input->dims, &input->reshape, &value, skip, arena));
    }
    config->input.count = config->input.capacity = (size_t)count;
    return QN_OK;
}

static QnStatus complete_outputs(QsModelConfig *config, const QnModel *model, int skip,
                                 QnArena *arena)
{
    const int count = qn_model_output_count(model);
    if (config->output.count)
        return QN_OK;
    QN_ALLOC(config->output.items, arena, count ? count : 1);
    for (int i = 0; i < count; i++) {
        const QnValueInfo value = qn_model_output(model, i);
        QsModelOutput *output = &config->output.items[i];
        output->name = qn_arena_copy_text(arena, value.name, strlen(value.name));
        if (!output->name)
            return QN_NO_MEMORY;
        output->label_filename = "";
        output->data_type =
            (int32_t)qs_data_type_of_engine(value.kind == QN_TENSOR ? value.type : QN_UNDEFINED);
        QN_TRY(complete_dims(&output->dims, &output->reshape, &value, skip, arena));
    }
    config->output.count = config->output.capacity = (size_t)count;
    return QN_OK;
}

QnStatus qs_quern_complete(QsModelConfig *config, const QnModel *model, const QsModelSource *source,
                           QnArena *arena, QnError *err)
{
    const bool has_inputs = config->input.count || config->batch_input.count;
    if (!source->may_complete || (has_inputs && config->output.count))
        return QN_OK;
    if (!can_batch(model) && config->max_batch_size > 0)
        return qn_fail(
            err, QN_BAD_MODEL,
            "autofill failed for model '%s': model does not support batching while non-zero "
            "max_batch_size is specified",
            source->name);
    if (can_batch(model) && complete_batching(config, source, arena) != QN_OK)
        return qn_no_memory(err);
    const int skip = config->max_batch_size > 0;
    if (complete_inputs(config, model, skip, arena) != QN_OK ||
        complete_outputs(config, model, skip, arena) != QN_OK)
        return qn_no_memory(err);
    return QN_OK;
}

/* ---- Checks ---- */

/* A configured tensor and the model's of the same name. */
typedef struct Pair {
    const QsModelConfig *config;
    const char *kind, *name;
    QsDataType type;
    const QsInt64List *dims; /* as the model should see them */
    QnValueInfo value;
} Pair;

static int find(const QnModel *model, int count, InfoFn *info, const char *name)
{
    for (int i = 0; i < count; i++)
        if (strcmp(info(model, i).name, name) == 0)
            return i;
    return -1;
}

static QnStatus fail_name(const char *kind, const char *name, const QnModel *model, int count,
                          InfoFn *info, QnError *err)
{
    QnText text = qn_text(NULL);
    for (int i = 0; i < count; i++)
        qn_text_printf(&text, "%s%s", i ? ", " : "", info(model, i).name);
    qn_fail(err, QN_BAD_MODEL, "unexpected inference %s '%s', allowed %ss are: %s", kind, name,
            kind, qn_text_string(&text));
    qn_text_finish(&text);
    return QN_BAD_MODEL;
}

static void put_dims(QnText *to, const int64_t *dims, int rank)
{
    qn_text_putc(to, '[');
    for (int i = 0; i < rank; i++)
        qn_text_printf(to, "%s%lld", i ? "," : "", (long long)dims[i]);
    qn_text_putc(to, ']');
}

static QnStatus fail_shape(const Pair *pair, const int64_t *dims, int rank, QnError *err)
{
    const bool is_batched = pair->config->max_batch_size > 0;
    QnText has = qn_text(NULL), wants = qn_text(NULL);
    put_dims(&wants, pair->value.dims, pair->value.rank);
    put_dims(&has, dims, rank);
    qn_fail(
        err, QN_BAD_MODEL,
        "model '%s', tensor '%s': the model expects %d dimensions (shape %s) but the model configuration "
        "specifies %d dimensions (%sshape %s)",
        pair->config->name, pair->name, pair->value.rank, qn_text_string(&wants), rank,
        is_batched
            ? "an initial batch dimension because max_batch_size > 0 followed by the explicit tensor "
              "shape, making complete "
            : "",
        qn_text_string(&has));
    qn_text_finish(&has);
    qn_text_finish(&wants);
    return QN_BAD_MODEL;
}

static QnStatus fail_batch(const Pair *pair, QnError *err)
{
    QnText shape = qn_text(NULL);
    put_dims(&shape, pair->value.dims, pair->value.rank);
    qn_fail(
        err, QN_BAD_MODEL,
        "model '%s', tensor '%s': for the model to support batching the shape should have at least 1 dimension "
        "and the first dimension must be -1; but shape expected by the model is %s",
        pair->config->name, pair->name, qn_text_string(&shape));
    qn_text_finish(&shape);
    return QN_BAD_MODEL;
}

/* A size that the model leaves open may be fixed for an input;
 * an output's must be as the model has it. */
static bool fits(const Pair *pair, const int64_t *dims, int rank)
{
    if (rank != pair->value.rank)
        return false;
    const bool is_input = strcmp(pair->kind, "input") == 0;
    for (int i = 0; i < rank; i++)
        if (dims[i] != pair->value.dims[i] && !(is_input && pair->value.dims[i] == -1))
            return false;
    return true;
}

static QnStatus check_pair(const Pair *pair, QnError *err)
{
    const QnValueInfo *value = &pair->value;
    const QsDataType type =
        value->kind == QN_TENSOR ? qs_data_type_of_engine(value->type) : QS_INVALID;
    int64_t dims[QN_MAX_RANK];
    if (type == QS_INVALID)
        return qn_fail(
            err, QN_UNSUPPORTED,
            "model '%s', tensor '%s': the model has the type %s, expected a tensor of a type that requests can carry",
            pair->config->name, pair->name, value->type_text);
    if (type != pair->type)
        return qn_fail(
            err, QN_BAD_MODEL,
            "unable to load model '%s', configuration expects datatype %s for %s '%s', model provides %s",
            pair->config->name, qs_data_type_config_name(pair->type), pair->kind, pair->name,
            qs_data_type_config_name(type));
    if (value->rank < 0)
        return QN_OK; /* the model says nothing about its shape */
    const bool is_batched = pair->config->max_batch_size > 0;
    if (is_batched && (value->rank < 1 || value->dims[0] != -1))
        return fail_batch(pair, err);
    const int rank = qs_config_shape(dims, pair->config, pair->dims);
    const bool is_scalar = value->rank == 0 && rank == 1 && dims[0] == 1;
    return is_scalar || fits(pair, dims, rank) ? QN_OK : fail_shape(pair, dims, rank, err);
}

static QnStatus check_inputs(const QsModelConfig *config, const QnModel *model, QnError *err)
{
    const int count = qn_model_input_count(model);
    for (size_t i = 0; i < config->input.count; i++) {
        const QsModelInput *input = &config->input.items[i];
        const int found = find(model, count, qn_model_input, input->name);
        if (found < 0)
            return fail_name("input", input->name, model, count, qn_model_input, err);
        QN_TRY(check_pair(&(Pair){config, "input", input->name, (QsDataType)input->data_type,
                                  input->reshape ? &input->reshape->shape : &input->dims,
                                  qn_model_input(model, found)},
                          err));
    }
    return QN_OK;
}

static QnStatus check_outputs(const QsModelConfig *config, const QnModel *model, QnError *err)
{
    const int count = qn_model_output_count(model);
    for (size_t i = 0; i < config->output.count; i++) {
        const QsModelOutput *output = &config->output.items[i];
        const int found = find(model, count, qn_model_output, output->name);
        if (found < 0)
            return fail_name("output", output->name, model, count, qn_model_output, err);
        QN_TRY(check_pair(&(Pair){config, "output", output->name, (QsDataType)output->data_type,
                                  output->reshape ? &output->reshape->shape : &output->dims,
                                  qn_model_output(model, found)},
                          err));
    }
    return QN_OK;
}

QnStatus qs_quern_check(const QsModelConfig *config, const QnModel *model, QnError *err)
{
    size_t required = 0, provided = (size_t)qn_model_input_count(model);
    for (int i = 0; i < qn_model_input_count(model); i++)
        required += !qn_model_input(model, i).is_optional;
    QN_TRY(check_inputs(config, model, err));
    if (config->input.count < required || config->input.count > provided)
        return qn_fail(
            err, QN_BAD_MODEL,
            "unable to load model '%s', configuration expects %zu inputs, model provides %zu",
            config->name, config->input.count, provided);
    return check_outputs(config, model, err);
}
