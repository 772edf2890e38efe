/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protocol-buffers wire format.
 *
 * A message is a sequence of fields: a varint tag, (number << 3) | wire type, and a value of that
 * wire type.  A varint holds 7 bits per byte, the lowest first, and the high bit says that more
 * follow; it has at most 10 bytes.
 */
#include "base/proto.h"

#include "base/checked.h"
#include "base/utf8.h"

enum { LONGEST_VARINT = 10 };

static const char cut_off[] = "the message ends in the middle of a field";

QnProto qn_proto(QnBytes message)
{
    static const uint8_t nothing[1];
    const uint8_t *data = message.size ? message.data : nothing;
    return (QnProto){.origin = data, .field_at = data, .at = data, .end = data + message.size};
}

void qn_proto_fail(QnProto *in, QnStatus status, const char *reason)
{
    if (in->status != QN_OK)
        return;
    in->status = status;
    in->reason = reason;
    in->at = in->end;
    in->number = 0;
    in->bytes = (QnBytes){0};
}

void qn_proto_adopt(QnProto *in, const QnProto *inner)
{
    if (in->status != QN_OK || inner->status == QN_OK)
        return;
    qn_proto_fail(in, inner->status, inner->reason);
    in->field = inner->field;
    in->field_at = inner->field_at;
}

QnStatus qn_proto_finish(const QnProto *in, const char *message, QnError *err)
{
    if (in->status == QN_OK)
        return QN_OK;
    const size_t offset = (size_t)(in->field_at - in->origin);
    if (in->field == 0)
        return qn_fail(err, in->status, "%s at byte %zu: %s", message, offset, in->reason);
    return qn_fail(err, in->status, "%s at byte %zu: field %u: %s", message, offset, in->field,
                   in->reason);
}

/* Bits past the 64th, which a tenth byte can hold, are dropped, as protobuf does. */
static uint64_t read_varint(QnProto *in)
{
    if (in->at < in->end && *in->at < 0x80)
        return *in->at++;
    uint64_t value = 0;
    for (unsigned i = 0; i < LONGEST_VARINT; i++) {
        if (in->at == in->end) {
            qn_proto_fail(in, QN_BAD_MODEL, cut_off);
            return 0;
        }
        const uint8_t byte = *in->at++;
        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80)
            return value;
    }
    qn_proto_fail(in, QN_BAD_MODEL, "a number is longer than 10 bytes");
    return 0;
}

/* `size` bytes at the cursor, or NULL and a failure. */
static const uint8_t *read_bytes(QnProto *in, uint64_t size)
{
    if (size > (uint64_t)(in->end - in->at)) {
        qn_proto_fail(in, QN_BAD_MODEL, "its length is past the end of the enclosing message");
        return NULL;
    }
    const uint8_t *data = in->at;
    in->at += size;
    return data;
}

/* Reads tag and value of one field; false after a failure. */
static bool read_field(QnProto *in)
{
    in->field = 0;
    in->field_at = in->at;
    const uint64_t tag = read_varint(in);
    if (in->status != QN_OK)
        return false;
    if (tag > UINT32_MAX || tag >> 3 == 0) {
        qn_proto_fail(in, QN_BAD_MODEL, "a field number is not in 1 to 536870911");
        return false;
    }
    in->field = (uint32_t)(tag >> 3);
    in->wire = (QnProtoWire)(tag & 7);
    in->number = 0;
    in->bytes = (QnBytes){0};
    switch (in->wire) {
    case QN_PROTO_VARINT:
        in->number = read_varint(in);
        break;
    case QN_PROTO_FIXED64: {
        const uint8_t *data = read_bytes(in, 8);
        in->number = data ? qn_load_u64(data) : 0;
        break;
    }
    case QN_PROTO_FIXED32: {
        const uint8_t *data = read_bytes(in, 4);
        in->number = data ? qn_load_u32(data) : 0;
        break;
    }
    case QN_PROTO_BYTES: {
        const uint64_t size = read_varint(in);
        const uint8_t *data = read_bytes(in, size);
        in->bytes = in->status == QN_OK ? qn_bytes(data, (size_t)size) : (QnBytes){0};
        break;
    }
    case QN_PROTO_GROUP:
    case QN_PROTO_GROUP_END:
        break;
    default:
        qn_proto_fail(in, QN_BAD_MODEL, "its wire type is not one of 0 to 5");
    }
    return in->status == QN_OK;
}

/*
 * Skips the group that the current field begins, with those inside.  The numbers of the open ones
 * are kept, since each must be closed by its own.
 */
static void skip_group(QnProto *in)
{
    uint32_t open[QN_PROTO_DEPTH_LIMIT];
    int depth = 0;
    open[depth++] = in->field;
    while (depth > 0 && in->status == QN_OK) {
        if (in->at == in->end) {
            qn_proto_fail(in, QN_BAD_MODEL, "a group is not closed");
        } else if (!read_field(in)) {
            return;
        } else if (in->wire == QN_PROTO_GROUP) {
            if (in->depth + depth >= QN_PROTO_DEPTH_LIMIT)
                qn_proto_fail(in, QN_BAD_MODEL, "groups are nested more than 100 deep");
            else
                open[depth++] = in->field;
        } else if (in->wire == QN_PROTO_GROUP_END) {
            if (in->field != open[--depth])
                qn_proto_fail(in, QN_BAD_MODEL, "a group is closed by the number of another");
        }
    }
}

bool qn_proto_next(QnProto *in)
{
    while (in->at < in->end) {
        if (!read_field(in))
            return false;
        if (in->wire == QN_PROTO_GROUP)
            skip_group(in);
        else if (in->wire == QN_PROTO_GROUP_END)
            qn_proto_fail(in, QN_BAD_MODEL, "a group is closed that was not opened");
        else
            return true;
    }
    return false;
}

/* Is the current field of this wire type?  A failure if not. */
static bool expect(QnProto *in, QnProtoWire wire)
{
    static const char *const reasons[] = {
        [QN_PROTO_VARINT] = "it should be a varint and is of another wire type",
        [QN_PROTO_FIXED64] = "it should be 8 bytes wide and is of another wire type",
        [QN_PROTO_BYTES] = "it should have a length and is of another wire type",
        [QN_PROTO_FIXED32] = "it should be 4 bytes wide and is of another wire type",
    };
    if (in->status == QN_OK && in->wire != wire)
        qn_proto_fail(in, QN_BAD_MODEL, reasons[wire]);
    return in->status == QN_OK;
}

static float f32_of_bits(uint32_t bits)
{
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static double f64_of_bits(uint64_t bits)
{
    double value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

uint64_t qn_proto_uint(QnProto *in)
{
    return expect(in, QN_PROTO_VARINT) ? in->number : 0;
}

int64_t qn_proto_int(QnProto *in)
{
    return (int64_t)qn_proto_uint(in);
}

int32_t qn_proto_i32(QnProto *in)
{
    return (int32_t)(uint32_t)qn_proto_uint(in);
}

bool qn_proto_bool(QnProto *in)
{
    return qn_proto_uint(in) != 0;
}

float qn_proto_f32(QnProto *in)
{
    return expect(in, QN_PROTO_FIXED32) ? f32_of_bits((uint32_t)in->number) : 0;
}

double qn_proto_f64(QnProto *in)
{
    return expect(in, QN_PROTO_FIXED64) ? f64_of_bits(in->number) : 0;
}

QnBytes qn_proto_bytes(QnProto *in)
{
    return expect(in, QN_PROTO_BYTES) ? in->bytes : (QnBytes){0};
}

QnBytes qn_proto_text(QnProto *in)
{
    if (expect(in, QN_PROTO_BYTES) && !qn_utf8_is_valid(in->bytes))
        qn_proto_fail(in, QN_BAD_MODEL, "its text is not valid UTF-8");
    return qn_proto_bytes(in);
}

const char *qn_proto_string(QnProto *in, QnArena *arena)
{
    const QnBytes bytes = qn_proto_bytes(in);
    if (in->status != QN_OK)
        return "";
    const char *copy = qn_arena_copy_text(arena, bytes.data, bytes.size);
    if (!copy)
        qn_proto_fail(in, QN_NO_MEMORY, "out of memory");
    return copy ? copy : "";
}

QnProto qn_proto_message(QnProto *in)
{
    const QnBytes bytes = qn_proto_bytes(in);
    QnProto message = qn_proto(bytes);
    message.origin = in->origin;
    message.depth = in->depth + 1;
    if (message.depth > QN_PROTO_DEPTH_LIMIT)
        qn_proto_fail(in, QN_BAD_MODEL, "messages are nested more than 100 deep");
    if (in->status != QN_OK) {
        message.status = in->status;
        message.reason = in->reason;
        message.field_at = in->field_at;
        message.field = in->field;
        message.at = message.end;
    }
    return message;
}

/* One type of element of a repeated field:
 * its wire type, and how a number from the wire becomes one. */
typedef struct Element {
    QnProtoWire wire;
    size_t size; /* in memory */
    void (*store)(void *to, uint64_t number);
} Element;

static void store_64(void *to, uint64_t number)
{
    memcpy(to, &number, sizeof number);
}

static void store_32(void *to, uint64_t number)
{
    const uint32_t low = (uint32_t)number;
    memcpy(to, &low, sizeof low);
}

static void store_bool(void *to, uint64_t number)
{
    *(bool *)to = number != 0;
}

static const Element varint64 = {QN_PROTO_VARINT, 8, store_64};
static const Element varint32 = {QN_PROTO_VARINT, 4, store_32};
static const Element boolean = {QN_PROTO_VARINT, sizeof(bool), store_bool};
static const Element fixed32 = {QN_PROTO_FIXED32, 4, store_32};
static const Element fixed64 = {QN_PROTO_FIXED64, 8, store_64};

/* Room for `more` elements behind the last; NULL and a failure where there is no memory. */
static char *make_room(QnProto *in, QnProtoList *list, const Element *element, size_t more,
                       QnArena *arena)
{
    size_t needed;
    if (!qn_add_size(&needed, list->count, more)) {
        qn_proto_fail(in, QN_NO_MEMORY, "out of memory");
        return NULL;
    }
    if (needed > list->capacity) {
        size_t capacity = needed; /* a first block is usually the only one: exactly its size */
        if (list->count && capacity < 2 * list->capacity)
            capacity = 2 * list->capacity;
        size_t size;
        void *data = qn_mul_size(&size, capacity, element->size)
                         ? qn_arena_alloc_raw(arena, size, 64)
                         : NULL;
        if (!data) {
            qn_proto_fail(in, QN_NO_MEMORY, "out of memory");
            return NULL;
        }
        if (list->count)
            memcpy(data, list->data, list->count * element->size);
        list->data = data;
        list->capacity = capacity;
    }
    char *to = list->data;
    return to ? to + list->count * element->size : NULL;
}

/* How many elements a packed block holds: a varint ends with the byte whose high bit is clear. */
static size_t count_packed(QnBytes block, QnProtoWire wire)
{
    if (wire != QN_PROTO_VARINT)
        return block.size / (wire == QN_PROTO_FIXED32 ? 4 : 8);
    size_t count = 0;
    for (size_t i = 0; i < block.size; i++)
        count += block.data[i] < 0x80;
    return count;
}

static void add_packed_varints(QnProto *in, QnProtoList *list, const Element *element, char *to,
                               size_t count)
{
    QnProto block = qn_proto(in->bytes);
    size_t stored = 0;
    for (; stored < count && block.status == QN_OK; stored++)
        element->store(to + stored * element->size, read_varint(&block));
    if (block.status == QN_OK && block.at < block.end)
        qn_proto_fail(&block, QN_BAD_MODEL, "its last number is cut off");
    if (block.status != QN_OK)
        qn_proto_fail(in, block.status, block.reason);
    else
        list->count += stored;
}

static void add_packed(QnProto *in, QnProtoList *list, const Element *element, QnArena *arena)
{
    const QnBytes block = in->bytes;
    if (block.size == 0)
        return;
    if (element->wire != QN_PROTO_VARINT && block.size % element->size != 0) {
        qn_proto_fail(in, QN_BAD_MODEL, "its length is not a multiple of its elements' size");
        return;
    }
    const size_t count = count_packed(block, element->wire);
    char *to = make_room(in, list, element, count, arena);
    if (in->status != QN_OK)
        return;
    if (element->wire == QN_PROTO_VARINT) {
        add_packed_varints(in, list, element, to, count);
    } else {
        memcpy(to, block.data, block.size);
        list->count += count;
    }
}

static void add(QnProto *in, QnProtoList *list, const Element *element, QnArena *arena)
{
    if (in->status == QN_OK && in->wire == QN_PROTO_BYTES) {
        add_packed(in, list, element, arena);
        return;
    }
    if (!expect(in, element->wire))
        return;
    char *to = make_room(in, list, element, list->count == list->capacity ? 8 : 1, arena);
    if (!to)
        return;
    element->store(to, in->number);
    list->count++;
}

void qn_proto_add_i64(QnProto *in, QnProtoList *list, QnArena *arena)
{
    add(in, list, &varint64, arena);
}

void qn_proto_add_i32(QnProto *in, QnProtoList *list, QnArena *arena)
{
    add(in, list, &varint32, arena);
}

void qn_proto_add_u64(QnProto *in, QnProtoList *list, QnArena *arena)
{
    add(in, list, &varint64, arena);
}

void qn_proto_add_u32(QnProto *in, QnProtoList *list, QnArena *arena)
{
    add(in, list, &varint32, arena);
}

void qn_proto_add_f32(QnProto *in, QnProtoList *list, QnArena *arena)
{
    add(in, list, &fixed32, arena);
}

void qn_proto_add_f64(QnProto *in, QnProtoList *list, QnArena *arena)
{
    add(in, list, &fixed64, arena);
}

void qn_proto_add_bool(QnProto *in, QnProtoList *list, QnArena *arena)
{
    add(in, list, &boolean, arena);
}
