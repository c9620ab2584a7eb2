/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Slabs: regions cut into pages of one size. A page's head, which the cache's lists run through, lies
 * apart from its bytes, at the end of the region: following a list touches no page that was paged out.
 *
 *     | page 0 | page 1 | … | struct slab | head 0, extra 0 | head 1, extra 1 | … |
 *
 * The first slab has room for about 15 pages, each further one is as large as all before it, up to 1 MiB,
 * so a small cache stays small. A slab whose last page is put back is freed at once: the allocator keeps
 * it warm for the next one. Not 2 MiB: from there on the kernel reads ahead in the file backing, which a
 * database's random reads pay for with everything else in memory.
 *
 * Not thread-safe: one set belongs to one cache. Different sets have nothing in common.
 */
#ifndef SQLITE_PCACHE_SLAB_H
#define SQLITE_PCACHE_SLAB_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>

struct slab;

struct page {
	sqlite3_pcache_page shown;  /* first: SQLite's handle is the page's address */
	struct page *next;          /* in its bucket; of a free page: in its slab */
	struct page *newer, *older; /* in the cache's list of unpinned pages; NULL: pinned */
	struct slab *slab;
	unsigned key;
	bool gone; /* free, and its memory given back */
};

struct slabs {
	struct slab *with_room; /* those that have a free page */
	struct slab *all;
	size_t page_bytes, head_bytes;
	size_t bytes; /* of all regions */
};

/* Pages of page_bytes (a power of two up to 64 KiB), each with extra_bytes beside it. */
void slabs_init(struct slabs *slabs, size_t page_bytes, size_t extra_bytes);

/* A page with undefined bytes and extra; NULL: no memory. */
struct page *slabs_take(struct slabs *slabs);

void slabs_put(struct slabs *slabs, struct page *page);

/* Gives back the memory of free pages in slabs that others keep. Costs a system call for each run. */
void slabs_trim(struct slabs *slabs);

/* Frees every region: no page may be used any more. */
void slabs_clear(struct slabs *slabs);

#endif
