/* SPDX-License-Identifier: Apache-2.0 */
/* Resizing: tables against coordinates worked by hand,
 * and every variant's lines against sums in double. */
#include <float.h>

#include "engine/devices/cpu/kernels/resize.h"
#include "tests/support/guard.h"
#include "tests/support/samples.h"
#include "tests/support/test.h"
#include "tests/support/this_cpu.h"

enum { MOST = 64 };

/* Resizes the line 1, 2, 3, ... of `in` elements. */
static void resize_line(const QnResizeSpec *spec, double *y)
{
    int64_t indices[MOST * 8];
    double weights[MOST * 8], x[MOST];
    for (int i = 0; i < spec->in; i++)
        x[i] = i + 1;
    qn_resize_table(spec, indices, weights);
    const QnResizeAxis axis = {1,       spec->in, spec->out, 1, qn_resize_taps(spec),
                               indices, weights,  -9};
    qn_resize_run(qn_resize_pick(QN_DOUBLE, 0), &axis, x, y, 0, spec->out);
}

TEST(lines_are_resized_as_onnx_does)
{
    static const struct {
        const char *what;
        QnResizeSpec spec;
        double want[8];
    } rows[] = {
        {"nearest, twice",
         {.mode = QN_RESIZE_NEAREST, .in = 2, .out = 4, .scale = 2},
         {1, 1, 2, 2}},
        {"nearest, ceil, asymmetric",
         {.mode = QN_RESIZE_NEAREST,
          .coordinates = QN_COORDINATES_ASYMMETRIC,
          .nearest = QN_NEAREST_CEIL,
          .in = 3,
          .out = 6,
          .scale = 2},
         {1, 2, 2, 3, 3, 3}},
        {"linear, twice",
         {.mode = QN_RESIZE_LINEAR, .in = 2, .out = 4, .scale = 2},
         {1, 1.25, 1.75, 2}},
        {"linear, corners aligned",
         {.mode = QN_RESIZE_LINEAR,
          .coordinates = QN_COORDINATES_ALIGN_CORNERS,
          .in = 2,
          .out = 4,
          .scale = 2},
         {1, 1 + 1 / 3.0, 1 + 2 / 3.0, 2}},
        {"linear, halved", {.mode = QN_RESIZE_LINEAR, .in = 4, .out = 2, .scale = 0.5}, {1.5, 3.5}},
        {"linear, halved, antialiased",
         {.mode = QN_RESIZE_LINEAR,
          .antialias = true,
          .excludes_outside = true,
          .in = 4,
          .out = 2,
          .scale = 0.5},
         {1 + 5 / 7.0, 3 + 2 / 7.0}},
        {"cubic, twice, the middle",
         {.mode = QN_RESIZE_CUBIC, .cubic_a = -0.75, .in = 4, .out = 8, .scale = 2},
         {0.89453125, 1.19140625, 1.66796875, 2.296875, 2.703125, 3.33203125, 3.80859375,
          4.10546875}},
        {"linear, halved, antialiased over the edge",
         {.mode = QN_RESIZE_LINEAR, .antialias = true, .in = 4, .out = 2, .scale = 0.5},
         {1.625, 3.375}},
        {"cubic, antialiased, symmetric",
         {.mode = QN_RESIZE_CUBIC,
          .coordinates = QN_COORDINATES_HALF_PIXEL_SYMMETRIC,
          .cubic_a = -0.75,
          .antialias = true,
          .excludes_outside = true,
          .in = 7,
          .out = 4,
          .scale = 0.60000002384185791},
         {1.43891407, 3.13373813, 4.86626187, 6.56108593}},
        {"cubic, inside only",
         {.mode = QN_RESIZE_CUBIC,
          .cubic_a = -0.75,
          .excludes_outside = true,
          .in = 7,
          .out = 4,
          .scale = 0.60000002384185791},
         {1.23333406, 3.00000155, 4.62963058, 6.4561405}},
        {"a crop with its outside",
         {.mode = QN_RESIZE_LINEAR,
          .coordinates = QN_COORDINATES_TF_CROP_AND_RESIZE,
          .in = 3,
          .out = 3,
          .scale = 1,
          .start = 0.5,
          .end = 1.5},
         {2, 3, -9}},
        {"one output",
         {.mode = QN_RESIZE_LINEAR,
          .coordinates = QN_COORDINATES_PYTORCH_HALF_PIXEL,
          .in = 3,
          .out = 1,
          .scale = 1 / 3.0},
         {1}},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double y[MOST];
        resize_line(&rows[i].spec, y);
        for (int o = 0; o < rows[i].spec.out; o++)
            EXPECT(t, fabs(y[o] - rows[i].want[o]) < 1e-5, "%s: %.9g at %d, not %.9g", rows[i].what,
                   y[o], o, rows[i].want[o]);
    }
}

TEST(lines_are_sums_of_their_taps)
{
    static const int64_t inners[] = {1, 3, 4, 15, 16, 17, 33, 128};
    Samples s = {11};
    for (int v = 0; v < qn_resize_variant_count; v++)
        for (int round = 0; round < 48 && runs_here(qn_resize_variants[v].needs); round++) {
            const QnResizeVariant *variant = &qn_resize_variants[v];
            if (variant->type != QN_FLOAT)
                break;
            const int64_t in = 1 + sample_below(&s, 9), out = 1 + sample_below(&s, 20),
                          inner = inners[round % 8];
            const QnResizeSpec spec = {.mode = round % 2 ? QN_RESIZE_LINEAR : QN_RESIZE_CUBIC,
                                       .cubic_a = -0.75,
                                       .in = in,
                                       .out = out,
                                       .antialias = round % 3 == 0,
                                       .scale = (double)out / (double)in};
            int64_t indices[2048];
            double weights[2048];
            qn_resize_table(&spec, indices, weights);
            const QnResizeAxis axis = {2,       in,      out, inner, qn_resize_taps(&spec),
                                       indices, weights, 0};
            Guard x_guard, y_guard;
            float *x = guard_end(&x_guard, (size_t)(2 * in * inner) * 4),
                  *y = guard_end(&y_guard, (size_t)(2 * out * inner) * 4);
            for (int64_t i = 0; i < 2 * in * inner; i++)
                x[i] = sample_float(&s, SAMPLE_NORMAL);
            qn_resize_run(variant, &axis, x, y, out, 2 * out);
            qn_resize_run(variant, &axis, x, y, 0, out);
            for (int64_t k = 0; k < 2 * out * inner; k++) {
                const int64_t o = k / inner % out, first = k / inner / out * in;
                double want = 0, size = 0;
                for (int64_t tap = 0; tap < axis.taps; tap++) {
                    const double term =
                        weights[o * axis.taps + tap] *
                        (double)x[(first + indices[o * axis.taps + tap]) * inner + k % inner];
                    want += term;
                    size += fabs(term);
                }
                EXPECT(t,
                       fabs((double)y[k] - want) <=
                           (double)(axis.taps + 2) * (double)FLT_EPSILON * size,
                       "%s: %g, not %g", variant->name, (double)y[k], want);
            }
            guard_free(&x_guard);
            guard_free(&y_guard);
        }
}

TEST_MAIN(CASE(lines_are_resized_as_onnx_does), CASE(lines_are_sums_of_their_taps))
