/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The journal: a ring of records in the file, written past the page cache, in blocks that exist and were written
 * when it was made (unwritten ones would cost a second flush).
 *
 * What a crash at any point leaves, and why it is a commit's state:
 *   J1  A record counts if its header's sum is right, it has the superblock's salt and the sequence after the one
 *       before it, and each image has its sum. It is written in one go behind the last and flushed once: torn, it
 *       does not count; flushed, it does. That flush is the commit point.
 *   J2  Nothing is written over a record before the superblock whose tail is behind it is durable, and that is
 *       written only after all its newest images are home and flushed. So from the durable tail on every record
 *       since is there.
 *   J3  Replay writes the newest image of each page. Written home before, or twice, makes no difference.
 *   J4  A home is written only with an image of a durable record that is still in the ring: whatever of it is lost
 *       or torn, replay writes again.
 *   J5  The file is lengthened durably before a record names a page behind the old end, and the superblock says the
 *       new size only after that: a file shorter than it says was cut.
 *   J6  The salt changes, with an empty ring, before the first record of an opening: what earlier ones left in the
 *       ring never counts again.
 *   J7  The ring gets longer only while it is empty; places in it count from 0 again.
 *   J8  A page without an image in its record was written home, and flushed, before the record's header. It is free in
 *       every earlier commit that a crash could bring back, and no earlier record in the ring has it: until the record
 *       counts nobody reads it, and no replay writes over it.
 *   J9  Both copies of a superblock are durable, one after the other, before what it allows is done: a record with its
 *       salt, or in its ring, or written over one that it gave up. So wherever the power is cut, one copy is whole; and
 *       whichever of two whole ones rots, the other leads to all that is durable, even if it is the older.
 */
#ifndef LG_HEAP_JOURNAL_H
#define LG_HEAP_JOURNAL_H

#include "heap/heap.h"

enum { LG_STAGING_PAGES = 2048 };

/* Bytes of the ring from a place on, round to its start. -errno. */
int lg_ring_write(struct lg_heap *heap, uint64_t at, const void *data, uint64_t bytes);
int lg_ring_read(struct lg_heap *heap, uint64_t at, void *data, uint64_t bytes);

/* Writes the superblock with a further count, one copy after the other, durably. The journal lock is not held. */
int lg_super_write(struct lg_heap *heap);

/* Before the first record of an opening (J6). */
int lg_journal_begin(struct lg_heap *heap);

/* Makes a free stretch of so many bytes, by a checkpoint, else by a longer ring. */
int lg_journal_make_room(struct lg_heap *heap, uint64_t bytes);

/*
 * Writes the pages as the next record, those of `homeward` home, and makes it durable. With the gate closed; it opens it as soon as all
 * pages were read, or at an error before; but not where `written` is not exact.
 */
int lg_journal_put(struct lg_heap *heap, const struct lg_pages *pages,
		   const struct lg_pages *homeward);

/* Room for a record of so many pages, the last `homes` without images, in the memory of the system; NULL: there is none. */
struct lg_record *lg_record_new(uint64_t pages, uint64_t homes);
void lg_record_free(struct lg_record *record);

/* Appends a record that is durable. */
void lg_journal_note(struct lg_heap *heap, struct lg_record *record);

/*
 * The disk's flush, by whomever: an error is told once for a file, and what it was about is not, so it ends all
 * writing.
 */
int lg_journal_flush(struct lg_heap *heap);

/* The disk failed: what the file holds is not known, so nothing is changed any more. */
int lg_journal_fail(struct lg_heap *heap, int error, const char *what);

#endif
