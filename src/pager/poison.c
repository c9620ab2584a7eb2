/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/poison.h"

#include "os/map.h"
#include "os/thread.h"
#include "pager/map.h"
#include "pager/probe.h"
#include "pager/tract.h"

#include <errno.h>

/* `how`: LG_WORD_STARVED, or 0. */
static void poison_claimed(struct lg_map *map, uint64_t page, int error, uint64_t how)
{
	const struct lg_os_userfault *userfault = &map->pager->userfault;
	lg_word *word = &map->words[page];
	uint64_t seen = lg_load_relaxed(word);

	lg_tract_use(map, page); /* U1 */
	lg_add_relaxed(&map->poisoned, 1);
	lg_pager_count(map->pager, poisoned, 1);
	/* First, for whoever gets the SIGBUS may ask at once what it means. */
	lg_word_set_error(word, error);
	seen = lg_word_with_error(seen, error) | how;
	if (map->pager->in_threads && lg_os_userfault_poison(userfault, lg_map_page_at(map, page),
							     lg_map_page_bytes(map)) != 0) {
		seen |= LG_WORD_NOTHING;
		/* Where that fails whoever touches it asks us again, and again. */
		(void)lg_os_map_nothing(lg_map_page_at(map, page), lg_map_page_bytes(map));
		(void)lg_os_keep_apart(lg_map_page_at(map, page), lg_map_page_bytes(map));
		(void)lg_os_userfault_wake(userfault, lg_map_page_at(map, page),
					   lg_map_page_bytes(map));
	}
	lg_probe_poison(lg_map_page_at(map, page), -error);
	lg_word_release(word, seen);
}

void lg_poison_claimed(struct lg_map *map, uint64_t page, int error)
{
	poison_claimed(map, page, error, 0);
}

void lg_poison_idle(struct lg_map *map, uint64_t page, int error)
{
	uint64_t seen = lg_load_relaxed(&map->words[page]), signals = lg_os_signals_hold();

	if ((seen & LG_WORD_BUSY) == 0 && lg_word_state(seen) == LG_PAGE_OUT &&
	    lg_word_claim(&map->words[page], &seen))
		poison_claimed(map, page, error, 0);
	lg_os_signals_release(signals);
}

void lg_poison_starved(struct lg_map *map, uint64_t page, int error)
{
	lg_word *word = &map->words[page];
	uint64_t seen = lg_load_relaxed(word);
	uint64_t signals = lg_os_signals_hold(); /* the wait is for others: nothing is ours yet */

	do
		seen = lg_word_wait(word, seen);
	while (lg_word_state(seen) == LG_PAGE_OUT && !lg_word_claim(word, &seen));
	if (lg_word_state(seen) == LG_PAGE_OUT)
		poison_claimed(map, page, error, LG_WORD_STARVED);
	lg_os_signals_release(signals);
}

int lg_poison_answer(const struct lg_map *map, int error)
{
	return map->store->is_remote ? error : -EIO;
}

void lg_poison_heal(struct lg_map *map, uint64_t page)
{
	const struct lg_os_userfault *userfault = &map->pager->userfault;
	char *at = lg_map_page_at(map, page);
	size_t bytes = lg_map_page_bytes(map);

	lg_sub_relaxed(&map->poisoned, 1);
	if ((lg_load_relaxed(&map->words[page]) & LG_WORD_NOTHING) == 0) {
		(void)lg_os_drop(at, bytes);
		return;
	}
	/* No access before its faults are ours: who touches it meanwhile would find zeros. */
	if (lg_os_unmap(at, bytes) != 0)
		return;
	(void)lg_os_munlock(at, bytes);
	(void)lg_os_advise(at, bytes, LG_OS_NOHUGEPAGE);
	(void)lg_os_keep_apart(at, bytes);
	if (lg_os_userfault_register(userfault, at, bytes) == 0)
		(void)(map->readonly ? lg_os_make_readonly : lg_os_make_writable)(at, bytes);
}
