/* SPDX-License-Identifier: Apache-2.0 */
/* Files of values: which format it is, and fitting what it holds to what is wanted. */
#include "tools/values_file.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/checked.h"
#include "base/file.h"
#include "tools/archive.h"
#include "tools/image.h"
#include "tools/json_file.h"
#include "tools/npy.h"

static const uint64_t file_limit = UINT64_C(1) << 34;

/* A file being read. */
typedef struct Source {
    const char *path;
    QnBytes bytes;
    const ValueWanted *wanted;
    QnValueStore *store;
    QnError *err;
} Source;

/* ---- one function per format ---- */

/* Types that NumPy lacks are stored as others (npy_write says which): back again. */
static QnStatus narrow(QnTensor *tensor, QnType type, Source *source)
{
    const int64_t count = qn_tensor_count(tensor);
    uint8_t *data = qn_value_store_alloc(source->store, (size_t)count * qn_type_size(type) + 1);
    if (!data)
        return qn_no_memory(source->err);
    const QnTensor made = qn_tensor(type, tensor->rank, tensor->dims, data);
    for (int64_t i = 0; i < count; i++)
        qn_tensor_set_element(&made, i, qn_tensor_element(tensor, i));
    *tensor = made;
    return QN_OK;
}

static QnStatus read_npy(QnValue *out, Source *source)
{
    QnTensor tensor;
    const QnType type = source->wanted->info->type;
    QN_TRY(npy_read(&tensor, source->bytes, source->path, source->store, source->err));
    if (tensor.type != type && npy_type(type) != type && npy_type(type) == tensor.type)
        QN_TRY(narrow(&tensor, type, source));
    *out = qn_value_tensor(tensor);
    return QN_OK;
}

/* Is a member "<name>.npy"? */
static bool is_member(const ArchiveMember *member, const char *name)
{
    const size_t size = strlen(name);
    return member->name.size == size + 4 && memcmp(member->name.data, name, size) == 0 &&
           memcmp(member->name.data + size, ".npy", 4) == 0;
}

static QnStatus read_npz(QnValue *out, Source *source)
{
    const char *name = source->wanted->info->name;
    Archive archive = archive_open(source->bytes, source->path, source->err);
    ArchiveMember member, found = {0};
    int count = 0;
    bool is_named = false;
    for (; archive_next(&archive, &member); count++)
        if (!is_named) {
            is_named = is_member(&member, name);
            found = member;
        }
    if (archive.status != QN_OK)
        return archive.status;
    if (!is_named && count != 1)
        return qn_fail(source->err, QN_NOT_FOUND, "%s: it has %d arrays, but none is named '%s'",
                       source->path, count, name);
    Source inner = *source;
    QN_TRY(archive_read(&inner.bytes, &archive, &found, source->store));
    return read_npy(out, &inner);
}

static QnStatus read_pb(QnValue *out, Source *source)
{
    const ValueWanted *wanted = source->wanted;
    return qn_value_read_onnx(out, source->store, wanted->model, false, wanted->index,
                              source->bytes.data, source->bytes.size, source->err);
}

static QnStatus read_json(QnValue *out, Source *source)
{
    return json_read_value(out, source->bytes, source->wanted->info, source->path, source->store,
                           source->err);
}

static QnStatus read_image(QnValue *out, Source *source)
{
    QnImage image;
    QnTensor tensor;
    QnArena scratch = {0};
    const ValueWanted *wanted = source->wanted;
    QnStatus status = qn_image_read(&image, source->bytes, &scratch, source->err);
    if (status == QN_OK)
        status = image_to_tensor(&tensor, &image, wanted->info, wanted->dims, source->path,
                                 source->store, source->err);
    qn_arena_finish(&scratch);
    if (status == QN_OK)
        *out = qn_value_tensor(tensor);
    return status;
}

/* Raw elements say nothing of their shape:
 * one open dimension follows from the size, others are 1. */
static QnStatus read_raw(QnValue *out, Source *source)
{
    const QnValueInfo *info = source->wanted->info;
    const size_t unit = qn_type_size(info->type);
    int64_t dims[QN_MAX_RANK], known = 1;
    int open = -1;
    if (info->kind != QN_TENSOR || info->rank < 0 || unit == 0 || info->type == QN_STRING)
        return qn_fail(source->err, QN_BAD_TENSOR,
                       "%s: raw elements do not tell a value of type %s; give it as .npy or .json",
                       source->path, info->type_text);
    for (int d = info->rank - 1; d >= 0; d--) {
        dims[d] = source->wanted->dims[d];
        if (dims[d] < 0 && open < 0)
            open = d;
        else if (dims[d] < 0)
            dims[d] = 1;
        if (d != open && !qn_mul_i64(&known, known, dims[d]))
            return qn_no_memory(source->err);
    }
    const int64_t count = (int64_t)(source->bytes.size / unit);
    if (open >= 0)
        dims[open] = known > 0 ? count / known : 0;
    int64_t size = (int64_t)unit;
    if (!qn_mul_i64(&size, size, known) || (open >= 0 && !qn_mul_i64(&size, size, dims[open])) ||
        size != (int64_t)source->bytes.size)
        return qn_fail(source->err, QN_BAD_TENSOR,
                       "%s: it has %zu bytes, but input '%s' of type %s takes %s%" PRId64,
                       source->path, source->bytes.size, info->name, info->type_text,
                       open >= 0 ? "multiples of " : "", (int64_t)unit * known);
    uint8_t *data = qn_value_store_alloc(source->store, source->bytes.size);
    if (!data)
        return qn_no_memory(source->err);
    if (source->bytes.size)
        memcpy(data, source->bytes.data, source->bytes.size);
    *out = qn_value_tensor(qn_tensor(info->type, info->rank, dims, data));
    return QN_OK;
}

/* ---- which format ---- */

static bool has_suffix(const char *path, const char *suffix)
{
    const size_t size = strlen(path), length = strlen(suffix);
    return size >= length && strcmp(path + size - length, suffix) == 0;
}

static bool begins_with(QnBytes bytes, const char *magic)
{
    return bytes.size >= strlen(magic) && memcmp(bytes.data, magic, strlen(magic)) == 0;
}

static bool is_npy(const Source *source)
{
    return begins_with(source->bytes, "\x93NUMPY") || has_suffix(source->path, ".npy");
}
static bool is_npz(const Source *source)
{
    return begins_with(source->bytes, "PK\3\4") || has_suffix(source->path, ".npz");
}
static bool is_pb(const Source *source)
{
    return has_suffix(source->path, ".pb");
}
static bool is_json(const Source *source)
{
    return has_suffix(source->path, ".json");
}
static bool is_raw(const Source *source)
{
    return has_suffix(source->path, ".bin") || has_suffix(source->path, ".raw");
}
/* By the bytes alone: pictures come under any name. */
static bool is_image(const Source *source)
{
    return qn_image_find(source->bytes) != NULL;
}

/* In this order: names that say it before the bytes of what has no clear beginning. */
static const struct {
    bool (*is)(const Source *source);
    QnStatus (*read)(QnValue *out, Source *source);
} formats[] = {
    {is_pb, read_pb},   {is_json, read_json}, {is_raw, read_raw},
    {is_npy, read_npy}, {is_npz, read_npz},   {is_image, read_image},
};

QnStatus value_read_bytes(QnValue *out, QnBytes bytes, const char *path, const ValueWanted *wanted,
                          QnValueStore *store, QnError *err)
{
    Source source = {.path = path, .bytes = bytes, .wanted = wanted, .store = store, .err = err};
    for (size_t i = 0; i < QN_COUNT_OF(formats); i++)
        if (formats[i].is(&source)) {
            const QnStatus status = formats[i].read(out, &source);
            if (status != QN_OK && err && strncmp(err->message, path, strlen(path)) != 0)
                qn_wrap(err, "%s", path);
            return status;
        }
    return qn_fail(
        err, QN_UNSUPPORTED,
        "%s: its format is not known; expected .npy, .npz, .pb, .json, .bin or a picture "
        "that quern --version lists",
        path);
}

QnStatus value_read_file(QnValue *out, const char *path, const ValueWanted *wanted,
                         QnValueStore *store, QnError *err)
{
    QnBytes bytes;
    QN_TRY(qn_file_map(&bytes, path, file_limit, err));
    const QnStatus status = value_read_bytes(out, bytes, path, wanted, store, err);
    qn_file_unmap(bytes);
    return status;
}

/* ---- writing ---- */

void value_file_path(char *path, size_t size, const char *folder, const char *name,
                     const char *suffix)
{
    const int begin = snprintf(path, size, "%s/", folder);
    snprintf(path + begin, size - (size_t)begin, "%s%s", name, suffix);
    for (char *at = path + begin; *at; at++)
        if (*at == '/' || *at == ':')
            *at = '_';
}

QnStatus value_write_file(const QnValue *value, const char *folder, const char *name, QnError *err)
{
    char path[4096];
    QnText text = qn_text(NULL);
    QnStatus status;
    if (strlen(folder) + strlen(name) + 16 > sizeof path)
        return qn_fail(err, QN_IO, "%s: the path for output '%.100s' is too long", folder, name);
    if (value->kind == QN_TENSOR) {
        value_file_path(path, sizeof path, folder, name, ".npy");
        status = npy_write(&text, &value->tensor, err);
        if (status == QN_OK)
            status = qn_file_write(path, qn_bytes(text.data, text.size), 0644, err);
    } else {
        QnJsonWriter to = qn_json_writer(&text);
        to.nan = QN_JSON_NAN_BARE;
        value_file_path(path, sizeof path, folder, name, ".json");
        json_put_value(&to, value);
        status = json_save(&text, path, err);
    }
    qn_text_finish(&text);
    return status;
}
