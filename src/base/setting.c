/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/setting.h"

#include "base/error.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { ALLOWED_BYTES = 160 };

static int length_of(struct lg_setting_piece piece)
{
	return (int)(piece.length < 80 ? piece.length : 80);
}

static bool is(struct lg_setting_piece piece, const char *word)
{
	return strlen(word) == piece.length && memcmp(piece.start, word, piece.length) == 0;
}

static bool is_text(const struct lg_setting *row)
{
	return row->type == LG_SETTING_NAME || row->type == LG_SETTING_PATH;
}

static bool is_size(const struct lg_setting *row)
{
	return row->type == LG_SETTING_SIZE || row->type == LG_SETTING_POWER;
}

static const char *const *words_of(const struct lg_setting *row)
{
	static const char *const off_on[] = { "off", "on", NULL };

	return row->type == LG_SETTING_SWITCH ? off_on : row->words;
}

static bool has_words(const struct lg_setting *row)
{
	return row->type == LG_SETTING_SWITCH || row->type == LG_SETTING_WORD ||
	       row->type == LG_SETTING_SET;
}

static bool parse_digits(struct lg_setting_piece *piece, uint64_t *number)
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
static uint64_t unit_factor(const struct lg_setting *row, struct lg_setting_piece unit)
{
	if (unit.length == 0)
		return row->type == LG_SETTING_TIME ? 0 : 1;
	if (row->type == LG_SETTING_TIME)
		return is(unit, "ms") ? 1 : is(unit, "s") ? 1000 : 0;
	if (!is_size(row) || unit.length != 1)
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

static bool parse_word(const struct lg_setting *row, struct lg_setting_piece text, uint64_t *value)
{
	const char *const *words = words_of(row);

	for (*value = 0; words[*value] != NULL; ++*value)
		if (is(text, words[*value]))
			return true;
	return false;
}

/* None of the words is the empty text. */
static bool parse_set(const struct lg_setting *row, struct lg_setting_piece text, uint64_t *value)
{
	*value = 0;
	while (text.length > 0) {
		const char *plus = memchr(text.start, '+', text.length);
		size_t length = plus != NULL ? (size_t)(plus - text.start) : text.length;
		uint64_t bit;

		if (!parse_word(row, (struct lg_setting_piece){ text.start, length }, &bit))
			return false;
		*value |= (uint64_t)1 << bit;
		if (plus == NULL)
			return true;
		text.start += length + 1;
		text.length -= length + 1;
		if (text.length == 0)
			return false; /* a word is missing behind the last + */
	}
	return true;
}

static bool parse_number(const struct lg_setting *row, struct lg_setting_piece text,
			 uint64_t *value)
{
	if (!parse_digits(&text, value))
		return false;
	if (text.length == 0 && *value == 0)
		return row->low == 0; /* 0 needs no unit */
	uint64_t factor = unit_factor(row, text);
	if (factor == 0 || *value > UINT64_MAX / factor)
		return false;
	*value *= factor;
	if (row->type == LG_SETTING_POWER && (*value & (*value - 1)) != 0)
		return false;
	return *value >= row->low && *value <= row->high;
}

static bool parse_value(const struct lg_setting *row, struct lg_setting_piece text, uint64_t *value)
{
	if (is_text(row))
		return text.length < row->capacity;
	if (row->type == LG_SETTING_SET)
		return parse_set(row, text, value);
	if (has_words(row))
		return parse_word(row, text, value);
	return parse_number(row, text, value);
}

static void set_text(const struct lg_setting *row, uint64_t value,
		     char text[LG_SETTING_VALUE_BYTES])
{
	const char *const *words = words_of(row);
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; words[i] != NULL && length < LG_SETTING_VALUE_BYTES; i++)
		if ((value >> i & 1) != 0)
			length += (size_t)snprintf(text + length, LG_SETTING_VALUE_BYTES - length,
						   "%s%s", length > 0 ? "+" : "", words[i]);
}

void lg_setting_value_text(const struct lg_setting *row, uint64_t value,
			   char text[LG_SETTING_VALUE_BYTES])
{
	static const char units[] = "\0KMGT";
	unsigned unit = 0;

	if (value == LG_AUTO) {
		snprintf(text, LG_SETTING_VALUE_BYTES, "automatic");
	} else if (row->type == LG_SETTING_SET) {
		set_text(row, value, text);
	} else if (has_words(row)) {
		snprintf(text, LG_SETTING_VALUE_BYTES, "%s", words_of(row)[value]);
	} else if (row->type == LG_SETTING_TIME && value != 0) {
		bool whole = value % 1000 == 0;

		snprintf(text, LG_SETTING_VALUE_BYTES, "%" PRIu64 "%s",
			 whole ? value / 1000 : value, whole ? "s" : "ms");
	} else {
		for (; is_size(row) && value != 0 && value % 1024 == 0 && unit < 4; unit++)
			value /= 1024;
		snprintf(text, LG_SETTING_VALUE_BYTES, "%" PRIu64 "%.1s", value, &units[unit]);
	}
}

const char *lg_setting_type_name(enum lg_setting_type type)
{
	static const char *const names[] = {
		[LG_SETTING_SWITCH] = "switch", [LG_SETTING_WORD] = "word",
		[LG_SETTING_SET] = "words",     [LG_SETTING_NUMBER] = "number",
		[LG_SETTING_SIZE] = "size",     [LG_SETTING_POWER] = "power of two",
		[LG_SETTING_TIME] = "time",     [LG_SETTING_NAME] = "name",
		[LG_SETTING_PATH] = "path",
	};

	return names[type];
}

/* "off or on", "auto, inline or threads". */
static void list_words(const char *const *words, char text[ALLOWED_BYTES])
{
	size_t length = 0;

	text[0] = '\0';
	for (size_t i = 0; words[i] != NULL && length < ALLOWED_BYTES; i++) {
		const char *between = i == 0 ? "" : words[i + 1] == NULL ? " or " : ", ";

		length += (size_t)snprintf(text + length, ALLOWED_BYTES - length, "%s%s", between,
					   words[i]);
	}
}

void lg_setting_range_text(const struct lg_setting *row, char text[LG_SETTING_RANGE_BYTES])
{
	char low[LG_SETTING_VALUE_BYTES], high[LG_SETTING_VALUE_BYTES];

	if (has_words(row)) {
		list_words(words_of(row), text);
		return;
	}
	lg_setting_value_text(row, row->low, low);
	lg_setting_value_text(row, row->high, high);
	snprintf(text, LG_SETTING_RANGE_BYTES, "%s to %s", low, high);
}

static void describe_allowed(const struct lg_setting *row, char text[ALLOWED_BYTES])
{
	char low[LG_SETTING_VALUE_BYTES], high[LG_SETTING_VALUE_BYTES];
	const char *type = lg_setting_type_name(row->type);

	if (is_text(row)) {
		snprintf(text, ALLOWED_BYTES, "a %s of at most %zu bytes", type, row->capacity - 1);
	} else if (has_words(row)) {
		list_words(words_of(row), text);
		if (row->type == LG_SETTING_SET)
			strncat(text, ", joined by +", ALLOWED_BYTES - strlen(text) - 1);
	} else {
		lg_setting_value_text(row, row->low, low);
		lg_setting_value_text(row, row->high, high);
		snprintf(text, ALLOWED_BYTES, "a %s from %s to %s", type, low, high);
	}
}

const struct lg_setting *lg_settings_find(const struct lg_settings *table,
					  struct lg_setting_piece name)
{
	for (size_t i = 0; i < table->count; i++)
		if (is(name, table->rows[i].name))
			return &table->rows[i];
	return NULL;
}

static void set_plainly(const struct lg_setting *row, uint64_t value, struct lg_setting_piece text,
			void *context)
{
	char *at = (char *)context + row->offset;

	if (is_text(row)) {
		memcpy(at, text.start, text.length);
		at[text.length] = '\0';
	} else {
		memcpy(at, &value, sizeof(value));
	}
}

/* A secret that has a comma ends there, and what is behind is part of it. */
static int refuse_hidden(const struct lg_settings *table)
{
	return lg_fail(EINVAL,
		       "something unknown follows a secret, which can have no comma; "
		       "%s lists the options",
		       table->manual);
}

/* Checks one key:value, and sets it if `into` is there. */
static int handle(const struct lg_settings *table, struct lg_setting_piece key,
		  struct lg_setting_piece text, const void *context, void *into, bool *hides)
{
	const struct lg_setting *row = lg_settings_find(table, key);
	uint64_t value = 0;
	char allowed[ALLOWED_BYTES];
	int error;

	if (row == NULL && *hides)
		return refuse_hidden(table);
	if (row == NULL)
		return lg_fail(EINVAL, "option '%.*s' is unknown; %s lists them", length_of(key),
			       key.start, table->manual);
	*hides = *hides || row->is_secret;
	if (!parse_value(row, text, &value)) {
		describe_allowed(row, allowed);
		if (*hides)
			return lg_fail(EINVAL, "option %s: its value is not %s", row->name,
				       allowed);
		return lg_fail(EINVAL, "option %s: '%.*s' is not %s", row->name, length_of(text),
			       text.start, allowed);
	}
	error = table->allow != NULL ? table->allow(row, value, context) : 0;
	if (error != 0 || into == NULL)
		return error;
	(table->set != NULL ? table->set : set_plainly)(row, value, text, into);
	return 0;
}

static int walk(const struct lg_settings *table, const char *text, const void *context, void *into)
{
	bool hides = false;

	while (*text != '\0') {
		size_t length = strcspn(text, ",");
		const char *colon = memchr(text, ':', length);

		if (length > 0) { /* an empty piece, as after a last comma, says nothing */
			if (colon == NULL && hides)
				return refuse_hidden(table);
			if (colon == NULL)
				return lg_fail(EINVAL,
					       "option '%.*s' has no value: write key:value",
					       (int)(length < 80 ? length : 80), text);
			struct lg_setting_piece key = { text, (size_t)(colon - text) };
			struct lg_setting_piece value = { colon + 1, length - key.length - 1 };
			int error = handle(table, key, value, context, into, &hides);
			if (error != 0)
				return error;
		}
		text += length;
		if (*text == ',')
			text++;
	}
	return 0;
}

int lg_settings_check(const struct lg_settings *table, const char *text, const void *context)
{
	return walk(table, text, context, NULL);
}

int lg_settings_parse(const struct lg_settings *table, const char *text, void *context)
{
	int error = lg_settings_check(table, text, context);

	return error != 0 ? error : walk(table, text, context, context);
}
