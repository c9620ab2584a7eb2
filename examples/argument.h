/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Numbers on the command line. */
#ifndef EXAMPLES_ARGUMENT_H
#define EXAMPLES_ARGUMENT_H

#include <argp.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdlib.h>

/* The number in `text`, with K, M, G or T behind it; anything else is argp's error and the end. */
static inline uint64_t argument_number(struct argp_state *state, const char *name, const char *text,
				       uint64_t low, uint64_t high)
{
	static const char units[] = "KMGT";
	char *end;
	uint64_t value = strtoull(text, &end, 10);
	unsigned shift = 0;

	for (unsigned i = 0; units[i] != '\0' && *end != '\0'; i++)
		if (*end == units[i])
			shift = 10 * (i + 1);
	if (end == text || text[0] == '-' || end[shift != 0] != '\0' ||
	    value > UINT64_MAX >> shift || value << shift < low || value << shift > high)
		argp_error(state,
			   "%s: %s is no number from %" PRIu64 " to %" PRIu64
			   " (K, M, G, T may follow)",
			   name, text, low, high);
	return value << shift;
}

#endif
