/* SPDX-License-Identifier: Apache-2.0 */
#include "base/thread.h"

#include <linux/futex.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"

/* Kernels keep their tiles on the stack and recursion has a depth;
 * only what is touched takes memory. */
enum { STACK_BYTES = 1 << 20 };

static int start(pthread_t *id, void *(*run)(void *user), void *user)
{
    pthread_attr_t attributes;
    int code = pthread_attr_init(&attributes);
    if (code)
        return code;
    code = pthread_attr_setstacksize(&attributes, STACK_BYTES);
    if (!code)
        code = pthread_create(id, &attributes, run, user);
    pthread_attr_destroy(&attributes);
    return code;
}

QnStatus qn_thread_start(QnThread *out, const char *name, void *(*run)(void *user), void *user,
                         QnError *err)
{
    char short_name[16];
    sigset_t all, before;
    pthread_t id;
    snprintf(short_name, sizeof short_name, "%.15s", name);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before); /* the new thread inherits it */
    const int code = start(&id, run, user);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (code)
        return qn_fail(err, QN_IO, "starting thread '%s': %s", short_name, strerror(code));
    pthread_setname_np(id, short_name); /* a nicety: it may fail */
    *out = (QnThread){id};
    return QN_OK;
}

void qn_thread_join(QnThread *thread)
{
    pthread_join(thread->id, NULL);
}

static int64_t read_ns(clockid_t clock)
{
    struct timespec used;
    return clock_gettime(clock, &used) ? 0 : (int64_t)used.tv_sec * QN_NS_PER_S + used.tv_nsec;
}

int64_t qn_thread_cpu_ns(const QnThread *thread)
{
    clockid_t clock;
    return pthread_getcpuclockid(thread->id, &clock) ? 0 : read_ns(clock);
}

int64_t qn_thread_own_cpu_ns(void)
{
    return read_ns(CLOCK_THREAD_CPUTIME_ID);
}

void qn_wait_on(QnAtomicU32 *word, uint32_t expected)
{
    syscall(SYS_futex, &word->value, FUTEX_WAIT_PRIVATE, expected, NULL, NULL, 0);
}

void qn_wake_one(QnAtomicU32 *word)
{
    syscall(SYS_futex, &word->value, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}
