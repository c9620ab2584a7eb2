/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The worker, and other threads of the library's, seen through /proc. What is waited for has to come, however late. */
#ifndef UNIT_REGION_BACKGROUND_H
#define UNIT_REGION_BACKGROUND_H

#include "unit/unit.h"

#include <dirent.h>
#include <fcntl.h>
#include <lgalloc/lgalloc.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { TEXT_BYTES = 4096, HANG_MS = 120000 };

static inline bool read_task(long task, const char *name, char *text)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%ld/%s", task, name);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ssize_t length = read(fd, text, TEXT_BYTES - 1);
	close(fd);
	if (length < 0)
		return false;
	text[length] = '\0';
	return true;
}

/* The id of the thread with this name; how many there are. */
static inline unsigned find_thread(const char *name, long *task)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned found = 0;
	size_t length = strlen(name);
	char text[TEXT_BYTES];

	*task = 0;
	assert_non_null(tasks);
	for (struct dirent *entry; (entry = readdir(tasks)) != NULL;) {
		long id = strtol(entry->d_name, NULL, 10);

		if (id == 0 || !read_task(id, "comm", text) || strncmp(text, name, length) != 0 ||
		    text[length] != '\n')
			continue;
		*task = id;
		found++;
	}
	closedir(tasks);
	return found;
}

static inline unsigned find_worker(long *task)
{
	return find_thread("lgalloc-bg", task);
}

static inline bool late(uint64_t *since)
{
	struct timespec now, pause = { 0, 1000000 };

	clock_gettime(CLOCK_MONOTONIC, &now);
	uint64_t ms = (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
	if (*since == 0)
		*since = ms;
	nanosleep(&pause, NULL);
	return ms - *since > HANG_MS;
}

#define WAIT_FOR(what)                                                                             \
	for (uint64_t since = 0; !(what);)                                                         \
		if (late(&since))                                                                  \
	fail_msg("never came: %s", #what)

static inline unsigned workers(void)
{
	long task;

	return find_worker(&task);
}

static inline bool everything_went_back(void)
{
	struct lg_stats stats;

	assert_int_equal(lg_stats_read(&stats), 0);
	return stats.cached_bytes == 0 && stats.dirty_bytes == 0 && stats.lazy_bytes == 0 &&
	       stats.area_bytes == 0;
}

/* Its system call is a futex wait without a timeout: "202 word op value timeout …". */
static inline bool sleeps_without_timer(long task)
{
	char text[TEXT_BYTES];
	unsigned long number, word, operation, value, timeout;

	if (!read_task(task, "syscall", text))
		return false;
	return sscanf(text, "%lu %lx %lx %lx %lx", &number, &word, &operation, &value, &timeout) ==
		       5 &&
	       number == SYS_futex && (operation & 127) == 0 && timeout == 0;
}

#endif
