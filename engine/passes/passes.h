/* SPDX-License-Identifier: Apache-2.0 */
/* The passes, one file each. */
#ifndef QN_ENGINE_PASSES_PASSES_H
#define QN_ENGINE_PASSES_PASSES_H

#include "engine/passes/pass.h"

extern const QnPass qn_pass_dead_code;
extern const QnPass qn_pass_sequence_map;

#endif
