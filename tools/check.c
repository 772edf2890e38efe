/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quern check: all that is wrong with models, and what to do; also what compiling them finds, such
 * as steps that only the slow reference computes.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "quern/quern.h"
#include "tools/commands.h"
#include "tools/json_file.h"

typedef struct Values {
    bool no_plan, strict;
    const char *json;
} Values;

static const Option options[] = {
    {"no-plan", 0, OPTION_FLAG, offsetof(Values, no_plan), NULL,
     "read only: do not compile the model", 0, 0},
    {"strict", 0, OPTION_FLAG, offsetof(Values, strict), NULL, "warnings fail, too", 0, 0},
    {"json", 0, OPTION_TEXT, offsetof(Values, json), "FILE", "write it as JSON; -: stdout", 0, 0},
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

static const char *const severities[] = {"note", "warning", "error"};

/* Checks one model into the list.  A failure that is no finding of its own becomes `err`. */
static QnStatus check_model(const char *path, const Values *values, QnFindings *findings,
                            QnError *err)
{
    QnModel *model = NULL;
    QnPlan *plan = NULL;
    const QnModelOptions reading = {.size = sizeof reading};
    const QnPlanOptions planning = {.size = sizeof planning};
    QnStatus status = qn_model_load(&model, path, &reading, findings, err);
    if (status == QN_OK && !values->no_plan)
        status = qn_plan_build(&plan, model, &planning, findings, err);
    qn_plan_free(plan);
    qn_model_free(model);
    return status;
}

static int count_severity(const QnFindings *findings, QnFindingSeverity severity)
{
    int count = 0;
    for (int i = 0; i < qn_findings_count(findings); i++)
        count += qn_findings_get(findings, i).severity == severity;
    return count;
}

static void print_finding(const char *path, const QnFindingInfo *info)
{
    printf("%s: %s:", *info->file ? info->file : path, severities[info->severity]);
    if (*info->node)
        printf(" %s:", info->node);
    if (*info->field)
        printf(" %s:", info->field);
    printf(" %s%s%s", info->found, *info->expected ? ", expected " : "", info->expected);
    printf("%s%s [%s]\n", *info->remedy ? "; " : "", info->remedy, info->rule);
}

static void put_finding(QnJsonWriter *to, const QnFindingInfo *info)
{
    qn_json_put_begin(to, '{');
    json_put_text(to, "severity", severities[info->severity]);
    json_put_text(to, "rule", info->rule);
    json_put_text(to, "file", info->file);
    json_put_text(to, "node", info->node);
    json_put_text(to, "field", info->field);
    json_put_text(to, "found", info->found);
    json_put_text(to, "expected", info->expected);
    json_put_text(to, "remedy", info->remedy);
    qn_json_put_end(to, '}');
}

/* Says what was found; the exit status.  `to` NULL: as text. */
static int report(const char *path, const QnFindings *findings, QnStatus status, const QnError *err,
                  const Values *values, QnJsonWriter *to)
{
    const int errors = count_severity(findings, QN_FINDING_ERROR);
    const int warnings = count_severity(findings, QN_FINDING_WARNING);
    const bool is_bad = status != QN_OK || errors || (values->strict && warnings);
    if (to) {
        qn_json_put_begin(to, '{');
        json_put_text(to, "model", path);
        json_put_flag(to, "passed", !is_bad);
        json_put_text(to, "error", status == QN_OK ? "" : err->message);
        qn_json_put_key(to, "findings");
        qn_json_put_begin(to, '[');
    }
    for (int i = 0; i < qn_findings_count(findings); i++) {
        const QnFindingInfo info = qn_findings_get(findings, i);
        if (to)
            put_finding(to, &info);
        else
            print_finding(path, &info);
    }
    if (to) {
        qn_json_put_end(to, ']');
        qn_json_put_end(to, '}');
        return is_bad ? EXIT_FAILED : EXIT_DONE;
    }
    if (status != QN_OK && errors == 0)
        printf("%s: error: %s\n", path, err->message);
    printf("%s: %s: %d errors, %d warnings, %d notes\n", path, is_bad ? "FAILED" : "passed",
           errors + (status != QN_OK && errors == 0), warnings,
           count_severity(findings, QN_FINDING_NOTE));
    return is_bad ? EXIT_FAILED : EXIT_DONE;
}

static int check_all(const Arguments *arguments, const Values *values, QnJsonWriter *to,
                     QnError *err)
{
    int code = EXIT_DONE;
    for (int i = 0; i < arguments->count; i++) {
        QnFindings *findings;
        QnError why = {0};
        if (qn_findings_create(&findings) != QN_OK) {
            qn_no_memory(err);
            return EXIT_FAILED;
        }
        const QnStatus status = check_model(arguments->items[i], values, findings, &why);
        if (report(arguments->items[i], findings, status, &why, values, to) != EXIT_DONE)
            code = EXIT_FAILED;
        qn_findings_free(findings);
    }
    return code;
}

static int run_command(const Command *command, int argc, char **argv)
{
    Values values = {0};
    Arguments arguments;
    QnError err = {0};
    bool is_done;
    int code = options_parse(command, &values, &arguments, argc, argv, &is_done);
    if (code != EXIT_DONE || is_done)
        return code;
    if (arguments.count == 0)
        return tool_usage(command, "which models? expected MODEL");
    QnText text = qn_text(NULL);
    QnJsonWriter to = qn_json_writer(&text);
    qn_json_put_begin(&to, '[');
    code = check_all(&arguments, &values, values.json ? &to : NULL, &err);
    qn_json_put_end(&to, ']');
    if (err.status == QN_OK && values.json)
        json_save(&text, values.json, &err);
    qn_text_finish(&text);
    return err.status == QN_OK ? code : tool_fail(command, &err);
}

const Command command_check = {
    .name = "check",
    .what = "say all that is wrong with a model, and what to do",
    .usage = "MODEL... [OPTION]...",
    .examples = "  quern check yolo.onnx\n  quern check models/*.onnx --no-plan --json -\n",
    .options = options,
    .run = run_command,
};
