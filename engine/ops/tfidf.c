/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TfIdfVectorizer: how often each n-gram of a vocabulary is in a row of tokens.
 *
 * The tokens of an n-gram stand 1, 2, ... or skips + 1 apart.  The pool lists the n-grams by
 * length, one after the other; ngram_counts says where each length begins.
 */
#include "engine/ops/tfidf.h"

#include "base/hash.h"
#include "engine/ops/scores.h"

enum { TOKENS_MOST = 1 << 30 };

/* ---- the tree ---- */

/* The slot of an edge, or the free one where it would go. */
static int64_t slot_of(const QnTfidf *tfidf, int32_t parent, int64_t token)
{
    const uint64_t key = (uint64_t)parent << 32 | (uint64_t)(token + 1);
    const uint64_t mask = (uint64_t)tfidf->edge_slots - 1;
    uint64_t at = qn_hash_u64(key, 0) & mask;
    while (tfidf->edges[at] && tfidf->edges[at] != key)
        at = (at + 1) & mask;
    return (int64_t)at;
}

/* The node behind a token, -1: there is none. */
static int32_t step(const QnTfidf *tfidf, int32_t parent, int64_t token)
{
    const int64_t at = slot_of(tfidf, parent, token);
    return tfidf->edges[at] ? tfidf->children[at] : -1;
}

/* Adds the n-gram of `size` tokens of the pool from `first` on; the `ordinal`-th one. */
static void add(QnTfidf *tfidf, int64_t first, int64_t size, int64_t ordinal)
{
    int32_t node = 0;
    for (int64_t i = 0; i < size; i++) {
        const int64_t token =
            qn_lookup_find(&tfidf->tokens, qn_key_of(&tfidf->tokens.keys, first + i));
        const int64_t at = slot_of(tfidf, node, token);
        if (!tfidf->edges[at]) {
            tfidf->edges[at] = (uint64_t)node << 32 | (uint64_t)(token + 1);
            tfidf->children[at] = tfidf->node_count;
            tfidf->ngrams[tfidf->node_count++] = -1;
        }
        node = tfidf->children[at];
    }
    tfidf->ngrams[node] = ordinal;
}

/* ---- reading ---- */

/* A list of integers, which must be there. */
static QnStatus take_ints(const QnNode *node, const char *name, const int64_t **out, int *count,
                          QnError *err)
{
    *out = qn_ints_find(node, name, count);
    return *out ? QN_OK : qn_fail(err, QN_BAD_MODEL, "attribute %s is missing or empty", name);
}

/* The n-grams of each length, as far as the node wants them. */
static QnStatus add_pool(QnTfidf *tfidf, const int64_t *begins, int lengths, int ngrams,
                         QnError *err)
{
    const int64_t total = qn_tensor_count(&tfidf->tokens.keys);
    int64_t ordinal = 0;
    for (int64_t size = 1; size <= lengths; size++) {
        const int64_t first = begins[size - 1], end = size < lengths ? begins[size] : total;
        if (first < 0 || end < first || end > total || (end - first) % size)
            return qn_fail(err, QN_BAD_MODEL,
                           "ngram_counts says that the %lld-grams are %lld to %lld of %lld tokens",
                           (long long)size, (long long)first, (long long)end, (long long)total);
        for (int64_t at = first; at < end; at += size, ordinal++) {
            if (ordinal >= ngrams)
                return qn_fail(err, QN_BAD_MODEL,
                               "ngram_indexes has %d entries, the pool more n-grams", ngrams);
            if (size >= tfidf->shortest && size <= tfidf->longest)
                add(tfidf, at, size, ordinal);
        }
    }
    return QN_OK;
}

static QnStatus read_columns(QnTfidf *tfidf, const int64_t *columns, int count, QnError *err)
{
    tfidf->columns = columns;
    for (int i = 0; i < count; i++) {
        if (columns[i] < 0 || columns[i] >= TOKENS_MOST)
            return qn_fail(err, QN_BAD_MODEL, "ngram_indexes[%d] is %lld", i,
                           (long long)columns[i]);
        tfidf->width = columns[i] >= tfidf->width ? columns[i] + 1 : tfidf->width;
    }
    return QN_OK;
}

static QnStatus read_numbers(QnTfidf *tfidf, const QnNode *node, QnError *err)
{
    tfidf->shortest = qn_op_int(node, "min_gram_length");
    tfidf->longest = qn_op_int(node, "max_gram_length");
    tfidf->skips = qn_op_int(node, "max_skip_count");
    if (tfidf->shortest < 1 || tfidf->longest < tfidf->shortest || tfidf->skips < 0)
        return qn_fail(err, QN_BAD_MODEL,
                       "n-grams of %lld to %lld tokens with %lld skips, expected 1 at least, no "
                       "fewer, and 0 at least",
                       (long long)tfidf->shortest, (long long)tfidf->longest,
                       (long long)tfidf->skips);
    tfidf->is_binary = qn_op_string_is(node, "mode", "IDF");
    if (!tfidf->is_binary && !qn_op_string_is(node, "mode", "TF") &&
        !qn_op_string_is(node, "mode", "TFIDF"))
        return qn_fail(err, QN_BAD_MODEL, "mode is none of TF, IDF and TFIDF");
    return QN_OK;
}

/* Plain counts have no weights, whatever the list says. */
static QnStatus read_weights(QnTfidf *tfidf, const QnNode *node, int ngrams, QnError *err)
{
    int count;
    const float *weights = qn_floats_find(node, "weights", &count);
    if (!weights || qn_op_string_is(node, "mode", "TF"))
        return QN_OK;
    if (count != ngrams)
        return qn_fail(err, QN_BAD_MODEL, "weights has %d entries, expected %d", count, ngrams);
    tfidf->weights = weights;
    return QN_OK;
}

QnStatus qn_tfidf_read(QnTfidf *out, const QnNode *node, QnArena *arena, QnError *err)
{
    static const char *const pools[] = {"pool_strings", "pool_int64s", NULL};
    const int64_t *begins, *columns;
    int lengths, ngrams;
    QnTensor pool;
    *out = (QnTfidf){0};
    QN_TRY(read_numbers(out, node, err));
    QN_TRY(take_ints(node, "ngram_counts", &begins, &lengths, err));
    QN_TRY(take_ints(node, "ngram_indexes", &columns, &ngrams, err));
    QN_TRY(read_columns(out, columns, ngrams, err));
    QN_TRY(read_weights(out, node, ngrams, err));
    if (qn_list_pick(node, pools, &pool) < 0 || qn_tensor_count(&pool) > TOKENS_MOST)
        return qn_fail(err, QN_BAD_MODEL, "neither pool_strings nor pool_int64s is there");
    QN_TRY(qn_lookup_init(&out->tokens, &pool, arena));
    const int64_t count = qn_tensor_count(&pool);
    for (out->edge_slots = 8; out->edge_slots < 2 * count;)
        out->edge_slots *= 2;
    QN_ALLOC(out->edges, arena, out->edge_slots);
    QN_ALLOC(out->children, arena, out->edge_slots);
    QN_ALLOC(out->ngrams, arena, count + 1);
    out->ngrams[out->node_count++] = -1;
    return add_pool(out, begins, lengths, ngrams, err);
}

/* ---- counting ---- */

/* Counts an n-gram of the pool. */
static void count_one(const QnTfidf *tfidf, int64_t ngram, float *to)
{
    const float weight = tfidf->weights ? tfidf->weights[ngram] : 1;
    float *at = &to[tfidf->columns[ngram]];
    *at = tfidf->is_binary ? weight : *at + weight;
}

/* Follows the tokens from `at` on, `apart` positions each, and counts what ends on the way. */
static void follow(const QnTfidf *tfidf, const int64_t *numbers, int64_t at, int64_t count,
                   int64_t apart, int64_t shortest, float *to)
{
    int32_t node = 0;
    for (int64_t size = 1; size <= tfidf->longest && at < count; size++, at += apart) {
        node = numbers[at] < 0 ? -1 : step(tfidf, node, numbers[at]);
        if (node < 0)
            return;
        if (size >= shortest && tfidf->ngrams[node] >= 0)
            count_one(tfidf, tfidf->ngrams[node], to);
    }
}

void qn_tfidf_count(const QnTfidf *tfidf, const QnTensor *x, int64_t first, int64_t count,
                    int64_t *numbers, float *to)
{
    int64_t shortest = tfidf->shortest;
    memset(to, 0, (size_t)tfidf->width * sizeof *to);
    for (int64_t i = 0; i < count; i++)
        numbers[i] = qn_lookup_find(&tfidf->tokens, qn_key_of(x, first + i));
    /* Tokens further apart than the row is long make no n-gram of two. */
    const int64_t most = tfidf->skips < count ? tfidf->skips + 1 : count;
    for (int64_t apart = 1; apart <= most; apart++) {
        for (int64_t at = 0; at < count && (shortest == 1 || apart < count - at); at++)
            follow(tfidf, numbers, at, count, apart, shortest, to);
        if (shortest == 1) /* single tokens have nothing between them: they count once */
            shortest = 2;
        if (shortest > tfidf->longest)
            break;
    }
}

/* ---- the operator ---- */

static QnStatus check_all(const QnInfer *in, QnTfidf *tfidf)
{
    QnArena scratch;
    qn_arena_init(&scratch, in->arena->allocator);
    const QnStatus status = qn_tfidf_read(tfidf, in->node, &scratch, in->err);
    qn_arena_finish(&scratch);
    return status;
}

/* What running needs of a vocabulary that was checked before. */
static QnStatus read_width(QnTfidf *tfidf, const QnNode *node, QnError *err)
{
    const int64_t *columns;
    int ngrams;
    QN_TRY(take_ints(node, "ngram_indexes", &columns, &ngrams, err));
    return read_columns(tfidf, columns, ngrams, err);
}

static QnStatus infer_vectorizer(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    QnTfidf tfidf = {0};
    QnTensor pool;
    QN_TRY(in->is_running ? read_width(&tfidf, in->node, in->err) : check_all(in, &tfidf));
    const bool is_text = qn_list_find(in->node, "pool_strings", &pool);
    const QnType element = qn_infer_element(in, 0);
    if (element && is_text != (element == QN_STRING))
        return qn_infer_fail(in, "input 0 has type %s, the pool %s", qn_type_name(element),
                             is_text ? "strings" : "integers");
    if (!x)
        return qn_infer_unknown(in, 0, QN_FLOAT, -1);
    if (x->rank > 2)
        return qn_infer_fail(in, "input 0 has rank %d, expected 2 at most", x->rank);
    const bool is_batch = x->rank == 2;
    return qn_infer_tensor(in, 0, QN_FLOAT,
                           &(QnShape){.rank = is_batch ? 2 : 1,
                                      .dims = {is_batch ? x->dims[0] : tfidf.width, tfidf.width}});
}

static QnStatus prepare(const void **out, const QnNode *node, QnArena *arena, QnError *err)
{
    QnTfidf *tfidf;
    QN_ALLOC(tfidf, arena, 1);
    QN_TRY(qn_tfidf_read(tfidf, node, arena, err));
    *out = tfidf;
    return QN_OK;
}

/* Rows begin <= n < end; the room is one of token numbers. */
static QnStatus count_rows(const QnCall *call, const void *work, void *room, int64_t begin,
                           int64_t end)
{
    const QnTfidf *tfidf = work;
    const QnTensor *x = qn_call_input(call, 0);
    const int64_t columns = x->rank ? x->dims[x->rank - 1] : 1;
    float *to = qn_call_result(call, 0)->data;
    for (int64_t n = begin; n < end; n++)
        qn_tfidf_count(tfidf, x, n * columns, columns, room, to + n * tfidf->width);
    return QN_OK;
}

static QnStatus vectorize(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    const int64_t rows = x->rank == 2 ? x->dims[0] : 1;
    const int64_t columns = x->rank ? x->dims[x->rank - 1] : 1;
    const void *prepared = call->prepared;
    if (!prepared)
        QN_TRY(prepare(&prepared, call->node, call->scratch, call->err));
    const QnTfidf *tfidf = prepared;
    return qn_call_for(call, rows,
                       0.3 * (double)tfidf->width + 20 * (double)columns * (double)tfidf->longest,
                       (size_t)columns * sizeof(int64_t), count_rows, tfidf);
}

static const QnOpAttribute attributes[] = {
    {"max_gram_length", QN_ATTRIBUTE_INT, .is_required = true},
    {"max_skip_count", QN_ATTRIBUTE_INT, .is_required = true},
    {"min_gram_length", QN_ATTRIBUTE_INT, .is_required = true},
    {"mode", QN_ATTRIBUTE_STRING, .is_required = true},
    {"ngram_counts", QN_ATTRIBUTE_INTS, .is_required = true},
    {"ngram_indexes", QN_ATTRIBUTE_INTS, .is_required = true},
    {"pool_int64s", QN_ATTRIBUTE_INTS},
    {"pool_strings", QN_ATTRIBUTE_STRINGS},
    {"weights", QN_ATTRIBUTE_FLOATS},
    {0}};

const QnOp qn_ops_tfidf[] = {
    {.name = "TfIdfVectorizer",
     .since = 9,
     .inputs = "X: any",
     .outputs = "Y: float",
     .attributes = attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_vectorizer,
     .reference = vectorize,
     .prepare = prepare},
    {0},
};
