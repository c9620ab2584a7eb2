/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* prnd: what it has is what it was given, and any of it may leave. */
#include "unit/pager/model.h"

/* Takes for victim what the policy took, which must be one of its own. */
static struct row row;
static uint32_t taken;

static void *row_create(uint32_t capacity, uint32_t target, void *argument)
{
	(void)capacity;
	(void)target;
	(void)argument;
	row.count = 0;
	return &row;
}

static void row_destroy(void *state)
{
	(void)state;
}

static void row_fill(void *state, uint32_t handle, uint64_t key, enum lg_reference how)
{
	(void)key;
	(void)how;
	row_insert(state, 0, handle);
}

static void row_touch(void *state, uint32_t handle, enum lg_reference how)
{
	(void)how;
	assert_true(row_find(state, handle) != NONE);
}

static uint32_t row_victim(void *state)
{
	if (row.count == 0)
		return UINT32_MAX;
	row_remove(state, taken);
	return taken;
}

static void row_put_back(void *state, uint32_t handle, uint64_t key)
{
	(void)key;
	row_insert(state, 0, handle);
}

static void row_drop(void *state, uint32_t handle)
{
	row_remove(state, handle);
}

static const struct lg_policy_ops model = {
	sizeof(struct lg_policy_ops),
	"prnd model",
	row_create,
	row_destroy,
	NULL,
	row_fill,
	row_touch,
	row_victim,
	row_put_back,
	row_drop,
};

static uint32_t victim_noted(void *state)
{
	return taken = lg_policy_prnd.victim(state);
}

static void only_what_it_has_leaves_and_all_of_it(void **state)
{
	struct lg_policy_ops noting = lg_policy_prnd;

	(void)state;
	noting.victim = victim_noted;
	pair_run_all(&noting, &model);
}

static void one_page_is_the_one_that_leaves(void **state)
{
	(void)state;
	play(&lg_policy_prnd, 4, "=- r1 W1 =1 =- w7 =7 <7 =7 =- r3 x3 =-");
}

/* 2^16 draws from 8: each about 8192 times; 400 is 4.7 standard deviations. */
static void every_page_is_as_likely(void **state)
{
	unsigned times[8] = { 0 };
	void *pot = lg_policy_prnd.create(8, 8, NULL);

	(void)state;
	assert_non_null(pot);
	for (uint32_t i = 0; i < 8; i++)
		lg_policy_prnd.fill(pot, i, i, LG_REFERENCE_READ);
	for (unsigned i = 0; i < 1 << 16; i++) {
		uint32_t handle = lg_policy_prnd.victim(pot);

		times[handle]++;
		lg_policy_prnd.put_back(pot, handle, handle);
		lg_policy_prnd_check(pot);
	}
	for (unsigned i = 0; i < 8; i++)
		assert_in_range(times[i], 8192 - 400, 8192 + 400);
	lg_policy_prnd.destroy(pot);
}

static void same_calls_give_the_same_victims(void **state)
{
	void *pots[2];

	(void)state;
	for (unsigned i = 0; i < 2; i++) {
		pots[i] = lg_policy_prnd.create(100, 50, NULL);
		assert_non_null(pots[i]);
		for (uint32_t handle = 0; handle < 100; handle++)
			lg_policy_prnd.fill(pots[i], handle, handle, LG_REFERENCE_READ);
	}
	for (unsigned i = 0; i < 101; i++)
		assert_int_equal(lg_policy_prnd.victim(pots[0]), lg_policy_prnd.victim(pots[1]));
	for (unsigned i = 0; i < 2; i++)
		lg_policy_prnd.destroy(pots[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_it_has_leaves_and_all_of_it),
		cmocka_unit_test(one_page_is_the_one_that_leaves),
		cmocka_unit_test(every_page_is_as_likely),
		cmocka_unit_test(same_calls_give_the_same_victims),
	};

	return UNIT_RUN(tests);
}
