/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The processor as a device.
 *
 * Each family of operators has a file lower_<family>.c with one function that offers steps for a
 * node; the table in cpu.c lists them.  Lowerings see the graph, the operators and the step type;
 * what they make calls kernels, which see arrays.
 */
#ifndef QN_ENGINE_DEVICES_CPU_CPU_H
#define QN_ENGINE_DEVICES_CPU_CPU_H

#include "base/cpu.h"
#include "engine/devices/device.h"

/* The device's state. */
typedef struct QnCpuDevice {
    QnDevice device;
    QnCpu cpu;
    const QnAllocator *allocator;
} QnCpuDevice;

/*
 * Makes the device.  `mask`: a level name that instruction sets above it are taken away from
 * (QN_CPU); NULL: none. The caller frees it by device->free.
 */
QnStatus qn_cpu_device_create(QnDevice **out, const char *mask, const QnAllocator *allocator,
                              QnError *err);

/* What the processor can do, for choosing kernels. */
static inline const QnCpu *qn_cpu_of(const QnOfferCall *call)
{
    return &((const QnCpuDevice *)call->device->state)->cpu;
}

/* Offers for call->node, or none. */
typedef QnStatus QnCpuLowering(QnOfferCall *call);

/* In the order of the table in cpu.c; each is defined in lower_<name>.c. */
/* clang-format off */
#define QN_CPU_LOWERINGS(X) \
    X(arg) \
    X(attention) \
    X(batchnorm) \
    X(concat) \
    X(conv) \
    X(dynamic) \
    X(gather) \
    X(matmul) \
    X(matrix) \
    X(move) \
    X(nms) \
    X(norm) \
    X(pad) \
    X(pointwise) \
    X(pool) \
    X(qconv) \
    X(qmatmul) \
    X(quantize) \
    X(reduce) \
    X(resize) \
    X(rnn) \
    X(scatter) \
    X(softmax) \
    X(sort) \
    X(view)
/* clang-format on */

#define QN_CPU_DECLARE_LOWERING(name) QnCpuLowering qn_cpu_lower_##name;
QN_CPU_LOWERINGS(QN_CPU_DECLARE_LOWERING)
#undef QN_CPU_DECLARE_LOWERING

/* The step code of the device's `convert`: copies between layouts; its data is a QnIsa.  In
 * lower_move.c. */
extern const QnStepCode qn_cpu_convert;

/* ---- what lowerings share: offer.c ---- */

/* The planning size of a dim, at least 1. */
double qn_cpu_size(const QnOfferCall *call, QnDim dim);

/* The planning number of elements of a value. */
double qn_cpu_elements(const QnOfferCall *call, const QnIrValue *value);

/* The only reader of a value if it is a node of the same graph with that operator (NULL: any), the
 * value is no graph output, and fusing is allowed; else NULL.  What a group may grow by. */
const QnNode *qn_cpu_next(const QnOfferCall *call, const QnIrValue *value, const char *op);

/* Is the value a constant that nobody may override? */
bool qn_cpu_is_constant(const QnIrValue *value);

/* Is the value's data there when steps are bound: is it a constant, or known from the shapes of the
 * inputs? */
bool qn_cpu_is_bound(const QnIrValue *value);

/* A constant float scalar (or one-element tensor); false where it is none. */
bool qn_cpu_scalar(const QnIrValue *value, double *out);

/* A tensor's dimensions from the widest stride to the narrowest: the order to walk it in. */
void qn_cpu_sort_dims(const QnTensor *tensor, int *order);

/* For mutants: spoils an element of what the lowering of that name has computed, where
 * QN_FAULT=lowering:<name> says so. */
void qn_cpu_fault(const char *name, const QnTensor *computed);

#endif
