/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * random: pages at random of more memory than there is. bytes=1G unit=4K threads=1 single=0 write=0
 * warm=1000 ms=3000
 *
 * All is written once from the front, then the same accesses as those that are timed run for `warm` ms.
 *
 * Timed: each access to `unit` bytes at a random multiple of it, reading and comparing (or, with write=1,
 * writing) all of them, with the clock's reading in it. With single=1 one thread alone runs before and
 * `threads` of them afterwards, both timed.
 *
 * value: accesses a second of all threads. one: of the one thread. scale: all / one. Latencies: each access of
 * the last part; with half in memory the median is a hit, p99 the disk.
 *
 * Threads write in parts of their own. What was written last is known for each unit, and all is compared in the
 * end.
 */
#include "workload/random.h"
#include "pager/space.h"
#include "workload/argument.h"
#include "workload/clock.h"
#include "workload/histogram.h"
#include "workload/result.h"
#include "workload/table.h"
#include "workload/thread.h"

#include <stdlib.h>

enum { THREADS_MAX = 64 };

struct walker {
	pthread_t thread;
	struct histogram latencies;
	uint64_t random;
	uint64_t ns;
	size_t first; /* of its units */
	size_t units;
};

static struct space space;
static struct walker walkers[THREADS_MAX];
static unsigned char *salts; /* of each unit */
static size_t unit_bytes;
static bool writing;

static void visit(size_t unit)
{
	char *at = space.data + unit * unit_bytes;

	if (writing)
		pattern_write(at, unit_bytes, unit * (unit_bytes / 8), ++salts[unit]);
	else if (!pattern_holds(at, unit_bytes, unit * (unit_bytes / 8), salts[unit]))
		result_fail("the %zu bytes at %zu are not what was written", unit_bytes,
			    unit * unit_bytes);
}

static void *walk(void *context)
{
	struct walker *walker = context;
	uint64_t begin = clock_ns();
	uint64_t from = begin;
	uint64_t now;

	do {
		visit(walker->first + random_below(&walker->random, walker->units));
		now = clock_ns();
		histogram_add(&walker->latencies, now - from);
		from = now;
	} while (now - begin < walker->ns);
	walker->ns = now - begin;
	return NULL;
}

/* Accesses a second; their latencies, if asked for. */
static double run(size_t threads, uint64_t ms, bool report)
{
	static struct histogram latencies;
	size_t units = space.bytes / unit_bytes;
	double rate = 0;

	latencies = (struct histogram){ .count = 0 };
	for (size_t i = 0; i < threads; i++) {
		size_t part = writing ? units / threads : units;
		walkers[i].latencies = (struct histogram){ .count = 0 };
		walkers[i].ns = ms * 1000000;
		walkers[i].first = writing ? i * part : 0;
		walkers[i].units = part;
		thread_start(&walkers[i].thread, walk, &walkers[i]);
	}
	for (size_t i = 0; i < threads; i++) {
		pthread_join(walkers[i].thread, NULL);
		rate += (double)walkers[i].latencies.count * 1e9 / (double)walkers[i].ns;
		histogram_merge(&latencies, &walkers[i].latencies);
	}
	if (report)
		histogram_report(&latencies);
	return rate;
}

void workload_random(void)
{
	size_t threads = argument_size("threads", 1);
	uint64_t warm_ms = argument_size("warm", 1000);
	uint64_t ms = argument_size("ms", 3000);
	struct lg_pager_stats before;
	double one = 0;

	unit_bytes = argument_size("unit", 4 << 10);
	space_open(&space, argument_size("bytes", (size_t)1 << 30));
	if (threads == 0 || threads > THREADS_MAX)
		result_fail("threads must be 1 to %d", THREADS_MAX);
	if (unit_bytes == 0 || unit_bytes % 8 != 0 || space.bytes / unit_bytes < threads)
		result_fail("unit must be a multiple of 8 that fits");
	size_t units = space.bytes / unit_bytes;
	salts = calloc(units, 1);
	if (salts == NULL)
		result_fail("no memory");
	for (size_t unit = 0; unit < units; unit++) {
		salts[unit] = 1;
		pattern_write(space.data + unit * unit_bytes, unit_bytes, unit * (unit_bytes / 8),
			      1);
	}
	for (size_t i = 0; i < threads; i++)
		walkers[i].random = 88172645463325252u + i * PATTERN_STEP;
	writing = argument_size("write", 0) != 0;
	if (argument_size("single", 0) != 0) {
		run(1, warm_ms, false);
		one = run(1, ms, false);
		result_value("one", one);
	}
	run(threads, warm_ms, false);
	space_stats(&space, &before);
	double all = run(threads, ms, true);
	result_value("value", all);
	if (one > 0)
		result_value("scale", all / one);
	space_report(&space, &before);
	if (writing) {
		writing = false;
		for (size_t unit = 0; unit < units; unit++)
			visit(unit);
	}
	space_close(&space);
}
