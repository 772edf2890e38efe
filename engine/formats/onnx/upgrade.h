/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From any version of an operator to its newest form, by the table in upgrade.c.
 *
 * A rewrite sees one node and says what stands in its place: it may change the node, put nodes
 * before and after it, and make constants.  Whatever it makes is newest ONNX; see README.md for the
 * few things that ONNX cannot say.
 */
#ifndef QN_ENGINE_FORMATS_ONNX_UPGRADE_H
#define QN_ENGINE_FORMATS_ONNX_UPGRADE_H

#include "engine/formats/onnx/hints.h"
#include "engine/formats/onnx/model.h"

/* Brings every node of the model to its newest form.  What cannot be said is a finding. */
QnStatus onnx_upgrade(OnnxModel *model, QnReader *in);

/* Is it an operator that old files use without any schema, and that the table knows? */
bool onnx_upgrade_is_experimental(const OnnxNode *node);

/* One upgrade at work. */
typedef struct OnnxUpgrade {
    QnReader *in;
    OnnxScope *used;  /* every name of a value in the model */
    OnnxScope *hints; /* of the graph that the node stands in */
    OnnxGraph *graph; /* that graph: constants go to its initializers */
    OnnxGraph *made;  /* its new list of nodes: a rewrite appends what it wants before the node */
    const OnnxNode *origin; /* the node as it was: what new nodes come from */
} OnnxUpgrade;

/*
 * Rewrites *node, which the caller appends after it returns.  Nodes that go before it are emitted;
 * where others follow it, the rewrite emits it too and leaves the last one in *node.
 */
typedef QnStatus OnnxRewrite(OnnxUpgrade *up, OnnxNode **node);

/* A row of an upgrade table; the last one of each has no op.  It has a rewrite or a body. */
typedef struct OnnxUpgradeRow {
    const char *op, *domain;
    int first, last; /* the since-versions that it applies to; 0, 0: operators without a schema;
                        com.microsoft's have since-version 1 */
    OnnxRewrite *rewrite;
    const char *what; /* in a few words, for people */
    const char *body; /* what stands in the node's place, as text: see body.h */
} OnnxUpgradeRow;

/* The tables: that of upgrade.c and those of bodies_<family>.c. */
extern const OnnxUpgradeRow *const onnx_upgrade_tables[];
extern const int onnx_upgrade_table_count, onnx_upgrade_row_count; /* the latter of upgrade.c's */
extern const OnnxUpgradeRow onnx_upgrade_rows[], onnx_bodies_unit[], onnx_bodies_product[],
    onnx_bodies_norm[], onnx_bodies_namesake[], onnx_bodies_quant[], onnx_bodies_stream[],
    onnx_bodies_tokens[];

/* The rewrites, by what they do: upgrade_<family>.c. */
OnnxRewrite onnx_rewrite_axes, onnx_rewrite_reduce_axes, onnx_rewrite_split, onnx_rewrite_slice,
    onnx_rewrite_reshape, onnx_rewrite_tile, onnx_rewrite_topk, onnx_rewrite_pad, onnx_rewrite_clip,
    onnx_rewrite_concat, onnx_rewrite_dft, onnx_rewrite_scatter;
OnnxRewrite onnx_rewrite_broadcast, onnx_rewrite_gemm, onnx_rewrite_prelu, onnx_rewrite_softmax,
    onnx_rewrite_batch_norm, onnx_rewrite_group_norm, onnx_rewrite_dropout, onnx_rewrite_cast,
    onnx_rewrite_lp_pool, onnx_rewrite_rnn, onnx_rewrite_label_encoder, onnx_rewrite_mvn;
OnnxRewrite onnx_rewrite_upsample, onnx_rewrite_resize_10, onnx_rewrite_resize_11,
    onnx_rewrite_roi_align, onnx_rewrite_grid_sample;
OnnxRewrite onnx_rewrite_scan_8, onnx_rewrite_all_finite;
OnnxRewrite onnx_rewrite_affine, onnx_rewrite_scale, onnx_rewrite_scaled_tanh,
    onnx_rewrite_soft_plus, onnx_rewrite_image_scaler, onnx_rewrite_crop,
    onnx_rewrite_constant_fill, onnx_rewrite_dynamic_slice, onnx_rewrite_given_fill;
OnnxRewrite onnx_rewrite_qlinear_concat, onnx_rewrite_search;

/* --- what rewrites are made of: upgrade_build.c --- */

/* New constants; rank 0 (then count is 1) or 1.  Their names come from the node and `suffix`. */
QnStatus onnx_make_ints(OnnxUpgrade *up, const char *suffix, const int64_t *values, int count,
                        int rank, const char **out);
QnStatus onnx_make_floats(OnnxUpgrade *up, const char *suffix, const float *values, int count,
                          int rank, const char **out);

/* A scalar of the element type of the value `like`: a constant where that type is known, else a
 * cast of one. */
QnStatus onnx_make_scalar(OnnxUpgrade *up, const char *suffix, double value, const char *like,
                          const char **out);

/* A new node of the newest ai.onnx with one output, whose name is written to `out`; to be emitted
 * by the caller. */
QnStatus onnx_make_node(OnnxUpgrade *up, const char *op, const char *const *inputs, int input_count,
                        const char **out, OnnxNode **node);

/* Appends the node to the graph at work, and notes what its outputs are. */
QnStatus onnx_emit(OnnxUpgrade *up, OnnxNode *node);

/* Both at once, for nodes without attributes. */
QnStatus onnx_emit_new(OnnxUpgrade *up, const char *op, const char *const *inputs, int input_count,
                       const char **out);

/* A vector of int64 ones, as many as the 1-D value `count` of one element says. */
QnStatus onnx_emit_ones(OnnxUpgrade *up, const char *count, const char **out);

/* An input list for these: names, "" for absent ones. */
#define ONNX_INPUTS(...)                \
    (const char *const[]){__VA_ARGS__}, \
        (int)(sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* Lets `last` make output 0 of `node`, which gets a new name for it: *fresh. */
QnStatus onnx_take_output(OnnxUpgrade *up, OnnxNode *node, OnnxNode *last, const char **fresh);

/* Changing a node. */
QnStatus onnx_set_input(OnnxUpgrade *up, OnnxNode *node, int i, const char *name);
QnStatus onnx_set_int(OnnxUpgrade *up, OnnxNode *node, const char *name, int64_t value);
QnStatus onnx_set_float(OnnxUpgrade *up, OnnxNode *node, const char *name, float value);
QnStatus onnx_set_text(OnnxUpgrade *up, OnnxNode *node, const char *name, const char *value);
QnStatus onnx_set_ints(OnnxUpgrade *up, OnnxNode *node, const char *name, const int64_t *values,
                       int count);
void onnx_unset(OnnxNode *node, const char *name);

/* Asking a node. */
int64_t onnx_get_int(OnnxNode *node, const char *name, int64_t otherwise);
float onnx_get_float(OnnxNode *node, const char *name, float otherwise);
bool onnx_text_is(OnnxNode *node, const char *name, const char *otherwise, const char *wanted);
const OnnxAttribute *onnx_get_ints(OnnxNode *node, const char *name);

/* Turns the ints attribute `name` into a 1-D constant at input i;
 * does nothing where it is not there. */
QnStatus onnx_ints_to_input(OnnxUpgrade *up, OnnxNode *node, const char *name, int i);

/* A severe finding about the node: what was found, what was expected. */
void onnx_refuse(OnnxUpgrade *up, const OnnxNode *node, const char *rule, const char *found,
                 const char *expected);

#endif
