/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/formats/onnx/testdata.h"

#include "base/proto.h"
#include "tests/support/test.h"

/* Types for the reader: of a tensor, and of collections of tensors. */
static const QnIrType tensor = {.kind = QN_TENSOR, .shape = {.rank = -1}};
static const QnIrType sequence = {.kind = QN_SEQUENCE, .item = &tensor};
static const QnIrType optional = {.kind = QN_OPTIONAL, .item = &sequence};
static const QnIrType map = {.kind = QN_MAP, .element = QN_INT64, .item = &tensor};

/* Writes a value, reads it back, and compares: bytes written again must be the same. */
static void expect_round_trip(Test *t, const char *what, const QnValue *value, const QnIrType *type)
{
    QnText first = qn_text(NULL), second = qn_text(NULL);
    QnArena arena = {0};
    QnError err = {0};
    QnValue back = {0};
    EXPECT(t, onnx_write_value(&first, "v", value, &err) == QN_OK, "%s: %s", what, err.message);
    EXPECT(t, onnx_read_value(&back, qn_bytes(first.data, first.size), type, &arena, &err) == QN_OK,
           "%s: %s", what, err.message);
    EXPECT(t, onnx_write_value(&second, "v", &back, &err) == QN_OK, "%s: %s", what, err.message);
    EXPECT(t,
           first.size == second.size &&
               !memcmp(qn_text_string(&first), qn_text_string(&second), first.size),
           "%s: %zu bytes became %zu", what, first.size, second.size);
    EXPECT(t, back.kind == value->kind && back.count == value->count, "%s: kind %d, count %lld",
           what, back.kind, (long long)back.count);
    qn_text_finish(&first);
    qn_text_finish(&second);
    qn_arena_finish(&arena);
}

TEST(values_of_every_kind_come_back)
{
    float floats[] = {1, 2, 3, 4, 5, 6};
    QnString strings[] = {{"a", 1}, {"", 0}, {"c d", 3}};
    int64_t keys[] = {7, -8};
    const int64_t two = 2, three = 3, none = 0;
    QnValue items[] = {qn_value_tensor(qn_tensor(QN_FLOAT, 2, (const int64_t[]){2, 3}, floats)),
                       qn_value_tensor(qn_tensor(QN_FLOAT, 0, NULL, floats)),
                       qn_value_tensor(qn_tensor(QN_FLOAT, 1, &none, floats))};
    const QnValue words = qn_value_tensor(qn_tensor(QN_STRING, 1, &three, strings));
    QnValue list = {.kind = QN_SEQUENCE, .type = QN_FLOAT, .count = 3, .items = items};
    const QnValue empty_list = {.kind = QN_SEQUENCE};
    const QnValue full = {.kind = QN_OPTIONAL, .count = 1, .items = &list},
                  empty = {.kind = QN_OPTIONAL};
    QnValue scalars[] = {items[1], items[1]};
    QnValue pair[] = {qn_value_tensor(qn_tensor(QN_INT64, 1, &two, keys)),
                      {.kind = QN_SEQUENCE, .count = 2, .items = scalars}};
    const QnValue dictionary = {.kind = QN_MAP, .count = 2, .items = pair};
    expect_round_trip(t, "tensor", &items[0], &tensor);
    expect_round_trip(t, "scalar", &items[1], &tensor);
    expect_round_trip(t, "empty tensor", &items[2], &tensor);
    expect_round_trip(t, "strings", &words, &tensor);
    expect_round_trip(t, "sequence", &list, &sequence);
    expect_round_trip(t, "empty sequence", &empty_list, &sequence);
    expect_round_trip(t, "optional", &full, &optional);
    expect_round_trip(t, "empty optional", &empty, &optional);
    expect_round_trip(t, "map", &dictionary, &map);
}

TEST(values_of_less_than_a_byte_are_packed)
{
    static const struct {
        QnType type;
        size_t raw_bytes; /* of the 5 values */
    } rows[] = {{QN_UINT2, 2}, {QN_INT2, 2},       {QN_UINT4, 3},
                {QN_INT4, 3},  {QN_FLOAT4E2M1, 3}, {QN_FLOAT6E2M3, 4}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        uint8_t data[] = {1, 0, 1, 1, 0};
        const int64_t count = 5;
        QnText text = qn_text(NULL);
        QnArena arena = {0};
        QnValue back;
        const QnValue value = qn_value_tensor(qn_tensor(rows[i].type, 1, &count, data));
        expect_round_trip(t, qn_type_name(rows[i].type), &value, &tensor);
        onnx_write_value(&text, "", &value, NULL);
        QnProto in = qn_proto(qn_bytes(text.data, text.size));
        while (qn_proto_next(&in))
            EXPECT(t, in.field != 9 || in.bytes.size == rows[i].raw_bytes, "%s: %zu bytes",
                   qn_type_name(rows[i].type), in.bytes.size);
        REQUIRE(t,
                onnx_read_value(&back, qn_bytes(text.data, text.size), &tensor, &arena, NULL) ==
                    QN_OK,
                "unread");
        EXPECT(t, memcmp(back.tensor.data, data, 5) == 0, "%s came back otherwise",
               qn_type_name(rows[i].type));
        qn_text_finish(&text);
        qn_arena_finish(&arena);
    }
}

TEST(old_bfloat16_is_taken_from_uint16)
{
    const QnIrType declared = {.kind = QN_TENSOR, .element = QN_BFLOAT16, .shape = {.rank = -1}};
    uint16_t bits = 0x3f80;
    const QnValue value = qn_value_tensor(qn_tensor(QN_UINT16, 0, NULL, &bits));
    QnText text = qn_text(NULL);
    QnArena arena = {0};
    QnValue back;
    onnx_write_value(&text, "", &value, NULL);
    REQUIRE(
        t, onnx_read_value(&back, qn_bytes(text.data, text.size), &declared, &arena, NULL) == QN_OK,
        "unread");
    EXPECT(t, back.type == QN_BFLOAT16 && back.tensor.type == QN_BFLOAT16, "%s",
           qn_type_name(back.type));
    qn_text_finish(&text);
    qn_arena_finish(&arena);
}

TEST(wrong_bytes_are_a_sentence)
{
    static const struct {
        const char *bytes;
        size_t size;
        const QnIrType *type;
        const char *want;
    } rows[] = {
        {"\x10\x01\x4a\x02zz", 6, &tensor,
         "tensor '': raw_data has 2 bytes, expected 4 for float []"},
        {"\x10\x63", 2, &tensor, "tensor '': element type 99, expected 1 to 28"},
        {"\x10\x01\x70\x01", 4, &tensor, "tensor '': its values lie in another file"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        QnArena arena = {0};
        QnError err = {0};
        QnValue value;
        EXPECT(t,
               onnx_read_value(&value, qn_bytes(rows[i].bytes, rows[i].size), rows[i].type, &arena,
                               &err) != QN_OK,
               "row %zu was read", i);
        EXPECT(t, !strcmp(err.message, rows[i].want), "row %zu: %s", i, err.message);
        qn_arena_finish(&arena);
    }
}

TEST_MAIN(CASE(values_of_every_kind_come_back), CASE(values_of_less_than_a_byte_are_packed),
          CASE(old_bfloat16_is_taken_from_uint16), CASE(wrong_bytes_are_a_sentence))
