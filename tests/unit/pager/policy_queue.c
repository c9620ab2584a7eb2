/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* fifo, lifo and plru, by hand and beside rows that are searched. */
#include "unit/pager/model.h"

static struct row row;

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

static void row_no_touch(void *state, uint32_t handle, enum lg_reference how)
{
	(void)how;
	assert_true(row_find(state, handle) != NONE);
}

static void row_touch(void *state, uint32_t handle, enum lg_reference how)
{
	(void)how;
	row_remove(state, handle);
	row_insert(state, 0, handle);
}

static uint32_t row_last(void *state)
{
	return row.count > 0 ? row_take(state, row.count - 1) : UINT32_MAX;
}

static uint32_t row_first(void *state)
{
	return row.count > 0 ? row_take(state, 0) : UINT32_MAX;
}

static void row_put_last(void *state, uint32_t handle, uint64_t key)
{
	(void)key;
	row_insert(state, row.count, handle);
}

static void row_put_first(void *state, uint32_t handle, uint64_t key)
{
	(void)key;
	row_insert(state, 0, handle);
}

static void row_drop(void *state, uint32_t handle)
{
	row_remove(state, handle);
}

static const struct lg_policy_ops fifo = {
	sizeof(struct lg_policy_ops),
	"fifo model",
	row_create,
	row_destroy,
	NULL,
	row_fill,
	row_no_touch,
	row_last,
	row_put_last,
	row_drop,
};

static const struct lg_policy_ops lifo = {
	sizeof(struct lg_policy_ops),
	"lifo model",
	row_create,
	row_destroy,
	NULL,
	row_fill,
	row_no_touch,
	row_first,
	row_put_first,
	row_drop,
};

static const struct lg_policy_ops plru = {
	sizeof(struct lg_policy_ops),
	"plru model",
	row_create,
	row_destroy,
	NULL,
	row_fill,
	row_touch,
	row_last,
	row_put_last,
	row_drop,
};

static void fifo_gives_up_the_oldest_fill_whatever_is_touched(void **state)
{
	(void)state;
	play(&lg_policy_fifo, 4, "=- r1 w2 p3 R1 W1 =1 =2 r1 =3 =1 =-");
	play(&lg_policy_fifo, 4, "r1 r2 r3 x2 =1 =3 =-");
}

static void lifo_gives_up_the_newest_fill_whatever_is_touched(void **state)
{
	(void)state;
	play(&lg_policy_lifo, 4, "=- r1 w2 p3 R1 W1 =3 =2 r3 =3 =1 =-");
	play(&lg_policy_lifo, 4, "r1 r2 r3 x3 =2 =1 =-");
}

static void plru_gives_up_what_was_seen_longest_ago(void **state)
{
	(void)state;
	play(&lg_policy_plru, 4, "=- r1 r2 r3 R1 =2 R3 =1 =3 =-");
	play(&lg_policy_plru, 4, "p1 r2 W1 R1 =2 =1 =-");
}

static void what_is_put_back_leaves_first_in_the_order_it_left_in(void **state)
{
	(void)state;
	play(&lg_policy_fifo, 4, "r1 r2 r3 r4 =1 =2 =3 <2 <1 =1 =2 =4 =-");
	play(&lg_policy_lifo, 4, "r1 r2 r3 r4 =4 =3 =2 <3 <4 =4 =3 =1 =-");
	play(&lg_policy_plru, 4, "r1 r2 r3 r4 R1 =2 =3 <3 <2 =2 =3 =4 =1 =-");
}

static void any_calls_give_the_victims_of_a_row(void **state)
{
	(void)state;
	pair_run_all(&lg_policy_fifo, &fifo);
	pair_run_all(&lg_policy_lifo, &lifo);
	pair_run_all(&lg_policy_plru, &plru);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(fifo_gives_up_the_oldest_fill_whatever_is_touched),
		cmocka_unit_test(lifo_gives_up_the_newest_fill_whatever_is_touched),
		cmocka_unit_test(plru_gives_up_what_was_seen_longest_ago),
		cmocka_unit_test(what_is_put_back_leaves_first_in_the_order_it_left_in),
		cmocka_unit_test(any_calls_give_the_victims_of_a_row),
	};

	return UNIT_RUN(tests);
}
