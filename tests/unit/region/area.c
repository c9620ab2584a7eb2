/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Areas opened by hand over addresses that are only reserved: no byte of a region is touched here. */
#include "region/area.h"

#include "region/mappings.h"
#include "unit/region/library.h"

enum { CLASS = 4, REGIONS_MAX = 1000 };

static struct lg_class *class = &lg_classes[CLASS];

static int start(void **state)
{
	return library_start(state) != 0 ? -1 : lg_span_grow_tables(CLASS, REGIONS_MAX);
}

/* Every area is unmapped; who still holds regions of it lets go of them. */
static int close_all(void **state)
{
	(void)state;
	for (uint16_t slot = 0; slot < lg_load_relaxed(&class->slots); slot++) {
		lg_area_open_empty(class, slot, LG_AREA_RETIRED);
		lg_area_finish_retired(class, slot);
	}
	lg_area_check(class);
	return 0;
}

static uint64_t word_of(uint16_t slot)
{
	return lg_load_relaxed(&class->areas[slot].word);
}

static void open_area(uint16_t slot, uint64_t first, uint64_t count)
{
	for (uint64_t number = first; number < first + count; number++) {
		struct lg_region *region = lg_region_at(CLASS, number);

		region->class = CLASS;
		region->area = slot;
		lg_region_set_state(region, LG_NONE);
	}
	lg_area_open(class, slot, first, count);
	lg_area_check(class);
}

static uint32_t take(uint32_t want, uint64_t *numbers, uint16_t *slot)
{
	uint32_t got = lg_area_take(class, want, numbers, slot);

	lg_area_check(class);
	return got;
}

static void give(const uint64_t *numbers, uint32_t count)
{
	struct lg_region *regions[REGIONS_MAX];

	for (uint32_t i = 0; i < count; i++)
		regions[i] = lg_region_at(CLASS, numbers[i]);
	lg_area_give(class, regions, count);
	lg_area_check(class);
}

static void opened_area_is_all_clean(void **state)
{
	(void)state;
	open_area(0, 10, 100);
	assert_int_equal(lg_area_state(word_of(0)), LG_AREA_OPEN);
	assert_int_equal(lg_area_clean(word_of(0)), 100);
	assert_int_equal(lg_load_relaxed(&class->slots), 1);
	assert_int_equal(stats_of(CLASS).areas, 1);
	assert_int_equal(stats_of(CLASS).clean, 100);
}

static void runs_come_lowest_first(void **state)
{
	uint64_t numbers[REGIONS_MAX];
	uint16_t slot = 99;

	(void)state;
	open_area(0, 10, 200);
	for (uint64_t next = 10; next < 210; next += 20) {
		assert_int_equal(take(20, numbers, &slot), 20);
		assert_int_equal(slot, 0);
		for (uint32_t i = 0; i < 20; i++)
			assert_true(numbers[i] == next + i);
	}
	assert_int_equal(lg_area_clean(word_of(0)), 0);
	assert_int_equal(take(1, numbers, &slot), 0);
}

static void take_brings_what_is_there_from_one_area(void **state)
{
	uint64_t numbers[REGIONS_MAX];
	uint16_t slot;

	(void)state;
	open_area(0, 0, 7);
	open_area(1, 7, 130);
	assert_int_equal(take(300, numbers, &slot), 7);
	assert_int_equal(slot, 0);
	assert_int_equal(take(300, numbers, &slot), 130);
	assert_int_equal(slot, 1);
	for (uint32_t i = 0; i < 130; i++)
		assert_true(numbers[i] == 7 + i);
	assert_int_equal(take(300, numbers, &slot), 0);
}

/* Their bits lie in one word. */
static void neighbouring_areas_do_not_touch_each_others_bits(void **state)
{
	uint64_t numbers[REGIONS_MAX];
	uint16_t slot;

	(void)state;
	open_area(0, 3, 5);
	open_area(1, 8, 40);
	open_area(2, 48, 100);
	assert_int_equal(take(64, numbers, &slot), 5);
	assert_int_equal(take(64, numbers, &slot), 40);
	assert_int_equal(lg_area_clean(word_of(2)), 100);
	assert_int_equal(take(REGIONS_MAX, numbers, &slot), 100);
	give(numbers, 100);
	assert_int_equal(lg_area_retire_idle(class, 0), 1);
	assert_int_equal(lg_area_state(word_of(2)), LG_AREA_UNUSED);
	assert_int_equal(lg_area_state(word_of(0)), LG_AREA_OPEN);
	for (uint64_t number = 3; number < 8; number++)
		give(&number, 1);
	assert_int_equal(lg_area_clean(word_of(0)), 5);
	assert_int_equal(lg_area_clean(word_of(1)), 0);
}

static void given_regions_are_clean_and_taken_again(void **state)
{
	uint64_t numbers[REGIONS_MAX], again[REGIONS_MAX];
	uint16_t slot;

	(void)state;
	open_area(0, 0, 100);
	assert_int_equal(take(100, numbers, &slot), 100);
	for (uint32_t i = 0; i < 100; i += 2)
		give(&numbers[i], 1);
	assert_int_equal(lg_area_clean(word_of(0)), 50);
	for (uint32_t i = 0; i < 100; i++)
		assert_int_equal(lg_region_state(lg_region_at(CLASS, i)),
				 i % 2 == 0 ? LG_CLEAN : LG_NONE);
	assert_int_equal(take(100, again, &slot), 50);
	for (uint32_t i = 0; i < 50; i++)
		assert_true(again[i] == 2 * i);
	lg_area_give_numbers(class, 0, again, 50);
	lg_area_check(class);
	assert_int_equal(lg_area_clean(word_of(0)), 50);
	lg_area_give_numbers(class, 0, again, 0);
	lg_area_check(class);
}

static void regions_of_several_areas_are_given_at_once(void **state)
{
	uint64_t numbers[30], all[90];
	uint16_t slot;

	(void)state;
	for (uint16_t i = 0; i < 3; i++)
		open_area(i, 30u * i, 30);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(take(30, numbers, &slot), 30);
		memcpy(all + 30 * i, numbers, sizeof(numbers));
	}
	give(all, 90);
	for (uint16_t i = 0; i < 3; i++)
		assert_int_equal(lg_area_clean(word_of(i)), 30);
}

static void search_goes_back_to_the_lowest_that_was_given(void **state)
{
	uint64_t numbers[REGIONS_MAX], low = 3, high = 900;
	uint16_t slot;

	(void)state;
	open_area(0, 0, REGIONS_MAX);
	assert_int_equal(take(REGIONS_MAX, numbers, &slot), REGIONS_MAX);
	give(&high, 1);
	give(&low, 1);
	assert_int_equal(take(1, numbers, &slot), 1);
	assert_true(numbers[0] == low);
	assert_int_equal(take(1, numbers, &slot), 1);
	assert_true(numbers[0] == high);
	give(&low, 1); /* below where the last search ended */
	give(&high, 1);
	assert_int_equal(take(2, numbers, &slot), 2);
	assert_true(numbers[0] == low && numbers[1] == high);
}

/* A hint is a hint: any value finds what is there. */
static void wrong_hint_harms_nothing(void **state)
{
	static const uint64_t hints[] = { 0, 1, 3, 4, 15, 16, 1000, UINT64_MAX };
	uint64_t numbers[REGIONS_MAX];
	uint16_t slot;

	(void)state;
	open_area(0, 200, 60);
	for (size_t i = 0; i < sizeof(hints) / sizeof(hints[0]); i++) {
		lg_store_relaxed(&class->areas[0].hint, hints[i]);
		assert_int_equal(take(60, numbers, &slot), 60);
		lg_store_relaxed(&class->areas[0].hint, hints[i]);
		give(numbers, 60);
	}
}

static void area_in_use_is_not_retired(void **state)
{
	uint64_t numbers[1];
	uint16_t slot;

	(void)state;
	open_area(0, 0, 50);
	assert_int_equal(take(1, numbers, &slot), 1);
	assert_int_equal(lg_area_retire_idle(class, 0), 0);
	assert_int_equal(lg_area_state(word_of(0)), LG_AREA_OPEN);
	give(numbers, 1);
	assert_int_equal(lg_area_retire_idle(class, 0), 1);
	assert_int_equal(lg_area_state(word_of(0)), LG_AREA_UNUSED);
	assert_int_equal(lg_area_clean(word_of(0)), 0);
	assert_true(class->bits[0] == 0);
	assert_int_equal(lg_area_retire_idle(class, 0), 0);
	assert_int_equal(take(1, numbers, &slot), 0);
	assert_int_equal(stats_of(CLASS).areas, 0);
}

static void idle_area_stays_for_the_delay_from_when_it_was_seen_idle(void **state)
{
	uint64_t numbers[1];
	uint16_t slot;

	(void)state;
	open_area(0, 0, 50);
	assert_int_equal(lg_area_retire_idle(class, UINT64_MAX), 0);
	assert_true(lg_load_relaxed(&class->areas[0].idle_since_ms) > 0);
	assert_int_equal(take(1, numbers, &slot), 1);
	assert_int_equal(lg_area_retire_idle(class, UINT64_MAX), 0);
	assert_true(lg_load_relaxed(&class->areas[0].idle_since_ms) == 0);
	give(numbers, 1);
	assert_int_equal(lg_area_retire_idle(class, UINT64_MAX), 0);
	assert_true(lg_load_relaxed(&class->areas[0].idle_since_ms) > 0);
	lg_store_relaxed(&class->areas[0].idle_since_ms, 1); /* long ago */
	assert_int_equal(lg_area_retire_idle(class, 1), 1);
}

static void each_life_of_a_slot_has_a_generation_of_its_own(void **state)
{
	uint32_t last = lg_area_generation(word_of(0));

	(void)state;
	for (unsigned i = 0; i < 10; i++) {
		open_area(0, 7 * i, 20 + i);
		assert_true(lg_area_generation(word_of(0)) != last);
		last = lg_area_generation(word_of(0));
		assert_int_equal(lg_area_retire_idle(class, 0), 1);
		assert_int_equal(lg_area_generation(word_of(0)), last);
	}
}

static void retired_area_gives_its_mappings_back_to_the_budget(void **state)
{
	uint32_t all = 0;

	(void)state;
	open_area(0, 0, 50);
	while (lg_mappings_take(1))
		all++;
	assert_true(all > 0);
	lg_store_relaxed(&class->areas[0].splits, all);
	assert_false(lg_mappings_take(1));
	assert_int_equal(lg_area_retire_idle(class, 0), 1);
	assert_true(lg_mappings_take(all));
	assert_false(lg_mappings_take(1));
	lg_mappings_give(all);
}

static void orphans_only_drain(void **state)
{
	uint64_t numbers[50];
	uint16_t slot;

	(void)state;
	open_area(0, 0, 50);
	open_area(1, 50, 50);
	lg_store_relaxed(&class->areas[0].file, 3);
	lg_store_relaxed(&class->areas[1].file, 4);
	assert_int_equal(take(10, numbers, &slot), 10);
	assert_int_equal(slot, 0);
	lg_area_orphan(class, 3);
	assert_int_equal(lg_area_state(word_of(0)), LG_AREA_ORPHAN);
	assert_int_equal(lg_area_clean(word_of(0)), 40);
	assert_int_equal(lg_area_state(word_of(1)), LG_AREA_OPEN);
	uint64_t others[50];
	assert_int_equal(take(50, others, &slot), 50);
	assert_int_equal(slot, 1);
	assert_int_equal(take(1, others, &slot), 0);
	assert_int_equal(lg_area_retire_idle(class, 0), 0);
	give(numbers, 10);
	assert_int_equal(take(1, others, &slot), 0);
	assert_int_equal(lg_area_retire_idle(class, 0), 1);
	assert_int_equal(lg_area_state(word_of(0)), LG_AREA_UNUSED);
}

static void emptied_area_has_nothing_to_take(void **state)
{
	uint64_t numbers[50], one = 17;
	uint16_t slot;

	(void)state;
	open_area(0, 0, 50);
	lg_area_open_empty(class, 0, LG_AREA_OPEN);
	lg_area_check(class);
	assert_int_equal(take(50, numbers, &slot), 0);
	lg_area_give_numbers(class, 0, &one, 1);
	assert_int_equal(take(50, numbers, &slot), 1);
	assert_true(numbers[0] == one);
}

static void every_number_has_one_holder_whatever_the_order(void **state)
{
	enum { FIRST = 33, COUNT = 700, STEPS = 30000 };
	static uint64_t held[COUNT];
	static bool is_held[FIRST + COUNT];
	uint64_t seed = 2463534242, numbers[80];
	uint32_t holds = 0;
	uint16_t slot;

	(void)state;
	open_area(0, FIRST, COUNT);
	for (unsigned step = 0; step < STEPS; step++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		uint32_t want = 1 + (uint32_t)(seed % 80);
		if ((seed >> 32) % 2 == 0) {
			uint32_t got = lg_area_take(class, want, numbers, &slot);

			assert_int_equal(got, want < COUNT - holds ? want : COUNT - holds);
			for (uint32_t i = 0; i < got; i++) {
				assert_in_range(numbers[i], FIRST, FIRST + COUNT - 1);
				assert_false(is_held[numbers[i]]);
				is_held[numbers[i]] = true;
				held[holds++] = numbers[i];
			}
		} else {
			for (uint32_t i = 0; i < want && holds > 0; i++) {
				uint32_t which = (uint32_t)((seed >> 40) * (i + 1) % holds);
				uint64_t number = held[which];

				is_held[number] = false;
				held[which] = held[--holds];
				lg_area_give_numbers(class, 0, &number, 1);
			}
		}
		lg_area_check(class);
		assert_int_equal(lg_area_clean(word_of(0)), COUNT - holds);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, close_all)
	const struct CMUnitTest tests[] = {
		TEST(opened_area_is_all_clean),
		TEST(runs_come_lowest_first),
		TEST(take_brings_what_is_there_from_one_area),
		TEST(neighbouring_areas_do_not_touch_each_others_bits),
		TEST(given_regions_are_clean_and_taken_again),
		TEST(regions_of_several_areas_are_given_at_once),
		TEST(search_goes_back_to_the_lowest_that_was_given),
		TEST(wrong_hint_harms_nothing),
		TEST(area_in_use_is_not_retired),
		TEST(idle_area_stays_for_the_delay_from_when_it_was_seen_idle),
		TEST(each_life_of_a_slot_has_a_generation_of_its_own),
		TEST(retired_area_gives_its_mappings_back_to_the_budget),
		TEST(orphans_only_drain),
		TEST(emptied_area_has_nothing_to_take),
		TEST(every_number_has_one_holder_whatever_the_order),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
