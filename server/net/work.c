/* SPDX-License-Identifier: Apache-2.0 */
/* Work beside the loops, on the few threads
 * that libuv keeps for that and starts when first asked. */
#include <stdlib.h>

#include "server/net/internal.h"

typedef struct Job {
    uv_work_t uv; /* first: what libuv hands back */
    QsLoop *loop;
    QsWork *work;
} Job;

static void run_job(uv_work_t *uv)
{
    Job *job = (Job *)(void *)uv;
    job->work->run(job->work);
}

/* The work may free itself; the loop counts it until then. */
static void finish_job(uv_work_t *uv, int status)
{
    Job *job = (Job *)(void *)uv;
    QsLoop *loop = job->loop;
    (void)status; /* jobs are not cancelled */
    job->work->done(job->work);
    free(job);
    loop->work_count--;
    qs_loop_report_if_empty(loop);
}

bool qs_loop_work(QsLoop *loop, QsWork *work)
{
    Job *job = malloc(sizeof *job);
    if (!job)
        return false;
    *job = (Job){.loop = loop, .work = work};
    if (uv_queue_work(&loop->uv, &job->uv, run_job, finish_job) != 0) {
        free(job);
        return false;
    }
    loop->work_count++;
    return true;
}
