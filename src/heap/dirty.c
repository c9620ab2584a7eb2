/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/commit.h"

#include "base/error.h"
#include "os/map.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

enum { PAGES_FIRST = 4096, DROP_MAX = 4096, RANGES_MAX = 512 };

/* A run, and all of a commit's runs, for which a second flush costs less than writing twice. */
enum { HOMEWARD_RUN = LG_UNIT_PAGES, HOMEWARD_MIN = 256 };

int lg_pages_add(struct lg_pages *pages, uint64_t first, uint64_t count)
{
	if (count > pages->capacity - pages->count) {
		uint64_t capacity = lg_max(PAGES_FIRST, pages->capacity * 2);
		void *memory;

		while (capacity - pages->count < count)
			capacity *= 2;
		int error = lg_os_map_record(capacity * sizeof(uint64_t), &memory);
		if (error != 0)
			return error;
		if (pages->count > 0)
			memcpy(memory, pages->list, pages->count * sizeof(uint64_t));
		uint64_t count_before = pages->count;
		lg_pages_free(pages);
		*pages = (struct lg_pages){ memory, count_before, capacity };
	}
	for (uint64_t i = 0; i < count; i++)
		pages->list[pages->count++] = first + i;
	return 0;
}

void lg_pages_free(struct lg_pages *pages)
{
	if (pages->list != NULL)
		lg_os_unreserve(pages->list, pages->capacity * sizeof(uint64_t));
	*pages = (struct lg_pages){ NULL, 0, 0 };
}

/* What is locked in memory cannot be armed: written.h. The header is written by all that changes the heap, so it is there. */
static bool is_locked(const struct lg_heap *heap)
{
	return lg_os_is_locked(heap->header, LG_HEAP_PAGE);
}

int lg_dirty_watch(struct lg_heap *heap)
{
	if (heap->watching) {
		if (heap->written.exact && is_locked(heap))
			lg_os_written_disarm(&heap->written);
		return 0;
	}
	int error = lg_os_written_open(&heap->written, heap->base, heap->bytes,
				       heap->unarmed || is_locked(heap));
	if (error != 0)
		return lg_fail(
			-error,
			"/proc/thread-self/pagemap, which says what was written, cannot be read: "
			"%s",
			lg_error_name(-error));
	heap->watching = true;
	return 0;
}

static int note(void *argument, void *first, size_t bytes)
{
	struct lg_heap *heap = argument;
	uint64_t offset = (uint64_t)((char *)first - heap->base);

	return lg_pages_add(&heap->dirty, offset / LG_HEAP_PAGE, bytes / LG_HEAP_PAGE);
}

static int look(struct lg_heap *heap, uint64_t from, uint64_t to)
{
	if (to <= from)
		return 0;
	return heap->everything ?
		       lg_os_written_private(&heap->written, heap->base + from, to - from, note,
					     heap) :
		       lg_os_written_scan(&heap->written, heap->base + from, to - from, note, heap);
}

/* Chunks that the program or the allocator may have written, as few stretches as there are. */
static int look_at_chunks(struct lg_heap *heap, uint64_t chunks)
{
	uint64_t first = LG_CHUNK_FIRST;
	int error = 0;

	for (uint64_t number = first; number <= chunks && error == 0; number++) {
		bool ours = number == chunks || heap->table[number].kind == LG_CHUNK_JOURNAL ||
			    heap->table[number].kind == LG_CHUNK_SUMS;

		if (!ours)
			continue;
		error = look(heap, first << LG_CHUNK_SHIFT, number << LG_CHUNK_SHIFT);
		first = number + 1;
	}
	return error;
}

static int look_at_all(struct lg_heap *heap, uint64_t chunks)
{
	uint64_t table =
		LG_TABLE_OFFSET + lg_round_up(chunks * sizeof(struct lg_chunk_entry), LG_HEAP_PAGE);
	int error = look(heap, LG_HEADER_OFFSET, table);

	return error != 0 ? error : look_at_chunks(heap, chunks);
}

static int by_number(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static void sort_once(struct lg_pages *pages)
{
	uint64_t kept = 0;

	if (pages->count == 0) /* there may be no list */
		return;
	qsort(pages->list, pages->count, sizeof(uint64_t), by_number);
	for (uint64_t i = 0; i < pages->count; i++)
		if (kept == 0 || pages->list[kept - 1] != pages->list[i])
			pages->list[kept++] = pages->list[i];
	pages->count = kept;
}

static bool is_free(const struct lg_heap *heap, uint64_t page)
{
	const struct lg_chunk_entry *entry = &heap->table[page / LG_CHUNK_PAGES];

	if (page / LG_CHUNK_PAGES >= heap->header->chunks)
		return true;
	if (entry->kind == LG_CHUNK_EXTENT)
		return (entry->used >> page % LG_CHUNK_PAGES / LG_UNIT_PAGES & 1) == 0;
	return entry->kind != LG_CHUNK_SLAB && entry->kind != LG_CHUNK_META;
}

/* By one call for many: with a call for each, that is a sixth of a commit of scattered pages. Locked ones go, too. */
void lg_dirty_give_up(struct lg_heap *heap, const uint64_t *list, uint64_t count)
{
	struct iovec ranges[RANGES_MAX];
	unsigned filled = 0;

	for (uint64_t i = 0, run; i < count; i += run) {
		for (run = 1; i + run < count && list[i + run] == list[i] + run; run++)
			;
		ranges[filled++] =
			(struct iovec){ heap->base + list[i] * LG_HEAP_PAGE, run * LG_HEAP_PAGE };
		if (filled == RANGES_MAX) {
			lg_os_drop_many(ranges, filled);
			filled = 0;
		}
	}
	lg_os_drop_many(ranges, filled);
}

/* Takes out what lies in free space, and gives its memory back. */
static void leave_free_space(struct lg_heap *heap)
{
	struct lg_pages *pages = &heap->dirty;
	uint64_t kept = 0, start = 0;

	for (uint64_t i = 0; i <= pages->count; i++) {
		if (i < pages->count && is_free(heap, pages->list[i]))
			continue;
		if (i > start)
			lg_dirty_give_up(heap, pages->list + start, i - start);
		if (i < pages->count)
			pages->list[kept++] = pages->list[i];
		start = i + 1;
	}
	pages->count = kept;
}

/* In no image that a crash could bring back: free in the last commit, and in no record of the ring. */
static bool may_go_home(const struct lg_heap *heap, uint64_t page, uint64_t checkpointed)
{
	uint64_t number = page / LG_CHUNK_PAGES;

	return heap->table[number].kind == LG_CHUNK_EXTENT &&
	       (heap->chunks[number].newborn >> page % LG_CHUNK_PAGES / LG_UNIT_PAGES & 1) != 0 &&
	       lg_load_relaxed(&heap->homes[page]) <= checkpointed;
}

static void choose_homeward(struct lg_heap *heap)
{
	const struct lg_pages *pages = &heap->dirty;

	heap->homeward.count = 0;
	if (heap->nursery.count == 0)
		return;
	pthread_mutex_lock(&heap->journal_lock);
	uint64_t checkpointed = heap->checkpointed;
	pthread_mutex_unlock(&heap->journal_lock);
	for (uint64_t i = 0, run; i < pages->count; i += lg_max(run, 1)) {
		uint64_t first = pages->list[i];

		for (run = 0; i + run < pages->count && pages->list[i + run] == first + run &&
			      may_go_home(heap, first + run, checkpointed);
		     run++)
			;
		if (run >= HOMEWARD_RUN && lg_pages_add(&heap->homeward, first, run) != 0)
			break; /* the others go by the journal */
	}
	if (heap->homeward.count < HOMEWARD_MIN)
		heap->homeward.count = 0;
}

int lg_dirty_collect(struct lg_heap *heap)
{
	int error = 0;

	heap->dirty.count = 0;
	for (uint64_t i = 0; i < heap->carried.count && error == 0; i++)
		error = lg_pages_add(&heap->dirty, heap->carried.list[i], 1);
	if (error == 0)
		error = look_at_all(heap, heap->header->chunks);
	if (error != 0) {
		heap->everything = true; /* some marks are set again, and nobody knows which */
		return lg_fail(-error, "what was written cannot be found out: %s",
			       lg_error_name(-error));
	}
	heap->everything = false;
	heap->carried.count = 0;
	sort_once(&heap->dirty);
	leave_free_space(heap);
	choose_homeward(heap);
	return 0;
}

void lg_dirty_carry(struct lg_heap *heap)
{
	struct lg_pages free = heap->carried;

	heap->carried = heap->dirty;
	heap->dirty = free;
	heap->dirty.count = 0;
}

static bool is_dirty(const struct lg_heap *heap, uint64_t page)
{
	return heap->dirty.count > 0 &&
	       bsearch(&page, heap->dirty.list, heap->dirty.count, sizeof(page), by_number) != NULL;
}

void lg_dirty_drop(struct lg_heap *heap)
{
	uint64_t pages[DROP_MAX], count = 0;

	if (!heap->written.exact)
		return;
	pthread_mutex_lock(&heap->journal_lock);
	while (count < DROP_MAX && heap->droppable.count > 0) {
		uint64_t page = heap->droppable.list[--heap->droppable.count];

		if (lg_load_relaxed(&heap->homes[page]) <= heap->checkpointed &&
		    !is_dirty(heap, page))
			pages[count++] = page;
	}
	pthread_mutex_unlock(&heap->journal_lock);
	qsort(pages, count, sizeof(*pages), by_number);
	lg_dirty_give_up(heap, pages, count);
	lg_own_add(&heap->dropped, count);
}

void lg_dirty_forget(struct lg_heap *heap)
{
	lg_dirty_give_up(heap, heap->dirty.list, heap->dirty.count);
	lg_own_add(&heap->dropped, heap->dirty.count);
}

int lg_dirty_discard(struct lg_heap *heap)
{
	uint64_t end = heap->file_bytes >> LG_CHUNK_SHIFT;
	int error = 0;

	heap->dirty.count = 0;
	for (uint64_t i = 0; i < heap->carried.count && error == 0; i++)
		error = lg_pages_add(&heap->dirty, heap->carried.list[i], 1);
	if (error == 0)
		error = look_at_all(heap, lg_min(end, heap->capacity));
	if (error != 0) {
		heap->everything = true;
		return lg_fail(-error, "what was written cannot be found out: %s",
			       lg_error_name(-error));
	}
	heap->everything = false;
	heap->carried.count = 0;
	sort_once(&heap->dirty);
	lg_dirty_give_up(heap, heap->dirty.list, heap->dirty.count);
	heap->dirty.count = 0;
	return 0;
}
