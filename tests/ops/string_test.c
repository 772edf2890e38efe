/* SPDX-License-Identifier: Apache-2.0 */
/* Strings, labels and features. */
#include "base/regex.h"
#include "tests/support/op.h"

TEST(strings_are_joined_by_broadcasting)
{
    static const OpRow rows[] = {
        {"StringConcat",
         {"string[2,1] = {\"a\", \"\"}", "string[2] = {\"x\", \"yz\"}"},
         .want = "string[2,2] {\"ax\", \"ayz\", \"x\", \"yz\"}"},
        {"StringConcat", {"string[N,1]", "string[3]"}, .want = "string[N,3]"},
        {"StringConcat",
         {"float[3]", "string[3]"},
         .want = "error: input 0 has type float, expected string"},
    };
    OP_CHECK(t, rows);
}

/* As Python's str.split does it. */
TEST(strings_are_cut_at_delimiters_or_white_space)
{
    static const OpRow rows[] = {
        {"StringSplit",
         {"string[2] = {\"a,b\", \",\"}"},
         "delimiter = \",\"",
         .want = "string[2,2] {\"a\", \"b\", \"\", \"\"}; int64[2] {2, 2}",
         .outputs = 2},
        {"StringSplit",
         {"string[2] = {\"  a \\t b \", \"\"}"},
         .want = "string[2,2] {\"a\", \"b\", \"\", \"\"}; int64[2] {2, 0}",
         .outputs = 2},
        {"StringSplit",
         {"string[1] = {\"a  b  c \"}"},
         "maxsplit = 1",
         .want = "string[1,2] {\"a\", \"b  c \"}; int64[1] {2}",
         .outputs = 2},
        {"StringSplit",
         {"string[] = {\"a--b---c\"}"},
         "delimiter = \"--\"",
         .want = "string[3] {\"a\", \"b\", \"-c\"}; int64[] {3}",
         .outputs = 2},
        {"StringSplit",
         {"string[1] = {\"a\xe3\x80\x80"
          "b\"}"}, /* an ideographic space */
         .want = "string[1,2] {\"a\", \"b\"}; int64[1] {2}",
         .outputs = 2},
        {"StringSplit", {"string[0] = {}"}, .want = "string[0,0] {}; int64[0] {}", .outputs = 2},
        {"StringSplit", {"string[N,2]"}, .want = "string[N,2,?0]; int64[N,2]", .outputs = 2},
    };
    OP_CHECK(t, rows);
}

TEST(texts_become_rows_of_pieces)
{
    static const OpRow rows[] = {
        {"ms.Tokenizer",
         {"string[2] = {\"ab\", \"c\"}"},
         "separators = [\"\"], mark = 0, mincharnum = 1, pad_value = \"#\"",
         .want = "string[2,2] {\"a\", \"b\", \"c\", \"#\"}"},
        {"ms.Tokenizer",
         {"string[0] = {}"},
         "tokenexp = \".\", mark = 1, mincharnum = 1, pad_value = \"#\"",
         .want = "string[0,0] {}"},
        {"ms.Tokenizer",
         {"string[N,2]"},
         "tokenexp = \"a+\", mark = 1, mincharnum = 1, pad_value = \"#\"",
         .want = "string[N,2,?0]"},
        {"ms.Tokenizer",
         {"string[1] = {\"\xff\"}"},
         "separators = [\"\"], mark = 0, mincharnum = 1, pad_value = \"#\"",
         .want = "error: a text is not UTF-8"},
        {"ms.Tokenizer",
         {"string[1]"},
         "mark = 0, mincharnum = 1, pad_value = \"#\"",
         .want = "error: separators and tokenexp are both absent, expected one of them"},
        {"ms.Tokenizer",
         {"string[1]"},
         "separators = [\" \"], tokenexp = \".\", mark = 0, mincharnum = 1, pad_value = \"#\"",
         .want = "error: separators and tokenexp are both there, expected one of them"},
        {"ms.Tokenizer",
         {"string[1]"},
         "separators = [\" \", \"\"], mark = 0, mincharnum = 1, pad_value = \"#\"",
         .want = "error: separator 1 is empty, which is fine only alone"},
        {"ms.Tokenizer",
         {"string[1,1,1]"},
         "separators = [\" \"], mark = 0, mincharnum = 1, pad_value = \"#\"",
         .want = "error: input 0 has rank 3, expected 1 or 2"},
    };
    OP_CHECK(t, rows);
}

TEST(normalizing_drops_stop_words_then_changes_case)
{
    static const OpRow rows[] = {
        {"StringNormalizer",
         {"string[3] = {\"Monday\", \"Übung\", \"monday\"}"},
         "stopwords = [\"monday\"], case_change_action = \"UPPER\"",
         .want = "string[1] {\"ÜBUNG\"}"},
        {"StringNormalizer",
         {"string[1,3] = {\"Monday\", \"Übung\", \"monday\"}"},
         "stopwords = [\"monday\"], is_case_sensitive = 1, case_change_action = \"LOWER\"",
         .want = "string[1,2] {\"monday\", \"übung\"}"},
        {"StringNormalizer",
         {"string[1] = {\"a\"}"},
         "stopwords = [\"a\"]",
         .want = "string[1] {\"\"}"}, /* nothing left is one empty string */
        {"StringNormalizer",
         {"string[2,3]"},
         .want = "error: input 0 has another shape than C or 1xC"},
        {"StringNormalizer",
         {"string[3]"},
         "case_change_action = \"TITLE\"",
         .want = "error: case_change_action is none of NONE, LOWER and UPPER"},
    };
    OP_CHECK(t, rows);
}

TEST(labels_are_looked_up)
{
    static const OpRow rows[] = {
        {"ml.LabelEncoder",
         {"string[3] = {\"a\", \"b\", \"c\"}"},
         "keys_strings = [\"a\", \"b\", \"a\"], values_int64s = [1, 2, 3]",
         .want = "int64[3] {3, 2, -1}"}, /* of equal keys the last wins */
        {"ml.LabelEncoder",
         {"float[3] = {nan, -0.0, 5}"},
         "keys_floats = [nan, 0.0], values_strings = [\"none\", \"zero\"]",
         .want = "string[3] {\"none\", \"zero\", \"_Unused\"}"},
        {"ml.LabelEncoder",
         {"int64[2] = {4, 5}"},
         "keys_tensor = tensor int64[1] {4}, values_tensor = tensor int16[1] {7},"
         " default_tensor = tensor int16[1] {42}",
         .want = "int16[2] {7, 42}"},
        {"ml.LabelEncoder",
         {"string[N]"},
         "keys_strings = [\"a\"], values_floats = [1.0, 2.0]",
         .want = "error: has 1 keys and 2 values"},
        {"ml.LabelEncoder",
         {"float[N]"},
         "keys_strings = [\"a\"], values_floats = [1.0]",
         .want = "error: input 0 has type float, the keys string"},
        {"ml.LabelEncoder", {"float[N]"}, .want = "error: has no keys, or no values"},
        {"ml.CategoryMapper",
         {"int64[2] = {2, 3}"},
         "cats_int64s = [1, 2], cats_strings = [\"a\", \"b\"], default_string = \"?\"",
         .want = "string[2] {\"b\", \"?\"}"},
        {"ml.CategoryMapper",
         {"string[2] = {\"b\", \"c\"}"},
         "cats_int64s = [1, 2], cats_strings = [\"a\", \"b\"]",
         .want = "int64[2] {2, -1}"},
        {"ml.CategoryMapper",
         {"string[2]"},
         .want = "error: has no cats_strings, or no cats_int64s"},
    };
    OP_CHECK(t, rows);
}

TEST(features_are_columns)
{
    static const OpRow rows[] = {
        {"ml.ArrayFeatureExtractor",
         {"float[2,3] = {1, 2, 3, 4, 5, 6}", "int64[1,2] = {2, 0}"},
         .want = "float[2,2] {3, 1, 6, 4}"},
        {"ml.ArrayFeatureExtractor",
         {"float[3] = {1, 2, 3}", "int64[1] = {1}"},
         .want = "float[1,1] {2}"}, /* 1-D: one row */
        {"ml.ArrayFeatureExtractor",
         {"float[3] = {1, 2, 3}", "int64[1] = {3}"},
         .want = "error: index 3 at entry 0 is outside a dimension of 3"},
        {"ml.FeatureVectorizer",
         {"int64[2,1] = {1, 2}", "float[2,2] = {3, 4, 5, 6}"},
         "inputdimensions = [1, 2]",
         .want = "float[2,3] {1, 3, 4, 2, 5, 6}"},
        {"ml.FeatureVectorizer",
         {"float[N,2]", "float[N,3]"},
         "inputdimensions = [2, 2]",
         .want = "error: input 1 has 3 features, expected 2"},
        {"ml.FeatureVectorizer",
         {"float[2,2]", "float[3,3]"},
         .want = "error: input 1 has 3 rows, expected 2"},
        {"ml.Imputer",
         {"float[2,2] = {nan, 1, 2, nan}"},
         "imputed_value_floats = [8.0, 9.0], replaced_value_float = nan",
         .want = "float[2,2] {8, 1, 2, 9}"},
        {"ml.Imputer",
         {"int64[3] = {0, 1, 0}"},
         "imputed_value_int64s = [5]",
         .want = "int64[3] {5, 1, 5}"},
        {"ml.Imputer",
         {"int64[N,3]"},
         "imputed_value_int64s = [5, 6]",
         .want = "error: has 2 imputed values, expected 1 or 3"},
        {"ml.Imputer",
         {"float[3]"},
         "imputed_value_int64s = [5]",
         .want = "error: has no imputed values of the input's kind"},
        {"ml.OneHotEncoder",
         {"float[2] = {2.5, 7}"},
         "cats_int64s = [1, 2]",
         .want = "float[2,2] {0, 1, 0, 0}"},
        {"ml.OneHotEncoder",
         {"string[2] = {\"a\", \"z\"}"},
         "cats_strings = [\"a\", \"b\"], zeros = 0",
         .want = "error: element 1 is in no category"},
    };
    OP_CHECK(t, rows);
}

TEST(patterns_match_whole_strings)
{
    static const OpRow rows[] = {
        {"RegexFullMatch",
         {"string[2,2] = {\"ab\", \"abc\", \"\", \"aab\"}"},
         "pattern = \"a+b\"",
         .want = "bool[2,2] {1, 0, 0, 1}"},
        {"RegexFullMatch", {"string[1] = {\"\"}"}, .want = "bool[1] {1}"},
        {"RegexFullMatch", {"string[0] = {}"}, "pattern = \"x\"", .want = "bool[0] {}"},
        {"RegexFullMatch", {"string[N]"}, "pattern = \"x\"", .want = "bool[N]"},
        {"RegexFullMatch",
         {"string[N]"},
         "pattern = \"(?=a)\"",
         .want = "error: the pattern has a group near its byte 0, which RE2's syntax has not"},
    };
    QnArena arena = {0};
    QnRegex *regex;
    const QnStatus status = qn_regex_compile(&regex, qn_bytes_of_text("a"), &arena, NULL);
    qn_arena_finish(&arena);
    if (status != QN_OK)
        SKIP(t, "this build has no PCRE2");
    OP_CHECK(t, rows);
}

#define GRAMS                                                                               \
    "min_gram_length = 1, max_gram_length = 2, max_skip_count = 1, ngram_counts = [0, 2], " \
    "ngram_indexes = [0, 3, 1], pool_int64s = [2, 3, 5, 4], "

TEST(ngrams_are_counted)
{
    static const OpRow rows[] = {
        {"TfIdfVectorizer",
         {"int64[6] = {2, 5, 4, 2, 5, 2}"},
         GRAMS "mode = \"TF\"",
         .want = "float[4] {3, 1, 0, 0}"},
        {"TfIdfVectorizer", /* 5 and 4 with one between them */
         {"int32[2,3] = {5, 9, 4, 3, 3, 3}"},
         GRAMS "mode = \"IDF\", weights = [2.0, 3.0, 4.0]",
         .want = "float[2,4] {0, 4, 0, 0, 0, 0, 0, 3}"},
        {"TfIdfVectorizer",
         {"int64[3] = {3, 3, 2}"},
         GRAMS "mode = \"TFIDF\", weights = [2.0, 3.0, 4.0]",
         .want = "float[4] {2, 0, 0, 6}"},
        {"TfIdfVectorizer",
         {"string[3] = {\"a\", \"b\", \"a\"}"},
         "min_gram_length = 2, max_gram_length = 2, max_skip_count = 0, mode = \"TF\", "
         "ngram_counts = [0, 0], ngram_indexes = [1, 0], pool_strings = [\"a\", \"b\", \"b\", "
         "\"b\"]",
         .want = "float[2] {0, 1}"},
        {"TfIdfVectorizer",
         {"int64[0] = {}"},
         GRAMS "mode = \"TF\"",
         .want = "float[4] {0, 0, 0, 0}"},
        {"TfIdfVectorizer", {"int64[N,C]"}, GRAMS "mode = \"TF\"", .want = "float[N,4]"},
        {"TfIdfVectorizer",
         {"string[N]"},
         GRAMS "mode = \"TF\"",
         .want = "error: input 0 has type string, the pool integers"},
        {"TfIdfVectorizer",
         {"int64[N]"},
         "min_gram_length = 2, max_gram_length = 1, max_skip_count = 0, mode = \"TF\", "
         "ngram_counts = [0], ngram_indexes = [0], pool_int64s = [2]",
         .want =
             "error: n-grams of 2 to 1 tokens with 0 skips, expected 1 at least, no fewer, and 0 "
             "at least"},
        {"TfIdfVectorizer",
         {"int64[N]"},
         "min_gram_length = 1, max_gram_length = 2, max_skip_count = 0, mode = \"TF\", "
         "ngram_counts = [0, 5], ngram_indexes = [0], pool_int64s = [2]",
         .want = "error: ngram_counts says that the 1-grams are 0 to 5 of 1 tokens"},
        {"TfIdfVectorizer",
         {"int64[N]"},
         "min_gram_length = 1, max_gram_length = 1, max_skip_count = 0, mode = \"TF\", "
         "ngram_counts = [0], ngram_indexes = [-1], pool_int64s = [2]",
         .want = "error: ngram_indexes[0] is -1"},
        {"TfIdfVectorizer",
         {"int64[N]"},
         "min_gram_length = 1, max_gram_length = 1, max_skip_count = 0, mode = \"TF\", "
         "ngram_counts = [0], ngram_indexes = [0], pool_int64s = [2, 3]",
         .want = "error: ngram_indexes has 1 entries, the pool more n-grams"},
    };
    OP_CHECK(t, rows);
}

TEST_MAIN(CASE(strings_are_joined_by_broadcasting),
          CASE(strings_are_cut_at_delimiters_or_white_space), CASE(texts_become_rows_of_pieces),
          CASE(normalizing_drops_stop_words_then_changes_case), CASE(labels_are_looked_up),
          CASE(features_are_columns), CASE(patterns_match_whole_strings), CASE(ngrams_are_counted))
