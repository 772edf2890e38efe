/* SPDX-License-Identifier: Apache-2.0 */
/* Recurrent cells: the portable ones and the list of variants. */
#include "engine/devices/cpu/kernels/rnn.h"

#include <math.h>

#include "base/compiler.h"
#include "base/fault.h"
#if QN_ARCH_X86
#    include "engine/devices/cpu/kernels/x86/rnn_x86.h"
#endif

#define C(function) function##f
#define T           float
#define NAME(x)     f32_##x
#include "engine/devices/cpu/kernels/rnn_typed.inc"

#define C(function) function
#define T           double
#define NAME(x)     f64_##x
#include "engine/devices/cpu/kernels/rnn_typed.inc"

const QnRnnVariant qn_rnn_variants[] = {
#if QN_ARCH_X86
    {"rnn_f32_avx512", QN_ISA_AVX2 | QN_ISA_AVX512, QN_FLOAT, qn_lstm_f32_avx512,
     qn_gru_reset_f32_avx512, qn_gru_state_f32_avx512},
    {"rnn_f32_avx2", QN_ISA_AVX2, QN_FLOAT, qn_lstm_f32_avx2, qn_gru_reset_f32_avx2,
     qn_gru_state_f32_avx2},
#endif
    {"rnn_f32_c", QN_ISA_NONE, QN_FLOAT, f32_lstm, f32_gru_reset, f32_gru_state},
    {"rnn_f64_c", QN_ISA_NONE, QN_DOUBLE, f64_lstm, f64_gru_reset, f64_gru_state},
};
const int qn_rnn_variant_count = (int)QN_COUNT_OF(qn_rnn_variants);

const QnRnnVariant *qn_rnn_pick(QnType type, QnIsa have)
{
    for (int i = 0; i < qn_rnn_variant_count; i++) {
        const QnRnnVariant *v = &qn_rnn_variants[i];
        if (v->type == type && (v->needs & have) == v->needs)
            return v;
    }
    return NULL;
}

/* Makes the first element of a cell's result wrong, for scripts/mutants. */
static void spoil(const QnRnnVariant *variant, void *result, int64_t count)
{
    if (count > 0 && qn_fault("kernel", variant->name))
        qn_fault_spoil(result, qn_type_size(variant->type));
}

void qn_lstm_run(const QnRnnVariant *variant, const QnLstmCell *cell)
{
    variant->lstm(cell);
    spoil(variant, cell->hidden, cell->count);
}

void qn_gru_run_reset(const QnRnnVariant *variant, const QnGruCell *cell)
{
    variant->gru_reset(cell);
    spoil(variant, cell->reset, cell->count);
}

void qn_gru_run_state(const QnRnnVariant *variant, const QnGruCell *cell)
{
    variant->gru_state(cell);
    spoil(variant, cell->hidden, cell->count);
}
