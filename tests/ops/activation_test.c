/* SPDX-License-Identifier: Apache-2.0 */
/* Activations and Softmax: values, the corners of formulas, and what is refused. */
#include "tests/support/op.h"

TEST(activations_follow_their_formulas)
{
    static const OpRow rows[] = {
        {"Relu", {"float[3] = {-1, nan, 2}"}, .want = "float[3] {0, nan, 2}"},
        {"Relu", {"int8[2] = {-128, 5}"}, .want = "int8[2] {0, 5}"},
        {"LeakyRelu", {"float[2] = {-2, 3}"}, "alpha = 0.5", .want = "float[2] {-1, 3}"},
        {"PRelu", {"float[1,2] = {-2, -3}", "float[2] = {2, 1}"}, .want = "float[1,2] {-4, -3}"},
        {"Elu", {"float[2] = {-1, 1}"}, .want = "float[2] {-0.632121, 1}"},
        {"Celu", {"float[2] = {-1, 1}"}, "alpha = 2.0", .want = "float[2] {-0.786939, 1}"},
        {"Selu", {"float[2] = {-1, 1}"}, .want = "float[2] {-1.11133, 1.0507}"},
        {"ThresholdedRelu", {"float[2] = {1, 1.5}"}, .want = "float[2] {0, 1.5}"},
        {"Sigmoid", {"float[3] = {-1000, 0, 1000}"}, .want = "float[3] {0, 0.5, 1}"},
        {"HardSigmoid", {"float[3] = {-9, 0, 9}"}, .want = "float[3] {0, 0.5, 1}"},
        {"HardSwish", {"float[3] = {-4, 1, 4}"}, .want = "float[3] {0, 0.666667, 4}"},
        {"Softplus", {"float[3] = {-1000, 0, 1000}"}, .want = "float[3] {0, 0.693147, 1000}"},
        {"Softsign", {"float[2] = {-1, 3}"}, .want = "float[2] {-0.5, 0.75}"},
        {"Mish", {"float[2] = {0, 1000}"}, .want = "float[2] {0, 1000}"},
        {"Gelu", {"float[2] = {-1, 1}"}, .want = "float[2] {-0.158655, 0.841345}"},
        {"Gelu", {"float[1] = {1}"}, "approximate = \"tanh\"", .want = "float[1] {0.841192}"},
        {"Swish", {"float[2] = {0, 1}"}, "alpha = 2.0", .want = "float[2] {0, 0.880797}"},
        {"Shrink", {"float[3] = {-2, 0.5, 2}"}, "bias = 1.0", .want = "float[3] {-1, 0, 1}"},
        {"Shrink", {"int32[3] = {-2, 0, 3}"}, "bias = 0.5", .want = "int32[3] {-1, 0, 2}"},
    };
    OP_CHECK(t, rows);
}

TEST(clip_takes_either_bound_and_the_upper_one_wins)
{
    static const OpRow rows[] = {
        {"Clip", {"float[3] = {-1, 0, 2}", "float[] = {0}"}, .want = "float[3] {0, 0, 2}"},
        {"Clip", {"float[3] = {-1, 0, 2}", "_", "float[] = {1}"}, .want = "float[3] {-1, 0, 1}"},
        {"Clip",
         {"float[2] = {1, 9}", "float[] = {5}", "float[] = {3}"},
         .want = "float[2] {3, 3}"},
        {"Clip", {"float[1] = {nan}", "float[] = {0}", "float[] = {1}"}, .want = "float[1] {nan}"},
        {"Clip",
         {"uint64[1] = {18446744073709551615}", "uint64[] = {0}", "uint64[] = {7}"},
         .want = "uint64[1] {7}"},
        {"Clip", {"float[2] = {-inf, inf}", "float[] = {0}"}, .want = "float[2] {0, 3.40282e+38}"},
        {"Clip", {"float[2] = {-inf, nan}"}, .want = "float[2] {-3.40282e+38, nan}"},
        {"Clip", {"float[N]", "float[2]"}, .want = "error: input 1 'min' is no scalar"},
    };
    OP_CHECK(t, rows);
}

TEST(softmax_stays_in_range)
{
    static const OpRow rows[] = {
        {"Softmax", {"float[1,2] = {1000, 1000}"}, .want = "float[1,2] {0.5, 0.5}"},
        {"Softmax", {"float[2,1] = {0, 0}"}, "axis = 0", .want = "float[2,1] {0.5, 0.5}"},
        {"LogSoftmax", {"float[2] = {1000, 0}"}, .want = "float[2] {0, -1000}"},
        {"Hardmax", {"float[3] = {1, 3, 3}"}, .want = "float[3] {0, 1, 0}"},
        {"Softmax", {"float[0,3] = {}"}, .want = "float[0,3] {}"},
        {"Softmax", {"float[N,3]"}, .want = "float[N,3]"},
    };
    OP_CHECK(t, rows);
}

TEST(wrong_attributes_and_shapes_are_refused)
{
    static const OpRow rows[] = {
        {"Softmax", {"float[N,3]"}, "axis = 2", .want = "error: axis is 2, expected -2 to 1"},
        {"Gelu",
         {"float[1]"},
         "approximate = \"x\"",
         .want = "error: approximate is not 'none' or 'tanh'"},
        {"PRelu",
         {"float[1,2]", "float[3,1,2]"},
         .want = "error: the slope has rank 3, expected 2 at most"},
        {"PRelu",
         {"float[1,2]", "float[4,2]"},
         .want = "error: the slope does not broadcast to dimension 0 of the input"},
    };
    OP_CHECK(t, rows);
}

TEST_MAIN(CASE(activations_follow_their_formulas),
          CASE(clip_takes_either_bound_and_the_upper_one_wins), CASE(softmax_stays_in_range),
          CASE(wrong_attributes_and_shapes_are_refused))
