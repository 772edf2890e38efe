/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What ONNX says of its operators: every (domain, operator, since-version) row, from
 * schema_table.h.
 *
 * Rows are constants and may be read by any thread.  Names are numbers of strings, see
 * onnx_schema_text.
 */
#ifndef QN_ENGINE_FORMATS_ONNX_SCHEMA_H
#define QN_ENGINE_FORMATS_ONNX_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

/* The value types that a formal may have; bit 1 << t stands for the element type t. */
typedef struct OnnxTypeSet {
    uint32_t tensors, sequences, optionals, optional_sequences;
    uint16_t maps; /* map(string, int64|float|double), map(int64, string|float|double),
                      seq(map(string|int64, float)) */
} OnnxTypeSet;

enum {
    ONNX_SINGLE = 0,
    ONNX_OPTIONAL = 1,
    ONNX_VARIADIC = 2,
    ONNX_OPTION_MASK = 3,
    ONNX_HETEROGENEOUS = 4, /* the parameters of a variadic may differ in type */
    ONNX_NO_VARIABLE = 0xff,
    ONNX_MANY = 0xffff /* the largest count of a variadic */
};

/* An input or output of an operator. */
typedef struct OnnxFormal {
    uint16_t name;
    uint16_t types;   /* see onnx_formal_types */
    uint8_t variable; /* formals with the same number (T, T1, …) have the same type;
                         or ONNX_NO_VARIABLE */
    uint8_t option;   /* one of ONNX_SINGLE … with ONNX_HETEROGENEOUS */
} OnnxFormal;

enum { ONNX_ATTRIBUTE_REQUIRED = 1, ONNX_ATTRIBUTE_HAS_DEFAULT = 2 };

typedef struct OnnxAttributeSchema {
    uint16_t name;
    uint8_t kind;  /* AttributeProto.type */
    uint8_t flags; /* ONNX_ATTRIBUTE_… */
    union {
        int64_t i;
        float f;
        uint16_t s; /* a text; a list's elements, separated by commas */
    } value;
} OnnxAttributeSchema;

typedef struct OnnxDomainSchema {
    const char *name;
    int newest; /* the largest since-version of its operators */
} OnnxDomainSchema;

/* One version of one operator. */
typedef struct OnnxSchema {
    uint16_t name;
    uint8_t domain, since;
    uint8_t is_deprecated; /* from this version on the operator no longer exists */
    uint8_t is_extra; /* in ONNX's domain, but of ONNX Runtime, which keeps it for early files */
    uint16_t min_inputs, max_inputs, min_outputs, max_outputs;
    uint16_t first_input, input_count, first_output, output_count;
    uint16_t first_attribute, attribute_count;
} OnnxSchema;

/* The newest IR version that the table's source knew. */
int onnx_newest_ir(void);

/* The newest since-version of a domain; 0: the table has no such domain.  "" is ai.onnx. */
int onnx_domain_newest(const char *domain);

/* The row that an import of `version` selects:
 * the greatest since-version <= version.  NULL: none. */
const OnnxSchema *onnx_schema_find(const char *domain, const char *op, int64_t version);

/* The first version of an operator, for "exists from version N on"; in ONNX's domain of ONNX
 * itself. NULL: the operator is not known at all. */
const OnnxSchema *onnx_schema_first(const char *domain, const char *op);

/* The name of the domain's operator that looks most like `op`, or NULL. */
const char *onnx_schema_did_you_mean(const char *domain, const char *op);

/* A name in the table. */
const char *onnx_schema_text(uint16_t number);

/* The i-th input or output; the last one repeats where it is variadic.  NULL past the end. */
const OnnxFormal *onnx_schema_input(const OnnxSchema *schema, int i);
const OnnxFormal *onnx_schema_output(const OnnxSchema *schema, int i);
const OnnxTypeSet *onnx_formal_types(const OnnxFormal *formal);

/* The attribute of that name or of that place (0 to attribute_count - 1); NULL: none. */
const OnnxAttributeSchema *onnx_schema_attribute(const OnnxSchema *schema, const char *name);
const OnnxAttributeSchema *onnx_schema_attribute_at(const OnnxSchema *schema, int i);

/* Do two attribute rows have the same default, or both none? */
bool onnx_schema_same_default(const OnnxAttributeSchema *a, const OnnxAttributeSchema *b);

#endif
