/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "os/bus.h"

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

static struct sigaction before;
static bool (*serve_fault)(void *address, enum lg_os_access access);

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

/* As if we were not there. */
static void pass_on(int number, siginfo_t *info, void *context)
{
	if ((before.sa_flags & SA_SIGINFO) != 0) {
		before.sa_sigaction(number, info, context);
	} else if (before.sa_handler != SIG_DFL && before.sa_handler != SIG_IGN) {
		before.sa_handler(number);
	} else {
		/* The kernel ends who ignores it, too. The access is made again and raises it for good. */
		struct sigaction fatal = { .sa_handler = SIG_DFL };

		sigaction(SIGBUS, &fatal, NULL);
		if (info->si_code <= 0) /* sent, not raised: it will not come again by itself */
			raise(SIGBUS);
	}
}

static void handle(int number, siginfo_t *info, void *context)
{
	int error = errno;
	bool served = false;

	if (info->si_code > 0) {
		/* Our mask is that of the handler that was called, which need not be ours. */
		uint64_t signals = lg_os_signals_hold();
		served = serve_fault(info->si_addr, access_of(context));
		lg_os_signals_release(signals);
	}
	if (!served)
		pass_on(number, info, context);
	errno = error;
}

int lg_os_bus_claim(bool (*serve)(void *address, enum lg_os_access access))
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_ONSTACK };
	int error = 0;

	action.sa_sigaction = handle;
	memset(&action.sa_mask, 0xff,
	       sizeof(action.sa_mask)); /* sigfillset leaves cancellation out */
	pthread_mutex_lock(&lock);
	if (serve_fault == NULL) {
		serve_fault = serve;
		if (sigaction(SIGBUS, &action, &before) != 0) {
			error = -errno;
			serve_fault = NULL;
		}
	}
	pthread_mutex_unlock(&lock);
	return error;
}

/*
 * A program's mask, made with sigfillset or pthread_sigmask, never has the C library's own first signal. Those that have it
 * are for moments: ours, in handlers and under latches, and the C library's, where it makes a thread.
 */
static bool is_programs(uint64_t mask)
{
	enum { OF_LIBRARY = 32 };

	return (mask >> (SIGBUS - 1) & 1) != 0 && (mask >> (OF_LIBRARY - 1) & 1) == 0;
}

/* One thread's status: "SigBlk:" and its mask in hexadecimal. */
static void look_at(int directory, const char *name, void *argument)
{
	char path[64], text[4096];
	bool *blocked = argument;

	if (name[0] < '0' || name[0] > '9')
		return;
	snprintf(path, sizeof(path), "%.20s/status", name);
	int fd = openat(directory, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	ssize_t got = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (got <= 0)
		return;
	text[got] = '\0';
	const char *mask = strstr(text, "SigBlk:");
	if (mask != NULL && is_programs(strtoull(mask + strlen("SigBlk:"), NULL, 16)))
		*blocked = true;
}

bool lg_os_bus_is_blocked(void)
{
	bool blocked = false;

	(void)lg_os_directory_each("/proc/self/task", look_at, &blocked);
	return blocked;
}
