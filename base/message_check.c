/* SPDX-License-Identifier: Apache-2.0 */
/* Messages by table: ranges, enum numbers and required fields. */
#include <math.h>
#include <stdio.h>

#include "base/message.h"

/* The path of a field, as a chain on the stack: "input[2].reshape". */
typedef struct Path {
    const struct Path *parent;
    const char *name;
    size_t index;
    bool has_index;
} Path;

typedef struct Check {
    QnReport *report;
    const char *file;
} Check;

static size_t print_path(const Path *path, char *text, size_t size)
{
    size_t at = path->parent ? print_path(path->parent, text, size) : 0;
    if (at >= size)
        return at;
    const int more =
        path->has_index
            ? snprintf(text + at, size - at, "%s%s[%zu]", at ? "." : "", path->name, path->index)
            : snprintf(text + at, size - at, "%s%s", at ? "." : "", path->name);
    return at + (size_t)(more > 0 ? more : 0);
}

static void find(const Check *check, const Path *path, const char *found, const char *expected)
{
    char text[512];
    print_path(path, text, sizeof text);
    qn_report_add(check->report, &(QnFinding){.severity = QN_SEVERE,
                                              .rule = "message-field",
                                              .file = check->file,
                                              .field = text,
                                              .found = found,
                                              .expected = expected});
}

/* A number of any kind as text, and as a double that is near enough for a range. */
static double print_number(const QnField *field, QnScalar value, char text[32])
{
    switch (field->kind) {
    case QN_KIND_FLOAT:
        qn_print_f32(text, (float)value.f);
        return value.f;
    case QN_KIND_DOUBLE:
        qn_print_f64(text, value.f);
        return value.f;
    case QN_KIND_BOOL:
    case QN_KIND_UINT32:
    case QN_KIND_UINT64:
        qn_print_u64(text, value.u);
        return (double)value.u;
    default:
        qn_print_i64(text, value.i);
        return (double)value.i;
    }
}

/* The range of a field in words; integers' ends are printed as such, not as 2.1e+09. */
static void print_range(const QnField *field, char text[96])
{
    char min[32], max[32];
    qn_print_f64(min, field->min);
    qn_print_f64(max, field->max);
    if (isinf(field->max))
        snprintf(text, 96, "at least %s", min);
    else if (isinf(field->min))
        snprintf(text, 96, "at most %s", max);
    else
        snprintf(text, 96, "%s to %s", min, max);
}

static void check_value(const Check *check, const QnField *field, const void *slot,
                        const Path *path)
{
    char found[32], expected[96];
    if (field->kind == QN_KIND_STRING && field->is_required && !*qn_field_load(field, slot).text)
        find(check, path, "\"\"", "a text that is not empty");
    if (!qn_kind_is_number(field->kind))
        return;
    const QnScalar value = qn_field_load(field, slot);
    const double number = print_number(field, value, found);
    if (field->kind == QN_KIND_ENUM && !qn_enum_find_number(field->values, value.i)) {
        snprintf(expected, sizeof expected, "a number of %s", field->values->name);
        find(check, path, found, expected);
    } else if (field->min < field->max && !(number >= field->min && number <= field->max)) {
        print_range(field, expected);
        find(check, path, found, expected);
    }
}

/* Messages are no deeper than what read them allowed. */
static void check_message(const Check *check, const QnMessage *type, const void *message,
                          const Path *parent)
{
    for (size_t f = 0; f < type->field_count; f++) {
        const QnField *field = &type->fields[f];
        const void *values;
        const size_t count = qn_field_values(field, message, &values);
        Path path = {.parent = parent, .name = field->name};
        if (count == 0 && field->is_required)
            find(check, &path, "nothing", "at least one");
        for (size_t i = 0; i < count; i++) {
            const void *value = (const char *)values + i * qn_field_size(field);
            path.index = i;
            path.has_index = field->shape != QN_SINGLE;
            if (field->kind == QN_KIND_MESSAGE)
                check_message(check, field->message, value, &path);
            else
                check_value(check, field, value, &path);
        }
    }
}

void qn_message_check(const void *message, const QnMessage *type, const char *file,
                      QnReport *report)
{
    const Check check = {report, file};
    check_message(&check, type, message, NULL);
}
