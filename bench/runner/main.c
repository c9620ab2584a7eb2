/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The runner: reads what is asked for, runs it, prints it. Status 1 if a workload failed, 2 for
 * usage.
 */
#include "runner/bar.h"
#include "runner/csv.h"
#include "runner/demo.h"
#include "runner/guard.h"
#include "runner/host.h"
#include "runner/load.h"
#include "runner/plot.h"
#include "runner/process.h"
#include "runner/report.h"
#include "runner/suite.h"
#include "runner/swap.h"
#include "runner/table.h"

#include <argp.h>
#include <stdlib.h>
#include <string.h>

enum {
	KEY_QUICK = 'q',
	KEY_REPEAT = 'r',
	KEY_LIST = 'l',
	KEY_CSV = 256,
	KEY_PLOT,
	KEY_REPORT,
	KEY_ONLY,
	KEY_ALLOCATORS,
	KEY_OPTIONS,
};

enum { REPEAT_FULL = 5, REPEAT_QUICK = 3 };

static const struct argp_option options[] = {
	{ "quick", KEY_QUICK, NULL, 0, "The main rows against jemalloc, in about a minute", 0 },
	{ "repeat", KEY_REPEAT, "N", 0,
	  "Runs of each cell, of which the median counts (5; quick: 3)", 0 },
	{ "only", KEY_ONLY, "NAME[,NAME]", 0,
	  "Only these rows or groups of rows (--list), as if they were arguments", 0 },
	{ "allocators", KEY_ALLOCATORS, "LIST", 0, "Only these, between commas (--list)", 0 },
	{ "options", KEY_OPTIONS, "KEY:VALUE,...", 0,
	  "More options for lgalloc, as in LGALLOC_CONF", 0 },
	{ "csv", KEY_CSV, "FILE", 0, "Write every value", 0 },
	{ "plot", KEY_PLOT, "DIR", 0, "Draw pictures (gnuplot)", 0 },
	{ "report", KEY_REPORT, "FILE", 0, "Write a Markdown page", 0 },
	{ "list", KEY_LIST, NULL, 0, "Print the rows and the allocators found, and run nothing",
	  0 },
	{ 0 },
};

struct arguments {
	const char *csv;
	const char *plot;
	const char *report;
	const char *allocators;
	bool list;
};

static struct suite suite;
static struct demo demo;

/* Rows may be named as arguments, by --only, or both. */
static void want(const char *names, struct argp_state *state)
{
	static char wanted[1024];
	const char *bad;

	if (!plan_only_is_known(names, &bad))
		argp_error(state, "%s: there is no such row (--list)", bad);
	size_t length = strlen(wanted);
	int more = snprintf(wanted + length, sizeof(wanted) - length, "%s%s", length > 0 ? "," : "",
			    names);
	if (more < 0 || (size_t)more >= sizeof(wanted) - length)
		argp_error(state, "%s: too many rows are named", names);
	suite.only = wanted;
}

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct arguments *arguments = state->input;
	const char *bad;
	char *end;

	switch (key) {
	case KEY_QUICK:
		suite.quick = true;
		return 0;
	case KEY_REPEAT:
		suite.repeat = (unsigned)strtoul(value, &end, 10);
		if (*end != '\0' || suite.repeat == 0 || suite.repeat > REPEATS_MAX)
			argp_error(state, "--repeat %s: 1 to %d", value, REPEATS_MAX);
		return 0;
	case KEY_ONLY:
		want(value, state);
		return 0;
	case KEY_ALLOCATORS:
		arguments->allocators = value;
		if (!allocator_want(value, &bad))
			argp_error(state, "--allocators %s: there is no such (--list)", bad);
		return 0;
	case KEY_OPTIONS:
		suite.options = value;
		return 0;
	case KEY_CSV:
		arguments->csv = value;
		return 0;
	case KEY_PLOT:
		arguments->plot = value;
		return 0;
	case KEY_REPORT:
		arguments->report = value;
		return 0;
	case KEY_LIST:
		arguments->list = true;
		return 0;
	case ARGP_KEY_ARG:
		want(value, state);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

static void list(void)
{
	printf("rows (%-6s = also with --quick)\n", "quick");
	printf("  %-20s %-6s %s\n", "demo", "quick",
	       "1 GiB under 256 MiB of memory, every byte verified");
	for (size_t row = 0; row < plan_count; row++)
		printf("  %-20s %-6s %s\n", plans[row].name,
		       plans[row].quick != NULL ? "quick" : "", plans[row].title);
	printf("groups:");
	for (size_t row = 0; row < plan_count; row++)
		if (row == 0 || strcmp(plans[row].group, plans[row - 1].group) != 0)
			printf(" %s", plans[row].group);
	printf("\nallocators\n");
	for (int lane = 0; lane < LANES; lane++)
		printf("  %-20s %s\n", allocators[lane].name,
		       allocators[lane].present ? allocators[lane].version : "not found");
}

static bool demo_wanted(void)
{
	if (suite.only != NULL)
		return strstr(suite.only, "demo") != NULL;
	return allocator_used(LANE_FILE);
}

static bool any_failed(void)
{
	for (int lane = 0; lane < LANES; lane++) {
		if (demo.outcomes[lane].state == OUTCOME_FAILED)
			return true;
		for (size_t row = 0; row < plan_count; row++)
			if (suite.outcomes[row][lane].state == OUTCOME_FAILED)
				return true;
	}
	return false;
}

static int written(const char *path, int error)
{
	if (error == 0)
		return 0;
	fprintf(stderr, "lgalloc-bench: %s: %s\n", path, strerror(-error));
	return 1;
}

static int write_files(const struct arguments *arguments, bool with_demo)
{
	int status = 0;

	if (arguments->csv != NULL)
		status |= written(arguments->csv, csv_write(arguments->csv, &suite));
	if (arguments->plot != NULL)
		status |= written(arguments->plot, plot_write(arguments->plot, &suite));
	if (arguments->report != NULL)
		status |= written(arguments->report, report_write(arguments->report, &suite,
								  with_demo ? &demo : NULL));
	return status;
}

static int end(int status)
{
	swap_remove();
	guard_end();
	return status;
}

static void print_row(const struct suite *measured, size_t row)
{
	table_row(stdout, measured, row, TABLE_TEXT);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "[NAME...]",
		.doc = "Measures lgalloc against other allocators on this machine, in this run."
		       "\vNAME is a row or a group of rows that --list prints; demo is one. "
		       "Without any, all rows are run.",
	};
	struct arguments arguments = { .csv = NULL };

	_Static_assert(PLANS_MAX >= 64, "there is room for every row");
	argp_err_exit_status = 2;
	argp_parse(&argp, argc, argv, 0, NULL, &arguments);
	if (suite.repeat == 0)
		suite.repeat = suite.quick ? REPEAT_QUICK : REPEAT_FULL;
	if (arguments.allocators == NULL)
		allocator_want_default(suite.quick);
	process_catch_signals();
	allocator_find();
	if (arguments.list) {
		list();
		return 0;
	}
	host_write(stdout, "");
	printf("one reading of the clock: %.0f ns, in every latency\n\n", allocator_clock_ns());
	fflush(stdout);

	bool with_demo = demo_wanted();
	if (with_demo)
		demo_run(&demo, &suite);
	load_begin();
	if (!process_interrupted())
		suite_run(&suite, print_row);
	load_end();
	if (process_interrupted()) {
		fprintf(stderr, "\nlgalloc-bench: interrupted\n");
		return end(130);
	}
	if (suite.only == NULL || strcmp(suite.only, "demo") != 0)
		bar_write(stdout, &suite, TABLE_TEXT);
	printf("\n");
	load_write(stdout, "");
	fflush(stdout);
	int status = write_files(&arguments, with_demo);
	return end(status != 0 || any_failed() ? 1 : 0);
}
