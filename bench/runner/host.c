/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runner/host.h"

#include "runner/cgroup.h"

#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <sys/vfs.h>
#include <unistd.h>

/* The rest of the first line that begins so, without "name :"; "" if there is none. */
static void line_of(const char *path, const char *start, char *value, size_t bytes)
{
	char line[512];
	FILE *file = fopen(path, "re");

	value[0] = '\0';
	while (file != NULL && fgets(line, sizeof(line), file) != NULL) {
		if (strncmp(line, start, strlen(start)) != 0)
			continue;
		char *rest = line + strlen(start);
		rest += strspn(rest, " \t:");
		rest[strcspn(rest, "\n")] = '\0';
		snprintf(value, bytes, "%s", rest);
		break;
	}
	if (file != NULL)
		fclose(file);
}

const char *host_scratch(void)
{
	const char *directory = getenv("TMPDIR");

	return directory != NULL && directory[0] != '\0' ? directory : "/var/tmp";
}

bool host_is_memory(const char *directory)
{
	struct statfs fs;

	return statfs(directory, &fs) == 0 &&
	       ((unsigned long)fs.f_type == TMPFS_MAGIC || (unsigned long)fs.f_type == RAMFS_MAGIC);
}

static const char *fs_name(const char *directory)
{
	struct statfs fs;

	if (statfs(directory, &fs) != 0)
		return "unknown";
	switch ((unsigned long)fs.f_type) {
	case EXT4_SUPER_MAGIC:
		return "ext4";
	case 0x58465342:
		return "xfs";
	case BTRFS_SUPER_MAGIC:
		return "btrfs";
	case TMPFS_MAGIC:
		return "tmpfs: regions of backing:file are in memory, nothing is paged to a disk";
	case OVERLAYFS_SUPER_MAGIC:
		return "overlayfs";
	default:
		return "another file system";
	}
}

bool host_directory(char directory[PATH_MAX])
{
	ssize_t length = readlink("/proc/self/exe", directory, PATH_MAX - 1);

	if (length <= 0)
		return false;
	directory[length] = '\0';
	char *slash = strrchr(directory, '/');
	if (slash == NULL)
		return false;
	*slash = '\0';
	return true;
}

unsigned host_processors(void)
{
	long count = sysconf(_SC_NPROCESSORS_ONLN);

	return count > 0 ? (unsigned)count : 1;
}

uint64_t host_available_bytes(void)
{
	char value[64];

	line_of("/proc/meminfo", "MemAvailable", value, sizeof(value));
	return strtoull(value, NULL, 10) << 10;
}

void host_write(FILE *to, const char *line_start)
{
	struct utsname name;
	char value[512];

	uname(&name);
	line_of("/proc/cpuinfo", "model name", value, sizeof(value));
	fprintf(to, "%sprocessor: %s, %u of %s\n", line_start,
		value[0] != '\0' ? value : "unknown model", host_processors(), name.machine);
	line_of("/proc/meminfo", "MemTotal", value, sizeof(value));
	fprintf(to, "%smemory: %.1f GiB\n", line_start, strtod(value, NULL) / 1048576.0);
	fprintf(to, "%skernel: %s %s\n", line_start, name.sysname, name.release);
	line_of("/sys/kernel/mm/transparent_hugepage/enabled", "", value, sizeof(value));
	fprintf(to, "%shuge pages: %s\n", line_start, value[0] != '\0' ? value : "none");
	fprintf(to, "%sdirectory of backing:file: %s (%s)\n", line_start, host_scratch(),
		fs_name(host_scratch()));
	fprintf(to, "%smemory cgroup: %s\n", line_start, cgroup_place());
}
