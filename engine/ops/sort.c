/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TopK, the K largest or smallest elements along an axis with their positions, of equal ones the
 * lower position first; and Unique, the different elements (or slices along an axis).
 */
#include <math.h>

#include "base/sort.h"
#include "engine/ops/op.h"

/* ---- TopK ---- */

static QnStatus infer_top_k(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const QnType element = qn_infer_element(in, 0);
    QnDim k;
    int64_t number;
    int axis;
    if (!x) {
        QN_TRY(qn_infer_unknown(in, 1, QN_INT64, -1));
        return qn_infer_unknown(in, 0, element, -1);
    }
    QN_TRY(qn_infer_axis(in, x->rank, &axis));
    const QnShape *count = qn_infer_shape(in, 1);
    if (count && qn_shape_product(in->dims, count, 0, count->rank) != 1 &&
        !(count->rank == 1 && !qn_dim_is_known(count->dims[0])))
        return qn_infer_fail(in, "K has not one element");
    if (qn_infer_ints(in, 1, &k, 1) != 1)
        k = qn_infer_fresh(in);
    if (qn_dim_constant(in->dims, k, &number) &&
        (number < 0 || (qn_dim_is_known(x->dims[axis]) && number > x->dims[axis])))
        return qn_infer_fail(in, "K is %lld, expected 0 to the length of dimension %d",
                             (long long)number, axis);
    QnShape y = *x;
    y.dims[axis] = k;
    QN_TRY(qn_infer_tensor(in, 1, QN_INT64, &y));
    return qn_infer_tensor(in, 0, element, &y);
}

/* An element to be sorted: both forms of its number, and where it stands. */
typedef struct Item {
    double number;
    int64_t integer; /* ordered as the element's type orders */
    int64_t position;
} Item;

static int ascending(const void *a, const void *b)
{
    const Item *x = a, *y = b;
    const bool nan_x = isnan(x->number), nan_y = isnan(y->number);
    /* NaN counts as larger than all numbers. */
    if (nan_x != nan_y)
        return nan_x ? 1 : -1;
    if (!nan_x && x->number != y->number)
        return x->number < y->number ? -1 : 1;
    if (x->integer != y->integer)
        return x->integer < y->integer ? -1 : 1;
    return x->position < y->position ? -1 : x->position > y->position;
}

/* The reverse, but of equal ones the lower position still comes first. */
static int descending(const void *a, const void *b)
{
    Item x = *(const Item *)a, y = *(const Item *)b;
    const int64_t position = x.position;
    x.position = y.position;
    y.position = position;
    return ascending(&y, &x);
}

/* The integer form is 0 for floats, the number 0 for integers: each kind is exact. */
static Item read_item(const QnTensor *x, int64_t at, int64_t position)
{
    if (qn_type_is_float(x->type))
        return (Item){qn_tensor_get(x, at), 0, position};
    const uint64_t flip = x->type == QN_UINT64 ? UINT64_C(1) << 63 : 0;
    return (Item){0, (int64_t)((uint64_t)qn_tensor_get_int(x, at) ^ flip), position};
}

static void copy_element(const QnTensor *from, int64_t i, QnTensor *to, int64_t k)
{
    const size_t size = qn_type_size(from->type);
    memcpy((char *)to->data + (size_t)k * size, (const char *)from->data + (size_t)i * size, size);
}

static QnStatus top_k(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0), *positions = qn_call_result(call, 1);
    const int64_t given = qn_op_int(call->node, "axis");
    const int axis = (int)(given < 0 ? given + x->rank : given);
    const QnBox box = qn_box(x, axis);
    const int64_t k = qn_tensor_get_int(qn_call_input(call, 1), 0);
    const bool is_largest = qn_op_int(call->node, "largest") != 0;
    Item *items;
    QN_ALLOC(items, call->scratch, box.length);
    for (int64_t i = 0; i < box.outer * box.inner; i++) {
        const int64_t first = i / box.inner * box.length * box.inner + i % box.inner;
        const int64_t to = i / box.inner * k * box.inner + i % box.inner;
        QN_TRY(qn_call_poll(call));
        for (int64_t n = 0; n < box.length; n++)
            items[n] = read_item(x, first + n * box.inner, n);
        qn_sort(items, (size_t)box.length, sizeof *items, is_largest ? descending : ascending);
        for (int64_t n = 0; n < k; n++) {
            if (qn_call_wants(call, 0))
                copy_element(x, first + items[n].position * box.inner, y, to + n * box.inner);
            if (qn_call_wants(call, 1))
                qn_tensor_set_int(positions, to + n * box.inner, items[n].position);
        }
    }
    return QN_OK;
}

/* ---- Unique ---- */

static QnStatus infer_unique(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const bool has_axis = qn_node_attribute(in->node, "axis") != NULL;
    const QnDim count = qn_infer_fresh(in);
    QnShape y = {.rank = 1, .dims = {count}};
    int axis = 0;
    if (has_axis && !x) {
        QN_TRY(qn_infer_unknown(in, 0, qn_infer_element(in, 0), -1));
    } else {
        if (has_axis) {
            QN_TRY(qn_infer_axis(in, x->rank, &axis));
            y = *x;
            y.dims[axis] = count;
        }
        QN_TRY(qn_infer_tensor(in, 0, qn_infer_element(in, 0), &y));
    }
    QN_TRY(qn_infer_tensor(in, 1, QN_INT64, &(QnShape){.rank = 1, .dims = {count}}));
    const QnDim all = !x         ? qn_infer_fresh(in)
                      : has_axis ? x->dims[axis]
                                 : qn_shape_product(in->dims, x, 0, x->rank);
    QN_TRY(qn_infer_tensor(in, 2, QN_INT64, &(QnShape){.rank = 1, .dims = {all}}));
    return qn_infer_tensor(in, 3, QN_INT64, &(QnShape){.rank = 1, .dims = {count}});
}

/* What slices along the axis are slices of. */
typedef struct Whole {
    QnBox box;
    const QnString *strings; /* [outer, length, inner]; NULL: of numbers */
    const uint64_t *keys;    /* the same of numbers, as unsigned ones of their order */
} Whole;

/* A slice along the axis; slices compare element by element. */
typedef struct Slice {
    const Whole *whole;
    int64_t position, first; /* its own, and that of the first equal one */
} Slice;

static int compare_strings(QnString a, QnString b)
{
    const size_t size = a.size < b.size ? a.size : b.size;
    const int order = size ? memcmp(a.data, b.data, size) : 0;
    return order ? order : a.size < b.size ? -1 : a.size > b.size;
}

/* Numbers that order as the doubles do, NaN behind all of them; both zeros are one. */
static uint64_t key_of_real(double x)
{
    uint64_t bits;
    x = x == 0 ? 0 : x;
    memcpy(&bits, &x, sizeof bits);
    return isnan(x) ? UINT64_MAX : bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static QnStatus read_keys(const QnCall *call, const QnTensor *x, const uint64_t **out)
{
    enum { ROW = 256 };
    const int64_t count = qn_tensor_count(x);
    const bool is_float = qn_type_is_float(x->type);
    const uint64_t flip = x->type == QN_UINT64 ? 0 : UINT64_C(1) << 63;
    uint64_t *keys;
    QN_ALLOC(keys, call->scratch, count);
    for (int64_t first = 0; first < count; first += ROW) {
        const int64_t length = count - first < ROW ? count - first : ROW;
        double reals[ROW];
        int64_t ints[ROW];
        if (is_float)
            qn_tensor_read_row(x, first, 1, length, reals);
        else
            qn_tensor_read_row_int(x, first, 1, length, ints);
        for (int64_t i = 0; i < length; i++)
            keys[first + i] = is_float ? key_of_real(reals[i]) : (uint64_t)ints[i] ^ flip;
    }
    *out = keys;
    return qn_call_poll(call);
}

static int compare_slices(const Slice *a, const Slice *b)
{
    const Whole *whole = a->whole;
    const QnBox box = whole->box;
    for (int64_t o = 0; o < box.outer; o++)
        for (int64_t i = 0; i < box.inner; i++) {
            const int64_t at = o * box.length * box.inner + i;
            const int64_t at_a = at + a->position * box.inner, at_b = at + b->position * box.inner;
            if (whole->strings) {
                const int order = compare_strings(whole->strings[at_a], whole->strings[at_b]);
                if (order)
                    return order;
            } else if (whole->keys[at_a] != whole->keys[at_b]) {
                return whole->keys[at_a] < whole->keys[at_b] ? -1 : 1;
            }
        }
    return 0;
}

static int by_content(const void *a, const void *b)
{
    const Slice *x = a, *y = b;
    const int order = compare_slices(x, y);
    return order ? order : x->position < y->position ? -1 : 1;
}

static int by_first(const void *a, const void *b)
{
    const Slice *x = a, *y = b;
    return x->first < y->first ? -1 : x->first > y->first;
}

/* Sorts and keeps one of equal slices; counts[] and inverse[] (by position) say the rest. */
static int64_t make_unique(Slice *slices, int64_t count, bool is_sorted, int64_t *counts,
                           int64_t *inverse, Slice *kept)
{
    int64_t unique = 0;
    qn_sort(slices, (size_t)count, sizeof *slices, by_content);
    for (int64_t i = 0; i < count; i++) {
        if (i == 0 || compare_slices(&slices[i - 1], &slices[i]) != 0) {
            kept[unique] = slices[i];
            kept[unique++].first = slices[i].position;
        }
        slices[i].first = kept[unique - 1].position;
    }
    if (!is_sorted)
        qn_sort(kept, (size_t)unique, sizeof *kept, by_first);
    /* Where each first one has gone to, then what that says for the others. */
    for (int64_t k = 0; k < unique; k++)
        inverse[kept[k].position] = k;
    for (int64_t i = 0; i < count; i++) {
        const int64_t k = inverse[slices[i].first];
        inverse[slices[i].position] = k;
        counts[k]++;
    }
    return unique;
}

static QnStatus write_ints(const QnCall *call, int i, const int64_t *values, int64_t count)
{
    QnTensor *y;
    if (!qn_call_wants(call, i))
        return QN_OK;
    QN_TRY(qn_call_output(call, i, QN_INT64, 1, &count, &y));
    qn_tensor_write_row_int(y, 0, 1, count, values);
    return QN_OK;
}

/* The kept slices side by side. */
static QnStatus write_slices(const QnCall *call, const Slice *kept, int64_t unique, bool has_axis,
                             int axis, QnBox box)
{
    const QnTensor *x = qn_call_input(call, 0);
    int64_t dims[QN_MAX_RANK] = {unique};
    QnTensor *y;
    if (has_axis) {
        memcpy(dims, x->dims, sizeof dims);
        dims[axis] = unique;
    }
    QN_TRY(qn_call_output(call, 0, x->type, has_axis ? x->rank : 1, dims, &y));
    for (int64_t i = 0; i < box.outer * box.inner; i++)
        for (int64_t k = 0; k < unique; k++)
            copy_element(
                x, (i / box.inner * box.length + kept[k].position) * box.inner + i % box.inner, y,
                (i / box.inner * unique + k) * box.inner + i % box.inner);
    return QN_OK;
}

static QnStatus unique(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    const bool has_axis = qn_node_attribute(call->node, "axis") != NULL;
    const int64_t given = qn_op_int(call->node, "axis");
    const int axis = (int)(given < 0 ? given + x->rank : given);
    const QnBox box = has_axis ? qn_box(x, axis) : (QnBox){1, qn_tensor_count(x), 1};
    int64_t *counts, *inverse, *firsts;
    Slice *slices, *kept;
    Whole whole = {.box = box};
    QN_ALLOC(counts, call->scratch, box.length);
    QN_ALLOC(inverse, call->scratch, box.length);
    QN_ALLOC(firsts, call->scratch, box.length);
    QN_ALLOC(slices, call->scratch, box.length);
    QN_ALLOC(kept, call->scratch, box.length);
    if (x->type == QN_STRING)
        whole.strings = x->data;
    else
        QN_TRY(read_keys(call, x, &whole.keys));
    for (int64_t i = 0; i < box.length; i++)
        slices[i] = (Slice){&whole, i, i};
    const bool is_sorted = qn_op_int(call->node, "sorted") != 0;
    const int64_t found = make_unique(slices, box.length, is_sorted, counts, inverse, kept);
    for (int64_t k = 0; k < found; k++)
        firsts[k] = kept[k].position;
    QN_TRY(write_slices(call, kept, found, has_axis, axis, box));
    QN_TRY(write_ints(call, 1, firsts, found));
    QN_TRY(write_ints(call, 2, inverse, box.length));
    return write_ints(call, 3, counts, found);
}

static const QnOpAttribute top_k_attributes[] = {{"axis", QN_ATTRIBUTE_INT, .i = -1},
                                                 {"largest", QN_ATTRIBUTE_INT, .i = 1},
                                                 {"sorted", QN_ATTRIBUTE_INT, .i = 1},
                                                 {0}};
static const QnOpAttribute unique_attributes[] = {
    {"axis", QN_ATTRIBUTE_INT}, {"sorted", QN_ATTRIBUTE_INT, .i = 1}, {0}};

const QnOp qn_ops_sort[] = {
    {.name = "TopK",
     .since = 24,
     .inputs = "X: numeric, K: int64",
     .outputs = "Values: T, Indices: int64",
     .attributes = top_k_attributes,
     .infer = infer_top_k,
     .reference = top_k},
    {.name = "Unique",
     .since = 28,
     .inputs = "X: any",
     .outputs = "Y: T, indices?: int64, inverse_indices?: int64, counts?: int64",
     .attributes = unique_attributes,
     .traits = QN_OP_DYNAMIC | QN_OP_PORTABLE,
     .infer = infer_unique,
     .reference = unique},
    {0},
};
