# SPDX-License-Identifier: Apache-2.0
"""Runs trained neural networks, by the calls that ONNX Runtime's users know.

    import numpy, quern

    session = quern.InferenceSession("model.onnx")
    outputs = session.run(None, {"image": numpy.zeros((1, 3, 224, 224), numpy.float32)})

Failures are exceptions, quern.Error and its subclasses, whose text says what was found and what was expected.
"""
from ._quern import (BadArgument, BadModel, BadTensor, Cancelled, Error, Exists, FileError, InternalError, NotFound,
                     OutOfMemory, Unavailable, Unsupported)
from ._quern import version as __version__
from .options import ExecutionMode, GraphOptimizationLevel, RunOptions, SessionOptions
from .session import InferenceSession, ModelMetadata, NodeArg, get_available_providers, get_device

__all__ = [
    "BadArgument", "BadModel", "BadTensor", "Cancelled", "Error", "ExecutionMode", "Exists", "FileError",
    "GraphOptimizationLevel", "InferenceSession", "InternalError", "ModelMetadata", "NodeArg", "NotFound",
    "OutOfMemory", "RunOptions", "SessionOptions", "Unavailable", "Unsupported", "__version__",
    "get_available_providers", "get_device",
]
