/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * policy: what each policy leaves out and what it should have. bytes=64M memory=32M count=400000
 *
 * The same accesses, of one thread, go to a space under each policy, without read ahead, and to the simulator:
 * most of them fall on few pages, some run over all of them, a quarter writes.
 *
 * Timed: nothing. value: by how many percent the pager's misses differ from the simulator's, the worst policy.
 * Beside it each policy's difference.
 */
#include "pager/simulator.h"

#include "pager/space.h"
#include "workload/argument.h"
#include "workload/random.h"
#include "workload/result.h"
#include "workload/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static struct space space;
static struct lg_access *accesses;
static size_t access_count;

/* Three of four accesses by the cube of a random number, one of four in runs from the front. */
static void make_accesses(size_t pages)
{
	uint64_t random = 88172645463325252u;
	size_t scan = 0;

	for (size_t i = 0; i < access_count; i++) {
		double place = (double)random_below(&random, 1 << 30) / (1 << 30);
		bool scanning = i / 4096 % 4 == 3;
		size_t page = (size_t)(place * place * place * (double)pages);
		if (scanning)
			page = scan++ % pages;
		accesses[i] = (struct lg_access){
			.page = (uint32_t)page,
			.write = random_below(&random, 4) == 0,
		};
	}
}

static uint64_t misses_of_pager(const char *policy, size_t page_bytes)
{
	struct lg_pager_stats stats;

	space_open_policy(&space, space.bytes, policy);
	for (size_t i = 0; i < access_count; i++) {
		size_t offset = accesses[i].page * page_bytes;
		volatile uint64_t *word = (volatile uint64_t *)(void *)(space.data + offset);
		uint64_t expected = offset / 8 * PATTERN_STEP + 1;
		uint64_t found = expected;
		if (accesses[i].write)
			*word = expected;
		else
			found = *word;
		if (found != expected && found != 0)
			result_fail("the word at %zu is not what was written", offset);
	}
	space_stats(&space, &stats);
	space_close(&space);
	return stats.faults - stats.protect_faults - stats.limbo_hits;
}

void workload_policy(void)
{
	size_t page_bytes = argument_size("page", 4 << 10);
	struct lg_simulator_counts counts;
	struct lg_simulator_rules rules;
	struct lg_policy policy;
	double worst = 0;

	space.bytes = argument_size("bytes", (size_t)64 << 20);
	access_count = argument_size("count", 400000);
	size_t pages = space.bytes / page_bytes;
	size_t budget = argument_size("memory", space.bytes / 2) / page_bytes;
	accesses = calloc(access_count, sizeof(*accesses));
	if (accesses == NULL)
		result_fail("no memory");
	make_accesses(pages);
	for (unsigned place = 0; lg_policy_at(place, &policy); place++) {
		lg_simulator_rules_of_engine(&rules, &policy, (uint32_t)budget,
					     (unsigned)__builtin_ctzll(page_bytes));
		if (lg_simulate(&rules, accesses, access_count, (uint32_t)pages, 1, &counts) != 0)
			result_fail("no memory for the simulator");
		double found = (double)misses_of_pager(policy.ops->name, page_bytes);
		double off = (found / (double)counts.misses - 1) * 100;
		result_value(policy.ops->name, off);
		worst = fmax(worst, fabs(off));
	}
	result_value("value", worst);
	free(accesses);
}
