/* SPDX-License-Identifier: Apache-2.0 */
/* What errors and reports promise: sentences that are cut in the middle, and the worst finding
 * first. */
#include "base/error.h"

#include "base/report.h"
#include "tests/support/test.h"

TEST(every_status_has_a_name_and_a_text)
{
    EXPECT(t, !strcmp(qn_status_name(QN_BAD_MODEL), "BAD_MODEL"), "%s",
           qn_status_name(QN_BAD_MODEL));
    EXPECT(t, !strcmp(qn_status_text(QN_OK), "success"), "%s", qn_status_text(QN_OK));
    EXPECT(t, !strcmp(qn_status_name((QnStatus)99), "UNKNOWN"), "%s", qn_status_name((QnStatus)99));
}

TEST(messages_read_from_the_outside_in)
{
    QnError err;
    EXPECT(t, qn_fail(&err, QN_BAD_MODEL, "weight has rank %d, not %d", 3, 4) == QN_BAD_MODEL,
           "status");
    EXPECT(t, qn_wrap(&err, "%s", "node 'conv1'") == QN_BAD_MODEL, "status");
    EXPECT(t, !strcmp(err.message, "node 'conv1': weight has rank 3, not 4"), "%s", err.message);
    EXPECT(t, qn_fail(NULL, QN_IO, "lost") == QN_IO, "a NULL error is welcome");
}

TEST(long_messages_are_cut_in_the_middle)
{
    char name[3000];
    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = 0;
    QnError err;
    qn_fail(&err, QN_IO, "begin %s end", name);
    EXPECT(t, strlen(err.message) == sizeof err.message - 1, "%zu", strlen(err.message));
    EXPECT(t, !strncmp(err.message, "begin ", 6), "%.20s", err.message);
    EXPECT(t, !strcmp(err.message + strlen(err.message) - 4, " end"), "the end was lost");
    EXPECT(t, strstr(err.message, " ... "), "no gap is shown");
}

TEST(a_report_tells_the_worst_and_counts_the_rest)
{
    QnArena arena = {0};
    QnReport report = qn_report(&arena);
    QnError err;
    qn_report_add(&report, &(QnFinding){.severity = QN_WARNING, .found = "old opset"});
    EXPECT(t, qn_report_fail(&report, QN_BAD_MODEL, &err) == QN_OK, "a warning is no failure");
    qn_report_add(&report, &(QnFinding){.severity = QN_SEVERE,
                                        .file = "m.onnx",
                                        .node = "node 'a'",
                                        .field = "axis",
                                        .found = "9",
                                        .expected = "-2 to 1",
                                        .remedy = "mend it"});
    qn_report_add(&report, &(QnFinding){.severity = QN_SEVERE, .found = "x"});
    EXPECT(t, qn_report_fail(&report, QN_BAD_MODEL, &err) == QN_BAD_MODEL, "status");
    EXPECT(
        t,
        !strcmp(err.message, "m.onnx: node 'a': axis: 9, expected -2 to 1; mend it (and 1 more)"),
        "%s", err.message);
    for (int i = 0; i < 2 * QN_REPORT_LIMIT; i++)
        qn_report_add(&report, &(QnFinding){.severity = QN_NOTE, .found = "n"});
    EXPECT(t, report.kept == 3 + QN_REPORT_LIMIT && report.counts[QN_NOTE] == 2 * QN_REPORT_LIMIT,
           "kept %d, counted %d", report.kept, report.counts[QN_NOTE]);
    qn_arena_finish(&arena);
}

TEST(notes_leave_room_for_what_is_worse)
{
    QnArena arena = {0};
    QnReport report = qn_report(&arena);
    for (int i = 0; i <= QN_REPORT_LIMIT; i++)
        qn_report_add(&report, &(QnFinding){.severity = QN_NOTE, .found = "n"});
    EXPECT(t, !qn_report_has_room(&report, QN_NOTE) && !qn_report_is_full(&report), "room");
    qn_report_add(&report, &(QnFinding){.severity = QN_SEVERE, .found = "x"});
    EXPECT(t, report.kept == QN_REPORT_LIMIT + 1 && report.last->severity == QN_SEVERE, "%d",
           report.kept);
    for (int i = 0; i <= QN_REPORT_LIMIT; i++)
        for (int severity = QN_WARNING; severity <= QN_SEVERE; severity++)
            qn_report_add(&report, &(QnFinding){.severity = (QnSeverity)severity, .found = "x"});
    EXPECT(t, qn_report_is_full(&report) && qn_report_is_full(NULL), "full");
    qn_arena_finish(&arena);
}

TEST_MAIN(CASE(every_status_has_a_name_and_a_text), CASE(messages_read_from_the_outside_in),
          CASE(long_messages_are_cut_in_the_middle),
          CASE(a_report_tells_the_worst_and_counts_the_rest),
          CASE(notes_leave_room_for_what_is_worse))
