/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool_feedback.h"

#include "base/checked.h"
#include "base/clock.h"

void qn_feedback_reset(QnFeedback *feedback)
{
    feedback->is_watching = false;
    feedback->window = (QnLoopTimes){0};
}

QnFeedbackAction qn_feedback_add(QnFeedback *feedback, const QnLoopTimes *times,
                                 QnLoopTimes *window)
{
    QnLoopTimes *sum = &feedback->window;
    sum->loop_count += times->loop_count;
    sum->loop_ns += times->loop_ns;
    sum->wait_ns += times->wait_ns;
    sum->lost_ns += times->lost_ns;
    if (sum->loop_count < QN_FEEDBACK_LOOPS || sum->loop_ns < QN_FEEDBACK_WINDOW_MS * QN_NS_PER_MS)
        return QN_FEEDBACK_NOTHING;
    const bool is_suspicious =
        sum->wait_ns + sum->lost_ns > sum->loop_ns / 100 * QN_FEEDBACK_WAIT_PERCENT;
    const bool was_watching = feedback->is_watching;
    *window = *sum;
    qn_feedback_reset(feedback);
    feedback->is_watching = is_suspicious;
    return !is_suspicious ? QN_FEEDBACK_NOTHING
           : was_watching ? QN_FEEDBACK_JUDGE
                          : QN_FEEDBACK_NOTE;
}

/* Does without `less` threads until it is time to try with one more. */
static void set_less(QnFeedback *feedback, int less, int64_t now_ns)
{
    feedback->less = less;
    feedback->retry_ns = qn_deadline_after(now_ns, QN_FEEDBACK_RETRY_MS * QN_NS_PER_MS);
    qn_feedback_reset(feedback);
}

bool qn_feedback_judge(QnFeedback *feedback, int64_t cpu_ns, const QnLoopTimes *window,
                       int64_t now_ns, int size)
{
    const int64_t least_ns = qn_min_i64(cpu_ns, window->loop_ns - window->lost_ns);
    const bool is_starved = least_ns < window->loop_ns / 100 * QN_FEEDBACK_CPU_PERCENT;
    if (!is_starved || feedback->less >= size - 1)
        return false;
    set_less(feedback, feedback->less + 1, now_ns);
    return true;
}

bool qn_feedback_retry(QnFeedback *feedback, int64_t now_ns)
{
    if (feedback->less == 0 || !qn_deadline_is_past(feedback->retry_ns, now_ns))
        return false;
    set_less(feedback, feedback->less - 1, now_ns);
    return true;
}
