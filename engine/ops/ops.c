/* SPDX-License-Identifier: Apache-2.0 */
/* Every operator the engine knows:
 * the families, in alphabetic order, and finding a row among them. */
#include "engine/ops/op.h"

#include <stdio.h>

#include "engine/ops/families.h"

const QnOp *const qn_op_families[] = {
#define FAMILY(name) qn_ops_##name,
    QN_OP_FAMILIES(FAMILY)
#undef FAMILY
};
const int qn_op_family_count = QN_COUNT_OF(qn_op_families);

static bool is_domain(const char *row, const char *wanted)
{
    const bool is_default = !wanted || !*wanted || !strcmp(wanted, "ai.onnx");
    return row ? !is_default && !strcmp(row, wanted) : is_default;
}

const QnOp *qn_op_find(const char *domain, const char *name)
{
    for (int f = 0; f < qn_op_family_count; f++)
        for (const QnOp *op = qn_op_families[f]; op->name; op++)
            if (!strcmp(op->name, name) && is_domain(op->domain, domain))
                return op;
    return NULL;
}

const QnInstruction *qn_op_program(const QnNode *node, int *count)
{
    *count = node->def->program_count;
    return node->def->pick_program ? node->def->pick_program(node, count) : node->def->program;
}

/* What resolving a module has met. */
typedef struct Resolving {
    QnReport *report;
    QnError *err; /* the first incomplete node's */
    int unknown, incomplete;
} Resolving;

static void report_unknown(const Resolving *r, const QnNode *node)
{
    char label[256], name[160];
    snprintf(name, sizeof name, "operator %s%s%s", *node->domain ? node->domain : "",
             *node->domain ? "." : "", node->op);
    qn_report_add(r->report, &(QnFinding){
                                 .severity = QN_SEVERE,
                                 .rule = "unknown-operator",
                                 .file = node->graph->module->path,
                                 .node = qn_node_label(node, label, sizeof label),
                                 .found = name,
                                 .expected = "one that `quern ops` lists",
                             });
}

/*
 * The first input that has to be there and is not, by a row's "name[?|*]: type, ..."; -1: none.
 * References, inference and programs rely on it.
 */
static int find_absent(const QnNode *node)
{
    int i = 0;
    for (const char *at = node->def->inputs; (at = strchr(at, ':')); at++) {
        do {
            if (at[-1] != '?' && !qn_node_input(node, i) &&
                (at[-1] != '*' || i < node->input_count))
                return i;
            i++;
        } while (at[-1] == '*' && i < node->input_count);
    }
    return -1;
}

static void report_absent(const Resolving *r, const QnNode *node, int input)
{
    char label[256], field[32];
    const char *name = qn_node_label(node, label, sizeof label);
    snprintf(field, sizeof field, "input %d", input);
    qn_report_add(r->report, &(QnFinding){
                                 .severity = QN_SEVERE,
                                 .rule = "missing-input",
                                 .file = node->graph->module->path,
                                 .node = name,
                                 .field = field,
                                 .found = "it is absent, and not optional",
                             });
    if (r->incomplete == 1)
        qn_fail(r->err, QN_BAD_MODEL, "node '%s': input %d is absent, and not optional", name,
                input);
}

static void resolve_graph(QnGraph *graph, Resolving *r)
{
    for (QnNode *node = graph->first; node; node = node->next) {
        node->def = qn_op_find(node->domain, node->op);
        const int absent = node->def ? find_absent(node) : -1;
        if (!node->def && *node->op) { /* without one: broken, and said so */
            r->unknown++;
            report_unknown(r, node);
        } else if (absent >= 0) {
            r->incomplete++;
            report_absent(r, node, absent);
            node->def = NULL;
        }
        QnGraph *inner;
        for (int i = 0; (inner = qn_node_graph(node, i)); i++)
            resolve_graph(inner, r);
    }
}

QnStatus qn_ops_resolve(QnModule *module, QnReport *report, QnError *err)
{
    Resolving r = {.report = report, .err = err};
    resolve_graph(module->main, &r);
    const QnStatus status = r.unknown ? QN_UNSUPPORTED : r.incomplete ? QN_BAD_MODEL : QN_OK;
    if (status != QN_OK && report && report->first && qn_report_is_bad(report))
        return qn_report_fail(report, status, err);
    if (r.unknown)
        return qn_fail(err, status, "%d nodes have operators that are not known", r.unknown);
    return status;
}

/* ---- signatures ---- */

static bool is_any(QnType type)
{
    return type != QN_UNDEFINED;
}

static bool is_number(QnType type)
{
    return qn_type_is_float(type) || qn_type_is_integer(type);
}

/* The words of signatures that stand for more than one type. */
static const struct {
    const char *word;
    bool (*holds)(QnType type);
} type_groups[] = {
    {"any", is_any},        {"float", qn_type_is_float},   {"integer", qn_type_is_integer},
    {"numeric", is_number}, {"signed", qn_type_is_signed},
};

/* Is a word of a signature a group or a kind that holds the type, or its name? */
static bool word_holds(const char *word, size_t size, const QnIrType *type)
{
    static const char *const kinds[] = {
        [QN_SEQUENCE] = "sequence", [QN_OPTIONAL] = "optional", [QN_MAP] = "map"};
    if (type->kind != QN_TENSOR)
        return (size == 3 && !memcmp(word, "any", 3)) ||
               (strlen(kinds[type->kind]) == size && !memcmp(word, kinds[type->kind], size));
    for (size_t i = 0; i < QN_COUNT_OF(type_groups); i++)
        if (strlen(type_groups[i].word) == size && !memcmp(type_groups[i].word, word, size))
            return type_groups[i].holds(type->element);
    const char *name = qn_type_name(type->element);
    return strlen(name) == size && !memcmp(name, word, size);
}

/* The types of parameter i, "float or int64": the last one repeats where it is variadic, T means
 * those of the first.  NULL: there is no such parameter. */
static const char *find_parameter(const char *signature, int i, size_t *size)
{
    const char *at = signature;
    for (; at && *at; i--) {
        const size_t length = strcspn(at, ",");
        const char *colon = memchr(at, ':', length);
        const bool is_variadic = memchr(at, '*', length) != NULL;
        if (colon && (i == 0 || is_variadic)) {
            *size = length - (size_t)(colon + 2 - at);
            return *size == 1 && colon[2] == 'T' && at != signature
                       ? find_parameter(signature, 0, size)
                       : colon + 2;
        }
        at += length + (at[length] ? 2 : 0);
    }
    return NULL;
}

bool qn_op_accepts(const QnOp *op, int i, const QnIrType *type, char *expected, size_t size)
{
    size_t left = 0;
    const char *at = find_parameter(op->inputs, i, &left);
    if (!at || type->kind == QN_NONE || (type->kind == QN_TENSOR && !type->element))
        return true;
    snprintf(expected, size, "%.*s", (int)left, at);
    while (left > 0) {
        size_t length = 0;
        while (length < left && at[length] != ' ')
            length++;
        if (word_holds(at, length, type))
            return true;
        while (length < left && at[length] == ' ')
            length++;
        at += length;
        left -= length;
    }
    return false;
}

/* ---- attributes ---- */

/* The row's default of an attribute; a zero one where the row has none of that name. */
static QnOpAttribute find_default(const QnNode *node, const char *name)
{
    if (node->def && node->def->attributes)
        for (const QnOpAttribute *row = node->def->attributes; row->name; row++)
            if (!strcmp(row->name, name))
                return *row;
    return (QnOpAttribute){.name = name};
}

int64_t qn_op_int(const QnNode *node, const char *name)
{
    return qn_node_int(node, name, find_default(node, name).i);
}

double qn_op_float(const QnNode *node, const char *name)
{
    return qn_node_float(node, name, find_default(node, name).f);
}

QnString qn_op_string(const QnNode *node, const char *name)
{
    const char *text = find_default(node, name).s;
    return qn_node_string(node, name, text ? text : "");
}

bool qn_op_string_is(const QnNode *node, const char *name, const char *wanted)
{
    const QnString text = qn_op_string(node, name);
    return text.size == strlen(wanted) && memcmp(text.data, wanted, text.size) == 0;
}
