/* SPDX-License-Identifier: Apache-2.0 */
#include "base/message.h"

#include "base/prototext.h"
#include "tests/support/sample_message.h"
#include "tests/support/test.h"

/* A sample and where it lives. */
typedef struct World {
    QnArena arena;
    Sample sample;
    QnText text;
    QnError err;
} World;

static World world(void)
{
    World w = {.err.message = ""};
    qn_message_init(&w.sample, &sample_message);
    return w;
}

static void finish(World *w)
{
    qn_text_finish(&w->text);
    qn_arena_finish(&w->arena);
}

/* The whole sample in a fresh world. */
static World full(Test *t)
{
    World w = world();
    const QnStatus status =
        qn_prototext_parse(&w.sample, &sample_message, qn_bytes_of_text(sample_text), "sample",
                           &w.arena, NULL, &w.err);
    EXPECT(t, status == QN_OK, "%s", w.err.message);
    return w;
}

TEST(initial_values_come_from_the_table)
{
    World w = world();
    EXPECT(t, w.sample.copies == 1 && w.sample.count == 0 && !strcmp(w.sample.name, ""),
           "copies %d", w.sample.copies);
    EXPECT(t, !w.sample.child && w.sample.dims.count == 0 && w.sample.choice == 0,
           "something is set");
    finish(&w);
}

TEST(the_wire_form_keeps_everything)
{
    World a = full(t), b = world();
    QnText again = qn_text(NULL);
    qn_message_write(&a.text, &sample_message, &a.sample);
    const QnStatus status = qn_message_read(&b.sample, &sample_message,
                                            qn_bytes(a.text.data, a.text.size), &b.arena, &b.err);
    EXPECT(t, status == QN_OK, "%s", b.err.message);
    qn_prototext_print(&again, &sample_message, &b.sample);
    EXPECT(t, !strcmp(qn_text_string(&again), sample_text), "%s", qn_text_string(&again));
    qn_text_finish(&again);
    finish(&a);
    finish(&b);
}

/* What the wire form of a message is, and what is not written. */
TEST(the_wire_form_is_protobufs)
{
    static const struct {
        const char *text;
        QnBytes want;
    } rows[] = {
#define ROW(literal) {(const uint8_t *)(literal), sizeof literal - 1}
        {"", ROW("\xc0\x01\x01")}, /* copies = 1 is written, since it begins as 1 */
        {"copies: 0", ROW("\xc0\x01\x00")},
        {"count: 0 name: ''", ROW("\xc0\x01\x01")},
        {"count: -1", ROW("\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\xc0\x01\x01")},
        {"color: BLUE", ROW("\x50\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01\xc0\x01\x01")},
        {"dims: [1, 300]", ROW("\x6a\x03\x01\xac\x02\xc0\x01\x01")},
        {"labels: ['a', '']", ROW("\x7a\x01\x61\x7a\x00\xc0\x01\x01")},
        {"tags { key: 'k' value: 'v' }", ROW("\x9a\x01\x06\x0a\x01k\x12\x01v\xc0\x01\x01")},
        {"number_choice: 0", ROW("\xa8\x01\x00\xc0\x01\x01")},
#undef ROW
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        World w = world();
        qn_prototext_parse(&w.sample, &sample_message, qn_bytes_of_text(rows[i].text), "x",
                           &w.arena, NULL, &w.err);
        qn_message_write(&w.text, &sample_message, &w.sample);
        EXPECT(t, qn_bytes_equal(qn_bytes(w.text.data, w.text.size), rows[i].want), "%s: %zu bytes",
               rows[i].text, w.text.size);
        finish(&w);
    }
}

TEST(the_wire_form_merges_as_protobuf_does)
{
    static const char bytes[] =
        "\x10\x01\x10\x02"                                             /* count: the last one */
        "\x5a\x02\x10\x05\x5a\x02\x18\x06"                             /* child: both parts */
        "\x9a\x01\x06\x0a\x01k\x12\x01v\x9a\x01\x06\x0a\x01k\x12\x01w" /* tags: the last one */
        "\xa8\x01\x05\xb2\x01\x01x"                                    /* choice: the last one */
        "\xfa\x0f\x03skp";                                             /* 255: unknown */
    World w = world();
    const QnStatus status = qn_message_read(&w.sample, &sample_message,
                                            qn_bytes(bytes, sizeof bytes - 1), &w.arena, &w.err);
    REQUIRE(t, status == QN_OK, "%s", w.err.message);
    EXPECT(t, w.sample.count == 2, "%d", w.sample.count);
    EXPECT(t, w.sample.child && w.sample.child->count == 5 && w.sample.child->total == 6,
           "the parts did not merge");
    EXPECT(t, w.sample.tags.count == 1 && !strcmp(w.sample.tags.items[0].value, "w"), "%zu tags",
           w.sample.tags.count);
    EXPECT(t, w.sample.choice == 22 && !strcmp(w.sample.text_choice, "x"), "choice %u",
           w.sample.choice);
    finish(&w);
}

TEST(wrong_wire_forms_are_refused)
{
    static const struct {
        QnBytes bytes;
        const char *want;
    } rows[] = {
#define ROW(literal) {(const uint8_t *)(literal), sizeof literal - 1}
        {ROW("\x42\x01\xff"), "Sample at byte 0: field 8: its text is not valid UTF-8"},
        {ROW("\x42\x02\x61\x00"), "Sample at byte 0: field 8: its text holds a zero character"},
        {ROW("\x10\x01\x5a\x03\x10\x01\x10"),
         "Sample at byte 6: field 2: the message ends in the middle of a field"},
        {ROW("\x40\x01"),
         "Sample at byte 0: field 8: it should have a length and is of another wire type"},
        {ROW("\x58\x01"),
         "Sample at byte 0: field 11: it should have a length and is of another wire type"},
#undef ROW
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        World w = world();
        EXPECT(t,
               qn_message_read(&w.sample, &sample_message, rows[i].bytes, &w.arena, &w.err) ==
                   QN_BAD_MODEL,
               "row %zu was taken", i);
        EXPECT(t, !strcmp(w.err.message, rows[i].want), "%s", w.err.message);
        finish(&w);
    }
}

TEST(the_json_form_keeps_everything)
{
    for (int style = 0; style < 4; style++) {
        World a = full(t), b = world();
        QnText again = qn_text(NULL);
        QnJsonWriter to = qn_json_writer(&a.text);
        to.nan = QN_JSON_NAN_TEXT;
        qn_message_print_json(
            &to, &sample_message, &a.sample,
            &(QnMessageJson){.with_zeros = style & 1, .int64_as_numbers = style & 2});
        QnJson in = qn_json(qn_bytes(a.text.data, a.text.size));
        const QnStatus status =
            qn_message_parse_json(&b.sample, &sample_message, &in, "x", &b.arena, &b.err);
        EXPECT(t, status == QN_OK && qn_json_finish(&in, "x", &b.err) == QN_OK, "%s",
               b.err.message);
        qn_prototext_print(&again, &sample_message, &b.sample);
        EXPECT(t, !strcmp(qn_text_string(&again), sample_text), "%s", qn_text_string(&again));
        qn_text_finish(&again);
        finish(&a);
        finish(&b);
    }
}

TEST(the_json_form_is_protobufs)
{
    static const struct {
        const char *text;
        QnMessageJson options;
        const char *want;
    } rows[] = {
        {"", {0}, "{\"copies\":1}"},
        {"copies: 0 total: 5 nanoseconds: 6 color: BLUE data: 'foo'",
         {0},
         "{\"total\":\"5\",\"nanoseconds\":\"6\",\"data\":\"Zm9v\",\"color\":\"BLUE\",\"copies\":0}"},
        {"total: 5 nanoseconds: 6 dims: 7",
         {.int64_as_numbers = true},
         "{\"total\":5,\"nanoseconds\":\"6\",\"dims\":[7],\"copies\":1}"},
        {"tags { key: 'k' value: 'v' } levels { key: 3 }",
         {0},
         "{\"tags\":{\"k\":\"v\"},\"levels\":{\"3\":{}},\"copies\":1}"},
        {"number_choice: 0", {.int64_as_numbers = true}, "{\"number_choice\":0,\"copies\":1}"},
        {"",
         {.with_zeros = true},
         "{\"is_on\":false,\"count\":0,\"total\":\"0\",\"size\":0,\"nanoseconds\":\"0\",\"share\":0,\"exact\":0,"
         "\"name\":\"\",\"data\":\"\",\"color\":\"RED\",\"flags\":[],\"dims\":[],\"weights\":[],\"labels\":[],"
         "\"blobs\":[],\"colors\":[],\"parts\":[],\"tags\":{},\"levels\":{},\"copies\":1}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        World w = world();
        qn_prototext_parse(&w.sample, &sample_message, qn_bytes_of_text(rows[i].text), "x",
                           &w.arena, NULL, &w.err);
        QnJsonWriter to = qn_json_writer(&w.text);
        qn_message_print_json(&to, &sample_message, &w.sample, &rows[i].options);
        EXPECT(t, !strcmp(qn_text_string(&w.text), rows[i].want), "%s: %s", rows[i].text,
               qn_text_string(&w.text));
        finish(&w);
    }
}

/* JSON in, text out: what else is taken for the same thing. */
TEST(json_is_read_generously)
{
    static const struct {
        const char *json, *want;
    } rows[] = {
        {"{}", "copies: 1\n"},
        {"{\"isOn\":true,\"count\":\"3\",\"total\":4}",
         "is_on: true\ncount: 3\ntotal: 4\ncopies: 1\n"},
        {"{\"count\":1e2,\"total\":3.0}", "count: 100\ntotal: 3\ncopies: 1\n"},
        {"{\"color\":\"blue\",\"colors\":[1,\"RED\"]}",
         "color: BLUE\ncolors: [ GREEN, RED ]\ncopies: 1\n"},
        {"{\"share\":\"NaN\",\"exact\":\"-Infinity\"}", "share: nan\nexact: -inf\ncopies: 1\n"},
        {"{\"copies\":null,\"dims\":null,\"child\":null}", "copies: 1\n"},
        {"{\"tags\":{\"a\":\"1\",\"a\":\"2\"}}",
         "tags {\n  key: \"a\"\n  value: \"2\"\n}\ncopies: 1\n"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        World w = world();
        QnJson in = qn_json(qn_bytes_of_text(rows[i].json));
        const QnStatus status =
            qn_message_parse_json(&w.sample, &sample_message, &in, "x", &w.arena, &w.err);
        EXPECT(t, status == QN_OK, "%s", w.err.message);
        qn_prototext_print(&w.text, &sample_message, &w.sample);
        EXPECT(t, !strcmp(qn_text_string(&w.text), rows[i].want), "%s: %s", rows[i].json,
               qn_text_string(&w.text));
        finish(&w);
    }
}

TEST(wrong_json_is_refused_with_its_place)
{
    static const struct {
        const char *json, *want;
    } rows[] = {
        {"[]", "config: line 1, column 1: expected an object, found '['"},
        {"{\"cuont\":1}",
         "config: line 1, column 3: Sample has no field 'cuont'; did you mean 'count'?"},
        {"{\"child\":\n{\"zzz\":1}}", "config: line 2, column 3: Sample has no field 'zzz'"},
        {"{\"a\\nb\":1}", "config: line 1, column 3: Sample has no field 'a?b'"},
        {"{\"count\":2147483648}",
         "config: line 1, column 10: field 'count': 2147483648 is not in -2147483648 to 2147483647"},
        {"{\"size\":-1}", "config: line 1, column 9: field 'size': -1 is not in 0 to 4294967295"},
        {"{\"count\":1.5}", "config: line 1, column 10: field 'count': expected an integer"},
        {"{\"count\":\"x\"}", "config: line 1, column 10: field 'count': expected an integer"},
        {"{\"count\":true}", "config: line 1, column 10: expected a number, found 't'"},
        {"{\"color\":\"BLEU\"}",
         "config: line 1, column 10: field 'color': 'BLEU' is not a Color; did you mean 'BLUE'?"},
        {"{\"data\":\"!\"}", "config: line 1, column 9: field 'data': expected base64"},
        {"{\"levels\":{\"x\":{}}}", "config: line 1, column 13: field 'key': expected an integer"},
        {"{\"number_choice\":1,\"text_choice\":\"\"}",
         "config: line 1, column 21: field 'text_choice': another member of 'choice' is set already"},
        {"{\"dims\":3}", "config: line 1, column 9: expected an array, found '3'"},
        {"{\"name\":\"a\",}", "config: line 1, column 13: expected a string, found '}'"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        World w = world();
        QnJson in = qn_json(qn_bytes_of_text(rows[i].json));
        const QnStatus status =
            qn_message_parse_json(&w.sample, &sample_message, &in, "config", &w.arena, &w.err);
        EXPECT(t, status == QN_BAD_ARGUMENT, "%s gave %s", rows[i].json, qn_status_name(status));
        EXPECT(t, !strcmp(w.err.message, rows[i].want), "%s", w.err.message);
        finish(&w);
    }
}

TEST(checks_find_all_that_is_wrong)
{
    World w = world();
    static const char text[] =
        "name: 'x' count: -1 share: 1.5 exact: -2 parts { name: 'y' share: -0.5 } parts { }"
        " levels { key: 1 value { name: 'z' count: -7 } }";
    QnReport report = qn_report(&w.arena);
    qn_prototext_parse(&w.sample, &sample_message, qn_bytes_of_text(text), "x", &w.arena, NULL,
                       &w.err);
    w.sample.color = 99;
    qn_message_check(&w.sample, &sample_message, "m", &report);
    static const char *const want[] = {
        "m: count: -1, expected 0 to 2147483647",
        "m: share: 1.5, expected 0 to 1",
        "m: exact: -2, expected at least -1",
        "m: color: 99, expected a number of Color",
        "m: parts[0].share: -0.5, expected 0 to 1",
        "m: parts[1].name: \"\", expected a text that is not empty",
        "m: levels[0].value.count: -7, expected 0 to 2147483647",
    };
    const QnFinding *finding = report.first;
    for (size_t i = 0; i < sizeof want / sizeof want[0]; i++, finding = finding->next) {
        char got[200];
        REQUIRE(t, finding, "only %zu findings", i);
        qn_finding_print(finding, got, sizeof got);
        EXPECT(t, !strcmp(got, want[i]), "%s", got);
    }
    EXPECT(t, !finding, "more findings than there should be");
    finish(&w);
}

TEST(maps_have_a_limit)
{
    World w = world();
    for (int i = 0; i <= QN_MAP_LIMIT; i++) {
        const size_t mark = qn_proto_put_begin(&w.text, 20);
        qn_proto_put_int(&w.text, 1, i);
        qn_proto_put_end(&w.text, mark);
    }
    const QnStatus status = qn_message_read(&w.sample, &sample_message,
                                            qn_bytes(w.text.data, w.text.size), &w.arena, &w.err);
    EXPECT(t, status == QN_BAD_MODEL && strstr(w.err.message, "a map has more than 1024 entries"),
           "%s", w.err.message);
    finish(&w);
}

/* Fails the allocation number `left`, and all after it. */
static void *give(void *user, size_t size, size_t alignment)
{
    int *left = user;
    return (*left)-- > 0 ? aligned_alloc(alignment, (size + alignment - 1) / alignment * alignment)
                         : NULL;
}

static void take(void *user, void *data, size_t size)
{
    (void)user;
    (void)size;
    free(data);
}

TEST(every_failed_allocation_is_a_status)
{
    World whole = full(t);
    qn_message_write(&whole.text, &sample_message, &whole.sample);
    for (size_t limit = 0; limit < whole.arena.used_bytes; limit += 8) {
        int left = 1000000;
        const QnAllocator allocator = {&left, give, take};
        QnArena arenas[2];
        Sample samples[2];
        for (int i = 0; i < 2; i++) {
            qn_arena_init(&arenas[i], &allocator);
            arenas[i].limit_bytes = limit + !limit;
            qn_message_init(&samples[i], &sample_message);
        }
        QnStatus status =
            qn_message_read(&samples[0], &sample_message,
                            qn_bytes(whole.text.data, whole.text.size), &arenas[0], NULL);
        EXPECT(t, status == QN_OK || status == QN_NO_MEMORY, "wire: %s", qn_status_name(status));
        status = qn_prototext_parse(&samples[1], &sample_message, qn_bytes_of_text(sample_text),
                                    "x", &arenas[1], NULL, NULL);
        EXPECT(t, status == QN_NO_MEMORY, "text in %zu bytes: %s", limit, qn_status_name(status));
        qn_arena_finish(&arenas[0]);
        qn_arena_finish(&arenas[1]);
    }
    finish(&whole);
}

TEST(truncations_and_flipped_bits_do_no_harm)
{
    World whole = full(t);
    qn_message_write(&whole.text, &sample_message, &whole.sample);
    for (size_t bit = 0; bit < 9 * whole.text.size;
         bit++) { /* each bit flipped, then each byte the last */
        const size_t size = bit < 8 * whole.text.size ? whole.text.size : bit - 8 * whole.text.size;
        uint8_t *bytes = malloc(size + !size);
        memcpy(bytes, whole.text.data, size);
        if (bit < 8 * whole.text.size)
            bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        World w = world();
        QnReport report = qn_report(&w.arena);
        const QnStatus status =
            qn_message_read(&w.sample, &sample_message, qn_bytes(bytes, size), &w.arena, &w.err);
        EXPECT(t, status == QN_OK || (status == QN_BAD_MODEL && *w.err.message),
               "bit %zu: no sentence", bit);
        qn_message_check(&w.sample, &sample_message, "x", &report);
        qn_message_write(&w.text, &sample_message, &w.sample);
        finish(&w);
        free(bytes);
    }
    finish(&whole);
}

TEST_MAIN(CASE(initial_values_come_from_the_table), CASE(the_wire_form_keeps_everything),
          CASE(the_wire_form_is_protobufs), CASE(the_wire_form_merges_as_protobuf_does),
          CASE(wrong_wire_forms_are_refused), CASE(the_json_form_keeps_everything),
          CASE(the_json_form_is_protobufs), CASE(json_is_read_generously),
          CASE(wrong_json_is_refused_with_its_place), CASE(checks_find_all_that_is_wrong),
          CASE(maps_have_a_limit), CASE(every_failed_allocation_is_a_status),
          CASE(truncations_and_flipped_bits_do_no_harm))
