/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the format allows: checks a parsed model against the schema table and the rules of graphs.
 *
 * Every finding goes to the reader's report, in one walk that goes on past what it does not know.
 * Severe is what keeps the model from running; the rest are warnings.  On the way every node gets
 * its schema row, its function and its since-version.
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
} OnnxChecker;

/* Adds a finding; the file is filled in. */
void onnx_add_finding(const QnReader *in, QnFinding finding);

/* A formatted text for a finding, in scratch memory; "" where there is no memory. */
const char *onnx_say(const QnReader *in, const char *format, ...) QN_PRINTF(2, 3);

/* validate_node.c: finds the node's definition; checks counts, attributes and types against it. */
QnStatus onnx_resolve_node(OnnxChecker *c, OnnxNode *node);
QnStatus onnx_check_node(OnnxChecker *c, OnnxNode *node, const OnnxScope *scope);

/* validate_tensor.c: checks type, size and storage.  `owner`: who holds it, for the message. */
void onnx_check_tensor(const QnReader *in, const OnnxTensor *tensor, const char *owner);
void onnx_check_sparse(const QnReader *in, const OnnxSparse *sparse, const char *owner);

/* Number of elements of dims, or -1 where they are negative, too many or their product does not
 * fit. */
int64_t onnx_count_elements(const QnProtoList *dims);

#endif
