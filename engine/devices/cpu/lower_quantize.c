/* SPDX-License-Identifier: Apache-2.0 */
/*
 * QuantizeLinear and DequantizeLinear as pointwise programs, with scales and zero points as inputs
 * that are broadcast: over the tensor, along an axis, or within blocks of it.
 *
 *     q = clamp(round(x / scale) + zero)        x = (q - zero) * scale
 *
 * Zero points are numbers of the computation; those of constants are made when the plan is.
 */
#include "base/checked.h"
#include "engine/devices/cpu/border.h"
#include "engine/devices/cpu/kernels/pointwise.h"
#include "engine/devices/cpu/spread.h"
#include "engine/ops/quantized.h"

enum { X = 0, SCALE = 1, ZERO = 2, INPUT_COUNT = 3 };

typedef struct ScaleData {
    QnPointwise program;
    bool quantizes;
    int axis;
    int64_t block;     /* elements along the axis that share a scale; 0: one, or all */
    const float *zero; /* of a constant zero point, or of none; NULL: made at run time */
} ScaleData;

/* ---- binding ---- */

typedef struct Walk {
    int rank;
    int64_t dims[QN_MAX_RANK], x[QN_MAX_RANK], scale[QN_MAX_RANK], zero[QN_MAX_RANK],
        y[QN_MAX_RANK];
} Walk;

static void add_dim(Walk *walk, int64_t size, int64_t x, int64_t scale, int64_t y)
{
    walk->dims[walk->rank] = size;
    walk->x[walk->rank] = x;
    walk->scale[walk->rank] = scale;
    walk->y[walk->rank++] = y;
}

/* The dimensions with their steps through all tensors;
 * that of blocks is walked as (block, element). */
static QnStatus make_walk(const QnStep *step, const QnBindCall *call, Walk *walk)
{
    const ScaleData *data = step->data;
    const QnTensor *x = qn_step_input(step, call->values, X),
                   *scale = qn_step_input(step, call->values, SCALE),
                   *y = qn_step_output(step, call->values, 0);
    const bool is_single = qn_tensor_count(scale) == 1;
    int order[QN_MAX_RANK];
    qn_cpu_sort_dims(y, order);
    for (int i = 0; i < y->rank; i++) {
        const int d = order[i];
        const int64_t size = x->dims[d], from = x->strides[d], to = y->strides[d];
        if (data->block && d == data->axis) {
            if (size != scale->dims[d] * data->block)
                return qn_fail(call->err, QN_BAD_TENSOR,
                               "%lld elements are not %lld blocks of %lld", (long long)size,
                               (long long)scale->dims[d], (long long)data->block);
            add_dim(walk, scale->dims[d], from * data->block, scale->strides[d], to * data->block);
            add_dim(walk, data->block, from, 0, to);
            continue;
        }
        const bool has_scales = !is_single && (data->block || d == data->axis);
        const int64_t have = has_scales ? scale->dims[data->block ? d : 0] : size;
        if (have != size)
            return qn_fail(call->err, QN_BAD_TENSOR, "the scale has size %lld, expected %lld",
                           (long long)have, (long long)size);
        add_dim(walk, size, from, has_scales ? scale->strides[data->block ? d : 0] : 0, to);
    }
    return QN_OK;
}

static QnStatus bind_scale(const QnStep *step, QnBindCall *call)
{
    const ScaleData *data = step->data;
    const QnTensor *scale = qn_step_input(step, call->values, SCALE),
                   *zero = qn_step_input(step, call->values, ZERO);
    const int64_t size = (int64_t)qn_type_size(scale->type);
    Walk walk = {0};
    QN_TRY(make_walk(step, call, &walk));
    if (zero && qn_tensor_count(zero) != qn_tensor_count(scale))
        return qn_fail(call->err, QN_BAD_TENSOR, "there are %lld zero points, expected %lld",
                       (long long)qn_tensor_count(zero), (long long)qn_tensor_count(scale));
    /* Zero points lie as the scales do, as floats. */
    for (int d = 0; d < walk.rank; d++)
        walk.zero[d] = zero ? walk.scale[d] / size * (int64_t)sizeof(float) : 0;
    const int64_t *const strides[INPUT_COUNT + 1] = {walk.x, walk.scale, walk.zero, walk.y};
    qn_pointwise_bind(call->params, &data->program, walk.rank, walk.dims, strides);
    if (!data->zero)
        call->scratch_bytes = (size_t)qn_tensor_count(zero) * sizeof(float);
    return QN_OK;
}

/* ---- running ---- */

static void fill_zeros(float *to, const QnTensor *zero)
{
    for (int64_t i = 0; i < qn_tensor_count(zero); i++)
        to[i] = (float)qn_tensor_get(zero, i);
}

typedef struct Work {
    const QnPointwise *program;
    const QnPointwiseShape *shape;
    const void *inputs[INPUT_COUNT];
    void *output;
} Work;

static void run_units(const void *user, int64_t begin, int64_t end, int member)
{
    const Work *work = user;
    (void)member;
    void *output = work->output;
    qn_pointwise_run(work->program, work->shape, work->inputs, &output, begin, end);
}

static QnStatus run_scale(const QnStep *step, const void *params, QnRunCall *call)
{
    const ScaleData *data = step->data;
    const QnTensor *y = qn_step_output(step, call->values, 0);
    if (!data->zero)
        fill_zeros(call->scratch, qn_step_input(step, call->values, ZERO));
    const Work work = {.program = &data->program,
                       .shape = params,
                       .inputs = {qn_step_input(step, call->values, X)->data,
                                  qn_step_input(step, call->values, SCALE)->data,
                                  data->zero ? data->zero : call->scratch},
                       .output = y->data};
    qn_cpu_spread(call, work.shape->count, 0.5, run_units, &work);
    qn_cpu_fault(data->quantizes ? "QuantizeLinear" : "DequantizeLinear", y);
    return QN_OK;
}

static const QnStepCode code = {.name = "quantize",
                                .params_size = (sizeof(QnPointwiseShape) + 7) / 8 * 8,
                                .bind = bind_scale,
                                .run = run_scale};

/* ---- offering ---- */

/* The type whose bytes an integer type has in memory: those of 4 and 2 bits take a byte. */
static QnType stored_as(QnType type)
{
    return qn_type_is_float(type) ? type : qn_family_type(qn_family_of(type));
}

static bool init_quantize(ScaleData *data, const QnNode *node, QnIsa isa)
{
    const QnType type = node->outputs[0]->type.element, as = stored_as(type);
    int64_t lowest, highest;
    if (node->inputs[X].value->type.element != QN_FLOAT ||
        node->inputs[SCALE].value->type.element != QN_FLOAT || qn_op_int(node, "precision") ||
        !qn_quantized_range(type, &lowest, &highest) || highest > UINT16_MAX)
        return false;
    const QnInstruction instructions[] = {
        QN_DO2(DIV, 3, 0, 1),
        QN_DO1(ROUND, 3, 3),
        QN_DO2(ADD, 3, 3, 2),
        QN_DO2N(MAX, 3, 3, (double)lowest),
        QN_DO2N(MIN, 3, 3, (double)highest),
        {.code = QN_CODE_CAST, .out = 4, .a = 3, .type = (uint8_t)as}};
    const QnPointwiseSpec spec = {.input_count = INPUT_COUNT,
                                  .input_types = {QN_FLOAT, QN_FLOAT, QN_FLOAT},
                                  .code_count = (int)QN_COUNT_OF(instructions),
                                  .code = instructions,
                                  .output_count = 1,
                                  .output_types = {as},
                                  .outputs = {4}};
    return qn_pointwise_init(&data->program, &spec, isa, NULL) == QN_OK;
}

static bool init_dequantize(ScaleData *data, const QnNode *node, QnIsa isa)
{
    const QnType from = node->inputs[X].value->type.element, as = stored_as(from);
    const QnType scale = node->inputs[SCALE].value->type.element;
    if (qn_cpu_float_type(scale) != QN_FLOAT || qn_family_of(from) == QN_FAMILY_NONE)
        return false;
    const QnInstruction instructions[] = {
        {.code = QN_CODE_CAST, .out = 3, .a = 0, .type = QN_FLOAT},
        QN_DO2(SUB, 4, 3, 2),
        QN_DO2(MUL, 4, 4, 1)};
    const QnPointwiseSpec spec = {.input_count = INPUT_COUNT,
                                  .input_types = {as, scale, QN_FLOAT},
                                  .code_count = (int)QN_COUNT_OF(instructions),
                                  .code = instructions,
                                  .output_count = 1,
                                  .output_types = {node->outputs[0]->type.element},
                                  .outputs = {4}};
    return qn_pointwise_init(&data->program, &spec, isa, NULL) == QN_OK;
}

static QnStatus make_scale(const QnOffer *offer, QnMake *make, const void **out)
{
    ScaleData *data = offer->context;
    const QnIrValue *zero = offer->inputs[ZERO];
    float *numbers;
    *out = data;
    if (zero && !qn_cpu_is_constant(zero))
        return QN_OK;
    QN_ALLOC(numbers, make->arena, zero ? qn_tensor_count(zero->constant) : 1);
    if (zero)
        fill_zeros(numbers, zero->constant);
    data->zero = numbers;
    return QN_OK;
}

/* Reads how many elements share a scale; false for blocks that may be cut. */
static bool read_grain(const QnNode *node, ScaleData *data)
{
    const QnShape *x = &node->inputs[X].value->type.shape,
                  *scale = &node->inputs[SCALE].value->type.shape;
    const int64_t axis = qn_op_int(node, "axis");
    data->axis = (int)(axis < 0 ? axis + x->rank : axis);
    data->block = scale->rank ? qn_op_int(node, "block_size") : 0;
    if (!data->block)
        return scale->rank <= 1;
    return data->axis >= 0 && data->axis < x->rank && x->rank < QN_MAX_RANK &&
           scale->rank == x->rank && qn_dim_is_known(x->dims[data->axis]) &&
           x->dims[data->axis] % data->block == 0;
}

QnStatus qn_cpu_lower_quantize(QnOfferCall *call)
{
    const QnNode *node = call->node;
    const bool quantizes = !strcmp(node->op, "QuantizeLinear");
    if ((!quantizes && strcmp(node->op, "DequantizeLinear") != 0) || *node->domain)
        return QN_OK;
    ScaleData *data;
    data = qn_arena_alloc_raw(call->arena, sizeof *data, _Alignof(ScaleData)); /* vectors inside */
    if (!data)
        return qn_no_memory(call->err);
    memset(data, 0, sizeof *data);
    data->quantizes = quantizes;
    const QnIsa isa = qn_cpu_of(call)->isa;
    if (!read_grain(node, data) ||
        !(quantizes ? init_quantize(data, node, isa) : init_dequantize(data, node, isa)))
        return QN_OK;
    call->offer(call, &(QnOffer){
                          .code = &code,
                          .kernel = qn_pointwise_pick(isa)->name,
                          .tier = QN_TIER_TUNED,
                          .nodes = {node},
                          .node_count = 1,
                          .inputs = {node->inputs[X].value, node->inputs[SCALE].value,
                                     qn_node_input(node, ZERO)},
                          .accepts = {QN_ACCEPT_ANY, QN_ACCEPT_PLAIN, QN_ACCEPT_PLAIN},
                          .input_count = INPUT_COUNT,
                          .outputs = {node->outputs[0]},
                          .layouts = {call->layout(call, node->inputs[X].value) == QN_LAYOUT_NHWC
                                          ? QN_LAYOUT_NHWC
                                          : QN_LAYOUT_PLAIN},
                          .context = data,
                          .make = make_scale,
                          .cost = 300 + 0.6 * qn_cpu_elements(call, node->outputs[0]),
                      });
    return QN_OK;
}
