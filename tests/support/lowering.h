/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole-engine tests of lowerings: a module as text is planned on the CPU and, for comparison, on a
 * device that offers nothing, so that the references compute it; both run on the same made-up
 * inputs.
 *
 *     EXPECT_LOWERS(t, "conv_f32 convert", "graph main(%x: float[1,8,5,5]) { ... }");
 *
 * checks the kernels of the steps that run, in order, and that all outputs agree.
 */
#ifndef QN_TESTS_LOWERING_H
#define QN_TESTS_LOWERING_H

#include <math.h>
#include <stdint.h>

#include "engine/devices/cpu/cpu.h"
#include "engine/devices/cpu/kernels/convert.h"
#include "engine/ir/text.h"
#include "engine/plan/plan.h"
#include "quern/session.h"
#include "tests/support/test.h"

enum { LOWERING_VALUES = 8 };

/* One of the two ways to run the module. */
typedef struct Lowering {
    QnPlan *plan;
    QnSession *session;
    QnValue outputs[LOWERING_VALUES];
    QnError err;
    char kernels[1024]; /* of the steps that computed something, in order */
} Lowering;

static inline QnStatus lowering_offer_nothing(QnOfferCall *call)
{
    (void)call;
    return QN_OK;
}

static inline QnStatus lowering_create(Lowering *l, const char *text, bool is_reference)
{
    QnModule *module;
    QnDevice *device;
    QN_TRY(qn_module_parse(&module, text, NULL, &l->err));
    QN_TRY(qn_ops_resolve(module, NULL, &l->err));
    QN_TRY(qn_infer_module(module, &l->err));
    QN_TRY(qn_cpu_device_create(&device, getenv("QN_CPU"), NULL, &l->err));
    if (is_reference)
        device->offers = lowering_offer_nothing;
    const QnPlanRequest request = {.module = module, .device = device, .free_dim = 16};
    QN_TRY(qn_plan_create(&l->plan, &request, &l->err));
    const QnSessionOptions options = {.size = sizeof options};
    return qn_session_create(&l->session, l->plan, &options, &l->err);
}

static inline void lowering_destroy(Lowering *l)
{
    qn_session_free(l->session);
    qn_plan_destroy(l->plan);
}

/* Input i: numbers between -2 and 2 in steps of 1/8; integers from 0 to 3. */
static inline QnValue lowering_input(const QnPlan *plan, int i)
{
    const QnIrType *type = &plan->values[plan->inputs[i]].type;
    int64_t dims[QN_MAX_RANK];
    for (int d = 0; d < type->shape.rank; d++)
        dims[d] = type->shape.dims[d] < 0 ? 3 : type->shape.dims[d];
    QnTensor tensor = qn_tensor(type->element, type->shape.rank, dims, NULL);
    const int64_t count = qn_tensor_count(&tensor);
    tensor.data = calloc((size_t)count + 1, 16);
    uint32_t seed = 7 + (uint32_t)i;
    for (int64_t k = 0; tensor.data && k < count; k++) {
        seed = seed * 1664525u + 1013904223u;
        if (qn_type_is_float(type->element))
            qn_tensor_set(&tensor, k, (double)(seed >> 16 & 31) / 8 - 2);
        else
            qn_tensor_set_int(&tensor, k,
                              (int64_t)(seed >> 16 & 3) & (type->element == QN_BOOL ? 1 : 3));
    }
    return qn_value_tensor(tensor);
}

static inline void lowering_observe(void *user, const QnStepEvent *event)
{
    Lowering *l = user;
    const size_t used = strlen(l->kernels);
    if (*event->kernel && strcmp(event->kernel, "view") != 0)
        snprintf(l->kernels + used, sizeof l->kernels - used, "%s%s", used ? " " : "",
                 event->kernel);
}

static inline QnStatus lowering_run(Lowering *l, const QnValue *inputs)
{
    const QnRunOptions options = {.size = sizeof options, .observe = lowering_observe, .user = l};
    return qn_session_run(l->session, inputs, l->outputs, &options, &l->err);
}

/* The largest difference of two outputs, in parts of 1 + the number;
 * infinite where they differ in kind. */
static inline double lowering_distance(const QnValue *a, const QnValue *b)
{
    double most = 0;
    if (a->kind != b->kind || a->tensor.type != b->tensor.type || a->tensor.rank != b->tensor.rank)
        return INFINITY;
    for (int d = 0; d < a->tensor.rank; d++)
        if (a->tensor.dims[d] != b->tensor.dims[d])
            return INFINITY;
    for (int64_t i = 0; i < qn_tensor_count(&a->tensor); i++) {
        const double x = qn_tensor_get(&a->tensor, i), y = qn_tensor_get(&b->tensor, i);
        if (isnan(x) != isnan(y))
            return INFINITY;
        if (x != y && !isnan(x))
            most = fmax(most, fabs(x - y) / (1 + fabs(y)));
    }
    return most;
}

/* Is `kernels` what is wanted?  A word of `wanted` matches the beginning of a kernel's name, whose
 * end may say the level. */
static inline bool lowering_matches(const char *kernels, const char *wanted)
{
    while (*wanted && *kernels) {
        const size_t want = strcspn(wanted, " "), have = strcspn(kernels, " ");
        if (want > have || strncmp(wanted, kernels, want) != 0)
            return false;
        wanted += want + (wanted[want] == ' ');
        kernels += have + (kernels[have] == ' ');
    }
    return !*wanted && !*kernels;
}

static inline void lowering_compare(Test *t, const char *text, const char *kernels, double bound)
{
    Lowering fast = {0}, slow = {0};
    QnValue inputs[LOWERING_VALUES] = {{.kind = QN_NONE}};
    const QnStatus made = lowering_create(&fast, text, false);
    EXPECT(t, made == QN_OK, "%s: %s", text, fast.err.message);
    if (made == QN_OK &&
        EXPECT(t, lowering_create(&slow, text, true) == QN_OK, "%s: %s", text, slow.err.message)) {
        for (int i = 0; i < fast.plan->input_count; i++)
            inputs[i] = lowering_input(fast.plan, i);
        /* Twice: what the first run left behind must not be seen. */
        for (int run = 0; run < 2; run++) {
            fast.kernels[0] = 0;
            EXPECT(t, lowering_run(&fast, inputs) == QN_OK, "%s: %s", text, fast.err.message);
        }
        EXPECT(t, lowering_run(&slow, inputs) == QN_OK, "%s: %s", text, slow.err.message);
        EXPECT(t, lowering_matches(fast.kernels, kernels), "%s: ran '%s', not '%s'", text,
               fast.kernels, kernels);
        for (int i = 0; i < fast.plan->output_count; i++) {
            const double distance = lowering_distance(&fast.outputs[i], &slow.outputs[i]);
            EXPECT(t, distance <= bound, "%s: output %d is off by %g", text, i, distance);
        }
        for (int i = 0; i < fast.plan->input_count; i++)
            free(inputs[i].tensor.data);
    }
    lowering_destroy(&fast);
    lowering_destroy(&slow);
}

/* Kernels, and outputs within single precision; within half precision; and equal. */
#define EXPECT_LOWERS(t, kernels, text)         lowering_compare(t, text, kernels, 2e-5)
#define EXPECT_LOWERS_HALF(t, kernels, text)    lowering_compare(t, text, kernels, 2e-2)
#define EXPECT_LOWERS_EXACTLY(t, kernels, text) lowering_compare(t, text, kernels, 0)

#endif
