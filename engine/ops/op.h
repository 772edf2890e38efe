/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an operator is: one row of a table.
 *
 * Each family is a file that ends in an array of QnOp; ops.c lists the families.  A row holds all
 * that is true of the operator on every device: name, signature, attributes with defaults, shape
 * inference, traits, the reference computation and, for elementwise ones, the program of opcodes
 * that makes it fast on every device.  The graph knows one version of each operator, the newest;
 * readers turn older ones into it (engine/formats/onnx/upgrade.c).
 */
#ifndef QN_ENGINE_OPS_OP_H
#define QN_ENGINE_OPS_OP_H

#include "base/arena.h"
#include "base/pool.h"
#include "engine/ir/graph.h"
#include "engine/ops/opcode.h"

typedef struct QnOp QnOp;
typedef struct QnInfer QnInfer;
typedef struct QnCall QnCall;

typedef enum QnOpTrait {
    QN_OP_IN_PLACE = 1 << 0,    /* output 0 may overwrite an input of its type and shape */
    QN_OP_COMMUTATIVE = 1 << 1, /* the order of the inputs does not matter */
    QN_OP_VIEW =
        1 << 2, /* output 0 has input 0's elements in their order: only the shape changes */
    QN_OP_RANDOM = 1 << 3, /* no function of its inputs: never folded, never shared */
    QN_OP_CONTROL =
        1 << 4, /* holds graphs that the planner flattens into steps; has no reference */
    QN_OP_DYNAMIC = 1 << 5, /* only computing tells the outputs' shapes:
                               the reference makes them by qn_call_output */
    QN_OP_COLLECTIONS =
        1 << 6, /* inputs may be sequences, optionals or maps; else all are tensors */
    /*
     * The reference is the portable kernel too.  It moves whole elements, tensors or values, or
     * works on rows of numbers without asking for their type at each of them, and what may take
     * long it shares among threads by qn_call_for: no device would do much better.
     */
    QN_OP_PORTABLE = 1 << 7,
} QnOpTrait;

/* An attribute of an operator, and what it is where a node has none. */
typedef struct QnOpAttribute {
    const char *name;
    QnAttributeKind kind; /* as in the graph */
    int64_t i;            /* the default of an INT */
    double f;             /* of a FLOAT */
    const char *s;        /* of a STRING; NULL: "".  Lists, tensors and graphs have no default. */
    bool is_required;     /* the operator cannot do without it: there is no default */
} QnOpAttribute;

/*
 * For elementwise operators: the scalar function in double (int64_t for integer and bool tensors,
 * where it is given), and `attributes`: the row's FLOAT and INT attributes in their order.  Exactly
 * one of unary and binary is set; variadic operators (Max, Sum, …) fold with the binary one. uint64
 * tensors pass as the int64_t of the same bits unless a function says what their order changes.
 */
typedef struct QnScalar {
    double (*unary)(double x, const double *attributes);
    double (*binary)(double a, double b, const double *attributes);
    int64_t (*unary_int)(int64_t x, const double *attributes);
    int64_t (*binary_int)(int64_t a, int64_t b, const double *attributes);
    uint64_t (*unary_uint)(uint64_t x, const double *attributes);
    uint64_t (*binary_uint)(uint64_t a, uint64_t b, const double *attributes);
} QnScalar;

struct QnOp {
    const char *name;
    const char *domain; /* NULL: ai.onnx */
    int since;          /* the ONNX version that the row means */
    /*
     * "name[?|*]: type, …" for docs and the check of counts: ? optional, * variadic.  Types are
     * words of ONNX or groups: any, numeric, float, integer, signed, and T for "as the first".
     */
    const char *inputs;
    const char *outputs;
    const QnOpAttribute *attributes; /* ends with a NULL name; NULL: none */
    unsigned traits;                 /* QnOpTrait */
    /* From types to types.  QN_BAD_MODEL: the inputs or attributes break a rule of the operator;
     * QN_NO_MEMORY.  Never NULL. */
    QnStatus (*infer)(QnInfer *in);
    /* From values to values.  QN_BAD_TENSOR: data that it cannot take; QN_UNSUPPORTED,
     * QN_CANCELLED, QN_NO_MEMORY.  NULL: of the trait CONTROL. */
    QnStatus (*reference)(const QnCall *call);
    /*
     * Reads the attributes into a form that suits computing, which the calls of a plan then find
     * as `prepared`; it lies in `arena`, which lives as long as the plan.  Not called for a node
     * that inference has not passed.  QN_NO_MEMORY.  NULL: there is none.
     */
    QnStatus (*prepare)(const void **out, const QnNode *node, QnArena *arena, QnError *err);
    QnScalar scalar;              /* for reference = qn_reference_elementwise */
    const QnInstruction *program; /* [program_count] of an elementwise operator; NULL: has none */
    int program_count;
    /* Where the program depends on attributes that are no numbers, or on which inputs are there: a
     * constant [*count].  NULL: it is `program`. */
    const QnInstruction *(*pick_program)(const QnNode *node, int *count);
};

/* Sets .program and .program_count of a row from an array. */
#define QN_PROGRAM(array) .program = (array), .program_count = (int)QN_COUNT_OF(array)

/*
 * The program [*count] of a node, a constant, or NULL where its operator has none.  Register i is
 * input i, also where others before it are absent; those of absent inputs are not read.
 */
const QnInstruction *qn_op_program(const QnNode *node, int *count);

/* Every operator: the families, each an array that ends with a NULL name. */
extern const QnOp *const qn_op_families[];
extern const int qn_op_family_count;

/* The row of an operator, or NULL.  domain: "" and "ai.onnx" are one.  Any thread. */
const QnOp *qn_op_find(const char *domain, const char *name);

/*
 * Does the row's signature take a value of that type as input i?  What is not known is taken, and
 * so is an input that the signature does not have.  Where it does not, `expected` [size] gets the
 * words of the signature, terminated.
 */
bool qn_op_accepts(const QnOp *op, int i, const QnIrType *type, char *expected, size_t size);

/* Sets node->def for all nodes of all graphs, and sees that inputs are there that a row does not
 * call optional.  What is not known or not there is a finding of the report (NULL: none is kept)
 * and has no def: QN_UNSUPPORTED, QN_BAD_MODEL. */
QnStatus qn_ops_resolve(QnModule *module, QnReport *report, QnError *err);

/* An attribute of a node, or the default of its operator's row; 0 or "" where there is neither.
 * Strings are borrowed from the node or the row. */
int64_t qn_op_int(const QnNode *node, const char *name);
double qn_op_float(const QnNode *node, const char *name);
QnString qn_op_string(const QnNode *node, const char *name);
bool qn_op_string_is(const QnNode *node, const char *name, const char *wanted);

/* ---- shape inference ---- */

/* What is known of a value. */
typedef struct QnInferValue {
    QnIrType type;            /* kind NONE: absent, or not known */
    const QnTensor *constant; /* contiguous, any alignment; NULL: the data is not known */
    const QnDim *content; /* [content_count] elements of a small integer tensor; NULL: not known */
    int content_count;
    bool is_present; /* false: an absent optional input, an unwanted output,
                        of which anything may be said */
} QnInferValue;

/*
 * One inference: from what is known of the inputs to what can be said of the outputs.
 *
 * The same functions serve a graph (symbols, most data unknown) and a run (all dims are numbers and
 * all data is there: used for shapes that depend on data).  An output left alone stays unknown.
 *
 * In the helpers below, i may be beyond the inputs, which is absent, or beyond the outputs, where
 * what is said is lost.
 */
struct QnInfer {
    const QnNode *node;
    QnDims *dims;
    QnArena *arena;             /* for what the results point to; lives as long as they are used */
    const QnInferValue *inputs; /* [input_count] */
    int input_count;
    QnInferValue *outputs; /* [output_count] */
    int output_count;
    bool is_running; /* from values: the attributes were checked when the graph was inferred */
    QnError *err;
};

/* Infers one node and stores types and contents in its outputs.  The message names the node. */
QnStatus qn_infer_node(QnNode *node, QnError *err);

/* The same where the node's module has a report: one that does not fit is a finding of that
 * severity, and no failure; nodes without an operator have theirs, and are passed over. */
QnStatus qn_infer_reported(QnNode *node, QnSeverity severity, bool *fits);

/* Infers all nodes of a graph in order, sub-graphs included. */
QnStatus qn_infer_graph(QnGraph *graph, QnError *err);

/* Infers the whole module from its inputs' types. */
QnStatus qn_infer_module(QnModule *module, QnError *err);

/*
 * Infers a node from values with data.  Numbers only: outputs whose shape stays unknown have
 * rank -1.  `scratch` holds the results; `dims` is any table, emptied before.  outputs:
 * [node->output_count].
 */
QnStatus qn_infer_values(const QnNode *node, const QnValue *inputs, int input_count, QnDims *dims,
                         QnArena *scratch, QnInferValue *outputs, QnError *err);

/* Is input i there?  Its type, borrowed (of an absent one: kind NONE). */
bool qn_infer_has(const QnInfer *in, int i);
const QnIrType *qn_infer_type(const QnInfer *in, int i);

/* The element type of input i; QN_UNDEFINED where it is absent or no tensor. */
QnType qn_infer_element(const QnInfer *in, int i);

/* Input i's shape, borrowed, if it is a tensor whose rank is known, else NULL. */
const QnShape *qn_infer_shape(const QnInfer *in, int i);

/* Sets output i: a tensor, a copy of a type,
 * or a tensor with new unknown dims (rank -1: unknown rank). */
QnStatus qn_infer_tensor(QnInfer *in, int i, QnType element, const QnShape *shape);
QnStatus qn_infer_output(QnInfer *in, int i, const QnIrType *type);
QnStatus qn_infer_unknown(QnInfer *in, int i, QnType element, int rank);

/* Says the elements [count] of integer output i as dims, which are copied; more than
 * QN_CONTENT_LIMIT stay unknown. */
QnStatus qn_infer_content(QnInfer *in, int i, const QnDim *content, int count);

/* Copies the elements of integer input i, a scalar or a list, as dims to out[capacity].  Returns
 * their count; -1: they are not known, or more than fit. */
int qn_infer_ints(const QnInfer *in, int i, QnDim *out, int capacity);

/* The same as plain numbers.  Returns their count; -1: also where one of them is no constant. */
int qn_infer_constants(const QnInfer *in, int i, int64_t *out, int capacity);

/* A new symbol for a size that only running tells. */
QnDim qn_infer_fresh(QnInfer *in);

/* The attribute `axis`, or a value that messages call `name`, brought into [0, rank); QN_BAD_MODEL
 * with the range where it is outside: *axis is then unchanged. */
QnStatus qn_infer_axis(const QnInfer *in, int rank, int *axis);
QnStatus qn_infer_axis_of(const QnInfer *in, const char *name, int64_t value, int rank, int *axis);

/* Fails unless input i has the rank; unknown ranks and absent inputs pass. */
QnStatus qn_infer_want_rank(const QnInfer *in, int i, int rank);

/* Fails where dimension d of input i, whose rank is known and larger, is surely not `want`. */
QnStatus qn_infer_want_dim(const QnInfer *in, int i, int d, QnDim want);

/* Fails where input i has surely another shape than want[rank]; absent ones pass. */
QnStatus qn_infer_want_shape(const QnInfer *in, int i, int rank, const QnDim *want);

/* QN_BAD_MODEL with a sentence, "input 2 has rank 3, expected 4"; whoever infers the node puts its
 * name in front. */
QnStatus qn_infer_fail(const QnInfer *in, const char *format, ...) QN_PRINTF(2, 3);

/* Ready ones.  Elementwise: outputs get the broadcast shape of all inputs and input 0's type; also
 * bool for comparisons. */
QnStatus qn_infer_unary(QnInfer *in);       /* type and shape of input 0, but not its content */
QnStatus qn_infer_same(QnInfer *in);        /* output 0 is like input 0; content passes through */
QnStatus qn_infer_elementwise(QnInfer *in); /* broadcast; also + - * / of contents, see infer.c */
QnStatus qn_infer_compare(QnInfer *in);     /* broadcast, bool */

/* Infers a sub-graph of the node with its inputs bound to the given types. */
QnStatus qn_infer_subgraph(QnInfer *in, QnGraph *graph, const QnInferValue *inputs,
                           int input_count);

/* ---- computing ---- */

/*
 * One computation by the reference.  Tensors are contiguous; the outputs' tensors are ready where
 * inference knew their shape, else the function makes them by qn_call_output.
 */
struct QnCall {
    const QnNode *node;
    const QnValue *inputs; /* [input_count]; kind QN_NONE: absent */
    int input_count;
    QnValue *outputs; /* [output_count] */
    int output_count;
    QnArena *arena; /* for strings, sequences, maps: lives until the results are no longer needed */
    QnArena *scratch;     /* emptied when the call returns */
    uint64_t *random;     /* [4] state of the generator of the run */
    const void *prepared; /* what the row's `prepare` made; NULL: it was not called */
    QnGang *gang;         /* the threads of the run; NULL: the caller alone */
    /* Gives memory for the data of output i, 64-byte aligned; NULL: none.  Set by whoever runs. */
    void *(*allocate)(void *user, int output, size_t size);
    bool (*is_cancelled)(void *user);
    void *user;
    QnError *err;
};

/* Infers the node from the values, makes the outputs that are not ready, and runs the reference of
 * its operator.  Statuses as of QnOp.reference, and QN_BAD_MODEL where inference refuses the
 * values; messages name the node. */
QnStatus qn_op_call(const QnCall *call);

/* Input i as a tensor, NULL where it is absent or no tensor;
 * output i, which is there.  Borrowed. */
const QnTensor *qn_call_input(const QnCall *call, int i);
QnTensor *qn_call_result(const QnCall *call, int i);

/* Is output i wanted? */
bool qn_call_wants(const QnCall *call, int i);

/* Makes output i a tensor of that shape (dims [rank], from data, of any value): uses the one that
 * is ready if it has it.  `out` may be NULL.  QN_BAD_TENSOR where no memory holds such a tensor,
 * QN_NO_MEMORY; *out is then unchanged. */
QnStatus qn_call_output(const QnCall *call, int i, QnType type, int rank, const int64_t *dims,
                        QnTensor **out);

/* Fills a contiguous tensor with copies of one element. */
void qn_tensor_fill(QnTensor *tensor, const void *element);

/* Copies elements between two tensors of any strides that do not overlap.  QN_BAD_TENSOR where
 * their types or dims differ, QN_CANCELLED. */
QnStatus qn_call_copy(const QnCall *call, const QnTensor *from, QnTensor *to);

/* QN_CANCELLED where the run was cancelled or is past its deadline.  Once per block of work. */
QnStatus qn_call_poll(const QnCall *call);

/*
 * Units begin <= u < end of a loop whose units depend on nothing but themselves.  `call` is the
 * thread's own: it has no scratch and no outputs to make.  `room`: as asked for, of any content.
 */
typedef QnStatus QnCallUnitsFn(const QnCall *call, const void *work, void *room, int64_t begin,
                               int64_t end);

/*
 * Runs all of `count` units, which cost about `unit_ns` each, on the threads of the call; each
 * thread has `room_bytes` of its own.  Polls in between.  Of several failures the one of the lowest
 * unit is told, so that it does not depend on the threads.
 */
QnStatus qn_call_for(const QnCall *call, int64_t count, double unit_ns, size_t room_bytes,
                     QnCallUnitsFn *run, const void *work);

/* QN_BAD_TENSOR with a sentence that names the node. */
QnStatus qn_call_fail(const QnCall *call, const char *format, ...) QN_PRINTF(2, 3);

/* Passes a status on; where it is a failure that somebody else has put into words,
 * names the node in front. */
QnStatus qn_call_name(const QnCall *call, QnStatus status);

/* Element i (in row-major order) of a contiguous tensor, any numeric type; of complex numbers the
 * real part, and 0 of what is no number.  Reading allows any alignment, writing does not. */
double qn_tensor_get(const QnTensor *tensor, int64_t i);
int64_t qn_tensor_get_int(const QnTensor *tensor, int64_t i);

/* Sets it.  To integers the double is converted as base/to_integer.h says; of an int64_t the low
 * bits are kept. */
void qn_tensor_set(QnTensor *tensor, int64_t i, double value);
void qn_tensor_set_int(QnTensor *tensor, int64_t i, int64_t value);

/* Rows: `count` elements from `first`, `step` elements apart, to and from double and int64_t. */
void qn_tensor_read_row(const QnTensor *tensor, int64_t first, int64_t step, int64_t count,
                        double *to);
void qn_tensor_write_row(QnTensor *tensor, int64_t first, int64_t step, int64_t count,
                         const double *from);
void qn_tensor_read_row_int(const QnTensor *tensor, int64_t first, int64_t step, int64_t count,
                            int64_t *to);
void qn_tensor_write_row_int(QnTensor *tensor, int64_t first, int64_t step, int64_t count,
                             const int64_t *from);

/* Kinds of element types. */
bool qn_type_is_float(QnType type);   /* all floating ones, 4 to 64 bits */
bool qn_type_is_integer(QnType type); /* all integers, not bool */
bool qn_type_is_signed(QnType type);

/* Lets a contiguous tensor of complex numbers be one of pairs of real numbers, with a dimension of
 * 2 behind the others; leaves other types alone.  False where the rank is the largest already. */
bool qn_tensor_pairs(QnTensor *tensor);

/* The shape seen as [outer, length, inner] elements around an axis, 0 <= axis < rank. */
typedef struct QnBox {
    int64_t outer, length, inner;
} QnBox;
QnBox qn_box(const QnTensor *tensor, int axis);

/* Which element of `x`, broadcast to the shape of `y`, stands at element i of y;
 * both in row-major order. */
int64_t qn_broadcast_index(const QnTensor *x, const QnTensor *y, int64_t i);

/* The reference of operators with a `scalar`. */
QnStatus qn_reference_elementwise(const QnCall *call);

/* The reference of operators with the trait VIEW: copies the elements. */
QnStatus qn_reference_view(const QnCall *call);

#endif
