/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * pages: UMap's pfbenchmark: each page once. bytes=512M page=4K threads=2 write=0 modify=0 shuffled=0
 *
 * All is written, then nothing of it is in memory.
 *
 * Timed: threads with a part of their own touch a word of each page there: read it; with write=1 write it; with
 * modify=1 read it and write one more than it was. In order, or with shuffled=1 in none. Afterwards all is compared.
 *
 * value: pages a second. The page is the pager's; the kernel's lanes are touched at the same places.
 */
#include "pager/space.h"
#include "workload/argument.h"
#include "workload/clock.h"
#include "workload/random.h"
#include "workload/result.h"
#include "workload/table.h"
#include "workload/thread.h"

#include <stdlib.h>

enum { THREADS_MAX = 64 };

enum how { READ, WRITE, MODIFY };

struct part {
	pthread_t thread;
	uint32_t *pages;
	size_t count;
};

static struct space space;
static struct part parts[THREADS_MAX];
static size_t page_bytes;
static enum how how;

static uint64_t *word_of(size_t page)
{
	return (uint64_t *)(void *)(space.data + page * page_bytes);
}

static uint64_t first_word(size_t page)
{
	return page * (page_bytes / 8) * PATTERN_STEP + 1;
}

static void *touch(void *context)
{
	struct part *part = context;

	for (size_t i = 0; i < part->count; i++) {
		size_t page = part->pages[i];
		volatile uint64_t *word = word_of(page);
		if (how == WRITE)
			*word = first_word(page) + 1;
		else if (*word != first_word(page))
			result_fail("page %zu is not what was written", page);
		else if (how == MODIFY)
			*word = *word + 1;
	}
	return NULL;
}

static void shuffle(uint32_t *pages, size_t count)
{
	uint64_t random = 88172645463325252u;

	for (size_t i = count; i > 1; i--) {
		size_t other = random_below(&random, i);
		uint32_t was = pages[i - 1];
		pages[i - 1] = pages[other];
		pages[other] = was;
	}
}

void workload_pages(void)
{
	size_t threads = argument_size("threads", 2);
	bool shuffled = argument_size("shuffled", 0) != 0;
	struct lg_pager_stats before;

	page_bytes = argument_size("page", 4 << 10);
	how = argument_size("modify", 0) != 0 ? MODIFY :
	      argument_size("write", 0) != 0  ? WRITE :
						READ;
	space_open(&space, argument_size("bytes", (size_t)512 << 20));
	size_t count = space.bytes / page_bytes;
	uint32_t *pages = calloc(count, sizeof(*pages));
	if (pages == NULL)
		result_fail("no memory");
	if (threads == 0 || threads > THREADS_MAX || threads > count)
		result_fail("threads must be 1 to %d", THREADS_MAX);
	for (size_t i = 0; i < count; i++)
		pages[i] = (uint32_t)i;
	if (shuffled)
		shuffle(pages, count);
	space_write(&space, 0, space.bytes);
	space_cold(&space);
	space_stats(&space, &before);
	uint64_t begin = clock_ns();
	for (size_t i = 0; i < threads; i++) {
		size_t first = count * i / threads;
		parts[i].pages = pages + first;
		parts[i].count = count * (i + 1) / threads - first;
		thread_start(&parts[i].thread, touch, &parts[i]);
	}
	for (size_t i = 0; i < threads; i++)
		pthread_join(parts[i].thread, NULL);
	result_value("value", (double)count * 1e9 / (double)(clock_ns() - begin));
	space_report(&space, &before);
	for (size_t page = 0; page < count; page++) {
		uint64_t *word = word_of(page);
		if (*word != first_word(page) + (how != READ))
			result_fail("page %zu is not what was written last", page);
		*word = first_word(page);
	}
	space_check(&space, 0, space.bytes);
	space_close(&space);
}
