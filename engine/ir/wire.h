/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Modules as bytes, in the wire format of protocol buffers: what plan files hold.
 *
 *     Module     main 1 Graph · properties 2* {key 1, value 2}
 *                variables 3* {name 1, input 2, output 3} · opset 4
 *     Graph      name 1 · values 2* Value (inputs and constants, in order) · nodes 3* Node
 *                outputs 4* {value 1, name 2}
 *     Value      number 1 · name 2 · type 3 Type · is_input 4 · is_default 5 · constant 6 Tensor
 *     Type       kind 1 · element 2 · rank 3 (plus 1) · dims 4* text · item 5 Type
 *     Node       op 1 · domain 2 · inputs 3* number plus 1 (0: absent)
 *                outputs 4* {number 1 plus 1, name 2} · attributes 5* Attribute
 *                origin 6 {name 1, op 2, domain 3, since 4}
 *     Attribute  name 1 · kind 2 · ints 3* · floats 4* · strings 5* · tensors 6* Tensor
 *                graphs 7* Graph · type 8 Type
 *     Tensor     element 1 · dims 2* · data 3 · strings 4* · outside 5 (plus 1)
 *
 * Values are numbered in the order in which they are defined.  Types of what nodes make are not
 * written: the reader infers.
 */
#ifndef QN_ENGINE_IR_WIRE_H
#define QN_ENGINE_IR_WIRE_H

#include "base/text.h"
#include "engine/ir/graph.h"

/* Where constants' data goes that does not lie between the other bytes. */
typedef struct QnWireWriter {
    QnText *out;
    /* A constant that lies elsewhere: true and *key, which the reader gets back.  NULL: none do. */
    bool (*outside)(void *user, const QnIrValue *value, uint64_t *key);
    void *user;
} QnWireWriter;

typedef struct QnWireReader {
    QnBytes bytes; /* borrowed as long as the module lives */
    /* The data of a constant of that key: `size` readable bytes, or NULL where there are none. */
    const void *(*outside)(void *user, uint64_t key, size_t size);
    /* Told of every constant that lies outside; `tensor` lives as long as the module. */
    QnStatus (*found)(void *user, uint64_t key, const QnTensor *tensor);
    void *user;
} QnWireReader;

/* Appends a module.  QN_NO_MEMORY where the text failed. */
QnStatus qn_module_write(const QnModule *module, const QnWireWriter *writer, QnError *err);

/*
 * Reads a module; the caller frees it.  Nothing is believed: QN_BAD_MODEL where a number names no
 * value, a count does not fit, or the result does not verify.  Operators are not resolved.
 */
QnStatus qn_module_read(QnModule **out, const QnWireReader *reader, const QnAllocator *allocator,
                        QnError *err);

#endif
