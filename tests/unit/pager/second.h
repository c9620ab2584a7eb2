/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* A second map beside that of shelved.h, with a shelf of its own, that knows what it was filled with. */
#ifndef UNIT_PAGER_SECOND_H
#define UNIT_PAGER_SECOND_H

#include "unit/pager/shelved.h"

struct second {
	struct shelf shelf;
	lg_map *map;
	size_t filled_bytes; /* from the front */
	char filled;
};

static inline void second_make(struct second *second, const struct lg_store_ops *ops, size_t bytes,
			       const char *options)
{
	shelf_make(&second->shelf, bytes);
	second->map = lg_map_store(pager, ops, &second->shelf, bytes, options);
	second->filled_bytes = 0;
	assert_non_null(second->map);
}

static inline void second_fill(struct second *second, char value, size_t bytes)
{
	second->filled = value;
	second->filled_bytes = bytes;
	memset(lg_map_data(second->map), value, bytes);
}

static inline void second_claim_stored(const struct second *second)
{
	for (size_t at = 0; at < second->filled_bytes; at++)
		assert_int_equal(second->shelf.bytes[at], second->filled);
}

/* What its closing says; its shelf has everything then. */
static inline int second_end(struct second *second)
{
	int closed = lg_map_close(second->map);

	second_claim_stored(second);
	shelf_end(&second->shelf);
	return closed;
}

#endif
