/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What the kernel says of the mapping around an address: /proc/self/smaps. */
#ifndef UNIT_SMAPS_H
#define UNIT_SMAPS_H

#include "unit/unit.h"

#include <inttypes.h>

/* The mapping's own line if `key` is NULL, else that of its lines that starts with `key`. */
static inline void smaps_line(const void *at, const char *key, char *line, size_t bytes)
{
	FILE *maps = fopen("/proc/self/smaps", "r");
	bool inside = false, found = false;

	assert_non_null(maps);
	while (!found && fgets(line, (int)bytes, maps) != NULL) {
		uintptr_t from, to;
		bool head = sscanf(line, "%" SCNxPTR "-%" SCNxPTR " ", &from, &to) == 2;

		if (head)
			inside = from <= (uintptr_t)at && (uintptr_t)at < to;
		found = inside && (key == NULL ? head : strncmp(line, key, strlen(key)) == 0);
	}
	fclose(maps);
	assert_true(found);
}

/* One of the two-letter flags, with the space before it. */
static inline bool smaps_has_flag(const void *at, const char *flag)
{
	char line[512];

	smaps_line(at, "VmFlags:", line, sizeof(line));
	return strstr(line, flag) != NULL;
}

#endif
