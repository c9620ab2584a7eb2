/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A program that knows nothing of lgalloc and blocks all signals, as threads of libraries do, in its main thread, started so,
 * and in another, and uses memory that does not fit the budget. Under `faults:inline` SIGBUS is left out, and nothing
 * else. `masks whole` claims that nothing is.
 */
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CLAIM(condition)                                                                           \
	do                                                                                         \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__,          \
				#condition);                                                       \
			abort();                                                                   \
		}                                                                                  \
	while (0)

#define BYTES ((size_t)32 << 20)
#define STEP ((size_t)4096)

static bool whole;

static void claim_mask(void)
{
	sigset_t mask;

	CLAIM(pthread_sigmask(SIG_BLOCK, NULL, &mask) == 0);
	CLAIM(sigismember(&mask, SIGUSR1) == 1 && sigismember(&mask, SIGSEGV) == 1);
	CLAIM(sigismember(&mask, SIGBUS) == whole);
}

static void use_memory(void)
{
	char *volatile bytes = malloc(BYTES);

	CLAIM(bytes != NULL);
	for (size_t at = 0; at < BYTES; at += STEP)
		bytes[at] = (char)(at / STEP % 127);
	for (size_t at = 0; at < BYTES; at += STEP)
		CLAIM(bytes[at] == (char)(at / STEP % 127));
	free(bytes);
}

static void *run(void *all)
{
	claim_mask(); /* inherited */
	CLAIM(pthread_sigmask(SIG_UNBLOCK, all, NULL) == 0);
	CLAIM(pthread_sigmask(SIG_BLOCK, all, NULL) == 0);
	claim_mask();
	use_memory();
	return NULL;
}

int main(int argc, char **argv)
{
	sigset_t all, bus;
	pthread_t thread;

	whole = argc > 1 && strcmp(argv[1], "whole") == 0;
	sigfillset(&all);
	if (getenv("LGALLOC_TEST_STARTED") == NULL) { /* once more, with all of them blocked */
		CLAIM(sigprocmask(SIG_SETMASK, &all, NULL) == 0);
		CLAIM(setenv("LGALLOC_TEST_STARTED", "1", 1) == 0);
		CLAIM(execv("/proc/self/exe", argv) == 0);
	}
	claim_mask();
	use_memory();
	CLAIM(pthread_create(&thread, NULL, run, &all) == 0);
	CLAIM(pthread_join(thread, NULL) == 0);
	CLAIM(sigprocmask(SIG_SETMASK, &all, NULL) == 0);
	claim_mask();
	sigemptyset(&bus);
	CLAIM(pthread_sigmask(SIG_SETMASK, &bus, &all) == 0);
	CLAIM(sigismember(&all, SIGUSR1) == 1);
	CLAIM(sigprocmask(-1, &bus, NULL) == -1 && pthread_sigmask(-1, &bus, NULL) > 0);
	return EXIT_SUCCESS;
}
