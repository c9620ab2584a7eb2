/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/map.h"

#include "base/error.h"
#include "base/require.h"
#include "os/limits.h"
#include "os/map.h"
#include "os/thread.h"
#include "pager/atlas.h"
#include "pager/drop.h"
#include "pager/flight.h"
#include "pager/pin.h"
#include "pager/server.h"
#include "pager/sync.h"
#include "pager/tract.h"
#include "store/file.h"
#include "store/spill.h"
#include "store/user.h"

#include <errno.h>

/* --- making ------------------------------------------------------------------------------------- */

/* What frames of one size have addresses for: a part of the most there may be, and no more than can be counted. */
static uint64_t frame_bytes(const struct lg_pager *pager, unsigned shift)
{
	enum { PART = 4 };

	return lg_min(lg_round_up(pager->memory_most / PART, (uint64_t)1 << LG_PAGE_SHIFT_HUGE),
		      (uint64_t)LG_FRAMES_MOST << shift);
}

/* Frames for pages of this size, as soon as there is a map of it. Under maps_lock. */
static int make_frames(struct lg_pager *pager, unsigned shift)
{
	struct lg_frames *frames = lg_pager_frames(pager, shift);
	size_t huge = (size_t)1 << LG_PAGE_SHIFT_HUGE;
	bool is_huge = shift == LG_PAGE_SHIFT_HUGE && pager->userfault.can_move;
	uint64_t bytes = frame_bytes(pager, shift);
	void *base;

	if (lg_frames_are_made(frames))
		return 0;
	int error = lg_os_reserve(bytes, huge, &base);
	if (error != 0)
		return lg_fail(-error, "%zu bytes of address space for frames: %s%s", (size_t)bytes,
			       lg_error_name(-error), lg_os_address_space_hint(error));
	error = lg_os_map_unlocked(base, bytes);
	if (error == 0) {
		(void)lg_os_advise(base, bytes, is_huge ? LG_OS_HUGEPAGE : LG_OS_NOHUGEPAGE);
		(void)lg_os_keep_apart(base, bytes);
		error = lg_os_userfault_register(pager->to_frames, base, bytes);
	}
	uint64_t most = lg_max(lg_load_relaxed(&pager->page_most), (uint64_t)1 << shift);
	if (error == 0)
		error = lg_frames_make(frames, base, (uint32_t)(bytes >> shift), shift, is_huge);
	if (error != 0) {
		lg_os_unreserve(base, bytes);
		return lg_pager_refuse("the frames of a pager", error);
	}
	lg_store_relaxed(&pager->page_most, most);
	return 0;
}

static void unmap_range(struct lg_map *map)
{
	size_t bytes = map->pages << map->shift;

	if (map->lent)
		(void)lg_os_unmap(map->base, bytes);
	else
		lg_os_unreserve(map->base, bytes);
}

static int refuse(uint64_t bytes, int error)
{
	const char *why = lg_os_address_space_hint(error);

	if (error == -ENOMEM && lg_os_overcommit_is_strict())
		why = ": under vm.overcommit_memory=2 a map counts in full, whatever the budget";
	if (error == -EAGAIN)
		why = ": after mlockall(MCL_FUTURE) RLIMIT_MEMLOCK is for all that is mapped";
	return lg_fail(-error, "a map of %zu bytes: %s%s", (size_t)bytes, lg_error_name(-error),
		       why);
}

/* Addresses, without access of the wrong kind, whose faults are ours. */
static int map_range(struct lg_map *map)
{
	size_t bytes = map->pages << map->shift, huge = (size_t)1 << LG_PAGE_SHIFT_HUGE;
	void *base = map->base;
	int error = map->lent ? 0 : lg_os_reserve(bytes, huge, &base);

	if (error != 0)
		return refuse(bytes, error);
	error = lg_os_map_unlocked(base, bytes);
	if (error == 0 && map->readonly)
		error = lg_os_make_readonly(base, bytes);
	if (error == 0)
		error = lg_os_advise(base, bytes, LG_OS_NOHUGEPAGE);
	if (error == -EINVAL) /* a kernel without huge pages */
		error = 0;
	if (error == 0)
		error = lg_os_keep_apart(base, bytes);
	if (error == 0)
		error = lg_os_userfault_register(&map->pager->userfault, base, bytes);
	map->base = base;
	if (error != 0) {
		unmap_range(map);
		return refuse(bytes, error);
	}
	return 0;
}

static bool is_slow(const struct lg_map *map)
{
	return !map->store->signal_safe && !map->pager->in_threads;
}

/* A place in the pager's table. Under maps_lock. */
static int enter(struct lg_map *map)
{
	struct lg_pager *pager = map->pager;

	for (uint32_t i = 0; i < LG_MAPS; i++) {
		uint32_t index = (pager->next_map + i) % LG_MAPS;

		if (lg_load_relaxed(&pager->maps[index]) != NULL)
			continue;
		map->index = index;
		pager->next_map =
			index + 1; /* keys of pages that are gone mean nobody for a while */
		lg_store_release(&pager->maps[index], map);
		lg_add_relaxed(&pager->slow_stores, is_slow(map) ? 1 : 0);
		lg_add_relaxed(&pager->map_count, 1);
		lg_add_relaxed(&pager->map_bytes, map->bytes);
		return 0;
	}
	return lg_fail(EMFILE, "the pager has %d maps, which is the most", LG_MAPS);
}

static void leave(struct lg_map *map)
{
	struct lg_pager *pager = map->pager;
	uint64_t signals = lg_os_latch_enter(&pager->maps_lock);

	lg_store_release(&pager->maps[map->index], NULL);
	lg_sub_relaxed(&pager->slow_stores, is_slow(map) ? 1 : 0);
	lg_sub_relaxed(&pager->map_count, 1);
	lg_sub_relaxed(&pager->map_bytes, map->bytes);
	lg_sub_relaxed(&pager->word_bytes, lg_load_relaxed(&map->word_bytes));
	lg_sub_relaxed(&pager->map_tables, lg_load_relaxed(&map->tables));
	lg_os_latch_leave(&pager->maps_lock, signals);
}

/* The budget has to have room for some of its pages, beside what is pinned. Under maps_lock. */
static int check_room(struct lg_pager *pager, uint64_t page)
{
	uint64_t budget = lg_load_relaxed(&pager->budget), pinned = lg_load_relaxed(&pager->pinned);

	if (budget < page * LG_PAGES_LEAST)
		return lg_fail(EINVAL,
			       "a map with pages of %zu bytes needs a budget of %d of them: "
			       "this pager has %zu",
			       (size_t)page, LG_PAGES_LEAST, (size_t)budget);
	if (pinned > lg_pin_most(budget, page))
		return lg_fail(EBUSY, "%zu bytes are pinned, which leaves no room for pages of %zu",
			       (size_t)pinned, (size_t)page);
	return 0;
}

/*
 * The kernel moves pages between what is locked and what is not neither way. mlockall has locked what was there: before a map
 * joins that is not, all of it is as the map. Under maps_lock.
 */
static void unlock_all(struct lg_pager *pager)
{
	for (unsigned i = 0; i < LG_PAGE_SHIFTS; i++) {
		const struct lg_frames *frames = &pager->frames[i];

		if (lg_frames_are_made(frames))
			(void)lg_os_munlock(frames->base, (uint64_t)frames->count << frames->shift);
	}
	for (uint32_t i = 0; i < LG_MAPS; i++) {
		const struct lg_map *map = lg_map_of(pager, i);

		if (map != NULL)
			(void)lg_os_munlock(map->base, map->pages << map->shift);
	}
	lg_nursery_unlock(pager);
}

static int attach(struct lg_map *map, const char *policy)
{
	struct lg_pager *pager = map->pager;
	uint64_t signals = lg_os_latch_enter(&pager->maps_lock);
	int error = check_room(pager, lg_map_page_bytes(map));

	if (error == 0)
		error = lg_policy_use(pager, policy, map->shift, &map->use);
	if (error == 0)
		error = make_frames(pager, map->shift);
	if (error == 0 &&
	    lg_os_is_locked(lg_pager_frames(pager, map->shift)->base, lg_map_page_bytes(map)))
		unlock_all(pager);
	if (error == 0)
		error = enter(map);
	lg_os_latch_leave(&pager->maps_lock, signals);
	return error;
}

static int check_ways(const struct lg_map *map)
{
	const struct lg_os_userfault *userfault = &map->pager->userfault;

	if (!map->readonly && !userfault->can_move && !userfault->can_protect)
		return lg_fail(EOPNOTSUPP,
			       "pages cannot leave a writable map: this kernel can neither "
			       "move (Linux 6.8) nor write-protect them (Linux 5.7)");
	return 0;
}

static struct lg_map *fail(int error)
{
	errno = -error;
	return NULL;
}

static size_t table_bytes(const struct lg_map *map)
{
	return map->pages * sizeof(lg_word) + lg_tracts_bytes(map->pages);
}

static int make_whole(struct lg_pager *pager, void *at, struct lg_store *store,
		      const struct lg_map_options *options, struct lg_map **made)
{
	unsigned shift = lg_log2_floor(options->page);
	struct lg_map *map;
	void *record, *words;
	int error = lg_os_map_record(sizeof(*map), &record);

	if (error != 0) {
		error = lg_pager_refuse("a map", error);
		goto undo_store;
	}
	map = record;
	map->pager = pager;
	map->store = store;
	map->base = at;
	map->lent = at != NULL;
	map->bytes = store->bytes;
	map->shift = shift;
	/* An empty object has a page of zeros. */
	map->pages = lg_max((map->bytes + options->page - 1) >> shift, 1);
	map->readonly = store->readonly;
	map->huge = shift == LG_PAGE_SHIFT_HUGE && pager->userfault.can_move && !map->readonly;
	map->protects = pager->userfault.can_protect && !map->huge;
	map->prefetch = options->prefetch != 0;
	map->block = store->fetches ? lg_flight_block_pages(shift) : 1;
	map->streams.eager = store->is_remote;
	if (store->fetches)
		map->streams.span = lg_min(LG_FLIGHT_HOLE_MOST / (map->block << shift) + 1,
					   LG_FLIGHT_SPAN_MOST);
	lg_store_relaxed(&map->access, (uint32_t)LG_NORMAL);
	error = check_ways(map);
	if (error != 0)
		goto undo_record;
	error = lg_os_map_table(table_bytes(map), &words);
	if (error != 0) {
		error = lg_fail(-error, "the page table of %zu pages: %s%s", (size_t)map->pages,
				lg_error_name(-error), lg_os_address_space_hint(error));
		goto undo_record;
	}
	map->words = words;
	map->tracts = (_Atomic(uint64_t) *)(map->words + map->pages);
	error = map_range(map);
	if (error != 0)
		goto undo_words;
	error = attach(map, options->policy);
	if (error != 0)
		goto undo_range;
	error = lg_atlas_add(map);
	if (error == 0) {
		*made = map;
		return 0;
	}
	error = lg_pager_refuse("the table of maps", error);
	leave(map);
undo_range:
	unmap_range(map);
undo_words:
	lg_os_unreserve(words, table_bytes(map));
undo_record:
	lg_os_unreserve(record, sizeof(*map));
undo_store:
	store->calls->close(store);
	return error;
}

/* Takes the store over, also where it fails. `at`: NULL, or addresses that are lent. */
static int make(struct lg_pager *pager, void *at, struct lg_store *store,
		const struct lg_map_options *options, struct lg_map **made)
{
	int cancel = lg_os_cancel_hold(); /* why it failed is read from files */
	int error = make_whole(pager, at, store, options, made);

	lg_os_cancel_restore(cancel);
	return error;
}

int lg_map_make_at(struct lg_pager *pager, void *at, struct lg_store *store, unsigned shift,
		   struct lg_map **map)
{
	struct lg_map_options options;
	int error = lg_map_options_parse(NULL, &pager->options, LG_MAP_MEMORY, &options);

	if (error != 0) {
		store->calls->close(store);
		return error;
	}
	options.page = (uint64_t)1 << shift;
	return make(pager, at, store, &options, map);
}

struct lg_map *lg_map_make(struct lg_pager *pager, struct lg_store *store,
			   const struct lg_map_options *options)
{
	struct lg_map *map;
	int error = make(pager, NULL, store, options, &map);

	return error == 0 ? map : fail(error);
}

lg_map *lg_map_memory(lg_pager *pager, size_t bytes, const char *text)
{
	struct lg_map_options options;
	struct lg_store *store;

	pager = lg_pager_of_caller(pager);
	if (pager == NULL)
		return NULL;
	int error = lg_map_options_parse(text, &pager->options, LG_MAP_MEMORY, &options);
	if (error != 0)
		return fail(error);
	if (bytes == 0)
		return fail(lg_fail(EINVAL, "a map of 0 bytes was asked for"));
	error = lg_spill_open(pager->options.dir, bytes, options.reserve == LG_RESERVE_ON, &store);
	return error == 0 ? lg_map_make(pager, store, &options) : fail(error);
}

/* What attach would refuse, as far as it is known before. */
static int check_options(struct lg_pager *pager, const struct lg_map_options *options)
{
	struct lg_policy policy;
	uint64_t signals = lg_os_latch_enter(&pager->maps_lock);
	int error = check_room(pager, options->page);

	lg_os_latch_leave(&pager->maps_lock, signals);
	return error == 0 ? lg_policy_named(options->policy, &policy) : error;
}

lg_map *lg_map_file(lg_pager *pager, const char *path, size_t bytes, const char *text)
{
	struct lg_map_options options;
	struct lg_store *store;

	pager = lg_pager_of_caller(pager);
	if (pager == NULL)
		return NULL;
	int error = lg_map_options_parse(text, &pager->options, LG_MAP_FILE, &options);
	if (error == 0) /* a file that is made, or made longer, stays */
		error = check_options(pager, &options);
	if (error != 0)
		return fail(error);
	error = lg_file_store_open(path, options.offset, bytes, options.readonly != 0,
				   options.create != 0, &store);
	return error == 0 ? lg_map_make(pager, store, &options) : fail(error);
}

lg_map *lg_map_store(lg_pager *pager, const struct lg_store_ops *ops, void *context, size_t bytes,
		     const char *text)
{
	struct lg_map_options options;
	struct lg_store *store;

	pager = lg_pager_of_caller(pager);
	int error = pager == NULL ? -errno : 0;
	if (error == 0)
		error = lg_map_options_parse(text, &pager->options, LG_MAP_STORE, &options);
	if (error == 0)
		error = lg_user_store_open(ops, context, bytes, options.readonly != 0, &store);
	if (error == 0)
		return lg_map_make(pager, store, &options);
	lg_user_store_refuse(ops, context);
	return fail(error);
}

/* --- ending ------------------------------------------------------------------------------------- */

static int end(struct lg_map *map)
{
	struct lg_pager *pager = map->pager;
	int error = 0;

	lg_store_relaxed(&map->closing, true);
	/* Who found it open under the lock has counted a request by now, and drain sees it. */
	lg_pager_unlock(pager, lg_pager_lock(pager));
	if (map->store->calls->abandon != NULL)
		map->store->calls->abandon(map->store);
	lg_atlas_remove(map);
	lg_server_leave(map);
	lg_prefetch_drain(map);
	if (!map->readonly && map->store->lasts) {
		/* Nobody touches it any more, and what is PROT_NONE could not be written. */
		(void)lg_os_make_writable(map->base, map->pages << map->shift);
		error = lg_sync_and_flush(map, 0, map->pages);
	}
	lg_drop_all(map);
	/* No page waits to be written there any more; other maps will fail again. */
	lg_map_set_refuses(map, false);
	/* Before the budget counts them no more: what the store's close takes may be long. */
	lg_os_unreserve(map->words, table_bytes(map));
	leave(map);
	/* First: a child of a fork that comes before keeps its descriptors. */
	map->store->calls->close(map->store);
	unmap_range(map);
	lg_os_unreserve(map, sizeof(*map));
	return error;
}

int lg_map_close(lg_map *map)
{
	if (map == NULL)
		return 0;
	if (lg_pager_of_caller(map->pager) == NULL)
		return -ECHILD;
	int cancel = lg_os_cancel_hold(); /* nobody could close the rest of it */
	int error = end(map);
	lg_os_cancel_restore(cancel);
	return error;
}

/* --- what it is --------------------------------------------------------------------------------- */

void *lg_map_data(const lg_map *map)
{
	return map != NULL ? map->base : NULL;
}

size_t lg_map_size(const lg_map *map)
{
	return map != NULL ? map->bytes : 0;
}

/* What was read before this is of no later version than it says. */
uint64_t lg_map_changes(const lg_map *map)
{
	if (map == NULL)
		return 0;
	atomic_thread_fence(memory_order_acquire);
	return lg_load_acquire(&map->changes);
}

int lg_map_check(const struct lg_map *map)
{
	if (map == NULL)
		return lg_fail(EINVAL, "the map is NULL, as where making one failed");
	return lg_pager_of_caller(map->pager) != NULL ? 0 : -ECHILD;
}

int lg_map_range(const struct lg_map *map, size_t offset, size_t length, uint64_t *first,
		 uint64_t *end)
{
	int error = lg_map_check(map);

	if (error != 0)
		return error;
	if (offset > map->bytes || length > map->bytes - offset)
		return lg_fail(EINVAL, "%zu bytes from %zu are not inside a map of %zu", length,
			       offset, (size_t)map->bytes);
	*first = offset >> map->shift;
	*end = length == 0 ? map->pages :
			     (offset + length + lg_map_page_bytes(map) - 1) >> map->shift;
	return 0;
}

void lg_map_note_error(struct lg_map *map, int error)
{
	int none = 0;

	(void)lg_cas_relaxed(&map->write_error, &none, error);
}

int lg_map_take_error(struct lg_map *map)
{
	return lg_swap_ordered(&map->write_error, 0);
}

void lg_map_set_refuses(struct lg_map *map, bool refuses)
{
	if (lg_swap_ordered(&map->refuses, refuses) == refuses)
		return;
	if (refuses)
		lg_add_relaxed(&map->pager->refusing, 1);
	else
		lg_sub_relaxed(&map->pager->refusing, 1);
}
