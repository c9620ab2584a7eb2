/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Taking what other threads' caches hold while they rest. The races are in tests/stress/sync. */
#include "region/revoke.h"

#include "region/pool.h"
#include "unit/region/other.h"

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)

static struct other other;
static struct some_regions some;

static int start_other(void **state)
{
	(void)state;
	other_start(&other);
	some = (struct some_regions){ .bytes = 64 * KIB, .count = 100 };
	other_do(&other, allocate_and_free_some, &some);
	return 0;
}

static int end_other(void **state)
{
	other_end(&other);
	assert_int_equal(library_trim(state), 0);
	check_all_areas();
	return 0;
}

static uint64_t cached(void)
{
	return stats_of(lg_class_of(64 * KIB)).cached;
}

static void all_is_taken_from_resting_threads_at_once(void **state)
{
	unsigned class = lg_class_of(64 * KIB);
	uint64_t held = cached(), revoked = stats_of(class).revoked, dirty = stats_of(class).dirty;

	(void)state;
	assert_true(held > 0);
	assert_true(lg_revoke_is_due());
	lg_revoke(LG_REVOKE_ALL);
	assert_true(cached() == 0);
	assert_true(stats_of(class).revoked == revoked + held);
	assert_true(stats_of(class).dirty == dirty + held);
	assert_true(lg_load_relaxed(&other.cache->borrowed) == 0);
	assert_int_equal(lg_load_relaxed(&other.cache->gate), LG_GATE_OPEN);
	assert_false(lg_revoke_is_due());
	lg_cache_check(other.cache);
}

static void revoked_thread_goes_on_as_before(void **state)
{
	(void)state;
	for (unsigned i = 0; i < 20; i++) {
		lg_revoke(LG_REVOKE_ALL);
		other_do(&other, allocate_and_free_some, &some);
		lg_cache_check(other.cache);
		assert_true(cached() > 0);
	}
}

static void idle_is_who_did_nothing_between_two_looks(void **state)
{
	(void)state;
	lg_revoke(LG_REVOKE_IDLE); /* the first look: it worked before */
	assert_true(cached() > 0);
	other_do(&other, allocate_and_free_some, &some);
	lg_revoke(LG_REVOKE_IDLE);
	assert_true(cached() > 0);
	lg_revoke(LG_REVOKE_IDLE);
	assert_true(cached() == 0);
}

static void idle_is_by_class(void **state)
{
	struct some_regions others = { .bytes = 256 * KIB, .count = 4 };

	(void)state;
	other_do(&other, allocate_and_free_some, &others);
	lg_revoke(LG_REVOKE_IDLE);
	other_do(&other, allocate_and_free_some, &others);
	lg_revoke(LG_REVOKE_IDLE);
	assert_true(cached() == 0);
	assert_true(stats_of(lg_class_of(256 * KIB)).cached > 0);
}

static void busy_thread_keeps_its_cache(void **state)
{
	uint64_t held = cached();

	(void)state;
	lg_store_ordered(&other.cache->busy, 1); /* as if it were stopped inside */
	lg_revoke(LG_REVOKE_ALL);
	assert_true(cached() == held);
	assert_int_equal(lg_load_relaxed(&other.cache->gate), LG_GATE_OPEN);
	lg_store_ordered(&other.cache->busy, 0);
	lg_revoke(LG_REVOKE_ALL);
	assert_true(cached() == 0);
}

static void cache_closed_by_another_is_left_to_it(void **state)
{
	uint64_t held = cached();

	(void)state;
	lg_store_ordered(&other.cache->gate, LG_GATE_CLOSED);
	lg_revoke(LG_REVOKE_ALL);
	assert_int_equal(lg_load_relaxed(&other.cache->gate), LG_GATE_CLOSED);
	assert_true(cached() == held);
	other_do(&other, allocate_and_free_some, &some); /* round the cache, nobody waits */
	assert_true(cached() == held);
	lg_store_ordered(&other.cache->gate, LG_GATE_OPEN);
}

static void own_cache_is_not_revoked(void **state)
{
	(void)state;
	lg_revoke(LG_REVOKE_ALL);
	allocate_and_free_some(&some);
	uint64_t held = cached();
	assert_true(held > 0);
	lg_revoke(LG_REVOKE_ALL);
	assert_true(cached() == held);
	lg_thread_flush();
}

static void thread_over_a_lowered_budget_is_taken_from_at_the_next_look(void **state)
{
	(void)state;
	lg_revoke(LG_REVOKE_IDLE);
	other_do(&other, allocate_and_free_some, &some); /* it is not idle */
	assert_int_equal(lg_configure("cache_bytes:64K"), 0);
	lg_revoke(LG_REVOKE_IDLE);
	assert_int_equal(lg_configure("cache_bytes:64M"), 0);
	assert_true(cached() == 0);
}

/* A class too large for caches: what is left counted for a thread is returned with the rest. */
static void credit_is_returned(void **state)
{
	struct some_regions large = { .bytes = 128 * MIB, .count = 1 };

	(void)state;
	lg_revoke(LG_REVOKE_ALL);
	uint64_t rest = lg_pool_dirty_bytes();
	other_do(&other, allocate_and_free_some, &large);
	other_do(&other, allocate_some, &large); /* from the pool: its bytes stay counted */
	lg_revoke(LG_REVOKE_CREDIT);
	assert_true(lg_pool_dirty_bytes() == rest);
	other_do(&other, free_some, &large);
	assert_true(lg_pool_dirty_bytes() == rest + 128 * MIB);
}

static void thread_that_ends_while_closed_is_finished_by_the_closer(void **state)
{
	uint32_t threads = lg_thread_count();

	(void)state;
	lg_store_ordered(&other.cache->gate, LG_GATE_CLOSED);
	other_end(&other);
	assert_int_equal(lg_load_relaxed(&other.cache->gate), LG_GATE_ENDED);
	assert_int_equal(lg_thread_count(), threads); /* nobody has finished it yet */
	assert_true(cached() > 0);
	lg_thread_finish(other.cache);
	assert_int_equal(lg_thread_count(), threads - 1);
	assert_true(cached() == 0);
	other_start(&other);
	other_do(&other, allocate_and_free_some, &some);
	assert_int_equal(lg_thread_count(), threads);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, start_other, end_other)
	const struct CMUnitTest tests[] = {
		TEST(all_is_taken_from_resting_threads_at_once),
		TEST(revoked_thread_goes_on_as_before),
		TEST(idle_is_who_did_nothing_between_two_looks),
		TEST(idle_is_by_class),
		TEST(busy_thread_keeps_its_cache),
		TEST(cache_closed_by_another_is_left_to_it),
		TEST(own_cache_is_not_revoked),
		TEST(thread_over_a_lowered_budget_is_taken_from_at_the_next_look),
		TEST(credit_is_returned),
		TEST(thread_that_ends_while_closed_is_finished_by_the_closer),
	};

	if (lg_start() != 0 || !lg_start_has_barrier()) {
		fprintf(stderr, "skipped: no membarrier here, and nothing is revoked without\n");
		return UNIT_SKIPPED;
	}
	return UNIT_RUN(tests);
}
