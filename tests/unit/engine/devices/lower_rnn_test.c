/* SPDX-License-Identifier: Apache-2.0 */
/* LSTM, GRU and RNN: which steps are made, and what they compute. */
#include "tests/support/lowering.h"

TEST(lstm_both_ways_with_everything)
{
    EXPECT_LOWERS(
        t, "rnn_f32",
        "graph main(%x: float[5,2,3], %w: float[2,28,3], %r: float[2,28,7],\n"
        "           %b: float[2,56], %h: float[2,2,7], %c: float[2,2,7], %p: float[2,21]) {\n"
        "  %y, %l, %m = LSTM(%x, %w, %r, %b, _, %h, %c, %p) {hidden_size = 7,\n"
        "    direction = \"bidirectional\", clip = 1.5}\n"
        "  return %y, %l, %m\n}");
    EXPECT_LOWERS(t, "rnn_f32",
                  "graph main(%x: float[2,5,3], %w: float[1,16,3], %r: float[1,16,4]) {\n"
                  "  %y, %l = LSTM(%x, %w, %r) {hidden_size = 4, layout = 1, input_forget = 1,\n"
                  "    direction = \"reverse\"}\n"
                  "  return %y, %l\n}");
}

TEST(gru_with_the_product_in_front_of_and_behind_the_reset)
{
    EXPECT_LOWERS(t, "rnn_f32",
                  "graph main(%x: float[4,3,5], %w: float[1,18,5], %r: float[1,18,6],\n"
                  "           %b: float[1,36], %n: int32[3]) {\n"
                  "  %y, %l = GRU(%x, %w, %r, %b, %n) {hidden_size = 6, direction = \"reverse\"}\n"
                  "  return %y, %l\n}");
    EXPECT_LOWERS(t, "rnn_f32",
                  "graph main(%x: float[4,3,5], %w: float[2,18,5], %r: float[2,18,6],\n"
                  "           %b: float[2,36]) {\n"
                  "  %y, %l = GRU(%x, %w, %r, %b) {hidden_size = 6, linear_before_reset = 1,\n"
                  "    direction = \"bidirectional\"}\n"
                  "  return %y, %l\n}");
}

TEST(plain_cells_and_activations_that_no_kernel_knows)
{
    EXPECT_LOWERS(t, "rnn_f32",
                  "graph main(%x: float[4,1,2], %b: float[1,6]) {\n"
                  "  const %w: float[1,3,2] = {1, 2, 3, 0.5, -1, 0.25}\n"
                  "  const %r: float[1,3,3] = {0.1, 0.2, 0.3, -0.1, 0.4, 0.2, 1, 0, -0.5}\n"
                  "  _, %l = RNN(%x, %w, %r, %b) {hidden_size = 3}\n"
                  "  return %l\n}");
    EXPECT_LOWERS(t, "reference",
                  "graph main(%x: float[4,1,2], %w: float[1,3,2], %r: float[1,3,3]) {\n"
                  "  %y, _ = RNN(%x, %w, %r) {hidden_size = 3, activations = [\"Relu\"]}\n"
                  "  return %y\n}");
}

TEST_MAIN(CASE(lstm_both_ways_with_everything),
          CASE(gru_with_the_product_in_front_of_and_behind_the_reset),
          CASE(plain_cells_and_activations_that_no_kernel_knows))
