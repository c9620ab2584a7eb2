/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "merge.h"

#include "crew.h"
#include "cursor.h"
#include "radix.h"
#include "tree.h"

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>

enum { PIECE_KEYS = (4 << 20) / sizeof(uint64_t) };

struct merging {
	const struct runs *runs;
	const struct file *output;
	const struct plan *plan;
	size_t *bounds; /* bounds[part * runs->count + run]: the part's first key in the run */
	atomic_bool failed;
};

static size_t *bound_of(const struct merging *merging, unsigned part, size_t run)
{
	return &merging->bounds[part * merging->runs->count + run];
}

/* The first key not less than `key`. */
static size_t lower_bound(const struct run *run, uint64_t key)
{
	const uint64_t *keys = lg_region_data(run->region);
	size_t low = 0, high = run->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (keys[middle] < key)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static int divide(struct merging *merging)
{
	const struct runs *runs = merging->runs;
	unsigned parts = merging->plan->threads;
	size_t count = runs->count * RUN_SAMPLES;
	uint64_t *samples = malloc((2 * count + 1) * sizeof(*samples));

	merging->bounds = malloc(((parts + 1) * runs->count + 1) * sizeof(*merging->bounds));
	if (samples == NULL || merging->bounds == NULL) {
		free(samples);
		return file_fail("bounds of the parts", "no memory", errno);
	}
	for (size_t i = 0; i < count; i++)
		samples[i] = runs->all[i / RUN_SAMPLES].samples[i % RUN_SAMPLES];
	radix_sort(samples, samples + count, count);
	for (size_t run = 0; run < runs->count; run++) {
		*bound_of(merging, 0, run) = 0;
		for (unsigned part = 1; part < parts; part++)
			*bound_of(merging, part, run) =
				lower_bound(&runs->all[run], samples[count * part / parts]);
		*bound_of(merging, parts, run) = runs->all[run].count;
	}
	free(samples);
	return 0;
}

static uint64_t head_of(void *argument, size_t i)
{
	const struct cursor *cursors = argument;

	return cursor_key(&cursors[i]);
}

static void fill(struct tree *tree, struct cursor *cursors, uint64_t *keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct cursor *cursor = &cursors[tree->nodes[0].leaf];

		keys[i] = tree->nodes[0].key;
		cursor_step(cursor);
		tree_replay(tree, cursor_key(cursor));
	}
}

/*
 * Writes keys [first, last) of the output. When memory is short, at most two pieces a thread wait for the
 * disk: the kernel's own limits count the whole machine, and a memory group full of dirty pages crawls.
 */
static int pour(struct merging *merging, struct tree *tree, struct cursor *cursors,
		lg_region *piece, uint64_t first, uint64_t last)
{
	const struct file *output = merging->output;
	bool spills = merging->plan->spills;
	uint64_t *keys = lg_region_data(piece);
	uint64_t before = first; /* where the piece started that was written last */

	for (uint64_t at = first; at < last && !atomic_load(&merging->failed);) {
		size_t count = last - at < PIECE_KEYS ? (size_t)(last - at) : PIECE_KEYS;
		uint64_t offset = at * sizeof(*keys), older = before * sizeof(*keys);

		fill(tree, cursors, keys, count);
		if (file_write(output, keys, count * sizeof(*keys), offset) != 0)
			return -1;
		if (spills && file_settle_begin(output, offset, count * sizeof(*keys)) != 0)
			return -1;
		if (spills && older < offset) {
			if (file_settle_end(output, older, offset - older) != 0)
				return -1;
			file_drop(output, older, offset - older);
		}
		before = at;
		at += count;
	}
	return 0;
}

static int merge_part(struct merging *merging, unsigned part)
{
	const struct runs *runs = merging->runs;
	size_t window_bytes = merging->plan->spills ? merging->plan->window_bytes : 0;
	size_t leaves = tree_leaves(runs->count);
	uint64_t first = 0, last = 0;
	struct tree tree = { 0 };
	int result = -1;
	lg_region *piece = lg_region_new(PIECE_KEYS * sizeof(uint64_t));
	struct cursor *cursors = calloc(leaves, sizeof(*cursors));

	if (piece == NULL) {
		file_fail("memory for the output", lg_error(), 0);
		goto free_cursors;
	}
	if (cursors == NULL) {
		file_fail("cursors", "no memory", errno);
		goto free_cursors;
	}
	for (size_t run = 0; run < runs->count; run++) {
		size_t from = *bound_of(merging, part, run), to = *bound_of(merging, part + 1, run);

		cursor_open(&cursors[run], runs->all[run].region, from, to, window_bytes);
		first += from;
		last += to;
	}
	for (size_t leaf = runs->count; leaf < leaves; leaf++)
		cursor_open_ended(&cursors[leaf]);
	if (tree_init(&tree, leaves, head_of, cursors) != 0) {
		file_fail("tree", "no memory", errno);
		goto free_cursors;
	}
	result = pour(merging, &tree, cursors, piece, first, last);
	tree_destroy(&tree);
free_cursors:
	free(cursors);
	lg_region_free(piece);
	return result;
}

static void merge_one(void *argument, unsigned number)
{
	struct merging *merging = argument;

	if (merge_part(merging, number) != 0)
		atomic_store(&merging->failed, true);
}

int merge_runs(const struct runs *runs, const struct file *output, const struct plan *plan)
{
	struct merging merging = { .runs = runs, .output = output, .plan = plan };
	int result = -1;

	if (runs->count == 0)
		return 0;
	atomic_init(&merging.failed, false);
	if (divide(&merging) == 0 && crew_run(plan->threads, merge_one, &merging) == 0 &&
	    !atomic_load(&merging.failed))
		result = 0;
	free(merging.bounds);
	return result;
}
