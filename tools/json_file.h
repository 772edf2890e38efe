/* SPDX-License-Identifier: Apache-2.0 */
/* JSON in and out of tools: values, and what --json writes. */
#ifndef QN_TOOLS_JSON_FILE_H
#define QN_TOOLS_JSON_FILE_H

#include "base/json.h"
#include "quern/unstable/values.h"

/*
 * Reads a value of the kind and element type that `info` declares: a tensor from a number, or
 * nested lists of one length each; a sequence from a list of values; a map from an object; an
 * optional from null or its value.
 */
QnStatus json_read_value(QnValue *out, QnBytes bytes, const QnValueInfo *info, const char *name,
                         QnValueStore *store, QnError *err);

/* Writes one; floats that JSON has no number for as NaN, Infinity, -Infinity, as Python does. */
void json_put_value(QnJsonWriter *to, const QnValue *value);

/* Writes a text and a line's end to a file, or to stdout where the path is "-". */
QnStatus json_save(const QnText *text, const char *path, QnError *err);

#endif
