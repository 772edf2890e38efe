/* SPDX-License-Identifier: Apache-2.0 */
/* Every tile of the fp32 product, in all its remainders,
 * both ways to reach A, and every part of the epilogue. */
#include "engine/devices/cpu/kernels/gemm.h"

#include "base/compiler.h"
#include "engine/devices/cpu/kernels/gemm_pack.h"
#include "tests/kernels/check.h"

enum { MAX_RUNS = 3, MAX_TAPS = 2 };

/* One tile with operands of its own.
 * A row of A is two taps far apart, and runs are pieces of them. */
typedef struct Case {
    QnGemmTile tile;
    QnGemmRun runs[MAX_RUNS];
    const float *rows[MAX_TAPS * QN_GEMM_MAX_ROWS];
    const float *b; /* [k][columns], as it was before packing */
    int64_t k;
} Case;

/* Cuts k into up to three runs, of which one may be empty. */
static void make_runs(Case *c, Check *check)
{
    int64_t at = 0;
    for (int r = 0; r < MAX_RUNS; r++) {
        const int64_t left = c->k - at;
        const int64_t length = r == MAX_RUNS - 1 ? left : check_random(check, (int)left + 1);
        c->runs[r] = (QnGemmRun){at, length, r % MAX_TAPS};
        at += length;
    }
}

static void make_a(Case *c, Check *check, bool has_pointers)
{
    QnGemmTile *t = &c->tile;
    t->runs = c->runs;
    t->run_count = MAX_RUNS;
    if (!has_pointers) {
        t->a_step = c->k + check_random(check, 3);
        t->a = check_floats(check, (t->rows - 1) * t->a_step + c->k);
        return;
    }
    t->a_rows = c->rows;
    t->a_tap_step = QN_GEMM_MAX_ROWS;
    for (int tap = 0; tap < MAX_TAPS; tap++) {
        const float *a = check_floats(check, t->rows * c->k);
        for (int i = 0; i < t->rows; i++) /* in another order than that of memory */
            c->rows[tap * QN_GEMM_MAX_ROWS + i] = a + (t->rows - 1 - i) * c->k;
    }
}

static void make_b(Case *c, Check *check, int panels)
{
    QnGemmTile *t = &c->tile;
    float *b = check_floats(check, c->k * t->columns);
    QnPanelsF32 size;
    if (!qn_pack_f32_size(&size, c->k, panels * QN_PANEL))
        return;
    float *packed = check_blank(check, (int64_t)(size.size_bytes / sizeof(float)));
    qn_pack_f32(packed, size.stride, 0, b, t->columns, 1, c->k, t->columns);
    c->b = b;
    t->b = packed;
    t->b_step = QN_PANEL;
    t->b_stride = size.stride;
}

static void make_epilogue(Case *c, Check *check)
{
    QnGemmTile *t = &c->tile;
    t->c_step = t->columns + check_random(check, 3);
    t->c = check_blank(check, (t->rows - 1) * t->c_step + t->columns);
    t->start_step = t->columns + check_random(check, 2);
    if (check_random(check, 2))
        t->start = check_floats(check, (t->rows - 1) * t->start_step + t->columns);
    t->finish = check_random(check, 4) != 0;
    t->alpha = check_random(check, 2) ? 1 : 2;
    t->beta = 0.5f;
    if (check_random(check, 2))
        t->bias = check_floats(check, t->columns);
    t->residual_step = t->columns + check_random(check, 3);
    if (check_random(check, 2))
        t->residual = check_floats(check, (t->rows - 1) * t->residual_step + t->columns);
    t->clamp = check_random(check, 2) != 0;
    t->low = -0.5f;
    t->high = 0.75f;
}

/* Element (i, j) in doubles. */
static Sum compute(const Case *c, int i, int j)
{
    const QnGemmTile *t = &c->tile;
    Sum sum = {0};
    int64_t k = 0;
    if (t->start)
        sum_add(&sum, (double)t->start[i * t->start_step + j], 1);
    for (int r = 0; r < MAX_RUNS; r++) {
        const QnGemmRun *run = &t->runs[r];
        const float *a = t->a_rows ? t->a_rows[run->tap * t->a_tap_step + i] : t->a + i * t->a_step;
        for (int64_t x = 0; x < run->length; x++, k++)
            sum_add(&sum, (double)a[run->offset + x], (double)c->b[k * t->columns + j]);
    }
    if (!t->finish)
        return sum;
    sum.value *= (double)t->alpha;
    sum.magnitude *= (double)t->alpha;
    if (t->bias)
        sum_add(&sum, (double)t->bias[j], 1);
    if (t->residual)
        sum_add(&sum, (double)t->beta, (double)t->residual[i * t->residual_step + j]);
    if (t->clamp && sum.value < (double)t->low)
        sum.value = (double)t->low;
    if (t->clamp && sum.value > (double)t->high)
        sum.value = (double)t->high;
    return sum;
}

static void compare(const Case *c, const Check *check, const char *name)
{
    const QnGemmTile *t = &c->tile;
    for (int i = 0; i < t->rows; i++)
        for (int64_t j = 0; j < (i + 1 < t->rows ? t->c_step : t->columns); j++) {
            const float got = t->c[i * t->c_step + j];
            if (j >= t->columns) {
                EXPECT(check->t, got == check_pattern, "%s wrote past row %d", name, i);
                continue;
            }
            const Sum want = compute(c, i, (int)j);
            const double bound = check->values == CHECK_INTEGERS ? 0 : sum_bound(&want);
            EXPECT(check->t, check_is_near(got, want.value, bound),
                   "%s %dx%d k=%d element %d,%d: %.9g, not %.9g", name, t->rows, t->columns,
                   (int)c->k, i, (int)j, (double)got, want.value);
        }
}

static void check_tile(Check *check, const QnGemmF32 *variant, int rows, int columns, int64_t k)
{
    Case c = {.k = k, .tile = {.rows = rows, .columns = columns}};
    make_runs(&c, check);
    make_a(&c, check, check_random(check, 2));
    make_b(&c, check, variant->panels);
    make_epilogue(&c, check);
    variant->run(&c.tile);
    compare(&c, check, variant->name);
    check_end(check);
}

TEST(every_tile_is_the_sum_within_its_bound)
{
    static const int64_t lengths[] = {0, 1, 2, 3, 5, 8, 15, 16, 17, 33, 67};
    Check check = check_make(t);
    for (int v = 0; v < qn_gemm_f32_count; v++) {
        const QnGemmF32 *variant = &qn_gemm_f32[v];
        if (!check_begin(&check, variant->name, variant->needs))
            continue;
        for (int rows = 1; rows <= variant->rows; rows++)
            for (int rest = 1; rest <= QN_PANEL; rest++)
                for (int e = 0; e < 2; e++) {
                    check.end = (CheckEnd)e;
                    check.values = (CheckValues)check_random(&check, CHECK_CLASSES);
                    const int length = check_random(&check, QN_COUNT_OF(lengths));
                    check_tile(&check, variant, rows, (variant->panels - 1) * QN_PANEL + rest,
                               lengths[length]);
                }
    }
}

/* A NaN or infinity in one row reaches that row, whatever the clamp, and no other. */
static void check_special(Check *check, const QnGemmF32 *variant, float special)
{
    const int columns = variant->panels * QN_PANEL;
    Case c = {.k = 9, .tile = {.rows = variant->rows, .columns = columns}};
    make_runs(&c, check);
    make_a(&c, check, false);
    ((float *)(uintptr_t)c.tile.a)[(variant->rows - 1) * c.tile.a_step + 4] = special;
    make_b(&c, check, variant->panels);
    make_epilogue(&c, check);
    variant->run(&c.tile);
    compare(&c, check, variant->name);
    check_end(check);
}

TEST(nan_and_infinity_stay_in_their_row)
{
    static const float specials[] = {NAN, INFINITY, -INFINITY};
    Check check = check_make(t);
    for (int v = 0; v < qn_gemm_f32_count; v++)
        for (size_t s = 0; s < QN_COUNT_OF(specials); s++)
            for (int i = 0; i < 8; i++)
                if ((qn_gemm_f32[v].needs & check.have) == qn_gemm_f32[v].needs)
                    check_special(&check, &qn_gemm_f32[v], specials[s]);
}

TEST(pad_columns_of_a_panel_are_ignored)
{
    Check check = check_make(t);
    for (int v = 0; v < qn_gemm_f32_count; v++) {
        const QnGemmF32 *variant = &qn_gemm_f32[v];
        if ((variant->needs & check.have) != variant->needs)
            continue;
        const int columns = (variant->panels - 1) * QN_PANEL + 5;
        Case c = {.k = 6, .tile = {.rows = 1, .columns = columns}};
        make_runs(&c, &check);
        make_a(&c, &check, true);
        make_b(&c, &check, variant->panels);
        float *last = (float *)(uintptr_t)c.tile.b + (variant->panels - 1) * c.tile.b_stride;
        for (int64_t k = 0; k < c.k; k++)
            for (int j = 5; j < QN_PANEL; j++)
                last[k * QN_PANEL + j] = NAN;
        make_epilogue(&c, &check);
        variant->run(&c.tile);
        compare(&c, &check, variant->name);
        check_end(&check);
    }
}

TEST(packing_fills_pad_columns_with_zeros)
{
    Check check = check_make(t);
    for (int64_t n = 1; n < 40; n += 6)
        for (int64_t k = 1; k < 40; k += 7)
            for (int transposed = 0; transposed < 2; transposed++) {
                QnPanelsF32 size;
                REQUIRE(t, qn_pack_f32_size(&size, k, n), "no size");
                const float *b = check_floats(&check, k * n);
                float *packed = check_blank(&check, (int64_t)(size.size_bytes / sizeof(float)));
                const int64_t k_step = transposed ? 1 : n, n_step = transposed ? k : 1;
                qn_pack_f32(packed, size.stride, 0, b, k_step, n_step, k, n);
                for (int64_t j = 0; j < (n + 15) / 16 * 16; j++)
                    for (int64_t i = 0; i < k; i++) {
                        const float got = packed[j / 16 * size.stride + i * 16 + j % 16];
                        const float want = j < n ? b[i * k_step + j * n_step] : 0;
                        EXPECT(t, got == want, "element %d,%d", (int)i, (int)j);
                    }
                check_end(&check);
            }
}

TEST(panel_strides_avoid_multiples_of_a_page)
{
    QnPanelsF32 size = {0};
    EXPECT(t, qn_pack_f32_size(&size, 1024, 32) && size.stride == 1024 * 16 + 16, "stride %d",
           (int)size.stride);
    EXPECT(t, qn_pack_f32_size(&size, 512, 32) && size.stride == 512 * 16, "stride %d",
           (int)size.stride);
    EXPECT(t, !qn_pack_f32_size(&size, INT64_MAX / 2, 32), "a size that does not fit was given");
    EXPECT(t, !qn_pack_f32_size(&size, INT64_MAX / 512, INT64_MAX / 2), "so was another");
}

TEST_MAIN(CASE(every_tile_is_the_sum_within_its_bound), CASE(nan_and_infinity_stay_in_their_row),
          CASE(pad_columns_of_a_panel_are_ignored), CASE(packing_fills_pad_columns_with_zeros),
          CASE(panel_strides_avoid_multiples_of_a_page))
