/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of findings, and the library's version: include/quern/model.h, quern.h. */
#include "engine/api/model.h"
#include "quern/quern.h"

QnStatus qn_findings_create(QnFindings **out)
{
    QnFindings *made = qn_alloc(NULL, sizeof *made);
    if (!made)
        return QN_NO_MEMORY;
    *made = (QnFindings){0};
    made->report = qn_report(&made->arena);
    *out = made;
    return QN_OK;
}

void qn_findings_free(QnFindings *findings)
{
    if (!findings)
        return;
    qn_arena_finish(&findings->arena);
    qn_free(NULL, findings, sizeof *findings);
}

int qn_findings_count(const QnFindings *findings)
{
    return findings->report.kept;
}

/* What is shown is what was found. */
_Static_assert((int)QN_FINDING_NOTE == (int)QN_NOTE && (int)QN_FINDING_WARNING == (int)QN_WARNING &&
                   (int)QN_FINDING_BREACH == (int)QN_BREACH &&
                   (int)QN_FINDING_ERROR == (int)QN_SEVERE,
               "the severities of reports and findings differ");

static const char *text_of(const char *text)
{
    return text ? text : "";
}

QnFindingInfo qn_findings_get(const QnFindings *findings, int i)
{
    const QnFinding *at = i < 0 ? NULL : findings->report.first;
    while (at && i-- > 0)
        at = at->next;
    if (!at)
        return (QnFindingInfo){QN_FINDING_NOTE, "", "", "", "", "", "", ""};
    return (QnFindingInfo){
        .severity = (QnFindingSeverity)at->severity,
        .rule = text_of(at->rule),
        .file = text_of(at->file),
        .node = text_of(at->node),
        .field = text_of(at->field),
        .found = text_of(at->found),
        .expected = text_of(at->expected),
        .remedy = text_of(at->remedy),
    };
}

int qn_version(void)
{
    return QN_VERSION_NUMBER;
}

const char *qn_version_text(void)
{
    return "0.1.0";
}
