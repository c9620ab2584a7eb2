/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * external_sort: sorts a file of 64-bit keys that is larger than memory.
 *
 * The way of a key: read into a run's region and radix sorted there (runs.c, radix.c), put aside to the
 * region's backing file by one line of advice, taken back window by window in order (cursor.c), and
 * merged by a loser tree into the output (merge.c, tree.c). What is not here is the usual half of an
 * external sort: temporary files, their names, their reads and writes. Regions are those files.
 *
 *     external_sort --generate=128M big.keys
 *     external_sort --memory=256M big.keys sorted.keys
 *     external_sort --verify big.keys sorted.keys
 */
#include "../argument.h"
#include "file.h"
#include "keys.h"
#include "merge.h"
#include "plan.h"
#include "runs.h"

#include <lgalloc/lgalloc.h>

#include <argp.h>
#include <inttypes.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { KEY_GENERATE = 256, KEY_SEED, KEY_VERIFY, KEY_SAMPLE };

enum mode { MODE_SORT, MODE_GENERATE, MODE_VERIFY, MODE_SAMPLE };

struct arguments {
	enum mode mode;
	uint64_t memory;
	unsigned threads;
	uint64_t count; /* of --generate and --sample */
	uint64_t seed;
	const char *options;
	bool verbose;
	const char *paths[2];
	unsigned path_count;
};

static error_t parse(int key, char *text, struct argp_state *state)
{
	struct arguments *arguments = state->input;

	switch (key) {
	case 'm':
		arguments->memory =
			argument_number(state, "--memory", text, PLAN_MEMORY_MIN, UINT64_MAX / 2);
		break;
	case 't':
		arguments->threads =
			(unsigned)argument_number(state, "--threads", text, 1, PLAN_THREADS_MAX);
		break;
	case 'o':
		arguments->options = text;
		break;
	case 'v':
		arguments->verbose = true;
		break;
	case KEY_GENERATE:
		arguments->mode = MODE_GENERATE;
		arguments->count = argument_number(state, "--generate", text, 0, (uint64_t)1 << 59);
		break;
	case KEY_SEED:
		arguments->seed = argument_number(state, "--seed", text, 0, UINT64_MAX);
		break;
	case KEY_VERIFY:
		arguments->mode = MODE_VERIFY;
		break;
	case KEY_SAMPLE:
		arguments->mode = MODE_SAMPLE;
		arguments->count = argument_number(state, "--sample", text, 1, UINT64_MAX);
		break;
	case ARGP_KEY_ARG:
		if (arguments->path_count == 2)
			argp_usage(state);
		arguments->paths[arguments->path_count++] = text;
		break;
	case ARGP_KEY_END:
		if (arguments->path_count !=
		    (arguments->mode == MODE_SORT || arguments->mode == MODE_VERIFY ? 2 : 1))
			argp_usage(state);
		break;
	default:
		return ARGP_ERR_UNKNOWN;
	}
	return 0;
}

static const struct argp_option options[] = {
	{ "memory", 'm', "MEMORY", 0, "Memory to use (default: half of the machine's)", 0 },
	{ "threads", 't', "THREADS", 0, "Threads to use (default: one for each processor)", 0 },
	{ "options", 'o', "OPTIONS", 0, "Options of lgalloc, such as dir:/data", 0 },
	{ "verbose", 'v', NULL, 0, "Say on standard error what was done and how long it took", 0 },
	{ NULL, 0, NULL, 0, "Instead of sorting:", 1 },
	{ "generate", KEY_GENERATE, "KEYS", 0, "Write so many random keys to FILE", 1 },
	{ "seed", KEY_SEED, "SEED", 0, "Other random keys (default: 1)", 1 },
	{ "verify", KEY_VERIFY, NULL, 0, "Check that OUTPUT has the keys of INPUT, in order", 1 },
	{ "sample", KEY_SAMPLE, "N", 0,
	  "Print one key in N of FILE; the choice is by the key alone", 1 },
	{ 0 },
};

static const struct argp parser = {
	.options = options,
	.parser = parse,
	.args_doc = "INPUT OUTPUT\n--generate=KEYS FILE\n--verify INPUT OUTPUT\n--sample=N FILE",
	.doc = "Sorts a file of 64-bit little-endian unsigned keys, which may be larger than memory.\v"
	       "Runs wait in lgalloc's backing file: it needs as much disk space as INPUT, in the "
	       "directory of the option `dir`.",
};

static unsigned processors(void)
{
	cpu_set_t set;
	int count = sched_getaffinity(0, sizeof(set), &set) == 0 ? CPU_COUNT(&set) : 1;

	return count < PLAN_THREADS_MAX ? (unsigned)count : PLAN_THREADS_MAX;
}

static uint64_t half_of_memory(void)
{
	uint64_t pages = (uint64_t)sysconf(_SC_PHYS_PAGES),
		 page_bytes = (uint64_t)sysconf(_SC_PAGESIZE);

	return pages * page_bytes / 2;
}

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void tell(const struct arguments *arguments, const struct plan *plan, const double times[4])
{
	double mib = (double)(1 << 20);

	if (!arguments->verbose)
		return;
	fprintf(stderr,
		"%.1f MiB with %.1f MiB of memory, %u threads: %zu runs of %.1f MiB%s, windows of %zu KiB\n",
		(double)plan->input_bytes / mib, (double)plan->memory / mib, plan->threads,
		plan->run_count, (double)plan->run_bytes / mib, plan->spills ? " put aside" : "",
		plan->window_bytes >> 10);
	fprintf(stderr, "runs %.2f s, merge %.2f s, last writes %.2f s: %.0f MiB/s\n",
		times[1] - times[0], times[2] - times[1], times[3] - times[2],
		(double)plan->input_bytes / mib / (times[3] - times[0]));
}

/* Before the first region. The user's options come last and win. */
static int configure(const char *backing, const char *given)
{
	if (lg_configure(backing) == 0 && lg_configure(given) == 0)
		return 0;
	fprintf(stderr, "external_sort: %s\n", lg_error());
	return -1;
}

static int sort_file(const struct arguments *arguments)
{
	struct file input, output;
	struct plan plan;
	struct runs runs;
	double times[4];
	int result = -1;

	if (file_open(&input, arguments->paths[0]) != 0)
		return -1;
	plan_make(&plan, arguments->memory, arguments->threads, input.bytes);
	/*
	 * Runs that must leave memory need a file to go to; and no huge pages, for a fault would then read
	 * 2 MiB, more than a window. Where all fits, a file would only be written to
	 * disk by the kernel's write-back, again and again as the keys move.
	 */
	if (configure(plan.spills ? "backing:file,hugepages:off" : "backing:anon",
		      arguments->options) != 0)
		goto close_input;
	if (file_create(&output, arguments->paths[1], input.bytes, &input) != 0)
		goto close_input;
	times[0] = seconds();
	if (runs_form(&runs, &input, &plan) != 0)
		goto discard_output;
	times[1] = seconds();
	/* What sorting freed is memory the merge can use, now and not in a second or two. */
	(void)lg_trim();
	if (merge_runs(&runs, &output, &plan) != 0)
		goto free_runs;
	times[2] = seconds();
	result = file_finish(&output);
	times[3] = seconds();
	if (result == 0)
		tell(arguments, &plan, times);
	runs_free(&runs);
	file_close(&input);
	return result;

free_runs:
	runs_free(&runs);
discard_output:
	file_discard(&output);
close_input:
	file_close(&input);
	return result;
}

int main(int count, char **words)
{
	struct arguments arguments = {
		.memory = half_of_memory(), .threads = processors(), .seed = 1, .options = ""
	};
	int result = -1;

	argp_err_exit_status = 2;
	argp_parse(&parser, count, words, 0, NULL, &arguments);
	if (arguments.mode != MODE_SORT && configure("", arguments.options) != 0)
		return EXIT_FAILURE;
	switch (arguments.mode) {
	case MODE_SORT:
		result = sort_file(&arguments);
		break;
	case MODE_GENERATE:
		result = keys_generate(arguments.paths[0], arguments.count, arguments.seed);
		break;
	case MODE_VERIFY:
		result = keys_verify(arguments.paths[0], arguments.paths[1]);
		break;
	case MODE_SAMPLE:
		result = keys_sample(arguments.paths[0], arguments.count);
		break;
	}
	return result == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
