/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Merges the runs into the output, each thread a part of its own.
 *
 * Because runs are plain memory, dividing the work is a binary search: the parts are bounded by keys that
 * cut the runs' samples into equal shares, and every thread knows from the start where in the output its
 * part belongs. The runs' contents are gone afterwards.
 */
#ifndef EXTERNAL_SORT_MERGE_H
#define EXTERNAL_SORT_MERGE_H

#include "file.h"
#include "plan.h"
#include "runs.h"

/* 0, or -1 after a message. */
int merge_runs(const struct runs *runs, const struct file *output, const struct plan *plan);

#endif
