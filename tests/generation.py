# SPDX-License-Identifier: Apache-2.0
"""Tiny decoders inside ONNX Runtime's generation loops: GPT-2, T5 and Whisper in shape, with random weights.

Names, order and types of the sub-graphs' inputs and outputs are those that ONNX Runtime demands.  Weights are large, so
that the best tokens are far apart and no rounding changes a choice.
"""
import numpy as np
from onnx import TensorProto, helper, numpy_helper

INT, FLOAT = TensorProto.INT32, TensorProto.FLOAT
HEADS, SIZE, WORDS, LAYERS, LONGEST = 2, 4, 24, 2, 32
WIDTH = HEADS * SIZE


class Graph:
    """A graph in the making: nodes are calls that give the names of their results."""

    def __init__(self, name, seed):
        self.name, self.rng = name, np.random.default_rng(seed)
        self.nodes, self.weights, self.inputs, self.outputs = [], [], [], []

    def new(self, word):
        return f"{self.name}.{word}.{len(self.nodes)}.{len(self.weights)}"

    def op(self, kind, *given, **attributes):
        name = self.new(kind)
        self.nodes.append(helper.make_node(kind, list(given), [name], **attributes))
        return name

    def constant(self, value, kind=np.int64):
        self.weights.append(numpy_helper.from_array(np.array(value, kind), self.new("c")))
        return self.weights[-1].name

    def weight(self, *shape, scale=1.0):
        return self.constant(self.rng.normal(0, scale / np.sqrt(shape[0]), shape), np.float32)

    def input(self, name, kind, shape):
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, value, name, kind, shape):
        self.nodes.append(helper.make_node("Identity", [value], [name]))
        self.outputs.append(helper.make_tensor_value_info(name, kind, shape))

    def done(self):
        return helper.make_graph(self.nodes, self.name, self.inputs, self.outputs, self.weights)

    # --- parts of transformers ---

    def heads(self, x):
        """[batch, tokens, WIDTH] -> [batch, HEADS, tokens, SIZE]"""
        return self.op("Transpose", self.op("Reshape", x, self.constant([0, 0, HEADS, SIZE])), perm=[0, 2, 1, 3])

    def project(self, x):
        return self.heads(self.op("MatMul", x, self.weight(WIDTH, WIDTH, scale=1.5)))

    def causal(self, query, key):
        """0 where a key is not behind the query, else a large negative number."""
        rows, columns = (self.op("Shape", x, start=2, end=3) for x in (query, key))
        first = self.op("Sub", columns, rows)
        zero, one = self.constant(0), self.constant(1)
        scalar = self.constant([], np.int64)
        at = self.op("Range", self.op("Reshape", first, scalar), self.op("Reshape", columns, scalar), one)
        other = self.op("Range", zero, self.op("Reshape", columns, scalar), one)
        sees = self.op("GreaterOrEqual", self.op("Unsqueeze", at, self.constant([1])), other)
        return self.op("Where", sees, self.constant(0, np.float32), self.constant(-1e4, np.float32))

    def hidden_keys(self, mask):
        """[batch, keys] of ones and zeros -> [batch, 1, 1, keys] to be added to scores."""
        off = self.op("Sub", self.constant(1, np.float32), self.op("Cast", mask, to=FLOAT))
        return self.op("Unsqueeze", self.op("Mul", off, self.constant(-1e4, np.float32)), self.constant([1, 2]))

    def attend(self, query, key, value, *biases):
        scores = self.op("MatMul", query, self.op("Transpose", key, perm=[0, 1, 3, 2]))
        scores = self.op("Mul", scores, self.constant(SIZE ** -0.5, np.float32))
        for bias in biases:
            scores = self.op("Add", scores, bias)
        mixed = self.op("MatMul", self.op("Softmax", scores, axis=-1), value)
        mixed = self.op("Reshape", self.op("Transpose", mixed, perm=[0, 2, 1, 3]), self.constant([0, 0, WIDTH]))
        return self.op("MatMul", mixed, self.weight(WIDTH, WIDTH))

    def embed(self, tokens, count=None):
        rows = count or WORDS
        return self.op("Gather", self.weight(rows, WIDTH, scale=np.sqrt(rows)), tokens)

    def feed_forward(self, x):
        wide = self.op("Relu", self.op("MatMul", x, self.weight(WIDTH, 2 * WIDTH)))
        return self.op("Tanh", self.op("Add", x, self.op("MatMul", wide, self.weight(2 * WIDTH, WIDTH))))

    def logits(self, x):
        return self.op("MatMul", x, self.weight(WIDTH, WORDS, scale=4.0))


# --- GPT-2 ---

def gpt_decoder(name, seed, half=False):
    """`half`: logits and states are of float16, although the rest is not."""
    g, kind = Graph(name, seed), TensorProto.FLOAT16 if half else FLOAT
    tokens = g.input("input_ids", INT, ["batch", "tokens"])
    positions = g.input("position_ids", INT, ["batch", "tokens"])
    mask = g.hidden_keys(g.input("attention_mask", INT, ["batch", "all"]))
    pasts = [g.input(f"past_{i}", kind, [2, "batch", HEADS, "past", SIZE]) for i in range(LAYERS)]
    x = g.op("Add", g.embed(tokens), g.embed(positions, LONGEST))
    presents = []
    for past in pasts:
        query, new = g.project(x), [g.project(x), g.project(x)]
        new = g.op("Concat", *[g.op("Unsqueeze", part, g.constant([0])) for part in new], axis=0)
        past = g.op("Cast", past, to=FLOAT) if half else past
        presents.append(g.op("Concat", past, new, axis=3))
        key, value = (g.op("Gather", presents[-1], g.constant(part)) for part in (0, 1))
        x = g.feed_forward(g.op("Add", x, g.attend(query, key, value, mask, g.causal(query, key))))
    results = [g.op("Cast", value, to=kind) if half else value for value in (g.logits(x), *presents)]
    g.output(results[0], "logits", kind, ["batch", "tokens", WORDS])
    for i, present in enumerate(results[1:]):
        g.output(present, f"present_{i}", kind, [2, "batch", HEADS, "all", SIZE])
    return g.done()


# --- encoder and decoder ---

def decode(g, tokens, pasts, crosses, mask):
    """One call of the decoder; gives logits and the new states of self attention.  pasts None: there are none yet."""
    x, presents = g.embed(tokens), []
    for i in range(LAYERS):
        query, new = g.project(x), [g.project(x), g.project(x)]
        states = new if pasts is None else [g.op("Concat", past, part, axis=2)
                                            for past, part in zip(pasts[2 * i:2 * i + 2], new)]
        presents += states
        x = g.op("Add", x, g.attend(query, *states, g.causal(query, states[0])))
        x = g.op("Add", x, g.attend(g.project(x), *crosses[2 * i:2 * i + 2], *mask))
        x = g.feed_forward(x)
    return g.logits(x), presents


def encode(g, x):
    """Keys and values of cross attention."""
    x = g.feed_forward(x)
    return x, [g.project(x) for _ in range(2 * LAYERS)]


def states(kind):
    return [f"{part}_{kind}_{i}" for i in range(LAYERS) for part in ("key", "value")]


def encoder(seed, weights, takes_step=True, whisper=False):
    g = Graph("encoder", seed)
    given = g.input("encoder_input_ids", FLOAT if whisper else INT, ["batch", WIDTH, "frames"] if whisper
                    else ["batch", "source"])
    mask = [] if whisper else [g.hidden_keys(g.input("encoder_attention_mask", INT, ["batch", "source"]))]
    x, crosses = encode(g, g.op("Transpose", given, perm=[0, 2, 1]) if whisper else g.embed(given))
    selves = []
    if takes_step:
        tokens = g.input("decoder_input_ids", INT, ["batch", "tokens"])
        g.rng = np.random.default_rng(weights)
        logits, selves = decode(g, tokens, None, crosses, mask)
        g.output(logits, "logits", FLOAT, ["batch", "tokens", WORDS])
        g.output(x, "encoder_hidden_states", FLOAT, ["batch", "source", WIDTH])
    for kind, values, length in ("self", selves, "tokens"), ("cross", crosses, "source"):
        for name, value in zip(states(kind), values):
            g.output(value, f"present_{name}", FLOAT, ["batch", HEADS, length, SIZE])
    return g.done()


def decoder(weights, hidden=False, whisper=False, sequences=False):
    g = Graph("decoder", weights)
    tokens = g.input("input_ids", INT, ["batch", "tokens" if sequences else 1])
    if sequences:  # only the last one is new
        tokens = g.op("Slice", tokens, g.constant([-1]), g.constant([2 ** 31 - 1]), g.constant([1]))
    mask = [] if whisper else [g.hidden_keys(g.input("encoder_attention_mask", INT, ["batch", "source"]))]
    if hidden:
        g.input("encoder_hidden_states", FLOAT, ["batch", "source", WIDTH])
    pasts = [g.input(f"past_{name}", FLOAT, ["batch", HEADS, "past", SIZE]) for name in states("self")]
    crosses = [g.input(f"past_{name}", FLOAT, ["batch", HEADS, "source", SIZE]) for name in states("cross")]
    g.rng = np.random.default_rng(weights)
    logits, presents = decode(g, tokens, pasts, crosses, mask)
    g.output(logits, "logits", FLOAT, ["batch", 1, WORDS])
    for name, present in zip(states("self"), presents):
        g.output(present, f"present_{name}", FLOAT, ["batch", HEADS, "all", SIZE])
    return g.done()


# --- the node around them ---

INPUTS = {
    "BeamSearch": ["input_ids", "max_length", "min_length", "num_beams", "num_return_sequences", "length_penalty",
                   "repetition_penalty", "vocab_mask", "prefix_vocab_mask", "attention_mask", "decoder_input_ids",
                   "logits_processor"],
    "GreedySearch": ["input_ids", "max_length", "min_length", "repetition_penalty", "vocab_mask", "prefix_vocab_mask",
                     "attention_mask"],
    "Sampling": ["input_ids", "max_length", "min_length", "repetition_penalty", "vocab_mask", "prefix_vocab_mask",
                 "attention_mask", "presence_mask", "seed"],
}
INPUTS["WhisperBeamSearch"] = INPUTS["BeamSearch"] + ["cross_qk_layer_head", "extra_decoding_ids", "temperature"]
FLOATS = {"length_penalty", "repetition_penalty", "temperature"}


def model(op, feed, outputs=1, fixed=(), **attributes):
    """A model of one node; `feed` says which inputs there are, those in `fixed` are constants."""
    names = [name if name in feed else "" for name in INPUTS[op]]
    while not names[-1]:
        names.pop()
    results = [("sequences", INT), ("sequences_scores", FLOAT), ("scores", FLOAT)][:outputs]
    node = helper.make_node(op, names, [name for name, _ in results], op.lower(), domain="com.microsoft", **attributes)
    inputs = [helper.make_tensor_value_info(name, helper.np_dtype_to_tensor_dtype(feed[name].dtype),
                                            [None] * feed[name].ndim if feed[name].ndim > 1 or "mask" in name else [1])
              for name in names if name and name not in fixed]
    graph = helper.make_graph([node], "generation", inputs,
                              [helper.make_tensor_value_info(name, kind, None) for name, kind in results],
                              [numpy_helper.from_array(feed[name], name) for name in fixed])
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)])
    made.ir_version = 8
    return made.SerializeToString()
