/* SPDX-License-Identifier: Apache-2.0 */
/*
 * BatchNormalization outside of training as a pointwise program,
 *
 *     y = (x - mean[c]) * factor[c] + bias[c]      factor = scale / sqrt(variance + epsilon)
 *
 * A Relu behind it is done on the way.
 * Factors of constants are computed when the plan is made, others at every run.
 */
#include <math.h>

#include "base/checked.h"
#include "engine/devices/cpu/border.h"
#include "engine/devices/cpu/kernels/pointwise.h"
#include "engine/devices/cpu/spread.h"

enum { X, SCALE, BIAS, MEAN, VARIANCE, INPUT_COUNT };
enum { MEANS, FACTORS, BIASES, LIST_COUNT }; /* the program's inputs behind x */

typedef struct BatchData {
    QnPointwise program;
    QnType type; /* of the lists */
    double epsilon;
    const void *lists; /* [LIST_COUNT][channels]; NULL: made at run time */
} BatchData;

static void set_number(QnType type, void *list, int64_t i, double value)
{
    if (type == QN_DOUBLE)
        ((double *)list)[i] = value;
    else
        ((float *)list)[i] = (float)value;
}

/* Fills the lists from the tensors SCALE to VARIANCE. */
static void fill_lists(const BatchData *data, const QnTensor *const *inputs, int64_t channels,
                       uint8_t *to)
{
    const size_t size = (size_t)channels * qn_type_size(data->type);
    for (int64_t c = 0; c < channels; c++) {
        const double variance = qn_tensor_get(inputs[VARIANCE], c);
        const double factor = qn_tensor_get(inputs[SCALE], c) / sqrt(variance + data->epsilon);
        set_number(data->type, to + MEANS * size, c, qn_tensor_get(inputs[MEAN], c));
        set_number(data->type, to + FACTORS * size, c, factor);
        set_number(data->type, to + BIASES * size, c, qn_tensor_get(inputs[BIAS], c));
    }
}

static int64_t channels_of(const QnTensor *x)
{
    return x->rank > 1 ? x->dims[1] : 1;
}

static QnStatus bind_batch(const QnStep *step, QnBindCall *call)
{
    const BatchData *data = step->data;
    const QnTensor *x = qn_step_input(step, call->values, X),
                   *y = qn_step_output(step, call->values, 0);
    const int64_t channels = channels_of(x), element = (int64_t)qn_type_size(data->type);
    int64_t dims[QN_MAX_RANK], of_x[QN_MAX_RANK], of_list[QN_MAX_RANK], of_y[QN_MAX_RANK];
    const int64_t *strides[LIST_COUNT + 2] = {of_x, of_list, of_list, of_list, of_y};
    int order[QN_MAX_RANK];
    for (int i = SCALE; i < INPUT_COUNT; i++) {
        const QnTensor *list = qn_step_input(step, call->values, i);
        if (list && qn_tensor_count(list) != channels)
            return qn_fail(call->err, QN_BAD_TENSOR, "input %d has %lld elements, expected %lld", i,
                           (long long)qn_tensor_count(list), (long long)channels);
    }
    qn_cpu_sort_dims(y, order);
    for (int d = 0; d < y->rank; d++) {
        dims[d] = y->dims[order[d]];
        of_x[d] = x->strides[order[d]];
        of_list[d] = order[d] == 1 ? element : 0;
        of_y[d] = y->strides[order[d]];
    }
    qn_pointwise_bind(call->params, &data->program, y->rank, dims, strides);
    if (!data->lists)
        call->scratch_bytes = LIST_COUNT * (size_t)channels * (size_t)element;
    return QN_OK;
}

typedef struct Work {
    const QnPointwise *program;
    const QnPointwiseShape *shape;
    const void *inputs[LIST_COUNT + 1];
    void *output;
} Work;

static void run_units(const void *user, int64_t begin, int64_t end, int member)
{
    const Work *work = user;
    (void)member;
    void *output = work->output;
    qn_pointwise_run(work->program, work->shape, work->inputs, &output, begin, end);
}

static QnStatus run_batch(const QnStep *step, const void *params, QnRunCall *call)
{
    const BatchData *data = step->data;
    const QnTensor *inputs[INPUT_COUNT], *y = qn_step_output(step, call->values, 0);
    for (int i = 0; i < INPUT_COUNT; i++)
        inputs[i] = qn_step_input(step, call->values, i);
    const int64_t channels = channels_of(inputs[X]);
    const uint8_t *lists = data->lists;
    if (!lists) {
        fill_lists(data, inputs, channels, call->scratch);
        lists = call->scratch;
    }
    Work work = {.program = &data->program, .shape = params, .output = y->data};
    work.inputs[0] = inputs[X]->data;
    for (int i = 0; i < LIST_COUNT; i++)
        work.inputs[i + 1] = lists + (size_t)(i * channels) * qn_type_size(data->type);
    qn_cpu_spread(call, work.shape->count, 0.3, run_units, &work);
    qn_cpu_fault("batchnorm", y);
    return QN_OK;
}

static const QnStepCode code = {.name = "batchnorm",
                                .params_size = (sizeof(QnPointwiseShape) + 7) / 8 * 8,
                                .bind = bind_batch,
                                .run = run_batch};

/* ---- offering ---- */

static QnStatus make_batch(const QnOffer *offer, QnMake *make, const void **out)
{
    BatchData *data = offer->context;
    const QnTensor *inputs[INPUT_COUNT];
    *out = data;
    for (int i = SCALE; i < INPUT_COUNT; i++) {
        const QnIrValue *value = offer->nodes[0]->inputs[i].value;
        if (!qn_cpu_is_constant(value))
            return QN_OK;
        inputs[i] = value->constant;
    }
    const int64_t channels = qn_tensor_count(inputs[SCALE]);
    for (int i = BIAS; i < INPUT_COUNT; i++)
        if (qn_tensor_count(inputs[i]) != channels)
            return QN_OK; /* binding says so */
    void *lists = qn_arena_alloc_raw(make->arena,
                                     LIST_COUNT * (size_t)channels * qn_type_size(data->type), 64);
    if (!lists)
        return qn_no_memory(make->err);
    fill_lists(data, inputs, channels, lists);
    data->lists = lists;
    return QN_OK;
}

static QnStatus init_program(BatchData *data, QnType element, bool has_relu, QnIsa isa)
{
    static const QnInstruction instructions[] = {QN_DO2(SUB, 4, 0, 1), QN_DO3(FMA, 4, 4, 2, 3),
                                                 QN_DO1(RELU, 4, 4)};
    const QnPointwiseSpec spec = {.input_count = LIST_COUNT + 1,
                                  .input_types = {element, data->type, data->type, data->type},
                                  .code_count = has_relu ? 3 : 2,
                                  .code = instructions,
                                  .output_count = 1,
                                  .output_types = {element},
                                  .outputs = {4}};
    return qn_pointwise_init(&data->program, &spec, isa, NULL);
}

QnStatus qn_cpu_lower_batchnorm(QnOfferCall *call)
{
    const QnNode *node = call->node;
    if (strcmp(node->op, "BatchNormalization") != 0 || *node->domain ||
        qn_op_int(node, "training_mode") || node->output_count > 1)
        return QN_OK;
    const QnType element = node->inputs[0].value->type.element;
    const QnNode *relu = qn_cpu_next(call, node->outputs[0], "Relu");
    BatchData *data;
    data = qn_arena_alloc_raw(call->arena, sizeof *data, _Alignof(BatchData)); /* vectors inside */
    if (!data)
        return qn_no_memory(call->err);
    memset(data, 0, sizeof *data);
    data->type = qn_cpu_float_type(element);
    data->epsilon = qn_op_float(node, "epsilon");
    if (data->type == QN_UNDEFINED ||
        init_program(data, element, relu != NULL, qn_cpu_of(call)->isa) != QN_OK)
        return QN_OK;
    QnOffer offer = {
        .code = &code,
        .kernel = qn_pointwise_pick(qn_cpu_of(call)->isa)->name,
        .tier = QN_TIER_TUNED,
        .nodes = {node, relu},
        .node_count = relu ? 2 : 1,
        .input_count = INPUT_COUNT,
        .accepts = {QN_ACCEPT_ANY},
        .outputs = {relu ? relu->outputs[0] : node->outputs[0]},
        .same_layout = node->outputs[0]->type.shape.rank >= 3,
        .in_place = 1,
        .context = data,
        .make = make_batch,
        .cost = 300 + 0.5 * qn_cpu_elements(call, node->outputs[0]),
    };
    for (int i = 0; i < INPUT_COUNT; i++) {
        offer.inputs[i] = node->inputs[i].value;
        offer.accepts[i] = QN_ACCEPT_PLAIN;
    }
    call->offer(call, &offer);
    return QN_OK;
}
