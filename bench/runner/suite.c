/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runner/suite.h"

#include "runner/cgroup.h"
#include "runner/host.h"
#include "runner/process.h"
#include "runner/progress.h"
#include "runner/swap.h"
#include "runner/warm.h"

#include <stdio.h>
#include <string.h>

enum { SWAP_BYTES = 1536 << 20, TIMEOUT_S = 300 };

static bool lane_runs(const struct plan *plan, int lane)
{
	return (plan->lanes & LANE_BIT(lane)) != 0 && allocator_used(lane);
}

static unsigned repeats_of(const struct suite *suite, const struct plan *plan)
{
	return plan->repeat_max != 0 && plan->repeat_max < suite->repeat ? plan->repeat_max :
									   suite->repeat;
}

bool suite_swap(const char **reason)
{
	bool made = swap_make(host_scratch(), SWAP_BYTES);

	*reason = swap_reason();
	return made;
}

static void join_options(char *joined, size_t bytes, const char *first, const char *second)
{
	snprintf(joined, bytes, "%s%s%s", first != NULL ? first : "",
		 first != NULL && second != NULL ? "," : "", second != NULL ? second : "");
}

static void run_cell(struct suite *suite, size_t row, int lane)
{
	const struct plan *plan = &plans[row];
	struct outcome *outcome = &suite->outcomes[row][lane];
	bool as_quick = suite->quick && plan->quick != NULL;
	char arguments[256], options[512];
	struct cgroup cgroup;
	const char *reason;
	struct process process = {
		.allocator = &allocators[lane],
		.workload = plan->workload,
		.arguments = arguments,
		.timeout_s = TIMEOUT_S,
	};

	snprintf(arguments, sizeof(arguments), "%s %s", plan->arguments,
		 as_quick ? plan->quick : plan->full);
	join_options(options, sizeof(options), as_quick ? plan->quick_options : plan->options,
		     suite->options);
	if (options[0] != '\0')
		process.options = options;
	if (allocators[lane].swap && (!suite_swap(&reason) || !swap_on())) {
		outcome_state(outcome, OUTCOME_SKIPPED, swap_reason());
		return;
	}
	if (plan->limit_mib != 0) {
		uint64_t limit_mib = plan->limit_mib + allocators[lane].spare_mib;
		if (!cgroup_make(&cgroup, limit_mib << 20, allocators[lane].swap)) {
			outcome_state(outcome, OUTCOME_SKIPPED, cgroup_reason());
			goto no_cgroup;
		}
		process.cgroup = &cgroup;
	}
	warm_memory((uint64_t)plan->warm_mib << 20);
	process_run(&process, outcome);
	if (plan->limit_mib != 0)
		cgroup_remove(&cgroup);
no_cgroup:
	if (allocators[lane].swap && !swap_off())
		outcome_state(outcome, OUTCOME_FAILED, swap_reason());
}

static void run_row(struct suite *suite, size_t row)
{
	const struct plan *plan = &plans[row];

	if (plan->limit_mib != 0 && !cgroup_possible()) {
		snprintf(suite->note[row], sizeof(suite->note[row]), "skipped: %s",
			 cgroup_reason());
		return;
	}
	for (unsigned repeat = 0; repeat < repeats_of(suite, plan); repeat++) {
		for (int lane = 0; lane < LANES; lane++) {
			if (!lane_runs(plan, lane))
				continue;
			progress_step(plan->name, allocators[lane].name);
			/* What failed or was killed once is known; do not spend its time again. */
			if (suite->outcomes[row][lane].state <= OUTCOME_OK)
				run_cell(suite, row, lane);
			if (process_interrupted())
				return;
		}
	}
}

void suite_run(struct suite *suite, void (*measured)(const struct suite *suite, size_t row))
{
	unsigned steps = 0;

	_Static_assert(LANES <= 32, "lanes are bits of a word");
	for (size_t row = 0; row < plan_count; row++)
		for (int lane = 0; lane < LANES; lane++)
			if (plan_wanted(&plans[row], suite->only, suite->quick) &&
			    lane_runs(&plans[row], lane))
				steps += repeats_of(suite, &plans[row]);
	progress_begin(steps);
	for (size_t row = 0; row < plan_count && !process_interrupted(); row++) {
		if (!plan_wanted(&plans[row], suite->only, suite->quick))
			continue;
		run_row(suite, row);
		progress_clear();
		if (suite_has(suite, row))
			measured(suite, row);
	}
}

int suite_find(const char *name)
{
	for (size_t row = 0; row < plan_count; row++)
		if (strcmp(plans[row].name, name) == 0)
			return (int)row;
	return -1;
}

bool suite_has(const struct suite *suite, size_t row)
{
	if (suite->note[row][0] != '\0')
		return true;
	for (int lane = 0; lane < LANES; lane++)
		if (suite->outcomes[row][lane].state != OUTCOME_NONE)
			return true;
	return false;
}
