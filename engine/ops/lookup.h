/* SPDX-License-Identifier: Apache-2.0 */
/* Finding values in lists of keys: labels, categories, vocabularies. */
#ifndef QN_ENGINE_OPS_LOOKUP_H
#define QN_ENGINE_OPS_LOOKUP_H

#include "engine/ops/op.h"

/* A key: text, an integer, or a floating number, of which all NaN are one, and both zeros. */
typedef struct QnKey {
    QnString text;  /* of strings */
    int64_t number; /* of the others: the value, or a double's bits */
    bool is_text;
} QnKey;

/* Element i of a tensor as a key. */
QnKey qn_key_of(const QnTensor *tensor, int64_t i);
static inline QnKey qn_key_of_int(int64_t number)
{
    return (QnKey){.number = number};
}

/* A list attribute (or a 1-D tensor one) as a tensor that borrows its data; false where the node
 * has none of that name, or of another kind. */
bool qn_list_find(const QnNode *node, const char *name, QnTensor *out);

/* The first list that is there of some names (ends with NULL); -1: none of them. */
int qn_list_pick(const QnNode *node, const char *const *names, QnTensor *out);

/* A hash table over a list of keys; of equal ones the last wins. */
typedef struct QnLookup {
    QnTensor keys;
    int64_t *slots; /* [slot_count] index + 1; 0: free */
    int64_t slot_count;
} QnLookup;

QnStatus qn_lookup_init(QnLookup *lookup, const QnTensor *keys, QnArena *arena);

/* The position of a key in the list, -1: it is not there. */
int64_t qn_lookup_find(const QnLookup *lookup, QnKey key);

#endif
