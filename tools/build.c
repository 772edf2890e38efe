/* SPDX-License-Identifier: Apache-2.0 */
/* quern build: compiles a model to a plan file, which loads in milliseconds. */
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/error.h"
#include "quern/unstable/plan_view.h"
#include "tools/commands.h"
#include "tools/json_file.h"
#include "tools/loaded.h"

typedef struct Values {
    LoadOptions load;
    const char *output, *json;
} Values;

static const Option options[] = {
    {"output", 'o', OPTION_TEXT, offsetof(Values, output), "PLAN", "the plan file to write", 0, 0},
    {"json", 0, OPTION_TEXT, offsetof(Values, json), "FILE",
     "write what was made as JSON; -: stdout", 0, 0},
    LOAD_ROWS(Values, load),
    WITHOUT_ROW(Values, load),
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

/* What was made. */
typedef struct Summary {
    const char *model, *plan;
    int steps, slow; /* slow: only the reference computes them */
    uint64_t file_bytes;
    double made_ms;
} Summary;

static QnStatus summarize(Summary *out, const Loaded *loaded, QnError *err)
{
    QnPlanView *view;
    struct stat info;
    QN_TRY(qn_plan_view_create(&view, loaded->plan, err));
    out->steps = qn_plan_view_step_count(view);
    for (int i = 0; i < out->steps; i++)
        out->slow += qn_plan_view_step(view, i).tier == 1;
    qn_plan_view_free(view);
    out->file_bytes = stat(out->plan, &info) == 0 ? (uint64_t)info.st_size : 0;
    out->made_ms = (double)loaded->load_ns / 1e6;
    return QN_OK;
}

static QnStatus save_summary(const Summary *summary, const char *path, QnError *err)
{
    QnText text = qn_text(NULL);
    QnJsonWriter to = qn_json_writer(&text);
    qn_json_put_begin(&to, '{');
    json_put_text(&to, "model", summary->model);
    json_put_text(&to, "plan", summary->plan);
    json_put_int(&to, "steps", summary->steps);
    json_put_int(&to, "reference_steps", summary->slow);
    json_put_count(&to, "file_bytes", summary->file_bytes);
    json_put_real(&to, "made_ms", summary->made_ms);
    qn_json_put_end(&to, '}');
    const QnStatus status = json_save(&text, path, err);
    qn_text_finish(&text);
    return status;
}

/* One line on what was made, and one on what will be slow. */
static void print_summary(const Summary *summary)
{
    printf("%s: %d steps, %.2f MiB, made in %.1f ms\n", summary->plan, summary->steps,
           (double)summary->file_bytes / 1048576, summary->made_ms);
    if (summary->slow)
        printf("%d steps are computed by the slow reference: quern inspect --plan names them\n",
               summary->slow);
}

static QnStatus make(Loaded *loaded, const char *model, const Values *values, QnError *err)
{
    Summary summary = {.model = model, .plan = values->output};
    QN_TRY(loaded_open(loaded, model, &values->load, err));
    QN_TRY(qn_plan_save(loaded->plan, values->output, err));
    QN_TRY(summarize(&summary, loaded, err));
    if (!values->json || strcmp(values->json, "-") != 0)
        print_summary(&summary);
    return values->json ? save_summary(&summary, values->json, err) : QN_OK;
}

static int run_command(const Command *command, int argc, char **argv)
{
    Values values = {0};
    Arguments arguments;
    Loaded loaded = {0};
    QnError err = {0};
    bool is_done;
    int code = options_parse(command, &values, &arguments, argc, argv, &is_done);
    if (code != EXIT_DONE || is_done)
        return code;
    if (arguments.count != 1)
        return tool_usage(command, "%d models are given, expected one MODEL", arguments.count);
    if (!values.output)
        return tool_usage(command, "where to? expected -o PLAN");
    if (loaded_is_plan(arguments.items[0]))
        return tool_usage(command, "%s is a plan already, expected a model", arguments.items[0]);
    if (make(&loaded, arguments.items[0], &values, &err) != QN_OK)
        code = tool_fail(command, &err);
    loaded_close(&loaded);
    return code;
}

const Command command_build = {
    .name = "build",
    .what = "compile a model to a plan file, which loads at once",
    .usage = "MODEL -o PLAN [OPTION]...",
    .examples = "  quern build yolo.onnx -o yolo.plan\n  quern run yolo.plan --random\n",
    .options = options,
    .run = run_command,
};
