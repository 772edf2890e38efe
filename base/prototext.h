/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The text form of protobuf messages, as in config.pbtxt:
 *
 *     name: "resnet"            # a comment
 *     max_batch_size: 8
 *     input [ { name: "x" dims: [ 3, 224, 224 ] } ]
 *     dynamic_batching { }
 *
 * Read and written by the tables of base/message.h.  Not read: extensions, Any, groups.
 */
#ifndef QN_BASE_PROTOTEXT_H
#define QN_BASE_PROTOTEXT_H

#include "base/message.h"

/*
 * Parses text into a struct after qn_message_init.  Reading goes on past unknown fields and wrong
 * values: each is a finding with file and line in `report`, of the rule "text-format", with the
 * nearest known name as its remedy.  A text that is not well-formed ends at its first fault.
 * QN_BAD_MODEL with the worst finding in `err`; QN_NO_MEMORY. `report` may be NULL.
 */
QnStatus qn_prototext_parse(void *out, const QnMessage *type, QnBytes text, const char *file,
                            QnArena *arena, QnReport *report, QnError *err);

/* Appends the text form, one field a line, two spaces per level;
 * what is zero and was so before is left out. */
void qn_prototext_print(QnText *out, const QnMessage *type, const void *message);

#endif
