/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: whoever comes first, a budget has room for eight of the largest page of any map, and for a page beside what is
 * pinned: of a resize and a map, or a pin, that do not go together one is refused.
 * Method: round after round two threads start together, one resizes, the other makes a map of large pages, or pins page
 * after page up to the limit. Oracle: who was not refused is found afterwards, and all of it goes together.
 *
 * LGALLOC_STRESS_SECONDS: how long.
 */
#include "stress/clock.h"
#include "stress/crew.h"

#include <lgalloc/pager.h>

#include <errno.h>

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

enum { RESIZER, OTHER, THREADS };

static const size_t page = 4 * KIB, large_page = 2 * MIB;

static lg_pager *pager;
static lg_map *map, *large;
static size_t smaller, pinned, pinned_first;
static int resized;

static struct lg_pager_stats stats_of_pager(void)
{
	struct lg_pager_stats stats;

	CLAIM(lg_pager_stats_read(pager, &stats) == 0);
	return stats;
}

static void resize_beside_a_map(struct crew_member *member)
{
	if (member->number == RESIZER)
		resized = lg_pager_resize(pager, smaller);
	else
		large = lg_map_memory(pager, 4 * MIB, "page:2M");
}

static void resize_beside_pins(struct crew_member *member)
{
	if (member->number == RESIZER)
		resized = lg_pager_resize(pager, smaller);
	else
		while (lg_map_pin(map, pinned, page) == 0)
			pinned += page;
}

static void race(void (*job)(struct crew_member *member))
{
	static struct crew crew;

	crew_start(&crew, THREADS, 0, job);
	crew_join(&crew);
}

/* True: the map came first. */
static bool try_a_map(void)
{
	pager = lg_pager_new("memory:32M,page:4K,readers:1");
	if (pager == NULL && errno == EPERM)
		SKIP("%s", lg_error());
	CLAIM(pager != NULL);
	smaller = 8 * MIB;
	race(resize_beside_a_map);
	if (large != NULL) {
		CLAIM(resized == -EINVAL);
		CLAIM(stats_of_pager().budget >= 8 * large_page);
		CLAIM(lg_map_close(large) == 0);
	} else {
		CLAIM(resized == 0);
	}
	CLAIM(lg_pager_free(pager) == 0);
	return large != NULL;
}

/* True: so many pins came first that the budget stayed. */
static bool try_pins(void)
{
	pinned = pinned_first;
	race(resize_beside_pins);
	CLAIM(resized == 0 || resized == -EBUSY);
	struct lg_pager_stats stats = stats_of_pager();
	CLAIM(stats.pinned == pinned);
	CLAIM(stats.budget == (resized == 0 ? 2 : 4) * MIB);
	CLAIM(stats.pinned <= stats.budget - stats.budget / 8);
	if (pinned > pinned_first)
		CLAIM(lg_map_unpin(map, pinned_first, pinned - pinned_first) == 0);
	CLAIM(lg_pager_resize(pager, 4 * MIB) == 0);
	return resized != 0;
}

int main(void)
{
	double end = clock_end_of_run(4), half = (clock_seconds() + end) / 2;
	unsigned rounds[2][2] = { { 0, 0 }, { 0, 0 } };

	do
		rounds[0][try_a_map()]++;
	while (!clock_passed(half));
	pager = lg_pager_new("memory:4M,page:4K,readers:1");
	CLAIM(pager != NULL);
	map = lg_map_memory(pager, 8 * MIB, NULL);
	CLAIM(map != NULL);
	smaller = 2 * MIB;
	pinned_first = smaller - smaller / 8 - 64 * page;
	CLAIM(lg_map_pin(map, 0, pinned_first) == 0);
	do
		rounds[1][try_pins()]++;
	while (!clock_passed(end));
	CLAIM(lg_map_close(map) == 0);
	CLAIM(lg_pager_free(pager) == 0);
	printf("resize first: %u and %u, map first %u, pins first %u\n", rounds[0][false],
	       rounds[1][false], rounds[0][true], rounds[1][true]);
	return EXIT_SUCCESS;
}
