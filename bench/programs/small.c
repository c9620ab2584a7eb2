/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Nanoseconds for malloc and free of a small block: the median of rounds. What the shim adds to a block it
 * passes on is the difference to the same program without it.
 */
#include "workload/clock.h"
#include "workload/median.h"

#include <stdio.h>
#include <stdlib.h>

enum { ROUNDS = 41, PAIRS = 2000000, BYTES = 64 };

int main(void)
{
	/* Compilers know malloc, and leave out what nobody looks at. */
	static void *volatile block;
	double rounds[ROUNDS];

	for (int round = 0; round < ROUNDS; round++) {
		uint64_t start = clock_ns();

		for (int i = 0; i < PAIRS; i++) {
			block = malloc(BYTES);
			free(block);
		}
		rounds[round] = (double)(clock_ns() - start) / PAIRS;
	}
	printf("%.3f\n", median_of(rounds, ROUNDS));
	return EXIT_SUCCESS;
}
