/* SPDX-License-Identifier: Apache-2.0 */
/* Collecting findings in an arena, and turning them into one sentence each. */
#include "base/report.h"

#include <stdio.h>

static const char *copy(QnArena *arena, const char *text)
{
    return text ? qn_arena_copy_text(arena, text, strlen(text)) : NULL;
}

void qn_report_add(QnReport *report, const QnFinding *finding)
{
    if (!report)
        return;
    if (report->counts[finding->severity]++ >= QN_REPORT_LIMIT)
        return;
    QnFinding *kept = qn_arena_array(report->arena, 1, sizeof *kept);
    if (!kept)
        return;
    *kept = (QnFinding){
        .severity = finding->severity,
        .rule = copy(report->arena, finding->rule),
        .file = copy(report->arena, finding->file),
        .node = copy(report->arena, finding->node),
        .field = copy(report->arena, finding->field),
        .found = copy(report->arena, finding->found),
        .expected = copy(report->arena, finding->expected),
        .remedy = copy(report->arena, finding->remedy),
    };
    if (report->last)
        report->last->next = kept;
    else
        report->first = kept;
    report->last = kept;
    report->kept++;
}

void qn_report_append(QnReport *report, QnReport *more)
{
    assert(report->arena == more->arena);
    for (int i = 0; i <= QN_SEVERE; i++)
        report->counts[i] += more->counts[i];
    if (report->last)
        report->last->next = more->first;
    else
        report->first = more->first;
    if (more->last)
        report->last = more->last;
    report->kept += more->kept;
    *more = qn_report(more->arena);
}

int qn_finding_print(const QnFinding *f, char *text, size_t size)
{
    const bool has_node = f->node && *f->node, has_field = f->field && *f->field;
    return snprintf(text, size, "%s%s%s%s%s%s%s%s%s%s%s%s", f->file ? f->file : "",
                    f->file && *f->file ? ": " : "", has_node ? f->node : "", has_node ? ": " : "",
                    has_field ? f->field : "", has_field ? ": " : "", f->found ? f->found : "",
                    f->found && f->expected ? ", " : "", f->expected ? "expected " : "",
                    f->expected ? f->expected : "", f->remedy ? "; " : "",
                    f->remedy ? f->remedy : "");
}

QnStatus qn_report_fail(const QnReport *report, QnStatus status, QnError *err)
{
    const int severe = report->counts[QN_SEVERE];
    if (severe == 0)
        return QN_OK;
    const QnFinding *worst = report->first;
    while (worst && worst->severity != QN_SEVERE)
        worst = worst->next;
    char text[2048];
    if (!worst)
        return qn_no_memory(err);
    qn_finding_print(worst, text, sizeof text);
    if (severe == 1)
        return qn_fail(err, status, "%s", text);
    return qn_fail(err, status, "%s (and %d more)", text, severe - 1);
}
