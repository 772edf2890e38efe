/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of a valid model: names, types, constants, sub-graphs, functions. */
#include "tests/support/onnx_case.h"
#include "tests/support/test.h"

static void expect_text(Test *t, const char *got, const char *want)
{
    EXPECT(t, !strcmp(got, want), "got\n%s\nexpected\n%s", got, want);
}

TEST(a_graph_comes_through_as_it_was)
{
    static const char *const graphs[] = {
        "graph main(%x: float[N,3], %y: int64[]) {\n"
        "  const %w: float[3] = {1, 2.5, -3}\n"
        "  const %k: string[2] = {\"a b\", \"\"}\n"
        "  %\"a/b:0\" = Add(%x, %w)\n"
        "  %c = Gather(%k, %y) {axis = 0}\n"
        "  return %\"a/b:0\", %c\n"
        "}\n",
        "graph main(%c: bool[], %x: float[N]) {\n"
        "  %y = If(%c) {then_branch = graph yes() {\n"
        "    %a = Relu(%x)\n"
        "    return %a\n"
        "  }, else_branch = graph no() {\n"
        "    const %b: float[1] = {7}\n"
        "    return %b\n"
        "  }}\n"
        "  return %y\n"
        "}\n",
        "graph main(%s: sequence(float[?]), %o: optional(int64[2])) {\n"
        "  %n = SequenceLength(%s)\n"
        "  %h = OptionalHasElement(%o)\n"
        "  return %n, %h\n"
        "}\n",
        "graph main(%x: float[2]) {\n"
        "  %y, _, %m = LayerNormalization(%x, %x) {epsilon = 0.5}\n"
        "  return %y, %m\n"
        "}\n",
    };
    OnnxCase c = {0};
    for (size_t i = 0; i < sizeof graphs / sizeof graphs[0]; i++)
        expect_text(t, onnx_case_text(&c, 10, 21, 5, graphs[i]), graphs[i]);
    onnx_case_finish(&c);
}

TEST(constant_nodes_become_constants)
{
    OnnxCase c = {0};
    expect_text(t,
                onnx_case_text(&c, 8, 13, 1,
                               "graph main() {"
                               "%a = Constant() {value = tensor float[2] {1, 2}}"
                               "%b = Constant() {value_int = 3}"
                               "%c = Constant() {value_ints = [3, 4]}"
                               "%d = Constant() {value_float = 0.5}"
                               "%e = Constant() {value_floats = [0.5, 1.5]}"
                               "%f = Constant() {value_string = \"s\"}"
                               "%g = Constant() {value_strings = [\"s\", \"t\"]}"
                               "return %a, %b, %c, %d, %e, %f, %g }"),
                "graph main() {\n"
                "  const %a: float[2] = {1, 2}\n"
                "  const %b: int64[] = {3}\n"
                "  const %c: int64[2] = {3, 4}\n"
                "  const %d: float[] = {0.5}\n"
                "  const %e: float[2] = {0.5, 1.5}\n"
                "  const %f: string[] = {\"s\"}\n"
                "  const %g: string[2] = {\"s\", \"t\"}\n"
                "  return %a, %b, %c, %d, %e, %f, %g\n"
                "}\n");
    onnx_case_finish(&c);
}

/* Before IR 4 every initializer had to be an input too;
 * since then one that is both is a default. */
TEST(an_input_with_a_default_stays_one_where_the_file_means_it)
{
    static const char graph[] = "graph main(%x: float[1], %w: float[1] = {2}) {\n"
                                "  %y = Mul(%x, %w)\n"
                                "  return %y\n"
                                "}\n";
    static const char frozen[] = "graph main(%x: float[1]) {\n"
                                 "  const %w: float[1] = {2}\n"
                                 "  %y = Mul(%x, %w)\n"
                                 "  return %y\n"
                                 "}\n";
    OnnxCase c = {0};
    expect_text(t, onnx_case_text(&c, 4, 9, 1, graph), graph);
    expect_text(t, onnx_case_read(&c, &(QnReadOptions){.defaults = QN_DEFAULTS_CONSTANT}), frozen);
    expect_text(t, onnx_case_text(&c, 3, 8, 1, graph), frozen);
    expect_text(t, onnx_case_read(&c, &(QnReadOptions){.defaults = QN_DEFAULTS_INPUT}), graph);
    onnx_case_finish(&c);
}

/* --- what the text form of a graph cannot say --- */

static void put_node(QnText *out, uint32_t field, const char *op, const char *domain,
                     const char *from, const char *to, const char *ref)
{
    const size_t mark = qn_proto_put_begin(out, field);
    qn_proto_put_string(out, 1, from);
    qn_proto_put_string(out, 2, to);
    qn_proto_put_string(out, 4, op);
    if (ref) {
        const size_t attribute = qn_proto_put_begin(out, 5);
        qn_proto_put_string(out, 1, "alpha");
        qn_proto_put_int(out, 20, 1);
        if (ref[0])
            qn_proto_put_string(out, 21, ref);
        else
            qn_proto_put_f32(out, 2, 0.25f);
        qn_proto_put_end(out, attribute);
    }
    qn_proto_put_string(out, 7, domain);
    qn_proto_put_end(out, mark);
}

static void put_name(QnText *out, uint32_t field, const char *name)
{
    const size_t mark = qn_proto_put_begin(out, field);
    qn_proto_put_string(out, 1, name);
    qn_proto_put_end(out, mark);
}

/* outer(a) -> inner(inner(a)); inner(a) {alpha} -> Elu(a), by an older opset than the model's. */
static void put_functions(QnText *out)
{
    size_t mark = qn_proto_put_begin(out, 25);
    qn_proto_put_string(out, 1, "outer");
    qn_proto_put_string(out, 4, "a");
    qn_proto_put_string(out, 5, "c");
    put_node(out, 7, "inner", "local", "a", "b", "");
    put_node(out, 7, "inner", "local", "b", "c", NULL);
    qn_proto_put_string(out, 10, "local");
    qn_proto_put_end(out, mark);
    mark = qn_proto_put_begin(out, 25);
    qn_proto_put_string(out, 1, "inner");
    qn_proto_put_string(out, 4, "a");
    qn_proto_put_string(out, 5, "b");
    qn_proto_put_string(out, 6, "alpha");
    put_node(out, 7, "Elu", "", "a", "b", "alpha");
    const size_t import = qn_proto_put_begin(out, 9);
    qn_proto_put_int(out, 2, 6);
    qn_proto_put_end(out, import);
    qn_proto_put_string(out, 10, "local");
    qn_proto_put_end(out, mark);
}

TEST(functions_are_inlined_with_their_attributes)
{
    OnnxCase c = {0};
    c.bytes = qn_text(NULL);
    qn_proto_put_int(&c.bytes, 1, 8);
    const size_t graph = qn_proto_put_begin(&c.bytes, 7);
    put_name(&c.bytes, 11, "x");
    put_node(&c.bytes, 1, "outer", "local", "x", "y", NULL);
    put_node(&c.bytes, 1, "outer", "local", "y", "z", NULL);
    put_name(&c.bytes, 12, "z");
    qn_proto_put_end(&c.bytes, graph);
    onnx_put_import(&c.bytes, "", 21);
    put_functions(&c.bytes);
    expect_text(t, onnx_case_read(&c, NULL),
                "graph (%x) {\n"
                "  %outer.b = Elu(%x) {alpha = 0.25}\n"
                "  %y = Elu(%outer.b)\n"
                "  %outer.b.1 = Elu(%y) {alpha = 0.25}\n"
                "  %z = Elu(%outer.b.1)\n"
                "  return %z\n"
                "}\n");
    onnx_case_finish(&c);
}

TEST(a_function_that_calls_itself_is_refused)
{
    OnnxCase c = {0};
    c.bytes = qn_text(NULL);
    qn_proto_put_int(&c.bytes, 1, 8);
    const size_t graph = qn_proto_put_begin(&c.bytes, 7);
    put_node(&c.bytes, 1, "f", "local", "", "y", NULL);
    qn_proto_put_end(&c.bytes, graph);
    const size_t function = qn_proto_put_begin(&c.bytes, 25);
    qn_proto_put_string(&c.bytes, 1, "f");
    qn_proto_put_string(&c.bytes, 4, "x");
    qn_proto_put_string(&c.bytes, 5, "a");
    put_node(&c.bytes, 7, "f", "local", "", "a", NULL);
    qn_proto_put_string(&c.bytes, 10, "local");
    qn_proto_put_end(&c.bytes, function);
    onnx_put_import(&c.bytes, "", 21);
    expect_text(
        t, onnx_case_read(&c, NULL),
        "severe: onnx-function-depth model: function 'f': it calls itself, or calls nest too deep, expected at most "
        "100 levels\n");
    onnx_case_finish(&c);
}

/* [3, 2] with 5 at (0, 1) and 6 at (2, 0). */
static void put_sparse(QnText *out, int64_t second_row)
{
    const size_t mark = qn_proto_put_begin(out, 15), values = qn_proto_put_begin(out, 1);
    qn_proto_put_int(out, 1, 2);
    qn_proto_put_int(out, 2, QN_INT64);
    qn_proto_put_packed_i64(out, 7, (const int64_t[]){5, 6}, 2);
    qn_proto_put_string(out, 8, "s");
    qn_proto_put_end(out, values);
    const size_t indices = qn_proto_put_begin(out, 2);
    qn_proto_put_packed_i64(out, 1, (const int64_t[]){2, 2}, 2);
    qn_proto_put_int(out, 2, QN_INT64);
    qn_proto_put_packed_i64(out, 7, (const int64_t[]){0, 1, second_row, 0}, 4);
    qn_proto_put_end(out, indices);
    qn_proto_put_packed_i64(out, 3, (const int64_t[]){3, 2}, 2);
    qn_proto_put_end(out, mark);
}

static const char *read_sparse(OnnxCase *c, int64_t second_row)
{
    qn_text_finish(&c->bytes);
    c->bytes = qn_text(NULL);
    qn_proto_put_int(&c->bytes, 1, 8);
    const size_t graph = qn_proto_put_begin(&c->bytes, 7);
    put_sparse(&c->bytes, second_row);
    put_name(&c->bytes, 12, "s");
    qn_proto_put_end(&c->bytes, graph);
    onnx_put_import(&c->bytes, "", 21);
    return onnx_case_read(c, NULL);
}

TEST(sparse_initializers_become_dense)
{
    OnnxCase c = {0};
    expect_text(t, read_sparse(&c, 2),
                "graph () {\n  const %s: int64[3,2] = {0, 5, 0, 0, 6, 0}\n  return %s\n}\n");
    expect_text(
        t, read_sparse(&c, 3),
        "severe: onnx-sparse-indices model: initializer 's': index 1 lies outside, expected [3, 2]\n");
    expect_text(
        t, read_sparse(&c, 0),
        "severe: onnx-sparse-order model: initializer 's': index 1 is not past the one before it, expected ascending "
        "indices without repetition\n");
    onnx_case_finish(&c);
}

TEST(typed_fields_are_decoded_to_memory_form)
{
    static const struct {
        int type, dim;
        int64_t entries[3];
        int entry_count;
        const char *want;
    } rows[] = {
        {QN_INT8, 2, {-1, 255}, 2, "int8[2] = {-1, -1}"},
        {QN_UINT8, 2, {7, 255}, 2, "uint8[2] = {7, 255}"},
        {QN_BOOL, 2, {0, 5}, 2, "bool[2] = {0, 1}"},
        {QN_INT16, 1, {-2}, 1, "int16[1] = {-2}"},
        {QN_INT4, 3, {0x1f, 0x08}, 2, "int4[3] = {-1, 1, -8}"},
        {QN_UINT4, 3, {0x1f, 0x08}, 2, "uint4[3] = {15, 1, 8}"},
        {QN_UINT2, 5, {0xe4, 0x02}, 2, "uint2[5] = {0, 1, 2, 3, 2}"},
        {QN_INT2, 5, {0xe4, 0x02}, 2, "int2[5] = {0, 1, -2, -1, -2}"},
        {QN_FLOAT16, 1, {0x3c00}, 1, "float16[1] = {0x3c00}"},
    };
    OnnxCase c = {0};
    char want[256];
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        qn_text_finish(&c.bytes);
        c.bytes = qn_text(NULL);
        qn_proto_put_int(&c.bytes, 1, 8);
        const size_t graph = qn_proto_put_begin(&c.bytes, 7),
                     tensor = qn_proto_put_begin(&c.bytes, 5);
        qn_proto_put_int(&c.bytes, 1, rows[i].dim);
        qn_proto_put_int(&c.bytes, 2, rows[i].type);
        qn_proto_put_packed_i64(&c.bytes, 5, rows[i].entries, (size_t)rows[i].entry_count);
        qn_proto_put_string(&c.bytes, 8, "w");
        qn_proto_put_end(&c.bytes, tensor);
        put_name(&c.bytes, 12, "w");
        qn_proto_put_end(&c.bytes, graph);
        onnx_put_import(&c.bytes, "", 21);
        snprintf(want, sizeof want, "graph () {\n  const %%w: %s\n  return %%w\n}\n", rows[i].want);
        expect_text(t, onnx_case_read(&c, NULL), want);
    }
    onnx_case_finish(&c);
}

TEST_MAIN(CASE(a_graph_comes_through_as_it_was), CASE(constant_nodes_become_constants),
          CASE(an_input_with_a_default_stays_one_where_the_file_means_it),
          CASE(functions_are_inlined_with_their_attributes),
          CASE(a_function_that_calls_itself_is_refused), CASE(sparse_initializers_become_dense),
          CASE(typed_fields_are_decoded_to_memory_form))
