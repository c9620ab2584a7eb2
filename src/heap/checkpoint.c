/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/checkpoint.h"

#include "base/error.h"
#include "heap/journal.h"
#include "heap/space.h"
#include "os/map.h"
#include "os/thread.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { PIECE_PAGES = 256, PIECE_BYTES = PIECE_PAGES * LG_HEAP_PAGE };

/* Pages written home, for their checksums. */
struct sum {
	uint64_t page;
	uint32_t crc;
};

struct work {
	char *piece;
	struct sum *sums;
	uint64_t count;
	uint64_t capacity;
	size_t mapped;
};

static int start_work(struct work *work, const struct lg_record *first,
		      const struct lg_record *last)
{
	void *memory;

	*work = (struct work){ 0 };
	for (const struct lg_record *record = first;; record = record->next) {
		work->capacity += record->count;
		if (record == last)
			break;
	}
	work->mapped = PIECE_BYTES + work->capacity * sizeof(struct sum);
	int error = lg_os_map_record(work->mapped, &memory);
	if (error != 0)
		return error;
	work->piece = memory;
	work->sums = (struct sum *)(void *)(work->piece + PIECE_BYTES);
	return 0;
}

/* Up to a piece's pages of a record: read from the ring, the newest written home, neighbours together. */
static int write_piece(struct lg_heap *heap, const struct lg_record *record, uint64_t from,
		       uint64_t count, struct work *work)
{
	uint64_t header = lg_record_header_pages(record->count);
	int error = lg_ring_read(heap, record->at + (header + from) * LG_HEAP_PAGE, work->piece,
				 count * LG_HEAP_PAGE);

	for (uint64_t i = 0, run; i < count && error == 0; i += run) {
		const struct lg_record_entry *entry = &record->entries[from + i];

		for (run = 0; i + run < count && entry[run].page == entry->page + run; run++) {
			if (lg_load_relaxed(&heap->homes[entry[run].page]) != record->sequence)
				break;
			work->sums[work->count++] = (struct sum){ entry[run].page, entry[run].crc };
		}
		if (run == 0) {
			run = 1;
			continue;
		}
		error = heap->disk.ops->write(&heap->disk, work->piece + i * LG_HEAP_PAGE,
					      run * LG_HEAP_PAGE, entry->page * LG_HEAP_PAGE);
		lg_own_add(&heap->pages_home, run);
	}
	return error;
}

static int write_record(struct lg_heap *heap, const struct lg_record *record, struct work *work)
{
	int error = 0;

	for (uint64_t from = 0; from < record->images && error == 0; from += PIECE_PAGES) {
		uint64_t count = lg_min(record->images - from, PIECE_PAGES);
		uint64_t before = work->count;

		error = write_piece(heap, record, from, count, work);
		/* A commit's flush waits for whatever is dirty in the page cache: never leave it much. */
		if (error == 0 && work->count > before && !heap->foreground) {
			uint64_t first = work->sums[before].page;
			uint64_t last = work->sums[work->count - 1].page;

			lg_os_disk_write_back(&heap->disk, first * LG_HEAP_PAGE,
					      (last - first + 1) * LG_HEAP_PAGE);
		}
	}
	for (uint64_t i = record->images; i < record->count; i++) /* home already (J8) */
		if (lg_load_relaxed(&heap->homes[record->entries[i].page]) == record->sequence)
			work->sums[work->count++] =
				(struct sum){ record->entries[i].page, record->entries[i].crc };
	return error;
}

static int by_page(const void *a, const void *b)
{
	const struct sum *left = a, *right = b;

	return left->page < right->page ? -1 : left->page > right->page;
}

/* The table of checksums, page by page of it. A page of the heap is in `sums` once: only its newest was written. */
static int write_sums(struct lg_heap *heap, struct work *work)
{
	enum { SUMS = LG_HEAP_PAGE / sizeof(uint32_t) };
	uint32_t table[SUMS];
	int error = 0;

	qsort(work->sums, work->count, sizeof(*work->sums), by_page);
	for (uint64_t i = 0; i < work->count && error == 0;) {
		uint64_t page = work->sums[i].page, block = page / SUMS;
		uint64_t sums = heap->header->sums[page / LG_CHUNK_PAGES / LG_SUM_CHUNKS];
		uint64_t at =
			(sums << LG_CHUNK_SHIFT) + block % (LG_CHUNK / LG_HEAP_PAGE) * LG_HEAP_PAGE;

		if (sums == 0) { /* chunks that came back by a rollback have none: not known */
			i++;
			continue;
		}
		error = heap->disk.ops->read(&heap->disk, table, sizeof(table), at);
		for (; i < work->count && work->sums[i].page / SUMS == block; i++)
			table[work->sums[i].page % SUMS] = lg_sum_of(work->sums[i].crc);
		if (error == 0)
			error = heap->disk.ops->write(&heap->disk, table, sizeof(table), at);
	}
	return error;
}

static void forget_records(struct lg_heap *heap, const struct lg_record *last,
			   struct lg_record **old)
{
	struct lg_record *record = heap->oldest;

	pthread_mutex_lock(&heap->journal_lock);
	*old = record;
	for (; record != last; record = record->next)
		heap->ring_used -= record->bytes;
	heap->ring_used -= record->bytes;
	heap->oldest = record->next;
	if (heap->oldest == NULL)
		heap->newest = NULL;
	heap->checkpointed = record->sequence;
	heap->checkpointed_epoch = record->epoch;
	record->next = NULL;
	lg_own_add(&heap->checkpoints, 1);
	pthread_mutex_unlock(&heap->journal_lock);
}

/* The tail behind `last`, durable. */
static int move_tail(struct lg_heap *heap, const struct lg_record *last, uint64_t file_bytes)
{
	struct lg_super before = heap->super;

	heap->super.tail = (last->at + last->bytes) % heap->ring_bytes;
	heap->super.tail_sequence = last->sequence + 1;
	heap->super.bytes = file_bytes;
	int error = lg_super_write(heap);
	if (error != 0) {
		uint64_t write = heap->super.write;

		heap->super = before;
		heap->super.write = write;
	}
	return error;
}

/* Pages whose private copy the next commits may give up. */
static void note_droppable(struct lg_heap *heap, const struct work *work)
{
	enum { MOST = 1 << 20 };

	pthread_mutex_lock(&heap->journal_lock);
	for (uint64_t i = 0; i < work->count && heap->droppable.count < MOST; i++)
		if (lg_pages_add(&heap->droppable, work->sums[i].page, 1) != 0)
			break; /* they stay in memory */
	pthread_mutex_unlock(&heap->journal_lock);
}

static int run(struct lg_heap *heap, const struct lg_record *last)
{
	struct lg_record *old = NULL, *next;
	struct work work;
	int error = start_work(&work, heap->oldest, last);

	if (error != 0)
		return error;
	uint64_t file_bytes = heap->file_durable;
	for (const struct lg_record *record = heap->oldest; error == 0; record = record->next) {
		error = write_record(heap, record, &work);
		if (record == last)
			break;
	}
	if (error == 0)
		error = write_sums(heap, &work);
	if (error != 0)
		goto out;
	error = lg_journal_flush(heap);
	if (error == 0)
		error = move_tail(heap, last, file_bytes);
	if (error != 0) {
		/* After a failed flush nobody knows what the page cache still has to write. */
		(void)lg_journal_fail(heap, error, "what was committed cannot be flushed home");
		goto out;
	}
	forget_records(heap, last, &old);
	note_droppable(heap, &work);
	for (; old != NULL; old = next) {
		next = old->next;
		lg_record_free(old);
	}
	error = lg_space_punch(heap);
out:
	lg_os_unreserve(work.piece, work.mapped);
	return error;
}

int lg_checkpoint_run(struct lg_heap *heap)
{
	int error = 0;

	pthread_mutex_lock(&heap->checkpoint_lock);
	pthread_mutex_lock(&heap->journal_lock);
	const struct lg_record *last = heap->newest;
	pthread_mutex_unlock(&heap->journal_lock);
	if (lg_load_relaxed(&heap->failed) != 0)
		error = lg_fail(EIO,
				"the disk failed earlier; the heap is read-only until it is opened "
				"again");
	else if (last != NULL)
		error = run(heap, last);
	if (error != 0 && lg_load_relaxed(&heap->failed) == 0)
		error = lg_fail(-error, "the journal cannot be written home: %s",
				lg_error_name(-error));
	pthread_mutex_unlock(&heap->checkpoint_lock);
	return error;
}

static bool is_due(const struct lg_heap *heap)
{
	return heap->worker_wanted || heap->ring_used > heap->ring_bytes / 2;
}

static void sleep_a_second(struct lg_heap *heap)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec++;
	pthread_cond_timedwait(&heap->journal_changed, &heap->journal_lock, &until);
}

static void *work_on(void *argument)
{
	struct lg_heap *heap = argument;

	lg_os_thread_name("lgalloc-heap");
	pthread_mutex_lock(&heap->journal_lock);
	while (!heap->worker_ends) {
		const struct lg_record *oldest = heap->oldest;

		if (!is_due(heap)) {
			if (oldest == NULL)
				pthread_cond_wait(&heap->journal_changed, &heap->journal_lock);
			else
				sleep_a_second(heap);
			if (!is_due(heap) && (oldest == NULL || heap->oldest != oldest))
				continue;
		}
		heap->worker_wanted = false;
		pthread_mutex_unlock(&heap->journal_lock);
		int error = lg_checkpoint_run(heap);
		pthread_mutex_lock(&heap->journal_lock);
		heap->checkpoint_error = error;
		if (error != 0 && !heap->worker_ends) /* a full disk: not again at once */
			sleep_a_second(heap);
	}
	heap->worker_runs = false;
	pthread_cond_broadcast(&heap->journal_changed);
	pthread_mutex_unlock(&heap->journal_lock);
	return NULL;
}

void lg_checkpoint_start(struct lg_heap *heap)
{
	if (heap->foreground || heap->worker_runs)
		return;
	heap->worker_runs = true;
	if (lg_os_thread_start(work_on, heap, NULL) != 0)
		heap->worker_runs = false; /* commits do it */
}

void lg_checkpoint_poke(struct lg_heap *heap)
{
	pthread_mutex_lock(&heap->journal_lock);
	if (heap->oldest == heap->newest || is_due(heap))
		pthread_cond_broadcast(&heap->journal_changed);
	pthread_mutex_unlock(&heap->journal_lock);
}

void lg_checkpoint_stop(struct lg_heap *heap)
{
	pthread_mutex_lock(&heap->journal_lock);
	heap->worker_ends = true;
	pthread_cond_broadcast(&heap->journal_changed);
	while (heap->worker_runs)
		pthread_cond_wait(&heap->journal_changed, &heap->journal_lock);
	pthread_mutex_unlock(&heap->journal_lock);
}
