/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* probe COUNT: a trace where the environment says, of so many reads over 1000 pages, which it does not close. */
#include "pager/trace.h"

#include <lgalloc/lgalloc.h>

#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
	static const struct lg_trace_about about = { 64 << 20, 4096, "fifo", 0, false };
	const char *path = getenv(LG_TRACE_ENVIRONMENT);
	struct lg_trace *trace;

	if (argc != 2 || path == NULL)
		return 2;
	if (lg_trace_open(path, &about, &trace) != 0) {
		fprintf(stderr, "probe: %s\n", lg_error());
		return 1;
	}
	for (uint64_t i = 0; i < strtoull(argv[1], NULL, 10); i++)
		lg_trace_put(trace, LG_TRACE_READ, 0, i % 1000, 12);
	return 0;
}
