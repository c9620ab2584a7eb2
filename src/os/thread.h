/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/* Threads as the kernel and the C library give them: start, exit hook, fork hooks, barrier, sleep. */
#ifndef LG_OS_THREAD_H
#define LG_OS_THREAD_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

/*
 * Starts a thread with every signal blocked but those that its own faults raise. Detached; or joinable, if
 * `joinable` is not NULL. -errno.
 */
int lg_os_thread_start(void *(*run)(void *), void *argument, pthread_t *joinable);

/* Names the calling thread, for ps and gdb. */
void lg_os_thread_name(const char *name);

/* Makes the hook that runs at the exit of each thread that called lg_os_exit_hook_set. -errno. */
int lg_os_exit_hook_make(void (*hook)(void *));
int lg_os_exit_hook_set(void *value);

/* A second hook of the same kind, for who comes later. */
int lg_os_exit_hook_make_another(void (*hook)(void *), unsigned *key);
int lg_os_exit_hook_set_another(unsigned key, void *value);

int lg_os_fork_hooks(void (*prepare)(void), void (*parent)(void), void (*child)(void));

/*
 * Every running thread of the process passes a full memory barrier before this returns. False: the
 * kernel does not offer it. lg_os_barrier_make first, once per process.
 */
bool lg_os_barrier_make(void);
bool lg_os_barrier(void);

/* Sleeps while *word is `value`, for at most timeout_ms (0: for ever). */
void lg_os_sleep_while(_Atomic(uint32_t) *word, uint32_t value, uint64_t timeout_ms);
void lg_os_wake(_Atomic(uint32_t) *word);
void lg_os_wake_some(_Atomic(uint32_t) *word, uint32_t most);
void lg_os_wake_all(_Atomic(uint32_t) *word);

/* Between the two no signal handler runs in the calling thread. */
uint64_t lg_os_signals_block(void);
void lg_os_signals_restore(uint64_t before);

/*
 * The same for a stretch that may call the kernel and stores, and within which the two above, and these, cost no
 * system call. It nests. Signals that are raised by what the thread does itself stay open: a fault of a user's store in
 * another map is served. (Where the program sends such a signal its handler runs here, and may not touch a map.)
 */
uint64_t lg_os_signals_hold(void);
void lg_os_signals_release(uint64_t before);

/*
 * The same for the whole life of a thread that lg_os_thread_start made: no program's handler runs there. The C
 * library's own two signals do, as setuid() waits for every thread's answer to one.
 */
void lg_os_signals_never(void);

/* Makes the calling thread's mask this, in whatever stretch it is, for a handler of the program's. The one before. */
uint64_t lg_os_signals_set(uint64_t signals);

/* pthread_sigmask itself, of the kernel's 64 signals; NULL as there. 0 or -errno. */
int lg_os_signals_change(int how, const uint64_t *signals, void *before);

/* The calling process's id. */
int lg_os_process(void);

/* Between the two the calling thread is not cancelled: it holds what others need. Also in a signal handler. */
int lg_os_cancel_hold(void);
void lg_os_cancel_restore(int before);

/*
 * For a signal handler: to restore a hold is to end here, if the thread is one that may end at any time. Deferred, it is not. True:
 * it is such a thread, and becomes so again by the other, where it may end.
 */
bool lg_os_cancel_defer(void);
void lg_os_cancel_at_any_time(void);

#endif
