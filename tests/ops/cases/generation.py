# SPDX-License-Identifier: Apache-2.0
"""Generation loops of com.microsoft around tiny decoders: one prompt each, since ONNX Runtime mixes those of a batch."""
import sys
from pathlib import Path

import numpy as np
import onnx

from cases.case import Case

sys.path.append(str(Path(__file__).resolve().parents[2]))
from generation import FLOATS, WIDTH, WORDS, decoder, encoder, gpt_decoder, model  # noqa: E402

END, PAD = 3, 1
PROMPT = np.array([[PAD, 17, 9, 20, 6]], np.int32)
FEATURES = np.random.default_rng(6).normal(0, 1, (1, WIDTH, 6)).astype(np.float32)


def case(name, op, feed, outputs=1, attributes=(), **parameters):
    """`parameters`: scalars, as arrays of one element; `attributes`: beyond the two tokens, graphs among them."""
    feed = feed | {key: np.array([value], np.float32 if key in FLOATS else np.int32) for key, value in parameters.items()}
    made = onnx.ModelProto.FromString(model(op, feed, outputs, **({"eos_token_id": END, "pad_token_id": PAD} | dict(attributes))))
    made.producer_name = "quern"
    return Case(name, made, [feed[value.name] for value in made.graph.input], bounds={"rtol": 1e-3, "atol": 1e-4})


GPT = {"decoder": gpt_decoder("decoder", 7)}
T5 = {"model_type": 1, "decoder_start_token_id": 2}
WHISPER = {"model_type": 2, "eos_token_id": 8, "pad_token_id": 8, "decoder_start_token_id": 9, "translate_token_id": 10,
           "transcribe_token_id": 11, "start_of_lm_token_id": 12, "no_timestamps_token_id": 13,
           "beginning_timestamp_token_id": 14, "encoder": encoder(3, 3, whisper=True), "decoder": decoder(3, whisper=True)}
IDS = {"input_ids": PROMPT}
MASKS = {"vocab_mask": (np.arange(WORDS) % 3 > 0).astype(np.int32),
         "prefix_vocab_mask": (np.arange(WORDS)[None] % 5 > 1).astype(np.int32),
         "attention_mask": np.array([[0, 1, 1, 0, 1]], np.int32)}

CASES = [
    case("beam_search", "BeamSearch", IDS, 2, GPT, max_length=14, min_length=0, num_beams=4, num_return_sequences=3,
         length_penalty=1.0),
    case("beam_search_parameters", "BeamSearch", IDS | MASKS, 2, GPT | {"early_stopping": 1, "no_repeat_ngram_size": 2},
         max_length=16, min_length=11, num_beams=3, num_return_sequences=3, length_penalty=0.4, repetition_penalty=1.3),
    case("beam_search_init_decoder", "BeamSearch", IDS, 2, GPT | {"init_decoder": gpt_decoder("init_decoder", 8)},
         max_length=12, min_length=0, num_beams=2, num_return_sequences=2, length_penalty=1.0),
    case("beam_search_t5", "BeamSearch", IDS, 2, T5 | {"encoder": encoder(9, 10), "decoder": decoder(10, hidden=True)},
         max_length=12, min_length=0, num_beams=3, num_return_sequences=2, length_penalty=2.0),
    case("beam_search_t5_no_first_step", "BeamSearch", IDS, 2,
         T5 | {"encoder": encoder(11, 12, takes_step=False), "decoder": decoder(12)},
         max_length=12, min_length=0, num_beams=3, num_return_sequences=2, length_penalty=1.0),
    case("greedy_search", "GreedySearch", IDS, 1, GPT, max_length=14, min_length=14),
    case("greedy_search_parameters", "GreedySearch", IDS | MASKS, 1, GPT, max_length=14, min_length=14,
         repetition_penalty=1.4),
    case("sampling", "Sampling", IDS, 1, GPT | {"top_p": 0.8, "temperature": 1.3}, max_length=14, min_length=14, seed=5),
    case("sampling_custom", "Sampling", IDS, 1, GPT | {"top_p": 0.6, "custom": 1}, max_length=14, min_length=14, seed=6),
    case("whisper_times", "WhisperBeamSearch",
         {"input_ids": FEATURES, "decoder_input_ids": np.array([[9, 11]], np.int32)}, 2, WHISPER, max_length=12,
         min_length=0, num_beams=3, num_return_sequences=2, length_penalty=1.0, repetition_penalty=1.0,
         logits_processor=1),
]
