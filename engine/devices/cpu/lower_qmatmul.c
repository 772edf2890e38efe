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
#include "engine/devices/cpu/kernels/product_i8.h"
#include "engine/devices/cpu/terms_i8.h"

static const QnCpuTermsForm forms[] = {
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

/* A batch dimension: its size, and the steps of the operands in elements;
 * 0 where one is broadcast. */
typedef struct Batch {
    int64_t count, a, b, c;
} Batch;

typedef struct Params {
    QnProductI8 product;
    Batch batches[QN_MAX_RANK];
    int batch_count;
    int64_t batch_total;
    int64_t chunks; /* of one product */
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

static QnStatus bind_product(const QnStep *step, QnBindCall *call)
{
    const ProductData *data = step->data;
    const QnTensor *a = qn_step_input(step, call->values, QN_TERM_A),
                   *b = data->packed ? NULL : qn_step_input(step, call->values, QN_TERM_B),
                   *summand = qn_step_input(step, call->values, QN_TERM_SUMMAND),
                   *c = qn_step_output(step, call->values, 0);
    Params *p = call->params;
    *p = (Params){.product = {.isa = data->isa,
                              .b = data->packed,
                              .panels = data->packed ? &data->panels : NULL,
                              .terms = data->terms},
                  .batch_total = 1};
    QN_TRY(set_operands(data, a, b, &p->product, call->err));
    QN_TRY(qn_cpu_terms_check(step, call, p->product.n));
    if (summand)
        QN_TRY(set_summand(summand, &p->product, call->err));
    read_batches(a, b, c, c->rank - (a->rank > 1) - (!b || b->rank > 1), p);
    p->chunks = qn_product_i8_chunks(&p->product);
    call->scratch_bytes = qn_cpu_terms_room(p->product.n);
    call->member_scratch_bytes = qn_product_i8_scratch(&p->product);
    return QN_OK;
}

/* ---- running ---- */

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
                   *summand = qn_step_input(step, call->values, QN_TERM_SUMMAND);
    Work work = {p, p->product, call->member_scratch, call->member_stride};
    work.product.a = qn_step_input(step, call->values, QN_TERM_A)->data;
    if (!data->packed)
        work.product.b = qn_step_input(step, call->values, QN_TERM_B)->data;
    work.product.c = c->data;
    work.product.more = summand ? summand->data : NULL;
    qn_cpu_terms_read(&work.product.terms, step, call, call->scratch, p->product.n, data->alpha);
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

/* A constant right side of two dims is packed. */
static void read_right(const QnOffer *offer, Context *context)
{
    const QnIrValue *b = offer->inputs[QN_TERM_B];
    if (!qn_cpu_is_constant(b) || b->constant->rank != 2 || qn_tensor_count(b->constant) == 0)
        return;
    context->right = b->constant;
    context->data.inner = b->constant->dims[context->data.from_b ? 1 : 0];
    context->data.columns = b->constant->dims[context->data.from_b ? 0 : 1];
}

static QnStatus offer_product(QnOfferCall *call, const QnCpuTermsForm *form)
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
        .outputs = {node->outputs[0]},
        .layouts = {QN_LAYOUT_PLAIN},
        .make = make_product,
    };
    if (!qn_cpu_terms_read_node(node, form, &offer, &read.data.terms))
        return QN_OK;
    offer.accepts[QN_TERM_A] = offer.accepts[QN_TERM_B] = QN_ACCEPT_PLAIN | QN_ACCEPT_STRIDED;
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
        qn_cpu_terms_grow(call, &offer, &read.data.terms, 0);
    read_right(&offer, &read);
    if (read.right)
        offer.inputs[QN_TERM_B] = NULL;
    QN_ALLOC(context, call->arena, 1);
    *context = read;
    offer.context = context;
    call->offer(call, &offer);
    return QN_OK;
}

QnStatus qn_cpu_lower_qmatmul(QnOfferCall *call)
{
    const QnCpuTermsForm *form = qn_cpu_terms_form(call->node, forms, QN_COUNT_OF(forms));
    return form ? offer_product(call, form) : QN_OK;
}
