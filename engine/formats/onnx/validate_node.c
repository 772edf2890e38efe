/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of one node: which definition applies, and whether what it has fits that. */
#include <string.h>

#include "engine/formats/onnx/upgrade.h"
#include "engine/formats/onnx/validate.h"
#include "engine/ops/op.h"

/* Lists of imports and of parameters are looked through name by name: only those of a sane size
 * are. */
enum { PARAMETER_LIMIT = 256, IMPORT_LIMIT = 256 };

static const char *domain_name(const char *domain)
{
    return domain[0] ? domain : "ai.onnx";
}

/* --- which definition --- */

static OnnxFunction *find_function(const OnnxChecker *c, const OnnxNode *node)
{
    if (c->model->functions.count == 0)
        return NULL;
    const char *key = onnx_function_key(c, node->domain, node->op, node->overload);
    return key ? onnx_scope_find_here(c->functions, key) : NULL;
}

static const OnnxImport *find_import(const OnnxChecker *c, const char *domain)
{
    for (int i = 0; i < c->import_count; i++)
        if (!strcmp(c->imports[i].domain, domain))
            return &c->imports[i];
    return NULL;
}

int64_t onnx_imported_version(const OnnxChecker *c, const char *domain)
{
    const OnnxImport *import = find_import(c, domain);
    if (import)
        return import->version;
    if (!domain[0] && c->model->ir_version < 3)
        return 1;
    const int newest = onnx_domain_newest(domain);
    return newest ? newest : 1;
}

/* A domain that nodes use has to be imported.  Said once for each; a model that imports nothing at
 * all has its finding already. */
static QnStatus check_import(OnnxChecker *c, OnnxNode *node)
{
    if (!c->is_checking || c->import_count == 0 || find_import(c, node->domain) ||
        onnx_scope_find_here(c->unimported, node->domain))
        return QN_OK;
    onnx_complain(c, node,
                  (QnFinding){.severity = QN_BREACH,
                              .rule = "onnx-opset-import",
                              .found = onnx_say(c->in, "its domain %s is not imported",
                                                domain_name(node->domain)),
                              .expected = "an entry in opset_import",
                              .remedy = "the newest known version is assumed"});
    return onnx_scope_put(c->unimported, node->domain, node);
}

/* What took the place of operators that went away. */
static const char *successor(const char *op)
{
    static const struct {
        const char *op, *now;
    } rows[] = {
        {"GroupNormalization", "use the one of version 21, whose scale and bias are per channel"},
        {"Scatter", "use ScatterElements"},
        {"TreeEnsembleClassifier", "use TreeEnsemble"},
        {"TreeEnsembleRegressor", "use TreeEnsemble"},
        {"Upsample", "use Resize"},
    };
    for (size_t i = 0; i < QN_COUNT_OF(rows); i++)
        if (!strcmp(rows[i].op, op))
            return rows[i].now;
    return NULL;
}

/*
 * Rows say "deprecated" from the version in which an operator went away; the one before still says
 * what it meant.  A row that was deprecated after it was published (GroupNormalization 18) has no
 * other before it and stands itself.
 */
static const OnnxSchema *undeprecated(OnnxChecker *c, OnnxNode *node, const OnnxSchema *row)
{
    if (!row || !row->is_deprecated)
        return row;
    const OnnxSchema *before = onnx_schema_find(node->domain, node->op, row->since - 1);
    onnx_complain(c, node,
                  (QnFinding){.severity = QN_BREACH,
                              .rule = "onnx-deprecated-operator",
                              .found = onnx_say(c->in, "%s is deprecated since version %d of %s",
                                                node->op, row->since, domain_name(node->domain)),
                              .remedy = successor(node->op)});
    return before ? before : row;
}

/* An operator that exists, but only from a later version on: common in files of optimizers, and
 * harmless. */
static const OnnxSchema *too_new(OnnxChecker *c, OnnxNode *node, int64_t version)
{
    const OnnxSchema *first = onnx_schema_first(node->domain, node->op);
    if (first)
        onnx_complain(
            c, node,
            (QnFinding){.severity = QN_BREACH,
                        .rule = "onnx-operator-version",
                        .found = onnx_say(c->in, "%s exists from version %d of %s on", node->op,
                                          first->since, domain_name(node->domain)),
                        .expected = onnx_say(c->in, "an operator of version %lld, as imported",
                                             (long long)version),
                        .remedy = "import a version that has it"});
    return first;
}

/* Domains of libraries whose operators no file defines, and what to do about them. */
static const struct {
    const char *domain, *remedy;
} foreign_domains[] = {
    {"ai.onnx.contrib",
     "it belongs to ONNX Runtime Extensions: leave pre- and post-processing out"},
    {"com.ms.internal.nhwc",
     "it is internal to ONNX Runtime: use the file from before optimization"},
    {"mmdeploy", "its code is in a plugin: export without custom operators"},
    {"org.pytorch.aten", "it calls PyTorch's own library: export with standard operators"},
    {"trt.plugins", "its code is in a plugin of TensorRT: export with standard operators"},
};

static const char *find_remedy(const char *domain)
{
    for (size_t i = 0; i < QN_COUNT_OF(foreign_domains); i++)
        if (!strcmp(foreign_domains[i].domain, domain))
            return foreign_domains[i].remedy;
    return "export it as a function, or with standard operators";
}

static void complain_unknown(OnnxChecker *c, OnnxNode *node, int64_t version)
{
    const bool is_known_domain = onnx_domain_newest(node->domain) > 0;
    const bool has_room = qn_report_has_room(c->in->report, QN_SEVERE); /* looking takes long */
    const char *near =
        is_known_domain && has_room ? onnx_schema_did_you_mean(node->domain, node->op) : NULL;
    const char *remedy = find_remedy(node->domain);
    if (near)
        remedy = onnx_say(c->in, "did you mean %s?", near);
    onnx_complain(
        c, node,
        (QnFinding){.severity = c->in->options->keeps_unknown ? QN_WARNING : QN_SEVERE,
                    .rule = is_known_domain ? "onnx-unknown-operator" : "onnx-unknown-domain",
                    .found = onnx_say(c->in, "operator %s of %s version %lld is not known",
                                      node->op, domain_name(node->domain), (long long)version),
                    .remedy = remedy});
}

/* Operators of early files that ONNX calls experiments: it says nothing of them, and takes them. */
static bool is_experiment(const OnnxNode *node)
{
    static const char *const names[] = {
        "ATen",
        "Affine",
        "ConstantFill",
        "Crop",
        "DynamicSlice",
        "GRUUnit",
        "GivenTensorFill",
        "ImageScaler",
        "ParametricSoftplus",
        "Scale",
        "ScaledTanh",
    };
    for (size_t i = 0; i < QN_COUNT_OF(names) && !node->domain[0]; i++)
        if (!strcmp(names[i], node->op))
            return true;
    return false;
}

static void warn_experiment(OnnxChecker *c, OnnxNode *node)
{
    if (c->is_checking)
        onnx_complain(c, node,
                      (QnFinding){.severity = QN_WARNING,
                                  .rule = "onnx-experimental-operator",
                                  .found = onnx_say(c->in,
                                                    "%s was an experiment and never part of "
                                                    "ONNX",
                                                    node->op),
                                  .remedy = "export the model anew"});
}

/* A row that ONNX Runtime keeps, and ONNX never had: what it means is known all the same. */
static void breach_extra(OnnxChecker *c, OnnxNode *node, int64_t version)
{
    if (onnx_schema_first(node->domain, node->op))
        too_new(c, node, version);
    else
        onnx_complain(c, node,
                      (QnFinding){.severity = QN_BREACH,
                                  .rule = "onnx-operator-version",
                                  .found = onnx_say(c->in,
                                                    "%s is an operator of ONNX Runtime, not "
                                                    "of ONNX",
                                                    node->op)});
}

/* Operators without a public schema that pass unchecked: those of the engine's own table. */
static bool is_vendor_operator(const OnnxNode *node)
{
    return node->domain[0] && qn_op_find(node->domain, node->op);
}

static void resolve_schema(OnnxChecker *c, OnnxNode *node)
{
    const int64_t version = onnx_imported_version(c, node->domain);
    const OnnxSchema *row = onnx_schema_find(node->domain, node->op, version);
    if (is_experiment(node)) {
        warn_experiment(c, node);
        node->schema = row && row->is_deprecated
                           ? onnx_schema_find(node->domain, node->op, row->since - 1)
                           : row;
    } else {
        node->schema = undeprecated(c, node, row);
        if (node->schema && node->schema->is_extra)
            breach_extra(c, node, version);
    }
    const bool is_unchecked = is_vendor_operator(node) || onnx_upgrade_is_experimental(node);
    if (!node->schema && !is_unchecked)
        node->schema = too_new(c, node, version);
    if (node->schema)
        node->since = node->schema->since;
    else if (!is_unchecked)
        complain_unknown(c, node, version);
}

QnStatus onnx_resolve_node(OnnxChecker *c, OnnxNode *node)
{
    if (!node->op[0]) {
        onnx_complain(c, node,
                      (QnFinding){.severity = QN_SEVERE,
                                  .rule = "onnx-unknown-operator",
                                  .field = "op_type",
                                  .found = "it is empty",
                                  .expected = "the name of an operator"});
        return QN_OK;
    }
    QN_TRY(check_import(c, node));
    node->function = find_function(c, node);
    if (node->function)
        node->function->is_called = true;
    else
        resolve_schema(c, node);
    return QN_OK;
}

/* --- calls of functions --- */

static const char *range_text(const OnnxChecker *c, int min, int max)
{
    if (max == ONNX_MANY)
        return onnx_say(c->in, "%d or more", min);
    return min == max ? onnx_say(c->in, "%d", min) : onnx_say(c->in, "%d to %d", min, max);
}

/* A body of another version than the model's means something else where the operator changed. */
static void check_body_version(OnnxChecker *c, OnnxNode *node)
{
    for (int i = 0; i < c->model->imports.count && i < IMPORT_LIMIT; i++) {
        const OnnxImport *import = &c->model->imports.items[i];
        if (strcmp(import->domain, node->domain) != 0)
            continue;
        const OnnxSchema *outer = onnx_schema_find(node->domain, node->op, import->version);
        if (outer && outer->since != node->since)
            onnx_complain(
                c, node,
                (QnFinding){.severity = QN_BREACH,
                            .rule = "onnx-function-version",
                            .found = onnx_say(c->in, "it means %s-%d", node->op, node->since),
                            .expected =
                                onnx_say(c->in, "%s-%d, as in the model", node->op, outer->since),
                            .remedy = "each body is read as of its own imports"});
        return;
    }
}

static bool is_parameter(const OnnxFunction *function, const char *name)
{
    for (int i = 0; i < function->attributes.count; i++)
        if (!strcmp(function->attributes.items[i], name))
            return true;
    for (int i = 0; i < function->with_defaults.count; i++)
        if (!strcmp(function->with_defaults.items[i].name, name))
            return true;
    return false;
}

static void check_parameters(OnnxChecker *c, OnnxNode *node, const OnnxFunction *function)
{
    for (int i = 0; i < node->attributes.count; i++)
        if (!is_parameter(function, node->attributes.items[i].name))
            onnx_complain(c, node,
                          (QnFinding){.severity = QN_WARNING,
                                      .rule = "onnx-unknown-attribute",
                                      .field = onnx_say(c->in, "attribute '%s'",
                                                        node->attributes.items[i].name),
                                      .found = onnx_say(c->in,
                                                        "function '%s' has none of that "
                                                        "name",
                                                        function->name),
                                      .remedy = "it is ignored"});
    for (int i = 0; i < function->attributes.count; i++)
        if (!onnx_attribute(node, function->attributes.items[i]))
            onnx_complain(c, node,
                          (QnFinding){.severity = QN_WARNING,
                                      .rule = "onnx-missing-attribute",
                                      .field = onnx_say(c->in, "attribute '%s'",
                                                        function->attributes.items[i]),
                                      .found = "it is not there",
                                      .expected = onnx_say(c->in,
                                                           "a value: function '%s' has no "
                                                           "default",
                                                           function->name)});
}

static void check_call(OnnxChecker *c, OnnxNode *node)
{
    const OnnxFunction *function = node->function;
    if (node->inputs.count > function->inputs.count ||
        node->outputs.count > function->outputs.count)
        onnx_complain(c, node,
                      (QnFinding){.severity = QN_BREACH,
                                  .rule = "onnx-function-call",
                                  .found = onnx_say(c->in, "%d inputs and %d outputs",
                                                    node->inputs.count, node->outputs.count),
                                  .expected = onnx_say(c->in,
                                                       "at most %d and %d, as function '%s' "
                                                       "has",
                                                       function->inputs.count,
                                                       function->outputs.count, function->name)});
    if (!c->is_checking)
        return;
    if (node->attributes.count <= PARAMETER_LIMIT &&
        function->attributes.count + function->with_defaults.count <= PARAMETER_LIMIT)
        check_parameters(c, node, function);
}

/* --- counts --- */

/* Without the absent ones at the end. */
static int count_names(const char *const *names, int count)
{
    while (count > 0 && !names[count - 1][0])
        count--;
    return count;
}

/* Absent inputs past the last one that the schema has are left out. */
static void check_rest(OnnxChecker *c, OnnxNode *node)
{
    const OnnxSchema *schema = node->schema;
    if (node->inputs.count <= schema->max_inputs ||
        count_names(node->inputs.items, node->inputs.count) > schema->max_inputs)
        return;
    onnx_complain(c, node,
                  (QnFinding){.severity = QN_BREACH,
                              .rule = "onnx-input-count",
                              .found = onnx_say(c->in, "%s-%d with %d inputs, the last ones absent",
                                                node->op, node->since, node->inputs.count),
                              .expected = range_text(c, schema->min_inputs, schema->max_inputs)});
    node->inputs.count = schema->max_inputs;
}

static void check_counts(OnnxChecker *c, OnnxNode *node)
{
    const OnnxSchema *schema = node->schema;
    const int inputs = count_names(node->inputs.items, node->inputs.count);
    const int outputs = count_names(node->outputs.items, node->outputs.count);
    if (inputs < schema->min_inputs || inputs > schema->max_inputs)
        onnx_complain(
            c, node,
            (QnFinding){.severity = QN_SEVERE,
                        .rule = "onnx-input-count",
                        .found =
                            onnx_say(c->in, "%s-%d with %d inputs", node->op, node->since, inputs),
                        .expected = range_text(c, schema->min_inputs, schema->max_inputs)});
    if (outputs < schema->min_outputs || outputs > schema->max_outputs)
        onnx_complain(
            c, node,
            (QnFinding){
                .severity = outputs > schema->max_outputs || node->outputs.count == 0 ? QN_SEVERE
                                                                                      : QN_BREACH,
                .rule = "onnx-output-count",
                .found = onnx_say(c->in, "%s-%d with %d outputs", node->op, node->since, outputs),
                .expected = range_text(c, schema->min_outputs, schema->max_outputs)});
}

/* --- a node --- */

QnStatus onnx_check_node(OnnxChecker *c, OnnxNode *node, const OnnxScope *scope)
{
    if (node->inputs.count == 0 && node->outputs.count == 0)
        onnx_complain(c, node,
                      (QnFinding){.severity = QN_BREACH,
                                  .rule = "onnx-idle-node",
                                  .found = "it has neither inputs nor outputs"});
    QN_TRY(onnx_check_attributes(c, node));
    if (node->function)
        check_call(c, node);
    if (!node->schema)
        return QN_OK;
    if (c->is_checking && c->function)
        check_body_version(c, node);
    check_counts(c, node);
    check_rest(c, node);
    onnx_check_rules(c, node);
    onnx_check_types(c, node, scope);
    return QN_OK;
}
