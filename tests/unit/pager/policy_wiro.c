/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* wiro_f and wiro_l, by hand and beside one row in which the middle is counted out. */
#include "unit/pager/model.h"

struct wiro {
	struct row row;
	bool dirty[MODEL_PAGES];
	bool front_leaves;
};

static struct wiro wiro;

static void *f_create(uint32_t capacity, uint32_t target, void *argument)
{
	(void)capacity;
	(void)target;
	(void)argument;
	memset(&wiro, 0, sizeof(wiro));
	return &wiro;
}

static void *l_create(uint32_t capacity, uint32_t target, void *argument)
{
	(void)f_create(capacity, target, argument);
	wiro.front_leaves = true;
	return &wiro;
}

static void wiro_destroy(void *state)
{
	(void)state;
}

static void place(uint32_t handle)
{
	bool to_front = wiro.dirty[handle] != wiro.front_leaves;

	row_insert(&wiro.row, to_front ? 0 : wiro.row.count / 2, handle);
}

static void wiro_fill(void *state, uint32_t handle, uint64_t key, enum lg_reference how)
{
	(void)state;
	(void)key;
	wiro.dirty[handle] = how == LG_REFERENCE_WRITE;
	place(handle);
}

static void wiro_touch(void *state, uint32_t handle, enum lg_reference how)
{
	(void)state;
	row_remove(&wiro.row, handle);
	wiro.dirty[handle] = wiro.dirty[handle] || how == LG_REFERENCE_WRITE;
	place(handle);
}

static uint32_t wiro_victim(void *state)
{
	(void)state;
	if (wiro.row.count == 0)
		return UINT32_MAX;
	if (wiro.front_leaves)
		return row_take(&wiro.row, 0);
	for (unsigned i = wiro.row.count; i-- > 0;)
		if (!wiro.dirty[wiro.row.at[i]])
			return row_take(&wiro.row, i);
	return row_take(&wiro.row, wiro.row.count - 1);
}

static void wiro_put_back(void *state, uint32_t handle, uint64_t key)
{
	(void)state;
	(void)key;
	row_insert(&wiro.row, wiro.front_leaves ? 0 : wiro.row.count, handle);
}

static void wiro_remove(void *state, uint32_t handle)
{
	(void)state;
	row_remove(&wiro.row, handle);
}

static const struct lg_policy_ops model_f = {
	sizeof(struct lg_policy_ops),
	"wiro_f model",
	f_create,
	wiro_destroy,
	NULL,
	wiro_fill,
	wiro_touch,
	wiro_victim,
	wiro_put_back,
	wiro_remove,
};

static const struct lg_policy_ops model_l = {
	sizeof(struct lg_policy_ops),
	"wiro_l model",
	l_create,
	wiro_destroy,
	NULL,
	wiro_fill,
	wiro_touch,
	wiro_victim,
	wiro_put_back,
	wiro_remove,
};

/* Rows are shown front first. */
static void wiro_f_gives_up_clean_pages_from_the_back_first(void **state)
{
	(void)state;
	/* r1: 1; r2: 2 1; r3: 2 3 1; r4: 2 4 3 1 */
	play(&lg_policy_wiro_f, 8, "=- r1 r2 r3 r4 =1 =3 =4 =2 =-");
	/* w5 w6: 6 5; r1: 6 1 5; r2: 6 2 1 5 */
	play(&lg_policy_wiro_f, 8, "w5 w6 r1 r2 =1 =2 =5 =6 =-");
}

static void wiro_f_takes_a_page_for_dirty_once_it_is_written(void **state)
{
	(void)state;
	play(&lg_policy_wiro_f, 8, "r1 r2 W1 =2 =1");
	play(&lg_policy_wiro_f, 8, "w1 r2 R1 =2 =1");          /* it stays so when it is read */
	play(&lg_policy_wiro_f, 8, "w1 r2 =2 =1 r1 w3 =1 =3"); /* until it comes anew */
	play(&lg_policy_wiro_f, 8, "p1 w2 =1 =2");
}

static void wiro_l_gives_up_what_was_read_last(void **state)
{
	(void)state;
	/* r1: 1; r2: 2 1; w3: 2 3 1; w4: 2 4 3 1; w5: 2 4 5 3 1 */
	play(&lg_policy_wiro_l, 8, "=- r1 r2 w3 w4 w5 =2 =4 =5 =3 =1 =-");
	/* r1 r2 r3: 3 2 1; W3: 2 3 1; R1: 1 2 3 */
	play(&lg_policy_wiro_l, 8, "r1 r2 r3 W3 R1 =1 =2 =3 =-");
}

static void what_is_put_back_leaves_first_in_the_order_it_left_in(void **state)
{
	(void)state;
	play(&lg_policy_wiro_f, 8, "r1 r2 w3 r4 =1 =2 <2 <1 =1 =2 =4 =3 =-");
	play(&lg_policy_wiro_f, 8, "w1 w2 w3 =1 =2 <2 <1 =1 =2 =3 =-");
	play(&lg_policy_wiro_l, 8, "r1 r2 r3 =3 =2 <2 <3 =3 =2 =1 =-");
}

static void any_calls_give_the_victims_of_a_row(void **state)
{
	(void)state;
	pair_run_all(&lg_policy_wiro_f, &model_f);
	pair_run_all(&lg_policy_wiro_l, &model_l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(wiro_f_gives_up_clean_pages_from_the_back_first),
		cmocka_unit_test(wiro_f_takes_a_page_for_dirty_once_it_is_written),
		cmocka_unit_test(wiro_l_gives_up_what_was_read_last),
		cmocka_unit_test(what_is_put_back_leaves_first_in_the_order_it_left_in),
		cmocka_unit_test(any_calls_give_the_victims_of_a_row),
	};

	return UNIT_RUN(tests);
}
