/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Regions by address: the malloc family. What stops the program is in tests/fault. */
#include "unit/region/library.h"

#include <errno.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static void malloc_gives_a_region_of_its_own(void **state)
{
	(void)state;
	for (size_t bytes = 1; bytes <= 16 * MIB; bytes = bytes * 2 + 1) {
		char *one = lg_malloc(bytes), *other = lg_malloc(bytes);

		assert_non_null(one);
		assert_non_null(other);
		size_t capacity = lg_usable_size(one);
		assert_true(capacity >= bytes);
		assert_true((uintptr_t)one % (capacity < 2 * MIB ? capacity : 2 * MIB) == 0);
		memset(one, 1, capacity);
		memset(other, 2, capacity);
		assert_int_equal(one[capacity - 1], 1);
		lg_free(one);
		lg_free(other);
	}
}

static void malloc_of_nothing_is_the_smallest_region(void **state)
{
	char *nothing = lg_malloc(0), *zeros = lg_calloc(0, 8), *none = lg_calloc(8, 0);

	(void)state;
	assert_non_null(nothing);
	assert_non_null(zeros);
	assert_non_null(none);
	assert_true(lg_usable_size(nothing) == lg_class_bytes(lg_span.class_first));
	lg_free(nothing);
	lg_free(zeros);
	lg_free(none);
}

static void calloc_is_zero_and_overflow_is_no_memory(void **state)
{
	(void)state;
	for (unsigned round = 0; round < 4; round++) {
		unsigned char *bytes = lg_calloc(1000, 300);

		assert_non_null(bytes);
		for (size_t i = 0; i < 300000; i++)
			assert_int_equal(bytes[i], 0);
		memset(bytes, 0xee, lg_usable_size(bytes));
		lg_free(bytes);
	}
	errno = 0;
	assert_null(lg_calloc(SIZE_MAX / 2, 3));
	assert_int_equal(errno, ENOMEM);
	errno = 0;
	assert_null(lg_calloc((size_t)1 << 32, (size_t)1 << 32));
	assert_int_equal(errno, ENOMEM);
}

static void realloc_allocates_resizes_and_frees(void **state)
{
	char *text = lg_realloc(NULL, 100);

	(void)state;
	assert_non_null(text);
	strcpy(text, "kept");
	for (size_t bytes = 8 * KIB; bytes <= 4 * MIB; bytes *= 4) {
		text = lg_realloc(text, bytes);
		assert_non_null(text);
		assert_true(lg_usable_size(text) >= bytes);
		assert_string_equal(text, "kept");
	}
	assert_ptr_equal(lg_realloc(text, lg_usable_size(text)), text);
	text = lg_realloc(text, 10);
	assert_string_equal(text, "kept");
	errno = 0;
	assert_null(lg_realloc(text, SIZE_MAX));
	assert_int_equal(errno, ENOMEM);
	assert_string_equal(text, "kept");
	assert_null(lg_realloc(text, 0));
	assert_null(lg_region_of(text));
}

static void alignment_is_any_power_of_two(void **state)
{
	static const size_t wrong[] = { 0, 3, 6, 12, 4097, SIZE_MAX };

	(void)state;
	for (size_t alignment = 1; alignment <= 64 * MIB; alignment *= 2) {
		void *aligned = lg_aligned_alloc(alignment, 100);

		assert_non_null(aligned);
		assert_true((uintptr_t)aligned % alignment == 0);
		assert_true(lg_usable_size(aligned) >= 100);
		lg_free(aligned);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		errno = 0;
		assert_null(lg_aligned_alloc(wrong[i], 100));
		assert_int_equal(errno, EINVAL);
	}
	errno = 0;
	assert_null(lg_aligned_alloc((size_t)1 << 62, 100));
	assert_int_equal(errno, ENOMEM);
}

static void usable_size_is_that_of_what_starts_there(void **state)
{
	char *region = lg_malloc(64 * KIB);
	int local;

	(void)state;
	assert_true(lg_usable_size(region) == 64 * KIB);
	assert_true(lg_usable_size(NULL) == 0);
	assert_true(lg_usable_size(&local) == 0);
	assert_true(lg_usable_size(region + 1) == 0);
	lg_free(region);
	assert_true(lg_usable_size(region) == 0);
}

static void free_takes_null_and_keeps_errno(void **state)
{
	void *region = lg_malloc(100);

	(void)state;
	errno = 4711;
	lg_free(NULL);
	lg_free(region);
	assert_int_equal(errno, 4711);
}

static void address_and_handle_are_the_same_region(void **state)
{
	char *address = lg_malloc(64 * KIB);
	struct lg_region *region = lg_region_of(address + 12345);

	(void)state;
	assert_non_null(region);
	assert_ptr_equal(lg_region_data(region), address);
	lg_region_free(region);
	region = lg_region_new(64 * KIB);
	lg_free(lg_region_data(region));
	assert_null(lg_region_of(address));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, library_trim)
	const struct CMUnitTest tests[] = {
		TEST(malloc_gives_a_region_of_its_own),
		TEST(malloc_of_nothing_is_the_smallest_region),
		TEST(calloc_is_zero_and_overflow_is_no_memory),
		TEST(realloc_allocates_resizes_and_frees),
		TEST(alignment_is_any_power_of_two),
		TEST(usable_size_is_that_of_what_starts_there),
		TEST(free_takes_null_and_keeps_errno),
		TEST(address_and_handle_are_the_same_region),
	};

	return cmocka_run_group_tests(tests, library_start, NULL);
}
