/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A child that is killed: it works until then, and says now and then that it has come further. Its moment is anywhere
 * behind one of these, or before the first.
 */
#ifndef FAULT_KILL_H
#define FAULT_KILL_H

#include "stress/process.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static int kill_progress[2];

/* The child has come further. */
static inline void kill_tell(void)
{
	CLAIM(write(kill_progress[1], "", 1) == 1);
}

static inline void kill_now(pid_t child)
{
	CLAIM(kill(child, SIGKILL) == 0);
	int status = process_wait(child);
	CLAIM(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* `work` in a process that is killed less than `longest_us` after it has told so many times. */
static inline void kill_after(void (*work)(const char *path), const char *path, long told,
			      long longest_us)
{
	char byte;

	CLAIM(pipe(kill_progress) == 0);
	pid_t child = process_fork();
	if (child == 0) {
		work(path);
		abort(); /* it works until it is killed */
	}
	for (; told > 0; told--)
		CLAIM(read(kill_progress[0], &byte, 1) == 1);
	usleep((useconds_t)(random() % longest_us));
	kill_now(child);
	close(kill_progress[0]);
	close(kill_progress[1]);
}

/* What the test's argument says, else the environment. */
static inline long kill_rounds(int count, char **arguments)
{
	const char *said = getenv("LGALLOC_KILL_ROUNDS");

	return count > 1 ? atol(arguments[1]) : said != NULL ? atol(said) : 40;
}

#endif
