/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hashes of com.microsoft: MurmurHash3 in its 32-bit form, of numbers as their bytes and of
 * strings.
 */
#include "engine/ops/op.h"

static QnStatus infer_murmur(QnInfer *in)
{
    const QnType to = qn_op_int(in->node, "positive") ? QN_UINT32 : QN_INT32;
    const QnShape *x = qn_infer_shape(in, 0);
    return x ? qn_infer_tensor(in, 0, to, x) : qn_infer_unknown(in, 0, to, -1);
}

static uint32_t rotate(uint32_t x, int bits)
{
    return x << bits | x >> (32 - bits);
}

/* Four bytes, or what is left of them, before they enter the sum. */
static uint32_t scramble(uint32_t word)
{
    return rotate(word * 0xcc9e2d51u, 15) * 0x1b873593u;
}

static uint32_t murmur(const uint8_t *data, size_t size, uint32_t seed)
{
    uint32_t h = seed, rest = 0;
    size_t i = 0;
    for (; i + 4 <= size; i += 4)
        h = rotate(h ^ scramble(qn_load_u32(data + i)), 13) * 5 + 0xe6546b64u;
    for (size_t k = size; k-- > i;)
        rest = rest << 8 | data[k];
    if (i < size)
        h ^= scramble(rest);
    h ^= (uint32_t)size;
    h = (h ^ h >> 16) * 0x85ebca6bu;
    h = (h ^ h >> 13) * 0xc2b2ae35u;
    return h ^ h >> 16;
}

static QnStatus murmur_hash(const QnCall *call)
{
    const QnTensor *x = qn_call_input(call, 0);
    QnTensor *y = qn_call_result(call, 0);
    const uint32_t seed = (uint32_t)qn_op_int(call->node, "seed");
    const int64_t count = qn_tensor_count(x);
    const size_t size = qn_type_size(x->type);
    for (int64_t i = 0; i < count; i++) {
        const uint8_t *data = (const uint8_t *)x->data + (size_t)i * size;
        const QnString *text = x->type == QN_STRING ? (const QnString *)x->data + i : NULL;
        ((uint32_t *)y->data)[i] =
            text ? murmur((const uint8_t *)text->data, text->size, seed) : murmur(data, size, seed);
        if (i % 4096 == 0)
            QN_TRY(qn_call_poll(call));
    }
    return QN_OK;
}

static const QnOpAttribute murmur_attributes[] = {
    {"positive", QN_ATTRIBUTE_INT, .i = 1}, {"seed", QN_ATTRIBUTE_INT}, {0}};

const QnOp qn_ops_hash[] = {
    {.name = "MurmurHash3",
     .domain = "com.microsoft",
     .since = 1,
     .inputs = "X: any",
     .outputs = "Y: integer",
     .attributes = murmur_attributes,
     .infer = infer_murmur,
     .reference = murmur_hash},
    {0},
};
