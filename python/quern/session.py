# SPDX-License-Identifier: Apache-2.0
"""InferenceSession: a model, ready to run from any thread."""
import functools
import os
import threading

from . import _quern
from .options import SessionOptions
from .values import type_text, value_in, value_out

PROVIDER = "CPUExecutionProvider"


def get_available_providers():
    """The devices, by the names that ONNX Runtime gives them."""
    return [PROVIDER]


def get_device():
    return "CPU"


@functools.lru_cache(maxsize=None)
def thread_pool(count):
    """The threads that all sessions of that count share."""
    return _quern.Pool(count)


class NodeArg:
    """An input or output: its name, its shape (sizes; a name or None where any size will do), its type."""

    __slots__ = ("name", "shape", "type", "is_optional", "element", "is_tensor")

    def __init__(self, name, element, shape, text, is_optional):
        self.name = name
        self.shape = [] if shape is None else list(shape)
        self.type = type_text(text)
        self.is_optional = is_optional  # it may be left out of a run
        self.element = element
        self.is_tensor = self.type.startswith("tensor(")

    def __repr__(self):
        return f"NodeArg(name='{self.name}', type='{self.type}', shape={self.shape})"


class ModelMetadata:
    """What the model says of itself."""

    FIELDS = ("producer_name", "graph_name", "domain", "description", "graph_description")

    def __init__(self, properties):
        properties = dict(properties)
        for field in self.FIELDS:
            setattr(self, field, properties.pop(field, ""))
        self.version = int(properties.pop("model_version", 0))
        self.custom_metadata_map = properties


def check_providers(providers):
    """Providers are names or (name, options); that of the CPU has to be among them, since it is what computes."""
    names = [name if isinstance(name, str) else name[0] for name in providers or [PROVIDER]]
    if PROVIDER not in names:
        raise _quern.Unsupported(f"there is no provider {', '.join(names)}, expected {PROVIDER} among them")
    return [PROVIDER]


def build_plan(model, options):
    arguments = options.plan_arguments()
    if isinstance(model, (str, os.PathLike)):
        return _quern.Plan(os.fsencode(model), None, "", **arguments)
    return _quern.Plan(None, bytes(model), "model", **arguments)


class InferenceSession:
    """A model compiled for this machine.

    Any number of threads may run it at once: each run takes a context of its own, except where the model keeps a state
    from run to run; such runs wait for one another.  Inputs are borrowed while a run lasts, outputs own their memory.
    An input that is a state, has a default, or is optional may be left out.
    """

    def __init__(self, path_or_bytes, sess_options=None, providers=None, provider_options=None, **kwargs):
        del provider_options, kwargs  # as ONNX Runtime does, options that nobody knows are passed over
        self._options = sess_options or SessionOptions()
        self._providers = check_providers(providers)
        self._plan = build_plan(path_or_bytes, self._options)
        self._inputs = [NodeArg(*info) for info in self._plan.inputs]
        self._outputs = [NodeArg(*info) for info in self._plan.outputs]
        self._input_names = {arg.name: i for i, arg in enumerate(self._inputs)}
        self._output_names = {arg.name: i for i, arg in enumerate(self._outputs)}
        self._lock = threading.Lock() if self._plan.states else None
        self._idle = [self._new_context()]

    def _new_context(self):
        return _quern.Session(self._plan, thread_pool(self._options.intra_op_num_threads),
                              **self._options.session_arguments())

    # ---- running ----

    def run(self, output_names, input_feed, run_options=None):
        """Runs the model once.  Gives the outputs of those names, in that order; None or []: all."""
        wanted = self._find_outputs(output_names)
        flags = tuple(i in wanted for i in range(len(self._outputs)))
        inputs = self._make_inputs(input_feed)
        arguments = run_options.run_arguments() if run_options else {}
        if self._lock:
            with self._lock:
                made = self._idle[0].run(inputs, flags, **arguments)
        else:
            made = self._run_in_context(inputs, flags, arguments)
        return [value_out(made[i]) for i in wanted]

    def _run_in_context(self, inputs, flags, arguments):
        try:
            context = self._idle.pop()
        except IndexError:  # all are at work in other threads
            context = self._new_context()
        try:
            return context.run(inputs, flags, **arguments)
        finally:
            self._idle.append(context)

    def _find_outputs(self, names):
        if not names:
            return range(len(self._outputs))
        for name in names:
            if name not in self._output_names:
                raise _quern.BadArgument(f"there is no output '{name}', expected {_list(self._output_names)}")
        return [self._output_names[name] for name in names]

    def _make_inputs(self, feed):
        for name in feed:
            if name not in self._input_names:
                raise _quern.BadArgument(f"there is no input '{name}', expected {_list(self._input_names)}")
        return tuple(value_in(feed.get(arg.name), arg.element, arg.is_tensor) for arg in self._inputs)

    # ---- states ----

    def get_states(self):
        """The (input, output) pairs that are kept from run to run."""
        return [(source, target) for source, target, _ in self._plan.states]

    def reset_states(self):
        """Forgets the states: the next run begins anew."""
        if self._lock:
            with self._lock:
                self._idle[0].reset()

    # ---- describing ----

    def get_inputs(self):
        return list(self._inputs)

    def get_outputs(self):
        return list(self._outputs)

    def get_overridable_initializers(self):
        return [arg for arg in self._inputs if arg.is_optional]

    def get_modelmeta(self):
        return ModelMetadata(self._plan.properties)

    def get_session_options(self):
        return self._options

    def get_providers(self):
        return list(self._providers)

    def set_providers(self, providers=None, provider_options=None):
        del provider_options
        self._providers = check_providers(providers)

    def get_memory(self):
        """{kind: bytes} of one context after its last run."""
        return self._idle[0].memory()


def _list(names):
    return ", ".join(f"'{name}'" for name in names)
