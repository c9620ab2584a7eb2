/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* The machine the figures are from. */
#ifndef BENCH_HOST_H
#define BENCH_HOST_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

/* One "name: value" a line: processor, memory, kernel, huge pages, file system … */
void host_write(FILE *to, const char *line_start);

/* Where lgalloc's files will be: $TMPDIR, else /var/tmp. */
const char *host_scratch(void);

bool host_is_memory(const char *directory); /* tmpfs or ramfs */

/* The directory this program lies in. */
bool host_directory(char directory[PATH_MAX]);

unsigned host_processors(void);

/* MemAvailable; 0 where the kernel does not say. */
uint64_t host_available_bytes(void);

#endif
