/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between bytes and the real numbers that they stand for, as DequantizeLinear and QuantizeLinear
 * say it:
 *
 *     r = cast x;  [r = r - zero;]  r = r * scale
 *     r = x / scale;  r = round r;  [r = r + zero;]  r = max(r, lowest);  r = min(r, highest);
 *     y = cast r
 */
#include "engine/devices/cpu/kernels/pointwise_fuse.h"

/* The instruction at `i`, if it is that one on register r and, where it takes two, a number. */
static const QnInstruction *find(const QnPointwiseSpec *spec, int i, int code, uint8_t r)
{
    const QnInstruction *in = &spec->code[i];
    const bool fits = i < spec->code_count && in->code == code && in->a == r;
    return fits && (code == QN_CODE_ROUND || in->b == QN_IMMEDIATE) && in->out == r ? in : NULL;
}

/* A zero point that may be missing; moves i behind it. */
static double read_zero(const QnPointwiseSpec *spec, int *i, int code, uint8_t r)
{
    const QnInstruction *in = find(spec, *i, code, r);
    *i += in != NULL;
    return in ? in->immediate : 0;
}

static bool is_byte(uint8_t family)
{
    return family == QN_FAMILY_U8 || family == QN_FAMILY_I8;
}

static QnPointwiseFusion from_bytes(const QnPointwiseSpec *spec, int first, const uint8_t *families)
{
    const QnInstruction *cast = &spec->code[first];
    QnPointwiseFusion f = {.out = cast->out, .x = cast->a};
    if (cast->code != QN_CODE_CAST || cast->type != QN_FLOAT || cast->a == cast->out ||
        cast->a >= QN_POINTWISE_REGISTERS || !is_byte(families[cast->a]))
        return f;
    int i = first + 1;
    f.zero = read_zero(spec, &i, QN_CODE_SUB, f.out);
    const QnInstruction *scale = find(spec, i, QN_CODE_MUL, f.out);
    if (!scale)
        return f;
    f.scale = scale->immediate;
    f.strip = families[cast->a] == QN_FAMILY_U8 ? QN_STRIP_FROM_U8 : QN_STRIP_FROM_I8;
    f.count = i + 1 - first;
    return f;
}

/* Is what a register holds read from instruction i on, before it is written anew? */
static bool is_read(const QnPointwiseSpec *spec, int i, uint8_t r)
{
    for (; i < spec->code_count; i++) {
        const QnInstruction *in = &spec->code[i];
        if (in->a == r || in->b == r || in->c == r)
            return true;
        if (in->out == r)
            return false;
    }
    for (int k = 0; k < spec->output_count; k++)
        if (spec->outputs[k] == r)
            return true;
    return false;
}

static QnPointwiseFusion to_bytes(const QnPointwiseSpec *spec, int first, const uint8_t *families)
{
    const QnInstruction *division = &spec->code[first];
    const uint8_t r = division->out;
    QnPointwiseFusion f = {.x = division->a, .scale = division->immediate};
    if (division->code != QN_CODE_DIV || division->b != QN_IMMEDIATE ||
        division->a >= QN_POINTWISE_REGISTERS || families[division->a] != QN_FAMILY_F32 ||
        !find(spec, first + 1, QN_CODE_ROUND, r))
        return f;
    int i = first + 2;
    f.zero = read_zero(spec, &i, QN_CODE_ADD, r);
    const QnInstruction *low = find(spec, i, QN_CODE_MAX, r),
                        *high = find(spec, i + 1, QN_CODE_MIN, r), *cast = &spec->code[i + 2];
    if (!low || !high || i + 2 >= spec->code_count || cast->code != QN_CODE_CAST || cast->a != r ||
        cast->out == r || cast->out == f.x || is_read(spec, i + 3, r))
        return f;
    const bool is_u8 = cast->type == QN_UINT8;
    if ((!is_u8 && cast->type != QN_INT8) || low->immediate != (is_u8 ? 0 : INT8_MIN) ||
        high->immediate != (is_u8 ? UINT8_MAX : INT8_MAX))
        return f;
    f.strip = is_u8 ? QN_STRIP_TO_U8 : QN_STRIP_TO_I8;
    f.out = cast->out;
    f.count = i + 3 - first;
    return f;
}

QnPointwiseFusion qn_pointwise_fuse(const QnPointwiseSpec *spec, int first, const uint8_t *families)
{
    const QnPointwiseFusion f = from_bytes(spec, first, families);
    return f.count ? f : to_bytes(spec, first, families);
}
