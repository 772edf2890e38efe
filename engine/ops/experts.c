/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MoE, a mixture of experts: each token goes to the k experts that softmax of its router's row
 * likes best, and gets the sum of what they make of it, weighted by that softmax:
 *
 *     y = sum_e p[e] * (fc2[e] * unit(fc1[e] x + b1[e]) + b2[e])
 *
 * Weights are [experts, out, in].  A gated unit has a linear half l beside g: of fc3, or of fc1's
 * rows, which are then twice as many, in turns (fusion 1) or one half after the other (2).
 */
#include <math.h>

#include "engine/ops/op.h"

enum { X, ROUTER, FC1, B1, FC2, B2, FC3, B3 };

typedef enum Unit { RELU, RELU2, GELU, SILU, IDENTITY, SWIGLU, GEGLU, UNIT_COUNT } Unit;

static const char *const unit_names[UNIT_COUNT] = {"relu",     "relu2",  "gelu", "silu",
                                                   "identity", "swiglu", "geglu"};

typedef struct Experts {
    Unit unit;
    bool is_gated;             /* has a linear half, from fc3 or from fc1's other rows */
    int64_t fusion, k;         /* fusion: where the linear half is; 0: in fc3 */
    double alpha, beta, limit; /* limit: INFINITY where there is none */
    bool limits_after, is_normalized;
    int64_t tokens, count, hidden, inner; /* count of experts; inner: fc2's columns */
} Experts;

static QnStatus read_experts(Experts *e, const QnNode *node, bool has_fc3, QnError *err)
{
    int unit = 0;
    while (unit < UNIT_COUNT && !qn_op_string_is(node, "activation_type", unit_names[unit]))
        unit++;
    if (unit == UNIT_COUNT)
        return qn_fail(
            err, QN_BAD_MODEL,
            "activation_type is none of relu, relu2, gelu, silu, identity, swiglu, geglu");
    *e = (Experts){.unit = (Unit)unit,
                   .fusion = qn_op_int(node, "swiglu_fusion"),
                   .k = qn_op_int(node, "k"),
                   .alpha = qn_op_float(node, "activation_alpha"),
                   .beta = qn_op_float(node, "activation_beta"),
                   .limit = qn_node_float(node, "swiglu_limit", INFINITY),
                   .limits_after = qn_op_int(node, "swiglu_limit_after_activation") != 0,
                   .is_normalized = qn_op_int(node, "normalize_routing_weights") != 0};
    e->is_gated = has_fc3 || e->unit == SWIGLU || e->unit == GEGLU;
    if (e->fusion < 0 || e->fusion > 2)
        return qn_fail(err, QN_BAD_MODEL, "swiglu_fusion is %lld, expected 0 to 2",
                       (long long)e->fusion);
    if (e->unit != SWIGLU && e->unit != GEGLU)
        e->fusion = 0;
    if (e->is_gated && has_fc3 != (e->fusion == 0))
        return qn_fail(err, QN_BAD_MODEL, "swiglu_fusion is %lld and fc3 is %s",
                       (long long)e->fusion, has_fc3 ? "there" : "absent");
    return QN_OK;
}

/* ---- shapes ---- */

/* Input i must have these dims, as far as they are known (-1: any). */
static QnStatus want_dims(QnInfer *in, int i, int rank, const QnDim *dims)
{
    const QnShape *shape = qn_infer_shape(in, i);
    QN_TRY(qn_infer_want_rank(in, i, rank));
    for (int d = 0; shape && d < rank; d++)
        if (qn_dim_is_known(dims[d]) && qn_dim_is_known(shape->dims[d]) &&
            dims[d] != shape->dims[d])
            return qn_infer_fail(in, "input %d has size %lld along dimension %d, expected %lld", i,
                                 (long long)shape->dims[d], d, (long long)dims[d]);
    return QN_OK;
}

/* Dim d of input i, or one that is not known. */
static QnDim dim_of(QnInfer *in, int i, int d)
{
    const QnShape *shape = qn_infer_shape(in, i);
    return shape && d < shape->rank ? shape->dims[d] : qn_infer_fresh(in);
}

static QnStatus check_weights(QnInfer *in, const Experts *e, QnDim tokens, QnDim hidden)
{
    const QnDim count = dim_of(in, ROUTER, 1), inner = dim_of(in, FC2, 2);
    QnDim rows = inner;
    if (e->fusion)
        rows = qn_dim_is_known(inner) ? 2 * inner : qn_infer_fresh(in);
    QN_TRY(want_dims(in, ROUTER, 2, (QnDim[]){tokens, count}));
    QN_TRY(want_dims(in, FC1, 3, (QnDim[]){count, rows, hidden}));
    QN_TRY(want_dims(in, B1, 2, (QnDim[]){count, rows}));
    QN_TRY(want_dims(in, FC2, 3, (QnDim[]){count, hidden, inner}));
    QN_TRY(want_dims(in, B2, 2, (QnDim[]){count, hidden}));
    QN_TRY(want_dims(in, FC3, 3, (QnDim[]){count, inner, hidden}));
    QN_TRY(want_dims(in, B3, 2, (QnDim[]){count, inner}));
    if (e->k < 1 || (qn_dim_is_known(count) && e->k > count))
        return qn_infer_fail(in, "k is %lld, expected 1 to the number of experts", (long long)e->k);
    return QN_OK;
}

static QnStatus infer(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, X);
    Experts e;
    QN_TRY(read_experts(&e, in->node, qn_infer_has(in, FC3), in->err));
    if (!x)
        return qn_infer_unknown(in, 0, qn_infer_element(in, X), -1);
    if (x->rank != 2 && x->rank != 3)
        return qn_infer_fail(in, "input 0 has rank %d, expected 2 or 3", x->rank);
    QN_TRY(
        check_weights(in, &e, qn_shape_product(in->dims, x, 0, x->rank - 1), x->dims[x->rank - 1]));
    return qn_infer_tensor(in, 0, qn_infer_element(in, X), x);
}

/* ---- routing ---- */

/* The weights [count] of a token's experts: 0 of those that are not among the k best. */
static void route(const Experts *e, const QnTensor *router, int64_t token, double *weights)
{
    double max = -INFINITY, sum = 0, chosen = 0;
    qn_tensor_read_row(router, token * e->count, 1, e->count, weights);
    for (int64_t i = 0; i < e->count; i++)
        max = fmax(max, weights[i]);
    for (int64_t i = 0; i < e->count; i++)
        sum += weights[i] = exp(weights[i] - max);
    for (int64_t n = 0; n < e->k; n++) { /* the chosen ones are marked by their sign */
        int64_t best = -1;
        for (int64_t i = 0; i < e->count; i++)
            if (!signbit(weights[i]) && (best < 0 || weights[i] >= weights[best]))
                best = i;
        if (best < 0)
            break; /* NaN */
        chosen += weights[best];
        weights[best] = -weights[best];
    }
    for (int64_t i = 0; i < e->count; i++)
        weights[i] = signbit(weights[i]) ? -weights[i] / (e->is_normalized ? chosen : sum) : 0;
}

/* ---- an expert ---- */

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double gelu(double x)
{
    return 0.5 * x * (1 + tanh(0.7978845608028654 * (x + 0.044715 * x * x * x)));
}

/* g through the unit, and its linear half l. */
static double apply(const Experts *e, double g, double l)
{
    switch (e->unit) {
    case RELU:
        return fmax(g, 0) * l;
    case RELU2:
        return fmax(g, 0) * fmax(g, 0) * l;
    case GELU:
    case GEGLU:
        return gelu(g) * l;
    case SILU:
        return g * sigmoid(g) * l;
    case SWIGLU:
        g = e->limits_after ? fmin(g * sigmoid(e->alpha * g), e->limit) : fmin(g, e->limit);
        l = fmin(fmax(l, -e->limit), e->limit) + e->beta;
        return (e->limits_after ? g : g * sigmoid(e->alpha * g)) * l;
    default:
        return g * l;
    }
}

/* Row r of expert n's matrix in input `weights`, times x [width], and its bias. */
static double multiply(const QnCall *call, int weights, int64_t row, const double *x, int64_t width,
                       double *scratch)
{
    const QnTensor *bias = qn_call_input(call, weights + 1);
    double sum = bias ? qn_tensor_get(bias, row) : 0;
    qn_tensor_read_row(qn_call_input(call, weights), row * width, 1, width, scratch);
    for (int64_t i = 0; i < width; i++)
        sum += scratch[i] * x[i];
    return sum;
}

/* Adds what expert n makes of a token. */
static void run_expert(const QnCall *call, const Experts *e, int64_t n, const double *x,
                       double weight, double *h, double *scratch, double *y)
{
    const int64_t rows = e->fusion ? 2 * e->inner : e->inner;
    for (int64_t i = 0; i < e->inner; i++) {
        const int64_t row = e->fusion == 1 ? 2 * i : i;
        const int64_t other = e->fusion == 1 ? 2 * i + 1 : e->inner + i;
        const double g = multiply(call, FC1, n * rows + row, x, e->hidden, scratch);
        double l = 1;
        if (e->is_gated)
            l = e->fusion ? multiply(call, FC1, n * rows + other, x, e->hidden, scratch)
                          : multiply(call, FC3, n * rows + i, x, e->hidden, scratch);
        h[i] = apply(e, g, l);
    }
    for (int64_t i = 0; i < e->hidden; i++)
        y[i] += weight * multiply(call, FC2, n * e->hidden + i, h, e->inner, scratch);
}

static QnStatus mix(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, X), *fc2 = qn_call_input(call, FC2);
    Experts e;
    double *weights, *token, *h, *scratch, *sum;
    QN_TRY(read_experts(&e, call->node, qn_call_input(call, FC3) != NULL, call->err));
    e.count = fc2->dims[0];
    e.hidden = fc2->dims[1];
    e.inner = fc2->dims[2];
    e.tokens = qn_call_input(call, ROUTER)->dims[0];
    QN_ALLOC(weights, call->scratch, e.count);
    QN_ALLOC(token, call->scratch, e.hidden);
    QN_ALLOC(h, call->scratch, e.inner);
    QN_ALLOC(scratch, call->scratch, e.hidden > e.inner ? e.hidden : e.inner);
    QN_ALLOC(sum, call->scratch, e.hidden);
    for (int64_t t = 0; t < e.tokens; t++) {
        route(&e, qn_call_input(call, ROUTER), t, weights);
        qn_tensor_read_row(x, t * e.hidden, 1, e.hidden, token);
        memset(sum, 0, (size_t)e.hidden * sizeof *sum);
        for (int64_t n = 0; n < e.count; n++) {
            QN_TRY(qn_call_poll(call));
            if (weights[n] > 0)
                run_expert(call, &e, n, token, weights[n], h, scratch, sum);
        }
        qn_tensor_write_row(qn_call_result(call, 0), t * e.hidden, 1, e.hidden, sum);
    }
    return QN_OK;
}

static const QnOpAttribute attributes[] = {
    {"activation_alpha", QN_ATTRIBUTE_FLOAT, .f = 1},
    {"activation_beta", QN_ATTRIBUTE_FLOAT},
    {"activation_type", QN_ATTRIBUTE_STRING, .s = "relu"},
    {"k", QN_ATTRIBUTE_INT, .i = 1},
    {"normalize_routing_weights", QN_ATTRIBUTE_INT},
    {"swiglu_fusion", QN_ATTRIBUTE_INT},
    {"swiglu_limit", QN_ATTRIBUTE_FLOAT},
    {"swiglu_limit_after_activation", QN_ATTRIBUTE_INT},
    {"use_sparse_mixer", QN_ATTRIBUTE_INT}, /* routes as without it, as ONNX Runtime's CPUs do */
    {0},
};

const QnOp qn_ops_experts[] = {
    {.name = "MoE",
     .domain = "com.microsoft",
     .since = 1,
     .inputs = "input: float, router_probs: T, fc1_experts_weights: T, fc1_experts_bias?: T, "
               "fc2_experts_weights: T, fc2_experts_bias?: T, fc3_experts_weights?: T, "
               "fc3_experts_bias?: T",
     .outputs = "output: T",
     .attributes = attributes,
     .infer = infer,
     .reference = mix},
    {0},
};
