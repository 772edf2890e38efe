/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vocabulary of a TfIdfVectorizer as a tree of tokens: a path from the root is an n-gram.
 */
#ifndef QN_ENGINE_OPS_TFIDF_H
#define QN_ENGINE_OPS_TFIDF_H

#include "engine/ops/lookup.h"

typedef struct QnTfidf {
    QnLookup tokens;   /* the pool; a token's number is its position there */
    uint64_t *edges;   /* [edge_slots] parent << 32 | token + 1, by hash; 0: free */
    int32_t *children; /* [edge_slots] the node that an edge leads to */
    int64_t edge_slots;
    int64_t *ngrams; /* [nodes] which n-gram ends in a node; -1: none */
    int32_t node_count;
    int64_t shortest, longest, skips;
    int64_t width;          /* of a row of the output */
    const int64_t *columns; /* [n-grams] where each counts */
    const float *weights;   /* [n-grams]; NULL: ones */
    bool is_binary;         /* counts above 1 are 1 */
} QnTfidf;

/* Reads and checks the vocabulary of a node, into `arena`.  QN_BAD_MODEL says what is wrong. */
QnStatus qn_tfidf_read(QnTfidf *out, const QnNode *node, QnArena *arena, QnError *err);

/* Counts the n-grams of one row of `count` tokens of x, from `first` on: to[width].  `numbers`
 * has room for `count` token numbers. */
void qn_tfidf_count(const QnTfidf *tfidf, const QnTensor *x, int64_t first, int64_t count,
                    int64_t *numbers, float *to);

#endif
