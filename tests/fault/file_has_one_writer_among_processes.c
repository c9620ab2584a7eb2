/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a range of a file that one process has for writing no other gets, until that one closes it or dies,
 * by SIGKILL too; readers share. Processes that extend a file at the same time, each for its own
 * range, lose none of it.
 * Method: a child holds a range while the parent asks for it; many children open neighbouring ranges of one
 * new file in rounds and write them.
 * Oracle: -EBUSY or success; the file's length and every page.
 */
#include "fault/child.h"
#include "fault/pages.h"
#include "store/file.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { CHILDREN = 8, PAGES = 4, ROUNDS = 40, RANGE = PAGES * PAGE_BYTES };

static const char path[] = "lgalloc-test.writers";

static int try_to_open(uint64_t offset, uint64_t bytes, bool readonly)
{
	struct lg_store *store = NULL;
	int error = lg_file_store_open(path, offset, bytes, readonly, true, &store);

	if (error == 0)
		store->calls->close(store);
	else
		CLAIM(*lg_error() != '\0');
	return error;
}

/* A child that has the range open when this returns. */
static pid_t hold(uint64_t offset, uint64_t bytes, bool readonly)
{
	int ends[2];
	char byte;
	pid_t child;

	CLAIM(pipe(ends) == 0);
	child = process_fork();
	if (child == 0) {
		struct lg_store *store = NULL;

		alarm((unsigned)clock_hang_seconds());
		CLAIM(lg_file_store_open(path, offset, bytes, readonly, true, &store) == 0);
		CLAIM(write(ends[1], "x", 1) == 1);
		for (;;)
			pause();
	}
	CLAIM(read(ends[0], &byte, 1) == 1);
	close(ends[0]);
	close(ends[1]);
	return child;
}

static void end(pid_t child)
{
	CLAIM(kill(child, SIGKILL) == 0);
	process_wait(child);
}

static void exclude(void)
{
	pid_t child = hold(RANGE, RANGE, false);

	CLAIM(try_to_open(0, 0, false) == -EBUSY);
	CLAIM(strstr(lg_error(), "another process") != NULL);
	CLAIM(try_to_open(0, 0, true) == -EBUSY);
	CLAIM(try_to_open(2 * RANGE - PAGE_BYTES, PAGE_BYTES, false) == -EBUSY);
	CLAIM(try_to_open(0, RANGE, false) == 0);
	CLAIM(try_to_open(2 * RANGE, RANGE, false) == 0);
	end(child);
	CLAIM(try_to_open(0, 0, false) == 0);
	child = hold(0, RANGE, true);
	CLAIM(try_to_open(0, RANGE, true) == 0);
	CLAIM(try_to_open(0, RANGE, false) == -EBUSY);
	end(child);
	CLAIM(try_to_open(0, RANGE, false) == 0);
}

static void write_own(unsigned number)
{
	struct lg_store *store = NULL;
	uint64_t *memory = pages_new(PAGES);

	alarm((unsigned)clock_hang_seconds());
	CLAIM(lg_file_store_open(path, (uint64_t)number * RANGE, RANGE, false, true, &store) == 0);
	for (unsigned i = 0; i < PAGES; i++)
		pages_fill(memory + i * PAGE_WORDS, number * PAGES + i, 1);
	CLAIM(pages_write(store, memory, 0, PAGES) == 0);
	CLAIM(store->calls->flush(store) == 0);
	store->calls->close(store);
	_exit(EXIT_SUCCESS);
}

static void extend_together(void)
{
	uint64_t *memory = pages_new(CHILDREN * PAGES);
	struct lg_store *store = NULL;
	pid_t children[CHILDREN];
	struct stat status;

	unlink(path);
	for (unsigned i = 0; i < CHILDREN; i++) {
		children[i] = process_fork();
		if (children[i] == 0)
			write_own(i * 5 % CHILDREN);
	}
	for (unsigned i = 0; i < CHILDREN; i++)
		CLAIM(process_wait(children[i]) == 0);
	CLAIM(stat(path, &status) == 0);
	CLAIM(status.st_size == CHILDREN * RANGE);
	CLAIM(lg_file_store_open(path, 0, 0, true, false, &store) == 0);
	CLAIM(pages_read(store, memory, 0, CHILDREN * PAGES) == 0);
	for (unsigned i = 0; i < CHILDREN * PAGES; i++)
		CLAIM(pages_hold(memory + i * PAGE_WORDS, i, 1));
	store->calls->close(store);
	munmap(memory, CHILDREN * RANGE);
}

int main(void)
{
	char directory[] = "/var/tmp/lgalloc-test.XXXXXX";
	int fd;

	CLAIM(mkdtemp(directory) != NULL);
	CLAIM(chdir(directory) == 0);
	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	CLAIM(fd >= 0);
	CLAIM(ftruncate(fd, 4 * RANGE) == 0);
	close(fd);
	exclude();
	for (unsigned round = 0; round < ROUNDS; round++)
		extend_together();
	CLAIM(unlink(path) == 0);
	CLAIM(chdir("/") == 0);
	CLAIM(rmdir(directory) == 0);
	return EXIT_SUCCESS;
}
