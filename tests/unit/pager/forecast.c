/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What is read comes writable where writes follow, and is not written to the store for that. */
#include "pager/forecast.h"

#include "pager/fill.h"
#include "pager/map.h"
#include "unit/pager/shelved.h"

#include <sys/mman.h>

enum { PAGE = 4096, PAGES = 4096 };

static int start(void **state)
{
	(void)state;
	return shelved_start("memory:4M,page:4K,faults:inline,prefetch:off", &shelf_ops,
			     (size_t)PAGES * PAGE);
}

static struct lg_pager_stats stats_now(void)
{
	struct lg_pager_stats stats;

	assert_int_equal(lg_pager_stats_read(pager, &stats), 0);
	return stats;
}

/* In an order without streams or runs. */
static size_t place(unsigned i)
{
	return (size_t)(i * 1657 % PAGES) * PAGE;
}

/* Reads a byte of each page, of which every `each`th is changed then. */
static void go_through(unsigned each)
{
	for (unsigned i = 0; i < PAGES; i++) {
		volatile char *at = data + place(i);
		char seen = *at;

		if (each != 0 && i % each == 0)
			*at = (char)(seen + 1);
	}
}

static void one_that_is_written_counts_for_eight_that_are_not(void **state)
{
	lg_forecast forecast = 0;

	(void)state;
	lg_forecast_note(&forecast, true);
	for (unsigned i = 0; i < 8; i++) {
		assert_true(lg_load_relaxed(&forecast) > 0);
		lg_forecast_note(&forecast, false);
	}
	assert_false(lg_load_relaxed(&forecast) > 0);
}

static void what_was_long_is_soon_forgotten(void **state)
{
	lg_forecast forecast = 0;

	(void)state;
	for (unsigned i = 0; i < 100000; i++)
		lg_forecast_note(&forecast, true);
	for (unsigned i = 0; i < 2 * LG_FORECAST_MOST; i++)
		lg_forecast_note(&forecast, false);
	assert_false(lg_load_relaxed(&forecast) > 0);
	for (unsigned i = 0; i < 100000; i++)
		lg_forecast_note(&forecast, false);
	for (unsigned i = 0; i < LG_FORECAST_MOST; i++)
		lg_forecast_note(&forecast, true);
	assert_true(lg_load_relaxed(&forecast) > 0);
}

static void pages_that_are_read_and_written_fault_once(void **state)
{
	(void)state;
	go_through(1);
	struct lg_pager_stats before = stats_now();
	go_through(1);
	struct lg_pager_stats after = stats_now();
	assert_true(after.faults - before.faults >= PAGES / 2);
	assert_true(after.protect_faults - before.protect_faults < PAGES / 64);
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	for (size_t at = 0; at < shelf.length; at++)
		assert_int_equal(shelf.bytes[at],
				 (char)(shelf_byte(at) + (at % PAGE == 0 ? 2 : 0)));
}

/* They arrive writable, because of others. */
static void pages_that_are_only_read_are_not_written(void **state)
{
	enum { EACH = 4 };
	uint64_t changed = 0;

	(void)state;
	for (unsigned round = 0; round < 4; round++) {
		go_through(EACH);
		changed += PAGES / EACH;
	}
	assert_true(lg_load_relaxed(&map->forecast) > 0);
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	assert_true(atomic_load(&shelf.written_bytes) <= changed * PAGE);
	for (unsigned i = 0; i < PAGES; i++)
		assert_int_equal(shelf.bytes[place(i)],
				 (char)(shelf_byte(place(i)) + (i % EACH == 0 ? 4 : 0)));
}

static void pages_of_a_map_that_is_only_read_come_read_only(void **state)
{
	(void)state;
	go_through(1);
	go_through(0);
	go_through(0);
	assert_false(lg_load_relaxed(&map->forecast) > 0);
	uint64_t before = stats_now().protect_faults;
	data[place(PAGES - 1)]++;
	assert_int_equal(stats_now().protect_faults, before + 1);
}

/* As after many pages that were written. */
static void expect_writes(void)
{
	lg_store_relaxed(&map->forecast, LG_FORECAST_MOST);
}

static void read_on(unsigned i, unsigned end)
{
	for (; i < end; i++)
		assert_int_equal(data[place(i)], shelf_byte(place(i)));
}

/* They leave without its store, which takes nothing: a touch that finds no memory is SIGBUS. */
static void pages_that_are_only_read_leave_though_the_store_refuses(void **state)
{
	enum { WRITTEN = 200, IN_MEMORY = 1000 };

	(void)state;
	expect_writes();
	read_on(WRITTEN, WRITTEN + IN_MEMORY);
	atomic_store(&shelf.writes_fail, SHELF_FOR_EVER);
	for (unsigned i = 0; i < WRITTEN; i++)
		data[place(i)]++;
	read_on(WRITTEN, PAGES);
	assert_true(lg_pager_frame_bytes(pager, LG_FRAME_REFUSED) <= WRITTEN * (uint64_t)PAGE);
	atomic_store(&shelf.writes_fail, 0);
	assert_int_equal(lg_map_sync(map, 0, 0), -EIO); /* it failed meanwhile */
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
}

/* Amid what is read ahead; a map of several mappings takes several calls. */
static void descriptor_that_the_program_closed_is_an_error(void **state)
{
	static const char from[PAGE];
	int fd = pager->userfault.descriptor.fd;

	(void)state;
	pager->userfault.descriptor.fd = -1;
	assert_int_equal(lg_fill_copy(map, 0, 1, from, false, true), -EBADF);
	pager->userfault.descriptor.fd = fd;
}

/* It arrives writable, is found to be as the store has it, and is written after that. */
static void what_is_written_after_a_sync_is_counted_once(void **state)
{
	volatile char *at = data;

	(void)state;
	expect_writes();
	char seen = *at;
	assert_int_equal(lg_map_sync(map, 0, PAGE), 0);
	uint64_t before = stats_now().bytes_dirtied;
	*at = (char)(seen + 1);
	assert_int_equal(lg_map_advise(map, 0, PAGE, LG_COLD), 0);
	assert_int_equal(stats_now().bytes_dirtied - before, PAGE);
}

static void what_a_sync_writes_is_counted(void **state)
{
	volatile char *at = data;

	(void)state;
	expect_writes();
	char seen = *at;
	struct lg_pager_stats before = stats_now();
	*at = (char)(seen + 1);
	assert_int_equal(lg_map_sync(map, 0, PAGE), 0);
	struct lg_pager_stats after = stats_now();
	assert_int_equal(after.bytes_written - before.bytes_written, PAGE);
	assert_int_equal(after.bytes_dirtied - before.bytes_dirtied, PAGE);
}

/* Which the store of memory is not given. */
static void what_becomes_zeros_is_counted(void **state)
{
	lg_map *memory = lg_map_memory(pager, PAGE, "reserve:lazy");
	volatile char *at = lg_map_data(memory);

	(void)state;
	assert_non_null(memory);
	*at = 1;
	assert_int_equal(lg_map_advise(memory, 0, PAGE, LG_COLD), 0);
	lg_store_relaxed(&memory->forecast, LG_FORECAST_MOST);
	uint64_t before = stats_now().bytes_dirtied;
	assert_int_equal(*at, 1);
	*at = 0;
	assert_int_equal(lg_map_advise(memory, 0, PAGE, LG_COLD), 0);
	assert_int_equal(stats_now().bytes_dirtied - before, PAGE);
	assert_int_equal(*at, 0);
	assert_int_equal(lg_map_close(memory), 0);
}

/* While another page is written. */
static ssize_t write_and_protect(void *context, const void *buffer, size_t length, uint64_t offset)
{
	CLAIM(mprotect(data + 2 * PAGE, PAGE, PROT_NONE) == 0);
	return shelf_write(context, buffer, length, offset);
}

static int start_protecting(void **state)
{
	struct lg_store_ops ops = shelf_ops;

	(void)state;
	ops.write = write_and_protect;
	return shelved_start("memory:4M,page:4K,faults:inline,prefetch:off", &ops,
			     (size_t)PAGES * PAGE);
}

static void page_that_becomes_unreadable_amid_a_sync_is_an_error(void **state)
{
	(void)state;
	expect_writes();
	for (unsigned page = 0; page < 3; page++)
		(void)*(volatile char *)&data[page * PAGE];
	data[0]++;
	assert_int_equal(lg_map_sync(map, 0, 0), -EFAULT);
	assert_int_equal(mprotect(data + 2 * PAGE, PAGE, PROT_READ | PROT_WRITE), 0);
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	assert_int_equal(shelf.bytes[0], (char)(shelf_byte(0) + 1));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, shelved_end)
		cmocka_unit_test(one_that_is_written_counts_for_eight_that_are_not),
		cmocka_unit_test(what_was_long_is_soon_forgotten),
		TEST(pages_that_are_read_and_written_fault_once),
		TEST(pages_that_are_only_read_are_not_written),
		TEST(pages_of_a_map_that_is_only_read_come_read_only),
		TEST(pages_that_are_only_read_leave_though_the_store_refuses),
		TEST(descriptor_that_the_program_closed_is_an_error),
		TEST(what_is_written_after_a_sync_is_counted_once),
		TEST(what_a_sync_writes_is_counted),
		TEST(what_becomes_zeros_is_counted),
		cmocka_unit_test_setup_teardown(
			page_that_becomes_unreadable_amid_a_sync_is_an_error, start_protecting,
			shelved_end),
	};

	return UNIT_RUN(tests);
}
