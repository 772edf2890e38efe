/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/devices/cpu/kernels/depthwise.h"

#include <string.h>

#include "base/checked.h"
#include "base/fault.h"
#include "engine/devices/cpu/kernels/conv_grid.h"

enum { CHUNK_FLOPS = 2000000 }; /* half of a product's, for a kernel that waits for memory */

/* clang-format off */
const QnDepthwiseF32 qn_depthwise_f32[] = {
#if QN_ARCH_X86
    {"depthwise_f32_3s1_avx512", QN_ISA_AVX512, 3, 1, qn_depthwise_f32_3s1_avx512},
    {"depthwise_f32_3s2_avx512", QN_ISA_AVX512, 3, 2, qn_depthwise_f32_3s2_avx512},
    {"depthwise_f32_5s1_avx512", QN_ISA_AVX512, 5, 1, qn_depthwise_f32_5s1_avx512},
    {"depthwise_f32_5s2_avx512", QN_ISA_AVX512, 5, 2, qn_depthwise_f32_5s2_avx512},
    {"depthwise_f32_avx512", QN_ISA_AVX512, 0, 0, qn_depthwise_f32_avx512},
    {"depthwise_f32_3s1_avx2", QN_ISA_AVX2, 3, 1, qn_depthwise_f32_3s1_avx2},
    {"depthwise_f32_3s2_avx2", QN_ISA_AVX2, 3, 2, qn_depthwise_f32_3s2_avx2},
    {"depthwise_f32_5s1_avx2", QN_ISA_AVX2, 5, 1, qn_depthwise_f32_5s1_avx2},
    {"depthwise_f32_5s2_avx2", QN_ISA_AVX2, 5, 2, qn_depthwise_f32_5s2_avx2},
    {"depthwise_f32_avx2", QN_ISA_AVX2, 0, 0, qn_depthwise_f32_avx2},
#endif
    {"depthwise_f32_c", QN_ISA_NONE, 0, 0, qn_depthwise_f32_c},
};
/* clang-format on */

const int qn_depthwise_f32_count = QN_COUNT_OF(qn_depthwise_f32);

const QnDepthwiseF32 *qn_depthwise_f32_pick(QnIsa have, const QnDepthwiseLine *line)
{
    for (const QnDepthwiseF32 *variant = qn_depthwise_f32;; variant++) {
        const bool fits = !variant->taps || (variant->taps == line->taps &&
                                             line->x_step == variant->stride * line->tap_step);
        if (fits && (variant->needs & have) == variant->needs)
            return variant;
    }
}

bool qn_depthwise_f32_fits(const QnConv *conv)
{
    return !conv->transposed && !conv->from_planes && conv->groups == conv->in_channels &&
           conv->groups == conv->out_channels;
}

/* Taps of the kernel; -1 where they do not fit. */
static int64_t count_taps(const QnConv *conv)
{
    int64_t taps = 1;
    for (int d = 0; d < conv->axes; d++)
        if (!qn_mul_i64(&taps, taps, conv->kernel[d]))
            return -1;
    return taps;
}

bool qn_depthwise_f32_packed_size(size_t *bytes, const QnConv *conv)
{
    const int64_t taps = count_taps(conv), groups = qn_ceil_div(conv->groups, QN_PANEL);
    int64_t size;
    if (taps < 0 || !qn_mul_i64(&size, taps, groups) || size > INT64_MAX / 4096)
        return false;
    *bytes = (size_t)size * QN_PANEL * sizeof(float);
    return true;
}

void qn_depthwise_f32_pack(float *packed, const QnConv *conv, const void *w)
{
    const int64_t taps = count_taps(conv);
    for (int64_t first = 0; first < conv->groups; first += QN_PANEL)
        for (int64_t t = 0; t < taps; t++)
            for (int64_t c = first; c < first + QN_PANEL; c++, packed++) {
                if (c < conv->groups)
                    memcpy(packed, (const char *)w + (c * taps + t) * (int64_t)sizeof(float),
                           sizeof *packed);
                else
                    *packed = 0;
            }
}

/* Lines of output pixels in an image. */
static int64_t count_lines(const QnConvF32 *conv)
{
    int64_t lines = 1;
    for (int d = 0; d < conv->conv.axes - 1; d++)
        lines *= conv->out[d];
    return lines;
}

static int64_t lines_per_chunk(const QnConvF32 *conv)
{
    const double flops = 2.0 * (double)conv->conv.groups * (double)count_taps(&conv->conv) *
                         (double)conv->out[conv->conv.axes - 1];
    const double lines = CHUNK_FLOPS / (flops + 1);
    return lines < 1 ? 1 : lines > 1e9 ? 1000000000 : (int64_t)lines;
}

int64_t qn_depthwise_f32_chunks(const QnConvF32 *conv)
{
    if (conv->out[conv->conv.axes - 1] == 0)
        return 0;
    return conv->images * qn_ceil_div(count_lines(conv), lines_per_chunk(conv));
}

size_t qn_depthwise_f32_scratch(const QnConvF32 *conv)
{
    const int64_t rows = count_taps(&conv->conv) / conv->conv.kernel[conv->conv.axes - 1];
    return qn_round_up((size_t)rows * sizeof(QnDepthwiseRow), 64);
}

/* The kernel rows of a line that lie in the image, at innermost input position 0. */
static int64_t find_rows(QnDepthwiseRow *rows, const QnConvF32 *conv, const QnConvPhase *phase,
                         int64_t image, const int64_t *position)
{
    const QnConv *c = &conv->conv;
    const int64_t inner_taps = c->kernel[c->axes - 1], total = count_taps(c) / inner_taps;
    int64_t count = 0;
    for (int64_t row = 0; row < total; row++) {
        const float *x = conv->x.data + image * conv->x.image_step;
        bool is_inside = true;
        int64_t rest = row;
        for (int d = c->axes - 2; d >= 0; d--) {
            const QnConvAxis *axis = &phase->axis[d];
            const int64_t at =
                position[d] * axis->in_step + axis->in_first + rest % axis->taps * axis->tap_step;
            rest /= axis->taps;
            is_inside = is_inside && at >= 0 && at < conv->in[d];
            x += at * conv->x.step[d];
        }
        if (is_inside)
            rows[count++] = (QnDepthwiseRow){x, conv->weights + row * inner_taps * QN_PANEL};
    }
    return count;
}

/* Pixels first .. first + count of a line, of which every one takes taps tap .. tap + taps. */
static void run_part(const QnConvF32 *conv, const QnConvAxis *axis, const QnDepthwiseLine *whole,
                     QnDepthwiseRow *rows, int64_t first, int64_t count, int64_t tap, int64_t taps)
{
    const int64_t step = conv->x.step[conv->conv.axes - 1];
    const int64_t shift = (first * axis->in_step + axis->in_first + tap * axis->tap_step) * step;
    QnDepthwiseLine line = *whole;
    line.count = count;
    line.taps = taps;
    line.y += first * line.y_step;
    if (line.residual)
        line.residual += first * line.residual_step;
    for (int64_t r = 0; r < line.row_count; r++) {
        rows[r].x += shift;
        rows[r].w += tap * QN_PANEL;
    }
    const QnDepthwiseF32 *variant = qn_depthwise_f32_pick(conv->isa, &line);
    variant->run(&line);
    if (qn_fault("kernel", variant->name))
        qn_fault_spoil(line.y, sizeof *line.y);
    for (int64_t r = 0; r < line.row_count; r++) {
        rows[r].x -= shift;
        rows[r].w -= tap * QN_PANEL;
    }
}

/* One line: pixels near an end, where taps are missing,
 * one by one, and all between them at once. */
static void run_line(const QnConvF32 *conv, const QnConvAxis *axis, const QnDepthwiseLine *line,
                     QnDepthwiseRow *rows)
{
    const int64_t size = conv->in[conv->conv.axes - 1];
    const int64_t reach = (axis->taps - 1) * axis->tap_step;
    for (int64_t i = 0; i < axis->count;) {
        const int64_t at = i * axis->in_step + axis->in_first;
        if (at >= 0 && at + reach < size) {
            const int64_t last = (size - 1 - reach - axis->in_first) / axis->in_step;
            const int64_t count = qn_min_i64(last + 1, axis->count) - i;
            run_part(conv, axis, line, rows, i, count, 0, axis->taps);
            i += count;
            continue;
        }
        const int64_t tap = at < 0 ? qn_min_i64(axis->taps, qn_ceil_div(-at, axis->tap_step)) : 0;
        const int64_t end =
            at >= size ? 0 : qn_min_i64(axis->taps, (size - 1 - at) / axis->tap_step + 1);
        run_part(conv, axis, line, rows, i, 1, tap, qn_max_i64(0, end - tap));
        i++;
    }
}

/* What no kernel does, on a line that is still in a near cache. */
static void finish_line(const QnConvF32 *conv, const QnDepthwiseLine *line, const float *residual)
{
    QnEpilogue epilogue = conv->epilogue;
    epilogue.residual_column_step = 1;
    epilogue.residual_step = line->residual_step;
    qn_epilogue_finish_rows(&(QnEpilogueRows){.epilogue = &epilogue,
                                              .activate = qn_activate_f32_pick(conv->isa),
                                              .sums = line->y,
                                              .rows = line->count,
                                              .columns = line->channels,
                                              .pitch = line->y_step,
                                              .residual = residual,
                                              .c = line->y,
                                              .c_step = line->y_step,
                                              .c_column_step = 1});
}

/* Where a line begins in a tensor. */
static float *find_line(const QnConvTensor *tensor, const QnConvF32 *conv, int64_t image,
                        const int64_t *position)
{
    float *data = tensor->data + image * tensor->image_step;
    for (int d = 0; d < conv->conv.axes - 1; d++)
        data += position[d] * tensor->step[d];
    return data;
}

static void compute_line(const QnConvF32 *conv, const QnConvPhase *phase, int64_t image,
                         const int64_t *position, QnDepthwiseRow *rows)
{
    const QnConv *c = &conv->conv;
    const int inner = c->axes - 1;
    const QnConvAxis *axis = &phase->axis[inner];
    const int64_t step = conv->x.step[inner];
    QnDepthwiseLine line = {.rows = rows,
                            .row_count = find_rows(rows, conv, phase, image, position),
                            .x_step = axis->in_step * step,
                            .tap_step = axis->tap_step * step,
                            .w_step = phase->taps * QN_PANEL,
                            .count = axis->count,
                            .channels = c->groups,
                            .y = find_line(&conv->y, conv, image, position),
                            .y_step = conv->y.step[inner],
                            .bias = conv->epilogue.bias,
                            .residual_step = conv->residual.step[inner],
                            .beta = conv->epilogue.beta};
    const float *residual =
        conv->residual.data ? find_line(&conv->residual, conv, image, position) : NULL;
    const bool is_clamp = qn_epilogue_clamp(&conv->epilogue, &line.low, &line.high);
    const bool has_activation = conv->epilogue.activation != QN_ACTIVATION_NONE;
    if (!is_clamp || (residual && conv->epilogue.residual_last && has_activation)) {
        run_line(conv, axis, &line, rows);
        finish_line(conv, &line, residual);
        return;
    }
    line.clamp = has_activation;
    line.residual = residual;
    run_line(conv, axis, &line, rows);
}

void qn_depthwise_f32_run(const QnConvF32 *conv, int64_t chunk, void *scratch)
{
    const int64_t lines = count_lines(conv), per_chunk = lines_per_chunk(conv);
    const int64_t chunks = qn_ceil_div(lines, per_chunk);
    const int64_t first = chunk % chunks * per_chunk, last = qn_min_i64(lines, first + per_chunk);
    QnConvPhase phase;
    qn_conv_phase(&phase, &conv->conv, 0, conv);
    for (int64_t line = first; line < last; line++) {
        int64_t position[QN_CONV_MAX_AXES], rest = line;
        for (int d = conv->conv.axes - 2; d >= 0; d--) {
            position[d] = rest % conv->out[d];
            rest /= conv->out[d];
        }
        compute_line(conv, &phase, chunk / chunks, position, scratch);
    }
}
