/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Non-maximum suppression: scores are filtered first and survivors sorted.  Kept boxes stand in
 * separate arrays of coordinates, so that a candidate is held against many at a time.
 */
#include "engine/devices/cpu/kernels/nms.h"

#include "base/checked.h"
#include "base/fault.h"
#include "base/sort.h"

typedef struct Candidate {
    float score;
    int64_t index;
} Candidate;

typedef struct Box {
    float y1, x1, y2, x2;
} Box;

/* The boxes kept so far in a class: structure of arrays. */
typedef struct Kept {
    float *y1, *x1, *y2, *x2, *area;
    int64_t count;
} Kept;

int64_t qn_nms_limit(const QnNms *nms)
{
    return qn_max_i64(0, qn_min_i64(nms->most, nms->boxes));
}

size_t qn_nms_scratch(const QnNms *nms)
{
    const size_t each = sizeof(Candidate) + 5 * sizeof(float);
    size_t size;
    return qn_mul_size(&size, (size_t)nms->boxes, each) ? size : SIZE_MAX;
}

static Box corners(const QnNms *nms, const float *b)
{
    if (nms->has_centers)
        return (Box){b[1] - b[3] / 2, b[0] - b[2] / 2, b[1] + b[3] / 2, b[0] + b[2] / 2};
    const bool is_down = b[0] <= b[2], is_right = b[1] <= b[3];
    return (Box){is_down ? b[0] : b[2], is_right ? b[1] : b[3], is_down ? b[2] : b[0],
                 is_right ? b[3] : b[1]};
}

static int by_score(const void *first, const void *second)
{
    const Candidate *a = first, *b = second;
    if (a->score != b->score)
        return a->score > b->score ? -1 : 1;
    return a->index < b->index ? -1 : a->index > b->index;
}

static float area_of(const Box *box)
{
    return (box->y2 - box->y1) * (box->x2 - box->x1);
}

/* Does the box overlap any that was kept by more than the threshold?  IoU > t where intersection >
 * t * union. */
static bool overlaps(const Kept *kept, const Box *box, float threshold)
{
    enum { BLOCK = 16 };
    const float area = area_of(box);
    for (int64_t first = 0; first < kept->count; first += BLOCK) {
        const int64_t end = first + BLOCK < kept->count ? first + BLOCK : kept->count;
        int hits = 0;
        for (int64_t i = first; i < end; i++) {
            const float y1 = box->y1 > kept->y1[i] ? box->y1 : kept->y1[i];
            const float x1 = box->x1 > kept->x1[i] ? box->x1 : kept->x1[i];
            const float y2 = box->y2 < kept->y2[i] ? box->y2 : kept->y2[i];
            const float x2 = box->x2 < kept->x2[i] ? box->x2 : kept->x2[i];
            const float height = y2 > y1 ? y2 - y1 : 0, width = x2 > x1 ? x2 - x1 : 0;
            const float inter = height * width, all = area + kept->area[i] - inter;
            hits |= all > 0 && inter / all > threshold;
        }
        if (hits)
            return true;
    }
    return false;
}

static void keep(Kept *kept, const Box *box)
{
    const int64_t i = kept->count++;
    kept->y1[i] = box->y1;
    kept->x1[i] = box->x1;
    kept->y2[i] = box->y2;
    kept->x2[i] = box->x2;
    kept->area[i] = area_of(box);
}

int64_t qn_nms_run(const QnNms *nms, int64_t unit, const float *boxes, const float *scores,
                   int64_t (*selected)[3], void *scratch)
{
    const int64_t most = qn_nms_limit(nms), batch = unit / nms->classes;
    Candidate *candidates = scratch;
    float *room = (float *)(void *)(candidates + nms->boxes);
    Kept kept = {room, room + most, room + 2 * most, room + 3 * most, room + 4 * most, 0};
    int64_t count = 0;
    scores += unit * nms->boxes;
    boxes += batch * nms->boxes * 4;
    for (int64_t i = 0; i < nms->boxes; i++)
        if (nms->has_score_threshold ? scores[i] > nms->score_threshold : scores[i] == scores[i])
            candidates[count++] = (Candidate){scores[i], i};
    qn_sort(candidates, (size_t)count, sizeof *candidates, by_score);
    for (int64_t c = 0; c < count && kept.count < most; c++) {
        const Box box = corners(nms, boxes + candidates[c].index * 4);
        if (overlaps(&kept, &box, nms->iou_threshold))
            continue;
        int64_t *row = selected[kept.count];
        row[0] = batch;
        row[1] = unit % nms->classes;
        row[2] = candidates[c].index;
        keep(&kept, &box);
    }
    if (kept.count > 0 && qn_fault("kernel", "nms"))
        qn_fault_spoil(selected, sizeof *selected);
    return kept.count;
}
