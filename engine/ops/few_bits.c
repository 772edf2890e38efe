/* SPDX-License-Identifier: Apache-2.0 */
#include "engine/ops/few_bits.h"

#include "base/checked.h"

/* Of a sign, two bits of exponent and one of fraction; the smallest is a twelfth of a sixteenth. */
static const float levels_fp4[16] = {
    0.0f, 0.0052083333f,  0.6666667f,  1.0f,  0.33333334f,  0.5f,  0.16666667f,  0.25f,
    0.0f, -0.0052083333f, -0.6666667f, -1.0f, -0.33333334f, -0.5f, -0.16666667f, -0.25f};

/* The middles of 16 equal parts of the normal distribution, scaled to [-1, 1], with a true zero. */
static const float levels_nf4[16] = {-1.0f,        -0.69619280f, -0.52507305f,  -0.39491749f,
                                     -0.28444138f, -0.18477343f, -0.091050036f, 0.0f,
                                     0.079580300f, 0.16093020f,  0.24611230f,   0.33791524f,
                                     0.44070983f,  0.56261700f,  0.72295684f,   1.0f};

/* ---- attributes ---- */

static bool is_power_of_two(int64_t x)
{
    return x > 0 && (x & (x - 1)) == 0;
}

/* The attribute, which must be within [lowest, highest]. */
static QnStatus read_attribute(const QnNode *node, const char *name, int64_t lowest,
                               int64_t highest, int64_t *out, QnError *err)
{
    *out = qn_op_int(node, name);
    if (*out < lowest || *out > highest)
        return qn_fail(err, QN_BAD_MODEL, "%s is %lld, expected %lld to %lld", name,
                       (long long)*out, (long long)lowest, (long long)highest);
    return QN_OK;
}

/* The sizes that MatMulNBits and MatMulBnb4 have as attributes. */
static QnStatus read_sizes(QnFewBits *w, const QnNode *node, QnError *err)
{
    QN_TRY(read_attribute(node, "K", 1, INT32_MAX, &w->inner, err));
    QN_TRY(read_attribute(node, "N", 1, INT32_MAX, &w->columns, err));
    QN_TRY(read_attribute(node, "block_size", 16, 1 << 30, &w->block, err));
    if (!is_power_of_two(w->block))
        return qn_fail(err, QN_BAD_MODEL, "block_size is %lld, expected a power of two",
                       (long long)w->block);
    return QN_OK;
}

static QnStatus read_nbits(QnFewBits *w, const QnNode *node, QnError *err)
{
    int64_t bits, prepacked;
    QN_TRY(read_sizes(w, node, err));
    QN_TRY(read_attribute(node, "bits", 2, 8, &bits, err));
    QN_TRY(read_attribute(node, "weight_prepacked", 0, 0, &prepacked, err));
    if (!is_power_of_two(bits))
        return qn_fail(err, QN_BAD_MODEL, "bits is %lld, expected 2, 4 or 8", (long long)bits);
    w->bits = (int)bits;
    w->usual_zero = (double)(1 << (bits - 1));
    return QN_OK;
}

static QnStatus read_bnb4(QnFewBits *w, const QnNode *node, QnError *err)
{
    int64_t type;
    QN_TRY(read_sizes(w, node, err));
    QN_TRY(read_attribute(node, "quant_type", 0, 1, &type, err));
    w->levels = type ? levels_nf4 : levels_fp4;
    w->is_flat = true;
    w->is_across = qn_op_int(node, "transB") == 0;
    if (w->is_across) {
        const int64_t inner = w->inner;
        w->inner = w->columns;
        w->columns = inner;
    }
    return QN_OK;
}

static QnStatus read_fpq4(QnFewBits *w, const QnNode *node, const int64_t *shape, QnError *err)
{
    int64_t type;
    QN_TRY(read_attribute(node, "blk_quant_type", 0, 1, &type, err));
    for (int i = 0; i < 2; i++)
        if (shape[i] < 1 || shape[i] > INT32_MAX)
            return qn_fail(err, QN_BAD_MODEL, "B_shape has size %lld, expected 1 to %d",
                           (long long)shape[i], INT32_MAX);
    w->inner = shape[0];
    w->columns = shape[1];
    w->block = 32;
    w->usual_zero = 8;
    w->blob_head = (int64_t)sizeof(float) + type;
    w->blob = w->blob_head + w->block / 2;
    return QN_OK;
}

QnStatus qn_few_bits_read(QnFewBits *w, const QnNode *node, const int64_t *shape, QnError *err)
{
    *w = (QnFewBits){.bits = 4};
    QnStatus status;
    if (!strcmp(node->op, "MatMulNBits"))
        status = read_nbits(w, node, err);
    else if (!strcmp(node->op, "MatMulBnb4"))
        status = read_bnb4(w, node, err);
    else
        status = read_fpq4(w, node, shape, err);
    if (status == QN_OK)
        w->blocks = qn_ceil_div(w->inner, w->block);
    return status;
}

/* ---- tensors ---- */

/* Sizes are below 2^31, blocks below 2^31 bytes: products of two, and of a block more, fit. */
int64_t qn_few_bits_code_bytes(const QnFewBits *w)
{
    if (w->is_flat)
        return qn_ceil_div(w->inner * w->columns, 2);
    if (w->blob)
        return w->columns * w->blocks * w->blob;
    int64_t bytes;
    return qn_mul_i64(&bytes, w->columns * w->blocks, w->block * w->bits / 8) ? bytes : INT64_MAX;
}

int64_t qn_few_bits_scales(const QnFewBits *w)
{
    return w->is_flat ? qn_ceil_div(w->inner * w->columns, w->block) : w->columns * w->blocks;
}

int64_t qn_few_bits_zero_bytes(const QnFewBits *w)
{
    return w->columns * qn_ceil_div(w->blocks * w->bits, 8);
}

static QnStatus want_count(const QnTensor *x, int64_t wanted, const char *name, QnError *err)
{
    if (x && qn_tensor_count(x) != wanted)
        return qn_fail(err, QN_BAD_TENSOR, "%s has %lld elements, expected %lld", name,
                       (long long)qn_tensor_count(x), (long long)wanted);
    return QN_OK;
}

QnStatus qn_few_bits_attach(QnFewBits *w, const QnTensor *const *inputs, int count, QnError *err)
{
    const QnTensor *codes = inputs[1];
    if (!w->is_flat && !w->blob && qn_tensor_count(codes) == 0)
        return QN_OK; /* an omitted projection */
    QN_TRY(want_count(codes, qn_few_bits_code_bytes(w), "B", err));
    w->codes = codes;
    if (w->blob)
        return QN_OK;
    w->scales = count > 2 ? inputs[2] : NULL;
    w->zeros = count > 3 ? inputs[3] : NULL;
    w->groups = count > 4 ? inputs[4] : NULL;
    QN_TRY(want_count(w->scales, qn_few_bits_scales(w), "scales", err));
    if (w->zeros)
        QN_TRY(want_count(w->zeros,
                          w->zeros->type == QN_UINT8 ? qn_few_bits_zero_bytes(w)
                                                     : qn_few_bits_scales(w),
                          "zero_points", err));
    if (w->groups && qn_tensor_count(w->groups) < w->inner)
        return qn_fail(err, QN_BAD_TENSOR, "g_idx has %lld elements, expected %lld at least",
                       (long long)qn_tensor_count(w->groups), (long long)w->inner);
    return QN_OK;
}

bool qn_few_bits_is_regular(const QnFewBits *w)
{
    return !w->groups && !(w->is_flat && (w->is_across || w->inner % w->block));
}

/* ---- elements ---- */

int qn_few_bits_code(const QnFewBits *w, int64_t column, int64_t k)
{
    const uint8_t *bytes = w->codes->data;
    if (w->is_flat) {
        const int64_t i = w->is_across ? k * w->columns + column : column * w->inner + k;
        return bytes[i / 2] >> (i % 2 ? 0 : 4) & 15;
    }
    const int64_t block = column * w->blocks + k / w->block, at = k % w->block;
    if (!w->blob)
        return qn_few_bits_at(bytes + block * (w->block * w->bits / 8), at, w->bits);
    /* The first 16 codes are the low halves of 16 bytes. */
    return bytes[block * w->blob + w->blob_head + at % 16] >> (at / 16 * 4) & 15;
}

double qn_few_bits_scale(const QnFewBits *w, int64_t column, int64_t block)
{
    const int64_t i = column * w->blocks + block;
    if (!w->blob)
        return qn_tensor_get(w->scales, i);
    float scale;
    memcpy(&scale, (const uint8_t *)w->codes->data + i * w->blob, sizeof scale);
    return (double)scale;
}

double qn_few_bits_zero(const QnFewBits *w, int64_t column, int64_t block)
{
    if (w->levels)
        return 0;
    if (w->blob)
        return w->blob_head == (int64_t)sizeof(float)
                   ? w->usual_zero
                   : ((const uint8_t *)w->codes
                          ->data)[(column * w->blocks + block) * w->blob + (int64_t)sizeof(float)];
    if (!w->zeros)
        return w->usual_zero;
    if (w->zeros->type != QN_UINT8)
        return qn_tensor_get(w->zeros, column * w->blocks + block);
    const uint8_t *bytes =
        (const uint8_t *)w->zeros->data + column * qn_ceil_div(w->blocks * w->bits, 8);
    return qn_few_bits_at(bytes, block, w->bits);
}

bool qn_few_bits_column(const QnFewBits *w, int64_t column, double *to)
{
    for (int64_t k = 0; k < w->inner; k++) {
        const int code = qn_few_bits_code(w, column, k);
        const double level = w->levels ? (double)w->levels[code] : code;
        if (w->is_flat) {
            const int64_t i = w->is_across ? k * w->columns + column : column * w->inner + k;
            to[k] = level * qn_tensor_get(w->scales, i / w->block);
            continue;
        }
        const int64_t block = w->groups ? qn_tensor_get_int(w->groups, k) : k / w->block;
        if (block < 0 || block >= w->blocks)
            return false;
        to[k] = (level - qn_few_bits_zero(w, column, block)) * qn_few_bits_scale(w, column, block);
    }
    return true;
}
