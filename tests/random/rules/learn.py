# SPDX-License-Identifier: Apache-2.0
"""ai.onnx.ml: rows of features."""
import numpy as np

from rules.common import small

ML = "ai.onnx.ml"


def pick_rows(graph, exact=False):
    return graph.pick(lambda v: v.dtype == np.float32 and v.rank == 2 and v.array.size and v.shape[1] <= 32 and
                      (v.exact or not exact))


def numbers(graph, count):
    return [float(number) for number in graph.random_array(count)]


def features(graph):
    op = graph.choose(["Scaler", "Normalizer", "Binarizer", "Imputer", "ArrayFeatureExtractor", "FeatureVectorizer"])
    x = pick_rows(graph, op == "Binarizer")
    if not x:
        return
    columns = x.shape[1]
    if op == "Scaler":
        graph.add(op, [x], domain=ML, offset=numbers(graph, columns), scale=numbers(graph, columns))
    elif op == "Normalizer":
        graph.add(op, [x], domain=ML, norm=graph.choose(["L1", "L2"]), accept=lambda made: np.abs(x.array).sum(1).min() > 0.1)
    elif op == "Binarizer":
        graph.add(op, [x], domain=ML, threshold=0.25, exact=[True])
    elif op == "Imputer":
        graph.add(op, [x], domain=ML, imputed_value_floats=numbers(graph, columns), replaced_value_float=float("nan"))
    elif op == "ArrayFeatureExtractor":
        graph.add(op, [x, graph.constant(graph.rng.integers(0, columns, 3))], domain=ML)
    else:
        graph.add(op, [x, x], domain=ML, inputdimensions=[columns, columns])


def encode(graph):
    x = graph.pick(lambda v: v.dtype == np.int64 or v.is_text)
    if not x:
        return
    keys = {"keys_strings": ["quern", "", "a b"]} if x.is_text else {"keys_int64s": [0, 1, 5]}
    values = graph.choose([{"values_int64s": [7, 8, 9]}, {"values_floats": [0.5, 1.5, 2.5], "default_float": -1.0},
                           {"values_strings": ["x", "y", "z"]}])
    if graph.chance(0.7):
        graph.add("LabelEncoder", [x], domain=ML, **keys, **values)
    else:
        cats = {"cats_strings": ["quern", "", "a b"]} if x.is_text else {"cats_int64s": [0, 1, 5]}
        graph.add("OneHotEncoder", [x], domain=ML, exact=[True], **cats)


def scores(graph):
    x = small(graph, pick_rows(graph))
    if not x:
        return
    columns = x.shape[1]
    post = graph.choose(["NONE", "SOFTMAX", "LOGISTIC"])
    if graph.chance(0.5):
        graph.add("LinearRegressor", [x], domain=ML, coefficients=numbers(graph, 2 * columns), intercepts=numbers(graph, 2), targets=2)
    else:
        graph.add("LinearClassifier", [x], 2, domain=ML, coefficients=numbers(graph, 3 * columns), intercepts=numbers(graph, 3),
                  classlabels_ints=[3, 5, 9], post_transform=post)


def trees(graph):
    x = pick_rows(graph, True)
    if not x:
        return
    feature = [graph.integer(0, x.shape[1] - 1) for _ in range(3)]
    nodes = {"nodes_treeids": [0] * 7, "nodes_nodeids": list(range(7)), "nodes_featureids": feature + [0] * 4,
             "nodes_modes": ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GT"] + ["LEAF"] * 4, "nodes_values": numbers(graph, 3) + [0.0] * 4,
             "nodes_truenodeids": [1, 3, 5, 0, 0, 0, 0], "nodes_falsenodeids": [2, 4, 6, 0, 0, 0, 0]}
    leaves = {"treeids": [0] * 4, "nodeids": [3, 4, 5, 6], "ids": [0, 1, 0, 1], "weights": numbers(graph, 4)}
    if graph.chance(0.5):
        graph.add("TreeEnsembleRegressor", [x], domain=ML, n_targets=2, **nodes, **{f"target_{k}": v for k, v in leaves.items()})
    else:
        leaves["ids"] = [0, 1, 2, 1]
        graph.add("TreeEnsembleClassifier", [x], 2, domain=ML, classlabels_int64s=[1, 2, 3], **nodes,
                  **{f"class_{k}": v for k, v in leaves.items()})
