/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * bfs: breadth first through an R-MAT graph (Chakrabarti, Zhan, Faloutsos 2004), as Graph500 and UMap's bfs do it.
 * scale=20 degree=16 searches=3
 *
 * 2^scale vertices and `degree` edges for each, in both directions, numbered anew so that no number says how large a
 * vertex is. The neighbours of all lie one behind the other in the space; where each begins and how deep each is lie in
 * plain memory. Nothing of the space is in memory at first.
 *
 * Timed: searches from different vertices; each level goes over all vertices and reads the neighbours of those of that
 * depth. Afterwards no edge may lead further than one level, and the sum of all neighbours must be the same.
 *
 * value: million edges a second.
 */
#include "pager/space.h"
#include "workload/argument.h"
#include "workload/clock.h"
#include "workload/random.h"
#include "workload/result.h"
#include "workload/table.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUCKETS = 64, UNSEEN = 255 };

struct edge {
	uint32_t from;
	uint32_t to;
};

static struct space space;
static uint32_t *neighbours; /* in the space */
static uint32_t *starts;     /* of each vertex's neighbours, one more than vertices */
static unsigned char *depths;
static unsigned scale;
static uint32_t vertices;
static size_t edges; /* both directions */

/* Mixes the number's bits and can be undone, so no two vertices become one. */
static uint32_t renumber(uint32_t vertex)
{
	uint32_t mask = vertices - 1;

	for (int i = 0; i < 3; i++) {
		vertex = vertex * 0x9E3779B1u & mask;
		vertex ^= vertex >> (scale / 2);
	}
	return vertex;
}

static struct edge make_edge(uint64_t *random)
{
	struct edge edge = { 0, 0 };

	for (unsigned bit = 0; bit < scale; bit++) {
		uint64_t part = random_below(random, 100); /* 57, 19, 19 and 5 of 100 */
		edge.from = edge.from << 1 | (part >= 76);
		edge.to = edge.to << 1 | ((part >= 57 && part < 76) || part >= 95);
	}
	return (struct edge){ renumber(edge.from), renumber(edge.to) };
}

static unsigned bucket_of(uint32_t vertex)
{
	return (unsigned)((uint64_t)vertex * BUCKETS / vertices);
}

static void put(FILE *buckets[BUCKETS], struct edge edge)
{
	if (fwrite(&edge, sizeof(edge), 1, buckets[bucket_of(edge.from)]) != 1)
		result_fail("a temporary file: %s", strerror(errno));
	starts[edge.from + 1]++;
}

/*
 * Through files, a bucket of vertices each, so that neither the edges' list nor writing to the space at random needs
 * memory.
 */
static void make_graph(size_t count)
{
	FILE *buckets[BUCKETS];
	uint64_t random = 88172645463325252u;

	for (int i = 0; i < BUCKETS; i++) {
		buckets[i] = tmpfile();
		if (buckets[i] == NULL)
			result_fail("no temporary file: %s", strerror(errno));
	}
	for (size_t i = 0; i < count; i++) {
		struct edge edge = make_edge(&random);
		put(buckets, edge);
		put(buckets, (struct edge){ edge.to, edge.from });
	}
	for (uint32_t i = 0; i < vertices; i++)
		starts[i + 1] += starts[i];
	uint32_t *filled = calloc(vertices, sizeof(*filled));
	uint32_t first = 0;
	for (int i = 0; i < BUCKETS && filled != NULL; i++) {
		uint32_t end = first;
		while (end < vertices && bucket_of(end) == (unsigned)i)
			end++;
		size_t base = starts[first];
		uint32_t *part = malloc((starts[end] - base + 1) * sizeof(*part));
		struct edge edge;
		rewind(buckets[i]);
		while (part != NULL && fread(&edge, sizeof(edge), 1, buckets[i]) == 1)
			part[starts[edge.from] - base + filled[edge.from]++] = edge.to;
		fclose(buckets[i]);
		if (part == NULL)
			result_fail("no memory");
		memcpy(neighbours + base, part, (starts[end] - base) * sizeof(*part));
		free(part);
		first = end;
	}
	if (filled == NULL)
		result_fail("no memory");
	free(filled);
}

static uint64_t sum_of_neighbours(void)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < edges; i++)
		sum += neighbours[i] * PATTERN_STEP ^ i;
	return sum;
}

/* How many edges were followed. */
static size_t search(uint32_t root)
{
	size_t followed = 0;
	bool found = true;

	memset(depths, UNSEEN, vertices);
	depths[root] = 0;
	for (unsigned depth = 0; found && depth < UNSEEN - 1; depth++) {
		found = false;
		for (uint32_t vertex = 0; vertex < vertices; vertex++) {
			if (depths[vertex] != depth)
				continue;
			for (uint32_t i = starts[vertex]; i < starts[vertex + 1]; i++) {
				unsigned char *of = &depths[neighbours[i]];
				if (*of != UNSEEN)
					continue;
				*of = (unsigned char)(depth + 1);
				found = true;
			}
			followed += starts[vertex + 1] - starts[vertex];
		}
	}
	return followed;
}

static void check_search(uint32_t root)
{
	for (uint32_t vertex = 0; vertex < vertices; vertex++)
		for (uint32_t i = starts[vertex]; i < starts[vertex + 1]; i++) {
			int one = depths[vertex];
			int other = depths[neighbours[i]];
			if (abs(one - other) > 1 || (one == 0 && vertex != root))
				result_fail("vertex %u is %d deep, its neighbour %d", vertex, one,
					    other);
		}
}

void workload_bfs(void)
{
	size_t degree = argument_size("degree", 16);
	size_t searches = argument_size("searches", 3);
	struct lg_pager_stats before;
	uint64_t random = 362436069362436069u;
	size_t followed = 0;
	uint64_t ns = 0;

	scale = (unsigned)argument_size("scale", 20);
	if (scale < 4 || scale > 26 || degree == 0 || degree > 16)
		result_fail("scale must be 4 to 26, degree 1 to 16");
	vertices = (uint32_t)1 << scale;
	edges = 2 * degree * vertices;
	starts = calloc((size_t)vertices + 1, sizeof(*starts));
	depths = calloc(vertices, 1);
	if (starts == NULL || depths == NULL)
		result_fail("no memory");
	space_open(&space, edges * sizeof(*neighbours));
	neighbours = (uint32_t *)(void *)space.data;
	make_graph(degree * vertices);
	uint64_t sum = sum_of_neighbours();
	space_cold(&space);
	space_stats(&space, &before);
	for (size_t i = 0; i < searches; i++) {
		uint32_t root;
		do
			root = (uint32_t)random_below(&random, vertices);
		while (starts[root] == starts[root + 1]);
		uint64_t begin = clock_ns();
		followed += search(root);
		ns += clock_ns() - begin;
		check_search(root);
	}
	result_value("value", (double)followed * 1000 / (double)ns);
	space_report(&space, &before);
	if (sum_of_neighbours() != sum)
		result_fail("the graph is another");
	space_close(&space);
}
