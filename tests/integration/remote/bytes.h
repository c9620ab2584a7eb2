/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the objects of these tests are made of: each byte follows from its place and the object's version. */
#ifndef REMOTE_BYTES_H
#define REMOTE_BYTES_H

#include "stress/claim.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static inline unsigned char byte_at(size_t place, unsigned version)
{
	uint64_t word = ((uint64_t)(place / 8) + 1) * 0x9e3779b97f4a7c15 + version;

	return (unsigned char)((word ^ word >> 29) >> 8 * (place % 8));
}

static inline void bytes_make(const char *path, size_t bytes, unsigned version)
{
	FILE *file = fopen(path, "w");

	CLAIM(file != NULL);
	for (size_t i = 0; i < bytes; i++)
		putc_unlocked(byte_at(i, version), file);
	CLAIM(fclose(file) == 0);
}

/* `PROGRAM make FILE BYTES`, as the servers' scripts call it before they start anything. */
static inline bool bytes_were_made(int argc, char **argv)
{
	if (argc != 4 || strcmp(argv[1], "make") != 0)
		return false;
	bytes_make(argv[2], strtoull(argv[3], NULL, 10), 0);
	return true;
}

static inline void bytes_check(const void *data, size_t from, size_t bytes, unsigned version)
{
	const unsigned char *seen = data;

	for (size_t i = 0; i < bytes; i++)
		if (seen[i] != byte_at(from + i, version)) {
			fprintf(stderr, "byte %zu is %u, not %u\n", from + i, seen[i],
				byte_at(from + i, version));
			BROKEN("the bytes are those of the object");
		}
}

#endif
