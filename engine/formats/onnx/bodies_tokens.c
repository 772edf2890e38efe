/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What transformers of com.microsoft do with tokens besides products: biases by the distance of
 * two, words from their characters, and batches without the padding behind each sequence.
 */
#include "engine/formats/onnx/upgrade.h"

#define MS "com.microsoft", 1, 1, NULL

/* Rows x [tokens, ...] where token_offset [batch, length] wants the first of them, to
 * [batch, length, ...] with zeros for padding. */
#define PADDED(x)                                                                          \
    "t = Shape(" x ") {end = 1}; row = Shape(" x ") {start = 1}; n = Size(token_offset)\n" \
    "n = Reshape(n, [1]); shape = Concat(n, row) {axis = 0}; zeros = CastLike(0, " x ")\n" \
    "zeros = Expand(zeros, shape); ids = Cast(token_offset) {to = 7}\n"                    \
    "ids = Reshape(ids, [-1]); ids = Slice(ids, [0], t); at = Unsqueeze(ids, [1])\n"       \
    "full = ScatterND(zeros, at, " x "); shape = Shape(token_offset)\n"                    \
    "shape = Concat(shape, row) {axis = 0}; " x " = Reshape(full, shape) {allowzero = 1}\n"

/* How many tokens each sequence has. */
#define LENGTHS                                                   \
    "to = Slice(cumulative_sequence_length, [1], [2147483647])\n" \
    "from = Slice(cumulative_sequence_length, [0], [-1]); lengths = Sub(to, from)\n"

/* The rows y [batch, length, width] of the tokens, in their order. */
#define PACKED                                                                \
    "width = Shape(y) {start = -1}; shape = Concat([-1], width) {axis = 0}\n" \
    "y = Reshape(y, shape); output = Gather(y, ids)"

/* clang-format off */
const OnnxUpgradeRow onnx_bodies_tokens[] = {
    {"GatedRelativePositionBias", MS, "a gate of each query, times the bias",
        "x = query_layer\n"
        "[token_offset] refuse \"the input token_offset\" \"queries with their padding\"\n"
        "x = Add(x, query_bias); lead = Shape(x) {end = 2}; heads = Reshape(@num_heads, [1])\n"
        "shape = Concat(lead, heads, [-1]) {axis = 0}; x = Reshape(x, shape)\n"
        "x = Transpose(x) {perm = [0, 2, 1, 3]}; x = MatMul(x, weight); x = Add(x, bias)\n"
        "lead = Shape(x) {end = 3}; shape = Concat(lead, [2, -1]) {axis = 0}\n"
        "x = Reshape(x, shape); x = ReduceSum(x, [-1]) {keepdims = 0}; x = Sigmoid(x)\n"
        "u, r = Split(x) {axis = -1, num_outputs = 2}\n"
        "r = Mul(r, eco_a); r = Sub(r, 1.0); u = Mul(u, r); u = Add(u, 2.0)\n"
        "output = Mul(u, rel_pos)"},
    {"PackedAttention", MS, "Attention with the padding restored",
        "x = MatMul(input, weights); x = Add(x, bias)\n"
        "[@qkv_hidden_sizes] q, k, v = Split(x, @qkv_hidden_sizes) {axis = -1}\n"
        "[!@qkv_hidden_sizes] q, k, v = Split(x) {axis = -1, num_outputs = 3}\n"
        PADDED("q") PADDED("k") PADDED("v")
        LENGTHS
        "y = MultiHeadAttention(q, k, v, _, lengths, attention_bias) {*}\n"
        PACKED},
    {"PackedMultiHeadAttention", MS, "MultiHeadAttention with the padding restored",
        "[!key] refuse \"packed query, key and value\" \"three inputs\"\n"
        PADDED("key") PADDED("value") PADDED("query")
        LENGTHS
        "y = MultiHeadAttention(query, key, value, bias, lengths, attention_bias) {*}\n"
        PACKED},
    {"RelativePositionBias", MS, "a row of the table for each distance, of rising width",
        /* The table lies in memory with the buckets of a head side by side. */
        "buckets = Shape(bias_table) {end = 1}; heads = Shape(bias_table) {start = 1}\n"
        "shape = Concat(heads, buckets) {axis = 0}; table = Reshape(bias_table, shape)\n"
        "q = Cast(query_length) {to = 7}; q = Reshape(q, [])\n"
        "k = Cast(key_length) {to = 7}; k = Reshape(k, [])\n"
        "rows = Range(0, q, 1); rows = Unsqueeze(rows, [1]); columns = Range(0, k, 1)\n"
        "far = Sub(columns, rows); n = buckets\n"
        "[@is_bidirectional] n = Div(n, 2); [@is_bidirectional] ahead = Greater(far, 0)\n"
        "[@is_bidirectional] ahead = Cast(ahead) {to = 7}; [@is_bidirectional] far = Abs(far)\n"
        "[!@is_bidirectional] far = Neg(far); [!@is_bidirectional] far = Max(far, 0)\n"
        "exact = Div(n, 2); rest = Sub(n, exact); last = Sub(n, 1)\n"
        "unit = Cast(exact) {to = 1}; most = Cast(@max_distance) {to = 1}; most = Div(most, unit)\n"
        "most = Log(most); x = Max(far, exact); x = Cast(x) {to = 1}; x = Div(x, unit)\n"
        "x = Log(x); x = Div(x, most); rest = Cast(rest) {to = 1}; x = Mul(x, rest)\n"
        "x = Cast(x) {to = 7}; x = Add(x, exact); x = Min(x, last)\n"
        "near = Less(far, exact); bucket = Where(near, far, x)\n"
        "[@is_bidirectional] ahead = Mul(ahead, n)\n"
        "[@is_bidirectional] bucket = Add(bucket, ahead)\n"
        "y = Gather(table, bucket) {axis = 1}; output = Unsqueeze(y, [0])"},
    {"RemovePadding", MS, "Gather of the tokens that count",
        "n = Shape(input) {start = 1, end = 2}; n = Reshape(n, []); at = Range(0, n, 1)\n"
        "counts = Cast(sequence_token_count) {to = 7}; column = Unsqueeze(counts, [1])\n"
        "keep = Less(at, column); shape = Shape(keep); keep = Reshape(keep, [-1])\n"
        "ids = NonZero(keep); ids = Squeeze(ids, [0]); rest = Not(keep)\n"
        "rest = NonZero(rest); rest = Squeeze(rest, [0]); all = Concat(ids, rest) {axis = 0}\n"
        "all = Reshape(all, shape); token_offset = Cast(all) {to = 6}\n"
        "ends = CumSum(counts, 0); ends = Concat([0], ends) {axis = 0}\n"
        "cumulated_seq_len = Cast(ends) {to = 6}\n"
        "most = ReduceMax(counts, [0]); max_seq_len = Cast(most) {to = 6}; y = input\n"
        PACKED},
    {"RestorePadding", MS, "ScatterND into zeros",
        PADDED("input")
        "output = input"},
    {"WordConvEmbedding", MS, "Conv over characters, and the best window of each word",
        "x = Gather(C, Sequence); x = Unsqueeze(x, [1]); y = Conv(x, W, B); y = Tanh(y)\n"
        "y = Squeeze(y, [3]); width = Shape(W) {start = 2, end = 3}; zero = CastLike(0, Sequence)\n"
        "real = Greater(Sequence, zero); real = Cast(real) {to = 7}\n"
        "count = ReduceSum(real, [1]); count = Max(count, width); last = Sub(count, width)\n"
        "n = Shape(y) {start = 2}; n = Reshape(n, []); at = Range(0, n, 1)\n"
        "is_within = LessOrEqual(at, last); is_within = Unsqueeze(is_within, [1])\n"
        "least = CastLike(-1.0, y); y = Where(is_within, y, least); Y = ReduceMax(y, [2]) {keepdims = 0}"},
    {0},
};
/* clang-format on */
