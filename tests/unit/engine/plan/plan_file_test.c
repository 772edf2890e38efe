/* SPDX-License-Identifier: Apache-2.0 */
/* Plan files: what comes back, and what is said of files that are damaged or made for others. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/file.h"
#include "base/hash.h"
#include "engine/plan/file.h"
#include "tests/support/alloc_fault.h"
#include "tests/support/public.h"
#include "tests/support/tree.h"

static const char net[] =
    "graph main(%x: float[N,3,12,12]) {\n"
    "  const %v: float[16,3,1,1] = {1, -2, 3, 4, -5, 6, 7, -8, 9, 1, -2, 3, 4, -5, 6, 7, -8, 9, 1,\n"
    "    -2, 3, 4, -5, 6, 7, -8, 9, 1, -2, 3, 4, -5, 6, 7, -8, 9, 1, -2, 3, 4, -5, 6, 7, -8, 9, 1,\n"
    "    -2, 3}\n"
    "  const %shape: int64[2] = {0, -1}\n"
    "  const %one: float[] = {1}\n"
    "  const %size: int64[2] = {2304, 20}\n"
    "  %c = Conv(%x, %v)\n"
    "  %r = Relu(%c)\n"
    "  %f = Reshape(%r, %shape)\n"
    "  %w = Expand(%one, %size)\n"
    "  %m = MatMul(%f, %w)\n"
    "  %s = Softmax(%m)\n"
    "  return %m, %s\n}";

typedef struct Saved {
    Tree tree;
    QnText bytes;
    QnModel *model;
    QnPlan *plan;
    char path[256];
} Saved;

/* A plan of the graph, or of a model of the data folder, and its file. */
static QnStatus save_with(Saved *saved, const char *graph, const char *file,
                          const QnPlanOptions *options, QnError *err)
{
    *saved = (Saved){.tree = tree_make(), .bytes = qn_text(NULL)};
    snprintf(saved->path, sizeof saved->path, "%s", tree_path(&saved->tree, "model.plan"));
    if (file) {
        QN_TRY(qn_model_load(&saved->model, file, NULL, NULL, err));
    } else {
        QN_TRY(public_bytes(&saved->bytes, graph, err));
        QN_TRY(qn_model_read(&saved->model, saved->bytes.data, saved->bytes.size, "m", NULL, NULL,
                             err));
    }
    QN_TRY(qn_plan_build(&saved->plan, saved->model, options, NULL, err));
    return qn_plan_save(saved->plan, saved->path, err);
}

static QnStatus save(Saved *saved, const char *graph, const char *file, QnError *err)
{
    return save_with(saved, graph, file, NULL, err);
}

static void discard(Saved *saved)
{
    qn_plan_free(saved->plan);
    qn_model_free(saved->model);
    qn_text_finish(&saved->bytes);
    tree_remove(&saved->tree);
}

static QnStatus run(const QnPlan *plan, const QnValue *inputs, QnSession **session,
                    QnValue *outputs, QnError *err)
{
    QN_TRY(qn_session_create(session, plan, NULL, err));
    return qn_session_run(*session, inputs, outputs, NULL, err);
}

/* Both plans give the same bits. */
static void compare(Test *t, const QnPlan *a, const QnPlan *b, const char *what)
{
    QnValue inputs[PUBLIC_VALUES] = {{.kind = QN_NONE}}, x[PUBLIC_VALUES] = {{.kind = QN_NONE}},
            y[PUBLIC_VALUES] = {{.kind = QN_NONE}};
    QnSession *first = NULL, *second = NULL;
    QnError err = {0};
    public_make_inputs(inputs, a, 3, 5);
    const bool ran =
        run(a, inputs, &first, x, &err) == QN_OK && run(b, inputs, &second, y, &err) == QN_OK;
    EXPECT(t, ran, "%s: %s", what, err.message);
    EXPECT(t, !ran || public_is_same(x, y, qn_plan_output_count(a)), "%s: other results", what);
    qn_session_free(first);
    qn_session_free(second);
    public_free_inputs(inputs);
}

TEST(a_loaded_plan_gives_the_same_bits)
{
    Saved saved;
    QnPlan *loaded;
    QnError err = {0};
    REQUIRE(t, save(&saved, net, NULL, &err) == QN_OK, "%s", err.message);
    REQUIRE(t, qn_plan_load(&loaded, saved.path, NULL, &err) == QN_OK, "%s", err.message);
    EXPECT(t, qn_plan_input_count(loaded) == 1 && !strcmp(qn_plan_input(loaded, 0).name, "x"),
           "inputs");
    compare(t, saved.plan, loaded, "net");
    qn_plan_free(loaded);
    discard(&saved);
}

TEST(real_models_come_back)
{
    static const char *const names[] = {"mnist", "super_resolution_10", "silero_vad_v6",
                                        "yunet_n_dynamic"};
    char path[512];
    if (!public_data(path, sizeof path, "models/onnx/mnist.onnx"))
        SKIP(t, "QN_DATA names no such models");
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char file[64];
        Saved saved;
        QnPlan *loaded = NULL;
        QnError err = {0};
        snprintf(file, sizeof file, "models/onnx/%s.onnx", names[i]);
        if (!public_data(path, sizeof path, file))
            continue;
        const QnStatus status = save(&saved, NULL, path, &err);
        if (status == QN_UNSUPPORTED) { /* of an operator that is not there */
            discard(&saved);
            continue;
        }
        EXPECT(t, status == QN_OK, "%s: %s", names[i], err.message);
        EXPECT(t, qn_plan_load(&loaded, saved.path, NULL, &err) == QN_OK, "%s: %s", names[i],
               err.message);
        if (loaded && strcmp(names[i], "silero_vad_v6") != 0 &&
            strcmp(names[i], "yunet_n_dynamic") != 0)
            compare(t, saved.plan, loaded, names[i]);
        qn_plan_free(loaded);
        discard(&saved);
    }
}

static QnBytes read_file(const char *path)
{
    QnBytes bytes = {0};
    qn_file_read(&bytes, path, UINT64_MAX, NULL, NULL);
    return bytes;
}

/* Also where memory held something else before. */
TEST(equal_inputs_give_equal_bytes)
{
    Saved a, b;
    AllocFault fault;
    alloc_fault_init(&fault, 0);
    const QnPlanOptions options = {.size = sizeof options, .allocator = &fault.allocator};
    QnError err = {0};
    REQUIRE(t,
            save(&a, net, NULL, &err) == QN_OK && save_with(&b, net, NULL, &options, &err) == QN_OK,
            "%s", err.message);
    const QnBytes x = read_file(a.path), y = read_file(b.path);
    REQUIRE(t, x.size == y.size, "%zu and %zu bytes", x.size, y.size);
    for (size_t i = 0; i < x.size; i++)
        EXPECT(t, x.data[i] == y.data[i], "byte %zu: %02x and %02x", i, x.data[i], y.data[i]);
    qn_free(NULL, (void *)(uintptr_t)x.data, x.size);
    qn_free(NULL, (void *)(uintptr_t)y.data, y.size);
    discard(&a);
    discard(&b);
}

/* ---- damaged files ---- */

/* Loads bytes as a plan file; the message, "" where it loads. */
static const char *load_bytes(Saved *saved, const uint8_t *data, size_t size, QnError *err)
{
    QnPlan *plan = NULL;
    char path[256];
    *err = (QnError){0};
    snprintf(path, sizeof path, "%s", tree_path(&saved->tree, "other.plan"));
    FILE *file = fopen(path, "wb"); /* without the waits for the disk of a file that is to last */
    const bool is_written = file && fwrite(data, 1, size, file) == size;
    if (file && fclose(file) == 0 && is_written && qn_plan_load(&plan, path, NULL, err) == QN_OK)
        err->message[0] = 0;
    qn_plan_free(plan);
    const size_t prefix = strlen(path) + 2;
    return strncmp(err->message, path, prefix - 2) == 0 ? err->message + prefix : err->message;
}

static bool has_refused(const QnError *err)
{
    return err->status == QN_BAD_MODEL || err->status == QN_UNSUPPORTED || err->status == QN_IO;
}

TEST(files_that_end_early_are_refused)
{
    Saved saved;
    QnError err = {0};
    REQUIRE(t, save(&saved, net, NULL, &err) == QN_OK, "%s", err.message);
    const QnBytes whole = read_file(saved.path);
    const size_t weights = ((const QnPlanHeader *)(const void *)whole.data)->weights.offset;
    for (size_t size = 0; size < whole.size; size += size < 16384 ? 64 : 65536) {
        if (size > 16384 && size < weights)
            size = weights;
        load_bytes(&saved, whole.data, size, &err);
        EXPECT(t, has_refused(&err), "%zu bytes: %s", size, err.message);
    }
    qn_free(NULL, (void *)(uintptr_t)whole.data, whole.size);
    discard(&saved);
}

/* Every byte of header, graph and decisions; a few of the padding, which nobody reads. */
TEST(changed_bits_are_noticed)
{
    Saved saved;
    QnError err = {0};
    REQUIRE(t, save(&saved, net, NULL, &err) == QN_OK, "%s", err.message);
    const QnBytes whole = read_file(saved.path);
    const QnPlanHeader *header = (const void *)whole.data;
    uint8_t *copy = qn_alloc(NULL, whole.size);
    memcpy(copy, whole.data, whole.size);
    const size_t end = header->decisions.offset + header->decisions.size;
    Samples s = {1};
    for (size_t i = 0; i < end; i += 1 + (size_t)sample_below(&s, 12)) {
        const bool is_padding =
            (i >= sizeof *header && i < header->graph.offset) ||
            (i >= header->graph.offset + header->graph.size && i < header->decisions.offset);
        copy[i] ^= (uint8_t)(1 << sample_below(&s, 8));
        load_bytes(&saved, copy, whole.size, &err);
        EXPECT(t, is_padding || has_refused(&err), "byte %zu changed and loaded", i);
        copy[i] = whole.data[i];
    }
    qn_free(NULL, copy, whole.size);
    qn_free(NULL, (void *)(uintptr_t)whole.data, whole.size);
    discard(&saved);
}

static void rehash(QnPlanHeader *header)
{
    header->hash = qn_hash(qn_bytes(header, offsetof(QnPlanHeader, hash)), 0);
}

TEST(files_for_others_are_refused_with_what_to_do)
{
    static const struct {
        size_t offset;
        uint64_t value;
        const char *want;
    } rows[] = {
        {offsetof(QnPlanHeader, format), 99,
         "has plan format 99, this version reads 1; build it again from the model"},
        {offsetof(QnPlanHeader, engine), 77,
         "was made by engine version 77, this is 1; build it again from the model"},
        {offsetof(QnPlanHeader, options), 'x',
         "was made with the options \"x\", not \"device=cpu math=normal keep_all=0 without=\"; ask "
         "for those, or build it again from the model"},
        {offsetof(QnPlanHeader, magic), 'X', "is no plan file: it does not begin as one"},
        {offsetof(QnPlanHeader, graph.size), UINT32_MAX,
         "the plan file is damaged: it ends within one of its sections"},
        {offsetof(QnPlanHeader, weights.offset), 4160,
         "the plan file is damaged: one of its sections has a wrong hash"},
    };
    Saved saved;
    QnError err = {0};
    REQUIRE(t, save(&saved, net, NULL, &err) == QN_OK, "%s", err.message);
    const QnBytes whole = read_file(saved.path);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        uint8_t *copy = qn_alloc(NULL, whole.size);
        memcpy(copy, whole.data, whole.size);
        memcpy(copy + rows[i].offset, &rows[i].value, rows[i].offset < 16 ? 4 : 8);
        rehash((QnPlanHeader *)(void *)copy);
        const char *got = load_bytes(&saved, copy, whole.size, &err);
        EXPECT(t, !strcmp(got, rows[i].want), "row %zu: %s", i, got);
        qn_free(NULL, copy, whole.size);
    }
    qn_free(NULL, (void *)(uintptr_t)whole.data, whole.size);
    discard(&saved);
}

/* ---- loading is fast because it reads little ---- */

TEST(loading_reads_no_weights)
{
    Saved saved;
    QnPlan *plan;
    QnError err = {0};
    unsigned char resident[1024];
    REQUIRE(t, save(&saved, net, NULL, &err) == QN_OK, "%s", err.message);
    QnBytes file = {0};
    FILE *handle = fopen(saved.path, "rb");
    REQUIRE(t, handle, "no file");
    posix_fadvise(fileno(handle), 0, 0, POSIX_FADV_DONTNEED);
    fclose(handle);
    REQUIRE(t, qn_file_map(&file, saved.path, UINT64_MAX, &err) == QN_OK, "%s", err.message);
    const QnPlanHeader header = *(const QnPlanHeader *)(const void *)file.data;
    uint8_t *weights = (uint8_t *)(uintptr_t)file.data + header.weights.offset;
    const size_t pages = (header.weights.size + 4095) / 4096;
    REQUIRE(t, pages > 8 && pages < sizeof resident, "%zu pages", pages);
    REQUIRE(t, qn_plan_load(&plan, saved.path, NULL, &err) == QN_OK, "%s", err.message);
    size_t count = 0;
    mincore(weights, header.weights.size, resident);
    for (size_t i = 0; i < pages; i++)
        count += resident[i] & 1;
    /* A file system that keeps its files in memory has them resident before. */
    if (count == pages)
        t->skipped = "the file system keeps its files in memory";
    else
        EXPECT(t, count == 0, "%zu of %zu pages were read", count, pages);
    qn_plan_free(plan);
    qn_file_unmap(file);
    discard(&saved);
}

TEST_MAIN(CASE(a_loaded_plan_gives_the_same_bits), CASE(real_models_come_back),
          CASE(equal_inputs_give_equal_bytes), CASE(files_that_end_early_are_refused),
          CASE(changed_bits_are_noticed), CASE(files_for_others_are_refused_with_what_to_do),
          CASE(loading_reads_no_weights))
