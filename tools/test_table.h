/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of cases that are judged otherwise: by exact name, with the reason.  `skip`: why
 * the data of a case cannot be met; a skipped case that passes is a failure.  rtol > 0: wider
 * bounds than the default.
 */
#ifndef QN_TOOLS_TEST_TABLE_H
#define QN_TOOLS_TEST_TABLE_H

#include <stddef.h>
#include <string.h>

typedef struct TestRow {
    const char *name;   /* of the case; "opset22/…" where only one release's data is meant */
    const char *skip;   /* NULL: run */
    double rtol, atol;  /* 0: the defaults */
    const char *reason; /* of the wider bounds */
} TestRow;

/* Why the data of an old release cannot be met. */
#define BF16    "this release truncated to bfloat16; the standard rounds"
#define BIT4    "this release saturated to 4 bits; the newest keeps the low bits"
#define FP4     "this release made NaN the largest number; the newest makes it minus zero"
#define LIKE    "the data of 'like' has another rank than its model declares"
#define POOL    "later releases corrected this data"
#define OLD_RNN "written by a PyTorch whose weights had no direction dimension"

static const TestRow test_rows[] = {
    {"test_bernoulli", "no generator of random numbers is prescribed", 0, 0, NULL},
    {"test_bernoulli_double", "no generator of random numbers is prescribed", 0, 0, NULL},
    {"test_bernoulli_double_expanded", "no generator of random numbers is prescribed", 0, 0, NULL},
    {"test_bernoulli_expanded", "no generator of random numbers is prescribed", 0, 0, NULL},
    {"test_bernoulli_seed", "no generator of random numbers is prescribed", 0, 0, NULL},
    {"test_bernoulli_seed_expanded", "no generator of random numbers is prescribed", 0, 0, NULL},
    {"test_training_dropout", "no generator of random numbers is prescribed", 0, 0, NULL},
    {"test_training_dropout_default", "no generator of random numbers is prescribed", 0, 0, NULL},
    {"test_training_dropout_default_mask", "no generator of random numbers is prescribed", 0, 0,
     NULL},
    {"test_training_dropout_mask", "no generator of random numbers is prescribed", 0, 0, NULL},
    {"opset18/node/test_cast_FLOAT_to_BFLOAT16", BF16, 0, 0, NULL},
    {"opset18/node/test_castlike_FLOAT_to_BFLOAT16", BF16, 0, 0, NULL},
    {"opset18/node/test_castlike_FLOAT_to_BFLOAT16_expanded", BF16, 0, 0, NULL},
    {"opset20/node/test_cast_FLOAT_to_BFLOAT16", BF16, 0, 0, NULL},
    {"opset20/node/test_castlike_FLOAT_to_BFLOAT16", BF16, 0, 0, NULL},
    {"opset20/node/test_castlike_FLOAT_to_BFLOAT16_expanded", BF16, 0, 0, NULL},
    {"opset22/node/test_cast_FLOAT_to_BFLOAT16", BF16, 0, 0, NULL},
    {"opset22/node/test_castlike_FLOAT_to_BFLOAT16", BF16, 0, 0, NULL},
    {"opset22/node/test_castlike_FLOAT_to_BFLOAT16_expanded", BF16, 0, 0, NULL},
    {"opset23/node/test_cast_FLOAT_to_BFLOAT16", BF16, 0, 0, NULL},
    {"opset23/node/test_castlike_FLOAT_to_BFLOAT16", BF16, 0, 0, NULL},
    {"opset23/node/test_castlike_FLOAT_to_BFLOAT16_expanded", BF16, 0, 0, NULL},
    {"opset22/node/test_cast_FLOAT16_to_INT4", BIT4, 0, 0, NULL},
    {"opset22/node/test_cast_FLOAT16_to_UINT4", BIT4, 0, 0, NULL},
    {"opset22/node/test_cast_FLOAT_to_INT4", BIT4, 0, 0, NULL},
    {"opset22/node/test_cast_FLOAT_to_UINT4", BIT4, 0, 0, NULL},
    {"opset23/node/test_cast_FLOAT16_to_INT4", BIT4, 0, 0, NULL},
    {"opset23/node/test_cast_FLOAT16_to_UINT4", BIT4, 0, 0, NULL},
    {"opset23/node/test_cast_FLOAT_to_INT4", BIT4, 0, 0, NULL},
    {"opset23/node/test_cast_FLOAT_to_UINT4", BIT4, 0, 0, NULL},
    {"opset23/node/test_cast_FLOAT16_to_FLOAT4E2M1", FP4, 0, 0, NULL},
    {"opset23/node/test_cast_FLOAT_to_FLOAT4E2M1", FP4, 0, 0, NULL},
    {"opset18/node/test_castlike_BFLOAT16_to_FLOAT", LIKE, 0, 0, NULL},
    {"opset18/node/test_castlike_BFLOAT16_to_FLOAT_expanded", LIKE, 0, 0, NULL},
    {"opset21/node/test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True",
     POOL, 0, 0, NULL},
    {"opset06/pytorch-operator/test_operator_lstm", OLD_RNN, 0, 0, NULL},
    {"opset06/pytorch-operator/test_operator_rnn", OLD_RNN, 0, 0, NULL},
    {"opset06/pytorch-operator/test_operator_rnn_single_layer", OLD_RNN, 0, 0, NULL},
    {NULL, NULL, 0, 0, NULL},
};

#undef BF16
#undef BIT4
#undef FP4
#undef LIKE
#undef POOL
#undef OLD_RNN

/* The row for a case's path, or NULL: its last part, or its last parts where the row names more. */
static inline const TestRow *test_table_find(const char *path)
{
    const size_t size = strlen(path);
    for (const TestRow *row = test_rows; row->name; row++) {
        const size_t length = strlen(row->name);
        if (length <= size && !strcmp(path + size - length, row->name) &&
            (length == size || path[size - length - 1] == '/'))
            return row;
    }
    return NULL;
}

#endif
