# SPDX-License-Identifier: Apache-2.0
"""The language of the recipes: what goes into an operator so that it has something sensible to do.

    RECIPES["Pad"] = [node([rand(2, 3), val([0, 1, 2, 0]), val(1)], mode="constant")]

An input is a spec: a function of (type, rng) that makes a value.  An attribute is a value, or a function of the chosen
types.  Specs know no type: the schema's formal says it, so that one recipe serves every type.
"""
from dataclasses import dataclass, field

import elements
import numpy as np
from onnx import helper, numpy_helper

RECIPES = {}


@dataclass
class Recipe:
    """One node.  `ties`: {variable: function of the types} for type variables that follow from others.  `where`: which
    choices of types are meant to work.  `product`: all choices of all variables, not one after the other.  `output_types`:
    those that follow from no variable.  `only_shape`: random operators.  `constant`: inputs that are initializers."""

    inputs: list
    attributes: dict = field(default_factory=dict)
    outputs: object = None  # how many, or a function of the types; None: all of the schema
    ties: dict = field(default_factory=dict)
    where: object = None
    product: bool = False
    only_shape: bool = False
    exact: bool = False  # the oracle is onnx.reference, whatever ONNX Runtime says
    mixed: bool = False  # the coarsest float among all types bounds the error, not the output's
    formula: object = None  # function of the case that gives the outputs, for what no oracle computes
    constant: tuple = ()
    defaults: dict = field(default_factory=dict)  # the types that variables have while others are tried


KEYWORDS = ("mixed", "outputs", "ties", "where", "product", "only_shape", "exact", "formula", "constant", "defaults")


def node(inputs, **named):
    """A recipe; what is no field of it is an attribute.  A trailing _ is cut off: `mode_`."""
    fields = {name: named.pop(name) for name in KEYWORDS if name in named}
    return Recipe(inputs, {name.rstrip("_"): value for name, value in named.items()}, **fields)


def add(names, *recipes):
    for name in names.split():
        RECIPES[name] = list(recipes)


# ---- inputs ----


def collection(make):
    """Sequences of three values, optionals with one."""

    def spec(text, rng):
        if elements.inside(text, "optional"):
            return spec(elements.inside(text, "optional"), rng)
        if elements.inside(text, "seq"):
            return [spec(elements.inside(text, "seq"), rng) for _ in range(3)]
        return make(elements.element_of(text), rng)

    return spec


def rand(*shape, low=-2.0, high=2.0):
    return collection(lambda element, rng: elements.draw(element, shape, rng, low, high))


def positive(*shape):
    return rand(*shape, low=0.5, high=2.0)


def val(literal):
    """Numbers, strings or truth values, whatever the type."""

    def make(element, rng):
        del rng
        if element == "string":
            return np.vectorize(str, otypes=[object])(np.array(literal))
        return elements.cast(literal, element)

    return collection(make)


def edge():
    """The type's edges and some common numbers behind them."""
    return collection(lambda element, rng: np.concatenate([elements.edges(element),
                                                           elements.draw(element, (5, ), rng)]))


def edge_left(without=()):
    """All pairs of edges come from a column and a row."""
    return collection(lambda element, rng: drop(elements.edges(element), without)[:, None])


def edge_right(without=()):
    return collection(lambda element, rng: drop(elements.edges(element), without)[None, :])


def drop(values, without):
    return values[~np.isin(values.astype(np.float64), without)] if len(without) else values


def fill(function):
    """function(rng) -> numbers, cast to the type."""
    return collection(lambda element, rng: np.asarray(function(rng)).astype(elements.dtype_of(element)))


def raw(function):
    """function(type, rng) -> the value itself."""
    return function


# ---- attributes ----


def type_of(variable):
    """The number of a variable's element type."""
    return lambda types: elements.number_of(types[variable])


def tensor_of(variable, literal):
    """A TensorProto of a variable's element type."""

    def make(types):
        element = elements.element_of(types[variable])
        values = np.array(literal)
        if element != "string":
            values = elements.cast(literal, element)
        if element.startswith("complex"):
            values = values.astype(elements.dtype_of(element))
        return numpy_helper.from_array(np.asarray(values), "value") if element != "string" else helper.make_tensor(
            "value", elements.NUMBERS["string"], values.shape, [str(v).encode() for v in values.ravel()])

    return make


# ---- choices ----


def seq_of(variable):
    return lambda types: f"seq({types[variable]})"


def item_of(variable):
    return lambda types: elements.inside(types[variable], "seq")


def same_as(variable):
    return lambda types: types[variable]
