/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random operators: ranges, moments and shares of many numbers, within bounds that a right
 * generator leaves once in a million times; the same numbers of the same seed, others of another.
 */
#include "tests/support/engine.h"

/* A run of a graph, and the doubles of its first output. */
typedef struct Draw {
    Engine engine;
    double *numbers;
    int64_t count;
    QnType type;
} Draw;

static Draw draw(Test *t, const char *graph, uint64_t seed)
{
    Draw d = {.count = 0};
    const QnRunOptions options = {.size = sizeof options, .seed = seed};
    QnValue inputs[ENGINE_VALUES] = {{.kind = QN_NONE}};
    if (!EXPECT(t, engine_open(&d.engine, graph) == QN_OK, "%s: %s", graph, d.engine.err.message))
        return d;
    const char *text = engine_run_values(&d.engine, inputs, &options);
    const QnTensor *y = &d.engine.outputs[0].tensor;
    if (!EXPECT(t, d.engine.outputs[0].kind == QN_TENSOR, "%s: %s", graph, text))
        return d;
    d.type = y->type;
    d.count = qn_tensor_count(y);
    d.numbers = malloc((size_t)d.count * sizeof *d.numbers + 1);
    qn_tensor_read_row(y, 0, 1, d.count, d.numbers);
    return d;
}

static void finish(Draw *d)
{
    free(d->numbers);
    engine_close(&d->engine);
}

static bool is_same(const Draw *a, const Draw *b)
{
    return a->count == b->count &&
           !memcmp(a->numbers, b->numbers, (size_t)a->count * sizeof *a->numbers);
}

/* ---- what is drawn ---- */

/* 10,000 numbers each: their means are within five standard errors. */
typedef struct Row {
    const char *graph;
    QnType type;
    double low, high; /* no number is outside */
    double mean, deviation;
    bool is_whole;
} Row;

static const Row rows[] = {
    {"graph main() {\n%y = RandomUniform() {shape = [100, 100], low = 2.0, high = 3.0}\n"
     "return %y\n}",
     QN_FLOAT, 2, 3, 2.5, 0.288675, false},
    {"graph main() {\n%y = RandomUniform() {shape = [10000], dtype = 11}\nreturn %y\n}", QN_DOUBLE,
     0, 1, 0.5, 0.288675, false},
    {"graph main() {\nconst %s: int64[2] = {100, 100}\n%x = ConstantOfShape(%s)\n"
     "%y = RandomUniformLike(%x) {low = -4.0, high = -2.0}\nreturn %y\n}",
     QN_FLOAT, -4, -2, -3, 0.57735, false},
    {"graph main() {\n%y = RandomNormal() {shape = [10000], mean = 8.0, scale = 0.5}\n"
     "return %y\n}",
     QN_FLOAT, 5, 11, 8, 0.5, false},
    {"graph main() {\nconst %s: int64[1] = {10000}\n%x = ConstantOfShape(%s)\n"
     "%y = RandomNormalLike(%x) {mean = -6.0, dtype = 11}\nreturn %y\n}",
     QN_DOUBLE, -11, -1, -6, 1, false},
    {"graph main() {\nconst %s: int64[1] = {10000}\n"
     "%p = ConstantOfShape(%s) {value = tensor float[1] {0.25}}\n%y = Bernoulli(%p)\nreturn %y\n}",
     QN_FLOAT, 0, 1, 0.25, 0.433013, true},
    {"graph main() {\nconst %s: int64[1] = {10000}\n"
     "%p = ConstantOfShape(%s) {value = tensor float[1] {0.75}}\n%y = Bernoulli(%p) {dtype = 7}\n"
     "return %y\n}",
     QN_INT64, 0, 1, 0.75, 0.433013, true},
    /* Probabilities 1/2, 1/4, 1/4: logarithms, up to a constant. */
    {"graph main() {\nconst %l: float[1,3] = {1.6931472, 1, 1}\n"
     "%y = Multinomial(%l) {sample_size = 10000}\nreturn %y\n}",
     QN_INT32, 0, 2, 0.75, 0.829156, true},
    {"graph main() {\nconst %s: int64[1] = {10000}\nconst %r: float[] = {0.25}\n"
     "const %t: bool[] = {1}\n%x = ConstantOfShape(%s) {value = tensor float[1] {3}}\n"
     "%y = Dropout(%x, %r, %t)\nreturn %y\n}",
     QN_FLOAT, 0, 4, 3, 1.732051, true},
};

TEST(numbers_have_the_range_mean_and_deviation_that_they_should)
{
    for (size_t r = 0; r < QN_COUNT_OF(rows); r++) {
        Draw d = draw(t, rows[r].graph, 7);
        double sum = 0, squares = 0;
        EXPECT(t, d.type == rows[r].type && d.count == 10000, "%s: %lld of %s", rows[r].graph,
               (long long)d.count, qn_type_name(d.type));
        for (int64_t i = 0; i < d.count; i++) {
            const double x = d.numbers[i];
            EXPECT(t, x >= rows[r].low && x <= rows[r].high && (!rows[r].is_whole || x == floor(x)),
                   "%s: %.9g at %lld", rows[r].graph, x, (long long)i);
            sum += x - rows[r].mean;
            squares += (x - rows[r].mean) * (x - rows[r].mean);
        }
        EXPECT(t, fabs(sum / 10000) < 5 * rows[r].deviation / 100, "%s: the mean is off by %g",
               rows[r].graph, sum / 10000);
        EXPECT(t, fabs(sqrt(squares / 10000) / rows[r].deviation - 1) < 0.05,
               "%s: the deviation is %g", rows[r].graph, sqrt(squares / 10000));
        finish(&d);
    }
}

/* ---- seeds ---- */

TEST(the_same_seed_gives_the_same_numbers)
{
    for (size_t r = 0; r < QN_COUNT_OF(rows); r++) {
        Draw first = draw(t, rows[r].graph, 7), again = draw(t, rows[r].graph, 7),
             other = draw(t, rows[r].graph, 8);
        EXPECT(t, is_same(&first, &again), "%s: seed 7 gave two results", rows[r].graph);
        EXPECT(t, !is_same(&first, &other), "%s: seeds 7 and 8 gave one result", rows[r].graph);
        finish(&first);
        finish(&again);
        finish(&other);
    }
}

TEST(a_seed_in_the_model_wins_over_the_run)
{
    static const char *const graphs[] = {
        "graph main() {\n%y = RandomNormal() {shape = [50], seed = 3.0}\nreturn %y\n}",
        "graph main() {\n%y = RandomNormal() {shape = [50], seed = 4.0}\nreturn %y\n}",
    };
    Draw first = draw(t, graphs[0], 7), other_run = draw(t, graphs[0], 8),
         other_model = draw(t, graphs[1], 7);
    EXPECT(t, is_same(&first, &other_run), "the run's seed changed the numbers");
    EXPECT(t, !is_same(&first, &other_model), "the model's seed did not");
    finish(&first);
    finish(&other_run);
    finish(&other_model);
}

TEST(two_nodes_and_two_runs_draw_different_numbers)
{
    Engine e;
    char before[256];
    const char *graph = "graph main() {\n%x = RandomUniform() {shape = [4]}\n"
                        "%y = RandomUniform() {shape = [4]}\nreturn %x, %y\n}";
    QnValue inputs[ENGINE_VALUES] = {{.kind = QN_NONE}};
    REQUIRE(t, engine_open(&e, graph) == QN_OK, "%s", e.err.message);
    snprintf(before, sizeof before, "%s", engine_run_values(&e, inputs, NULL));
    EXPECT(t, !qn_tensor_is_same(&e.outputs[0].tensor, &e.outputs[1].tensor),
           "two nodes drew one result: %s", before);
    EXPECT(t, strcmp(engine_run_values(&e, inputs, NULL), before) != 0, "two runs drew %s", before);
    engine_close(&e);
}

/* ---- what is refused ---- */

TEST(wrong_random_attributes_are_refused)
{
    static const OpRow wrong[] = {
        {"RandomUniform",
         {NULL},
         "shape = [2], dtype = 8",
         "error: dtype is 8, expected a type of numbers"},
        {"RandomUniform", {NULL}, "shape = [-1]", "error: shape[0] is -1, expected 0 at least"},
        {"Multinomial", {"float[N,3]"}, "dtype = 1", "error: dtype is 1, expected int32 or int64"},
        {"Multinomial", {"float[N,0]"}, NULL, "error: there are no classes to draw from"},
        {"Multinomial",
         {"float[N,3]"},
         "sample_size = 0",
         "error: sample_size is 0, expected 1 to 2147483647"},
    };
    OP_CHECK(t, wrong);
}

TEST_MAIN(CASE(numbers_have_the_range_mean_and_deviation_that_they_should),
          CASE(the_same_seed_gives_the_same_numbers), CASE(a_seed_in_the_model_wins_over_the_run),
          CASE(two_nodes_and_two_runs_draw_different_numbers),
          CASE(wrong_random_attributes_are_refused))
