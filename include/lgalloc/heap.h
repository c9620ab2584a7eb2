/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * lgalloc's persistent heap: malloc in a file, which is there again tomorrow, and after a crash.
 *
 * A program opens a heap, allocates objects in it, connects them by refs, gives some of them names, and
 * commits. What a commit has made durable is whole for ever: after kill -9, an out-of-memory kill, a kernel
 * crash or a power cut the heap is the last commit, or the one just in flight. Nothing is scanned or leaked.
 *
 * Know this first
 *   - What was not committed is gone at the close, as after a crash. lg_heap_close does not commit.
 *   - Addresses are of this opening only. What lies in the heap refers by lg_ref, the offset, which stays.
 *   - `mode:atomic` copies each page that is written, once, until it has gone home: memory for what changes, not
 *     for what is read. Heaps far larger than memory with changes all over are for `mode:shared`.
 *   - `mode:shared` gives the promise above up: its pages are the kernel's file cache. What a killed process had
 *     written is there, up to the store it was killed at, committed or not; the next open then keeps what the roots lead to and
 *     frees the rest (lg_heap_type_register). A kernel crash or a power cut it does not survive: after one the
 *     heap is refused.
 *   - Threads that change the heap while another commits put each step that belongs together between
 *     lg_heap_begin and lg_heap_end; a commit waits for them, and only for them.
 *   - Nothing may write to the heap past the processor while a commit runs: a read with O_DIRECT or io_uring
 *     into its memory belongs between lg_heap_begin and lg_heap_end.
 *   - One process has a heap open for writing; a second one gets EBUSY. In a child of fork the heap is closed, and
 *     its addresses are not there.
 *   - mlockall(2) locks the whole file in memory as far as it is mapped, and tables for all of the reserve, a sixteenth of
 *     it: such a program says a small one. Where it calls that, or mlock(2) of the heap, after the first commit, it opens
 *     the heap with `lockable:on`; else Linux 6.10 and later may never return from the call.
 *   - A file cut short by someone else while it is open is SIGBUS, as with every mapping of a file.
 *
 *     lg_heap *heap = lg_heap_open("data.heap", "create:on");
 *     struct entry *first = lg_heap_at(heap, lg_heap_root_get(heap, "first"));
 *     …
 *     lg_heap_root_set(heap, "first", lg_heap_ref(heap, first));
 *     if (lg_heap_commit(heap) != 0)
 *             fprintf(stderr, "%s\n", lg_error());
 *
 * Threads: every call may be made from any thread at any time, but for lg_heap_close, which is the last.
 * Control calls return 0 or -errno, those shaped like malloc NULL and errno; lg_error() has it in words.
 */
#ifndef LG_HEAP_H
#define LG_HEAP_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

typedef struct lg_heap lg_heap;

/* An object's offset in its heap: what one object keeps of another. 0 is none. */
typedef uint64_t lg_ref;

/*
 * Opens a heap. Options are `key:value,key:value`, NULL for the defaults:
 *   create:on     makes the file if it is not there, or empty; otherwise it is opened
 *   readonly:on   changes nothing, not even the file of a heap that was not closed: its journal is replayed
 *                 into memory. Several may read; EBUSY beside a writer
 *   reserve:1T    address space, and so the largest size while it is open; at least the file's size, up to 16T
 *   lockable:on   the heap may be locked in memory while it is open: commits find out what was written as before Linux 6.7, and
 *                 keep no copies of pages that are home. A heap that is locked at its first commit does so by itself
 *   journal:64M   with create: bytes of the journal, from 64K
 *   mode:atomic   with create: what commits promise; or mode:shared, which see above. Of a heap that is there already
 *                 another than its own is EINVAL
 *
 * Strict: what is no heap, is damaged, cut short or of a newer version is refused and not written. NULL and errno:
 *   EINVAL  an option; no heap; a damaged or truncated one; one of mode:shared that was open when the machine
 *           went down
 *   EUCLEAN a commit in the journal was damaged after it was durable; lg_heap_check says what can be done
 *   ENOTSUP a newer version's
 *   EBUSY   another process, or this one, has it open
 *   ENOENT, EACCES, ENOSPC, ENOMEM, EIO …  what the system said
 */
lg_heap *lg_heap_open(const char *path, const char *options);

/*
 * Closes it; what was not committed is gone (of mode:shared nothing is). No other thread may use the heap during the call or after. 0, or
 * the error of the last write-back, after which nothing committed is lost: the next open repeats it. NULL is 0.
 */
int lg_heap_close(lg_heap *heap);

/*
 * As their namesakes of the C library. Alignment is 16, and 4096 from 4 KiB up where the size is a multiple of
 * it. Any size up to the reserve; 0 is taken for 1. Contents are undefined, of lg_heap_calloc zero.
 * NULL and errno: ENOMEM (reserve or memory), ENOSPC (disk), EROFS (read-only, or failed), EBADF (a child's).
 */
void *lg_heap_alloc(lg_heap *heap, size_t bytes);
void *lg_heap_calloc(lg_heap *heap, size_t count, size_t bytes);
void *lg_heap_realloc(lg_heap *heap, void *object, size_t bytes);

/*
 * Gives an object back, in any thread. NULL does nothing. A double free, a pointer into an object or one that is
 * none of this heap is -EINVAL, and does no harm; a second free after the memory was handed out again, or two
 * at the same instant, cannot be seen.
 */
int lg_heap_free(lg_heap *heap, void *object);

/* Bytes that may be used of a live object; 0 for anything else. */
size_t lg_heap_usable_size(lg_heap *heap, const void *object);

/* Between addresses and refs; NULL and 0 are each other's. Anything outside the heap is 0, and NULL. */
lg_ref lg_heap_ref(const lg_heap *heap, const void *address);
void *lg_heap_at(const lg_heap *heap, lg_ref ref);

/* The open heap in whose reserve the address lies, whether an object is there or not; NULL: none of this process. */
lg_heap *lg_heap_of(const void *address);

/*
 * Names for objects to begin with. A name has 1 to LG_HEAP_NAME_MAX bytes; there are LG_HEAP_ROOTS_MAX. Setting 0
 * removes. 0, -EINVAL, -ENOSPC (too many), -EROFS. A name that is not there is 0.
 */
enum { LG_HEAP_NAME_MAX = 231, LG_HEAP_ROOTS_MAX = 4096 };
int lg_heap_root_set(lg_heap *heap, const char *name, lg_ref ref);
lg_ref lg_heap_root_get(const lg_heap *heap, const char *name);

/*
 * All roots: *cursor is 0 at first; each call gives one more, name and ref, in no order, and is 1, or 0 at the end.
 * `name` has room for LG_HEAP_NAME_MAX + 1 bytes. Roots set or removed meanwhile may or may not be given.
 */
int lg_heap_root_next(lg_heap *heap, uint64_t *cursor, char *name, lg_ref *ref);

/*
 * Between the two no commit happens, so that what one step changes is committed together. They nest. Cheap (no
 * locked instruction). Do not wait in between for another thread that uses the heap.
 */
void lg_heap_begin(lg_heap *heap);
void lg_heap_end(lg_heap *heap);

/*
 * Makes everything up to now durable, all or nothing: when it returns 0, no crash undoes it. -EDEADLK between
 * begin and end; -EROFS; -ENOSPC, -ENOMEM: nothing was committed, and may be tried again, since all changes are
 * still there; -EIO: the disk failed; if its flush did, the heap is read-only until it is opened again, and
 * whether this commit is then there nobody can say.
 * mode:shared: has all that was written on the disk when it returns, but not all or nothing.
 */
int lg_heap_commit(lg_heap *heap);

/*
 * Back to the last commit, or the open: all changes since, data, roots and allocations, are undone. Objects
 * allocated since are gone. No other thread may be using objects. -EDEADLK, -EROFS, -EIO, -ENOSPC, -ENOMEM;
 * -ENOTSUP: mode:shared.
 */
int lg_heap_rollback(lg_heap *heap);

/*
 * The last commit as a heap of its own in a new file, which shares its blocks where the file system can. Other
 * threads may go on; commits wait. -EEXIST; or what the system said.
 * mode:shared: the heap as it is; operations on it wait meanwhile, and what threads write to objects may be torn.
 */
int lg_heap_snapshot(lg_heap *heap, const char *path);

/*
 * Types, for heaps of mode:shared whose process was killed. Opening one marks what the roots lead to. Of an object
 * without a type every aligned word that may be a ref, or an lg::offset_ptr, is taken for one: nothing that is
 * needed is lost, but things that nobody needs may stay. A type is a function that says where the objects lie that one
 * object refers to, and of what type they are, by lg_heap_mark.
 *
 *     static void list_type(lg_heap_marking *marking, const void *object, size_t bytes)
 *     {
 *             const struct item *item = object;
 *
 *             lg_heap_mark(marking, item->next, list_type);
 *             lg_heap_mark(marking, item->text, lg_heap_type_plain);
 *     }
 *
 * It is called during lg_heap_open, once for each object, with the bytes that may be used of it; it reads the object and
 * calls only lg_heap_mark and lg_heap_mark_at. The object may be in the middle of a change.
 */
typedef struct lg_heap_marking lg_heap_marking;
typedef void lg_heap_type(lg_heap_marking *marking, const void *object, size_t bytes);

/*
 * The type of what the root of this name leads to, in all heaps opened from now on; NULL for the name: of all roots that
 * have none. NULL for the type: none any more. -EINVAL: the name; -ENOSPC: there are LG_HEAP_TYPES_MAX; -ENOMEM.
 */
enum { LG_HEAP_TYPES_MAX = 64 };
int lg_heap_type_register(const char *root, lg_heap_type *type);

/* The object that a ref, or an address, lies in; 0 and what is in none are passed over. NULL: of no known type. */
void lg_heap_mark(lg_heap_marking *marking, lg_ref ref, lg_heap_type *type);
void lg_heap_mark_at(lg_heap_marking *marking, const void *address, lg_heap_type *type);

/* The type of objects without refs. */
void lg_heap_type_plain(lg_heap_marking *marking, const void *object, size_t bytes);

/*
 * Looks over a heap that nobody has open for writing: superblocks, journal, checksums, tables, bitmaps, roots,
 * and writes findings, a line each, and a summary to `report` (NULL: nowhere); with how many objects no root leads to,
 * which is no finding. The number of findings, 0 for a
 * sound heap; or -errno where it cannot be opened at all, as lg_heap_open, or not be read. Nothing is changed without
 * LG_HEAP_REPAIR, which drops roots that lead nowhere, gives checksums to pages as they are, and leaves out of the
 * journal what was damaged in it: if something is missed then, with all that was committed later. A heap of mode:shared
 * that was not closed is a finding; the repair recovers it, even where the machine went down since: then with whatever of
 * its pages was written. Copy the file first.
 */
enum { LG_HEAP_REPAIR = 1 };
int lg_heap_check(const char *path, unsigned flags, FILE *report);

struct lg_heap_stats {
	uint64_t file_bytes;     /* the file's size; it has holes */
	uint64_t disk_bytes;     /* blocks it takes */
	uint64_t capacity_bytes; /* the largest it can get while it is open */
	uint64_t objects;        /* live */
	uint64_t object_bytes;   /* that may be used of them */
	uint64_t roots;
	uint64_t allocations; /* since the open */
	uint64_t frees;
	uint64_t commits;         /* since the open */
	uint64_t sequence;        /* of the last commit, since the file was made */
	uint64_t pages_committed; /* since the open */
	uint64_t bytes_journaled;
	uint64_t checkpoints;
	uint64_t pages_home;    /* written by checkpoints */
	uint64_t pages_dropped; /* private copies given up */
	uint64_t punched_bytes; /* of disk, given back */
	uint64_t journal_bytes;
	uint64_t journal_used;
	uint64_t reserved[6];
};

/* Counts objects too, with the gate closed as for a commit: -EDEADLK between begin and end. */
int lg_heap_stats_read(lg_heap *heap, struct lg_heap_stats *stats);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
