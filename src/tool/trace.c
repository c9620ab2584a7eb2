/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* lgalloc trace: record what a program's pagers do, look at it, replay it with other policies and budgets. */
#include "base/error.h"
#include "tool/action.h"
#include "tool/command.h"
#include "tool/figure.h"
#include "tool/process.h"
#include "tool/replay.h"

#include <argp.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* --- record ------------------------------------------------------------------------------------- */

struct record_wishes {
	const char *output;
	char **program;
};

static const struct argp_option record_options[] = {
	{ "output", 'o', "FILE", 0, "Where to, with %p for the process id (lgalloc.%p.trace)", 0 },
	{ 0 },
};

static error_t parse_record(int key, char *argument, struct argp_state *state)
{
	struct record_wishes *wishes = state->input;

	switch (key) {
	case 'o':
		if (argument[0] == '\0')
			argp_error(state, "--output: the name of a file is empty");
		wishes->output = argument;
		return 0;
	case ARGP_KEY_ARGS:
		wishes->program = state->argv + state->next;
		state->next = state->argc;
		return 0;
	case ARGP_KEY_NO_ARGS:
		argp_error(state, "which program?");
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* The program may change its directory before it has a pager. */
static void set_output(const char *output)
{
	char directory[PATH_MAX], path[2 * PATH_MAX] = "";

	if (output[0] != '/' && getcwd(directory, sizeof(directory)) == NULL)
		lg_command_fail("trace record", "the current directory: %s", strerror(errno));
	/* %p in the directory's own name would be taken for the process id as well. */
	if (output[0] != '/' && strstr(directory, "%p") != NULL)
		lg_command_fail("trace record",
				"'%s': its name has %%p in it; name the file from the root",
				directory);
	int length = snprintf(path, sizeof(path), "%s%s%s", output[0] == '/' ? "" : directory,
			      output[0] == '/' ? "" : "/", output);
	if (length >= PATH_MAX)
		lg_command_fail("trace record", "'%.80s': the path is too long", output);
	if (setenv(LG_TRACE_ENVIRONMENT, path, 1) != 0)
		lg_command_fail("trace record", "%s cannot be set: %s", LG_TRACE_ENVIRONMENT,
				strerror(errno));
}

static int record(int argc, char **argv)
{
	static const struct argp argp = {
		.options = record_options,
		.parser = parse_record,
		.args_doc = "[--] PROGRAM [ARGUMENT...]",
		.doc = "Runs PROGRAM so that each of its pagers writes a trace of its faults."
		       "\vThe second pager of a process has .2 behind its file's name, and so on. A small "
		       "budget lets a trace see more: uses of mapped pages are no faults.",
	};
	struct record_wishes wishes = { .output = "lgalloc.%p.trace" };

	argp_parse(&argp, argc, argv, ARGP_IN_ORDER, NULL, &wishes);
	set_output(wishes.output);
	execvp(wishes.program[0], wishes.program);
	lg_command_fail("trace record", "'%s' cannot be started: %s", wishes.program[0],
			strerror(errno));
}

/* --- info --------------------------------------------------------------------------------------- */

static error_t parse_info(int key, char *argument, struct argp_state *state)
{
	return lg_action_take_file(key, argument, state, "trace", state->input);
}

static void print_maps(const struct lg_history *history)
{
	char size[LG_FIGURE_BYTES], all[LG_FIGURE_BYTES], count[LG_FIGURE_BYTES];

	printf("%6s %6s %10s %8s %10s %10s\n", "MAP", "PAGE", "PAGES", "BYTES", "USES",
	       "EVICTIONS");
	for (uint32_t i = 0; i < history->map_numbers.count; i++) {
		const struct lg_history_map *map = &history->maps[i];

		printf("%6" PRIu32 " %6s %10" PRIu64 " %8s", map->map,
		       lg_figure_bytes((double)((uint64_t)1 << map->shift), size), map->pages,
		       lg_figure_bytes(ldexp((double)map->pages, (int)map->shift), all));
		printf(" %10s", lg_figure_count(map->uses, 10, count));
		printf(" %10s\n", lg_figure_count(map->evictions, 10, count));
	}
}

static void print_header(const struct lg_recording *recording)
{
	const struct lg_trace_header *header = &recording->header;
	time_t began = (time_t)(header->began_unix_ms / 1000);
	char when[64] = "at some time", budget[LG_FIGURE_BYTES], page[LG_FIGURE_BYTES];
	char policy[sizeof(header->policy)];
	struct tm calendar;

	if (localtime_r(&began, &calendar) != NULL)
		strftime(when, sizeof(when), "%F %T", &calendar);
	memcpy(policy, header->policy, sizeof(policy));
	lg_process_make_printable(policy);
	printf("process %" PRIu32 ", begun %s, %.3f s; %s\n", header->process, when,
	       (double)recording->last_ns / 1e9,
	       recording->is_whole ? "whole" :
				     "CUT OFF: its program was killed or its disk is full");
	printf("memory:%s,page:%s,policy:%s\n", lg_figure_bytes((double)header->budget, budget),
	       lg_figure_bytes((double)header->page_bytes, page), policy);
}

static int info(int argc, char **argv)
{
	static const struct argp argp = {
		.parser = parse_info,
		.args_doc = "FILE",
		.doc = "Shows what a trace is of, and how much of what is in it.",
	};
	const char *file = NULL;
	struct lg_history history;

	argp_parse(&argp, argc, argv, 0, NULL, &file);
	if (lg_history_read(file, LG_HISTORY_ALL, &history) != 0)
		lg_command_fail("trace info", "'%s': %s", file, lg_error());
	print_header(&history.recording);
	printf("%" PRIu64 " records of %" PRIu32 " thread%s\n", history.recording.records,
	       history.threads.count, history.threads.count == 1 ? "" : "s");
	for (int kind = LG_TRACE_READ; kind < LG_TRACE_END; kind++)
		if (history.recording.kinds[kind] > 0)
			printf("  %-12s %12" PRIu64 "  %s\n",
			       lg_recording_kind_name((enum lg_trace_kind)kind),
			       history.recording.kinds[kind],
			       lg_recording_kind_text((enum lg_trace_kind)kind));
	print_maps(&history);
	lg_history_end(&history);
	return lg_command_end("trace info");
}

/* --- replay ------------------------------------------------------------------------------------- */

struct replay_wishes {
	const char *file;
	const char *plot;
	const char *budgets;
	const char *ratios;
	uint64_t map;
	bool csv;
	unsigned policy_count;
	struct lg_policy policies[LG_REPLAY_POLICIES];
};

enum { KEY_MAP = 256, KEY_CSV, KEY_PLOT, KEY_RATIO };

static const struct argp_option replay_options[] = {
	{ "policy", 'p', "NAME,...", 0, "Only these; the first is what others are compared with",
	  0 },
	{ "budget", 'b', "SIZE,...", 0, "Budgets, as in the option memory: 64M,128M", 0 },
	{ "ratio", KEY_RATIO, "PERCENT,...", 0,
	  "Budgets, in parts of all pages that were used (10,20,30,40,50,60,70,80,90,100)", 0 },
	{ "map", KEY_MAP, "NUMBER", 0, "Only this map, as lgalloc trace info numbers it", 0 },
	{ "csv", KEY_CSV, NULL, 0, "All counts, as comma-separated values", 0 },
	{ "plot", KEY_PLOT, "FILE", 0, "Draw misses over budget, by gnuplot: FILE.svg or FILE.png",
	  0 },
	{ 0 },
};

static void take_policies(struct replay_wishes *wishes, const char *text, struct argp_state *state)
{
	char names[256];

	wishes->policy_count = 0;
	for (size_t length;; text += length + 1) {
		struct lg_policy *policy = &wishes->policies[wishes->policy_count];
		bool twice = false;

		length = strcspn(text, ",");
		if (wishes->policy_count == LG_REPLAY_POLICIES ||
		    !lg_policy_find(text, length, policy)) {
			lg_policy_names(names, sizeof(names));
			argp_error(state, "--policy: '%.*s' is none of %s", (int)length, text,
				   names);
		}
		for (unsigned i = 0; i < wishes->policy_count; i++)
			twice = twice || wishes->policies[i].ops == policy->ops;
		wishes->policy_count += !twice;
		if (text[length] == '\0')
			return;
	}
}

static uint64_t take_map(const char *text, struct argp_state *state)
{
	char *end;

	errno = 0;
	unsigned long number = strtoul(text, &end, 10);
	if (!isdigit((unsigned char)text[0]) || *end != '\0' || errno != 0 || number > UINT32_MAX)
		argp_error(state, "--map: '%s' is not a number of a map", text);
	return number;
}

static error_t parse_replay(int key, char *argument, struct argp_state *state)
{
	struct replay_wishes *wishes = state->input;

	switch (key) {
	case 'p':
		take_policies(wishes, argument, state);
		return 0;
	case 'b':
		wishes->budgets = argument;
		return 0;
	case KEY_RATIO:
		wishes->ratios = argument;
		return 0;
	case KEY_MAP:
		wishes->map = take_map(argument, state);
		return 0;
	case KEY_CSV:
		wishes->csv = true;
		return 0;
	case KEY_PLOT:
		wishes->plot = argument;
		return 0;
	case ARGP_KEY_END:
		if (wishes->budgets != NULL && wishes->ratios != NULL)
			argp_error(state, "--budget or --ratio, not both");
		return 0;
	default:
		return lg_action_take_file(key, argument, state, "trace", &wishes->file);
	}
}

/* A size with K, M, G or T, of at least one page. False: it is none. */
static bool parse_size(const char *text, size_t length, double *bytes)
{
	static const char units[] = "KMGT";
	char *end;

	*bytes = strtod(text, &end);
	if (!isdigit((unsigned char)text[0]))
		return false;
	const char *unit = strchr(units, toupper((unsigned char)*end));
	if (*end != '\0' && unit != NULL) {
		*bytes = ldexp(*bytes, 10 * (int)(unit - units + 1));
		end++;
	}
	return end == text + length && *bytes <= 0x1p46;
}

static bool parse_percent(const char *text, size_t length, double *percent)
{
	char *end;

	*percent = strtod(text, &end);
	return isdigit((unsigned char)text[0]) && end == text + length && *percent > 0 &&
	       *percent <= 1000;
}

static void add_budget(struct lg_replay *replay, double pages)
{
	if (!lg_replay_add_budget(replay, (uint64_t)(pages + 0.5)))
		lg_usage_error("trace replay", "more than %d budgets at once", LG_REPLAY_BUDGETS);
}

static void add_budgets(struct lg_replay *replay, const struct replay_wishes *wishes)
{
	static const char usual[] = "10,20,30,40,50,60,70,80,90,100";
	const char *text = wishes->budgets != NULL ? wishes->budgets :
			   wishes->ratios != NULL  ? wishes->ratios :
						     usual;
	bool by_size = wishes->budgets != NULL;

	for (size_t length;; text += length + 1) {
		double value;

		length = strcspn(text, ",");
		if (by_size &&
		    (!parse_size(text, length, &value) || value < ldexp(1, (int)replay->shift)))
			lg_usage_error("trace replay",
				       "--budget: '%.*s' is not a size of a page (%u K) to 64T",
				       (int)length, text, 1u << (replay->shift - 10));
		if (!by_size && !parse_percent(text, length, &value))
			lg_usage_error("trace replay",
				       "--ratio: '%.*s' is not a number of percent up to 1000",
				       (int)length, text);
		add_budget(replay, by_size ? ldexp(value, -(int)replay->shift) :
					     value / 100 * replay->pages);
		if (text[length] == '\0')
			return;
	}
}

static int replay_file(const struct replay_wishes *wishes)
{
	static struct lg_replay replay;
	struct lg_history history;

	if (lg_history_read(wishes->file, wishes->map, &history) != 0 ||
	    lg_replay_begin(&replay, &history) != 0)
		lg_command_fail("trace replay", "'%s': %s", wishes->file, lg_error());
	replay.policy_count = wishes->policy_count;
	memcpy(replay.policies, wishes->policies, sizeof(replay.policies));
	add_budgets(&replay, wishes);
	if (lg_replay_run(&replay) != 0)
		lg_command_fail("trace replay", "'%s': %s", wishes->file, lg_error());
	if (wishes->plot != NULL && lg_replay_plot(&replay, wishes->plot) != 0)
		lg_command_fail("trace replay", "--plot: '%s': %s", wishes->plot, lg_error());
	(wishes->csv ? lg_replay_print_csv : lg_replay_print)(stdout, &replay);
	lg_history_end(&history);
	return lg_command_end("trace replay");
}

/* What --policy takes, behind what the help says last. */
static char *add_policies(int key, const char *text, void *input)
{
	char names[256], *more;

	(void)input;
	lg_policy_names(names, sizeof(names));
	if (key != ARGP_KEY_HELP_POST_DOC || asprintf(&more, "%s %s.", text, names) < 0)
		return (char *)(uintptr_t)text;
	return more;
}

static int replay_command(int argc, char **argv)
{
	static const struct argp argp = {
		.options = replay_options,
		.parser = parse_replay,
		.args_doc = "FILE",
		.doc = "Shows how many misses (pages that are read) each policy would have had under each "
		       "budget, beside the fewest there can be, and names the best."
		       "\vPolicies:",
		.help_filter = add_policies,
	};
	struct replay_wishes wishes = { .map = LG_HISTORY_ALL };

	while (wishes.policy_count < LG_REPLAY_POLICIES &&
	       lg_policy_at(wishes.policy_count, &wishes.policies[wishes.policy_count]))
		wishes.policy_count++;
	argp_parse(&argp, argc, argv, 0, NULL, &wishes);
	return replay_file(&wishes);
}

/* --- which of them ------------------------------------------------------------------------------ */

int lg_command_trace(int argc, char **argv)
{
	static const struct lg_action list[] = {
		{ "record", record },
		{ "info", info },
		{ "replay", replay_command },
	};
	static const struct lg_actions actions = {
		.command = "trace",
		.args_doc = "record [OPTION...] [--] PROGRAM [ARGUMENT...]\ninfo FILE\n"
			    "replay [OPTION...] FILE",
		.doc = "Records the faults of a program's pagers, and replays them with other policies "
		       "and budgets: what to set for this program."
		       "\v`lgalloc trace record --help` says more of record, and so for the others.",
		.list = list,
		.count = sizeof(list) / sizeof(list[0]),
	};

	return lg_actions_run(&actions, argc, argv);
}
