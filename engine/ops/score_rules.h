/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands between the logits of a decoder and the choice of the next token: rules that lower
 * the scores of some tokens, in the order in which ONNX Runtime applies them.
 */
#ifndef QN_ENGINE_OPS_SCORE_RULES_H
#define QN_ENGINE_OPS_SCORE_RULES_H

#include "engine/ops/op.h"

/* The inputs that BeamStep and TokenStep have in common; what follows is their own. */
enum {
    QN_STEP_LOGITS,    /* [rows, tokens, vocabulary]: the last token of each row counts */
    QN_STEP_LENGTH,    /* scalar: tokens in a sequence so far */
    QN_STEP_PROMPT,    /* scalar: tokens before the first step */
    QN_STEP_SEQUENCES, /* [rows, most] of int32 */
    QN_STEP_PROGRESS,  /* [batch, 2] of int32: hypotheses found, whether it is done */
    QN_STEP_MIN_LENGTH,
    QN_STEP_REPETITION_PENALTY,
    QN_STEP_VOCAB_MASK,        /* [vocabulary] */
    QN_STEP_PREFIX_VOCAB_MASK, /* [batch, vocabulary] */
    QN_STEP_COUNT
};

/* The same for the rows of the operators. */
#define QN_STEP_INPUTS                                                                 \
    "logits: float, length: int64, prompt: int64, sequences: int32, progress: int32, " \
    "min_length?: integer, repetition_penalty?: float, vocab_mask?: integer, "         \
    "prefix_vocab_mask?: integer"
#define QN_STEP_ATTRIBUTES                                                                   \
    {"eos_token_id", QN_ATTRIBUTE_INT, .i = -1}, {"pad_token_id", QN_ATTRIBUTE_INT, .i = 0}, \
        {"no_repeat_ngram_size", QN_ATTRIBUTE_INT, .i = 0},                                  \
    {                                                                                        \
        "vocab_size", QN_ATTRIBUTE_INT, .i = 0                                               \
    }

/* Whisper's tokens that have a meaning of their own; first_time and all after it are times. */
typedef struct QnTimes {
    int64_t start, translate, transcribe, start_of_lm, no_times, first_time;
} QnTimes;

typedef struct QnScoreRules {
    int64_t vocab;                /* scores in a row */
    int64_t length, prompt, most; /* of sequences: now, at first, at last */
    int64_t eos, pad, ngram, min_length;
    float repetition_penalty, temperature, presence_penalty;
    const QnTensor *vocab_mask, *prefix_mask, *presence_mask; /* NULL: none */
    const QnTimes *times;                                     /* NULL: no rule for them */
    bool *is_seen;                                            /* [vocab] scratch */
    double *row;                                              /* [vocab] scratch */
    int64_t *sequence;                                        /* [most] of the row at work */
} QnScoreRules;

/* The types and shapes of the inputs in common, as far as they are known; `rows` is how many
 * sequences there are, `batch` how many items these belong to. */
QnStatus qn_score_rules_infer(QnInfer *in, QnDim rows, QnDim batch);

/* Fails where input i surely has another element type: states are read as what they are. */
QnStatus qn_score_rules_want_type(const QnInfer *in, int i, QnType type);

/* How many tokens are scored: the attribute vocab_size, else the last dim of the logits. */
QnDim qn_score_rules_vocab(QnInfer *in);

/* The rules of a call, with scratch memory; temperature, presence and times are left out. */
QnStatus qn_score_rules_read(const QnCall *call, QnScoreRules *rules);

/* The logits of the last token of row `row`, to scores[vocab];
 * as_log: as logarithms of probabilities. */
void qn_score_rules_logits(const QnScoreRules *rules, const QnTensor *logits, int64_t row,
                           bool as_log, float *scores);

/* Lowers scores[vocab] of the sequence in row `row`, which belongs to batch item `item`. */
void qn_score_rules_apply(const QnScoreRules *rules, const QnTensor *sequences, int64_t row,
                          int64_t item, float *scores);

/* A state that a step changes: output `to` as a copy of input `from`, or, where that is not wanted,
 * scratch memory with one. */
QnStatus qn_score_rules_state(const QnCall *call, int from, int to, QnTensor *out);

/* Sets element `at` of output i, where that is wanted. */
void qn_score_rules_put(const QnCall *call, int i, int64_t at, int64_t value);
void qn_score_rules_put_float(const QnCall *call, int i, int64_t at, float value);

#endif
