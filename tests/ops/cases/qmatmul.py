# SPDX-License-Identifier: Apache-2.0
"""Products of quantized numbers, of com.microsoft."""
import numpy as np

from cases.case import floats, ints
from cases.quantized import F32, I8, I32, U8, bytes_of, of_microsoft, scale, zero, zeros


def scales(count):
    """One per column."""
    return floats(count, low=0.01, high=0.05)


def product(name, op, inputs, constant=None, **attributes):
    """All inputs but the first are constant, unless `constant` says otherwise."""
    there = [i for i, value in enumerate(inputs) if i and not isinstance(value, str)]
    return of_microsoft(name, op, inputs, constant=there if constant is None else constant, **attributes)


def dynamic(name, *inputs, **options):
    return product(name, "DynamicQuantizeMatMul", list(inputs), **options)


DYNAMIC = [
    dynamic("dynamic_quantize_matmul", floats(5, 33), bytes_of(33, 21), scale(0.02), zero(120)),
    dynamic("dynamic_quantize_matmul_per_column", floats(2, 3, 17), bytes_of(17, 19, dtype=I8), scales(19),
            bytes_of(19, dtype=I8), floats(19)),
    dynamic("dynamic_quantize_matmul_without_zero_point", floats(1, 64, low=1), bytes_of(64, 7, dtype=I8), scales(7), "",
            floats(7)),
    dynamic("dynamic_quantize_matmul_of_zeros", np.zeros((2, 3), F32), bytes_of(3, 4), scale(0.5), zero(7)),
    dynamic("dynamic_quantize_matmul_computed", floats(3, 4, 6), bytes_of(3, 6, 5, dtype=I8), scale(0.02), zero(-3, I8),
            constant=()),
]


def to_float(name, *inputs, **options):
    return product(name, "MatMulIntegerToFloat", list(inputs), **options)


TO_FLOAT = [
    to_float("matmul_integer_to_float", bytes_of(4, 35), bytes_of(35, 18), scale(0.02), scale(0.03), zero(100), zero(130)),
    to_float("matmul_integer_to_float_per_column", bytes_of(4, 35), bytes_of(35, 18, dtype=I8), scale(0.02), scales(18),
             zero(100), bytes_of(18, dtype=I8), floats(18)),
    to_float("matmul_integer_to_float_i8", bytes_of(2, 3, 9, dtype=I8), bytes_of(9, 5, dtype=I8), scale(0.02), scale(0.03),
             zero(-4, I8), zero(5, I8), floats(5)),
    to_float("matmul_integer_to_float_without_zero_points", bytes_of(7, 16), bytes_of(16, 16, dtype=I8), scale(0.02),
             scales(16), constant=()),
]


def gemm(name, a, b, points, b_scale, c, y=(), **options):
    return product(name, "QGemm", [a, scale(0.02), points[0], b, b_scale, points[1], c, *y], **options)


def sums(*shape):
    """Integers of the size of sums."""
    return ints(*shape, low=-20000, high=20000, dtype=I32)


GEMM = [
    gemm("qgemm", bytes_of(5, 33), bytes_of(33, 21), zeros(120, 130), scale(0.03), sums(21), (scale(0.7), zero(128))),
    gemm("qgemm_i8_per_column", bytes_of(5, 33, dtype=I8), bytes_of(33, 21, dtype=I8),
         (zero(12, I8), bytes_of(21, dtype=I8)), scales(21), sums(1, 21), (scale(0.7), zero(-3, I8))),
    gemm("qgemm_transposed", bytes_of(33, 5), bytes_of(21, 33, dtype=I8), (zero(120), zero(3, I8)), scale(0.03),
         sums(5, 21), (scale(0.7), zero(128)), transA=1, transB=1, alpha=1.5),
    gemm("qgemm_to_float", bytes_of(5, 33), bytes_of(21, 33), zeros(120, 130), scale(0.03), sums(5, 1), transB=1, alpha=0.5),
    gemm("qgemm_without_c", bytes_of(3, 8), bytes_of(8, 4, dtype=I8), (zero(0), zero(0, I8)), scale(0.03), "",
         (scale(0.2), zero(7)), constant=()),
]

CASES = DYNAMIC + TO_FLOAT
