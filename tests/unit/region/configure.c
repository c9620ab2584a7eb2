/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Options before and after the first region. LGALLOC_CONF of this test says cache_bytes:1M. */
#include "unit/region/library.h"

#include <errno.h>

#define MIB ((uint64_t)1 << 20)

static void configuring_starts_nothing(void **state)
{
	struct lg_stats stats;

	(void)state;
	assert_int_equal(lg_configure(NULL), 0);
	assert_int_equal(lg_configure(""), 0);
	assert_false(lg_start_is_done());
	assert_int_equal(lg_stats_read(&stats), 0);
	assert_true(stats.reserved_bytes == 0);
}

/* The environment is read before the call: it does not undo it at the first region. */
static void call_wins_over_the_environment(void **state)
{
	(void)state;
	assert_true(lg_option(cache_bytes) == 1 * MIB);
	assert_int_equal(lg_configure("cache_bytes:2M"), 0);
	assert_true(lg_option(cache_bytes) == 2 * MIB);
	assert_false(lg_start_is_done());
}

static void before_the_first_region_all_options_count(void **state)
{
	(void)state;
	assert_int_equal(lg_configure("backing:file,reserve:off"), 0);
	assert_int_equal(lg_configure("backing:anon,reserve:on"), 0);
	assert_true(backing_is_anon());
	assert_int_equal(lg_configure("bad:1"), -EINVAL);
	assert_false(lg_start_is_done());
}

static void first_region_starts_with_what_was_said_last(void **state)
{
	struct lg_region *region = lg_region_new(4096);

	(void)state;
	assert_non_null(region);
	assert_true(lg_start_is_done());
	assert_ptr_equal(lg_backing, &lg_backing_anon);
	assert_true(lg_option(cache_bytes) == 2 * MIB);
	lg_region_free(region);
}

static void after_the_first_region_some_options_are_busy(void **state)
{
	static const char *const first[] = {
		"backing:file",      "span:1G",       "reserve:off", "coredump:on", "paged_page:4K",
		"paged_policy:lifo", "hugepages:off", "dir:/tmp",    "annotate:on",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(first) / sizeof(first[0]); i++) {
		char key[32];

		assert_int_equal(lg_configure(first[i]), -EBUSY);
		snprintf(key, sizeof(key), "%.*s", (int)strcspn(first[i], ":"), first[i]);
		assert_non_null(strstr(lg_error(), key));
	}
	assert_true(backing_is_anon());
}

static void live_options_apply_at_once_all_or_none(void **state)
{
	(void)state;
	assert_int_equal(lg_configure("cache_bytes:3M,dirty_bytes:5M,interval:7ms,area_max:64M"),
			 0);
	assert_true(lg_option(cache_bytes) == 3 * MIB);
	assert_int_equal(lg_configure("cache_bytes:4M,backing:file"), -EBUSY);
	assert_int_equal(lg_configure("cache_bytes:4M,interval:1"), -EINVAL);
	assert_true(lg_option(cache_bytes) == 3 * MIB);
	assert_true(lg_option(interval) == 7);
}

static void version_is_that_of_the_header(void **state)
{
	char version[32];

	(void)state;
	snprintf(version, sizeof(version), "%d.%d.%d", LG_VERSION_MAJOR, LG_VERSION_MINOR,
		 LG_VERSION_PATCH);
	assert_string_equal(lg_version(), version);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(configuring_starts_nothing),
		cmocka_unit_test(call_wins_over_the_environment),
		cmocka_unit_test(before_the_first_region_all_options_count),
		cmocka_unit_test(first_region_starts_with_what_was_said_last),
		cmocka_unit_test(after_the_first_region_some_options_are_busy),
		cmocka_unit_test(live_options_apply_at_once_all_or_none),
		cmocka_unit_test(version_is_that_of_the_header),
	};

	return UNIT_RUN(tests);
}
