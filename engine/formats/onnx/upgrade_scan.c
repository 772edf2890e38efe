/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scan-8 had a batch in front of everything, and lengths of the sequences.  Today's Scan has
 * neither:
 *
 *     Loop(batch) {
 *         states, inputs of one sample, cut to its length
 *         Scan
 *         outputs padded to the full length
 *     }
 *
 * The Loop stacks what each sample gives, which makes the batch of the outputs.
 */
#include "engine/formats/onnx/upgrade.h"

#include <string.h>

/* One rewrite at work. */
typedef struct Scan {
    OnnxUpgrade *up;    /* of the graph around */
    OnnxUpgrade inner;  /* of the loop's body */
    OnnxNode *node;     /* the Scan-8 */
    OnnxGraph *body;    /* of the loop */
    const char *sample; /* the iteration number: which sample of the batch */
    const char *length; /* of the sample's sequence, 1-D; NULL: all of it */
    int state_count;
} Scan;

static QnStatus add_body_input(Scan *scan, const char *suffix, int type, const char **out)
{
    OnnxNode *unused;
    OnnxValueInfo info = {.type = {.kind = ONNX_TYPE_TENSOR, .element = type, .has_shape = true}};
    QN_TRY(
        onnx_make_node(scan->up, suffix, NULL, 0, &info.name, &unused)); /* only for a new name */
    ONNX_ADD(&scan->body->inputs, scan->up->in->scratch, info);
    *out = info.name;
    return QN_OK;
}

static QnStatus add_body_output(Scan *scan, const char *name)
{
    ONNX_ADD(&scan->body->outputs, scan->up->in->scratch, (OnnxValueInfo){.name = name});
    return QN_OK;
}

/* Input i of the Scan-8 for the sample at work, cut to its length where it is a sequence. */
static QnStatus pick_sample(Scan *scan, int i, const char **out)
{
    static const int64_t zero = 0;
    const char *whole, *start, *axis;
    const char *batch = scan->node->inputs.items[i];
    const bool is_sequence = i > scan->state_count;
    QN_TRY(onnx_emit_new(&scan->inner, "Gather", ONNX_INPUTS(batch, scan->sample), &whole));
    *out = whole;
    if (!is_sequence || !scan->length)
        return QN_OK;
    QN_TRY(onnx_make_ints(&scan->inner, "start", &zero, 1, 1, &start));
    QN_TRY(onnx_make_ints(&scan->inner, "axis", &zero, 1, 1, &axis));
    return onnx_emit_new(&scan->inner, "Slice", ONNX_INPUTS(whole, start, scan->length, axis), out);
}

/* The length of the sample's sequence, as a vector of one element. */
static QnStatus find_length(Scan *scan)
{
    static const int64_t zero = 0;
    const char *scalar, *axis;
    if (!onnx_has_input(scan->node, 0))
        return QN_OK;
    QN_TRY(onnx_emit_new(&scan->inner, "Gather",
                         ONNX_INPUTS(scan->node->inputs.items[0], scan->sample), &scalar));
    QN_TRY(onnx_make_ints(&scan->inner, "axis", &zero, 1, 1, &axis));
    return onnx_emit_new(&scan->inner, "Unsqueeze", ONNX_INPUTS(scalar, axis), &scan->length);
}

/* An output of the inner Scan, padded with zeros to the length of the longest sequence. */
static QnStatus pad_output(Scan *scan, const char *name, const char **out)
{
    static const int64_t zero = 0;
    const char *begin, *axis, *whole, *full, *missing, *pads;
    OnnxNode *shape, *concat;
    const char *sequence = scan->node->inputs.items[scan->state_count + 1];
    QN_TRY(onnx_make_node(&scan->inner, "Shape", ONNX_INPUTS(sequence), &full, &shape));
    QN_TRY(onnx_set_int(&scan->inner, shape, "start", 1));
    QN_TRY(onnx_set_int(&scan->inner, shape, "end", 2));
    QN_TRY(onnx_emit(&scan->inner, shape));
    QN_TRY(onnx_emit_new(&scan->inner, "Sub", ONNX_INPUTS(full, scan->length), &missing));
    QN_TRY(onnx_make_ints(&scan->inner, "begin", &zero, 1, 1, &begin));
    QN_TRY(onnx_make_ints(&scan->inner, "axis", &zero, 1, 1, &axis));
    QN_TRY(onnx_make_node(&scan->inner, "Concat", ONNX_INPUTS(begin, missing), &pads, &concat));
    QN_TRY(onnx_set_int(&scan->inner, concat, "axis", 0));
    QN_TRY(onnx_emit(&scan->inner, concat));
    QN_TRY(onnx_emit_new(&scan->inner, "Pad", ONNX_INPUTS(name, pads, "", axis), &whole));
    *out = whole;
    return QN_OK;
}

/* The Scan of today on one sample, and the body's outputs. */
static QnStatus emit_scan(Scan *scan)
{
    OnnxNode *node = scan->node, *inner;
    const char *name;
    QN_TRY(onnx_make_node(&scan->inner, "Scan", NULL, 0, &name, &inner));
    inner->outputs.count = 0;
    for (int i = 1; i < node->inputs.count; i++) {
        QN_TRY(pick_sample(scan, i, &name));
        ONNX_ADD(&inner->inputs, scan->up->in->scratch, name);
    }
    for (int i = 0; i < node->attributes.count; i++) {
        OnnxAttribute attribute = node->attributes.items[i];
        if (!strcmp(attribute.name, "directions"))
            attribute.name = "scan_input_directions";
        ONNX_ADD(&inner->attributes, scan->up->in->scratch, attribute);
    }
    for (int i = 0; i < node->outputs.count; i++) {
        OnnxNode *unused;
        QN_TRY(onnx_make_node(&scan->inner, "Scan", NULL, 0, &name, &unused));
        ONNX_ADD(&inner->outputs, scan->up->in->scratch, name);
    }
    QN_TRY(onnx_emit(&scan->inner, inner));
    for (int i = 0; i < node->outputs.count; i++) {
        name = inner->outputs.items[i];
        if (scan->length && i >= scan->state_count)
            QN_TRY(pad_output(scan, name, &name));
        QN_TRY(add_body_output(scan, name));
    }
    return QN_OK;
}

/* The loop's condition stays what it was: true. */
static QnStatus emit_body(Scan *scan)
{
    const char *condition, *again;
    QN_TRY(add_body_input(scan, "sample", QN_INT64, &scan->sample));
    QN_TRY(add_body_input(scan, "condition", QN_BOOL, &condition));
    QN_TRY(onnx_emit_new(&scan->inner, "Identity", ONNX_INPUTS(condition), &again));
    QN_TRY(add_body_output(scan, again));
    QN_TRY(find_length(scan));
    return emit_scan(scan);
}

/* The batch size, a scalar. */
static QnStatus emit_trip_count(Scan *scan, const char **out)
{
    static const int64_t zero = 0;
    const char *vector, *axis;
    OnnxNode *shape;
    QN_TRY(onnx_make_node(scan->up, "Shape", ONNX_INPUTS(scan->node->inputs.items[1]), &vector,
                          &shape));
    QN_TRY(onnx_set_int(scan->up, shape, "start", 0));
    QN_TRY(onnx_set_int(scan->up, shape, "end", 1));
    QN_TRY(onnx_emit(scan->up, shape));
    QN_TRY(onnx_make_ints(scan->up, "axis", &zero, 1, 1, &axis));
    return onnx_emit_new(scan->up, "Squeeze", ONNX_INPUTS(vector, axis), out);
}

static QnStatus turn_into_loop(Scan *scan, const char *trips)
{
    OnnxNode *node = scan->node;
    QN_TRY(emit_body(scan));
    node->op = "Loop";
    node->attributes.count = 0;
    ONNX_ADD(&node->attributes, scan->up->in->scratch,
             (OnnxAttribute){.name = "body",
                             .ref = "",
                             .kind = ONNX_GRAPH,
                             .filled = 1u << ONNX_GRAPH,
                             .graph = scan->body});
    QN_TRY(onnx_set_input(scan->up, node, 0, trips));
    QN_TRY(onnx_set_input(scan->up, node, 1, ""));
    node->inputs.count = 2;
    return QN_OK;
}

QnStatus onnx_rewrite_scan_8(OnnxUpgrade *up, OnnxNode **node)
{
    OnnxScope hints = onnx_scope(up->in->scratch, up->hints);
    Scan scan = {.up = up, .inner = *up, .node = *node};
    const char *trips;
    const int64_t sequences = onnx_get_int(*node, "num_scan_inputs", 0);
    if (sequences < 1 || sequences > (*node)->inputs.count - 1) {
        onnx_refuse(up, *node, "onnx-scan", "num_scan_inputs does not fit the number of inputs",
                    "at least 1");
        return QN_OK;
    }
    scan.state_count = (*node)->inputs.count - 1 - (int)sequences;
    QN_ALLOC(scan.body, up->in->scratch, 1);
    scan.body->name = "scan_sample";
    scan.inner.hints = &hints;
    scan.inner.graph = scan.inner.made = scan.body;
    QN_TRY(emit_trip_count(&scan, &trips));
    return turn_into_loop(&scan, trips);
}
