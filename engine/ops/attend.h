/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scaled dot-product attention in double, which the references of all attention operators end in:
 *
 *     score = softcap(scale * q k') + bias;  p = exp(score - max) / (sum + sink);  y = p v
 *
 * The operators differ in where queries, keys, values and biases come from; here these are arrays.
 * A key whose bias is -infinity takes no part, whatever it holds; a query without any key gives
 * zeros.
 */
#ifndef QN_ENGINE_OPS_ATTEND_H
#define QN_ENGINE_OPS_ATTEND_H

#include "engine/ops/op.h"

typedef struct QnAttend QnAttend;

/* What a product of queries and keys is written out as. */
typedef enum QnAttendStage {
    QN_ATTEND_RAW,     /* scaled */
    QN_ATTEND_CAPPED,  /* behind the soft cap */
    QN_ATTEND_BIASED,  /* with the bias */
    QN_ATTEND_SOFTMAX, /* behind softmax */
} QnAttendStage;

/* The size of a side of attention: queries, keys or values. */
typedef struct QnAttendSide {
    int64_t heads, rows, size;
} QnAttendSide;

struct QnAttend {
    const QnCall *call;
    int64_t batch;
    QnAttendSide q, k, v; /* q.heads is a multiple of k.heads, which is v.heads; k.rows is v.rows */
    double *queries;      /* [batch, q.heads, q.rows, q.size] */
    double *keys;         /* [batch, k.heads, k.rows, k.size] */
    double *values;       /* [batch, v.heads, v.rows, v.size] */
    double scale, softcap; /* softcap 0: none */
    const double *sinks; /* [q.heads] one more score per head, that no value belongs to; or NULL */
    /* Adds to row[k.rows], which is zero, what is added to the scores of query i.
     * NULL: nothing. */
    void (*bias)(const QnAttend *attend, int64_t b, int64_t h, int64_t i, double *row);
    const void *user;    /* the operator's, for `bias` */
    QnTensor *y;         /* [batch, q.heads, q.rows, v.size] or [batch, q.rows, q.heads * v.size] */
    QnTensor *scores;    /* [batch, q.heads, q.rows, k.rows] written at `stage`; or NULL */
    QnAttendStage stage; /* of `scores` */
};

/* How far keys may stand before and behind the position of a query; -1: any. */
typedef struct QnAttendWindow {
    int64_t left, right;
} QnAttendWindow;

/* Sets the bias of keys outside of the window of query i, where query 0 stands at `offset`. */
void qn_attend_window(QnAttendWindow window, int64_t offset, int64_t i, double *row, int64_t keys);

/* Computes. */
QnStatus qn_attend(const QnAttend *attend);

/* Where heads lie in a tensor: the first element, and the distance in elements from one item, head
 * and row to the next. */
typedef struct QnAttendFrom {
    const QnTensor *x;
    int64_t first, item, head, row;
} QnAttendFrom;

/* Of a tensor [batch, heads, rows, size] or [batch, rows, heads * size]. */
QnAttendFrom qn_attend_from(const QnTensor *x, QnAttendSide side);

/* Reads heads into rows [first, first + side.rows) of an array [batch, heads, total, size]. */
void qn_attend_read(double *to, int64_t total, int64_t first, const QnAttendFrom *from,
                    int64_t batch, QnAttendSide side);

/* Adds elements [from, from + heads * size) of a vector to every row that qn_attend_read has
 * written; NULL adds nothing. */
void qn_attend_add(double *to, int64_t total, int64_t first, const QnTensor *vector, int64_t from,
                   int64_t batch, QnAttendSide side);

/* The opposite of qn_attend_read,
 * to rows [first, first + side.rows) of a tensor [batch, heads, .., size]. */
void qn_attend_write(QnTensor *to, int64_t first, const double *from, int64_t total,
                     int64_t from_row, int64_t batch, QnAttendSide side);

#endif
