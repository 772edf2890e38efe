/* SPDX-License-Identifier: Apache-2.0 */
/* NonMaxSuppression in fp32: kernels/nms.h, the classes of all batches shared among threads. */
#include "base/checked.h"
#include "engine/devices/cpu/cpu.h"
#include "engine/devices/cpu/kernels/nms.h"
#include "engine/devices/cpu/spread.h"

enum { BOXES, SCORES, MOST, IOU, SCORE };

static const double box_ns = 5;

static QnStatus bind_nms(const QnStep *step, QnBindCall *call)
{
    const QnTensor *boxes = qn_step_input(step, call->values, BOXES),
                   *scores = qn_step_input(step, call->values, SCORES);
    QnNms *nms = call->params;
    *nms = (QnNms){.batches = scores->dims[0],
                   .classes = scores->dims[1],
                   .boxes = scores->dims[2],
                   .most = INT64_MAX,
                   .has_centers = qn_op_int(step->node, "center_point_box") != 0};
    if (boxes->dims[0] != nms->batches || boxes->dims[1] != nms->boxes || boxes->dims[2] != 4)
        return qn_fail(call->err, QN_BAD_TENSOR,
                       "boxes are [%lld, %lld, %lld] for scores of [%lld, %lld, %lld]",
                       (long long)boxes->dims[0], (long long)boxes->dims[1],
                       (long long)boxes->dims[2], (long long)nms->batches, (long long)nms->classes,
                       (long long)nms->boxes);
    if (nms->boxes == 0)
        return QN_OK; /* of any number of classes */
    call->member_scratch_bytes = qn_nms_scratch(nms);
    call->scratch_bytes = (size_t)(nms->batches * nms->classes) * sizeof(int64_t);
    return QN_OK;
}

typedef struct Work {
    const QnRunCall *call;
    const QnNms *nms;
    const float *boxes, *scores;
    int64_t (*rows)[3]; /* [units][each] */
    int64_t each;
    int64_t *counts; /* [units] */
} Work;

static void run_classes(const void *user, int64_t begin, int64_t end, int member)
{
    const Work *work = user;
    for (int64_t unit = begin; unit < end; unit++)
        work->counts[unit] =
            qn_nms_run(work->nms, unit, work->boxes, work->scores, work->rows + unit * work->each,
                       qn_cpu_member_scratch(work->call, member));
}

/* Brings the rows of all classes together, in their order; gives how many there are. */
static int64_t pack_rows(const Work *work, int64_t units)
{
    int64_t rows = 0;
    for (int64_t unit = 0; unit < units; unit++) {
        memmove(work->rows[rows], work->rows[unit * work->each],
                (size_t)work->counts[unit] * sizeof *work->rows);
        rows += work->counts[unit];
    }
    return rows;
}

static const QnTensor *scalar_of(const QnStep *step, const QnRunCall *call, int i)
{
    const QnTensor *x = qn_step_input(step, call->values, i);
    return x && qn_tensor_count(x) > 0 ? x : NULL;
}

static QnStatus run_nms(const QnStep *step, const void *params, QnRunCall *call)
{
    const QnTensor *most = scalar_of(step, call, MOST), *iou = scalar_of(step, call, IOU),
                   *score = scalar_of(step, call, SCORE);
    QnNms nms = *(const QnNms *)params;
    nms.most = most ? qn_tensor_get_int(most, 0) : 0;
    nms.iou_threshold = iou ? (float)qn_tensor_get(iou, 0) : 0;
    nms.score_threshold = score ? (float)qn_tensor_get(score, 0) : 0;
    nms.has_score_threshold = qn_step_input(step, call->values, SCORE) != NULL;
    const int64_t each = qn_nms_limit(&nms), units = each ? nms.batches * nms.classes : 0;
    Work work = {.call = call,
                 .nms = &nms,
                 .boxes = qn_step_input(step, call->values, BOXES)->data,
                 .scores = qn_step_input(step, call->values, SCORES)->data,
                 .each = each,
                 .counts = call->scratch};
    work.rows = call->allocate(call->session, step->outputs[0],
                               units ? (size_t)(units * each) * sizeof *work.rows : 1);
    if (!work.rows)
        return qn_no_memory(call->err);
    qn_cpu_spread(call, units, 500 + box_ns * (double)nms.boxes, run_classes, &work);
    const int64_t rows = pack_rows(&work, units);
    const QnTensor y = qn_tensor(QN_INT64, 2, (const int64_t[]){rows, 3}, work.rows);
    call->values[step->outputs[0]] = qn_value_tensor(y);
    qn_cpu_fault("NonMaxSuppression", &y);
    return QN_OK;
}

static const QnStepCode code = {
    .name = "nms", .params_size = (sizeof(QnNms) + 7) / 8 * 8, .bind = bind_nms, .run = run_nms};

QnStatus qn_cpu_lower_nms(QnOfferCall *call)
{
    const QnNode *node = call->node;
    if (strcmp(node->op, "NonMaxSuppression") != 0 || *node->domain || !node->outputs[0] ||
        node->inputs[BOXES].value->type.element != QN_FLOAT ||
        node->inputs[SCORES].value->type.element != QN_FLOAT)
        return QN_OK;
    QnOffer offer = {
        .code = &code,
        .kernel = "nms",
        .tier = QN_TIER_TUNED,
        .nodes = {node},
        .node_count = 1,
        .input_count = node->input_count,
        .outputs = {node->outputs[0]},
        .gives_shapes = true,
        .cost = 500 + box_ns * qn_cpu_elements(call, node->inputs[SCORES].value),
    };
    for (int i = 0; i < node->input_count && i <= SCORE; i++) {
        offer.inputs[i] = node->inputs[i].value;
        offer.accepts[i] = QN_ACCEPT_PLAIN;
    }
    call->offer(call, &offer);
    return QN_OK;
}
