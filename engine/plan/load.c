/* SPDX-License-Identifier: Apache-2.0 */
/* Making plans from plan files: file.h.  A file may say anything;
 * all of it is checked before it is used. */
#include <sys/mman.h>

#include "base/checked.h"
#include "base/hash.h"
#include "base/proto.h"
#include "engine/ir/wire.h"
#include "engine/ops/op.h"
#include "engine/plan/file.h"
#include "engine/plan/plan.h"

/* One thing in the weights section. */
typedef struct Record {
    uint64_t key, size, offset;
    const char *kind; /* a packing's name, "plain" or "lost" */
    int next;         /* of the same constant; -1: none */
} Record;

/* How many forms one constant may be in, and how much smaller than itself the smallest of them. */
enum { MOST_FORMS = 32, MOST_SHRINKING = 16 };

typedef struct Loader {
    QnBytes file;
    QnPlanHeader header;
    QnArena scratch;
    Record *records;
    int record_count, record_capacity;
    int *first_record;  /* [constant_count] by key; -1: none */
    QnProtoList chosen; /* pairs of node and offer */
    const char *level;
    const QnTensor **constants; /* [constant_count] by key; NULL: not met yet */
    uint64_t constant_count;
    void *zeros; /* readable memory for constants without data */
    size_t zeros_size;
    int *decisions;
    QnError *err;
} Loader;

static QnStatus damaged(const Loader *l, const char *what)
{
    return qn_fail(l->err, QN_BAD_MODEL, "the plan file is damaged: %s", what);
}

/* ---- the header ---- */

static bool is_section(const Loader *l, const QnPlanSection *section)
{
    return section->offset >= QN_PLAN_HEADER &&
           qn_is_range(section->offset, section->size, l->file.size);
}

static QnBytes section_bytes(const Loader *l, const QnPlanSection *section)
{
    return qn_bytes(l->file.data + section->offset, (size_t)section->size);
}

static QnStatus check_header(Loader *l)
{
    QnPlanHeader *h = &l->header;
    if (l->file.size < QN_PLAN_HEADER)
        return damaged(l, "it ends within its header");
    memcpy(h, l->file.data, sizeof *h);
    if (memcmp(h->magic, QN_PLAN_MAGIC, sizeof h->magic) != 0)
        return qn_fail(l->err, QN_BAD_MODEL, "is no plan file: it does not begin as one");
    if (h->format != QN_PLAN_FORMAT)
        return qn_fail(l->err, QN_UNSUPPORTED,
                       "has plan format %u, this version reads %d; build it again from the model",
                       h->format, QN_PLAN_FORMAT);
    if (h->hash != qn_hash(qn_bytes(h, offsetof(QnPlanHeader, hash)), 0))
        return damaged(l, "its header has a wrong hash");
    if (h->level[sizeof h->level - 1] || h->options[sizeof h->options - 1])
        return damaged(l, "its header has a text without end");
    if (!is_section(l, &h->graph) || !is_section(l, &h->decisions) || !is_section(l, &h->weights))
        return damaged(l, "it ends within one of its sections");
    if ((h->weights.size && h->weights.offset % QN_PLAN_ALIGN) ||
        h->graph.hash != qn_hash(section_bytes(l, &h->graph), 0) ||
        h->decisions.hash != qn_hash(section_bytes(l, &h->decisions), 0))
        return damaged(l, "one of its sections has a wrong hash");
    return QN_OK;
}

static QnStatus check_purpose(const Loader *l, const char *options)
{
    const QnPlanHeader *h = &l->header;
    if (h->engine != QN_PLAN_ENGINE)
        return qn_fail(l->err, QN_UNSUPPORTED,
                       "was made by engine version %u, this is %d; build it again from the model",
                       h->engine, QN_PLAN_ENGINE);
    if (strcmp(h->options, options) != 0)
        return qn_fail(
            l->err, QN_UNSUPPORTED,
            "was made with the options \"%s\", not \"%s\"; ask for those, or build it again from the model",
            h->options, options);
    return QN_OK;
}

/* ---- decisions ---- */

static QnStatus read_record(Loader *l, QnProto in)
{
    Record record = {.kind = ""};
    while (qn_proto_next(&in)) {
        if (in.field == 1)
            record.key = qn_proto_uint(&in);
        else if (in.field == 2)
            record.kind = qn_proto_string(&in, &l->scratch);
        else if (in.field == 3)
            record.size = qn_proto_uint(&in);
        else if (in.field == 4)
            record.offset = qn_proto_uint(&in);
    }
    QN_TRY(qn_proto_finish(&in, "Packed", l->err));
    if (!qn_is_range(record.offset, strcmp(record.kind, "lost") ? record.size : 0,
                     l->header.weights.size) ||
        record.offset % 64)
        return damaged(l, "a weight lies outside its section");
    if (record.key >= l->header.graph.size) /* each constant takes bytes in the graph */
        return damaged(l, "a weight belongs to no constant");
    QN_GROW(l->records, l->record_count, l->record_capacity, &l->scratch);
    l->records[l->record_count++] = record;
    l->constant_count = record.key >= l->constant_count ? record.key + 1 : l->constant_count;
    return QN_OK;
}

static QnStatus read_decisions(Loader *l)
{
    QnProto in = qn_proto(section_bytes(l, &l->header.decisions));
    l->level = "";
    while (qn_proto_next(&in)) {
        if (in.field == 1)
            l->level = qn_proto_string(&in, &l->scratch);
        else if (in.field == 2)
            qn_proto_add_i64(&in, &l->chosen, &l->scratch);
        else if (in.field == 3)
            QN_TRY(read_record(l, qn_proto_message(&in)));
    }
    return qn_proto_finish(&in, "Decisions", l->err);
}

/* Lists the records of each constant. */
static QnStatus sort_records(Loader *l)
{
    int *counts;
    QN_ALLOC(l->first_record, &l->scratch, l->constant_count);
    QN_ALLOC(counts, &l->scratch, l->constant_count);
    for (uint64_t key = 0; key < l->constant_count; key++)
        l->first_record[key] = -1;
    for (int i = l->record_count - 1; i >= 0; i--) {
        const uint64_t key = l->records[i].key;
        l->records[i].next = l->first_record[key];
        l->first_record[key] = i;
        if (++counts[key] > MOST_FORMS)
            return damaged(l, "a constant has too many packed forms");
    }
    return QN_OK;
}

static const Record *find_record(const Loader *l, uint64_t key, const char *kind)
{
    int i = key < l->constant_count ? l->first_record[key] : -1;
    while (i >= 0 && strcmp(l->records[i].kind, kind) != 0)
        i = l->records[i].next;
    return i >= 0 ? &l->records[i] : NULL;
}

/* ---- constants ---- */

/* Zeros stand for data that only its packed form is left of: nothing of the plan reads them,
 * whatever the file says. */
static const void *zeros(Loader *l, size_t size)
{
    if (size <= l->zeros_size)
        return l->zeros;
    return NULL;
}

static const void *outside(void *user, uint64_t key, size_t size)
{
    Loader *l = user;
    const Record *plain = find_record(l, key, "plain");
    if (plain)
        return plain->size == size ? l->file.data + l->header.weights.offset + plain->offset : NULL;
    const Record *lost = find_record(l, key, "lost");
    return lost && lost->size == size ? zeros(l, size) : NULL;
}

static QnStatus found(void *user, uint64_t key, const QnTensor *tensor)
{
    Loader *l = user;
    if (key < l->constant_count)
        l->constants[key] = tensor;
    return QN_OK;
}

static const void *packed(void *user, const QnTensor *constant, const char *kind, size_t size,
                          bool *is_lost)
{
    const Loader *l = user;
    for (uint64_t key = 0; key < l->constant_count; key++) {
        if (l->constants[key] != constant)
            continue;
        const Record *record = find_record(l, key, kind);
        if (record && record->size == size)
            return l->file.data + l->header.weights.offset + record->offset;
        *is_lost = find_record(l, key, "lost") != NULL;
        return NULL;
    }
    return NULL;
}

/* One mapping of zeros as large as the largest lost constant,
 * whose packed form is among the weights. */
static QnStatus map_zeros(Loader *l)
{
    size_t largest = 0;
    for (int i = 0; i < l->record_count; i++)
        if (!strcmp(l->records[i].kind, "lost") && l->records[i].size > largest)
            largest = (size_t)l->records[i].size;
    if (largest / MOST_SHRINKING > l->header.weights.size)
        return damaged(l, "a constant is larger than all weights");
    if (!largest)
        return QN_OK;
    void *data = mmap(NULL, largest, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (data == MAP_FAILED)
        return qn_no_memory(l->err);
    l->zeros = data;
    l->zeros_size = largest;
    return QN_OK;
}

/* ---- the plan ---- */

/* Brings the decisions from walking order to node ids;
 * those of another CPU level are left to the cost model. */
static QnStatus map_decisions(Loader *l, const QnModule *module, const char *level)
{
    size_t pair = 0;
    int64_t index = 0;
    QN_ALLOC(l->decisions, &l->scratch, module->node_count);
    for (int i = 0; i < module->node_count; i++)
        l->decisions[i] = -1;
    if (strcmp(l->level, level) != 0)
        return QN_OK;
    for (const QnNode *node = NULL; (node = qn_module_walk(module, node)); index++)
        if (2 * pair + 1 < l->chosen.count && l->chosen.i64[2 * pair] == index)
            l->decisions[node->id] = (int)l->chosen.i64[2 * pair++ + 1];
    return QN_OK;
}

static QnStatus read_module(Loader *l, QnModule **module, const QnAllocator *allocator,
                            const char *level)
{
    QN_TRY(read_decisions(l));
    QN_TRY(sort_records(l));
    QN_TRY(map_zeros(l));
    QN_ALLOC(l->constants, &l->scratch, l->constant_count);
    const QnWireReader reader = {
        .bytes = section_bytes(l, &l->header.graph), .outside = outside, .found = found, .user = l};
    QN_TRY(qn_module_read(module, &reader, allocator, l->err));
    QN_TRY(qn_ops_resolve(*module, NULL, l->err));
    QN_TRY(qn_infer_module(*module, l->err));
    return map_decisions(l, *module, level);
}

static void unmap_zeros(void *data, size_t size)
{
    if (size)
        munmap(data, size);
}

QnStatus qn_plan_read(QnPlan **out, QnBytes file, const QnPlanRequest *request, const char *options,
                      const char *level, QnError *err)
{
    Loader l = {.file = file, .err = err};
    QnPlanRequest planned = *request;
    QnModule *module = NULL;
    qn_arena_init(&l.scratch, request->allocator);
    QnStatus status = check_header(&l);
    if (status == QN_OK)
        status = check_purpose(&l, options);
    if (status == QN_OK)
        status = read_module(&l, &module, request->allocator, level);
    const QnPlanMemory memory = {.decisions = l.decisions, .packed = packed, .user = &l};
    planned.module = module;
    planned.memory = &memory;
    if (status == QN_OK) {
        status = qn_plan_create(out, &planned, err); /* takes module and device */
        if (status == QN_OK) {
            (*out)->model = l.header.model;
            (*out)->zeros = l.zeros;
            (*out)->zeros_size = l.zeros_size;
            l.zeros_size = 0;
        }
    } else {
        qn_module_free(module);
        if (request->device->free)
            request->device->free(request->device);
    }
    unmap_zeros(l.zeros, l.zeros_size);
    qn_arena_finish(&l.scratch);
    return status == QN_NO_MEMORY ? qn_no_memory(err) : status;
}
