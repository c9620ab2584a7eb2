/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/options.h"

#include "base/error.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { OFFSET_UNIT = 4096 };

static const char *const faults_words[] = {
	[LG_FAULTS_AUTO] = "auto", [LG_FAULTS_INLINE] = "inline", [LG_FAULTS_THREADS] = "threads", NULL
};
static const char *const reserve_words[] = {
	[LG_RESERVE_LAZY] = "lazy", [LG_RESERVE_ON] = "on", NULL
};
static const char *const without_words[] = { "move", "poison", "wp", NULL };

/* clang-format off */
static const struct lg_setting pager_rows[] = {
#define ROW(name_, type_, words_, value, low_, high_, help) \
	{ .name = #name_, .type = LG_SETTING_##type_, .words = words_, .low = low_, .high = high_, \
	  .offset = offsetof(struct lg_pager_options, name_) },
	LG_PAGER_OPTIONS(ROW)
#undef ROW
#define ROW(name_, type_, capacity_, value, help) \
	{ .name = #name_, .type = LG_SETTING_##type_, .capacity = capacity_, \
	  .offset = offsetof(struct lg_pager_options, name_) },
	LG_PAGER_STRINGS(ROW)
#undef ROW
};

static const struct lg_setting map_rows[] = {
#define ROW(name_, type_, words_, kinds, value, low_, high_, help) \
	{ .name = #name_, .type = LG_SETTING_##type_, .words = words_, .low = low_, .high = high_, \
	  .offset = offsetof(struct lg_map_options, name_) },
	LG_MAP_OPTIONS(ROW)
#undef ROW
	{ .name = "policy", .type = LG_SETTING_NAME, .capacity = LG_POLICY_NAME_BYTES,
	  .offset = offsetof(struct lg_map_options, policy) },
};

/* Of the same rows. */
static const unsigned map_kinds[] = {
#define KINDS(name, type, words, kinds, value, low, high, help) (kinds),
	LG_MAP_OPTIONS(KINDS)
#undef KINDS
	LG_MAP_ANY,
};

/* Of the same rows. */
static const char *const pager_helps[] = {
#define HELP(name, type, words, value, low, high, help) help,
	LG_PAGER_OPTIONS(HELP)
#undef HELP
#define HELP(name, type, capacity, value, help) help,
	LG_PAGER_STRINGS(HELP)
#undef HELP
};

static const char *const map_helps[] = {
#define HELP(name, type, words, kinds, value, low, high, help) help,
	LG_MAP_OPTIONS(HELP)
#undef HELP
	"which page leaves first; default the pager's",
};
/* clang-format on */

static const struct lg_settings pager_table = { .rows = pager_rows,
						.count = sizeof(pager_rows) / sizeof(pager_rows[0]),
						.manual = "lgalloc-pager(7)" };

int lg_pager_options_change(const char *text, struct lg_pager_options *options)
{
	return lg_settings_parse(&pager_table, text, options);
}

int lg_pager_options_parse(const char *text, struct lg_pager_options *options)
{
	int error = text != NULL ? lg_settings_check(&pager_table, text, options) : 0;

	if (error != 0)
		return error;
	*options = (struct lg_pager_options){
#define DEFAULT(name, type, words, value, low, high, help) .name = (value),
		LG_PAGER_OPTIONS(DEFAULT)
#undef DEFAULT
#define DEFAULT(name, type, capacity, value, help) .name = value,
			LG_PAGER_STRINGS(DEFAULT)
#undef DEFAULT
	};
	return text != NULL ? lg_settings_parse(&pager_table, text, options) : 0;
}

struct parse {
	struct lg_map_options options; /* first: the rows' offsets count from here */
	enum lg_map_kind kind;
};

static const char *name_of(enum lg_map_kind kind)
{
	return kind == LG_MAP_MEMORY ? "memory" : kind == LG_MAP_FILE ? "a file" : "a store";
}

static int allow(const struct lg_setting *row, uint64_t value, const void *context)
{
	const struct parse *parse = context;

	if ((map_kinds[row - map_rows] & parse->kind) == 0)
		return lg_fail(EINVAL, "option %s: a map of %s does not have it", row->name,
			       name_of(parse->kind));
	if (row->offset == offsetof(struct lg_map_options, offset) && value % OFFSET_UNIT != 0)
		return lg_fail(EINVAL, "option offset: '%llu' is not a multiple of %d",
			       (unsigned long long)value, OFFSET_UNIT);
	return 0;
}

int lg_map_options_parse(const char *text, const struct lg_pager_options *pager,
			 enum lg_map_kind kind, struct lg_map_options *options)
{
	static const struct lg_settings table = {
		.rows = map_rows,
		.count = sizeof(map_rows) / sizeof(map_rows[0]),
		.manual = "lgalloc-pager(7)",
		.allow = allow,
	};
	struct parse parse = { .kind = kind };
	int error;

	parse.options = (struct lg_map_options){
#define DEFAULT(name, type, words, kinds, value, low, high, help) .name = (value),
		LG_MAP_OPTIONS(DEFAULT)
#undef DEFAULT
	};
	memcpy(parse.options.policy, pager->policy, sizeof(parse.options.policy));
	error = text != NULL ? lg_settings_parse(&table, text, &parse) : 0;
	if (error == 0)
		*options = parse.options;
	return error;
}

/* --- listing ------------------------------------------------------------------------------------ */

/* Of what is in `options`, a struct of the row's table. */
static void describe(const struct lg_setting *row, const void *options, const char *help,
		     struct lg_option_about *about)
{
	const char *at = (const char *)options + row->offset;
	uint64_t value;

	about->row = row;
	about->help = help;
	if (row->capacity > 0) {
		snprintf(about->value, sizeof(about->value), "%s", at);
	} else {
		memcpy(&value, at, sizeof(value));
		lg_setting_value_text(row, value, about->value);
	}
}

bool lg_pager_option_at(size_t place, struct lg_option_about *about)
{
	struct lg_pager_options options;

	if (place >= sizeof(pager_rows) / sizeof(pager_rows[0]))
		return false;
	(void)lg_pager_options_parse(NULL, &options);
	describe(&pager_rows[place], &options, pager_helps[place], about);
	return true;
}

bool lg_map_option_at(size_t place, struct lg_option_about *about)
{
	struct lg_pager_options pager;
	struct lg_map_options options;

	if (place >= sizeof(map_rows) / sizeof(map_rows[0]))
		return false;
	(void)lg_pager_options_parse(NULL, &pager);
	(void)lg_map_options_parse(NULL, &pager, LG_MAP_MEMORY, &options);
	describe(&map_rows[place], &options, map_helps[place], about);
	return true;
}
