/* SPDX-License-Identifier: Apache-2.0 OR MIT */
/*
 * A store of the user's own, in memory, that takes its time, moves less than it was asked to, and answers
 * EINTR and EAGAIN now and then. It also holds the pager to its contract: nothing outside of the store, and
 * for one block never two calls at a time.
 */
#ifndef STRESS_DELAYED_H
#define STRESS_DELAYED_H

#include "stress/claim.h"
#include "stress/random.h"

#include <lgalloc/store.h>

#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

enum { DELAYED_BLOCK = 4096 };

struct delayed {
	char *bytes;
	size_t length;
	size_t blocks;
	atomic_uchar *in_use; /* a block each */
	atomic_ullong turns;
	atomic_uint closes;
};

/* Inside a signal handler nothing may be printed that takes a lock. */
static inline void delayed_broken(const char *what)
{
	if (write(STDERR_FILENO, what, strlen(what)) < 0)
		abort();
	abort();
}

static inline void delayed_enter(struct delayed *store, size_t length, uint64_t offset)
{
	if (length == 0 || offset >= store->length || length > store->length - offset)
		delayed_broken("a call of the store's is outside of it\n");
	for (size_t i = offset / DELAYED_BLOCK; i <= (offset + length - 1) / DELAYED_BLOCK; i++)
		if (atomic_exchange(&store->in_use[i], 1) != 0)
			delayed_broken("two calls of the store's at a time for one block\n");
}

static inline void delayed_leave(struct delayed *store, size_t length, uint64_t offset)
{
	for (size_t i = offset / DELAYED_BLOCK; i <= (offset + length - 1) / DELAYED_BLOCK; i++)
		atomic_store(&store->in_use[i], 0);
}

/* How much of it is moved this time; 0: `*answer` is given instead. */
static inline size_t delayed_some(struct delayed *store, size_t length, uint64_t offset,
				  ssize_t *answer)
{
	uint64_t random = offset ^ atomic_fetch_add(&store->turns, 1) << 40;

	if (random_one_in(&random, 32)) {
		struct timespec time = { 0, (long)random_below(&random, 400000) };

		clock_nanosleep(CLOCK_MONOTONIC, 0, &time, NULL);
	}
	if (random_one_in(&random, 64)) {
		*answer = random_one_in(&random, 2) ? -EINTR : -EAGAIN;
		return 0;
	}
	if (random_one_in(&random, 16))
		return 1 + random_below(&random, length);
	return length;
}

/*
 * A pinned page may be written to by its owner while it is written back: which of both bytes is taken is
 * nobody's business, but a sanitizer would make it his.
 */
__attribute__((no_sanitize("thread"))) static inline void delayed_copy(char *to, const char *from,
								       size_t length)
{
	volatile char *out = to;
	const volatile char *in = from;

	if (!SANITIZED_THREAD)
		memcpy(to, from, length);
	else
		for (size_t i = 0; i < length; i++)
			out[i] = in[i];
}

static inline ssize_t delayed_read(void *context, void *buffer, size_t length, uint64_t offset)
{
	struct delayed *store = context;
	ssize_t answer = 0;

	delayed_enter(store, length, offset);
	size_t some = delayed_some(store, length, offset, &answer);
	delayed_copy(buffer, store->bytes + offset, some);
	delayed_leave(store, length, offset);
	return some > 0 ? (ssize_t)some : answer;
}

static inline ssize_t delayed_write(void *context, const void *buffer, size_t length,
				    uint64_t offset)
{
	struct delayed *store = context;
	ssize_t answer = 0;

	delayed_enter(store, length, offset);
	size_t some = delayed_some(store, length, offset, &answer);
	delayed_copy(store->bytes + offset, buffer, some);
	delayed_leave(store, length, offset);
	return some > 0 ? (ssize_t)some : answer;
}

static inline void delayed_close(void *context)
{
	struct delayed *store = context;

	atomic_fetch_add(&store->closes, 1);
}

static const struct lg_store_ops delayed_ops = {
	.size = sizeof(struct lg_store_ops),
	.read = delayed_read,
	.write = delayed_write,
	.close = delayed_close,
	.signal_safe = true,
};

static inline void delayed_make(struct delayed *store, size_t length)
{
	store->length = length;
	store->blocks = length / DELAYED_BLOCK + 1;
	store->bytes = malloc(length);
	store->in_use = malloc(store->blocks);
	CLAIM(store->bytes != NULL);
	CLAIM(store->in_use != NULL);
	memset(store->bytes, 0, length);
	memset((void *)store->in_use, 0, store->blocks);
	atomic_init(&store->turns, 0);
	atomic_init(&store->closes, 0);
}

static inline void delayed_end(struct delayed *store)
{
	free(store->bytes);
	free((void *)store->in_use);
}

#endif
