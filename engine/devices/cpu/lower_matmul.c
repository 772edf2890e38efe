/* SPDX-License-Identifier: Apache-2.0 */
/*
 * MatMul and Gemm in fp32: kernels/product.h.  A constant right side is packed when the plan is
 * made; both sides of a product of two computed tensors are read where they lie, whatever their
 * strides.  Floats of 16 bits are converted on the way in and out.
 */
#include "engine/devices/cpu/border.h"
#include "engine/devices/cpu/fuse.h"
#include "engine/devices/cpu/kernels/gemm_pack.h"
#include "engine/devices/cpu/kernels/product.h"

enum { LEFT = 0, RIGHT = 1, RESIDUAL = 2 };

typedef struct ProductData {
    QnEpilogue epilogue;
    QnIsa isa;
    bool from_a, from_b;                  /* transposed */
    const float *panels;                  /* packed right side; NULL: it is an input */
    int64_t panel_stride, inner, columns; /* of the packed one */
    const float *bias;                    /* [columns] or NULL */
} ProductData;

typedef struct Context {
    ProductData data;
    const QnTensor *right, *bias, *more_bias;
    double bias_scale;      /* Gemm's beta */
    float *row;             /* [columns] for converting the right side; NULL: it is fp32 */
    const QnIrValue *added; /* Gemm's C where it is no bias; NULL: none */
} Context;

/* An operand as a stack of matrices: sizes and steps in floats. */
typedef struct Matrix {
    int64_t rows, columns, row_step, column_step;
    int batch_rank;
} Matrix;

static Matrix matrix_of(const QnTensor *t, bool is_left, bool is_transposed)
{
    Matrix m = {.rows = 1, .columns = 1, .batch_rank = t->rank > 2 ? t->rank - 2 : 0};
    const int last = t->rank - 1;
    if (t->rank == 1) { /* a row in front, a column behind */
        *(is_left ? &m.columns : &m.rows) = t->dims[0];
        *(is_left ? &m.column_step : &m.row_step) = t->strides[0] / 4;
        return m;
    }
    m.rows = t->dims[last - 1];
    m.row_step = t->strides[last - 1] / 4;
    m.columns = t->dims[last];
    m.column_step = t->strides[last] / 4;
    if (is_transposed)
        return (Matrix){m.columns, m.rows, m.column_step, m.row_step, m.batch_rank};
    return m;
}

/* A batch dimension: its size and the steps of the operands, 0 where one is broadcast. */
typedef struct Batch {
    int64_t count, a, b, c, residual;
} Batch;

static int64_t batch_step(const QnTensor *t, int batch_rank, int from_last)
{
    const int d = batch_rank - 1 - from_last;
    return d < 0 || t->dims[d] == 1 ? 0 : t->strides[d] / 4;
}

/* The batch dims of the result from the innermost out;
 * neighbours that every operand walks alike are one. */
static QnStatus read_batches(const QnTensor *a, const QnTensor *b, const QnTensor *c,
                             const QnTensor *residual, int rank, Batch *batches, int *count,
                             QnError *err)
{
    const int rank_a = a->rank > 2 ? a->rank - 2 : 0, rank_b = b && b->rank > 2 ? b->rank - 2 : 0;
    *count = 0;
    for (int i = 0; i < rank; i++) {
        const Batch next = {c->dims[rank - 1 - i], batch_step(a, rank_a, i),
                            b ? batch_step(b, rank_b, i) : 0, batch_step(c, rank, i),
                            residual ? batch_step(residual, rank, i) : 0};
        const int64_t size_a = rank_a - 1 - i >= 0 ? a->dims[rank_a - 1 - i] : 1;
        const int64_t size_b = rank_b - 1 - i >= 0 ? b->dims[rank_b - 1 - i] : 1;
        if ((size_a != next.count && size_a != 1) || (size_b != next.count && size_b != 1))
            return qn_fail(err, QN_BAD_TENSOR, "cannot broadcast %lld against %lld",
                           (long long)size_a, (long long)size_b);
        Batch *last = *count ? &batches[*count - 1] : NULL;
        if (next.count == 1)
            continue;
        if (last && next.a == last->a * last->count && next.b == last->b * last->count &&
            next.c == last->c * last->count && next.residual == last->residual * last->count)
            last->count *= next.count;
        else
            batches[(*count)++] = next;
    }
    return QN_OK;
}

/* Parameters: the product, and the batch dims that its two levels do not hold. */
typedef struct Params {
    QnProductF32 product;
    Batch more[QN_MAX_RANK];
    int more_count;
    int64_t more_total;
    int64_t chunks; /* of one product */
} Params;

static QnStatus set_operands(const ProductData *data, const QnTensor *a, const QnTensor *b,
                             const QnTensor *c, Params *p, QnError *err)
{
    const Matrix left = matrix_of(a, true, data->from_a);
    Matrix right = {.rows = data->inner, .columns = data->columns};
    if (b)
        right = matrix_of(b, false, data->from_b);
    if (left.columns != right.rows)
        return qn_fail(err, QN_BAD_TENSOR, "the inner sizes are %lld and %lld, expected equal ones",
                       (long long)left.columns, (long long)right.rows);
    QnProductF32 *product = &p->product;
    product->m = left.rows;
    product->k = left.columns;
    product->n = right.columns;
    product->a_step = left.row_step;
    product->a_k_step = left.column_step;
    product->b_is_packed = !b;
    product->b_stride = data->panel_stride;
    product->b_k_step = right.row_step;
    product->b_n_step = right.column_step;
    const bool has_rows = a->rank > 1, has_columns = !b || b->rank > 1;
    product->c_column_step = has_columns ? c->strides[c->rank - 1] / 4 : 1;
    product->c_step = has_rows ? c->strides[c->rank - 1 - has_columns] / 4 : right.columns;
    return QN_OK;
}

static QnProductBatch level_of(const Batch *batches, int count, int i)
{
    if (i >= count)
        return (QnProductBatch){.count = 1};
    return (QnProductBatch){batches[i].count, batches[i].a, batches[i].b, batches[i].c,
                            batches[i].residual};
}

/* The step of a dimension counted from the last, 0 where the tensor is broadcast: Gemm's C. */
static int64_t step_of(const QnTensor *t, int from_last)
{
    const int d = t->rank - 1 - from_last;
    return d < 0 || t->dims[d] == 1 ? 0 : t->strides[d] / 4;
}

static QnStatus check_residual(const QnTensor *residual, const QnTensor *c, QnError *err)
{
    for (int i = 0; i < residual->rank; i++) {
        const int64_t size = residual->dims[residual->rank - 1 - i];
        const int64_t wanted = i < c->rank ? c->dims[c->rank - 1 - i] : 1;
        if (size != 1 && size != wanted)
            return qn_fail(err, QN_BAD_TENSOR, "cannot broadcast %lld against %lld",
                           (long long)size, (long long)wanted);
    }
    return QN_OK;
}

/* How the kernel sees an operand: one that is converted is contiguous. */
static const QnTensor *seen(const QnTensor *t, QnTensor *converted, QnBindCall *call)
{
    if (!t || t->type == QN_FLOAT)
        return t;
    *converted = qn_tensor(QN_FLOAT, t->rank, t->dims, t->data);
    qn_cpu_border_reserve(&call->scratch_bytes, t, QN_FLOAT);
    return converted;
}

static QnStatus bind_product(const QnStep *step, QnBindCall *call)
{
    const ProductData *data = step->data;
    QnTensor converted[4];
    const QnTensor *a = seen(qn_step_input(step, call->values, LEFT), &converted[0], call);
    const QnTensor *b =
        data->panels ? NULL : seen(qn_step_input(step, call->values, RIGHT), &converted[1], call);
    const QnTensor *c = seen(qn_step_output(step, call->values, 0), &converted[2], call);
    const QnTensor *residual =
        seen(qn_step_input(step, call->values, RESIDUAL), &converted[3], call);
    Params *p = call->params;
    *p = (Params){.product = {.isa = data->isa, .b = data->panels, .epilogue = data->epilogue},
                  .more_total = 1};
    QN_TRY(set_operands(data, a, b, c, p, call->err));
    p->product.epilogue.bias = data->bias;
    if (residual) {
        const bool has_rows = a->rank > 1, has_columns = !b || b->rank > 1;
        QN_TRY(check_residual(residual, c, call->err));
        p->product.epilogue.residual_column_step = has_columns ? step_of(residual, 0) : 1;
        p->product.epilogue.residual_step = has_rows ? step_of(residual, has_columns) : 0;
    }
    Batch batches[QN_MAX_RANK];
    int count;
    const int batch_rank = c->rank - (a->rank > 1) - (!b || b->rank > 1);
    QN_TRY(read_batches(a, b, c, residual, batch_rank, batches, &count, call->err));
    /* A packed right side belongs to all batches:
     * rows of the left side in one run are one product. */
    if (!b && count == 1 && batches[0].a == p->product.a_step * p->product.m &&
        batches[0].c == p->product.c_step * p->product.m &&
        (!residual || batches[0].residual == p->product.epilogue.residual_step * p->product.m)) {
        p->product.m *= batches[0].count;
        count = 0;
    }
    p->product.inner = level_of(batches, count, 0);
    p->product.outer = level_of(batches, count, 1);
    for (int i = 2; i < count; i++) {
        p->more[p->more_count++] = batches[i];
        p->more_total *= batches[i].count;
    }
    p->chunks = qn_product_f32_chunks(&p->product);
    call->member_scratch_bytes = qn_product_f32_scratch(&p->product);
    return QN_OK;
}

typedef struct Work {
    const Params *params;
    QnProductF32 product; /* with data */
    uint8_t *scratch;
    size_t stride;
} Work;

static void run_chunk(void *user, int64_t chunk, int member)
{
    const Work *work = user;
    QnProductF32 product = work->product;
    int64_t index = chunk / work->params->chunks;
    for (int i = 0; i < work->params->more_count; i++) {
        const Batch *batch = &work->params->more[i];
        const int64_t at = index % batch->count;
        index /= batch->count;
        product.a += at * batch->a;
        product.b += at * batch->b;
        product.c += at * batch->c;
        if (product.epilogue.residual)
            product.epilogue.residual += at * batch->residual;
    }
    qn_product_f32_run(&product, chunk % work->params->chunks,
                       work->scratch + (size_t)member * work->stride);
}

static QnStatus run_product(const QnStep *step, const void *params, QnRunCall *call)
{
    const ProductData *data = step->data;
    const Params *p = params;
    const QnTensor *c = qn_step_output(step, call->values, 0);
    uint8_t *room = call->scratch;
    Work work = {p, p->product, call->member_scratch, call->member_stride};
    work.product.a =
        qn_cpu_border_read(call, &room, qn_step_input(step, call->values, LEFT), QN_FLOAT);
    if (!data->panels)
        work.product.b =
            qn_cpu_border_read(call, &room, qn_step_input(step, call->values, RIGHT), QN_FLOAT);
    work.product.c = qn_cpu_border_room(&room, c, QN_FLOAT);
    work.product.epilogue.residual =
        qn_cpu_border_read(call, &room, qn_step_input(step, call->values, RESIDUAL), QN_FLOAT);
    const double cost = (double)qn_tensor_count(c) * (double)p->product.k * 0.02;
    qn_gang_for(call->gang, p->chunks * p->more_total, (int64_t)cost, run_chunk, &work);
    qn_cpu_border_write(call, c, QN_FLOAT, work.product.c);
    qn_cpu_fault("matmul", c);
    return QN_OK;
}

static double count_operations(const QnStep *step, const void *params)
{
    const Params *p = params;
    const QnProductF32 *product = &p->product;
    (void)step;
    return 2 * (double)product->m * (double)product->n * (double)product->k *
           (double)product->inner.count * (double)product->outer.count * (double)p->more_total;
}

static const QnStepCode code = {.name = "matmul",
                                .params_size = sizeof(Params),
                                .bind = bind_product,
                                .run = run_product,
                                .operations = count_operations};

/* ---- making ---- */

static void fill_panels(void *to, void *user)
{
    const Context *context = user;
    const ProductData *data = &context->data;
    const QnTensor *right = context->right;
    if (!context->row) {
        qn_pack_f32(to, data->panel_stride, 0, right->data, data->from_b ? 1 : data->columns,
                    data->from_b ? data->inner : 1, data->inner, data->columns);
        return;
    }
    for (int64_t k = 0; k < data->inner; k++) {
        for (int64_t n = 0; n < data->columns; n++)
            context->row[n] = (float)qn_tensor_get(right, data->from_b ? n * data->inner + k
                                                                       : k * data->columns + n);
        qn_pack_f32(to, data->panel_stride, k, context->row, data->columns, 1, 1, data->columns);
    }
}

static QnStatus make_bias(const Context *context, QnMake *make, const float **out)
{
    float *bias;
    *out = NULL;
    if (!context->bias && !context->more_bias)
        return QN_OK;
    QN_ALLOC(bias, make->arena, context->data.columns);
    for (int64_t n = 0; n < context->data.columns; n++) {
        const bool is_one = context->bias && qn_tensor_count(context->bias) == 1;
        const double first =
            context->bias ? context->bias_scale * qn_tensor_get(context->bias, is_one ? 0 : n) : 0;
        bias[n] = (float)(first + (context->more_bias ? qn_tensor_get(context->more_bias, n) : 0));
    }
    *out = bias;
    return QN_OK;
}

static QnStatus make_product(const QnOffer *offer, QnMake *make, const void **out)
{
    Context *context = offer->context;
    ProductData *data = &context->data;
    *out = data;
    QN_TRY(make_bias(context, make, &data->bias));
    if (!context->right)
        return QN_OK;
    QnPanelsF32 panels;
    if (!qn_pack_f32_size(&panels, data->inner, data->columns))
        return qn_fail(make->err, QN_BAD_MODEL,
                       "the packed weights have a size that no memory holds");
    data->panel_stride = panels.stride;
    if (context->right->type != QN_FLOAT)
        QN_ALLOC(context->row, make->arena, data->columns);
    data->panels =
        make->pack(make->user, context->right, data->from_b ? "gemm_f32:transposed" : "gemm_f32",
                   panels.size_bytes, fill_panels, context);
    return data->panels ? QN_OK : qn_no_memory(make->err);
}

/* ---- offering ---- */

/* Is it a tensor of a type that is computed in fp32? */
static bool is_float(const QnIrValue *value)
{
    return value && value->type.kind == QN_TENSOR && value->type.shape.rank >= 1 &&
           qn_cpu_float_type(value->type.element) == QN_FLOAT;
}

/* Reads what Gemm says beyond the product.  A C that is not a constant bias of the columns is added
 * like a residual, from where it is broadcast. */
static bool read_gemm(const QnNode *node, Context *context)
{
    const QnIrValue *c = qn_node_input(node, 2);
    context->data.from_a = qn_op_int(node, "transA") != 0;
    context->data.from_b = qn_op_int(node, "transB") != 0;
    context->data.epilogue.alpha = (float)qn_op_float(node, "alpha");
    context->bias_scale = qn_op_float(node, "beta");
    const QnDim columns = node->outputs[0]->type.shape.dims[1];
    if (!c || context->bias_scale == 0)
        return true;
    if (!is_float(c) && c->type.shape.rank > 0)
        return false;
    if (qn_dim_is_known(columns) && qn_cpu_is_constant(c) &&
        (qn_cpu_is_per_channel(c, 2, 1, columns) || qn_tensor_count(c->constant) == 1)) {
        context->bias = c->constant;
        context->data.columns = columns;
        return true;
    }
    context->added = c;
    context->data.epilogue.beta = (float)context->bias_scale;
    return true;
}

/* A constant right side of two dims is packed. */
static void read_right(const QnNode *node, Context *context)
{
    const QnIrValue *b = qn_node_input(node, 1);
    if (!qn_cpu_is_constant(b) || b->constant->rank != 2 || qn_tensor_count(b->constant) == 0)
        return;
    context->right = b->constant;
    context->data.inner = b->constant->dims[context->data.from_b ? 1 : 0];
    context->data.columns = b->constant->dims[context->data.from_b ? 0 : 1];
}

QnStatus qn_cpu_lower_matmul(QnOfferCall *call)
{
    const QnNode *node = call->node;
    const bool is_gemm = !strcmp(node->op, "Gemm");
    if ((!is_gemm && strcmp(node->op, "MatMul") != 0) || *node->domain ||
        !is_float(qn_node_input(node, 0)) || !is_float(qn_node_input(node, 1)))
        return QN_OK;
    Context read = {.data = {.epilogue = {.alpha = 1}, .isa = qn_cpu_of(call)->isa}}, *context;
    if (is_gemm && !read_gemm(node, &read))
        return QN_OK;
    read_right(node, &read);
    QN_ALLOC(context, call->arena, 1);
    *context = read;
    /* What is converted is read from the first byte on. */
    const bool is_single = node->outputs[0]->type.element == QN_FLOAT;
    const unsigned accepts = QN_ACCEPT_PLAIN | (is_single ? QN_ACCEPT_STRIDED : 0);
    QnOffer offer = {
        .code = &code,
        .kernel = "gemm_f32",
        .tier = QN_TIER_TUNED,
        .nodes = {node},
        .node_count = 1,
        .inputs = {node->inputs[0].value, read.right ? NULL : node->inputs[1].value},
        .accepts = {accepts, accepts, QN_ACCEPT_PLAIN},
        .input_count = 3,
        .layouts = {QN_LAYOUT_PLAIN},
        .context = context,
        .make = make_product,
    };
    const int rank = node->outputs[0]->type.shape.rank;
    QnCpuFused fused = {
        .epilogue = read.data.epilogue, .residual = read.added, .result = node->outputs[0]};
    /* Only a packed product knows its columns;
     * a bias of another one would need them at run time. */
    if (rank >= 1 && read.right)
        qn_cpu_fuse(call, &offer, &fused, rank - 1);
    context->data.epilogue = fused.epilogue;
    context->more_bias = fused.bias ? fused.bias->constant : NULL;
    offer.inputs[RESIDUAL] = fused.residual;
    offer.outputs[0] = fused.result;
    const QnShape *a = &node->inputs[0].value->type.shape;
    const double inner =
        qn_cpu_size(call, a->dims[a->rank - 1 - (a->rank > 1 && read.data.from_a)]);
    offer.cost = 400 + qn_cpu_elements(call, node->outputs[0]) * inner * 0.02;
    call->offer(call, &offer);
    return QN_OK;
}
