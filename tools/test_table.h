/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one table of cases that are judged otherwise than most: by exact name, with the reason.
 *
 * Nothing else in quern knows the name of a case.  A row that skips forgives other elements than
 * expected, and a case that it names and that passes is a failure, so that no row outlives its
 * reason.
 */
#ifndef QN_TOOLS_TEST_TABLE_H
#define QN_TOOLS_TEST_TABLE_H

#include <stddef.h>
#include <string.h>

#include "base/compiler.h"

typedef struct TestRow {
    const char *name;   /* the end of the case's path, from the folder of the suite on */
    const char *skip;   /* why the data cannot be met; NULL: it can */
    const char *reason; /* of all that follows */
    double rtol, atol;  /* wider bounds; 0: the usual ones */
    int open;           /* 1 + the element of the outputs that the standard leaves open; 0: none */
    int fill;           /* 1 + the input that is taken in the shape which the model declares, filled
                           with its first element; 0: none */
    const float *also;  /* [also_count] elements of output 0 that are as right as the data's */
    int also_count;
} TestRow;

/* clang-format off */

/* Why data cannot be met, or is read otherwise. */
#define RANDOM  "no generator of random numbers is prescribed"
#define BF16    "this release truncated to bfloat16; the standard rounds"
#define BIT4    "this release saturated to 4 bits; the newest keeps the low bits"
#define POOL    "later releases corrected this data"
#define FP4     "no float4 is NaN: this release made it the largest number, the newest makes it -0"
#define LIKE    "the data of 'like' has another rank than its model declares, and only its type counts"
#define CORNERS "the reference divides by the length before it is cut to an integer, most by the one after"
#define DFT     "computed in float32, with an error of 2e-7 where the result is 0"

/* What corners at whole lengths give. */
static const float corners_linear[] = {1, 4};
static const float corners_cubic[] = {1, 2.5f, 4, 7, 8.5f, 10, 13, 14.5f, 16};
#define ALSO(array) .also = (array), .also_count = (int)QN_COUNT_OF(array)

static const TestRow test_rows[] = {
    {"by-opset/opset21/node/test_bernoulli", .skip = RANDOM},
    {"by-opset/opset21/node/test_bernoulli_double", .skip = RANDOM},
    {"by-opset/opset21/node/test_bernoulli_double_expanded", .skip = RANDOM},
    {"by-opset/opset21/node/test_bernoulli_expanded", .skip = RANDOM},
    {"by-opset/opset21/node/test_bernoulli_seed", .skip = RANDOM},
    {"by-opset/opset21/node/test_bernoulli_seed_expanded", .skip = RANDOM},
    {"newest/node/test_bernoulli", .skip = RANDOM},
    {"newest/node/test_bernoulli_double", .skip = RANDOM},
    {"newest/node/test_bernoulli_double_expanded", .skip = RANDOM},
    {"newest/node/test_bernoulli_expanded", .skip = RANDOM},
    {"newest/node/test_bernoulli_seed", .skip = RANDOM},
    {"newest/node/test_bernoulli_seed_expanded", .skip = RANDOM},
    {"by-opset/opset16/node/test_training_dropout", .skip = RANDOM},
    {"by-opset/opset16/node/test_training_dropout_default", .skip = RANDOM},
    {"by-opset/opset16/node/test_training_dropout_default_mask", .skip = RANDOM},
    {"by-opset/opset16/node/test_training_dropout_mask", .skip = RANDOM},
    {"by-opset/opset21/node/test_training_dropout", .skip = RANDOM},
    {"by-opset/opset21/node/test_training_dropout_default", .skip = RANDOM},
    {"by-opset/opset21/node/test_training_dropout_default_mask", .skip = RANDOM},
    {"by-opset/opset21/node/test_training_dropout_mask", .skip = RANDOM},
    {"newest/node/test_training_dropout", .skip = RANDOM},
    {"newest/node/test_training_dropout_default", .skip = RANDOM},
    {"newest/node/test_training_dropout_default_mask", .skip = RANDOM},
    {"newest/node/test_training_dropout_mask", .skip = RANDOM},
    {"by-opset/opset18/node/test_cast_FLOAT_to_BFLOAT16", .skip = BF16},
    {"by-opset/opset18/node/test_castlike_FLOAT_to_BFLOAT16", .skip = BF16, .fill = 2, .reason = LIKE},
    {"by-opset/opset18/node/test_castlike_FLOAT_to_BFLOAT16_expanded", .skip = BF16, .fill = 2, .reason = LIKE},
    {"by-opset/opset20/node/test_cast_FLOAT_to_BFLOAT16", .skip = BF16},
    {"by-opset/opset20/node/test_castlike_FLOAT_to_BFLOAT16", .skip = BF16},
    {"by-opset/opset20/node/test_castlike_FLOAT_to_BFLOAT16_expanded", .skip = BF16},
    {"by-opset/opset22/node/test_cast_FLOAT_to_BFLOAT16", .skip = BF16},
    {"by-opset/opset22/node/test_castlike_FLOAT_to_BFLOAT16", .skip = BF16},
    {"by-opset/opset22/node/test_castlike_FLOAT_to_BFLOAT16_expanded", .skip = BF16},
    {"by-opset/opset23/node/test_cast_FLOAT_to_BFLOAT16", .skip = BF16},
    {"by-opset/opset23/node/test_castlike_FLOAT_to_BFLOAT16", .skip = BF16},
    {"by-opset/opset23/node/test_castlike_FLOAT_to_BFLOAT16_expanded", .skip = BF16},
    {"by-opset/opset22/node/test_cast_FLOAT16_to_INT4", .skip = BIT4},
    {"by-opset/opset22/node/test_cast_FLOAT16_to_UINT4", .skip = BIT4},
    {"by-opset/opset22/node/test_cast_FLOAT_to_INT4", .skip = BIT4},
    {"by-opset/opset22/node/test_cast_FLOAT_to_UINT4", .skip = BIT4},
    {"by-opset/opset23/node/test_cast_FLOAT16_to_INT4", .skip = BIT4},
    {"by-opset/opset23/node/test_cast_FLOAT16_to_UINT4", .skip = BIT4},
    {"by-opset/opset23/node/test_cast_FLOAT_to_INT4", .skip = BIT4},
    {"by-opset/opset23/node/test_cast_FLOAT_to_UINT4", .skip = BIT4},
    {"by-opset/opset21/node/test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True", .skip = POOL},
    {"by-opset/opset23/node/test_cast_FLOAT16_to_FLOAT4E2M1", .open = 9, .reason = FP4},
    {"by-opset/opset23/node/test_cast_FLOAT_to_FLOAT4E2M1", .open = 9, .reason = FP4},
    {"by-opset/opset18/node/test_castlike_BFLOAT16_to_FLOAT", .fill = 2, .reason = LIKE},
    {"by-opset/opset18/node/test_castlike_BFLOAT16_to_FLOAT_expanded", .fill = 2, .reason = LIKE},
    {"by-opset/opset12/node/test_resize_downsample_scales_cubic_align_corners", ALSO(corners_cubic), .reason = CORNERS},
    {"by-opset/opset12/node/test_resize_downsample_scales_linear_align_corners", ALSO(corners_linear), .reason = CORNERS},
    {"by-opset/opset17/node/test_resize_downsample_scales_cubic_align_corners", ALSO(corners_cubic), .reason = CORNERS},
    {"by-opset/opset17/node/test_resize_downsample_scales_linear_align_corners", ALSO(corners_linear), .reason = CORNERS},
    {"by-opset/opset18/node/test_resize_downsample_scales_cubic_align_corners", ALSO(corners_cubic), .reason = CORNERS},
    {"by-opset/opset18/node/test_resize_downsample_scales_linear_align_corners", ALSO(corners_linear), .reason = CORNERS},
    {"newest/node/test_resize_downsample_scales_cubic_align_corners", ALSO(corners_cubic), .reason = CORNERS},
    {"newest/node/test_resize_downsample_scales_linear_align_corners", ALSO(corners_linear), .reason = CORNERS},
    {"newest/node/test_dft_inverse", .rtol = 1e-3, .atol = 1e-6, .reason = DFT},
    {"newest/node/test_dft_inverse_opset19", .rtol = 1e-3, .atol = 1e-6, .reason = DFT},
};
/* clang-format on */

#undef RANDOM
#undef BF16
#undef BIT4
#undef POOL
#undef FP4
#undef LIKE
#undef CORNERS
#undef DFT
#undef ALSO

/* The row whose name is the end of the path, in whole parts; NULL: there is none. */
static inline const TestRow *test_table_find(const char *path)
{
    const size_t size = strlen(path);
    for (size_t i = 0; i < QN_COUNT_OF(test_rows); i++) {
        const size_t length = strlen(test_rows[i].name);
        if (length <= size && !strcmp(path + size - length, test_rows[i].name) &&
            (length == size || path[size - length - 1] == '/'))
            return &test_rows[i];
    }
    return NULL;
}

#endif
