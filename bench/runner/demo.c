/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "runner/demo.h"

#include "runner/cgroup.h"
#include "runner/process.h"
#include "runner/progress.h"
#include "runner/swap.h"

#include <math.h>
#include <string.h>

enum { MEMORY_MIB = 256, TIMEOUT_S = 300 };

static const char title[] = "1 GiB in 2 MiB blocks, 256 MiB of memory";

static const enum lane lanes[] = { LANE_FILE, LANE_JEMALLOC, LANE_JEMALLOC_SWAP };

static const char *text_of(enum lane lane)
{
	switch (lane) {
	case LANE_FILE:
		return "lgalloc, no swap";
	case LANE_JEMALLOC:
		return "jemalloc, no swap";
	default:
		return "jemalloc, swap file";
	}
}

static void write_line(FILE *to, const struct demo *demo, enum lane lane, enum table_style style)
{
	const struct outcome *outcome = &demo->outcomes[lane];
	const char *start = style == TABLE_MARKDOWN ? "- " : "  ";

	fprintf(to, "%s%-20s ", start, text_of(lane));
	switch (outcome->state) {
	case OUTCOME_OK:
		fprintf(to,
			"%.0f MiB written, every byte verified twice; write %.0f, read %.0f, "
			"backwards %.0f MB/s; peak %.0f MiB\n",
			outcome_median(outcome, "verified"), outcome_median(outcome, "write"),
			outcome_median(outcome, "read"), outcome_median(outcome, "value"),
			outcome_median(outcome, "charged"));
		break;
	case OUTCOME_KILLED: {
		double taken = outcome_median(outcome, "taken");
		fprintf(to, "killed by the kernel after %.0f MiB\n", isnan(taken) ? 0 : taken);
		break;
	}
	case OUTCOME_NONE:
		fprintf(to, "not run\n");
		break;
	default:
		fprintf(to, "%s: %s\n", outcome->state == OUTCOME_FAILED ? "FAILED" : "skipped",
			outcome->reason);
		break;
	}
}

static void run_lane(struct demo *demo, const struct suite *suite, enum lane lane)
{
	struct outcome *outcome = &demo->outcomes[lane];
	bool fresh[METRICS_MAX] = { false };
	bool swap = allocators[lane].swap;
	struct cgroup cgroup;
	const char *reason;
	struct process process = {
		.allocator = &allocators[lane],
		.workload = "verify",
		.arguments = "bytes=1G size=2M",
		.options = suite->options,
		.cgroup = &cgroup,
		.timeout_s = TIMEOUT_S,
	};

	progress_step(title, text_of(lane));
	if (swap && (!suite_swap(&reason) || !swap_on())) {
		outcome_state(outcome, OUTCOME_SKIPPED, swap_reason());
		return;
	}
	if (!cgroup_make(&cgroup, (uint64_t)MEMORY_MIB << 20, swap)) {
		outcome_state(outcome, OUTCOME_SKIPPED, "the memory cgroup could not be made");
	} else {
		process_run(&process, outcome);
		outcome_add(outcome, "charged", (double)cgroup_peak(&cgroup) / 1048576.0, fresh);
		cgroup_remove(&cgroup);
	}
	if (swap && !swap_off())
		outcome_state(outcome, OUTCOME_FAILED, swap_reason());
}

void demo_run(struct demo *demo, const struct suite *suite)
{
	progress_begin(0);
	printf("%s, checked byte by byte\n", title);
	if (!cgroup_possible()) {
		snprintf(demo->note, sizeof(demo->note), "skipped: %s", cgroup_reason());
		printf("  %s\n", demo->note);
		return;
	}
	for (size_t i = 0; i < sizeof(lanes) / sizeof(lanes[0]) && !process_interrupted(); i++) {
		if (!allocators[lanes[i]].present) {
			printf("  %-20s not installed\n", text_of(lanes[i]));
			continue;
		}
		run_lane(demo, suite, lanes[i]);
		progress_clear();
		if (!process_interrupted())
			write_line(stdout, demo, lanes[i], TABLE_TEXT);
		fflush(stdout);
	}
}

void demo_write(FILE *to, const struct demo *demo, enum table_style style)
{
	fprintf(to, "%s, checked byte by byte%s\n", title, style == TABLE_MARKDOWN ? ":\n" : "");
	if (demo->note[0] != '\0') {
		fprintf(to, "%s%s\n", style == TABLE_MARKDOWN ? "" : "  ", demo->note);
		return;
	}
	for (size_t i = 0; i < sizeof(lanes) / sizeof(lanes[0]); i++)
		write_line(to, demo, lanes[i], style);
}
