/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of findings: what they hold, and that calls which share one do not see each other's. */
#include "base/file.h"
#include "quern/unstable/check.h"
#include "tests/support/public.h"
#include "tests/support/tree.h"

static const char good[] = "graph main(%x: float[N]) { %y: float[N] = Neg(%x) return %y }";
static const char unknown[] = "graph main(%x: float[N]) { %y = Frobnicate(%x) return %y }";

/* Reads a model under a name; whether it could be read. */
static QnStatus read_model(const char *graph, const char *name, QnFindings *findings, QnError *err)
{
    QnText bytes;
    QnModel *model = NULL;
    QnStatus status = public_bytes(&bytes, graph, err);
    if (status == QN_OK)
        status = qn_model_read(&model, bytes.data, bytes.size, name, NULL, findings, err);
    qn_model_free(model);
    qn_text_finish(&bytes);
    return status;
}

static int count_errors(const QnFindings *findings)
{
    int count = 0;
    for (int i = 0; i < qn_findings_count(findings); i++)
        count += qn_findings_get(findings, i).severity == QN_FINDING_ERROR;
    return count;
}

TEST(a_finding_says_what_where_and_what_to_do)
{
    QnFindings *findings;
    QnError err = {0};
    REQUIRE(t, qn_findings_create(&findings) == QN_OK, "no memory");
    EXPECT(t, qn_findings_count(findings) == 0, "it is not empty");
    EXPECT(t, read_model(unknown, "m", findings, &err) == QN_BAD_MODEL, "%s", err.message);
    EXPECT(t, count_errors(findings) == 1, "%d errors", count_errors(findings));
    for (int i = 0; i < qn_findings_count(findings); i++) {
        const QnFindingInfo info = qn_findings_get(findings, i);
        if (info.severity != QN_FINDING_ERROR)
            continue;
        EXPECT(t, !strcmp(info.rule, "onnx-unknown-operator"), "rule %s", info.rule);
        EXPECT(t, strstr(info.found, "Frobnicate"), "found %s", info.found);
        EXPECT(t, !strcmp(info.file, "m"), "file %s", info.file);
        EXPECT(t, info.node && info.field && info.expected && *info.remedy, "a text is missing");
    }
    for (int i = -1; i <= qn_findings_count(findings); i += qn_findings_count(findings) + 1) {
        const QnFindingInfo none = qn_findings_get(findings, i);
        EXPECT(t, none.severity == QN_FINDING_NOTE && !*none.rule && !*none.found, "%d: %s", i,
               none.rule);
    }
    qn_findings_free(findings);
}

/* What is wrong with one model is not held against the next, nor told as its error. */
TEST(a_list_may_be_given_to_many_calls)
{
    QnFindings *findings;
    QnError err = {0};
    REQUIRE(t, qn_findings_create(&findings) == QN_OK, "no memory");
    EXPECT(t, read_model(unknown, "first", findings, &err) == QN_BAD_MODEL, "%s", err.message);
    const int before = qn_findings_count(findings);
    err = (QnError){0};
    EXPECT(t, read_model(good, "second", findings, &err) == QN_OK, "%s", err.message);
    EXPECT(t, read_model(unknown, "third", findings, &err) == QN_BAD_MODEL, "%s", err.message);
    EXPECT(t, !strstr(err.message, "first") && strstr(err.message, "third"), "%s", err.message);
    EXPECT(t, qn_findings_count(findings) == 2 * before, "%d", qn_findings_count(findings));
    qn_findings_free(findings);
}

/* ---- checking ---- */

static QnStatus write_model(Tree *tree, const char *name, const char *graph, char *path,
                            size_t size)
{
    QnText bytes;
    QnStatus status = public_bytes(&bytes, graph, NULL);
    snprintf(path, size, "%s", tree_path(tree, name));
    if (status == QN_OK)
        status = qn_file_write(path, qn_bytes(bytes.data, bytes.size), 0600, NULL);
    qn_text_finish(&bytes);
    return status;
}

TEST(checking_succeeds_however_bad_the_model_is)
{
    static const struct {
        const char *graph;
        int errors;
    } rows[] = {
        {good, 0},
        {unknown, 1},
        {"graph main(%x: float[2]) { %y = Reshape(%x) return %y }", 1},
    };
    Tree tree = tree_make();
    char path[256];
    QnError err = {0};
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++) {
        QnFindings *findings;
        REQUIRE(t, qn_findings_create(&findings) == QN_OK, "no memory");
        REQUIRE(t, write_model(&tree, "m.onnx", rows[i].graph, path, sizeof path) == QN_OK, "%s",
                path);
        EXPECT(t, qn_model_check(findings, path, NULL, &err) == QN_OK, "row %zu: %s", i,
               err.message);
        EXPECT(t, (count_errors(findings) > 0) == (rows[i].errors > 0), "row %zu: %d errors", i,
               count_errors(findings));
        EXPECT(t, err.status == QN_OK && !*err.message, "row %zu wrote an error: %s", i,
               err.message);
        qn_findings_free(findings);
    }
    tree_remove(&tree);
}

TEST(checking_says_what_it_could_not_read)
{
    QnFindings *findings;
    QnError err = {0};
    struct {
        QnCheckOptions known;
        unsigned char more[16];
    } newer = {.known = {.size = sizeof newer}, .more = {[15] = 1}};
    REQUIRE(t, qn_findings_create(&findings) == QN_OK, "no memory");
    EXPECT(t, qn_model_check(findings, "/nonexistent", NULL, &err) == QN_IO, "%s", err.message);
    EXPECT(t, qn_model_check(findings, "/nonexistent", &newer.known, &err) == QN_BAD_ARGUMENT, "%s",
           err.message);
    EXPECT(t, !strcmp(err.message, "QnCheckOptions has options that this version does not know"),
           "%s", err.message);
    EXPECT(t, qn_findings_count(findings) == 0, "%d findings", qn_findings_count(findings));
    qn_findings_free(findings);
}

/* Compiling is part of it unless it is left out, also where the list holds errors of others. */
TEST(checking_compiles_what_would_load)
{
    Tree tree = tree_make();
    char path[256], level[64];
    QnFindings *findings;
    QnError err = {0};
    const QnCheckOptions options = {.size = sizeof options, .no_plan = true};
    const char *given = getenv("QN_CPU");
    snprintf(level, sizeof level, "%s", given ? given : "");
    REQUIRE(t, qn_findings_create(&findings) == QN_OK, "no memory");
    REQUIRE(t, write_model(&tree, "m.onnx", good, path, sizeof path) == QN_OK, "%s", path);
    read_model(unknown, "first", findings, NULL);
    const int before = qn_findings_count(findings);
    setenv("QN_CPU", "abacus", 1); /* a plan cannot be made */
    EXPECT(t, qn_model_check(findings, path, &options, &err) == QN_OK, "%s", err.message);
    EXPECT(t, qn_findings_count(findings) == before, "%s", qn_findings_get(findings, before).found);
    EXPECT(t, qn_model_check(findings, path, NULL, &err) == QN_OK, "%s", err.message);
    const QnFindingInfo info = qn_findings_get(findings, before);
    EXPECT(t, !strcmp(info.rule, "unplannable") && strstr(info.found, "abacus"), "%s: %s",
           info.rule, info.found);
    EXPECT(t, !*err.message, "%s", err.message);
    given ? setenv("QN_CPU", level, 1) : unsetenv("QN_CPU");
    qn_findings_free(findings);
    tree_remove(&tree);
}

TEST_MAIN(CASE(a_finding_says_what_where_and_what_to_do), CASE(a_list_may_be_given_to_many_calls),
          CASE(checking_succeeds_however_bad_the_model_is),
          CASE(checking_says_what_it_could_not_read), CASE(checking_compiles_what_would_load))
