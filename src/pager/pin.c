/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/pin.h"

#include "base/error.h"
#include "os/clock.h"
#include "os/thread.h"
#include "pager/fault.h"
#include "pager/flush.h"
#include "pager/map.h"

#include <errno.h>

enum { PAUSE_US = 50 };

uint64_t lg_pin_most(uint64_t budget, uint64_t page)
{
	return budget - lg_min(lg_max(budget / 8, LG_PIN_LEAVES * page), budget);
}

static uint64_t pinned_most(const struct lg_pager *pager)
{
	return lg_pin_most(lg_load_relaxed(&pager->budget), lg_pager_page_most(pager));
}

/* --- the library's own -------------------------------------------------------------------------- */

/* A page that is there as it should be needs no BUSY, and so no system call. */
static bool hold_as_it_is(struct lg_map *map, uint64_t page, enum lg_os_access access)
{
	lg_word *word = &map->words[page];
	uint64_t seen = lg_load_relaxed(word);

	while ((seen & LG_WORD_BUSY) == 0 && lg_fault_is_over(map, seen, access) &&
	       (seen & LG_WORD_HOLDS) != LG_WORD_HOLDS)
		if (lg_cas_acquire(word, &seen, seen + LG_WORD_HOLD)) { /* W1, W2 */
			if (access == LG_OS_ACCESS_WRITE)
				lg_flush_note(map->pager);
			return true;
		}
	return false;
}

int lg_pin_page(struct lg_map *map, uint64_t page, enum lg_os_access access, uint64_t *signals)
{
	*signals = 0;
	if (!map->store->renews && hold_as_it_is(map, page, access))
		return 0;
	for (;;) {
		uint64_t seen;
		int error = lg_fault_claim(map, page, access, &seen, signals);

		if (error != 0)
			return error;
		bool room = (seen & LG_WORD_HOLDS) != LG_WORD_HOLDS;
		if (room)
			lg_add_relaxed(&map->words[page], LG_WORD_HOLD); /* W2: BUSY is ours */
		lg_word_release(&map->words[page], seen);
		if (!room || !map->store->renews)
			lg_os_signals_release(*signals);
		if (room)
			return 0;
		lg_os_sleep_us(PAUSE_US); /* copies are short */
	}
}

/* The last that kept it in its map is gone. */
static void let_go(struct lg_map *map, uint64_t page, uint64_t left)
{
	if ((left & LG_WORD_STAYS) != 0 || (left & LG_WORD_ASIDE) == 0)
		return;
	uint64_t signals = lg_pager_lock(map->pager);
	(void)lg_resident_join_used(map, page); /* it may have left */
	lg_pager_unlock(map->pager, signals);
}

void lg_unpin_page(struct lg_map *map, uint64_t page, uint64_t signals)
{
	let_go(map, page, lg_sub_release(&map->words[page], LG_WORD_HOLD) - LG_WORD_HOLD);
	if (map->store->renews)
		lg_os_signals_release(signals);
}

/* --- the user's --------------------------------------------------------------------------------- */

/* Under maps_lock: the budget and the largest page stay as they are until it is charged. */
static bool charge(struct lg_pager *pager, uint64_t bytes)
{
	uint64_t signals = lg_os_latch_enter(&pager->maps_lock);
	bool room = lg_load_relaxed(&pager->pinned) + bytes <= pinned_most(pager);

	if (room)
		lg_add_relaxed(&pager->pinned, bytes);
	lg_os_latch_leave(&pager->maps_lock, signals);
	return room;
}

/* The first pin of a page is counted against the budget; BUSY is ours. */
static int add_pin(struct lg_map *map, uint64_t page, uint64_t seen)
{
	if ((seen & LG_WORD_PINS) == LG_WORD_PINS)
		return -EOVERFLOW;
	uint64_t before = lg_add_ordered(&map->words[page], LG_WORD_PIN); /* W2, W3 */
	if ((before & LG_WORD_PINS) != 0 || charge(map->pager, lg_map_page_bytes(map)))
		return 0;
	let_go(map, page, lg_sub_release(&map->words[page], LG_WORD_PIN) - LG_WORD_PIN);
	return -ENOMEM;
}

/* *came: the page is there, and what fails is the pin. */
static int pin(struct lg_map *map, uint64_t page, bool *came)
{
	enum lg_os_access access = map->readonly ? LG_OS_ACCESS_READ : LG_OS_ACCESS_WRITE;
	uint64_t seen, signals;
	int error = lg_fault_claim(map, page, access, &seen, &signals);

	*came = error == 0;
	if (error != 0)
		return error;
	error = add_pin(map, page, seen);
	lg_word_release(&map->words[page], seen);
	lg_os_signals_release(signals);
	return error;
}

/* One pin less; false: there was none. Under maps_lock: who finds the page without pins charges after this gave back. */
static bool unpin(struct lg_map *map, uint64_t page)
{
	uint64_t seen = lg_load_relaxed(&map->words[page]), left;

	do {
		if ((seen & LG_WORD_PINS) == 0)
			return false;
		left = seen - LG_WORD_PIN;
	} while (!lg_cas_release(&map->words[page], &seen, left)); /* W3 */
	if ((left & LG_WORD_PINS) == 0)
		lg_sub_relaxed(&map->pager->pinned, lg_map_page_bytes(map));
	let_go(map, page, left);
	return true;
}

/* The same of pages up to `end`: the first that has none, or `end`. */
static uint64_t unpin_range(struct lg_map *map, uint64_t page, uint64_t end)
{
	enum { AT_ONCE = 256 }; /* others want the lock as well */
	bool pinned = true;

	while (pinned && page < end) {
		uint64_t signals = lg_os_latch_enter(&map->pager->maps_lock);

		for (uint64_t to = lg_min(end, page + AT_ONCE); page < to; page++) {
			pinned = unpin(map, page);
			if (!pinned)
				break;
		}
		lg_os_latch_leave(&map->pager->maps_lock, signals);
	}
	return page;
}

static int refuse(struct lg_map *map, uint64_t page, int error, bool came)
{
	if (error == -EOVERFLOW)
		return lg_fail(EOVERFLOW,
			       "page %zu cannot be pinned: it has %d pins, which is the most",
			       (size_t)page, (int)(LG_WORD_PINS / LG_WORD_PIN));
	if (error == -ENOMEM && !came)
		return lg_fail(ENOMEM,
			       "page %zu cannot be pinned: what is in memory is pinned or locked, "
			       "or cannot be written (ENOMEM)",
			       (size_t)page);
	if (error != -ENOMEM)
		return lg_fail(-error, "page %zu cannot be pinned: %s", (size_t)page,
			       lg_error_name(-error));
	return lg_fail(ENOMEM,
		       "page %zu cannot be pinned: of the budget of %zu bytes %zu may be, and "
		       "%zu are",
		       (size_t)page, (size_t)lg_load_relaxed(&map->pager->budget),
		       (size_t)pinned_most(map->pager),
		       (size_t)lg_load_relaxed(&map->pager->pinned));
}

static int pin_all(struct lg_map *map, uint64_t first, uint64_t end)
{
	for (uint64_t page = first; page < end; page++) {
		bool came;
		int error = pin(map, page, &came);

		if (error == 0)
			continue;
		error = refuse(map, page, error, came);
		(void)unpin_range(map, first, page);
		return error;
	}
	return 0;
}

int lg_map_pin(lg_map *map, size_t offset, size_t length)
{
	uint64_t first, end;
	int error = lg_map_range(map, offset, length, &first, &end);

	if (error != 0)
		return error;
	if ((end - first) << map->shift <= pinned_most(map->pager))
		lg_prefetch_range(map, first, end);
	return pin_all(map, first, end);
}

int lg_map_unpin(lg_map *map, size_t offset, size_t length)
{
	uint64_t first, end;
	int error = lg_map_range(map, offset, length, &first, &end);

	if (error != 0)
		return error;
	uint64_t page = unpin_range(map, first, end);
	return page == end ? 0 : lg_fail(EINVAL, "page %zu is not pinned", (size_t)page);
}
