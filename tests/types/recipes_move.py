# SPDX-License-Identifier: Apache-2.0
"""Operators that move, choose, convert and hold: shapes, indices, casts, quantization, collections, sub-graphs, text."""
import elements
import formulas
import numpy as np
from onnx import helper, numpy_helper
from recipe import (add, collection, edge, fill, item_of, node, positive, rand, raw, same_as, seq_of, tensor_of,
                    type_of, val)

# ---- shapes ----

add("CenterCropPad", node([rand(3, 4), val([2, 5])]))
add("Concat", node([rand(2, 3), rand(2, 1)], axis=1), node([rand(2), rand(0), rand(3)], axis=0))
add("DepthToSpace", node([rand(1, 8, 2, 3)], blocksize=2), node([rand(1, 8, 2, 3)], blocksize=2, mode="CRD"))
add("SpaceToDepth", node([rand(1, 2, 4, 6)], blocksize=2), node([rand(1, 2, 4, 6)], blocksize=2, mode="CRD",
                                                                exact=True))
add("Expand", node([rand(3, 1), val([2, 1, 4])]))
add("Flatten", node([rand(2, 3, 4)], axis=2))
add("Pad", node([rand(2, 3), val([0, 1, 2, 1]), val(1)]),
    node([rand(2, 3), val([0, 1, 2, -1]), val(1)], where=lambda t: t["T"] == "tensor(float)"),
    node([rand(3, 4), val([1, 1]), None, val([1])], mode="reflect"), node([rand(3, 4), val([1, 0, 0, 2])], mode="edge"))
add("Reshape", node([rand(2, 3, 4), val([0, -1])]))
add("Shape", node([rand(2, 3)]))
add("Size", node([rand(2, 3)]))
add("Slice", node([rand(4, 5), val([3, 0]), val([0, 5]), val([0, 1]), val([-1, 2])]))
add("Split", node([rand(5, 2), val([2, 3])], outputs=2), node([rand(5, 2)], outputs=2, num_outputs=2))
add("Squeeze", node([rand(1, 3, 1), val([2])]), node([rand(1, 3, 1)]))
add("Tile", node([rand(2, 3), val([2, 2])]))
add("Transpose", node([rand(2, 3, 4)], perm=[2, 0, 1]), node([rand(2, 3)]))
add("Trilu", node([rand(3, 4), val(1)]), node([rand(2, 3, 3)], upper=0))
add("Unsqueeze", node([rand(2, 3), val([0, 2])]))

# ---- indices ----

add("Compress", node([rand(3, 4), val([1, 0, 1])], axis=0), node([rand(3, 2), val([0, 1, 1])]))
add("Gather", node([rand(4, 3), val([[0, -1], [2, 1]])]), node([rand(4, 3), val(1)], axis=1))
add("GatherElements", node([rand(3, 3), val([[1, 2, 0], [2, 0, -1]])]))
add("GatherND", node([rand(2, 3, 4), val([[0, 1], [1, 2]])]))
add("NonZero", node([fill(lambda rng: rng.integers(0, 2, (3, 4)))], where=lambda t: t["T"] != "tensor(string)"),
    node([rand(3, 4)], where=lambda t: t["T"] == "tensor(string)"))
add("OneHot", node([val([0, 2, 1]), val(3), rand(2)], formula=formulas.one_hot),
    node([val([0, 1]), val(4), rand(2)], axis=0, where=lambda t: t["T3"] == "tensor(float)"))
add("ReverseSequence", node([rand(4, 3, 2), val([1, 4, 2])]))
add("ScatterElements", node([rand(3, 3), val([[1, 0, 2]]), rand(1, 3)]),
    node([rand(3, 3), val([[1, 0, 2]]), rand(1, 3)], reduction="add", where=lambda t: not is_no_number(t["T"])),
    node([rand(3, 3), val([[1, 0, 2]]), rand(1, 3)], reduction="max", where=lambda t: not is_no_number(t["T"])))
add("ScatterND", node([rand(4, 2), val([[1], [3]]), rand(2, 2)]),
    node([rand(4, 2), val([[1], [3]]), rand(2, 2)], reduction="mul", where=lambda t: not is_no_number(t["T"])))
add("TensorScatter", node([rand(2, 4, 3), rand(2, 2, 3), val([1, 0])]),
    node([rand(2, 4, 3), rand(2, 2, 3), val([3, 0])], mode="circular"))
add("Unique",
    node([fill(lambda rng: rng.integers(0, 3, 8))], where=lambda t: t["T"] not in ("tensor(string)", "tensor(bool)")),
    node([rand(8)], where=lambda t: t["T"] in ("tensor(string)", "tensor(bool)"), sorted=0))
add("Where", node([rand(2, 3), rand(2, 3), rand(3)]))
add("EyeLike", node([rand(3, 4)], dtype=type_of("T2"), k=1))
add(
    "GridSample",
    node([rand(1, 2, 4, 4), fill(lambda rng: rng.uniform(-0.9, 0.9, (1, 2, 3, 2)))],
         mixed=True,
         where=lambda t: elements.is_float(elements.element_of(t["T1"]))),
    node([rand(1, 2, 4, 4), fill(lambda rng: rng.uniform(-0.9, 0.9, (1, 2, 3, 2)))],
         formula=formulas.real_parts,
         mixed=True,
         where=lambda t: t["T1"] != "tensor(string)" and not elements.is_float(elements.element_of(t["T1"]))),
    node([rand(1, 2, 4, 4), fill(lambda rng: rng.uniform(-0.9, 0.9, (1, 2, 3, 2)))],
         mode="nearest",
         formula=formulas.by_indices))
# Weights of a few bits: integers are cut, which makes rounding visible.
add(
    "Resize", node([rand(1, 2, 4, 4), None, val([1, 1, 2, 1.5])], formula=formulas.by_indices),
    node([rand(1, 2, 4, 4), None, None, val([1, 2, 2, 8])],
         mode="linear",
         formula=formulas.real_parts,
         where=lambda t: t["T1"] != "tensor(string)"),
    node([rand(1, 1, 4, 4),
          fill(lambda rng: [0, 0, 0.25, 0.25, 1, 1, 0.75, 0.75]), None,
          val([1, 1, 3, 3])],
         mode="linear",
         coordinate_transformation_mode="tf_crop_and_resize",
         where=lambda t: elements.is_float(elements.element_of(t["T1"]))))


def is_no_number(text):
    return text in ("tensor(string)", "tensor(bool)", "tensor(complex64)", "tensor(complex128)")


def is_real(text):
    return not is_no_number(text)


# ---- conversions ----


def number_texts(element, rng):
    """Edges, or texts that say numbers."""
    return np.array(["1", "-2", "3.5", "1e2", " 7 ", "0"], object) if element == "string" else elements.edges(element)


def small_numbers(element, rng):
    """What every type can hold."""
    if element == "string":
        return np.array(["0", "1"], object)
    return elements.cast([1, 0] if element != "float8e8m0" else [1, 2], element)


HALVES = ("float16", "bfloat16", "float", "double")
FLOATS = (*HALVES, "float8e4m3fn", "float8e4m3fnuz", "float8e5m2", "float8e5m2fnuz", "float8e8m0")
TINY = ("float4e2m1", "float6e2m3", "float6e3m2", "float8e8m0")
WRAPPED = ("uint32", *elements.SMALL_INTEGERS)


def ends(types):
    """The element types on both sides of a cast."""
    return elements.element_of(types["T1"]), elements.element_of(types["T2"])


def is_text(types):
    """Between text and numbers: what prints and reads alike everywhere."""
    return "string" in ends(types) and ends(types) != ("string", "string")


def is_tiny(types):
    """What neither ONNX Runtime nor NumPy casts at once; onnx.reference cannot either."""
    return not is_text(types) and any(element in TINY[:3] for element in ends(types))


def is_cut(types):
    """Where ONNX Runtime is not of one mind: its vector loop for uint32 gives -2^31 what the loop behind it gives 0, and it
    rounds 1.5 to 2 as an int4, which onnx.reference cuts."""
    return ends(types)[0] in FLOATS and ends(types)[1] in WRAPPED


def is_plain_cast(types):
    return not (is_text(types) or is_tiny(types) or is_cut(types))


add(
    "Cast", node([collection(number_texts)], to=type_of("T2"), product=True, where=is_plain_cast),
    node([collection(number_texts)], to=type_of("T2"), product=True, where=is_cut, formula=formulas.cut),
    node([collection(number_texts)], to=type_of("T2"), product=True, where=is_tiny, formula=formulas.tiny_cast),
    node([collection(small_numbers)], to=type_of("T2"), product=True, where=is_text, formula=formulas.text_cast),
    node([edge()],
         to=type_of("T2"),
         product=True,
         saturate=0,
         where=lambda t: "float8e" in t["T2"] and ends(t)[0] in HALVES), *[
             node([edge()],
                  to=type_of("T2"),
                  round_mode=mode,
                  product=True,
                  where=lambda t: "e8m0" in t["T2"] and ends(t)[0] in HALVES[:3]) for mode in ("down", "nearest")
         ])
add("CastLike",
    node([collection(small_numbers), rand(1)], product=True, where=lambda t: not is_text(t) and not is_tiny(t)),
    node([collection(small_numbers), rand(1)], product=True, where=is_tiny, formula=formulas.tiny_cast),
    node([collection(small_numbers), rand(1)], product=True, where=is_text, formula=formulas.text_cast))
add("BitCast", node([rand(2, 3)], to=type_of("T2"), product=True, where=lambda t: bits_of(t["T1"]) == bits_of(t["T2"])))


def bits_of(text):
    """Of an element in a file."""
    element = elements.element_of(text)
    small = {"int4": 4, "uint4": 4, "float4e2m1": 4, "int2": 2, "uint2": 2, "float6e2m3": 6, "float6e3m2": 6}
    return small.get(element, 8 * elements.dtype_of(element).itemsize)


def has_whole_scale(types):
    return types["T2"] == "tensor(int32)"


def has_broken_scale(types):
    return not has_whole_scale(types)


REALS = rand(2, 6, low=-3, high=3)
BLOCKED = {"axis": 1, "block_size": 2, "output_dtype": type_of("T3"), "product": True}
add("QuantizeLinear", node([REALS, val(0.5), val(0)], product=True, where=has_broken_scale),
    node([REALS, val([0.5, 2]), val([0, 0])], axis=0, product=True, where=has_broken_scale),
    node([rand(2, 6), val([[0.5, 1, 2], [1, 2, 4]])], where=has_broken_scale, **BLOCKED),
    node([REALS, val([1, 2]), val([0, 0])], axis=0, product=True, where=has_whole_scale),
    node([rand(2, 6), val([[1, 3, 2], [1, 2, 4]])], where=has_whole_scale, **BLOCKED))
add(
    "DequantizeLinear",
    node([rand(2, 6), val(0.5), val(1)],
         product=True,
         output_dtype=type_of("T3"),
         where=lambda t: t["T1"] != "tensor(int32)" and "float" not in t["T1"]),
    node([rand(2, 6), val(0.5), val(0)], product=True, output_dtype=type_of("T3"), where=lambda t: "float" in t["T1"]),
    node([rand(2, 6), val([0.5, 2])], axis=0, product=True, output_dtype=type_of("T3")),
    node([rand(2, 6), val([[0.5, 1, 2], [1, 2, 4]])], axis=1, block_size=2, output_dtype=type_of("T3"), product=True))
add("DynamicQuantizeLinear", node([rand(2, 6)]))

# ---- constants ----

add("Constant", node([], value=tensor_of("T", [[1, 0, 1], [1, 1, 0]])))
add("ConstantOfShape", node([val([2, 3])], value=tensor_of("T2", [1])))

# ---- collections ----

ITEMS = collection(lambda element, rng: elements.draw(element, (2, 3), rng))
add("ConcatFromSequence", node([ITEMS], axis=1, ties={"T": item_of("S")}),
    node([ITEMS], axis=0, new_axis=1, ties={"T": item_of("S")}))
add("SequenceAt", node([ITEMS, val(-1)], ties={"T": item_of("S")}))
add("SequenceConstruct", node([rand(2, 3), rand(4)], ties={"S": seq_of("T")}))
add("SequenceEmpty", node([], dtype=type_of("S")))
add("SequenceErase", node([ITEMS, val(1)]), node([ITEMS]))
add("SequenceInsert", node([ITEMS, rand(4), val(1)], ties={"T": item_of("S")}),
    node([ITEMS, rand(4)], ties={"T": item_of("S")}))
add("SequenceLength", node([ITEMS]))
add("SplitToSequence", node([rand(5, 2), val([2, 3])], ties={"S": seq_of("T")}),
    node([rand(3, 2)], keepdims=0, ties={"S": seq_of("T")}))
add("Identity", node([ITEMS]))


def optional_of(types):
    return f"optional({types['V']})"


def unwrapped(types):
    return elements.inside(types["O"], "optional") or types["O"]


def empty(text, rng):
    return None


add("Optional", node([ITEMS], ties={"O": optional_of}),
    node([], type=lambda t: elements.type_proto(t["V"]), ties={"O": optional_of}))
add("OptionalGetElement", node([ITEMS], ties={"V": unwrapped}))
add("OptionalHasElement", node([ITEMS]), node([raw(empty)], where=lambda t: t["O"].startswith("optional")))

# ---- sub-graphs ----


def info(name, text, shape=None):
    return helper.make_value_info(name, elements.type_proto(text, shape))


def passes_on(name, text, outer):
    """A branch that gives an outer value."""
    return helper.make_graph([helper.make_node("Identity", [outer], [name])], name, [], [info(name, text)])


def loop_body(types):
    """Passes a value on, and collects it where it is a tensor."""
    text = types["V"]
    nodes = [helper.make_node("Identity", ["go"], ["go_on"]), helper.make_node("Identity", ["v"], ["v_next"])]
    outputs = [info("go_on", "tensor(bool)"), info("v_next", text)]
    if text.startswith("tensor"):
        nodes.append(helper.make_node("Identity", ["v"], ["scan"]))
        outputs.append(info("scan", text))
    return helper.make_graph(nodes, "body",
                             [info("i", "tensor(int64)", []),
                              info("go", "tensor(bool)", []),
                              info("v", text)], outputs)


def scan_count(types):
    return 2 if types["V"].startswith("tensor") else 1


def is_odd_scan(types):
    element = elements.element_of(types["V"])
    return types["V"].startswith("tensor") and (element in elements.SMALL_INTEGERS or element == "string"
                                                or element.startswith(("complex", "float4", "float8e8")))


def scan_body(types):
    text = types["V"]
    nodes = [helper.make_node("Identity", ["s"], ["s_next"]), helper.make_node("Identity", ["x"], ["y"])]
    return helper.make_graph(nodes, "body", [info("s", text), info("x", text)], [info("s_next", text), info("y", text)])


def map_body(types):
    text = elements.inside(types["S"], "seq")
    return helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "body",
                             [info("x", text), info("w", types["V"])], [info("y", text)])


# If takes no inputs of its own; the tests hand it what its branches read as outer values (models.py).
add(
    "If",
    node([val(True)],
         outputs=1,
         then_branch=lambda t: passes_on("then", t["V"], "outer"),
         else_branch=lambda t: passes_on("else", t["V"], "outer")))
# onnx.reference joins scan outputs end to end where ONNX stacks them; texts lose all but one in ONNX Runtime's.
add("Loop", node([val(2), val(True), ITEMS], outputs=scan_count, body=loop_body, where=lambda t: not is_odd_scan(t)),
    node([val(2), val(True), ITEMS], outputs=scan_count, body=loop_body, where=lambda t: is_odd_scan(t), formula=formulas.loop))
add("Scan", node([rand(2), rand(3, 2)], outputs=2, num_scan_inputs=1, body=scan_body))
add("SequenceMap", node([ITEMS, ITEMS], outputs=1, body=map_body))

# ---- text ----

add("StringConcat", node([rand(2, 3), rand(3)]))
add(
    "StringNormalizer",
    node([raw(lambda text, rng: np.array(["Monday", "tuesday", "The"], object))],
         case_change_action="LOWER",
         is_case_sensitive=0,
         stopwords=["the"]))
add("StringSplit", node([raw(lambda text, rng: np.array(["a b  c", "", "d"], object))]))
add("RegexFullMatch", node([raw(lambda text, rng: np.array(["ab12", "12ab"], object))], pattern="[a-z]+[0-9]+"))
add(
    "TfIdfVectorizer",
    node([
        raw(lambda text, rng: np.array(["2", "3", "5", "4"], object)
            if "string" in text else elements.cast([2, 3, 5, 4], elements.element_of(text)))
    ],
         mode="TF",
         min_gram_length=1,
         max_gram_length=2,
         max_skip_count=0,
         ngram_counts=[0, 2],
         ngram_indexes=[0, 1, 2],
         pool_int64s=lambda t: None if "string" in t["T"] else [2, 3, 5, 4],
         pool_strings=lambda t: ["2", "3", "5", "4"] if "string" in t["T"] else None))

# ---- images ----

add("ImageDecoder",
    node([raw(lambda text, rng: np.frombuffer(b"P6 2 1 255\n" + bytes([1, 2, 3, 250, 128, 0]), np.uint8))]))
add(
    "NonMaxSuppression",
    node([
        val([[[0, 0, 1, 1], [0, 0.1, 1, 1.1], [0, 2, 1, 3]]]),
        val([[[0.5, 0.75, 0.25]]]),
        val([2]),
        val([0.5]),
        val([0.0])
    ]))
