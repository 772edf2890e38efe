/* SPDX-License-Identifier: Apache-2.0 */
/* The operator tables of the engine beside the schema table: what a row says twice must agree. */
#include "engine/formats/onnx/schema.h"
#include "engine/ops/op.h"
#include "tests/support/test.h"

/* Is the default of a row that of the schema?  Only numbers and texts have one in rows; where the
 * schema knows none, 0 or "" may stand for that. */
static bool is_same_default(const QnOpAttribute *row, const OnnxAttributeSchema *schema)
{
    if (!(schema->flags & ONNX_ATTRIBUTE_HAS_DEFAULT))
        return true;
    switch (row->kind) {
    case QN_ATTRIBUTE_INT:
        return row->i == schema->value.i;
    case QN_ATTRIBUTE_FLOAT:
        return (float)row->f == schema->value.f;
    case QN_ATTRIBUTE_STRING:
        return !strcmp(row->s ? row->s : "", onnx_schema_text(schema->value.s));
    default:
        return true;
    }
}

static void check_attribute(Test *t, const QnOp *op, const OnnxSchema *schema,
                            const QnOpAttribute *row)
{
    const OnnxAttributeSchema *at = onnx_schema_attribute(schema, row->name);
    if (!at) /* the engine's own: its form is a superset of what versions can say */
        return;
    const int kind = row->kind == QN_ATTRIBUTE_TYPE ? 13 : (int)row->kind;
    EXPECT(t, kind == at->kind, "%s.%s has kind %d, not %d", op->name, row->name, kind, at->kind);
    EXPECT(t, is_same_default(row, at), "%s.%s has another default", op->name, row->name);
    /* The engine may need what the schema does not demand.  LinearClassifier shares its list with
     * LinearRegressor, which demands less. */
    EXPECT(t,
           row->is_required || !(at->flags & ONNX_ATTRIBUTE_REQUIRED) ||
               !strcmp(op->name, "LinearClassifier"),
           "%s.%s is required", op->name, row->name);
}

TEST(attributes_are_those_of_onnx)
{
    int checked = 0;
    for (int f = 0; f < qn_op_family_count; f++)
        for (const QnOp *op = qn_op_families[f]; op->name; op++) {
            const char *domain = op->domain ? op->domain : "";
            const OnnxSchema *schema = onnx_schema_find(domain, op->name, INT64_MAX);
            for (const QnOpAttribute *row = op->attributes; schema && row && row->name; row++) {
                check_attribute(t, op, schema, row);
                checked++;
            }
        }
    EXPECT(t, checked > 300, "%d attributes", checked);
}

/* A row means the newest version of its operator; of one that was given up, the last before. */
TEST(rows_are_of_the_newest_version)
{
    for (int f = 0; f < qn_op_family_count; f++)
        for (const QnOp *op = qn_op_families[f]; op->name; op++) {
            const OnnxSchema *schema =
                onnx_schema_find(op->domain ? op->domain : "", op->name, INT64_MAX);
            EXPECT(t, !schema || schema->is_deprecated || schema->since == op->since,
                   "%s is of version %d, not %d", op->name, op->since, schema ? schema->since : 0);
        }
}

TEST_MAIN(CASE(attributes_are_those_of_onnx), CASE(rows_are_of_the_newest_version))
