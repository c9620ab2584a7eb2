/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Rounds: one test under several option strings. Options such as the backing count for a whole
 * process, so each round is this program started again with the round's name; `PROGRAM NAME` runs one
 * round alone, under a debugger for instance.
 */
#ifndef STRESS_ROUNDS_H
#define STRESS_ROUNDS_H

#include "stress/claim.h"
#include "stress/process.h"

#include <lgalloc/pager.h>

#include <stdbool.h>
#include <sys/wait.h>
#include <unistd.h>

struct round {
	const char *name;
	const char *options;
};

/* Faults may be served as the options say: from threads needs a privilege. */
static inline bool round_can_run(const struct round *round)
{
	if (strstr(round->options, "backing:paged") == NULL)
		return true;
	lg_pager *pager = lg_pager_new(strstr(round->options, "faults:inline") != NULL ?
					       "memory:1M,page:4K,faults:inline" :
					       "memory:1M,page:4K,faults:threads");
	if (pager == NULL)
		fprintf(stderr, "%s\n", lg_error());
	return pager != NULL && lg_pager_free(pager) == 0;
}

static inline int round_start(const char *program, const struct round *round)
{
	int status;
	pid_t child = process_fork();

	if (child == 0) {
		execl("/proc/self/exe", program, round->name, (char *)NULL);
		perror("execl");
		_exit(EXIT_FAILURE);
	}
	status = process_wait(child);
	if (WIFEXITED(status))
		return WEXITSTATUS(status);
	fprintf(stderr, "killed by signal %d\n", WTERMSIG(status));
	return EXIT_FAILURE;
}

/* All rounds, whatever becomes of one: the worst is the answer, skipped only if every round was. */
static inline int rounds_run(int argc, char **argv, const struct round *rounds, size_t count,
			     void (*body)(const struct round *round))
{
	int answer = EXIT_SKIPPED;

	for (size_t i = 0; argc > 1 && i < count; i++) {
		if (strcmp(argv[1], rounds[i].name) != 0)
			continue;
		CLAIM(lg_configure(rounds[i].options) == 0);
		if (!round_can_run(&rounds[i]))
			return EXIT_SKIPPED;
		body(&rounds[i]);
		return EXIT_SUCCESS;
	}
	if (argc > 1) {
		fprintf(stderr, "no round is named %s\n", argv[1]);
		return EXIT_FAILURE;
	}
	for (size_t i = 0; i < count; i++) {
		int one;

		printf("-- %s: %s\n", rounds[i].name, rounds[i].options);
		one = round_start(argv[0], &rounds[i]);
		if (one == EXIT_SUCCESS && answer == EXIT_SKIPPED)
			answer = EXIT_SUCCESS;
		if (one != EXIT_SUCCESS && one != EXIT_SKIPPED) {
			fprintf(stderr, "round %s failed\n", rounds[i].name);
			answer = EXIT_FAILURE;
		}
	}
	return answer;
}

#define ROUNDS_RUN(argc, argv, rounds, body)                                                       \
	rounds_run(argc, argv, rounds, sizeof(rounds) / sizeof((rounds)[0]), body)

#endif
