/* SPDX-License-Identifier: Apache-2.0 */
/* The element types of the protocol, under their three names. */
#ifndef QS_CONFIG_DATA_TYPE_H
#define QS_CONFIG_DATA_TYPE_H

#include "base/bytes.h"
#include "quern/value.h"

/*
 * X(NAME, number in messages, name in configurations, bytes per element on the wire, the engine's
 * type). Strings are a 4-byte length and as many bytes each.
 */
#define QS_DATA_TYPE_MAP(X)                   \
    X(BOOL, 1, "TYPE_BOOL", 1, QN_BOOL)       \
    X(UINT8, 2, "TYPE_UINT8", 1, QN_UINT8)    \
    X(UINT16, 3, "TYPE_UINT16", 2, QN_UINT16) \
    X(UINT32, 4, "TYPE_UINT32", 4, QN_UINT32) \
    X(UINT64, 5, "TYPE_UINT64", 8, QN_UINT64) \
    X(INT8, 6, "TYPE_INT8", 1, QN_INT8)       \
    X(INT16, 7, "TYPE_INT16", 2, QN_INT16)    \
    X(INT32, 8, "TYPE_INT32", 4, QN_INT32)    \
    X(INT64, 9, "TYPE_INT64", 8, QN_INT64)    \
    X(FP16, 10, "TYPE_FP16", 2, QN_FLOAT16)   \
    X(FP32, 11, "TYPE_FP32", 4, QN_FLOAT)     \
    X(FP64, 12, "TYPE_FP64", 8, QN_DOUBLE)    \
    X(BYTES, 13, "TYPE_STRING", 0, QN_STRING) \
    X(BF16, 14, "TYPE_BF16", 2, QN_BFLOAT16)

typedef enum QsDataType {
    QS_INVALID = 0,
#define QS_DATA_TYPE_ENUM(name, number, config, bytes, type) QS_##name = number,
    QS_DATA_TYPE_MAP(QS_DATA_TYPE_ENUM)
#undef QS_DATA_TYPE_ENUM
        QS_DATA_TYPE_COUNT
} QsDataType;

/* "FP32"; "<invalid>" for what is none.  Never NULL. */
const char *qs_data_type_name(QsDataType type);

/* "TYPE_FP32"; "TYPE_INVALID" for what is none.  Never NULL. */
const char *qs_data_type_config_name(QsDataType type);

/* The type of the protocol's name, or QS_INVALID. */
QsDataType qs_data_type_find(QnBytes name);

/* Bytes of an element on the wire; 0 for strings and for what is no type. */
size_t qs_data_type_size(QsDataType type);

/* To the engine's type and back; what the protocol cannot say is QS_INVALID. */
QnType qs_data_type_to_engine(QsDataType type);
QsDataType qs_data_type_of_engine(QnType type);

#endif
