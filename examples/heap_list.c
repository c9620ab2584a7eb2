/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A list that is there again: heap_list FILE. The first run makes ten nodes in a persistent heap, each later one reads
 * them and adds one. The demo of fmalloc, with what it lacks: the list is whole whenever the program dies.
 */
#include <lgalloc/heap.h>
#include <lgalloc/lgalloc.h>

#include <stdio.h>

struct node {
	int value;
	lg_ref next; /* an address would be good in this process only */
};

struct list {
	lg_ref first;
	lg_ref last;
};

static int append(lg_heap *heap, struct list *list, int value)
{
	struct node *node = lg_heap_alloc(heap, sizeof(*node));
	struct node *last = lg_heap_at(heap, list->last);

	if (node == NULL)
		return -1;
	*node = (struct node){ .value = value };
	list->last = lg_heap_ref(heap, node);
	if (last != NULL)
		last->next = list->last;
	else
		list->first = list->last;
	return 0;
}

static struct list *make_list(lg_heap *heap)
{
	struct list *list = lg_heap_calloc(heap, 1, sizeof(*list));

	if (list == NULL || lg_heap_root_set(heap, "list", lg_heap_ref(heap, list)) != 0)
		return NULL;
	for (int value = 0; value < 10; value++)
		if (append(heap, list, value) != 0)
			return NULL;
	return list;
}

static int read_and_append(lg_heap *heap, struct list *list)
{
	const struct node *node = lg_heap_at(heap, list->first);
	int next = 0;

	for (; node != NULL; node = lg_heap_at(heap, node->next)) {
		printf("%d\n", node->value);
		next = node->value + 1;
	}
	return append(heap, list, next);
}

int main(int argc, char **argv)
{
	lg_heap *heap = argc == 2 ? lg_heap_open(argv[1], "create:on") : NULL;
	int failed = heap == NULL;

	if (argc != 2) {
		fprintf(stderr, "usage: %s FILE\n", argv[0]);
		return 2;
	}
	if (!failed) {
		struct list *list = lg_heap_at(heap, lg_heap_root_get(heap, "list"));

		if (list != NULL)
			failed = read_and_append(heap, list) != 0;
		else
			failed = make_list(heap) == NULL;
	}
	/* Without it all of this run is gone at the close: half a list is never there. */
	failed = failed || lg_heap_commit(heap) != 0;
	if (failed)
		fprintf(stderr, "heap_list: %s\n", lg_error());
	return lg_heap_close(heap) != 0 || failed;
}
