/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the processor can do, and what suits it.
 *
 * Instruction sets come in groups of CPUID bits that are used together, and the groups in levels
 * with a name. A kernel variant names the groups that it needs; it may run where `(needs & have) ==
 * needs`.  A group counts only if the operating system saves the registers that it uses.
 */
#ifndef QN_BASE_CPU_H
#define QN_BASE_CPU_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/compiler.h"
#include "base/error.h"

/* A set of instruction groups. */
typedef uint32_t QnIsa;

enum {
    QN_ISA_AVX2 = 1 << 0,       /* AVX2, FMA, F16C, BMI1, BMI2 */
    QN_ISA_AVXVNNI = 1 << 1,    /* AVX-VNNI: vpdpbusd on ymm, VEX-coded */
    QN_ISA_AVX512 = 1 << 2,     /* AVX512 F, BW, VL, DQ, CD */
    QN_ISA_AVX512VNNI = 1 << 3, /* AVX512-VNNI */
    QN_ISA_AVX512BF16 = 1 << 4, /* AVX512-BF16: vdpbf16ps */
    QN_ISA_AVX512FP16 = 1 << 5, /* AVX512-FP16 */
    QN_ISA_AMX = 1 << 6,       /* AMX tiles, INT8, BF16; to be used only after qn_cpu_request_amx */
    QN_ISA_NEON = 1 << 7,      /* Armv8.0 SIMD */
    QN_ISA_NEONDOT = 1 << 8,   /* SDOT, UDOT */
    QN_ISA_NEONFP16 = 1 << 9,  /* arithmetic on fp16 vectors */
    QN_ISA_NEONI8MM = 1 << 10, /* SMMLA, UMMLA, USMMLA */
    QN_ISA_NEONBF16 = 1 << 11, /* BFMMLA, BFDOT */
    QN_ISA_NONE = 0
};

/* The name of the highest level whose groups are all in `isa`:
 * "none", "avx2", … "amx", "neon", ….  Never NULL. */
const char *qn_isa_level_name(QnIsa isa);

/* The i-th level of this build's architecture, lowest ("none") first, or NULL past the last: for
 * lists and tests. */
const char *qn_isa_level(int i);

/*
 * The groups that a level name lets through: its own and those of all lower levels.
 * QN_BAD_ARGUMENT, with the list of names, where there is no such level or it belongs to another
 * architecture.
 */
QnStatus qn_isa_mask(QnIsa *out, const char *level_name, QnError *err);

/* What is known about a property that is in no CPUID bit. */
typedef enum QnFact { QN_FACT_UNKNOWN, QN_FACT_NO, QN_FACT_YES } QnFact;

/* One level of data or unified cache; all 0 where it is unknown or absent. */
typedef struct QnCache {
    size_t size_bytes;
    int ways;
    int line_bytes;
    int sharing_count; /* logical processors that share it */
} QnCache;

/*
 * Facts that are no instruction sets: they feed the cost model and the default blocking, nothing
 * else.  Pumping and ports are in no CPUID leaf, and a hypervisor may invent family and model, so
 * the unknown ones are timed where a plan is built.
 */
typedef struct QnTuning {
    QnCache l1d, l2, l3;
    QnFact gather_is_slow;     /* AMD up to Zen 4: a gather costs more than its loads */
    QnFact denormals_are_slow; /* Intel: a denormal operand costs some 140 cycles */
    QnFact zmm_is_split;       /* 512-bit FMA runs at the rate of 256-bit; always unknown here */
    QnFact bf16_is_slow;       /* vdpbf16ps runs below the rate of fp32 FMA; always unknown here */
} QnTuning;

/* A processor as a plan sees it.  Plain data. */
typedef struct QnCpu {
    QnIsa isa;     /* after the mask */
    QnIsa present; /* before it */
    char vendor[13];
    char model[49];  /* the brand text, trimmed; "" where there is none */
    bool is_virtual; /* a hypervisor says so */
    QnTuning tuning;
} QnCpu;

/*
 * Looks at the processor.
 *
 * `root` is put in front of the system's paths (/sys/...) that are the second source for cache
 * sizes; NULL is "". `mask` is a level name (QN_CPU): groups above that level are taken away, none
 * is ever added; NULL or "" keeps all. QN_BAD_ARGUMENT, with the list of names, where `mask` is
 * none.
 */
QnStatus qn_cpu_detect(QnCpu *out, const char *root, const char *mask, QnError *err);

/* Fills the caches that the processor itself did not describe (their size is 0) from <root>/sys. */
void qn_cpu_complete_caches(QnTuning *tuning, const char *root);

/*
 * Asks the operating system for AMX tile state, for the whole process and for good.  To be called
 * when something with AMX steps is built or loaded, and at no other time: from then on signal
 * frames are some 12 KiB, which alternate signal stacks of the host program must hold.
 * QN_UNSUPPORTED with the reason where it is refused; the caller then goes on with the level below.
 * Calling it again is harmless.
 */
QnStatus qn_cpu_request_amx(QnError *err);

/* What a refusal with that errno means, as qn_cpu_request_amx says it. */
QnStatus qn_cpu_refuse_amx(int error_number, QnError *err);

#endif
