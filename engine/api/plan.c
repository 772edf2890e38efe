/* SPDX-License-Identifier: Apache-2.0 */
/* Plans: include/quern/plan.h. */
#include "quern/plan.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/hash.h"
#include "engine/api/model.h"
#include "engine/api/options.h"
#include "engine/devices/cpu/cpu.h"
#include "engine/passes/pass.h"
#include "engine/plan/plan.h"

/* The devices, by name. */
static const struct {
    const char *name;
    QnStatus (*create)(QnDevice **out, const char *mask, const QnAllocator *allocator,
                       QnError *err);
} devices[] = {
    {"cpu", qn_cpu_device_create},
};

static QnStatus create_device(QnDevice **out, const QnPlanOptions *options, QnError *err)
{
    for (size_t i = 0; i < QN_COUNT_OF(devices); i++)
        if (!options->device || !strcmp(options->device, devices[i].name))
            return devices[i].create(out, getenv("QN_CPU"), options->allocator, err);
    return qn_fail(err, QN_BAD_ARGUMENT, "there is no device '%s', expected cpu", options->device);
}

static QnStatus run_passes(QnModule *module, const QnPlanOptions *options, QnError *err)
{
    const QnPassOptions passes = {
        .without = options->without,
        .print_after = options->print_after,
        .print = options->print,
        .print_user = options->print_user,
        .keep_all = options->keep_all,
    };
    return qn_passes_run(module, &passes, err);
}

/* What a plan is made with, as text: part of a plan file's identity. */
static void print_options(const QnPlanOptions *options, char *text, size_t size)
{
    snprintf(text, size, "device=%s math=%s keep_all=%d without=%s",
             options->device ? options->device : "cpu",
             options->math == QN_MATH_STRICT ? "strict" : "normal", options->keep_all,
             options->without ? options->without : "");
}

static const char *level_of(const QnDevice *device)
{
    return qn_isa_level_name(((const QnCpuDevice *)device->state)->cpu.isa);
}

static QnPlanRequest request_of(const QnPlanOptions *options, QnDevice *device)
{
    return (QnPlanRequest){
        .device = device,
        .allocator = options->allocator,
        .states = options->states,
        .is_strict = options->math == QN_MATH_STRICT,
        .no_reference = options->no_reference,
        .keep_all = options->keep_all,
        .free_dim = options->free_dim,
    };
}

/* What the caller asks for, checked as far as no model is needed for that. */
static QnStatus read_options(QnPlanOptions *out, const QnPlanOptions *options, QnError *err)
{
    QN_TRY(qn_options_fill(out, sizeof *out, options, options ? options->size : 0, "QnPlanOptions",
                           err));
    if (out->math != QN_MATH_NORMAL && out->math != QN_MATH_STRICT)
        return qn_fail(err, QN_BAD_ARGUMENT,
                       "QnPlanOptions.math is %d, expected QN_MATH_NORMAL or QN_MATH_STRICT",
                       (int)out->math);
    for (const char *const *names = out->states; names && names[0]; names += 2)
        if (!names[1])
            return qn_fail(err, QN_BAD_ARGUMENT, "state %s: no output is named, expected pairs",
                           names[0]);
    return QN_OK;
}

/* Ties a finished plan to the bytes that it reads. */
static QnStatus finish_plan(QnPlan **out, QnPlan *plan, QnSource *source,
                            const QnPlanOptions *options, QnError *err)
{
    plan->source = source;
    plan->release = qn_source_release;
    char text[512];
    print_options(options, text, sizeof text);
    plan->options = qn_arena_copy_text(&plan->arena, text, strlen(text));
    if (!plan->options || qn_plan_describe(plan) != QN_OK) {
        qn_plan_destroy(plan);
        return qn_no_memory(err);
    }
    *out = plan;
    return QN_OK;
}

QnStatus qn_plan_build(QnPlan **out, const QnModel *model, const QnPlanOptions *options,
                       QnFindings *findings, QnError *err)
{
    QnPlanOptions filled;
    QnModule *module;
    QnDevice *device;
    QnPlan *plan;
    QN_TRY(read_options(&filled, options, err));
    QN_TRY(qn_module_clone(&module, model->module, err));
    QnStatus status = run_passes(module, &filled, err);
    if (status == QN_OK)
        status = create_device(&device, &filled, err);
    if (status != QN_OK) {
        qn_module_free(module);
        return status == QN_NO_MEMORY ? qn_no_memory(err) : status;
    }
    QnReport report = {.arena = findings ? &findings->arena : NULL};
    QnPlanRequest request = request_of(&filled, device);
    request.module = module;
    request.report = findings ? &report : NULL;
    status = qn_plan_create(&plan, &request, err);
    if (findings)
        qn_report_append(&findings->report, &report);
    QN_TRY(status);
    qn_source_acquire(model->source);
    return finish_plan(out, plan, model->source, &filled, err);
}

QnStatus qn_plan_save(const QnPlan *plan, const char *path, QnError *err)
{
    const QnSource *source = plan->source;
    const uint64_t model = plan->model ? plan->model : qn_hash(source->bytes, 0);
    return qn_plan_write(plan, path, model, plan->options, level_of(plan->device), err);
}

QnStatus qn_plan_load(QnPlan **out, const char *path, const QnPlanOptions *options, QnError *err)
{
    QnPlanOptions filled;
    QnDevice *device;
    QnSource *source;
    QnPlan *plan;
    char text[512];
    QN_TRY(read_options(&filled, options, err));
    print_options(&filled, text, sizeof text);
    QN_TRY(qn_source_open(&source, path, filled.allocator, false, UINT64_MAX, err));
    QnStatus status = create_device(&device, &filled, err);
    if (status == QN_OK) {
        const QnPlanRequest request = request_of(&filled, device);
        status = qn_plan_read(&plan, source->bytes, &request, text, level_of(device), err);
        if (status != QN_OK)
            qn_wrap(err, "%s", path);
    }
    if (status != QN_OK) {
        qn_source_release(source);
        return status;
    }
    return finish_plan(out, plan, source, &filled, err);
}

void qn_plan_free(QnPlan *plan)
{
    qn_plan_destroy(plan);
}

QnStatus qn_plan_describe(QnPlan *plan)
{
    const QnGraph *main = plan->module->main;
    QN_ALLOC(plan->input_infos, &plan->arena, main->input_count);
    QN_ALLOC(plan->output_infos, &plan->arena, main->output_count);
    for (int i = 0; i < main->input_count; i++)
        QN_TRY(qn_value_info(&plan->input_infos[i], plan->module, main->inputs[i],
                             main->inputs[i]->name, &plan->arena));
    for (int i = 0; i < main->output_count; i++)
        QN_TRY(qn_value_info(&plan->output_infos[i], plan->module, main->outputs[i].value,
                             main->output_names[i], &plan->arena));
    return QN_OK;
}

int qn_plan_input_count(const QnPlan *plan)
{
    return plan->input_count;
}

int qn_plan_output_count(const QnPlan *plan)
{
    return plan->output_count;
}

QnValueInfo qn_plan_input(const QnPlan *plan, int i)
{
    return qn_value_info_at(plan->input_infos, plan->input_count, i);
}

QnValueInfo qn_plan_output(const QnPlan *plan, int i)
{
    return qn_value_info_at(plan->output_infos, plan->output_count, i);
}

int qn_plan_state_count(const QnPlan *plan)
{
    return plan->state_count;
}

QnStateInfo qn_plan_state(const QnPlan *plan, int i)
{
    if (i < 0 || i >= plan->state_count)
        return (QnStateInfo){.input = "", .output = ""};
    const QnPlanState *state = &plan->states[i];
    return (QnStateInfo){.input = plan->input_infos[state->input].name,
                         .output = plan->output_infos[state->output].name,
                         .grows = state->append_axis >= 0};
}
