# SPDX-License-Identifier: Apache-2.0
"""Models that are wrong in one way each, for `broken_models_test.py`.

A row is a model in ONNX's text syntax, and what to change in it where the text cannot say it.  `broken_models.txt` has
under the row's name all that `quern check` prints of it.
"""
from dataclasses import dataclass
from typing import Callable, Optional

from onnx import TensorProto, helper

HEAD = '<ir_version: 8, opset_import: ["" : 17]>'


@dataclass(frozen=True)
class Broken:
    name: str
    text: str  # with HEAD in front where it does not begin with "<"
    edit: Optional[Callable] = None
    accepted: str = ""  # why it is no error here, where onnx.checker rejects it

    def build(self):
        from onnx import parser

        text = self.text.strip()
        model = parser.parse_model(text if text.startswith("<ir") else f"{HEAD} {text}")
        if self.edit:
            self.edit(model)
        return model


def relu(signature="(float[2] x) => (float[2] y)", nodes="y = Relu(x)", head=""):
    return f"{head} g {signature} {{ {nodes} }}"


# --- edits: each gives a function that changes a model ---


def model_field(**fields):
    def edit(model):
        for name, value in fields.items():
            setattr(model, name, value)
    return edit


def imports(*pairs):
    def edit(model):
        del model.opset_import[:]
        model.opset_import.extend(helper.make_opsetid(*pair) for pair in pairs)
    return edit


def node(change, at=0):
    return lambda model: change(model.graph.node[at])


def attribute(change, at=0):
    return lambda model: change(model.graph.node[0].attribute[at])


def tensor(**fields):
    """Fields of the first initializer; None clears one, a list replaces one."""
    def edit(model):
        target = model.graph.initializer[0]
        for name, value in fields.items():
            target.ClearField(name)
            if isinstance(value, list):
                getattr(target, name).extend(value)
            elif value is not None:
                setattr(target, name, value)
    return edit


def external(**entries):
    def edit(model):
        target = model.graph.initializer[0]
        target.ClearField("raw_data")
        target.ClearField("float_data")
        target.data_location = TensorProto.EXTERNAL
        for key, value in entries.items():
            target.external_data.add(key=key, value=value)
    return edit


def value_type(change, kind="output"):
    return lambda model: change(getattr(model.graph, kind)[0].type)


def add_attribute(*names_and_values):
    def edit(model):
        model.graph.node[0].attribute.extend(helper.make_attribute(*pair) for pair in names_and_values)
    return edit


def twice(member):
    def edit(model):
        entries = getattr(model.graph, member, None)
        entries = getattr(model, member) if entries is None else entries
        entries.append(entries[0])
    return edit


def sparse(indices, dims=(4,), values=(1.0, 2.0)):
    def edit(model):
        made = model.graph.sparse_initializer.add(dims=dims)
        made.values.CopyFrom(helper.make_tensor("w", TensorProto.FLOAT, [len(values)], values))
        made.indices.CopyFrom(helper.make_tensor("", TensorProto.INT64, [len(indices)], indices))
    return edit


def clear_types(model):
    model.graph.output[0].ClearField("type")


WEIGHTED = relu("(float[2] x) => (float[2] y) <float[2] w = {1, 2}>", "y = Add(x, w)")
CALLING = '<ir_version: 8, opset_import: ["" : 17, "l" : 1]> g (float[2] x) => (float[2] y) { y = l.f(x) } '
FUNCTION = '<domain: "l", opset_import: ["" : 17]> f (a) => (b) { b = Relu(a) }'
BRANCHES = """g (bool c, float[2] x) => (float[2] y) {
    y = If (c) <then_branch = t () => (float[2] p) { p = Relu(x) }, else_branch = e () => (float[2] q) { q = %s }>
}"""

BROKEN = [
    # --- versions ---
    Broken("ir-version-of-zero", relu(), model_field(ir_version=0)),
    Broken("ir-version-newer", relu(), model_field(ir_version=99), accepted="every node of it is understood"),
    Broken("imports-missing", relu(), imports()),
    Broken("imports-before-ir-3", relu(), model_field(ir_version=2)),
    Broken("import-newer", relu(), imports(("", 999))),
    Broken("import-of-version-zero", relu(), imports(("", 0))),
    Broken("import-twice", relu(), imports(("", 17), ("", 13))),
    Broken("import-of-no-used-domain", relu(), node(lambda n: setattr(n, "domain", "ai.onnx.ml"))),
    Broken("metadata-twice", relu(), lambda m: [m.metadata_props.add(key="k", value=v) for v in "12"]),
    Broken("no-graph", relu(), lambda m: m.ClearField("graph")),
    # --- operators ---
    Broken("operator-misspelt", relu(nodes="y = Relo(x)")),
    Broken("operator-of-foreign-domain",
           relu(nodes="y = mmdeploy.Thing(x)", head='<ir_version: 8, opset_import: ["" : 17, "mmdeploy" : 1]>')),
    Broken("operator-without-name", relu(), node(lambda n: setattr(n, "op_type", ""))),
    Broken("operator-of-later-version", relu(nodes="y = Gelu(x)")),
    Broken("operator-deprecated",
           relu("(float[2] x, int64[2] i, float[2] u) => (float[2] y)", "y = Scatter(x, i, u)")),
    Broken("operator-of-experiments", relu(nodes="y = Scale(x)")),
    # --- inputs and outputs of nodes ---
    Broken("too-many-inputs", relu(nodes="y = Relu(x, x)")),
    Broken("too-few-inputs", relu(nodes="y = Add(x)")),
    Broken("input-left-out", relu(nodes='y = Add("", x)')),
    Broken("too-many-outputs", relu(nodes="y, z = Relu(x)")),
    Broken("inputs-past-the-last", relu(nodes="y = Relu(x)"), node(lambda n: n.input.append(""))),
    Broken("output-left-out", relu("(float[2] x) => (float[2] x2)", '"" = Relu(x) x2 = Neg(x)')),
    Broken("node-without-outputs",
           relu("(float[2,2] x) => (float[2,2] y)", "y = Relu(x) z = Softmax<axis = 0>(x)",
                '<ir_version: 8, opset_import: ["" : 11]>'), node(lambda n: n.ClearField("output"), 1)),
    Broken("node-without-names", relu(nodes="y = Relu(x) z = Constant<value_int = 1>()"),
           node(lambda n: n.ClearField("output"), 1)),
    Broken("statistics-without-training",
           relu("(float[1,2] x, float[2] s) => (float[1,2] y, float[2] m, float[2] v)",
                "y, m, v = BatchNormalization(x, s, s, s, s)")),
    Broken("statistics-incomplete",
           relu("(float[1,2] x, float[2] s) => (float[1,2] y, float[2] m)", "y, m = BatchNormalization(x, s, s, s, s)",
                '<ir_version: 8, opset_import: ["" : 9]>')),
    Broken("split-into-what", relu("(float[4] x) => (float[2] y, float[2] z)", "y, z = Split(x)",
                                   '<ir_version: 8, opset_import: ["" : 18]>')),
    Broken("split-into-too-few", relu("(float[4] x) => (float[2] y, float[2] z)", "y, z = Split<num_outputs = 3>(x)",
                                      '<ir_version: 8, opset_import: ["" : 18]>')),
    Broken("input-type", relu("(string[2] x) => (string[2] y)")),
    Broken("input-type-of-version",
           relu("(int32[2] x) => (int32[2] y)", head='<ir_version: 8, opset_import: ["" : 13]>')),
    Broken("inputs-of-two-types", relu("(float[2] x, double[2] z) => (float[2] y)", "y = Add(x, z)")),
    Broken("output-type", relu("(float[2] x) => (uint4[2] y)", "y = Cast<to = 21>(x)")),
    # --- attributes ---
    Broken("attribute-missing", relu(nodes="y = Concat(x)")),
    Broken("attribute-unknown", relu(nodes="y = Relu<slope = 0.5>(x)")),
    Broken("attribute-of-wrong-type", relu(nodes="y = Concat<axis = 0.5>(x)")),
    Broken("attribute-int-for-float", relu(nodes="y = Elu<alpha = 1>(x)")),
    Broken("attribute-without-type", relu(nodes="y = Elu<alpha = 0.5>(x)"), attribute(lambda a: a.ClearField("type"))),
    Broken("attribute-without-value", relu(nodes="y = Elu<alpha = 0.5>(x)"),
           attribute(lambda a: (a.ClearField("f"), setattr(a, "i", 1)))),
    Broken("attribute-twice", relu(nodes="y = Elu<alpha = 0.5>(x)"), add_attribute(("alpha", 0.25))),
    Broken("attribute-refers-nowhere", relu(nodes="y = Elu<alpha = 0.5>(x)"),
           attribute(lambda a: (a.ClearField("f"), setattr(a, "ref_attr_name", "k")))),
    Broken("attribute-text-unknown",
           relu("(float[1,1,4] x) => (float[1,1,2] y)",
                'y = MaxPool<kernel_shape = [2], strides = [2], auto_pad = "SAME">(x)')),
    Broken("attribute-number-too-small",
           relu("(float[1,1,4] x) => (float[1,1,4] y)", "y = MaxPool<kernel_shape = [1], strides = [0]>(x)")),
    Broken("attribute-list-empty",
           relu("(float[1,1,4] x, float[1,1,1] w) => (float[1,1,4] y)", "y = Conv<strides = [1]>(x, w)"),
           attribute(lambda a: a.ClearField("ints"))),
    Broken("attribute-switch-of-three", relu("(float[2] x) => (float[1] y)", "y = ReduceMax<keepdims = 3>(x)")),
    Broken("cast-to-no-type", relu(nodes="y = Cast<to = 99>(x)")),
    Broken("constant-without-value", relu("() => (float[2] y)", "y = Constant()")),
    Broken("constant-with-two-values", relu("() => (float y)", "y = Constant<value_float = 1.0>()"),
           add_attribute(("value_int", 1))),
    Broken("constant-of-wrong-size", relu("() => (float[2] y)", "y = Constant<value = float[2] {1, 2}>()"),
           attribute(lambda a: a.t.dims.append(3))),
    # --- types and shapes that do not go together ---
    Broken("sizes-do-not-broadcast", relu("(float[2] x, float[3] z) => (float[2] y)", "y = Add(x, z)")),
    Broken("inner-sizes-differ", relu("(float[2,3] x, float[4,5] z) => (float[2,5] y)", "y = MatMul(x, z)")),
    Broken("axis-out-of-range", relu("(float[2] x) => (float[2] y)", "y = Softmax<axis = 3>(x)")),
    Broken("rank-of-weight", relu("(float[1,1,4,4] x, float[1,1,3] w) => (float[1,1,2,2] y)", "y = Conv(x, w)")),
    Broken("channels-of-weight",
           relu("(float[1,3,4,4] x, float[8,4,3,3] w) => (float[1,8,2,2] y)", "y = Conv(x, w)")),
    Broken("reshape-of-other-count",
           relu("(float[6] x) => (float[4] y) <int64[1] s = {4}>", "y = Reshape(x, s)")),
    Broken("permutation-of-wrong-length", relu("(float[2,3] x) => (float[3,2] y)", "y = Transpose<perm = [0]>(x)")),
    Broken("ratio-of-many", relu("(float[2] x, float[3] r) => (float[2] y)", "y = Dropout(x, r)")),
    Broken("resize-with-too-few-sizes",
           relu("(float[1,1,4,4] x, int64[2] s) => (float[N,M,H,W] y)", 'y = Resize(x, "", "", s)')),
    Broken("early-broadcast-of-larger",
           relu("(float[3] x, float[2,3] z) => (float[2,3] y)", "y = Add<broadcast = 1>(x, z)",
                '<ir_version: 3, opset_import: ["" : 6]>')),
    Broken("output-declared-otherwise", relu("(float[2] x) => (float[3] y)")),
    Broken("output-declared-of-other-type", relu("(float[2] x) => (int64[2] y)")),
    Broken("output-declared-of-other-rank", relu("(float[2,1] x) => (float[2] y)")),
    Broken("output-declared-a-sequence", relu(),
           value_type(lambda t: t.CopyFrom(helper.make_sequence_type_proto(
               helper.make_tensor_type_proto(TensorProto.FLOAT, [2]))))),
    Broken("value-declared-otherwise", "g (float[2] x) => (float[2] y) <float[5] a> { a = Relu(x) y = Neg(a) }"),
    Broken("input-unlike-its-initializer", "g (float[3] w) => (float[3] y) { y = Relu(w) }",
           lambda m: m.graph.initializer.append(helper.make_tensor("w", TensorProto.FLOAT, [2], [1, 2]))),
    # --- types that are not whole ---
    Broken("input-without-type", relu(), value_type(lambda t: t.Clear(), "input")),
    Broken("output-without-type", relu(), clear_types),
    Broken("output-without-element-type", relu(), value_type(lambda t: t.tensor_type.ClearField("elem_type"))),
    Broken("input-without-shape", relu(), value_type(lambda t: t.tensor_type.ClearField("shape"), "input")),
    Broken("input-of-no-type", relu(), value_type(lambda t: setattr(t.tensor_type, "elem_type", 99), "input")),
    Broken("input-of-size-below-zero", relu(),
           value_type(lambda t: setattr(t.tensor_type.shape.dim[0], "dim_value", -1), "input")),
    Broken("sequence-of-nothing",
           "g (seq(float[2]) x) => (int64 n) { n = SequenceLength(x) }",
           value_type(lambda t: t.sequence_type.ClearField("elem_type"), "input")),
    Broken("input-of-sparse-type", relu(),
           value_type(lambda t: t.CopyFrom(helper.make_sparse_tensor_type_proto(TensorProto.FLOAT, [2])), "input")),
    # --- names ---
    Broken("graph-without-name", relu(), lambda m: m.graph.ClearField("name")),
    Broken("value-made-twice", relu(nodes="y = Relu(x) y = Neg(x)")),
    Broken("input-made-again", relu(nodes="x = Relu(x) y = Neg(x)")),
    Broken("input-twice", relu(), twice("input")),
    Broken("input-without-name", relu(), lambda m: setattr(m.graph.input.add(), "name", "")),
    Broken("output-twice", relu(), twice("output")),
    Broken("read-before-it-is-made", relu(nodes="y = Relu(a) a = Neg(x)")),
    Broken("read-and-never-made", relu(nodes="y = Add(x, nowhere)")),
    Broken("output-never-made", relu("(float[2] x) => (float[2] z)")),
    Broken("cycle", relu(nodes="y = Add(x, a) a = Relu(y)")),
    Broken("nodes-of-one-name", relu(nodes="[n] a = Relu(x) [n] y = Neg(a)")),
    Broken("node-for-nobody", relu(nodes="y = Relu(x) a = Neg(x)")),
    Broken("input-for-nobody", relu("(float[2] x, float[2] z) => (float[2] y)")),
    Broken("initializer-for-nobody", relu("(float[2] x) => (float[2] y) <float[2] w = {1, 2}>")),
    Broken("initializer-without-name", WEIGHTED, tensor(name="")),
    Broken("initializer-twice", WEIGHTED, twice("initializer")),
    Broken("initializer-no-input-before-ir-4",
           relu("(float[2] x) => (float[2] y) <float[2] w = {1, 2}>", "y = Add(x, w)",
                '<ir_version: 3, opset_import: ["" : 7]>')),
    Broken("declared-and-not-there", relu("(float[2] x) => (float[2] y) <float[2] z>")),
    # --- stored tensors ---
    Broken("tensor-too-short", WEIGHTED, tensor(float_data=[1.0])),
    Broken("tensor-raw-too-long", WEIGHTED, tensor(float_data=None, raw_data=b"123456789")),
    Broken("tensor-in-two-fields", WEIGHTED, tensor(float_data=[1.0, 2.0], raw_data=b"12345678")),
    Broken("tensor-in-the-wrong-field", WEIGHTED, tensor(float_data=None, int64_data=[1, 2])),
    Broken("tensor-without-data", WEIGHTED, tensor(float_data=None)),
    Broken("tensor-without-type", WEIGHTED, tensor(data_type=0)),
    Broken("tensor-of-no-type", WEIGHTED, tensor(data_type=77)),
    Broken("tensor-of-size-below-zero", WEIGHTED, tensor(dims=[-2])),
    Broken("tensor-of-too-large-sizes", WEIGHTED, tensor(dims=[2**62, 2**62])),
    Broken("tensor-in-segments", WEIGHTED, lambda m: setattr(m.graph.initializer[0].segment, "end", 1)),
    Broken("strings-as-bytes", 'g () => (string[1] w) <string[1] w = {"a"}> { }',
           tensor(string_data=None, raw_data=b"a")),
    Broken("sparse-out-of-order", relu("(float[4] x) => (float[4] y)", "y = Add(x, w)"), sparse([2, 1])),
    Broken("sparse-outside", relu("(float[4] x) => (float[4] y)", "y = Add(x, w)"), sparse([1, 4])),
    Broken("sparse-of-wrong-count", relu("(float[4] x) => (float[4] y)", "y = Add(x, w)"), sparse([1])),
    # --- data in other files ---
    Broken("external-nowhere", WEIGHTED, external()),
    Broken("external-missing", WEIGHTED, external(location="missing.bin")),
    Broken("external-outside", WEIGHTED, external(location="../outside.bin")),
    Broken("external-absolute", WEIGHTED, external(location="/etc/hostname")),
    Broken("external-a-folder", WEIGHTED, external(location=".")),
    Broken("external-a-link", WEIGHTED, external(location="link.bin")),
    Broken("external-past-the-end", WEIGHTED, external(location="data.bin", offset="12")),
    Broken("external-of-wrong-length", WEIGHTED, external(location="data.bin", length="4")),
    Broken("external-offset-no-number", WEIGHTED, external(location="data.bin", offset="1k")),
    Broken("external-unaligned", WEIGHTED, external(location="data.bin", offset="3")),
    Broken("external-key-unknown", WEIGHTED, external(location="data.bin", colour="red")),
    # --- graphs in nodes ---
    Broken("branch-reads-nothing-made", BRANCHES % "Neg(nowhere)"),
    Broken("branch-hides-a-name", BRANCHES.replace("q", "x") % "Neg(c2)"),
    Broken("branches-of-two-types", BRANCHES % "Cast<to = 7>(x)"),
    Broken("branch-that-does-not-fit", BRANCHES % "Softmax<axis = 4>(x)",
           accepted="models ask for a shape before they do what only that shape allows"),
    Broken("branch-with-too-few-outputs", BRANCHES % "Neg(x)",
           attribute(lambda a: a.g.ClearField("output"), 1)),
    Broken("loop-body-with-too-few-inputs", """g (int64 n, bool c, float[2] x) => (float[2] y) {
        y = Loop (n, c, x) <body = b (int64 i, bool go) => (bool go, float[2] z) { z = Neg(x) }> }"""),
    # --- functions ---
    Broken("function-of-itself", CALLING + FUNCTION.replace("Relu", "l.f").replace("17", '17, "l" : 1')),
    Broken("function-with-more-inputs", CALLING.replace("f(x)", "f(x, x)") + FUNCTION),
    Broken("function-twice", CALLING + FUNCTION, twice("functions")),
    Broken("function-never-called", relu() + FUNCTION),
    Broken("function-without-its-output", CALLING + FUNCTION.replace("=> (b)", "=> (z)")),
    Broken("function-of-an-unknown-operator", CALLING + FUNCTION.replace("Relu", "Relo")),
    Broken("function-without-import", CALLING + FUNCTION.replace("Relu", "ai.onnx.ml.Binarizer")),
    Broken("function-of-other-version", CALLING + FUNCTION.replace("Relu", "ReduceMax").replace("17", "18")),
    Broken("function-without-an-attribute", CALLING + FUNCTION.replace("f (a)", "f <k> (a)")
           .replace("Relu", "Elu<alpha: float = @k>")),
    Broken("function-with-an-unknown-attribute", CALLING.replace("f(x)", "f<k = 1>(x)") + FUNCTION),
    Broken("function-refers-nowhere", CALLING + FUNCTION.replace("Relu", "Elu<alpha: float = @k>")),
    # --- all at once ---
    Broken("many-things", "g (float[2] x) => (float[9] y) { a = Relo(x) b = Concat(a) c = Relu(b, b) y = Relu(x) }",
           model_field(ir_version=99)),
]
