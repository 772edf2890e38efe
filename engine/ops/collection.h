/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sequences, optionals and maps as results.
 *
 * Their items live in the call's arena and never change, so collections share them; tensors that go
 * into one are copied, since the memory of a step's inputs is used again after it.
 */
#ifndef QN_ENGINE_OPS_COLLECTION_H
#define QN_ENGINE_OPS_COLLECTION_H

#include "engine/ops/op.h"

/* Makes output i a collection with room for `count` items, empty values so far. */
QnStatus qn_collection_make(const QnCall *call, int i, QnKind kind, QnType type, int64_t count,
                            QnValue **items);

/* A value as an item: tensors are copied, of any strides; collections are shared. */
QnStatus qn_collection_keep(const QnCall *call, const QnValue *from, QnValue *item);

/* An item as output i: tensors are copied to it, collections shared. */
QnStatus qn_collection_give(const QnCall *call, const QnValue *item, int i);

/* A new contiguous tensor in the call's arena; its elements are not set. */
QnStatus qn_collection_tensor(const QnCall *call, QnType type, int rank, const int64_t *dims,
                              QnTensor *out);

/* The type of one item: sizes that only running tells get new symbols. */
QnStatus qn_collection_infer_item(QnInfer *in, int i, const QnIrType *item);

/* The type of output i: a collection of items of that type. */
QnStatus qn_collection_infer(QnInfer *in, int i, QnKind kind, const QnIrType *item);

#endif
