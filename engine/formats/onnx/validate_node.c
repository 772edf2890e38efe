/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of one node: which definition applies, and whether the node fits it. */
#include <string.h>

#include "engine/formats/onnx/upgrade.h"
#include "engine/formats/onnx/validate.h"
#include "engine/ops/op.h"

static const char *label(const OnnxChecker *c, const OnnxNode *node)
{
    const char *text = onnx_node_label(c->in->scratch, node);
    return c->function ? onnx_say(c->in, "%s in function '%s'", text, c->function->name) : text;
}

static const char *domain_name(const char *domain)
{
    return domain[0] ? domain : "ai.onnx";
}

static void complain(const OnnxChecker *c, const OnnxNode *node, QnFinding finding)
{
    finding.node = label(c, node);
    onnx_add_finding(c->in, finding);
}

/* --- which definition --- */

static OnnxFunction *find_function(const OnnxModel *model, const OnnxNode *node)
{
    for (int i = 0; i < model->functions.count; i++) {
        OnnxFunction *function = model->functions.items[i];
        if (!strcmp(function->name, node->op) && !strcmp(function->domain, node->domain) &&
            !strcmp(function->overload, node->overload))
            return function;
    }
    return NULL;
}

/* The imported version of a domain; where it is not imported, the newest known, or 1 for ai.onnx
 * before IR 3. */
static int64_t imported_version(const OnnxChecker *c, const char *domain)
{
    for (int i = 0; i < c->import_count; i++)
        if (!strcmp(c->imports[i].domain, domain))
            return c->imports[i].version;
    if (!domain[0] && c->model->ir_version < 3)
        return 1;
    const int newest = onnx_domain_newest(domain);
    return newest ? newest : 1;
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
    complain(c, node,
             (QnFinding){.severity = QN_WARNING,
                         .rule = "onnx-deprecated-operator",
                         .found = onnx_say(c->in, "%s is deprecated since version %d of %s",
                                           node->op, row->since, domain_name(node->domain))});
    return before ? before : row;
}

/* An operator that exists, but only from a later version on: common in files of optimizers, and
 * harmless. */
static const OnnxSchema *too_new(OnnxChecker *c, OnnxNode *node, int64_t version)
{
    const OnnxSchema *first = onnx_schema_first(node->domain, node->op);
    if (first)
        complain(c, node,
                 (QnFinding){.severity = QN_WARNING,
                             .rule = "onnx-operator-version",
                             .found = onnx_say(c->in, "%s exists from version %d of %s on",
                                               node->op, first->since, domain_name(node->domain)),
                             .expected = onnx_say(c->in, "an operator of version %lld, as imported",
                                                  (long long)version)});
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
    const char *near = is_known_domain ? onnx_schema_did_you_mean(node->domain, node->op) : NULL;
    const char *remedy = find_remedy(node->domain);
    if (near)
        remedy = onnx_say(c->in, "did you mean %s?", near);
    complain(c, node,
             (QnFinding){.severity = c->in->options->keeps_unknown ? QN_WARNING : QN_SEVERE,
                         .rule = is_known_domain ? "onnx-unknown-operator" : "onnx-unknown-domain",
                         .found = onnx_say(c->in, "operator %s of %s version %lld is not known",
                                           node->op, domain_name(node->domain), (long long)version),
                         .remedy = remedy});
}

/* Operators without a public schema that pass unchecked: those of the engine's own table. */
static bool is_vendor_operator(const OnnxNode *node)
{
    return node->domain[0] && qn_op_find(node->domain, node->op);
}

QnStatus onnx_resolve_node(OnnxChecker *c, OnnxNode *node)
{
    node->function = find_function(c->model, node);
    if (node->function)
        return QN_OK;
    const int64_t version = imported_version(c, node->domain);
    node->schema = undeprecated(c, node, onnx_schema_find(node->domain, node->op, version));
    if (!node->schema && !is_vendor_operator(node) && !onnx_upgrade_is_experimental(node))
        node->schema = too_new(c, node, version);
    if (node->schema)
        node->since = node->schema->since;
    else if (!is_vendor_operator(node) && !onnx_upgrade_is_experimental(node))
        complain_unknown(c, node, version);
    return QN_OK;
}

/* --- attributes --- */

/* Whole numbers given for a FLOAT are common in hand-made files; they mean what they say. */
static bool mend_kind(OnnxAttribute *attribute, int wanted)
{
    if (wanted != ONNX_FLOAT || attribute->kind != ONNX_INT)
        return false;
    attribute->kind = ONNX_FLOAT;
    attribute->f = (float)attribute->i;
    return true;
}

static void check_attribute_kind(OnnxChecker *c, OnnxNode *node, OnnxAttribute *attribute,
                                 const OnnxAttributeSchema *row)
{
    const char *found = onnx_kind_name(attribute->kind);
    if (attribute->kind == row->kind)
        return;
    const bool is_mended = mend_kind(attribute, row->kind);
    complain(c, node,
             (QnFinding){.severity = is_mended ? QN_WARNING : QN_SEVERE,
                         .rule = "onnx-attribute-type",
                         .field = onnx_say(c->in, "attribute '%s'", attribute->name),
                         .found = found,
                         .expected = onnx_kind_name(row->kind)});
}

/* Is the member there that the kind promises?  Empty lists and zeros may be left out. */
static bool has_member(const OnnxAttribute *attribute)
{
    switch (attribute->kind) {
    case ONNX_TENSOR:
        return attribute->tensor != NULL;
    case ONNX_GRAPH:
        return attribute->graph != NULL;
    case ONNX_SPARSE_TENSOR:
        return attribute->sparse != NULL;
    case ONNX_TYPE_PROTO:
        return attribute->type != NULL;
    default:
        return attribute->kind > ONNX_UNDEFINED && attribute->kind < ONNX_KIND_COUNT;
    }
}

static bool is_declared(const OnnxFunction *function, const char *name)
{
    for (int i = 0; i < function->attributes.count; i++)
        if (!strcmp(function->attributes.items[i], name))
            return true;
    for (int i = 0; i < function->with_defaults.count; i++)
        if (!strcmp(function->with_defaults.items[i].name, name))
            return true;
    return false;
}

/* In a function's body an attribute may stand for one of the call. */
static void check_reference(OnnxChecker *c, OnnxNode *node, const OnnxAttribute *attribute)
{
    if (c->function && is_declared(c->function, attribute->ref))
        return;
    complain(c, node,
             (QnFinding){.severity = c->function ? QN_WARNING : QN_SEVERE,
                         .rule = "onnx-attribute-reference",
                         .field = onnx_say(c->in, "attribute '%s'", attribute->name),
                         .found = onnx_say(c->in, "refers to '%s'", attribute->ref),
                         .expected = "an attribute of the function around the node"});
}

static void check_member(OnnxChecker *c, OnnxNode *node, const OnnxAttribute *attribute)
{
    const char *field = onnx_say(c->in, "attribute '%s'", attribute->name);
    const uint32_t others = attribute->filled & ~(1u << (attribute->kind & 31));
    if (!has_member(attribute) || (others && !(attribute->filled & 1u << (attribute->kind & 31))))
        complain(c, node,
                 (QnFinding){.severity = QN_SEVERE,
                             .rule = "onnx-attribute-member",
                             .field = field,
                             .found = onnx_say(c->in, "it says %s and holds no such value",
                                               onnx_kind_name(attribute->kind))});
    if (attribute->tensor)
        onnx_check_tensor(c->in, attribute->tensor,
                          onnx_say(c->in, "%s: %s", label(c, node), field));
    if (attribute->sparse)
        onnx_check_sparse(c->in, attribute->sparse,
                          onnx_say(c->in, "%s: %s", label(c, node), field));
}

static void check_attribute(OnnxChecker *c, OnnxNode *node, int i)
{
    OnnxAttribute *attribute = &node->attributes.items[i];
    const OnnxAttributeSchema *row =
        node->schema ? onnx_schema_attribute(node->schema, attribute->name) : NULL;
    const char *field = onnx_say(c->in, "attribute '%s'", attribute->name);
    if (onnx_attribute(node, attribute->name) != attribute)
        complain(c, node,
                 (QnFinding){.severity = QN_SEVERE,
                             .rule = "onnx-duplicate-attribute",
                             .field = field,
                             .found = "it is there twice"});
    if (attribute->ref[0]) {
        check_reference(c, node, attribute);
        return;
    }
    check_member(c, node, attribute);
    if (row)
        check_attribute_kind(c, node, attribute, row);
    else if (node->schema)
        complain(c, node,
                 (QnFinding){
                     .severity = QN_WARNING,
                     .rule = "onnx-unknown-attribute",
                     .field = field,
                     .found = onnx_say(c->in, "%s-%d has no such attribute", node->op, node->since),
                     .remedy = "it is ignored"});
}

static void check_attributes(OnnxChecker *c, OnnxNode *node)
{
    for (int i = 0; i < node->attributes.count; i++)
        check_attribute(c, node, i);
    const OnnxAttributeSchema *row;
    for (int i = 0; node->schema && (row = onnx_schema_attribute_at(node->schema, i)); i++)
        if (row->flags & ONNX_ATTRIBUTE_REQUIRED &&
            !onnx_attribute(node, onnx_schema_text(row->name)))
            complain(
                c, node,
                (QnFinding){.severity = QN_SEVERE,
                            .rule = "onnx-missing-attribute",
                            .field = onnx_say(c->in, "attribute '%s'", onnx_schema_text(row->name)),
                            .found = "it is not there",
                            .expected = onnx_kind_name(row->kind)});
}

/* --- inputs and outputs --- */

static const char *range_text(const OnnxChecker *c, int min, int max)
{
    if (max == ONNX_MANY)
        return onnx_say(c->in, "%d or more", min);
    return min == max ? onnx_say(c->in, "%d", min) : onnx_say(c->in, "%d to %d", min, max);
}

/* Without the absent ones at the end. */
static int count_names(const char *const *names, int count)
{
    while (count > 0 && !names[count - 1][0])
        count--;
    return count;
}

static void check_counts(OnnxChecker *c, OnnxNode *node)
{
    const OnnxSchema *schema = node->schema;
    const int inputs = count_names(node->inputs.items, node->inputs.count);
    const int outputs = count_names(node->outputs.items, node->outputs.count);
    if (inputs < schema->min_inputs || inputs > schema->max_inputs)
        complain(c, node,
                 (QnFinding){.severity = QN_SEVERE,
                             .rule = "onnx-input-count",
                             .found = onnx_say(c->in, "%s-%d with %d inputs", node->op, node->since,
                                               inputs),
                             .expected = range_text(c, schema->min_inputs, schema->max_inputs)});
    if (outputs < schema->min_outputs || outputs > schema->max_outputs)
        complain(c, node,
                 (QnFinding){.severity = outputs > schema->max_outputs ? QN_SEVERE : QN_WARNING,
                             .rule = "onnx-output-count",
                             .found = onnx_say(c->in, "%s-%d with %d outputs", node->op,
                                               node->since, outputs),
                             .expected = range_text(c, schema->min_outputs, schema->max_outputs)});
}

static void check_input(OnnxChecker *c, OnnxNode *node, int i, const OnnxScope *scope)
{
    const OnnxFormal *formal = onnx_schema_input(node->schema, i);
    if (!formal)
        return;
    const char *field = onnx_say(c->in, "input %d '%s'", i, onnx_schema_text(formal->name));
    if (!onnx_has_input(node, i)) {
        if ((formal->option & ONNX_OPTION_MASK) == ONNX_SINGLE)
            complain(c, node,
                     (QnFinding){.severity = QN_SEVERE,
                                 .rule = "onnx-missing-input",
                                 .field = field,
                                 .found = "it is absent, and not optional"});
        return;
    }
    const OnnxHint hint = onnx_hint(scope, node->inputs.items[i]);
    if (!onnx_hint_fits(&hint, onnx_formal_types(formal)))
        complain(
            c, node,
            (QnFinding){
                .severity = QN_WARNING,
                .rule = "onnx-input-type",
                .field = field,
                .found = onnx_say(c->in, "its type is %s", onnx_hint_text(c->in->scratch, &hint)),
                .expected = onnx_say(c->in, "one that %s-%d takes", node->op, node->since)});
}

QnStatus onnx_check_node(OnnxChecker *c, OnnxNode *node, const OnnxScope *scope)
{
    if (node->inputs.count == 0 && node->outputs.count == 0)
        complain(c, node,
                 (QnFinding){.severity = QN_WARNING,
                             .rule = "onnx-idle-node",
                             .found = "it has neither inputs nor outputs"});
    check_attributes(c, node);
    if (!node->schema)
        return QN_OK;
    check_counts(c, node);
    for (int i = 0; i < node->inputs.count; i++)
        check_input(c, node, i, scope);
    return QN_OK;
}
