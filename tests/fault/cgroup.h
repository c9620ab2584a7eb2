/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A memory cgroup of a test's own, version 1 or 2, made and removed by the parent of the process that
 * lives in it: also when that process was killed, and when the parent is asked to end.
 */
#ifndef FAULT_CGROUP_H
#define FAULT_CGROUP_H

#include "stress/claim.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

struct cgroup {
	char path[128];
};

static const struct cgroup *cgroup_made; /* for the handler */

static inline bool cgroup_write(const struct cgroup *cgroup, const char *name, const char *value)
{
	char path[192];
	bool wrote;
	int fd;

	snprintf(path, sizeof(path), "%s/%s", cgroup->path, name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	wrote = write(fd, value, strlen(value)) == (ssize_t)strlen(value);
	close(fd);
	return wrote;
}

static inline void cgroup_remove(const struct cgroup *cgroup)
{
	cgroup_made = NULL;
	CLAIM(rmdir(cgroup->path) == 0);
}

/* Who is in the group is this process's child, and there is but one. */
static inline void cgroup_remove_and_die(int signal_number)
{
	char path[192], text[32] = "";
	int fd;

	if (cgroup_made) {
		snprintf(path, sizeof(path), "%s/cgroup.procs", cgroup_made->path);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && read(fd, text, sizeof(text) - 1) > 0) {
			pid_t child = (pid_t)strtol(text, NULL, 10);

			/* The child inherited this handler: it dies of it, and its parent removes. */
			if (child > 0 && child != getpid()) {
				kill(child, SIGKILL);
				waitpid(child, NULL, 0);
			}
		}
		rmdir(cgroup_made->path);
	}
	signal(signal_number, SIG_DFL);
	raise(signal_number);
}

/* Skips the test where there is none to be had. */
static inline void cgroup_make(struct cgroup *cgroup, unsigned long long bytes)
{
	static const char *const mounts[][2] = {
		{ "/sys/fs/cgroup/memory", "memory.limit_in_bytes" },
		{ "/sys/fs/cgroup", "memory.max" },
	};
	static const int deadly[] = { SIGINT, SIGTERM, SIGHUP, SIGABRT };
	char limit[32];

	for (unsigned i = 0; i < sizeof(deadly) / sizeof(deadly[0]); i++)
		signal(deadly[i], cgroup_remove_and_die);
	snprintf(limit, sizeof(limit), "%llu", bytes);
	for (unsigned i = 0; i < 2; i++) {
		snprintf(cgroup->path, sizeof(cgroup->path), "%s/lgalloc-test-%d", mounts[i][0],
			 (int)getpid());
		if (mkdir(cgroup->path, 0755) != 0)
			continue;
		cgroup_made = cgroup;
		if (cgroup_write(cgroup, mounts[i][1], limit))
			return;
		cgroup_remove(cgroup);
	}
	SKIP("no memory cgroup may be made here");
}

static inline void cgroup_enter(const struct cgroup *cgroup)
{
	char self[32];

	snprintf(self, sizeof(self), "%d", (int)getpid());
	CLAIM(cgroup_write(cgroup, "cgroup.procs", self));
}

#endif
