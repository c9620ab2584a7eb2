/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/damage.h"

#include "base/crc.h"
#include "heap/journal.h"
#include "heap/record.h"
#include "os/map.h"

#include <errno.h>

/*
 * How far to look. A header that looks like one, with something wrong, was begun: somewhere behind it the next one may
 * be. Where nothing of a header is to be seen, the journal's end is what is likely, and a few pages tell of a header that
 * was lost as a whole without making every open after a crash read all of the ring.
 */
enum { NEAR_BYTES = 4 << 20, FAR_BYTES = 1 << 30 };

/* Two of the three words that only the record here would have; not of one that an earlier round left. */
static int looks_begun(struct lg_heap *heap, bool *begun)
{
	_Alignas(LG_HEAP_PAGE) char page[LG_HEAP_PAGE];
	const struct lg_record_header *header = (const struct lg_record_header *)(void *)page;
	struct lg_record *record;
	int error = lg_ring_read(heap, heap->ring_head, page, sizeof(page));

	if (error != 0)
		return error;
	*begun = (header->magic == LG_RECORD_MAGIC) + (header->salt == heap->super.salt) +
			 (header->sequence == heap->sequence + 1) >=
		 2;
	if (!*begun || header->sequence > heap->sequence)
		return 0;
	int counts = lg_record_read(heap, heap->ring_head, &record);
	if (counts > 0) {
		*begun = false;
		lg_record_free(record);
	}
	return counts < 0 ? counts : 0;
}

/* Of a page that can begin one, whether it does. */
static int read_later(struct lg_heap *heap, uint64_t at, uint64_t *later)
{
	struct lg_record *record;
	int counts = lg_record_read(heap, at, &record);

	if (counts > 0) {
		*later = record->sequence;
		lg_record_free(record);
	}
	return counts;
}

static int scan(struct lg_heap *heap, uint64_t from, uint64_t bytes, char *piece, uint64_t *later)
{
	int found = 0;

	for (uint64_t done = 0; done < bytes && found == 0;
	     done += (uint64_t)LG_RECORD_PIECE * LG_HEAP_PAGE) {
		uint64_t length = lg_min(bytes - done, (uint64_t)LG_RECORD_PIECE * LG_HEAP_PAGE);

		found = lg_ring_read(heap, from + done, piece, length);
		for (uint64_t at = 0; at < length && found == 0; at += LG_HEAP_PAGE)
			if (lg_record_may_begin(heap, piece + at, heap->sequence + 1))
				found = read_later(heap, from + done + at, later);
	}
	return found;
}

int lg_damage_look(struct lg_heap *heap, const struct lg_record *torn, uint64_t *later)
{
	uint64_t left = heap->ring_bytes - heap->ring_used;
	uint64_t skip = torn != NULL ? torn->bytes : 0;
	bool begun = torn != NULL;
	void *piece;
	int error = begun ? 0 : looks_begun(heap, &begun);

	if (error != 0 || (!begun && heap->super.clean != 0) || skip >= left)
		return error;
	error = lg_os_map_record((size_t)LG_RECORD_PIECE * LG_HEAP_PAGE, &piece);
	if (error != 0)
		return error;
	error = scan(heap, heap->ring_head + skip,
		     lg_min(left - skip, begun ? FAR_BYTES : NEAR_BYTES), piece, later);
	lg_os_unreserve(piece, (size_t)LG_RECORD_PIECE * LG_HEAP_PAGE);
	return error;
}

static int note_bad(void *argument, const struct lg_record *record, uint64_t from, uint64_t count,
		    const char *images)
{
	struct lg_heap_damage *damage = argument;

	for (uint64_t i = 0; i < count; i++) {
		const struct lg_record_entry *entry = &record->entries[from + i];

		if (lg_crc32c(0, images + i * LG_HEAP_PAGE, LG_HEAP_PAGE) == entry->crc)
			continue;
		if (damage->count == LG_BAD_IMAGES_MAX)
			return -E2BIG;
		damage->bad[damage->count++] =
			(struct lg_bad_image){ entry->page, record->sequence, entry->crc };
	}
	return 0;
}

bool lg_damage_keep(struct lg_heap *heap, const struct lg_record *record, char *piece)
{
	return lg_record_images(heap, record, piece, note_bad, &heap->damage) == 0;
}

/* Whether the page is in its place as this image had it. */
static bool is_home(struct lg_heap *heap, const struct lg_bad_image *image)
{
	_Alignas(LG_HEAP_PAGE) char page[LG_HEAP_PAGE];

	return heap->disk.ops->read(&heap->disk, page, sizeof(page), image->page * LG_HEAP_PAGE) ==
		       0 &&
	       lg_crc32c(0, page, sizeof(page)) == image->crc;
}

static bool is_missed(struct lg_heap *heap, const struct lg_bad_image *image)
{
	if (lg_load_relaxed(&heap->homes[image->page]) > image->sequence)
		return false;
	if (!is_home(heap, image))
		return true;
	lg_store_relaxed(&heap->homes[image->page],
			 0); /* no older image is to be replayed over it */
	return false;
}

/* Records of this sequence and later ones are none. */
static void go_back(struct lg_heap *heap, uint64_t sequence)
{
	struct lg_record *records = heap->oldest, *next;

	for (const struct lg_record *record = records; record != NULL; record = record->next)
		for (uint64_t i = 0; i < record->count; i++)
			lg_store_relaxed(&heap->homes[record->entries[i].page], 0);
	heap->oldest = NULL;
	heap->newest = NULL;
	heap->ring_used = 0;
	heap->ring_head = heap->super.tail;
	heap->sequence = heap->super.tail_sequence - 1;
	for (struct lg_record *record = records; record != NULL; record = next) {
		next = record->next;
		if (record->sequence < sequence)
			lg_journal_note(heap, record);
		else
			lg_record_free(record);
	}
}

void lg_damage_mend(struct lg_heap *heap)
{
	struct lg_heap_damage *damage = &heap->damage;

	for (uint32_t i = 0; i < damage->count; i++)
		if (is_missed(heap, &damage->bad[i])) {
			go_back(heap, damage->sequence);
			damage->back = true;
			break;
		}
}
