/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The ranges of files that stores of this process have: one writer, or any number of readers. Locks of the
 * kernel say the same to other processes, but not on every file system, and they end where the
 * program closes our descriptor; a device has several names, each with its own locks.
 */
#ifndef LG_STORE_RANGE_H
#define LG_STORE_RANGE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct lg_range {
	struct lg_range *next;
	dev_t device; /* and no inode: the device itself */
	ino_t inode;
	uint64_t from;
	uint64_t to;
	bool shared; /* for reading only */
};

/* -EBUSY: another has some of it, and it or this is not shared. The record stays the caller's. */
int lg_range_take(struct lg_range *range);

/* Nothing happens if it was not taken. */
void lg_range_give(struct lg_range *range);

/* In a child of fork: nobody has any. Of stores that were being opened nobody else knows. */
void lg_range_forget(void);

#endif
