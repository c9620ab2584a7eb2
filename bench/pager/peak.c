/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * peak: the most memory the process ever has while threads do everything at once. bytes=1G threads=8
 * ms=3000
 *
 * Each thread writes a part of its own from the front, then reads and writes there at random, single pages and
 * runs of them. A thread beside them reads the resident set each ms.
 *
 * Timed: nothing. value: MiB of the resident set over the budget at most, all of the process in it: programs,
 * libraries, stacks, the pager's tables. rise: the same without what was there before the pager.
 */
#include "pager/space.h"
#include "workload/argument.h"
#include "workload/clock.h"
#include "workload/random.h"
#include "workload/result.h"
#include "workload/table.h"
#include "workload/thread.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <unistd.h>

enum { THREADS_MAX = 64, UNIT = 4096, MS = 1000000 };

struct worker {
	pthread_t thread;
	size_t first;
	size_t units;
	uint64_t random;
};

static struct space space;
static struct worker workers[THREADS_MAX];
static atomic_bool ended;
static int statm = -1;
static double most;
static unsigned samples;

static double resident_mib(void)
{
	char text[128];
	ssize_t length = pread(statm, text, sizeof(text) - 1, 0);

	if (length <= 0)
		return 0;
	text[length] = '\0';
	char *end;
	strtoull(text, &end, 10);
	return (double)strtoull(end, NULL, 10) * (double)sysconf(_SC_PAGESIZE) / 1048576.0;
}

static void *sample(void *context)
{
	(void)context;
	while (!atomic_load_explicit(&ended, memory_order_relaxed)) {
		double now = resident_mib();
		if (now > most)
			most = now;
		samples++;
		clock_rest(MS);
	}
	return NULL;
}

static void visit(size_t unit, bool write)
{
	char *at = space.data + unit * UNIT;

	if (write)
		pattern_write(at, UNIT, unit * (UNIT / 8), 1);
	else if (!pattern_holds(at, UNIT, unit * (UNIT / 8), 1))
		result_fail("the %d bytes at %zu are not what was written", UNIT, unit * UNIT);
}

static void *work(void *context)
{
	enum { RUN = 64 };
	struct worker *worker = context;

	for (size_t unit = 0; unit < worker->units; unit++)
		visit(worker->first + unit, true);
	while (!atomic_load_explicit(&ended, memory_order_relaxed)) {
		size_t unit = random_below(&worker->random, worker->units);
		uint64_t how = random_below(&worker->random, 8);
		size_t run = how == 0 ? RUN : 1;
		for (size_t i = 0; i < run && unit + i < worker->units; i++)
			visit(worker->first + unit + i, how % 2 != 0);
	}
	return NULL;
}

void workload_peak(void)
{
	size_t threads = argument_size("threads", 8);
	uint64_t ms = argument_size("ms", 3000);
	pthread_t sampler;

	statm = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	if (statm == -1)
		result_skip("no /proc/self/statm");
	if (threads == 0 || threads > THREADS_MAX)
		result_fail("threads must be 1 to %d", THREADS_MAX);
	double before = resident_mib();
	space_open(&space, argument_size("bytes", (size_t)1 << 30));
	double budget = (double)space.budget_bytes / 1048576.0;
	thread_start(&sampler, sample, NULL);
	for (size_t i = 0; i < threads; i++) {
		size_t part = space.bytes / UNIT / threads;
		workers[i] = (struct worker){
			.first = i * part,
			.units = part,
			.random = 88172645463325252u + i * PATTERN_STEP,
		};
		thread_start(&workers[i].thread, work, &workers[i]);
	}
	clock_rest(ms * MS);
	atomic_store(&ended, true);
	for (size_t i = 0; i < threads; i++)
		pthread_join(workers[i].thread, NULL);
	pthread_join(sampler, NULL);
	result_value("value", most - budget);
	result_value("rise", most - before - budget);
	result_value("samples", samples);
	space_close(&space);
}
