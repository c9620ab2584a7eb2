/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A volume: pages in a file of which some are changed and made durable together, by one of several ways. What was
 * `resident` has been written and made durable once before anything is timed.
 */
#ifndef BENCH_VOLUME_H
#define BENCH_VOLUME_H

#include <lgalloc/heap.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { VOLUME_PAGE = 4096 };

struct volume {
	char *data;
	size_t bytes;
	lg_heap *heap; /* heap=lgalloc */
	int fd;        /* heap=msync */
	dev_t device;
};

void volume_open(struct volume *volume, size_t bytes);
void volume_close(struct volume *volume);

/* A word of the page. */
static inline void volume_change(struct volume *volume, size_t page, uint64_t word)
{
	*(volatile uint64_t *)(void *)(volume->data + page * VOLUME_PAGE) = word;
}

/* What was changed is durable. */
void volume_commit(struct volume *volume);

/* Waits until nothing of it is on its way to the disk. */
void volume_settle(struct volume *volume);

/*
 * MiB that the disk has been given so far, by whomever: what the kernel counts for a process is whole folios, of which
 * it writes only the blocks that changed. NAN: no disk of its own.
 */
double volume_written_mib(const struct volume *volume);

#endif
