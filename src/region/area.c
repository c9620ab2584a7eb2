/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "region/area.h"

#include "base/require.h"
#include "os/clock.h"
#include "os/map.h"
#include "region/class.h"
#include "region/mappings.h"
#include "region/probe.h"
#include "region/sanitizer.h"

static uint64_t first_of(struct lg_area *area)
{
	return lg_load_relaxed(&area->first);
}

static uint64_t count_of(struct lg_area *area)
{
	return lg_load_relaxed(&area->count);
}

static _Atomic(uint64_t) *word_of_bits(struct lg_class *class, uint64_t word)
{
	return (_Atomic(uint64_t) *)&class->bits[word];
}

/* The bits of word `word` that belong to regions first … first + count - 1. */
static uint64_t bits_inside(uint64_t word, uint64_t first, uint64_t count)
{
	uint64_t from = lg_max(first, word * 64), to = lg_min(first + count, word * 64 + 64);

	return from < to ? lg_ones((unsigned)(from % 64), (unsigned)(to - from)) : 0;
}

/* The lowest run of ones in `bits`, at most `most` long. bits must not be 0. */
static uint64_t lowest_run(uint64_t bits, uint32_t most)
{
	unsigned low = (unsigned)__builtin_ctzll(bits);
	uint64_t rest = ~(bits >> low);
	unsigned run = rest == 0 ? 64 : (unsigned)__builtin_ctzll(rest);

	run = (unsigned)lg_min(lg_min(run, 64 - low), most);
	return lg_ones(low, run);
}

static uint32_t write_numbers(uint64_t word, uint64_t bits, uint64_t *numbers)
{
	uint32_t count = 0;

	for (; bits != 0; bits &= bits - 1)
		numbers[count++] = word * 64 + (unsigned)__builtin_ctzll(bits);
	return count;
}

/* With the right to `want` bits of the area: finds and clears them. */
static void claim_bits(struct lg_class *class, struct lg_area *area, uint32_t want,
		       uint64_t *numbers)
{
	uint64_t lowest = first_of(area) / 64, highest = (first_of(area) + count_of(area) - 1) / 64;
	uint64_t word = lg_load_relaxed(&area->hint);
	uint32_t have = 0;

	if (word < lowest || word > highest)
		word = lowest;
	for (;;) {
		uint64_t inside = bits_inside(word, first_of(area), count_of(area));
		uint64_t seen = lg_load_relaxed(word_of_bits(class, word)) & inside;

		while (seen != 0) {
			uint64_t run = lowest_run(seen, want - have);
			uint64_t got = lg_and_acquire(word_of_bits(class, word), ~run) &
				       run; /* A1 */

			have += write_numbers(word, got, numbers + have);
			if (have == want) {
				lg_store_relaxed(&area->hint, word);
				return;
			}
			seen &= ~run;
		}
		word = word == highest ? lowest : word + 1;
	}
}

uint32_t lg_area_take(struct lg_class *class, uint32_t want, uint64_t *numbers, uint16_t *slot)
{
	uint32_t slots = lg_load_acquire(&class->slots);

	LG_REQUIRE(want > 0);
	for (uint32_t i = 0; i < slots; i++) {
		struct lg_area *area = &class->areas[i];
		uint64_t word = lg_load_relaxed(&area->word);

		while (lg_area_state(word) == LG_AREA_OPEN && lg_area_clean(word) > 0) {
			uint32_t take = (uint32_t)lg_min(want, lg_area_clean(word));

			if (!lg_cas_acquire(&area->word, &word, word - take)) /* A2, A3 */
				continue;
			claim_bits(class, area, take, numbers);
			*slot = (uint16_t)i;
			return take;
		}
	}
	return 0;
}

static void set_bit(struct lg_class *class, struct lg_area *area, uint64_t number)
{
	uint64_t word = number / 64;

	lg_or_release(word_of_bits(class, word), (uint64_t)1 << number % 64); /* A1 */
	if (word < lg_load_relaxed(&area->hint))
		lg_store_relaxed(&area->hint, word); /* lowest first, so that high areas retire */
}

void lg_area_give_numbers(struct lg_class *class, uint16_t slot, const uint64_t *numbers,
			  uint32_t count)
{
	struct lg_area *area = &class->areas[slot];

	for (uint32_t i = 0; i < count; i++)
		set_bit(class, area, numbers[i]);
	lg_add_release(&area->word, count); /* A2 */
}

void lg_area_give(struct lg_class *class, struct lg_region *const *regions, uint32_t count)
{
	for (uint32_t i = 0; i < count;) {
		uint16_t slot = regions[i]->area;
		uint32_t run = 0;

		for (; i < count && regions[i]->area == slot; i++, run++) {
			uint64_t number = lg_region_number(regions[i]);

			lg_region_set_state(regions[i], LG_CLEAN);
			set_bit(class, &class->areas[slot], number);
		}
		lg_add_release(&class->areas[slot].word, run); /* A2 */
	}
}

void lg_area_open(struct lg_class *class, uint16_t slot, uint64_t first, uint64_t count)
{
	struct lg_area *area = &class->areas[slot];
	uint64_t older = lg_load_relaxed(&area->word);

	lg_store_relaxed(&area->first, first);
	lg_store_relaxed(&area->count, count);
	lg_store_relaxed(&area->hint, first / 64);
	lg_store_relaxed(&area->idle_since_ms, 0);
	lg_store_relaxed(&area->splits, 0);
	for (uint64_t word = first / 64; word <= (first + count - 1) / 64; word++)
		lg_or_release(word_of_bits(class, word), bits_inside(word, first, count));
	lg_store_release(&area->word,
			 lg_area_word(older + ((uint64_t)1 << LG_AREA_GENERATION_SHIFT),
				      LG_AREA_OPEN, count)); /* A3 */
	if (slot >= lg_load_relaxed(&class->slots))
		lg_store_release(&class->slots, slot + 1u);
}

static void clear_bits(struct lg_class *class, struct lg_area *area)
{
	for (uint64_t word = first_of(area) / 64;
	     word <= (first_of(area) + count_of(area) - 1) / 64; word++)
		lg_and_relaxed(word_of_bits(class, word),
			       ~bits_inside(word, first_of(area), count_of(area)));
}

/* The caller has moved the area to RETIRED and is alone with it. */
static bool unmap(struct lg_class *class, struct lg_area *area)
{
	char *start = lg_region_address(class->index, first_of(area));
	size_t bytes = count_of(area) << lg_class_shift(class->index);

	if (lg_backing->unmap(start, bytes) != 0)
		return false;
	lg_sanitizer_allow(start, bytes);
	clear_bits(class, area);
	lg_mappings_give(lg_load_relaxed(&area->splits));
	return true;
}

static bool retire(struct lg_class *class, struct lg_area *area, uint64_t word)
{
	uint64_t retired = lg_area_word(word, LG_AREA_RETIRED, 0);
	uint64_t bytes = count_of(area) << lg_class_shift(class->index); /* ours until A4 */

	if (!lg_cas_acquire(&area->word, &word, retired)) /* A2 */
		return false;
	if (!unmap(class, area)) {
		/* No mapping left to replace it by: it stays open, all clean. */
		lg_store_release(&area->word, word);
		return false;
	}
	lg_store_release(&area->word, lg_area_word(word, LG_AREA_UNUSED, 0)); /* A4 */
	lg_probe_retire(class->index, bytes); /* first: who sees the count has seen the probe */
	lg_class_event(class, retired, 1);
	return true;
}

uint32_t lg_area_retire_idle(struct lg_class *class, uint64_t delay_ms)
{
	uint32_t slots = lg_load_acquire(&class->slots), retired = 0;
	uint64_t now = lg_os_now_ms();

	for (uint32_t i = 0; i < slots; i++) {
		struct lg_area *area = &class->areas[i];
		uint64_t word = lg_load_acquire(&area->word); /* A3 */
		enum lg_area_state state = lg_area_state(word);

		if (state != LG_AREA_OPEN && state != LG_AREA_ORPHAN)
			continue;
		/* The count may be of a later life; then the compare-and-swap fails. */
		if (lg_area_clean(word) != count_of(area)) {
			lg_store_relaxed(&area->idle_since_ms, 0);
			continue;
		}
		uint64_t since = lg_load_relaxed(&area->idle_since_ms);
		if (since == 0)
			lg_store_relaxed(&area->idle_since_ms, since = now);
		if (now - since >= delay_ms && retire(class, area, word))
			retired++;
	}
	return retired;
}

/* False: the word has changed, and is read anew. */
static bool make_orphan(struct lg_area *area, uint64_t *word)
{
	return lg_cas_acquire(&area->word, word, /* A2 */
			      lg_area_word(*word, LG_AREA_ORPHAN, lg_area_clean(*word)));
}

void lg_area_orphan(struct lg_class *class, uint32_t file)
{
	uint32_t slots = lg_load_acquire(&class->slots);

	for (uint32_t i = 0; i < slots; i++) {
		struct lg_area *area = &class->areas[i];
		uint64_t word = lg_load_relaxed(&area->word);

		while (lg_area_state(word) == LG_AREA_OPEN &&
		       lg_load_relaxed(&area->file) == file && !make_orphan(area, &word))
			;
	}
}

bool lg_area_are_idle(struct lg_class *class)
{
	for (uint32_t i = 0; i < lg_load_acquire(&class->slots); i++) {
		struct lg_area *area = &class->areas[i];
		uint64_t word = lg_load_acquire(&area->word); /* A3 */
		enum lg_area_state state = lg_area_state(word);

		if ((state == LG_AREA_OPEN || state == LG_AREA_ORPHAN) &&
		    lg_area_clean(word) != count_of(area))
			return false;
	}
	return true;
}

bool lg_area_leave_idle(struct lg_class *class)
{
	for (uint32_t i = 0; i < lg_load_acquire(&class->slots); i++) {
		struct lg_area *area = &class->areas[i];
		uint64_t word = lg_load_acquire(&area->word); /* A3 */

		while (lg_area_state(word) == LG_AREA_OPEN &&
		       lg_area_clean(word) == count_of(area) && !make_orphan(area, &word))
			;
	}
	return lg_area_are_idle(class);
}

void lg_area_open_empty(struct lg_class *class, uint16_t slot, enum lg_area_state state)
{
	struct lg_area *area = &class->areas[slot];

	clear_bits(class, area);
	lg_store_relaxed(&area->word, lg_area_word(lg_load_relaxed(&area->word), state, 0));
}

void lg_area_finish_retired(struct lg_class *class, uint16_t slot)
{
	struct lg_area *area = &class->areas[slot];

	if (unmap(class, area))
		lg_store_release(&area->word,
				 lg_area_word(lg_load_relaxed(&area->word), LG_AREA_UNUSED, 0));
}

void lg_area_check(struct lg_class *class)
{
	for (uint32_t i = 0; i < lg_load_acquire(&class->slots); i++) {
		struct lg_area *area = &class->areas[i];
		uint64_t word = lg_load_acquire(&area->word), bits = 0;
		enum lg_area_state state = lg_area_state(word);

		LG_REQUIRE(state != LG_AREA_RETIRED);
		if (state != LG_AREA_OPEN && state != LG_AREA_ORPHAN)
			continue;
		LG_REQUIRE(lg_area_clean(word) <= count_of(area));
		for (uint64_t w = first_of(area) / 64;
		     w <= (first_of(area) + count_of(area) - 1) / 64; w++)
			bits += (uint64_t)__builtin_popcountll(
				lg_load_relaxed(word_of_bits(class, w)) &
				bits_inside(w, first_of(area), count_of(area)));
		LG_REQUIRE(bits == lg_area_clean(word));
	}
}
