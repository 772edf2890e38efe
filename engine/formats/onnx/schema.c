/* SPDX-License-Identifier: Apache-2.0 */
/* Finding rows of the generated schema table. */
#include "engine/formats/onnx/schema.h"

#include <string.h>

#include "base/compiler.h"
#include "base/text.h"
#include "engine/formats/onnx/schema_table.h"

int onnx_newest_ir(void)
{
    return ONNX_NEWEST_IR;
}

static int find_domain(const char *domain)
{
    if (!strcmp(domain, "ai.onnx"))
        return 0;
    for (int i = 0; i < (int)QN_COUNT_OF(domains); i++)
        if (!strcmp(domains[i].name, domain))
            return i;
    return -1;
}

int onnx_domain_newest(const char *domain)
{
    const int i = find_domain(domain);
    return i < 0 ? 0 : domains[i].newest;
}

/* The order of the rows: domain, name, version. */
static int compare(const OnnxSchema *row, int domain, const char *op, int64_t version)
{
    if (row->domain != domain)
        return row->domain < domain ? -1 : 1;
    const int names = strcmp(strings[row->name], op);
    if (names != 0)
        return names;
    return row->since < version ? -1 : row->since > version;
}

/* The number of rows that stand before (domain, op, version). */
static size_t lower_bound(int domain, const char *op, int64_t version)
{
    size_t first = 0, last = QN_COUNT_OF(schemas);
    while (first < last) {
        const size_t middle = first + (last - first) / 2;
        if (compare(&schemas[middle], domain, op, version) < 0)
            first = middle + 1;
        else
            last = middle;
    }
    return first;
}

static bool is_row_of(size_t i, int domain, const char *op)
{
    return i < QN_COUNT_OF(schemas) && schemas[i].domain == domain &&
           !strcmp(strings[schemas[i].name], op);
}

const OnnxSchema *onnx_schema_find(const char *domain, const char *op, int64_t version)
{
    const int number = find_domain(domain);
    if (number < 0 || version < 1)
        return NULL;
    const size_t after = lower_bound(number, op, version < INT64_MAX ? version + 1 : version);
    return after > 0 && is_row_of(after - 1, number, op) ? &schemas[after - 1] : NULL;
}

const OnnxSchema *onnx_schema_first(const char *domain, const char *op)
{
    const int number = find_domain(domain);
    if (number < 0)
        return NULL;
    size_t first = lower_bound(number, op, 0);
    while (is_row_of(first, number, op) && schemas[first].is_extra)
        first++;
    return is_row_of(first, number, op) ? &schemas[first] : NULL;
}

const char *onnx_schema_did_you_mean(const char *domain, const char *op)
{
    const char *names[QN_COUNT_OF(schemas)];
    size_t count = 0;
    const int number = find_domain(domain);
    for (size_t i = 0; i < QN_COUNT_OF(schemas); i++)
        if (schemas[i].domain == number && (i == 0 || schemas[i].name != schemas[i - 1].name))
            names[count++] = strings[schemas[i].name];
    return qn_did_you_mean(op, names, count);
}

const char *onnx_schema_text(uint16_t number)
{
    return strings[number];
}

static const OnnxFormal *formal_at(uint16_t first, uint16_t count, int i)
{
    if (count == 0 || i < 0)
        return NULL;
    if (i < count)
        return &formals[first + i];
    const OnnxFormal *last = &formals[first + count - 1];
    return (last->option & ONNX_OPTION_MASK) == ONNX_VARIADIC ? last : NULL;
}

const OnnxFormal *onnx_schema_input(const OnnxSchema *schema, int i)
{
    return formal_at(schema->first_input, schema->input_count, i);
}

const OnnxFormal *onnx_schema_output(const OnnxSchema *schema, int i)
{
    return formal_at(schema->first_output, schema->output_count, i);
}

const OnnxTypeSet *onnx_formal_types(const OnnxFormal *formal)
{
    return &type_sets[formal->types];
}

const OnnxAttributeSchema *onnx_schema_attribute(const OnnxSchema *schema, const char *name)
{
    for (int i = 0; i < schema->attribute_count; i++)
        if (!strcmp(strings[attributes[schema->first_attribute + i].name], name))
            return &attributes[schema->first_attribute + i];
    return NULL;
}

const OnnxAttributeSchema *onnx_schema_attribute_at(const OnnxSchema *schema, int i)
{
    return i >= 0 && i < schema->attribute_count ? &attributes[schema->first_attribute + i] : NULL;
}

/* Texts are stored once: equal ones have equal numbers. */
bool onnx_schema_same_default(const OnnxAttributeSchema *a, const OnnxAttributeSchema *b)
{
    if (a->kind != b->kind ||
        (a->flags & ONNX_ATTRIBUTE_HAS_DEFAULT) != (b->flags & ONNX_ATTRIBUTE_HAS_DEFAULT))
        return false;
    if (!(a->flags & ONNX_ATTRIBUTE_HAS_DEFAULT))
        return true;
    switch (a->kind) {
    case 1:
        return memcmp(&a->value.f, &b->value.f, sizeof a->value.f) == 0;
    case 2:
        return a->value.i == b->value.i;
    default:
        return a->value.s == b->value.s;
    }
}
