/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool_feedback.h"

#include "base/clock.h"
#include "tests/support/test.h"

/* A window of loops of 1 ms in all, of which so many percent were waited. */
static QnFeedbackAction window(QnFeedback *feedback, int wait_percent)
{
    QnFeedbackAction action = QN_FEEDBACK_NOTHING;
    int64_t window_ns = 0;
    for (int i = 0; i < QN_FEEDBACK_LOOPS; i++)
        action = qn_feedback_add(feedback, 1, QN_NS_PER_MS / QN_FEEDBACK_LOOPS,
                                 QN_NS_PER_MS / QN_FEEDBACK_LOOPS / 100 * wait_percent, &window_ns);
    return action;
}

TEST(short_waits_are_never_looked_into)
{
    QnFeedback feedback = {0};
    for (int i = 0; i < 10; i++)
        EXPECT(t, window(&feedback, 29) == QN_FEEDBACK_NOTHING, "window %d", i);
}

TEST(long_waits_are_noted_and_judged_when_they_go_on)
{
    QnFeedback feedback = {0};
    EXPECT(t, window(&feedback, 40) == QN_FEEDBACK_NOTE, "the first one");
    EXPECT(t, window(&feedback, 10) == QN_FEEDBACK_NOTHING, "it was an accident");
    EXPECT(t, window(&feedback, 40) == QN_FEEDBACK_NOTE, "the first one again");
    EXPECT(t, window(&feedback, 40) == QN_FEEDBACK_JUDGE, "it goes on");
}

TEST(runs_shorter_than_a_window_add_up)
{
    QnFeedback feedback = {0};
    int64_t window_ns = 0;
    QnFeedbackAction action = QN_FEEDBACK_NOTHING;
    for (int run = 0; run < 4; run++)
        action = qn_feedback_add(&feedback, 5, 100, 50, &window_ns);
    EXPECT(t, action == QN_FEEDBACK_NOTE && window_ns == 400, "%d, %lld ns", (int)action,
           (long long)window_ns);
}

TEST(only_a_starved_worker_costs_a_thread)
{
    static const struct {
        int64_t cpu_ns;
        int less;
    } rows[] = {
        {QN_NS_PER_MS, 0}, /* it ran all the time: the chunks are too large */
        {3 * QN_NS_PER_MS / 4, 0},
        {QN_NS_PER_MS / 2, 1}, /* it shared its processor */
        {0, 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        QnFeedback feedback = {0};
        qn_feedback_judge(&feedback, rows[i].cpu_ns, QN_NS_PER_MS, 0, 4);
        EXPECT(t, feedback.less == rows[i].less, "row %zu: %d less", i, feedback.less);
    }
}

TEST(one_thread_always_stays)
{
    QnFeedback feedback = {0};
    for (int i = 0; i < 10; i++)
        qn_feedback_judge(&feedback, 0, QN_NS_PER_MS, 0, 3);
    EXPECT(t, feedback.less == 2, "%d less of 3", feedback.less);
}

TEST(after_a_while_one_more_is_tried)
{
    QnFeedback feedback = {0};
    const int64_t now = 5 * QN_NS_PER_S, wait = QN_FEEDBACK_RETRY_MS * QN_NS_PER_MS;
    qn_feedback_judge(&feedback, 0, QN_NS_PER_MS, now, 4);
    qn_feedback_judge(&feedback, 0, QN_NS_PER_MS, now, 4);
    EXPECT(t, !qn_feedback_retry(&feedback, now + wait - 1) && feedback.less == 2, "too early");
    EXPECT(t, qn_feedback_retry(&feedback, now + wait) && feedback.less == 1, "in time");
    EXPECT(t, !qn_feedback_retry(&feedback, now + wait + 1), "one at a time");
    EXPECT(t, qn_feedback_retry(&feedback, now + 2 * wait) && feedback.less == 0, "the other one");
    EXPECT(t, !qn_feedback_retry(&feedback, now + 9 * wait), "all are back");
}

TEST_MAIN(CASE(short_waits_are_never_looked_into),
          CASE(long_waits_are_noted_and_judged_when_they_go_on),
          CASE(runs_shorter_than_a_window_add_up), CASE(only_a_starved_worker_costs_a_thread),
          CASE(one_thread_always_stays), CASE(after_a_while_one_more_is_tried))
