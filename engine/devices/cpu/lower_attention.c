/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attention in fp32: kernels/attend.h.  A cache is joined with what follows it first, where the
 * output wants it, else in scratch memory.  Floats of 16 bits are converted on the way in and out.
 */
#include "base/checked.h"
#include "engine/devices/cpu/border.h"
#include "engine/devices/cpu/copy.h"
#include "engine/devices/cpu/kernels/attend.h"
#include "engine/devices/cpu/spread.h"

enum { Q, K, V, MASK, PAST_KEY, PAST_VALUE, VALID, OFFSET, SINK, INPUTS };
enum { Y, PRESENT_KEY, PRESENT_VALUE, SCORES, OUTPUTS };
enum { SIDES = 2 }; /* keys and values */

static const double multiply_ns = 0.03;

typedef struct AttentionData {
    QnIsa isa;
    int64_t q_heads, kv_heads; /* of tensors of rank 3 */
    int64_t left, right;
    QnScoreStage stage;
    bool has_scale;
    float scale, softcap;
} AttentionData;

/* A cache and what follows it, copied to where both lie side by side. */
typedef struct Joined {
    bool is_joined;
    QnCpuCopy past, next;
    bool has_past;
    size_t bytes; /* of scratch memory; 0 where the output has room */
} Joined;

typedef struct Params {
    QnAttendF32 attend;
    Joined joined[SIDES];
    int64_t held; /* keys of the cache */
} Params;

/* A side of attention: sizes, and steps in elements. */
typedef struct Side {
    int64_t heads, rows, size;
    QnAttendSteps steps;
} Side;

static Side side_of(const QnTensor *x, int64_t heads)
{
    const int64_t unit = (int64_t)qn_type_size(x->type);
    if (x->rank == 4)
        return (Side){x->dims[1],
                      x->dims[2],
                      x->dims[3],
                      {x->strides[0] / unit, x->strides[1] / unit, x->strides[2] / unit,
                       x->strides[3] / unit}};
    const int64_t size = heads > 0 ? x->dims[2] / heads : 0, element = x->strides[2] / unit;
    return (Side){heads,
                  x->dims[1],
                  size,
                  {x->strides[0] / unit, size * element, x->strides[1] / unit, element}};
}

/* ---- binding ---- */

static QnStatus want_same(const char *what, int64_t a, int64_t b, QnError *err)
{
    if (a == b)
        return QN_OK;
    return qn_fail(err, QN_BAD_TENSOR, "%s: %lld and %lld, expected equal ones", what, (long long)a,
                   (long long)b);
}

static QnStatus check_sides(const QnTensor *q, const QnTensor *k, const QnTensor *v,
                            const Side *sides, QnError *err)
{
    QN_TRY(want_same("batches of Q and K", q->dims[0], k->dims[0], err));
    QN_TRY(want_same("batches of Q and V", q->dims[0], v->dims[0], err));
    QN_TRY(want_same("sizes of heads of Q and K", sides[Q].size, sides[K].size, err));
    QN_TRY(want_same("heads of K and V", sides[K].heads, sides[V].heads, err));
    QN_TRY(want_same("rows of K and V", sides[K].rows, sides[V].rows, err));
    if (sides[K].heads > 0 ? sides[Q].heads % sides[K].heads != 0 : sides[Q].heads != 0)
        return qn_fail(err, QN_BAD_TENSOR,
                       "%lld heads of queries cannot share %lld heads of keys in equal groups",
                       (long long)sides[Q].heads, (long long)sides[K].heads);
    return QN_OK;
}

/* Joins the cache of side i, which is then read where it lies. */
static QnStatus bind_joined(const QnStep *step, QnBindCall *call, int i, Side *side)
{
    const AttentionData *data = step->data;
    Params *p = call->params;
    const QnTensor *past = qn_step_input(step, call->values, PAST_KEY + i),
                   *next = qn_step_input(step, call->values, K + i),
                   *present = qn_step_output(step, call->values, PRESENT_KEY + i);
    Joined *joined = &p->joined[i];
    *joined = (Joined){.is_joined = past || present, .has_past = past != NULL};
    if (!joined->is_joined)
        return QN_OK;
    const int64_t held = past ? past->dims[2] : 0, unit = (int64_t)sizeof(float);
    const int64_t dims[4] = {next->dims[0], side->heads, held + side->rows, side->size};
    const QnTensor whole = qn_tensor(QN_FLOAT, 4, dims, NULL);
    for (int d = 0; past && d < 4; d++)
        if (d != 2)
            QN_TRY(
                want_same("sizes of a cache and what follows", past->dims[d], dims[d], call->err));
    if (i > 0)
        QN_TRY(want_same("rows of the caches", p->held, held, call->err));
    p->held = held;
    if (!present)
        call->scratch_bytes += joined->bytes =
            qn_round_up((size_t)qn_tensor_count(&whole) * sizeof(float), 64);
    if (past) {
        QnTensor part = whole;
        part.dims[2] = held;
        const QnCpuMap map = qn_cpu_map(&part, past);
        qn_cpu_copy_bind(&joined->past, &map, sizeof(float), data->isa);
    }
    QnCpuMap map = {.rank = 4,
                    .dims = {dims[0], dims[1], side->rows, dims[3]},
                    .to_offset = held * whole.strides[2],
                    .from_strides = {side->steps.item * unit, side->steps.head * unit,
                                     side->steps.row * unit, side->steps.element * unit}};
    memcpy(map.to_strides, whole.strides, sizeof map.to_strides);
    qn_cpu_copy_bind(&joined->next, &map, sizeof(float), data->isa);
    *side = side_of(&whole, 0);
    return QN_OK;
}

/* The steps of the mask, which is broadcast to the scores but for its last dimension. */
static QnStatus bind_mask(const QnTensor *mask, QnAttendF32 *a, QnError *err)
{
    const int64_t want[3] = {a->batch, a->heads, a->rows};
    int64_t steps[3] = {0}, step = 1;
    if (!mask)
        return QN_OK;
    a->mask_keys = mask->dims[mask->rank - 1];
    if (a->mask_keys > a->keys)
        return qn_fail(err, QN_BAD_TENSOR, "the mask has %lld keys, expected %lld at most",
                       (long long)a->mask_keys, (long long)a->keys);
    for (int d = mask->rank - 2; d >= 0; d--) {
        step *= mask->dims[d + 1];
        const int at = 4 - mask->rank + d;
        if (mask->dims[d] != 1) {
            QN_TRY(want_same("sizes of the mask and the scores", mask->dims[d], want[at], err));
            steps[at] = step;
        }
    }
    a->mask = (QnAttendSteps){steps[0], steps[1], steps[2], 1};
    return QN_OK;
}

static QnStatus want_count(const QnStep *step, const QnBindCall *call, int i, int64_t count)
{
    const QnTensor *x = qn_step_input(step, call->values, i);
    static const char *const names[] = {
        [VALID] = "nonpad_kv_seqlen and items", [OFFSET] = "offset and items", [SINK] = "sinks"};
    if (!x || (i == OFFSET && x->rank == 0))
        return QN_OK;
    return want_same(names[i], qn_tensor_count(x), count, call->err);
}

static QnStatus reserve(const QnStep *step, QnBindCall *call, const QnAttendF32 *a)
{
    const QnTensor *mask = qn_step_input(step, call->values, MASK);
    for (int i = Q; i <= V; i++)
        qn_cpu_border_reserve(&call->scratch_bytes, qn_step_input(step, call->values, i), QN_FLOAT);
    if (mask && mask->type != QN_BOOL)
        qn_cpu_border_reserve(&call->scratch_bytes, mask, QN_FLOAT);
    qn_cpu_border_reserve(&call->scratch_bytes, qn_step_input(step, call->values, SINK), QN_FLOAT);
    qn_cpu_border_reserve(&call->scratch_bytes, qn_step_output(step, call->values, Y), QN_FLOAT);
    qn_cpu_border_reserve(&call->scratch_bytes, qn_step_output(step, call->values, SCORES),
                          QN_FLOAT);
    call->scratch_bytes += 2 * qn_round_up((size_t)a->batch * sizeof(int64_t), 64);
    call->member_scratch_bytes = qn_attend_f32_scratch(a);
    return QN_OK;
}

static QnStatus bind_attention(const QnStep *step, QnBindCall *call)
{
    const AttentionData *data = step->data;
    const QnTensor *tensors[] = {qn_step_input(step, call->values, Q),
                                 qn_step_input(step, call->values, K),
                                 qn_step_input(step, call->values, V)};
    Params *p = call->params;
    Side sides[] = {side_of(tensors[Q], data->q_heads), side_of(tensors[K], data->kv_heads),
                    side_of(tensors[V], data->kv_heads)};
    *p = (Params){.held = 0};
    QN_TRY(check_sides(tensors[Q], tensors[K], tensors[V], sides, call->err));
    QN_TRY(bind_joined(step, call, 0, &sides[K]));
    QN_TRY(bind_joined(step, call, 1, &sides[V]));
    const QnTensor *y = qn_step_output(step, call->values, Y);
    const Side out = side_of(y, sides[Q].heads);
    p->attend = (QnAttendF32){.isa = data->isa,
                              .batch = tensors[Q]->dims[0],
                              .heads = sides[Q].heads,
                              .group = sides[K].heads ? sides[Q].heads / sides[K].heads : 1,
                              .rows = sides[Q].rows,
                              .keys = sides[K].rows,
                              .size = sides[Q].size,
                              .value_size = sides[V].size,
                              .q = sides[Q].steps,
                              .k = sides[K].steps,
                              .v = sides[V].steps,
                              .y = out.steps,
                              .left = data->left,
                              .right = data->right,
                              .scale = data->scale,
                              .softcap = data->softcap,
                              .stage = data->stage,
                              .has_sinks = qn_step_input(step, call->values, SINK) != NULL};
    if (!data->has_scale)
        p->attend.scale = (float)(1 / sqrt((double)sides[Q].size));
    QN_TRY(bind_mask(qn_step_input(step, call->values, MASK), &p->attend, call->err));
    QN_TRY(want_count(step, call, VALID, p->attend.batch));
    QN_TRY(want_count(step, call, OFFSET, p->attend.batch));
    QN_TRY(want_count(step, call, SINK, p->attend.heads));
    return reserve(step, call, &p->attend);
}

/* ---- running ---- */

/* The positions of queries and how many keys are valid, for each item. */
static QnStatus read_places(const QnStep *step, const Params *p, QnRunCall *call, int64_t *offsets,
                            int64_t *valid)
{
    const QnTensor *counts = qn_step_input(step, call->values, VALID),
                   *given = qn_step_input(step, call->values, OFFSET);
    for (int64_t b = 0; b < p->attend.batch; b++) {
        valid[b] = counts ? qn_tensor_get_int(counts, b) : p->attend.keys;
        if (valid[b] < 0 || valid[b] > p->attend.keys)
            return qn_fail(call->err, QN_BAD_TENSOR,
                           "nonpad_kv_seqlen[%lld] is %lld, expected 0 to %lld", (long long)b,
                           (long long)valid[b], (long long)p->attend.keys);
        offsets[b] = counts ? valid[b] - p->attend.rows : p->held;
        if (given)
            offsets[b] = qn_tensor_get_int(given, given->rank ? b : 0);
    }
    return QN_OK;
}

/* Keys or values as the kernel reads them. */
static const float *join(const QnStep *step, const Params *p, QnRunCall *call, int i,
                         uint8_t **room)
{
    const Joined *joined = &p->joined[i];
    const QnTensor *past = qn_step_input(step, call->values, PAST_KEY + i),
                   *present = qn_step_output(step, call->values, PRESENT_KEY + i),
                   *next = qn_step_input(step, call->values, K + i);
    if (!joined->is_joined)
        return qn_cpu_border_read(call, room, next, QN_FLOAT);
    void *whole = present ? present->data : *room;
    *room += joined->bytes;
    if (joined->has_past)
        qn_cpu_copy_run(call, &joined->past, whole, past->data);
    qn_cpu_copy_run(call, &joined->next, whole, next->data);
    return whole;
}

typedef struct Work {
    const QnRunCall *call;
    const QnAttendF32 *attend;
    QnAttendArrays arrays;
} Work;

static void run_units(const void *user, int64_t begin, int64_t end, int member)
{
    const Work *work = user;
    for (int64_t unit = begin; unit < end; unit++)
        qn_attend_f32_run(work->attend, &work->arrays, unit,
                          qn_cpu_member_scratch(work->call, member));
}

static QnStatus run_attention(const QnStep *step, const void *params, QnRunCall *call)
{
    const Params *p = params;
    const QnAttendF32 *a = &p->attend;
    const QnTensor *mask = qn_step_input(step, call->values, MASK),
                   *y = qn_step_output(step, call->values, Y),
                   *scores = qn_step_output(step, call->values, SCORES);
    int64_t *offsets = call->scratch, *valid;
    uint8_t *room = call->scratch;
    room += qn_round_up((size_t)a->batch * sizeof(int64_t), 64);
    valid = (int64_t *)(void *)room;
    room += qn_round_up((size_t)a->batch * sizeof(int64_t), 64);
    QN_TRY(read_places(step, p, call, offsets, valid));
    Work work = {.call = call, .attend = a, .arrays = {.offsets = offsets, .valid = valid}};
    QnAttendArrays *to = &work.arrays;
    to->q = qn_cpu_border_read(call, &room, qn_step_input(step, call->values, Q), QN_FLOAT);
    to->k = join(step, p, call, 0, &room);
    to->v = join(step, p, call, 1, &room);
    if (mask && mask->type == QN_BOOL)
        to->allowed = mask->data;
    else
        to->bias = qn_cpu_border_read(call, &room, mask, QN_FLOAT);
    to->sinks = qn_cpu_border_read(call, &room, qn_step_input(step, call->values, SINK), QN_FLOAT);
    to->y = qn_cpu_border_room(&room, y, QN_FLOAT);
    to->scores = qn_cpu_border_room(&room, scores, QN_FLOAT);
    qn_cpu_spread(call, qn_attend_f32_units(a), multiply_ns * qn_attend_f32_unit_cost(a), run_units,
                  &work);
    qn_cpu_border_write(call, y, QN_FLOAT, to->y);
    qn_cpu_border_write(call, scores, QN_FLOAT, to->scores);
    qn_cpu_fault("Attention", y);
    return QN_OK;
}

static const QnStepCode code = {.name = "attention",
                                .params_size = (sizeof(Params) + 7) / 8 * 8,
                                .bind = bind_attention,
                                .run = run_attention};

/* ---- offering ---- */

/* Are all inputs of floats that are computed in fp32, and those of a cache fp32 itself? */
static bool is_fit(const QnNode *node)
{
    const bool has_cache = qn_node_input(node, PAST_KEY) || qn_node_output(node, PRESENT_KEY) ||
                           qn_node_output(node, PRESENT_VALUE);
    for (int i = 0; i < INPUTS; i++) {
        const QnIrValue *value = qn_node_input(node, i);
        const bool is_number = i == VALID || i == OFFSET || i == MASK;
        if (!value || is_number)
            continue;
        if (qn_cpu_float_type(value->type.element) != QN_FLOAT ||
            (has_cache && value->type.element != QN_FLOAT))
            return false;
    }
    const QnIrValue *mask = qn_node_input(node, MASK);
    return qn_node_output(node, Y) && (!mask || mask->type.element == QN_BOOL ||
                                       qn_family_of(mask->type.element) != QN_FAMILY_NONE);
}

static QnStatus make_data(QnOfferCall *call, AttentionData **out)
{
    const QnNode *node = call->node;
    AttentionData *data;
    QN_ALLOC(data, call->arena, 1);
    *data = (AttentionData){.isa = qn_cpu_of(call)->isa,
                            .q_heads = qn_op_int(node, "q_num_heads"),
                            .kv_heads = qn_op_int(node, "kv_num_heads"),
                            .left = qn_op_int(node, "left_window_size"),
                            .right = qn_op_int(node, "right_window_size"),
                            .has_scale = qn_node_attribute(node, "scale") != NULL,
                            .scale = (float)qn_node_float(node, "scale", 0),
                            .softcap = (float)qn_op_float(node, "softcap")};
    if (qn_op_int(node, "is_causal"))
        data->right = 0;
    if (qn_node_output(node, SCORES))
        data->stage = (QnScoreStage)(QN_SCORE_RAW + qn_op_int(node, "qk_matmul_output_mode"));
    *out = data;
    return QN_OK;
}

QnStatus qn_cpu_lower_attention(QnOfferCall *call)
{
    const QnNode *node = call->node;
    AttentionData *data;
    if (strcmp(node->op, "Attention") != 0 || *node->domain || !is_fit(node))
        return QN_OK;
    QN_TRY(make_data(call, &data));
    const QnIrValue *k = node->inputs[K].value;
    QnOffer offer = {
        .code = &code,
        .kernel = "attend",
        .tier = QN_TIER_TUNED,
        .nodes = {node},
        .node_count = 1,
        .input_count = node->input_count < INPUTS ? node->input_count : INPUTS,
        .context = data,
        .cost = 500 + multiply_ns * qn_cpu_elements(call, node->inputs[Q].value) *
                          qn_cpu_size(call, k->type.shape.dims[k->type.shape.rank - 2]),
    };
    for (int i = 0; i < offer.input_count; i++) {
        const QnIrValue *value = node->inputs[i].value;
        const bool is_read_in_place = i <= V && value && value->type.element == QN_FLOAT;
        offer.inputs[i] = value;
        offer.accepts[i] = is_read_in_place ? QN_ACCEPT_PLAIN | QN_ACCEPT_STRIDED : QN_ACCEPT_PLAIN;
    }
    for (int i = 0; i < OUTPUTS; i++)
        offer.outputs[i] = qn_node_output(node, i);
    call->offer(call, &offer);
    return QN_OK;
}
