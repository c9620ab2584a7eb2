/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Limbo: what comes back from there is what went, and what is not written from there the store has. */
#include "pager/limbo.h"

#include "pager/evict.h"
#include "pager/map.h"
#include "unit/pager/sigbus.h"
#include "unit/unit.h"

#include <lgalloc/pager.h>

enum { HUGE_PAGE = 2 << 20 };

static lg_pager *pager;
static lg_map *map;
static char *data;

static int start(void **state)
{
	(void)state;
	pager = lg_pager_new("memory:32M,page:2M,faults:inline,prefetch:off");
	map = pager != NULL ? lg_map_memory(pager, 4 * HUGE_PAGE, NULL) : NULL;
	data = map != NULL ? lg_map_data(map) : NULL;
	return map != NULL ? 0 : -1;
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

/* The first page, as if memory were wanted; there is plenty, and nobody else does anything. */
static void take_out_and_write(void)
{
	uint64_t seen = lg_load_relaxed(&map->words[0]);

	assert_true(lg_word_is_mapped(seen));
	assert_true(lg_word_claim(&map->words[0], &seen));
	assert_int_equal(lg_evict_claimed(map, 0, 1), 1);
	assert_true(lg_limbo_write(pager) > 0);
}

/* It is compared with what the store had once, which is forgotten when the page leaves as zeros. */
static void huge_page_as_it_was_before_it_was_zero_is_written_again(void **state)
{
	(void)state;
	memset(data, 'a', HUGE_PAGE);
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0);
	assert_int_equal(data[1], 'a'); /* from the store */
	memset(data, 0, HUGE_PAGE);
	take_out_and_write();
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

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
		TEST(huge_page_as_it_was_before_it_was_zero_is_written_again),
		TEST(huge_page_that_did_not_change_is_not_written),
	};

	return UNIT_RUN(tests);
}
