/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The kernel says once that bytes of its cache were lost. The linker's --wrap sends the library's raw system calls here, where
 * who asks first is told, and others write and flush in between.
 */
#include "os/io.h"

#include "stress/clock.h"
#include "stress/syscall.h"
#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/futex.h>
#include <linux/magic.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/vfs.h>
#include <unistd.h>

enum { BLOCK = LG_OS_IO_BLOCK, BYTES = 4 * BLOCK, ODD = 100, WAITING = 3 };

/* Those of a server, or a file system in a process, may be any. */
static const int losses[] = { EIO,   ENOSPC, EDQUOT, ENODATA,    ETIMEDOUT,
			      EPERM, EACCES, EINVAL, EOPNOTSUPP, EINTR };

static struct lg_os_io io;
static char *memory; /* BYTES, aligned */

/* The kernel that is played, and what it saw. */
static struct {
	atomic_int lost;   /* to be said, once */
	atomic_int unsent; /* the same where writing is begun */
	int missing;       /* no range can be waited for: this is said instead */
	bool is_overlay;   /* no range is waited for, and 0 is said */
	int (*amid)(void); /* once, after the next write and before anybody waits for it */
	int amid_result;
	atomic_bool holds; /* the first flush, which was answered already */
	atomic_uint flushes;
	atomic_uint asleep; /* threads that wait for who asks */
} kernel;

static bool waits_for_a_range(long number, const long *arguments)
{
	return number == SYS_sync_file_range && (arguments[3] & SYNC_FILE_RANGE_WAIT_AFTER) != 0;
}

static bool is_going_to_sleep(long number, const long *arguments)
{
	return number == SYS_futex && arguments[0] == (long)&io.asking.word &&
	       (arguments[1] & FUTEX_CMD_MASK) == FUTEX_WAIT;
}

static void count_asleep(void)
{
	static _Thread_local bool is_counted;

	if (!is_counted)
		atomic_fetch_add(&kernel.asleep, 1);
	is_counted = true;
}

static void write_in_between(void)
{
	int (*amid)(void) = kernel.amid;

	kernel.amid = NULL;
	if (amid != NULL)
		kernel.amid_result = amid();
}

static bool is_missing(long number)
{
	return number == SYS_sync_file_range && kernel.missing != 0;
}

static bool begins_a_range(long number, const long *arguments)
{
	return number == SYS_sync_file_range && (arguments[3] & SYNC_FILE_RANGE_WAIT_AFTER) == 0;
}

int __real_fstatfs(int fd, struct statfs *system);
int __wrap_fstatfs(int fd, struct statfs *system);
int __wrap_fstatfs(int fd, struct statfs *system)
{
	int result = __real_fstatfs(fd, system);

	if (kernel.is_overlay)
		system->f_type = OVERLAYFS_SUPER_MAGIC;
	return result;
}

static long ask(long number)
{
	int lost = atomic_exchange(&kernel.lost, 0);

	if (number == SYS_fdatasync && atomic_fetch_add(&kernel.flushes, 1) == 0)
		while (atomic_load(&kernel.holds))
			clock_breathe();
	errno = lost;
	return lost != 0 ? -1 : 0;
}

static long kernel_answers(long number, long arguments[6])
{
	if (is_missing(number)) {
		errno = kernel.missing;
		return -1;
	}
	if (number == SYS_sync_file_range && kernel.is_overlay)
		return 0;
	if (waits_for_a_range(number, arguments) || number == SYS_fdatasync)
		return ask(number);
	if (begins_a_range(number, arguments) && (errno = atomic_exchange(&kernel.unsent, 0)) != 0)
		return -1;
	if (is_going_to_sleep(number, arguments))
		count_asleep();
	long result = syscall_really(number, arguments);
	if (number == SYS_pwritev)
		write_in_between();
	return result;
}

static int open_of(int missing, bool is_overlay)
{
	memset((void *)&kernel, 0, sizeof(kernel));
	kernel.missing = missing;
	kernel.is_overlay = is_overlay;
	memory = mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED || lg_os_file_open(".", &io.file) != 0)
		return -1;
	memset(memory, 'x', BYTES);
	lg_os_io_open(&io, false);
	return ftruncate(io.file.fd, BYTES);
}

static int open_here(void **state)
{
	(void)state;
	return open_of(0, false);
}

static int open_through_the_cache(void **state)
{
	int result = open_here(state);

	lg_store_relaxed(&io.is_direct, false);
	return result;
}

static int close_here(void **state)
{
	(void)state;
	lg_os_io_close(&io);
	munmap(memory, BYTES);
	return 0;
}

static int write_at(uint64_t offset, size_t bytes)
{
	struct iovec part = { memory + offset, bytes };

	return lg_os_io_write(&io, &part, 1, offset, BYTES);
}

static int write_beside(void)
{
	return write_at(2 * BLOCK, BLOCK);
}

static int sync_beside(void)
{
	return lg_os_io_sync(&io);
}

static void loss_told_to_another_write_is_that_of_both(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
		kernel.amid = write_beside;
		atomic_store(&kernel.lost, losses[i]);
		errno = 77;
		assert_int_equal(write_at(0, 2 * BLOCK), -losses[i]);
		assert_int_equal(kernel.amid_result, -losses[i]);
		assert_int_equal(errno, 77);
		assert_int_equal(write_at(0, 2 * BLOCK),
				 0); /* what begins later is not concerned */
		assert_int_equal(write_beside(), 0);
	}
}

static void loss_told_when_writing_begins_is_one(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
		atomic_store(&kernel.unsent, losses[i]);
		assert_int_equal(write_at(0, 2 * BLOCK), -losses[i]);
		assert_int_equal(write_at(0, 2 * BLOCK), 0);
	}
}

/* It is begun once more where it is waited for, and what became of it is told there. */
static void what_could_not_be_begun_at_once_is_no_loss(void **state)
{
	static const int passing[] = { ENOMEM, EAGAIN };

	(void)state;
	for (size_t i = 0; i < sizeof(passing) / sizeof(passing[0]); i++) {
		atomic_store(&kernel.unsent, passing[i]);
		assert_int_equal(write_at(0, 2 * BLOCK), 0);
		atomic_store(&kernel.unsent, passing[i]);
		atomic_store(&kernel.lost, EIO);
		assert_int_equal(write_at(0, 2 * BLOCK), -EIO);
	}
}

static void loss_is_told_by_a_flush(void)
{
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(write_at(0, BLOCK + ODD), 0);
		assert_int_equal(lg_os_io_sync(&io), 0);
	}
	atomic_store(&kernel.lost, EINTR);
	assert_int_equal(write_at(0, BLOCK + ODD), -EINTR);
	assert_int_equal(write_at(0, BLOCK + ODD), 0); /* it has its bytes, and writes them again */
	assert_int_equal(lg_os_io_sync(&io), -EINTR);  /* a flush that failed */
}

/* A file system that has no such call, or a filter before it, loses nothing. */
static void missing_call_is_no_loss(void **state)
{
	static const int missing[] = { ENOSYS, EPERM, EINVAL, ESPIPE, EOPNOTSUPP, EINTR };

	for (size_t i = 0; i < sizeof(missing) / sizeof(missing[0]); i++) {
		assert_int_equal(close_here(state), 0);
		assert_int_equal(open_of(missing[i], false), 0);
		loss_is_told_by_a_flush();
	}
}

static void filter_that_comes_later_is_no_loss(void **state)
{
	(void)state;
	assert_int_equal(write_at(0, BLOCK + ODD), 0);
	assert_int_equal(atomic_load(&kernel.flushes), 0);
	kernel.missing = EPERM;
	loss_is_told_by_a_flush();
}

static void overlay_is_flushed(void **state)
{
	assert_int_equal(close_here(state), 0);
	assert_int_equal(open_of(0, true), 0);
	loss_is_told_by_a_flush();
}

static void loss_told_to_a_flush_is_that_of_the_write(void **state)
{
	(void)state;
	kernel.amid = sync_beside;
	atomic_store(&kernel.lost, EIO);
	assert_int_equal(write_at(0, 2 * BLOCK), -EIO);
	assert_int_equal(kernel.amid_result, -EIO);
	assert_int_equal(write_at(0, 2 * BLOCK), 0);
}

/* Also behind whole blocks that went past the cache. */
static void odd_end_is_waited_for(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(losses) / sizeof(losses[0]); i++) {
		atomic_store(&kernel.lost, losses[i]);
		assert_int_equal(write_at(0, ODD), -losses[i]);
		assert_int_equal(write_at(0, ODD), 0);
		atomic_store(&kernel.lost, losses[i]);
		assert_int_equal(write_at(BLOCK, BLOCK + ODD), -losses[i]);
		assert_int_equal(write_at(BLOCK, BLOCK + ODD), 0);
	}
}

static void after_a_flush_that_failed_all_fail_without_asking(void **state)
{
	(void)state;
	assert_int_equal(lg_os_io_sync(&io), 0);
	assert_int_equal(lg_os_io_sync(&io), 0);
	assert_int_equal(atomic_load(&kernel.flushes), 2);
	atomic_store(&kernel.lost, ENOSPC);
	for (int i = 0; i < 4; i++)
		assert_int_equal(lg_os_io_sync(&io), -ENOSPC);
	assert_int_equal(atomic_load(&kernel.flushes), 3);
}

static void *sync_once(void *result)
{
	*(int *)result = lg_os_io_sync(&io);
	return NULL;
}

static void await(atomic_uint *count, unsigned most)
{
	double hang = clock_hang();

	while (atomic_load(count) < most) {
		assert_false(clock_passed(hang));
		clock_breathe();
	}
}

/* One is in its flush, and the others have come, when the kernel loses bytes (0: it does not). */
static void sync_together(int lost, int results[1 + WAITING])
{
	pthread_t threads[1 + WAITING];

	atomic_store(&kernel.holds, true);
	assert_int_equal(pthread_create(&threads[0], NULL, sync_once, &results[0]), 0);
	await(&kernel.flushes, 1);
	for (unsigned i = 1; i <= WAITING; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sync_once, &results[i]), 0);
	await(&kernel.asleep, WAITING);
	atomic_store(&kernel.lost, lost);
	atomic_store(&kernel.holds, false);
	for (unsigned i = 0; i <= WAITING; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
}

static void who_comes_amid_a_flush_shares_the_next(void **state)
{
	int results[1 + WAITING];

	(void)state;
	sync_together(0, results);
	assert_int_equal(atomic_load(&kernel.flushes), 2);
	for (unsigned i = 0; i <= WAITING; i++)
		assert_int_equal(results[i], 0);
}

/* The one in progress may have begun before what they wrote. */
static void who_comes_amid_a_flush_gets_the_answer_of_the_next(void **state)
{
	int results[1 + WAITING];

	(void)state;
	sync_together(EIO, results);
	assert_int_equal(atomic_load(&kernel.flushes), 2);
	assert_int_equal(results[0], 0);
	for (unsigned i = 1; i <= WAITING; i++)
		assert_int_equal(results[i], -EIO);
}

int main(void)
{
#define TEST(name, open) cmocka_unit_test_setup_teardown(name, open, close_here)
	const struct CMUnitTest tests[] = {
		TEST(loss_told_to_another_write_is_that_of_both, open_through_the_cache),
		TEST(loss_told_when_writing_begins_is_one, open_through_the_cache),
		TEST(what_could_not_be_begun_at_once_is_no_loss, open_through_the_cache),
		TEST(missing_call_is_no_loss, open_here),
		TEST(filter_that_comes_later_is_no_loss, open_here),
		TEST(overlay_is_flushed, open_here),
		TEST(loss_told_to_a_flush_is_that_of_the_write, open_through_the_cache),
		TEST(odd_end_is_waited_for, open_here),
		TEST(after_a_flush_that_failed_all_fail_without_asking, open_here),
		TEST(who_comes_amid_a_flush_shares_the_next, open_here),
		TEST(who_comes_amid_a_flush_gets_the_answer_of_the_next, open_here),
	};

	return UNIT_RUN(tests);
}
