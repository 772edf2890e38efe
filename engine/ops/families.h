/* SPDX-License-Identifier: Apache-2.0 */
/* The families of operators: one line each, in alphabetic order.
 * The file engine/ops/<name>.c defines qn_ops_<name>. */
#ifndef QN_ENGINE_OPS_FAMILIES_H
#define QN_ENGINE_OPS_FAMILIES_H

#include "engine/ops/op.h"

/* clang-format off */
#define QN_OP_FAMILIES(X) \
    X(activation) \
    X(arg) \
    X(attention) \
    X(beam) \
    X(bitwise) \
    X(causal_conv) \
    X(col2im) \
    X(compare) \
    X(concat) \
    X(control) \
    X(conv) \
    X(conv_transpose) \
    X(convert) \
    X(crop) \
    X(crop_resize) \
    X(cumulate) \
    X(decode) \
    X(deform_conv) \
    X(detect) \
    X(diagonal) \
    X(einsum) \
    X(elementwise) \
    X(expand) \
    X(experts) \
    X(feature) \
    X(flex_attention) \
    X(gather) \
    X(gather_blocks) \
    X(gradient) \
    X(grid) \
    X(group_query) \
    X(hash) \
    X(image) \
    X(inverse) \
    X(label) \
    X(linear) \
    X(linear_attention) \
    X(loop) \
    X(loss) \
    X(map) \
    X(math) \
    X(matmul) \
    X(multi_head) \
    X(next_token) \
    X(nonzero) \
    X(norm) \
    X(normalize) \
    X(onehot) \
    X(optimizer) \
    X(optional) \
    X(pad) \
    X(pool) \
    X(project_attention) \
    X(qmatmul) \
    X(quantize) \
    X(random) \
    X(reduce) \
    X(regex) \
    X(reshape) \
    X(resize) \
    X(reverse) \
    X(rnn) \
    X(roi) \
    X(rotary) \
    X(scatter) \
    X(search) \
    X(sequence) \
    X(sequence_map) \
    X(shape) \
    X(signal) \
    X(slice) \
    X(softmax) \
    X(sort) \
    X(space) \
    X(sparse_attention) \
    X(spectrum) \
    X(string) \
    X(svm) \
    X(tfidf) \
    X(tokenize) \
    X(transpose) \
    X(tree) \
    X(weight_only)
/* clang-format on */

#define QN_OP_FAMILY_DECLARE(name) extern const QnOp qn_ops_##name[];
QN_OP_FAMILIES(QN_OP_FAMILY_DECLARE)
#undef QN_OP_FAMILY_DECLARE

#endif
