/* SPDX-License-Identifier: Apache-2.0 */
/* From the command line to a run's inputs: which input an option means, its shape, its values. */
#include "tools/inputs.h"

#include <stdio.h>
#include <string.h>

#include "base/checked.h"
#include "base/error.h"
#include "base/text.h"
#include "tools/values_file.h"

/* ---- which input an option means ---- */

/* "NAME=rest": names may hold '=' themselves.  A lone "rest" means the only input.  -1: none. */
static int find_input(const Inputs *inputs, const char *text, const char **rest)
{
    for (int i = 0; i < inputs->count; i++) {
        const size_t size = strlen(inputs->infos[i].name);
        if (strncmp(text, inputs->infos[i].name, size) == 0 && text[size] == '=') {
            *rest = text + size + 1;
            return i;
        }
    }
    *rest = text;
    return inputs->count == 1 && !strchr(text, '=') ? 0 : -1;
}

static QnStatus unknown_input(const Inputs *inputs, const char *option, const char *text,
                              QnError *err)
{
    const char *names[LIST_MOST];
    char wanted[128];
    size_t count = 0;
    for (int i = 0; i < inputs->count && count < LIST_MOST; i++)
        names[count++] = inputs->infos[i].name;
    snprintf(wanted, sizeof wanted, "%.*s", (int)strcspn(text, "="), text);
    if (!strchr(text, '='))
        return qn_fail(err, QN_BAD_ARGUMENT,
                       "--%s is '%s', expected NAME=%s: the model has %d inputs", option, text,
                       strcmp(option, "input") ? "SHAPE" : "FILE", inputs->count);
    const char *near = qn_did_you_mean(wanted, names, count);
    return qn_fail(err, QN_BAD_ARGUMENT, "--%s: the model has no input '%s'%s%s%s", option, wanted,
                   near         ? "; did you mean '"
                   : count == 1 ? "; its only one is '"
                                : "",
                   near         ? near
                   : count == 1 ? names[0]
                                : "",
                   near || count == 1 ? "'" : "");
}

/* ---- shapes ---- */

/* "1x3x224x224"; "" is a scalar.  -1: none. */
static int parse_dims(int64_t *dims, const char *text)
{
    int rank = 0;
    while (*text) {
        const size_t size = strcspn(text, "x");
        if (rank == QN_MAX_RANK || !qn_parse_i64(&dims[rank], text, size) || dims[rank] < 0)
            return -1;
        rank++;
        text += size;
        if (*text && !*++text)
            return -1;
    }
    return rank;
}

static QnStatus set_shape(Inputs *inputs, int i, const char *text, QnError *err)
{
    QnValueInfo *info = &inputs->infos[i];
    int64_t dims[QN_MAX_RANK];
    const int rank = parse_dims(dims, text);
    if (rank < 0)
        return qn_fail(err, QN_BAD_ARGUMENT, "--shape is '%s', expected sizes like 1x3x224x224",
                       text);
    if (info->kind != QN_TENSOR || (info->rank >= 0 && info->rank != rank))
        return qn_fail(err, QN_BAD_ARGUMENT, "--shape gives input '%s' %d dimensions, but it is %s",
                       info->name, rank, info->type_text);
    for (int d = 0; d < rank; d++)
        if (info->rank >= 0 && info->dims[d] >= 0 && info->dims[d] != dims[d])
            return qn_fail(err, QN_BAD_ARGUMENT,
                           "--shape gives dimension %d of input '%s' the size %lld, but it is %s",
                           d, info->name, (long long)dims[d], info->type_text);
    info->rank = rank;
    memcpy(inputs->dims[i], dims, sizeof dims);
    return QN_OK;
}

/* "N=8": every open dimension of that name.  False where there is none, or it is no size. */
static bool set_symbol(Inputs *inputs, const char *text)
{
    const size_t size = strcspn(text, "=");
    int64_t value;
    bool is_found = false;
    if (!text[size] || !qn_parse_i64(&value, text + size + 1, strlen(text + size + 1)) || value < 0)
        return false;
    for (int i = 0; i < inputs->count; i++)
        for (int d = 0; d < inputs->infos[i].rank; d++) {
            const char *symbol = inputs->infos[i].symbols[d];
            if (symbol && strlen(symbol) == size && memcmp(symbol, text, size) == 0) {
                inputs->dims[i][d] = value;
                is_found = true;
            }
        }
    return is_found;
}

static QnStatus settle_shapes(Inputs *inputs, const InputOptions *options, QnError *err)
{
    for (int i = 0; i < inputs->count; i++)
        for (int d = 0; d < inputs->infos[i].rank; d++) {
            inputs->dims[i][d] = inputs->infos[i].dims[d];
            if (d == 0 && inputs->infos[i].dims[d] < 0 && options->batch > 0)
                inputs->dims[i][d] = options->batch;
        }
    for (int k = 0; k < options->shapes.count; k++) {
        const char *rest;
        const int i = find_input(inputs, options->shapes.items[k], &rest);
        if (i >= 0)
            QN_TRY(set_shape(inputs, i, rest, err));
        else if (!set_symbol(inputs, options->shapes.items[k]))
            return unknown_input(inputs, "shape", options->shapes.items[k], err);
    }
    return QN_OK;
}

/* ---- values ---- */

/* Open dimensions become 1, and the person hears of it, once for each name. */
static void close_dims(Inputs *inputs, int i, const Command *command)
{
    const QnValueInfo *info = &inputs->infos[i];
    for (int d = 0; d < info->rank; d++) {
        if (inputs->dims[i][d] >= 0)
            continue;
        const char *symbol = info->symbols[d];
        inputs->dims[i][d] = 1;
        fprintf(
            stderr,
            "quern %s: input '%s', %s: dimension %d is taken as 1; --shape %s=... changes that\n",
            command->name, info->name, info->type_text, d, symbol ? symbol : info->name);
        for (int k = i; symbol && k < inputs->count; k++)
            for (int e = 0; e < inputs->infos[k].rank; e++)
                if (inputs->infos[k].symbols[e] && !strcmp(inputs->infos[k].symbols[e], symbol))
                    inputs->dims[k][e] = 1;
    }
}

static void fill_random(QnTensor *tensor, QnRandom *random)
{
    const int64_t count = qn_tensor_count(tensor);
    if (tensor->type == QN_FLOAT) {
        qn_random_fill_uniform(random, tensor->data, (size_t)count, 0, 1);
        return;
    }
    for (int64_t i = 0; i < count; i++) {
        const bool bit = qn_random_below(random, 2);
        if (tensor->type == QN_STRING)
            ((QnString *)tensor->data)[i] = (QnString){bit ? "one" : "zero", bit ? 3 : 4};
        else if (tensor->type == QN_DOUBLE || tensor->type == QN_FLOAT16 ||
                 tensor->type == QN_BFLOAT16)
            qn_tensor_set_element(tensor, i, qn_random_f64(random));
        else
            qn_tensor_set_element(tensor, i, bit);
    }
}

void inputs_refresh(Inputs *inputs)
{
    for (int i = 0; i < inputs->count; i++)
        if (!inputs->files[i] && inputs->values[i].kind == QN_TENSOR)
            fill_random(&inputs->values[i].tensor, &inputs->random);
}

/* A random input; one that may be left out is. */
static QnStatus make_random(Inputs *inputs, int i, const Command *command, QnValueStore *store,
                            QnError *err)
{
    const QnValueInfo *info = &inputs->infos[i];
    if (info->is_optional || info->kind == QN_OPTIONAL)
        return QN_OK;
    if (info->kind != QN_TENSOR || info->rank < 0 || info->type == QN_COMPLEX64 ||
        info->type == QN_COMPLEX128)
        return qn_fail(err, QN_BAD_ARGUMENT,
                       "input '%s' is %s, which has no random values%s; give it by --input",
                       info->name, info->type_text,
                       info->kind == QN_TENSOR && info->rank < 0 ? " without a --shape" : "");
    close_dims(inputs, i, command);
    size_t size = qn_type_size(info->type), span = size;
    for (int d = 0; d < info->rank; d++) {
        const size_t dim = (size_t)inputs->dims[i][d];
        if (!qn_mul_size(&span, span, dim ? dim : 1) || span > INT64_MAX)
            return qn_fail(err, QN_BAD_ARGUMENT, "input '%s' has more elements than can be counted",
                           info->name);
        size *= dim;
    }
    void *data = qn_value_store_alloc(store, size);
    if (!data)
        return qn_fail(err, QN_NO_MEMORY, "no memory for the %zu bytes of input '%s'", size,
                       info->name);
    inputs->values[i] = qn_value_tensor(qn_tensor(info->type, info->rank, inputs->dims[i], data));
    return QN_OK;
}

/* "--input FILE.npz" without a name gives every input that the archive has a member for. */
static bool is_archive_of_all(const char *text)
{
    const size_t size = strlen(text);
    return size > 4 && !strcmp(text + size - 4, ".npz");
}

static QnStatus assign_files(Inputs *inputs, const InputOptions *options, QnError *err)
{
    for (int k = 0; k < options->files.count; k++) {
        const char *text = options->files.items[k], *rest;
        const int i = find_input(inputs, text, &rest);
        if (i >= 0)
            inputs->files[i] = rest;
        else if (!strchr(text, '=') && is_archive_of_all(text))
            for (int all = 0; all < inputs->count; all++)
                inputs->files[all] = text;
        else
            return unknown_input(inputs, "input", text, err);
    }
    return QN_OK;
}

static QnStatus make_values(Inputs *inputs, const Command *command, const Loaded *loaded,
                            const InputOptions *options, QnError *err)
{
    for (int i = 0; i < inputs->count; i++) {
        const ValueWanted wanted = {
            .info = &inputs->infos[i], .dims = inputs->dims[i], .model = loaded->model, .index = i};
        if (inputs->files[i])
            QN_TRY(
                value_read_file(&inputs->values[i], inputs->files[i], &wanted, loaded->store, err));
        else if (options->files.count && !options->random && !inputs->infos[i].is_optional)
            return qn_fail(err, QN_BAD_ARGUMENT,
                           "input '%s', %s, is not given; say --input %s=FILE or --random",
                           inputs->infos[i].name, inputs->infos[i].type_text,
                           inputs->infos[i].name);
        else
            QN_TRY(make_random(inputs, i, command, loaded->store, err));
    }
    return QN_OK;
}

static QnStatus parse_seed(uint64_t *seed, const char *text, QnError *err)
{
    *seed = 0;
    if (text && *text && !qn_parse_u64(seed, text, strlen(text)))
        return qn_fail(err, QN_BAD_ARGUMENT, "--random is '%s', expected a whole number", text);
    return QN_OK;
}

static void *take(const Loaded *loaded, size_t count, size_t size)
{
    void *data = qn_value_store_alloc(loaded->store, (count + 1) * size);
    if (data)
        memset(data, 0, (count + 1) * size);
    return data;
}

QnStatus inputs_make(Inputs *out, const Command *command, const Loaded *loaded,
                     const InputOptions *options, QnError *err)
{
    const size_t count = (size_t)qn_plan_input_count(loaded->plan);
    uint64_t seed;
    QN_TRY(parse_seed(&seed, options->random, err));
    *out = (Inputs){.count = (int)count, .random = qn_random(seed)};
    out->infos = take(loaded, count, sizeof *out->infos);
    out->dims = take(loaded, count, sizeof *out->dims);
    out->files = take(loaded, count, sizeof *out->files);
    out->values = take(loaded, count, sizeof *out->values);
    if (!out->infos || !out->dims || !out->files || !out->values)
        return qn_no_memory(err);
    for (int i = 0; i < out->count; i++)
        out->infos[i] = qn_plan_input(loaded->plan, i);
    QN_TRY(settle_shapes(out, options, err));
    QN_TRY(assign_files(out, options, err));
    QN_TRY(make_values(out, command, loaded, options, err));
    inputs_refresh(out);
    return QN_OK;
}
