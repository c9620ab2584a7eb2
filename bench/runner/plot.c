/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runner/plot.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *where;

static FILE *open_in(const char *name)
{
	char path[PATH_MAX];

	if (snprintf(path, sizeof(path), "%s/%s", where, name) >= (int)sizeof(path)) {
		errno = ENAMETOOLONG;
		return NULL;
	}
	return fopen(path, "we");
}

/* The number that follows "key=", with its K, M or G. */
static double argument_of(const char *arguments, const char *key)
{
	const char *at = strstr(arguments, key);

	if (at == NULL)
		return (double)NAN;
	char *end;
	double number = strtod(at + strlen(key), &end);
	return *end == 'K' ? number * 1024 :
	       *end == 'M' ? number * 1048576 :
	       *end == 'G' ? number * 1073741824 :
			     number;
}

/*
 * A block for each allocator: x and the value's median, lowest and highest. How many have points.
 */
static unsigned write_points(FILE *file, const struct suite *suite, const char *group,
			     const char *key)
{
	unsigned blocks = 0;
	unsigned points = 0;

	for (int lane = 0; lane < LANES; lane++) {
		bool any = false;
		for (size_t row = 0; row < plan_count; row++) {
			const struct outcome *outcome = &suite->outcomes[row][lane];
			double x = argument_of(plans[row].arguments, key);
			if (strcmp(plans[row].group, group) != 0 || outcome->state != OUTCOME_OK ||
			    isnan(x) || strstr(plans[row].arguments, "neighbours") != NULL)
				continue;
			if (!any)
				fprintf(file, "%s\"%s\"\n", blocks > 0 ? "\n\n" : "",
					allocators[lane].name);
			any = true;
			fprintf(file, "%.0f %.6g %.6g %.6g\n", x, outcome_median(outcome, "value"),
				outcome_lowest(outcome, "value"),
				outcome_highest(outcome, "value"));
			points++;
		}
		blocks += any;
	}
	return points > blocks ? blocks : 0; /* one point each is no picture */
}

static unsigned write_series(FILE *file, const struct suite *suite, const char *name)
{
	unsigned blocks = 0;
	int row = suite_find(name);

	for (int lane = 0; row != -1 && lane < LANES; lane++) {
		const struct outcome *outcome = &suite->outcomes[row][lane];
		if (outcome->point_count == 0)
			continue;
		fprintf(file, "%s\"%s\"\n", blocks > 0 ? "\n\n" : "", allocators[lane].name);
		for (size_t i = 0; i < outcome->point_count; i++)
			fprintf(file, "%.3f %.4g\n", outcome->points[i].ms / 1000,
				outcome->points[i].value);
		blocks++;
	}
	return blocks;
}

/* One line an allocator: a column for each of the paging rows' rates; 0 for what was killed. */
static unsigned write_rates(FILE *file, const struct suite *suite)
{
	static const struct {
		const char *row, *metric, *text;
	} rates[] = {
		{ "paging-scan-2", "write", "write 2:1" },
		{ "paging-scan-2", "read", "read 2:1" },
		{ "paging-scan-2", "value", "scan 2:1" },
		{ "paging-scan-4", "write", "write 4:1" },
		{ "paging-scan-4", "read", "read 4:1" },
		{ "paging-scan-4", "value", "scan 4:1" },
	};
	unsigned lines = 0;

	fprintf(file, "allocator");
	for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++)
		fprintf(file, " \"%s\"", rates[i].text);
	fprintf(file, "\n");
	for (int lane = 0; lane < LANES; lane++) {
		bool any = false;
		for (size_t i = 0; i < sizeof(rates) / sizeof(rates[0]); i++) {
			int row = suite_find(rates[i].row);
			const struct outcome *outcome = row == -1 ? NULL :
								    &suite->outcomes[row][lane];
			if (outcome == NULL || outcome->state == OUTCOME_NONE)
				continue;
			if (!any)
				fprintf(file, "\"%s%s\"", allocators[lane].name,
					outcome->state == OUTCOME_KILLED ? " (killed)" : "");
			any = true;
			double rate = outcome_median(outcome, rates[i].metric);
			fprintf(file, " %.5g",
				outcome->state == OUTCOME_OK && !isnan(rate) ? rate : 0);
		}
		if (any)
			fprintf(file, "\n");
		lines += any;
	}
	return lines;
}

static int write_script(const char *name, const char *body, const char *plot_line)
{
	char file_name[64];

	snprintf(file_name, sizeof(file_name), "%s.gp", name);
	FILE *file = open_in(file_name);
	if (file == NULL)
		return -errno;
	fprintf(file,
		"set terminal pngcairo size 1000,640 noenhanced font 'sans,11'\n"
		"set output '%s.png'\nset key outside right top\nset grid\n%s%s\n",
		name, body, plot_line);
	return fclose(file) == 0 ? 0 : -errno;
}

/* In a child, in the pictures' directory, so that no path needs quoting. */
static bool run_gnuplot(const char *name)
{
	char script[64];
	int status;

	snprintf(script, sizeof(script), "%s.gp", name);
	fflush(NULL);
	pid_t child = fork();
	if (child == 0) {
		if (chdir(where) == 0)
			execlp("gnuplot", "gnuplot", script, (char *)NULL);
		_exit(127);
	}
	return child != -1 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

enum picture { LATENCY, THROUGHPUT, MEMORY, PAGING, BUDGET, BUDGET_SCAN, PICTURES };

static const struct {
	const char *name;
	const char *body;
} pictures[PICTURES] = {
	[LATENCY] = { "latency-over-size",
		      "set title 'pair, untouched: ns over block size'\nset logscale x 2\nset logscale y 10\n"
		      "set xlabel 'block size'\nset ylabel 'ns a pair'\nset format x '%.0b %BB'\n" },
	[THROUGHPUT] = { "throughput-over-threads",
			 "set title '2 MiB blocks, private work: throughput over threads'\n"
			 "set logscale x 2\nset logscale y 10\n"
			 "set xlabel 'threads'\nset ylabel 'million pairs a second'\n" },
	[MEMORY] = { "memory-over-time",
		     "set title 'physical memory: 512 MiB touched, then given back, threads idle'\n"
		     "set xlabel 's'\nset ylabel 'MiB over the start'\n" },
	[PAGING] = { "paging-rates",
		     "set title '1 GiB of 2 MiB blocks with 512 MiB (2:1) and 256 MiB (4:1) of memory'\n"
		     "set style data histograms\nset style fill solid 0.8\nset ylabel 'MB/s'\n" },
	[BUDGET] = { "pager-random-reads-over-budget",
		     "set title '1 GiB, random reads of 4 KiB: over the part of it that memory holds'\n"
		     "set logscale y 10\nset xlabel 'memory'\nset ylabel 'reads a second'\nset xtics 0, 134217728\n"
		     "set format x '%.0b %BB'\n" },
	[BUDGET_SCAN] = { "pager-scan-over-budget",
			  "set title '1 GiB, cyclic scan: over the part of it that memory holds'\n"
			  "set xlabel 'memory'\nset ylabel 'MB/s'\nset xtics 0, 134217728\n"
			  "set format x '%.0b %BB'\n" },
};

static unsigned write_data(FILE *file, const struct suite *suite, enum picture picture)
{
	switch (picture) {
	case LATENCY:
		return write_points(file, suite, "pair", "size=");
	case THROUGHPUT:
		return write_points(file, suite, "threads", "threads=");
	case MEMORY:
		return write_series(file, suite, "idle");
	case BUDGET:
		return write_points(file, suite, "pager-budget", "memory=");
	case BUDGET_SCAN:
		return write_points(file, suite, "pager-budget-scan", "memory=");
	default:
		return write_rates(file, suite);
	}
}

static void plot_line_of(char *line, size_t bytes, enum picture picture, unsigned blocks)
{
	const char *name = pictures[picture].name;

	if (picture == PAGING)
		snprintf(line, bytes,
			 "plot for [c=2:7] '%s.dat' using c:xtic(1) title columnheader(c)", name);
	else
		snprintf(
			line, bytes,
			"plot for [b=0:%u] '%s.dat' index b using 1:2 with %s lw 2 title columnheader(1)",
			blocks - 1, name, picture == MEMORY ? "lines" : "linespoints");
}

static int draw(const struct suite *suite, enum picture picture)
{
	char file_name[64], line[256];

	snprintf(file_name, sizeof(file_name), "%s.dat", pictures[picture].name);
	FILE *file = open_in(file_name);
	if (file == NULL)
		return -errno;
	unsigned blocks = write_data(file, suite, picture);
	if (fclose(file) != 0)
		return -errno;
	if (blocks == 0) {
		char path[PATH_MAX];
		if (snprintf(path, sizeof(path), "%s/%s", where, file_name) < (int)sizeof(path))
			unlink(path);
		return 0;
	}
	plot_line_of(line, sizeof(line), picture, blocks);
	int error = write_script(pictures[picture].name, pictures[picture].body, line);
	if (error == 0 && !run_gnuplot(pictures[picture].name))
		fprintf(stderr,
			"lgalloc-bench: gnuplot made no %s/%s.png; its data and script are there\n",
			where, pictures[picture].name);
	return error;
}

int plot_write(const char *directory, const struct suite *suite)
{
	int error = 0;

	where = directory;
	if (mkdir(directory, 0755) != 0 && errno != EEXIST)
		return -errno;
	for (int picture = 0; picture < PICTURES && error == 0; picture++)
		error = draw(suite, (enum picture)picture);
	return error;
}
