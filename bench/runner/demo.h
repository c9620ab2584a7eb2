/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The demonstration: 1 GiB of regions with 256 MiB of memory and no swap, every byte verified;
 * beside it jemalloc in the same place, which the kernel kills, and jemalloc with a swap file.
 */
#ifndef BENCH_DEMO_H
#define BENCH_DEMO_H

#include "runner/outcome.h"
#include "runner/suite.h"
#include "runner/table.h"

struct demo {
	struct outcome outcomes[LANES];
	char note[320]; /* why it could not be shown; "" */
};

/* Runs and prints each line as it is known. */
void demo_run(struct demo *demo, const struct suite *suite);

void demo_write(FILE *to, const struct demo *demo, enum table_style style);

#endif
