/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The process's worker threads, which run for-loops.
 *
 * A run borrows a gang of threads from the pool at its start and gives it back at its end; in
 * between it hands the gang one loop after the other.  The thread that calls is member 0 of its
 * gang and works like the others.
 *
 *     QnGang gang;
 *     qn_gang_begin(&gang, pool, 8);
 *     qn_gang_for(&gang, chunk_count, cost_ns, rows_of_softmax, &softmax);
 *     qn_gang_end(&gang);
 *
 * Gangs share what there is: with the pool's size, each gets a fair part of it, also while others
 * come and go.  A member too many leaves at the end of its chunk, and gangs grow again between
 * loops.  So no more threads of the pool and its callers are runnable than its size, unless there
 * are more callers than that: a caller is never made to wait.
 */
#ifndef QN_BASE_POOL_H
#define QN_BASE_POOL_H

#include "base/atomic.h"
#include "base/clock.h"
#include "base/denormals.h"
#include "base/error.h"
#include "base/pool_feedback.h"
#include "quern/allocator.h"

typedef struct QnPool QnPool;
struct QnWorker;

/* Times of 0 mean the defaults, negative ones mean not at all. */
typedef struct QnPoolOptions {
    int size;             /* threads that may be runnable at once, callers included; 1 to 4,096 */
    int capacity;         /* what the pool may be resized to, at most 4,096; 0: size */
    int64_t spin_ns;      /* a worker spins so long for the next loop of its run; 75 us */
    int64_t join_spin_ns; /* a caller spins so long for its workers; 10 us */
    int64_t spin_after_run_ns;    /* a worker spins so long for the next run;
                                     0, for real-time users more */
    int64_t inline_ns;            /* loops that cost less run in the caller alone; 4 us */
    const QnAllocator *allocator; /* borrowed; NULL: the C library's */
    int (*recount)(void *user); /* the size that suits now, asked every few seconds at the start of
                                   a run, on its thread; or NULL */
    void *user;                 /* handed to `recount` */
} QnPoolOptions;

/* One chunk of a loop.  `member` (0 to the gang's limit - 1) is the index of the thread in its
 * gang, for scratch. */
typedef void QnChunkFn(void *user, int64_t chunk, int member);

/*
 * A run's part of the pool.  It lies in the caller's memory and may be used by one thread at a
 * time; gangs of several threads, also nested ones, may use the pool at once.  {0} is a gang of its
 * caller alone.
 */
typedef struct QnGang {
    QnPool *pool;             /* borrowed; NULL: the caller works alone */
    struct QnWorker *workers; /* newest, and so highest member, first; touched by the caller only */
    int members;              /* with the caller */
    int limit;                /* the most members it ever has */
    struct QnGang *next, *previous; /* guarded by the pool's lock */
    int share;                      /* guarded by the pool's lock */
    QnAtomicU32 target; /* how many members it should have; members from there on leave */

    QnLoopTimes times; /* since the last report to the pool */
    int64_t start_ns,
        start_cpu_ns; /* of the first of these loops; the latter is the caller's processor time */

    /* The loop in progress: written by the caller before it calls the workers. */
    QnChunkFn *run; /* NULL: none */
    void *user;
    int64_t chunk_count;
    QnFloatMode float_mode;
    char before[64]; /* keeps the counter, which all members write, on a line of its own */
    QnAtomicI64 next_chunk;
    char after[56];
} QnGang;

/* A pool of `size` threads (its size - 1 workers and one caller) with the default options.  The
 * caller frees it. */
QnStatus qn_pool_create(QnPool **out, int size, QnError *err);

/* The same with options, which are copied.  Both give QN_BAD_ARGUMENT (a size that cannot be),
 * QN_NO_MEMORY, or QN_IO where the system refuses a thread; *out is then unchanged. */
QnStatus qn_pool_create_with(QnPool **out, const QnPoolOptions *options, QnError *err);

/* Ends the workers.  No gang may be in use.  NULL is fine. */
void qn_pool_free(QnPool *pool);

/* How many threads may be runnable.  Any thread. */
int qn_pool_size(QnPool *pool);

/* How many workers have run a chunk since the pool was made:
 * whether threads are of use.  Any thread. */
int qn_pool_count_worked(QnPool *pool);

/*
 * Makes the pool larger, up to its capacity, or smaller, while gangs are in use.  Returns the size
 * that it has from now on: less than was asked for where the capacity or the system does not allow
 * it.  Any thread.
 */
int qn_pool_resize(QnPool *pool, int size);

/*
 * From now on every worker calls `warm` once before its next loop: that is where it issues its
 * first AMX instruction, for which the system allocates state.  Only the first function that is set
 * counts.  Any thread.
 */
void qn_pool_set_warm(QnPool *pool, void (*warm)(void));

/* Takes a gang of up to `limit` members, at least one: the caller.  A NULL pool gives exactly that
 * one.  The pool must outlive the gang, and the gang must not move until it is given back. */
void qn_gang_begin(QnGang *gang, QnPool *pool, int limit);

/* Gives it back; it is {0} then.  On the thread that took it. */
void qn_gang_end(QnGang *gang);

/* The most members that the gang ever has,
 * so how many scratch areas its chunks may need; at least 1. */
static inline int qn_gang_limit(const QnGang *gang)
{
    return gang->limit > 1 ? gang->limit : 1;
}

#define QN_COST_UNKNOWN (-1)

/*
 * Calls run(user, chunk, member) once for each chunk of [0, chunk_count), in any order, on any
 * members, and returns when all are done.  What the caller wrote before is seen by the chunks, and
 * what they wrote by the caller after. Workers run with the caller's floating-point mode.
 *
 * `cost_ns` is about what one thread would need for the whole loop, or QN_COST_UNKNOWN; loops that
 * are not worth a call run in the caller.  Good chunks take 20 to 100 us, 4 to 16 of them per
 * member.  A chunk must not use the same gang.
 */
void qn_gang_for(QnGang *gang, int64_t chunk_count, int64_t cost_ns, QnChunkFn *run, void *user);

#endif
