/* SPDX-License-Identifier: Apache-2.0 */
/* Probing, and what is said of files that are no models. */
#include "engine/formats/format.h"

#include "tests/support/test.h"

static const char *refusal(const char *bytes, size_t size, const char *path,
                           const QnReadOptions *options, QnError *err)
{
    QnModule *module = NULL;
    *err = (QnError){0};
    if (qn_format_read(&module, path, qn_bytes(bytes, size), options, NULL, err) == QN_OK) {
        qn_module_free(module);
        return "it was read";
    }
    return err->message;
}

TEST(files_that_are_no_models_are_refused_with_a_sentence)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *want;
    } rows[] = {
        {"", 0, "m.onnx: the file is empty, expected a model"},
        {"ir_version: 8\n", 14, "m.onnx: this is protobuf text, expected a binary model file"},
        {"{\"irVersion\": 8}", 16, "m.onnx: this is JSON, expected a binary model file"},
        {"  <ir_version: 8>", 17, "m.onnx: this is ONNX text or XML, expected a binary model file"},
        {"<!DOCTYPE html>", 15, "m.onnx: this is a web page, expected a binary model file"},
        {"version https://git-lfs.github.com/spec/v1\n", 43,
         "m.onnx: this is a Git LFS pointer: fetch the file itself with `git lfs pull`, expected a binary model file"},
        {"\xff\xfe\x01\x02", 4, "m.onnx: this is no model file of a format that is known"},
        {"\x08\x08\x3a", 3,
         "m.onnx: ModelProto at byte 2: field 7: the message ends in the middle of a field"},
        {"\x08\x08", 2, "m.onnx: the model has no graph, expected one"},
    };
    QnError err;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const char *got = refusal(rows[i].bytes, rows[i].size, "m.onnx", NULL, &err);
        EXPECT(t, !strcmp(got, rows[i].want), "row %zu gave %s", i, got);
    }
}

TEST(a_format_can_be_named)
{
    QnError err;
    EXPECT(t, qn_format_find("onnx") == &qn_format_onnx, "onnx is not found");
    EXPECT(t, !qn_format_find("onnxx"), "onnxx is found");
    const char *got = refusal("x", 1, NULL, &(QnReadOptions){.format = "onnxx"}, &err);
    EXPECT(t, !strcmp(got, "there is no format 'onnxx'"), "%s", got);
}

TEST(bytes_tell_the_format)
{
    EXPECT(t, qn_format_probe(qn_bytes("\x08\x08", 2), NULL) == &qn_format_onnx,
           "an IR version up front");
    EXPECT(t, qn_format_probe(qn_bytes("\x12\x01x", 3), "m.onnx") == &qn_format_onnx,
           "a producer up front");
    EXPECT(t, !qn_format_probe(qn_bytes("\x08\x00", 2), "m.onnx"), "IR version 0");
    EXPECT(t, !qn_format_probe(qn_bytes("", 0), "m.onnx"), "nothing");
}

TEST_MAIN(CASE(files_that_are_no_models_are_refused_with_a_sentence), CASE(a_format_can_be_named),
          CASE(bytes_tell_the_format))
