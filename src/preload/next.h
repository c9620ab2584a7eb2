/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The next allocator: what the program would have without the shim, glibc's or one preloaded behind.
 *
 * The dynamic linker is asked for it at the first call, and may itself allocate while it answers; until then,
 * and for the functions a next allocator lacks, a small static buffer serves, whose blocks are never
 * given back. Two threads may ask at once: the answer is the same.
 */
#ifndef LG_PRELOAD_NEXT_H
#define LG_PRELOAD_NEXT_H

#include <stdbool.h>
#include <stddef.h>

/* X(name, result, parameters): what the shim passes on. */
#define LG_NEXT_FUNCTIONS(X)                                                                       \
	X(malloc, void *, (size_t bytes))                                                          \
	X(calloc, void *, (size_t count, size_t bytes))                                            \
	X(realloc, void *, (void *old, size_t bytes))                                              \
	X(free, void, (void *block))                                                               \
	X(memalign, void *, (size_t alignment, size_t bytes))                                      \
	X(aligned_alloc, void *, (size_t alignment, size_t bytes))                                 \
	X(posix_memalign, int, (void **block, size_t alignment, size_t bytes))                     \
	X(malloc_usable_size, size_t, (void *block))

struct lg_next {
#define LG_NEXT_FIELD(name, result, parameters) result(*name) parameters;
	LG_NEXT_FUNCTIONS(LG_NEXT_FIELD)
#undef LG_NEXT_FIELD
};

/* Always callable: at first each function looks for all of them. Of early blocks only free knows. */
extern struct lg_next lg_next;

/* A block of the static buffer. */
bool lg_next_is_early(const void *block);

/* Bytes from an early block to the end of the buffer: at least its size. */
size_t lg_next_early_bytes(const void *block);

#endif
