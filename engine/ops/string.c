/* SPDX-License-Identifier: Apache-2.0 */
/* Strings: joining, cutting into pieces, and cleaning up.  New strings live in the call's arena;
 * pieces of old ones point into those. */
#include "base/letter_case.h"
#include "engine/ops/walk.h"

static const QnString *strings_of(const QnTensor *tensor)
{
    return tensor->data;
}

static QnStatus want_strings(const QnInfer *in, int i)
{
    const QnType element = qn_infer_element(in, i);
    if (qn_infer_has(in, i) && element && element != QN_STRING)
        return qn_infer_fail(in, "input %d has type %s, expected string", i, qn_type_name(element));
    return QN_OK;
}

/* ---- StringConcat ---- */

static QnStatus infer_concat(QnInfer *in)
{
    QN_TRY(want_strings(in, 0));
    QN_TRY(want_strings(in, 1));
    return qn_infer_elementwise(in);
}

/* The element of x that broadcasts to a position of y. */
static QnString broadcast_element(const QnTensor *x, const QnTensor *y, const int64_t *position)
{
    int64_t at = 0;
    for (int d = 0; d < x->rank; d++)
        at = at * x->dims[d] + (x->dims[d] == 1 ? 0 : position[y->rank - x->rank + d]);
    return strings_of(x)[at];
}

static QnStatus concat(const QnCall *call)
{
    const QnTensor *a = qn_call_input(call, 0), *b = qn_call_input(call, 1);
    QnTensor *y = qn_call_result(call, 0);
    int64_t position[QN_MAX_RANK] = {0};
    const int64_t count = qn_tensor_count(y);
    for (int64_t i = 0; i < count; i++) {
        const QnString left = broadcast_element(a, y, position);
        const QnString right = broadcast_element(b, y, position);
        char *text = qn_arena_alloc_raw(call->arena, left.size + right.size + 1, 1);
        if (!text)
            return qn_fail(call->err, QN_NO_MEMORY, "no memory for the joined strings");
        if (left.size)
            memcpy(text, left.data, left.size);
        if (right.size)
            memcpy(text + left.size, right.data, right.size);
        ((QnString *)y->data)[i] = (QnString){text, left.size + right.size};
        qn_walk_next(position, y->dims, y->rank);
        if (i % 4096 == 0)
            QN_TRY(qn_call_poll(call));
    }
    return QN_OK;
}

/* ---- StringSplit ---- */

static QnStatus infer_split(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    QN_TRY(want_strings(in, 0));
    if (!x) {
        QN_TRY(qn_infer_unknown(in, 0, QN_STRING, -1));
        return qn_infer_unknown(in, 1, QN_INT64, -1);
    }
    if (x->rank == QN_MAX_RANK)
        return qn_infer_fail(in, "the result would have over %d dimensions", QN_MAX_RANK);
    QnShape y = *x;
    y.dims[y.rank++] = qn_infer_fresh(in);
    QN_TRY(qn_infer_tensor(in, 0, QN_STRING, &y));
    return qn_infer_tensor(in, 1, QN_INT64, x);
}

/* The bytes of the white space that a text begins with, 0: none.
 * Unicode's, as far as it is one character. */
static size_t space_size(const char *text, size_t size)
{
    static const char *const wide[] = {"\xc2\x85",     "\xc2\xa0",     "\xe1\x9a\x80",
                                       "\xe2\x80\xa8", "\xe2\x80\xa9", "\xe2\x80\xaf",
                                       "\xe2\x81\x9f", "\xe3\x80\x80"};
    const unsigned char first = size ? (unsigned char)text[0] : 'x';
    if (first == ' ' || (first >= 9 && first <= 13) || (first >= 28 && first <= 31))
        return 1;
    if (first < 0x80)
        return 0;
    for (size_t i = 0; i < QN_COUNT_OF(wide); i++)
        if (strlen(wide[i]) <= size && !memcmp(text, wide[i], strlen(wide[i])))
            return strlen(wide[i]);
    const bool is_typographic = size >= 3 && !memcmp(text, "\xe2\x80", 2) &&
                                (unsigned char)text[2] >= 0x80 && (unsigned char)text[2] <= 0x8a;
    return is_typographic ? 3 : 0;
}

/* What is left of a text to cut; `pieces_left` more cuts may be made, -1: any number. */
typedef struct Cutter {
    QnString rest, delimiter; /* an empty delimiter: runs of white space */
    int64_t cuts_left;
    bool is_over;
} Cutter;

static QnString skip(QnString text, size_t size)
{
    return (QnString){text.data + size, text.size - size};
}

static QnString skip_spaces(QnString text)
{
    size_t space;
    while ((space = space_size(text.data, text.size)) > 0)
        text = skip(text, space);
    return text;
}

/* The bytes before the next separator, and the separator's; the whole rest where there is none. */
static size_t find_separator(const Cutter *cutter, size_t *separator)
{
    const QnString text = cutter->rest, delimiter = cutter->delimiter;
    for (size_t at = 0; at < text.size; at++) {
        *separator = delimiter.size ? delimiter.size : space_size(text.data + at, text.size - at);
        if (!delimiter.size && *separator > 0)
            return at;
        if (delimiter.size && delimiter.size <= text.size - at &&
            !memcmp(text.data + at, delimiter.data, delimiter.size))
            return at;
    }
    *separator = 0;
    return text.size;
}

/* The next piece; false after the last. */
static bool next_piece(Cutter *cutter, QnString *piece)
{
    size_t separator;
    if (!cutter->delimiter.size)
        cutter->rest = skip_spaces(cutter->rest);
    if (cutter->is_over || (!cutter->delimiter.size && cutter->rest.size == 0))
        return false;
    const size_t size = find_separator(cutter, &separator);
    *piece = cutter->rest;
    cutter->is_over = cutter->cuts_left == 0 || separator == 0;
    if (cutter->is_over)
        return true;
    piece->size = size;
    cutter->rest = skip(cutter->rest, size + separator);
    cutter->cuts_left -= cutter->cuts_left > 0;
    return true;
}

static Cutter start_cutting(const QnNode *node, QnString text)
{
    return (Cutter){.rest = text,
                    .delimiter = qn_op_string(node, "delimiter"),
                    .cuts_left = qn_node_int(node, "maxsplit", -1)};
}

static QnStatus split(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    const int64_t count = qn_tensor_count(x);
    int64_t dims[QN_MAX_RANK], most = 0;
    QnTensor *y, *counts;
    QnString piece;
    QN_TRY(qn_call_output(call, 1, QN_INT64, x->rank, x->dims, &counts));
    for (int64_t i = 0; i < count; i++) {
        Cutter cutter = start_cutting(call->node, strings_of(x)[i]);
        int64_t pieces = 0;
        while (next_piece(&cutter, &piece))
            pieces++;
        qn_tensor_set_int(counts, i, pieces);
        most = pieces > most ? pieces : most;
    }
    memcpy(dims, x->dims, sizeof dims);
    dims[x->rank] = most;
    QN_TRY(qn_call_output(call, 0, QN_STRING, x->rank + 1, dims, &y));
    for (int64_t i = 0; i < count; i++) {
        Cutter cutter = start_cutting(call->node, strings_of(x)[i]);
        QnString *to = (QnString *)y->data + i * most;
        for (int64_t k = 0; k < most; k++)
            to[k] = next_piece(&cutter, &piece) ? piece : (QnString){NULL, 0};
        if (i % 4096 == 0)
            QN_TRY(qn_call_poll(call));
    }
    return QN_OK;
}

/* ---- StringNormalizer ---- */

static QnStatus infer_normalizer(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const bool is_action = qn_op_string_is(in->node, "case_change_action", "NONE") ||
                           qn_op_string_is(in->node, "case_change_action", "LOWER") ||
                           qn_op_string_is(in->node, "case_change_action", "UPPER");
    QN_TRY(want_strings(in, 0));
    if (!is_action)
        return qn_infer_fail(in, "case_change_action is none of NONE, LOWER and UPPER");
    if (!x)
        return qn_infer_unknown(in, 0, QN_STRING, -1);
    if (x->rank < 1 || x->rank > 2 ||
        (x->rank == 2 && qn_dim_is_known(x->dims[0]) && x->dims[0] != 1))
        return qn_infer_fail(in, "input 0 has another shape than C or 1xC");
    const QnDim count = qn_infer_fresh(in);
    const QnShape y = {.rank = x->rank, .dims = {x->rank == 2 ? 1 : count, count}};
    return qn_infer_tensor(in, 0, QN_STRING, &y);
}

/* A copy of a text in upper or lower case. */
static QnStatus change_case(QnArena *arena, QnString text, bool upper, QnString *out)
{
    char *to = qn_arena_alloc_raw(arena, 2 * text.size + 1, 1);
    if (!to)
        return QN_NO_MEMORY;
    *out = (QnString){to, qn_letter_case(to, text.data, text.size, upper)};
    return QN_OK;
}

/* Is a text among the stop words?  `words` are in lower case where case does not matter. */
static QnStatus is_stopped(const QnCall *call, QnString text, const QnString *words, int count,
                           bool is_sensitive, bool *out)
{
    *out = false;
    if (!is_sensitive && count > 0)
        QN_TRY(change_case(call->scratch, text, false, &text));
    for (int i = 0; i < count && !*out; i++)
        *out = words[i].size == text.size && !memcmp(words[i].data, text.data, text.size);
    return QN_OK;
}

/* The stop words, in lower case where case does not matter; none of them is NULL. */
static QnStatus read_stop_words(const QnCall *call, bool is_sensitive, QnString **words, int *count)
{
    const QnAttribute *list = qn_node_attribute(call->node, "stopwords");
    *count = list ? list->count : 0;
    QN_ALLOC(*words, call->scratch, *count);
    for (int i = 0; i < *count; i++) {
        (*words)[i] = list->strings[i].size ? list->strings[i] : (QnString){"", 0};
        if (!is_sensitive)
            QN_TRY(change_case(call->scratch, (*words)[i], false, &(*words)[i]));
    }
    return QN_OK;
}

static QnStatus normalizer(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    const bool is_sensitive = qn_op_int(call->node, "is_case_sensitive") != 0;
    const bool is_upper = qn_op_string_is(call->node, "case_change_action", "UPPER");
    const bool changes = is_upper || qn_op_string_is(call->node, "case_change_action", "LOWER");
    const int64_t count = qn_tensor_count(x);
    int64_t kept = 0;
    int word_count;
    QnString *words, *results;
    QnTensor *y;
    QN_TRY(read_stop_words(call, is_sensitive, &words, &word_count));
    QN_ALLOC(results, call->scratch, count + 1);
    results[0] = (QnString){"", 0}; /* what is left where nothing is */
    for (int64_t i = 0; i < count; i++) {
        const QnString text = strings_of(x)[i];
        bool stopped;
        QN_TRY(is_stopped(call, text.size ? text : (QnString){"", 0}, words, word_count,
                          is_sensitive, &stopped));
        if (stopped)
            continue;
        results[kept] = text;
        if (changes)
            QN_TRY(change_case(call->arena, text, is_upper, &results[kept]));
        kept++;
        QN_TRY(qn_call_poll(call));
    }
    const int64_t size = kept ? kept : 1;
    const int64_t dims[] = {x->rank == 2 ? 1 : size, size};
    QN_TRY(qn_call_output(call, 0, QN_STRING, x->rank, dims, &y));
    memcpy(y->data, results, (size_t)size * sizeof *results);
    return QN_OK;
}

static const QnOpAttribute normalizer_attributes[] = {
    {"case_change_action", QN_ATTRIBUTE_STRING, .s = "NONE"},
    {"is_case_sensitive", QN_ATTRIBUTE_INT},
    {"locale", QN_ATTRIBUTE_STRING}, /* mappings are those of Unicode, in every locale */
    {"stopwords", QN_ATTRIBUTE_STRINGS},
    {0}};
static const QnOpAttribute split_attributes[] = {
    {"delimiter", QN_ATTRIBUTE_STRING}, {"maxsplit", QN_ATTRIBUTE_INT}, {0}};

const QnOp qn_ops_string[] = {
    {.name = "StringConcat",
     .since = 20,
     .inputs = "X: string, Y: T",
     .outputs = "Z: T",
     .traits = QN_OP_PORTABLE,
     .infer = infer_concat,
     .reference = concat},
    {.name = "StringNormalizer",
     .since = 10,
     .inputs = "X: string",
     .outputs = "Y: string",
     .attributes = normalizer_attributes,
     .traits = QN_OP_DYNAMIC | QN_OP_PORTABLE,
     .infer = infer_normalizer,
     .reference = normalizer},
    {.name = "StringSplit",
     .since = 20,
     .inputs = "X: string",
     .outputs = "Y: string, Z: int64",
     .attributes = split_attributes,
     .traits = QN_OP_DYNAMIC | QN_OP_PORTABLE,
     .infer = infer_split,
     .reference = split},
    {0},
};
