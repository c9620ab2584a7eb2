/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * The statistics snapshot: counters of every record, added up while their owners go on counting. Only the
 * classes a record ever used are read, so that 64 threads cost some hundred cache lines.
 */
#include "base/error.h"
#include "metrics/exporter.h"
#include "region/class.h"
#include "region/pool.h"
#include "region/start.h"
#include "region/thread.h"

#include <lgalloc/lgalloc.h>

#include <errno.h>
#include <string.h>

/* Programs have these structs in them, as large as they were when they were compiled. */
_Static_assert(sizeof(struct lg_class_stats) ==
		       (size_t)(1 + LG_CLASS_FIELDS_MAX) * sizeof(uint64_t),
	       "fields take the place of reserved");
_Static_assert(sizeof(struct lg_stats) ==
		       16 * sizeof(uint64_t) + (1 + LG_CLASSES) * sizeof(struct lg_class_stats),
	       "fields take the place of reserved");
_Static_assert(sizeof(struct lg_usage) == 8 * sizeof(uint64_t),
	       "fields take the place of reserved");
_Static_assert(offsetof(struct lg_class_stats, stuck) == 28 * sizeof(uint64_t),
	       "fields are appended");

/* What is summed before gauges can be derived. */
struct sums {
	uint64_t dirty_in, dirty_out, lazy_in, lazy_out;
};

/* Two counters are read one after the other: their difference may be a moment's -1. */
static uint64_t difference(uint64_t more, uint64_t less)
{
	return more > less ? more - less : 0;
}

static void add_record(struct lg_cache *cache, unsigned class, struct lg_class_stats *stats,
		       struct sums *sums)
{
	struct lg_magazine *magazine = &cache->magazines[class];
	struct lg_tally *tally = &cache->tallies[class];

	stats->in_magazines += lg_load_relaxed(&magazine->count);
	stats->in_deques += lg_deque_count(&cache->deques[class]);
	stats->frees += lg_load_relaxed(&magazine->frees);
	stats->allocations += lg_load_relaxed(&magazine->allocations);
	stats->from_deque += lg_load_relaxed(&tally->from_deque);
	stats->from_dirty += lg_load_relaxed(&tally->from_dirty);
	stats->from_lazy += lg_load_relaxed(&tally->from_lazy);
	stats->from_clean += lg_load_relaxed(&tally->from_clean);
	stats->steals += lg_load_relaxed(&tally->steals);
	stats->zeroed += lg_load_relaxed(&tally->zeroed);
	stats->moved += lg_load_relaxed(&tally->moved);
	stats->copied += lg_load_relaxed(&tally->copied);
	stats->refused += lg_load_relaxed(&tally->refused);
	sums->dirty_out += lg_load_relaxed(&tally->dirty_out);
	sums->lazy_out += lg_load_relaxed(&tally->lazy_out);
}

/*
 * What went into the pools, of all records before what came out of any: a region put and taken meanwhile
 * then counts as taken alone, and the pools never seem to hold more than they did.
 */
static void add_put(struct lg_cache *cache, unsigned class, struct lg_class_stats *stats,
		    struct sums *sums)
{
	struct lg_tally *tally = &cache->tallies[class];

	(void)stats;
	sums->dirty_in += lg_load_acquire(&tally->dirty_in);
	sums->lazy_in += lg_load_acquire(&tally->lazy_in);
}

typedef void add_function(struct lg_cache *cache, unsigned class, struct lg_class_stats *stats,
			  struct sums *sums);

static void for_each_record(add_function *add, struct lg_class_stats *stats, struct sums *sums)
{
	for (unsigned i = 0; i < LG_CLASSES; i++)
		add(&lg_homeless, i, &stats[i], &sums[i]);
	for (struct lg_record *record = lg_thread_first(); record != NULL; record = record->next) {
		struct lg_cache *cache = lg_cache_of(record);

		for (uint32_t used = lg_load_acquire(&cache->used); used != 0; used &= used - 1) {
			unsigned class = (unsigned)__builtin_ctz(used);

			add(cache, class, &stats[class], &sums[class]);
		}
	}
}

static void add_areas(struct lg_class *class, struct lg_class_stats *stats)
{
	for (uint32_t i = 0; i < lg_load_acquire(&class->slots); i++) {
		struct lg_area *area = &class->areas[i];
		uint64_t word = lg_load_acquire(&area->word);
		enum lg_area_state state = lg_area_state(word);

		if (state != LG_AREA_OPEN && state != LG_AREA_ORPHAN)
			continue;
		uint64_t count = lg_load_relaxed(&area->count);
		stats->areas++;
		stats->area_bytes += count << lg_class_shift(class->index);
		stats->clean += lg_area_clean(word);
		stats->backing_bytes += difference(count, lg_area_clean(word))
					<< lg_class_shift(class->index);
	}
}

static void derive(struct lg_class *class, struct lg_class_stats *stats, const struct sums *sums)
{
	uint64_t missed = stats->from_deque + stats->from_dirty + stats->from_lazy +
			  stats->from_clean + stats->steals;

	stats->in_use = difference(stats->allocations, stats->frees);
	stats->cached = stats->in_magazines + stats->in_deques;
	stats->dirty = difference(sums->dirty_in, sums->dirty_out);
	stats->lazy = difference(sums->lazy_in, sums->lazy_out);
	stats->from_magazine = difference(stats->allocations, missed);
	stats->refills = lg_load_relaxed(&class->refills);
	stats->reclaimed = lg_load_relaxed(&class->reclaimed);
	stats->reclaimed_bytes = lg_load_relaxed(&class->reclaimed_bytes);
	stats->retired = lg_load_relaxed(&class->retired);
	stats->revoked = lg_load_relaxed(&class->revoked);
	stats->stuck = lg_load_relaxed(&class->stuck);
}

static void add_to_totals(struct lg_stats *stats, const struct lg_class_stats *class)
{
#define LG_ADD(name, kind, help) stats->totals.name += class->name;
	LG_CLASS_FIELDS(LG_ADD)
#undef LG_ADD
	stats->in_use_bytes += class->in_use * class->size;
	stats->cached_bytes += class->cached * class->size;
	stats->dirty_bytes += class->dirty * class->size;
	stats->lazy_bytes += class->lazy * class->size;
	stats->clean_bytes += class->clean * class->size;
	stats->area_bytes += class->area_bytes;
}

int lg_stats_read(struct lg_stats *stats)
{
	struct sums sums[LG_CLASSES] = { 0 };

	if (stats == NULL)
		return lg_fail(EINVAL, "lg_stats_read(NULL)");
	memset(stats, 0, sizeof(*stats));
	for (unsigned i = 0; i < LG_CLASSES; i++)
		stats->classes[i].size = lg_class_bytes(i);
	lg_exporter_count(stats);
	if (!lg_start_is_done())
		return 0;
	for_each_record(add_put, stats->classes, sums);
	for_each_record(add_record, stats->classes, sums);
	for (unsigned i = 0; i < LG_CLASSES; i++) {
		struct lg_class *class = &lg_classes[i];

		if (i < lg_span.classes)
			add_areas(class, &stats->classes[i]);
		derive(class, &stats->classes[i], &sums[i]);
		add_to_totals(stats, &stats->classes[i]);
	}
	stats->threads = lg_thread_count();
	stats->reserved_bytes = lg_span_reserved_bytes();
	return 0;
}
