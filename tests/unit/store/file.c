/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "store/file.h"
#include "store/range.h"

#include "unit/store/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <lgalloc/lgalloc.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROOM = 64 * BLOCK };

static const char name[] = "unit.store.file";
static char *memory;
static struct lg_store *store, *second;

static int begin(void **state)
{
	(void)state;
	unlink(name);
	memory = bytes_new(ROOM);
	store = second = NULL;
	return 0;
}

static int end(void **state)
{
	(void)state;
	if (store != NULL)
		store->calls->close(store);
	if (second != NULL)
		second->calls->close(second);
	munmap(memory, ROOM);
	unlink(name);
	return 0;
}

static void close_store(struct lg_store **one)
{
	(*one)->calls->close(*one);
	*one = NULL;
}

static int open_store(uint64_t offset, uint64_t bytes, struct lg_store **one)
{
	return lg_file_store_open(name, offset, bytes, false, true, one);
}

static int open_readonly(uint64_t offset, uint64_t bytes, struct lg_store **one)
{
	return lg_file_store_open(name, offset, bytes, true, true, one);
}

static void make(size_t length, unsigned seed)
{
	int fd = open(name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	bytes_fill(memory, length, 0, seed);
	assert_int_equal(write(fd, memory, length), length);
	close(fd); /* not synced: it is in the page cache */
}

static size_t file_length(void)
{
	struct stat status;

	assert_int_equal(stat(name, &status), 0);
	return (size_t)status.st_size;
}

static void read_file(size_t offset, size_t length)
{
	int fd = open(name, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	memset(memory, 0x11, ROOM);
	assert_int_equal(pread(fd, memory, length, (off_t)offset), length);
	close(fd);
}

static void new_file_is_exactly_as_long_as_asked(void **state)
{
	static const size_t lengths[] = { 1, 4095, 4096, 4097, 50001 };

	(void)state;
	for (unsigned i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
		size_t length = lengths[i], rounded = (length + BLOCK - 1) / BLOCK * BLOCK;

		unlink(name);
		assert_int_equal(open_store(0, length, &store), 0);
		assert_true(store->bytes == length);
		assert_true(store->begins_zero);
		assert_false(store->readonly);
		assert_true(store->signal_safe);
		assert_int_equal(file_length(), length);
		assert_int_equal(bytes_read(store, memory, rounded, 0), 0);
		bytes_claim_zero(memory, rounded);
		bytes_fill(memory, rounded, 0, i);
		assert_int_equal(bytes_write(store, memory, rounded, 0), 0);
		assert_int_equal(store->calls->flush(store), 0);
		assert_int_equal(file_length(), length);
		assert_int_equal(bytes_read(store, memory, rounded, 0), 0);
		bytes_claim(memory, length, 0, i);
		bytes_claim_zero(memory + length, rounded - length);
		close_store(&store);
		assert_int_equal(file_length(), length);
		read_file(0, length);
		bytes_claim(memory, length, 0, i);
		assert_int_equal(open_store(0, 0, &store), 0);
		assert_true(store->bytes == length);
		assert_false(store->begins_zero);
		assert_int_equal(bytes_read(store, memory, rounded, 0), 0);
		bytes_claim(memory, length, 0, i);
		close_store(&store);
	}
}

static void bytes_outside_are_neither_read_nor_written(void **state)
{
	(void)state;
	make(20 * BLOCK + 100, 1);
	assert_int_equal(open_store(4 * BLOCK, 5 * BLOCK + 10, &store), 0);
	assert_int_equal(bytes_read(store, memory, 8 * BLOCK, 0), 0);
	bytes_claim(memory, 5 * BLOCK + 10, 4 * BLOCK, 1);
	bytes_claim_zero(memory + 5 * BLOCK + 10, 3 * BLOCK - 10);
	bytes_fill(memory, 8 * BLOCK, 4 * BLOCK, 2);
	assert_int_equal(bytes_write(store, memory, 8 * BLOCK, 0), 0);
	assert_int_equal(store->calls->discard(store, 0, 5 * BLOCK), 0);
	assert_int_equal(store->calls->flush(store), 0);
	assert_int_equal(file_length(), 20 * BLOCK + 100);
	read_file(0, 20 * BLOCK + 100);
	bytes_claim(memory, 4 * BLOCK, 0, 1);
	bytes_claim(memory + 4 * BLOCK, 5 * BLOCK + 10, 4 * BLOCK, 2);
	bytes_claim(memory + 9 * BLOCK + 10, 11 * BLOCK + 90, 9 * BLOCK + 10, 1);
}

static void shorter_file_is_extended_to_the_byte(void **state)
{
	(void)state;
	make(BLOCK + 7, 3);
	assert_int_equal(open_store(0, 6 * BLOCK + 9, &store), 0);
	assert_false(store->begins_zero);
	assert_int_equal(file_length(), 6 * BLOCK + 9);
	assert_int_equal(bytes_read(store, memory, 7 * BLOCK, 0), 0);
	bytes_claim(memory, BLOCK + 7, 0, 3);
	bytes_claim_zero(memory + BLOCK + 7, 6 * BLOCK - 7);
	close_store(&store);
	/* Behind the end: what lies between is a hole. */
	assert_int_equal(open_store(20 * BLOCK, 100, &store), 0);
	assert_true(store->begins_zero);
	assert_int_equal(file_length(), 20 * BLOCK + 100);
	close_store(&store);
	/* A longer file stays as long. */
	assert_int_equal(open_store(0, 10, &store), 0);
	assert_int_equal(file_length(), 20 * BLOCK + 100);
}

/* By another program. Zeros would be taken for what it has. */
static void file_that_was_made_shorter_has_no_data_there(void **state)
{
	(void)state;
	make(6 * BLOCK + 9, 3);
	assert_int_equal(open_store(0, 0, &store), 0);
	assert_int_equal(truncate(name, 2 * BLOCK + 5), 0);
	assert_int_equal(bytes_read(store, memory, BLOCK, 4 * BLOCK), -ENODATA);
	assert_int_equal(bytes_read(store, memory, 2 * BLOCK, BLOCK), -ENODATA);
	assert_int_equal(bytes_read(store, memory, 100, 6 * BLOCK), -ENODATA);
	assert_int_equal(bytes_read(store, memory, BLOCK, BLOCK), 0);
	bytes_claim(memory, BLOCK, BLOCK, 3);
}

static void odd_end_and_blocks_are_coherent_with_other_programs(void **state)
{
	size_t length = 3 * BLOCK + 1000;

	(void)state;
	make(length, 4);
	assert_int_equal(open_store(0, 0, &store), 0);
	for (unsigned seed = 5; seed < 10; seed++) {
		int fd = open(name, O_RDWR | O_CLOEXEC);

		bytes_fill(memory, length, 0, seed);
		assert_int_equal(pwrite(fd, memory, length, 0), length);
		assert_int_equal(bytes_read(store, memory, 4 * BLOCK, 0), 0);
		bytes_claim(memory, length, 0, seed);
		bytes_fill(memory, 4 * BLOCK, 0, seed + 50);
		assert_int_equal(bytes_write(store, memory, 4 * BLOCK, 0), 0);
		close(fd);
		read_file(0, length);
		bytes_claim(memory, length, 0, seed + 50);
	}
}

static void one_writer_or_many_readers(void **state)
{
	(void)state;
	make(16 * BLOCK, 1);
	assert_int_equal(open_store(4 * BLOCK, 4 * BLOCK, &store), 0);
	assert_int_equal(open_store(0, 0, &second), -EBUSY);
	assert_non_null(strstr(lg_error(), name));
	assert_int_equal(open_store(7 * BLOCK, BLOCK, &second), -EBUSY);
	assert_int_equal(open_readonly(0, 5 * BLOCK, &second), -EBUSY);
	assert_null(second);
	assert_int_equal(open_store(8 * BLOCK, 0, &second), 0);
	close_store(&second);
	assert_int_equal(open_readonly(0, 4 * BLOCK, &second), 0);
	close_store(&second);
	close_store(&store);
	assert_int_equal(open_readonly(0, 0, &store), 0);
	assert_int_equal(open_readonly(0, 0, &second), 0);
	assert_int_equal(bytes_read(second, memory, 16 * BLOCK, 0), 0);
	bytes_claim(memory, 16 * BLOCK, 0, 1);
	close_store(&second);
	assert_int_equal(open_store(0, 0, &second), -EBUSY);
	close_store(&store);
	assert_int_equal(open_store(0, 0, &second), 0);
}

/* Another name of the same file is the same file. */
static void links_are_seen_through(void **state)
{
	static const char other[] = "unit.store.file.link";

	(void)state;
	make(BLOCK, 1);
	unlink(other);
	assert_int_equal(link(name, other), 0);
	assert_int_equal(open_store(0, 0, &store), 0);
	int error = lg_file_store_open(other, 0, 0, false, true, &second);
	unlink(other);
	assert_int_equal(error, -EBUSY);
	close_store(&store);
	/* A link that leads nowhere makes what it names. */
	unlink(name);
	assert_int_equal(symlink(name, other), 0);
	error = lg_file_store_open(other, 0, BLOCK, false, true, &store);
	unlink(other);
	assert_int_equal(error, 0);
	assert_int_equal(file_length(), BLOCK);
}

static void readonly_store_writes_and_makes_nothing(void **state)
{
	(void)state;
	assert_int_equal(open_readonly(0, BLOCK, &store), -ENOENT);
	assert_true(access(name, F_OK) != 0);
	make(2 * BLOCK, 6);
	assert_int_equal(open_readonly(0, 3 * BLOCK, &store), -EINVAL);
	assert_non_null(strstr(lg_error(), "read only"));
	assert_int_equal(chmod(name, 0400), 0);
	assert_int_equal(open_readonly(0, 0, &store), 0);
	assert_true(store->readonly);
	assert_int_equal(bytes_read(store, memory, 2 * BLOCK, 0), 0);
	bytes_claim(memory, 2 * BLOCK, 0, 6);
	assert_int_equal(bytes_write(store, memory, BLOCK, 0), -EROFS);
	assert_int_equal(store->calls->flush(store), 0);
	assert_int_equal(store->calls->discard(store, 0, BLOCK), 0);
	assert_int_equal(file_length(), 2 * BLOCK);
}

static void claim_refused(const char *path, uint64_t offset, uint64_t bytes, bool create, int error)
{
	assert_int_equal(lg_file_store_open(path, offset, bytes, false, create, &store), -error);
	assert_null(store);
	assert_true(lg_error()[0] != '\0');
	assert_null(strchr(lg_error(), '\n'));
}

static void what_cannot_be_opened_is_said_in_words(void **state)
{
	char longest[5000];

	(void)state;
	claim_refused(name, 0, BLOCK, false, ENOENT);
	assert_non_null(strstr(lg_error(), name));
	assert_non_null(strstr(lg_error(), "there is none"));
	claim_refused(name, 0, 0, true, ENOENT); /* as long as it is: it is not */
	claim_refused("no/such/place/file", 0, BLOCK, true, ENOENT);
	assert_non_null(strstr(lg_error(), "no such directory"));
	claim_refused(".", 0, BLOCK, true, EISDIR);
	claim_refused("/proc/self/status/file", 0, BLOCK, true, ENOTDIR);
	claim_refused("/dev/null", 0, BLOCK, true, EINVAL);
	claim_refused(NULL, 0, BLOCK, true, EINVAL);
	claim_refused("", 0, BLOCK, true, EINVAL);
	claim_refused(name, 1, BLOCK, true, EINVAL);
	claim_refused(name, 0, UINT64_MAX, true, EFBIG);
	claim_refused(name, INT64_MAX - 4095, BLOCK, true, EFBIG);
	memset(longest, 'f', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	claim_refused(longest, 0, BLOCK, true, ENAMETOOLONG);
	longest[300] = '\0';
	claim_refused(longest, 0, BLOCK, true, ENAMETOOLONG);
	assert_int_equal(mkfifo(name, 0600), 0);
	claim_refused(name, 0, BLOCK, true, EINVAL); /* and does not wait for its other end */
	unlink(name);
	make(1, 1);
	claim_refused(name, BLOCK, 0, true, EINVAL);
	assert_int_equal(truncate(name, 0), 0);
	claim_refused(name, 0, 0, true, EINVAL);
	assert_non_null(strstr(lg_error(), "no bytes"));
	assert_int_equal(file_length(), 0);
}

static void file_size_limit_is_an_answer_and_no_signal(void **state)
{
	struct rlimit before, limit;

	(void)state;
	assert_int_equal(open_store(0, 8 * BLOCK, &store), 0);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = 4 * BLOCK;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	int extended = open_store(8 * BLOCK, BLOCK, &second);
	int written = bytes_write(store, memory, BLOCK, 5 * BLOCK);
	int within = bytes_write(store, memory, BLOCK, 3 * BLOCK);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(extended, -EFBIG);
	assert_int_equal(written, -EFBIG);
	assert_int_equal(within, 0);
	assert_int_equal(file_length(), 8 * BLOCK);
	assert_int_equal(open_store(8 * BLOCK, BLOCK, &second), 0); /* nothing stayed locked */
}

/* ftruncate says there that all is well. */
static void file_that_keeps_its_length_is_refused(void **state)
{
	static const char memory_of_this[] = "/proc/self/mem";

	(void)state;
	assert_int_equal(lg_file_store_open(memory_of_this, 0, BLOCK, false, false, &store),
			 -EINVAL);
	assert_non_null(strstr(lg_error(), memory_of_this));
	assert_non_null(strstr(lg_error(), "cannot be made 4096 bytes long: it keeps its 0"));
}

static void claim_read_only(int fd, int error)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	assert_int_equal(lg_file_store_open(path, 0, 0, false, false, &store), -error);
	assert_non_null(strstr(lg_error(), path));
	assert_int_equal(lg_file_store_open(path, 0, 0, true, false, &store), 0);
	assert_int_equal(bytes_read(store, memory, BLOCK, 0), 0);
	bytes_claim_zero(memory, BLOCK);
	close_store(&store);
}

/* It opens for writing all the same. */
static void sealed_file_is_refused_for_writing(void **state)
{
	static const int seals[] = { F_SEAL_WRITE, F_SEAL_FUTURE_WRITE };

	(void)state;
	for (unsigned i = 0; i < sizeof(seals) / sizeof(seals[0]); i++) {
		int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

		if (fd < 0)
			skip();
		assert_int_equal(ftruncate(fd, 4 * BLOCK), 0);
		if (fcntl(fd, F_ADD_SEALS, seals[i]) == 0) /* Linux 5.1 has the second */
			claim_read_only(fd, EPERM);
		close(fd);
	}
}

/* It can be mapped by others, and write(2) to it is EINVAL. */
static void file_of_huge_pages_is_refused_for_writing(void **state)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_HUGETLB);
	void *probe = mmap(NULL, 2 << 20, PROT_NONE, MAP_SHARED | MAP_NORESERVE, fd, 0);

	(void)state;
	if (probe == MAP_FAILED || ftruncate(fd, 2 << 20) != 0)
		skip(); /* nor has qemu-user addresses for it */
	munmap(probe, 2 << 20);
	claim_read_only(fd, EOPNOTSUPP);
	close(fd);
}

/* The locks end with the open file, which the child has too. */
static void closing_unlocks_though_a_child_lives(void **state)
{
	int ends[2], status;
	char byte;

	(void)state;
	make(BLOCK, 1);
	assert_int_equal(open_store(0, 0, &store), 0);
	assert_int_equal(pipe(ends), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		close(ends[1]);
		_exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
	}
	close(ends[0]);
	close_store(&store);
	assert_int_equal(open_store(0, 0, &store), 0);
	close(ends[1]);
	assert_true(waitpid(child, &status, 0) == child);
	assert_int_equal(status, 0);
}

static void child_that_forgets_takes_nothing_from_the_parent(void **state)
{
	int status;

	(void)state;
	make(BLOCK, 1);
	assert_int_equal(open_store(0, 0, &store), 0);
	pid_t child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		store->calls->forget(store);
		lg_range_forget();
		_exit(lg_file_store_open(name, 0, 0, false, true, &second) == -EBUSY ? 0 : 1);
	}
	assert_true(waitpid(child, &status, 0) == child);
	assert_int_equal(status, 0);
	assert_int_equal(open_store(0, 0, &second), -EBUSY);
	assert_int_equal(bytes_write(store, memory, BLOCK, 0), 0);
	assert_int_equal(store->calls->flush(store), 0);
}

/* As a program does that closes what it does not know. */
static void close_all_of(const char *path)
{
	struct stat status, other;

	assert_int_equal(stat(path, &status), 0);
	for (int fd = 3; fd < 70000; fd++)
		if (fstat(fd, &other) == 0 && other.st_ino == status.st_ino &&
		    other.st_dev == status.st_dev)
			close(fd);
}

static void failed_flush_stays_failed(void **state)
{
	(void)state;
	assert_int_equal(open_store(0, BLOCK, &store), 0);
	assert_int_equal(store->calls->flush(store), 0);
	close_all_of(name);
	assert_int_equal(store->calls->flush(store), -EBADF);
	assert_int_equal(bytes_write(store, memory, BLOCK, 0), -EBADF);
	assert_int_equal(bytes_read(store, memory, BLOCK, 0), -EBADF);
	assert_int_equal(store->calls->flush(store), -EBADF);
	assert_int_equal(open_store(0, BLOCK, &second),
			 -EBUSY); /* the lock is gone, the map is not */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
	const struct CMUnitTest tests[] = {
		TEST(new_file_is_exactly_as_long_as_asked),
		TEST(bytes_outside_are_neither_read_nor_written),
		TEST(shorter_file_is_extended_to_the_byte),
		TEST(file_that_was_made_shorter_has_no_data_there),
		TEST(odd_end_and_blocks_are_coherent_with_other_programs),
		TEST(one_writer_or_many_readers),
		TEST(links_are_seen_through),
		TEST(readonly_store_writes_and_makes_nothing),
		TEST(what_cannot_be_opened_is_said_in_words),
		TEST(file_size_limit_is_an_answer_and_no_signal),
		TEST(file_that_keeps_its_length_is_refused),
		TEST(sealed_file_is_refused_for_writing),
		TEST(file_of_huge_pages_is_refused_for_writing),
		TEST(closing_unlocks_though_a_child_lives),
		TEST(child_that_forgets_takes_nothing_from_the_parent),
		TEST(failed_flush_stays_failed),
	};

	return UNIT_RUN(tests);
}
