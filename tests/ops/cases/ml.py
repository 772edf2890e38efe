# SPDX-License-Identifier: Apache-2.0
"""ai.onnx.ml: every operator and version that ONNX's published cases leave out, which is nearly all of them."""
import numpy as np
from onnx import TensorProto, helper

from cases.case import Case, floats, ints, one

ML = "ai.onnx.ml"
X = floats(4, 3)


def text(*words):
    return np.array(words, dtype=object)


def ml(name, op, inputs, outputs=1, version=1, **arguments):
    return one(name, op, inputs, outputs, domain=ML, opset=17, ml=version, **arguments)


def map_type(key, element):
    return helper.make_map_type_proto(key, helper.make_tensor_type_proto(element, None))


def of_map(name, op, value, types, expect=None, **attributes):
    """A case whose input is a map."""
    model = ml("", op, [np.float32(0)], **attributes, expect=[]).model
    model.graph.input[0].type.CopyFrom(map_type(*types))
    return Case(name, model, [value], expect)


def maps():
    words, numbers = (TensorProto.STRING, TensorProto.FLOAT), (TensorProto.INT64, TensorProto.FLOAT)
    yield of_map("cast_map_dense", "CastMap", {2: 1.5, 5: -2.0, 9: 0.25}, numbers)
    yield of_map("cast_map_sparse", "CastMap", {1: 1.5, 4: -2.0}, numbers, map_form="SPARSE", max_map=6)
    yield of_map("cast_map_int", "CastMap", {1: 1.5, 4: -2.0}, numbers, cast_to="TO_INT64")
    yield of_map("cast_map_text", "CastMap", {1: "2.5", 4: "-3"}, (TensorProto.INT64, TensorProto.STRING),
                 [np.float32([[2.5, -3]])])
    yield of_map("dict_vectorizer_words", "DictVectorizer", {"a": 4.0, "d": 8.0}, words, string_vocabulary=["a", "c", "b", "d"])
    yield of_map("dict_vectorizer_numbers", "DictVectorizer", {3: 4.0, 7: 8.0}, numbers, int64_vocabulary=[7, 5, 3])
    words = ["no", "maybe", "yes"]
    yield zip_map("zip_map_words", classlabels_strings=words)
    yield zip_map("zip_map_numbers", classlabels_int64s=[10, 20, 30])


def zip_map(name, **attributes):
    key = TensorProto.STRING if "classlabels_strings" in attributes else TensorProto.INT64
    case = ml(name, "ZipMap", [X], expect=[], **attributes)
    proto = helper.make_sequence_type_proto(map_type(key, TensorProto.FLOAT))
    case.model.graph.output[0].type.CopyFrom(proto)
    labels = next(iter(attributes.values()))
    case.expect = [[dict(zip(labels, map(float, row))) for row in X]]
    return case


def categories():
    cats = {"cats_int64s": [1, 2, 3], "cats_strings": ["one", "two", "three"]}
    yield ml("category_mapper_words", "CategoryMapper", [text("two", "four", "three")], default_int64=7, **cats)
    yield ml("category_mapper_numbers", "CategoryMapper", [np.int64([[3, 9], [1, 2]])], default_string="none", **cats)
    for zeros in (0, 1):
        yield ml(f"one_hot_encoder_words_{zeros}", "OneHotEncoder", [text("b", "a", "c", "b")], cats_strings=["a", "b", "c"],
                 zeros=zeros)
    yield ml("one_hot_encoder_numbers", "OneHotEncoder", [np.int64([[3, 9], [1, 7]])], cats_int64s=[1, 3, 7])
    yield ml("one_hot_encoder_floats", "OneHotEncoder", [np.float32([3, 1, 4])], cats_int64s=[1, 3, 7])


def labels():
    yield ml("label_encoder_1_words", "LabelEncoder", [text("b", "x", "a")], classes_strings=["a", "b"], default_int64=9)
    yield ml("label_encoder_1_numbers", "LabelEncoder", [np.int64([1, 5, 0])], classes_strings=["a", "b"], default_string="none")
    rows = [
        ("words_words", text("b", "x"), {"keys_strings": ["a", "b"], "values_strings": ["A", "B"], "default_string": "?"}),
        ("words_numbers", text("b", "x"), {"keys_strings": ["a", "b"], "values_int64s": [4, 5], "default_int64": -7}),
        ("words_floats", text("b", "x"), {"keys_strings": ["a", "b"], "values_floats": [0.5, 1.5], "default_float": 3.0}),
        ("numbers_words", np.int64([3, 4]), {"keys_int64s": [3, 5], "values_strings": ["A", "B"]}),
        ("numbers_numbers", np.int64([3, 4]), {"keys_int64s": [3, 5], "values_int64s": [30, 50]}),
        ("numbers_floats", np.int64([[3, 4]]), {"keys_int64s": [3, 5], "values_floats": [0.25, 0.5]}),
        ("floats_words", np.float32([1.5, np.nan, 2]), {"keys_floats": [1.5, float("nan")], "values_strings": ["A", "B"]}),
        ("floats_numbers", np.float32([1.5, 2]), {"keys_floats": [1.5, 2.5], "values_int64s": [1, 2]}),
        ("floats_floats", np.float32([1.5, 2]), {"keys_floats": [1.5, 2.5], "values_floats": [10.0, 20.0]}),
    ]
    for name, x, attributes in rows:
        for version in (2, 4):
            is_nan = name == "floats_words" and version == 2  # which version 4 says equals NaN
            if not is_nan:
                yield ml(f"label_encoder_{version}_{name}", "LabelEncoder", [x], version=version, **attributes)


def features():
    yield ml("feature_vectorizer", "FeatureVectorizer", [X, floats(4, 2, seed=1), floats(4, 1, seed=2)], inputdimensions=[3, 2, 1])
    yield ml("feature_vectorizer_numbers", "FeatureVectorizer", [ints(2, 2), ints(2, 3, seed=1)], inputdimensions=[2, 3])
    hole = np.float32([[1, np.nan, 3], [np.nan, 5, 6]])
    yield ml("imputer_nan", "Imputer", [hole], imputed_value_floats=[7.0, 8.0, 9.0], replaced_value_float=float("nan"))
    yield ml("imputer_one", "Imputer", [np.float32([[1, 0, 3], [0, 5, 6]])], imputed_value_floats=[7.0], replaced_value_float=0.0)
    yield ml("imputer_numbers", "Imputer", [np.int64([[1, -1], [-1, 4]])], imputed_value_int64s=[8, 9], replaced_value_int64=-1)
    for norm in ("MAX", "L1", "L2"):
        yield ml(f"normalizer_{norm.lower()}", "Normalizer", [X], norm=norm)
    yield ml("normalizer_numbers", "Normalizer", [np.int64([[3, 4], [5, 12]])], norm="L2")
    yield ml("normalizer_vector", "Normalizer", [np.float32([3, -4, 1])], norm="L1")
    for name, x in (("floats", X), ("numbers", ints(4, 3)), ("doubles", floats(4, 3, dtype=np.float64)),
                    ("int32", ints(4, 3, dtype=np.int32))):
        yield ml(f"scaler_{name}", "Scaler", [x], offset=[0.5, -1.0, 2.0], scale=[2.0, 0.5, -1.0])
    yield ml("scaler_one", "Scaler", [X], offset=[0.5], scale=[2.0])


POSTS = ("NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT")


def linear():
    numbers = [float(v) for v in floats(9, low=-0.3, high=0.3, seed=7)]
    for post in POSTS:
        small = {"low": 0.1, "high": 0.9} if post == "PROBIT" else {}
        coefficients = [0.2, 0.1, 0.3] * 3 if post == "PROBIT" else numbers
        x = floats(4, 3, **small)
        yield ml(f"linear_regressor_{post.lower()}", "LinearRegressor", [x], coefficients=coefficients, targets=3,
                 intercepts=[0.1, 0.2, 0.05], post_transform=post)
        yield ml(f"linear_classifier_{post.lower()}", "LinearClassifier", [x], 2, coefficients=coefficients,
                 intercepts=[0.1, 0.2, 0.05], classlabels_ints=[7, 3, 5], post_transform=post)
    yield ml("linear_classifier_words", "LinearClassifier", [X], 2, coefficients=numbers, intercepts=[0.0, 0.0, 0.0],
             classlabels_strings=["a", "b", "c"])
    yield ml("linear_classifier_binary", "LinearClassifier", [X], 2, coefficients=numbers[:3], intercepts=[0.1],
             classlabels_ints=[0, 1], post_transform="LOGISTIC")
    yield ml("linear_classifier_binary_words", "LinearClassifier", [X], 2, coefficients=numbers[:6], intercepts=[0.1, -0.1],
             classlabels_strings=["no", "yes"], post_transform="SOFTMAX", multi_class=1)
    yield ml("linear_classifier_numbers", "LinearClassifier", [ints(4, 3)], 2, coefficients=numbers, intercepts=[0.1, 0.2, 0.3],
             classlabels_ints=[1, 2, 3])
    yield ml("linear_regressor_vector", "LinearRegressor", [floats(1, 3)], coefficients=numbers[:3])


KERNELS = (("LINEAR", [0.0, 0.0, 0.0]), ("POLY", [0.5, 1.0, 3.0]), ("RBF", [0.7, 0.0, 0.0]), ("SIGMOID", [0.3, 0.1, 0.0]))


def list_of(*shape, **arguments):
    return [float(v) for v in floats(*shape, **arguments).ravel()]


def support_vectors():
    vectors = list_of(5, 3, seed=3)
    for kernel, params in KERNELS:
        common = {"kernel_type": kernel, "kernel_params": params, "support_vectors": vectors}
        yield ml(f"svm_regressor_{kernel.lower()}", "SVMRegressor", [X], coefficients=list_of(5, seed=4), rho=[0.3], n_supports=5,
                 **common)
        yield ml(f"svm_one_class_{kernel.lower()}", "SVMRegressor", [X], coefficients=list_of(5, seed=4), rho=[-0.1], n_supports=5,
                 one_class=1, **common)
        yield ml(f"svm_classifier_{kernel.lower()}", "SVMClassifier", [X], 2, coefficients=list_of(2, 5, seed=5),
                 rho=[0.1, -0.2, 0.05], vectors_per_class=[2, 1, 2], classlabels_ints=[4, 5, 6], **common)
        yield ml(f"svm_probabilities_{kernel.lower()}", "SVMClassifier", [X], 2, coefficients=list_of(2, 5, seed=5),
                 rho=[0.1, -0.2, 0.05], vectors_per_class=[2, 1, 2], classlabels_strings=["a", "b", "c"],
                 prob_a=[-1.5, -0.8, -1.1], prob_b=[0.1, 0.0, -0.2], **common)
    yield ml("svm_regressor_weights", "SVMRegressor", [X], coefficients=list_of(3, seed=4), rho=[0.3], kernel_type="LINEAR",
             kernel_params=[0.0, 0.0, 0.0])
    binary = {"kernel_type": "RBF", "kernel_params": [0.7, 0.0, 0.0], "support_vectors": vectors, "rho": [0.1],
              "vectors_per_class": [3, 2], "coefficients": list_of(5, seed=5)}
    yield ml("svm_classifier_binary", "SVMClassifier", [X], 2, classlabels_ints=[0, 1], **binary)
    for post in ("SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"):
        yield ml(f"svm_classifier_binary_{post.lower()}", "SVMClassifier", [X], 2, classlabels_ints=[0, 1], post_transform=post,
                 **binary)
    yield ml("svm_classifier_positive", "SVMClassifier", [X], 2, classlabels_ints=[0, 1],
             **{**binary, "coefficients": [0.1, 0.4, 0.2, 0.3, 0.5], "rho": [-0.6]})
    yield ml("svm_classifier_binary_words", "SVMClassifier", [X], 2, classlabels_strings=["no", "yes"], **binary)
    yield ml("svm_classifier_binary_probabilities", "SVMClassifier", [X], 2, classlabels_ints=[0, 1], prob_a=[-1.2], prob_b=[0.1],
             **binary)
    for post in ("SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"):
        yield ml(f"svm_classifier_{post.lower()}", "SVMClassifier", [X], 2, coefficients=list_of(2, 5, seed=5), kernel_type="LINEAR",
                 rho=[0.1, -0.2, 0.05], vectors_per_class=[2, 1, 2], classlabels_ints=[4, 5, 6], support_vectors=vectors,
                 kernel_params=[0.0, 0.0, 0.0], post_transform=post)
    yield ml("svm_classifier_weights", "SVMClassifier", [X], 2, coefficients=list_of(3, 3, seed=5), rho=[0.1],
             classlabels_ints=[4, 5, 6], kernel_type="LINEAR", kernel_params=[0.0, 0.0, 0.0])
    for name, weights in (("mixed", list_of(2, 3, seed=5)), ("positive", [0.2, 0.1, 0.6, 0.4, 0.3, 0.1])):
        for post in ("NONE", "LOGISTIC", "SOFTMAX"):
            yield ml(f"svm_classifier_two_{name}_{post.lower()}", "SVMClassifier", [X], 2, coefficients=weights, rho=[0.1],
                     classlabels_ints=[4, 5], kernel_type="LINEAR", kernel_params=[0.0, 0.0, 0.0], post_transform=post)
    yield ml("svm_classifier_two_probabilities", "SVMClassifier", [X], 2, coefficients=list_of(2, 3, seed=5), rho=[0.1],
             classlabels_strings=["no", "yes"], kernel_type="LINEAR", kernel_params=[0.0, 0.0, 0.0], prob_a=[-1.2], prob_b=[0.1])
    yield ml("svm_probabilities_probit", "SVMClassifier", [X], 2, classlabels_ints=[0, 1], prob_a=[-1.2], prob_b=[0.1],
             post_transform="PROBIT", **binary)
    yield ml("svm_regressor_one_row", "SVMRegressor", [floats(1, 3)], coefficients=list_of(5, seed=4), rho=[0.3], n_supports=5,
             support_vectors=vectors, kernel_type="RBF", kernel_params=[0.1, 0.0, 0.0])


def forest(kind, modes=("BRANCH_LEQ",) * 3, missing=False):
    """Two trees: three inner nodes and four leaves; one inner node and two leaves."""
    prefix = {"Classifier": "class", "Regressor": "target"}[kind]
    nodes = {
        "nodes_treeids": [0] * 7 + [1] * 3,
        "nodes_nodeids": [0, 1, 2, 3, 4, 5, 6, 0, 1, 2],
        "nodes_featureids": [0, 1, 2, 0, 0, 0, 0, 1, 0, 0],
        "nodes_modes": [*modes, *["LEAF"] * 4, modes[0], "LEAF", "LEAF"],
        "nodes_truenodeids": [1, 3, 5, 0, 0, 0, 0, 1, 0, 0],
        "nodes_falsenodeids": [2, 4, 6, 0, 0, 0, 0, 2, 0, 0],
        "nodes_missing_value_tracks_true": [1 if missing else 0] * 10,
    }
    leaves = {f"{prefix}_treeids": [0, 0, 0, 0, 1, 1], f"{prefix}_nodeids": [3, 4, 5, 6, 1, 2], f"{prefix}_ids": [0, 1, 2, 0, 1, 2]}
    return nodes, leaves


VALUES = [0.1, -0.2, 0.5, 0.0, 0.0, 0.0, 0.0, 0.3, 0.0, 0.0]
WEIGHTS = [0.3, 0.9, -0.4, 0.7, 0.25, 0.6]
ROWS = np.float32([[0.1, -0.3, 0], [0.2, 0.3, 0.5], [-1, -0.2, 0.6], [0.3, 0.5, -2], [-0.5, 0.7, 0.1]])


def trees():
    """Version 3 has the same numbers as doubles; since 5 the operators are gone, and mean what they meant."""
    as_tensor = lambda name, values: helper.make_tensor(name, TensorProto.DOUBLE, [len(values)], values)  # noqa: E731
    for version in (1, 3, 5):
        for kind, op, extra in (("Classifier", "TreeEnsembleClassifier", {"classlabels_int64s": [4, 5, 6]}),
                                ("Regressor", "TreeEnsembleRegressor", {"n_targets": 3})):
            nodes, leaves = forest(kind)
            key = "class_weights" if kind == "Classifier" else "target_weights"
            numbers = {"nodes_values": VALUES, key: WEIGHTS}
            x = ROWS
            if version == 3:
                numbers = {f"{name}_as_tensor": as_tensor(name, values) for name, values in numbers.items()}
                x = ROWS.astype(np.float64)
            outputs = 2 if kind == "Classifier" else 1
            case = ml(f"tree_ensemble_{kind.lower()}_{version}", op, [x], outputs, min(version, 3), **nodes, **leaves, **numbers, **extra)
            if version == 5:
                case.model.opset_import[1].version = 5
                case.expect = tree_outputs(case, 3)
            yield case
    nodes, leaves = forest("Regressor", ("BRANCH_LT", "BRANCH_GTE", "BRANCH_GT"))
    leaves["target_ids"] = [0, 0, 0, 0, 1, 1]  # every row reaches every target: ONNX Runtime forgets the others' base values
    for aggregate in ("SUM", "AVERAGE", "MIN", "MAX"):
        yield ml(f"tree_ensemble_regressor_{aggregate.lower()}", "TreeEnsembleRegressor", [ROWS], n_targets=2,
                 aggregate_function=aggregate, base_values=[0.1, 0.2], nodes_values=VALUES, target_weights=WEIGHTS, **nodes,
                 **leaves)
    nodes, leaves = forest("Regressor", ("BRANCH_EQ", "BRANCH_NEQ", "BRANCH_LEQ"), missing=True)
    rows = ROWS.copy()
    rows[0, 0] = rows[2, 1] = rows[3, 2] = np.nan
    yield ml("tree_ensemble_regressor_missing", "TreeEnsembleRegressor", [rows], n_targets=3, nodes_values=VALUES,
             target_weights=WEIGHTS, **nodes, **leaves)
    nodes, leaves = forest("Classifier")
    yield ml("tree_ensemble_classifier_negative", "TreeEnsembleClassifier", [ROWS], 2, nodes_values=VALUES,
             class_weights=[-1.3, -0.9, -0.4, -0.7, -0.25, -0.6], classlabels_int64s=[7, 8, 9], **nodes, **leaves)
    for post in ("SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO"):
        yield ml(f"tree_ensemble_classifier_{post.lower()}", "TreeEnsembleClassifier", [ROWS], 2, nodes_values=VALUES,
                 class_weights=WEIGHTS, classlabels_strings=["a", "b", "c"], base_values=[0.1, 0.0, 0.2], post_transform=post, **nodes,
                 **leaves)
    leaves["class_ids"] = [0] * 6
    for post in ("NONE", "LOGISTIC"):
        yield ml(f"tree_ensemble_classifier_binary_{post.lower()}", "TreeEnsembleClassifier", [ROWS], 2, nodes_values=VALUES,
                 class_weights=WEIGHTS, classlabels_int64s=[0, 1], post_transform=post, **nodes, **leaves)


def tree_outputs(case, version):
    """What ONNX Runtime makes of the same model of an earlier version."""
    from onnx import ModelProto

    from cases.archive import run
    earlier = ModelProto()
    earlier.CopyFrom(case.model)
    earlier.opset_import[1].version = version
    return run(earlier, case.inputs)


CASES = [case for family in (maps, categories, labels, features, linear, support_vectors, trees) for case in family()]
