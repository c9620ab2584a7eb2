/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a program's own fork handlers may allocate and free, also those registered before its first
 * region, and a fork that meets the first region half made leaves a child that works.
 * Method: handlers that miss in all three places; forks beside a thread that makes the first region; a
 * child of each allocates.
 * Oracle: wait statuses, and contents.
 */
#include "fault/child.h"
#include "stress/account.h"
#include "stress/rounds.h"
#include "stress/stamp.h"

#include <pthread.h>

enum { CHILDREN = 20, PROCESSES = 40 };

static void allocate(void)
{
	for (size_t bytes = 4096; bytes <= (size_t)4 << 20; bytes *= 4) {
		lg_region *region = lg_region_new(bytes);

		CLAIM(region != NULL);
		stamp_write(lg_region_data(region), bytes, bytes);
		CLAIM(stamp_holds(lg_region_data(region), bytes, bytes));
		lg_region_free(region);
	}
	CLAIM(lg_trim() == 0);
}

static void allocate_once(void *unused)
{
	(void)unused;
	allocate();
}

static void fork_with_handlers(void *unused)
{
	(void)unused;
	CLAIM(pthread_atfork(allocate, allocate, allocate) == 0);
	for (unsigned i = 0; i < CHILDREN; i++)
		child_claim("a child of handlers that allocate", allocate_once, NULL);
	allocate();
}

static void *be_first(void *ready)
{
	pthread_barrier_wait(ready);
	allocate();
	return NULL;
}

static void fork_beside_the_first(void *unused)
{
	pthread_barrier_t ready;
	pthread_t first;

	(void)unused;
	CLAIM(pthread_barrier_init(&ready, NULL, 2) == 0);
	CLAIM(pthread_create(&first, NULL, be_first, &ready) == 0);
	pthread_barrier_wait(&ready);
	child_claim("a child of a fork beside the first region", allocate_once, NULL);
	CLAIM(pthread_join(first, NULL) == 0);
}

static void body(const struct round *round)
{
	(void)round;
	child_claim("fork_with_handlers", fork_with_handlers, NULL);
	for (unsigned i = 0; i < PROCESSES; i++)
		child_claim("fork_beside_the_first", fork_beside_the_first, NULL);
}

static const struct round rounds[] = {
	{ "file", "backing:file,interval:10ms" },
	{ "anon", "backing:anon,interval:10ms" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
