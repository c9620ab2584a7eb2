/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Prints the option table and the lists of fields, one line for each row, as the manual has to have
 * them. The manual check compiles and runs this, so what it compares with is the table itself.
 */
#include "base/option.h"

#include <ctype.h>
#include <inttypes.h>
#include <lgalloc/lgalloc.h>
#include <stdio.h>
#include <string.h>

static const char *size_text(uint64_t bytes, char text[static 32])
{
	static const char units[] = "\0KMGT";
	int unit = 0;

	while (bytes != 0 && bytes % 1024 == 0 && unit < 4) {
		bytes /= 1024;
		unit++;
	}
	snprintf(text, 32, "%" PRIu64 "%.1s", bytes, &units[unit]);
	return text;
}

static const char *time_text(uint64_t ms, char text[static 32])
{
	if (ms % 1000 == 0 && ms != 0)
		snprintf(text, 32, "%" PRIu64 "s", ms / 1000);
	else
		snprintf(text, 32, "%" PRIu64 "%s", ms, ms == 0 ? "" : "ms");
	return text;
}

static const char *value_text(const char *type, uint64_t value, char text[static 32])
{
	if (value == LG_AUTO)
		return "automatic";
	if (strcmp(type, "SWITCH") == 0)
		return value != 0 ? "on" : "off";
	if (strcmp(type, "BACKING") == 0)
		return value == LG_BACKING_FILE ? "file" : "anon";
	if (strcmp(type, "SIZE") == 0)
		return size_text(value, text);
	if (strcmp(type, "TIME") == 0)
		return time_text(value, text);
	snprintf(text, 32, "%" PRIu64, value);
	return text;
}

static const char *lower(const char *word, char text[static 32])
{
	size_t i = 0;

	for (; word[i] != '\0' && i < 31; i++)
		text[i] = (char)tolower((unsigned char)word[i]);
	text[i] = '\0';
	return text;
}

static void option(const char *name, const char *type, const char *when, uint64_t value,
		   uint64_t low, uint64_t high)
{
	char a[32], b[32], c[32], d[32], e[32];
	const char *join = strcmp(type, "SWITCH") == 0 || strcmp(type, "BACKING") == 0 ? "or" :
											 "to";

	printf("option %s %s, %s, default %s, %s %s %s\n", name,
	       strcmp(type, "BACKING") == 0 ? "word" : lower(type, d), lower(when, e),
	       value_text(type, value, a), value_text(type, low, b), join,
	       value_text(type, high, c));
}

int main(void)
{
	char when_text[32];

#define ROW(name, type, when, value, low, high, help) option(#name, #type, #when, value, low, high);
	LG_OPTIONS(ROW)
#define TEXT(name, when, capacity, help)                                                           \
	printf("option %s path, %s, at most %d bytes\n", #name, lower(#when, when_text),           \
	       (capacity)-1);
	LG_STRING_OPTIONS(TEXT)
#define FIELD(name, kind, help) printf("field %s %s\n", #name, help);
	LG_CLASS_FIELDS(FIELD)
	return 0;
}
