/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* clock, by hand and beside an array with a hand that goes round, a row of what was read ahead, and a list of ghosts. */
#include "unit/pager/ghosts.h"
#include "unit/pager/model.h"

/* row[0] is the oldest; a page that is passed over goes to the end. */
static struct {
	uint32_t capacity;
	struct row ring;
	struct row queue;
	struct ghost_list ghosts;
	uint64_t keys[MODEL_PAGES];
	bool referenced[MODEL_PAGES];
	bool ahead[MODEL_PAGES];
	bool queued[MODEL_PAGES];
} model;

static void model_retarget(void *state, uint32_t target)
{
	uint32_t before = model.ghosts.bound;

	(void)state;
	model.ghosts.bound = target == 0 || target > model.capacity ? model.capacity : target;
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

static struct row *row_of(uint32_t handle)
{
	return model.queued[handle] ? &model.queue : &model.ring;
}

static void model_fill(void *state, uint32_t handle, uint64_t key, enum lg_reference how)
{
	(void)state;
	model.keys[handle] = key;
	model.ahead[handle] = how == LG_REFERENCE_PREFETCH;
	model.referenced[handle] = false;
	model.queued[handle] = !ghost_list_take(&model.ghosts, key) && model.ahead[handle];
	row_insert(row_of(handle), row_of(handle)->count, handle);
}

static void model_touch(void *state, uint32_t handle, enum lg_reference how)
{
	(void)state;
	(void)how;
	model.referenced[handle] = model.referenced[handle] || !model.ahead[handle];
	model.ahead[handle] = false;
}

/* UINT32_MAX: all were referenced, and are at the ring's end now, or there is none. */
static uint32_t first_unreferenced(struct row *row)
{
	for (unsigned passed = 0; passed < 2 * MODEL_PAGES && row->count > 0; passed++) {
		uint32_t handle = row_take(row, 0);

		if (!model.referenced[handle])
			return handle;
		model.referenced[handle] = model.queued[handle] = false;
		row_insert(&model.ring, model.ring.count, handle);
	}
	return UINT32_MAX;
}

static uint32_t model_victim(void *state)
{
	bool first = model.queue.count > (model.queue.count + model.ring.count) / 8;
	uint32_t handle = UINT32_MAX;

	(void)state;
	if (first)
		handle = first_unreferenced(&model.queue);
	if (handle == UINT32_MAX)
		handle = first_unreferenced(&model.ring);
	if (handle == UINT32_MAX)
		handle = first_unreferenced(&model.queue);
	if (handle != UINT32_MAX && model.queued[handle])
		ghost_list_add(&model.ghosts, model.keys[handle]);
	return handle;
}

static void model_put_back(void *state, uint32_t handle, uint64_t key)
{
	(void)state;
	if (model.queued[handle])
		(void)ghost_list_take(&model.ghosts, key);
	row_insert(row_of(handle), 0, handle);
}

static void model_remove(void *state, uint32_t handle)
{
	(void)state;
	row_remove(row_of(handle), handle);
}

static const struct lg_policy_ops model_ops = {
	sizeof(struct lg_policy_ops),
	"clock model",
	model_create,
	model_destroy,
	model_retarget,
	model_fill,
	model_touch,
	model_victim,
	model_put_back,
	model_remove,
};

static void untouched_pages_leave_by_age(void **state)
{
	(void)state;
	play(&lg_policy_clock, 4, "=- r1 w2 r3 =1 =2 r4 =3 =4 =-");
}

static void touched_page_is_passed_over_once(void **state)
{
	(void)state;
	play(&lg_policy_clock, 4, "r1 r2 r3 R1 R2 =3 =1 =2 =-");
	play(&lg_policy_clock, 4, "r1 r2 r3 W1 =2 r4 =3 =1 =4");
	play(&lg_policy_clock, 4, "r1 r2 R1 R2 =1 =2 =-"); /* all of them: the oldest */
}

static void first_touch_of_a_page_read_ahead_is_its_arrival(void **state)
{
	(void)state;
	play(&lg_policy_clock, 4, "p1 r2 R1 =1 =2");
	play(&lg_policy_clock, 4, "p1 r2 R1 R1 =2 =1");
	play(&lg_policy_clock, 4, "p1 r2 =1 r1 R1 =2 =1"); /* nothing stays of the last time */
}

static void what_is_read_ahead_drives_itself_out(void **state)
{
	(void)state;
	play(&lg_policy_clock, 16, "r1 r2 r3 r4 r5 r6 r7 r8 p9 p10 p11 =9 =10 p12 p13 =11 =12");
	play(&lg_policy_clock, 16, "r1 r2 r3 r4 r5 r6 r7 r8 p9 =1 =2 =9"); /* an eighth may stay */
}

static void what_comes_again_after_it_left_goes_to_the_ring(void **state)
{
	(void)state;
	play(&lg_policy_clock, 16, "r1 r2 r3 p4 p5 =4 p4 =5 =1 =2 =3 =4");
}

static void what_is_put_back_leaves_first_in_the_order_it_left_in(void **state)
{
	(void)state;
	play(&lg_policy_clock, 4, "r1 r2 r3 r4 R1 =2 =3 <3 <2 =2 =3 =4 =1");
}

static void any_calls_give_the_victims_of_the_model(void **state)
{
	(void)state;
	pair_run_all(&lg_policy_clock, &model_ops);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(untouched_pages_leave_by_age),
		cmocka_unit_test(touched_page_is_passed_over_once),
		cmocka_unit_test(first_touch_of_a_page_read_ahead_is_its_arrival),
		cmocka_unit_test(what_is_read_ahead_drives_itself_out),
		cmocka_unit_test(what_comes_again_after_it_left_goes_to_the_ring),
		cmocka_unit_test(what_is_put_back_leaves_first_in_the_order_it_left_in),
		cmocka_unit_test(any_calls_give_the_victims_of_the_model),
	};

	return UNIT_RUN(tests);
}
