/* SPDX-License-Identifier: Apache-2.0 */
/* Enough of a value to see whether it is what was meant; files are for the rest. */
#include "tools/print_value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/text.h"

enum { SHOWN = 8, BEST = 5, CLASSES_LEAST = 3, CLASSES_MOST = 100000 };

void print_type(const QnValue *value, char *text, size_t size)
{
    const QnTensor *tensor = &value->tensor;
    switch (value->kind) {
    case QN_TENSOR:
        break;
    case QN_SEQUENCE:
        snprintf(text, size, "sequence of %" PRId64, value->count);
        return;
    case QN_OPTIONAL:
        snprintf(text, size, value->count ? "optional" : "optional, empty");
        return;
    case QN_MAP:
        snprintf(text, size, "map of %" PRId64, qn_tensor_count(&value->items[0].tensor));
        return;
    default:
        snprintf(text, size, "nothing");
        return;
    }
    int at = snprintf(text, size, "%s[", qn_type_name(tensor->type));
    for (int d = 0; d < tensor->rank && at < (int)size; d++)
        at += snprintf(text + at, size - (size_t)at, "%s%" PRId64, d ? "," : "", tensor->dims[d]);
    if (at < (int)size)
        snprintf(text + at, size - (size_t)at, "]");
}

void print_element(const QnTensor *tensor, int64_t i, char *text, size_t size)
{
    const void *at = qn_tensor_address(tensor, i);
    QnString s;
    int64_t n;
    float parts[2];
    double wide[2];
    switch (tensor->type) {
    case QN_STRING:
        memcpy(&s, at, sizeof s);
        snprintf(text, size, "\"%.*s\"%s", (int)(s.size < 60 ? s.size : 60), s.data ? s.data : "",
                 s.size > 60 ? "..." : "");
        break;
    case QN_BOOL:
        snprintf(text, size, "%s", *(const uint8_t *)at ? "true" : "false");
        break;
    case QN_INT64:
    case QN_UINT64:
        memcpy(&n, at, sizeof n);
        if (tensor->type == QN_INT64)
            snprintf(text, size, "%" PRId64, n);
        else
            snprintf(text, size, "%" PRIu64, (uint64_t)n);
        break;
    case QN_COMPLEX64:
        memcpy(parts, at, sizeof parts);
        snprintf(text, size, "%.6g%+.6gi", (double)parts[0], (double)parts[1]);
        break;
    case QN_COMPLEX128:
        memcpy(wide, at, sizeof wide);
        snprintf(text, size, "%.6g%+.6gi", wide[0], wide[1]);
        break;
    default:
        snprintf(text, size, "%.7g",
                 isnan(qn_tensor_element(tensor, i)) ? (double)NAN : qn_tensor_element(tensor, i));
    }
}

/* One row of floats, as classifiers give: is it worth to name the best? */
static bool is_scores(const QnTensor *tensor)
{
    const int64_t count = qn_tensor_count(tensor);
    const bool is_float = tensor->type == QN_FLOAT || tensor->type == QN_DOUBLE ||
                          tensor->type == QN_FLOAT16 || tensor->type == QN_BFLOAT16;
    int wide = 0;
    for (int d = 0; d < tensor->rank; d++)
        wide += tensor->dims[d] != 1;
    return is_float && tensor->rank >= 1 && wide == 1 && count >= CLASSES_LEAST &&
           count <= CLASSES_MOST;
}

/* Prints the classes with the largest scores, best first; equal ones in their order. */
static void print_best(const QnTensor *tensor, const char *const *labels, int label_count)
{
    const int64_t count = qn_tensor_count(tensor);
    int64_t best[BEST];
    int found = 0;
    for (int64_t i = 0; i < count; i++) {
        const double score = qn_tensor_element(tensor, i);
        int at = found;
        while (at > 0 && score > qn_tensor_element(tensor, best[at - 1]))
            at--;
        if (at == BEST || isnan(score))
            continue;
        found += found < BEST;
        memmove(best + at + 1, best + at, (size_t)(found - at - 1) * sizeof *best);
        best[at] = i;
    }
    printf("  best:");
    for (int k = 0; k < found; k++)
        if (best[k] < label_count)
            printf("%s %s %.6g", k ? "," : "", labels[best[k]], qn_tensor_element(tensor, best[k]));
        else
            printf("%s class %" PRId64 " %.6g", k ? "," : "", best[k],
                   qn_tensor_element(tensor, best[k]));
    putchar('\n');
}

static void print_items(const QnValue *value, int depth)
{
    for (int64_t i = 0; i < qn_min_i64(value->count, SHOWN); i++) {
        char type[256], element[128];
        const QnValue *item = &value->items[i];
        print_type(item, type, sizeof type);
        printf("%*s%" PRId64 ": %s", 2 * depth, "", i, type);
        if (item->kind == QN_TENSOR) {
            const int64_t count = qn_tensor_count(&item->tensor);
            for (int64_t k = 0; k < qn_min_i64(count, SHOWN); k++) {
                print_element(&item->tensor, k, element, sizeof element);
                printf("%s%s", k ? ", " : " = ", element);
            }
            puts(count > SHOWN ? ", ..." : "");
        } else {
            putchar('\n');
            print_items(item, depth + 1);
        }
    }
    if (value->count > SHOWN)
        printf("%*s...\n", 2 * depth, "");
}

void print_output(const char *name, const QnValue *value, const char *const *labels,
                  int label_count)
{
    char text[256];
    print_type(value, text, sizeof text);
    printf("%s: %s\n", name, text);
    if (value->kind != QN_TENSOR) {
        print_items(value, 1);
        return;
    }
    const QnTensor *tensor = &value->tensor;
    const int64_t count = qn_tensor_count(tensor);
    if (count > 0)
        printf("  ");
    for (int64_t i = 0; i < qn_min_i64(count, SHOWN); i++) {
        print_element(tensor, i, text, sizeof text);
        printf("%s%s", i ? ", " : "", text);
    }
    if (count > 0)
        puts(count > SHOWN ? ", ..." : "");
    if (is_scores(tensor))
        print_best(tensor, labels, label_count);
}
