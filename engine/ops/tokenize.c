/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tokenizer: each text becomes a row of its pieces, filled up to the longest row.  Pieces are the
 * characters, or what a pattern matches (tokenexp), or what lies between matches of the separators,
 * one separator after the other.  Matches are the longest, the empty one is none.  Pieces point
 * into the input's texts.
 */
#include "base/regex.h"
#include "base/utf8.h"
#include "engine/ops/op.h"

typedef struct Pieces {
    QnString *items; /* room for one per byte of the longest text */
    int64_t count;
} Pieces;

typedef struct Cutter {
    const QnCall *call;
    QnRegex **patterns;
    int count;         /* 0: characters */
    bool keeps_match;  /* a match is a piece, not what separates them */
    int64_t least;     /* characters of a piece */
    Pieces now, after; /* of the current text, before and after a pattern */
    QnArena *room;     /* for searches */
} Cutter;

static const QnAttribute *separators_of(const QnNode *node)
{
    const QnAttribute *list = qn_node_attribute(node, "separators");
    return list && list->count > 0 ? list : NULL;
}

static QnStatus infer(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    const QnAttribute *list = separators_of(in->node);
    if (!list == !qn_op_string(in->node, "tokenexp").size)
        return qn_infer_fail(in, "separators and tokenexp are both %s, expected one of them",
                             list ? "there" : "absent");
    for (int i = 0; list && list->count > 1 && i < list->count; i++)
        if (!list->strings[i].size)
            return qn_infer_fail(in, "separator %d is empty, which is fine only alone", i);
    if (!x)
        return qn_infer_unknown(in, 0, QN_STRING, -1);
    if (x->rank < 1 || x->rank > 2)
        return qn_infer_fail(in, "input 0 has rank %d, expected 1 or 2", x->rank);
    QnShape y = *x;
    y.dims[y.rank++] = qn_infer_fresh(in);
    return qn_infer_tensor(in, 0, QN_STRING, &y);
}

/* ---- cutting a text ---- */

/* The patterns; none where each character is a piece. */
static QnStatus read_patterns(Cutter *c)
{
    const QnCall *call = c->call;
    const QnAttribute *list = separators_of(call->node);
    const QnString one = qn_op_string(call->node, "tokenexp");
    const QnString *texts = list ? list->strings : &one;
    const int count = list ? list->count : 1;
    c->keeps_match = !list;
    if (list ? !texts[0].size : one.size == 1 && one.data[0] == '.')
        return QN_OK;
    QN_ALLOC(c->patterns, call->scratch, count);
    for (; c->count < count; c->count++)
        QN_TRY(qn_regex_compile(&c->patterns[c->count],
                                qn_bytes(texts[c->count].data, texts[c->count].size), call->scratch,
                                call->err));
    return QN_OK;
}

static void add_piece(Pieces *pieces, const char *text, size_t size)
{
    if (size > 0)
        pieces->items[pieces->count++] = (QnString){text, size};
}

static void cut_characters(Pieces *to, QnString text)
{
    for (size_t at = 0, size; at < text.size; at += size) {
        size = (size_t)qn_utf8_size(qn_bytes(text.data + at, text.size - at));
        add_piece(to, text.data + at, size);
    }
}

/* Cuts a text by one pattern. */
static QnStatus cut_by(Cutter *c, const QnRegex *pattern, QnString text)
{
    const QnBytes bytes = qn_bytes(text.data, text.size);
    size_t begin = 0, at = 0, size;
    while (at < text.size) {
        const QnStatus status = qn_regex_match_at(pattern, bytes, at, c->room, &size, c->call->err);
        qn_arena_reset(c->room);
        if (status != QN_OK)
            return qn_call_name(c->call, status);
        QN_TRY(qn_call_poll(c->call));
        if (!size) {
            at += (size_t)qn_utf8_size(qn_bytes(text.data + at, text.size - at));
            continue;
        }
        add_piece(&c->after, text.data + (c->keeps_match ? at : begin),
                  c->keeps_match ? size : at - begin);
        begin = at += size;
    }
    if (!c->keeps_match)
        add_piece(&c->after, text.data + begin, text.size - begin);
    return QN_OK;
}

static int64_t count_characters(QnString text)
{
    int64_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += ((unsigned char)text.data[i] & 0xc0) != 0x80;
    return count;
}

/* The pieces of a text that are long enough, in c->now. */
static QnStatus cut(Cutter *c, QnString text)
{
    int64_t kept = 0;
    c->now.count = 0;
    if (!qn_utf8_is_valid(qn_bytes(text.data, text.size)))
        return qn_call_fail(c->call, "a text is not UTF-8");
    if (c->count)
        add_piece(&c->now, text.data, text.size);
    else
        cut_characters(&c->now, text);
    for (int i = 0; i < c->count; i++) {
        const Pieces old = c->now;
        c->after.count = 0;
        for (int64_t k = 0; k < old.count; k++)
            QN_TRY(cut_by(c, c->patterns[i], old.items[k]));
        c->now = c->after;
        c->after = old;
    }
    for (int64_t i = 0; i < c->now.count; i++)
        if (count_characters(c->now.items[i]) >= c->least)
            c->now.items[kept++] = c->now.items[i];
    c->now.count = kept;
    return QN_OK;
}

/* ---- all texts ---- */

/* All pieces one after the other, and how many each text has. */
static QnStatus cut_all(Cutter *c, QnString **pieces, int64_t *counts)
{
    const QnTensor *x = qn_call_input(c->call, 0);
    const QnString *texts = x->data;
    const int64_t count = qn_tensor_count(x);
    size_t total = 0, longest = 0;
    for (int64_t i = 0; i < count; i++) {
        total += texts[i].size;
        longest = texts[i].size > longest ? texts[i].size : longest;
    }
    QN_ALLOC(*pieces, c->call->scratch, total);
    QN_ALLOC(c->now.items, c->call->scratch, longest);
    QN_ALLOC(c->after.items, c->call->scratch, longest);
    QnString *to = *pieces;
    for (int64_t i = 0; i < count; i++) {
        QN_TRY(cut(c, texts[i]));
        counts[i] = c->now.count;
        memcpy(to, c->now.items, (size_t)counts[i] * sizeof *to);
        to += counts[i];
    }
    return QN_OK;
}

/* Rows of pieces between marks, where these are wanted, and fillers. */
static QnStatus write_rows(const Cutter *c, const QnString *pieces, const int64_t *counts)
{
    static const QnString begin = {"\x02", 1}, end = {"\x03", 1};
    const QnTensor *x = qn_call_input(c->call, 0);
    const QnString filler = qn_op_string(c->call->node, "pad_value");
    const bool marks = qn_op_int(c->call->node, "mark") != 0;
    const int64_t count = qn_tensor_count(x);
    int64_t dims[QN_MAX_RANK], most = 0;
    QnTensor *y;
    const char *fill = qn_arena_copy_text(c->call->arena, filler.data, filler.size);
    if (!fill)
        return QN_NO_MEMORY;
    for (int64_t i = 0; i < count; i++)
        most = counts[i] > most ? counts[i] : most;
    memcpy(dims, x->dims, sizeof dims);
    dims[x->rank] = most && marks ? most + 2 : most;
    QN_TRY(qn_call_output(c->call, 0, QN_STRING, x->rank + 1, dims, &y));
    QnString *to = y->data;
    for (int64_t i = 0; most && i < count; i++) {
        const QnString *stop = to + dims[x->rank];
        if (marks)
            *to++ = begin;
        for (int64_t k = 0; k < counts[i]; k++)
            *to++ = *pieces++;
        if (marks)
            *to++ = end;
        while (to < stop)
            *to++ = (QnString){fill, filler.size};
    }
    return QN_OK;
}

static QnStatus tokenize(const QnCall *call)
{
    Cutter c = {.call = call, .least = qn_op_int(call->node, "mincharnum")};
    QnArena room;
    QnString *pieces = NULL;
    int64_t *counts;
    QN_ALLOC(counts, call->scratch, qn_tensor_count(qn_call_input(call, 0)));
    QnStatus status = read_patterns(&c);
    if (status != QN_OK)
        return qn_call_name(call, status);
    qn_arena_init(&room, call->scratch->allocator);
    c.room = &room;
    status = cut_all(&c, &pieces, counts);
    qn_arena_finish(&room);
    return status == QN_OK ? write_rows(&c, pieces, counts) : status;
}

static const QnOpAttribute attributes[] = {
    {"mark", QN_ATTRIBUTE_INT, .is_required = true},
    {"mincharnum", QN_ATTRIBUTE_INT, .is_required = true},
    {"pad_value", QN_ATTRIBUTE_STRING, .is_required = true},
    {"separators", QN_ATTRIBUTE_STRINGS},
    {"tokenexp", QN_ATTRIBUTE_STRING},
    {0},
};

const QnOp qn_ops_tokenize[] = {
    {.name = "Tokenizer",
     .domain = "com.microsoft",
     .since = 1,
     .inputs = "X: string",
     .outputs = "Y: string",
     .attributes = attributes,
     .traits = QN_OP_DYNAMIC | QN_OP_PORTABLE,
     .infer = infer,
     .reference = tokenize},
    {0},
};
