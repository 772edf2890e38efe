/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ResNet-50 as an ONNX file in memory: 53 convolutions with their batch norms folded in, four
 * stages of bottlenecks, 1,000 classes; with weights of He's variance from a fixed seed, so that
 * its numbers stay in range and no two are alike.
 */
#ifndef QN_TESTS_RESNET_H
#define QN_TESTS_RESNET_H

#include "tests/support/public.h"

/* The graph while it is written; value k is %vk, node k's weights %wk and %bk. */
typedef struct Resnet {
    QnText inputs, nodes;
    int count; /* of values; 0 is the picture */
} Resnet;

static inline int resnet_conv(Resnet *r, int from, int in, int out, int kernel, int stride)
{
    const int k = ++r->count, pad = kernel / 2;
    qn_text_printf(&r->inputs, ",\n %%w%d: float[%d,%d,%d,%d], %%b%d: float[%d]", k, out, in,
                   kernel, kernel, k, out);
    qn_text_printf(&r->nodes,
                   "%%v%d = Conv(%%v%d, %%w%d, %%b%d) {strides = [%d, %d], pads = [%d, %d, %d, "
                   "%d]}\n",
                   k, from, k, k, stride, stride, pad, pad, pad, pad);
    return k;
}

static inline int resnet_relu(Resnet *r, int from)
{
    const int k = ++r->count;
    qn_text_printf(&r->nodes, "%%v%d = Relu(%%v%d)\n", k, from);
    return k;
}

/* Narrow, look around, widen; and what came in is added. */
static inline int resnet_block(Resnet *r, int x, int in, int middle, int stride)
{
    int y = resnet_relu(r, resnet_conv(r, x, in, middle, 1, 1));
    y = resnet_relu(r, resnet_conv(r, y, middle, middle, 3, stride));
    y = resnet_conv(r, y, middle, 4 * middle, 1, 1);
    if (in != 4 * middle)
        x = resnet_conv(r, x, in, 4 * middle, 1, stride);
    const int sum = ++r->count;
    qn_text_printf(&r->nodes, "%%v%d = Add(%%v%d, %%v%d)\n", sum, y, x);
    return resnet_relu(r, sum);
}

static inline void resnet_write(Resnet *r, QnText *out)
{
    static const int lengths[] = {3, 4, 6, 3};
    int x = resnet_relu(r, resnet_conv(r, 0, 3, 64, 7, 2)), channels = 64;
    const int pooled = ++r->count;
    qn_text_printf(&r->nodes,
                   "%%v%d = MaxPool(%%v%d) {kernel_shape = [3, 3], strides = [2, 2], pads = [1, 1, "
                   "1, 1]}\n",
                   pooled, x);
    x = pooled;
    for (int stage = 0; stage < 4; stage++)
        for (int i = 0; i < lengths[stage]; i++) {
            const int middle = 64 << stage;
            x = resnet_block(r, x, channels, middle, stage > 0 && i == 0 ? 2 : 1);
            channels = 4 * middle;
        }
    qn_text_printf(out, "graph main(%%v0: float[1,3,224,224]%s,\n %%w: float[2048,1000]) {\n",
                   qn_text_string(&r->inputs));
    qn_text_printf(out,
                   "%s%%mean = GlobalAveragePool(%%v%d)\n%%row = Flatten(%%mean)\n"
                   "%%logits = MatMul(%%row, %%w)\n%%classes = Softmax(%%logits)\n"
                   "return %%mean, %%logits, %%classes\n}",
                   qn_text_string(&r->nodes), x);
}

/* Inputs but the first become constants. */
static inline QnStatus resnet_fill(QnModule *module)
{
    Samples samples = {50};
    while (module->main->input_count > 1) {
        QnIrValue *value = module->main->inputs[1];
        QnTensor tensor = qn_tensor(QN_FLOAT, value->type.shape.rank, value->type.shape.dims, NULL);
        const int64_t count = qn_tensor_count(&tensor), rows = tensor.dims[0];
        float *data = qn_arena_alloc_raw(&module->arena, (size_t)count * sizeof *data, 64);
        if (!data)
            return QN_NO_MEMORY;
        /* Uniform in [-a, a] has the variance a^2 / 3, and 2 / inputs is He's. */
        const double a = tensor.rank == 4 ? sqrt(6 / ((double)count / (double)rows)) : 0.05;
        for (int64_t i = 0; i < count; i++)
            data[i] = (float)sample_between(&samples, -a, a);
        tensor.data = data;
        QN_TRY(qn_value_set_constant(value, &tensor));
        qn_graph_remove_input(module->main, 1);
    }
    return QN_OK;
}

/* Appends the file; the caller's to finish. */
static inline QnStatus resnet_bytes(QnText *out, QnError *err)
{
    Resnet r = {.inputs = qn_text(NULL), .nodes = qn_text(NULL)};
    QnText graph = qn_text(NULL);
    QnModule *module = NULL;
    *out = qn_text(NULL);
    resnet_write(&r, &graph);
    QnStatus status = qn_module_parse(&module, qn_text_string(&graph), NULL, err);
    if (status == QN_OK)
        status = resnet_fill(module);
    if (status == QN_OK)
        onnx_bytes(out, module, 10, 21, 3);
    qn_module_free(module);
    qn_text_finish(&graph);
    qn_text_finish(&r.inputs);
    qn_text_finish(&r.nodes);
    return status == QN_OK && out->failed ? QN_NO_MEMORY : status;
}

#endif
