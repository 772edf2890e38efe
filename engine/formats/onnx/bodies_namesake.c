/* SPDX-License-Identifier: Apache-2.0 */
/* Operators of com.microsoft that ONNX got later, or that it says with a few of its own. */
#include "engine/formats/onnx/upgrade.h"

#define MS "com.microsoft", 1, 1, NULL

/* Pairs of numbers in the last dim as ar, ai and br, bi, and back from the parts of c. */
#define COMPLEX_PARTS(name, re, im)                 \
    "lead = Shape(" name ") {end = -1}\n"           \
    "shape = Concat(lead, [-1, 2]) {axis = 0}\n"    \
    "pairs = Reshape(" name ", shape)\n" re ", " im \
    " = Split(pairs) {axis = -1, num_outputs = 2}\n"
#define COMPLEX_RESULT                                             \
    "c = Concat(re, im) {axis = -1}; lead = Shape(c) {end = -2}\n" \
    "shape = Concat(lead, [-1]) {axis = 0}; C = Reshape(c, shape)"

/* Signals along the last dims of X become complex; each further one is a transform of its own. */
#define SIGNAL_DIMS \
    "check @signal_ndim in 1 | 2 | 3; check @normalized in 0; check @onesided in 1\n"

/* clang-format off */
const OnnxUpgradeRow onnx_bodies_namesake[] = {
    {"CDist", MS, "the squares' sums less twice the product",
        "check @metric in sqeuclidean | euclidean\n"
        "aa = ReduceSumSquare(A, [1])\n"
        "bb = ReduceSumSquare(B, [1]) {keepdims = 0}\n"
        "b = transposed(B); ab = MatMul(A, b); ab = Mul(ab, 2.0)\n"
        "c = Add(aa, bb); c = Sub(c, ab); C = Max(c, 0.0)\n"
        "[@metric=euclidean] C = Sqrt(C)"},
    {"ComplexMul", MS, "products of the parts",
        COMPLEX_PARTS("A", "ar", "ai")
        COMPLEX_PARTS("B", "br", "bi")
        "p = Mul(ar, br); q = Mul(ai, bi); re = Sub(p, q)\n"
        "p = Mul(ar, bi); q = Mul(ai, br); im = Add(p, q)\n"
        COMPLEX_RESULT},
    {"ComplexMulConj", MS, "products of the parts",
        COMPLEX_PARTS("A", "ar", "ai")
        COMPLEX_PARTS("B", "br", "bi")
        "p = Mul(ar, br); q = Mul(ai, bi); re = Add(p, q)\n"
        "p = Mul(ai, br); q = Mul(ar, bi); im = Sub(p, q)\n"
        COMPLEX_RESULT},
    {"ConvTransposeWithDynamicPads", MS, "ConvTranspose, and its rim cut off by Pad",
        "y = ConvTranspose(X, W, B) {*}\n"
        "Y = y\n"
        "[Pads, @auto_pad=NOTSET] n = Size(Pads); [Pads, @auto_pad=NOTSET] n = Div(n, 2)\n"
        "[Pads, @auto_pad=NOTSET] end = Add(n, 2)\n"
        "[Pads, @auto_pad=NOTSET] axes = Range(2, end, 1)\n"
        "[Pads, @auto_pad=NOTSET] cut = Neg(Pads)\n"
        "[Pads, @auto_pad=NOTSET] Y = Pad(y, cut, _, axes)"},
    {"EPContext", MS, "refused",
        "refuse \"a program compiled for one accelerator\" \"the model that it was made from\""},
    {"ExpandDims", MS, "Unsqueeze",
        "axis = Cast(axis) {to = 7}; axis = Reshape(axis, [1])\n"
        "Y = Unsqueeze(X, axis)"},
    {"GatherND", MS, "GatherND",
        "indices = Cast(indices) {to = 7}\n"
        "output = GatherND(data, indices)"},
    {"GemmaRotaryEmbedding", MS, "products with cosine and sine",
        "sin = Sin(emb); sin = CastLike(sin, q); sin = Unsqueeze(sin, [1])\n"
        "cos = Cos(emb); cos = CastLike(cos, q); cos = Unsqueeze(cos, [1])\n"
        "a = Mul(q, cos); b = Mul(q_rot, sin); output1 = Add(a, b)\n"
        "a = Mul(k, cos); b = Mul(k_rot, sin); output2 = Add(a, b)"},
    {"GridSample", MS, "GridSample with its modes' newer names",
        "check @mode in bilinear | nearest | bicubic\n"
        "[@mode=bilinear] Y = GridSample(X, Grid) {*, mode = \"linear\"}\n"
        "[@mode=nearest] Y = GridSample(X, Grid) {*}\n"
        "[@mode=bicubic] Y = GridSample(X, Grid) {*, mode = \"cubic\"}"},
    {"Irfft", MS, "DFT",
        SIGNAL_DIMS
        "x = X\n"
        "[@signal_ndim=3] x = DFT(x, _, -4) {inverse = 1}\n"
        "[!@signal_ndim=1] x = DFT(x, _, -3) {inverse = 1}\n"
        "y = DFT(x, _, -2) {inverse = 1, onesided = 1}\n"
        "Y = Squeeze(y, [-1])"},
    {"IsAllFinite", "com.microsoft", 1, 1, onnx_rewrite_all_finite, "IsNaN, IsInf, counted"},
    {"Pad", MS, "Pad",
        "pads = Reshape(pads, [-1])\n"
        "[value] value = Reshape(value, [])\n"
        "output = Pad(data, pads, value) {*}"},
    {"Range", MS, "Range of scalars",
        "start = Reshape(start, []); limit = Reshape(limit, [])\n"
        "[delta] delta = Reshape(delta, [])\n"
        "[delta] Y = Range(start, limit, delta)\n"
        "[!delta] Y = Range(start, limit, 1.0)"},
    {"Rfft", MS, "DFT",
        SIGNAL_DIMS
        "x = Unsqueeze(X, [-1])\n"
        "Y = DFT(x, _, -2) {onesided = 1}\n"
        "[!@signal_ndim=1] Y = DFT(Y, _, -3)\n"
        "[@signal_ndim=3] Y = DFT(Y, _, -4)"},
    {"Snpe", MS, "refused",
        "refuse \"a container for the accelerator library SNPE\" \"the model that it was made from\""},
    {"SampleOp", MS, "Identity",
        "Y = X"},
    {"TorchEmbedding", MS, "Gather",
        "Y = Gather(weight, indices)"},
    {"Trilu", MS, "Trilu",
        "Y = Trilu(X, k) {*}"},
    {"UnfoldTensor", MS, "Gather of overlapping windows",
        "shape = Shape(input); rank = Size(shape); dim = Mod(@dim, rank)\n"
        "dim = Reshape(dim, [1]); next = Add(dim, 1)\n"
        "before = Slice(shape, [0], dim); behind = Slice(shape, next, [2147483647])\n"
        "n = Slice(shape, dim, next)\n"
        "room = Sub(n, @size); count = Div(room, @step); count = Add(count, 1)\n"
        "outer = ReduceProd(before) {keepdims = 1}; inner = ReduceProd(behind) {keepdims = 1}\n"
        "flat = Concat(outer, n, inner) {axis = 0}\n"
        "x = Reshape(input, flat) {allowzero = 1}\n"
        "total = Reshape(count, []); first = Range(0, total, 1); first = Mul(first, @step)\n"
        "first = Unsqueeze(first, [1]); tap = Range(0, @size, 1); index = Add(first, tap)\n"
        "y = Gather(x, index) {axis = 1}\n"
        "y = Transpose(y) {perm = [0, 1, 3, 2]}\n"
        "size = Reshape(@size, [1]); to = Concat(before, count, behind, size) {axis = 0}\n"
        "output = Reshape(y, to) {allowzero = 1}"},
    {"Unique", MS, "Unique in the order of first occurrence",
        "y, _, idx, counts = Unique(x) {sorted = 0}"},
    {0},
};
/* clang-format on */
