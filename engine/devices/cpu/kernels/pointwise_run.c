/* SPDX-License-Identifier: Apache-2.0 */
/* Running a pointwise program: strip by strip, load what does not lie in rows, compute, store. */
#include <assert.h>
#include <string.h>

#include "base/checked.h"
#include "base/fault.h"
#include "engine/devices/cpu/kernels/pointwise.h"
#include "engine/devices/cpu/kernels/rows.h"

/* One run: where it is, and its strips. */
typedef struct Run {
    const QnPointwise *program;
    const QnPointwiseShape *shape;
    const void *const *inputs;
    void *const *outputs;
    int64_t index[QN_MAX_RANK]; /* of the strip's first element */
    QnStripOperand registers[QN_POINTWISE_REGISTERS + QN_POINTWISE_IMMEDIATES];
    QN_ALIGNED(64) char repeated[QN_POINTWISE_INPUTS][64];
    QN_ALIGNED(64) char scratch[QN_POINTWISE_SCRATCH];
} Run;

/* Moves an index on by n elements, at most to the end of the shape. */
static void advance(const QnPointwiseShape *shape, int64_t *index, int64_t n)
{
    int d = shape->rank - 1;
    index[d] += n;
    for (; d > 0 && index[d] >= shape->dims[d]; d--) {
        index[d - 1] += index[d] / shape->dims[d];
        index[d] %= shape->dims[d];
    }
}

static int64_t offset_of(const QnPointwiseShape *shape, const int64_t *index,
                         const int64_t *strides)
{
    int64_t offset = 0;
    for (int d = 0; d < shape->rank; d++)
        offset += index[d] * strides[d];
    return offset;
}

/* n elements from `index` on, between a row and a tensor with strides, one stretch of the last
 * dimension at a time. */
static void copy_strided(const QnPointwiseShape *shape, const int64_t *from, const int64_t *strides,
                         char *tensor, char *row, int64_t n, int64_t size, bool gathers)
{
    const int last = shape->rank - 1;
    int64_t index[QN_MAX_RANK];
    memcpy(index, from, sizeof index);
    while (n > 0) {
        const int64_t count = qn_min_i64(n, shape->dims[last] - index[last]);
        char *at = tensor + offset_of(shape, index, strides);
        if (gathers)
            qn_copy_row(row, size, at, strides[last], count, size);
        else
            qn_copy_row(at, strides[last], row, size, count, size);
        row += count * size;
        n -= count;
        advance(shape, index, count);
    }
}

/* Strided elements of a type that is converted go through a buffer of a few hundred. */
enum { CHUNK = 256, WIDEST_STORED = 2 };

static void gather(const Run *run, int i, const char *tensor, char *row, int64_t n)
{
    const QnPointwiseShape *shape = run->shape;
    const int64_t *strides = shape->input_strides[i], size = run->program->input_sizes[i];
    QnConvertFn *const load = run->program->load[i];
    char *const source = (char *)(uintptr_t)tensor; /* only read */
    if (!load) {
        copy_strided(shape, run->index, strides, source, row, n, size, true);
        return;
    }
    int64_t index[QN_MAX_RANK];
    memcpy(index, run->index, sizeof index);
    for (int64_t done = 0; done < n; done += CHUNK) {
        QN_ALIGNED(64) char stored[CHUNK * WIDEST_STORED];
        const int64_t count = qn_min_i64(CHUNK, n - done);
        copy_strided(shape, index, strides, source, stored, count, size, true);
        load(count, row + done * (int64_t)sizeof(float), stored);
        advance(shape, index, count);
    }
}

static void scatter(const Run *run, int i, char *tensor, const char *row, int64_t n)
{
    const QnPointwiseShape *shape = run->shape;
    const int64_t *strides = shape->output_strides[i], size = run->program->output_sizes[i];
    QnConvertFn *const store = run->program->store[i];
    if (!store) {
        copy_strided(shape, run->index, strides, tensor, (char *)(uintptr_t)row, n, size, false);
        return;
    }
    int64_t index[QN_MAX_RANK];
    memcpy(index, run->index, sizeof index);
    for (int64_t done = 0; done < n; done += CHUNK) {
        QN_ALIGNED(64) char stored[CHUNK * WIDEST_STORED];
        const int64_t count = qn_min_i64(CHUNK, n - done);
        store(count, stored, row + done * (int64_t)sizeof(float));
        copy_strided(shape, index, strides, tensor, stored, count, size, false);
        advance(shape, index, count);
    }
}

/* Input i as an operand: in place, one element repeated, or gathered into its register. */
static void load_input(Run *run, int i, int64_t n)
{
    const QnPointwise *p = run->program;
    const QnPointwiseShape *shape = run->shape;
    const char *tensor = run->inputs[i];
    const char *at = tensor + offset_of(shape, run->index, shape->input_strides[i]);
    char *row = run->scratch + p->offsets[i];
    const int64_t size = p->register_sizes[i];
    QnStripOperand *operand = &run->registers[i];
    if (shape->input_walks[i] == QN_WALK_REPEATED) {
        char element[16];
        if (p->load[i])
            p->load[i](1, element, at);
        qn_fill_row(run->repeated[i], p->load[i] ? element : at, 64 / size, size);
        *operand = (QnStripOperand){run->repeated[i], 0};
        return;
    }
    *operand = (QnStripOperand){row, 1};
    if (shape->input_walks[i] == QN_WALK_STRIDED)
        gather(run, i, tensor, row, n);
    else if (p->load[i])
        p->load[i](n, row, at);
    else
        operand->data = at;
}

/* A cast; to a storage type of float it is to that type and back. */
static void cast(const QnPointwiseCode *code, int64_t n, char *out, const QnStripOperand *operand)
{
    const QnType to = (QnType)code->cast_to, from = (QnType)code->cast_from;
    const int64_t count = operand->step ? n : 1;
    const QnType held = qn_family_type(qn_family_of(to));
    const int64_t size = (int64_t)qn_type_size(held);
    if (code->convert && held == to) {
        code->convert(count, out, operand->data);
    } else if (held != QN_FLOAT || to == QN_FLOAT) {
        qn_convert_row(to, out, from, operand->data, count);
    } else {
        const char *in = operand->data;
        for (int64_t done = 0; done < count; done += CHUNK) {
            QN_ALIGNED(64) char stored[CHUNK * WIDEST_STORED];
            const int64_t part = qn_min_i64(CHUNK, count - done);
            qn_convert_row(to, stored, from, in + done * (int64_t)qn_type_size(from), part);
            qn_convert_row(QN_FLOAT, out + done * size, to, stored, part);
        }
    }
    if (!operand->step && n > 1) {
        char element[16];
        memcpy(element, out, (size_t)size);
        qn_fill_row(out, element, n, size);
    }
}

static void run_code(Run *run, const QnPointwiseCode *code, int64_t n)
{
    const QnPointwise *p = run->program;
    char *out = run->scratch + p->offsets[code->out];
    if (code->output >= 0 && run->shape->output_walks[code->output] == QN_WALK_ROW)
        out = (char *)run->outputs[code->output] +
              offset_of(run->shape, run->index, run->shape->output_strides[code->output]);
    QnStripOperand operands[3];
    assert(code->run || code->operand_count == 1);
    for (int i = 0; i < code->operand_count; i++)
        operands[i] = run->registers[code->operands[i]];
    if (code->run)
        code->run(n, out, operands);
    else
        cast(code, n, out, operands);
    if (qn_fault("pointwise", code->name) || qn_fault("kernel", code->variant))
        qn_fault_spoil(out, code->out_size);
    run->registers[code->out] = (QnStripOperand){out, 1};
}

/* Output i from its register, unless an instruction wrote it in place. */
static void store_output(const Run *run, int i, int64_t n)
{
    const QnPointwise *p = run->program;
    const QnPointwiseShape *shape = run->shape;
    const char *row = run->registers[p->outputs[i]].data;
    char *tensor = run->outputs[i],
         *at = tensor + offset_of(shape, run->index, shape->output_strides[i]);
    if (shape->output_walks[i] != QN_WALK_ROW)
        scatter(run, i, tensor, row, n);
    else if (p->store[i])
        p->store[i](n, at, row);
    else if (at != row)
        memcpy(at, row, (size_t)(n * p->output_sizes[i]));
}

void qn_pointwise_run(const QnPointwise *program, const QnPointwiseShape *shape,
                      const void *const *inputs, void *const *outputs, int64_t begin, int64_t end)
{
    Run run;
    run.program = program;
    run.shape = shape;
    run.inputs = inputs;
    run.outputs = outputs;
    if (begin >= end)
        return;
    for (int i = 0; i < program->immediate_count; i++)
        run.registers[QN_POINTWISE_REGISTERS + i] = (QnStripOperand){program->immediates[i], 0};
    memset(run.index, 0, sizeof run.index);
    advance(shape, run.index, begin);
    const int last = shape->rank - 1;
    while (begin < end) {
        int64_t n = qn_min_i64(program->strip, end - begin);
        if (!shape->spans_rows)
            n = qn_min_i64(n, shape->dims[last] - run.index[last]);
        for (int i = 0; i < program->input_count; i++)
            load_input(&run, i, n);
        for (int i = 0; i < program->code_count; i++)
            run_code(&run, &program->code[i], n);
        for (int i = 0; i < program->output_count; i++)
            store_output(&run, i, n);
        begin += n;
        advance(shape, run.index, n);
    }
}
