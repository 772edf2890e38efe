/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What products and convolutions of bytes have in common: scales, zero points and biases as inputs
 * of a step, and the operators behind sums of int32 that make them real.
 *
 * A scale or zero point is one number, or of the right operand one for each column (output
 * channel). They are read when the step runs, into its scratch memory.
 */
#ifndef QN_ENGINE_DEVICES_CPU_TERMS_I8_H
#define QN_ENGINE_DEVICES_CPU_TERMS_I8_H

#include "engine/devices/cpu/cpu.h"
#include "engine/devices/cpu/kernels/gemm_i8_block.h"

/* The inputs of a step; all but the first may be absent, the second where it is packed. */
enum {
    QN_TERM_A,
    QN_TERM_B,
    QN_TERM_A_ZERO,
    QN_TERM_B_ZERO,
    QN_TERM_SUMMAND, /* int32, added to the sums */
    QN_TERM_A_SCALE,
    QN_TERM_B_SCALE,
    QN_TERM_Y_SCALE,
    QN_TERM_Y_ZERO,
    QN_TERM_BIAS, /* float, added to results that are */
    QN_TERM_COUNT
};

/* Which input of a node is which of a step; -1: none. */
typedef struct QnCpuTermsForm {
    const char *op, *domain;
    int8_t inputs[QN_TERM_COUNT];
} QnCpuTermsForm;

/* The form of a node, or NULL. */
const QnCpuTermsForm *qn_cpu_terms_form(const QnNode *node, const QnCpuTermsForm *forms, int count);

/* Sets the offer's inputs and the terms' types from those of the node; false where they are of
 * types or shapes that are the reference's.  Scales of B have their elements along `axis` of rank
 * `rank`. */
bool qn_cpu_terms_read_node(const QnNode *node, const QnCpuTermsForm *form, QnOffer *offer,
                            QnTermsI8 *terms);

/* Takes Cast to float, Mul by scales and Add of a bias, along `axis` counted from the last (0) dim,
 * into an offer whose results are sums. */
void qn_cpu_terms_grow(const QnOfferCall *call, QnOffer *offer, QnTermsI8 *terms, int axis);

/* Are there as many scales, zero points and biases as `columns` wants? */
QnStatus qn_cpu_terms_check(const QnStep *step, const QnBindCall *call, int64_t columns);

/* Scratch memory for `columns`; SIZE_MAX where the number does not fit. */
size_t qn_cpu_terms_room(int64_t columns);

/* Reads all but the summand; what it makes is in `room`.  The factor of a column is
 * alpha * A_SCALE * B_SCALE / Y_SCALE. */
void qn_cpu_terms_read(QnTermsI8 *terms, const QnStep *step, const QnRunCall *call, void *room,
                       int64_t columns, float alpha);

#endif
