/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ops/window.h"

#include "base/checked.h"

enum { LIMIT = 1 << 30 }; /* of attributes: leaves room for their products */

static QnStatus read_list(int64_t *to, const QnNode *node, const char *name, int count,
                          int64_t otherwise, int64_t least, QnError *err)
{
    const QnAttribute *list = qn_node_attribute(node, name);
    for (int i = 0; i < count; i++)
        to[i] = otherwise;
    if (!list || list->count == 0)
        return QN_OK;
    if (list->count != count)
        return qn_fail(err, QN_BAD_MODEL, "%s has %d entries, expected %d", name, list->count,
                       count);
    for (int i = 0; i < count; i++) {
        if (list->ints[i] < least || list->ints[i] > LIMIT)
            return qn_fail(err, QN_BAD_MODEL, "%s[%d] is %lld, expected %lld to %d", name, i,
                           (long long)list->ints[i], (long long)least, LIMIT);
        to[i] = list->ints[i];
    }
    return QN_OK;
}

static QnStatus read_auto_pad(QnWindow *window, const QnNode *node, QnError *err)
{
    static const char *const names[] = {"NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER"};
    const QnString text = qn_node_string(node, "auto_pad", "NOTSET");
    for (int i = 0; i < (int)QN_COUNT_OF(names); i++)
        if (text.size == strlen(names[i]) && memcmp(text.data, names[i], text.size) == 0) {
            window->auto_pad = (QnAutoPad)i;
            return QN_OK;
        }
    return qn_fail(err, QN_BAD_MODEL,
                   "auto_pad is '%.*s', expected NOTSET, VALID, SAME_UPPER or SAME_LOWER",
                   (int)(text.size < 64 ? text.size : 64), text.data);
}

QnStatus qn_window_read(QnWindow *window, const QnNode *node, int count, const int64_t *kernel,
                        QnError *err)
{
    int64_t pads[2 * QN_WINDOW_DIMS];
    *window = (QnWindow){.count = count};
    if (count < 0 || count > QN_WINDOW_DIMS)
        return qn_fail(err, QN_BAD_MODEL, "has %d spatial dimensions, expected at most %d", count,
                       QN_WINDOW_DIMS);
    QN_TRY(read_auto_pad(window, node, err));
    QN_TRY(read_list(window->kernel, node, "kernel_shape", count, 0, 1, err));
    QN_TRY(read_list(window->stride, node, "strides", count, 1, 1, err));
    QN_TRY(read_list(window->dilation, node, "dilations", count, 1, 1, err));
    QN_TRY(read_list(pads, node, "pads", 2 * count, 0, -LIMIT, err));
    window->ceil_mode = qn_node_int(node, "ceil_mode", 0) != 0;
    for (int d = 0; d < count; d++) {
        if (kernel && window->kernel[d] && window->kernel[d] != kernel[d])
            return qn_fail(err, QN_BAD_MODEL, "kernel_shape[%d] is %lld, but the weight has %lld",
                           d, (long long)window->kernel[d], (long long)kernel[d]);
        if (kernel)
            window->kernel[d] = kernel[d];
        if (window->kernel[d] < 1)
            return qn_fail(err, QN_BAD_MODEL, "kernel_shape[%d] is %lld, expected 1 at least", d,
                           (long long)window->kernel[d]);
        if (window->auto_pad == QN_PAD_NOTSET) {
            window->pad_begin[d] = pads[d];
            window->pad_end[d] = pads[count + d];
        }
    }
    return QN_OK;
}

static int64_t extent(const QnWindow *window, int d)
{
    return (window->kernel[d] - 1) * window->dilation[d] + 1;
}

int64_t qn_window_size(const QnWindow *window, int d, int64_t input)
{
    const int64_t stride = window->stride[d];
    if (window->auto_pad == QN_PAD_SAME_UPPER || window->auto_pad == QN_PAD_SAME_LOWER)
        return qn_ceil_div(input, stride);
    const int64_t room = input + window->pad_begin[d] + window->pad_end[d] - extent(window, d);
    int64_t size = (window->ceil_mode ? qn_ceil_div(room, stride) : qn_floor_div(room, stride)) + 1;
    if (window->ceil_mode && (size - 1) * stride >= input + window->pad_begin[d])
        size--; /* a last window that would begin in the padding */
    return size;
}

QnDim qn_window_output(QnDims *dims, const QnWindow *window, int d, QnDim input)
{
    const int64_t stride = window->stride[d];
    if (qn_dim_is_known(input)) {
        const int64_t size = qn_window_size(window, d, input);
        return size < 0 ? 0 : size;
    }
    if (window->auto_pad == QN_PAD_SAME_UPPER || window->auto_pad == QN_PAD_SAME_LOWER)
        return qn_dim_ceil_div(dims, input, stride);
    const int64_t pads = window->pad_begin[d] + window->pad_end[d] - extent(window, d);
    const QnDim room = qn_dim_add(dims, input, qn_dim_number(dims, pads));
    if (!window->ceil_mode)
        return qn_dim_add(dims, qn_dim_floor_div(dims, room, stride), 1);
    /* The windows that fit or overhang, but begin before the padding at the end: starts below
     * input + pad_begin. */
    const QnDim all = qn_dim_add(dims, qn_dim_ceil_div(dims, room, stride), 1);
    const QnDim begin = qn_dim_add(dims, input, qn_dim_number(dims, window->pad_begin[d]));
    return qn_dim_min(dims, all, qn_dim_ceil_div(dims, begin, stride));
}

void qn_window_pads(const QnWindow *window, int d, int64_t input, int64_t output, int64_t *begin,
                    int64_t *end)
{
    *begin = window->pad_begin[d];
    *end = window->pad_end[d];
    if (window->auto_pad != QN_PAD_SAME_UPPER && window->auto_pad != QN_PAD_SAME_LOWER)
        return;
    const int64_t total =
        qn_max_i64((output - 1) * window->stride[d] + extent(window, d) - input, 0);
    const int64_t half = total / 2;
    *begin = window->auto_pad == QN_PAD_SAME_UPPER ? half : total - half;
    *end = total - *begin;
}
