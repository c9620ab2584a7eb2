/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a program under a memory limit that uses 600 MiB as objects of one size, frees them, and uses
 * 600 MiB as objects of another size is not killed: what is free in one class makes room for the next.
 * Method: a child in a cgroup of 1 GiB goes through 2, 4, 8, 1 and 16 MiB objects, several times, and
 * writes every page; with default options, for each backing; from one thread, and freed by another.
 * Oracle: the child ends well instead of by the kernel's SIGKILL; stamps.
 */
#include "fault/cgroup.h"
#include "fault/child.h"
#include "stress/rounds.h"
#include "stress/stamp.h"

#include <pthread.h>

enum { LIVE_BYTES = 600 << 20, OBJECT_BYTES_LEAST = 1 << 20, TURNS = 3 };

struct load {
	lg_region *regions[LIVE_BYTES / OBJECT_BYTES_LEAST];
	unsigned count;
};

static struct cgroup cgroup;

static void *free_all(void *argument)
{
	struct load *load = argument;

	while (load->count > 0) {
		lg_region *region = load->regions[--load->count];

		CLAIM(stamp_holds(lg_region_data(region), lg_region_size(region), load->count));
		lg_region_free(region);
	}
	return NULL;
}

static void use_as(struct load *load, size_t bytes, bool by_another)
{
	pthread_t thread;

	for (load->count = 0; load->count < LIVE_BYTES / bytes; load->count++) {
		lg_region *region = lg_region_new(bytes);

		CLAIM(region != NULL);
		memset(lg_region_data(region), 0x77, bytes);
		stamp_write(lg_region_data(region), bytes, load->count);
		load->regions[load->count] = region;
	}
	if (!by_another) {
		free_all(load);
		return;
	}
	CLAIM(pthread_create(&thread, NULL, free_all, load) == 0);
	CLAIM(pthread_join(thread, NULL) == 0);
}

static void churn(void *unused)
{
	static const size_t sizes[] = { 2 << 20, 4 << 20, 8 << 20, 1 << 20, 16 << 20 };
	static struct load load;

	(void)unused;
	cgroup_enter(&cgroup);
	for (unsigned turn = 0; turn < TURNS; turn++)
		for (unsigned i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++)
			use_as(&load, sizes[i], turn % 2 == 1);
}

static void body(const struct round *round)
{
	struct child_end end;

	if (geteuid() != 0)
		SKIP("only root may make a cgroup");
	cgroup_make(&cgroup, 1ULL << 30);
	end = child_try(churn, NULL);
	cgroup_remove(&cgroup);
	if (child_ended_well(&end))
		return;
	child_print(round->name, &end);
	BROKEN("churn across classes survives a memory limit");
}

static const struct round rounds[] = {
	{ "file", "backing:file" },
	{ "anon", "backing:anon" },
	{ "anon-without-worker", "backing:anon,background:off" },
	{ "file-without-worker", "backing:file,background:off" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
