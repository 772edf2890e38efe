/* SPDX-License-Identifier: Apache-2.0 */
/* What the x86 files make, for the list in rnn.c. */
#ifndef QN_KERNELS_X86_RNN_X86_H
#define QN_KERNELS_X86_RNN_X86_H

#include "engine/devices/cpu/kernels/rnn.h"

void qn_lstm_f32_avx2(const QnLstmCell *cell);
void qn_lstm_f32_avx512(const QnLstmCell *cell);
void qn_gru_reset_f32_avx2(const QnGruCell *cell);
void qn_gru_reset_f32_avx512(const QnGruCell *cell);
void qn_gru_state_f32_avx2(const QnGruCell *cell);
void qn_gru_state_f32_avx512(const QnGruCell *cell);

#endif
