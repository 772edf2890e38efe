/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Top-k.  Values become unsigned keys of the same order, best first, so that one heap of (key,
 * index) serves every type: the worst of the k best stands on top and is replaced by what beats it;
 * most elements lose to it at once.
 */
#include "engine/devices/cpu/kernels/sort.h"

#include <string.h>

#include "base/fault.h"

typedef struct Item {
    uint64_t key; /* smaller is better */
    int64_t index;
} Item;

/* Unsigned order of a float's bits: negative ones reversed, NaN of either sign above infinity. */
static uint64_t key_of_f64(double x)
{
    uint64_t bits;
    if (x != x)
        return UINT64_MAX;
    if (x == 0)
        x = 0; /* -0 and 0 are equal */
    memcpy(&bits, &x, sizeof bits);
    return bits >> 63 ? ~bits : bits | UINT64_C(1) << 63;
}

static const uint64_t SIGN_BIT = UINT64_C(1) << 63;

/* Order-keeping maps of each kind of type to uint64_t. */
#define FLOAT_KEY(value)    key_of_f64((double)(value))
#define SIGNED_KEY(value)   ((uint64_t)(int64_t)(value) ^ SIGN_BIT)
#define UNSIGNED_KEY(value) (uint64_t)(value)

/* The heap: every parent is worse than its children;
 * ties are broken by index, so the order is total. */
static bool is_worse(Item a, Item b)
{
    return a.key > b.key || (a.key == b.key && a.index > b.index);
}

static void sift_down(Item *heap, int64_t count, int64_t at)
{
    const Item item = heap[at];
    for (int64_t child = 2 * at + 1; child < count; child = 2 * at + 1) {
        if (child + 1 < count && is_worse(heap[child + 1], heap[child]))
            child++;
        if (!is_worse(heap[child], item))
            break;
        heap[at] = heap[child];
        at = child;
    }
    heap[at] = item;
}

/* Takes the next element: into the heap while it has room, then only if it beats the worst. */
static void offer(Item *heap, int64_t k, Item item)
{
    if (item.index < k) {
        heap[item.index] = item;
        if (item.index == k - 1)
            for (int64_t i = k / 2; i-- > 0;)
                sift_down(heap, k, i);
    } else if (is_worse(heap[0], item)) {
        heap[0] = item;
        sift_down(heap, k, 0);
    }
}

/* The best k of a line; `flip` is all ones where large values are the best. */
typedef void SelectFn(int64_t length, int64_t stride, const void *x, uint64_t flip, Item *heap,
                      int64_t k);

#define SELECT(suffix, T, KEY)                                                                 \
    static void select_##suffix(int64_t length, int64_t stride, const void *in, uint64_t flip, \
                                Item *heap, int64_t k)                                         \
    {                                                                                          \
        const T *x = in;                                                                       \
        for (int64_t i = 0; i < length; i++)                                                   \
            offer(heap, k, (Item){KEY(x[i * stride]) ^ flip, i});                              \
    }
SELECT(f32, float, FLOAT_KEY)
SELECT(f64, double, FLOAT_KEY)
SELECT(i8, int8_t, SIGNED_KEY)
SELECT(u8, uint8_t, UNSIGNED_KEY)
SELECT(i16, int16_t, SIGNED_KEY)
SELECT(u16, uint16_t, UNSIGNED_KEY)
SELECT(i32, int32_t, SIGNED_KEY)
SELECT(u32, uint32_t, UNSIGNED_KEY)
SELECT(i64, int64_t, SIGNED_KEY)
SELECT(u64, uint64_t, UNSIGNED_KEY)

/* Takes the worst from the top to the end until the heap is a list from the best on. */
static void sort_heap(Item *heap, int64_t count)
{
    while (count > 1) {
        const Item worst = heap[0];
        heap[0] = heap[--count];
        heap[count] = worst;
        sift_down(heap, count, 0);
    }
}

int64_t qn_topk_scratch(const QnTopK *topk)
{
    return topk->k * (int64_t)sizeof(Item);
}

void qn_topk_run(const QnTopK *topk, const void *x, void *y, int64_t *indices, void *scratch,
                 int64_t begin, int64_t end)
{
    static SelectFn *const selects[QN_FAMILY_COUNT] = {
#define SELECT_ENTRY(suffix, ...) select_##suffix,
        QN_FAMILY_MAP(SELECT_ENTRY, )
#undef SELECT_ENTRY
    };
    static const char *const names[QN_FAMILY_COUNT] = {
#define TOPK_NAME(suffix, ...) "topk_" #suffix,
        QN_FAMILY_MAP(TOPK_NAME, )
#undef TOPK_NAME
    };
    const int64_t size = qn_family_size(topk->family), inner = topk->inner, k = topk->k;
    Item *heap = scratch;
    for (int64_t line = begin; line < end && k > 0; line++) {
        const int64_t outer = line / inner, j = line % inner;
        const char *from = (const char *)x + (outer * topk->length * inner + j) * size;
        selects[topk->family](topk->length, inner, from, topk->takes_smallest ? 0 : UINT64_MAX,
                              heap, k);
        sort_heap(heap, k);
        for (int64_t i = 0; i < k; i++) {
            const int64_t to = (outer * k + i) * inner + j;
            memcpy((char *)y + to * size, from + heap[i].index * inner * size, (size_t)size);
            indices[to] = heap[i].index;
        }
        if (qn_fault("kernel", names[topk->family]))
            qn_fault_spoil((char *)y + (outer * k * inner + j) * size, (size_t)size);
    }
}
