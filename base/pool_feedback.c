/* SPDX-License-Identifier: Apache-2.0 */
#include "base/pool_feedback.h"

#include "base/clock.h"

static void start_window(QnFeedback *feedback)
{
    feedback->loop_count = 0;
    feedback->loop_ns = feedback->wait_ns = 0;
}

void qn_feedback_reset(QnFeedback *feedback)
{
    feedback->is_watching = false;
    start_window(feedback);
}

QnFeedbackAction qn_feedback_add(QnFeedback *feedback, int loop_count, int64_t loop_ns,
                                 int64_t wait_ns, int64_t *window_ns)
{
    feedback->loop_count += loop_count;
    feedback->loop_ns += loop_ns;
    feedback->wait_ns += wait_ns;
    if (feedback->loop_count < QN_FEEDBACK_LOOPS)
        return QN_FEEDBACK_NOTHING;
    const bool is_suspicious =
        feedback->wait_ns > feedback->loop_ns / 100 * QN_FEEDBACK_WAIT_PERCENT;
    const bool was_watching = feedback->is_watching;
    *window_ns = feedback->loop_ns;
    feedback->is_watching = is_suspicious;
    start_window(feedback);
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

bool qn_feedback_judge(QnFeedback *feedback, int64_t cpu_ns, int64_t window_ns, int64_t now_ns,
                       int size)
{
    const bool is_starved = cpu_ns < window_ns / 100 * QN_FEEDBACK_CPU_PERCENT;
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
