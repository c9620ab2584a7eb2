/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/thread.h"

#include "base/atomic.h"
#include "os/clock.h"
#include "unit/unit.h"

#include <pthread.h>
#include <signal.h>

static _Atomic(uint32_t) word;
static sigset_t blocked;

static void *look_at_myself(void *unused)
{
	(void)unused;
	pthread_sigmask(SIG_SETMASK, NULL, &blocked);
	lg_store_release(&word, 1);
	lg_os_wake(&word);
	return NULL;
}

/* What an own fault raises kills a thread that blocks it. */
static bool is_raised_by_faults(int number)
{
	return number == SIGBUS || number == SIGSEGV || number == SIGFPE || number == SIGILL;
}

static void new_thread_blocks_what_is_sent_and_the_starter_keeps_its_own(void **state)
{
	sigset_t before, after;

	(void)state;
	lg_store_relaxed(&word, 0);
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	assert_int_equal(lg_os_thread_start(look_at_myself, NULL, NULL), 0);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	while (lg_load_acquire(&word) == 0)
		lg_os_sleep_while(&word, 0, 0);
	for (int number = 1; number < 32; number++) {
		assert_int_equal(sigismember(&before, number), sigismember(&after, number));
		if (number != SIGKILL && number != SIGSTOP)
			assert_int_equal(sigismember(&blocked, number),
					 !is_raised_by_faults(number));
	}
}

/* All that is sent is blocked, and nothing that is raised; or nothing is. */
static void assert_held(bool is_held)
{
	sigset_t now;

	pthread_sigmask(SIG_SETMASK, NULL, &now);
	for (int number = 1; number < 32; number++)
		if (number != SIGKILL && number != SIGSTOP)
			assert_int_equal(sigismember(&now, number),
					 is_held && !is_raised_by_faults(number));
}

static void signals_are_held_until_the_outermost_release(void **state)
{
	(void)state;
	assert_held(false);
	uint64_t outer = lg_os_signals_hold();
	assert_held(true);
	uint64_t inner = lg_os_signals_hold(), innermost = lg_os_signals_block();
	assert_held(true);
	lg_os_signals_restore(innermost);
	assert_held(true);
	lg_os_signals_release(inner);
	assert_held(true);
	lg_os_signals_release(outer);
	assert_held(false);
}

static void hold_leaves_blocked_what_was(void **state)
{
	sigset_t own, now;

	(void)state;
	sigemptyset(&own);
	sigaddset(&own, SIGBUS);
	pthread_sigmask(SIG_BLOCK, &own, NULL);
	uint64_t signals = lg_os_signals_hold();
	pthread_sigmask(SIG_SETMASK, NULL, &now);
	assert_int_equal(sigismember(&now, SIGBUS), 1);
	lg_os_signals_release(signals);
	pthread_sigmask(SIG_UNBLOCK, &own, &now);
	assert_int_equal(sigismember(&now, SIGBUS), 1);
	assert_int_equal(sigismember(&now, SIGUSR1), 0);
}

/* It holds no signals, for it says that it has none: what would be restored is no mask. */
static void *hold_without_signals(void *unused)
{
	lg_os_signals_never();
	lg_os_signals_release(lg_os_signals_hold());
	return look_at_myself(unused);
}

static void thread_without_signals_stays_so(void **state)
{
	pthread_t thread;

	(void)state;
	assert_int_equal(lg_os_thread_start(hold_without_signals, NULL, &thread), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	for (int number = 1; number < 32; number++)
		if (number != SIGKILL && number != SIGSTOP)
			assert_int_equal(sigismember(&blocked, number),
					 !is_raised_by_faults(number));
}

static _Atomic(uint32_t) hooked;

static void hook(void *value)
{
	lg_store_release(&hooked, *(uint32_t *)value);
}

static void *set_hook(void *value)
{
	return lg_os_exit_hook_set(value) == 0 ? value : NULL;
}

static void *set_no_hook(void *value)
{
	return value;
}

static void exit_hook_runs_with_its_value_where_it_was_set(void **state)
{
	uint32_t value = 17;
	pthread_t thread;
	void *result;

	(void)state;
	assert_int_equal(lg_os_exit_hook_make(hook), 0);
	assert_int_equal(pthread_create(&thread, NULL, set_no_hook, &value), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(lg_load_acquire(&hooked), 0);
	assert_int_equal(pthread_create(&thread, NULL, set_hook, &value), 0);
	assert_int_equal(pthread_join(thread, &result), 0);
	assert_ptr_equal(result, &value);
	assert_int_equal(lg_load_acquire(&hooked), 17);
}

static void sleep_ends_at_once_when_the_word_is_another(void **state)
{
	(void)state;
	lg_store_relaxed(&word, 5);
	lg_os_sleep_while(&word, 4, 0); /* would be for ever */
	lg_os_sleep_while(&word, 5, 1); /* and this one has a timer */
	assert_int_equal(lg_load_relaxed(&word), 5);
}

static void *wake_it(void *unused)
{
	lg_store_release(&word, 1);
	lg_os_wake(&word);
	return unused;
}

static void wake_ends_a_sleep_without_timer(void **state)
{
	pthread_t thread;

	(void)state;
	for (int i = 0; i < 200; i++) {
		lg_store_relaxed(&word, 0);
		assert_int_equal(pthread_create(&thread, NULL, wake_it, NULL), 0);
		while (lg_load_acquire(&word) == 0)
			lg_os_sleep_while(&word, 0, 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
	}
}

static void barrier_works_once_registered(void **state)
{
	(void)state;
	if (!lg_os_barrier_make())
		skip(); /* no membarrier here: the worker then does without */
	assert_true(lg_os_barrier());
	assert_true(lg_os_barrier_make());
	assert_true(lg_os_barrier());
}

static void clock_never_shows_zero_nor_goes_back(void **state)
{
	uint64_t last = 0;

	(void)state;
	for (int i = 0; i < 10000; i++) {
		uint64_t now = lg_os_now_ms();

		assert_true(now > 0);
		assert_true(now >= last);
		last = now;
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_thread_blocks_what_is_sent_and_the_starter_keeps_its_own),
		cmocka_unit_test(signals_are_held_until_the_outermost_release),
		cmocka_unit_test(hold_leaves_blocked_what_was),
		cmocka_unit_test(thread_without_signals_stays_so),
		cmocka_unit_test(exit_hook_runs_with_its_value_where_it_was_set),
		cmocka_unit_test(sleep_ends_at_once_when_the_word_is_another),
		cmocka_unit_test(wake_ends_a_sleep_without_timer),
		cmocka_unit_test(barrier_works_once_registered),
		cmocka_unit_test(clock_never_shows_zero_nor_goes_back),
	};

	return UNIT_RUN(tests);
}
