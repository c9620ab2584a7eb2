/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * peak: how much memory a process has beyond its budget while an object twice as large goes through it, forward, backward
 * and at random by 8 threads. bytes=64M delay=0 memory=32M
 *
 * value: MiB of the process's largest resident set, libraries and all, less the budget.
 */
#include "remote/object.h"
#include "workload/argument.h"
#include "workload/random.h"
#include "workload/result.h"
#include "workload/table.h"
#include "workload/thread.h"

#include <sys/resource.h>

enum { UNIT = 64 << 10, THREADS = 8, READS = 200 };

static struct server server;
static struct object object;

static void read_unit(size_t offset)
{
	if (server_sum_of(object_look(&object, offset, UNIT, NULL), UNIT) !=
	    server_sum(offset, UNIT))
		result_fail("bytes from %zu on are not the object's", offset);
}

static void *read_at_random(void *context)
{
	uint64_t seed = (uint64_t)(uintptr_t)context + 1;

	for (unsigned i = 0; i < READS; i++)
		read_unit(random_below(&seed, server.bytes / UNIT) * UNIT);
	return NULL;
}

void workload_peak(void)
{
	size_t budget = argument_size("memory", 32 << 20);
	pthread_t threads[THREADS];
	struct rusage usage;

	if (!object_is("lgalloc"))
		result_skip("the others have no budget");
	server_start(&server, argument_size("bytes", 64 << 20), argument_size("delay", 0));
	object_prepare(&object, &server);
	object_open(&object);
	for (size_t at = 0; at < server.bytes; at += UNIT)
		read_unit(at);
	for (size_t at = server.bytes; at > 0; at -= UNIT)
		read_unit(at - UNIT);
	for (uintptr_t i = 0; i < THREADS; i++)
		thread_start(&threads[i], read_at_random, (void *)i);
	for (unsigned i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	getrusage(RUSAGE_SELF, &usage);
	object_close(&object);
	object_end(&object);
	server_end(&server);
	result_value("value", ((double)usage.ru_maxrss * 1024 - (double)budget) / (1 << 20));
}
