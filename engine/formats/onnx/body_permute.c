/* SPDX-License-Identifier: Apache-2.0 */
/* The words of bodies that stand for permutations, which are written for the rank or without it. */
#include <string.h>

#include "engine/formats/onnx/body.h"

/*
 * A permutation of the dims of x: as Transpose where their number is known, else with the dims that
 * stay together as one, by a text that makes y.
 */
typedef struct Permutation {
    const char *word;
    void (*permute)(int64_t *perm, int rank);
    const char *unranked;
} Permutation;

/* [batch, m, n] to [batch, n, m] */
static void swap_last(int64_t *perm, int rank)
{
    for (int i = 0; i < rank; i++)
        perm[i] = i < rank - 2 ? i : 2 * rank - 3 - i;
}

/* [m, batch, n] to [batch, m, n] */
static void move_first(int64_t *perm, int rank)
{
    for (int i = 0; i < rank; i++)
        perm[i] = i == rank - 1 ? i : (i + 1) % (rank - 1);
}

/* [n, image, c] to [n, c, image] */
static void lead_channels(int64_t *perm, int rank)
{
    for (int i = 0; i < rank; i++)
        perm[i] = i == 0 ? 0 : i == 1 ? rank - 1 : i - 1;
}

/* [n, c, image] to [n, image, c] */
static void trail_channels(int64_t *perm, int rank)
{
    for (int i = 0; i < rank; i++)
        perm[i] = i == 0 ? 0 : i == rank - 1 ? 1 : i + 1;
}

static const Permutation permutations[] = {
    {"transposed", swap_last,
     "batch = Shape(x) {end = -2}; m = Shape(x) {start = -2, end = -1}; n = Shape(x) {start = -1}\n"
     "count = ReduceProd(batch) {keepdims = 1}; flat = Concat(count, m, n) {axis = 0}\n"
     "shape = Concat(batch, n, m) {axis = 0}\n"
     "x = Reshape(x, flat) {allowzero = 1}; x = Transpose(x) {perm = [0, 2, 1]}\n"
     "y = Reshape(x, shape) {allowzero = 1}"},
    {"batch_first", move_first,
     "m = Shape(x) {end = 1}; batch = Shape(x) {start = 1, end = -1}; n = Shape(x) {start = -1}\n"
     "count = ReduceProd(batch) {keepdims = 1}; flat = Concat(m, count, n) {axis = 0}\n"
     "shape = Concat(batch, m, n) {axis = 0}\n"
     "x = Reshape(x, flat) {allowzero = 1}; x = Transpose(x) {perm = [1, 0, 2]}\n"
     "y = Reshape(x, shape) {allowzero = 1}"},
    {"channels_first", lead_channels,
     "n = Shape(x) {end = 1}; image = Shape(x) {start = 1, end = -1}; c = Shape(x) {start = -1}\n"
     "count = ReduceProd(image) {keepdims = 1}; flat = Concat(n, count, c) {axis = 0}\n"
     "shape = Concat(n, c, image) {axis = 0}\n"
     "x = Reshape(x, flat) {allowzero = 1}; x = Transpose(x) {perm = [0, 2, 1]}\n"
     "y = Reshape(x, shape) {allowzero = 1}"},
    {"channels_last", trail_channels,
     "n = Shape(x) {end = 1}; c = Shape(x) {start = 1, end = 2}; image = Shape(x) {start = 2}\n"
     "count = ReduceProd(image) {keepdims = 1}; flat = Concat(n, c, count) {axis = 0}\n"
     "shape = Concat(n, image, c) {axis = 0}\n"
     "x = Reshape(x, flat) {allowzero = 1}; x = Transpose(x) {perm = [0, 2, 1]}\n"
     "y = Reshape(x, shape) {allowzero = 1}"},
};

static const Permutation *find_permutation(const char *word)
{
    for (size_t i = 0; i < QN_COUNT_OF(permutations); i++)
        if (!strcmp(permutations[i].word, word))
            return &permutations[i];
    return NULL;
}

bool onnx_body_is_permutation(const char *word)
{
    return find_permutation(word) != NULL;
}

/* A vector stays as it is: products take it as a row or a column by themselves. */
QnStatus onnx_body_permute(OnnxBody *b, const char *word, const char *x, const char **out)
{
    const Permutation *how = find_permutation(word);
    const int rank = onnx_hint(b->up->hints, x).rank;
    int64_t perm[QN_MAX_RANK];
    OnnxNode *node;
    if (rank < 0) {
        OnnxBody inner = {.up = b->up, .call = b->call};
        inner.names = onnx_scope(b->up->in->scratch, NULL);
        QN_TRY(onnx_scope_put(&inner.names, "x", (void *)(uintptr_t)x));
        QN_TRY(onnx_body_run(&inner, how->unranked));
        *out = onnx_scope_find_here(&inner.names, "y");
        return QN_OK;
    }
    *out = x;
    if (rank < 2)
        return QN_OK;
    how->permute(perm, rank);
    QN_TRY(onnx_make_node(b->up, "Transpose", ONNX_INPUTS(x), out, &node));
    QN_TRY(onnx_set_ints(b->up, node, "perm", perm, rank));
    return onnx_emit(b->up, node);
}
