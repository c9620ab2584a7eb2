/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Another thread that does one thing when told, and rests between, alive. */
#ifndef UNIT_REGION_OTHER_H
#define UNIT_REGION_OTHER_H

#include "unit/region/library.h"

#include <pthread.h>

struct other {
	pthread_t thread;
	pthread_barrier_t turn;
	void (*job)(void *argument); /* NULL: end */
	void *argument;
	struct lg_cache *cache; /* its own, after its last job */
};

static inline void *other_run(void *argument)
{
	struct other *other = argument;

	for (;;) {
		pthread_barrier_wait(&other->turn);
		if (other->job == NULL)
			return NULL;
		other->job(other->argument);
		other->cache = lg_self;
		pthread_barrier_wait(&other->turn);
	}
}

static inline void other_start(struct other *other)
{
	assert_int_equal(pthread_barrier_init(&other->turn, NULL, 2), 0);
	assert_int_equal(pthread_create(&other->thread, NULL, other_run, other), 0);
}

/* Returns when the job is done. */
static inline void other_do(struct other *other, void (*job)(void *), void *argument)
{
	other->job = job;
	other->argument = argument;
	pthread_barrier_wait(&other->turn);
	pthread_barrier_wait(&other->turn);
}

static inline void other_end(struct other *other)
{
	other->job = NULL;
	pthread_barrier_wait(&other->turn);
	assert_int_equal(pthread_join(other->thread, NULL), 0);
	pthread_barrier_destroy(&other->turn);
}

/* Jobs. Assertions of cmocka may only fail in the main thread: these count on what they are given. */
struct some_regions {
	size_t bytes;
	unsigned count;
	struct lg_region *regions[512];
};

static inline void allocate_some(void *argument)
{
	struct some_regions *some = argument;

	for (unsigned i = 0; i < some->count; i++)
		some->regions[i] = lg_region_new(some->bytes);
}

static inline void free_some(void *argument)
{
	struct some_regions *some = argument;

	for (unsigned i = 0; i < some->count; i++)
		lg_region_free(some->regions[i]);
}

static inline void allocate_and_free_some(void *argument)
{
	allocate_some(argument);
	free_some(argument);
}

#endif
