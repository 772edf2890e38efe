/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that is wrong with something, where a person is better served by every finding than by the
 * first: reading, checking, lowering, configuration.
 */
#ifndef QN_BASE_REPORT_H
#define QN_BASE_REPORT_H

#include "base/arena.h"

typedef enum QnSeverity {
    QN_NOTE,    /* worth knowing */
    QN_WARNING, /* works, but probably not as was meant */
    QN_BREACH,  /* breaks a rule of its format; what was meant is plain, and works all the same */
    QN_SEVERE   /* does not work */
} QnSeverity;

/* One finding.  Texts are terminated, borrowed from the report's arena; NULL or "" where a field
 * does not apply. */
typedef struct QnFinding {
    QnSeverity severity;
    const char *rule;     /* a stable short name, "onnx-unknown-operator" */
    const char *file;     /* the file, or what stands for it */
    const char *node;     /* the node, value or field that is meant */
    const char *field;    /* its attribute, input or member */
    const char *found;    /* what is */
    const char *expected; /* what should be */
    const char *remedy;   /* what a person can do */
    struct QnFinding *next;
} QnFinding;

/* One thread at a time. */
typedef struct QnReport {
    QnArena *arena; /* borrowed; holds the findings */
    QnFinding *first, *last;
    int counts[QN_SEVERE + 1]; /* all that were added, also past the limit */
    int kept;                  /* those in the list */
} QnReport;

/* Of each severity as many are kept, so that notes leave room for what is worse. */
enum { QN_REPORT_LIMIT = 1000 };

static inline QnReport qn_report(QnArena *arena)
{
    return (QnReport){.arena = arena};
}

/* Is there room for one more finding of that severity?  Where there is none, only counts grow, and
 * nobody needs to make its texts. */
static inline bool qn_report_has_room(const QnReport *report, QnSeverity severity)
{
    return report && report->counts[severity] < QN_REPORT_LIMIT;
}

static inline bool qn_report_is_full(const QnReport *report)
{
    for (int i = 0; report && i <= QN_SEVERE; i++)
        if (qn_report_has_room(report, (QnSeverity)i))
            return false;
    return true;
}

/* Adds a copy of `finding`, texts included.  A NULL report is fine; out of memory loses the
 * finding, not its count. */
void qn_report_add(QnReport *report, const QnFinding *finding);

/* Moves the findings of `more`, which lie in the same arena, to the end of a report. */
void qn_report_append(QnReport *report, QnReport *more);

static inline bool qn_report_is_bad(const QnReport *report)
{
    return report->counts[QN_SEVERE] > 0;
}

/*
 * The worst finding as one sentence in `err`, and how many more there are.  Returns `status` where
 * there is a severe finding, QN_OK otherwise.
 */
QnStatus qn_report_fail(const QnReport *report, QnStatus status, QnError *err);

/* One finding as one line of text: "file: node 'x': field: found, expected; remedy".  Returns the
 * length it needs. */
int qn_finding_print(const QnFinding *finding, char *text, size_t size);

#endif
