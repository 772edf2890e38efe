/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Normalizations of rows (kernels/normalize.h): LayerNormalization, RMSNormalization,
 * InstanceNormalization, GroupNormalization and LpNormalization of plain tensors.
 */
#include "engine/devices/cpu/border.h"
#include "engine/devices/cpu/copy.h"
#include "engine/devices/cpu/kernels/normalize.h"
#include "engine/devices/cpu/spread.h"

static const double element_ns = 0.5;

/* What the rows are. */
typedef enum Rows { FROM_AXIS, CHANNELS, GROUPS, ALONG_AXIS } Rows;

typedef struct Row {
    const char *op;
    QnNormalizeKind kind;
    Rows rows;
} Row;

static const Row rows[] = {
    {"GroupNormalization", QN_NORMALIZE_LAYER, GROUPS},
    {"InstanceNormalization", QN_NORMALIZE_LAYER, CHANNELS},
    {"LayerNormalization", QN_NORMALIZE_LAYER, FROM_AXIS},
    {"LpNormalization", QN_NORMALIZE_L2, ALONG_AXIS},
    {"RMSNormalization", QN_NORMALIZE_RMS, FROM_AXIS},
};

enum { X = 0, SCALE = 1, BIAS = 2, INPUT_COUNT = 3 };

typedef struct NormData {
    const Row *row;
    const QnNormalizeVariant *variant;
    QnNormalizeKind kind;
    QnIsa isa;
    QnType type; /* computed in */
    int axis;
    int64_t groups;
    double epsilon;
} NormData;

typedef struct Params {
    QnNormalize normalize;
    QnCpuCopy in, out; /* of ALONG_AXIS: to rows in the scratch memory, and back */
    size_t row_bytes;  /* of those rows; 0: they lie in the tensors */
} Params;

/* ---- binding ---- */

static int64_t product(const QnTensor *t, int first, int end)
{
    int64_t count = 1;
    for (int d = first; d < end; d++)
        count *= t->dims[d];
    return count;
}

static QnStatus set_channels(const NormData *data, const QnTensor *x, const QnTensor *scale,
                             const QnTensor *bias, QnNormalize *n, QnError *err)
{
    const int64_t channels = x->dims[1], plane = product(x, 2, x->rank);
    const int64_t groups = data->row->rows == GROUPS ? data->groups : channels;
    if (groups > 0 && channels % groups)
        return qn_fail(err, QN_BAD_TENSOR, "%lld channels cannot be parted into %lld groups",
                       (long long)channels, (long long)groups);
    if (qn_tensor_count(scale) != channels || qn_tensor_count(bias) != channels)
        return qn_fail(err, QN_BAD_TENSOR,
                       "scale and bias have %lld and %lld elements, expected %lld",
                       (long long)qn_tensor_count(scale), (long long)qn_tensor_count(bias),
                       (long long)channels);
    n->rows = x->dims[0] * groups;
    n->step = groups ? channels / groups : 0;
    n->length = n->step * plane;
    n->period = groups;
    n->repeat = plane;
    return QN_OK;
}

/* Rows along an axis that is not the last are gathered in the scratch memory:
 * the axis moves to the end. */
static void gather_rows(const NormData *data, const QnTensor *x, const QnTensor *y, Params *p,
                        QnBindCall *call)
{
    const int64_t inner = product(x, data->axis + 1, x->rank);
    if (inner == 1)
        return;
    QnCpuMap map = {.rank = 3};
    const int64_t size = (int64_t)qn_type_size(x->type), length = x->dims[data->axis];
    const int64_t dims[3] = {product(x, 0, data->axis), inner, length};
    const int64_t there[3] = {inner * length * size, length * size, size};
    const int64_t here[3] = {inner * length * size, size, inner * size};
    memcpy(map.dims, dims, sizeof dims);
    memcpy(map.to_strides, there, sizeof there);
    memcpy(map.from_strides, here, sizeof here);
    qn_cpu_copy_bind(&p->in, &map, (size_t)size, data->isa);
    memcpy(map.to_strides, here, sizeof here);
    memcpy(map.from_strides, there, sizeof there);
    qn_cpu_copy_bind(&p->out, &map, (size_t)size, data->isa);
    p->row_bytes = y->size_bytes;
    call->scratch_bytes += y->size_bytes;
}

static QnStatus bind_norm(const QnStep *step, QnBindCall *call)
{
    const NormData *data = step->data;
    const QnTensor *x = qn_step_input(step, call->values, X),
                   *scale = qn_step_input(step, call->values, SCALE),
                   *bias = qn_step_input(step, call->values, BIAS),
                   *y = qn_step_output(step, call->values, 0);
    Params *p = call->params;
    *p = (Params){.normalize = {.kind = data->kind,
                                .rows = product(x, 0, data->axis),
                                .length = product(x, data->axis, x->rank),
                                .epsilon = data->epsilon,
                                .period = 1,
                                .repeat = 1}};
    if (data->row->rows == CHANNELS || data->row->rows == GROUPS)
        QN_TRY(set_channels(data, x, scale, bias, &p->normalize, call->err));
    if (data->row->rows == ALONG_AXIS) {
        gather_rows(data, x, y, p, call);
        p->normalize.length = x->dims[data->axis];
        p->normalize.rows = p->normalize.length ? qn_tensor_count(x) / p->normalize.length : 0;
    }
    for (int i = 0; i < INPUT_COUNT; i++)
        qn_cpu_border_reserve(&call->scratch_bytes, qn_step_input(step, call->values, i),
                              data->type);
    for (int i = 0; i < step->output_count; i++)
        qn_cpu_border_reserve(&call->scratch_bytes, qn_step_output(step, call->values, i),
                              data->type);
    return QN_OK;
}

/* ---- running ---- */

typedef struct Work {
    const NormData *data;
    const QnNormalize *normalize;
    QnNormalizeData tensors;
} Work;

static void run_units(const void *user, int64_t begin, int64_t end, int member)
{
    const Work *work = user;
    (void)member;
    qn_normalize_run(work->data->variant, work->normalize, &work->tensors, begin, end);
}

static void run_rows(const Work *work, const QnRunCall *call)
{
    qn_cpu_spread(call, work->normalize->rows, element_ns * (double)work->normalize->length,
                  run_units, work);
}

static void run_border(const QnStep *step, Work *work, const QnRunCall *call)
{
    const QnType type = work->data->type;
    const QnTensor *outputs[3];
    uint8_t *room = call->scratch;
    for (int i = 0; i < 3; i++)
        outputs[i] = qn_step_output(step, call->values, i);
    QnNormalizeData *t = &work->tensors;
    t->x = qn_cpu_border_read(call, &room, qn_step_input(step, call->values, X), type);
    t->scale = qn_cpu_border_read(call, &room, qn_step_input(step, call->values, SCALE), type);
    t->bias = qn_cpu_border_read(call, &room, qn_step_input(step, call->values, BIAS), type);
    t->y = qn_cpu_border_room(&room, outputs[0], type);
    t->means = qn_cpu_border_room(&room, outputs[1], type);
    t->factors = qn_cpu_border_room(&room, outputs[2], type);
    run_rows(work, call);
    qn_cpu_border_write(call, outputs[0], type, t->y);
    qn_cpu_border_write(call, outputs[1], type, t->means);
    qn_cpu_border_write(call, outputs[2], type, t->factors);
}

static QnStatus run_norm(const QnStep *step, const void *params, QnRunCall *call)
{
    const NormData *data = step->data;
    const Params *p = params;
    const QnTensor *y = qn_step_output(step, call->values, 0);
    Work work = {.data = data, .normalize = &p->normalize};
    if (p->row_bytes) {
        qn_cpu_copy_run(call, &p->in, call->scratch, qn_step_input(step, call->values, X)->data);
        work.tensors.x = work.tensors.y = call->scratch;
        run_rows(&work, call);
        qn_cpu_copy_run(call, &p->out, y->data, call->scratch);
    } else {
        run_border(step, &work, call);
    }
    qn_cpu_fault(data->row->op, y);
    return QN_OK;
}

static const QnStepCode code = {.name = "normalize",
                                .params_size = (sizeof(Params) + 7) / 8 * 8,
                                .bind = bind_norm,
                                .run = run_norm};

/* ---- offering ---- */

static const Row *find_row(const QnNode *node)
{
    for (size_t i = 0; i < QN_COUNT_OF(rows) && !*node->domain; i++)
        if (!strcmp(rows[i].op, node->op))
            return &rows[i];
    return NULL;
}

/* Has a scale or bias one element for each element of a row?  Others broadcast in ways that the
 * kernel does not know. */
static bool covers_row(const QnIrValue *part, const QnShape *x, int axis)
{
    if (!part)
        return true;
    const QnShape *shape = &part->type.shape;
    int first = axis;
    while (first < x->rank - shape->rank && x->dims[first] == 1)
        first++;
    if (shape->rank < x->rank - first)
        return false;
    for (int d = 0; d < shape->rank; d++) {
        const int at = x->rank - shape->rank + d;
        if (at < axis ? shape->dims[d] != 1 : shape->dims[d] != x->dims[at])
            return false;
    }
    return true;
}

/* Do the elements along the axis surely lie side by side? */
static bool is_innermost(const QnShape *shape, int axis)
{
    for (int d = axis + 1; d < shape->rank; d++)
        if (shape->dims[d] != 1)
            return false;
    return true;
}

/* Reads what the operator's rows are; false where the kernel cannot do it. */
static bool read_norm(const QnNode *node, NormData *data)
{
    const QnShape *x = &node->inputs[0].value->type.shape;
    const Rows kind = data->row->rows;
    data->kind = data->row->kind;
    if (kind == FROM_AXIS || kind == ALONG_AXIS) {
        const int64_t axis = qn_op_int(node, "axis");
        data->axis = (int)(axis < 0 ? axis + x->rank : axis);
    }
    if (kind != ALONG_AXIS)
        data->epsilon = qn_op_float(node, "epsilon");
    if (kind == GROUPS)
        data->groups = qn_op_int(node, "num_groups");
    if (kind == ALONG_AXIS) {
        data->kind = qn_op_int(node, "p") == 1 ? QN_NORMALIZE_L1 : QN_NORMALIZE_L2;
        /* Rows that are gathered are not converted as well. */
        return is_innermost(x, data->axis) || data->type == node->inputs[0].value->type.element;
    }
    return kind != FROM_AXIS || (covers_row(qn_node_input(node, SCALE), x, data->axis) &&
                                 covers_row(qn_node_input(node, BIAS), x, data->axis));
}

QnStatus qn_cpu_lower_norm(QnOfferCall *call)
{
    const QnNode *node = call->node;
    const Row *row = find_row(node);
    if (!row || !node->outputs[0])
        return QN_OK;
    NormData read = {.row = row,
                     .isa = qn_cpu_of(call)->isa,
                     .type = qn_cpu_float_type(node->inputs[0].value->type.element)};
    NormData *data;
    read.variant = qn_normalize_pick(read.type, read.isa);
    if (!read.variant || !read_norm(node, &read))
        return QN_OK;
    QN_ALLOC(data, call->arena, 1);
    *data = read;
    QnOffer offer = {
        .code = &code,
        .kernel = read.variant->name,
        .tier = QN_TIER_TUNED,
        .nodes = {node},
        .node_count = 1,
        .accepts = {QN_ACCEPT_PLAIN, QN_ACCEPT_PLAIN, QN_ACCEPT_PLAIN},
        .input_count = INPUT_COUNT,
        .outputs = {node->outputs[0], qn_node_output(node, 1), qn_node_output(node, 2)},
        .in_place = 1,
        .context = data,
        .cost = 300 + element_ns * qn_cpu_elements(call, node->outputs[0]),
    };
    for (int i = 0; i < INPUT_COUNT; i++)
        offer.inputs[i] = qn_node_input(node, i);
    call->offer(call, &offer);
    return QN_OK;
}
