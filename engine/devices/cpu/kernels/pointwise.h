/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pointwise programs: chains of elementwise operators with NumPy broadcasting, computed in one pass
 * over memory.
 *
 *     program = inputs, instructions (engine/ops/opcode.h), outputs
 *
 * An interpreter runs the program strip by strip: up to a thousand elements at a time in registers
 * that stay in the first cache, each instruction a tight loop over the strip.  A program is made
 * once, when a plan is built; its shape is bound when shapes are known; a run works on a range of
 * elements, so that callers may share one among threads.
 *
 * Types: the families of families.h.  Small floats are inputs and outputs that compute as float;
 * small integers compute as int8 or uint8; bool as uint8.
 *
 * Memory: any strides that are multiples of the element's alignment, 0 and negative ones too.  An
 * output may be one of the inputs if both have the same type and strides; otherwise outputs overlap
 * nothing.  Nothing outside the tensors is read or written.  Results do not depend on the range or
 * on the strips.
 */
#ifndef QN_KERNELS_POINTWISE_H
#define QN_KERNELS_POINTWISE_H

#include "base/cpu.h"
#include "base/error.h"
#include "engine/devices/cpu/kernels/convert.h"
#include "engine/ops/opcode.h"

enum {
    QN_POINTWISE_INPUTS = 8,
    QN_POINTWISE_OUTPUTS = 4,
    QN_POINTWISE_REGISTERS = 24, /* inputs included */
    QN_POINTWISE_CODES = 48,
    QN_POINTWISE_IMMEDIATES = 16,   /* that differ */
    QN_POINTWISE_SCRATCH = 26 << 10 /* bytes of strips, on the stack of a run */
};

/* What a program is made from; nothing of it is kept. */
typedef struct QnPointwiseSpec {
    int input_count;
    QnType input_types[QN_POINTWISE_INPUTS];
    int code_count;
    const QnInstruction *code; /* [code_count] */
    int output_count;          /* at least 1 */
    QnType output_types[QN_POINTWISE_OUTPUTS];
    uint8_t outputs[QN_POINTWISE_OUTPUTS]; /* the registers they come from */
} QnPointwiseSpec;

/* An operand on one strip: element i is at data + i * step, in elements, step 0 or 1.  Where step
   is 0 the element is repeated over 64 bytes, so that vectors load it as they load others. */
typedef struct QnStripOperand {
    const void *data;
    int64_t step;
} QnStripOperand;

/* One instruction on one strip of n elements; `out` may be any of the operands that has step 1. */
typedef void QnStripFn(int64_t n, void *out, const QnStripOperand *operands);

/*
 * What variants do at once where a program says it by several instructions; operands are x, and a
 * zero point and a scale that are repeated floats.
 *
 *     FROM   (x - zero) * scale        TO   clamp(round(x / scale) + zero)
 */
enum {
    QN_STRIP_FROM_U8 = QN_CODE_COUNT,
    QN_STRIP_FROM_I8,
    QN_STRIP_TO_U8,
    QN_STRIP_TO_I8,
    QN_STRIP_COUNT
};

/* The strip functions of one ISA for floats; NULL where it has none and the portable one serves. */
typedef struct QnPointwiseVariant {
    const char *name;
    QnIsa needs;
    QnStripFn *const *f32; /* [QN_STRIP_COUNT] */
} QnPointwiseVariant;

/* Fastest first; the last needs nothing. */
extern const QnPointwiseVariant qn_pointwise_variants[];
extern const int qn_pointwise_variant_count;
const QnPointwiseVariant *qn_pointwise_pick(QnIsa have);

typedef struct QnPointwiseCode {
    QnStripFn *run;       /* NULL: a cast */
    QnConvertFn *convert; /* of a cast between two types that compute; else NULL */
    uint8_t out, operand_count;
    uint8_t operands[3];        /* registers; QN_POINTWISE_REGISTERS + i: immediate i */
    uint8_t cast_to, cast_from; /* QnTypes */
    int8_t output;       /* writes straight to this output where that is contiguous; -1: none */
    uint8_t out_size;    /* of what it makes, bytes */
    const char *name;    /* of the instruction */
    const char *variant; /* of the table row that `run` is from */
} QnPointwiseCode;

typedef struct QnPointwise {
    int input_count, output_count, register_count, code_count, immediate_count;
    int strip; /* elements */
    uint8_t input_sizes[QN_POINTWISE_INPUTS],
        output_sizes[QN_POINTWISE_OUTPUTS];         /* of elements in memory */
    uint8_t register_sizes[QN_POINTWISE_REGISTERS]; /* the largest it ever holds */
    uint8_t outputs[QN_POINTWISE_OUTPUTS];
    QnConvertFn *load[QN_POINTWISE_INPUTS];   /* NULL: as it is */
    QnConvertFn *store[QN_POINTWISE_OUTPUTS]; /* NULL: as it is */
    int32_t
        offsets[QN_POINTWISE_REGISTERS]; /* of each register's strip in the scratch memory, bytes */
    QnPointwiseCode code[QN_POINTWISE_CODES];
    QN_ALIGNED(64) char immediates[QN_POINTWISE_IMMEDIATES][64]; /* each repeated */
} QnPointwise;

/*
 * Makes a program; `have` says what the CPU offers.  The program is immutable from then on, any
 * threads may share it.
 *
 * QN_UNSUPPORTED where the program needs more of something than the limits above; QN_BAD_ARGUMENT
 * where it is not well formed: a register read before it is written, types that do not fit.
 */
QnStatus qn_pointwise_init(QnPointwise *out, const QnPointwiseSpec *spec, QnIsa have, QnError *err);

/* How a tensor's elements lie along a strip. */
typedef enum QnPointwiseWalk {
    QN_WALK_ROW,      /* one after the other */
    QN_WALK_REPEATED, /* one for all */
    QN_WALK_STRIDED   /* anything else: gathered first, or scattered last */
} QnPointwiseWalk;

/* The shape at hand, with each tensor's strides in bytes: 0 where it is broadcast. */
typedef struct QnPointwiseShape {
    int rank; /* after neighbours that every tensor walks alike are merged */
    int64_t dims[QN_MAX_RANK];
    int64_t input_strides[QN_POINTWISE_INPUTS][QN_MAX_RANK];
    int64_t output_strides[QN_POINTWISE_OUTPUTS][QN_MAX_RANK];
    int64_t count;   /* of elements */
    bool spans_rows; /* strips go on over the ends of short rows */
    uint8_t input_walks[QN_POINTWISE_INPUTS],
        output_walks[QN_POINTWISE_OUTPUTS]; /* QnPointwiseWalk */
} QnPointwiseShape;

/* Binds a shape: `strides` has `rank` byte strides of each input, then of each output. */
void qn_pointwise_bind(QnPointwiseShape *out, const QnPointwise *program, int rank,
                       const int64_t *dims, const int64_t *const *strides);

/* Computes elements begin <= i < end, counted through the shape with the last dimension fastest. */
void qn_pointwise_run(const QnPointwise *program, const QnPointwiseShape *shape,
                      const void *const *inputs, void *const *outputs, int64_t begin, int64_t end);

/* The portable strip function of an instruction for a family;
 * NULL where the family has no such instruction. */
QnStripFn *qn_pointwise_portable(QnCode code, QnFamily family);

#endif
