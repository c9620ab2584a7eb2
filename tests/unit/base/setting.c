/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The parser on a small table; tests/unit/base/option.c has it on that of the process. */
#include "base/setting.h"

#include "base/error.h"
#include "unit/unit.h"

#include <errno.h>
#include <lgalloc/lgalloc.h>

struct things {
	uint64_t lamp;
	uint64_t colour;
	uint64_t tools;
	uint64_t count;
	uint64_t page;
	uint64_t wait;
	char name[8];
	char path[16];
};

static const char *const colours[] = { "red", "green", "blue", NULL };
static const char *const tools[] = { "saw", "axe", "pen", NULL };

#define AT(field) .offset = offsetof(struct things, field)

static const struct lg_setting rows[] = {
	{ .name = "lamp", .type = LG_SETTING_SWITCH, AT(lamp) },
	{ .name = "colour", .type = LG_SETTING_WORD, .words = colours, AT(colour) },
	{ .name = "tools", .type = LG_SETTING_SET, .words = tools, AT(tools) },
	{ .name = "count", .type = LG_SETTING_NUMBER, .low = 1, .high = 16, AT(count) },
	{ .name = "page", .type = LG_SETTING_POWER, .low = 4096, .high = LG_MIB(2), AT(page) },
	{ .name = "wait", .type = LG_SETTING_TIME, .high = LG_S(9), AT(wait) },
	{ .name = "name", .type = LG_SETTING_NAME, .capacity = 8, AT(name) },
	{ .name = "path", .type = LG_SETTING_PATH, .capacity = 16, AT(path) },
};

enum { ROWS = sizeof(rows) / sizeof(rows[0]) };

static const struct lg_settings table = { .rows = rows, .count = ROWS, .manual = "things(7)" };

static struct things things;

static int parse(const char *text)
{
	return lg_settings_parse(&table, text, &things);
}

static void claim_refused(const char *text, const char *words)
{
	struct things before = things;

	assert_int_equal(parse(text), -EINVAL);
	assert_non_null(strstr(lg_error(), words));
	assert_memory_equal(&before, &things, sizeof(things));
}

static void each_type_is_set_where_its_row_says(void **state)
{
	(void)state;
	assert_int_equal(parse("lamp:on,colour:blue,tools:pen+saw,count:3,page:64K,wait:2s"), 0);
	assert_int_equal(parse("name:plru,path:/a:b"), 0);
	assert_int_equal(things.lamp, 1);
	assert_int_equal(things.colour, 2);
	assert_int_equal(things.tools, 5);
	assert_int_equal(things.count, 3);
	assert_int_equal(things.page, 65536);
	assert_int_equal(things.wait, 2000);
	assert_string_equal(things.name, "plru");
	assert_string_equal(things.path, "/a:b");
}

static void refusal_names_key_value_and_what_is_allowed(void **state)
{
	(void)state;
	claim_refused("colour:grey", "option colour: 'grey' is not red, green or blue");
	claim_refused("lamp:1", "option lamp: '1' is not off or on");
	claim_refused("tools:saw+tea",
		      "option tools: 'saw+tea' is not saw, axe or pen, joined by +");
	claim_refused("count:17", "option count: '17' is not a number from 1 to 16");
	claim_refused("page:3M", "option page: '3M' is not a power of two from 4K to 2M");
	claim_refused("wait:10s", "option wait: '10s' is not a time from 0 to 9s");
	claim_refused("name:12345678", "option name: '12345678' is not a name of at most 7 bytes");
	claim_refused("path:/234567890123456", "is not a path of at most 15 bytes");
	claim_refused("colours:red", "option 'colours' is unknown; things(7) lists them");
	claim_refused("colour", "option 'colour' has no value: write key:value");
}

static void power_is_one_bit_within_bounds(void **state)
{
	static const char *const wrong[] = { "0", "1", "2K", "12K", "65535", "4M", "", "K", "64KB" };
	char text[32];

	(void)state;
	for (uint64_t page = 4096; page <= LG_MIB(2); page *= 2) {
		snprintf(text, sizeof(text), "page:%llu", (unsigned long long)page);
		assert_int_equal(parse(text), 0);
		assert_true(things.page == page);
	}
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), "page:%s", wrong[i]);
		claim_refused(text, "page");
	}
}

static void set_may_be_empty_and_is_joined_by_plus(void **state)
{
	static const char *const wrong[] = { "+", "saw+", "+saw", "saw++axe", "saw axe", "sawaxe" };
	char text[32];

	(void)state;
	assert_int_equal(parse("tools:saw+saw+axe"), 0);
	assert_int_equal(things.tools, 3);
	assert_int_equal(parse("tools:"), 0);
	assert_int_equal(things.tools, 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(text, sizeof(text), "tools:%s", wrong[i]);
		claim_refused(text, "joined by +");
	}
}

static void bad_piece_anywhere_changes_nothing(void **state)
{
	(void)state;
	assert_int_equal(parse("count:5"), 0);
	claim_refused("lamp:off,count:9,name:abc,page:1", "page");
	claim_refused("nonsense:1,count:9", "nonsense");
	assert_int_equal(things.count, 5);
}

static void values_are_shown_as_they_may_be_given(void **state)
{
	static const struct {
		unsigned row;
		uint64_t value;
		const char *text;
	} shown[] = { { 0, 1, "on" },        { 1, 2, "blue" },
		      { 2, 5, "saw+pen" },   { 2, 0, "" },
		      { 3, 7, "7" },         { 4, 65536, "64K" },
		      { 5, 1500, "1500ms" }, { 4, LG_AUTO, "automatic" } };
	char text[LG_SETTING_VALUE_BYTES];

	(void)state;
	for (size_t i = 0; i < sizeof(shown) / sizeof(shown[0]); i++) {
		lg_setting_value_text(&rows[shown[i].row], shown[i].value, text);
		assert_string_equal(text, shown[i].text);
	}
}

/* A table's own condition, and its own way to set. */
static unsigned sets;

static int allow_even(const struct lg_setting *row, uint64_t value, const void *context)
{
	assert_ptr_equal(context, &things);
	return value % 2 == 0 ? 0 : lg_fail(EBUSY, "%s is odd", row->name);
}

static void count_sets(const struct lg_setting *row, uint64_t value, struct lg_setting_piece text,
		       void *context)
{
	assert_ptr_equal(row, &rows[3]);
	assert_int_equal(value % 2, 0);
	assert_int_equal(text.length, 1);
	assert_ptr_equal(context, &things);
	sets++;
}

static void table_may_have_conditions_and_setters(void **state)
{
	struct lg_settings own = table;

	(void)state;
	own.allow = allow_even;
	own.set = count_sets;
	assert_int_equal(lg_settings_parse(&own, "count:2,count:3", &things), -EBUSY);
	assert_string_equal(lg_error(), "count is odd");
	assert_int_equal(sets, 0);
	assert_int_equal(lg_settings_parse(&own, "count:2,count:4", &things), 0);
	assert_int_equal(sets, 2);
	assert_int_equal(lg_settings_check(&own, "count:2", &things), 0);
	assert_int_equal(sets, 2);
}

static void no_message_shows_a_secret_or_what_follows_it(void **state)
{
	static const char *const texts[] = { "key:hunter2long", "key:a,hunter2", "key:a,hunter2:b",
					     "key:a,level:hunter2" };
	static const struct lg_setting hidden[] = {
		{ .name = "key", .type = LG_SETTING_NAME, .capacity = 8, .is_secret = true },
		{ .name = "level", .type = LG_SETTING_NUMBER, .high = 9 },
	};
	const struct lg_settings own = { .rows = hidden, .count = 2, .manual = "here" };

	(void)state;
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		assert_int_equal(lg_settings_check(&own, texts[i], NULL), -EINVAL);
		assert_null(strstr(lg_error(), "hunter2"));
	}
	assert_int_equal(lg_settings_check(&own, "level:hunter2,key:a", NULL), -EINVAL);
	assert_non_null(strstr(lg_error(), "hunter2"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_type_is_set_where_its_row_says),
		cmocka_unit_test(refusal_names_key_value_and_what_is_allowed),
		cmocka_unit_test(power_is_one_bit_within_bounds),
		cmocka_unit_test(set_may_be_empty_and_is_joined_by_plus),
		cmocka_unit_test(bad_piece_anywhere_changes_nothing),
		cmocka_unit_test(values_are_shown_as_they_may_be_given),
		cmocka_unit_test(table_may_have_conditions_and_setters),
		cmocka_unit_test(no_message_shows_a_secret_or_what_follows_it),
	};

	return UNIT_RUN(tests);
}
