/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whole models through the public API: from a graph's text or a file of QN_DATA to a session, with
 * inputs of made-up numbers.
 */
#ifndef QN_TESTS_PUBLIC_H
#define QN_TESTS_PUBLIC_H

#include "engine/ir/text.h"
#include "engine/ops/op.h"
#include "quern/quern.h"
#include "tests/support/onnx_bytes.h"
#include "tests/support/samples.h"
#include "tests/support/test.h"

enum { PUBLIC_VALUES = 16 };

/* The path of a file of the data folder; NULL where the file is not there. */
static inline const char *public_data(char *path, size_t size, const char *name)
{
    const char *data = getenv("QN_DATA");
    FILE *file = NULL;
    if (data) {
        snprintf(path, size, "%s/%s", data, name);
        file = fopen(path, "rb");
    }
    if (file)
        fclose(file);
    return file ? path : NULL;
}

/* An ONNX file's bytes from a graph's text; the caller's to finish. */
static inline QnStatus public_bytes(QnText *out, const char *graph, QnError *err)
{
    QnModule *module;
    *out = qn_text(NULL);
    QN_TRY(qn_module_parse(&module, graph, NULL, err));
    onnx_bytes(out, module, 10, 21, 3);
    qn_module_free(module);
    return out->failed ? QN_NO_MEMORY : QN_OK;
}

/* A model, its plan and a session, from a graph's text. */
typedef struct PublicWorld {
    QnText bytes;
    QnModel *model;
    QnPlan *plan;
    QnSession *session;
    QnError err;
} PublicWorld;

/* False, and a failed expectation, where there is no session. */
static inline bool public_open(Test *t, PublicWorld *w, const char *graph,
                               const QnSessionOptions *options)
{
    *w = (PublicWorld){0};
    if (public_bytes(&w->bytes, graph, &w->err) == QN_OK &&
        qn_model_read(&w->model, w->bytes.data, w->bytes.size, "m", NULL, NULL, &w->err) == QN_OK &&
        qn_plan_build(&w->plan, w->model, NULL, NULL, &w->err) == QN_OK)
        qn_session_create(&w->session, w->plan, options, &w->err);
    return EXPECT(t, w->session, "%s", w->err.message);
}

static inline void public_close(PublicWorld *w)
{
    qn_session_free(w->session);
    qn_plan_free(w->plan);
    qn_model_free(w->model);
    qn_text_finish(&w->bytes);
}

/* Inputs for a plan: open sizes are `size`, but a batch is one, floats between -1 and 1, integers
 * from 0 to 3.  The data is freed by public_free_inputs. */
static inline void public_make_inputs(QnValue *inputs, const QnPlan *plan, int64_t size,
                                      uint64_t seed)
{
    Samples s = {seed};
    for (int i = 0; i < qn_plan_input_count(plan) && i < PUBLIC_VALUES; i++) {
        const QnValueInfo info = qn_plan_input(plan, i);
        int64_t dims[QN_MAX_RANK];
        inputs[i] = (QnValue){.kind = QN_NONE};
        if (info.kind != QN_TENSOR || info.rank < 0)
            continue;
        for (int d = 0; d < info.rank; d++)
            dims[d] = info.dims[d] >= 0                                      ? info.dims[d]
                      : info.symbols[d] && !strcmp(info.symbols[d], "batch") ? 1
                                                                             : size;
        QnTensor tensor = qn_tensor(info.type, info.rank, dims, NULL);
        const int64_t count = qn_tensor_count(&tensor);
        tensor.data = calloc((size_t)count + 1, 16);
        for (int64_t k = 0; tensor.data && k < count; k++) {
            if (qn_type_is_float(info.type))
                qn_tensor_set(&tensor, k, sample_between(&s, -1, 1));
            else
                qn_tensor_set_int(&tensor, k, sample_below(&s, info.type == QN_BOOL ? 2 : 4));
        }
        inputs[i] = qn_value_tensor(tensor);
    }
}

static inline void public_free_inputs(QnValue *inputs)
{
    for (int i = 0; i < PUBLIC_VALUES; i++)
        if (inputs[i].kind == QN_TENSOR)
            free(inputs[i].tensor.data);
}

/* Are all tensors of two lists equal, bit for bit? */
static inline bool public_is_same(const QnValue *a, const QnValue *b, int count)
{
    for (int i = 0; i < count; i++) {
        if (a[i].kind != b[i].kind)
            return false;
        if (a[i].kind == QN_TENSOR && !qn_tensor_is_same(&a[i].tensor, &b[i].tensor))
            return false;
    }
    return true;
}

#endif
