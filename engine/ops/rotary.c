/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rotary embeddings: pairs of a row's elements are turned by angles that its position tells.
 *
 *     (a, b) -> (a cos - b sin, a sin + b cos)
 *
 * Pair p is made of elements p and p + width / 2, or of 2 p and 2 p + 1 where they are interleaved;
 * elements behind `width` stay.  The operators differ in where angles come from: a row of the
 * tables for each item and position (RotaryEmbedding without positions), the row that
 * `position_ids` names, or one of three rows for each pair (MRotaryEmbedding: time, height, width).
 */
#include "engine/ops/heads.h"

typedef struct Rotary Rotary;

/* How an operator says where its angles are: its inputs' numbers, and what fills cos and sin. */
typedef struct Kind {
    int cos, sin, positions;
    QnStatus (*angles)(const Rotary *r, int64_t b, int64_t i);
} Kind;

struct Rotary {
    const QnCall *call;
    const QnTensor *cos_table, *sin_table, *positions; /* positions: or NULL */
    int64_t batch, heads, rows, size, width;
    bool is_interleaved;
    const Kind *kind;
    double *cos, *sin; /* [width / 2] of the row at hand */
};

/* ---- inference ---- */

/* The number of heads of an input of rank 3: com.microsoft's follows from the tables. */
static int64_t count_heads(const QnInfer *in, const Kind *kind)
{
    const QnShape *x = qn_infer_shape(in, 0), *table = qn_infer_shape(in, kind->cos);
    const int64_t given = qn_op_int(in->node, "num_heads");
    if (given > 0 || !*in->node->domain || qn_op_int(in->node, "rotary_embedding_dim") > 0)
        return given;
    if (!x || !table || x->rank != 3 || table->rank < 1 || !qn_dim_is_known(x->dims[2]) ||
        !qn_dim_is_known(table->dims[table->rank - 1]) || table->dims[table->rank - 1] == 0)
        return 1; /* open yet; its sizes are checked when they are known */
    return x->dims[2] / (2 * table->dims[table->rank - 1]);
}

static QnStatus check_width(const QnInfer *in, const Kind *kind, const QnHeads *x)
{
    const int64_t given = qn_op_int(in->node, "rotary_embedding_dim");
    const QnDim width = given > 0 ? given : x->size;
    if (given < 0 || (qn_dim_is_known(x->size) && given > x->size))
        return qn_infer_fail(in, "rotary_embedding_dim is %lld, expected 0 to %lld",
                             (long long)given, (long long)x->size);
    if (qn_dim_is_known(width) && width % 2)
        return qn_infer_fail(in, "%lld elements of a head cannot be turned in pairs",
                             (long long)width);
    for (int i = kind->cos; i <= kind->sin; i++) {
        const QnShape *table = qn_infer_shape(in, i);
        if (table && qn_dim_is_known(width))
            QN_TRY(qn_infer_want_dim(in, i, table->rank - 1, width / 2));
    }
    return QN_OK;
}

static QnStatus check_tables(const QnInfer *in, const Kind *kind, const QnHeads *x)
{
    const bool has_positions = qn_infer_has(in, kind->positions);
    const QnShape *cos = qn_infer_shape(in, kind->cos);
    for (int i = kind->cos; i <= kind->sin; i++) {
        const QnShape *table = qn_infer_shape(in, i);
        QN_TRY(qn_infer_want_rank(in, i, has_positions ? 2 : 3));
        for (int d = 0; table && cos && d < table->rank; d++)
            QN_TRY(qn_infer_want_dim(in, i, d, cos->dims[d]));
        for (int d = 0; table && !has_positions && x->is_known && d < 2; d++)
            QN_TRY(qn_infer_want_dim(in, i, d, d ? x->rows : x->batch));
    }
    return x->is_known ? check_width(in, kind, x) : QN_OK;
}

static QnStatus infer_rotary(QnInfer *in, const Kind *kind, QnHeads *x)
{
    QN_TRY(qn_heads_read(in, 0, "num_heads", count_heads(in, kind), x));
    QN_TRY(check_tables(in, kind, x));
    return qn_infer_unary(in);
}

/* ---- angles ---- */

static void read_angles(const Rotary *r, int64_t row)
{
    const int64_t half = r->width / 2;
    qn_tensor_read_row(r->cos_table, row * half, 1, half, r->cos);
    qn_tensor_read_row(r->sin_table, row * half, 1, half, r->sin);
}

/* Position k of the list, checked against the tables. */
static QnStatus read_position(const Rotary *r, int64_t k, int64_t add, int64_t *position)
{
    const int64_t given = qn_tensor_get_int(r->positions, k), limit = r->cos_table->dims[0] - add;
    if (given < 0 || given >= limit)
        return qn_call_fail(r->call, "position_ids[%lld] is %lld, expected 0 to %lld", (long long)k,
                            (long long)given, (long long)(limit - 1));
    *position = given + add;
    return QN_OK;
}

/* ai.onnx: a row of the tables for every row of the input, or by position. */
static QnStatus own_angles(const Rotary *r, int64_t b, int64_t i)
{
    int64_t row = b * r->rows + i;
    if (r->positions)
        QN_TRY(read_position(r, row, 0, &row));
    read_angles(r, row);
    return QN_OK;
}

/* com.microsoft: one position is that of the first row. */
static QnStatus counted_angles(const Rotary *r, int64_t b, int64_t i)
{
    const bool is_first = r->positions->rank == 1;
    int64_t row = 0;
    QN_TRY(read_position(r, is_first ? 0 : b * r->rows + i, is_first ? i : 0, &row));
    read_angles(r, row);
    return QN_OK;
}

/* ---- computing ---- */

static void rotate(const Rotary *r, double *row)
{
    const int64_t half = r->width / 2;
    for (int64_t p = 0; p < half; p++) {
        double *a = row + (r->is_interleaved ? 2 * p : p),
               *b = r->is_interleaved ? a + 1 : a + half;
        const double x = *a, y = *b;
        *a = x * r->cos[p] - y * r->sin[p];
        *b = x * r->sin[p] + y * r->cos[p];
    }
}

/* Rows begin <= k < end of all items; the room is the angles' cosines and sines, then a row. */
static QnStatus turn_rows(const QnCall *call, const void *work, void *room, int64_t begin,
                          int64_t end)
{
    Rotary r = *(const Rotary *)work;
    const QnTensor *x = qn_call_input(call, 0);
    r.call = call;
    r.cos = room;
    r.sin = r.cos + r.width / 2;
    double *row = r.sin + r.width / 2;
    for (int64_t k = begin; k < end; k++) {
        const int64_t b = k / r.rows, i = k % r.rows;
        QN_TRY(r.kind->angles(&r, b, i));
        for (int64_t h = 0; h < r.heads; h++) {
            const int64_t at =
                (x->rank == 3 ? k * r.heads + h : (b * r.heads + h) * r.rows + i) * r.size;
            qn_tensor_read_row(x, at, 1, r.size, row);
            rotate(&r, row);
            qn_tensor_write_row(qn_call_result(call, 0), at, 1, r.size, row);
        }
    }
    return QN_OK;
}

static QnStatus run_rotary(const QnCall *call, const Kind *kind)
{
    const QnTensor *x = qn_call_input(call, 0);
    const int64_t width = qn_op_int(call->node, "rotary_embedding_dim");
    const int64_t given = qn_op_int(call->node, "num_heads");
    Rotary r = {.call = call,
                .cos_table = qn_call_input(call, kind->cos),
                .sin_table = qn_call_input(call, kind->sin),
                .positions = qn_call_input(call, kind->positions),
                .is_interleaved = qn_op_int(call->node, "interleaved") != 0,
                .kind = kind,
                .batch = x->dims[0]};
    if (qn_tensor_count(x) == 0)
        return QN_OK;
    if (x->rank == 3) {
        const int64_t pair = 2 * r.cos_table->dims[r.cos_table->rank - 1];
        r.heads = given > 0 ? given : x->dims[2] / pair;
        r.rows = x->dims[1];
        r.size = x->dims[2] / r.heads;
    } else {
        r.heads = x->dims[1];
        r.rows = x->dims[2];
        r.size = x->dims[3];
    }
    r.width = width > 0 ? width : r.size;
    return qn_call_for(call, r.batch * r.rows, (double)r.width + 4 * (double)(r.heads * r.size),
                       (size_t)(r.width + r.size) * sizeof(double), turn_rows, &r);
}

/* ---- the operators ---- */

static const Kind standard = {1, 2, 3, own_angles};
static const Kind contributed = {2, 3, 1, counted_angles};

static QnStatus infer_standard(QnInfer *in)
{
    QnHeads x;
    QN_TRY(infer_rotary(in, &standard, &x));
    return x.is_known ? qn_infer_want_shape(in, 3, 2, (const QnDim[]){x.batch, x.rows}) : QN_OK;
}

static QnStatus run_standard(const QnCall *call)
{
    return run_rotary(call, &standard);
}

static QnStatus infer_contributed(QnInfer *in)
{
    const QnShape *positions = qn_infer_shape(in, 1);
    QnHeads x;
    QN_TRY(infer_rotary(in, &contributed, &x));
    if (positions && positions->rank == 1)
        return qn_infer_want_dim(in, 1, 0, 1);
    return x.is_known ? qn_infer_want_shape(in, 1, 2, (const QnDim[]){x.batch, x.rows}) : QN_OK;
}

static QnStatus run_contributed(const QnCall *call)
{
    return run_rotary(call, &contributed);
}

/* ---- MRotaryEmbedding ---- */

static const QnAttribute *sections_of(const QnNode *node)
{
    const QnAttribute *sections = qn_node_attribute(node, "mrope_section");
    return sections && sections->kind == QN_ATTRIBUTE_INTS && sections->count == 3 ? sections
                                                                                   : NULL;
}

/* Which of the three positions turns a pair: they have sections one behind the other, or take turns
 * as long as height and width have pairs. */
static int stream_of(const QnNode *node, int64_t pair)
{
    const int64_t *sections = sections_of(node)->ints;
    if (qn_op_int(node, "mrope_layout") == 0)
        return pair < sections[0] ? 0 : pair - sections[0] < sections[1] ? 1 : 2;
    const int turn = (int)(pair % 3);
    return turn > 0 && pair / 3 < sections[turn] ? turn : 0;
}

static QnStatus mixed_angles(const Rotary *r, int64_t b, int64_t i)
{
    const int64_t half = r->width / 2;
    int64_t rows[3];
    for (int s = 0; s < 3; s++)
        QN_TRY(read_position(r, (s * r->batch + b) * r->rows + i, 0, &rows[s]));
    for (int64_t p = 0; p < half; p++) {
        const int64_t at = rows[stream_of(r->call->node, p)] * half + p;
        r->cos[p] = qn_tensor_get(r->cos_table, at);
        r->sin[p] = qn_tensor_get(r->sin_table, at);
    }
    return QN_OK;
}

static const Kind mixed = {2, 3, 1, mixed_angles};

static QnStatus check_sections(const QnInfer *in, const QnHeads *x)
{
    const QnAttribute *sections = sections_of(in->node);
    const int64_t layout = qn_op_int(in->node, "mrope_layout");
    const int64_t width = qn_op_int(in->node, "rotary_embedding_dim");
    const QnDim half = width > 0 ? width / 2 : qn_dim_is_known(x->size) ? x->size / 2 : x->size;
    int64_t sum = 0;
    if (!sections)
        return qn_infer_fail(in, "mrope_section is no list of 3 numbers");
    if (layout != 0 && layout != 1)
        return qn_infer_fail(in, "mrope_layout is %lld, expected 0 or 1", (long long)layout);
    for (int s = 0; s < 3; s++) {
        if (sections->ints[s] < 0 || sections->ints[s] > INT32_MAX)
            return qn_infer_fail(in, "mrope_section[%d] is %lld, expected 0 to %d", s,
                                 (long long)sections->ints[s], INT32_MAX);
        sum += sections->ints[s];
    }
    if (x->is_known && qn_dim_is_known(half) && sum != half)
        return qn_infer_fail(in, "mrope_section has %lld pairs, expected %lld", (long long)sum,
                             (long long)half);
    return QN_OK;
}

static QnStatus infer_mixed(QnInfer *in)
{
    QnHeads x;
    QN_TRY(infer_rotary(in, &mixed, &x));
    QN_TRY(check_sections(in, &x));
    return x.is_known ? qn_infer_want_shape(in, 1, 3, (const QnDim[]){3, x.batch, x.rows}) : QN_OK;
}

static QnStatus run_mixed(const QnCall *call)
{
    return run_rotary(call, &mixed);
}

#define COMMON                                                           \
    {"interleaved", QN_ATTRIBUTE_INT}, {"num_heads", QN_ATTRIBUTE_INT},  \
    {                                                                    \
        "rotary_embedding_dim", QN_ATTRIBUTE_INT /* 0: the whole head */ \
    }
/* com.microsoft's say two things more that change no result: that rows of several sequences may
 * stand in one, and a scale that nobody applies. */
#define CONTRIBUTED                           \
    {"is_packed_batching", QN_ATTRIBUTE_INT}, \
    {                                         \
        "scale", QN_ATTRIBUTE_FLOAT, .f = 1   \
    }

static const QnOpAttribute attributes[] = {COMMON, {0}};
static const QnOpAttribute contributed_attributes[] = {COMMON, CONTRIBUTED, {0}};
static const QnOpAttribute mixed_attributes[] = {
    COMMON,
    CONTRIBUTED,
    {"mrope_layout", QN_ATTRIBUTE_INT},
    {"mrope_section", QN_ATTRIBUTE_INTS, .is_required = true},
    {0}};

const QnOp qn_ops_rotary[] = {
    {.name = "RotaryEmbedding",
     .since = 23,
     .inputs = "X: float, cos_cache: float, sin_cache: float, position_ids?: int64",
     .outputs = "Y: T",
     .attributes = attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_standard,
     .reference = run_standard},
    {.name = "MRotaryEmbedding",
     .domain = "com.microsoft",
     .since = 1,
     .inputs = "input: float, position_ids: int64, cos_cache: float, sin_cache: float",
     .outputs = "output: T",
     .attributes = mixed_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_mixed,
     .reference = run_mixed},
    {.name = "RotaryEmbedding",
     .domain = "com.microsoft",
     .since = 1,
     .inputs = "input: float, position_ids: int64, cos_cache: float, sin_cache: float",
     .outputs = "output: T",
     .attributes = contributed_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_contributed,
     .reference = run_contributed},
    {0},
};
