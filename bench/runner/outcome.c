/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runner/outcome.h"

#include "workload/median.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct metric *find(const struct outcome *outcome, const char *name)
{
	for (unsigned i = 0; i < outcome->metric_count; i++)
		if (strcmp(outcome->metrics[i].name, name) == 0)
			return &outcome->metrics[i];
	return NULL;
}

void outcome_add(struct outcome *outcome, const char *name, double value, bool fresh[METRICS_MAX])
{
	unsigned i = 0;

	while (i < outcome->metric_count && strcmp(outcome->metrics[i].name, name) != 0)
		i++;
	if (i == METRICS_MAX)
		return;
	struct metric *metric = &outcome->metrics[i];
	if (i == outcome->metric_count) {
		snprintf(metric->name, sizeof(metric->name), "%s", name);
		outcome->metric_count++;
	}
	if (fresh[i] && metric->count > 0)
		metric->values[metric->count - 1] = value;
	else if (metric->count < REPEATS_MAX)
		metric->values[metric->count++] = value;
	fresh[i] = true;
}

void outcome_state(struct outcome *outcome, enum outcome_state state, const char *reason)
{
	bool worse = outcome->state != OUTCOME_FAILED && state >= OUTCOME_KILLED;

	if (outcome->state != OUTCOME_NONE && !worse)
		return;
	outcome->state = state;
	snprintf(outcome->reason, sizeof(outcome->reason), "%s", reason);
}

static void add_point(struct outcome *outcome, double ms, double value)
{
	if (outcome->points == NULL)
		outcome->points = calloc(POINTS_MAX, sizeof(outcome->points[0]));
	if (outcome->points == NULL || outcome->point_count == POINTS_MAX)
		return;
	outcome->points[outcome->point_count++] = (struct point){ ms, value };
}

void outcome_line(struct outcome *outcome, const char *line, bool fresh[METRICS_MAX])
{
	char name[NAME_BYTES], text[200];
	double ms, value;

	if (sscanf(line, "v %15s %lf", name, &value) == 2)
		outcome_add(outcome, name, value, fresh);
	else if (sscanf(line, "s %15s %lf %lf", name, &ms, &value) == 3)
		add_point(outcome, ms, value);
	else if (sscanf(line, "t allocator %199[^\n]", text) == 1)
		snprintf(outcome->allocator, sizeof(outcome->allocator), "%.31s", text);
	else if (sscanf(line, "t version %199[^\n]", text) == 1)
		snprintf(outcome->version, sizeof(outcome->version), "%.63s", text);
	else if (sscanf(line, "skip %199[^\n]", text) == 1)
		outcome_state(outcome, OUTCOME_SKIPPED, text);
	else if (sscanf(line, "fail %199[^\n]", text) == 1)
		outcome_state(outcome, OUTCOME_FAILED, text);
}

double outcome_median(const struct outcome *outcome, const char *name)
{
	const struct metric *metric = find(outcome, name);
	double values[REPEATS_MAX];

	if (metric == NULL)
		return (double)NAN;
	memcpy(values, metric->values, sizeof(values));
	return median_of(values, metric->count);
}

double outcome_lowest(const struct outcome *outcome, const char *name)
{
	const struct metric *metric = find(outcome, name);
	double lowest = (double)NAN;

	for (unsigned i = 0; metric != NULL && i < metric->count; i++)
		lowest = fmin(lowest, metric->values[i]);
	return lowest;
}

double outcome_highest(const struct outcome *outcome, const char *name)
{
	const struct metric *metric = find(outcome, name);
	double highest = (double)NAN;

	for (unsigned i = 0; metric != NULL && i < metric->count; i++)
		highest = fmax(highest, metric->values[i]);
	return highest;
}
