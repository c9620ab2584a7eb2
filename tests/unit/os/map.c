/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/map.h"

#include "os/file.h"
#include "unit/smaps.h"
#include "unit/unit.h"

#include <errno.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MIB ((size_t)1 << 20)

static size_t page;
static int pipes[2];

static int open_pipe(void **state)
{
	(void)state;
	page = lg_os_page_bytes();
	prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0); /* pages are counted one by one here */
	return pipe(pipes);
}

/* The kernel's view of a byte, without a signal: it reads it, or EFAULT. */
static bool can_read(const void *address)
{
	char byte;

	if (write(pipes[1], address, 1) != 1) {
		assert_int_equal(errno, EFAULT);
		return false;
	}
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	return true;
}

static bool can_write(void *address)
{
	char byte = 'w';

	assert_int_equal(write(pipes[1], &byte, 1), 1);
	if (read(pipes[0], address, 1) == 1)
		return true;
	assert_int_equal(errno, EFAULT);
	assert_int_equal(read(pipes[0], &byte, 1), 1);
	return false;
}

static char *reserve(size_t bytes)
{
	void *range = NULL;

	assert_int_equal(lg_os_reserve(bytes, page, &range), 0);
	return range;
}

static void reservation_is_aligned_and_out_of_reach(void **state)
{
	(void)state;
	for (size_t alignment = page; alignment <= 1024 * MIB; alignment *= 4) {
		void *range = NULL;

		assert_int_equal(lg_os_reserve(3 * page, alignment, &range), 0);
		assert_int_equal((uintptr_t)range % alignment, 0);
		for (size_t i = 0; i < 3; i++) {
			assert_false(can_read((char *)range + i * page));
			assert_false(can_write((char *)range + i * page));
		}
		lg_os_unreserve(range, 3 * page);
	}
}

static void nothing_beside_an_aligned_reservation_stays(void **state)
{
	void *range = NULL;

	(void)state;
	assert_int_equal(lg_os_reserve(page, 64 * MIB, &range), 0);
	assert_int_equal(lg_os_reserve_at((char *)range + page, MIB), 0);
	lg_os_unreserve(range, page + MIB);
}

static void impossible_reservation_is_an_errno(void **state)
{
	void *range = NULL;

	(void)state;
	assert_int_equal(lg_os_reserve((size_t)1 << 60, page, &range), -ENOMEM);
	assert_null(range);
}

static void reserving_a_place_in_use_is_refused(void **state)
{
	char *range = reserve(4 * page);

	(void)state;
	assert_int_equal(lg_os_reserve_at(range, page), -EEXIST);
	lg_os_unreserve(range, 2 * page);
	assert_int_equal(lg_os_reserve_at(range, 3 * page), -EEXIST);
	assert_int_equal(lg_os_reserve_at(range, 2 * page), 0);
	assert_false(can_read(range));
	lg_os_unreserve(range, 4 * page);
}

static void unmapping_leaves_a_reservation_and_forgets_the_bytes(void **state)
{
	char *range = reserve(4 * page);

	(void)state;
	assert_int_equal(lg_os_map_anon(range + page, 2 * page), 0);
	assert_false(can_read(range));
	assert_false(can_read(range + 3 * page));
	assert_int_equal(range[page], 0);
	memset(range + page, 1, 2 * page);
	assert_int_equal(lg_os_unmap(range + page, 2 * page), 0);
	assert_false(can_read(range + page));
	assert_int_equal(lg_os_reserve_at(range + page, page), -EEXIST);
	assert_int_equal(lg_os_map_anon(range + page, 2 * page), 0);
	assert_int_equal(range[page], 0);
	lg_os_unreserve(range, 4 * page);
}

static void file_mapping_is_shared_and_at_its_offset(void **state)
{
	struct lg_os_file file;
	char *range = reserve(2 * page), text[5] = "";

	(void)state;
	assert_int_equal(lg_os_file_open(".", &file), 0);
	assert_int_equal(lg_os_file_extend(&file, 8 * page), 0);
	assert_int_equal(lg_os_map_file(range, 2 * page, file.fd, 4 * page), 0);
	memcpy(range + page, "text", 4);
	assert_int_equal(pread(file.fd, text, 4, (off_t)(5 * page)), 4);
	assert_string_equal(text, "text");
	assert_int_equal(lg_os_advise(range, 2 * page, LG_OS_REMOVE), 0);
	assert_int_equal(range[page], 0);
	assert_int_equal(lg_os_advise(range, 2 * page, LG_OS_FREE), -EINVAL);
	lg_os_file_close(&file);
	lg_os_unreserve(range, 2 * page);
}

static void mapped_zeros_are_read_only_until_made_writable(void **state)
{
	char *range = reserve(4 * page);

	(void)state;
	assert_int_equal(lg_os_map_zeros(range, 4 * page), 0);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(range[i * page], 0);
		assert_false(can_write(range + i * page));
	}
	assert_int_equal(lg_os_make_writable(range + page, page), 0);
	assert_true(can_write(range + page));
	assert_int_equal(range[page], 'w');
	assert_false(can_write(range));
	assert_false(can_write(range + 2 * page));
	lg_os_unreserve(range, 4 * page);
}

static void record_is_zero_and_writable(void **state)
{
	void *record = NULL;

	(void)state;
	assert_int_equal(lg_os_map_record(3 * page, &record), 0);
	for (size_t i = 0; i < 3 * page; i++)
		assert_int_equal(((char *)record)[i], 0);
	memset(record, 1, 3 * page);
	lg_os_unreserve(record, 3 * page);
}

static void dropped_pages_read_zero_and_neighbours_stay(void **state)
{
	char *range = reserve(3 * page);

	(void)state;
	assert_int_equal(lg_os_map_anon(range, 3 * page), 0);
	memset(range, 'd', 3 * page);
	assert_int_equal(lg_os_advise(range + page, page, LG_OS_DROP), 0);
	assert_int_equal(range[page - 1], 'd');
	assert_int_equal(range[page], 0);
	assert_int_equal(range[2 * page - 1], 0);
	assert_int_equal(range[2 * page], 'd');
	assert_int_equal(lg_os_advise(range, 3 * page, LG_OS_FREE), 0);
	range[0] = 'w'; /* a write keeps the page */
	assert_int_equal(range[0], 'w');
	lg_os_unreserve(range, 3 * page);
}

static void many_ranges_are_dropped_and_what_lies_between_stays(void **state)
{
	enum { RANGES = 200 };
	struct iovec ranges[RANGES];
	size_t bytes = 3 * page * RANGES;
	char *range = reserve(bytes);

	(void)state;
	assert_int_equal(lg_os_map_anon(range, bytes), 0);
	for (unsigned count = 0; count <= RANGES; count += RANGES / 2) {
		memset(range, 1, bytes);
		for (unsigned i = 0; i < count; i++)
			ranges[i] = (struct iovec){ range + 3 * i * page, page * (1 + i % 2) };
		lg_os_drop_many(ranges, count);
		for (size_t i = 0; i < bytes / page; i++) {
			bool dropped = i / 3 < count && i % 3 < 1 + i / 3 % 2;

			assert_int_equal(range[i * page], dropped ? 0 : 1);
		}
	}
	lg_os_unreserve(range, bytes);
}

static void every_advice_reaches_the_kernel(void **state)
{
	static const enum lg_os_advice harmless[] = {
		LG_OS_WILLNEED, LG_OS_PAGEOUT,  LG_OS_SEQUENTIAL, LG_OS_RANDOM,
		LG_OS_NORMAL,   LG_OS_DONTFORK, LG_OS_DONTDUMP,
	};
	char *range = reserve(2 * page);

	(void)state;
	assert_int_equal(lg_os_map_anon(range, 2 * page), 0);
	memset(range, 'a', 2 * page);
	for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
		assert_int_equal(lg_os_advise(range, 2 * page, harmless[i]), 0);
	for (size_t i = 0; i < 2 * page; i++)
		assert_int_equal(range[i], 'a');
	assert_int_equal(lg_os_advise(range, 2 * page, LG_OS_REMOVE), -EINVAL);
	assert_int_equal(lg_os_advise(range + 1, page, LG_OS_DROP), -EINVAL);
	lg_os_unreserve(range, 2 * page);
	assert_int_equal(lg_os_advise(range, 2 * page, LG_OS_DROP), -ENOMEM);
}

static void lasting_advice_is_what_it_says(void **state)
{
	static const struct {
		enum lg_os_advice advice;
		const char *flag;
	} lasting[] = {
		{ LG_OS_SEQUENTIAL, " sr" }, { LG_OS_RANDOM, " rr" },   { LG_OS_DONTFORK, " dc" },
		{ LG_OS_DONTDUMP, " dd" },   { LG_OS_HUGEPAGE, " hg" }, { LG_OS_NOHUGEPAGE, " nh" },
	};
	char *range = reserve(2 * page);

	(void)state;
	for (size_t i = 0; i < sizeof(lasting) / sizeof(lasting[0]); i++) {
		assert_int_equal(lg_os_map_anon(range, 2 * page), 0);
		assert_false(smaps_has_flag(range, lasting[i].flag));
		if (lg_os_advise(range, 2 * page, lasting[i].advice) != 0)
			continue; /* a kernel without huge pages */
		assert_true(smaps_has_flag(range, lasting[i].flag));
	}
	assert_int_equal(lg_os_advise(range, 2 * page, LG_OS_RANDOM), 0);
	assert_int_equal(lg_os_advise(range, 2 * page, LG_OS_NORMAL), 0);
	assert_false(smaps_has_flag(range, " rr"));
	lg_os_unreserve(range, 2 * page);
}

static void moved_pages_arrive_and_the_source_reads_zero(void **state)
{
	char *from = reserve(4 * page), *to = reserve(4 * page);

	(void)state;
	assert_int_equal(lg_os_map_anon(from, 4 * page), 0);
	assert_int_equal(lg_os_map_anon(to, 4 * page), 0);
	memset(from, 'm', 4 * page);
	memset(to, 'o', 4 * page);
	int error = lg_os_move(from + page, to, 2 * page);
	if (error == -EINVAL)
		skip(); /* before Linux 5.7 */
	assert_int_equal(error, 0);
	for (size_t i = 0; i < 4 * page; i++) {
		bool moved = i >= page && i < 3 * page;

		assert_int_equal(from[i], moved ? 0 : 'm');
		assert_int_equal(to[i], i < 2 * page ? 'm' : 'o');
	}
	from[page] = 'w';
	assert_int_equal(to[0], 'm');
	lg_os_unreserve(from, 4 * page);
	lg_os_unreserve(to, 4 * page);
}

/* Longer than the piece one call looks at, and no multiple of it. */
static void resident_counts_pages_in_memory(void **state)
{
	size_t bytes = 40 * MIB + page;
	char *range = reserve(bytes);
	uint64_t resident = 0, touched = 0;

	(void)state;
	assert_int_equal(lg_os_map_anon(range, bytes), 0);
	assert_int_equal(lg_os_resident(range, bytes, &resident), 0);
	assert_true(resident == 0);
	for (size_t at = 0; at < bytes; at += 5 * page, touched += page)
		range[at] = 1;
	range[bytes - 1] = 1;
	touched += (bytes - page) % (5 * page) != 0 ? page : 0;
	assert_int_equal(lg_os_resident(range, bytes, &resident), 0);
	assert_true(resident == touched);
	assert_int_equal(lg_os_resident(range, page, &resident), 0); /* adds */
	assert_true(resident == touched + page);
	lg_os_unreserve(range, bytes);
	resident = 0;
	assert_int_equal(lg_os_resident(range, bytes, &resident), 0); /* a hole has none */
	assert_true(resident == 0);
}

static void what_is_reserved_and_tables_are_in_no_core_dump(void **state)
{
	size_t bytes = 64 * page;
	char *range = reserve(bytes);
	void *table = NULL;

	(void)state;
	assert_true(smaps_has_flag(range, " dd"));
	assert_int_equal(lg_os_map_anon(range, bytes), 0); /* has what its user wants */
	assert_false(smaps_has_flag(range, " dd"));
	assert_int_equal(lg_os_unmap(range, bytes), 0);
	assert_true(smaps_has_flag(range, " dd"));
	assert_int_equal(lg_os_map_unlocked(range, bytes), 0);
	assert_true(smaps_has_flag(range, " dd"));
	assert_int_equal(lg_os_map_zeros(range, bytes), 0);
	assert_int_equal(lg_os_make_writable(range + page, page), 0);
	assert_true(smaps_has_flag(range, " dd"));
	assert_true(smaps_has_flag(range + page, " dd"));
	lg_os_unreserve(range, bytes);
	assert_int_equal(lg_os_reserve_at(range, bytes), 0);
	assert_true(smaps_has_flag(range, " dd"));
	lg_os_unreserve(range, bytes);
	assert_int_equal(lg_os_map_table(bytes, &table), 0);
	assert_true(smaps_has_flag(table, " dd"));
	lg_os_unreserve(table, bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reservation_is_aligned_and_out_of_reach),
		cmocka_unit_test(nothing_beside_an_aligned_reservation_stays),
		cmocka_unit_test(impossible_reservation_is_an_errno),
		cmocka_unit_test(reserving_a_place_in_use_is_refused),
		cmocka_unit_test(unmapping_leaves_a_reservation_and_forgets_the_bytes),
		cmocka_unit_test(file_mapping_is_shared_and_at_its_offset),
		cmocka_unit_test(mapped_zeros_are_read_only_until_made_writable),
		cmocka_unit_test(record_is_zero_and_writable),
		cmocka_unit_test(dropped_pages_read_zero_and_neighbours_stay),
		cmocka_unit_test(many_ranges_are_dropped_and_what_lies_between_stays),
		cmocka_unit_test(every_advice_reaches_the_kernel),
		cmocka_unit_test(lasting_advice_is_what_it_says),
		cmocka_unit_test(moved_pages_arrive_and_the_source_reads_zero),
		cmocka_unit_test(resident_counts_pages_in_memory),
		cmocka_unit_test(what_is_reserved_and_tables_are_in_no_core_dump),
	};

	return cmocka_run_group_tests(tests, open_pipe, NULL);
}
