/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/terms_i8.h"

#include "base/checked.h"
#include "engine/devices/cpu/kernels/convert.h"

/* ---- looking at a node ---- */

const QnCpuTermsForm *qn_cpu_terms_form(const QnNode *node, const QnCpuTermsForm *forms, int count)
{
    for (int i = 0; i < count; i++)
        if (!strcmp(node->op, forms[i].op) && !strcmp(node->domain, forms[i].domain))
            return &forms[i];
    return NULL;
}

static bool is_byte(QnType type)
{
    return type == QN_UINT8 || type == QN_INT8;
}

static bool has_bytes(const QnIrValue *value)
{
    return value && value->type.kind == QN_TENSOR && value->type.shape.rank >= 1 &&
           is_byte(value->type.element);
}

/* Are all dims surely 1 but the one `axis` from the last (-1: but none)?
 * An absent value passes. */
static bool is_along(const QnIrValue *value, int axis)
{
    const int rank = value ? value->type.shape.rank : 0;
    for (int d = 0; d < rank; d++)
        if (d != rank - 1 - axis && value->type.shape.dims[d] != 1)
            return false;
    return true;
}

static bool is_single(const QnIrValue *value)
{
    return is_along(value, -1);
}

static bool set_result(QnTermsI8 *terms, QnType type)
{
    terms->to = type == QN_INT32   ? QN_SCALE_TO_I32
                : type == QN_FLOAT ? QN_SCALE_TO_F32
                : type == QN_UINT8 ? QN_SCALE_TO_U8
                                   : QN_SCALE_TO_I8;
    return type == QN_INT32 || type == QN_FLOAT || is_byte(type);
}

bool qn_cpu_terms_read_node(const QnNode *node, const QnCpuTermsForm *form, QnOffer *offer,
                            QnTermsI8 *terms)
{
    for (int i = 0; i < QN_TERM_COUNT; i++) {
        offer->inputs[i] = form->inputs[i] >= 0 ? qn_node_input(node, form->inputs[i]) : NULL;
        offer->accepts[i] = QN_ACCEPT_PLAIN;
    }
    offer->input_count = QN_TERM_COUNT;
    const QnIrValue *const *in = offer->inputs;
    if (!has_bytes(in[QN_TERM_A]) || !has_bytes(in[QN_TERM_B]) || !is_single(in[QN_TERM_A_ZERO]) ||
        !is_single(in[QN_TERM_A_SCALE]) || !is_single(in[QN_TERM_Y_SCALE]) ||
        !is_single(in[QN_TERM_Y_ZERO]) || !is_along(in[QN_TERM_B_ZERO], 0) ||
        !is_along(in[QN_TERM_B_SCALE], 0))
        return false;
    if (in[QN_TERM_SUMMAND] && in[QN_TERM_SUMMAND]->type.element != QN_INT32)
        return false;
    terms->a_is_signed = in[QN_TERM_A]->type.element == QN_INT8;
    terms->b_is_unsigned = in[QN_TERM_B]->type.element == QN_UINT8;
    return set_result(terms, node->outputs[0]->type.element);
}

/* The other input of a node of two, where it is a float that broadcasts along one dim only. */
static const QnIrValue *beside(const QnNode *node, const QnIrValue *value, int axis)
{
    const QnIrValue *other = node->inputs[node->inputs[0].value == value].value;
    const bool fits = other != value && other->type.kind == QN_TENSOR &&
                      other->type.element == QN_FLOAT && other->type.shape.rank >= 0 &&
                      other->type.shape.rank <= value->type.shape.rank && is_along(other, axis);
    return fits ? other : NULL;
}

/* Adds a node to the group, and its other operand as an input. */
static void take(QnOffer *offer, const QnNode *node, int input, const QnIrValue *operand)
{
    offer->nodes[offer->node_count++] = node;
    offer->outputs[0] = node->outputs[0];
    if (input >= 0)
        offer->inputs[input] = operand;
}

void qn_cpu_terms_grow(const QnOfferCall *call, QnOffer *offer, QnTermsI8 *terms, int axis)
{
    const QnNode *cast = qn_cpu_next(call, offer->outputs[0], "Cast");
    if (!cast || cast->outputs[0]->type.element != QN_FLOAT)
        return;
    const QnNode *mul = qn_cpu_next(call, cast->outputs[0], "Mul");
    const QnIrValue *scale = mul ? beside(mul, cast->outputs[0], axis) : NULL;
    if (!scale)
        return;
    terms->to = QN_SCALE_TO_F32;
    take(offer, cast, -1, NULL);
    take(offer, mul, QN_TERM_B_SCALE, scale);
    const QnNode *add = qn_cpu_next(call, mul->outputs[0], "Add");
    const QnIrValue *bias = add ? beside(add, mul->outputs[0], axis) : NULL;
    if (bias)
        take(offer, add, QN_TERM_BIAS, bias);
}

/* ---- binding and running ---- */

QnStatus qn_cpu_terms_check(const QnStep *step, const QnBindCall *call, int64_t columns)
{
    static const bool may_be_many[QN_TERM_COUNT] = {
        [QN_TERM_B_ZERO] = true, [QN_TERM_B_SCALE] = true, [QN_TERM_BIAS] = true};
    for (int i = QN_TERM_A_ZERO; i < QN_TERM_COUNT; i++) {
        const QnTensor *t = qn_step_input(step, call->values, i);
        const int64_t count = t && i != QN_TERM_SUMMAND ? qn_tensor_count(t) : 1;
        if (count != 1 && !(may_be_many[i] && count == columns))
            return qn_fail(call->err, QN_BAD_TENSOR,
                           "a scale, zero point or bias has %lld elements, expected 1%s",
                           (long long)count, may_be_many[i] ? " or one for each column" : "");
    }
    return QN_OK;
}

/* Zero points, factors and biases, each of this size. */
static size_t part_bytes(int64_t columns)
{
    return qn_round_up((size_t)columns * sizeof(float), 64);
}

size_t qn_cpu_terms_room(int64_t columns)
{
    return columns < INT64_MAX / 64 ? 3 * part_bytes(columns) : SIZE_MAX;
}

static float scalar_of(const QnTensor *t)
{
    return t ? (float)qn_tensor_get(t, 0) : 1;
}

/* Zero points as int32; NULL where all are 0, as those of most weights are. */
static const int32_t *read_zeros(const QnTensor *t, int32_t *to)
{
    const int64_t count = t ? qn_tensor_count(t) : 0;
    int32_t any = 0;
    if (t)
        qn_convert_row(QN_INT32, to, t->type, t->data, count);
    for (int64_t i = 0; i < count; i++)
        any |= to[i];
    return any ? to : NULL;
}

/* The order of the operations is that of the references. */
static void fill_factors(const QnStep *step, const QnRunCall *call, float alpha, float *to)
{
    const QnTensor *scale = qn_step_input(step, call->values, QN_TERM_B_SCALE);
    const float front = alpha * scalar_of(qn_step_input(step, call->values, QN_TERM_A_SCALE));
    const float below = scalar_of(qn_step_input(step, call->values, QN_TERM_Y_SCALE));
    const int64_t count = scale ? qn_tensor_count(scale) : 1;
    to[0] = 1;
    if (scale)
        qn_convert_row(QN_FLOAT, to, scale->type, scale->data, count);
    for (int64_t i = 0; i < count && (front != 1 || below != 1); i++)
        to[i] = front * to[i] / below;
}

/* A bias of one element is written out. */
static const float *read_bias(const QnTensor *bias, float *to, int64_t columns)
{
    if (!bias || qn_tensor_count(bias) == columns)
        return bias ? bias->data : NULL;
    for (int64_t n = 0; n < columns; n++)
        to[n] = (float)qn_tensor_get(bias, 0);
    return to;
}

void qn_cpu_terms_read(QnTermsI8 *terms, const QnStep *step, const QnRunCall *call, void *room,
                       int64_t columns, float alpha)
{
    const QnTensor *a_zero = qn_step_input(step, call->values, QN_TERM_A_ZERO),
                   *b_zero = qn_step_input(step, call->values, QN_TERM_B_ZERO),
                   *b_scale = qn_step_input(step, call->values, QN_TERM_B_SCALE),
                   *y_zero = qn_step_input(step, call->values, QN_TERM_Y_ZERO),
                   *bias = qn_step_input(step, call->values, QN_TERM_BIAS);
    const size_t part = part_bytes(columns);
    char *at = room;
    float *factors = (float *)(void *)(at + part);
    if (a_zero)
        terms->zero_a = (int32_t)qn_tensor_get_int(a_zero, 0);
    if (y_zero)
        terms->zero = (int32_t)qn_tensor_get_int(y_zero, 0);
    terms->zero_b = read_zeros(b_zero, room);
    terms->zero_b_step = b_zero && qn_tensor_count(b_zero) > 1;
    fill_factors(step, call, alpha, factors);
    terms->factor = factors;
    terms->factor_step = b_scale && qn_tensor_count(b_scale) > 1;
    terms->float_bias = read_bias(bias, (float *)(void *)(at + 2 * part), columns);
}
