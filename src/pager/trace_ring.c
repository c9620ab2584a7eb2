/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/trace_ring.h"

#include "base/require.h"
#include "os/map.h"
#include "os/thread.h"

#include <errno.h>

int lg_trace_ring_make(struct lg_trace_ring *ring, uint64_t slots)
{
	void *memory;
	int error = lg_os_map_record(slots * sizeof(struct lg_trace_slot), &memory);

	LG_ASSERT((slots & (slots - 1)) == 0);
	if (error != 0)
		return error;
	*ring = (struct lg_trace_ring){ .slots = memory, .mask = slots - 1 };
	for (uint64_t i = 0; i < slots; i++)
		lg_store_relaxed(&ring->slots[i].turn, i);
	return 0;
}

void lg_trace_ring_end(struct lg_trace_ring *ring)
{
	lg_os_unreserve(ring->slots, (ring->mask + 1) * sizeof(struct lg_trace_slot));
}

void lg_trace_ring_call(struct lg_trace_ring *ring)
{
	int before = errno; /* of the program, which a fault interrupted */

	lg_add_ordered(&ring->calls, 1);
	lg_os_wake(&ring->calls);
	errno = before;
}

bool lg_trace_ring_put(struct lg_trace_ring *ring, const struct lg_trace_record *record)
{
	uint64_t place = lg_load_relaxed(&ring->put), half = (ring->mask + 1) / 2;
	struct lg_trace_slot *slot;

	for (;;) {
		slot = &ring->slots[place & ring->mask];
		int64_t ahead = (int64_t)(lg_load_acquire(&slot->turn) - place); /* T2 */

		if (ahead < 0) {
			lg_add_relaxed(&ring->lost, 1);
			return false;
		}
		if (ahead > 0)
			place = lg_load_relaxed(&ring->put); /* another was faster */
		else if (lg_cas_relaxed(&ring->put, &place, place + 1))
			break;
	}
	slot->record = *record;
	lg_store_ordered(&slot->turn, place + 1);   /* T1, T3 */
	if (lg_load_ordered(&ring->resting) != 0) { /* T3 */
		if (lg_swap_ordered(&ring->resting, 0) != 0)
			lg_trace_ring_call(ring);
	} else if ((place & (half - 1)) == 0) {
		lg_trace_ring_call(ring); /* before it is full */
	}
	return true;
}

bool lg_trace_ring_take(struct lg_trace_ring *ring, struct lg_trace_record *record)
{
	uint64_t place = lg_load_relaxed(&ring->taken);
	struct lg_trace_slot *slot = &ring->slots[place & ring->mask];

	if (lg_load_acquire(&slot->turn) != place + 1) /* T1 */
		return false;
	*record = slot->record;
	lg_store_release(&slot->turn, place + ring->mask + 1); /* T2 */
	lg_store_relaxed(&ring->taken, place + 1);
	return true;
}

void lg_trace_ring_rest(struct lg_trace_ring *ring, uint32_t calls)
{
	struct lg_trace_slot *slot = &ring->slots[ring->taken & ring->mask];

	lg_store_ordered(&ring->resting, 1);                 /* T3 */
	if (lg_load_ordered(&slot->turn) != ring->taken + 1) /* T3 */
		lg_os_sleep_while(&ring->calls, calls, 0);
	lg_store_relaxed(&ring->resting, 0);
}
