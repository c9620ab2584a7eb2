/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* What a page holds: nothing but zeros, or the same as before. */
#ifndef LG_PAGER_CONTENT_H
#define LG_PAGER_CONTENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* `bytes` is a multiple of 64. */
bool lg_content_is_zero(const void *at, size_t bytes);

/* Before the first hash of the process; -errno: the system gives no random numbers. */
int lg_content_start(void);

/* In parts, each a multiple of 64. */
struct lg_content {
	uint64_t lanes[4];
	uint64_t bytes;
};

void lg_content_begin(struct lg_content *content);
void lg_content_add(struct lg_content *content, const void *at, size_t bytes);
uint64_t lg_content_end(const struct lg_content *content);

/* At least 2. Two contents with one hash by chance: one in 2^64. `bytes` is a multiple of 64. */
uint64_t lg_content_hash(const void *at, size_t bytes);

#endif
