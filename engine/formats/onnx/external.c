/* SPDX-License-Identifier: Apache-2.0 */
/* Reading external data below the model's folder. */
#include "engine/formats/onnx/external.h"

#include <string.h>
#include <unistd.h>

#include "base/checked.h"
#include "base/file.h"
#include "base/opener.h"

struct OnnxExternal {
    const QnReader *in;
    QnArena *arena; /* the module's */
    QnOpener opener;
    bool is_open; /* the opener; made when the first tensor asks for it */
};

/* Where a tensor's values lie. */
typedef struct Place {
    QnBytes location;
    uint64_t offset, length;
    bool has_length;
} Place;

QnStatus onnx_external_create(OnnxExternal **out, const QnReader *in, QnArena *arena)
{
    QN_ALLOC(*out, in->scratch, 1);
    (*out)->in = in;
    (*out)->arena = arena;
    return QN_OK;
}

void onnx_external_finish(OnnxExternal *external)
{
    if (external->is_open)
        qn_opener_finish(&external->opener);
    external->is_open = false;
}

/* The folder of a path, "." where it names none. */
static const char *folder_of(const QnReader *in)
{
    const char *slash = strrchr(in->path, '/');
    if (!slash)
        return ".";
    return qn_arena_copy_text(in->scratch, in->path,
                              slash == in->path ? 1 : (size_t)(slash - in->path));
}

static QnStatus open_folder(OnnxExternal *external, QnError *err)
{
    const QnReader *in = external->in;
    const QnOpenerOptions options = {.trusts_links = in->options->trusts_links};
    if (external->is_open)
        return QN_OK;
    if (in->options->is_sealed)
        return qn_fail(err, QN_UNSUPPORTED,
                       "its values lie in another file, which this model may not read");
    if (!in->path && !in->options->folder)
        return qn_fail(
            err, QN_UNSUPPORTED,
            "its values lie in another file, and a model from memory has no folder: name one");
    const char *folder = in->options->folder ? in->options->folder : folder_of(in);
    if (!folder)
        return QN_NO_MEMORY;
    QN_TRY(qn_opener_init(&external->opener, folder, &options, err));
    external->is_open = true;
    return QN_OK;
}

static QnStatus parse_number(uint64_t *out, const OnnxEntry *entry, QnError *err)
{
    if (qn_parse_u64(out, entry->value, strlen(entry->value)))
        return QN_OK;
    return qn_fail(err, QN_BAD_MODEL, "%s of its external data is '%s', expected a number of bytes",
                   entry->key, entry->value);
}

/* `basepath` is a loader's own note and never believed; unknown keys say nothing. */
static QnStatus find_place(Place *place, const OnnxTensor *tensor, QnError *err)
{
    *place = (Place){0};
    for (int i = 0; i < tensor->external.count; i++) {
        const OnnxEntry *entry = &tensor->external.items[i];
        if (!strcmp(entry->key, "location"))
            place->location = qn_bytes_of_text(entry->value);
        if (!strcmp(entry->key, "offset"))
            QN_TRY(parse_number(&place->offset, entry, err));
        if (!strcmp(entry->key, "length")) {
            QN_TRY(parse_number(&place->length, entry, err));
            place->has_length = true;
        }
    }
    if (place->location.size == 0)
        return qn_fail(err, QN_BAD_MODEL, "its external data has no location");
    return QN_OK;
}

/* The range must hold exactly the values, and lie in the file, before any memory is taken. */
static QnStatus check_range(const Place *place, uint64_t size, uint64_t file_size, QnError *err)
{
    if (place->has_length && place->length != size)
        return qn_fail(err, QN_BAD_MODEL, "its external data has %llu bytes, expected %llu",
                       (unsigned long long)place->length, (unsigned long long)size);
    if (!qn_is_range(place->offset, size, file_size))
        return qn_fail(err, QN_BAD_MODEL,
                       "its external data is %llu bytes at %llu of '%s', which has %llu bytes",
                       (unsigned long long)size, (unsigned long long)place->offset,
                       (const char *)place->location.data, (unsigned long long)file_size);
    return QN_OK;
}

/* The same sentence under another status. */
static QnStatus refile(QnError *err, QnStatus status)
{
    if (err)
        err->status = status;
    return status;
}

static QnStatus read_place(QnBytes *out, OnnxExternal *external, const Place *place, uint64_t size,
                           QnError *err)
{
    uint64_t file_size;
    uint8_t *data = NULL;
    int fd;
    QnStatus status = qn_opener_open(&fd, &file_size, &external->opener, place->location, err);
    if (status !=
        QN_OK) /* a name that leads out of the folder is the model's fault, not the caller's */
        return status == QN_BAD_ARGUMENT ? refile(err, QN_BAD_MODEL) : status;
    status = check_range(place, size, file_size, err);
    if (status == QN_OK && !(data = qn_arena_alloc_raw(external->arena, (size_t)size, 64)))
        status = QN_NO_MEMORY;
    if (status == QN_OK)
        status = qn_file_read_at(data, (size_t)size, fd, place->offset,
                                 (const char *)place->location.data, err);
    close(fd);
    if (status == QN_OK)
        *out = qn_bytes(data, (size_t)size);
    return status;
}

QnStatus onnx_external_read(QnBytes *out, OnnxExternal *external, const OnnxTensor *tensor,
                            uint64_t size, QnError *err)
{
    Place place;
    QN_TRY(find_place(&place, tensor, err));
    QN_TRY(open_folder(external, err));
    return read_place(out, external, &place, size, err);
}
