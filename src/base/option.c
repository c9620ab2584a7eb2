/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/option.h"

#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const backing_words[] = {
	[LG_BACKING_FILE] = "file", [LG_BACKING_ANON] = "anon", [LG_BACKING_PAGED] = "paged", NULL
};
static const char *const faults_words[] = {
	[LG_PAGED_THREADS] = "threads", [LG_PAGED_INLINE] = "inline", NULL
};
#define LG_POLICY_WORD(name) #name,
static const char *const policy_words[] = { LG_POLICIES(LG_POLICY_WORD) NULL };
#undef LG_POLICY_WORD

/* clang-format off */
struct lg_options lg_options = {
#define LG_OPTION_VALUE(name, type, when, value, low, high, help) .name = (value),
	LG_OPTIONS(LG_OPTION_VALUE)
#undef LG_OPTION_VALUE
};

/* What the table of settings calls them. */
#define LG_SETTING_BACKING LG_SETTING_WORD, .words = backing_words
#define LG_SETTING_FAULTS LG_SETTING_WORD, .words = faults_words
#define LG_SETTING_POLICY LG_SETTING_WORD, .words = policy_words

static const struct lg_setting rows[] = {
#define LG_OPTION_ROW(name_, type_, when, value, low_, high_, help) \
	{ .name = #name_, .type = LG_SETTING_##type_, .low = low_, .high = high_, \
	  .offset = offsetof(struct lg_options, name_) },
	LG_OPTIONS(LG_OPTION_ROW)
#undef LG_OPTION_ROW
#define LG_STRING_ROW(name_, when, capacity_, help) \
	{ .name = #name_, .type = LG_SETTING_PATH, .capacity = capacity_, \
	  .offset = offsetof(struct lg_options, name_) },
	LG_STRING_OPTIONS(LG_STRING_ROW)
#undef LG_STRING_ROW
};

/* Of the same rows. */
static const enum lg_option_when whens[] = {
#define LG_OPTION_WHEN(name, type, when, value, low, high, help) LG_OPTION_##when,
	LG_OPTIONS(LG_OPTION_WHEN)
#undef LG_OPTION_WHEN
#define LG_STRING_WHEN(name, when, capacity, help) LG_OPTION_##when,
	LG_STRING_OPTIONS(LG_STRING_WHEN)
#undef LG_STRING_WHEN
};
/* clang-format on */

/* What parsing is told: when it is, and what is set. */
struct parse {
	enum lg_option_when now;
	struct lg_options *options;
};

static int allow(const struct lg_setting *row, uint64_t value, const void *context)
{
	const struct parse *parse = context;
	enum lg_option_when when = whens[row - rows];

	(void)value;
	if (when >= parse->now)
		return 0;
	return lg_fail(EBUSY, "option %s counts only %s", row->name,
		       when == LG_OPTION_FIRST ?
			       "before the first region" :
			       "while no region is there: free them all, then lg_trim()");
}

static void set_text(struct lg_options *options, char *at, struct lg_setting_piece value)
{
	/* A seqlock, of both strings: readers copy and look again. Release on each byte keeps it behind
	 * the odd version, acquire keeps the second look behind the bytes. */
	lg_own_add(&options->metrics_file_version, 1);
	for (size_t i = 0; i < value.length; i++)
		__atomic_store_n(&at[i], value.start[i], __ATOMIC_RELEASE);
	__atomic_store_n(&at[value.length], '\0', __ATOMIC_RELEASE);
	if (at == options->metrics_file)
		lg_store_relaxed(&options->metrics_file_length, (uint32_t)value.length);
	lg_store_release(&options->metrics_file_version,
			 lg_load_relaxed(&options->metrics_file_version) + 1);
}

static void set(const struct lg_setting *row, uint64_t value, struct lg_setting_piece text,
		void *context)
{
	struct lg_options *options = ((struct parse *)context)->options;
	char *at = (char *)options + row->offset;

	if (row->type == LG_SETTING_PATH)
		set_text(options, at, text);
	else
		lg_store_relaxed((_Atomic(uint64_t) *)(void *)at, value);
}

static const struct lg_settings table = { .rows = rows,
					  .count = sizeof(rows) / sizeof(rows[0]),
					  .manual = "lgalloc(7)",
					  .allow = allow,
					  .set = set };

int lg_option_check(const char *text, enum lg_option_when now)
{
	const struct parse parse = { now, NULL };

	return lg_settings_check(&table, text, &parse);
}

int lg_option_parse(const char *text, enum lg_option_when now)
{
	struct parse parse = { now, &lg_options };

	return lg_settings_parse(&table, text, &parse);
}

enum lg_option_when lg_option_earliest(const char *text)
{
	enum lg_option_when earliest = LG_OPTION_LIVE;

	for (size_t length; *text != '\0'; text += length + (text[length] == ',')) {
		const struct lg_setting *row = lg_settings_find(
			&table, (struct lg_setting_piece){ text, strcspn(text, ":,") });

		length = strcspn(text, ",");
		if (row != NULL && whens[row - rows] < earliest)
			earliest = whens[row - rows];
	}
	return earliest;
}

static struct lg_setting setting_of(enum lg_option_type type)
{
	static const struct lg_setting settings[] = {
		[LG_OPTION_SWITCH] = { .type = LG_SETTING_SWITCH },
		[LG_OPTION_BACKING] = { .type = LG_SETTING_BACKING },
		[LG_OPTION_FAULTS] = { .type = LG_SETTING_FAULTS },
		[LG_OPTION_POLICY] = { .type = LG_SETTING_POLICY },
		[LG_OPTION_NUMBER] = { .type = LG_SETTING_NUMBER },
		[LG_OPTION_SIZE] = { .type = LG_SETTING_SIZE },
		[LG_OPTION_POWER] = { .type = LG_SETTING_POWER },
		[LG_OPTION_TIME] = { .type = LG_SETTING_TIME },
		[LG_OPTION_TEXT] = { .type = LG_SETTING_PATH },
	};

	return settings[type];
}

void lg_option_range_text(enum lg_option_type type, uint64_t low, uint64_t high,
			  char text[LG_SETTING_RANGE_BYTES])
{
	struct lg_setting setting = setting_of(type);

	setting.low = low;
	setting.high = high;
	lg_setting_range_text(&setting, text);
}

void lg_option_value_text(enum lg_option_type type, uint64_t value,
			  char text[LG_OPTION_VALUE_BYTES])
{
	struct lg_setting row = setting_of(type);

	lg_setting_value_text(&row, value, text);
}

const char *lg_option_type_name(enum lg_option_type type)
{
	return lg_setting_type_name(type == LG_OPTION_POWER ? LG_SETTING_SIZE :
							      setting_of(type).type);
}

/* False: it is empty, longer than that, or changes all the time. */
static bool copy_text(const char *text, char *path, size_t capacity)
{
	for (int attempt = 0; attempt < 100; attempt++) {
		uint32_t before = lg_load_acquire(&lg_options.metrics_file_version);
		size_t i = 0;

		do
			path[i] = __atomic_load_n(&text[i], __ATOMIC_ACQUIRE);
		while (path[i] != '\0' && ++i < capacity);
		if (before % 2 == 0 && before == lg_load_relaxed(&lg_options.metrics_file_version))
			return i > 0 && i < capacity;
	}
	return false;
}

bool lg_option_metrics_file(char *path, size_t capacity)
{
	return copy_text(lg_options.metrics_file, path, capacity);
}

static const char *default_dir(void)
{
	const char *temporary = secure_getenv("TMPDIR");

	return temporary != NULL && temporary[0] != '\0' ? temporary : "/var/tmp";
}

const char *lg_option_dir(void)
{
	return lg_options.dir[0] != '\0' ? lg_options.dir : default_dir();
}

void lg_option_dir_copy(char path[LG_OPTION_DIR_BYTES])
{
	if (!copy_text(lg_options.dir, path, LG_OPTION_DIR_BYTES))
		snprintf(path, LG_OPTION_DIR_BYTES, "%s", default_dir());
}

__attribute__((weak)) const char *lg_option_builtin(void)
{
	return "";
}
