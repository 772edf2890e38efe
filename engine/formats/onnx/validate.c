/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of the model and its functions; graphs, nodes and tensors have files of their own. */
#include "engine/formats/onnx/validate.h"

#include <stdio.h>
#include <string.h>

void onnx_add_finding(const QnReader *in, QnFinding finding)
{
    finding.file = in->file;
    qn_report_add(in->report, &finding);
}

const char *onnx_say(const QnReader *in, const char *format, ...)
{
    va_list args, again;
    if (qn_report_is_full(in->report))
        return "";
    va_start(args, format);
    va_copy(again, args);
    const int length = vsnprintf(NULL, 0, format, args);
    char *text = length < 0 ? NULL : qn_arena_alloc(in->scratch, (size_t)length + 1);
    if (text)
        vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(args);
    return text ? text : "";
}

static void fail(const QnReader *in, const char *rule, const char *node, const char *found,
                 const char *expected)
{
    onnx_add_finding(in, (QnFinding){.severity = QN_SEVERE,
                                     .rule = rule,
                                     .node = node,
                                     .found = found,
                                     .expected = expected});
}

/* --- versions --- */

static void check_ir_version(const OnnxModel *model, const QnReader *in)
{
    const long long version = (long long)model->ir_version;
    QnFinding finding = {.severity = QN_BREACH,
                         .rule = "onnx-ir-version",
                         .field = "ir_version",
                         .found = onnx_say(in, "%lld", version),
                         .expected = onnx_say(in, "1 to %d", onnx_newest_ir()),
                         .remedy = "it is read as 1"};
    if (version > onnx_newest_ir()) {
        finding.severity = QN_WARNING;
        finding.found =
            onnx_say(in, "%lld is newer than %d, the newest known", version, onnx_newest_ir());
        finding.expected = NULL;
        finding.remedy = "what is new in it is not seen";
    }
    if (version < 1 || version > onnx_newest_ir())
        onnx_add_finding(in, finding);
}

static void breach_imports(const QnReader *in, const char *node, const char *found,
                           const char *expected, const char *remedy)
{
    onnx_add_finding(in, (QnFinding){.severity = QN_BREACH,
                                     .rule = "onnx-opset-import",
                                     .node = node,
                                     .field = "opset_import",
                                     .found = found,
                                     .expected = expected,
                                     .remedy = remedy});
}

static void check_import(const OnnxImport *import, const char *owner, const QnReader *in)
{
    const char *name = import->domain[0] ? import->domain : "ai.onnx";
    const int newest = onnx_domain_newest(import->domain);
    if (newest && import->version > newest)
        onnx_add_finding(
            in, (QnFinding){.severity = QN_WARNING,
                            .rule = "onnx-opset-version",
                            .node = owner,
                            .field = "opset_import",
                            .found = onnx_say(in,
                                              "version %lld of %s is newer than %d, the "
                                              "newest known",
                                              (long long)import->version, name, newest),
                            .remedy = "operators are read as of the newest known version"});
    if (import->version < 1)
        fail(in, "onnx-opset-version", owner,
             onnx_say(in, "version %lld of %s is imported", (long long)import->version, name),
             "1 or more");
}

/* Imports are looked through for every node, so a file may not have any number of them. */
enum { IMPORT_LIMIT = 256 };

/* `owner`: the function whose they are; NULL: the model's.  Gives how many of them count. */
static int check_imports(const OnnxImport *imports, int count, const char *owner,
                         const QnReader *in)
{
    if (count > IMPORT_LIMIT) {
        fail(in, "onnx-opset-import", owner, onnx_say(in, "%d domains are imported", count),
             onnx_say(in, "at most %d", IMPORT_LIMIT));
        count = IMPORT_LIMIT;
    }
    for (int i = 0; i < count; i++) {
        for (int k = 0; k < i; k++)
            if (!strcmp(imports[i].domain, imports[k].domain))
                breach_imports(in, owner,
                               onnx_say(in, "%s is there twice",
                                        imports[i].domain[0] ? imports[i].domain : "ai.onnx"),
                               "one version of each domain", "the first one counts");
        check_import(&imports[i], owner, in);
    }
    return count;
}

static void check_versions(const OnnxModel *model, const QnReader *in)
{
    check_ir_version(model, in);
    if (model->ir_version >= 3 && model->imports.count == 0)
        breach_imports(in, NULL, "it is not there", "a version of ai.onnx",
                       "the newest versions are assumed");
    if (model->ir_version > 0 && model->ir_version < 3 && model->imports.count > 0)
        breach_imports(in, NULL, "it is there", "none before ir_version 3", NULL);
}

/* --- what else a model says of itself --- */

static void check_metadata(const OnnxModel *model, const QnReader *in)
{
    OnnxScope keys = onnx_scope(in->scratch, NULL);
    for (int i = 0; i < model->metadata.count; i++) {
        OnnxEntry *entry = &model->metadata.items[i];
        if (onnx_scope_find_here(&keys, entry->key))
            onnx_add_finding(
                in, (QnFinding){.severity = QN_BREACH,
                                .rule = "onnx-metadata-key",
                                .field = "metadata_props",
                                .found = onnx_say(in, "the key '%s' is there twice", entry->key),
                                .expected = "each once"});
        else if (onnx_scope_put(&keys, entry->key, entry) != QN_OK)
            return; /* no memory: the steps to come say so */
    }
}

static void check_graph_name(const OnnxModel *model, const QnReader *in)
{
    if (model->has_graph && in->options->is_checking && !model->graph.name[0])
        onnx_add_finding(in, (QnFinding){.severity = QN_BREACH,
                                         .rule = "onnx-graph-name",
                                         .node = "the graph",
                                         .field = "name",
                                         .found = "it is empty",
                                         .expected = "a name"});
}

/* --- functions --- */

const char *onnx_function_key(const OnnxChecker *c, const char *domain, const char *name,
                              const char *overload)
{
    return qn_arena_printf(c->in->scratch, "%s\1%s\1%s", domain, name, overload);
}

static const char *function_label(const OnnxChecker *c, const OnnxFunction *function)
{
    return onnx_say(c->in, "function '%s'", function->name);
}

/* Of two with the same key the first one counts. */
static QnStatus find_functions(OnnxChecker *c)
{
    for (int i = 0; i < c->model->functions.count; i++) {
        OnnxFunction *function = c->model->functions.items[i];
        const char *key =
            onnx_function_key(c, function->domain, function->name, function->overload);
        if (!key)
            return QN_NO_MEMORY;
        function->is_called = onnx_scope_find_here(c->functions, key) != NULL; /* said already */
        if (function->is_called)
            onnx_add_finding(c->in, (QnFinding){.severity = QN_BREACH,
                                                .rule = "onnx-duplicate-function",
                                                .node = function_label(c, function),
                                                .found = onnx_say(c->in, "domain '%s' has it twice",
                                                                  function->domain),
                                                .expected = "once",
                                                .remedy = "the first one counts"});
        else
            QN_TRY(onnx_scope_put(c->functions, key, function));
    }
    return QN_OK;
}

static QnStatus declare(OnnxChecker *c, const char *name)
{
    if (onnx_scope_find_here(c->declared, name))
        onnx_add_finding(c->in, (QnFinding){.severity = QN_BREACH,
                                            .rule = "onnx-duplicate-attribute",
                                            .node = function_label(c, c->function),
                                            .field = onnx_say(c->in, "attribute '%s'", name),
                                            .found = "it is declared twice",
                                            .expected = "once, with a default or without"});
    return onnx_scope_put(c->declared, name, (void *)(uintptr_t)name);
}

static QnStatus check_function(const OnnxChecker *outer, OnnxFunction *function)
{
    OnnxScope declared = onnx_scope(outer->in->scratch, NULL);
    OnnxScope unimported = onnx_scope(outer->in->scratch, NULL);
    OnnxChecker c = *outer;
    c.function = function;
    c.declared = &declared;
    c.unimported = &unimported;
    c.imports = function->imports.items;
    c.import_count = check_imports(function->imports.items, function->imports.count,
                                   function_label(&c, function), c.in);
    for (int i = 0; i < function->attributes.count; i++)
        QN_TRY(declare(&c, function->attributes.items[i]));
    for (int i = 0; i < function->with_defaults.count; i++)
        QN_TRY(declare(&c, function->with_defaults.items[i].name));
    return onnx_check_body(&c, function);
}

static int find_height(OnnxFunction *function, int depth);

/* The greatest height of the functions that a graph's nodes call, plus one; INT_MAX / 2 where a
 * call comes back. */
static int find_height_of_graph(OnnxGraph *graph, int depth)
{
    int height = 0;
    for (int i = 0; i < graph->nodes.count; i++) {
        OnnxNode *node = graph->nodes.items[i];
        int h = node->function ? 1 + find_height(node->function, depth + 1) : 0;
        for (int k = 0; k < node->attributes.count; k++) {
            OnnxAttribute *a = &node->attributes.items[k];
            const int inner = a->graph ? find_height_of_graph(a->graph, depth) : 0;
            h = inner > h ? inner : h;
            for (int g = 0; g < a->graphs.count; g++) {
                const int one = find_height_of_graph(a->graphs.items[g], depth);
                h = one > h ? one : h;
            }
        }
        height = h > height ? h : height;
    }
    return height;
}

enum { CALL_LIMIT = 100, UNKNOWN = -1, AT_WORK = -2 };

/* Height of a function; more than CALL_LIMIT where its calls come back to it or nest too deep. */
static int find_height(OnnxFunction *function, int depth)
{
    if (function->height == AT_WORK || depth > CALL_LIMIT)
        return CALL_LIMIT + 1;
    if (function->height != UNKNOWN)
        return function->height;
    function->height = AT_WORK;
    const int height = find_height_of_graph(&function->body, depth);
    function->height = height > CALL_LIMIT ? CALL_LIMIT + 1 : height;
    return function->height;
}

static void check_height(const OnnxChecker *c, OnnxFunction *function)
{
    if (find_height(function, 0) <= CALL_LIMIT)
        return;
    fail(c->in, "onnx-function-depth", function_label(c, function),
         "it calls itself, or calls nest too deep",
         onnx_say(c->in, "at most %d levels", CALL_LIMIT));
    function->is_broken = true;
}

static QnStatus check_functions(OnnxChecker *c)
{
    const OnnxModel *model = c->model;
    for (int i = 0; i < model->functions.count; i++)
        QN_TRY(check_function(c, model->functions.items[i]));
    for (int i = 0; i < model->functions.count; i++)
        check_height(c, model->functions.items[i]);
    return QN_OK;
}

/* Function bodies are checked before the graph that calls them, so what is called is known only
 * now. */
static void check_calls(const OnnxChecker *c)
{
    for (int i = 0; c->is_checking && i < c->model->functions.count; i++)
        if (!c->model->functions.items[i]->is_called)
            onnx_add_finding(c->in,
                             (QnFinding){.severity = QN_NOTE,
                                         .rule = "onnx-unused-function",
                                         .node = function_label(c, c->model->functions.items[i]),
                                         .found = "nothing calls it"});
}

QnStatus onnx_validate(OnnxModel *model, QnReader *in)
{
    OnnxScope functions = onnx_scope(in->scratch, NULL), unimported = onnx_scope(in->scratch, NULL);
    OnnxChecker c = {.in = in,
                     .model = model,
                     .imports = model->imports.items,
                     .functions = &functions,
                     .unimported = &unimported,
                     .is_checking = in->options->is_checking};
    if (!model->has_graph)
        fail(in, "onnx-no-graph", NULL, "the model has no graph", "one");
    check_versions(model, in);
    c.import_count = check_imports(model->imports.items, model->imports.count, NULL, in);
    check_metadata(model, in);
    check_graph_name(model, in);
    QN_TRY(find_functions(&c));
    QN_TRY(check_functions(&c));
    QN_TRY(onnx_check_graph(&c, &model->graph, NULL));
    check_calls(&c);
    return QN_OK;
}
