/* SPDX-License-Identifier: Apache-2.0 */
/* The passes, one file each. */
#ifndef QN_ENGINE_PASSES_PASSES_H
#define QN_ENGINE_PASSES_PASSES_H

#include "engine/passes/pass.h"

extern const QnPass qn_pass_constant_conditions;
extern const QnPass qn_pass_cse;
extern const QnPass qn_pass_dead_code;
extern const QnPass qn_pass_einsum_product;
extern const QnPass qn_pass_flex_attention;
extern const QnPass qn_pass_fold_affine;
extern const QnPass qn_pass_fold_batch_norm;
extern const QnPass qn_pass_fold_constants;
extern const QnPass qn_pass_fuse_patterns;
extern const QnPass qn_pass_fuse_quantized;
extern const QnPass qn_pass_gradient;
extern const QnPass qn_pass_identities;
extern const QnPass qn_pass_plain_forms;
extern const QnPass qn_pass_sequence_map;
extern const QnPass qn_pass_simplify_shapes;

#endif
