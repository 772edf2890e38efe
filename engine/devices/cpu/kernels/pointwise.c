/* SPDX-License-Identifier: Apache-2.0 */
/* Pointwise programs: from instructions to strip functions,
 * and from shapes to walks over memory. */
#include "engine/devices/cpu/kernels/pointwise.h"

#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "engine/devices/cpu/kernels/pointwise_fuse.h"
#include "engine/devices/cpu/kernels/rows.h"
#if QN_ARCH_X86
#    include "engine/devices/cpu/kernels/x86/pointwise_x86.h"
#endif

const QnPointwiseVariant qn_pointwise_variants[] = {
#if QN_ARCH_X86
    {"pointwise_f32_avx512", QN_ISA_AVX2 | QN_ISA_AVX512, qn_pointwise_f32_avx512},
    {"pointwise_f32_avx2", QN_ISA_AVX2, qn_pointwise_f32_avx2},
#endif
    {"pointwise_c", QN_ISA_NONE, NULL},
};
const int qn_pointwise_variant_count = (int)QN_COUNT_OF(qn_pointwise_variants);

const QnPointwiseVariant *qn_pointwise_pick(QnIsa have)
{
    const QnPointwiseVariant *variant = qn_pointwise_variants;
    while ((variant->needs & have) != variant->needs)
        variant++;
    return variant;
}

/* What the list in opcode.h says of each instruction. */
typedef enum Takes { TAKES_ANY, TAKES_FLOAT, TAKES_INT, TAKES_BOOL, TAKES_COPY } Takes;
typedef enum Makes { MAKES_SAME, MAKES_BOOL, MAKES_CAST } Makes;
static const struct CodeInfo {
    const char *name;
    uint8_t operand_count, takes, makes;
} codes[QN_CODE_COUNT] = {
#define CODE_INFO(name, operands, takes, makes, text, what) \
    {text, operands, TAKES_##takes, MAKES_##makes},
    QN_CODE_MAP(CODE_INFO)
#undef CODE_INFO
};

/* A program while it is made. */
typedef struct Maker {
    QnPointwise *program;
    const QnPointwiseSpec *spec;
    const QnPointwiseVariant *variant;
    QnIsa have;
    uint8_t families[QN_POINTWISE_REGISTERS]; /* what each register holds now; NONE: nothing yet */
    QnError *err;
} Maker;

static QnStatus add_inputs(Maker *maker)
{
    QnPointwise *p = maker->program;
    const QnPointwiseSpec *spec = maker->spec;
    memset(maker->families, QN_FAMILY_NONE, sizeof maker->families);
    for (int i = 0; i < spec->input_count; i++) {
        const QnType type = spec->input_types[i];
        const QnFamily family = qn_family_of(type);
        if (family == QN_FAMILY_NONE)
            return qn_fail(maker->err, QN_UNSUPPORTED, "pointwise input %d has elements of %s", i,
                           qn_type_name(type));
        maker->families[i] = (uint8_t)family;
        p->register_sizes[i] = (uint8_t)qn_family_size(family);
        p->input_sizes[i] = (uint8_t)qn_type_size(type);
        if (family == QN_FAMILY_F32 && type != QN_FLOAT)
            p->load[i] = qn_convert_find(QN_FLOAT, type);
    }
    return QN_OK;
}

/* The slot of an immediate, repeated over 64 bytes;
 * equal ones share it.  -1: there are too many. */
static int add_immediate(Maker *maker, double value, QnFamily family)
{
    QnPointwise *p = maker->program;
    const int size = qn_family_size(family);
    char element[16], repeated[64];
    qn_convert_row(qn_family_type(family), element, QN_DOUBLE, &value, 1);
    qn_fill_row(repeated, element, 64 / size, size);
    for (int i = 0; i < p->immediate_count; i++)
        if (!memcmp(p->immediates[i], repeated, 64))
            return i;
    if (p->immediate_count == QN_POINTWISE_IMMEDIATES)
        return -1;
    memcpy(p->immediates[p->immediate_count], repeated, 64);
    return p->immediate_count++;
}

/* The family that all operands of an instruction have, but for SELECT's condition;
 * NONE where they differ. */
static QnFamily common_family(const Maker *maker, const QnInstruction *in)
{
    const uint8_t operands[3] = {in->a, in->b, in->c};
    int family = -1;
    const int count = codes[in->code].operand_count;
    assert(count <= 3);
    for (int i = in->code == QN_CODE_SELECT; i < count; i++) {
        if (operands[i] == QN_IMMEDIATE)
            continue;
        const int found =
            operands[i] < QN_POINTWISE_REGISTERS ? maker->families[operands[i]] : QN_FAMILY_NONE;
        if (found == QN_FAMILY_NONE || (family >= 0 && family != found))
            return QN_FAMILY_NONE;
        family = found;
    }
    return family < 0 ? QN_FAMILY_NONE : (QnFamily)family;
}

static bool takes_family(Takes takes, QnFamily family)
{
    const bool is_float = family == QN_FAMILY_F32 || family == QN_FAMILY_F64;
    return takes == TAKES_FLOAT ? is_float
           : takes == TAKES_INT ? !is_float
                                : takes != TAKES_BOOL || family == QN_FAMILY_U8;
}

static QnStatus set_operands(Maker *maker, QnPointwiseCode *code, const QnInstruction *in,
                             QnFamily family)
{
    const uint8_t operands[3] = {in->a, in->b, in->c};
    const int count = code->operand_count;
    assert(count <= 3);
    for (int i = 0; i < count; i++) {
        const bool is_condition = in->code == QN_CODE_SELECT && i == 0;
        if (operands[i] == QN_IMMEDIATE) {
            const int slot =
                add_immediate(maker, in->immediate, is_condition ? QN_FAMILY_U8 : family);
            if (slot < 0)
                return qn_fail(maker->err, QN_UNSUPPORTED,
                               "pointwise program has more than %d immediates",
                               QN_POINTWISE_IMMEDIATES);
            code->operands[i] = (uint8_t)(QN_POINTWISE_REGISTERS + slot);
            continue;
        }
        if (is_condition &&
            (operands[i] >= QN_POINTWISE_REGISTERS || maker->families[operands[i]] != QN_FAMILY_U8))
            return qn_fail(maker->err, QN_BAD_ARGUMENT,
                           "pointwise condition in register %d is no bool", operands[i]);
        code->operands[i] = operands[i];
    }
    return QN_OK;
}

static QnFamily made_family(const QnInstruction *in, QnFamily taken)
{
    switch (codes[in->code].makes) {
    case MAKES_BOOL:
        return QN_FAMILY_U8;
    case MAKES_CAST:
        return qn_family_of((QnType)in->type);
    default:
        return taken;
    }
}

static void write_register(Maker *maker, uint8_t r, QnFamily made)
{
    QnPointwise *p = maker->program;
    const uint8_t size = (uint8_t)qn_family_size(made);
    maker->families[r] = (uint8_t)made;
    if (p->register_sizes[r] < size)
        p->register_sizes[r] = size;
    if (p->register_count <= r)
        p->register_count = r + 1;
}

static QnStatus add_code(Maker *maker, const QnInstruction *in)
{
    QnPointwise *p = maker->program;
    if (in->code >= QN_CODE_COUNT || in->out < p->input_count || in->out >= QN_POINTWISE_REGISTERS)
        return qn_fail(maker->err, QN_BAD_ARGUMENT, "pointwise instruction %d writes register %d",
                       in->code, in->out);
    const struct CodeInfo *info = &codes[in->code];
    const QnFamily family = common_family(maker, in);
    const QnFamily made = family == QN_FAMILY_NONE ? family : made_family(in, family);
    if (made == QN_FAMILY_NONE || !takes_family((Takes)info->takes, family))
        return qn_fail(maker->err, QN_BAD_ARGUMENT,
                       "pointwise %s has operands of no or of different types", info->name);
    QnPointwiseCode *code = &p->code[p->code_count++];
    *code = (QnPointwiseCode){.out = in->out,
                              .operand_count = info->operand_count,
                              .output = -1,
                              .out_size = (uint8_t)qn_family_size(made),
                              .name = info->name,
                              .variant = "pointwise_c"};
    QN_TRY(set_operands(maker, code, in, family));
    if (in->code == QN_CODE_CAST) {
        code->cast_to = in->type;
        code->cast_from = (uint8_t)qn_family_type(family);
        code->convert =
            qn_convert_pick((QnType)code->cast_to, (QnType)code->cast_from, maker->have);
    } else {
        if (family == QN_FAMILY_F32 && maker->variant->f32)
            code->run = maker->variant->f32[in->code];
        if (code->run)
            code->variant = maker->variant->name;
        else
            code->run = qn_pointwise_portable((QnCode)in->code, family);
        if (!code->run)
            return qn_fail(maker->err, QN_UNSUPPORTED, "pointwise %s of %s", info->name,
                           qn_type_name(qn_family_type(family)));
    }
    write_register(maker, in->out, made);
    return QN_OK;
}

/* Several instructions as one; 0 of them where they are none that a variant does so, or there is no
 * room for what they need. */
static int add_fused(Maker *maker, int first)
{
    QnPointwise *p = maker->program;
    if (!maker->variant->f32)
        return 0;
    const QnPointwiseFusion f = qn_pointwise_fuse(maker->spec, first, maker->families);
    if (!f.count || f.out < p->input_count || f.out >= QN_POINTWISE_REGISTERS)
        return 0;
    const int zero = add_immediate(maker, f.zero, QN_FAMILY_F32),
              scale = add_immediate(maker, f.scale, QN_FAMILY_F32);
    if (zero < 0 || scale < 0)
        return 0;
    const QnFamily made = f.strip == QN_STRIP_TO_U8   ? QN_FAMILY_U8
                          : f.strip == QN_STRIP_TO_I8 ? QN_FAMILY_I8
                                                      : QN_FAMILY_F32;
    p->code[p->code_count++] =
        (QnPointwiseCode){.run = maker->variant->f32[f.strip],
                          .out = f.out,
                          .operand_count = 3,
                          .operands = {f.x, (uint8_t)(QN_POINTWISE_REGISTERS + zero),
                                       (uint8_t)(QN_POINTWISE_REGISTERS + scale)},
                          .output = -1,
                          .out_size = (uint8_t)qn_family_size(made),
                          .name = made == QN_FAMILY_F32 ? "dequantize" : "quantize",
                          .variant = maker->variant->name};
    write_register(maker, f.out, made);
    return f.count;
}

static QnStatus add_outputs(Maker *maker)
{
    QnPointwise *p = maker->program;
    const QnPointwiseSpec *spec = maker->spec;
    for (int i = 0; i < spec->output_count; i++) {
        const QnType type = spec->output_types[i];
        const QnFamily family = qn_family_of(type);
        const uint8_t from = spec->outputs[i];
        if (from < p->input_count || from >= QN_POINTWISE_REGISTERS ||
            maker->families[from] != family || family == QN_FAMILY_NONE)
            return qn_fail(maker->err, QN_BAD_ARGUMENT,
                           "pointwise output %d of %s does not fit register %d", i,
                           qn_type_name(type), from);
        p->outputs[i] = from;
        p->output_sizes[i] = (uint8_t)qn_type_size(type);
        if (family == QN_FAMILY_F32 && type != QN_FLOAT)
            p->store[i] = qn_convert_find(type, QN_FLOAT);
    }
    return QN_OK;
}

/*
 * The last instruction to write an output's register writes to the output itself, unless a later
 * one still reads an input: the output may lie where that input was.
 */
static void find_direct_outputs(QnPointwise *p)
{
    for (int i = 0; i < p->output_count; i++) {
        int last = -1, last_read = -1;
        for (int k = 0; k < p->code_count; k++) {
            if (p->code[k].out == p->outputs[i])
                last = k;
            for (int j = 0; j < p->code[k].operand_count; j++)
                if (p->code[k].operands[j] < p->input_count)
                    last_read = k;
        }
        if (!p->store[i] && last >= last_read && p->code[last].output < 0)
            p->code[last].output = (int8_t)i;
    }
}

/* As many elements as the scratch memory has room for in every register,
 * in whole vectors of any type. */
static void place_registers(QnPointwise *p)
{
    enum { UNIT = 64, LONGEST = 1024 };
    int bytes = 0;
    for (int i = 0; i < p->register_count; i++)
        bytes += p->register_sizes[i];
    const int room = QN_POINTWISE_SCRATCH - QN_POINTWISE_REGISTERS * UNIT;
    const int most = bytes ? room / bytes / UNIT * UNIT : LONGEST;
    p->strip = most < LONGEST ? most : LONGEST;
    int offset = 0;
    for (int i = 0; i < p->register_count; i++) {
        p->offsets[i] = offset;
        offset += p->register_sizes[i] * p->strip +
                  UNIT; /* apart from multiples of 4 KiB, which caches confuse */
    }
}

QnStatus qn_pointwise_init(QnPointwise *out, const QnPointwiseSpec *spec, QnIsa have, QnError *err)
{
    if (spec->input_count < 0 || spec->input_count > QN_POINTWISE_INPUTS ||
        spec->output_count < 1 || spec->output_count > QN_POINTWISE_OUTPUTS ||
        spec->code_count > QN_POINTWISE_CODES)
        return qn_fail(err, QN_UNSUPPORTED,
                       "pointwise program of %d inputs, %d instructions, %d outputs",
                       spec->input_count, spec->code_count, spec->output_count);
    *out = (QnPointwise){.input_count = spec->input_count,
                         .output_count = spec->output_count,
                         .register_count = spec->input_count};
    Maker maker = {
        .program = out, .spec = spec, .variant = qn_pointwise_pick(have), .have = have, .err = err};
    QN_TRY(add_inputs(&maker));
    for (int i = 0; i < spec->code_count;) {
        const int fused = add_fused(&maker, i);
        if (!fused)
            QN_TRY(add_code(&maker, &spec->code[i]));
        i += fused ? fused : 1;
    }
    QN_TRY(add_outputs(&maker));
    find_direct_outputs(out);
    place_registers(out);
    return QN_OK;
}

/* May dimension `outer` and the one after it be walked as one, by every tensor? */
static bool can_merge(const int64_t *const *strides, int tensor_count, int outer, int inner,
                      int64_t inner_size)
{
    for (int t = 0; t < tensor_count; t++)
        if (strides[t][outer] != strides[t][inner] * inner_size)
            return false;
    return true;
}

static QnPointwiseWalk walk_of(const QnPointwiseShape *shape, const int64_t *strides, int64_t size)
{
    const int last = shape->rank - 1, first = shape->spans_rows ? 0 : last;
    bool is_row = true, is_repeated = true;
    int64_t expected = size;
    for (int d = last; d >= first; d--) {
        is_row = is_row && strides[d] == expected;
        is_repeated = is_repeated && strides[d] == 0;
        expected *= shape->dims[d];
    }
    return is_row ? QN_WALK_ROW : is_repeated ? QN_WALK_REPEATED : QN_WALK_STRIDED;
}

void qn_pointwise_bind(QnPointwiseShape *out, const QnPointwise *program, int rank,
                       const int64_t *dims, const int64_t *const *strides)
{
    enum {
        SHORT_ROW = 128
    }; /* below, the loops of a strip are too short for what starting them costs */
    const int inputs = program->input_count, tensors = inputs + program->output_count;
    *out = (QnPointwiseShape){.rank = 0, .count = 1};
    int source = -1; /* the dimension that became the last of `out` */
    for (int d = 0; d < rank; d++) {
        out->count *= dims[d];
        if (dims[d] == 1)
            continue;
        const bool merged = out->rank > 0 && can_merge(strides, tensors, source, d, dims[d]);
        const int at = merged ? out->rank - 1 : out->rank++;
        out->dims[at] = merged ? out->dims[at] * dims[d] : dims[d];
        for (int t = 0; t < tensors; t++)
            *(t < inputs ? &out->input_strides[t][at] : &out->output_strides[t - inputs][at]) =
                strides[t][d];
        source = d;
    }
    if (out->rank == 0) { /* one element; its strides do not matter */
        out->rank = 1;
        out->dims[0] = 1;
    }
    out->spans_rows = out->rank > 1 && out->dims[out->rank - 1] < SHORT_ROW;
    for (int t = 0; t < inputs; t++)
        out->input_walks[t] = (uint8_t)walk_of(out, out->input_strides[t], program->input_sizes[t]);
    for (int t = 0; t < program->output_count; t++)
        out->output_walks[t] =
            (uint8_t)walk_of(out, out->output_strides[t], program->output_sizes[t]);
}
