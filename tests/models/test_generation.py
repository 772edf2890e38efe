# SPDX-License-Identifier: Apache-2.0
"""Generation loops beside ONNX Runtime: the same tokens, and the same scores but for rounding."""
import generation
import numpy as np
import pytest
from generation import WORDS, decoder, encoder, gpt_decoder
from onnx import helper
from oracle import onnx_runtime, run_named

quern = pytest.importorskip("quern")

END, PAD = 3, 1
PER_ITEM = {"input_ids", "prefix_vocab_mask", "attention_mask", "decoder_input_ids", "presence_mask"}


def numbers(**given):
    """Scalars as the operators take them: arrays of one element."""
    return {name: np.array([value], np.float32 if name in generation.FLOATS else np.int32) for name, value in given.items()}


def prompts(batch, length=5, padding=0, seed=0):
    """Tokens; the first `padding` ones of the last prompt are padding."""
    tokens = np.random.default_rng(seed).integers(4, WORDS, (batch, length)).astype(np.int32)
    tokens[-1, :padding] = PAD
    return {"input_ids": tokens}


def one_by_one(session, feed, batch):
    """What ONNX Runtime gives for each item alone: in a batch, when a search is over depends on the item before."""
    rows = [run_named(session, {name: value[i:i + 1] if name in PER_ITEM else value for name, value in feed.items()})
            for i in range(batch)]
    return {name: np.concatenate([row[name] for row in rows], axis=1 if name == "scores" else 0) for name in rows[0]}


def check_scores(got, want):
    """Scores of all steps; what ONNX Runtime leaves behind the last step of an item is any memory."""
    assert got.shape == want.shape
    made = np.abs(got).max((2, 3)) > 0
    assert made[0].all() and (made[:-1] | ~made[1:]).all()
    np.testing.assert_allclose(got[made], want[made], rtol=1e-4, atol=1e-3)


def check(op, feed, outputs=1, fixed=(), **attributes):
    """Both engines give the same.  Returns the sequences."""
    attributes = {"eos_token_id": END, "pad_token_id": PAD, **attributes}
    if "Beam" in op:  # ONNX Runtime wants these, although they are optional
        feed = numbers(min_length=0, length_penalty=1.0) | feed
    made = generation.model(op, feed, outputs, fixed, **attributes)
    feed = {name: value for name, value in feed.items() if name not in fixed}
    got = run_named(quern.InferenceSession(made), feed)
    want = one_by_one(onnx_runtime(made), feed, len(feed["input_ids"]))
    sequences = got["sequences"]
    end = sequences.shape[-1]
    if "Beam" not in op:  # behind the end, ONNX Runtime leaves any memory
        end = np.flatnonzero((sequences != PAD).any(0))[-1] + 2
        assert (sequences[:, end:] == PAD).all()
        want["sequences"] = np.where(sequences == PAD, PAD, want["sequences"])
    np.testing.assert_array_equal(sequences[..., :end], want["sequences"][..., :end])
    if outputs > 1:
        np.testing.assert_allclose(got["sequences_scores"], want["sequences_scores"], atol=1e-4)
    if outputs > 2:
        check_scores(got["scores"], want["scores"])
    return sequences


# --- beams of a decoder alone ---

@pytest.mark.parametrize("batch", [1, 2, 3])
@pytest.mark.parametrize("beams", [1, 2, 4])
def test_beams_find_the_same_sequences(batch, beams):
    for seed in range(4):
        feed = prompts(batch, seed=seed) | numbers(max_length=14, num_beams=beams, num_return_sequences=beams)
        check("BeamSearch", feed, 2, decoder=gpt_decoder("decoder", seed))


PARAMETERS = [
    {"length_penalty": 0.3}, {"length_penalty": 2.5}, {"repetition_penalty": 1.4}, {"repetition_penalty": 0.7},
    {"min_length": 12}, {"length_penalty": -1.0, "min_length": 9, "repetition_penalty": 1.2},
]


@pytest.mark.parametrize("parameters", PARAMETERS)
@pytest.mark.parametrize("early_stopping", [0, 1])
def test_parameters_of_a_beam_search(parameters, early_stopping):
    for seed in range(3):
        feed = prompts(2, seed=seed) | numbers(max_length=16, num_beams=3, num_return_sequences=2, **parameters)
        check("BeamSearch", feed, 2, early_stopping=early_stopping, decoder=gpt_decoder("decoder", seed))


@pytest.mark.parametrize("size", [1, 2, 3])
def test_no_ngram_comes_twice(size):
    feed = prompts(2) | numbers(max_length=14, num_beams=2, num_return_sequences=1)
    found = check("BeamSearch", feed, no_repeat_ngram_size=size, decoder=gpt_decoder("decoder", 5))
    for row in found.reshape(2, -1):
        for end in range(max(size, 6), len(row) + 1):
            here = list(row[end - size:end])
            earlier = [list(row[i:i + size]) for i in range(end - size)]
            assert PAD in here or here not in earlier


def test_masks_of_the_vocabulary():
    rng = np.random.default_rng(8)
    masks = {"vocab_mask": (rng.random(WORDS) < 0.5).astype(np.int32),
             "prefix_vocab_mask": (rng.random((2, WORDS)) < 0.3).astype(np.int32)}
    feed = prompts(2) | numbers(max_length=12, min_length=7, num_beams=3, num_return_sequences=3)
    for names in [["vocab_mask"], ["prefix_vocab_mask"], list(masks)]:
        check("BeamSearch", feed | {name: masks[name] for name in names}, 2, decoder=gpt_decoder("decoder", 9))


@pytest.mark.parametrize("beams", [1, 3])
def test_padding_has_no_place(beams):
    feed = prompts(3, padding=2) | numbers(max_length=12, num_beams=beams, num_return_sequences=beams)
    check("BeamSearch", feed, 2, decoder=gpt_decoder("decoder", 10))
    mask = np.ones((3, 5), np.int32)
    mask[0, 1] = mask[2, :3] = 0
    check("BeamSearch", feed | {"attention_mask": mask}, 2, decoder=gpt_decoder("decoder", 10))


def test_the_first_call_may_have_a_decoder_of_its_own():
    feed = prompts(2, padding=1) | numbers(max_length=12, num_beams=3, num_return_sequences=2)
    graphs = {"init_decoder": gpt_decoder("init_decoder", 11), "decoder": gpt_decoder("decoder", 12)}
    check("BeamSearch", feed, 3, **graphs)
    greedy = prompts(2, padding=1) | numbers(max_length=12)
    check("GreedySearch", greedy, **graphs)


def test_graphs_inside_a_decoder_keep_their_names():
    """A branch reads a value of the decoder, and has another of its own by the name of one in the decoder."""
    graph = gpt_decoder("decoder", 6)
    made = graph.node[0].output[0]
    for node in graph.node:
        node.output[:] = ["inner" if name == "logits" else name for name in node.output]
    nodes = [helper.make_node("Neg", ["inner"], [made]), helper.make_node("Neg", [made], ["branch_result"])]
    result = helper.make_tensor_value_info("branch_result", generation.FLOAT, None)
    branches = {f"{kind}_branch": helper.make_graph(nodes, kind, [], [result]) for kind in ("then", "else")}
    graph.node.extend([helper.make_node("Size", ["past_0"], ["past_size"]),
                       helper.make_node("Cast", ["past_size"], ["is_later"], to=9),
                       helper.make_node("If", ["is_later"], ["logits"], **branches)])
    feed = prompts(2) | numbers(max_length=12, min_length=0, num_beams=2, num_return_sequences=2, length_penalty=1.0)
    options = {"eos_token_id": END, "pad_token_id": PAD}
    sequences = [quern.InferenceSession(generation.model("BeamSearch", feed, **options, decoder=one)).run(None, feed)[0]
                 for one in (graph, gpt_decoder("decoder", 6))]
    np.testing.assert_array_equal(*sequences)


def test_states_may_be_of_half_size():
    """ONNX Runtime has no such kernel on a CPU; the states pass float16 here, and the choices are far apart."""
    feed = prompts(2) | numbers(max_length=12, num_beams=2, num_return_sequences=2)
    sequences = [quern.InferenceSession(generation.model("BeamSearch", feed, eos_token_id=END, pad_token_id=PAD,
                                                         decoder=gpt_decoder("decoder", 4, half=half))).run(None, feed)[0]
                 for half in (False, True)]
    np.testing.assert_array_equal(*sequences)


@pytest.mark.parametrize("seed", range(4))
def test_scores_of_every_step(seed):
    feed = prompts(2, seed=seed) | numbers(max_length=13, num_beams=2, num_return_sequences=2, repetition_penalty=1.1)
    check("BeamSearch", feed, 3, decoder=gpt_decoder("decoder", seed))


def test_parameters_may_be_constants():
    feed = prompts(2) | numbers(max_length=12, num_beams=2, num_return_sequences=2, length_penalty=0.8)
    check("BeamSearch", feed, 3, fixed=("max_length", "num_beams", "num_return_sequences"), decoder=gpt_decoder("decoder", 2))


def test_two_hundred_tokens(monkeypatch):
    monkeypatch.setattr(generation, "LONGEST", 210)
    graph = gpt_decoder("decoder", 1)
    check("GreedySearch", prompts(2) | numbers(max_length=200, min_length=200), decoder=graph)
    check("BeamSearch", prompts(1) | numbers(max_length=200, min_length=200, num_beams=3, num_return_sequences=3), 2, decoder=graph)


# --- one token at a time ---

@pytest.mark.parametrize("seed", range(6))
def test_greedy_search(seed):
    feed = prompts(3, padding=1, seed=seed) | numbers(max_length=15)
    check("GreedySearch", feed, decoder=gpt_decoder("decoder", seed))
    check("GreedySearch", feed | numbers(min_length=11, repetition_penalty=1.3), decoder=gpt_decoder("decoder", seed))


DRAWING = [{"top_p": 0.99}, {"top_p": 0.7}, {"top_p": 0.7, "min_tokens_to_keep": 3}, {"custom": 1, "top_p": 0.6},
           {"temperature": 1.7, "top_p": 0.9}, {"temperature": 0.4, "no_repeat_ngram_size": 2, "top_p": 0.8}]


@pytest.mark.parametrize("attributes", DRAWING)
def test_a_seed_draws_the_same_tokens(attributes):
    for seed in range(6):
        feed = prompts(1, seed=seed) | numbers(max_length=15, seed=10 + seed)
        check("Sampling", feed, decoder=gpt_decoder("decoder", seed), **attributes)


def test_without_a_seed_tokens_are_drawn_anew():
    """A mask of presence forbids the tokens that it names, by a penalty that no score outweighs."""
    feed = prompts(2) | numbers(max_length=20, min_length=20)
    feed["presence_mask"] = (np.arange(WORDS) % 2 == np.array([[0], [1]])).astype(np.int32)
    made = generation.model("Sampling", feed, eos_token_id=END, pad_token_id=PAD, temperature=5.0, top_p=0.99,
                            presence_penalty=1e6, decoder=gpt_decoder("decoder", 1))
    session = quern.InferenceSession(made)
    first, second = (session.run(None, feed)[0][:, 5:] for _ in range(2))
    assert (first != second).any()
    assert (first[0] % 2 == 1).all() and (first[1] % 2 == 0).all()


# --- an encoder and a decoder ---

T5 = {"model_type": 1, "decoder_start_token_id": 2}


@pytest.mark.parametrize("batch", [1, 3])
@pytest.mark.parametrize("beams", [1, 4])
@pytest.mark.parametrize("form", [{}, {"hidden": True}, {"sequences": True}])
def test_t5(batch, beams, form):
    for seed in range(3):
        feed = prompts(batch, padding=2, seed=seed) | numbers(max_length=11, num_beams=beams, num_return_sequences=beams)
        graphs = {"encoder": encoder(seed, seed), "decoder": decoder(seed, **form)}
        check("BeamSearch", feed, 3, **T5, **graphs)


def test_t5_with_parameters():
    graphs = {"encoder": encoder(20, 21), "decoder": decoder(21)}
    feed = prompts(2) | numbers(max_length=12, min_length=6, num_beams=3, num_return_sequences=2, length_penalty=0.4,
                                repetition_penalty=1.3)
    feed["attention_mask"] = np.array([[1, 1, 0, 1, 1], [0, 1, 1, 1, 0]], np.int32)
    check("BeamSearch", feed, 3, no_repeat_ngram_size=2, early_stopping=1, **T5, **graphs)


def test_t5_whose_encoder_takes_no_step():
    graphs = {"encoder": encoder(22, 23, takes_step=False), "decoder": decoder(23)}
    feed = prompts(2) | numbers(max_length=12, num_beams=3, num_return_sequences=2)
    check("BeamSearch", feed, 3, **T5, **graphs)


# --- Whisper ---

# The vocabulary: 8 words, the end, the start, two tasks, the start of a language model, no times; then 10 times.
WHISPER = {"model_type": 2, "eos_token_id": 8, "pad_token_id": 8, "decoder_start_token_id": 9, "translate_token_id": 10,
           "transcribe_token_id": 11, "start_of_lm_token_id": 12, "no_timestamps_token_id": 13,
           "beginning_timestamp_token_id": 14}


def features(batch, seed):
    return {"input_ids": np.random.default_rng(seed).normal(0, 1, (batch, generation.WIDTH, 6)).astype(np.float32)}


@pytest.mark.parametrize("beams", [1, 3])
@pytest.mark.parametrize("processor", [0, 1])
def test_whisper(beams, processor):
    for seed in range(4):
        feed = features(2, seed) | numbers(max_length=12, num_beams=beams, num_return_sequences=beams,
                                           repetition_penalty=1.0, logits_processor=processor)
        feed["decoder_input_ids"] = np.array([[9, 11], [9, 10]], np.int32)
        graphs = {"encoder": encoder(seed, seed, whisper=True), "decoder": decoder(seed, whisper=True)}
        check("WhisperBeamSearch", feed, 3, **WHISPER, **graphs)
        check("WhisperBeamSearch", feed | numbers(temperature=1.5), 3, **WHISPER, **graphs)


# --- what is no such model ---

def rename(graph, what, index, name):
    value = getattr(graph, what)[index]
    for names in (names for node in graph.node for names in (node.input, node.output)):
        names[:] = [name if one == value.name else one for one in names]
    value.name = name
    return graph


def retype(graph, index, kind):
    graph.input[index].type.tensor_type.elem_type = kind
    return graph


def cut(graph, what):
    del getattr(graph, what)[-1]
    return graph


def share(graph):
    graph.input.append(helper.make_tensor_value_info("past_sequence_length", generation.INT, [1]))
    return graph


def open_heads(graph):
    graph.input[3].type.tensor_type.shape.dim[2].Clear()
    return graph


def forget_shape(graph):
    graph.input[3].type.tensor_type.ClearField("shape")
    return graph


def give_nothing(graph):
    del graph.output[:]
    return graph


GPT = [
    (rename(gpt_decoder("g", 0), "input", 1, "positions"), "decoder's input 1 is 'positions', expected position_ids"),
    (rename(gpt_decoder("g", 0), "output", 0, "scores"), "decoder's output 0 is 'scores', expected logits"),
    (retype(gpt_decoder("g", 0), 0, generation.FLOAT), "decoder's input 'input_ids' is of float, expected int32"),
    (cut(gpt_decoder("g", 0), "output"), "decoder has 2 past and 1 present states, expected a present one for each past one"),
    (share(gpt_decoder("g", 0)), "decoder's past and present states share a buffer, expected states of their own"),
    (open_heads(gpt_decoder("g", 0)), "decoder's input 'past_0' does not say how many heads it has, of what size"),
    (forget_shape(gpt_decoder("g", 0)), "decoder's input 'past_0' has no shape, expected rank 5"),
    (give_nothing(gpt_decoder("g", 0)), "decoder has no output 0, expected logits"),
]


def refuse(op, feed, sentence, **attributes):
    made = generation.model(op, feed, **{"eos_token_id": END, "pad_token_id": PAD, **attributes})
    with pytest.raises(quern.Error) as error:
        quern.InferenceSession(made)
    assert sentence in str(error.value)


@pytest.mark.parametrize("graph, sentence", GPT)
def test_a_decoder_that_breaks_a_rule_is_refused(graph, sentence):
    refuse("GreedySearch", prompts(1) | numbers(max_length=9), sentence, decoder=graph)


def test_encoders_that_break_a_rule_are_refused():
    feed = prompts(1) | numbers(max_length=9, num_beams=2, num_return_sequences=1)
    graphs = {"encoder": encoder(0, 0), "decoder": decoder(0)}
    refuse("BeamSearch", feed, "it has no graph 'encoder'", **T5, decoder=decoder(0))
    refuse("BeamSearch", feed, "decoder_start_token_id is -1", model_type=1, **graphs)
    refuse("BeamSearch", feed, "model_type is 7, expected 0: a decoder, 1: T5, or 2: Whisper", model_type=7, **graphs)
    refuse("GreedySearch", prompts(1) | numbers(max_length=9), "model_type is 1, expected 0: a decoder alone", **T5, **graphs)
    refuse("BeamSearch", feed, "encoder has 7 present states", **T5, encoder=cut(encoder(0, 0), "output"), decoder=decoder(0))
    refuse("BeamSearch", feed, "decoder takes encoder_hidden_states, which encoder does not give", **T5,
           encoder=encoder(0, 0, takes_step=False), decoder=decoder(0, hidden=True))
    refuse("BeamSearch", feed, "decoder has 3 present states, expected 2 for each layer", **T5, encoder=encoder(0, 0),
           decoder=cut(decoder(0), "output"))


@pytest.mark.parametrize("wrong, sentence", [
    ({"max_length": 5}, "max_length is 5, expected 6 to 4096"), ({"num_beams": 200}, "num_beams is 200, expected 1 to 128"),
    ({"num_return_sequences": 4}, "num_return_sequences is 4, expected 1 to the number of beams"),
    ({"repetition_penalty": -1.0}, "repetition_penalty is -1, expected above 0"),
])
def test_parameters_out_of_range_are_refused_by_the_run(wrong, sentence):
    feed = prompts(1) | numbers(**{"max_length": 9, "num_beams": 3, "num_return_sequences": 1, **wrong})
    made = generation.model("BeamSearch", feed, eos_token_id=END, pad_token_id=PAD, decoder=gpt_decoder("decoder", 0))
    with pytest.raises(quern.Error) as error:
        quern.InferenceSession(made).run(None, feed)
    assert sentence in str(error.value)


# --- the published model ---

def test_the_model_of_the_test_data(data):
    path = data("models/onnx/tiny_gpt2_beamsearch.onnx")
    ours, theirs = quern.InferenceSession(path), onnx_runtime(path)
    rng = np.random.default_rng(1)
    for beams, returned, parameters in [(1, 1, {}), (4, 1, {}), (4, 4, {"min_length": 20, "length_penalty": 0.5}),
                                        (3, 2, {"repetition_penalty": 1.3})]:
        feed = {"input_ids": rng.integers(0, 1000, (2, 6)).astype(np.int32)}
        feed |= numbers(**{"max_length": 24, "min_length": 0, "num_beams": beams, "num_return_sequences": returned,
                           "length_penalty": 1.0, "repetition_penalty": 1.0, **parameters})
        np.testing.assert_array_equal(ours.run(None, feed)[0], theirs.run(None, feed)[0])
