/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "preload/next.h"

#include "base/atomic.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdint.h>
#include <string.h>

enum { EARLY_BYTES = 64 << 10, EARLY_ALIGNMENT = 16 };

static _Alignas(4096) char early[EARLY_BYTES];
static _Atomic(size_t) early_used;

bool lg_next_is_early(const void *block)
{
	return (uintptr_t)block - (uintptr_t)early < EARLY_BYTES;
}

size_t lg_next_early_bytes(const void *block)
{
	return (size_t)(early + EARLY_BYTES - (const char *)block);
}

/* From the buffer, which is zero. */
static void *early_memalign(size_t alignment, size_t bytes)
{
	size_t used = lg_load_relaxed(&early_used), start;

	if (alignment < EARLY_ALIGNMENT)
		alignment = EARLY_ALIGNMENT;
	do {
		start = (used + alignment - 1) & ~(alignment - 1);
		if (alignment > sizeof(early) || start > EARLY_BYTES ||
		    bytes > EARLY_BYTES - start) {
			errno = ENOMEM;
			return NULL;
		}
	} while (!lg_cas_relaxed(&early_used, &used, start + bytes));
	return early + start;
}

static void *early_malloc(size_t bytes)
{
	return early_memalign(EARLY_ALIGNMENT, bytes);
}

static void *early_calloc(size_t count, size_t bytes)
{
	if (bytes != 0 && count > EARLY_BYTES / bytes) {
		errno = ENOMEM;
		return NULL;
	}
	return early_malloc(count * bytes);
}

/* Old is NULL or early: the shim deals with the second before it asks. */
static void *early_realloc(void *old, size_t bytes)
{
	return old == NULL ? early_malloc(bytes) : NULL;
}

static void early_free(void *block)
{
	(void)block;
}

static int early_posix_memalign(void **block, size_t alignment, size_t bytes)
{
	void *got = early_memalign(alignment, bytes);

	if (got == NULL)
		return ENOMEM;
	*block = got;
	return 0;
}

static size_t no_usable_size(void *block)
{
	(void)block;
	return 0;
}

static const struct lg_next early_functions = {
	.malloc = early_malloc,
	.calloc = early_calloc,
	.realloc = early_realloc,
	.free = early_free,
	.memalign = early_memalign,
	.aligned_alloc = early_memalign,
	.posix_memalign = early_posix_memalign,
	.malloc_usable_size = no_usable_size,
};

static void (*found_free)(void *block);

/* Instead of the next allocator's, if early blocks were ever handed out: they end here. */
static void late_free(void *block)
{
	if (!lg_next_is_early(block))
		found_free(block);
}

/* Whoever asks while this thread is inside the linker, itself first of all, gets early blocks. */
static void find(void)
{
	struct lg_next found = early_functions;

	lg_next = early_functions;
#define LG_NEXT_FIND(name, result, parameters)                                                     \
	{                                                                                          \
		void *symbol = dlsym(RTLD_NEXT, #name);                                            \
		if (symbol != NULL)                                                                \
			memcpy(&found.name, &symbol, sizeof(symbol));                              \
	}
	LG_NEXT_FUNCTIONS(LG_NEXT_FIND)
#undef LG_NEXT_FIND
	found_free = found.free;
	if (lg_load_relaxed(&early_used) > 0)
		found.free = late_free;
	lg_next = found;
}

static void *first_malloc(size_t bytes)
{
	find();
	return lg_next.malloc(bytes);
}

static void *first_calloc(size_t count, size_t bytes)
{
	find();
	return lg_next.calloc(count, bytes);
}

static void *first_realloc(void *old, size_t bytes)
{
	find();
	return lg_next.realloc(old, bytes);
}

static void first_free(void *block)
{
	if (block == NULL)
		return;
	find();
	lg_next.free(block);
}

static void *first_memalign(size_t alignment, size_t bytes)
{
	find();
	return lg_next.memalign(alignment, bytes);
}

static void *first_aligned_alloc(size_t alignment, size_t bytes)
{
	find();
	return lg_next.aligned_alloc(alignment, bytes);
}

static int first_posix_memalign(void **block, size_t alignment, size_t bytes)
{
	find();
	return lg_next.posix_memalign(block, alignment, bytes);
}

static size_t first_malloc_usable_size(void *block)
{
	find();
	return lg_next.malloc_usable_size(block);
}

struct lg_next lg_next = {
#define LG_NEXT_FIRST(name, result, parameters) .name = first_##name,
	LG_NEXT_FUNCTIONS(LG_NEXT_FIRST)
#undef LG_NEXT_FIRST
};
