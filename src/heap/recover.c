/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/recover.h"

#include "base/crc.h"
#include "base/error.h"
#include "heap/damage.h"
#include "heap/journal.h"
#include "heap/record.h"
#include "os/map.h"

#include <errno.h>
#include <string.h>

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

		newer = newer || lg_super_is_newer(super);
		if (why == NULL && (found == NULL || super->write > found->write)) {
			found = super;
			heap->super_place = i;
		} else if (why != NULL && (wrong == NULL || super->magic == LG_HEAP_MAGIC)) {
			wrong = why;
		}
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

static int check_piece(void *unused, const struct lg_record *record, uint64_t from, uint64_t count,
		       const char *images)
{
	(void)unused;
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

/*
 * The record that counts at the ring's head: 1. 0: none does; *record is then one that would, were its images right, or
 * NULL.
 */
static int next_record(struct lg_heap *heap, char *piece, struct lg_record **record)
{
	int counts = lg_record_read(heap, heap->ring_head, record);

	if (counts <= 0)
		return counts;
	int error = 0;
	if ((*record)->sequence != heap->sequence + 1 ||
	    (*record)->bytes > heap->ring_bytes - heap->ring_used)
		counts = 0;
	else
		error = lg_record_images(heap, *record, piece, check_piece, NULL);
	bool fits = counts > 0 && pages_fit(heap, *record);
	if (error == 0 && counts > 0 && fits)
		return 1;
	if (error == -EBADMSG && fits)
		return 0;
	lg_record_free(*record);
	*record = NULL;
	if (counts == 0 || error == -EBADMSG)
		return 0;
	return error != 0 ? error : -EINVAL;
}

/* What a record that does not count means. 1: it was kept, and the next one is to be read; 0: the journal's end. */
static int look_at_end(struct lg_heap *heap, const char *path, char *piece,
		       struct lg_record *record)
{
	struct lg_heap_damage *damage = &heap->damage;
	uint64_t later = 0;
	int found = lg_damage_look(heap, record, &later);

	if (found <= 0)
		return found;
	if (!heap->mend)
		return lg_fail(
			EUCLEAN,
			"%s: commit %llu is damaged in its journal, and commit %llu follows it; "
			"`lgalloc heap check` says what can be done",
			path, (unsigned long long)heap->sequence + 1, (unsigned long long)later);
	if (damage->sequence == 0) {
		damage->sequence = heap->sequence + 1;
		damage->later = later;
	}
	if (record != NULL && lg_damage_keep(heap, record, piece))
		return 1;
	damage->back = true;
	return 0;
}

static int read_records(struct lg_heap *heap, const char *path, char *piece)
{
	struct lg_record *record;

	for (;;) {
		int counts = next_record(heap, piece, &record);

		if (counts < 0)
			return counts == -EINVAL ?
				       lg_fail(EINVAL,
					       "%s: its journal names pages that it does not have",
					       path) :
				       lg_fail(-counts, "%s: its journal cannot be read: %s", path,
					       lg_error_name(-counts));
		if (counts == 0)
			counts = look_at_end(heap, path, piece, record);
		if (counts <= 0) {
			if (record != NULL)
				lg_record_free(record);
			return counts;
		}
		lg_journal_note(heap, record);
	}
}

int lg_recover_records(struct lg_heap *heap, const char *path)
{
	void *piece;
	int error = lg_os_map_record((size_t)LG_RECORD_PIECE * LG_HEAP_PAGE, &piece);

	if (error != 0)
		return lg_fail(-error, "%s: no memory to read the journal", path);
	error = read_records(heap, path, piece);
	lg_os_unreserve(piece, (size_t)LG_RECORD_PIECE * LG_HEAP_PAGE);
	if (error == 0)
		lg_damage_mend(heap);
	return error;
}

static int replay_piece(void *argument, const struct lg_record *record, uint64_t from,
			uint64_t count, const char *images)
{
	struct lg_heap *heap = argument;

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
	int error = lg_os_map_record((size_t)LG_RECORD_PIECE * LG_HEAP_PAGE, &piece);

	if (error != 0)
		return lg_fail(-error, "%s: no memory to replay the journal", path);
	for (const struct lg_record *record = heap->oldest; record != NULL && error == 0;
	     record = record->next)
		error = lg_record_images(heap, record, piece, replay_piece, heap);
	lg_os_unreserve(piece, (size_t)LG_RECORD_PIECE * LG_HEAP_PAGE);
	if (error != 0)
		return lg_fail(-error, "%s: its journal cannot be read: %s", path,
			       lg_error_name(-error));
	return 0;
}
