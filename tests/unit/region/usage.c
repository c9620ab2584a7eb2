/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the kernel says, against what was touched. */
#include "unit/region/library.h"

#include <errno.h>

#define MIB ((uint64_t)1 << 20)

static struct lg_usage usage_now(void)
{
	struct lg_usage usage = { 0 };

	assert_int_equal(lg_usage_read(&usage), 0);
	return usage;
}

static void nothing_is_used_before_the_first_region(void **state)
{
	(void)state;
	assert_int_equal(lg_usage_read(NULL), -EINVAL);
	assert_true(usage_now().resident_bytes == 0);
	assert_true(usage_now().disk_bytes == 0);
}

static void touched_bytes_are_resident_and_reserved_ones_on_disk(void **state)
{
	struct lg_region *region = lg_region_new(32 * MIB);

	(void)state;
	assert_non_null(region);
	uint64_t before = usage_now().resident_bytes;
	memset(lg_region_data(region), 1, 16 * MIB);
	uint64_t after = usage_now().resident_bytes;
	assert_true(after >= before + 15 * MIB);
	assert_true(usage_now().resident_bytes <= stats_of(lg_class_of(32 * MIB)).area_bytes);
	if (backing_is_anon())
		assert_true(usage_now().disk_bytes == 0);
	else
		assert_true(usage_now().disk_bytes >= 32 * MIB);
	lg_region_free(region);
	assert_true(usage_now().resident_bytes >= after / 2); /* dirty: still in memory */
	assert_int_equal(lg_trim(), 0);
	assert_true(usage_now().resident_bytes == 0);
	assert_true(usage_now().disk_bytes == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_used_before_the_first_region),
		cmocka_unit_test(touched_bytes_are_resident_and_reserved_ones_on_disk),
	};

	return UNIT_RUN(tests);
}
