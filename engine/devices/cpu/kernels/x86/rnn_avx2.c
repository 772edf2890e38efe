/* SPDX-License-Identifier: Apache-2.0 */
/* The recurrent cells of rnn_simd.inc, for AVX2. */
#include "engine/devices/cpu/kernels/x86/rnn_x86.h"

#define LSTM      qn_lstm_f32_avx2
#define GRU_RESET qn_gru_reset_f32_avx2
#define GRU_STATE qn_gru_state_f32_avx2
#include "engine/devices/cpu/kernels/rnn_simd.inc"
