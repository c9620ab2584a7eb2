/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/journal.h"

#include "base/crc.h"
#include "base/error.h"
#include "heap/checkpoint.h"
#include "heap/gate.h"
#include "heap/space.h"
#include "os/map.h"

#include <errno.h>
#include <string.h>

enum { STAGING_BYTES = LG_STAGING_PAGES * LG_HEAP_PAGE };

/* The stretch of the file at a place in the ring, and how long it is. */
static uint64_t place(const struct lg_heap *heap, uint64_t at, uint64_t *length)
{
	const struct lg_segment *segment = heap->super.segment;

	for (at %= heap->ring_bytes; at >= segment->bytes; segment++)
		at -= segment->bytes;
	*length = segment->bytes - at;
	return segment->offset + at;
}

int lg_ring_write(struct lg_heap *heap, uint64_t at, const void *data, uint64_t bytes)
{
	const char *from = data;
	int error = 0;

	while (bytes > 0 && error == 0) {
		uint64_t length, offset = place(heap, at, &length);

		length = lg_min(length, bytes);
		error = heap->disk.ops->write_direct(&heap->disk, from, length, offset);
		from += length;
		at += length;
		bytes -= length;
	}
	return error;
}

int lg_ring_read(struct lg_heap *heap, uint64_t at, void *data, uint64_t bytes)
{
	char *to = data;
	int error = 0;

	while (bytes > 0 && error == 0) {
		uint64_t length, offset = place(heap, at, &length);

		length = lg_min(length, bytes);
		error = heap->disk.ops->read_direct(&heap->disk, to, length, offset);
		to += length;
		at += length;
		bytes -= length;
	}
	return error;
}

int lg_journal_fail(struct lg_heap *heap, int error, const char *what)
{
	uint32_t opened = heap->fenced ? LG_GATE_FENCED : LG_GATE_OPENED;

	lg_store_relaxed(&heap->failed, -error);
	(void)lg_cas_ordered(&heap->gate, &opened,
			     LG_GATE_REFUSED); /* closed: refused when it opens */
	return lg_fail(-error, "%s: %s; the heap is read-only until it is opened again", what,
		       lg_error_name(-error));
}

int lg_journal_flush(struct lg_heap *heap)
{
	int error = heap->disk.ops->sync(&heap->disk);

	return error != 0 ? lg_journal_fail(heap, error, "the disk's flush failed") : 0;
}

/* J9. One copy would do against a power cut; but the bits of that one may change later. */
int lg_super_write(struct lg_heap *heap)
{
	_Alignas(LG_HEAP_PAGE) char page[LG_HEAP_PAGE] = { 0 };
	int error = 0;

	heap->super.write++;
	lg_super_seal(&heap->super);
	memcpy(page, &heap->super, sizeof(heap->super));
	for (unsigned copies = 0; copies < 2 && error == 0; copies++) {
		unsigned place = heap->super_place ^ 1;

		error = heap->disk.ops->write_direct(&heap->disk, page, sizeof(page),
						     (uint64_t)place * LG_HEAP_PAGE);
		if (error == 0)
			error = lg_journal_flush(heap);
		if (error == 0)
			heap->super_place = place;
	}
	return error;
}

int lg_journal_begin(struct lg_heap *heap)
{
	struct lg_super before = heap->super;
	int error = lg_os_random(&heap->super.salt, sizeof(heap->super.salt));

	if (error != 0)
		return lg_fail(-error, "the system gives no random bytes: %s",
			       lg_error_name(-error));
	heap->super.clean = 0;
	heap->super.tail = 0;
	heap->super.tail_sequence = heap->sequence + 1;
	heap->ring_head = 0;
	error = lg_super_write(heap);
	if (error == 0)
		return 0;
	heap->super = before;
	return lg_journal_fail(heap, error, "the superblock cannot be written");
}

struct lg_record *lg_record_new(uint64_t pages, uint64_t homes)
{
	size_t bytes = sizeof(struct lg_record) + pages * sizeof(struct lg_record_entry);
	void *memory;

	if (lg_os_map_record(bytes, &memory) != 0)
		return NULL;
	struct lg_record *record = memory;
	record->mapped = bytes;
	record->count = pages;
	record->images = pages - homes;
	record->bytes = (lg_record_header_pages(pages) + pages - homes) * LG_HEAP_PAGE;
	return record;
}

void lg_record_free(struct lg_record *record)
{
	lg_os_unreserve(record, record->mapped);
}

void lg_journal_note(struct lg_heap *heap, struct lg_record *record)
{
	pthread_mutex_lock(&heap->journal_lock);
	for (uint64_t i = 0; i < record->count; i++)
		lg_store_relaxed(&heap->homes[record->entries[i].page], record->sequence);
	record->next = NULL;
	if (heap->newest != NULL)
		heap->newest->next = record;
	else
		heap->oldest = record;
	heap->newest = record;
	heap->ring_head = (record->at + record->bytes) % heap->ring_bytes;
	heap->ring_used += record->bytes;
	heap->sequence = record->sequence;
	pthread_mutex_unlock(&heap->journal_lock);
}

static uint64_t room(struct lg_heap *heap)
{
	pthread_mutex_lock(&heap->journal_lock);
	uint64_t bytes = heap->ring_bytes - heap->ring_used;
	pthread_mutex_unlock(&heap->journal_lock);
	return bytes;
}

static int write_zeros(struct lg_heap *heap, uint64_t offset, uint64_t bytes)
{
	int error = 0;

	memset(heap->staging, 0, STAGING_BYTES);
	for (uint64_t done = 0; done < bytes && error == 0; done += STAGING_BYTES)
		error = heap->disk.ops->write_direct(&heap->disk, heap->staging,
						     lg_min(bytes - done, STAGING_BYTES),
						     offset + done);
	return error;
}

/* At least doubles the ring, so that there are few pieces. It is empty, and the gate closed. (J7) */
static int extend_locked(struct lg_heap *heap, uint64_t bytes)
{
	struct lg_super before = heap->super;
	uint32_t chunk;

	if (heap->super.segments == LG_SEGMENTS_MAX)
		return lg_fail(ENOSPC,
			       "the journal has as many pieces as it can: commit less at once");
	bytes = lg_round_up(lg_max(bytes - heap->ring_bytes, heap->ring_bytes), LG_CHUNK);
	pthread_mutex_lock(&heap->space_lock);
	int error = lg_space_append(heap, bytes >> LG_CHUNK_SHIFT, LG_CHUNK_JOURNAL, &chunk);
	pthread_mutex_unlock(&heap->space_lock);
	if (error != 0)
		return error;
	uint64_t offset = (uint64_t)chunk << LG_CHUNK_SHIFT;
	error = heap->disk.ops->reserve(&heap->disk, offset, bytes);
	if (error == 0)
		error = write_zeros(heap, offset, bytes);
	if (error == 0)
		error = lg_journal_flush(heap);
	if (error != 0) {
		for (uint64_t i = 0; i < bytes >> LG_CHUNK_SHIFT; i++)
			lg_space_give_chunk(heap, chunk + (uint32_t)i, false);
		return lg_fail(-error, "the journal cannot grow by %llu MiB: %s",
			       (unsigned long long)bytes >> 20, lg_error_name(-error));
	}
	heap->file_durable = heap->file_bytes;
	heap->super.segment[heap->super.segments++] = (struct lg_segment){ offset, bytes };
	heap->super.tail = 0;
	heap->super.tail_sequence = heap->sequence + 1;
	heap->super.bytes = heap->file_bytes;
	error = lg_super_write(heap);
	if (error != 0) {
		/* Which of the two the disk has is not known: their rings differ. */
		heap->super = before;
		return lg_journal_fail(heap, error, "the journal cannot grow");
	}
	pthread_mutex_lock(&heap->journal_lock); /* statistics are read with the gate closed, too */
	heap->ring_head = 0;
	heap->ring_bytes += bytes;
	pthread_mutex_unlock(&heap->journal_lock);
	return 0;
}

static int extend(struct lg_heap *heap, uint64_t bytes)
{
	pthread_mutex_lock(&heap->checkpoint_lock); /* the superblock is its, too */
	int error = extend_locked(heap, bytes);
	pthread_mutex_unlock(&heap->checkpoint_lock);
	return error;
}

int lg_journal_make_room(struct lg_heap *heap, uint64_t bytes)
{
	int error = 0;

	/* Twice: a checkpoint that was running may have ended before the newest records. */
	for (int tries = 0; tries < 2 && error == 0 && room(heap) < bytes; tries++)
		error = lg_checkpoint_run(heap);
	if (error == 0 && room(heap) < bytes)
		error = extend(heap, bytes);
	return error;
}

static void copy_images(struct lg_heap *heap, struct lg_record_entry *entries, uint64_t count,
			char *to)
{
	for (uint64_t i = 0; i < count; i++, to += LG_HEAP_PAGE) {
		memcpy(to, heap->base + entries[i].page * LG_HEAP_PAGE, LG_HEAP_PAGE);
		entries[i].crc = lg_crc32c(0, to, LG_HEAP_PAGE);
	}
}

/* The header's pages, with their sum, in memory for all of them. */
static void make_header(const struct lg_heap *heap, const struct lg_record *record, char *to)
{
	struct lg_record_header *header = (struct lg_record_header *)(void *)to;
	uint64_t pages = lg_record_header_pages(record->count);

	memset(to, 0, pages * LG_HEAP_PAGE);
	*header = (struct lg_record_header){ .magic = LG_RECORD_MAGIC,
					     .salt = heap->super.salt,
					     .sequence = record->sequence,
					     .pages = (uint32_t)record->count,
					     .header_pages = (uint32_t)pages,
					     .homes = (uint32_t)(record->count - record->images) };
	memcpy(to + sizeof(*header), record->entries, record->count * sizeof(*record->entries));
	header->crc = lg_crc32c(0, to, pages * LG_HEAP_PAGE);
}

/* All pages were read. Old kernels: not before they are home (commit.c). */
static void release_gate(struct lg_heap *heap)
{
	if (heap->written.exact)
		lg_gate_open(heap);
}

/* What must be on the disk before the header is: J5, J8. `bytes` is the file's size as the record knows it. */
static int flush_before(struct lg_heap *heap, const struct lg_record *record, uint64_t bytes)
{
	if (bytes == heap->file_durable && record->images == record->count)
		return 0;
	int error = lg_journal_flush(heap);
	if (error == 0)
		heap->file_durable = bytes;
	return error;
}

/* One write: header and images lie together in the staging memory. */
static int put_small(struct lg_heap *heap, struct lg_record *record, uint64_t header_pages)
{
	uint64_t bytes = heap->file_bytes;

	copy_images(heap, record->entries, record->images,
		    heap->staging + header_pages * LG_HEAP_PAGE);
	release_gate(heap);
	make_header(heap, record, heap->staging);
	int error = flush_before(heap, record, bytes);
	return error != 0 ? error : lg_ring_write(heap, record->at, heap->staging, record->bytes);
}

/* Piece by piece with the gate closed, the header last. */
static int put_large(struct lg_heap *heap, struct lg_record *record, uint64_t header_pages)
{
	uint64_t header_bytes = header_pages * LG_HEAP_PAGE, at = record->at + header_bytes;
	uint64_t bytes = heap->file_bytes;
	void *header;
	int error = lg_os_map_record(header_bytes, &header);

	if (error != 0) {
		release_gate(heap);
		return error;
	}
	for (uint64_t done = 0; done < record->images && error == 0; done += LG_STAGING_PAGES) {
		uint64_t count = lg_min(record->images - done, LG_STAGING_PAGES);

		copy_images(heap, record->entries + done, count, heap->staging);
		error = lg_ring_write(heap, at + done * LG_HEAP_PAGE, heap->staging,
				      count * LG_HEAP_PAGE);
	}
	release_gate(heap);
	if (error == 0)
		error = flush_before(heap, record, bytes);
	if (error == 0) {
		make_header(heap, record, header);
		error = lg_ring_write(heap, record->at, header, header_bytes);
	}
	lg_os_unreserve(header, header_bytes);
	return error;
}

/* Where nobody looks yet (J8). */
static int put_homes(struct lg_heap *heap, struct lg_record *record)
{
	struct lg_record_entry *entries = record->entries + record->images;
	uint64_t count = record->count - record->images;
	int error = 0;

	for (uint64_t i = 0, run; i < count && error == 0; i += run) {
		for (run = 1; i + run < count && run < LG_STAGING_PAGES &&
			      entries[i + run].page == entries[i].page + run;
		     run++)
			;
		copy_images(heap, entries + i, run, heap->staging);
		error = heap->disk.ops->write(&heap->disk, heap->staging, run * LG_HEAP_PAGE,
					      entries[i].page * LG_HEAP_PAGE);
	}
	return error;
}

/* Both lists ascend, and `homeward` is part of `pages`. */
static void list_entries(struct lg_record *record, const struct lg_pages *pages,
			 const struct lg_pages *homeward)
{
	struct lg_record_entry *image = record->entries, *home = image + record->images;

	for (uint64_t i = 0, taken = 0; i < pages->count; i++) {
		bool goes_home = taken < homeward->count && homeward->list[taken] == pages->list[i];

		taken += goes_home;
		(goes_home ? home++ : image++)->page = pages->list[i];
	}
}

int lg_journal_put(struct lg_heap *heap, const struct lg_pages *pages,
		   const struct lg_pages *homeward)
{
	uint64_t header_pages = lg_record_header_pages(pages->count);
	struct lg_record *record = lg_record_new(pages->count, homeward->count);
	int error = 0;

	if (record == NULL)
		error = lg_fail(ENOMEM, "no memory for a commit of %llu pages",
				(unsigned long long)pages->count);
	if (error == 0)
		error = lg_journal_make_room(heap, record->bytes);
	if (error != 0) {
		release_gate(heap);
		goto undo;
	}
	record->at = heap->ring_head;
	record->sequence = heap->sequence + 1;
	record->epoch = heap->epoch;
	list_entries(record, pages, homeward);
	error = put_homes(heap, record);
	if (error != 0) {
		release_gate(heap);
		error = lg_fail(-error, "new objects cannot be written: %s", lg_error_name(-error));
		goto undo;
	}
	error = header_pages + record->images <= LG_STAGING_PAGES ?
			put_small(heap, record, header_pages) :
			put_large(heap, record, header_pages);
	if (error != 0 && lg_load_relaxed(&heap->failed) == 0)
		error = lg_fail(-error, "the journal cannot be written: %s", lg_error_name(-error));
	if (error == 0)
		error = lg_journal_flush(heap); /* J1 */
	if (error != 0)
		goto undo;
	lg_journal_note(heap, record);
	lg_own_add(&heap->pages_journaled, record->count);
	lg_own_add(&heap->bytes_journaled, record->bytes);
	return 0;
undo:
	if (record != NULL)
		lg_record_free(record);
	return error;
}
