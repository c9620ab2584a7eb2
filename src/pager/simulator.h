/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The simulator: what a policy does with a sequence of accesses under a budget. It runs the policy's own
 * code, gives it what the pager would, and counts; there is no memory and no I/O. The pager's own counts
 * are compared with it, and `lgalloc trace replay` is made of it.
 *
 * The rules, all in pages of one size. A page is out, mapped or in limbo; mapped + limbo <= budget.
 *
 *   access, page mapped    nothing is seen (a hit), but the first write to a page that is clean: touch WRITE,
 *                          and it is dirty (a protect)
 *   access, page in limbo  it is mapped again, dirty as it was: fill READ, or WRITE if it is dirty; then
 *                          touch with the access. A write makes it dirty (a limbo hit)
 *   access, page out       room is made if mapped + limbo = budget; then fill with the access, by which
 *                          the page is dirty or clean (a miss: one read)
 *   room                   while no page of limbo is clean, memory is reclaimed; if that is in vain, the
 *                          next victim goes to limbo, recent or not. Then the `retire` pages of limbo that
 *                          have been clean there for longest are out (left)
 *   after a page was       if budget - mapped - unwritten < reserve_low, memory is reclaimed until it is at
 *   mapped                 least reserve_high, or in vain
 *   to reclaim             if more than unwritten_most pages of limbo are dirty, the `run` that came first are
 *                          written and clean; else a batch is taken; if there is none, a run is written
 *   a batch                victims until `batch` pages were found or there is none: each is in limbo, the
 *                          youngest there. Recent ones are set aside and put back in the end, the last
 *                          taken first
 *   recent                 the last pages each thread mapped: as many as leave half of the budget to choose
 *                          from, budget / 2 / threads that have mapped any, at least `recent_least`, at
 *                          most `recent_most`
 *
 * That is the engine with nothing to wait for. How far its writers keep up is a matter of time, which is not
 * here: they do in the rules of the engine, and do nothing in those of its faults alone. A run of the engine lies
 * between the two, but for what is not here: writers give some memory back before it is wanted, and lone clean pages leave without limbo
 * while few come back from it (up to 9 % more misses were seen, where nearly all pages that are used fit). There is no read ahead, no
 * sync, no pin and no discard.
 *
 * `best` is Belady's: with the future known, the page used last leaves, one at a time, and the whole budget is
 * mapped. No policy has fewer misses. (Belady, A study of replacement algorithms, 1966)
 */
#ifndef LG_PAGER_SIMULATOR_H
#define LG_PAGER_SIMULATOR_H

#include "pager/policy.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Pages and threads are numbered from 0 without gaps. */
struct lg_access {
	uint32_t page;
	uint16_t thread;
	bool write;
};

struct lg_simulator_rules {
	struct lg_policy policy;
	uint32_t budget; /* at least 1 */
	uint32_t reserve_low;
	uint32_t reserve_high; /* less than the budget */
	uint32_t batch;        /* at least 1 */
	uint32_t retire;       /* at least 1 */
	uint32_t run;          /* at least 1 */
	uint32_t unwritten_most;
	uint32_t recent_least; /* both 0: none are kept */
	uint32_t recent_most;
};

struct lg_simulator_counts {
	uint64_t accesses;
	uint64_t hits;
	uint64_t protects;
	uint64_t limbo_hits;
	uint64_t misses;
	uint64_t cold; /* of these, of pages never met before: memory maps need no read for them */
	uint64_t evictions;
	uint64_t left;
	uint64_t writes;
	uint64_t put_back;
};

enum lg_simulator_outcome {
	LG_SIMULATOR_HIT,
	LG_SIMULATOR_PROTECT,
	LG_SIMULATOR_LIMBO,
	LG_SIMULATOR_MISS,
};

struct lg_simulator;

/* As the engine is, for a budget of so many pages of 2^shift bytes. */
void lg_simulator_rules_of_engine(struct lg_simulator_rules *rules, const struct lg_policy *policy,
				  uint32_t budget, unsigned shift);

/* The same without writers: what faults find no memory for, they reclaim. */
void lg_simulator_rules_of_faults(struct lg_simulator_rules *rules, const struct lg_policy *policy,
				  uint32_t budget, unsigned shift);

/* For this many pages and threads; NULL: no memory. */
struct lg_simulator *lg_simulator_new(const struct lg_simulator_rules *rules, uint32_t pages,
				      uint32_t threads);
void lg_simulator_free(struct lg_simulator *simulator);

enum lg_simulator_outcome lg_simulator_access(struct lg_simulator *simulator,
					      const struct lg_access *access);
const struct lg_simulator_counts *lg_simulator_counts(const struct lg_simulator *simulator);

/* All of a sequence. -ENOMEM. */
int lg_simulate(const struct lg_simulator_rules *rules, const struct lg_access *accesses,
		size_t count, uint32_t pages, uint32_t threads, struct lg_simulator_counts *counts);

/* Misses of `best`; the sequence is of less than 2^32 accesses. -ENOMEM. */
int lg_simulate_best(uint32_t budget, const struct lg_access *accesses, size_t count,
		     uint32_t pages, uint64_t *misses);

/* Tests: stops the program if states, counts and the policy do not agree. */
void lg_simulator_check(const struct lg_simulator *simulator);

#endif
