/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A named file that must survive a power cut, and the one table through which it is changed: every
 * write, extension, reservation, punched hole and flush. Tests put another table in, which fails the
 * n-th call, or writes down what a power cut would have left; nothing that changes the file goes round
 * it.
 *
 * Two descriptors: one through the page cache, for what is mapped too; one past it, for the journal.
 * Where the file system does not offer the second, both are the first. The file is locked as long as it is
 * open, by a lock of the open file description, which the kernel drops when the process dies.
 */
#ifndef LG_OS_DISK_H
#define LG_OS_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct lg_os_disk;

/* 0 or -errno each. Offsets, sizes and memory of the direct ones are multiples of LG_DISK_BLOCK. */
struct lg_os_disk_ops {
	int (*write)(struct lg_os_disk *, const void *data, size_t bytes, uint64_t offset);
	int (*write_direct)(struct lg_os_disk *, const void *data, size_t bytes, uint64_t offset);
	int (*read)(struct lg_os_disk *, void *data, size_t bytes, uint64_t offset);
	int (*read_direct)(struct lg_os_disk *, void *data, size_t bytes, uint64_t offset);
	int (*extend)(struct lg_os_disk *, uint64_t bytes);
	int (*reserve)(struct lg_os_disk *, uint64_t offset, uint64_t bytes);
	int (*punch)(struct lg_os_disk *, uint64_t offset, uint64_t bytes);
	int (*sync)(struct lg_os_disk *);
};

enum { LG_DISK_BLOCK = 4096 };

struct lg_os_disk {
	const struct lg_os_disk_ops *ops;
	void *context; /* of the table */
	int fd;        /* through the page cache; -1: closed */
	int direct;    /* past it; may be fd */
	dev_t device;
	ino_t inode;
};

/* The table that does it. */
extern const struct lg_os_disk_ops lg_os_disk_plain;

enum lg_os_disk_access { LG_DISK_READ, LG_DISK_WRITE };

/*
 * Opens and locks a file that is there; `bytes` is its size. -EBUSY: another process, or this one, has it
 * (readers do not disturb each other). -ENOENT, -EISDIR … ; -EINVAL: no regular file.
 */
int lg_os_disk_open(struct lg_os_disk *disk, const char *path, enum lg_os_disk_access access,
		    uint64_t *bytes);

/* Makes a file without a name in the directory of `path`; lg_os_disk_publish gives it the name. */
int lg_os_disk_create(struct lg_os_disk *disk, const char *path);
int lg_os_disk_publish(struct lg_os_disk *disk, const char *path);

void lg_os_disk_close(struct lg_os_disk *disk);

/* Closes the descriptors that a child of fork has of its parent's; the lock stays the parent's. */
void lg_os_disk_abandon(struct lg_os_disk *disk);

int lg_os_disk_size(struct lg_os_disk *disk, uint64_t *bytes, uint64_t *blocks_bytes);

/* Starts write-back of a range and waits for it: no promise, but the next flush has less to do. */
void lg_os_disk_write_back(struct lg_os_disk *disk, uint64_t offset, uint64_t bytes);

/* Shares the blocks of `from` with the new file `to` (FICLONE); -EOPNOTSUPP, -EXDEV, -EINVAL: cannot. */
int lg_os_disk_clone(struct lg_os_disk *to, struct lg_os_disk *from);

/* The next stretch with data from `offset` on: [*start, *end). -ENXIO: there is none. */
int lg_os_disk_data(struct lg_os_disk *disk, uint64_t offset, uint64_t *start, uint64_t *end);

/* Random bytes, to tell one file and one opening from all others. */
int lg_os_random(void *bytes, size_t count);

/* The same number as long as the machine has not been down since; 0: not known. */
uint64_t lg_os_boot(void);

/* Maps the file at a new address of `bytes`; -errno. */
int lg_os_disk_map(struct lg_os_disk *disk, size_t bytes, bool shared, void **at);

#endif
