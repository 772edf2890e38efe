/* SPDX-License-Identifier: Apache-2.0 */
/* Values of a model's inputs and outputs in files of any format. */
#ifndef QN_TOOLS_VALUES_FILE_H
#define QN_TOOLS_VALUES_FILE_H

#include "base/bytes.h"
#include "quern/unstable/values.h"

/* What a file is read for. */
typedef struct ValueWanted {
    const QnValueInfo *info;
    const int64_t *dims;  /* [info->rank]; -1: as the file says */
    const QnModel *model; /* for .pb of other kinds than tensors; NULL: those cannot be read */
    int index;            /* which input of it */
} ValueWanted;

/*
 * Reads a value from a file, whose format its bytes tell, or else its name: .npy, .npz (the member
 * named as the input, or the only one), a picture, .pb (an ONNX message), .json, .bin (raw
 * elements, little-endian).  The value lives in the store.
 */
QnStatus value_read_file(QnValue *out, const char *path, const ValueWanted *wanted,
                         QnValueStore *store, QnError *err);

/* The same from bytes; `path` is for messages and for formats that only a name tells. */
QnStatus value_read_bytes(QnValue *out, QnBytes bytes, const char *path, const ValueWanted *wanted,
                          QnValueStore *store, QnError *err);

/*
 * Writes a value into a folder: tensors as <name>.npy, others as <name>.json; '/' and ':' in the
 * name become '_'.
 */
QnStatus value_write_file(const QnValue *value, const char *folder, const char *name, QnError *err);

/* "<folder>/<name><suffix>" with the name made fit for a file. */
void value_file_path(char *path, size_t size, const char *folder, const char *name,
                     const char *suffix);

#endif
