/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ops/quantized.h"

#include <math.h>

bool qn_quantized_range(QnType type, int64_t *lowest, int64_t *highest)
{
    static const struct {
        QnType type;
        int64_t lowest, highest;
    } rows[] = {
        {QN_INT2, -2, 1},
        {QN_UINT2, 0, 3},
        {QN_INT4, -8, 7},
        {QN_UINT4, 0, 15},
        {QN_INT8, INT8_MIN, INT8_MAX},
        {QN_UINT8, 0, UINT8_MAX},
        {QN_INT16, INT16_MIN, INT16_MAX},
        {QN_UINT16, 0, UINT16_MAX},
        {QN_INT32, INT32_MIN, INT32_MAX},
        {QN_UINT32, 0, UINT32_MAX},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++)
        if (rows[i].type == type) {
            *lowest = rows[i].lowest;
            *highest = rows[i].highest;
            return true;
        }
    return false;
}

void qn_quantized_set(QnTensor *tensor, int64_t i, double value, int64_t zero)
{
    int64_t lowest = 0, highest = 0;
    qn_quantized_range(tensor->type, &lowest, &highest);
    const double shifted = nearbyint(value) + (double)zero;
    const double clamped = shifted < (double)lowest    ? (double)lowest
                           : shifted > (double)highest ? (double)highest
                                                       : shifted;
    qn_tensor_set_int(tensor, i, isnan(value) ? zero : (int64_t)clamped);
}

void qn_byte_grid_widen(QnByteGrid *grid, double x)
{
    const float value = (float)x;
    grid->low = value < grid->low ? value : grid->low;
    grid->high = value > grid->high ? value : grid->high;
}

void qn_byte_grid_settle(QnByteGrid *grid)
{
    grid->scale = grid->high > grid->low ? (grid->high - grid->low) / 255 : 1;
    const float zero = nearbyintf(-grid->low / grid->scale);
    grid->zero = zero < 0 ? 0 : zero > 255 ? 255 : (int64_t)zero;
}

int64_t qn_byte_grid_step(const QnByteGrid *grid, double x)
{
    const float step = nearbyintf((float)x / grid->scale) + (float)grid->zero;
    return isnan(step) ? grid->zero : step < 0 ? 0 : step > 255 ? 255 : (int64_t)step;
}

double qn_byte_grid_round(const QnByteGrid *grid, double x)
{
    return (double)(qn_byte_grid_step(grid, x) - grid->zero) * (double)grid->scale;
}

QnStatus qn_quantized_want_scalars(const QnCall *call, const int *inputs, int count)
{
    for (int i = 0; i < count; i++) {
        const QnTensor *x = qn_call_input(call, inputs[i]);
        if (!x || qn_tensor_count(x) != 1)
            return qn_call_fail(call, "input %d has %lld elements, expected 1", inputs[i],
                                x ? (long long)qn_tensor_count(x) : 0LL);
    }
    return QN_OK;
}
