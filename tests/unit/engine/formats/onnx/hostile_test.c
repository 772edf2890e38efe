/* SPDX-License-Identifier: Apache-2.0 */
/* Models that were cut, flipped, nested or starved of memory:
 * always a status and a sentence, never a crash. */
#include "tests/support/onnx_case.h"
#include "tests/support/test.h"

/* A model with a bit of everything: sub-graphs, strings, an old operator, a default. */
static const char graph[] =
    "graph main(%c: bool[], %x: float[N,3], %d: float[1] = {2}) {"
    "  const %w: float[3] = {1, 2.5, -3}"
    "  const %k: string[2] = {\"a b\", \"\"}"
    "  %a = Add(%x, %w) {broadcast = 1, axis = 1}"
    "  %s = Softmax(%a) {axis = 0}"
    "  %y = If(%c) {then_branch = graph yes() { %p = Relu(%s) return %p }, "
    "               else_branch = graph no() { const %q: float[1] = {7} return %q }}"
    "  %z = Constant() {value = tensor string[2] {\"s\", \"t\"}}"
    "  %u = Unsqueeze(%d) {axes = [0]}"
    "  return %y, %z, %u }";

static bool make(Test *t, OnnxCase *c)
{
    const char *text = onnx_case_text(c, 4, 6, 1, graph);
    return EXPECT(t, strstr(text, "graph main("), "%s", text);
}

/* Reads a copy that ends where its memory ends, so that a sanitizer sees a read past it. */
static QnStatus read_copy(const char *data, size_t size, const QnReadOptions *options, QnError *err)
{
    QnModule *module = NULL;
    char *copy = malloc(size ? size : 1);
    if (!copy)
        return QN_NO_MEMORY;
    memcpy(copy, data, size);
    *err = (QnError){0};
    const QnStatus status =
        qn_format_read(&module, "m.onnx", qn_bytes(copy, size), options, NULL, err);
    if (status == QN_OK)
        qn_module_free(module);
    free(copy);
    return status;
}

TEST(a_model_cut_at_any_byte_has_a_sentence)
{
    OnnxCase c = {0};
    QnError err;
    if (make(t, &c))
        for (size_t size = 0; size < c.bytes.size; size++) {
            const QnStatus status = read_copy(c.bytes.data, size, NULL, &err);
            EXPECT(t,
                   status == QN_OK ||
                       (strlen(err.message) > 10 && !strncmp(err.message, "m.onnx: ", 8)),
                   "%zu bytes: %s", size, err.message);
        }
    onnx_case_finish(&c);
}

TEST(a_model_with_any_bit_flipped_has_a_status)
{
    OnnxCase c = {0};
    QnError err;
    if (make(t, &c))
        for (size_t bit = 0; bit < 8 * c.bytes.size; bit++) {
            c.bytes.data[bit / 8] = (char)(c.bytes.data[bit / 8] ^ 1 << bit % 8);
            const QnStatus status = read_copy(c.bytes.data, c.bytes.size, NULL, &err);
            EXPECT(t, status == QN_OK || err.message[0], "bit %zu: status %d without a sentence",
                   bit, status);
            c.bytes.data[bit / 8] = (char)(c.bytes.data[bit / 8] ^ 1 << bit % 8);
        }
    onnx_case_finish(&c);
}

/* An allocator that fails at the n-th call, and counts what is not given back. */
typedef struct Failing {
    long calls, fails_at, held;
} Failing;

static void *failing_alloc(void *user, size_t size, size_t alignment)
{
    Failing *f = user;
    if (++f->calls == f->fails_at)
        return NULL;
    f->held++;
    return aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment);
}

static void failing_free(void *user, void *data, size_t size)
{
    (void)size;
    ((Failing *)user)->held--;
    free(data);
}

TEST(every_failed_allocation_is_survived)
{
    OnnxCase c = {0};
    QnError err;
    Failing f = {0};
    const QnAllocator allocator = {&f, failing_alloc, failing_free};
    QnStatus status = make(t, &c) ? QN_NO_MEMORY : QN_OK;
    for (long n = 1; status != QN_OK && n < 1000; n++) {
        f = (Failing){.fails_at = n};
        status =
            read_copy(c.bytes.data, c.bytes.size, &(QnReadOptions){.allocator = &allocator}, &err);
        EXPECT(t, status == QN_OK || status == QN_NO_MEMORY, "allocation %ld: %s", n, err.message);
        EXPECT(t, f.held == 0, "allocation %ld: %ld pieces were lost", n, f.held);
    }
    EXPECT(t, status == QN_OK, "never read");
    onnx_case_finish(&c);
}

TEST(graphs_nested_too_deep_are_refused)
{
    QnText text = qn_text(NULL);
    size_t marks[300];
    QnError err;
    qn_proto_put_int(&text, 1, 8);
    marks[0] = qn_proto_put_begin(&text, 7);
    for (int i = 1; i + 2 < 300; i += 3) { /* node, attribute, graph, … */
        marks[i] = qn_proto_put_begin(&text, 1);
        qn_proto_put_string(&text, 4, "Relu");
        marks[i + 1] = qn_proto_put_begin(&text, 5);
        marks[i + 2] = qn_proto_put_begin(&text, 6);
    }
    for (int i = 297; i >= 0; i--)
        qn_proto_put_end(&text, marks[i]);
    EXPECT(t, read_copy(text.data, text.size, NULL, &err) == QN_BAD_MODEL, "status");
    EXPECT(t, strstr(err.message, "deep"), "%s", err.message);
    qn_text_finish(&text);
}

TEST_MAIN(CASE(a_model_cut_at_any_byte_has_a_sentence),
          CASE(a_model_with_any_bit_flipped_has_a_status),
          CASE(every_failed_allocation_is_survived), CASE(graphs_nested_too_deep_are_refused))
