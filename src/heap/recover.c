/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/recover.h"

#include "base/crc.h"
#include "base/error.h"
#include "heap/journal.h"
#include "os/map.h"

#include <errno.h>
#include <string.h>

enum { PIECE_PAGES = 256 };

int lg_recover_super(struct lg_heap *heap, const char *path)
{
	_Alignas(LG_HEAP_PAGE) char pages[2][LG_HEAP_PAGE];
	struct lg_super *found = NULL;
	const char *wrong = NULL;
	bool newer = false;

	if (heap->file_bytes < sizeof(pages))
		return lg_fail(EINVAL, "%s: it is no heap", path);
	int error = heap->disk.ops->read_direct(&heap->disk, pages, sizeof(pages), 0);
	if (error != 0)
		return lg_fail(-error, "%s: it cannot be read: %s", path, lg_error_name(-error));
	for (unsigned i = 0; i < 2; i++) {
		struct lg_super *super = (struct lg_super *)(void *)pages[i];
		const char *why = lg_super_check(super);

		newer = newer ||
			(super->magic == LG_HEAP_MAGIC && super->version > LG_HEAP_VERSION);
		if (why == NULL && (found == NULL || super->write > found->write))
			found = super;
		else if (why != NULL && (wrong == NULL || super->magic == LG_HEAP_MAGIC))
			wrong = why;
	}
	if (newer)
		return lg_fail(ENOTSUP, "%s: it was made by a newer version", path);
	if (found == NULL)
		return lg_fail(EINVAL, "%s: %s", path, wrong);
	if (heap->file_bytes < found->bytes)
		return lg_fail(EINVAL, "%s: it was truncated: %llu bytes of %llu", path,
			       (unsigned long long)heap->file_bytes,
			       (unsigned long long)found->bytes);
	heap->super = *found;
	heap->ring_bytes = lg_super_ring_bytes(found);
	heap->ring_head = found->tail;
	heap->sequence = found->tail_sequence - 1;
	heap->checkpointed = heap->sequence;
	return 0;
}

static bool header_counts(const struct lg_heap *heap, const struct lg_record_header *header)
{
	uint64_t left = heap->ring_bytes - heap->ring_used;

	return header->magic == LG_RECORD_MAGIC && header->salt == heap->super.salt &&
	       header->sequence == heap->sequence + 1 && header->pages > 0 &&
	       header->homes <= header->pages &&
	       header->header_pages == lg_record_header_pages(header->pages) &&
	       ((uint64_t)header->header_pages + header->pages - header->homes) * LG_HEAP_PAGE <=
		       left;
}

/* 1: it counts and *record is it; 0: it does not; -errno. */
static int read_header(struct lg_heap *heap, struct lg_record **record)
{
	_Alignas(LG_HEAP_PAGE) char page[LG_HEAP_PAGE];
	struct lg_record_header *header = (struct lg_record_header *)(void *)page;
	int error = lg_ring_read(heap, heap->ring_head, page, sizeof(page));
	void *memory;

	if (error != 0)
		return error;
	if (!header_counts(heap, header))
		return 0;
	size_t bytes = (size_t)header->header_pages * LG_HEAP_PAGE;
	error = lg_os_map_record(bytes, &memory);
	if (error != 0)
		return error;
	uint32_t count = header->pages, homes = header->homes;
	error = lg_ring_read(heap, heap->ring_head, memory, bytes);
	header = memory;
	uint32_t crc = header->crc;
	header->crc = 0;
	bool sound = error == 0 && header->pages == count && header->homes == homes &&
		     lg_crc32c(0, memory, bytes) == crc;
	*record = sound ? lg_record_new(count, homes) : NULL;
	if (sound && *record == NULL)
		error = -ENOMEM;
	if (*record != NULL) {
		memcpy((*record)->entries, (char *)memory + sizeof(*header),
		       count * sizeof(struct lg_record_entry));
		(*record)->at = heap->ring_head;
		(*record)->sequence = header->sequence;
	}
	lg_os_unreserve(memory, bytes);
	return error != 0 ? error : *record != NULL;
}

/* The images of a record, piece by piece. */
typedef int each_piece(struct lg_heap *heap, const struct lg_record *record, uint64_t from,
		       uint64_t count, const char *images);

static int read_images(struct lg_heap *heap, const struct lg_record *record, char *piece,
		       each_piece *each)
{
	uint64_t at = record->at + lg_record_header_pages(record->count) * LG_HEAP_PAGE;
	int error = 0;

	for (uint64_t from = 0; from < record->images && error == 0; from += PIECE_PAGES) {
		uint64_t count = lg_min(record->images - from, PIECE_PAGES);

		error = lg_ring_read(heap, at + from * LG_HEAP_PAGE, piece, count * LG_HEAP_PAGE);
		if (error == 0)
			error = each(heap, record, from, count, piece);
	}
	return error;
}

static int check_piece(struct lg_heap *heap, const struct lg_record *record, uint64_t from,
		       uint64_t count, const char *images)
{
	(void)heap;
	for (uint64_t i = 0; i < count; i++)
		if (lg_crc32c(0, images + i * LG_HEAP_PAGE, LG_HEAP_PAGE) !=
		    record->entries[from + i].crc)
			return -EBADMSG;
	return 0;
}

/* A sound record with a page where none of the image can be is not torn: somebody made it, or cut the file. */
static bool pages_fit(const struct lg_heap *heap, const struct lg_record *record)
{
	for (uint64_t i = 0; i < record->count; i++) {
		uint64_t page = record->entries[i].page;

		if (page >= heap->file_bytes / LG_HEAP_PAGE ||
		    page < LG_HEADER_OFFSET / LG_HEAP_PAGE ||
		    lg_super_has_chunk(&heap->super, page / LG_CHUNK_PAGES) ||
		    (i > 0 && i != record->images && page <= record->entries[i - 1].page))
			return false;
	}
	return true;
}

static int next_record(struct lg_heap *heap, char *piece, struct lg_record **record)
{
	int counts = read_header(heap, record);

	if (counts <= 0)
		return counts;
	int error = read_images(heap, *record, piece, check_piece);
	if (error == 0 && !pages_fit(heap, *record))
		error = -EINVAL;
	if (error == 0)
		return 1;
	lg_record_free(*record);
	return error == -EBADMSG ? 0 : error;
}

int lg_recover_records(struct lg_heap *heap, const char *path)
{
	struct lg_record *record = NULL;
	void *piece;
	int counts, error = lg_os_map_record((size_t)PIECE_PAGES * LG_HEAP_PAGE, &piece);

	if (error != 0)
		return lg_fail(-error, "%s: no memory to read the journal", path);
	while ((counts = next_record(heap, piece, &record)) > 0)
		lg_journal_note(heap, record);
	lg_os_unreserve(piece, (size_t)PIECE_PAGES * LG_HEAP_PAGE);
	if (counts == -EINVAL)
		return lg_fail(EINVAL, "%s: its journal names pages that it does not have", path);
	if (counts < 0)
		return lg_fail(-counts, "%s: its journal cannot be read: %s", path,
			       lg_error_name(-counts));
	return 0;
}

static int replay_piece(struct lg_heap *heap, const struct lg_record *record, uint64_t from,
			uint64_t count, const char *images)
{
	for (uint64_t i = 0; i < count; i++) {
		uint64_t page = record->entries[from + i].page;

		if (lg_load_relaxed(&heap->homes[page]) == record->sequence)
			memcpy(heap->base + page * LG_HEAP_PAGE, images + i * LG_HEAP_PAGE,
			       LG_HEAP_PAGE);
	}
	return 0;
}

int lg_recover_replay(struct lg_heap *heap, const char *path)
{
	void *piece;
	int error = lg_os_map_record((size_t)PIECE_PAGES * LG_HEAP_PAGE, &piece);

	if (error != 0)
		return lg_fail(-error, "%s: no memory to replay the journal", path);
	for (const struct lg_record *record = heap->oldest; record != NULL && error == 0;
	     record = record->next)
		error = read_images(heap, record, piece, replay_piece);
	lg_os_unreserve(piece, (size_t)PIECE_PAGES * LG_HEAP_PAGE);
	if (error != 0)
		return lg_fail(-error, "%s: its journal cannot be read: %s", path,
			       lg_error_name(-error));
	return 0;
}

void lg_recover_drop(struct lg_heap *heap, struct lg_pages *replayed)
{
	for (uint64_t i = 0; i < replayed->count; i++)
		(void)lg_os_advise(heap->base + replayed->list[i] * LG_HEAP_PAGE, LG_HEAP_PAGE,
				   LG_OS_DROP);
}
