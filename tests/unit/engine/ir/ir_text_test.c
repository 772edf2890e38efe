/* SPDX-License-Identifier: Apache-2.0 */
/* Modules as text: what is printed reads back to the same,
 * and what is wrong is refused with its line. */
#include "engine/ir/text.h"

#include "base/compiler.h"
#include "tests/support/test.h"

static QnModule *parse(Test *t, const char *text)
{
    QnModule *module = NULL;
    QnError err = {0};
    EXPECT(t, qn_module_parse(&module, text, NULL, &err) == QN_OK, "%s in\n%s", err.message, text);
    return module;
}

/* Each is in the printer's own form, so that it must come out as it went in. */
TEST(what_is_printed_reads_back)
{
    static const char *const rows[] = {
        "graph main() {\n  return\n}\n",
        "graph main(%x: float[N,3], %y: int64[]) {\n"
        "  const %w: float[2] = {1, 2.5}\n"
        "  %a: float[N,3] = Relu(%x)\n"
        "  %b, %c = ms.Foo(%a, _, %w) {axis = 1, mode = \"x\", pads = [1, 2]}\n"
        "  return %b, y = %c\n"
        "}\n",
        "graph g(%x: float[2*N + 1,\"a,b]\",#0,?1], %u: float[?], %v: tensor[4], %n) {\n"
        "  %12, _, %\"12\" = \"my domain\".Op()\n"
        "  %\"a b\", %a/b.c-d = a.b.Op(%12)\n"
        "  \"Op.x\"(%\"12\")\n"
        "  ml.\"Op.x\"(%\"a b\")\n"
        "  \"ml\".Op(%a/b.c-d)\n"
        "  return none = _, \"b c\" = %x\n"
        "}\n",
        "graph main(%s: sequence(float[N]), %o: optional(sequence(tensor[?])), %m: map(string, float[]),"
        " %q: sequence(?)) {\n  return %s\n}\n",
        "graph main(%x: int64[2] = {1, -1}) {\n"
        "  const %b: bool[1,2] = {0, 1}\n"
        "  const %h: float16[2] = {0x3c00, 0xfc00}\n"
        "  const %d: double[2] = {0.1, 1e+300}\n"
        "  const %z: complex64[1] = {1, -2}\n"
        "  const %t: string[2] = {\"a\\\"\\\\\\x0a\", \"\"}\n"
        "  const %e: float[0,3] = {}\n"
        "  const %i: int4[2] = {-8, 7}\n"
        "  const %u: uint64[] = {18446744073709551615}\n"
        "  Use(%x, %b, %h, %d, %z, %t, %e, %i, %u)\n"
        "  return\n"
        "}\n",
        "graph main() {\n"
        "  Op() {a = 1.0, b = -2, c = 0.1, d = 0.1d, e = inf, f = nan, g = 1e+20, h = [1.5, 2.0], i = [],"
        " j = floats[], k = strings[], l = tensors[], m = graphs[], n = [\"x\", \"y\"],"
        " o = tensor float[2] {1, 2}, p = [tensor int64[] {1}, tensor string[1] {\"s\"}],"
        " q = type sequence(float[N]), \"r s\" = \"\"}\n"
        "  return\n"
        "}\n",
        "graph main(%c: bool[], %x: float[N]) {\n"
        "  const %w: float[] = {3}\n"
        "  %y = If(%c) {then_branch = graph then() {\n"
        "    const %v: float[] = {4}\n"
        "    %t = Add(%x, %w)\n"
        "    %z = Loop(%t) {bodies = [graph (%i: int64[]) {\n"
        "      return %i, out = %v\n"
        "    }, graph () {\n"
        "      return\n"
        "    }]}\n"
        "    return %z\n"
        "  }, else_branch = graph () {\n"
        "    return y = %x\n"
        "  }}\n"
        "  return %y\n"
        "}\n"
        "variable past = 0 -> 1\n",
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        QnModule *module = parse(t, rows[i]);
        QnText text = qn_text(NULL);
        QnError err = {0};
        REQUIRE(t, module, "row %zu", i);
        qn_module_print(module, &text);
        EXPECT(t, !strcmp(qn_text_string(&text), rows[i]), "row %zu gave\n%s", i,
               qn_text_string(&text));
        EXPECT(t, qn_module_verify(module, &err) == QN_OK, "row %zu: %s", i, err.message);
        qn_text_finish(&text);
        qn_module_free(module);
    }
}

TEST(spaces_and_comments_do_not_matter)
{
    QnModule *module = parse(
        t,
        "# a comment\ngraph main ( % x :float [N] ){%y=Relu(%x){ a=[1,2.5] } # another\nreturn%y}");
    QnText text = qn_text(NULL);
    REQUIRE(t, module, "not read");
    qn_module_print(module, &text);
    EXPECT(t,
           !strcmp(qn_text_string(&text), "graph main(%x: float[N]) {\n"
                                          "  %y = Relu(%x) {a = [1.0, 2.5]}\n"
                                          "  return %y\n}\n"),
           "%s", qn_text_string(&text));
    qn_text_finish(&text);
    qn_module_free(module);
}

TEST(wrong_text_is_refused_with_its_line)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        {"", "line 1: expected 'graph', found the end"},
        {"graph main() {\n  return\n}\nx", "line 4: expected the end, found 'x'"},
        {"graph main() {\n  %a = Relu(%x)\n  return\n}", "line 2: nothing before makes 'x'"},
        {"graph main(%x) {\n  %x = A()\n  return\n}", "line 2: 'x' is made twice"},
        {"graph main(%x: flaot[2]) {", "line 1: expected a type, found 'flaot[2]) {'"},
        {"graph main(%x: float[N+]) {", "line 1: expected a dimension, found 'N+]) {'"},
        {"graph main(%x: float[1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1]) {",
         "line 1: a shape has more than 16 dims"},
        {"graph main() {\n const %x: float[2] = {1}\n",
         "line 2: a constant has 4 bytes of elements, its type 8"},
        {"graph main() {\n const %x: float[N] = {1}\n",
         "line 2: a constant needs a tensor type with numbers as dims"},
        {"graph main() {\n const %x: int8[1] = {128}\n",
         "line 2: expected a number of type int8, found '128}'"},
        {"graph main() {\n const %x: float16[1] = {0x10000}\n",
         "line 2: expected a number of type float16, found '0x10000}'"},
        {"graph main() {\n const %x: float[9] = {1, ...#0123}\n",
         "line 2: a constant was cut short when it was printed"},
        {"graph main() {\n const %x: float[9]\n",
         "line 3: expected '= {' and the elements of a constant, found the end"},
        {"graph main() {\n A() {a = }\n", "line 2: expected an attribute's value, found '}'"},
        {"graph main() {\n A() {a = [1, \"x\"]}\n",
         "line 2: the items of a list are of different kinds"},
        {"graph main() {\n A() {a = \"x}\n", "line 3: a string does not end"},
        {"graph main() {\n A() {a = \"\\q\"}\n", "line 2: a string has an unknown escape"},
        {"graph main(_) {\n", "line 1: an input or constant must have a name"},
        {"graph main() {\n A(\n", "line 3: expected a value, found the end"},
        {"graph main() {\n return }\nvariable s = 0 -> 0", "line 3: a variable's index is 0, of 0"},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        QnModule *module = NULL;
        QnError err = {0};
        EXPECT(t, qn_module_parse(&module, rows[i].text, NULL, &err) == QN_BAD_MODEL && !module,
               "%s was read", rows[i].text);
        EXPECT(t, !strcmp(err.message, rows[i].want), "%s gave: %s", rows[i].text, err.message);
    }
}

/* Every cut of a text that uses the whole form is refused, not a crash. */
TEST(text_may_end_anywhere)
{
    static const char whole[] =
        "graph main(%c: map(string, sequence(float[2*N,\"a\"])), %\"d e\": int64[1] = {1}) {\n"
        "  const %t: string[1] = {\"a\\x41\"}\n"
        "  %y: float[max(N, 1)], _ = ml.If(%c, _, %t) {b = graph g(%i) {\n"
        "    %z = A(%i) {l = [1.5, 2], t = tensor uint8[1] {3}, u = type float[]}\n"
        "    return q = %z\n  }}\n  return %y\n}\nvariable v = 0 -> 1\n";
    for (size_t size = 0; size < sizeof whole - 1; size++) {
        char text[sizeof whole];
        QnModule *module = NULL;
        memcpy(text, whole, size);
        text[size] = 0;
        const QnStatus status = qn_module_parse(&module, text, NULL, NULL);
        EXPECT(t, (status == QN_OK) == (module != NULL), "status %d of %zu bytes", (int)status,
               size);
        qn_module_free(module);
    }
    qn_module_free(parse(t, whole));
}

/* 65 graphs in one another; types and brackets a thousand deep. */
TEST(deep_nests_are_refused)
{
    QnText text = qn_text(NULL);
    QnModule *module = NULL;
    QnError err = {0};
    qn_text_puts(&text, "graph main() {\n");
    for (int i = 0; i < 1000; i++)
        qn_text_puts(&text, "A() {g = graph () {\n");
    EXPECT(t, qn_module_parse(&module, qn_text_string(&text), NULL, &err) == QN_BAD_MODEL,
           "graphs");
    EXPECT(t, strstr(err.message, "graphs are nested more than 64 deep"), "%s", err.message);
    qn_text_finish(&text);
    qn_text_puts(&text, "graph main(%x: ");
    for (int i = 0; i < 1000; i++)
        qn_text_puts(&text, "sequence(");
    EXPECT(t, qn_module_parse(&module, qn_text_string(&text), NULL, &err) == QN_BAD_MODEL, "types");
    EXPECT(t, strstr(err.message, "a type is nested more than 64 deep"), "%s", err.message);
    qn_text_finish(&text);
}

TEST(long_constants_are_cut_and_hashed)
{
    QnModule *module = parse(
        t, "graph main() {\n  const %w: int8[20] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, "
           "15, 16, 17, 18, 19, 20}\n  return %w\n}\n");
    QnText text = qn_text(NULL);
    uint64_t hash = 0, other = 0;
    REQUIRE(t, module, "not read");
    qn_module_print(module, &text);
    EXPECT(t, strstr(qn_text_string(&text), " 15, 16, ...#"), "%s", qn_text_string(&text));
    qn_module_hash(&hash, module, NULL);
    const QnTensor *w = module->main->outputs[0].value->constant;
    ((int8_t *)w->data)[19]++;
    qn_module_hash(&other, module, NULL);
    EXPECT(t, hash != other, "the last element does not count");
    qn_text_finish(&text);
    qn_module_free(module);
}

TEST(equal_tensors_are_the_same)
{
    float data[] = {1, 2, 3, 4, 1, 2, 3, 4};
    const QnTensor a = qn_tensor(QN_FLOAT, 2, (int64_t[]){2, 2}, data);
    const QnTensor b = qn_tensor(QN_FLOAT, 2, (int64_t[]){2, 2}, data + 4);
    const QnTensor c = qn_tensor(QN_FLOAT, 1, (int64_t[]){4}, data);
    const QnTensor d = qn_tensor(QN_FLOAT, 2, (int64_t[]){2, 2}, data + 1);
    EXPECT(t, qn_tensor_is_same(&a, &b) && qn_tensor_hash(&a) == qn_tensor_hash(&b), "a is not b");
    EXPECT(t, !qn_tensor_is_same(&a, &c) && !qn_tensor_is_same(&a, &d), "a is c or d");
    QnString x[] = {{"ab", 2}, {"c", 1}}, y[] = {{"abx", 2}, {"c", 1}}, z[] = {{"a", 1}, {"bc", 2}};
    const QnTensor s = qn_tensor(QN_STRING, 1, (int64_t[]){2}, x),
                   u = qn_tensor(QN_STRING, 1, (int64_t[]){2}, y);
    const QnTensor v = qn_tensor(QN_STRING, 1, (int64_t[]){2}, z);
    EXPECT(t, qn_tensor_is_same(&s, &u) && qn_tensor_hash(&s) == qn_tensor_hash(&u),
           "equal strings");
    EXPECT(t, !qn_tensor_is_same(&s, &v) && qn_tensor_hash(&s) != qn_tensor_hash(&v),
           "other strings");
}

TEST_MAIN(CASE(what_is_printed_reads_back), CASE(spaces_and_comments_do_not_matter),
          CASE(wrong_text_is_refused_with_its_line), CASE(text_may_end_anywhere),
          CASE(deep_nests_are_refused), CASE(long_constants_are_cut_and_hashed),
          CASE(equal_tensors_are_the_same))
