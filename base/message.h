/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages as C structs, described by one table each.  The table drives the wire form, the JSON
 * form and the text form of protobuf (base/prototext.h), defaults and checks, so that nothing is
 * written three times.
 *
 *     typedef struct Group {
 *         const char *name;
 *         int32_t count;
 *         QN_LIST(int32_t) gpus;
 *     } Group;
 *
 *     static const QnField group_fields[] = {
 *         {.number = 1, QN_AT(Group, name), .kind = QN_KIND_STRING},
 *         {.number = 2, QN_AT(Group, count), .kind = QN_KIND_INT32, .initial = "1", .min = 1,
 *          .max = INT32_MAX},
 *         {.number = 3, QN_AT(Group, gpus), .kind = QN_KIND_INT32, .shape = QN_REPEATED},
 *     };
 *     const QnMessage group = {"Group", sizeof(Group), group_fields, QN_COUNT_OF(group_fields)};
 *
 * What a member is in C:
 *
 *     bool, int32, ... double   the type of that name
 *     enum       int32_t
 *     string     const char *, terminated, never NULL
 *     bytes      QnBytes (after qn_message_read a view into what was read)
 *     message    a pointer to the struct; NULL: absent
 *     repeated   QN_LIST(type), of structs, not pointers
 *     map        QN_LIST(entry) of a struct whose table has the fields 1 "key" and 2 "value"; each
 *                key once
 *     oneof      members as above, that may share a union, and a uint32_t with the number of the
 *                one that is set, or 0
 *
 * All else that a message holds lives in the arena it was read into, whose limit bounds it.  Tables
 * are constant.
 */
#ifndef QN_BASE_MESSAGE_H
#define QN_BASE_MESSAGE_H

#include "base/json.h"
#include "base/proto.h"
#include "base/report.h"

typedef enum QnFieldKind {
    QN_KIND_BOOL,
    QN_KIND_INT32,
    QN_KIND_INT64,
    QN_KIND_UINT32,
    QN_KIND_UINT64,
    QN_KIND_FLOAT,
    QN_KIND_DOUBLE,
    QN_KIND_STRING,
    QN_KIND_BYTES,
    QN_KIND_ENUM,
    QN_KIND_MESSAGE
} QnFieldKind;

typedef enum QnFieldShape { QN_SINGLE, QN_REPEATED, QN_MAPPED } QnFieldShape;

#define QN_LIST(type)              \
    struct {                       \
        type *items; /* [count] */ \
        size_t count, capacity;    \
    }

/* The name and place of a member that is called as its field is. */
#define QN_AT(type, member) .name = #member, .offset = offsetof(type, member)

typedef struct QnEnumValue {
    const char *name;
    int32_t number;
} QnEnumValue;

typedef struct QnEnum {
    const char *name;
    const QnEnumValue *values;
    size_t value_count;
} QnEnum;

typedef struct QnMessage QnMessage;

typedef struct QnField {
    uint32_t number;
    const char *name;
    QnFieldKind kind;
    QnFieldShape shape;
    size_t offset;            /* of the member */
    const QnMessage *message; /* of MESSAGE */
    const QnEnum *values;     /* of ENUM */
    const char *oneof;        /* the group of which at most one is set; NULL: none */
    size_t case_offset;       /* of the group's uint32_t */
    const char *initial;      /* the value before anything is read, as text; NULL: zero, "" */
    double min, max;          /* what qn_message_check allows of numbers, if min < max */
    bool is_required;         /* what qn_message_check wants set: not "", not absent, not empty */
    bool is_text_in_json;     /* a 64-bit integer that stays in quotes even where others do not */
} QnField;

struct QnMessage {
    const char *name;
    size_t size; /* of the struct */
    const QnField *fields;
    size_t field_count; /* at most QN_FIELD_LIMIT */
};

enum { QN_FIELD_LIMIT = 64, QN_MAP_LIMIT = 1024, QN_MESSAGE_DEPTH_LIMIT = 100 };

/* Fills a struct with the initial values of its fields. */
void qn_message_init(void *out, const QnMessage *type);

/*
 * Reads the wire form into a struct after qn_message_init; fields of numbers that the table lacks
 * are skipped. QN_BAD_MODEL where it is malformed, a map has more than QN_MAP_LIMIT entries, or a
 * string is no UTF-8 or holds a zero character; QN_NO_MEMORY.  What was read till then stays in the
 * struct.
 */
QnStatus qn_message_read(void *out, const QnMessage *type, QnBytes bytes, QnArena *arena,
                         QnError *err);

/* Appends the wire form: fields in the table's order,
 * zeros left out where the initial value is zero too. */
void qn_message_write(QnText *out, const QnMessage *type, const void *message);

/*
 * Parses the JSON form: an object at the cursor, whose outermost value it may be or not.  Keys as
 * in the table, or in lowerCamelCase; integers also in quotes; enums by name in any case, or
 * number; null for the initial value.  Unknown keys are an error, with the nearest known one.
 * `what` names the text in messages: "config: line 3, column 5: ...".
 */
QnStatus qn_message_parse_json(void *out, const QnMessage *type, QnJson *in, const char *what,
                               QnArena *arena, QnError *err);

typedef struct QnMessageJson {
    bool with_zeros;       /* print scalars, lists and maps that are zero or empty too */
    bool int64_as_numbers; /* not in quotes, as protobuf has it */
} QnMessageJson;

/* Appends the JSON form: keys as in the table, messages only where set, maps as objects. */
void qn_message_print_json(QnJsonWriter *to, const QnMessage *type, const void *message,
                           const QnMessageJson *options);

/*
 * Checks ranges, enum numbers and what is required, in the message and those in it.  Each finding
 * has the rule "message-field" and the path of its field: "instance_group[1].count: 0, expected 1
 * to 2147483647".
 */
void qn_message_check(const void *message, const QnMessage *type, const char *file,
                      QnReport *report);

/* ---- for the forms: one value of any kind ---- */

typedef struct QnScalar {
    union {
        int64_t i;  /* INT32, INT64, ENUM */
        uint64_t u; /* UINT32, UINT64, BOOL */
        double f;   /* FLOAT, DOUBLE */
        const char *text;
        QnBytes bytes;
    };
} QnScalar;

typedef struct QnListHead {
    void *items;
    size_t count, capacity;
} QnListHead;

const QnField *qn_message_find(const QnMessage *type, QnBytes name);
const QnField *qn_message_find_number(const QnMessage *type, uint32_t number);

/* "; did you mean 'x'?" in an arena, or "" where nothing is near. */
const char *qn_message_hint(const QnMessage *type, const char *name, QnArena *arena);
const char *qn_enum_hint(const QnEnum *type, const char *name, QnArena *arena);

/* The value of a name, in any case if so asked; NULL where there is none. */
const QnEnumValue *qn_enum_find(const QnEnum *type, QnBytes name, bool any_case);
const QnEnumValue *qn_enum_find_number(const QnEnum *type, int64_t number);

/* The size of a value of this field in a struct or list, in bytes. */
size_t qn_field_size(const QnField *field);

/* The least and largest integer of a kind; bool and unsigned ones begin at 0. */
bool qn_kind_fits(QnFieldKind kind, bool is_negative, uint64_t magnitude);
const char *qn_kind_range(QnFieldKind kind);

/* Number kinds have values of a fixed size. */
static inline bool qn_kind_is_number(QnFieldKind kind)
{
    return kind != QN_KIND_STRING && kind != QN_KIND_BYTES && kind != QN_KIND_MESSAGE;
}

/*
 * Where the next value of a field goes: the member, a new element of its list, or, of a message,
 * the struct, which is initialized when it is new.  Sets the oneof.  NULL: no memory.
 */
void *qn_field_slot(const QnField *field, void *message, QnArena *arena);

/* After an entry of a map was read: drops an earlier one with its key.
 * False where there are too many. */
bool qn_field_settle_entry(const QnField *field, void *message);

void qn_field_store(const QnField *field, void *slot, QnScalar value);
QnScalar qn_field_load(const QnField *field, const void *slot);

/* The elements of a field: of a single one, it, if it is set; `value` is their first, of
 * qn_field_size bytes each. */
size_t qn_field_values(const QnField *field, const void *message, const void **value);

/* Is a single scalar what it would be if it were not written: zero or ""? */
bool qn_field_is_zero(const QnField *field, const void *slot);

/* The number of the member of its oneof that is set; 0: none. */
uint32_t qn_field_case(const QnField *field, const void *message);

#endif
