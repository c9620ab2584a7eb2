/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runner/table.h"

#include <math.h>
#include <string.h>

enum { CELL_BYTES = 32, LATENCIES = 4 };

void table_number(char *text, size_t bytes, double value)
{
	double size = fabs(value);

	if (isnan(value))
		snprintf(text, bytes, "-");
	else if (size >= 99.95)
		snprintf(text, bytes, "%.0f", value);
	else if (size >= 9.995)
		snprintf(text, bytes, "%.1f", value);
	else
		snprintf(text, bytes, "%.2f", value);
}

static void time_text(char text[CELL_BYTES], double ns)
{
	char number[CELL_BYTES - 4];
	bool in_ns = isnan(ns) || ns < 9999.5;
	bool in_us = ns < 9999500;

	table_number(number, sizeof(number), in_ns ? round(ns) : in_us ? ns / 1e3 : ns / 1e6);
	if (in_ns && !isnan(ns))
		snprintf(number, sizeof(number), "%.0f", ns);
	snprintf(text, CELL_BYTES, "%s%s", number,
		 isnan(ns) ? "" :
		 in_ns     ? "ns" :
		 in_us     ? "us" :
			     "ms");
}

static void count_text(char text[CELL_BYTES], double count)
{
	if (isnan(count))
		snprintf(text, CELL_BYTES, "-");
	else if (count >= 99999.5)
		snprintf(text, CELL_BYTES, "%.0fk", count / 1000);
	else
		snprintf(text, CELL_BYTES, "%.0f", count);
}

static int base_lane(const struct plan *plan, const struct outcome *row)
{
	if (plan->base != 0)
		return (int)plan->base;
	return row[LANE_JEMALLOC].state == OUTCOME_OK ? LANE_JEMALLOC : LANE_JEMALLOC_SWAP;
}

static void ratio_text(char text[CELL_BYTES], const struct plan *plan, const struct outcome *row,
		       int lane)
{
	const char *metric = plan->shown[0].metric;
	double base = outcome_median(&row[base_lane(plan, row)], metric);
	double ratio = unit_ratio(plan->shown[0].unit, outcome_median(&row[lane], metric), base);

	if (plan->shown[0].unit == UNIT_MIB || !isfinite(ratio)) {
		snprintf(text, CELL_BYTES, "-");
		return;
	}
	char number[CELL_BYTES - 4];
	table_number(number, sizeof(number), ratio);
	snprintf(text, CELL_BYTES, "%sx", number);
}

struct line {
	char value[CELL_BYTES];
	char ratio[CELL_BYTES];
	char latency[LATENCIES][CELL_BYTES];
	char minor[CELL_BYTES];
	char major[CELL_BYTES];
	char rss[CELL_BYTES];
};

static void fill_line(struct line *line, const struct plan *plan, const struct outcome *row,
		      int lane)
{
	static const char *const latency[LATENCIES] = { "p50", "p99", "p999", "max" };
	const struct outcome *outcome = &row[lane];

	table_number(line->value, sizeof(line->value),
		     outcome_median(outcome, plan->shown[0].metric));
	ratio_text(line->ratio, plan, row, lane);
	for (int i = 0; i < LATENCIES; i++)
		time_text(line->latency[i], outcome_median(outcome, latency[i]));
	count_text(line->minor, outcome_median(outcome, "minor"));
	count_text(line->major, outcome_median(outcome, "major"));
	count_text(line->rss, outcome_median(outcome, "rss"));
}

/* What stands instead of values: "" where there are some. */
static void instead(char *text, size_t bytes, const struct outcome *outcome)
{
	double taken = outcome_median(outcome, "taken");

	text[0] = '\0';
	if (outcome->state == OUTCOME_KILLED && !isnan(taken))
		snprintf(text, bytes, "killed by the kernel after %.0f MiB", taken);
	else if (outcome->state == OUTCOME_KILLED)
		snprintf(text, bytes, "killed by the kernel");
	else if (outcome->state == OUTCOME_FAILED)
		snprintf(text, bytes, "FAILED: %s", outcome->reason);
	else if (outcome->state == OUTCOME_SKIPPED)
		snprintf(text, bytes, "skipped: %s", outcome->reason);
}

/* "second pass 0.66 ms, first pass 1.20 ms, ..."; "" where the row has one value only. */
static void details(char *text, size_t bytes, const struct plan *plan,
		    const struct outcome *outcome)
{
	size_t length = 0;

	text[0] = '\0';
	for (int i = 1; i < VALUES_SHOWN && plan->shown[i].text != NULL && length < bytes; i++) {
		double value = outcome_median(outcome, plan->shown[i].metric);
		char number[CELL_BYTES];
		if (isnan(value))
			continue;
		table_number(number, sizeof(number), value);
		length += (size_t)snprintf(text + length, bytes - length, "%s%s %s %s",
					   length > 0 ? ", " : "", plan->shown[i].text, number,
					   unit_name(plan->shown[i].unit));
	}
}

static const char *base_name(const struct plan *plan)
{
	return plan->base != 0 ? allocators[plan->base].name : "jemalloc";
}

static void text_row(FILE *to, const struct suite *suite, size_t row)
{
	const struct plan *plan = &plans[row];
	char words[640];

	fprintf(to, "\n%s  [%s]%s%s\n", plan->title, plan->name,
		plan->shown[0].text[0] != '\0' ? "  " : "", plan->shown[0].text);
	if (suite->note[row][0] != '\0') {
		fprintf(to, "  %s\n", suite->note[row]);
		return;
	}
	fprintf(to, "  %-18s %10s %9s %8s %8s %8s %8s %7s %7s %6s\n", "",
		unit_name(plan->shown[0].unit), base_name(plan), "p50", "p99", "p99.9", "max",
		"faults", "major", "RSS");
	for (int lane = 0; lane < LANES; lane++) {
		const struct outcome *outcome = &suite->outcomes[row][lane];
		struct line line;
		if (outcome->state == OUTCOME_NONE)
			continue;
		instead(words, sizeof(words), outcome);
		if (words[0] != '\0') {
			fprintf(to, "  %-18s %s\n", allocators[lane].name, words);
			continue;
		}
		fill_line(&line, plan, suite->outcomes[row], lane);
		fprintf(to, "  %-18s %10s %9s %8s %8s %8s %8s %7s %7s %6s\n", allocators[lane].name,
			line.value, line.ratio, line.latency[0], line.latency[1], line.latency[2],
			line.latency[3], line.minor, line.major, line.rss);
		details(words, sizeof(words), plan, outcome);
		if (words[0] != '\0')
			fprintf(to, "  %-18s   %s\n", "", words);
	}
}

static void markdown_row(FILE *to, const struct suite *suite, size_t row)
{
	const struct plan *plan = &plans[row];
	char words[640];

	fprintf(to, "\n### %s\n\n`%s`", plan->title, plan->name);
	if (suite->note[row][0] != '\0') {
		fprintf(to, " %s\n", suite->note[row]);
		return;
	}
	fprintf(to,
		"\n\n| allocator | %s%s%s | x %s | p50 | p99 | p99.9 | max "
		"| faults | major | peak MiB | |\n",
		plan->shown[0].text, plan->shown[0].text[0] != '\0' ? ", " : "",
		unit_name(plan->shown[0].unit), base_name(plan));
	fprintf(to, "|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|\n");
	for (int lane = 0; lane < LANES; lane++) {
		const struct outcome *outcome = &suite->outcomes[row][lane];
		struct line line;
		if (outcome->state == OUTCOME_NONE)
			continue;
		instead(words, sizeof(words), outcome);
		if (words[0] != '\0') {
			fprintf(to, "| %s | | | | | | | | | | %s |\n", allocators[lane].name,
				words);
			continue;
		}
		fill_line(&line, plan, suite->outcomes[row], lane);
		details(words, sizeof(words), plan, outcome);
		fprintf(to, "| %s | %s | %s | %s | %s | %s | %s | %s | %s | %s | %s |\n",
			allocators[lane].name, line.value, line.ratio, line.latency[0],
			line.latency[1], line.latency[2], line.latency[3], line.minor, line.major,
			line.rss, words);
	}
}

void table_row(FILE *to, const struct suite *suite, size_t row, enum table_style style)
{
	if (style == TABLE_MARKDOWN)
		markdown_row(to, suite, row);
	else
		text_row(to, suite, row);
}

void table_write(FILE *to, const struct suite *suite, enum table_style style)
{
	for (size_t row = 0; row < plan_count; row++)
		if (suite_has(suite, row))
			table_row(to, suite, row, style);
}
