/* SPDX-License-Identifier: Apache-2.0 */
/* Scaled dot-product attention on arrays of double; attend.h. */
#include "engine/ops/attend.h"

#include <math.h>

#include "base/checked.h"

/* Positions and windows come from tensors and attributes: bounded, so that sums do not overflow. */
enum { FAR_BITS = 60 };

static int64_t near(int64_t x)
{
    const int64_t far = (int64_t)1 << FAR_BITS;
    return qn_max_i64(-far, qn_min_i64(far, x));
}

void qn_attend_window(QnAttendWindow window, int64_t offset, int64_t i, double *row, int64_t keys)
{
    const int64_t p = near(offset) + i;
    const int64_t first = window.left < 0 ? 0 : p - near(window.left);
    const int64_t last = window.right < 0 ? keys : p + near(window.right);
    for (int64_t j = 0; j < keys; j++)
        if (j < first || j > last)
            row[j] = -INFINITY;
}

QnAttendFrom qn_attend_from(const QnTensor *x, QnAttendSide side)
{
    const int64_t rows = side.rows * side.size, all = side.heads * rows;
    return x->rank == 3 ? (QnAttendFrom){x, 0, all, side.size, side.heads * side.size}
                        : (QnAttendFrom){x, 0, all, rows, side.size};
}

void qn_attend_read(double *to, int64_t total, int64_t first, const QnAttendFrom *from,
                    int64_t batch, QnAttendSide side)
{
    if (qn_tensor_count(from->x) == 0) /* the other sizes may be anything */
        return;
    for (int64_t b = 0; b < batch; b++)
        for (int64_t h = 0; h < side.heads; h++)
            for (int64_t i = 0; i < side.rows; i++)
                qn_tensor_read_row(
                    from->x, from->first + b * from->item + h * from->head + i * from->row, 1,
                    side.size, to + ((b * side.heads + h) * total + first + i) * side.size);
}

void qn_attend_add(double *to, int64_t total, int64_t first, const QnTensor *vector, int64_t from,
                   int64_t batch, QnAttendSide side)
{
    const int64_t width = side.heads * side.size;
    for (int64_t w = 0; vector && w < width; w++) {
        const double add = qn_tensor_get(vector, from + w);
        for (int64_t i = 0; i < batch * side.rows; i++) {
            const int64_t head = i / side.rows * side.heads + w / side.size;
            to[(head * total + first + i % side.rows) * side.size + w % side.size] += add;
        }
    }
}

void qn_attend_write(QnTensor *to, int64_t first, const double *from, int64_t total,
                     int64_t from_row, int64_t batch, QnAttendSide side)
{
    const int64_t length = to->dims[2];
    for (int64_t head = 0; head < batch * side.heads && side.rows > 0; head++)
        qn_tensor_write_row(to, (head * length + first) * side.size, 1, side.rows * side.size,
                            from + (head * total + from_row) * side.size);
}

static double dot(const double *a, const double *b, int64_t count)
{
    double sum = 0;
    for (int64_t i = 0; i < count; i++)
        sum += a[i] * b[i];
    return sum;
}

/* One query's way from scores to weights. */
typedef struct Row {
    double *scores; /* [k.rows] */
    double *bias;   /* [k.rows] */
    double *y;      /* [v.size] */
} Row;

static void write_scores(const QnAttend *a, QnAttendStage stage, int64_t row, const double *scores)
{
    if (a->scores && a->stage == stage)
        qn_tensor_write_row(a->scores, row * a->k.rows, 1, a->k.rows, scores);
}

/* Weights of the keys that take part; zeros where there is none. */
static void softmax(double *scores, int64_t count, const double *sink)
{
    double max = sink ? *sink : -INFINITY, sum = 0;
    for (int64_t j = 0; j < count; j++)
        max = isnan(scores[j]) || scores[j] > max ? scores[j] : max;
    for (int64_t j = 0; j < count; j++)
        sum += scores[j] = max == -INFINITY ? 0 : exp(scores[j] - max);
    if (sink)
        sum += exp(*sink - max);
    for (int64_t j = 0; j < count && sum != 0; j++)
        scores[j] /= sum;
}

/* Query i of head h: the weights of the keys, then their values' sum. */
static void attend_row(const QnAttend *a, int64_t b, int64_t h, int64_t i, const Row *row)
{
    const int64_t group = a->q.heads / a->k.heads;
    const int64_t at = (b * a->q.heads + h) * a->q.rows + i, head = b * a->k.heads + h / group;
    const double *q = a->queries + at * a->q.size;
    const double *k = a->keys + head * a->k.rows * a->k.size;
    const double *v = a->values + head * a->v.rows * a->v.size;
    memset(row->bias, 0, (size_t)a->k.rows * sizeof *row->bias);
    memset(row->y, 0, (size_t)a->v.size * sizeof *row->y);
    if (a->bias)
        a->bias(a, b, h, i, row->bias);
    for (int64_t j = 0; j < a->k.rows; j++)
        row->scores[j] = a->scale * dot(q, k + j * a->k.size, a->q.size);
    write_scores(a, QN_ATTEND_RAW, at, row->scores);
    for (int64_t j = 0; j < a->k.rows && a->softcap > 0; j++)
        row->scores[j] = a->softcap * tanh(row->scores[j] / a->softcap);
    write_scores(a, QN_ATTEND_CAPPED, at, row->scores);
    for (int64_t j = 0; j < a->k.rows; j++)
        row->scores[j] = row->bias[j] == -INFINITY ? -INFINITY : row->scores[j] + row->bias[j];
    write_scores(a, QN_ATTEND_BIASED, at, row->scores);
    softmax(row->scores, a->k.rows, a->sinks ? a->sinks + h : NULL);
    write_scores(a, QN_ATTEND_SOFTMAX, at, row->scores);
    for (int64_t j = 0; j < a->k.rows; j++)
        for (int64_t d = 0; d < a->v.size && row->bias[j] != -INFINITY; d++)
            row->y[d] += row->scores[j] * v[j * a->v.size + d];
}

QnStatus qn_attend(const QnAttend *a)
{
    Row row;
    if (qn_tensor_count(a->y) == 0 && (!a->scores || qn_tensor_count(a->scores) == 0))
        return QN_OK;
    QN_ALLOC(row.scores, a->call->scratch, a->k.rows);
    QN_ALLOC(row.bias, a->call->scratch, a->k.rows);
    QN_ALLOC(row.y, a->call->scratch, a->v.size);
    for (int64_t b = 0; b < a->batch; b++)
        for (int64_t h = 0; h < a->q.heads; h++)
            for (int64_t i = 0; i < a->q.rows; i++) {
                QN_TRY(qn_call_poll(a->call));
                attend_row(a, b, h, i, &row);
                const int64_t to = a->y->rank == 3 ? (b * a->q.rows + i) * a->q.heads + h
                                                   : (b * a->q.heads + h) * a->q.rows + i;
                qn_tensor_write_row(a->y, to * a->v.size, 1, a->v.size, row.y);
            }
    return QN_OK;
}
