/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small seeded pseudo-random numbers: xoshiro256** by D. Blackman and S. Vigna.  The same seed
 * gives the same numbers on every machine and in every version.  Not for secrets.  One thread at a
 * time.
 */
#ifndef QN_BASE_RANDOM_H
#define QN_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

typedef struct QnRandom {
    uint64_t state[4];
    uint64_t seed; /* what it began with: print it, so that a run can be repeated */
} QnRandom;

/* Any seed is as good as another. */
QnRandom qn_random(uint64_t seed);

/* The seed that `text` gives ("42", as after --seed or in a variable), or `fallback` where it is
 * NULL or no number. */
uint64_t qn_random_seed(const char *text, uint64_t fallback);

/* 64 random bits. */
uint64_t qn_random_u64(QnRandom *random);

/* One of 0 ... limit - 1, all equally likely; limit > 0. */
uint64_t qn_random_below(QnRandom *random, uint64_t limit);

/* One of low ... high, both included; low <= high. */
int64_t qn_random_between(QnRandom *random, int64_t low, int64_t high);

/* In [0, 1), a multiple of 2^-53 or 2^-24. */
double qn_random_f64(QnRandom *random);
float qn_random_f32(QnRandom *random);

/* From the normal distribution with mean 0 and deviation 1. */
double qn_random_normal(QnRandom *random);

/* values[count], uniform in [low, high), and normal. */
void qn_random_fill_uniform(QnRandom *random, float *values, size_t count, float low, float high);
void qn_random_fill_normal(QnRandom *random, float *values, size_t count, float mean,
                           float deviation);

/* Puts items[count] of item_size bytes each into a random order, each order equally likely. */
void qn_random_shuffle(QnRandom *random, void *items, size_t count, size_t item_size);

#endif
