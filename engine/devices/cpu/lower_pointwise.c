/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Elementwise operators: chains of them become one program for the strip interpreter
 * (kernels/pointwise.h).
 *
 * A group grows from its first node along values with a single reader, as long as the shape stays
 * and the program fits.
 */
#include <assert.h>
#include <math.h>

#include "engine/devices/cpu/cpu.h"
#include "engine/devices/cpu/kernels/convert.h"
#include "engine/devices/cpu/kernels/pointwise.h"

/* Registers while a group grows: inputs count from 0, temporaries from here; packed at the end. */
enum { FIRST_TEMPORARY = QN_POINTWISE_INPUTS, CHUNK_ELEMENTS = 16384, FEEDERS = 4 };

typedef struct Group {
    QnPointwiseSpec spec;
    QnInstruction code[QN_POINTWISE_CODES];
    const QnIrValue *inputs[QN_POINTWISE_INPUTS];
    const QnNode *nodes[QN_OFFER_NODES];
    int node_count;
    int temporaries;
    const QnIrValue *result; /* of the last node */
    int result_register;
    /* What nodes beside the chain make for it, and in which registers. */
    const QnIrValue *fed[FEEDERS];
    int fed_registers[FEEDERS], fed_count;
} Group;

/* ---- building the program ---- */

/* The register of a value: the group's last result, or an input; -1: no more room. */
static int register_of(Group *group, const QnIrValue *value)
{
    if (value == group->result)
        return group->result_register;
    for (int i = 0; i < group->fed_count; i++)
        if (group->fed[i] == value)
            return group->fed_registers[i];
    for (int i = 0; i < group->spec.input_count; i++)
        if (group->inputs[i] == value)
            return i;
    if (group->spec.input_count == QN_POINTWISE_INPUTS)
        return -1;
    group->inputs[group->spec.input_count] = value;
    group->spec.input_types[group->spec.input_count] = value->type.element;
    return group->spec.input_count++;
}

static QnInstruction *add_code(Group *group)
{
    return group->spec.code_count < QN_POINTWISE_CODES ? &group->code[group->spec.code_count++]
                                                       : NULL;
}

static int operand_count(int code)
{
    static const uint8_t counts[] = {
#define ROW(name, operands, takes, makes, text, what) operands,
        QN_CODE_MAP(ROW)
#undef ROW
    };
    return counts[code];
}

/* How one node's program maps its registers onto the group's. */
typedef struct NodeMap {
    const QnNode *node;
    int inputs;          /* registers of the program that are inputs; the others are temporaries */
    int first_temporary; /* the group's register for the first of those */
    const QnIrValue *operands[2]; /* of a variadic fold: the pair at hand; else NULL */
    int accumulated; /* of later fold steps: the register of the first operand; -1: none */
} NodeMap;

enum { ABSENT = -1, NO_ROOM = -2 };

/* A constant of one element that a double holds to the last bit. */
static bool find_number(const QnIrValue *value, double *number)
{
    if (!qn_cpu_scalar(value, number))
        return false;
    const QnTensor *constant = value->constant;
    return qn_type_is_float(constant->type) || fabs(*number) < 9007199254740992.0;
}

/* The group's register for one of a program's; QN_IMMEDIATE and *immediate for a constant where
 * that is allowed. */
static int map_operand(Group *group, const NodeMap *map, int r, bool may_be_immediate,
                       double *immediate)
{
    if (r == QN_IMMEDIATE)
        return QN_IMMEDIATE;
    if (r >= map->inputs)
        return map->first_temporary + r - map->inputs;
    if (r == 0 && map->accumulated >= 0)
        return map->accumulated;
    const QnIrValue *value = map->operands[1] ? map->operands[r] : qn_node_input(map->node, r);
    if (!value)
        return ABSENT;
    if (may_be_immediate && value != group->result && find_number(value, immediate))
        return QN_IMMEDIATE;
    const int found = register_of(group, value);
    return found < 0 ? NO_ROOM : found;
}

/* The immediate of an instruction: the node's attribute,
 * or its operator's default, where it names one. */
static double immediate_of(const NodeMap *map, const QnInstruction *from)
{
    for (const QnOpAttribute *row = map->node->def->attributes; row && row->name; row++)
        if (from->attribute && !strcmp(row->name, from->attribute))
            return row->kind == QN_ATTRIBUTE_INT ? (double)qn_op_int(map->node, row->name)
                                                 : qn_op_float(map->node, row->name);
    return from->immediate;
}

/* Is a number one of the node's own type?  A half is none of an integer's, nor 300 of a byte's. */
static bool is_of_type(double number, const QnNode *node)
{
    const QnType type = node->inputs[0].value->type.element;
    double back = 0;
    uint64_t element = 0;
    if (qn_type_is_float(type))
        return true;
    qn_convert_row(type, &element, QN_DOUBLE, &number, 1);
    qn_convert_row(QN_DOUBLE, &back, type, &element, 1);
    return back == number;
}

/* Maps the operands; at most one may be an immediate.  False where one is absent that must be
 * there, or there is no room. */
static bool map_operands(Group *group, const NodeMap *map, const QnInstruction *from,
                         QnInstruction *made, int *operands)
{
    const uint8_t given[3] = {from->a, from->b, from->c};
    const int count = operand_count(from->code);
    bool has_immediate = false;
    assert(count <= 3);
    for (int i = 0; i < count; i++)
        has_immediate = has_immediate || given[i] == QN_IMMEDIATE;
    made->immediate = immediate_of(map, from);
    if (has_immediate && !is_of_type(made->immediate, map->node))
        return false;
    for (int i = 0; i < count; i++) {
        double number = made->immediate;
        const bool may = !has_immediate && count > 1 && from->code != QN_CODE_SELECT;
        operands[i] = map_operand(group, map, given[i], may, &number);
        if (operands[i] == NO_ROOM || operands[i] == ABSENT)
            return false;
        if (operands[i] == QN_IMMEDIATE && given[i] != QN_IMMEDIATE) {
            has_immediate = true;
            made->immediate = number;
        }
    }
    return true;
}

static bool translate(Group *group, const NodeMap *map, const QnInstruction *from, int out)
{
    QnInstruction made = *from;
    int operands[3] = {0, 0, 0};
    if (!map_operands(group, map, from, &made, operands))
        return false;
    made.a = (uint8_t)operands[0];
    made.b = (uint8_t)operands[1];
    made.c = (uint8_t)operands[2];
    made.out = (uint8_t)out;
    made.attribute = NULL;
    if (made.code == QN_CODE_CAST && made.type == 0)
        made.type = (uint8_t)map->node->outputs[0]->type.element;
    QnInstruction *to = add_code(group);
    if (to)
        *to = made;
    return to != NULL;
}

/* The highest temporary that a program uses, as a count. */
static int count_temporaries(const QnInstruction *program, int count, int inputs)
{
    int most = 0;
    for (int i = 0; i < count; i++)
        if (program[i].out >= inputs && program[i].out - inputs + 1 > most)
            most = program[i].out - inputs + 1;
    return most;
}

static int declared_inputs(const QnOp *def)
{
    int count = 1;
    for (const char *at = def->inputs; at && *at; at++)
        count += *at == ',';
    return count;
}

static bool is_variadic(const QnOp *def)
{
    return def->inputs && strchr(def->inputs, '*') != NULL;
}

/* Appends a node's program; the group's result becomes the node's. */
static bool add_program(Group *group, const NodeMap *map)
{
    int count;
    const QnInstruction *program = qn_op_program(map->node, &count);
    for (int i = 0; i < count; i++) {
        const int out = map->first_temporary + program[i].out - map->inputs;
        if (out >= 250 || !translate(group, map, &program[i], out))
            return false;
    }
    group->temporaries += count_temporaries(program, count, map->inputs);
    group->result_register = map->first_temporary + program[count - 1].out - map->inputs;
    return true;
}

static bool add_variadic(Group *group, const QnNode *node)
{
    if (node->input_count == 1) {
        const int from = register_of(group, node->inputs[0].value);
        QnInstruction *copy = from < 0 ? NULL : add_code(group);
        if (!copy)
            return false;
        group->result_register = FIRST_TEMPORARY + group->temporaries++;
        *copy = (QnInstruction){
            .code = QN_CODE_COPY, .out = (uint8_t)group->result_register, .a = (uint8_t)from};
        return true;
    }
    int accumulated = -1;
    const QnIrValue *earlier = group->result;
    const int earlier_register = group->result_register;
    for (int i = 1; i < node->input_count; i++) {
        const NodeMap map = {node,
                             2,
                             FIRST_TEMPORARY + group->temporaries,
                             {node->inputs[i - 1].value, node->inputs[i].value},
                             accumulated};
        group->result = earlier; /* what came before stays readable under its own register */
        group->result_register = earlier_register;
        if (!add_program(group, &map))
            return false;
        accumulated = group->result_register;
    }
    return true;
}

static bool add_node(Group *group, const QnNode *node)
{
    const QnOp *def = node->def;
    if (group->node_count == QN_OFFER_NODES)
        return false;
    const NodeMap map = {
        node, declared_inputs(def), FIRST_TEMPORARY + group->temporaries, {NULL, NULL}, -1};
    const bool done = is_variadic(def) ? add_variadic(group, node) : add_program(group, &map);
    if (!done)
        return false;
    group->result = node->outputs[0];
    group->nodes[group->node_count++] = node;
    return true;
}

/* Temporaries move down behind the inputs; the last result is the output. */
static void pack_registers(Group *group)
{
    const int gap = FIRST_TEMPORARY - group->spec.input_count;
    for (int i = 0; i < group->spec.code_count; i++) {
        uint8_t *registers[4] = {&group->code[i].out, &group->code[i].a, &group->code[i].b,
                                 &group->code[i].c};
        const int count = 1 + operand_count(group->code[i].code);
        for (int r = 0; r < count; r++)
            if (*registers[r] != QN_IMMEDIATE && *registers[r] >= FIRST_TEMPORARY)
                *registers[r] = (uint8_t)(*registers[r] - gap);
    }
    group->spec.code = group->code;
    group->spec.output_count = 1;
    group->spec.output_types[0] = group->result->type.element;
    group->spec.outputs[0] = (uint8_t)(group->result_register - gap);
}

/* ---- running ---- */

static QnStatus check_broadcast(const QnTensor *x, const QnTensor *y, QnError *err)
{
    for (int d = 0; d < x->rank; d++) {
        const int64_t wanted = y->dims[d + y->rank - x->rank];
        if (x->dims[d] != wanted && x->dims[d] != 1)
            return qn_fail(err, QN_BAD_TENSOR, "cannot broadcast %lld against %lld",
                           (long long)x->dims[d], (long long)wanted);
    }
    return QN_OK;
}

static QnStatus bind_pointwise(const QnStep *step, QnBindCall *call)
{
    const QnPointwise *program = step->data;
    const QnTensor *y = qn_step_output(step, call->values, 0);
    int64_t dims[QN_MAX_RANK], strides[QN_POINTWISE_INPUTS + 1][QN_MAX_RANK];
    const int64_t *rows[QN_POINTWISE_INPUTS + 1];
    int order[QN_MAX_RANK];
    qn_cpu_sort_dims(y, order);
    for (int i = 0; i < step->input_count; i++) {
        const QnTensor *x = qn_step_input(step, call->values, i);
        QN_TRY(check_broadcast(x, y, call->err));
        for (int d = 0; d < y->rank; d++) {
            const int from = order[d] - (y->rank - x->rank);
            strides[i][d] = from < 0 || x->dims[from] == 1 ? 0 : x->strides[from];
        }
        rows[i] = strides[i];
    }
    for (int d = 0; d < y->rank; d++) {
        dims[d] = y->dims[order[d]];
        strides[step->input_count][d] = y->strides[order[d]];
    }
    rows[step->input_count] = strides[step->input_count];
    qn_pointwise_bind(call->params, program, y->rank, dims, rows);
    return QN_OK;
}

typedef struct Work {
    const QnPointwise *program;
    const QnPointwiseShape *shape;
    const void *inputs[QN_POINTWISE_INPUTS];
    void *output;
} Work;

static void run_chunk(void *user, int64_t chunk, int member)
{
    const Work *work = user;
    (void)member;
    const int64_t begin = chunk * CHUNK_ELEMENTS;
    const int64_t end =
        begin + CHUNK_ELEMENTS < work->shape->count ? begin + CHUNK_ELEMENTS : work->shape->count;
    qn_pointwise_run(work->program, work->shape, work->inputs, &work->output, begin, end);
}

static QnStatus run_pointwise(const QnStep *step, const void *params, QnRunCall *call)
{
    QnTensor *y = &call->values[step->outputs[0]].tensor;
    Work work = {.program = step->data, .shape = params, .output = y->data};
    for (int i = 0; i < step->input_count; i++)
        work.inputs[i] = qn_step_input(step, call->values, i)->data;
    const int64_t chunks = (work.shape->count + CHUNK_ELEMENTS - 1) / CHUNK_ELEMENTS;
    qn_gang_for(call->gang, chunks, work.shape->count * work.program->code_count / 8, run_chunk,
                &work);
    qn_cpu_fault("pointwise", y);
    return QN_OK;
}

static const QnStepCode code = {.name = "pointwise",
                                .params_size = (sizeof(QnPointwiseShape) + 7) / 8 * 8,
                                .bind = bind_pointwise,
                                .run = run_pointwise};

/* ---- offering ---- */

/* Types of less than a byte, and floats of a byte, have rules of their own (saturate, low bits):
 * the reference's. */
static bool is_plain_type(QnType type)
{
    return type >= QN_FLOAT && type <= QN_BFLOAT16 && type != QN_STRING && type != QN_COMPLEX64 &&
           type != QN_COMPLEX128;
}

static bool has_plain_types(const QnNode *node)
{
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i].value && !is_plain_type(node->inputs[i].value->type.element))
            return false;
    return is_plain_type(node->outputs[0]->type.element);
}

static bool has_program(const QnNode *node)
{
    int count;
    return node->def && qn_op_program(node, &count) && count > 0 && node->output_count >= 1 &&
           node->outputs[0] && node->outputs[0]->type.kind == QN_TENSOR &&
           node->outputs[0]->type.shape.rank >= 0 && has_plain_types(node);
}

static bool same_shape(const QnIrValue *a, const QnIrValue *b)
{
    if (a->type.kind != QN_TENSOR || a->type.shape.rank != b->type.shape.rank)
        return false;
    for (int d = 0; d < b->type.shape.rank; d++)
        if (a->type.shape.dims[d] != b->type.shape.dims[d])
            return false;
    return true;
}

/* Is the finished group one that the interpreter takes?  Leaves `group` as it was. */
static bool compiles(const Group *group, QnPointwise *program, QnIsa isa)
{
    Group packed = *group;
    pack_registers(&packed);
    return qn_pointwise_init(program, &packed.spec, isa, NULL) == QN_OK;
}

/*
 * Values that DequantizeLinear makes for a node are computed where they are read: they are four
 * times as large as what they are made from.  Adds those of a node that is to be added next.
 */
static bool add_feeders(const QnOfferCall *call, Group *group, const QnNode *node)
{
    const QnIrValue *chain = group->result;
    const int chain_register = group->result_register;
    for (int i = 0; i < node->input_count; i++) {
        const QnIrValue *value = node->inputs[i].value;
        const QnNode *maker = value ? value->node : NULL;
        if (!maker || value == chain || group->fed_count == FEEDERS ||
            strcmp(maker->op, "DequantizeLinear") != 0 || !has_program(maker) ||
            maker->graph != node->graph || call->is_taken(call, maker) ||
            qn_cpu_next(call, value, NULL) != node || !same_shape(value, node->outputs[0]))
            continue;
        if (!add_node(group, maker))
            return false;
        group->fed[group->fed_count] = value;
        group->fed_registers[group->fed_count++] = group->result_register;
        group->result = chain;
        group->result_register = chain_register;
    }
    return true;
}

/* Adds the readers of the result one after the other, as long as the whole compiles. */
static void grow(const QnOfferCall *call, Group *group, QnPointwise *program)
{
    const QnNode *next;
    while ((next = qn_cpu_next(call, group->result, NULL)) && has_program(next) &&
           same_shape(next->outputs[0], group->result)) {
        Group larger = *group;
        QnPointwise made;
        if (!add_feeders(call, &larger, next) || !add_node(&larger, next) ||
            !compiles(&larger, &made, qn_cpu_of(call)->isa))
            return;
        *group = larger;
        *program = made;
    }
}

/* The first input that the output may overwrite, plus 1; 0: none. */
static int find_in_place(const Group *group)
{
    for (int i = 0; i < group->spec.input_count; i++)
        if (group->inputs[i]->type.element == group->result->type.element &&
            same_shape(group->inputs[i], group->result))
            return i + 1;
    return 0;
}

QnStatus qn_cpu_lower_pointwise(QnOfferCall *call)
{
    Group group = {.result_register = -1};
    QnPointwise program, *kept;
    if (!has_program(call->node) || !add_node(&group, call->node) || group.spec.input_count == 0 ||
        !compiles(&group, &program, qn_cpu_of(call)->isa))
        return QN_OK;
    grow(call, &group, &program);
    kept =
        qn_arena_alloc_raw(call->arena, sizeof *kept, _Alignof(QnPointwise)); /* vectors inside */
    if (!kept)
        return QN_NO_MEMORY;
    *kept = program;
    QnOffer offer = {
        .code = &code,
        .kernel = qn_pointwise_pick(qn_cpu_of(call)->isa)->name,
        .tier = QN_TIER_TUNED,
        .node_count = group.node_count,
        .input_count = group.spec.input_count,
        .outputs = {group.result},
        .same_layout = group.result->type.shape.rank >= 3,
        .layouts = {QN_LAYOUT_PLAIN},
        .in_place = find_in_place(&group),
        .context = kept,
    };
    memcpy(offer.nodes, group.nodes, sizeof offer.nodes);
    double bytes =
        qn_cpu_elements(call, group.result) * (double)qn_type_size(group.result->type.element);
    for (int i = 0; i < group.spec.input_count; i++) {
        offer.inputs[i] = group.inputs[i];
        offer.accepts[i] = QN_ACCEPT_ANY;
        bytes += qn_cpu_elements(call, group.inputs[i]) *
                 (double)qn_type_size(group.inputs[i]->type.element);
    }
    offer.cost =
        300 + 0.05 * bytes + 0.05 * qn_cpu_elements(call, group.result) * group.spec.code_count;
    call->offer(call, &offer);
    return QN_OK;
}
