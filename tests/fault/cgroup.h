/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A memory cgroup of a test's own, version 1 or 2, made and removed by the parent of the process that
 * lives in it: also when that process was killed.
 */
#ifndef FAULT_CGROUP_H
#define FAULT_CGROUP_H

#include "stress/claim.h"

#include <fcntl.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>

struct cgroup {
	char path[128];
};

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
	CLAIM(rmdir(cgroup->path) == 0);
}

/* Skips the test where there is none to be had. */
static inline void cgroup_make(struct cgroup *cgroup, unsigned long long bytes)
{
	static const char *const mounts[][2] = {
		{ "/sys/fs/cgroup/memory", "memory.limit_in_bytes" },
		{ "/sys/fs/cgroup", "memory.max" },
	};
	char limit[32];

	snprintf(limit, sizeof(limit), "%llu", bytes);
	for (unsigned i = 0; i < 2; i++) {
		snprintf(cgroup->path, sizeof(cgroup->path), "%s/lgalloc-test-%d", mounts[i][0],
			 (int)getpid());
		if (mkdir(cgroup->path, 0755) != 0)
			continue;
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
