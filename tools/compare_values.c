/* SPDX-License-Identifier: Apache-2.0 */
/* Judging a value element by element: exact for what is exact, within bounds for floats. */
#include "tools/compare_values.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "quern/unstable/values.h"

static const char *kind_name(QnKind kind)
{
    static const char *const names[] = {"nothing", "a tensor", "a sequence", "an optional",
                                        "a map"};
    return (unsigned)kind < sizeof names / sizeof names[0] ? names[kind] : "?";
}

static void print_shape(const QnTensor *tensor, char *text, size_t size)
{
    int at = snprintf(text, size, "%s[", qn_type_name(tensor->type));
    for (int d = 0; d < tensor->rank && at < (int)size; d++)
        at += snprintf(text + at, size - (size_t)at, "%s%" PRId64, d ? "," : "", tensor->dims[d]);
    if (at < (int)size)
        snprintf(text + at, size - (size_t)at, "]");
}

static bool same_shape(const QnTensor *a, const QnTensor *b)
{
    if (a->type != b->type || a->rank != b->rank)
        return false;
    for (int d = 0; d < a->rank; d++)
        if (a->dims[d] != b->dims[d])
            return false;
    return true;
}

static bool is_float(QnType type)
{
    switch (type) {
    case QN_FLOAT:
    case QN_DOUBLE:
    case QN_FLOAT16:
    case QN_BFLOAT16:
    case QN_FLOAT8E4M3FN:
    case QN_FLOAT8E4M3FNUZ:
    case QN_FLOAT8E5M2:
    case QN_FLOAT8E5M2FNUZ:
    case QN_FLOAT8E8M0:
    case QN_FLOAT6E2M3:
    case QN_FLOAT6E3M2:
    case QN_FLOAT4E2M1:
        return true;
    default:
        return false;
    }
}

bool compare_numbers(double got, double want, const Bounds *bounds)
{
    if (isnan(got) || isnan(want))
        return isnan(got) && isnan(want);
    if (isinf(got) || isinf(want))
        return isinf(got) && isinf(want) && (got > 0) == (want > 0);
    return fabs(got - want) <= bounds->atol + bounds->rtol * fabs(want);
}

/* Element i's address in a tensor of any strides. */
static const uint8_t *element_at(const QnTensor *tensor, int64_t i)
{
    int64_t offset = 0;
    for (int d = tensor->rank - 1; d >= 0; d--) {
        offset += i % tensor->dims[d] * tensor->strides[d];
        i /= tensor->dims[d];
    }
    return (const uint8_t *)tensor->data + offset;
}

/* Complex numbers are two floats that are judged each. */
static bool compare_complex(const QnTensor *got, const QnTensor *want, int64_t i,
                            const Bounds *bounds)
{
    const QnType part = want->type == QN_COMPLEX64 ? QN_FLOAT : QN_DOUBLE;
    for (int k = 0; k < 2; k++) {
        const size_t offset = (size_t)k * qn_type_size(part);
        const QnTensor a =
            qn_tensor(part, 0, NULL, (void *)(uintptr_t)(element_at(got, i) + offset));
        const QnTensor b =
            qn_tensor(part, 0, NULL, (void *)(uintptr_t)(element_at(want, i) + offset));
        if (!compare_numbers(qn_tensor_element(&a, 0), qn_tensor_element(&b, 0), bounds))
            return false;
    }
    return true;
}

static bool compare_element(const QnTensor *got, const QnTensor *want, int64_t i,
                            const Bounds *bounds)
{
    if (want->type == QN_COMPLEX64 || want->type == QN_COMPLEX128)
        return compare_complex(got, want, i, bounds);
    if (is_float(want->type))
        return compare_numbers(qn_tensor_element(got, i), qn_tensor_element(want, i), bounds);
    if (want->type == QN_STRING) {
        QnString a, b;
        memcpy(&a, element_at(got, i), sizeof a);
        memcpy(&b, element_at(want, i), sizeof b);
        return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
    }
    if (want->type == QN_BOOL)
        return !*element_at(got, i) == !*element_at(want, i);
    return memcmp(element_at(got, i), element_at(want, i), qn_type_size(want->type)) == 0;
}

static void print_element(const QnTensor *tensor, int64_t i, char *text, size_t size)
{
    if (tensor->type == QN_STRING) {
        QnString s;
        memcpy(&s, element_at(tensor, i), sizeof s);
        snprintf(text, size, "'%.*s'", (int)(s.size < 40 ? s.size : 40), s.data ? s.data : "");
    } else {
        snprintf(text, size, "%.9g", qn_tensor_element(tensor, i));
    }
}

static bool compare_tensors(const QnTensor *got, const QnTensor *want, const Bounds *bounds,
                            char *why, size_t size)
{
    if (!same_shape(got, want)) {
        char a[256], b[256];
        print_shape(got, a, sizeof a);
        print_shape(want, b, sizeof b);
        snprintf(why, size, "is %s, expected %s", a, b);
        return false;
    }
    const int64_t count = qn_tensor_count(want);
    int64_t wrong = 0, first = 0;
    for (int64_t i = 0; i < count; i++)
        if (!compare_element(got, want, i, bounds) && wrong++ == 0)
            first = i;
    if (wrong == 0)
        return true;
    char a[64], b[64];
    print_element(got, first, a, sizeof a);
    print_element(want, first, b, sizeof b);
    snprintf(why, size, "element %" PRId64 " is %s, expected %s; %" PRId64 " of %" PRId64 " differ",
             first, a, b, wrong, count);
    return false;
}

/* Value i of a map, which holds single values as a sequence or as one tensor. */
static QnValue map_value(const QnValue *values, int64_t i)
{
    if (values->kind != QN_TENSOR)
        return values->items[i];
    QnTensor one = qn_tensor(values->type, 0, NULL, NULL);
    one.data = (void *)(uintptr_t)element_at(&values->tensor, i);
    return qn_value_tensor(one);
}

static int64_t count_map_values(const QnValue *values)
{
    return values->kind == QN_TENSOR ? qn_tensor_count(&values->tensor) : values->count;
}

static bool compare_maps(const QnValue *got, const QnValue *want, const Bounds *bounds, char *why,
                         size_t size)
{
    char inner[400];
    if (!compare_values(&got->items[0], &want->items[0], bounds, inner, sizeof inner)) {
        snprintf(why, size, "its keys: %s", inner);
        return false;
    }
    const int64_t count = count_map_values(&want->items[1]);
    if (count_map_values(&got->items[1]) != count) {
        snprintf(why, size, "has %" PRId64 " values, expected %" PRId64,
                 count_map_values(&got->items[1]), count);
        return false;
    }
    for (int64_t i = 0; i < count; i++) {
        const QnValue a = map_value(&got->items[1], i), b = map_value(&want->items[1], i);
        if (!compare_values(&a, &b, bounds, inner, sizeof inner)) {
            snprintf(why, size, "value %" PRId64 " %s", i, inner);
            return false;
        }
    }
    return true;
}

bool compare_values(const QnValue *got, const QnValue *want, const Bounds *bounds, char *why,
                    size_t size)
{
    if (got->kind != want->kind) {
        snprintf(why, size, "is %s, expected %s", kind_name(got->kind), kind_name(want->kind));
        return false;
    }
    if (want->kind == QN_TENSOR)
        return compare_tensors(&got->tensor, &want->tensor, bounds, why, size);
    if (got->count != want->count) {
        snprintf(why, size, "has %" PRId64 " items, expected %" PRId64, got->count, want->count);
        return false;
    }
    if (want->kind == QN_MAP)
        return compare_maps(got, want, bounds, why, size);
    for (int64_t i = 0; i < want->count; i++) {
        char inner[400];
        if (!compare_values(&got->items[i], &want->items[i], bounds, inner, sizeof inner)) {
            snprintf(why, size, "item %" PRId64 " %s", i, inner);
            return false;
        }
    }
    return true;
}

bool compare_forms(const QnValue *got, const QnValue *want)
{
    if (got->kind != want->kind)
        return false;
    if (want->kind == QN_TENSOR)
        return same_shape(&got->tensor, &want->tensor);
    if (got->count != want->count)
        return false;
    for (int64_t i = 0; i < want->count; i++)
        if (!compare_forms(&got->items[i], &want->items[i]))
            return false;
    return true;
}
