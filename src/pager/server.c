/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/server.h"

#include "os/clock.h"
#include "pager/atlas.h"
#include "pager/fault.h"
#include "pager/map.h"

enum { MESSAGES = 8, SPINS = 200, PAUSE_US = 50 };

static void serve(struct lg_pager *pager, const struct lg_os_fault *fault)
{
	struct lg_map *map = lg_atlas_find((void *)(uintptr_t)fault->address);

	if (map == NULL || map->pager != pager)
		return; /* it ended since */
	uint64_t page = (fault->address - (uint64_t)(uintptr_t)map->base) >> map->shift;
	lg_recent_for(fault->thread);
	(void)lg_fault_serve(
		map, page, fault->write || fault->protect ? LG_OS_ACCESS_WRITE : LG_OS_ACCESS_READ);
	/* It may have been there already, or poisoned: whoever waits tries again. */
	(void)lg_os_userfault_wake(&pager->userfault, lg_map_page_at(map, page),
				   lg_map_page_bytes(map));
}

void *lg_server_run(void *argument)
{
	struct lg_pager *pager = argument;
	_Atomic(uint32_t) *turn = &pager->server_turns[lg_add_relaxed(&pager->servers, 1)];
	struct lg_os_fault faults[MESSAGES];
	unsigned idle = 0;
	bool going = true;

	lg_os_thread_name("lgalloc-fault");
	lg_os_signals_never();
	while (going && !lg_load_acquire(&pager->stop)) {
		int count = lg_os_userfault_read(&pager->userfault, faults, MESSAGES);

		for (int i = 0; i < count; i++) {
			lg_add_ordered(turn, 1); /* odd; before the map is looked for */
			serve(pager, &faults[i]);
			lg_add_ordered(turn, 1);
		}
		idle = count > 0 ? 0 : idle + 1;
		if (idle >
		    SPINS) { /* faults come in bursts, and to sleep costs more than they do */
			going = lg_os_userfault_wait(&pager->userfault, &pager->hangup);
			idle = 0;
		}
	}
	return NULL;
}

/*
 * Who removes the map changes each turn, by nothing, and so do the servers before they look: the later one
 * of the two sees what the other did.
 */
void lg_server_leave(struct lg_pager *pager)
{
	for (unsigned i = 0; i < LG_SERVERS; i++) {
		uint32_t turn = lg_add_ordered(&pager->server_turns[i], 0);

		while ((turn & 1) != 0 && lg_load_acquire(&pager->server_turns[i]) == turn)
			lg_os_sleep_us(PAUSE_US);
	}
}
