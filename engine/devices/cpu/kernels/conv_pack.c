/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Packed weights of convolutions: for each phase, for each group, panels of the product's B.  The
 * order of k is that in which the runs of the input come: tap, channel; or, from planes, channel,
 * outer taps, innermost taps.
 */
#include "engine/devices/cpu/kernels/conv_pack.h"

#include "base/checked.h"
#include "engine/devices/cpu/kernels/conv_grid.h"

bool qn_conv_weights_find(QnConvWeights *out, const QnConv *conv, int64_t phase_index)
{
    size_t offset = 0;
    for (int64_t i = 0;; i++) {
        QnConvPhase phase;
        QnPanelsF32 panels;
        size_t bytes;
        qn_conv_phase(&phase, conv, i, NULL);
        if (!qn_pack_f32_size(&panels, phase.k, conv->out_channels / conv->groups) ||
            !qn_mul_size(&bytes, panels.size_bytes, (size_t)conv->groups))
            return false;
        if (i == phase_index) {
            *out = (QnConvWeights){(int64_t)(offset / sizeof(float)),
                                   (int64_t)(panels.size_bytes / sizeof(float)), panels.stride,
                                   offset + bytes};
            return offset + bytes >= offset;
        }
        if (!qn_add_size(&offset, offset, bytes))
            return false;
    }
}

/* Every product of sizes that is formed later fits if these do. */
static bool is_sane(const QnConv *conv)
{
    int64_t weights;
    if (!qn_mul_i64(&weights, conv->in_channels / conv->groups, conv->out_channels))
        return false;
    for (int d = 0; d < conv->axes; d++)
        if (!qn_mul_i64(&weights, weights, conv->kernel[d]))
            return false;
    return weights < INT64_MAX / 4096;
}

bool qn_conv_f32_packed_size(size_t *bytes, const QnConv *conv)
{
    const int64_t phases = qn_conv_phase_count(conv);
    QnConvWeights last;
    /* More phases than this are no model's; finding weights is linear in them. */
    if (phases < 1 || phases > 4096 || !is_sane(conv) ||
        !qn_conv_weights_find(&last, conv, phases - 1))
        return false;
    *bytes = last.end_bytes;
    return true;
}

/* The steps of w, in floats, for one group. */
typedef struct Source {
    const char *data;
    int64_t in_step, out_step; /* channels */
} Source;

/* The position in the kernel, innermost axis first_tap 0,
 * of tap `outer` of all but the innermost axis. */
static int64_t find_kernel(const QnConv *conv, const QnConvPhase *phase, int64_t outer)
{
    int64_t index = phase->axis[conv->axes - 1].kernel_first, size = conv->kernel[conv->axes - 1];
    for (int d = conv->axes - 2; d >= 0; d--) {
        const QnConvAxis *axis = &phase->axis[d];
        index += (axis->kernel_first + outer % axis->taps * axis->kernel_step) * size;
        outer /= axis->taps;
        size *= conv->kernel[d];
    }
    return index;
}

static void pack_group(float *to, int64_t stride, const QnConv *conv, const QnConvPhase *phase,
                       const Source *source)
{
    const int64_t channels = conv->in_channels / conv->groups,
                  out = conv->out_channels / conv->groups;
    const QnConvAxis *inner = &phase->axis[conv->axes - 1];
    const int64_t outer_taps = inner->taps ? phase->taps / inner->taps : 0;
    for (int64_t outer = 0; outer < outer_taps; outer++) {
        const int64_t at = find_kernel(conv, phase, outer);
        if (conv->from_planes) {
            for (int64_t c = 0; c < channels; c++)
                qn_pack_f32(to, stride, (c * outer_taps + outer) * inner->taps,
                            source->data + (at + c * source->in_step) * (int64_t)sizeof(float),
                            inner->kernel_step, source->out_step, inner->taps, out);
            continue;
        }
        for (int64_t j = 0; j < inner->taps; j++)
            qn_pack_f32(to, stride, (outer * inner->taps + j) * channels,
                        source->data + (at + j * inner->kernel_step) * (int64_t)sizeof(float),
                        source->in_step, source->out_step, channels, out);
    }
}

void qn_conv_f32_pack(float *packed, const QnConv *conv, const void *w)
{
    int64_t kernel = 1;
    for (int d = 0; d < conv->axes; d++)
        kernel *= conv->kernel[d];
    const int64_t in = conv->in_channels / conv->groups, out = conv->out_channels / conv->groups;
    const int64_t group_floats = in * out * kernel;
    const int64_t phases = qn_conv_phase_count(conv);
    for (int64_t i = 0; i < phases; i++) {
        QnConvPhase phase;
        QnConvWeights weights;
        qn_conv_phase(&phase, conv, i, NULL);
        if (!qn_conv_weights_find(&weights, conv, i))
            return; /* its size was refused */
        for (int64_t g = 0; g < conv->groups; g++) {
            const Source source = {.data =
                                       (const char *)w + g * group_floats * (int64_t)sizeof(float),
                                   .in_step = conv->transposed ? out * kernel : kernel,
                                   .out_step = conv->transposed ? kernel : in * kernel};
            pack_group(packed + weights.offset + g * weights.group_floats, weights.stride, conv,
                       &phase, &source);
        }
    }
}
