/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Flights, with a store that sends what it is asked for in pieces of any size, fails where it is told, and changes. */
#include "pager/flight.h"

#include "pager/map.h"
#include "pager/options.h"
#include "unit/pager/sigbus.h"
#include "unit/unit.h"

#include <errno.h>
#include <string.h>

enum { PAGE = 64 << 10, ODD = 5 * PAGE + 12345 };

static struct fake {
	struct lg_store store; /* first */
	uint64_t chunk;        /* bytes of one call of the sink */
	uint64_t fails_at;     /* an offset, from which nothing comes; UINT64_MAX: none */
	int error;
	uint64_t more; /* bytes than asked for */
	unsigned version;
	unsigned served; /* the version that reads are of */
	unsigned fetches;
	unsigned renewals;
	uint64_t first; /* of the last fetch */
	uint64_t length;
	struct lg_store_sink *held; /* one that is not served at once */
	bool holds;
	bool is_cancelled;
} fake;

static char byte_at(uint64_t place, unsigned version)
{
	return (char)((place * 2654435761u >> 13) + version);
}

static int fetch(struct lg_store *store, uint64_t offset, uint64_t length, bool ahead,
		 struct lg_store_sink *sink)
{
	static _Thread_local char buffer[1 << 20]; /* readers fetch at the same time */
	int error = 0;

	(void)ahead;
	assert_in_range(offset + length, 1, store->bytes);
	fake.fetches++;
	fake.first = offset;
	fake.length = length;
	if (fake.holds) {
		fake.held = sink;
		return 0;
	}
	if (fake.version != fake.served)
		error = -ESTALE;
	for (uint64_t at = offset, end = offset + length + fake.more, some; error == 0 && at < end;
	     at += some) {
		some = fake.chunk < end - at ? fake.chunk : end - at;
		if (fake.fails_at < at + some)
			some = fake.fails_at - at;
		for (uint64_t i = 0; i < some; i++)
			buffer[i] = byte_at(at + i, fake.served);
		error = some > 0 ? sink->take(sink, buffer, some) : 0;
		if (error == 0 && at + some == fake.fails_at)
			error = fake.error;
	}
	sink->end(sink, error);
	return 0;
}

static void cancel(struct lg_store *store, const struct lg_store_sink *sink)
{
	(void)store;
	if (!fake.holds)
		return; /* it is being served */
	assert_ptr_equal(sink, fake.held);
	fake.is_cancelled = true;
}

static int renew(struct lg_store *store)
{
	(void)store;
	fake.renewals++;
	fake.served = fake.version;
	return 0;
}

static void close_store(struct lg_store *store)
{
	(void)store;
}

static const struct lg_store_calls calls = {
	.name = "fake", .fetch = fetch, .cancel = cancel, .renew = renew, .close = close_store
};

static lg_pager *pager;
static lg_map *map;

static void start_with(const char *budget, uint64_t bytes, const char *options)
{
	struct lg_map_options wish;

	pager = lg_pager_new(budget);
	assert_non_null(pager);
	assert_int_equal(lg_map_options_parse(options, &pager->options, LG_MAP_STORE, &wish), 0);
	fake = (struct fake){ .store = { .calls = &calls,
					 .bytes = bytes,
					 .alignment = 1,
					 .readonly = true,
					 .lasts = true,
					 .fetches = true,
					 .renews = true,
					 .is_remote = true,
					 .is_slow = true },
			      .chunk = 1 << 20,
			      .fails_at = UINT64_MAX };
	map = lg_map_make(pager, &fake.store, &wish);
	assert_non_null(map);
}

static void start(uint64_t bytes, const char *options)
{
	start_with("memory:8M", bytes, options);
}

static void finish(void)
{
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(lg_pager_free(pager), 0);
}

static void check(uint64_t from, uint64_t bytes, unsigned version)
{
	const char *data = lg_map_data(map);

	for (uint64_t i = from; i < from + bytes; i++)
		if (data[i] != byte_at(i, version))
			fail_msg("byte %llu is not that of version %u", (unsigned long long)i,
				 version);
}

static void bytes_come_in_pieces_of_any_size(void **state)
{
	static const uint64_t chunks[] = {
		1, 7, 4096, 16384, PAGE - 1, PAGE, PAGE + 1, 3 * PAGE + 5
	};

	(void)state;
	for (size_t i = 0; i < sizeof(chunks) / sizeof(chunks[0]); i++) {
		start(ODD, "page:64K,prefetch:off");
		fake.chunk = chunks[i];
		check(0, ODD, 0);
		assert_int_equal(((const char *)lg_map_data(map))[ODD], 0);
		assert_int_equal(fake.fetches, 2); /* blocks of four pages */
		finish();
	}
}

static void a_touch_brings_what_is_absent_of_its_block(void **state)
{
	(void)state;
	start(16 * PAGE, "page:64K,prefetch:off");
	check(6 * PAGE + 5, 1, 0);
	assert_int_equal(fake.first, 4 * PAGE);
	assert_int_equal(fake.length, 4 * PAGE);
	check(4 * PAGE, 4 * PAGE, 0);
	assert_int_equal(fake.fetches, 1);
	assert_int_equal(lg_map_advise(map, 5 * PAGE, PAGE, LG_DEAD), 0);
	assert_int_equal(lg_map_advise(map, 7 * PAGE, PAGE, LG_DEAD), 0);
	check(7 * PAGE, 1, 0);
	assert_int_equal(fake.first, 7 * PAGE);
	assert_int_equal(fake.length, PAGE);
	finish();
	start(64 * 4096, "page:4K,prefetch:off");
	check(9 * 4096, 1, 0);
	assert_int_equal(fake.first, 8 * 4096);
	assert_int_equal(fake.length, 4 * 4096);
	finish();
}

/* What came before the failure stays; the page that was touched is poisoned, if it did not come; others are absent. */
static void a_failure_is_that_of_the_page_touched(void **state)
{
	const char *data;

	(void)state;
	start(16 * PAGE, "page:64K,prefetch:off");
	data = lg_map_data(map);
	fake.fails_at = 6 * PAGE + 100;
	fake.error = -ENOENT;
	assert_int_equal(lg_map_read(map, (char[1]){ 0 }, 1, 4 * PAGE), 1);
	assert_int_equal(fake.fetches, 1);
	assert_int_equal(lg_map_read(map, (char[1]){ 0 }, 1, 6 * PAGE), -ENOENT);
	assert_int_equal(lg_map_error(map, data + 6 * PAGE), -ENOENT);
	assert_int_equal(lg_map_error(map, data + 7 * PAGE), 0);
	check(4 * PAGE, 2 * PAGE, 0);
	fake.fails_at = UINT64_MAX;
	check(7 * PAGE, PAGE, 0);
	assert_int_equal(lg_map_retry(map), 1);
	check(4 * PAGE, 4 * PAGE, 0);
	finish();
}

static void more_than_was_asked_for_is_refused(void **state)
{
	(void)state;
	start(16 * PAGE, "page:64K,prefetch:off");
	fake.more = 1;
	check(0, 4 * PAGE, 0); /* what was asked for is there all the same */
	finish();
}

static void another_version_drops_all_and_pins_keep_it(void **state)
{
	char byte;

	(void)state;
	start(16 * PAGE, "page:64K,prefetch:off");
	check(0, 4 * PAGE, 0);
	fake.version = 5;
	check(0, 4 * PAGE, 0);
	assert_int_equal(lg_map_changes(map), 0);
	assert_int_equal(lg_map_pin(map, PAGE, 1), 0);
	assert_int_equal(lg_map_read(map, &byte, 1, 8 * PAGE), -ESTALE);
	assert_int_equal(fake.renewals, 0);
	check(0, 4 * PAGE, 0);
	assert_int_equal(lg_map_unpin(map, PAGE, 1), 0);
	assert_int_equal(lg_map_retry(map), 1);
	check(8 * PAGE, 1, 5);
	assert_int_equal(fake.renewals, 1);
	assert_int_equal(lg_map_changes(map), 1);
	check(0, 16 * PAGE, 5);
	assert_int_equal(fake.renewals, 1);
	finish();
}

/* Directly, as a reader does it. */
static void ranges_leave_out_what_is_not_wanted(void **state)
{
	struct lg_pager_stats stats;

	(void)state;
	start(64 * PAGE, "page:64K,prefetch:off");
	check(16 * PAGE, 4 * PAGE, 0); /* a hole of what comes next */
	fake.chunk = 50000;
	lg_flight_ahead(map, &(struct lg_flight_range){ .page = 0, .end = 40, .step = 2 });
	assert_int_equal(fake.fetches, 3); /* the hole from 12 to 24 is too large to be received */
	assert_int_equal(lg_pager_stats_read(pager, &stats), 0);
	assert_int_equal(stats.prefetched, 16);
	for (uint64_t page = 0; page < 40; page++) {
		/* Who fills a page puts it into the map first, and lets go of its word then. */
		uint64_t word = lg_word_wait(&map->words[page], lg_load_relaxed(&map->words[page]));

		assert_int_equal(lg_word_state(word) != LG_PAGE_OUT, page / 4 % 2 == 0);
	}
	for (uint64_t page = 0; page < 40; page += 8)
		check(page * PAGE, 4 * PAGE, 0);
	assert_int_equal(fake.fetches, 3);
	finish();
}

static void what_no_stream_awaits_is_cancelled(void **state)
{
	(void)state;
	start(64 * PAGE, "page:64K,prefetch:off");
	fake.holds = true;
	lg_flight_ahead(
		map, &(struct lg_flight_range){ .page = 8, .end = 16, .step = 1, .advised = true });
	lg_flight_cancel_stale(map); /* the user's wish: it flies on */
	assert_false(fake.is_cancelled);
	fake.held->end(fake.held, -ECANCELED);
	lg_flight_ahead(map, &(struct lg_flight_range){ .page = 8, .end = 16, .step = 1 });
	lg_flight_cancel_stale(map);
	assert_true(fake.is_cancelled);
	fake.held->end(fake.held, -ECANCELED);
	fake.holds = false;
	check(8 * PAGE, 8 * PAGE, 0);
	finish();
}

/* Neighbours are read with a page as far as there is room for them beside recent fills and pins. */
static void small_budget_has_room_for_a_page(void **state)
{
	enum { PAGES = 64, STEP = 7, PINS = 12 };

	(void)state;
	start_with("memory:1M,page:64K", PAGES * PAGE, "page:64K");
	for (unsigned pins = 0; pins <= PINS; pins++) {
		for (uint64_t i = 0; i < PAGES; i++)
			check(i * PAGE, 1, 0);
		for (uint64_t i = 0; i < PAGES; i++)
			check(i * STEP % PAGES * PAGE, 1, 0);
		if (pins < PINS)
			assert_int_equal(lg_map_pin(map, (size_t)pins * 5 * PAGE, 1), 0);
	}
	finish();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_in_pieces_of_any_size),
		cmocka_unit_test(a_touch_brings_what_is_absent_of_its_block),
		cmocka_unit_test(a_failure_is_that_of_the_page_touched),
		cmocka_unit_test(more_than_was_asked_for_is_refused),
		cmocka_unit_test(another_version_drops_all_and_pins_keep_it),
		cmocka_unit_test(ranges_leave_out_what_is_not_wanted),
		cmocka_unit_test(what_no_stream_awaits_is_cancelled),
		cmocka_unit_test(small_budget_has_room_for_a_page),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
