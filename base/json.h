/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON (RFC 8259): a pull cursor over bytes, without a tree, and a writer.
 *
 *     QnJson in = qn_json(bytes);
 *     qn_json_begin_object(&in);
 *     while (qn_json_next_member(&in)) {
 *         if (qn_json_key_is(&in, "name"))
 *             name = qn_json_string(&in, arena);
 *         else if (qn_json_key_is(&in, "shape"))
 *             for (qn_json_begin_array(&in); qn_json_next_element(&in);)
 *                 add(qn_json_i64(&in));
 *     }
 *     return qn_json_finish(&in, "request", err);
 *
 * A value that is not asked for is skipped, and checked.  The cursor is sticky: after its first
 * failure there is nothing next and every accessor yields zeros.  It is strict: UTF-8, escapes,
 * surrogates, numbers are as the standard has them; nothing is read outside of the bytes, and
 * nothing recurses.
 */
#ifndef QN_BASE_JSON_H
#define QN_BASE_JSON_H

#include "base/arena.h"
#include "base/text.h"

typedef enum QnJsonKind {
    QN_JSON_NONE, /* there is no value: a failure */
    QN_JSON_NULL,
    QN_JSON_BOOL,
    QN_JSON_NUMBER,
    QN_JSON_STRING,
    QN_JSON_ARRAY,
    QN_JSON_OBJECT
} QnJsonKind;

enum { QN_JSON_DEPTH_LIMIT = 100 };

/* A string of the input: what is between the quotes. */
typedef struct QnJsonText {
    QnBytes raw;
    bool has_escapes;
} QnJsonText;

typedef struct QnJson {
    /* May be set before the first call. */
    bool allow_nan;     /* also take the bare words NaN, Infinity and -Infinity for numbers,
                           as Python writes them */
    QnStatus malformed; /* the status of a failure; QN_BAD_ARGUMENT */

    const uint8_t *origin, *at, *end;
    const uint8_t *value_at; /* the value that was read last */
    QnJsonText key;          /* of the current member */
    uint64_t
        objects[QN_JSON_DEPTH_LIMIT / 64 + 1]; /* bit d: is the container at depth d an object? */
    int depth;                                 /* open containers */
    bool has_value; /* the cursor stands before a value that was not read */
    bool is_first;  /* nothing was read yet in the innermost container */

    QnStatus status;          /* of the first failure */
    const char *reason;       /* of the first failure, a constant sentence */
    const uint8_t *failed_at; /* of the first failure */
} QnJson;

/* A cursor before the value that `bytes` hold.
 * They are borrowed for as long as any result is used. */
QnJson qn_json(QnBytes bytes);

static inline bool qn_json_failed(const QnJson *in)
{
    return in->status != QN_OK;
}

/* Makes the cursor fail where it stands, for a reason (a constant) that only its user can see. */
void qn_json_fail(QnJson *in, QnStatus status, const char *reason);

/*
 * Skips what was not read of the outermost value, checks that nothing follows it, and returns QN_OK
 * or the failure as "<what>: line L, column C: <reason>".  Columns count bytes from 1.
 */
QnStatus qn_json_finish(QnJson *in, const char *what, QnError *err);

/*
 * Makes the cursor fail at a place in its bytes (`value_at`, or the key) with a sentence of its
 * user's, and fills `err` as qn_json_finish would.
 */
QnStatus qn_json_refuse(QnJson *in, const uint8_t *at, const char *what, QnError *err,
                        const char *format, ...) QN_PRINTF(5, 6);

/* What the value at the cursor begins like; it is not read. */
QnJsonKind qn_json_kind(QnJson *in);

/* Enter an object or array; another value is a failure. */
void qn_json_begin_object(QnJson *in);
void qn_json_begin_array(QnJson *in);

/* Go before the next value of the innermost container;
 * false at its end, which is left, and after a failure. */
bool qn_json_next_member(QnJson *in);
bool qn_json_next_element(QnJson *in);

/*
 * Goes before the next value that is no array in an array and the arrays inside it, as if it were
 * flat.  `depth` is the cursor's depth just after qn_json_begin_array.
 */
bool qn_json_next_leaf(QnJson *in, int depth);

/* Is the key of the current member this text?  Escapes are heeded. */
bool qn_json_key_is(const QnJson *in, const char *text);

/* The key as terminated text in an arena. */
const char *qn_json_key(QnJson *in, QnArena *arena);

/*
 * Read the value at the cursor.  Another kind, or a number that does not fit, is a failure.
 * Integers have neither fraction nor exponent.  Floats are rounded to nearest; one that is too
 * large does not fit; "NaN", "Infinity" and
 * "-Infinity" in quotes are floats too.
 */
bool qn_json_bool(QnJson *in);
int64_t qn_json_i64(QnJson *in);
uint64_t qn_json_u64(QnJson *in);
double qn_json_f64(QnJson *in);
float qn_json_f32(QnJson *in);

/* The digits of a number, as they stand there. */
QnBytes qn_json_number(QnJson *in);

/* The bytes of a string: of the input, or a copy in an arena where it has escapes.
 * May hold zero bytes. */
QnBytes qn_json_text(QnJson *in, QnArena *arena);

/* A terminated copy of a string; one that holds a zero byte is a failure.  Never NULL. */
const char *qn_json_string(QnJson *in, QnArena *arena);

/* Reads a null; false, and nothing is read, where it is another value. */
bool qn_json_null(QnJson *in);

/* Reads any value and returns its bytes, which a cursor of their own can read later. */
QnBytes qn_json_skip(QnJson *in);

/*
 * Read an array of numbers, or of arrays of numbers as if it were flat, into values[capacity] and
 * return how many there were.  More than that is a failure.
 */
size_t qn_json_read_f32(QnJson *in, float *values, size_t capacity);
size_t qn_json_read_f64(QnJson *in, double *values, size_t capacity);
size_t qn_json_read_i64(QnJson *in, int64_t *values, size_t capacity);
size_t qn_json_read_u64(QnJson *in, uint64_t *values, size_t capacity);

/* What becomes of a float that JSON has no number for. */
typedef enum QnJsonNan {
    QN_JSON_NAN_REFUSE, /* null is written, and the writer is inexact */
    QN_JSON_NAN_TEXT,   /* "NaN", "Infinity", "-Infinity", as protobuf's JSON form has it */
    QN_JSON_NAN_BARE    /* NaN, Infinity, -Infinity: no JSON,
                           but what Python and Triton write and read */
} QnJsonNan;

/*
 * Appends to text.  Commas and colons come by themselves; that begin and end match is the caller's
 * part.  Failures stick to `out`.
 */
typedef struct QnJsonWriter {
    QnText *out; /* borrowed */
    QnJsonNan nan;
    bool needs_comma;
    bool
        is_inexact; /* a float was refused, or bytes of a string that were no UTF-8 became U+FFFD */
} QnJsonWriter;

static inline QnJsonWriter qn_json_writer(QnText *out)
{
    return (QnJsonWriter){.out = out};
}

void qn_json_put_begin(QnJsonWriter *to, char bracket); /* '{' or '[' */
void qn_json_put_end(QnJsonWriter *to, char bracket);   /* '}' or ']' */
void qn_json_put_key(QnJsonWriter *to, const char *key);
void qn_json_put_string(QnJsonWriter *to, const char *value);
void qn_json_put_text(QnJsonWriter *to, QnBytes value);
void qn_json_put_bool(QnJsonWriter *to, bool value);
void qn_json_put_null(QnJsonWriter *to);
void qn_json_put_i64(QnJsonWriter *to, int64_t value);
void qn_json_put_u64(QnJsonWriter *to, uint64_t value);
void qn_json_put_f64(QnJsonWriter *to, double value);
void qn_json_put_f32(QnJsonWriter *to, float value);

/* Bytes that are JSON already, as one value. */
void qn_json_put_raw(QnJsonWriter *to, QnBytes json);

#endif
