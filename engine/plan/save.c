/* SPDX-License-Identifier: Apache-2.0 */
/* Writing plan files: file.h. */
#include "base/checked.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/proto.h"
#include "engine/ir/wire.h"
#include "engine/plan/file.h"
#include "engine/plan/plan.h"

/* A piece of the weights section. */
typedef struct Piece {
    const void *data;
    uint64_t offset, size;
} Piece;

typedef struct Saver {
    const QnPlan *plan;
    QnArena scratch;
    const QnTensor **constants; /* [constant_count] those outside the graph section, by key */
    int constant_count, constant_capacity;
    Piece *pieces;
    int piece_count, piece_capacity;
    uint64_t end; /* of the weights section */
    QnText graph, decisions;
    bool failed;
} Saver;

static size_t tensor_size(const QnTensor *tensor)
{
    return (size_t)qn_tensor_count(tensor) * qn_type_size(tensor->type);
}

static QnStatus add_piece(Saver *s, const void *data, size_t size, uint64_t *offset)
{
    s->end = qn_round_up((size_t)s->end, size >= QN_PLAN_LARGE ? 4096 : 64);
    *offset = s->end;
    QN_GROW(s->pieces, s->piece_count, s->piece_capacity, &s->scratch);
    s->pieces[s->piece_count++] = (Piece){data, s->end, size};
    s->end += size;
    return QN_OK;
}

static bool is_packed(const QnPlan *plan, const QnTensor *constant)
{
    for (int i = 0; i < plan->packed_count; i++)
        if (plan->packed[i].constant == constant)
            return true;
    return false;
}

/* Is a constant read as it is, by a step or as an output?  Then it needs its data. */
static bool is_read(const QnPlan *plan, const QnIrValue *value)
{
    for (int v = 0; v < plan->value_count; v++)
        if (plan->values[v].value == value && plan->values[v].first >= 0)
            return true;
    return false;
}

static bool outside(void *user, const QnIrValue *value, uint64_t *key)
{
    Saver *s = user;
    if (tensor_size(value->constant) < QN_PLAN_KEPT_INSIDE)
        return false;
    if (s->constant_count == s->constant_capacity) {
        const int room = s->constant_capacity ? 2 * s->constant_capacity : 64;
        const QnTensor **grown = qn_arena_array(&s->scratch, (size_t)room, sizeof *grown);
        if (!grown) {
            s->failed = true;
            return false;
        }
        if (s->constant_count)
            memcpy(grown, s->constants, (size_t)s->constant_count * sizeof *grown);
        s->constants = grown;
        s->constant_capacity = room;
    }
    *key = (uint64_t)s->constant_count;
    s->constants[s->constant_count++] = value->constant;
    uint64_t offset;
    const bool is_lost = is_packed(s->plan, value->constant) && !is_read(s->plan, value);
    const size_t mark = qn_proto_put_begin(&s->decisions, 3);
    qn_proto_put_uint(&s->decisions, 1, *key);
    qn_proto_put_string(&s->decisions, 2, is_lost ? "lost" : "plain");
    qn_proto_put_uint(&s->decisions, 3, tensor_size(value->constant));
    if (is_lost)
        offset = 0;
    else if (add_piece(s, value->constant->data, tensor_size(value->constant), &offset) != QN_OK)
        s->failed = true;
    qn_proto_put_uint(&s->decisions, 4, s->failed ? 0 : offset);
    qn_proto_put_end(&s->decisions, mark);
    return true;
}

static int key_of(const Saver *s, const QnTensor *constant)
{
    for (int i = 0; i < s->constant_count; i++)
        if (s->constants[i] == constant)
            return i;
    return -1;
}

/* The packed forms of constants outside; those of small ones are packed again on loading. */
static QnStatus put_packed(Saver *s)
{
    for (int i = 0; i < s->plan->packed_count; i++) {
        const QnPacked *packed = &s->plan->packed[i];
        const int key = key_of(s, packed->constant);
        uint64_t offset;
        if (key < 0)
            continue;
        QN_TRY(add_piece(s, packed->data, packed->size, &offset));
        const size_t mark = qn_proto_put_begin(&s->decisions, 3);
        qn_proto_put_uint(&s->decisions, 1, (uint64_t)key);
        qn_proto_put_string(&s->decisions, 2, packed->kind);
        qn_proto_put_uint(&s->decisions, 3, packed->size);
        qn_proto_put_uint(&s->decisions, 4, offset);
        qn_proto_put_end(&s->decisions, mark);
    }
    return QN_OK;
}

static void put_decisions(Saver *s, const char *level)
{
    int64_t index = 0;
    qn_proto_put_string(&s->decisions, 1, level);
    for (const QnNode *node = NULL; (node = qn_module_walk(s->plan->module, node)); index++) {
        if (s->plan->decisions[node->id] < 0)
            continue;
        const int64_t pair[2] = {index, s->plan->decisions[node->id]};
        qn_proto_put_packed_i64(&s->decisions, 2, pair, 2);
    }
}

static QnStatus encode(Saver *s, const char *level, QnError *err)
{
    const QnWireWriter writer = {.out = &s->graph, .outside = outside, .user = s};
    put_decisions(s, level);
    QN_TRY(qn_module_write(s->plan->module, &writer, err));
    if (put_packed(s) != QN_OK || s->failed || s->decisions.failed)
        return qn_no_memory(err);
    return QN_OK;
}

/* ---- the file ---- */

static QnStatus put_padding(QnFileWriter *file, uint64_t offset, QnError *err)
{
    static const uint8_t zeros[4096];
    while (file->size < offset) {
        const uint64_t left = offset - file->size;
        QN_TRY(qn_file_writer_put(
            file, qn_bytes(zeros, left < sizeof zeros ? (size_t)left : sizeof zeros), err));
    }
    return QN_OK;
}

static QnBytes bytes_of(const QnText *text)
{
    return qn_bytes(text->data, text->size);
}

static void fill_header(const Saver *s, QnPlanHeader *header, uint64_t model, const char *options,
                        const char *level)
{
    *header = (QnPlanHeader){.format = QN_PLAN_FORMAT, .engine = QN_PLAN_ENGINE, .model = model};
    memcpy(header->magic, QN_PLAN_MAGIC, sizeof header->magic);
    strncpy(header->level, level, sizeof header->level - 1);
    strncpy(header->options, options, sizeof header->options - 1);
    header->graph = (QnPlanSection){QN_PLAN_HEADER, s->graph.size, qn_hash(bytes_of(&s->graph), 0)};
    header->decisions =
        (QnPlanSection){qn_round_up((size_t)header->graph.offset + s->graph.size, 64),
                        s->decisions.size, qn_hash(bytes_of(&s->decisions), 0)};
    /* A section without bytes needs no place of its own. */
    header->weights.offset =
        s->end ? qn_round_up((size_t)header->decisions.offset + s->decisions.size, QN_PLAN_ALIGN)
               : QN_PLAN_HEADER;
    header->weights.size = s->end;
    header->hash = qn_hash(qn_bytes(header, offsetof(QnPlanHeader, hash)), 0);
}

static QnStatus put_file(const Saver *s, QnFileWriter *file, const QnPlanHeader *header,
                         QnError *err)
{
    QN_TRY(qn_file_writer_put(file, qn_bytes(header, sizeof *header), err));
    QN_TRY(put_padding(file, header->graph.offset, err));
    QN_TRY(qn_file_writer_put(file, bytes_of(&s->graph), err));
    QN_TRY(put_padding(file, header->decisions.offset, err));
    QN_TRY(qn_file_writer_put(file, bytes_of(&s->decisions), err));
    for (int i = 0; i < s->piece_count; i++) {
        QN_TRY(put_padding(file, header->weights.offset + s->pieces[i].offset, err));
        QN_TRY(
            qn_file_writer_put(file, qn_bytes(s->pieces[i].data, (size_t)s->pieces[i].size), err));
    }
    return QN_OK;
}

QnStatus qn_plan_write(const QnPlan *plan, const char *path, uint64_t model, const char *options,
                       const char *level, QnError *err)
{
    QnFileWriter file;
    QnPlanHeader header;
    Saver s = {.plan = plan,
               .graph = qn_text(plan->arena.allocator),
               .decisions = qn_text(plan->arena.allocator)};
    qn_arena_init(&s.scratch, plan->arena.allocator);
    QnStatus status = encode(&s, level, err);
    if (status == QN_OK)
        status = qn_file_writer_begin(&file, path, 0600, err);
    if (status == QN_OK) {
        fill_header(&s, &header, model, options, level);
        status = put_file(&s, &file, &header, err);
        if (status == QN_OK)
            status = qn_file_writer_commit(&file, err);
        else
            qn_file_writer_abandon(&file);
    }
    qn_text_finish(&s.graph);
    qn_text_finish(&s.decisions);
    qn_arena_finish(&s.scratch);
    return status;
}
