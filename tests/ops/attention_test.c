/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attention and its kin.  Queries of zeros weigh all keys that they see alike, so that outputs are
 * means of values.
 */
#include "tests/support/op.h"

#define ONE   "float[1,1,1,1] = {0}"
#define TWO   "float[1,1,2,1] = {0, 0}"
#define FOUR  "float[1,1,4,1] = {0, 0, 0, 0}"
#define SIXES "float[1,1,4,1] = {1, 2, 3, 6}"

TEST(attention_sees_what_masks_frontiers_and_windows_allow)
{
    static const OpRow rows[] = {
        {"Attention", {ONE, FOUR, SIXES}, .want = "float[1,1,1,1] {3}"},
        {"Attention", {ONE, FOUR, SIXES, "bool[4] = {1, 0, 0, 1}"}, .want = "float[1,1,1,1] {3.5}"},
        /* Keys behind the end of a mask are not seen, and one key is no broadcast. */
        {"Attention", {ONE, FOUR, SIXES, "bool[2] = {1, 1}"}, .want = "float[1,1,1,1] {1.5}"},
        {"Attention", {ONE, FOUR, SIXES, "float[1,1] = {5}"}, .want = "float[1,1,1,1] {1}"},
        {"Attention",
         {ONE, FOUR, SIXES, "int32[1,1,1,4] = {0, -100, -100, 0}"},
         .want = "float[1,1,1,1] {3.5}"},
        {"Attention", {TWO, FOUR, SIXES}, "is_causal = 1", .want = "float[1,1,2,1] {1, 1.5}"},
        {"Attention",
         {FOUR, FOUR, SIXES},
         "left_window_size = 1, right_window_size = 0",
         .want = "float[1,1,4,1] {1, 1.5, 2.5, 4.5}"},
        {"Attention",
         {FOUR, FOUR, SIXES},
         "is_causal = 1, right_window_size = 2",
         .want = "float[1,1,4,1] {1, 1.5, 2, 3}"},
        {"Attention",
         {TWO, FOUR, SIXES, "_", "_", "_", "int64[1] = {3}"},
         "is_causal = 1",
         .want = "float[1,1,2,1] {1.5, 2}"},
    };
    OP_CHECK(t, rows);
}

TEST(attention_without_keys_gives_zeros)
{
    static const OpRow rows[] = {
        {"Attention",
         {TWO, FOUR, SIXES, "_", "_", "_", "int64[1] = {1}"},
         "is_causal = 1",
         .want = "float[1,1,2,1] {0, 1}"},
        {"Attention", {ONE, FOUR, SIXES, "bool[4] = {0, 0, 0, 0}"}, .want = "float[1,1,1,1] {0}"},
        {"Attention",
         {ONE, TWO, "float[1,1,2,1] = {nan, 4}", "bool[2] = {0, 1}"},
         .want = "float[1,1,1,1] {4}"},
        {"Attention",
         {ONE, "float[1,1,0,1] = {}", "float[1,1,0,2] = {}"},
         .want = "float[1,1,1,2] {0, 0}"},
        {"Attention",
         {"float[0,1,2,1] = {}", "float[0,1,3,1] = {}", "float[0,1,3,1] = {}"},
         .want = "float[0,1,2,1] {}"},
    };
    OP_CHECK(t, rows);
}

TEST(attention_puts_new_rows_behind_those_of_the_cache)
{
    static const OpRow rows[] = {
        {"Attention",
         {TWO, TWO, "float[1,1,2,1] = {3, 6}", "_", TWO, "float[1,1,2,1] = {1, 2}"},
         "is_causal = 1",
         .want = "float[1,1,2,1] {2, 3}; float[1,1,4,1] {0, 0, 0, 0}; float[1,1,4,1] {1, 2, 3, 6}",
         .outputs = 3},
        /* Packed rows of two heads become two heads of rows. */
        {"Attention",
         {"float[1,1,2] = {0, 0}", "float[1,2,2] = {0, 0, 0, 0}", "float[1,2,2] = {1, 2, 3, 4}"},
         "q_num_heads = 2, kv_num_heads = 2",
         .want = "float[1,1,2] {2, 3}; float[1,2,2,1] {0, 0, 0, 0}; float[1,2,2,1] {1, 3, 2, 4}",
         .outputs = 3},
        /* Two heads of queries share one of keys. */
        {"Attention",
         {"float[1,2,1,1] = {0, 0}", TWO, "float[1,1,2,1] = {1, 3}"},
         .want = "float[1,2,1,1] {2, 2}"},
        {"Attention",
         {"float[B,S,8]", "float[B,S,4]", "float[B,S,6]", "_", "float[B,2,P,2]", "float[B,2,P,3]"},
         "q_num_heads = 4, kv_num_heads = 2",
         .want = "float[B,S,12]; float[B,2,S + P,2]; float[B,2,S + P,3]; float[B,4,S,S + P]",
         .outputs = 4},
    };
    OP_CHECK(t, rows);
}

TEST(attention_knows_positions_and_sinks_that_onnx_does_not)
{
    static const OpRow rows[] = {
        {"Attention",
         {TWO, FOUR, SIXES, "_", "_", "_", "_", "int64[] = {1}"},
         "is_causal = 1",
         .want = "float[1,1,2,1] {1.5, 2}"},
        {"Attention",
         {TWO, FOUR, SIXES, "_", "_", "_", "_", "int64[1] = {-9223372036854775808}"},
         "is_causal = 1",
         .want = "float[1,1,2,1] {0, 0}"},
        {"Attention",
         {TWO, FOUR, SIXES, "_", "_", "_", "_", "int64[1] = {9223372036854775807}"},
         "is_causal = 1, left_window_size = 9223372036854775807",
         .want = "float[1,1,2,1] {3, 3.66667}"},
        /* A sink takes its part of the weights, and gives nothing. */
        {"Attention",
         {ONE, FOUR, SIXES, "_", "_", "_", "_", "_", "float[1] = {0}"},
         .want = "float[1,1,1,1] {2.4}"},
        {"Attention",
         {ONE, FOUR, SIXES, "bool[4] = {0, 0, 0, 0}", "_", "_", "_", "_", "float[1] = {0}"},
         .want = "float[1,1,1,1] {0}"},
    };
    OP_CHECK(t, rows);
}

TEST(attention_writes_scores_at_four_stages)
{
#define KEPT     "; float[1,1,2,1] {0, 0.5}; float[1,1,2,1] {1, 2}; "
#define STAGE(n) "scale = 4.0, softcap = 1.0, qk_matmul_output_mode = " #n
#define SCORES                                                                          \
    {                                                                                   \
        "float[1,1,1,1] = {1}", "float[1,1,2,1] = {0, 0.5}", "float[1,1,2,1] = {1, 2}", \
            "float[2] = {0, -inf}"                                                      \
    }
    static const OpRow rows[] = {
        {"Attention", SCORES, STAGE(0), "float[1,1,1,1] {1}" KEPT "float[1,1,1,2] {0, 2}", 4},
        {"Attention", SCORES, STAGE(1), "float[1,1,1,1] {1}" KEPT "float[1,1,1,2] {0, 0.964028}",
         4},
        {"Attention", SCORES, STAGE(2), "float[1,1,1,1] {1}" KEPT "float[1,1,1,2] {0, -inf}", 4},
        {"Attention", SCORES, STAGE(3), "float[1,1,1,1] {1}" KEPT "float[1,1,1,2] {1, 0}", 4},
    };
    OP_CHECK(t, rows);
}

TEST(wrong_attention_is_refused)
{
#define TYPES "float[1,2,3,4]", "float[1,2,5,4]", "float[1,2,5,4]"
#define CACHED(n)                                           \
    {                                                       \
        ONE, TWO, TWO, "_", "_", "_", "int64[1] = {" #n "}" \
    }
    static const OpRow rows[] = {
        {"Attention", CACHED(-1), .want = "error: nonpad_kv_seqlen[0] is -1, expected 0 to 2"},
        {"Attention", CACHED(3), .want = "error: nonpad_kv_seqlen[0] is 3, expected 0 to 2"},
        {"Attention", CACHED(-9223372036854775808),
         .want = "error: nonpad_kv_seqlen[0] is -9223372036854775808, expected 0 to 2"},
        {"Attention",
         {"float[1,2,8]", "float[1,2,8]", "float[1,2,8]"},
         .want = "error: input 0 has rank 3, which needs q_num_heads"},
        {"Attention",
         {"float[1,2,8]", "float[1,2,8]", "float[1,2,8]"},
         "q_num_heads = 2, kv_num_heads = 3",
         .want = "error: input 1 has rows of 8 elements, which are not 3 heads"},
        {"Attention",
         {"float[8]", "float[8]", "float[8]"},
         .want = "error: input 0 has rank 1, expected 3 or 4"},
        {"Attention",
         {"float[1,2,3,4]", "float[1,2,5,6]", "float[1,2,5,4]"},
         .want = "error: inputs 0 and 1 differ in head size: 4 and 6"},
        {"Attention",
         {"float[1,3,3,4]", "float[1,2,5,4]", "float[1,2,5,4]"},
         .want = "error: 3 heads of queries cannot share 2 heads of keys"},
        {"Attention",
         {TYPES, "float[3,6]"},
         .want = "error: the mask has size 6 in dimension 1, expected at most 5"},
        {"Attention",
         {TYPES, "float[2,5]"},
         .want = "error: the mask has size 2 in dimension 0, expected 1 or 3"},
        {"Attention",
         {TYPES, "_", "float[1,2,5,4]"},
         .want = "error: has one of past_key and past_value, expected both or none"},
        {"Attention",
         {TYPES, "_", "float[1,3,5,4]", "float[1,3,5,4]"},
         .want = "error: input 4 has size 3 along dimension 1, expected 2"},
        {"Attention",
         {TYPES, "_", "_", "_", "int64[2]"},
         .want = "error: input 6 has 2 elements, expected one per item: 1"},
        {"Attention",
         {TYPES, "_", "float[1,2,5,4]", "float[1,2,5,4]", "int64[1]"},
         .want = "error: has both past_key and nonpad_kv_seqlen, expected one at most"},
        {"Attention",
         {TYPES},
         "left_window_size = -2",
         .want = "error: left_window_size is -2, expected -1 or more"},
        {"Attention",
         {TYPES},
         "qk_matmul_output_mode = 4",
         .want = "error: qk_matmul_output_mode is 4, expected 0 to 3"},
        {"Attention",
         {TYPES},
         "softmax_precision = 7",
         .want = "error: softmax_precision is 7, which is no type of float"},
    };
    OP_CHECK(t, rows);
}

/* Angles of 0, 90 and 180 degrees: pairs stay, turn into (-b, a), and into (-a, -b). */
#define COS   "float[3,1] = {1, 0, -1}"
#define SIN   "float[3,1] = {0, 1, 0}"
#define PAIRS "float[1,1,2,3] = {1, 2, 3, 4, 5, 6}"

TEST(rotary_embeddings_turn_pairs)
{
    static const OpRow rows[] = {
        {"RotaryEmbedding",
         {"float[1,1,2,3] = {1, 2, 3, 4, 5, 6}", COS, SIN, "int64[1,2] = {1, 2}"},
         "rotary_embedding_dim = 2",
         .want = "float[1,1,2,3] {-2, 1, 3, -4, -5, 6}"},
        {"RotaryEmbedding",
         {"float[1,1,2] = {1, 2}", "float[1,1,1] = {0}", "float[1,1,1] = {1}"},
         "num_heads = 1",
         .want = "float[1,1,2] {-2, 1}"},
        {"RotaryEmbedding",
         {"float[1,1,1,4] = {1, 2, 3, 4}", "float[1,2] = {0, 1}", "float[1,2] = {1, 0}",
          "int64[1,1] = {0}"},
         .want = "float[1,1,1,4] {-3, 2, 1, 4}"},
        {"RotaryEmbedding",
         {"float[1,1,1,4] = {1, 2, 3, 4}", "float[1,2] = {0, 1}", "float[1,2] = {1, 0}",
          "int64[1,1] = {0}"},
         "interleaved = 1",
         .want = "float[1,1,1,4] {-2, 1, 3, 4}"},
        /* com.microsoft's: one position is the first; heads follow from the tables. */
        {"ms.RotaryEmbedding",
         {"float[1,2,4] = {1, 2, 3, 4, 5, 6, 7, 8}", "int64[1] = {1}", COS, SIN},
         .want = "float[1,2,4] {-2, 1, -4, 3, -5, -6, -7, -8}"},
        {"ms.RotaryEmbedding",
         {"float[1,2,2] = {1, 2, 3, 4}", "int64[1,2] = {2, 0}", COS, SIN},
         .want = "float[1,2,2] {-1, -2, 3, 4}"},
    };
    OP_CHECK(t, rows);
}

TEST(rotary_embeddings_of_three_positions_take_pairs_by_sections_or_turns)
{
#define MIXED                                                              \
    "float[1,1,8] = {1, 1, 1, 1, 0, 0, 0, 0}", "int64[3,1,1] = {0, 1, 2}", \
        "float[3,4] = {1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3}",               \
        "float[3,4] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}"
    static const OpRow rows[] = {
        {"ms.MRotaryEmbedding",
         {MIXED},
         "num_heads = 1, mrope_section = [1, 2, 1]",
         .want = "float[1,1,8] {1, 2, 2, 3, 0, 0, 0, 0}"},
        {"ms.MRotaryEmbedding",
         {MIXED},
         "num_heads = 1, mrope_layout = 1, mrope_section = [2, 1, 1]",
         .want = "float[1,1,8] {1, 2, 3, 1, 0, 0, 0, 0}"},
        {"ms.MRotaryEmbedding",
         {MIXED},
         "num_heads = 1, mrope_section = [1, 2]",
         .want = "error: mrope_section is no list of 3 numbers"},
        {"ms.MRotaryEmbedding",
         {MIXED},
         "num_heads = 1, mrope_section = [1, 2, 2]",
         .want = "error: mrope_section has 5 pairs, expected 4"},
        {"ms.MRotaryEmbedding",
         {MIXED},
         "num_heads = 1, mrope_section = [5, -1, 0]",
         .want = "error: mrope_section[1] is -1, expected 0 to 2147483647"},
    };
    OP_CHECK(t, rows);
}

TEST(positions_outside_of_the_tables_are_refused)
{
#define AT(n)                                                        \
    {                                                                \
        "float[1,1,1,2] = {1, 2}", COS, SIN, "int64[1,1] = {" #n "}" \
    }
#define FROM(n)                                                        \
    {                                                                  \
        "float[1,2,2] = {1, 2, 3, 4}", "int64[1] = {" #n "}", COS, SIN \
    }
    static const OpRow rows[] = {
        {"RotaryEmbedding", AT(-1), .want = "error: position_ids[0] is -1, expected 0 to 2"},
        {"RotaryEmbedding", AT(3), .want = "error: position_ids[0] is 3, expected 0 to 2"},
        {"RotaryEmbedding", AT(-9223372036854775808),
         .want = "error: position_ids[0] is -9223372036854775808, expected 0 to 2"},
        {"ms.RotaryEmbedding", FROM(-1), .want = "error: position_ids[0] is -1, expected 0 to 2"},
        {"ms.RotaryEmbedding", FROM(2), .want = "error: position_ids[0] is 2, expected 0 to 1"},
        {"ms.RotaryEmbedding", FROM(9223372036854775807),
         .want = "error: position_ids[0] is 9223372036854775807, expected 0 to 2"},
        {"ms.MRotaryEmbedding",
         {"float[1,1,2] = {1, 2}", "int64[3,1,1] = {0, 3, 0}", COS, SIN},
         "num_heads = 1, mrope_section = [1, 0, 0]",
         .want = "error: position_ids[1] is 3, expected 0 to 2"},
        {"RotaryEmbedding",
         {"float[1,1,1,3]", "float[3,1]", "float[3,1]", "int64[1,1]"},
         .want = "error: 3 elements of a head cannot be turned in pairs"},
        {"RotaryEmbedding",
         {"float[1,1,1,4]", "float[3,1]", "float[3,1]", "int64[1,1]"},
         .want = "error: input 1 has size 1 along dimension 1, expected 2"},
        {"RotaryEmbedding",
         {"float[1,1,1,4]", "float[3,2]", "float[4,2]", "int64[1,1]"},
         .want = "error: input 2 has size 4 along dimension 0, expected 3"},
        {"RotaryEmbedding",
         {"float[1,1,1,4]", "float[3,2]", "float[3,2]"},
         .want = "error: input 1 has rank 2, expected 3"},
        {"RotaryEmbedding",
         {"float[1,1,1,4]", "float[3,2]", "float[3,2]", "int64[1,1]"},
         "rotary_embedding_dim = 6",
         .want = "error: rotary_embedding_dim is 6, expected 0 to 4"},
    };
    OP_CHECK(t, rows);
}

TEST(causal_convolutions_look_back_and_keep_what_they_will_need)
{
    static const OpRow rows[] = {
        {"CausalConvWithState",
         {"float[1,1,3] = {1, 2, 3}", "float[1,1,2] = {10, 1}", "float[1] = {100}",
          "float[1,1,1] = {5}"},
         .want = "float[1,1,3] {151, 112, 123}; float[1,1,1] {3}",
         .outputs = 2},
        {"CausalConvWithState",
         {"float[1,1,1] = {1}", "float[1,1,3] = {1, 1, 1}", "_", "float[1,1,2] = {7, 8}"},
         .want = "float[1,1,1] {16}; float[1,1,2] {8, 1}",
         .outputs = 2},
        {"CausalConvWithState",
         {"float[1,1,1] = {1}", "float[1,1,1] = {1}"},
         "activation = \"silu\"",
         .want = "float[1,1,1] {0.731059}; float[1,1,0] {}",
         .outputs = 2},
        /* com.microsoft's: taps that stand apart, channels last, states after the last positions */
        {"ms.CausalConvWithState",
         {"float[1,1,3] = {1, 2, 3}", "float[1,1,2] = {10, 1}"},
         "dilation = 2",
         .want = "float[1,1,3] {1, 2, 13}; float[1,1,2] {2, 3}",
         .outputs = 2},
        {"ms.CausalConvWithState",
         {"float[1,2,1,2] = {1, 2, 3, 4}", "float[2,1,2] = {1, 1, 10, 1}"},
         "channels_last = 1",
         .want = "float[1,2,1,2] {1, 2, 4, 24}; float[1,1,1,2] {3, 4}",
         .outputs = 2},
        {"ms.CausalConvWithState",
         {"float[1,1,2] = {1, 2}", "float[1,1,2] = {1, 1}", "_", "float[3,1,1,1] = {7, 8, 9}"},
         "state_window = 3",
         .want = "float[1,1,2] {10, 3}; float[3,1,1,1] {0, 1, 2}",
         .outputs = 2},
        {"CausalConvWithState",
         {"float[B,4,L]", "float[4,1,3]"},
         .want = "float[B,4,L]; float[B,4,2]",
         .outputs = 2},
        {"CausalConvWithState",
         {"float[1,4,5]", "float[3,1,3]"},
         .want = "error: input 1 has size 3 along dimension 0, expected 4"},
        {"CausalConvWithState",
         {"float[1,4,5]", "float[4,1,3]", "_", "float[1,4,3]"},
         .want = "error: input 3 has size 3 along dimension 2, expected 2"},
        {"CausalConvWithState",
         {"float[1,4,5]", "float[4,1,3]"},
         "activation = \"relu\"",
         .want = "error: activation is not 'none', 'silu' or 'swish'"},
        {"CausalConvWithState",
         {"float[1,4]", "float[4,1,3]"},
         .want = "error: input 0 has rank 2, expected 3"},
        {"ms.CausalConvWithState",
         {"float[1,4,5]", "float[4,1,3]"},
         "ndim = 2",
         .want = "error: ndim is 2, of which only 1 is known"},
        {"ms.CausalConvWithState",
         {"float[1,4,5]", "float[4,1,3]"},
         "dilation = 0",
         .want = "error: dilation is 0, expected 1 to 2147483647"},
        {"ms.CausalConvWithState",
         {"float[1,4,5]", "float[4,1,3]"},
         "state_window = 9",
         .want = "error: state_window is 9, expected 0 to 8"},
    };
    OP_CHECK(t, rows);
}

#define LINEAR(rule) "q_num_heads = 1, kv_num_heads = 1, scale = 1.0, update_rule = \"" rule "\""

TEST(linear_attention_changes_its_state_token_by_token)
{
#define TOKENS "float[1,2,1] = {1, 1}", "float[1,2,1] = {1, 2}", "float[1,2,1] = {3, 4}"
#define HALF   "float[1,2,1] = {-0.6931471805599453, -0.6931471805599453}"
    static const OpRow rows[] = {
        {"LinearAttention",
         {TOKENS, "float[1,1,1,1] = {10}"},
         LINEAR("linear"),
         .want = "float[1,2,1] {13, 21}; float[1,1,1,1] {21}",
         .outputs = 2},
        {"LinearAttention",
         {TOKENS, "float[1,1,1,1] = {10}", HALF},
         LINEAR("gated"),
         .want = "float[1,2,1] {8, 12}; float[1,1,1,1] {12}",
         .outputs = 2},
        {"LinearAttention",
         {TOKENS, "_", "_", "float[1,2,1] = {1, 0.5}"},
         LINEAR("delta"),
         .want = "float[1,2,1] {3, 1}; float[1,1,1,1] {1}",
         .outputs = 2},
        {"LinearAttention",
         {TOKENS, "float[1,1,1,1] = {2}", HALF, "float[1,2,1] = {1, 0.5}"},
         LINEAR("gated_delta"),
         .want = "float[1,2,1] {3, 2.5}; float[1,1,1,1] {2.5}",
         .outputs = 2},
        /* Two heads of queries read one state; com.microsoft's two states may share one query. */
        {"LinearAttention",
         {"float[1,1,2] = {1, 2}", "float[1,1,1] = {3}", "float[1,1,1] = {4}"},
         "q_num_heads = 2, kv_num_heads = 1, update_rule = \"linear\"",
         .want = "float[1,1,2] {12, 24}; float[1,1,1,1] {12}",
         .outputs = 2},
        {"ms.LinearAttention",
         {"float[1,1,1] = {2}", "float[1,1,2] = {3, 4}", "float[1,1,2] = {5, 6}"},
         "q_num_heads = 1, kv_num_heads = 2, update_rule = \"linear\"",
         .want = "float[1,1,2] {30, 48}; float[1,2,1,1] {15, 24}",
         .outputs = 2},
        {"ms.LinearAttention",
         {TOKENS, "float[3,1,1,1,1] = {8, 9, 10}"},
         LINEAR("linear") ", state_window = 3",
         .want = "float[1,2,1] {13, 21}; float[3,1,1,1,1] {0, 13, 21}",
         .outputs = 2},
        {"LinearAttention",
         {"float[B,T,8]", "float[B,T,4]", "float[B,T,6]"},
         "q_num_heads = 4, kv_num_heads = 2, update_rule = \"linear\"",
         .want = "float[B,T,12]; float[B,2,2,3]",
         .outputs = 2},
    };
    OP_CHECK(t, rows);
}

TEST(wrong_linear_attention_is_refused)
{
#define SHAPES "float[1,2,4]", "float[1,2,4]", "float[1,2,4]"
    static const OpRow rows[] = {
        {"LinearAttention",
         {SHAPES},
         LINEAR("decayed"),
         .want = "error: update_rule is not 'linear', 'gated', 'delta' or 'gated_delta'"},
        {"LinearAttention",
         {SHAPES},
         LINEAR("gated"),
         .want = "error: update_rule 'gated' needs decay"},
        {"LinearAttention",
         {SHAPES, "_", "_", "float[1,2,1]"},
         LINEAR("linear"),
         .want = "error: update_rule 'linear' has no beta"},
        {"LinearAttention",
         {SHAPES, "_", "float[1,2,3]"},
         LINEAR("gated"),
         .want = "error: input 4 has rows of 3, expected 1 or 4"},
        {"LinearAttention",
         {SHAPES, "float[1,1,4,5]"},
         LINEAR("linear"),
         .want = "error: input 3 has size 5 along dimension 3, expected 4"},
        {"LinearAttention",
         {SHAPES},
         "q_num_heads = 1, kv_num_heads = 2, update_rule = \"linear\"",
         .want = "error: 1 heads of queries cannot share 2 heads of keys"},
        {"LinearAttention",
         {SHAPES},
         "q_num_heads = 0, kv_num_heads = 2, update_rule = \"linear\"",
         .want = "error: q_num_heads is 0 and kv_num_heads 2, expected 1 at least"},
        {"LinearAttention",
         {"float[1,2,4]", "float[1,3,4]", "float[1,2,4]"},
         LINEAR("linear"),
         .want = "error: input 1 has size 3 along dimension 1, expected 2"},
    };
    OP_CHECK(t, rows);
}

TEST(gates_of_linear_attention_follow_their_formulas)
{
    static const OpRow rows[] = {
        {"ms.LinearAttentionGate",
         {"float[1,2,2] = {0, 1000, 0, -1000}", "float[2] = {0, 0}", "float[2] = {-1, -2}",
          "float[1,2,2] = {0, 1000, -1000, 0}"},
         .want = "float[1,2,2] {-0.693147, -2000, -0.693147, 0}; float[1,2,2] {0.5, 1, 0, 0.5}",
         .outputs = 2},
        {"ms.LinearAttentionGate",
         {"float[1,2,2]", "float[3]", "float[2]"},
         .want = "error: input 1 has size 3 along dimension 0, expected 2"},
        {"ms.LinearAttentionGate",
         {"float[1,2,2]", "float[2]", "float[2]"},
         .want = "error: output 1 is wanted, which needs input 3",
         .outputs = 2},
    };
    OP_CHECK(t, rows);
}

TEST_MAIN(CASE(attention_sees_what_masks_frontiers_and_windows_allow),
          CASE(attention_without_keys_gives_zeros),
          CASE(attention_puts_new_rows_behind_those_of_the_cache),
          CASE(attention_knows_positions_and_sinks_that_onnx_does_not),
          CASE(attention_writes_scores_at_four_stages), CASE(wrong_attention_is_refused),
          CASE(rotary_embeddings_turn_pairs),
          CASE(rotary_embeddings_of_three_positions_take_pairs_by_sections_or_turns),
          CASE(positions_outside_of_the_tables_are_refused),
          CASE(causal_convolutions_look_back_and_keep_what_they_will_need),
          CASE(linear_attention_changes_its_state_token_by_token),
          CASE(wrong_linear_attention_is_refused),
          CASE(gates_of_linear_attention_follow_their_formulas))
