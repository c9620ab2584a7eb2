/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/renew.h"

#include "os/thread.h"
#include "pager/drop.h"
#include "pager/poison.h"
#include "pager/tract.h"

#include <errno.h>

bool lg_renew_note(struct lg_map *map, int error)
{
	if (error != -ESTALE || !map->store->renews)
		return false;
	lg_store_ordered(&map->stale, true); /* N1 */
	return true;
}

bool lg_renew_is_due(struct lg_map *map, uint64_t first, uint64_t end)
{
	if (!map->store->renews)
		return false;
	lg_tracts_use(map, first, end);            /* U2 */
	atomic_thread_fence(memory_order_seq_cst); /* N1: the claim before it */
	return lg_load_acquire(&map->stale);       /* N2 */
}

static int renew(struct lg_map *map)
{
	atomic_thread_fence(memory_order_seq_cst); /* N1: the drop's looks come after it */
	int error = lg_drop_changed(map);

	if (error == 0)
		error = map->store->calls->renew(map->store);
	if (error != 0)
		return error;
	lg_add_relaxed(&map->changes, 1);
	lg_store_release(&map->stale, false); /* N2 */
	return 0;
}

/* Or leaves it until who renews one is done. A signal handler that touched the map would wait for its own thread. */
static int renew_alone(struct lg_map *map)
{
	uint32_t nobody = 0;
	int error = 0, cancel = lg_os_cancel_hold(); /* or others would wait for ever */
	uint64_t signals = lg_os_signals_hold();

	if (lg_cas_acquire(&map->pager->renewing, &nobody, (uint32_t)1)) {
		if (lg_load_acquire(&map->stale))
			error = renew(map);
		lg_store_release(&map->pager->renewing, (uint32_t)0);
		lg_os_wake_all(&map->pager->renewing);
	}
	lg_os_signals_release(signals);
	lg_os_cancel_restore(cancel);
	return error;
}

int lg_renew_after(struct lg_map *map, uint64_t page, int error)
{
	if (error != -ESTALE || !map->store->renews)
		return error;
	error = renew_alone(map);
	if (error != 0)
		lg_poison_idle(map, page, error);
	return error;
}

bool lg_renew_wait(struct lg_map *map)
{
	if (!lg_load_relaxed(&map->stale) || lg_load_acquire(&map->pager->renewing) == 0)
		return false;
	lg_os_sleep_while(&map->pager->renewing, 1, 0);
	return true;
}
