/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Formatted text to a descriptor through a buffer on the caller's stack. The first error stays. */
#ifndef LG_METRICS_WRITER_H
#define LG_METRICS_WRITER_H

#include "heap/census.h"
#include "pager/roster.h"

#include <lgalloc/lgalloc.h>

#include <stddef.h>

enum { LG_WRITER_BYTES = 4096 };

/* All that is shown, read before anything of it is written: a reader may be slow. */
struct lg_held {
	struct lg_stats stats;
	struct lg_roster pagers;
	struct lg_remote_stats remote;
	struct lg_census heaps;
};

struct lg_writer {
	int fd;
	int error; /* 0 or -errno */
	size_t length;
	char text[LG_WRITER_BYTES];
};

void lg_writer_print(struct lg_writer *writer, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

/* Writes what is left; 0 or -errno. */
int lg_writer_finish(struct lg_writer *writer);

/*
 * lg_metrics_write without words for lg_error(). `process` is a label of every sample of the two texts
 * for Prometheus; NULL: none.
 */
int lg_writer_write(int fd, enum lg_format format, const char *process);

/* The formats. */
void lg_prometheus_write(struct lg_writer *writer, const struct lg_held *held,
			 enum lg_format dialect, const char *process);
void lg_json_write(struct lg_writer *writer, const struct lg_held *held);
void lg_table_write(struct lg_writer *writer, const struct lg_held *held);

#endif
