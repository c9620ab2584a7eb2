/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The B-tree of Cormen, Leiserson, Rivest and Stein, chapter 18: nodes on the way down are split when they are full, and
 * filled up when they could become too small, so that no step goes back up. A slot has the first bytes of its key beside
 * the item's ref: most comparisons end there, without another cache line.
 */
#include "tree.h"

#include <errno.h>
#include <lgalloc/lgalloc.h>
#include <string.h>

enum { DEGREE = 16, SLOTS_MAX = 2 * DEGREE - 1 };

struct slot {
	uint64_t prefix; /* of the key, the first byte highest, zeros behind a short one */
	lg_ref item;
};

/* A leaf has no children, not even room for them. */
struct node {
	uint32_t count;
	uint32_t is_leaf;
	struct slot slots[SLOTS_MAX];
	lg_ref children[SLOTS_MAX + 1];
};

struct tree_head {
	lg_ref root;
	uint64_t count;
};

struct key {
	const unsigned char *bytes;
	size_t length;
	uint64_t prefix;
};

static struct node *node_at(const struct tree *tree, lg_ref ref)
{
	return lg_heap_at(tree->heap, ref);
}

static struct node *child_at(const struct tree *tree, const struct node *node, uint32_t index)
{
	return node_at(tree, node->children[index]);
}

static const struct tree_item *item_at(const struct tree *tree, const struct slot *slot)
{
	return lg_heap_at(tree->heap, slot->item);
}

static struct key make_key(const void *bytes, size_t length)
{
	struct key key = { bytes, length, 0 };

	for (size_t i = 0; i < 8; i++)
		key.prefix = key.prefix << 8 | (i < length ? key.bytes[i] : 0);
	return key;
}

static int compare(const struct tree *tree, const struct key *key, const struct slot *slot)
{
	if (key->prefix != slot->prefix)
		return key->prefix < slot->prefix ? -1 : 1;
	const struct tree_item *item = item_at(tree, slot);
	size_t both = key->length < item->key_bytes ? key->length : item->key_bytes;
	int order = memcmp(key->bytes, item->bytes, both);
	if (order != 0)
		return order;
	return key->length < item->key_bytes ? -1 : key->length > item->key_bytes;
}

/* The first slot that is not less; whether it is equal. */
static uint32_t search(const struct tree *tree, const struct node *node, const struct key *key,
		       bool *equal)
{
	uint32_t low = 0, high = node->count;

	*equal = false;
	while (low < high) {
		uint32_t middle = (low + high) / 2;
		int order = compare(tree, key, &node->slots[middle]);

		if (order > 0)
			low = middle + 1;
		else
			high = middle;
		*equal = *equal || order == 0;
	}
	return low;
}

static struct node *new_node(struct tree *tree, bool is_leaf)
{
	struct node *node = lg_heap_alloc(tree->heap, is_leaf ? offsetof(struct node, children) :
								sizeof(struct node));

	if (node != NULL) {
		node->count = 0;
		node->is_leaf = is_leaf;
	}
	return node;
}

int tree_open(struct tree *tree, lg_heap *heap)
{
	tree->heap = heap;
	tree->head = lg_heap_at(heap, lg_heap_root_get(heap, "tree"));
	if (tree->head != NULL)
		return 0;
	tree->head = lg_heap_calloc(heap, 1, sizeof(*tree->head));
	if (tree->head == NULL)
		return -errno;
	struct node *root = new_node(tree, true);
	int error = root == NULL ? -errno :
				   lg_heap_root_set(heap, "tree", lg_heap_ref(heap, tree->head));
	if (error == 0) {
		tree->head->root = lg_heap_ref(heap, root);
		return 0;
	}
	(void)lg_heap_free(heap, root);
	(void)lg_heap_free(heap, tree->head);
	return error;
}

/* --- put ---------------------------------------------------------------------------------------- */

static void insert_slot(struct node *node, uint32_t index, struct slot slot)
{
	memmove(&node->slots[index + 1], &node->slots[index],
		(node->count - index) * sizeof(struct slot));
	if (!node->is_leaf)
		memmove(&node->children[index + 2], &node->children[index + 1],
			(node->count - index) * sizeof(lg_ref));
	node->slots[index] = slot;
	node->count++;
}

/* The child is full, its parent is not. -errno: nothing has changed. */
static int split_child(struct tree *tree, struct node *parent, uint32_t index)
{
	struct node *left = child_at(tree, parent, index);
	struct node *right = new_node(tree, left->is_leaf);

	if (right == NULL)
		return -errno;
	memcpy(right->slots, left->slots + DEGREE, (DEGREE - 1) * sizeof(struct slot));
	if (!left->is_leaf)
		memcpy(right->children, left->children + DEGREE, DEGREE * sizeof(lg_ref));
	left->count = DEGREE - 1;
	right->count = DEGREE - 1;
	insert_slot(parent, index, left->slots[DEGREE - 1]);
	parent->children[index + 1] = lg_heap_ref(tree->heap, right);
	return 0;
}

static int split_root(struct tree *tree)
{
	struct node *root = new_node(tree, false);

	if (root == NULL)
		return -errno;
	root->children[0] = tree->head->root;
	int error = split_child(tree, root, 0);
	if (error != 0)
		(void)lg_heap_free(tree->heap, root);
	else
		tree->head->root = lg_heap_ref(tree->heap, root);
	return error;
}

/* A tree in which nodes were split is the same tree: a failure leaves that. */
static int put_slot(struct tree *tree, const struct key *key, lg_ref item)
{
	int error = node_at(tree, tree->head->root)->count == SLOTS_MAX ? split_root(tree) : 0;
	struct node *node = node_at(tree, tree->head->root);

	while (error == 0) {
		bool equal;
		uint32_t index = search(tree, node, key, &equal);

		if (equal) {
			(void)lg_heap_free(tree->heap,
					   lg_heap_at(tree->heap, node->slots[index].item));
			node->slots[index].item = item;
			return 0;
		}
		if (node->is_leaf) {
			insert_slot(node, index, (struct slot){ key->prefix, item });
			tree->head->count++;
			return 0;
		}
		if (child_at(tree, node, index)->count == SLOTS_MAX)
			error = split_child(tree, node, index); /* and look again, here */
		else
			node = child_at(tree, node, index);
	}
	return error;
}

int tree_put(struct tree *tree, const void *key, size_t key_bytes, const void *value,
	     size_t value_bytes)
{
	if (key_bytes > TREE_KEY_MAX || value_bytes > TREE_VALUE_MAX)
		return -EINVAL;
	struct key wanted = make_key(key, key_bytes);
	struct tree_item *item = lg_heap_alloc(tree->heap, sizeof(*item) + key_bytes + value_bytes);
	if (item == NULL)
		return -errno;
	item->key_bytes = (uint32_t)key_bytes;
	item->value_bytes = (uint32_t)value_bytes;
	memcpy(item->bytes, key, key_bytes);
	memcpy(item->bytes + key_bytes, value, value_bytes);
	int error = put_slot(tree, &wanted, lg_heap_ref(tree->heap, item));
	if (error != 0)
		(void)lg_heap_free(tree->heap, item);
	return error;
}

/* --- get, scan ---------------------------------------------------------------------------------- */

const struct tree_item *tree_get(const struct tree *tree, const void *key, size_t key_bytes)
{
	struct key wanted = make_key(key, key_bytes);
	const struct node *node = node_at(tree, tree->head->root);

	for (;;) {
		bool equal;
		uint32_t index = search(tree, node, &wanted, &equal);

		if (equal)
			return item_at(tree, &node->slots[index]);
		if (node->is_leaf)
			return NULL;
		node = child_at(tree, node, index);
	}
}

uint64_t tree_count(const struct tree *tree)
{
	return tree->head->count;
}

static int scan(const struct tree *tree, const struct node *node, const struct key *from,
		int (*each)(void *argument, const struct tree_item *item), void *argument)
{
	bool equal = false;
	uint32_t index = from != NULL ? search(tree, node, from, &equal) : 0;
	int stop = 0;

	if (!node->is_leaf && !equal)
		stop = scan(tree, child_at(tree, node, index), from, each, argument);
	for (; index < node->count && stop == 0; index++) {
		stop = each(argument, item_at(tree, &node->slots[index]));
		if (stop == 0 && !node->is_leaf)
			stop = scan(tree, child_at(tree, node, index + 1), NULL, each, argument);
	}
	return stop;
}

int tree_scan(const struct tree *tree, const void *from, size_t from_bytes,
	      int (*each)(void *argument, const struct tree_item *item), void *argument)
{
	struct key first = make_key(from, from != NULL ? from_bytes : 0);

	return scan(tree, node_at(tree, tree->head->root), from != NULL ? &first : NULL, each,
		    argument);
}

/* --- delete: nothing is allocated, so nothing fails --------------------------------------------- */

static void remove_slot(struct node *node, uint32_t index)
{
	node->count--;
	memmove(&node->slots[index], &node->slots[index + 1],
		(node->count - index) * sizeof(struct slot));
	if (!node->is_leaf)
		memmove(&node->children[index + 1], &node->children[index + 2],
			(node->count - index) * sizeof(lg_ref));
}

/* Two neighbours of DEGREE - 1 slots and the one between them become the left one. */
static void merge_children(struct tree *tree, struct node *parent, uint32_t index)
{
	struct node *left = child_at(tree, parent, index);
	struct node *right = child_at(tree, parent, index + 1);

	left->slots[left->count++] = parent->slots[index];
	memcpy(left->slots + left->count, right->slots, right->count * sizeof(struct slot));
	if (!left->is_leaf)
		memcpy(left->children + left->count, right->children,
		       (right->count + 1) * sizeof(lg_ref));
	left->count += right->count;
	remove_slot(parent, index);
	(void)lg_heap_free(tree->heap, right);
}

static void borrow_from_left(struct node *parent, uint32_t index, struct node *left,
			     struct node *child)
{
	memmove(child->slots + 1, child->slots, child->count * sizeof(struct slot));
	child->slots[0] = parent->slots[index - 1];
	if (!child->is_leaf) {
		memmove(child->children + 1, child->children, (child->count + 1) * sizeof(lg_ref));
		child->children[0] = left->children[left->count];
	}
	child->count++;
	left->count--;
	parent->slots[index - 1] = left->slots[left->count];
}

static void borrow_from_right(struct node *parent, uint32_t index, struct node *right,
			      struct node *child)
{
	child->slots[child->count++] = parent->slots[index];
	if (!child->is_leaf)
		child->children[child->count] = right->children[0];
	parent->slots[index] = right->slots[0];
	right->count--;
	memmove(right->slots, right->slots + 1, right->count * sizeof(struct slot));
	if (!right->is_leaf)
		memmove(right->children, right->children + 1, (right->count + 1) * sizeof(lg_ref));
}

/* The child, with a slot more than the fewest, wherever that is now. */
static struct node *filled_child(struct tree *tree, struct node *parent, uint32_t index)
{
	struct node *child = child_at(tree, parent, index);
	struct node *left = index > 0 ? child_at(tree, parent, index - 1) : NULL;
	struct node *right = index < parent->count ? child_at(tree, parent, index + 1) : NULL;

	if (child->count >= DEGREE)
		return child;
	if (left != NULL && left->count >= DEGREE) {
		borrow_from_left(parent, index, left, child);
	} else if (right != NULL && right->count >= DEGREE) {
		borrow_from_right(parent, index, right, child);
	} else if (left != NULL) {
		merge_children(tree, parent, index - 1);
		return left;
	} else {
		merge_children(tree, parent, index);
	}
	return child;
}

/* Takes the first or last slot below a node out. */
static struct slot take_end(struct tree *tree, struct node *node, bool last)
{
	while (!node->is_leaf)
		node = filled_child(tree, node, last ? node->count : 0);
	uint32_t index = last ? node->count - 1 : 0;
	struct slot slot = node->slots[index];
	remove_slot(node, index);
	return slot;
}

/* A found slot of an inner node gives way to its neighbour in order. NULL: done; else where the key is now. */
static struct node *replace_slot(struct tree *tree, struct node *node, uint32_t index)
{
	struct node *left = child_at(tree, node, index), *right = child_at(tree, node, index + 1);

	if (left->count >= DEGREE) {
		node->slots[index] = take_end(tree, left, true);
		return NULL;
	}
	if (right->count >= DEGREE) {
		node->slots[index] = take_end(tree, right, false);
		return NULL;
	}
	merge_children(tree, node, index);
	return left;
}

static lg_ref take_item(struct tree *tree, const struct key *key)
{
	struct node *node = node_at(tree, tree->head->root);
	lg_ref item = 0;

	while (node != NULL) {
		bool equal;
		uint32_t index = search(tree, node, key, &equal);

		if (equal)
			item = node->slots[index].item;
		if (node->is_leaf) {
			if (equal)
				remove_slot(node, index);
			break;
		}
		node = equal ? replace_slot(tree, node, index) : filled_child(tree, node, index);
	}
	return item;
}

bool tree_delete(struct tree *tree, const void *key, size_t key_bytes)
{
	struct key wanted = make_key(key, key_bytes);
	lg_ref item = take_item(tree, &wanted);
	struct node *root = node_at(tree, tree->head->root);

	if (root->count == 0 && !root->is_leaf) {
		tree->head->root = root->children[0];
		(void)lg_heap_free(tree->heap, root);
	}
	if (item == 0)
		return false;
	(void)lg_heap_free(tree->heap, lg_heap_at(tree->heap, item));
	tree->head->count--;
	return true;
}

/* --- check -------------------------------------------------------------------------------------- */

struct walk {
	const struct tree *tree;
	const struct tree_item *before;
	uint64_t count;
	int depth; /* of leaves; -1: none was met */
};

static const char *check_node(struct walk *walk, const struct node *node, int depth, bool is_root)
{
	const char *wrong = NULL;

	if (node == NULL)
		return "a node is not in the heap";
	if (node->count > SLOTS_MAX || (!is_root && node->count < DEGREE - 1))
		return "a node has too many or too few slots";
	if (node->is_leaf && walk->depth >= 0 && walk->depth != depth)
		return "leaves lie at different depths";
	if (node->is_leaf)
		walk->depth = depth;
	for (uint32_t i = 0; i <= node->count && wrong == NULL; i++) {
		if (!node->is_leaf)
			wrong = check_node(walk, child_at(walk->tree, node, i), depth + 1, false);
		if (i == node->count || wrong != NULL)
			break;
		const struct tree_item *item = item_at(walk->tree, &node->slots[i]);
		if (item == NULL)
			return "an item is not in the heap";
		struct key key = make_key(item->bytes, item->key_bytes);
		if (key.prefix != node->slots[i].prefix)
			return "a slot has another key's first bytes";
		if (walk->before != NULL) {
			const struct slot before = {
				make_key(walk->before->bytes, walk->before->key_bytes).prefix,
				lg_heap_ref(walk->tree->heap, walk->before)
			};

			if (compare(walk->tree, &key, &before) <= 0)
				return "keys are not in order";
		}
		walk->before = item;
		walk->count++;
	}
	return wrong;
}

const char *tree_check(const struct tree *tree)
{
	struct walk walk = { .tree = tree, .depth = -1 };
	const char *wrong = check_node(&walk, node_at(tree, tree->head->root), 0, true);

	if (wrong == NULL && walk.count != tree->head->count)
		wrong = "there are not as many items as are counted";
	return wrong;
}
