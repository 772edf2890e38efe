/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cpuid.h"

#include <string.h>

enum {
    XCR0_YMM = 0x06,     /* SSE and AVX state is saved */
    XCR0_ZMM = 0xe6,     /* and opmask, upper halves, upper registers */
    XCR0_TILE = 0x60000, /* tile configuration and data */
    FAMILY_ZEN4 = 0x19
};

/* The registers that hold feature bits, as (leaf, register). */
typedef enum Register { L1_ECX, L7_EBX, L7_ECX, L7_EDX, L7_1_EAX, REGISTER_COUNT } Register;

/* A group counts if all its rows' bits are set and the state is saved. */
static const struct {
    QnIsa group;
    Register where;
    uint32_t bits;
    uint64_t state;
} rows[] = {
    /* OSXSAVE 27, AVX 28, F16C 29, FMA 12, MOVBE is not needed */
    {QN_ISA_AVX2, L1_ECX, 1u << 27 | 1u << 28 | 1u << 29 | 1u << 12, XCR0_YMM},
    {QN_ISA_AVX2, L7_EBX, 1u << 5 | 1u << 3 | 1u << 8, XCR0_YMM}, /* AVX2, BMI1, BMI2 */
    {QN_ISA_AVXVNNI, L7_1_EAX, 1u << 4, XCR0_YMM},
    /* F 16, DQ 17, CD 28, BW 30, VL 31 */
    {QN_ISA_AVX512, L7_EBX, 1u << 16 | 1u << 17 | 1u << 28 | 1u << 30 | 1u << 31, XCR0_ZMM},
    {QN_ISA_AVX512VNNI, L7_ECX, 1u << 11, XCR0_ZMM},
    {QN_ISA_AVX512BF16, L7_1_EAX, 1u << 5, XCR0_ZMM},
    {QN_ISA_AVX512FP16, L7_EDX, 1u << 23, XCR0_ZMM},
    {QN_ISA_AMX, L7_EDX, 1u << 22 | 1u << 24 | 1u << 25, XCR0_TILE}, /* BF16, TILE, INT8 */
};

/* A group is of no use without these. */
static const struct {
    QnIsa group, needs;
} chain[] = {
    {QN_ISA_AVXVNNI, QN_ISA_AVX2},          {QN_ISA_AVX512, QN_ISA_AVX2},
    {QN_ISA_AVX512VNNI, QN_ISA_AVX512},     {QN_ISA_AVX512BF16, QN_ISA_AVX512VNNI},
    {QN_ISA_AVX512FP16, QN_ISA_AVX512BF16}, {QN_ISA_AMX, QN_ISA_AVX512BF16},
};

static QnCpuidRegs read_leaf(const QnCpuid *cpuid, uint32_t leaf, uint32_t subleaf)
{
    return cpuid->leaf(cpuid->user, leaf, subleaf);
}

/* The largest leaf of the basic (0) or extended (0x80000000) range;
 * 0 where there is no such range. */
static uint32_t largest_leaf(const QnCpuid *cpuid, uint32_t range)
{
    const uint32_t largest = read_leaf(cpuid, range, 0).eax;
    return largest >= range && largest < range + 0x10000 ? largest : 0;
}

static void read_features(uint32_t registers[REGISTER_COUNT], const QnCpuid *cpuid)
{
    const uint32_t largest = largest_leaf(cpuid, 0);
    memset(registers, 0, REGISTER_COUNT * sizeof *registers);
    if (largest < 7)
        return;
    const QnCpuidRegs leaf7 = read_leaf(cpuid, 7, 0);
    registers[L1_ECX] = read_leaf(cpuid, 1, 0).ecx;
    registers[L7_EBX] = leaf7.ebx;
    registers[L7_ECX] = leaf7.ecx;
    registers[L7_EDX] = leaf7.edx;
    if (leaf7.eax >= 1)
        registers[L7_1_EAX] = read_leaf(cpuid, 7, 1).eax;
}

/* Kernels count on the first palette: 8 tiles of 16 rows of 64 bytes. */
static bool has_usual_tiles(const QnCpuid *cpuid)
{
    if (largest_leaf(cpuid, 0) < 0x1d)
        return false;
    const QnCpuidRegs palette = read_leaf(cpuid, 0x1d, 1);
    return palette.ebx == (8u << 16 | 64) && (palette.ecx & 0xffff) == 16;
}

static QnIsa decode_isa(const QnCpuid *cpuid)
{
    uint32_t registers[REGISTER_COUNT];
    read_features(registers, cpuid);
    const bool has_xgetbv = registers[L1_ECX] >> 27 & 1;
    const uint64_t saved = has_xgetbv ? cpuid->xcr0(cpuid->user) : 0;

    QnIsa isa = 0, missing = 0;
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        const bool has_bits = (registers[rows[i].where] & rows[i].bits) == rows[i].bits;
        const bool is_saved = (saved & rows[i].state) == rows[i].state;
        *(has_bits && is_saved ? &isa : &missing) |= rows[i].group;
    }
    isa &= ~missing;
    if (isa & QN_ISA_AMX && !has_usual_tiles(cpuid))
        isa &= ~(QnIsa)QN_ISA_AMX;
    for (size_t i = 0; i < QN_COUNT_OF(chain); i++)
        if (!(isa & chain[i].needs))
            isa &= ~chain[i].group;
    return isa;
}

/* Leaf 4 (Intel) and leaf 0x8000001D (AMD) have one format:
 * a cache for each subleaf, ended by type 0. */
static void decode_caches(QnTuning *tuning, const QnCpuid *cpuid, uint32_t leaf)
{
    enum { DATA = 1, UNIFIED = 3, SUBLEAF_LIMIT = 16 };
    for (uint32_t i = 0; i < SUBLEAF_LIMIT; i++) {
        const QnCpuidRegs regs = read_leaf(cpuid, leaf, i);
        const uint32_t type = regs.eax & 31, level = regs.eax >> 5 & 7;
        if (type == 0)
            return;
        QnCache *cache = level == 1 ? &tuning->l1d : level == 2 ? &tuning->l2 : &tuning->l3;
        if ((type != DATA && type != UNIFIED) || level < 1 || level > 3)
            continue;
        const size_t line = (regs.ebx & 0xfff) + 1, parts = (regs.ebx >> 12 & 0x3ff) + 1;
        const size_t ways = (regs.ebx >> 22) + 1, sets = (size_t)regs.ecx + 1;
        *cache = (QnCache){.size_bytes = line * parts * ways * sets,
                           .ways = (int)ways,
                           .line_bytes = (int)line,
                           .sharing_count = (int)(regs.eax >> 14 & 0xfff) + 1};
    }
}

static void decode_model_name(char model[49], const QnCpuid *cpuid)
{
    char text[49] = {0};
    if (largest_leaf(cpuid, 0x80000000) >= 0x80000004)
        for (uint32_t i = 0; i < 3; i++) {
            const QnCpuidRegs regs = read_leaf(cpuid, 0x80000002 + i, 0);
            memcpy(text + 16 * (size_t)i, &regs, sizeof regs);
        }
    /* Some are padded with spaces on the left, some on the right. */
    const char *start = text + strspn(text, " ");
    size_t length = strlen(start);
    while (length && start[length - 1] == ' ')
        length--;
    memcpy(model, start, length);
    model[length] = 0;
}

static QnFact fact(bool is_known, bool is_so)
{
    return !is_known ? QN_FACT_UNKNOWN : is_so ? QN_FACT_YES : QN_FACT_NO;
}

void qn_cpuid_decode(QnCpu *cpu, const QnCpuid *cpuid)
{
    *cpu = (QnCpu){0};
    const QnCpuidRegs leaf0 = read_leaf(cpuid, 0, 0), leaf1 = read_leaf(cpuid, 1, 0);
    memcpy(cpu->vendor, &leaf0.ebx, 4);
    memcpy(cpu->vendor + 4, &leaf0.edx, 4);
    memcpy(cpu->vendor + 8, &leaf0.ecx, 4);
    decode_model_name(cpu->model, cpuid);
    cpu->is_virtual = leaf1.ecx >> 31;
    cpu->present = decode_isa(cpuid);

    const bool is_intel = !strcmp(cpu->vendor, "GenuineIntel");
    const bool is_amd =
        !strcmp(cpu->vendor, "AuthenticAMD") || !strcmp(cpu->vendor, "HygonGenuine");
    const bool has_amd_caches = read_leaf(cpuid, 0x80000000, 0).eax >= 0x8000001d &&
                                read_leaf(cpuid, 0x80000001, 0).ecx >> 22 & 1; /* TOPOEXT */
    if (is_amd && has_amd_caches)
        decode_caches(&cpu->tuning, cpuid, 0x8000001d);
    else if (!is_amd && largest_leaf(cpuid, 0) >= 4)
        decode_caches(&cpu->tuning, cpuid, 4);

    const uint32_t base_family = leaf1.eax >> 8 & 15;
    const uint32_t family = base_family == 15 ? base_family + (leaf1.eax >> 20 & 255) : base_family;
    cpu->tuning.gather_is_slow = fact(is_intel || is_amd, is_amd && family <= FAMILY_ZEN4);
    cpu->tuning.denormals_are_slow = fact(is_intel || is_amd, is_intel);
}
