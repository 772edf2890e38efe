/* SPDX-License-Identifier: Apache-2.0 */
/* Tensors in other files: what is read,
 * and what is refused before anything is opened or allocated. */
#include <unistd.h>

#include "tests/support/onnx_case.h"
#include "tests/support/test.h"
#include "tests/support/tree.h"

static void put_entry(QnText *out, const char *key, const char *value)
{
    const size_t mark = qn_proto_put_begin(out, 13);
    qn_proto_put_string(out, 1, key);
    qn_proto_put_string(out, 2, value);
    qn_proto_put_end(out, mark);
}

/* A model that gives back one int8[4] tensor of another file; NULL: no such entry. */
static QnText make_model(const char *location, const char *offset, const char *length)
{
    QnText out = qn_text(NULL);
    qn_proto_put_int(&out, 1, 8);
    const size_t graph = qn_proto_put_begin(&out, 7), tensor = qn_proto_put_begin(&out, 5);
    qn_proto_put_int(&out, 1, 4);
    qn_proto_put_int(&out, 2, QN_INT8);
    qn_proto_put_string(&out, 8, "w");
    if (location)
        put_entry(&out, "location", location);
    if (offset)
        put_entry(&out, "offset", offset);
    if (length)
        put_entry(&out, "length", length);
    qn_proto_put_int(&out, 14, 1);
    qn_proto_put_end(&out, tensor);
    const size_t output = qn_proto_put_begin(&out, 12);
    qn_proto_put_string(&out, 1, "w");
    qn_proto_put_end(&out, output);
    qn_proto_put_end(&out, graph);
    onnx_put_import(&out, "", 21);
    return out;
}

/* The value as text, or the error without the path in front. */
static const char *outcome(Tree *tree, QnText model, const char *path, const QnReadOptions *options,
                           char *text, size_t size)
{
    QnModule *module;
    QnError err = {0};
    char full[256];
    snprintf(full, sizeof full, "%s/m.onnx", tree->root);
    if (path && !path[0])
        path = full;
    const QnStatus status =
        qn_format_read(&module, path, qn_bytes(model.data, model.size), options, NULL, &err);
    const char *message = strstr(err.message, "initializer");
    snprintf(text, size, "%s", message ? message : err.message);
    if (status == QN_OK) {
        const int8_t *data = module->main->outputs[0].value->constant->data;
        snprintf(text, size, "%d %d %d %d", data[0], data[1], data[2], data[3]);
        qn_module_free(module);
    }
    qn_text_finish(&model);
    return text;
}

TEST(values_are_read_from_where_the_entry_says)
{
    static const struct {
        const char *location, *offset, *length, *want;
    } rows[] = {
        {"w.bin", NULL, NULL, "49 50 51 52"},
        {"w.bin", "2", NULL, "51 52 53 54"},
        {"w.bin", "4", "4", "53 54 55 56"},
        {"deep/er/w.bin", NULL, NULL, "97 98 99 100"},
        {"./w.bin", NULL, NULL, "49 50 51 52"},
        {"w.bin", "5", NULL,
         "initializer 'w': its external data is 4 bytes at 5 of 'w.bin', which has 8 bytes"},
        {"w.bin", "0", "3", "initializer 'w': its external data has 3 bytes, expected 4"},
        {"w.bin", "-1", NULL,
         "initializer 'w': offset of its external data is '-1', expected a number of bytes"},
        {"w.bin", "18446744073709551615", NULL,
         "initializer 'w': its external data is 4 bytes at 18446744073709551615 of 'w.bin', which has 8 bytes"},
        {"w.bin", "18446744073709551616", NULL,
         "initializer 'w': offset of its external data is '18446744073709551616', expected a number of bytes"},
        {NULL, NULL, NULL, "initializer 'w': its external data has no location"},
        {"", NULL, NULL, "initializer 'w': its external data has no location"},
    };
    Tree tree = tree_make();
    char text[1200];
    tree_write(&tree, "w.bin", "12345678");
    tree_write(&tree, "deep/er/w.bin", "abcd");
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        outcome(&tree, make_model(rows[i].location, rows[i].offset, rows[i].length), "", NULL, text,
                sizeof text);
        EXPECT(t, !strcmp(text, rows[i].want), "row %zu gave %s", i, text);
    }
    tree_remove(&tree);
}

/* The opener's own test has every way out; here, that this is the way in. */
TEST(nothing_outside_the_folder_is_read)
{
    Tree tree = tree_make(), other = tree_make();
    char text[1200], link_path[300], inside[300];
    tree_write(&other, "w.bin", "12345678");
    tree_write(&tree, "w.bin", "12345678");
    snprintf(link_path, sizeof link_path, "%s/link.bin", tree.root);
    REQUIRE(t, symlink(tree_path(&other, "w.bin"), link_path) == 0, "no link");
    const char *const names[] = {"../w.bin", "/etc/passwd", "link.bin", "deep/../../w.bin"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        outcome(&tree, make_model(names[i], NULL, NULL), "", NULL, text, sizeof text);
        EXPECT(t, !strncmp(text, "initializer 'w': ", 17), "%s gave %s", names[i], text);
    }
    outcome(&tree, make_model("link.bin", NULL, NULL), "", &(QnReadOptions){.trusts_links = true},
            text, sizeof text);
    EXPECT(t, !strcmp(text, "49 50 51 52"), "a trusted link gave %s", text);
    outcome(&tree, make_model("w.bin", NULL, NULL), "", &(QnReadOptions){.is_sealed = true}, text,
            sizeof text);
    EXPECT(
        t,
        !strcmp(text,
                "initializer 'w': its values lie in another file, which this model may not read"),
        "%s", text);
    outcome(&tree, make_model("w.bin", NULL, NULL), NULL, NULL, text, sizeof text);
    EXPECT(
        t,
        !strcmp(
            text,
            "initializer 'w': its values lie in another file, and a model from memory has no folder: name one"),
        "%s", text);
    snprintf(inside, sizeof inside, "%s", tree.root);
    outcome(&tree, make_model("w.bin", NULL, NULL), NULL, &(QnReadOptions){.folder = inside}, text,
            sizeof text);
    EXPECT(t, !strcmp(text, "49 50 51 52"), "a named folder gave %s", text);
    tree_remove(&tree);
    tree_remove(&other);
}

TEST_MAIN(CASE(values_are_read_from_where_the_entry_says), CASE(nothing_outside_the_folder_is_read))
