/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Regions by address: the malloc family for large objects. */
#include "base/error.h"
#include "region/fork.h"
#include "region/misuse.h"
#include "region/span.h"

#include <errno.h>

lg_region *lg_region_of(const void *address)
{
	struct lg_region *region = lg_region_around(address);

	if (region == NULL)
		return NULL;
	enum lg_state state = lg_region_state(region);
	return state == LG_LIVE || state == LG_TAGGED ? region : NULL;
}

static void *data_of(lg_region *region)
{
	return region != NULL ? lg_region_data(region) : NULL;
}

/* The region that starts at the address; anything else stops the program. NULL: the parent's, after fork. */
static lg_region *region_at_start(const char *call, const void *address)
{
	struct lg_region *region = lg_region_around(address);

	if (region == NULL)
		lg_misuse(call, address, "not inside any region");
	enum lg_state state = lg_region_state(region);
	if (state == LG_NONE && lg_fork_is_parents(region))
		return NULL;
	if (state == LG_NONE)
		lg_misuse(call, address, "not a region");
	if (region->view.data != address)
		lg_misuse(call, address, "inside a region, not its start");
	if (state != LG_LIVE && state != LG_TAGGED)
		lg_misuse(call, address, "the region is free already (double free)");
	return region;
}

void *lg_malloc(size_t bytes)
{
	return data_of(lg_region_new(bytes != 0 ? bytes : 1));
}

void *lg_calloc(size_t count, size_t bytes)
{
	size_t all;

	if (__builtin_mul_overflow(count, bytes, &all)) {
		errno = -lg_fail(ENOMEM, "%zu objects of %zu bytes are too much", count, bytes);
		return NULL;
	}
	return data_of(lg_region_new_zeroed(all != 0 ? all : 1));
}

void *lg_realloc(void *address, size_t bytes)
{
	if (address == NULL)
		return lg_malloc(bytes);
	if (bytes == 0) {
		lg_free(address);
		return NULL;
	}
	lg_region *region = region_at_start("lg_realloc", address);
	if (region == NULL)
		return lg_malloc(bytes); /* the parent's bytes are not here to keep */
	return data_of(lg_region_resize(region, bytes));
}

void *lg_aligned_alloc(size_t alignment, size_t bytes)
{
	if (alignment == 0 || (alignment & (alignment - 1)) != 0) {
		errno = -lg_fail(EINVAL, "alignment %zu is not a power of two", alignment);
		return NULL;
	}
	/* A region is aligned to its size. */
	return lg_malloc(bytes > alignment ? bytes : alignment);
}

void lg_free(void *address)
{
	if (address == NULL)
		return;
	lg_region *region = region_at_start("lg_free", address);
	lg_region_free(region);
}

size_t lg_usable_size(const void *address)
{
	lg_region *region = lg_region_of(address);

	return region != NULL && region->view.data == address ? region->view.bytes : 0;
}
