/* SPDX-License-Identifier: Apache-2.0 */
/* quern run: one inference on given, random or picture inputs; prints or saves the outputs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/file.h"
#include "tools/commands.h"
#include "tools/inputs.h"
#include "tools/json_file.h"
#include "tools/loaded.h"
#include "tools/print_value.h"
#include "tools/values_file.h"

typedef struct Values {
    LoadOptions load;
    InputOptions inputs;
    const char *output_dir, *labels, *json;
    int64_t repeat;
} Values;

static const Option options[] = {
    INPUT_ROWS(Values, inputs),
    {"output-dir", 'o', OPTION_TEXT, offsetof(Values, output_dir), "DIR",
     "write each output to DIR/NAME.npy (.json)", 0, 0},
    {"json", 0, OPTION_TEXT, offsetof(Values, json), "FILE",
     "write the outputs' values as JSON; -: stdout", 0, 0},
    {"labels", 0, OPTION_TEXT, offsetof(Values, labels), "FILE", "names of classes, one a line", 0,
     0},
    {"repeat", 0, OPTION_INT, offsetof(Values, repeat), "N",
     "run N times with the same inputs; states go on", 1, 1000000},
    LOAD_ROWS(Values, load),
    WITHOUT_ROW(Values, load),
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

/* Names of classes: one a line, in the arena. */
static QnStatus read_labels(const char ***out, int *count, const char *path, QnArena *arena,
                            QnError *err)
{
    QnBytes bytes;
    const char **labels = NULL;
    int capacity = 0;
    QN_TRY(qn_file_map(&bytes, path, UINT64_C(1) << 24, err));
    QnStatus status = QN_OK;
    for (size_t at = 0; at < bytes.size && status == QN_OK;) {
        const uint8_t *end = memchr(bytes.data + at, '\n', bytes.size - at);
        const size_t size = end ? (size_t)(end - bytes.data) - at : bytes.size - at;
        if (*count == capacity) {
            capacity = capacity ? 2 * capacity : 64;
            const char **more = qn_arena_array(arena, (size_t)capacity, sizeof *more);
            if (more && labels)
                memcpy(more, labels, (size_t)*count * sizeof *more);
            labels = more;
        }
        const char *label = qn_arena_copy_text(arena, bytes.data + at, size);
        if (!labels || !label)
            status = qn_no_memory(err);
        else
            labels[(*count)++] = label;
        at += size + 1;
    }
    qn_file_unmap(bytes);
    *out = labels;
    return status;
}

static QnStatus make_folder(const char *path, QnError *err)
{
    if (mkdir(path, 0777) == 0 || errno == EEXIST)
        return QN_OK;
    return qn_fail(err, QN_IO, "%s: %s", path, strerror(errno));
}

/* {"model": …, "outputs": {name: {"type": …, "value": nested lists}}} */
static QnStatus save_json(const Loaded *loaded, const char *model, const QnValue *outputs,
                          const char *path, QnError *err)
{
    QnText text = qn_text(NULL);
    QnJsonWriter to = qn_json_writer(&text);
    to.nan = QN_JSON_NAN_BARE;
    qn_json_put_begin(&to, '{');
    json_put_text(&to, "model", model);
    qn_json_put_key(&to, "outputs");
    qn_json_put_begin(&to, '{');
    for (int i = 0; i < qn_plan_output_count(loaded->plan); i++) {
        char type[256];
        print_type(&outputs[i], type, sizeof type);
        qn_json_put_key(&to, qn_plan_output(loaded->plan, i).name);
        qn_json_put_begin(&to, '{');
        json_put_text(&to, "type", type);
        qn_json_put_key(&to, "value");
        json_put_value(&to, &outputs[i]);
        qn_json_put_end(&to, '}');
    }
    qn_json_put_end(&to, '}');
    qn_json_put_end(&to, '}');
    const QnStatus status = json_save(&text, path, err);
    qn_text_finish(&text);
    return status;
}

static QnStatus give_outputs(const Loaded *loaded, const QnValue *outputs, const Values *values,
                             QnError *err)
{
    const char **labels = NULL;
    int label_count = 0;
    QnArena arena = {0};
    QnStatus status = QN_OK;
    if (values->output_dir)
        status = make_folder(values->output_dir, err);
    else if (values->labels)
        status = read_labels(&labels, &label_count, values->labels, &arena, err);
    for (int i = 0; status == QN_OK && i < qn_plan_output_count(loaded->plan); i++) {
        const char *name = qn_plan_output(loaded->plan, i).name;
        if (values->output_dir)
            status = value_write_file(&outputs[i], values->output_dir, name, err);
        else if (!values->json)
            print_output(name, &outputs[i], labels, label_count);
    }
    qn_arena_finish(&arena);
    return status;
}

static QnStatus run_model(const Command *command, const char *path, const Values *values,
                          Loaded *loaded, QnError *err)
{
    Inputs inputs;
    QN_TRY(loaded_open(loaded, path, &values->load, err));
    QN_TRY(inputs_make(&inputs, command, loaded, &values->inputs, err));
    if (!values->inputs.files.count && !values->inputs.random && inputs.count)
        fprintf(stderr, "quern run: no --input: values are random, seed 0\n");
    const size_t count = (size_t)qn_plan_output_count(loaded->plan);
    QnValue *outputs = qn_value_store_alloc(loaded->store, (count + 1) * sizeof *outputs);
    if (!outputs)
        return qn_no_memory(err);
    for (int64_t i = 0; i < values->repeat; i++) {
        memset(outputs, 0, (count + 1) * sizeof *outputs);
        QN_TRY(qn_session_run(loaded->session, inputs.values, outputs, NULL, err));
    }
    if (values->json)
        QN_TRY(save_json(loaded, path, outputs, values->json, err));
    return give_outputs(loaded, outputs, values, err);
}

static int run_command(const Command *command, int argc, char **argv)
{
    Values values = {.repeat = 1};
    Arguments arguments;
    Loaded loaded = {0};
    QnError err = {0};
    bool is_done;
    int code = options_parse(command, &values, &arguments, argc, argv, &is_done);
    if (code != EXIT_DONE || is_done)
        return code;
    if (arguments.count != 1)
        return tool_usage(command, "%d models are given, expected one MODEL", arguments.count);
    if (run_model(command, arguments.items[0], &values, &loaded, &err) != QN_OK)
        code = tool_fail(command, &err);
    loaded_close(&loaded);
    return code;
}

const Command command_run = {
    .name = "run",
    .what = "run a model once; print or save its outputs",
    .usage = "MODEL|PLAN [OPTION]...",
    .examples = "  quern run digits.onnx --input image=7.png\n"
                "  quern run bert.onnx --input ids=ids.npy --random --output-dir out\n"
                "  quern run yolo.onnx --shape images=1x3x640x640 --random=7\n",
    .options = options,
    .run = run_command,
};
