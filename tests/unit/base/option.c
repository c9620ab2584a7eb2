/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/option.h"

#include "unit/unit.h"

#include <errno.h>
#include <inttypes.h>
#include <lgalloc/lgalloc.h>

/* The table of the library once more: what it says is what must hold. */
static const struct row {
	const char *name;
	enum lg_option_type type;
	enum lg_option_when when;
	uint64_t value;
	uint64_t low;
	uint64_t high;
	_Atomic(uint64_t) *now;
} rows[] = {
#define ROW(name, type, when, value, low, high, help)                                              \
	{ #name, LG_OPTION_##type, LG_OPTION_##when, value, low, high, &lg_options.name },
	LG_OPTIONS(ROW)
#undef ROW
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static struct lg_options as_they_were;

static int restore(void **state)
{
	(void)state;
	memcpy(&lg_options, &as_they_were, sizeof(lg_options));
	return 0;
}

static uint64_t value_of(const struct row *row)
{
	return lg_load_relaxed(row->now);
}

static int set(const char *format, ...) __attribute__((format(printf, 1, 2)));

static int set(const char *format, ...)
{
	char text[3 * 4096];
	va_list values;

	va_start(values, format);
	vsnprintf(text, sizeof(text), format, values);
	va_end(values);
	return lg_option_parse(text, LG_OPTION_FIRST);
}

static const char *unit_of(const struct row *row)
{
	return row->type == LG_OPTION_TIME ? "ms" : "";
}

static bool is_word(const struct row *row)
{
	return row->type == LG_OPTION_SWITCH || row->type == LG_OPTION_BACKING ||
	       row->type == LG_OPTION_FAULTS || row->type == LG_OPTION_POLICY;
}

static void defaults_are_those_of_the_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		assert_true(value_of(&rows[i]) == rows[i].value);
		assert_true(rows[i].value >= rows[i].low);
		assert_true(rows[i].value <= rows[i].high || rows[i].value == LG_AUTO);
	}
	assert_string_equal(lg_options.dir, "");
	assert_string_equal(lg_options.metrics_file, "");
}

static void every_bound_is_allowed_and_nothing_beyond(void **state)
{
	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];

		if (is_word(row))
			continue;
		assert_int_equal(set("%s:%" PRIu64 "%s", row->name, row->low, unit_of(row)), 0);
		assert_true(value_of(row) == row->low);
		assert_int_equal(set("%s:%" PRIu64 "%s", row->name, row->high, unit_of(row)), 0);
		assert_true(value_of(row) == row->high);
		assert_int_equal(set("%s:%" PRIu64 "%s", row->name, row->high + 1, unit_of(row)),
				 -EINVAL);
		assert_true(value_of(row) == row->high);
		if (row->low == 0)
			continue;
		assert_int_equal(set("%s:%" PRIu64 "%s", row->name, row->low - 1, unit_of(row)),
				 -EINVAL);
		assert_true(value_of(row) == row->high);
	}
}

static void switches_are_on_or_off_and_nothing_else(void **state)
{
	static const char *const wrong[] = { "", "1", "0", "true", "yes", "ON", "onn", "o", "file" };

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].type != LG_OPTION_SWITCH)
			continue;
		assert_int_equal(set("%s:off", rows[i].name), 0);
		assert_true(value_of(&rows[i]) == 0);
		assert_int_equal(set("%s:on", rows[i].name), 0);
		assert_true(value_of(&rows[i]) == 1);
		for (size_t k = 0; k < sizeof(wrong) / sizeof(wrong[0]); k++) {
			assert_int_equal(set("%s:%s", rows[i].name, wrong[k]), -EINVAL);
			assert_non_null(strstr(lg_error(), rows[i].name));
			assert_non_null(strstr(lg_error(), "off or on"));
		}
		assert_true(value_of(&rows[i]) == 1);
	}
}

static void backing_is_file_anon_or_paged(void **state)
{
	(void)state;
	assert_int_equal(set("backing:anon"), 0);
	assert_true(lg_option(backing) == LG_BACKING_ANON);
	assert_int_equal(set("backing:file"), 0);
	assert_true(lg_option(backing) == LG_BACKING_FILE);
	assert_int_equal(set("backing:paper"), -EINVAL);
	assert_non_null(strstr(lg_error(), "backing"));
	assert_non_null(strstr(lg_error(), "paper"));
	assert_non_null(strstr(lg_error(), "file, anon or paged"));
}

static void page_of_paged_regions_is_a_power_of_two(void **state)
{
	static const char *const wrong[] = { "0", "2K", "12K", "65537", "4M", "on", "" };

	(void)state;
	for (uint64_t page = LG_KIB(4); page <= LG_MIB(2); page *= 2) {
		assert_int_equal(set("paged_page:%" PRIu64, page), 0);
		assert_true(lg_option(paged_page) == page);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(set("paged_page:%s", wrong[i]), -EINVAL);
		assert_non_null(strstr(lg_error(), "option paged_page: '"));
		assert_non_null(strstr(lg_error(), wrong[i]));
		assert_non_null(strstr(lg_error(), "a power of two from 4K to 2M"));
		assert_true(lg_option(paged_page) == LG_MIB(2));
	}
}

static void policy_of_paged_regions_is_one_of_the_pagers_own(void **state)
{
	static const char *const wrong[] = { "", "lru", "Clock", "wiro", "clock s3fifo" };
	char text[LG_OPTION_VALUE_BYTES];

	(void)state;
	for (uint64_t policy = 0; policy < LG_POLICY_BUILTIN; policy++) {
		lg_option_value_text(LG_OPTION_POLICY, policy, text);
		assert_int_equal(set("paged_policy:%s", text), 0);
		assert_true(lg_option(paged_policy) == policy);
	}
	assert_int_equal(set("paged_policy:s3fifo"), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(set("paged_policy:%s", wrong[i]), -EINVAL);
		assert_non_null(strstr(lg_error(), "option paged_policy: '"));
		assert_non_null(strstr(lg_error(), wrong[i]));
		assert_non_null(strstr(lg_error(), "is not clock, s3fifo, fifo, "));
		lg_option_value_text(LG_OPTION_POLICY, lg_option(paged_policy), text);
		assert_string_equal(text, "s3fifo");
	}
}

static void sizes_take_units_of_1024(void **state)
{
	static const struct {
		const char *text;
		uint64_t bytes;
	} good[] = {
		{ "0", 0 },
		{ "1", 1 },
		{ "4096", 4096 },
		{ "3K", LG_KIB(3) },
		{ "3k", LG_KIB(3) },
		{ "5M", LG_MIB(5) },
		{ "5m", LG_MIB(5) },
		{ "7G", LG_GIB(7) },
		{ "7g", LG_GIB(7) },
		{ "1T", LG_TIB(1) },
		{ "1t", LG_TIB(1) },
		{ "0K", 0 },
		{ "007M", LG_MIB(7) },
	};
	static const char *const wrong[] = {
		"",
		"K",
		"-1",
		"+1",
		"1.5M",
		"0x10",
		"1KB",
		"1KK",
		"1 M",
		" 1M",
		"1M ",
		"1P",
		"1s",
		"1ms",
		"M1",
		"on",
		"1:2",
		"1M:",
		"18446744073709551616",
		"18446744073709551615T",
		"99999999999999999999999999",
	};

	(void)state;
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		assert_int_equal(set("cache_bytes:%s", good[i].text), 0);
		assert_true(lg_option(cache_bytes) == good[i].bytes);
	}
	assert_int_equal(set("cache_bytes:11M"), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(set("cache_bytes:%s", wrong[i]), -EINVAL);
		assert_true(lg_option(cache_bytes) == LG_MIB(11));
		assert_non_null(strstr(lg_error(), "cache_bytes"));
		assert_non_null(strstr(lg_error(), wrong[i]));
	}
}

static void times_need_a_unit_unless_zero(void **state)
{
	static const char *const wrong[] = { "",   "1",  "1m", "1M",  "1us",
					     "1h", "ms", "s",  "1 s", "1sec" };

	(void)state;
	assert_int_equal(set("second_decay:250ms"), 0);
	assert_true(lg_option(second_decay) == 250);
	assert_int_equal(set("second_decay:3s"), 0);
	assert_true(lg_option(second_decay) == 3000);
	assert_int_equal(set("second_decay:0"), 0);
	assert_true(lg_option(second_decay) == 0);
	assert_int_equal(set("second_decay:0s"), 0);
	assert_int_equal(set("interval:0"), -EINVAL); /* a worker that never rests */
	assert_int_equal(set("second_decay:7s"), 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(set("second_decay:%s", wrong[i]), -EINVAL);
		assert_true(lg_option(second_decay) == 7000);
	}
}

static void numbers_take_no_unit(void **state)
{
	(void)state;
	assert_int_equal(set("growth_dampener:12"), 0);
	assert_true(lg_option(growth_dampener) == 12);
	assert_int_equal(set("growth_dampener:1K"), -EINVAL);
	assert_int_equal(set("growth_dampener:1s"), -EINVAL);
	assert_int_equal(set("growth_dampener:"), -EINVAL);
	assert_true(lg_option(growth_dampener) == 12);
}

static void value_is_shown_as_it_may_be_given(void **state)
{
	static const struct {
		enum lg_option_type type;
		uint64_t value;
		const char *text;
	} shown[] = {
		{ LG_OPTION_SWITCH, 0, "off" },
		{ LG_OPTION_SWITCH, 1, "on" },
		{ LG_OPTION_BACKING, LG_BACKING_ANON, "anon" },
		{ LG_OPTION_NUMBER, 1000000, "1000000" },
		{ LG_OPTION_SIZE, 0, "0" },
		{ LG_OPTION_SIZE, 1023, "1023" },
		{ LG_OPTION_SIZE, LG_KIB(3), "3K" },
		{ LG_OPTION_SIZE, LG_KIB(1) + 1, "1025" },
		{ LG_OPTION_SIZE, LG_TIB(64), "64T" },
		{ LG_OPTION_SIZE, LG_TIB(1) << 20, "1048576T" },
		{ LG_OPTION_TIME, 0, "0" },
		{ LG_OPTION_TIME, 1, "1ms" },
		{ LG_OPTION_TIME, 1500, "1500ms" },
		{ LG_OPTION_TIME, LG_S(86400), "86400s" },
		{ LG_OPTION_SIZE, LG_AUTO, "automatic" },
	};
	char text[LG_OPTION_VALUE_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		lg_option_value_text(shown[i].type, shown[i].value, text);
		assert_string_equal(text, shown[i].text);
	}
	for (size_t i = 0; i < ROWS; i++) {
		if (rows[i].value == LG_AUTO)
			continue;
		lg_option_value_text(rows[i].type, rows[i].value, text);
		assert_int_equal(set("%s:%s", rows[i].name, text), 0);
		assert_true(value_of(&rows[i]) == rows[i].value);
	}
}

static void unknown_key_is_named(void **state)
{
	(void)state;
	assert_int_equal(set("cache_byte:1M"), -EINVAL);
	assert_non_null(strstr(lg_error(), "'cache_byte'"));
	assert_int_equal(set("cache_bytess:1M"), -EINVAL);
	assert_int_equal(set("Cache_bytes:1M"), -EINVAL);
	assert_int_equal(set(" cache_bytes:1M"), -EINVAL);
	assert_int_equal(set(":1M"), -EINVAL);
	assert_int_equal(set("metrics_file_version:1"), -EINVAL);
}

static void piece_without_value_is_refused(void **state)
{
	(void)state;
	assert_int_equal(set("background"), -EINVAL);
	assert_non_null(strstr(lg_error(), "background"));
	assert_int_equal(set("cache_bytes:1M,background"), -EINVAL);
	assert_true(lg_option(cache_bytes) == LG_MIB(64));
	assert_int_equal(set("cache_bytes=1M"), -EINVAL);
}

static void bad_piece_anywhere_changes_nothing(void **state)
{
	static const char good[] =
		"cache_bytes:1M,interval:9ms,background:off,dir:/d,metrics_file:/m";

	(void)state;
	assert_int_equal(set("%s,nonsense:1", good), -EINVAL);
	assert_memory_equal(&lg_options, &as_they_were, sizeof(lg_options));
	assert_int_equal(set("nonsense:1,%s", good), -EINVAL);
	assert_memory_equal(&lg_options, &as_they_were, sizeof(lg_options));
	assert_int_equal(set("%s,area_max:1K,%s", good, good), -EINVAL);
	assert_memory_equal(&lg_options, &as_they_were, sizeof(lg_options));
	assert_int_equal(set("%s", good), 0);
	assert_true(lg_option(cache_bytes) == LG_MIB(1));
	assert_true(lg_option(interval) == 9);
	assert_true(lg_option(background) == 0);
	assert_string_equal(lg_options.dir, "/d");
	assert_string_equal(lg_options.metrics_file, "/m");
}

static void empty_pieces_say_nothing(void **state)
{
	(void)state;
	assert_int_equal(set("%s", ""), 0);
	assert_int_equal(set(","), 0);
	assert_int_equal(set(",,,"), 0);
	assert_memory_equal(&lg_options, &as_they_were, sizeof(lg_options));
	assert_int_equal(set(",cache_bytes:2M,,interval:7ms,"), 0);
	assert_true(lg_option(cache_bytes) == LG_MIB(2));
	assert_true(lg_option(interval) == 7);
}

static void last_of_two_values_counts(void **state)
{
	(void)state;
	assert_int_equal(set("cache_bytes:1M,cache_bytes:2M"), 0);
	assert_true(lg_option(cache_bytes) == LG_MIB(2));
}

static void first_options_are_busy_after_the_start_and_live_ones_are_not(void **state)
{
	char text[256];

	(void)state;
	for (size_t i = 0; i < ROWS; i++) {
		const struct row *row = &rows[i];
		const char *other = row->type == LG_OPTION_BACKING ? "anon" :
				    row->type == LG_OPTION_FAULTS  ? "inline" :
				    row->type == LG_OPTION_POLICY  ? "lifo" :
				    row->type == LG_OPTION_SWITCH  ? (row->value ? "off" : "on") :
								     NULL;

		if (other != NULL)
			snprintf(text, sizeof(text), "%s:%s", row->name, other);
		else
			snprintf(text, sizeof(text), "%s:%" PRIu64 "%s", row->name, row->low,
				 unit_of(row));
		assert_int_equal(lg_option_parse(text, LG_OPTION_LIVE),
				 row->when != LG_OPTION_LIVE ? -EBUSY : 0);
		if (row->when != LG_OPTION_LIVE) {
			assert_true(value_of(row) == row->value);
			assert_non_null(strstr(lg_error(), row->name));
		} else {
			assert_true(value_of(row) != row->value || row->value == row->low);
		}
	}
	assert_int_equal(lg_option_parse("dir:/elsewhere", LG_OPTION_LIVE), -EBUSY);
	assert_string_equal(lg_options.dir, "");
	assert_int_equal(lg_option_parse("metrics_file:/elsewhere", LG_OPTION_LIVE), 0);
	restore(NULL);
	assert_int_equal(lg_option_parse("cache_bytes:1M,backing:anon", LG_OPTION_LIVE), -EBUSY);
	assert_memory_equal(&lg_options, &as_they_were, sizeof(lg_options));
}

static void paths_keep_colons_and_have_a_length(void **state)
{
	char path[5000];

	(void)state;
	assert_int_equal(set("dir:/a:b/c"), 0);
	assert_string_equal(lg_options.dir, "/a:b/c");
	assert_int_equal(set("dir:"), 0);
	assert_string_equal(lg_options.dir, "");
	memset(path, 'p', sizeof(path));
	path[sizeof(lg_options.dir) - 1] = '\0';
	assert_int_equal(set("dir:%s", path), 0);
	assert_string_equal(lg_options.dir, path);
	path[sizeof(lg_options.dir) - 1] = 'p';
	path[sizeof(lg_options.dir)] = '\0';
	assert_int_equal(set("dir:%s", path), -EINVAL);
	assert_int_equal(strlen(lg_options.dir), sizeof(lg_options.dir) - 1);
	assert_int_equal(set("metrics_file:%s", path), -EINVAL);
}

static void metrics_file_is_copied_whole_or_not_at_all(void **state)
{
	char path[64];

	(void)state;
	assert_false(lg_option_metrics_file(path, sizeof(path)));
	assert_int_equal(set("metrics_file:/var/tmp/%%p.prom"), 0);
	assert_int_equal(lg_load_relaxed(&lg_options.metrics_file_length),
			 strlen("/var/tmp/%p.prom"));
	assert_true(lg_option_metrics_file(path, sizeof(path)));
	assert_string_equal(path, "/var/tmp/%p.prom");
	assert_false(lg_option_metrics_file(path, 4));
	assert_int_equal(set("metrics_file:/b"), 0);
	assert_true(lg_option_metrics_file(path, sizeof(path)));
	assert_string_equal(path, "/b");
	assert_true(lg_option_metrics_file(path, 3));
	assert_int_equal(set("metrics_file:"), 0);
	assert_false(lg_option_metrics_file(path, sizeof(path)));
	assert_int_equal(lg_load_relaxed(&lg_options.metrics_file_length), 0);
	assert_int_equal(lg_load_relaxed(&lg_options.metrics_file_version) % 2, 0);
}

static void long_nonsense_is_cut_in_the_message(void **state)
{
	char text[5000];

	(void)state;
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	assert_int_equal(lg_option_parse(text, LG_OPTION_FIRST), -EINVAL);
	assert_in_range(strlen(lg_error()), 20, 255);
	text[2000] = ':';
	assert_int_equal(lg_option_parse(text, LG_OPTION_FIRST), -EINVAL);
	assert_int_equal(set("cache_bytes:%s", text), -EINVAL);
	assert_non_null(strstr(lg_error(), "cache_bytes"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup(name, restore)
	const struct CMUnitTest tests[] = {
		TEST(defaults_are_those_of_the_table),
		TEST(every_bound_is_allowed_and_nothing_beyond),
		TEST(switches_are_on_or_off_and_nothing_else),
		TEST(backing_is_file_anon_or_paged),
		TEST(page_of_paged_regions_is_a_power_of_two),
		TEST(policy_of_paged_regions_is_one_of_the_pagers_own),
		TEST(sizes_take_units_of_1024),
		TEST(times_need_a_unit_unless_zero),
		TEST(numbers_take_no_unit),
		TEST(value_is_shown_as_it_may_be_given),
		TEST(unknown_key_is_named),
		TEST(piece_without_value_is_refused),
		TEST(bad_piece_anywhere_changes_nothing),
		TEST(empty_pieces_say_nothing),
		TEST(last_of_two_values_counts),
		TEST(first_options_are_busy_after_the_start_and_live_ones_are_not),
		TEST(paths_keep_colons_and_have_a_length),
		TEST(metrics_file_is_copied_whole_or_not_at_all),
		TEST(long_nonsense_is_cut_in_the_message),
	};

	memcpy(&as_they_were, &lg_options, sizeof(as_they_were));
	return UNIT_RUN(tests);
}
