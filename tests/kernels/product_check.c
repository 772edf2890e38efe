/* SPDX-License-Identifier: Apache-2.0 */
/* Whole products: every way that B can be given, batches,
 * steps, epilogues, and all cuts into chunks. */
#include "engine/devices/cpu/kernels/product.h"

#include "base/checked.h"
#include "base/compiler.h"
#include "engine/devices/cpu/kernels/dot.h"
#include "engine/devices/cpu/kernels/gemm_pack.h"
#include "tests/kernels/check.h"

static const QnIsa levels[] = {QN_ISA_NONE, QN_ISA_AVX2, QN_ISA_AVX2 | QN_ISA_AVX512};

typedef enum Form { PACKED, ROWS, TRANSPOSED, FORM_COUNT } Form;

/* A product whose B is [k][n] or its transpose; with a batch, B is shared and A and C are not. */
typedef struct Case {
    QnProductF32 p;
    const float *b;
    int64_t b_k_step, b_n_step;
    int64_t c_count;
} Case;

static void make_b(Case *c, Check *check, Form form)
{
    QnProductF32 *p = &c->p;
    float *b = check_floats(check, p->k * p->n);
    c->b = b;
    c->b_k_step = p->b_k_step = form == TRANSPOSED ? 1 : p->n;
    c->b_n_step = p->b_n_step = form == TRANSPOSED ? p->k : 1;
    p->b = b;
    if (form != PACKED)
        return;
    QnPanelsF32 size;
    if (!qn_pack_f32_size(&size, p->k, p->n))
        return;
    float *packed = check_blank(check, (int64_t)(size.size_bytes / sizeof(float)));
    qn_pack_f32(packed, size.stride, 0, b, p->n, 1, p->k, p->n);
    p->b_is_packed = true;
    p->b = packed;
    p->b_stride = size.stride;
}

static void make_a(Case *c, Check *check)
{
    QnProductF32 *p = &c->p;
    const bool transposed = check_random(check, 3) == 0;
    p->a_step = transposed ? 1 : p->k + check_random(check, 3);
    p->a_k_step = transposed ? p->m : 1;
    const int64_t one = transposed ? p->m * p->k : (p->m - 1) * p->a_step + p->k;
    p->inner.a = one;
    p->outer.a = 0; /* the outer level repeats A */
    p->a = check_floats(check, qn_max_i64(0, one * p->inner.count));
}

static void make_c(Case *c, Check *check)
{
    QnProductF32 *p = &c->p;
    QnEpilogue *e = &p->epilogue;
    const bool transposed = check_random(check, 3) == 0;
    p->c_step = transposed ? 1 : p->n;
    p->c_column_step = transposed ? p->m : 1;
    p->inner.c = p->m * p->n;
    p->outer.c = p->inner.c * p->inner.count;
    c->c_count = p->outer.c * p->outer.count;
    p->c = check_blank(check, c->c_count);
    *e = (QnEpilogue){.alpha = check_random(check, 2) ? 1 : 0.5f, .beta = 2};
    e->activation = (QnActivation)check_random(check, QN_ACTIVATION_LEAKY + 1);
    e->p = -0.25f;
    e->q = 0.5f;
    e->residual_last = check_random(check, 2);
    if (check_random(check, 2))
        e->bias = check_floats(check, p->n);
    if (check_random(check, 2)) {
        e->residual_step = p->c_step;
        e->residual_column_step = p->c_column_step;
        p->inner.residual = p->inner.c;
        e->residual = check_floats(check, p->inner.c * p->inner.count);
    }
}

static double activate(double x, const QnEpilogue *e)
{
    switch (e->activation) {
    case QN_ACTIVATION_RELU:
        return x < 0 ? 0 : x;
    case QN_ACTIVATION_CLIP:
        return fmin((double)e->q, fmax((double)e->p, x));
    case QN_ACTIVATION_LEAKY:
        return x < 0 ? (double)e->p * x : x;
    default:
        return x;
    }
}

static Sum compute(const Case *c, int64_t inner, int64_t m, int64_t n)
{
    const QnProductF32 *p = &c->p;
    const QnEpilogue *e = &p->epilogue;
    Sum sum = {0};
    for (int64_t k = 0; k < p->k; k++)
        sum_add(&sum, (double)p->a[inner * p->inner.a + m * p->a_step + k * p->a_k_step],
                (double)c->b[k * c->b_k_step + n * c->b_n_step]);
    sum.value *= (double)e->alpha;
    if (e->bias)
        sum_add(&sum, (double)e->bias[n], 1);
    const float *residual = e->residual;
    if (residual)
        residual += inner * p->inner.residual + m * e->residual_step + n * e->residual_column_step;
    if (residual && !e->residual_last)
        sum_add(&sum, (double)*residual, (double)e->beta);
    sum.value = activate(sum.value, e);
    if (residual && e->residual_last)
        sum_add(&sum, (double)*residual, (double)e->beta);
    return sum;
}

static void compare(const Case *c, const Check *check)
{
    const QnProductF32 *p = &c->p;
    for (int64_t o = 0; o < p->outer.count; o++)
        for (int64_t i = 0; i < p->inner.count; i++)
            for (int64_t m = 0; m < p->m; m++)
                for (int64_t n = 0; n < p->n; n++) {
                    const Sum want = compute(c, i, m, n);
                    const float got = p->c[o * p->outer.c + i * p->inner.c + m * p->c_step +
                                           n * p->c_column_step];
                    const bool is_exact = check->values == CHECK_INTEGERS &&
                                          p->epilogue.activation != QN_ACTIVATION_LEAKY;
                    EXPECT(
                        check->t, check_is_near(got, want.value, is_exact ? 0 : sum_bound(&want)),
                        "%s %dx%dx%d element %d,%d: %.9g, not %.9g", qn_isa_level_name(p->isa),
                        (int)p->m, (int)p->k, (int)p->n, (int)m, (int)n, (double)got, want.value);
                }
}

/* Chunks in reverse, each with scratch full of NaN: none may rely on another. */
static void run_all(Check *check, const QnProductF32 *p)
{
    const int64_t floats = (int64_t)(qn_product_f32_scratch(p) / sizeof(float));
    float *scratch = check_blank(check, floats);
    for (int64_t i = qn_product_f32_chunks(p) - 1; i >= 0; i--) {
        for (int64_t x = 0; x < floats; x++)
            scratch[x] = NAN;
        qn_product_f32_run(p, i, scratch);
    }
}

static void check_product(Check *check, int64_t m, int64_t k, int64_t n, Form form)
{
    for (size_t level = 0; level < QN_COUNT_OF(levels); level++) {
        if ((levels[level] & check->have) != levels[level])
            continue;
        Case c = {.p = {.isa = levels[level],
                        .m = m,
                        .n = n,
                        .k = k,
                        .outer = {.count = 1 + check_random(check, 2)},
                        .inner = {.count = 1 + check_random(check, 2)}}};
        check->values = (CheckValues)check_random(check, CHECK_CLASSES);
        c.p.fixed_order = check_random(check, 2);
        make_a(&c, check);
        make_b(&c, check, form);
        make_c(&c, check);
        run_all(check, &c.p);
        compare(&c, check);
        check_end(check);
    }
}

TEST(products_of_all_small_shapes_are_right)
{
    static const int64_t sizes[] = {1, 2, 3, 6, 7, 13, 16, 17, 31, 64, 65, 85};
    Check check = check_make(t);
    for (size_t m = 0; m < QN_COUNT_OF(sizes); m++)
        for (size_t n = 0; n < QN_COUNT_OF(sizes); n++)
            for (int form = 0; form < FORM_COUNT; form++) {
                check.end = (CheckEnd)check_random(&check, 2);
                check_product(&check, sizes[m], check_random(&check, 68), sizes[n], (Form)form);
            }
}

TEST(long_sums_and_many_chunks_are_right)
{
    Check check = check_make(t);
    for (int form = 0; form < FORM_COUNT; form++) {
        check_product(&check, 7, 2500, 37, (Form)form);
        check_product(&check, 125, 1600, 150, (Form)form);
        check_product(&check, 1, 3000, 700, (Form)form);
        check_product(&check, 700, 33, 5, (Form)form);
    }
}

TEST(empty_products_have_no_chunks_and_empty_sums_are_zero)
{
    QnProductF32 p = {.m = 0, .n = 3, .k = 3, .outer = {.count = 1}, .inner = {.count = 1}};
    EXPECT(t, qn_product_f32_chunks(&p) == 0, "m = 0");
    p.m = 3;
    p.n = 0;
    EXPECT(t, qn_product_f32_chunks(&p) == 0, "n = 0");
    p.n = 3;
    p.outer.count = 0;
    EXPECT(t, qn_product_f32_chunks(&p) == 0, "no batch");
    Check check = check_make(t);
    for (int form = 0; form < FORM_COUNT; form++) {
        check_product(&check, 3, 0, 20, (Form)form);
        check_product(&check, 20, 0, 20, (Form)form);
    }
}

TEST(impossible_scratch_is_a_size_that_nobody_gives)
{
    const QnProductF32 p = {.m = 20,
                            .n = 64,
                            .k = INT64_MAX / 8,
                            .a_k_step = 1,
                            .b_k_step = 64,
                            .b_n_step = 1,
                            .outer = {.count = 1},
                            .inner = {.count = 1}};
    EXPECT(t, qn_product_f32_scratch(&p) == SIZE_MAX, "%zu bytes", qn_product_f32_scratch(&p));
}

/* The promise of batch_invariant=on. */
TEST(rows_do_not_depend_on_their_number)
{
    enum { K = 900, N = 83, M = 61 };
    Check check = check_make(t);
    const float *a = check_floats(&check, M * K), *b = check_floats(&check, K * N);
    float *c = check_blank(&check, M * N), *row = check_blank(&check, N);
    for (int transposed = 0; transposed < 2; transposed++) {
        QnProductF32 p = {.isa = check.have,
                          .m = M,
                          .n = N,
                          .k = K,
                          .a = a,
                          .a_step = K,
                          .a_k_step = 1,
                          .b = b,
                          .b_k_step = transposed ? 1 : N,
                          .b_n_step = transposed ? K : 1,
                          .c = c,
                          .c_step = N,
                          .c_column_step = 1,
                          .epilogue = {.alpha = 1},
                          .outer = {.count = 1},
                          .inner = {.count = 1},
                          .fixed_order = true};
        run_all(&check, &p);
        p.m = 1;
        p.c = row;
        for (int i = 0; i < M; i += 7) {
            p.a = a + i * K;
            run_all(&check, &p);
            EXPECT(t, !memcmp(row, c + i * N, N * sizeof(float)), "row %d", i);
        }
    }
    check_end(&check);
}

TEST(every_dot_variant_is_the_sum_within_its_bound)
{
    Check check = check_make(t);
    for (int v = 0; v < qn_dot_f32_count; v++) {
        if (!check_begin(&check, qn_dot_f32[v].name, qn_dot_f32[v].needs))
            continue;
        for (int64_t k = 0; k < 70; k++) {
            check.end = (CheckEnd)(k % 2);
            const int64_t m = 1 + check_random(&check, 3), n = check_random(&check, 10);
            const float *a = check_floats(&check, m * k), *b = check_floats(&check, n * k);
            float *c = check_blank(&check, m * n);
            qn_dot_f32[v].run(&(QnDot){m, n, k, a, k, b, k, c, n});
            for (int64_t i = 0; i < m * n; i++) {
                Sum want = {0};
                for (int64_t x = 0; x < k; x++)
                    sum_add(&want, (double)a[i / n * k + x], (double)b[i % n * k + x]);
                EXPECT(t, check_is_near(c[i], want.value, sum_bound(&want)),
                       "%s k=%d: %.9g, not %.9g", qn_dot_f32[v].name, (int)k, (double)c[i],
                       want.value);
            }
            check_end(&check);
        }
    }
}

TEST_MAIN(CASE(products_of_all_small_shapes_are_right), CASE(long_sums_and_many_chunks_are_right),
          CASE(empty_products_have_no_chunks_and_empty_sums_are_zero),
          CASE(impossible_scratch_is_a_size_that_nobody_gives),
          CASE(rows_do_not_depend_on_their_number),
          CASE(every_dot_variant_is_the_sum_within_its_bound))
