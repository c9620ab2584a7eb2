/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Frames beside a model: for each frame its list, and for each list the frames in the order of arrival. */
#include "pager/frame.h"

#include "stress/random.h"
#include "unit/unit.h"

enum { COUNT = 200, STEPS = 20000, SHIFT = 16 };

static struct lg_frames frames;
static char base[1];

static struct model {
	enum lg_frame_list lists[COUNT];
	uint64_t arrived[COUNT];
	uint64_t clock;
} model;

static int start(void **state)
{
	(void)state;
	memset(&model, 0, sizeof(model));
	return lg_frames_make(&frames, base, COUNT, SHIFT, false);
}

static int end(void **state)
{
	(void)state;
	lg_frames_end(&frames);
	return frames.table == NULL ? 0 : 1;
}

static void put(uint32_t index, enum lg_frame_list list)
{
	lg_frame_put(&frames, index, list);
	model.lists[index] = list;
	model.arrived[index] = ++model.clock;
}

static uint32_t oldest(enum lg_frame_list list)
{
	uint32_t found = LG_FRAME_NONE;

	for (uint32_t i = 0; i < COUNT; i++)
		if (model.lists[i] == list &&
		    (found == LG_FRAME_NONE || model.arrived[i] < model.arrived[found]))
			found = i;
	return found;
}

static uint64_t count_of(enum lg_frame_list list)
{
	uint64_t count = 0;

	for (uint32_t i = 0; i < COUNT; i++)
		count += model.lists[i] == list;
	return count;
}

static void assert_equal(void)
{
	assert_true(lg_frames_check(&frames));
	for (uint32_t i = 0; i < COUNT; i++)
		assert_int_equal(frames.table[i].list, model.lists[i]);
	for (unsigned list = 0; list < LG_FRAME_LISTS; list++)
		assert_true(lg_frame_bytes(&frames, (enum lg_frame_list)list) ==
			    count_of((enum lg_frame_list)list) << SHIFT);
	for (unsigned list = LG_FRAME_FREE; list < LG_FRAME_LISTS; list++)
		assert_int_equal(lg_frame_first(&frames, (enum lg_frame_list)list),
				 oldest((enum lg_frame_list)list));
}

static void take(uint32_t want)
{
	uint64_t empty = count_of(LG_FRAME_EMPTY);
	uint32_t first = 0, got = lg_frame_take(&frames, want, &first);

	assert_true(got <= want);
	assert_true((got > 0) == (empty > 0 && want > 0));
	for (uint32_t i = first; i < first + got; i++) {
		assert_int_equal(model.lists[i], LG_FRAME_EMPTY);
		model.lists[i] = LG_FRAME_HELD;
	}
}

static void any_steps_leave_lists_as_the_model_has_them(void **state)
{
	uint64_t random = random_seed();

	(void)state;
	assert_equal();
	for (unsigned step = 0; step < STEPS; step++) {
		if (random_one_in(&random, 3))
			take((uint32_t)random_below(&random, 20));
		else
			put((uint32_t)random_below(&random, COUNT),
			    (enum lg_frame_list)random_below(&random, LG_FRAME_LISTS));
		assert_equal();
	}
}

/* Neighbours leave together, lie together, and are written together. */
static void frames_are_taken_side_by_side(void **state)
{
	uint32_t first, next;

	(void)state;
	assert_int_equal(lg_frame_take(&frames, 64, &first), 64);
	assert_int_equal(lg_frame_take(&frames, 64, &next), 64);
	assert_int_equal(next, first + 64);
	assert_int_equal(lg_frame_take(&frames, COUNT, &first), COUNT - 128);
	assert_int_equal(lg_frame_take(&frames, 1, &first), 0);
	lg_frame_put(&frames, 3, LG_FRAME_EMPTY);
	lg_frame_put(&frames, 5, LG_FRAME_EMPTY);
	assert_int_equal(lg_frame_take(&frames, 2, &first), 1);
	assert_int_equal(first, 3);
	assert_int_equal(lg_frame_take(&frames, 2, &first), 1);
	assert_int_equal(first, 5);
	assert_true(lg_frames_check(&frames));
}

static void check_finds_a_broken_list(void **state)
{
	(void)state;
	put(1, LG_FRAME_CLEAN);
	put(2, LG_FRAME_CLEAN);
	assert_true(lg_frames_check(&frames));
	frames.table[2].previous = LG_FRAME_NONE;
	assert_false(lg_frames_check(&frames));
	frames.table[2].previous = 1;
	frames.table[2].list = LG_FRAME_UNWRITTEN;
	assert_false(lg_frames_check(&frames));
	frames.table[2].list = LG_FRAME_CLEAN;
	assert_true(lg_frames_check(&frames));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(any_steps_leave_lists_as_the_model_has_them, start,
						end),
		cmocka_unit_test_setup_teardown(frames_are_taken_side_by_side, start, end),
		cmocka_unit_test_setup_teardown(check_finds_a_broken_list, start, end),
	};

	return UNIT_RUN(tests);
}
