/* SPDX-License-Identifier: Apache-2.0 */
/* engine/ops/optimizer.c: steps by hand, several tensors, both types, and what is refused.  The
 * published cases are of the first step, T = 0, but for Momentum. */
#include "tests/support/op.h"

#define TRAINING "ai.onnx.preview.training."
#define PLAIN    "alpha = 0.5, beta = 0.25, norm_coefficient = 0.0"

TEST(tensors_are_moved_against_their_gradients)
{
    static const OpRow rows[] = {
        /* r = 0.5 / (1 + 2 * 0.5); g = 0.5 * 2 + 3; h = 0 + 16 */
        {TRAINING "Adagrad",
         {"float[] = {0.5}", "int64[] = {2}", "double[1] = {2}", "double[1] = {3}",
          "double[1] = {0}"},
         "decay_factor = 0.5, epsilon = 0.0, norm_coefficient = 0.5",
         .outputs = 2,
         .want = "double[1] {1.75}; double[1] {16}"},
        /* Without T the averages as they are; then made up for by sqrt(1 - 0.75) / (1 - 0.5). */
        {TRAINING "Adam",
         {"float[] = {1}", "int64[] = {0}", "float[1] = {2}", "float[1] = {4}", "float[1] = {0}",
          "float[1] = {0}"},
         "alpha = 0.5, beta = 0.75, epsilon = 0.0",
         .outputs = 3,
         .want = "float[1] {1}; float[1] {2}; float[1] {4}"},
        {TRAINING "Adam",
         {"double[1] = {2}", "int64[1] = {1}", "float[1] = {2}", "float[1] = {4}", "float[1] = {0}",
          "float[1] = {0}"},
         "alpha = 0.5, beta = 0.75, epsilon = 0.0, norm_coefficient_post = 0.25",
         .outputs = 3,
         .want = "float[1] {0}; float[1] {2}; float[1] {4}"},
        {TRAINING "Adam",
         {"float[] = {0}", "int64[] = {3}", "float[1] = {2}", "float[1] = {4}", "float[1] = {1}",
          "float[1] = {1}"},
         "alpha = 0.5, beta = 0.75, norm_coefficient_post = 0.25",
         .want = "float[1] {1.5}"},
        {TRAINING "Momentum",
         {"float[] = {2}", "int64[] = {0}", "float[1] = {1}", "float[1] = {4}", "float[1] = {2}"},
         "mode = \"standard\", " PLAIN,
         .outputs = 2,
         .want = "float[1] {-9}; float[1] {5}"},
        {TRAINING "Momentum",
         {"float[] = {2}", "int64[] = {7}", "float[1] = {1}", "float[1] = {4}", "float[1] = {2}"},
         "mode = \"standard\", " PLAIN,
         .outputs = 2,
         .want = "float[1] {-3}; float[1] {2}"},
        {TRAINING "Momentum",
         {"float[] = {2}", "int64[] = {7}", "float[1] = {1}", "float[1] = {4}", "float[1] = {2}"},
         "mode = \"nesterov\", " PLAIN,
         .outputs = 2,
         .want = "float[1] {-9}; float[1] {2}"},
    };
    OP_CHECK(t, rows);
}

TEST(several_tensors_stand_part_by_part)
{
    static const OpRow rows[] = {
        {TRAINING "Momentum",
         {"float[] = {1}", "int64[] = {0}", "float[2] = {1, 2}", "double[1] = {3}",
          "float[2] = {10, 20}", "double[1] = {30}", "float[2] = {2, 4}", "double[1] = {6}"},
         "mode = \"standard\", " PLAIN,
         .outputs = 4,
         .want = "float[2] {-10, -20}; double[1] {-30}; float[2] {11, 22}; double[1] {33}"},
        {TRAINING "Adagrad",
         {"float[]", "int64[]", "float[N,2]", "double[3]", "float[N,2]", "double[3]", "float[N,2]",
          "double[3]"},
         .outputs = 4,
         .want = "float[N,2]; double[3]; float[N,2]; double[3]"},
        {TRAINING "Adagrad",
         {"float[] = {1}", "int64[] = {0}", "float[0] = {}", "float[0] = {}", "float[0] = {}"},
         .want = "float[0] {}"},
    };
    OP_CHECK(t, rows);
}

TEST(what_does_not_fit_is_refused)
{
    static const OpRow rows[] = {
        {TRAINING "Adam",
         {"float[]", "int64[]", "float[1]", "float[1]", "float[1]"},
         .want = "error: 3 tensors behind R and T, expected as many of each of XGVH"},
        {TRAINING "Adagrad",
         {"float[]", "int64[]", "float[1]", "float[1]", "float[1]"},
         .outputs = 3,
         .want = "error: 3 outputs of 1 tensors, expected 2 at most"},
        {TRAINING "Adagrad",
         {"float[2]", "int64[]", "float[1]", "float[1]", "float[1]"},
         .want = "error: input 0 has 2 elements, expected 1"},
        {TRAINING "Adagrad",
         {"float[]", "int64[0]", "float[1]", "float[1]", "float[1]"},
         .want = "error: input 1 has 0 elements, expected 1"},
        {TRAINING "Momentum",
         {"float[]", "int64[]", "float[1]", "float[1]", "float[1]"},
         "mode = \"fast\", " PLAIN,
         .want = "error: mode is not standard or nesterov"},
        {TRAINING "Adagrad",
         {"float[]", "int64[]", "float[2,3]", "float[2,4]", "float[2,3]"},
         .want = "error: input 3 has size 4 along dimension 1, expected 3"},
    };
    OP_CHECK(t, rows);
}

TEST_MAIN(CASE(tensors_are_moved_against_their_gradients), CASE(several_tensors_stand_part_by_part),
          CASE(what_does_not_fit_is_refused))
