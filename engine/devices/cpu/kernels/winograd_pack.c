/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Transformed weights U = G g G' of winograd.h, computed in double and rounded once.
 *
 * Their form: groups of 64 output channels (the last with as many panels of 16 as are left); of
 * each group, for each of the t * t positions p, the rows of B of one product, [channel][column of
 * the group], pad columns zero.  So that the second kind of round reads its part from front to
 * back.
 */
#include <string.h>

#include "base/checked.h"
#include "engine/devices/cpu/kernels/gemm.h"
#include "engine/devices/cpu/kernels/winograd.h"

enum { TAPS = 9 };

/* The rows of G; of F(4) those of the points 0, 1, -1, 1/2, -2, infinity. */
static const double weights_2[4][3] = {{-1, 0, 0}, {0.5, 0.5, 0.5}, {0.5, -0.5, 0.5}, {0, 0, 1}};
static const double weights_4[6][3] = {
    {1, 0, 0},
    {1. / 3, 1. / 3, 1. / 3},
    {-1. / 3, 1. / 3, -1. / 3},
    {-16. / 15, -8. / 15, -4. / 15},
    {1. / 15, -2. / 15, 4. / 15},
    {0, 0, 1},
};

bool qn_winograd_f32_packed_size(size_t *bytes, const QnConv *conv)
{
    const int side = conv->tile + 2;
    const int64_t columns = (int64_t)qn_round_up((size_t)conv->out_channels, QN_PANEL);
    int64_t floats;
    return conv->out_channels <= INT64_MAX / 2 && qn_mul_i64(&floats, columns, conv->in_channels) &&
           qn_mul_i64(&floats, floats, side * side) && floats < INT64_MAX / 4096 &&
           qn_mul_size(bytes, (size_t)floats, sizeof(float));
}

/* The 3x3 weights of 16 output channels from `first` on, tap by tap; 0 where there is none. */
static void read_panel(double (*to)[QN_PANEL], const QnConv *conv, const char *w, int64_t channel,
                       int64_t first)
{
    memset(to, 0, TAPS * sizeof *to);
    const int64_t count = qn_min_i64(QN_PANEL, conv->out_channels - first);
    for (int64_t n = 0; n < count; n++) {
        float taps[TAPS];
        memcpy(taps, w + ((first + n) * conv->in_channels + channel) * (int64_t)sizeof taps,
               sizeof taps);
        for (int i = 0; i < TAPS; i++)
            to[i][n] = (double)taps[i];
    }
}

/* to[i] = sum over j < 3 of g[i][j] * from[j * step], for 16 columns. */
static void multiply(double (*to)[QN_PANEL], int to_step, const double (*g)[3], int side,
                     double (*from)[QN_PANEL], int step)
{
    for (int i = 0; i < side; i++)
        for (int n = 0; n < QN_PANEL; n++)
            to[i * to_step][n] =
                g[i][0] * from[0][n] + g[i][1] * from[step][n] + g[i][2] * from[2 * step][n];
}

/* One channel of one panel.  u: its place at position 0; `step` floats between positions. */
static void pack_panel(float *u, int64_t step, const QnConv *conv, const char *w, int64_t channel,
                       int64_t first)
{
    const int side = conv->tile + 2;
    const double(*g)[3] = conv->tile == 2 ? weights_2 : weights_4;
    double taps[TAPS][QN_PANEL], half[QN_WINOGRAD_MAX_SIDE * 3][QN_PANEL],
        whole[QN_WINOGRAD_MAX_SIDE][QN_PANEL];
    read_panel(taps, conv, w, channel, first);
    for (int j = 0; j < 3; j++)
        multiply(half + j, 3, g, side, taps + j, 3);
    for (int i = 0; i < side; i++) {
        multiply(whole, 1, g, side, half + i * 3, 1);
        for (int j = 0; j < side; j++)
            for (int n = 0; n < QN_PANEL; n++)
                u[(i * side + j) * step + n] = (float)whole[j][n];
    }
}

void qn_winograd_f32_pack(float *packed, const QnConv *conv, const void *w)
{
    const int taps = (conv->tile + 2) * (conv->tile + 2);
    const int64_t panels = qn_ceil_div(conv->out_channels, QN_PANEL);
    for (int64_t first = 0; first < panels; first += QN_WINOGRAD_GROUP) {
        const int64_t count = qn_min_i64(QN_WINOGRAD_GROUP, panels - first);
        const int64_t width = count * QN_PANEL, step = conv->in_channels * width;
        for (int64_t c = 0; c < conv->in_channels; c++)
            for (int64_t i = 0; i < count; i++)
                pack_panel(packed + c * width + i * QN_PANEL, step, conv, w, c,
                           (first + i) * QN_PANEL);
        packed += taps * step;
    }
}
