/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A B-tree of byte strings in a persistent heap. Nodes and items refer to each other by lg_ref, so the tree is where it
 * was whenever, and at whatever address, the heap is opened again. Nothing here knows of crashes: between two commits
 * of the heap the tree is what it was at the first.
 *
 * One thread at a time; or others outside lg_heap_begin and lg_heap_end look away.
 */
#ifndef EXAMPLES_KV_TREE_H
#define EXAMPLES_KV_TREE_H

#include <lgalloc/heap.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TREE_KEY_MAX = 1024, TREE_VALUE_MAX = 1 << 30 };

struct tree_item {
	uint32_t key_bytes;
	uint32_t value_bytes;
	unsigned char bytes[]; /* the key, then the value */
};

struct tree {
	lg_heap *heap;
	struct tree_head *head;
};

/* Finds the tree by the heap's root "tree", or makes one. 0 or -errno, with lg_error(). */
int tree_open(struct tree *tree, lg_heap *heap);

/* Sets a key's value, whether it had one or not. 0; -EINVAL: too long; else what lg_heap_alloc said: all is as it was. */
int tree_put(struct tree *tree, const void *key, size_t key_bytes, const void *value,
	     size_t value_bytes);

/* NULL: there is none. Good until the tree changes. */
const struct tree_item *tree_get(const struct tree *tree, const void *key, size_t key_bytes);

/* False: there is none. */
bool tree_delete(struct tree *tree, const void *key, size_t key_bytes);

uint64_t tree_count(const struct tree *tree);

/* All items in order from this key on (NULL: from the first), until `each` returns other than 0, which is returned. */
int tree_scan(const struct tree *tree, const void *from, size_t from_bytes,
	      int (*each)(void *argument, const struct tree_item *item), void *argument);

/* NULL if the tree is one: keys in order, nodes as full as they should be, leaves at one depth, the count right. */
const char *tree_check(const struct tree *tree);

static inline const unsigned char *tree_value(const struct tree_item *item)
{
	return item->bytes + item->key_bytes;
}

#endif
