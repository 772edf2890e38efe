/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one graph form: a module with a main graph, whose nodes may hold sub-graphs.
 *
 * Everything lives in the module's arena and is freed with it.  Nodes stand in a list in an order
 * in which every value is made before it is used.  Each input of a node, and each output of a
 * graph, is a QnUse in the list of uses of its value, so that values know who reads them.
 * Sub-graphs see the values of the graphs around them; a use from inside is a use like any other.
 *
 * A module belongs to one thread.
 */
#ifndef QN_ENGINE_IR_GRAPH_H
#define QN_ENGINE_IR_GRAPH_H

#include <assert.h>

#include "base/arena.h"
#include "base/report.h"
#include "engine/ir/dim.h"
#include "quern/value.h"

typedef struct QnModule QnModule;
typedef struct QnGraph QnGraph;
typedef struct QnNode QnNode;
typedef struct QnIrValue QnIrValue;
typedef struct QnIrType QnIrType;

/* The static type of a value.  A tensor's element type and shape, or what a collection holds. */
struct QnIrType {
    QnKind kind;          /* QN_NONE: not known yet */
    QnType element;       /* of a tensor; of a map's keys */
    QnShape shape;        /* of a tensor */
    const QnIrType *item; /* of a sequence or optional; of a map's values */
};

/* One reading of a value. */
typedef struct QnUse {
    QnIrValue *value;          /* NULL: an absent optional input */
    QnNode *node;              /* the reader; NULL: it is an output of `graph` */
    QnGraph *graph;            /* the graph whose output it is; NULL where a node reads */
    struct QnUse *prev, *next; /* among the uses of the value */
} QnUse;

/* What flows between nodes. */
struct QnIrValue {
    int id;           /* unique in the module; grows */
    const char *name; /* the model's, or one made up ("%12");
                         unique among the values visible at any one place */
    QnIrType type;
    QnNode *node;   /* what makes it; NULL: an input, a constant, or nothing any more */
    int output;     /* which output of that node */
    QnGraph *graph; /* where it is defined */
    /*
     * A constant's value (build stage).  Contiguous; the data is borrowed from the model's file or
     * the module's arena, and of any alignment.  For strings: QnString[].  Kinds other than tensor
     * are never constants.
     */
    const QnTensor *constant;
    /*
     * A small integer tensor (rank 0 or 1, at most QN_CONTENT_LIMIT elements) whose elements are
     * known as dims: shape arithmetic (bind stage).  NULL: not known.  Entries may be late.
     */
    const QnDim *content; /* [content_count]; negative numbers are rows: qn_dim_constant tells */
    int content_count;
    bool is_default; /* an input whose constant is a default that the caller may override */
    QnUse *uses;     /* list; NULL: nobody reads it */
    void *mark;      /* for the pass at work */
};

enum { QN_CONTENT_LIMIT = 64, QN_GRAPH_DEPTH = 64 };

typedef enum QnAttributeKind {
    QN_ATTRIBUTE_NONE,
    QN_ATTRIBUTE_FLOAT,
    QN_ATTRIBUTE_INT,
    QN_ATTRIBUTE_STRING,
    QN_ATTRIBUTE_TENSOR,
    QN_ATTRIBUTE_GRAPH,
    QN_ATTRIBUTE_FLOATS,
    QN_ATTRIBUTE_INTS,
    QN_ATTRIBUTE_STRINGS,
    QN_ATTRIBUTE_TENSORS,
    QN_ATTRIBUTE_GRAPHS,
    QN_ATTRIBUTE_TYPE, /* a TypeProto: Optional's */
} QnAttributeKind;     /* the first eleven are numbered as in ONNX */

typedef struct QnAttribute {
    const char *name;
    QnAttributeKind kind;
    int count; /* of the lists; 1 for single ones */
    union {
        double f; /* exact for a float */
        int64_t i;
        QnString s;
        const QnTensor *tensor; /* contiguous; a list of `count` for TENSORS */
        QnGraph *graph;         /* for GRAPHS: `graphs` */
        QnGraph **graphs;
        const float *floats;
        const int64_t *ints;
        const QnString *strings;
        const QnIrType *type;
    };
} QnAttribute;

/* Where a node comes from, for messages, profiles and for writing the model back. */
typedef struct QnOrigin {
    const char *name;        /* the node's name in the file; "" where it had none */
    const char *op, *domain; /* what the file said */
    int since;               /* the since-version that applied */
} QnOrigin;

struct QnOp; /* engine/ops/op.h */

/* One use of an operator. */
struct QnNode {
    int id;
    const char *op;         /* its name; with the domain the key of the operator table */
    const char *domain;     /* "" for ai.onnx */
    const struct QnOp *def; /* its row, found by qn_ops_resolve; NULL: not known */
    QnUse *inputs;          /* [input_count]; value NULL: absent */
    int input_count;
    QnIrValue **outputs; /* [output_count]; NULL: not wanted */
    int output_count;
    QnAttribute *attributes; /* [attribute_count] */
    int attribute_count;
    QnOrigin origin;
    QnGraph *graph; /* where it stands */
    QnNode *prev, *next;
    void *mark; /* for the pass at work */
};

struct QnGraph {
    QnModule *module;
    QnNode *owner; /* the node that holds it as an attribute; NULL: the main graph, or in no use
                      (yet, any more) */
    const char *name;
    QnIrValue **inputs; /* [input_count] */
    int input_count;
    QnUse *outputs;            /* [output_count], uses with .graph set */
    const char **output_names; /* [output_count]: what the caller calls them */
    int output_count;
    QnNode *first, *last;
};

/* The names given out in a module, so that one made up is new.
 * Open hash table, at most half full. */
typedef struct QnNames {
    struct QnNameSlot {
        const char *name;   /* NULL: free */
        QnIrValue *made_up; /* the value that it was made up for; NULL: the model's */
    } * slots;              /* [slot_count] */
    int count, slot_count;
    int next; /* the number to try for a name, where a value's id is taken */
} QnNames;

/* A value that outlives a run: what is read at its start and what takes its place at its end. */
typedef struct QnVariable {
    const char *name;
    int input, output; /* of the main graph */
} QnVariable;

typedef struct QnProperty {
    const char *key, *value;
} QnProperty;

/* What a file says of a value that the graph makes. */
typedef struct QnDeclaration {
    const QnIrValue *value;
    const char *what; /* "output", "value" */
    const char *name; /* in the file */
    QnIrType type;
} QnDeclaration;

/* A model in memory. */
struct QnModule {
    QnArena arena;
    QnDims dims;
    QnGraph *main;
    QnNames names;
    int value_count, node_count; /* ids given out so far */
    QnVariable *variables;
    int variable_count;
    QnProperty *properties; /* metadata_props, producer, … */
    int property_count;
    int opset;        /* of ai.onnx in the source; 0: not ONNX */
    const char *path; /* for messages */
    /* For checking only, see QnReadOptions: what the file declares, which copies of the module
     * lose; and where inference says which nodes fail and goes on (NULL: the first failure ends
     * it). */
    QnDeclaration *declarations;
    int declaration_count, declaration_capacity;
    QnReport *report;
};

/* Makes an empty module with an empty main graph.  The caller frees it.
 * allocator: NULL is the C library's. */
QnStatus qn_module_create(QnModule **out, const QnAllocator *allocator, QnError *err);
void qn_module_free(QnModule *module);

/* A new empty sub-graph; it becomes one by being an attribute of a node. */
QnGraph *qn_graph_create(QnModule *module, const char *name);

/*
 * A value without a producer.  `name` is copied; NULL makes one up, "%<id>", new in the module.
 * `type` NULL: not known yet.  NULL where there is no memory.
 */
QnIrValue *qn_value_create(QnGraph *graph, const char *name, const QnIrType *type);

/* Names a value; the name is copied, NULL makes one up.
 * A value with that name made up for it gets another one. */
QnStatus qn_value_set_name(QnIrValue *value, const char *name);

/* Is the name of the form of those made up, "%<number>"? */
bool qn_value_is_made_up(const QnIrValue *value);

/*
 * Makes a value without a producer a constant, or an input one with a default (is_default is the
 * caller's to set). The tensor struct is copied, its data borrowed (the module's lifetime at
 * least).  Sets the type, and the content where it is an int32 or int64 tensor small enough.
 */
QnStatus qn_value_set_constant(QnIrValue *value, const QnTensor *tensor);

/* Sets the content: entries[count] are copied.  count over QN_CONTENT_LIMIT leaves it unknown. */
QnStatus qn_value_set_content(QnIrValue *value, const QnDim *entries, int count);

/* A value made by qn_value_create and qn_value_set_constant. */
QnIrValue *qn_value_create_constant(QnGraph *graph, const char *name, const QnTensor *tensor);

/* A 1-D (rank 1) or scalar (rank 0, count 1) int64 constant with data copied into the module. */
QnIrValue *qn_value_create_ints(QnGraph *graph, const int64_t *values, int count, int rank);

QnStatus qn_graph_add_input(QnGraph *graph, QnIrValue *value);
QnStatus qn_graph_add_output(QnGraph *graph, QnIrValue *value,
                             const char *name); /* NULL: the value's name */

/* Drops one input or output; those behind it move up.
 * The caller answers for variables and the owner's arity. */
void qn_graph_remove_input(QnGraph *graph, int i);
void qn_graph_remove_output(QnGraph *graph, int i);

/*
 * Makes a node with the given inputs (entries may be NULL) and `output_count` fresh outputs of
 * unknown type, and puts it in front of `before`; NULL: at the end.  NULL where there is no memory.
 */
QnNode *qn_node_create(QnGraph *graph, QnNode *before, const char *op, const char *domain,
                       QnIrValue *const *inputs, int input_count, int output_count);

/*
 * Takes a node out, and releases the sub-graphs that it owns.  Its outputs must have no uses.
 * node->graph is NULL after.
 */
void qn_node_remove(QnNode *node);

/* Puts a sub-graph out of use: all that it and the graphs inside it read, they read no more; its
 * owner is NULL. */
void qn_graph_release(QnGraph *graph);

/* Moves a node (of any graph of the module) in front of `before` in `graph`; NULL: to the end. */
void qn_node_move(QnNode *node, QnGraph *graph, QnNode *before);

/* Replaces an input (or a graph's output) by another value; NULL makes it absent. */
void qn_use_set(QnUse *use, QnIrValue *value);

/* Lets every reader of `from` read `to` instead; NULL: nothing. */
void qn_value_replace(QnIrValue *from, QnIrValue *to);

bool qn_value_is_output(const QnIrValue *value); /* of any graph */
int qn_value_count_uses(const QnIrValue *value);

/* Resizes the input list of a node; new ones are absent, those cut off read no more. */
QnStatus qn_node_resize_inputs(QnNode *node, int count);

/* Resizes the output list of a node; new ones are fresh values, those cut off must have no uses. */
QnStatus qn_node_resize_outputs(QnNode *node, int count);

/*
 * Attributes.  Setting replaces one of the same name.  Names and data are copied into the module,
 * but qn_node_set borrows the data (text, lists, tensors) for the module's lifetime.  A graph's
 * owner becomes the node.  The sub-graphs of an attribute that goes away are released as
 * qn_node_remove does, unless another node owns them by now.
 */
const QnAttribute *qn_node_attribute(const QnNode *node, const char *name); /* NULL: not there */
QnStatus qn_node_set(QnNode *node, const QnAttribute *attribute);
QnStatus qn_node_set_int(QnNode *node, const char *name, int64_t value);
QnStatus qn_node_set_float(QnNode *node, const char *name, double value);
QnStatus qn_node_set_text(QnNode *node, const char *name, const char *value);
QnStatus qn_node_set_ints(QnNode *node, const char *name, const int64_t *values, int count);
QnStatus qn_node_set_graph(QnNode *node, const char *name, QnGraph *graph);
void qn_node_unset(QnNode *node, const char *name);

/* With defaults for those that are absent or of another kind. */
int64_t qn_node_int(const QnNode *node, const char *name, int64_t otherwise);
double qn_node_float(const QnNode *node, const char *name, double otherwise);
QnString qn_node_string(const QnNode *node, const char *name, const char *otherwise);
bool qn_node_string_is(const QnNode *node, const char *name, const char *otherwise,
                       const char *wanted);

/* The i-th input's value, NULL where it is absent or there is none; likewise outputs. */
static inline QnIrValue *qn_node_input(const QnNode *node, int i)
{
    assert(node);
    return i < node->input_count ? node->inputs[i].value : NULL;
}
static inline QnIrValue *qn_node_output(const QnNode *node, int i)
{
    return i < node->output_count ? node->outputs[i] : NULL;
}

/* The sub-graphs that a node owns, one after the other: start with i = 0 until NULL comes. */
QnGraph *qn_node_graph(const QnNode *node, int i);

/*
 * All nodes of a graph and the sub-graphs in it, each node before those inside it: start with
 * node = NULL, until NULL comes.  Linear, no stack.  A node may be removed once its successor has
 * been asked for, and has no sub-graphs.
 */
QnNode *qn_graph_walk(const QnGraph *graph, const QnNode *node);
static inline QnNode *qn_module_walk(const QnModule *module, const QnNode *node)
{
    return qn_graph_walk(module->main, node);
}

/* How many graphs are around a graph; 0 for the main one.
 * Is a graph `outer`, or somewhere inside it? */
int qn_graph_depth(const QnGraph *graph);
bool qn_graph_is_within(const QnGraph *graph, const QnGraph *outer);

/* How a message calls a node: "node 'conv1'" or "Conv node making 'x'".
 * Valid until the buffer goes. */
const char *qn_node_label(const QnNode *node, char *text, size_t size);

/* A number for a tensor's type, dims and elements, and whether two have the same, bit for bit. */
uint64_t qn_tensor_hash(const QnTensor *tensor);
bool qn_tensor_is_same(const QnTensor *a, const QnTensor *b);

/* A number for all that qn_module_print says, and all elements of constants. */
QnStatus qn_module_hash(uint64_t *out, const QnModule *module, QnError *err);

/*
 * The one place that says what a well-formed module is: lists consistent, uses linked both ways,
 * values made before they are read and visible where they are, names unique where they meet, types
 * and attributes of a known kind, sub-graphs nested at most QN_GRAPH_DEPTH deep.  QN_BAD_MODEL with
 * the first finding.  Linear.
 */
QnStatus qn_module_verify(const QnModule *module, QnError *err);

/*
 * Puts the nodes of all graphs into an order in which values are made before they are used: nodes
 * keep their order where it is one already.  QN_BAD_MODEL names a cycle, or a value that is read
 * where it is not visible; the order is then the old one.  Linear.
 */
QnStatus qn_module_sort(QnModule *module, QnError *err);

/*
 * Copies a module, symbols and ids included.  Constants' data and what else is borrowed stays
 * borrowed from where it was: `from`, and the file under it, must outlive the copy.  The caller
 * frees it.
 */
QnStatus qn_module_clone(QnModule **out, const QnModule *from, QnError *err);

/*
 * Copies the nodes of `body` (a sub-graph or function of the same module; it is left as it is) into
 * `into`, in front of `before` (NULL: at the end).  inputs[body->input_count] take the place of its
 * inputs (NULL: the input becomes an absent one); outputs_out[body->output_count] receives what its
 * outputs became.  Values from outside of body are read as before.  On failure nodes may have been
 * added that nobody reads.
 */
QnStatus qn_graph_inline(const QnGraph *body, QnGraph *into, QnNode *before,
                         QnIrValue *const *inputs, QnIrValue **outputs_out, QnError *err);

/* A copy of `graph` (a sub-graph or function of the same module) as a graph of its own,
 * to become an attribute. */
QnStatus qn_graph_clone(QnGraph **out, const QnGraph *graph, QnError *err);

#endif
