/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/reclaim.h"

#include "os/thread.h"
#include "region/class.h"
#include "region/pool.h"
#include "region/probe.h"
#include "region/tail.h"
#include "region/thread.h"

enum { BATCH = 256, OTHERS_MS = 1000 };

/* Who may have regions in hand: those who began in even and in odd generations. */
static _Atomic(uint32_t) busy[2], generation;

#define PIECE_BYTES ((uint64_t)4 << 20)

/* Heap sort: in place, no worst case, no allocation as qsort may make. */
static void sift(struct lg_region **regions, unsigned root, unsigned count)
{
	struct lg_region *region = regions[root];

	for (unsigned child; (child = 2 * root + 1) < count; root = child) {
		if (child + 1 < count && regions[child]->view.data < regions[child + 1]->view.data)
			child++;
		if (region->view.data >= regions[child]->view.data)
			break;
		regions[root] = regions[child];
	}
	regions[root] = region;
}

static void sort_by_address(struct lg_region **regions, unsigned count)
{
	for (unsigned root = count / 2; root-- > 0;)
		sift(regions, root, count);
	while (count-- > 1) {
		struct lg_region *last = regions[0];

		regions[0] = regions[count];
		sift(regions, 0, count);
		regions[count] = last;
	}
}

static int give_back_run(struct lg_class *class, struct lg_region *first, uint64_t bytes,
			 bool lazily)
{
	uint64_t offset = lg_region_number(first) << lg_class_shift(class->index);
	int error = 0;

	for (uint64_t done = 0; done < bytes && error == 0; done += PIECE_BYTES)
		error = lg_backing->give_back(class, offset + done,
					      lg_min(bytes - done, PIECE_BYTES), lazily);
	return error;
}

/* A lazily given back region was counted when it first was. */
static void note_reclaimed(struct lg_class *class, struct lg_region *const *run, unsigned count)
{
	unsigned fresh = 0;

	for (unsigned i = 0; i < count; i++)
		fresh += lg_region_state(run[i]) != LG_LAZY;
	lg_probe_reclaim(class->index, count);
	lg_class_event(class, reclaimed, fresh);
	lg_class_event(class, reclaimed_bytes, (uint64_t)fresh << lg_class_shift(class->index));
}

/* Where the regions of a run go: the caller has them sorted, neighbours and all. */
static int settle_run(struct lg_class *class, struct lg_region **run, unsigned count, bool lazily)
{
	uint64_t bytes = (uint64_t)count << lg_class_shift(class->index);
	int error;

	for (unsigned i = 0; i < count; i++)
		lg_tail_forget(run[i]);
	error = give_back_run(class, run[0], bytes, lazily);

	if (error == 0)
		note_reclaimed(class, run, count);
	for (unsigned i = 0; i < count; i++)
		lg_region_set_state(run[i], error == 0 && lazily ? LG_LAZY : LG_FREE);
	if (error != 0) {
		lg_class_event(class, stuck, count);
		lg_pool_put_back(class->index, run, count);
		return error;
	}
	if (lazily) {
		lg_pool_put_lazy(class->index, run, count);
		return 0;
	}
	lg_area_give(class, run, count);
	return 0;
}

static bool follows(const struct lg_region *region, const struct lg_region *before)
{
	return (char *)region->view.data == (char *)before->view.data + before->view.bytes &&
	       region->area == before->area;
}

static int settle(struct lg_class *class, struct lg_region **regions, unsigned count, bool lazily)
{
	int first_error = 0;

	lazily = lazily && lg_backing->can_lazily && lg_option(second_decay) > 0;
	sort_by_address(regions, count);
	for (unsigned i = 0, run; i < count; i += run) {
		/* Neighbours of one area: its end may cut a mapping. */
		for (run = 1; i + run < count && follows(regions[i + run], regions[i + run - 1]);
		     run++)
			;
		int error = settle_run(class, regions + i, run, lazily);
		first_error = first_error != 0 ? first_error : error;
	}
	return first_error;
}

int lg_reclaim_regions(unsigned class, struct lg_region *const *regions, unsigned count,
		       bool lazily)
{
	struct lg_region *sorted[BATCH];
	int first_error = 0;

	for (unsigned done = 0, piece; done < count; done += piece) {
		piece = (unsigned)lg_min(count - done, BATCH);
		for (unsigned i = 0; i < piece; i++)
			sorted[i] = regions[done + i];
		int error = settle(&lg_classes[class], sorted, piece, lazily);
		first_error = first_error != 0 ? first_error : error;
	}
	return first_error;
}

typedef unsigned take_chain(unsigned class, struct lg_region **regions, bool all);

/* Where the generation turned between look and count, waiters may have looked at the count before: nobody would wait for this one. */
static _Atomic(uint32_t) *begin(void)
{
	for (;;) {
		uint32_t now = lg_load_relaxed(&generation);
		_Atomic(uint32_t) *among = &busy[now % 2];

		lg_add_relaxed(among, 1u);
		atomic_thread_fence(memory_order_seq_cst); /* R1, R2 */
		if (lg_load_relaxed(&generation) == now)
			return among;
		lg_sub_relaxed(among, 1u);
	}
}

/* Gives back at least one chain and at most about *budget bytes of a class. -errno: refused, stop. */
static int drain_class(unsigned class, take_chain *take, bool all, bool lazily, uint64_t *budget)
{
	struct lg_region *regions[BATCH];
	int error = 0;

	_Atomic(uint32_t) *among = begin();
	while (*budget > 0 && error == 0) {
		unsigned count = 0, got;
		uint64_t bytes = 0;

		while (count + LG_CHAIN <= BATCH && bytes < *budget &&
		       (got = take(class, regions + count, all)) > 0) {
			count += got;
			bytes = (uint64_t)count << lg_class_shift(class);
		}
		if (count == 0)
			break;
		error = lg_reclaim_regions(class, regions, count, lazily);
		*budget -= lg_min(bytes, *budget);
	}
	lg_sub_release(among, 1u); /* R3 */
	return error;
}

void lg_reclaim_wait_for_others(void)
{
	unsigned naps = 0;

	atomic_thread_fence(memory_order_seq_cst); /* R1 */
	const uint32_t first = lg_load_acquire(&generation);

	for (uint32_t now = first; now - first < 2 && naps < OTHERS_MS;
	     now = lg_load_acquire(&generation)) { /* R3 */
		_Atomic(uint32_t) *before = &busy[(now + 1) % 2];

		atomic_thread_fence(memory_order_seq_cst); /* R2 */
		uint32_t count = lg_load_acquire(before);  /* R3 */
		if (count == 0) {
			(void)lg_cas_release(&generation, &now, now + 1); /* R3 */
		} else {
			lg_os_sleep_while(before, count, 1);
			naps++;
		}
	}
}

void lg_reclaim_forget(void)
{
	lg_store_relaxed(&busy[0], 0);
	lg_store_relaxed(&busy[1], 0);
}

void lg_reclaim_excess(uint64_t bytes)
{
	/* Old ones of all classes before anybody's young; large ones first, which cost least a byte. */
	for (int all = 0; all <= 1; all++) {
		for (unsigned index = LG_CLASSES; index-- > 0;) {
			uint64_t now = lg_pool_dirty_bytes(), budget;

			if (now <= bytes)
				return;
			budget = now - bytes;
			(void)drain_class(index, lg_pool_take_dirty, all, true, &budget);
		}
	}
}

/*
 * A class that was emptied within the budget turns, so that what is young now is old next tick. Each tick
 * starts at another class, so that a busy one cannot use up the budget of the others for ever.
 */
static void tick(take_chain *take, bool lazily, bool second, uint64_t budget)
{
	static _Atomic(unsigned) first;
	unsigned start = lg_add_relaxed(&first, 1u);

	for (unsigned i = 0; i < LG_CLASSES; i++) {
		unsigned index = (start + i) % LG_CLASSES;
		struct lg_dirty *pool = second ? &lg_classes[index].lazy : &lg_classes[index].dirty;

		if (drain_class(index, take, false, lazily, &budget) == 0 && budget > 0)
			lg_dirty_turn(pool);
	}
}

void lg_reclaim_tick(uint64_t budget)
{
	tick(lg_pool_take_dirty, true, false, budget);
}

void lg_reclaim_tick_lazy(uint64_t budget)
{
	tick(lg_pool_take_lazy, false, true, budget);
}

int lg_reclaim_all(void)
{
	int first_error = 0;

	for (unsigned index = 0; index < LG_CLASSES; index++) {
		uint64_t budget = UINT64_MAX;
		int error = drain_class(index, lg_pool_take_dirty, true, false, &budget);

		first_error = first_error != 0 ? first_error : error;
		budget = UINT64_MAX;
		error = drain_class(index, lg_pool_take_lazy, true, false, &budget);
		first_error = first_error != 0 ? first_error : error;
	}
	return first_error;
}
