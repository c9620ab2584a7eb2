/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Sync: when it returns 0 the store has what was written before; what failed is said once and lost never. */
#include "pager/map.h"
#include "unit/pager/shelved.h"

#include <pthread.h>
#include <sys/mman.h>

#define MIB ((size_t)1 << 20)

enum { PAGE = 16384, HUGE_PAGE = 2 << 20, HUGE_PAGES = 4 };

static const char *how;

/* The next flush finds that another sync, of a page that can be written, begins and ends meanwhile. */
static atomic_bool meets;
static int other_result;

static void *sync_other(void *unused)
{
	(void)unused;
	other_result = lg_map_sync(map, 8 * PAGE, PAGE);
	return NULL;
}

static int flush_and_meet(void *context)
{
	pthread_t other;

	if (atomic_exchange(&meets, false)) {
		atomic_store(&shelf.writes_fail, 0);
		CLAIM(pthread_create(&other, NULL, sync_other, NULL) == 0);
		CLAIM(pthread_join(other, NULL) == 0);
	}
	return shelf_flush(context);
}

static int start_with(const char *options, size_t bytes)
{
	struct lg_store_ops ops = shelf_ops;

	ops.flush = flush_and_meet;
	return shelved_start(options, &ops, bytes);
}

static int start(void **state)
{
	char options[100];

	(void)state;
	snprintf(options, sizeof(options), "memory:2M,page:16K,faults:inline%s", how);
	return start_with(options, 4 * MIB + 100);
}

static int start_huge(void **state)
{
	(void)state;
	return start_with("memory:32M,page:2M,faults:inline,prefetch:off", HUGE_PAGES * HUGE_PAGE);
}

/* The store takes writes again; a writer may have met its failure, too, behind the last sync. */
static void sync_mended(void)
{
	int result = lg_map_sync(map, 0, 0);

	if (result != 0) {
		assert_int_equal(result, -ENOSPC);
		result = lg_map_sync(map, 0, 0);
	}
	assert_int_equal(result, 0);
}

static void sync_stores_what_was_written_and_no_more(void **state)
{
	(void)state;
	data[0] = 'a';
	data[5 * PAGE] = 'b';
	data[shelf.length - 1] = 'c';
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	assert_int_equal(shelf.bytes[0], 'a');
	assert_int_equal(shelf.bytes[5 * PAGE], 'b');
	assert_int_equal(shelf.bytes[shelf.length - 1], 'c');
	assert_true(atomic_load(&shelf.flushes) == 1);
	assert_int_equal(atomic_load(&shelf.written_bytes), 2 * PAGE + shelf.length % PAGE);
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	assert_int_equal(atomic_load(&shelf.written_bytes), 2 * PAGE + shelf.length % PAGE);
}

static void store_after_a_sync_is_seen_by_the_next(void **state)
{
	(void)state;
	for (char value = 'a'; value < 'f'; value++) {
		data[3 * PAGE + 9] = value;
		assert_int_equal(lg_map_sync(map, 3 * PAGE, 1), 0);
		assert_int_equal(shelf.bytes[3 * PAGE + 9], value);
	}
}

static void sync_of_a_range_leaves_the_rest(void **state)
{
	(void)state;
	memset(data, 'x', 4 * PAGE);
	assert_int_equal(lg_map_sync(map, PAGE + 5, PAGE), 0); /* two pages */
	assert_int_equal(shelf.bytes[0], shelf_byte(0));
	assert_int_equal(shelf.bytes[PAGE], 'x');
	assert_int_equal(shelf.bytes[3 * PAGE - 1], 'x');
	assert_int_equal(shelf.bytes[3 * PAGE], shelf_byte(3 * PAGE));
}

static void pages_that_left_memory_are_synced_too(void **state)
{
	(void)state;
	for (size_t i = 0; i < 4 * MIB; i += PAGE)
		data[i] = 'y';
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	for (size_t i = 0; i < 4 * MIB; i += PAGE)
		assert_int_equal(shelf.bytes[i], 'y');
}

/* One failure is one answer; the pages stay dirty, with their contents, and go when the store heals. */
static void failed_write_is_returned_once_and_nothing_is_lost(void **state)
{
	(void)state;
	memset(data, 'z', 10 * PAGE);
	atomic_store(&shelf.write_error, -ENOSPC);
	atomic_store(&shelf.writes_fail, SHELF_FOR_EVER);
	assert_int_equal(lg_map_sync(map, 0, 0), -ENOSPC);
	assert_int_equal(lg_map_sync(map, 0, 0), -ENOSPC); /* it failed again */
	for (size_t i = 0; i < 10 * PAGE; i++)
		assert_int_equal(data[i], 'z');
	data[1] = 'w'; /* still writable */
	atomic_store(&shelf.writes_fail, 0);
	sync_mended();
	assert_int_equal(shelf.bytes[0], 'z');
	assert_int_equal(shelf.bytes[1], 'w');
	assert_int_equal(shelf.bytes[10 * PAGE - 1], 'z');
}

/* Pages that were evicted meanwhile failed as well: the next sync says so, of whatever range. */
static void failure_in_the_background_is_kept_for_the_next_sync(void **state)
{
	struct lg_pager_stats stats;

	(void)state;
	data[0] = 'q';
	atomic_store(&shelf.writes_fail, SHELF_FOR_EVER);
	assert_int_equal(lg_map_advise(map, 0, PAGE, LG_COLD), -EIO);
	atomic_store(&shelf.writes_fail, 0);
	assert_int_equal(lg_map_sync(map, 20 * PAGE, PAGE), -EIO);
	int result = lg_map_sync(map, 0, 0);
	if (result != 0) { /* a writer met the failure, too, behind the last sync */
		assert_int_equal(result, -EIO);
		result = lg_map_sync(map, 0, 0);
	}
	assert_int_equal(result, 0);
	assert_int_equal(data[0], 'q');
	assert_int_equal(shelf.bytes[0], 'q');
	assert_int_equal(lg_pager_stats_read(pager, &stats), 0);
	assert_true(stats.write_errors >= 1);
}

/* A run that a writer could not write is written page by page, and only what stays is a failure. */
static void cold_succeeds_if_a_second_write_does(void **state)
{
	(void)state;
	data[0] = 'r';
	atomic_store(&shelf.writes_fail, 1);
	int result = lg_map_advise(map, 0, PAGE, LG_COLD);
	if (strstr(how, "move") == NULL)
		assert_int_equal(result, 0);
	else
		assert_int_equal(result, -EIO); /* it is written but once where it is */
	assert_int_equal(shelf.bytes[0], result == 0 ? 'r' : shelf_byte(0));
	assert_int_equal(data[0], 'r');
	assert_int_equal(lg_map_sync(map, 0, 0), -EIO); /* it did fail */
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	assert_int_equal(shelf.bytes[0], 'r');
}

/* It failed long ago; what stays now is locked. */
static void cold_says_nothing_of_an_earlier_failure(void **state)
{
	(void)state;
	data[0] = 'r';
	atomic_store(&shelf.writes_fail, 1);
	(void)lg_map_advise(map, 0, PAGE, LG_COLD);
	assert_int_equal(lg_map_advise(map, 0, PAGE, LG_COLD), 0);
	data[PAGE] = 'l';
	if (mlock2(data + PAGE, PAGE, MLOCK_ONFAULT) != 0)
		skip();
	assert_int_equal(lg_map_advise(map, PAGE, PAGE, LG_COLD), 0);
	assert_int_equal(munlock(data + PAGE, PAGE), 0);
	assert_int_equal(lg_map_sync(map, 0, 0), -EIO); /* it did fail */
	assert_int_equal(shelf.bytes[0], 'r');
	assert_int_equal(shelf.bytes[PAGE], 'l');
}

static void failed_flush_is_an_error_of_sync(void **state)
{
	(void)state;
	data[0] = 'f';
	atomic_store(&shelf.flushes_fail, 1);
	assert_int_equal(lg_map_sync(map, 0, 0), -EIO);
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	assert_int_equal(shelf.bytes[0], 'f');
}

static void sync_keeps_its_own_failure_though_another_took_the_note(void **state)
{
	(void)state;
	data[0] = 'k';
	data[8 * PAGE] = 'l';
	atomic_store(&shelf.write_error, -ENOSPC);
	atomic_store(&shelf.writes_fail, SHELF_FOR_EVER);
	atomic_store(&meets, true);
	assert_int_equal(lg_map_sync(map, 0, PAGE), -ENOSPC);
	assert_int_equal(other_result, -ENOSPC); /* it took the note, or this test shows nothing */
	assert_int_equal(shelf.bytes[8 * PAGE], 'l');
	sync_mended();
	assert_int_equal(shelf.bytes[0], 'k');
}

static void close_returns_the_error_and_the_map_is_gone(void **state)
{
	(void)state;
	data[0] = 'g';
	atomic_store(&shelf.writes_fail, SHELF_FOR_EVER);
	assert_int_equal(lg_map_close(map), -EIO);
	assert_int_equal(atomic_load(&shelf.closes), 1);
	map = NULL;
}

static void close_is_not_counted_as_a_sync(void **state)
{
	struct lg_pager_stats stats;

	(void)state;
	data[0] = 'n';
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	data[0] = 'o';
	assert_int_equal(lg_map_close(map), 0);
	map = NULL;
	assert_int_equal(shelf.bytes[0], 'o');
	assert_int_equal(lg_pager_stats_read(pager, &stats), 0);
	assert_int_equal(stats.syncs, 1);
}

static void short_and_interrupted_calls_are_made_good(void **state)
{
	(void)state;
	atomic_store(&shelf.most, 1000);
	atomic_store(&shelf.read_error, -EINTR);
	atomic_store(&shelf.reads_fail, 3);
	for (size_t i = 0; i < 2 * PAGE; i++)
		assert_int_equal(data[i], shelf_byte(i));
	memset(data, 's', 2 * PAGE);
	atomic_store(&shelf.write_error, -EAGAIN);
	atomic_store(&shelf.writes_fail, 3);
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	for (size_t i = 0; i < 2 * PAGE; i++)
		assert_int_equal(shelf.bytes[i], 's');
	atomic_store(&shelf.most, 0);
}

static void read_huge_pages_again(void)
{
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0);
	for (size_t i = 0; i < HUGE_PAGES; i++)
		assert_int_equal(data[i * HUGE_PAGE], shelf_byte(i * HUGE_PAGE));
}

/* Writable from the first read on, they are told apart by what is in them. */
static void huge_pages_that_were_only_read_are_not_written(void **state)
{
	size_t written = 0;

	(void)state;
	if (!map->huge)
		skip();
	read_huge_pages_again();
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	assert_int_equal(atomic_load(&shelf.written_bytes), 0);
	for (size_t i = 0; i < HUGE_PAGES; i++) { /* the first of two neighbours, then the second */
		read_huge_pages_again();
		data[i * HUGE_PAGE + 9] = 'n';
		assert_int_equal(lg_map_sync(map, 0, 0), 0);
		written += HUGE_PAGE;
		assert_int_equal(atomic_load(&shelf.written_bytes), written);
		assert_int_equal(shelf.bytes[i * HUGE_PAGE + 9], 'n');
	}
}

/* What was read ahead as well: where writes cannot be caught nobody knows, once. */
static void pages_that_were_only_read_are_written_once_at_most(void **state)
{
	(void)state;
	for (size_t at = 0; at < MIB; at += PAGE)
		assert_int_equal(*(volatile char *)&data[at], shelf_byte(at));
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	size_t written = atomic_load(&shelf.written_bytes);
	for (unsigned turn = 0; turn < 3; turn++)
		assert_int_equal(lg_map_sync(map, 0, 0), 0);
	assert_int_equal(atomic_load(&shelf.written_bytes), written);
}

/* Of this size; where a page leaves to be written it finds none. */
static void take_all_frames(struct lg_frames *frames, uint32_t *taken)
{
	uint64_t signals = lg_pager_lock(pager);
	uint32_t first, got;

	for (*taken = 0; (got = lg_frame_take(frames, UINT32_MAX, &first)) > 0; *taken += got)
		;
	lg_pager_unlock(pager, signals);
}

static void give_frames_back(struct lg_frames *frames)
{
	uint64_t signals = lg_pager_lock(pager);

	for (uint32_t i = 0; i < frames->count; i++)
		if (frames->table[i].list == LG_FRAME_HELD)
			lg_frame_put(frames, i, LG_FRAME_EMPTY);
	lg_pager_unlock(pager, signals);
}

static void full_limbo_does_not_keep_pages_from_being_written(void **state)
{
	struct lg_frames *frames = lg_pager_frames(pager, 14);
	uint32_t taken;

	(void)state;
	data[0] = 'f';
	data[7 * PAGE] = 'g';
	take_all_frames(frames, &taken);
	assert_true(taken > 0);
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	assert_int_equal(shelf.bytes[0], 'f');
	assert_int_equal(shelf.bytes[7 * PAGE], 'g');
	data[0] = 'h'; /* the map of it may be writable still */
	assert_int_equal(lg_map_sync(map, 0, PAGE), 0);
	assert_int_equal(shelf.bytes[0], 'h');
	give_frames_back(frames);
}

int main(void)
{
	static const char *const ways[] = { "", ",without:move", ",without:wp", ",without:poison" };
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, shelved_end)
		TEST(sync_stores_what_was_written_and_no_more),
		TEST(store_after_a_sync_is_seen_by_the_next),
		TEST(sync_of_a_range_leaves_the_rest),
		TEST(pages_that_left_memory_are_synced_too),
		TEST(failed_write_is_returned_once_and_nothing_is_lost),
		TEST(failure_in_the_background_is_kept_for_the_next_sync),
		TEST(cold_succeeds_if_a_second_write_does),
		TEST(cold_says_nothing_of_an_earlier_failure),
		TEST(failed_flush_is_an_error_of_sync),
		TEST(sync_keeps_its_own_failure_though_another_took_the_note),
		TEST(close_returns_the_error_and_the_map_is_gone),
		TEST(close_is_not_counted_as_a_sync),
		TEST(short_and_interrupted_calls_are_made_good),
		TEST(pages_that_were_only_read_are_written_once_at_most),
		TEST(full_limbo_does_not_keep_pages_from_being_written),
	};
	const struct CMUnitTest huge[] = {
		cmocka_unit_test_setup_teardown(huge_pages_that_were_only_read_are_not_written,
						start_huge, shelved_end),
	};
	int failed = UNIT_RUN(huge);

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		how = ways[i];
		failed += UNIT_RUN(tests);
	}
	return failed;
}
