/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "heap/space.h"

#include "base/error.h"
#include "base/option.h"
#include "base/require.h"
#include "heap/journal.h"

#include <errno.h>
#include <string.h>

enum { GROW_CHUNKS_MIN = 32, GROW_CHUNKS_MAX = 512 };

static uint32_t free_units(const struct lg_heap *heap, uint64_t number)
{
	const struct lg_chunk_entry *entry = &heap->table[number];

	if (entry->kind == LG_CHUNK_FREE)
		return ~heap->chunks[number].busy;
	return entry->kind == LG_CHUNK_EXTENT ? ~(entry->used | heap->chunks[number].busy) : 0;
}

/* The first run of `units` free ones inside the chunk; LG_CHUNK_UNITS: none. */
static unsigned run_inside(uint32_t mask, uint64_t units)
{
	uint64_t runs = mask;

	if (units >= LG_CHUNK_UNITS)
		return units == LG_CHUNK_UNITS && mask == UINT32_MAX ? 0 : LG_CHUNK_UNITS;
	for (uint64_t have = 1; have < units && runs != 0;) {
		uint64_t by = lg_min(have, units - have);

		runs &= runs >> by;
		have += by;
	}
	return runs != 0 ? (unsigned)__builtin_ctzll(runs) : LG_CHUNK_UNITS;
}

/*
 * First fit from `lowest` on. False: *first is where free units at the very end begin, which growth can use.
 */
static bool find(struct lg_heap *heap, uint64_t units, uint64_t *first)
{
	uint64_t run = 0, chunks = heap->header->chunks;
	bool lowest_is_full = true;

	for (uint64_t number = heap->lowest; number < chunks; number++) {
		uint32_t mask = free_units(heap, number);

		if (mask == 0) {
			if (lowest_is_full)
				heap->lowest = (uint32_t)number + 1;
			run = 0;
			continue;
		}
		lowest_is_full = false;
		unsigned leading = (unsigned)__builtin_ctzll(~(uint64_t)mask);
		if (run + leading >= units) {
			*first = number * LG_CHUNK_UNITS - run;
			return true;
		}
		unsigned inside = run_inside(mask, units);
		if (inside < LG_CHUNK_UNITS) {
			*first = number * LG_CHUNK_UNITS + inside;
			return true;
		}
		run = leading == LG_CHUNK_UNITS ? run + LG_CHUNK_UNITS :
						  (unsigned)__builtin_clz(~mask);
	}
	*first = chunks * LG_CHUNK_UNITS - run;
	return false;
}

static int grow_file(struct lg_heap *heap, uint64_t chunks)
{
	uint64_t step = lg_max(GROW_CHUNKS_MIN, lg_min(chunks / 8, GROW_CHUNKS_MAX));
	uint64_t want = lg_min(chunks + step, heap->capacity) << LG_CHUNK_SHIFT;
	uint64_t need = chunks << LG_CHUNK_SHIFT;

	if (need <= heap->file_bytes)
		return 0;
	int error = heap->disk.ops->extend(&heap->disk, want);
	if (error != 0 && want > need) {
		want = need;
		error = heap->disk.ops->extend(&heap->disk, want);
	}
	if (error == 0)
		heap->file_bytes = want;
	return error;
}

/* Chunks of checksums for all groups up to that of the last chunk; each may itself begin another. */
static uint64_t sums_missing(const struct lg_heap *heap, uint64_t chunks)
{
	uint64_t missing = 0, groups;

	if (heap->shared)
		return 0;
	do {
		groups = (chunks + missing + LG_SUM_CHUNKS - 1) / LG_SUM_CHUNKS;
		missing = 0;
		for (uint64_t group = 0; group < groups; group++)
			missing += heap->header->sums[group] == 0;
	} while ((chunks + missing + LG_SUM_CHUNKS - 1) / LG_SUM_CHUNKS > groups);
	return missing;
}

int lg_space_append(struct lg_heap *heap, uint64_t count, enum lg_chunk_kind kind, uint32_t *first)
{
	uint64_t chunks = heap->header->chunks;
	uint64_t missing = sums_missing(heap, chunks + count);

	if (count > heap->capacity || chunks + missing + count > heap->capacity)
		return lg_fail(ENOMEM,
			       "the heap's reserve is used up: open it with a larger one, as "
			       "in reserve:%uT",
			       (unsigned)((heap->bytes >> 40) * 2 + 1));
	int error = grow_file(heap, chunks + missing + count);
	if (error != 0) {
		heap->space_failed++;
		return lg_fail(-error, "the heap's file cannot grow: %s", lg_error_name(-error));
	}
	if (missing > 0)
		error = heap->disk.ops->reserve(&heap->disk, chunks << LG_CHUNK_SHIFT,
						missing << LG_CHUNK_SHIFT);
	if (error == 0)
		error = heap->disk.ops->reserve(&heap->disk,
						LG_TABLE_OFFSET + chunks * sizeof(*heap->table),
						(missing + count) * sizeof(*heap->table));
	if (error != 0)
		return lg_fail(-error, "no disk space for the heap's tables: %s",
			       lg_error_name(-error));
	for (uint64_t group = 0; missing > 0; group++) {
		if (heap->header->sums[group] != 0)
			continue;
		heap->table[chunks] = (struct lg_chunk_entry){ .kind = LG_CHUNK_SUMS };
		heap->header->sums[group] = (uint32_t)chunks++;
		missing--;
	}
	*first = (uint32_t)chunks;
	for (uint64_t i = 0; i < count; i++) {
		heap->table[chunks + i] = (struct lg_chunk_entry){ .kind = (uint8_t)kind };
		bool fresh = (chunks + i) << LG_CHUNK_SHIFT >= heap->fresh_from;
		heap->chunks[chunks + i] = (struct lg_chunk){ .fresh = fresh ? UINT32_MAX : 0 };
	}
	heap->header->chunks = (uint32_t)(chunks + count);
	return 0;
}

/* Runs over the pieces of a run of units that lie in one chunk each. */
#define FOR_PIECES(number, mask, first, units)                                                     \
	for (uint64_t piece_at = (first), piece_end = (first) + (units), number, mask;             \
	     piece_at < piece_end &&                                                               \
	     (number = piece_at / LG_CHUNK_UNITS,                                                  \
	     mask = lg_ones((unsigned)(piece_at % LG_CHUNK_UNITS),                                 \
			    (unsigned)lg_min(LG_CHUNK_UNITS - piece_at % LG_CHUNK_UNITS,           \
					     piece_end - piece_at)),                               \
	     true);                                                                                \
	     piece_at = (number + 1) * LG_CHUNK_UNITS)

static void set_live(struct lg_heap *heap, uint64_t first, uint64_t units, bool live)
{
	uint8_t value = (uint8_t)(units <= LG_EXTENT_CLASSES ? units : LG_LIVE_LARGE);

	lg_store_relaxed(lg_heap_live(heap, first / LG_CHUNK_UNITS) + first % LG_CHUNK_UNITS,
			 live ? value : 0);
}

static void describe_extent(struct lg_heap *heap, uint64_t number)
{
	struct lg_chunk *chunk = &heap->chunks[number];

	lg_chunk_describe(heap, number, LG_SLAB_CLASSES, 0, LG_CHUNK_UNITS);
	lg_store_release(&chunk->granules, LG_SLOTS_MAX);
}

/* Units that are taken now: if none of the chunk was freed since the last commit, they were free at that. */
static void note_newborn(struct lg_heap *heap, uint64_t number, uint32_t mask)
{
	struct lg_chunk *chunk = &heap->chunks[number];

	if (chunk->freed > heap->committed_epoch || heap->shared)
		return;
	if (chunk->newborn == 0 && lg_pages_add(&heap->nursery, number, 1) != 0)
		return; /* then they go by the journal */
	chunk->newborn |= mask;
}

static void mark(struct lg_heap *heap, uint64_t first, uint64_t units, bool begins, bool *fresh)
{
	FOR_PIECES(number, mask, first, units)
	{
		struct lg_chunk_entry *entry = &heap->table[number];
		struct lg_chunk *chunk = &heap->chunks[number];

		if (entry->kind == LG_CHUNK_FREE) {
			*entry = (struct lg_chunk_entry){ .kind = LG_CHUNK_EXTENT };
			memset((void *)(uintptr_t)lg_heap_live(heap, number), 0, LG_CHUNK_UNITS);
			describe_extent(heap, number);
			chunk->newborn = 0;
		}
		note_newborn(heap, number, (uint32_t)mask);
		*fresh = *fresh && (chunk->fresh & mask) == mask;
		entry->used |= (uint32_t)mask;
		chunk->fresh &= (uint32_t)~mask;
		chunk->idle &= (uint32_t)~mask;
	}
	if (begins)
		heap->table[first / LG_CHUNK_UNITS].start |= 1u << first % LG_CHUNK_UNITS;
}

static void clear(struct lg_heap *heap, uint64_t first, uint64_t units)
{
	FOR_PIECES(number, mask, first, units)
	{
		struct lg_chunk_entry *entry = &heap->table[number];

		LG_ASSERT((entry->used & mask) == mask);
		entry->used &= (uint32_t)~mask;
		entry->start &= (uint32_t)~mask;
		heap->chunks[number].freed = heap->epoch + 1;
		heap->chunks[number].backed |= (uint32_t)mask;
		if (entry->used == 0) {
			*entry = (struct lg_chunk_entry){ .kind = LG_CHUNK_FREE };
			lg_store_relaxed(&heap->chunks[number].granules, 0);
		}
		heap->lowest = (uint32_t)lg_min(heap->lowest, number);
	}
}

/* Disk blocks for the run, where it may have none. Not under the lock: the units are taken. */
static int back(struct lg_heap *heap, uint64_t first, uint64_t units)
{
	bool all = true;

	pthread_mutex_lock(&heap->space_lock); /* others change the bits of their units */
	FOR_PIECES(number, mask, first, units)
	all = all && (heap->chunks[number].backed & mask) == mask;
	pthread_mutex_unlock(&heap->space_lock);
	if (all)
		return 0;
	return heap->disk.ops->reserve(&heap->disk, first << LG_UNIT_SHIFT, units << LG_UNIT_SHIFT);
}

static void note_backed(struct lg_heap *heap, uint64_t first, uint64_t units)
{
	FOR_PIECES(number, mask, first, units)
	heap->chunks[number].backed |= (uint32_t)mask;
}

static int reserve(struct lg_heap *heap, uint64_t first, uint64_t units)
{
	int error = back(heap, first, units);

	if (error != 0)
		return lg_fail(-error, "no disk space for %llu KiB of the heap: %s",
			       (unsigned long long)units * (LG_UNIT >> 10), lg_error_name(-error));
	pthread_mutex_lock(&heap->space_lock);
	note_backed(heap, first, units);
	pthread_mutex_unlock(&heap->space_lock);
	return 0;
}

/* As reserve, of units that are an extent's; where that fails they are free again, and not as if they had blocks. */
static int reserve_units(struct lg_heap *heap, uint64_t first, uint64_t units)
{
	int error = reserve(heap, first, units);

	if (error == 0)
		return 0;
	pthread_mutex_lock(&heap->space_lock);
	clear(heap, first, units);
	FOR_PIECES(number, mask, first, units)
	heap->chunks[number].backed &= (uint32_t)~mask;
	pthread_mutex_unlock(&heap->space_lock);
	return error;
}

/* Finds and marks; the space lock is held. */
static int take(struct lg_heap *heap, uint64_t units, uint64_t *first, bool *fresh)
{
	if (!find(heap, units, first)) {
		uint64_t end = (uint64_t)heap->header->chunks * LG_CHUNK_UNITS;
		uint64_t more = (units - (end - *first) + LG_CHUNK_UNITS - 1) / LG_CHUNK_UNITS;
		uint32_t chunk;

		if (sums_missing(heap, heap->header->chunks + more) > 0) { /* which come between */
			more = (units + LG_CHUNK_UNITS - 1) / LG_CHUNK_UNITS;
			*first = 0;
		}
		int error = lg_space_append(heap, more, LG_CHUNK_FREE, &chunk);
		if (error != 0)
			return error;
		if (*first == 0)
			*first = (uint64_t)chunk * LG_CHUNK_UNITS;
	}
	*fresh = true;
	mark(heap, *first, units, true, fresh);
	return 0;
}

int lg_space_take(struct lg_heap *heap, uint64_t units, uint64_t *first, bool *fresh)
{
	pthread_mutex_lock(&heap->space_lock);
	int error = take(heap, units, first, fresh);
	pthread_mutex_unlock(&heap->space_lock);
	if (error != 0)
		return error;
	return reserve_units(heap, *first, units);
}

uint64_t lg_space_units(const struct lg_heap *heap, uint64_t first)
{
	uint64_t number = first / LG_CHUNK_UNITS, units = 1;
	unsigned bit = (unsigned)(first % LG_CHUNK_UNITS) + 1;

	for (;; number++, bit = 0) {
		if (number >= heap->header->chunks || heap->table[number].kind != LG_CHUNK_EXTENT)
			return units;
		uint64_t goes_on = heap->table[number].used & ~heap->table[number].start;
		uint64_t run = bit < LG_CHUNK_UNITS ? (uint64_t)__builtin_ctzll(~(goes_on >> bit)) :
						      0;

		units += run;
		if (bit + run < LG_CHUNK_UNITS)
			return units;
	}
}

void lg_space_give(struct lg_heap *heap, uint64_t first, uint64_t keep)
{
	pthread_mutex_lock(&heap->space_lock);
	uint64_t units = lg_space_units(heap, first);
	if (units > keep)
		clear(heap, first + keep, units - keep);
	if (keep > 0)
		set_live(heap, first, keep, true);
	pthread_mutex_unlock(&heap->space_lock);
}

bool lg_space_grow(struct lg_heap *heap, uint64_t first, uint64_t units, uint64_t more)
{
	bool room = true, fresh = true;

	pthread_mutex_lock(&heap->space_lock);
	if ((first + units + more - 1) / LG_CHUNK_UNITS >= heap->header->chunks)
		room = false;
	else
		FOR_PIECES(number, mask, first + units, more)
	room = room && (free_units(heap, number) & mask) == mask;
	if (room)
		mark(heap, first + units, more, false, &fresh);
	pthread_mutex_unlock(&heap->space_lock);
	if (!room)
		return false;
	if (reserve_units(heap, first + units, more) != 0)
		return false;
	set_live(heap, first, units + more, true);
	return true;
}

int lg_space_take_chunk(struct lg_heap *heap, unsigned class, uint32_t *chunk, bool *fresh)
{
	uint64_t number;
	int error = 0;

	pthread_mutex_lock(&heap->space_lock);
	uint64_t chunks = heap->header->chunks;
	for (number = heap->lowest; number < chunks; number++)
		if (heap->table[number].kind == LG_CHUNK_FREE && heap->chunks[number].busy == 0)
			break;
	*chunk = (uint32_t)number;
	if (number == chunks)
		error = lg_space_append(heap, 1, LG_CHUNK_FREE, chunk);
	if (error == 0) {
		heap->table[*chunk] =
			(struct lg_chunk_entry){ .kind = LG_CHUNK_SLAB, .class = (uint8_t) class };
		*fresh = heap->chunks[*chunk].fresh == UINT32_MAX;
		heap->chunks[*chunk].fresh = 0;
		heap->chunks[*chunk].idle = 0;
	}
	pthread_mutex_unlock(&heap->space_lock);
	if (error == 0) {
		error = reserve(heap, (uint64_t)*chunk * LG_CHUNK_UNITS, LG_CHUNK_UNITS);
		if (error != 0)
			lg_space_give_chunk(heap, *chunk, false);
	}
	return error;
}

void lg_space_give_chunk(struct lg_heap *heap, uint32_t number, bool backed)
{
	struct lg_chunk *chunk = &heap->chunks[number];

	pthread_mutex_lock(&heap->space_lock);
	heap->table[number] = (struct lg_chunk_entry){ .kind = LG_CHUNK_FREE };
	lg_store_relaxed(&chunk->granules, 0);
	chunk->freed = heap->epoch + 1;
	chunk->backed = backed ? UINT32_MAX : 0;
	heap->lowest = (uint32_t)lg_min(heap->lowest, number);
	pthread_mutex_unlock(&heap->space_lock);
}

bool lg_space_ready(struct lg_heap *heap, uint32_t number)
{
	pthread_mutex_lock(&heap->space_lock);
	const struct lg_chunk_entry *entry = &heap->table[number];
	bool is = number < heap->header->chunks && entry->kind == LG_CHUNK_EXTENT;

	if (is && lg_load_relaxed(&heap->chunks[number].granules) == 0) {
		for (uint64_t unit = 0; unit < LG_CHUNK_UNITS; unit++) {
			uint64_t first = (uint64_t)number * LG_CHUNK_UNITS + unit;
			bool begins = (entry->start >> unit & 1) != 0;

			set_live(heap, first, begins ? lg_space_units(heap, first) : 0, begins);
		}
		describe_extent(heap, number);
	}
	pthread_mutex_unlock(&heap->space_lock);
	return is;
}

void lg_space_committed(struct lg_heap *heap)
{
	pthread_mutex_lock(&heap->space_lock);
	for (uint64_t i = 0; i < heap->nursery.count; i++)
		heap->chunks[heap->nursery.list[i]].newborn = 0;
	heap->nursery.count = 0;
	heap->committed_epoch = heap->epoch;
	pthread_mutex_unlock(&heap->space_lock);
}

/* Units whose blocks can go: free now, at the last checkpoint, and in all that a crash could bring back. */
static uint32_t punchable(struct lg_heap *heap, uint64_t number)
{
	struct lg_chunk *chunk = &heap->chunks[number];
	uint32_t free = free_units(heap, number) & chunk->backed;
	uint32_t units = free & chunk->idle;

	chunk->idle = free;
	return chunk->freed <= heap->checkpointed_epoch ? units : 0;
}

static int forget_sums(struct lg_heap *heap, uint64_t number, uint32_t units)
{
	static const uint32_t zeros[LG_UNIT_PAGES];
	uint32_t sums = heap->header->sums[number / LG_SUM_CHUNKS];
	uint64_t at = ((uint64_t)sums << LG_CHUNK_SHIFT) +
		      number % LG_SUM_CHUNKS * LG_CHUNK_PAGES * sizeof(uint32_t);

	if (sums == 0)
		return 0;
	for (; units != 0; units &= units - 1) {
		uint64_t unit = (uint64_t)__builtin_ctz(units);
		int error = heap->disk.ops->write(&heap->disk, zeros, sizeof(zeros),
						  at + unit * sizeof(zeros));

		if (error != 0)
			return error;
	}
	return 0;
}

static int punch_chunk(struct lg_heap *heap, uint64_t number, uint32_t units)
{
	int error = 0;

	while (units != 0 && error == 0) {
		unsigned first = (unsigned)__builtin_ctz(units);
		unsigned run = (unsigned)__builtin_ctzll(~(uint64_t)(units >> first));

		error = heap->disk.ops->punch(&heap->disk,
					      (number * LG_CHUNK_UNITS + first) << LG_UNIT_SHIFT,
					      (uint64_t)run << LG_UNIT_SHIFT);
		if (error == 0)
			lg_own_add(&heap->punched_bytes, (uint64_t)run << LG_UNIT_SHIFT);
		units &= (uint32_t)~lg_ones(first, run);
	}
	return error;
}

/*
 * First the sums of all pages that go, durably: after a crash in between a page without its sum is no
 * error, a sum without its page would be.
 */
int lg_space_punch(struct lg_heap *heap)
{
	enum { CHUNKS = 256 }; /* of one checkpoint; the others wait for the next */
	uint32_t numbers[CHUNKS], count = 0;
	int error = 0;

	pthread_mutex_lock(&heap->space_lock);
	uint32_t chunks = heap->header->chunks;
	for (uint32_t number = LG_CHUNK_FIRST; number < chunks && count < CHUNKS; number++) {
		uint32_t units = punchable(heap, number);

		if (units != 0) {
			heap->chunks[number].busy = units;
			numbers[count++] = number;
		}
	}
	pthread_mutex_unlock(&heap->space_lock);
	for (uint32_t i = 0; i < count && error == 0; i++)
		error = forget_sums(heap, numbers[i], heap->chunks[numbers[i]].busy);
	if (count > 0 && error == 0)
		error = lg_journal_flush(heap);
	for (uint32_t i = 0; i < count; i++) {
		struct lg_chunk *chunk = &heap->chunks[numbers[i]];

		if (error == 0)
			error = punch_chunk(heap, numbers[i], chunk->busy);
		pthread_mutex_lock(&heap->space_lock);
		chunk->backed &= ~chunk->busy;
		chunk->idle &= ~chunk->busy;
		heap->lowest = (uint32_t)lg_min(heap->lowest, numbers[i]);
		chunk->busy = 0;
		pthread_mutex_unlock(&heap->space_lock);
	}
	return error;
}
