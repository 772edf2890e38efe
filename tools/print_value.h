/* SPDX-License-Identifier: Apache-2.0 */
/* Values for people to read. */
#ifndef QN_TOOLS_PRINT_VALUE_H
#define QN_TOOLS_PRINT_VALUE_H

#include "quern/unstable/values.h"

/* "float[1,3]", "sequence of 2". */
void print_type(const QnValue *value, char *text, size_t size);

/* One element: a number, a quoted text, true or false. */
void print_element(const QnTensor *tensor, int64_t i, char *text, size_t size);

/*
 * Prints to stdout: name, type, shape, the first elements; and the best five of what looks like the
 * scores of classes (one row of floats), by name where labels[label_count] are given.
 */
void print_output(const char *name, const QnValue *value, const char *const *labels,
                  int label_count);

#endif
