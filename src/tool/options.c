/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/option.h"
#include "tool/command.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>

static void print_row(const char *name, const char *type, const char *when, const char *value,
		      const char *range, const char *help)
{
	printf("%-16s %-6s %-5s %-9s %-19s %s\n", name, type, when, value, range, help);
}

static void print_option(const char *name, enum lg_option_type type, const char *when,
			 uint64_t value, uint64_t low, uint64_t high, const char *help)
{
	char is[LG_OPTION_VALUE_BYTES], range[LG_SETTING_RANGE_BYTES];

	lg_option_value_text(type, value, is);
	lg_option_range_text(type, low, high, range);
	print_row(name, lg_option_type_name(type), when, is, range, help);
}

static const char doc[] =
	"Lists the options of LGALLOC_CONF and lg_configure(3): KEY:VALUE, more after commas."
	"\vFIRST: only before the first region; AREA: while there is none; LIVE: at any time. "
	"Sizes take K, M, G and T, times ms and s. lgalloc(7) says more.";

int lg_command_options(int argc, char **argv)
{
	static const struct argp argp = { .doc = doc };
	static char name[] = "lgalloc options";

	argv[0] = name;
	argp_err_exit_status = LG_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, NULL);
	print_row("OPTION", "TYPE", "WHEN", "DEFAULT", "RANGE", "WHAT IT IS");
#define LG_PRINT(name, type, when, value, low, high, help)                                         \
	print_option(#name, LG_OPTION_##type, #when, value, low, high, help);
	LG_OPTIONS(LG_PRINT)
#undef LG_PRINT
#define LG_PRINT_TEXT(name, when, capacity, help)                                                  \
	print_row(#name, lg_option_type_name(LG_OPTION_TEXT), #when, "", "", help);
	LG_STRING_OPTIONS(LG_PRINT_TEXT)
#undef LG_PRINT_TEXT
	return lg_command_end("options");
}
