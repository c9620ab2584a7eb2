/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/pager/sigbus.h"
#include "unit/unit.h"

#include "os/map.h"
#include "pager/pager.h"
#include "stress/shelf.h"

#include <lgalloc/pager.h>
#include <pthread.h>
#include <sched.h>
#include <time.h>
#include <unistd.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static void options_are_checked_in_words(void **state)
{
	static const struct {
		const char *options;
		const char *word;
	} wrong[] = {
		{ "memory:100K", "memory" },
		{ "page:1K", "page" },
		{ "page:4M", "page" },
		{ "memory:1M,page:2M", "8 pages" },
		{ "faults:maybe", "faults" },
		{ "writers:0", "writers" },
		{ "nosuch:1", "nosuch" },
		{ "without:legs", "without" },
		{ "prefetch:perhaps", "prefetch" },
		{ "policy:nosuch", "there is no policy 'nosuch'; there are clock, " },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_null(lg_pager_new(wrong[i].options));
		assert_int_equal(errno, EINVAL);
		if (strstr(lg_error(), wrong[i].word) == NULL)
			fprintf(stderr, "%s: %s\n", wrong[i].options, lg_error());
		assert_non_null(strstr(lg_error(), wrong[i].word));
	}
}

static void pager_with_open_maps_is_not_freed(void **state)
{
	lg_pager *pager = lg_pager_new("memory:1M");
	lg_map *map = lg_map_memory(pager, MIB, NULL);

	(void)state;
	assert_non_null(pager);
	assert_non_null(map);
	assert_int_equal(lg_pager_free(pager), -EBUSY);
	assert_string_equal(lg_error(), "1 map of the pager is open");
	((char *)lg_map_data(map))[MIB - 1] = 1; /* it works on */
	lg_map *other = lg_map_memory(pager, MIB, NULL);
	assert_non_null(other);
	assert_int_equal(lg_pager_free(pager), -EBUSY);
	assert_string_equal(lg_error(), "2 maps of the pager are open");
	assert_int_equal(lg_map_close(other), 0);
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(lg_pager_free(pager), 0);
	assert_int_equal(lg_pager_free(NULL), 0);
}

static void *free_pager(void *pager)
{
	return (void *)(intptr_t)lg_pager_free(pager);
}

/* Here it is this thread that has just closed the last map, and has the latch yet to leave. */
static void pager_is_freed_when_nobody_is_in_its_latch(void **state)
{
	lg_pager *pager = lg_pager_new("memory:1M");
	pthread_t other;
	void *result;

	(void)state;
	assert_non_null(pager);
	uint64_t signals = lg_os_latch_enter(&pager->maps_lock);
	assert_int_equal(pthread_create(&other, NULL, free_pager, pager), 0);
	while (lg_load_relaxed(&pager->maps_lock.word) != LG_LATCH_WAITED_FOR)
		sched_yield();
	lg_os_latch_leave(&pager->maps_lock, signals);
	assert_int_equal(pthread_join(other, &result), 0);
	assert_int_equal((intptr_t)result, 0);
}

static struct lg_pager_stats stats_of(lg_pager *pager)
{
	struct lg_pager_stats stats;

	assert_int_equal(lg_pager_stats_read(pager, &stats), 0);
	return stats;
}

static struct lg_pager_stats after_filling(const char *options, size_t bytes)
{
	lg_pager *pager = lg_pager_new(options);
	lg_map *map = lg_map_memory(pager, bytes, NULL);

	assert_non_null(map);
	for (size_t at = 0; at < bytes; at += 4096)
		((char *)lg_map_data(map))[at] = 1;
	struct lg_pager_stats stats = stats_of(pager);
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(lg_pager_free(pager), 0);
	return stats;
}

static void tables_of_many_small_pages_are_in_the_budget(void **state)
{
	(void)state;
	/* A small budget is for pages to the last byte, if they come one by one. */
	assert_int_equal(after_filling("memory:8M,page:4K,prefetch:off", 16 * MIB).peak, 8 * MIB);
	/* 49 152 pages have 16 bytes each in residents alone, and as much in the policy and frames. */
	struct lg_pager_stats stats = after_filling("memory:192M,page:4K", 256 * MIB);
	assert_in_range(stats.resident, 192 * MIB * 15 / 16, 192 * MIB - 256 * KIB);
}

static void budget_holds_and_follows_resizes(void **state)
{
	static const size_t budgets[] = { 8 * MIB, 2 * MIB, 16 * MIB, MIB, 3 * MIB };
	lg_pager *pager = lg_pager_new("memory:8M,page:16K");
	lg_map *map = lg_map_memory(pager, 24 * MIB, NULL);
	char *data = lg_map_data(map);

	(void)state;
	for (unsigned turn = 0; turn < 10; turn++) {
		assert_int_equal(lg_pager_resize(pager, budgets[turn % 5]), 0);
		struct lg_pager_stats stats = stats_of(pager);
		assert_int_equal(stats.budget, budgets[turn % 5]);
		assert_true(stats.resident <= stats.budget);
		for (size_t i = 0; i < 24 * MIB; i += 4096) {
			if (turn > 0)
				assert_int_equal(data[i], (char)(turn - 1 + i / 4096));
			data[i] = (char)(turn + i / 4096);
		}
		stats = stats_of(pager);
		assert_true(stats.resident <= stats.budget);
		assert_true(stats.resident >= stats.budget / 2); /* and is used */
	}
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(lg_pager_free(pager), 0);
}

static void resize_below_what_is_pinned_is_refused_and_changes_nothing(void **state)
{
	lg_pager *pager = lg_pager_new("memory:8M,page:16K");
	lg_map *map = lg_map_memory(pager, 24 * MIB, NULL);

	(void)state;
	assert_int_equal(lg_map_pin(map, 0, 4 * MIB), 0);
	assert_int_equal(lg_pager_resize(pager, 4 * MIB), -EBUSY);
	assert_non_null(strstr(lg_error(), "pinned"));
	assert_int_equal(stats_of(pager).budget, 8 * MIB);
	assert_int_equal(lg_pager_resize(pager, 5 * MIB), 0);
	assert_int_equal(stats_of(pager).pinned, 4 * MIB);
	memset(lg_map_data(map), 1, 24 * MIB);
	assert_int_equal(lg_map_unpin(map, 0, 4 * MIB), 0);
	assert_int_equal(lg_pager_resize(pager, MIB), 0);
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(lg_pager_free(pager), 0);
}

static void resize_to_nonsense_is_refused(void **state)
{
	lg_pager *pager = lg_pager_new("memory:8M,page:16K");

	(void)state;
	assert_int_equal(lg_pager_resize(pager, 0), -EINVAL);
	assert_int_equal(lg_pager_resize(pager, 100 * KIB), -EINVAL);
	assert_int_equal(lg_pager_resize(pager, SIZE_MAX / 2), -EINVAL);
	assert_non_null(strstr(lg_error(), "more than this pager was made for"));
	assert_int_equal(stats_of(pager).budget, 8 * MIB);
	lg_map *map = lg_map_memory(pager, MIB, "page:1M");
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(lg_pager_resize(pager, 4 * MIB), -EINVAL);
	assert_non_null(strstr(lg_error(), "the largest it ever had"));
	assert_int_equal(lg_pager_free(pager), 0);
}

/* A budget that pages cannot leave from stays as it was, and so do they. */
/* For tables and frames of the largest budget; a sanitizer leaves fewer. */
static bool has_addresses(void)
{
	size_t bytes = (size_t)48 << 40;
	void *range;

	if (lg_os_reserve(bytes, 2 * MIB, &range) != 0)
		return false;
	lg_os_unreserve(range, bytes);
	return true;
}

/* Of the smallest pages it would have more than can be counted. */
static void largest_budget_has_maps_and_may_be_asked_for_again(void **state)
{
	static const char *const pages[] = { "page:4K", "page:2M" };
	static const char *const memories[] = { "memory:32T", "memory:64T" };
	char options[64];

	(void)state;
	if (!has_addresses())
		skip();
	for (unsigned i = 0; i < 4; i++) {
		snprintf(options, sizeof(options), "%s,%s", memories[i / 2], pages[i % 2]);
		lg_pager *pager = lg_pager_new(options);
		assert_non_null(pager);
		lg_map *map = lg_map_memory(pager, 4 * MIB, NULL);
		assert_non_null(map);
		memset(lg_map_data(map), 1, 4 * MIB);
		assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0);
		assert_int_equal(((char *)lg_map_data(map))[MIB], 1);
		uint64_t budget = stats_of(pager).budget;
		assert_int_equal(lg_pager_resize(pager, 8 * 2 * MIB), 0);
		assert_int_equal(lg_pager_resize(pager, budget), 0);
		assert_int_equal(stats_of(pager).budget, budget);
		assert_int_equal(lg_map_close(map), 0);
		assert_int_equal(lg_pager_free(pager), 0);
	}
}

static void resize_that_cannot_be_written_leaves_the_budget(void **state)
{
	lg_pager *pager = lg_pager_new("memory:8M,page:16K");
	struct shelf shelf;
	lg_map *map;

	(void)state;
	shelf_make(&shelf, 6 * MIB);
	map = lg_map_store(pager, &shelf_ops, &shelf, 6 * MIB, NULL);
	assert_non_null(map);
	memset(lg_map_data(map), 'd', 6 * MIB);
	atomic_store(&shelf.writes_fail, SHELF_FOR_EVER);
	assert_int_equal(lg_pager_resize(pager, MIB), -EIO);
	assert_int_equal(stats_of(pager).budget, 8 * MIB);
	atomic_store(&shelf.writes_fail, 0);
	assert_int_equal(lg_pager_resize(pager, MIB), 0);
	assert_int_equal(lg_map_sync(map, 0, 0), -EIO); /* it did fail, and says so once */
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	for (size_t i = 0; i < 6 * MIB; i++)
		assert_int_equal(shelf.bytes[i], 'd');
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(lg_pager_free(pager), 0);
	shelf_end(&shelf);
}

static void *resize_to_quarter(void *pager)
{
	return (void *)(intptr_t)lg_pager_resize(pager, 2 * MIB);
}

/* Each finds the budget as it was before the other, or as the other left it. */
static void resizes_take_turns(void **state)
{
	lg_pager *pager = lg_pager_new("memory:8M,page:16K");
	struct shelf shelf;
	pthread_t other;
	void *result;

	(void)state;
	shelf_make(&shelf, 6 * MIB);
	lg_map *map = lg_map_store(pager, &shelf_ops, &shelf, 6 * MIB, NULL);
	assert_non_null(map);
	memset(lg_map_data(map), 'd', 6 * MIB);
	atomic_store(&shelf.writes_fail, SHELF_FOR_EVER);
	assert_int_equal(pthread_create(&other, NULL, resize_to_quarter, pager), 0);
	assert_int_equal(lg_pager_resize(pager, 4 * MIB), -EIO);
	assert_int_equal(pthread_join(other, &result), 0);
	assert_int_equal((intptr_t)result, -EIO);
	assert_int_equal(stats_of(pager).budget, 8 * MIB);
	atomic_store(&shelf.writes_fail, 0);
	assert_int_equal(lg_pager_resize(pager, 2 * MIB), 0);
	(void)lg_map_sync(map, 0, 0);
	assert_int_equal(lg_map_close(map), 0);
	shelf_end(&shelf);
	assert_int_equal(lg_pager_free(pager), 0);
}

/* Half of the budget cannot leave; the other map, with pages of its own size, lives on the rest. */
static void store_that_fails_leaves_other_stores_be(void **state)
{
	lg_pager *pager = lg_pager_new("memory:8M,page:64K,faults:inline");
	struct shelf shelf;
	lg_map *failing, *other;

	(void)state;
	shelf_make(&shelf, 8 * MIB);
	failing = lg_map_store(pager, &shelf_ops, &shelf, 8 * MIB, NULL);
	other = lg_map_memory(pager, 16 * MIB, "page:16K");
	assert_non_null(failing);
	assert_non_null(other);
	atomic_store(&shelf.writes_fail, SHELF_FOR_EVER);
	memset(lg_map_data(failing), 'f', 5 * MIB);
	memset(lg_map_data(other), 'o', 16 * MIB);
	assert_int_equal(lg_map_advise(other, 0, 0, LG_COLD), 0);
	atomic_store(&shelf.writes_fail, 0);
	assert_int_equal(lg_map_close(other), 0);
	assert_int_equal(lg_map_close(failing), -EIO);
	for (size_t i = 0; i < 5 * MIB; i++)
		assert_int_equal(shelf.bytes[i], 'f');
	assert_int_equal(lg_pager_free(pager), 0);
	shelf_end(&shelf);
}

static char *shared, *two[2];

enum { READERS = 12, APART = 3 << 16 };

static void *read_of_shelf(void *argument)
{
	size_t number = (size_t)(uintptr_t)argument, at = number / 2 * APART;

	return two[number % 2][at] == shelf_byte(at) ? NULL : two;
}

/* All memory is for pages that are on their way, and more are wanted: that is waited for, whatever failed. */
static void failed_write_hurries_nobody_who_waits_for_reads(void **state)
{
	const struct timespec longer = { 1, 500000000 }; /* than a store that fails is borne with */
	lg_pager *pager = lg_pager_new("memory:1M,page:64K,faults:inline,prefetch:off");
	struct shelf failing, slow;
	pthread_t threads[READERS];
	void *failed;

	(void)state;
	shelf_make(&failing, MIB);
	shelf_make(&slow, READERS * APART);
	lg_map *bad = lg_map_store(pager, &shelf_ops, &failing, MIB, NULL);
	lg_map *maps[2]; /* of one shelf: one has its share only */
	assert_non_null(bad);
	for (unsigned i = 0; i < 2; i++) {
		maps[i] = lg_map_store(pager, &shelf_ops, &slow, READERS * APART, "readonly:on");
		assert_non_null(maps[i]);
		two[i] = lg_map_data(maps[i]);
	}
	atomic_store(&failing.writes_fail, SHELF_FOR_EVER);
	*(char *)lg_map_data(bad) = 1;
	assert_int_equal(lg_map_sync(bad, 0, 0), -EIO);
	atomic_store(&slow.holds_reads, true);
	for (uintptr_t i = 0; i < READERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_of_shelf, (void *)i), 0);
	while (atomic_load(&slow.held) < 6)
		sched_yield();
	clock_nanosleep(CLOCK_MONOTONIC, 0, &longer, NULL);
	atomic_store(&slow.holds_reads, false);
	for (unsigned i = 0; i < READERS; i++) {
		assert_int_equal(pthread_join(threads[i], &failed), 0);
		assert_null(failed);
	}
	assert_int_equal(lg_map_close(bad), -EIO);
	for (unsigned i = 0; i < 2; i++)
		assert_int_equal(lg_map_close(maps[i]), 0);
	assert_int_equal(lg_pager_free(pager), 0);
	shelf_end(&failing);
	shelf_end(&slow);
}

/* Faults have to leave eviction to the writers, and want more at once than these keep. */
static void large_page_of_a_small_budget_comes_where_stores_are_no_handlers(void **state)
{
	static const char *const ways[] = { "", ",without:move" };
	struct lg_store_ops ops = shelf_ops;
	char options[100];

	(void)state;
	ops.signal_safe = false;
	for (unsigned i = 0; i < 2; i++) {
		/* Less than a page is left over. */
		snprintf(options, sizeof(options), "memory:17M,page:2M,faults:inline%s", ways[i]);
		lg_pager *pager = lg_pager_new(options);
		struct shelf shelf;

		shelf_make(&shelf, 40 * MIB);
		lg_map *map = lg_map_store(pager, &ops, &shelf, 40 * MIB, NULL);
		assert_non_null(map);
		memset(lg_map_data(map), 's', 40 * MIB);
		assert_int_equal(lg_map_close(map), 0);
		for (size_t k = 0; k < 40 * MIB; k++)
			assert_int_equal(shelf.bytes[k], 's');
		assert_int_equal(lg_pager_free(pager), 0);
		shelf_end(&shelf);
	}
}

enum { THREADS = 8 };

static size_t each;

static void *fill_part(void *argument)
{
	size_t from = (size_t)(uintptr_t)argument * each;

	for (size_t i = from; i < from + each; i += 4096)
		shared[i] = (char)(i >> 12);
	return NULL;
}

/* Threads that are gone, or rest, hold no memory from those that work: each filled all of it once. */
static void threads_that_rest_leave_the_budget_to_others(void **state)
{
	lg_pager *pager = lg_pager_new("memory:16M,page:2M");
	lg_map *map;
	pthread_t thread;

	(void)state;
	assert_non_null(pager);
	each = 32 * MIB;
	map = lg_map_memory(pager, THREADS * each, "reserve:lazy");
	assert_non_null(map);
	shared = lg_map_data(map);
	for (unsigned turn = 0; turn < THREADS; turn++) {
		assert_int_equal(pthread_create(&thread, NULL, fill_part, (void *)(uintptr_t)turn),
				 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
	}
	for (size_t i = 0; i < THREADS * each; i += 4096)
		assert_int_equal(shared[i], (char)(i >> 12));
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(lg_pager_free(pager), 0);
}

/* An access across two pages ends, though each thread has but a page of the budget. */
static void *copy_across(void *argument)
{
	size_t from = (size_t)(uintptr_t)argument * each;

	for (size_t i = 0; i < 40; i++) {
		uint64_t word = i;
		char *at = shared + from + (i % 4 + 1) * 2 * MIB - 3;

		memcpy(at, &word, sizeof(word));
		word = 0;
		memcpy(&word, at, sizeof(word));
		if (word != i)
			return shared;
	}
	return NULL;
}

static void more_threads_than_pages_go_on_by_turns(void **state)
{
	static const char *const policies[] = { "page:2M,policy:lifo,reserve:lazy",
						"page:2M,policy:clock,reserve:lazy" };
	pthread_t threads[THREADS];
	void *failed;

	(void)state;
	for (unsigned turn = 0; turn < 2; turn++) {
		lg_pager *pager = lg_pager_new("memory:16M");
		lg_map *map = lg_map_memory(pager, THREADS * 10 * MIB, policies[turn]);

		assert_non_null(map);
		each = 10 * MIB;
		shared = lg_map_data(map);
		for (uintptr_t i = 0; i < THREADS; i++)
			assert_int_equal(pthread_create(&threads[i], NULL, copy_across, (void *)i),
					 0);
		for (unsigned i = 0; i < THREADS; i++) {
			assert_int_equal(pthread_join(threads[i], &failed), 0);
			assert_null(failed);
		}
		assert_int_equal(lg_map_close(map), 0);
		assert_int_equal(lg_pager_free(pager), 0);
	}
}

static void wait_until_all_is_read(lg_pager *pager)
{
	struct lg_pager_stats before, now;

	assert_int_equal(lg_pager_stats_read(pager, &now), 0);
	do {
		before = now;
		usleep(20000);
		assert_int_equal(lg_pager_stats_read(pager, &now), 0);
	} while (now.prefetched != before.prefetched || now.prefetched == 0);
}

/* The budget is full of pages of other sizes that were read ahead, and of the buffers they came through. */
static void what_was_read_ahead_makes_room_for_huge_pages(void **state)
{
	static const char *const sizes[] = { "page:1M", "page:512K", "page:256K", "page:128K" };
	enum { SIZES = 4, HUGE_PAGES = 16 };
	lg_pager *pager = lg_pager_new("memory:16M,faults:inline");
	struct shelf shelves[SIZES];
	lg_map *maps[SIZES], *huge = lg_map_memory(pager, HUGE_PAGES * 2 * MIB, "page:2M");

	(void)state;
	assert_non_null(huge);
	for (unsigned i = 0; i < SIZES; i++) {
		shelf_make(&shelves[i], 8 * MIB);
		maps[i] = lg_map_store(pager, &shelf_ops, &shelves[i], 8 * MIB, sizes[i]);
		assert_non_null(maps[i]);
		assert_int_equal(lg_map_advise(maps[i], 0, 8 * MIB, LG_WILLNEED), 0);
		wait_until_all_is_read(pager);
	}
	volatile char *data = lg_map_data(huge);
	for (size_t page = 0; page < HUGE_PAGES; page++)
		data[page * 2 * MIB] = (char)(page + 1);
	for (size_t page = 0; page < HUGE_PAGES; page++)
		assert_int_equal(data[page * 2 * MIB], page + 1);
	assert_int_equal(lg_map_close(huge), 0);
	for (unsigned i = 0; i < SIZES; i++) {
		assert_int_equal(lg_map_close(maps[i]), 0);
		shelf_end(&shelves[i]);
	}
	assert_int_equal(lg_pager_free(pager), 0);
}

/* A thread that has just begun has to see the end, too. */
static void pagers_end_as_soon_as_they_are_made(void **state)
{
	enum { TIMES = 2000 };

	(void)state;
	for (unsigned i = 0; i < TIMES; i++) {
		lg_pager *pager = lg_pager_new("memory:1M,page:4K,faults:inline,readers:8");

		assert_non_null(pager);
		assert_int_equal(lg_pager_free(pager), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_checked_in_words),
		cmocka_unit_test(pager_with_open_maps_is_not_freed),
		cmocka_unit_test(pager_is_freed_when_nobody_is_in_its_latch),
		cmocka_unit_test(tables_of_many_small_pages_are_in_the_budget),
		cmocka_unit_test(budget_holds_and_follows_resizes),
		cmocka_unit_test(resize_below_what_is_pinned_is_refused_and_changes_nothing),
		cmocka_unit_test(resize_to_nonsense_is_refused),
		cmocka_unit_test(largest_budget_has_maps_and_may_be_asked_for_again),
		cmocka_unit_test(resize_that_cannot_be_written_leaves_the_budget),
		cmocka_unit_test(resizes_take_turns),
		cmocka_unit_test(store_that_fails_leaves_other_stores_be),
		cmocka_unit_test(failed_write_hurries_nobody_who_waits_for_reads),
		cmocka_unit_test(large_page_of_a_small_budget_comes_where_stores_are_no_handlers),
		cmocka_unit_test(threads_that_rest_leave_the_budget_to_others),
		cmocka_unit_test(more_threads_than_pages_go_on_by_turns),
		cmocka_unit_test(what_was_read_ahead_makes_room_for_huge_pages),
		cmocka_unit_test(pagers_end_as_soon_as_they_are_made),
	};

	return UNIT_RUN(tests);
}
