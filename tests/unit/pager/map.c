/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Maps: what they are made of, and where they end. */
#include "pager/map.h"
#include "pager/budget.h"
#include "pager/pager.h"
#include "store/file.h"
#include "unit/pager/sigbus.h"
#include "unit/unit.h"

#include "stress/shelf.h"

#include <fcntl.h>
#include <lgalloc/pager.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

static lg_pager *pager;
static char path[] = "lgalloc-map-test.XXXXXX";

static int start(void **state)
{
	int fd;

	(void)state;
	strcpy(path + sizeof(path) - 7, "XXXXXX");
	fd = mkstemp(path);
	if (fd < 0)
		return -1;
	close(fd);
	unlink(path);
	pager = lg_pager_new("memory:2M,page:16K,faults:inline");
	return pager != NULL ? 0 : -1;
}

static int end(void **state)
{
	(void)state;
	unlink(path);
	return lg_pager_free(pager);
}

static off_t file_bytes(void)
{
	struct stat status;

	assert_int_equal(stat(path, &status), 0);
	return status.st_size;
}

static void write_file(const void *bytes, size_t length, off_t offset)
{
	int fd = open(path, O_RDWR | O_CREAT, 0600);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, length, offset), (ssize_t)length);
	close(fd);
}

static void assert_file(const void *bytes, size_t length, off_t offset)
{
	char *is = malloc(length);
	int fd = open(path, O_RDONLY);

	assert_true(fd >= 0);
	assert_non_null(is);
	assert_int_equal(pread(fd, is, length, offset), (ssize_t)length);
	assert_memory_equal(is, bytes, length);
	close(fd);
	free(is);
}

static void map_is_refused_in_words(void **state)
{
	struct shelf shelf;

	(void)state;
	assert_null(lg_map_memory(pager, 0, NULL));
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(lg_error(), "0 bytes"));
	assert_null(lg_map_memory(pager, MIB, "page:12K"));
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(lg_error(), "page"));
	assert_null(lg_map_memory(pager, MIB, "policy:nosuch"));
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(lg_error(), "nosuch"));
	assert_null(lg_map_memory(pager, MIB, "page:1M")); /* two of them are the whole budget */
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(lg_error(), "budget"));
	assert_null(lg_map_file(pager, "/nosuch/file", MIB, NULL));
	assert_int_equal(errno, ENOENT);
	assert_null(lg_map_file(pager, path, MIB, "create:off"));
	assert_int_equal(errno, ENOENT);
	assert_null(lg_map_file(pager, path, MIB, "offset:100"));
	assert_int_equal(errno, EINVAL);
	assert_null(lg_map_file(pager, path, MIB, "policy:nosuch"));
	assert_null(lg_map_file(pager, path, MIB, "page:1M"));
	assert_int_equal(errno, EINVAL);
	assert_int_equal(access(path, F_OK), -1); /* none was made */
	assert_null(lg_map_file(pager, path, 0, NULL));
	assert_non_null(strstr(lg_error(), "0 bytes"));
	shelf_make(&shelf, 100);
	assert_null(lg_map_store(pager, NULL, NULL, 100, NULL));
	assert_int_equal(errno, EINVAL);
	assert_null(lg_map_store(pager, &shelf_ops, &shelf, 100, "policy:nosuch"));
	assert_int_equal(atomic_load(&shelf.closes), 1); /* or was not made after all */
	assert_null(lg_map_store(pager, &shelf_ops, &shelf, 0, NULL));
	assert_int_equal(atomic_load(&shelf.closes), 2);
	assert_null(lg_map_store(pager, &shelf_ops, &shelf, 100, "page:5"));
	assert_int_equal(atomic_load(&shelf.closes), 3);
	assert_int_equal(lg_pager_stats_read(pager, NULL), -EINVAL);
	shelf_end(&shelf);
}

static void every_size_is_exact(void **state)
{
	static const size_t sizes[] = {
		1, 4095, 4096, 4097, 16383, 16384, 16385, 50000, 3 * MIB + 1
	};

	(void)state;
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		lg_map *map = lg_map_file(pager, path, sizes[i], NULL);
		char *data;

		assert_non_null(map);
		data = lg_map_data(map);
		assert_int_equal(lg_map_size(map), sizes[i]);
		assert_int_equal((uintptr_t)data % (2 * MIB), 0);
		assert_int_equal(file_bytes(), sizes[i]);
		memset(data, 'a' + (int)i, sizes[i]);
		assert_int_equal(lg_map_close(map), 0);
		assert_int_equal(
			file_bytes(),
			sizes[i]); /* the last page is written, but not what is behind it */
		char *bytes = malloc(sizes[i]);
		assert_non_null(bytes);
		memset(bytes, 'a' + (int)i, sizes[i]);
		assert_file(bytes, sizes[i], 0);
		free(bytes);
		assert_int_equal(unlink(path), 0);
	}
}

static void behind_the_end_of_the_last_page_are_zeros_that_are_written_nowhere(void **state)
{
	lg_map *map;
	char *data;

	(void)state;
	write_file("0123456789", 10, 0);
	map = lg_map_file(pager, path, 5, NULL); /* a part: what follows in the file is not of it */
	assert_non_null(map);
	data = lg_map_data(map);
	assert_memory_equal(data, "01234", 5);
	for (size_t i = 5; i < 16384; i++)
		assert_int_equal(data[i], 0);
	memset(data, 'x', 16384);
	assert_int_equal(lg_map_close(map), 0);
	assert_file("xxxxx56789", 10, 0);
	assert_int_equal(file_bytes(), 10);
}

static void offset_begins_inside_the_file(void **state)
{
	static char before[3 * 4096];
	lg_map *map;
	char *data;

	(void)state;
	memset(before, 'b', sizeof(before));
	write_file(before, sizeof(before), 0);
	write_file("behind", 6, 3 * 4096 + 20000);
	map = lg_map_file(pager, path, 20000, "offset:12K");
	assert_non_null(map);
	data = lg_map_data(map);
	assert_int_equal(data[0], 0);
	memset(data, 'm', 20000);
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	assert_file(before, sizeof(before), 0);
	assert_file("mmbehind", 8, 3 * 4096 + 20000 - 2);
	assert_int_equal(lg_map_close(map), 0);
	map = lg_map_file(pager, path, 0, "offset:12K,readonly:on"); /* to the file's end */
	assert_non_null(map);
	assert_int_equal(lg_map_size(map), 20006);
	assert_int_equal(lg_map_close(map), 0);
}

static void new_file_is_there_after_close_and_after_sync(void **state)
{
	lg_map *map = lg_map_file(pager, path, MIB, NULL);
	char *data, zero[100] = { 0 };

	(void)state;
	assert_non_null(map);
	data = lg_map_data(map);
	assert_memory_equal(data, zero, 100);
	memcpy(data + 500000, "synced", 7);
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	assert_file("synced", 7, 500000);
	memcpy(data + 600000, "closed", 7);
	memset(data + 500000, 0, 7); /* zeros over what the file has are written as well */
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0);
	assert_int_equal(lg_map_close(map), 0);
	assert_file("closed", 7, 600000);
	assert_file(zero, 7, 500000);
}

static void second_writer_of_a_file_is_refused(void **state)
{
	lg_map *map = lg_map_file(pager, path, MIB, NULL), *other;

	(void)state;
	assert_non_null(map);
	assert_null(lg_map_file(pager, path, MIB, NULL));
	assert_int_equal(errno, EBUSY);
	assert_null(lg_map_file(pager, path, MIB, "readonly:on"));
	assert_int_equal(errno, EBUSY);
	other = lg_map_file(pager, path, MIB, "offset:1M"); /* another part is another's */
	assert_non_null(other);
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(lg_map_close(other), 0);
	map = lg_map_file(pager, path, MIB, "readonly:on");
	other = lg_map_file(pager, path, MIB, "readonly:on");
	assert_non_null(map);
	assert_non_null(other);
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(lg_map_close(other), 0);
}

static void readonly_map_is_read_and_nothing_else(void **state)
{
	lg_map *map;
	char *data;

	(void)state;
	write_file("contents", 8, 0);
	map = lg_map_file(pager, path, 0, "readonly:on");
	assert_non_null(map);
	data = lg_map_data(map);
	assert_memory_equal(data, "contents", 8);
	assert_int_equal(lg_map_write(map, "x", 1, 0), -EROFS);
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	assert_int_equal(lg_map_pin(map, 0, 0), 0);
	assert_memory_equal(data, "contents", 8);
	assert_int_equal(lg_map_unpin(map, 0, 0), 0);
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0);
	assert_memory_equal(data, "contents", 8);
	assert_int_equal(lg_map_close(map), 0);
	assert_file("contents", 8, 0);
}

static volatile sig_atomic_t segv;
static sigjmp_buf back;

static void on_segv(int number)
{
	segv = number;
	siglongjmp(back, 1);
}

static void writing_to_a_readonly_map_is_sigsegv(void **state)
{
	struct sigaction action = { .sa_handler = on_segv }, before;
	struct shelf shelf;
	lg_map *map;
	char *data;

	(void)state;
	shelf_make(&shelf, 100000);
	map = lg_map_store(pager, &shelf_ops, &shelf, 100000, "readonly:on,page:4K");
	assert_non_null(map);
	data = lg_map_data(map);
	assert_int_equal(sigaction(SIGSEGV, &action, &before), 0);
	for (size_t i = 0; i < 2; i++) { /* absent, and present */
		segv = 0;
		if (sigsetjmp(back, 1) == 0)
			((volatile char *)data)[0] = 1;
		assert_int_equal(segv, SIGSEGV);
		assert_int_equal(data[0], shelf_byte(0));
	}
	assert_int_equal(sigaction(SIGSEGV, &before, NULL), 0);
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(atomic_load(&shelf.writes), 0);
	assert_int_equal(atomic_load(&shelf.closes), 1);
	shelf_end(&shelf);
}

static void ranges_outside_are_refused_and_empty_ones_go_to_the_end(void **state)
{
	lg_map *map = lg_map_memory(pager, 100000, NULL);
	char byte = 0;

	(void)state;
	assert_non_null(map);
	assert_int_equal(lg_map_sync(map, 100001, 0), -EINVAL);
	assert_int_equal(lg_map_sync(map, 0, 100001), -EINVAL);
	assert_int_equal(lg_map_sync(map, SIZE_MAX, 2), -EINVAL);
	assert_int_equal(lg_map_sync(map, 1, SIZE_MAX), -EINVAL);
	assert_non_null(strstr(lg_error(), "100000"));
	assert_int_equal(lg_map_advise(map, 100001, 1, LG_COLD), -EINVAL);
	assert_int_equal(lg_map_populate(map, 99999, 2), -EINVAL);
	assert_int_equal(lg_map_pin(map, 0, 100001), -EINVAL);
	assert_int_equal(lg_map_unpin(map, 0, 100001), -EINVAL);
	assert_int_equal(lg_map_sync(map, 99999, 1), 0);
	assert_int_equal(lg_map_sync(map, 100000, 0), 0);
	assert_int_equal(lg_map_read(map, &byte, 1, 100000), 0);
	assert_int_equal(lg_map_read(map, &byte, 1, SIZE_MAX), 0);
	assert_int_equal(lg_map_write(map, &byte, 1, 100000), -EINVAL);
	assert_non_null(strstr(lg_error(), "1 bytes at 100000"));
	assert_int_equal(lg_map_write(map, &byte, 1, SIZE_MAX), -EINVAL);
	assert_int_equal(lg_map_write(map, &byte, 0, 100000), 0);
	assert_int_equal(lg_map_write(map, &byte, 0, SIZE_MAX), 0);
	assert_int_equal(lg_map_write(map, "ab", 2, 99999), 1);
	assert_int_equal(lg_map_error(map, (char *)lg_map_data(map) - 1), -EINVAL);
	assert_int_equal(lg_map_error(map, lg_map_data(map)), 0);
	assert_int_equal(lg_map_advise(map, 0, 0, (enum lg_advice)77), -EINVAL);
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(lg_map_close(NULL), 0);
}

static void assert_no_map(ssize_t answer)
{
	assert_int_equal(answer, -EINVAL);
	assert_string_equal(lg_error(), "the map is NULL, as where making one failed");
	assert_null(lg_map_memory(pager, 0, NULL)); /* other words */
}

/* What a program gets that did not look whether its map was made. */
static void map_that_is_null_is_an_answer_of_every_call(void **state)
{
	char byte = 1;

	(void)state;
	assert_null(lg_map_data(NULL));
	assert_int_equal(lg_map_size(NULL), 0);
	assert_int_equal(lg_map_changes(NULL), 0);
	assert_no_map(lg_map_sync(NULL, 0, 0));
	assert_no_map(lg_map_advise(NULL, 0, 0, LG_COLD));
	assert_no_map(lg_map_populate(NULL, 0, 0));
	assert_no_map(lg_map_pin(NULL, 0, 0));
	assert_no_map(lg_map_unpin(NULL, 0, 0));
	assert_no_map(lg_map_read(NULL, &byte, 1, 0));
	assert_no_map(lg_map_write(NULL, &byte, 1, 0));
	assert_no_map(lg_map_retry(NULL));
	assert_int_equal(lg_map_error(NULL, &byte), -EINVAL);
	assert_non_null(
		strstr(lg_error(), "0 bytes")); /* without words: it may be a handler of signals */
	assert_int_equal(lg_map_close(NULL), 0);
}

static void buffer_that_is_null_is_refused_unless_it_is_empty(void **state)
{
	lg_map *map = lg_map_memory(pager, MIB, NULL);

	(void)state;
	assert_non_null(map);
	assert_int_equal(lg_map_read(map, NULL, 1, 0), -EINVAL);
	assert_string_equal(lg_error(), "the buffer for 1 bytes is NULL");
	assert_int_equal(lg_map_write(map, NULL, 1, 0), -EINVAL);
	assert_int_equal(lg_map_write(map, NULL, 1, MIB), -EINVAL);
	assert_int_equal(lg_map_read(map, NULL, 0, 0), 0);
	assert_int_equal(lg_map_write(map, NULL, 0, 0), 0);
	assert_int_equal(lg_map_close(map), 0);
}

/* Or faults of other maps would give up early. The close has nothing to say: what a spill has is nobody's after it. */
static void failure_of_a_map_ends_with_it(void **state)
{
	lg_map *map = lg_map_memory(pager, MIB, NULL);
	struct rlimit before, none;

	(void)state;
	assert_non_null(map);
	memset(lg_map_data(map), 'x', MIB);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	none = before;
	none.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
	int cold = lg_map_advise(map, 0, 0, LG_COLD);
	int failure = lg_budget_failure(pager);
	int closed = lg_map_close(map);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0); /* before words come to a file */
	assert_int_equal(cold, -EFBIG);
	assert_int_equal(failure, -EFBIG);
	assert_int_equal(closed, 0);
	assert_int_equal(lg_budget_failure(pager), 0);
}

static atomic_bool flushing, held;

static int flush_when_let_go(struct lg_store *store)
{
	const struct timespec time = { 0, 200000 };

	(void)store;
	atomic_store(&flushing, true);
	while (atomic_load(&held))
		clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
	return 0;
}

static void *close_map(void *map)
{
	return (void *)(intptr_t)lg_map_close(map);
}

static bool file_is_open(void)
{
	struct stat status, other;
	bool open = false;

	if (stat(path, &status) != 0)
		return true;
	for (int fd = 3; fd < 70000; fd++)
		open = open || (fstat(fd, &other) == 0 && other.st_ino == status.st_ino &&
				other.st_dev == status.st_dev);
	return open;
}

/* The kernel takes a hint where nothing is. */
static bool is_kept(void *at)
{
	void *got = mmap(at, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return got != MAP_FAILED && got != at;
}

static bool file_can_be_mapped(void)
{
	lg_pager *own = lg_pager_new("memory:2M,page:16K,faults:inline");
	lg_map *map = lg_map_file(own, path, 0, NULL);

	if (map == NULL)
		fprintf(stderr, "a child: %s\n", lg_error());
	return map != NULL && lg_map_close(map) == 0 && lg_pager_free(own) == 0;
}

/* It has this much time, and tries to map the file when there is a byte to read. */
static pid_t fork_child(int ends[2], void *parents)
{
	enum { HANG_SECONDS = 60 };
	char byte;

	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		alarm(HANG_SECONDS);
		if (parents != NULL && file_is_open())
			_exit(2);
		if (parents != NULL && !is_kept(parents))
			_exit(3);
		if (read(ends[0], &byte, 1) != 1)
			_exit(4);
		_exit(file_can_be_mapped() ? 0 : 5);
	}
	return child;
}

static void assert_child_maps_the_file(pid_t child, const int ends[2])
{
	int status;

	assert_int_equal(write(ends[1], "x", 1), 1);
	assert_true(waitpid(child, &status, 0) == child);
	assert_int_equal(status, 0);
	close(ends[0]);
	close(ends[1]);
}

/* What another thread closes at the moment of a fork is not the child's, like all other maps. */
static void child_has_nothing_of_a_map_that_is_being_closed(void **state)
{
	lg_map *map = lg_map_file(pager, path, MIB, NULL);
	pthread_t thread;
	int ends[2];
	void *closed;

	(void)state;
	assert_non_null(map);
	memset(lg_map_data(map), 'x', MIB);
	void *data = lg_map_data(map);
	struct lg_store_calls calls = *map->store->calls;
	calls.flush = flush_when_let_go;
	map->store->calls = &calls;
	atomic_store(&flushing, false);
	atomic_store(&held, true);
	assert_int_equal(pthread_create(&thread, NULL, close_map, map), 0);
	while (!atomic_load(&flushing))
		sched_yield();
	pid_t child = fork_child(ends, data);
	atomic_store(&held, false);
	assert_int_equal(pthread_join(thread, &closed), 0);
	assert_null(closed);
	assert_child_maps_the_file(child, ends);
}

/* Nor is a file that is open for a map that is not made yet in use there. */
static void child_may_map_a_file_that_was_being_mapped(void **state)
{
	struct lg_store *store;
	int ends[2];

	(void)state;
	assert_int_equal(lg_file_store_open(path, 0, MIB, false, true, &store), 0);
	pid_t child = fork_child(ends, NULL);
	store->calls->close(store);
	assert_child_maps_the_file(child, ends);
}

/* A place of the table is free again: 4096 at a time, any number one after the other. */
static void maps_may_come_and_go_for_ever(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 5000; i++) {
		lg_map *map = lg_map_memory(pager, 4096, "reserve:lazy,page:4K");

		if (map == NULL)
			fprintf(stderr, "map %u: %s\n", i, lg_error());
		assert_non_null(map);
		*(char *)lg_map_data(map) = 1;
		assert_int_equal(lg_map_close(map), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
		TEST(map_is_refused_in_words),
		TEST(every_size_is_exact),
		TEST(behind_the_end_of_the_last_page_are_zeros_that_are_written_nowhere),
		TEST(offset_begins_inside_the_file),
		TEST(new_file_is_there_after_close_and_after_sync),
		TEST(second_writer_of_a_file_is_refused),
		TEST(readonly_map_is_read_and_nothing_else),
		TEST(writing_to_a_readonly_map_is_sigsegv),
		TEST(ranges_outside_are_refused_and_empty_ones_go_to_the_end),
		TEST(map_that_is_null_is_an_answer_of_every_call),
		TEST(buffer_that_is_null_is_refused_unless_it_is_empty),
		TEST(failure_of_a_map_ends_with_it),
		TEST(child_has_nothing_of_a_map_that_is_being_closed),
		TEST(child_may_map_a_file_that_was_being_mapped),
		TEST(maps_may_come_and_go_for_ever),
	};

	return UNIT_RUN(tests);
}
