/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The linker's --wrap sends the library's raw system calls here, so that they can come short or fail. */
#include "os/io.h"

#include "os/io_queue.h"
#include "os/map.h"
#include "stress/syscall.h"
#include "unit/unit.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = LG_OS_IO_BLOCK, BLOCKS = 128, BYTES = BLOCK * BLOCKS };

static struct lg_os_io io;
static struct lg_os_io_queue queue;
static char *memory, *other; /* BYTES each, aligned */

/* What happens to transfers: `times` of them fail with `error`, or move at most `most` bytes. */
static struct {
	int error;
	unsigned times;
	size_t most;
	int only; /* this descriptor; 0: any */
	unsigned transfers;
} plan;

/* What happens to those that are sent together. */
static struct {
	long refuse, refuse_too; /* these calls, with `error` */
	int error;
	long accept;       /* no more of them, if not 0 */
	unsigned wake;     /* waits that a signal ends */
	int64_t every_4th; /* the result of, if not 0 */
	unsigned sent;
} fate;

static long kernel_answers(long number, long arguments[6])
{
	struct iovec first;

	if (number == SYS_clock_nanosleep)
		return 0;
	if (number != 0 && (number == fate.refuse || number == fate.refuse_too)) {
		errno = fate.error;
		return -1;
	}
	if (number == SYS_io_submit && fate.accept > 0 && arguments[1] > fate.accept)
		arguments[1] = fate.accept;
	if (number == SYS_io_submit)
		fate.sent += (unsigned)arguments[1];
	if (number == SYS_io_getevents && fate.wake > 0) {
		fate.wake--;
		errno = EINTR;
		return -1;
	}
	if ((number == SYS_preadv || number == SYS_pwritev) &&
	    (plan.only == 0 || plan.only == arguments[0])) {
		plan.transfers++;
		if (plan.times > 0) {
			plan.times--;
			errno = plan.error;
			return plan.error != 0 ? -1 : 0;
		}
		if (plan.most > 0) {
			first = *(const struct iovec *)arguments[1];
			if (first.iov_len > plan.most)
				first.iov_len = plan.most;
			arguments[1] = (long)&first;
			arguments[2] = 1;
		}
	}
	long result = syscall_really(number, arguments);
	for (long i = 0; number == SYS_io_getevents && fate.every_4th != 0 && i < result; i += 4)
		((struct io_event *)arguments[3])[i].res = fate.every_4th;
	return result;
}

static int open_here(void **state)
{
	void *record = NULL;

	(void)state;
	memset(&plan, 0, sizeof(plan));
	memset(&fate, 0, sizeof(fate));
	if (lg_os_map_record(BYTES, &record) != 0)
		return -1;
	memory = record;
	if (lg_os_map_record(BYTES, &record) != 0 || lg_os_file_open(".", &io.file) != 0)
		return -1;
	other = record;
	for (size_t i = 0; i < BYTES; i++)
		memory[i] = (char)(i * 7 + i / BLOCK + 1);
	lg_os_io_open(&io, false);
	return ftruncate(io.file.fd, BYTES);
}

static int close_here(void **state)
{
	(void)state;
	lg_os_io_queue_end(&queue);
	queue = (struct lg_os_io_queue){ 0 };
	lg_os_io_close(&io);
	munmap(memory, BYTES);
	munmap(other, BYTES);
	return 0;
}

static struct iovec part(char *start, size_t bytes)
{
	return (struct iovec){ start, bytes };
}

static int write_all(void)
{
	struct iovec all = part(memory, BYTES);

	return lg_os_io_write(&io, &all, 1, 0, BYTES);
}

static int read_all(void)
{
	struct iovec all = part(other, BYTES);

	memset(other, 0x11, BYTES);
	return lg_os_io_read(&io, &all, 1, 0, BYTES);
}

static void claim_round_trip(void)
{
	assert_int_equal(write_all(), 0);
	assert_int_equal(read_all(), 0);
	assert_memory_equal(memory, other, BYTES);
}

static void claim_zero(const char *start, size_t bytes)
{
	for (size_t i = 0; i < bytes; i++)
		assert_int_equal(start[i], 0);
}

static void parts_arrive_where_they_belong(void **state)
{
	struct iovec parts[LG_OS_IO_PARTS], back[LG_OS_IO_PARTS];

	(void)state;
	for (size_t i = 0; i < LG_OS_IO_PARTS; i++) {
		size_t at = (i * 17 % LG_OS_IO_PARTS) * 2 * BLOCK;

		parts[i] = part(memory + at, i % 2 ? BLOCK : 2 * BLOCK);
		back[i] = part(other + at, parts[i].iov_len);
	}
	assert_int_equal(lg_os_io_write(&io, parts, LG_OS_IO_PARTS, 3 * BLOCK, UINT64_MAX), 0);
	assert_int_equal(lg_os_io_read(&io, back, LG_OS_IO_PARTS, 3 * BLOCK, UINT64_MAX), 0);
	for (size_t i = 0; i < LG_OS_IO_PARTS; i++)
		assert_memory_equal(parts[i].iov_base, back[i].iov_base, parts[i].iov_len);
}

static void nothing_from_the_end_on_is_touched(void **state)
{
	static const uint64_t ends[] = { 0, 1, 4095, 4096, 4097, 3 * 4096 + 5, BYTES - 1, BYTES };

	(void)state;
	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct iovec all = part(memory, BYTES), back = part(other, BYTES);
		uint64_t end = ends[i];

		memset(other, 'x', BYTES);
		assert_int_equal(pwrite(io.file.fd, other, BYTES, 0), BYTES);
		assert_int_equal(lg_os_io_write(&io, &all, 1, 0, end), 0);
		assert_int_equal(pread(io.file.fd, other, BYTES, 0), BYTES);
		assert_memory_equal(memory, other, end);
		for (size_t k = end; k < BYTES; k++)
			assert_int_equal(other[k], 'x');
		memset(other, 'y', BYTES);
		assert_int_equal(lg_os_io_read(&io, &back, 1, 0, end), 0);
		assert_memory_equal(memory, other, end);
		claim_zero(other + end, BYTES - end);
	}
}

static void file_that_ends_early_has_no_data(void **state)
{
	static const off_t lengths[] = { 0, 1, 511, 4096, 5000, BYTES - 4096, BYTES - 1 };

	(void)state;
	assert_int_equal(write_all(), 0);
	for (size_t i = sizeof(lengths) / sizeof(lengths[0]); i-- > 0;) {
		size_t length = (size_t)lengths[i];

		assert_int_equal(ftruncate(io.file.fd, lengths[i]), 0);
		assert_int_equal(read_all(), -ENODATA);
		struct iovec back = { other, BYTES };
		assert_int_equal(lg_os_io_read(&io, &back, 1, 0, length), 0);
		assert_memory_equal(memory, other, length);
		claim_zero(other + length, BYTES - length);
	}
}

static void short_counts_are_continued(void **state)
{
	static const size_t most[] = { 512, 4096, 5 * 4096, 1000 };

	(void)state;
	for (size_t i = 0; i < sizeof(most) / sizeof(most[0]); i++) {
		plan.most = most[i];
		claim_round_trip();
	}
}

static void signals_and_bottlenecks_pass(void **state)
{
	static const int errors[] = { EINTR, EAGAIN };

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		plan.error = errors[i];
		plan.times = 100;
		errno = 77;
		assert_int_equal(write_all(), 0);
		plan.times = 100;
		assert_int_equal(read_all(), 0);
		assert_int_equal(errno, 77);
		assert_memory_equal(memory, other, BYTES);
	}
	plan.times = 100000;
	assert_int_equal(read_all(), -EIO); /* but not for ever */
}

static void errors_are_answers_and_errno_stays(void **state)
{
	static const int errors[] = { EIO, ENOSPC, EDQUOT, ENOMEM };

	(void)state;
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		plan.error = errors[i];
		errno = 77;
		plan.times = 1;
		assert_int_equal(write_all(), -errors[i]);
		plan.times = 1;
		assert_int_equal(read_all(), -errors[i]);
		assert_int_equal(errno, 77);
	}
	plan.error = 0;
	plan.times = 1;
	assert_int_equal(write_all(), -EIO); /* a write of nothing */
	claim_round_trip();
}

static void refused_way_past_the_cache_is_not_tried_again(void **state)
{
	(void)state;
	if (!lg_load_relaxed(&io.is_direct))
		skip();
	claim_round_trip();
	assert_true(lg_load_relaxed(&io.is_direct));
	plan.only = io.direct;
	plan.error = EINVAL;
	plan.times = 1;
	claim_round_trip();
	assert_false(lg_load_relaxed(&io.is_direct));
	plan.transfers = 0;
	claim_round_trip();
	assert_int_equal(plan.transfers, 0);
}

static void unaligned_memory_goes_through_the_cache(void **state)
{
	struct iovec odd = part(memory + 8, 4 * BLOCK), back = part(other + 24, 4 * BLOCK);
	bool before = lg_load_relaxed(&io.is_direct);

	(void)state;
	assert_int_equal(lg_os_io_write(&io, &odd, 1, 0, BYTES), 0);
	assert_int_equal(lg_os_io_read(&io, &back, 1, 0, BYTES), 0);
	assert_memory_equal(odd.iov_base, back.iov_base, 4 * BLOCK);
	assert_true(lg_load_relaxed(&io.is_direct) == before);
}

/* What was written by others, through the page cache, is read; and the other way round. */
static void both_ways_see_the_same(void **state)
{
	(void)state;
	for (int turn = 0; turn < 3; turn++) {
		assert_int_equal(pwrite(io.file.fd, memory, BYTES, 0), BYTES);
		assert_int_equal(read_all(), 0);
		assert_memory_equal(memory, other, BYTES);
		for (size_t i = 0; i < BYTES; i += 100)
			memory[i]++;
		assert_int_equal(write_all(), 0);
		assert_int_equal(pread(io.file.fd, other, BYTES, 0), BYTES);
		assert_memory_equal(memory, other, BYTES);
	}
}

static void page_cache_keeps_nothing(void **state)
{
	uint64_t resident = 0;

	(void)state;
	for (int direct = 0; direct < 2; direct++) {
		void *seen = mmap(NULL, BYTES, PROT_READ, MAP_SHARED, io.file.fd, 0);

		assert_true(seen != MAP_FAILED);
		if (direct == 0)
			lg_store_relaxed(&io.is_direct, false);
		claim_round_trip();
		assert_int_equal(lg_os_resident(seen, BYTES, &resident), 0);
		assert_true(resident < BYTES / 4);
		munmap(seen, BYTES);
	}
}

/* SIGXFSZ would end this program. */
static void file_size_limit_is_an_answer_and_no_signal(void **state)
{
	struct rlimit before, limit;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
	limit = before;
	limit.rlim_cur = BYTES / 2;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	int error = write_all();
	struct iovec half = part(memory, BYTES / 2);
	int within = lg_os_io_write(&io, &half, 1, 0, BYTES);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
	assert_int_equal(error, -EFBIG);
	assert_int_equal(within, 0);
}

/* The program closed our descriptors, and their numbers are another file's now. */
static void reused_numbers_are_not_ours_and_are_not_harmed(void **state)
{
	char name[] = "unit.os.io.XXXXXX", text[9] = "";
	int theirs = mkstemp(name), numbers[] = { io.file.fd, io.direct };
	struct stat status;

	(void)state;
	assert_true(theirs >= 0);
	assert_int_equal(unlink(name), 0);
	assert_int_equal(write(theirs, "precious", 8), 8);
	for (size_t i = 0; i < 2; i++)
		if (numbers[i] >= 0)
			assert_true(dup2(theirs, numbers[i]) == numbers[i]);
	errno = 77;
	assert_int_equal(write_all(), -EBADF);
	assert_int_equal(read_all(), -EBADF);
	assert_int_equal(lg_os_io_sync(&io), -EBADF);
	assert_int_equal(lg_os_io_punch(&io, 0, BLOCK), -EBADF);
	assert_int_equal(errno, 77);
	lg_os_io_close(&io);
	assert_int_equal(fstat(theirs, &status), 0);
	assert_true(status.st_size == 8);
	for (size_t i = 0; i < 2; i++) {
		if (numbers[i] < 0)
			continue;
		assert_int_equal(pread(numbers[i], text, 8, 0), 8); /* still open */
		assert_string_equal(text, "precious");
		close(numbers[i]);
	}
	close(theirs);
}

static void punched_range_reads_zero_and_gives_its_blocks_back(void **state)
{
	uint64_t before = 0, after = 0;

	(void)state;
	claim_round_trip();
	assert_int_equal(lg_os_io_sync(&io), 0);
	assert_int_equal(lg_os_file_disk_bytes(&io.file, &before), 0);
	int error = lg_os_io_punch(&io, BLOCK, BYTES / 2);
	if (error == -EOPNOTSUPP)
		skip();
	assert_int_equal(error, 0);
	assert_int_equal(read_all(), 0);
	claim_zero(other + BLOCK, BYTES / 2);
	assert_memory_equal(memory, other, BLOCK);
	assert_int_equal(lg_os_file_disk_bytes(&io.file, &after), 0);
	assert_true(after < before);
}

enum { MANY = 16, EACH = BLOCKS / MANY, FROM = 2 * BLOCK };

static struct iovec many_parts[MANY];
static struct lg_os_io_request many[MANY];

/* Ranges of one to three blocks with gaps between, from FROM on. */
static void write_many(uint64_t end)
{
	for (size_t i = 0; i < MANY; i++) {
		many_parts[i] = part(memory + i * EACH * BLOCK, (1 + i % 3) * BLOCK);
		many[i] = (struct lg_os_io_request){ &many_parts[i], 1, i * EACH * BLOCK, 1 };
	}
	memset(other, 'x', BYTES);
	assert_int_equal(pwrite(io.file.fd, other, BYTES, 0), BYTES);
	assert_int_equal(pwrite(io.file.fd, other, FROM, BYTES), FROM);
	errno = 77;
	lg_os_io_write_many(&io, &queue, many, MANY, FROM, end);
	assert_int_equal(errno, 77);
}

static void claim_many_but(uint64_t end, int error, size_t first_failed)
{
	assert_int_equal(pread(io.file.fd, other, BYTES, FROM), BYTES);
	for (size_t i = 0; i < MANY; i++) {
		size_t at = i * EACH * BLOCK, bytes = many_parts[i].iov_len;

		assert_int_equal(many[i].error, i < first_failed ? 0 : error);
		if (i >= first_failed || at + FROM >= end)
			bytes = 0;
		else if (at + FROM + bytes > end)
			bytes = end - at - FROM;
		assert_memory_equal(memory + at, other + at, bytes);
		for (size_t k = bytes; k < EACH * BLOCK; k++)
			assert_int_equal(other[at + k], 'x');
	}
}

static void many_are_written_together(void **state)
{
	(void)state;
	if (!lg_os_io_writes_many(&io))
		skip();
	write_many(UINT64_MAX);
	claim_many_but(UINT64_MAX, 0, MANY);
	if (queue.refused) /* an emulator's kernel */
		skip();
	assert_int_equal(fate.sent, MANY);
	assert_int_equal(plan.transfers, 0);
	write_many(UINT64_MAX); /* with the same queue */
	claim_many_but(UINT64_MAX, 0, MANY);
	assert_int_equal(fate.sent, 2 * MANY);
}

static void many_are_written_one_by_one_where_the_kernel_refuses(void **state)
{
	static const struct {
		long number;
		int error;
		bool for_good;
	} refusals[] = {
		{ SYS_io_submit, EAGAIN, false }, { SYS_io_submit, EINVAL, false },
		{ SYS_io_submit, EPERM, true },   { SYS_io_getevents, EPERM, true },
		{ SYS_io_setup, EAGAIN, true },   { SYS_io_setup, ENOSYS, true },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(refusals) / sizeof(refusals[0]); i++) {
		lg_os_io_queue_end(&queue);
		queue = (struct lg_os_io_queue){ 0 };
		fate.refuse = refusals[i].number;
		fate.error = refusals[i].error;
		fate.refuse_too = refusals[i].number == SYS_io_submit ? SYS_io_destroy :
									0; /* a filter */
		write_many(UINT64_MAX);
		claim_many_but(UINT64_MAX, 0, MANY);
		if (!refusals[i].for_good || !lg_os_io_writes_many(&io))
			continue;
		assert_true(queue.refused);
		fate.refuse = fate.refuse_too = 0;
		fate.sent = 0;
		write_many(UINT64_MAX);
		claim_many_but(UINT64_MAX, 0, MANY);
		assert_int_equal(fate.sent, 0); /* it is not asked again */
	}
}

static void what_was_not_sent_or_came_short_is_written_again(void **state)
{
	static const int64_t results[] = { -EIO, -EAGAIN, 512, 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		fate.accept = i % 2 != 0 ? 5 : 0;
		fate.wake = 3;
		fate.every_4th = results[i];
		write_many(UINT64_MAX);
		claim_many_but(UINT64_MAX, 0, MANY);
	}
}

static void each_of_many_has_its_own_error(void **state)
{
	(void)state;
	if (!lg_os_io_writes_many(&io))
		skip();
	fate.accept = 5;
	plan.error = ENOSPC;
	plan.times = MANY - 5;
	write_many(UINT64_MAX);
	if (queue.refused)
		skip();
	claim_many_but(UINT64_MAX, -ENOSPC, 5);
	assert_int_equal(plan.times, 0);
}

static void of_many_nothing_from_the_end_on_is_touched(void **state)
{
	(void)state;
	for (uint64_t end = FROM; end < BYTES; end += 3 * EACH * BLOCK + BLOCK / 2 + 1) {
		write_many(end);
		claim_many_but(end, 0, MANY);
	}
}

static void many_may_be_anywhere_in_memory(void **state)
{
	(void)state;
	memory++; /* no block begins there */
	write_many(BYTES);
	claim_many_but(BYTES, 0, MANY);
	memory--;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, open_here, close_here)
	const struct CMUnitTest tests[] = {
		TEST(parts_arrive_where_they_belong),
		TEST(nothing_from_the_end_on_is_touched),
		TEST(file_that_ends_early_has_no_data),
		TEST(short_counts_are_continued),
		TEST(signals_and_bottlenecks_pass),
		TEST(errors_are_answers_and_errno_stays),
		TEST(refused_way_past_the_cache_is_not_tried_again),
		TEST(unaligned_memory_goes_through_the_cache),
		TEST(both_ways_see_the_same),
		TEST(page_cache_keeps_nothing),
		TEST(file_size_limit_is_an_answer_and_no_signal),
		TEST(reused_numbers_are_not_ours_and_are_not_harmed),
		TEST(punched_range_reads_zero_and_gives_its_blocks_back),
		TEST(many_are_written_together),
		TEST(many_are_written_one_by_one_where_the_kernel_refuses),
		TEST(what_was_not_sent_or_came_short_is_written_again),
		TEST(each_of_many_has_its_own_error),
		TEST(of_many_nothing_from_the_end_on_is_touched),
		TEST(many_may_be_anywhere_in_memory),
	};

	return UNIT_RUN(tests);
}
