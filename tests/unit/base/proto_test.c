/* SPDX-License-Identifier: Apache-2.0 */
/* What the wire cursor and writer promise:
 * every wire type, and an error, not a crash, for bad bytes. */
#include "base/proto.h"

#include "tests/support/test.h"

/* Bytes of a message, written as a string constant: for a row of a table, and anywhere else. */
#define ROW(literal)                                   \
    {                                                  \
        (const uint8_t *)(literal), sizeof literal - 1 \
    }
#define MESSAGE(literal) qn_bytes(literal, sizeof literal - 1)

/* What is in a message, as text: "1:varint 5, 2:bytes 'ab'"; after a failure the sentence of it. */
static const char *show(QnBytes message)
{
    static char text[2000];
    int size = 0;
    QnProto in = qn_proto(message);
    text[0] = 0;
    while (qn_proto_next(&in)) {
        size +=
            snprintf(text + size, sizeof text - (size_t)size, "%s%u:", size ? ", " : "", in.field);
        if (in.wire == QN_PROTO_VARINT)
            size += snprintf(text + size, sizeof text - (size_t)size, "%lld",
                             (long long)qn_proto_int(&in));
        else if (in.wire == QN_PROTO_FIXED32)
            size +=
                snprintf(text + size, sizeof text - (size_t)size, "%gf", (double)qn_proto_f32(&in));
        else if (in.wire == QN_PROTO_FIXED64)
            size += snprintf(text + size, sizeof text - (size_t)size, "%g", qn_proto_f64(&in));
        else
            size += snprintf(text + size, sizeof text - (size_t)size, "'%.*s'", (int)in.bytes.size,
                             (const char *)in.bytes.data);
    }
    QnError err;
    if (qn_proto_finish(&in, "M", &err) != QN_OK)
        snprintf(text, sizeof text, "%s", err.message);
    return text;
}

TEST(fields_are_read_as_the_format_says)
{
    static const struct {
        QnBytes message;
        const char *want;
    } rows[] = {
        {ROW(""), ""},
        {ROW("\x08\x05"), "1:5"},
        {ROW("\x08\x96\x01"), "1:150"},
        {ROW("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), "1:-1"},
        {ROW("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), "1:0"},
        {ROW("\x12\x02"
             "ab"),
         "2:'ab'"},
        {ROW("\x12\x00"), "2:''"},
        {ROW("\x15\x00\x00\x80\x3f"), "2:1f"},
        {ROW("\x11\x00\x00\x00\x00\x00\x00\xf0\x3f"), "2:1"},
        {ROW("\xf8\xff\xff\xff\x0f\x01"), "536870911:1"},
        {ROW("\x08\x01\x08\x02"), "1:1, 1:2"},
        {ROW("\x0b\x08\x01\x0c\x10\x07"), "2:7"},                  /* a group is skipped */
        {ROW("\x0b\x13\x12\x01z\x14\x0b\x0c\x0c\x10\x07"), "2:7"}, /* with those inside */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = show(rows[i].message);
        EXPECT(t, !strcmp(got, rows[i].want), "row %zu gave %s, not %s", i, got, rows[i].want);
    }
}

TEST(broken_messages_are_refused_with_a_reason)
{
    static const struct {
        QnBytes message;
        const char *want;
    } rows[] = {
        {ROW("\x08"), "M at byte 0: field 1: the message ends in the middle of a field"},
        {ROW("\x10\x01\x08\x80"),
         "M at byte 2: field 1: the message ends in the middle of a field"},
        {ROW("\x80"), "M at byte 0: the message ends in the middle of a field"},
        {ROW("\x08\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"),
         "M at byte 0: field 1: a number is longer than 10 bytes"},
        {ROW("\x12\x03"
             "ab"),
         "M at byte 0: field 2: its length is past the end of the enclosing message"},
        {ROW("\x12\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"),
         "M at byte 0: field 2: its length is past the end of the enclosing message"},
        {ROW("\x15\x00\x00\x80"),
         "M at byte 0: field 2: its length is past the end of the enclosing message"},
        {ROW("\x00\x01"), "M at byte 0: a field number is not in 1 to 536870911"},
        {ROW("\x88\x80\x80\x80\x10\x01"), "M at byte 0: a field number is not in 1 to 536870911"},
        {ROW("\x0e\x01"), "M at byte 0: field 1: its wire type is not one of 0 to 5"},
        {ROW("\x0c"), "M at byte 0: field 1: a group is closed that was not opened"},
        {ROW("\x0b\x08\x01"), "M at byte 1: field 1: a group is not closed"},
        {ROW("\x0b\x14"), "M at byte 1: field 2: a group is closed by the number of another"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = show(rows[i].message);
        EXPECT(t, !strcmp(got, rows[i].want), "row %zu gave %s, not %s", i, got, rows[i].want);
    }
}

TEST(groups_have_a_depth_limit)
{
    uint8_t deep[1000];
    memset(deep, 0x0b, sizeof deep);
    const char *got = show(qn_bytes(deep, sizeof deep));
    EXPECT(t, strstr(got, "groups are nested more than 100 deep"), "%s", got);
}

TEST(messages_have_a_depth_limit)
{
    QnText text = qn_text(NULL);
    size_t marks[200];
    for (int i = 0; i < 200; i++)
        marks[i] = qn_proto_put_begin(&text, 1);
    for (int i = 199; i >= 0; i--)
        qn_proto_put_end(&text, marks[i]);
    QnProto in = qn_proto(qn_bytes(text.data, text.size));
    int depth = 0;
    while (qn_proto_next(&in)) {
        in = qn_proto_message(&in);
        depth++;
    }
    QnError err;
    EXPECT(t, qn_proto_finish(&in, "M", &err) == QN_BAD_MODEL && depth == QN_PROTO_DEPTH_LIMIT + 1,
           "depth %d", depth);
    EXPECT(t, strstr(err.message, "messages are nested more than 100 deep"), "%s", err.message);
    qn_text_finish(&text);
}

TEST(a_cursor_that_failed_yields_zeros)
{
    QnProto in = qn_proto(MESSAGE("\x12\x02"
                                  "ab\x08\x07"));
    REQUIRE(t, qn_proto_next(&in), "no first field");
    EXPECT(t, qn_proto_int(&in) == 0 && qn_proto_failed(&in), "bytes were taken for a number");
    EXPECT(t, !qn_proto_next(&in), "a field after a failure");
    EXPECT(t, qn_proto_bytes(&in).size == 0 && qn_proto_f64(&in) == 0, "values after a failure");
    QnProto inner = qn_proto_message(&in);
    EXPECT(t, qn_proto_failed(&inner) && !qn_proto_next(&inner),
           "an inner message after a failure");
    QnError err;
    EXPECT(t, qn_proto_finish(&in, "M", &err) == QN_BAD_MODEL, "status");
    EXPECT(t,
           !strcmp(err.message,
                   "M at byte 0: field 2: it should be a varint and is of another wire type"),
           "%s", err.message);
}

TEST(texts_must_be_utf8_where_it_is_asked)
{
    const QnBytes message = MESSAGE("\x0a\x02\xc3(");
    QnProto in = qn_proto(message);
    qn_proto_next(&in);
    EXPECT(t, qn_proto_bytes(&in).size == 2 && !qn_proto_failed(&in), "bytes may be anything");
    EXPECT(t, qn_proto_text(&in).size == 0 && qn_proto_failed(&in), "text may not");
}

TEST(repeated_numbers_come_packed_or_one_by_one)
{
    QnArena arena = {0};
    QnProtoList list = {0};
    QnProto in = qn_proto(MESSAGE("\x08\x01\x0a\x03\x02\xac\x02\x0a\x00\x08\x03"));
    while (qn_proto_next(&in))
        qn_proto_add_i64(&in, &list, &arena);
    EXPECT(t, !qn_proto_failed(&in) && list.count == 4, "count %zu", list.count);
    static const int64_t want[] = {1, 2, 300, 3};
    for (size_t i = 0; i < list.count; i++)
        EXPECT(t, list.i64[i] == want[i], "element %zu is %lld", i, (long long)list.i64[i]);

    QnProtoList floats = {0};
    in = qn_proto(MESSAGE("\x0d\x00\x00\x80\x3f\x0a\x08\x00\x00\x00\x40\x00\x00\x40\x40"));
    while (qn_proto_next(&in))
        qn_proto_add_f32(&in, &floats, &arena);
    EXPECT(t, floats.count == 3 && floats.f32[0] == 1 && floats.f32[1] == 2 && floats.f32[2] == 3,
           "count %zu", floats.count);
    qn_arena_finish(&arena);
}

TEST(broken_packed_blocks_are_refused)
{
    static const struct {
        QnBytes message;
        void (*add)(QnProto *in, QnProtoList *list, QnArena *arena);
        const char *want;
    } rows[] = {
        {ROW("\x0a\x02\x01\x80"), qn_proto_add_i64, "its last number is cut off"},
        {ROW("\x0a\x0c\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"), qn_proto_add_i64,
         "a number is longer than 10 bytes"},
        {ROW("\x0a\x05\x01\x02\x03\x04\x05"), qn_proto_add_f32,
         "its length is not a multiple of its elements' size"},
        {ROW("\x0a\x04\x01\x02\x03\x04"), qn_proto_add_f64,
         "its length is not a multiple of its elements' size"},
        {ROW("\x08\x01"), qn_proto_add_f64,
         "it should be 8 bytes wide and is of another wire type"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        QnArena arena = {0};
        QnProtoList list = {0};
        QnProto in = qn_proto(rows[i].message);
        qn_proto_next(&in);
        rows[i].add(&in, &list, &arena);
        EXPECT(t, qn_proto_failed(&in) && !strcmp(in.reason, rows[i].want), "row %zu: %s", i,
               in.reason ? in.reason : "no failure");
        qn_arena_finish(&arena);
    }
}

TEST(a_failed_allocation_is_a_status)
{
    QnArena arena = {.limit_bytes = 100};
    QnProtoList list = {0};
    QnError err = {0};
    QnProto in = qn_proto(
        MESSAGE("\x08\x01\x08\x01\x08\x01\x08\x01\x08\x01\x08\x01\x08\x01\x08\x01\x08\x01"));
    while (qn_proto_next(&in))
        qn_proto_add_i64(&in, &list, &arena);
    EXPECT(t, qn_proto_finish(&in, "M", &err) == QN_NO_MEMORY && list.count == 8, "%s",
           err.message);
    qn_arena_finish(&arena);
}

/* One of each kind, in a nested message longer than a one-byte length can say. */
static QnText sample(void)
{
    QnText out = qn_text(NULL);
    const size_t outer = qn_proto_put_begin(&out, 16);
    qn_proto_put_int(&out, 1, INT64_MIN);
    qn_proto_put_uint(&out, 2, UINT64_MAX);
    qn_proto_put_bool(&out, 3, true);
    qn_proto_put_f32(&out, 4, -0.5f);
    qn_proto_put_f64(&out, 5, 1e300);
    qn_proto_put_string(&out, 6, "text");
    const int64_t numbers[] = {0, -1, 1, 127, 128, INT64_MAX};
    qn_proto_put_packed_i64(&out, 7, numbers, 6);
    double doubles[20] = {1, 2, 3};
    qn_proto_put_packed_f64(&out, 8, doubles, 20);
    qn_proto_put_packed_f64(&out, 9, doubles, 0);
    qn_proto_put_end(&out, outer);
    return out;
}

TEST(what_is_written_is_read)
{
    QnText out = sample();
    REQUIRE(t, !out.failed, "no memory");
    QnArena arena = {0};
    QnProto in = qn_proto(qn_bytes(out.data, out.size));
    REQUIRE(t, qn_proto_next(&in) && in.field == 16, "field %u", in.field);
    QnProto inner = qn_proto_message(&in);
    QnProtoList i64s = {0}, f64s = {0};
    int64_t i = 0;
    uint64_t u = 0;
    bool b = false;
    float f = 0;
    double d = 0;
    const char *s = "";
    while (qn_proto_next(&inner)) {
        switch (inner.field) {
        case 1:
            i = qn_proto_int(&inner);
            break;
        case 2:
            u = qn_proto_uint(&inner);
            break;
        case 3:
            b = qn_proto_bool(&inner);
            break;
        case 4:
            f = qn_proto_f32(&inner);
            break;
        case 5:
            d = qn_proto_f64(&inner);
            break;
        case 6:
            s = qn_proto_string(&inner, &arena);
            break;
        case 7:
            qn_proto_add_i64(&inner, &i64s, &arena);
            break;
        case 8:
            qn_proto_add_f64(&inner, &f64s, &arena);
            break;
        default:
            EXPECT(t, false, "field %u", inner.field);
        }
    }
    EXPECT(t, !qn_proto_failed(&inner) && !qn_proto_next(&in) && !qn_proto_failed(&in), "failed");
    EXPECT(t,
           i == INT64_MIN && u == UINT64_MAX && b && f == -0.5f && d == 1e300 && !strcmp(s, "text"),
           "values");
    EXPECT(t, i64s.count == 6 && i64s.i64[1] == -1 && i64s.i64[5] == INT64_MAX, "count %zu",
           i64s.count);
    EXPECT(t, f64s.count == 20 && f64s.f64[2] == 3, "count %zu", f64s.count);
    qn_arena_finish(&arena);
    qn_text_finish(&out);
}

/* Reads everything that could be in a message, in every way. */
static void read_all(QnProto in, QnArena *arena)
{
    QnProtoList lists[7] = {0};
    while (qn_proto_next(&in)) {
        if (in.wire == QN_PROTO_BYTES) {
            QnProto copy = in;
            read_all(qn_proto_message(&copy), arena);
            copy = in;
            qn_proto_text(&copy);
        }
        QnProto copies[] = {in, in, in, in, in, in, in};
        qn_proto_add_i64(&copies[0], &lists[0], arena);
        qn_proto_add_i32(&copies[1], &lists[1], arena);
        qn_proto_add_u64(&copies[2], &lists[2], arena);
        qn_proto_add_u32(&copies[3], &lists[3], arena);
        qn_proto_add_f32(&copies[4], &lists[4], arena);
        qn_proto_add_f64(&copies[5], &lists[5], arena);
        qn_proto_add_bool(&copies[6], &lists[6], arena);
    }
}

TEST(truncations_and_flipped_bits_do_no_harm)
{
    QnText out = sample();
    REQUIRE(t, !out.failed, "no memory");
    for (size_t size = 0; size < out.size; size++) {
        uint8_t *cut =
            malloc(size + !size); /* its own block, so that a sanitizer sees a read past the end */
        memcpy(cut, out.data, size);
        QnArena arena = {0};
        read_all(qn_proto(qn_bytes(cut, size)), &arena);
        qn_arena_finish(&arena);
        free(cut);
    }
    for (size_t bit = 0; bit < 8 * out.size; bit++) {
        out.data[bit / 8] = (char)(out.data[bit / 8] ^ 1 << bit % 8);
        QnArena arena = {0};
        read_all(qn_proto(qn_bytes(out.data, out.size)), &arena);
        qn_arena_finish(&arena);
        out.data[bit / 8] = (char)(out.data[bit / 8] ^ 1 << bit % 8);
    }
    qn_text_finish(&out);
}

TEST_MAIN(CASE(fields_are_read_as_the_format_says), CASE(broken_messages_are_refused_with_a_reason),
          CASE(groups_have_a_depth_limit), CASE(messages_have_a_depth_limit),
          CASE(a_cursor_that_failed_yields_zeros), CASE(texts_must_be_utf8_where_it_is_asked),
          CASE(repeated_numbers_come_packed_or_one_by_one), CASE(broken_packed_blocks_are_refused),
          CASE(a_failed_allocation_is_a_status), CASE(what_is_written_is_read),
          CASE(truncations_and_flipped_bits_do_no_harm))
