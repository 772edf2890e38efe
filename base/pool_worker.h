/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inside the pool: one worker, and how a gang's caller reaches it.
 *
 * All that the two say to each other is in one word of the worker's, its mailbox.  Whoever changes
 * it by a compare-and-exchange has decided:
 *
 *       REST <--release--- IDLE <------------finish------------- RUNNING
 *         |                ^ |  \                                   ^  |
 *         |      take back | |   `----- sleep ---> SLEEPING         |  | watch
 *         |                | v call                    |            |  v
 *         `---- call ----> CALLED <------- call -------'            | WATCHED --finish--> IDLE,
 *                            |                                      |           and a wake-up
 *                            `------------- claim ------------------'
 *
 * A caller that has run out of chunks takes back the calls that nobody has claimed yet.  So it
 * never waits for a worker that is asleep or preempted before its first chunk, and a late worker
 * finds no call: it cannot enter a loop that is over, whose memory may be gone.  While a worker is
 * RUNNING the loop stays.
 */
#ifndef QN_BASE_POOL_WORKER_H
#define QN_BASE_POOL_WORKER_H

#include <pthread.h>

#include "base/placement.h"
#include "base/pool.h"
#include "base/pool_feedback.h"
#include "base/thread.h"

typedef enum QnMail {
    QN_MAIL_REST,     /* in no gang: go to sleep */
    QN_MAIL_IDLE,     /* in a gang, spinning for its next loop */
    QN_MAIL_SLEEPING, /* asleep on the word, in a gang or not */
    QN_MAIL_CALLED,
    QN_MAIL_RUNNING,
    QN_MAIL_WATCHED, /* running, and the caller is asleep on the word */
    QN_MAIL_QUIT
} QnMail;

typedef struct QnWorker {
    QnPool *pool;
    QnThread thread;
    bool is_warm;           /* the worker's own */
    QnAtomicU32 has_worked; /* written by the worker only: it has run a chunk */

    /* Guarded by the pool's lock while the worker is free,
     * by the gang's caller while it is taken. */
    struct QnWorker *next;
    int member;
    int64_t cpu_ns; /* processor time at the feedback's last note */
    QnPlacement placement;

    /* The mailbox, and what a call is about:
     * the latter is the caller's, except while the worker runs. */
    QN_ALIGNED(64) QnAtomicU32 mail;
    QnGang *gang;
    int64_t first_chunk; /* -1: none was assigned */
} QnWorker;

struct QnPool {
    /* Set at creation, never changed. */
    QnPoolOptions options;
    QnWorker *workers;  /* [options.capacity - 1] */
    void (*warm)(void); /* set once, before is_warmed */
    QnAtomicU32 must_warm;

    QnAtomicI64 recount_ns; /* when to ask for the size again */
    QnAtomicU32 less;       /* what feedback.less is, for a look without the lock */

    pthread_mutex_t lock;
    int size;            /* guarded by lock */
    int started;         /* guarded by lock: threads in `workers` */
    QnWorker *free;      /* guarded by lock: in no gang */
    QnGang *gangs;       /* guarded by lock */
    QnFeedback feedback; /* guarded by lock */

    pthread_mutex_t resizing; /* held while threads are started; taken before lock */
};

/* What the worker's thread runs. */
void *qn_worker_main(void *worker);

/* Tells the worker to end; the pool then joins its thread. */
void qn_worker_quit(QnWorker *worker);

/* Calls the worker to the gang's loop, and wakes it if it sleeps. */
void qn_worker_call(QnWorker *worker, QnGang *gang, int64_t first_chunk);

/* Is it spinning, and so can take a chunk at once? */
static inline bool qn_worker_is_awake(const QnWorker *worker)
{
    return qn_load_relaxed_u32(&worker->mail) == QN_MAIL_IDLE;
}

/* Takes a call back; false where the worker has claimed it, or was not called. */
bool qn_worker_take_back(QnWorker *worker);

/* Waits until the worker has left the loop, asleep after a while. */
void qn_worker_await(QnWorker *worker);

/* Lets a worker that is in no loop go to sleep. */
void qn_worker_release(QnWorker *worker);

/* A member's part of a loop: its first chunk, then chunks as long as there are any.
 * Was there one? */
bool qn_gang_take_chunks(QnGang *gang, int64_t first_chunk, int member);

/* Makes the gang's members as many as it should have; in pool.c. */
void qn_gang_settle(QnGang *gang);

/* Tells the pool about the gang's last loops; in pool.c. */
void qn_gang_report(QnGang *gang);

#endif
