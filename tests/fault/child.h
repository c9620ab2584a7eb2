/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A child process that does something which may kill it, and how it ended: its wait status and what it
 * wrote to stderr. A child that hangs is killed by its own alarm, which is a failure like any signal.
 */
#ifndef FAULT_CHILD_H
#define FAULT_CHILD_H

#include "stress/claim.h"
#include "stress/clock.h"
#include "stress/process.h"

#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct child_end {
	int status;
	size_t length;
	char text[8192];
};

static inline _Noreturn void child_run(void (*body)(void *), void *argument)
{
	const struct rlimit no_core = { 0, 0 };

	setrlimit(RLIMIT_CORE, &no_core);
	alarm((unsigned)clock_hang_seconds());
	body(argument);
	fflush(NULL);
	_exit(EXIT_SUCCESS);
}

static inline struct child_end child_try(void (*body)(void *), void *argument)
{
	struct child_end end = { 0 };
	int ends[2];
	ssize_t got;
	pid_t child;

	CLAIM(pipe(ends) == 0);
	child = process_fork();
	if (child == 0) {
		dup2(ends[1], STDERR_FILENO);
		close(ends[0]);
		close(ends[1]);
		child_run(body, argument);
	}
	close(ends[1]);
	while ((got = read(ends[0], end.text + end.length, sizeof(end.text) - 1 - end.length)) !=
	       0) {
		CLAIM(got > 0 || errno == EINTR);
		end.length += got > 0 ? (size_t)got : 0;
		CLAIM(end.length < sizeof(end.text) - 1);
	}
	close(ends[0]);
	end.status = process_wait(child);
	return end;
}

static inline bool child_died_of(const struct child_end *end, int signal)
{
	return WIFSIGNALED(end->status) && WTERMSIG(end->status) == signal;
}

static inline bool child_ended_well(const struct child_end *end)
{
	return WIFEXITED(end->status) && WEXITSTATUS(end->status) == EXIT_SUCCESS;
}

static inline bool child_skipped(const struct child_end *end)
{
	return WIFEXITED(end->status) && WEXITSTATUS(end->status) == EXIT_SKIPPED;
}

static inline void child_print(const char *what, const struct child_end *end)
{
	fprintf(stderr, "%s: %s %d\n%s", what,
		WIFSIGNALED(end->status) ? "killed by signal" : "exit status",
		WIFSIGNALED(end->status) ? WTERMSIG(end->status) : WEXITSTATUS(end->status),
		end->text);
}

/* The child must end well. False: it said the machine cannot do this. */
static inline bool child_claim(const char *what, void (*body)(void *), void *argument)
{
	struct child_end end = child_try(body, argument);

	if (child_skipped(&end)) {
		child_print(what, &end);
		return false;
	}
	if (!child_ended_well(&end)) {
		child_print(what, &end);
		BROKEN("the child ends well");
	}
	return true;
}

#endif
