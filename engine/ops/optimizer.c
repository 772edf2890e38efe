/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One step of training: Adagrad, Adam and Momentum move tensors against their gradients.
 *
 * Behind the rate R and the count of steps so far T come the tensors, part by part: all X that are
 * moved, then all their gradients G, then what the optimizer keeps for each from step to step.  The
 * outputs are the parts without the gradients.  The gradient of 0.5 * norm_coefficient * |X|^2 is
 * added to each G.
 */
#include <math.h>

#include "base/checked.h"
#include "engine/ops/op.h"

enum { R, T, PARTS, X = 0, G = 1, KEPT = 2, PART_LIMIT = 4 };

/* What is the same for all elements of a step. */
typedef struct Rate {
    double rate, norm, alpha, beta, epsilon;
    double shrink; /* what X is multiplied by in the end */
    bool is_nesterov;
} Rate;

typedef struct Optimizer {
    const char *op, *parts; /* a letter each, for messages */
    void (*read)(Rate *rate, const QnNode *node, double count);
    void (*step)(const Rate *rate, double *item); /* one element of each part */
} Optimizer;

/* ---- inference ---- */

static const Optimizer *find(const QnNode *node);

static int part_count(const Optimizer *optimizer)
{
    return (int)strlen(optimizer->parts);
}

static QnStatus check_scalar(const QnInfer *in, int i)
{
    const QnShape *shape = qn_infer_shape(in, i);
    const QnDim count = shape ? qn_shape_product(in->dims, shape, 0, shape->rank) : 1;
    if (qn_dim_is_known(count) && count != 1)
        return qn_infer_fail(in, "input %d has %lld elements, expected 1", i, (long long)count);
    return QN_OK;
}

/* All parts of one variable have the shape of X. */
static QnStatus check_parts(const QnInfer *in, int parts, int count)
{
    for (int i = 0; i < count; i++) {
        const QnShape *x = qn_infer_shape(in, PARTS + i);
        for (int part = G; x && part < parts; part++)
            QN_TRY(qn_infer_want_shape(in, PARTS + part * count + i, x->rank, x->dims));
    }
    return QN_OK;
}

static QnStatus infer_optimizer(QnInfer *in)
{
    const Optimizer *optimizer = find(in->node);
    const int parts = part_count(optimizer), tensors = in->input_count - PARTS;
    const int count = tensors / parts;
    QN_TRY(check_scalar(in, R));
    QN_TRY(check_scalar(in, T));
    if (tensors < parts || tensors % parts)
        return qn_infer_fail(in, "%d tensors behind R and T, expected as many of each of %s",
                             tensors, optimizer->parts);
    if (in->output_count > (parts - 1) * count)
        return qn_infer_fail(in, "%d outputs of %d tensors, expected %d at most", in->output_count,
                             count, (parts - 1) * count);
    if (!strcmp(optimizer->op, "Momentum") && !qn_op_string_is(in->node, "mode", "standard") &&
        !qn_op_string_is(in->node, "mode", "nesterov"))
        return qn_infer_fail(in, "mode is not standard or nesterov");
    QN_TRY(check_parts(in, parts, count));
    for (int i = 0; i < in->output_count; i++)
        QN_TRY(qn_infer_output(in, i, qn_infer_type(in, PARTS + i + (i < count ? 0 : count))));
    return QN_OK;
}

/* ---- the formulas ---- */

static double regularized(const Rate *rate, const double *item)
{
    return rate->norm * item[X] + item[G];
}

static void read_adagrad(Rate *rate, const QnNode *node, double count)
{
    rate->rate /= 1 + count * qn_op_float(node, "decay_factor");
    rate->epsilon = qn_op_float(node, "epsilon");
}

static void step_adagrad(const Rate *rate, double *item)
{
    const double g = regularized(rate, item);
    item[KEPT] += g * g;
    item[X] -= rate->rate * g / (sqrt(item[KEPT]) + rate->epsilon);
}

/* The averages start at 0: in the first steps the rate makes up for it. */
static void read_adam(Rate *rate, const QnNode *node, double count)
{
    rate->alpha = qn_op_float(node, "alpha");
    rate->beta = qn_op_float(node, "beta");
    rate->epsilon = qn_op_float(node, "epsilon");
    rate->shrink = 1 - qn_op_float(node, "norm_coefficient_post");
    if (count > 0)
        rate->rate *= sqrt(1 - pow(rate->beta, count)) / (1 - pow(rate->alpha, count));
}

static void step_adam(const Rate *rate, double *item)
{
    const double g = regularized(rate, item);
    double *average = &item[KEPT], *square = &item[KEPT + 1];
    *average = rate->alpha * *average + (1 - rate->alpha) * g;
    *square = rate->beta * *square + (1 - rate->beta) * g * g;
    item[X] -= rate->rate * *average / (sqrt(*square) + rate->epsilon);
    item[X] *= rate->shrink;
}

static void read_momentum(Rate *rate, const QnNode *node, double count)
{
    rate->alpha = qn_op_float(node, "alpha");
    rate->beta = count > 0 ? qn_op_float(node, "beta") : 1;
    rate->is_nesterov = qn_op_string_is(node, "mode", "nesterov");
}

static void step_momentum(const Rate *rate, double *item)
{
    const double g = regularized(rate, item);
    item[KEPT] = rate->alpha * item[KEPT] + rate->beta * g;
    item[X] -= rate->rate * (rate->is_nesterov ? g + rate->alpha * item[KEPT] : item[KEPT]);
}

static const Optimizer optimizers[] = {
    {"Adagrad", "XGH", read_adagrad, step_adagrad},
    {"Adam", "XGVH", read_adam, step_adam},
    {"Momentum", "XGV", read_momentum, step_momentum},
};

static const Optimizer *find(const QnNode *node)
{
    size_t i = 0;
    while (i + 1 < QN_COUNT_OF(optimizers) && strcmp(optimizers[i].op, node->op) != 0)
        i++;
    return &optimizers[i];
}

/* ---- computing ---- */

enum { BLOCK = 256 };

/* One variable at work: the tensors of its parts; results are NULL where nobody wants them. */
typedef struct Variable {
    const QnTensor *parts[PART_LIMIT];
    QnTensor *results[PART_LIMIT];
    int part_count;
    const Optimizer *optimizer;
    const Rate *rate;
} Variable;

static void step_block(const Variable *v, int64_t first, int64_t count)
{
    double rows[PART_LIMIT][BLOCK], item[PART_LIMIT] = {0};
    for (int part = 0; part < v->part_count; part++)
        qn_tensor_read_row(v->parts[part], first, 1, count, rows[part]);
    for (int64_t i = 0; i < count; i++) {
        for (int part = 0; part < v->part_count; part++)
            item[part] = rows[part][i];
        v->optimizer->step(v->rate, item);
        for (int part = 0; part < v->part_count; part++)
            rows[part][i] = item[part];
    }
    for (int part = 0; part < v->part_count; part++)
        if (v->results[part])
            qn_tensor_write_row(v->results[part], first, 1, count, rows[part]);
}

static QnStatus step_blocks(const QnCall *call, const void *work, void *room, int64_t begin,
                            int64_t end)
{
    const Variable *v = work;
    const int64_t size = qn_tensor_count(v->parts[X]);
    (void)call;
    (void)room;
    for (int64_t block = begin; block < end; block++)
        step_block(v, block * BLOCK, qn_min_i64(BLOCK, size - block * BLOCK));
    return QN_OK;
}

static QnStatus step_variable(const QnCall *call, const Optimizer *optimizer, const Rate *rate,
                              int i, int count)
{
    Variable v = {.part_count = part_count(optimizer), .optimizer = optimizer, .rate = rate};
    for (int part = 0; part < v.part_count; part++) {
        const int output = part == X ? i : (part - 1) * count + i;
        v.parts[part] = qn_call_input(call, PARTS + part * count + i);
        if (part != G && qn_call_wants(call, output))
            v.results[part] = qn_call_result(call, output);
        if (qn_tensor_count(v.parts[part]) != qn_tensor_count(v.parts[X]))
            return qn_call_fail(call, "%c %d has %lld elements, expected as many as X: %lld",
                                optimizer->parts[part], i,
                                (long long)qn_tensor_count(v.parts[part]),
                                (long long)qn_tensor_count(v.parts[X]));
    }
    return qn_call_for(call, qn_ceil_div(qn_tensor_count(v.parts[X]), BLOCK), 10 * BLOCK, 0,
                       step_blocks, &v);
}

static QnStatus optimize(const QnCall *call)
{
    const Optimizer *optimizer = find(call->node);
    const int count = (call->input_count - PARTS) / part_count(optimizer);
    if (qn_tensor_count(qn_call_input(call, R)) != 1 ||
        qn_tensor_count(qn_call_input(call, T)) != 1)
        return qn_call_fail(call, "R and T have not one element each");
    Rate rate = {.rate = qn_tensor_get(qn_call_input(call, R), 0),
                 .norm = qn_op_float(call->node, "norm_coefficient"),
                 .shrink = 1};
    optimizer->read(&rate, call->node, (double)qn_tensor_get_int(qn_call_input(call, T), 0));
    for (int i = 0; i < count; i++)
        QN_TRY(step_variable(call, optimizer, &rate, i, count));
    return QN_OK;
}

static const QnOpAttribute adagrad_attributes[] = {{"decay_factor", QN_ATTRIBUTE_FLOAT},
                                                   {"epsilon", QN_ATTRIBUTE_FLOAT, .f = 1e-6F},
                                                   {"norm_coefficient", QN_ATTRIBUTE_FLOAT},
                                                   {0}};

static const QnOpAttribute adam_attributes[] = {
    {"alpha", QN_ATTRIBUTE_FLOAT, .f = 0.9F},      {"beta", QN_ATTRIBUTE_FLOAT, .f = 0.999F},
    {"epsilon", QN_ATTRIBUTE_FLOAT, .f = 1e-6F},   {"norm_coefficient", QN_ATTRIBUTE_FLOAT},
    {"norm_coefficient_post", QN_ATTRIBUTE_FLOAT}, {0}};

static const QnOpAttribute momentum_attributes[] = {
    {"alpha", QN_ATTRIBUTE_FLOAT, .is_required = true},
    {"beta", QN_ATTRIBUTE_FLOAT, .is_required = true},
    {"mode", QN_ATTRIBUTE_STRING, .is_required = true},
    {"norm_coefficient", QN_ATTRIBUTE_FLOAT, .is_required = true},
    {0}};

#define OPTIMIZER(name_, attributes_)                                                  \
    {                                                                                  \
        .name = name_, .domain = "ai.onnx.preview.training", .since = 1,               \
        .inputs = "R: float, T: int64, inputs*: float", .outputs = "outputs*: float",  \
        .attributes = attributes_, .traits = QN_OP_PORTABLE, .infer = infer_optimizer, \
        .reference = optimize                                                          \
    }

const QnOp qn_ops_optimizer[] = {
    OPTIMIZER("Adagrad", adagrad_attributes),
    OPTIMIZER("Adam", adam_attributes),
    OPTIMIZER("Momentum", momentum_attributes),
    {0},
};
