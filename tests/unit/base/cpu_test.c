/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cpu.h"

#include <errno.h>

#include "base/cpuid.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"

/* A described processor: the leaves that matter, everything else reads as 0. */
typedef struct Leaf {
    uint32_t leaf, subleaf;
    QnCpuidRegs regs;
} Leaf;

typedef struct Machine {
    const char *name;
    uint64_t xcr0;
    Leaf leaves[16];
} Machine;

static QnCpuidRegs read_leaf(void *user, uint32_t leaf, uint32_t subleaf)
{
    const Machine *machine = user;
    for (size_t i = 0; i < QN_COUNT_OF(machine->leaves); i++)
        if (machine->leaves[i].leaf == leaf && machine->leaves[i].subleaf == subleaf)
            return machine->leaves[i].regs;
    return (QnCpuidRegs){0};
}

static uint64_t read_xcr0(void *user)
{
    return ((const Machine *)user)->xcr0;
}

static QnCpu decode(const Machine *machine)
{
    Machine copy = *machine;
    const QnCpuid cpuid = {&copy, read_leaf, read_xcr0};
    QnCpu cpu;
    qn_cpuid_decode(&cpu, &cpuid);
    return cpu;
}

enum {
    XSAVED_AVX = 0x7,
    XSAVED_AVX512 = 0xe7,
    XSAVED_TILES = 0x600e7,
    AVX_BITS = 0x38001000, /* leaf 1 ECX: FMA, OSXSAVE, AVX, F16C */
    AVX2_BITS = 0x128,     /* leaf 7 EBX: BMI1, AVX2, BMI2 */
    VNNI_BIT = 1 << 11,    /* leaf 7 ECX */
    FP16_BIT = 1 << 23,    /* leaf 7 EDX */
    AMX_BITS = 0x3400000   /* leaf 7 EDX: BF16, TILE, INT8 */
};
#define AVX512_BITS 0xd0030000u /* leaf 7 EBX: F, DQ, CD, BW, VL */
#define INTEL                                        \
    {                                                \
        0, 0,                                        \
        {                                            \
            0x20, 0x756e6547, 0x6c65746e, 0x49656e69 \
        }                                            \
    }
#define AMD                                          \
    {                                                \
        0, 0,                                        \
        {                                            \
            0x10, 0x68747541, 0x444d4163, 0x69746e65 \
        }                                            \
    }
#define TILES                      \
    {                              \
        0x1d, 1,                   \
        {                          \
            0, 8 << 16 | 64, 16, 0 \
        }                          \
    }

static const Machine old = {
    "without AVX",
    0,
    {{0, 0, {0x7, 0x756e6547, 0x6c65746e, 0x49656e69}}, {1, 0, {0x106a5, 0, 0, 0}}}};
static const Machine haswell = {
    "Haswell",
    XSAVED_AVX,
    {INTEL, {1, 0, {0x306c3, 0, AVX_BITS, 0}}, {7, 0, {0, AVX2_BITS, 0, 0}}}};
static const Machine alder_lake = {"Alder Lake",
                                   XSAVED_AVX,
                                   {INTEL,
                                    {1, 0, {0x90672, 0, AVX_BITS, 0}},
                                    {7, 0, {1, AVX2_BITS, 0, 0}},
                                    {7, 1, {1 << 4, 0, 0, 0}}}};
static const Machine zen4 = {
    "Zen 4",
    XSAVED_AVX512,
    {AMD,
     {1, 0, {0xa10f11, 0, AVX_BITS, 0}},
     {7, 0, {1, AVX512_BITS | AVX2_BITS, VNNI_BIT, 0}},
     {7, 1, {1 << 5, 0, 0, 0}},
     {0x80000000, 0, {0x80000028, 0, 0, 0}},
     {0x80000001, 0, {0, 0, 1 << 22, 0}},
     {0x80000002, 0, {0x20444d41, 0x59425945, 0, 0}},
     {0x8000001d, 0, {0x4121, 0x1c0003f, 63, 0}},       /* L1 data: 8 ways, 64 sets, 2 threads */
     {0x8000001d, 1, {0x4122, 0x1c0003f, 63, 0}},       /* L1 instructions */
     {0x8000001d, 2, {0x4143, 0x1c0003f, 2047, 0}},     /* L2: 1 MiB */
     {0x8000001d, 3, {0x3c163, 0x3c0003f, 32767, 0}}}}; /* L3: 16 ways, 32 MiB, 16 threads */
static const Machine sapphire_rapids = {
    "Sapphire Rapids",
    XSAVED_TILES,
    {INTEL,
     {1, 0, {0x806f8, 0, AVX_BITS | 1u << 31, 0}},
     {4, 0, {0x4121, 0x2c0003f, 63, 0}}, /* L1 data: 12 ways, 48 KiB */
     {7, 0, {1, AVX512_BITS | AVX2_BITS, VNNI_BIT, FP16_BIT | AMX_BITS}},
     {7, 1, {1 << 4 | 1 << 5, 0, 0, 0}},
     TILES}};

TEST(levels_follow_from_bits_and_saved_state)
{
    static const struct {
        const Machine *machine;
        uint64_t xcr0;
        const char *level;
    } rows[] = {
        {&old, 0, "none"},
        {&haswell, XSAVED_AVX, "avx2"},
        {&haswell, 1, "none"}, /* the system saves no YMM registers */
        {&alder_lake, XSAVED_AVX, "avx2vnni"},
        {&zen4, XSAVED_AVX512, "avx512bf16"},
        {&zen4, XSAVED_AVX, "avx2"}, /* nor ZMM registers */
        {&sapphire_rapids, XSAVED_TILES, "amx"},
        {&sapphire_rapids, XSAVED_AVX512, "avx512fp16"}, /* nor tiles */
        {&sapphire_rapids, XSAVED_AVX, "avx2vnni"},
        {&sapphire_rapids, 0, "none"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        Machine machine = *rows[i].machine;
        machine.xcr0 = rows[i].xcr0;
        const char *got = qn_isa_level_name(decode(&machine).present);
        EXPECT(t, !strcmp(got, rows[i].level), "%s with state %llx is %s", machine.name,
               (unsigned long long)rows[i].xcr0, got);
    }
}

/* A hypervisor can hide any single bit: the group is gone, and what builds on it. */
TEST(a_group_needs_all_its_bits)
{
    for (int bit = 0; bit < 32; bit++) {
        const uint32_t mask = 1u << bit;
        Machine machine = sapphire_rapids;
        if (!((AVX512_BITS | AVX2_BITS) & mask))
            continue;
        machine.leaves[3].regs.ebx &= ~mask;
        const QnIsa isa = decode(&machine).present;
        EXPECT(t, !(isa & (QN_ISA_AVX512 | QN_ISA_AVX512VNNI | QN_ISA_AMX)), "without bit %d: %x",
               bit, isa);
        EXPECT(t, !(isa & QN_ISA_AVX2) == ((AVX2_BITS & mask) != 0), "without bit %d: %x", bit,
               isa);
    }
}

TEST(unusual_tiles_are_not_amx)
{
    Machine machine = sapphire_rapids;
    machine.leaves[5].regs.ecx = 8; /* rows */
    EXPECT(t, !(decode(&machine).present & QN_ISA_AMX), "tiles of 8 rows were accepted");
}

TEST(leaves_past_the_largest_are_not_believed)
{
    Machine machine = zen4;
    machine.leaves[0].regs.eax = 1;
    EXPECT(t, decode(&machine).present == 0, "leaf 7 was read");
    machine = zen4;
    machine.leaves[2].regs.eax = 0; /* no subleaf 1 */
    EXPECT(t, !(decode(&machine).present & QN_ISA_AVX512BF16), "subleaf 1 was read");
}

TEST(caches_and_facts_come_from_the_processor)
{
    const QnCpu amd = decode(&zen4), intel = decode(&sapphire_rapids);
    EXPECT(t, amd.tuning.l1d.size_bytes == 32 << 10 && amd.tuning.l1d.ways == 8, "L1 %zu",
           amd.tuning.l1d.size_bytes);
    EXPECT(t, amd.tuning.l2.size_bytes == 1 << 20, "L2 %zu", amd.tuning.l2.size_bytes);
    EXPECT(t, amd.tuning.l3.size_bytes == 32 << 20 && amd.tuning.l3.sharing_count == 16,
           "L3 %zu, shared by %d", amd.tuning.l3.size_bytes, amd.tuning.l3.sharing_count);
    EXPECT(t, intel.tuning.l1d.size_bytes == 48 << 10, "L1 %zu", intel.tuning.l1d.size_bytes);
    EXPECT(t, !strcmp(amd.vendor, "AuthenticAMD") && !strcmp(amd.model, "AMD EYBY"), "%s, %s",
           amd.vendor, amd.model);
    EXPECT(t, intel.is_virtual && !amd.is_virtual, "the hypervisor bit");
    EXPECT(t, amd.tuning.gather_is_slow == QN_FACT_YES && intel.tuning.gather_is_slow == QN_FACT_NO,
           "gather");
    EXPECT(t,
           amd.tuning.denormals_are_slow == QN_FACT_NO &&
               intel.tuning.denormals_are_slow == QN_FACT_YES,
           "denormals");
}

TEST(sysfs_is_the_second_source_of_caches)
{
    static const char *const files[][2] = {
        {"0/type", "Data\n"},           {"0/level", "1\n"}, {"0/size", "64K\n"},
        {"1/type", "Instruction\n"},    {"1/level", "1\n"}, {"1/size", "8K\n"},
        {"2/type", "Unified\n"},        {"2/level", "2\n"}, {"2/size", "3M\n"},
        {"2/shared_cpu_list", "0-1\n"},
    };
    Tree tree = tree_make();
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        char path[100];
        snprintf(path, sizeof path, "sys/devices/system/cpu/cpu0/cache/index%s", files[i][0]);
        tree_write(&tree, path, files[i][1]);
    }
    QnTuning tuning = {0};
    qn_cpu_complete_caches(&tuning, tree.root);
    EXPECT(t, tuning.l1d.size_bytes == 64 << 10, "L1 %zu", tuning.l1d.size_bytes);
    EXPECT(t, tuning.l2.size_bytes == 3 << 20 && tuning.l2.sharing_count == 2, "L2 %zu",
           tuning.l2.size_bytes);
    EXPECT(t, tuning.l3.size_bytes == 0, "L3 %zu", tuning.l3.size_bytes);
    tuning.l1d.size_bytes = 1;
    qn_cpu_complete_caches(&tuning, tree.root);
    EXPECT(t, tuning.l1d.size_bytes == 1, "the first source was overruled");
    tree_remove(&tree);
}

TEST(a_mask_only_takes_away)
{
    QnCpu all;
    QnError err;
    REQUIRE(t, qn_cpu_detect(&all, NULL, NULL, &err) == QN_OK, "%s", err.message);
    QnIsa below = 0;
    for (int i = 0; qn_isa_level(i); i++) {
        QnCpu cpu;
        REQUIRE(t, qn_cpu_detect(&cpu, NULL, qn_isa_level(i), &err) == QN_OK, "%s", err.message);
        EXPECT(t, (cpu.isa & ~all.isa) == 0, "%s added %x", qn_isa_level(i), cpu.isa & ~all.isa);
        EXPECT(t, (below & ~cpu.isa) == 0, "%s lost %x", qn_isa_level(i), below & ~cpu.isa);
        EXPECT(t, cpu.present == all.isa, "the mask changed what is present");
        below = cpu.isa;
    }
    EXPECT(t, below == all.isa, "the highest level keeps all");
}

TEST(an_unknown_level_is_an_error_that_lists_them)
{
    QnCpu cpu;
    QnError err;
    if (!QN_ARCH_X86)
        SKIP(t, "the names are those of x86-64");
    static const char *const rows[][2] = {
        {"avx3",
         "CPU level 'avx3' is none of this architecture's: none, avx2, avx2vnni, avx512, avx512vnni, "
         "avx512bf16, avx512fp16, amx"},
        {"neon",
         "CPU level 'neon' is none of this architecture's: none, avx2, avx2vnni, avx512, avx512vnni, "
         "avx512bf16, avx512fp16, amx"},
    };
    for (size_t i = 0; i < 2; i++) {
        EXPECT(t, qn_cpu_detect(&cpu, NULL, rows[i][0], &err) == QN_BAD_ARGUMENT, "status");
        EXPECT(t, !strcmp(err.message, rows[i][1]), "%s", err.message);
    }
}

TEST(levels_have_names)
{
    static const struct {
        QnIsa isa;
        const char *name;
    } rows[] = {
        {0, "none"},
        {QN_ISA_AVX2, "avx2"},
        {QN_ISA_AVX2 | QN_ISA_AVX512 | QN_ISA_AVX512VNNI, "avx512vnni"},
        {QN_ISA_NEON | QN_ISA_NEONDOT, "neondot"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        EXPECT(t, !strcmp(qn_isa_level_name(rows[i].isa), rows[i].name), "%s",
               qn_isa_level_name(rows[i].isa));
}

TEST(a_refusal_of_amx_says_why)
{
    static const struct {
        int number;
        const char *want;
    } rows[] = {
        {ENOSYS, "AMX was refused: the kernel is older than Linux 5.16"},
        {EOPNOTSUPP, "AMX was refused: the processor or its hypervisor hides tile state"},
        {EPERM, "AMX was refused: a sandbox forbids arch_prctl"},
        {ENOSPC, "AMX was refused: some thread has an alternate signal stack that is smaller than "
                 "AT_MINSIGSTKSZ asks for"},
        {EIO, "AMX was refused: Input/output error"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        QnError err;
        EXPECT(t, qn_cpu_refuse_amx(rows[i].number, &err) == QN_UNSUPPORTED, "status");
        EXPECT(t, !strcmp(err.message, rows[i].want), "%s", err.message);
    }
}

TEST(amx_is_given_only_where_it_is)
{
    QnCpu cpu;
    QnError err = {0};
    REQUIRE(t, qn_cpu_detect(&cpu, NULL, NULL, &err) == QN_OK, "%s", err.message);
    if (cpu.present & QN_ISA_AMX)
        SKIP(t, "this processor has AMX");
    EXPECT(t, qn_cpu_request_amx(&err) == QN_UNSUPPORTED, "%s", err.message);
}

TEST_MAIN(CASE(levels_follow_from_bits_and_saved_state), CASE(a_group_needs_all_its_bits),
          CASE(unusual_tiles_are_not_amx), CASE(leaves_past_the_largest_are_not_believed),
          CASE(caches_and_facts_come_from_the_processor),
          CASE(sysfs_is_the_second_source_of_caches), CASE(a_mask_only_takes_away),
          CASE(an_unknown_level_is_an_error_that_lists_them), CASE(levels_have_names),
          CASE(a_refusal_of_amx_says_why), CASE(amx_is_given_only_where_it_is))
