/* SPDX-License-Identifier: Apache-2.0 */
#include "base/hash.h"

#include "tests/support/test.h"

/* Fixed for ever: they are in plan files and timing caches.  The numbers are XXH3's own. */
TEST(hashes_stay_what_they_are)
{
    EXPECT(t, qn_hash_text("", 0) == UINT64_C(0x2d06800538d394c2), "of nothing: %llx",
           (unsigned long long)qn_hash_text("", 0));
    EXPECT(t, qn_hash(qn_bytes(NULL, 0), 0) == qn_hash_text("", 0), "a NULL of size 0");
    EXPECT(t, qn_hash_text("abc", 0) == UINT64_C(0x78af5f94892f3950), "of abc: %llx",
           (unsigned long long)qn_hash_text("abc", 0));
    EXPECT(t, qn_hash_u64(1, 0) == qn_hash(qn_bytes("\1\0\0\0\0\0\0\0", 8), 0),
           "a number is its 8 bytes");
}

TEST(seeds_chain_contents_in_order)
{
    const uint64_t ab = qn_hash_text("b", qn_hash_text("a", 0)),
                   ba = qn_hash_text("a", qn_hash_text("b", 0));
    EXPECT(t, ab != ba && ab != qn_hash_text("ab", 0), "the order does not matter");
}

TEST(every_bit_matters)
{
    uint8_t data[600];
    for (size_t i = 0; i < sizeof data; i++)
        data[i] = (uint8_t)(7 * i);
    const uint64_t hash = qn_hash(qn_bytes(data, sizeof data), 0);
    for (size_t bit = 0; bit < 8 * sizeof data; bit++) {
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        EXPECT(t, qn_hash(qn_bytes(data, sizeof data), 0) != hash, "bit %zu", bit);
        data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
}

TEST_MAIN(CASE(hashes_stay_what_they_are), CASE(seeds_chain_contents_in_order),
          CASE(every_bit_matters))
