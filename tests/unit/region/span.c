/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "unit/region/library.h"

#include <errno.h>

static void sizes_fall_into_the_class_that_holds_them(void **state)
{
	(void)state;
	assert_int_equal(lg_class_of(1), 0);
	for (unsigned class = 0; class < LG_CLASSES; class ++) {
		size_t bytes = lg_class_bytes(class);

		assert_int_equal(lg_class_of(bytes), class);
		assert_int_equal(lg_class_of(bytes + 1), class + 1);
		assert_int_equal(lg_class_of(bytes - 1), class);
		assert_int_equal(lg_class_of(bytes / 2 + 1), class);
	}
	assert_true(lg_class_of(0) >= LG_CLASSES);
	assert_true(lg_class_of(SIZE_MAX) >= LG_CLASSES);
}

static void spans_are_aligned_and_so_are_regions(void **state)
{
	(void)state;
	assert_true(lg_span.base != 0);
	assert_true(lg_span.base % ((uintptr_t)1 << lg_span.shift) == 0);
	assert_true(lg_span.classes >= 1 && lg_span.classes <= LG_CLASSES);
	assert_true(lg_span.bytes == (uintptr_t)lg_span.classes << lg_span.shift);
	assert_true(lg_class_bytes(lg_span.classes - 1) <= (uintptr_t)1 << lg_span.shift);
	for (unsigned class = 0; class < lg_span.classes; class ++)
		assert_true((uintptr_t)lg_class_base(class) % lg_class_bytes(class) == 0);
}

/* Some numbers of a class, both ends and round powers of two among them. */
static unsigned pick_numbers(unsigned class, uint64_t *numbers)
{
	uint64_t regions = lg_class_regions(class);
	unsigned count = 0;

	numbers[count++] = 0;
	numbers[count++] = regions - 1;
	for (uint64_t power = 1; power < regions; power *= 2) {
		numbers[count++] = power - 1;
		numbers[count++] = power;
	}
	return count;
}

static void address_class_number_and_descriptor_name_the_same_region(void **state)
{
	uint64_t numbers[160];

	(void)state;
	for (unsigned class = 0; class < lg_span.classes; class ++) {
		size_t bytes = lg_class_bytes(class);
		unsigned count = pick_numbers(class, numbers);

		for (unsigned i = 0; i < count; i++) {
			char *address = lg_region_address(class, numbers[i]);
			struct lg_region *region = lg_region_at(class, numbers[i]);

			assert_ptr_equal(lg_region_around(address), region);
			assert_ptr_equal(lg_region_around(address + 1), region);
			assert_ptr_equal(lg_region_around(address + bytes / 2), region);
			assert_ptr_equal(lg_region_around(address + bytes - 1), region);
			assert_ptr_not_equal(lg_region_around(address + bytes), region);
			assert_ptr_not_equal(lg_region_around(address - 1), region);
			assert_true(lg_region_is_ours(region));
			assert_int_equal(lg_region_state(region), LG_NONE); /* and it can be read */
		}
	}
}

static void every_class_has_descriptors_of_its_own(void **state)
{
	(void)state;
	for (unsigned class = 0; class + 1 < lg_span.classes; class ++) {
		struct lg_region *last = lg_region_at(class, lg_class_regions(class) - 1);

		assert_true(last < lg_region_at(class + 1, 0));
		assert_true(lg_span.bit_starts[class] + lg_class_regions(class) / 64 <=
			    lg_span.bit_starts[class + 1]);
	}
	unsigned top = lg_span.classes - 1;
	assert_true(lg_span.starts[top] + lg_class_regions(top) <= lg_span.descriptors);
	assert_true((lg_span.bit_starts[top] + (lg_class_regions(top) + 63) / 64) * 8 <=
		    lg_span.bits_bytes);
}

static void foreign_addresses_are_in_no_region(void **state)
{
	int local;

	(void)state;
	assert_null(lg_region_around(NULL));
	assert_null(lg_region_around(&local));
	assert_null(lg_region_around((void *)lg_span.tables));
	assert_null(lg_region_around((void *)(lg_span.base - 1)));
	assert_null(lg_region_around((void *)(lg_span.base + lg_span.bytes)));
	assert_null(lg_region_around((void *)UINTPTR_MAX));
	assert_non_null(lg_region_around((void *)lg_span.base));
	assert_non_null(lg_region_around((void *)(lg_span.base + lg_span.bytes - 1)));
}

static void foreign_and_misaligned_handles_are_not_ours(void **state)
{
	struct lg_region local;
	struct lg_region *first = lg_region_at(0, 0);
	uintptr_t end = lg_span.tables + lg_span.descriptors * sizeof(struct lg_region);

	(void)state;
	assert_false(lg_region_is_ours(NULL));
	assert_false(lg_region_is_ours(&local));
	assert_false(lg_region_is_ours((struct lg_region *)lg_span.base));
	assert_false(lg_region_is_ours((struct lg_region *)(lg_span.tables - 64)));
	assert_false(lg_region_is_ours((struct lg_region *)end));
	assert_true(lg_region_is_ours((struct lg_region *)(end - 64)));
	assert_false(lg_region_is_ours((struct lg_region *)(UINTPTR_MAX - 63)));
	for (uintptr_t by = 1; by < 64; by++) {
		assert_false(lg_region_is_ours((struct lg_region *)((uintptr_t)first + by)));
		assert_false(lg_region_is_ours((struct lg_region *)((uintptr_t)first - by)));
	}
}

static void neighbours_lie_far_apart_and_every_slot_is_used_once(void **state)
{
	static uint8_t used[2 * LG_BLOCK];

	(void)state;
	memset(used, 0, sizeof(used));
	for (uint64_t number = 0; number < 2 * LG_BLOCK; number++) {
		uint64_t slot = lg_span_slot(number);

		assert_true(slot / LG_BLOCK == number / LG_BLOCK);
		assert_int_equal(used[slot]++, 0);
		assert_true(lg_span_number(slot) == number);
	}
	for (uint64_t number = 0; number + 1 < LG_BLOCK; number++) {
		int64_t apart = (int64_t)lg_span_slot(number + 1) - (int64_t)lg_span_slot(number);

		assert_true(apart > 1 || apart < -1);
	}
	/* The first of a block have no neighbour in use at all. */
	for (uint64_t a = 0; a < 64; a++)
		for (uint64_t b = 0; b < a; b++)
			assert_true(lg_span_slot(a) / 2 != lg_span_slot(b) / 2);
}

static void tables_become_writable_as_far_as_asked(void **state)
{
	(void)state;
	for (unsigned class = 0; class < lg_span.classes; class ++) {
		uint64_t numbers = lg_min(lg_class_regions(class), 1000);

		assert_int_equal(lg_span_grow_tables(class, numbers), 0);
		assert_int_equal(lg_span_grow_tables(class, 1), 0); /* less is no change */
		for (uint64_t number = 0; number < numbers; number++) {
			struct lg_region *region = lg_region_at(class, number);

			assert_int_equal(lg_region_state(region), LG_NONE);
			region->class = (uint8_t) class;
			assert_true(lg_region_number(region) == number);
		}
		lg_classes[class].bits[(numbers - 1) / 64] = ~(uint64_t)0;
	}
	/* Nobody wrote into a neighbour's table. */
	for (unsigned class = 0; class < lg_span.classes; class ++)
		for (uint64_t number = 0; number < lg_min(lg_class_regions(class), 1000); number++)
			assert_int_equal(lg_region_at(class, number)->class, class);
}

static void forgetting_makes_every_descriptor_and_bit_new(void **state)
{
	(void)state;
	lg_span_forget();
	for (unsigned class = 0; class < lg_span.classes; class ++) {
		uint64_t numbers = lg_min(lg_class_regions(class), 1000);

		for (uint64_t number = 0; number < numbers; number++)
			assert_int_equal(lg_region_at(class, number)->class, 0);
		assert_true(lg_classes[class].bits[(numbers - 1) / 64] == 0);
		assert_int_equal(lg_span_grow_tables(class, 1), 0);
		lg_region_at(class, 0)->class = 0;
	}
}

static void reserved_bytes_are_spans_and_tables(void **state)
{
	struct lg_stats stats;

	(void)state;
	assert_int_equal(lg_stats_read(&stats), 0);
	assert_true(stats.reserved_bytes == lg_span_reserved_bytes());
	assert_true(stats.reserved_bytes >= lg_span.bytes + lg_span.descriptors * 64);
}

static void classes_larger_than_the_span_are_no_memory(void **state)
{
	size_t largest = lg_class_bytes(lg_span.classes - 1);

	(void)state;
	errno = 0;
	assert_null(lg_region_new(largest + 1));
	assert_int_equal(errno, ENOMEM);
	errno = 0;
	assert_null(lg_region_new(SIZE_MAX));
	assert_int_equal(errno, ENOMEM);
	errno = 0;
	assert_null(lg_region_new(0));
	assert_int_equal(errno, EINVAL);
	assert_null(lg_region_new_zeroed(0));
	assert_int_equal(errno, EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sizes_fall_into_the_class_that_holds_them),
		cmocka_unit_test(spans_are_aligned_and_so_are_regions),
		cmocka_unit_test(address_class_number_and_descriptor_name_the_same_region),
		cmocka_unit_test(every_class_has_descriptors_of_its_own),
		cmocka_unit_test(foreign_addresses_are_in_no_region),
		cmocka_unit_test(foreign_and_misaligned_handles_are_not_ours),
		cmocka_unit_test(neighbours_lie_far_apart_and_every_slot_is_used_once),
		cmocka_unit_test(tables_become_writable_as_far_as_asked),
		cmocka_unit_test(forgetting_makes_every_descriptor_and_bit_new),
		cmocka_unit_test(reserved_bytes_are_spans_and_tables),
		cmocka_unit_test(classes_larger_than_the_span_are_no_memory),
	};

	return cmocka_run_group_tests(tests, library_start, NULL);
}
