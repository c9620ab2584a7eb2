/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A loser tree over the heads of k sorted sequences (Knuth, volume 3, 5.4.1): each inner node keeps the
 * loser of its match, so the next key is found by the matches on one path to the root, log2 k of them,
 * each against one known opponent. A heap makes twice as many comparisons.
 *
 * A sequence that has ended plays on with the largest key, as do those that make the leaves a power of
 * two. Should a real key be as large, it does not matter which of the two is taken: keys carry nothing,
 * and the caller takes as many as there are.
 */
#ifndef EXTERNAL_SORT_TREE_H
#define EXTERNAL_SORT_TREE_H

#include <stddef.h>
#include <stdint.h>

struct tree_node {
	uint64_t key;
	size_t leaf;
};

/* nodes[0] is the winner, nodes[1 .. leaves) the losers; the node above leaf i is (leaves + i) / 2. */
struct tree {
	struct tree_node *nodes;
	size_t leaves; /* a power of two */
};

/* The least number of leaves for so many sequences. */
size_t tree_leaves(size_t sequences);

/* The first key of leaf i is head(argument, i). 0, or -1: no memory. */
int tree_init(struct tree *tree, size_t leaves, uint64_t (*head)(void *argument, size_t i),
	      void *argument);

void tree_destroy(struct tree *tree);

/* The winner's sequence goes on with `key`. */
static inline void tree_replay(struct tree *tree, uint64_t key)
{
	struct tree_node player = { .key = key, .leaf = tree->nodes[0].leaf };

	for (size_t i = (tree->leaves + player.leaf) / 2; i > 0; i /= 2) {
		struct tree_node other = tree->nodes[i];
		/* Masks, for who wins cannot be predicted: a branch here costs more than all else. */
		uint64_t lost = 0 - (uint64_t)(other.key < player.key);
		uint64_t keys = (other.key ^ player.key) & lost;
		size_t leaves = (other.leaf ^ player.leaf) & (size_t)lost;

		tree->nodes[i].key = other.key ^ keys;
		tree->nodes[i].leaf = other.leaf ^ leaves;
		player.key ^= keys;
		player.leaf ^= leaves;
	}
	tree->nodes[0] = player;
}

#endif
