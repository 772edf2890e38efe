# SPDX-License-Identifier: Apache-2.0
"""From the schemas and the recipes to small models: one per operator and choice of types."""
import itertools
import zlib
from dataclasses import dataclass

import elements
import numpy as np
import recipes_math  # noqa: F401  they fill RECIPES
import recipes_ml  # noqa: F401
import recipes_move  # noqa: F401
from onnx import defs, helper, numpy_helper
from recipe import RECIPES

OPSETS = {"": 28, "ai.onnx.ml": 5, "ai.onnx.preview": 1, "ai.onnx.preview.training": 1}
IR_VERSION = 14
FIRST_CHOICES = ["tensor(float)", "tensor(int64)", "tensor(int32)"]  # what variables are while others are tried


def newest_schemas():
    """{name: schema} of the operators that exist in the newest operator sets."""
    newest = {}
    for schema in defs.get_all_schemas_with_history():
        key = (schema.domain, schema.name)
        if key not in newest or schema.since_version > newest[key].since_version:
            newest[key] = schema
    return {name: schema for (_, name), schema in sorted(newest.items()) if not schema.deprecated}


SCHEMAS = newest_schemas()


@dataclass
class Case:
    """A node with types chosen: what builds models of it in one way or another."""

    name: str  # "Pad#1 T=uint8": the recipe's number where there are several, the variables that were tried
    schema: object
    recipe: object
    types: dict  # {variable: type}
    values: list  # of the inputs; None: absent
    attributes: dict

    def formal(self, formals, i):
        """The type of the i-th parameter; the last one repeats."""
        text = formals[min(i, len(formals) - 1)].type_str
        return self.types.get(text, text)

    def input_types(self):
        return [self.formal(self.schema.inputs, i) for i in range(len(self.values))]

    def output_types(self):
        count = self.recipe.outputs(self.types) if callable(self.recipe.outputs) else self.recipe.outputs
        count = len(self.schema.outputs) if count is None else count
        return [self.formal(self.schema.outputs, i) for i in range(count)]

    def make_node(self):
        inputs = [
            f"i{i}" if value is not None or self.is_given_empty(i) else ""
            for i, value in enumerate(self.values)
        ]
        while inputs and not inputs[-1]:
            inputs.pop()
        outputs = [f"o{i}" for i in range(len(self.output_types()))]
        attributes = {name: value for name, value in self.attributes.items() if value is not None}
        return helper.make_node(self.schema.name, inputs, outputs, domain=self.schema.domain, **attributes)

    def is_given_empty(self, i):
        """An optional that is there and holds nothing."""
        return self.schema.name == "OptionalHasElement" and i < len(self.values)


def outer_value(case):
    """What If's branches read; not an input of the node."""
    rng = np.random.default_rng(5)
    return recipes_move.ITEMS(case.types["V"], rng)


def variables(schema):
    """{variable: its types}, in the order of the schema."""
    return {constraint.type_param_str: list(constraint.allowed_type_strs) for constraint in schema.type_constraints}


def first_choice(types):
    return next((text for text in FIRST_CHOICES if text in types), types[0])


def type_choices(schema, recipe):
    """All {variable: type} to try, and which variables each is about."""
    allowed = {name: types for name, types in variables(schema).items() if name not in recipe.ties}
    if recipe.product:
        for chosen in itertools.product(*allowed.values()):
            yield dict(zip(allowed, chosen)), list(allowed)
        return
    base = {name: recipe.defaults.get(name, first_choice(types)) for name, types in allowed.items()}
    seen = set()
    for name, types in allowed.items():
        for text in types:
            chosen = {**base, name: text}
            if tuple(chosen.values()) not in seen:
                seen.add(tuple(chosen.values()))
                yield chosen, [name]
    if not allowed:
        yield {}, []


def short(text):
    """A type in the name of a case: tensors are what most are."""
    match = elements.inside(text, "tensor")
    return match or text


def make_case(schema, recipe, label, chosen, about):
    types = {**chosen}
    for name, rule in recipe.ties.items():
        types[name] = rule(types)
        if types[name] not in variables(schema)[name]:
            return None
    if recipe.where and not recipe.where(types):
        return None
    name = " ".join([label, *(f"{variable}={short(types[variable])}" for variable in about)])
    rng = np.random.default_rng(zlib.crc32(name.encode()))
    attributes = {key: value(types) if callable(value) else value for key, value in recipe.attributes.items()}
    case = Case(name, schema, recipe, types, [], attributes)
    for i, spec in enumerate(recipe.inputs):
        case.values.append(None if spec is None else spec(case.formal(schema.inputs, i), rng))
    return case


def cases_of(name):
    """All cases of an operator."""
    schema, recipes = SCHEMAS[name], RECIPES[name]
    for i, recipe in enumerate(recipes):
        label = f"{name}#{i}" if len(recipes) > 1 else name
        for chosen, about in type_choices(schema, recipe):
            case = make_case(schema, recipe, label, chosen, about)
            if case:
                yield case


# ---- models ----


def tensor_proto(value, text, name):
    """An initializer."""
    element = elements.element_of(text)
    if element == "string":
        return helper.make_tensor(name, elements.NUMBERS["string"], value.shape,
                                  [str(v).encode() for v in value.ravel()])
    return numpy_helper.from_array(np.asarray(value), name)


def shape_of(value):
    return list(value.shape) if isinstance(value, np.ndarray) else None


def can_be_constant(value, text):
    return text.startswith("tensor") and value is not None


def build(case, constant=(), extra=(), outputs=None, opset=None):
    """A model of the case's node.  `constant`: which inputs are initializers; `extra`: nodes behind it; `outputs`: [(name,
    type)] where not the node's."""
    graph_inputs, initializers = [], []
    texts = case.input_types()
    given = [(f"i{i}", value, text) for i, (value, text) in enumerate(zip(case.values, texts))
             if value is not None or case.is_given_empty(i)]
    if case.schema.name == "If":
        given.append(("outer", outer_value(case), case.types["V"]))
    for i, (name, value, text) in enumerate(given):
        if i in constant and can_be_constant(value, text):
            initializers.append(tensor_proto(value, text, name))
        else:
            graph_inputs.append(helper.make_value_info(name, elements.type_proto(text, shape_of(value))))
    outputs = outputs or [(f"o{i}", text) for i, text in enumerate(case.output_types())]
    graph = helper.make_graph([case.make_node(), *extra], "types", graph_inputs,
                              [helper.make_value_info(name, elements.type_proto(text)) for name, text in outputs],
                              initializers)
    opsets = {**OPSETS, "": opset or OPSETS[""]}
    imports = [helper.make_opsetid(domain, opsets[domain]) for domain in sorted({"", case.schema.domain})]
    return helper.make_model(graph, opset_imports=imports, ir_version=IR_VERSION)


def feed(case, constant=()):
    """{input: value} for build() with the same `constant`."""
    values = [(f"i{i}", value) for i, value in enumerate(case.values) if value is not None or case.is_given_empty(i)]
    texts = [text for i, text in enumerate(case.input_types()) if case.values[i] is not None or case.is_given_empty(i)]
    if case.schema.name == "If":
        values.append(("outer", outer_value(case)))
        texts.append(case.types["V"])
    return {
        name: value
        for i, ((name, value), text) in enumerate(zip(values, texts))
        if not (i in constant and can_be_constant(value, text))
    }
