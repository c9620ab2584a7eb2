/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "metrics/remains.h"

#include "metrics/exporter.h"
#include "metrics/file.h"
#include "os/clock.h"
#include "os/directory.h"
#include "os/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct search {
	const char *pattern; /* of the name, without the directory */
	uint64_t age_ms;
};

static const char head[] = "# HELP lgalloc_";

/* The process id in a name that the pattern could have made; 0: it could not. */
static long process_of(const char *pattern, const char *name, bool *is_temporary)
{
	char expected[LG_METRICS_PATH_BYTES];
	size_t before = (size_t)(strstr(pattern, "%p") - pattern);
	char *end;

	if (strncmp(name, pattern, before) != 0 || name[before] < '1' || name[before] > '9')
		return 0;
	long process = strtol(name + before, &end, 10);
	if (!lg_exporter_expand(pattern, process, expected))
		return 0;
	size_t length = strlen(expected);
	if (strncmp(name, expected, length) != 0)
		return 0;
	*is_temporary = strcmp(name + length, LG_METRICS_TEMPORARY) == 0;
	return *is_temporary || name[length] == '\0' ? process : 0;
}

/* A temporary may have been left before a byte was in it. */
static bool is_written_by_us(int directory, const char *name, bool may_be_empty)
{
	char start[sizeof(head) - 1];
	int fd = openat(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return false;
	ssize_t got = read(fd, start, sizeof(start));
	close(fd);
	return (got == 0 && may_be_empty) ||
	       (got == (ssize_t)sizeof(start) && memcmp(start, head, sizeof(start)) == 0);
}

static bool is_old(const struct stat *status, uint64_t age_ms)
{
	uint64_t written = (uint64_t)status->st_mtim.tv_sec * 1000, now = lg_os_unix_ms();

	return now > written && now - written >= age_ms;
}

static void remove_if_left(int directory, const char *name, void *argument)
{
	const struct search *search = argument;
	bool is_temporary;
	long process = process_of(search->pattern, name, &is_temporary);
	struct stat status;

	if (process == 0 || process == lg_os_process() || kill((pid_t)process, 0) == 0 ||
	    errno != ESRCH)
		return;
	if (fstatat(directory, name, &status, AT_SYMLINK_NOFOLLOW) != 0 ||
	    !S_ISREG(status.st_mode) || !is_old(&status, search->age_ms))
		return;
	if (is_written_by_us(directory, name, is_temporary))
		(void)unlinkat(directory, name, 0);
}

void lg_remains_sweep(const char *pattern, uint64_t age_ms)
{
	char path[LG_METRICS_PATH_BYTES] = ".";
	const char *slash = strrchr(pattern, '/');
	struct search search = { slash != NULL ? slash + 1 : pattern, age_ms };

	if (strstr(search.pattern, "%p") == NULL)
		return;
	if (slash != NULL)
		snprintf(path, sizeof(path), "%.*s", (int)(slash - pattern) + 1, pattern);
	if (strstr(path, "%p") == NULL)
		(void)lg_os_directory_each(path, remove_if_left, &search);
}
