/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runner/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { THINGS_MAX = 64, ATTEMPTS = 500, ATTEMPT_MS = 10, LINE_BYTES = PATH_MAX + 2 };

static int guard_pipe = -1;
static pid_t guard_pid = -1;

static void rest(void)
{
	struct timespec time = { .tv_nsec = ATTEMPT_MS * 1000000L };

	nanosleep(&time, NULL);
}

static void kill_members(const char *path)
{
	char procs[PATH_MAX];
	int pid;

	if (snprintf(procs, sizeof(procs), "%s/cgroup.procs", path) >= (int)sizeof(procs))
		return;
	FILE *file = fopen(procs, "re");
	if (file == NULL)
		return;
	while (fscanf(file, "%d", &pid) == 1)
		kill(pid, SIGKILL);
	fclose(file);
}

bool guard_undo_cgroup(const char *path)
{
	/* Killed members leave some time later, and until then the directory is busy. */
	for (int i = 0; i < ATTEMPTS; i++) {
		if (rmdir(path) == 0 || errno == ENOENT)
			return true;
		if (errno != EBUSY)
			return false;
		kill_members(path);
		rest();
	}
	return false;
}

bool guard_undo_swap(const char *path)
{
	/* EINVAL: it is no swap area in use. */
	if (swapoff(path) != 0 && errno != EINVAL && errno != ENOENT && errno != EPERM)
		return false;
	return unlink(path) == 0 || errno == ENOENT;
}

static void undo(const char *thing)
{
	bool undone = thing[0] == 'C' ? guard_undo_cgroup(thing + 1) : guard_undo_swap(thing + 1);

	if (!undone)
		fprintf(stderr, "lgalloc-bench: %s is left behind: %s\n", thing + 1,
			strerror(errno));
}

/* Cgroups that are gone are forgotten, but for the last: it may not have been made yet. How many things are left. */
static int forget(char things[][LINE_BYTES], int count)
{
	int left = 0;

	for (int i = 0; i < count; i++) {
		if (things[i][0] == 'C' && i + 1 < count && access(things[i] + 1, F_OK) != 0)
			continue;
		if (left != i)
			memcpy(things[left], things[i], LINE_BYTES);
		left++;
	}
	return left;
}

static _Noreturn void guard(int from)
{
	static char things[THINGS_MAX][LINE_BYTES];
	int count = 0;
	FILE *file = fdopen(from, "r");

	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGPIPE, SIG_IGN);
	setsid(); /* what kills the runner's group must not kill us */
	while (file != NULL && count < THINGS_MAX &&
	       fgets(things[count], LINE_BYTES, file) != NULL) {
		things[count][strcspn(things[count], "\n")] = '\0';
		bool known = false;
		for (int i = 0; i < count; i++)
			known = known || strcmp(things[i], things[count]) == 0;
		if (!known)
			count++;
		if (count == THINGS_MAX)
			count = forget(things, count);
	}
	while (count > 0)
		undo(things[--count]);
	_exit(0);
}

static bool begin(void)
{
	int ends[2];

	if (guard_pipe != -1)
		return true;
	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	fflush(NULL);
	guard_pid = fork();
	if (guard_pid == 0) {
		close(ends[1]);
		guard(ends[0]);
	}
	close(ends[0]);
	if (guard_pid == -1) {
		close(ends[1]);
		return false;
	}
	guard_pipe = ends[1];
	atexit(guard_end);
	return true;
}

static bool tell(char kind, const char *path)
{
	char line[LINE_BYTES + 1];
	int length = snprintf(line, sizeof(line), "%c%s\n", kind, path);

	return strchr(path, '\n') == NULL && length < LINE_BYTES && begin() &&
	       write(guard_pipe, line, (size_t)length) == length;
}

bool guard_cgroup(const char *path)
{
	return tell('C', path);
}

bool guard_swap(const char *path)
{
	return tell('S', path);
}

void guard_end(void)
{
	if (guard_pipe == -1)
		return;
	close(guard_pipe);
	guard_pipe = -1;
	while (waitpid(guard_pid, NULL, 0) == -1 && errno == EINTR)
		;
}
