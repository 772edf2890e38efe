/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MoE and QMoE, mixtures of experts: each token goes to the k experts that softmax of its router's
 * row likes best, and gets the sum of what they make of it, weighted by that softmax:
 *
 *     y = sum_e p[e] * (fc2[e] * unit(fc1[e] x + b1[e]) + b2[e])
 *
 * Weights are [experts, out, in].  A gated unit has a linear half l beside g: of fc3, or of fc1's
 * rows, which are then twice as many, in turns (fusion 1) or one half after the other (2).
 *
 * QMoE has weights of few bits, (code - zero point) * scale, low bits first; scales belong to
 * blocks of a row, or to the whole row where there is no block_size.
 */
#include <math.h>

#include "base/checked.h"
#include "engine/ops/few_bits.h"

enum { X, ROUTER, MIXING = 14 }; /* MIXING: of QMoE, weights of experts instead of softmax */

typedef enum Layer { FC1, FC2, FC3, LAYERS } Layer;

/* The inputs of a layer; scales and zero points of QMoE alone. */
typedef struct Places {
    int weight, bias, scales, zeros;
} Places;

static const Places places[2][LAYERS] = {
    {{2, 3, 0, 0}, {4, 5, 0, 0}, {6, 7, 0, 0}},
    {{2, 4, 3, 11}, {5, 7, 6, 12}, {8, 10, 9, 13}},
};

typedef enum Unit { RELU, RELU2, GELU, SILU, IDENTITY, SWIGLU, GEGLU, UNIT_COUNT } Unit;

static const char *const unit_names[UNIT_COUNT] = {"relu",     "relu2",  "gelu", "silu",
                                                   "identity", "swiglu", "geglu"};

typedef struct Experts {
    Unit unit;
    bool is_gated;             /* has a linear half, from fc3 or from fc1's other rows */
    int64_t fusion, k;         /* fusion: where the linear half is; 0: in fc3 */
    double alpha, beta, limit; /* limit: INFINITY where there is none */
    bool limits_after, is_normalized;
    const Places *places;                 /* [LAYERS] */
    int bits[LAYERS];                     /* of a code; 0: weights are real numbers */
    int64_t block;                        /* elements of a row that share a scale; 0: all */
    int64_t tokens, count, hidden, inner; /* count of experts; inner: fc2's columns */
} Experts;

static bool is_quantized(const QnNode *node)
{
    return !strcmp(node->op, "QMoE");
}

static QnStatus read_quantization(Experts *e, const QnNode *node, QnError *err)
{
    static const char *const names[LAYERS] = {"fc1_expert_weight_bits", "fc2_expert_weight_bits",
                                              "fc3_expert_weight_bits"};
    if (!qn_op_string_is(node, "quant_type", "int"))
        return qn_fail(err, QN_BAD_MODEL, "quant_type is not int");
    if (qn_op_int(node, "weights_prepacked") > 0)
        return qn_fail(err, QN_BAD_MODEL, "weights_prepacked is 1, expected weights as they are");
    e->block = qn_op_int(node, "block_size");
    if (e->block && (e->block < 16 || (e->block & (e->block - 1))))
        return qn_fail(err, QN_BAD_MODEL, "block_size is %lld, expected a power of two from 16 on",
                       (long long)e->block);
    for (int i = 0; i < LAYERS; i++) {
        const int64_t bits = qn_node_int(node, names[i], qn_op_int(node, "expert_weight_bits"));
        if (bits != 2 && bits != 4 && bits != 8)
            return qn_fail(err, QN_BAD_MODEL, "weights have %lld bits, expected 2, 4 or 8",
                           (long long)bits);
        e->bits[i] = (int)bits;
    }
    return QN_OK;
}

/* The input that says whether there is a third layer. */
static int third_of(const QnNode *node)
{
    return places[is_quantized(node)][FC3].weight;
}

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
                   .is_normalized = qn_op_int(node, "normalize_routing_weights") != 0,
                   .places = places[is_quantized(node)]};
    if (is_quantized(node))
        QN_TRY(read_quantization(e, node, err));
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

/* A layer of `rows` by `columns` for each expert. */
static QnStatus check_layer(QnInfer *in, const Experts *e, Layer layer, QnDim count, QnDim rows,
                            QnDim columns)
{
    const Places at = e->places[layer];
    const int bits = e->bits[layer];
    QnDims *dims = in->dims;
    QN_TRY(want_dims(in, at.bias, 2, (QnDim[]){count, rows}));
    if (!bits)
        return want_dims(in, at.weight, 3, (QnDim[]){count, rows, columns});
    if (qn_infer_has(in, at.weight) && !qn_infer_has(in, at.scales))
        return qn_infer_fail(in, "input %d is absent, expected scales of input %d", at.scales,
                             at.weight);
    const QnDim bytes = qn_dim_ceil_div(dims, qn_dim_mul(dims, columns, bits), 8);
    const QnDim blocks = e->block ? qn_dim_ceil_div(dims, columns, e->block) : 1;
    const QnDim zeros = qn_dim_ceil_div(dims, qn_dim_mul(dims, e->block ? blocks : rows, bits), 8);
    const int rank = e->block ? 3 : 2;
    QN_TRY(want_dims(in, at.weight, 3, (QnDim[]){count, rows, bytes}));
    QN_TRY(want_dims(in, at.scales, rank, (QnDim[]){count, rows, blocks}));
    return want_dims(in, at.zeros, rank,
                     e->block ? (QnDim[]){count, rows, zeros} : (QnDim[]){count, zeros});
}

static QnStatus check_weights(QnInfer *in, const Experts *e, QnDim tokens, QnDim hidden)
{
    const QnDim count = dim_of(in, ROUTER, 1), width = dim_of(in, e->places[FC2].weight, 2);
    const QnDim inner = e->bits[FC2] ? qn_dim_mul(in->dims, width, 8 / e->bits[FC2]) : width;
    QnDim rows = inner;
    if (e->fusion)
        rows = qn_dim_is_known(inner) ? 2 * inner : qn_infer_fresh(in);
    QN_TRY(want_dims(in, ROUTER, 2, (QnDim[]){tokens, count}));
    QN_TRY(check_layer(in, e, FC1, count, rows, hidden));
    QN_TRY(check_layer(in, e, FC2, count, hidden, inner));
    QN_TRY(check_layer(in, e, FC3, count, inner, hidden));
    if (e->bits[FC2])
        QN_TRY(want_dims(in, MIXING, 2, (QnDim[]){tokens, count}));
    if (e->k < 1 || (qn_dim_is_known(count) && e->k > count))
        return qn_infer_fail(in, "k is %lld, expected 1 to the number of experts", (long long)e->k);
    return QN_OK;
}

static QnStatus infer(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, X);
    Experts e;
    QN_TRY(read_experts(&e, in->node, qn_infer_has(in, third_of(in->node)), in->err));
    if (!x)
        return qn_infer_unknown(in, 0, qn_infer_element(in, X), -1);
    if (x->rank != 2 && x->rank != 3)
        return qn_infer_fail(in, "input 0 has rank %d, expected 2 or 3", x->rank);
    QN_TRY(
        check_weights(in, &e, qn_shape_product(in->dims, x, 0, x->rank - 1), x->dims[x->rank - 1]));
    return qn_infer_tensor(in, 0, qn_infer_element(in, X), x);
}

/* ---- routing ---- */

/* The weights [count] of a token's experts: 0 of those that are not among the k best; `mixing`:
 * where they are from, NULL: the softmax. */
static void route(const Experts *e, const QnTensor *router, const QnTensor *mixing, int64_t token,
                  double *weights)
{
    const int64_t row = token * e->count;
    double max = -INFINITY, sum = 0, chosen = 0;
    qn_tensor_read_row(router, row, 1, e->count, weights);
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
        chosen += mixing ? qn_tensor_get(mixing, row + best) : weights[best];
        weights[best] = -weights[best];
    }
    if (mixing)
        sum = 1;
    for (int64_t i = 0; i < e->count; i++) {
        const double own = mixing ? qn_tensor_get(mixing, row + i) : -weights[i];
        weights[i] = signbit(weights[i]) ? own / (e->is_normalized ? chosen : sum) : 0;
    }
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

/* The zero point of a row's block: by rows, or without blocks one beside the other. */
static double zero_of(const QnTensor *zeros, const Experts *e, int64_t rows, int64_t row,
                      int64_t block, int bits)
{
    if (!zeros)
        return 1 << (bits - 1);
    const int64_t line = e->block ? row : row / rows, at = e->block ? block : row % rows;
    const uint8_t *bytes = (const uint8_t *)zeros->data + line * zeros->dims[zeros->rank - 1];
    return qn_few_bits_at(bytes, at, bits);
}

/* A row of a layer's matrices, all experts' one after the other, of `width` numbers. */
static void read_row(const QnCall *call, const Experts *e, Layer layer, int64_t row, int64_t width,
                     double *to)
{
    const QnTensor *weight = qn_call_input(call, e->places[layer].weight);
    const int bits = e->bits[layer];
    if (!bits) {
        qn_tensor_read_row(weight, row * width, 1, width, to);
        return;
    }
    const QnTensor *scales = qn_call_input(call, e->places[layer].scales);
    const QnTensor *zeros = qn_call_input(call, e->places[layer].zeros);
    const uint8_t *codes = (const uint8_t *)weight->data + row * weight->dims[2];
    const int64_t block = e->block ? e->block : width, blocks = qn_ceil_div(width, block);
    for (int64_t b = 0; b < blocks; b++) {
        const double scale = qn_tensor_get(scales, row * blocks + b);
        const double zero = zero_of(zeros, e, weight->dims[1], row, b, bits);
        for (int64_t i = b * block; i < width && i < (b + 1) * block; i++)
            to[i] = (qn_few_bits_at(codes, i, bits) - zero) * scale;
    }
}

/* A row of a layer's matrices times x [width], and its bias. */
static double multiply(const QnCall *call, const Experts *e, Layer layer, int64_t row,
                       const double *x, int64_t width, double *scratch)
{
    const QnTensor *bias = qn_call_input(call, e->places[layer].bias);
    double sum = bias ? qn_tensor_get(bias, row) : 0;
    read_row(call, e, layer, row, width, scratch);
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
        const double g = multiply(call, e, FC1, n * rows + row, x, e->hidden, scratch);
        double l = 1;
        if (e->is_gated)
            l = e->fusion ? multiply(call, e, FC1, n * rows + other, x, e->hidden, scratch)
                          : multiply(call, e, FC3, n * rows + i, x, e->hidden, scratch);
        h[i] = apply(e, g, l);
    }
    for (int64_t i = 0; i < e->hidden; i++)
        y[i] += weight * multiply(call, e, FC2, n * e->hidden + i, h, e->inner, scratch);
}

static QnStatus mix(const QnCall *call)
{
    const bool is_few = is_quantized(call->node);
    const QnTensor *x = qn_call_input(call, X), *router = qn_call_input(call, ROUTER);
    const QnTensor *fc2 = qn_call_input(call, places[is_few][FC2].weight);
    const QnTensor *mixing = is_few ? qn_call_input(call, MIXING) : NULL;
    Experts e;
    double *weights, *token, *h, *scratch, *sum;
    QN_TRY(
        read_experts(&e, call->node, qn_call_input(call, third_of(call->node)) != NULL, call->err));
    e.count = fc2->dims[0];
    e.hidden = fc2->dims[1];
    e.inner = is_few ? fc2->dims[2] * (8 / e.bits[FC2]) : fc2->dims[2];
    e.tokens = router->dims[0];
    QN_ALLOC(weights, call->scratch, e.count);
    QN_ALLOC(token, call->scratch, e.hidden);
    QN_ALLOC(h, call->scratch, e.inner);
    QN_ALLOC(scratch, call->scratch, e.hidden > e.inner ? e.hidden : e.inner);
    QN_ALLOC(sum, call->scratch, e.hidden);
    for (int64_t t = 0; t < e.tokens; t++) {
        route(&e, router, mixing, t, weights);
        qn_tensor_read_row(x, t * e.hidden, 1, e.hidden, token);
        memset(sum, 0, (size_t)e.hidden * sizeof *sum);
        for (int64_t n = 0; n < e.count; n++) {
            QN_TRY(qn_call_poll(call));
            if (fabs(weights[n]) > 0)
                run_expert(call, &e, n, token, weights[n], h, scratch, sum);
        }
        qn_tensor_write_row(qn_call_result(call, 0), t * e.hidden, 1, e.hidden, sum);
    }
    return QN_OK;
}

/* What both have.  Routing with use_sparse_mixer is as without it, as on ONNX Runtime's CPUs. */
#define ATTRIBUTES                                                                                 \
    {"activation_alpha", QN_ATTRIBUTE_FLOAT, .f = 1}, {"activation_beta", QN_ATTRIBUTE_FLOAT},     \
        {"activation_type", QN_ATTRIBUTE_STRING, .s = "relu"}, {"k", QN_ATTRIBUTE_INT, .i = 1},    \
        {"normalize_routing_weights", QN_ATTRIBUTE_INT}, {"swiglu_fusion", QN_ATTRIBUTE_INT},      \
        {"swiglu_limit", QN_ATTRIBUTE_FLOAT}, {"swiglu_limit_after_activation", QN_ATTRIBUTE_INT}, \
        {"use_sparse_mixer", QN_ATTRIBUTE_INT},

static const QnOpAttribute attributes[] = {ATTRIBUTES{0}};

static const QnOpAttribute few_attributes[] = {
    ATTRIBUTES{"accuracy_level", QN_ATTRIBUTE_INT},
    {"block_size", QN_ATTRIBUTE_INT},
    {"expert_weight_bits", QN_ATTRIBUTE_INT, .i = 4},
    {"fc1_expert_weight_bits", QN_ATTRIBUTE_INT},
    {"fc2_expert_weight_bits", QN_ATTRIBUTE_INT},
    {"fc3_expert_weight_bits", QN_ATTRIBUTE_INT},
    {"quant_type", QN_ATTRIBUTE_STRING, .s = "int"},
    {"weights_prepacked", QN_ATTRIBUTE_INT, .i = -1},
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
    {.name = "QMoE",
     .domain = "com.microsoft",
     .since = 1,
     .inputs = "input: float, router_probs: T, fc1_experts_weights: uint8, fc1_scales?: float, "
               "fc1_experts_bias?: T, fc2_experts_weights: uint8, fc2_scales?: float, "
               "fc2_experts_bias?: T, fc3_experts_weights?: uint8, fc3_scales?: float, "
               "fc3_experts_bias?: T, fc1_zero_points?: uint8, fc2_zero_points?: uint8, "
               "fc3_zero_points?: uint8, router_weights?: T",
     .outputs = "output: T",
     .attributes = few_attributes,
     .infer = infer,
     .reference = mix},
    {0},
};
