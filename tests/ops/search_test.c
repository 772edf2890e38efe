/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The operators that generation loops are made of.  The vocabulary has four tokens, whose
 * probabilities are mostly 1/8, 2/8, 4/8 and 1/8; logarithms of these are -2.08, -1.39, -0.69,
 * -2.08.
 */
#include "tests/support/op.h"

#define LIKELY    "0, 0.69314718, 1.38629436, 0"
#define ROW       "float[1,1,4] = {" LIKELY "}"
#define ROWS      "float[2,1,4] = {" LIKELY ", " LIKELY "}"
#define ONE       "int64[] = {1}"
#define TWO       "int64[] = {2}"
#define TOKENS    "int32[1,4] = {1, 0, 0, 0}"
#define BEAMS     "int32[2,4] = {1, 0, 0, 0, 1, 0, 0, 0}"
#define RUNS      "int32[1,2] = {0, 0}"
#define FIRST     "float[2] = {0, -1000000000}"
#define NOTHING   "int32[1,2,5] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0}"
#define NO_SCORES "float[1,2] = {0, 0}"
#define NO_RULES  "_", "_", "_", "_"

TEST(a_search_starts_with_its_prompts)
{
    static const OpRow rows[] = {
        {"quern.SearchStart",
         {"int32[2,2] = {5, 6, 7, 8}", "int32[1] = {3}", "int32[1] = {2}"},
         "pad_token_id = 9",
         .want = "int64[4] {0, 0, 1, 1}; "
                 "int32[4,3] {5, 6, 9, 5, 6, 9, 7, 8, 9, 7, 8, 9}; "
                 "float[4] {0, -1e+09, 0, -1e+09}; "
                 "int32[2,2,4] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}; "
                 "float[2,2] {0, 0, 0, 0}; int32[2,2] {0, 0, 0, 0}; int64[] {2}; int64[] {1}",
         .outputs = 8},
        {"quern.SearchStart",
         {"int32[1,2] = {5, 6}", "int32[] = {4}"},
         .want = "int64[1] {0}; int32[1,4] {5, 6, 0, 0}",
         .outputs = 2},
        {"quern.SearchStart",
         {"int32[B,S]", "int32[] = {20}", "int32[] = {4}"},
         .want = "int64[4*B]; int32[4*B,20]; float[4*B]; int32[B,4,21]",
         .outputs = 4},
        {"quern.SearchStart",
         {"int32[1,2] = {5, 6}", "int32[] = {2}"},
         .want = "error: max_length is 2, expected 3 to 4096"},
        {"quern.SearchStart",
         {"int32[1,2] = {5, 6}", "int32[] = {5000}"},
         .want = "error: max_length is 5000, expected 3 to 4096"},
        {"quern.SearchStart",
         {"int32[1,2] = {5, 6}", "int32[] = {4}", "int32[] = {0}"},
         .want = "error: num_beams is 0, expected 1 to 128"},
        {"quern.SearchStart",
         {"int32[1,2] = {5, 6}", "int32[] = {4}", "_", "int32[1,3] = {1, 1, 1}"},
         .want = "error: input 3 has size 3 along dimension 1, expected 2"},
        {"quern.SearchStart",
         {"int32[2] = {5, 6}", "int32[] = {4}"},
         .want = "error: input 0 has rank 1, expected 2"},
    };
    OP_CHECK(t, rows);
}

TEST(the_best_of_all_beams_go_on)
{
    static const OpRow rows[] = {
        /* At first all come from the first beam. */
        {"quern.BeamStep",
         {ROWS, ONE, ONE, BEAMS, RUNS, NO_RULES, FIRST, NOTHING, NO_SCORES},
         "eos_token_id = 3",
         .want = "int32[2,1] {2, 1}; int64[2] {0, 0}; int32[2,4] {1, 2, 0, 0, 1, 1, 0, 0}; "
                 "float[2] {-0.693147, -1.38629}",
         .outputs = 4},
        /* The second one leads: its best comes first. */
        {"quern.BeamStep",
         {ROWS, TWO, ONE, "int32[2,4] = {1, 2, 0, 0, 1, 1, 0, 0}", RUNS, NO_RULES,
          "float[2] = {-1, 0}", NOTHING, NO_SCORES},
         "eos_token_id = 3",
         .want = "int32[2,1] {2, 1}; int64[2] {1, 1}; int32[2,4] {1, 1, 2, 0, 1, 1, 1, 0}; "
                 "float[2] {-0.693147, -1.38629}",
         .outputs = 4},
        /* One row of logits for all beams of a prompt, of which the last position counts. */
        {"quern.BeamStep",
         {"float[1,2,4] = {9, 0, 0, 0, " LIKELY "}", ONE, ONE, BEAMS, RUNS, NO_RULES, FIRST,
          NOTHING, NO_SCORES},
         "eos_token_id = 3",
         .want = "int32[2,1] {2, 1}; int64[2] {0, 0}",
         .outputs = 2},
        {"quern.BeamStep",
         {"float[R,S,V]", ONE, ONE, "int32[R,20]", "int32[B,2]", NO_RULES, "float[R]",
          "int32[B,3,21]", "float[B,3]"},
         .want = "int32[3*B,1]; int64[3*B]; int32[3*B,20]; float[3*B]; int32[B,3,21]; float[B,3]; "
                 "int32[B,2]; bool[]; float[B,3,V]",
         .outputs = 9},
    };
    OP_CHECK(t, rows);
}

TEST(sequences_that_end_are_hypotheses)
{
    static const OpRow rows[] = {
        {"quern.BeamStep",
         {ROWS, ONE, ONE, BEAMS, RUNS, NO_RULES, FIRST, NOTHING, NO_SCORES},
         "eos_token_id = 2",
         .want = "int32[2,1] {1, 0}; int64[2] {0, 0}; int32[2,4] {1, 1, 0, 0, 1, 0, 0, 0}; "
                 "float[2] {-1.38629, -2.07944}; int32[1,2,5] {1, 1, 0, 0, 0, 0, 0, 0, 0, 0}; "
                 "float[1,2] {-0.693147, 0}; int32[1,2] {1, 0}; bool[] {1}",
         .outputs = 8},
        /* Two of them, and none to come is better: the search is over. */
        {"quern.BeamStep",
         {ROWS, TWO, ONE, "int32[2,4] = {1, 2, 0, 0, 1, 1, 0, 0}", "int32[1,2] = {1, 0}", NO_RULES,
          FIRST, "int32[1,2,5] = {1, 1, 0, 0, 0, 0, 0, 0, 0, 0}", "float[1,2] = {-0.1, 0}"},
         "eos_token_id = 2",
         .want = "int32[2,1] {1, 0}; int64[2] {0, 0}; int32[2,4] {1, 2, 1, 0, 1, 2, 0, 0}; "
                 "float[2] {-1.38629, -2.07944}; int32[1,2,5] {1, 1, 0, 0, 0, 2, 1, 2, 0, 0}; "
                 "float[1,2] {-0.1, -0.346574}; int32[1,2] {2, 1}; bool[] {0}",
         .outputs = 8},
        /* A penalty of 2 divides by the square of the length; the better one goes in front. */
        {"quern.BeamStep",
         {ROWS, TWO, ONE, "int32[2,4] = {1, 2, 0, 0, 1, 1, 0, 0}", "int32[1,2] = {1, 0}", NO_RULES,
          FIRST, "int32[1,2,5] = {1, 1, 0, 0, 0, 0, 0, 0, 0, 0}", "float[1,2] = {-0.2, 0}",
          "float[1] = {2}"},
         "eos_token_id = 2",
         .want = "int32[2,1] {1, 0}; int64[2] {0, 0}; int32[2,4] {1, 2, 1, 0, 1, 2, 0, 0}; "
                 "float[2] {-1.38629, -2.07944}; int32[1,2,5] {2, 1, 2, 0, 0, 1, 1, 0, 0, 0}; "
                 "float[1,2] {-0.173287, -0.2}; int32[1,2] {2, 0}; bool[] {1}",
         .outputs = 8},
        /* What is over goes on as padding. */
        {"quern.BeamStep",
         {ROWS, TWO, ONE, "int32[2,4] = {1, 2, 0, 0, 1, 1, 0, 0}", "int32[1,2] = {2, 1}", NO_RULES,
          FIRST, NOTHING, NO_SCORES},
         "eos_token_id = 2, pad_token_id = 7",
         .want = "int32[2,1] {7, 7}; int64[2] {0, 1}; int32[2,4] {1, 2, 7, 0, 1, 1, 7, 0}; "
                 "float[2] {0, 0}; int32[1,2,5] {0, 0, 0, 0, 0, 0, 0, 0, 0, 0}; "
                 "float[1,2] {0, 0}; int32[1,2] {2, 1}; bool[] {0}; "
                 "float[1,2,4] {0, 0, 0, 0, 0, 0, 0, 0}",
         .outputs = 9},
    };
    OP_CHECK(t, rows);
}

TEST(a_search_ends_with_the_best_hypotheses)
{
    static const OpRow rows[] = {
        /* What has not ended counts as it stands. */
        {"quern.BeamEnd",
         {"int32[2,3] = {1, 2, 3, 1, 1, 1}", "float[2] = {-3, -0.6}",
          "int32[1,2,4] = {2, 1, 2, 0, 0, 0, 0, 0}", "float[1,2] = {-0.5, 0}",
          "int32[1,2] = {1, 0}", "int32[1] = {2}"},
         "pad_token_id = 9",
         .want = "int32[1,2,3] {1, 1, 1, 1, 2, 9}; float[1,2] {-0.2, -0.5}",
         .outputs = 2},
        {"quern.BeamEnd",
         {"int32[2,3] = {1, 2, 3, 1, 1, 1}", "float[2] = {-3, -0.6}",
          "int32[1,2,4] = {2, 1, 2, 0, 1, 1, 0, 0}", "float[1,2] = {-0.5, -0.9}",
          "int32[1,2] = {2, 1}"},
         "pad_token_id = 9",
         .want = "int32[1,1,3] {1, 2, 9}; float[1,1] {-0.5}",
         .outputs = 2},
        {"quern.BeamEnd",
         {"int32[2,3] = {1, 2, 3, 1, 1, 1}", "float[2] = {-3, -0.6}",
          "int32[1,2,4] = {2, 1, 2, 0, 1, 1, 0, 0}", "float[1,2] = {-0.5, -0.9}",
          "int32[1,2] = {2, 1}", "int32[1] = {3}"},
         .want = "error: num_return_sequences is 3, expected 1 to the number of beams"},
    };
    OP_CHECK(t, rows);
}

TEST(rules_lower_scores_in_their_order)
{
    static const OpRow rows[] = {
        {"quern.TokenStep",
         {ROW, ONE, ONE, TOKENS, RUNS},
         "eos_token_id = 3",
         .want = "int32[1,1] {2}; int32[1,4] {1, 2, 0, 0}; int32[1,2] {0, 0}; bool[] {1}",
         .outputs = 4},
        /* The end is padding, also of what has ended before. */
        {"quern.TokenStep",
         {ROW, ONE, ONE, TOKENS, RUNS},
         "eos_token_id = 2, pad_token_id = 7",
         .want = "int32[1,1] {7}; int32[1,4] {1, 7, 0, 0}; int32[1,2] {0, 1}; bool[] {0}",
         .outputs = 4},
        {"quern.TokenStep",
         {ROW, ONE, ONE, TOKENS, "int32[1,2] = {0, 1}"},
         "eos_token_id = 3, pad_token_id = 7",
         .want = "int32[1,1] {7}"},
        {"quern.TokenStep",
         {ROW, ONE, ONE, TOKENS, RUNS, "int32[1] = {2}"},
         "eos_token_id = 2",
         .want = "int32[1,1] {1}"},
        {"quern.TokenStep",
         {ROW, TWO, ONE, "int32[1,4] = {2, 2, 0, 0}", RUNS, "_", "float[1] = {4}"},
         .want = "int32[1,1] {1}"},
        {"quern.TokenStep",
         {"float[1,1,4] = {-1, -2, -3, -4}", TWO, ONE, "int32[1,4] = {0, 1, 0, 0}", RUNS, "_",
          "float[1] = {3.5}"},
         .want = "int32[1,1] {2}"},
        {"quern.TokenStep",
         {ROW, TWO, ONE, "int32[1,4] = {2, 1, 0, 0}", RUNS},
         "no_repeat_ngram_size = 1",
         .want = "int32[1,1] {0}"},
        {"quern.TokenStep",
         {ROW, "int64[] = {3}", ONE, "int32[1,4] = {1, 2, 1, 0}", RUNS},
         "no_repeat_ngram_size = 2",
         .want = "int32[1,1] {1}"},
        {"quern.TokenStep",
         {ROW, ONE, ONE, TOKENS, RUNS, "_", "_", "int32[4] = {1, 0, 0, 1}"},
         .want = "int32[1,1] {0}"},
        {"quern.TokenStep",
         {ROW, ONE, ONE, TOKENS, RUNS, "_", "_", "_", "int32[1,4] = {0, 1, 0, 1}"},
         .want = "int32[1,1] {1}"},
        /* That mask is for the first step only. */
        {"quern.TokenStep",
         {ROW, TWO, ONE, TOKENS, RUNS, "_", "_", "_", "int32[1,4] = {0, 1, 0, 1}"},
         .want = "int32[1,1] {2}"},
        {"quern.TokenStep",
         {ROW, ONE, ONE, TOKENS, RUNS, NO_RULES, "int32[1,4] = {0, 0, 1, 0}"},
         "presence_penalty = 1.0",
         .want = "int32[1,1] {1}"},
        /* Of a vocabulary that is padded the first tokens count. */
        {"quern.TokenStep",
         {"double[1,2,4] = {9, 0, 0, 0, 0, 1, 2, 3}", ONE, ONE, TOKENS, RUNS},
         "vocab_size = 2",
         .want = "int32[1,1] {1}"},
        /* Tokens that no vocabulary has are no tokens. */
        {"quern.TokenStep",
         {ROW, TWO, ONE, "int32[1,4] = {-5, 900, 0, 0}", RUNS, "_", "float[1] = {2}"},
         "eos_token_id = 77, no_repeat_ngram_size = 1",
         .want = "int32[1,1] {2}"},
        {"quern.TokenStep",
         {"float[1,1,4] = {nan, 1, nan, 0}", ONE, ONE, TOKENS, RUNS},
         .want = "int32[1,1] {1}"},
    };
    OP_CHECK(t, rows);
}

/* The times of Whisper: token 2 and all after it. */
#define TIMES                                                       \
    "eos_token_id = 1, has_times = 1, no_timestamps_token_id = 0, " \
    "beginning_timestamp_token_id = 2"
#define TIMED(scores, length, tokens)                                                              \
    {                                                                                              \
        "float[1,1,5] = {" scores "}", "int64[] = {" length "}", ONE, "int32[1,4] = {" tokens "}", \
            RUNS, NO_RULES, "float[1] = {0}", "int32[1,1,5] = {0, 0, 0, 0, 0}",                    \
            "float[1,1] = {0}", "_", "_", "int32[1] = {1}"                                         \
    }

TEST(times_come_in_pairs_and_in_order)
{
    static const OpRow rows[] = {
        /* The first of a pair: the second is not before it. */
        {"quern.BeamStep", TIMED("9, 0, 0, 1, 2", "3", "3, 0, 3, 0"), TIMES,
         .want = "int32[1,1] {4}"},
        /* A pair is there: no time follows, and the only text is the end. */
        {"quern.BeamStep", TIMED("0, -9, 9, 9, 9", "3", "2, 3, 3, 0"), TIMES,
         .want = "int32[1,1] {0}; int64[1] {0}; int32[1,4] {2, 3, 3, 0}; float[1] {-3.40282e+38}; "
                 "int32[1,1,5] {3, 2, 3, 3, 0}; float[1,1] {-6.36622}; int32[1,2] {1, 1}",
         .outputs = 7},
    };
    OP_CHECK(t, rows);
}

TEST(drawing_takes_likely_tokens_by_the_seed)
{
    static const OpRow rows[] = {
        {"quern.TokenStep",
         {ROW, ONE, ONE, TOKENS, RUNS, NO_RULES, "_", "int64[1] = {5}"},
         "is_sampled = 1, top_p = 0.3, min_tokens_to_keep = 1",
         .want = "int32[1,1] {2}; int32[1,4] {1, 2, 0, 0}; int32[1,2] {0, 0}; bool[] {1}; "
                 "int64[1] {1412376245}",
         .outputs = 5},
        /* The filter's value is a score like others. */
        {"quern.TokenStep",
         {ROW, ONE, ONE, TOKENS, RUNS, NO_RULES, "_", "int64[1] = {5}"},
         "is_sampled = 1, custom = 1, top_p = 0.4, filter_value = -100.0",
         .want = "int32[1,1] {2}"},
    };
    OP_CHECK(t, rows);
}

TEST(states_of_other_types_or_sizes_are_refused)
{
    static const OpRow rows[] = {
        {"quern.TokenStep",
         {ROW, ONE, ONE, "int64[1,4] = {1, 0, 0, 0}", RUNS},
         .want = "error: input 3 is of int64, expected int32"},
        {"quern.TokenStep",
         {ROW, "int64[] = {4}", ONE, TOKENS, RUNS},
         .want = "error: the sequences hold 4 tokens, expected 0 to 3"},
        {"quern.TokenStep",
         {ROW, ONE, ONE, TOKENS, RUNS, "_", "float[1] = {0}"},
         .want = "error: repetition_penalty is 0, expected above 0"},
        {"quern.TokenStep",
         {"float[1,1,1] = {0}", ONE, ONE, TOKENS, RUNS},
         .want = "error: the logits are of 1 tokens, expected 2 at least"},
        {"quern.TokenStep",
         {ROW, ONE, ONE, TOKENS, RUNS},
         "vocab_size = 5",
         .want = "error: the logits are of 4 tokens, expected 5 at least"},
        {"quern.TokenStep",
         {"float[1,0,4] = {}", ONE, ONE, TOKENS, RUNS},
         .want = "error: the logits are of no position, expected 1 at least"},
        {"quern.BeamStep",
         {"float[3,1,4] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}", ONE, ONE, BEAMS, RUNS, NO_RULES,
          FIRST, NOTHING, NO_SCORES},
         .want = "error: the logits have 3 rows, expected 2 or 1"},
        {"quern.BeamStep",
         {"float[1,1,4] = {nan, nan, nan, nan}", ONE, ONE, BEAMS, RUNS, NO_RULES, FIRST, NOTHING,
          NO_SCORES},
         .want = "error: only 0 of 8 scores are numbers"},
        {"quern.BeamStep",
         {"float[0,1,4] = {}", ONE, ONE, "int32[0,4] = {}", RUNS, NO_RULES, "float[0] = {}",
          "int32[1,0,5] = {}", "float[1,0] = {}"},
         .want = "error: there are no beams, expected 1 at least"},
    };
    OP_CHECK(t, rows);
}

TEST_MAIN(CASE(a_search_starts_with_its_prompts), CASE(the_best_of_all_beams_go_on),
          CASE(sequences_that_end_are_hypotheses), CASE(a_search_ends_with_the_best_hypotheses),
          CASE(rules_lower_scores_in_their_order), CASE(times_come_in_pairs_and_in_order),
          CASE(drawing_takes_likely_tokens_by_the_seed),
          CASE(states_of_other_types_or_sizes_are_refused))
