/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * checkpoint FILE MIB STEPS EVERY: heat in a rod of so many MiB, in a mapped file and half of that memory, with a checkpoint
 * after every so many steps. A run that was killed goes on from the last of them.
 *
 * The pager writes pages back when it wants their memory, in an order of its own: what a killed program leaves of a state
 * that it changed in place is of no step at all. So the file has two. That of the last checkpoint is only read: the first step
 * from it writes the other, and the steps behind change the other in place. A checkpoint is two syncs, in this order: the
 * state, then a header that names its step, and the higher step is the last. A header that was torn has a wrong check, and the
 * other state was not touched.
 */
#include <lgalloc/pager.h>

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define MAGIC UINT64_C(0x6b63656863646f72)

enum { HEADER_BYTES = 64 << 10, HOT = 1000000000, TOOTH = 4096 };

/* Each has a page of its own: the sync of a state does not write it. */
struct header {
	uint64_t magic, step, check;
};

struct run {
	lg_pager *pager;
	lg_map *map;
	struct header *headers[2];
	int64_t *rods[2]; /* integers: a step that is done again has the same result, to the last bit */
	size_t bytes;     /* of a rod */
	int last;         /* whose step is the last checkpoint's; -1: there is none */
};

static int fail(const char *what, const char *why)
{
	fprintf(stderr, "checkpoint: %s: %s\n", what, why);
	return EXIT_FAILURE;
}

static uint64_t check_of(uint64_t step)
{
	return (step ^ MAGIC) * UINT64_C(0x9e3779b97f4a7c15);
}

static int open_run(struct run *run, const char *file)
{
	size_t bytes = 2 * (HEADER_BYTES + run->bytes);
	struct stat status;
	char options[64];

	/* Before it is mapped, which would make it longer. */
	if (stat(file, &status) == 0 && status.st_size != 0 && (size_t)status.st_size != bytes)
		return fail(file, "it has another size, and is left as it is");
	snprintf(options, sizeof(options), "page:64K,memory:%zu", run->bytes / 2);
	run->pager = lg_pager_new(options);
	run->map = run->pager != NULL ? lg_map_file(run->pager, file, bytes, NULL) : NULL;
	if (run->map == NULL)
		return fail(file, lg_error());
	char *data = lg_map_data(run->map);
	for (int i = 0; i < 2; i++) {
		struct header *header = (struct header *)(data + i * HEADER_BYTES);

		run->headers[i] = header;
		run->rods[i] = (int64_t *)(data + 2 * HEADER_BYTES + (size_t)i * run->bytes);
		if (header->magic == MAGIC && header->check == check_of(header->step) &&
		    (run->last < 0 || header->step > run->headers[run->last]->step))
			run->last = i;
	}
	if (run->last < 0 && run->headers[0]->magic != 0 && run->headers[0]->magic != MAGIC)
		return fail(file, "it has something else in it, and is left as it is");
	return EXIT_SUCCESS;
}

/* `to` may be `from`: what a cell was is kept for its neighbour. One end is heated, the other cooled. */
static void do_step(int64_t *to, const int64_t *from, size_t cells)
{
	int64_t left = HOT;

	for (size_t i = 0; i < cells; i++) {
		int64_t here = from[i], right = i + 1 < cells ? from[i + 1] : 0;

		to[i] = here + (left - 2 * here + right) / 4;
		left = here;
	}
}

static int sync_part(const struct run *run, const void *at, size_t bytes)
{
	return lg_map_sync(run->map, (size_t)((const char *)at - (char *)lg_map_data(run->map)),
			   bytes);
}

static int commit(struct run *run, int which, uint64_t step)
{
	if (sync_part(run, run->rods[which], run->bytes) != 0)
		return fail("the state", lg_error());
	*run->headers[which] = (struct header){ MAGIC, step, check_of(step) };
	if (sync_part(run, run->headers[which], sizeof(struct header)) != 0)
		return fail("the header", lg_error());
	run->last = which;
	printf("%" PRIu64 "\n", step);
	return fflush(stdout) != 0;
}

/* Bent everywhere: each step changes each cell. */
static int begin(struct run *run)
{
	for (size_t i = 0; i < run->bytes / sizeof(int64_t); i++)
		run->rods[0][i] = (int64_t)(i % TOOTH * (i % TOOTH) * 64);
	return commit(run, 0, 0);
}

static int go_on(struct run *run, uint64_t steps, uint64_t every)
{
	size_t cells = run->bytes / sizeof(int64_t);
	int failed = run->last < 0 ? begin(run) : 0;
	uint64_t step = failed ? 0 : run->headers[run->last]->step;

	while (!failed && step < steps) {
		int64_t *rod = run->rods[1 - run->last];

		do_step(rod, run->rods[run->last], cells);
		while (++step < steps && step % every != 0)
			do_step(rod, rod, cells);
		failed = commit(run, 1 - run->last, step);
	}
	return failed;
}

int main(int argc, char **argv)
{
	uint64_t mib = argc == 5 ? strtoull(argv[2], NULL, 10) : 0;
	uint64_t every = argc == 5 ? strtoull(argv[4], NULL, 10) : 0;
	struct run run = { .bytes = (size_t)mib << 20, .last = -1 };

	if (mib < 4 || mib > 1 << 20 || every == 0) {
		fprintf(stderr, "usage: %s FILE MIB STEPS EVERY (MIB: from 4)\n", argv[0]);
		return 2;
	}
	int failed = open_run(&run, argv[1]) != 0 ||
		     go_on(&run, strtoull(argv[3], NULL, 10), every) != 0;
	if (lg_map_close(run.map) != 0)
		failed = fail(argv[1], lg_error());
	return lg_pager_free(run.pager) != 0 || failed;
}
