/* SPDX-License-Identifier: Apache-2.0 OR MIT */
#include "remote/fetch.h"

#include "remote/tally.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct lg_fetch *lg_fetch_new(struct lg_object *object, uint64_t offset, uint64_t length,
			      void *buffer)
{
	struct lg_fetch *fetch = calloc(1, sizeof(*fetch));

	if (fetch == NULL)
		return NULL;
	lg_object_hold(object);
	fetch->object = object;
	fetch->offset = offset;
	fetch->length = length;
	fetch->buffer = buffer;
	lg_store_relaxed(&fetch->holders, 2);
	return fetch;
}

void lg_fetch_let_go(struct lg_fetch *fetch)
{
	if (atomic_fetch_sub_explicit(&fetch->holders, 1, memory_order_acq_rel) != 1)
		return;
	lg_object_let_go(fetch->object);
	free(fetch);
}

void lg_fetch_deliver(struct lg_fetch *fetch, const void *data, uint64_t bytes)
{
	int error = 0;

	if (fetch->sink != NULL) {
		if (lg_load_acquire(&fetch->done) == 0)
			error = fetch->sink->take(fetch->sink, data, bytes);
	} else {
		lg_os_latch_take(&fetch->latch);
		if (fetch->buffer != NULL)
			memcpy(fetch->buffer + fetch->received, data, bytes);
		lg_os_latch_release(&fetch->latch);
	}
	fetch->received += bytes;
	if (error != 0)
		lg_fetch_finish(fetch, error);
}

void lg_fetch_finish(struct lg_fetch *fetch, int error)
{
	uint64_t signals = lg_os_latch_hold(&fetch->latch);
	bool first = !fetch->finished;

	fetch->finished = true;
	fetch->buffer = NULL;
	if (first)
		fetch->error = error;
	lg_os_latch_let_go(&fetch->latch, signals);
	if (!first)
		return;
	lg_remote_count(failures, error != 0 && error != -ECANCELED);
	lg_store_release(&fetch->done, 1); /* the bytes and the error before it */
	lg_os_wake_all(&fetch->done);
}

int lg_fetch_wait(struct lg_fetch *fetch)
{
	while (lg_load_acquire(&fetch->done) == 0)
		lg_os_sleep_while(&fetch->done, 0, 0);
	return fetch->error;
}
