/* SPDX-License-Identifier: Apache-2.0 */
/* Threads, and sleeping on a word of memory. */
#ifndef QN_BASE_THREAD_H
#define QN_BASE_THREAD_H

#include <pthread.h>

#include "base/atomic.h"
#include "base/error.h"

typedef struct QnThread {
    pthread_t id;
} QnThread;

/*
 * Starts a thread that calls `run(user)` once.  It takes no signals, so that the handlers of the
 * program around us run on threads of its own.  `name` is cut to 15 bytes and shown by debuggers.
 * QN_IO where the system refuses.
 */
QnStatus qn_thread_start(QnThread *out, const char *name, void *(*run)(void *user), void *user,
                         QnError *err);

/* Waits until the thread has returned. */
void qn_thread_join(QnThread *thread);

/* The processor time that a running thread has used;
 * 0 where the system does not say.  A system call. */
int64_t qn_thread_cpu_ns(const QnThread *thread);

/* The same of the calling thread. */
int64_t qn_thread_own_cpu_ns(void);

/* Sleeps until another thread wakes this word, unless it holds something else than `expected`;
 * may return early. */
void qn_wait_on(QnAtomicU32 *word, uint32_t expected);

/* Wakes one thread that sleeps on the word. */
void qn_wake_one(QnAtomicU32 *word);

#endif
