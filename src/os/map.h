/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Mappings: thin calls that return 0 or -errno. A reserved range has no access and no memory; what is
 * mapped into it replaces it in one step, and lg_os_unmap makes it reserved again, never a hole. Only a
 * move that fails may leave one.
 *
 * Reserved ranges, zeros and tables are not in core dumps, nor is what is made writable of them. What is mapped into a
 * range is, unless it is said of it.
 */
#ifndef LG_OS_MAP_H
#define LG_OS_MAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

enum lg_os_advice {
	LG_OS_FREE, /* anonymous: the kernel may take the pages; a write keeps them */
	LG_OS_DROP, /* anonymous: the pages go now, the range reads zero; not where it is locked */
	LG_OS_REMOVE, /* shared file: the pages and their disk blocks go, the range reads zero */
	LG_OS_WILLNEED,
	LG_OS_PAGEOUT,
	LG_OS_SEQUENTIAL,
	LG_OS_RANDOM,
	LG_OS_NORMAL,
	LG_OS_POPULATE, /* anonymous: the pages come now, as if written to */
	LG_OS_HUGEPAGE,
	LG_OS_NOHUGEPAGE,
	LG_OS_DONTFORK,
	LG_OS_DONTDUMP,
	LG_OS_UNMERGEABLE,
};

size_t lg_os_page_bytes(void);

/* A new reserved range of `bytes`, aligned to `alignment` (a power of two, at least a page). */
int lg_os_reserve(size_t bytes, size_t alignment, void **range);
void lg_os_unreserve(void *range, size_t bytes);

/* Reserves exactly this range; -EEXIST if something is there. */
int lg_os_reserve_at(void *range, size_t bytes);

int lg_os_map_file(void *at, size_t bytes, int fd, uint64_t offset);
int lg_os_map_anon(void *at, size_t bytes);

/* The same, and neither locked nor brought in by what mlockall said of mappings to come. */
int lg_os_map_unlocked(void *at, size_t bytes);

/* Anonymous where nothing is: -EEXIST if something is there. */
int lg_os_map_anon_in_hole(void *at, size_t bytes);
int lg_os_unmap(void *at, size_t bytes);

/* Anonymous pages readable as zeros, with no memory behind them; then some of them writable. */
int lg_os_map_zeros(void *at, size_t bytes);
int lg_os_make_writable(void *at, size_t bytes);
int lg_os_make_readonly(void *at, size_t bytes);

/* Every access raises SIGBUS: there is a file without bytes behind. */
int lg_os_map_nothing(void *at, size_t bytes);

/* Zeroed read-write memory for records that live for ever. */
int lg_os_map_record(size_t bytes, void **record);

/* A table that is large and mostly never touched: as a record, but never locked, nor brought in by more than a page. */
int lg_os_map_table(size_t bytes, void **table);

int lg_os_advise(void *at, size_t bytes, enum lg_os_advice advice);

/*
 * The caller's own for good: not in a child, nor in a core dump, which would read all of it, nor merged with equal pages, which
 * could not be moved then. -errno: it would be in a child.
 */
int lg_os_keep_apart(void *at, size_t bytes);

/*
 * mlock or mlockall has locked a mapping here. A huge page is to be asked about as a whole: a part of it alone makes the kernel
 * split it.
 */
bool lg_os_is_locked(void *at, size_t bytes);
int lg_os_munlock(void *at, size_t bytes);

/* Locks what is there, and the rest when it comes. -EPERM, -ENOMEM: beyond RLIMIT_MEMLOCK. */
int lg_os_mlock_absent(void *at, size_t bytes);

/* All is in memory; whether no part of it has been made PROT_NONE. */
bool lg_os_is_readable(const void *at, size_t bytes);

/* A copy of memory that another thread may make PROT_NONE at any time. -EFAULT: it is. Others: the system does not let us ask. */
int lg_os_copy_own(void *to, const void *from, size_t bytes);

/* Anonymous: as LG_OS_DROP, whether or not it is locked. */
int lg_os_drop(void *at, size_t bytes);

/* The same of many ranges, by one call where the kernel can: other processors are interrupted once. */
void lg_os_drop_many(const struct iovec *ranges, unsigned count);

/* The first of them, by that call, which leaves what is locked: how many; that one it may have begun with. */
unsigned lg_os_drop_some(const struct iovec *ranges, unsigned count);

/*
 * Moves the pages of one anonymous range to another; the source stays mapped and reads zero. Ranges of one
 * mapping: of several, kernels before 6.17 move none and later ones perhaps some. After a failure
 * the target may be a hole.
 */
int lg_os_move(void *from, void *to, size_t bytes);

/* The page at this address is in memory. Needs next to no stack. */
bool lg_os_is_in_memory(void *at);

/* Bytes of the range that are in memory; of a stretch with a hole, none. -errno. */
int lg_os_resident(void *at, size_t bytes, uint64_t *resident);

/* Some of the range is not mapped at all. */
bool lg_os_has_hole(void *at, size_t bytes);

#endif
