/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool_feedback.h"

#include "base/clock.h"
#include "tests/support/test.h"

#define WINDOW_NS (QN_FEEDBACK_WINDOW_MS * QN_NS_PER_MS)

/* A window of loops of which the caller waited, and was off its processor, for so many percent. */
static QnFeedbackAction add_window(QnFeedback *feedback, int wait_percent, int lost_percent)
{
    QnFeedbackAction action = QN_FEEDBACK_NOTHING;
    const int64_t loop_ns = WINDOW_NS / QN_FEEDBACK_LOOPS;
    const QnLoopTimes times = {1, loop_ns, loop_ns / 100 * wait_percent,
                               loop_ns / 100 * lost_percent};
    QnLoopTimes window;
    for (int i = 0; i < QN_FEEDBACK_LOOPS; i++)
        action = qn_feedback_add(feedback, &times, &window);
    return action;
}

/* A judgement of a window in which a worker had so little, and the caller lost so much. */
static bool judge(QnFeedback *feedback, int64_t cpu_ns, int64_t lost_ns, int64_t now_ns, int size)
{
    const QnLoopTimes window = {100, WINDOW_NS, WINDOW_NS / 2, lost_ns};
    return qn_feedback_judge(feedback, cpu_ns, &window, now_ns, size);
}

TEST(short_waits_are_never_looked_into)
{
    QnFeedback feedback = {0};
    for (int i = 0; i < 10; i++)
        EXPECT(t, add_window(&feedback, 14, 15) == QN_FEEDBACK_NOTHING, "window %d", i);
}

TEST(long_waits_are_noted_and_judged_when_they_go_on)
{
    QnFeedback feedback = {0};
    EXPECT(t, add_window(&feedback, 40, 0) == QN_FEEDBACK_NOTE, "the first one");
    EXPECT(t, add_window(&feedback, 10, 0) == QN_FEEDBACK_NOTHING, "it was an accident");
    EXPECT(t, add_window(&feedback, 40, 0) == QN_FEEDBACK_NOTE, "the first one again");
    EXPECT(t, add_window(&feedback, 0, 40) == QN_FEEDBACK_JUDGE, "it goes on");
}

TEST(runs_shorter_than_a_window_add_up)
{
    QnFeedback feedback = {0};
    QnLoopTimes window = {0};
    QnFeedbackAction action = QN_FEEDBACK_NOTHING;
    for (int run = 0; run < 4; run++)
        action =
            qn_feedback_add(&feedback, &(QnLoopTimes){5, WINDOW_NS / 4, WINDOW_NS / 8, 1}, &window);
    EXPECT(t, action == QN_FEEDBACK_NOTE, "%d", (int)action);
    EXPECT(t, window.loop_count == 20 && window.loop_ns == WINDOW_NS && window.lost_ns == 4,
           "%d loops, %lld ns", window.loop_count, (long long)window.loop_ns);
}

TEST(a_window_spans_several_time_slices)
{
    QnFeedback feedback = {0};
    QnLoopTimes window;
    const QnFeedbackAction action =
        qn_feedback_add(&feedback, &(QnLoopTimes){1000, WINDOW_NS - 1, WINDOW_NS - 1, 0}, &window);
    EXPECT(t, action == QN_FEEDBACK_NOTHING, "1000 loops are too short to tell");
}

TEST(only_a_starved_thread_costs_a_thread)
{
    static const struct {
        int64_t cpu_ns, lost_ns;
        int less;
    } rows[] = {
        {WINDOW_NS, 0, 0}, /* all ran all the time: the chunks are too large */
        {WINDOW_NS * 3 / 4, WINDOW_NS / 4, 0},
        {WINDOW_NS / 2, 0, 1},         /* a worker shared its processor */
        {WINDOW_NS, WINDOW_NS / 2, 1}, /* the caller did */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        QnFeedback feedback = {0};
        judge(&feedback, rows[i].cpu_ns, rows[i].lost_ns, 0, 4);
        EXPECT(t, feedback.less == rows[i].less, "row %zu: %d less", i, feedback.less);
    }
}

TEST(one_thread_always_stays)
{
    QnFeedback feedback = {0};
    for (int i = 0; i < 10; i++)
        judge(&feedback, 0, 0, 0, 3);
    EXPECT(t, feedback.less == 2, "%d less of 3", feedback.less);
}

TEST(after_a_while_one_more_is_tried)
{
    QnFeedback feedback = {0};
    const int64_t now = 5 * QN_NS_PER_S, wait = QN_FEEDBACK_RETRY_MS * QN_NS_PER_MS;
    judge(&feedback, 0, 0, now, 4);
    judge(&feedback, 0, 0, now, 4);
    EXPECT(t, !qn_feedback_retry(&feedback, now + wait - 1) && feedback.less == 2, "too early");
    EXPECT(t, qn_feedback_retry(&feedback, now + wait) && feedback.less == 1, "in time");
    EXPECT(t, !qn_feedback_retry(&feedback, now + wait + 1), "one at a time");
    EXPECT(t, qn_feedback_retry(&feedback, now + 2 * wait) && feedback.less == 0, "the other one");
    EXPECT(t, !qn_feedback_retry(&feedback, now + 9 * wait), "all are back");
}

TEST_MAIN(CASE(short_waits_are_never_looked_into),
          CASE(long_waits_are_noted_and_judged_when_they_go_on),
          CASE(runs_shorter_than_a_window_add_up), CASE(a_window_spans_several_time_slices),
          CASE(only_a_starved_thread_costs_a_thread), CASE(one_thread_always_stays),
          CASE(after_a_while_one_more_is_tried))
