/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/bus.h"

#include "base/atomic.h"
#include "os/clock.h"
#include "os/directory.h"
#include "os/thread.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include <unistd.h>

typedef bool serve_function(void *address, enum lg_os_access access);

/* Of SIGBUS when ours was installed: as it was looked up before, and, where that is another, as the installing told. */
static struct sigaction looked_up, told;
static const struct sigaction taken = {
	.sa_handler = SIG_DFL
}; /* SA_RESETHAND: it was to be called once */
static _Atomic(const struct sigaction *) before = &looked_up;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER; /* of the installing */
static _Atomic(serve_function *) serve_fault; /* NULL: not installed, as far as is known */

/* The processor says whether it wrote; that is no more than a saving of a second fault. */
static enum lg_os_access access_of(void *context)
{
#if defined(__x86_64__)
	enum { PAGE_FAULT = 14, WROTE = 2 };
	const ucontext_t *registers = context;

	if (registers->uc_mcontext.gregs[REG_TRAPNO] != PAGE_FAULT)
		return LG_OS_ACCESS_UNKNOWN;
	return (registers->uc_mcontext.gregs[REG_ERR] & WROTE) != 0 ? LG_OS_ACCESS_WRITE :
								      LG_OS_ACCESS_READ;
#elif defined(__aarch64__)
	enum { WROTE = 1 << 6 };
	const ucontext_t *registers = context;
	const struct _aarch64_ctx *record =
		(const struct _aarch64_ctx *)registers->uc_mcontext.__reserved;
	const char *end = (const char *)registers->uc_mcontext.__reserved +
			  sizeof(registers->uc_mcontext.__reserved);

	while ((const char *)record + sizeof(struct esr_context) <= end && record->magic != 0 &&
	       record->size != 0) {
		if (record->magic == ESR_MAGIC)
			return (((const struct esr_context *)record)->esr & WROTE) != 0 ?
				       LG_OS_ACCESS_WRITE :
				       LG_OS_ACCESS_READ;
		record = (const struct _aarch64_ctx *)((const char *)record + record->size);
	}
	return LG_OS_ACCESS_UNKNOWN;
#else
	(void)context;
	return LG_OS_ACCESS_UNKNOWN;
#endif
}

static bool is_handler(const struct sigaction *action)
{
	return action->sa_handler != SIG_DFL && action->sa_handler != SIG_IGN;
}

/* The kernel's own set is the first 64 signals of the C library's, and all there is of it in a signal's context. */
static uint64_t signals_of(const sigset_t *set)
{
	uint64_t signals;

	memcpy(&signals, set, sizeof(signals));
	return signals;
}

/* Who is to be told. One that is called once is had by one of the threads that come for it. */
static const struct sigaction *take_next(void)
{
	const struct sigaction *next = lg_load_acquire(&before);

	while (is_handler(next) && (next->sa_flags & (int)SA_RESETHAND) != 0 &&
	       !lg_cas_ordered(&before, &next, &taken))
		;
	return next;
}

/* With the signals blocked that the kernel would have blocked for it. */
static void call_handler(const struct sigaction *action, int number, siginfo_t *info, void *context)
{
	uint64_t signals = signals_of(&((const ucontext_t *)context)->uc_sigmask) |
			   signals_of(&action->sa_mask);

	if ((action->sa_flags & SA_NODEFER) == 0)
		signals |= (uint64_t)1 << (SIGBUS - 1);
	uint64_t ours = lg_os_signals_set(signals);
	if ((action->sa_flags & SA_SIGINFO) != 0)
		action->sa_sigaction(number, info, context);
	else
		action->sa_handler(number);
	(void)lg_os_signals_set(ours);
}

/* As if we were not there, but for the stack. */
static void pass_on(int number, siginfo_t *info, void *context)
{
	const struct sigaction *next = take_next();

	if (is_handler(next)) {
		call_handler(next, number, info, context);
	} else if (next->sa_handler == SIG_DFL || info->si_code > 0) {
		/* The kernel ends who ignores it, too, if it was raised. The access is made again and raises it for good. */
		struct sigaction fatal = { .sa_handler = SIG_DFL };

		sigaction(SIGBUS, &fatal, NULL);
		if (info->si_code <= 0) /* sent, not raised: it will not come again by itself */
			raise(SIGBUS);
	}
}

static void take_signals_of_interrupted(void *context)
{
	(void)lg_os_signals_set(signals_of(&((const ucontext_t *)context)->uc_sigmask));
}

/*
 * Again; if it was asked for meanwhile the thread ends here, and what it runs then has the signals of who was interrupted. Not
 * before: a handler of the program's that came in between and left by a jump would take along that it cannot end.
 */
static void cancel_at_any_time(void *context)
{
	pthread_cleanup_push(take_signals_of_interrupted, context);
	lg_os_cancel_at_any_time();
	pthread_cleanup_pop(0);
}

static void handle(int number, siginfo_t *info, void *context)
{
	serve_function *serve = lg_load_acquire(&serve_fault);
	int error = errno;
	bool served = false;

	/* Memory that broke is there as far as we know, and touching it again would go on for ever. */
	if (serve != NULL && info->si_code > 0 && info->si_code != BUS_MCEERR_AR &&
	    info->si_code != BUS_MCEERR_AO) {
		/* Our mask is that of the handler that was called, which need not be ours. */
		uint64_t signals = lg_os_signals_hold();
		/* A store of the user's may hold cancellation, and where a thread ends at any time, to restore it is to end. */
		bool at_any_time = lg_os_cancel_defer();
		served = serve(info->si_addr, access_of(context));
		lg_os_signals_release(signals);
		if (at_any_time)
			cancel_at_any_time(context);
	}
	if (!served)
		pass_on(number, info, context);
	errno = error;
}

static bool is_ours(const struct sigaction *action)
{
	return (action->sa_flags & SA_SIGINFO) != 0 && action->sa_sigaction == handle;
}

static bool is_same(const struct sigaction *one, const struct sigaction *other)
{
	return one->sa_flags == other->sa_flags && one->sa_handler == other->sa_handler &&
	       signals_of(&one->sa_mask) == signals_of(&other->sa_mask);
}

int lg_os_bus_claim(bool (*serve)(void *address, enum lg_os_access access))
{
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK }, was;
	int error = 0;

	action.sa_sigaction = handle;
	memset(&action.sa_mask, 0xff,
	       sizeof(action.sa_mask)); /* sigfillset leaves cancellation out */
	pthread_mutex_lock(&lock);
	if (lg_load_relaxed(&serve_fault) == NULL) {
		/* Known before ours can be called: another thread may have a fault of the program's at any time. */
		error = sigaction(SIGBUS, NULL, &was) == 0 ? 0 : -errno;
		if (error == 0 && !is_ours(&was)) /* else a fork came just here */
			looked_up = was;
		lg_compiler_barrier();
		if (error == 0 && sigaction(SIGBUS, &action, &was) != 0)
			error = -errno;
		/* Another may have come meanwhile. If not, it may have been taken already, and stays so. */
		if (error == 0 && !is_ours(&was) && !is_same(&was, &looked_up)) {
			told = was;
			lg_store_release(&before, &told);
		}
		if (error == 0)
			lg_store_release(&serve_fault, serve);
	}
	pthread_mutex_unlock(&lock);
	return error;
}

void lg_os_bus_forget(void)
{
	lock = (pthread_mutex_t)PTHREAD_MUTEX_INITIALIZER;
}

/* The text is the first part of a status. A main thread that ended by pthread_exit is there as long as the process is. */
static bool has_ended(const char *text)
{
	static const char key[] = "\nState:\t";
	const char *line = strstr(text, key);

	return line != NULL && (line[strlen(key)] == 'Z' || line[strlen(key)] == 'X');
}

/* Of a thread, from its status, which has a line of any length before that. False: it is not known, or nothing any more. */
static bool read_mask(int fd, uint64_t *mask)
{
	enum { TAIL = 64 }; /* the line is shorter */
	static const char key[] = "\nSigBlk:";
	char text[4096];
	size_t kept = 0;
	ssize_t got;

	for (off_t at = 0; (got = pread(fd, text + kept, sizeof(text) - 1 - kept, at)) > 0;
	     at += got) {
		kept += (size_t)got;
		text[kept] = '\0';
		if (has_ended(text))
			return false;
		const char *line = strstr(text, key);
		if (line != NULL && strchr(line + 1, '\n') != NULL) {
			*mask = strtoull(line + strlen(key), NULL, 16);
			return true;
		}
		if (kept > TAIL) {
			memmove(text, text + kept - TAIL, TAIL);
			kept = TAIL;
		}
	}
	return false;
}

static bool has(uint64_t mask, int signal)
{
	return (mask >> (signal - 1) & 1) != 0;
}

/*
 * A program's mask, made with sigfillset or pthread_sigmask, never has the C library's own first signal. Those that have it
 * are for moments: ours, in handlers and under latches, and the C library's, where it makes a thread; or they are of the kernel's
 * threads. What is behind such a moment is seen after it.
 */
static void look_at(int directory, const char *name, void *argument)
{
	enum { OF_LIBRARY = 32, LOOKS = 20, PAUSE_US = 500 };
	bool *blocked = argument;
	char path[64];
	uint64_t mask;

	if (name[0] < '0' || name[0] > '9' || *blocked)
		return;
	snprintf(path, sizeof(path), "%.20s/status", name);
	int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	bool known = read_mask(fd, &mask);
	for (int i = 1; i < LOOKS && known && has(mask, SIGBUS) && has(mask, OF_LIBRARY); i++) {
		lg_os_sleep_us(PAUSE_US);
		known = read_mask(fd, &mask);
	}
	close(fd);
	*blocked = known && has(mask, SIGBUS) && !has(mask, OF_LIBRARY);
}

bool lg_os_bus_is_blocked(void)
{
	bool blocked = false;

	(void)lg_os_directory_each("/proc/self/task", look_at, &blocked);
	return blocked;
}
