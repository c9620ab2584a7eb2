/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/gate.h"

#include "base/error.h"
#include "heap/thread.h"
#include "os/clock.h"
#include "os/thread.h"

#include <errno.h>

bool lg_gate_wait(struct lg_heap *heap, struct lg_heap_thread *thread)
{
	for (;;) {
		lg_store_release(&thread->inside, 0); /* G2 */
		uint32_t gate = lg_load_acquire(&heap->gate);
		if (gate == LG_GATE_DEAD || gate == LG_GATE_REFUSED)
			return false;
		if (gate == LG_GATE_CLOSED)
			lg_os_sleep_while(&heap->gate, LG_GATE_CLOSED, 0);
		lg_store_relaxed(&thread->inside, 1);
		lg_compiler_barrier();
		if (heap->fenced)
			atomic_thread_fence(memory_order_seq_cst); /* G1 */
		if (lg_gate_is_open(lg_load_acquire(&heap->gate))) /* G1, G3 */
			return true;
	}
}

void lg_gate_enter_as_guest(struct lg_heap *heap)
{
	for (;;) {
		lg_add_ordered(&heap->guests, 1); /* G1 */
		uint32_t gate = lg_load_acquire(&heap->gate);
		if (lg_gate_is_open(gate)) /* G1, G3 */
			return;
		lg_sub_release(&heap->guests, 1); /* G2 */
		if (gate != LG_GATE_CLOSED)
			return;
		lg_os_sleep_while(&heap->gate, LG_GATE_CLOSED, 0);
	}
}

void lg_gate_leave_as_guest(struct lg_heap *heap)
{
	uint32_t guests = lg_load_relaxed(&heap->guests);

	/* Of an end without its begin, or behind a begin that was refused, nothing is left over. */
	while (guests > 0 && !lg_cas_ordered(&heap->guests, &guests, guests - 1))
		;
}

static void wait_outside(_Atomic(uint32_t) *inside)
{
	for (unsigned tries = 0; lg_load_acquire(inside) != 0; tries++) /* G2 */
		lg_os_sleep_us(tries < 20 ? 20 : 200);
}

int lg_gate_may_close(struct lg_heap *heap)
{
	if (lg_load_relaxed(&heap->gate) == LG_GATE_DEAD)
		return lg_fail(EBADF,
			       "the heap is the parent process's; a child of fork has it closed");
	struct lg_heap_thread *self = lg_heap_thread_of(heap);
	if (self != NULL && lg_load_relaxed(&self->inside) > 0)
		return lg_fail(EDEADLK, "a commit between lg_heap_begin and lg_heap_end would wait "
					"for itself");
	return 0;
}

int lg_gate_close(struct lg_heap *heap)
{
	lg_store_ordered(&heap->gate, LG_GATE_CLOSED); /* G1 */
	if (heap->fenced || !lg_os_barrier())
		atomic_thread_fence(memory_order_seq_cst); /* G1 */
	for (struct lg_heap_thread *thread = lg_load_acquire(&heap->threads); thread != NULL;
	     thread = thread->next)
		wait_outside(&thread->inside);
	wait_outside(&heap->guests);
	return 0;
}

void lg_gate_open(struct lg_heap *heap)
{
	bool usable = !heap->readonly && lg_load_relaxed(&heap->failed) == 0;
	uint32_t opened = heap->fenced ? LG_GATE_FENCED : LG_GATE_OPENED;

	lg_store_release(&heap->gate, usable ? opened : LG_GATE_REFUSED); /* G3 */
	lg_os_wake_all(&heap->gate);
}
