/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Policies: which page leaves memory first. What one is says lgalloc/pager.h; the built-in ones are written
 * against the same operations as a user's. What each does:
 *
 *   clock   pages in a ring by age; the hand passes over a page that was touched since it came or was passed
 *           over, once, and evicts the first that was not. Pages that are read ahead stand in a queue, whose oldest
 *           leaves first while it has more than an eighth of all; touched twice, or back while its ghost queue
 *           (as s3fifo's) knows them, they are the ring's
 *   s3fifo  a small queue (a tenth of the target) for pages met once, a main queue for pages met again, and
 *           a ghost queue of keys that left the small one lately: who comes back from there is main. (Yang et
 *           al., FIFO queues are all you need for cache eviction, SOSP 2023)
 *   fifo    the oldest fill
 *   lifo    the newest fill
 *   plru    a fault moves its page to the front; the back leaves
 *   prnd    any, all alike
 *   wiro_f  dirty pages to the front, clean ones to the middle; the clean one nearest the back leaves, and
 *           the back if none is clean
 *   wiro_l  clean pages to the front, dirty ones to the middle; the front leaves
 *
 * All but the first two as uMMAP-IO (Rivas-Gomez et al., HiPC 2019) has them; its policies see faults only,
 * as all of ours do. The middle of n pages is behind the first n / 2, rounded down. A page is dirty that was filled or
 * touched with LG_REFERENCE_WRITE. The first touch of a page that was read ahead is its arrival: it is not
 * counted as a second use.
 *
 * Pages that are put back, the last taken first, are the next victims in the order they were taken in.
 *
 * Time and memory: every operation is O(1); clock and s3fifo pass over a page at most once for each
 * touch of it. Memory is reserved by `capacity` and taken as handles and ghosts are used.
 */
#ifndef LG_PAGER_POLICY_H
#define LG_PAGER_POLICY_H

#include "base/policies.h"
#include "pager/options.h"

#include <lgalloc/pager.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Each with what its tables take where so many handles were used, and with a walk over its invariants, for tests: stops the program
 * if one does not hold.
 */
#define LG_POLICY_DECLARE(name)                                                                    \
	extern const struct lg_policy_ops lg_policy_##name;                                        \
	uint64_t lg_policy_##name##_bytes(const void *state, uint32_t handles);                    \
	void lg_policy_##name##_check(const void *state);
LG_POLICIES(LG_POLICY_DECLARE)
#undef LG_POLICY_DECLARE

enum { LG_POLICY_USERS = 16 }; /* of the user's own at most */

/* A policy and what its create is given. */
struct lg_policy {
	const struct lg_policy_ops *ops;
	void *argument;
};

/* By its name, which is `length` bytes long. False: there is none; lg_policy_names has those there are. */
bool lg_policy_find(const char *name, size_t length, struct lg_policy *policy);

/* The same in words: -EINVAL. */
int lg_policy_named(const char *name, struct lg_policy *policy);

/* The place-th of all policies, the built-in ones first. False: there are not so many. */
bool lg_policy_at(unsigned place, struct lg_policy *policy);

/* "clock, s3fifo, …" as far as it fits. */
void lg_policy_names(char *text, size_t bytes);

/* In a child of fork: a thread that is not in it may have been registering one. */
void lg_policy_forget(void);

/* Bytes that its tables take; a user's are not known, and counted like a built-in one's. */
uint64_t lg_policy_bytes(const struct lg_policy_ops *ops, const void *state, uint32_t handles);

/* The walk of a built-in policy; nothing for others. */
void lg_policy_check(const struct lg_policy_ops *ops, const void *state);

/* Zeroed memory, of which only what is touched is taken; NULL: none. And its end. */
void *lg_policy_memory(size_t bytes);
void lg_policy_memory_end(void *memory, size_t bytes);

#endif
