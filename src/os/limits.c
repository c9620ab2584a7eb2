/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/limits.h"

#include "base/bits.h"
#include "os/map.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/sysinfo.h>
#include <unistd.h>

enum { TEXT_BYTES = 4096, NUMBER_BYTES = 32, MAPPINGS_DEFAULT = 65530 };

/* Mapped, as all this runs on whatever small stack comes first. */
struct scratch {
	char groups[TEXT_BYTES];
	char path[2 * TEXT_BYTES];
};

/* Reads a small file, as much as there is room for; the text is empty if it cannot be read. */
static void read_text(const char *path, char *text, size_t room)
{
	size_t length = 0;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd >= 0) {
		ssize_t got;
		while (length < room - 1 && (got = read(fd, text + length, room - 1 - length)) > 0)
			length += (size_t)got;
		close(fd);
	}
	text[length] = '\0';
}

/* "max" and nonsense are no limit. */
static uint64_t read_number(const char *path)
{
	char text[NUMBER_BYTES], *end;

	read_text(path, text, sizeof(text));
	unsigned long long number = strtoull(text, &end, 10);
	return end == text ? UINT64_MAX : number;
}

/* The least limit of the group and of all groups above it. */
static uint64_t least_limit(struct scratch *scratch, const char *mount, char *group,
			    const char *file)
{
	uint64_t least = UINT64_MAX;

	for (;;) {
		snprintf(scratch->path, sizeof(scratch->path), "%s%s/%s", mount, group, file);
		uint64_t limit = read_number(scratch->path);
		least = limit < least ? limit : least;
		char *slash = strrchr(group, '/');
		if (slash == NULL)
			return least;
		*slash = '\0';
	}
}

/*
 * /proc/thread-self/cgroup has a line "0::/group" for version 2 and "N:…,memory,…:/group" for version 1. In a
 * container the mount may show the group itself as its root: the walk up ends there.
 */
static uint64_t least_of_groups(struct scratch *scratch)
{
	uint64_t least = UINT64_MAX;

	read_text("/proc/thread-self/cgroup", scratch->groups, sizeof(scratch->groups));
	for (char *line = scratch->groups, *next; line != NULL && *line != '\0'; line = next) {
		next = strchr(line, '\n');
		if (next != NULL)
			*next++ = '\0';
		char *controllers = strchr(line, ':');
		char *group = controllers != NULL ? strchr(controllers + 1, ':') : NULL;
		if (group == NULL)
			continue;
		*group++ = '\0';
		uint64_t limit = UINT64_MAX;
		if (controllers[1] == '\0')
			limit = least_limit(scratch, "/sys/fs/cgroup", group, "memory.max");
		else if (strstr(controllers, "memory") != NULL)
			limit = least_limit(scratch, "/sys/fs/cgroup/memory", group,
					    "memory.limit_in_bytes");
		least = limit < least ? limit : least;
	}
	return least;
}

static uint64_t cgroup_memory_bytes(void)
{
	void *scratch;

	if (lg_os_map_record(sizeof(struct scratch), &scratch) != 0)
		return UINT64_MAX;
	uint64_t least = least_of_groups(scratch);
	lg_os_unreserve(scratch, sizeof(struct scratch));
	return least;
}

uint64_t lg_os_memory_bytes(void)
{
	struct sysinfo machine;
	/* Refused by a filter: a machine that is small today. (sysconf would tell what lay on its stack.) */
	uint64_t ram = sysinfo(&machine) == 0 ? (uint64_t)machine.totalram * machine.mem_unit :
						(uint64_t)1 << 30;
	uint64_t group = cgroup_memory_bytes();

	return ram < group ? ram : group;
}

/* UINT64_MAX: there is none. */
static uint64_t soft_limit(unsigned resource)
{
	struct rlimit limit;

	if (getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY)
		return UINT64_MAX;
	return limit.rlim_cur;
}

uint64_t lg_os_address_space_bytes(void)
{
	return soft_limit(RLIMIT_AS);
}

/* A soft limit of 0 is none to the kernel, which goes by the hard one then (its may_expand_vm, for Valgrind). */
static uint64_t data_bytes(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_DATA, &limit) == 0 && limit.rlim_cur == 0)
		return limit.rlim_max == RLIM_INFINITY ? UINT64_MAX : limit.rlim_max;
	return soft_limit(RLIMIT_DATA);
}

uint64_t lg_os_writable_bytes_max(void)
{
	return lg_min(lg_os_address_space_bytes(), data_bytes());
}

const char *lg_os_address_space_hint(int error)
{
	bool may_be = error == -ENOMEM || error == -EAGAIN; /* of a thread, whose stack it is */
	bool addresses = may_be && lg_os_address_space_bytes() != UINT64_MAX;
	bool data = may_be && data_bytes() != UINT64_MAX;

	if (addresses && data)
		return ": RLIMIT_AS (ulimit -v) and RLIMIT_DATA (ulimit -d) are set, and count all addresses, "
		       "and all that may be written";
	if (data)
		return ": RLIMIT_DATA (ulimit -d) is set, and counts all that may be written, touched or not";
	return addresses ? ": RLIMIT_AS (ulimit -v) is set, and counts all addresses" : "";
}

uint64_t lg_os_file_bytes_max(void)
{
	int before = errno;
	uint64_t bytes = soft_limit(RLIMIT_FSIZE);

	errno = before;
	return bytes;
}

uint64_t lg_os_mappings_max(void)
{
	uint64_t mappings = read_number("/proc/sys/vm/max_map_count");

	return mappings == UINT64_MAX ? MAPPINGS_DEFAULT : mappings;
}

bool lg_os_overcommit_is_strict(void)
{
	int fd = open("/proc/sys/vm/overcommit_memory", O_RDONLY | O_CLOEXEC);
	char mode = '0';

	if (fd < 0)
		return false;
	bool known = read(fd, &mode, 1) == 1;
	close(fd);
	return known && mode == '2';
}
