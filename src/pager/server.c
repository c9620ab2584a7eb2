/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/server.h"

#include "os/clock.h"
#include "pager/atlas.h"
#include "pager/fault.h"
#include "pager/map.h"

enum { SPINS = 200, PAUSE_US = 50 };

struct lg_map *lg_server_enter(struct lg_pager *pager, unsigned server, const void *address)
{
	_Atomic(uintptr_t) *place = &pager->at_work[server];
	struct lg_map *map = lg_atlas_find_of(pager, address), *again;

	for (;; map = again) {
		(void)lg_swap_ordered(place, (uintptr_t)map); /* V1 */
		again = lg_atlas_find_of(pager, address);
		if (again == map)
			return map;
	}
}

void lg_server_exit(struct lg_pager *pager, unsigned server)
{
	(void)lg_swap_release(&pager->at_work[server], (uintptr_t)0); /* V1, V2 */
}

/* It may have been there already, or poisoned: whoever waits is woken, and tries again. */
static void serve(struct lg_map *map, const struct lg_os_fault *fault)
{
	uint64_t page = (fault->address - (uint64_t)(uintptr_t)map->base) >> map->shift;

	lg_recent_for(fault->thread);
	(void)lg_fault_serve(
		map, page, fault->write || fault->protect ? LG_OS_ACCESS_WRITE : LG_OS_ACCESS_READ);
	(void)lg_os_userfault_wake(&map->pager->userfault, lg_map_page_at(map, page),
				   lg_map_page_bytes(map));
}

static void answer(struct lg_pager *pager, unsigned server, const struct lg_os_fault *fault)
{
	struct lg_map *map = lg_server_enter(pager, server, (void *)(uintptr_t)fault->address);

	if (map == NULL)
		return;
	serve(map, fault);
	lg_server_exit(pager, server);
}

void *lg_server_run(void *argument)
{
	struct lg_pager *pager = argument;
	unsigned server = lg_add_relaxed(&pager->servers, 1);
	struct lg_os_fault fault;
	unsigned idle = 0;
	bool going = true;

	lg_os_thread_name("lgalloc-fault");
	lg_os_signals_never();
	while (going && !lg_load_acquire(&pager->stop)) {
		idle++;
		/* One, even if there are more: they would wait for this one's store while others sleep. */
		if (lg_os_userfault_read(&pager->userfault, &fault, 1) > 0) {
			answer(pager, server, &fault);
			idle = 0;
		}
		if (idle >
		    SPINS) { /* faults come in bursts, and to sleep costs more than they do */
			going = lg_os_userfault_wait(&pager->userfault, &pager->hangup);
			idle = 0;
		}
	}
	return NULL;
}

void lg_server_leave(struct lg_map *map)
{
	for (unsigned i = 0; i < LG_SERVERS; i++) {
		_Atomic(uintptr_t) *place = &map->pager->at_work[i];
		uintptr_t seen = lg_add_ordered(place, (uintptr_t)0); /* V1 */

		while (seen == (uintptr_t)map) {
			lg_os_sleep_us(PAUSE_US);
			seen = lg_load_acquire(place); /* V2 */
		}
	}
}
