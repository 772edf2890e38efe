# SPDX-License-Identifier: Apache-2.0
"""Products of quantized numbers and of integers, of ai.onnx and com.microsoft."""
import numpy as np

from cases.case import floats, ints, one
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

# ---- ai.onnx ----


def integer(name, a, b, a_zero="", b_zero="", computed=False, **options):
    inputs = [a, b, a_zero, b_zero]
    constant = [] if computed else [i for i in (1, 3) if not isinstance(inputs[i], str)]
    return one(f"matmul_integer_{name}", "MatMulInteger", inputs, opset=21, constant=constant, **options)


def exact(a, b, a_zero, b_zero):
    """Zero points per row of A, which ONNX Runtime has not."""
    return [np.matmul(a.astype(I32) - a_zero.astype(I32)[:, None], b.astype(I32) - b_zero.astype(I32)).astype(I32)]


INTEGER = [
    integer("u8_u8", bytes_of(5, 33), bytes_of(33, 21), zero(100), zero(131)),
    integer("u8_i8", bytes_of(7, 64), bytes_of(64, 16, dtype=I8), zero(255), zero(-3, I8)),
    integer("i8_i8", bytes_of(6, 70, dtype=I8), bytes_of(70, 65, dtype=I8), zero(-128, I8), zero(5, I8)),
    integer("without_zero_points", bytes_of(3, 4), bytes_of(4, 3)),
    integer("per_column", bytes_of(4, 19), bytes_of(19, 37), zero(7), bytes_of(37)),
    integer("per_row", bytes_of(4, 19), bytes_of(19, 6), bytes_of(4), bytes_of(6), expect=exact),
    integer("batch", bytes_of(2, 3, 4, 9), bytes_of(3, 9, 5, dtype=I8), zero(100), zero(1, I8), computed=True),
    integer("batch_of_a", bytes_of(2, 3, 4, 9), bytes_of(9, 35, dtype=I8), zero(100)),
    integer("vectors", bytes_of(9), bytes_of(9), zero(100), zero(50)),
    integer("one_row", bytes_of(1, 260), bytes_of(260, 130, dtype=I8), zero(100)),
    integer("largest", np.full((2, 300), 255, U8), np.full((300, 20), 255, U8)),
    integer("most_negative", np.full((2, 300), -128, I8), np.full((300, 20), -128, I8)),
]


def linear(name, a, b, b_zero, b_scale, computed=False, **options):
    """The result's scale makes the sums fill its range."""
    kind = a.dtype.type
    step = 0.0117 * 0.0213 * 75 * 75 * a.shape[-1] ** 0.5 / 40
    inputs = [a, scale(0.0117), zero(3, kind), b, b_scale, b_zero, scale(step), zero(-2 if kind == I8 else 126, kind)]
    return one(f"qlinear_matmul_{name}", "QLinearMatMul", inputs, opset=21,
               constant=() if computed else (1, 2, 3, 4, 5, 6, 7), **options)


LINEAR = [
    linear("u8_u8", bytes_of(5, 33), bytes_of(33, 21), zero(131), scale(0.0213)),
    linear("u8_i8_per_column", bytes_of(9, 64), bytes_of(64, 37, dtype=I8), np.zeros(37, I8), scales(37)),
    linear("i8_i8", bytes_of(6, 70, dtype=I8), bytes_of(70, 65, dtype=I8), zero(5, I8), scale(0.0213)),
    linear("batch", bytes_of(2, 4, 9), bytes_of(2, 9, 18), zero(120), scale(0.0213), computed=True),
    linear("one_row", bytes_of(1, 100), bytes_of(100, 50, dtype=I8), zero(0, I8), scale(0.0213)),
]

LARGE = {np.int32: 2**31 - 1, np.int64: 2**63 - 1, np.uint32: 2**32 - 1, np.uint64: 2**63 - 1}


def wide(*shape, dtype, seed=0):
    """Integers whose products do not fit."""
    return ints(*shape, low=0 if dtype in (np.uint32, np.uint64) else -LARGE[dtype], high=LARGE[dtype], dtype=dtype, seed=seed)


PLAIN = [
    case
    for dtype in LARGE
    for case in (
        one(f"matmul_{np.dtype(dtype).name}", "MatMul", [wide(5, 33, dtype=dtype), wide(33, 21, dtype=dtype)], opset=21),
        one(f"matmul_{np.dtype(dtype).name}_constant", "MatMul",
            [wide(2, 5, 17, dtype=dtype), wide(17, 40, dtype=dtype)], opset=21, constant=(1,)),
        one(f"gemm_{np.dtype(dtype).name}", "Gemm",
            [wide(17, 5, dtype=dtype), wide(21, 17, dtype=dtype), wide(21, dtype=dtype)], opset=21, transA=1, transB=1,
            expect=lambda a, b, c: [np.matmul(a.T, b.T) + c]),
    )
] + [
    one("matmul_f64", "MatMul", [floats(3, 5, 33, dtype=np.float64), floats(33, 21, dtype=np.float64)], opset=21),
    one("matmul_f64_batches", "MatMul",
        [floats(2, 1, 5, 33, dtype=np.float64), floats(3, 33, 21, dtype=np.float64)], opset=21),
    one("gemm_f64", "Gemm",
        [floats(33, 7, dtype=np.float64), floats(21, 33, dtype=np.float64), floats(7, 1, dtype=np.float64)], opset=21,
        constant=(1,), transA=1, transB=1, alpha=0.5, beta=-2.0),
]

CASES = DYNAMIC + TO_FLOAT + GEMM + INTEGER + LINEAR + PLAIN
