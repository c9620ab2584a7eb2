/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Limbo: what comes back from there is what went, and what is not written from there the store has. */
#include "pager/limbo.h"

#include "os/io_queue.h"
#include "os/map.h"
#include "os/userfault.h"
#include "pager/evict.h"
#include "pager/map.h"
#include "pager/writeback.h"
#include "unit/pager/sigbus.h"
#include "unit/smaps.h"
#include "unit/unit.h"

#include "stress/clock.h"

#include <lgalloc/pager.h>

enum { HUGE_PAGE = 2 << 20, SMALL_PAGE = 4096 };

static lg_pager *pager;
static lg_map *map;
static char *data;

static int start(void **state)
{
	(void)state;
	pager = lg_pager_new("memory:32M,page:2M,faults:inline,prefetch:off");
	map = pager != NULL ? lg_map_memory(pager, 4 * HUGE_PAGE, NULL) : NULL;
	if (map == NULL)
		return -1;
	data = lg_map_data(map);
	/* It has begun, and found nothing to do. */
	while (lg_load_relaxed(&pager->writers_asleep) == 0)
		clock_breathe();
	return 0;
}

static int end(void **state)
{
	(void)state;
	return lg_map_close(map) != 0 || lg_pager_free(pager) != 0;
}

static struct lg_pager_stats stats_now(void)
{
	struct lg_pager_stats stats;

	assert_int_equal(lg_pager_stats_read(pager, &stats), 0);
	return stats;
}

/* As if memory were wanted; there is plenty, and nobody else does anything. */
static void take_out(lg_map *of, uint64_t page)
{
	uint64_t seen = lg_load_relaxed(&of->words[page]);
	int error;

	assert_true(lg_word_is_mapped(seen));
	assert_true(lg_word_claim(&of->words[page], &seen));
	assert_int_equal(lg_evict_claimed(of, page, 1, &error), 1);
}

/* It is compared with what the store had once, which is forgotten when the page leaves as zeros. */
static void huge_page_as_it_was_before_it_was_zero_is_written_again(void **state)
{
	(void)state;
	memset(data, 'a', HUGE_PAGE);
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0);
	assert_int_equal(data[1], 'a'); /* from the store */
	memset(data, 0, HUGE_PAGE);
	take_out(map, 0);
	assert_true(lg_writeback(pager) > 0);
	assert_int_equal(stats_now().evictions_zero, 1);
	assert_int_equal(data[1], 0);
	assert_int_equal(stats_now().limbo_hits, 1);
	memset(data, 'a', HUGE_PAGE);
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0);
	for (size_t i = 0; i < HUGE_PAGE; i += 4096)
		assert_int_equal(data[i], 'a');
}

/* Read, and left as it was: it costs no write, though it was writable. */
static void huge_page_that_did_not_change_is_not_written(void **state)
{
	uint64_t writes;

	(void)state;
	memset(data, 'a', HUGE_PAGE);
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0);
	assert_int_equal(data[1], 'a');
	writes = stats_now().writes;
	memset(data, 'b', HUGE_PAGE);
	memset(data, 'a', HUGE_PAGE);
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0);
	assert_int_equal(stats_now().writes, writes);
	assert_int_equal(data[HUGE_PAGE - 1], 'a');
}

/* Pages that are no neighbours, and some that are; one is zero, and needs no write. */
static void lone_pages_are_written_together(void **state)
{
	enum { PAGE = 4096, PAGES = 40, STEP = 3, ZERO = 3 * STEP, LONE = 14, LAST = PAGES - 1 };
	struct lg_os_io_queue queue = { 0 };
	lg_map *small = lg_map_memory(pager, (size_t)PAGES * PAGE, "page:4K");

	(void)state;
	assert_non_null(small);
	char *at = lg_map_data(small);
	for (size_t i = 0; i < PAGES; i++)
		memset(at + i * PAGE, i == ZERO ? 0 : (int)i + 1, PAGE);
	for (uint64_t page = 0; page < PAGES; page += STEP)
		take_out(small, page);
	take_out(small, LAST - 1); /* the last of the others is its neighbour before it, */
	assert_int_equal(lg_writeback(pager), PAGE);
	uint64_t writes = stats_now().writes;
	/* of which there are LONE, without the first. */
	assert_int_equal(lg_writeback_many(pager, &queue), LONE * PAGE);
	assert_int_equal(stats_now().writes, writes + LONE - 1);
	assert_int_equal(stats_now().evictions_zero, 1);
	assert_int_equal(lg_writeback_many(pager, &queue), 0);
	assert_int_equal(lg_map_advise(small, 0, 0, LG_COLD), 0);
	for (size_t i = 0; i < PAGES; i++)
		for (size_t k = 0; k < PAGE; k += 64)
			assert_int_equal(at[i * PAGE + k], i == ZERO ? 0 : (char)(i + 1));
	lg_os_io_queue_end(&queue);
	assert_int_equal(lg_map_close(small), 0);
}

/* Of the mapping at this address. */
static size_t huge_pages_at(const void *at)
{
	char line[512];
	size_t kilobytes;

	smaps_line(at, "AnonHugePages:", line, sizeof(line));
	assert_int_equal(sscanf(line, "AnonHugePages: %zu", &kilobytes), 1);
	return kilobytes * 1024 / HUGE_PAGE;
}

static char *make_range(enum lg_os_advice advice)
{
	void *range;

	assert_int_equal(lg_os_reserve(HUGE_PAGE, HUGE_PAGE, &range), 0);
	assert_int_equal(lg_os_map_anon(range, HUGE_PAGE), 0);
	(void)lg_os_advise(range, HUGE_PAGE, advice); /* a kernel without huge pages */
	return range;
}

/*
 * There are huge pages, and this kernel moves one in one piece to where a page table was that is empty now: from 6.14 on dropping
 * what it told of frees the table too.
 */
static bool kernel_keeps_huge_pages_whole(void)
{
	struct lg_os_userfault userfault;
	char *from = make_range(LG_OS_HUGEPAGE), *to = make_range(LG_OS_NOHUGEPAGE);
	bool whole;
	size_t done;

	assert_int_equal(lg_os_userfault_open(true, 0, &userfault), 0);
	assert_int_equal(lg_os_userfault_register(&userfault, to, HUGE_PAGE), 0);
	memset(from, 'a', HUGE_PAGE);
	assert_int_equal(lg_os_userfault_copy(&userfault, to, from, SMALL_PAGE, false, &done), 0);
	assert_int_equal(lg_os_drop(to, HUGE_PAGE), 0);
	struct lg_os_move move = { .to = to, .from = from, .private = from, .bytes = HUGE_PAGE };
	whole = huge_pages_at(from) > 0 && lg_os_userfault_move(&userfault, &move, &done) == 0 &&
		huge_pages_at(to) == 1;
	lg_os_userfault_close(&userfault);
	lg_os_unreserve(from, HUGE_PAGE);
	lg_os_unreserve(to, HUGE_PAGE);
	return whole;
}

/* They leave when others come, as far as limbo has frames, and a touch brings them back: whoever looks for them finds a page table. */
static void huge_pages_stay_whole_on_their_way_through_limbo(void **state)
{
	enum { PAGES = 64 };

	(void)state;
	if (!kernel_keeps_huge_pages_whole())
		skip();
	lg_pager *large = lg_pager_new("memory:256M,page:2M,faults:inline,prefetch:off");
	assert_non_null(large);
	lg_map *huge = lg_map_memory(large, (size_t)PAGES * HUGE_PAGE, "reserve:lazy");
	assert_non_null(huge);
	char *at = lg_map_data(huge);
	assert_int_equal(lg_map_populate(huge, 0, 0), 0);
	for (size_t i = 0; i < PAGES; i++)
		memset(at + i * HUGE_PAGE, (int)i + 1, HUGE_PAGE);
	size_t before = huge_pages_at(at);
	assert_true(before > 0);
	for (uint64_t page = 0; page < PAGES; page++)
		take_out(huge, page);
	assert_int_equal(huge_pages_at(at), 0);
	for (size_t i = 0; i < PAGES; i++)
		assert_int_equal(at[i * HUGE_PAGE + i * SMALL_PAGE], (char)(i + 1));
	struct lg_pager_stats stats;
	assert_int_equal(lg_pager_stats_read(large, &stats), 0);
	assert_int_equal(stats.limbo_hits, PAGES);
	assert_int_equal(huge_pages_at(at), before);
	assert_int_equal(lg_map_close(huge), 0);
	assert_int_equal(lg_pager_free(large), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
		TEST(huge_page_as_it_was_before_it_was_zero_is_written_again),
		TEST(huge_page_that_did_not_change_is_not_written),
		TEST(lone_pages_are_written_together),
		cmocka_unit_test(huge_pages_stay_whole_on_their_way_through_limbo),
	};

	return UNIT_RUN(tests);
}
