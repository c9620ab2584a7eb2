/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "base/option.h"
#include "tool/command.h"

#include <argp.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { SWITCH, BACKING, NUMBER, SIZE, TIME };

static const char *const kinds[] = { "switch", "backing", "number", "size", "time" };

/* As it may be given. */
static void print_value(char *text, size_t bytes, int type, uint64_t value)
{
	static const char units[] = "KMGT";
	unsigned unit = 0;

	if (value == LG_AUTO)
		snprintf(text, bytes, "auto");
	else if (type == SWITCH)
		snprintf(text, bytes, "%s", value != 0 ? "on" : "off");
	else if (type == BACKING)
		snprintf(text, bytes, "%s", value == LG_BACKING_ANON ? "anon" : "file");
	else if (type == TIME && value % 1000 == 0)
		snprintf(text, bytes, "%" PRIu64 "s", value / 1000);
	else if (type == TIME)
		snprintf(text, bytes, "%" PRIu64 "ms", value);
	else if (type == SIZE && value != 0 && value % 1024 == 0) {
		for (; value % 1024 == 0 && unit < 4; value /= 1024)
			unit++;
		snprintf(text, bytes, "%" PRIu64 "%c", value, units[unit - 1]);
	} else
		snprintf(text, bytes, "%" PRIu64, value);
}

static void print_option(const char *name, int type, const char *when, uint64_t value, uint64_t low,
			 uint64_t high, const char *help)
{
	char is[32], from[32], to[32], range[80] = "";

	print_value(is, sizeof(is), type, value);
	print_value(from, sizeof(from), type, low);
	print_value(to, sizeof(to), type, high);
	if (type == SWITCH || type == BACKING)
		snprintf(range, sizeof(range), "%s, %s", from, to);
	else
		snprintf(range, sizeof(range), "%s to %s", from, to);
	printf("%-16s %-8s %-6s %-8s %-16s %s\n", name, kinds[type], when, is, range, help);
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
	printf("%-16s %-8s %-6s %-8s %-16s %s\n", "OPTION", "TYPE", "WHEN", "DEFAULT", "RANGE", "");
#define LG_PRINT(name, type, when, value, low, high, help)                                         \
	print_option(#name, type, #when, value, low, high, help);
	LG_OPTIONS(LG_PRINT)
#undef LG_PRINT
#define LG_PRINT_TEXT(name, when, capacity, help)                                                  \
	printf("%-16s %-8s %-6s %-8s %-16s %s\n", #name, "path", #when, "", "", help);
	LG_STRING_OPTIONS(LG_PRINT_TEXT)
#undef LG_PRINT_TEXT
	return fflush(stdout) == 0 ? EXIT_SUCCESS : LG_EXIT_FAILURE;
}
