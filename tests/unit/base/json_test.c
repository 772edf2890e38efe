/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"

#include <float.h>
#include <math.h>

#include "base/random.h"
#include "tests/support/test.h"

/* Copies a value from a cursor to a writer. */
static void copy_value(QnJson *in, QnJsonWriter *to, QnArena *arena)
{
    const QnJsonKind kind = qn_json_kind(in);
    if (kind == QN_JSON_OBJECT) {
        qn_json_put_begin(to, '{');
        for (qn_json_begin_object(in); qn_json_next_member(in);) {
            qn_json_put_key(to, qn_json_key(in, arena));
            copy_value(in, to, arena);
        }
        qn_json_put_end(to, '}');
    } else if (kind == QN_JSON_ARRAY) {
        qn_json_put_begin(to, '[');
        for (qn_json_begin_array(in); qn_json_next_element(in);)
            copy_value(in, to, arena);
        qn_json_put_end(to, ']');
    } else if (kind == QN_JSON_STRING) {
        qn_json_put_text(to, qn_json_text(in, arena));
    } else if (kind == QN_JSON_NUMBER) {
        qn_json_put_raw(to, qn_json_number(in));
    } else if (kind == QN_JSON_BOOL) {
        qn_json_put_bool(to, qn_json_bool(in));
    } else if (qn_json_null(in)) {
        qn_json_put_null(to);
    }
}

/* A text read and written again, or the sentence that says why not.
 * Skipping the same text must agree. */
static const char *rewrite(Test *t, QnBytes json)
{
    static char result[2000];
    QnArena arena = {0};
    QnText text = qn_text(NULL);
    QnJson in = qn_json(json), skipping = qn_json(json);
    QnJsonWriter to = qn_json_writer(&text);
    QnError err, skip_err;
    copy_value(&in, &to, &arena);
    const bool is_read = qn_json_finish(&in, "x", &err) == QN_OK;
    EXPECT(t, (qn_json_finish(&skipping, "x", &skip_err) == QN_OK) == is_read,
           "%.*s skipped is not the same", (int)json.size, (const char *)json.data);
    snprintf(result, sizeof result, "%s", is_read ? qn_text_string(&text) : err.message);
    qn_text_finish(&text);
    qn_arena_finish(&arena);
    return result;
}

TEST(values_are_read_and_written)
{
    static const struct {
        const char *json, *want;
    } rows[] = {
        {"null", "null"},
        {" true ", "true"},
        {"false\n", "false"},
        {"0", "0"},
        {"-0.5e+3", "-0.5e+3"},
        {"\"\"", "\"\""},
        {"[]", "[]"},
        {"{}", "{}"},
        {"[ 1 , [ ] , { } ]", "[1,[],{}]"},
        {"{ \"a\" : 1 , \"b\" : { \"c\" : [ null ] } }", "{\"a\":1,\"b\":{\"c\":[null]}}"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\\\"\\\\/\\b\\f\\n\\r\\t\""},
        {"\"\\u0041\\u00e9\\u20ac\\ud834\\udd1e\"", "\"A\xc3\xa9\xe2\x82\xac\xf0\x9d\x84\x9e\""},
        {"\"\\u0000\\u001f\\u007f\"", "\"\\u0000\\u001f\x7f\""},
        {"{\"\":0,\"\\u0061\":1,\"a\":2}", "{\"\":0,\"a\":1,\"a\":2}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = rewrite(t, qn_bytes_of_text(rows[i].json));
        EXPECT(t, !strcmp(got, rows[i].want), "%s gave %s", rows[i].json, got);
    }
}

TEST(what_is_no_json_is_refused_with_its_place)
{
    static const struct {
        const char *json, *want;
    } rows[] = {
        {"", "x: line 1, column 1: expected a value, found the end"},
        {"nul", "x: line 1, column 1: expected a value, found 'n'"},
        {"True", "x: line 1, column 1: expected a value, found 'T'"},
        {"[1,\n  2,]", "x: line 2, column 5: expected a value, found ']'"},
        {"[1 2]", "x: line 1, column 4: expected ',' or ']', found '2'"},
        {"[,1]", "x: line 1, column 2: expected a value, found ','"},
        {"[1", "x: line 1, column 3: expected ',' or ']', found the end"},
        {"[1}", "x: line 1, column 3: expected ',' or ']', found '}'"},
        {"{\"a\" 1}", "x: line 1, column 6: expected ':' after a key, found '1'"},
        {"{a:1}", "x: line 1, column 2: expected a string, found 'a'"},
        {"{\"a\":1,}", "x: line 1, column 8: expected a string, found '}'"},
        {"{\"a\":1", "x: line 1, column 7: expected ',' or '}', found the end"},
        {"1 2", "x: line 1, column 3: expected nothing more after the value, found '2'"},
        {"01", "x: line 1, column 2: expected nothing more after the value, found '1'"},
        {"-", "x: line 1, column 2: expected a digit, found the end"},
        {"+1", "x: line 1, column 1: expected a value, found '+'"},
        {".5", "x: line 1, column 1: expected a value, found '.'"},
        {"1.", "x: line 1, column 3: expected a digit, found the end"},
        {"1e", "x: line 1, column 3: expected a digit, found the end"},
        {"0x1", "x: line 1, column 2: expected nothing more after the value, found 'x'"},
        {"NaN", "x: line 1, column 1: expected a value, found 'N'"},
        {"-Infinity", "x: line 1, column 2: expected a digit, found 'I'"},
        {"\"a", "x: line 1, column 3: expected the closing quote of a string, found the end"},
        {"\"a\nb\"", "x: line 1, column 3: a control character in a string must be escaped"},
        {"\"\\x\"", "x: line 1, column 2: an escape or a pair of surrogates is not valid"},
        {"\"\\u12g4\"", "x: line 1, column 2: an escape or a pair of surrogates is not valid"},
        {"\"\\ud834\"", "x: line 1, column 2: an escape or a pair of surrogates is not valid"},
        {"\"\\udd1e\"", "x: line 1, column 2: an escape or a pair of surrogates is not valid"},
        {"\"\\ud834\\u0041\"",
         "x: line 1, column 2: an escape or a pair of surrogates is not valid"},
        {"\"\xff\"", "x: line 1, column 2: a string is not valid UTF-8"},
        {"\"\xed\xa0\x80\"", "x: line 1, column 2: a string is not valid UTF-8"},
        {"\x01", "x: line 1, column 1: expected a value, found the byte 0x01"},
        {"\xef\xbb\xbf{}", "x: line 1, column 1: expected a value, found the byte 0xef"},
        {"/**/1", "x: line 1, column 1: expected a value, found '/'"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = rewrite(t, qn_bytes_of_text(rows[i].json));
        EXPECT(t, !strcmp(got, rows[i].want), "%s gave %s", rows[i].json, got);
    }
}

TEST(nesting_is_limited_without_recursion)
{
    enum { COUNT = 10000000 };
    char *deep = malloc(COUNT);
    REQUIRE(t, deep, "no memory");
    memset(deep, '[', COUNT);
    QnJson in = qn_json(qn_bytes(deep, COUNT));
    QnError err;
    EXPECT(t, qn_json_finish(&in, "x", &err) == QN_BAD_ARGUMENT, "status");
    EXPECT(t, !strcmp(err.message, "x: line 1, column 101: values are nested more than 100 deep"),
           "%s", err.message);
    memset(deep + QN_JSON_DEPTH_LIMIT, ']', QN_JSON_DEPTH_LIMIT);
    in = qn_json(qn_bytes(deep, 2 * QN_JSON_DEPTH_LIMIT));
    EXPECT(t, qn_json_finish(&in, "x", &err) == QN_OK, "100 levels: %s", err.message);
    free(deep);
}

TEST(members_that_nobody_asks_for_are_skipped)
{
    QnJson in = qn_json(
        qn_bytes_of_text("{\"skip\":[{\"name\":1},2],\"n\\u0061me\":\"resnet\",\"more\":{}}"));
    QnArena arena = {0};
    const char *name = "";
    qn_json_begin_object(&in);
    while (qn_json_next_member(&in))
        if (qn_json_key_is(&in, "name"))
            name = qn_json_string(&in, &arena);
    QnError err;
    EXPECT(t, qn_json_finish(&in, "x", &err) == QN_OK, "%s", err.message);
    EXPECT(t, !strcmp(name, "resnet"), "%s", name);
    qn_arena_finish(&arena);
}

TEST(skipped_values_can_be_read_later)
{
    QnJson in = qn_json(qn_bytes_of_text("{\"data\": [1, [2, 3]] , \"shape\": 3}"));
    QnBytes data = {0};
    qn_json_begin_object(&in);
    while (qn_json_next_member(&in))
        if (qn_json_key_is(&in, "data"))
            data = qn_json_skip(&in);
    EXPECT(t, qn_bytes_is(data, "[1, [2, 3]]"), "%.*s", (int)data.size, (const char *)data.data);
    float values[3];
    QnJson later = qn_json(data);
    EXPECT(t, qn_json_read_f32(&later, values, 3) == 3 && values[2] == 3, "the numbers are lost");
}

/* One accessor on one text. */
typedef enum { I64, U64, F64, F32, FLAG, STRING, LIST } Accessor;

static QnStatus read_as(Accessor accessor, const char *json, double *value, QnError *err)
{
    QnArena arena = {0};
    QnJson in = qn_json(qn_bytes_of_text(json));
    switch (accessor) {
    case I64:
        *value = (double)qn_json_i64(&in);
        break;
    case U64:
        *value = (double)qn_json_u64(&in);
        break;
    case F64:
        *value = qn_json_f64(&in);
        break;
    case F32:
        *value = (double)qn_json_f32(&in);
        break;
    case FLAG:
        *value = qn_json_bool(&in);
        break;
    case STRING:
        *value = (double)strlen(qn_json_string(&in, &arena));
        break;
    case LIST: {
        float values[4];
        *value = (double)qn_json_read_f32(&in, values, 4);
        break;
    }
    }
    qn_arena_finish(&arena);
    return qn_json_finish(&in, "x", err);
}

TEST(accessors_take_what_fits_their_type)
{
    static const struct {
        Accessor accessor;
        const char *json;
        double want;
    } rows[] = {
        {I64, "-9223372036854775808", -0x1p63},
        {I64, "-0", 0},
        {U64, "18446744073709551615", 0x1p64},
        {F64, "0.1", 0.1},
        {F64, "1e-400", 0},
        {F64, "18446744073709551616", 0x1p64},
        {F64, "\"Infinity\"", INFINITY},
        {F64, "\"-Infinity\"", -INFINITY},
        {F32, "0.1", (double)0.1f},
        {F32, "3.4028235e38", (double)FLT_MAX},
        {FLAG, "true", 1},
        {FLAG, "false", 0},
        {STRING, "\"ab\\n\"", 3},
        {LIST, "[]", 0},
        {LIST, "[[1,2],[3,4]]", 4},
        {LIST, "[[[]],1]", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double got = 42;
        QnError err;
        EXPECT(t, read_as(rows[i].accessor, rows[i].json, &got, &err) == QN_OK, "%s", err.message);
        EXPECT(t, got == rows[i].want, "%s gave %g", rows[i].json, got);
    }
}

TEST(accessors_refuse_what_does_not_fit)
{
    static const struct {
        Accessor accessor;
        const char *json, *want;
    } rows[] = {
        {I64, "9223372036854775808",
         "x: line 1, column 1: the integer is not in -9223372036854775808 to 9223372036854775807"},
        {I64, "1.0",
         "x: line 1, column 1: expected an integer without fraction and exponent, found '1'"},
        {I64, "\"1\"", "x: line 1, column 1: expected a number, found '\"'"},
        {U64, "-1", "x: line 1, column 1: the integer is not in 0 to 18446744073709551615"},
        {F64, "1e400", "x: line 1, column 1: the number is too large for 64 bits"},
        {F32, "1e39", "x: line 1, column 1: the number is too large for 32 bits"},
        {F32, "\"inf\"", "x: line 1, column 1: expected a number, found '\"'"},
        {FLAG, "1", "x: line 1, column 1: expected a boolean, found '1'"},
        {FLAG, "truth", "x: line 1, column 1: expected a value, found 't'"},
        {STRING, "{}", "x: line 1, column 1: expected a string, found '{'"},
        {STRING, "\"a\\u0000\"",
         "x: line 1, column 2: a zero character is not allowed in this string"},
        {LIST, "[1,[2,3],4,5]", "x: line 1, column 12: there are more numbers than the shape says"},
        {LIST, "[1,{}]", "x: line 1, column 4: expected a number, found '{'"},
        {LIST, "3", "x: line 1, column 1: expected an array, found '3'"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        double got;
        QnError err = {0};
        EXPECT(t, read_as(rows[i].accessor, rows[i].json, &got, &err) == QN_BAD_ARGUMENT,
               "%s was taken", rows[i].json);
        EXPECT(t, !strcmp(err.message, rows[i].want), "%s", err.message);
    }
}

TEST(bare_nan_is_taken_where_it_is_allowed)
{
    double values[4];
    QnJson in = qn_json(qn_bytes_of_text("[NaN, Infinity, -Infinity, 1]"));
    in.allow_nan = true;
    EXPECT(t,
           qn_json_read_f64(&in, values, 4) == 4 && isnan(values[0]) && values[1] == INFINITY &&
               values[2] == -INFINITY && values[3] == 1,
           "%g %g %g", values[0], values[1], values[2]);
    in = qn_json(qn_bytes_of_text("-NaN"));
    in.allow_nan = true;
    EXPECT(t, qn_json_f64(&in) == 0 && qn_json_failed(&in), "-NaN was taken");
}

TEST(what_json_cannot_say_is_written_by_policy)
{
    static const struct {
        QnJsonNan nan;
        const char *want;
        bool is_inexact;
    } rows[] = {
        {QN_JSON_NAN_REFUSE, "[null,null,0.1,\"a\xef\xbf\xbd\"]", true},
        {QN_JSON_NAN_TEXT, "[\"NaN\",\"-Infinity\",0.1,\"a\xef\xbf\xbd\"]", true},
        {QN_JSON_NAN_BARE, "[NaN,-Infinity,0.1,\"a\xef\xbf\xbd\"]", true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        QnText text = qn_text(NULL);
        QnJsonWriter to = qn_json_writer(&text);
        to.nan = rows[i].nan;
        qn_json_put_begin(&to, '[');
        qn_json_put_f32(&to, NAN);
        qn_json_put_f64(&to, -INFINITY);
        qn_json_put_f32(&to, 0.1f);
        EXPECT(t, to.is_inexact == (rows[i].nan == QN_JSON_NAN_REFUSE), "row %zu", i);
        qn_json_put_string(&to, "a\xff");
        qn_json_put_end(&to, ']');
        EXPECT(t, !strcmp(qn_text_string(&text), rows[i].want) && to.is_inexact, "%s",
               qn_text_string(&text));
        qn_text_finish(&text);
    }
}

TEST(numbers_survive_a_round_trip)
{
    enum { COUNT = 1000 };
    float values[COUNT], back[COUNT];
    QnRandom random = qn_random(1);
    qn_random_fill_normal(&random, values, COUNT, 0, 100);
    QnText text = qn_text(NULL);
    QnJsonWriter to = qn_json_writer(&text);
    qn_json_put_begin(&to, '[');
    for (int i = 0; i < COUNT; i++)
        qn_json_put_f32(&to, values[i]);
    qn_json_put_i64(&to, INT64_MIN);
    qn_json_put_u64(&to, UINT64_MAX);
    qn_json_put_end(&to, ']');
    QnJson in = qn_json(qn_bytes(text.data, text.size));
    qn_json_begin_array(&in);
    for (int i = 0; i < COUNT && qn_json_next_element(&in); i++)
        back[i] = qn_json_f32(&in);
    EXPECT(t, !memcmp(values, back, sizeof values), "a number changed");
    EXPECT(t, qn_json_next_element(&in) && qn_json_i64(&in) == INT64_MIN, "the least integer");
    EXPECT(t, qn_json_next_element(&in) && qn_json_u64(&in) == UINT64_MAX, "the largest integer");
    QnError err;
    EXPECT(t, qn_json_finish(&in, "x", &err) == QN_OK, "%s", err.message);
    qn_text_finish(&text);
}

TEST(truncations_and_flipped_bits_do_no_harm)
{
    static const char sample[] =
        "{\"name\": \"a\\u00e9\\ud834\\udd1e\xc3\xa9\", \"list\": [1, -2.5e-3, [true, null]], "
        "\"inner\": {\"x\": [], \"y\": {}, \"\": false}}";
    const size_t size = sizeof sample - 1;
    for (size_t cut = 0; cut < size; cut++) {
        char *copy =
            malloc(cut + !cut); /* its own block, so that a sanitizer sees a read past the end */
        memcpy(copy, sample, cut);
        const char *got = rewrite(t, qn_bytes(copy, cut));
        EXPECT(t, !strncmp(got, "x: line", 7), "%zu bytes gave %s", cut, got);
        free(copy);
    }
    char *copy = malloc(size);
    memcpy(copy, sample, size);
    for (size_t bit = 0; bit < 8 * size; bit++) {
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
        rewrite(t, qn_bytes(copy, size));
        copy[bit / 8] = (char)(copy[bit / 8] ^ 1 << bit % 8);
    }
    free(copy);
}

TEST_MAIN(CASE(values_are_read_and_written), CASE(what_is_no_json_is_refused_with_its_place),
          CASE(nesting_is_limited_without_recursion),
          CASE(members_that_nobody_asks_for_are_skipped), CASE(skipped_values_can_be_read_later),
          CASE(accessors_take_what_fits_their_type), CASE(accessors_refuse_what_does_not_fit),
          CASE(bare_nan_is_taken_where_it_is_allowed),
          CASE(what_json_cannot_say_is_written_by_policy), CASE(numbers_survive_a_round_trip),
          CASE(truncations_and_flipped_bits_do_no_harm))
