/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An ONNX file as structs: what parse.c makes of the bytes, and what the later steps check, rewrite
 * and import.
 *
 * Everything lies in the reader's scratch memory.  Names are terminated copies, never NULL; QnBytes
 * are views into the file.  Lists grow by ONNX_ADD.
 */
#ifndef QN_ENGINE_FORMATS_ONNX_MODEL_H
#define QN_ENGINE_FORMATS_ONNX_MODEL_H

#include "base/proto.h"
#include "engine/formats/format.h"
#include "engine/formats/onnx/schema.h"

#define ONNX_LIST(T)         \
    struct {                 \
        T *items;            \
        int count, capacity; \
    }

/* Appends to a list; returns QN_NO_MEMORY from the caller on failure. */
#define ONNX_ADD(list, arena, ...)                                      \
    do {                                                                \
        QN_GROW((list)->items, (list)->count, (list)->capacity, arena); \
        (list)->items[(list)->count++] = __VA_ARGS__;                   \
    } while (0)

typedef struct OnnxGraph OnnxGraph;
typedef struct OnnxType OnnxType;

/* AttributeProto.type */
typedef enum OnnxKind {
    ONNX_UNDEFINED,
    ONNX_FLOAT,
    ONNX_INT,
    ONNX_STRING,
    ONNX_TENSOR,
    ONNX_GRAPH,
    ONNX_FLOATS,
    ONNX_INTS,
    ONNX_STRINGS,
    ONNX_TENSORS,
    ONNX_GRAPHS,
    ONNX_SPARSE_TENSOR,
    ONNX_SPARSE_TENSORS,
    ONNX_TYPE_PROTO,
    ONNX_TYPE_PROTOS,
    ONNX_KIND_COUNT
} OnnxKind;

/* "INTS"; "an unknown kind" for what is none. */
const char *onnx_kind_name(int64_t kind);

typedef struct OnnxEntry {
    const char *key, *value;
} OnnxEntry;

typedef struct OnnxDim {
    int64_t value;     /* -1: not said, or a symbol */
    const char *param; /* the symbol; NULL: none */
    bool is_number;    /* value is what the file says, which may be negative */
} OnnxDim;

typedef enum OnnxTypeKind {
    ONNX_TYPE_NONE,
    ONNX_TYPE_TENSOR,
    ONNX_TYPE_SEQUENCE,
    ONNX_TYPE_MAP,
    ONNX_TYPE_OPAQUE,
    ONNX_TYPE_SPARSE,
    ONNX_TYPE_OPTIONAL
} OnnxTypeKind;

struct OnnxType {
    OnnxTypeKind kind;
    int element; /* of a tensor; of a map's keys */
    bool has_shape;
    ONNX_LIST(OnnxDim) dims;
    OnnxType *item; /* of a sequence, an optional, a map's values; NULL: not said */
};

typedef struct OnnxValueInfo {
    const char *name;
    OnnxType type;
} OnnxValueInfo;

typedef struct OnnxTensor {
    const char *name;
    QnProtoList dims; /* i64 */
    int32_t type;
    bool has_segment, has_raw, is_external;
    QnBytes raw;
    QnProtoList floats;  /* f32 */
    QnProtoList ints32;  /* i32 */
    QnProtoList ints64;  /* i64 */
    QnProtoList doubles; /* f64 */
    QnProtoList uints64; /* u64 */
    ONNX_LIST(QnBytes) strings;
    ONNX_LIST(OnnxEntry) external;
    bool is_broken; /* a severe finding is about it */
} OnnxTensor;

typedef struct OnnxSparse {
    OnnxTensor values, indices; /* the name is that of the values */
    QnProtoList dims;           /* i64: of the dense tensor */
} OnnxSparse;

typedef struct OnnxAttribute {
    const char *name;
    const char *ref; /* in a function's body: the function's attribute that is meant; "": none */
    int32_t kind;    /* OnnxKind, as the file says; after parsing the one
                        that was found where it said nothing */
    uint32_t filled; /* bits 1 << OnnxKind of the members that were there */
    bool is_untyped; /* it does not say its kind; the member that is there does */
    float f;
    int64_t i;
    QnBytes s;
    OnnxTensor *tensor;
    OnnxGraph *graph;
    OnnxSparse *sparse;
    OnnxType *type;
    QnProtoList floats; /* f32 */
    QnProtoList ints;   /* i64 */
    ONNX_LIST(QnBytes) strings;
    ONNX_LIST(OnnxTensor *) tensors;
    ONNX_LIST(OnnxGraph *) graphs;
} OnnxAttribute;

typedef struct OnnxNode {
    const char *name, *op, *domain, *overload;
    ONNX_LIST(const char *) inputs; /* "": absent */
    ONNX_LIST(const char *) outputs;
    ONNX_LIST(OnnxAttribute) attributes;
    const OnnxSchema
        *schema; /* the row that applies; NULL: none (a function, a vendor's operator, unknown) */
    struct OnnxFunction *function;         /* the body that defines it; NULL: none */
    const char *origin_op, *origin_domain; /* what the file said; upgrading changes the others */
    int since;      /* of the row that applied to what the file said; 0: none */
    bool is_broken; /* a severe finding is about it */
    bool is_live;   /* it leads to an output; set by validate_usage.c */
} OnnxNode;

struct OnnxGraph {
    const char *name;
    ONNX_LIST(OnnxNode *) nodes;
    ONNX_LIST(OnnxTensor *) initializers;
    ONNX_LIST(OnnxSparse *) sparse_initializers;
    ONNX_LIST(OnnxValueInfo) inputs;
    ONNX_LIST(OnnxValueInfo) outputs;
    ONNX_LIST(OnnxValueInfo) values; /* value_info: hints */
};

typedef struct OnnxImport {
    const char *domain;
    int64_t version;
} OnnxImport;

typedef struct OnnxFunction {
    const char *name, *domain, *overload;
    ONNX_LIST(const char *) inputs;
    ONNX_LIST(const char *) outputs;
    ONNX_LIST(const char *) attributes; /* obligatory */
    ONNX_LIST(OnnxAttribute) with_defaults;
    ONNX_LIST(OnnxImport) imports;
    OnnxGraph body; /* nodes and value_info */
    bool is_called; /* set by validate_node.c */
    bool is_broken; /* it calls itself: nothing can stand in the place of a call */
    int height; /* how deep calls nest in it, 0: calls none; -1: not known yet; set by validate.c */
} OnnxFunction;

typedef struct OnnxModel {
    int64_t ir_version, model_version;
    bool has_graph;
    const char *producer, *producer_version, *domain, *doc;
    OnnxGraph graph;
    ONNX_LIST(OnnxImport) imports;
    ONNX_LIST(OnnxEntry) metadata;
    ONNX_LIST(OnnxFunction *) functions;
} OnnxModel;

/* The node's attribute of that name, or NULL. */
OnnxAttribute *onnx_attribute(OnnxNode *node, const char *name);

/* "node 'conv1'", or "Conv node making 'x'" where it has no name. */
const char *onnx_node_label(QnArena *arena, const OnnxNode *node);

/* Is there an i-th input (output) and is it not absent? */
bool onnx_has_input(const OnnxNode *node, int i);
bool onnx_has_output(const OnnxNode *node, int i);

#endif
