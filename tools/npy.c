/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The layout (NumPy's format versions 1 to 3):
 *
 *     \x93NUMPY, major, minor, header length (2 bytes in version 1, else 4), header, data
 *     header: {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }
 */
#include "tools/npy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/checked.h"
#include "base/utf8.h"

enum { PREFIX_SIZE = 10, ALIGNMENT = 64, ELEMENT_MOST = 16 /* bytes of one in memory */ };

static const struct {
    char kind;
    int size;
    QnType type;
} kinds[] = {
    {'f', 4, QN_FLOAT},     {'f', 8, QN_DOUBLE},      {'f', 2, QN_FLOAT16}, {'i', 1, QN_INT8},
    {'i', 2, QN_INT16},     {'i', 4, QN_INT32},       {'i', 8, QN_INT64},   {'u', 1, QN_UINT8},
    {'u', 2, QN_UINT16},    {'u', 4, QN_UINT32},      {'u', 8, QN_UINT64},  {'b', 1, QN_BOOL},
    {'c', 8, QN_COMPLEX64}, {'c', 16, QN_COMPLEX128},
};

/* What a header says. */
typedef struct Array {
    char kind;           /* of `kinds`, or U or S */
    size_t element_size; /* bytes in the file */
    QnType type;
    bool is_swapped; /* big-endian */
    bool is_fortran; /* the first dimension is the fastest */
    int rank;
    int64_t dims[QN_MAX_RANK];
    size_t count;
    QnBytes data;
} Array;

/* ---- the header ---- */

/* Behind "'key':" and the spaces there; NULL where the key is missing. */
static const char *find_value(const char *header, const char *key)
{
    char quoted[32];
    snprintf(quoted, sizeof quoted, "'%s'", key);
    const char *at = strstr(header, quoted);
    if (!at)
        return NULL;
    at += strlen(quoted);
    at += strspn(at, " ");
    if (*at++ != ':')
        return NULL;
    return at + strspn(at, " ");
}

/* "'<f4'": byte order, kind, size.  U counts characters of 4 bytes. */
static bool parse_type(Array *array, const char *at)
{
    if (!at || at[0] != '\'' || !at[1] || !strchr("<>|=", at[1]))
        return false;
    array->is_swapped = at[1] == '>';
    array->kind = at[2];
    char *end;
    const unsigned long size = strtoul(at + 3, &end, 10);
    if (*end != '\'' || size == 0 || size > 1u << 28)
        return false;
    array->element_size = size * (array->kind == 'U' ? 4 : 1);
    array->type = array->kind == 'U' || array->kind == 'S' ? QN_STRING : QN_UNDEFINED;
    for (size_t i = 0; i < QN_COUNT_OF(kinds); i++)
        if (kinds[i].kind == array->kind && (size_t)kinds[i].size == size)
            array->type = kinds[i].type;
    return array->type != QN_UNDEFINED;
}

/* "(2, 3)", "(2,)", "()".  Strides must fit also
 * where a dimension is 0 and there are no elements. */
static bool parse_shape(Array *array, const char *at)
{
    if (!at || *at++ != '(')
        return false;
    size_t span = ELEMENT_MOST;
    array->count = 1;
    for (at += strspn(at, " "); *at != ')'; at += strspn(at, " ,")) {
        char *end;
        const long long dim = strtoll(at, &end, 10);
        if (end == at || dim < 0 || array->rank == QN_MAX_RANK ||
            !qn_mul_size(&span, span, dim ? (size_t)dim : 1) || span > INT64_MAX)
            return false;
        array->dims[array->rank++] = dim;
        array->count *= (size_t)dim;
        at = end;
    }
    return true;
}

static QnStatus parse_header(Array *array, QnBytes bytes, const char *name, QnError *err)
{
    static const char magic[] = "\x93NUMPY";
    if (bytes.size < 12 || memcmp(bytes.data, magic, 6) != 0)
        return qn_fail(err, QN_BAD_TENSOR, "%s: this is no .npy file", name);
    const bool is_first = bytes.data[6] == 1;
    const size_t start = is_first ? PREFIX_SIZE : PREFIX_SIZE + 2;
    const size_t length = is_first ? qn_load_u16(bytes.data + 8) : qn_load_u32(bytes.data + 8);
    char header[1024 + QN_MAX_RANK * 24];
    if (length >= sizeof header || !qn_is_range(start, length, bytes.size))
        return qn_fail(err, QN_BAD_TENSOR, "%s: the header takes %zu bytes, the file has %zu", name,
                       length, bytes.size);
    memcpy(header, bytes.data + start, length);
    header[length] = '\0';
    const char *type = find_value(header, "descr");
    if (!parse_type(array, type))
        return qn_fail(err, QN_BAD_TENSOR, "%s: elements are %.20s, expected numbers or text", name,
                       type ? type : "not described");
    const char *order = find_value(header, "fortran_order");
    if (!order || !parse_shape(array, find_value(header, "shape")))
        return qn_fail(err, QN_BAD_TENSOR, "%s: the header has no shape of at most %d dimensions",
                       name, QN_MAX_RANK);
    array->is_fortran = strncmp(order, "True", 4) == 0;
    array->data = qn_bytes(bytes.data + start + length, bytes.size - start - length);
    size_t size;
    if (!qn_mul_size(&size, array->count, array->element_size) || size > array->data.size)
        return qn_fail(err, QN_BAD_TENSOR,
                       "%s: %zu elements of %zu bytes were announced, but %zu bytes follow", name,
                       array->count, array->element_size, array->data.size);
    return QN_OK;
}

/* ---- reading ---- */

/* Where element i, in row-major order, stands in the file. */
static size_t place_in_file(const Array *array, size_t i)
{
    if (!array->is_fortran)
        return i * array->element_size;
    size_t index = 0;
    for (int d = array->rank - 1; d >= 0; d--) {
        const size_t size = (size_t)array->dims[d];
        index = index * size + i % size;
        i /= size;
    }
    return index * array->element_size;
}

/* The parts of complex numbers are swapped each. */
static void copy_element(const Array *array, uint8_t *to, const uint8_t *from)
{
    const size_t size = array->element_size, part = array->kind == 'c' ? size / 2 : size;
    if (!array->is_swapped) {
        memcpy(to, from, size);
        return;
    }
    for (size_t i = 0; i < size; i++)
        to[i] = from[i / part * part + part - 1 - i % part];
}

static uint32_t load_character(const Array *array, const uint8_t *at)
{
    const uint32_t c = qn_load_u32(at);
    return array->is_swapped ? __builtin_bswap32(c) : c;
}

static size_t put_character(char *to, uint32_t c)
{
    if (c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
        c = 0xfffd;
    return (size_t)qn_utf8_put(to, c);
}

/* One string: zeros at the end are padding. */
static bool read_string(const Array *array, QnString *out, const uint8_t *at, QnValueStore *store)
{
    const size_t unit = array->kind == 'U' ? 4 : 1;
    size_t count = array->element_size / unit, size = 0;
    while (count > 0 && (unit == 4 ? qn_load_u32(at + 4 * (count - 1)) : at[count - 1]) == 0)
        count--;
    char *text = qn_value_store_alloc(store, 4 * count + 1);
    if (!text)
        return false;
    if (unit == 1)
        memcpy(text, at, size = count);
    else
        for (size_t i = 0; i < count; i++)
            size += put_character(text + size, load_character(array, at + 4 * i));
    *out = (QnString){text, size};
    return true;
}

QnStatus npy_read(QnTensor *out, QnBytes bytes, const char *name, QnValueStore *store, QnError *err)
{
    Array array = {0};
    QN_TRY(parse_header(&array, bytes, name, err));
    size_t size;
    uint8_t *data = NULL;
    if (qn_mul_size(&size, array.count, qn_type_size(array.type)))
        data = qn_value_store_alloc(store, size);
    if (!data)
        return qn_no_memory(err);
    if (array.type != QN_STRING && !array.is_fortran && !array.is_swapped) {
        if (size)
            memcpy(data, array.data.data, size);
    } else {
        for (size_t i = 0; i < array.count; i++) {
            const uint8_t *from = array.data.data + place_in_file(&array, i);
            uint8_t *to = data + i * qn_type_size(array.type);
            if (array.type != QN_STRING)
                copy_element(&array, to, from);
            else if (!read_string(&array, (QnString *)(void *)to, from, store))
                return qn_no_memory(err);
        }
    }
    *out = qn_tensor(array.type, array.rank, array.dims, data);
    return QN_OK;
}

/* ---- writing ---- */

QnType npy_type(QnType type)
{
    for (size_t i = 0; i < QN_COUNT_OF(kinds); i++)
        if (kinds[i].type == type)
            return type;
    switch (type) {
    case QN_STRING:
        return QN_STRING;
    case QN_UINT4:
    case QN_UINT2:
        return QN_UINT8;
    case QN_INT4:
    case QN_INT2:
        return QN_INT8;
    default: /* the floats of 16 bits and fewer that NumPy lacks */
        return QN_FLOAT;
    }
}

/* Takes the first character off; what is no UTF-8 becomes U+FFFD, byte by byte. */
static uint32_t take_character(QnBytes *rest)
{
    const int size = qn_utf8_size(*rest);
    uint32_t c = size ? rest->data[0] : 0xfffd;
    if (size > 1) {
        c &= 0x7fu >> size;
        for (int i = 1; i < size; i++)
            c = c << 6 | (rest->data[i] & 0x3f);
    }
    *rest = qn_bytes(rest->data + (size ? size : 1), rest->size - (size_t)(size ? size : 1));
    return c;
}

static QnBytes string_at(const QnTensor *tensor, int64_t i)
{
    QnString s;
    memcpy(&s, qn_tensor_address(tensor, i), sizeof s);
    return qn_bytes(s.data, s.size);
}

/* The width of a `U` array: of its longest string, at least 1, as NumPy has it. */
static size_t text_width(const QnTensor *tensor, int64_t count)
{
    size_t width = 1;
    for (int64_t i = 0; i < count; i++) {
        size_t characters = 0;
        for (QnBytes rest = string_at(tensor, i); rest.size; characters++)
            take_character(&rest);
        width = characters > width ? characters : width;
    }
    return width;
}

static void put_header(QnText *out, const QnTensor *tensor, const char *type)
{
    char header[256 + QN_MAX_RANK * 24];
    int size =
        snprintf(header, sizeof header, "{'descr': '%s', 'fortran_order': False, 'shape': (", type);
    for (int d = 0; d < tensor->rank; d++)
        size += snprintf(header + size, sizeof header - (size_t)size, "%s%" PRId64, d ? ", " : "",
                         tensor->dims[d]);
    size += snprintf(header + size, sizeof header - (size_t)size, "%s), }",
                     tensor->rank == 1 ? "," : "");
    while ((PREFIX_SIZE + size + 1) % ALIGNMENT != 0)
        header[size++] = ' ';
    header[size++] = '\n';
    const uint8_t prefix[PREFIX_SIZE] = {
        0x93, 'N', 'U', 'M', 'P', 'Y', 1, 0, (uint8_t)(size & 0xff), (uint8_t)(size >> 8)};
    qn_text_put(out, prefix, sizeof prefix);
    qn_text_put(out, header, (size_t)size);
}

static void put_strings(QnText *out, const QnTensor *tensor, int64_t count)
{
    char type[32];
    const size_t width = text_width(tensor, count);
    snprintf(type, sizeof type, "<U%zu", width);
    put_header(out, tensor, type);
    for (int64_t i = 0; i < count; i++) {
        size_t written = 0;
        for (QnBytes rest = string_at(tensor, i); rest.size; written++) {
            const uint32_t c = take_character(&rest);
            qn_text_put(out, &c, 4);
        }
        for (const uint32_t zero = 0; written < width; written++)
            qn_text_put(out, &zero, 4);
    }
}

/* Elements of a type that NumPy lacks, as the one that stands for it. */
static void put_converted(QnText *out, const QnTensor *tensor, int64_t count)
{
    for (int64_t i = 0; i < count; i++) {
        const double value = qn_tensor_element(tensor, i);
        if (npy_type(tensor->type) == QN_FLOAT) {
            const float f = (float)value;
            qn_text_put(out, &f, sizeof f);
        } else {
            qn_text_putc(out, (char)value); /* of 4 bits at most: it fits */
        }
    }
}

QnStatus npy_write(QnText *out, const QnTensor *tensor, QnError *err)
{
    const int64_t count = qn_tensor_count(tensor);
    const QnType type = npy_type(tensor->type);
    char text[16] = "<f4";
    for (size_t i = 0; i < QN_COUNT_OF(kinds); i++)
        if (kinds[i].type == type)
            snprintf(text, sizeof text, "%c%c%d", kinds[i].size == 1 ? '|' : '<', kinds[i].kind,
                     kinds[i].size);
    if (type == QN_STRING) {
        put_strings(out, tensor, count);
    } else {
        put_header(out, tensor, text);
        if (type != tensor->type)
            put_converted(out, tensor, count);
        else if (qn_tensor_is_contiguous(tensor))
            qn_text_put(out, tensor->data, (size_t)count * qn_type_size(type));
        else
            for (int64_t i = 0; i < count; i++)
                qn_text_put(out, qn_tensor_address(tensor, i), qn_type_size(type));
    }
    return out->failed ? qn_no_memory(err) : QN_OK;
}
