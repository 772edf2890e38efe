/* SPDX-License-Identifier: Apache-2.0 */
/* quern build: compiles a model to a plan file, which loads in milliseconds. */
#include <stdio.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "base/error.h"
#include "quern/unstable/plan_view.h"
#include "tools/commands.h"
#include "tools/loaded.h"

typedef struct Values {
    LoadOptions load;
    const char *output;
} Values;

static const Option options[] = {
    {"output", 'o', OPTION_TEXT, offsetof(Values, output), "PLAN", "the plan file to write", 0, 0},
    LOAD_ROWS(Values, load),
    WITHOUT_ROW(Values, load),
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

/* One line on what was made, and one on what will be slow. */
static QnStatus print_summary(const Loaded *loaded, const char *path, QnError *err)
{
    QnPlanView *view;
    struct stat info;
    int slow = 0;
    QN_TRY(qn_plan_view_create(&view, loaded->plan, err));
    const int count = qn_plan_view_step_count(view);
    for (int i = 0; i < count; i++)
        slow += qn_plan_view_step(view, i).tier == 1;
    qn_plan_view_free(view);
    const double size = stat(path, &info) == 0 ? (double)info.st_size : 0;
    printf("%s: %d steps, %.2f MiB, made in %.1f ms\n", path, count, size / 1048576,
           (double)loaded->load_ns / 1e6);
    if (slow)
        printf("%d steps are computed by the slow reference: quern inspect --plan names them\n",
               slow);
    return QN_OK;
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
    if (loaded_open(&loaded, arguments.items[0], &values.load, &err) != QN_OK ||
        qn_plan_save(loaded.plan, values.output, &err) != QN_OK ||
        print_summary(&loaded, values.output, &err) != QN_OK)
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
