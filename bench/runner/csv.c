/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runner/csv.h"

#include <errno.h>
#include <stdio.h>

static const char *state_name(enum outcome_state state)
{
	static const char *const names[] = {
		[OUTCOME_NONE] = "none",       [OUTCOME_OK] = "ok",
		[OUTCOME_KILLED] = "killed",   [OUTCOME_FAILED] = "failed",
		[OUTCOME_SKIPPED] = "skipped",
	};

	return names[state];
}

static void write_cell(FILE *file, const char *row, const char *allocator,
		       const struct outcome *outcome)
{
	if (outcome->metric_count == 0)
		fprintf(file, "%s,%s,%s,,,,,0\n", row, allocator, state_name(outcome->state));
	for (unsigned i = 0; i < outcome->metric_count; i++) {
		const struct metric *metric = &outcome->metrics[i];
		fprintf(file, "%s,%s,%s,%s,%.9g,%.9g,%.9g,%u\n", row, allocator,
			state_name(outcome->state), metric->name,
			outcome_median(outcome, metric->name),
			outcome_lowest(outcome, metric->name),
			outcome_highest(outcome, metric->name), metric->count);
	}
}

int csv_write(const char *path, const struct suite *suite)
{
	FILE *file = fopen(path, "we");

	if (file == NULL)
		return -errno;
	fprintf(file, "row,allocator,state,metric,median,lowest,highest,repeats\n");
	for (size_t row = 0; row < plan_count; row++)
		for (int lane = 0; lane < LANES; lane++)
			if (suite->outcomes[row][lane].state != OUTCOME_NONE)
				write_cell(file, plans[row].name, allocators[lane].name,
					   &suite->outcomes[row][lane]);
	if (fclose(file) != 0)
		return -errno;
	return 0;
}
