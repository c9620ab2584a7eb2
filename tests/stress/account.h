/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The books: every region of every mapped area is in use, in a cache, dirty, lazy or clean, and in one
 * of them only. Values of one snapshot may be some operations apart while somebody (the worker) still
 * moves regions, so a claim about the books is waited for; a region lost or counted twice never comes
 * right and ends as a failure.
 */
#ifndef STRESS_ACCOUNT_H
#define STRESS_ACCOUNT_H

#include "stress/claim.h"
#include "stress/clock.h"

#include <inttypes.h>
#include <stdbool.h>

static inline bool account_balances(const struct lg_stats *stats)
{
	for (size_t i = 0; i < LG_CLASSES; i++) {
		const struct lg_class_stats *one = &stats->classes[i];
		uint64_t regions = one->in_use + one->cached + one->dirty + one->lazy + one->clean;

		if (regions * one->size != one->area_bytes)
			return false;
		if (one->cached != one->in_magazines + one->in_deques)
			return false;
		if (one->allocations - one->frees != one->in_use)
			return false;
	}
	return true;
}

static inline void account_print(const struct lg_stats *stats)
{
	fprintf(stderr, "threads %" PRIu64 "\n", stats->threads);
	for (size_t i = 0; i < LG_CLASSES; i++) {
		const struct lg_class_stats *one = &stats->classes[i];

		if (one->allocations == 0 && one->area_bytes == 0)
			continue;
		fprintf(stderr,
			"size %" PRIu64 " in_use %" PRIu64 " magazines %" PRIu64 " deques %" PRIu64
			" cached %" PRIu64 " dirty %" PRIu64 " lazy %" PRIu64 " clean %" PRIu64
			" area_bytes %" PRIu64 " (%" PRIu64 " regions) allocations %" PRIu64
			" frees %" PRIu64 " stuck %" PRIu64 "\n",
			one->size, one->in_use, one->in_magazines, one->in_deques, one->cached,
			one->dirty, one->lazy, one->clean, one->area_bytes,
			one->size ? one->area_bytes / one->size : 0, one->allocations, one->frees,
			one->stuck);
	}
}

/* Threads were joined. One whose cache a revoker held at that moment is let go by the revoker, soon. */
static inline void account_claim_threads(uint64_t expected)
{
	double hang = clock_hang();
	struct lg_stats stats;

	do {
		CLAIM(!clock_passed(hang));
		CLAIM(lg_stats_read(&stats) == 0);
		if (stats.threads != expected)
			clock_breathe();
	} while (stats.threads != expected);
}

/* Everything was freed and trimmed: nothing in use, nothing kept, nothing lost. */
static inline void account_claim_nothing_lost(void)
{
	/* Before a child's alarm, which would say less. */
	double hang = clock_seconds() + clock_hang_seconds() / 3;
	struct lg_stats stats;

	for (;;) {
		CLAIM(lg_trim() == 0);
		CLAIM(lg_stats_read(&stats) == 0);
		if (account_balances(&stats) && stats.totals.in_use == 0 &&
		    stats.in_use_bytes == 0 && stats.cached_bytes == 0 && stats.dirty_bytes == 0)
			return;
		if (clock_passed(hang)) {
			account_print(&stats);
			BROKEN("after all frees and a trim every region is clean or lazy");
		}
		clock_breathe();
	}
}

#endif
