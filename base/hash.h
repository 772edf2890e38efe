/* SPDX-License-Identifier: Apache-2.0 */
/*
 * 64-bit content hashes (XXH3): of models, options, timing-cache keys.  The same on every machine.
 * Two contents that differ by accident differ here; somebody who wants two with one hash can make
 * them.
 */
#ifndef QN_BASE_HASH_H
#define QN_BASE_HASH_H

#include "base/bytes.h"

/* The hash of some bytes.  `seed` is 0, or a hash to go on from: hash(b, hash(a, 0)) is one of a
 * and b in order. */
uint64_t qn_hash(QnBytes bytes, uint64_t seed);

uint64_t qn_hash_text(const char *text, uint64_t seed);

/* Of a number, by its value. */
uint64_t qn_hash_u64(uint64_t value, uint64_t seed);

#endif
