/* SPDX-License-Identifier: Apache-2.0 */
/* What references are written with: making outputs, copying, seeing shapes around an axis. */
#include "engine/ir/text.h"
#include "engine/ops/op.h"
#include "tests/support/test.h"

/* A call of a node of two outputs, the second of which nobody wants. */
typedef struct World {
    QnModule *module;
    QnArena arena;
    QnValue inputs[2], outputs[2];
    QnCall call;
    QnError err;
    int asked; /* how often memory was asked for */
    bool is_full, is_cancelled;
} World;

static void *allocate(void *user, int output, size_t size)
{
    World *w = user;
    (void)output;
    w->asked++;
    return w->is_full ? NULL : qn_arena_alloc_raw(&w->arena, size, 64);
}

static bool is_cancelled(void *user)
{
    return ((World *)user)->is_cancelled;
}

static bool begin(Test *t, World *w)
{
    *w = (World){0};
    const bool is_there = qn_module_parse(&w->module,
                                          "graph main(%x: float[N]) {\n"
                                          "  %y, _ = Dropout(%x)\n  return %y\n}",
                                          NULL, &w->err) == QN_OK;
    if (!EXPECT(t, is_there, "%s", w->err.message))
        return false;
    w->call = (QnCall){.node = w->module->main->first,
                       .inputs = w->inputs,
                       .input_count = 2,
                       .outputs = w->outputs,
                       .output_count = 2,
                       .arena = &w->arena,
                       .allocate = allocate,
                       .is_cancelled = is_cancelled,
                       .user = w,
                       .err = &w->err};
    return true;
}

static void end(World *w)
{
    qn_arena_finish(&w->arena);
    qn_module_free(w->module);
}

TEST(outputs_are_made_where_none_is_ready)
{
    float ready[4];
    World w;
    QnTensor *out = NULL;
    if (!begin(t, &w))
        return;
    w.outputs[0] = qn_value_tensor(qn_tensor(QN_FLOAT, 1, (int64_t[]){4}, ready));
    QnStatus status = qn_call_output(&w.call, 0, QN_FLOAT, 1, (int64_t[]){4}, &out);
    EXPECT(t, status == QN_OK && out->data == ready && w.asked == 0, "the one that is ready");
    status = qn_call_output(&w.call, 0, QN_FLOAT, 1, (int64_t[]){3}, &out);
    EXPECT(t, status == QN_OK && out->data != ready && out->dims[0] == 3, "another shape");
    status = qn_call_output(&w.call, 1, QN_INT8, 2, (int64_t[]){0, 5}, NULL);
    EXPECT(t, status == QN_OK && w.outputs[1].tensor.data, "no elements: %s", w.err.message);
    EXPECT(t, qn_call_result(&w.call, 1)->rank == 2 && w.asked == 2, "%d asked", w.asked);
    EXPECT(t, qn_call_wants(&w.call, 0) && !qn_call_wants(&w.call, 1) && !qn_call_wants(&w.call, 2),
           "wanted");
    end(&w);
}

TEST(outputs_that_no_memory_holds_are_refused)
{
    static const struct {
        int64_t dims[2];
        bool is_full;
        QnStatus want;
        const char *text;
    } rows[] = {
        {{-1, 2},
         false,
         QN_BAD_TENSOR,
         "Dropout node making 'y' (Dropout): output 0 has rank 2 or a size that no memory holds"},
        {{INT64_MAX, 2},
         false,
         QN_BAD_TENSOR,
         "Dropout node making 'y' (Dropout): output 0 has rank 2 or a size that no memory holds"},
        {{2, 2}, true, QN_NO_MEMORY, "no memory for 16 bytes of output 0 of Dropout"},
    };
    World w;
    if (!begin(t, &w))
        return;
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        QnTensor *out = NULL;
        w.is_full = rows[i].is_full;
        const QnStatus status = qn_call_output(&w.call, 0, QN_FLOAT, 2, rows[i].dims, &out);
        EXPECT(t, status == rows[i].want && w.err.status == status && !out, "row %zu", i);
        EXPECT(t, !strcmp(w.err.message, rows[i].text), "row %zu: %s", i, w.err.message);
    }
    end(&w);
}

TEST(elements_are_copied_through_any_strides)
{
    int16_t from[6] = {0, 1, 2, 3, 4, 5}, to[6] = {0};
    World w;
    if (!begin(t, &w))
        return;
    QnTensor source = qn_tensor(QN_INT16, 2, (int64_t[]){3, 2}, from),
             target = qn_tensor(QN_INT16, 2, (int64_t[]){3, 2}, to);
    source.strides[0] = 2; /* the transpose */
    source.strides[1] = 6;
    EXPECT(t, qn_call_copy(&w.call, &source, &target) == QN_OK, "%s", w.err.message);
    EXPECT(t, to[1] == 3 && to[2] == 1 && to[5] == 5, "%d %d %d", to[1], to[2], to[5]);
    target.dims[1] = 1;
    EXPECT(t, qn_call_copy(&w.call, &source, &target) == QN_BAD_TENSOR, "another size");
    EXPECT(t, strstr(w.err.message, "dimension 1 is 2, expected 1"), "%s", w.err.message);
    target.type = QN_UINT16;
    EXPECT(t, qn_call_copy(&w.call, &source, &target) == QN_BAD_TENSOR, "another type");
    target = source;
    w.is_cancelled = true;
    EXPECT(t, qn_call_copy(&w.call, &source, &target) == QN_CANCELLED, "it polls");
    end(&w);
}

TEST(failures_name_their_node_once_put_into_words)
{
    World w;
    if (!begin(t, &w))
        return;
    qn_fail(&w.err, QN_CANCELLED, "ended");
    EXPECT(t, qn_call_name(&w.call, QN_CANCELLED) == QN_CANCELLED, "status");
    EXPECT(t, !strcmp(w.err.message, "ended"), "%s", w.err.message);
    qn_fail(&w.err, QN_BAD_TENSOR, "too small");
    EXPECT(t, qn_call_name(&w.call, QN_BAD_TENSOR) == QN_BAD_TENSOR, "status");
    EXPECT(t, !strcmp(w.err.message, "Dropout node making 'y' (Dropout): too small"), "%s",
           w.err.message);
    EXPECT(t, qn_call_name(&w.call, QN_OK) == QN_OK && qn_call_poll(&w.call) == QN_OK,
           "no failure");
    end(&w);
}

/* ---- shapes ---- */

TEST(a_shape_is_seen_around_an_axis)
{
    static const struct {
        int axis;
        QnBox want;
    } rows[] = {{0, {1, 2, 12}}, {1, {2, 3, 4}}, {2, {6, 4, 1}}};
    const QnTensor x = qn_tensor(QN_FLOAT, 3, (int64_t[]){2, 3, 4}, NULL);
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        const QnBox box = qn_box(&x, rows[i].axis);
        EXPECT(t,
               box.outer == rows[i].want.outer && box.length == rows[i].want.length &&
                   box.inner == rows[i].want.inner,
               "axis %d", rows[i].axis);
    }
}

TEST(broadcast_elements_are_found)
{
    static const struct {
        int rank;
        int64_t dims[2], want[6];
    } rows[] = {
        {0, {0}, {0, 0, 0, 0, 0, 0}},
        {1, {3}, {0, 1, 2, 0, 1, 2}},
        {2, {2, 1}, {0, 0, 0, 1, 1, 1}},
        {2, {2, 3}, {0, 1, 2, 3, 4, 5}},
    };
    const QnTensor y = qn_tensor(QN_FLOAT, 2, (int64_t[]){2, 3}, NULL);
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        const QnTensor x = qn_tensor(QN_FLOAT, rows[i].rank, rows[i].dims, NULL);
        for (int64_t k = 0; k < 6; k++)
            EXPECT(t, qn_broadcast_index(&x, &y, k) == rows[i].want[k], "row %zu, element %d", i,
                   (int)k);
    }
}

TEST(tensors_are_filled_with_one_element)
{
    int16_t data[8] = {9, 9, 9, 9, 9, 9, 9, 9};
    const int16_t element = -3;
    QnTensor x = qn_tensor(QN_INT16, 1, (int64_t[]){7}, data);
    qn_tensor_fill(&x, &element);
    for (int i = 0; i < 8; i++)
        EXPECT(t, data[i] == (i < 7 ? -3 : 9), "element %d is %d", i, data[i]);
    x.dims[0] = 0;
    data[0] = 4;
    qn_tensor_fill(&x, &element);
    EXPECT(t, data[0] == 4, "there was none to fill");
}

TEST(complex_numbers_are_pairs_of_real_ones)
{
    QnTensor x = qn_tensor(QN_COMPLEX128, 2, (int64_t[]){2, 3}, NULL);
    EXPECT(t, qn_tensor_pairs(&x) && x.type == QN_DOUBLE && x.rank == 3 && x.dims[2] == 2, "%d",
           x.rank);
    EXPECT(t, qn_tensor_pairs(&x) && x.rank == 3, "real numbers are left alone");
    const int64_t dims[QN_MAX_RANK] = {0};
    x = qn_tensor(QN_COMPLEX64, QN_MAX_RANK, dims, NULL);
    EXPECT(t, !qn_tensor_pairs(&x) && x.type == QN_COMPLEX64, "there is no dimension left");
}

TEST_MAIN(CASE(outputs_are_made_where_none_is_ready),
          CASE(outputs_that_no_memory_holds_are_refused),
          CASE(elements_are_copied_through_any_strides),
          CASE(failures_name_their_node_once_put_into_words), CASE(a_shape_is_seen_around_an_axis),
          CASE(broadcast_elements_are_found), CASE(tensors_are_filled_with_one_element),
          CASE(complex_numbers_are_pairs_of_real_ones))
