# SPDX-License-Identifier: Apache-2.0
"""GatherBlockQuantized: every type of table and width, axes in any order, indices outside of the table."""
import ml_dtypes
import numpy as np

from cases.case import floats, ints
from cases.quantized import F32, U8, bytes_of, of_microsoft, scale

INDICES = np.array([[0, 4], [2, -1], [3, 3]], np.int64)
SIZES = {np.dtype(ml_dtypes.int4): (-8, 7), np.dtype(ml_dtypes.uint4): (0, 15)}


def steps(*shape):
    return floats(*shape, low=0.01, high=0.1)


def four_bits(*shape, dtype=ml_dtypes.uint4, seed=0):
    low, high = SIZES[np.dtype(dtype)]
    return ints(*shape, low=low, high=high, dtype=dtype, seed=seed)


def gather(name, data, indices, scales, zero_points="", **attributes):
    """A case; table, scales and zero points are constants."""
    inputs = [data, indices, scales, zero_points]
    constant = [i for i in (0, 2, 3) if not isinstance(inputs[i], str)]
    return of_microsoft(name, "GatherBlockQuantized", inputs, constant=constant, **{"block_size": 16} | attributes)


def outside(name, data, **attributes):
    """Indices that name no row give zeros."""
    return gather(name, data, np.array([5, 0, -6, -5, 100], np.int32), steps(5, 2), **attributes)


CASES = [
    gather("gather_blocks_u4", four_bits(5, 40), INDICES, steps(5, 3), four_bits(5, 3, seed=1)),
    gather("gather_blocks_u4_without_zero_points", four_bits(5, 40), INDICES, steps(5, 3)),
    gather("gather_blocks_i4", four_bits(5, 40, dtype=ml_dtypes.int4), INDICES.astype(np.int32), steps(5, 3),
           four_bits(5, 3, dtype=ml_dtypes.int4, seed=1)),
    gather("gather_blocks_i4_along_rows", four_bits(40, 5, dtype=ml_dtypes.int4), np.array([1, 0], np.int32), steps(3, 5),
           gather_axis=1, quantize_axis=0),
    gather("gather_blocks_one_index", four_bits(5, 40), np.array(3, np.int64), steps(5, 3)),
    gather("gather_blocks_of_three_dims", four_bits(3, 5, 20), INDICES, steps(3, 5, 2), gather_axis=1, quantize_axis=-1),
    gather("gather_blocks_same_axis", four_bits(33, 3), np.array([0, 17, 32], np.int64), steps(3, 3), quantize_axis=0),
    gather("gather_blocks_u8_packed", bytes_of(5, 20), INDICES, steps(5, 3)),
    gather("gather_blocks_u8_packed_zero_points", bytes_of(5, 20), INDICES, steps(5, 3), bytes_of(5, 2)),
    gather("gather_blocks_u8_2_bits", bytes_of(5, 12), INDICES, steps(5, 3), bytes_of(5, 1), bits=2),
    gather("gather_blocks_u8_8_bits", bytes_of(5, 40), INDICES, steps(5, 3), bits=8),
    gather("gather_blocks_u8_8_bits_zero_points", bytes_of(5, 40), INDICES, steps(5, 3), bytes_of(5, 3), bits=8),
    gather("gather_blocks_half", bytes_of(5, 20), INDICES, steps(5, 3).astype(np.float16)),
    gather("gather_blocks_f8", floats(5, 40).astype(ml_dtypes.float8_e4m3fn), INDICES, steps(5, 3)),
    gather("gather_blocks_f8_one_scale", floats(5, 40).astype(ml_dtypes.float8_e5m2), INDICES, steps(1, 1), block_size=0),
    outside("gather_blocks_outside", four_bits(5, 32)),
    outside("gather_blocks_outside_u8", bytes_of(5, 16)),
]
