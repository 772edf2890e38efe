/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pointwise programs: every function of every variant against the C library in double, on floats of
 * every exponent; whole programs with random shapes and strides, between guard pages, against a
 * loop over elements.
 */
#include <float.h>

#include "base/to_integer.h"
#include "engine/devices/cpu/kernels/pointwise.h"
#include "tests/support/guard.h"
#include "tests/support/samples.h"
#include "tests/support/test.h"
#include "tests/support/this_cpu.h"

static double sigmoid(double x)
{
    return x < 0 ? exp(x) / (1 + exp(x)) : 1 / (1 + exp(-x));
}
static double rsqrt(double x)
{
    return 1 / sqrt(x);
}
static double reciprocal(double x)
{
    return 1 / x;
}
static double softplus(double x)
{
    return fmax(x, 0) + log1p(exp(-fabs(x)));
}
static double silu(double x)
{
    return x * sigmoid(x);
}
static double relu(double x)
{
    return x < 0 ? 0 : x;
}
static double negate(double x)
{
    return -x;
}
static double square(double x)
{
    return x * x;
}

/* The bounds that vector_math.h states. */
static const struct {
    QnCode code;
    double (*exact)(double);
    double ulps;
} functions[] = {
    {QN_CODE_ABS, fabs, 0},         {QN_CODE_NEG, negate, 0},
    {QN_CODE_SQUARE, square, 0.51}, {QN_CODE_FLOOR, floor, 0},
    {QN_CODE_CEIL, ceil, 0},        {QN_CODE_ROUND, nearbyint, 0},
    {QN_CODE_TRUNC, trunc, 0},      {QN_CODE_SQRT, sqrt, 0.51},
    {QN_CODE_RSQRT, rsqrt, 1.5},    {QN_CODE_EXP, exp, 1.5},
    {QN_CODE_EXPM1, expm1, 2},      {QN_CODE_RECIPROCAL, reciprocal, 0.51},
    {QN_CODE_LOG, log, 1.5},        {QN_CODE_LOG1P, log1p, 2},
    {QN_CODE_SIN, sin, 2},          {QN_CODE_COS, cos, 2},
    {QN_CODE_TAN, tan, 3.5},        {QN_CODE_ASIN, asin, 2.5},
    {QN_CODE_ACOS, acos, 2.5},      {QN_CODE_ATAN, atan, 2.5},
    {QN_CODE_SINH, sinh, 2.5},      {QN_CODE_COSH, cosh, 2.5},
    {QN_CODE_TANH, tanh, 2},        {QN_CODE_ASINH, asinh, 4},
    {QN_CODE_ACOSH, acosh, 4},      {QN_CODE_ATANH, atanh, 4},
    {QN_CODE_ERF, erf, 1.5},        {QN_CODE_SILU, silu, 4},
    {QN_CODE_SIGMOID, sigmoid, 3},  {QN_CODE_SOFTPLUS, softplus, 3},
    {QN_CODE_RELU, relu, 0},
};

static const float corners[] = {0.0f,     -0.0f,   1.0f,      -1.0f,     INFINITY,    -INFINITY,
                                NAN,      FLT_MIN, -FLT_MIN,  1e-45f,    -1e-45f,     FLT_MAX,
                                -FLT_MAX, 0.5f,    -0.5f,     88.72284f, 89.5f,       -87.4f,
                                -103.9f,  -104.5f, 100000.0f, 1e30f,     1.57079637f, 3.0f};

/* The strip function that a variant runs for an instruction. */
static QnStripFn *strip_of(const QnPointwiseVariant *variant, QnCode code)
{
    QnStripFn *own = variant->f32 ? variant->f32[code] : NULL;
    return own ? own : qn_pointwise_portable(code, QN_FAMILY_F32);
}

/* 2^20 samples, one random float from each 4096 neighbours in the order of their bits. */
enum { SAMPLES = 1 << 20 };
static float samples_x[SAMPLES], samples_y[SAMPLES];

static void fill_samples(void)
{
    Samples s = {1};
    for (int64_t i = 0; i < SAMPLES; i++) {
        const uint32_t bits = (uint32_t)(i << 12 | sample_below(&s, 4096));
        memcpy(&samples_x[i], &bits, sizeof bits);
    }
    for (size_t i = 0; i < sizeof corners / sizeof corners[0]; i++)
        samples_x[i * 100] = corners[i];
}

TEST(functions_keep_their_bounds)
{
    fill_samples();
    for (int v = 0; v < qn_pointwise_variant_count; v++) {
        const QnPointwiseVariant *variant = &qn_pointwise_variants[v];
        if (!runs_here(variant->needs))
            continue;
        for (size_t f = 0; f < sizeof functions / sizeof functions[0]; f++) {
            const QnStripOperand x = {samples_x, 1};
            strip_of(variant, functions[f].code)(SAMPLES, samples_y, &x);
            double worst = 0;
            float at = 0, got = 0;
            for (int64_t i = 0; i < SAMPLES; i++) {
                const double error =
                    ulp_distance(samples_y[i], functions[f].exact((double)samples_x[i]));
                if (error > worst) {
                    worst = error;
                    at = samples_x[i];
                    got = samples_y[i];
                }
            }
            EXPECT(t, worst <= functions[f].ulps, "%s code %d: %.2f ulp at %a, which gave %a",
                   variant->name, (int)functions[f].code, worst, (double)at, (double)got);
            if (getenv("QN_CHECK_VERBOSE"))
                printf("%-22s code %2d  %.2f ulp\n", variant->name, (int)functions[f].code, worst);
        }
    }
}

/* What a byte stands for, and back, one step after the other. */
static float real_of(int32_t byte, float zero, float scale)
{
    return ((float)byte - zero) * scale;
}

static uint8_t byte_of(float x, float zero, float scale, float lowest)
{
    float steps = nearbyintf(x / scale) + zero;
    steps = steps < lowest ? lowest : steps;
    steps = steps > lowest + 255 ? lowest + 255 : steps;
    return (uint8_t)qn_f32_to_i32(steps);
}

/* A line of all lengths up to a few vectors, and one of all samples. */
static void check_bytes(Test *t, const QnPointwiseVariant *variant, float zero, float scale,
                        bool is_signed)
{
    static uint8_t bytes[SAMPLES + 1];
    float zeros[16], scales[16];
    for (int i = 0; i < 16; i++) {
        zeros[i] = zero;
        scales[i] = scale;
    }
    QnStripOperand operands[3] = {{samples_x, 1}, {zeros, 0}, {scales, 0}};
    for (int64_t n = 0; n <= SAMPLES; n = n == 40 ? SAMPLES : n + 1) {
        operands[0].data = samples_x;
        bytes[n] = 0x5a;
        variant->f32[is_signed ? QN_STRIP_TO_I8 : QN_STRIP_TO_U8](n, bytes, operands);
        EXPECT(t, bytes[n] == 0x5a, "%s wrote behind %d bytes", variant->name, (int)n);
        for (int64_t i = 0; i < n; i++) {
            const uint8_t want = byte_of(samples_x[i], zero, scale, is_signed ? -128 : 0);
            EXPECT(t, bytes[i] == want, "%s: %a / %a + %g gave %d, not %d", variant->name,
                   (double)samples_x[i], (double)scale, (double)zero, bytes[i], want);
        }
        operands[0].data = bytes;
        samples_y[n < SAMPLES ? n : 0] = 7;
        variant->f32[is_signed ? QN_STRIP_FROM_I8 : QN_STRIP_FROM_U8](n, samples_y, operands);
        EXPECT(t, n == SAMPLES || samples_y[n] == 7, "%s wrote behind %d", variant->name, (int)n);
        for (int64_t i = 0; i < n; i++) {
            const float want = real_of(is_signed ? (int8_t)bytes[i] : bytes[i], zero, scale);
            EXPECT(t, !memcmp(&samples_y[i], &want, sizeof want), "%s: %d gave %g, not %g",
                   variant->name, bytes[i], (double)samples_y[i], (double)want);
        }
    }
}

TEST(bytes_become_real_numbers_and_back)
{
    static const float scales[] = {0.02f, 1, 0.1f, 1e-40f, 3e38f, -0.5f, 37.5f};
    fill_samples();
    for (int i = 0; i < 200000; i++) /* halves, and what is beside them */
        samples_x[5 * i + 3] =
            ((float)(i % 1400) - 700.5f) * scales[i % 7] * (1 + (float)(i % 3 - 1) * FLT_EPSILON);
    for (int v = 0; v < qn_pointwise_variant_count; v++)
        for (size_t s = 0; s < sizeof scales / sizeof scales[0]; s++) {
            const QnPointwiseVariant *variant = &qn_pointwise_variants[v];
            if (!variant->f32 || !runs_here(variant->needs))
                continue;
            check_bytes(t, variant, s % 2 ? 128.0f : 0, scales[s], false);
            check_bytes(t, variant, s % 2 ? -128.0f : 3, scales[s], true);
        }
}

TEST(gelu_is_near_everywhere)
{
    fill_samples();
    for (int v = 0; v < qn_pointwise_variant_count; v++) {
        const QnPointwiseVariant *variant = &qn_pointwise_variants[v];
        if (!runs_here(variant->needs))
            continue;
        const QnStripOperand x = {samples_x, 1};
        strip_of(variant, QN_CODE_GELU)(SAMPLES, samples_y, &x);
        for (int64_t i = 0; i < SAMPLES; i++) {
            const double a = (double)samples_x[i], want = a / 2 * (1 + erf(a * sqrt(0.5)));
            if (!(fabs(a) < 1e30))
                continue;
            const double error = a > -1 ? ulp_distance(samples_y[i], want) / 4
                                        : fabs((double)samples_y[i] - want) / 5e-7;
            EXPECT(t, error <= 1, "%s: gelu(%a) = %a, not %a", variant->name, a,
                   (double)samples_y[i], want);
        }
    }
}

/* pow: sizes that meet in the range of floats, negative bases, and every pair of corners. */
TEST(powers_keep_their_bound)
{
    enum { COUNT = 1 << 18, CORNERS = sizeof corners / sizeof corners[0] };
    static float bases[COUNT], exponents[COUNT], got[COUNT];
    Samples s = {2};
    for (int i = 0; i < COUNT; i++) {
        bases[i] = i % 3 ? fabsf(sample_any_float(&s)) : (float)sample_between(&s, -4, 4);
        exponents[i] =
            i % 3 ? (float)sample_between(&s, -3, 3) : (float)(sample_below(&s, 61) - 30);
        if (i < CORNERS * CORNERS) {
            bases[i] = corners[i / CORNERS];
            exponents[i] = corners[i % CORNERS];
        }
    }
    for (int v = 0; v < qn_pointwise_variant_count; v++) {
        const QnPointwiseVariant *variant = &qn_pointwise_variants[v];
        if (!runs_here(variant->needs))
            continue;
        const QnStripOperand operands[] = {{bases, 1}, {exponents, 1}};
        strip_of(variant, QN_CODE_POW)(COUNT, got, operands);
        for (int i = 0; i < COUNT; i++) {
            const double want = pow((double)bases[i], (double)exponents[i]);
            EXPECT(t, ulp_distance(got[i], want) <= 1, "%s: pow(%a, %a) = %a, not %a",
                   variant->name, (double)bases[i], (double)exponents[i], (double)got[i], want);
        }
    }
}

/* What integers do at their ends. */
TEST(integers_wrap_and_never_trap)
{
    static const struct {
        QnCode code;
        int32_t a, b, want;
    } rows[] = {
        {QN_CODE_ADD, INT32_MAX, 1, INT32_MIN},
        {QN_CODE_MUL, 65536, 65536, 0},
        {QN_CODE_DIV, 7, 0, 0},
        {QN_CODE_DIV, INT32_MIN, -1, INT32_MIN},
        {QN_CODE_DIV, -7, 2, -3},
        {QN_CODE_FLOOR_DIV, -7, 2, -4},
        {QN_CODE_MOD, -7, 3, 2},
        {QN_CODE_MOD, 7, -3, -2},
        {QN_CODE_MOD, 7, 0, 0},
        {QN_CODE_FMOD, -7, 3, -1},
        {QN_CODE_FMOD, INT32_MIN, -1, 0},
        {QN_CODE_POW, 3, 4, 81},
        {QN_CODE_POW, 2, -1, 0},
        {QN_CODE_POW, -1, -3, -1},
        {QN_CODE_SHIFT_LEFT, 1, 31, INT32_MIN},
        {QN_CODE_SHIFT_LEFT, 1, 32, 0},
        {QN_CODE_SHIFT_RIGHT, -8, 1, -4},
        {QN_CODE_SHIFT_RIGHT, -8, 40, -1},
        {QN_CODE_SHIFT_RIGHT, 8, 40, 0},
        {QN_CODE_MAX, -3, 2, 2},
        {QN_CODE_BIT_XOR, 12, 10, 6},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const QnStripOperand operands[] = {{&rows[i].a, 1}, {&rows[i].b, 1}};
        int32_t got;
        qn_pointwise_portable(rows[i].code, QN_FAMILY_I32)(1, &got, operands);
        EXPECT(t, got == rows[i].want, "code %d of %d and %d gave %d, not %d", (int)rows[i].code,
               rows[i].a, rows[i].b, got, rows[i].want);
    }
}

/* NaN goes through what chooses between values. */
TEST(nan_goes_through_max_min_clip_and_relu)
{
    const float nan[16] = {NAN, 1, NAN, 1}, one[16] = {1, NAN, 1, 1}, two[16] = {2, 2, 2, 2};
    for (int v = 0; v < qn_pointwise_variant_count; v++) {
        const QnPointwiseVariant *variant = &qn_pointwise_variants[v];
        if (!runs_here(variant->needs))
            continue;
        static const QnCode wanted[] = {QN_CODE_MAX, QN_CODE_MIN, QN_CODE_CLIP};
        for (int c = 0; c < 3; c++) {
            const QnStripOperand operands[] = {{nan, 1}, {one, 1}, {two, 1}};
            float got[16];
            strip_of(variant, wanted[c])(4, got, operands);
            EXPECT(t, isnan(got[0]) && isnan(got[2]) && got[3] == 1, "%s code %d", variant->name,
                   (int)wanted[c]);
            EXPECT(t, isnan(got[1]) || wanted[c] == QN_CODE_CLIP, "%s code %d", variant->name,
                   (int)wanted[c]);
        }
        const QnStripOperand x = {nan, 1};
        float got[16];
        strip_of(variant, QN_CODE_RELU)(4, got, &x);
        EXPECT(t, isnan(got[0]) && got[1] == 1, "%s relu", variant->name);
    }
}

/* A tensor of a random walk over a buffer that ends or starts at a guard page. */
typedef struct Tensor {
    Guard guard;
    char *buffer, *data; /* data: the element at index 0, ... */
    size_t size;
    int64_t strides[QN_MAX_RANK];
} Tensor;

/* Strides for the shape: some dimensions broadcast if it may,
 * in a random order, with gaps, some of them negative. */
static void make_tensor(Tensor *tensor, Samples *s, int rank, const int64_t *dims, int64_t element,
                        bool may_repeat)
{
    int order[QN_MAX_RANK];
    const bool shuffled = sample_below(s, 3) == 0, gaps = sample_below(s, 3) == 0;
    for (int d = 0; d < rank; d++)
        order[d] = d;
    for (int d = rank - 1; d > 0 && shuffled; d--) {
        const int other = (int)sample_below(s, d + 1), kept = order[d];
        order[d] = order[other];
        order[other] = kept;
    }
    int64_t extent = element, first = 0;
    const bool is_scalar = may_repeat && sample_below(s, 6) == 0;
    for (int k = rank - 1; k >= 0; k--) {
        const int d = order[k];
        tensor->strides[d] = is_scalar || (may_repeat && sample_below(s, 4) == 0) ? 0 : extent;
        if (!tensor->strides[d] || !dims[d])
            continue;
        extent *= dims[d];
        if (sample_below(s, 8) == 0) {
            first += (dims[d] - 1) * tensor->strides[d];
            tensor->strides[d] = -tensor->strides[d];
        }
        if (gaps && k > 0)
            extent += element * sample_below(s, 3);
    }
    int64_t last = element;
    for (int d = 0; d < rank; d++)
        last += dims[d] > 0 ? (dims[d] - 1) * llabs(tensor->strides[d]) : 0;
    tensor->size = (size_t)last;
    tensor->buffer = sample_below(s, 2) ? guard_end(&tensor->guard, tensor->size)
                                        : guard_start(&tensor->guard, tensor->size);
    tensor->data = tensor->buffer + first;
}

static char *element_at(const Tensor *tensor, int rank, const int64_t *dims, int64_t i)
{
    char *at = tensor->data;
    for (int d = rank - 1; d >= 0; d--) {
        at += i % dims[d] * tensor->strides[d];
        i /= dims[d];
    }
    return at;
}

/* sizes that are corners of strips and vectors */
static int64_t random_size(Samples *s)
{
    static const int64_t sizes[] = {1, 1, 2, 3, 7, 8, 15, 16, 17, 31, 33, 64, 127, 128, 129, 257};
    return sizes[sample_below(s, sizeof sizes / sizeof sizes[0])];
}

/* y = a > b ? relu(a * b + 0.5) : c, z = int32(a + c); with c in float16 and y in float16. */
TEST(programs_walk_any_shape)
{
    static const QnInstruction code[] = {
        {.code = QN_CODE_GT, .out = 3, .a = 0, .b = 1},
        {.code = QN_CODE_MUL, .out = 4, .a = 0, .b = 1},
        {.code = QN_CODE_ADD, .out = 4, .a = 4, .b = QN_IMMEDIATE, .immediate = 0.5},
        {.code = QN_CODE_RELU, .out = 4, .a = 4},
        {.code = QN_CODE_SELECT, .out = 5, .a = 3, .b = 4, .c = 2},
        {.code = QN_CODE_ADD, .out = 6, .a = 0, .b = 2},
        {.code = QN_CODE_CAST, .out = 7, .a = 6, .type = QN_INT32},
    };
    const QnPointwiseSpec spec = {.input_count = 3,
                                  .input_types = {QN_FLOAT, QN_FLOAT, QN_FLOAT16},
                                  .code_count = 7,
                                  .code = code,
                                  .output_count = 3,
                                  .output_types = {QN_FLOAT16, QN_INT32, QN_FLOAT},
                                  .outputs = {5, 7, 6}};
    const int64_t sizes[] = {4, 4, 2, 2, 4, 4};
    Samples s = {3};
    for (int v = 0; v < qn_pointwise_variant_count; v++) {
        const QnPointwiseVariant *variant = &qn_pointwise_variants[v];
        if (!runs_here(variant->needs))
            continue;
        QnPointwise program;
        REQUIRE(t, qn_pointwise_init(&program, &spec, variant->needs, NULL) == QN_OK, "%s",
                variant->name);
        for (int round = 0; round < 150; round++) {
            const int rank = (int)sample_below(&s, 5);
            int64_t dims[QN_MAX_RANK], count = 1;
            for (int d = 0; d < rank; d++) {
                dims[d] = count > 3000 ? 1 + sample_below(&s, 3) : random_size(&s);
                if (sample_below(&s, 40) == 0)
                    dims[d] = 0;
                count *= dims[d];
            }
            Tensor tensors[6];
            const int64_t *strides[6];
            for (int i = 0; i < 6; i++) {
                make_tensor(&tensors[i], &s, rank, dims, sizes[i], i < 3);
                strides[i] = tensors[i].strides;
            }
            for (int i = 0; i < 3; i++)
                for (size_t k = 0; k + (size_t)sizes[i] <= tensors[i].size; k += (size_t)sizes[i]) {
                    const float x = (float)(sample_below(&s, 33) - 16) / 4;
                    const uint16_t half = qn_f16_from_float(x);
                    memcpy(tensors[i].buffer + k, i == 2 ? (const void *)&half : &x,
                           (size_t)sizes[i]);
                }
            QnPointwiseShape shape;
            qn_pointwise_bind(&shape, &program, rank, dims, strides);
            EXPECT(t, shape.count == count, "%lld elements", (long long)shape.count);
            const void *inputs[] = {tensors[0].data, tensors[1].data, tensors[2].data};
            void *outputs[] = {tensors[3].data, tensors[4].data, tensors[5].data};
            const int64_t cut = count > 0 ? sample_below(&s, count) : 0;
            qn_pointwise_run(&program, &shape, inputs, outputs, cut, count);
            qn_pointwise_run(&program, &shape, inputs, outputs, 0, cut);
            for (int64_t i = 0; i < count; i++) {
                float a, b, y, sum;
                uint16_t c, half;
                int32_t z;
                memcpy(&a, element_at(&tensors[0], rank, dims, i), 4);
                memcpy(&b, element_at(&tensors[1], rank, dims, i), 4);
                memcpy(&c, element_at(&tensors[2], rank, dims, i), 2);
                memcpy(&half, element_at(&tensors[3], rank, dims, i), 2);
                memcpy(&z, element_at(&tensors[4], rank, dims, i), 4);
                memcpy(&sum, element_at(&tensors[5], rank, dims, i), 4);
                y = a > b ? fmaxf(a * b + 0.5f, 0) : qn_float_from_f16(c);
                EXPECT(t, half == qn_f16_from_float(y), "%s element %lld: %x", variant->name,
                       (long long)i, half);
                EXPECT(t, z == (int32_t)(a + qn_float_from_f16(c)), "%s element %lld",
                       variant->name, (long long)i);
                EXPECT(t, sum == a + qn_float_from_f16(c), "%s element %lld", variant->name,
                       (long long)i);
            }
            for (int i = 0; i < 6; i++)
                guard_free(&tensors[i].guard);
        }
    }
}

/* x = x * sigmoid(x) with the output where the input is:
 * the instruction that writes it reads the input too. */
TEST(outputs_may_be_inputs)
{
    static const QnInstruction code[] = {{.code = QN_CODE_NEG, .out = 2, .a = 0},
                                         {.code = QN_CODE_MUL, .out = 3, .a = 0, .b = 1}};
    const QnPointwiseSpec spec = {.input_count = 2,
                                  .input_types = {QN_FLOAT, QN_FLOAT},
                                  .code_count = 2,
                                  .code = code,
                                  .output_count = 2,
                                  .output_types = {QN_FLOAT, QN_FLOAT},
                                  .outputs = {2, 3}};
    enum { COUNT = 3001 };
    static float x[COUNT], y[COUNT];
    for (int v = 0; v < qn_pointwise_variant_count; v++) {
        const QnPointwiseVariant *variant = &qn_pointwise_variants[v];
        if (!runs_here(variant->needs))
            continue;
        for (int i = 0; i < COUNT; i++) {
            x[i] = (float)i;
            y[i] = 3;
        }
        QnPointwise program;
        REQUIRE(t, qn_pointwise_init(&program, &spec, variant->needs, NULL) == QN_OK, "%s",
                variant->name);
        QnPointwiseShape shape;
        const int64_t dims[] = {COUNT}, stride[] = {4};
        const int64_t *const strides[] = {stride, stride, stride, stride};
        qn_pointwise_bind(&shape, &program, 1, dims, strides);
        const void *inputs[] = {x, y};
        void *outputs[] = {x, y};
        qn_pointwise_run(&program, &shape, inputs, outputs, 0, COUNT);
        for (int i = 0; i < COUNT; i++)
            EXPECT(t, x[i] == (float)-i && y[i] == (float)(3 * i), "%s: %g %g at %d", variant->name,
                   (double)x[i], (double)y[i], i);
    }
}

TEST(malformed_programs_are_refused)
{
    static const struct {
        QnInstruction code;
        const char *want;
    } rows[] = {
        {{.code = QN_CODE_ADD, .out = 2, .a = 0, .b = 1},
         "pointwise add has operands of no or of different types"},
        {{.code = QN_CODE_EXP, .out = 2, .a = 1},
         "pointwise exp has operands of no or of different types"},
        {{.code = QN_CODE_NEG, .out = 0, .a = 0}, "pointwise instruction 3 writes register 0"},
        {{.code = QN_CODE_NEG, .out = 2, .a = 5},
         "pointwise neg has operands of no or of different types"},
        {{.code = QN_CODE_NEG, .out = 3, .a = 0},
         "pointwise output 0 of float does not fit register 2"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const QnPointwiseSpec spec = {.input_count = 2,
                                      .input_types = {QN_FLOAT, QN_INT64},
                                      .code_count = 1,
                                      .code = &rows[i].code,
                                      .output_count = 1,
                                      .output_types = {QN_FLOAT},
                                      .outputs = {2}};
        QnPointwise program;
        QnError err = {0};
        EXPECT(t, qn_pointwise_init(&program, &spec, 0, &err) == QN_BAD_ARGUMENT, "row %zu", i);
        EXPECT(t, !strcmp(err.message, rows[i].want), "%s", err.message);
    }
}

TEST_MAIN(CASE(functions_keep_their_bounds), CASE(bytes_become_real_numbers_and_back),
          CASE(gelu_is_near_everywhere), CASE(powers_keep_their_bound),
          CASE(integers_wrap_and_never_trap), CASE(nan_goes_through_max_min_clip_and_relu),
          CASE(programs_walk_any_shape), CASE(outputs_may_be_inputs),
          CASE(malformed_programs_are_refused))
