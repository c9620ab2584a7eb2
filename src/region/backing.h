/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A backing: where the bytes of areas live. One table of functions per kind, chosen once per process.
 *
 * Offsets are bytes from the start of the class's span: of an extent for map and unmap, of regions for
 * the rest. All return 0 or -errno. give_back leaves regions that read zero, or (can_lazily, lazily) regions
 * whose contents are undefined and whose pages the kernel takes when it wants them.
 */
#ifndef LG_REGION_BACKING_H
#define LG_REGION_BACKING_H

#include <lgalloc/lgalloc.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct lg_class;

struct lg_backing {
	const char *name;
	bool can_lazily; /* give_back has a lazy form */
	bool can_move;   /* pages can move to another region without a copy */
	bool survives_fork;
	bool has_order; /* the kernel brings pages in: it may be told in which order they are read */
	uint64_t run_bytes; /* clean regions are taken in runs of at least this many bytes */

	/* -errno in words. Under the refill lock (anon: or by whoever is alone with the range): maps an extent over reserved addresses; class->file is then its file. */
	int (*map)(struct lg_class *class, uint64_t offset, uint64_t bytes);
	/* The extent of a whole area: its addresses are reserved again. */
	int (*unmap)(void *at, size_t bytes);
	/* can_move: the same for what a failed move left a hole; -EEXIST: it did not, or it is another's now. */
	int (*mend)(struct lg_class *class, uint64_t offset, uint64_t bytes);
	/* Makes sure that no touch of the range can fail for want of space. */
	int (*reserve)(struct lg_class *class, uint32_t file, uint64_t offset, uint64_t bytes);
	int (*give_back)(struct lg_class *class, uint64_t offset, uint64_t bytes, bool lazily);
	/* The user's advice on whole pages of a live region. */
	int (*discard)(struct lg_class *class, uint32_t file, uint64_t offset, uint64_t bytes);
	int (*page_out)(struct lg_class *class, uint32_t file, uint64_t offset, uint64_t bytes);
	int (*will_need)(struct lg_class *class, uint64_t offset, uint64_t bytes);

	/* What is in memory and on disk besides mapped pages and the classes' files; NULL: nothing. */
	void (*add_usage)(struct lg_usage *usage);

	/* Areas of this class have huge pages, which read 2 MiB for every byte touched. */
	bool (*is_huge)(const struct lg_class *class);
};

extern const struct lg_backing lg_backing_file;
extern const struct lg_backing lg_backing_anon;
extern const struct lg_backing lg_backing_paged;
extern const struct lg_backing *lg_backing; /* the process's; constant after the start */

void lg_backing_choose(void);

/* The budget of backing:paged. */
uint64_t lg_backing_paged_bytes(void);

/* In a child of fork: its regions get a pager of their own. */
void lg_backing_paged_forget(void);

/* will_need of those whose pages the kernel reads. */
int lg_backing_will_need(struct lg_class *class, uint64_t offset, uint64_t bytes);

/* The failure of a mapping in words: -ENOMEM, or -error. */
int lg_backing_refused(int error, uint64_t bytes);

/* The same of blocks on the disk. */
int lg_backing_unreserved(int error, uint64_t bytes);

#endif
