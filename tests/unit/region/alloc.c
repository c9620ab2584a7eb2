/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* New and free through the public calls; which rung of the ladder served, by the books. */
#include "os/map.h"
#include "region/pool.h"
#include "region/reclaim.h"
#include "region/sanitizer.h"
#include "unit/region/library.h"

#include <errno.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

enum { HELD_MAX = 2000 };

static struct lg_region *held[HELD_MAX];

static int clean_up(void **state)
{
	assert_int_equal(lg_configure("cache_bytes:64M,dirty_bytes:64T"), 0);
	assert_int_equal(library_trim(state), 0);
	check_all_areas();
	struct lg_stats stats;
	assert_int_equal(lg_stats_read(&stats), 0);
	assert_true(stats.totals.in_use == 0);
	assert_true(stats.cached_bytes + stats.dirty_bytes + stats.lazy_bytes == 0);
	assert_true(stats.area_bytes == 0);
	return 0;
}

static bool reads_zero(struct lg_region *region)
{
	const uint64_t *words = lg_region_data(region);

	for (size_t i = 0; i < lg_region_size(region) / sizeof(*words); i++)
		if (words[i] != 0)
			return false;
	return true;
}

static void capacity_is_the_next_power_of_two_and_a_page_at_least(void **state)
{
	size_t page = lg_os_page_bytes();

	(void)state;
	for (size_t bytes = 1; bytes <= 64 * MIB; bytes = bytes * 3 / 2 + 1) {
		struct lg_region *region = lg_region_new(bytes);

		assert_non_null(region);
		size_t size = lg_region_size(region);
		assert_true(size >= bytes && size >= page && (size & (size - 1)) == 0);
		assert_true(size == page || size / 2 < bytes);
		uintptr_t data = (uintptr_t)lg_region_data(region);
		assert_true(data % (size < 2 * MIB ? size : 2 * MIB) == 0);
		((char *)data)[0] = ((char *)data)[size - 1] = 1;
		lg_region_free(region);
	}
}

static void live_regions_do_not_overlap(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 300; i++) {
		held[i] = lg_region_new((4 * KIB) << i % 5);
		assert_non_null(held[i]);
		memset(lg_region_data(held[i]), (int)i, lg_region_size(held[i]));
	}
	for (unsigned i = 0; i < 300; i++) {
		const unsigned char *data = lg_region_data(held[i]);

		for (size_t at = 0; at < lg_region_size(held[i]); at += 512)
			assert_int_equal(data[at], i & 255);
		lg_region_free(held[i]);
	}
}

static void free_keeps_errno_and_takes_null(void **state)
{
	(void)state;
	errno = 4711;
	lg_region_free(NULL);
	assert_int_equal(errno, 4711);
	for (unsigned i = 0; i < 300; i++)
		held[i] = lg_region_new(256 * KIB);
	errno = 4711;
	for (unsigned i = 0; i < 300; i++)
		lg_region_free(held[i]);
	assert_int_equal(errno, 4711);
	struct lg_region *large = lg_region_new(128 * MIB);
	assert_int_equal(lg_configure("dirty_bytes:0"),
			 0); /* given back at once, by system calls */
	errno = 4711;
	lg_region_free(large);
	assert_int_equal(errno, 4711);
}

static void success_says_nothing_new_in_lg_error(void **state)
{
	(void)state;
	errno = 0;
	assert_null(lg_region_new(0));
	char *before = strdup(lg_error());
	assert_non_null(before);
	for (unsigned i = 0; i < 40; i++)
		held[i] = lg_region_new(1 * MIB);
	for (unsigned i = 0; i < 40; i++)
		lg_region_free(held[i]);
	assert_string_equal(lg_error(), before);
	free(before);
}

static void zeroed_region_reads_zero_whatever_was_there(void **state)
{
	(void)state;
	for (size_t bytes = 4 * KIB; bytes <= 8 * MIB; bytes *= 2) {
		for (unsigned round = 0; round < 3; round++) {
			unsigned count = bytes < MIB ? 20 : 3;

			for (unsigned i = 0; i < count; i++) {
				held[i] = lg_region_new_zeroed(bytes);
				assert_non_null(held[i]);
				assert_true(reads_zero(held[i]));
				memset(lg_region_data(held[i]), 0x5a, lg_region_size(held[i]));
			}
			for (unsigned i = 0; i < count; i++)
				lg_region_free(held[i]);
			if (round == 1) { /* through the pools, and through the system and back */
				lg_thread_flush();
				lg_reclaim_tick(UINT64_MAX);
				lg_reclaim_tick(UINT64_MAX);
			}
		}
	}
}

static void fresh_region_is_zero_without_writing(void **state)
{
	unsigned class = lg_class_of(4 * MIB);
	uint64_t before = stats_of(class).zeroed;

	(void)state;
	struct lg_region *region = lg_region_new_zeroed(4 * MIB);
	assert_true(stats_of(class).zeroed == before);
	assert_true(reads_zero(region));
	memset(lg_region_data(region), 1, 4 * MIB);
	lg_region_free(region);
	assert_int_equal(lg_trim(), 0);
	region = lg_region_new_zeroed(4 * MIB);
	assert_true(stats_of(class).zeroed == before);
	assert_true(reads_zero(region));
	lg_region_free(region);
}

/* One region at a time down the ladder; the rung above has nothing each time. */
static void each_rung_serves_and_is_counted(void **state)
{
	unsigned class = lg_class_of(1 * MIB);
	struct lg_class_stats was = stats_of(class), is;
	struct lg_region *chain[LG_CHAIN];

	(void)state;
	if (lg_sanitizer_active)
		skip();
	struct lg_region *region = lg_region_new(1 * MIB);
	is = stats_of(class);
	assert_true(is.from_clean == was.from_clean + 1 && is.refills == was.refills + 1);
	assert_true(is.allocations == was.allocations + 1 && is.in_use == 1);
	was = is;
	lg_region_free(region);
	region = lg_region_new(1 * MIB);
	is = stats_of(class);
	assert_true(is.from_magazine == was.from_magazine + 1 && is.frees == was.frees + 1);
	was = is;
	lg_region_free(region);
	lg_thread_flush();
	is = stats_of(class);
	assert_true(is.dirty > 0 && is.cached == 0);
	was = stats_of(class);
	region = lg_region_new(1 * MIB);
	is = stats_of(class);
	assert_true(is.from_dirty == was.from_dirty + 1);
	lg_region_free(region);
	lg_thread_flush();
	unsigned got;
	while ((got = lg_pool_take_dirty(class, chain, true)) > 0)
		assert_int_equal(lg_reclaim_regions(class, chain, got, true), 0);
	was = stats_of(class);
	region = lg_region_new(1 * MIB);
	is = stats_of(class);
	if (backing_is_anon())
		assert_true(is.from_lazy == was.from_lazy + 1);
	else
		assert_true(is.from_clean == was.from_clean + 1);
	assert_true(is.refills == was.refills);
	lg_region_free(region);
}

static void every_class_is_counted_while_it_lives(void **state)
{
	(void)state;
	for (size_t bytes = lg_os_page_bytes(); bytes <= 1024 * MIB; bytes *= 2) {
		unsigned class = lg_class_of(bytes);
		struct lg_region *region = lg_region_new(bytes);

		if (region == NULL && bytes > 64 * MIB) {
			assert_true(errno == ENOSPC || errno == ENOMEM || errno == EFBIG);
			break; /* a small disk */
		}
		assert_non_null(region);
		assert_int_equal(stats_of(class).in_use, 1);
		assert_true(stats_of(class).backing_bytes >= bytes);
		lg_region_free(region);
		assert_int_equal(stats_of(class).in_use, 0);
	}
}

/* Books: what was handed out, and where everything else is. */
static void every_region_of_an_area_is_somewhere(void **state)
{
	unsigned class = lg_class_of(64 * KIB);

	(void)state;
	for (unsigned round = 0; round < 10; round++) {
		for (unsigned i = 0; i < 700; i++)
			held[i] = lg_region_new(64 * KIB);
		for (unsigned i = 0; i < 700; i += 1 + round % 3) {
			lg_region_free(held[i]);
			held[i] = NULL;
		}
		struct lg_class_stats is = stats_of(class);
		assert_true(is.in_use + is.cached + is.dirty + is.lazy + is.clean ==
			    is.area_bytes / is.size);
		assert_true(is.cached == is.in_magazines + is.in_deques);
		assert_true(is.allocations == is.from_magazine + is.from_deque + is.from_dirty +
						      is.from_lazy + is.from_clean + is.steals);
		for (unsigned i = 0; i < 700; i++)
			if (held[i] != NULL)
				lg_region_free(held[i]);
	}
}

static void growth_doubles_and_areas_stay_few(void **state)
{
	unsigned class = lg_class_of(64 * KIB);
	uint64_t before = stats_of(class).refills;

	(void)state;
	for (unsigned i = 0; i < HELD_MAX; i++)
		held[i] = lg_region_new(64 * KIB);
	assert_in_range(stats_of(class).areas, 1, 4); /* 32, 32, 64 … MiB */
	assert_true(stats_of(class).refills - before == stats_of(class).areas);
	for (unsigned i = 0; i < HELD_MAX; i++)
		lg_region_free(held[i]);
}

static void region_of_any_address_inside_is_the_region(void **state)
{
	struct lg_region *region = lg_region_new(64 * KIB);
	char *data = lg_region_data(region);

	(void)state;
	assert_ptr_equal(lg_region_of(data), region);
	assert_ptr_equal(lg_region_of(data + 64 * KIB - 1), region);
	assert_ptr_not_equal(lg_region_of(data + 64 * KIB), region);
	assert_ptr_not_equal(lg_region_of(data - 1), region);
	assert_null(lg_region_of(NULL));
	assert_null(lg_region_of(&region));
	lg_region_free(region);
	assert_null(lg_region_of(data));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, clean_up, clean_up)
	const struct CMUnitTest tests[] = {
		TEST(capacity_is_the_next_power_of_two_and_a_page_at_least),
		TEST(live_regions_do_not_overlap),
		TEST(free_keeps_errno_and_takes_null),
		TEST(success_says_nothing_new_in_lg_error),
		TEST(zeroed_region_reads_zero_whatever_was_there),
		TEST(fresh_region_is_zero_without_writing),
		TEST(each_rung_serves_and_is_counted),
		TEST(every_class_is_counted_while_it_lives),
		TEST(every_region_of_an_area_is_somewhere),
		TEST(growth_doubles_and_areas_stay_few),
		TEST(region_of_any_address_inside_is_the_region),
	};

	return cmocka_run_group_tests(tests, library_start, NULL);
}
