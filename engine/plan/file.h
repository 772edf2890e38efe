/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan file:
 *
 *     header     4096 bytes: who made it, from what, for what; where the sections are, with their
 *                hashes; its own hash last
 *     graph      the module after all passes (engine/ir/wire.h)
 *     decisions  level 1 text, chosen 2* (node in walking order, offer), packed 3* Packed{constant
 *                1, kind 2, size 3, offset 4}
 *     weights    at a multiple of 2 MiB: packed weights and large constants, each at a multiple of
 *                64 bytes (4 KiB from 64 KiB on), in the order in which they are read
 *
 * Loading plans the graph again, with the decisions and the packed weights at hand: no offset,
 * pointer or geometry in the file is believed, and the weights are not read.
 */
#ifndef QN_ENGINE_PLAN_FILE_H
#define QN_ENGINE_PLAN_FILE_H

#include <stdint.h>

enum {
    QN_PLAN_HEADER = 4096,
    QN_PLAN_FORMAT = 1, /* of the file; changes with its layout */
    QN_PLAN_ENGINE =
        1, /* of packings and offers; changes with any contract of a kernel or lowering */
    QN_PLAN_ALIGN = 2 << 20,   /* of the weights section */
    QN_PLAN_LARGE = 64 << 10,  /* weights from this size on lie at multiples of 4 KiB */
    QN_PLAN_KEPT_INSIDE = 4096 /* constants below this size lie in the graph section */
};

#define QN_PLAN_MAGIC "QNPLAN\r\n"

typedef struct QnPlanSection {
    uint64_t offset, size, hash; /* hash 0: not checked on loading */
} QnPlanSection;

/* Little-endian; zero-padded texts. */
typedef struct QnPlanHeader {
    char magic[8];
    uint32_t format, engine;
    uint64_t model; /* hash of the model's bytes */
    char level[64]; /* of the CPU that it was made on */
    char options[512];
    QnPlanSection graph, decisions, weights;
    uint64_t hash; /* of all bytes before this field */
} QnPlanHeader;

#endif
