/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A replay: what policies would have done with the uses of a trace, each under each budget, beside the best
 * that could be done. Its forms: a table with advice, CSV, a picture.
 */
#ifndef LG_TOOL_REPLAY_H
#define LG_TOOL_REPLAY_H

#include "pager/simulator.h"
#include "tool/history.h"

#include <stdint.h>
#include <stdio.h>

enum { LG_REPLAY_BUDGETS = 64, LG_REPLAY_POLICIES = 8 };

struct lg_replay {
	const struct lg_history *history;
	unsigned shift; /* of its pages */
	uint32_t pages; /* that were used */
	unsigned policy_count;
	struct lg_policy policies[LG_REPLAY_POLICIES];
	unsigned budget_count;
	uint32_t budgets[LG_REPLAY_BUDGETS]; /* in pages, rising, each once */
	uint64_t best[LG_REPLAY_BUDGETS];    /* misses */
	struct lg_simulator_counts counts[LG_REPLAY_BUDGETS][LG_REPLAY_POLICIES];
};

/* Pages and their size. -EINVAL, with lg_error(): there are none, or of several sizes. */
int lg_replay_begin(struct lg_replay *replay, const struct lg_history *history);

/* A budget more, in pages: at least 1; sorted in, and once. False: there are too many. */
bool lg_replay_add_budget(struct lg_replay *replay, uint64_t pages);

/* Every policy under every budget. -ENOMEM, with lg_error(). */
int lg_replay_run(struct lg_replay *replay);

void lg_replay_print(FILE *to, const struct lg_replay *replay);
void lg_replay_print_csv(FILE *to, const struct lg_replay *replay);

/* By gnuplot, into a file of .svg or .png. 0 or -errno, with lg_error(). */
int lg_replay_plot(const struct lg_replay *replay, const char *path);

#endif
