/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A program that knows nothing of lgalloc and closes what it does not know, in each way there is, while its large blocks are in
 * use: they keep their bytes, new ones can be had, what it opened itself is closed, and so is what it put in the place of
 * one of the library's. Children close everything and execute a program.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLAIM(condition)                                                                           \
	do                                                                                         \
		if (!(condition)) {                                                                \
			fprintf(stderr, "%s:%d: does not hold: %s (errno %d)\n", __FILE__,         \
				__LINE__, #condition, errno);                                      \
			abort();                                                                   \
		}                                                                                  \
	while (0)

#define BYTES ((size_t)32 << 20)
#define STEP ((size_t)4096)
#define HIGH 12000 /* above what a library may have */
#define UNSHARE (1 << 1)
#define CLOEXEC (1 << 2)

/* Weak: C libraries before glibc 2.34 have neither. */
__attribute__((weak)) int close_range(unsigned first, unsigned last, int flags);
__attribute__((weak)) void closefrom(int lowest);

static char *volatile block;

static void write_block(void)
{
	for (size_t at = 0; at < BYTES; at += STEP)
		block[at] = (char)(at / STEP % 127 + 1);
}

static void claim_block(void)
{
	for (size_t at = 0; at < BYTES; at += STEP)
		CLAIM(block[at] == (char)(at / STEP % 127 + 1));
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

/* Descriptors of ours among the low ones and above all of theirs, if the limit allows. */
static int open_some(int some[3])
{
	int count = 0;

	some[count++] = open("/dev/null", O_RDONLY);
	some[count] = fcntl(some[0], F_DUPFD, HIGH);
	count += some[count] >= 0;
	CLAIM(some[0] >= 0);
	return count;
}

static void close_by_loop(void)
{
	for (int fd = 3; fd < HIGH + 100; fd++)
		(void)close(fd);
}

/* As many do: what /proc lists. That it cannot be closed is nothing but EBADF. */
static void close_by_list(void)
{
	DIR *list = opendir("/proc/self/fd");
	const struct dirent *entry;

	CLAIM(list != NULL);
	while ((entry = readdir(list)) != NULL) {
		int fd = atoi(entry->d_name);

		if (fd > 2 && fd != dirfd(list))
			CLAIM(close(fd) == 0 || errno == EBADF);
	}
	CLAIM(closedir(list) == 0);
}

static void close_by_range(void)
{
	if (close_range == NULL || close_range(3, UINT_MAX, 0) != 0)
		close_by_loop();
}

static void close_by_closefrom(void)
{
	if (closefrom == NULL)
		close_by_loop();
	else
		closefrom(3);
}

static void *close_unshared(void *unused)
{
	int some[3], count = open_some(some);

	(void)unused;
	if (close_range(3, UINT_MAX, UNSHARE) != 0)
		close_by_loop();
	for (int i = 0; i < count; i++)
		CLAIM(!is_open(some[i]));
	claim_block();
	return NULL;
}

/* Of a thread that goes on with a table of its own: the others have theirs. */
static void claim_unshared(void)
{
	int some[3], count = open_some(some);
	pthread_t thread;

	if (close_range == NULL)
		return;
	CLAIM(pthread_create(&thread, NULL, close_unshared, NULL) == 0);
	CLAIM(pthread_join(thread, NULL) == 0);
	for (int i = 0; i < count; i++) {
		CLAIM(is_open(some[i]));
		CLAIM(close(some[i]) == 0);
	}
}

static void claim_flags(void)
{
	int some[3], count = open_some(some);

	if (close_range == NULL)
		return;
	CLAIM(close_range(5, 4, 0) == -1 && errno == EINVAL);
	CLAIM(close_range(3, UINT_MAX, 1 << 20) == -1 && (errno == EINVAL || errno == ENOSYS));
	if (close_range(3, UINT_MAX, CLOEXEC) == 0)
		for (int i = 0; i < count; i++)
			CLAIM(fcntl(some[i], F_GETFD) == FD_CLOEXEC);
	for (int i = 0; i < count; i++)
		CLAIM(close(some[i]) == 0);
	CLAIM(close(some[0]) == -1 && errno == EBADF);
	CLAIM(close(-1) == -1 && errno == EBADF);
}

static void claim_child(bool by_vfork)
{
	char *const arguments[] = { (char[]){ "true" }, NULL };
	int status;
	pid_t child = by_vfork ? vfork() : fork();

	if (child == 0) {
		close_by_range();
		execv("/bin/true", arguments);
		_exit(1);
	}
	CLAIM(child > 0 && waitpid(child, &status, 0) == child);
	CLAIM(status == 0);
}

/* The last: what was the library's is the program's now, and the library's loss. */
static void claim_replaced(void)
{
	DIR *list = opendir("/proc/self/fd");
	const struct dirent *entry;
	int ends[2], high = -1;
	char byte;

	CLAIM(list != NULL);
	while ((entry = readdir(list)) != NULL)
		if (atoi(entry->d_name) > high)
			high = atoi(entry->d_name);
	CLAIM(closedir(list) == 0);
	CLAIM(pipe(ends) == 0);
	CLAIM(dup2(ends[1], high) == high);
	CLAIM(close(ends[1]) == 0 && close(high) == 0);
	CLAIM(read(ends[0], &byte, 1) == 0); /* nobody writes any more */
}

int main(void)
{
	static void (*const ways[])(void) = { close_by_loop, close_by_list, close_by_range,
					      close_by_closefrom };

	block = malloc(BYTES);
	CLAIM(block != NULL);
	write_block();
	for (size_t way = 0; way < sizeof(ways) / sizeof(ways[0]); way++) {
		int some[3], count = open_some(some);

		ways[way]();
		for (int i = 0; i < count; i++)
			CLAIM(!is_open(some[i]));
		claim_block();
		write_block();
		char *volatile other = malloc(BYTES / 2);
		CLAIM(other != NULL);
		memset(other, 1, BYTES / 2);
		free(other);
		claim_block();
	}
	claim_unshared();
	claim_flags();
	claim_child(false);
	claim_child(true);
	claim_block();
	free(block);
	claim_replaced();
	return EXIT_SUCCESS;
}
