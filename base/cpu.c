/* SPDX-License-Identifier: Apache-2.0 */
#include "base/cpu.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/cpuid.h"
#include "base/sysfile.h"

#if QN_ARCH_X86
#    include <cpuid.h>
#endif
#if QN_ARCH_ARM
#    include <sys/auxv.h>
#endif

enum { X86 = 1, ARM = 2, HERE = QN_ARCH_X86 ? X86 : ARM };

/* Every level, lowest first within its architecture.
 * A level includes what the rows above it add. */
static const struct {
    const char *name;
    int architectures;
    QnIsa group; /* what the level adds; a processor that has it is of that level */
} levels[] = {
    {"none", X86 | ARM, QN_ISA_NONE},
    {"avx2", X86, QN_ISA_AVX2},
    {"avx2vnni", X86, QN_ISA_AVXVNNI},
    {"avx512", X86, QN_ISA_AVX512},
    {"avx512vnni", X86, QN_ISA_AVX512VNNI},
    {"avx512bf16", X86, QN_ISA_AVX512BF16},
    {"avx512fp16", X86, QN_ISA_AVX512FP16},
    {"amx", X86, QN_ISA_AMX},
    {"neon", ARM, QN_ISA_NEON},
    {"neondot", ARM, QN_ISA_NEONDOT},
    {"neonfp16", ARM, QN_ISA_NEONFP16},
    {"neoni8mm", ARM, QN_ISA_NEONI8MM},
    {"neonbf16", ARM, QN_ISA_NEONBF16},
};

const char *qn_isa_level_name(QnIsa isa)
{
    const char *name = levels[0].name;
    for (size_t i = 0; i < QN_COUNT_OF(levels); i++)
        if (isa & levels[i].group)
            name = levels[i].name;
    return name;
}

const char *qn_isa_level(int i)
{
    for (size_t row = 0; row < QN_COUNT_OF(levels); row++)
        if (levels[row].architectures & HERE && i-- == 0)
            return levels[row].name;
    return NULL;
}

/* "none, avx2, …": the levels of this architecture. */
static void print_levels(char *text, size_t size)
{
    size_t length = 0;
    text[0] = 0;
    for (int i = 0; qn_isa_level(i) && length < size; i++)
        length +=
            (size_t)snprintf(text + length, size - length, "%s%s", i ? ", " : "", qn_isa_level(i));
}

QnStatus qn_isa_mask(QnIsa *out, const char *level_name, QnError *err)
{
    QnIsa mask = 0;
    for (size_t i = 0; i < QN_COUNT_OF(levels); i++) {
        if (levels[i].architectures & HERE)
            mask |= levels[i].group;
        if (strcmp(levels[i].name, level_name) != 0)
            continue;
        if (!(levels[i].architectures & HERE))
            break;
        *out = mask;
        return QN_OK;
    }
    char names[200];
    print_levels(names, sizeof names);
    return qn_fail(err, QN_BAD_ARGUMENT, "CPU level '%s' is none of this architecture's: %s",
                   level_name, names);
}

#if QN_ARCH_X86
static QnCpuidRegs run_cpuid(QN_UNUSED void *user, uint32_t leaf, uint32_t subleaf)
{
    QnCpuidRegs regs = {0};
    __cpuid_count(leaf, subleaf, regs.eax, regs.ebx, regs.ecx, regs.edx);
    return regs;
}

/* The instruction by hand: the intrinsic would need the compiler's -mxsave. */
static uint64_t run_xgetbv(QN_UNUSED void *user)
{
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

static void look(QnCpu *cpu)
{
    const QnCpuid cpuid = {NULL, run_cpuid, run_xgetbv};
    qn_cpuid_decode(cpu, &cpuid);
}
#elif QN_ARCH_ARM
/* The kernel's bits, by value: older headers lack the later ones. */
static void look(QnCpu *cpu)
{
    static const struct {
        unsigned long which, bits;
        QnIsa group;
    } rows[] = {
        {AT_HWCAP, 1ul << 1, QN_ISA_NEON},       {AT_HWCAP, 1ul << 20, QN_ISA_NEONDOT},
        {AT_HWCAP, 1ul << 10, QN_ISA_NEONFP16},  {AT_HWCAP2, 1ul << 13, QN_ISA_NEONI8MM},
        {AT_HWCAP2, 1ul << 14, QN_ISA_NEONBF16},
    };
    *cpu = (QnCpu){.vendor = "ARM", .tuning.denormals_are_slow = QN_FACT_NO};
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++)
        if ((getauxval(rows[i].which) & rows[i].bits) == rows[i].bits)
            cpu->present |= rows[i].group;
}
#else
#    error "quern knows x86-64 and 64-bit ARM"
#endif

/* A number in a file of /sys/devices/system/cpu/cpu0/cache/index<i>, 0 where there is none;
 * "32K" is 32768. */
static int64_t read_cache_number(const char *root, int i, const char *file)
{
    char text[64];
    const char *unit;
    int64_t value;
    if (!qn_sysfile_read(text, sizeof text, root, "/sys/devices/system/cpu/cpu0/cache/index%d/%s",
                         i, file) ||
        !qn_sysfile_number(&value, text, &unit) || value < 0 || value > 1 << 30)
        return 0;
    return value << (*unit == 'K' ? 10 : *unit == 'M' ? 20 : 0);
}

/* The second source of cache sizes.  False past the last cache; level 0 for one of instructions. */
static bool read_sysfs_cache(QnCache *cache, int64_t *level, const char *root, int i)
{
    static const char folder[] = "/sys/devices/system/cpu/cpu0/cache/index";
    char text[256];
    QnCpuSet sharing = {0};
    if (!qn_sysfile_read(text, sizeof text, root, "%s%d/type", folder, i))
        return false;
    *level = strcmp(text, "Instruction") ? read_cache_number(root, i, "level") : 0;
    if (qn_sysfile_read(text, sizeof text, root, "%s%d/shared_cpu_list", folder, i))
        (void)qn_cpu_set_parse(&sharing, text);
    *cache = (QnCache){.size_bytes = (size_t)read_cache_number(root, i, "size"),
                       .ways = (int)read_cache_number(root, i, "ways_of_associativity"),
                       .line_bytes = (int)read_cache_number(root, i, "coherency_line_size"),
                       .sharing_count = qn_cpu_set_count(&sharing)};
    return true;
}

void qn_cpu_complete_caches(QnTuning *tuning, const char *root)
{
    enum { INDEX_LIMIT = 16 };
    QnCache *const of_level[] = {NULL, &tuning->l1d, &tuning->l2, &tuning->l3};
    QnCache cache;
    int64_t level;
    for (int i = 0; i < INDEX_LIMIT && read_sysfs_cache(&cache, &level, root, i); i++)
        if (level >= 1 && level <= 3 && of_level[level]->size_bytes == 0)
            *of_level[level] = cache;
}

QnStatus qn_cpu_detect(QnCpu *out, const char *root, const char *mask, QnError *err)
{
    QnIsa kept = ~(QnIsa)0;
    if (mask && mask[0])
        QN_TRY(qn_isa_mask(&kept, mask, err));
    look(out);
    out->isa = out->present & kept;
    qn_cpu_complete_caches(&out->tuning, root);
    return QN_OK;
}

QnStatus qn_cpu_refuse_amx(int error_number, QnError *err)
{
    static const struct {
        int number;
        const char *reason;
    } rows[] = {
        {EINVAL, "the kernel is older than Linux 5.16 or built without tile state"},
        {ENOSYS, "the kernel is older than Linux 5.16"},
        {EOPNOTSUPP, "the processor or its hypervisor hides tile state"},
        {EPERM, "a sandbox forbids arch_prctl"},
        {ENOSPC,
         "some thread has an alternate signal stack that is smaller than AT_MINSIGSTKSZ asks for"},
    };
    const char *reason = strerror(error_number);
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++)
        if (rows[i].number == error_number)
            reason = rows[i].reason;
    return qn_fail(err, QN_UNSUPPORTED, "AMX was refused: %s", reason);
}

QnStatus qn_cpu_request_amx(QnError *err)
{
#if QN_ARCH_X86
    enum { REQUEST_PERMISSION = 0x1023, TILE_DATA = 18 };
    QnCpu cpu;
    look(&cpu);
    if (!(cpu.present & QN_ISA_AMX))
        return qn_cpu_refuse_amx(EOPNOTSUPP, err);
    return syscall(SYS_arch_prctl, REQUEST_PERMISSION, TILE_DATA) == 0
               ? QN_OK
               : qn_cpu_refuse_amx(errno, err);
#else
    return qn_fail(err, QN_UNSUPPORTED, "AMX was refused: this is not an x86-64 processor");
#endif
}
