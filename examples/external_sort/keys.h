/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Files to sort, and the proof that a file was sorted. Each returns 0, or -1 after a message. */
#ifndef EXTERNAL_SORT_KEYS_H
#define EXTERNAL_SORT_KEYS_H

#include <stdint.h>

/* Writes `count` keys, the same for the same seed. */
int keys_generate(const char *path, uint64_t count, uint64_t seed);

/*
 * Whether `sorted` is in order and has the same keys as `input`. Same is: as many, the same sum, the same
 * exclusive or, and the same sum of a hash of each key. None of these depends on the order, and a lost,
 * doubled or changed key goes by the last of them with a chance of 2^-64.
 */
int keys_verify(const char *input, const char *sorted);

/*
 * Prints as decimal text, in the file's order, those keys whose hash is a multiple of `every`: the same
 * keys from a file and from its sorted one, so that sort(1) can judge.
 */
int keys_sample(const char *path, uint64_t every);

#endif
