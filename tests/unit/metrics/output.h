/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What lg_metrics_write wrote, as text. */
#ifndef UNIT_METRICS_OUTPUT_H
#define UNIT_METRICS_OUTPUT_H

#include "unit/unit.h"

#include <lgalloc/lgalloc.h>

#include <sys/mman.h>
#include <unistd.h>

/* The caller frees it. */
static inline char *output_of(enum lg_format format)
{
	int fd = memfd_create("output", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(lg_metrics_write(fd, format), 0);
	off_t bytes = lseek(fd, 0, SEEK_END);
	assert_true(bytes > 0);
	char *text = malloc((size_t)bytes + 1);
	assert_non_null(text);
	assert_int_equal(pread(fd, text, (size_t)bytes, 0), bytes);
	text[bytes] = '\0';
	assert_int_equal(strlen(text), bytes);
	assert_int_equal(text[bytes - 1], '\n');
	close(fd);
	return text;
}

/* Regions of some classes, one of them in use, so that there is something to show. */
static inline int output_prepare(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 30; i++) {
		lg_region *regions[3] = { lg_region_new(4096), lg_region_new(1 << 20),
					  lg_region_new(64 << 20) };

		for (unsigned k = 0; k < 3; k++)
			lg_region_free(regions[k]);
	}
	lg_thread_flush();
	return lg_region_new(2 << 20) != NULL ? 0 : -1;
}

#endif
