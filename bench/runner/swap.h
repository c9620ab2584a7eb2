/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A swap file of our own, on a disk; the guard takes it off and deletes it whatever happens. */
#ifndef BENCH_SWAP_H
#define BENCH_SWAP_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Makes the file once, in `directory` or, where that is memory or refused, beside this program;
 * written in full, because a swap file must have no holes. False: swap_reason() says why.
 */
bool swap_make(const char *directory, uint64_t bytes);
const char *swap_reason(void);

bool swap_on(void);
bool swap_off(void);

/* Off and deleted. */
void swap_remove(void);

#endif
