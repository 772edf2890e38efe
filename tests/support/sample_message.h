/* SPDX-License-Identifier: Apache-2.0 */
/* A message with a field of every kind and shape,
 * for the tests and fuzzers of base/message.h and its forms. */
#ifndef QN_TESTS_SAMPLE_MESSAGE_H
#define QN_TESTS_SAMPLE_MESSAGE_H

#include <math.h>

#include "base/message.h"

typedef struct SampleTag {
    const char *key, *value;
} SampleTag;

static const QnField sample_tag_fields[] = {
    {.number = 1, QN_AT(SampleTag, key), .kind = QN_KIND_STRING},
    {.number = 2, QN_AT(SampleTag, value), .kind = QN_KIND_STRING},
};
static const QnMessage sample_tag = {"Tag", sizeof(SampleTag), sample_tag_fields,
                                     QN_COUNT_OF(sample_tag_fields)};

static const QnEnumValue sample_color_values[] = {{"RED", 0}, {"GREEN", 1}, {"BLUE", -2}};
static const QnEnum sample_color = {"Color", sample_color_values, QN_COUNT_OF(sample_color_values)};

typedef struct Sample Sample;

typedef struct SampleLevel {
    uint64_t key;
    Sample *value;
} SampleLevel;

struct Sample {
    bool is_on;
    int32_t count;
    int64_t total;
    uint32_t size;
    uint64_t nanoseconds;
    float share;
    double exact;
    const char *name;
    QnBytes data;
    int32_t color;
    Sample *child;
    QN_LIST(bool) flags;
    QN_LIST(int64_t) dims;
    QN_LIST(float) weights;
    QN_LIST(const char *) labels;
    QN_LIST(QnBytes) blobs;
    QN_LIST(int32_t) colors;
    QN_LIST(Sample) parts;
    QN_LIST(SampleTag) tags;
    QN_LIST(SampleLevel) levels;
    uint32_t choice;
    union {
        int64_t number_choice;
        const char *text_choice;
        Sample *sample_choice;
    };
    int32_t copies;
};

static const QnMessage sample_message;

static const QnField sample_level_fields[] = {
    {.number = 1, QN_AT(SampleLevel, key), .kind = QN_KIND_UINT64},
    {.number = 2, QN_AT(SampleLevel, value), .kind = QN_KIND_MESSAGE, .message = &sample_message},
};
static const QnMessage sample_level = {"Level", sizeof(SampleLevel), sample_level_fields,
                                       QN_COUNT_OF(sample_level_fields)};

#define SAMPLE_CHOICE .oneof = "choice", .case_offset = offsetof(Sample, choice)

/* clang-format off */
static const QnField sample_fields[] = {
    {.number = 1, QN_AT(Sample, is_on), .kind = QN_KIND_BOOL},
    {.number = 2, QN_AT(Sample, count), .kind = QN_KIND_INT32, .min = 0, .max = INT32_MAX},
    {.number = 3, QN_AT(Sample, total), .kind = QN_KIND_INT64},
    {.number = 4, QN_AT(Sample, size), .kind = QN_KIND_UINT32},
    {.number = 5, QN_AT(Sample, nanoseconds), .kind = QN_KIND_UINT64, .is_text_in_json = true},
    {.number = 6, QN_AT(Sample, share), .kind = QN_KIND_FLOAT, .min = 0, .max = 1},
    {.number = 7, QN_AT(Sample, exact), .kind = QN_KIND_DOUBLE, .min = -1, .max = INFINITY},
    {.number = 8, QN_AT(Sample, name), .kind = QN_KIND_STRING, .is_required = true},
    {.number = 9, QN_AT(Sample, data), .kind = QN_KIND_BYTES},
    {.number = 10, QN_AT(Sample, color), .kind = QN_KIND_ENUM, .values = &sample_color},
    {.number = 11, QN_AT(Sample, child), .kind = QN_KIND_MESSAGE, .message = &sample_message},
    {.number = 12, QN_AT(Sample, flags), .kind = QN_KIND_BOOL, .shape = QN_REPEATED},
    {.number = 13, QN_AT(Sample, dims), .kind = QN_KIND_INT64, .shape = QN_REPEATED},
    {.number = 14, QN_AT(Sample, weights), .kind = QN_KIND_FLOAT, .shape = QN_REPEATED},
    {.number = 15, QN_AT(Sample, labels), .kind = QN_KIND_STRING, .shape = QN_REPEATED},
    {.number = 16, QN_AT(Sample, blobs), .kind = QN_KIND_BYTES, .shape = QN_REPEATED},
    {.number = 17, QN_AT(Sample, colors), .kind = QN_KIND_ENUM, .shape = QN_REPEATED, .values = &sample_color},
    {.number = 18, QN_AT(Sample, parts), .kind = QN_KIND_MESSAGE, .shape = QN_REPEATED, .message = &sample_message},
    {.number = 19, QN_AT(Sample, tags), .kind = QN_KIND_MESSAGE, .shape = QN_MAPPED, .message = &sample_tag},
    {.number = 20, QN_AT(Sample, levels), .kind = QN_KIND_MESSAGE, .shape = QN_MAPPED, .message = &sample_level},
    {.number = 21, QN_AT(Sample, number_choice), .kind = QN_KIND_INT64, SAMPLE_CHOICE},
    {.number = 22, QN_AT(Sample, text_choice), .kind = QN_KIND_STRING, SAMPLE_CHOICE},
    {.number = 23, QN_AT(Sample, sample_choice), .kind = QN_KIND_MESSAGE, .message = &sample_message, SAMPLE_CHOICE},
    {.number = 24, QN_AT(Sample, copies), .kind = QN_KIND_INT32, .initial = "1"},
};
/* clang-format on */

static const QnMessage sample_message = {"Sample", sizeof(Sample), sample_fields,
                                         QN_COUNT_OF(sample_fields)};

/* A text with all of it. */
static const char sample_text[] = "is_on: true\n"
                                  "count: 3\n"
                                  "total: -9223372036854775808\n"
                                  "size: 4294967295\n"
                                  "nanoseconds: 18446744073709551615\n"
                                  "share: 0.1\n"
                                  "exact: 1e-300\n"
                                  "name: \"a \\\"quoted\\\" name\\n\"\n"
                                  "data: \"\\000\\377\"\n"
                                  "color: BLUE\n"
                                  "child {\n"
                                  "  name: \"inner\"\n"
                                  "  copies: 1\n"
                                  "}\n"
                                  "flags: [ true, false ]\n"
                                  "dims: [ -1, 3, 224 ]\n"
                                  "weights: [ 0.5, -0.0, inf ]\n"
                                  "labels: [ \"cat\", \"\" ]\n"
                                  "blobs: [ \"\\001\" ]\n"
                                  "colors: [ GREEN, RED ]\n"
                                  "parts {\n"
                                  "  copies: 1\n"
                                  "}\n"
                                  "parts {\n"
                                  "  name: \"second\"\n"
                                  "  copies: 2\n"
                                  "}\n"
                                  "tags {\n"
                                  "  key: \"a\"\n"
                                  "  value: \"1\"\n"
                                  "}\n"
                                  "levels {\n"
                                  "  key: 7\n"
                                  "  value {\n"
                                  "    count: 1\n"
                                  "    copies: 1\n"
                                  "  }\n"
                                  "}\n"
                                  "text_choice: \"chosen\"\n"
                                  "copies: 1\n";

#endif
