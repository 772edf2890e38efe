/* SPDX-License-Identifier: Apache-2.0 */
/* Tiles of the product by themselves, and whole products of the shapes that models are made of. */
#include <stdlib.h>

#include "base/compiler.h"
#include "benchmarks/kernels.h"
#include "engine/devices/cpu/kernels/gemm.h"
#include "engine/devices/cpu/kernels/gemm_pack.h"
#include "engine/devices/cpu/kernels/product.h"

typedef struct TileRun {
    const QnGemmF32 *variant;
    QnGemmTile tile;
} TileRun;

static void run_tile(void *user)
{
    const TileRun *t = user;
    for (int i = 0; i < 16; i++)
        t->variant->run(&t->tile);
}

/* One full tile, operands in the first two cache levels. */
static void bench_tile(Bench *bench, const QnGemmF32 *variant, int64_t k)
{
    char name[64];
    snprintf(name, sizeof name, "%s k=%d", variant->name, (int)k);
    if ((variant->needs & bench->isa) != variant->needs || !bench_wants(bench, "tile", name))
        return;
    const int columns = variant->panels * QN_PANEL;
    const QnGemmRun run = {0, k, 0};
    float *a = bench_floats((size_t)(variant->rows * k)), *b = bench_floats((size_t)(columns * k));
    float *c = bench_floats((size_t)(variant->rows * columns));
    TileRun user = {variant,
                    {.a = a,
                     .a_step = k,
                     .runs = &run,
                     .run_count = 1,
                     .b = b,
                     .b_step = QN_PANEL,
                     .b_stride = k * QN_PANEL,
                     .c = c,
                     .c_step = columns,
                     .rows = variant->rows,
                     .columns = columns}};
    bench_row(bench, &(BenchCase){"tile", name, variant->needs,
                                  16 * 2.0 * variant->rows * columns * (double)k, run_tile, &user});
    free(a);
    free(b);
    free(c);
}

typedef struct ProductRun {
    QnProductF32 product;
    void *scratch;
} ProductRun;

static void run_product(void *user)
{
    const ProductRun *r = user;
    const int64_t chunks = qn_product_f32_chunks(&r->product);
    for (int64_t i = 0; i < chunks; i++)
        qn_product_f32_run(&r->product, i, r->scratch);
}

typedef enum Form { PACKED, ROWS, TRANSPOSED } Form;

static void bench_product(Bench *bench, int64_t m, int64_t k, int64_t n, Form form)
{
    static const char *const forms[] = {"", " B", " B^T"};
    char name[64];
    snprintf(name, sizeof name, "%dx%dx%d%s", (int)m, (int)k, (int)n, forms[form]);
    if (!bench_wants(bench, "product", name))
        return;
    QnPanelsF32 panels;
    if (!qn_pack_f32_size(&panels, k, n))
        return;
    float *a = bench_floats((size_t)(m * k)), *b = bench_floats((size_t)(k * n));
    float *packed = bench_bytes(panels.size_bytes), *c = bench_floats((size_t)(m * n));
    qn_pack_f32(packed, panels.stride, 0, b, n, 1, k, n);
    ProductRun user = {.product = {.isa = bench->isa,
                                   .m = m,
                                   .n = n,
                                   .k = k,
                                   .a = a,
                                   .a_step = k,
                                   .a_k_step = 1,
                                   .b_is_packed = form == PACKED,
                                   .b = form == PACKED ? packed : b,
                                   .b_stride = panels.stride,
                                   .b_k_step = form == ROWS ? n : 1,
                                   .b_n_step = form == ROWS ? 1 : k,
                                   .c = c,
                                   .c_step = n,
                                   .c_column_step = 1,
                                   .epilogue = {.alpha = 1},
                                   .outer = {.count = 1},
                                   .inner = {.count = 1}}};
    user.scratch = bench_bytes(qn_product_f32_scratch(&user.product));
    bench_row(bench, &(BenchCase){"product", name, bench->isa,
                                  2.0 * (double)m * (double)n * (double)k, run_product, &user});
    free(user.scratch);
    free(a);
    free(b);
    free(packed);
    free(c);
}

void bench_products(Bench *bench)
{
    for (int i = 0; i < qn_gemm_f32_count; i++) {
        bench_tile(bench, &qn_gemm_f32[i], 64);
        bench_tile(bench, &qn_gemm_f32[i], 256);
    }
    static const struct {
        int64_t m, k, n;
        Form form;
    } shapes[] = {
        {128, 768, 768, PACKED},    {128, 768, 3072, PACKED},   {128, 3072, 768, PACKED},
        {1024, 1024, 1024, PACKED}, {1500, 512, 2048, PACKED},  {32, 384, 1536, PACKED},
        {8, 768, 3072, PACKED},     {3136, 64, 256, PACKED},    {784, 128, 512, PACKED},
        {49, 2048, 512, PACKED},    {1, 2048, 1000, PACKED},    {1, 4096, 4096, PACKED},
        {3, 1024, 1024, PACKED},    {128, 64, 128, TRANSPOSED}, {128, 128, 64, ROWS},
        {1, 64, 1024, TRANSPOSED},  {1, 1024, 64, ROWS},        {256, 256, 256, TRANSPOSED},
    };
    for (size_t i = 0; i < QN_COUNT_OF(shapes); i++)
        bench_product(bench, shapes[i].m, shapes[i].k, shapes[i].n, shapes[i].form);
}
