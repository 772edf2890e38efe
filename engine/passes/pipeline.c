/* SPDX-License-Identifier: Apache-2.0 */
/* The order of the passes, and running them. */
#include <stdio.h>

#include "base/fault.h"
#include "base/text.h"
#include "engine/ir/text.h"
#include "engine/ops/op.h"
#include "engine/passes/pass.h"
#include "engine/passes/passes.h"

const QnPass *const qn_passes[] = {
    &qn_pass_sequence_map,   /* in front of all: it is required */
    &qn_pass_flex_attention, /* likewise; the graphs in it are then seen by all that follow */
    &qn_pass_gradient,       /* likewise; behind flex-attention, which has no derivative itself */
    &qn_pass_einsum_product, /* behind gradient likewise */
    &qn_pass_plain_forms,    /* behind gradient, which derives what the model says; before folding:
                                it casts constants */
    &qn_pass_dead_code,      /* early: nothing after it looks at what nobody needs */
    &qn_pass_fold_constants, /* all that follows asks what is constant */
    &qn_pass_constant_conditions,
    &qn_pass_simplify_shapes, /* before identities: a Reshape said simply may do nothing */
    &qn_pass_identities,      /* before cse: what stands behind a no-op and in front is the same */
    &qn_pass_cse,             /* before patterns: they know parts by being one value */
    &qn_pass_fuse_quantized,  /* after identities: nothing stands between integers and operators */
    &qn_pass_fuse_patterns,   /* before affine: a pattern's factors belong to it */
    &qn_pass_fold_batch_norm,
    &qn_pass_fold_affine,    /* what found no weights to go into */
    &qn_pass_fold_constants, /* again: the factors of affine chains, and what branches held */
    &qn_pass_identities,     /* again: factors of 1 that folding made */
    &qn_pass_dead_code,      /* again: shapes said simply leave their computation behind */
};
const int qn_pass_count = QN_COUNT_OF(qn_passes);

/* Is `name` in a comma-separated list? */
static bool is_listed(const char *list, const char *name)
{
    const size_t size = strlen(name);
    for (const char *at = list; at && *at;) {
        const size_t length = strcspn(at, ",");
        if (length == size && memcmp(at, name, size) == 0)
            return true;
        at += length + (at[length] == ',');
    }
    return false;
}

static const QnPass *find(const char *name, size_t size)
{
    for (int i = 0; i < qn_pass_count; i++)
        if (strlen(qn_passes[i]->name) == size && memcmp(qn_passes[i]->name, name, size) == 0)
            return qn_passes[i];
    return NULL;
}

/* Fails where a list holds a name that is no pass's. */
static QnStatus check_list(const char *option, const char *list, QnError *err)
{
    for (const char *at = list; at && *at;) {
        const size_t length = strcspn(at, ",");
        if (length && !find(at, length) && !(length == 3 && memcmp(at, "all", 3) == 0)) {
            const char *names[64];
            char wanted[64];
            snprintf(wanted, sizeof wanted, "%.*s", (int)length, at);
            for (int i = 0; i < qn_pass_count && i < 64; i++)
                names[i] = qn_passes[i]->name;
            const char *near = qn_did_you_mean(wanted, names, (size_t)qn_pass_count);
            return qn_fail(err, QN_BAD_ARGUMENT, "%s: there is no pass '%s'%s%s%s", option, wanted,
                           near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
        }
        at += length + (at[length] == ',');
    }
    return QN_OK;
}

QnStatus qn_passes_check(const QnPassOptions *options, QnError *err)
{
    QN_TRY(check_list("without", options->without, err));
    QN_TRY(check_list("print-after", options->print_after, err));
    return check_list("stop-after", options->stop_after, err);
}

static bool is_wanted(const QnPass *pass, const QnPassOptions *options)
{
    if (pass->is_required)
        return true;
    if ((options->only_onnx && !pass->keeps_onnx) || (options->keep_all && !pass->keeps_values))
        return false;
    return !options->without ||
           !(is_listed(options->without, pass->name) || is_listed(options->without, "all"));
}

static QnStatus print(QnModule *module, const QnPass *pass, const QnPassOptions *options,
                      QnError *err)
{
    if (!options->print || !options->print_after ||
        !(is_listed(options->print_after, pass->name) || is_listed(options->print_after, "all")))
        return QN_OK;
    QnText text = qn_text(module->arena.allocator);
    qn_module_print(module, &text);
    const bool failed = text.failed;
    if (!failed)
        options->print(options->print_user, pass->name, qn_text_string(&text));
    qn_text_finish(&text);
    return failed ? qn_no_memory(err) : QN_OK;
}

/* The last constant that a node reads: passes put those they make at its side. */
static QnIrValue *find_constant(const QnModule *module)
{
    QnIrValue *found = NULL;
    for (QnNode *node = qn_module_walk(module, NULL); node; node = qn_module_walk(module, node))
        for (int i = 0; i < node->input_count; i++) {
            QnIrValue *value = node->inputs[i].value;
            if (value && value->constant && !value->is_default &&
                value->constant->type != QN_STRING && (!found || value->id > found->id))
                found = value;
        }
    return found;
}

/* Where there is no constant: an output is an input of its kind instead. */
static void spoil_output(QnGraph *main)
{
    for (int i = 0; i < main->output_count; i++)
        for (int k = 0; k < main->input_count; k++) {
            const QnIrType *from = &main->inputs[k]->type, *to = &main->outputs[i].value->type;
            if (from->kind != to->kind || from->element != to->element)
                continue;
            qn_use_set(&main->outputs[i], main->inputs[k]);
            return;
        }
}

/* Makes a copy of a constant wrong, for scripts/mutants:
 * the model's own data is not to be written. */
static QnStatus spoil(QnModule *module)
{
    QnIrValue *value = find_constant(module);
    if (!value) {
        spoil_output(module->main);
        return QN_OK;
    }
    QnTensor copy = *value->constant;
    const size_t size = (size_t)qn_tensor_count(&copy) * qn_type_size(copy.type);
    copy.data = qn_arena_alloc_raw(&module->arena, size ? size : 1, 64);
    if (!copy.data)
        return QN_NO_MEMORY;
    if (size)
        memcpy(copy.data, value->constant->data, size);
    qn_fault_spoil(copy.data, size);
    return qn_value_set_constant(value, &copy);
}

QnStatus qn_pass_run(QnModule *module, const QnPass *pass, const QnPassOptions *options,
                     int *changes, QnError *err)
{
    QnPassCall call = {.module = module, .options = options, .err = err};
    const QnStatus status = pass->run(&call);
    if (status != QN_OK) {
        if (status == QN_NO_MEMORY)
            return qn_no_memory(err);
        qn_wrap(err, "pass %s", pass->name);
        return status;
    }
#ifndef NDEBUG
    QN_TRY(qn_module_verify(module, err));
#endif
    *changes = call.changes;
    if (!call.changes)
        return QN_OK;
    QN_TRY(qn_ops_resolve(module, NULL, err));
    QN_TRY(qn_infer_module(module, err));
    if (!qn_fault("pass", pass->name))
        return QN_OK;
    return spoil(module) == QN_OK ? qn_infer_module(module, err) : qn_no_memory(err);
}

static QnStatus run_and_print(QnModule *module, const QnPass *pass, const QnPassOptions *options,
                              QnError *err)
{
    int changes;
    QN_TRY(qn_pass_run(module, pass, options, &changes, err));
    return print(module, pass, options, err);
}

QnStatus qn_passes_run(QnModule *module, const QnPassOptions *options, QnError *err)
{
    QN_TRY(qn_passes_check(options, err));
    for (int i = 0; i < qn_pass_count; i++) {
        if (is_wanted(qn_passes[i], options))
            QN_TRY(run_and_print(module, qn_passes[i], options, err));
        if (options->stop_after && is_listed(options->stop_after, qn_passes[i]->name))
            break;
    }
    return QN_OK;
}
