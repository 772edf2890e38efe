/* SPDX-License-Identifier: Apache-2.0 */
/* Products of bytes: tiles, what is done to their sums,
 * and whole products, all of them to the bit. */
#include "engine/devices/cpu/kernels/product_i8.h"

#include "base/checked.h"
#include "base/compiler.h"
#include "tests/kernels/check.h"

static const QnIsa levels[] = {QN_ISA_NONE, QN_ISA_AVX2, QN_ISA_AVX2 | QN_ISA_AVX512,
                               QN_ISA_AVX2 | QN_ISA_AVX512 | QN_ISA_AVX512VNNI};

/* ---- tiles ---- */

/* Rows of one to three runs, the last row first. */
static void check_tile(Check *check, const QnGemmI8 *variant, int rows, int64_t groups)
{
    const int64_t columns = variant->panels * QN_PANEL_I8, runs = 1 + check_random(check, 3);
    const uint8_t *a[3 * (QN_GEMM_I8_MAX_ROWS + 1)];
    QnGemmI8Tile t = {.a = a,
                      .a_step = rows + check_random(check, 2),
                      .runs = runs,
                      .groups = groups,
                      .b_stride = 64 * groups * runs,
                      .c_step = columns + check_random(check, 3),
                      .rows = rows};
    for (int64_t r = 0; r < runs; r++) {
        const uint8_t *bytes = check_bytes(check, rows * 4 * groups);
        for (int i = 0; i < rows; i++)
            a[r * t.a_step + i] = bytes + (rows - 1 - i) * 4 * groups;
    }
    const int8_t *b = check_bytes(check, 4 * groups * runs * columns);
    t.b = b;
    t.c = check_room(check, (size_t)((rows - 1) * t.c_step + columns) * sizeof(int32_t));
    variant->run(&t);
    for (int i = 0; i < rows; i++)
        for (int64_t j = 0; j < columns; j++) {
            int64_t want = 0;
            for (int64_t x = 0; x < 4 * groups * runs; x++)
                want += a[x / (4 * groups) * t.a_step + i][x % (4 * groups)] *
                        b[j / 16 * t.b_stride + x / 4 * 64 + j % 16 * 4 + x % 4];
            EXPECT(check->t, t.c[i * t.c_step + j] == want, "%s rows=%d k=%d element %d,%d",
                   variant->name, rows, (int)(4 * groups), i, (int)j);
        }
    check_end(check);
}

TEST(every_tile_is_the_sum)
{
    static const int64_t groups[] = {0, 1, 2, 3, 5, 17};
    Check check = check_make(t);
    for (int v = 0; v < qn_gemm_i8_count; v++) {
        const QnGemmI8 *variant = &qn_gemm_i8[v];
        if (!check_begin(&check, variant->name, variant->needs))
            continue;
        for (int rows = 1; rows <= variant->rows; rows++)
            for (size_t g = 0; g < QN_COUNT_OF(groups); g++) {
                check.end = (CheckEnd)(g % 2);
                check_tile(&check, variant, rows, groups[g]);
            }
    }
}

/* Sums of the largest products, which pairs in 16 bits could not hold. */
TEST(the_largest_products_do_not_saturate)
{
    static const int8_t values[] = {127, -128};
    Check check = check_make(t);
    for (int v = 0; v < qn_gemm_i8_count; v++)
        for (size_t s = 0; s < QN_COUNT_OF(values); s++) {
            const QnGemmI8 *variant = &qn_gemm_i8[v];
            QN_ALIGNED(64) int8_t b[4 * 64 * 8];
            uint8_t a[32];
            int32_t c[64];
            if ((variant->needs & check.have) != variant->needs)
                continue;
            const uint8_t *const row = a;
            memset(a, 255, sizeof a);
            memset(b, values[s], sizeof b);
            variant->run(&(QnGemmI8Tile){&row, 1, 1, 8, b, 64 * 8, c, 64, 1});
            EXPECT(t, c[0] == 32 * 255 * values[s], "%s: %d", variant->name, (int)c[0]);
        }
}

/* ---- what is done to sums ---- */

static int32_t any_sum(Check *check)
{
    const int32_t small = check_random(check, 2001) - 1000;
    return check_random(check, 2) ? small : small * (1 << 20);
}

static int32_t *any_sums(Check *check, int64_t count)
{
    int32_t *sums = check_room(check, (size_t)count * sizeof *sums);
    for (int64_t i = 0; i < count; i++)
        sums[i] = any_sum(check);
    return sums;
}

/* A few rows, between which there is something else. */
static void check_rows(Check *check, const QnScaleI32Variant *variant, QnScaleTo to, int64_t count)
{
    float *factor = check_floats(check, count);
    const int64_t rows = check_random(check, 4), step = count + check_random(check, 3);
    const QnScaleI32 scale = {.to = to,
                              .add = any_sums(check, count),
                              .zero_b = check_random(check, 2) ? any_sums(check, count) : NULL,
                              .factor = factor,
                              .bias = check_random(check, 2) ? check_floats(check, count) : NULL,
                              .zero = check_random(check, 128)};
    const int64_t room = rows ? (rows - 1) * step + count : 0, size = room * qn_scale_size(to);
    QnScaleRows r = {.scale = &scale,
                     .rows = rows,
                     .count = count,
                     .sums = any_sums(check, room),
                     .sums_step = step,
                     .row_sums = any_sums(check, rows),
                     .more_step = check_random(check, 2) ? step : 0,
                     .more_column_step = check_random(check, 2),
                     .y = check_room(check, (size_t)size),
                     .y_step = step};
    r.more = check_random(check, 2) ? any_sums(check, room + rows) : NULL;
    void *got = r.y;
    variant->run(&r);
    r.y = check_room(check, (size_t)size);
    qn_scale_i32_c(&r);
    EXPECT(check->t, size == 0 || !memcmp(got, r.y, (size_t)size), "%s to %d of %dx%d elements",
           variant->name, (int)to, (int)rows, (int)count);
    check_end(check);
}

TEST(every_variant_scales_to_the_same_bits)
{
    Check check = check_make(t);
    for (int v = 0; v < qn_scale_i32_count; v++) {
        if (!check_begin(&check, qn_scale_i32[v].name, qn_scale_i32[v].needs))
            continue;
        for (int to = QN_SCALE_TO_I32; to <= QN_SCALE_TO_I8; to++)
            for (int64_t count = 0; count < 70; count++) {
                check.end = (CheckEnd)(count % 2);
                check.values = CHECK_WIDE;
                check_rows(&check, &qn_scale_i32[v], (QnScaleTo)to, count);
            }
    }
}

TEST(bytes_round_halves_to_even_and_saturate)
{
    static const struct {
        QnScaleTo to;
        int32_t sum, zero;
        float factor;
        int want;
    } rows[] = {
        {QN_SCALE_TO_U8, 1, 0, 0.5f, 0},      {QN_SCALE_TO_U8, 3, 0, 0.5f, 2},
        {QN_SCALE_TO_U8, -5, 10, 0.5f, 8},    {QN_SCALE_TO_U8, 1000, 10, 1, 255},
        {QN_SCALE_TO_U8, -1000, 10, 1, 0},    {QN_SCALE_TO_I8, 1000, 10, 1, 127},
        {QN_SCALE_TO_I8, -1000, 10, 1, -128}, {QN_SCALE_TO_U8, 1, 0, 1e30f, 255},
        {QN_SCALE_TO_I8, -1, 5, 1e30f, -128}, {QN_SCALE_TO_I8, -120, -20, 1, -128},
        {QN_SCALE_TO_U8, 245, 10, 1, 255},    {QN_SCALE_TO_U8, 244, 10, 1, 254},
    };
    Check check = check_make(t);
    for (int v = 0; v < qn_scale_i32_count; v++)
        for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
            const int32_t add = 0;
            uint8_t y = 0;
            const QnScaleI32 scale = {
                .to = rows[i].to, .add = &add, .factor = &rows[i].factor, .zero = rows[i].zero};
            if ((qn_scale_i32[v].needs & check.have) != qn_scale_i32[v].needs)
                continue;
            qn_scale_i32[v].run(&(QnScaleRows){
                .scale = &scale, .rows = 1, .count = 1, .sums = &rows[i].sum, .y = &y});
            const int got = rows[i].to == QN_SCALE_TO_U8 ? y : (int8_t)y;
            EXPECT(t, got == rows[i].want, "%s row %d: %d, not %d", qn_scale_i32[v].name, (int)i,
                   got, rows[i].want);
        }
}

/* ---- whole products ---- */

typedef struct Case {
    QnProductI8 p;
    QnPanelsI8 panels;
    int64_t c_count;
} Case;

static void make_a(Case *c, Check *check)
{
    QnProductI8 *p = &c->p;
    const bool is_transposed = check_random(check, 4) == 0;
    p->terms.a_is_signed = check_random(check, 2);
    p->a_step = is_transposed ? 1 : p->k + check_random(check, 3);
    p->a_k_step = is_transposed ? p->m : 1;
    p->a = check_bytes(check,
                       p->m && p->k ? (p->m - 1) * p->a_step + (p->k - 1) * p->a_k_step + 1 : 0);
}

/* B as it is, and packed where `is_packed`. */
static const uint8_t *make_b(Case *c, Check *check, bool is_packed)
{
    QnProductI8 *p = &c->p;
    const bool is_transposed = check_random(check, 2);
    uint8_t *b = check_bytes(check, p->k * p->n);
    p->terms.b_is_unsigned = check_random(check, 2);
    p->b_k_step = is_transposed ? 1 : p->n;
    p->b_n_step = is_transposed ? p->k : 1;
    p->b = b;
    if (!is_packed)
        return b;
    if (!qn_pack_i8_size(&c->panels, p->k, p->n)) {
        EXPECT(check->t, false, "no size");
        return b;
    }
    void *packed = check_room(check, c->panels.size_bytes);
    qn_pack_i8(packed, &c->panels, b, p->b_k_step, p->b_n_step, p->terms.b_is_unsigned, p->k, p->n);
    p->b = packed;
    p->panels = &c->panels;
    return b;
}

static void make_terms(Case *c, Check *check)
{
    QnProductI8 *p = &c->p;
    QnTermsI8 *terms = &p->terms;
    terms->to = (QnScaleTo)check_random(check, 4);
    terms->zero_a = check_random(check, 256) - 128;
    terms->zero_b_step = check_random(check, 2);
    terms->bias_step = check_random(check, 2);
    terms->factor_step = check_random(check, 2);
    terms->zero = check_random(check, 100);
    if (check_random(check, 2))
        terms->zero_b = any_sums(check, terms->zero_b_step ? p->n : 1);
    if (check_random(check, 2))
        terms->bias = any_sums(check, terms->bias_step ? p->n : 1);
    terms->factor = check_floats(check, terms->factor_step ? p->n : 1);
    if (check_random(check, 2))
        terms->float_bias = check_floats(check, p->n);
    p->more_step = check_random(check, 3) * p->n;
    p->more_column_step = check_random(check, 2);
    if (check_random(check, 2))
        p->more = any_sums(check, p->m * 2 * p->n + p->n);
    p->c_step = p->n + check_random(check, 3);
    c->c_count = p->m ? (p->m - 1) * p->c_step + p->n : 0;
    p->c = check_room(check, (size_t)(c->c_count * qn_scale_size(terms->to)));
}

/* Element (m, n) by the formula: a line of one element. */
static void compute(const Case *c, const uint8_t *b, int64_t m, int64_t n, void *y)
{
    const QnProductI8 *p = &c->p;
    const QnTermsI8 *terms = &p->terms;
    const int32_t zero_b = terms->zero_b ? terms->zero_b[n * terms->zero_b_step] : 0;
    const int32_t add = terms->bias ? terms->bias[n * terms->bias_step] : 0;
    uint32_t sum = 0;
    for (int64_t k = 0; k < p->k; k++) {
        const uint8_t left = ((const uint8_t *)p->a)[m * p->a_step + k * p->a_k_step];
        const uint8_t right = b[k * p->b_k_step + n * p->b_n_step];
        const int32_t x = (terms->a_is_signed ? (int8_t)left : left) - terms->zero_a;
        const int32_t w = (terms->b_is_unsigned ? right : (int8_t)right);
        sum += (uint32_t)x * ((uint32_t)w - (uint32_t)zero_b);
    }
    const QnScaleI32 scale = {.to = terms->to,
                              .add = &add,
                              .factor = terms->factor + n * terms->factor_step,
                              .bias = terms->float_bias ? terms->float_bias + n : NULL,
                              .zero = terms->zero};
    const int32_t bare = (int32_t)sum;
    const int32_t *more = p->more ? p->more + m * p->more_step + n * p->more_column_step : NULL;
    qn_scale_i32_c(&(QnScaleRows){
        .scale = &scale, .rows = 1, .count = 1, .sums = &bare, .more = more, .y = y});
}

static void compare(const Case *c, const Check *check, const uint8_t *b)
{
    const QnProductI8 *p = &c->p;
    const int64_t size = qn_scale_size(p->terms.to);
    for (int64_t m = 0; m < p->m; m++)
        for (int64_t n = 0; n < p->n; n++) {
            int32_t want = 0;
            compute(c, b, m, n, &want);
            EXPECT(check->t,
                   !memcmp((char *)p->c + (m * p->c_step + n) * size, &want, (size_t)size),
                   "%s %dx%dx%d element %d,%d", qn_isa_level_name(p->isa), (int)p->m, (int)p->k,
                   (int)p->n, (int)m, (int)n);
        }
    for (int64_t i = p->n; p->m > 1 && i < p->c_step; i++)
        EXPECT(check->t, ((uint8_t *)p->c)[i * size] == 0x7b, "wrote past row 0");
}

static void check_product(Check *check, int64_t m, int64_t k, int64_t n)
{
    for (size_t level = 0; level < QN_COUNT_OF(levels); level++) {
        if ((levels[level] & check->have) != levels[level])
            continue;
        Case c = {.p = {.isa = levels[level], .m = m, .n = n, .k = k}};
        make_a(&c, check);
        const uint8_t *b = make_b(&c, check, check_random(check, 2));
        make_terms(&c, check);
        void *scratch = check_room(check, qn_round_up(qn_product_i8_scratch(&c.p), 64));
        for (int64_t i = qn_product_i8_chunks(&c.p); i-- > 0;)
            qn_product_i8_run(&c.p, i, scratch);
        compare(&c, check, b);
        check_end(check);
    }
}

TEST(products_of_all_small_shapes_are_exact)
{
    static const int64_t sizes[] = {1, 2, 5, 7, 12, 13, 16, 17, 48, 49, 64, 65, 81};
    Check check = check_make(t);
    for (size_t m = 0; m < QN_COUNT_OF(sizes); m++)
        for (size_t n = 0; n < QN_COUNT_OF(sizes); n++) {
            check.end = (CheckEnd)check_random(&check, 2);
            check_product(&check, sizes[m], check_random(&check, 70), sizes[n]);
        }
}

TEST(long_sums_and_many_chunks_are_exact)
{
    Check check = check_make(t);
    for (int i = 0; i < 3; i++) {
        check_product(&check, 1, 9000, 700);
        check_product(&check, 7, 2500, 37);
        check_product(&check, 125, 1600, 300);
        check_product(&check, 1200, 33, 5);
        check_product(&check, 600, 300, 90);
    }
}

TEST(empty_products_have_no_chunks_and_empty_sums_are_zero)
{
    QnProductI8 p = {.m = 0, .n = 3, .k = 3};
    EXPECT(t, qn_product_i8_chunks(&p) == 0, "m = 0");
    p.m = 3;
    p.n = 0;
    EXPECT(t, qn_product_i8_chunks(&p) == 0, "n = 0");
    Check check = check_make(t);
    check_product(&check, 3, 0, 20);
    check_product(&check, 20, 0, 70);
}

TEST(impossible_sizes_are_refused)
{
    const QnProductI8 p = {.m = 20, .n = 64, .k = INT64_MAX / 8, .a_k_step = 1};
    QnPanelsI8 panels = {0};
    EXPECT(t, qn_product_i8_scratch(&p) == SIZE_MAX, "%zu bytes", qn_product_i8_scratch(&p));
    EXPECT(t, !qn_pack_i8_size(&panels, INT64_MAX / 2, 32), "a size that does not fit was given");
    EXPECT(t, !qn_pack_i8_size(&panels, INT64_MAX / 512, INT64_MAX / 512), "so was another");
    EXPECT(t, qn_pack_i8_size(&panels, 4096, 32) && panels.stride == 65536 + 64, "stride %d",
           (int)panels.stride);
}

TEST_MAIN(CASE(every_tile_is_the_sum), CASE(the_largest_products_do_not_saturate),
          CASE(every_variant_scales_to_the_same_bits),
          CASE(bytes_round_halves_to_even_and_saturate),
          CASE(products_of_all_small_shapes_are_exact), CASE(long_sums_and_many_chunks_are_exact),
          CASE(empty_products_have_no_chunks_and_empty_sums_are_zero),
          CASE(impossible_sizes_are_refused))
