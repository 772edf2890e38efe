/* SPDX-License-Identifier: Apache-2.0 */
/* Operators of com.microsoft: corners, and what they refuse. */
#include "tests/support/op.h"

TEST(boxes_name_images_that_are_there)
{
    static const OpRow rows[] = {
        {"ms.CropAndResize",
         {"float[N,3,H,W]", "float[R,4]", "int32[R]", "int32[2] = {4, 5}"},
         .want = "float[R,3,4,5]"},
        {"ms.CropAndResize",
         {"float[1,1,2,2] = {1, 2, 3, 4}", "float[1,4] = {0, 0, 1, 1}", "int32[1] = {0}",
          "int32[2] = {1, 2}"},
         .want = "float[1,1,1,2] {2, 3}"},
        {"ms.CropAndResize",
         {"float[1,1,2,2] = {1, 2, 3, 4}", "float[1,4] = {0, 0, 1, 1}", "int32[1] = {1}",
          "int32[2] = {1, 2}"},
         .want = "error: batch_indices[0] is 1, expected 0 to 0"},
        {"ms.CropAndResize",
         {"float[N,3,H,W]", "float[R,4]", "int32[R]", "int32[2] = {0, 5}"},
         .want = "error: crop_size[0] is 0, expected 1 to 1048576"},
        {"ms.CropAndResize",
         {"float[N,3,H,W]", "float[R,5]", "int32[R]", "int32[2] = {4, 5}"},
         .want = "error: boxes have 5 numbers, expected 4"},
        {"ms.CropAndResize",
         {"float[N,3,H,W]", "float[2,4]", "int32[3]", "int32[2]"},
         .want = "error: there are 2 boxes for 3 batch indices"},
        {"ms.CropAndResize",
         {"float[N,3,H,W]", "float[R,4]", "int32[R]", "int32[2]"},
         "mode = \"cubic\"",
         .want = "error: mode is not bilinear or nearest"},
    };
    OP_CHECK(t, rows);
}

TEST(masks_have_the_size_of_planes)
{
    static const OpRow rows[] = {
        {"ms.MaxpoolWithMask",
         {"float[1,2,3] = {1, 2, 3, 6, 5, 4}", "int32[1,1,3] = {1, 0, 1}"},
         "kernel_shape = [2]",
         .want = "float[1,2,2] {1, -3.40282e+38, 6, -3.40282e+38}"},
        {"ms.MaxpoolWithMask",
         {"float[1,2,3]", "int32[1,1,4]"},
         "kernel_shape = [2]",
         .want = "error: dimension 2 of the mask is 4, of the input 3"},
        {"ms.MaxpoolWithMask",
         {"float[1,2,3]", "int32[1,0,3]"},
         "kernel_shape = [2]",
         .want = "error: dimension 1 of the mask is 0, of the input 2"},
        {"ms.MaxpoolWithMask",
         {"float[1,2,3]", "int32[2,3]"},
         "kernel_shape = [2]",
         .want = "error: the mask has rank 2, expected 3"},
    };
    OP_CHECK(t, rows);
}

TEST(matrices_are_inverted)
{
    static const OpRow rows[] = {
        {"ms.Inverse", {"float[2,2] = {2, 0, 0, 4}"}, .want = "float[2,2] {0.5, 0, 0, 0.25}"},
        {"ms.Inverse", {"float[2,2] = {0, 1, 1, 0}"}, .want = "float[2,2] {0, 1, 1, 0}"},
        {"ms.Inverse", {"float[0,2,2] = {}"}, .want = "float[0,2,2] {}"},
        {"ms.Inverse", {"double[B,3,3]"}, .want = "double[B,3,3]"},
        {"ms.Inverse",
         {"float[2,3]"},
         .want = "error: the matrices are 2 by 3, expected square ones"},
        {"ms.Inverse", {"float[4]"}, .want = "error: input 0 has rank 1, expected 2 at least"},
    };
    OP_CHECK(t, rows);
}

TEST(hashes_are_of_bytes)
{
    static const OpRow rows[] = {
        {"ms.MurmurHash3", {"string[2] = {\"\", \"abc\"}"}, .want = "uint32[2] {0, 3017643002}"},
        {"ms.MurmurHash3",
         {"string[1] = {\"abc\"}"},
         "positive = 0",
         .want = "int32[1] {-1277324294}"},
        {"ms.MurmurHash3", {"int64[N,2]"}, .want = "uint32[N,2]"},
    };
    OP_CHECK(t, rows);
}

TEST(experts_fit_together)
{
    static const OpRow rows[] = {
        {"ms.MoE",
         {"float[1,1] = {2}", "float[1,2] = {0, 100}", "float[2,1,1] = {1, 3}", "_",
          "float[2,1,1] = {1, 5}"},
         .want = "float[1,1] {30}"},
        {"ms.MoE",
         {"float[T,4]", "float[T,2]", "float[2,3,4]", "_", "float[2,4,3]"},
         .want = "float[T,4]"},
        {"ms.MoE",
         {"float[T,4]", "float[T,2]", "float[2,3,5]", "_", "float[2,4,3]"},
         .want = "error: input 2 has size 5 along dimension 2, expected 4"},
        {"ms.MoE",
         {"float[T,4]", "float[T,2]", "float[2,3,4]", "_", "float[2,4,3]"},
         "k = 3",
         .want = "error: k is 3, expected 1 to the number of experts"},
        {"ms.MoE",
         {"float[T,4]", "float[T,2]", "float[2,3,4]", "_", "float[2,4,3]"},
         "activation_type = \"sine\"",
         .want =
             "error: activation_type is none of relu, relu2, gelu, silu, identity, swiglu, geglu"},
        {"ms.MoE",
         {"float[T,4]", "float[T,2]", "float[2,3,4]", "_", "float[2,4,3]"},
         "activation_type = \"swiglu\"",
         .want = "error: swiglu_fusion is 0 and fc3 is absent"},
        {"ms.MoE",
         {"float[T,4]", "float[T,2]", "float[2,3,4]", "_", "float[2,4,3]"},
         "activation_type = \"swiglu\", swiglu_fusion = 1",
         .want = "error: input 2 has size 3 along dimension 1, expected 6"},
        {"ms.QMoE", /* codes 9 and 8, 10 and 8 of zero point 8 */
         {"float[1,2] = {2, 3}", "float[1,1] = {0}", "uint8[1,2,1] = {137, 138}",
          "float[1,2] = {1, 0.5}", "_", "uint8[1,2,1] = {137, 152}", "float[1,2] = {1, 2}"},
         .want = "float[1,2] {2, 4}"},
        {"ms.QMoE",
         {"float[T,32]", "float[T,2]", "uint8[2,16,16]", "float[2,16,1]", "_", "uint8[2,32,8]",
          "float[2,32,1]"},
         "block_size = 32",
         .want = "float[T,32]"},
        {"ms.QMoE",
         {"float[T,32]", "float[T,2]", "uint8[2,16,15]", "float[2,16]", "_", "uint8[2,32,8]",
          "float[2,32]"},
         .want = "error: input 2 has size 15 along dimension 2, expected 16"},
        {"ms.QMoE",
         {"float[T,32]", "float[T,2]", "uint8[2,16,16]", "float[2,16,2]", "_", "uint8[2,32,8]",
          "float[2,32,1]"},
         "block_size = 32",
         .want = "error: input 3 has size 2 along dimension 2, expected 1"},
        {"ms.QMoE",
         {"float[T,32]", "float[T,2]", "uint8[2,16,16]", "_", "_", "uint8[2,32,8]", "float[2,32]"},
         .want = "error: input 3 is absent, expected scales of input 2"},
        {"ms.QMoE",
         {"float[T,32]", "float[T,2]", "uint8[2,16,16]", "float[2,16]", "_", "uint8[2,32,8]",
          "float[2,32]"},
         "block_size = 24",
         .want = "error: block_size is 24, expected a power of two from 16 on"},
        {"ms.QMoE",
         {"float[T,32]", "float[T,2]", "uint8[2,16,16]", "float[2,16]", "_", "uint8[2,32,8]",
          "float[2,32]"},
         "fc2_expert_weight_bits = 3",
         .want = "error: weights have 3 bits, expected 2, 4 or 8"},
        {"ms.QMoE",
         {"float[T,32]", "float[T,2]", "uint8[2,16,16]", "float[2,16]", "_", "uint8[2,32,8]",
          "float[2,32]"},
         "quant_type = \"fp8\"",
         .want = "error: quant_type is not int"},
        {"ms.QMoE",
         {"float[T,32]", "float[T,2]", "uint8[2,16,16]", "float[2,16]", "_", "uint8[2,32,8]",
          "float[2,32]"},
         "weights_prepacked = 1",
         .want = "error: weights_prepacked is 1, expected weights as they are"},
    };
    OP_CHECK(t, rows);
}

TEST(tokens_are_in_the_vocabulary)
{
    static const OpRow rows[] = {
        {"ms.NGramRepeatBlock",
         {"int64[1,3] = {1, 0, 1}", "float[1,2] = {5, 6}"},
         "ngram_size = 2",
         .want = "float[1,2] {-inf, 6}"},
        {"ms.NGramRepeatBlock",
         {"int64[1,3] = {1, 2, 1}", "float[1,2] = {5, 6}"},
         "ngram_size = 2",
         .want = "error: token 1 is 2, expected 0 to 1"},
        {"ms.NGramRepeatBlock",
         {"int64[1,3] = {1, -1, 1}", "float[1,2] = {5, 6}"},
         "ngram_size = 2",
         .want = "error: token 1 is -1, expected 0 to 1"},
        {"ms.NGramRepeatBlock",
         {"int64[B,3]", "float[B,V]"},
         "ngram_size = 0",
         .want = "error: ngram_size is 0, expected 1 at least"},
        {"ms.NGramRepeatBlock",
         {"int64[2,3]", "float[1,V]"},
         "ngram_size = 2",
         .want = "error: there are 2 rows of tokens and 1 of scores"},
    };
    OP_CHECK(t, rows);
}

TEST(predictions_are_taken_over_as_far_as_they_agree)
{
    static const OpRow rows[] = {
        {"ms.BifurcationDetector",
         {"int64[3] = {1, 2, 3}", "int64[1] = {9}", "int64[] = {1}", "int64[3] = {2, 7, 8}"},
         .outputs = 2,
         .want = "int64[3] {9, 2, 7}; int64[] {-1}"},
        {"ms.BifurcationDetector",
         {"int64[3] = {1, 2, 3}", "int64[1] = {9}", "int64[] = {4}", "int64[3] = {2, 7, 8}"},
         .outputs = 2,
         .want = "error: prev_suffix_match_idx is 4, expected 0 to 3"},
        {"ms.BifurcationDetector",
         {"int64[3] = {1, 2, 3}", "int64[1] = {9}", "int64[] = {1}", "int64[1] = {2}"},
         .outputs = 2,
         .want = "error: there are 1 predicted tokens, expected 3"},
        {"ms.BifurcationDetector",
         {"int64[S]", "int64[C]", "int64[1]"},
         "max_ngram_size = 0",
         .outputs = 2,
         .want = "error: n-grams have 1 to 0 tokens, expected 1 at least"},
    };
    OP_CHECK(t, rows);
}

TEST(the_cheapest_way_is_found)
{
    static const OpRow rows[] = {
        {"ms.DynamicTimeWarping",
         {"float[2,3] = {1, 9, 9, 1, 1, 1}"},
         .want = "int32[2,3] {0, 1, 1, 0, 1, 2}"},
        {"ms.DynamicTimeWarping", {"float[0,3] = {}"}, .want = "int32[2,0] {}"},
        {"ms.DynamicTimeWarping",
         {"float[2,3,4]"},
         .want = "error: there are 2 matrices, expected 1"},
        {"ms.DynamicTimeWarping",
         {"float[3]"},
         .want = "error: input 0 has rank 1, expected 2 or 3"},
    };
    OP_CHECK(t, rows);
}

TEST_MAIN(CASE(boxes_name_images_that_are_there), CASE(masks_have_the_size_of_planes),
          CASE(matrices_are_inverted), CASE(hashes_are_of_bytes), CASE(experts_fit_together),
          CASE(tokens_are_in_the_vocabulary), CASE(predictions_are_taken_over_as_far_as_they_agree),
          CASE(the_cheapest_way_is_found))
