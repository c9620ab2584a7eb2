/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* s3fifo, by hand and beside rows and a list of ghosts that are searched. */
#include "unit/pager/ghosts.h"
#include "unit/pager/model.h"

static struct {
	uint32_t capacity;
	uint32_t small_target;
	struct row small;
	struct row main;
	struct ghost_list ghosts;
	uint64_t keys[MODEL_PAGES];
	unsigned uses[MODEL_PAGES];
	bool ahead[MODEL_PAGES];
	bool was_main[MODEL_PAGES];
} model;

static void model_retarget(void *state, uint32_t target)
{
	uint32_t before = model.ghosts.bound;

	(void)state;
	model.small_target = target < 10 ? 1 : target / 10;
	uint32_t bound = target > model.small_target ? target - model.small_target : 1;
	model.ghosts.bound = bound < model.capacity ? bound : model.capacity;
	if (model.ghosts.bound != before)
		model.ghosts.count = 0;
}

static void *model_create(uint32_t capacity, uint32_t target, void *argument)
{
	(void)argument;
	memset(&model, 0, sizeof(model));
	model.capacity = capacity;
	model_retarget(&model, target);
	return &model;
}

static void model_destroy(void *state)
{
	(void)state;
}

static void model_fill(void *state, uint32_t handle, uint64_t key, enum lg_reference how)
{
	(void)state;
	model.keys[handle] = key;
	model.uses[handle] = 0;
	model.ahead[handle] = how == LG_REFERENCE_PREFETCH;
	bool met = how != LG_REFERENCE_PREFETCH && ghost_list_take(&model.ghosts, key);
	row_insert(met ? &model.main : &model.small, 0, handle);
}

static void model_touch(void *state, uint32_t handle, enum lg_reference how)
{
	(void)state;
	(void)how;
	if (model.ahead[handle] && ghost_list_take(&model.ghosts, model.keys[handle])) {
		row_remove(&model.small, handle);
		row_insert(&model.main, 0, handle);
	} else if (!model.ahead[handle] && model.uses[handle] < 3) {
		model.uses[handle]++;
	}
	model.ahead[handle] = false;
}

/* The oldest of the small queue that was not met again; the others go to the main one. */
static uint32_t from_small(void)
{
	while (model.small.count > 0) {
		uint32_t handle = row_take(&model.small, model.small.count - 1);

		if (model.uses[handle] == 0) {
			if (!model.ahead[handle])
				ghost_list_add(&model.ghosts, model.keys[handle]);
			model.was_main[handle] = false;
			return handle;
		}
		model.uses[handle] = 0;
		row_insert(&model.main, 0, handle);
	}
	return UINT32_MAX;
}

static uint32_t model_victim(void *state)
{
	(void)state;
	if (model.small.count >= model.small_target || model.main.count == 0) {
		uint32_t handle = from_small();

		if (handle != UINT32_MAX)
			return handle;
	}
	while (model.main.count > 0) {
		uint32_t handle = row_take(&model.main, model.main.count - 1);

		if (model.uses[handle] == 0) {
			model.was_main[handle] = true;
			return handle;
		}
		model.uses[handle]--;
		row_insert(&model.main, 0, handle);
	}
	return UINT32_MAX;
}

static void model_put_back(void *state, uint32_t handle, uint64_t key)
{
	struct row *row = model.was_main[handle] ? &model.main : &model.small;

	(void)state;
	if (!model.was_main[handle])
		(void)ghost_list_take(&model.ghosts, key);
	row_insert(row, row->count, handle);
}

static void model_remove(void *state, uint32_t handle)
{
	(void)state;
	row_remove(row_find(&model.small, handle) != NONE ? &model.small : &model.main, handle);
}

static const struct lg_policy_ops model_ops = {
	sizeof(struct lg_policy_ops),
	"s3fifo model",
	model_create,
	model_destroy,
	model_retarget,
	model_fill,
	model_touch,
	model_victim,
	model_put_back,
	model_remove,
};

/* A target of 20: a small queue of 2. Of 4: of 1. */
static void pages_met_once_leave_by_age(void **state)
{
	(void)state;
	play(&lg_policy_s3fifo, 20, "=- r1 r2 r3 r4 =1 =2 =3 =4 =-");
}

static void page_met_again_outlives_those_met_once(void **state)
{
	(void)state;
	play(&lg_policy_s3fifo, 4, "r1 R1 r2 r3 =2 r4 =3 r5 =4 =5 =1 =-");
}

static void page_that_comes_back_is_main(void **state)
{
	(void)state;
	play(&lg_policy_s3fifo, 4, "r1 r2 =1 r1 r3 r4 =2 =3 =4 =1 =-");
	/* Three ghosts are remembered: 1 is forgotten. */
	play(&lg_policy_s3fifo, 4, "r1 r2 r3 r4 =1 =2 =3 =4 r1 r9 =1 =9");
}

static void main_page_is_passed_over_once_for_each_use_up_to_three(void **state)
{
	(void)state;
	/* A small queue of 3, so that one page in it is left alone. */
	play(&lg_policy_s3fifo, 30, "r1 r2 r3 =1 =2 =3 r1 r2 r3 R1 R1 R2 =3 =2 =1 =-");
	play(&lg_policy_s3fifo, 30, "r1 r2 =1 =2 r1 r2 R1 R1 R1 R1 R1 W2 W2 W2 W2 W2 =1 =2 =-");
}

static void first_touch_of_a_page_read_ahead_is_its_arrival(void **state)
{
	(void)state;
	play(&lg_policy_s3fifo, 4, "p1 R1 r2 =1 =2 =-");
	play(&lg_policy_s3fifo, 4, "p1 R1 R1 r2 =2 =1 =-");
	/* Read ahead is not met again; touched it is. */
	play(&lg_policy_s3fifo, 4, "r1 r2 =1 =2 p1 r3 =1 =3");
	play(&lg_policy_s3fifo, 4, "r1 r2 =1 =2 p1 r3 R1 =3 =1");
	/* Never touched: no ghost. */
	play(&lg_policy_s3fifo, 4, "p1 =1 r1 r2 =1 =2");
}

static void what_is_put_back_leaves_first_and_has_no_ghost(void **state)
{
	(void)state;
	play(&lg_policy_s3fifo, 20, "r1 r2 r3 r4 =1 =2 <2 <1 =1 =2 =3 =4 =-");
	play(&lg_policy_s3fifo, 4, "r1 r2 r3 =1 <1 x1 r1 =2 =3 =1 =-");
}

static void any_calls_give_the_victims_of_the_model(void **state)
{
	(void)state;
	pair_run_all(&lg_policy_s3fifo, &model_ops);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(pages_met_once_leave_by_age),
		cmocka_unit_test(page_met_again_outlives_those_met_once),
		cmocka_unit_test(page_that_comes_back_is_main),
		cmocka_unit_test(main_page_is_passed_over_once_for_each_use_up_to_three),
		cmocka_unit_test(first_touch_of_a_page_read_ahead_is_its_arrival),
		cmocka_unit_test(what_is_put_back_leaves_first_and_has_no_ghost),
		cmocka_unit_test(any_calls_give_the_victims_of_the_model),
	};

	return UNIT_RUN(tests);
}
