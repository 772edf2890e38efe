/* SPDX-License-Identifier: Apache-2.0 */
/* Quantized operators: values by hand, and what is refused; ONNX Runtime's results are in data/. */
#include "tests/support/op.h"

TEST(products_of_integers_subtract_zero_points)
{
    static const OpRow rows[] = {
        {"MatMulInteger",
         {"uint8[2,2] = {1, 2, 3, 4}", "int8[2,1] = {10, -10}", "uint8[2] = {1, 2}"},
         .want = "int32[2,1] {-10, -10}"},
        {"MatMulInteger",
         {"uint8[2,1,2] = {1, 2, 3, 4}", "int8[2,1] = {10, -10}", "uint8[2,1,1] = {1, 3}"},
         .want = "int32[2,1,1] {-10, -10}"},
        {"MatMulInteger",
         {"uint8[1,2] = {1, 2}", "uint8[2,2] = {1, 2, 3, 4}", "_", "uint8[2] = {1, 2}"},
         .want = "int32[1,2] {4, 4}"},
        {"MatMulInteger",
         {"uint8[0,2] = {}", "uint8[2,2] = {1, 2, 3, 4}"},
         .want = "int32[0,2] {}"},
        {"MatMulInteger", {"uint8[1,0] = {}", "uint8[0,2] = {}"}, .want = "int32[1,2] {0, 0}"},
        {"MatMulInteger",
         {"uint8[1,2] = {1, 2}", "uint8[2,2] = {1, 2, 3, 4}", "_", "uint8[3] = {1, 2, 3}"},
         .want = "error: a scale or zero point has 3 elements, expected 1 or 2"},
        {"MatMulInteger",
         {"uint8[M,3]", "int8[4,N]"},
         .want = "error: the inner sizes are 3 and 4, expected equal ones"},
        {"MatMulInteger", {"uint8[B,M,3]", "int8[3,N]"}, .want = "int32[B,M,N]"},
    };
    OP_CHECK(t, rows);
}

TEST(integers_of_any_width_multiply_and_wrap)
{
    static const OpRow rows[] = {
        {"MatMul",
         {"int64[1,2] = {9223372036854775807, 1}", "int64[2,1] = {2, 5}"},
         .want = "int64[1,1] {3}"},
        {"MatMul",
         {"uint32[1,1] = {4294967295}", "uint32[1,1] = {4294967295}"},
         .want = "uint32[1,1] {1}"},
        {"Gemm",
         {"int32[1,2] = {3, 4}", "int32[2,1] = {5, 6}", "int32[] = {1}"},
         .want = "int32[1,1] {40}"},
        {"Gemm",
         {"int32[1,2] = {3, 4}", "int32[2,1] = {5, 6}", "int32[] = {3}"},
         "alpha = 0.5, beta = 2.0",
         .want = "int32[1,1] {25}"},
    };
    OP_CHECK(t, rows);
}

TEST(quantized_results_round_halves_to_even_and_saturate)
{
    static const OpRow rows[] = {
        {"QLinearMatMul",
         {"uint8[4,1] = {1, 3, 200, 0}", "float[] = {0.5}", "uint8[] = {0}", "int8[1,1] = {1}",
          "float[] = {1}", "int8[] = {0}", "float[] = {1}", "int8[] = {30}"},
         .want = "int8[4,1] {30, 32, 127, 30}"},
        {"QLinearMatMul",
         {"uint8[1,1] = {1}", "float[] = {0.5}", "uint8[] = {0}", "int8[1,1] = {1}",
          "float[] = {1}", "int8[] = {0}", "float[2] = {1, 2}", "int8[] = {30}"},
         .want = "error: input 6 has 2 elements, expected 1"},
        {"ms.QGemm",
         {"uint8[1,2] = {1, 2}", "float[] = {0.5}", "uint8[] = {0}", "int8[2,2] = {1, 2, 3, 4}",
          "float[2] = {1, 2}", "int8[] = {0}", "int32[1,1] = {1}"},
         "alpha = 2.0",
         .want = "float[1,2] {8, 22}"},
        {"ms.QGemm",
         {"uint8[1,2] = {1, 2}", "float[] = {0.5}", "uint8[] = {0}", "int8[2,2] = {1, 2, 3, 4}",
          "float[] = {1}", "int8[] = {0}", "_", "float[] = {1}"},
         .want = "uint8[1,2] {4, 5}"},
        {"ms.QGemm",
         {"uint8[1,2]", "float[]", "uint8[]", "int8[3,N]", "float[]", "int8[]"},
         .want = "error: the inner sizes are 2 and 3, expected equal ones"},
        {"ms.QGemm",
         {"uint8[M,3]", "float[]", "uint8[]", "int8[3,4]", "float[]", "int8[]", "int32[5]"},
         .want = "error: C has size 5, expected 1 or 4"},
        {"ms.QGemm",
         {"uint8[M,3]", "float[]", "uint8[]", "int8[3,4]", "float[]", "int8[]", "_", "float[]",
          "uint8[]"},
         .want = "uint8[M,4]"},
    };
    OP_CHECK(t, rows);
}

TEST(weights_of_few_bits_are_real_by_blocks)
{
    static const OpRow rows[] = {
        /* 9 and 8 are 1 and 0 less the usual zero point. */
        {"ms.MatMulNBits",
         {"float[1,2] = {3, 5}", "uint8[1,1,8] = {137, 0, 0, 0, 0, 0, 0, 0}", "float[1] = {2}", "_",
          "_", "float[1] = {1}"},
         "K = 2, N = 1, block_size = 16",
         .want = "float[1,1] {7}"},
        {"ms.MatMulNBits",
         {"float[1,2] = {3, 5}", "uint8[1,1,8] = {137, 0, 0, 0, 0, 0, 0, 0}", "float[1] = {2}",
          "uint8[1] = {7}"},
         "K = 2, N = 1, block_size = 16",
         .want = "float[1,1] {22}"},
        {"ms.MatMulNBits",
         {"float[1,2] = {3, 5}", "uint8[1,1,8] = {137, 0, 0, 0, 0, 0, 0, 0}", "float[1] = {2}", "_",
          "int32[2] = {0, 1}"},
         "K = 2, N = 1, block_size = 16",
         .want = "error: g_idx names a block that is not there, expected 0 to 0"},
        {"ms.MatMulNBits",
         {"float[B,S,64]", "uint8[5,2,16]", "float[5,2]"},
         "K = 64, N = 5, block_size = 32",
         .want = "float[B,S,5]"},
        {"ms.MatMulNBits",
         {"float[B,64]", "uint8[5,2,15]", "float[5,2]"},
         "K = 64, N = 5, block_size = 32",
         .want = "error: input 1 has 150 elements, expected 160"},
        {"ms.MatMulNBits",
         {"float[B,63]", "uint8[5,2,16]", "float[5,2]"},
         "K = 64, N = 5, block_size = 32",
         .want = "error: the inner sizes are 63 and 64, expected equal ones"},
        {"ms.MatMulNBits",
         {"float[B,64]", "uint8[5,2,16]", "float[5,2]"},
         "K = 64, N = 5, block_size = 24",
         .want = "error: block_size is 24, expected a power of two"},
        {"ms.MatMulNBits",
         {"float[B,64]", "uint8[5,2,16]", "float[5,2]"},
         "K = 64, N = 5, block_size = 32, bits = 3",
         .want = "error: bits is 3, expected 2, 4 or 8"},
        {"ms.MatMulNBits",
         {"float[B,64]", "uint8[5,2,16]", "float[5,2]"},
         "K = 0, N = 5, block_size = 32",
         .want = "error: K is 0, expected 1 to 2147483647"},
        {"ms.MatMulNBits",
         {"float[B,64]", "uint8[5,2,16]", "float[5,2]"},
         "K = 64, N = 5, block_size = 32, weight_prepacked = 1",
         .want = "error: weight_prepacked is 1, expected 0 to 0"},
        {"ms.MatMulBnb4",
         {"float[1,2] = {3, 5}", "uint8[1] = {15}", "float[1] = {2}"},
         "K = 2, N = 1, block_size = 16, quant_type = 1",
         .want = "float[1,1] {4}"},
        {"ms.MatMulBnb4",
         {"float[1,1] = {3}", "uint8[1] = {15}", "float[1] = {2}"},
         "K = 2, N = 1, block_size = 16, quant_type = 1, transB = 0",
         .want = "float[1,2] {-6, 6}"},
        {"ms.MatMulBnb4",
         {"float[M,2]", "uint8[1]", "float[1]"},
         "K = 2, N = 1, block_size = 16, quant_type = 2",
         .want = "error: quant_type is 2, expected 0 to 1"},
        {"ms.MatMulFpQ4",
         {"float[M,40]", "uint8[80]", "int64[2] = {40, 2}"},
         "blk_quant_type = 0",
         .want = "float[M,2]"},
        {"ms.MatMulFpQ4",
         {"float[M,40]", "uint8[80]", "int64[2] = {40, 3}"},
         "blk_quant_type = 0",
         .want = "error: input 1 has 80 elements, expected 120"},
        {"ms.MatMulFpQ4",
         {"float[M,40]", "uint8[80]", "int64[2] = {40, -3}"},
         "blk_quant_type = 0",
         .want = "error: B_shape has size -3, expected 1 to 2147483647"},
    };
    OP_CHECK(t, rows);
}

TEST(rows_of_quantized_tables_are_real)
{
    static const OpRow rows[] = {
        {"ms.GatherBlockQuantized",
         {"uint8[2,1] = {25, 137}", "int64[2] = {1, 7}", "float[2,1] = {1, 2}"},
         "block_size = 16",
         .want = "float[2,2] {2, 0, 0, 0}"},
        {"ms.GatherBlockQuantized",
         {"uint8[2,1] = {25, 137}", "int64[1] = {0}", "float[2,1] = {1, 2}", "uint8[2,1] = {1, 2}"},
         "block_size = 16",
         .want = "float[1,2] {8, 0}"},
        {"ms.GatherBlockQuantized",
         {"int4[9,40]", "int64[B,S]", "float[9,3]"},
         "block_size = 16",
         .want = "float[B,S,40]"},
        {"ms.GatherBlockQuantized",
         {"uint8[9,20]", "int64[B,S]", "float[9,3]"},
         "block_size = 16",
         .want = "float[B,S,40]"},
        {"ms.GatherBlockQuantized",
         {"uint8[9,20]", "int64[B]", "float[9,2]"},
         "block_size = 16",
         .want = "error: scales have size 2 along dimension 1, expected 3"},
        {"ms.GatherBlockQuantized",
         {"uint8[9,20]", "int64[B]", "float[9,3]", "uint8[9,3]"},
         "block_size = 16",
         .want = "error: zero_points have size 3 along dimension 1, expected 2"},
        {"ms.GatherBlockQuantized",
         {"uint8[9,20]", "int64[B]", "float[9,3]"},
         "block_size = 8",
         .want = "error: block_size is 8, expected a power of two from 16 on"},
        {"ms.GatherBlockQuantized",
         {"uint8[9,20]", "int64[B]", "float[9,3]"},
         "block_size = 16, bits = 5",
         .want = "error: bits is 5, expected 2, 4 or 8"},
        {"ms.GatherBlockQuantized",
         {"uint8[9,20]", "int64[B]", "float[9,3]"},
         "block_size = 16, gather_axis = 1",
         .want = "error: gather_axis is the axis along which elements are packed"},
        {"ms.GatherBlockQuantized",
         {"uint8[9,20]", "int64[B]", "float[9,3]"},
         "block_size = 16, quantize_axis = 2",
         .want = "error: quantize_axis is 2, expected -2 to 1"},
    };
    OP_CHECK(t, rows);
}

TEST(recurrent_layers_of_integers_are_transposed)
{
    static const OpRow rows[] = {
        {"ms.DynamicQuantizeLSTM",
         {"float[S,B,5]", "int8[1,5,12]", "int8[1,3,12]", "_", "_", "_", "_", "_", "float[1]",
          "int8[1]", "float[1,12]", "int8[1,12]"},
         "hidden_size = 3",
         .want = "float[S,1,B,3]; float[1,B,3]; float[1,B,3]",
         .outputs = 3},
        {"ms.DynamicQuantizeLSTM",
         {"float[S,B,5]", "int8[1,12,5]", "int8[1,3,12]", "_", "_", "_", "_", "_", "float[1]",
          "int8[1]", "float[1]", "int8[1]"},
         "hidden_size = 3",
         .want = "error: input 1 has size 12 along dimension 1, expected 5"},
        {"ms.DynamicQuantizeLSTM",
         {"float[S,B,5]", "int8[1,5,12]", "int8[1,3,12]", "_", "_", "_", "_", "_", "float[1]",
          "int8[1]", "float[1,3]", "int8[1]"},
         "hidden_size = 3",
         .want = "error: input 10 has size 3 along dimension 1, expected 12"},
    };
    OP_CHECK(t, rows);
}

TEST_MAIN(CASE(products_of_integers_subtract_zero_points),
          CASE(integers_of_any_width_multiply_and_wrap),
          CASE(quantized_results_round_halves_to_even_and_saturate),
          CASE(weights_of_few_bits_are_real_by_blocks), CASE(rows_of_quantized_tables_are_real),
          CASE(recurrent_layers_of_integers_are_transposed))
