/* SPDX-License-Identifier: Apache-2.0 */
/* Chains of arithmetic in registers, timed. */
#include "tools/peak.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/compiler.h"
#include "base/thread.h"

enum { ROUNDS = 4000, TRIES = 21, THREADS_MOST = 256 };

#if QN_ARCH_X86
/*
 * Twelve chains, which cover the latency of two ports.  One block that names its registers: given
 * an array of accumulators, a compiler may leave it in memory and measure that.
 */
#    define CHAINS(link)                                                                         \
        link(0) link(1) link(2) link(3) link(4) link(5) link(6) link(7) link(8) link(9) link(10) \
            link(11)
#    define FMA_512(r) "vfmadd231ps %%zmm12, %%zmm13, %%zmm" #    r "\n"
#    define FMA_256(r) "vfmadd231ps %%ymm12, %%ymm13, %%ymm" #    r "\n"
/* Without fused ones half of the chains multiply and half add. */
#    define MUL_ADD(r) "mulps %%xmm12, %%xmm" #    r "\naddps %%xmm13, %%xmm" #    r "\n"
#    define SPIN(begin, link, end)                                                               \
        __asm__ volatile(begin "1:\n" CHAINS(link) "dec %0\njnz 1b\n" end                        \
                         : "+r"(rounds)::"xmm0", "xmm1", "xmm2", "xmm3", "xmm4", "xmm5", "xmm6", \
                           "xmm7", "xmm8", "xmm9", "xmm10", "xmm11", "xmm12", "xmm13", "xmm14",  \
                           "xmm15", "cc")

/* Runs the chains; how many numbers one instruction of them computes on, 0: there are none. */
static double spin(QnIsa isa)
{
    long rounds = ROUNDS;
    if (isa & QN_ISA_AVX512) {
        SPIN("vzeroall\n", FMA_512, "vzeroupper");
        return 16;
    }
    if (isa & QN_ISA_AVX2) {
        SPIN("vzeroall\n", FMA_256, "vzeroupper");
        return 8;
    }
    SPIN("xorps %%xmm12, %%xmm12\nxorps %%xmm13, %%xmm13\n", MUL_ADD, "");
    return 4;
}
#else
static double spin(QnIsa isa)
{
    (void)isa;
    return 0;
}
#endif

double peak_of_thread(QnIsa isa)
{
    const int64_t start = qn_clock_now(NULL);
    const double lanes = spin(isa);
    const int64_t ns = qn_clock_now(NULL) - start;
    return ns > 0 ? 12 * 2 * lanes * ROUNDS / (double)ns : 0;
}

/* One of the threads that are measured at once. */
typedef struct Spinner {
    QnThread thread;
    QnAtomicU32 *is_begun; /* set when all are there */
    QnIsa isa;
    double peak;
} Spinner;

static int ascending(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

static void *measure(void *user)
{
    Spinner *spinner = user;
    double tries[TRIES];
    while (!qn_load_acquire_u32(spinner->is_begun))
        qn_wait_on(spinner->is_begun, 0);
    for (int i = 0; i < TRIES; i++)
        tries[i] = peak_of_thread(spinner->isa);
    qsort(tries, TRIES, sizeof *tries, ascending);
    spinner->peak = tries[TRIES / 2];
    return NULL;
}

double peak_of_threads(QnIsa isa, int threads)
{
    Spinner spinners[THREADS_MOST];
    QnAtomicU32 is_begun = {0};
    double sum = 0;
    int count = 0; /* of those started; the last is this thread */
    threads = threads < 1 ? 1 : threads > THREADS_MOST ? THREADS_MOST : threads;
    for (int i = 0; i < threads; i++)
        spinners[i] = (Spinner){.is_begun = &is_begun, .isa = isa};
    while (count < threads - 1 && qn_thread_start(&spinners[count].thread, "peak", measure,
                                                  &spinners[count], NULL) == QN_OK)
        count++;
    qn_exchange_u32(&is_begun, 1);
    for (int i = 0; i < count; i++)
        qn_wake_one(&is_begun);
    measure(&spinners[count]);
    sum = spinners[count].peak;
    for (int i = 0; i < count; i++) {
        qn_thread_join(&spinners[i].thread);
        sum += spinners[i].peak;
    }
    return sum;
}
