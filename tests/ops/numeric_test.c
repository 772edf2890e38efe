/* SPDX-License-Identifier: Apache-2.0 */
/* Sums and the like, normalizations, quantization, convolution of integers: values by hand, and
 * what is refused. */
#include "tests/support/op.h"

TEST(operators_of_many_inputs_broadcast_all_of_them)
{
    static const OpRow rows[] = {
        {"Sum",
         {"float[2] = {1, 2}", "float[] = {3}", "float[2] = {10, 20}"},
         .want = "float[2] {14, 25}"},
        {"Mean", {"float[2] = {1, 2}", "float[2] = {3, 6}"}, .want = "float[2] {2, 4}"},
        {"Max", {"float[2] = {1, 5}", "float[] = {3}"}, .want = "float[2] {3, 5}"},
        {"Min", {"float[2] = {1, 5}", "float[] = {3}"}, .want = "float[2] {1, 3}"},
        {"Sum", {"float[1] = {4}"}, .want = "float[1] {4}"},
    };
    OP_CHECK(t, rows);
}

TEST(normalizations_take_mean_and_variance_from_where_they_say)
{
    static const OpRow rows[] = {
        {"BatchNormalization",
         {"float[1,2,1] = {3, 5}", "float[2] = {1, 2}", "float[2] = {0, 1}", "float[2] = {1, 1}",
          "float[2] = {4, 16}"},
         "epsilon = 0.0",
         .want = "float[1,2,1] {1, 3}"},
        {"InstanceNormalization",
         {"float[1,1,2] = {1, 3}", "float[1] = {2}", "float[1] = {1}"},
         "epsilon = 0.0",
         .want = "float[1,1,2] {-1, 3}"},
        {"GroupNormalization",
         {"float[1,2,1] = {1, 3}", "float[2] = {1, 1}", "float[2] = {0, 0}"},
         "epsilon = 0.0, num_groups = 1",
         .want = "float[1,2,1] {-1, 1}"},
        {"LayerNormalization",
         {"float[1,2] = {1, 3}", "float[2] = {1, 2}"},
         "epsilon = 0.0",
         .outputs = 3,
         .want = "float[1,2] {-1, 2}; float[1,1] {2}; float[1,1] {1}"},
        {"RMSNormalization",
         {"float[2] = {3, 4}", "float[] = {1}"},
         "epsilon = 0.0",
         .want = "float[2] {0.848528, 1.13137}"},
        {"LpNormalization", {"float[2,2] = {3, 4, 0, 0}"}, .want = "float[2,2] {0.6, 0.8, 0, 0}"},
        {"MeanVarianceNormalization",
         {"float[1,2] = {1, 3}"},
         "axes = [1]",
         .want = "float[1,2] {-1, 1}"},
        {"LRN",
         {"float[1,3,1] = {1, 2, 3}"},
         "size = 3, alpha = 3.0, beta = 1.0",
         .want = "float[1,3,1] {0.166667, 0.133333, 0.214286}"},
    };
    OP_CHECK(t, rows);
}

TEST(normalizations_refuse_shapes_that_do_not_fit)
{
    static const OpRow rows[] = {
        {"LayerNormalization",
         {"float[N,4]", "float[3]"},
         .want = "error: input 1 has size 3, expected 1 or 4"},
        {"GroupNormalization",
         {"float[N,4]", "float[4]", "float[4]"},
         "num_groups = 3",
         .want = "error: 4 channels cannot be parted into 3 groups"},
        {"GroupNormalization",
         {"float[N,4]", "float[4]", "float[4]"},
         "num_groups = 0",
         .want = "error: num_groups is 0, expected 1 at least"},
        {"InstanceNormalization",
         {"float[N,4,2]", "float[5]", "float[4]"},
         .want = "error: input 1 has 5 elements, expected one per channel: 4"},
        {"LRN", {"float[N,4]"}, "size = 0", .want = "error: size is 0, expected 1 at least"},
        {"LpNormalization", {"float[N,4]"}, "p = 3", .want = "error: p is 3, expected 1 or 2"},
    };
    OP_CHECK(t, rows);
}

TEST(quantization_rounds_half_to_even_and_saturates)
{
    static const OpRow rows[] = {
        {"QuantizeLinear",
         {"float[4] = {1, 3, -9, 900}", "float[] = {2}", "uint8[] = {1}"},
         .want = "uint8[4] {1, 3, 0, 255}"},
        {"QuantizeLinear",
         {"float[1,2] = {2, 2}", "float[2] = {1, 2}"},
         .want = "uint8[1,2] {2, 1}"},
        {"QuantizeLinear",
         {"float[4] = {1, 2, 3, 4}", "float[2] = {1, 2}"},
         "axis = 0, block_size = 2",
         .want = "uint8[4] {1, 2, 2, 2}"},
        {"DequantizeLinear",
         {"int8[2] = {-3, 5}", "float[] = {0.5}", "int8[] = {1}"},
         .want = "float[2] {-2, 2}"},
        {"DynamicQuantizeLinear",
         {"float[3] = {0, -1, 4.1}"},
         .outputs = 3,
         .want = "uint8[3] {50, 0, 255}; float[] {0.02}; uint8[] {50}"},
        {"DynamicQuantizeLinear",
         {"float[2] = {0, 0}"},
         .outputs = 3,
         .want = "uint8[2] {0, 0}; float[] {1}; uint8[] {0}"},
        {"QuantizeLinear",
         {"float[N,4]", "float[3]"},
         .want = "error: the scale has size 3, expected 4"},
        {"QuantizeLinear",
         {"float[N,4]", "float[N,2]"},
         .want = "error: the scale has rank 2, expected 0 or 1 without block_size"},
    };
    OP_CHECK(t, rows);
}

TEST(convolution_of_integers_and_backwards)
{
    static const OpRow rows[] = {
        {"ConvInteger",
         {"uint8[1,1,2] = {2, 3}", "uint8[1,1,2] = {1, 1}", "uint8[] = {1}"},
         "pads = [1, 0]",
         .want = "int32[1,1,2] {1, 3}"},
        {"ConvTranspose",
         {"float[1,1,2] = {1, 2}", "float[1,1,2] = {1, 10}"},
         "strides = [2]",
         .want = "float[1,1,4] {1, 10, 2, 20}"},
        {"ConvTranspose",
         {"float[N,2,W]", "float[2,3,3]"},
         "strides = [2], pads = [1, 1]",
         .want = "float[N,3,2*W - 1]"},
        {"ConvTranspose",
         {"float[N,2,W]", "float[3,3,3]"},
         .want = "error: input 0 has 2 channels, the weight 3"},
        {"ConvTranspose",
         {"float[N,2,W]", "float[2,3,3]"},
         "strides = [0]",
         .want = "error: strides[0] is 0, expected 1 to 1073741824"},
        {"QLinearMatMul",
         {"uint8[1,1] = {3}", "float[] = {1}", "uint8[] = {1}", "uint8[1,1] = {5}", "float[] = {1}",
          "uint8[] = {0}", "float[] = {4}", "uint8[] = {1}"},
         .want = "uint8[1,1] {3}"},
    };
    OP_CHECK(t, rows);
}

TEST(resizing_samples_on_another_grid)
{
    static const OpRow rows[] = {
        {"Resize",
         {"float[1,2] = {1, 2}", "_", "float[2] = {1, 2}"},
         .want = "float[1,4] {1, 1, 2, 2}"},
        {"Resize",
         {"float[2] = {0, 4}", "_", "_", "int64[1] = {4}"},
         "mode = \"linear\"",
         .want = "float[4] {0, 1, 3, 4}"},
        {"Resize", {"float[N,W]", "_", "float[2] = {1, 2}"}, .want = "float[N,2*W]"},
        {"Resize", {"float[N,W]", "_", "float[2] = {1, 0.5}"}, .want = "float[N,floor(W/2)]"},
        {"Resize",
         {"float[N,2]", "_", "float[2] = {1, 0}"},
         .want = "error: a scale is 0, expected above 0 and at most 1048576"},
        {"Resize",
         {"float[N,2]", "_", "float[1] = {1}"},
         .want = "error: there are 1 scales, expected 2"},
        {"Resize", {"float[N,2]"}, .want = "error: neither scales nor sizes are given"},
        {"Resize",
         {"float[N,2]", "_", "float[2] = {1, 1}"},
         "mode = \"lanczos\"",
         .want = "error: mode is 'lanczos', expected one like 'nearest'"},
        {"Resize", /* towards zero */
         {"int8[2] = {-8, 7}", "_", "_", "int64[1] = {4}"},
         "mode = \"linear\"",
         .want = "int8[4] {-8, -4, 3, 7}"},
        {"Resize", /* a third of three is not a little less than one */
         {"uint8[3] = {7, 7, 7}", "_", "_", "int64[1] = {7}"},
         "mode = \"linear\"",
         .want = "uint8[7] {7, 7, 7, 7, 7, 7, 7}"},
        {"Resize", /* to the nearest, within the type */
         {"uint8[4] = {0, 255, 255, 0}", "_", "_", "int64[1] = {8}"},
         "mode = \"cubic\"",
         .want = "uint8[8] {0, 58, 197, 255, 255, 197, 58, 0}"},
        {"Resize",
         {"string[2] = {\"a\", \"b\"}", "_", "_", "int64[1] = {3}"},
         .want = "string[3] {\"a\", \"a\", \"b\"}"},
        {"Resize",
         {"string[2] = {\"a\", \"b\"}", "_", "_", "int64[1] = {3}"},
         "mode = \"linear\"",
         .want = "error: cannot interpolate string of rank 1"},
    };
    OP_CHECK(t, rows);
}

TEST(the_largest_of_planes_and_of_regions)
{
    static const OpRow rows[] = {
        {"GlobalMaxPool",
         {"float[1,2,2,2] = {1, -2, 3, 0, -5, -6, -7, -8}"},
         .want = "float[1,2,1,1] {3, -5}"},
        {"GlobalMaxPool", {"float[N,4,H,W]"}, .want = "float[N,4,1,1]"},
        /* A region is (image, left, top, right, bottom), its ends included. */
        {"MaxRoiPool",
         {"float[1,1,3,3] = {1, 2, 3, 4, 5, 6, 7, 8, 9}",
          "float[2,5] = {0, 0, 0, 1, 1, 0, 1, 1, 2, 2}"},
         "pooled_shape = [1, 2]",
         .want = "float[2,1,1,2] {4, 5, 8, 9}"},
        {"MaxRoiPool",
         {"float[1,1,1,2] = {1, 2}", "float[1,5] = {0, 2, 0, 3, 0}"},
         "pooled_shape = [1, 1], spatial_scale = 0.5",
         .want = "float[1,1,1,1] {2}"},
        {"MaxRoiPool",
         {"float[1,1,1,1] = {1}", "float[1,5] = {1, 0, 0, 0, 0}"},
         "pooled_shape = [1, 1]",
         .want = "error: region 0 is of image 1, expected 0 to 0"},
    };
    OP_CHECK(t, rows);
}

/* ONNX's formula, which rounds down below 0 too: ONNX Runtime rounds towards 0 and has one window
 * where there is room for none. */
TEST(windows_larger_than_the_plane_have_no_place)
{
#define PLANE "float[1,1,2] = {1, 2}"
    static const OpRow rows[] = {
        {"MaxPool", {PLANE}, "kernel_shape = [3]", .want = "float[1,1,0] {}"},
        {"MaxPool", {PLANE}, "kernel_shape = [3], strides = [2]", .want = "float[1,1,0] {}"},
        {"MaxPool",
         {PLANE},
         "kernel_shape = [2], dilations = [3], strides = [3]",
         .want = "float[1,1,0] {}"},
        {"AveragePool",
         {PLANE},
         "kernel_shape = [5], strides = [4], pads = [1, 0]",
         .want = "float[1,1,0] {}"},
        {"LpPool",
         {PLANE},
         "kernel_shape = [3], strides = [2], auto_pad = \"VALID\"",
         .want = "float[1,1,0] {}"},
        /* Rounded up there is one that overhangs, unless it lacks a whole stride. */
        {"MaxPool",
         {PLANE},
         "kernel_shape = [3], strides = [2], ceil_mode = 1",
         .want = "float[1,1,1] {2}"},
        {"AveragePool",
         {PLANE},
         "kernel_shape = [4], strides = [3], ceil_mode = 1",
         .want = "float[1,1,1] {1.5}"},
        {"LpPool",
         {PLANE},
         "kernel_shape = [4], strides = [3], ceil_mode = 1, p = 1",
         .want = "float[1,1,1] {3}"},
        {"MaxPool",
         {PLANE},
         "kernel_shape = [4], strides = [2], ceil_mode = 1",
         .want = "float[1,1,0] {}"},
        {"MaxPool",
         {"float[1,1,0] = {}"},
         "kernel_shape = [1], strides = [2], ceil_mode = 1",
         .want = "float[1,1,0] {}"},
        {"MaxPool",
         {PLANE},
         "kernel_shape = [6], strides = [2], pads = [0, 1]",
         .want = "error: the window reaches over 6 along dimension 2, which has 3 with its pads"},
    };
#undef PLANE
    OP_CHECK(t, rows);
}

TEST(inputs_that_are_needed_are_there)
{
    static const OpRow rows[] = {
        {"Max", {"float[1]", "_"}, .want = "error: input 1 is absent, and not optional"},
        {"Sum",
         {"float[1]", "_", "float[1]"},
         .want = "error: input 1 is absent, and not optional"},
        {"Add", {"float[1]"}, .want = "error: input 1 is absent, and not optional"},
        {"Clip", {"float[1] = {2}", "_", "float[] = {1}"}, .want = "float[1] {1}"},
    };
    OP_CHECK(t, rows);
}

TEST(unsigned_numbers_of_64_bits_keep_their_order)
{
    static const OpRow rows[] = {
        {"Max",
         {"uint64[1] = {9223372036854775808}", "uint64[] = {1}"},
         .want = "uint64[1] {9223372036854775808}"},
        {"Min", {"uint64[1] = {9223372036854775808}", "uint64[] = {1}"}, .want = "uint64[1] {1}"},
        {"Div",
         {"uint64[1] = {18446744073709551614}", "uint64[] = {2}"},
         .want = "uint64[1] {9223372036854775807}"},
        {"Mod", {"uint64[1] = {18446744073709551615}", "uint64[] = {10}"}, .want = "uint64[1] {5}"},
        {"Abs", {"uint64[1] = {18446744073709551615}"}, .want = "uint64[1] {18446744073709551615}"},
        {"Sign", {"uint64[2] = {0, 18446744073709551615}"}, .want = "uint64[2] {0, 1}"},
    };
    OP_CHECK(t, rows);
}

TEST(powers_of_integers_wrap_and_fractions_are_cut)
{
    static const OpRow rows[] = {
        {"Pow",
         {"int64[2] = {3, -3}", "int64[] = {39}"},
         .want = "int64[2] {4052555153018976267, -4052555153018976267}"},
        {"Pow", {"int8[2] = {2, 3}", "int8[] = {7}"}, .want = "int8[2] {-128, -117}"},
        {"Pow", {"int32[4] = {-1, 0, 1, 2}", "int32[] = {-3}"}, .want = "int32[4] {-1, 0, 1, 0}"},
        {"Pow", {"int32[1] = {4}", "float[] = {0.5}"}, .want = "int32[1] {2}"},
    };
    OP_CHECK(t, rows);
}

TEST(remainders_take_the_sign_of_the_divisor_or_of_the_dividend)
{
    static const OpRow rows[] = {
        {"Mod",
         {"float[4] = {5.5, -5.5, 5.5, -5.5}", "float[4] = {2, 2, -2, -2}"},
         .want = "float[4] {1.5, 0.5, -0.5, -1.5}"},
        {"Mod",
         {"float[4] = {5.5, -5.5, 5.5, -5.5}", "float[4] = {2, 2, -2, -2}"},
         "fmod = 1",
         .want = "float[4] {1.5, -1.5, 1.5, -1.5}"},
        {"Mod",
         {"float[5] = {inf, 1, 1, -1, nan}", "float[5] = {2, 0, inf, inf, 1}"},
         .want = "float[5] {nan, nan, 1, inf, nan}"},
    };
    OP_CHECK(t, rows);
}

TEST_MAIN(CASE(operators_of_many_inputs_broadcast_all_of_them),
          CASE(normalizations_take_mean_and_variance_from_where_they_say),
          CASE(normalizations_refuse_shapes_that_do_not_fit),
          CASE(quantization_rounds_half_to_even_and_saturates),
          CASE(the_largest_of_planes_and_of_regions),
          CASE(windows_larger_than_the_plane_have_no_place), CASE(inputs_that_are_needed_are_there),
          CASE(unsigned_numbers_of_64_bits_keep_their_order),
          CASE(powers_of_integers_wrap_and_fractions_are_cut),
          CASE(convolution_of_integers_and_backwards), CASE(resizing_samples_on_another_grid),
          CASE(remainders_take_the_sign_of_the_divisor_or_of_the_dividend))
