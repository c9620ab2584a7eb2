/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/store.h"

#include "base/bits.h"
#include "os/map.h"
#include "os/thread.h"
#include "remote/block.h"
#include "remote/courier.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define HEAD_BYTES LG_KIB(256)

struct remote {
	struct lg_store store; /* first */
	struct lg_object *object;
	_Atomic(char *) head; /* whoever takes it frees it */
	uint64_t head_bytes;
	bool is_cached; /* by the blocks below, of the version there is now */
	struct lg_blocks blocks;
	struct lg_os_latch latch;
	struct lg_fetch *waiting; /* under the latch, as what follows */
	bool abandoned;
};

static struct remote *remote_of(struct lg_store *store)
{
	return (struct remote *)store;
}

/* --- waiting for bytes -------------------------------------------------------------------------- */

/* False: nobody waits here any more. */
static bool enter(struct remote *remote, struct lg_fetch *fetch)
{
	uint64_t signals = lg_os_latch_hold(&remote->latch);
	bool allowed = !remote->abandoned;

	if (allowed) {
		fetch->beside = remote->waiting;
		remote->waiting = fetch;
	}
	lg_os_latch_let_go(&remote->latch, signals);
	return allowed;
}

static void leave(struct remote *remote, struct lg_fetch *fetch)
{
	uint64_t signals = lg_os_latch_hold(&remote->latch);
	struct lg_fetch **link = &remote->waiting;

	while (*link != fetch)
		link = &(*link)->beside;
	*link = fetch->beside;
	lg_os_latch_let_go(&remote->latch, signals);
}

/* Both holders' places are taken. */
static int wait_for(struct remote *remote, struct lg_fetch *fetch)
{
	int error = -ECANCELED;

	if (enter(remote, fetch)) {
		lg_courier_post(fetch);
		error = lg_fetch_wait(fetch);
		leave(remote, fetch);
	} else {
		lg_fetch_let_go(fetch); /* the courier's */
	}
	lg_fetch_let_go(fetch);
	return error;
}

static int bring(void *context, char *buffer, uint64_t length, uint64_t offset, bool ahead)
{
	struct remote *remote = context;
	struct lg_fetch *fetch = lg_fetch_new(remote->object, offset, length, buffer);

	if (fetch == NULL)
		return -ENOMEM;
	fetch->ahead = ahead;
	return wait_for(remote, fetch);
}

/* The first block, if `offset` lies in it; to be freed. NULL: it does not, or the block is gone. */
static char *take_head(struct remote *remote, uint64_t offset)
{
	if (offset >= remote->head_bytes || lg_load_relaxed(&remote->head) == NULL)
		return NULL;
	return lg_swap_acquire(&remote->head, NULL);
}

/* How much of what is wanted from `offset` on is in the first block, which is then gone. */
static uint64_t copy_head(struct remote *remote, char *buffer, uint64_t length, uint64_t offset)
{
	char *head = take_head(remote, offset);

	if (head == NULL)
		return 0;
	uint64_t some = lg_min(length, remote->head_bytes - offset);
	memcpy(buffer, head + offset, some);
	free(head);
	return some;
}

static int read_blocks(void *context, char *buffer, uint64_t length, uint64_t offset, bool ahead)
{
	const struct remote *remote = context;

	return lg_blocks_read(&remote->blocks, buffer, length, offset, ahead);
}

/* A thread that is cancelled at one of the cache's files would leave a page that is never filled. */
static int read_parts(struct lg_store *store, const struct iovec *parts, int count, uint64_t offset,
		      bool ahead)
{
	struct remote *remote = remote_of(store);
	int error = 0, cancel = lg_os_cancel_hold();

	for (int i = 0; i < count && error == 0; i++) {
		char *buffer = parts[i].iov_base;
		uint64_t length =
			offset < store->bytes ? lg_min(parts[i].iov_len, store->bytes - offset) : 0;
		uint64_t done = copy_head(remote, buffer, length, offset);

		if (done < length)
			error = (remote->is_cached ? read_blocks : bring)(
				remote, buffer + done, length - done, offset + done, ahead);
		memset(buffer + length, 0, parts[i].iov_len - length);
		offset += parts[i].iov_len;
	}
	lg_os_cancel_restore(cancel);
	return error;
}

static int read_range(struct lg_store *store, const struct iovec *parts, int count, uint64_t offset)
{
	return read_parts(store, parts, count, offset, false);
}

static int read_ahead(struct lg_store *store, const struct iovec *parts, int count, uint64_t offset)
{
	return read_parts(store, parts, count, offset, true);
}

/* --- without waiting ----------------------------------------------------------------------------- */

static void landed(struct lg_fetch *fetch)
{
	struct lg_store_sink *sink = fetch->sink;

	leave(fetch->owner, fetch); /* the map may end with the next call, and its store */
	sink->end(sink, fetch->error);
}

/* What the first block has of it. */
static void give_head(struct remote *remote, struct lg_fetch *fetch)
{
	char *head = take_head(remote, fetch->offset);

	if (head != NULL)
		lg_fetch_deliver(fetch, head + fetch->offset,
				 lg_min(fetch->length, remote->head_bytes - fetch->offset));
	free(head);
	if (fetch->received == fetch->length)
		lg_fetch_finish(fetch, 0);
}

static int fetch_range(struct lg_store *store, uint64_t offset, uint64_t length, bool ahead,
		       struct lg_store_sink *sink)
{
	struct remote *remote = remote_of(store);
	struct lg_fetch *fetch = lg_fetch_new(remote->object, offset, length, NULL);

	if (fetch == NULL)
		return -ENOMEM;
	fetch->ahead = ahead;
	fetch->sink = sink;
	fetch->landed = landed;
	fetch->owner = remote;
	bool entered = enter(remote, fetch);
	if (entered) {
		give_head(remote, fetch);
		lg_courier_post(fetch);
	} else {
		lg_fetch_let_go(fetch); /* the courier's */
	}
	lg_fetch_let_go(fetch);
	return entered ? 0 : -ECANCELED;
}

static void cancel(struct lg_store *store, const struct lg_store_sink *sink)
{
	struct remote *remote = remote_of(store);
	uint64_t signals = lg_os_latch_hold(&remote->latch);

	for (struct lg_fetch *fetch = remote->waiting; fetch != NULL; fetch = fetch->beside)
		if (fetch->sink == sink)
			lg_fetch_finish(fetch, -ECANCELED);
	lg_os_latch_let_go(&remote->latch, signals);
	lg_courier_look();
}

/* --- the rest ----------------------------------------------------------------------------------- */

static int write_range(struct lg_store *store, const struct iovec *parts, int count,
		       uint64_t offset)
{
	(void)store;
	(void)parts;
	(void)count;
	(void)offset;
	return -EROFS;
}

static int flush(struct lg_store *store)
{
	(void)store;
	return 0;
}

static int discard(struct lg_store *store, uint64_t offset, uint64_t bytes)
{
	(void)store;
	(void)offset;
	(void)bytes;
	return 0;
}

static void abandon(struct lg_store *store)
{
	struct remote *remote = remote_of(store);
	uint64_t signals = lg_os_latch_hold(&remote->latch);

	remote->abandoned = true;
	for (struct lg_fetch *fetch = remote->waiting; fetch != NULL; fetch = fetch->beside)
		lg_fetch_finish(fetch, -ECANCELED);
	lg_os_latch_let_go(&remote->latch, signals);
	lg_courier_look();
}

static int explain(struct lg_store *store, int error)
{
	return lg_object_explain(remote_of(store)->object, error);
}

static void close_store(struct lg_store *store)
{
	struct remote *remote = remote_of(store);

	free(lg_swap_acquire(&remote->head, NULL));
	lg_cache_close(remote->blocks.cache);
	lg_object_let_go(remote->object);
	lg_os_unreserve(remote, sizeof(*remote));
}

/* The object stays: the allocator may not be used here, and the parent's requests name it. */
static void forget(struct lg_store *store)
{
	struct remote *remote = remote_of(store);

	lg_cache_forget(remote->blocks.cache);
	explicit_bzero(&remote->object->options, sizeof(remote->object->options));
	lg_credentials_wipe(&remote->object->credentials);
	lg_os_unreserve(remote, sizeof(*remote));
}

/* --- opening ------------------------------------------------------------------------------------ */

/* What is known now is cached, if it can be. The courier's thread has no work on the object meanwhile. */
static void cache_version(struct remote *remote, const char *head)
{
	struct lg_blocks *blocks = &remote->blocks;

	remote->is_cached = blocks->cache != NULL &&
			    lg_key_of_version(remote->object, &blocks->version);
	if (!remote->is_cached)
		return;
	blocks->bytes = remote->store.bytes;
	blocks->bring = bring;
	blocks->context = remote;
	lg_blocks_keep(blocks, head, remote->head_bytes, 0);
}

static int ask(struct remote *remote, char *head)
{
	struct lg_object *object = remote->object;
	struct lg_fetch *fetch = lg_fetch_new(object, 0, HEAD_BYTES, head);

	if (fetch == NULL)
		return lg_fail(ENOMEM, "no memory for a request");
	fetch->opening = true;
	int error = wait_for(remote, fetch);
	if (error != 0)
		return lg_object_explain(object, error);
	remote->store.bytes = object->bytes;
	remote->head_bytes = lg_min(HEAD_BYTES, object->bytes);
	cache_version(remote, head);
	free(lg_swap_ordered(&remote->head, head));
	return 0;
}

static int renew(struct lg_store *store)
{
	struct remote *remote = remote_of(store);
	char *head = malloc(HEAD_BYTES);
	int error = head != NULL ? ask(remote, head) : -ENOMEM;

	if (error != 0)
		free(head);
	return error;
}

static const struct lg_store_calls calls = {
	.name = "url",
	.read = read_range,
	.read_ahead = read_ahead,
	.fetch = fetch_range,
	.cancel = cancel,
	.write = write_range,
	.flush = flush,
	.discard = discard,
	.abandon = abandon,
	.explain = explain,
	.renew = renew,
	.close = close_store,
	.forget = forget,
};

static int open_object(const char *url, const struct lg_remote_options *options,
		       struct remote *remote)
{
	int error = lg_courier_start();

	if (error == 0)
		error = lg_object_new(url, options, &remote->object);
	if (error != 0)
		return error;
	char *head = NULL;
	if (options->cache_dir[0] != '\0')
		error = lg_cache_open(options->cache_dir, options->cache_bytes,
				      &remote->blocks.cache);
	if (error == 0) {
		head = malloc(HEAD_BYTES);
		error = head != NULL ? ask(remote, head) : lg_fail(ENOMEM, "no memory for a block");
	}
	if (error != 0) {
		free(head);
		lg_cache_close(remote->blocks.cache);
		lg_object_let_go(remote->object);
	}
	return error;
}

int lg_remote_store_open(const char *url, const struct lg_remote_options *options,
			 struct lg_store **store)
{
	void *record = NULL;
	int error = lg_os_map_record(sizeof(struct remote), &record);

	if (error != 0)
		return lg_fail(-error, "no memory for an object's record: %s",
			       lg_error_name(-error));
	struct remote *remote = record;
	error = open_object(url, options, remote);
	if (error != 0) {
		lg_os_unreserve(record, sizeof(*remote));
		return error;
	}
	remote->store.calls = &calls;
	remote->store.alignment = 1;
	remote->store.readonly = true;
	remote->store.lasts = true;
	remote->store.is_slow = true;
	remote->store.is_remote = true;
	remote->store.fetches = remote->blocks.cache == NULL;
	remote->store.renews = options->on_change == LG_CHANGE_REFETCH;
	*store = &remote->store;
	return 0;
}
