/* SPDX-License-Identifier: Apache-2.0 */
/* ai.onnx.ml: columns of features.  Picking them, putting them side by side, filling in missing
 * ones, and turning categories into columns. */
#include <math.h>

#include "engine/ops/lookup.h"
#include "engine/ops/walk.h"

/* ---- ArrayFeatureExtractor ---- */

/* A 1-D input counts as one row. */
static QnStatus infer_extractor(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0), *indices = qn_infer_shape(in, 1);
    const QnType element = qn_infer_element(in, 0);
    if (!x)
        return qn_infer_unknown(in, 0, element, -1);
    if (x->rank < 1)
        return qn_infer_fail(in, "input 0 is a scalar, expected rank 1 at least");
    QnShape z = *x;
    if (x->rank == 1) {
        z.rank = 2;
        z.dims[0] = 1;
    }
    z.dims[z.rank - 1] =
        indices ? qn_shape_product(in->dims, indices, 0, indices->rank) : qn_infer_fresh(in);
    return qn_infer_tensor(in, 0, element, &z);
}

static QnStatus extractor(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0), *indices = qn_call_input(call, 1);
    QnTensor *z = qn_call_result(call, 0);
    const size_t element = qn_type_size(x->type);
    const int64_t columns = x->dims[x->rank - 1], count = qn_tensor_count(indices);
    const int64_t rows = columns ? qn_tensor_count(x) / columns : 0;
    for (int64_t i = 0; i < count; i++) {
        int64_t at;
        QN_TRY(qn_walk_index(call, indices, i, columns, &at));
        for (int64_t row = 0; row < rows; row++)
            memcpy((uint8_t *)z->data + (size_t)(row * count + i) * element,
                   (const uint8_t *)x->data + (size_t)(row * columns + at) * element, element);
    }
    return qn_call_poll(call);
}

/* ---- FeatureVectorizer ---- */

/* Rows and columns of an input: 1-D ones are one row, further dimensions are flattened. */
static void sizes_of(QnDims *dims, const QnShape *x, QnDim *rows, QnDim *columns)
{
    *rows = x->rank < 2 ? 1 : x->dims[0];
    *columns = qn_shape_product(dims, x, x->rank < 2 ? 0 : 1, x->rank);
}

static QnStatus infer_vectorizer(QnInfer *in)
{
    const QnAttribute *sizes = qn_node_attribute(in->node, "inputdimensions");
    QnDim total = 0, rows = 1;
    if (sizes && sizes->count != in->input_count)
        return qn_infer_fail(in, "inputdimensions has %d entries, expected %d", sizes->count,
                             in->input_count);
    for (int i = 0; i < in->input_count; i++) {
        const QnShape *x = qn_infer_shape(in, i);
        QnDim here, columns;
        if (!x)
            return qn_infer_unknown(in, 0, QN_FLOAT, 2);
        sizes_of(in->dims, x, &here, &columns);
        if (sizes && qn_dim_is_known(columns) && columns != sizes->ints[i])
            return qn_infer_fail(in, "input %d has %lld features, expected %lld", i,
                                 (long long)columns, (long long)sizes->ints[i]);
        if (i > 0 && qn_dim_is_known(here) && qn_dim_is_known(rows) && here != rows)
            return qn_infer_fail(in, "input %d has %lld rows, expected %lld", i, (long long)here,
                                 (long long)rows);
        rows = i == 0 || qn_dim_is_known(here) ? here : rows;
        total = qn_dim_add(in->dims, total, columns);
    }
    const QnShape y = {.rank = 2, .dims = {rows, total}};
    return qn_infer_tensor(in, 0, QN_FLOAT, &y);
}

static QnStatus vectorizer(const QnCall *call)
{
    QnTensor *y = qn_call_result(call, 0);
    const int64_t rows = y->dims[0];
    int64_t at = 0;
    for (int i = 0; i < call->input_count; i++) {
        const QnTensor *x = qn_call_input(call, i);
        const int64_t columns = rows ? qn_tensor_count(x) / rows : 0;
        double *numbers;
        QN_ALLOC(numbers, call->scratch, columns);
        for (int64_t row = 0; row < rows; row++) {
            qn_tensor_read_row(x, row * columns, 1, columns, numbers);
            qn_tensor_write_row(y, row * y->dims[1] + at, 1, columns, numbers);
        }
        at += columns;
        QN_TRY(qn_call_poll(call));
    }
    return QN_OK;
}

/* ---- Imputer ---- */

/* The values that take the place of others, of the input's kind. */
static bool find_imputed(const QnNode *node, QnType type, QnTensor *imputed)
{
    return qn_list_find(
        node, qn_type_is_float(type) ? "imputed_value_floats" : "imputed_value_int64s", imputed);
}

static QnStatus infer_imputer(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    QnTensor imputed;
    if (qn_infer_element(in, 0) && !find_imputed(in->node, qn_infer_element(in, 0), &imputed))
        return qn_infer_fail(in, "has no imputed values of the input's kind");
    if (x && x->rank > 0 && qn_infer_element(in, 0) && qn_tensor_count(&imputed) != 1 &&
        qn_dim_is_known(x->dims[x->rank - 1]) && qn_tensor_count(&imputed) != x->dims[x->rank - 1])
        return qn_infer_fail(in, "has %lld imputed values, expected 1 or %lld",
                             (long long)qn_tensor_count(&imputed), (long long)x->dims[x->rank - 1]);
    return qn_infer_unary(in);
}

static QnStatus imputer(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0), imputed;
    const bool is_float = qn_type_is_float(x->type);
    const double missing = qn_op_float(call->node, "replaced_value_float");
    const int64_t missing_int = qn_op_int(call->node, "replaced_value_int64");
    const int64_t total = qn_tensor_count(x);
    if (!find_imputed(call->node, x->type, &imputed) || qn_tensor_count(&imputed) < 1)
        return qn_call_fail(call, "has no imputed values of the input's kind");
    const int64_t count = qn_tensor_count(&imputed);
    for (int64_t i = 0; i < total; i++) {
        if (is_float) {
            const double value = qn_tensor_get(x, i);
            const bool is_missing = isnan(missing) ? isnan(value) : value == missing;
            qn_tensor_set(y, i, is_missing ? qn_tensor_get(&imputed, i % count) : value);
        } else {
            const int64_t value = qn_tensor_get_int(x, i);
            qn_tensor_set_int(
                y, i, value == missing_int ? qn_tensor_get_int(&imputed, i % count) : value);
        }
    }
    return qn_call_poll(call);
}

/* ---- OneHotEncoder ---- */

static bool find_categories(const QnNode *node, QnType type, QnTensor *categories)
{
    return qn_list_find(node, type == QN_STRING ? "cats_strings" : "cats_int64s", categories);
}

static QnStatus infer_encoder(QnInfer *in)
{
    const QnShape *x = qn_infer_shape(in, 0);
    QnTensor categories;
    if (!x)
        return qn_infer_unknown(in, 0, QN_FLOAT, -1);
    if (!find_categories(in->node, qn_infer_element(in, 0), &categories))
        return qn_infer_fail(in, "has no categories of the input's kind");
    if (x->rank == QN_MAX_RANK)
        return qn_infer_fail(in, "the result would have over %d dimensions", QN_MAX_RANK);
    QnShape y = *x;
    y.dims[y.rank++] = qn_tensor_count(&categories);
    return qn_infer_tensor(in, 0, QN_FLOAT, &y);
}

/* Floating numbers are looked up by their integer part. */
static QnStatus encoder(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0), categories;
    const bool zeros = qn_op_int(call->node, "zeros") != 0;
    const int64_t total = qn_tensor_count(x);
    QnLookup lookup;
    if (!find_categories(call->node, x->type, &categories))
        return qn_call_fail(call, "has no categories of the input's kind");
    QN_TRY(qn_lookup_init(&lookup, &categories, call->scratch));
    memset(y->data, 0, (size_t)qn_tensor_count(y) * sizeof(float));
    for (int64_t i = 0; i < total; i++) {
        const QnKey key =
            x->type == QN_STRING ? qn_key_of(x, i) : qn_key_of_int(qn_tensor_get_int(x, i));
        const int64_t at = qn_lookup_find(&lookup, key);
        if (at < 0 && !zeros)
            return qn_call_fail(call, "element %lld is in no category", (long long)i);
        if (at >= 0)
            qn_tensor_set(y, i * qn_tensor_count(&categories) + at, 1);
    }
    return qn_call_poll(call);
}

static const QnOpAttribute vectorizer_attributes[] = {{"inputdimensions", QN_ATTRIBUTE_INTS}, {0}};
static const QnOpAttribute imputer_attributes[] = {{"imputed_value_floats", QN_ATTRIBUTE_FLOATS},
                                                   {"imputed_value_int64s", QN_ATTRIBUTE_INTS},
                                                   {"replaced_value_float", QN_ATTRIBUTE_FLOAT},
                                                   {"replaced_value_int64", QN_ATTRIBUTE_INT},
                                                   {0}};
static const QnOpAttribute encoder_attributes[] = {{"cats_int64s", QN_ATTRIBUTE_INTS},
                                                   {"cats_strings", QN_ATTRIBUTE_STRINGS},
                                                   {"zeros", QN_ATTRIBUTE_INT, .i = 1},
                                                   {0}};

const QnOp qn_ops_feature[] = {
    {.name = "ArrayFeatureExtractor",
     .domain = "ai.onnx.ml",
     .since = 1,
     .inputs = "X: any, Y: int64",
     .outputs = "Z: T",
     .traits = QN_OP_PORTABLE,
     .infer = infer_extractor,
     .reference = extractor},
    {.name = "FeatureVectorizer",
     .domain = "ai.onnx.ml",
     .since = 1,
     .inputs = "X*: numeric",
     .outputs = "Y: float",
     .attributes = vectorizer_attributes,
     .traits = QN_OP_PORTABLE,
     .infer = infer_vectorizer,
     .reference = vectorizer},
    {.name = "Imputer",
     .domain = "ai.onnx.ml",
     .since = 1,
     .inputs = "X: numeric",
     .outputs = "Y: T",
     .attributes = imputer_attributes,
     .infer = infer_imputer,
     .reference = imputer},
    {.name = "OneHotEncoder",
     .domain = "ai.onnx.ml",
     .since = 1,
     .inputs = "X: any",
     .outputs = "Y: float",
     .attributes = encoder_attributes,
     .infer = infer_encoder,
     .reference = encoder},
    {0},
};
