/* SPDX-License-Identifier: Apache-2.0 */
/* Products of doubles and integers: every variant against plain loops, to the last bit, between
 * guard pages. */
#include "engine/devices/cpu/kernels/matrix.h"
#include "tests/kernels/check.h"

static const size_t sizes[] = {8, 4, 8};

/* Small whole numbers, of which integers also have large ones. */
static void *make(Check *check, QnMatrixType type, int64_t count)
{
    void *data = check_room(check, (size_t)count * sizes[type]);
    for (int64_t i = 0; i < count; i++) {
        const int x = check_random(check, 17) - 8;
        if (type == QN_MATRIX_F64)
            ((double *)data)[i] = x + (double)check_value(check);
        else if (type == QN_MATRIX_U32)
            ((uint32_t *)data)[i] = (uint32_t)x << check_random(check, 31);
        else
            ((uint64_t *)data)[i] = (uint64_t)(int64_t)x << check_random(check, 63);
    }
    return data;
}

static void compare(Test *t, const QnMatrix *m, QnMatrixType type, const char *name)
{
    for (int64_t row = 0; row < m->rows; row++)
        for (int64_t n = 0; n < m->columns; n++) {
            double real = 0;
            uint64_t whole = 0;
            for (int64_t k = 0; k < m->inner; k++) {
                const int64_t a = row * m->a_row + k * m->a_column;
                const int64_t b = k * m->b_row + n * m->b_column;
                if (type == QN_MATRIX_F64)
                    real += ((const double *)m->a)[a] * ((const double *)m->b)[b];
                else if (type == QN_MATRIX_U32)
                    whole += (uint64_t)((const uint32_t *)m->a)[a] * ((const uint32_t *)m->b)[b];
                else
                    whole += ((const uint64_t *)m->a)[a] * ((const uint64_t *)m->b)[b];
            }
            const int64_t at = row * m->c_row + n;
            const bool is_same = type == QN_MATRIX_F64 ? ((const double *)m->c)[at] == real
                                 : type == QN_MATRIX_U32
                                     ? ((const uint32_t *)m->c)[at] == (uint32_t)whole
                                     : ((const uint64_t *)m->c)[at] == whole;
            EXPECT(t, is_same, "%s type %d: %lld by %lld by %lld, element %lld", name, (int)type,
                   (long long)m->rows, (long long)m->columns, (long long)m->inner, (long long)at);
        }
}

static void check_case(Check *check, const QnMatrixVariant *variant, QnMatrixType type)
{
    const bool from_a = check_random(check, 2), from_b = check_random(check, 2);
    QnMatrix m = {.rows = check_random(check, 9),
                  .columns = check_random(check, 80),
                  .inner = check_random(check, 20)};
    m.a_row = from_a ? 1 : m.inner;
    m.a_column = from_a ? m.rows : 1;
    m.b_row = from_b ? 1 : m.columns;
    m.b_column = from_b ? m.inner : 1;
    m.c_row = m.columns;
    m.a = make(check, type, m.rows * m.inner);
    m.b = make(check, type, m.inner * m.columns);
    m.c = check_room(check, (size_t)(m.rows * m.columns) * sizes[type]);
    void *scratch = check_room(check, (qn_matrix_scratch(m.inner) + 63) / 64 * 64);
    for (int64_t first = 0; first < m.columns; first += QN_MATRIX_COLUMNS)
        variant->run[type](&m, first, scratch);
    compare(check->t, &m, type, variant->name);
}

TEST(products_are_equal_to_the_last_bit)
{
    Check check = check_make(t);
    for (int v = 0; v < qn_matrix_variant_count; v++) {
        const QnMatrixVariant *variant = &qn_matrix_variants[v];
        if (!check_begin(&check, variant->name, variant->needs))
            continue;
        for (int round = 0; round < 300; round++) {
            check.end = round % 2 ? CHECK_AFTER : CHECK_BEFORE;
            check_case(&check, variant, (QnMatrixType)(round % QN_MATRIX_TYPES));
            check_end(&check);
        }
    }
}

TEST_MAIN(CASE(products_are_equal_to_the_last_bit))
