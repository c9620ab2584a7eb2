/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Prints the option table and the lists of fields, one line for each row, as the manual has to have
 * them. The manual check compiles and runs this, so what it compares with is the table itself.
 */
#include "base/option.h"

#include <ctype.h>
#include <lgalloc/lgalloc.h>
#include <stdio.h>

static const char *lower(const char *word, char text[static 32])
{
	size_t i = 0;

	for (; word[i] != '\0' && i < 31; i++)
		text[i] = (char)tolower((unsigned char)word[i]);
	text[i] = '\0';
	return text;
}

static void option(const char *name, enum lg_option_type type, const char *when, uint64_t value,
		   uint64_t low, uint64_t high)
{
	char is[LG_OPTION_VALUE_BYTES], range[LG_SETTING_RANGE_BYTES];
	char when_text[32];

	lg_option_value_text(type, value, is);
	lg_option_range_text(type, low, high, range);
	printf("option %s %s, %s, default %s, %s\n", name, lg_option_type_name(type),
	       lower(when, when_text), is, range);
}

int main(void)
{
	char when_text[32];

#define ROW(name, type, when, value, low, high, help)                                              \
	option(#name, LG_OPTION_##type, #when, value, low, high);
	LG_OPTIONS(ROW)
#define TEXT(name, when, capacity, help)                                                           \
	printf("option %s %s, %s, at most %d bytes\n", #name, lg_option_type_name(LG_OPTION_TEXT), \
	       lower(#when, when_text), (capacity)-1);
	LG_STRING_OPTIONS(TEXT)
#define FIELD(name, kind, help) printf("field %s %s\n", #name, help);
	LG_CLASS_FIELDS(FIELD)
	return 0;
}
