/* SPDX-License-Identifier: Apache-2.0 */
/* Every model format, and reading a file of any of them. */
#include <string.h>

#include "base/compiler.h"
#include "engine/formats/format.h"

const QnFormat *const qn_formats[] = {
    &qn_format_onnx,
};
const int qn_format_count = (int)QN_COUNT_OF(qn_formats);

const QnFormat *qn_format_find(const char *name)
{
    for (int i = 0; i < qn_format_count; i++)
        if (!strcmp(qn_formats[i]->name, name))
            return qn_formats[i];
    return NULL;
}

/* --- probing --- */

/* Is the end of `path` one of the suffixes, which stand apart by spaces? */
static bool has_suffix(const char *path, const char *suffixes)
{
    const char *dot = path ? strrchr(path, '.') : NULL;
    const size_t size = dot ? strlen(dot) : 0;
    for (const char *at = size ? strstr(suffixes, dot) : NULL; at; at = strstr(at + 1, dot))
        if ((at == suffixes || at[-1] == ' ') && (at[size] == 0 || at[size] == ' '))
            return true;
    return false;
}

const QnFormat *qn_format_probe(QnBytes bytes, const char *path)
{
    const QnFormat *best = NULL;
    int best_score = 0;
    for (int i = 0; i < qn_format_count; i++) {
        const int probed = qn_formats[i]->probe(bytes);
        const int score = probed > 0 ? 2 * probed + has_suffix(path, qn_formats[i]->suffixes) : 0;
        if (score > best_score) {
            best = qn_formats[i];
            best_score = score;
        }
    }
    return best;
}

/* No control characters but white space in the first bytes. */
static bool is_text(QnBytes bytes)
{
    const size_t size = bytes.size < 256 ? bytes.size : 256;
    for (size_t i = 0; i < size; i++)
        if ((bytes.data[i] < 0x20 && !strchr("\t\n\r", bytes.data[i])) || bytes.data[i] == 0x7f)
            return false;
    return size > 0;
}

/* What a text that stands where a model should is likely to be. */
static const char *describe_text(QnBytes bytes)
{
    static const struct {
        const char *start, *what;
    } rows[] = {
        {"ir_version", "protobuf text"},
        {"{", "JSON"},
        {"<!", "a web page"},
        {"<", "ONNX text or XML"},
        {"version https://git-lfs", "a Git LFS pointer: fetch the file itself with `git lfs pull`"},
    };
    size_t i = 0;
    while (i < bytes.size && strchr(" \t\r\n", bytes.data[i]) && bytes.data[i])
        i++;
    for (size_t k = 0; k < QN_COUNT_OF(rows); k++)
        if (bytes.size - i >= strlen(rows[k].start) &&
            !memcmp(bytes.data + i, rows[k].start, strlen(rows[k].start)))
            return rows[k].what;
    return "text";
}

static QnStatus pick_format(const QnFormat **out, const QnReader *in)
{
    const char *name = in->options->format;
    if (in->bytes.size == 0)
        return qn_fail(in->err, QN_BAD_MODEL, "%s: the file is empty, expected a model", in->file);
    if (name && name[0]) {
        *out = qn_format_find(name);
        return *out ? QN_OK : qn_fail(in->err, QN_BAD_ARGUMENT, "there is no format '%s'", name);
    }
    *out = qn_format_probe(in->bytes, in->path);
    if ((!*out || (*out)->probe(in->bytes) < 20) && is_text(in->bytes))
        return qn_fail(in->err, QN_BAD_MODEL, "%s: this is %s, expected a binary model file",
                       in->file, describe_text(in->bytes));
    return *out ? QN_OK
                : qn_fail(in->err, QN_BAD_MODEL,
                          "%s: this is no model file of a format that is known", in->file);
}

/* --- reading --- */

/* A failure that no finding told gets the file's name in front, and a sentence if it has none. */
static QnStatus name_failure(const QnReader *in, QnStatus status)
{
    if (status == QN_NO_MEMORY)
        return qn_no_memory(in->err);
    if (in->err && strncmp(in->err->message, in->file, strlen(in->file)) != 0)
        qn_wrap(in->err, "%s", in->file);
    return status;
}

static QnStatus read_format(QnReader *in, QnModule *module)
{
    const QnFormat *format = NULL;
    QN_TRY(pick_format(&format, in));
    const char *path = qn_arena_copy_text(&module->arena, in->file, strlen(in->file));
    if (!path)
        return qn_no_memory(in->err);
    module->path = path;
    const QnStatus status = format->read(in, module);
    return status == QN_OK ? QN_OK : name_failure(in, status);
}

QnStatus qn_format_read(QnModule **out, const char *path, QnBytes bytes,
                        const QnReadOptions *options, QnReport *report, QnError *err)
{
    const QnReadOptions defaults = {0};
    QnArena scratch;
    QnError lost = {0};
    QnModule *module = NULL;
    const QnAllocator *allocator = options ? options->allocator : NULL;
    qn_arena_init(&scratch, allocator);
    QnReport own = qn_report(&scratch);
    const char *name = options && options->name ? options->name : "model";
    QnReader in = {.bytes = bytes,
                   .path = path,
                   .file = path ? path : name,
                   .scratch = &scratch,
                   .report = report ? report : &own,
                   .options = options ? options : &defaults,
                   .err = err ? err : &lost};
    QnStatus status = qn_module_create(&module, allocator, in.err);
    if (status == QN_OK)
        status = read_format(&in, module);
    if (status == QN_OK)
        *out = module;
    else
        qn_module_free(module);
    qn_arena_finish(&scratch);
    return status;
}
