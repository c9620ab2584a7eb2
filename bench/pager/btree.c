/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * btree: random reads of a B+-tree. keys=10000000 threads=1 warm=1000 ms=3000
 *
 * Nodes of 4 KiB with 255 keys and as many values or children, filled one behind the other: leaves first, then each
 * level above.
 *
 * Timed: looking up random keys that are there, from the root; each value is compared.
 *
 * value: look-ups a second of all threads. Latencies: each.
 */
#include "pager/space.h"
#include "workload/argument.h"
#include "workload/clock.h"
#include "workload/histogram.h"
#include "workload/random.h"
#include "workload/result.h"
#include "workload/table.h"
#include "workload/thread.h"

enum { NODE_KEYS = 255, NODE_BYTES = 4096, THREADS_MAX = 64, LEVELS_MAX = 8 };

struct node {
	uint32_t count;
	uint32_t leaf;
	uint64_t unused;
	uint64_t keys[NODE_KEYS];
	uint64_t values[NODE_KEYS]; /* or the children's places */
};
_Static_assert(sizeof(struct node) == NODE_BYTES, "a node is a page");

struct reader {
	pthread_t thread;
	struct histogram latencies;
	uint64_t random;
	uint64_t ns;
};

static struct space space;
static struct node *nodes;
static struct reader readers[THREADS_MAX];
static uint64_t key_count;
static uint64_t root;

/* Rising, with gaps. */
static uint64_t key_of(uint64_t i)
{
	return i * 1000 + (i * PATTERN_STEP >> 55);
}

static uint64_t value_of(uint64_t key)
{
	return key * PATTERN_STEP;
}

static uint64_t nodes_for(uint64_t entries)
{
	return (entries + NODE_KEYS - 1) / NODE_KEYS;
}

static uint64_t nodes_of_all(uint64_t keys)
{
	uint64_t level = nodes_for(keys);
	uint64_t sum = level;

	while (level > 1) {
		level = nodes_for(level);
		sum += level;
	}
	return sum;
}

static void build(void)
{
	uint64_t next = 0;

	for (uint64_t i = 0; i < key_count; next++) {
		struct node *node = &nodes[next];
		node->leaf = 1;
		for (; node->count < NODE_KEYS && i < key_count; i++, node->count++) {
			node->keys[node->count] = key_of(i);
			node->values[node->count] = value_of(key_of(i));
		}
	}
	/* The first of each level's nodes; the keys of an inner node are its children's first. */
	for (uint64_t first = 0; next - first > 1;) {
		uint64_t end = next;
		for (uint64_t child = first; child < end; next++) {
			struct node *node = &nodes[next];
			for (; node->count < NODE_KEYS && child < end; child++, node->count++) {
				node->keys[node->count] = nodes[child].keys[0];
				node->values[node->count] = child;
			}
		}
		first = end;
	}
	root = next - 1;
}

/* The last key that is not larger. */
static uint32_t place_in(const struct node *node, uint64_t key)
{
	uint32_t low = 0;
	uint32_t high = node->count;

	while (high - low > 1) {
		uint32_t middle = (low + high) / 2;
		if (node->keys[middle] <= key)
			low = middle;
		else
			high = middle;
	}
	return low;
}

static void look_up(uint64_t key)
{
	const struct node *node = &nodes[root];

	for (int level = 0; level < LEVELS_MAX; level++) {
		uint32_t place = place_in(node, key);
		if (node->leaf != 0) {
			if (node->keys[place] != key || node->values[place] != value_of(key))
				result_fail("key %llu is not there", (unsigned long long)key);
			return;
		}
		node = &nodes[node->values[place]];
	}
	result_fail("the tree has no end");
}

static void *read_keys(void *context)
{
	struct reader *reader = context;
	uint64_t begin = clock_ns();
	uint64_t from = begin;
	uint64_t now;

	do {
		look_up(key_of(random_below(&reader->random, key_count)));
		now = clock_ns();
		histogram_add(&reader->latencies, now - from);
		from = now;
	} while (now - begin < reader->ns);
	reader->ns = now - begin;
	return NULL;
}

static double run(size_t threads, uint64_t ms, bool report)
{
	static struct histogram latencies;
	double rate = 0;

	latencies = (struct histogram){ .count = 0 };
	for (size_t i = 0; i < threads; i++) {
		readers[i].latencies = (struct histogram){ .count = 0 };
		readers[i].ns = ms * 1000000;
		thread_start(&readers[i].thread, read_keys, &readers[i]);
	}
	for (size_t i = 0; i < threads; i++) {
		pthread_join(readers[i].thread, NULL);
		rate += (double)readers[i].latencies.count * 1e9 / (double)readers[i].ns;
		histogram_merge(&latencies, &readers[i].latencies);
	}
	if (report)
		histogram_report(&latencies);
	return rate;
}

void workload_btree(void)
{
	size_t threads = argument_size("threads", 1);
	struct lg_pager_stats before;

	key_count = argument_size("keys", 10000000);
	if (threads == 0 || threads > THREADS_MAX || key_count == 0 || key_count >> 32 != 0)
		result_fail("threads must be 1 to %d, keys less than 2^32", THREADS_MAX);
	space_open(&space, nodes_of_all(key_count) * NODE_BYTES);
	nodes = (struct node *)(void *)space.data;
	build();
	for (size_t i = 0; i < threads; i++)
		readers[i].random = 88172645463325252u + i * PATTERN_STEP;
	run(threads, argument_size("warm", 1000), false);
	space_stats(&space, &before);
	result_value("value", run(threads, argument_size("ms", 3000), true));
	space_report(&space, &before);
	space_close(&space);
}
