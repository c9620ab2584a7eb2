/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/record.h"

#include "base/crc.h"
#include "heap/journal.h"
#include "os/map.h"

#include <errno.h>
#include <string.h>

static bool is_possible(const struct lg_heap *heap, const struct lg_record_header *header)
{
	return header->magic == LG_RECORD_MAGIC && header->salt == heap->super.salt &&
	       header->pages > 0 && header->homes <= header->pages &&
	       header->header_pages == lg_record_header_pages(header->pages) &&
	       ((uint64_t)header->header_pages + header->pages - header->homes) * LG_HEAP_PAGE <=
		       heap->ring_bytes;
}

bool lg_record_may_begin(const struct lg_heap *heap, const void *page, uint64_t beyond)
{
	const struct lg_record_header *header = page;

	/* More records than that do not fit. */
	return is_possible(heap, header) && header->sequence > beyond &&
	       header->sequence - beyond <= heap->ring_bytes / LG_HEAP_PAGE;
}

int lg_record_read(struct lg_heap *heap, uint64_t at, struct lg_record **record)
{
	_Alignas(LG_HEAP_PAGE) char page[LG_HEAP_PAGE];
	struct lg_record_header *header = (struct lg_record_header *)(void *)page;
	int error = lg_ring_read(heap, at, page, sizeof(page));
	void *memory;

	*record = NULL;
	if (error != 0)
		return error;
	if (!is_possible(heap, header))
		return 0;
	size_t bytes = (size_t)header->header_pages * LG_HEAP_PAGE;
	error = lg_os_map_record(bytes, &memory);
	if (error != 0)
		return error;
	uint32_t count = header->pages, homes = header->homes;
	error = lg_ring_read(heap, at, memory, bytes);
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
		(*record)->at = at % heap->ring_bytes;
		(*record)->sequence = header->sequence;
	}
	lg_os_unreserve(memory, bytes);
	return error != 0 ? error : *record != NULL;
}

int lg_record_images(struct lg_heap *heap, const struct lg_record *record, char *piece,
		     lg_record_each *each, void *argument)
{
	uint64_t at = record->at + lg_record_header_pages(record->count) * LG_HEAP_PAGE;
	int error = 0;

	for (uint64_t from = 0; from < record->images && error == 0; from += LG_RECORD_PIECE) {
		uint64_t count = lg_min(record->images - from, LG_RECORD_PIECE);

		error = lg_ring_read(heap, at + from * LG_HEAP_PAGE, piece, count * LG_HEAP_PAGE);
		if (error == 0)
			error = each(argument, record, from, count, piece);
	}
	return error;
}
