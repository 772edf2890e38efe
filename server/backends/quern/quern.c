/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine as a backend: one plan per model version, one session per instance.
 *
 * Tensors are not copied on the way in; outputs that the client wants are written where the reply
 * takes them from. Strings change their form, from lengths and bytes to pointers and sizes and
 * back.
 */
#include <assert.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "base/checked.h"
#include "base/clock.h"
#include "server/backends/quern/ports.h"

extern const QsBackend qs_backend_quern;

typedef struct Model {
    QnPlan *plan;
    QnThreadPool *pool; /* the host's */
    int input_count, output_count;
    const char *name;
} Model;

/* Memory that grows and stays. */
typedef struct Buffer {
    void *data;
    size_t capacity;
} Buffer;

typedef struct Instance {
    const Model *model;
    QnSession *session;
    QnValue *inputs, *outputs; /* [model->input_count], [model->output_count] */
    Buffer *strings;           /* [model->input_count] the pointers to an input's strings */
    Buffer *unwanted;   /* [model->output_count] outputs that nobody asked for, and strings */
    QsTensor *answers;  /* [model->output_count] */
    QsRequest *request; /* that is being served */
} Instance;

/* ---- Loading ---- */

/* A file name of the configuration must stay in the version's folder. */
static bool is_inside(const char *name)
{
    return name[0] != '/' && strstr(name, "..") == NULL;
}

/* The model's file: the one that the configuration names,
 * or model.onnx in a folder of that name. */
static QnStatus find_file(const char **out, const QsModelSource *source,
                          const QsModelConfig *config, QnArena *arena, QnError *err)
{
    const char *name = config->default_model_filename && *config->default_model_filename
                           ? config->default_model_filename
                           : qs_backend_quern.default_model_filename;
    struct stat info;
    if (!is_inside(name))
        return qn_fail(err, QN_BAD_MODEL,
                       "default_model_filename '%s' leaves the folder of model '%s'", name,
                       source->name);
    const char *path = qn_arena_printf(arena, "%s/%s", source->version_folder, name);
    if (!path)
        return qn_no_memory(err);
    if (stat(path, &info) != 0)
        return qn_fail(err, QN_IO, "failed to stat file %s", path);
    if (S_ISDIR(info.st_mode))
        path = qn_arena_printf(arena, "%s/model.onnx", path);
    if (!path)
        return qn_no_memory(err);
    *out = path;
    return QN_OK;
}

/* What only later versions of the server can schedule. */
static QnStatus check_scheduling(const QsModelConfig *config, QnError *err)
{
    if (config->sequence_batching)
        return qn_fail(err, QN_UNSUPPORTED,
                       "model '%s' uses sequence_batching, which this server does not support",
                       config->name);
    if (config->batch_input.count || config->batch_output.count)
        return qn_fail(
            err, QN_UNSUPPORTED,
            "model '%s' uses batch_input or batch_output, which this server does not support",
            config->name);
    return QN_OK;
}

static QnStatus build(Model *model, const QnModel *file, QnError *err)
{
    const QnPlanOptions options = {.size = sizeof options};
    QN_TRY(qn_plan_build(&model->plan, file, &options, NULL, err));
    model->input_count = qn_plan_input_count(model->plan);
    model->output_count = qn_plan_output_count(model->plan);
    return QN_OK;
}

/* Does the configuration give an input that is a constant
 * unless the file is read with overrides? */
static bool wants_overrides(const QsModelConfig *config, const QnModel *file)
{
    for (size_t i = 0; i < config->input.count; i++) {
        bool is_known = false;
        for (int k = 0; k < qn_model_input_count(file) && !is_known; k++)
            is_known = strcmp(qn_model_input(file, k).name, config->input.items[i].name) == 0;
        if (!is_known)
            return true;
    }
    return false;
}

/*
 * The file is read, not mapped: somebody may truncate it while it is served.  Constants that a
 * client may replace are slower than others, so only a configuration that names one gets them.
 */
static QnStatus read_file(QnModel **out, const char *path, const QsModelConfig *config,
                          QnError *err)
{
    QnModelOptions options = {.size = sizeof options, .copy = true};
    QN_TRY(qn_model_load(out, path, &options, NULL, err));
    if (!wants_overrides(config, *out))
        return QN_OK;
    qn_model_free(*out);
    options.allow_overrides = true;
    return qn_model_load(out, path, &options, NULL, err);
}

static QnStatus load(void **out, const QsModelSource *source, QsModelConfig *config, QnArena *arena,
                     QnError *err)
{
    const char *path;
    QnModel *file;
    QN_TRY(check_scheduling(config, err));
    QN_TRY(find_file(&path, source, config, arena, err));
    Model *model = qn_arena_alloc(arena, sizeof *model);
    if (!model)
        return qn_no_memory(err);
    model->pool = source->host->pool;
    model->name = config->name;
    QN_TRY(read_file(&file, path, config, err));
    QnStatus status = qs_quern_complete(config, file, source, arena, err);
    if (status == QN_OK)
        status = qs_quern_check(config, file, err);
    if (status == QN_OK)
        status = build(model, file, err);
    qn_model_free(file);
    if (status == QN_OK)
        *out = model;
    return status;
}

static void unload(void *user)
{
    Model *model = user;
    qn_plan_free(model->plan);
}

/* ---- Instances ---- */

static void free_buffers(Buffer *buffers, int count)
{
    for (int i = 0; buffers && i < count; i++)
        free(buffers[i].data);
    free(buffers);
}

static void close_instance(void *user)
{
    Instance *instance = user;
    qn_session_free(instance->session);
    free_buffers(instance->strings, instance->model->input_count);
    free_buffers(instance->unwanted, instance->model->output_count);
    free(instance->inputs);
    free(instance->outputs);
    free(instance->answers);
    free(instance);
}

static QnStatus open_instance(void **out, void *user, int index, QnError *err)
{
    Model *model = user;
    const size_t inputs = (size_t)model->input_count + 1, outputs = (size_t)model->output_count + 1;
    const QnSessionOptions options = {.size = sizeof options, .pool = model->pool};
    Instance *instance = calloc(1, sizeof *instance);
    (void)index;
    if (!instance)
        return qn_no_memory(err);
    instance->model = model;
    instance->inputs = calloc(inputs, sizeof *instance->inputs);
    instance->strings = calloc(inputs, sizeof *instance->strings);
    instance->outputs = calloc(outputs, sizeof *instance->outputs);
    instance->unwanted = calloc(outputs, sizeof *instance->unwanted);
    instance->answers = calloc(outputs, sizeof *instance->answers);
    const bool has_memory = instance->inputs && instance->strings && instance->outputs &&
                            instance->unwanted && instance->answers;
    const QnStatus status = has_memory
                                ? qn_session_create(&instance->session, model->plan, &options, err)
                                : qn_no_memory(err);
    if (status == QN_OK)
        *out = instance;
    else
        close_instance(instance);
    return status;
}

static void *reserve(Buffer *buffer, size_t size)
{
    if (size <= buffer->capacity)
        return buffer->data;
    const size_t capacity = (size + 63) / 64 * 64;
    void *grown = aligned_alloc(64, capacity);
    if (!grown)
        return NULL;
    free(buffer->data);
    *buffer = (Buffer){grown, capacity};
    return grown;
}

/* ---- Inputs ---- */

/* Pointers to the strings of a tensor in wire form, whose lengths were checked when it came. */
static void *find_strings(Buffer *buffer, const QsTensor *tensor, int64_t count)
{
    size_t size;
    QnString *strings = qn_mul_size(&size, (size_t)count, sizeof *strings)
                            ? reserve(buffer, size ? size : 1)
                            : NULL;
    const uint8_t *at = tensor->data;
    for (int64_t i = 0; strings && i < count; i++) {
        strings[i] = (QnString){(const char *)at + 4, qn_load_u32(at)};
        at += 4 + strings[i].size;
    }
    return strings;
}

static QnStatus bind_input(Instance *instance, int i, const QsTensor *tensor, QnError *err)
{
    const QnValueInfo info = qn_plan_input(instance->model->plan, i);
    /* A scalar comes as one element, since configurations cannot say otherwise. */
    const int rank = info.rank == 0 && tensor->rank == 1 ? 0 : tensor->rank;
    QnTensor bound =
        qn_tensor(qs_data_type_to_engine(tensor->type), rank, tensor->dims, tensor->data);
    bound.size_bytes = tensor->size_bytes;
    if (tensor->type == QS_BYTES) {
        const int64_t count = qn_tensor_count(&bound);
        bound.data = find_strings(&instance->strings[i], tensor, count);
        bound.size_bytes = (size_t)count * sizeof(QnString);
        if (!bound.data)
            return qn_no_memory(err);
    }
    instance->inputs[i] = qn_value_tensor(bound);
    return QN_OK;
}

static QnStatus bind_inputs(Instance *instance, const QsRequest *request, QnError *err)
{
    for (int i = 0; i < instance->model->input_count; i++) {
        const int found =
            qs_request_find_input(request, qn_plan_input(instance->model->plan, i).name);
        instance->inputs[i] = (QnValue){.kind = QN_NONE};
        if (found >= 0)
            QN_TRY(bind_input(instance, i, &request->inputs[found], err));
    }
    return QN_OK;
}

/* ---- Outputs ---- */

static void describe(QsTensor *to, const char *name, const QnTensor *tensor, size_t size)
{
    to->name = name;
    to->type = qs_data_type_of_engine(tensor->type);
    to->rank = tensor->rank;
    to->size_bytes = size;
    memcpy(to->dims, tensor->dims, sizeof to->dims);
    if (tensor->rank == 0) { /* the configuration has it as one element */
        to->rank = 1;
        to->dims[0] = 1;
    }
}

/* Where the engine writes output `i`:
 * into the reply, unless nobody wants it or its form changes afterwards. */
static void *allocate(void *user, int i, const QnTensor *shape, size_t size)
{
    Instance *instance = user;
    const char *name = qn_plan_output(instance->model->plan, i).name;
    if (shape->type == QN_STRING || !qs_request_wants(instance->request, name))
        return reserve(&instance->unwanted[i], size);
    describe(&instance->answers[i], name, shape, size);
    return qs_sender_allocate(instance->request->sender, &instance->answers[i]);
}

static QnStatus put_strings(Instance *instance, QsTensor *answer, const QnTensor *tensor,
                            QnError *err)
{
    const QnString *strings = tensor->data;
    const int64_t count = qn_tensor_count(tensor);
    size_t size = 0;
    for (int64_t i = 0; i < count; i++)
        if (strings[i].size > UINT32_MAX || !qn_add_size(&size, size, 4 + strings[i].size))
            return qn_fail(err, QN_INTERNAL,
                           "output '%s' holds a string that is too long to be sent", answer->name);
    answer->size_bytes = size;
    uint8_t *to = size ? qs_sender_allocate(instance->request->sender, answer) : NULL;
    if (size && !to)
        return qn_no_memory(err);
    answer->data = to;
    for (int64_t i = 0; i < count; i++) {
        assert(to); /* four bytes at least for each */
        memcpy(to, &(uint32_t){(uint32_t)strings[i].size}, 4);
        if (strings[i].size)
            memcpy(to + 4, strings[i].data, strings[i].size);
        to += 4 + strings[i].size;
    }
    return QN_OK;
}

/* The outputs that were asked for, in the model's order. */
static QnStatus collect(Instance *instance, size_t *count, QnError *err)
{
    *count = 0;
    for (int i = 0; i < instance->model->output_count; i++) {
        const char *name = qn_plan_output(instance->model->plan, i).name;
        const QnTensor *tensor = &instance->outputs[i].tensor;
        QsTensor *answer = &instance->answers[*count]; /* never past answers[i] */
        if (!qs_request_wants(instance->request, name))
            continue;
        if (instance->outputs[i].kind != QN_TENSOR)
            return qn_fail(err, QN_INTERNAL, "output '%s' of the model is no tensor", name);
        describe(answer, name, tensor,
                 (size_t)qn_tensor_count(tensor) * qn_type_size(tensor->type));
        answer->data = tensor->data;
        if (tensor->type == QN_STRING)
            QN_TRY(put_strings(instance, answer, tensor, err));
        ++*count;
    }
    return QN_OK;
}

/* ---- Execution ---- */

/* What a client should make of a failure of the engine, whose inputs fit the configuration. */
static void put_in_context(QnError *err, const Model *model)
{
    if (err->status == QN_BAD_TENSOR || err->status == QN_BAD_ARGUMENT ||
        err->status == QN_BAD_MODEL)
        err->status = QN_INTERNAL;
    qn_wrap(err, "model '%s'", model->name);
}

static QnStatus run(Instance *instance, QsRequest *request, QsExecution *execution, size_t *count,
                    QnError *err)
{
    const QnRunOptions options = {
        .size = sizeof options, .cancel = request->cancel, .allocate = allocate, .user = instance};
    QN_TRY(bind_inputs(instance, request, err));
    for (int i = 0; i < instance->model->output_count; i++)
        instance->outputs[i] = (QnValue){.kind = QN_NONE};
    if (!execution->inputs_ready)
        execution->inputs_ready = qn_clock_now(NULL);
    QN_TRY(qn_session_run(instance->session, instance->inputs, instance->outputs, &options, err));
    execution->computed = qn_clock_now(NULL);
    return collect(instance, count, err);
}

static void serve(Instance *instance, QsRequest *request, QsExecution *execution)
{
    QnError error = {0};
    size_t count;
    instance->request = request;
    if (run(instance, request, execution, &count, &error) == QN_OK) {
        qs_sender_send(request->sender,
                       &(QsResponse){.outputs = instance->answers, .output_count = count}, true);
    } else {
        execution->computed = 0;
        put_in_context(&error, instance->model);
        qs_sender_fail(request->sender, &error);
    }
    instance->request = NULL;
    qs_request_release(request);
}

static void execute(void *user, QsRequest *const *requests, size_t count, QsExecution *execution)
{
    for (size_t i = 0; i < count; i++)
        serve(user, requests[i], execution);
}

const QsBackend qs_backend_quern = {.name = "onnxruntime",
                                    .default_model_filename = "model.onnx",
                                    .load = load,
                                    .unload = unload,
                                    .open = open_instance,
                                    .close = close_instance,
                                    .execute = execute};
