/* SPDX-License-Identifier: Apache-2.0 */
/* The bar draws over its own line and vanishes when the work is done. */
#include "tools/progress.h"

#include <stdio.h>
#include <unistd.h>

#include "base/clock.h"

enum { WIDTH = 40 };

Progress progress_begin(const char *what)
{
    return (Progress){
        .what = what, .begin_ns = qn_clock_now(NULL), .is_terminal = isatty(STDERR_FILENO) == 1};
}

void progress_show(Progress *progress, double share)
{
    const int64_t now = qn_clock_now(NULL);
    if (!progress->is_terminal || now - progress->begin_ns < QN_NS_PER_S ||
        now - progress->shown_ns < 100 * QN_NS_PER_MS)
        return;
    char bar[WIDTH + 1];
    const int full = (int)(share * WIDTH);
    for (int i = 0; i < WIDTH; i++)
        bar[i] = i < full ? '#' : '.';
    bar[WIDTH] = '\0';
    fprintf(stderr, "\r%s [%s] %3.0f %%", progress->what, bar, share * 100);
    fflush(stderr);
    progress->shown_ns = now;
    progress->is_shown = true;
}

void progress_clear(Progress *progress)
{
    if (progress->is_shown)
        fputs("\r\033[K", stderr); /* to the line's beginning; erase to its end */
    progress->is_shown = false;
}
