/* SPDX-License-Identifier: Apache-2.0 */
/* Sampling on grids, windows, and losses:
 * values that another engine gives too, and what is refused. */
#include "tests/support/op.h"

#define PICTURE "float[1,1,2,2] = {1, 2, 3, 4}"
/* A corner, a place inside, and one outside. */
#define PLACES "float[1,1,3,2] = {-1, -1, 0.5, 0.25, 1.5, -2}"

TEST(grids_sample_in_every_mode)
{
    static const OpRow rows[] = {
        {"GridSample", {PICTURE, PLACES}, .want = "float[1,1,1,3] {0.25, 3.5, 0}"},
        {"GridSample", {PICTURE, PLACES}, "align_corners = 1", "float[1,1,1,3] {1, 3, 0.75}"},
        {"GridSample",
         {PICTURE, PLACES},
         "padding_mode = \"border\"",
         "float[1,1,1,3] {1, 3.5, 2}"},
        {"GridSample",
         {PICTURE, PLACES},
         "padding_mode = \"reflection\"",
         "float[1,1,1,3] {1, 3.5, 3}"},
        {"GridSample",
         {PICTURE, PLACES},
         "padding_mode = \"reflection\", align_corners = 1",
         "float[1,1,1,3] {1, 3, 2.75}"},
        {"GridSample",
         {PICTURE, PLACES},
         "mode = \"nearest\", padding_mode = \"border\"",
         "float[1,1,1,3] {1, 4, 2}"},
        {"GridSample",
         {PICTURE, PLACES},
         "mode = \"cubic\"",
         "float[1,1,1,3] {0.109375, 4.03906, 0}"},
        {"GridSample",
         {PICTURE, PLACES},
         "mode = \"cubic\", padding_mode = \"border\"",
         "float[1,1,1,3] {0.71875, 3.54688, 2}"},
        {"GridSample",
         {PICTURE, PLACES},
         "mode = \"cubic\", padding_mode = \"reflection\"",
         "float[1,1,1,3] {0.4375, 3.54688, 3}"},
        {"GridSample",
         {PICTURE, PLACES},
         "mode = \"cubic\", align_corners = 1",
         "float[1,1,1,3] {1, 4.08435, 0.681152}"},
        {"GridSample",
         {"float[1,1,2,2,2] = {0, 1, 2, 3, 4, 5, 6, 7}",
          "float[1,1,1,2,3] = {0, 0, 0, -1, 0.5, 1.5}"},
         "padding_mode = \"border\", align_corners = 1",
         "float[1,1,1,1,2] {3.5, 5.5}"},
    };
    OP_CHECK(t, rows);
}

TEST(matrices_make_grids)
{
    static const OpRow rows[] = {
        {"AffineGrid",
         {"float[1,2,3] = {1, 0, 0.5, 0, 2, -1}", "int64[4] = {1, 1, 2, 2}"},
         .want = "float[1,2,2,2] {0, -2, 1, -2, 0, 0, 1, 0}"},
        {"AffineGrid",
         {"float[1,2,3] = {1, 0, 0.5, 0, 2, -1}", "int64[4] = {1, 1, 2, 2}"},
         "align_corners = 1",
         "float[1,2,2,2] {-0.5, -3, 1.5, -3, -0.5, 1, 1.5, 1}"},
        {"AffineGrid",
         {"float[1,3,4] = {1, 0, 0, 0.5, 0, 1, 0, 0, 0, 0, 2, 1}", "int64[5] = {1, 1, 1, 2, 2}"},
         .want = "float[1,1,2,2,3] {0, -0.5, 1, 1, -0.5, 1, 0, 0.5, 1, 1, 0.5, 1}"},
    };
    OP_CHECK(t, rows);
}

#define SCORES  "float[2,3] = {-1, -2, -0.5, -3, -0.25, -4}"
#define CLASSES "int64[2] = {2, 0}"
#define WEIGHTS "float[3] = {1, 2, 0.5}"

TEST(losses_are_weighted_and_reduced)
{
    static const OpRow rows[] = {
        {"NegativeLogLikelihoodLoss", {SCORES, CLASSES}, .want = "float[] {1.75}"},
        {"NegativeLogLikelihoodLoss", {SCORES, CLASSES, WEIGHTS}, .want = "float[] {2.16667}"},
        {"NegativeLogLikelihoodLoss",
         {SCORES, CLASSES, WEIGHTS},
         "reduction = \"none\"",
         "float[2] {0.25, 3}"},
        {"NegativeLogLikelihoodLoss",
         {SCORES, CLASSES},
         "reduction = \"sum\", ignore_index = 2",
         "float[] {3}"},
        {"SoftmaxCrossEntropyLoss", {SCORES, CLASSES, WEIGHTS}, .want = "float[] {2.0906}"},
        {"SoftmaxCrossEntropyLoss",
         {SCORES, CLASSES, WEIGHTS},
         "reduction = \"none\"",
         "float[2] {0.302065, 2.83383}"},
        {"SoftmaxCrossEntropyLoss",
         {SCORES, CLASSES},
         "ignore_index = 0",
         "float[] {0.604131}; float[2,3] {-1.10413, -2.10413, -0.604131, -2.83383, -0.0838315, "
         "-3.83383}",
         2},
    };
    OP_CHECK(t, rows);
}

TEST(windows_are_sums_of_cosines)
{
    static const OpRow rows[] = {
        {"HannWindow", {"int64[] = {4}"}, .want = "float[4] {0, 0.5, 1, 0.5}"},
        {"HannWindow", {"int64[] = {3}"}, "periodic = 0", "float[3] {0, 1, 0}"},
        {"HammingWindow", {"int64[] = {2}"}, .want = "float[2] {0.0869565, 1}"},
        {"HannWindow", {"int64[] = {2}"}, "output_datatype = 11", "double[2] {0, 1}"},
        {"HannWindow", {"int64[] = {-1}"}, .want = "error: input 0 is -1, expected 0 at least"},
        {"HannWindow",
         {"int64[] = {4}"},
         "output_datatype = 8",
         "error: output_datatype is 8, expected a type of numbers"},
    };
    OP_CHECK(t, rows);
}

TEST_MAIN(CASE(grids_sample_in_every_mode), CASE(matrices_make_grids),
          CASE(losses_are_weighted_and_reduced), CASE(windows_are_sums_of_cosines))
