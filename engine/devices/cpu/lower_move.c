/* SPDX-License-Identifier: Apache-2.0 */
/* Copies between layouts. */
#include "engine/devices/cpu/cpu.h"

/* Copies dims [d, rank) element by element: any strides on both sides. */
static void copy_dims(const QnTensor *from, const QnTensor *to, int d, const uint8_t *source,
                      uint8_t *target, size_t element)
{
    if (d == from->rank) {
        memcpy(target, source, element);
        return;
    }
    for (int64_t i = 0; i < from->dims[d]; i++)
        copy_dims(from, to, d + 1, source + i * from->strides[d], target + i * to->strides[d],
                  element);
}

static QnStatus run_convert(const QnStep *step, const void *params, QnRunCall *call)
{
    (void)params;
    const QnTensor *x = qn_step_input(step, call->values, 0),
                   *y = qn_step_output(step, call->values, 0);
    copy_dims(x, y, 0, x->data, y->data, qn_type_size(x->type));
    return QN_OK;
}

const QnStepCode qn_cpu_convert = {.name = "convert", .run = run_convert};
