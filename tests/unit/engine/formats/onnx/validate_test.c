/* SPDX-License-Identifier: Apache-2.0 */
/* Wrong models, and what the reader says of them: all findings of a model, each on a line. */
#include "tests/support/onnx_case.h"
#include "tests/support/test.h"

/* Lines of findings, without the graph that may follow them. */
static void keep_findings(const char *text, char *out, size_t size)
{
    const char *graph = !strncmp(text, "graph ", 6) ? text : strstr(text, "\ngraph ");
    const size_t length = graph ? (size_t)(graph - text) + (graph != text) : strlen(text);
    snprintf(out, size, "%.*s", (int)length, text);
}

TEST(nodes_are_checked_against_their_version)
{
    static const struct {
        int opset;
        const char *graph, *want;
    } rows[] = {
        {13, "%x: float[2]) { %y = Relu(%x) return %y", ""},
        {13, "%x: float[2]) { %y = Sofmax(%x) return %y",
         "severe: onnx-unknown-operator model: Sofmax node making 'y': operator Sofmax of ai.onnx version 13 is not known; did you mean Softmax?\n"},
        {13, "%x: float[2]) { %y = Relu(%x, %x) return %y",
         "severe: onnx-input-count model: Relu node making 'y': Relu-13 with 2 inputs, expected 1\n"},
        {13, "%x: float[2]) { %y, %z = Relu(%x) return %y, %z",
         "severe: onnx-output-count model: Relu node making 'y': Relu-13 with 2 outputs, expected 1\n"},
        {13, "%x: float[2]) { %y = Relu(_) return %y",
         "severe: onnx-input-count model: Relu node making 'y': Relu-13 with 0 inputs, expected 1\n"
         "severe: onnx-missing-input model: Relu node making 'y': input 0 'X': it is absent, and not optional\n"},
        {13, "%x: float[2]) { %y = Concat(%x) return %y",
         "severe: onnx-missing-attribute model: Concat node making 'y': attribute 'axis': it is not there, expected INT\n"},
        {13, "%x: float[2]) { %y = Concat(%x) {axis = 0.5} return %y",
         "severe: onnx-attribute-type model: Concat node making 'y': attribute 'axis': FLOAT, expected INT\n"},
        {13, "%x: float[2]) { %y = Concat(%x) {axis = 0, axes = [1]} return %y",
         "breach: onnx-unknown-attribute model: Concat node making 'y': attribute 'axes': Concat-13 has no such attribute; it is ignored\n"},
        {13, "%x: float[2]) { %y = Elu(%x) {alpha = 1} return %y",
         "breach: onnx-attribute-type model: Elu node making 'y': attribute 'alpha': INT, expected FLOAT\n"},
        {13, "%x: string[2]) { %y = Relu(%x) return %y",
         "breach: onnx-input-type model: Relu node making 'y': input 0 'X': its type is string, expected what Relu-13 takes: float, float16, double or bfloat16\n"},
        {13, "%x: float[2]) { %y = Gelu(%x) return %y",
         "breach: onnx-operator-version model: Gelu node making 'y': Gelu exists from version 20 of ai.onnx on, expected an operator of version 13, as imported; import a version that has it\n"},
        {13, "%x: float[2]) { %y = other.Thing(%x) return %y",
         "severe: onnx-unknown-domain model: Thing node making 'y': operator Thing of other version 1 is not known; export it as a function, or with standard operators\n"},
        {13, "%x: float[2]) { %y = mmdeploy.Thing(%x) return %y",
         "severe: onnx-unknown-domain model: Thing node making 'y': operator Thing of mmdeploy version 1 is not known; its code is in a plugin: export without custom operators\n"},
        {13, "%x: float[2]) { %y = ms.Gelu(%x) return %y", ""},
        {11, "%x: float[2], %i: int64[1], %u: float[1]) { %y = Scatter(%x, %i, %u) return %y",
         "breach: onnx-deprecated-operator model: Scatter node making 'y': Scatter is deprecated since version 11 of ai.onnx; use ScatterElements\n"},
        {13, "%x: float[2]) { %a = Foo(%x) %b = Bar(%a) {k = 1} %y = Concat(%b) return %y",
         "severe: onnx-unknown-operator model: Foo node making 'a': operator Foo of ai.onnx version 13 is not known; export it as a function, or with standard operators\n"
         "severe: onnx-unknown-operator model: Bar node making 'b': operator Bar of ai.onnx version 13 is not known; export it as a function, or with standard operators\n"
         "severe: onnx-missing-attribute model: Concat node making 'y': attribute 'axis': it is not there, expected INT\n"},
    };
    OnnxCase c = {0};
    char graph[2048], got[4096];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(graph, sizeof graph, "graph main(%s }", rows[i].graph);
        keep_findings(onnx_case_text(&c, 8, rows[i].opset, 1, graph), got, sizeof got);
        EXPECT(t, !strcmp(got, rows[i].want), "%s\ngave\n%s\nexpected\n%s", rows[i].graph, got,
               rows[i].want);
    }
    onnx_case_finish(&c);
}

/* --- models that no graph's text can say --- */

static void put_text_field(QnText *out, uint32_t outer, uint32_t field, const char *value)
{
    const size_t mark = qn_proto_put_begin(out, outer);
    qn_proto_put_string(out, field, value);
    qn_proto_put_end(out, mark);
}

/* A float[2] value under field 11 (input) or 12 (output). */
static void put_value(QnText *out, uint32_t field, const char *name, int element)
{
    const size_t mark = qn_proto_put_begin(out, field);
    qn_proto_put_string(out, 1, name);
    const size_t type = qn_proto_put_begin(out, 2), tensor = qn_proto_put_begin(out, 1);
    qn_proto_put_int(out, 1, element);
    qn_proto_put_end(out, tensor);
    qn_proto_put_end(out, type);
    qn_proto_put_end(out, mark);
}

static void put_relu(QnText *out, const char *from, const char *to)
{
    const size_t mark = qn_proto_put_begin(out, 1);
    qn_proto_put_string(out, 1, from);
    qn_proto_put_string(out, 2, to);
    qn_proto_put_string(out, 4, "Relu");
    qn_proto_put_end(out, mark);
}

static void put_tensor(QnText *out, const char *name, int type, int64_t dim, const char *raw,
                       size_t size)
{
    const size_t mark = qn_proto_put_begin(out, 5);
    qn_proto_put_int(out, 1, dim);
    qn_proto_put_int(out, 2, type);
    qn_proto_put_string(out, 8, name);
    qn_proto_put_bytes(out, 9, qn_bytes(raw, size));
    qn_proto_put_end(out, mark);
}

/* Reads the model whose graph is `graph`, and gives its findings. */
static const char *findings(OnnxCase *c, QnText *graph, char *got, size_t size)
{
    qn_text_finish(&c->bytes);
    c->bytes = qn_text(NULL);
    qn_proto_put_int(&c->bytes, 1, 8);
    qn_proto_put_bytes(&c->bytes, 7, qn_bytes(graph->data, graph->size));
    onnx_put_import(&c->bytes, "", 13);
    qn_text_finish(graph);
    *graph = qn_text(NULL);
    keep_findings(onnx_case_read(c, NULL), got, size);
    return got;
}

#define EXPECT_FINDINGS(want) \
    EXPECT(t, !strcmp(findings(&c, &graph, got, sizeof got), want), "got\n%s", got)

TEST(names_are_made_once_and_before_they_are_used)
{
    OnnxCase c = {0};
    QnText graph = qn_text(NULL);
    char got[4096];

    put_value(&graph, 11, "x", 1), put_relu(&graph, "x", "y"), put_relu(&graph, "x", "y"),
        put_value(&graph, 12, "y", 1);
    EXPECT_FINDINGS(
        "severe: onnx-duplicate-name model: value 'y': it is defined twice, expected once\n");

    put_value(&graph, 11, "x", 1), put_relu(&graph, "z", "y"), put_value(&graph, 12, "w", 1);
    EXPECT_FINDINGS(
        "severe: onnx-missing-value model: Relu node making 'y': input 0 'z' is made nowhere, expected an input, "
        "an initializer or a node's output\n"
        "severe: onnx-missing-value model: output 'w': graph '' makes no such value, expected one that it makes\n");

    put_value(&graph, 11, "x", 1), put_relu(&graph, "a", "y"), put_relu(&graph, "x", "a"),
        put_value(&graph, 12, "y", 1);
    EXPECT_FINDINGS("");

    put_value(&graph, 11, "x", 1), put_relu(&graph, "a", "b"), put_relu(&graph, "b", "a"),
        put_value(&graph, 12, "a", 1);
    EXPECT(t, strstr(findings(&c, &graph, got, sizeof got), "cycle"), "got\n%s", got);

    put_text_field(&graph, 5, 8, ""), put_value(&graph, 11, "x", 99), put_value(&graph, 12, "x", 1);
    EXPECT_FINDINGS(
        "severe: onnx-value-type model: input 'x': element type 99, expected 1 to 28\n"
        "severe: onnx-initializer-name model: initializer '': it has no name, expected one\n"
        "severe: onnx-tensor-type model: initializer '': element type 0, expected 1 to 28\n");
    onnx_case_finish(&c);
}

TEST(tensors_hold_exactly_what_their_dims_ask_for)
{
    OnnxCase c = {0};
    QnText graph = qn_text(NULL);
    char got[4096];

    put_tensor(&graph, "w", 1, 2, "12345678", 8), put_value(&graph, 12, "w", 1);
    EXPECT_FINDINGS("");
    put_tensor(&graph, "w", 1, 2, "1234567", 7), put_value(&graph, 12, "w", 1);
    EXPECT_FINDINGS(
        "severe: onnx-tensor-size model: initializer 'w': raw_data has 7 bytes, expected 8 for float [2]\n");
    put_tensor(&graph, "w", 22, 3, "12", 2), put_value(&graph, 12, "w", 1);
    EXPECT_FINDINGS("");
    put_tensor(&graph, "w", 1, -1, "", 0), put_value(&graph, 12, "w", 1);
    EXPECT_FINDINGS(
        "severe: onnx-tensor-dims model: initializer 'w': dims [-1], expected at most 16, none negative, whose "
        "product fits 59 bits\n");
    put_tensor(&graph, "w", 1, INT64_MAX / 16, "1234", 4), put_value(&graph, 12, "w", 1);
    EXPECT_FINDINGS(
        "severe: onnx-tensor-size model: initializer 'w': raw_data has 4 bytes, expected 2305843009213693948 for "
        "float [576460752303423487]\n");
    put_tensor(&graph, "w", 1, INT64_MAX / 16 + 1, "1234", 4), put_value(&graph, 12, "w", 1);
    EXPECT_FINDINGS(
        "severe: onnx-tensor-dims model: initializer 'w': dims [576460752303423488], expected at most 16, none "
        "negative, whose product fits 59 bits\n");
    put_tensor(&graph, "w", 8, 1, "1234", 4), put_value(&graph, 12, "w", 8);
    EXPECT_FINDINGS(
        "severe: onnx-tensor-storage model: initializer 'w': its strings are stored as bytes, expected "
        "string_data\n");
    onnx_case_finish(&c);
}

TEST(versions_that_are_newer_are_warnings)
{
    OnnxCase c = {0};
    char got[4096];
    keep_findings(
        onnx_case_text(&c, 99, 999, 9, "graph main(%x: float[2]) { %y = Relu(%x) return %y }"), got,
        sizeof got);
    EXPECT(t, strstr(got, "warning: onnx-ir-version model: ir_version: 99 is newer than"),
           "got\n%s", got);
    EXPECT(
        t,
        strstr(
            got,
            "warning: onnx-opset-version model: opset_import: version 999 of ai.onnx is newer than"),
        "got\n%s", got);
    EXPECT(t, !strstr(got, "severe"), "got\n%s", got);
    onnx_case_finish(&c);
}

TEST_MAIN(CASE(nodes_are_checked_against_their_version),
          CASE(names_are_made_once_and_before_they_are_used),
          CASE(tensors_hold_exactly_what_their_dims_ask_for),
          CASE(versions_that_are_newer_are_warnings))
