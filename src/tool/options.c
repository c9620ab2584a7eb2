/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/options.h"
#include "base/option.h"
#include "tool/command.h"

#include <argp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

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

static void print_process(void)
{
	print_row("OPTION", "TYPE", "WHEN", "DEFAULT", "RANGE", "WHAT IT IS");
#define LG_PRINT(name, type, when, value, low, high, help)                                         \
	print_option(#name, LG_OPTION_##type, #when, value, low, high, help);
	LG_OPTIONS(LG_PRINT)
#undef LG_PRINT
#define LG_PRINT_TEXT(name, when, capacity, help)                                                  \
	print_row(#name, lg_option_type_name(LG_OPTION_TEXT), #when, "", "", help);
	LG_STRING_OPTIONS(LG_PRINT_TEXT)
#undef LG_PRINT_TEXT
}

static void print_each(bool (*at)(size_t place, struct lg_option_about *about))
{
	static const char format[] = "%-10s %-12s %-9s %-24s %s\n";
	struct lg_option_about about;
	char range[LG_SETTING_RANGE_BYTES];

	printf(format, "OPTION", "TYPE", "DEFAULT", "RANGE", "WHAT IT IS");
	for (size_t place = 0; at(place, &about); place++) {
		range[0] = '\0';
		if (about.row->capacity == 0)
			lg_setting_range_text(about.row, range);
		printf(format, about.row->name, lg_setting_type_name(about.row->type), about.value,
		       range, about.help);
	}
}

static void print_pager(void)
{
	print_each(lg_pager_option_at);
}

static void print_map(void)
{
	print_each(lg_map_option_at);
}

static const struct list {
	const char *name;
	void (*print)(void);
} lists[] = {
	{ "process", print_process },
	{ "pager", print_pager },
	{ "map", print_map },
};

static error_t parse(int key, char *argument, struct argp_state *state)
{
	const struct list **list = state->input;

	if (key != ARGP_KEY_ARG)
		return ARGP_ERR_UNKNOWN;
	if (state->arg_num > 0)
		lg_usage_error("options", "one list at a time: process, pager or map");
	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++)
		if (strcmp(argument, lists[i].name) == 0) {
			*list = &lists[i];
			return 0;
		}
	lg_usage_error("options", "there is no list '%s'; there are process, pager and map",
		       argument);
}

static const char doc[] =
	"Lists options, KEY:VALUE, more after commas: of the process (LGALLOC_CONF, lg_configure(3); what is listed without a "
	"word), of a pager (LGALLOC_PAGER, lg_pager_new(3)) or of a map (lg_map_memory(3)).\v"
	"FIRST: only before the first region; AREA: while there is none; LIVE: at any time. "
	"Sizes take K, M, G and T, times ms and s. lgalloc(7) and lgalloc-pager(7) say more.";

int lg_command_options(int argc, char **argv)
{
	static const struct argp argp = { .parser = parse,
					  .args_doc = "[process|pager|map]",
					  .doc = doc };
	static char name[] = "lgalloc options";
	const struct list *list = &lists[0];

	argv[0] = name;
	argp_err_exit_status = LG_EXIT_USAGE;
	argp_parse(&argp, argc, argv, 0, NULL, &list);
	list->print();
	return lg_command_end("options");
}
