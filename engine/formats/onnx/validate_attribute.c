/* SPDX-License-Identifier: Apache-2.0 */
/* Checks of a node's attributes: known to its operator, of the right kind, and of a value that
 * means something. */
#include <string.h>

#include "engine/formats/onnx/validate.h"

static const char *field_of(const OnnxChecker *c, const OnnxAttribute *attribute)
{
    return onnx_say(c->in, "attribute '%s'", attribute->name);
}

/* --- kinds --- */

/* Whole numbers given for a FLOAT are common in hand-made files; they mean what they say. */
static bool mend_kind(OnnxAttribute *attribute, int wanted)
{
    if (wanted != ONNX_FLOAT || attribute->kind != ONNX_INT)
        return false;
    attribute->kind = ONNX_FLOAT;
    attribute->f = (float)attribute->i;
    return true;
}

static void check_kind(OnnxChecker *c, OnnxNode *node, OnnxAttribute *attribute,
                       const OnnxAttributeSchema *row)
{
    const char *found = onnx_kind_name(attribute->kind);
    if (attribute->kind == row->kind)
        return;
    const bool is_mended = mend_kind(attribute, row->kind);
    onnx_complain(c, node,
                  (QnFinding){.severity = is_mended ? QN_BREACH : QN_SEVERE,
                              .rule = "onnx-attribute-type",
                              .field = field_of(c, attribute),
                              .found = found,
                              .expected = onnx_kind_name(row->kind)});
}

/* Since IR 2 an attribute says its type, also where it stands for another one. */
static void check_typed(OnnxChecker *c, OnnxNode *node, OnnxAttribute *attribute,
                        const OnnxAttributeSchema *row)
{
    const bool is_other =
        row && attribute->ref[0] && !attribute->is_untyped && attribute->kind != row->kind;
    if (!is_other && (!attribute->is_untyped || c->model->ir_version < 2))
        return;
    onnx_complain(c, node,
                  (QnFinding){.severity = QN_BREACH,
                              .rule = "onnx-attribute-type",
                              .field = field_of(c, attribute),
                              .found = is_other ? onnx_kind_name(attribute->kind)
                                                : "it does not say its type",
                              .expected = row ? onnx_kind_name(row->kind) : NULL});
}

/* Is the member there that the kind promises?  Empty lists and zeros may be left out. */
static bool has_member(const OnnxAttribute *attribute)
{
    switch (attribute->kind) {
    case ONNX_TENSOR:
        return attribute->tensor != NULL;
    case ONNX_GRAPH:
        return attribute->graph != NULL;
    case ONNX_SPARSE_TENSOR:
        return attribute->sparse != NULL;
    case ONNX_TYPE_PROTO:
        return attribute->type != NULL;
    default:
        return attribute->kind > ONNX_UNDEFINED && attribute->kind < ONNX_KIND_COUNT;
    }
}

static void check_member(OnnxChecker *c, OnnxNode *node, OnnxAttribute *attribute)
{
    const uint32_t others = attribute->filled & ~(1u << (attribute->kind & 31));
    if (!has_member(attribute) || (others && !(attribute->filled & 1u << (attribute->kind & 31))))
        onnx_complain(c, node,
                      (QnFinding){.severity = QN_SEVERE,
                                  .rule = "onnx-attribute-member",
                                  .field = field_of(c, attribute),
                                  .found = onnx_say(c->in, "it says %s and holds no such value",
                                                    onnx_kind_name(attribute->kind))});
    const char *owner = "";
    if (attribute->tensor || attribute->sparse)
        owner = onnx_say(c->in, "%s: %s", onnx_label(c, node), field_of(c, attribute));
    if (attribute->tensor)
        onnx_check_tensor(c->in, attribute->tensor, owner);
    if (attribute->sparse)
        onnx_check_sparse(c->in, attribute->sparse, owner);
    node->is_broken |= (attribute->tensor && attribute->tensor->is_broken) ||
                       (attribute->sparse && attribute->sparse->values.is_broken);
}

/* In a function's body an attribute may stand for one of the call. */
static void check_reference(OnnxChecker *c, OnnxNode *node, const OnnxAttribute *attribute)
{
    if (c->function && onnx_scope_find_here(c->declared, attribute->ref))
        return;
    onnx_complain(c, node,
                  (QnFinding){.severity = c->function ? QN_BREACH : QN_SEVERE,
                              .rule = "onnx-attribute-reference",
                              .field = field_of(c, attribute),
                              .found = onnx_say(c->in, "refers to '%s'", attribute->ref),
                              .expected = "an attribute of the function around the node"});
}

/* --- values --- */

/*
 * What attributes may say, where that is less than their kind allows; ONNX states it in prose.
 *
 * ops: operators, separated by spaces; NULL: all that have an attribute of that name.  texts: what
 * a STRING (each of STRINGS) may be.  least, most: what an INT (each of INTS) may be.
 */
typedef struct ValueRule {
    const char *ops, *attribute, *texts;
    int64_t least, most;
    bool is_switch; /* other numbers count as 1 */
} ValueRule;

/* clang-format off */
#define TEXTS(words)  .texts = words
#define SIZES         .least = 1, .most = INT64_MAX
#define TYPES         .least = 1, .most = QN_TYPE_COUNT - 1
#define SWITCH        .least = 0, .most = 1, .is_switch = true
#define REDUCES "ReduceL1 ReduceL2 ReduceLogSum ReduceLogSumExp ReduceMax ReduceMean ReduceMin ReduceProd ReduceSum " \
                "ReduceSumSquare ArgMax ArgMin"

static const ValueRule value_rules[] = {
    {NULL, "auto_pad", TEXTS("NOTSET SAME_UPPER SAME_LOWER VALID")},
    {NULL, "aggregate_function", TEXTS("AVERAGE SUM MIN MAX")},
    {NULL, "coordinate_transformation_mode",
     TEXTS("half_pixel half_pixel_symmetric pytorch_half_pixel align_corners asymmetric tf_half_pixel_for_nn "
           "tf_crop_and_resize output_half_pixel")},
    {NULL, "keep_aspect_ratio_policy", TEXTS("stretch not_larger not_smaller")},
    {NULL, "nearest_mode", TEXTS("round_prefer_floor round_prefer_ceil floor ceil simple")},
    {NULL, "padding_mode", TEXTS("zeros border reflection")},
    {NULL, "pixel_format", TEXTS("RGB BGR Grayscale")},
    {NULL, "post_transform", TEXTS("NONE SOFTMAX LOGISTIC SOFTMAX_ZERO PROBIT")},
    {NULL, "round_mode", TEXTS("up down nearest")},
    {NULL, "case_change_action", TEXTS("LOWER UPPER NONE")},
    {NULL, "update_rule", TEXTS("linear gated delta gated_delta")},
    {"BitShift", "direction", TEXTS("LEFT RIGHT")},
    {"CastMap", "cast_to", TEXTS("TO_FLOAT TO_STRING TO_INT64")},
    {"CastMap", "map_form", TEXTS("DENSE SPARSE")},
    {"CausalConvWithState", "activation", TEXTS("none silu swish")},
    {"DepthToSpace SpaceToDepth", "mode", TEXTS("DCR CRD")},
    {"GRU LSTM RNN", "direction", TEXTS("forward reverse bidirectional foward")},
    {"Gelu", "approximate", TEXTS("none tanh")},
    {"GridSample", "mode", TEXTS("bilinear nearest bicubic linear cubic")},
    {"Momentum", "mode", TEXTS("standard nesterov")},
    {"NegativeLogLikelihoodLoss SoftmaxCrossEntropyLoss", "reduction", TEXTS("none sum mean")},
    {"Normalizer", "norm", TEXTS("MAX L1 L2")},
    {"Pad", "mode", TEXTS("constant reflect edge wrap")},
    {"Resize", "mode", TEXTS("nearest linear cubic")},
    {"RoiAlign", "mode", TEXTS("avg max")},
    {"SVMClassifier SVMRegressor", "kernel_type", TEXTS("LINEAR POLY RBF SIGMOID")},
    {"ScatterElements ScatterND", "reduction", TEXTS("none add mul max min")},
    {"TensorScatter", "mode", TEXTS("linear circular")},
    {"TfIdfVectorizer", "mode", TEXTS("TF IDF TFIDF")},
    {"TreeEnsembleClassifier TreeEnsembleRegressor", "nodes_modes",
     TEXTS("BRANCH_LEQ BRANCH_LT BRANCH_GTE BRANCH_GT BRANCH_EQ BRANCH_NEQ LEAF BRANCH_MEMBER")},
    {"Upsample", "mode", TEXTS("nearest linear bilinear")},

    {NULL, "blocksize", SIZES},
    {NULL, "dilations", SIZES},
    {NULL, "group", SIZES},
    {NULL, "hidden_size", SIZES},
    {NULL, "kernel_shape", SIZES},
    {NULL, "num_groups", SIZES},
    {NULL, "num_outputs", SIZES},
    {NULL, "strides", SIZES},
    {"GlobalLpPool LpPool", "p", SIZES},
    {"LRN", "size", SIZES},
    {"LpNormalization", "p", .least = 1, .most = 2},
    {"MaxRoiPool", "pooled_shape", SIZES},
    {"RoiAlign", "output_height", SIZES},
    {"RoiAlign", "output_width", SIZES},

    {NULL, "dtype", TYPES},
    {NULL, "output_datatype", TYPES},
    {"Cast BitCast", "to", TYPES},

    {NULL, "align_corners", SWITCH},
    {NULL, "ceil_mode", SWITCH},
    {NULL, "count_include_pad", SWITCH},
    {NULL, "is_causal", SWITCH},
    {NULL, "largest", SWITCH},
    {NULL, "linear_before_reset", SWITCH},
    {NULL, "noop_with_empty_axes", SWITCH},
    {NULL, "select_last_index", SWITCH},
    {NULL, "sorted", SWITCH},
    {NULL, "storage_order", SWITCH},
    {NULL, "training_mode", SWITCH},
    {NULL, "upper", SWITCH},
    {REDUCES, "keepdims", SWITCH},
    {"CumProd CumSum", "exclusive", SWITCH},
    {"CumProd CumSum", "reverse", SWITCH},
    {"GRU LSTM RNN", "layout", SWITCH},
    {"Gemm", "transA", SWITCH},
    {"Gemm", "transB", SWITCH},
    {"Mod", "fmod", SWITCH},
};
#undef TEXTS
#undef SIZES
#undef TYPES
#undef SWITCH
#undef REDUCES
/* clang-format on */

/* Is a word among others that spaces separate? */
static bool is_among(const char *words, const void *word, size_t size)
{
    for (const char *at = words; *at;) {
        const size_t length = strcspn(at, " ");
        if (length == size && !memcmp(at, word, size))
            return true;
        at += length + (at[length] == ' ');
    }
    return false;
}

static const ValueRule *find_rule(const OnnxNode *node, const OnnxAttribute *attribute)
{
    for (size_t i = 0; i < QN_COUNT_OF(value_rules); i++)
        if (!strcmp(value_rules[i].attribute, attribute->name) &&
            (!value_rules[i].ops || is_among(value_rules[i].ops, node->op, strlen(node->op))))
            return &value_rules[i];
    return NULL;
}

static void complain_value(OnnxChecker *c, OnnxNode *node, const OnnxAttribute *attribute,
                           const ValueRule *rule, const char *found)
{
    const char *expected = rule->texts;
    if (!expected && rule->most == INT64_MAX)
        expected = onnx_say(c->in, "%lld or more", (long long)rule->least);
    else if (!expected)
        expected = onnx_say(c->in, "%lld to %lld", (long long)rule->least, (long long)rule->most);
    onnx_complain(
        c, node,
        (QnFinding){.severity = rule->is_switch ? QN_BREACH : QN_SEVERE,
                    .rule = "onnx-attribute-value",
                    .field = field_of(c, attribute),
                    .found = found,
                    .expected = rule->texts ? onnx_say(c->in, "one of %s", expected) : expected,
                    .remedy = rule->is_switch ? "it counts as 1" : NULL});
}

/* The first one of a list that is not allowed is the one that is named. */
static void check_texts(OnnxChecker *c, OnnxNode *node, const OnnxAttribute *attribute,
                        const ValueRule *rule)
{
    const bool is_list = attribute->kind == ONNX_STRINGS;
    for (int i = 0; i < (is_list ? attribute->strings.count : 1); i++) {
        const QnBytes text = is_list ? attribute->strings.items[i] : attribute->s;
        if (is_among(rule->texts, text.data, text.size))
            continue;
        complain_value(c, node, attribute, rule,
                       onnx_say(c->in, "'%.*s'", (int)(text.size < 100 ? text.size : 100),
                                (const char *)text.data));
        return;
    }
}

static void check_numbers(OnnxChecker *c, OnnxNode *node, const OnnxAttribute *attribute,
                          const ValueRule *rule)
{
    const bool is_list = attribute->kind == ONNX_INTS;
    const size_t count = is_list ? attribute->ints.count : 1;
    for (size_t i = 0; i < count; i++) {
        const int64_t number = is_list ? attribute->ints.i64[i] : attribute->i;
        if (number >= rule->least && number <= rule->most)
            continue;
        complain_value(c, node, attribute, rule,
                       is_list ? onnx_say(c->in, "element %zu is %lld", i, (long long)number)
                               : onnx_say(c->in, "%lld", (long long)number));
        return;
    }
}

/* A list of sizes without any is no size for any axis. */
static void check_length(OnnxChecker *c, OnnxNode *node, const OnnxAttribute *attribute,
                         const ValueRule *rule)
{
    if (attribute->kind == ONNX_INTS && attribute->ints.count == 0 && rule->least > 0)
        onnx_complain(c, node,
                      (QnFinding){.severity = QN_BREACH,
                                  .rule = "onnx-attribute-value",
                                  .field = field_of(c, attribute),
                                  .found = "it is empty",
                                  .expected = "one for each axis",
                                  .remedy = "it counts as absent"});
}

static void check_value(OnnxChecker *c, OnnxNode *node, const OnnxAttribute *attribute)
{
    const ValueRule *rule = find_rule(node, attribute);
    if (!rule)
        return;
    if (rule->texts && (attribute->kind == ONNX_STRING || attribute->kind == ONNX_STRINGS))
        check_texts(c, node, attribute, rule);
    if (!rule->texts && (attribute->kind == ONNX_INT || attribute->kind == ONNX_INTS)) {
        check_numbers(c, node, attribute, rule);
        check_length(c, node, attribute, rule);
    }
}

/* --- a node's attributes --- */

static void check_attribute(OnnxChecker *c, OnnxNode *node, OnnxAttribute *attribute)
{
    const OnnxAttributeSchema *row =
        node->schema ? onnx_schema_attribute(node->schema, attribute->name) : NULL;
    if (c->is_checking)
        check_typed(c, node, attribute, row);
    if (attribute->ref[0]) {
        check_reference(c, node, attribute);
        return;
    }
    check_member(c, node, attribute);
    if (row)
        check_kind(c, node, attribute, row);
    else if (node->schema)
        onnx_complain(c, node,
                      (QnFinding){.severity = QN_BREACH,
                                  .rule = "onnx-unknown-attribute",
                                  .field = field_of(c, attribute),
                                  .found = onnx_say(c->in, "%s-%d has no such attribute", node->op,
                                                    node->since),
                                  .remedy = "it is ignored"});
    if (row && c->is_checking)
        check_value(c, node, attribute);
}

static void check_required(OnnxChecker *c, OnnxNode *node)
{
    const OnnxAttributeSchema *row;
    for (int i = 0; node->schema && (row = onnx_schema_attribute_at(node->schema, i)); i++)
        if (row->flags & ONNX_ATTRIBUTE_REQUIRED &&
            !onnx_attribute(node, onnx_schema_text(row->name)))
            onnx_complain(
                c, node,
                (QnFinding){.severity = QN_SEVERE,
                            .rule = "onnx-missing-attribute",
                            .field = onnx_say(c->in, "attribute '%s'", onnx_schema_text(row->name)),
                            .found = "it is not there",
                            .expected = onnx_kind_name(row->kind)});
}

/* A Constant has its value in one of many attributes, none of which is obligatory by itself. */
static void check_constant(OnnxChecker *c, OnnxNode *node)
{
    int count = 0;
    if (node->domain[0] || strcmp(node->op, "Constant") != 0)
        return;
    for (int i = 0; i < node->attributes.count; i++)
        count += onnx_schema_attribute(node->schema, node->attributes.items[i].name) != NULL;
    if (count != 1)
        onnx_complain(c, node,
                      (QnFinding){.severity = count ? QN_BREACH : QN_SEVERE,
                                  .rule = "onnx-constant-value",
                                  .found = count ? onnx_say(c->in, "it has %d values", count)
                                                 : "it has no value",
                                  .expected = "one attribute that says it",
                                  .remedy = count ? "the first one counts" : NULL});
}

/* Lists are looked through name by name where they are short, as all honest ones are. */
enum { SHORT_LIST = 32 };

static QnStatus check_names(OnnxChecker *c, OnnxNode *node)
{
    OnnxScope names = onnx_scope(c->in->scratch, NULL);
    const bool is_long = node->attributes.count > SHORT_LIST;
    for (int i = 0; i < node->attributes.count; i++) {
        OnnxAttribute *attribute = &node->attributes.items[i];
        const bool is_second = is_long ? onnx_scope_find_here(&names, attribute->name) != NULL
                                       : onnx_attribute(node, attribute->name) != attribute;
        if (is_second)
            onnx_complain(c, node,
                          (QnFinding){.severity = QN_SEVERE,
                                      .rule = "onnx-duplicate-attribute",
                                      .field = field_of(c, attribute),
                                      .found = "it is there twice"});
        if (is_long)
            QN_TRY(onnx_scope_put(&names, attribute->name, attribute));
    }
    return QN_OK;
}

/* A node's attributes are looked up one by one, so a file may not give it any number of them. */
enum { ATTRIBUTE_LIMIT = 1024 };

static bool has_too_many(OnnxChecker *c, OnnxNode *node)
{
    const int count = node->attributes.count;
    if (count > ATTRIBUTE_LIMIT)
        onnx_complain(c, node,
                      (QnFinding){.severity = QN_SEVERE,
                                  .rule = "onnx-attribute-count",
                                  .found = onnx_say(c->in, "it has %d attributes", count),
                                  .expected = onnx_say(c->in, "at most %d", ATTRIBUTE_LIMIT)});
    return count > ATTRIBUTE_LIMIT;
}

QnStatus onnx_check_attributes(OnnxChecker *c, OnnxNode *node)
{
    if (has_too_many(c, node))
        return QN_OK;
    QN_TRY(check_names(c, node));
    for (int i = 0; i < node->attributes.count; i++)
        check_attribute(c, node, &node->attributes.items[i]);
    check_required(c, node);
    if (node->schema)
        check_constant(c, node);
    return QN_OK;
}
