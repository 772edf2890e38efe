/* SPDX-License-Identifier: Apache-2.0 */
/* The element types of the protocol, under their three names. */
#include "server/config/data_type.h"

static const struct {
    const char *name, *config_name;
    size_t size;
    QnType engine_type;
} types[QS_DATA_TYPE_COUNT] = {[QS_INVALID] = {"<invalid>", "TYPE_INVALID", 0, QN_UNDEFINED},
#define QS_DATA_TYPE_ROW(name, number, config, bytes, type) [number] = {#name, config, bytes, type},
                               QS_DATA_TYPE_MAP(QS_DATA_TYPE_ROW)
#undef QS_DATA_TYPE_ROW
};

/* A number out of a message may be any. */
static QsDataType known(QsDataType type)
{
    return (unsigned)type < QS_DATA_TYPE_COUNT ? type : QS_INVALID;
}

const char *qs_data_type_name(QsDataType type)
{
    return types[known(type)].name;
}

const char *qs_data_type_config_name(QsDataType type)
{
    return types[known(type)].config_name;
}

QsDataType qs_data_type_find(QnBytes name)
{
    for (int i = 1; i < QS_DATA_TYPE_COUNT; i++)
        if (qn_bytes_is(name, types[i].name))
            return (QsDataType)i;
    return QS_INVALID;
}

size_t qs_data_type_size(QsDataType type)
{
    return types[known(type)].size;
}

QnType qs_data_type_to_engine(QsDataType type)
{
    return types[known(type)].engine_type;
}

QsDataType qs_data_type_of_engine(QnType type)
{
    for (int i = 1; i < QS_DATA_TYPE_COUNT; i++)
        if (types[i].engine_type == type)
            return (QsDataType)i;
    return QS_INVALID;
}
