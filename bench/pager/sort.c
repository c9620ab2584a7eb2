/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * sort: umapsort's: numbers that fall from the first to the last are sorted to rise. bytes=1G threads=2
 *
 * All is written, then nothing of it is in memory.
 *
 * Timed: the sorting, in place by quicksort, one thread for each half of what the first partitions leave. The
 * result is compared with the numbers it must be.
 *
 * value: s.
 */
#include "pager/space.h"
#include "workload/argument.h"
#include "workload/clock.h"
#include "workload/result.h"
#include "workload/table.h"
#include "workload/thread.h"

enum { SMALL = 32 };

struct part {
	uint64_t *words;
	size_t count;
	unsigned splits; /* how often a thread of its own is given one side */
};

static struct space space;

static void insert(uint64_t *words, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		uint64_t word = words[i];
		size_t at = i;
		for (; at > 0 && words[at - 1] > word; at--)
			words[at] = words[at - 1];
		words[at] = word;
	}
}

static uint64_t middle_of(uint64_t a, uint64_t b, uint64_t c)
{
	if (a > b) {
		uint64_t was = a;
		a = b;
		b = was;
	}
	return c < a ? a : c > b ? b : c;
}

/* Hoare's: what is before the returned place is not larger than what is from there on. */
static size_t partition(uint64_t *words, size_t count)
{
	uint64_t pivot = middle_of(words[0], words[count / 2], words[count - 1]);
	size_t low = 0;
	size_t high = count - 1;

	for (;;) {
		while (words[low] < pivot)
			low++;
		while (words[high] > pivot)
			high--;
		if (low >= high)
			return low > 0 ? low : 1;
		uint64_t was = words[low];
		words[low++] = words[high];
		words[high--] = was;
	}
}

static void *sort(void *context)
{
	struct part part = *(struct part *)context;

	while (part.count > SMALL) {
		size_t low = partition(part.words, part.count);
		struct part left = { part.words, low, 0 };
		struct part right = { part.words + low, part.count - low, 0 };
		if (part.splits > 0) {
			pthread_t thread;
			left.splits = right.splits = part.splits - 1;
			thread_start(&thread, sort, &left);
			sort(&right);
			pthread_join(thread, NULL);
			return NULL;
		}
		/* The smaller one first, so that the stack stays small. */
		bool left_first = left.count < right.count;
		sort(left_first ? &left : &right);
		part = left_first ? right : left;
	}
	insert(part.words, part.count);
	return NULL;
}

void workload_sort(void)
{
	struct lg_pager_stats before;
	struct part all;

	space_open(&space, argument_size("bytes", (size_t)1 << 30));
	all.words = (uint64_t *)(void *)space.data;
	all.count = space.bytes / 8;
	all.splits = argument_size("threads", 2) > 1 ? 1 : 0;
	for (size_t i = 0; i < all.count; i++)
		all.words[i] = all.count - i;
	space_cold(&space);
	space_stats(&space, &before);
	uint64_t begin = clock_ns();
	sort(&all);
	result_value("value", (double)(clock_ns() - begin) / 1e9);
	space_report(&space, &before);
	for (size_t i = 0; i < all.count; i++)
		if (all.words[i] != i + 1)
			result_fail("word %zu is %llu", i, (unsigned long long)all.words[i]);
	space_close(&space);
}
