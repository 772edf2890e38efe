/* SPDX-License-Identifier: Apache-2.0 */
/* Decoding pictures, and convolutions whose taps are moved by data. */
#include "tests/support/op.h"

#define PPM "uint8[17] = {80, 54, 32, 50, 32, 49, 32, 50, 53, 53, 10, 255, 0, 0, 1, 2, 3}"

TEST(pictures_become_rows_of_pixels)
{
    static const OpRow rows[] = {
        {"ImageDecoder", {PPM}, .want = "uint8[1,2,3] {255, 0, 0, 1, 2, 3}"},
        {"ImageDecoder",
         {PPM},
         "pixel_format = \"BGR\"",
         .want = "uint8[1,2,3] {0, 0, 255, 3, 2, 1}"},
        {"ImageDecoder", {PPM}, "pixel_format = \"Grayscale\"", .want = "uint8[1,2,1] {76, 2}"},
        {"ImageDecoder", /* "P2 1 1 9 9", grey */
         {"uint8[10] = {80, 50, 32, 49, 32, 49, 32, 57, 32, 57}"},
         .want = "uint8[1,1,3] {255, 255, 255}"},
        /* What cannot be decoded is an empty picture. */
        {"ImageDecoder", {"uint8[4] = {1, 2, 3, 4}"}, .want = "uint8[0,0,3] {}"},
        {"ImageDecoder", {"uint8[0] = {}"}, .want = "uint8[0,0,3] {}"},
        /* What is too large is said. */
        {"ImageDecoder", /* "P5 99999 99999 9 " */
         {"uint8[17] = {80, 53, 32, 57, 57, 57, 57, 57, 32, 57, 57, 57, 57, 57, 32, 57, 32}"},
         .want = "error: the picture has 99999 x 99999 pixels, expected 268435456 at most"},
        {"ImageDecoder",
         {"uint8[N]"},
         "pixel_format = \"YUV\"",
         .want = "error: pixel_format is none of RGB, BGR and Grayscale"},
        {"ImageDecoder", {"uint8[N,1]"}, .want = "error: input 0 has rank 2, expected 1"},
    };
    OP_CHECK(t, rows);
}

/* A 3 x 3 picture and a kernel of one tap. */
#define SQUARE "float[1,1,3,3] = {1, 2, 3, 4, 5, 6, 7, 8, 9}"
#define ONE    "float[1,1,1,1] = {1}"

TEST(taps_are_moved_by_offsets)
{
    static const OpRow rows[] = {
        {"DeformConv", /* no move, then half a pixel down and to the right of 1 */
         {SQUARE, ONE, "float[1,2,3,3] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}"},
         .want = "float[1,1,3,3] {1, 2, 3, 4, 5, 6, 7, 8, 9}"},
        {"DeformConv", /* rows move by 0.5, columns not; the last half is outside, and zero */
         {SQUARE, ONE,
          "float[1,2,3,3] = {0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0, 0, 0, 0, 0, 0, 0, 0, "
          "0}"},
         .want = "float[1,1,3,3] {2.5, 3.5, 4.5, 5.5, 6.5, 7.5, 3.5, 4, 4.5}"},
        {"DeformConv", /* a mask, a bias, and offsets that lead nowhere */
         {SQUARE, ONE,
          "float[1,2,3,3] = {inf, -inf, nan, 1e30, -1e30, 0, -9, 9, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}",
          "float[1] = {10}", "float[1,1,3,3] = {1, 1, 1, 1, 1, 1, 1, 1, 0.5}"},
         .want = "float[1,1,3,3] {10, 10, 10, 10, 10, 16, 10, 10, 14.5}"},
        {"DeformConv", /* strides, pads and dilations as of a convolution */
         {SQUARE, "float[1,1,1,2] = {1, 10}", "float[1,4,2,1] = {0, 0, 0, 0, 0, 0, 0, 0}"},
         "strides = [2, 2], pads = [0, 0, 0, 0], dilations = [1, 2]",
         .want = "float[1,1,2,1] {31, 97}"},
        {"DeformConv", /* one dimension */
         {"float[1,1,3] = {1, 2, 4}", "float[1,1,1] = {1}", "float[1,1,3] = {0.5, 0.5, -0.25}"},
         .want = "float[1,1,3] {1.5, 3, 3.5}"},
        {"DeformConv",
         {"float[N,4,H,W]", "float[6,2,3,3]", "float[N,36,P,Q]"},
         "group = 2, offset_group = 2, pads = [1, 1, 1, 1]",
         .want = "float[N,6,H,W]"},
        {"DeformConv",
         {"float[N,4,H,W]", "float[6,2,3,3]", "float[N,18,P,Q]"},
         "group = 2, offset_group = 2",
         .want = "error: input 2 has size 18 along dimension 1, expected 36"},
        {"DeformConv",
         {"float[N,4,H,W]", "float[6,2,3,3]", "float[N,18,P,Q]"},
         "group = 2, offset_group = 3",
         .want = "error: 4 channels are no multiple of offset_group 3"},
        {"DeformConv",
         {"float[N,4,8,8]", "float[6,2,3,3]", "float[N,18,5,6]"},
         "group = 2",
         .want = "error: input 2 has size 5 along dimension 2, expected 6"},
        {"DeformConv",
         {"float[N,4,8,8]", "float[6,2,3,3]", "float[N,18,6,6]", "float[5]"},
         "group = 2",
         .want = "error: input 3 has size 5 along dimension 0, expected 6"},
    };
    OP_CHECK(t, rows);
}

TEST_MAIN(CASE(pictures_become_rows_of_pixels), CASE(taps_are_moved_by_offsets))
