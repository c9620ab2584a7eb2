/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/option.h"

#include "base/error.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* clang-format off */
struct lg_options lg_options = {
#define LG_OPTION_VALUE(name, type, when, value, low, high, help) .name = (value),
	LG_OPTIONS(LG_OPTION_VALUE)
#undef LG_OPTION_VALUE
};

struct option {
	const char *name;
	enum lg_option_type type;
	enum lg_option_when when;
	uint64_t low;
	uint64_t high;
	_Atomic(uint64_t) *value; /* NULL: a string */
	char *text;
	size_t capacity;
};

static const struct option options[] = {
#define LG_OPTION_ROW(name, type, when, value, low, high, help) \
	{ #name, LG_OPTION_##type, LG_OPTION_##when, low, high, &lg_options.name, NULL, 0 },
	LG_OPTIONS(LG_OPTION_ROW)
#undef LG_OPTION_ROW
#define LG_STRING_ROW(name, when, capacity, help) \
	{ #name, LG_OPTION_TEXT, LG_OPTION_##when, 0, 0, NULL, lg_options.name, capacity },
	LG_STRING_OPTIONS(LG_STRING_ROW)
#undef LG_STRING_ROW
};
/* clang-format on */

enum { OPTIONS = sizeof(options) / sizeof(options[0]) };

/* A piece of the text: not terminated, so that nothing is copied before all of it is known good. */
struct piece {
	const char *start;
	size_t length;
};

static int length_of(struct piece piece)
{
	return (int)(piece.length < 80 ? piece.length : 80);
}

static bool is(struct piece piece, const char *word)
{
	return strlen(word) == piece.length && memcmp(piece.start, word, piece.length) == 0;
}

static bool parse_digits(struct piece *piece, uint64_t *number)
{
	size_t i = 0;

	*number = 0;
	for (; i < piece->length && piece->start[i] >= '0' && piece->start[i] <= '9'; i++) {
		uint64_t digit = (uint64_t)(piece->start[i] - '0');
		if (*number > (UINT64_MAX - digit) / 10)
			return false;
		*number = *number * 10 + digit;
	}
	piece->start += i;
	piece->length -= i;
	return i > 0;
}

/* The unit after the digits, as a factor; 0 if the type does not have it. */
static uint64_t unit_factor(enum lg_option_type type, struct piece unit)
{
	if (unit.length == 0)
		return type == LG_OPTION_TIME ? 0 : 1;
	if (type == LG_OPTION_TIME)
		return is(unit, "ms") ? 1 : is(unit, "s") ? 1000 : 0;
	if (type != LG_OPTION_SIZE || unit.length != 1)
		return 0;
	switch (unit.start[0]) {
	case 'K':
	case 'k':
		return LG_KIB(1);
	case 'M':
	case 'm':
		return LG_MIB(1);
	case 'G':
	case 'g':
		return LG_GIB(1);
	case 'T':
	case 't':
		return LG_TIB(1);
	default:
		return 0;
	}
}

static bool is_word(enum lg_option_type type)
{
	return type == LG_OPTION_SWITCH || type == LG_OPTION_BACKING;
}

static const char *const *words_of(enum lg_option_type type)
{
	static const char *const words[][2] = {
		[LG_OPTION_SWITCH] = { "off", "on" },
		[LG_OPTION_BACKING] = { [LG_BACKING_FILE] = "file", [LG_BACKING_ANON] = "anon" },
	};

	return words[type];
}

static bool parse_value(const struct option *option, struct piece text, uint64_t *value)
{
	if (is_word(option->type)) {
		for (*value = 0; *value < 2; ++*value)
			if (is(text, words_of(option->type)[*value]))
				return true;
		return false;
	}
	if (!parse_digits(&text, value))
		return false;
	if (text.length == 0 && *value == 0)
		return option->low == 0; /* 0 needs no unit */
	uint64_t factor = unit_factor(option->type, text);
	if (factor == 0 || *value > UINT64_MAX / factor)
		return false;
	*value *= factor;
	return *value >= option->low && *value <= option->high;
}

void lg_option_value_text(enum lg_option_type type, uint64_t value,
			  char text[LG_OPTION_VALUE_BYTES])
{
	static const char units[] = "\0KMGT";
	unsigned unit = 0;

	if (value == LG_AUTO) {
		snprintf(text, LG_OPTION_VALUE_BYTES, "automatic");
	} else if (is_word(type)) {
		snprintf(text, LG_OPTION_VALUE_BYTES, "%s", words_of(type)[value != 0]);
	} else if (type == LG_OPTION_TIME && value != 0) {
		bool whole = value % 1000 == 0;

		snprintf(text, LG_OPTION_VALUE_BYTES, "%" PRIu64 "%s", whole ? value / 1000 : value,
			 whole ? "s" : "ms");
	} else {
		for (; type == LG_OPTION_SIZE && value != 0 && value % 1024 == 0 && unit < 4;
		     unit++)
			value /= 1024;
		snprintf(text, LG_OPTION_VALUE_BYTES, "%" PRIu64 "%.1s", value, &units[unit]);
	}
}

const char *lg_option_type_name(enum lg_option_type type)
{
	static const char *const names[] = {
		[LG_OPTION_SWITCH] = "switch", [LG_OPTION_BACKING] = "word",
		[LG_OPTION_NUMBER] = "number", [LG_OPTION_SIZE] = "size",
		[LG_OPTION_TIME] = "time",     [LG_OPTION_TEXT] = "path",
	};

	return names[type];
}

static void describe_allowed(const struct option *option, char *text, size_t bytes)
{
	char low[LG_OPTION_VALUE_BYTES], high[LG_OPTION_VALUE_BYTES];

	if (option->type == LG_OPTION_TEXT) {
		snprintf(text, bytes, "a path of at most %zu bytes", option->capacity - 1);
		return;
	}
	lg_option_value_text(option->type, option->low, low);
	lg_option_value_text(option->type, option->high, high);
	if (is_word(option->type))
		snprintf(text, bytes, "%s or %s", low, high);
	else
		snprintf(text, bytes, "a %s from %s to %s", lg_option_type_name(option->type), low,
			 high);
}

static const struct option *find(struct piece key)
{
	for (size_t i = 0; i < OPTIONS; i++)
		if (is(key, options[i].name))
			return &options[i];
	return NULL;
}

static void set_text(const struct option *option, struct piece value)
{
	/* A seqlock: only metrics_file has concurrent readers, and they copy and look again. Release on
	 * each byte keeps it behind the odd version, acquire keeps the second look behind the bytes. */
	lg_own_add(&lg_options.metrics_file_version, 1);
	for (size_t i = 0; i < value.length; i++)
		__atomic_store_n(&option->text[i], value.start[i], __ATOMIC_RELEASE);
	__atomic_store_n(&option->text[value.length], '\0', __ATOMIC_RELEASE);
	if (option->text == lg_options.metrics_file)
		lg_store_relaxed(&lg_options.metrics_file_length, (uint32_t)value.length);
	lg_store_release(&lg_options.metrics_file_version,
			 lg_load_relaxed(&lg_options.metrics_file_version) + 1);
}

bool lg_option_metrics_file(char *path, size_t capacity)
{
	for (int attempt = 0; attempt < 100; attempt++) {
		uint32_t before = lg_load_acquire(&lg_options.metrics_file_version);
		size_t i = 0;

		do
			path[i] = __atomic_load_n(&lg_options.metrics_file[i], __ATOMIC_ACQUIRE);
		while (path[i] != '\0' && ++i < capacity);
		if (before % 2 == 0 && before == lg_load_relaxed(&lg_options.metrics_file_version))
			return i > 0 && i < capacity;
	}
	return false;
}

/* Checks one key:value, and sets it if `set`. */
static int handle(struct piece key, struct piece text, enum lg_option_when now, bool set)
{
	const struct option *option = find(key);
	uint64_t value = 0;
	char allowed[128];

	if (option == NULL)
		return lg_fail(EINVAL, "option '%.*s' is unknown; lgalloc(7) lists them",
			       length_of(key), key.start);
	bool good = option->type == LG_OPTION_TEXT ? text.length < option->capacity :
						     parse_value(option, text, &value);
	if (!good) {
		describe_allowed(option, allowed, sizeof(allowed));
		return lg_fail(EINVAL, "option %s: '%.*s' is not %s", option->name, length_of(text),
			       text.start, allowed);
	}
	if (option->when < now)
		return lg_fail(EBUSY, "option %s counts only %s", option->name,
			       option->when == LG_OPTION_FIRST ?
				       "before the first region" :
				       "while no region is there: free them all, then lg_trim()");
	if (!set)
		return 0;
	if (option->type == LG_OPTION_TEXT)
		set_text(option, text);
	else
		lg_store_relaxed(option->value, value);
	return 0;
}

int lg_option_walk(const char *text, lg_option_each *each, void *argument)
{
	while (*text != '\0') {
		size_t length = strcspn(text, ",");
		const char *colon = memchr(text, ':', length);

		if (length > 0) { /* an empty piece, as after a last comma, says nothing */
			if (colon == NULL)
				return lg_fail(EINVAL,
					       "option '%.*s' has no value: write key:value",
					       (int)(length < 80 ? length : 80), text);
			size_t key_length = (size_t)(colon - text);
			int error = each(argument, text, key_length, colon + 1,
					 length - key_length - 1);
			if (error != 0)
				return error;
		}
		text += length;
		if (*text == ',')
			text++;
	}
	return 0;
}

bool lg_option_value(enum lg_option_type type, uint64_t low, uint64_t high, const char *text,
		     size_t length, uint64_t *value)
{
	struct option option = { .type = type, .low = low, .high = high };

	return parse_value(&option, (struct piece){ text, length }, value);
}

struct walk {
	enum lg_option_when now;
	bool set;
};

static int handle_each(void *argument, const char *key, size_t key_length, const char *value,
		       size_t value_length)
{
	const struct walk *walk = argument;

	return handle((struct piece){ key, key_length }, (struct piece){ value, value_length },
		      walk->now, walk->set);
}

static int walk(const char *text, enum lg_option_when now, bool set)
{
	struct walk how = { now, set };

	return lg_option_walk(text, handle_each, &how);
}

int lg_option_check(const char *text, enum lg_option_when now)
{
	return walk(text, now, false);
}

int lg_option_parse(const char *text, enum lg_option_when now)
{
	int error = lg_option_check(text, now);

	return error != 0 ? error : walk(text, now, true);
}

enum lg_option_when lg_option_earliest(const char *text)
{
	enum lg_option_when earliest = LG_OPTION_LIVE;

	for (size_t length; *text != '\0'; text += length + (text[length] == ',')) {
		const struct option *option = find((struct piece){ text, strcspn(text, ":,") });

		length = strcspn(text, ",");
		if (option != NULL && option->when < earliest)
			earliest = option->when;
	}
	return earliest;
}

__attribute__((weak)) const char *lg_option_builtin(void)
{
	return "";
}
