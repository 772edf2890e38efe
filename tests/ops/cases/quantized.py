# SPDX-License-Identifier: Apache-2.0
"""What the families of quantized operators share."""
import numpy as np

from cases.case import ints, one

U8, I8, F32, I32 = np.uint8, np.int8, np.float32, np.int32


def of_microsoft(name, op, inputs, outputs=1, **options):
    """A case of one of ONNX Runtime's own operators."""
    return one(name, op, inputs, outputs, domain="com.microsoft", opset=21, **options)


def bytes_of(*shape, dtype=U8, seed=0):
    """Any values of an integer type."""
    info = np.iinfo(dtype)
    return ints(*shape, low=info.min, high=info.max, dtype=dtype, seed=seed)


def scale(value):
    """A scalar."""
    return np.array(value, F32)


def zero(value, dtype=U8):
    """A scalar zero point."""
    return np.array(value, dtype)


def zeros(*values, dtype=U8):
    """Scalar zero points."""
    return [zero(value, dtype) for value in values]
