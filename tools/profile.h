/* SPDX-License-Identifier: Apache-2.0 */
/* The time of each step of a plan, over several runs. */
#ifndef QN_TOOLS_PROFILE_H
#define QN_TOOLS_PROFILE_H

#include "base/json.h"
#include "quern/session.h"
#include "tools/sample.h"

/* One step.  Texts are borrowed from the plan. */
typedef struct Layer {
    const char *name, *op, *kernel;
    int tier;
    int64_t run_ns;                    /* in the run at work: a step in a loop runs many times */
    double run_operations, operations; /* of the run at work and the last one; 0: not counted */
    Sample times;                      /* one item per run in which it ran */
    int64_t median_ns;
    double share;      /* of all layers' medians */
    double peak_share; /* operations of what the machine can do in that time; 0: not counted */
} Layer;

typedef struct Profile {
    Layer *layers; /* [count], by step */
    int count;
    Sample walls;               /* whole runs */
    int64_t kernel_ns, wall_ns; /* medians: of all layers together, and of whole runs */
    double peak;                /* GFLOP/s of the threads in use; 0: not known */
    bool has_no_memory;
} Profile;

/* An observer for QnRunOptions; `user` is the Profile. */
void profile_observe(void *user, const QnStepEvent *event);

/* Ends one run that took so long. */
void profile_end_run(Profile *profile, int64_t wall_ns);

/* Computes medians and shares, with `peak` as it was measured; then prints the table, or the JSON
 * array of `layers`. */
void profile_finish(Profile *profile);
void profile_print(const Profile *profile);
void profile_put(const Profile *profile, QnJsonWriter *to);
void profile_free(Profile *profile);

#endif
