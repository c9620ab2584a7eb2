/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What LG_DEAD tells the store: which bytes it need not keep. */
#include "pager/drop.h"

#include "pager/evict.h"
#include "pager/map.h"
#include "store/spill.h"
#include "unit/pager/shelved.h"

#define MIB ((size_t)1 << 20)

enum { PAGE = 16384, PAGES = 9, BYTES = 8 * PAGE + 100 };

/* How often each page was discarded, and how often that was wrong. */
static struct {
	unsigned pages[PAGES];
	unsigned breaches;
} seen;

/* Nobody may bring a page in meanwhile, and write it to be discarded then. */
static int discard(void *context, uint64_t offset, uint64_t length)
{
	uint64_t end = offset + length;

	seen.breaches += offset % PAGE != 0 || (end % PAGE != 0 && end != BYTES) || end > BYTES;
	for (uint64_t page = offset / PAGE; page < PAGES && page * PAGE < end; page++) {
		seen.pages[page]++;
		seen.breaches += (lg_load_relaxed(&map->words[page]) & LG_WORD_BUSY) == 0;
	}
	return shelf_discard(context, offset, length);
}

static int start(void **state)
{
	struct lg_store_ops ops = shelf_ops;

	(void)state;
	memset(&seen, 0, sizeof(seen));
	ops.discard = discard;
	return shelved_start("memory:4M,page:16K,faults:inline,prefetch:off", &ops, BYTES);
}

/* x: the page is discarded, once; '.': it is not. */
static void claim_dead_discards(size_t offset, size_t length, const char *pages)
{
	memset(&seen, 0, sizeof(seen));
	assert_int_equal(lg_map_advise(map, offset, length, LG_DEAD), 0);
	assert_int_equal(seen.breaches, 0);
	for (unsigned i = 0; i < PAGES; i++)
		assert_int_equal(seen.pages[i], pages[i] == 'x');
}

static void dead_discards_whole_pages_and_no_others(void **state)
{
	(void)state;
	for (unsigned filled = 0; filled < 2; filled++) {
		if (filled)
			memset(data, 'f', BYTES);
		claim_dead_discards(1, 3 * PAGE, ".xx......");
		claim_dead_discards(5 * PAGE, 2 * PAGE - 1, ".....x...");
		claim_dead_discards(PAGE + 1, 2 * PAGE - 2, ".........");
		claim_dead_discards(8 * PAGE, 99, "........."); /* a byte of the last lives */
		claim_dead_discards(7 * PAGE + 1, PAGE + 99, "........x");
		claim_dead_discards(0, 0, "xxxxxxxxx");
	}
}

/* Wherever a page is, and whether or not the store was ever given it. */
static void dead_discards_what_is_in_memory_and_what_is_not(void **state)
{
	enum { OUT, READ, WRITTEN, LIMBO, COLD, AGAIN };
	int error;

	(void)state;
	assert_int_equal(data[READ * PAGE], shelf_byte(READ * PAGE));
	data[WRITTEN * PAGE] = 'w';
	data[LIMBO * PAGE] = 'l';
	data[COLD * PAGE] = 'c';
	data[AGAIN * PAGE] = 'a';
	assert_int_equal(lg_map_advise(map, COLD * PAGE, 2 * PAGE, LG_COLD), 0);
	data[AGAIN * PAGE] = 'b';
	uint64_t word = lg_load_relaxed(&map->words[LIMBO]);
	assert_true(lg_word_claim(&map->words[LIMBO], &word));
	assert_int_equal(lg_evict_claimed(map, LIMBO, 1, &error), 1);
	claim_dead_discards(0, 8 * PAGE, "xxxxxxxx.");
	for (uint64_t page = 0; page < 8; page++)
		assert_int_equal(lg_word_state(lg_load_relaxed(&map->words[page])), LG_PAGE_OUT);
}

static void dead_discards_no_pinned_page(void **state)
{
	(void)state;
	data[2 * PAGE] = 'p';
	assert_int_equal(lg_map_pin(map, 2 * PAGE, 2 * PAGE), 0);
	claim_dead_discards(0, 0, "xx..xxxxx");
	assert_int_equal(data[2 * PAGE], 'p');
	assert_int_equal(lg_map_unpin(map, 3 * PAGE, PAGE), 0);
	claim_dead_discards(0, 0, "xx.xxxxxx");
	assert_int_equal(lg_map_unpin(map, 2 * PAGE, PAGE), 0);
	claim_dead_discards(0, 0, "xxxxxxxxx");
}

/* All of it is wanted again, or may be. */
static void nothing_else_discards(void **state)
{
	(void)state;
	memset(data, 'n', BYTES);
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0);
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	assert_int_equal(lg_map_close(map), 0);
	map = NULL;
	assert_int_equal(atomic_load(&shelf.discards), 0);
}

static uint64_t discarded(void)
{
	struct lg_pager_stats stats;

	assert_int_equal(lg_pager_stats_read(pager, &stats), 0);
	return stats.discarded;
}

/* How many pages of it LG_DEAD gives up. */
static uint64_t let_die(lg_map *of)
{
	uint64_t before = discarded();

	assert_int_equal(lg_map_advise(of, 0, 0, LG_DEAD), 0);
	return discarded() - before;
}

/* The store keeps what it has: of pages that are out, there is nothing. */
static void what_cannot_be_given_up_is_not_counted(void **state)
{
	struct lg_store_ops ops = shelf_ops;

	(void)state;
	ops.discard = NULL;
	lg_map *keeping = lg_map_store(pager, &ops, &shelf, shelf.length, NULL);
	assert_non_null(keeping);
	memset(lg_map_data(keeping), 'k', BYTES);
	assert_int_equal(lg_map_advise(keeping, 0, 0, LG_COLD), 0);
	assert_int_equal(let_die(keeping), 0);
	assert_int_equal(((char *)lg_map_data(keeping))[PAGE], 'k');
	assert_int_equal(let_die(keeping), 1);
	assert_int_equal(lg_map_close(keeping), 0);
}

/* Memory that is out has bytes, once. */
static void memory_is_given_up_once(void **state)
{
	lg_map *memory = lg_map_memory(pager, BYTES, NULL);

	(void)state;
	assert_non_null(memory);
	memset(lg_map_data(memory), 'm', BYTES);
	assert_int_equal(lg_map_advise(memory, 0, 0, LG_COLD), 0);
	assert_int_equal(let_die(memory), PAGES);
	assert_int_equal(let_die(memory), 0);
	assert_int_equal(lg_map_close(memory), 0);
}

static uint64_t disk_bytes(const lg_map *of)
{
	uint64_t bytes = 0;

	assert_int_equal(lg_spill_disk_bytes(of->store, &bytes), 0);
	return bytes;
}

/* Written pages of memory, of which the second half dies: what was on disk before, and what is then. */
static void let_half_die(const char *options, uint64_t *before, uint64_t *after)
{
	lg_map *memory = lg_map_memory(pager, 2 * MIB, options);

	assert_non_null(memory);
	char *plain = lg_map_data(memory);
	memset(plain, 'm', 2 * MIB);
	assert_int_equal(lg_map_advise(memory, 0, 0, LG_COLD), 0);
	if (memory->store->calls->discard(memory->store, MIB, PAGE) == -EOPNOTSUPP) {
		assert_int_equal(lg_map_close(memory), 0);
		skip(); /* the file system gives no space back */
	}
	*before = disk_bytes(memory);
	assert_int_equal(lg_map_advise(memory, MIB, MIB, LG_DEAD), 0);
	*after = disk_bytes(memory);
	for (size_t i = 0; i < 2 * MIB; i += 100)
		assert_int_equal(plain[i], i < MIB ? 'm' : 0);
	assert_int_equal(lg_map_close(memory), 0);
}

static void dead_memory_gives_its_disk_space_back(void **state)
{
	uint64_t before, after;

	(void)state;
	let_half_die("reserve:lazy", &before, &after);
	assert_true(after < before);
}

/* Wiped, and out again: the store need not keep what it had. */
static void memory_that_is_zero_again_gives_its_disk_space_back(void **state)
{
	lg_map *memory = lg_map_memory(pager, 2 * MIB, "reserve:lazy");

	(void)state;
	assert_non_null(memory);
	char *plain = lg_map_data(memory);
	memset(plain, 'm', 2 * MIB);
	assert_int_equal(lg_map_advise(memory, 0, 0, LG_COLD), 0);
	uint64_t before = disk_bytes(memory);
	memset(plain + MIB, 0, MIB);
	assert_int_equal(lg_map_advise(memory, 0, 0, LG_COLD), 0);
	if (memory->store->calls->discard(memory->store, MIB, PAGE) != -EOPNOTSUPP)
		assert_true(disk_bytes(memory) < before);
	for (size_t i = 0; i < 2 * MIB; i += 100)
		assert_int_equal(plain[i], i < MIB ? 'm' : 0);
	assert_int_equal(lg_map_close(memory), 0);
}

static void reserved_disk_space_stays(void **state)
{
	uint64_t before, after;

	(void)state;
	let_half_die("reserve:on", &before, &after);
	assert_int_equal(after, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, shelved_end)
		TEST(dead_discards_whole_pages_and_no_others),
		TEST(dead_discards_what_is_in_memory_and_what_is_not),
		TEST(dead_discards_no_pinned_page),
		TEST(nothing_else_discards),
		TEST(what_cannot_be_given_up_is_not_counted),
		TEST(memory_is_given_up_once),
		TEST(dead_memory_gives_its_disk_space_back),
		TEST(memory_that_is_zero_again_gives_its_disk_space_back),
		TEST(reserved_disk_space_stays),
	};

	return UNIT_RUN(tests);
}
