# SPDX-License-Identifier: Apache-2.0
"""How nodes of random graphs are made: one rule per family of operators.

A rule reads the graph, adds a node or a few, and gives up where nothing fits.  What keeps a node well conditioned (a
divisor that is not small, the argument of a logarithm) is made by the functions of common.py, or checked by the graph.
"""
from rules import axes, control, elementwise, learn, made, moves, pick, products, quantized, sequence, signal, text, windows

RULES = [
    *[elementwise.smooth] * 4, *[elementwise.binary] * 4, elementwise.bounded, elementwise.guarded, elementwise.jumping,
    elementwise.integer_binary, elementwise.integer_unary, elementwise.compare, elementwise.logic, elementwise.where,
    *[elementwise.cast] * 2, elementwise.clip, elementwise.activation,
    *[axes.reduce] * 2, axes.reduce_integers, axes.arg, axes.softmax, axes.top_k, axes.cumulate, axes.normalize, axes.normalize_rows,
    axes.loss,
    *[products.matmul] * 2, products.gemm, products.einsum, products.recurrent, products.attention, products.determinant,
    *[windows.conv] * 2, windows.conv_transpose, windows.pool, windows.unpool, windows.resize, windows.sample, windows.regions,
    windows.columns,
    *[moves.transpose] * 2, moves.reshape, moves.reshape_by_shape, moves.squeeze, moves.flatten, moves.concat, moves.split,
    *[moves.cut] * 2, moves.enlarge, moves.pad, moves.depth_to_space, moves.triangle, moves.reverse, moves.center,
    pick.gather, pick.gather_nd, pick.scatter, pick.data_dependent, pick.unique, pick.one_hot, pick.boxes, pick.update,
    made.sizes, made.filled, made.ranges, made.eye,
    quantized.there_and_back, quantized.integer_product, quantized.scaled_product,
    sequence.in_and_out, sequence.split_up, sequence.mapped, sequence.optional,
    signal.transform, signal.windows, signal.frames,
    text.words, text.pieces,
    learn.features, learn.encode, learn.scores, learn.trees,
    *[control.choice] * 2, control.loop, control.scan,
]
