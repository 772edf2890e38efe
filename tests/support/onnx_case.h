/* SPDX-License-Identifier: Apache-2.0 */
/* One line per reading of an ONNX model: bytes or text in,
 * the graph or what is wrong with it as text out. */
#ifndef QN_TESTS_ONNX_CASE_H
#define QN_TESTS_ONNX_CASE_H

#include "engine/formats/format.h"
#include "engine/ir/text.h"
#include "tests/support/onnx_bytes.h"

/* A text to compare; freed by the next call. */
typedef struct OnnxCase {
    QnText bytes, text;
} OnnxCase;

static inline void onnx_case_finish(OnnxCase *c)
{
    qn_text_finish(&c->bytes);
    qn_text_finish(&c->text);
}

/* Reads `c->bytes`.  The graph's text, or every finding on a line of its own, or the error. */
static inline const char *onnx_case_read(OnnxCase *c, const QnReadOptions *options)
{
    static const char *const severities[] = {"note", "warning", "breach", "severe"};
    QnArena arena = {0};
    QnReport report = qn_report(&arena);
    QnModule *module = NULL;
    QnError err = {0};
    qn_text_finish(&c->text);
    c->text = qn_text(NULL);
    const QnStatus status = qn_format_read(&module, NULL, qn_bytes(c->bytes.data, c->bytes.size),
                                           options, &report, &err);
    for (const QnFinding *f = report.first; f; f = f->next) {
        char line[2048];
        qn_finding_print(f, line, sizeof line);
        qn_text_printf(&c->text, "%s: %s %s\n", severities[f->severity], f->rule, line);
    }
    if (status == QN_OK) {
        QnError broken = {0};
        if (qn_module_verify(module, &broken) != QN_OK)
            qn_text_printf(&c->text, "not well-formed: %s\n", broken.message);
        qn_module_print(module, &c->text);
        qn_module_free(module);
    } else if (!report.first) {
        qn_text_printf(&c->text, "error: %s\n", err.message);
    }
    qn_arena_finish(&arena);
    return qn_text_string(&c->text);
}

/* A graph as text becomes an ONNX file of that version, which is read. */
static inline const char *onnx_case_text(OnnxCase *c, int ir_version, int opset, int ml,
                                         const char *graph)
{
    QnModule *module;
    QnError err = {0};
    qn_text_finish(&c->bytes);
    c->bytes = qn_text(NULL);
    if (qn_module_parse(&module, graph, NULL, &err) != QN_OK) {
        qn_text_finish(&c->text);
        c->text = qn_text(NULL);
        qn_text_printf(&c->text, "no graph: %s\n", err.message);
        return qn_text_string(&c->text);
    }
    onnx_bytes(&c->bytes, module, ir_version, opset, ml);
    qn_module_free(module);
    return onnx_case_read(c, NULL);
}

/* The lines of the main graph between its first and last, without indentation; findings where there
 * is no graph. */
static inline void onnx_case_body(const char *text, char *out, size_t size)
{
    size_t length = 0;
    const char *graph = strstr(text, "graph main(");
    const char *line = graph ? strchr(graph, '\n') : text - 1;
    while (line && line[1] && length + 2 < size) {
        const char *start = line + 1 + strspn(line + 1, " ");
        line = strchr(start, '\n');
        const size_t n = line ? (size_t)(line - start) : strlen(start);
        if (n == 0 || *start == '}' || (graph && !strncmp(start, "return", 6)))
            continue;
        for (size_t i = 0; i < n && length + 2 < size; i++)
            out[length++] = start[i];
        out[length++] = '\n';
    }
    out[length] = 0;
}

#endif
