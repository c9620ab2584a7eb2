/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/peer.h"

#include "workload/result.h"

#include <lgalloc/heap.h>
#include <lgalloc/lgalloc.h>

static lg_heap *heap;

static block *take(size_t bytes)
{
	return lg_heap_alloc(heap, bytes);
}

static void give(block *given)
{
	(void)lg_heap_free(heap, given);
}

static block *resize(block *kept, size_t bytes)
{
	return lg_heap_realloc(heap, kept, bytes);
}

void peer_open_lgalloc(struct block_calls *calls, const char *path)
{
	heap = lg_heap_open(path, peer_options("create:on"));
	if (heap == NULL)
		result_fail("%s", lg_error());
	*calls = (struct block_calls){ take, give, resize };
}

const char *peer_version_lgalloc(void)
{
	return lg_version();
}
