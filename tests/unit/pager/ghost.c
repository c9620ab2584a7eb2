/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Ghosts beside a list that is searched. */
#include "unit/pager/ghosts.h"
#include "unit/pager/model.h"

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(last_keys_are_known_and_older_ones_forgotten),
		cmocka_unit_test(youngest_taken_leaves_the_others_their_time),
		cmocka_unit_test(any_calls_are_answered_as_by_a_list),
		cmocka_unit_test(new_bound_forgets_and_holds),
	};

	return UNIT_RUN(tests);
}
