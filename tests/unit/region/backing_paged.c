/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Regions on a pager with a budget of 4 MiB, or 16 MiB where pages have 2: what is out stays what it is, and what is
 * given back is gone, whatever the page.
 */
#include "region/advise.h"

#include "os/map.h"
#include "pager/policy.h"
#include "pager/roster.h"
#include "stress/clock.h"
#include "unit/region/library.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

enum { REGIONS = 200 };

static struct lg_region *held[REGIONS];

static size_t page_bytes(void)
{
	return lg_option(paged_page);
}

/* Of some pages, and in the budget. */
static size_t some_pages(void)
{
	return lg_max(2 * MIB, 4 * page_bytes());
}

static struct lg_pager_stats paging(void)
{
	struct lg_pager_stats stats = { .budget = 0 };
	struct lg_roster roster;

	lg_roster_read(&roster);
	for (size_t i = 0; i < roster.count; i++)
		if (strcmp(roster.entries[i].name, "regions") == 0)
			stats = roster.entries[i].stats;
	lg_roster_end(&roster);
	assert_int_equal(stats.budget, lg_option(paged_memory));
	assert_true(stats.resident <= stats.budget);
	assert_true(stats.peak <= stats.budget);
	return stats;
}

static struct lg_usage usage_now(void)
{
	struct lg_usage usage;

	assert_int_equal(lg_usage_read(&usage), 0);
	return usage;
}

/* Of the region alone: a touch of its last page may have brought some of its neighbour's in. */
static uint64_t resident_bytes(struct lg_region *region)
{
	uint64_t bytes = 0;

	assert_int_equal(lg_os_resident(lg_region_data(region), lg_region_size(region), &bytes), 0);
	return bytes;
}

static void fill(struct lg_region *region, uint64_t mark)
{
	uint64_t *words = lg_region_data(region);

	for (size_t i = 0; i < lg_region_size(region) / sizeof(*words); i++)
		words[i] = mark << 32 | i;
}

static bool holds(struct lg_region *region, size_t from, size_t to, uint64_t mark)
{
	const uint64_t *words = lg_region_data(region);

	for (size_t i = from / sizeof(*words); i < to / sizeof(*words); i++)
		if (words[i] != (mark << 32 | i))
			return false;
	return true;
}

static bool reads_zero(struct lg_region *region, size_t from, size_t to)
{
	const char *data = lg_region_data(region);

	for (size_t i = from; i < to; i++)
		if (data[i] != 0)
			return false;
	return true;
}

/* First, for it is refused before there is a pager. */
static void memory_of_less_than_eight_pages_is_refused(void **state)
{
	uint64_t memory = lg_option(paged_memory), page = lg_option(paged_page);

	(void)state;
	lg_store_relaxed(&lg_options.paged_memory, 15 * MIB);
	lg_store_relaxed(&lg_options.paged_page, 2 * MIB);
	errno = 0;
	assert_null(lg_region_new(MIB));
	assert_int_equal(errno, EINVAL);
	assert_non_null(strstr(lg_error(), "paged_memory, 15728640 bytes"));
	assert_non_null(strstr(lg_error(), "8 pages of paged_page, 2097152 bytes"));
	lg_store_relaxed(&lg_options.paged_memory, memory);
	lg_store_relaxed(&lg_options.paged_page, page);
}

static void pager_has_the_page_and_the_policy_of_the_options(void **state)
{
	struct lg_region *region = lg_region_new(MIB);
	struct lg_policy policy;
	struct lg_roster roster;
	size_t found = 0;

	(void)state;
	assert_non_null(region);
	assert_true(lg_policy_at((unsigned)lg_option(paged_policy), &policy));
	lg_roster_read(&roster);
	for (size_t i = 0; i < roster.count; i++) {
		if (strcmp(roster.entries[i].name, "regions") != 0)
			continue;
		found++;
		assert_int_equal(roster.entries[i].page_bytes, page_bytes());
		assert_string_equal(roster.entries[i].policy, policy.ops->name);
	}
	lg_roster_end(&roster);
	assert_int_equal(found, 1);
	lg_region_free(region);
}

static void regions_larger_than_the_budget_keep_their_bytes(void **state)
{
	(void)state;
	for (unsigned turn = 0; turn < 2; turn++) {
		for (size_t bytes = 4 * KIB; bytes <= 64 * MIB; bytes *= 4) {
			unsigned count = bytes * REGIONS <= 32 * MIB ? REGIONS :
					 bytes >= 32 * MIB           ? 1 :
								       (unsigned)(32 * MIB / bytes);

			for (unsigned i = 0; i < count; i++) {
				held[i] = turn == 0 ? lg_region_new(bytes) :
						      lg_region_new_zeroed(bytes);
				assert_non_null(held[i]);
				if (turn == 1)
					assert_true(reads_zero(held[i], 0, bytes));
				fill(held[i], i);
			}
			for (unsigned i = 0; i < count; i++) {
				assert_true(holds(held[i], 0, bytes, i));
				lg_region_free(held[i]);
			}
		}
		assert_true(paging().evictions > 0);
	}
}

static void region_that_outgrows_the_budget_keeps_its_bytes(void **state)
{
	struct lg_region *region = lg_region_new(4 * KIB);

	(void)state;
	assert_non_null(region);
	for (size_t bytes = 4 * KIB; bytes < 32 * MIB; bytes *= 2) {
		fill(region, bytes);
		region = lg_region_resize(region, 2 * bytes);
		assert_non_null(region);
		assert_true(holds(region, 0, bytes, bytes));
	}
	fill(region, 5);
	for (size_t bytes = 32 * MIB; bytes >= 4 * KIB; bytes /= 2) {
		region = lg_region_resize(region, bytes);
		assert_non_null(region);
		assert_true(holds(region, 0, bytes, 5));
	}
	lg_region_free(region);
}

static void neighbours_of_a_freed_region_stay(void **state)
{
	(void)state;
	for (size_t bytes = 4 * KIB; bytes <= 256 * KIB; bytes *= 4) {
		for (unsigned i = 0; i < REGIONS; i++) {
			held[i] = lg_region_new(bytes);
			fill(held[i], i);
		}
		for (unsigned i = 0; i < REGIONS; i += 2)
			lg_region_free(held[i]);
		assert_int_equal(lg_trim(), 0);
		for (unsigned i = 1; i < REGIONS; i += 2) {
			assert_true(holds(held[i], 0, bytes, i));
			lg_region_free(held[i]);
		}
	}
}

/* Of what a writer takes away memory is given back a moment later. */
static void await_memory_gone(void)
{
	double hang = clock_hang();

	/* Buffers that were read through, and for a page. */
	while (paging().resident > 2 * MIB + page_bytes()) {
		if (clock_passed(hang))
			fail_msg("%llu bytes", (unsigned long long)paging().resident);
		clock_breathe();
	}
	assert_int_equal(paging().limbo, 0);
}

static void trim_gives_memory_and_disk_back(void **state)
{
	(void)state;
	for (unsigned turn = 0; turn < 3; turn++) {
		for (unsigned i = 0; i < 32; i++) {
			held[i] = lg_region_new(MIB);
			fill(held[i], i);
		}
		assert_true(usage_now().resident_bytes > MIB);
		assert_true(usage_now().disk_bytes >= 32 * MIB || !lg_option(reserve));
		for (unsigned i = 0; i < 32; i++)
			lg_region_free(held[i]);
		assert_int_equal(lg_trim(), 0);
		assert_int_equal(usage_now().resident_bytes, 0);
		assert_int_equal(usage_now().disk_bytes, 0);
		await_memory_gone();
	}
}

/* A touch goes on when its page is there, and who brought it may not be done with it: it stays then, that time. */
static void make_cold(struct lg_region *region)
{
	double hang = clock_hang();

	do {
		assert_false(clock_passed(hang));
		assert_int_equal(lg_region_advise(region, 0, 0, LG_COLD), 0);
	} while (resident_bytes(region) > 0);
}

static void cold_regions_are_out_and_come_back(void **state)
{
	size_t bytes = some_pages();
	struct lg_region *region = lg_region_new(bytes);

	(void)state;
	for (uint64_t turn = 0; turn < 5; turn++) {
		fill(region, turn);
		make_cold(region);
		await_memory_gone();
		assert_true(holds(region, 0, bytes, turn));
	}
	make_cold(region);
	uint64_t read = paging().prefetched;
	assert_int_equal(lg_region_advise(region, 0, bytes / 2, LG_WILLNEED), 0);
	double hang = clock_hang();
	while (paging().prefetched < read + bytes / 2 / page_bytes()) {
		assert_false(clock_passed(hang));
		clock_breathe();
	}
	assert_true(holds(region, 0, bytes, 4));
	lg_region_free(region);
}

/* Zeros are not stored, but the region lives. */
static void region_that_is_cleared_keeps_its_blocks(void **state)
{
	size_t bytes = some_pages();
	struct lg_region *region = lg_region_new(bytes);

	(void)state;
	fill(region, 5);
	make_cold(region);
	uint64_t disk = usage_now().disk_bytes;
	memset(lg_region_data(region), 0, bytes);
	make_cold(region);
	/* A full disk cannot take away what was reserved. */
	assert_int_equal(usage_now().disk_bytes, lg_option(reserve) ? disk : 0);
	assert_true(reads_zero(region, 0, bytes));
	lg_region_free(region);
}

static void dead_pages_are_gone_without_io_and_others_stay(void **state)
{
	size_t page = page_bytes(), bytes = some_pages(), kernel = 4 * KIB;
	size_t first = lg_round_up(kernel, page), end = lg_round_down(2 * page + kernel, page);
	struct lg_region *region = lg_region_new(bytes);

	(void)state;
	fill(region, 7);
	uint64_t written = paging().bytes_written, disk = usage_now().disk_bytes;
	assert_int_equal(lg_region_advise(region, kernel, 2 * page, LG_DEAD), 0);
	assert_true(holds(region, 0, first, 7)); /* not wholly inside */
	assert_true(reads_zero(region, first, end));
	assert_true(holds(region, end, bytes, 7));
	if (page > kernel)
		assert_int_equal(lg_region_advise(region, 3 * page, page - kernel, LG_DEAD), 0);
	assert_true(holds(region, end, bytes, 7));
	assert_int_equal(lg_region_advise(region, 0, 0, LG_DEAD), 0);
	assert_true(reads_zero(region, 0, bytes));
	assert_int_equal(paging().bytes_written, written);
	/* A full disk cannot take away what was reserved. */
	assert_int_equal(usage_now().disk_bytes, lg_option(reserve) ? disk : 0);
	lg_region_free(region);
}

/* Beyond the budget, so that most of it is out as it dies. */
static void dead_pages_that_were_out_read_zero(void **state)
{
	size_t page = page_bytes(), bytes = 32 * MIB;
	struct lg_region *region = lg_region_new(bytes);

	(void)state;
	fill(region, 9);
	for (size_t at = 0; at < bytes; at += 4 * page)
		assert_int_equal(lg_region_advise(region, at, page, LG_DEAD), 0);
	for (size_t at = 0; at < bytes; at += 4 * page) {
		assert_true(reads_zero(region, at, at + page));
		assert_true(holds(region, at + page, at + 4 * page, 9));
	}
	lg_region_free(region);
	region = lg_region_new_zeroed(bytes);
	assert_true(reads_zero(region, 0, bytes));
	lg_region_free(region);
}

/* The pager finds streams itself: the kernel is not asked, whose mapping the advice would cut to pieces. */
static void advice_on_the_order_changes_nothing(void **state)
{
	struct lg_region *region = lg_region_new(8 * MIB);

	(void)state;
	assert_int_equal(lg_region_advise(region, 0, 0, LG_SEQUENTIAL), 0);
	assert_int_equal(lg_region_state(region), LG_LIVE);
	fill(region, 3);
	assert_int_equal(lg_region_advise(region, 0, 0, LG_RANDOM), 0);
	assert_true(holds(region, 0, 8 * MIB, 3));
	assert_int_equal(lg_region_advise(region, 0, 0, LG_NORMAL), 0);
	lg_region_free(region);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, library_trim)
	const struct CMUnitTest tests[] = {
		TEST(memory_of_less_than_eight_pages_is_refused),
		TEST(pager_has_the_page_and_the_policy_of_the_options),
		TEST(regions_larger_than_the_budget_keep_their_bytes),
		TEST(region_that_outgrows_the_budget_keeps_its_bytes),
		TEST(neighbours_of_a_freed_region_stay),
		TEST(trim_gives_memory_and_disk_back),
		TEST(cold_regions_are_out_and_come_back),
		TEST(region_that_is_cleared_keeps_its_blocks),
		TEST(dead_pages_are_gone_without_io_and_others_stay),
		TEST(dead_pages_that_were_out_read_zero),
		TEST(advice_on_the_order_changes_nothing),
	};

	return cmocka_run_group_tests(tests, library_start, NULL);
}
