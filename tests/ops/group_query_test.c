/* SPDX-License-Identifier: Apache-2.0 */
/*
 * com.microsoft's attention operators: every number that tells a place, at the ends of its range,
 * and what does not fit together.  What is right is computed by the cases in data/attention and
 * data/grouped.
 */
#include "tests/support/op.h"

/* ---- MultiHeadAttention, DecoderMaskedMultiHeadAttention ---- */

#define ZERO3 "float[1,1,2] = {0, 0}"
#define CACHE "float[1,1,3,2] = {0, 0, 0, 0, 0, 0}"
#define HELD(n)                                                                 \
    {                                                                           \
        ZERO3, ZERO3, ZERO3, "_", "_", "_", CACHE, CACHE, "int32[1] = {" #n "}" \
    }
#define BEAMS(n)                                                            \
    {                                                                       \
        ZERO3, ZERO3, ZERO3, "_", "_", "_", CACHE, CACHE, "int32[1] = {2}", \
            "int32[1,1,3] = {0, " #n ", 9}"                                 \
    }
#define MASKED(mask)                                                                   \
    {                                                                                  \
        ZERO3, "float[1,2,2] = {0, 0, 0, 0}", "float[1,2,2] = {1, 2, 3, 4}", "_", mask \
    }

TEST(lengths_of_buffers_and_masks_are_checked)
{
    static const OpRow rows[] = {
        {"ms.MultiHeadAttention", HELD(2), "num_heads = 1", .want = "float[1,1,2] {0, 0}"},
        {"ms.MultiHeadAttention", HELD(-1), "num_heads = 1",
         .want = "error: past_sequence_length is -1, expected 0 to 2"},
        {"ms.MultiHeadAttention", HELD(3), "num_heads = 1",
         .want = "error: past_sequence_length is 3, expected 0 to 2"},
        {"ms.MultiHeadAttention", HELD(-2147483648), "num_heads = 1",
         .want = "error: past_sequence_length is -2147483648, expected 0 to 2"},
        /* Beams tell rows that are held only: the last number is of no row. */
        {"ms.MultiHeadAttention", BEAMS(0), "num_heads = 1", .want = "float[1,1,2] {0, 0}"},
        {"ms.MultiHeadAttention", BEAMS(1), "num_heads = 1",
         .want = "error: cache_indirection[1] is 1, expected 0 to 0"},
        {"ms.MultiHeadAttention", BEAMS(-1), "num_heads = 1",
         .want = "error: cache_indirection[1] is -1, expected 0 to 0"},
        {"ms.MultiHeadAttention", BEAMS(-2147483648), "num_heads = 1",
         .want = "error: cache_indirection[1] is -2147483648, expected 0 to 0"},
        {"ms.MultiHeadAttention", MASKED("int32[1] = {1}"), "num_heads = 1",
         .want = "float[1,1,2] {1, 2}"},
        {"ms.MultiHeadAttention", MASKED("int32[1] = {3}"), "num_heads = 1",
         .want = "error: the mask's number 0 is 3, expected 0 to 2"},
        {"ms.MultiHeadAttention", MASKED("int32[1] = {-1}"), "num_heads = 1",
         .want = "error: the mask's number 0 is -1, expected 0 to 2"},
        {"ms.DecoderMaskedMultiHeadAttention",
         {ZERO3, ZERO3, ZERO3, "_", "_", CACHE, CACHE, "int32[1] = {1}", "int32[1] = {2}",
          "int32[1,1,3] = {0, 0, 0}"},
         "num_heads = 1, past_present_share_buffer = 1",
         .want = "error: beam_width is not that of cache_indirection, 1"},
    };
    OP_CHECK(t, rows);
}

TEST(multi_head_shapes_that_do_not_fit_are_refused)
{
#define Q "float[2,3,8]"
    static const OpRow rows[] = {
        {"ms.MultiHeadAttention",
         {Q, "float[2,5,8]", "float[2,5,12]", "_", "_", "_", "float[2,2,P,4]", "float[2,2,P,6]"},
         "num_heads = 2",
         .want = "float[2,3,12]; float[2,2,P + 5,4]; float[2,2,P + 5,6]; float[2,2,3,P + 5]",
         .outputs = 4},
        {"ms.MultiHeadAttention",
         {"float[B,S,2,3,4]"},
         "num_heads = 2",
         .want = "float[B,S,8]; float[B,2,S,4]",
         .outputs = 2},
        {"ms.MultiHeadAttention",
         {Q, "float[2,5,8]"},
         "num_heads = 2",
         .want = "error: input 2 is missing"},
        {"ms.MultiHeadAttention",
         {Q, "float[2,5,2,2,4]", Q},
         "num_heads = 2",
         .want = "error: input 2 is there, but the keys hold values"},
        {"ms.MultiHeadAttention",
         {Q, "float[2,5,6]", "float[2,5,8]"},
         "num_heads = 2",
         .want = "error: input 1 has size 6 along dimension 2, expected 8"},
        {"ms.MultiHeadAttention",
         {Q, "float[2,5,8]", "float[2,5,8]", "float[20]"},
         "num_heads = 2",
         .want = "error: input 3 has size 20 along dimension 0, expected 24"},
        {"ms.MultiHeadAttention",
         {Q, "float[2,5,8]", "float[2,5,8]", "_", "int32[7]"},
         "num_heads = 2",
         .want = "error: the mask has 7 numbers for 2 items"},
        {"ms.MultiHeadAttention",
         {Q, "float[2,5,8]", "float[2,5,8]", "_", "int32[2,4]"},
         "num_heads = 2",
         .want = "error: input 4 has size 4 along dimension 1, expected 5"},
        {"ms.MultiHeadAttention",
         {Q, "float[2,5,8]", "float[2,5,8]", "_", "_", "float[3,1,3,5]"},
         "num_heads = 2",
         .want = "error: input 5 has size 3 along dimension 0, expected 2"},
        {"ms.MultiHeadAttention",
         {Q, "float[2,2,5,4]", "float[2,2,5,4]", "_", "_", "_", "float[2,2,1,4]", "float[2,2,1,4]"},
         "num_heads = 2",
         .want = "error: has a cache and an encoder's keys, expected one of them"},
        {"ms.MultiHeadAttention",
         {Q, "float[2,5,8]", "float[2,5,8]", "_", "_", "_", "float[2,2,1,4]"},
         "num_heads = 2",
         .want = "error: has one of past_key and past_value, expected both or none"},
        {"ms.MultiHeadAttention",
         {Q, "float[2,5,8]", "float[2,5,8]"},
         "num_heads = 0",
         .want = "error: num_heads is 0, expected 1 at least"},
        {"ms.MultiHeadAttention",
         {Q, "float[2,5,8]", "float[2,5,8]"},
         "num_heads = 3",
         .want = "error: input 0 has size 8 along dimension 2, expected 6"},
        {"ms.DecoderMaskedMultiHeadAttention",
         {Q, Q, Q, "_", "_", "float[2,2,9,4]", "float[2,2,9,4]"},
         "num_heads = 2, past_present_share_buffer = 1",
         .want = "error: past_sequence_length goes with past_present_share_buffer = 1"},
    };
    OP_CHECK(t, rows);
}

/* ---- Attention, QAttention ---- */

TEST(projections_that_do_not_fit_are_refused)
{
#define ONE "float[1,1,1] = {1}", "float[1,3] = {1, 1, 1}"
#define BUFFER(n)                                                                    \
    {                                                                                \
        ONE, "_", "_", "float[2,1,1,2,1] = {0, 0, 0, 0}", "_", "int32[1] = {" #n "}" \
    }
#define SHARED "num_heads = 1, past_present_share_buffer = 1"
    static const OpRow rows[] = {
        {"ms.Attention", BUFFER(1), SHARED,
         .want = "float[1,1,1] {0.731059}; float[2,1,1,2,1] {0, 1, 0, 1}", .outputs = 2},
        {"ms.Attention", BUFFER(2), SHARED,
         .want = "error: past_sequence_length is 2, expected 0 to 1"},
        {"ms.Attention", BUFFER(-1), SHARED,
         .want = "error: past_sequence_length is -1, expected 0 to 1"},
        {"ms.Attention", BUFFER(-2147483648), SHARED,
         .want = "error: past_sequence_length is -2147483648, expected 0 to 1"},
        {"ms.Attention",
         {ONE, "_", "int32[2] = {1, -1}"},
         "num_heads = 1",
         .want = "error: the mask's number 1 is -1, expected 0 to 1"},
        /* A mask by positions: query 0 stands behind the cache. */
        {"ms.Attention",
         {ONE, "_", "int32[1,1,2,2] = {1, 1, 0, 1}", "float[2,1,1,1,1] = {0, 5}"},
         "num_heads = 1",
         .want = "float[1,1,1] {1}"},
        {"ms.Attention",
         {"float[B,S,6]", "float[6,20]", "_", "_", "_"},
         "num_heads = 2, qkv_hidden_sizes = [4, 4, 12]",
         .want = "float[B,S,12]; float[2,B,2,S,2]",
         .outputs = 2},
        {"ms.Attention",
         {"float[2,3,6]", "float[6,10]"},
         "num_heads = 2",
         .want = "error: 3 columns of weights are not 2 heads"},
        {"ms.Attention",
         {"float[2,3,6]", "float[6,13]"},
         "num_heads = 2",
         .want = "error: the weights have 13 columns, expected 12"},
        {"ms.Attention",
         {"float[2,3,6]", "float[6,12]"},
         "num_heads = 2, qkv_hidden_sizes = [4, 2, 6]",
         .want = "error: queries have 4 columns of weights, keys 2"},
        {"ms.Attention",
         {"float[2,3,6]", "float[5,12]"},
         "num_heads = 2",
         .want = "error: input 1 has size 5 along dimension 0, expected 6"},
        {"ms.Attention",
         {"float[2,3,6]", "float[6,12]", "_", "int32[2,1,3,2]"},
         "num_heads = 2",
         .want = "error: the mask has 2 positions, expected 3 at least"},
        {"ms.Attention",
         {"float[2,3,6]", "float[6,12]"},
         "num_heads = 2, do_rotary = 1",
         .want = "error: do_rotary is 1, which needs RotaryEmbedding in front instead"},
        {"ms.QAttention",
         {"uint8[2,3,6]", "int8[6,12]", "float[12]", "float[]", "float[5]"},
         "num_heads = 2",
         .want = "error: input 4 has size 5 along dimension 0, expected 12"},
    };
    OP_CHECK(t, rows);
}

/* ---- GroupQueryAttention ---- */

/* One row of one head of two, on a cache of two rows of which one is valid. */
#define ROW  "float[1,1,2] = {0, 0}"
#define PAST "float[1,1,2,2] = {1, 2, 3, 4}"
#define STEP(last, total)                                                        \
    {                                                                            \
        ROW, ROW, "float[1,1,2] = {5, 6}", PAST, PAST, "int32[1] = {" #last "}", \
            "int32[] = {" #total "}"                                             \
    }
#define TURNED(position)                                                                        \
    {                                                                                           \
        ROW, ROW, ROW, PAST, PAST, "int32[1] = {1}", "int32[] = {2}", "float[3,1] = {1, 1, 1}", \
            "float[3,1] = {0, 0, 0}", "int64[1,1] = {" #position "}"                            \
    }
#define COUNTED(count)                                                                         \
    {                                                                                          \
        ROW, ROW, ROW, PAST, PAST, "int32[1] = {1}", "int32[] = {2}", "_", "_", "_", "_", "_", \
            "_", "_", "_", "_", "int32[1] = {" #count "}"                                      \
    }
#define HEADS "num_heads = 1, kv_num_heads = 1"

TEST(positions_in_caches_are_checked)
{
    static const OpRow rows[] = {
        {"ms.GroupQueryAttention", STEP(1, 2), HEADS,
         .want = "float[1,1,2] {3, 4}; float[1,1,2,2] {1, 2, 0, 0}; float[1,1,2,2] {1, 2, 5, 6}",
         .outputs = 3},
        {"ms.GroupQueryAttention", STEP(2, 3), HEADS,
         .want = "float[1,1,2] {3, 4}; float[1,1,3,2] {1, 2, 3, 4, 0, 0}; "
                 "float[1,1,3,2] {1, 2, 3, 4, 5, 6}",
         .outputs = 3},
        {"ms.GroupQueryAttention", STEP(-1, 2), HEADS,
         .want = "error: seqlens_k[0] is -1, expected 0 to 1"},
        {"ms.GroupQueryAttention", STEP(2, 2), HEADS,
         .want = "error: seqlens_k[0] is 2, expected 0 to 1"},
        {"ms.GroupQueryAttention", STEP(-2147483648, 2), HEADS,
         .want = "error: seqlens_k[0] is -2147483648, expected 0 to 1"},
        {"ms.GroupQueryAttention", STEP(1, 0), HEADS,
         .want = "error: total_sequence_length is 0, expected 1 to 3"},
        {"ms.GroupQueryAttention", STEP(1, 4), HEADS,
         .want = "error: total_sequence_length is 4, expected 1 to 3"},
        {"ms.GroupQueryAttention", STEP(1, 2147483647), HEADS,
         .want = "error: total_sequence_length is 2147483647, expected 1 to 3"},
        {"ms.GroupQueryAttention", STEP(1, -2147483648), HEADS,
         .want = "error: total_sequence_length is -2147483648, expected 1 to 3"},
        {"ms.GroupQueryAttention", TURNED(-1), HEADS ", do_rotary = 1",
         .want = "error: a row's position is -1, expected 0 to 2"},
        {"ms.GroupQueryAttention", TURNED(3), HEADS ", do_rotary = 1",
         .want = "error: a row's position is 3, expected 0 to 2"},
        {"ms.GroupQueryAttention", TURNED(-9223372036854775808), HEADS ", do_rotary = 1",
         .want = "error: a row's position is -9223372036854775808, expected 0 to 2"},
        {"ms.GroupQueryAttention", COUNTED(-1), HEADS,
         .want = "error: query_seqlens[0] is -1, expected 0 to 1"},
        {"ms.GroupQueryAttention", COUNTED(2), HEADS,
         .want = "error: query_seqlens[0] is 2, expected 0 to 1"},
        {"ms.GroupQueryAttention", COUNTED(-2147483648), HEADS,
         .want = "error: query_seqlens[0] is -2147483648, expected 0 to 1"},
    };
    OP_CHECK(t, rows);
}

TEST(caches_that_slide_and_norms)
{
#define SLIDING HEADS ", local_window_size = 2, sliding_window_cache = 1"
    static const OpRow rows[] = {
        /* Position 2 pushes position 0 out. */
        {"ms.GroupQueryAttention", STEP(2, 3), SLIDING,
         .want = "float[1,1,2] {4, 5}; float[1,1,2,2] {3, 4, 0, 0}; float[1,1,2,2] {3, 4, 5, 6}",
         .outputs = 3},
        {"ms.GroupQueryAttention", STEP(1, 2),
         HEADS ", local_window_size = 3, sliding_window_cache = 1",
         .want = "error: the cache has 2 rows for a window of 3"},
        {"ms.GroupQueryAttention", STEP(2, 2), SLIDING,
         .want = "error: seqlens_k[0] is 2, expected 0 to 1"},
        /* Keys of (3, 4) have a mean square of 12.5, and are weighed. */
        {"ms.GroupQueryAttention",
         {"float[1,1,2] = {3, 4}", "float[1,1,2] = {3, 4}", ROW, "_", "_", "int32[1] = {0}",
          "int32[] = {1}", "_", "_", "_", "_", "_", "_", "_", "float[2] = {1, 1}",
          "float[2] = {1, 2}"},
         HEADS ", qk_norm_epsilon = 12.5",
         .want = "float[1,1,2] {0, 0}; float[1,1,1,2] {0.6, 1.6}",
         .outputs = 2},
    };
    OP_CHECK(t, rows);
}

TEST(grouped_shapes_that_do_not_fit_are_refused)
{
#define LENGTHS "int32[2]", "int32[]"
    static const OpRow rows[] = {
        {"ms.GroupQueryAttention",
         {"float[B,S,32]", "_", "_", "float[B,2,P,4]", "float[B,2,P,4]", "int32[B]", "int32[]"},
         "num_heads = 4, kv_num_heads = 2",
         .want = "float[B,S,16]; float[B,2,max(P, ?0),4]; float[B,2,max(P, ?0),4]",
         .outputs = 3},
        {"ms.GroupQueryAttention",
         {"float[2,1,16]", "float[2,1,8]", "float[2,1,8]", "_", "_", LENGTHS},
         "num_heads = 4, kv_num_heads = 3",
         .want = "error: 4 heads of queries cannot share 3 heads of keys"},
        {"ms.GroupQueryAttention",
         {"float[2,1,16]", "float[2,3,8]", "float[2,3,8]", "_", "_", LENGTHS},
         "num_heads = 4, kv_num_heads = 2",
         .want = "error: input 1 has size 3 along dimension 1, expected 1"},
        {"ms.GroupQueryAttention",
         {"float[2,1,16]", "float[2,1,8]", "_", "_", "_", LENGTHS},
         "num_heads = 4, kv_num_heads = 2",
         .want = "error: has one of key and value, expected both or none"},
        {"ms.GroupQueryAttention",
         {"float[2,1,16]", "float[2,1,8]", "float[2,1,8]", "float[2,2,9,3]", "float[2,2,9,4]",
          LENGTHS},
         "num_heads = 4, kv_num_heads = 2",
         .want = "error: input 3 has size 3 along dimension 3, expected 4"},
        {"ms.GroupQueryAttention",
         {"float[2,1,16]", "float[2,1,8]", "float[2,1,8]", "_", "_", LENGTHS},
         "num_heads = 4, kv_num_heads = 2, do_rotary = 1",
         .want = "error: do_rotary is 1, which needs cos_cache and sin_cache"},
        {"ms.GroupQueryAttention",
         {"float[2,1,16]", "float[2,1,8]", "float[2,1,8]", "int8[2,2,9,4]", "int8[2,2,9,4]",
          LENGTHS},
         "num_heads = 4, kv_num_heads = 2",
         .want = "error: a cache of int8 needs k_scale and v_scale"},
        {"ms.GroupQueryAttention",
         {"float[2,1,16]", "float[2,1,8]", "float[2,1,8]", "uint8[2,2,9,2]", "uint8[2,2,9,2]",
          LENGTHS, "_", "_", "_", "_", "_", "float[1]", "float[1]"},
         "num_heads = 4, kv_num_heads = 2, kv_cache_bit_width = 8",
         .want = "error: kv_cache_bit_width is 8 for a cache of uint8"},
        {"ms.GroupQueryAttention",
         {"float[2,1,16]", "float[2,1,8]", "float[2,1,8]", "_", "_", LENGTHS},
         "num_heads = 4, kv_num_heads = 2, causal = 0, local_window_size = 3",
         .want = "error: local_window_size is 3, expected -1 where causal is 0"},
        {"ms.GroupQueryAttention",
         {"float[2,1,16]", "float[2,1,8]", "float[2,1,8]", "_", "_", LENGTHS},
         "num_heads = 4, kv_num_heads = 2, sliding_window_cache = 1, local_window_size = 3",
         .want = "error: sliding_window_cache needs local_window_size and a cache"},
        {"ms.GroupQueryAttention",
         {"float[2,1,16]", "float[2,1,8]", "float[2,1,8]", "_", "_", "int32[3]", "int32[]"},
         "num_heads = 4, kv_num_heads = 2",
         .want = "error: input 5 has size 3 along dimension 0, expected 2"},
        {"ms.GroupQueryAttention",
         {"float[2,1,16]", "float[2,1,8]", "float[2,1,8]", "_", "_", LENGTHS},
         "num_heads = 4, kv_num_heads = 2, qk_output = 3",
         .want = "error: qk_output is 3, expected 0 to 2"},
    };
    OP_CHECK(t, rows);
}

/* ---- SparseAttention ---- */

/* Two blocks of one position each; the second sees both. */
#define LAYOUT(end, column, total, length)                                              \
    {                                                                                   \
        ROW, ROW, "float[1,1,2] = {5, 6}", PAST, PAST, "int32[1,3] = {0, 1, " #end "}", \
            "int32[1,3] = {0, 0, " #column "}", "int32[1] = {" #total "}",              \
            "int32[1] = {" #length "}"                                                  \
    }
#define BLOCKS HEADS ", sparse_block_size = 1"

TEST(block_layouts_are_checked)
{
    static const OpRow rows[] = {
        {"ms.SparseAttention", LAYOUT(3, 1, 2, 2), BLOCKS, .want = "float[1,1,2] {3, 4}"},
        {"ms.SparseAttention", LAYOUT(2, 1, 2, 2), BLOCKS, .want = "float[1,1,2] {1, 2}"},
        {"ms.SparseAttention", LAYOUT(4, 1, 2, 2), BLOCKS,
         .want = "error: block_row_indices[0, 2] is 4, expected 1 to 3"},
        {"ms.SparseAttention", LAYOUT(-1, 1, 2, 2), BLOCKS,
         .want = "error: block_row_indices[0, 2] is -1, expected 1 to 3"},
        {"ms.SparseAttention", LAYOUT(3, 2, 2, 2), BLOCKS,
         .want = "error: block_col_indices[0, 2] is 2, expected 0 to 1"},
        {"ms.SparseAttention", LAYOUT(3, -2147483648, 2, 2), BLOCKS,
         .want = "error: block_col_indices[0, 2] is -2147483648, expected 0 to 1"},
        {"ms.SparseAttention", LAYOUT(3, 1, 3, 2), BLOCKS,
         .want = "error: total_sequence_length is 3, expected 1 to 2"},
        {"ms.SparseAttention", LAYOUT(3, 1, -1, 2), BLOCKS,
         .want = "error: total_sequence_length is -1, expected 1 to 2"},
        {"ms.SparseAttention", LAYOUT(3, 1, 2, 3), BLOCKS,
         .want = "error: key_total_sequence_lengths[0] is 3, expected 1 to 2"},
        {"ms.SparseAttention", LAYOUT(3, 1, 2, -2147483648), BLOCKS,
         .want = "error: key_total_sequence_lengths[0] is -2147483648, expected 1 to 2"},
        {"ms.SparseAttention", LAYOUT(3, 1, 2, 2), HEADS ", sparse_block_size = 0",
         .want = "error: sparse_block_size is 0, expected 1 to 1048576"},
    };
    OP_CHECK(t, rows);
}

TEST_MAIN(CASE(lengths_of_buffers_and_masks_are_checked),
          CASE(multi_head_shapes_that_do_not_fit_are_refused),
          CASE(projections_that_do_not_fit_are_refused), CASE(positions_in_caches_are_checked),
          CASE(caches_that_slide_and_norms), CASE(grouped_shapes_that_do_not_fit_are_refused),
          CASE(block_layouts_are_checked))
