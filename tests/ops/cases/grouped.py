# SPDX-License-Identifier: Apache-2.0
"""GroupQueryAttention and SparseAttention of com.microsoft: prompts and steps, caches of every kind, windows and sinks.

What the operators may fill with anything, rows of padding and of a cache behind what it holds, is not looked at: the models
put zeros there."""
import numpy as np
import onnx
from onnx import helper

from cases.attention import numbers
from cases.case import Case, floats, ints, make_model
from cases.quantized import F32, I8, I32, U8

N, K, D = 4, 2, 16


def masked_model(op, names, given, kinds, masks, attributes):
    """One node; zeros where the masks of its outputs say so."""
    there = {key: given[key] for key in names if given.get(key) is not None}
    last = max(names.index(key) for key in there)
    listed = [key if key in there else "" for key in names[:last + 1]]
    raw = [f"raw{i}" for i in range(len(kinds))]
    nodes = [helper.make_node(op, listed, raw, domain="com.microsoft", **attributes)]
    constants = {}
    for i, mask in enumerate(masks):
        constants.update({f"mask{i}": mask, f"zero{i}": np.zeros((), kinds[i])})
        nodes.append(helper.make_node("Where", [f"mask{i}", f"raw{i}", f"zero{i}"], [f"y{i}"]))
    types = {f"y{i}": helper.make_tensor_type_proto(helper.np_dtype_to_tensor_dtype(np.dtype(kind)), None)
             for i, kind in enumerate(kinds)}
    model = make_model(nodes, there, types, constants, opset=21, imports=[("com.microsoft", 1)])
    for info in model.graph.output:
        info.type.tensor_type.ClearField("shape")
    return model, list(there.values())


def below(limits, size, dims):
    """Which of `size` places are below the limit of each item; `dims`: the rank, and the axis of the places."""
    shape = [1] * dims[0]
    shape[0], places = len(limits), [1] * dims[0]
    places[dims[1]] = size
    return np.arange(size).reshape(places) < np.array(limits).reshape(shape)


# ---- GroupQueryAttention ----

GQA = ("q k v past_k past_v lengths total cos sin positions score_bias sink k_scale v_scale q_norm k_norm "
       "counts").split()
TABLES = {"cos": floats(32, D // 2), "sin": floats(32, D // 2, seed=1)}


def rows_of(batch, rows):
    return {"q": floats(batch, rows, N * D), "k": floats(batch, rows, K * D, seed=1),
            "v": floats(batch, rows, K * D, seed=2)}


def cache_of(batch, rows):
    return {"past_k": floats(batch, K, rows, D), "past_v": floats(batch, K, rows, D, seed=1)}


def grouped(name, lengths, total, given, scores=False, rows=None, valid=None, **attributes):
    """`rows`: how many rows of each item are no padding; `valid`: how many of the new cache hold something."""
    given = {"lengths": numbers(*(length - 1 for length in lengths)), "total": np.array(total, I32), **given}
    count = given["q"].shape[1]
    past = given.get("past_k")
    capacity = past.shape[2] if attributes.get("sliding_window_cache") else max(0 if past is None else past.shape[2], total)
    masks = [below(rows or [min(count, length) for length in lengths], count, (3, 1))]
    masks += 2 * [below(valid or lengths, capacity, (4, 2))]
    if scores:
        masks.append((np.arange(total) <= np.arange(count)[:, None] + total - count)[None, None])
    kind = F32 if past is None else past.dtype
    attributes = {"num_heads": N, "kv_num_heads": K, **attributes}
    if "cos" in given:
        attributes["do_rotary"] = 1
    model, inputs = masked_model("GroupQueryAttention", GQA, given, [F32, kind, kind] + [F32] * scores, masks, attributes)
    return Case(f"grouped_{name}", model, inputs)


PROMPT, TOKEN, BUFFER, EXACT = rows_of(2, 4), rows_of(2, 1), cache_of(2, 9), cache_of(2, 3)
WHOLE = np.concatenate(list(PROMPT.values()), -1)
GROUPED = [
    grouped("prompt", [4, 4], 4, PROMPT),
    grouped("prompt_padded", [4, 2], 4, {**PROMPT, **TABLES}),
    grouped("prompt_interleaved", [4, 4], 4, {**PROMPT, **TABLES}, rotary_interleaved=1),
    grouped("prompt_packed", [4, 4], 4, {"q": WHOLE, **TABLES}),
    grouped("prompt_positions", [4, 4], 4, {**PROMPT, **TABLES, "positions": np.array([[3, 9, 9, 9], [1, 2, 3, 4]])}),
    grouped("prompt_into_buffer", [4, 4], 4, {**PROMPT, **BUFFER}),
    grouped("step", [4, 7], 7, {**TOKEN, **BUFFER, **TABLES}),
    grouped("step_growing", [4, 4], 4, {**TOKEN, **EXACT, **TABLES}),
    grouped("step_growing_ragged", [4, 2], 4, {**TOKEN, **EXACT, **TABLES}),
    grouped("step_positions", [4, 7], 7, {**TOKEN, **BUFFER, **TABLES, "positions": np.array([[9], [2]])}),
    grouped("rows", [7], 7, {**rows_of(1, 3), **cache_of(1, 9), **TABLES}),
    grouped("counted_rows", [7, 4], 9, {**PROMPT, **BUFFER, **TABLES, "counts": numbers(3, 2)}, rows=[3, 2]),
    grouped("counted_rows_idle", [5, 4], 9, {**PROMPT, **BUFFER, **TABLES, "counts": numbers(0, 1)}, rows=[0, 1]),
    grouped("counted_rows_growing", [7, 4], 7, {**PROMPT, **EXACT, "counts": numbers(4, 2)}, rows=[4, 2]),
    grouped("window", [4, 4], 4, PROMPT, local_window_size=2),
    grouped("window_step", [4, 7], 7, {**TOKEN, **BUFFER}, local_window_size=3),
    grouped("not_causal", [4, 3], 4, PROMPT, causal=0),
    grouped("softcap", [4, 4], 4, PROMPT, softcap=0.5, scale=0.7),
    grouped("smooth_softmax", [4, 4], 4, PROMPT, smooth_softmax=1),
    grouped("sink", [4, 4], 4, {**PROMPT, "sink": floats(N)}),
    grouped("score_bias", [4, 4], 4, {**PROMPT, "score_bias": floats(1, N, 4, 4)}),
    grouped("score_bias_step", [4, 7], 7, {**TOKEN, **BUFFER, "score_bias": floats(2, 1, 1, 7)}),
    grouped("scores_before_softmax", [4, 4], 4, PROMPT, scores=True, qk_output=1),
    grouped("scores_behind_softmax", [4, 4], 4, PROMPT, scores=True, qk_output=2),
]

BYTES = {"past_k": ints(2, K, 9, D, low=-99, high=99, dtype=I8), "past_v": ints(2, K, 9, D, low=-99, high=99, dtype=I8, seed=1)}
NIBBLES = {"past_k": ints(2, K, 9, D // 2, low=0, high=255, dtype=U8),
           "past_v": ints(2, K, 9, D // 2, low=0, high=255, dtype=U8, seed=1)}
SCALES = {"tensor": {"k_scale": np.array([0.02], F32), "v_scale": np.array([0.03], F32)},
          "channel": {"k_scale": floats(1, K, 1, D, low=0.01, high=0.03),
                      "v_scale": floats(1, K, 1, D, low=0.01, high=0.03, seed=1)}}
GROUPED += [
    grouped(f"{name}_per_{how}", [4, 7], 7, {**TOKEN, **past, **scales}, kv_cache_bit_width=bits,
            k_quant_type=f"PER_{how.upper()}", v_quant_type=f"PER_{how.upper()}")
    for name, past, bits in (("int8", BYTES, 8), ("int4", NIBBLES, 4)) for how, scales in SCALES.items()]


def resident(capacity, window, positions):
    """How many of the positions a cache that slides holds."""
    step = capacity - window + 1
    return positions if positions <= capacity else positions - step * -(-(positions - capacity) // step)


def sliding(name, capacity, window, rows, lengths, total, counts=None, **given):
    given = {**rows_of(2, rows), **cache_of(2, capacity), **TABLES, **given}
    if counts:
        given["counts"] = numbers(*counts)
    return grouped(f"sliding_{name}_{capacity}_{window}", lengths, total, given, rows=counts,
                   valid=[resident(capacity, window, length) for length in lengths], local_window_size=window,
                   sliding_window_cache=1)


for size in ((4, 4), (8, 3)):
    GROUPED += [
        sliding("fill", *size, 1, [4, 4], 4),
        sliding("slide", *size, 1, [10, 6], 10, score_bias=floats(1, 1, 1, 10)),
        sliding("prompt", *size, 5, [5, 5], 5),
        sliding("chunk", *size, 9, [21, 9], 25, counts=[9, 1]),
    ]

# ---- SparseAttention ----

SPARSE = "q k v past_k past_v rows columns total lengths cos sin".split()
# Two layouts of 3 x 3 blocks of 16, one of them shorter.
LAYOUTS = {"rows": np.array([[0, 1, 2, 4], [0, 1, 3, 6]], I32),
           "columns": np.array([[0, 1, 0, 2, -1, -1], [0, 0, 1, 0, 1, 2]], I32)}
LONG = {"cos": floats(48, D // 2), "sin": floats(48, D // 2, seed=1)}


def run_sparse(model, inputs):
    """ONNX Runtime wants both caches in one buffer with what becomes of them, so that these must be the graph's outputs."""
    import onnxruntime

    bare = onnx.ModelProto()
    bare.CopyFrom(model)
    del bare.graph.node[1:], bare.graph.output[:]
    bare.graph.output.extend(helper.make_tensor_value_info(f"raw{i}", onnx.TensorProto.FLOAT, None) for i in range(3))
    session = onnxruntime.InferenceSession(bare.SerializeToString(), providers=["CPUExecutionProvider"])
    binding, values = session.io_binding(), {}
    for info, value in zip(session.get_inputs(), inputs):
        values[info.name] = onnxruntime.OrtValue.ortvalue_from_numpy(value.copy())
        binding.bind_ortvalue_input(info.name, values[info.name])
    binding.bind_output("raw0", "cpu")
    binding.bind_ortvalue_output("raw1", values["past_k"])
    binding.bind_ortvalue_output("raw2", values["past_v"])
    session.run_with_iobinding(binding)
    return [value.numpy().copy() for value in binding.get_outputs()]


def sparse(name, total, given, **attributes):
    given = {"total": numbers(total), "lengths": numbers(total), **LAYOUTS, **cache_of(1, 48), **given}
    attributes = {"num_heads": N, "kv_num_heads": K, "sparse_block_size": 16, **attributes}
    if "cos" in given:
        attributes["do_rotary"] = 1
    masks = [np.ones(1, bool)] + 2 * [below([total], 48, (4, 2))]
    model, inputs = masked_model("SparseAttention", SPARSE, given, [F32] * 3, masks, attributes)

    def expect(*values):
        return [np.where(mask, made, F32(0)) for mask, made in zip(masks, run_sparse(model, values))]

    return Case(f"sparse_{name}", model, inputs, expect)


CASES = GROUPED + [
    sparse("prompt", 40, rows_of(1, 40)),
    sparse("step", 45, {**rows_of(1, 1), **LONG}),
    sparse("rows", 35, {**rows_of(1, 3), **LONG}, rotary_interleaved=1, scale=0.2),
    sparse("packed", 20, {"q": np.concatenate(list(rows_of(1, 1).values()), -1), **LONG}),
]
