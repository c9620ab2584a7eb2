/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/limits.h"

#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { GROUP_MIB = 600 };
#define GROUP_BYTES ((uint64_t)GROUP_MIB << 20)

static void memory_is_at_most_what_the_machine_has(void **state)
{
	uint64_t ram = (uint64_t)sysconf(_SC_PHYS_PAGES) * (uint64_t)sysconf(_SC_PAGESIZE);

	(void)state;
	assert_true(lg_os_memory_bytes() > 0);
	assert_true(lg_os_memory_bytes() <= ram);
}

static void address_space_is_the_soft_limit(void **state)
{
	struct rlimit before, limit;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_AS, &before), 0);
	limit = before;
	limit.rlim_cur = (rlim_t)1 << 46;
	assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
	uint64_t limited = lg_os_address_space_bytes();
	limit.rlim_cur = limit.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_AS, &limit), 0);
	uint64_t most = lg_os_address_space_bytes();
	assert_int_equal(setrlimit(RLIMIT_AS, &before), 0);
	assert_true(limited == (uint64_t)1 << 46);
	assert_true(most == (before.rlim_max == RLIM_INFINITY ? UINT64_MAX : before.rlim_max));
}

/* Soft limits of both: the least of them counts, and the hint has the names of those that are set. */
static void claim_least(rlim_t addresses, rlim_t data, uint64_t least)
{
	struct rlimit address_limit, data_limit, before[2];

	assert_int_equal(getrlimit(RLIMIT_AS, &before[0]), 0);
	assert_int_equal(getrlimit(RLIMIT_DATA, &before[1]), 0);
	address_limit = before[0];
	data_limit = before[1];
	if (address_limit.rlim_max != RLIM_INFINITY || data_limit.rlim_max != RLIM_INFINITY)
		skip();
	address_limit.rlim_cur = addresses;
	data_limit.rlim_cur = data;
	assert_int_equal(setrlimit(RLIMIT_AS, &address_limit), 0);
	assert_int_equal(setrlimit(RLIMIT_DATA, &data_limit), 0);
	uint64_t most = lg_os_writable_bytes_max();
	const char *hint = lg_os_address_space_hint(-ENOMEM);
	assert_int_equal(setrlimit(RLIMIT_AS, &before[0]), 0);
	assert_int_equal(setrlimit(RLIMIT_DATA, &before[1]), 0);
	assert_true(most == least);
	assert_true((strstr(hint, "RLIMIT_AS (ulimit -v)") != NULL) ==
		    (addresses != RLIM_INFINITY));
	assert_true((strstr(hint, "RLIMIT_DATA (ulimit -d)") != NULL) ==
		    (data != RLIM_INFINITY && data != 0));
}

static void least_limit_of_what_may_be_written_counts(void **state)
{
	const rlim_t more = (rlim_t)1 << 46, less = (rlim_t)1 << 45, none = RLIM_INFINITY;

	(void)state;
	claim_least(more, less, less);
	claim_least(less, more, less);
	claim_least(none, less, less);
	claim_least(less, none, less);
	claim_least(none, none, UINT64_MAX);
	claim_least(none, 0, UINT64_MAX); /* the kernel goes by the hard limit then */
	assert_string_equal(lg_os_address_space_hint(-ENOSPC), "");
}

static void length_of_files_is_the_soft_limit(void **state)
{
	struct rlimit before, limit;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 1234;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	errno = EXDEV;
	uint64_t limited = lg_os_file_bytes_max();
	assert_int_equal(errno, EXDEV);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_true(limited == 1234);
	assert_true(lg_os_file_bytes_max() ==
		    (before.rlim_cur == RLIM_INFINITY ? UINT64_MAX : before.rlim_cur));
}

static void mappings_are_those_of_the_system(void **state)
{
	FILE *file = fopen("/proc/sys/vm/max_map_count", "re");
	unsigned long long most = 65530;

	(void)state;
	if (file != NULL) {
		assert_int_equal(fscanf(file, "%llu", &most), 1);
		fclose(file);
	}
	assert_true(lg_os_mappings_max() == most);
}

static bool write_text(const char *directory, const char *name, const char *text)
{
	char path[600];
	bool written;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	written = write(fd, text, strlen(text)) == (ssize_t)strlen(text);
	close(fd);
	return written;
}

/* This process's group of the memory controller, as a directory; the name of the limit in it. */
static bool find_group(char *directory, size_t bytes, const char **limit)
{
	FILE *file = fopen("/proc/self/cgroup", "re");
	char line[500];
	bool found = false;

	if (file == NULL)
		return false;
	while (!found && fgets(line, sizeof(line), file) != NULL) {
		char *group = strstr(line, ":memory:");

		line[strcspn(line, "\n")] = '\0';
		if (group != NULL) {
			snprintf(directory, bytes, "/sys/fs/cgroup/memory%s", group + 8);
			*limit = "memory.limit_in_bytes";
		} else if (strncmp(line, "0::", 3) == 0) {
			snprintf(directory, bytes, "/sys/fs/cgroup%s", line + 3);
			*limit = "memory.max";
		}
		if (group != NULL || strncmp(line, "0::", 3) == 0) {
			char path[600];

			snprintf(path, sizeof(path), "%s/cgroup.procs", directory);
			found = access(path, W_OK) == 0;
		}
	}
	fclose(file);
	return found;
}

/* A child enters the group and says what it finds. */
static uint64_t bytes_inside(const char *group)
{
	int pipes[2];
	uint64_t bytes = 0;

	assert_int_equal(pipe(pipes), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		bool entered = write_text(group, "cgroup.procs", "0");

		bytes = entered ? lg_os_memory_bytes() : 0;
		_exit(write(pipes[1], &bytes, sizeof(bytes)) == sizeof(bytes) ? 0 : 1);
	}
	assert_int_equal(read(pipes[0], &bytes, sizeof(bytes)), sizeof(bytes));
	assert_true(waitpid(child, NULL, 0) == child);
	close(pipes[0]);
	close(pipes[1]);
	return bytes;
}

static void least_limit_of_the_groups_above_counts(void **state)
{
	char own[520], group[560], inner[580], text[32];
	const char *limit = NULL;
	uint64_t outside = 0, inside = 0, below = 0;
	bool limited = false;

	(void)state;
	if (!find_group(own, sizeof(own), &limit))
		skip();
	snprintf(group, sizeof(group), "%s/lgalloc-unit-%ld", own, (long)getpid());
	snprintf(inner, sizeof(inner), "%s/inner", group);
	snprintf(text, sizeof(text), "%llu", (unsigned long long)GROUP_BYTES);
	if (mkdir(group, 0755) != 0)
		skip(); /* not allowed here */
	bool made = mkdir(inner, 0755) == 0;
	if (made)
		limited = write_text(group, limit, text);
	if (limited) {
		outside = lg_os_memory_bytes();
		inside = bytes_inside(group);
		below = bytes_inside(inner);
	}
	rmdir(inner);
	rmdir(group);
	if (!limited || inside == 0)
		skip(); /* no memory controller in this subtree */
	assert_true(inside == (outside < GROUP_BYTES ? outside : GROUP_BYTES));
	assert_true(below == 0 || below == inside);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(memory_is_at_most_what_the_machine_has),
		cmocka_unit_test(address_space_is_the_soft_limit),
		cmocka_unit_test(least_limit_of_what_may_be_written_counts),
		cmocka_unit_test(length_of_files_is_the_soft_limit),
		cmocka_unit_test(mappings_are_those_of_the_system),
		cmocka_unit_test(least_limit_of_the_groups_above_counts),
	};

	return UNIT_RUN(tests);
}
