/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Weights of 2, 4 and 8 bits: a matrix [inner, columns] in blocks that share a scale,
 *
 *     w[k, n] = (level of its code - zero of its block) * scale of its block
 *
 * in the forms of MatMulNBits (blocks along k, low bits first, zero points as numbers or packed
 * like the codes), MatMulBnb4 (a table of 16 levels, high bits first, blocks of the flat matrix)
 * and MatMulFpQ4 (scale, zero point and 32 codes side by side).
 */
#ifndef QN_ENGINE_OPS_FEW_BITS_H
#define QN_ENGINE_OPS_FEW_BITS_H

#include "engine/ops/op.h"

/* Code i of a run of them, low bits first; none crosses a byte. */
static inline int qn_few_bits_at(const uint8_t *bytes, int64_t i, int bits)
{
    const int64_t at = i * bits;
    return bytes[at / 8] >> at % 8 & ((1 << bits) - 1);
}

typedef struct QnFewBits {
    int64_t inner, columns;
    int64_t block;  /* elements that share a scale */
    int64_t blocks; /* of a column */
    int bits;
    const float *levels; /* [1 << bits]; NULL: a code is its level */
    double usual_zero;   /* of blocks without one of their own */
    bool is_flat;        /* MatMulBnb4: codes and blocks run through the whole matrix */
    bool is_across;      /* there: columns lie side by side, not elements of a column */
    int64_t blob;        /* MatMulFpQ4: bytes of a block with its scale; else 0 */
    int64_t blob_head;   /* of these, bytes before the codes */
    const QnTensor *codes, *scales, *zeros; /* scales, zeros: NULL: in the blobs, the usual */
    const QnTensor *groups;                 /* MatMulNBits: the block of each k; NULL: k / block */
} QnFewBits;

/* What a node's attributes say; inputs are not looked at.  `shape`: MatMulFpQ4's inner size and
 * columns.  QN_BAD_MODEL names the attribute that is out of range. */
QnStatus qn_few_bits_read(QnFewBits *w, const QnNode *node, const int64_t *shape, QnError *err);

/* How many bytes of codes, scales and bytes of packed zero points the weights take. */
int64_t qn_few_bits_code_bytes(const QnFewBits *w);
int64_t qn_few_bits_scales(const QnFewBits *w);
int64_t qn_few_bits_zero_bytes(const QnFewBits *w);

/* Takes the tensors of the node's inputs (NULL: absent), and checks their sizes; a weight without
 * codes is left with `codes` NULL, and is zero. */
QnStatus qn_few_bits_attach(QnFewBits *w, const QnTensor *const *inputs, int count, QnError *err);

/* Is every k of a block in the same column, and in order?  Then the functions below may be used. */
bool qn_few_bits_is_regular(const QnFewBits *w);

/* The code at k of a column, its level, and the scale and zero point of a block of a column. */
int qn_few_bits_code(const QnFewBits *w, int64_t column, int64_t k);
double qn_few_bits_scale(const QnFewBits *w, int64_t column, int64_t block);
double qn_few_bits_zero(const QnFewBits *w, int64_t column, int64_t block);

/* The elements of a column; false where `groups` names a block that is not there. */
bool qn_few_bits_column(const QnFewBits *w, int64_t column, double *to);

#endif
