/* SPDX-License-Identifier: Apache-2.0 */
/* Shapes: NumPy's broadcasting, products, text. */
#include "base/compiler.h"
#include "engine/ir/dim.h"
#include "tests/support/test.h"

/* Reads "2x3xN". */
static QnShape shape_of(QnDims *dims, const char *text)
{
    QnShape shape = {0};
    while (*text) {
        const size_t size = strcspn(text, "x");
        if (!qn_dim_parse(dims, &shape.dims[shape.rank++], text, size))
            shape.rank = -1;
        text += size + (text[size] == 'x');
    }
    return shape;
}

/* The rows of the NumPy manual, then the corners:
 * scalars, empty tensors, symbols, what must be refused. */
TEST(broadcast_follows_numpy)
{
    static const struct {
        const char *a, *b, *want;
    } rows[] = {
        {"256x256x3", "3", "256x256x3"},
        {"8x1x6x1", "7x1x5", "8x7x6x5"},
        {"", "4", "4"},
        {"", "", "scalar"},
        {"0x3", "1x3", "0x3"},
        {"Nx3", "1", "Nx3"},
        {"Nx1", "M", "NxM"},
        {"N", "M", "broadcast(N, M)"},
        {"N", "5", "5"},
        {"2x3", "2", "cannot broadcast 3 against 2"},
        {"0", "2", "cannot broadcast 0 against 2"},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        QnArena arena = {0};
        QnDims dims;
        QnError err;
        char got[sizeof err.message];
        qn_dims_init(&dims, &arena);
        QnShape a = shape_of(&dims, rows[i].a);
        const QnShape b = shape_of(&dims, rows[i].b);
        if (qn_shape_broadcast(&dims, &a, &a, &b, &err) == QN_OK)
            qn_shape_print(&dims, &a, got, sizeof got);
        else
            snprintf(got, sizeof got, "%s", err.message);
        EXPECT(t, !strcmp(got, rows[i].want), "%s and %s gave %s", rows[i].a, rows[i].b, got);
        qn_arena_finish(&arena);
    }
}

TEST(products_are_of_the_dims_asked_for)
{
    QnArena arena = {0};
    QnDims dims;
    qn_dims_init(&dims, &arena);
    const QnShape shape = shape_of(&dims, "2xNx3xM");
    char text[50];
    qn_dim_print(&dims, qn_shape_product(&dims, &shape, 0, 4), text, sizeof text);
    EXPECT(t, !strcmp(text, "6*N*M"), "%s", text);
    EXPECT(t, qn_shape_product(&dims, &shape, 2, 2) == 1, "an empty product is not 1");
    qn_arena_finish(&arena);
}

TEST(text_counts_on_where_the_room_ends)
{
    QnArena arena = {0};
    QnDims dims;
    qn_dims_init(&dims, &arena);
    const QnShape shape = shape_of(&dims, "10xNx30"), unknown = qn_shape_unknown();
    char text[20];
    for (size_t size = 0; size < 10; size++) {
        memset(text, '#', sizeof text);
        EXPECT(t, qn_shape_print(&dims, &shape, size ? text : NULL, size) == 7, "size %zu", size);
        EXPECT(t,
               size == 0 || (strlen(text) == (size < 8 ? size - 1 : 7) &&
                             !strncmp(text, "10xNx30", size - 1)),
               "size %zu gave %s", size, text);
        EXPECT(t, text[size] == '#', "it wrote past %zu", size);
    }
    qn_shape_print(&dims, &unknown, text, sizeof text);
    EXPECT(t, !strcmp(text, "?"), "%s", text);
    qn_arena_finish(&arena);
}

TEST_MAIN(CASE(broadcast_follows_numpy), CASE(products_are_of_the_dims_asked_for),
          CASE(text_counts_on_where_the_room_ends))
