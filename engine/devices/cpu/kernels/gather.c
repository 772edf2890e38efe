/* SPDX-License-Identifier: Apache-2.0 */
/* Gathers and scatters: every index is checked before anything is moved by it. */
#include "engine/devices/cpu/kernels/gather.h"

#include <string.h>

#include "base/fault.h"
#include "engine/devices/cpu/kernels/rows.h"

/* Integers are never NaN; one body serves them and floats. */
#pragma GCC diagnostic ignored "-Wtautological-compare"

/* Index i, counted from the front; -1 where it is not inside [-axis, axis). */
static int64_t index_at(const QnIndices *indices, int64_t i, int64_t axis)
{
    int64_t index;
    if (indices->size == 8) {
        memcpy(&index, (const char *)indices->data + i * 8, 8);
    } else {
        int32_t narrow;
        memcpy(&narrow, (const char *)indices->data + i * 4, 4);
        index = narrow;
    }
    if (index < 0)
        index += axis;
    return index >= 0 && index < axis ? index : -1;
}

/* One slice; those of single elements do not pay for a call. */
static void copy_slice(char *to, const char *from, int64_t bytes)
{
    if (bytes == 4)
        memcpy(to, from, 4);
    else if (bytes == 8)
        memcpy(to, from, 8);
    else
        memcpy(to, from, (size_t)bytes);
}

int64_t qn_gather(const QnIndices *indices, int64_t axis, int64_t slice_bytes, const void *x,
                  void *y, int64_t begin, int64_t end)
{
    for (int64_t k = begin; k < end; k++) {
        const int64_t outer = k / indices->count, i = k % indices->count;
        const int64_t index = index_at(indices, i, axis);
        if (index < 0)
            return i;
        copy_slice((char *)y + k * slice_bytes,
                   (const char *)x + (outer * axis + index) * slice_bytes, slice_bytes);
    }
    if (begin < end && qn_fault("kernel", "gather"))
        qn_fault_spoil((char *)y + begin * slice_bytes, (size_t)slice_bytes);
    return QN_INDICES_VALID;
}

/* The element of the tensor that index i of the index tensor means; -1: out of range. */
static int64_t element_of(const QnElements *e, const QnIndices *indices, int64_t i)
{
    int64_t at = 0, stride = 1, rest = i;
    for (int d = e->rank - 1; d >= 0; d--) {
        int64_t coordinate = rest % e->index_dims[d];
        rest /= e->index_dims[d];
        if (d == e->axis) {
            coordinate = index_at(indices, i, e->dims[d]);
            if (coordinate < 0)
                return -1;
        }
        at += coordinate * stride;
        stride *= e->dims[d];
    }
    return at;
}

int64_t qn_gather_elements(const QnElements *elements, const QnIndices *indices,
                           int64_t element_size, const void *x, void *y, int64_t begin, int64_t end)
{
    for (int64_t i = begin; i < end; i++) {
        const int64_t at = element_of(elements, indices, i);
        if (at < 0)
            return i;
        copy_slice((char *)y + i * element_size, (const char *)x + at * element_size, element_size);
    }
    if (begin < end && qn_fault("kernel", "gather_elements"))
        qn_fault_spoil((char *)y + begin * element_size, (size_t)element_size);
    return QN_INDICES_VALID;
}

/* One body for every family: U is a type in which the family's arithmetic wraps. */
#define SCATTER_ROW(suffix, NAME, T, type, U)                                          \
    static void suffix##_row(QnScatterOp op, int64_t count, void *out, const void *in) \
    {                                                                                  \
        T *y = out;                                                                    \
        const T *u = in;                                                               \
        switch (op) {                                                                  \
        case QN_SCATTER_SET:                                                           \
            memmove(y, u, (size_t)count * sizeof(T));                                  \
            break;                                                                     \
        case QN_SCATTER_ADD:                                                           \
            for (int64_t i = 0; i < count; i++)                                        \
                y[i] = (T)((U)y[i] + (U)u[i]);                                         \
            break;                                                                     \
        case QN_SCATTER_MUL:                                                           \
            for (int64_t i = 0; i < count; i++)                                        \
                y[i] = (T)((U)y[i] * (U)u[i]);                                         \
            break;                                                                     \
        case QN_SCATTER_MAX:                                                           \
            for (int64_t i = 0; i < count; i++)                                        \
                y[i] = y[i] > u[i] || y[i] != y[i] ? y[i] : u[i];                      \
            break;                                                                     \
        case QN_SCATTER_MIN:                                                           \
            for (int64_t i = 0; i < count; i++)                                        \
                y[i] = y[i] < u[i] || y[i] != y[i] ? y[i] : u[i];                      \
            break;                                                                     \
        }                                                                              \
    }
QN_INT_FAMILY_MAP(SCATTER_ROW, uint64_t)
SCATTER_ROW(f32, F32, float, QN_FLOAT, float)
SCATTER_ROW(f64, F64, double, QN_DOUBLE, double)

void qn_scatter_row(QnScatterOp op, QnFamily family, int64_t count, void *y, const void *u)
{
    static void (*const rows[QN_FAMILY_COUNT])(QnScatterOp, int64_t, void *, const void *) = {
#define SCATTER_ENTRY(suffix, ...) suffix##_row,
        QN_FAMILY_MAP(SCATTER_ENTRY, )
#undef SCATTER_ENTRY
    };
    static const char *const names[] = {[QN_SCATTER_SET] = "scatter_set",
                                        [QN_SCATTER_ADD] = "scatter_add",
                                        [QN_SCATTER_MUL] = "scatter_mul",
                                        [QN_SCATTER_MAX] = "scatter_max",
                                        [QN_SCATTER_MIN] = "scatter_min"};
    rows[family](op, count, y, u);
    if (qn_fault("kernel", names[op]))
        qn_fault_spoil(y, (size_t)(count * qn_family_size(family)));
}

int64_t qn_scatter_elements(const QnElements *elements, const QnIndices *indices, QnScatterOp op,
                            QnFamily family, const void *updates, void *y)
{
    const int64_t size = qn_family_size(family);
    for (int64_t i = 0; i < indices->count; i++) {
        const int64_t at = element_of(elements, indices, i);
        if (at < 0)
            return i;
        qn_scatter_row(op, family, 1, (char *)y + at * size, (const char *)updates + i * size);
    }
    return QN_INDICES_VALID;
}

/* The slice that row r names, counted from the first batch; -1: out of range, with *bad the
 * position of the index. */
static int64_t slice_of(const QnSlices *s, const QnIndices *indices, int64_t r, int64_t *bad)
{
    int64_t at = s->rows ? r / s->rows : 0;
    for (int d = 0; d < s->depth; d++) {
        const int64_t index = index_at(indices, r * s->depth + d, s->dims[d]);
        if (index < 0) {
            *bad = r * s->depth + d;
            return -1;
        }
        at = at * s->dims[d] + index;
    }
    return at;
}

int64_t qn_gather_nd(const QnSlices *slices, const QnIndices *indices, int64_t element_size,
                     const void *x, void *y, int64_t begin, int64_t end)
{
    const int64_t bytes = slices->slice * element_size;
    int64_t bad = QN_INDICES_VALID;
    for (int64_t r = begin; r < end; r++) {
        const int64_t at = slice_of(slices, indices, r, &bad);
        if (at < 0)
            break;
        copy_slice((char *)y + r * bytes, (const char *)x + at * bytes, bytes);
    }
    if (begin < end && qn_fault("kernel", "gather_nd"))
        qn_fault_spoil((char *)y + begin * bytes, (size_t)bytes);
    return bad;
}

int64_t qn_scatter_nd(const QnSlices *slices, const QnIndices *indices, QnScatterOp op,
                      QnFamily family, const void *updates, void *y)
{
    const int64_t bytes = slices->slice * qn_family_size(family);
    int64_t bad = QN_INDICES_VALID;
    for (int64_t r = 0; r < slices->batches * slices->rows; r++) {
        const int64_t at = slice_of(slices, indices, r, &bad);
        if (at < 0)
            break;
        qn_scatter_row(op, family, slices->slice, (char *)y + at * bytes,
                       (const char *)updates + r * bytes);
    }
    return bad;
}
