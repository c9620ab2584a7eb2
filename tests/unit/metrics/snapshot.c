/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/metrics/output.h"

#include <errno.h>

static struct lg_stats stats;

static void nothing_is_asked_for_null(void **state)
{
	(void)state;
	assert_int_equal(lg_stats_read(NULL), -EINVAL);
}

static void before_the_first_region_all_is_zero_but_the_sizes(void **state)
{
	struct lg_stats zero = { 0 };

	(void)state;
	memset(&stats, 0xff, sizeof(stats));
	assert_int_equal(lg_stats_read(&stats), 0);
	for (unsigned i = 0; i < LG_CLASSES; i++) {
		assert_true(stats.classes[i].size == (uint64_t)4096 << i);
		stats.classes[i].size = 0;
	}
	assert_memory_equal(&stats, &zero, sizeof(stats));
}

static void totals_are_the_sums_of_the_classes(void **state)
{
	struct lg_class_stats sums = { 0 };
	uint64_t in_use = 0, cached = 0, dirty = 0, lazy = 0, clean = 0;

	assert_int_equal(output_prepare(state), 0);
	assert_int_equal(lg_stats_read(&stats), 0);
	for (unsigned i = 0; i < LG_CLASSES; i++) {
		const struct lg_class_stats *class = &stats.classes[i];

#define ADD(name, kind, help) sums.name += class->name;
		LG_CLASS_FIELDS(ADD)
#undef ADD
		in_use += class->in_use * class->size;
		cached += class->cached * class->size;
		dirty += class->dirty * class->size;
		lazy += class->lazy * class->size;
		clean += class->clean * class->size;
	}
	assert_memory_equal(&stats.totals, &sums, sizeof(sums));
	assert_true(stats.in_use_bytes == in_use);
	assert_true(stats.cached_bytes == cached);
	assert_true(stats.dirty_bytes == dirty);
	assert_true(stats.lazy_bytes == lazy);
	assert_true(stats.clean_bytes == clean);
	assert_true(stats.area_bytes == sums.area_bytes);
	assert_int_equal(stats.threads, 1);
	assert_true(stats.reserved_bytes > stats.area_bytes);
}

static void each_class_in_itself_agrees(void **state)
{
	(void)state;
	assert_int_equal(lg_stats_read(&stats), 0);
	for (unsigned i = 0; i < LG_CLASSES; i++) {
		const struct lg_class_stats *class = &stats.classes[i];

		assert_true(class->in_use == class->allocations - class->frees);
		assert_true(class->cached == class->in_magazines + class->in_deques);
		assert_true(class->allocations == class->from_magazine + class->from_deque +
							  class->from_dirty + class->from_lazy +
							  class->from_clean + class->steals);
		assert_true((class->in_use + class->cached + class->dirty + class->lazy +
			     class->clean) *
				    class->size ==
			    class->area_bytes);
		assert_true(class->backing_bytes == class->area_bytes - class->clean * class->size);
		assert_true((class->areas == 0) == (class->area_bytes == 0));
	}
}

static void kinds_are_gauge_or_counter_and_counters_only_grow(void **state)
{
	struct lg_stats later;

	(void)state;
	assert_int_equal(lg_stats_read(&stats), 0);
	assert_int_equal(output_prepare(state), 0);
	assert_int_equal(lg_trim(), 0);
	assert_int_equal(lg_stats_read(&later), 0);
	enum { gauge, counter };
	for (unsigned i = 0; i < LG_CLASSES; i++) {
#define GROWS(name, kind, help)                                                                    \
	if ((kind) == counter)                                                                     \
		assert_true(later.classes[i].name >= stats.classes[i].name);
		LG_CLASS_FIELDS(GROWS)
#undef GROWS
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_asked_for_null),
		cmocka_unit_test(before_the_first_region_all_is_zero_but_the_sizes),
		cmocka_unit_test(totals_are_the_sums_of_the_classes),
		cmocka_unit_test(each_class_in_itself_agrees),
		cmocka_unit_test(kinds_are_gauge_or_counter_and_counters_only_grow),
	};

	return UNIT_RUN(tests);
}
