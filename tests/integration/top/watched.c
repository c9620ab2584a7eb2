/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A program to be watched. For each line on stdin it does what the line says, and answers with a line of
 * its own: "work" allocates and frees, "stats" prints what it counts, class by class and in total; "page"
 * goes through a map larger than its pager's budget, "paging" prints what the pager counts.
 */
#include <lgalloc/lgalloc.h>
#include <lgalloc/pager.h>

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { KEPT = 5 };

static lg_region *kept[3][KEPT];

static int work(void)
{
	static const size_t sizes[3] = { 64 << 10, 2 << 20, 32 << 20 };

	for (unsigned class = 0; class < 3; class ++) {
		lg_region *some[40];

		for (unsigned i = 0; i < 40; i++) {
			some[i] = lg_region_new(sizes[class]);
			if (some[i] == NULL) {
				fprintf(stderr, "watched: %s\n", lg_error());
				return 1;
			}
		}
		for (unsigned i = KEPT; i < 40; i++)
			lg_region_free(some[i]);
		for (unsigned i = 0; i < KEPT; i++) {
			lg_region_free(kept[class][i]);
			kept[class][i] = some[i];
		}
	}
	(void)lg_region_new((size_t)1 << 50); /* refused */
	puts("done");
	return 0;
}

static void print(const struct lg_class_stats *class)
{
	printf("size %" PRIu64, class->size);
#define FIELD(name, kind, help) printf(" " #name " %" PRIu64, class->name);
	LG_CLASS_FIELDS(FIELD)
#undef FIELD
	printf("; ");
}

static int stats(void)
{
	struct lg_stats now;

	if (lg_stats_read(&now) != 0)
		return 1;
	for (unsigned i = 0; i < LG_CLASSES; i++)
		if (now.classes[i].allocations > 0)
			print(&now.classes[i]);
	print(&now.totals);
	puts("");
	return 0;
}

static lg_pager *pager;

static int page(void)
{
	static lg_map *map;

	if (pager == NULL) {
		pager = lg_pager_new("memory:1M,page:16K,policy:fifo,faults:inline");
		map = pager != NULL ? lg_map_memory(pager, 4 << 20, NULL) : NULL;
	}
	if (map == NULL) {
		printf("no pager: %s\n", lg_error());
		return 0;
	}
	for (size_t i = 0; i < lg_map_size(map); i += 4096)
		((volatile char *)lg_map_data(map))[i]++;
	puts("done");
	return 0;
}

static int paging(void)
{
	struct lg_pager_stats now;

	if (lg_pager_stats_read(pager, &now) != 0)
		return 1;
	printf("budget %" PRIu64 " resident %" PRIu64 " pinned %" PRIu64 " limbo %" PRIu64
	       " maps %" PRIu64 " map_bytes %" PRIu64,
	       now.budget, now.resident, now.pinned, now.limbo, now.maps, now.map_bytes);
#define FIELD(name, help) printf(" " #name " %" PRIu64, now.name);
	LG_PAGER_COUNTERS(FIELD)
#undef FIELD
	puts("");
	return 0;
}

static const struct {
	const char *line;
	int (*answer)(void);
} requests[] = {
	{ "work\n", work },
	{ "stats\n", stats },
	{ "page\n", page },
	{ "paging\n", paging },
};

int main(void)
{
	char line[100];

	while (fgets(line, sizeof(line), stdin) != NULL) {
		for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++)
			if (strcmp(line, requests[i].line) == 0 && requests[i].answer() != 0)
				return 1;
		fflush(stdout);
	}
	return 0;
}
