/* SPDX-License-Identifier: Apache-2.0 */
/* Sequences, optionals and maps: chains of nodes, whose values are printed. */
#include "tests/support/op.h"

enum { VALUES = 64 };

static void print_value(QnText *text, const QnValue *value)
{
    static const char *const open[] = {"nothing", "", "[", "optional(", "map("};
    static const char *const close[] = {"", "", "]", ")", ")"};
    qn_text_puts(text, open[value->kind]);
    if (value->kind == QN_TENSOR)
        op_print(text, &value->tensor);
    for (int64_t i = 0; value->kind != QN_TENSOR && i < value->count; i++) {
        qn_text_puts(text, i ? ", " : "");
        print_value(text, &value->items[i]);
    }
    qn_text_puts(text, close[value->kind]);
}

/* Runs one node on values[VALUES], by the ids of the graph's values. */
static QnStatus run_node(const QnNode *node, QnValue *values, QnArena *arena, QnError *err)
{
    QnValue inputs[OP_INPUTS] = {0}, outputs[OP_INPUTS] = {0};
    QnArena scratch;
    qn_arena_init(&scratch, NULL);
    for (int i = 0; i < node->input_count; i++) {
        const QnIrValue *value = node->inputs[i].value;
        if (value)
            inputs[i] = value->constant ? qn_value_tensor(*value->constant) : values[value->id];
    }
    const QnCall call = {.node = node,
                         .inputs = inputs,
                         .input_count = node->input_count,
                         .outputs = outputs,
                         .output_count = node->output_count,
                         .arena = arena,
                         .scratch = &scratch,
                         .allocate = op_allocate,
                         .user = arena,
                         .err = err};
    const QnStatus status = qn_op_call(&call);
    qn_arena_finish(&scratch);
    for (int i = 0; i < node->output_count; i++)
        if (node->outputs[i])
            values[node->outputs[i]->id] = outputs[i];
    return status;
}

static QnStatus run_graph(QnText *out, QnModule *module, QnArena *arena, QnError *err)
{
    QnValue values[VALUES] = {0};
    QN_TRY(qn_ops_resolve(module, NULL, err));
    QN_TRY(qn_infer_module(module, err));
    for (const QnNode *node = module->main->first; node; node = node->next)
        QN_TRY(run_node(node, values, arena, err));
    for (int i = 0; i < module->main->output_count; i++) {
        qn_text_puts(out, i ? "; " : "");
        print_value(out, &values[module->main->outputs[i].value->id]);
    }
    return QN_OK;
}

typedef struct Row {
    const char *nodes; /* of a graph with constants a, b and n, up to its return */
    const char *want;  /* or, behind "error: ", the end of the message */
} Row;

static void check(Test *t, const Row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        QnText source = qn_text(NULL), out = qn_text(NULL);
        QnModule *module = NULL;
        QnError err = {0};
        QnArena arena;
        qn_arena_init(&arena, NULL);
        qn_text_printf(&source,
                       "graph main() {\nconst %%a: float[2] = {1, 2}\nconst %%b: float[1] = {3}\n"
                       "const %%n: int64[] = {-1}\n%s }\n",
                       rows[i].nodes);
        QnStatus status = qn_module_parse(&module, qn_text_string(&source), NULL, &err);
        if (status == QN_OK)
            status = run_graph(&out, module, &arena, &err);
        EXPECT(t, op_is_wanted(rows[i].want, status, qn_text_string(&out), err.message),
               "%s\nis to give %s, not %s", rows[i].nodes, rows[i].want,
               status == QN_OK ? qn_text_string(&out) : err.message);
        qn_module_free(module);
        qn_arena_finish(&arena);
        qn_text_finish(&source);
        qn_text_finish(&out);
    }
}
#define CHECK(t, rows) check((t), (rows), sizeof(rows) / sizeof *(rows))

#define AB "%s = SequenceConstruct(%a, %b)\n"

TEST(sequences_grow_shrink_and_are_read)
{
    static const Row rows[] = {
        {AB "return %s", "[float[2] {1, 2}, float[1] {3}]"},
        {"%s = SequenceEmpty() {dtype = 7}\n%l = SequenceLength(%s)\nreturn %s, %l",
         "[]; int64[] {0}"},
        {AB "%y = SequenceAt(%s, %n)\nreturn %y", "float[1] {3}"},
        {AB "%y = SequenceInsert(%s, %b)\nreturn %y",
         "[float[2] {1, 2}, float[1] {3}, float[1] {3}]"},
        {AB "%y = SequenceInsert(%s, %b, %n)\n%l = SequenceLength(%y)\n%z = SequenceAt(%y, %n)\n"
            "return %l, %z",
         "int64[] {3}; float[1] {3}"},
        {AB "%y = SequenceErase(%s)\nreturn %y, %s",
         "[float[2] {1, 2}]; [float[2] {1, 2}, float[1] {3}]"},
        {AB "const %p: int64[] = {0}\n%y = SequenceErase(%s, %p)\nreturn %y", "[float[1] {3}]"},
    };
    CHECK(t, rows);
}

TEST(positions_and_types_are_checked)
{
    static const Row rows[] = {
        {AB "const %p: int64[] = {2}\n%y = SequenceAt(%s, %p)\nreturn %y",
         "error: position 2 is outside a sequence of 2"},
        {AB "const %p: int64[] = {-3}\n%y = SequenceInsert(%s, %a, %p)\nreturn %y",
         "error: position -3 is outside a sequence of 2"},
        {"%s = SequenceEmpty()\n%y = SequenceErase(%s)\nreturn %y",
         "error: position -1 is outside a sequence of 0"},
        {"%s = SequenceEmpty()\n%y = SequenceInsert(%s, %n)\nreturn %y",
         "error: the items have types float and int64, expected one type"},
        {"%s = SequenceConstruct(%a, %n)\nreturn %s",
         "error: the items have types float and int64, expected one type"},
        {"%s = SequenceConstruct()\nreturn %s", "error: has no inputs, expected 1 at least"},
        {"%y = SequenceLength(%a)\nreturn %y", "error: input 0 is no sequence"},
        {AB "%y = Relu(%s)\nreturn %y", "error: input 0 is a collection, expected a tensor"},
        {"%s = SequenceEmpty() {dtype = 99}\nreturn %s",
         "error: dtype is 99, expected an element type"},
    };
    CHECK(t, rows);
}

TEST(tensors_are_split_into_sequences_and_joined)
{
    static const Row rows[] = {
        {"%s = SplitToSequence(%a)\nreturn %s", "[float[1] {1}, float[1] {2}]"},
        {"%s = SplitToSequence(%a) {keepdims = 0}\nreturn %s", "[float[] {1}, float[] {2}]"},
        {"const %x: float[2,3] = {1, 2, 3, 4, 5, 6}\nconst %two: int64[] = {2}\n"
         "%s = SplitToSequence(%x, %two) {axis = 1}\nreturn %s",
         "[float[2,2] {1, 2, 4, 5}, float[2,1] {3, 6}]"},
        {"const %p: int64[2] = {0, 2}\n%s = SplitToSequence(%a, %p)\nreturn %s",
         "[float[0] {}, float[2] {1, 2}]"},
        {"const %p: int64[1] = {1}\n%s = SplitToSequence(%a, %p)\nreturn %s",
         "error: the parts have 1 elements, the input 2"},
        {"const %p: int64[] = {0}\n%s = SplitToSequence(%a, %p)\nreturn %s",
         "error: split is 0, expected 1 at least"},
        {AB "%y = ConcatFromSequence(%s) {axis = -1}\nreturn %y", "float[3] {1, 2, 3}"},
        {"%s = SequenceConstruct(%a, %a)\n%y = ConcatFromSequence(%s) {axis = 1, new_axis = 1}\n"
         "return %y",
         "float[2,2] {1, 1, 2, 2}"},
        {AB "%y = ConcatFromSequence(%s) {axis = 0, new_axis = 1}\nreturn %y",
         "error: dimension 1 is 1, expected 2"},
        {"%s = SequenceEmpty()\n%y = ConcatFromSequence(%s) {axis = 0}\nreturn %y",
         "error: the sequence has no tensors"},
    };
    CHECK(t, rows);
}

TEST(optionals_hold_a_value_or_none)
{
    static const Row rows[] = {
        {"%o = Optional(%b)\n%h = OptionalHasElement(%o)\n%y = OptionalGetElement(%o)\n"
         "return %o, %h, %y",
         "optional(float[1] {3}); bool[] {1}; float[1] {3}"},
        {"%o = Optional() {type = type float[2]}\n%h = OptionalHasElement(%o)\nreturn %o, %h",
         "optional(); bool[] {0}"},
        {"%h = OptionalHasElement(_)\n%k = OptionalHasElement(%a)\nreturn %h, %k",
         "bool[] {0}; bool[] {1}"},
        {AB "%o = Optional(%s)\n%y = OptionalGetElement(%o)\nreturn %y",
         "[float[2] {1, 2}, float[1] {3}]"},
        {"%o = Optional() {type = type float[2]}\n%y = OptionalGetElement(%o)\nreturn %y",
         "error: the optional is empty"},
        {"%o = Optional()\nreturn %o", "error: has neither an input nor the attribute type"},
    };
    CHECK(t, rows);
}

#define ZIP "const %x: float[2,2] = {1, 2, 3, 4}\n"

TEST(maps_pair_labels_with_scores)
{
    static const Row rows[] = {
        {ZIP "%m = ml.ZipMap(%x) {classlabels_strings = [\"no\", \"yes\"]}\nreturn %m",
         "[map(string[2] {\"no\", \"yes\"}, float[2] {1, 2}), "
         "map(string[2] {\"no\", \"yes\"}, float[2] {3, 4})]"},
        {"%m = ml.ZipMap(%b) {classlabels_int64s = [7]}\nreturn %m",
         "[map(int64[1] {7}, float[1] {3})]"},
        {"%m = ml.ZipMap(%b) {classlabels_int64s = [7, 8]}\nreturn %m",
         "error: input 0 has 1 columns, expected 2, one for each label"},
        {"%m = ml.ZipMap(%b)\nreturn %m",
         "error: has neither classlabels_strings nor classlabels_int64s"},
    };
    CHECK(t, rows);
}

#define MAP(labels) "%m = ml.ZipMap(%a) {" labels "}\n%e = SequenceAt(%m, %n)\n"

TEST(maps_become_rows)
{
    static const Row rows[] = {
        {MAP("classlabels_int64s = [9, 7]") "%y = ml.CastMap(%e)\nreturn %y",
         "float[1,2] {2, 1}"}, /* in the order of the keys */
        {MAP("classlabels_int64s = [3, 0]") "%y = ml.CastMap(%e) {map_form = \"SPARSE\", max_map = 4, cast_to = \"TO_INT64\"}\n"
                                            "return %y",
         "int64[1,4] {2, 0, 0, 1}"},
        {MAP("classlabels_int64s = [3, 0]") "%y = ml.CastMap(%e) {cast_to = \"TO_STRING\"}\n"
                                            "return %y",
         "string[1,2] {\"2.000000\", \"1.000000\"}"},
        {MAP("classlabels_int64s = [3, 0]") "%y = ml.CastMap(%e) {map_form = \"SPARSE\", max_map = 3}\nreturn %y",
         "error: key 3 is outside of 0 to 2"},
        {MAP("classlabels_strings = [\"a\", \"b\"]") "%y = ml.CastMap(%e)\nreturn %y",
         "error: the map's keys are strings, expected integers"},
        {MAP("classlabels_strings = [\"a\", \"b\"]") "%y = ml.DictVectorizer(%e) {string_vocabulary = [\"b\", \"c\", \"a\"]}\nreturn %y",
         "float[1,3] {2, 0, 1}"},
        {"%y = ml.DictVectorizer(%a) {int64_vocabulary = [1]}\nreturn %y",
         "error: input 0 is no map of single values"},
    };
    CHECK(t, rows);
}

TEST_MAIN(CASE(sequences_grow_shrink_and_are_read), CASE(positions_and_types_are_checked),
          CASE(tensors_are_split_into_sequences_and_joined), CASE(optionals_hold_a_value_or_none),
          CASE(maps_pair_labels_with_scores), CASE(maps_become_rows))
