/* SPDX-License-Identifier: Apache-2.0 */
/* Copies of what steps make: an observer sees their memory only until it returns. */
#include "tools/record.h"

#include <string.h>

static QnStatus copy_tensor(QnTensor *out, const QnTensor *tensor, QnArena *arena)
{
    const size_t unit = qn_type_size(tensor->type);
    const int64_t count = qn_tensor_count(tensor);
    uint8_t *data = qn_arena_alloc_raw(arena, (size_t)count * unit, 64);
    if (!data)
        return QN_NO_MEMORY;
    if (qn_tensor_is_contiguous(tensor) && count)
        memcpy(data, tensor->data, (size_t)count * unit);
    else
        for (int64_t i = 0; i < count; i++)
            memcpy(data + (size_t)i * unit, qn_tensor_address(tensor, i), unit);
    for (int64_t i = 0; tensor->type == QN_STRING && i < count; i++) {
        QnString *s = (QnString *)(void *)data + i;
        s->data = qn_arena_copy_text(arena, s->data ? s->data : "", s->size);
        if (!s->data)
            return QN_NO_MEMORY;
    }
    *out = qn_tensor(tensor->type, tensor->rank, tensor->dims, data);
    return QN_OK;
}

/* Values hold values a few levels deep only, as their types say. */
static QnStatus copy_value(QnValue *out, const QnValue *value, QnArena *arena)
{
    *out = *value;
    if (value->kind == QN_TENSOR)
        return copy_tensor(&out->tensor, &value->tensor, arena);
    if (value->kind == QN_NONE || value->count == 0)
        return QN_OK;
    QN_ALLOC(out->items, arena, value->count);
    for (int64_t i = 0; i < value->count; i++)
        QN_TRY(copy_value(&out->items[i], &value->items[i], arena));
    return QN_OK;
}

/* The observer's part. */
typedef struct Recording {
    Record *record;
    QnStatus status;
} Recording;

/* Linear: a model has at most some thousands of tensors, and each takes longer to copy. */
static RecordRow *find_row(const Record *record, const char *name, bool is_output)
{
    for (int i = 0; i < record->count; i++)
        if (record->rows[i].is_output == is_output && !strcmp(record->rows[i].name, name))
            return &record->rows[i];
    return NULL;
}

static QnStatus add_row(Record *record, const RecordRow *row)
{
    RecordRow *to = find_row(record, row->name, row->is_output);
    if (!to) {
        QN_GROW(record->rows, record->count, record->capacity, &record->arena);
        to = &record->rows[record->count++];
    }
    *to = *row;
    to->name = qn_arena_copy_text(&record->arena, row->name, strlen(row->name));
    if (!to->name)
        return QN_NO_MEMORY;
    return copy_value(&to->value, &row->value, &record->arena);
}

static void observe(void *user, const QnStepEvent *event)
{
    Recording *recording = user;
    for (int i = 0; i < event->output_count && recording->status == QN_OK; i++) {
        const char *name = event->output_names[i];
        const RecordRow row = {.name = name,
                               .node = event->name ? event->name : "",
                               .op = event->op ? event->op : "",
                               .kernel = event->kernel ? event->kernel : "",
                               .value = event->outputs[i]};
        if (name && *name && *name != '%' && event->outputs[i].kind != QN_NONE)
            recording->status = add_row(recording->record, &row);
    }
}

QnStatus record_run(Record *out, const Loaded *loaded, const QnValue *inputs, bool wants_layers,
                    QnError *err)
{
    Recording recording = {.record = out};
    const QnRunOptions running = {
        .size = sizeof running, .observe = wants_layers ? observe : NULL, .user = &recording};
    const int count = qn_plan_output_count(loaded->plan);
    QnValue *outputs =
        qn_arena_array(&out->arena, (size_t)count + 1, sizeof *outputs); /* zeroed: kind QN_NONE */
    if (!outputs)
        return qn_no_memory(err);
    QN_TRY(qn_session_run(loaded->session, inputs, outputs, &running, err));
    for (int i = 0; i < count && recording.status == QN_OK; i++) {
        const RecordRow row = {.name = qn_plan_output(loaded->plan, i).name,
                               .node = "",
                               .op = "",
                               .kernel = "",
                               .is_output = true,
                               .value = outputs[i]};
        recording.status = add_row(out, &row);
    }
    return recording.status == QN_OK ? QN_OK : qn_no_memory(err);
}

const RecordRow *record_find(const Record *record, const char *name, bool is_output)
{
    return find_row(record, name, is_output);
}

void record_free(Record *record)
{
    qn_arena_finish(&record->arena);
    *record = (Record){0};
}
