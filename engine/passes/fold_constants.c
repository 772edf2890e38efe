/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Computes nodes all of whose inputs are constants, once and for all runs, by the reference.
 *
 * A model of a few bytes can ask for terabytes (Expand, Tile, Range, ConstantOfShape), so folding
 * has a budget of bytes and of time.  Results that are not larger than what they are made from cost
 * no more than the model did; larger ones share a small allowance, unless an operator reads them
 * that packs its weights when the plan is built: those must be constants for it to be fast at all.
 */
#include "base/clock.h"
#include "engine/passes/quantized_form.h"
#include "engine/passes/rewrite.h"

static const size_t default_fold_bytes = (size_t)1 << 30; /* for one constant */
static const size_t total_bytes = (size_t)4 << 30;        /* for all of a module */
static const size_t growth_bytes = (size_t)64 << 20;      /* for all that is no weight */
static const size_t free_bytes = (size_t)1 << 20;         /* what one may grow by */
static const int64_t default_fold_ns = 20 * QN_NS_PER_S;

/* How far ahead of a constant a reader of weights is looked for, and among how many readers. */
enum { LOOK_DEPTH = 6, LOOK_READERS = 32 };

typedef struct Folder {
    QnPassCall *call;
    QnArena scratch; /* of one node */
    int64_t deadline_ns;
    size_t bytes_left, growth_left;
    size_t node_limit; /* for the outputs of the node at work */
} Folder;

/* Operators and the inputs [first, last] that they keep in a form of their own. */
static const struct {
    const char *op;
    int first, last;
} packers[] = {
    {"Conv", 1, 2},          {"ConvInteger", 1, 3}, {"ConvTranspose", 1, 2},
    {"DeformConv", 1, 1},    {"Gemm", 0, 2},        {"MatMul", 0, 1},
    {"MatMulInteger", 0, 3}, {"QLinearConv", 1, 8}, {"QLinearMatMul", 1, 7},
    {"LSTM", 1, 3},          {"GRU", 1, 3},         {"RNN", 1, 3},
    {"Gather", 0, 0},        {"Einsum", 0, 1},      {"DequantizeLinear", 0, 2},
};

static bool packs(const QnUse *use)
{
    const int input = (int)(use - use->node->inputs);
    for (size_t i = 0; i < QN_COUNT_OF(packers); i++)
        if (qn_pass_is(use->node, packers[i].op))
            return input >= packers[i].first && input <= packers[i].last;
    return false;
}

/* Is the only thing that a node reads and that is no constant this value? */
static bool reads_only(const QnNode *node, const QnIrValue *value)
{
    for (int i = 0; i < node->input_count; i++) {
        const QnIrValue *other = node->inputs[i].value;
        if (other && other != value && !qn_pass_constant(other))
            return false;
    }
    return node->output_count == 1 && node->outputs[0];
}

/* Does the value become a weight, through nodes that are then folded too?
 * Looks at *left readers. */
static bool leads_to_packer(const QnIrValue *value, int depth, int *left)
{
    for (const QnUse *use = value->uses; use && (*left)-- > 0; use = use->next) {
        if (!use->node)
            continue;
        if (packs(use))
            return true;
        if (depth > 0 && reads_only(use->node, value) &&
            leads_to_packer(use->node->outputs[0], depth - 1, left))
            return true;
    }
    return false;
}

static bool is_weight(const QnIrValue *value)
{
    int left = LOOK_READERS;
    return value && leads_to_packer(value, LOOK_DEPTH, &left);
}

/* ---- what may be folded ---- */

/* Does integer arithmetic read it?  To fold it would hide the form that is made from. */
static bool is_quantized_weight(const QnNode *node)
{
    QnQuantizedForm form;
    const QnUse *use = node->outputs[0] ? node->outputs[0]->uses : NULL;
    for (; use && qn_pass_is(node, "DequantizeLinear"); use = use->next)
        if (use->node && qn_quantized_form_read(&form, use->node))
            return true;
    return false;
}

static bool has_constant_inputs(const QnNode *node)
{
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i].value && !qn_pass_constant(node->inputs[i].value))
            return false;
    return true;
}

/* Only tensors can be constants; what is not yet known turns out when it is computed. */
static bool makes_tensors(const QnNode *node)
{
    for (int i = 0; i < node->output_count; i++)
        if (node->outputs[i] && node->outputs[i]->type.kind != QN_TENSOR &&
            node->outputs[i]->type.kind != QN_NONE)
            return false;
    return true;
}

static bool is_foldable(const QnNode *node)
{
    return node->def && node->def->reference &&
           !(node->def->traits & (QN_OP_RANDOM | QN_OP_CONTROL)) && has_constant_inputs(node) &&
           makes_tensors(node) && !is_quantized_weight(node);
}

/* ---- the budget ---- */

/* Bytes of what a type says, -1 where it does not say;
 * more than any limit where they do not fit. */
static int64_t bytes_of_type(const QnIrType *type)
{
    if (!qn_pass_is_static(type))
        return -1;
    double bytes = (double)qn_type_size(type->element);
    for (int d = 0; d < type->shape.rank; d++)
        bytes *= (double)type->shape.dims[d];
    return bytes < 1e18 ? (int64_t)bytes : INT64_MAX;
}

static size_t input_bytes(const QnNode *node)
{
    size_t bytes = 0;
    for (int i = 0; i < node->input_count; i++)
        if (node->inputs[i].value)
            bytes += qn_pass_bytes(node->inputs[i].value->constant);
    return bytes;
}

/* The most that the node's outputs may take together. */
static size_t limit_of(const Folder *f, const QnNode *node)
{
    const size_t asked = f->call->options->fold_bytes;
    const size_t most = asked ? asked : default_fold_bytes;
    const size_t in = input_bytes(node);
    const bool is_for_weights = node->output_count && is_weight(node->outputs[0]);
    const size_t growth = free_bytes + in < f->growth_left ? free_bytes + in : f->growth_left;
    size_t limit = is_for_weights || in + growth > most ? most : in + growth;
    return limit < f->bytes_left ? limit : f->bytes_left;
}

/* Takes what was made from the budgets. */
static void pay(Folder *f, const QnNode *node, size_t made)
{
    const size_t in = input_bytes(node);
    f->bytes_left -= made < f->bytes_left ? made : f->bytes_left;
    if (made <= in || is_weight(node->outputs[0]))
        return;
    f->growth_left -= made - in < f->growth_left ? made - in : f->growth_left;
}

/* ---- computing ---- */

static void *allocate(void *user, int output, size_t size)
{
    Folder *f = user;
    (void)output;
    if (size > f->node_limit)
        return NULL;
    f->node_limit -= size;
    return qn_arena_alloc_raw(&f->call->module->arena, size, 64);
}

static bool is_late(void *user)
{
    const Folder *f = user;
    return qn_clock_now(NULL) > f->deadline_ns;
}

/* A constant as an input: aligned for its elements, which a file's are not always. */
static QnStatus read_input(Folder *f, QnValue *out, const QnIrValue *value)
{
    if (!value)
        return QN_OK;
    QnTensor tensor = *value->constant;
    if ((uintptr_t)tensor.data % 8 && tensor.type != QN_STRING) {
        const size_t size = qn_pass_bytes(&tensor);
        void *copy = qn_arena_alloc_raw(&f->scratch, size ? size : 1, 64);
        if (!copy)
            return QN_NO_MEMORY;
        if (size)
            memcpy(copy, tensor.data, size);
        tensor.data = copy;
    }
    *out = qn_value_tensor(tensor);
    return QN_OK;
}

/* A view shares its input's data. */
static void share_data(const QnNode *node, QnValue *outputs)
{
    const QnIrValue *x = qn_node_input(node, 0), *y = node->outputs[0];
    if (!(node->def->traits & QN_OP_VIEW) || !x || !y || !qn_pass_is_static(&y->type) ||
        y->type.element != x->constant->type)
        return;
    outputs[0] = qn_value_tensor(
        qn_tensor(x->constant->type, y->type.shape.rank, y->type.shape.dims, x->constant->data));
}

/* Computes the node; *is_done false where it cannot be,
 * which running will say again if it comes to that. */
static QnStatus compute(Folder *f, const QnNode *node, QnValue *outputs, bool *is_done)
{
    QnValue *inputs;
    QnError ignored;
    uint64_t random[4] = {0};
    QN_ALLOC(inputs, &f->scratch, node->input_count);
    const bool is_view = (node->def->traits & QN_OP_VIEW) != 0;
    for (int i = 0; i < node->input_count; i++) {
        const QnIrValue *value = node->inputs[i].value;
        if (i == 0 && is_view && value)
            inputs[i] =
                qn_value_tensor(*value->constant); /* only its bytes are copied, or shared */
        else
            QN_TRY(read_input(f, &inputs[i], value));
    }
    share_data(node, outputs);
    const QnCall reference = {
        .node = node,
        .inputs = inputs,
        .input_count = node->input_count,
        .outputs = outputs,
        .output_count = node->output_count,
        .arena = &f->call->module->arena,
        .scratch = &f->scratch,
        .random = random,
        .allocate = allocate,
        .is_cancelled = is_late,
        .user = f,
        .err = &ignored,
    };
    *is_done = qn_op_call(&reference) == QN_OK;
    for (int i = 0; *is_done && i < node->output_count; i++)
        if (node->outputs[i] &&
            (outputs[i].kind != QN_TENSOR || !qn_tensor_is_contiguous(&outputs[i].tensor)))
            *is_done = false;
    return QN_OK;
}

/* Lets the outputs stand for themselves and removes the node. */
static QnStatus keep(Folder *f, QnNode *node, const QnValue *outputs)
{
    for (int i = 0; i < node->output_count; i++) {
        QnIrValue *value = node->outputs[i];
        if (!value)
            continue;
        value->node = NULL;
        value->output = 0;
        node->outputs[i] = NULL;
        QN_TRY(qn_value_set_constant(value, &outputs[i].tensor));
    }
    if (f->call->options->keep_all)
        qn_node_remove(node); /* what it read is to be seen, read or not */
    else
        qn_pass_prune(node);
    f->call->changes++;
    return QN_OK;
}

static QnStatus fold_node(Folder *f, QnNode *node)
{
    QnValue *outputs;
    bool is_done;
    int64_t expected = 0;
    const size_t limit = limit_of(f, node);
    for (int i = 0; i < node->output_count; i++) {
        const int64_t bytes = node->outputs[i] ? bytes_of_type(&node->outputs[i]->type) : 0;
        expected = bytes < 0 || expected < 0      ? -1
                   : bytes > INT64_MAX - expected ? INT64_MAX
                                                  : expected + bytes;
    }
    if (expected > 0 && (uint64_t)expected > limit)
        return QN_OK;
    f->node_limit = limit;
    QN_ALLOC(outputs, &f->scratch, node->output_count);
    QN_TRY(compute(f, node, outputs, &is_done));
    const size_t made = limit - f->node_limit;
    if (node->output_count && node->outputs[0])
        pay(f, node, made);
    return is_done ? keep(f, node, outputs) : QN_OK;
}

/* ---- contents ---- */

/* The elements of a small integer value, where shapes alone give them as numbers. */
static bool read_content(const QnIrValue *value, int64_t *elements)
{
    if (!value->content || !qn_pass_is_static(&value->type) || value->type.shape.rank > 1 ||
        (value->type.element != QN_INT64 && value->type.element != QN_INT32))
        return false;
    for (int i = 0; i < value->content_count; i++)
        if (!qn_dim_constant(&value->graph->module->dims, value->content[i], &elements[i]))
            return false;
    return value->type.shape.rank == 0 || value->type.shape.dims[0] == value->content_count;
}

/* A node that says sizes which are numbers, whatever it reads. */
static QnStatus fold_content(Folder *f, QnNode *node, bool *is_done)
{
    int64_t elements[QN_CONTENT_LIMIT];
    *is_done = node->output_count == 1 && node->outputs[0] && !qn_node_graph(node, 0) &&
               read_content(node->outputs[0], elements);
    if (!*is_done)
        return QN_OK;
    const QnIrType *type = &node->outputs[0]->type;
    QnValue *outputs;
    QnTensor tensor;
    QN_ALLOC(outputs, &f->scratch, 1);
    QN_TRY(qn_pass_new_tensor(f->call, &tensor, type->element, type->shape.rank, type->shape.dims));
    for (int i = 0; i < node->outputs[0]->content_count; i++)
        qn_tensor_set_int(&tensor, i, elements[i]);
    outputs[0] = qn_value_tensor(tensor);
    return keep(f, node, outputs);
}

static QnStatus fold_all(Folder *f)
{
    QnNode *next;
    for (QnNode *node = qn_module_walk(f->call->module, NULL); node; node = next) {
        bool is_done;
        next = qn_module_walk(f->call->module, node);
        QN_TRY(fold_content(f, node, &is_done));
        if (!is_done && is_foldable(node) && !is_late(f))
            QN_TRY(fold_node(f, node));
        qn_arena_reset(&f->scratch);
    }
    return QN_OK;
}

static QnStatus run(QnPassCall *call)
{
    const int64_t ns = call->options->fold_ns ? call->options->fold_ns : default_fold_ns;
    Folder f = {.call = call,
                .deadline_ns = qn_deadline_after(qn_clock_now(NULL), ns),
                .bytes_left = total_bytes,
                .growth_left = growth_bytes};
    qn_arena_init(&f.scratch, call->module->arena.allocator);
    const QnStatus status = fold_all(&f);
    qn_arena_finish(&f.scratch);
    return status;
}

const QnPass qn_pass_fold_constants = {
    .name = "fold-constants",
    .what = "computes what depends on constants only, within a budget of bytes and time; results "
            "stay within the bound of the operators computed",
    .keeps_onnx = true,
    .is_exact = true,
    .keeps_values = true,
    .run = run,
};
