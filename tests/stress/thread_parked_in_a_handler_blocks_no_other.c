/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: whichever threads stop, at whatever instruction, all others go on allocating and freeing.
 * Method: 64 threads in an allocation loop, the worker beside them; a controller sends random threads
 * a signal whose handler waits on a semaphore. Up to all but two are parked at once.
 * Oracle: each other thread's own count of operations must advance by some hundreds before a deadline
 * far beyond what a loaded machine needs. A lock held by a parked thread lets none of its waiters.
 */
#include "stress/crew.h"
#include "stress/progress.h"
#include "stress/rounds.h"

#include <semaphore.h>
#include <signal.h>
#include <sys/syscall.h>

static struct crew crew;
static struct progress progress;
static sem_t parked;
static sem_t resume[PROGRESS_THREADS]; /* one each: a shared one's post may wake the wrong thread */
static _Thread_local unsigned self;

/* sem_wait is not on the list of safe functions; glibc's is an atomic and a futex, and the threads
 * use no semaphore elsewhere, so it interrupts nothing of its own. */
static void park(int unused)
{
	int saved = errno;

	(void)unused;
	sem_post(&parked);
	while (sem_wait(&resume[self]) != 0 && errno == EINTR)
		;
	errno = saved;
}

static void loop(struct crew_member *me)
{
	self = me->number;
	atomic_store(&progress.of[me->number].tid, (int)syscall(SYS_gettid));
	progress_loop(&progress, me->number, me->random);
}

static void body(const struct round *round)
{
	struct sigaction action = { .sa_handler = park, .sa_flags = SA_RESTART };
	const bool none[PROGRESS_THREADS] = { false };
	uint64_t random = random_seed();
	uint64_t refills;
	unsigned times = 0;
	double end;

	(void)round;
	CLAIM(sem_init(&parked, 0, 0) == 0);
	for (unsigned i = 0; i < PROGRESS_THREADS; i++)
		CLAIM(sem_init(&resume[i], 0, 0) == 0);
	sigemptyset(&action.sa_mask);
	CLAIM(sigaction(SIGUSR1, &action, NULL) == 0);
	progress_warm();
	crew_start(&crew, PROGRESS_THREADS, random, loop);
	progress_claim(&progress, none); /* all are registered and warm */
	refills = progress_refills();
	end = clock_end_of_run(5);
	do {
		bool stopped[PROGRESS_THREADS] = { false };
		size_t count = random_one_in(&random, 4) ? PROGRESS_THREADS - 2 :
							   1 + random_below(&random, 16);

		for (size_t i = 0; i < count; i++) {
			size_t who = random_below(&random, PROGRESS_THREADS);

			while (stopped[who])
				who = (who + 1) % PROGRESS_THREADS;
			stopped[who] = true;
			CLAIM(pthread_kill(crew.members[who].thread, SIGUSR1) == 0);
		}
		for (size_t i = 0; i < count; i++)
			while (sem_wait(&parked) != 0)
				CLAIM(errno == EINTR);
		progress_claim(&progress, stopped);
		for (size_t i = 0; i < PROGRESS_THREADS; i++)
			if (stopped[i])
				CLAIM(sem_post(&resume[i]) == 0);
		times++;
	} while (!clock_passed(end));
	progress_claim(&progress, none);
	CLAIM(progress_refills() == refills);
	printf("%u times\n", times);
	fflush(stdout);
	_exit(EXIT_SUCCESS); /* the loops never end */
}

static const struct round rounds[] = {
	{ "file", "backing:file," PROGRESS_OPTIONS },
	{ "anon", "backing:anon," PROGRESS_OPTIONS },
	{ "anon-uncached", "backing:anon," PROGRESS_OPTIONS ",cache_bytes:0" },
};

int main(int argc, char **argv)
{
	return ROUNDS_RUN(argc, argv, rounds, body);
}
