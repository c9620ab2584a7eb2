/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "radix.h"

#include <stdbool.h>
#include <string.h>

enum {
	DIGITS = 8,
	BUCKETS = 256,
	CACHED_KEYS = 1 << 15,  /* 256 KiB, twice: inside any L2 of today */
	INSERTION_KEYS = 1 << 5 /* below this, counting costs more than comparing */
};

static unsigned digit_of(uint64_t key, unsigned digit)
{
	return (unsigned)(key >> (8 * digit)) & (BUCKETS - 1);
}

static void sort_by_insertion(uint64_t *keys, size_t count)
{
	for (size_t i = 1; i < count; i++) {
		uint64_t key = keys[i];
		size_t hole = i;

		for (; hole > 0 && keys[hole - 1] > key; hole--)
			keys[hole] = keys[hole - 1];
		keys[hole] = key;
	}
}

/* counts become the places where each bucket starts. False: one bucket has all, nothing to move. */
static bool places_of(size_t counts[BUCKETS], size_t count)
{
	size_t start = 0;

	for (unsigned i = 0; i < BUCKETS; i++) {
		size_t here = counts[i];

		if (here == count)
			return false;
		counts[i] = start;
		start += here;
	}
	return true;
}

static void scatter(const uint64_t *from, uint64_t *to, size_t count, unsigned digit,
		    size_t places[BUCKETS])
{
	for (size_t i = 0; i < count; i++)
		to[places[digit_of(from[i], digit)]++] = from[i];
}

/* Digits digit … 0, least first; all counted in one pass, as moving keys does not change counts. */
static uint64_t *sort_cached(uint64_t *from, uint64_t *to, size_t count, unsigned digit)
{
	size_t counts[DIGITS][BUCKETS];

	memset(counts, 0, (digit + 1) * sizeof(counts[0]));
	for (size_t i = 0; i < count; i++)
		for (unsigned d = 0; d <= digit; d++)
			counts[d][digit_of(from[i], d)]++;
	for (unsigned d = 0; d <= digit; d++) {
		if (!places_of(counts[d], count))
			continue;
		scatter(from, to, count, d, counts[d]);
		uint64_t *sorted = to;
		to = from;
		from = sorted;
	}
	return from;
}

/* Sorts on digits digit … 0. The result is in `to` if `moved`, else in `from`; the other is garbage. */
static void sort_part(uint64_t *from, uint64_t *to, size_t count, unsigned digit, bool moved)
{
	uint64_t *sorted = from;

	if (count > CACHED_KEYS && digit > 0) {
		size_t places[BUCKETS] = { 0 };
		size_t start = 0;

		for (size_t i = 0; i < count; i++)
			places[digit_of(from[i], digit)]++;
		if (!places_of(places, count)) {
			sort_part(from, to, count, digit - 1, moved);
			return;
		}
		scatter(from, to, count, digit,
			places); /* which turns places into the buckets' ends */
		for (unsigned i = 0; i < BUCKETS; start = places[i++])
			sort_part(to + start, from + start, places[i] - start, digit - 1, !moved);
		return;
	}
	if (count <= INSERTION_KEYS)
		sort_by_insertion(from, count);
	else
		sorted = sort_cached(from, to, count, digit);
	uint64_t *wanted = moved ? to : from;
	if (sorted != wanted)
		memcpy(wanted, sorted, count * sizeof(*wanted));
}

void radix_sort(uint64_t *keys, uint64_t *scratch, size_t count)
{
	sort_part(keys, scratch, count, DIGITS - 1, false);
}
