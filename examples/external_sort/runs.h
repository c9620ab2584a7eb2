/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Runs: parts of the input, sorted, each in a region of its own.
 *
 * This is what a temporary file is to other external sorts. A region lives in a file already, so there is
 * no code here that writes a run out or reads it back: LG_COLD says that a sorted run will wait a while,
 * and the merge just reads memory.
 */
#ifndef EXTERNAL_SORT_RUNS_H
#define EXTERNAL_SORT_RUNS_H

#include "file.h"
#include "plan.h"

#include <lgalloc/lgalloc.h>

enum { RUN_SAMPLES = 64 };

struct run {
	lg_region *region;
	size_t count;                  /* keys */
	uint64_t samples[RUN_SAMPLES]; /* keys at equal distances, for the merge to divide its work by */
};

struct runs {
	struct run *all;
	size_t count;
};

/* Reads, sorts and puts aside the whole input with plan->threads threads. 0, or -1 after a message. */
int runs_form(struct runs *runs, const struct file *input, const struct plan *plan);

void runs_free(struct runs *runs);

#endif
