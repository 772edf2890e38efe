/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NonMaxSuppression: of boxes that overlap by more than a threshold (intersection over union) only
 * the one with the best score stays, per batch and class.  Boxes are two corners in any order, or
 * with center_point_box 1 center and size.
 */
#include "base/sort.h"
#include "engine/ops/op.h"

static QnStatus infer_nms(QnInfer *in)
{
    const QnShape *boxes = qn_infer_shape(in, 0), *scores = qn_infer_shape(in, 1);
    QN_TRY(qn_infer_want_rank(in, 0, 3));
    QN_TRY(qn_infer_want_rank(in, 1, 3));
    if (boxes && qn_dim_is_known(boxes->dims[2]) && boxes->dims[2] != 4)
        return qn_infer_fail(in, "boxes have %lld numbers, expected 4", (long long)boxes->dims[2]);
    for (int d = 0; boxes && scores && d < 2; d++) {
        const QnDim have = boxes->dims[d], want = scores->dims[d == 0 ? 0 : 2];
        if (qn_dim_is_known(have) && qn_dim_is_known(want) && have != want)
            return qn_infer_fail(in, "there are %lld boxes for %lld scores", (long long)have,
                                 (long long)want);
    }
    const QnShape y = {.rank = 2, .dims = {qn_infer_fresh(in), 3}};
    return qn_infer_tensor(in, 0, QN_INT64, &y);
}

typedef struct Box {
    double low_y, low_x, high_y, high_x;
} Box;

typedef struct Candidate {
    double score;
    int64_t box;
} Candidate;

static Box read_box(const QnTensor *boxes, int64_t at, bool is_centered)
{
    double b[4];
    qn_tensor_read_row(boxes, at * 4, 1, 4, b);
    if (is_centered) /* x, y, width, height */
        return (Box){b[1] - b[3] / 2, b[0] - b[2] / 2, b[1] + b[3] / 2, b[0] + b[2] / 2};
    return (Box){b[0] < b[2] ? b[0] : b[2], b[1] < b[3] ? b[1] : b[3], b[0] < b[2] ? b[2] : b[0],
                 b[1] < b[3] ? b[3] : b[1]};
}

static double area(Box box)
{
    return (box.high_y - box.low_y) * (box.high_x - box.low_x);
}

static double overlap(Box a, Box b)
{
    const Box both = {a.low_y > b.low_y ? a.low_y : b.low_y, a.low_x > b.low_x ? a.low_x : b.low_x,
                      a.high_y < b.high_y ? a.high_y : b.high_y,
                      a.high_x < b.high_x ? a.high_x : b.high_x};
    if (both.high_y <= both.low_y || both.high_x <= both.low_x)
        return 0;
    const double shared = area(both), all = area(a) + area(b) - shared;
    return all > 0 ? shared / all : 0;
}

/* The best score first; of equal ones the lower box. */
static int by_score(const void *a, const void *b)
{
    const Candidate *x = a, *y = b;
    if (x->score != y->score)
        return x->score > y->score ? -1 : 1;
    return x->box < y->box ? -1 : x->box > y->box;
}

/* What one call works with. */
typedef struct Search {
    const QnTensor *boxes, *scores;
    int64_t limit; /* boxes per batch and class */
    double overlap_limit, score_limit;
    bool has_score_limit, is_centered;
    Candidate *candidates; /* [boxes] */
    int64_t *kept;         /* [limit]: boxes of this batch and class */
    int64_t *rows;         /* [capacity][3]: what is selected */
    int64_t count, capacity;
} Search;

static QnStatus add_row(Search *s, QnArena *arena, int64_t batch, int64_t class, int64_t box)
{
    if (s->count == s->capacity) {
        int64_t *more;
        QN_ALLOC(more, arena, 3 * 2 * (s->capacity + 8));
        if (s->count)
            memcpy(more, s->rows, (size_t)s->count * 3 * sizeof *more);
        s->rows = more;
        s->capacity = 2 * (s->capacity + 8);
    }
    memcpy(s->rows + 3 * s->count++, (const int64_t[]){batch, class, box}, 3 * sizeof(int64_t));
    return QN_OK;
}

static bool is_suppressed(const Search *s, int64_t batch, int64_t box, int64_t kept)
{
    const int64_t first = batch * s->boxes->dims[1];
    const Box own = read_box(s->boxes, first + box, s->is_centered);
    for (int64_t k = 0; k < kept; k++)
        if (overlap(own, read_box(s->boxes, first + s->kept[k], s->is_centered)) > s->overlap_limit)
            return true;
    return false;
}

static QnStatus search_class(Search *s, const QnCall *call, int64_t batch, int64_t class)
{
    const int64_t boxes = s->boxes->dims[1];
    const int64_t first = (batch * s->scores->dims[1] + class) * boxes;
    int64_t count = 0, kept = 0;
    for (int64_t i = 0; i < boxes; i++) {
        const double score = qn_tensor_get(s->scores, first + i);
        if (!s->has_score_limit || score > s->score_limit)
            s->candidates[count++] = (Candidate){score, i};
    }
    qn_sort(s->candidates, (size_t)count, sizeof *s->candidates, by_score);
    for (int64_t i = 0; i < count && kept < s->limit; i++) {
        QN_TRY(qn_call_poll(call));
        if (is_suppressed(s, batch, s->candidates[i].box, kept))
            continue;
        s->kept[kept++] = s->candidates[i].box;
        QN_TRY(add_row(s, call->scratch, batch, class, s->candidates[i].box));
    }
    return QN_OK;
}

static double scalar(const QnCall *call, int i, double otherwise)
{
    const QnTensor *x = qn_call_input(call, i);
    return x && qn_tensor_count(x) > 0 ? qn_tensor_get(x, 0) : otherwise;
}

static QnStatus nms(const QnCall *call)
{
    Search s = {.boxes = qn_call_input(call, 0), .scores = qn_call_input(call, 1)};
    const QnTensor *limit = qn_call_input(call, 2);
    QnTensor *y;
    s.limit = limit && qn_tensor_count(limit) ? qn_tensor_get_int(limit, 0) : 0;
    s.limit = s.limit < 0 ? 0 : s.limit > s.boxes->dims[1] ? s.boxes->dims[1] : s.limit;
    s.overlap_limit = scalar(call, 3, 0);
    s.score_limit = scalar(call, 4, 0);
    s.has_score_limit = qn_call_input(call, 4) != NULL;
    s.is_centered = qn_op_int(call->node, "center_point_box") != 0;
    QN_ALLOC(s.candidates, call->scratch, s.boxes->dims[1]);
    QN_ALLOC(s.kept, call->scratch, s.limit);
    for (int64_t batch = 0; batch < s.scores->dims[0]; batch++)
        for (int64_t class = 0; class < s.scores->dims[1]; class ++)
            QN_TRY(search_class(&s, call, batch, class));
    QN_TRY(qn_call_output(call, 0, QN_INT64, 2, (const int64_t[]){s.count, 3}, &y));
    qn_tensor_write_row_int(y, 0, 1, 3 * s.count, s.rows);
    return QN_OK;
}

static const QnOpAttribute attributes[] = {{"center_point_box", QN_ATTRIBUTE_INT}, {0}};

const QnOp qn_ops_detect[] = {
    {.name = "NonMaxSuppression",
     .since = 11,
     .inputs = "boxes: float, scores: float, max_output_boxes_per_class?: int64, "
               "iou_threshold?: float, score_threshold?: float",
     .outputs = "selected_indices: int64",
     .attributes = attributes,
     .traits = QN_OP_DYNAMIC,
     .infer = infer_nms,
     .reference = nms},
    {0},
};
