/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The malloc family for programs nobody recompiles (LD_PRELOAD): requests from `min_size` up become
 * regions, everything else goes to the next allocator, and so does every block that came from there.
 *
 * What is handed out tells who made it by its address alone: one compare. Where a region cannot be had (a
 * class larger than its span, no address space) the next allocator is asked, whose answer is the
 * program's.
 *
 * Safe from the first instruction of a process to its last: no state of its own but the table of the next
 * allocator; threads without a cache use the pools; the environment is read by a constructor, or by the
 * first large request if that comes earlier.
 */
#include "base/error.h"
#include "base/option.h"
#include "os/map.h"
#include "os/thread.h"
#include "preload/mask.h"
#include "preload/next.h"
#include "region/alloc.h"
#include "region/gather.h"
#include "region/span.h"
#include "region/start.h"
#include "region/tail.h"

#include <lgalloc/lgalloc.h>

#include <errno.h>
#include <stdint.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define HUGE_PAGE_BYTES LG_MIB(2)

/*
 * Forked children see their memory (anon), and a region's tail that nobody asked for takes no disk. Memory
 * goes back for good at the decay, and a thread keeps little: these programs are compared by their resident
 * memory with what they had, in which pages that the kernel only may take count in full. What LGALLOC_CONF
 * says counts more.
 */
const char *lg_option_builtin(void)
{
	return LG_OPTION_SHIM;
}

__attribute__((constructor)) static void start(void)
{
	lg_next.free(lg_next.malloc(1)); /* before there are two threads to look for it */
	lg_start_read_environment();
	lg_mask_inherited();
}

static inline bool is_large(size_t bytes)
{
	return bytes >= lg_option(min_size);
}

static inline bool is_region(const void *block)
{
	return (uintptr_t)block - lg_span.base < lg_load_relaxed(&lg_span.bytes);
}

/*
 * The next allocator knows nothing of paged_memory: who asked for a bound is told that this request is beyond it. One line for a
 * process and its children: where one request is refused, others will be.
 */
static void say_unbounded(size_t bytes, const char *why)
{
	static _Atomic(uint32_t) said;

	if (lg_option(backing) != LG_BACKING_PAGED || bytes > PTRDIFF_MAX /* nobody's */ ||
	    lg_swap_ordered(&said, 1) != 0)
		return;
	int cancel = lg_os_cancel_hold();
	lg_say("a request of %zu bytes is not within paged_memory: %s; it and others that are refused are the "
	       "next allocator's, without a bound",
	       bytes, why);
	lg_os_cancel_restore(cancel);
}

/* NULL and errno: the next allocator is asked. errno of a call that succeeds in the end stays. */
static LG_OUT_OF_LINE void *large(size_t bytes, bool zeroed)
{
	int before = errno;
	int error;
	lg_region *region = zeroed ? lg_region_obtain(bytes, bytes, &error) : lg_region_new(bytes);

	if (region == NULL || (!zeroed && !lg_gather(region, bytes))) {
		say_unbounded(bytes, lg_error());
		errno = before;
		return NULL;
	}
	lg_tail_fit(region, bytes);
	return lg_region_data(region);
}

/* A region is aligned to its size, up to a span; only so much is promised. */
static void *large_aligned(size_t alignment, size_t bytes)
{
	if (alignment > HUGE_PAGE_BYTES) {
		say_unbounded(bytes, "its alignment is more than 2 MiB");
		return NULL;
	}
	return large(lg_max(bytes, alignment), false);
}

EXPORT void *malloc(size_t bytes)
{
	void *block;

	if (LG_LIKELY(!is_large(bytes)) || (block = large(bytes, false)) == NULL)
		return lg_next.malloc(bytes);
	return block;
}

EXPORT void *calloc(size_t count, size_t bytes)
{
	size_t all;
	void *block;

	if (__builtin_mul_overflow(count, bytes, &all) || LG_LIKELY(!is_large(all)) ||
	    (block = large(all, true)) == NULL)
		return lg_next.calloc(count, bytes);
	return block;
}

EXPORT void free(void *block)
{
	if (LG_UNLIKELY(is_region(block)))
		lg_free(block);
	else
		lg_next.free(block);
}

/*
 * To the end of the page, and not the capacity, which may be twice as much: programs count their memory by
 * it (redis), and use what they are told they have.
 */
static size_t usable(const void *block)
{
	lg_region *region = lg_region_of(block);

	if (region == NULL || region->view.data != block)
		return 0;
	return lg_round_up(region->asked, lg_os_page_bytes());
}

EXPORT size_t malloc_usable_size(void *block)
{
	if (is_region(block))
		return usable(block);
	return lg_next_is_early(block) ? 0 : lg_next.malloc_usable_size(block);
}

/* To another allocator: what both have is copied. NULL: the old block is intact. */
static void *exchange(void *old, size_t old_bytes, size_t bytes)
{
	void *block = malloc(bytes);

	if (block == NULL)
		return NULL;
	memcpy(block, old, lg_min(old_bytes, bytes));
	free(old);
	return block;
}

static void *resize(void *old, size_t bytes)
{
	lg_region *region = lg_region_of(old);
	size_t old_bytes = usable(old);
	int before = errno;

	if (bytes == 0) {
		lg_free(old);
		return NULL;
	}
	/* lg_realloc names what is wrong with an address that begins no live region. */
	if (region == NULL || old != lg_region_data(region))
		return lg_realloc(old, bytes);
	if (!is_large(bytes))
		return exchange(old, old_bytes, bytes);
	lg_region *other = lg_region_resize(region, bytes);
	if (other != NULL) {
		lg_tail_fit(other, bytes);
		return lg_region_data(other);
	}
	say_unbounded(bytes, lg_error());
	errno = before;
	void *block = lg_next.malloc(bytes);
	if (block == NULL)
		return NULL;
	memcpy(block, old, old_bytes); /* smaller, else it would have been kept */
	lg_free(old);
	return block;
}

EXPORT void *realloc(void *old, size_t bytes)
{
	if (old == NULL)
		return malloc(bytes);
	if (is_region(old))
		return resize(old, bytes);
	if (LG_UNLIKELY(lg_next_is_early(old)))
		return exchange(old, lg_next_early_bytes(old), bytes);
	if (LG_LIKELY(!is_large(bytes)))
		return lg_next.realloc(old, bytes);
	/* Across the threshold. A next allocator that does not tell sizes goes on alone. */
	size_t old_bytes = lg_next.malloc_usable_size(old);
	void *block = old_bytes == 0 ? NULL : large(bytes, false);
	if (block == NULL)
		return lg_next.realloc(old, bytes);
	memcpy(block, old, lg_min(old_bytes, bytes));
	lg_next.free(old);
	return block;
}

EXPORT void *reallocarray(void *old, size_t count, size_t bytes)
{
	size_t all;

	if (__builtin_mul_overflow(count, bytes, &all)) {
		errno = ENOMEM;
		return NULL;
	}
	return realloc(old, all);
}

EXPORT void *memalign(size_t alignment, size_t bytes)
{
	void *block;

	if (LG_LIKELY(!is_large(bytes)) || (block = large_aligned(alignment, bytes)) == NULL)
		return lg_next.memalign(alignment, bytes);
	return block;
}

EXPORT void *aligned_alloc(size_t alignment, size_t bytes)
{
	void *block;

	if (LG_LIKELY(!is_large(bytes)) || (alignment & (alignment - 1)) != 0 ||
	    (block = large_aligned(alignment, bytes)) == NULL)
		return lg_next.aligned_alloc(alignment, bytes);
	return block;
}

EXPORT int posix_memalign(void **block, size_t alignment, size_t bytes)
{
	bool good = alignment % sizeof(void *) == 0 && alignment != 0 &&
		    (alignment & (alignment - 1)) == 0;
	void *got;

	if (LG_LIKELY(!is_large(bytes)) || !good || (got = large_aligned(alignment, bytes)) == NULL)
		return lg_next.posix_memalign(block, alignment, bytes);
	*block = got;
	return 0;
}

EXPORT void *valloc(size_t bytes)
{
	return memalign(lg_os_page_bytes(), bytes);
}

EXPORT void *pvalloc(size_t bytes)
{
	size_t page = lg_os_page_bytes();

	if (bytes > SIZE_MAX - page) {
		errno = ENOMEM;
		return NULL;
	}
	return memalign(page, lg_max(lg_round_up(bytes, page), page));
}
