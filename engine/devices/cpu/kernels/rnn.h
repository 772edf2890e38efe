/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The pointwise halves of recurrent cells, with ONNX's default activations: s = sigmoid, t = tanh.
 * The products W x and R h, and the biases, are in the gates already.
 *
 *     LSTM   i = s(clip(gi + pi c'))   f = s(clip(gf + pf c'))   c = f c' + i t(clip(gc))
 *            o = s(clip(go + po c))    h = o t(c);   coupled: f = 1 - i
 *     GRU    r = s(clip(gr))   reset = r h'                           (before the product R h)
 *            z = s(clip(gz))   h = (1 - z) t(clip(gn + r m)) + z h'   (m = R h + b of the new gate)
 *                              or with t(clip(gn)), where the product was made of `reset`
 *
 * Each pointer is to `count` elements of one row, contiguous; outputs may be the state that was
 * read.  Other activations are pointwise programs.
 */
#ifndef QN_KERNELS_RNN_H
#define QN_KERNELS_RNN_H

#include "base/cpu.h"
#include "quern/value.h"

typedef struct QnLstmCell {
    int64_t count;
    const void *i, *o, *f, *c;            /* gates; f is not read where is_coupled */
    const void *peep_i, *peep_o, *peep_f; /* NULL: none */
    const void *cell_before;              /* c' */
    void *cell, *hidden;                  /* c, h */
    double clip;                          /* gates are cut to [-clip, clip]; 0: not */
    bool is_coupled;
} QnLstmCell;

typedef struct QnGruCell {
    int64_t count;
    const void *z, *r, *n;
    const void *m;             /* NULL: the product with `reset` is in n already */
    const void *hidden_before; /* h' */
    void *reset, *hidden;      /* r h' (of the reset function), h (of the state function) */
    double clip;
} QnGruCell;

typedef struct QnRnnVariant {
    const char *name;
    QnIsa needs;
    QnType type; /* QN_FLOAT or QN_DOUBLE */
    void (*lstm)(const QnLstmCell *cell);
    void (*gru_reset)(const QnGruCell *cell);
    void (*gru_state)(const QnGruCell *cell);
} QnRnnVariant;

extern const QnRnnVariant qn_rnn_variants[];
extern const int qn_rnn_variant_count;
const QnRnnVariant *qn_rnn_pick(QnType type, QnIsa have);

/* One row of cells by a variant's function. */
void qn_lstm_run(const QnRnnVariant *variant, const QnLstmCell *cell);
void qn_gru_run_reset(const QnRnnVariant *variant, const QnGruCell *cell);
void qn_gru_run_state(const QnRnnVariant *variant, const QnGruCell *cell);

#endif
