/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/formats/onnx/schema.h"

#include "tests/support/test.h"

TEST(an_import_selects_the_greatest_version_not_past_it)
{
    static const struct {
        const char *domain, *op;
        int64_t version;
        int since; /* 0: none */
    } rows[] = {
        {"", "Softmax", 1, 1},
        {"", "Softmax", 10, 1},
        {"", "Softmax", 11, 11},
        {"", "Softmax", 12, 11},
        {"ai.onnx", "Softmax", 13, 13},
        {"", "Softmax", 1000, 13},
        {"", "Softmax", INT64_MAX, 13},
        {"", "Softmax", 0, 0},
        {"", "Softmax", -5, 0},
        {"", "Gelu", 19, 0},
        {"", "Gelu", 20, 20},
        {"ai.onnx.ml", "TreeEnsemble", 5, 5},
        {"ai.onnx.ml", "Softmax", 13, 0},
        {"", "LayerNormalization", 11, 1}, /* as ONNX Runtime wrote it before ONNX had it */
        {"", "Affine", 7, 1},
        {"com.microsoft", "FusedConv", 1, 1},
        {"com.microsoft.nchwc", "ReorderInput", 1, 1},
        {"no.such.domain", "Softmax", 13, 0},
        {"", "softmax", 13, 0},
        {"", "", 13, 0},
        {"", "Abs", 13, 13},       /* the first row of all */
        {"", "Zzz", INT64_MAX, 0}, /* past the last of its domain */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const OnnxSchema *row = onnx_schema_find(rows[i].domain, rows[i].op, rows[i].version);
        EXPECT(t, (row ? row->since : 0) == rows[i].since, "%s %s of %lld gave %d", rows[i].domain,
               rows[i].op, (long long)rows[i].version, row ? row->since : 0);
    }
}

TEST(the_table_has_all_domains_at_their_newest_versions)
{
    EXPECT(t, onnx_newest_ir() >= 13, "IR %d", onnx_newest_ir());
    EXPECT(t, onnx_domain_newest("") >= 28, "%d", onnx_domain_newest(""));
    EXPECT(t, onnx_domain_newest("ai.onnx") == onnx_domain_newest(""), "%d",
           onnx_domain_newest("ai.onnx"));
    EXPECT(t, onnx_domain_newest("ai.onnx.ml") >= 5, "%d", onnx_domain_newest("ai.onnx.ml"));
    EXPECT(t, onnx_domain_newest("ai.onnx.preview.training") == 1, "%d",
           onnx_domain_newest("ai.onnx.preview.training"));
    EXPECT(t, onnx_domain_newest("com.example") == 0, "%d", onnx_domain_newest("com.example"));
}

TEST(rows_say_counts_formals_and_attributes)
{
    const OnnxSchema *conv = onnx_schema_find("", "Conv", 11);
    REQUIRE(t, conv, "Conv is missing");
    EXPECT(t, conv->min_inputs == 2 && conv->max_inputs == 3, "%d to %d", conv->min_inputs,
           conv->max_inputs);
    EXPECT(t, !strcmp(onnx_schema_text(onnx_schema_input(conv, 1)->name), "W"), "input 1");
    EXPECT(t, onnx_schema_input(conv, 2)->option == ONNX_OPTIONAL, "B is optional");
    EXPECT(t, onnx_schema_input(conv, 3) == NULL, "there is no input 3");
    EXPECT(t, onnx_formal_types(onnx_schema_input(conv, 0))->tensors & 1 << 10,
           "Conv takes float16");
    EXPECT(t, !(onnx_formal_types(onnx_schema_input(conv, 0))->tensors & 1 << 7),
           "Conv takes no int64");

    const OnnxAttributeSchema *group = onnx_schema_attribute(conv, "group");
    REQUIRE(t, group && group->flags & ONNX_ATTRIBUTE_HAS_DEFAULT, "group has a default");
    EXPECT(t, group->value.i == 1, "%lld", (long long)group->value.i);
    EXPECT(t, !onnx_schema_attribute(conv, "groups"), "there are no groups");
    EXPECT(t,
           onnx_schema_attribute(onnx_schema_find("", "Concat", 13), "axis")->flags &
               ONNX_ATTRIBUTE_REQUIRED,
           "Concat's axis is required");
}

TEST(a_variadic_formal_repeats)
{
    const OnnxSchema *concat = onnx_schema_find("", "Concat", 13);
    EXPECT(t, concat->max_inputs == ONNX_MANY, "%d", concat->max_inputs);
    EXPECT(t, onnx_schema_input(concat, 500) == onnx_schema_input(concat, 0), "input 500");
}

TEST(names_near_a_known_one_are_found)
{
    EXPECT(t, !strcmp(onnx_schema_did_you_mean("", "Sofmax"), "Softmax"), "not Softmax");
    EXPECT(t, !onnx_schema_did_you_mean("", "Completely"), "Completely is like nothing");
}

TEST(defaults_of_two_versions_are_compared)
{
    const OnnxSchema *old = onnx_schema_find("", "Softmax", 11),
                     *now = onnx_schema_find("", "Softmax", 13);
    EXPECT(t,
           !onnx_schema_same_default(onnx_schema_attribute(old, "axis"),
                                     onnx_schema_attribute(now, "axis")),
           "axis was 1 and is -1");
    old = onnx_schema_find("", "Elu", 1);
    now = onnx_schema_find("", "Elu", 22);
    EXPECT(t,
           onnx_schema_same_default(onnx_schema_attribute(old, "alpha"),
                                    onnx_schema_attribute(now, "alpha")),
           "alpha is 1");
}

TEST_MAIN(CASE(an_import_selects_the_greatest_version_not_past_it),
          CASE(the_table_has_all_domains_at_their_newest_versions),
          CASE(rows_say_counts_formals_and_attributes), CASE(a_variadic_formal_repeats),
          CASE(names_near_a_known_one_are_found), CASE(defaults_of_two_versions_are_compared))
