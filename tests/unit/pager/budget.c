/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What is asked for together, and what was sized for a budget that is smaller by now. */
#include "pager/budget.h"

#include "os/clock.h"
#include "pager/map.h"
#include "stress/clock.h"
#include "stress/shelf.h"
#include "unit/pager/sigbus.h"
#include "unit/unit.h"

#include <lgalloc/pager.h>
#include <sched.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static bool try(lg_pager *pager, uint64_t bytes)
{
	return lg_budget_try(pager, &(struct lg_budget_wait){ .bytes = bytes });
}

/* A budget of 1 MiB, of which this much is somebody's. */
static int take_beside(uint64_t taken, uint64_t bytes)
{
	lg_pager *pager = lg_pager_new("memory:1M,page:4K");

	assert_non_null(pager);
	assert_true(try(pager, taken));
	int error = lg_budget_take(pager, bytes, false);
	assert_int_equal(lg_budget_charged(pager), taken + (error == 0 ? bytes : 0));
	lg_budget_give(pager, lg_budget_charged(pager));
	assert_int_equal(lg_pager_free(pager), 0);
	return error;
}

static void what_cannot_be_spared_is_had_or_asked_for_again(void **state)
{
	(void)state;
	assert_int_equal(take_beside(0, MIB), 0);
	assert_int_equal(take_beside(4 * KIB, MIB), -EAGAIN);
	assert_int_equal(take_beside(0, 8 * MIB), -EAGAIN);
	assert_int_equal(take_beside(512 * KIB, 768 * KIB + 1), -EAGAIN);
	assert_int_equal(take_beside(256 * KIB, 768 * KIB), 0);
}

static void *give_when_waited_for(void *argument)
{
	lg_pager *pager = argument;

	while (lg_load_ordered(&pager->waiting) == 0)
		clock_breathe();
	lg_budget_give(pager, 512 * KIB);
	return NULL;
}

/* As a page's neighbours that are read with it, in a budget of eight. */
static void what_can_be_spared_is_waited_for(void **state)
{
	lg_pager *pager = lg_pager_new("memory:1M,page:4K");
	pthread_t giver;

	(void)state;
	assert_non_null(pager);
	assert_true(try(pager, 512 * KIB));
	assert_int_equal(pthread_create(&giver, NULL, give_when_waited_for, pager), 0);
	assert_int_equal(lg_budget_take(pager, MIB / 8 * 5, false), 0);
	assert_int_equal(pthread_join(giver, NULL), 0);
	lg_budget_give(pager, MIB / 8 * 5);
	assert_int_equal(lg_pager_free(pager), 0);
}

/* As pages of 4 KiB beside those of 2 MiB: all that comes free is less than one of these. */
static void what_comes_free_is_kept_for_who_wants_much(void **state)
{
	lg_pager *pager = lg_pager_new("memory:16M,page:4K");
	struct lg_budget_wait much = { .bytes = 2 * MIB }, too = { .bytes = 2 * MIB };

	(void)state;
	assert_non_null(pager);
	assert_true(try(pager, 15 * MIB));
	assert_true(try(pager, 4 * KIB));
	for (unsigned i = 0; i < 100; i++)
		assert_false(lg_budget_try(pager, &much));
	assert_false(try(pager, 4 * KIB)); /* there is room for it */
	for (unsigned i = 0; i < 100; i++)
		assert_false(lg_budget_try(pager, &too));
	assert_false(too.keeps); /* one at a time */
	lg_budget_give(pager, MIB);
	assert_false(try(pager, 4 * KIB));
	lg_budget_give(pager, 4 * KIB);
	assert_false(lg_budget_try(pager, &too));
	assert_true(lg_budget_try(pager, &much));
	lg_budget_end(pager, &much);
	lg_budget_end(pager, &too);
	lg_budget_give(pager, 4 * KIB);
	assert_true(try(pager, 4 * KIB));
	lg_budget_give(pager, lg_budget_charged(pager));
	assert_int_equal(lg_pager_free(pager), 0);
}

static void who_keeps_it_in_vain_lets_others_go_first(void **state)
{
	lg_pager *pager = lg_pager_new("memory:16M,page:4K");
	struct lg_budget_wait much = { .bytes = 2 * MIB };
	unsigned sleeps = 0;

	(void)state;
	assert_non_null(pager);
	assert_true(try(pager, 15 * MIB));
	while (!much.keeps)
		assert_false(lg_budget_try(pager, &much));
	assert_false(try(pager, 4 * KIB));
	uint32_t freed = lg_load_relaxed(&pager->freed);
	while (much.keeps) {
		assert_int_equal(lg_budget_sleep(pager, &much), 0);
		assert_in_range(++sleeps, 1, 100);
	}
	assert_int_equal(lg_load_relaxed(&pager->freed), freed); /* or others would begin anew */
	assert_true(try(pager, 4 * KIB));
	for (unsigned i = 0; i < 100; i++)
		assert_false(lg_budget_try(pager, &much));
	assert_true(try(pager, 4 * KIB));
	lg_budget_end(pager, &much);
	lg_budget_give(pager, lg_budget_charged(pager));
	assert_int_equal(lg_pager_free(pager), 0);
}

/* He may be in a store that hangs, and nobody is there to let go. */
static void what_is_kept_is_anybodys_after_a_while(void **state)
{
	lg_pager *pager = lg_pager_new("memory:16M,page:4K");
	struct lg_budget_wait much = { .bytes = 2 * MIB };
	double hang = clock_hang();

	(void)state;
	assert_non_null(pager);
	assert_true(try(pager, 15 * MIB));
	while (!much.keeps)
		assert_false(lg_budget_try(pager, &much));
	while (!try(pager, 4 * KIB)) {
		assert_false(clock_passed(hang));
		clock_breathe();
	}
	assert_true(much.keeps);
	lg_budget_end(pager, &much);
	lg_budget_give(pager, lg_budget_charged(pager));
	assert_int_equal(lg_pager_free(pager), 0);
}

static void nothing_is_kept_for_what_nobody_waits_for(void **state)
{
	lg_pager *pager = lg_pager_new("memory:16M,page:4K");
	struct lg_budget_wait ahead = { .bytes = 2 * MIB, .ahead = true };

	(void)state;
	assert_non_null(pager);
	assert_true(try(pager, 15 * MIB));
	for (unsigned i = 0; i < 100; i++)
		assert_false(lg_budget_try(pager, &ahead));
	assert_false(ahead.keeps);
	assert_true(try(pager, 4 * KIB));
	lg_budget_end(pager, &ahead);
	lg_budget_give(pager, lg_budget_charged(pager));
	assert_int_equal(lg_pager_free(pager), 0);
}

/* A shelf that knows the longest read it was asked for. */
struct measured {
	struct shelf shelf; /* first: it is the context */
	atomic_size_t longest;
};

static ssize_t read_measured(void *context, void *buffer, size_t length, uint64_t offset)
{
	struct measured *measured = context;
	size_t longest = atomic_load(&measured->longest);

	while (longest < length &&
	       !atomic_compare_exchange_weak(&measured->longest, &longest, length))
		;
	return shelf_read(context, buffer, length, offset);
}

/* A reader is held in its first piece while the budget becomes an eighth: the others are asked for by then. */
static void read_ahead_is_in_pieces_of_the_budget_there_is(void **state)
{
	enum { PIECE_PART = 32 };
	static struct measured measured;
	struct lg_store_ops ops = shelf_ops;
	lg_pager *pager = lg_pager_new("memory:16M,page:4K,faults:inline,readers:1");

	(void)state;
	assert_non_null(pager);
	shelf_make(&measured.shelf, 8 * MIB);
	ops.read = read_measured;
	lg_map *map = lg_map_store(pager, &ops, &measured, 8 * MIB, NULL);
	assert_non_null(map);
	atomic_store(&measured.shelf.holds_reads, true);
	assert_int_equal(lg_map_advise(map, 0, 8 * MIB, LG_WILLNEED), 0);
	while (atomic_load(&measured.shelf.held) == 0)
		sched_yield();
	assert_int_equal(atomic_load(&measured.longest), 16 * MIB / PIECE_PART);
	assert_int_equal(lg_pager_resize(pager, 2 * MIB), 0);
	atomic_store(&measured.longest, 0);
	atomic_store(&measured.shelf.holds_reads, false);
	while (lg_load_acquire(&map->requests) > 0)
		clock_breathe();
	assert_in_range(atomic_load(&measured.longest), 1, 2 * MIB / PIECE_PART);
	for (size_t at = 0; at < 8 * MIB; at += 4 * KIB)
		assert_int_equal(((char *)lg_map_data(map))[at], shelf_byte(at));
	assert_in_range(atomic_load(&measured.longest), 1, 2 * MIB / PIECE_PART);
	assert_int_equal(lg_map_close(map), 0);
	assert_int_equal(lg_pager_free(pager), 0);
	shelf_end(&measured.shelf);
}

/* Who tries many pages in vain at each turn has few turns; who was stopped, or the machine, had none. */
static void who_waits_in_vain_gives_up_after_so_many_turns_or_so_long(void **state)
{
	enum { FEW = 19, SOME = 20, MOST_TURNS = 1000, LONG_MS = 10000 };
	static const struct {
		unsigned turns, ms;
		int error;
	} waits[] = {
		{ FEW, LONG_MS, 0 },
		{ SOME, 0, 0 },
		{ SOME, LONG_MS, -ENOMEM },
		{ MOST_TURNS, 0, -ENOMEM },
	};
	lg_pager *pager = lg_pager_new("memory:1M,page:4K");

	(void)state;
	assert_non_null(pager);
	for (size_t i = 0; i < sizeof(waits) / sizeof(waits[0]); i++) {
		struct lg_budget_wait wait = { .bytes = MIB,
					       .turns = waits[i].turns,
					       .in_vain_from = lg_os_now_ms() - waits[i].ms };

		assert_int_equal(lg_budget_sleep(pager, &wait), waits[i].error);
	}
	assert_int_equal(lg_pager_free(pager), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_waits_in_vain_gives_up_after_so_many_turns_or_so_long),
		cmocka_unit_test(what_cannot_be_spared_is_had_or_asked_for_again),
		cmocka_unit_test(what_can_be_spared_is_waited_for),
		cmocka_unit_test(what_comes_free_is_kept_for_who_wants_much),
		cmocka_unit_test(who_keeps_it_in_vain_lets_others_go_first),
		cmocka_unit_test(what_is_kept_is_anybodys_after_a_while),
		cmocka_unit_test(nothing_is_kept_for_what_nobody_waits_for),
		cmocka_unit_test(read_ahead_is_in_pieces_of_the_budget_there_is),
	};

	return UNIT_RUN(tests);
}
