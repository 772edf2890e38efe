/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Protocol-buffers wire format: a cursor over the fields of a message, and functions that append
 * fields to text.
 *
 *     QnProto in = qn_proto(bytes);
 *     while (qn_proto_next(&in)) {
 *         switch (in.field) {
 *         case 1: model->ir_version = qn_proto_int(&in); break;
 *         case 7: QN_TRY(parse_graph(qn_proto_message(&in), model->graph, err)); break;
 *         }
 *     }
 *     return qn_proto_finish(&in, "ModelProto", err);
 *
 * Fields that nobody asks for are skipped, groups with all that is in them.  The cursor is sticky:
 * after its first failure there is no next field and every accessor yields zeros.  It reads nothing
 * outside `bytes` and allocates only in the list functions; all results are views into `bytes`,
 * aligned to nothing.
 */
#ifndef QN_BASE_PROTO_H
#define QN_BASE_PROTO_H

#include "base/arena.h"
#include "base/text.h"

typedef enum QnProtoWire {
    QN_PROTO_VARINT = 0,
    QN_PROTO_FIXED64 = 1,
    QN_PROTO_BYTES = 2,
    QN_PROTO_GROUP = 3,
    QN_PROTO_GROUP_END = 4,
    QN_PROTO_FIXED32 = 5
} QnProtoWire;

enum { QN_PROTO_DEPTH_LIMIT = 100 };

typedef struct QnProto {
    uint32_t field;   /* of the current field: its number, 1 to 2^29 - 1 */
    QnProtoWire wire; /* of the current field: VARINT, FIXED64, BYTES or FIXED32 */
    uint64_t number;  /* of the current field: its value, unless it is BYTES */
    QnBytes bytes;    /* of the current field: its value if it is BYTES */

    const uint8_t *origin;   /* of the outermost message */
    const uint8_t *field_at; /* the current field */
    const uint8_t *at, *end; /* the next field, and the end of this message */
    int depth;               /* 0 for the outermost message */

    QnStatus status;    /* of the first failure */
    const char *reason; /* of the first failure, a constant sentence; NULL: none yet */
} QnProto;

/* A cursor before the first field of a message.
 * `message` is borrowed for as long as any result is used. */
QnProto qn_proto(QnBytes message);

/* Goes to the next field; false at the end of the message and after a failure. */
bool qn_proto_next(QnProto *in);

static inline bool qn_proto_failed(const QnProto *in)
{
    return in->status != QN_OK;
}

/* Makes the cursor fail at the current field,
 * for a reason (a constant) that only its user can see. */
void qn_proto_fail(QnProto *in, QnStatus status, const char *reason);

/* Makes the cursor fail as the cursor of a message inside it did, if that failed. */
void qn_proto_adopt(QnProto *in, const QnProto *inner);

/* QN_OK, or the failure as "<message> at byte N: field F: <reason>".
 * `message` is the type, for people. */
QnStatus qn_proto_finish(const QnProto *in, const char *message, QnError *err);

/*
 * The value of the current field.  Another wire type than the accessor's fails the cursor: int,
 * uint, bool and i32 take VARINT, f32 takes FIXED32, f64 FIXED64, the rest BYTES.  `i32` cuts a
 * longer number to its low 32 bits, as the format asks; an accessor may be called once or more.
 */
int64_t qn_proto_int(QnProto *in);
int32_t qn_proto_i32(QnProto *in);
uint64_t qn_proto_uint(QnProto *in);
bool qn_proto_bool(QnProto *in);
float qn_proto_f32(QnProto *in);
double qn_proto_f64(QnProto *in);
QnBytes qn_proto_bytes(QnProto *in);

/* The same as qn_proto_bytes, and fails where the bytes are no UTF-8. */
QnBytes qn_proto_text(QnProto *in);

/* A terminated copy of a BYTES field in an arena; "" after a failure. */
const char *qn_proto_string(QnProto *in, QnArena *arena);

/* A cursor over a nested message; failed where `in` is,
 * or where it lies more than QN_PROTO_DEPTH_LIMIT deep. */
QnProto qn_proto_message(QnProto *in);

/* The elements of a repeated number field, in an arena.  {0} is empty. */
typedef struct QnProtoList {
    union {
        void *data; /* [count] of the type of the function that filled it; NULL while empty */
        int64_t *i64;
        int32_t *i32;
        uint64_t *u64;
        uint32_t *u32;
        float *f32;
        double *f64;
        bool *flags;
    };
    size_t count, capacity;
} QnProtoList;

/*
 * Append what the current field holds of a repeated number field: one element, or all of a packed
 * block.  One list is filled by one of these only.  Room is taken after the block was counted, so
 * it is at most 8 times the bytes read.
 */
void qn_proto_add_i64(QnProto *in, QnProtoList *list, QnArena *arena);
void qn_proto_add_i32(QnProto *in, QnProtoList *list, QnArena *arena);
void qn_proto_add_u64(QnProto *in, QnProtoList *list, QnArena *arena);
void qn_proto_add_u32(QnProto *in, QnProtoList *list, QnArena *arena);
void qn_proto_add_f32(QnProto *in, QnProtoList *list, QnArena *arena);
void qn_proto_add_f64(QnProto *in, QnProtoList *list, QnArena *arena);
void qn_proto_add_bool(QnProto *in, QnProtoList *list, QnArena *arena);

/*
 * Append one field to a message.  Every value is written, also one that equals a default.  Failures
 * stick to `out`.
 */
void qn_proto_put_varint(QnText *out, uint64_t value); /* alone, without a tag */
void qn_proto_put_tag(QnText *out, uint32_t field, QnProtoWire wire);
void qn_proto_put_int(QnText *out, uint32_t field, int64_t value);
void qn_proto_put_uint(QnText *out, uint32_t field, uint64_t value);
void qn_proto_put_bool(QnText *out, uint32_t field, bool value);
void qn_proto_put_f32(QnText *out, uint32_t field, float value);
void qn_proto_put_f64(QnText *out, uint32_t field, double value);
void qn_proto_put_bytes(QnText *out, uint32_t field, QnBytes value);
void qn_proto_put_string(QnText *out, uint32_t field, const char *value);

/*
 * A nested message, or a packed block: what is appended between the two calls is its content.
 * `begin` returns a mark for `end`.  The length stands in front and is known at the end, so `end`
 * moves a content of over 127 bytes by a few.
 */
size_t qn_proto_put_begin(QnText *out, uint32_t field);
void qn_proto_put_end(QnText *out, size_t mark);

/* Packed blocks; nothing at all where count is 0. */
void qn_proto_put_packed_i64(QnText *out, uint32_t field, const int64_t *values, size_t count);
void qn_proto_put_packed_f32(QnText *out, uint32_t field, const float *values, size_t count);
void qn_proto_put_packed_f64(QnText *out, uint32_t field, const double *values, size_t count);

#endif
