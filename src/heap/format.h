/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * What a heap's file is, byte for byte; docs/heap-format.md is the same in words. Little-endian.
 *
 *   0           two superblocks, a page each
 *   64 KiB      the header
 *   1 MiB       the roots
 *   2 MiB       the chunk table: 16 bytes for each chunk of 2 MiB, by number
 *   130 MiB     chunks: slabs of one size class, extents in units of 64 KiB, the journal, checksums
 *
 * All but the superblocks, the journal and the checksums is the image: pages that change only together, by a
 * record of the journal. A page's number is its offset in the file / 4096; so is a chunk's / 2 MiB, and a
 * ref is an offset. Chunks 0 to 64 hold what lies before the first.
 *
 * Nothing here is a pointer, a lock or a thread's: every byte means the same in the next process.
 */
#ifndef LG_HEAP_FORMAT_H
#define LG_HEAP_FORMAT_H

#include "base/bits.h"

#include <stdbool.h>
#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "the format is little-endian, and read without conversion"
#endif

#define LG_HEAP_MAGIC UINT64_C(0x3150414548474c0a)   /* "\nLGHEAP1" */
#define LG_RECORD_MAGIC UINT64_C(0x44524f434552474c) /* "LGRECORD" */
#define LG_HEADER_MAGIC UINT64_C(0x524544414548474c) /* "LGHEADER" */

enum {
	LG_HEAP_VERSION = 1,
	LG_HEAP_PAGE_SHIFT = 12,
	LG_HEAP_PAGE = 1 << LG_HEAP_PAGE_SHIFT,
	LG_CHUNK_SHIFT = 21,
	LG_CHUNK = 1 << LG_CHUNK_SHIFT,
	LG_CHUNK_PAGES = LG_CHUNK / LG_HEAP_PAGE,
	LG_UNIT_SHIFT = 16,
	LG_UNIT = 1 << LG_UNIT_SHIFT,
	LG_CHUNK_UNITS = LG_CHUNK / LG_UNIT,
	LG_UNIT_PAGES = LG_UNIT / LG_HEAP_PAGE,
	LG_HEADER_OFFSET = 64 << 10,
	LG_ROOTS_OFFSET = 1 << 20,
	LG_TABLE_OFFSET = LG_CHUNK,
	LG_CHUNKS_MAX = 1 << 23, /* 16 TiB */
	LG_TABLE_BYTES = LG_CHUNKS_MAX * 16,
	LG_CHUNK_FIRST = 1 + LG_TABLE_BYTES / LG_CHUNK,
	LG_SEGMENTS_MAX = 32,
	LG_SUM_CHUNKS =
		LG_CHUNK / 4 / LG_CHUNK_PAGES, /* chunks whose pages' checksums one chunk holds */
	LG_SUMS_MAX = LG_CHUNKS_MAX / LG_SUM_CHUNKS,
	LG_JOURNAL_MIN = 64 << 10,
};

enum lg_heap_mode { LG_HEAP_ATOMIC, LG_HEAP_SHARED };

static inline const char *lg_heap_mode_name(uint32_t mode)
{
	return mode == LG_HEAP_SHARED ? "shared" : "atomic";
}

/* A piece of the journal. Both are multiples of a page; its chunks are of the kind LG_CHUNK_JOURNAL. */
struct lg_segment {
	uint64_t offset;
	uint64_t bytes;
};

/*
 * Two copies, in page 0 and page 1, the same but while they are being replaced, one after the other (J9); the one with
 * the right sum and the larger `write` counts. Magic, version, and `crc` with its place, are every version's. The journal
 * is the segments one behind the other, a ring; its oldest record begins `tail` bytes into it, has the
 * sequence `tail_sequence` and this salt, or there is none and the image is whole in place.
 */
struct lg_super {
	uint64_t magic;
	uint32_t version;
	uint32_t page_bytes;
	unsigned char uuid[16];
	uint64_t write; /* counts the superblocks */
	uint64_t bytes; /* the file has at least so many, or it was truncated */
	uint64_t salt;  /* of the records that count; another for each opening */
	uint64_t tail;
	uint64_t tail_sequence;
	uint32_t mode;
	uint32_t clean; /* 1: closed, and the journal empty */
	uint32_t segments;
	uint32_t reserved;
	struct lg_segment segment[LG_SEGMENTS_MAX];
	uint32_t zero;
	uint32_t crc; /* CRC32C of all before it */
};

/* The first page, or pages, of a record; padded with zeros. Behind it the images, in the order of entries that have one. */
struct lg_record_header {
	uint64_t magic;
	uint64_t salt;
	uint64_t sequence;
	uint32_t pages;        /* entries */
	uint32_t header_pages; /* that this and the entries take */
	uint32_t homes;        /* of the last entries: written home before, without an image here */
	uint32_t reserved[6];
	uint32_t crc; /* CRC32C of these pages, with 0 here */
};

struct lg_record_entry {
	uint64_t page;
	uint32_t crc; /* CRC32C of the image */
	uint32_t reserved;
};

/* At LG_HEADER_OFFSET, in the image. */
struct lg_heap_header {
	uint64_t magic;
	uint32_t chunks; /* all from this number on were never used */
	uint32_t reserved;
	uint32_t sums[LG_SUMS_MAX]; /* [i]: chunk with the checksums of LG_SUM_CHUNKS chunks; 0: none */
};

/* A root. Its place is the hash of its name, or the next one that is not used, round to the start. */
enum { LG_ROOTS = 4096, LG_ROOT_NAME = 232 };
enum lg_root_state { LG_ROOT_EMPTY, LG_ROOT_USED, LG_ROOT_REMOVED };
struct lg_root {
	uint64_t ref;
	uint32_t hash;
	uint32_t state;
	char name[LG_ROOT_NAME]; /* ends with 0 */
	uint64_t reserved;
};

enum lg_chunk_kind {
	LG_CHUNK_FREE,
	LG_CHUNK_SLAB,    /* slots of one size class behind a bitmap; a 1 is a slot in use */
	LG_CHUNK_EXTENT,  /* 32 units; `used` has their bits, `start` where an extent begins */
	LG_CHUNK_JOURNAL, /* a segment */
	LG_CHUNK_SUMS,    /* CRC32C of pages, 0: not known */
	LG_CHUNK_META,    /* the first ones */
	LG_CHUNK_KINDS,
};

struct lg_chunk_entry {
	uint8_t kind;
	uint8_t class; /* SLAB */
	uint8_t full;  /* SLAB: no bit is 0 */
	uint8_t reserved;
	uint32_t used;
	uint32_t start;
	uint32_t reserved2;
};

_Static_assert(sizeof(struct lg_super) <= LG_HEAP_PAGE, "a superblock is a page");
_Static_assert(sizeof(struct lg_super) == 608, "no padding");
_Static_assert(sizeof(struct lg_record_header) == 64, "no padding");
_Static_assert(sizeof(struct lg_record_entry) == 16, "no padding");
_Static_assert(sizeof(struct lg_chunk_entry) == 16, "no padding");
_Static_assert(sizeof(struct lg_root) == 256, "no padding");
_Static_assert(LG_ROOTS_OFFSET + LG_ROOTS * sizeof(struct lg_root) == LG_CHUNK,
	       "roots end chunk 0");
_Static_assert(LG_HEADER_OFFSET + sizeof(struct lg_heap_header) <= LG_ROOTS_OFFSET, "before roots");

/*
 * Size classes: 16 to 128 by 16, then four to each doubling, to 32 KiB: slabs. Behind them 1 to 16 units:
 * extents that threads cache. Larger ones have no class.
 */
enum {
	LG_SLAB_CLASSES = 40,
	LG_EXTENT_CLASSES = 16,
	LG_HEAP_CLASSES = LG_SLAB_CLASSES + LG_EXTENT_CLASSES,
	LG_SLAB_MAX = 32 << 10,
	LG_CACHED_MAX = LG_EXTENT_CLASSES * LG_UNIT,
	LG_GRANULE = 16,
	LG_SLOTS_MAX = LG_CHUNK / LG_GRANULE,
};

static inline unsigned lg_heap_class_of(uint64_t bytes)
{
	if (bytes <= 128)
		return bytes <= 16 ? 0 : (unsigned)((bytes - 1) >> 4);
	if (bytes > LG_SLAB_MAX)
		return LG_SLAB_CLASSES - 1 + (unsigned)((bytes + LG_UNIT - 1) >> LG_UNIT_SHIFT);
	unsigned shift = lg_log2_floor(bytes - 1);
	return 8 + (shift - 7) * 4 + (unsigned)((bytes - 1) >> (shift - 2) & 3);
}

static inline uint32_t lg_heap_class_bytes(unsigned class)
{
	if (class < 8)
		return (class + 1) * 16;
	if (class >= LG_SLAB_CLASSES)
		return (class - LG_SLAB_CLASSES + 1) << LG_UNIT_SHIFT;
	unsigned shift = 7 + (class - 8) / 4;
	return (1u << shift) + (((class - 8) % 4 + 1) << (shift - 2));
}

/* Where a slab's slots begin in its chunk: behind the bitmap, at a page. */
static inline uint32_t lg_slab_first(uint32_t slot_bytes)
{
	return (uint32_t)lg_round_up(lg_round_up(LG_CHUNK / slot_bytes, 64) / 8, LG_HEAP_PAGE);
}

static inline uint32_t lg_slab_slots(uint32_t slot_bytes)
{
	return (LG_CHUNK - lg_slab_first(slot_bytes)) / slot_bytes;
}

static inline uint64_t lg_record_header_pages(uint64_t pages)
{
	return lg_round_up(sizeof(struct lg_record_header) + pages * sizeof(struct lg_record_entry),
			   LG_HEAP_PAGE) /
	       LG_HEAP_PAGE;
}

/* The sum that is written for a page: 0 says that none is known. */
static inline uint32_t lg_sum_of(uint32_t crc)
{
	return crc != 0 ? crc : 1;
}

/* Why a superblock, or the journal or image it describes, is refused; NULL: it is sound as such. */
const char *lg_super_check(const struct lg_super *super);
bool lg_super_is_newer(const struct lg_super *super); /* of a version that this code does not know */
void lg_super_seal(struct lg_super *super);
const char *lg_table_check(const struct lg_super *super, const char *image, uint64_t image_bytes);

uint64_t lg_super_ring_bytes(const struct lg_super *super);

/* Whether the chunk belongs to the journal. */
bool lg_super_has_chunk(const struct lg_super *super, uint64_t chunk);

#endif
