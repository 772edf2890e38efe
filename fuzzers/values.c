/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of values on any bytes: .npy, .npz, .pb, .json, raw and pictures.  The first byte says
 * which name the file has and what is wanted of it.  A tensor that was read must be the same after
 * it was written as .npy and read again.
 */
#include <stdlib.h>

#include "tools/npy.h"
#include "tools/values_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const names[] = {"x.npy", "x.npz", "x.pb", "x.json", "x.bin", "x"};

static const QnValueInfo wanted_infos[] = {
    {.name = "x", .kind = QN_TENSOR, .type = QN_FLOAT, .rank = 4, .type_text = "float[1,3,H,8]"},
    {.name = "x", .kind = QN_TENSOR, .type = QN_STRING, .rank = -1, .type_text = "string[?]"},
    {.name = "x", .kind = QN_TENSOR, .type = QN_UINT8, .rank = 2, .type_text = "uint8[4,4]"},
    {.name = "x", .kind = QN_TENSOR, .type = QN_INT64, .rank = 1, .type_text = "int64[N]"},
    {.name = "x",
     .kind = QN_SEQUENCE,
     .type = QN_FLOAT,
     .rank = -1,
     .type_text = "sequence(float)"},
    {.name = "x", .kind = QN_OPTIONAL, .type = QN_BFLOAT16, .rank = -1, .type_text = "optional"},
};
static const int64_t wanted_dims[][QN_MAX_RANK] = {{1, 3, -1, 8}, {0}, {4, 4}, {-1}, {0}, {0}};

static void check_round_trip(const QnTensor *tensor, QnValueStore *store)
{
    QnTensor again;
    QnText text = qn_text(NULL);
    const size_t size = (size_t)qn_tensor_count(tensor) * qn_type_size(tensor->type);
    if (npy_write(&text, tensor, NULL) == QN_OK) {
        if (npy_read(&again, qn_bytes(text.data, text.size), "again", store, NULL) != QN_OK)
            abort();
        if (qn_tensor_count(&again) != qn_tensor_count(tensor))
            abort();
        if (again.type == tensor->type && tensor->type != QN_STRING && size &&
            memcmp(again.data, tensor->data, size) != 0)
            abort();
    }
    qn_text_finish(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum {
        NAMES = sizeof names / sizeof names[0],
        WANTED = sizeof wanted_dims / sizeof wanted_dims[0]
    };
    QnValueStore *store;
    QnValue value;
    QnError err;
    if (size < 1 || size > 1 << 16 || qn_value_store_create(&store) != QN_OK)
        return 0;
    const int which = data[0] / NAMES % WANTED;
    const ValueWanted wanted = {.info = &wanted_infos[which], .dims = wanted_dims[which]};
    if (value_read_bytes(&value, qn_bytes(data + 1, size - 1), names[data[0] % NAMES], &wanted,
                         store, &err) == QN_OK &&
        value.kind == QN_TENSOR)
        check_round_trip(&value.tensor, store);
    qn_value_store_free(store);
    return 0;
}
