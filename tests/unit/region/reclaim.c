/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Reclaim over a backing that writes down what is given back and refuses what it is told to. */
#include "region/reclaim.h"

#include "os/thread.h"
#include "region/pool.h"
#include "unit/region/library.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <unistd.h>

#define MIB ((uint64_t)1 << 20)

enum { REGIONS_MAX = 600, CALLS_MAX = 1000 };

static struct lg_region *hand[REGIONS_MAX];
static struct lg_backing recorder;

static struct {
	unsigned calls;
	int error; /* for every call, or for the one of `refused_offset` */
	bool refuses_one;
	uint64_t refused_offset;
	struct lg_class *class[CALLS_MAX];
	uint64_t offset[CALLS_MAX];
	uint64_t bytes[CALLS_MAX];
	bool lazily[CALLS_MAX];
} given;

static int record(struct lg_class *class, uint64_t offset, uint64_t bytes, bool lazily)
{
	assert_true(given.calls < CALLS_MAX);
	given.class[given.calls] = class;
	given.offset[given.calls] = offset;
	given.bytes[given.calls] = bytes;
	given.lazily[given.calls++] = lazily;
	if (given.refuses_one &&
	    (given.refused_offset < offset || given.refused_offset >= offset + bytes))
		return 0;
	return given.error;
}

static int start(void **state)
{
	int error = 0;

	if (library_start(state) != 0 || lg_thread_cache(&error) == NULL)
		return -1;
	recorder = *lg_backing;
	recorder.give_back = record;
	lg_backing = &recorder;
	return 0;
}

static int forget_calls(void **state)
{
	(void)state;
	memset(&given, 0, sizeof(given));
	return 0;
}

/* Whatever a test left in the pools goes to the areas, and every area is whole again. */
static int check(void **state)
{
	forget_calls(state);
	recorder.can_lazily = backing_is_anon();
	assert_int_equal(lg_configure("dirty_bytes:64T"), 0);
	assert_int_equal(lg_trim(), 0);
	check_all_areas();
	assert_true(lg_pool_dirty_bytes() == 0);
	return 0;
}

static uint64_t sum_of_bytes(void)
{
	uint64_t sum = 0;

	for (unsigned i = 0; i < given.calls; i++)
		sum += given.bytes[i];
	return sum;
}

static void shuffle(struct lg_region **regions, unsigned count)
{
	uint64_t seed = 0x9e3779b97f4a7c15u;

	for (unsigned i = count; i > 1; i--) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		unsigned k = (unsigned)((seed >> 33) % i);
		struct lg_region *swap = regions[k];

		regions[k] = regions[i - 1];
		regions[i - 1] = swap;
	}
}

static void neighbours_in_any_order_are_one_call(void **state)
{
	unsigned class = lg_class_of(16 << 10);
	unsigned counts[] = { 1, 2, 3, 16, 17, 100, 255, 256 };

	(void)state;
	for (size_t k = 0; k < sizeof(counts) / sizeof(counts[0]); k++) {
		take_in_hand(class, hand, counts[k]);
		uint64_t first = lg_region_number(hand[0]);
		assert_true(lg_region_number(hand[counts[k] - 1]) == first + counts[k] - 1);
		shuffle(hand, counts[k]);
		given.calls = 0;
		assert_int_equal(lg_reclaim_regions(class, hand, counts[k], false), 0);
		assert_int_equal(given.calls, 1);
		assert_ptr_equal(given.class[0], &lg_classes[class]);
		assert_true(given.offset[0] == first << lg_class_shift(class));
		assert_true(given.bytes[0] == (uint64_t)counts[k] << lg_class_shift(class));
		assert_false(given.lazily[0]);
		for (unsigned i = 0; i < counts[k]; i++)
			assert_int_equal(lg_region_state(hand[i]), LG_CLEAN);
		check_all_areas();
	}
}

static void scattered_regions_are_as_many_calls_in_order(void **state)
{
	unsigned class = lg_class_of(16 << 10), some = 0;
	struct lg_region *others[REGIONS_MAX];

	(void)state;
	take_in_hand(class, others, 200);
	for (unsigned i = 0; i < 200; i++)
		if (i % 4 != 3) /* runs of three */
			hand[some++] = others[i];
	shuffle(hand, some);
	assert_int_equal(lg_reclaim_regions(class, hand, some, false), 0);
	assert_int_equal(given.calls, 50);
	for (unsigned i = 0; i < 50; i++) {
		assert_true(given.bytes[i] == (uint64_t)3 << lg_class_shift(class));
		assert_true(i == 0 || given.offset[i] > given.offset[i - 1]);
	}
	for (unsigned i = 3; i < 200; i += 4)
		give_from_hand(class, &others[i], 1);
}

static void long_runs_are_given_back_in_pieces(void **state)
{
	unsigned class = lg_class_of(64 * MIB);

	(void)state;
	take_in_hand(class, hand, 2);
	uint64_t at = lg_region_number(hand[0]) << lg_class_shift(class);
	assert_int_equal(lg_reclaim_regions(class, hand, 1, false), 0);
	assert_true(sum_of_bytes() == 64 * MIB);
	for (unsigned i = 0; i < given.calls; i++) {
		assert_true(given.offset[i] == at);
		assert_true(given.bytes[i] <= 4 * MIB);
		at += given.bytes[i];
	}
	give_from_hand(class, hand + 1, 1);
}

static void runs_end_where_their_area_does(void **state)
{
	unsigned class = lg_class_of(4 * MIB);
	uint64_t per_area;

	(void)state;
	take_in_hand(class, hand, 1);
	per_area = lg_load_relaxed(&lg_classes[class].areas[0].count);
	assert_in_range(per_area, 1, 100);
	take_in_hand(class, hand + 1, (unsigned)per_area);
	assert_int_equal(hand[0]->area, 0);
	assert_int_equal(hand[per_area]->area, 1);
	assert_true(lg_region_number(hand[per_area]) ==
		    lg_region_number(hand[per_area - 1]) + 1); /* neighbours all the same */
	recorder.can_lazily = false;
	assert_int_equal(lg_reclaim_regions(class, hand, (unsigned)per_area + 1, false), 0);
	uint64_t border = (lg_region_number(hand[per_area])) << lg_class_shift(class);
	assert_true(sum_of_bytes() == (per_area + 1) << lg_class_shift(class));
	for (unsigned i = 0; i < given.calls; i++)
		assert_true(given.offset[i] >= border ||
			    given.offset[i] + given.bytes[i] <= border);
}

static void lazily_only_where_the_backing_can(void **state)
{
	unsigned class = lg_class_of(1 * MIB);

	(void)state;
	recorder.can_lazily = true;
	take_in_hand(class, hand, 2);
	assert_int_equal(lg_reclaim_regions(class, hand, 1, true), 0);
	assert_true(given.lazily[0]);
	assert_int_equal(lg_region_state(hand[0]), LG_LAZY);
	assert_int_equal(stats_of(class).lazy, 1);
	recorder.can_lazily = false;
	assert_int_equal(lg_reclaim_regions(class, hand + 1, 1, true), 0);
	assert_false(given.lazily[1]);
	assert_int_equal(lg_region_state(hand[1]), LG_CLEAN);
	assert_int_equal(stats_of(class).lazy, 1);
}

static void without_a_second_decay_nothing_is_lazy(void **state)
{
	unsigned class = lg_class_of(MIB);

	(void)state;
	recorder.can_lazily = true;
	assert_int_equal(lg_configure("second_decay:0"), 0);
	take_in_hand(class, hand, 1);
	assert_int_equal(lg_reclaim_regions(class, hand, 1, true), 0);
	assert_int_equal(given.calls, 1);
	assert_false(given.lazily[0]);
	assert_int_equal(stats_of(class).lazy, 0);
	assert_int_equal(lg_region_state(hand[0]), LG_CLEAN);
	assert_int_equal(lg_configure("second_decay:10s"), 0);
}

static void region_counts_as_reclaimed_once(void **state)
{
	unsigned class = lg_class_of(1 * MIB);
	uint64_t before = stats_of(class).reclaimed, bytes = stats_of(class).reclaimed_bytes;
	struct lg_region *back[LG_CHAIN];

	(void)state;
	recorder.can_lazily = true;
	take_in_hand(class, hand, 3);
	assert_int_equal(lg_reclaim_regions(class, hand, 3, true), 0);
	assert_true(stats_of(class).reclaimed == before + 3);
	unsigned got = lg_pool_take_lazy(class, back, true);
	assert_int_equal(got, 3);
	assert_int_equal(lg_reclaim_regions(class, back, got, false), 0); /* the second decay */
	assert_true(stats_of(class).reclaimed == before + 3);
	assert_true(stats_of(class).reclaimed_bytes == bytes + 3 * MIB);
}

static void refused_regions_are_dirty_again_and_the_others_clean(void **state)
{
	unsigned class = lg_class_of(16 << 10);
	uint64_t stuck = stats_of(class).stuck, dirty = stats_of(class).dirty;

	(void)state;
	struct lg_region *kept, *others[30];
	take_in_hand(class, others, 30);
	kept = others[10]; /* two runs: 0 … 9 and 11 … 29 */
	memcpy(hand, others, sizeof(others));
	hand[10] = others[29];
	given.refuses_one = true;
	given.refused_offset = lg_region_number(others[20]) << lg_class_shift(class);
	given.error = -EINVAL;
	assert_int_equal(lg_reclaim_regions(class, hand, 29, false), -EINVAL);
	assert_true(stats_of(class).stuck == stuck + 19);
	assert_true(stats_of(class).dirty == dirty + 19);
	for (unsigned i = 0; i < 30; i++)
		if (i != 10)
			assert_int_equal(lg_region_state(others[i]), i < 10 ? LG_CLEAN : LG_FREE);
	give_from_hand(class, &kept, 1);
}

static void tick_gives_back_what_is_old_and_turns(void **state)
{
	unsigned class = lg_class_of(1 * MIB);

	(void)state;
	recorder.can_lazily = false;
	take_in_hand(class, hand, 5);
	lg_pool_put(class, hand, 5);
	lg_reclaim_tick(UINT64_MAX); /* they are young: only turned */
	assert_int_equal(given.calls, 0);
	assert_int_equal(stats_of(class).dirty, 5);
	lg_reclaim_tick(UINT64_MAX);
	assert_true(sum_of_bytes() == 5 * MIB);
	assert_int_equal(stats_of(class).dirty, 0);
}

static void region_wanted_in_time_is_not_given_back(void **state)
{
	unsigned class = lg_class_of(1 * MIB);
	struct lg_region *back[LG_CHAIN];

	(void)state;
	take_in_hand(class, hand, 1);
	for (unsigned i = 0; i < 10; i++) {
		lg_pool_put(class, hand, 1);
		lg_reclaim_tick(UINT64_MAX);
		assert_int_equal(lg_pool_take(class, back), 1);
	}
	assert_int_equal(given.calls, 0);
	give_from_hand(class, hand, 1);
}

/* A class not emptied is not turned: its young ones wait for a tick that gets that far. */
static void budget_bounds_a_tick(void **state)
{
	unsigned class = lg_class_of(64 << 10), ticks = 0;
	enum { COUNT = 512, BUDGET = 4 << 20 };
	const uint64_t batch = (uint64_t)256 << 16; /* one batch beyond at most */

	(void)state;
	recorder.can_lazily = false;
	take_in_hand(class, hand, COUNT);
	lg_pool_put(class, hand, COUNT);
	lg_reclaim_tick(BUDGET);
	assert_int_equal(given.calls, 0);
	while (stats_of(class).dirty > 0) {
		given.calls = 0;
		lg_reclaim_tick(BUDGET);
		assert_true(sum_of_bytes() > 0);
		assert_true(sum_of_bytes() <= BUDGET + batch);
		assert_true(sum_of_bytes() <= BUDGET + ((uint64_t)LG_CHAIN << 16));
		ticks++;
	}
	assert_in_range(ticks, 2, COUNT * 64 * 1024 / BUDGET);
}

static void second_decay_drops_lazy_regions(void **state)
{
	unsigned class = lg_class_of(1 * MIB);

	(void)state;
	recorder.can_lazily = true;
	take_in_hand(class, hand, 3);
	assert_int_equal(lg_reclaim_regions(class, hand, 3, true), 0);
	given.calls = 0;
	lg_reclaim_tick_lazy(UINT64_MAX);
	assert_int_equal(given.calls, 0);
	lg_reclaim_tick_lazy(UINT64_MAX);
	assert_true(sum_of_bytes() == 3 * MIB);
	for (unsigned i = 0; i < given.calls; i++)
		assert_false(given.lazily[i]);
	for (unsigned i = 0; i < 3; i++)
		assert_int_equal(lg_region_state(hand[i]), LG_CLEAN);
	assert_int_equal(stats_of(class).lazy, 0);
}

static void excess_goes_from_large_classes_first(void **state)
{
	unsigned large = lg_class_of(2 * MIB), small = lg_class_of(64 << 10);

	(void)state;
	take_in_hand(small, hand, 16);
	lg_pool_put(small, hand, 16);
	take_in_hand(large, hand, 4);
	lg_pool_put(large, hand, 4);
	assert_true(lg_pool_dirty_bytes() == 9 * MIB);
	lg_reclaim_excess(9 * MIB);
	assert_int_equal(given.calls, 0);
	lg_reclaim_excess(2 * MIB);
	assert_true(lg_pool_dirty_bytes() <= 2 * MIB);
	assert_int_equal(stats_of(small).dirty, 16);
	assert_int_equal(stats_of(large).dirty, 0);
	lg_reclaim_excess(0);
	assert_true(lg_pool_dirty_bytes() == 0);
}

static void excess_ends_when_the_kernel_refuses_all(void **state)
{
	unsigned class = lg_class_of(1 * MIB);

	(void)state;
	take_in_hand(class, hand, 40);
	lg_pool_put(class, hand, 40);
	given.error = -EINVAL;
	lg_reclaim_excess(0);
	assert_true(lg_pool_dirty_bytes() == 40 * MIB);
	assert_int_equal(stats_of(class).dirty, 40);
}

static void all_takes_young_and_lazy_too_and_says_the_first_refusal(void **state)
{
	unsigned class = lg_class_of(1 * MIB), other = lg_class_of(64 << 10);

	(void)state;
	recorder.can_lazily = true;
	take_in_hand(class, hand, 4);
	lg_pool_put(class, hand, 2);
	lg_pool_put_lazy(class, hand + 2, 2);
	take_in_hand(other, hand + 4, 3);
	lg_pool_put(other, hand + 4, 3);
	given.error = -EINVAL;
	assert_int_equal(lg_reclaim_all(), -EINVAL);
	assert_true(lg_trim() == -EIO);
	given.error = 0;
	assert_int_equal(lg_reclaim_all(), 0);
	assert_int_equal(stats_of(class).dirty + stats_of(class).lazy + stats_of(other).dirty, 0);
	for (unsigned i = 0; i < 7; i++)
		assert_int_equal(lg_region_state(hand[i]), LG_CLEAN);
}

static sem_t at_work;

static int record_slowly(struct lg_class *class, uint64_t offset, uint64_t bytes, bool lazily)
{
	sem_post(&at_work);
	usleep(50000); /* the other is in its trim by now, or there is nothing to see */
	return record(class, offset, bytes, lazily);
}

static void *give_back_all(void *unused)
{
	lg_reclaim_excess(0);
	return unused;
}

static void trim_waits_for_what_another_gives_back(void **state)
{
	unsigned class = lg_class_of(1 * MIB);
	pthread_t other;

	(void)state;
	recorder.can_lazily = false;
	recorder.give_back = record_slowly;
	sem_init(&at_work, 0, 0);
	take_in_hand(class, hand, 1);
	lg_pool_put(class, hand, 1);
	assert_int_equal(pthread_create(&other, NULL, give_back_all, NULL), 0);
	while (sem_wait(&at_work) != 0)
		;
	assert_int_equal(lg_trim(), 0);
	assert_int_equal(given.calls, 1);
	assert_int_equal(lg_region_state(hand[0]), LG_CLEAN);
	assert_int_equal(pthread_join(other, NULL), 0);
	recorder.give_back = record;
	sem_destroy(&at_work);
}

/* The waiter's own: a pager's threads sleep as well. */
static _Thread_local unsigned naps;
static _Thread_local bool counts_naps;

void __real_lg_os_sleep_while(_Atomic(uint32_t) *word, uint32_t value, uint64_t timeout_ms);
void __wrap_lg_os_sleep_while(_Atomic(uint32_t) *word, uint32_t value, uint64_t timeout_ms);

/* Where naps are counted a second takes no time. */
void __wrap_lg_os_sleep_while(_Atomic(uint32_t) *word, uint32_t value, uint64_t timeout_ms)
{
	if (counts_naps)
		naps++;
	else
		__real_lg_os_sleep_while(word, value, timeout_ms);
}

static bool would_wait(void)
{
	naps = 0;
	counts_naps = true;
	lg_reclaim_wait_for_others();
	counts_naps = false;
	return naps > 0;
}

/* One that has regions in hand, and stays so for all waiters; who begins behind them ends before. */
static int is_waited_for(struct lg_class *class, uint64_t offset, uint64_t bytes, bool lazily)
{
	recorder.give_back = record;
	for (int waiter = 0; waiter < 5; waiter++) {
		assert_true(would_wait());
		lg_reclaim_excess(0);
	}
	return record(class, offset, bytes, lazily);
}

static void each_waiter_waits_for_who_has_regions_in_hand(void **state)
{
	unsigned class = lg_class_of(1 * MIB);

	(void)state;
	recorder.can_lazily = false;
	for (int turn = 0; turn < 3; turn++) {
		assert_false(would_wait());
		take_in_hand(class, hand, 1);
		lg_pool_put(class, hand, 1);
		recorder.give_back = is_waited_for;
		lg_reclaim_excess(0);
		assert_int_equal(given.calls, turn + 1);
		assert_false(would_wait());
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, forget_calls, check)
	const struct CMUnitTest tests[] = {
		TEST(neighbours_in_any_order_are_one_call),
		TEST(scattered_regions_are_as_many_calls_in_order),
		TEST(long_runs_are_given_back_in_pieces),
		TEST(runs_end_where_their_area_does),
		TEST(lazily_only_where_the_backing_can),
		TEST(without_a_second_decay_nothing_is_lazy),
		TEST(region_counts_as_reclaimed_once),
		TEST(refused_regions_are_dirty_again_and_the_others_clean),
		TEST(tick_gives_back_what_is_old_and_turns),
		TEST(region_wanted_in_time_is_not_given_back),
		TEST(budget_bounds_a_tick),
		TEST(second_decay_drops_lazy_regions),
		TEST(excess_goes_from_large_classes_first),
		TEST(excess_ends_when_the_kernel_refuses_all),
		TEST(all_takes_young_and_lazy_too_and_says_the_first_refusal),
		TEST(trim_waits_for_what_another_gives_back),
		TEST(each_waiter_waits_for_who_has_regions_in_hand),
	};

	return cmocka_run_group_tests(tests, start, NULL);
}
