/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Resizing: what the bytes are afterwards, and which way they went. */
#include "os/map.h"
#include "region/mappings.h"
#include "region/sanitizer.h"
#include "unit/region/library.h"

#include <errno.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

/* A word in every page and the last byte: cheap to write, and any page that is another's shows. */
static void fill(struct lg_region *region, size_t bytes, uint64_t mark)
{
	unsigned char *data = lg_region_data(region);

	for (size_t at = 0; at + sizeof(mark) <= bytes; at += 4096) {
		uint64_t word = mark + at;

		memcpy(data + at, &word, sizeof(word));
	}
	data[bytes - 1] = (unsigned char)mark;
}

static bool holds(struct lg_region *region, size_t bytes, uint64_t mark, bool whole)
{
	unsigned char *data = lg_region_data(region);

	for (size_t at = 0; at + sizeof(mark) <= bytes; at += 4096) {
		uint64_t word;

		memcpy(&word, data + at, sizeof(word));
		if (word != mark + at)
			return false;
	}
	return !whole || data[bytes - 1] == (unsigned char)mark;
}

/* Whether this kernel moves pages at all, and a range of two mappings, which it does from 6.17 on. */
static bool kernel_moves(bool two_mappings)
{
	size_t page = lg_os_page_bytes();
	void *from, *to;

	assert_int_equal(lg_os_reserve(2 * page, page, &from), 0);
	assert_int_equal(lg_os_reserve(2 * page, page, &to), 0);
	assert_int_equal(lg_os_map_anon(from, 2 * page), 0);
	assert_int_equal(lg_os_map_anon(to, 2 * page), 0);
	if (two_mappings)
		assert_int_equal(lg_os_advise((char *)from + page, page, LG_OS_RANDOM), 0);
	*(char *)from = 'm';
	bool moves = lg_os_move(from, to, 2 * page) == 0 && *(char *)to == 'm';
	lg_os_unreserve(from, 2 * page);
	lg_os_unreserve(to, 2 * page);
	return moves;
}

static struct lg_class_stats totals(void)
{
	struct lg_stats stats;

	assert_int_equal(lg_stats_read(&stats), 0);
	return stats.totals;
}

static void same_capacity_is_the_same_region(void **state)
{
	struct lg_region *region = lg_region_new(64 * KIB);

	(void)state;
	assert_non_null(region);
	fill(region, 64 * KIB, 7);
	for (size_t bytes = 32 * KIB + 1; bytes <= 64 * KIB; bytes += 1023)
		assert_ptr_equal(lg_region_resize(region, bytes), region);
	assert_ptr_equal(lg_region_resize(region, 64 * KIB), region);
	assert_true(holds(region, 64 * KIB, 7, true));
	lg_region_free(region);
	region = lg_region_new(1);
	size_t least = lg_region_size(region);
	assert_ptr_equal(lg_region_resize(region, 1), region);
	assert_ptr_equal(lg_region_resize(region, least), region);
	lg_region_free(region);
}

static void no_region_is_an_allocation(void **state)
{
	struct lg_region *region = lg_region_resize(NULL, 100 * KIB);

	(void)state;
	assert_non_null(region);
	assert_true(lg_region_size(region) == 128 * KIB);
	lg_region_free(region);
	errno = 0;
	assert_null(lg_region_resize(NULL, 0));
	assert_int_equal(errno, EINVAL);
}

static void failure_leaves_the_old_region_intact(void **state)
{
	struct lg_region *region = lg_region_new(64 * KIB);

	(void)state;
	fill(region, 64 * KIB, 99);
	errno = 0;
	assert_null(lg_region_resize(region, 0));
	assert_int_equal(errno, EINVAL);
	errno = 0;
	assert_null(lg_region_resize(region, SIZE_MAX));
	assert_int_equal(errno, ENOMEM);
	assert_true(lg_error()[0] != '\0');
	assert_true(holds(region, 64 * KIB, 99, true));
	assert_ptr_equal(lg_region_of(lg_region_data(region)), region);
	lg_region_free(region);
}

static void contents_go_along_a_chain_of_growing_and_shrinking(void **state)
{
	struct lg_region *region = lg_region_new(4 * KIB);
	size_t have = lg_region_size(region);
	uint64_t mark = 1;

	(void)state;
	fill(region, have, mark);
	for (size_t bytes = have * 2; bytes <= 64 * MIB; bytes *= 2) {
		region = lg_region_resize(region, bytes);
		assert_non_null(region);
		assert_true(lg_region_size(region) == bytes);
		assert_true(holds(region, have, mark, true));
		have = bytes;
		fill(region, have, ++mark);
	}
	for (size_t bytes = 32 * MIB; bytes >= 4096; bytes /= 2) {
		region = lg_region_resize(region, bytes);
		assert_non_null(region);
		assert_true(lg_region_size(region) == (bytes < 4096 ? 4096 : bytes));
		assert_true(holds(region, bytes, mark, false));
	}
	assert_true(totals().in_use == 1);
	lg_region_free(region);
	assert_true(totals().in_use == 0);
}

/* And steps of many classes at once, over regions that pages were moved to and from before. */
static void contents_survive_any_steps(void **state)
{
	struct lg_region *regions[4];
	size_t bytes[4];
	uint64_t marks[4], seed = 4101842887655102017u, next = 1;

	(void)state;
	for (unsigned i = 0; i < 4; i++) {
		bytes[i] = 64 * KIB;
		regions[i] = lg_region_new(bytes[i]);
		fill(regions[i], bytes[i], marks[i] = next++);
	}
	for (unsigned step = 0; step < 150; step++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		unsigned i = (unsigned)(seed % 4);
		size_t wanted = (size_t)4 * KIB << (seed >> 8) % 13;
		size_t kept = wanted < bytes[i] ? wanted : bytes[i];

		regions[i] = lg_region_resize(regions[i], wanted);
		assert_non_null(regions[i]);
		assert_true(holds(regions[i], kept, marks[i], wanted >= bytes[i]));
		bytes[i] = wanted;
		fill(regions[i], bytes[i], marks[i] = next++);
		for (unsigned k = 0; k < 4; k++)
			assert_true(holds(regions[k], bytes[k], marks[k], true));
		if (step % 16 == 0)
			assert_int_equal(lg_trim(), 0);
	}
	for (unsigned i = 0; i < 4; i++)
		lg_region_free(regions[i]);
	check_all_areas();
}

static void large_anonymous_regions_are_moved_and_others_copied(void **state)
{
	struct lg_region *region = lg_region_new(8 * MIB);
	struct lg_class_stats before = totals();
	bool moves = backing_is_anon() && !lg_sanitizer_active && kernel_moves(false);

	(void)state;
	fill(region, 8 * MIB, 5);
	region = lg_region_resize(region, 16 * MIB);
	assert_non_null(region);
	assert_true(holds(region, 8 * MIB, 5, true));
	assert_true(totals().moved + totals().copied == before.moved + before.copied + 1);
	assert_true(totals().moved == before.moved + moves);
	before = totals();
	region = lg_region_resize(region, 4 * MIB);
	assert_true(holds(region, 4 * MIB, 5, false));
	assert_true(totals().moved == before.moved + moves);
	lg_region_free(region);
	region = lg_region_new(8 * KIB);
	fill(region, 8 * KIB, 6);
	before = totals();
	region = lg_region_resize(region, 32 * KIB);
	assert_true(holds(region, 8 * KIB, 6, true));
	assert_true(totals().copied == before.copied + 1);
	assert_true(totals().moved == before.moved);
	lg_region_free(region);
}

/* Growing by doubling is what realloc is used for most: each step of it pays. */
static void every_step_of_a_growing_chain_is_moved(void **state)
{
	struct lg_region *region = lg_region_new(MIB);
	struct lg_class_stats before = totals();
	unsigned steps = 0;

	(void)state;
	fill(region, MIB, 1);
	for (size_t bytes = 2 * MIB; bytes <= 128 * MIB; bytes *= 2, steps++) {
		region = lg_region_resize(region, bytes);
		assert_non_null(region);
		assert_true(holds(region, bytes / 2, steps + 1, true));
		fill(region, bytes, steps + 2);
	}
	if (backing_is_anon() && !lg_sanitizer_active && kernel_moves(true))
		assert_true(totals().moved == before.moved + steps);
	else if (!backing_is_anon() || lg_sanitizer_active)
		assert_true(totals().copied == before.copied + steps);
	lg_region_free(region);
}

static void without_mappings_left_contents_are_copied(void **state)
{
	struct lg_region *region = lg_region_new(4 * MIB);
	uint32_t all = 0;

	(void)state;
	fill(region, 4 * MIB, 3);
	assert_int_equal(lg_trim(), 0); /* no region was moved to before */
	while (lg_mappings_take(1))
		all++;
	struct lg_class_stats before = totals();
	region = lg_region_resize(region, 8 * MIB);
	assert_non_null(region);
	assert_true(holds(region, 4 * MIB, 3, true));
	assert_true(totals().copied == before.copied + 1);
	assert_true(totals().moved == before.moved);
	lg_mappings_give(all);
	lg_region_free(region);
}

/* What was moved away must not be seen in the next region there, nor zero be where it is not. */
static void source_of_a_move_is_reused_as_any_other(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		struct lg_region *region = lg_region_new(2 * MIB);

		fill(region, 2 * MIB, 100 + i);
		region = lg_region_resize(region, 4 * MIB);
		struct lg_region *next = lg_region_new_zeroed(2 * MIB);
		unsigned char *data = lg_region_data(next);
		for (size_t at = 0; at < 2 * MIB; at++)
			assert_int_equal(data[at], 0);
		fill(next, 2 * MIB, 200 + i);
		assert_true(holds(region, 2 * MIB, 100 + i, true));
		lg_region_free(region);
		assert_true(holds(next, 2 * MIB, 200 + i, true));
		lg_region_free(next);
	}
}

static void advised_region_is_resized_like_any_other(void **state)
{
	struct lg_region *region = lg_region_new(2 * MIB);

	(void)state;
	fill(region, 2 * MIB, 11);
	assert_int_equal(lg_region_advise(region, 0, 0, LG_SEQUENTIAL), 0);
	region = lg_region_resize(region, 8 * MIB);
	assert_non_null(region);
	assert_true(holds(region, 2 * MIB, 11, true));
	assert_int_equal(lg_region_advise(region, 0, 0, LG_RANDOM), 0);
	region = lg_region_resize(region, 2 * MIB);
	assert_true(holds(region, 2 * MIB, 11, true));
	lg_region_free(region);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, library_trim)
	const struct CMUnitTest tests[] = {
		TEST(same_capacity_is_the_same_region),
		TEST(no_region_is_an_allocation),
		TEST(failure_leaves_the_old_region_intact),
		TEST(contents_go_along_a_chain_of_growing_and_shrinking),
		TEST(contents_survive_any_steps),
		TEST(large_anonymous_regions_are_moved_and_others_copied),
		TEST(every_step_of_a_growing_chain_is_moved),
		TEST(without_mappings_left_contents_are_copied),
		TEST(source_of_a_move_is_reused_as_any_other),
		TEST(advised_region_is_resized_like_any_other),
	};

	return cmocka_run_group_tests(tests, library_start, NULL);
}
