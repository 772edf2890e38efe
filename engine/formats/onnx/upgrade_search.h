/* SPDX-License-Identifier: Apache-2.0 */
/* The sub-graphs of ONNX Runtime's generation loops: what they are called with, and their rules. */
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

#endif
