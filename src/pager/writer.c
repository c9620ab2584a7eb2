/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/writer.h"

#include "os/io_queue.h"
#include "pager/budget.h"
#include "pager/flush.h"
#include "pager/limbo.h"
#include "pager/pager.h"
#include "pager/writeback.h"

enum { FAILING_PAUSE_MS = 100 };

/* Memory that nobody has, before it is asked for: a fault then need not drop frames. */
static uint64_t unused_mark(struct lg_pager *pager)
{
	return lg_budget_mark(pager) / 4;
}

static uint64_t unused(struct lg_pager *pager)
{
	/* Huge frames are taken as they are. */
	return lg_budget_unused(pager) +
	       lg_frame_bytes(lg_pager_frames(pager, LG_PAGE_SHIFT_HUGE), LG_FRAME_FREE) +
	       lg_frame_bytes(lg_pager_frames(pager, LG_PAGE_SHIFT_HUGE), LG_FRAME_CLEAN);
}

static bool is_stopped(struct lg_pager *pager)
{
	return lg_load_acquire(&pager->stop);
}

/* Until there is enough, or nothing more to be done. */
static void make_room(struct lg_pager *pager, struct lg_os_io_queue *queue)
{
	while (!is_stopped(pager)) {
		if (lg_writeback_many(pager, queue) > 0)
			continue;
		if (lg_budget_available(pager) < lg_budget_wanted(pager) &&
		    lg_budget_reclaim(pager, NULL))
			continue;
		if (unused(pager) >= unused_mark(pager) ||
		    lg_limbo_retire(pager, unused_mark(pager)) == 0)
			break;
	}
}

/* Until there is more work than that. Of those that are asleep, who is spare is none. */
static void sleep_since(struct lg_pager *pager, _Atomic(uint32_t) *work, uint32_t seen)
{
	bool counts = work == &pager->work;

	if (counts)
		lg_add_ordered(&pager->writers_asleep, 1);
	if (lg_load_ordered(work) == seen && !is_stopped(pager))
		lg_os_sleep_while(work, seen, lg_flush_wait_ms(pager));
	if (counts)
		lg_sub_relaxed(&pager->writers_asleep, 1);
}

void *lg_writer_run(void *argument)
{
	struct lg_pager *pager = argument;
	struct lg_os_io_queue queue = { 0 };
	uint32_t seen = 0; /* as the pager was made */
	bool is_spare = lg_add_relaxed(&pager->writers_begun, 1) >= pager->writers.most;
	_Atomic(uint32_t) *work = is_spare ? &pager->spare_work : &pager->work;

	lg_os_thread_name("lgalloc-write");
	lg_os_signals_never();
	sleep_since(pager, work, seen);
	while (!is_stopped(pager)) {
		seen = lg_load_acquire(work);
		make_room(pager, &queue);
		lg_flush_look(pager);
		if (lg_budget_failure(pager) != 0)
			lg_os_sleep_while(work, seen, FAILING_PAUSE_MS);
		sleep_since(pager, work, seen);
	}
	lg_os_io_queue_end(&queue);
	return NULL;
}

void lg_writer_wake_spare(struct lg_pager *pager)
{
	lg_add_ordered(&pager->spare_work, 1);
	lg_os_wake(&pager->spare_work);
}
