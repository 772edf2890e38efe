/* SPDX-License-Identifier: Apache-2.0 */
/* qn_model_check: what its findings say, in which order, and what is no finding but a failure. */
#include "quern/unstable/check.h"

#include "tests/support/alloc_fault.h"
#include "tests/support/public.h"
#include "tests/support/tree.h"

/* Two nodes of unknown operators, with what follows from them, and one whose sizes do not fit. */
static const char broken[] = "graph main(%x: float[2], %z: float[3]) {"
                             "  %a = Relo(%x)"
                             "  %b = Concat(%a, %x) {axis = 0, by = 1}"
                             "  %c = Nag(%b)"
                             "  %y = Add(%x, %z)"
                             "  return %c, %y }";

typedef struct Case {
    Tree tree;
    QnFindings *findings;
    QnError err;
} Case;

/* Writes the graph as a model file. */
static const char *open_case(Test *t, Case *c, const char *graph)
{
    QnText bytes;
    *c = (Case){.tree = tree_make()};
    EXPECT(t, public_bytes(&bytes, graph, &c->err) == QN_OK, "%s", c->err.message);
    FILE *file = fopen(tree_path(&c->tree, "m.onnx"), "wb");
    EXPECT(t, file && fwrite(bytes.data, 1, bytes.size, file) == bytes.size, "not written");
    if (file)
        fclose(file);
    qn_text_finish(&bytes);
    EXPECT(t, qn_findings_create(&c->findings) == QN_OK, "no findings");
    return c->tree.path;
}

static void close_case(Case *c)
{
    qn_findings_free(c->findings);
    tree_remove(&c->tree);
}

TEST(findings_are_in_the_order_of_the_steps_and_nodes)
{
    static const struct {
        QnFindingSeverity severity;
        const char *rule, *node, *found;
    } rows[] = {
        {QN_FINDING_ERROR, "onnx-unknown-operator", "Relo node making 'a'",
         "operator Relo of ai.onnx version 21 is not known"},
        {QN_FINDING_BREACH, "onnx-unknown-attribute", "Concat node making 'b'",
         "Concat-13 has no such attribute"},
        {QN_FINDING_ERROR, "onnx-unknown-operator", "Nag node making 'c'",
         "operator Nag of ai.onnx version 21 is not known"},
        {QN_FINDING_BREACH, "onnx-value-type", "output 'c'", "it has no type"},
        {QN_FINDING_BREACH, "onnx-value-type", "output 'y'", "it has no type"},
        {QN_FINDING_ERROR, "inference", "Add node making 'y'", "cannot broadcast 2 against 3"},
    };
    Case c;
    const char *path = open_case(t, &c, broken);
    EXPECT(t, qn_model_check(c.findings, path, NULL, &c.err) == QN_OK, "%s", c.err.message);
    const int count = qn_findings_count(c.findings);
    REQUIRE(t, count == (int)QN_COUNT_OF(rows), "%d findings", count);
    for (int i = 0; i < count; i++) {
        const QnFindingInfo info = qn_findings_get(c.findings, i);
        EXPECT(t, info.severity == rows[i].severity, "%d: %d", i, info.severity);
        EXPECT(t, !strcmp(info.rule, rows[i].rule), "%d: %s", i, info.rule);
        EXPECT(t, !strcmp(info.node, rows[i].node), "%d: %s", i, info.node);
        EXPECT(t, !strcmp(info.found, rows[i].found), "%d: %s", i, info.found);
        EXPECT(t, !strcmp(info.file, path), "%d: %s", i, info.file);
    }
    close_case(&c);
}

TEST(compiling_adds_its_findings_unless_it_is_left_out)
{
    Case c;
    const char *path =
        open_case(t, &c, "graph main(%x: float[64]) { %y = Cast(%x) {to = 8} return %y }");
    const QnCheckOptions file_only = {.size = sizeof file_only, .no_plan = true};
    EXPECT(t, qn_model_check(c.findings, path, &file_only, &c.err) == QN_OK, "%s", c.err.message);
    const int count = qn_findings_count(c.findings);
    EXPECT(t, qn_model_check(c.findings, path, NULL, &c.err) == QN_OK, "%s", c.err.message);
    REQUIRE(t, qn_findings_count(c.findings) == 2 * count + 1, "%d, then %d", count,
            qn_findings_count(c.findings));
    const QnFindingInfo info = qn_findings_get(c.findings, 2 * count);
    EXPECT(t, !strcmp(info.rule, "reference-step"), "%s", info.rule);
    close_case(&c);
}

TEST(a_file_that_cannot_be_read_is_a_failure)
{
    Case c;
    open_case(t, &c, "graph main(%x: float[2]) { %y = Neg(%x) return %y }");
    const char *missing = tree_path(&c.tree, "missing.onnx");
    EXPECT(t, qn_model_check(c.findings, missing, NULL, &c.err) == QN_IO, "%s", c.err.message);
    EXPECT(t, strstr(c.err.message, "missing.onnx: "), "%s", c.err.message);
    EXPECT(t, qn_model_check(c.findings, missing, NULL, NULL) == QN_IO, "without an error");
    EXPECT(t, qn_findings_count(c.findings) == 0, "%d", qn_findings_count(c.findings));
    close_case(&c);
}

/* Options of a later version, with a member that this one does not know. */
TEST(options_that_are_not_known_are_refused)
{
    struct {
        QnCheckOptions known;
        int64_t later;
    } options = {.known.size = sizeof options, .later = 1};
    Case c;
    const char *path = open_case(t, &c, "graph main(%x: float[2]) { %y = Neg(%x) return %y }");
    EXPECT(t, qn_model_check(c.findings, path, &options.known, &c.err) == QN_BAD_ARGUMENT, "%s",
           c.err.message);
    EXPECT(t, strstr(c.err.message, "QnCheckOptions"), "%s", c.err.message);
    close_case(&c);
}

TEST(each_allocation_may_fail)
{
    AllocFault fault;
    Case c;
    const char *path = open_case(t, &c, broken);
    int64_t count = 1;
    for (int64_t n = 0; n <= count; n++) {
        alloc_fault_init(&fault, n);
        const QnCheckOptions options = {.size = sizeof options, .allocator = &fault.allocator};
        const QnStatus status = qn_model_check(c.findings, path, &options, &c.err);
        EXPECT(t, n == 0 ? status == QN_OK : status == QN_NO_MEMORY || status == QN_OK,
               "allocation %lld: status %d, %s", (long long)n, (int)status, c.err.message);
        EXPECT(t, alloc_fault_live_bytes(&fault) == 0, "allocation %lld leaks", (long long)n);
        if (n == 0)
            count = fault.count.value;
    }
    EXPECT(t, count > 5, "only %lld allocations", (long long)count);
    close_case(&c);
}

TEST_MAIN(CASE(findings_are_in_the_order_of_the_steps_and_nodes),
          CASE(compiling_adds_its_findings_unless_it_is_left_out),
          CASE(a_file_that_cannot_be_read_is_a_failure),
          CASE(options_that_are_not_known_are_refused), CASE(each_allocation_may_fail))
