/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Products of bytes: MatMulInteger, QLinearMatMul and QGemm (kernels/product_i8.h), and
 *
 *     MatMulInteger, Cast to float, Mul by scales [, Add of a bias]
 *
 * which is how dynamic quantization is written, in one step.  A constant right side of two dims is
 * packed when the plan is made.  Scales and zero points are numbers of the run: the first of A is
 * for all of its rows, those of B are one or one for each column.
 */
#include "base/checked.h"
#include "engine/devices/cpu/cpu.h"
#include "engine/devices/cpu/kernels/convert.h"
#include "engine/devices/cpu/kernels/product_i8.h"

/* The inputs of a step; all but the first two may be absent, and B where it is packed. */
enum {
    A,
    B,
    A_ZERO,
    B_ZERO,
    SUMMAND, /* int32, added to the sums */
    A_SCALE,
    B_SCALE,
    Y_SCALE,
    Y_ZERO,
    BIAS, /* float, added to results that are */
    INPUTS
};

/* Which input of a node is which of a step; -1: none. */
typedef struct Form {
    const char *op, *domain;
    int8_t inputs[INPUTS];
} Form;

static const Form forms[] = {
    {"MatMulInteger", "", {0, 1, 2, 3, -1, -1, -1, -1, -1, -1}},
    {"QLinearMatMul", "", {0, 3, 2, 5, -1, 1, 4, 6, 7, -1}},
    {"QGemm", "com.microsoft", {0, 3, 2, 5, 6, 1, 4, 7, 8, -1}},
};

typedef struct ProductData {
    QnIsa isa;
    bool from_a, from_b; /* transposed */
    QnTermsI8 terms;     /* signs and what results are; no pointers */
    float alpha;
    const void *packed; /* the right side; NULL: it is an input */
    QnPanelsI8 panels;
    int64_t inner, columns; /* of the packed one */
} ProductData;

typedef struct Context {
    ProductData data;
    const QnTensor *right;
} Context;

/* ---- binding ---- */

/* A batch dimension: its size, and the steps of the operands in elements; 0 where one is broadcast.
 */
typedef struct Batch {
    int64_t count, a, b, c;
} Batch;

typedef struct Params {
    QnProductI8 product;
    Batch batches[QN_MAX_RANK];
    int batch_count;
    int64_t batch_total;
    int64_t chunks;    /* of one product */
    size_t factors_at; /* in scratch memory, behind the zero points of B */
} Params;

/* An operand as a stack of matrices: sizes, and steps in elements. */
typedef struct Matrix {
    int64_t rows, columns, row_step, column_step;
    int batch_rank;
} Matrix;

static Matrix matrix_of(const QnTensor *t, bool is_left, bool is_transposed)
{
    const int last = t->rank - 1;
    Matrix m = {.rows = 1, .columns = 1, .batch_rank = t->rank > 2 ? t->rank - 2 : 0};
    if (t->rank == 1) { /* a row in front, a column behind */
        *(is_left ? &m.columns : &m.rows) = t->dims[0];
        *(is_left ? &m.column_step : &m.row_step) = t->strides[0];
        return m;
    }
    m.rows = t->dims[last - 1];
    m.row_step = t->strides[last - 1];
    m.columns = t->dims[last];
    m.column_step = t->strides[last];
    if (is_transposed)
        return (Matrix){m.columns, m.rows, m.column_step, m.row_step, m.batch_rank};
    return m;
}

static QnStatus set_operands(const ProductData *data, const QnTensor *a, const QnTensor *b,
                             QnProductI8 *p, QnError *err)
{
    const Matrix left = matrix_of(a, true, data->from_a);
    Matrix right = {.rows = data->inner, .columns = data->columns};
    if (b)
        right = matrix_of(b, false, data->from_b);
    if (left.columns != right.rows)
        return qn_fail(err, QN_BAD_TENSOR, "the inner sizes are %lld and %lld, expected equal ones",
                       (long long)left.columns, (long long)right.rows);
    p->m = left.rows;
    p->k = left.columns;
    p->n = right.columns;
    p->a_step = left.row_step;
    p->a_k_step = left.column_step;
    p->b_k_step = right.row_step;
    p->b_n_step = right.column_step;
    p->c_step = right.columns;
    return QN_OK;
}

static int64_t batch_step(const QnTensor *t, int from_last)
{
    const int d = t->rank - 3 - from_last;
    return d < 0 || t->dims[d] == 1 ? 0 : t->strides[d];
}

/* The batch dims from the innermost out.  Those whose rows follow those of A without a gap are more
 * rows, where all have one right side. */
static void read_batches(const QnTensor *a, const QnTensor *b, const QnTensor *c, int rank,
                         Params *p)
{
    QnProductI8 *product = &p->product;
    int64_t c_step = product->m * product->n;
    for (int i = 0; i < rank; i++) {
        const Batch next = {c->dims[rank - 1 - i], batch_step(a, i), b ? batch_step(b, i) : 0,
                            c_step};
        c_step *= next.count;
        if (next.count == 1)
            continue;
        if (!p->batch_count && next.b == 0 && next.a == product->m * product->a_step) {
            product->m *= next.count;
            continue;
        }
        p->batches[p->batch_count++] = next;
        p->batch_total *= next.count;
    }
}

/* C of QGemm is broadcast to two dims. */
static QnStatus set_summand(const QnTensor *summand, QnProductI8 *p, QnError *err)
{
    const int last = summand->rank - 1;
    const int64_t width = last >= 0 ? summand->dims[last] : 1,
                  height = last >= 1 ? summand->dims[last - 1] : 1;
    if ((width != 1 && width != p->n) || (height != 1 && height != p->m))
        return qn_fail(err, QN_BAD_TENSOR, "cannot broadcast %lldx%lld against %lldx%lld",
                       (long long)height, (long long)width, (long long)p->m, (long long)p->n);
    p->more_column_step = width != 1;
    p->more_step = height != 1 ? width : 0;
    return QN_OK;
}

/* The number of elements must be 1, or where that is allowed one for each column. */
static QnStatus check_counts(const QnStep *step, const QnBindCall *call, int64_t columns)
{
    static const bool may_be_many[INPUTS] = {[B_ZERO] = true, [B_SCALE] = true, [BIAS] = true};
    for (int i = A_ZERO; i < INPUTS; i++) {
        const QnTensor *t = qn_step_input(step, call->values, i);
        const int64_t count = t && i != SUMMAND ? qn_tensor_count(t) : 1;
        if (count != 1 && !(may_be_many[i] && count == columns))
            return qn_fail(call->err, QN_BAD_TENSOR,
                           "a scale, zero point or bias has %lld elements, expected 1%s",
                           (long long)count, may_be_many[i] ? " or one for each column" : "");
    }
    return QN_OK;
}

static QnStatus bind_product(const QnStep *step, QnBindCall *call)
{
    const ProductData *data = step->data;
    const QnTensor *a = qn_step_input(step, call->values, A),
                   *b = data->packed ? NULL : qn_step_input(step, call->values, B),
                   *summand = qn_step_input(step, call->values, SUMMAND),
                   *c = qn_step_output(step, call->values, 0);
    Params *p = call->params;
    size_t bytes;
    *p = (Params){.product = {.isa = data->isa,
                              .b = data->packed,
                              .panels = data->packed ? &data->panels : NULL,
                              .terms = data->terms},
                  .batch_total = 1};
    QN_TRY(set_operands(data, a, b, &p->product, call->err));
    QN_TRY(check_counts(step, call, p->product.n));
    if (summand)
        QN_TRY(set_summand(summand, &p->product, call->err));
    read_batches(a, b, c, c->rank - (a->rank > 1) - (!b || b->rank > 1), p);
    if (!qn_mul_size(&bytes, (size_t)p->product.n, sizeof(float)) || bytes > SIZE_MAX / 4)
        return qn_no_memory(call->err);
    p->factors_at = qn_round_up(bytes, 64);
    p->chunks = qn_product_i8_chunks(&p->product);
    call->scratch_bytes = 3 * p->factors_at;
    call->member_scratch_bytes = qn_product_i8_scratch(&p->product);
    return QN_OK;
}

/* ---- running ---- */

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

/* alpha * a_scale * b_scale / y_scale for each of B's scales, in the order of the references. */
static void fill_factors(const QnStep *step, const QnRunCall *call, float *to)
{
    const ProductData *data = step->data;
    const QnTensor *scale = qn_step_input(step, call->values, B_SCALE);
    const float front = data->alpha * scalar_of(qn_step_input(step, call->values, A_SCALE));
    const float below = scalar_of(qn_step_input(step, call->values, Y_SCALE));
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

static void read_terms(const QnStep *step, QnRunCall *call, const Params *p, QnTermsI8 *terms)
{
    const QnTensor *a_zero = qn_step_input(step, call->values, A_ZERO),
                   *b_zero = qn_step_input(step, call->values, B_ZERO),
                   *b_scale = qn_step_input(step, call->values, B_SCALE),
                   *y_zero = qn_step_input(step, call->values, Y_ZERO);
    uint8_t *room = call->scratch;
    float *factors = (float *)(void *)(room + p->factors_at);
    if (a_zero)
        terms->zero_a = (int32_t)qn_tensor_get_int(a_zero, 0);
    if (y_zero)
        terms->zero = (int32_t)qn_tensor_get_int(y_zero, 0);
    terms->zero_b = read_zeros(b_zero, call->scratch);
    terms->zero_b_step = b_zero && qn_tensor_count(b_zero) > 1;
    fill_factors(step, call, factors);
    terms->factor = factors;
    terms->factor_step = b_scale && qn_tensor_count(b_scale) > 1;
    terms->float_bias = read_bias(qn_step_input(step, call->values, BIAS),
                                  (float *)(void *)(room + 2 * p->factors_at), p->product.n);
}

typedef struct Work {
    const Params *params;
    QnProductI8 product; /* with data */
    uint8_t *scratch;
    size_t stride;
} Work;

static void run_chunk(void *user, int64_t chunk, int member)
{
    const Work *work = user;
    QnProductI8 product = work->product;
    const int64_t size = qn_scale_size(product.terms.to);
    int64_t index = chunk / work->params->chunks;
    for (int i = 0; i < work->params->batch_count; i++) {
        const Batch *batch = &work->params->batches[i];
        const int64_t at = index % batch->count;
        index /= batch->count;
        product.a = (const char *)product.a + at * batch->a;
        product.b = (const char *)product.b + at * batch->b;
        product.c = (char *)product.c + at * batch->c * size;
    }
    qn_product_i8_run(&product, chunk % work->params->chunks,
                      work->scratch + (size_t)member * work->stride);
}

static QnStatus run_product(const QnStep *step, const void *params, QnRunCall *call)
{
    const ProductData *data = step->data;
    const Params *p = params;
    const QnTensor *c = qn_step_output(step, call->values, 0),
                   *summand = qn_step_input(step, call->values, SUMMAND);
    Work work = {p, p->product, call->member_scratch, call->member_stride};
    work.product.a = qn_step_input(step, call->values, A)->data;
    if (!data->packed)
        work.product.b = qn_step_input(step, call->values, B)->data;
    work.product.c = c->data;
    work.product.more = summand ? summand->data : NULL;
    read_terms(step, call, p, &work.product.terms);
    const double cost = (double)qn_tensor_count(c) * (double)p->product.k * 0.003;
    qn_gang_for(call->gang, p->chunks * p->batch_total, (int64_t)cost, run_chunk, &work);
    qn_cpu_fault("qmatmul", c);
    return QN_OK;
}

static const QnStepCode code = {
    .name = "qmatmul", .params_size = sizeof(Params), .bind = bind_product, .run = run_product};

/* ---- making ---- */

static void fill_panels(void *to, void *user)
{
    const Context *context = user;
    const ProductData *data = &context->data;
    qn_pack_i8(to, &data->panels, context->right->data, data->from_b ? 1 : data->columns,
               data->from_b ? data->inner : 1, data->terms.b_is_unsigned, data->inner,
               data->columns);
}

static QnStatus make_product(const QnOffer *offer, QnMake *make, const void **out)
{
    Context *context = offer->context;
    ProductData *data = &context->data;
    *out = data;
    if (!context->right)
        return QN_OK;
    if (!qn_pack_i8_size(&data->panels, data->inner, data->columns))
        return qn_fail(make->err, QN_BAD_MODEL,
                       "the packed weights have a size that no memory holds");
    data->packed =
        make->pack(make->user, context->right, data->from_b ? "gemm_i8:transposed" : "gemm_i8",
                   data->panels.size_bytes, fill_panels, context);
    return data->packed ? QN_OK : qn_no_memory(make->err);
}

/* ---- offering ---- */

static bool is_byte(QnType type)
{
    return type == QN_UINT8 || type == QN_INT8;
}

static bool has_bytes(const QnIrValue *value)
{
    return value && value->type.kind == QN_TENSOR && value->type.shape.rank >= 1 &&
           is_byte(value->type.element);
}

/* Has it surely one element, or at most one dim that is not 1, its last one? */
static bool is_single(const QnIrValue *value)
{
    for (int d = 0; value && d < value->type.shape.rank; d++)
        if (value->type.shape.dims[d] != 1)
            return false;
    return true;
}

static bool is_row(const QnIrValue *value)
{
    const int last = value ? value->type.shape.rank - 1 : 0;
    for (int d = 0; value && d < last; d++)
        if (value->type.shape.dims[d] != 1)
            return false;
    return true;
}

static bool set_result(ProductData *data, QnType type)
{
    data->terms.to = type == QN_INT32   ? QN_SCALE_TO_I32
                     : type == QN_FLOAT ? QN_SCALE_TO_F32
                     : type == QN_UINT8 ? QN_SCALE_TO_U8
                                        : QN_SCALE_TO_I8;
    return type == QN_INT32 || type == QN_FLOAT || is_byte(type);
}

/* The inputs of the step from those of the node; false where they are of types or shapes that are
 * the reference's. */
static bool read_inputs(const QnNode *node, const Form *form, QnOffer *offer, ProductData *data)
{
    for (int i = 0; i < INPUTS; i++) {
        offer->inputs[i] = form->inputs[i] >= 0 ? qn_node_input(node, form->inputs[i]) : NULL;
        offer->accepts[i] = i <= B ? QN_ACCEPT_PLAIN | QN_ACCEPT_STRIDED : QN_ACCEPT_PLAIN;
    }
    const QnIrValue *const *in = offer->inputs;
    if (!has_bytes(in[A]) || !has_bytes(in[B]) || !is_single(in[A_ZERO]) ||
        !is_single(in[A_SCALE]) || !is_single(in[Y_SCALE]) || !is_single(in[Y_ZERO]) ||
        !is_row(in[B_ZERO]) || !is_row(in[B_SCALE]))
        return false;
    if (in[SUMMAND] && in[SUMMAND]->type.element != QN_INT32)
        return false;
    data->terms.a_is_signed = in[A]->type.element == QN_INT8;
    data->terms.b_is_unsigned = in[B]->type.element == QN_UINT8;
    return set_result(data, node->outputs[0]->type.element);
}

/* The other input of a node of two, where it is a float that broadcasts along the last dim only. */
static const QnIrValue *beside(const QnNode *node, const QnIrValue *value)
{
    const QnIrValue *other = node->inputs[node->inputs[0].value == value].value;
    const bool fits = other != value && other->type.kind == QN_TENSOR &&
                      other->type.element == QN_FLOAT && other->type.shape.rank >= 0 &&
                      other->type.shape.rank <= value->type.shape.rank && is_row(other);
    return fits ? other : NULL;
}

/* Cast, Mul and Add behind sums of int32. */
static void grow(const QnOfferCall *call, QnOffer *offer, ProductData *data)
{
    const QnIrValue *sums = offer->outputs[0];
    const QnNode *cast = qn_cpu_next(call, sums, "Cast");
    if (!cast || cast->outputs[0]->type.element != QN_FLOAT)
        return;
    const QnNode *mul = qn_cpu_next(call, cast->outputs[0], "Mul");
    const QnIrValue *scale = mul ? beside(mul, cast->outputs[0]) : NULL;
    if (!scale)
        return;
    data->terms.to = QN_SCALE_TO_F32;
    offer->inputs[B_SCALE] = scale;
    offer->nodes[offer->node_count++] = cast;
    offer->nodes[offer->node_count++] = mul;
    offer->outputs[0] = mul->outputs[0];
    const QnNode *add = qn_cpu_next(call, mul->outputs[0], "Add");
    const QnIrValue *bias = add ? beside(add, mul->outputs[0]) : NULL;
    if (!bias)
        return;
    offer->inputs[BIAS] = bias;
    offer->nodes[offer->node_count++] = add;
    offer->outputs[0] = add->outputs[0];
}

/* A constant right side of two dims is packed. */
static void read_right(const QnOffer *offer, Context *context)
{
    const QnIrValue *b = offer->inputs[B];
    if (!qn_cpu_is_constant(b) || b->constant->rank != 2 || qn_tensor_count(b->constant) == 0)
        return;
    context->right = b->constant;
    context->data.inner = b->constant->dims[context->data.from_b ? 1 : 0];
    context->data.columns = b->constant->dims[context->data.from_b ? 0 : 1];
}

static QnStatus offer_product(QnOfferCall *call, const Form *form)
{
    const QnNode *node = call->node;
    const bool is_gemm = *form->domain != 0;
    Context read = {.data = {.isa = qn_cpu_of(call)->isa, .alpha = 1}}, *context;
    QnOffer offer = {
        .code = &code,
        .kernel = "gemm_i8",
        .tier = QN_TIER_TUNED,
        .nodes = {node},
        .node_count = 1,
        .input_count = INPUTS,
        .outputs = {node->outputs[0]},
        .layouts = {QN_LAYOUT_PLAIN},
        .make = make_product,
    };
    if (!read_inputs(node, form, &offer, &read.data))
        return QN_OK;
    if (is_gemm) {
        read.data.from_a = qn_op_int(node, "transA") != 0;
        read.data.from_b = qn_op_int(node, "transB") != 0;
        read.data.alpha = (float)qn_op_float(node, "alpha");
    }
    const int last = node->inputs[0].value->type.shape.rank - 1;
    const QnDim inner =
        node->inputs[0].value->type.shape.dims[last - (last > 0 && read.data.from_a)];
    offer.cost = 500 + qn_cpu_elements(call, offer.outputs[0]) * qn_cpu_size(call, inner) * 0.003;
    if (read.data.terms.to == QN_SCALE_TO_I32)
        grow(call, &offer, &read.data);
    read_right(&offer, &read);
    if (read.right)
        offer.inputs[B] = NULL;
    QN_ALLOC(context, call->arena, 1);
    *context = read;
    offer.context = context;
    call->offer(call, &offer);
    return QN_OK;
}

QnStatus qn_cpu_lower_qmatmul(QnOfferCall *call)
{
    for (size_t i = 0; i < QN_COUNT_OF(forms); i++)
        if (!strcmp(call->node->op, forms[i].op) && !strcmp(call->node->domain, forms[i].domain))
            return offer_product(call, &forms[i]);
    return QN_OK;
}
