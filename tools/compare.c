/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quern compare: are a model's outputs, and the tensors on the way, what a reference says?
 *
 * The reference is a folder of .npy files (--golden), another model, the same model on another
 * level of the CPU (--cpu), or, without these, the same model with passes left out (--without; by
 * default all).  --bisect finds the first pass of the pipeline with which the result goes wrong.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/error.h"
#include "base/text.h"
#include "quern/unstable/catalog.h"
#include "tools/commands.h"
#include "tools/compare_values.h"
#include "tools/inputs.h"
#include "tools/json_file.h"
#include "tools/loaded.h"
#include "tools/metrics.h"
#include "tools/record.h"
#include "tools/values_file.h"

typedef struct Values {
    LoadOptions load;
    InputOptions inputs;
    const char *golden, *without, *cpu, *json;
    TextList tolerances; /* "NAME=RTOL,ATOL" */
    double rtol, atol;
    bool layers, bisect, verbose;
} Values;

static const Option options[] = {
    {"golden", 'g', OPTION_TEXT, offsetof(Values, golden), "DIR", "compare with DIR/NAME.npy", 0,
     0},
    {"without", 0, OPTION_TEXT, offsetof(Values, without), "PASSES",
     "the reference lacks these passes; default: all", 0, 0},
    {"cpu", 0, OPTION_TEXT, offsetof(Values, cpu), "LEVEL",
     "the reference runs on it: none, avx2, avx512", 0, 0},
    {"layers", 'l', OPTION_FLAG, offsetof(Values, layers), NULL,
     "also the tensors on the way, as far as they survive", 0, 0},
    {"keep-all", 0, OPTION_FLAG, offsetof(Values, load.keep_all), NULL,
     "let all survive; fewer fusions", 0, 0},
    {"bisect", 0, OPTION_FLAG, offsetof(Values, bisect), NULL,
     "name the pass that breaks the result", 0, 0},
    {"rtol", 0, OPTION_REAL, offsetof(Values, rtol), "X", "relative bound; default 1e-3", 0, 0},
    {"atol", 0, OPTION_REAL, offsetof(Values, atol), "X", "absolute bound; default 1e-5", 0, 0},
    {"tolerance", 0, OPTION_LIST, offsetof(Values, tolerances), "NAME=RTOL,ATOL",
     "bounds of one tensor", 0, 0},
    {"verbose", 'v', OPTION_FLAG, offsetof(Values, verbose), NULL, "name what agrees, too", 0, 0},
    {"json", 0, OPTION_TEXT, offsetof(Values, json), "FILE", "write it as JSON; -: stdout", 0, 0},
    INPUT_ROWS(Values, inputs),
    LOAD_ROWS(Values, load),
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

/* One comparison at work. */
typedef struct Comparison {
    const Command *command;
    const Values *values;
    const char *path, *other; /* the model; the other one, or NULL */
    Inputs inputs;
    Loaded loaded;    /* the model as it is asked for */
    Record got, want; /* want is empty for a golden folder */
    QnText json;
    QnJsonWriter to;
    int compared, different;
    char first[256]; /* the first that differs */
} Comparison;

/* ---- running ---- */

/* Compiles and runs a model with the comparison's inputs. */
static QnStatus run_model(Record *out, const Comparison *c, const char *path,
                          const LoadOptions *load, bool wants_layers, QnError *err)
{
    Loaded loaded = {0};
    QnStatus status = loaded_open(&loaded, path, load, err);
    if (status == QN_OK && qn_plan_input_count(loaded.plan) != c->inputs.count)
        status = qn_fail(err, QN_BAD_ARGUMENT, "%s has %d inputs, but %s has %d", path,
                         qn_plan_input_count(loaded.plan), c->path, c->inputs.count);
    if (status == QN_OK)
        status = record_run(out, &loaded, c->inputs.values, wants_layers, err);
    loaded_close(&loaded);
    return status;
}

/* The level is read from the environment when a plan is built; nobody else reads it meanwhile. */
static QnStatus run_on_level(Record *out, const Comparison *c, const LoadOptions *load,
                             QnError *err)
{
    const char *before = getenv("QN_CPU");
    char *saved = before ? strdup(before) : NULL;
    if ((before && !saved) || setenv("QN_CPU", c->values->cpu, 1) != 0) {
        free(saved);
        return qn_no_memory(err);
    }
    const QnStatus status = run_model(out, c, c->path, load, c->values->layers, err);
    if (saved)
        setenv("QN_CPU", saved, 1);
    else
        unsetenv("QN_CPU");
    free(saved);
    return status;
}

static QnStatus run_reference(Comparison *c, QnError *err)
{
    LoadOptions load = c->values->load;
    load.keep_all = c->values->layers;
    if (c->values->golden)
        return QN_OK;
    if (c->other)
        return run_model(&c->want, c, c->other, &load, c->values->layers, err);
    if (c->values->cpu)
        return run_on_level(&c->want, c, &load, err);
    load.without = c->values->without ? c->values->without : "all";
    return run_model(&c->want, c, c->path, &load, c->values->layers, err);
}

/* ---- judging ---- */

static QnStatus find_bounds(Bounds *out, const Values *values, const char *name, QnError *err)
{
    *out = (Bounds){values->rtol, values->atol};
    for (int i = 0; i < values->tolerances.count; i++) {
        const char *text = values->tolerances.items[i];
        const size_t size = strlen(name);
        if (strncmp(text, name, size) != 0 || text[size] != '=')
            continue;
        const char *rtol = text + size + 1, *comma = strchr(rtol, ',');
        if (!comma || !qn_parse_f64(&out->rtol, rtol, (size_t)(comma - rtol)) ||
            !qn_parse_f64(&out->atol, comma + 1, strlen(comma + 1)))
            return qn_fail(err, QN_BAD_ARGUMENT, "--tolerance is '%s', expected NAME=RTOL,ATOL",
                           text);
    }
    return QN_OK;
}

/* The golden value of a row; QN_NOT_FOUND where there is no file. */
static QnStatus read_golden(QnValue *out, const Comparison *c, const RecordRow *row, QnError *err)
{
    char path[4096];
    const bool is_tensor = row->value.kind == QN_TENSOR;
    const QnValueInfo info = {.name = row->name,
                              .kind = row->value.kind,
                              .type = is_tensor ? row->value.tensor.type : row->value.type,
                              .rank = -1,
                              .type_text = "of another kind"};
    const ValueWanted wanted = {.info = &info};
    value_file_path(path, sizeof path, c->values->golden, row->name, is_tensor ? ".npy" : ".json");
    if (access(path, F_OK) != 0)
        return qn_fail(err, QN_NOT_FOUND, "%s: there is no such file", path);
    return value_read_file(out, path, &wanted, c->loaded.store, err);
}

/* The reference's value of a row.  Outputs of another model go by name, else by their place. */
static QnStatus find_want(QnValue *out, const Comparison *c, const RecordRow *row, int place,
                          QnError *err)
{
    if (c->values->golden)
        return read_golden(out, c, row, err);
    const RecordRow *want = record_find(&c->want, row->name, row->is_output);
    if (!want && row->is_output) {
        const int index = c->want.count - (c->got.count - place);
        if (index >= 0 && index < c->want.count && c->want.rows[index].is_output)
            want = &c->want.rows[index];
    }
    if (!want)
        return qn_fail(err, QN_NOT_FOUND, "the reference has no '%s'", row->name);
    *out = want->value;
    return QN_OK;
}

static void put_row(QnJsonWriter *to, const RecordRow *row, const Metrics *metrics, bool is_same,
                    const char *why)
{
    qn_json_put_begin(to, '{');
    json_put_text(to, "name", row->name);
    json_put_text(to, "kind", row->is_output ? "output" : "layer");
    json_put_text(to, "op", row->op);
    json_put_text(to, "kernel", row->kernel);
    json_put_flag(to, "passed", is_same);
    json_put_text(to, "why", why);
    if (metrics) {
        json_put_int(to, "count", metrics->count);
        json_put_int(to, "odd", metrics->odd);
        json_put_real(to, "max_abs", metrics->max_abs);
        json_put_real(to, "mean_abs", metrics->mean_abs);
        json_put_real(to, "rmse", metrics->rmse);
        json_put_real(to, "max_rel", metrics->max_rel);
        json_put_real(to, "cosine", metrics->cosine);
        json_put_real(to, "psnr_db", metrics->psnr_db);
        json_put_real(to, "sqnr_db", metrics->sqnr_db);
    }
    qn_json_put_end(to, '}');
}

static void print_row(const RecordRow *row, const Metrics *metrics, bool is_same, const char *why)
{
    printf("%s %-7s %s", is_same ? "same     " : "DIFFERENT", row->is_output ? "output" : row->op,
           row->name);
    if (metrics)
        printf("  max abs %.3g, max rel %.3g, cosine %.9g, PSNR %.1f dB", metrics->max_abs,
               metrics->max_rel, metrics->cosine, metrics->psnr_db);
    printf("%s%s\n", is_same ? "" : "\n          ", why);
}

static QnStatus compare_row(Comparison *c, int place, QnError *err)
{
    const RecordRow *row = &c->got.rows[place];
    QnValue want = {0};
    QnError missing = {0};
    Bounds bounds;
    if (!row->is_output && record_find(&c->got, row->name, true))
        return QN_OK; /* its turn comes as an output */
    QN_TRY(find_bounds(&bounds, c->values, row->name, err));
    const QnStatus status = find_want(&want, c, row, place, &missing);
    if (status == QN_NOT_FOUND && !row->is_output)
        return QN_OK; /* a tensor that did not survive there */
    if (status != QN_OK) {
        *err = missing;
        return status;
    }
    char why[512] = "";
    Metrics metrics = {0};
    const bool is_same = compare_values(&row->value, &want, &bounds, why, sizeof why);
    const bool is_measured = row->value.kind == QN_TENSOR && want.kind == QN_TENSOR &&
                             metrics_measure(&metrics, &row->value.tensor, &want.tensor);
    c->compared++;
    if (!is_same && c->different++ == 0)
        snprintf(c->first, sizeof c->first, "%s", row->name);
    if (c->values->json)
        put_row(&c->to, row, is_measured ? &metrics : NULL, is_same, why);
    if ((!c->values->json || strcmp(c->values->json, "-") != 0) &&
        (!is_same || row->is_output || c->values->verbose))
        print_row(row, is_measured ? &metrics : NULL, is_same, why);
    return QN_OK;
}

/* ---- bisecting ---- */

enum { PASSES_MOST = 128 };

/* Is the result wrong where only the first `count` passes run (and those that must)? */
static QnStatus is_wrong_with(bool *wrong, Comparison *c, int count, QnError *err)
{
    QnText without = qn_text(NULL);
    QnPassInfo pass;
    Record got = {0};
    char why[512];
    LoadOptions load = c->values->load;
    for (int i = 0; qn_pass_info(&pass, i); i++)
        if (i >= count && !pass.is_required)
            qn_text_printf(&without, "%s%s", without.size ? "," : "", pass.name);
    load.without = without.size ? without.data : NULL;
    QnStatus status =
        without.failed ? qn_no_memory(err) : run_model(&got, c, c->path, &load, false, err);
    *wrong = false;
    for (int i = 0; i < got.count && status == QN_OK && !*wrong; i++) {
        QnValue want;
        Bounds bounds;
        const int place = c->got.count - got.count + i; /* outputs are the last rows */
        status = find_bounds(&bounds, c->values, got.rows[i].name, err);
        if (status == QN_OK)
            status = find_want(&want, c, &c->got.rows[place], place, err);
        if (status == QN_OK)
            *wrong = !compare_values(&got.rows[i].value, &want, &bounds, why, sizeof why);
    }
    record_free(&got);
    qn_text_finish(&without);
    return status;
}

static void say_pass(Comparison *c, const char *pass, const char *sentence)
{
    if (c->values->json) {
        qn_json_put_key(&c->to, "bisect");
        qn_json_put_begin(&c->to, '{');
        qn_json_put_key(&c->to, "pass");
        if (pass)
            qn_json_put_string(&c->to, pass);
        else
            qn_json_put_null(&c->to);
        json_put_text(&c->to, "sentence", sentence);
        qn_json_put_end(&c->to, '}');
    }
    if (!c->values->json || strcmp(c->values->json, "-") != 0)
        printf("bisect: %s\n", sentence);
}

/* Halves the pipeline: right with `low` passes, wrong with `high`. */
static QnStatus bisect(Comparison *c, QnError *err)
{
    QnPassInfo pass;
    int high = 0, low = 0;
    bool wrong;
    char sentence[512];
    while (qn_pass_info(&pass, high))
        high++;
    QN_TRY(is_wrong_with(&wrong, c, high, err));
    if (!wrong) {
        say_pass(c, NULL, "nothing to find: the outputs agree");
        return QN_OK;
    }
    QN_TRY(is_wrong_with(&wrong, c, 0, err));
    if (wrong) {
        say_pass(c, NULL, "no pass: the outputs differ with every pass left out");
        return QN_OK;
    }
    while (high - low > 1) {
        const int middle = low + (high - low) / 2;
        QN_TRY(is_wrong_with(&wrong, c, middle, err));
        if (wrong)
            high = middle;
        else
            low = middle;
    }
    qn_pass_info(&pass, high - 1);
    snprintf(sentence, sizeof sentence,
             "pass '%s': right with the passes before it, wrong with it (%s)", pass.name,
             pass.what);
    say_pass(c, pass.name, sentence);
    return QN_OK;
}

/* ---- the command ---- */

static QnStatus compare(Comparison *c, QnError *err)
{
    const Values *values = c->values;
    QN_TRY(loaded_open(&c->loaded, c->path, &values->load, err));
    QN_TRY(inputs_make(&c->inputs, c->command, &c->loaded, &values->inputs, err));
    QN_TRY(record_run(&c->got, &c->loaded, c->inputs.values, values->layers, err));
    QN_TRY(run_reference(c, err));
    c->to = qn_json_writer(&c->json);
    c->to.nan = QN_JSON_NAN_BARE;
    qn_json_put_begin(&c->to, '{');
    json_put_text(&c->to, "model", c->path);
    qn_json_put_key(&c->to, "tensors");
    qn_json_put_begin(&c->to, '[');
    for (int i = 0; i < c->got.count; i++)
        QN_TRY(compare_row(c, i, err));
    qn_json_put_end(&c->to, ']');
    json_put_flag(&c->to, "passed", c->different == 0);
    json_put_text(&c->to, "first_different", c->first);
    if (values->bisect)
        QN_TRY(bisect(c, err));
    qn_json_put_end(&c->to, '}');
    if (!values->json || strcmp(values->json, "-") != 0)
        printf("%d of %d tensors differ%s%s\n", c->different, c->compared,
               c->different ? ", the first is " : "", c->first);
    return values->json ? json_save(&c->json, values->json, err) : QN_OK;
}

static int check_usage(const Command *command, const Values *values, const Arguments *arguments)
{
    const int references = (values->golden != NULL) + (values->cpu != NULL) +
                           (values->without != NULL) + (arguments->count == 2);
    if (arguments->count < 1 || arguments->count > 2)
        return tool_usage(command, "%d models are given, expected MODEL or MODEL OTHER",
                          arguments->count);
    if (references > 1)
        return tool_usage(command,
                          "%d references are given, expected one of OTHER, --golden, "
                          "--cpu and --without",
                          references);
    return EXIT_DONE;
}

static int run_command(const Command *command, int argc, char **argv)
{
    Values values = {.rtol = 1e-3, .atol = 1e-5};
    Arguments arguments;
    QnError err = {0};
    bool is_done;
    int code = options_parse(command, &values, &arguments, argc, argv, &is_done);
    if (code != EXIT_DONE || is_done)
        return code;
    code = check_usage(command, &values, &arguments);
    if (code != EXIT_DONE)
        return code;
    Comparison comparison = {.command = command,
                             .values = &values,
                             .path = arguments.items[0],
                             .other = arguments.count == 2 ? arguments.items[1] : NULL};
    if (compare(&comparison, &err) != QN_OK)
        code = tool_fail(command, &err);
    else
        code = comparison.different ? EXIT_FAILED : EXIT_DONE;
    record_free(&comparison.got);
    record_free(&comparison.want);
    loaded_close(&comparison.loaded);
    qn_text_finish(&comparison.json);
    return code;
}

const Command command_compare = {
    .name = "compare",
    .what = "compare outputs and layers with a reference; find what breaks them",
    .usage = "MODEL [OTHER] [OPTION]...",
    .examples = "  quern compare yolo.onnx --layers\n"
                "  quern compare yolo.onnx --input images=cat.jpg --golden expected\n"
                "  quern compare yolo.onnx yolo_simple.onnx --rtol 1e-5 --bisect\n",
    .options = options,
    .run = run_command,
};
