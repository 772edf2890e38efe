/* SPDX-License-Identifier: Apache-2.0 */
/* What RNN, GRU and LSTM share: shapes, activations and the walk over time. */
#ifndef QN_ENGINE_OPS_RNN_H
#define QN_ENGINE_OPS_RNN_H

#include "engine/ops/quantized.h"

enum { QN_RNN_ACTIVATIONS = 3 }; /* at most, of one direction */

/* An activation with its numbers. */
typedef struct QnRnnActivation {
    double (*apply)(double x, double alpha, double beta);
    double alpha, beta;
} QnRnnActivation;

/* What tells the operators apart. */
typedef struct QnRnnKind {
    int gates;                             /* rows of W and R per hidden unit */
    int activations;                       /* per direction */
    const char *usual[QN_RNN_ACTIVATIONS]; /* default activations */
    int h_input;                           /* the input that holds the first hidden state */
    int c_input, p_input;                  /* cell state, peepholes; -1: has none */
    /* Weights are integers, [.., inputs or hidden, gates * hidden]; X and the states are rounded to
     * 256 steps before they are multiplied. */
    bool is_quantized;
} QnRnnKind;

/* One direction while it computes.  Weights are rows of `inputs` or `hidden` numbers, a gate after
 * the other; biases [gates * hidden], zeros where there are none. */
typedef struct QnRnn {
    const QnCall *call;
    int64_t steps, batch, inputs, hidden;
    int directions;
    bool is_batch_first;
    double *w, *r;           /* [gates * hidden, inputs], [gates * hidden, hidden] */
    double *w_bias, *r_bias; /* [gates * hidden] */
    double *peephole;        /* [3 * hidden], zeros where there are none */
    double *x;               /* one item: [inputs] */
    double *states, *cells;  /* [batch, hidden] */
    double *h, *c;           /* those of the item at work */
    double *rounded;         /* [batch, hidden]: states as a quantized kind multiplies them */
    QnByteGrid grid;         /* of X; of a quantized kind */
    double *from_x, *from_h; /* [gates * hidden]: W x + bias, R h + bias */
    double clip;             /* infinity: none */
    QnRnnActivation f[QN_RNN_ACTIVATIONS];
} QnRnn;

/* One step of one item: from_x and from_h are ready; changes h, and c where there is one. */
typedef void QnRnnStep(QnRnn *rnn);

QnStatus qn_rnn_infer(QnInfer *in, const QnRnnKind *kind);
QnStatus qn_rnn_run(const QnCall *call, const QnRnnKind *kind, QnRnnStep *step);

/* to[k] = bias[k] + sum_j rows[k, j] * x[j] for k < count. */
void qn_rnn_product(double *to, const double *rows, const double *bias, const double *x,
                    int64_t count, int64_t inner);

/* Activation i of a pre-activation, which is clipped first. */
double qn_rnn_activate(const QnRnn *rnn, int i, double x);

#endif
