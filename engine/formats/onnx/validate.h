/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the format allows: checks a parsed model against the schema table and the rules of graphs.
 *
 * Every finding goes to the reader's report, in one walk that goes on past what it does not know.
 * Severe is what keeps the model from running; what breaks a rule and runs all the same is a
 * breach, what is only odd a warning.  On the way every node gets its schema row, its function and
 * its since-version, and what a severe finding is about is marked as broken.
 *
 * A read for checking (QnReadOptions.is_checking) looks further, at what no run depends on.
 */
#ifndef QN_ENGINE_FORMATS_ONNX_VALIDATE_H
#define QN_ENGINE_FORMATS_ONNX_VALIDATE_H

#include "engine/formats/onnx/hints.h"
#include "engine/formats/onnx/model.h"

/* QN_OK also where there are findings: the reader looks at the report when all steps that can go on
 * have. */
QnStatus onnx_validate(OnnxModel *model, QnReader *in);

/* One validation at work; shared by the files that check one kind of thing each. */
typedef struct OnnxChecker {
    QnReader *in;
    OnnxModel *model;
    const OnnxFunction *function; /* whose body is checked; NULL: the model's graphs */
    const OnnxImport *imports;    /* [import_count] of the model or of the function */
    int import_count;
    OnnxScope *functions;  /* the model's, by onnx_function_key */
    OnnxScope *declared;   /* attributes of `function`, by name */
    OnnxScope *unimported; /* domains that nodes have and nobody imports, each said once */
    bool is_checking;
} OnnxChecker;

/* Adds a finding; the file is filled in. */
void onnx_add_finding(const QnReader *in, QnFinding finding);

/* The same about a node; a severe one breaks it. */
void onnx_complain(const OnnxChecker *c, OnnxNode *node, QnFinding finding);

/* A formatted text for a finding, in scratch memory; "" where there is no memory, and where the
 * report has no room for the finding. */
const char *onnx_say(const QnReader *in, const char *format, ...) QN_PRINTF(2, 3);

/* What a finding calls a node, with the function around it. */
const char *onnx_label(const OnnxChecker *c, const OnnxNode *node);

/* validate_graph.c: names, types, nodes and outputs of a graph inside `outer` (NULL: nothing); of a
 * function's body. */
QnStatus onnx_check_graph(OnnxChecker *c, OnnxGraph *graph, const OnnxScope *outer);
QnStatus onnx_check_body(OnnxChecker *c, OnnxFunction *function);

/* validate_usage.c: the order of the nodes, and what leads to no output.  `outputs` [count]. */
QnStatus onnx_check_usage(OnnxChecker *c, OnnxGraph *graph, const char *const *outputs, int count);

/* validate_node.c: finds the node's definition; checks counts and types against it. */
QnStatus onnx_resolve_node(OnnxChecker *c, OnnxNode *node);
QnStatus onnx_check_node(OnnxChecker *c, OnnxNode *node, const OnnxScope *scope);

/* The imported version of a domain; where it is not imported, the newest known, or 1 for ai.onnx
 * before IR 3. */
int64_t onnx_imported_version(const OnnxChecker *c, const char *domain);

/* What stands for a function among others of its name; NULL: no memory. */
const char *onnx_function_key(const OnnxChecker *c, const char *domain, const char *name,
                              const char *overload);

/* validate_gradient.c: lets a Gradient read the values that it names. */
QnStatus onnx_name_gradient(OnnxChecker *c, OnnxNode *node, const OnnxScope *scope);

/* validate_type.c: the types of its inputs and outputs. */
void onnx_check_types(OnnxChecker *c, OnnxNode *node, const OnnxScope *scope);

/* validate_rules.c: what only operators of that name have to keep; for checking. */
void onnx_check_rules(OnnxChecker *c, OnnxNode *node);

/* validate_attribute.c: names, kinds and values of a node's attributes. */
QnStatus onnx_check_attributes(OnnxChecker *c, OnnxNode *node);

/* validate_tensor.c: checks type, size and storage.  `owner`: who holds it, for the message.  One
 * that a severe finding is about is marked. */
void onnx_check_tensor(const QnReader *in, OnnxTensor *tensor, const char *owner);
void onnx_check_sparse(const QnReader *in, OnnxSparse *sparse, const char *owner);

/* Number of elements of dims, or -1 where they are negative, too many or their product does not
 * fit. */
int64_t onnx_count_elements(const QnProtoList *dims);

#endif
