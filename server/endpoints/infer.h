/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Inference as all protocols see it.
 *
 *     protocol: bytes ─▶ QsInfer ─▶ qs_infer_submit: check, shape, queue ─▶ model
 *                                      `reply`: bytes ◀─ QsResponse ◀────────┘
 */
#ifndef QS_ENDPOINTS_INFER_H
#define QS_ENDPOINTS_INFER_H

#include "server/endpoints/endpoint.h"

/* How an output is to be returned. */
typedef struct QsWanted {
    const char *name;
    bool is_binary;
    uint64_t class_count; /* the best so many classes instead of the values; 0: the values */
} QsWanted;

/* One inference; in the arena of its exchange. */
typedef struct QsInfer {
    QsSender sender; /* first: what the model answers through */
    QsRequest request;
    QsExchange *call;
    QsModelVersion *model;

    QsTensor *inputs; /* [input_count] as the client sent them */
    size_t input_count, input_capacity;
    QsWanted *wanted; /* [wanted_count] outputs asked for; none: all */
    size_t wanted_count, wanted_capacity;
    QsParameter *parameters;
    size_t parameter_count, parameter_capacity;
    bool binary_by_default; /* for outputs that are not asked for by name */
    bool is_raw;            /* the body is the only input's data, without a name */

    /* Makes the protocol's reply of the model's answer, which succeeded. */
    QnStatus (*reply)(struct QsInfer *infer, const QsResponse *response);
    int reply_count; /* answers so far */
} QsInfer;

/* A new inference on a model that is ready; its reference becomes the inference's. */
QnStatus qs_infer_create(QsInfer **out, QsExchange *call, QsModelVersion *model);

/*
 * Checks what was asked and hands it to the model.  On success the exchange is waiting and must not
 * be touched; on failure nothing was begun.
 */
QnStatus qs_infer_submit(QsInfer *infer);

/* Gives up an inference that was not submitted. */
void qs_infer_abandon(QsInfer *infer);

/* Checks inputs and outputs against the model's configuration
 * and gives the tensors the shapes the model sees. */
QnStatus qs_infer_check(QsInfer *infer);

/* Gives an output the shape that clients see,
 * where the configuration says that the model sees another. */
QnStatus qs_infer_unshape(const QsInfer *infer, QsTensor *output);

/* How the i-th output of an answer is to be returned. */
QsWanted qs_infer_wanted(const QsInfer *infer, const char *output);

/* Reads the JSON of a request (`header`) and the binary data after it.
 * Tensors point into both, or the arena. */
QnStatus qs_infer_parse_json(QsInfer *infer, QnBytes header, QnBytes binary);

/* Reads the elements of a JSON array into a tensor whose type and dimensions are known. */
QnStatus qs_infer_read_data(QsInfer *infer, QsTensor *tensor, QnBytes json);

/* The answer as JSON and the binary data after it. */
QnStatus qs_infer_put_json(QsInfer *infer, const QsResponse *response);

/* The number of elements of dims[rank]; false where it does not fit 63 bits. */
bool qs_count_elements(int64_t *out, const int64_t *dims, int rank);

#endif
