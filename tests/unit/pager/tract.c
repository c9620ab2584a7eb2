/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What is done to all of a map is done to what was touched of it, reads no more of its table, and misses nothing. */
#include "pager/tract.h"

#include "pager/drop.h"
#include "pager/pager.h"
#include "stress/random.h"
#include "unit/pager/sigbus.h"
#include "unit/unit.h"

#include <errno.h>
#include <sys/mman.h>
#include <unistd.h>

#define PAGE ((size_t)4096)
#define TRACT ((size_t)1 << LG_TRACT_SHIFT) /* pages */
#define PAGES ((size_t)1 << 24)
#define BYTES (PAGES * PAGE)
#define NOWHERE UINT64_MAX

static const char *how;
static lg_pager *pager;
static lg_map *map;
static char *data;
static struct store {
	int fd;
	uint64_t bad; /* a page that cannot be read */
	uint64_t discarded, discards_at, discards_to;
} store;

static ssize_t read_some(void *context, void *buffer, size_t length, uint64_t offset)
{
	const struct store *from = context;

	if (offset / PAGE <= from->bad && from->bad < (offset + length) / PAGE)
		return -EIO;
	return pread(from->fd, buffer, length, (off_t)offset);
}

static ssize_t write_some(void *context, const void *buffer, size_t length, uint64_t offset)
{
	const struct store *to = context;

	return pwrite(to->fd, buffer, length, (off_t)offset);
}

static int discard(void *context, uint64_t offset, uint64_t length)
{
	struct store *of = context;

	of->discarded += length;
	of->discards_at = lg_min(of->discards_at, offset);
	of->discards_to = lg_max(of->discards_to, offset + length);
	return 0;
}

static int begin(const struct lg_store_ops *ops)
{
	char options[100];

	store = (struct store){ .bad = NOWHERE, .discards_at = NOWHERE };
	store.fd = memfd_create("tracts", MFD_CLOEXEC);
	if (store.fd < 0 || ftruncate(store.fd, (off_t)BYTES) != 0)
		return -1;
	snprintf(options, sizeof(options), "memory:2M,page:4K,prefetch:off%s", how);
	pager = lg_pager_new(options);
	if (pager == NULL && errno == EPERM)
		exit(UNIT_SKIPPED);
	map = pager != NULL ? lg_map_store(pager, ops, &store, BYTES, NULL) : NULL;
	data = lg_map_data(map);
	return map != NULL ? 0 : -1;
}

static const struct lg_store_ops plain = {
	.size = sizeof(plain), .read = read_some, .write = write_some, .signal_safe = true
};

static int start(void **state)
{
	(void)state;
	return begin(&plain);
}

static int start_discarding(void **state)
{
	struct lg_store_ops ops = plain;

	(void)state;
	ops.discard = discard;
	return begin(&ops);
}

static int end(void **state)
{
	int closed = lg_map_close(map), freed = lg_pager_free(pager);

	(void)state;
	close(store.fd);
	return closed != 0 || freed != 0;
}

static char *at(size_t page)
{
	return data + page * PAGE;
}

static char stored(size_t page)
{
	char byte;

	assert_int_equal(pread(store.fd, &byte, 1, (off_t)(page * PAGE)), 1);
	return byte;
}

/* Which pages of the table of words have memory, be it of zeros: how many. */
static size_t see_table(unsigned char seen[PAGES / TRACT])
{
	size_t count = 0;

	assert_int_equal(mincore((void *)map->words, PAGES * sizeof(lg_word), seen), 0);
	for (size_t i = 0; i < PAGES / TRACT; i++)
		count += seen[i] & 1;
	return count;
}

static void claim_little_table(void)
{
	static unsigned char seen[PAGES / TRACT];

	/* A huge page of it for each of those that were touched, where the kernel gives such unasked. */
	assert_true(see_table(seen) < PAGES / TRACT / 4);
}

/* What a word says it says of a tract that is used. */
static void claim_used(void)
{
	static unsigned char seen[PAGES / TRACT];

	(void)see_table(seen);
	for (size_t tract = 0; tract < PAGES / TRACT; tract++) {
		uint64_t page = tract * TRACT, to;

		if ((seen[tract] & 1) == 0 ||
		    (lg_tracts_next(map, &page, page + TRACT, &to) && to - page == TRACT))
			continue;
		for (size_t i = 0; i < TRACT; i++)
			assert_int_equal(lg_load_relaxed(&map->words[tract * TRACT + i]) &
						 ~(LG_WORD_BUSY | LG_WORD_WAITED),
					 0);
	}
}

/* On both sides of borders of tracts, and of words of their bits; none next to each other but there. */
static const size_t borders[] = {
	0,
	TRACT - 1,
	TRACT,
	5 * TRACT,
	64 * TRACT - 1,
	64 * TRACT,
	128 * TRACT - 1,
	PAGES / 2 + 3,
	PAGES - 64 * TRACT - 1,
	PAGES - TRACT,
	PAGES - TRACT - 1,
	PAGES - 1,
};

enum { BORDERS = sizeof(borders) / sizeof(borders[0]) };

static void write_borders(char byte)
{
	for (size_t i = 0; i < BORDERS; i++)
		*at(borders[i]) = (char)(byte + (char)i);
}

static void claim_borders(char byte)
{
	for (size_t i = 0; i < BORDERS; i++)
		assert_int_equal(stored(borders[i]), byte + (char)i);
}

/* --- where to look ------------------------------------------------------------------------------ */

static struct lg_pager nobodys;

static void next_finds_what_is_used_and_nothing_else(void **state)
{
	enum { WORDS = 4, MOST = WORDS * 64 - 1 };
	static _Atomic(uint64_t) bits[WORDS];
	struct lg_map some = { .tracts = bits, .pager = &nobodys };
	uint64_t random = 11;

	(void)state;
	for (unsigned turn = 0; turn < 2000; turn++) {
		bool used[MOST] = { false };
		size_t pages = 1 + random_below(&random, MOST * TRACT), reached;
		size_t dense = 1 + random_below(&random, 60), first = random_below(&random, pages);
		uint64_t page = first, to;

		assert_true(lg_tracts_bytes(pages) <= sizeof(bits));
		for (size_t i = 0; i < WORDS; i++)
			lg_store_relaxed(&bits[i], (uint64_t)0);
		for (size_t i = 0; i < pages; i += TRACT)
			if (random_one_in(&random, dense)) {
				used[i / TRACT] = true;
				lg_tract_use(&some,
					     i + random_below(&random, lg_min(TRACT, pages - i)));
			}
		for (reached = first; lg_tracts_next(&some, &page, pages, &to);
		     page = reached = to) {
			assert_true(reached <= page && page < to && to <= pages);
			for (; reached < page; reached = (reached / TRACT + 1) * TRACT)
				assert_false(used[reached / TRACT]);
			for (; reached < to; reached = (reached / TRACT + 1) * TRACT)
				assert_true(used[reached / TRACT]);
		}
		for (; reached < pages; reached = (reached / TRACT + 1) * TRACT)
			assert_false(used[reached / TRACT]);
	}
}

static void range_is_used_to_its_last_page(void **state)
{
	static _Atomic(uint64_t) bits[2];
	struct lg_map some = { .tracts = bits, .pager = &nobodys };
	uint64_t page = 0, to;

	(void)state;
	lg_tracts_use(&some, 3 * TRACT - 1, 5 * TRACT + 1);
	assert_true(lg_tracts_next(&some, &page, 100 * TRACT, &to));
	assert_int_equal(page, 2 * TRACT);
	assert_int_equal(to, 6 * TRACT);
	page = to;
	lg_tracts_use(&some, 70 * TRACT, 70 * TRACT);
	assert_false(lg_tracts_next(&some, &page, 100 * TRACT, &to));
}

/* --- the table ---------------------------------------------------------------------------------- */

static void all_of_a_huge_map_is_done_without_all_of_its_table(void **state)
{
	(void)state;
	store.bad = PAGES - 7; /* a retry ends with the last there is */
	assert_int_equal(lg_map_pin(map, store.bad * PAGE, 1), -EIO);
	write_borders('a');
	claim_little_table();
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	claim_little_table();
	assert_int_equal(lg_map_retry(map), 1);
	claim_little_table();
	write_borders('b');
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0);
	claim_little_table();
	claim_borders('b');
	write_borders('c');
	assert_int_equal(lg_map_advise(map, 0, 0, LG_DEAD), 0);
	claim_little_table();
	write_borders('d');
	lg_drop_all(map); /* which is what is left to do by the close, after its sync */
	claim_little_table();
	for (size_t i = 0; i < BORDERS; i++)
		assert_int_equal(*at(borders[i]), 'b' + (char)i);
}

static void memory_that_dies_needs_no_table_either(void **state)
{
	lg_map *other = map;

	(void)state;
	map = lg_map_memory(pager, BYTES, "reserve:lazy");
	assert_non_null(map);
	data = lg_map_data(map);
	write_borders('m');
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0); /* given to the spill */
	write_borders('n');
	*at(3 * TRACT) = 'z';
	assert_int_equal(lg_map_advise(map, 0, 0, LG_DEAD), 0);
	claim_little_table();
	for (size_t i = 0; i < BORDERS; i++)
		assert_int_equal(*at(borders[i]), 0);
	assert_int_equal(*at(3 * TRACT), 0);
	assert_int_equal(lg_map_close(map), 0);
	map = other;
}

/* --- nothing is missed -------------------------------------------------------------------------- */

static void sync_finds_pages_at_the_borders(void **state)
{
	(void)state;
	write_borders('A');
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	claim_borders('A');
	write_borders('B'); /* the second time they are there, write-protected */
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	claim_borders('B');
	claim_used();
}

static void sync_of_a_part_ends_where_it_ends(void **state)
{
	(void)state;
	for (size_t page = TRACT - 2; page < TRACT + 2; page++)
		*at(page) = 'p';
	assert_int_equal(lg_map_sync(map, (TRACT - 1) * PAGE, 2 * PAGE), 0);
	assert_int_equal(stored(TRACT - 2), 0);
	assert_int_equal(stored(TRACT - 1), 'p');
	assert_int_equal(stored(TRACT), 'p');
	assert_int_equal(stored(TRACT + 1), 0);
}

static void close_writes_all(void **state)
{
	(void)state;
	write_borders('C');
	for (size_t page = 9 * TRACT; page < 12 * TRACT; page++) /* most are in limbo by then */
		*at(page) = 'r';
	assert_int_equal(lg_map_close(map), 0);
	map = NULL;
	claim_borders('C');
	for (size_t page = 9 * TRACT; page < 12 * TRACT; page++)
		assert_int_equal(stored(page), 'r');
}

static void retry_heals_where_nothing_else_was(void **state)
{
	char byte;

	(void)state;
	for (size_t i = 0; i < BORDERS; i++) {
		store.bad = borders[i];
		assert_int_equal(lg_map_read(map, &byte, 1, borders[i] * PAGE), -EIO);
	}
	claim_used();
	store.bad = NOWHERE;
	assert_int_equal(lg_map_retry(map), BORDERS);
	assert_int_equal(lg_map_retry(map), 0);
	write_borders('h');
	assert_int_equal(lg_map_sync(map, 0, 0), 0);
	claim_borders('h');
}

/* A huge page is read before it has a handle. */
static void huge_pages_are_healed_where_nothing_else_was(void **state)
{
	char options[100], byte;
	size_t page = (size_t)2 << 20;

	(void)state;
	snprintf(options, sizeof(options), "memory:32M,page:2M,prefetch:off%s", how);
	lg_pager *other = lg_pager_new(options);
	lg_map *huge = lg_map_store(other, &plain, &store, BYTES, NULL);
	assert_non_null(huge);
	store.bad = 5 * TRACT * page / PAGE;
	assert_int_equal(lg_map_read(huge, &byte, 1, 5 * TRACT * page), -EIO);
	store.bad = NOWHERE;
	assert_int_equal(lg_map_retry(huge), 1);
	assert_int_equal(lg_map_read(huge, &byte, 1, 5 * TRACT * page), 1);
	assert_int_equal(lg_map_close(huge), 0);
	assert_int_equal(lg_pager_free(other), 0);
}

/* What it has of pages that were never here is no business of tracts. */
static void dead_reaches_the_store_where_nothing_was_touched(void **state)
{
	(void)state;
	*at(20 * TRACT + 1) = 'd';
	assert_int_equal(lg_map_advise(map, (20 * TRACT - 1) * PAGE, 3 * TRACT * PAGE, LG_DEAD), 0);
	assert_int_equal(store.discarded, 3 * TRACT * PAGE);
	assert_int_equal(store.discards_at, (20 * TRACT - 1) * PAGE);
	assert_int_equal(store.discards_to, (23 * TRACT - 1) * PAGE);
	assert_int_equal(*at(20 * TRACT + 1), 0);
	claim_used(); /* from the tract of the first page to that of the last */
	assert_int_equal(lg_load_relaxed(&pager->word_bytes), 4 * TRACT * sizeof(lg_word));
}

/* --- any of it, in any order --------------------------------------------------------------------- */

enum { MODEL = 1500, TURNS = 10000 };

static struct {
	size_t page[MODEL];
	char now[MODEL];
} model;

static void choose_pages(uint64_t *random)
{
	for (size_t i = 0; i < MODEL; i++) {
		size_t tract = random_below(random, 3) == 0 ? random_below(random, PAGES / TRACT) :
							      random_below(random, 130);
		size_t offset = random_below(random, 4);

		/* Each its own: near the border that it has. */
		model.page[i] = tract * TRACT + (i % 2 == 0 ? offset : TRACT - 1 - offset);
		for (size_t other = 0; other < i; other++)
			if (model.page[other] == model.page[i])
				i--, other = i;
	}
}

static void claim_all_stored(void)
{
	for (size_t i = 0; i < MODEL; i++)
		assert_int_equal(stored(model.page[i]), model.now[i]);
}

static void act(uint64_t *random, size_t i)
{
	switch (random_below(random, 1000)) {
	case 0:
		assert_int_equal(lg_map_sync(map, 0, 0), 0);
		claim_all_stored();
		claim_used();
		break;
	case 1:
		assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0);
		break;
	case 2: /* as they were when they were synced */
		assert_int_equal(lg_map_sync(map, 0, 0), 0);
		assert_int_equal(lg_map_advise(map, 0, 0, LG_DEAD), 0);
		break;
	case 3:
		store.bad = model.page[i];
		assert_int_equal(lg_map_advise(map, model.page[i] * PAGE, PAGE, LG_COLD), 0);
		assert_int_equal(lg_map_pin(map, model.page[i] * PAGE, 1), -EIO);
		store.bad = NOWHERE;
		assert_int_equal(lg_map_retry(map), 1);
		break;
	default:
		if (random_one_in(random, 2))
			*at(model.page[i]) = ++model.now[i];
		else
			assert_int_equal(*at(model.page[i]), model.now[i]);
	}
}

static void what_is_done_at_random_is_as_it_should_be(void **state)
{
	uint64_t random = random_seed();

	(void)state;
	memset(&model, 0, sizeof(model));
	choose_pages(&random);
	for (unsigned turn = 0; turn < TURNS; turn++)
		act(&random, random_below(&random, MODEL));
	assert_int_equal(lg_map_close(map), 0);
	map = NULL;
	claim_all_stored();
}

static uint64_t tables(void)
{
	struct lg_pager_stats stats;

	assert_int_equal(lg_pager_stats_read(pager, &stats), 0);
	return stats.tables;
}

static void tables_of_what_was_touched_are_told(void **state)
{
	const uint64_t of_a_tract =
		2 * (uint64_t)sysconf(_SC_PAGESIZE); /* its words, and a page table */

	(void)state;
	assert_int_equal(tables(), 0);
	*at(1) = 1;
	assert_int_equal(tables(), of_a_tract);
	*at(TRACT - 1) = 1;
	*at(1) = 2;
	assert_int_equal(tables(), of_a_tract);
	*at(PAGES / 2) = 1;
	*at(PAGES - 1) = 1;
	assert_int_equal(tables(), 3 * of_a_tract);
	assert_int_equal(lg_load_relaxed(&pager->word_bytes), 3 * of_a_tract / 2);
	assert_int_equal(lg_map_advise(map, 0, 0, LG_COLD), 0); /* what has left has them yet */
	assert_int_equal(tables(), 3 * of_a_tract);
	lg_map *huge = lg_map_memory(pager, (size_t)4 << 20, "page:2M");
	if (huge != NULL) {
		((volatile char *)lg_map_data(huge))[0] = 1;
		assert_true(tables() > 4 * of_a_tract);
		assert_int_equal(lg_map_close(huge), 0);
	}
	assert_int_equal(tables(), 3 * of_a_tract);
	assert_int_equal(lg_map_close(map), 0);
	map = NULL;
	assert_int_equal(tables(), 0);
	assert_int_equal(lg_load_relaxed(&pager->word_bytes), 0);
}

static void *words_of_closed;
static uint64_t counted_at_close;
static bool had_words_at_close;

/* It may take long. */
static void note_words(void *context)
{
	unsigned char seen;

	(void)context;
	counted_at_close = lg_load_relaxed(&pager->word_bytes);
	had_words_at_close = mincore(words_of_closed, PAGE, &seen) == 0;
}

static int start_closing(void **state)
{
	struct lg_store_ops ops = plain;

	(void)state;
	ops.close = note_words;
	return begin(&ops);
}

static void words_are_counted_as_long_as_they_are_there(void **state)
{
	(void)state;
	write_borders('w');
	assert_true(lg_load_relaxed(&pager->word_bytes) > 0);
	words_of_closed = (void *)map->words;
	assert_int_equal(lg_map_close(map), 0);
	map = NULL;
	assert_false(had_words_at_close);
	assert_int_equal(counted_at_close, 0);
}

int main(void)
{
	static const char *const ways[] = { ",faults:inline", ",faults:threads",
					    ",faults:inline,without:move",
					    ",faults:inline,without:wp" };
	const struct CMUnitTest pure[] = {
		cmocka_unit_test(next_finds_what_is_used_and_nothing_else),
		cmocka_unit_test(range_is_used_to_its_last_page),
	};
	const struct CMUnitTest tests[] = {
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, end)
		TEST(all_of_a_huge_map_is_done_without_all_of_its_table),
		TEST(memory_that_dies_needs_no_table_either),
		TEST(sync_finds_pages_at_the_borders),
		TEST(sync_of_a_part_ends_where_it_ends),
		TEST(close_writes_all),
		TEST(retry_heals_where_nothing_else_was),
		TEST(huge_pages_are_healed_where_nothing_else_was),
		cmocka_unit_test_setup_teardown(dead_reaches_the_store_where_nothing_was_touched,
						start_discarding, end),
		TEST(what_is_done_at_random_is_as_it_should_be),
		TEST(tables_of_what_was_touched_are_told),
		cmocka_unit_test_setup_teardown(words_are_counted_as_long_as_they_are_there,
						start_closing, end),
	};
	int failed = UNIT_RUN(pure);

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		how = ways[i];
		failed += UNIT_RUN(tests);
	}
	return failed;
}
