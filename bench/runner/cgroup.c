/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runner/cgroup.h"

#include "runner/guard.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PROBE_BYTES = 64 << 20 };

static char parent[PATH_MAX]; /* "" until found */
static int version;
static char reason[256];
static char place[PATH_MAX + 8];

static bool join(char path[PATH_MAX], const char *directory, const char *name)
{
	return snprintf(path, PATH_MAX, "%s/%s", directory, name) < PATH_MAX;
}

static bool put(const char *directory, const char *name, const char *text)
{
	char path[PATH_MAX];

	if (!join(path, directory, name))
		return false;
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd == -1)
		return false;
	bool written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return written;
}

static bool has(const char *directory, const char *name)
{
	char path[PATH_MAX];

	return join(path, directory, name) && access(path, F_OK) == 0;
}

/* Where the memory controller is mounted; of both versions the one that has it. */
static bool find_mount(char mount[PATH_MAX])
{
	char line[2 * PATH_MAX];
	char unified[PATH_MAX] = "";
	FILE *file = fopen("/proc/self/mounts", "re");

	version = 0;
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		char where[PATH_MAX], type[64], options[512];
		if (sscanf(line, "%*s %4095s %63s %511s", where, type, options) != 3)
			continue;
		char padded[520];
		snprintf(padded, sizeof(padded), ",%s,", options);
		if (strcmp(type, "cgroup") == 0 && strstr(padded, ",memory,") != NULL) {
			memcpy(mount, where, sizeof(where));
			version = 1;
		} else if (strcmp(type, "cgroup2") == 0) {
			memcpy(unified, where, sizeof(where));
		}
	}
	if (file != NULL)
		fclose(file);
	if (version == 0 && unified[0] != '\0') {
		memcpy(mount, unified, sizeof(unified));
		version = 2;
	}
	return version != 0;
}

/* Our own group's path below the mount, without a slash at its end. */
static void own_group(char group[PATH_MAX])
{
	char line[2 * PATH_MAX];
	FILE *file = fopen("/proc/self/cgroup", "re");

	group[0] = '\0';
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		char *controllers = strchr(line, ':');
		char *path = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
		if (path == NULL)
			continue;
		*path++ = '\0';
		path[strcspn(path, "\n")] = '\0';
		char padded[PATH_MAX];
		snprintf(padded, sizeof(padded), ",%.1000s,", controllers + 1);
		bool ours = version == 1 ? strstr(padded, ",memory,") != NULL :
					   controllers[1] == '\0';
		if (ours && strlen(path) < PATH_MAX)
			strcpy(group, strcmp(path, "/") == 0 ? "" : path);
	}
	if (file != NULL)
		fclose(file);
}

static bool set_limits(const char *path, uint64_t bytes, bool swap)
{
	char number[32];

	snprintf(number, sizeof(number), "%" PRIu64, bytes);
	if (version == 2)
		return put(path, "memory.max", number) &&
		       (!has(path, "memory.swap.max") ||
			put(path, "memory.swap.max", swap ? "max" : "0"));
	if (!put(path, "memory.limit_in_bytes", number))
		return false;
	if (swap)
		return true;
	/* Without swap accounting only the inclination to swap can be set. */
	put(path, "memory.swappiness", "0");
	return !has(path, "memory.memsw.limit_in_bytes") ||
	       put(path, "memory.memsw.limit_in_bytes", number);
}

static bool make_below(const char *directory, struct cgroup *cgroup, uint64_t bytes, bool swap)
{
	static unsigned number;
	char name[64];

	snprintf(name, sizeof(name), "lgalloc-bench-%d-%u", (int)getpid(), number++);
	if (!join(cgroup->path, directory, name) || !guard_cgroup(cgroup->path))
		return false;
	cgroup->version = version;
	if (mkdir(cgroup->path, 0755) != 0)
		return false;
	const char *limit = version == 2 ? "memory.max" : "memory.limit_in_bytes";
	if (!has(cgroup->path, limit) && version == 2)
		put(directory, "cgroup.subtree_control", "+memory");
	if (has(cgroup->path, limit) && set_limits(cgroup->path, bytes, swap))
		return true;
	int error = errno;
	rmdir(cgroup->path);
	errno = error;
	return false;
}

static bool can_enter(const struct cgroup *cgroup)
{
	int status;

	fflush(NULL);
	pid_t child = fork();
	if (child == 0)
		_exit(cgroup_enter(cgroup) ? 0 : 1);
	return child != -1 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

static bool works_below(const char *directory)
{
	struct cgroup probe;

	if (!make_below(directory, &probe, PROBE_BYTES, false))
		return false;
	bool entered = can_enter(&probe);
	guard_undo_cgroup(probe.path);
	return entered;
}

static void find_parent(void)
{
	char mount[PATH_MAX], group[PATH_MAX], candidate[2 * PATH_MAX];

	if (!find_mount(mount)) {
		snprintf(reason, sizeof(reason), "no memory cgroup is mounted");
		return;
	}
	own_group(group);
	for (;;) {
		snprintf(candidate, sizeof(candidate), "%s%s", mount, group);
		if (strlen(candidate) < PATH_MAX && access(candidate, F_OK) == 0 &&
		    works_below(candidate)) {
			strcpy(parent, candidate);
			snprintf(place, sizeof(place), "v%d", version);
			return;
		}
		char *slash = strrchr(group, '/');
		if (slash == NULL)
			break;
		*slash = '\0';
	}
	snprintf(reason, sizeof(reason),
		 "no memory cgroup (v%d) can be made here: be root, or with systemd run it as "
		 "systemd-run --user --scope -p Delegate=yes ...",
		 version);
}

bool cgroup_possible(void)
{
	if (parent[0] == '\0' && reason[0] == '\0')
		find_parent();
	return parent[0] != '\0';
}

const char *cgroup_reason(void)
{
	return reason;
}

const char *cgroup_place(void)
{
	return cgroup_possible() ? place : "none";
}

bool cgroup_make(struct cgroup *cgroup, uint64_t bytes, bool swap)
{
	return cgroup_possible() && make_below(parent, cgroup, bytes, swap);
}

bool cgroup_enter(const struct cgroup *cgroup)
{
	return put(cgroup->path, "cgroup.procs", "0");
}

uint64_t cgroup_peak(const struct cgroup *cgroup)
{
	char path[PATH_MAX];
	uint64_t bytes = 0;

	if (!join(path, cgroup->path,
		  cgroup->version == 2 ? "memory.peak" : "memory.max_usage_in_bytes"))
		return 0;
	FILE *file = fopen(path, "re");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%" SCNu64, &bytes) != 1)
		bytes = 0;
	fclose(file);
	return bytes;
}

void cgroup_remove(const struct cgroup *cgroup)
{
	guard_undo_cgroup(cgroup->path);
}
