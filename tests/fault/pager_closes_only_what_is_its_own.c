/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a program that closes every descriptor it does not know, and gets their numbers for its own, keeps
 * those as they are: the pager reads, writes and closes none of them, and its calls come back, with an error that is documented.
 * Method: a pager in each way to serve faults, with threads asleep and a child of fork alive; all numbers
 * are closed and given to pipes with bytes in them and to event counters; then everything that ends a pager.
 * Oracle: what is in the pipes and counters, and that they are the same; a deadline.
 */
#include "fault/child.h"

#include <lgalloc/pager.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#define MIB ((size_t)1 << 20)

enum { OWN_MAX = 64, BYTES = 100, PAGE = 16384 };

static struct own {
	int fd;
	bool is_counter;
	struct stat status;
} own[OWN_MAX];
static unsigned own_count;

static void take_number(int number, bool is_counter)
{
	static const char bytes[BYTES] = { 7 };
	int ends[2] = { -1, -1 };

	CLAIM(own_count < OWN_MAX);
	if (is_counter) {
		ends[0] = eventfd(5, EFD_NONBLOCK);
	} else {
		CLAIM(pipe2(ends, O_NONBLOCK) == 0);
		CLAIM(write(ends[1], bytes, BYTES) == BYTES);
	}
	CLAIM(ends[0] >= 0);
	/* The other end of a pipe stays open under whatever number it has. */
	if (ends[0] != number) {
		CLAIM(dup2(ends[0], number) == number);
		close(ends[0]);
	}
	own[own_count].fd = number;
	own[own_count].is_counter = is_counter;
	CLAIM(fstat(number, &own[own_count++].status) == 0);
}

static void claim_own(void)
{
	for (unsigned i = 0; i < own_count; i++) {
		char bytes[2 * BYTES];
		uint64_t counter;
		struct stat status;

		CLAIM(fstat(own[i].fd, &status) == 0);
		CLAIM(status.st_ino == own[i].status.st_ino);
		if (own[i].is_counter) {
			CLAIM(read(own[i].fd, &counter, sizeof(counter)) == sizeof(counter));
			CLAIM(counter == 5);
		} else {
			CLAIM(read(own[i].fd, bytes, sizeof(bytes)) == BYTES);
		}
	}
}

static void take_all_numbers(void)
{
	int numbers[OWN_MAX];
	unsigned count = 0;
	DIR *all = opendir("/proc/self/fd");
	struct dirent *entry;

	CLAIM(all != NULL);
	while ((entry = readdir(all)) != NULL) {
		int fd = (int)strtol(entry->d_name, NULL, 10);

		if (fd > STDERR_FILENO && fd != dirfd(all)) {
			CLAIM(count < OWN_MAX);
			numbers[count++] = fd;
		}
	}
	closedir(all);
	CLAIM(count >= 3);
	CLAIM(syscall(SYS_close_range, 3U, ~0U, 0U) == 0);
	for (unsigned i = 0; i < count; i++)
		take_number(numbers[i], i % 2 == 0);
}

static char state_of(const char *thread)
{
	char path[64], text[256], state = '?';
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%.20s/stat", thread);
	file = fopen(path, "re");
	if (file == NULL)
		return state;
	if (fgets(text, sizeof(text), file) != NULL && strrchr(text, ')') != NULL)
		state = strrchr(text, ')')[2];
	fclose(file);
	return state;
}

static bool others_sleep(void)
{
	DIR *threads = opendir("/proc/self/task");
	struct dirent *entry;
	bool all = true;

	CLAIM(threads != NULL);
	while ((entry = readdir(threads)) != NULL)
		all = all && (entry->d_name[0] == '.' || atoi(entry->d_name) == gettid() ||
			      state_of(entry->d_name) == 'S');
	closedir(threads);
	return all;
}

/* A thread that served a fault just now looks for more, by its descriptor's number, before it sleeps. */
static void await_sleep(void)
{
	for (unsigned looks = 0; looks < 3; looks = others_sleep() ? looks + 1 : 0)
		usleep(5000);
}

/* As long as its parent lives, whose failure it would hide else: it has the ends that are read. */
static void rest(void)
{
	CLAIM(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0);
	pause();
}

struct
try {
	const char *options;
	bool has_map;
	bool has_child;
};

/* Pages in memory first, then some that are held back, which the kernel would have to move. */
static void claim_documented(lg_map *map)
{
	ssize_t got = 1;
	char byte;

	for (size_t at = 4 * MIB; got == 1 && at > 0; at -= PAGE) {
		got = lg_map_read(map, &byte, 1, at - PAGE);
		CLAIM(got == 1 || got == -EIO || got == -EBADF);
	}
}

static void close_and_end(void *argument)
{
	const struct try *try = argument;
	lg_pager *pager = lg_pager_new(try->options);
	pid_t child = 0;

	if (pager == NULL && errno == EPERM)
		SKIP("%s", lg_error());
	CLAIM(pager != NULL);
	lg_map *map = lg_map_memory(pager, 4 * MIB, NULL);
	CLAIM(map != NULL);
	memset(lg_map_data(map), 1, 4 * MIB);
	if (!try->has_map)
		CLAIM(lg_map_close(map) == 0);
	if (try->has_child) {
		child = process_fork();
		if (child == 0)
			rest();
	}
	await_sleep();
	take_all_numbers();
	if (try->has_map) {
		claim_documented(map);
		CLAIM(lg_map_sync(map, 0, 0) <= 0);
		CLAIM(lg_map_advise(map, 0, 0, LG_DEAD) == 0);
		CLAIM(lg_map_close(map) <= 0);
	}
	CLAIM(lg_pager_free(pager) == 0);
	claim_own();
	if (child > 0) {
		CLAIM(kill(child, SIGKILL) == 0);
		(void)process_wait(child);
	}
}

/* The next pager is not disturbed by what became of the first. */
static void end_beside_another(void *argument)
{
	lg_pager *first = lg_pager_new(argument);

	if (first == NULL && errno == EPERM)
		SKIP("%s", lg_error());
	CLAIM(first != NULL);
	CLAIM(syscall(SYS_close_range, 3U, ~0U, 0U) == 0);
	lg_pager *second = lg_pager_new(argument); /* with the numbers of the first */
	CLAIM(second != NULL);
	CLAIM(lg_pager_free(first) == 0);
	lg_map *map = lg_map_memory(second, 4 * MIB, NULL);
	CLAIM(map != NULL);
	char *data = lg_map_data(map);
	for (size_t i = 0; i < 4 * MIB; i += 4096)
		data[i] = (char)(i >> 12);
	for (size_t i = 0; i < 4 * MIB; i += 4096)
		CLAIM(data[i] == (char)(i >> 12));
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_pager_free(second) == 0);
}

int main(void)
{
	static const char *const ways[] = { "memory:2M,page:16K,faults:inline",
					    "memory:2M,page:16K,faults:threads" };

	/* What whoever started us left open is not of interest. */
	if (syscall(SYS_close_range, 3U, ~0U, 0U) != 0)
		SKIP("no close_range: %s", strerror(errno));
	for (unsigned i = 0; i < 8; i++) {
		struct try try = { ways[i / 4], i % 2 == 0, i % 4 < 2 };

		child_claim(try.options, close_and_end, &try);
	}
	for (unsigned i = 0; i < 2; i++)
		child_claim("two pagers", end_beside_another, (void *)(uintptr_t)ways[i]);
	return EXIT_SUCCESS;
}
