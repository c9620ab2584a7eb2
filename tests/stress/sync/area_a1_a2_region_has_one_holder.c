/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * Claim: a clean region that was taken is its taker's alone, and what the one who gave it wrote to its
 * descriptor is there (edge A1); a search with a right in hand ends (edge A2); counts and bits agree
 * when all rest.
 * Method: three areas whose borders lie in one word of bits, nearly all taken, so that takers fight for
 * the last bits; threads take one to forty, change the descriptors with plain stores, and give them back
 * in another order, as regions or as numbers.
 * Oracle: a flag by number, set by exchange while held; words of the descriptor that agree.
 */
#include "stress/account.h"
#include "stress/crew.h"
#include "stress/random.h"

#include "region/class.h"
#include "region/start.h"

enum {
	CLASS = 4,
	THREADS = 4,
	AREAS = 3,
	FIRST = 20,
	EACH = 50,
	REGIONS = AREAS * EACH,
	WANT = 40
};

static struct lg_class *class = &lg_classes[CLASS];
static struct crew crew;
static _Atomic(bool) held[FIRST + REGIONS];
static _Atomic(uint64_t) rounds;

static void hold(uint64_t number, uint16_t slot)
{
	struct lg_region *region = lg_region_at(CLASS, number);

	CLAIM(number >= FIRST && number < FIRST + REGIONS);
	CLAIM(slot == (number - FIRST) / EACH);
	CLAIM(!atomic_exchange_explicit(&held[number], true, memory_order_relaxed));
	CLAIM(region->view.bytes == (uintptr_t)region->view.data);
	region->view.bytes++;
	region->view.data = (char *)region->view.data + 1;
	region->area = slot;
}

static void let_go(struct crew_member *member, uint64_t *numbers, uint32_t count, uint16_t slot)
{
	struct lg_region *regions[WANT];

	for (uint32_t i = count; i > 1; i--) {
		uint32_t k = (uint32_t)random_below(&member->random, i);
		uint64_t swap = numbers[k];

		numbers[k] = numbers[i - 1];
		numbers[i - 1] = swap;
	}
	for (uint32_t i = 0; i < count; i++) {
		regions[i] = lg_region_at(CLASS, numbers[i]);
		CLAIM(atomic_exchange_explicit(&held[numbers[i]], false, memory_order_relaxed));
	}
	if (random_one_in(&member->random, 2))
		lg_area_give(class, regions, count);
	else
		lg_area_give_numbers(class, slot, numbers, count);
}

static void work(struct crew_member *member)
{
	uint64_t mine = 0;

	for (; !crew_stopped(member); mine++) {
		uint64_t numbers[2][WANT];
		uint16_t slots[2];
		uint32_t counts[2];

		for (unsigned k = 0; k < 2; k++) {
			counts[k] = lg_area_take(class,
						 1 + (uint32_t)random_below(&member->random, WANT),
						 numbers[k], &slots[k]);
			for (uint32_t i = 0; i < counts[k]; i++)
				hold(numbers[k][i], slots[k]);
		}
		for (unsigned k = 0; k < 2; k++)
			if (counts[k] > 0)
				let_go(member, numbers[k], counts[k], slots[k]);
	}
	atomic_fetch_add(&rounds, mine);
}

int main(void)
{
	double end;

	CLAIM(lg_configure("backing:anon,background:off") == 0);
	CLAIM(lg_start() == 0);
	CLAIM(lg_span_grow_tables(CLASS, FIRST + REGIONS) == 0);
	for (uint64_t number = FIRST; number < FIRST + REGIONS; number++) {
		lg_region_at(CLASS, number)->class = CLASS;
		lg_region_at(CLASS, number)->area = (uint16_t)((number - FIRST) / EACH);
	}
	for (uint16_t slot = 0; slot < AREAS; slot++)
		lg_area_open(class, slot, FIRST + (uint64_t)slot * EACH, EACH);
	end = clock_end_of_run(3);
	crew_start(&crew, THREADS, random_seed(), work);
	while (!clock_passed(end))
		clock_breathe();
	crew_stop(&crew);
	crew_join(&crew);
	lg_area_check(class);
	for (uint16_t slot = 0; slot < AREAS; slot++)
		CLAIM(lg_area_clean(lg_load_relaxed(&class->areas[slot].word)) == EACH);
	printf("%llu rounds\n", (unsigned long long)atomic_load(&rounds));
	return 0;
}
