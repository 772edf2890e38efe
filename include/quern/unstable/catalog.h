/* SPDX-License-Identifier: Apache-2.0 */
/* UNSTABLE, no ABI promise.  What this build knows: operators and passes. */
#ifndef QUERN_UNSTABLE_CATALOG_H
#define QUERN_UNSTABLE_CATALOG_H

#include "quern/status.h"

#include <stdbool.h>

#ifdef __cplusplus
extern "C" {
#endif

/** An operator.  Texts are constants. */
typedef struct QnOperatorInfo {
    const char *name;
    const char *domain;  /**< "ai.onnx" */
    int since;           /**< the version that the engine's one form of it means */
    const char *inputs;  /**< "x: float, slope?: T"; ? optional, * any number */
    const char *outputs; /**< the same */
    bool is_in_place;    /**< output 0 may take over an input's memory */
    bool is_view;        /**< only the shape changes: nothing is copied */
    bool is_random;      /**< no function of its inputs */
    bool is_control;     /**< holds graphs, whose steps become the plan's */
    bool is_dynamic;     /**< the outputs' shapes depend on data */
    bool is_elementwise; /**< one program for every device: tuned everywhere */
} QnOperatorInfo;

/** The i-th operator, by family; false where there is none: *out is then unchanged.  Any thread. */
QN_API bool qn_operator_info(QnOperatorInfo *out, int i);

/** A pass of the pipeline.  Texts are constants. */
typedef struct QnPassInfo {
    const char *name; /**< as in QnPlanOptions.without */
    const char *what; /**< one sentence */
    bool keeps_onnx;  /**< the graph stays expressible in ONNX */
    bool is_exact;    /**< results stay bit-equal */
    bool is_required; /**< `without` does not leave it out */
} QnPassInfo;

/** The i-th pass, in the order in which they run; false where there is none: *out is then
 * unchanged.  Any thread. */
QN_API bool qn_pass_info(QnPassInfo *out, int i);

#ifdef __cplusplus
}
#endif
#endif
