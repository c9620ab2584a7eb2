/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A metrics file as it was at one time, in the library's own structure. Families, labels and states that
 * are not known here are passed over; values of a known family that differ in unknown labels are added up.
 */
#ifndef LG_TOOL_READING_H
#define LG_TOOL_READING_H

#include "pager/roster.h"

#include <lgalloc/lgalloc.h>

#include <stdint.h>

enum { LG_READING_CLASSES = 64, LG_READING_PAGERS = 32 };

struct lg_reading {
	int64_t written_ns; /* the file's time, since the epoch */
	uint64_t threads;
	uint64_t reserved_bytes;
	unsigned class_count;
	struct lg_class_stats totals;
	struct lg_class_stats classes[LG_READING_CLASSES]; /* by size */
	unsigned pager_count;
	unsigned pagers_left_out;                         /* for which there was no room */
	struct lg_roster_entry pagers[LG_READING_PAGERS]; /* as the file has them; without times */
	struct lg_remote_stats remote;                    /* the same; no gets: there is nothing */
};

/*
 * 0; -EINVAL: it is no metrics file of lgalloc; or the system's -errno. lg_error() says why without the
 * name of the file.
 */
int lg_reading_read(const char *path, struct lg_reading *reading);

/* The same of a text, which is changed. text[length] must be writable. */
int lg_reading_parse(char *text, size_t length, struct lg_reading *reading);

#endif
