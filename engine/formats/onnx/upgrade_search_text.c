/* SPDX-License-Identifier: Apache-2.0 */
/* The glue of generation loops, in the language of body.h: what stands in front of the first call,
 * between calls, and behind the last one. */
#include "engine/formats/onnx/upgrade_search.h"

/* clang-format off */

#define SEARCH(mask) \
    "rows, sequences, beam_scores, found, found_scores, progress, length, steps = " \
    "SearchStart(tokens, max_length, num_beams, " mask ") {pad_token_id = @pad_token_id}\n" \
    "prompt = length; count = Shape(rows)\n"
#define START_TOKEN \
    "batch = Shape(input_ids) {start = 0, end = 1}; dims = Concat(batch, [1]) {axis = 0}\n" \
    "token = Cast(@decoder_start_token_id) {to = 6}; tokens = Expand(token, dims)\n"
#define WORDS \
    "pad = Cast(@pad_token_id) {to = 6}; is_pad = Equal(input_ids, pad); is_word = Not(is_pad)\n" \
    "word = Cast(is_word) {to = 6}\n"

/* In front of the first call.  Padding has position 0, and counts neither as seen nor as a token
 * that comes before another. */
const char *const onnx_search_start[SEARCH_MODEL_COUNT] = {
    [SEARCH_GPT] =
        "tokens = input_ids\n" SEARCH("attention_mask") WORDS
        "[!attention_mask] attention_mask = word\n"
        "before = CumSum(word, 1) {exclusive = 1}; position_ids = Mul(before, word)\n"
        "next_position = ReduceSum(word, [1]) {keepdims = 1}\n"
        "[num_beams] input_ids = Gather(input_ids, rows)\n"
        "[num_beams] attention_mask = Gather(attention_mask, rows)\n"
        "[num_beams] position_ids = Gather(position_ids, rows)\n"
        "[num_beams] next_position = Gather(next_position, rows)\n"
        "one = Cast(1) {to = 6}; dims = Concat(count, [1]) {axis = 0}; column = Expand(one, dims)\n"
        "room = Concat([2], count, heads, [0], head_size) {axis = 0}; past = Expand(zero, room)\n"
        "[seed] generator = Cast(seed) {to = 7}; [seed] generator = Reshape(generator, [1])",
    /* Only padding on the left is hidden: the token that ends a text may be the padding token. */
    [SEARCH_T5] =
        START_TOKEN SEARCH("_") WORDS
        "[!attention_mask] seen = CumSum(word, 1); [!attention_mask] attention_mask = Sign(seen)\n"
        "encoder_input_ids = input_ids; encoder_attention_mask = attention_mask\n"
        "decoder_input_ids = tokens\n"
        "room = Concat(count, heads, [0], head_size) {axis = 0}; past = Expand(zero, room)",
    [SEARCH_WHISPER] =
        "[decoder_input_ids] tokens = decoder_input_ids\n"
        "[!decoder_input_ids] batch = Shape(input_ids) {start = 0, end = 1}\n"
        "[!decoder_input_ids] dims = Concat(batch, [1]) {axis = 0}\n"
        "[!decoder_input_ids] token = Cast(@decoder_start_token_id) {to = 6}\n"
        "[!decoder_input_ids] tokens = Expand(token, dims)\n" SEARCH("_")
        "encoder_input_ids = input_ids; decoder_input_ids = tokens"};

/* Behind the encoder: a row for each beam. */
const char onnx_search_expand[] =
    "[encoder_attention_mask] encoder_attention_mask = Gather(encoder_attention_mask, rows)\n"
    "[encoder_hidden_states] encoder_hidden_states = Gather(encoder_hidden_states, rows)\n"
    "input_ids = Gather(tokens, rows)";

#define COMMON \
    "eos_token_id = @eos_token_id, pad_token_id = @pad_token_id, " \
    "no_repeat_ngram_size = @no_repeat_ngram_size, vocab_size = @vocab_size"

const char onnx_search_beam[] =
    "input_ids, picks, sequences, beam_scores, found, found_scores, progress, goes_on, all_scores = "
    "BeamStep(logits, length, prompt, sequences, progress, min_length, repetition_penalty, "
    "vocab_mask, prefix_vocab_mask, beam_scores, found, found_scores, length_penalty, temperature, "
    "logits_processor) {" COMMON ", early_stopping = @early_stopping, has_times = @has_times, "
    "decoder_start_token_id = @decoder_start_token_id, translate_token_id = @translate_token_id, "
    "transcribe_token_id = @transcribe_token_id, start_of_lm_token_id = @start_of_lm_token_id, "
    "no_timestamps_token_id = @no_timestamps_token_id, "
    "beginning_timestamp_token_id = @beginning_timestamp_token_id}";

#define TOKEN "TokenStep(logits, length, prompt, sequences, progress, min_length, " \
    "repetition_penalty, vocab_mask, prefix_vocab_mask"

const char onnx_search_greedy[] =
    "input_ids, sequences, progress, goes_on = " TOKEN ") {" COMMON "}";

#define DRAWN "{" COMMON ", is_sampled = 1, custom = @custom, temperature = @temperature, " \
    "top_p = @top_p, filter_value = @filter_value, min_tokens_to_keep = @min_tokens_to_keep, " \
    "presence_penalty = @presence_penalty}"

const char onnx_search_sampling[] =
    "[!seed] input_ids, sequences, progress, goes_on = " TOKEN ", presence_mask) " DRAWN "\n"
    "[seed] input_ids, sequences, progress, goes_on, generator = " TOKEN
    ", presence_mask, generator) " DRAWN;

/* Behind a step: what the next call takes. */
static const char next_of_gpt[] =
    "position_ids = next_position; next_position = Add(next_position, one)\n"
    "attention_mask = Concat(attention_mask, column) {axis = 1}; length = Add(length, 1)";
static const char next_of_encoded[] = "length = Add(length, 1)";
const char *const onnx_search_next[SEARCH_MODEL_COUNT] = {[SEARCH_GPT] = next_of_gpt,
                                                          [SEARCH_T5] = next_of_encoded,
                                                          [SEARCH_WHISPER] = next_of_encoded};

/* In front of a decoder that takes all tokens so far. */
const char onnx_search_sequence[] =
    "end = Unsqueeze(length, [0]); input_ids = Slice(sequences, [0], end, [1])";

const char onnx_search_beam_end[] =
    "sequences, sequences_scores = BeamEnd(sequences, beam_scores, found, found_scores, progress, "
    "num_return_sequences, length_penalty) {pad_token_id = @pad_token_id}\n"
    "[length_penalty] sequences_scores = CastLike(sequences_scores, length_penalty)";

/* The scores of all steps: of those that were not needed, zeros.  A loop that made no step does not
 * know the shape of its scores either. */
const char onnx_search_all_scores[] =
    "[first_scores] item = Shape(first_scores); [!first_scores] item = Shape(all_scores) {start = 1}\n"
    "total = Reshape(steps, [1]); wanted = Concat(total, item) {axis = 0}\n"
    "made = Shape(all_scores); missing = Sub(wanted, made)\n"
    "pads = Concat([0, 0, 0, 0], missing) {axis = 0}; scores = Pad(all_scores, pads)\n"
    "[first_scores] first = Unsqueeze(first_scores, [0])\n"
    "[first_scores] scores = Concat(first, scores) {axis = 0}\n"
    "[length_penalty] scores = CastLike(scores, length_penalty)";

/* clang-format on */

/* What a text may ask for although the operator has no such input. */
const char *const onnx_search_parameters[] = {"num_beams",
                                              "num_return_sequences",
                                              "min_length",
                                              "length_penalty",
                                              "repetition_penalty",
                                              "vocab_mask",
                                              "prefix_vocab_mask",
                                              "attention_mask",
                                              "decoder_input_ids",
                                              "logits_processor",
                                              "presence_mask",
                                              "seed",
                                              "temperature",
                                              "generator",
                                              "encoder_attention_mask",
                                              "encoder_hidden_states",
                                              "first_scores",
                                              "past"};
const int onnx_search_parameter_count = (int)QN_COUNT_OF(onnx_search_parameters);
