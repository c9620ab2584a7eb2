/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A heap in a file of its own for each test. */
#ifndef UNIT_HEAP_CLAIM_H
#define UNIT_HEAP_CLAIM_H

#include "unit/unit.h"

#include <errno.h>
#include <lgalloc/heap.h>
#include <lgalloc/lgalloc.h>
#include <unistd.h>

static char heap_path[64];
static lg_heap *heap;

static inline int heap_setup(void **state)
{
	(void)state;
	snprintf(heap_path, sizeof(heap_path), "lg-unit-%d.heap", (int)getpid());
	unlink(heap_path);
	heap = lg_heap_open(heap_path, "create:on,reserve:4G,journal:1M");
	return heap != NULL ? 0 : -1;
}

static inline int heap_teardown(void **state)
{
	(void)state;
	(void)lg_heap_close(heap);
	heap = NULL;
	unlink(heap_path);
	return 0;
}

static inline void heap_reopen(void)
{
	assert_int_equal(lg_heap_close(heap), 0);
	heap = lg_heap_open(heap_path, "reserve:4G");
	assert_non_null(heap);
}

static inline uint64_t heap_objects(void)
{
	struct lg_heap_stats stats;

	assert_int_equal(lg_heap_stats_read(heap, &stats), 0);
	return stats.objects;
}

static inline void heap_refused(const char *options, int error, const char *words)
{
	errno = 0;
	assert_null(lg_heap_open(heap_path, options));
	assert_int_equal(errno, error);
	if (strstr(lg_error(), words) == NULL)
		fail_msg("'%s' does not say '%s'", lg_error(), words);
}

/* The root "text" leads to that word, and it is committed. */
static inline char *heap_keep_text(void)
{
	char *text = lg_heap_alloc(heap, 10);

	assert_non_null(text);
	strcpy(text, "text");
	assert_int_equal(lg_heap_root_set(heap, "text", lg_heap_ref(heap, text)), 0);
	assert_int_equal(lg_heap_commit(heap), 0);
	return text;
}

#define HEAP_TEST(test) cmocka_unit_test_setup_teardown(test, heap_setup, heap_teardown)

#endif
