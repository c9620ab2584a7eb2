/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Ghosts beside a list that is searched. */
#include "unit/pager/ghosts.h"
#include "unit/pager/model.h"

#include "os/map.h"
#include "pager/ghost.h"

static void start(struct lg_ghosts *ghosts, uint32_t capacity, uint32_t bound)
{
	void *memory = lg_policy_memory(lg_ghosts_bytes(capacity));

	assert_non_null(memory);
	lg_ghosts_init(ghosts, memory, capacity, bound);
}

static void end(struct lg_ghosts *ghosts, uint32_t capacity)
{
	lg_policy_memory_end(ghosts->slots, lg_ghosts_bytes(capacity));
}

static void last_keys_are_known_and_older_ones_forgotten(void **state)
{
	struct lg_ghosts ghosts;

	(void)state;
	start(&ghosts, 10, 3);
	assert_false(lg_ghosts_take(&ghosts, 1));
	for (uint64_t key = 1; key <= 5; key++)
		lg_ghosts_add(&ghosts, key);
	assert_int_equal(lg_ghosts_check(&ghosts), 3);
	assert_false(lg_ghosts_take(&ghosts, 2));
	assert_true(lg_ghosts_take(&ghosts, 3));
	assert_false(lg_ghosts_take(&ghosts, 3));
	assert_true(lg_ghosts_take(&ghosts, 5));
	assert_true(lg_ghosts_take(&ghosts, 4));
	assert_int_equal(lg_ghosts_check(&ghosts), 0);
	end(&ghosts, 10);
}

static void youngest_taken_leaves_the_others_their_time(void **state)
{
	struct lg_ghosts ghosts;

	(void)state;
	start(&ghosts, 3, 3);
	for (uint64_t key = 1; key <= 3; key++)
		lg_ghosts_add(&ghosts, key);
	lg_ghosts_add(&ghosts, 4); /* for 1 */
	for (unsigned i = 0; i < 10; i++) {
		assert_true(lg_ghosts_take(&ghosts, 4));
		lg_ghosts_add(&ghosts, 4);
	}
	assert_true(lg_ghosts_take(&ghosts, 2));
	assert_true(lg_ghosts_take(&ghosts, 3));
	end(&ghosts, 3);
}

static void any_calls_are_answered_as_by_a_list(void **state)
{
	static struct ghost_list list;
	struct lg_ghosts ghosts;
	uint64_t random = 1;

	(void)state;
	for (uint32_t bound = 1; bound <= 300; bound = bound * 2 + 1) {
		start(&ghosts, 400, bound);
		list = (struct ghost_list){ .bound = bound };
		for (unsigned i = 0; i < 20000; i++) {
			uint64_t r = model_random(&random), key = (r >> 8) % (2 * bound + 1) << 20;

			if (r % 5 < 3) {
				lg_ghosts_add(&ghosts, key);
				ghost_list_add(&list, key);
			} else {
				assert_int_equal(lg_ghosts_take(&ghosts, key),
						 ghost_list_take(&list, key));
			}
			if (i % 16 == 0)
				assert_int_equal(lg_ghosts_check(&ghosts), ghost_list_alive(&list));
		}
		end(&ghosts, 400);
	}
}

static void new_bound_forgets_and_holds(void **state)
{
	struct lg_ghosts ghosts;

	(void)state;
	start(&ghosts, 100, 100);
	for (uint32_t bound = 100; bound > 0; bound = bound * 2 / 3) {
		for (uint64_t key = 0; key < 250; key++)
			lg_ghosts_add(&ghosts, key);
		assert_int_equal(lg_ghosts_check(&ghosts), bound);
		lg_ghosts_rebound(&ghosts, bound);
		assert_int_equal(lg_ghosts_check(&ghosts), bound); /* the same: nothing happens */
		lg_ghosts_rebound(&ghosts, bound * 2 / 3 + (bound == 1));
		assert_int_equal(lg_ghosts_check(&ghosts), bound == 1 ? 1 : 0);
		if (bound == 1)
			break;
	}
	lg_ghosts_rebound(&ghosts, 100);
	for (uint64_t key = 0; key < 250; key++)
		lg_ghosts_add(&ghosts, key);
	assert_int_equal(lg_ghosts_check(&ghosts), 100);
	end(&ghosts, 100);
}

/* Of the tables; the kernel counts what is only read, too. */
static uint64_t resident_bytes(const struct lg_ghosts *ghosts, uint32_t capacity)
{
	uint64_t bytes = 0;

	assert_int_equal(lg_os_resident(ghosts->slots, lg_ghosts_bytes(capacity), &bytes), 0);
	return bytes;
}

/* Goal: the budget of a pager may be large and most of its table never used. */
static void new_bound_takes_no_memory_and_gives_back_what_was_used(void **state)
{
	enum { CAPACITY = 1 << 20, EDGES = 5 };
	uint64_t edges = EDGES * lg_os_page_bytes();
	struct lg_ghosts ghosts;

	(void)state;
	start(&ghosts, CAPACITY, CAPACITY);
	lg_ghosts_add(&ghosts, 1);
	lg_ghosts_rebound(&ghosts, CAPACITY - 1);
	assert_in_range(resident_bytes(&ghosts, CAPACITY), 0, edges);
	for (uint64_t key = 0; key < CAPACITY; key++)
		lg_ghosts_add(&ghosts, key);
	assert_true(resident_bytes(&ghosts, CAPACITY) > edges);
	lg_ghosts_rebound(&ghosts, CAPACITY / 2);
	assert_in_range(resident_bytes(&ghosts, CAPACITY), 0, edges);
	assert_false(lg_ghosts_take(&ghosts, CAPACITY - 1));
	assert_int_equal(lg_ghosts_check(&ghosts), 0);
	end(&ghosts, CAPACITY);
}

static bool is_all(const char *memory, size_t bytes, char value)
{
	return memory[0] == value && memcmp(memory, memory + 1, bytes - 1) == 0;
}

/* Tables of many sizes that begin and end inside pages; what is beside them stays. */
static void new_bound_clears_no_more_and_no_less_than_the_tables(void **state)
{
	enum { CAPACITY = 20000, BEFORE = 1000, BEHIND = 100 };
	size_t bytes = BEFORE + lg_ghosts_bytes(CAPACITY) + BEHIND;

	(void)state;
	for (uint32_t bound = CAPACITY; bound > 100; bound = bound * 2 / 3) {
		struct lg_ghosts ghosts;
		char *memory = lg_policy_memory(bytes);

		assert_non_null(memory);
		memset(memory, 1, BEFORE);
		memset(memory + bytes - BEHIND, 1, BEHIND);
		lg_ghosts_init(&ghosts, memory + BEFORE, CAPACITY, bound);
		for (uint64_t key = 0; key < bound; key++)
			lg_ghosts_add(&ghosts, key);
		lg_ghosts_rebound(&ghosts, bound - 1);
		assert_true(is_all(memory, BEFORE, 1));
		assert_true(is_all(memory + BEFORE, bytes - BEFORE - BEHIND, 0));
		assert_true(is_all(memory + bytes - BEHIND, BEHIND, 1));
		lg_policy_memory_end(memory, bytes);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_keys_are_known_and_older_ones_forgotten),
		cmocka_unit_test(youngest_taken_leaves_the_others_their_time),
		cmocka_unit_test(any_calls_are_answered_as_by_a_list),
		cmocka_unit_test(new_bound_forgets_and_holds),
		cmocka_unit_test(new_bound_takes_no_memory_and_gives_back_what_was_used),
		cmocka_unit_test(new_bound_clears_no_more_and_no_less_than_the_tables),
	};

	return UNIT_RUN(tests);
}
