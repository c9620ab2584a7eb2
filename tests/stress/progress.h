/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Threads in an allocation loop, each with a counter of operations, and the claim that each counter
 * goes on advancing while other threads are stopped wherever they happened to be.
 *
 * Only a refill may make others wait (of the same class). So no refill may be needed: before the start
 * each class gets as many regions as all threads can hold, cache and have in flight between two
 * places, areas never retire, nobody but the worker reclaims, and the count of refills must not have
 * changed at the end.
 */
#ifndef STRESS_PROGRESS_H
#define STRESS_PROGRESS_H

#include "stress/claim.h"
#include "stress/clock.h"
#include "stress/random.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum { PROGRESS_THREADS = 64, PROGRESS_CLASSES = 4, PROGRESS_HELD = 4 };
enum { PROGRESS_STEPS = 200 }; /* each other thread must go this far while some are stopped */
#define PROGRESS_CACHE_BYTES ((size_t)512 << 10)
#define PROGRESS_OPTIONS                                                                           \
	"cache_bytes:512K,retire_delay:86400s,interval:2ms,second_decay:4ms,dirty_bytes:1G"

static const size_t progress_sizes[PROGRESS_CLASSES] = { 4 << 10, 16 << 10, 64 << 10, 256 << 10 };

struct progress {
	atomic_uint ready;
	atomic_uint go;
	struct {
		_Alignas(64) atomic_ulong steps;
		atomic_int tid;
	} of[PROGRESS_THREADS];
};

/* What a thread has on the way from one place to another: a run of clean regions, or a chain. */
static inline size_t progress_flight(size_t size)
{
	return (1 << 20) / size + 16;
}

/* No trim at the end: it would unmap the areas. */
static inline void progress_warm(void)
{
	for (unsigned i = 0; i < PROGRESS_CLASSES; i++) {
		size_t size = progress_sizes[i];
		size_t count =
			(PROGRESS_HELD + PROGRESS_CACHE_BYTES / size + progress_flight(size)) *
			(PROGRESS_THREADS + 1);
		lg_region **regions = malloc(count * sizeof(lg_region *));

		CLAIM(regions != NULL);
		for (size_t j = 0; j < count; j++) {
			regions[j] = lg_region_new(size);
			CLAIM(regions[j] != NULL);
		}
		for (size_t j = 0; j < count; j++)
			lg_region_free(regions[j]);
		free(regions);
	}
}

static inline uint64_t progress_refills(void)
{
	struct lg_stats stats;

	CLAIM(lg_stats_read(&stats) == 0);
	return stats.totals.refills;
}

/* Never ends. Each step allocates or frees one region of a warmed class and writes into it. */
static inline _Noreturn void progress_loop(struct progress *progress, unsigned number,
					   uint64_t random)
{
	lg_region *held[PROGRESS_CLASSES][PROGRESS_HELD] = { { NULL } };

	for (;;) {
		size_t class = random_below(&random, PROGRESS_CLASSES);
		lg_region **one = &held[class][random_below(&random, PROGRESS_HELD)];

		if (*one) {
			lg_region_free(*one);
			*one = NULL;
		} else {
			*one = lg_region_new(progress_sizes[class]);
			CLAIM(*one != NULL);
			*(volatile char *)lg_region_data(*one) = 1;
		}
		if (random_one_in(&random, 64))
			lg_thread_flush();
		atomic_fetch_add_explicit(&progress->of[number].steps, 1, memory_order_relaxed);
	}
}

/* Waits until each thread but the stopped ones went PROGRESS_STEPS further, or names who did not. */
static inline void progress_claim(struct progress *progress, const bool *stopped)
{
	unsigned long before[PROGRESS_THREADS];
	double hang = clock_hang();

	for (unsigned i = 0; i < PROGRESS_THREADS; i++)
		before[i] = atomic_load_explicit(&progress->of[i].steps, memory_order_relaxed);
	for (unsigned i = 0; i < PROGRESS_THREADS; i++) {
		if (stopped[i])
			continue;
		while (atomic_load_explicit(&progress->of[i].steps, memory_order_relaxed) -
			       before[i] <
		       PROGRESS_STEPS) {
			if (clock_passed(hang)) {
				fprintf(stderr,
					"thread %u (tid %d) hangs after %lu steps; stopped:", i,
					atomic_load(&progress->of[i].tid),
					atomic_load(&progress->of[i].steps) - before[i]);
				for (unsigned j = 0; j < PROGRESS_THREADS; j++)
					if (stopped[j])
						fprintf(stderr, " %u", j);
				fprintf(stderr, "\n");
				BROKEN("a stopped thread makes no other wait");
			}
			clock_breathe();
		}
	}
}

#endif
