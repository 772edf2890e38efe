# SPDX-License-Identifier: Apache-2.0
"""Operators of ai.onnx.ml."""
import elements
import formulas
import numpy as np
from onnx import numpy_helper
from recipe import add, node, rand, raw, tensor_of, val


def is_text(variable):
    return lambda types: "string" in types[variable]


def either(variable, for_text, otherwise):
    """An attribute for texts, another for numbers: which of two is there."""
    return lambda types: for_text if is_text(variable)(types) else otherwise


WEIGHTS = [0.5, -1.0, 2.0, 1.5, 0.25, -0.5]

add("ArrayFeatureExtractor", node([rand(2, 4), val([0, 3])]))
add("Binarizer", node([rand(2, 4)], threshold=0.5))
add(
    "CategoryMapper",
    node([
        raw(lambda text, rng: np.array(["a", "b", "?"], object) if "string" in text else np.array([1, 2, 9], np.int64))
    ],
         cats_strings=["a", "b"],
         cats_int64s=[1, 2],
         where=lambda t: t["T1"] != t["T2"],
         product=True))
add(
    "DictVectorizer",
    node([raw(lambda text, rng: mapping(text))],
         string_vocabulary=lambda t: ["a", "b", "c"] if "map(string" in t["T1"] else None,
         int64_vocabulary=lambda t: [1, 2, 3] if "map(int64" in t["T1"] else None,
         ties={"T2": lambda t: f"tensor({t['T1'].split(', ')[1][:-1]})"},
         formula=formulas.dict_row))
add(
    "CastMap",
    node([raw(lambda text, rng: mapping(text))],
         cast_to=lambda t: {
             "float": "TO_FLOAT",
             "string": "TO_STRING",
             "int64": "TO_INT64"
         }[elements.element_of(t["T2"])],
         product=True,
         formula=formulas.map_row))
add("FeatureVectorizer", node([rand(2, 3), rand(2, 1)], inputdimensions=[3, 1]))
add(
    "Imputer",
    node([val([[1, 2, 3], [2, 1, 1]])],
         imputed_value_floats=lambda t: [7.0, 8.0, 9.0] if elements.is_float(elements.element_of(t["T"])) else None,
         replaced_value_float=lambda t: 1.0 if elements.is_float(elements.element_of(t["T"])) else None,
         imputed_value_int64s=lambda t: None if elements.is_float(elements.element_of(t["T"])) else [7, 8, 9],
         replaced_value_int64=lambda t: None if elements.is_float(elements.element_of(t["T"])) else 1))
add(
    "LabelEncoder",
    node([val([1, 2, 9])],
         keys_tensor=tensor_of("T1", [1, 2]),
         values_tensor=tensor_of("T2", [4, 5]),
         default_tensor=tensor_of("T2", [7]),
         product=True))
add(
    "LinearClassifier",
    node([rand(2, 3)],
         coefficients=WEIGHTS,
         intercepts=[0.5, -0.25],
         classlabels_strings=either("T2", ["no", "yes"], None),
         classlabels_ints=either("T2", None, [3, 5])))
add("LinearRegressor",
    node([rand(2, 3)], coefficients=WEIGHTS, intercepts=[0.5, -0.25], targets=2, formula=formulas.as_float))
add("Normalizer", node([val([[1, 2, 2], [3, 0, 4]])], norm="L2"), node([val([[1, 2, 2]])], norm="L1"),
    node([val([[1, 2, 2]])]))
add("OneHotEncoder",
    node([val([[1, 2], [9, 1]])], cats_strings=either("T", ["1", "2"], None), cats_int64s=either("T", None, [1, 2])))
add("Scaler", node([rand(2, 3)], scale=[2.0, 1.0, 0.5], offset=[0.5, 0.0, -1.0]))
add(
    "SVMRegressor",
    node([rand(2, 3)],
         coefficients=[0.5, -1.0],
         n_supports=2,
         rho=[0.25],
         support_vectors=WEIGHTS,
         kernel_type="RBF",
         kernel_params=[0.5, 0.0, 3.0],
         formula=formulas.as_float))
add(
    "SVMClassifier",
    node([rand(2, 3)],
         coefficients=[0.5, -1.0],
         vectors_per_class=[1, 1],
         rho=[0.25],
         support_vectors=WEIGHTS,
         kernel_type="RBF",
         kernel_params=[0.5, 0.0, 3.0],
         classlabels_strings=either("T2", ["no", "yes"], None),
         classlabels_ints=either("T2", None, [3, 5])))
add(
    "TreeEnsemble",
    node([rand(3, 2)],
         n_targets=2,
         aggregate_function=1,
         post_transform=0,
         tree_roots=[0],
         nodes_modes=numpy_helper.from_array(np.array([0], np.uint8)),
         nodes_featureids=[1],
         nodes_splits=tensor_of("T", [0.5]),
         nodes_truenodeids=[0],
         nodes_trueleafs=[1],
         nodes_falsenodeids=[1],
         nodes_falseleafs=[1],
         leaf_targetids=[0, 1],
         leaf_weights=tensor_of("T", [1.5, -2])))
add(
    "ZipMap",
    node([rand(2, 3)],
         classlabels_strings=lambda t: ["a", "b", "c"] if "string" in t["T"] else None,
         classlabels_int64s=lambda t: None if "string" in t["T"] else [1, 2, 3]))


def mapping(text):
    """A map of the type, whose keys are 1 and 3, or "a" and "c"."""
    key, value = elements.inside(text, "map").split(", ")
    keys = ["a", "c"] if key == "string" else [1, 3]
    values = ["7", "8"] if value == "string" else elements.cast([2, 5], value).tolist()
    return dict(zip(keys, values))
