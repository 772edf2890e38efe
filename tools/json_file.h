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

/* Members of an object. */
void json_put_text(QnJsonWriter *to, const char *key, const char *value);
void json_put_count(QnJsonWriter *to, const char *key, uint64_t value);
void json_put_int(QnJsonWriter *to, const char *key, int64_t value);
void json_put_real(QnJsonWriter *to, const char *key, double value);
void json_put_flag(QnJsonWriter *to, const char *key, bool value);

/* Writes a text and a line's end to a file, or to stdout where the path is "-". */
QnStatus json_save(const QnText *text, const char *path, QnError *err);

#endif
