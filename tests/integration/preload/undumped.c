/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A program that knows nothing of lgalloc and looks, with a large block in use, at what of it a core dump would have: not the
 * address space that the library reserves, nor its tables, which span gigabytes.
 */
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BYTES ((size_t)32 << 20)
#define MOST_KIB ((uint64_t)128 << 10)

int main(void)
{
	char *volatile block = malloc(BYTES);
	uint64_t kib = 0, sum = 0;
	char line[4096], head[4096] = "";
	FILE *maps = fopen("/proc/self/smaps", "r");

	if (block == NULL || maps == NULL)
		return EXIT_FAILURE;
	memset(block, 1, BYTES);
	while (fgets(line, sizeof(line), maps) != NULL) {
		uintptr_t from, to;

		if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2) {
			kib = (to - from) >> 10;
			memcpy(head, line, sizeof(head));
		} else if (strncmp(line, "VmFlags:", 8) == 0 && strstr(line, " dd") == NULL) {
			sum += kib;
			if (kib > MOST_KIB)
				fprintf(stderr, "%" PRIu64 " KiB: %s", kib, head);
		}
	}
	fclose(maps);
	free(block);
	if (sum <= MOST_KIB)
		return EXIT_SUCCESS;
	fprintf(stderr,
		"does not hold: %" PRIu64 " KiB that a dump would have are at most %" PRIu64 "\n",
		sum, MOST_KIB);
	return EXIT_FAILURE;
}
