# SPDX-License-Identifier: Apache-2.0
"""What a case gives: by quern, by ONNX Runtime where it has a kernel, else by onnx.reference, else in wider types.

Every engine's outputs become plain values: float64 or complex128 arrays of what floats mean, int64 or uint64 ones (object
where neither holds them), arrays of text, lists, dicts, None.
"""
import elements
import numpy as np
import onnxruntime
import quern
import typed_models
from onnx import helper
from onnx.reference import ReferenceEvaluator

onnxruntime.set_default_logger_severity(4)
RUNTIME_OPTIONS = onnxruntime.SessionOptions()
RUNTIME_OPTIONS.log_severity_level = 4
RUNTIME_OPTIONS.intra_op_num_threads = 1
RUNTIME_OPTIONS.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
QUERN_OPTIONS = quern.SessionOptions()
QUERN_OPTIONS.intra_op_num_threads = 1

RUNTIME_OPSETS = (28, 24, 22, 20, 17)

# What ONNX Runtime's Python interface cannot hand out; a Cast behind the node says the same.
VISIBLE = {
    "bfloat16": "float",
    "float8e4m3fn": "float",
    "float8e4m3fnuz": "float",
    "float8e5m2": "float",
    "float8e5m2fnuz": "float",
    "float8e8m0": "float",
    "float4e2m1": "float",
    "float6e2m3": "float",
    "float6e3m2": "float",
    "int4": "int32",
    "uint4": "int32",
    "int2": "int32",
    "uint2": "int32"
}

# ---- engines ----


def run_quern(case, constant=()):
    session = quern.InferenceSession(typed_models.build(case, constant).SerializeToString(), QUERN_OPTIONS)
    return session.run(None, typed_models.feed(case, constant))


def run_runtime(case):
    """ONNX Runtime: types that Python cannot give or get are initializers, and are cast behind the node."""
    extra, outputs = [], []
    for i, text in enumerate(case.output_types()):
        visible = text.startswith("tensor") and VISIBLE.get(elements.element_of(text))
        if visible:
            extra.append(helper.make_node("Cast", [f"o{i}"], [f"v{i}"], to=elements.NUMBERS[visible]))
        outputs.append((f"v{i}", f"tensor({visible})") if visible else (f"o{i}", text))
    constant = [
        i for i, text in enumerate(case.input_types())
        if text.startswith("tensor") and elements.element_of(text) in VISIBLE
    ] + list(case.recipe.constant)
    return runtime_session(case, constant, extra, outputs).run(None, typed_models.feed(case, constant))


def runtime_session(case, constant, extra, outputs):
    """For the newest operator set for which it has a kernel: newer ones often only have more types."""
    for opset in (*RUNTIME_OPSETS, None):
        model = typed_models.build(case, constant, extra, outputs, opset)
        try:
            return onnxruntime.InferenceSession(model.SerializeToString(),
                                                RUNTIME_OPTIONS,
                                                providers=["CPUExecutionProvider"])
        except Exception:  # whatever it raises for what it has not
            if opset is None:
                raise
    return None


def run_reference(case):
    with np.errstate(all="ignore"):
        return ReferenceEvaluator(typed_models.build(case)).run(None, typed_models.feed(case))


WIDER = ("float", "double", "float16", "bfloat16")
ORACLES = (("ONNX Runtime", run_runtime), ("onnx.reference", run_reference))


def widen(text, allowed, wider):
    """The type with float64 or float32 in place of its float, where the schema allows that."""
    is_coarse = text.startswith("tensor") and elements.element_of(text) in WIDER
    return f"tensor({wider})" if is_coarse and f"tensor({wider})" in allowed else text


def run_wide(case):
    """The same in float64, or else float32, each output rounded once to its type; None where nobody computes it."""
    return run_wider(case, "double") or run_wider(case, "float")


def run_wider(case, wider):
    allowed = typed_models.variables(case.schema)
    types = {name: widen(text, allowed.get(name, []), wider) for name, text in case.types.items()}
    attributes = {key: value(types) if callable(value) else value for key, value in case.recipe.attributes.items()}
    wide = typed_models.Case(case.name, case.schema, case.recipe, types, [], attributes)
    for value, text in zip(case.values, [wide.formal(case.schema.inputs, i) for i in range(len(case.values))]):
        is_array = isinstance(value, np.ndarray) and text.startswith("tensor") and value.dtype.kind in "fV"
        wide.values.append(value.astype(elements.dtype_of(elements.element_of(text))) if is_array else value)
    for _, run in ORACLES:
        try:
            made = run(wide)
        except Exception:  # whatever an engine raises for what it has not
            continue
        return [round_to(value, text) for value, text in zip(made, case.output_types())]
    return None


def round_to(value, text):
    if isinstance(value, np.ndarray) and text.startswith("tensor") and elements.element_of(text) in WIDER:
        with np.errstate(all="ignore"):
            return value.astype(elements.dtype_of(elements.element_of(text)))
    return value


def ask_oracles(case):
    """(who, outputs) of the first that has the operator in these types; (None, what they said)."""
    if case.recipe.formula:
        return "NumPy", [round_to(value, text) for value, text in zip(case.recipe.formula(case), case.output_types())]
    complaints = []
    for who, run in ORACLES[1:] if case.recipe.exact else ORACLES:
        try:
            return who, run(case)
        except Exception as error:  # whatever an engine raises for what it has not
            complaints.append(f"{who}: {str(error).splitlines()[0][:200] if str(error) else type(error).__name__}")
    wide = run_wide(case)
    return ("float64", wide) if wide is not None else (None, complaints)


# ---- comparing ----


def plain(value):
    """What a value means, whatever the engine's way to say it."""
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if value is None or isinstance(value, (str, bytes)):
        return value
    array = np.asarray(value)
    if array.dtype.kind in "OUST":
        return np.vectorize(lambda text: text.decode() if isinstance(text, bytes) else str(text), otypes=[object])(array) \
            if array.size else array.astype(object)
    if array.dtype.kind == "c":
        return array.astype(np.complex128)
    if array.dtype.kind == "u":
        return array.astype(np.uint64)
    if array.dtype.kind in "ib":
        return array.astype(np.int64)
    if array.dtype.name in elements.SMALL_INTEGERS:
        return array.astype(np.int64)
    return array.astype(np.float64)


def near(got, want, unit, slack):
    """|got - want| <= slack units of the last place, of what the tensor's values are at least about."""
    finite = want[np.isfinite(want)]
    scale = min(np.abs(finite).max(), 1.0) if finite.size else 1.0
    with np.errstate(all="ignore"):
        off = np.abs(got - want) <= slack * unit * (np.abs(want) + scale)
    return off | (got == want) | (np.isnan(got) & np.isnan(want))


def unit_of(text):
    """One unit of the last place of 1."""
    element = elements.element_of(text) if "tensor" in text else "float"
    return {"complex64": 2.0**-23, "complex128": 2.0**-50, "double": 2.0**-50}.get(element) or elements.eps(element)


def coarsest_unit(case):
    """That of the coarsest float among the types of a case."""
    return max(unit_of(text) for text in case.types.values() if elements.is_float(elements.element_of(text)))


def difference(got, want, text, unit=None, slack=4):
    """A sentence, or None where they are the same."""
    if elements.inside(text, "optional"):
        text = elements.inside(text, "optional")
        is_wrapped = isinstance(want, list) and len(want) == 1 and (want[0] is None or isinstance(want[0], list)
                                                                    or text.startswith("tensor"))
        want = want[0] if is_wrapped else want
    if isinstance(want, list):
        if not isinstance(got, list) or len(got) != len(want):
            return f"{got!r}, expected {want!r}"
        inner = elements.inside(text, "seq") or text
        return next((found for a, b in zip(got, want) if (found := difference(a, b, inner, unit, slack))), None)
    if isinstance(want, dict) or want is None or isinstance(want, str):
        return None if got == want else f"{got!r}, expected {want!r}"
    if not isinstance(got, np.ndarray) or got.shape != want.shape:
        return f"shape {getattr(got, 'shape', type(got).__name__)}, expected {want.shape}"
    if got.dtype.kind in "fc":
        is_same = near(got, want, unit or unit_of(text), slack)
    else:
        is_same = got == want
    if np.all(is_same):
        return None
    i = tuple(int(index) for index in np.argwhere(~np.asarray(is_same, bool).reshape(want.shape))[0])
    return f"element {list(i)} is {got[i]!r}, expected {want[i]!r} ({int((~np.asarray(is_same, bool)).sum())} of {want.size})"


def outputs_differ(case, got, want, unit=None, slack=4):
    unit = unit or (coarsest_unit(case) if case.recipe.mixed else None)
    for i, (a, b, text) in enumerate(zip(got, want, case.output_types())):
        found = difference(plain(a), plain(b), text, unit, slack)
        if found:
            return f"output {i}: {found}"
    return None if len(got) == len(want) else f"{len(got)} outputs, expected {len(want)}"


def has_coarse_floats(case):
    return any(text.startswith("tensor") and elements.element_of(text) in WIDER for text in case.output_types())


def judge_shapes(case, got):
    """Of random numbers only type and shape are prescribed."""
    for value, text in zip(got, case.output_types()):
        if value.dtype != elements.dtype_of(elements.element_of(text)) or value.shape != (2, 3):
            return f"{value.dtype} {value.shape}"
    return None


def judge(case, unit=None):
    """A sentence that says where quern differs, or None.  An oracle that rounds in between may be further from float64 than
    quern is: then quern is right.  `unit`: of the last place, where it is not that of the output's type."""
    try:
        got = run_quern(case)
        folded = run_quern(case, range(len(case.values)))
    except Exception as error:  # a refusal is a difference like another
        return f"quern: {error}"
    if case.recipe.only_shape:
        return judge_shapes(case, got)
    found = outputs_differ(case, folded, got)
    if found:
        return f"constants give another result: {found}"
    who, want = ask_oracles(case)
    if who is None:
        return f"nobody to ask: {'; '.join(want)}"
    found = outputs_differ(case, got, want, unit)
    if found and has_coarse_floats(case) and not outputs_differ(case, got, want, slack=300):
        wide = run_wide(case)
        if wide is not None and not outputs_differ(case, got, wide, slack=2):
            return None
    return found and f"{who}: {found}"
