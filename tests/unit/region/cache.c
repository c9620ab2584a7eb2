/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* This thread's cache, fed by hand with regions that are nobody's; its invariants after every step. */
#include "region/cache.h"

#include "region/pool.h"
#include "unit/region/library.h"

#define MIB ((uint64_t)1 << 20)

enum { REGIONS_MAX = 400 };

static struct lg_region *hand[REGIONS_MAX];
static struct lg_region *spilled[LG_SPILL];

static int attach(void **state)
{
	int error = 0;

	if (library_start(state) != 0 || lg_thread_cache(&error) == NULL)
		return -1;
	return lg_self != &lg_homeless ? 0 : -1;
}

static int empty_cache(void **state)
{
	lg_cache_flush(lg_self);
	assert_int_equal(lg_configure("cache_bytes:64M"), 0);
	lg_cache_check(lg_self);
	return library_trim(state);
}

/* Which one of the hand it is. */
static unsigned index_of(const struct lg_region *region)
{
	unsigned i = 0;

	while (hand[i] != region)
		assert_true(++i < REGIONS_MAX);
	return i;
}

static struct lg_magazine *magazine_of(unsigned class)
{
	return &lg_self->magazines[class];
}

static uint64_t held_bytes(unsigned class)
{
	return (uint64_t)(lg_load_relaxed(&magazine_of(class)->count) +
			  lg_deque_count(&lg_self->deques[class]))
	       << lg_class_shift(class);
}

static unsigned push(unsigned class, struct lg_region *region)
{
	lg_cache_note_use(lg_self, class);
	unsigned count = lg_cache_push(lg_self, class, region, spilled);

	lg_cache_check(lg_self);
	assert_true(lg_load_relaxed(&lg_self->busy) == 0);
	return count;
}

static struct lg_region *pop(unsigned class)
{
	struct lg_region *region = lg_cache_pop(lg_self, class);

	lg_cache_check(lg_self);
	assert_true(lg_load_relaxed(&lg_self->busy) == 0);
	return region;
}

static void magazine_gives_the_newest_first(void **state)
{
	unsigned class = lg_class_of(2 * MIB);

	(void)state;
	take_in_hand(class, hand, 4);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(push(class, hand[i]), 0);
	assert_int_equal(lg_load_relaxed(&magazine_of(class)->count), 4);
	for (unsigned i = 4; i-- > 0;)
		assert_ptr_equal(pop(class), hand[i]);
	assert_null(pop(class));
	give_from_hand(class, hand, 4);
}

static void magazine_holds_a_quarter_and_caches_the_budget_at_most(void **state)
{
	(void)state;
	for (unsigned class = lg_class_of(64 << 10); class <= lg_class_of(64 * MIB); class ++) {
		unsigned count =
			(unsigned)lg_min(REGIONS_MAX, (256 * MIB) >> lg_class_shift(class));
		unsigned out = 0;

		take_in_hand(class, hand, count);
		for (unsigned i = 0; i < count; i++) {
			unsigned got = push(class, hand[i]);

			lg_pool_put(class, spilled, got);
			out += got;
			assert_true(held_bytes(class) <= 64 * MIB);
			assert_true(lg_load_relaxed(&lg_self->borrowed) <= 64 * MIB);
		}
		uint64_t magazine = lg_load_relaxed(&magazine_of(class)->capacity);
		assert_true(magazine >= 1);
		assert_true(magazine << lg_class_shift(class) <= 16 * MIB || magazine == 1);
		assert_int_equal(held_bytes(class) >> lg_class_shift(class), count - out);
		lg_cache_flush(lg_self);
		lg_cache_check(lg_self);
		assert_true(held_bytes(class) == 0);
		assert_true(lg_load_relaxed(&lg_self->borrowed) == 0);
		assert_int_equal(stats_of(class).dirty, count);
		assert_int_equal(lg_trim(), 0);
	}
}

static void class_above_the_budget_is_not_served(void **state)
{
	unsigned class = lg_class_of(64 * MIB);

	(void)state;
	assert_true(lg_cache_serves(class));
	assert_false(lg_cache_serves(class + 1));
	assert_int_equal(lg_configure("cache_bytes:63M"), 0);
	assert_false(lg_cache_serves(class));
	assert_int_equal(lg_configure("cache_bytes:0"), 0);
	assert_false(lg_cache_serves(0));
	take_in_hand(0, hand, 1);
	assert_int_equal(push(0, hand[0]), 1);
	assert_ptr_equal(spilled[0], hand[0]);
	assert_null(pop(0));
	give_from_hand(0, hand, 1);
}

/* Each pushed region comes back exactly once: from the cache, or spilled on the way. */
static void nothing_pushed_is_lost_or_doubled(void **state)
{
	static const unsigned counts[] = { 1, 3, 17, 64, 65, 128, 193, 300 };
	unsigned class = lg_class_of(64 << 10);

	(void)state;
	for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
		bool back[REGIONS_MAX] = { false };
		unsigned out = 0;

		take_in_hand(class, hand, counts[k]);
		for (unsigned i = 0; i < counts[k]; i++) {
			unsigned got = push(class, hand[i]);

			assert_true(got <= LG_SPILL);
			for (unsigned s = 0; s < got; s++) {
				assert_false(back[index_of(spilled[s])]);
				back[index_of(spilled[s])] = true;
				out++;
			}
		}
		for (struct lg_region *region; (region = pop(class)) != NULL; out++) {
			assert_false(back[index_of(region)]);
			back[index_of(region)] = true;
		}
		assert_int_equal(out, counts[k]);
		give_from_hand(class, hand, counts[k]);
	}
}

static void full_magazine_moves_its_older_half_to_the_deque(void **state)
{
	unsigned class = lg_class_of(64 << 10);
	uint32_t most = (uint32_t)lg_min(LG_MAGAZINE_SLOTS, (16 * MIB) >> lg_class_shift(class));

	(void)state;
	take_in_hand(class, hand, most + 1);
	for (unsigned i = 0; i < most; i++)
		assert_int_equal(push(class, hand[i]), 0);
	assert_int_equal(lg_load_relaxed(&magazine_of(class)->count), most);
	assert_int_equal(lg_deque_count(&lg_self->deques[class]), 0);
	/* The deque's first loan is a step; what it does not take is spilled with what it took. */
	unsigned got = push(class, hand[most]);
	assert_int_equal(lg_load_relaxed(&magazine_of(class)->count), most / 2 + 1);
	assert_int_equal(lg_deque_count(&lg_self->deques[class]) + got, most / 2);
	for (unsigned i = most + 1; i-- > most / 2;)
		assert_ptr_equal(pop(class), hand[i]);
	give_from_hand(class, hand + most / 2, most + 1 - most / 2);
	lg_pool_put(class, spilled, got);
	lg_cache_flush(lg_self);
}

static void thief_finds_the_oldest_in_the_deque(void **state)
{
	unsigned class = lg_class_of(64 << 10), out = 0;
	struct lg_region *stolen;

	(void)state;
	take_in_hand(class, hand, 200);
	for (unsigned i = 0; i < 200; i++) {
		unsigned got = push(class, hand[i]);

		lg_pool_put(class, spilled, got);
		out += got;
	}
	unsigned inside = lg_deque_count(&lg_self->deques[class]);
	assert_true(inside > 0);
	while ((stolen = lg_deque_steal(&lg_self->deques[class])) != NULL) {
		lg_pool_put(class, &stolen, 1);
		out++;
		lg_cache_check(lg_self);
	}
	assert_int_equal(out + lg_load_relaxed(&magazine_of(class)->count), 200);
	lg_cache_flush(lg_self);
}

static void empty_magazine_is_filled_from_the_deque(void **state)
{
	unsigned class = lg_class_of(64 << 10);
	uint64_t before = stats_of(class).from_deque, pops = 0;

	(void)state;
	take_in_hand(class, hand, 150);
	for (unsigned i = 0; i < 150; i++)
		lg_pool_put(class, spilled, push(class, hand[i]));
	uint32_t inside = lg_load_relaxed(&magazine_of(class)->count) +
			  lg_deque_count(&lg_self->deques[class]);
	for (struct lg_region *region; (region = pop(class)) != NULL; pops++)
		give_from_hand(class, &region, 1);
	assert_true(pops == inside);
	assert_true(stats_of(class).from_deque > before);
	assert_true(stats_of(class).from_deque - before < 20); /* batches */
}

static void stock_keeps_the_newest_and_returns_the_rest_first(void **state)
{
	unsigned class = lg_class_of(64 << 10);

	(void)state;
	take_in_hand(class, hand, LG_CLEAN_RUN);
	struct lg_region *offered[LG_CLEAN_RUN];
	memcpy(offered, hand, sizeof(offered));
	lg_cache_note_use(lg_self, class);
	unsigned left = lg_cache_stock(lg_self, class, offered, LG_CLEAN_RUN);
	lg_cache_check(lg_self);
	unsigned kept = LG_CLEAN_RUN - left;
	assert_true(kept >= 4);
	uint32_t count = lg_load_relaxed(&magazine_of(class)->count);
	for (uint32_t i = 0; i < count; i++)
		assert_ptr_equal(magazine_of(class)->slots[i], hand[LG_CLEAN_RUN - count + i]);
	/* The rest and what the deque took are the others, each once. */
	bool seen[LG_CLEAN_RUN] = { false };
	for (unsigned i = 0; i < left; i++)
		seen[index_of(offered[i])] = true;
	for (struct lg_region *region; (region = pop(class)) != NULL;) {
		assert_false(seen[index_of(region)]);
		seen[index_of(region)] = true;
	}
	for (unsigned i = 0; i < LG_CLEAN_RUN; i++)
		assert_true(seen[i]);
	give_from_hand(class, hand, LG_CLEAN_RUN);
}

static void capacity_is_borrowed_as_it_is_used(void **state)
{
	unsigned class = lg_class_of(64 << 10);
	uint64_t last = 0;

	(void)state;
	take_in_hand(class, hand, 64);
	for (unsigned i = 0; i < 64; i++) {
		assert_int_equal(push(class, hand[i]), 0);
		uint64_t borrowed = lg_load_relaxed(&lg_self->borrowed);
		assert_true(borrowed >= held_bytes(class));
		assert_true(borrowed <= lg_max(4, 2 * (i + 1)) << lg_class_shift(class));
		assert_true(borrowed >= last);
		last = borrowed;
	}
	lg_cache_flush(lg_self);
	assert_true(lg_load_relaxed(&lg_self->borrowed) == 0);
}

/* A class that comes late still gets its share: who is refused again and again starts all anew. */
static void class_refused_again_and_again_gets_room(void **state)
{
	unsigned small = lg_class_of(64 << 10), large = lg_class_of(8 * MIB), pushes = 0;

	(void)state;
	assert_int_equal(lg_configure("cache_bytes:8M"), 0);
	take_in_hand(small, hand, 128);
	for (unsigned i = 0; i < 128; i++)
		lg_pool_put(small, spilled, push(small, hand[i]));
	assert_true(lg_load_relaxed(&lg_self->borrowed) > 0);
	take_in_hand(large, hand, 1);
	for (; pushes < 1000; pushes++) {
		if (push(large, hand[0]) == 0)
			break;
		assert_ptr_equal(spilled[0], hand[0]);
	}
	assert_in_range(pushes, 1, 100);
	assert_ptr_equal(pop(large), hand[0]);
	give_from_hand(large, hand, 1);
}

static void lowered_budget_counts_from_the_next_miss(void **state)
{
	unsigned class = lg_class_of(64 << 10), other = lg_class_of(1 * MIB);

	(void)state;
	take_in_hand(class, hand, 100);
	for (unsigned i = 0; i < 100; i++)
		lg_pool_put(class, spilled, push(class, hand[i]));
	assert_true(held_bytes(class) > 1 * MIB);
	assert_int_equal(lg_configure("cache_bytes:1M"), 0);
	take_in_hand(other, hand, 1);
	lg_pool_put(other, spilled, push(other, hand[0])); /* a miss of any class */
	assert_true(lg_load_relaxed(&lg_self->borrowed) <= 1 * MIB);
	assert_true(held_bytes(class) + held_bytes(other) <= 1 * MIB);
}

static void closed_cache_serves_nobody(void **state)
{
	unsigned class = lg_class_of(64 << 10);

	(void)state;
	take_in_hand(class, hand, 2);
	assert_int_equal(push(class, hand[0]), 0);
	lg_store_ordered(&lg_self->gate, LG_GATE_CLOSED);
	assert_null(pop(class));
	assert_int_equal(push(class, hand[1]), 1);
	assert_ptr_equal(spilled[0], hand[1]);
	assert_int_equal(lg_cache_stock(lg_self, class, &hand[1], 1), 1);
	assert_int_equal(lg_cache_appetite(lg_self, class), 1);
	lg_cache_flush(lg_self);
	assert_int_equal(lg_load_relaxed(&magazine_of(class)->count), 1);
	lg_store_ordered(&lg_self->gate, LG_GATE_OPEN);
	assert_ptr_equal(pop(class), hand[0]);
	give_from_hand(class, hand, 2);
}

static void caches_without_an_owner_are_never_open(void **state)
{
	(void)state;
	assert_false(lg_cache_enter(&lg_unattached));
	assert_false(lg_cache_enter(&lg_homeless));
	assert_null(lg_cache_pop(&lg_homeless, 3));
}

static void random_use_keeps_every_invariant(void **state)
{
	unsigned classes[] = { 0, 2, lg_class_of(64 << 10), lg_class_of(MIB),
			       lg_class_of(4 * MIB) };
	enum { CLASSES = sizeof(classes) / sizeof(classes[0]), EACH = 60 };
	struct lg_region *free_ones[CLASSES][EACH];
	unsigned count[CLASSES], taken = 0;
	uint64_t seed = 88172645463325252u;

	(void)state;
	for (unsigned k = 0; k < CLASSES; k++) {
		take_in_hand(classes[k], free_ones[k], EACH);
		count[k] = EACH;
	}
	assert_int_equal(lg_configure("cache_bytes:16M"), 0);
	for (unsigned step = 0; step < 20000; step++) {
		seed ^= seed << 13;
		seed ^= seed >> 7;
		seed ^= seed << 17;
		unsigned k = (unsigned)(seed % CLASSES), class = classes[k];

		if ((seed >> 20) % 2 == 0 && count[k] > 0) {
			unsigned got = push(class, free_ones[k][--count[k]]);

			for (unsigned i = 0; i < got; i++)
				free_ones[k][count[k]++] = spilled[i];
		} else {
			struct lg_region *region = pop(class);

			if (region != NULL) {
				assert_int_equal(region->class, class);
				free_ones[k][count[k]++] = region;
				taken++;
			}
		}
		assert_true(lg_load_relaxed(&lg_self->borrowed) <= 16 * MIB);
		assert_true(count[k] <= EACH);
	}
	assert_true(taken > 1000);
	for (unsigned k = 0; k < CLASSES; k++) {
		for (struct lg_region *region; (region = pop(classes[k])) != NULL;)
			free_ones[k][count[k]++] = region;
		give_from_hand(classes[k], free_ones[k], count[k]);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, empty_cache)
	const struct CMUnitTest tests[] = {
		TEST(magazine_gives_the_newest_first),
		TEST(magazine_holds_a_quarter_and_caches_the_budget_at_most),
		TEST(class_above_the_budget_is_not_served),
		TEST(nothing_pushed_is_lost_or_doubled),
		TEST(full_magazine_moves_its_older_half_to_the_deque),
		TEST(thief_finds_the_oldest_in_the_deque),
		TEST(empty_magazine_is_filled_from_the_deque),
		TEST(stock_keeps_the_newest_and_returns_the_rest_first),
		TEST(capacity_is_borrowed_as_it_is_used),
		TEST(class_refused_again_and_again_gets_room),
		TEST(lowered_budget_counts_from_the_next_miss),
		TEST(closed_cache_serves_nobody),
		TEST(caches_without_an_owner_are_never_open),
		TEST(random_use_keeps_every_invariant),
	};

	return cmocka_run_group_tests(tests, attach, NULL);
}
