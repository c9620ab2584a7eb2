/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "sync/deque.h"

#include "unit/unit.h"

static struct lg_deque deque;

/* Any values do; numbers are easy to tell apart. */
static void *value_of(uint64_t number)
{
	return (void *)(uintptr_t)number;
}

static int empty_deque(void **state)
{
	(void)state;
	memset(&deque, 0, sizeof(deque));
	return 0;
}

static unsigned push_numbers(uint64_t from, unsigned count, unsigned limit)
{
	void *values[2 * LG_DEQUE_SLOTS];

	for (unsigned i = 0; i < count; i++)
		values[i] = value_of(from + i);
	unsigned pushed = lg_deque_push(&deque, values, count, limit);
	lg_deque_check(&deque);
	return pushed;
}

static unsigned take_numbers(uint64_t *numbers, unsigned count)
{
	void *values[2 * LG_DEQUE_SLOTS];
	unsigned taken = lg_deque_take(&deque, values, count);

	for (unsigned i = 0; i < taken; i++)
		numbers[i] = (uint64_t)(uintptr_t)values[i];
	lg_deque_check(&deque);
	return taken;
}

static void zeroed_memory_is_an_empty_deque(void **state)
{
	uint64_t numbers[4];

	(void)state;
	lg_deque_check(&deque);
	assert_int_equal(lg_deque_count(&deque), 0);
	assert_int_equal(take_numbers(numbers, 4), 0);
	assert_null(lg_deque_steal(&deque));
}

static void owner_takes_the_newest_and_a_thief_the_oldest(void **state)
{
	uint64_t numbers[2];

	(void)state;
	assert_int_equal(push_numbers(1, 5, LG_DEQUE_SLOTS), 5);
	assert_int_equal(lg_deque_count(&deque), 5);
	assert_ptr_equal(lg_deque_steal(&deque), value_of(1));
	assert_int_equal(take_numbers(numbers, 1), 1);
	assert_int_equal(numbers[0], 5);
	assert_ptr_equal(lg_deque_steal(&deque), value_of(2));
	assert_int_equal(take_numbers(numbers, 2), 2);
	assert_int_equal(numbers[0], 3); /* the oldest of the batch first */
	assert_int_equal(numbers[1], 4);
	assert_null(lg_deque_steal(&deque));
	assert_int_equal(lg_deque_count(&deque), 0);
}

static void batch_takes_what_is_there_and_not_more(void **state)
{
	uint64_t numbers[2 * LG_DEQUE_SLOTS];

	(void)state;
	for (unsigned inside = 0; inside <= LG_DEQUE_SLOTS; inside++) {
		for (unsigned want = 0; want <= inside + 2; want++) {
			unsigned expected = want < inside ? want : inside;

			assert_int_equal(push_numbers(1, inside, LG_DEQUE_SLOTS), inside);
			assert_int_equal(take_numbers(numbers, want), expected);
			for (unsigned i = 0; i < expected; i++)
				assert_int_equal(numbers[i], inside - expected + 1 + i);
			assert_int_equal(lg_deque_count(&deque), inside - expected);
			assert_int_equal(take_numbers(numbers, LG_DEQUE_SLOTS), inside - expected);
		}
	}
}

/* The last one is where owner and thief race: alone the owner must win it. */
static void owner_alone_gets_the_last_one(void **state)
{
	uint64_t numbers[3];

	(void)state;
	for (unsigned round = 0; round < 3 * LG_DEQUE_SLOTS; round++) {
		assert_int_equal(push_numbers(7, 1, LG_DEQUE_SLOTS), 1);
		assert_int_equal(take_numbers(numbers, 1 + round % 3), 1);
		assert_int_equal(numbers[0], 7);
		assert_int_equal(lg_deque_count(&deque), 0);
		assert_null(lg_deque_steal(&deque));
	}
}

static void limit_bounds_what_is_inside(void **state)
{
	uint64_t numbers[LG_DEQUE_SLOTS];

	(void)state;
	assert_int_equal(push_numbers(1, 3, 0), 0);
	assert_int_equal(push_numbers(1, 3, 5), 3);
	assert_int_equal(push_numbers(4, 3, 5), 2); /* the first two of them */
	assert_int_equal(push_numbers(9, 1, 5), 0);
	assert_int_equal(push_numbers(9, 1, 2), 0); /* lowered below what is there */
	assert_int_equal(lg_deque_count(&deque), 5);
	assert_int_equal(take_numbers(numbers, 5), 5);
	for (unsigned i = 0; i < 5; i++)
		assert_int_equal(numbers[i], i + 1);
	assert_int_equal(push_numbers(1, 2 * LG_DEQUE_SLOTS, 10 * LG_DEQUE_SLOTS), LG_DEQUE_SLOTS);
	assert_int_equal(push_numbers(1, 1, UINT32_MAX), 0);
	assert_int_equal(lg_deque_count(&deque), LG_DEQUE_SLOTS);
}

static void pushing_none_does_nothing(void **state)
{
	(void)state;
	assert_int_equal(push_numbers(1, 0, LG_DEQUE_SLOTS), 0);
	assert_int_equal(lg_deque_count(&deque), 0);
	assert_int_equal(push_numbers(1, 4, 4), 4);
	assert_int_equal(push_numbers(1, 0, 4), 0);
	assert_int_equal(lg_deque_count(&deque), 4);
}

/* Against a plain array, many times round the slots. */
static void indices_wrap_round_the_slots(void **state)
{
	uint64_t model[LG_DEQUE_SLOTS], next = 1, seed = 12345;
	unsigned inside = 0;

	(void)state;
	for (unsigned step = 0; step < 200000; step++) {
		uint64_t numbers[LG_DEQUE_SLOTS];
		unsigned count =
			1 + (unsigned)((seed = seed * 6364136223846793005u + 1) >> 33) % 40;
		unsigned what = (unsigned)(seed >> 50) % 4;

		if (what < 2) {
			unsigned room = LG_DEQUE_SLOTS - inside, fits = count < room ? count : room;

			assert_int_equal(push_numbers(next, count, LG_DEQUE_SLOTS), fits);
			for (unsigned i = 0; i < fits; i++)
				model[inside++] = next + i;
			next += count;
		} else if (what == 2) {
			unsigned there = count < inside ? count : inside;

			assert_int_equal(take_numbers(numbers, count), there);
			for (unsigned i = 0; i < there; i++)
				assert_true(numbers[i] == model[inside - there + i]);
			inside -= there;
		} else if (inside > 0) {
			assert_ptr_equal(lg_deque_steal(&deque), value_of(model[0]));
			memmove(model, model + 1, --inside * sizeof(*model));
		} else {
			assert_null(lg_deque_steal(&deque));
		}
		assert_int_equal(lg_deque_count(&deque), inside);
	}
	assert_true(deque.top > 200 * LG_DEQUE_SLOTS);
}

static void indices_near_the_end_of_their_range_go_on(void **state)
{
	uint64_t numbers[4];

	(void)state;
	deque.top = deque.bottom = UINT64_MAX - 2;
	assert_int_equal(push_numbers(1, 6, LG_DEQUE_SLOTS), 6);
	assert_int_equal(lg_deque_count(&deque), 6);
	assert_ptr_equal(lg_deque_steal(&deque), value_of(1));
	assert_int_equal(take_numbers(numbers, 4), 4);
	assert_int_equal(numbers[0], 3);
	assert_ptr_equal(lg_deque_steal(&deque), value_of(2));
	assert_int_equal(take_numbers(numbers, 1), 0);
}

static void cleared_deque_is_empty_and_usable(void **state)
{
	uint64_t numbers[2];

	(void)state;
	assert_int_equal(push_numbers(1, 100, LG_DEQUE_SLOTS), 100);
	assert_non_null(lg_deque_steal(&deque));
	lg_deque_clear(&deque);
	lg_deque_check(&deque);
	assert_int_equal(lg_deque_count(&deque), 0);
	assert_null(lg_deque_steal(&deque));
	assert_int_equal(push_numbers(1, LG_DEQUE_SLOTS, LG_DEQUE_SLOTS), LG_DEQUE_SLOTS);
	assert_int_equal(take_numbers(numbers, 2), 2);
	assert_int_equal(numbers[1], LG_DEQUE_SLOTS);
}

/* A fork may copy a deque in the middle of a claim. */
static void clearing_undoes_a_claim_under_way(void **state)
{
	(void)state;
	deque.top = 10;
	deque.bottom = 8;
	assert_int_equal(lg_deque_count(&deque), 0);
	lg_deque_clear(&deque);
	lg_deque_check(&deque);
	assert_int_equal(lg_deque_count(&deque), 0);
}

static void ends_lie_on_lines_of_their_own(void **state)
{
	uintptr_t top = (uintptr_t)&deque.top, bottom = (uintptr_t)&deque.bottom;

	(void)state;
	assert_true(top / LG_CACHE_LINE != bottom / LG_CACHE_LINE);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, empty_deque)
	const struct CMUnitTest tests[] = {
		TEST(zeroed_memory_is_an_empty_deque),
		TEST(owner_takes_the_newest_and_a_thief_the_oldest),
		TEST(batch_takes_what_is_there_and_not_more),
		TEST(owner_alone_gets_the_last_one),
		TEST(limit_bounds_what_is_inside),
		TEST(pushing_none_does_nothing),
		TEST(indices_wrap_round_the_slots),
		TEST(indices_near_the_end_of_their_range_go_on),
		TEST(cleared_deque_is_empty_and_usable),
		TEST(clearing_undoes_a_claim_under_way),
		TEST(ends_lie_on_lines_of_their_own),
	};

	return UNIT_RUN(tests);
}
