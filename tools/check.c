/* SPDX-License-Identifier: Apache-2.0 */
/*
 * quern check: all that is wrong with models, and what to do; also what compiling them finds, such
 * as steps that only the slow reference computes.
 *
 * docs/check.md describes the rules, the JSON and the exit status.
 */
#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "quern/quern.h"
#include "quern/unstable/check.h"
#include "tools/commands.h"
#include "tools/json_file.h"

typedef struct Values {
    bool no_plan, strict;
    const char *folder, *json;
} Values;

static const Option options[] = {
    {"no-plan", 0, OPTION_FLAG, offsetof(Values, no_plan), NULL,
     "look at the file only: do not compile the model", 0, 0},
    {"strict", 0, OPTION_FLAG, offsetof(Values, strict), NULL, "warnings fail, too", 0, 0},
    {"folder", 0, OPTION_TEXT, offsetof(Values, folder), "DIR",
     "where data in other files lies; default: beside the model", 0, 0},
    {"json", 0, OPTION_TEXT, offsetof(Values, json), "FILE", "write it as JSON; -: stdout", 0, 0},
    {NULL, 0, OPTION_FLAG, 0, NULL, NULL, 0, 0},
};

/* What is wrong with one model. */
typedef struct Result {
    const char *path;
    const QnFindings *findings;
    const char *unread; /* why the file was not looked at; "": it was */
    int counts[QN_FINDING_ERROR + 1];
    bool has_passed;
} Result;

/* A breach of the format's rules is an error, whether or not the model runs all the same. */
static const char *const severities[] = {
    [QN_FINDING_NOTE] = "note",
    [QN_FINDING_WARNING] = "warning",
    [QN_FINDING_BREACH] = "error",
    [QN_FINDING_ERROR] = "error",
};

static int count_errors(const Result *result)
{
    return result->counts[QN_FINDING_BREACH] + result->counts[QN_FINDING_ERROR] +
           (*result->unread ? 1 : 0);
}

static bool does_not_run(const Result *result)
{
    return *result->unread || result->counts[QN_FINDING_ERROR];
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

/* Messages name the file; lines do so by themselves. */
static const char *skip_path(const char *message, const char *path)
{
    const size_t size = strlen(path);
    return !strncmp(message, path, size) && !strncmp(message + size, ": ", 2) ? message + size + 2
                                                                              : message;
}

static void print_result(const Result *result)
{
    for (int i = 0; i < qn_findings_count(result->findings); i++) {
        const QnFindingInfo info = qn_findings_get(result->findings, i);
        print_finding(result->path, &info);
    }
    if (*result->unread)
        printf("%s: error: %s\n", result->path, result->unread);
    const bool only_breaches = !does_not_run(result) && count_errors(result) > 0;
    printf("%s: %s: %d errors, %d warnings, %d notes%s\n", result->path,
           result->has_passed ? "passed" : "FAILED", count_errors(result),
           result->counts[QN_FINDING_WARNING], result->counts[QN_FINDING_NOTE],
           only_breaches ? "; quern runs it all the same" : "");
}

static void put_finding(QnJsonWriter *to, const QnFindingInfo *info)
{
    qn_json_put_begin(to, '{');
    json_put_text(to, "severity", severities[info->severity]);
    json_put_flag(to, "runs", info->severity != QN_FINDING_ERROR);
    json_put_text(to, "rule", info->rule);
    json_put_text(to, "file", info->file);
    json_put_text(to, "node", info->node);
    json_put_text(to, "field", info->field);
    json_put_text(to, "found", info->found);
    json_put_text(to, "expected", info->expected);
    json_put_text(to, "remedy", info->remedy);
    qn_json_put_end(to, '}');
}

static void put_result(QnJsonWriter *to, const Result *result)
{
    qn_json_put_begin(to, '{');
    json_put_text(to, "model", result->path);
    json_put_flag(to, "passed", result->has_passed);
    json_put_flag(to, "runs", !does_not_run(result));
    json_put_text(to, "error", result->unread);
    json_put_int(to, "errors", count_errors(result));
    json_put_int(to, "warnings", result->counts[QN_FINDING_WARNING]);
    json_put_int(to, "notes", result->counts[QN_FINDING_NOTE]);
    qn_json_put_key(to, "findings");
    qn_json_put_begin(to, '[');
    for (int i = 0; i < qn_findings_count(result->findings); i++) {
        const QnFindingInfo info = qn_findings_get(result->findings, i);
        put_finding(to, &info);
    }
    qn_json_put_end(to, ']');
    qn_json_put_end(to, '}');
}

/* Checks one model and says what was found; whether it passed.  `to` NULL: as text. */
static QnStatus check_model(bool *has_passed, const char *path, const Values *values,
                            QnJsonWriter *to, QnError *err)
{
    const QnCheckOptions checking = {
        .size = sizeof checking, .folder = values->folder, .no_plan = values->no_plan};
    QnFindings *findings;
    QnError unread = {0};
    if (qn_findings_create(&findings) != QN_OK)
        return qn_no_memory(err);
    const QnStatus status = qn_model_check(findings, path, &checking, &unread);
    Result result = {.path = path, .findings = findings};
    result.unread = status == QN_OK ? "" : skip_path(unread.message, path);
    for (int i = 0; i < qn_findings_count(findings); i++)
        result.counts[qn_findings_get(findings, i).severity]++;
    result.has_passed =
        count_errors(&result) == 0 && !(values->strict && result.counts[QN_FINDING_WARNING]);
    *has_passed = result.has_passed;
    if (to)
        put_result(to, &result);
    else
        print_result(&result);
    qn_findings_free(findings);
    return QN_OK;
}

static QnStatus check_all(const Arguments *arguments, const Values *values, int *code, QnError *err)
{
    QnText text = qn_text(NULL);
    QnJsonWriter to = qn_json_writer(&text);
    QnStatus status = QN_OK;
    qn_json_put_begin(&to, '[');
    for (int i = 0; status == QN_OK && i < arguments->count; i++) {
        bool has_passed = false;
        status =
            check_model(&has_passed, arguments->items[i], values, values->json ? &to : NULL, err);
        if (!has_passed)
            *code = EXIT_FAILED;
    }
    qn_json_put_end(&to, ']');
    if (status == QN_OK && values->json)
        status = json_save(&text, values->json, err);
    qn_text_finish(&text);
    return status;
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
    return check_all(&arguments, &values, &code, &err) == QN_OK ? code : tool_fail(command, &err);
}

const Command command_check = {
    .name = "check",
    .what = "say all that is wrong with a model, and what to do",
    .usage = "MODEL... [OPTION]...",
    .examples = "  quern check yolo.onnx\n  quern check models/*.onnx --strict --json -\n",
    .options = options,
    .run = run_command,
};
