/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* clock, by hand and beside an array with a hand that goes round. */
#include "unit/pager/model.h"

/* row[0] is the oldest; a page that is passed over goes to the end. */
static struct {
	struct row row;
	bool referenced[MODEL_PAGES];
	bool ahead[MODEL_PAGES];
} ring;

static void *ring_create(uint32_t capacity, uint32_t target, void *argument)
{
	(void)capacity;
	(void)target;
	(void)argument;
	memset(&ring, 0, sizeof(ring));
	return &ring;
}

static void ring_destroy(void *state)
{
	(void)state;
}

static void ring_fill(void *state, uint32_t handle, uint64_t key, enum lg_reference how)
{
	(void)state;
	(void)key;
	ring.ahead[handle] = how == LG_REFERENCE_PREFETCH;
	ring.referenced[handle] = false;
	row_insert(&ring.row, ring.row.count, handle);
}

static void ring_touch(void *state, uint32_t handle, enum lg_reference how)
{
	(void)state;
	(void)how;
	ring.referenced[handle] = !ring.ahead[handle];
	ring.ahead[handle] = false;
}

static uint32_t ring_victim(void *state)
{
	(void)state;
	for (unsigned passed = 0; passed < 2 * MODEL_PAGES && ring.row.count > 0; passed++) {
		uint32_t handle = row_take(&ring.row, 0);

		if (!ring.referenced[handle])
			return handle;
		ring.referenced[handle] = false;
		row_insert(&ring.row, ring.row.count, handle);
	}
	return UINT32_MAX;
}

static void ring_put_back(void *state, uint32_t handle, uint64_t key)
{
	(void)state;
	(void)key;
	row_insert(&ring.row, 0, handle);
}

static void ring_remove(void *state, uint32_t handle)
{
	(void)state;
	row_remove(&ring.row, handle);
}

static const struct lg_policy_ops model = {
	sizeof(struct lg_policy_ops),
	"clock model",
	ring_create,
	ring_destroy,
	NULL,
	ring_fill,
	ring_touch,
	ring_victim,
	ring_put_back,
	ring_remove,
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

static void what_is_put_back_leaves_first_in_the_order_it_left_in(void **state)
{
	(void)state;
	play(&lg_policy_clock, 4, "r1 r2 r3 r4 R1 =2 =3 <3 <2 =2 =3 =4 =1");
}

static void any_calls_give_the_victims_of_the_model(void **state)
{
	(void)state;
	pair_run_all(&lg_policy_clock, &model);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(untouched_pages_leave_by_age),
		cmocka_unit_test(touched_page_is_passed_over_once),
		cmocka_unit_test(first_touch_of_a_page_read_ahead_is_its_arrival),
		cmocka_unit_test(what_is_put_back_leaves_first_in_the_order_it_left_in),
		cmocka_unit_test(any_calls_give_the_victims_of_the_model),
	};

	return UNIT_RUN(tests);
}
