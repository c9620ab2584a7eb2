/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tool/replay.h"

#include "base/bits.h"
#include "base/error.h"
#include "tool/figure.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

/* Differences below these are not worth a change. */
static const double policy_gain = 0.02;
static const double budget_gain = 0.05;

static bool is_selected(const struct lg_history *history, const struct lg_history_map *map)
{
	return map->uses > 0 && (history->only == LG_HISTORY_ALL || history->only == map->map);
}

int lg_replay_begin(struct lg_replay *replay, const struct lg_history *history)
{
	char text[LG_FIGURE_BYTES], other[LG_FIGURE_BYTES];

	memset(replay, 0, sizeof(*replay));
	replay->history = history;
	for (uint32_t i = 0; i < history->map_numbers.count; i++) {
		const struct lg_history_map *map = &history->maps[i];

		if (!is_selected(history, map))
			continue;
		if (replay->shift != 0 && replay->shift != map->shift)
			return lg_fail(EINVAL,
				       "pages of %s and of %s: choose one map by --map, "
				       "lgalloc trace info lists them",
				       lg_figure_bytes((double)(1u << replay->shift), text),
				       lg_figure_bytes((double)(1u << map->shift), other));
		replay->shift = map->shift;
		replay->pages += (uint32_t)map->pages;
	}
	if (replay->pages == 0 && history->only != LG_HISTORY_ALL)
		return lg_fail(EINVAL,
			       "no use of a page of map %" PRIu64
			       "; lgalloc trace info lists the maps",
			       history->only);
	if (replay->pages == 0)
		return lg_fail(EINVAL, "no use of a page is in it");
	return 0;
}

bool lg_replay_add_budget(struct lg_replay *replay, uint64_t pages)
{
	uint32_t budget = (uint32_t)lg_min(lg_max(pages, 1), UINT32_MAX - 1);
	unsigned place = 0;

	while (place < replay->budget_count && replay->budgets[place] < budget)
		place++;
	if (place < replay->budget_count && replay->budgets[place] == budget)
		return true;
	if (replay->budget_count == LG_REPLAY_BUDGETS)
		return false;
	memmove(&replay->budgets[place + 1], &replay->budgets[place],
		(replay->budget_count - place) * sizeof(replay->budgets[0]));
	replay->budgets[place] = budget;
	replay->budget_count++;
	return true;
}

/* What the simulator keeps is by budget; more than all pages and the reserve changes nothing. */
static uint32_t useful_budget(const struct lg_replay *replay, uint32_t budget)
{
	return (uint32_t)lg_min(budget, 2 * (uint64_t)replay->pages + 64);
}

int lg_replay_run(struct lg_replay *replay)
{
	const struct lg_history *history = replay->history;
	uint32_t threads = (uint32_t)lg_min(history->threads.count, (uint64_t)UINT16_MAX + 1);
	int error = 0;

	if (history->count >= UINT32_MAX)
		return lg_fail(EFBIG, "it has more than 2^32 uses of pages");
	for (unsigned i = 0; i < replay->budget_count && error == 0; i++) {
		uint32_t budget = useful_budget(replay, replay->budgets[i]);

		error = lg_simulate_best(budget, history->accesses, history->count,
					 history->pages.count, &replay->best[i]);
		for (unsigned k = 0; k < replay->policy_count && error == 0; k++) {
			struct lg_simulator_rules rules;

			lg_simulator_rules_of_engine(&rules, &replay->policies[k], budget,
						     replay->shift);
			error = lg_simulate(&rules, history->accesses, history->count,
					    history->pages.count, threads, &replay->counts[i][k]);
		}
	}
	return error == 0 ? 0 : lg_fail(-error, "no memory for the simulation");
}

/* --- the table ---------------------------------------------------------------------------------- */

static const char *bytes_text(const struct lg_replay *replay, uint32_t pages,
			      char text[LG_FIGURE_BYTES])
{
	return lg_figure_bytes(ldexp((double)pages, (int)replay->shift), text);
}

static void print_rows(FILE *to, const struct lg_replay *replay)
{
	char text[LG_FIGURE_BYTES];

	fprintf(to, "%8s %6s %8s", "BUDGET", "OF ALL", "best");
	for (unsigned k = 0; k < replay->policy_count; k++)
		fprintf(to, " %8.*s", LG_POLICY_NAME_BYTES, replay->policies[k].ops->name);
	fputc('\n', to);
	for (unsigned i = 0; i < replay->budget_count; i++) {
		fprintf(to, "%8s %5.0f%%", bytes_text(replay, replay->budgets[i], text),
			100.0 * replay->budgets[i] / replay->pages);
		fprintf(to, " %8s", lg_figure_count(replay->best[i], 8, text));
		for (unsigned k = 0; k < replay->policy_count; k++)
			fprintf(to, " %8s", lg_figure_count(replay->counts[i][k].misses, 8, text));
		fputc('\n', to);
	}
}

/* How many times the best the misses are, in the geometric mean over the budgets. */
static double over_best(const struct lg_replay *replay, unsigned policy)
{
	double sum = 0;

	for (unsigned i = 0; i < replay->budget_count; i++)
		sum += log((double)replay->counts[i][policy].misses / (double)replay->best[i]);
	return exp(sum / replay->budget_count);
}

/* The first, unless another is better by more than differences matter. */
static unsigned choose_policy(const struct lg_replay *replay)
{
	unsigned chosen = 0;

	for (unsigned k = 1; k < replay->policy_count; k++)
		if (over_best(replay, k) <
		    over_best(replay, chosen) * (chosen == 0 ? 1 - policy_gain : 1))
			chosen = k;
	return chosen;
}

/* The smallest whose misses are not much more than those of the largest. */
static unsigned choose_budget(const struct lg_replay *replay, unsigned policy)
{
	uint64_t least = replay->counts[replay->budget_count - 1][policy].misses;

	for (unsigned i = 0;; i++)
		if ((double)replay->counts[i][policy].misses <= (double)least * (1 + budget_gain))
			return i;
}

static void print_advice(FILE *to, const struct lg_replay *replay)
{
	unsigned policy = choose_policy(replay), budget = choose_budget(replay, policy);
	const char *first = replay->policies[0].ops->name;
	double ratio = over_best(replay, policy);
	char text[LG_FIGURE_BYTES], largest[LG_FIGURE_BYTES];

	fprintf(to, "policy:%s: %.2f times the misses of the best there can be, over all budgets; ",
		replay->policies[policy].ops->name, ratio);
	if (policy != 0)
		fprintf(to, "%.0f%% fewer than %s\n", 100 * (1 - ratio / over_best(replay, 0)),
			first);
	else if (replay->policy_count > 1)
		fprintf(to, "no other has %.0f%% fewer\n", 100 * policy_gain);
	else
		fprintf(to, "no other was tried\n");
	if (replay->budget_count == 1)
		fprintf(to, "memory:%s: no smaller budget was tried\n",
			bytes_text(replay, replay->budgets[budget], text));
	else if (budget + 1 < replay->budget_count)
		fprintf(to, "memory:%s: with %s, misses would be at most %.0f%% fewer\n",
			bytes_text(replay, replay->budgets[budget], text),
			bytes_text(replay, replay->budgets[replay->budget_count - 1], largest),
			100 * budget_gain);
	else
		fprintf(to, "memory:%s: each smaller budget costs more than %.0f%% more misses\n",
			bytes_text(replay, replay->budgets[budget], text), 100 * budget_gain);
}

/* What the figures cannot know. */
static void print_notes(FILE *to, const struct lg_replay *replay)
{
	const struct lg_recording *recording = &replay->history->recording;
	uint64_t smallest = (uint64_t)replay->budgets[0] << replay->shift;
	char text[LG_FIGURE_BYTES];

	if (recording->header.budget > 0 && smallest < recording->header.budget)
		fprintf(to,
			"note: recorded with memory:%s; smaller budgets look better here than they "
			"are, as uses of mapped pages are in no trace\n",
			lg_figure_bytes((double)recording->header.budget, text));
	if (recording->kinds[LG_TRACE_LOST] > 0)
		fprintf(to, "note: %" PRIu64 " of the trace's records are lost\n",
			recording->kinds[LG_TRACE_LOST]);
	if (!recording->is_whole)
		fprintf(to, "note: the trace was cut off: its program was killed, or its disk is "
			    "full\n");
}

void lg_replay_print(FILE *to, const struct lg_replay *replay)
{
	char size[LG_FIGURE_BYTES], all[LG_FIGURE_BYTES];

	fprintf(to, "misses of %zu uses of %" PRIu32 " pages of %s, %s in all\n",
		replay->history->count, replay->pages, bytes_text(replay, 1, size),
		bytes_text(replay, replay->pages, all));
	print_rows(to, replay);
	print_advice(to, replay);
	print_notes(to, replay);
}

void lg_replay_print_csv(FILE *to, const struct lg_replay *replay)
{
	fprintf(to, "policy,budget_bytes,budget_pages,uses,misses,first_misses,limbo_hits,protects,"
		    "evictions,writes\n");
	for (unsigned i = 0; i < replay->budget_count; i++) {
		uint64_t bytes = (uint64_t)replay->budgets[i] << replay->shift;

		fprintf(to, "best,%" PRIu64 ",%" PRIu32 ",%zu,%" PRIu64 ",%" PRIu32 ",,,,\n", bytes,
			replay->budgets[i], replay->history->count, replay->best[i], replay->pages);
		for (unsigned k = 0; k < replay->policy_count; k++) {
			const struct lg_simulator_counts *counts = &replay->counts[i][k];

			fprintf(to,
				"%s,%" PRIu64 ",%" PRIu32 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64
				",%" PRIu64 ",%" PRIu64 ",%" PRIu64 ",%" PRIu64 "\n",
				replay->policies[k].ops->name, bytes, replay->budgets[i],
				counts->accesses, counts->misses, counts->cold, counts->limbo_hits,
				counts->protects, counts->evictions, counts->writes);
		}
	}
}
