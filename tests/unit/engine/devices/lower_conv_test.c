/* SPDX-License-Identifier: Apache-2.0 */
/* Which steps the processor offers for Conv and ConvTranspose, and what they compute. */
#include "engine/devices/cpu/kernels/winograd.h"
#include "tests/support/lowering.h"

TEST(computed_weights_are_packed_at_run_time)
{
    EXPECT_LOWERS(t, "convert conv_f32 convert",
                  "graph main(%x: float[2,8,5,6], %w: float[4,8,3,3], %b: float[4]) {\n"
                  "  %y = Conv(%x, %w, %b) {pads = [1, 0, 1, 2], strides = [2, 1]}\n"
                  "  return %y\n}");
}

TEST(few_channels_are_read_as_planes)
{
    EXPECT_LOWERS(t, "conv_f32_planes convert",
                  "graph main(%x: float[1,3,9,9], %w: float[4,3,3,3]) {\n"
                  "  %y = Conv(%x, %w) {dilations = [2, 2]}\n"
                  "  return %y\n}");
}

TEST(one_channel_per_group_is_depthwise_with_what_follows)
{
    EXPECT_LOWERS(t, "convert convert depthwise_f32 convert",
                  "graph main(%x: float[2,20,7,6], %w: float[20,1,3,3], %b: float[20],\n"
                  "           %r: float[2,20,7,6]) {\n"
                  "  %c = Conv(%x, %w, %b) {group = 20, pads = [1, 1, 1, 1]}\n"
                  "  %s = Add(%r, %c)\n"
                  "  %y = Relu(%s)\n"
                  "  return %y\n}");
    EXPECT_LOWERS(t, "convert depthwise_f32 convert",
                  "graph main(%x: float[1,17,9], %w: float[17,1,5]) {\n"
                  "  %c = Conv(%x, %w) {group = 17, strides = [2]}\n"
                  "  %g = Sigmoid(%c)\n"
                  "  %y = Mul(%c, %g)\n"
                  "  return %y\n}");
}

TEST(transposed_convolutions_with_bias_and_activation)
{
    EXPECT_LOWERS(t, "convert conv_transposed_f32 convert",
                  "graph main(%x: float[2,6,5,4], %w: float[6,3,3,2], %b: float[6]) {\n"
                  "  %c = ConvTranspose(%x, %w, %b) {group = 2, strides = [2, 3], pads = [1, 0, 0, "
                  "1], output_padding = [1, 0]}\n"
                  "  %y = LeakyRelu(%c)\n"
                  "  return %y\n}");
    EXPECT_LOWERS(t, "convert conv_transposed_f32 convert",
                  "graph main(%x: float[1,2,5], %w: float[2,3,4]) {\n"
                  "  %y = ConvTranspose(%x, %w) {strides = [3], output_shape = [14]}\n"
                  "  return %y\n}");
}

/* A module with a 3x3 convolution of constant weights, in a buffer that the caller frees. */
static char *constant_conv(int channels, int size, const char *rest)
{
    const size_t room = (size_t)(channels * channels * 9) * 8 + 1024;
    char *text = malloc(room);
    if (!text)
        exit(2);
    int used = snprintf(text, room,
                        "graph main(%%x: float[1,%d,%d,%d], %%r: float[1,%d,%d,%d]) {\n"
                        "  const %%w: float[%d,%d,3,3] = {",
                        channels, size, size, channels, size, size, channels, channels);
    for (int i = 0; i < channels * channels * 9; i++)
        used += snprintf(text + used, room - (size_t)used, "%s%d", i ? ", " : "", i % 7 - 3);
    snprintf(text + used, room - (size_t)used, "}\n%s", rest);
    return text;
}

TEST(small_kernels_take_fewer_multiplications)
{
    static const char rest[] = "  %c = Conv(%x, %w) {pads = [1, 1, 1, 1]}\n"
                               "  %s = Sum(%r, %c)\n"
                               "  %y = Relu(%s)\n"
                               "  return %y\n}";
    static const struct {
        int channels, size;
        const char *kernels;
    } rows[] = {{32, 12, "convert conv_winograd_4_f32 convert"},
                {64, 8, "convert conv_winograd_2_f32 convert"},
                {8, 12, "convert conv_f32 convert"}};
    QnCpu cpu;
    QnError err;
    REQUIRE(t, qn_cpu_detect(&cpu, NULL, getenv("QN_CPU"), &err) == QN_OK, "%s", err.message);
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        char *text = constant_conv(rows[i].channels, rows[i].size, rest);
        const bool is_portable = !qn_winograd_f32_pick(cpu.isa, 4);
        lowering_compare(t, text, is_portable ? rows[2].kernels : rows[i].kernels, 1e-3);
        free(text);
    }
}

TEST_MAIN(CASE(computed_weights_are_packed_at_run_time), CASE(few_channels_are_read_as_planes),
          CASE(one_channel_per_group_is_depthwise_with_what_follows),
          CASE(transposed_convolutions_with_bias_and_activation),
          CASE(small_kernels_take_fewer_multiplications))
