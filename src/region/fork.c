/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/fork.h"

#include "os/map.h"
#include "region/class.h"
#include "region/mappings.h"
#include "region/pool.h"
#include "region/reclaim.h"
#include "region/start.h"
#include "region/tail.h"
#include "region/thread.h"
#include "region/usage.h"
#include "region/worker.h"

void lg_fork_prepare(void)
{
	lg_start_lock();
	if (lg_start_is_done())
		for (unsigned index = 0; index < LG_CLASSES; index++)
			lg_class_lock(&lg_classes[index]);
}

static void unlock_all(void)
{
	if (lg_start_is_done())
		for (unsigned index = LG_CLASSES; index-- > 0;)
			lg_class_unlock(&lg_classes[index]);
	lg_start_unlock();
}

void lg_fork_parent(void)
{
	unlock_all();
}

static bool contains(const struct lg_area *area, uint64_t number)
{
	return number - lg_load_relaxed(&area->first) < lg_load_relaxed(&area->count);
}

/* The parent's area: its addresses are kept from everybody. */
static void lose_area(struct lg_class *class, struct lg_area *area)
{
	uint64_t word = lg_load_relaxed(&area->word);
	char *start = lg_region_address(class->index, lg_load_relaxed(&area->first));

	/* Refused where the parent was unmapping it just then: it is reserved already. */
	(void)lg_os_reserve_at(start, lg_load_relaxed(&area->count)
					      << lg_class_shift(class->index));
	lg_store_relaxed(&area->word, lg_area_word(word, LG_AREA_LOST, 0));
}

static void lose_class(struct lg_class *class)
{
	for (uint32_t i = 0; i < lg_load_relaxed(&class->slots); i++) {
		struct lg_area *area = &class->areas[i];

		if (lg_area_state(lg_load_relaxed(&area->word)) != LG_AREA_UNUSED)
			lose_area(class, area);
	}
	for (unsigned i = 0; i < LG_FILES; i++)
		lg_os_file_close(&class->files[i]);
}

static bool is_live(struct lg_region *region)
{
	enum lg_state state = lg_region_state(region);

	return state == LG_LIVE || state == LG_TAGGED;
}

static bool is_lost(struct lg_region *region)
{
	return lg_region_state(region) == LG_LOST;
}

/* A run of regions that nobody has: without pages and clean; or dirty, where the kernel keeps them. */
static void clean_run(struct lg_class *class, uint16_t slot, uint64_t first, uint64_t count)
{
	unsigned shift = lg_class_shift(class->index);
	bool dropped = lg_backing->give_back(class, first << shift, count << shift, false) == 0;

	for (uint64_t number = first; number < first + count; number++) {
		struct lg_region *region = lg_region_at(class->index, number);
		enum lg_state state = lg_region_state(region);

		if (dropped) {
			if (state != LG_NONE &&
			    state != LG_CLEAN) { /* do not copy a page for nothing */
				lg_tail_forget(region);
				lg_region_set_state(region, LG_CLEAN);
			}
			lg_area_give_numbers(class, slot, &number, 1);
		} else if (state != LG_NONE) {
			lg_region_set_state(region, LG_FREE);
			lg_pool_put_back(class->index, &region, 1);
		}
	}
}

/* Rebuilds an area from its descriptors; regions that live. */
static uint64_t rebuild_area(struct lg_class *class, uint16_t slot)
{
	struct lg_area *area = &class->areas[slot];
	uint64_t word = lg_load_relaxed(&area->word), live = 0, run = 0;
	uint64_t first = lg_load_relaxed(&area->first), end = first + lg_load_relaxed(&area->count);

	lg_area_open_empty(class, slot, lg_area_state(word));
	for (uint64_t number = first; number <= end; number++) {
		struct lg_region *region = lg_region_at(class->index, number);

		if (number < end && !is_live(region) && !is_lost(region)) {
			run++;
			continue;
		}
		if (run > 0)
			clean_run(class, slot, number - run, run);
		run = 0;
		live += number < end && is_live(region);
		if (number < end && is_lost(region))
			lg_stack_push(&class->lost, &region->node);
	}
	return live;
}

static void rebuild_class(struct lg_class *class)
{
	uint64_t live = 0;

	lg_stack_init(&class->lost);
	for (uint32_t i = 0; i < lg_load_relaxed(&class->slots); i++) {
		struct lg_area *area = &class->areas[i];
		enum lg_area_state state = lg_area_state(lg_load_relaxed(&area->word));

		if (state == LG_AREA_OPEN)
			live += rebuild_area(class, (uint16_t)i);
		else if (state == LG_AREA_RETIRED)
			lg_area_finish_retired(class, (uint16_t)i);
	}
	lg_store_relaxed(&lg_homeless.magazines[class->index].allocations, live);
}

static void forget_events(struct lg_class *class)
{
#define LG_FORGET(name) lg_store_relaxed(&class->name, 0);
	LG_CLASS_EVENTS(LG_FORGET)
#undef LG_FORGET
}

void lg_fork_child(void)
{
	bool done = lg_start_is_done();

	unlock_all();
	lg_worker_forget();
	if (!done)
		return;
	lg_start_forget();
	lg_pool_forget();
	lg_reclaim_forget();
	lg_usage_forget();
	lg_thread_forget_others();
	lg_backing_paged_forget();
	if (!lg_backing->survives_fork) {
		lg_span_forget();
		lg_mappings_start(); /* no split mapping was inherited */
	}
	for (unsigned index = 0; index < LG_CLASSES; index++) {
		struct lg_class *class = &lg_classes[index];

		if (lg_load_relaxed(&class->slots) == 0)
			continue; /* untouched: its pages stay shared with the parent */
		forget_events(class);
		if (lg_backing->survives_fork)
			rebuild_class(class);
		else
			lose_class(class);
	}
}

bool lg_fork_is_parents(const struct lg_region *region)
{
	uint64_t index = (uint64_t)(region - lg_region_at(0, 0));

	for (unsigned i = lg_span.classes; i-- > 0;) {
		struct lg_class *class = &lg_classes[i];

		if (index < lg_span.starts[i])
			continue;
		for (uint32_t k = 0; k < lg_load_acquire(&class->slots); k++)
			if (lg_area_state(lg_load_acquire(&class->areas[k].word)) == LG_AREA_LOST &&
			    contains(&class->areas[k], lg_span_number(index - lg_span.starts[i])))
				return true;
		return false;
	}
	return false;
}
