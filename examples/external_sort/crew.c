/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "crew.h"

#include "file.h"
#include "plan.h"

#include <pthread.h>

struct member {
	pthread_t thread;
	void (*job)(void *argument, unsigned number);
	void *argument;
	unsigned number;
};

static void *member_run(void *argument)
{
	struct member *member = argument;

	member->job(member->argument, member->number);
	return NULL;
}

int crew_run(unsigned threads, void (*job)(void *argument, unsigned number), void *argument)
{
	struct member members[PLAN_THREADS_MAX];
	unsigned started = 1;
	int error = 0;

	for (; started < threads; started++) {
		struct member *member = &members[started];

		*member = (struct member){ .job = job, .argument = argument, .number = started };
		error = pthread_create(&member->thread, NULL, member_run, member);
		if (error != 0)
			break;
	}
	job(argument, 0);
	for (unsigned i = 1; i < started; i++)
		pthread_join(members[i].thread, NULL);
	return error == 0 ? 0 : file_fail("thread", "cannot start", error);
}
