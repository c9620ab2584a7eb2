/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * churn: UMap's: pages that are used all the time, beside others that are used once and never again.
 * bytes=1G hot=128M ms=3000
 *
 * One thread reads and one writes at random in the first `hot` bytes, which fit into memory several times; a third
 * reads the rest from the front, again and again.
 *
 * Timed: `ms` of that, once the third has been round the budget. All is compared, while it runs and in the end.
 *
 * value: accesses of the first two a second. cold: MB/s of the third.
 */
#include "pager/space.h"
#include "workload/argument.h"
#include "workload/clock.h"
#include "workload/random.h"
#include "workload/result.h"
#include "workload/table.h"
#include "workload/thread.h"

#include <stdatomic.h>

enum { UNIT = 4096, MS = 1000000 };

/* How far a thread has come; on a cache line of its own. */
struct count {
	_Alignas(64) _Atomic(uint64_t) units;
};

static struct space space;
static struct count read_count, write_count, cold_count;
static size_t hot_units;
static atomic_bool ended;

static void add(struct count *count)
{
	uint64_t now = atomic_load_explicit(&count->units, memory_order_relaxed);

	atomic_store_explicit(&count->units, now + 1, memory_order_relaxed);
}

static void visit(size_t unit, bool write)
{
	char *at = space.data + unit * UNIT;

	if (write)
		pattern_write(at, UNIT, unit * (UNIT / 8), 1);
	else if (!pattern_holds(at, UNIT, unit * (UNIT / 8), 1))
		result_fail("the %d bytes at %zu are not what was written", UNIT, unit * UNIT);
}

static void *read_hot(void *context)
{
	uint64_t random = 88172645463325252u;

	(void)context;
	while (!atomic_load_explicit(&ended, memory_order_relaxed)) {
		visit(random_below(&random, hot_units), false);
		add(&read_count);
	}
	return NULL;
}

static void *write_hot(void *context)
{
	uint64_t random = 362436069362436069u;

	(void)context;
	while (!atomic_load_explicit(&ended, memory_order_relaxed)) {
		visit(random_below(&random, hot_units), true);
		add(&write_count);
	}
	return NULL;
}

static void *read_cold(void *context)
{
	size_t units = space.bytes / UNIT;

	(void)context;
	for (size_t unit = hot_units; !atomic_load_explicit(&ended, memory_order_relaxed);
	     unit = unit + 1 < units ? unit + 1 : hot_units) {
		visit(unit, false);
		add(&cold_count);
	}
	return NULL;
}

static uint64_t hot_visits(void)
{
	return atomic_load(&read_count.units) + atomic_load(&write_count.units);
}

void workload_churn(void)
{
	uint64_t ms = argument_size("ms", 3000);
	struct lg_pager_stats before;
	pthread_t threads[3];

	space_open(&space, argument_size("bytes", (size_t)1 << 30));
	hot_units = argument_size("hot", space.bytes / 8) / UNIT;
	if (hot_units == 0 || hot_units >= space.bytes / UNIT)
		result_fail("hot must be less than bytes");
	space_write(&space, 0, space.bytes);
	thread_start(&threads[0], read_hot, NULL);
	thread_start(&threads[1], write_hot, NULL);
	thread_start(&threads[2], read_cold, NULL);
	uint64_t start = clock_ns();
	while (atomic_load(&cold_count.units) < space.budget_bytes / UNIT &&
	       clock_ns() - start < 5 * ms * MS)
		clock_rest(MS);
	space_stats(&space, &before);
	uint64_t begin = clock_ns();
	uint64_t hot = hot_visits();
	uint64_t cold = atomic_load(&cold_count.units);
	clock_rest(ms * MS);
	double ns = (double)(clock_ns() - begin);
	result_value("value", (double)(hot_visits() - hot) * 1e9 / ns);
	result_value("cold", (double)(atomic_load(&cold_count.units) - cold) * UNIT * 1000 / ns);
	space_report(&space, &before);
	atomic_store(&ended, true);
	for (int i = 0; i < 3; i++)
		pthread_join(threads[i], NULL);
	space_check(&space, 0, space.bytes);
	space_close(&space);
}
