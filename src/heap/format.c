/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/format.h"

#include "base/crc.h"

#include <string.h>

static uint32_t sum_of(const struct lg_super *super)
{
	return lg_crc32c(0, super, offsetof(struct lg_super, crc));
}

void lg_super_seal(struct lg_super *super)
{
	super->crc = sum_of(super);
}

uint64_t lg_super_ring_bytes(const struct lg_super *super)
{
	uint64_t bytes = 0;

	for (uint32_t i = 0; i < super->segments; i++)
		bytes += super->segment[i].bytes;
	return bytes;
}

static uint64_t chunks_before(uint64_t offset)
{
	return (offset + LG_CHUNK - 1) >> LG_CHUNK_SHIFT;
}

bool lg_super_has_chunk(const struct lg_super *super, uint64_t chunk)
{
	for (uint32_t i = 0; i < super->segments; i++)
		if (chunk >= super->segment[i].offset >> LG_CHUNK_SHIFT &&
		    chunk < chunks_before(super->segment[i].offset + super->segment[i].bytes))
			return true;
	return false;
}

static const char *segment_check(const struct lg_super *super, uint32_t index)
{
	const struct lg_segment *segment = &super->segment[index];

	if (segment->offset % LG_CHUNK != 0 ||
	    segment->offset < (uint64_t)LG_CHUNK_FIRST << LG_CHUNK_SHIFT ||
	    segment->bytes % LG_HEAP_PAGE != 0 || segment->bytes == 0)
		return "a piece of its journal lies where none may";
	if (segment->offset > super->bytes || segment->bytes > super->bytes - segment->offset)
		return "its journal lies behind its end";
	for (uint32_t i = 0; i < index; i++)
		if (segment->offset < super->segment[i].offset + super->segment[i].bytes &&
		    super->segment[i].offset < segment->offset + segment->bytes)
			return "two pieces of its journal overlap";
	return NULL;
}

bool lg_super_is_newer(const struct lg_super *super)
{
	return super->magic == LG_HEAP_MAGIC && super->crc == sum_of(super) &&
	       super->version > LG_HEAP_VERSION;
}

const char *lg_super_check(const struct lg_super *super)
{
	if (super->magic != LG_HEAP_MAGIC)
		return "it is no heap";
	if (super->crc != sum_of(super))
		return "its superblock is damaged";
	if (lg_super_is_newer(super))
		return "it was made by a newer version";
	if (super->version == 0 || super->page_bytes != LG_HEAP_PAGE ||
	    super->mode > LG_HEAP_SHARED)
		return "its superblock says what no version writes";
	if ((super->segments == 0) != (super->mode == LG_HEAP_SHARED) ||
	    super->segments > LG_SEGMENTS_MAX ||
	    super->bytes < (uint64_t)LG_CHUNK_FIRST << LG_CHUNK_SHIFT ||
	    super->bytes > (uint64_t)LG_CHUNKS_MAX << LG_CHUNK_SHIFT)
		return "its sizes are impossible";
	for (uint32_t i = 0; i < super->segments; i++) {
		const char *wrong = segment_check(super, i);

		if (wrong != NULL)
			return wrong;
	}
	uint64_t ring = lg_super_ring_bytes(super);
	if (super->mode == LG_HEAP_SHARED)
		return NULL;
	if (ring < LG_JOURNAL_MIN || super->tail >= ring || super->tail % LG_HEAP_PAGE != 0 ||
	    super->tail_sequence == 0)
		return "its journal's bounds are impossible";
	return NULL;
}

static const char *entry_check(const struct lg_super *super, const struct lg_chunk_entry *entries,
			       uint32_t chunk)
{
	const struct lg_chunk_entry *entry = &entries[chunk];

	if (entry->kind >= LG_CHUNK_KINDS)
		return "a chunk of its table is of no kind";
	if ((entry->kind == LG_CHUNK_META) != (chunk < LG_CHUNK_FIRST))
		return "its table has metadata where none is";
	if (lg_super_has_chunk(super, chunk) && entry->kind != LG_CHUNK_JOURNAL &&
	    entry->kind != LG_CHUNK_FREE)
		return "its table has something else in place of the journal";
	if (entry->kind == LG_CHUNK_SLAB && entry->class >= LG_SLAB_CLASSES)
		return "a slab of its table is of no size class";
	if (entry->kind != LG_CHUNK_EXTENT)
		return NULL;
	if ((entry->start & ~entry->used) != 0)
		return "an extent of its table begins in free units";
	/* Each used unit begins an extent or follows one that is used. */
	const struct lg_chunk_entry *before = entry - 1;
	bool goes_on = before->kind == LG_CHUNK_EXTENT && (before->used >> 31) != 0;
	uint32_t following = entry->used & ~entry->start;
	if ((following & ~(entry->used << 1 | (goes_on ? 1 : 0))) != 0)
		return "an extent of its table has no beginning";
	return NULL;
}

const char *lg_table_check(const struct lg_super *super, const char *image, uint64_t image_bytes)
{
	const struct lg_heap_header *header =
		(const struct lg_heap_header *)(const void *)(image + LG_HEADER_OFFSET);
	const struct lg_chunk_entry *entries =
		(const struct lg_chunk_entry *)(const void *)(image + LG_TABLE_OFFSET);

	if (header->magic != LG_HEADER_MAGIC)
		return "its header is damaged";
	if (header->chunks < LG_CHUNK_FIRST || header->chunks > image_bytes >> LG_CHUNK_SHIFT)
		return "it was truncated";
	for (uint32_t i = 0; i < header->chunks; i++) {
		const char *wrong = entry_check(super, entries, i);

		if (wrong != NULL)
			return wrong;
	}
	for (uint32_t i = 0, last = 0; i < LG_SUMS_MAX; i++) {
		if (header->sums[i] == 0)
			continue;
		if (header->sums[i] >= header->chunks ||
		    entries[header->sums[i]].kind != LG_CHUNK_SUMS)
			return "its checksums are where none can be";
		if (header->sums[i] <= last)
			return "its checksums overlap";
		last = header->sums[i];
	}
	return NULL;
}
