/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#ifndef BENCH_TOUCH_H
#define BENCH_TOUCH_H

#include <stddef.h>
#include <stdint.h>

enum { TOUCH_PAGE = 4096 };

/* One word of every page. */
static inline void touch_pages(void *data, size_t bytes, uint64_t word)
{
	char *byte = data;

	for (size_t offset = 0; offset < bytes; offset += TOUCH_PAGE)
		*(volatile uint64_t *)(void *)(byte + offset) = word;
}

#endif
