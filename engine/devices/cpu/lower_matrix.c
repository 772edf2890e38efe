/* SPDX-License-Identifier: Apache-2.0 */
/* MatMul of doubles and of integers, and Gemm of doubles: kernels/matrix.h. */
#include "base/checked.h"
#include "base/fault.h"
#include "engine/devices/cpu/cpu.h"
#include "engine/devices/cpu/kernels/matrix.h"
#include "engine/devices/cpu/spread.h"
#include "engine/ops/matrices.h"

static const double multiply_ns = 0.1;

typedef struct MatrixData {
    const QnMatrixVariant *variant;
    QnMatrixType type;
    bool is_gemm, from_a, from_b; /* transposed */
    double alpha, beta;           /* of Gemm */
} MatrixData;

typedef struct Params {
    QnMatrix matrix;         /* but for the addresses */
    int64_t batches, groups; /* of columns, in each */
    int batch_rank;
} Params;

/* Are the dimensions of x in front of its last `own` ones 1, or those of y? */
static QnStatus check_batch(const QnTensor *x, const QnTensor *y, int own, int rank, QnError *err)
{
    for (int d = x->rank - own - 1, at = rank - 1; d >= 0; d--, at--)
        if (x->dims[d] != 1 && (at < 0 || x->dims[d] != y->dims[at]))
            return qn_fail(err, QN_BAD_TENSOR, "cannot broadcast %lld against %lld",
                           (long long)x->dims[d], (long long)(at < 0 ? 1 : y->dims[at]));
    return QN_OK;
}

/* Gemm's C: each of its dimensions is 1 or that of y. */
static QnStatus check_added(const QnTensor *c, const QnTensor *y, QnError *err)
{
    for (int d = 0; c && d < c->rank; d++) {
        const int64_t wanted = d + 2 >= c->rank ? y->dims[d + 2 - c->rank] : 1;
        if (c->dims[d] != 1 && c->dims[d] != wanted)
            return qn_fail(err, QN_BAD_TENSOR, "C has size %lld, expected 1 or %lld",
                           (long long)c->dims[d], (long long)wanted);
    }
    return QN_OK;
}

static QnStatus bind_matrix(const QnStep *step, QnBindCall *call)
{
    const MatrixData *data = step->data;
    const QnTensor *a = qn_step_input(step, call->values, 0),
                   *b = qn_step_input(step, call->values, 1),
                   *y = qn_step_output(step, call->values, 0);
    const int64_t wide_a = a->dims[a->rank - 1], wide_b = b->rank > 1 ? b->dims[b->rank - 1] : 1;
    const int64_t high_a = a->rank > 1 ? a->dims[a->rank - 2] : 1,
                  high_b = b->dims[b->rank > 1 ? b->rank - 2 : 0];
    Params *p = call->params;
    *p = (Params){.batches = 1,
                  .batch_rank = data->is_gemm ? 0 : y->rank - (a->rank > 1) - (b->rank > 1)};
    p->matrix = (QnMatrix){.rows = data->from_a ? wide_a : high_a,
                           .inner = data->from_a ? high_a : wide_a,
                           .columns = data->from_b ? high_b : wide_b,
                           .a_row = data->from_a ? 1 : wide_a,
                           .a_column = data->from_a ? wide_a : 1,
                           .b_row = data->from_b ? 1 : wide_b,
                           .b_column = data->from_b ? wide_b : 1};
    p->matrix.c_row = p->matrix.columns;
    const int64_t other = data->from_b ? wide_b : high_b;
    if (other != p->matrix.inner)
        return qn_fail(call->err, QN_BAD_TENSOR,
                       "the inner sizes are %lld and %lld, expected equal ones",
                       (long long)p->matrix.inner, (long long)other);
    QN_TRY(check_batch(a, y, a->rank > 1 ? 2 : 1, p->batch_rank, call->err));
    QN_TRY(check_batch(b, y, b->rank > 1 ? 2 : 1, p->batch_rank, call->err));
    QN_TRY(check_added(data->is_gemm ? qn_step_input(step, call->values, 2) : NULL, y, call->err));
    for (int d = 0; d < p->batch_rank; d++)
        p->batches *= y->dims[d];
    p->groups = qn_ceil_div(p->matrix.columns, QN_MATRIX_COLUMNS);
    call->member_scratch_bytes = qn_matrix_scratch(p->matrix.inner);
    return QN_OK;
}

typedef struct Work {
    const QnRunCall *call;
    const MatrixData *data;
    const Params *params;
    const QnTensor *a, *b, *c, *y;
} Work;

/* y = alpha * y + beta * C in a group of columns; C is broadcast to two dimensions. */
static void finish(const Work *work, int64_t first, int64_t count)
{
    const QnTensor *c = work->c;
    const int64_t width = c && c->rank > 0 ? c->dims[c->rank - 1] : 1;
    const int64_t height = c && c->rank > 1 ? c->dims[0] : 1;
    const double alpha = work->data->alpha, beta = work->data->beta;
    const QnMatrix *m = &work->params->matrix;
    for (int64_t row = 0; row < m->rows; row++) {
        double *y = (double *)work->y->data + row * m->c_row + first;
        const double *added = c ? (const double *)c->data + (height == 1 ? 0 : row * width) : NULL;
        for (int64_t n = 0; n < count; n++)
            y[n] = alpha * y[n] + (added ? beta * added[width == 1 ? 0 : first + n] : 0);
    }
}

static void run_groups(const void *user, int64_t begin, int64_t end, int member)
{
    const Work *work = user;
    const Params *p = work->params;
    const int64_t size = (int64_t)qn_type_size(work->y->type);
    for (int64_t unit = begin; unit < end; unit++) {
        const int64_t batch = unit / p->groups, first = unit % p->groups * QN_MATRIX_COLUMNS;
        const int64_t *dims = work->y->dims;
        QnMatrix m = p->matrix;
        m.a = (const uint8_t *)work->a->data +
              size * qn_matrices_batch(work->a, batch, dims, p->batch_rank);
        m.b = (const uint8_t *)work->b->data +
              size * qn_matrices_batch(work->b, batch, dims, p->batch_rank);
        m.c = (uint8_t *)work->y->data + size * batch * m.rows * m.columns;
        work->data->variant->run[work->data->type](&m, first,
                                                   qn_cpu_member_scratch(work->call, member));
        if (work->data->is_gemm)
            finish(work, first, qn_min_i64(QN_MATRIX_COLUMNS, m.columns - first));
    }
}

static QnStatus run_matrix(const QnStep *step, const void *params, QnRunCall *call)
{
    const Params *p = params;
    const Work work = {call,
                       step->data,
                       p,
                       qn_step_input(step, call->values, 0),
                       qn_step_input(step, call->values, 1),
                       qn_step_input(step, call->values, 2),
                       qn_step_output(step, call->values, 0)};
    const double cost = multiply_ns * (double)p->matrix.rows * (double)(p->matrix.inner + 1);
    qn_cpu_spread(call, p->batches * p->groups, cost * QN_MATRIX_COLUMNS, run_groups, &work);
    if (qn_fault("kernel", work.data->variant->name))
        qn_fault_spoil(work.y->data, qn_type_size(work.y->type));
    qn_cpu_fault("matrix", work.y);
    return QN_OK;
}

static const QnStepCode code = {.name = "matrix",
                                .params_size = (sizeof(Params) + 7) / 8 * 8,
                                .bind = bind_matrix,
                                .run = run_matrix};

/* Signed integers that wrap have the bits of unsigned ones. */
static QnMatrixType type_of(QnType type)
{
    switch (type) {
    case QN_DOUBLE:
        return QN_MATRIX_F64;
    case QN_INT32:
    case QN_UINT32:
        return QN_MATRIX_U32;
    case QN_INT64:
    case QN_UINT64:
        return QN_MATRIX_U64;
    default:
        return QN_MATRIX_TYPES;
    }
}

QnStatus qn_cpu_lower_matrix(QnOfferCall *call)
{
    const QnNode *node = call->node;
    const bool is_gemm = !strcmp(node->op, "Gemm");
    if ((!is_gemm && strcmp(node->op, "MatMul") != 0) || *node->domain || !node->outputs[0])
        return QN_OK;
    const QnIrValue *a = node->inputs[0].value, *b = node->inputs[1].value,
                    *c = is_gemm ? qn_node_input(node, 2) : NULL;
    const QnMatrixType type = type_of(a->type.element);
    if (type == QN_MATRIX_TYPES || a->type.shape.rank < 1 || b->type.shape.rank < 1 ||
        a->type.element != b->type.element || (is_gemm && type != QN_MATRIX_F64))
        return QN_OK;
    MatrixData *data;
    QN_ALLOC(data, call->arena, 1);
    *data = (MatrixData){.variant = qn_matrix_pick(qn_cpu_of(call)->isa), .type = type};
    if (is_gemm) {
        data->is_gemm = true;
        data->from_a = qn_op_int(node, "transA") != 0;
        data->from_b = qn_op_int(node, "transB") != 0;
        data->alpha = qn_op_float(node, "alpha");
        data->beta = qn_op_float(node, "beta");
    }
    call->offer(call,
                &(QnOffer){
                    .code = &code,
                    .kernel = data->variant->name,
                    .tier = QN_TIER_TUNED,
                    .nodes = {node},
                    .node_count = 1,
                    .inputs = {a, b, c},
                    .accepts = {QN_ACCEPT_PLAIN, QN_ACCEPT_PLAIN, QN_ACCEPT_PLAIN},
                    .input_count = 3,
                    .outputs = {node->outputs[0]},
                    .context = data,
                    .cost = 500 + multiply_ns * qn_cpu_elements(call, node->outputs[0]) *
                                      qn_cpu_size(call, a->type.shape.dims[a->type.shape.rank - 1]),
                });
    return QN_OK;
}
