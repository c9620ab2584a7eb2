/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "tree.h"

#include <stdlib.h>

struct heads {
	uint64_t (*head)(void *argument, size_t i);
	void *argument;
};

/* The winner among the leaves under node i, with the losers put in their places. */
static struct tree_node play(struct tree *tree, const struct heads *heads, size_t i)
{
	if (i >= tree->leaves) {
		size_t leaf = i - tree->leaves;

		return (struct tree_node){ .key = heads->head(heads->argument, leaf),
					   .leaf = leaf };
	}
	struct tree_node left = play(tree, heads, 2 * i);
	struct tree_node right = play(tree, heads, 2 * i + 1);

	tree->nodes[i] = left.key <= right.key ? right : left;
	return left.key <= right.key ? left : right;
}

size_t tree_leaves(size_t sequences)
{
	size_t leaves = 1;

	while (leaves < sequences)
		leaves *= 2;
	return leaves;
}

int tree_init(struct tree *tree, size_t leaves, uint64_t (*head)(void *argument, size_t i),
	      void *argument)
{
	struct heads heads = { head, argument };

	tree->leaves = leaves;
	tree->nodes = calloc(leaves, sizeof(*tree->nodes));
	if (tree->nodes == NULL)
		return -1;
	tree->nodes[0] = play(tree, &heads, 1);
	return 0;
}

void tree_destroy(struct tree *tree)
{
	free(tree->nodes);
}
