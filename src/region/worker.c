/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/worker.h"

#include "base/option.h"
#include "os/clock.h"
#include "os/thread.h"
#include "pager/roster.h"
#include "region/class.h"
#include "region/pool.h"
#include "region/reclaim.h"
#include "region/revoke.h"
#include "region/start.h"

#include <errno.h>

/* The futex word: ASLEEP, or a count of notices in the other bits. */
enum { ASLEEP = 1, NOTICE = 2 };

static _Atomic(uint32_t) word;
static _Atomic(uint32_t) running;
static _Atomic(uint32_t) watched; /* there is a pager or a heap, or was */
static int process;               /* whose worker it is */

/* Areas that are or may become all clean need the worker's eye until they are unmapped. */
static bool has_idle_area(void)
{
	for (unsigned index = 0; index < lg_span.classes; index++) {
		for (uint32_t i = 0; i < lg_load_acquire(&lg_classes[index].slots); i++) {
			struct lg_area *area = &lg_classes[index].areas[i];
			uint64_t state = lg_load_acquire(&area->word);

			if ((lg_area_state(state) == LG_AREA_OPEN ||
			     lg_area_state(state) == LG_AREA_ORPHAN) &&
			    lg_area_clean(state) == lg_load_relaxed(&area->count))
				return true;
		}
	}
	return false;
}

static bool has_file(void)
{
	return lg_load_relaxed(&lg_options.metrics_file_length) > 0;
}

static bool has_regions_to_work_on(void)
{
	if (!lg_start_is_done())
		return false;
	for (unsigned index = 0; index < LG_CLASSES; index++)
		if (!lg_dirty_is_empty(&lg_classes[index].dirty) ||
		    !lg_dirty_is_empty(&lg_classes[index].lazy))
			return true;
	return has_idle_area() || lg_revoke_is_due();
}

static bool has_work(void)
{
	return has_file() || has_regions_to_work_on();
}

static void work_on_regions(uint64_t *last_lazy_ms)
{
	uint64_t budget = lg_option(reclaim_bytes), now = lg_os_now_ms();

	lg_revoke(LG_REVOKE_IDLE);
	lg_reclaim_tick(budget);
	/* Two turns make the delay: a region waits between half of it and all. */
	if (now - *last_lazy_ms >= lg_option(second_decay) / 2) {
		*last_lazy_ms = now;
		lg_reclaim_tick_lazy(budget);
	}
	for (unsigned index = 0; index < LG_CLASSES; index++)
		(void)lg_area_retire_idle(&lg_classes[index], lg_option(retire_delay));
}

/* Sleeps without a timer as long as there is nothing to do, if that can be known. */
static void rest(uint32_t seen)
{
	if (has_work())
		return;
	if (!lg_cas_ordered(&word, &seen, seen | ASLEEP))
		return;                     /* a notice: look again */
	if (lg_os_barrier() && !has_work()) /* W1 */
		lg_os_sleep_while(&word, seen | ASLEEP, 0);
	lg_and_relaxed(&word, ~(uint32_t)ASLEEP);
}

static void *run(void *unused)
{
	uint64_t last_lazy_ms = 0;

	(void)unused;
	lg_os_thread_name("lgalloc-bg");
	(void)lg_os_barrier_make(); /* without regions nobody did */
	for (;;) {
		uint32_t seen = lg_load_acquire(&word) & ~(uint32_t)ASLEEP; /* before the options */

		if (!lg_option(background))
			break;
		if (lg_start_is_done())
			work_on_regions(&last_lazy_ms);
		lg_exporter_tick();
		rest(seen);
		/* Woken or not, one interval: what was made now is not old, and threads that keep making
		 * and taking wake nobody more often. */
		lg_os_sleep_while(&word, seen, lg_option(interval));
	}
	(void)lg_swap_ordered(&running, 0u);
	if (lg_option(background)) /* switched on again just now */
		lg_worker_ensure();
	return NULL;
}

static bool is_wanted(void)
{
	return lg_option(background) &&
	       (lg_start_is_done() || (lg_load_relaxed(&watched) != 0 && has_file()));
}

void lg_worker_ensure(void)
{
	uint32_t no = 0;

	/* Writes, so that a worker about to leave sees the options as the caller set them, or is seen gone. */
	if (!is_wanted() || lg_add_ordered(&running, 0u) != 0) {
		lg_worker_poke();
		return;
	}
	/* The child of a vfork shares our memory until its exec, which would end the thread. */
	if (lg_os_process() != process || !lg_cas_ordered(&running, &no, 1))
		return;
	/* Without a worker nothing goes back by itself, but everything works; the next refill tries again. */
	if (lg_os_thread_start(run, NULL, NULL) != 0)
		lg_store_ordered(&running, 0);
}

void lg_worker_watch(void)
{
	int cancel = lg_os_cancel_hold();

	/* Between this and the look for a file lies the start's lock, under which lg_configure names one before it looks
	 * here: one of the two sees both. */
	lg_store_relaxed(&watched, 1);
	lg_start_read_environment();
	lg_worker_ensure();
	lg_os_cancel_restore(cancel);
}

void lg_worker_poke(void)
{
	lg_compiler_barrier();
	if (LG_LIKELY((lg_load_relaxed(&word) & ASLEEP) == 0)) /* W1 */
		return;
	int before = errno;

	if ((lg_and_relaxed(&word, ~(uint32_t)ASLEEP) & ASLEEP) != 0)
		lg_os_wake(&word);
	errno = before;
}

void lg_worker_notice(void)
{
	lg_add_relaxed(&word, NOTICE);
	lg_and_relaxed(&word, ~(uint32_t)ASLEEP);
	lg_os_wake(&word);
}

void lg_worker_forget(void)
{
	lg_store_relaxed(&word, 0);
	lg_store_relaxed(&running, 0);
	lg_store_relaxed(&watched, 0);
	process = lg_os_process();
	lg_exporter_forget();
}
