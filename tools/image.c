/* SPDX-License-Identifier: Apache-2.0 */
/* From a picture to the tensor that a model takes: image_to_tensor. */
#include "tools/image.h"

#include <math.h>
#include <stdlib.h>

#include "base/arena.h"
#include "base/checked.h"

/* The largest picture that is made for a model. */
enum { PIXELS_MOST = 1 << 28 };

/* Which axes are what; -1: there is none. */
typedef struct Axes {
    int channel, height, width;
} Axes;

static bool is_channels(int64_t dim)
{
    return dim == 1 || dim == 3;
}

/* A trailing C is believed only where the first place for one is none:
 * [1,3,H,W] before [N,H,W,3]. */
static bool find_axes(Axes *axes, int rank, const int64_t *dims)
{
    const int first = rank == 4 ? 1 : 0;
    if (rank == 2) {
        *axes = (Axes){-1, 0, 1};
        return true;
    }
    if (rank < 3 || rank > 4 || (rank == 4 && dims[0] != 1 && dims[0] != -1))
        return false;
    if (is_channels(dims[first]))
        *axes = (Axes){first, first + 1, first + 2};
    else if (is_channels(dims[rank - 1]))
        *axes = (Axes){rank - 1, first, first + 1};
    else if (dims[first] == -1)
        *axes = (Axes){first, first + 1, first + 2};
    else
        return false;
    return true;
}

/* ---- another number of channels ---- */

/* The picture as floats of 0 to 255, [channels, height, width]. */
static void split_channels(const QnImage *image, int channels, float *to)
{
    const size_t count = (size_t)image->width * (size_t)image->height;
    for (size_t i = 0; i < count; i++) {
        const uint8_t *p = image->pixels + i * (size_t)image->channels;
        if (channels == 1 && image->channels == 3)
            to[i] = 0.299f * p[0] + 0.587f * p[1] + 0.114f * p[2];
        else
            for (int c = 0; c < channels; c++)
                to[(size_t)c * count + i] = p[image->channels == 1 ? 0 : c];
    }
}

/* ---- another size ---- */

/*
 * One line of `from_count` elements, `stride` floats apart, becomes one of to_count.  The filter is
 * a triangle: as wide as two source elements where the line grows, and as two elements of the
 * result where it shrinks.
 */
static void resample_line(float *to, size_t to_stride, int to_count, const float *from,
                          size_t stride, int from_count)
{
    const double scale = (double)from_count / to_count, radius = scale > 1 ? scale : 1;
    for (int i = 0; i < to_count; i++) {
        const double center = (i + 0.5) * scale;
        const int low = (int)fmax(0, floor(center - radius));
        const int high = (int)fmin(from_count, ceil(center + radius));
        double sum = 0, weights = 0;
        for (int k = low; k < high; k++) {
            const double weight = 1 - fabs(k + 0.5 - center) / radius;
            if (weight > 0) {
                sum += weight * (double)from[(size_t)k * stride];
                weights += weight;
            }
        }
        to[(size_t)i * to_stride] = (float)(sum / weights);
    }
}

/* One channel: rows first, then columns.  `between` has room for [from_height, to_width]. */
static void resample_plane(float *to, int to_width, int to_height, const float *from, int width,
                           int height, float *between)
{
    for (int y = 0; y < height; y++)
        resample_line(between + (size_t)y * (size_t)to_width, 1, to_width,
                      from + (size_t)y * (size_t)width, 1, width);
    for (int x = 0; x < to_width; x++)
        resample_line(to + x, (size_t)to_width, to_height, between + x, (size_t)to_width, height);
}

/* ---- into the tensor ---- */

static bool is_real(QnType type)
{
    return type == QN_FLOAT || type == QN_DOUBLE || type == QN_FLOAT16 || type == QN_BFLOAT16;
}

static bool is_whole(QnType type)
{
    return type == QN_UINT8 || type == QN_INT8 || type == QN_INT16 || type == QN_UINT16 ||
           type == QN_INT32 || type == QN_INT64;
}

static double to_element(QnType type, float value)
{
    if (is_real(type))
        return (double)value / 255;
    const double whole = nearbyint((double)value);
    return type == QN_INT8 ? whole - 128 : whole;
}

/* planes: [channels, height, width] of the tensor's own sizes. */
static void fill(QnTensor *tensor, const Axes *axes, const float *planes)
{
    const int64_t channels = axes->channel < 0 ? 1 : tensor->dims[axes->channel];
    const int64_t height = tensor->dims[axes->height], width = tensor->dims[axes->width];
    const bool is_last = axes->channel > axes->height;
    for (int64_t c = 0; c < channels; c++)
        for (int64_t i = 0; i < height * width; i++) {
            const int64_t at = is_last ? i * channels + c : c * height * width + i;
            qn_tensor_set_element(tensor, at,
                                  to_element(tensor->type, planes[c * height * width + i]));
        }
}

static QnStatus resample(QnTensor *tensor, const Axes *axes, const QnImage *image, QnError *err)
{
    const int channels = axes->channel < 0 ? 1 : (int)tensor->dims[axes->channel];
    const int width = (int)tensor->dims[axes->width], height = (int)tensor->dims[axes->height];
    const size_t plane = (size_t)image->width * (size_t)image->height;
    const size_t made = (size_t)width * (size_t)height;
    float *from = malloc(plane * (size_t)channels * sizeof *from);
    float *to = calloc(made * (size_t)channels, sizeof *to);
    float *between = malloc((size_t)image->height * (size_t)width * sizeof *between);
    const bool has_memory = from && to && between;
    if (has_memory) {
        split_channels(image, channels, from);
        for (int c = 0; c < channels; c++)
            resample_plane(to + (size_t)c * made, width, height, from + (size_t)c * plane,
                           image->width, image->height, between);
        fill(tensor, axes, to);
    }
    free(from);
    free(to);
    free(between);
    return has_memory ? QN_OK : qn_no_memory(err);
}

QnStatus image_to_tensor(QnTensor *out, const QnImage *image, const QnValueInfo *info,
                         const int64_t *dims, const char *name, QnValueStore *store, QnError *err)
{
    Axes axes;
    int64_t sizes[QN_MAX_RANK];
    if (!find_axes(&axes, info->rank, dims) || !(is_real(info->type) || is_whole(info->type)))
        return qn_fail(
            err, QN_BAD_TENSOR,
            "%s: a picture does not fit input '%s' of type %s, expected numbers of shape "
            "[1,C,H,W], [1,H,W,C] or [H,W] with C 1 or 3",
            name, info->name, info->type_text);
    for (int d = 0; d < info->rank; d++)
        sizes[d] = dims[d] >= 0 ? dims[d] : 1;
    if (dims[axes.height] < 0)
        sizes[axes.height] = image->height;
    if (dims[axes.width] < 0)
        sizes[axes.width] = image->width;
    if (axes.channel >= 0 && dims[axes.channel] < 0)
        sizes[axes.channel] = image->channels;
    int64_t pixels;
    if (sizes[axes.height] < 1 || sizes[axes.width] < 1 ||
        !qn_mul_i64(&pixels, sizes[axes.height], sizes[axes.width]) || pixels > PIXELS_MOST)
        return qn_fail(err, QN_BAD_TENSOR, "%s: input '%s' of %lld x %lld pixels is out of range",
                       name, info->name, (long long)sizes[axes.height],
                       (long long)sizes[axes.width]);
    void *data = qn_value_store_alloc(store, (size_t)pixels * 3 * qn_type_size(info->type));
    if (!data)
        return qn_no_memory(err);
    *out = qn_tensor(info->type, info->rank, sizes, data);
    return resample(out, &axes, image, err);
}
