/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A model inside a C program: reads examples/digits/digits.onnx, shows it a stroke, and says which
 * digit that is.
 *
 *     embed digits.onnx
 *
 * Model, plan and session are made once; what is run again and again is qn_session_run().
 */
#include <quern/quern.h>
#include <stdio.h>

enum { SIDE = 28, DIGITS = 10 };

typedef struct Reader {
    QnModel *model;
    QnPlan *plan;
    QnThreadPool *pool;
    QnSession *session;
} Reader;

static QnStatus reader_open(Reader *reader, const char *path, QnError *err)
{
    QnSessionOptions options = {.size = sizeof options};
    QnStatus status = qn_model_load(&reader->model, path, NULL, NULL, err);
    if (status == QN_OK)
        status = qn_plan_build(&reader->plan, reader->model, NULL, NULL, err);
    if (status == QN_OK)
        status = qn_thread_pool_create(&reader->pool, 0, err);
    options.pool = reader->pool;
    if (status == QN_OK)
        status = qn_session_create(&reader->session, reader->plan, &options, err);
    return status;
}

/* Sessions before what they use; NULL is fine. */
static void reader_close(Reader *reader)
{
    qn_session_free(reader->session);
    qn_thread_pool_free(reader->pool);
    qn_plan_free(reader->plan);
    qn_model_free(reader->model);
}

/* pixels: [SIDE, SIDE], ink 1, paper 0; probabilities: [DIGITS]. */
static QnStatus reader_read(Reader *reader, float *pixels, float *probabilities, QnError *err)
{
    const int64_t image[] = {1, 1, SIDE, SIDE}, answer[] = {1, DIGITS};
    const QnValue input = qn_value_tensor(qn_tensor(QN_FLOAT, 4, image, pixels));
    QnValue output = qn_value_tensor(qn_tensor(QN_FLOAT, 2, answer, probabilities));
    return qn_session_run(reader->session, &input, &output, NULL, err);
}

/* One straight stroke from above to below. */
static void draw(float *pixels)
{
    for (int y = 4; y < SIDE - 4; y++)
        for (int x = 12; x < 16; x++)
            pixels[y * SIDE + x] = 1;
}

static int best_of(const float *probabilities)
{
    int best = 0;
    for (int i = 1; i < DIGITS; i++)
        if (probabilities[i] > probabilities[best])
            best = i;
    return best;
}

int main(int argc, char **argv)
{
    Reader reader = {0};
    QnError err = {0};
    float pixels[SIDE * SIDE] = {0}, probabilities[DIGITS];
    if (argc != 2) {
        fprintf(stderr, "usage: embed MODEL\n");
        return 2;
    }
    draw(pixels);
    QnStatus status = reader_open(&reader, argv[1], &err);
    if (status == QN_OK)
        status = reader_read(&reader, pixels, probabilities, &err);
    if (status == QN_OK)
        printf("this is a %d\n", best_of(probabilities));
    else
        fprintf(stderr, "embed: %s\n", err.message);
    reader_close(&reader);
    return status == QN_OK ? 0 : 1;
}
