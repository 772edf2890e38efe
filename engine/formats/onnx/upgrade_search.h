/* SPDX-License-Identifier: Apache-2.0 */
/* Generation loops of ONNX Runtime: the rules for their sub-graphs, and the glue around these. */
#ifndef QN_ENGINE_FORMATS_ONNX_UPGRADE_SEARCH_H
#define QN_ENGINE_FORMATS_ONNX_UPGRADE_SEARCH_H

#include "engine/formats/onnx/upgrade.h"

typedef enum SearchModel { SEARCH_GPT, SEARCH_T5, SEARCH_WHISPER, SEARCH_MODEL_COUNT } SearchModel;

/* A sub-graph that fits its rules.  Behind the named inputs and outputs come states, layer by
 * layer: past ones and present ones, those of cross attention last. */
typedef struct SearchPart {
    OnnxGraph *graph; /* NULL: the node has none */
    int first_past, first_present;
    int past_count, present_count;
    int64_t heads, head_size; /* of a past state; 0: there is none */
    int past_type;            /* element type of the past states */
    bool takes_sequences;     /* input_ids are all tokens so far, not the last one alone */
    bool takes_hidden;        /* has the input encoder_hidden_states */
} SearchPart;

typedef struct SearchParts {
    SearchModel model;
    SearchPart encoder, init_decoder, decoder;
} SearchParts;

/* Finds the sub-graphs of a node of that kind of model.  Every rule that one breaks is a severe
 * finding; *is_good: there was none. */
QnStatus onnx_search_find_parts(OnnxUpgrade *up, OnnxNode *node, SearchParts *parts, bool *is_good);

/* --- the glue, as texts: upgrade_search_text.c --- */

/* In front of the first call; behind an encoder, which has no rows for beams; behind a step. */
extern const char *const onnx_search_start[SEARCH_MODEL_COUNT],
    onnx_search_expand[], *const onnx_search_next[SEARCH_MODEL_COUNT];

/* In front of a decoder that takes all tokens so far. */
extern const char onnx_search_sequence[];

/* A step, by the operator; the end of a search with beams, and the output `scores`. */
extern const char onnx_search_beam[], onnx_search_greedy[], onnx_search_sampling[],
    onnx_search_beam_end[], onnx_search_all_scores[];

/* What a text may ask for although the operator has no such input. */
extern const char *const onnx_search_parameters[];
extern const int onnx_search_parameter_count;

#endif
