/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * statistics: lg_stats_read while 64 threads live that have each used 8 classes. threads=64
 * count=2000
 *
 * Timed: the call.
 *
 * value: us, median. calls: 0 when a snapshot was taken by a thread that seccomp's strict mode
 * kills at its first system call other than read, write and exit; 1 when it was killed. Only
 * lgalloc: the other allocators have no such call.
 */
#include "workload/table.h"

#include "workload/result.h"

#ifdef BENCH_REGIONS

#include "workload/argument.h"
#include "workload/block.h"
#include "workload/clock.h"
#include "workload/histogram.h"
#include "workload/thread.h"

#include <linux/seccomp.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { THREADS_MAX = 256, CLASSES = 8, OWN = 4 };

static pthread_barrier_t used;
static pthread_mutex_t end = PTHREAD_MUTEX_INITIALIZER;
static struct histogram latencies;
static struct lg_stats stats, strict_stats;

enum strict_outcome { STRICT_REFUSED = 1, STRICT_READ };
static _Atomic(int) strict_outcome; /* 0 where the thread was killed */

static void *use_classes(void *unused)
{
	block *own[OWN];

	(void)unused;
	for (int class = 0; class < CLASSES; class ++) {
		for (int i = 0; i < OWN; i++)
			own[i] = block_take((size_t)65536 << class);
		for (int i = 0; i < OWN; i++)
			block_calls.give(own[i]);
	}
	pthread_barrier_wait(&used);
	pthread_mutex_lock(&end);
	pthread_mutex_unlock(&end);
	return NULL;
}

static void *read_strictly(void *unused)
{
	(void)unused;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_STRICT) != 0) {
		atomic_store(&strict_outcome, STRICT_REFUSED);
		return NULL;
	}
	if (lg_stats_read(&strict_stats) == 0)
		atomic_store(&strict_outcome, STRICT_READ);
	syscall(SYS_exit, 0); /* a return would call more than strict mode has */
	return NULL;
}

void workload_statistics(void)
{
	size_t threads = argument_size("threads", 64);
	size_t count = argument_size("count", 2000);
	pthread_t thread[THREADS_MAX], strict;

	if (threads > THREADS_MAX)
		result_fail("threads must be at most %d", THREADS_MAX);
	pthread_barrier_init(&used, NULL, (unsigned)threads + 1);
	pthread_mutex_lock(&end);
	for (size_t i = 0; i < threads; i++)
		thread_start(&thread[i], use_classes, NULL);
	pthread_barrier_wait(&used);
	for (size_t i = 0; i < count; i++) {
		uint64_t begin = clock_ns();
		if (lg_stats_read(&stats) != 0)
			result_fail("%s", lg_error());
		histogram_add(&latencies, clock_ns() - begin);
	}
	if (stats.threads < threads)
		result_fail("only %llu of %zu threads are seen", (unsigned long long)stats.threads,
			    threads);
	result_value("value", histogram_share(&latencies, 0.5) / 1000);
	histogram_report(&latencies);

	/*
	 * The kernel clears the thread's id at its end, killed or not, so the join returns either
	 * way.
	 */
	thread_start(&strict, read_strictly, NULL);
	pthread_join(strict, NULL);
	if (atomic_load(&strict_outcome) != STRICT_REFUSED)
		result_value("calls", atomic_load(&strict_outcome) == STRICT_READ ? 0 : 1);
	pthread_mutex_unlock(&end);
	for (size_t i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
}

#else

void workload_statistics(void)
{
	result_skip("has no statistics call to compare");
}

#endif
