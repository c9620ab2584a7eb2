/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/thread.h"

#include "os/raw.h"

#include <errno.h>
#include <limits.h>
#include <linux/futex.h>
#include <linux/membarrier.h>
#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { STACK_BYTES = 256 << 10 };

static pthread_key_t exit_key;

/* A thread that blocks what its own fault raises is killed by it, whatever handler there is. */
static void block_signals(sigset_t *before)
{
	sigset_t all;

	sigfillset(&all);
	sigdelset(&all, SIGBUS);
	sigdelset(&all, SIGSEGV);
	sigdelset(&all, SIGFPE);
	sigdelset(&all, SIGILL);
	pthread_sigmask(SIG_SETMASK, &all, before);
}

int lg_os_thread_start(void *(*run)(void *), void *argument, pthread_t *joinable)
{
	int state = joinable != NULL ? PTHREAD_CREATE_JOINABLE : PTHREAD_CREATE_DETACHED;
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t before;
	int error = pthread_attr_init(&attributes);

	if (error != 0)
		return -error;
	/* Under sanitizers the least stack may be larger than ours: then the default stays. */
	(void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, state);
	block_signals(&before); /* the new thread inherits it */
	error = pthread_create(&thread, &attributes, run, argument);
	if (error == EINVAL) { /* the stack holds the program's thread-local storage as well */
		pthread_attr_destroy(&attributes);
		pthread_attr_init(&attributes);
		pthread_attr_setdetachstate(&attributes, state);
		error = pthread_create(&thread, &attributes, run, argument);
	}
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (error == 0 && joinable != NULL)
		*joinable = thread;
	return -error;
}

void lg_os_thread_name(const char *name)
{
	(void)prctl(PR_SET_NAME, name);
}

int lg_os_exit_hook_make(void (*hook)(void *))
{
	return -pthread_key_create(&exit_key, hook);
}

int lg_os_exit_hook_set(void *value)
{
	return -pthread_setspecific(exit_key, value);
}

int lg_os_exit_hook_make_another(void (*hook)(void *), unsigned *key)
{
	pthread_key_t made;
	int error = pthread_key_create(&made, hook);

	if (error == 0)
		*key = made;
	return -error;
}

int lg_os_exit_hook_set_another(unsigned key, void *value)
{
	return -pthread_setspecific(key, value);
}

int lg_os_fork_hooks(void (*prepare)(void), void (*parent)(void), void (*child)(void))
{
	return -pthread_atfork(prepare, parent, child);
}

int lg_os_process(void)
{
	return (int)getpid();
}

int lg_os_cancel_hold(void)
{
	int before;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	return before;
}

bool lg_os_cancel_defer(void)
{
	int before;

	pthread_setcanceltype(PTHREAD_CANCEL_DEFERRED, &before);
	return before == PTHREAD_CANCEL_ASYNCHRONOUS;
}

void lg_os_cancel_at_any_time(void)
{
	int before;

	pthread_setcanceltype(PTHREAD_CANCEL_ASYNCHRONOUS, &before);
}

void lg_os_cancel_restore(int before)
{
	pthread_setcancelstate(before, &before);
}

bool lg_os_barrier_make(void)
{
	return syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0;
}

bool lg_os_barrier(void)
{
	return syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
}

void lg_os_sleep_while(_Atomic(uint32_t) *word, uint32_t value, uint64_t timeout_ms)
{
	struct timespec timeout = { .tv_sec = (time_t)(timeout_ms / 1000),
				    .tv_nsec = (long)(timeout_ms % 1000) * 1000000 };

	syscall(SYS_futex, word, FUTEX_WAIT_PRIVATE, value, timeout_ms > 0 ? &timeout : NULL, NULL,
		0);
}

void lg_os_wake(_Atomic(uint32_t) *word)
{
	lg_os_wake_some(word, 1);
}

void lg_os_wake_some(_Atomic(uint32_t) *word, uint32_t most)
{
	syscall(SYS_futex, word, FUTEX_WAKE_PRIVATE, most, NULL, NULL, 0);
}

void lg_os_wake_all(_Atomic(uint32_t) *word)
{
	lg_os_wake_some(word, INT_MAX);
}

/* In how many stretches between hold and release the calling thread is. One made without signals never leaves its. */
static _Thread_local unsigned held __attribute__((tls_model("initial-exec")));

#define BIT(signal) ((uint64_t)1 << ((signal)-1))

/* The kernel's own set, 64 signals: the C library's call leaves two of its own out. */
static uint64_t block(uint64_t signals)
{
	uint64_t before = 0;

	if (held == 0)
		(void)lg_os_raw(SYS_rt_sigprocmask, SIG_BLOCK, (long)&signals, (long)&before,
				sizeof(signals), 0, 0);
	return before;
}

uint64_t lg_os_signals_block(void)
{
	return block(~(uint64_t)0);
}

int lg_os_signals_change(int how, const uint64_t *signals, void *before)
{
	return (int)lg_os_raw(SYS_rt_sigprocmask, how, (long)signals, (long)before,
			      sizeof(*signals), 0, 0);
}

uint64_t lg_os_signals_set(uint64_t signals)
{
	uint64_t before = 0;

	(void)lg_os_raw(SYS_rt_sigprocmask, SIG_SETMASK, (long)&signals, (long)&before,
			sizeof(signals), 0, 0);
	return before;
}

void lg_os_signals_restore(uint64_t before)
{
	if (held == 0)
		(void)lg_os_signals_set(before);
}

/* Counted while no handler can run: one that did in between would take its locks with signals open. */
uint64_t lg_os_signals_hold(void)
{
	uint64_t before = block(~(BIT(SIGBUS) | BIT(SIGSEGV) | BIT(SIGFPE) | BIT(SIGILL)));

	held++;
	return before;
}

void lg_os_signals_release(uint64_t before)
{
	held--;
	lg_os_signals_restore(before);
}

void lg_os_signals_never(void)
{
	held++;
}
