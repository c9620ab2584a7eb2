/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Reading ahead under each policy: what was read ahead is there when it is touched, and is read once. */
#include "unit/pager/sigbus.h"
#include "unit/unit.h"

#include "stress/shelf.h"
#include "stress/strict_policy.h"

#include <lgalloc/pager.h>

#define MIB ((size_t)1 << 20)

enum { PAGE = 16384, PAGES = 1024, MOST_PERCENT = 110 };

static lg_pager *pager;
static struct shelf shelf;
static lg_map *map;
static char *data;

static void make(const char *policy)
{
	char options[100];

	snprintf(options, sizeof(options), "memory:4M,page:16K,policy:%s", policy);
	pager = lg_pager_new(options);
	assert_non_null(pager);
	shelf_make(&shelf, (size_t)PAGES * PAGE);
	map = lg_map_store(pager, &shelf_ops, &shelf, shelf.length, NULL);
	assert_non_null(map);
	data = lg_map_data(map);
}

static void end(void)
{
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(lg_pager_free(pager), 0);
	shelf_end(&shelf);
}

static void touch(size_t page)
{
	volatile char *at = data + page * PAGE;

	assert_int_equal(*at, shelf_byte(page * PAGE));
}

static void pass_reads_each_page_once(const char *policy, bool backward)
{
	make(policy);
	for (size_t i = 0; i < PAGES; i++)
		touch(backward ? PAGES - 1 - i : i);
	assert_in_range(atomic_load(&shelf.read_bytes), shelf.length - (size_t)PAGE,
			shelf.length / 100 * MOST_PERCENT);
	end();
}

static void pass_reads_each_page_once_under_each_policy(void **state)
{
	static const char *const policies[] = { "clock", "s3fifo", "fifo",   "lifo",
						"plru",  "prnd",   "wiro_f", "wiro_l" };

	(void)state;
	for (size_t i = 0; i < sizeof(policies) / sizeof(policies[0]); i++) {
		pass_reads_each_page_once(policies[i], false);
		pass_reads_each_page_once(policies[i], true);
	}
}

/*
 * Of a scan that comes again and again lifo keeps the beginning: half of the budget, less what moves. That is, of 256 pages, 34
 * that were filled last, 32 that are read ahead, 16 that are to be had at once, and a buffer of 8 for each reader and demand:
 * with four readers 122 of the 128, which a busy machine goes beyond.
 */
static void lifo_keeps_half_of_a_scan(void **state)
{
	enum { PASSES = 4, KEPT = PAGES / 4 };

	(void)state;
	make("lifo,readers:1");
	for (size_t i = 0; i < PAGES; i++)
		touch(i);
	size_t before = atomic_load(&shelf.read_bytes);
	for (size_t i = 0; i < (size_t)PASSES * PAGES; i++)
		touch(i % PAGES);
	size_t each = (atomic_load(&shelf.read_bytes) - before) / PASSES;
	assert_true(each < (size_t)(PAGES - KEPT / 2) * PAGE);
	end();
}

/* Two streams at once, and pages between them that are dropped: all is as the store has it. */
static void pieces_survive_advice(void **state)
{
	(void)state;
	make("lifo");
	for (size_t i = 0; i < PAGES / 2; i++) {
		touch(i);
		touch(PAGES / 2 + i);
		if (i % 37 == 0)
			assert_int_equal(
				lg_map_advise(map, (i + 8) * PAGE, 16 * (size_t)PAGE, LG_COLD), 0);
		if (i % 91 == 0) {
			assert_int_equal(lg_map_pin(map, (i + 3) * PAGE, 5 * (size_t)PAGE), 0);
			assert_int_equal(lg_map_unpin(map, (i + 3) * PAGE, 5 * (size_t)PAGE), 0);
		}
	}
	for (size_t i = 0; i < PAGES; i++)
		touch(i);
	end();
}

/* They are put back only after it gave them up. */
static void policy_learns_of_pieces_that_calls_read(void **state)
{
	enum { TOUCHED = 64 };
	char byte;

	(void)state;
	make("strict");
	for (size_t i = 0; i < TOUCHED; i++)
		touch(i);
	for (size_t i = TOUCHED; i < PAGES; i++) {
		assert_int_equal(lg_map_read(map, &byte, 1, i * PAGE), 1);
		assert_int_equal(byte, shelf_byte(i * PAGE));
	}
	for (size_t i = 0; i < PAGES; i++)
		touch(i);
	end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(policy_learns_of_pieces_that_calls_read),
		cmocka_unit_test(pass_reads_each_page_once_under_each_policy),
		cmocka_unit_test(lifo_keeps_half_of_a_scan),
		cmocka_unit_test(pieces_survive_advice),
	};

	strict_policy_register();
	return UNIT_RUN(tests);
}
