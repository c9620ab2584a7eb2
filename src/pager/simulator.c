/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "pager/simulator.h"

#include "base/bits.h"
#include "base/option.h"
#include "pager/order.h"
#include "pager/pager.h"
#include "pager/transfer.h"

#include <errno.h>
#include <stdlib.h>

enum state { OUT, MAPPED, LIMBO };

struct page {
	uint32_t handle; /* unless OUT */
	uint16_t recent; /* times it is among the last a thread mapped */
	uint8_t state;
	bool dirty;
	bool met;
};

struct thread {
	bool met;
	uint32_t next;
	uint32_t count;
	uint32_t pages[LG_RING];
};

struct lg_simulator {
	struct lg_simulator_rules rules;
	struct lg_simulator_counts counts;
	void *state; /* the policy's */
	uint32_t page_count;
	uint32_t thread_count;
	uint32_t threads_met;
	uint32_t mapped;
	uint32_t free_count;
	struct lg_order clean; /* of page numbers in limbo, oldest at the front */
	struct lg_order unwritten;
	struct page *pages;
	struct lg_link *links;
	struct thread *threads;
	uint32_t *owners;  /* page of a handle */
	uint32_t *free;    /* handles */
	uint32_t *refused; /* handles set aside */
};

void lg_simulator_rules_of_engine(struct lg_simulator_rules *rules, const struct lg_policy *policy,
				  uint32_t budget, unsigned shift)
{
	enum { RESERVE_PART = 16, RETIRE = 64 };
	uint64_t reserve = lg_min(budget / RESERVE_PART, LG_MIB(256) >> shift);
	uint64_t batch = lg_min(lg_min(reserve / 2, LG_BATCH_BYTES >> shift), LG_BATCH);

	*rules = (struct lg_simulator_rules){
		.policy = *policy,
		.budget = budget,
		.reserve_low = (uint32_t)reserve / 2,
		.reserve_high = (uint32_t)reserve,
		.batch = (uint32_t)lg_max(batch, 1),
		.retire = shift < LG_PAGE_SHIFT_HUGE ? RETIRE : 1,
		.run = (uint32_t)lg_min(LG_WRITE_BYTES >> shift, LG_TRANSFER_PAGES),
		.recent_least = LG_RING_LEAST,
		.recent_most = LG_RING,
	};
}

void lg_simulator_rules_of_faults(struct lg_simulator_rules *rules, const struct lg_policy *policy,
				  uint32_t budget, unsigned shift)
{
	enum { UNWRITTEN_PART = 8 };

	lg_simulator_rules_of_engine(rules, policy, budget, shift);
	rules->reserve_low = rules->reserve_high = 0;
	rules->unwritten_most = budget / UNWRITTEN_PART;
}

struct lg_simulator *lg_simulator_new(const struct lg_simulator_rules *rules, uint32_t pages,
				      uint32_t threads)
{
	struct lg_simulator *simulator = calloc(1, sizeof(*simulator));

	LG_REQUIRE(rules->budget >= 1 && rules->reserve_high < rules->budget);
	LG_REQUIRE(rules->batch >= 1 && rules->retire >= 1 && rules->run >= 1);
	LG_REQUIRE(rules->recent_most <= LG_RING);
	if (simulator == NULL)
		return NULL;
	simulator->rules = *rules;
	simulator->page_count = pages;
	simulator->thread_count = threads;
	simulator->pages = calloc(lg_max(pages, 1), sizeof(*simulator->pages));
	simulator->links = calloc(lg_max(pages, 1), sizeof(*simulator->links));
	simulator->threads = calloc(lg_max(threads, 1), sizeof(*simulator->threads));
	simulator->owners = calloc(rules->budget, sizeof(uint32_t));
	simulator->free = calloc(rules->budget, sizeof(uint32_t));
	simulator->refused = calloc(rules->budget, sizeof(uint32_t));
	if (simulator->pages == NULL || simulator->links == NULL || simulator->threads == NULL ||
	    simulator->owners == NULL || simulator->free == NULL || simulator->refused == NULL)
		goto undo;
	simulator->state =
		rules->policy.ops->create(rules->budget, rules->budget, rules->policy.argument);
	if (simulator->state == NULL)
		goto undo;
	for (uint32_t handle = rules->budget; handle-- > 0;)
		simulator->free[simulator->free_count++] = handle;
	return simulator;
undo:
	lg_simulator_free(simulator);
	return NULL;
}

void lg_simulator_free(struct lg_simulator *simulator)
{
	if (simulator == NULL)
		return;
	if (simulator->state != NULL)
		simulator->rules.policy.ops->destroy(simulator->state);
	free(simulator->pages);
	free(simulator->links);
	free(simulator->threads);
	free(simulator->owners);
	free(simulator->free);
	free(simulator->refused);
	free(simulator);
}

/* --- out of the map, out of memory -------------------------------------------------------------- */

static struct lg_order *limbo_of(struct lg_simulator *simulator, const struct page *page)
{
	return page->dirty ? &simulator->unwritten : &simulator->clean;
}

static void to_limbo(struct lg_simulator *simulator, uint32_t handle)
{
	uint32_t number = simulator->owners[handle];
	struct page *page = &simulator->pages[number];

	page->state = LIMBO;
	lg_order_push_back(limbo_of(simulator, page), simulator->links, number);
	simulator->mapped--;
	simulator->counts.evictions++;
}

/* How many were found. */
static uint32_t take_batch(struct lg_simulator *simulator)
{
	const struct lg_policy_ops *ops = simulator->rules.policy.ops;
	uint32_t found = 0, refused = 0;

	while (found < simulator->rules.batch) {
		uint32_t handle = ops->victim(simulator->state);

		if (handle == LG_NO_PAGE)
			break;
		if (simulator->pages[simulator->owners[handle]].recent > 0) {
			simulator->refused[refused++] = handle;
			continue;
		}
		to_limbo(simulator, handle);
		found++;
	}
	simulator->counts.put_back += refused;
	while (refused > 0) {
		uint32_t handle = simulator->refused[--refused];

		ops->put_back(simulator->state, handle, simulator->owners[handle]);
	}
	return found;
}

static void leave(struct lg_simulator *simulator)
{
	struct page *page =
		&simulator->pages[lg_order_pop_front(&simulator->clean, simulator->links)];

	simulator->counts.left++;
	page->state = OUT;
	simulator->free[simulator->free_count++] = page->handle;
}

static void write_run(struct lg_simulator *simulator)
{
	for (uint32_t i = 0; i < simulator->rules.run && simulator->unwritten.count > 0; i++) {
		uint32_t number = lg_order_pop_front(&simulator->unwritten, simulator->links);

		simulator->pages[number].dirty = false;
		lg_order_push_back(&simulator->clean, simulator->links, number);
		simulator->counts.writes++;
	}
}

/* False: in vain. */
static bool reclaim(struct lg_simulator *simulator)
{
	uint32_t unwritten = simulator->unwritten.count;

	if (unwritten <= simulator->rules.unwritten_most && take_batch(simulator) > 0)
		return true;
	write_run(simulator);
	return unwritten > 0;
}

static void make_room(struct lg_simulator *simulator)
{
	if (simulator->free_count > 0)
		return;
	while (simulator->clean.count == 0)
		if (!reclaim(simulator))
			to_limbo(simulator, simulator->rules.policy.ops->victim(simulator->state));
	for (uint32_t i = 0; i < simulator->rules.retire && simulator->clean.count > 0; i++)
		leave(simulator);
}

static uint32_t available(const struct lg_simulator *simulator)
{
	return simulator->rules.budget - simulator->mapped - simulator->unwritten.count;
}

static void keep_reserve(struct lg_simulator *simulator)
{
	const struct lg_simulator_rules *rules = &simulator->rules;

	if (available(simulator) >= rules->reserve_low)
		return;
	while (available(simulator) < rules->reserve_high)
		if (!reclaim(simulator))
			break;
}

/* --- into the map ------------------------------------------------------------------------------- */

static void note_recent(struct lg_simulator *simulator, uint16_t number, uint32_t page)
{
	const struct lg_simulator_rules *rules = &simulator->rules;
	struct thread *thread = &simulator->threads[number];

	if (rules->recent_most == 0)
		return;
	simulator->threads_met += !thread->met;
	thread->met = true;
	uint32_t keep = rules->budget / 2 / simulator->threads_met;
	keep = (uint32_t)lg_min(lg_max(keep, rules->recent_least), rules->recent_most);
	for (; thread->count > 0 && thread->count >= keep; thread->count--) {
		uint32_t oldest = (thread->next + LG_RING - thread->count) % LG_RING;

		simulator->pages[thread->pages[oldest]].recent--;
	}
	if (keep == 0)
		return;
	simulator->pages[page].recent++;
	thread->pages[thread->next] = page;
	thread->next = (thread->next + 1) % LG_RING;
	thread->count++;
}

static void map(struct lg_simulator *simulator, const struct lg_access *access)
{
	struct page *page = &simulator->pages[access->page];
	const struct lg_policy_ops *ops = simulator->rules.policy.ops;

	page->state = MAPPED;
	simulator->mapped++;
	ops->fill(simulator->state, page->handle, access->page,
		  page->dirty ? LG_REFERENCE_WRITE : LG_REFERENCE_READ);
	note_recent(simulator, access->thread, access->page);
}

enum lg_simulator_outcome lg_simulator_access(struct lg_simulator *simulator,
					      const struct lg_access *access)
{
	struct page *page = &simulator->pages[access->page];
	const struct lg_policy_ops *ops = simulator->rules.policy.ops;
	enum lg_reference how = access->write ? LG_REFERENCE_WRITE : LG_REFERENCE_READ;

	simulator->counts.accesses++;
	switch ((enum state)page->state) {
	case MAPPED:
		if (page->dirty || !access->write) {
			simulator->counts.hits++;
			return LG_SIMULATOR_HIT;
		}
		page->dirty = true;
		ops->touch(simulator->state, page->handle, how);
		simulator->counts.protects++;
		return LG_SIMULATOR_PROTECT;
	case LIMBO:
		lg_order_take(limbo_of(simulator, page), simulator->links, access->page);
		map(simulator, access);
		ops->touch(simulator->state, page->handle, how);
		page->dirty = page->dirty || access->write;
		simulator->counts.limbo_hits++;
		keep_reserve(simulator);
		return LG_SIMULATOR_LIMBO;
	case OUT:
		break;
	}
	make_room(simulator);
	page->handle = simulator->free[--simulator->free_count];
	simulator->owners[page->handle] = access->page;
	page->dirty = access->write;
	map(simulator, access);
	simulator->counts.misses++;
	simulator->counts.cold += !page->met;
	page->met = true;
	keep_reserve(simulator);
	return LG_SIMULATOR_MISS;
}

const struct lg_simulator_counts *lg_simulator_counts(const struct lg_simulator *simulator)
{
	return &simulator->counts;
}

int lg_simulate(const struct lg_simulator_rules *rules, const struct lg_access *accesses,
		size_t count, uint32_t pages, uint32_t threads, struct lg_simulator_counts *counts)
{
	struct lg_simulator *simulator = lg_simulator_new(rules, pages, threads);

	if (simulator == NULL)
		return -ENOMEM;
	for (size_t i = 0; i < count; i++)
		(void)lg_simulator_access(simulator, &accesses[i]);
	*counts = simulator->counts;
	lg_simulator_free(simulator);
	return 0;
}

void lg_simulator_check(const struct lg_simulator *simulator)
{
	const struct lg_simulator_counts *counts = &simulator->counts;
	uint32_t mapped = 0, limbo = 0, unwritten = 0, recent = 0, most = 0;

	for (uint32_t i = 0; i < simulator->page_count; i++) {
		const struct page *page = &simulator->pages[i];

		mapped += page->state == MAPPED;
		limbo += page->state == LIMBO;
		recent += page->recent;
		unwritten += page->state == LIMBO && page->dirty;
		LG_REQUIRE(page->state == OUT || simulator->owners[page->handle] == i);
		LG_REQUIRE(page->state != OUT || !page->dirty);
	}
	for (uint32_t i = 0; i < simulator->thread_count; i++)
		most += simulator->threads[i].count;
	LG_REQUIRE(mapped == simulator->mapped);
	LG_REQUIRE(limbo == simulator->clean.count + simulator->unwritten.count);
	LG_REQUIRE(unwritten == simulator->unwritten.count);
	LG_REQUIRE(mapped + limbo + simulator->free_count == simulator->rules.budget);
	LG_REQUIRE(recent == most);
	LG_REQUIRE(counts->accesses ==
		   counts->hits + counts->protects + counts->limbo_hits + counts->misses);
	LG_REQUIRE(counts->evictions == counts->left + counts->limbo_hits + limbo);
	LG_REQUIRE(counts->misses == counts->left + mapped + limbo);
	lg_order_check(&simulator->clean, simulator->links, simulator->page_count);
	lg_order_check(&simulator->unwritten, simulator->links, simulator->page_count);
	lg_policy_check(simulator->rules.policy.ops, simulator->state);
}

/* --- the best there can be ---------------------------------------------------------------------- */

/* Pages in memory, as a heap: the one whose next use is last is on top. */
struct heap {
	uint32_t count;
	uint32_t *pages;
	uint32_t *places; /* of a page, + 1; 0: not in memory */
	uint32_t *uses;   /* of a page: when it is used next */
};

static void put(struct heap *heap, uint32_t place, uint32_t page)
{
	heap->pages[place] = page;
	heap->places[page] = place + 1;
}

static void rise(struct heap *heap, uint32_t place)
{
	uint32_t page = heap->pages[place];

	for (uint32_t above; place > 0; place = above) {
		above = (place - 1) / 2;
		if (heap->uses[heap->pages[above]] >= heap->uses[page])
			break;
		put(heap, place, heap->pages[above]);
	}
	put(heap, place, page);
}

static void sink(struct heap *heap, uint32_t place)
{
	uint32_t page = heap->pages[place];

	for (uint64_t below; (below = 2 * (uint64_t)place + 1) < heap->count;) {
		uint32_t to = (uint32_t)below;

		if (to + 1 < heap->count &&
		    heap->uses[heap->pages[to + 1]] > heap->uses[heap->pages[to]])
			to++;
		if (heap->uses[heap->pages[to]] <= heap->uses[page])
			break;
		put(heap, place, heap->pages[to]);
		place = to;
	}
	put(heap, place, page);
}

static void drop_last_used(struct heap *heap)
{
	heap->places[heap->pages[0]] = 0;
	if (--heap->count == 0)
		return;
	put(heap, 0, heap->pages[heap->count]);
	sink(heap, 0);
}

/* For each access, when its page is used next; UINT32_MAX: never. `last` is zeroed, one for each page. */
static void look_ahead(const struct lg_access *accesses, size_t count, uint32_t *last,
		       uint32_t *next)
{
	for (size_t i = count; i-- > 0;) {
		uint32_t page = accesses[i].page;

		next[i] = last[page] > 0 ? last[page] - 1 : UINT32_MAX;
		last[page] = (uint32_t)i + 1;
	}
}

static uint64_t run_best(struct heap *heap, uint32_t budget, const struct lg_access *accesses,
			 size_t count, const uint32_t *next)
{
	uint64_t misses = 0;

	for (size_t i = 0; i < count; i++) {
		uint32_t page = accesses[i].page;

		heap->uses[page] = next[i];
		if (heap->places[page] == 0) {
			misses++;
			if (heap->count == budget)
				drop_last_used(heap);
			put(heap, heap->count, page);
			rise(heap, heap->count++);
		} else {
			rise(heap, heap->places[page] - 1); /* its next use is later now */
		}
	}
	return misses;
}

int lg_simulate_best(uint32_t budget, const struct lg_access *accesses, size_t count,
		     uint32_t pages, uint64_t *misses)
{
	uint32_t *next = calloc(lg_max(count, 1), sizeof(*next));
	struct heap heap = {
		.pages = calloc(lg_max(pages, 1), sizeof(uint32_t)),
		.places = calloc(lg_max(pages, 1), sizeof(uint32_t)),
		.uses = calloc(lg_max(pages, 1), sizeof(uint32_t)),
	};
	bool made = next != NULL && heap.pages != NULL && heap.places != NULL && heap.uses != NULL;

	LG_REQUIRE(count < UINT32_MAX);
	if (made) {
		look_ahead(accesses, count, heap.uses, next);
		*misses = run_best(&heap, budget, accesses, count, next);
	}
	free(next);
	free(heap.pages);
	free(heap.places);
	free(heap.uses);
	return made ? 0 : -ENOMEM;
}
