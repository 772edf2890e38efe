/* SPDX-License-Identifier: Apache-2.0 */
/* A bar on stderr for work that takes over a second; only where stderr is a terminal. */
#ifndef QN_TOOLS_PROGRESS_H
#define QN_TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

typedef struct Progress {
    const char *what; /* borrowed: "running" */
    int64_t begin_ns, shown_ns;
    bool is_terminal, is_shown;
} Progress;

Progress progress_begin(const char *what);

/* Shows that a share of the work, 0 to 1, is done: at most ten times a second. */
void progress_show(Progress *progress, double share);

/* Takes the bar away.  Also before other text goes to the terminal;
 * the next show draws it again. */
void progress_clear(Progress *progress);

#endif
