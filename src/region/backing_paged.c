/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Areas are maps of one pager: of all regions together no more than paged_memory is in memory, the rest lies in
 * unlinked files in dir, one for each area. No swap, no cgroup, and not the kernel's choice.
 *
 * As with the backing file, disk blocks are reserved when a region is handed out, given back when it is
 * clean, and a child of fork has none of it.
 *
 * Pages have paged_page, or are a region where that is less: regions share no page. An area is whole pages
 * of either, for it begins at a multiple of 2 MiB and is multiples of that long.
 */
#include "base/error.h"
#include "base/option.h"
#include "base/require.h"
#include "os/latch.h"
#include "pager/atlas.h"
#include "pager/drop.h"
#include "pager/map.h"
#include "pager/policy.h"
#include "region/class.h"
#include "store/spill.h"

#include <errno.h>
#include <string.h>

enum { RUN_BYTES = 1 << 20 };

static struct lg_os_latch lock; /* of the making */
static _Atomic(struct lg_pager *) the_pager;

uint64_t lg_backing_paged_bytes(void)
{
	uint64_t bytes = lg_option(paged_memory);

	return bytes != LG_AUTO ? bytes : lg_pager_memory_auto();
}

/* Signals are not blocked: nobody touches a region while the first area is made. */
static int make_pager(struct lg_pager **pager)
{
	struct lg_pager_options options;
	struct lg_policy policy;
	int error = lg_pager_options_parse(NULL, &options);

	if (error != 0)
		return error;
	LG_REQUIRE(lg_policy_at((unsigned)lg_option(paged_policy), &policy));
	options.memory = lg_backing_paged_bytes();
	options.page = lg_option(paged_page);
	if (options.memory < options.page * LG_PAGES_LEAST)
		return lg_fail(
			EINVAL,
			"paged_memory, %llu bytes, is less than %d pages of paged_page, %llu bytes",
			(unsigned long long)options.memory, LG_PAGES_LEAST,
			(unsigned long long)options.page);
	options.faults = lg_option(faults) == LG_PAGED_INLINE ? LG_FAULTS_INLINE :
								LG_FAULTS_THREADS;
	strncpy(options.policy, policy.ops->name, sizeof(options.policy) - 1);
	strncpy(options.dir, lg_option_dir(), sizeof(options.dir) - 1);
	return lg_pager_make(&options, "regions", pager);
}

static int find_pager(struct lg_pager **pager)
{
	int error = 0;

	*pager = lg_load_acquire(&the_pager);
	if (*pager != NULL)
		return 0;
	lg_os_latch_take(&lock);
	*pager = lg_load_relaxed(&the_pager);
	if (*pager == NULL) {
		error = make_pager(pager);
		if (error == 0)
			lg_store_release(&the_pager, *pager);
	}
	lg_os_latch_release(&lock);
	return error;
}

void lg_backing_paged_forget(void)
{
	lg_store_relaxed(&the_pager, NULL);
	lg_store_relaxed(&lock.word, (uint32_t)LG_LATCH_FREE);
}

/* The map of a region's area, and where in it the range is. */
static struct lg_map *map_of(const struct lg_class *class, uint64_t offset, uint64_t *inside)
{
	char *at = lg_class_base(class->index) + offset;
	struct lg_map *map = lg_atlas_find(at);

	if (map != NULL)
		*inside = (uint64_t)(at - map->base);
	return map;
}

static int map(struct lg_class *class, uint64_t offset, uint64_t bytes)
{
	unsigned region_shift = lg_class_shift(class->index);
	unsigned page_shift = lg_log2_floor(lg_option(paged_page));
	struct lg_pager *pager;
	struct lg_store *store;
	struct lg_map *made;
	int error = find_pager(&pager);

	if (error != 0)
		return error;
	error = lg_spill_open(lg_option_dir(), bytes, false, &store);
	if (error != 0)
		return error;
	store->discards =
		!lg_option(reserve); /* or blocks that live regions have reserved would go */
	return lg_map_make_at(pager, lg_class_base(class->index) + offset, store,
			      (unsigned)lg_min(region_shift, page_shift), &made);
}

static int unmap(void *at, size_t bytes)
{
	struct lg_map *map = lg_atlas_find(at);

	(void)bytes;
	if (map == NULL)
		return -EINVAL;
	(void)lg_map_close(map); /* a spill has nothing to tell */
	return 0;
}

static int reserve(struct lg_class *class, uint32_t file, uint64_t offset, uint64_t bytes)
{
	uint64_t inside;
	struct lg_map *map = map_of(class, offset, &inside);

	(void)file;
	if (!lg_option(reserve) || map == NULL)
		return 0;
	int error = lg_spill_reserve(map->store, inside, bytes);
	if (error == 0)
		return 0;
	/* What was reserved before the disk was full goes back. */
	(void)map->store->calls->discard(map->store, inside, bytes);
	return lg_backing_unreserved(error, bytes);
}

/* Pages that lie wholly inside: others have bytes that are still wanted. */
static int drop(struct lg_class *class, uint64_t offset, uint64_t bytes,
		void (*how)(struct lg_map *map, uint64_t first, uint64_t end))
{
	uint64_t inside;
	struct lg_map *map = map_of(class, offset, &inside);

	if (map == NULL)
		return -EINVAL;
	uint64_t first = lg_round_up(inside, lg_map_page_bytes(map)) >> map->shift;
	uint64_t end = (inside + bytes) >> map->shift;
	if (first < end)
		how(map, first, end);
	return 0;
}

static int give_back(struct lg_class *class, uint64_t offset, uint64_t bytes, bool lazily)
{
	uint64_t inside = 0;
	struct lg_map *map = map_of(class, offset, &inside);
	int error = drop(class, offset, bytes, lg_drop_range);

	(void)lazily;
	return error == 0 ? map->store->calls->discard(map->store, inside, bytes) : error;
}

/* What is reserved stays: the region lives. */
static int discard(struct lg_class *class, uint32_t file, uint64_t offset, uint64_t bytes)
{
	(void)file;
	return drop(class, offset, bytes, lg_drop_and_discard);
}

static int page_out(struct lg_class *class, uint32_t file, uint64_t offset, uint64_t bytes)
{
	uint64_t inside;
	struct lg_map *map = map_of(class, offset, &inside);

	(void)file;
	return map == NULL ? -EINVAL : lg_map_advise(map, inside, bytes, LG_COLD);
}

static int will_need(struct lg_class *class, uint64_t offset, uint64_t bytes)
{
	uint64_t inside;
	struct lg_map *map = map_of(class, offset, &inside);

	return map == NULL ? -EINVAL : lg_map_advise(map, inside, bytes, LG_WILLNEED);
}

/* Pages in limbo, and spills. A map that leaves the pager's table does so under this lock, and closes its spill then. */
static void add_usage(struct lg_usage *usage)
{
	struct lg_pager *pager = lg_load_acquire(&the_pager);
	struct lg_pager_stats stats;
	uint64_t bytes;

	if (pager == NULL)
		return;
	lg_pager_measure(pager, &stats);
	usage->resident_bytes += stats.limbo;
	uint64_t signals = lg_os_latch_hold(&pager->maps_lock);
	for (uint32_t i = 0; i < LG_MAPS; i++) {
		struct lg_map *map = lg_map_of(pager, i);

		if (map != NULL && lg_spill_disk_bytes(map->store, &bytes) == 0)
			usage->disk_bytes += bytes;
	}
	lg_os_latch_let_go(&pager->maps_lock, signals);
}

static bool is_huge(const struct lg_class *class)
{
	(void)class;
	return false;
}

const struct lg_backing lg_backing_paged = {
	.name = "paged",
	.can_lazily = false,
	.can_move = false,
	.survives_fork = false,
	.has_order = false,
	.run_bytes = RUN_BYTES,
	.map = map,
	.unmap = unmap,
	.reserve = reserve,
	.give_back = give_back,
	.discard = discard,
	.page_out = page_out,
	.will_need = will_need,
	.add_usage = add_usage,
	.is_huge = is_huge,
};
