/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A crew: threads of one job that start together, know their number and end when told or by themselves. */
#ifndef STRESS_CREW_H
#define STRESS_CREW_H

#include "stress/claim.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>

enum { CREW_MAX = 256 };

struct crew_member {
	pthread_t thread;
	unsigned number;
	uint64_t random;
	struct crew *crew;
};

struct crew {
	unsigned count;
	void (*job)(struct crew_member *member);
	atomic_bool stop;
	pthread_barrier_t together;
	struct crew_member members[CREW_MAX];
};

static inline bool crew_stopped(const struct crew_member *member)
{
	return atomic_load_explicit(&member->crew->stop, memory_order_relaxed);
}

static inline void *crew_member_run(void *argument)
{
	struct crew_member *member = argument;

	pthread_barrier_wait(&member->crew->together);
	member->crew->job(member);
	return NULL;
}

/* Returns once all of them run. */
static inline void crew_start(struct crew *crew, unsigned count, uint64_t seed,
			      void (*job)(struct crew_member *member))
{
	CLAIM(count <= CREW_MAX);
	crew->count = count;
	crew->job = job;
	atomic_store(&crew->stop, false);
	CLAIM(pthread_barrier_init(&crew->together, NULL, count + 1) == 0);
	for (unsigned i = 0; i < count; i++) {
		struct crew_member *member = &crew->members[i];

		member->number = i;
		member->random = seed ^ (uint64_t)(i + 1) << 40;
		member->crew = crew;
		CLAIM(pthread_create(&member->thread, NULL, crew_member_run, member) == 0);
	}
	pthread_barrier_wait(&crew->together);
}

static inline void crew_stop(struct crew *crew)
{
	atomic_store_explicit(&crew->stop, true, memory_order_relaxed);
}

static inline void crew_join(struct crew *crew)
{
	for (unsigned i = 0; i < crew->count; i++)
		CLAIM(pthread_join(crew->members[i].thread, NULL) == 0);
	pthread_barrier_destroy(&crew->together);
}

#endif
