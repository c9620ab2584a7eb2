/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runs.h"

#include "crew.h"
#include "radix.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum { PIECE_BYTES = 2 << 20 };

struct forming {
	struct runs *runs;
	const struct file *input;
	const struct plan *plan;
	atomic_size_t next; /* the run nobody has taken yet */
	atomic_bool failed; /* so that the others stop early */
};

/* Taken now, while the run is in memory: later each sample would be a disk read. */
static void sample(struct run *run)
{
	const uint64_t *keys = lg_region_data(run->region);

	for (size_t i = 0; i < RUN_SAMPLES; i++)
		run->samples[i] = keys[(size_t)((double)run->count * (double)i / RUN_SAMPLES)];
}

/* Piece by piece: the input's page cache never holds more than one of each thread. */
static int read_run(const struct forming *forming, struct run *run, uint64_t offset, size_t bytes)
{
	char *next = lg_region_data(run->region);

	while (bytes > 0) {
		size_t piece = bytes < PIECE_BYTES ? bytes : PIECE_BYTES;

		if (file_read(forming->input, next, piece, offset) != 0)
			return -1;
		if (forming->plan->spills)
			file_drop(forming->input, offset, piece);
		next += piece;
		offset += piece;
		bytes -= piece;
	}
	return 0;
}

static int form(struct forming *forming, size_t index, lg_region *scratch)
{
	const struct plan *plan = forming->plan;
	struct run *run = &forming->runs->all[index];
	uint64_t offset = (uint64_t)index * plan->run_bytes;
	uint64_t left = plan->input_bytes - offset;
	size_t bytes = left < plan->run_bytes ? (size_t)left : plan->run_bytes;

	run->region = lg_region_new(bytes);
	if (run->region == NULL)
		return file_fail("memory for a run", lg_error(), 0);
	run->count = bytes / sizeof(uint64_t);
	if (read_run(forming, run, offset, bytes) != 0)
		return -1;
	radix_sort(lg_region_data(run->region), lg_region_data(scratch), run->count);
	sample(run);
	if (!plan->spills)
		return 0;
	/*
	 * Failing advice is no failure: the kernel then chooses itself what to page out. Random, although the
	 * merge reads in order: the kernel's own read-ahead may be megabytes a fault, which times all runs is
	 * more than the memory, and pages would leave again before they were used. Cursors ask instead.
	 */
	(void)lg_region_advise(run->region, 0, 0, LG_COLD);
	(void)lg_region_advise(run->region, 0, 0, LG_RANDOM);
	return 0;
}

static void form_all(void *argument, unsigned number)
{
	struct forming *forming = argument;
	lg_region *scratch = lg_region_new(forming->plan->run_bytes);

	(void)number;
	if (scratch == NULL) {
		file_fail("memory for sorting", lg_error(), 0);
		atomic_store(&forming->failed, true);
		return;
	}
	while (!atomic_load(&forming->failed)) {
		size_t index = atomic_fetch_add(&forming->next, 1);

		if (index >= forming->runs->count)
			break;
		if (form(forming, index, scratch) != 0)
			atomic_store(&forming->failed, true);
	}
	/* Dirty pages of a region nobody has would still be written to the disk one day. */
	(void)lg_region_advise(scratch, 0, 0, LG_DEAD);
	lg_region_free(scratch);
}

int runs_form(struct runs *runs, const struct file *input, const struct plan *plan)
{
	struct forming forming = { .runs = runs, .input = input, .plan = plan };

	runs->count = plan->run_count;
	runs->all = calloc(runs->count + 1, sizeof(*runs->all)); /* calloc(0) may be NULL */
	if (runs->all == NULL)
		return file_fail("list of runs", "no memory", errno);
	if (plan->spills)
		file_read_no_further(input);
	atomic_init(&forming.next, 0);
	atomic_init(&forming.failed, false);
	if (crew_run(plan->threads, form_all, &forming) != 0 || atomic_load(&forming.failed)) {
		runs_free(runs);
		return -1;
	}
	return 0;
}

void runs_free(struct runs *runs)
{
	for (size_t i = 0; i < runs->count; i++)
		lg_region_free(runs->all[i].region);
	free(runs->all);
}
