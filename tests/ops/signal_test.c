/* SPDX-License-Identifier: Apache-2.0 */
/* Recurrences, sums along axes, sorting, Einsum, images and signals: values and refusals. */
#include "tests/support/op.h"

TEST(recurrences_keep_state_and_lengths)
{
    static const OpRow rows[] = {
        {"RNN",
         {"float[2,1,1] = {1, 2}", "float[1,1,1] = {1}", "float[1,1,1] = {1}"},
         "hidden_size = 1, activations = [\"Relu\"]",
         .outputs = 2,
         .want = "float[2,1,1,1] {1, 3}; float[1,1,1] {3}"},
        {"RNN",
         {"float[2,1,1] = {1, 2}", "float[1,1,1] = {1}", "float[1,1,1] = {1}"},
         "direction = \"reverse\", activations = [\"Relu\"]",
         .outputs = 2,
         .want = "float[2,1,1,1] {3, 2}; float[1,1,1] {3}"},
        {"RNN",
         {"float[2,1,1] = {1, 2}", "float[1,1,1] = {1}", "float[1,1,1] = {1}", "_",
          "int32[1] = {1}"},
         "activations = [\"Relu\"]",
         .outputs = 2,
         .want = "float[2,1,1,1] {1, 0}; float[1,1,1] {1}"},
        {"RNN",
         {"float[2,1,1] = {1, 2}", "float[1,1,1] = {1}", "float[1,1,1] = {1}", "_",
          "int32[1] = {3}"},
         .want = "error: sequence_lens[0] is 3, expected 0 to 2"},
        {"LSTM",
         {"float[T,B,4]", "float[2,12,4]", "float[2,12,3]"},
         "direction = \"bidirectional\"",
         .outputs = 3,
         .want = "float[T,2,B,3]; float[2,B,3]; float[2,B,3]"},
        {"GRU",
         {"float[T,B,4]", "float[1,9,4]", "float[1,9,3]"},
         "layout = 1",
         .want = "float[T,B,1,3]"},
        {"LSTM",
         {"float[T,B,4]", "float[1,11,4]", "float[1,12,3]"},
         .want = "error: input 1 has size 11 along dimension 1, expected 12"},
        {"RNN",
         {"float[T,B,4]", "float[1,3,4]", "float[1,3,3]"},
         "activations = [\"Sine\"]",
         .want = "error: activation 'Sine' is none of ONNX's"},
    };
    OP_CHECK(t, rows);
}

TEST(lines_are_summed_and_sorted)
{
    static const OpRow rows[] = {
        {"CumSum",
         {"float[3] = {1, 2, 3}", "int64[] = {0}"},
         "exclusive = 1, reverse = 1",
         .want = "float[3] {5, 3, 0}"},
        {"CumProd", {"int64[3] = {2, 3, 4}", "int64[] = {-1}"}, .want = "int64[3] {2, 6, 24}"},
        {"CumSum", {"float[3]", "int64[] = {1}"}, .want = "error: axis is 1, expected -1 to 0"},
        {"TopK",
         {"float[4] = {1, 3, 3, nan}", "int64[1] = {3}"},
         .outputs = 2,
         .want = "float[3] {nan, 3, 3}; int64[3] {3, 1, 2}"},
        {"TopK",
         {"int64[3] = {9007199254740993, 9007199254740992, 1}", "int64[1] = {1}"},
         .outputs = 2,
         .want = "int64[1] {9007199254740993}; int64[1] {0}"},
        {"TopK",
         {"float[N,2]", "int64[1] = {3}"},
         .want = "error: K is 3, expected 0 to the length of dimension 1"},
        {"Unique",
         {"float[4] = {2, 1, 2, 3}"},
         .outputs = 4,
         .want = "float[3] {1, 2, 3}; int64[3] {1, 0, 3}; int64[4] {1, 0, 1, 2}; "
                 "int64[3] {1, 2, 1}"},
        {"Unique",
         {"string[3] = {\"b\", \"a\", \"b\"}"},
         "sorted = 0",
         .want = "string[2] {\"b\", \"a\"}"},
    };
    OP_CHECK(t, rows);
}

TEST(einsum_names_dimensions)
{
    static const OpRow rows[] = {
        {"Einsum",
         {"float[2,2] = {1, 2, 3, 4}", "float[2] = {1, 10}"},
         "equation = \"ij,j->i\"",
         .want = "float[2] {21, 43}"},
        {"Einsum", {"float[2,2] = {1, 2, 3, 4}"}, "equation = \"ii\"", .want = "float[] {5}"},
        {"Einsum",
         {"float[N,2,3]", "float[3,4]"},
         "equation = \"...ij,jk\"",
         .want = "float[N,2,4]"},
        {"Einsum",
         {"float[2,3]"},
         "equation = \"i\"",
         .want = "error: 'i': a term of the equation has not as many letters as the input "
                 "dimensions"},
        {"Einsum",
         {"float[2,3]"},
         "equation = \"ij->ik\"",
         .want = "error: the result names a dimension twice, or one that no input has"},
        {"Det", {"float[2,2] = {0, 1, 1, 0}"}, .want = "float[] {-1}"},
    };
    OP_CHECK(t, rows);
}

TEST(images_and_signals)
{
    static const OpRow rows[] = {
        {"NonMaxSuppression",
         {"float[1,3,4] = {0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 3, 3}", "float[1,1,3] = {0.5, 0.9, 0.1}",
          "int64[] = {9}", "float[] = {0.5}"},
         .want = "int64[2,3] {0, 0, 1, 0, 0, 2}"},
        {"MaxUnpool",
         {"float[1,1,1] = {5}", "int64[1,1,1] = {1}"},
         "kernel_shape = [2], strides = [2]",
         .want = "float[1,1,2] {0, 5}"},
        {"MaxUnpool",
         {"float[1,1,1] = {5}", "int64[1,1,1] = {2}"},
         "kernel_shape = [2], strides = [2]",
         .want = "error: index 2 lies outside of the output"},
        {"RoiAlign",
         {"float[1,1,2,2] = {1, 2, 3, 4}", "float[1,4] = {0, 0, 2, 2}", "int64[1] = {3}"},
         .want = "error: batch_indices[0] is 3, expected 0 to 0"},
        {"GridSample",
         {"float[1,1,1,2] = {1, 3}", "float[1,1,1,2] = {0, 0}"},
         .want = "float[1,1,1,1] {2}"},
        {"DFT", {"float[1,2,1] = {1, 3}"}, .want = "float[1,2,2] {4, 0, -2, 0}"},
        {"STFT",
         {"float[B,L,1]", "int64[] = {2}", "float[4]"},
         .want = "float[B,floor(L/2) - 1,3,2]"},
        {"STFT",
         {"float[1,3] = {1, 3, 2}", "int64[] = {1}", "float[2] = {1, 2}"},
         .want = "float[1,2,2,2] {7, 0, -5, 0, 7, 0, -1, 0}"},
        {"STFT",
         {"float[B,L,1]", "int64[] = {0}", "float[4]"},
         .want = "error: frame_step is 0, expected 1 at least"},
        {"HannWindow", {"int64[] = {4}"}, .want = "float[4] {0, 0.5, 1, 0.5}"},
        {"NegativeLogLikelihoodLoss",
         {"float[1,2] = {0.5, 0.25}", "int64[1] = {2}"},
         .want = "error: target 0 is class 2, expected 0 to 1"},
    };
    OP_CHECK(t, rows);
}

TEST_MAIN(CASE(recurrences_keep_state_and_lengths), CASE(lines_are_summed_and_sorted),
          CASE(einsum_names_dimensions), CASE(images_and_signals))
