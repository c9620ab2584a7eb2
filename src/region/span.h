/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The address layout: one reservation cut into equal spans, one per size class, and beside it the tables
 * of descriptors and of clean bits, indexed by region number.
 *
 *   address -> class   a shift;   address -> region number   a second shift;   descriptor <-> number
 *   two multiplications. No table is walked, no lock taken.
 *
 * Invariants
 *   base is aligned to a span, so a region is aligned to its size.
 *   Every descriptor can be read at any time: the table is readable pages of zero (NONE) from the start
 *   and writable up to where areas have reached.
 */
#ifndef LG_REGION_SPAN_H
#define LG_REGION_SPAN_H

#include "region/region.h"

#include <stdbool.h>

struct lg_span {
	_Atomic(uintptr_t)
		bytes;    /* of all spans; 0 before the first region, published after the rest */
	uintptr_t base;   /* of the reservation */
	unsigned shift;   /* log2 of a span */
	unsigned classes; /* that fit a span */
	unsigned class_first;          /* smallest class: the page's */
	_Atomic(uintptr_t) tables;     /* descriptors of all classes */
	_Atomic(uint64_t) descriptors; /* in tables, gaps between the classes' tables included */
	uintptr_t bits;                /* clean bits of all classes, behind the descriptors */
	uint64_t bits_bytes;
	uint64_t starts[LG_CLASSES];     /* first descriptor of a class */
	uint64_t bit_starts[LG_CLASSES]; /* first word of its clean bits */
};

extern struct lg_span lg_span;

/* Reserves; halves the span until the system grants it. 0 or -errno, in words. */
int lg_span_reserve(void);

static inline unsigned lg_class_shift(unsigned class)
{
	return class + LG_PAGE_SHIFT_MIN;
}

static inline size_t lg_class_bytes(unsigned class)
{
	return (size_t)1 << lg_class_shift(class);
}

/*
 * The class for a size; LG_CLASSES or more: none has it (0 bytes wraps to that). On machines with pages
 * larger than 4 KiB the caller's miss raises classes below class_first.
 */
static inline unsigned lg_class_of(size_t bytes)
{
	return lg_log2_floor((bytes - 1) | (((size_t)1 << LG_PAGE_SHIFT_MIN) - 1)) -
	       (LG_PAGE_SHIFT_MIN - 1);
}

static inline uint64_t lg_class_regions(unsigned class)
{
	return (uint64_t)1 << (lg_span.shift - lg_class_shift(class));
}

static inline char *lg_class_base(unsigned class)
{
	return (char *)(lg_span.base + ((uintptr_t) class << lg_span.shift));
}

static inline char *lg_region_address(unsigned class, uint64_t number)
{
	return lg_class_base(class) + (number << lg_class_shift(class));
}

/*
 * Neighbours by number are scattered over a block of the table. Side by side, or at any even stride, and in
 * use by two processors, each one's prefetchers fetch what the other writes: pairs of two threads took
 * 10 ns instead of 3.9. The factor keeps the first regions of a block far apart, in different pages and
 * in different sets of the first cache; the shift makes the strides uneven, and undoes itself.
 */
enum { LG_BLOCK = 1024, LG_SCATTER = 555, LG_GATHER = 131, LG_UNEVEN = 5 };
_Static_assert(LG_SCATTER *LG_GATHER % LG_BLOCK == 1, "one undoes the other");
_Static_assert(1 << 2 * LG_UNEVEN == LG_BLOCK, "bits moved are not moved again");

static inline uint64_t lg_span_slot(uint64_t number)
{
	uint64_t in_block = number * LG_SCATTER % LG_BLOCK;

	return (number & ~(uint64_t)(LG_BLOCK - 1)) | (in_block ^ in_block >> LG_UNEVEN);
}

static inline uint64_t lg_span_number(uint64_t slot)
{
	uint64_t in_block = slot % LG_BLOCK;

	in_block = (in_block ^ in_block >> LG_UNEVEN) * LG_GATHER % LG_BLOCK;
	return (slot & ~(uint64_t)(LG_BLOCK - 1)) | in_block;
}

static inline struct lg_region *lg_region_at(unsigned class, uint64_t number)
{
	return (struct lg_region *)lg_load_relaxed(&lg_span.tables) + lg_span.starts[class] +
	       lg_span_slot(number);
}

static inline uint64_t lg_region_number(const struct lg_region *region)
{
	return lg_span_number((uint64_t)(region - lg_region_at(region->class, 0)));
}

/* One compare: misaligned handles have their low bits rotated to the top. */
static inline bool lg_region_is_ours(const struct lg_region *region)
{
	return lg_rotate_right((uintptr_t)region - lg_load_relaxed(&lg_span.tables), 6) <
	       lg_load_relaxed(&lg_span.descriptors);
}

/* The descriptor of the region around an address, whatever its state; NULL: outside the spans. */
static inline struct lg_region *lg_region_around(const void *address)
{
	uintptr_t bytes = lg_load_acquire(&lg_span.bytes);

	if (bytes == 0)
		return NULL;
	uintptr_t offset = (uintptr_t)address - lg_span.base;
	if (offset >= bytes)
		return NULL;
	unsigned class = (unsigned)(offset >> lg_span.shift);
	uint64_t in_span = offset & (((uintptr_t)1 << lg_span.shift) - 1);
	return lg_region_at(class, in_span >> lg_class_shift(class));
}

/* Makes descriptors and clean bits of the first `numbers` regions of a class writable. -errno. */
int lg_span_grow_tables(unsigned class, uint64_t numbers);

/* Bytes of address space reserved. */
uint64_t lg_span_reserved_bytes(void);

/* The child of a fork: every descriptor and clean bit is as new. */
void lg_span_forget(void);

#endif
