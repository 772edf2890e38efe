/* SPDX-License-Identifier: Apache-2.0 */
/* Every row of the upgrade table: a graph of an old version, and what the reader makes of it. */
#include "engine/formats/onnx/upgrade.h"

#include "tests/support/onnx_case.h"
#include "tests/support/test.h"

typedef struct Row {
    int opset;
    const char *before; /* the graph's lines, without the first and the last */
    const char *after;
} Row;

/* Which rows of the upgrade table a test had; ONNX Runtime's operators have tests of their own. */
enum { ROWS_MOST = 256 };
static bool is_tried[ROWS_MOST];

static bool is_standard(const OnnxUpgradeRow *row)
{
    return strcmp(row->domain, "com.microsoft") != 0;
}

/* Does a graph use an operator in the versions of a row? */
static bool uses(const Row *test, const OnnxUpgradeRow *row)
{
    char call[128];
    const bool is_ml = row->domain[0] != 0;
    const OnnxSchema *schema = onnx_schema_find(row->domain, row->op, is_ml ? 1 : test->opset);
    const int since = schema ? schema->since : 0;
    snprintf(call, sizeof call, "= %s%s(", is_ml ? "ml." : "", row->op);
    return strstr(test->before, call) && row->first <= since && since <= row->last;
}

static void check_rows(Test *t, const Row *rows, size_t count)
{
    OnnxCase c = {0};
    char graph[4096], body[4096];
    for (size_t i = 0; i < count; i++) {
        snprintf(graph, sizeof graph, "graph main(%s }", rows[i].before);
        for (int k = 0; k < onnx_upgrade_row_count && k < ROWS_MOST; k++)
            is_tried[k] |= uses(&rows[i], &onnx_upgrade_rows[k]);
        const char *text = onnx_case_text(&c, 3, rows[i].opset, 1, graph);
        onnx_case_body(text, body, sizeof body);
        EXPECT(t, !strcmp(body, rows[i].after), "%s\ngave\n%s\nexpected\n%s", rows[i].before,
               body[0] ? body : text, rows[i].after);
    }
    onnx_case_finish(&c);
}

TEST(attributes_become_inputs)
{
    static const Row rows[] = {
        {11, "%x: float[1,1,3]) { %y = Squeeze(%x) {axes = [0, 1]} return %y",
         "const %y.axes: int64[2] = {0, 1}\n"
         "%y = Squeeze(%x, %y.axes)\n"},
        {11, "%x: float[3]) { %y = Unsqueeze(%x) {axes = [0]} return %y",
         "const %y.axes: int64[1] = {0}\n"
         "%y = Unsqueeze(%x, %y.axes)\n"},
        {11, "%x: float[3,4]) { %y = ReduceSum(%x) {axes = [1], keepdims = 0} return %y",
         "const %y.axes: int64[1] = {1}\n"
         "%y = ReduceSum(%x, %y.axes) {keepdims = 0}\n"},
        {17, "%x: float[3,4]) { %y = ReduceMean(%x) {axes = [1]} return %y",
         "const %y.axes: int64[1] = {1}\n"
         "%y = ReduceMean(%x, %y.axes)\n"},
        {17, "%x: float[3,4]) { %y = ReduceMax(%x) return %y", "%y = ReduceMax(%x)\n"},
        {17, "%x: float[3,4]) { %y = ReduceMin(%x) {axes = []} return %y", "%y = ReduceMin(%x)\n"},
        {17, "%x: float[3,4]) { %y = ReduceL1(%x) {axes = [0]} return %y",
         "const %y.axes: int64[1] = {0}\n"
         "%y = ReduceL1(%x, %y.axes)\n"},
        {17, "%x: float[3,4]) { %y = ReduceL2(%x) {axes = [0]} return %y",
         "const %y.axes: int64[1] = {0}\n"
         "%y = ReduceL2(%x, %y.axes)\n"},
        {17, "%x: float[3,4]) { %y = ReduceLogSum(%x) {axes = [0]} return %y",
         "const %y.axes: int64[1] = {0}\n"
         "%y = ReduceLogSum(%x, %y.axes)\n"},
        {17, "%x: float[3,4]) { %y = ReduceLogSumExp(%x) {axes = [0]} return %y",
         "const %y.axes: int64[1] = {0}\n"
         "%y = ReduceLogSumExp(%x, %y.axes)\n"},
        {17, "%x: float[3,4]) { %y = ReduceProd(%x) {axes = [0]} return %y",
         "const %y.axes: int64[1] = {0}\n"
         "%y = ReduceProd(%x, %y.axes)\n"},
        {17, "%x: float[3,4]) { %y = ReduceSumSquare(%x) {axes = [0]} return %y",
         "const %y.axes: int64[1] = {0}\n"
         "%y = ReduceSumSquare(%x, %y.axes)\n"},
        {12, "%x: float[6]) { %a, %b = Split(%x) {split = [2, 4]} return %a, %b",
         "const %a.split: int64[2] = {2, 4}\n"
         "%a, %b = Split(%x, %a.split)\n"},
        {12, "%x: float[6]) { %a, %b = Split(%x) {axis = 0} return %a, %b",
         "%a, %b = Split(%x) {axis = 0, num_outputs = 2}\n"},
        {13, "%x: float[6]) { %a, %b, %c = Split(%x) return %a, %b, %c",
         "%a, %b, %c = Split(%x) {num_outputs = 3}\n"},
        {9, "%x: float[6]) { %y = Slice(%x) {axes = [0], starts = [1], ends = [5]} return %y",
         "const %y.starts: int64[1] = {1}\n"
         "const %y.ends: int64[1] = {5}\n"
         "const %y.axes: int64[1] = {0}\n"
         "%y = Slice(%x, %y.starts, %y.ends, %y.axes)\n"},
        {4, "%x: float[6]) { %y = Reshape(%x) {shape = [2, 3]} return %y",
         "const %y.shape: int64[2] = {2, 3}\n"
         "%y = Reshape(%x, %y.shape)\n"},
        {4, "%x: float[6]) { %y = Reshape(%x) return %y",
         "severe: onnx-missing-attribute model: Reshape node making 'y': nothing says its input, expected shape\n"},
        {9, "%x: float[6]) { %v, %i = TopK(%x) {k = 2} return %v, %i",
         "const %v.k: int64[1] = {2}\n"
         "%v, %i = TopK(%x, %v.k)\n"},
        {17, "%x: float[1,8,1]) { %y = DFT(%x) {onesided = 1} return %y",
         "const %y.axis: int64[] = {1}\n"
         "%y = DFT(%x, _, %y.axis) {onesided = 1}\n"},
        {3, "%x: float[2,2]) { %y = Concat(%x, %x) return %y", "%y = Concat(%x, %x) {axis = 1}\n"},
        {10, "%x: float[2], %i: int64[1], %u: float[1]) { %y = Scatter(%x, %i, %u) return %y",
         "%y = ScatterElements(%x, %i, %u)\n"},
        {1, "%x: float[2,2]) { %y = Pad(%x) {paddings = [0, 1, 0, 1], value = 2.0} return %y",
         "const %y.paddings: int64[4] = {0, 1, 0, 1}\n"
         "const %y.value: float[] = {2}\n"
         "%y = Pad(%x, %y.paddings, %y.value)\n"},
        {2, "%x: double[2,2]) { %y = Pad(%x) {pads = [0, 1, 0, 1], value = 2.0} return %y",
         "const %y.pads: int64[4] = {0, 1, 0, 1}\n"
         "const %y.value: double[] = {2}\n"
         "%y = Pad(%x, %y.pads, %y.value)\n"},
        {6, "%x: float[2]) { %y = Clip(%x) {min = 0.0, max = 6.0} return %y",
         "const %y.min: float[] = {0}\n"
         "const %y.max: float[] = {6}\n"
         "%y = Clip(%x, %y.min, %y.max)\n"},
        {6, "%x: tensor[2]) { %y = Clip(%x) {max = 6.0} return %y",
         "const %y.max: float[] = {6}\n"
         "%y.CastLike = CastLike(%y.max, %x)\n"
         "%y = Clip(%x, _, %y.CastLike)\n"},
        {6, "%x: float[2]) { %y = Clip(%x) {min = -3.4028235e+38} return %y", "%y = Clip(%x)\n"},
        {1, "%x: float[2,3], %n: float[1], %a: float[1]) { %y = Tile(%x, %n, %a) return %y",
         "const %y.unit: int64[1] = {1}\n"
         "const %y.one: int64[1] = {1}\n"
         "const %y.one.1: int64[1] = {1}\n"
         "%y.Shape = Shape(%x)\n"
         "%y.Shape.1 = Shape(%y.Shape)\n"
         "%y.Expand = Expand(%y.unit, %y.Shape.1)\n"
         "%y.Reshape = Reshape(%n, %y.one)\n"
         "%y.Cast = Cast(%y.Reshape) {to = 7}\n"
         "%y.Reshape.1 = Reshape(%a, %y.one.1)\n"
         "%y.Cast.1 = Cast(%y.Reshape.1) {to = 7}\n"
         "%y.ScatterElements = ScatterElements(%y.Expand, %y.Cast.1, %y.Cast)\n"
         "%y = Tile(%x, %y.ScatterElements)\n"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows));
}

TEST(broadcasting_by_attributes_follows_numpy)
{
    static const Row rows[] = {
        {6, "%x: float[2,3,4,5], %b: float[5]) { %y = Add(%x, %b) {broadcast = 1} return %y",
         "%y = Add(%x, %b)\n"},
        {6,
         "%x: float[2,3,4,5], %b: float[3]) { %y = Sub(%x, %b) {broadcast = 1, axis = 1} return %y",
         "const %y.axes: int64[2] = {1, 2}\n"
         "%y.Unsqueeze = Unsqueeze(%b, %y.axes)\n"
         "%y = Sub(%x, %y.Unsqueeze)\n"},
        {6,
         "%x: float[2,3,4,5], %b: float[4,5]) { %y = Mul(%x, %b) {broadcast = 1, axis = -2} return %y",
         "%y = Mul(%x, %b)\n"},
        {6, "%x: float[?], %b: float[3]) { %y = Div(%x, %b) {broadcast = 1, axis = 1} return %y",
         "const %y.axis: int64[1] = {1}\n"
         "const %y.unit: int64[1] = {1}\n"
         "%y.Shape = Shape(%b)\n"
         "%y.Shape.1 = Shape(%y.Shape)\n"
         "%y.Shape.2 = Shape(%x)\n"
         "%y.Shape.3 = Shape(%y.Shape.2)\n"
         "%y.Sub = Sub(%y.Shape.3, %y.axis)\n"
         "%y.Sub.1 = Sub(%y.Sub, %y.Shape.1)\n"
         "%y.Expand = Expand(%y.unit, %y.Sub.1)\n"
         "%y.Concat = Concat(%y.Shape, %y.Expand) {axis = 0}\n"
         "%y.Reshape = Reshape(%b, %y.Concat) {allowzero = 1}\n"
         "%y = Div(%x, %y.Reshape)\n"},
        {6, "%x: float[?], %b: float[3]) { %y = Pow(%x, %b) {broadcast = 1, axis = -2} return %y",
         "const %y.axis: int64[1] = {2}\n"
         "const %y.unit: int64[1] = {1}\n"
         "%y.Shape = Shape(%b)\n"
         "%y.Shape.1 = Shape(%y.Shape)\n"
         "%y.Sub = Sub(%y.axis, %y.Shape.1)\n"
         "%y.Expand = Expand(%y.unit, %y.Sub)\n"
         "%y.Concat = Concat(%y.Shape, %y.Expand) {axis = 0}\n"
         "%y.Reshape = Reshape(%b, %y.Concat) {allowzero = 1}\n"
         "%y = Pow(%x, %y.Reshape)\n"},
        {1, "%x: bool[2,3], %b: bool[2]) { %y = And(%x, %b) {broadcast = 1, axis = 0} return %y",
         "const %y.axes: int64[1] = {1}\n"
         "%y.Unsqueeze = Unsqueeze(%b, %y.axes)\n"
         "%y = And(%x, %y.Unsqueeze)\n"},
        {1, "%x: bool[2,3], %b: bool[2]) { %y = Or(%x, %b) {broadcast = 1, axis = 0} return %y",
         "const %y.axes: int64[1] = {1}\n"
         "%y.Unsqueeze = Unsqueeze(%b, %y.axes)\n"
         "%y = Or(%x, %y.Unsqueeze)\n"},
        {1, "%x: bool[2,3], %b: bool[2]) { %y = Xor(%x, %b) {broadcast = 1, axis = 0} return %y",
         "const %y.axes: int64[1] = {1}\n"
         "%y.Unsqueeze = Unsqueeze(%b, %y.axes)\n"
         "%y = Xor(%x, %y.Unsqueeze)\n"},
        {1,
         "%x: float[2,3], %b: float[2]) { %y = Greater(%x, %b) {broadcast = 1, axis = 0} return %y",
         "const %y.axes: int64[1] = {1}\n"
         "%y.Unsqueeze = Unsqueeze(%b, %y.axes)\n"
         "%y = Greater(%x, %y.Unsqueeze)\n"},
        {1, "%x: float[2,3], %b: float[2]) { %y = Less(%x, %b) {broadcast = 1, axis = 0} return %y",
         "const %y.axes: int64[1] = {1}\n"
         "%y.Unsqueeze = Unsqueeze(%b, %y.axes)\n"
         "%y = Less(%x, %y.Unsqueeze)\n"},
        {1,
         "%x: int32[2,3], %b: int32[2]) { %y = Equal(%x, %b) {broadcast = 1, axis = 0} return %y",
         "const %y.axes: int64[1] = {1}\n"
         "%y.Unsqueeze = Unsqueeze(%b, %y.axes)\n"
         "%y = Equal(%x, %y.Unsqueeze)\n"},
        {6,
         "%a: float[2,3], %b: float[3,4], %c: float[4]) { %y = Gemm(%a, %b, %c) {broadcast = 1} return %y",
         "%y = Gemm(%a, %b, %c)\n"},
        {6, "%x: float[2,3,4], %s: float[3]) { %y = PRelu(%x, %s) return %y",
         "const %y.axes: int64[1] = {1}\n"
         "%y.Unsqueeze = Unsqueeze(%s, %y.axes)\n"
         "%y = PRelu(%x, %y.Unsqueeze)\n"},
        {6, "%x: float[?], %s: float[3]) { %y = PRelu(%x, %s) return %y",
         "const %y.axis: int64[1] = {1}\n"
         "const %y.unit: int64[1] = {1}\n"
         "%y.Shape = Shape(%s)\n"
         "%y.Shape.1 = Shape(%y.Shape)\n"
         "%y.Shape.2 = Shape(%x)\n"
         "%y.Shape.3 = Shape(%y.Shape.2)\n"
         "%y.Sub = Sub(%y.Shape.3, %y.axis)\n"
         "%y.Sub.1 = Sub(%y.Sub, %y.Shape.1)\n"
         "%y.Expand = Expand(%y.unit, %y.Sub.1)\n"
         "%y.Concat = Concat(%y.Shape, %y.Expand) {axis = 0}\n"
         "%y.Reshape = Reshape(%s, %y.Concat) {allowzero = 1}\n"
         "%y = PRelu(%x, %y.Reshape)\n"},
        {6, "%x: float[2,3,4], %s: float[3,1]) { %y = PRelu(%x, %s) return %y",
         "%y = PRelu(%x, %s)\n"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows));
}

TEST(softmax_over_a_matrix_keeps_its_meaning)
{
    static const Row rows[] = {
        {12, "%x: float[2,3]) { %y = Softmax(%x) return %y", "%y = Softmax(%x) {axis = -1}\n"},
        {12, "%x: float[2,3,4]) { %y = Softmax(%x) return %y",
         "%y.Shape = Shape(%x)\n"
         "%y.Flatten = Flatten(%x) {axis = 1}\n"
         "%y.inner = Softmax(%y.Flatten) {axis = -1}\n"
         "%y = Reshape(%y.inner, %y.Shape) {allowzero = 1}\n"},
        {12, "%x: float[2,3,4]) { %y = LogSoftmax(%x) {axis = 2} return %y",
         "%y = LogSoftmax(%x) {axis = -1}\n"},
        {12, "%x: float[?]) { %y = Hardmax(%x) {axis = -1} return %y",
         "%y = Hardmax(%x) {axis = -1}\n"},
        {13, "%x: float[2,3,4]) { %y = Softmax(%x) {axis = 1} return %y",
         "%y = Softmax(%x) {axis = 1}\n"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows));
}

TEST(normalizations_take_their_newest_form)
{
    static const Row rows[] = {
        {6,
         "%x: float[1,2], %s: float[2], %b: float[2], %m: float[2], %v: float[2]) "
         "{ %y = BatchNormalization(%x, %s, %b, %m, %v) {is_test = 1, epsilon = 0.5} return %y",
         "%y = BatchNormalization(%x, %s, %b, %m, %v) {epsilon = 0.5}\n"},
        {8,
         "%x: float[1,2], %s: float[2], %b: float[2], %m: float[2], %v: float[2]) "
         "{ %y, %rm, %rv = BatchNormalization(%x, %s, %b, %m, %v) return %y, %rm, %rv",
         "%y, %rm, %rv = BatchNormalization(%x, %s, %b, %m, %v) {training_mode = 1}\n"},
        {7,
         "%x: float[1,2], %s: float[2], %b: float[2], %m: float[2], %v: float[2]) "
         "{ %y = BatchNormalization(%x, %s, %b, %m, %v) {spatial = 0} return %y",
         "const %y.epsilon: float[] = {1e-05}\n"
         "%y.Sub = Sub(%x, %m)\n"
         "%y.Add = Add(%v, %y.epsilon)\n"
         "%y.Sqrt = Sqrt(%y.Add)\n"
         "%y.Div = Div(%y.Sub, %y.Sqrt)\n"
         "%y.Mul = Mul(%y.Div, %s)\n"
         "%y = Add(%y.Mul, %b)\n"},
        {18,
         "%x: float[1,4,3], %s: float[2], %b: float[2]) "
         "{ %y = GroupNormalization(%x, %s, %b) {num_groups = 2} return %y",
         "const %y.groups: int64[1] = {2}\n"
         "const %y.column: int64[2] = {-1, 1}\n"
         "const %y.flat: int64[1] = {-1}\n"
         "const %y.column.1: int64[2] = {-1, 1}\n"
         "const %y.flat.1: int64[1] = {-1}\n"
         "%y.Shape = Shape(%x) {start = 1, end = 2}\n"
         "%y.Div = Div(%y.Shape, %y.groups)\n"
         "%y.Reshape = Reshape(%s, %y.column)\n"
         "%y.Concat = Concat(%y.groups, %y.Div) {axis = 0}\n"
         "%y.Expand = Expand(%y.Reshape, %y.Concat)\n"
         "%y.Reshape.1 = Reshape(%y.Expand, %y.flat)\n"
         "%y.Reshape.2 = Reshape(%b, %y.column.1)\n"
         "%y.Concat.1 = Concat(%y.groups, %y.Div) {axis = 0}\n"
         "%y.Expand.1 = Expand(%y.Reshape.2, %y.Concat.1)\n"
         "%y.Reshape.3 = Reshape(%y.Expand.1, %y.flat.1)\n"
         "%y = GroupNormalization(%x, %y.Reshape.1, %y.Reshape.3) {num_groups = 2}\n"},
        {1,
         "%x: float[1,2,3,3]) { %y = MeanVarianceNormalization(%x) {across_channels = 1} return %y",
         "%y = MeanVarianceNormalization(%x) {axes = [0, 1, 2, 3]}\n"},
        {1,
         "%x: float[1,2,3,3]) { %y = MeanVarianceNormalization(%x) {normalize_variance = 0} return %y",
         "const %y.axes: int64[3] = {0, 2, 3}\n"
         "%y.ReduceMean = ReduceMean(%x, %y.axes)\n"
         "%y = Sub(%x, %y.ReduceMean)\n"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows));
}

TEST(images_are_sampled_by_resize)
{
    static const Row rows[] = {
        {1,
         "%x: float[1,1,2,2]) { %y = Upsample(%x) {height_scale = 2.0, width_scale = 3.0, mode = \"bilinear\"} return %y",
         "const %y.scales: float[4] = {1, 1, 2, 3}\n"
         "%y = Resize(%x, _, %y.scales) {mode = \"linear\", coordinate_transformation_mode = \"asymmetric\"}\n"},
        {8, "%x: float[1,1,2,2]) { %y = Upsample(%x) {scales = [1.0, 1.0, 2.0, 2.0]} return %y",
         "const %y.scales: float[4] = {1, 1, 2, 2}\n"
         "%y = Resize(%x, _, %y.scales) {coordinate_transformation_mode = \"asymmetric\", nearest_mode = \"floor\"}\n"},
        {9,
         "%x: float[1,1,2,2], %s: float[4]) { %y = Upsample(%x, %s) {mode = \"linear\"} return %y",
         "%y = Resize(%x, _, %s) {mode = \"linear\", coordinate_transformation_mode = \"asymmetric\"}\n"},
        {10, "%x: float[1,1,2,2], %s: float[4]) { %y = Resize(%x, %s) return %y",
         "%y = Resize(%x, _, %s) {coordinate_transformation_mode = \"asymmetric\", nearest_mode = \"simple\"}\n"},
        {10,
         "%x: float[1,1,4,4]) { const %s: float[4] = {1, 1, 0.5, 0.5} %y = Resize(%x, %s) return %y",
         "const %s: float[4] = {1, 1, 0.5, 0.5}\n"
         "%y = Resize(%x, _, %s) {coordinate_transformation_mode = \"asymmetric\", nearest_mode = \"ceil\"}\n"},
        {11,
         "%x: float[1,1,4,4], %n: int64[4]) { const %e: float[0] = {} %y = Resize(%x, %e, %e, %n) return %y",
         "%y = Resize(%x, _, _, %n)\n"},
        {10,
         "%x: float[1,1,4,4], %r: float[2,4], %i: int64[2]) { %y = RoiAlign(%x, %r, %i) return %y",
         "%y = RoiAlign(%x, %r, %i) {coordinate_transformation_mode = \"output_half_pixel\"}\n"},
        {16, "%x: float[1,1,4,4], %g: float[1,2,2,2]) { %y = GridSample(%x, %g) return %y",
         "%y = GridSample(%x, %g) {mode = \"linear\"}\n"},
        {16,
         "%x: float[1,1,4,4], %g: float[1,2,2,2]) { %y = GridSample(%x, %g) {mode = \"bicubic\"} return %y",
         "%y = GridSample(%x, %g) {mode = \"cubic\"}\n"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows));
}

TEST(the_rest_of_the_table)
{
    static const Row rows[] = {
        {9, "%x: float[2]) { %y = Dropout(%x) {ratio = 0.5} return %y", "%y = Identity(%x)\n"},
        {9, "%x: double[2]) { %y, %m = Dropout(%x) return %y, %m",
         "const %y.one: double[] = {1}\n"
         "%y.Shape = Shape(%x)\n"
         "%y.Expand = Expand(%y.one, %y.Shape)\n"
         "%m = Identity(%y.Expand)\n"
         "%y = Identity(%x)\n"},
        {10, "%x: float[2]) { %y, %m = Dropout(%x) return %y, %m",
         "const %y.one: float[] = {1}\n"
         "%y.Shape = Shape(%x)\n"
         "%y.Expand = Expand(%y.one, %y.Shape)\n"
         "%m = Cast(%y.Expand) {to = 9}\n"
         "%y = Identity(%x)\n"},
        {5, "%x: float[2]) { %y = Cast(%x) {to = \"INT32\"} return %y", "%y = Cast(%x) {to = 6}\n"},
        {5, "%x: float[2]) { %y = Cast(%x) {to = \"STRANGE\"} return %y",
         "severe: onnx-cast-type model: Cast node making 'y': STRANGE, expected the name of an element type, \"FLOAT\"\n"},
        {1, "%x: float[1,1,4]) { %y = LpPool(%x) {kernel_shape = [2], p = 3.0} return %y",
         "%y = LpPool(%x) {kernel_shape = [2], p = 3}\n"},
        {1, "%x: float[1,1,4]) { %y = GlobalLpPool(%x) return %y",
         "%y = GlobalLpPool(%x) {p = 2}\n"},
        {1, "%x: float[1,1,4]) { %y = GlobalLpPool(%x) {p = 1.5} return %y",
         "severe: onnx-lp-pool model: GlobalLpPool node making 'y': p is no whole number of 1 or more, expected 1, 2, ...\n"},
        {1,
         "%x: float[1,1,4], %w: float[1,2,4], %r: float[1,2,2]) { %y = RNN(%x, %w, %r) {output_sequence = 1} return %y",
         "%y = RNN(%x, %w, %r)\n"},
        {6,
         "%x: float[1,1,4], %w: float[2,4], %r: float[2,2]) { %y, %h = RNN(%x, %w, %r) return %y, %h",
         "const %y.direction: int64[1] = {0}\n"
         "const %y.directions: int64[1] = {1}\n"
         "%y.Unsqueeze = Unsqueeze(%w, %y.direction)\n"
         "%y.Unsqueeze.1 = Unsqueeze(%r, %y.direction)\n"
         "%y.inner, %h = RNN(%x, %y.Unsqueeze, %y.Unsqueeze.1)\n"
         "%y = Squeeze(%y.inner, %y.directions)\n"},
        {3,
         "%x: float[1,1,4], %w: float[1,6,4], %r: float[1,6,2]) { %y = GRU(%x, %w, %r) {output_sequence = 1} return %y",
         "%y = GRU(%x, %w, %r)\n"},
        {1,
         "%x: float[1,1,4], %w: float[1,6,4], %r: float[1,6,2]) { %y = GRU(%x, %w, %r) return %y",
         "%y = GRU(%x, %w, %r)\n"},
        {1,
         "%x: float[1,1,4], %w: float[1,8,4], %r: float[1,8,2]) { %y = LSTM(%x, %w, %r) {output_sequence = 1} return %y",
         "%y = LSTM(%x, %w, %r)\n"},
        {9,
         "%x: string[2]) { %y = ml.LabelEncoder(%x) {classes_strings = [\"a\", \"b\"], default_int64 = 7} return %y",
         "%y = ml.LabelEncoder(%x) {default_int64 = 7, keys_strings = [\"a\", \"b\"], values_int64s = [0, 1]}\n"},
        {9, "%x: int64[2]) { %y = ml.LabelEncoder(%x) {classes_strings = [\"a\", \"b\"]} return %y",
         "%y = ml.LabelEncoder(%x) {values_strings = [\"a\", \"b\"], keys_int64s = [0, 1]}\n"},
        {1, "%x: float[2]) { %y = Selu(%x) {consumed_inputs = [0]} return %y",
         "%y = Selu(%x) {alpha = 1.6732, gamma = 1.0507}\n"},
        {8,
         "%l: int64[2], %s: float[2,1], %x: float[2,5,1]) { %o, %z = Scan(%l, %s, %x) {num_scan_inputs = 1, directions = [1], "
         "body = graph step(%a: float[1], %b: float[1]) { %c = Add(%a, %b) return %c, d = %c }} return %o, %z",
         "const %o.axis: int64[1] = {0}\n"
         "%o.Shape = Shape(%s) {start = 0, end = 1}\n"
         "%o.Squeeze = Squeeze(%o.Shape, %o.axis)\n"
         "%o, %z = Loop(%o.Squeeze, _) {body = graph scan_sample(%o.sample: int64[], %o.condition: bool[]) {\n"
         "const %o.axis.1: int64[1] = {0}\n"
         "const %o.start: int64[1] = {0}\n"
         "const %o.axis.2: int64[1] = {0}\n"
         "const %o.begin: int64[1] = {0}\n"
         "const %o.axis.3: int64[1] = {0}\n"
         "%o.Identity = Identity(%o.condition)\n"
         "%o.Gather = Gather(%l, %o.sample)\n"
         "%o.Unsqueeze = Unsqueeze(%o.Gather, %o.axis.1)\n"
         "%o.Gather.1 = Gather(%s, %o.sample)\n"
         "%o.Gather.2 = Gather(%x, %o.sample)\n"
         "%o.Slice = Slice(%o.Gather.2, %o.start, %o.Unsqueeze, %o.axis.2)\n"
         "%o.Scan.1, %o.Scan.2 = Scan(%o.Gather.1, %o.Slice) {num_scan_inputs = 1, scan_input_directions = [1], body = graph step(%a: float[1], %b: float[1]) {\n"
         "%c = Add(%a, %b)\n"
         "%d = Identity(%c)\n"
         "%o.Shape.1 = Shape(%x) {start = 1, end = 2}\n"
         "%o.Sub = Sub(%o.Shape.1, %o.Unsqueeze)\n"
         "%o.Concat = Concat(%o.begin, %o.Sub) {axis = 0}\n"
         "%o.Pad = Pad(%o.Scan.2, %o.Concat, _, %o.axis.3)\n"},
        {8,
         "%s: float[2,1], %x: float[2,5,1]) { %o = Scan(_, %s, %x) {num_scan_inputs = 1, "
         "body = graph step(%a: float[1], %b: float[1]) { %c = Add(%a, %b) return %c }} return %o",
         "const %o.axis: int64[1] = {0}\n"
         "%o.Shape = Shape(%s) {start = 0, end = 1}\n"
         "%o.Squeeze = Squeeze(%o.Shape, %o.axis)\n"
         "%o = Loop(%o.Squeeze, _) {body = graph scan_sample(%o.sample: int64[], %o.condition: bool[]) {\n"
         "%o.Identity = Identity(%o.condition)\n"
         "%o.Gather = Gather(%s, %o.sample)\n"
         "%o.Gather.1 = Gather(%x, %o.sample)\n"
         "%o.Scan.1 = Scan(%o.Gather, %o.Gather.1) {num_scan_inputs = 1, body = graph step(%a: float[1], %b: float[1]) {\n"
         "%c = Add(%a, %b)\n"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows));
}

TEST(operators_of_early_files_become_arithmetic)
{
    static const Row rows[] = {
        {6, "%x: float[2]) { %y = Affine(%x) {alpha = 2.0, beta = 3.0} return %y",
         "const %y.alpha: float[] = {2}\n"
         "const %y.beta: float[] = {3}\n"
         "%y.Mul = Mul(%x, %y.alpha)\n"
         "%y = Add(%y.Mul, %y.beta)\n"},
        {6, "%x: float[2]) { %y = Scale(%x) {scale = 2.0} return %y",
         "const %y.scale: float[] = {2}\n"
         "%y = Mul(%x, %y.scale)\n"},
        {6, "%x: float[2]) { %y = ScaledTanh(%x) {alpha = 2.0, beta = 3.0} return %y",
         "const %y.beta: float[] = {3}\n"
         "const %y.alpha: float[] = {2}\n"
         "%y.Mul = Mul(%x, %y.beta)\n"
         "%y.Tanh = Tanh(%y.Mul)\n"
         "%y = Mul(%y.Tanh, %y.alpha)\n"},
        {6, "%x: float[2]) { %y = ParametricSoftplus(%x) {alpha = 2.0, beta = 3.0} return %y",
         "const %y.beta: float[] = {3}\n"
         "const %y.alpha: float[] = {2}\n"
         "%y.Mul = Mul(%x, %y.beta)\n"
         "%y.Softplus = Softplus(%y.Mul)\n"
         "%y = Mul(%y.Softplus, %y.alpha)\n"},
        {6, "%x: float[1,2,3,3]) { %y = ImageScaler(%x) {scale = 2.0, bias = [1.0, 2.0]} return %y",
         "const %y.scale: float[] = {2}\n"
         "const %y.bias: float[2] = {1, 2}\n"
         "const %y.axes: int64[2] = {1, 2}\n"
         "%y.Mul = Mul(%x, %y.scale)\n"
         "%y.Unsqueeze = Unsqueeze(%y.bias, %y.axes)\n"
         "%y.CastLike = CastLike(%y.Unsqueeze, %y.Mul)\n"
         "%y = Add(%y.Mul, %y.CastLike)\n"},
        {6, "%x: float[1,2,9,9]) { %y = Crop(%x) {border = [1, 2, 0, 4]} return %y",
         "const %y.starts: int64[2] = {2, 1}\n"
         "const %y.ends: int64[2] = {-4, 9223372036854775807}\n"
         "const %y.axes: int64[2] = {2, 3}\n"
         "%y = Slice(%x, %y.starts, %y.ends, %y.axes)\n"},
        {6, "%x: float[1,2,9,9]) { %y = Crop(%x) {border = [1, 2, 3, 4], scale = [5, 5]} return %y",
         "const %y.starts: int64[2] = {2, 1}\n"
         "const %y.ends: int64[2] = {7, 6}\n"
         "const %y.axes: int64[2] = {2, 3}\n"
         "%y = Slice(%x, %y.starts, %y.ends, %y.axes)\n"},
        {6, "%x: float[1,2,9,9]) { %y = Crop(%x) return %y",
         "severe: onnx-crop model: Crop node making 'y': its attributes do not fit, expected 4 numbers in border, 2 in scale\n"},
        {6,
         "%x: int64[2]) { %y = ConstantFill(%x) {input_as_shape = 1, value = 2.0, extra_shape = [3]} return %y",
         "const %y.extra_shape: int64[1] = {3}\n"
         "const %y.value: float[] = {2}\n"
         "%y.Concat = Concat(%x, %y.extra_shape) {axis = 0}\n"
         "%y = Expand(%y.value, %y.Concat)\n"},
        {6, "%x: float[2]) { %y = ConstantFill(%x) {dtype = 7} return %y",
         "const %y.value: float[] = {0}\n"
         "%y.Shape = Shape(%x)\n"
         "%y.Cast = Cast(%y.value) {to = 7}\n"
         "%y = Expand(%y.Cast, %y.Shape)\n"},
        {6, "%x: float[2]) { %y = ATen(%x) {operator = \"sine\"} return %y",
         "severe: onnx-not-supported model: ATen node making 'y': a call into PyTorch's own library, "
         "expected an operator of ONNX: export it anew\n"},
        {6,
         "%h: float[1,2,4], %g: float[1,2,12], %n: float[2], %t: float[1]) { "
         "%y = GRUUnit(%h, %g, %n, %t) return %y",
         "const %y.value: float[] = {1}\n"
         "const %y.values: int64[1] = {-1}\n"
         "_, %y.Split.update, %y.Split.to = Split(%g) {axis = -1, num_outputs = 3}\n"
         "%y.Sigmoid = Sigmoid(%y.Split.update)\n"
         "%y.Mul = Mul(%h, %y.Sigmoid)\n"
         "%y.Sub = Sub(%y.value, %y.Sigmoid)\n"
         "%y.Tanh = Tanh(%y.Split.to)\n"
         "%y.Mul.1 = Mul(%y.Tanh, %y.Sub)\n"
         "%y.Add = Add(%y.Mul, %y.Mul.1)\n"
         "%y.Less = Less(%t, %n)\n"
         "%y.Unsqueeze = Unsqueeze(%y.Less, %y.values)\n"
         "%y = Where(%y.Unsqueeze, %y.Add, %h)\n"},
        {6,
         "%x: float[2], %s: int64[1], %e: int64[1], %a: int64[1]) { %y = DynamicSlice(%x, %s, %e, %a) return %y",
         "%y = Slice(%x, %s, %e, %a)\n"},
        {6,
         "%x: float[2]) { %v = GivenTensorFill() {values = [1.0, 2.0], shape = [2]} %y = Add(%x, %v) return %y",
         "const %v.values: float[2] = {1, 2}\n"
         "const %v.shape: int64[1] = {2}\n"
         "%v = Reshape(%v.values, %v.shape)\n"
         "%y = Add(%x, %v)\n"},
        {9,
         "%x: float[2,4], %s: float[4]) { %y = SimplifiedLayerNormalization(%x, %s) {epsilon = 0.5} return %y",
         "%y = RMSNormalization(%x, %s) {epsilon = 0.5}\n"},
        {9,
         "%x: float[2,4], %s: float[4]) { %y, %i = SimplifiedLayerNormalization(%x, %s) return %y, %i",
         "const %y.values: int64[1] = {-1}\n"
         "const %y.value: float[] = {1e-05}\n"
         "%y = RMSNormalization(%x, %s)\n"
         "%y.Cast = Cast(%x) {to = 1}\n"
         "%y.Mul = Mul(%y.Cast, %y.Cast)\n"
         "%y.ReduceMean = ReduceMean(%y.Mul, %y.values)\n"
         "%y.Add = Add(%y.ReduceMean, %y.value)\n"
         "%y.Sqrt = Sqrt(%y.Add)\n"
         "%i = Reciprocal(%y.Sqrt)\n"},
    };
    check_rows(t, rows, QN_COUNT_OF(rows));
}

/* Runs last: after a choice of tests it has nothing to say. */
TEST(every_row_of_the_table_was_tried)
{
    int tried = 0;
    EXPECT(t, onnx_upgrade_row_count <= ROWS_MOST, "make ROWS_MOST larger");
    for (int i = 0; i < ROWS_MOST; i++)
        tried += is_tried[i];
    if (tried == 0)
        SKIP(t, "no other test ran");
    for (int i = 0; i < onnx_upgrade_row_count && i < ROWS_MOST; i++)
        EXPECT(t, is_tried[i] || !is_standard(&onnx_upgrade_rows[i]), "no test of %s, %d to %d",
               onnx_upgrade_rows[i].op, onnx_upgrade_rows[i].first, onnx_upgrade_rows[i].last);
}

TEST_MAIN(CASE(attributes_become_inputs), CASE(broadcasting_by_attributes_follows_numpy),
          CASE(softmax_over_a_matrix_keeps_its_meaning),
          CASE(normalizations_take_their_newest_form), CASE(images_are_sampled_by_resize),
          CASE(the_rest_of_the_table), CASE(operators_of_early_files_become_arithmetic),
          CASE(every_row_of_the_table_was_tried))
