# SPDX-License-Identifier: Apache-2.0
"""Products with weights of a few bits: all widths, block sizes that divide K and that do not, zero points in every form."""
import numpy as np

from cases.case import floats, ints
from cases.quantized import F32, I32, U8, bytes_of, of_microsoft


def blocks_of(inner, block):
    return -(-inner // block)


def nbits(name, rows, inner, columns, block=32, bits=4, zero_points="", groups="", bias="", computed=False, **options):
    """A case of MatMulNBits; `rows`: the leading dims of A."""
    blocks = blocks_of(inner, block)
    weights = bytes_of(columns, blocks, block * bits // 8)
    steps = floats(columns, blocks, low=0.01, high=0.1)
    inputs = [floats(*rows, inner), weights, steps, zero_points, groups, bias]
    constant = [] if computed else [i for i in range(1, 6) if not isinstance(inputs[i], str)]
    return of_microsoft(name, "MatMulNBits", inputs, constant=constant, K=inner, N=columns, block_size=block, bits=bits,
                        **options)


def omitted(a, *_):
    """A weight without elements is zero."""
    return [np.tile(np.arange(5, dtype=F32), (len(a), 1))]


def group_order(inner, block):
    """A block for each k, as quantizers that reorder rows say it."""
    return np.array([(3 * k // 2) % blocks_of(inner, block) for k in range(inner)], I32)


NBITS = [
    nbits("matmul_nbits", (3,), 64, 5),
    nbits("matmul_nbits_one_row", (1,), 96, 37),
    nbits("matmul_nbits_one_row_computed", (1,), 96, 37, computed=True),
    nbits("matmul_nbits_vector", (), 32, 7),
    nbits("matmul_nbits_cut_block", (2, 3), 50, 19),
    nbits("matmul_nbits_small_blocks", (5,), 40, 33, 16),
    nbits("matmul_nbits_large_blocks", (4,), 300, 17, 128),
    nbits("matmul_nbits_many_rows", (41,), 96, 70),
    nbits("matmul_nbits_packed_zero_points", (3,), 96, 18, zero_points=bytes_of(18, 2)),
    nbits("matmul_nbits_real_zero_points", (3,), 96, 18, zero_points=floats(18, 3, low=0, high=15)),
    nbits("matmul_nbits_bias", (3,), 64, 18, zero_points=bytes_of(18, 1), bias=floats(18)),
    nbits("matmul_nbits_groups", (3,), 64, 6, groups=group_order(64, 32), bias=floats(6)),
    nbits("matmul_nbits_8_bits", (3,), 64, 18, bits=8),
    nbits("matmul_nbits_8_bits_one_row", (1,), 80, 35, bits=8, zero_points=bytes_of(35, 3)),
    nbits("matmul_nbits_2_bits", (3,), 64, 18, 32, 2, zero_points=bytes_of(18, 1)),
    nbits("matmul_nbits_2_bits_one_row", (1,), 160, 18, 32, 2),
    of_microsoft("matmul_nbits_omitted", "MatMulNBits",
                 [floats(3, 64), np.zeros((5, 2, 0), U8), np.zeros((5, 2), F32), "", "", np.arange(5, dtype=F32)],
                 constant=(1, 2, 5), K=64, N=5, block_size=32, expect=omitted),
]


def bnb4(name, rows, inner, columns, block, kind, **options):
    """A case of MatMulBnb4."""
    inputs = [floats(*rows, inner), bytes_of((inner * columns + 1) // 2), floats(blocks_of(inner * columns, block), low=0.5)]
    return of_microsoft(name, "MatMulBnb4", inputs, constant=(1, 2), K=inner, N=columns, block_size=block, quant_type=kind,
                        **options)


BNB4 = [
    bnb4("matmul_bnb4_fp4", (3,), 64, 7, 32, 0),
    bnb4("matmul_bnb4_nf4", (2, 3), 64, 18, 64, 1),
    bnb4("matmul_bnb4_one_row", (1,), 128, 35, 32, 1),
    bnb4("matmul_bnb4_blocks_across_columns", (3,), 40, 7, 64, 1),
    bnb4("matmul_bnb4_odd", (3,), 5, 3, 16, 0),
]


def blob(inner, columns, has_zero):
    """Scale, zero point and 32 codes of each block, side by side."""
    parts = []
    for i in range(columns * blocks_of(inner, 32)):
        parts.append(np.frombuffer(np.array(0.01 + 0.001 * (i % 50), F32).tobytes(), U8))
        parts.append(np.array([i % 16] if has_zero else [], U8))
        parts.append(bytes_of(16, seed=i))
    return np.concatenate(parts)


def fpq4(name, rows, inner, columns, kind):
    """A case of MatMulFpQ4."""
    inputs = [floats(*rows, inner), blob(inner, columns, kind == 1), np.array([inner, columns], np.int64)]
    return of_microsoft(name, "MatMulFpQ4", inputs, constant=(1, 2), blk_quant_type=kind)


FPQ4 = [
    fpq4("matmul_fpq4", (3,), 64, 18, 0),
    fpq4("matmul_fpq4_zero_points", (1,), 80, 18, 1),
    fpq4("matmul_fpq4_many_rows", (2, 20), 128, 37, 1),
]

CASES = NBITS + BNB4 + FPQ4
